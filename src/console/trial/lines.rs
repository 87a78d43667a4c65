//! What a trial tells, in lines: every request that a run would send, and what came of a call.

use crate::console::format::took;
use crate::console::keymap::Keymap;
use crate::console::lines::Line;
use crate::console::payload::value_text;
use crate::console::theme::Role;
use crate::model::id::short;
use crate::model::request::Verdict;
use crate::model::run::RunState;
use crate::model::study::{CalledView, SimulatedStep, SimulatedView};
use crate::model::view::{Pair, SentView};
use crate::rules::flatten::flatten;
use crate::rules::json;

pub(in crate::console) fn head(view: &SimulatedView) -> Vec<(String, Role)> {
    let word = if view.draft { "the draft" } else { "live" };
    let of =
        view.request.as_deref().map_or_else(|| "a sample".to_owned(), |id| format!("request {}", short(id)));
    let cause = view.cause.as_deref().map_or_else(String::new, |cause| format!(": {cause}"));
    let element = match (view.elements, view.element) {
        (Some(all), Some(at)) => format!(" · element {at} of {all}"),
        _ => String::new(),
    };
    let verdict = if view.verdict == Verdict::Accepted { Role::Good } else { Role::Warn };
    let cause_of_end = view.end_cause.as_deref().map_or_else(String::new, |cause| format!(": {cause}"));
    let end = match view.end {
        RunState::Succeeded | RunState::SucceededWithSkips => Role::Text,
        _ => Role::Bad,
    };
    let unknown = match view.unknown.len() {
        0 => String::new(),
        1 => ", with 1 value that nobody knows".to_owned(),
        many => format!(", with {many} values that nobody knows"),
    };
    let mut all = vec![
        (format!("v{}, {word} · {of}{element} · {}{cause}", view.version, view.verdict.word()), verdict),
        (format!("it would end {}{cause_of_end}{unknown}", view.end.word()), end),
    ];
    if !view.not_touched.is_empty() {
        all.push((format!("not touched: {}", view.not_touched.join(", ")), Role::Muted));
    }
    all
}

pub(in crate::console) fn step_lines(step: &SimulatedStep, keys: &Keymap, lines: &mut Vec<Line>) {
    let (glyph, role) = match (step.runs, &step.cause, &step.blocked) {
        (Some(false), _, _) => ("»", Role::Muted),
        (_, Some(_), _) | (_, _, Some(_)) => ("!", Role::Bad),
        (None, _, _) => ("?", Role::Warn),
        _ => ("►", Role::Busy),
    };
    let value = match (&step.request, step.runs) {
        (_, None) => "nobody knows whether it runs".to_owned(),
        (Some(sent), _) => format!("{} {}", sent.method, sent.url),
        (None, _) => match step.item_count {
            Some(1) => "once, for 1 item".to_owned(),
            Some(count) => format!("once for each of {} items", crate::text::count(count)),
            None => step.kind.clone(),
        },
    };
    lines.push(Line {
        glyph: Some((glyph, role)),
        key: step.name.clone(),
        key_role: Role::Title,
        value,
        role: if step.runs == Some(false) { Role::Muted } else { Role::Text },
        path: step.name.clone(),
        opens: true,
        ..Line::default()
    });
    let mut label = |key: &str, value: String, role: Role| {
        let path = format!("{}\0{key}", step.name);
        lines.push(Line { indent: 2, path, opens: true, ..Line::label(key, value, role) });
    };
    if let (None, Some(sent)) = (step.runs, &step.request) {
        label("would send", format!("{} {}", sent.method, sent.url), Role::Text);
    }
    for (key, why, role) in [("why", &step.cause, Role::Warn), ("not sent", &step.blocked, Role::Bad)] {
        if let Some(why) = why {
            label(key, why.clone(), role);
        }
    }
    if let Some(until) = &step.until {
        label("waits until", until.clone(), Role::Info);
    }
    for (name, value) in step.outputs.iter().flatten() {
        let (role, text) = value_text(value);
        label(&format!("outputs.{name}"), text, role);
    }
    if let Some(answer) = &step.answer {
        label("answers", answer.status.to_string(), Role::Info);
        content(&step.name, &answer.headers, &answer.body, lines);
    }
    if let Some(SentView { headers, body, .. }) = &step.request {
        content(&step.name, headers, body.as_deref().unwrap_or_default(), lines);
    }
    for place in &step.left_out {
        lines.push(Line { indent: 2, ..Line::label("left out", place.clone(), Role::Warn) });
    }
    if let Some(count) = step.item_count {
        item_lines(step, count, lines);
    }
    for asked in &step.asks {
        let (value, role) = match &asked.from {
            Some(from) => (format!("{} = {} ({from})", asked.path, value_text(&asked.value).1), Role::Info),
            None => (format!("{}: nobody knows it; {} gives it", asked.path, keys.pressed("e")), Role::Warn),
        };
        let path = format!("asks {}.{}\0{}", step.name, asked.field, asked.path);
        let key = format!("{} asks", asked.field);
        lines.push(Line { indent: 2, path, ..Line::label(&key, value, role) });
    }
}

