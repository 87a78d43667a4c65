//! The views of a payload that are made of the request alone: flat, tree, raw, hex.

use crate::console::format::{count, size};
use crate::console::keymap::Keymap;
use crate::console::lines::Line;
use crate::console::theme::Role;
use crate::console::whole::folded;
use crate::console::why;
use crate::model::path::{Segment, push_segment};
use crate::model::view::RequestDetail;
use base64::Engine as _;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

/// Characters of a value that a line keeps; the pane is never wider.
const KEPT: usize = 600;
/// Bytes of a body that the raw view shows.
const RAW: usize = 1 << 20;
/// Bytes of a body that the hex view shows: what [`crate::console::lines::MOST`] lines of it hold.
const HEX: usize = 256 << 10;
/// Cells of a line of sixteen bytes: offset, digits in two halves, characters.
const WIDE: u16 = 8 + 2 + 16 * 3 + 1 + 1 + 16;

/// How a JSON value looks, and its text in one line.
#[must_use]
pub fn value_text(value: &Value) -> (Role, String) {
    match value {
        Value::String(text) if text.len() > KEPT => {
            (Role::JsonString, format!("\"{}…", inner(&text[..text.floor_char_boundary(KEPT)])))
        }
        Value::String(text) => (Role::JsonString, format!("\"{}\"", inner(text))),
        Value::Number(number) => (Role::JsonNumber, number.to_string()),
        Value::Array(items) if items.is_empty() => (Role::JsonLiteral, "[]".to_owned()),
        Value::Object(fields) if fields.is_empty() => (Role::JsonLiteral, "{}".to_owned()),
        Value::Array(_) | Value::Object(_) => {
            let text = value.to_string();
            (Role::Text, text[..text.floor_char_boundary(KEPT.min(text.len()))].to_owned())
        }
        Value::Bool(_) | Value::Null => (Role::JsonLiteral, value.to_string()),
    }
}

/// Quotes and backslashes as JSON writes them, so that the end of a value is told from a quote in
/// it; the rest as it is read: cleaning makes what does not print visible.
fn inner(text: &str) -> Cow<'_, str> {
    if text.contains(['"', '\\']) {
        Cow::Owned(text.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        Cow::Borrowed(text)
    }
}

/// The whole of a value that a line cuts.
fn whole(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::String(text) => Some(Arc::from(text.as_str())),
        Value::Array(_) | Value::Object(_) => Some(Arc::from(value.to_string())),
        _ => None,
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::String(text) => format!("string {:>6}", count(text.chars().count() as u64)),
        Value::Array(items) => format!("array {}", count(items.len() as u64)),
        Value::Object(fields) => format!("object {}", count(fields.len() as u64)),
        Value::Number(_) => "number".to_owned(),
        Value::Bool(_) => "boolean".to_owned(),
        Value::Null => "null".to_owned(),
    }
}

/// What stands in place of a body that is no JSON: nothing of the kind of `null` was sent.
fn no_json(detail: &RequestDetail, keys: &Keymap) -> Option<Line> {
    // What stores nothing reads as null, and so does the word.
    let word = |raw: &str| {
        raw.len() < 16
            && base64::engine::general_purpose::STANDARD
                .decode(raw)
                .is_ok_and(|raw| raw.trim_ascii() == b"null")
    };
    if !detail.body.is_null() || word(&detail.raw) {
        return None;
    }
    let told = keys.say(if detail.raw.is_empty() { "empty" } else { "no JSON: {v} goes on to raw" });
    Some(Line {
        key: "body".to_owned(),
        key_role: Role::JsonKey,
        value: told,
        role: Role::Muted,
        ..Line::default()
    })
}

pub(super) fn flat(detail: &RequestDetail, keys: &Keymap, lines: &mut Vec<Line>) {
    let no_json = no_json(detail, keys);
    for (path, value) in &detail.flat {
        if let ("body", Some(line)) = (path.as_str(), &no_json) {
            lines.push(line.clone());
            continue;
        }
        let (role, text) = value_text(value);
        let note = if value.is_string() { kind(value) } else { String::new() };
        lines.push(Line {
            key: path.clone(),
            key_role: Role::JsonKey,
            value: text,
            role,
            note,
            path: path.clone(),
            whole: whole(value),
            opens: true,
            ..Line::default()
        });
    }
}

pub(super) fn tree(detail: &RequestDetail, folded: &BTreeSet<String>, keys: &Keymap, lines: &mut Vec<Line>) {
    match no_json(detail, keys) {
        Some(line) => lines.push(Line { indent: 2, ..line }),
        None => branch("body", "body", &detail.body, 2, folded, lines),
    }
    let headers: Vec<(String, Value)> =
        detail.headers.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
    group("headers", headers, folded, lines);
    group("query", detail.query.iter().map(|(k, v)| (k.clone(), v.clone())).collect(), folded, lines);
    for (key, text) in [("method", &detail.request.method), ("path", &detail.request.path)] {
        lines.push(Line {
            indent: 2,
            key: key.to_owned(),
            key_role: Role::JsonKey,
            value: format!("\"{text}\""),
            role: Role::JsonString,
            path: key.to_owned(),
            ..Line::default()
        });
    }
}

