//! What a sketch is asked for a filter, and the blocks that are not read because it surely has nothing
//! in them. The filter itself judges each row that is read: so a probe may let too much pass, never too
//! little.

use super::reach::Range;
use crate::model::decimal::Decimal;
use crate::model::id::Kind;
use crate::model::path::{Path, Segment};
use crate::model::query::{Field, Op, Query, Test};
use crate::store::sketch::{self, block_at, child, element, has, next_block, number, root, text};
use rusqlite::{Connection, OptionalExtension as _};

/// What a block must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Anything: a sketch cannot say.
    Anything,
    /// One of these.
    Has(Vec<u64>),
    /// Each of these.
    All(Vec<Probe>),
    /// One of these.
    Any(Vec<Probe>),
}

impl Probe {
    /// What a filter asks of rows of a kind.
    #[must_use]
    pub fn of(query: &Query, kind: Kind) -> Self {
        match query {
            Query::And(parts) => {
                let mut all: Vec<Self> = parts.iter().map(|part| Self::of(part, kind)).collect();
                all.retain(|probe| *probe != Self::Anything);
                if all.is_empty() { Self::Anything } else { Self::All(all) }
            }
            Query::Or(parts) => {
                let any: Vec<Self> = parts.iter().map(|part| Self::of(part, kind)).collect();
                if any.contains(&Self::Anything) { Self::Anything } else { Self::Any(any) }
            }
            Query::Test(Test { field: Field::Path(path), op: Op::Equals, value, .. }) => at(path, value),
            Query::Test(Test { field: Field::Name(name), op: Op::Has | Op::Equals, value, .. }) => {
                match (name.as_str(), kind) {
                    ("id" | "request", Kind::Request) | ("id" | "run", Kind::Run) => id(value, kind),
                    ("dedup_key", Kind::Request) => key(value),
                    ("status", Kind::Request) => status(value),
                    _ => Self::Anything,
                }
            }
            _ => Self::Anything,
        }
    }

    /// Whether a block may have it that begins at an id.
    fn may(&self, bits: &[u8], low: i64) -> bool {
        match self {
            Self::Anything => true,
            Self::Has(hashes) => hashes.iter().any(|hash| has(bits, low.cast_unsigned(), *hash)),
            Self::All(all) => all.iter().all(|probe| probe.may(bits, low)),
            Self::Any(any) => any.iter().any(|probe| probe.may(bits, low)),
        }
    }
}

/// A value at a path.
fn at(path: &Path, value: &str) -> Probe {
    // A container is compared as its text, and what is masked is found by its mask.
    if value.starts_with(['{', '[', '"']) || value.contains('•') {
        return Probe::Anything;
    }
    let hash = match (path.root(), path.rest()) {
        ("body", [_, ..]) => path.rest().iter().fold(root("body"), |hash, segment| match segment {
            Segment::Key(key) => child(hash, key),
            Segment::Index(_) | Segment::Any => element(hash),
        }),
        ("headers", _) => match path.header() {
            Some(name) => child(root("headers"), &name),
            None => return Probe::Anything,
        },
        ("query", [Segment::Key(name)]) => child(root("query"), name),
        _ => return Probe::Anything,
    };
    let digits = Decimal::parse(value).map(|digits| number(hash, &digits));
    Probe::Has(std::iter::once(text(hash, value)).chain(digits).collect())
}

/// The end of an id.
fn id(value: &str, kind: Kind) -> Probe {
    let digits: String = value.chars().filter(|c| *c != '-').collect();
    let last = digits.len().checked_sub(6).and_then(|from| digits.get(from..));
    match last.and_then(|last| u128::from_str_radix(last, 16).ok()) {
        Some(bits) => Probe::Has(vec![sketch::ending(kind, bits)]),
        None => Probe::Anything,
    }
}

/// A status, where it is written whole. A request whose sender waits may come to have any.
fn status(value: &str) -> Probe {
    match value.parse::<u16>() {
        Ok(code @ 100..=999) if value.len() == 3 => {
            Probe::Has(vec![sketch::status(Some(code)), sketch::status(None)])
        }
        _ => Probe::Anything,
    }
}

