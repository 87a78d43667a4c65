//! Why a request was judged as it was, in sentences.
//!
//! Each sentence is a line: what was answered, what is wrong, what to do. Facts only. Text from
//! the sender is quoted and never begins a line; whoever draws a line cleans it.

use super::data;
use super::json::Decimal;
use crate::model::Ms;
use crate::model::document::Dedup;
use crate::model::path::Path;
use crate::model::request::{RequestData, Verdict};
use crate::model::time::{DAY, HOUR, MINUTE, SECOND};
use crate::model::view::FieldView;
use serde_json::Value;
use std::collections::HashMap;

/// Paths that [`differing`] tells at most.
pub const MAX_DIFFERING: usize = 1_000;

/// What was judged of a request.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// accepted, duplicate, filtered or rejected.
    pub verdict: Verdict,
    /// The status that was answered.
    pub status: Option<u16>,
    /// Why it was refused or filtered.
    pub cause: Option<&'a str>,
    /// The sender's address.
    pub from: Option<&'a str>,
    /// The id of the first request with its key.
    pub duplicate_of: Option<&'a str>,
}

/// The heading of the explanation, after the request's short id: `was rejected: not JSON: …`.
#[must_use]
pub fn heading(judged: &Judged) -> String {
    let because = judged.cause.map(|cause| format!(": {cause}")).unwrap_or_default();
    match judged.verdict {
        Verdict::Accepted => "was accepted".to_owned(),
        Verdict::Duplicate => match judged.duplicate_of {
            Some(first) => format!("is a duplicate of {}", crate::model::id::short(first)),
            None => "is a duplicate".to_owned(),
        },
        Verdict::Filtered => format!("was filtered{because}"),
        Verdict::Rejected => format!("was rejected{because}"),
    }
}

/// The explanation: `answered …`, `what …`, `do …`, a line each. Empty for an accepted request.
#[must_use]
pub fn lines(judged: &Judged) -> Vec<String> {
    let to = judged.from.map(|from| format!(" to {from}")).unwrap_or_default();
    let code = judged.status.map_or_else(|| "nothing".to_owned(), |status| status.to_string());
    let cause = judged.cause.unwrap_or("no cause was kept");
    let line = |word: &str, text: &str| format!("{word:<10} {text}");
    match judged.verdict {
        Verdict::Accepted => Vec::new(),
        Verdict::Duplicate => {
            let first = judged.duplicate_of.unwrap_or("a request that was deleted since");
            vec![
                line("answered", &format!("{code}{to}, empty; Pointsman-Duplicate-Of: {first}")),
                line("what", "A request with the same key came before, within the window."),
                line("do", "Nothing. To run it all the same, replay it: a replay goes past dedup."),
            ]
        }
        Verdict::Filtered => vec![
            line("answered", &format!("{code}{to}")),
            line("what", &sentence(cause)),
            line("do", "Nothing, unless it should have passed: then change the trigger's `when`."),
        ],
        Verdict::Rejected => {
            let told = match judged.status {
                Some(401) => "; the sender was told nothing more",
                // Why is nobody's business but ours.
                Some(503) if cause.contains("paused") => ", to be tried again",
                _ => ", with the cause",
            };
            let (what, advice) = refusal(judged.status, cause);
            vec![line("answered", &format!("{code}{to}{told}")), line("what", &what), line("do", &advice)]
        }
    }
}

/// What is wrong, and what to do about it.
fn refusal(status: Option<u16>, cause: &str) -> (String, String) {
    let what = sentence(cause);
    let advice = match status {
        Some(400) if cause.starts_with("not JSON") => {
            "Let the sender send JSON in UTF-8; the raw view shows the bytes as they came.".to_owned()
        }
        Some(400) if cause.ends_with("is required and missing") => {
            let path = cause.trim_end_matches(" is required and missing");
            format!("Let the sender send {path}, or take it out of the trigger's `required`.")
        }
        Some(400) if cause.starts_with("nested deeper") || cause.starts_with("more than") => {
            "Let the sender send a simpler document: these bounds are fixed.".to_owned()
        }
        Some(400) if cause.contains(" is split and ") => {
            "Let the sender send an array of up to 1,000 elements there, or change the trigger's `split`.".to_owned()
        }
        Some(400) if cause.contains("when") => {
            "Change the trigger's `when`: it must give true or false for every request.".to_owned()
        }
        Some(400) => "Let the sender send a well-formed request.".to_owned(),
        Some(401) => unauthorized(cause).to_owned(),
        Some(403) => "Add the sender's network to the trigger's `allow_from`, if it is to be let in.".to_owned(),
        Some(405) => match cause.split_once(' ') {
            Some((method, _)) if method.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                format!("Let the sender use another method, or add {method} to the trigger's `methods`.")
            }
            _ => "Let the sender use another method, or add this one to the trigger's `methods`.".to_owned(),
        },
        Some(410) => "Point the sender at a live endpoint, or deploy the flow again.".to_owned(),
        Some(413) => "Let the sender send less, or raise the trigger's `max_body`.".to_owned(),
        Some(415) => {
            "Let the sender send `Content-Type: application/json` (or one that ends in +json), plain or gzipped."
                .to_owned()
        }
        Some(429) => "Let the sender wait as Retry-After says, or raise the trigger's `rate_limit`.".to_owned(),
        Some(431) => "Let the sender send less than 16 KiB of headers.".to_owned(),
        Some(503) if cause.contains("paused") => {
            "Resume it with `pointsman integrations resume`; then the sender may send it again, or readmit it here."
                .to_owned()
        }
        Some(503) => "Let the sender send it again: it was told when, by Retry-After.".to_owned(),
        Some(508) => "Break the loop: this request has passed through too many systems like this one, or this one \
                      too often."
            .to_owned(),
        _ => "Look at the request and the flow's trigger.".to_owned(),
    };
    (what, advice)
}