fn group(name: &str, fields: Vec<(String, Value)>, folded: &BTreeSet<String>, lines: &mut Vec<Line>) {
    let open = !folded.contains(name);
    lines.push(Line {
        indent: 2,
        fold: Some(open),
        key: name.to_owned(),
        key_role: Role::JsonKey,
        note: format!("{} fields", fields.len()),
        path: name.to_owned(),
        ..Line::default()
    });
    if open {
        for (at, (key, value)) in fields.into_iter().enumerate() {
            // Headers of one name are lines of their own.
            let path = if name == "headers" {
                format!("{name}\u{0}{at}")
            } else {
                below(name, &Segment::Key(key.clone()))
            };
            branch(&key, &path, &value, 4, folded, lines);
        }
    }
}

/// A path one step further.
fn below(path: &str, segment: &Segment) -> String {
    let mut path = path.to_owned();
    push_segment(&mut path, segment);
    path
}

/// Depth is bounded by what the receiver takes; lines by [`crate::console::lines::MOST`].
fn branch(
    key: &str,
    path: &str,
    value: &Value,
    indent: u16,
    folded: &BTreeSet<String>,
    lines: &mut Vec<Line>,
) {
    if lines.len() > crate::console::lines::MOST {
        return;
    }
    let nested = match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => false,
    };
    let open = nested && !folded.contains(path);
    let (role, text) = if nested { (Role::Muted, String::new()) } else { value_text(value) };
    let long = matches!(value, Value::String(text) if text.len() > 24);
    lines.push(Line {
        indent,
        fold: nested.then_some(open),
        key: key.to_owned(),
        key_role: Role::JsonKey,
        value: text,
        role,
        note: if nested || long { kind(value) } else { String::new() },
        path: path.to_owned(),
        whole: if nested { None } else { whole(value) },
        opens: !nested,
        ..Line::default()
    });
    if !open {
        return;
    }
    let indent = indent.saturating_add(2).min(60);
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                branch(&format!("[{at}]"), &below(path, &Segment::Index(at)), item, indent, folded, lines);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                branch(name, &below(path, &Segment::Key(name.clone())), field, indent, folded, lines);
            }
        }
        _ => {}
    }
}

/// The request as it came: its line, its headers, its bytes. Lines are wrapped at the pane's width,
/// and a byte that is no text is spelt out: nothing is hidden.
pub(super) fn raw(detail: &RequestDetail, cells: u16, lines: &mut Vec<Line>) {
    let request = &detail.request;
    if let Some(target) = &detail.target {
        let first = format!("{} {target}", request.method);
        lines.extend(wrapped(&first, cells, Role::Muted));
    }
    for (name, value) in &detail.headers {
        let text = format!("{name}: {value}");
        lines.extend(wrapped(&text, cells, Role::Muted));
    }
    lines.push(Line::default());
    let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(&detail.raw) else {
        lines.push(Line::text("the body could not be read", Role::Bad));
        return;
    };
    let shown = &bytes[..bytes.len().min(RAW)];
    let mut text = String::with_capacity(shown.len());
    for chunk in shown.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "‹0x{byte:02X}›");
        }
    }
    let mut rest = text.split('\n').peekable();
    while let Some(line) = rest.next() {
        let ended = rest.peek().is_some();
        let line = if ended { Cow::Owned(format!("{line}\n")) } else { Cow::Borrowed(line) };
        lines.extend(wrapped(&line, cells, Role::Text));
    }
    if bytes.len() > RAW {
        lines.push(Line::text(format!("first 1 MiB of {} shown", size(bytes.len() as u64)), Role::Warn));
    }
    if let Some(kept) = why::kept(detail) {
        lines.push(Line::text(kept, Role::Warn));
    }
}

/// A text in lines that know that they are one: a search finds what crosses them.
fn wrapped(text: &str, cells: u16, role: Role) -> Vec<Line> {
    let pieces = folded(text, cells);
    let last = pieces.len() - 1;
    let line = |(at, piece)| Line { joins: at < last, ..Line::text(piece, role) };
    pieces.into_iter().enumerate().map(line).collect()
}

/// The bytes of the body: sixteen a line, eight where there is no room, each line with its offset and
/// what of it prints in ASCII.
pub(super) fn hex(detail: &RequestDetail, cells: u16, lines: &mut Vec<Line>) {
    let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(&detail.raw) else {
        lines.push(Line::text("the body could not be read", Role::Bad));
        return;
    };
    if bytes.is_empty() {
        lines.push(Line::text("no byte of body", Role::Muted));
    }
    let row = if cells >= WIDE { 16 } else { 8 };
    for (at, bytes) in bytes[..bytes.len().min(HEX)].chunks(row).enumerate() {
        lines.push(Line {
            path: format!("{at}"),
            bytes: Some(bytes.into()),
            ..Line::text(hex_line(at * row, bytes, row), Role::Text)
        });
    }
    if bytes.len() > HEX {
        lines.push(Line::text(format!("first 256 KiB of {} shown", size(bytes.len() as u64)), Role::Warn));
    }
    if let Some(kept) = why::kept(detail) {
        lines.push(Line::text(kept, Role::Warn));
    }
}

