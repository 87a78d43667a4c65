//! Rows that filters judge: requests, runs, callbacks and audit entries as lists show them.

use super::data::all_at;
use crate::model::Ms;
use crate::model::headers::is_credential;
use crate::model::path::{Path, Segment, walk};
use crate::model::query::{Row, contains, text_of};
use crate::model::request::RequestData;
use crate::model::time::parse_rfc3339;
use crate::model::view::{AuditView, CallbackView, RequestView, RunView, StepView};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt::Display;

/// A request, with its data where that was read (see `Query::needs_body`).
#[derive(Debug, Clone, Copy)]
pub struct RequestRow<'a> {
    /// What lists show.
    pub view: &'a RequestView,
    /// Body, headers and query.
    pub data: Option<&'a RequestData>,
}

/// A run, with its request's data where that was read.
#[derive(Debug, Clone, Copy)]
pub struct RunRow<'a> {
    /// What lists show; steps and attempts where they were read (see `Query::needs_steps`).
    pub view: &'a RunView,
    /// Of the request that began it.
    pub data: Option<&'a RequestData>,
}

/// A callback.
#[derive(Debug, Clone, Copy)]
pub struct CallbackRow<'a>(
    /// What lists show.
    pub &'a CallbackView,
);

/// An entry of the audit trail.
#[derive(Debug, Clone, Copy)]
pub struct AuditRow<'a>(
    /// What lists show.
    pub &'a AuditView,
);

impl Row for RequestRow<'_> {
    fn time(&self) -> Ms {
        parse_rfc3339(&self.view.time).unwrap_or_default()
    }

    fn named(&self, name: &str) -> Vec<Cow<'_, str>> {
        let view = self.view;
        match name {
            "id" | "request" => text(&view.id),
            "time" => text(&view.time),
            "integration" => text(&view.integration),
            "flow" => text(&view.flow),
            "endpoint" => text(&view.endpoint),
            "method" => text(&view.method),
            "path" => text(&view.path),
            "verdict" => text(view.verdict.word()),
            "status" => number(view.status),
            "cause" => maybe(view.cause.as_ref()),
            "dedup_key" => maybe(view.dedup_key.as_ref()),
            "duplicate_of" => maybe(view.duplicate_of.as_ref()),
            "run" | "runs" => texts(&view.runs),
            "size" => number(Some(view.size)),
            "actor" => maybe(view.actor.as_ref()),
            "from" => maybe(view.from.as_ref()),
            "test" => number(Some(view.test)),
            "marks" => texts(&view.marks),
            "what" => text(&view.what),
            _ => Vec::new(),
        }
    }

    fn at(&self, path: &Path) -> Vec<Cow<'_, Value>> {
        self.data.map(|data| all_at(data, path)).unwrap_or_default()
    }

    fn mentions(&self, word: &str) -> bool {
        const NAMES: [&str; 15] = [
            "id",
            "time",
            "integration",
            "flow",
            "endpoint",
            "method",
            "path",
            "verdict",
            "status",
            "cause",
            "duplicate_of",
            "runs",
            "actor",
            "from",
            "marks",
        ];
        in_names(self, &NAMES, word) || self.data.is_some_and(|data| in_data(data, word))
    }
}

impl Row for RunRow<'_> {
    fn time(&self) -> Ms {
        born(&self.view.id)
    }

    fn named(&self, name: &str) -> Vec<Cow<'_, str>> {
        let view = self.view;
        match name {
            "id" | "run" => text(&view.id),
            "request" => maybe(view.request.as_ref()),
            "parent" => maybe(view.parent.as_ref()),
            "integration" => text(&view.integration),
            "flow" => text(&view.flow),
            "version" => number(Some(view.version)),
            "state" => text(view.state.word()),
            "cause" => maybe(view.cause.as_ref()),
            "started" => maybe(view.started.as_ref()),
            "ended" => maybe(view.ended.as_ref()),
            "due" => maybe(view.due.as_ref()),
            "test" => number(Some(view.test)),
            "step" | "steps" => view.steps.iter().map(|step| Cow::Borrowed(step.name.as_str())).collect(),
            _ => match name.strip_prefix("step.") {
                Some(name) => view.steps.iter().flat_map(|step| of_step(step, name)).collect(),
                None => Vec::new(),
            },
        }
    }

    fn at(&self, path: &Path) -> Vec<Cow<'_, Value>> {
        if path.root() != "step" {
            return self.data.map(|data| all_at(data, path)).unwrap_or_default();
        }
        let [Segment::Key(outputs), Segment::Key(name), rest @ ..] = path.rest() else { return Vec::new() };
        if outputs != "outputs" {
            return Vec::new();
        }
        let outputs = self.view.steps.iter().filter_map(|step| step.outputs.as_ref()?.get(name));
        outputs.filter_map(|value| walk(value, rest)).map(Cow::Borrowed).collect()
    }

    fn mentions(&self, word: &str) -> bool {
        const NAMES: [&str; 14] = [
            "id",
            "request",
            "parent",
            "integration",
            "flow",
            "state",
            "cause",
            "started",
            "ended",
            "step.name",
            "step.type",
            "step.state",
            "step.cause",
            "step.outputs",
        ];
        in_names(self, &NAMES, word)
            || self.view.steps.iter().any(|step| in_attempts(step, word))
            || self.data.is_some_and(|data| in_data(data, word))
    }
}

