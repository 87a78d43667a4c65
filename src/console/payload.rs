//! The payload of the selected request, in four views: why, tree, flat, raw.

use super::format::{count, size};
use super::lines::{Line, Lines};
use super::theme::Role;
use super::why;
use crate::model::request::Verdict;
use crate::model::time::Ms;
use crate::model::view::{ExplainView, RequestDetail};
use base64::Engine as _;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// How a payload is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Why it was not accepted.
    Why,
    /// With folds.
    Tree,
    /// Path and value.
    Flat,
    /// As it came.
    Raw,
}

impl View {
    /// Every view, in the order of `v`.
    pub const ALL: [Self; 4] = [Self::Why, Self::Tree, Self::Flat, Self::Raw];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Why => "why",
            Self::Tree => "tree",
            Self::Flat => "flat",
            Self::Raw => "raw",
        }
    }
}

/// Characters of a value that a line keeps; the pane is never wider.
const KEPT: usize = 600;
/// Bytes of a body that the raw view shows.
const RAW: usize = 1 << 20;

/// A payload pane.
#[derive(Debug)]
pub struct Payload {
    /// The request that it shall show.
    pub id: Option<String>,
    /// What is known of it.
    pub detail: Option<Box<RequestDetail>>,
    /// Why it was judged so.
    pub explain: Option<Box<ExplainView>>,
    /// Why it cannot be shown.
    pub trouble: Option<String>,
    /// The lines of the view.
    pub lines: Lines,
    /// The view of accepted requests.
    view: View,
    /// The view of others.
    other: View,
    /// Why in two lines over the flat view: Live's pane.
    brief: bool,
    folded: BTreeSet<String>,
    zone: TimeZone,
    /// Engine time when the reason came.
    now: Ms,
}

impl Payload {
    /// A pane that opens with a view.
    #[must_use]
    pub fn new(view: View, brief: bool, zone: TimeZone) -> Self {
        let other = if brief { View::Flat } else { View::Why };
        Self {
            id: None,
            detail: None,
            explain: None,
            trouble: None,
            lines: Lines::default(),
            view,
            other,
            brief,
            folded: BTreeSet::new(),
            zone,
            now: 0,
        }
    }

    /// Whether what it shows is what it shall show.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.detail.as_ref().map(|detail| &detail.request.id) == self.id.as_ref()
    }

    /// Whether the request that is shown was not accepted, so that there is a why.
    #[must_use]
    pub fn has_why(&self) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.request.verdict != Verdict::Accepted)
    }

    /// The view that is shown.
    #[must_use]
    pub fn view(&self) -> View {
        if self.has_why() { self.other } else { self.view }
    }

    /// The next view.
    pub fn next_view(&mut self) {
        let why = self.has_why();
        let views = if why { &View::ALL[..] } else { &View::ALL[1..] };
        let at = views.iter().position(|view| *view == self.view()).unwrap_or(0);
        let next = views[(at + 1) % views.len()];
        if why {
            self.other = next;
        } else {
            self.view = next;
        }
        self.lines.rewind();
        self.build();
    }

    /// Takes the facts in.
    pub fn install(&mut self, detail: Box<RequestDetail>) {
        let other = self.detail.as_ref().is_none_or(|old| old.request.id != detail.request.id);
        if self.explain.as_ref().is_some_and(|explain| explain.request != detail.request.id) {
            self.explain = None;
        }
        self.detail = Some(detail);
        self.trouble = None;
        if other {
            self.lines.rewind();
        }
        self.build();
    }

    /// Takes the reason in.
    pub fn install_why(&mut self, explain: Box<ExplainView>, now: Ms) {
        self.now = now;
        if self.detail.as_ref().is_some_and(|detail| detail.request.id == explain.request) {
            self.explain = Some(explain);
            self.build();
        }
    }

    /// Nothing is selected, or it cannot be read.
    pub fn clear(&mut self, trouble: Option<String>) {
        self.detail = None;
        self.explain = None;
        self.trouble = trouble;
        self.lines.set(Vec::new());
    }

    /// Folds or opens the selected line; a leaf folds what it is in.
    pub fn fold(&mut self, open: bool) {
        let Some(line) = self.lines.current() else { return };
        let path = match (line.fold, open) {
            (Some(is_open), _) if is_open != open => line.path.clone(),
            (_, false) => {
                let depth = line.indent;
                let Some(parent) =
                    self.lines.lines[..self.lines.at].iter().rposition(|above| above.indent < depth)
                else {
                    return;
                };
                self.lines.at = parent;
                self.lines.lines[parent].path.clone()
            }
            _ => return,
        };
        if open {
            self.folded.remove(&path);
        } else {
            self.folded.insert(path);
        }
        self.build();
    }

    /// The line over the pane: id, view, and its measure.
    #[must_use]
    pub fn title(&self) -> String {
        let Some(detail) = &self.detail else {
            return if self.id.is_some() { "asking the store…".to_owned() } else { "payload".to_owned() };
        };
        let id = crate::model::id::short(&detail.request.id);
        let runs = match detail.request.runs.len() {
            0 | 1 => String::new(),
            many => format!(" · {} runs", count(many as u64)),
        };
        match self.view() {
            View::Why => match (detail.request.verdict, &detail.request.duplicate_of) {
                (Verdict::Duplicate, Some(first)) => {
                    format!("{id} is a duplicate of {}", crate::model::id::short(first))
                }
                (Verdict::Rejected, _) => {
                    let cause = detail.request.cause.as_deref().unwrap_or("no cause is stored");
                    format!("{id} was rejected: {cause}")
                }
                (verdict, _) => format!("{id} was {}", verdict.word()),
            },
            View::Flat => format!("{id} · flat · {} paths{runs}", count(detail.flat.len() as u64)),
            View::Raw => format!("{id} · raw · {} bytes{runs}", count(detail.request.size)),
            View::Tree => format!("{id} · tree · {}{runs}", size(detail.request.size)),
        }
    }

    /// The views, the shown one in capitals.
    #[must_use]
    pub fn views(&self) -> String {
        let views = if self.has_why() { &View::ALL[..] } else { &View::ALL[1..] };
        let mut words = String::from("v");
        for view in views {
            let word = view.word();
            let word = if *view == self.view() { word.to_uppercase() } else { word.to_owned() };
            let _ = write!(words, " {word}");
        }
        words
    }

    fn build(&mut self) {
        let Some(detail) = &self.detail else { return self.lines.set(Vec::new()) };
        let mut lines = Vec::new();
        match self.view() {
            View::Why => why::whole(detail, self.explain.as_deref(), &self.zone, self.now, &mut lines),
            View::Flat => {
                if self.brief && self.has_why() {
                    why::brief(detail, self.explain.as_deref(), &mut lines);
                }
                flat(detail, &mut lines);
            }
            View::Raw => raw(detail, &mut lines),
            View::Tree => tree(detail, &self.folded, &mut lines),
        }
        self.lines.set(lines);
    }
}