/// The items of a step that sends once an item of a list.
fn item_lines(step: &SimulatedStep, count: u64, lines: &mut Vec<Line>) {
    for item in &step.items {
        let why = item.cause.as_ref().or(item.blocked.as_ref());
        let (glyph, role) = match (item.runs, why) {
            (false, _) => ("»", Role::Muted),
            (true, Some(_)) => ("!", Role::Bad),
            (true, None) => ("►", Role::Busy),
        };
        let (name, request) = (format!("{}[{}]", step.name, item.item), item.request.as_ref());
        let sent = request.map(|sent| format!("{} {}", sent.method, sent.url));
        let told = [sent, why.cloned()].into_iter().flatten().collect::<Vec<_>>().join(" · ");
        lines.push(Line {
            indent: 2,
            glyph: Some((glyph, role)),
            key: format!("item {}", item.item),
            value: told,
            role: if item.runs { Role::Text } else { Role::Muted },
            path: name.clone(),
            opens: true,
            ..Line::default()
        });
        if let Some(SentView { headers, body, .. }) = request {
            content(&name, headers, body.as_deref().unwrap_or_default(), lines);
        }
    }
    let more = count.saturating_sub(step.items.len() as u64);
    if more > 0 {
        let text = format!("{} more items", crate::text::count(more));
        lines.push(Line { indent: 2, ..Line::text(text, Role::Muted) });
    }
}

/// Headers, and a body by its leaves where it is JSON.
fn content(step: &str, headers: &[Pair], body: &str, lines: &mut Vec<Line>) {
    let mut push = |key: &str, value: String, role: Role| {
        lines.push(Line {
            indent: 2,
            key: key.to_owned(),
            key_role: Role::JsonKey,
            value,
            role,
            path: format!("{step}\0{key}"),
            opens: true,
            ..Line::default()
        });
    };
    for (name, value) in headers {
        push(name, value.clone(), Role::Text);
    }
    if body.is_empty() {
        return;
    }
    match json::parse_answer(body.as_bytes()) {
        Ok(value) => flatten("body", &value, &mut |path, leaf| {
            let (role, text) = value_text(leaf);
            push(path, text, role);
        }),
        Err(_) => push("body", body.to_owned(), Role::Text),
    }
}

/// What came of a call that was really made: over the steps, until another is made.
pub(super) fn called(view: &CalledView) -> Vec<Line> {
    let attempt = &view.attempt;
    let took = attempt.elapsed_ms.map_or_else(String::new, |ms| format!(" in {}", took(ms)));
    let came = match (attempt.status, &attempt.cause) {
        (Some(status), _) => format!("{status}{took}"),
        (None, Some(cause)) => format!("{cause}{took}"),
        (None, None) => took,
    };
    let (glyph, role) = if view.success { ("✓", Role::Good) } else { ("!", Role::Bad) };
    let name = format!("called {}", view.step);
    let mut lines = vec![Line {
        glyph: Some((glyph, role)),
        key: name.clone(),
        key_role: Role::Title,
        value: came,
        role,
        path: name.clone(),
        opens: true,
        ..Line::default()
    }];
    let mut label = |key: &str, value: String, role: Role| {
        let path = format!("{name}\0{key}");
        lines.push(Line { indent: 2, path, opens: true, ..Line::label(key, value, role) });
    };
    if let Some(sent) = &attempt.request {
        label("sent", format!("{} {}", sent.method, sent.url), Role::Text);
    }
    if let (Some(cause), Some(_)) = (&attempt.cause, attempt.status) {
        label("means", cause.clone(), Role::Warn);
    }
    for (name, value) in view.outputs.iter().flatten() {
        let (role, text) = value_text(value);
        label(&format!("outputs.{name}"), format!("{text}   remembered"), role);
    }
    if let Some(sent) = &attempt.request {
        content(&format!("{name} sent"), &sent.headers, sent.body.as_deref().unwrap_or_default(), &mut lines);
    }
    if let Some(got) = &attempt.response {
        let cut = if got.cut { ", cut: only its beginning is shown" } else { "" };
        let text = format!("{}{cut}", got.status);
        lines.push(Line { indent: 2, ..Line::label("came back", text, Role::Text) });
        content(&format!("{name} got"), &got.headers, &got.body, &mut lines);
    }
    lines
}