/// The bytes of a whole body, line by line.
#[must_use]
pub fn hex_dump(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 5);
    for (at, bytes) in bytes.chunks(16).enumerate() {
        text.push_str(&hex_line(at * 16, bytes, 16));
        text.push('\n');
    }
    text
}

/// `00000000  7b 22 72 65 66 22 3a 22  72 65 66 73 2f 68 65 61  {"ref":"refs/hea`
fn hex_line(offset: usize, bytes: &[u8], row: usize) -> String {
    let mut line = format!("{offset:08x} ");
    for at in 0..row {
        if at % 8 == 0 {
            line.push(' ');
        }
        match bytes.get(at) {
            Some(byte) => {
                let _ = write!(line, "{byte:02x} ");
            }
            None => line.push_str("   "),
        }
    }
    line.push(' ');
    line.extend(
        bytes
            .iter()
            .map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' }),
    );
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_raw_view_has_the_line_as_it_was_sent() {
        let detail: RequestDetail = serde_json::from_value(serde_json::json!({
            "id": "r", "time": "2026-01-01T00:00:00.000Z", "integration": "shop", "flow": "Orders",
            "endpoint": "k3x9", "method": "PUT", "path": "a/b", "verdict": "accepted", "status": 200,
            "cause": null, "dedup_key": null, "duplicate_of": null, "runs": [], "size": 2, "actor": null,
            "from": null, "test": false, "marks": [], "headers": [["x-a", "1"]],
            "target": "/in/orders/a/b?x=1%26y&x=2", "query": { "x": ["1&y", "2"] }, "body": {}, "flat": {},
            "raw": "e30=", "answer": null
        }))
        .unwrap();
        let mut lines = Vec::new();
        raw(&detail, 80, &mut lines);
        let text: Vec<&str> = lines.iter().map(|line| line.value.as_str()).collect();
        assert_eq!(text, ["PUT /in/orders/a/b?x=1%26y&x=2", "x-a: 1", "", "{}"]);
        // What nobody sent has no line.
        lines.clear();
        raw(&RequestDetail { target: None, ..detail }, 80, &mut lines);
        assert_eq!(lines[0].value, "x-a: 1");
    }

    #[test]
    fn a_body_that_is_no_json_is_not_called_null() {
        let detail = |raw: &[u8]| -> RequestDetail {
            let raw = base64::engine::general_purpose::STANDARD.encode(raw);
            serde_json::from_value(serde_json::json!({
                "id": "r", "time": "2026-01-01T00:00:00.000Z", "integration": "shop", "flow": "Orders",
                "endpoint": "k3x9", "method": "PUT", "path": "", "verdict": "accepted", "status": 200,
                "cause": null, "dedup_key": null, "duplicate_of": null, "runs": [], "size": 2, "actor": null,
                "from": null, "test": false, "marks": [], "headers": [], "target": null, "query": {},
                "body": null, "flat": { "body": null }, "raw": raw, "answer": null
            }))
            .unwrap()
        };
        for (raw, wanted) in [
            (&b"<a/>, which is no JSON"[..], "no JSON: v goes on to raw"),
            (b"", "empty"),
            (b" null\n", "null"),
        ] {
            let mut lines = Vec::new();
            flat(&detail(raw), &Keymap::default(), &mut lines);
            tree(&detail(raw), &BTreeSet::new(), &Keymap::default(), &mut lines);
            let told = |line: &&Line| line.key == "body";
            assert!(lines.iter().filter(told).all(|line| line.value == wanted), "{raw:?}");
            assert_eq!(lines.iter().filter(told).count(), 2);
        }
    }

    #[test]
    fn a_line_of_bytes_has_offset_digits_and_what_prints() {
        assert_eq!(
            hex_line(0, b"{\"ref\":\"refs/hea", 16),
            "00000000  7b 22 72 65 66 22 3a 22  72 65 66 73 2f 68 65 61  {\"ref\":\"refs/hea"
        );
        assert_eq!(hex_line(16, b"a\x1b\xff", 8), "00000010  61 1b ff                 a..");
        assert_eq!(hex_line(0, &[0; 16], 16).len(), usize::from(WIDE));
    }

    #[test]
    fn a_quote_in_a_value_is_told_from_its_end() {
        assert_eq!(value_text(&Value::from("C. \"Chris\" Meyer")).1, "\"C. \\\"Chris\\\" Meyer\"");
        assert_eq!(value_text(&Value::from("plain\n")).1, "\"plain\n\"");
    }
}
