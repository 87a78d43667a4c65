//! What a list says of a request in one line: its cause, the values of its dedup fields, or its
//! first leaves.

use super::content;
use crate::model::document::Dedup;
use crate::model::headers::Headers;
use crate::model::path::{Path, Segment, walk};
use crate::model::request::Verdict;
use crate::rules::json::beginning;
use crate::rules::plan::Plan;
use crate::text;
use serde_json::Value;

/// Bytes of a body that are read for a list.
pub const MAX_BODY: u32 = 64 << 10;
/// Items of a line.
const ITEMS: usize = 3;
/// Characters of a value.
const VALUE: usize = 40;

/// The rule that judges duplicates of a flow.
#[must_use]
pub fn rule(plan: &Plan) -> Option<&Dedup> {
    plan.flow.webhook()?.dedup.as_ref()
}

/// The line. Of a body over [`MAX_BODY`] the beginning is looked at, as far as it goes.
#[must_use]
pub fn what(
    verdict: Verdict,
    cause: Option<&str>,
    rule: Option<&Dedup>,
    headers: &Headers,
    query: &str,
    body: &[u8],
) -> String {
    if let (Verdict::Rejected | Verdict::Filtered, Some(cause)) = (verdict, cause) {
        return cause.to_owned();
    }
    let mut items = Vec::new();
    let read = beginning(body);
    for path in rule.into_iter().flat_map(|rule| &rule.fields).take(ITEMS) {
        let found = if path.root() == "body" && !body.is_empty() {
            read.as_ref().and_then(|read| walk(read, path.rest())).cloned()
        } else {
            content::at(path, headers, query, body).into_iter().next()
        };
        if let Some(value) = found {
            items.push(format!("{} {}", last(path), short(&value)));
        }
    }
    if items.len() < ITEMS
        && let Some(Value::Object(map)) = &read
    {
        let used: Vec<&Path> = rule.into_iter().flat_map(|rule| &rule.fields).collect();
        for (key, value) in map {
            if items.len() >= ITEMS {
                break;
            }
            let is_used = used
                .iter()
                .any(|path| path.root() == "body" && path.rest().first() == Some(&Segment::Key(key.clone())));
            // Of a body that is longer than what was read, the last value ends where the reading did.
            let cut = body.len() >= MAX_BODY as usize && map.keys().next_back() == Some(key);
            if !is_used && let Some(item) = leaf(key, value, cut) {
                items.push(item);
            }
        }
    }
    if items.is_empty()
        && let Some(read) = &read
    {
        items = bare(read);
    }
    items.join(" · ")
}

/// What a body says that is no object: its value, or the first leaves of its elements.
fn bare(value: &Value) -> Vec<String> {
    let list = match value {
        Value::Object(_) => return Vec::new(),
        Value::Array(list) if !list.is_empty() => list,
        other => return vec![short(other)],
    };
    let leaves = list.iter().filter_map(|element| match element {
        Value::Object(map) => map.iter().find_map(|(key, value)| leaf(key, value, false)),
        Value::Array(inner) => Some(format!("{} in a list", text::count(inner.len() as u64))),
        other => Some(short(other)),
    });
    leaves.take(ITEMS).collect()
}

/// The last name of a path: what the value is called.
fn last(path: &Path) -> &str {
    let mut keys = path.0.iter().rev();
    keys.find_map(|segment| if let Segment::Key(key) = segment { Some(key.as_str()) } else { None })
        .unwrap_or_default()
}

fn leaf(key: &str, value: &Value, cut: bool) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(_) => Some(short(value)),
        Value::Bool(_) | Value::Number(_) => Some(format!("{key} {value}")),
        Value::Array(list) => {
            let more = if cut { "+" } else { "" };
            Some(format!("{}{more} {key}", text::count(list.len() as u64)))
        }
        Value::Object(map) => map.iter().find_map(|(key, value)| match value {
            Value::Object(_) | Value::Array(_) => None,
            _ => leaf(key, value, cut),
        }),
    }
}

