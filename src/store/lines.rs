//! Lines of targets: runs that wait for one, found by flow and tag.

use super::claims::{lanes, whole};
use super::{Store, StoreError, codec};
use crate::model::run::Run;
use crate::model::{FlowId, Ms};
use crate::rules::lane::{self, LINES};
use rusqlite::{Connection, OptionalExtension, Result, params};
use std::collections::BTreeMap;

/// Lines of one flow that are looked at: a flow has as many as its steps have targets.
const OF_A_FLOW: usize = 64;
/// Runs of a line that are counted.
const COUNTED: i64 = 1_000_000;

/// Says which runs may start now, as their targets are.
pub trait Gate: Send + Sync {
    /// How many runs that wait in the line of this one's target may start.
    fn room(&self, run: &Run) -> usize;
    /// Takes a run's place at its target; where there is none, its place in the target's line.
    fn enter(&self, run: &Run) -> Option<Ms>;
    /// The tags of all lines in which runs wait.
    fn lines(&self, tags: &[u32]);
}

/// A gate that is always open.
#[cfg(test)]
#[derive(Debug, Clone, Copy)]
pub struct OpenGate;

#[cfg(test)]
impl Gate for OpenGate {
    fn room(&self, _: &Run) -> usize {
        usize::MAX
    }

    fn enter(&self, _: &Run) -> Option<Ms> {
        None
    }

    fn lines(&self, _: &[u32]) {}
}

/// What waits in a flow's lines and may start, the first of each line first; `tags` gets the line's.
pub(super) fn ready(
    conn: &Connection,
    flow: FlowId,
    gate: &dyn Gate,
    most: usize,
    tags: &mut Vec<u32>,
) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    let mut low = LINES;
    for _ in 0..OF_A_FLOW {
        let Some(head) = head(conn, flow, low)? else { break };
        let Some(tag) = head.due.and_then(lane::tag_of) else { break };
        let (first, last) = lane::line(tag);
        tags.push(tag);
        match gate.room(&head).min(most - runs.len()) {
            0 => {}
            1 => runs.push(head),
            room => runs.extend(some(conn, flow, (first, last), room)?),
        }
        if last == Ms::MAX {
            break;
        }
        low = last + 1;
    }
    Ok(runs)
}

fn head(conn: &Connection, flow: FlowId, low: Ms) -> Result<Option<Run>> {
    let mut heads = some(conn, flow, (low, Ms::MAX), 1)?;
    Ok(heads.pop())
}

fn some(conn: &Connection, flow: FlowId, places: (Ms, Ms), most: usize) -> Result<Vec<Run>> {
    conn.prepare_cached(&format!(
        "SELECT {} FROM run INDEXED BY run_due WHERE flow = ?1 AND due IS NOT NULL AND due >= ?2 AND due <= ?3
             AND state IN (0, 4) ORDER BY due, id LIMIT ?4",
        codec::RUN
    ))?
    .query_map(params![flow.0, places.0, places.1, whole(most)], |row| codec::run(row, 0))?
    .collect()
}

/// How many runs wait in each line, by its tag.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn waiting(conn: &Connection) -> Result<BTreeMap<u32, u64>> {
    let mut next = conn.prepare_cached(
        "SELECT due FROM run INDEXED BY run_due WHERE flow = ?1 AND due IS NOT NULL AND state IN (0, 4) AND due >= ?2
         ORDER BY due LIMIT 1",
    )?;
    let mut count = conn.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM run INDEXED BY run_due
             WHERE flow = ?1 AND due IS NOT NULL AND state IN (0, 4) AND due >= ?2 AND due <= ?3 LIMIT ?4)",
    )?;
    let mut all = BTreeMap::new();
    for flow in lanes(conn)? {
        let mut low = LINES;
        for _ in 0..OF_A_FLOW {
            let due: Option<Ms> = next.query_row(params![flow, low], |row| row.get(0)).optional()?;
            let Some(tag) = due.and_then(lane::tag_of) else { break };
            let (first, last) = lane::line(tag);
            let n: i64 = count.query_row(params![flow, first, last, COUNTED], |row| row.get(0))?;
            *all.entry(tag).or_insert(0) += u64::try_from(n).unwrap_or(0);
            if last == Ms::MAX {
                break;
            }
            low = last + 1;
        }
    }
    Ok(all)
}

impl Store {
    /// The tags of all lines in which runs wait now.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn lined(&self) -> std::result::Result<Vec<u32>, StoreError> {
        self.read(|conn| Ok(waiting(conn)?.into_keys().collect())).await
    }

    /// How many runs wait in each line, by its tag, as of the last second.
    #[must_use]
    pub fn lines(&self) -> BTreeMap<u32, u64> {
        self.inner.links.tally().lines.clone()
    }
}