/// How a JSON value looks, and its text in one line.
#[must_use]
pub fn value_text(value: &Value) -> (Role, String) {
    match value {
        Value::String(text) if text.len() > KEPT => {
            (Role::JsonString, format!("\"{}…", &text[..text.floor_char_boundary(KEPT)]))
        }
        // As it is read, not as JSON escapes it: cleaning makes what does not print visible.
        Value::String(text) => (Role::JsonString, format!("\"{text}\"")),
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

fn flat(detail: &RequestDetail, lines: &mut Vec<Line>) {
    for (path, value) in &detail.flat {
        let (role, text) = value_text(value);
        let note = if value.is_string() { kind(value) } else { String::new() };
        lines.push(Line {
            key: path.clone(),
            key_role: Role::JsonKey,
            value: text,
            role,
            note,
            path: path.clone(),
            ..Line::default()
        });
    }
}

fn tree(detail: &RequestDetail, folded: &BTreeSet<String>, lines: &mut Vec<Line>) {
    branch("body", "body", &detail.body, 2, folded, lines);
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
            branch(&key, &format!("{name}\u{0}{at}"), &value, 4, folded, lines);
        }
    }
}

/// Depth is bounded by what the receiver takes; lines by [`super::lines::MOST`].
fn branch(
    key: &str,
    path: &str,
    value: &Value,
    indent: u16,
    folded: &BTreeSet<String>,
    lines: &mut Vec<Line>,
) {
    if lines.len() > super::lines::MOST {
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
        ..Line::default()
    });
    if !open {
        return;
    }
    let indent = indent.saturating_add(2).min(60);
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                branch(&format!("[{at}]"), &format!("{path}[{at}]"), item, indent, folded, lines);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                branch(name, &format!("{path}.{name}"), field, indent, folded, lines);
            }
        }
        _ => {}
    }
}

fn raw(detail: &RequestDetail, lines: &mut Vec<Line>) {
    let request = &detail.request;
    lines.push(Line::text(format!("{} {}", request.method, request.path), Role::Muted));
    for (name, value) in &detail.headers {
        lines.push(Line {
            key: format!("{name}:"),
            key_role: Role::Muted,
            value: value.clone(),
            ..Line::default()
        });
    }
    lines.push(Line::default());
    let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(&detail.raw) else {
        lines.push(Line::text("the body could not be read", Role::Bad));
        return;
    };
    let shown = &bytes[..bytes.len().min(RAW)];
    for line in String::from_utf8_lossy(shown).split('\n') {
        // A long line goes on in the next ones: the raw view hides nothing.
        let mut rest = line;
        loop {
            let (part, more) = rest.split_at(rest.floor_char_boundary(110.min(rest.len())));
            lines.push(Line::text(part, Role::Text));
            if more.is_empty() {
                break;
            }
            rest = more;
        }
    }
    if bytes.len() > RAW {
        lines.push(Line::text(format!("first 1 MiB of {} shown", size(bytes.len() as u64)), Role::Warn));
    }
    if let Some(kept) = why::kept(detail) {
        lines.push(Line::text(kept, Role::Warn));
    }
}