fn of_step<'s>(step: &'s StepView, name: &str) -> Vec<Cow<'s, str>> {
    match name {
        "name" => text(&step.name),
        "type" => text(&step.kind),
        "state" => text(step.state.word()),
        "cause" => maybe(step.cause.as_ref()),
        "started" => maybe(step.started.as_ref()),
        "ended" => maybe(step.ended.as_ref()),
        "attempts" => number(Some(step.attempts.len())),
        "status" => step
            .attempts
            .iter()
            .filter_map(|attempt| attempt.status)
            .map(|code| Cow::Owned(code.to_string()))
            .collect(),
        "outcome" => step
            .attempts
            .iter()
            .filter_map(|attempt| serde_json::to_value(attempt.outcome?).ok())
            .map(|word| Cow::Owned(text_of(&word).into_owned()))
            .collect(),
        "outputs" => step.outputs.iter().flat_map(|outputs| outputs.values()).map(text_of).collect(),
        _ => Vec::new(),
    }
}

/// What was sent and what came back.
fn in_attempts(step: &StepView, word: &str) -> bool {
    step.attempts.iter().any(|attempt| {
        let sent = attempt.request.as_ref().is_some_and(|sent| {
            contains(&sent.url, word) || sent.body.as_ref().is_some_and(|body| contains(body, word))
        });
        let got = attempt.response.as_ref().is_some_and(|got| contains(&got.body, word));
        sent || got || attempt.cause.as_ref().is_some_and(|cause| contains(cause, word))
    })
}

impl Row for CallbackRow<'_> {
    fn time(&self) -> Ms {
        parse_rfc3339(&self.0.created).unwrap_or_default()
    }

    fn named(&self, name: &str) -> Vec<Cow<'_, str>> {
        let view = self.0;
        match name {
            "id" | "callback" => text(&view.id),
            "run" => text(&view.run),
            "step" | "step.name" => text(&view.step),
            "state" => text(view.state.word()),
            "deadline" => text(&view.deadline),
            "created" | "time" => text(&view.created),
            "received" => maybe(view.received.as_ref()),
            "status" => number(view.status),
            "integration" => text(&view.integration),
            "flow" => text(&view.flow),
            "overdue" => number(Some(view.overdue)),
            _ => Vec::new(),
        }
    }

    fn at(&self, _path: &Path) -> Vec<Cow<'_, Value>> {
        Vec::new()
    }

    fn mentions(&self, word: &str) -> bool {
        const NAMES: [&str; 8] = ["id", "run", "step", "state", "deadline", "created", "integration", "flow"];
        in_names(self, &NAMES, word)
    }
}

impl Row for AuditRow<'_> {
    fn time(&self) -> Ms {
        parse_rfc3339(&self.0.at).unwrap_or_default()
    }

    fn named(&self, name: &str) -> Vec<Cow<'_, str>> {
        let view = self.0;
        match name {
            "id" => text(&view.id),
            "at" | "time" => text(&view.at),
            "who" | "actor" => text(&view.who),
            "door" => text(&view.door),
            "verb" => text(&view.verb),
            "target" => text(&view.target),
            "reason" => maybe(view.reason.as_ref()),
            "detail" => text(&view.detail),
            _ => Vec::new(),
        }
    }

    fn at(&self, _path: &Path) -> Vec<Cow<'_, Value>> {
        Vec::new()
    }

    fn mentions(&self, word: &str) -> bool {
        in_names(self, &["id", "at", "who", "door", "verb", "target", "reason", "detail"], word)
    }
}

fn text(text: &str) -> Vec<Cow<'_, str>> {
    vec![Cow::Borrowed(text)]
}

fn texts(texts: &[String]) -> Vec<Cow<'_, str>> {
    texts.iter().map(|text| Cow::Borrowed(text.as_str())).collect()
}

fn maybe(text: Option<&String>) -> Vec<Cow<'_, str>> {
    text.iter().map(|text| Cow::Borrowed(text.as_str())).collect()
}

fn number<'r>(value: Option<impl Display>) -> Vec<Cow<'r, str>> {
    value.into_iter().map(|value| Cow::Owned(value.to_string())).collect()
}

fn in_names(row: &dyn Row, names: &[&str], word: &str) -> bool {
    names.iter().any(|name| row.named(name).iter().any(|text| contains(text, word)))
}

/// Whether a leaf of the body, a header that is no credential, or a query value holds the word.
fn in_data(data: &RequestData, word: &str) -> bool {
    let mut found = in_value(&data.body, word);
    found |= data.headers.iter().any(|(name, value)| !is_credential(name) && contains(value, word));
    found || data.query.values().any(|value| in_value(value, word))
}

fn in_value(value: &Value, word: &str) -> bool {
    match value {
        Value::Array(values) => values.iter().any(|value| in_value(value, word)),
        Value::Object(map) => map.values().any(|value| in_value(value, word)),
        leaf => contains(&text_of(leaf), word),
    }
}

/// The time in an id's text: the first 48 bits of a `UUIDv7` are milliseconds.
fn born(id: &str) -> Ms {
    let digits: String = id.chars().filter(|c| *c != '-').take(12).collect();
    Ms::from_str_radix(&digits, 16).unwrap_or_default()
}

#[cfg(test)]
mod tests;