fn short(value: &Value) -> String {
    let whole = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if whole.chars().count() <= VALUE {
        return whole;
    }
    whole.chars().take(VALUE - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(rule: Option<&Dedup>, body: &str) -> String {
        let headers = Headers::from_pairs([("X-Id", "b1a7")]);
        what(Verdict::Accepted, None, rule, &headers, "", body.as_bytes())
    }

    #[test]
    fn dedup_fields_come_first_then_leaves() {
        let rule = Dedup {
            fields: vec!["body.order_number".parse().unwrap(), "headers[\"x-id\"]".parse().unwrap()],
            window: 1,
            from_first: false,
        };
        let body = r#"{"order_number":"10431","products":[1,2],"more":"x"}"#;
        assert_eq!(line(Some(&rule), body), "order_number 10431 · x-id b1a7 · 2 products");
        assert_eq!(
            line(None, r#"{"ref":"main","repo":{"id":[],"name":"acme"},"n":5,"z":1}"#),
            "main · acme · n 5"
        );
        assert_eq!(line(None, "no json"), "");
        assert_eq!(line(None, &format!(r#"{{"a":"{}"}}"#, "é".repeat(41))).chars().count(), 40);
    }

    #[test]
    fn a_body_that_is_no_object_says_its_value_or_its_first_leaves() {
        for (body, told) in [
            ("5", "5"),
            ("-1.50e3", "-1.50e3"),
            (r#""text""#, "text"),
            ("true", "true"),
            ("null", "null"),
            ("[]", "[]"),
            (r#"["a",{"x":1}]"#, "a · x 1"),
            (r#"[{"id":"A-7","n":2},[1,2],null,4]"#, "A-7 · 2 in a list · null"),
            ("{}", ""),
            (r#"{"a":[]}"#, "0 a"),
        ] {
            assert_eq!(line(None, body), told, "{body}");
        }
        let long = format!("\"{}\"", "é".repeat(100));
        assert_eq!(line(None, &long).chars().count(), VALUE);
        // A dedup field that is an element comes first, and is not said twice.
        let rule = Dedup { fields: vec!["body[0]".parse().unwrap()], window: 1, from_first: false };
        let told = line(Some(&rule), r#"["k","z"]"#);
        assert!(told.ends_with(" k") && !told.contains('z'), "{told}");
    }

    #[test]
    fn of_a_big_body_the_beginning_is_told() {
        let whole =
            format!(r#"{{"order":"10431","lines":[{{"sku":"AX"}}],"pad":"{}"}}"#, "x".repeat(98 << 10));
        let read = &whole[..MAX_BODY as usize];
        assert_eq!(line(None, read), "10431 · 1 lines");
        let deep = format!(r#"{{"data":{{"id":"A-7","pad":"{}"}}}}"#, "x".repeat(98 << 10));
        assert_eq!(line(None, &deep[..MAX_BODY as usize]), "A-7");
        let rule = Dedup { fields: vec!["body.data.id".parse().unwrap()], window: 1, from_first: false };
        assert!(line(Some(&rule), &deep[..MAX_BODY as usize]).starts_with("id A-7"));
    }

    #[test]
    fn a_refusal_says_its_cause() {
        let none = Headers::default();
        assert_eq!(what(Verdict::Rejected, Some("not JSON"), None, &none, "", b"{}"), "not JSON");
    }

    #[test]
    fn items_of_a_list_that_goes_on_past_what_is_read_are_at_least_so_many() {
        let list = |items: usize| format!("{{\"n\":\"a\",\"list\":[{}1]}}", "10000000,".repeat(items));
        assert_eq!(line(None, &list(10)), "a · 11 list");
        let read = &list(10_000)[..MAX_BODY as usize];
        let shown = line(None, read);
        assert!(shown.starts_with("a · 7,2") && shown.ends_with("+ list"), "{shown}");
    }
}
