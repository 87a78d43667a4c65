//! Walking a table by key: newest or oldest first, in chunks that give the reader back, until the
//! page is full or its time is up.

use super::probe::{Hop, Probe, hop};
use super::reach::Range;
use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;
use rusqlite::{Connection, Row, Rows, Statement};
use std::time::{Duration, Instant};

/// How much a page may cost.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Rows that one read transaction looks at.
    pub chunk_rows: u64,
    /// How long one read transaction takes.
    pub chunk: Duration,
    /// How long the page takes.
    pub page: Duration,
    /// Rows that the page looks at.
    pub page_rows: u64,
}

impl Default for Budget {
    /// 20 ms and 2,000 rows a transaction; a page answers within a tenth of a second, so that a reader
    /// is free for others soon and whoever searches sees how far it came.
    fn default() -> Self {
        Self {
            chunk_rows: 2_000,
            chunk: Duration::from_millis(20),
            page: Duration::from_millis(100),
            page_rows: u64::MAX,
        }
    }
}

/// Where a page begins, which way it goes, and how many rows it wants.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// Ids that it may look at.
    pub range: Range,
    /// Oldest first.
    pub forward: bool,
    /// At most so many rows.
    pub limit: usize,
}

/// Rows of a page.
#[derive(Debug)]
pub struct Walked<T> {
    /// What was found, with ids.
    pub rows: Vec<(i64, T)>,
    /// The id to go on after; `None` at the end.
    pub next: Option<i64>,
    /// Rows looked at.
    pub scanned: u64,
    /// The page ended because its time was up.
    pub partial: bool,
    /// How far the search came then, in percent of what its filter can reach.
    pub percent: Option<u8>,
    /// The newest id that there was when it began, where nothing newer was left out.
    pub newest: Option<i64>,
}

impl<T> Walked<T> {
    /// Nothing yet.
    #[must_use]
    pub fn none() -> Self {
        Self { rows: Vec::new(), next: None, scanned: 0, partial: false, percent: None, newest: None }
    }
}

/// Where rows come from: a table with a condition whose rows an index gives in the order of ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// `run`, `run INDEXED BY run_odd`, …
    pub from: &'static str,
    /// `state = 5`, …; made of numbers of ours, never of text from outside.
    pub condition: String,
    /// What is the id, as the index has it.
    pub key: &'static str,
}

/// Rows to go through.
#[derive(Debug)]
pub struct Search<'s> {
    /// What is read; it begins with the id.
    pub columns: &'s str,
    /// Where they come from; no two have a row in common.
    pub sources: &'s [Source],
    /// What sketches are asked, so that blocks that surely have nothing are passed over.
    pub probe: &'s Probe,
}

/// Walks sources, merged by id; `judge` takes a row or leaves it.
///
/// # Errors
/// Whatever `SQLite` or `judge` says.
pub fn walk<T>(
    conn: &Connection,
    search: &Search<'_>,
    way: Way,
    budget: &Budget,
    judge: &mut dyn FnMut(&Row<'_>) -> rusqlite::Result<Option<T>>,
) -> rusqlite::Result<Walked<T>> {
    let begun = Instant::now();
    let mut walked = Walked::none();
    let mut range = way.range;
    while range.low <= range.high {
        let part = match search.probe {
            Probe::Anything => range,
            probe => match hop(conn, probe, range, way.forward, &|| begun.elapsed() >= budget.page)? {
                Hop::End => break,
                Hop::Look(part) => part,
                Hop::Late(left) => {
                    walked.next = Some(passed(left, way.forward));
                    walked.partial = true;
                    return Ok(walked);
                }
            },
        };
        // Passed over: nothing of it is looked at again.
        if way.forward {
            range.low = part.low;
        } else {
            range.high = part.high;
        }
        let Search { columns, sources, .. } = search;
        let mut statements = sources
            .iter()
            .map(|source| conn.prepare_cached(&select(columns, source, way.forward)))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let mut heads = statements
            .iter_mut()
            .map(|statement| open(statement, part))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let chunk = Instant::now();
        let mut looked = 0;
        let ended = loop {
            let Some(at) = first(&heads, way.forward)? else { break true };
            let Some(row) = heads[at].get() else { break true };
            let id: i64 = row.get(0)?;
            looked += 1;
            if let Some(found) = judge(row)? {
                walked.rows.push((id, found));
            }
            if way.forward {
                range.low = id.saturating_add(1);
            } else {
                range.high = id.saturating_sub(1);
            }
            heads[at].advance()?;
            if walked.rows.len() >= way.limit
                || looked >= budget.chunk_rows
                || walked.scanned + looked >= budget.page_rows
            {
                // A full page at the very end has nothing after it.
                break first(&heads, way.forward)?.is_none();
            }
            // The clock is cheap beside a row, but not free.
            if looked % 16 == 0 && chunk.elapsed() >= budget.chunk {
                break false;
            }
        };
        walked.scanned += looked;
        if ended {
            let last = if way.forward { part.high >= range.high } else { part.low <= range.low };
            if last {
                break;
            }
            if way.forward {
                range.low = part.high + 1;
            } else {
                range.high = part.low - 1;
            }
        }
        walked.next = Some(passed(range, way.forward));
        if walked.rows.len() >= way.limit {
            return Ok(walked);
        }
        if walked.scanned >= budget.page_rows || begun.elapsed() >= budget.page {
            walked.partial = true;
            return Ok(walked);
        }
    }
    walked.next = None;
    Ok(walked)
}

/// The last id before what is left of a range.
fn passed(left: Range, forward: bool) -> i64 {
    if forward { left.low.saturating_sub(1) } else { left.high.saturating_add(1) }
}

fn select(columns: &str, source: &Source, forward: bool) -> String {
    let order = if forward { "ASC" } else { "DESC" };
    let Source { from, condition, key } = source;
    format!(
        "SELECT {columns} FROM {from} WHERE {condition} AND {key} >= ?1 AND {key} <= ?2 ORDER BY {key} {order}"
    )
}

fn open<'s>(statement: &'s mut Statement<'_>, range: Range) -> rusqlite::Result<Rows<'s>> {
    let mut rows = statement.query([range.low, range.high])?;
    rows.advance()?;
    Ok(rows)
}

/// The head that comes first.
fn first(heads: &[Rows<'_>], forward: bool) -> rusqlite::Result<Option<usize>> {
    let mut best: Option<(usize, i64)> = None;
    for (at, head) in heads.iter().enumerate() {
        let Some(row) = head.get() else { continue };
        let id: i64 = row.get(0)?;
        if best.is_none_or(|(_, other)| if forward { id < other } else { id > other }) {
            best = Some((at, id));
        }
    }
    Ok(best.map(|(at, _)| at))
}
