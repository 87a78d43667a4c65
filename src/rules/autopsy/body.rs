//! What is wrong with a body: its length, its type, its JSON, what is missing from it.

use super::{Case, Looked, check, pair};
use crate::model::path::Path;
use crate::model::request::{Marks, Seed};
use crate::rules::judge::figure;
use crate::rules::{data, facts, near::closest};
use crate::text::{clean, size, width};

/// Characters of a line on each side of the place that is shown.
const AROUND: usize = 40;
/// Paths of a body that are looked at for one that is called nearly as what is missing.
const LOOKED_AT: usize = 2_000;

/// The line with a caret under the column, and what the bytes are instead of JSON.
pub(super) fn not_json(seed: &Seed, cause: &str) -> Looked {
    let body = String::from_utf8_lossy(&seed.body);
    let typed = seed.headers.get("content-type").unwrap_or_default();
    let mut checks = vec![
        check(true, "Content-Type says JSON"),
        check(std::str::from_utf8(&seed.body).is_ok(), "UTF-8"),
        check(false, "JSON"),
    ];
    if typed.is_empty() {
        checks.remove(0);
    }
    let mut evidence = Vec::new();
    if let Some((line, column)) = place(cause)
        && let Some((text, caret)) = excerpt(&body, line, column)
    {
        evidence.push(pair(&format!("line {line}"), text));
        evidence.push(pair("", format!("{}^", " ".repeat(caret))));
    }
    let mut likely = slip(seed, &body);
    if likely.is_empty() && !seed.marks.has(Marks::BODY_CUT) && place(cause).is_some_and(|at| ends(&body, at))
    {
        BREAKS_OFF.clone_into(&mut likely);
    }
    Looked { likely, checks, evidence, ..Looked::default() }
}

/// What is likely of a body that is JSON as far as it goes.
const BREAKS_OFF: &str = "It breaks off before its end.";

/// Whether a document or a list was begun, and a line and column are where the body ends.
fn ends(body: &str, (line, column): (usize, usize)) -> bool {
    let last = body.split('\n').next_back().unwrap_or_default();
    body.trim_start().starts_with(['{', '['])
        && line == body.split('\n').count()
        && column > last.trim_end().chars().count()
}

/// Line and column of `not JSON: line 3, column 14: …`.
fn place(cause: &str) -> Option<(usize, usize)> {
    let rest = cause.strip_prefix("not JSON: line ")?;
    let (line, rest) = rest.split_once(", column ")?;
    let (column, _) = rest.split_once(':')?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

/// A line around a column (both from 1), made safe to draw, and how many cells stand before it.
#[must_use]
pub fn excerpt(body: &str, line: usize, column: usize) -> Option<(String, usize)> {
    let text = body.split('\n').nth(line.checked_sub(1)?)?;
    let at = column.checked_sub(1)?;
    let from = at.saturating_sub(AROUND);
    let before: String = text.chars().skip(from).take(at - from).collect();
    let after: String = text.chars().skip(at).take(AROUND).collect();
    let lead = if from > 0 { "…" } else { "" };
    let trail = if text.chars().count() > at + AROUND { "…" } else { "" };
    let before = format!("{lead}{}", clean(&before));
    let cells = width(&before);
    Some((format!("{before}{}{trail}", clean(&after)), cells))
}

/// Usual slips, each proved by undoing it or by what the bytes are.
fn slip(seed: &Seed, body: &str) -> String {
    let valid = |text: &str| facts::scan(text.as_bytes(), &[], &[]).is_ok();
    let start = body.trim_start();
    if seed.marks.has(Marks::BODY_CUT) {
        return String::new();
    }
    if body.trim().is_empty() {
        return "The body is empty, though it claims to be JSON.".to_owned();
    }
    if let Some(rest) = body.strip_prefix('\u{feff}')
        && valid(rest)
    {
        return "It begins with a byte order mark; without it, it is JSON.".to_owned();
    }
    if start.starts_with('<') {
        return "It begins with <: it is XML or HTML.".to_owned();
    }
    let form = |text: &str| {
        text.contains('=')
            && !text.contains(['{', '[', '\n', ' '])
            && text.split('&').all(|one| one.contains('='))
    };
    if form(body.trim()) {
        return "It is a form: name=value, joined by &.".to_owned();
    }
    if valid(&body.replace('\'', "\"")) {
        return "Its quotes are single ones; with double quotes it is JSON.".to_owned();
    }
    let mut without = String::with_capacity(body.len());
    for (at, letter) in body.char_indices() {
        let next = body[at + letter.len_utf8()..].trim_start().chars().next();
        if letter != ',' || !matches!(next, Some('}' | ']')) {
            without.push(letter);
        }
    }
    if without != body && valid(&without) {
        return "A comma stands before a closing bracket; without it, it is JSON.".to_owned();
    }
    let several = body.lines().filter(|line| !line.trim().is_empty()).count();
    if several > 1 && body.lines().all(|line| line.trim().is_empty() || valid(line)) {
        return format!("It is {several} JSON documents, a line each: a request carries one.");
    }
    if (1..=8).any(|more| closed(body, more).is_some_and(|text| valid(&text))) {
        return BREAKS_OFF.to_owned();
    }
    String::new()
}

/// The text with so many open brackets closed, where it has so many.
fn closed(text: &str, most: usize) -> Option<String> {
    let mut open = Vec::new();
    let (mut quoted, mut escaped) = (false, false);
    for letter in text.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' if !quoted => open.push('}'),
            '[' if !quoted => open.push(']'),
            '}' | ']' if !quoted => {
                open.pop();
            }
            _ => {}
        }
    }
    if open.len() != most {
        return None;
    }
    let end = if quoted { "\"" } else { "" };
    Some(format!("{text}{end}{}", open.iter().rev().collect::<String>()))
}

