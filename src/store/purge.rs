//! Retention: what is older than the bound leaves, in slices so small that nobody waits for them.
//!
//! Ids carry time, so a slice is a range of the primary key. A run leaves with its journal,
//! callbacks and frame once it ended and its end is older than the bound; a request once no run of
//! it is there. What an open run (an errored one too) needs stays, and is looked at again a day later.

use super::jobs;
use super::ledger;
use super::queue::Job;
use super::schema;
use super::sketch;
use super::state::{Batch, State};
use super::{StoreError, queue::Reply};
use crate::model::Ms;
use crate::model::id::first_at;
use crate::model::run::RunState;
use crate::model::time::{DAY, HOUR};
use rusqlite::{Connection, OptionalExtension, Result, Transaction, params};

/// Runs, and requests, of a slice.
const SLICE: u32 = 128;
/// Rows of the ledger that leave at once.
const LEDGER: u32 = 1_000;
/// Pages that are given back to the system at once.
const PAGES: i64 = 64;

/// Free pages from which on the file is made smaller: under this, holes are simply used again.
const FREE_PAGES: i64 = 512;

/// Where retention stands; one slice after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purge {
    /// Runs and requests with ids past `after`.
    Rows { after: i64 },
    /// The ledger past the longest window and a day.
    Ledger,
    /// Sketches, counts of refusals, error groups that nobody is in, and jobs that ended.
    Small,
    /// Pages that nobody uses.
    Vacuum,
}

/// What a slice did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Did {
    /// Up to this id; there may be more.
    More(i64),
    /// All there was, up to this id.
    All(i64),
}

/// A slice of it as a job of the writer.
pub(super) struct Slice {
    pub(super) what: Purge,
    /// How long runs and requests are kept.
    pub(super) keep: Ms,
    pub(super) did: Option<Did>,
    pub(super) reply: Reply<Did>,
}

impl Job for Slice {
    fn run(&mut self, tx: &Transaction<'_>, _: &mut State, batch: &mut Batch) -> Result<()> {
        let before = batch.now - self.keep;
        self.did = Some(match self.what {
            Purge::Rows { after } => rows(tx, after, before, batch)?,
            Purge::Ledger => past_ledger(tx, batch.now)?,
            Purge::Small => small(tx, before)?,
            Purge::Vacuum => vacuum(tx)?,
        });
        Ok(())
    }

    fn done(self: Box<Self>, result: std::result::Result<(), StoreError>) {
        let Self { did, reply, .. } = *self;
        let _ = reply.send(result.and_then(|()| did.ok_or_else(StoreError::closed)));
    }
}

/// Ids of a table in a range, at most a slice of them.
fn ids(conn: &Connection, sql: &str, after: i64, cut: i64) -> Result<Vec<i64>> {
    let mut statement = conn.prepare_cached(sql)?;
    statement.query_map(params![after, cut, SLICE], |row| row.get(0))?.collect()
}

fn rows(conn: &Connection, after: i64, before: Ms, batch: &mut Batch) -> Result<Did> {
    let cut = first_at(before);
    let runs = ids(conn, "SELECT id FROM run WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3", after, cut)?;
    let requests =
        ids(conn, "SELECT id FROM request WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3", after, cut)?;
    let full = |ids: &[i64]| ids.last().copied().filter(|_| ids.len() == SLICE as usize);
    let upto = match (full(&runs), full(&requests)) {
        (Some(run), Some(request)) => run.min(request),
        (Some(id), None) | (None, Some(id)) => id,
        (None, None) => runs.last().copied().max(requests.last().copied()).unwrap_or(after),
    };
    for run in runs.iter().filter(|run| **run <= upto) {
        drop_run(conn, *run, before, batch)?;
    }
    let mut statement = conn.prepare_cached(
        "DELETE FROM request WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM run WHERE id = ?1)
             AND NOT EXISTS (SELECT 1 FROM run WHERE request = ?1 AND id <> request)",
    )?;
    for request in requests.iter().filter(|request| **request <= upto) {
        if statement.execute([request])? > 0 {
            conn.prepare_cached("DELETE FROM told WHERE request = ?1")?.execute([request])?;
        }
    }
    let more = full(&runs).or(full(&requests)).is_some();
    Ok(if more { Did::More(upto) } else { Did::All(upto) })
}

