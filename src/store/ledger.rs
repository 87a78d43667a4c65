//! The ledger: one row a commit, with what the commit did to the dedup table and how much of what
//! it stored. From it the table and the totals are made again at start, and it tells after a fault
//! whether a commit is there.

use super::dedup::Table;
use crate::model::Ms;
use rusqlite::{Connection, params};

/// How many of which verdict, by flow. Verdict 4 is a refusal that was only counted.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Counts(pub(super) Vec<Count>);

/// The number of a refusal that was only counted, next to those of [`crate::model::request::Verdict`].
pub(super) const COUNTED: i64 = 4;

/// A line of [`Counts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) flow: i64,
    pub(super) verdict: i64,
    pub(super) n: i64,
    /// Of bodies.
    pub(super) bytes: i64,
}

fn put(out: &mut Vec<u8>, value: i64) {
    let mut value = value.cast_unsigned();
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

fn get(from: &mut &[u8]) -> Option<i64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value.cast_signed());
        }
    }
    None
}

impl Counts {
    /// Adds to a line.
    pub(super) fn add(&mut self, flow: i64, verdict: i64, n: i64, bytes: i64) {
        match self.0.iter_mut().find(|line| line.flow == flow && line.verdict == verdict) {
            Some(line) => {
                line.n += n;
                line.bytes += bytes;
            }
            None => self.0.push(Count { flow, verdict, n, bytes }),
        }
    }

    /// As varints; `None` for nothing.
    pub(super) fn blob(&self) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(self.0.len() * 8);
        for line in &self.0 {
            for value in [line.flow, line.verdict, line.n, line.bytes] {
                put(&mut out, value);
            }
        }
        (!out.is_empty()).then_some(out)
    }

    /// From varints; what is cut off is left out.
    pub(super) fn read(mut from: &[u8]) -> Self {
        let mut counts = Self::default();
        while let (Some(flow), Some(verdict), Some(n), Some(bytes)) =
            (get(&mut from), get(&mut from), get(&mut from), get(&mut from))
        {
            counts.0.push(Count { flow, verdict, n, bytes });
        }
        counts
    }
}

/// A row to be written.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) seq: i64,
    pub(super) at: Ms,
    /// Smallest id that the commit stored.
    pub(super) lo: i64,
    /// Last id that was given out.
    pub(super) hi: i64,
    pub(super) dedup: &'a [u8],
    pub(super) counts: Option<&'a [u8]>,
}

/// Writes a row.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn write(conn: &Connection, row: &Row<'_>) -> rusqlite::Result<()> {
    let dedup = (!row.dedup.is_empty()).then_some(row.dedup);
    conn.prepare_cached(
        "INSERT INTO ledger (seq, at, lo, hi, dedup, counts) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![row.seq, row.at, row.lo, row.hi, dedup, row.counts])
    .map(|_| ())
}

/// The last row: its number, its time, and the last id that was given out by then. Zeros without one.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn last(conn: &Connection) -> rusqlite::Result<(i64, Ms, i64)> {
    conn.query_row(
        "SELECT ifnull(max(seq), 0), ifnull((SELECT at FROM ledger ORDER BY seq DESC LIMIT 1), 0),
                ifnull((SELECT hi FROM ledger ORDER BY seq DESC LIMIT 1), 0) FROM ledger",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )
}

/// Whether the commit with this number is there.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn has(conn: &Connection, seq: i64) -> rusqlite::Result<bool> {
    conn.query_row("SELECT EXISTS (SELECT 1 FROM ledger WHERE seq = ?1)", [seq], |row| row.get(0))
}

/// The number of the first row that is not older than a time; one past the last where all are.
///
/// Numbers and times rise together, so this is a binary search and no index on times is needed.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn first_since(conn: &Connection, from: Ms) -> rusqlite::Result<i64> {
    let (mut low, mut high): (i64, i64) = conn.query_row(
        "SELECT ifnull((SELECT min(seq) FROM ledger), 0), ifnull((SELECT max(seq) FROM ledger), -1) + 1",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let mut at_or_after = conn.prepare("SELECT seq, at FROM ledger WHERE seq >= ?1 ORDER BY seq LIMIT 1")?;
    while low < high {
        let middle = low + (high - low) / 2;
        let (seq, at): (i64, Ms) = at_or_after.query_row([middle], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if at < from {
            low = seq + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// Fills a table with what the ledger says of the longest window.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn rebuild(conn: &Connection, table: &mut Table, now: Ms) -> rusqlite::Result<()> {
    let from = first_since(conn, now - table.longest())?;
    let mut rows = conn.prepare("SELECT dedup FROM ledger WHERE seq >= ?1 ORDER BY seq")?;
    let mut rows = rows.query([from])?;
    while let Some(row) = rows.next()? {
        if let Some(log) = row.get_ref(0)?.as_blob_or_null()? {
            table.apply(log, now);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_row_of_a_window_is_found_over_gaps() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(include_str!("schema/001.sql")).unwrap();
        assert_eq!(first_since(&conn, 5).unwrap(), 0);
        assert_eq!(last(&conn).unwrap(), (0, 0, 0));
        for (seq, at) in [(3, 10), (4, 10), (9, 20), (10, 30)] {
            write(&conn, &Row { seq, at, lo: 0, hi: seq * 2, dedup: &[], counts: None }).unwrap();
        }
        for (from, first) in [(5, 3), (10, 3), (11, 5), (20, 5), (21, 10), (30, 10), (31, 11)] {
            let found = first_since(&conn, from).unwrap();
            let rows: i64 = conn
                .query_row("SELECT count(*) FROM ledger WHERE seq >= ?1", [found], |row| row.get(0))
                .unwrap();
            let truth: i64 = conn
                .query_row("SELECT count(*) FROM ledger WHERE at >= ?1", [from], |row| row.get(0))
                .unwrap();
            assert_eq!(rows, truth, "from {from}: {found}, about {first}");
        }
        assert_eq!(last(&conn).unwrap(), (10, 30, 20));
        assert!(has(&conn, 9).unwrap() && !has(&conn, 5).unwrap());
    }

    proptest! {
        #[test]
        fn counts_read_back(lines in prop::collection::vec((0i64..1 << 40, 0i64..5, 1i64..1 << 20, 0i64..i64::MAX), 0..9)) {
            let mut counts = Counts::default();
            for (flow, verdict, n, bytes) in lines {
                if !counts.0.iter().any(|line| line.flow == flow && line.verdict == verdict) {
                    counts.add(flow, verdict, n, bytes);
                }
            }
            let blob = counts.blob().unwrap_or_default();
            prop_assert_eq!(Counts::read(&blob), counts);
        }

        #[test]
        fn damaged_counts_do_no_harm(blob in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Counts::read(&blob);
        }
    }
}