/// A dedup key, where it is written whole.
fn key(hex: &str) -> Probe {
    if hex.len() != 32 {
        return Probe::Anything;
    }
    let byte = |at: usize| hex.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    match (0..32).step_by(2).map(byte).collect::<Option<Vec<u8>>>() {
        Some(bytes) => Probe::Has(vec![sketch::key(&bytes)]),
        None => Probe::Anything,
    }
}

/// Where to look next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hop {
    /// At this part of the range.
    Look(Range),
    /// Time is up; what is left of the range.
    Late(Range),
    /// Nowhere: nothing is left.
    End,
}

/// The next part of a range that may have what is probed for, from its end on, or its beginning.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn hop(
    conn: &Connection,
    probe: &Probe,
    mut range: Range,
    forward: bool,
    late: &dyn Fn() -> bool,
) -> rusqlite::Result<Hop> {
    let mut blocks = 0_u32;
    while range.low <= range.high {
        let from = if forward { range.low } else { range.high };
        let block = block_at(conn, from)?;
        match &block {
            Some(block) if block.high >= from => {
                let part = range.and(Range { low: block.low, high: block.high });
                if may(conn, probe, block.low)? {
                    return Ok(Hop::Look(part));
                }
                if forward {
                    range.low = part.high.saturating_add(1);
                } else {
                    range.high = part.low.saturating_sub(1);
                }
            }
            _ if forward => {
                let high = next_block(conn, from)?.map_or(i64::MAX, |next| next - 1);
                return Ok(Hop::Look(range.and(Range { low: 0, high })));
            }
            Some(block) => {
                return Ok(Hop::Look(range.and(Range { low: block.high + 1, high: i64::MAX })));
            }
            None => return Ok(Hop::Look(range)),
        }
        blocks += 1;
        // Each call gets on, and the clock is not free.
        if blocks.is_multiple_of(32) && late() && range.low <= range.high {
            return Ok(Hop::Late(range));
        }
    }
    Ok(Hop::End)
}

fn may(conn: &Connection, probe: &Probe, low: i64) -> rusqlite::Result<bool> {
    let mut read = conn.prepare_cached("SELECT bits FROM sketch WHERE low = ?1")?;
    // One that was taken away meanwhile says nothing.
    let may = read.query_row([low], |row| Ok(probe.may(row.get_ref(0)?.as_blob()?, low))).optional()?;
    Ok(may.unwrap_or(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(filter: &str) -> Probe {
        Probe::of(&Query::parse(filter, 0).unwrap(), Kind::Request)
    }

    #[test]
    fn a_value_is_probed_for_as_text_and_as_number() {
        assert!(matches!(of("body.order_number=10438"), Probe::Has(hashes) if hashes.len() == 2));
        assert!(matches!(of("body.order_number=a-1"), Probe::Has(hashes) if hashes.len() == 1));
        assert_eq!(of("body.n=1.50"), {
            let Probe::Has(hashes) = of("body.n=15e-1") else { panic!() };
            let Probe::Has(mut other) = of("body.n=1.50") else { panic!() };
            assert_eq!(other[1], hashes[1]);
            other.truncate(2);
            Probe::Has(other)
        });
        assert_eq!(of("body.items[3].n=x"), of("body.items[].n=x"));
        assert_eq!(of("headers[\"X-Id\"]=7"), of("headers[\"x-id\"]=7"));
    }

    #[test]
    fn what_a_sketch_cannot_know_passes() {
        for filter in [
            "",
            "wax",
            "body.n:7",
            "body.n>7",
            "body.n!=7",
            "not body.n=7",
            "body=7",
            "body.n=\"{}\"",
            "body.n=\"•••\"",
            "body.n=7 or wax",
            "dedup_key:0101",
            "verdict:duplicate",
            "status:20",
            "status!=200",
        ] {
            assert_eq!(of(filter), Probe::Anything, "{filter}");
        }
        assert!(matches!(of("wax body.n=7 -body.m=8"), Probe::All(all) if all.len() == 1));
        assert!(matches!(of("body.n=7 or body.m=8"), Probe::Any(any) if any.len() == 2));
        assert!(matches!(of("id:2f81d0"), Probe::Has(_)));
        assert_eq!(of("status:204"), of("status=204"));
        assert!(matches!(of("status:204"), Probe::Has(hashes) if hashes.len() == 2));
        assert!(matches!(of(&format!("dedup_key={}", "0A".repeat(16))), Probe::Has(_)));
    }
}
