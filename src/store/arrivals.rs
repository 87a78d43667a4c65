//! How many requests came to each flow, by quarters of an hour: what is usual for it.

use super::tally::Total;
use crate::model::request::Verdict;
use crate::model::{FlowId, Ms};
use crate::rules::alert::silence::{Count, KEPT, quarter};
use rusqlite::{Connection, OptionalExtension as _, Result, params};

/// Verdicts of requests that were let in: who is refused has not sent what is usual.
pub(super) const LET_IN: [Verdict; 3] = [Verdict::Accepted, Verdict::Duplicate, Verdict::Filtered];

/// Counts what a total has more than its row, which is about to be written.
pub(super) fn count(conn: &Connection, flow: i64, verdict: i64, total: &Total) -> Result<()> {
    if !LET_IN.iter().any(|let_in| *let_in as i64 == verdict) {
        return Ok(());
    }
    let before: Option<i64> = conn
        .prepare_cached("SELECT n FROM total WHERE flow = ?1 AND verdict = ?2")?
        .query_row([flow, verdict], |row| row.get(0))
        .optional()?;
    let more = total.n - before.unwrap_or(0);
    if more <= 0 {
        return Ok(());
    }
    conn.prepare_cached(
        "INSERT INTO arrival (flow, quarter, n) VALUES (?1, ?2, ?3)
         ON CONFLICT (flow, quarter) DO UPDATE SET n = n + excluded.n",
    )?
    .execute(params![flow, quarter(total.last), more])?;
    conn.prepare_cached("DELETE FROM arrival WHERE flow = ?1 AND quarter < ?2")?
        .execute([flow, quarter(total.last - KEPT)])
        .map(|_| ())
}

/// The counts of a flow since a time, in its order.
pub(super) fn history(conn: &Connection, flow: FlowId, since: Ms) -> Result<Vec<Count>> {
    conn.prepare_cached("SELECT quarter, n FROM arrival WHERE flow = ?1 AND quarter >= ?2 ORDER BY quarter")?
        .query_map([flow.0, quarter(since)], |row| {
            Ok((row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0)))
        })?
        .collect()
}
