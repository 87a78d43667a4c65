//! How far a search came: the share of the rows that it passed, as far as blocks are counted, and of
//! the time between them.

use super::reach::Range;
use crate::store::sketch::{Block, blocks};
use rusqlite::{Connection, OptionalExtension as _};

/// Where a search stands among the ids that its filter can reach.
#[derive(Debug, Clone, Copy)]
pub struct Stand {
    /// The ids that it can reach.
    pub range: Range,
    /// The last that it passed.
    pub at: i64,
    /// Oldest first.
    pub forward: bool,
}

/// The newest id of a table; `None` where it is empty.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn newest(conn: &Connection, table: &str) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached(&format!("SELECT max(id) FROM {table}"))?.query_row([], |row| row.get(0))
}

/// How far it came, in percent of the rows that there are; never 100, since it has not ended.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn percent(conn: &Connection, table: &str, stand: Stand) -> rusqlite::Result<u8> {
    let oldest: Option<i64> = conn
        .prepare_cached(&format!("SELECT min(id) FROM {table}"))?
        .query_row([], |row| row.get(0))
        .optional()?
        .flatten();
    let (Some(low), Some(high)) = (oldest, newest(conn, table)?) else { return Ok(99) };
    let range = stand.range.and(Range { low, high });
    Ok(share(&blocks(conn, range.low, range.high)?, Stand { range, ..stand }))
}

/// The same over known blocks, oldest first.
fn share(blocks: &[Block], stand: Stand) -> u8 {
    let Range { low, high } = stand.range;
    if low >= high {
        return 99;
    }
    // Rows for each id, where no block counts them: as many as where one does.
    let (rows, ids) = blocks.iter().fold((0.0, 0.0), |(rows, ids), block| {
        (rows + float(block.rows), ids + float(block.high.saturating_sub(block.low).saturating_add(1)))
    });
    let density = if rows > 0.0 && ids > 0.0 { rows / ids } else { 1.0 };
    let weigh = |upto: i64| {
        let mut sum = 0.0;
        let mut from = low;
        for block in blocks {
            if block.low > upto {
                break;
            }
            if block.low > from {
                sum += float(block.low - from) * density;
            }
            let (begin, end) = (block.low.max(low), block.high.min(high));
            let whole = float(block.high - block.low) + 1.0;
            let passed = float(upto.min(end).saturating_sub(begin).saturating_add(1).max(0));
            sum += float(block.rows) * passed / whole;
            from = from.max(block.high.saturating_add(1));
        }
        sum + float((upto - from).saturating_add(1).max(0)) * density
    };
    let (all, at) = (weigh(high), stand.at.clamp(low, high));
    let passed = if stand.forward { weigh(at) } else { all - weigh(at - 1) };
    let percent = if all > 0.0 { passed * 100.0 / all } else { 99.0 };
    whole(percent)
}

#[expect(clippy::cast_precision_loss, reason = "a share of a hundred needs no more than what a double holds")]
fn float(number: i64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is between 0 and 99 once it is clamped"
)]
fn whole(percent: f64) -> u8 {
    percent.clamp(0.0, 99.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand(low: i64, high: i64, at: i64) -> Stand {
        Stand { range: Range { low, high }, at, forward: false }
    }

    #[test]
    fn a_search_is_as_far_as_the_rows_that_it_passed() {
        assert_eq!(share(&[], stand(0, 1_000, 1_000)), 0);
        assert_eq!(share(&[], stand(0, 1_000, 390)), 61);
        assert_eq!(share(&[], stand(0, 1_000, 0)), 99);
        // Nine tenths of the rows are in the newer tenth of the time.
        let blocks = [Block { low: 0, high: 899, rows: 100 }, Block { low: 900, high: 999, rows: 900 }];
        assert_eq!(share(&blocks, stand(0, 999, 950)), 45);
        assert_eq!(share(&blocks, stand(0, 999, 899)), 90);
        assert_eq!(share(&blocks, Stand { forward: true, ..stand(0, 999, 899) }), 10);
        assert_eq!(share(&blocks, stand(900, 999, 950)), 50);
        assert_eq!(share(&blocks, stand(7, 7, 7)), 99);
    }

    #[test]
    fn it_never_goes_back() {
        let blocks = [Block { low: 100, high: 199, rows: 7 }, Block { low: 400, high: 499, rows: 2_000 }];
        let mut last = 0;
        for at in (0..1_000).rev() {
            let now = share(&blocks, stand(0, 999, at));
            assert!(now >= last && now < 100, "{at}: {last} then {now}");
            last = now;
        }
        assert_eq!(last, 99);
    }
}
