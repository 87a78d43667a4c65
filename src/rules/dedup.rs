//! The dedup key: a SHA-256 over length-prefixed, type-tagged parts (contract section 6).
//!
//! Canonical form of a JSON value, version 1: a tag, then for strings the length and UTF-8 bytes,
//! for numbers the length and the canonical decimal, for arrays the count and the elements, for
//! objects the count and keys (as strings) with values, sorted by UTF-16 code units as in RFC 8785.
//! Lengths and counts are eight bytes, so no two values share a form.

use super::data::outside;
use super::facts::Facts;
use super::json::{Cursor, Decimal, Head, parse};
use crate::model::FlowId;
use crate::model::document::Dedup;
use crate::model::headers::Headers;
use crate::model::path::{Path, Segment};
use crate::model::request::DedupKey;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Raised when the canonical form changes: old keys are then never taken for new ones.
const VERSION: &[u8] = b"pointsman dedup 1";
/// A rule with this header alone takes the caller's own hash.
const OWN_HASH: &str = "x-deduplication-hash";

/// The body paths of a rule, in its order: what [`super::facts::scan`] is asked for.
#[must_use]
pub fn body_fields(rule: &Dedup) -> Vec<&Path> {
    rule.fields.iter().filter(|path| path.root() == "body").collect()
}

/// The key of a request; `None` where all fields are missing (the request is then marked
/// `no_dedup_key`). `facts.wanted` holds the body fields in the order of [`body_fields`].
#[must_use]
pub fn key(
    endpoint: FlowId,
    rule: &Dedup,
    facts: &Facts,
    headers: &Headers,
    query: &str,
) -> Option<DedupKey> {
    let mut from_body = facts.wanted.iter();
    let values: Vec<Option<Vec<u8>>> = rule
        .fields
        .iter()
        .map(|path| match path.root() {
            "body" => from_body.next().cloned().flatten(),
            _ => outside(path, headers, query).map(|value| canonical(&value)),
        })
        .collect();
    hash(endpoint, &rule.fields, &values).map(|key| DedupKey {
        key,
        window: rule.window,
        from_first: rule.from_first,
    })
}

/// Hashes endpoint, fields and their canonical values; `None` where every value is missing.
fn hash(endpoint: FlowId, fields: &[Path], values: &[Option<Vec<u8>>]) -> Option<[u8; 16]> {
    if values.iter().all(Option::is_none) {
        return None;
    }
    let mut hash = Parts(Sha256::new());
    hash.part(VERSION);
    hash.part(&endpoint.0.to_be_bytes());
    if let ([field], [Some(value)]) = (fields, values)
        && field.header().as_deref() == Some(OWN_HASH)
    {
        hash.part(b"own");
        hash.part(value);
    } else {
        let fields: Vec<String> = fields.iter().map(written).collect();
        hash.part(b"fields");
        hash.count(fields.len());
        for field in &fields {
            hash.part(field.as_bytes());
        }
        for (field, value) in fields.iter().zip(values) {
            hash.part(field.as_bytes());
            match value {
                Some(value) => {
                    hash.part(b"there");
                    hash.part(value);
                }
                None => hash.part(b"missing"),
            }
        }
    }
    let sum = hash.0.finalize();
    sum.first_chunk::<16>().copied()
}

/// A field as the key knows it: the case of a header's name is no other field.
fn written(path: &Path) -> String {
    match path.header() {
        Some(name) => Path(vec![Segment::Key("headers".to_owned()), Segment::Key(name)]).to_string(),
        None => path.to_string(),
    }
}

struct Parts(Sha256);

impl Parts {
    fn part(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.update(bytes);
    }

    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_be_bytes());
    }
}

/// The canonical form of a JSON text that is known to be valid.
#[must_use]
pub fn canonical_text(text: &str) -> Vec<u8> {
    // Fields are nearly always scalars: those need no tree.
    let head = Cursor::new(text.as_bytes()).and_then(|mut cursor| cursor.value());
    let mut form = Vec::new();
    match head {
        Ok(Head::Null) => put(&mut form, &Value::Null),
        Ok(Head::Bool(value)) => put(&mut form, &Value::Bool(value)),
        Ok(Head::Number(text)) => put_number(&mut form, text),
        Ok(Head::String(text)) => put_bytes(&mut form, b's', text.decode().as_bytes()),
        Ok(Head::Array | Head::Object) | Err(_) => {
            put(&mut form, &parse(text.as_bytes()).unwrap_or_default());
        }
    }
    form
}

/// The canonical form of a value.
#[must_use]
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut form = Vec::new();
    put(&mut form, value);
    form
}

fn put(form: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => form.push(b'n'),
        Value::Bool(false) => form.push(b'f'),
        Value::Bool(true) => form.push(b't'),
        Value::Number(number) => put_number(form, number.as_str()),
        Value::String(text) => put_bytes(form, b's', text.as_bytes()),
        Value::Array(values) => {
            put_count(form, b'a', values.len());
            for value in values {
                put(form, value);
            }
        }
        Value::Object(map) => {
            put_count(form, b'o', map.len());
            let mut members: Vec<_> = map.iter().collect();
            members.sort_unstable_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
            for (key, value) in members {
                put_bytes(form, b's', key.as_bytes());
                put(form, value);
            }
        }
    }
}

fn put_number(form: &mut Vec<u8>, text: &str) {
    let canonical = Decimal::parse(text).map(|number| number.canonical());
    put_bytes(form, b'd', canonical.as_deref().unwrap_or(text).as_bytes());
}

fn put_bytes(form: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    put_count(form, tag, bytes.len());
    form.extend_from_slice(bytes);
}

fn put_count(form: &mut Vec<u8>, tag: u8, count: usize) {
    form.push(tag);
    form.extend_from_slice(&(count as u64).to_be_bytes());
}

#[cfg(test)]
mod tests;
