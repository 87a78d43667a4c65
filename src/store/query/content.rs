//! Headers, query and body of a stored request as people see them: credentials masked, values
//! found by path, words found anywhere.

use super::pluck::pluck;
use crate::model::Map;
use crate::model::headers::Headers;
use crate::model::path::{Path, Segment};
use crate::model::view::Pair;
use crate::rules::flatten::flatten;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// Whether a header carries a sender's credentials (contract section 7): these are in no flat view,
/// no filter and no copy.
#[must_use]
pub fn is_credential(name: &str) -> bool {
    ["authorization", "proxy-authorization", "cookie", "api-key"]
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
}

/// Header lines in order; of credentials only scheme and fingerprint.
#[must_use]
pub fn shown_headers(headers: &Headers) -> Vec<Pair> {
    headers
        .texts()
        .map(|(name, value)| {
            let value = if is_credential(&name) { masked(&value) } else { value };
            (name, value)
        })
        .collect()
}

/// Scheme and fingerprint of a credential: `Bearer ••• 1a2b3c4d`.
fn masked(value: &str) -> String {
    let scheme = match value.split_once(' ') {
        Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => format!("{scheme} "),
        _ => String::new(),
    };
    let digest = Sha256::digest(value.as_bytes());
    let [a, b, c, d] = [digest[0], digest[1], digest[2], digest[3]];
    format!("{scheme}••• {a:02x}{b:02x}{c:02x}{d:02x}")
}

/// Decoded query values; of a repeated name all, joined by `, `.
#[must_use]
pub fn query(raw: &str) -> Map {
    let mut map = Map::new();
    for (name, value) in url::form_urlencoded::parse(raw.as_bytes()) {
        match map.get_mut(name.as_ref()) {
            Some(Value::String(all)) => {
                all.push_str(", ");
                all.push_str(&value);
            }
            _ => {
                map.insert(name.into_owned(), Value::String(value.into_owned()));
            }
        }
    }
    map
}

/// The JSON of a body; `None` where it is none. An empty body counts as `{}`, as when it arrived.
#[must_use]
pub fn json(body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return Some(Value::Object(Map::new()));
    }
    serde_json::from_slice(body).ok()
}

/// Path → value of everything that is in a request, in document order: `body.…`, then `headers[…]`,
/// then `query.…`.
#[must_use]
pub fn flat(headers: &Headers, raw_query: &str, body: &[u8]) -> Map {
    let mut map = Map::new();
    let mut leaf = |path: &str, value: &Value| {
        map.insert(path.to_owned(), value.clone());
    };
    if let Some(body) = json(body) {
        flatten("body", &body, &mut leaf);
    }
    for (name, value) in headers.folded() {
        if !is_credential(&name) {
            leaf(&header_path(&name), &Value::String(value));
        }
    }
    for (name, value) in query(raw_query) {
        let path = Path(vec![Segment::Key("query".to_owned()), Segment::Key(name)]);
        leaf(&path.to_string(), &value);
    }
    map
}

fn header_path(name: &str) -> String {
    Path(vec![Segment::Key("headers".to_owned()), Segment::Key(name.to_owned())]).to_string()
}

/// The values at a path of a request.
#[must_use]
pub fn at(path: &Path, headers: &Headers, raw_query: &str, body: &[u8]) -> Vec<Value> {
    match path.root() {
        "body" if body.is_empty() => pluck(b"{}", path.rest()),
        "body" => pluck(body, path.rest()),
        "headers" => path
            .header()
            .filter(|name| !is_credential(name))
            .and_then(|name| headers.get(&name))
            .map(Value::String)
            .into_iter()
            .collect(),
        "query" => match path.rest() {
            [Segment::Key(name)] => query(raw_query).remove(name).into_iter().collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Whether a lower-cased word is in a text, whatever its case there.
#[must_use]
pub fn has_word(text: &str, word: &str) -> bool {
    if text.is_ascii() { has_ascii(text.as_bytes(), word) } else { text.to_lowercase().contains(word) }
}

fn has_ascii(text: &[u8], word: &str) -> bool {
    let word = word.as_bytes();
    word.is_empty()
        || (word.len() <= text.len()
            && text.windows(word.len()).any(|part| {
                // Most windows are told apart by their first byte.
                part[0].eq_ignore_ascii_case(&word[0]) && part.eq_ignore_ascii_case(word)
            }))
}

/// Whether a lower-cased word is in a name, path or value of a request.
#[must_use]
pub fn mentions(word: &str, headers: &Headers, raw_query: &str, body: &[u8]) -> bool {
    body_mentions(word, body)
        || headers
            .texts()
            .filter(|(name, _)| !is_credential(name))
            .any(|(name, value)| has_word(&name, word) || has_word(&value, word))
        || query(raw_query)
            .iter()
            .any(|(name, value)| has_word(name, word) || value.as_str().is_some_and(|text| has_word(text, word)))
}

/// First a search over the bytes: a text without a backslash says everything as it is. What is
/// found there may be syntax, so a hit is looked at once more in what was read.
fn body_mentions(word: &str, body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    if !body.contains(&b'\\') && !has_word(&text, word) {
        return false;
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => {
            let mut found = false;
            flatten("body", &value, &mut |path, leaf| {
                found = found || has_word(path, word) || has_word(&word_of(leaf), word);
            });
            found
        }
        Err(_) => has_word(&text, word),
    }
}

/// A leaf as a word sees it: a string without its quotes.
fn word_of(leaf: &Value) -> Cow<'_, str> {
    match leaf {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn credentials_are_masked_and_found_by_nothing() {
        let headers =
            Headers::from_pairs([("Authorization", "Bearer abc.def"), ("X-A", "abc"), ("Cookie", "k=abc.def")]);
        let shown = shown_headers(&headers);
        assert!(shown[0].1.starts_with("Bearer ••• ") && !shown[0].1.contains("abc"), "{shown:?}");
        assert_eq!(shown[1].1, "abc");
        assert!(shown[2].1.starts_with("••• "));
        assert!(!mentions("abc.def", &headers, "", b"{}"));
        assert!(at(&"headers.authorization".parse().unwrap(), &headers, "", b"").is_empty());
        assert_eq!(flat(&headers, "", b"{}").keys().filter(|key| key.starts_with("headers")).count(), 1);
    }

    #[test]
    fn words_are_found_in_paths_and_values_but_not_in_syntax() {
        let none = Headers::default();
        let body = br#"{"Customer": {"name": "J\u00f6rg M\u00fcller", "n": 5.10}, "empty": []}"#;
        for word in ["customer", "jörg", "5.10", "empty", "name"] {
            assert!(mentions(word, &none, "", body), "{word}");
        }
        for word in ["u00f6", "\":", "smith", "{"] {
            assert!(!mentions(word, &none, "", body), "{word}");
        }
        assert!(mentions("not json", &none, "", b"this is NOT JSON"));
        assert!(mentions("größe", &none, "q=Gr%C3%B6%C3%9Fe", b""));
    }

    #[test]
    fn paths_lead_into_body_headers_and_query() {
        let headers = Headers::from_pairs([("X-Id", "7"), ("x-id", "8")]);
        let get = |path: &str| at(&path.parse().unwrap(), &headers, "page=2&page=3&a+b=c", br#"{"a":[1,2]}"#);
        assert_eq!(get("body.a[]"), [json!(1), json!(2)]);
        assert_eq!(get("headers[\"X-ID\"]"), [json!("7, 8")]);
        assert_eq!(get("query.page"), [json!("2, 3")]);
        assert_eq!(get("query[\"a b\"]"), [json!("c")]);
        assert!(get("other.page").is_empty());
    }
}
