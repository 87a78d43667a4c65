//! Ids by their endings: lists show the last six digits, and any unique ending of six or more
//! stands for an id.
//!
//! An ending is a keyed tag, so no index knows it: the newest ids of the kind are gone through.

use crate::model::ask::Refusal;
use crate::model::id::{Kind, short};
use crate::model::time::spell_duration;
use crate::model::{IdKey, Ms};
use rusqlite::Connection;
use std::time::{Duration, Instant};

/// Digits that an ending must have at least.
pub const DIGITS: usize = 6;
/// Ids of a kind that are gone through, the newest ones.
pub const NEWEST: u64 = 1_000_000;
/// Candidates that are named.
const NAMED: usize = 5;
/// Ids that one read transaction goes through, and how long it may take.
const CHUNK: (u64, Duration) = (10_000, Duration::from_millis(20));

/// What was typed for an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// A whole id.
    Whole(i64),
    /// The last digits of one.
    Ending {
        /// As a number.
        digits: u128,
        /// Which bits it says.
        mask: u128,
    },
}

/// Reads what was typed.
///
/// # Errors
/// Refused: an id of another kind, or of another store; too few digits; no digits.
pub fn read(ids: &IdKey, kind: Kind, text: &str) -> Result<Typed, Refusal> {
    let text = text.trim();
    if let Some((found, raw)) = ids.parse_any(text) {
        if found == kind {
            return Ok(Typed::Whole(raw));
        }
        let message = format!("{} is the id of a {}, not of a {}", short(text), found.word(), kind.word());
        return Err(Refusal::usage(message));
    }
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    if digits.is_empty() || digits.len() > 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Refusal::usage(format!(
            "{text:?} is not an id: write it whole, or its last {DIGITS} digits or more"
        )));
    }
    if digits.len() < DIGITS {
        return Err(Refusal::usage(format!(
            "{text:?} is too short: the last {DIGITS} digits of an id or more"
        )));
    }
    if digits.len() == 32 {
        // Whole, but its tag does not fit: mistyped, or of another store.
        return Err(unknown(kind, text));
    }
    let number = u128::from_str_radix(&digits, 16).map_err(|_| unknown(kind, text))?;
    Ok(Typed::Ending { digits: number, mask: (1 << (digits.len() * 4)) - 1 })
}

/// Nothing of that id.
#[must_use]
pub fn unknown(kind: Kind, text: &str) -> Refusal {
    Refusal::not_found(format!("there is no {} {text}", kind.word()))
}

/// What had this id left the store.
#[must_use]
pub fn purged(text: &str, retention: Ms) -> Refusal {
    Refusal::not_found(format!(
        "{} is older than the retention of {} and was deleted",
        short(text),
        spell_duration(retention)
    ))
}

/// Ids with an ending, newest first: at most one more than are named. `shown` are ids beside the
/// newest ones, for endings that a list has shown of an older row.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn with_ending(
    conn: &Connection,
    ids: &IdKey,
    kind: Kind,
    (digits, mask): (u128, u128),
    shown: &[i64],
) -> rusqlite::Result<Vec<i64>> {
    let fits = |raw: i64| ids.bits(kind, raw) & mask == digits;
    let mut found = Vec::new();
    for sql in tables(kind) {
        let mut below = i64::MAX;
        let mut looked = 0;
        let mut more = true;
        while more && looked < NEWEST && found.len() <= NAMED {
            let begun = Instant::now();
            let mut read = conn.prepare_cached(sql)?;
            let mut rows = read.query([below])?;
            let mut chunk = 0;
            more = loop {
                let Some(row) = rows.next()? else { break false };
                below = row.get(0)?;
                chunk += 1;
                if fits(below) && !found.contains(&below) {
                    found.push(below);
                }
                let late = chunk % 256 == 0 && begun.elapsed() >= CHUNK.1;
                if chunk >= CHUNK.0 || late || found.len() > NAMED {
                    break true;
                }
            };
            looked += chunk;
        }
    }
    found.extend(shown.iter().copied().filter(|raw| fits(*raw) && !found.contains(raw)).collect::<Vec<_>>());
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found)
}

/// The one id that was meant.
///
/// # Errors
/// Refused: none, or several, which are named.
pub fn only(ids: &IdKey, kind: Kind, text: &str, found: &[i64]) -> Result<i64, Refusal> {
    match found {
        [] => Err(unknown(kind, text)),
        [one] => Ok(*one),
        several => {
            let named: Vec<String> =
                several.iter().take(NAMED).map(|raw| ids.print_raw(kind, *raw)).collect();
            let more = if several.len() > NAMED { " and more" } else { "" };
            let message =
                format!("{text} is the ending of several {}s: {}{more}", kind.word(), named.join(", "));
            Err(Refusal { code: "ambiguous".to_owned(), message, exit: 4 })
        }
    }
}

/// Where ids of a kind are, newest first, each cheap to go through. A request is fat, its run and
/// the indexes are not; the last statement finds those whose runs have ids of their own.
fn tables(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Request => &[
            "SELECT request FROM run WHERE id < ?1 AND request = id ORDER BY id DESC",
            "SELECT id FROM request INDEXED BY request_odd WHERE verdict = 1 AND verdict <> 0 AND id < ?1
             ORDER BY id DESC",
            "SELECT id FROM request INDEXED BY request_odd WHERE verdict = 2 AND verdict <> 0 AND id < ?1
             ORDER BY id DESC",
            "SELECT id FROM request INDEXED BY request_odd WHERE verdict = 3 AND verdict <> 0 AND id < ?1
             ORDER BY id DESC",
            "SELECT request FROM run INDEXED BY run_request WHERE id <> request AND request < ?1
             ORDER BY request DESC",
        ],
        Kind::Run => &["SELECT id FROM run WHERE id < ?1 ORDER BY id DESC"],
        Kind::Callback => &["SELECT id FROM callback WHERE id < ?1 ORDER BY id DESC"],
        Kind::Audit => &["SELECT id FROM audit WHERE id < ?1 ORDER BY id DESC"],
        Kind::Bulk => &["SELECT id FROM job WHERE id < ?1 ORDER BY id DESC"],
        Kind::Alert => &[],
    }
}
