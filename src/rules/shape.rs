//! The shape of a flow's bodies, and how it drifts: a path with another type, a new path, a path
//! that is there no more. Indices are folded to `[]`, so that lists of any length have one shape.
//!
//! A type is told once the path was there in [`SETTLED`] requests; a new path after [`GROWN`]
//! requests of the flow; a lost one when it was in every one of [`STEADY`] in a row and is missing in
//! [`GONE`] in a row. What is inside of something new or lost is not told beside it.

use super::survey::type_of;
use crate::model::path::{Segment, push_segment};
use crate::model::study::DriftKind;
use serde_json::Value;
use std::collections::HashMap;

/// Requests that a path was in before another type of it is drift.
pub const SETTLED: u64 = 5;
/// Requests of a flow before a new path is drift.
pub const GROWN: u64 = 20;
/// Requests in a row that had a path which is then missed.
pub const STEADY: u64 = 100;
/// Requests in a row that a path is missing in before it is lost.
pub const GONE: u64 = 20;
/// Paths of a flow that are kept; others are not looked at.
pub const MOST_PATHS: usize = 1_000;
/// Names under one object that are kept: more, and it is a map whose keys are data.
pub const MOST_NAMES: usize = 64;
/// Characters of an example.
const EXAMPLE: usize = 80;

/// A path of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// Its types in the order in which they came: `number`, `number string`.
    pub types: String,
    /// Requests that had it.
    pub seen: u64,
    /// The first request that had it.
    pub first: i64,
    /// The last one.
    pub last: i64,
    /// The flow's count at which it began to be there without a gap.
    pub since: u64,
    /// The flow's count when it was there last.
    pub upto: u64,
    /// A value, cut.
    pub example: String,
    /// It changed since it was written.
    pub dirty: bool,
}

/// The shape of a flow's bodies.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// Requests of the flow that were looked at.
    pub requests: u64,
    /// By path.
    pub paths: HashMap<String, Known>,
    /// Names under each object.
    names: HashMap<String, usize>,
}

/// Something that drifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// What happened.
    pub kind: DriftKind,
    /// To which path.
    pub path: String,
    /// The types that it had.
    pub was: String,
    /// The type that came.
    pub now: String,
    /// The request that had it, or had it last.
    pub request: i64,
}

impl Shape {
    /// A path that was known before.
    pub fn restore(&mut self, path: String, known: Known) {
        *self.names.entry(parent(&path).to_owned()).or_default() += 1;
        self.paths.insert(path, known);
    }

    /// Takes a body in; what drifted.
    pub fn fold(&mut self, body: &Value, request: i64) -> Vec<Drift> {
        self.requests += 1;
        let mut drifts = Vec::new();
        self.walk(&mut "body".to_owned(), body, request, false, &mut drifts);
        self.missing(&mut drifts);
        drifts
    }

    fn walk(&mut self, path: &mut String, value: &Value, request: i64, told: bool, drifts: &mut Vec<Drift>) {
        let told = self.note(path, value, request, told, drifts);
        let length = path.len();
        match value {
            Value::Array(items) => {
                push_segment(path, &Segment::Any);
                for item in items {
                    self.walk(path, item, request, told, drifts);
                }
            }
            Value::Object(map) => {
                for (key, value) in map {
                    push_segment(path, &Segment::Key(key.clone()));
                    self.walk(path, value, request, told, drifts);
                    path.truncate(length);
                }
            }
            _ => {}
        }
        path.truncate(length);
    }

    /// Notes a path; whether it was told, so that what is inside need not be.
    fn note(&mut self, path: &str, value: &Value, request: i64, told: bool, drifts: &mut Vec<Drift>) -> bool {
        let (count, kind) = (self.requests, type_of(value));
        if let Some(known) = self.paths.get_mut(path) {
            let typed = known.types.split(' ').any(|one| one == kind);
            let mut drifted = false;
            if !typed {
                drifted = !told && known.seen >= SETTLED;
                if drifted {
                    drifts.push(Drift {
                        kind: DriftKind::Type,
                        path: path.to_owned(),
                        was: known.types.clone(),
                        now: kind.to_owned(),
                        request,
                    });
                }
                known.types = format!("{} {kind}", known.types);
            }
            if known.upto != count {
                if known.upto + 1 != count {
                    known.since = count;
                }
                known.upto = count;
                known.seen += 1;
                known.last = request;
            }
            known.dirty = true;
            return told || drifted;
        }
        let names = self.names.entry(parent(path).to_owned()).or_default();
        if self.paths.len() >= MOST_PATHS || *names >= MOST_NAMES {
            // What is not kept is not told, and neither is what is inside.
            return true;
        }
        *names += 1;
        let known = Known {
            types: kind.to_owned(),
            seen: 1,
            first: request,
            last: request,
            since: count,
            upto: count,
            example: example(value),
            dirty: true,
        };
        self.paths.insert(path.to_owned(), known);
        let grown = count > GROWN && !told;
        if grown {
            drifts.push(Drift {
                kind: DriftKind::New,
                path: path.to_owned(),
                was: String::new(),
                now: kind.to_owned(),
                request,
            });
        }
        told || grown
    }