fn drop_run(conn: &Connection, run: i64, before: Ms, batch: &mut Batch) -> Result<()> {
    let state: Option<i64> = conn
        .prepare_cached(
            "DELETE FROM run WHERE id = ?1 AND state IN (2, 6, 7, 8) AND ifnull(ended, 0) < ?2 RETURNING state",
        )?
        .query_row([run, before], |row| row.get(0))
        .optional()?;
    let Some(state) = state else { return Ok(()) };
    batch.deltas.moved(RunState::from_number(state), None);
    for sql in [
        "DELETE FROM journal WHERE run = ?1",
        "DELETE FROM callback WHERE run = ?1",
        "DELETE FROM frame WHERE run = ?1",
    ] {
        conn.prepare_cached(sql)?.execute([run])?;
    }
    Ok(())
}

/// The first row of the ledger that stays: the longest window and a day are kept for the dedup
/// table, what totals lack for them, and the last row to tell where ids and time go on.
fn ledger_from(conn: &Connection, now: Ms) -> Result<i64> {
    let longest = schema::number(conn, "longest_window")?.unwrap_or(super::recover::WINDOW);
    let totals = schema::number(conn, "totals")?.unwrap_or(0);
    let (last, ..) = ledger::last(conn)?;
    Ok(ledger::first_since(conn, now - longest - DAY)?.min(totals + 1).min(last))
}

/// Whether rows of the ledger are to leave.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn is_long(conn: &Connection, now: Ms) -> Result<bool> {
    let from = ledger_from(conn, now)?;
    conn.query_row("SELECT EXISTS (SELECT 1 FROM ledger WHERE seq < ?1)", [from], |row| row.get(0))
}

fn past_ledger(conn: &Connection, now: Ms) -> Result<Did> {
    let gone = conn
        .prepare_cached(
            "DELETE FROM ledger WHERE seq IN (SELECT seq FROM ledger WHERE seq < ?1 ORDER BY seq LIMIT ?2)",
        )?
        .execute([ledger_from(conn, now)?, i64::from(LEDGER)])?;
    Ok(if gone == LEDGER as usize { Did::More(0) } else { Did::All(0) })
}

fn small(conn: &Connection, before: Ms) -> Result<Did> {
    sketch::past(conn)?;
    conn.execute("DELETE FROM refusal WHERE bucket < ?1", [before - HOUR])?;
    conn.execute("DELETE FROM cause WHERE count <= 0 AND last < ?1", [before])?;
    let more = jobs::past(conn, before)?;
    Ok(if more { Did::More(0) } else { Did::All(0) })
}

/// Pages of a file that is made smaller whenever a page is free: 32 MiB.
const SMALL_FILE: i64 = 4_096;

/// Whether so many pages are free that the file should be made smaller.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn is_hollow(conn: &Connection) -> Result<bool> {
    let free: i64 = conn.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
    let pages: i64 = conn.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    // A small file is made as small as it goes: moving its pages costs nothing, and whoever looks
    // at it after a purge expects to see it.
    Ok(free > FREE_PAGES.max(pages / 10) || (free > 0 && pages < SMALL_FILE))
}

/// Copies the write-ahead log back into the file, as far as no reader holds it; whether all of it
/// was. Never waits, and never lets the writer wait.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn checkpoint(conn: &Connection) -> Result<bool> {
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        let (busy, log, copied): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(busy == 0 && log == copied)
    })
}

fn vacuum(conn: &Connection) -> Result<Did> {
    let mut statement = conn.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(if is_hollow(conn)? { Did::More(0) } else { Did::All(0) })
}
