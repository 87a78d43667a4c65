//! Sketches: for each block of about two thousand requests, which values occur in it.
//!
//! A filter like `body.order_number=10438` has no index to walk: every path of every sender may be
//! asked for. A sketch says of a block that it surely has no such value, or that it may: blocks that
//! surely have none are not read. It is made behind the commit, by the tender, so that the transaction
//! that accepts a request never pays for it, and takes 14 bits for each distinct value.
//!
//! A block is a range of ids, of requests and of runs alike. What is in no block (the newest requests,
//! mostly) is read as it is. A wrong yes costs a look; a wrong no cannot be: what cannot be read
//! makes its block one that may have anything.

mod bits;
mod build;
mod leaves;

pub(super) use bits::has;
pub(super) use build::Sketcher;
pub use build::{ROWS, fill};
pub(super) use leaves::{child, element, ending, key, number, root, status, text};

use super::schema;
use rusqlite::{Connection, OptionalExtension as _, Result, params};

/// Where a sketch says what may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The first id.
    pub(super) low: i64,
    /// The last id.
    pub(super) high: i64,
    /// Requests in it when it was made.
    pub(super) rows: i64,
}

/// How often blocks were taken away because rows in them changed.
const VOIDED: &str = "sketches_voided";

/// The last block that begins at an id or before it.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn block_at(conn: &Connection, id: i64) -> Result<Option<Block>> {
    conn.prepare_cached(
        "SELECT low, high, rows FROM sketch INDEXED BY sketch_span WHERE low <= ?1 ORDER BY low DESC LIMIT 1",
    )?
    .query_row([id], |row| Ok(Block { low: row.get(0)?, high: row.get(1)?, rows: row.get(2)? }))
    .optional()
}

/// Where the next block after an id begins.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn next_block(conn: &Connection, id: i64) -> Result<Option<i64>> {
    conn.prepare_cached("SELECT min(low) FROM sketch WHERE low > ?1")?.query_row([id], |row| row.get(0))
}

/// All blocks between two ids, oldest first.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn blocks(conn: &Connection, low: i64, high: i64) -> Result<Vec<Block>> {
    conn.prepare_cached(
        "SELECT low, high, rows FROM sketch INDEXED BY sketch_span WHERE low <= ?2 AND high >= ?1 ORDER BY low",
    )?
    .query_map(params![low, high], |row| {
        Ok(Block { low: row.get(0)?, high: row.get(1)?, rows: row.get(2)? })
    })?
    .collect()
}

/// A row of a request changed in what a sketch has of it: its block is made anew.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn void(conn: &Connection, id: i64) -> Result<()> {
    conn.prepare_cached(
        "DELETE FROM sketch WHERE low = (SELECT max(low) FROM sketch WHERE low <= ?1) AND high >= ?1",
    )?
    .execute([id])?;
    // One that is being made may have read the row before.
    schema::set(conn, VOIDED, &(voided(conn)? + 1).to_string())
}

fn voided(conn: &Connection) -> Result<i64> {
    Ok(schema::number(conn, VOIDED)?.unwrap_or(0))
}

/// Drops blocks of which retention left no row.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn past(conn: &Connection) -> Result<()> {
    conn.execute(
        "DELETE FROM sketch WHERE high < min(
             ifnull((SELECT min(id) FROM request), 9223372036854775807),
             ifnull((SELECT min(id) FROM run), 9223372036854775807))",
        [],
    )
    .map(|_| ())
}
