//! What becomes of the later steps when a step is skipped: they are really built, with what the
//! skipped step would have given missing, or with the stand-in in its place.

use crate::model::ask::{Fate, FieldPlan};
use crate::model::document::{Body, Delay, Missing, Step, StepKind};
use crate::model::path::{Segment, walk};
use crate::model::run::StepState;
use crate::model::{Map, Ms};
use crate::rules::plan::Plan;
use crate::rules::template::{self, Context, RenderError, StepData};
use serde_json::Value;
use std::collections::BTreeSet;

/// The fate of every field of the steps after `skipped` that asks for it, and a line for each step
/// that does not.
///
/// `context` is what templates see once the step is skipped. Steps in between have not run: their
/// declared outputs are taken to be there, so that only what the skip takes away shows.
pub fn fates(plan: &Plan, skipped: usize, context: &Context, now: Ms) -> Vec<FieldPlan> {
    let mut context = context.clone();
    let mut without: BTreeSet<String> =
        plan.flow.steps.get(skipped).map(|step| step.name.clone()).into_iter().collect();
    let mut fates = Vec::new();
    for (at, step) in plan.flow.steps.iter().enumerate().skip(skipped + 1) {
        let asked = Asked::of(step, &without);
        let found = if asked.any() { judge(plan, at, step, &asked, &context, now) } else { Vec::new() };
        let passed = found.iter().any(|fate| fate.fate == Fate::Passed);
        let fails = found.iter().any(|fate| fate.fate == Fate::Fails);
        if found.is_empty() {
            fates.push(FieldPlan { step: step.name.clone(), field: String::new(), fate: Fate::Unaffected });
        }
        // What a step makes of missing values is missing further on.
        if passed || fails || (!found.is_empty() && matches!(step.kind, StepKind::Set(_))) {
            without.insert(step.name.clone());
        }
        fates.extend(found);
        let ended = if passed { Some(StepState::Skipped) } else { fails.then_some(StepState::Failed) };
        if let Some(data) = given(plan, at, step, ended, &context) {
            context.finish([(step.name.clone(), data)]);
        }
    }
    fates
}

/// The later steps whose templates ask for one.
pub fn users(plan: &Plan, at: usize) -> Vec<&str> {
    let steps = &plan.flow.steps;
    let names: BTreeSet<String> = steps.get(at).map(|step| step.name.clone()).into_iter().collect();
    let later = steps.iter().skip(at + 1).filter(|step| Asked::of(step, &names).any());
    later.map(|step| step.name.as_str()).collect()
}

/// Builds one step and tells what became of the fields that ask for the skipped one.
fn judge(plan: &Plan, at: usize, step: &Step, asked: &Asked, context: &Context, now: Ms) -> Vec<FieldPlan> {
    let fate = |field: &str, fate: Fate| FieldPlan { step: step.name.clone(), field: field.to_owned(), fate };
    let once = !template::when_of_item(plan, at);
    let when = |context: &Context| {
        if !asked.when {
            return None;
        }
        match template::step_when(plan, at, context) {
            Ok(true) => None,
            Ok(false) => Some(vec![fate("when", Fate::Passed)]),
            Err(_) => Some(vec![fate("when", Fate::Fails)]),
        }
    };
    let failed = |error: RenderError| vec![fate(&error.place, Fate::Fails)];
    if once && let Some(judged) = when(context) {
        return judged;
    }
    // Of the items of a list the first stands for all.
    let context = &match template::first_item(plan, at, context) {
        Ok(Some(context)) => context,
        Ok(None) if asked.at(step, "for_each") => return vec![fate("for_each", Fate::LeftOut)],
        Ok(None) => return Vec::new(),
        Err(error) => return failed(error),
    };
    if !once && let Some(judged) = when(context) {
        return judged;
    }
    let left_out = |places: Vec<String>| {
        let left = if step.missing == Missing::Empty { Fate::Empty } else { Fate::LeftOut };
        places.iter().filter(|place| asked.at(step, place)).map(|place| fate(place, left)).collect()
    };
    match &step.kind {
        StepKind::Request(_) | StepKind::Send(_) => match template::build(plan, at, context) {
            Ok(built) => left_out(built.left_out),
            Err(error) => failed(error),
        },
        StepKind::Set(outputs) => match template::set_outputs(plan, at, context) {
            Ok(made) => outputs
                .iter()
                .filter(|(name, _)| asked.at(step, &format!("outputs.{name}")))
                .filter_map(|(name, _)| match made.get(name) {
                    None => Some((name, Fate::LeftOut)),
                    Some(Value::String(text)) if text.is_empty() && step.missing == Missing::Empty => {
                        Some((name, Fate::Empty))
                    }
                    Some(_) => None,
                })
                .map(|(name, left)| fate(&format!("outputs.{name}"), left))
                .collect(),
            Err(error) => failed(error),
        },
        StepKind::Fail { .. } => {
            template::fail_message(plan, at, context).map_or_else(failed, |_| Vec::new())
        }
        StepKind::Delay(Delay::Until(_)) => {
            template::delay_until(plan, at, context, now).map_or_else(failed, |_| Vec::new())
        }
        StepKind::Delay(Delay::For(_)) => Vec::new(),
        StepKind::Respond(_) => {
            template::respond_answer(plan, at, context).map_or_else(failed, |(_, left)| left_out(left))
        }
    }
}

