//! Which paths requests have, and which of them would do as dedup fields: nearly unique, and the
//! same whenever a request is sent again.
//!
//! A copy is a request that dedup told as one. Where it told none, requests are taken for copies
//! whose bodies are the same but for values that are times, unless they are more than a fifth of
//! all: then bodies say too little.

use super::data::each_leaf;
use super::dedup::canonical;
use crate::model::Ms;
use crate::model::path::{Path, Segment};
use crate::model::request::RequestData;
use crate::model::study::{FieldsView, FoundField};
use crate::model::time::{DAY, parse_rfc3339};
use serde_json::Value;
use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

/// Paths that are told; more are counted.
pub const MOST_PATHS: usize = 2_000;
/// Requests that are looked at.
pub const MOST_REQUESTS: usize = 1_000;
/// Characters of a sample.
const SAMPLE: usize = 120;
/// From so many different values a hundred requests on a path is nearly unique.
pub const NEARLY: u64 = 90;

/// Headers of the way and not of the message: never a dedup field.
const OF_THE_WAY: [&str; 22] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "age",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "forwarded",
    "host",
    "origin",
    "pragma",
    "referer",
    "transfer-encoding",
    "user-agent",
    "via",
    "traceparent",
    "tracestate",
    "x-amzn-trace-id",
    "x-retry",
];

/// A path as far as it was seen.
#[derive(Debug)]
struct Field {
    path: String,
    types: Vec<&'static str>,
    sample: Value,
    present: u64,
    times: u64,
}

/// A request as the survey keeps it: which paths it has, and a hash of each value.
#[derive(Debug)]
struct Kept {
    id: i64,
    copy_of: Option<i64>,
    values: Vec<(usize, u64)>,
    body: u64,
}

/// The survey: takes requests in, then says what their paths are.
#[derive(Debug, Default)]
pub struct Survey {
    fields: Vec<Field>,
    places: HashMap<String, usize>,
    requests: Vec<Kept>,
    left_out: HashSet<u64>,
}

impl Survey {
    /// Takes a request in; `copy_of` is the one that dedup said it is a duplicate of. Past the bound
    /// it is not looked at.
    pub fn add(&mut self, id: i64, copy_of: Option<i64>, data: &RequestData) {
        if self.requests.len() >= MOST_REQUESTS {
            return;
        }
        let mut values = Vec::new();
        let mut body = DefaultHasher::new();
        each_leaf(data, &mut |path, value| {
            if path == "path" || path == "method" {
                return;
            }
            let hash = hash_of(value);
            let timely = is_time(value, data.time);
            if path.starts_with("body") && !timely {
                path.hash(&mut body);
                hash.hash(&mut body);
            }
            let Some(at) = self.place(path, value) else { return };
            let field = &mut self.fields[at];
            field.present += 1;
            field.times += u64::from(timely);
            let kind = type_of(value);
            if !field.types.contains(&kind) {
                field.types.push(kind);
            }
            values.push((at, hash));
        });
        values.sort_unstable_by_key(|(at, _)| *at);
        self.requests.push(Kept { id, copy_of, values, body: body.finish() });
    }

    fn place(&mut self, path: &str, value: &Value) -> Option<usize> {
        if let Some(at) = self.places.get(path) {
            return Some(*at);
        }
        if self.fields.len() >= MOST_PATHS {
            if self.left_out.len() < MOST_PATHS {
                self.left_out.insert(hash_of(&Value::from(path)));
            }
            return None;
        }
        let at = self.fields.len();
        let field =
            Field { path: path.to_owned(), types: Vec::new(), sample: sample(value), present: 0, times: 0 };
        self.fields.push(field);
        self.places.insert(path.to_owned(), at);
        Some(at)
    }

    /// What was found: good dedup fields first, the best of them on top.
    #[must_use]
    pub fn finish(&self) -> FieldsView {
        let (pairs, known) = self.pairs();
        let copies: HashSet<usize> = pairs.iter().map(|(_, copy)| *copy).collect();
        let mut agree = vec![(0u64, 0u64); self.fields.len()];
        for (first, copy) in &pairs {
            self.compare(*first, *copy, &mut agree);
        }
        let mut distinct: Vec<HashSet<u64>> = vec![HashSet::new(); self.fields.len()];
        let mut originals = 0;
        for (at, request) in self.requests.iter().enumerate() {
            if copies.contains(&at) {
                continue;
            }
            originals += 1;
            for (field, hash) in &request.values {
                distinct[*field].insert(*hash);
            }
        }
        let mut fields: Vec<FoundField> = Vec::with_capacity(self.fields.len());
        for (at, field) in self.fields.iter().enumerate() {
            fields.push(judge(field, distinct[at].len() as u64, originals, agree[at]));
        }
        // Stable: what is alike stays in document order, the body before what came around it.
        fields.sort_by_key(|field| (rank(field), !field.path.starts_with("body")));
        FieldsView {
            requests: self.requests.len() as u64,
            copies: pairs.len() as u64,
            copies_known: known,
            fields,
            left_out: self.left_out.len() as u64,
        }
    }

