//! What a filter can reach at most: which states, verdicts, flows and ids. Indexes and ranges are
//! chosen by it, and the filter itself then judges each row: so a reach may be too wide, never too
//! narrow.

use crate::model::id::{Kind, first_at};
use crate::model::query::{Field, Op, Query, Row, Test};
use crate::model::{FlowId, IdKey, Ms};
use crate::store::registry::State;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Ids from `low` to `high`, both included; empty where `low` is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The smallest.
    pub low: i64,
    /// The greatest.
    pub high: i64,
}

impl Range {
    /// All ids.
    pub const ALL: Self = Self { low: 0, high: i64::MAX };
    const NONE: Self = Self { low: i64::MAX, high: 0 };

    /// What both have.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.min(other.high) }
    }

    /// The smallest range that has both.
    fn or(self, other: Self) -> Self {
        if self.low > self.high {
            return other;
        }
        if other.low > other.high {
            return self;
        }
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }
}

/// The ids that a filter can reach.
#[must_use]
pub fn range(query: &Query, ids: &IdKey, kind: Kind) -> Range {
    match query {
        Query::And(all) => all.iter().fold(Range::ALL, |range, one| range.and(self::range(one, ids, kind))),
        Query::Or(any) => any.iter().fold(Range::NONE, |range, one| range.or(self::range(one, ids, kind))),
        Query::Since(at) => Range { low: first_at(*at), high: i64::MAX },
        Query::Until(at) => Range { low: 0, high: first_at(at.saturating_add(1)) - 1 },
        Query::Test(Test { field: Field::Name(name), op: Op::Has | Op::Equals, value, .. })
            if name == "id" =>
        {
            match ids.parse_any(value) {
                Some((found, raw)) if found == kind => Range { low: raw, high: raw },
                _ => Range::ALL,
            }
        }
        _ => Range::ALL,
    }
}

/// What of a closed set of values a filter can reach, as flags in the order of `values`: each value
/// is what the named fields of a row say.
///
/// Leaves that look at these fields alone are judged by the filter itself, so that the two cannot
/// differ; every other leaf may hold or not.
#[must_use]
pub fn reachable(query: &Query, fields: &[&str], values: &[Vec<String>]) -> Vec<bool> {
    bounds(query, fields, values).may
}

/// The flows that a filter can reach; `None` for all.
#[must_use]
pub fn flows(query: &Query, state: &State) -> Option<BTreeSet<FlowId>> {
    let ids: Vec<FlowId> = state.flows.keys().copied().collect();
    let values: Vec<Vec<String>> = ids
        .iter()
        .map(|flow| {
            let (integration, name) = state.names(*flow);
            vec![integration, name, state.flows.get(flow).map(|row| row.endpoint.clone()).unwrap_or_default()]
        })
        .collect();
    let may = reachable(query, &["integration", "flow", "endpoint"], &values);
    if may.iter().all(|may| *may) {
        return None;
    }
    Some(ids.into_iter().zip(may).filter(|(_, may)| *may).map(|(flow, _)| flow).collect())
}

/// What can hold, and what surely holds.
struct Bounds {
    may: Vec<bool>,
    must: Vec<bool>,
}

fn bounds(query: &Query, fields: &[&str], values: &[Vec<String>]) -> Bounds {
    let all = |may, must| Bounds { may: vec![may; values.len()], must: vec![must; values.len()] };
    match query {
        Query::All => all(true, true),
        Query::And(parts) => {
            parts.iter().fold(all(true, true), |left, part| both(left, bounds(part, fields, values)))
        }
        Query::Or(parts) => {
            parts.iter().fold(all(false, false), |left, part| either(left, bounds(part, fields, values)))
        }
        Query::Not(inner) => {
            let inner = bounds(inner, fields, values);
            let not = |flags: Vec<bool>| flags.into_iter().map(|flag| !flag).collect();
            Bounds { may: not(inner.must), must: not(inner.may) }
        }
        Query::Test(Test { field: Field::Name(name), .. }) if fields.contains(&name.as_str()) => {
            let flags: Vec<bool> =
                values.iter().map(|value| query.matches(&Only { fields, value })).collect();
            Bounds { may: flags.clone(), must: flags }
        }
        Query::Word(_) | Query::Since(_) | Query::Until(_) | Query::Test(_) => all(true, false),
    }
}

fn both(left: Bounds, right: Bounds) -> Bounds {
    let and = |a: Vec<bool>, b: Vec<bool>| a.into_iter().zip(b).map(|(a, b)| a && b).collect();
    Bounds { may: and(left.may, right.may), must: and(left.must, right.must) }
}

fn either(left: Bounds, right: Bounds) -> Bounds {
    let or = |a: Vec<bool>, b: Vec<bool>| a.into_iter().zip(b).map(|(a, b)| a || b).collect();
    Bounds { may: or(left.may, right.may), must: or(left.must, right.must) }
}

/// A row of which only some fields are known.
struct Only<'a> {
    fields: &'a [&'a str],
    value: &'a [String],
}

impl Row for Only<'_> {
    fn time(&self) -> Ms {
        0
    }

    fn named(&self, name: &str) -> Vec<Cow<'_, str>> {
        let at = self.fields.iter().position(|field| *field == name);
        at.and_then(|at| self.value.get(at)).map(|value| Cow::Borrowed(value.as_str())).into_iter().collect()
    }

    fn at(&self, _path: &crate::model::path::Path) -> Vec<Cow<'_, Value>> {
        Vec::new()
    }

    fn mentions(&self, _word: &str) -> bool {
        false
    }
}