/// What a step that has not run will have given: a `set` step is carried out, the outputs of an
/// exchange are taken to be there.
fn given(
    plan: &Plan,
    at: usize,
    step: &Step,
    ended: Option<StepState>,
    context: &Context,
) -> Option<StepData> {
    let data = |state, outputs| StepData { outputs, ..StepData::of(step, state) };
    if let Some(ended) = ended {
        return Some(data(ended, None));
    }
    match &step.kind {
        StepKind::Set(_) => {
            let made = template::set_outputs(plan, at, context).ok()?;
            Some(data(StepState::Succeeded, Some(made)))
        }
        StepKind::Request(exchange) | StepKind::Send(exchange) => {
            let outputs: Map = exchange
                .outputs
                .iter()
                .map(|(name, _)| (name.clone(), Value::String(format!("({}.{name})", step.name))))
                .collect();
            let state = StepState::Succeeded;
            let one = StepData { status: Some(200), outputs: Some(outputs), ..StepData::bare(state) };
            // Of how many items its list will be is not known: one stands for all.
            let each = step.kind.for_each().is_some();
            Some(if each { StepData { items: Some(vec![one]), ..data(state, None) } } else { one })
        }
        StepKind::Fail { .. } | StepKind::Delay(_) | StepKind::Respond(_) => {
            Some(data(StepState::Succeeded, None))
        }
    }
}

/// Which of a step's templates ask for certain other steps, by their text.
struct Asked {
    when: bool,
    names: BTreeSet<String>,
    anywhere: bool,
}

impl Asked {
    fn of(step: &Step, names: &BTreeSet<String>) -> Self {
        let when = step.when.as_deref().is_some_and(|text| asks(text, names));
        let anywhere = when || texts(step).iter().any(|text| asks(text, names));
        Self { when, names: names.clone(), anywhere }
    }

    fn any(&self) -> bool {
        self.anywhere
    }

    /// Whether the template at a place asks for them; one that is not found is taken to.
    fn at(&self, step: &Step, place: &str) -> bool {
        written(step, place).is_none_or(|text| asks(text, &self.names))
    }
}

/// All template texts of a step but its `when`.
fn texts(step: &Step) -> Vec<&str> {
    let mut texts = Vec::new();
    match &step.kind {
        StepKind::Request(exchange) | StepKind::Send(exchange) => {
            texts.extend(exchange.for_each.as_deref());
            texts.push(exchange.url.as_str());
            texts.extend(exchange.query.iter().chain(&exchange.headers).map(|(_, text)| text.as_str()));
            of_body(&exchange.body, &mut texts);
        }
        StepKind::Set(outputs) => texts.extend(outputs.iter().map(|(_, text)| text.as_str())),
        StepKind::Fail { message, .. } => texts.push(message),
        StepKind::Delay(Delay::Until(text)) => texts.push(text),
        StepKind::Delay(Delay::For(_)) => {}
        StepKind::Respond(respond) => {
            texts.extend(respond.headers.iter().map(|(_, text)| text.as_str()));
            of_body(&respond.body, &mut texts);
        }
    }
    texts
}