    fn missing(&self, drifts: &mut Vec<Drift>) {
        let count = self.requests;
        let mut lost: Vec<(&String, &Known)> = self
            .paths
            .iter()
            .filter(|(_, known)| count - known.upto == GONE && known.upto + 1 - known.since >= STEADY)
            .collect();
        lost.sort_by_key(|(path, _)| path.len());
        let mut told: Vec<&str> = Vec::new();
        for (path, known) in lost {
            let inside =
                |outer: &str| path.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[']));
            if told.iter().any(|outer| inside(outer)) {
                continue;
            }
            told.push(path);
            drifts.push(Drift {
                kind: DriftKind::Lost,
                path: path.clone(),
                was: known.types.clone(),
                now: String::new(),
                request: known.last,
            });
        }
    }
}

/// The path of what a path is in.
fn parent(path: &str) -> &str {
    if let Some(outer) = path.strip_suffix("[]") {
        return outer;
    }
    let quoted = path.ends_with(']').then(|| path.rfind("[\"")).flatten();
    match (quoted, path.rfind('.')) {
        (Some(at), _) | (None, Some(at)) => &path[..at],
        (None, None) => "",
    }
}

fn example(value: &Value) -> String {
    match value {
        Value::Object(map) => format!("{} names", map.len()),
        Value::Array(items) => format!("{} elements", items.len()),
        leaf => leaf.to_string().chars().take(EXAMPLE).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Map;
    use serde_json::json;

    fn words(drifts: &[Drift]) -> Vec<String> {
        drifts.iter().map(|one| format!("{:?} {} {}>{}", one.kind, one.path, one.was, one.now)).collect()
    }

    fn fed(shape: &mut Shape, count: u64, body: &Value) -> Vec<String> {
        let mut all = Vec::new();
        for _ in 0..count {
            let id = i64::try_from(shape.requests).unwrap() + 1;
            all.extend(words(&shape.fold(body, id)));
        }
        all
    }

    #[test]
    fn another_type_is_told_once_and_with_the_request() {
        let mut shape = Shape::default();
        assert!(fed(&mut shape, SETTLED, &json!({"qty": 1})).is_empty());
        let drifts = shape.fold(&json!({"qty": "1"}), 77);
        assert_eq!(words(&drifts), ["Type body.qty number>string"]);
        assert_eq!(drifts[0].request, 77);
        assert!(fed(&mut shape, 9, &json!({"qty": "1"})).is_empty(), "it is known now");
        assert!(fed(&mut shape, 9, &json!({"qty": 1})).is_empty());
        let mut young = Shape::default();
        fed(&mut young, SETTLED - 1, &json!({"qty": 1}));
        assert!(young.fold(&json!({"qty": "1"}), 77).is_empty(), "not settled yet");
    }

    #[test]
    fn a_new_path_is_told_from_the_bound_on_and_without_what_is_in_it() {
        let mut shape = Shape::default();
        fed(&mut shape, GROWN - 1, &json!({"items": [{"n": 1}]}));
        assert!(shape.fold(&json!({"items": [{"n": 1}], "early": 1}), 5).is_empty());
        let next = json!({"items": [{"n": 1}, {"n": 2, "vat": {"rate": 20}}], "early": 1});
        assert_eq!(words(&shape.fold(&next, 6)), ["New body.items[].vat >object"]);
        assert!(shape.fold(&json!({"items": []}), 7).is_empty(), "an empty list is a list");
    }

    #[test]
    fn a_path_that_was_always_there_is_lost_after_twenty() {
        let mut shape = Shape::default();
        fed(&mut shape, STEADY, &json!({"a": {"b": 1}, "c": 1}));
        assert!(fed(&mut shape, GONE - 1, &json!({"c": 1})).is_empty());
        assert_eq!(fed(&mut shape, 1, &json!({"c": 1})), ["Lost body.a object>"]);
        assert!(fed(&mut shape, 50, &json!({"c": 1})).is_empty(), "told once");
        let mut shape = Shape::default();
        fed(&mut shape, STEADY - 1, &json!({"a": 1}));
        assert!(fed(&mut shape, GONE + 1, &json!({})).is_empty(), "it was not there long enough");
    }

    #[test]
    fn a_gap_starts_the_count_again() {
        let mut shape = Shape::default();
        fed(&mut shape, STEADY - 1, &json!({"a": 1}));
        fed(&mut shape, 1, &json!({}));
        fed(&mut shape, 1, &json!({"a": 1}));
        assert!(fed(&mut shape, GONE, &json!({})).is_empty());
    }

    #[test]
    fn names_that_are_data_and_wide_bodies_are_bounded() {
        let mut shape = Shape::default();
        for n in 0..500u64 {
            let map: Map = [(format!("u{n}"), json!(1))].into_iter().collect();
            let drifts = shape.fold(&json!({ "users": map }), 1);
            assert!(drifts.is_empty() || n < MOST_NAMES as u64, "{n}: {drifts:?}");
        }
        // body, body.users, and the names.
        assert_eq!(shape.paths.len(), 2 + MOST_NAMES);
        let mut shape = Shape::default();
        let wide: Map = (0..100)
            .map(|n| (format!("k{n}"), Value::Object((0..60).map(|m| (format!("m{m}"), json!(1))).collect())))
            .collect();
        shape.fold(&Value::Object(wide), 1);
        assert_eq!(shape.paths.len(), MOST_PATHS);
    }

    #[test]
    fn parents_are_found_in_every_spelling() {
        for (path, outer) in [
            ("body", ""),
            ("body.a", "body"),
            ("body.a[]", "body.a"),
            ("body[\"x.y\"]", "body"),
            ("body.a[].b", "body.a[]"),
        ] {
            assert_eq!(parent(path), outer, "{path}");
        }
    }
}
