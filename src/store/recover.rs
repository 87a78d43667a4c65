//! What a start (or a file opened anew) takes from the rows: everything in memory is derived.

use super::dedup::Table;
use super::ledger::{self, Counts};
use super::schema;
use super::state::State;
use super::tally::{Tally, Total};
use crate::model::Ms;
use crate::model::request::Verdict;
use crate::model::run::RunState;
use crate::model::time::DAY;
use rusqlite::{Connection, Result, params};

/// The window that the ledger is kept for as long as nobody uses a longer one.
pub(super) const WINDOW: Ms = 7 * DAY;

/// What `meta` and `node` say of an earlier process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Past {
    /// The last row of the ledger.
    pub(super) seq: i64,
    /// Its time: engine time begins no earlier.
    pub(super) at: Ms,
    /// The last id that was given out.
    pub(super) last_id: i64,
    /// The longest window that was ever judged.
    pub(super) longest: Ms,
}

/// Reads it.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn past(conn: &Connection) -> Result<Past> {
    let (seq, at, last_id) = ledger::last(conn)?;
    // The ledger has the last id of every commit; the tables are asked too, since a second row with
    // the same id would be refused for ever.
    let stored: i64 = conn.query_row(
        "SELECT max(ifnull((SELECT max(id) FROM request), 0), ifnull((SELECT max(id) FROM run), 0),
                    ifnull((SELECT max(id) FROM callback), 0), ifnull((SELECT max(id) FROM audit), 0),
                    ifnull((SELECT max(id) FROM credential), 0), ifnull((SELECT max(id) FROM alert_post), 0),
                    ifnull((SELECT max(id) FROM job), 0))",
        [],
        |row| row.get(0),
    )?;
    let longest = schema::number(conn, "longest_window")?.unwrap_or(WINDOW);
    Ok(Past { seq, at, last_id: last_id.max(stored), longest })
}

/// Begins an epoch of node 0: its number, and the watermark that the last one left.
///
/// Every running run belonged to a process that is gone: its lease is over now, and the runner finds
/// it by its `due`.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn begin_epoch(conn: &mut Connection, now: Ms) -> Result<(i64, i64)> {
    let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    tx.execute(
        "INSERT INTO node (id, epoch, name, version, started, beat, fresh_low)
         VALUES (0, 1, 'local', ?1, ?2, ?2, 0)
         ON CONFLICT (id) DO UPDATE SET epoch = epoch + 1, version = excluded.version, started = excluded.started,
             beat = excluded.beat",
        params![env!("CARGO_PKG_VERSION"), now],
    )?;
    let (epoch, low): (i64, i64) =
        tx.query_row("SELECT epoch, fresh_low FROM node WHERE id = 0", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    tx.execute("UPDATE run SET due = ?1 WHERE id >= ?2 AND state = 1 AND due IS NULL", params![now, low])?;
    tx.execute(
        "UPDATE run SET due = ?1 WHERE id IN (SELECT id FROM run WHERE due IS NOT NULL AND state = 1)",
        [now],
    )?;
    schema::set(&tx, "clean", "0")?;
    tx.commit()?;
    Ok((epoch, low))
}

/// Counts what the tally holds.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn seed(conn: &Connection, tally: &mut Tally, fresh_low: i64) -> Result<()> {
    tally.runs = runs(conn, fresh_low)?;
    tally.pending = conn.query_row("SELECT count(*) FROM callback WHERE state = 0", [], |row| row.get(0))?;
    tally.recount = true;
    tally.series.load(conn)?;
    tally.totals.clear();
    tally.dirty.clear();
    let mut totals = conn.prepare("SELECT flow, verdict, n, bytes, last FROM total")?;
    let mut rows = totals.query([])?;
    while let Some(row) = rows.next()? {
        let total = Total { n: row.get(2)?, bytes: row.get(3)?, last: row.get(4)? };
        tally.totals.insert((row.get(0)?, row.get(1)?), total);
    }
    let upto = schema::number(conn, "totals")?.unwrap_or(0);
    let mut later =
        conn.prepare("SELECT counts, at FROM ledger WHERE seq > ?1 AND counts IS NOT NULL ORDER BY seq")?;
    let mut rows = later.query([upto])?;
    while let Some(row) = rows.next()? {
        let (counts, at) = (Counts::read(row.get_ref(0)?.as_blob()?), row.get(1)?);
        tally.series.again(conn, &counts, at)?;
        tally.count(&counts, at);
    }
    // Read again after a fault, the process began long ago.
    let [duplicates, rejected] =
        [Verdict::Duplicate, Verdict::Rejected].map(|verdict| tally.verdict(verdict).n);
    let now = [duplicates, rejected, tally.only_counted()];
    tally.begun.get_or_insert(now);
    Ok(())
}

/// Runs by state, by the indexes that have them; plain successes are the rest.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn runs(conn: &Connection, fresh_low: i64) -> Result<[i64; 9]> {
    let mut runs = [0; 9];
    let mut count = |sql: &str, low: Option<i64>| -> Result<()> {
        let mut statement = conn.prepare(sql)?;
        let mut rows = match low {
            Some(low) => statement.query([low])?,
            None => statement.query([])?,
        };
        while let Some(row) = rows.next()? {
            let state: i64 = row.get(0)?;
            if let Some(state) = RunState::from_number(state) {
                runs[state as usize] += row.get::<_, i64>(1)?;
            }
        }
        Ok(())
    };
    count("SELECT state, count(*) FROM run WHERE state >= 3 GROUP BY state", None)?;
    count(
        "SELECT state, count(*) FROM run WHERE id >= ?1 AND state <= 1 AND due IS NULL GROUP BY state",
        Some(fresh_low),
    )?;
    count(
        "SELECT state, count(*) FROM run INDEXED BY run_due
         WHERE due IS NOT NULL AND state IN (0, 4) AND state = 0 GROUP BY state
         UNION ALL SELECT state, count(*) FROM run INDEXED BY run_later
         WHERE due IS NOT NULL AND state NOT IN (0, 4) AND state = 1 GROUP BY state",
        None,
    )?;
    let all: i64 = conn.query_row("SELECT count(*) FROM run", [], |row| row.get(0))?;
    runs[RunState::Succeeded as usize] = all - runs.iter().sum::<i64>();
    Ok(runs)
}

/// Makes the writer's memory what the rows say: after a commit whose outcome could not be had.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn reread(conn: &Connection, state: &mut State, tally: &mut Tally) -> Result<()> {
    let past = past(conn)?;
    state.seq = past.seq;
    state.fresh_low =
        conn.query_row("SELECT fresh_low FROM node WHERE id = ?1", [state.owner >> 32], |row| row.get(0))?;
    let mut bare = conn.prepare("SELECT id FROM run WHERE id >= ?1 AND state = 1 AND due IS NULL")?;
    state.bare = bare.query_map([state.fresh_low], |row| row.get(0))?.collect::<Result<_>>()?;
    let now = state.clock.now();
    let mut table = Table::new(fastrand::u64(..), past.longest);
    ledger::rebuild(conn, &mut table, now)?;
    state.table = table;
    state.longest_written = past.longest;
    seed(conn, tally, state.fresh_low)
}