fn of_body<'v>(body: &'v Body, texts: &mut Vec<&'v str>) {
    match body {
        Body::Json(tree) => leaves(tree, texts),
        Body::Form(pairs) => texts.extend(pairs.iter().map(|(_, text)| text.as_str())),
        Body::Text(text) => texts.push(text),
        Body::Empty | Body::Document => {}
    }
}

fn leaves<'v>(tree: &'v Value, texts: &mut Vec<&'v str>) {
    match tree {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Value::Object(map) => map.values().for_each(|item| leaves(item, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The template that a place names: `json.a.b`, `headers.X-Ref`, `outputs.id`.
fn written<'s>(step: &'s Step, place: &str) -> Option<&'s str> {
    let (kind, rest) = place.split_once('.').unwrap_or((place, ""));
    let named = |pairs: &'s [(String, String)]| {
        pairs.iter().find(|(name, _)| name.eq_ignore_ascii_case(rest)).map(|(_, text)| text.as_str())
    };
    match &step.kind {
        StepKind::Request(exchange) | StepKind::Send(exchange) => match (kind, &exchange.body) {
            ("for_each", _) => exchange.for_each.as_deref(),
            ("url", _) => Some(&exchange.url),
            ("query", _) => named(&exchange.query),
            ("headers", _) => named(&exchange.headers),
            ("form", Body::Form(pairs)) => named(pairs),
            ("text", Body::Text(text)) => Some(text),
            (_, body) => in_json(body, place),
        },
        StepKind::Respond(respond) => match (kind, &respond.body) {
            ("headers", _) => named(&respond.headers),
            ("text", Body::Text(text)) => Some(text),
            (_, body) => in_json(body, place),
        },
        StepKind::Set(outputs) => named(outputs),
        StepKind::Fail { message, .. } => Some(message),
        StepKind::Delay(Delay::Until(text)) => Some(text),
        StepKind::Delay(Delay::For(_)) => None,
    }
}

/// The template at a place of a JSON tree.
fn in_json<'b>(body: &'b Body, place: &str) -> Option<&'b str> {
    let Body::Json(tree) = body else { return None };
    let path: crate::model::path::Path = place.parse().ok()?;
    match path.0.first() {
        Some(Segment::Key(root)) if root == "json" => walk(tree, path.rest())?.as_str(),
        _ => None,
    }
}

/// Whether a template's text names one of the steps: `steps.push`, `steps["push"]`. A use of
/// `steps` as a whole names them all.
fn asks(text: &str, names: &BTreeSet<String>) -> bool {
    let mut rest = text;
    while let Some(found) = rest.find("steps") {
        let before = rest[..found].chars().next_back();
        let after = rest[found + 5..].trim_start();
        rest = &rest[found + 5..];
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.') {
            continue;
        }
        let name: &str = if let Some(after) = after.strip_prefix('.') {
            let after = after.trim_start();
            let end = after.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(after.len());
            &after[..end]
        } else if let Some(after) = after.strip_prefix('[') {
            let after = after.trim_start();
            match after.chars().next() {
                Some(quote @ ('"' | '\'')) => after[1..].split(quote).next().unwrap_or_default(),
                _ => return true,
            }
        } else if after.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        } else {
            return true;
        };
        if names.contains(name) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_asks_for_a_step_however_it_is_written() {
        let names: BTreeSet<String> = ["push".to_owned()].into();
        for text in [
            "{{ steps.push.outputs.id }}",
            "{{ steps . push.outputs.id }}",
            "a {{ steps[\"push\"].status }}",
            "{{ steps['push'].body }}",
            "{{ steps[run] }}",
            "{{ steps | tojson }}",
            "{{ steps.lookup.outputs.id or steps.push.outputs.id }}",
        ] {
            assert!(asks(text, &names), "{text}");
        }
        for text in [
            "",
            "{{ steps.pushed.outputs.id }}",
            "{{ request.body.steps.push }}",
            "footsteps.push",
            "steps_push",
        ] {
            assert!(!asks(text, &names), "{text}");
        }
    }
}
