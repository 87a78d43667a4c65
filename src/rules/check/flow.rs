//! `[[flow]]` and the trigger `webhook`.

use super::fields::{Fields, list, meant};
use super::gates::request_path;
use super::names::Names;
use super::units::{is_alias, size, slug};
use super::{Known, auth, gates, reply, step, trigger};
use crate::model::document::{Connection, Dedup, Flow, MAX_BODY, Trigger, Webhook};
use crate::model::path::Path;
use crate::model::time::DAY;
use crate::rules::template::Parsed;

const KEYS: &[&str] = &["id", "name", "was", "description", "trigger", "step"];
pub(super) const WEBHOOK: &[&str] = &[
    "type",
    "path",
    "methods",
    "auth",
    "allow_from",
    "dedup",
    "required",
    "when",
    "split",
    "mask",
    "reply",
    "timeout",
    "on_timeout",
    "rate_limit",
    "max_body",
    "concurrency",
];
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];
/// More are not kept in memory while they arrive.
const LARGEST_BODY: u64 = 64 << 20;

/// All flows that could be read.
pub(super) fn read(
    tables: &[Fields<'_>],
    names: &mut Names,
    connections: &[(Connection, Option<Parsed>)],
    known: &Known,
) -> Vec<Flow> {
    let mut all: Vec<Flow> = Vec::new();
    for fields in tables {
        let report = fields.report;
        let what =
            fields.text("name").map_or_else(|| "a flow".to_owned(), |(name, _)| format!("flow {name:?}"));
        let fields = &fields.named(what);
        let name = fields.required_text("name", "name = \"Sync customers\"");
        if let Some((name, span)) = &name {
            if name.trim().is_empty() || name.chars().any(char::is_control) || name.chars().count() > 100 {
                report.error(
                    span.start,
                    format!("name {name:?} is not possible: write up to 100 printable characters"),
                );
            } else if all.iter().any(|other| other.name == *name) {
                report.error(span.start, format!("there are two flows {name:?}: rename one"));
            }
        }
        let at = name.as_ref().map_or(fields.span.start, |(_, span)| span.start);
        let name = name.map(|(name, _)| name).unwrap_or_default();
        let was = fields.text("was").map(|(was, span)| {
            if let Some(saved) = known.flows.as_ref().filter(|saved| !saved.contains(&was)) {
                let saved: Vec<&str> = saved.iter().map(String::as_str).collect();
                report.warning(
                    span.start,
                    format!(
                        "was {was:?} names no flow of the saved version: nothing is renamed{}",
                        meant(&was, &saved)
                    ),
                );
            }
            was
        });
        let written = fields.text("id");
        let id_written = written.is_some();
        let (id, id_at) = match written {
            Some((id, span)) => {
                if !is_alias(&id) {
                    report.error(
                        span.start,
                        format!("id {id:?} is not possible: write 1 to 64 of A-Z, a-z, 0-9 and . _ ~ -"),
                    );
                }
                (id, span.start)
            }
            // A renamed flow keeps the id that was made from its first name.
            None => (slug(was.as_deref().unwrap_or(&name)), at),
        };
        if let Some(other) = all.iter().find(|other| other.id == id) {
            let message =
                format!("flow {:?} has the id {id:?} already: write another id = \"…\"", other.name);
            report.error(id_at, message);
        }
        let trigger = trigger::read(fields, names, &all, known);
        let split = matches!(&trigger, Trigger::Webhook(webhook) if webhook.split.is_some());
        names.element("record", split);
        let steps = step::read(fields, names, connections, &trigger);
        names.element("record", false);
        all.push(Flow {
            id,
            id_written,
            name,
            was,
            description: fields.text("description").map(|(text, _)| text).unwrap_or_default(),
            trigger,
            steps,
        });
        fields.finish(KEYS);
    }
    all
}

pub(super) fn webhook(fields: &Fields<'_>, names: &Names, flows: &[Flow], known: &Known) -> Webhook {
    let report = fields.report;
    let path = fields.text("path").map(|(path, span)| {
        let sibling = flows.iter().find(
            |flow| matches!(&flow.trigger, Trigger::Webhook(webhook) if webhook.path.as_ref() == Some(&path)),
        );
        if !is_alias(&path) {
            report.error(
                span.start,
                format!("path {path:?} is not possible: write 1 to 64 of A-Z, a-z, 0-9 and . _ ~ -"),
            );
        } else if let Some(sibling) = sibling {
            report.error(
                span.start,
                format!("path {path:?} belongs to flow {:?} of this document: write another", sibling.name),
            );
        } else if let Some((_, owner)) = known.paths.iter().find(|(other, _)| *other == path) {
            report.error(span.start, format!("path {path:?} belongs to {owner}: write another"));
        }
        path
    });
    let auth = auth::read(fields, known);
    let when = fields.text("when").map(|(when, span)| {
        names.condition(report, &when, &span);
        when
    });
    let webhook = Webhook {
        path,
        methods: methods(fields),
        auth,
        dedup: fields.table("dedup", "dedup").map(|dedup| dedup_rule(&dedup)),
        required: fields
            .texts("required")
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(text, span)| request_path(fields, &text, span.start, "required"))
            .collect(),
        when,
        split: reply::split(fields),
        reply: reply::reply(fields),
        max_body: max_body(fields),
        gates: Box::new(gates::read(fields)),
    };
    fields.finish(WEBHOOK);
    webhook
}

