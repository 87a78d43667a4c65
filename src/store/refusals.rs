//! Refusals: which of them are stored, and the count of those that are not.
//!
//! A refused request costs a row like any other, and anybody can be refused: at most 20 a second
//! are stored for each flow, none while the writer's queue is half full. The rest are counted by
//! flow, cause and hour, and written once a second.

use super::ledger::COUNTED;
use super::{Store, registry};
use crate::model::time::HOUR;
use crate::model::view::IntegrationView;
use crate::model::{FlowId, Ms};
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Refusals that are stored a second, for each flow.
pub(super) const STORED_A_SECOND: u32 = 20;

/// How full the queue may be, in percent, for refusals to be stored.
pub(super) const BUSY_PERCENT: usize = 50;

/// Causes that are told apart between two writes; the rest are "other".
const CAUSES: usize = 256;
/// Bytes of a cause.
const CAUSE: usize = 120;

/// Counts of a flow and cause since they were last written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) seen: i64,
    pub(super) kept: i64,
}

/// What was refused since it was last written, by flow and cause.
pub(super) type Pending = HashMap<(i64, String), Seen>;

#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// The second, and how many were stored in it.
    rates: Mutex<HashMap<FlowId, (Ms, u32)>>,
    pending: Mutex<Pending>,
}

/// A cause without what differs from one request to the next.
fn normal(cause: &str) -> String {
    let mut out = String::with_capacity(cause.len().min(CAUSE));
    let mut digits = false;
    for c in cause.chars() {
        if out.len() >= CAUSE {
            break;
        }
        if !c.is_ascii_digit() {
            out.push(c);
        } else if !digits {
            out.push('#');
        }
        digits = c.is_ascii_digit();
    }
    out
}

impl Refusals {
    /// Whether one more refusal of a flow may be stored.
    pub(super) fn may_store(&self, flow: FlowId, now: Ms, queue_percent: usize) -> bool {
        if queue_percent >= BUSY_PERCENT {
            return false;
        }
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let rate = rates.entry(flow).or_default();
        if rate.0 != now / 1_000 {
            *rate = (now / 1_000, 0);
        }
        rate.1 += 1;
        rate.1 <= STORED_A_SECOND
    }

    /// Counts one.
    pub(super) fn count(&self, flow: FlowId, cause: &str, kept: bool) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (flow.0, normal(cause));
        if pending.len() >= CAUSES && !pending.contains_key(&key) {
            "other".clone_into(&mut key.1);
        }
        let line = pending.entry(key).or_default();
        line.seen += 1;
        line.kept += i64::from(kept);
    }

    /// Takes what is to be written.
    pub(super) fn take(&self) -> Pending {
        std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts back what could not be written.
    pub(super) fn put_back(&self, back: Pending) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, line) in back {
            let now = pending.entry(key).or_default();
            now.seen += line.seen;
            now.kept += line.kept;
        }
    }
}

/// What was only counted since a time, by cause, most first: for `doctor`.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn only_counted(conn: &Connection, since: Ms) -> rusqlite::Result<Vec<(String, u64)>> {
    conn.prepare_cached(
        "SELECT cause, sum(seen - kept) AS n FROM refusal WHERE bucket >= ?1 AND seen > kept
         GROUP BY cause ORDER BY n DESC, cause",
    )?
    .query_map([since - since % HOUR], |row| {
        Ok((row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0)))
    })?
    .collect()
}

impl Store {
    /// Adds to flows what was refused and only counted.
    pub(super) fn count_refusals(&self, state: &registry::State, views: &mut [IntegrationView]) {
        let tally = self.inner.links.tally();
        for view in views {
            let Some(holding) = state.by_name(&view.name) else { continue };
            for flow in &mut view.flows {
                let row =
                    state.flows.values().find(|row| row.integration == holding.id && row.key == flow.id);
                let total = row.and_then(|row| tally.totals.get(&(row.id.0, COUNTED)));
                flow.only_counted = total.map_or(0, |total| u64::try_from(total.n).unwrap_or(0));
            }
        }
    }
}

/// Writes counts of an hour.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn write(conn: &Connection, pending: &Pending, now: Ms) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(
        "INSERT INTO refusal (flow, cause, bucket, seen, kept) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (flow, cause, bucket) DO UPDATE SET seen = seen + excluded.seen, kept = kept + excluded.kept",
    )?;
    for ((flow, cause), line) in pending {
        statement.execute(params![flow, cause, now - now % HOUR, line.seen, line.kept])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_a_second_are_stored_for_each_flow() {
        let refusals = Refusals::default();
        let stored =
            |flow, now, percent| (0..50).filter(|_| refusals.may_store(FlowId(flow), now, percent)).count();
        assert_eq!(stored(1, 5_000, 0), 20);
        assert_eq!(stored(2, 5_500, 49), 20);
        assert_eq!(stored(1, 5_999, 0), 0);
        assert_eq!(stored(1, 6_000, 50), 0);
        assert_eq!(stored(1, 6_000, 0), 20);
    }

    #[test]
    fn causes_are_bounded_and_lose_their_numbers() {
        let refusals = Refusals::default();
        refusals.count(FlowId(1), "not JSON at line 12 column 7", false);
        refusals.count(FlowId(1), "not JSON at line 3 column 141", true);
        for n in 0..1_000u32 {
            let word: String = n.to_string().chars().map(|c| char::from(c as u8 + 49)).collect();
            refusals.count(FlowId(1), &word, false);
        }
        let pending = refusals.take();
        assert_eq!(pending[&(1, "not JSON at line # column #".to_owned())], Seen { seen: 2, kept: 1 });
        assert_eq!(pending.len(), CAUSES + 1);
        assert_eq!(pending.values().map(|line| line.seen).sum::<i64>(), 1_002);
        assert!(refusals.take().is_empty());
        refusals.put_back(pending);
        assert_eq!(refusals.take().len(), CAUSES + 1);
    }
}
