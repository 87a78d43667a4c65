//! `[[flow.step]]`.

use super::connection::templates;
use super::fields::{Fields, meant};
use super::names::{Earlier, Names};
use super::reply;
use super::{each, exchange};
use crate::model::document::{Connection, Delay, Missing, OnError, Step, StepKind, Trigger};
use crate::model::path::is_identifier;
use crate::model::time::DAY;
use crate::rules::template::Parsed;

const KINDS: &[&str] = &["request", "send", "set", "fail", "delay", "respond"];
const COMMON: &[&str] = &["name", "type", "when", "missing", "on_error"];

/// All steps of a flow that could be read.
pub(super) fn read(
    flow: &Fields<'_>,
    names: &mut Names,
    connections: &[(Connection, Option<Parsed>)],
    trigger: &Trigger,
) -> Vec<Step> {
    let tables = flow.tables("step", 200);
    names.earlier.clear();
    names.later = tables
        .iter()
        .filter_map(|step| {
            Some(step.entries().find(|(key, _, _)| *key == "name")?.2.get_ref().as_str()?.to_owned())
        })
        .collect();
    let mut all: Vec<Step> = Vec::new();
    for fields in tables {
        let report = fields.report;
        let what = fields
            .text("name")
            .map_or_else(|| format!("a step of {}", flow.what), |(name, _)| format!("step {name:?}"));
        let fields = &fields.named(what);
        let name = fields.required_text("name", "name = \"push\"");
        if let Some((name, span)) = &name {
            if !is_identifier(name) || name.len() > 64 {
                let message = format!(
                    "name {name:?} is not possible: write up to 64 letters, digits and _, beginning with no digit"
                );
                report.error(span.start, message);
            } else if all.iter().any(|other| other.name == *name) {
                report.error(span.start, format!("there are two steps {name:?}: rename one"));
            }
        }
        let name = name.map(|(name, _)| name).unwrap_or_default();
        let word = fields.text("type").map(|(word, _)| word).unwrap_or_default();
        let for_each = each::read(fields, names, &word);
        let each = word == "request" && fields.has("for_each");
        names.element("item", each);
        let when = fields.text("when").map(|(when, span)| {
            names.condition(report, &when, &span);
            when
        });
        let missing = fields
            .choice("missing", &[("omit", Missing::Omit), ("empty", Missing::Empty), ("fail", Missing::Fail)])
            .unwrap_or(Missing::Omit);
        let on_error = fields
            .choice(
                "on_error",
                &[("stop", OnError::Stop), ("continue", OnError::Continue), ("abort", OnError::Abort)],
            )
            .unwrap_or(OnError::Stop);
        // What these make goes into the journal, or to whoever sent the request.
        names.open = matches!(word.as_str(), "set" | "fail" | "delay" | "respond");
        let kind = kind(fields, names, connections, trigger, for_each);
        names.open = false;
        names.element("item", false);
        let outputs = match &kind {
            Some(StepKind::Set(outputs)) => outputs.iter().map(|(name, _)| name.clone()).collect(),
            Some(kind) => kind
                .exchange()
                .map(|exchange| exchange.outputs.iter().map(|(name, _)| name.clone()).collect())
                .unwrap_or_default(),
            None => Vec::new(),
        };
        names.later.retain(|other| *other != name);
        names.earlier.push(Earlier { name: name.clone(), outputs, each });
        if let Some(kind) = kind {
            all.push(Step { name, kind, when, missing, on_error });
        }
    }
    names.later.clear();
    names.earlier.clear();
    all
}

fn kind(
    fields: &Fields<'_>,
    names: &Names,
    connections: &[(Connection, Option<Parsed>)],
    trigger: &Trigger,
    for_each: Option<String>,
) -> Option<StepKind> {
    let report = fields.report;
    let (word, span) = fields.required_text("type", "type = \"request\"")?;
    let finish = |keys: &[&str]| fields.finish(&[COMMON, keys].concat());
    match word.as_str() {
        "request" => {
            let step = exchange::read(fields, names, connections, false, for_each);
            finish(exchange::REQUEST);
            Some(StepKind::Request(Box::new(step)))
        }
        "send" => {
            let step = exchange::read(fields, names, connections, true, None);
            finish(exchange::SEND);
            Some(StepKind::Send(Box::new(step)))
        }
        "set" => {
            let outputs = set(fields, names);
            finish(&["outputs"]);
            Some(StepKind::Set(outputs))
        }
        "fail" => {
            let message = fields.required_text("message", "message = \"Why it fails\"");
            if let Some((text, span)) = &message {
                names.template(report, text, span);
            }
            let status = fields.integer("status", 400..600).unwrap_or(422);
            finish(&["message", "status"]);
            let status = u16::try_from(status).unwrap_or(422);
            Some(StepKind::Fail { message: message.map(|(text, _)| text).unwrap_or_default(), status })
        }
        "delay" => {
            let delay = delay(fields, names);
            finish(&["for", "until"]);
            Some(StepKind::Delay(delay))
        }
        "respond" => {
            let respond = reply::respond(fields, names, trigger, span.start);
            finish(reply::RESPOND);
            Some(StepKind::Respond(Box::new(respond)))
        }
        other => {
            let message = format!(
                "type {other:?} is not possible: write \"request\", \"send\", \"set\", \"respond\", \"fail\" or \"delay\"{}",
                meant(other, KINDS)
            );
            report.error(span.start, message);
            None
        }
    }
}

fn set(fields: &Fields<'_>, names: &Names) -> Vec<(String, String)> {
    if !fields.has("outputs") {
        let message = format!("{} sets nothing: write outputs = {{ total = \"{{{{ … }}}}\" }}", fields.what);
        fields.report.missing(fields.span.start, message);
    }
    let literal = |key: &str| {
        let table = fields.table("outputs", "outputs")?;
        let (_, _, value) = table.entries().find(|(other, _, _)| *other == key)?;
        Some(!value.get_ref().is_str())
    };
    templates(fields, "outputs", names)
        .into_iter()
        .map(|((name, span), text)| {
            if !is_identifier(&name) {
                let message = format!("output {name:?} is not possible: write letters, digits and _");
                fields.report.error(span.start, message);
            }
            // A number or a boolean keeps its type, as a whole expression does.
            let text = if literal(&name) == Some(true) { format!("{{{{ {text} }}}}") } else { text };
            (name, text)
        })
        .collect()
}

fn delay(fields: &Fields<'_>, names: &Names) -> Delay {
    let until = fields.text("until");
    if let Some((text, span)) = &until {
        names.template(fields.report, text, span);
    }
    let duration = fields.duration("for", 365 * DAY, "\"365d\"");
    match (until, fields.has("for")) {
        (Some(_), true) => {
            fields
                .report
                .error(fields.key_at("until"), format!("{} has for and until: keep one", fields.what));
            Delay::For(0)
        }
        (Some((until, _)), false) => Delay::Until(until),
        (None, false) if !fields.has("until") => {
            fields.report.missing(
                fields.span.start,
                format!("{} has no time: write for = \"10m\" or until = \"{{{{ … }}}}\"", fields.what),
            );
            Delay::For(0)
        }
        (None, _) => Delay::For(duration.unwrap_or(0)),
    }
}