fn methods(fields: &Fields<'_>) -> Vec<String> {
    let standard = || ["POST", "PUT", "PATCH", "DELETE"].map(str::to_owned).to_vec();
    let Some(written) = fields.texts("methods") else { return standard() };
    if written.is_empty() {
        fields
            .report
            .error(fields.key_at("methods"), "methods is empty: leave it out or write methods = [\"POST\"]");
    }
    let mut all = Vec::new();
    for (method, span) in written {
        if !METHODS.contains(&method.as_str()) {
            let message =
                format!("method {method:?} is not possible: {}{}", list(METHODS), meant(&method, METHODS));
            fields.report.error(span.start, message);
        } else if all.contains(&method) {
            fields.report.error(span.start, format!("method {method:?} is written twice"));
        }
        all.push(method);
    }
    all
}

fn max_body(fields: &Fields<'_>) -> u64 {
    let Some(value) = fields.get("max_body") else { return MAX_BODY };
    let at = value.span().start;
    let text = match (value.get_ref().as_str(), value.get_ref().as_integer()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(number)) => number.as_str().to_owned(),
        _ => {
            fields.report.error(at, "max_body is no size: write max_body = \"6MiB\"");
            return MAX_BODY;
        }
    };
    match size(&text) {
        Ok(bytes) if (1..=LARGEST_BODY).contains(&bytes) => return bytes,
        Ok(_) => {
            let message = format!("max_body {text:?} is not possible: write \"1B\" to \"64MiB\"");
            fields.report.error(at, message);
        }
        Err(message) => fields.report.error(at, message),
    }
    MAX_BODY
}

fn dedup_rule(fields: &Fields<'_>) -> Dedup {
    let report = fields.report;
    let written = fields.texts("fields");
    if !fields.has("fields") {
        report.missing(fields.span.start, "dedup has no fields: write fields = [\"body.order_number\"]");
    }
    let written = written.unwrap_or_default();
    if fields.has("fields") && written.is_empty() {
        report.error(fields.key_at("fields"), "fields is empty: write one to five paths, or leave dedup out");
    }
    if let Some((_, span)) = written.get(5) {
        report.error(span.start, format!("dedup has {} fields: at most 5 are possible", written.len()));
    }
    let mut paths: Vec<Path> = Vec::new();
    for (text, span) in written {
        let Some(path) = request_path(fields, &text, span.start, "a dedup field") else { continue };
        if paths.contains(&path) {
            report.error(span.start, format!("{text} is written twice"));
        }
        paths.push(path);
    }
    let window = fields.duration("window", 365 * DAY, "\"365d\"").unwrap_or(7 * DAY);
    let from_first = fields.choice("from", &[("last", false), ("first", true)]).unwrap_or(false);
    fields.finish(&["fields", "window", "from"]);
    Dedup { fields: paths, window, from_first }
}