/// Required paths that are missing: what is there and called nearly so.
pub(super) fn missing(seed: &Seed, cause: &str) -> Looked {
    let data = data::request_data(seed, "", 0, "");
    let mut there = Vec::new();
    data::each_leaf(&data, &mut |path, _| {
        if there.len() < LOOKED_AT {
            there.push(path.to_owned());
        }
    });
    let named =
        cause.trim_end_matches(" is required and missing").trim_end_matches(" are required and missing");
    let mut evidence = Vec::new();
    let mut checks = vec![check(true, "JSON")];
    for wanted in named.split(", ") {
        checks.push(check(false, wanted));
        let last = |path: &str| path.rsplit(['.', '[']).next().unwrap_or_default().to_ascii_lowercase();
        let elsewhere =
            there.iter().find(|path| wanted.parse::<Path>().is_ok() && last(path) == last(wanted));
        if let Some(close) =
            elsewhere.map(String::as_str).or_else(|| closest(wanted, there.iter().map(String::as_str)))
        {
            let text = format!("{close} is there, {wanted} is not");
            evidence.push(pair(if evidence.is_empty() { "received" } else { "" }, text));
        }
    }
    Looked { checks, evidence, ..Looked::default() }
}

/// Over the flow's `max_body`.
pub(super) fn too_long(case: &Case<'_>) -> Looked {
    let declared = case.seed.headers.get("content-length");
    let declared = declared.and_then(|text| text.trim().parse::<u64>().ok());
    let mut evidence = Vec::new();
    if let Some(length) = declared {
        evidence.push(pair("received", format!("Content-Length {length}, {}", size(length))));
    }
    let mut checks = Vec::new();
    if let Some(live) = case.live {
        evidence
            .push(pair("expected", format!("at most {}, as v{} says", figure(live.max_body), live.version)));
        if let Some(length) = declared {
            checks.push(check(length <= live.max_body, &format!("{} now", figure(live.max_body))));
        }
    }
    Looked { checks, evidence, ..Looked::default() }
}

/// No JSON by its type, or encoded in a way that is not taken.
pub(super) fn wrong_type(seed: &Seed) -> Looked {
    let shown = |name: &str, label: &str| match seed.headers.get(name) {
        Some(value) => format!("{label}: {value}"),
        None => format!("{label} is not there"),
    };
    let mut evidence = vec![
        pair("received", shown("content-type", "Content-Type")),
        pair("expected", "Content-Type: application/json, or one that ends in +json"),
    ];
    if seed.headers.get("content-encoding").is_some() {
        evidence.insert(1, pair("", shown("content-encoding", "Content-Encoding")));
    }
    let whole = !seed.marks.has(Marks::BODY_CUT) && !seed.body.is_empty();
    let json = whole && facts::scan(&seed.body, &[], &[]).is_ok();
    let likely = if json { "The body is JSON all the same: only the header says otherwise." } else { "" };
    let checks = if whole { vec![check(json, "the body is JSON")] } else { Vec::new() };
    Looked { likely: likely.to_owned(), checks, evidence, ..Looked::default() }
}

/// The flow splits its requests, and what is to be split is none, or too long.
pub(super) fn split(case: &Case<'_>) -> Looked {
    let Some(path) = case.hook().and_then(|hook| hook.split.as_ref()) else { return Looked::default() };
    let data = data::request_data(case.seed, "", 0, "");
    let found = match data::at(&data, path).as_deref() {
        None => format!("{path} is not there"),
        Some(serde_json::Value::Array(items)) => {
            format!("{path} is an array of {}", crate::text::count(items.len() as u64))
        }
        Some(serde_json::Value::Object(_)) => format!("{path} is an object"),
        Some(serde_json::Value::String(_)) => format!("{path} is a text"),
        Some(other) => format!("{path} is {other}"),
    };
    let expected = "an array of at most 1,000 elements";
    Looked {
        checks: vec![check(true, "JSON"), check(false, &format!("{path} splits"))],
        evidence: vec![pair("received", found), pair("expected", expected)],
        ..Looked::default()
    }
}
