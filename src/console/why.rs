//! Why a request was judged so: a duplicate beside its first, the autopsy of a refusal.

use super::format::{clock, count, exact};
use super::lines::Line;
use super::payload::value_text;
use super::theme::Role;
use crate::model::request::Verdict;
use crate::model::time::{DAY, Ms, parse_rfc3339};
use crate::model::view::{ExplainView, FieldView, RequestDetail};
use crate::rules::autopsy::Kept;
use crate::text::{clean, pad};
use jiff::tz::TimeZone;

/// Cells of a label.
const LABEL: usize = 10;
/// Cells of the first of two values beside each other.
const BESIDE: usize = 34;

/// `first 64 KiB of 6.3 MiB kept`, where the body was cut.
#[must_use]
pub fn kept(detail: &RequestDetail) -> Option<String> {
    let request = &detail.request;
    if !request.marks.iter().any(|mark| mark == "body_cut") {
        return None;
    }
    let declared = detail.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let declared = declared.and_then(|(_, value)| value.trim().parse::<u64>().ok());
    Some(Kept { len: request.size, declared }.short())
}

/// In two lines, over the flat view.
pub fn brief(detail: &RequestDetail, explain: Option<&ExplainView>, lines: &mut Vec<Line>) {
    let request = &detail.request;
    let (glyph, role) = super::glyphs::verdict(request.verdict);
    let text = match (request.verdict, &request.duplicate_of) {
        (Verdict::Duplicate, Some(first)) => {
            let same: Vec<&str> = explain.iter().flat_map(|e| &e.fields).map(|f| f.path.as_str()).collect();
            let same = if same.is_empty() { String::new() } else { format!("; same {}", same.join(" and ")) };
            format!("duplicate of {}{same}", crate::model::id::short(first))
        }
        (verdict, _) => {
            format!("{}: {}", verdict.word(), request.cause.as_deref().unwrap_or("no cause is stored"))
        }
    };
    lines.push(Line { glyph: Some((glyph, role)), ..Line::text(text, Role::Text) });
    let likely = explain.and_then(|explain| explain.told.iter().find(|(label, _)| label == "likely"));
    let next = likely.map(|(_, text)| text).or_else(|| explain.and_then(|explain| explain.why.first()));
    if let Some(next) = next {
        lines.push(Line::text(next.clone(), Role::Muted));
    }
}

/// A line with a label of ours; the text keeps its place whatever else the pane shows.
fn label(label: &str, text: impl AsRef<str>, role: Role) -> Line {
    // No key: values of keys share a column with the paths below, and labels are short.
    Line { value: format!("{} {}", pad(label, LABEL), text.as_ref()), role, ..Line::default() }
}

/// All of it, in the order of the screen: answered, rule or cause, evidence, what is beside it.
pub fn whole(
    detail: &RequestDetail,
    explain: Option<&ExplainView>,
    zone: &TimeZone,
    now: Ms,
    lines: &mut Vec<Line>,
) {
    let request = &detail.request;
    let shown = |time: &str| parse_rfc3339(time).map_or_else(|| time.to_owned(), |at| exact(at, zone));
    if request.verdict == Verdict::Rejected && explain.is_some_and(|explain| !explain.told.is_empty()) {
        lines.push(label("arrived", shown(&request.time), Role::Text));
        lines.push(label("flow", format!("{} / {}", request.integration, request.flow), Role::Text));
        for (name, text) in explain.iter().flat_map(|explain| &explain.told) {
            let role = match name.as_str() {
                "what" => Role::Warn,
                "likely" => Role::Info,
                "" if text.trim() == "^" => Role::Match,
                _ => Role::Text,
            };
            lines.push(label(name, text, role));
        }
        return;
    }
    answered(detail, &shown, lines);
    let Some(explain) = explain else {
        lines.push(Line::text("asking the store why…", Role::Muted));
        return;
    };
    if request.verdict == Verdict::Duplicate {
        duplicate(request.id.as_str(), explain, zone, now, lines);
    }
    for (at, line) in explain.why.iter().enumerate() {
        lines.push(label(if at == 0 { "note" } else { "" }, line, Role::Text));
    }
    beside(&request.id, explain, zone, now, lines);
}

fn answered(detail: &RequestDetail, shown: &dyn Fn(&str) -> String, lines: &mut Vec<Line>) {
    let request = &detail.request;
    lines.push(label("arrived", shown(&request.time), Role::Text));
    let status = detail.answer.as_ref().map(|answer| answer.status).or(request.status);
    if let Some(status) = status {
        let text = match (&request.duplicate_of, detail.answer.as_ref().map(|answer| answer.body.as_str())) {
            (Some(first), _) => format!("{status}, empty; Pointsman-Duplicate-Of: {first}"),
            (None, None | Some("")) => format!("{status}, empty"),
            (None, Some(body)) => format!("{status}, {body}"),
        };
        lines.push(label("answered", text, Role::Text));
    }
    lines.push(label("flow", format!("{} / {}", request.integration, request.flow), Role::Text));
    if let Some(cause) = &request.cause {
        lines.push(label("what", cause, Role::Warn));
    }
}