/// A cause as a sentence: a period at its end, its first letter large where it is a word of ours.
#[must_use]
pub(super) fn sentence(cause: &str) -> String {
    const OURS: [&str; 8] =
        ["not JSON", "nested deeper", "more than", "the ", "there is ", "no key", "signature ", "user and "];
    let mut text = cause.trim_end_matches('.').to_owned();
    if OURS.iter().any(|word| text.starts_with(word))
        && let Some(first) = text.get_mut(..1)
    {
        first.make_ascii_uppercase();
    }
    text.push('.');
    text
}

/// The rule in words: `2 fields, 7d from the last copy`.
#[must_use]
pub fn rule(rule: &Dedup) -> String {
    let fields = rule.fields.len();
    let plural = if fields == 1 { "" } else { "s" };
    let from = if rule.from_first { "from the accepted request" } else { "from the last copy" };
    format!("{fields} field{plural}, {} {from}", written(rule.window))
}

/// A duration as documents write it, in its largest whole unit.
#[must_use]
pub fn written(ms: Ms) -> String {
    for (unit, scale) in [("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND)] {
        if ms > 0 && ms % scale == 0 {
            return format!("{}{unit}", ms / scale);
        }
    }
    format!("{ms}ms")
}

/// When a key lapses: its window after the last request with it, or after the accepted one.
#[must_use]
pub fn lapses(rule: &Dedup, first: Ms, last: Ms) -> Ms {
    if rule.from_first { first } else { last }.saturating_add(rule.window)
}

/// The fields of a rule with a request's values; null where missing.
#[must_use]
pub fn fields(rule: &Dedup, request: &RequestData) -> Vec<FieldView> {
    let view = |path: &Path| {
        let value = data::at(request, path).map(std::borrow::Cow::into_owned);
        FieldView { path: path.to_string(), missing: value.is_none(), value: value.unwrap_or_default() }
    };
    rule.fields.iter().map(view).collect()
}

/// Paths whose values differ between two requests, with the value there and here; null where the
/// path is missing. In the order of `here`, then what only `there` has; at most
/// [`MAX_DIFFERING`]. Numbers of one value spelt otherwise do not differ.
#[must_use]
pub fn differing(there: &RequestData, here: &RequestData) -> Vec<(String, Value, Value)> {
    let mut old: HashMap<String, Value> = HashMap::new();
    let mut order = Vec::new();
    data::each_leaf(there, &mut |path, value| {
        order.push(path.to_owned());
        old.insert(path.to_owned(), value.clone());
    });
    let mut differs = Vec::new();
    data::each_leaf(here, &mut |path, value| {
        let before = old.remove(path);
        let same = before.as_ref().is_some_and(|before| same(before, value));
        if !same && differs.len() < MAX_DIFFERING {
            differs.push((path.to_owned(), before.unwrap_or_default(), value.clone()));
        }
    });
    for path in order {
        if differs.len() >= MAX_DIFFERING {
            break;
        }
        if let Some(value) = old.remove(&path) {
            differs.push((path, value, Value::Null));
        }
    }
    differs
}

/// Whether two values are one: numbers of one value spelt otherwise are.
#[must_use]
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || Decimal::parse(one.as_str()) == Decimal::parse(other.as_str())
        }
        (one, other) => one == other,
    }
}

/// What to do where a sender was not let in: what is wrong with it, before whose key it is.
fn unauthorized(cause: &str) -> &'static str {
    let has = |word: &str| cause.contains(word);
    if cause.starts_with("exp passed") {
        "Let the sender make a new token, and compare its clock with ours; then it may send again."
    } else if has(" is ahead") || has(" ahead") || (cause.starts_with("time is") && has("old")) {
        "Compare the sender's clock with ours: the time that it signs is too far from it. A retry is to be signed anew."
    } else if has("the body matches") {
        "Let the sender sign the bytes that it sends, or send those that it signed: something between changed the body."
    } else if has("signature differs") || has("no key matches") {
        "Compare the sender's secret with the key that the trigger's `auth` names; both are valid while it is replaced."
    } else if has(" is missing") {
        "Let the sender send it: the trigger's `auth` says which scheme it wants."
    } else if has("the token says") || has("is for ") {
        "Let the sender sign with the key's own algorithm, or add a key of the algorithm that it uses."
    } else if cause.starts_with("iss ") || cause.starts_with("aud ") {
        "Let the sender put in what the trigger's `auth` wants there, or change it here."
    } else if cause.starts_with("there is no key") || has("cannot be used") {
        "Add the key with `pointsman key add`: the trigger's `auth` names one that is not there, or cannot be opened."
    } else {
        "Let the sender write the credential as its scheme wants it, with a key that the trigger's `auth` names."
    }
}

#[cfg(test)]
mod tests;
