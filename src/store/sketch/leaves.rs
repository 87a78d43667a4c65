//! The hashes of what a filter can ask a request for with `=`: each leaf of its body, its headers and
//! its query under its path, its dedup key, its status, and the end of its id.
//!
//! A path has no numbers of elements: `body.products[0].name`, `body.products[7].name` and
//! `body.products[].name` are one. A number stands by its value, as filters compare it.

use crate::model::headers::Headers;
use crate::model::id::Kind;
use crate::model::json::{BodyError, Bounds, Cursor, Decimal, Head};
use crate::rules::data::query_values;
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// More hashes than this in one block, and it may have anything.
pub(super) const MOST: usize = 1 << 20;

const KEY: u64 = 1;
const ELEMENT: u64 = 2;
const TEXT: u64 = 3;
const NUMBER: u64 = 4;
const DEDUP: u64 = 5;
const ENDING: u64 = 6;
const STATUS: u64 = 7;

fn fold(state: u64, word: u64) -> u64 {
    let x = (state ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x ^ (x >> 32)
}

fn mix(mut state: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = fold(state, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    fold(fold(state, u64::from_le_bytes(last)), bytes.len() as u64)
}

/// The beginning of a path: `body`, `headers`, `query`.
pub(in crate::store) fn root(name: &str) -> u64 {
    mix(0, name.as_bytes())
}

/// The path of a key under a path.
pub(in crate::store) fn child(path: u64, key: &str) -> u64 {
    mix(fold(path, KEY), key.as_bytes())
}

/// The path of any element of an array under a path.
pub(in crate::store) fn element(path: u64) -> u64 {
    fold(path, ELEMENT)
}

/// A text (or `true`, `false`, `null`) at a path.
pub(in crate::store) fn text(path: u64, value: &str) -> u64 {
    mix(fold(path, TEXT), value.as_bytes())
}

/// A number at a path.
pub(in crate::store) fn number(path: u64, value: &Decimal) -> u64 {
    mix(fold(path, NUMBER), value.canonical().as_bytes())
}

/// A dedup key.
pub(in crate::store) fn key(dedup: &[u8]) -> u64 {
    mix(DEDUP, dedup)
}

/// The status of an answer; of one that was not given yet, which may come to be any, none.
pub(in crate::store) fn status(code: Option<u16>) -> u64 {
    fold(STATUS, u64::from(code.unwrap_or(0)))
}

/// The last six digits of an id of a kind.
pub(in crate::store) fn ending(kind: Kind, bits: u128) -> u64 {
    let last = u64::try_from(bits & 0xff_ffff).unwrap_or(0);
    fold(fold(ENDING, kind as u64), last)
}

/// Hashes as they are gathered.
#[derive(Debug, Default)]
pub(super) struct Leaves {
    hashes: Vec<u64>,
    /// Something could not be read, or there is too much.
    opaque: bool,
}

impl Leaves {
    /// How many there are, repeated ones counted.
    pub(super) fn count(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there may be anything.
    pub(super) fn is_opaque(&self) -> bool {
        self.opaque
    }

    /// There may be anything.
    pub(super) fn give_up(&mut self) {
        self.opaque = true;
        self.hashes = Vec::new();
    }

    /// One more.
    pub(super) fn push(&mut self, hash: u64) {
        if self.opaque {
            return;
        }
        if self.hashes.len() >= MOST {
            return self.give_up();
        }
        self.hashes.push(hash);
    }

    /// What a request holds.
    pub(super) fn request(&mut self, headers: &Headers, query: &str, body: &[u8]) {
        let path = root("headers");
        for (name, value) in headers.folded() {
            if !headers.hides(&name) {
                self.push(text(child(path, &name), &value));
            }
        }
        if !query.is_empty() {
            let path = root("query");
            for (name, value) in &query_values(query) {
                if let Some(value) = value.as_str() {
                    self.push(text(child(path, name), value));
                }
            }
        }
        self.body(body);
    }

    /// Only what a filter would find: it takes a body for JSON where `serde_json` does, text of other
    /// members unseen. Where the two readers differ the block may have anything.
    fn body(&mut self, body: &[u8]) {
        if body.is_empty() {
            return;
        }
        let shown: Cow<'_, [u8]> = match String::from_utf8_lossy(body) {
            Cow::Borrowed(_) => Cow::Borrowed(body),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        let read = Cursor::within(&shown, Bounds::KEPT)
            .and_then(|mut cursor| self.value(&mut cursor, root("body")).and_then(|()| cursor.end()));
        if read.is_err() && serde_json::from_slice::<IgnoredAny>(body).is_ok() {
            self.give_up();
        }
    }

    fn value(&mut self, cursor: &mut Cursor<'_>, path: u64) -> Result<(), BodyError> {
        match cursor.value()? {
            Head::Null => self.push(text(path, "null")),
            Head::Bool(true) => self.push(text(path, "true")),
            Head::Bool(false) => self.push(text(path, "false")),
            Head::String(value) => self.push(text(path, &value.decode())),
            Head::Number(digits) => self.push(match Decimal::parse(digits) {
                Some(value) => number(path, &value),
                None => text(path, digits),
            }),
            Head::Array => {
                let path = element(path);
                let mut first = true;
                while cursor.element(first)? {
                    first = false;
                    self.value(cursor, path)?;
                }
            }
            Head::Object => {
                let mut first = true;
                while let Some(key) = cursor.key(first)? {
                    first = false;
                    let path = child(path, &key.decode());
                    self.value(cursor, path)?;
                }
            }
        }
        Ok(())
    }

    /// The set of them, of the block that begins at an id; empty where there may be anything.
    pub(super) fn into_bits(mut self, low: i64) -> Vec<u8> {
        if self.opaque {
            return Vec::new();
        }
        self.hashes.sort_unstable();
        self.hashes.dedup();
        super::bits::make(&self.hashes, low.cast_unsigned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Leaves {
        let mut leaves = Leaves::default();
        let headers = Headers::from_pairs([("X-Id", "7"), ("x-id", "8"), ("Authorization", "Bearer abc")]);
        leaves.request(&headers, "page=2&page=3&a+b=c", body.as_bytes());
        leaves
    }

    #[test]
    fn leaves_stand_under_paths_without_numbers_of_elements() {
        let leaves = of(r#"{"a": [{"n": "x"}, {"n": 1.50}], "b": null, "c": {"d\u00e9": true}}"#);
        let has = |hash: u64| leaves.hashes.contains(&hash);
        let body = root("body");
        let n = child(element(child(body, "a")), "n");
        assert!(has(text(n, "x")) && has(number(n, &Decimal::parse("15e-1").unwrap())));
        assert!(has(text(child(body, "b"), "null")));
        assert!(has(text(child(child(body, "c"), "dé"), "true")));
        assert!(has(text(child(root("headers"), "x-id"), "7, 8")));
        assert!(
            has(text(child(root("query"), "page"), "2, 3")) && has(text(child(root("query"), "a b"), "c"))
        );
        assert!(!has(text(n, "y")) && !has(text(child(body, "a"), "x")));
        assert_eq!(leaves.count(), 4 + 1 + 2, "a credential is in none");
    }

    #[test]
    fn what_is_no_json_has_no_leaves_and_what_only_filters_read_may_have_anything() {
        assert_eq!(of("not json").count(), 3);
        assert!(!of("{\"a\": 1").is_opaque());
        let lone = of(r#"{"order": 7, "emoji": "\ud83d"}"#);
        assert!(lone.is_opaque() || lone.count() == 5);
        let mut leaves = Leaves::default();
        leaves.request(&Headers::default(), "", b"{\"bad\": \"\xff\", \"order\": 7}");
        let order = number(child(root("body"), "order"), &Decimal::parse("7").unwrap());
        assert!(leaves.hashes.contains(&order));
    }

    #[test]
    fn too_much_is_anything() {
        let mut leaves = Leaves::default();
        for hash in 0..MOST as u64 {
            leaves.push(hash);
        }
        assert!(!leaves.is_opaque());
        leaves.push(0);
        assert!(leaves.is_opaque() && leaves.count() == 0 && leaves.into_bits(0).is_empty());
    }
}
