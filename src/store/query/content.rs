//! Headers, query and body of a stored request as people see them: credentials masked, values
//! found by path, words found anywhere.

use super::pluck::pluck;
use crate::model::headers::{Headers, is_credential};
use crate::model::path::{Path, Segment};
use crate::model::query::{contains, text_of};
use crate::model::view::Pair;
use crate::rules::data::query_values;
use crate::rules::json::parse;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Header lines in order; of credentials only scheme and fingerprint. The receiver masks them before
/// they are stored; what was stored by somebody else is masked here.
#[must_use]
pub fn shown_headers(headers: &Headers) -> Vec<Pair> {
    if headers.sealed().is_some() {
        return headers.texts().collect();
    }
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

/// The values at a path of a request.
#[must_use]
pub fn at(path: &Path, headers: &Headers, raw_query: &str, body: &[u8]) -> Vec<Value> {
    match path.root() {
        "body" if body.is_empty() && headers.get("content-type").is_none() => pluck(b"{}", path.rest()),
        "body" => match pluck(body, path.rest()) {
            // What is no JSON is null, as templates see it.
            none if none.is_empty() && path.rest().is_empty() => vec![Value::Null],
            found => found,
        },
        "headers" => path
            .header()
            .filter(|name| !headers.hides(name))
            .and_then(|name| headers.get(&name))
            .map(Value::String)
            .into_iter()
            .collect(),
        "query" => match path.rest() {
            [Segment::Key(name)] => query_values(raw_query).remove(name).into_iter().collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Whether a lower-cased word is in a value of a request: of its body, of its headers (but for
/// credentials), of its query.
#[must_use]
pub fn mentions(word: &str, headers: &Headers, raw_query: &str, body: &[u8]) -> bool {
    body_mentions(word, body)
        || headers.texts().any(|(name, value)| !headers.hides(&name) && contains(&value, word))
        || query_values(raw_query).values().any(|value| leaf_mentions(value, word))
}

/// First a search over the bytes: a text without a backslash says everything as it is. What is
/// found there may be syntax, so a hit is looked at once more in what was read. A body that is no
/// JSON is searched as text.
fn body_mentions(word: &str, body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    if !body.contains(&b'\\') && !contains(&text, word) {
        return false;
    }
    match parse(body) {
        Ok(value) => leaf_mentions(&value, word),
        Err(_) => contains(&text, word),
    }
}

fn leaf_mentions(value: &Value, word: &str) -> bool {
    match value {
        Value::Array(values) => values.iter().any(|value| leaf_mentions(value, word)),
        Value::Object(map) => map.values().any(|value| leaf_mentions(value, word)),
        leaf => contains(&text_of(leaf), word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn credentials_are_masked_and_found_by_nothing() {
        let headers = Headers::from_pairs([
            ("Authorization", "Bearer abc.def"),
            ("X-A", "abc"),
            ("Cookie", "k=abc.def"),
        ]);
        let shown = shown_headers(&headers);
        assert!(shown[0].1.starts_with("Bearer ••• ") && !shown[0].1.contains("abc"), "{shown:?}");
        assert_eq!(shown[1].1, "abc");
        assert!(shown[2].1.starts_with("••• "));
        assert!(!mentions("abc.def", &headers, "", b"{}"));
        assert!(at(&"headers.authorization".parse().unwrap(), &headers, "", b"").is_empty());
    }

    #[test]
    fn words_are_found_in_values_but_not_in_names_or_syntax() {
        let none = Headers::default();
        let body = br#"{"Customer": {"name": "J\u00f6rg M\u00fcller", "n": 5.10}, "empty": []}"#;
        for word in ["jörg", "müll", "5.10"] {
            assert!(mentions(word, &none, "", body), "{word}");
        }
        for word in ["u00f6", "\":", "smith", "{", "customer"] {
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