fn duplicate(id: &str, explain: &ExplainView, zone: &TimeZone, now: Ms, lines: &mut Vec<Line>) {
    if let Some(rule) = &explain.rule {
        lines.push(label("rule", rule, Role::Text));
    }
    let width = explain.fields.iter().map(|field| crate::text::width(&clean(&field.path))).max().unwrap_or(0);
    for (at, field) in explain.fields.iter().enumerate() {
        let first = explain.first_fields.get(at).map_or_else(|| told(field), told);
        let text = format!(
            "{}  {}  =  {}",
            pad(&clean(&field.path), width.min(40)),
            pad(&clean(&first), 18),
            clean(&told(field))
        );
        lines.push(label("", text, Role::Text));
    }
    if let Some(key) = &explain.key {
        lines.push(label("key", format!("sha256 {key}"), Role::Muted));
    }
    if explain.copies > 0 {
        lines.push(label("copies", copies(id, explain, zone, now), Role::Text));
    }
    if let Some(lapses) = &explain.lapses {
        let at = parse_rfc3339(lapses);
        let text = at.map_or_else(|| lapses.clone(), |at| exact(at, zone));
        let days = at.map_or(0, |at| (at - now) / DAY);
        let left = match days {
            ..=0 => String::new(),
            1 => ", in 1 day".to_owned(),
            days => format!(", in {days} days"),
        };
        let moves = if explain.rule.as_deref().is_some_and(|rule| rule.ends_with("from the last copy")) {
            "; each further copy moves it on"
        } else {
            "; further copies do not move it"
        };
        lines.push(label("lapses", format!("{text}{left}{moves}"), Role::Text));
    }
}

fn told(field: &FieldView) -> String {
    if field.missing { "is not there".to_owned() } else { value_text(&field.value).1 }
}

/// `3: 14:31:52 first, accepted · 14:31:53 duplicate · 14:31:55 this one`
fn copies(id: &str, explain: &ExplainView, zone: &TimeZone, now: Ms) -> String {
    let mut parts = Vec::new();
    for copy in &explain.listed {
        let time = parse_rfc3339(&copy.time).map_or_else(|| copy.time.clone(), |at| clock(at, now, zone));
        let word = match copy.verdict {
            _ if copy.request == id => "this one".to_owned(),
            Verdict::Accepted => "first, accepted".to_owned(),
            verdict => verdict.word().to_owned(),
        };
        parts.push(format!("{time} {word}"));
    }
    let left = explain.copies.saturating_sub(explain.listed.len() as u64);
    if left > 0 {
        parts.push(format!("{} more", count(left)));
    }
    let listed = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(" · ")) };
    format!("{}{listed}", count(explain.copies))
}

/// Paths whose values differ from the first request's, both values beside each other.
fn beside(id: &str, explain: &ExplainView, zone: &TimeZone, now: Ms, lines: &mut Vec<Line>) {
    let Some(first) = explain.first.as_ref().filter(|first| *first != id) else { return };
    let differ = explain.differs.len() as u64;
    let of = if explain.paths > 0 { format!(" of {}", count(explain.paths)) } else { String::new() };
    let verb = if differ == 1 && of.is_empty() { "path differs" } else { "paths differ" };
    lines.push(Line::text(format!("── beside the first · {}{of} {verb} ──", count(differ)), Role::Border));
    if differ == 0 {
        return;
    }
    let time = |wanted: &str| {
        let copy = explain.listed.iter().find(|copy| copy.request == wanted);
        let at = copy.and_then(|copy| parse_rfc3339(&copy.time));
        at.map_or_else(String::new, |at| format!(", {}", clock(at, now, zone)))
    };
    let heads = format!(
        "{} {}",
        pad(&format!("first {}{}", crate::model::id::short(first), time(first)), BESIDE),
        format_args!("this {}{}", crate::model::id::short(id), time(id)),
    );
    // As wide as the longest path with its mark, so that none is cut for the heading's sake.
    let longest = explain.differs.iter().map(|(path, _, _)| crate::text::width(path)).max().unwrap_or(0);
    lines.push(Line {
        key: pad("path", longest.min(60) + 1),
        key_role: Role::Muted,
        value: heads,
        role: Role::Muted,
        indent: 2,
        ..Line::default()
    });
    for (path, there, here) in &explain.differs {
        let (glyph, role) = match (there.is_null(), here.is_null()) {
            (true, false) => ("+", Role::Added),
            (false, true) => ("-", Role::Removed),
            _ => ("≠", Role::Warn),
        };
        let value = |value: &serde_json::Value, gone: bool| {
            if gone { "not there".to_owned() } else { value_text(value).1 }
        };
        let first = clean(&value(there, glyph == "+")).into_owned();
        let first = crate::text::cut_end(&first, BESIDE).into_owned();
        lines.push(Line {
            glyph: Some((glyph, role)),
            key: path.clone(),
            key_role: Role::JsonKey,
            value: format!("{} {}", pad(&first, BESIDE), value(here, glyph == "-")),
            path: path.clone(),
            ..Line::default()
        });
    }
}
