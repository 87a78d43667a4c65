//! A request of a back-test with both versions: what each would send, and what differs.

use super::lines::{Line, Lines};
use super::payload::value_text;
use super::theme::Role;
use crate::model::request::Verdict;
use crate::model::run::RunState;
use crate::model::study::{BackTestField, SimulatedStep, SimulatedView};
use crate::model::view::SentView;
use crate::rules::flatten::flatten;
use crate::rules::json;
use std::collections::BTreeMap;

/// What a version makes of it; else why that is not known.
pub type Side = Result<Box<SimulatedView>, String>;

/// What is open.
#[derive(Debug)]
pub struct Sides {
    /// The stored request.
    pub request: String,
    /// What the back-test found to differ.
    fields: Vec<BackTestField>,
    /// With the live version, and with the draft, as far as it is known.
    both: [Option<Side>; 2],
    /// Both in lines.
    pub lines: Lines,
}

impl Sides {
    /// A request, and what the back-test found.
    #[must_use]
    pub fn new(request: String, fields: Vec<BackTestField>) -> Self {
        let mut sides = Self { request, fields, both: [None, None], lines: Lines::default() };
        sides.build();
        sides
    }

    /// One of the two came.
    pub fn came(&mut self, draft: bool, side: Side) {
        self.both[usize::from(draft)] = Some(side);
        self.build();
    }

    fn build(&mut self) {
        let mut lines = vec![Line::text("what changes", Role::Title)];
        for field in &self.fields {
            let step = field.step.as_deref().unwrap_or("trigger");
            let shown = |value: &serde_json::Value| {
                if value.is_null() { "not there".to_owned() } else { value_text(value).1 }
            };
            let name = format!("{step} {}", field.path);
            differs(&name, Some(&shown(&field.before)), Some(&shown(&field.after)), 2, &mut lines);
        }
        match &self.both {
            [Some(Ok(live)), Some(Ok(draft))] => both(live, draft, &mut lines),
            [Some(Err(why)), _] | [_, Some(Err(why))] => {
                lines.push(Line::text("what would be sent", Role::Title));
                lines.push(Line::text(why.clone(), Role::Warn));
            }
            _ => lines.push(Line::text("asking what both versions would send…", Role::Muted)),
        }
        self.lines.set(lines);
    }
}

/// Both, a step after the other: what is the same once, what differs under each other.
fn both(live: &SimulatedView, draft: &SimulatedView, lines: &mut Vec<Line>) {
    let told = |view: &SimulatedView| -> Vec<(String, String)> {
        let cause = |cause: Option<&str>| cause.map_or_else(String::new, |why| format!(": {why}"));
        let mut told = Vec::new();
        if view.verdict != Verdict::Accepted {
            told.push((
                "verdict".to_owned(),
                format!("{}{}", view.verdict.word(), cause(view.cause.as_deref())),
            ));
        }
        if view.end != RunState::Succeeded {
            told.push(("end".to_owned(), format!("{}{}", view.end.word(), cause(view.end_cause.as_deref()))));
        }
        told
    };
    let (one, other) = (told(live), told(draft));
    if !one.is_empty() || !other.is_empty() {
        lines.push(Line::text("the run", Role::Title));
        beside(&one, &other, lines);
    }
    let names = live.steps.iter().chain(&draft.steps).map(|step| step.name.as_str());
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        let of = |view: &SimulatedView| -> Vec<(String, String)> {
            view.steps.iter().find(|step| step.name == name).map(parts).unwrap_or_default()
        };
        lines.push(Line::text(name.to_owned(), Role::Title));
        beside(&of(live), &of(draft), lines);
    }
}

/// What a step would send, by what names each part of it.
fn parts(step: &SimulatedStep) -> Vec<(String, String)> {
    let mut parts = Vec::new();
    let mut put = |name: &str, text: Option<&String>| {
        parts.extend(text.map(|text| (name.to_owned(), text.clone())));
    };
    if step.runs == Some(false) {
        put("runs", Some(&"no".to_owned()));
    }
    put("why", step.cause.as_ref());
    put("not sent", step.blocked.as_ref());
    if let Some(request) = &step.request {
        sent("", request, &mut parts);
    }
    for item in &step.items {
        let name = format!("item {} ", item.item);
        parts.extend(item.cause.as_ref().map(|why| (format!("{name}why"), why.clone())));
        if let Some(request) = &item.request {
            sent(&name, request, &mut parts);
        }
    }
    parts
}

fn sent(before: &str, request: &SentView, parts: &mut Vec<(String, String)>) {
    parts.push((format!("{before}sends"), format!("{} {}", request.method, request.url)));
    for (name, value) in &request.headers {
        parts.push((format!("{before}{}", name.to_ascii_lowercase()), value.clone()));
    }
    let Some(body) = request.body.as_deref().filter(|body| !body.is_empty()) else { return };
    match json::parse(body.as_bytes()) {
        Ok(value) => flatten(&format!("{before}body"), &value, &mut |path, value| {
            parts.push((path.to_owned(), value_text(value).1));
        }),
        Err(_) => parts.push((format!("{before}body"), body.to_owned())),
    }
}

fn beside(one: &[(String, String)], other: &[(String, String)], lines: &mut Vec<Line>) {
    let find: BTreeMap<&str, &String> = other.iter().map(|(name, text)| (name.as_str(), text)).collect();
    let had: BTreeMap<&str, &String> = one.iter().map(|(name, text)| (name.as_str(), text)).collect();
    for (name, text) in one {
        differs(name, Some(text), find.get(name.as_str()).copied(), 2, lines);
    }
    for (name, text) in other.iter().filter(|(name, _)| !had.contains_key(name.as_str())) {
        differs(name, None, Some(text), 2, lines);
    }
    if one.is_empty() && other.is_empty() {
        lines.push(Line { indent: 2, ..Line::text("sends nothing", Role::Muted) });
    }
}

/// A part that is the same in one line, else a line for each.
fn differs(name: &str, one: Option<&String>, other: Option<&String>, indent: u16, lines: &mut Vec<Line>) {
    let mut put = |mark: &str, text: &String, role: Role| {
        lines.push(Line {
            indent,
            key: format!("{mark} {name}"),
            key_role: if role == Role::Text { Role::Muted } else { role },
            value: text.clone(),
            role,
            opens: true,
            ..Line::default()
        });
    };
    if one == other {
        if let Some(text) = one {
            put(" ", text, Role::Text);
        }
        return;
    }
    if let Some(text) = one {
        put("-", text, Role::Removed);
    }
    if let Some(text) = other {
        put("+", text, Role::Added);
    }
}