    /// First and copy, by their places.
    fn pairs(&self) -> (Vec<(usize, usize)>, bool) {
        let by_id: HashMap<i64, usize> =
            self.requests.iter().enumerate().map(|(at, request)| (request.id, at)).collect();
        let known: Vec<(usize, usize)> = self
            .requests
            .iter()
            .enumerate()
            .filter_map(|(at, request)| Some((*by_id.get(&request.copy_of?)?, at)))
            .collect();
        if !known.is_empty() {
            return (known, true);
        }
        let mut firsts: HashMap<u64, usize> = HashMap::new();
        let mut alike = Vec::new();
        for (at, request) in self.requests.iter().enumerate() {
            match firsts.get(&request.body) {
                Some(first) => alike.push((*first, at)),
                None => {
                    firsts.insert(request.body, at);
                }
            }
        }
        if alike.len() * 5 > self.requests.len() {
            alike.clear();
        }
        (alike, false)
    }

    /// Counts for each path whether two requests agree on it.
    fn compare(&self, first: usize, copy: usize, agree: &mut [(u64, u64)]) {
        let there: HashMap<usize, u64> = self.requests[first].values.iter().copied().collect();
        for (field, hash) in &self.requests[copy].values {
            match there.get(field) {
                Some(other) if other == hash => agree[*field].0 += 1,
                _ => agree[*field].1 += 1,
            }
        }
    }
}

fn judge(field: &Field, distinct: u64, originals: u64, (same, other): (u64, u64)) -> FoundField {
    let unique = (distinct * 100).checked_div(originals).unwrap_or(0);
    let not = if unique < NEARLY || originals < 2 {
        None
    } else if of_the_way(&field.path) {
        Some("it is a header of the way")
    } else if field.times * 2 > field.present {
        Some("it is a time")
    } else if other > same {
        Some("it changes on every copy")
    } else if field.types.iter().any(|kind| matches!(*kind, "object" | "array" | "null" | "boolean")) {
        Some("it is no text or number")
    } else if beyond_first(&field.path) {
        Some("it is not the first element")
    } else {
        None
    };
    FoundField {
        path: field.path.clone(),
        types: field.types.iter().map(|kind| (*kind).to_owned()).collect(),
        sample: field.sample.clone(),
        present: field.present,
        distinct,
        unique,
        good: unique >= NEARLY && originals >= 2 && not.is_none(),
        not: not.map(str::to_owned),
    }
}

/// Good ones first; of those the most unique, then body before headers before query, then what is
/// called like an id, then what is near the root.
fn rank(field: &FoundField) -> (bool, u64, u8, bool, usize) {
    if !field.good {
        return (true, 0, 0, false, 0);
    }
    let root = match field.path.get(..4) {
        Some("body") => 0,
        Some("head") => 1,
        _ => 2,
    };
    let depth = field.path.matches(['.', '[']).count();
    (false, 100 - field.unique.min(100), root, !like_an_id(&field.path), depth)
}

fn like_an_id(path: &str) -> bool {
    let last = path.rsplit(['.', '[']).next().unwrap_or(path).to_ascii_lowercase();
    let words = last.trim_matches(['"', ']']).split(['_', '-']);
    let mut words = words.filter(|word| !word.is_empty());
    words.any(|word| {
        matches!(
            word,
            "id" | "uuid" | "guid" | "number" | "no" | "key" | "ref" | "reference" | "code" | "sku"
        ) || word.ends_with("id")
    })
}

fn of_the_way(path: &str) -> bool {
    let Some(name) = path.parse::<Path>().ok().and_then(|path| path.header()) else { return false };
    OF_THE_WAY.contains(&name.as_str())
        || name.starts_with("x-forwarded-")
        || name.starts_with("cf-")
        || name.contains("signature")
        || name.contains("timestamp")
}

fn beyond_first(path: &str) -> bool {
    let parsed: Option<Path> = path.parse().ok();
    parsed.is_some_and(|path| path.0.iter().any(|one| matches!(one, Segment::Index(at) if *at > 0)))
}

/// Whether a value is a time: RFC 3339, the date of HTTP, or epoch seconds or milliseconds within a
/// day of the arrival.
fn is_time(value: &Value, arrival: Ms) -> bool {
    match value {
        Value::String(text) => {
            (10..=40).contains(&text.len())
                && (parse_rfc3339(text).is_some()
                    || text.parse::<jiff::civil::DateTime>().is_ok()
                    || jiff::fmt::rfc2822::parse(text).is_ok()
                    || near(text, arrival))
        }
        Value::Number(number) => near(number.as_str(), arrival),
        _ => false,
    }
}

fn near(text: &str, arrival: Ms) -> bool {
    let whole = text.split('.').next().unwrap_or(text);
    let Ok(number) = whole.parse::<i64>() else { return false };
    let close = |at: i64| at.checked_sub(arrival).is_some_and(|off| off.abs() <= DAY);
    close(number) || number.checked_mul(1_000).is_some_and(close)
}

/// The type of a JSON value, as people call it.
#[must_use]
pub fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn sample(value: &Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > SAMPLE => {
            Value::String(text.chars().take(SAMPLE).chain(['…']).collect())
        }
        other => other.clone(),
    }
}

fn hash_of(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    canonical(value).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
