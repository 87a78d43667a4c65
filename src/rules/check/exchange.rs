//! The HTTP exchange of `request` and `send` steps.

use super::connection::{headers, templates};
use super::fields::{Fields, meant_or, to_json};
use super::names::Names;
use super::units::status;
use crate::model::document::{Body, Connection, RequestStep, Retry, StatusMatch};
use crate::model::path::{Path, Segment, is_identifier};
use crate::model::time::{DAY, HOUR, SECOND};
use crate::rules::retry::{IDEMPOTENT_ATTEMPTS, OTHER_ATTEMPTS};
use crate::rules::template::{Parsed, Piece, Shape, authority_end};
use toml::Spanned;
use toml::de::DeValue;

/// Keys of a `request` step besides those of every step.
pub(super) const REQUEST: &[&str] = &[
    "connection",
    "method",
    "url",
    "query",
    "headers",
    "json",
    "form",
    "text",
    "timeout",
    "success",
    "errors",
    "outputs",
    "retry",
    "idempotent",
    "callback",
    "callback_deadline",
    "for_each",
];
/// Keys of a `send` step besides those of every step.
pub(super) const SEND: &[&str] = &[
    "connection",
    "method",
    "url",
    "headers",
    "timeout",
    "success",
    "errors",
    "outputs",
    "retry",
    "idempotent",
    "callback_deadline",
];
const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"];

/// Reads an exchange, with its defaults filled in. `for_each` was read before, since it says whether
/// there is an `item`.
pub(super) fn read(
    fields: &Fields<'_>,
    names: &Names,
    connections: &[(Connection, Option<Parsed>)],
    send: bool,
    for_each: Option<String>,
) -> RequestStep {
    let methods = if send { &["POST", "PUT"][..] } else { METHODS };
    let choices: Vec<(&str, &str)> = methods.iter().map(|method| (*method, *method)).collect();
    let method = fields.choice("method", &choices).unwrap_or("POST");
    let connection = connection(fields, names);
    let base = connections.iter().find(|(other, _)| Some(&other.name) == connection.as_ref());
    let url = url(fields, names, base);
    let idempotent =
        fields.boolean("idempotent").unwrap_or(matches!(method, "GET" | "HEAD" | "PUT" | "DELETE"));
    let callback = if send {
        if fields.boolean("callback") == Some(false) {
            fields
                .report
                .error(fields.key_at("callback"), "a send step always has a callback: use a request step");
        }
        true
    } else {
        fields.boolean("callback").unwrap_or(false)
    };
    let (errors, default_error) = errors(fields);
    RequestStep {
        connection,
        method: method.to_owned(),
        url,
        query: if send { Vec::new() } else { plain(templates(fields, "query", names)) },
        headers: headers(fields, names),
        body: if send { Body::Document } else { body_of(fields, names, &["json", "form", "text"]) },
        timeout: fields.duration("timeout", HOUR, "\"1h\"").unwrap_or(if send {
            5 * SECOND
        } else {
            10 * SECOND
        }),
        success: success(fields),
        errors,
        default_error,
        outputs: outputs(fields),
        retry: retry(fields, idempotent),
        idempotent,
        callback,
        callback_deadline: fields.duration("callback_deadline", 365 * DAY, "\"365d\"").unwrap_or(7 * DAY),
        for_each,
    }
}

fn plain(pairs: Vec<((String, std::ops::Range<usize>), String)>) -> Vec<(String, String)> {
    pairs.into_iter().map(|((name, _), text)| (name, text)).collect()
}

fn connection(fields: &Fields<'_>, names: &Names) -> Option<String> {
    let (name, span) = fields.text("connection")?;
    let global = name.starts_with("global/");
    if !names.connections.contains(&name) && (names.globals || !global) {
        let all: Vec<&str> = names.connections.iter().map(String::as_str).collect();
        let add = if global {
            ": the operator's configuration file has none of this name"
        } else {
            ": add [[connection]] with this name"
        };
        let message = format!("there is no connection {name:?}{}", meant_or(&name, &all, add));
        fields.report.error(span.start, message);
    }
    Some(name)
}

fn url(fields: &Fields<'_>, names: &Names, base: Option<&(Connection, Option<Parsed>)>) -> String {
    let based = base.is_some_and(|(connection, _)| connection.base_url.is_some());
    // Of a connection of the operator that is not known here nothing can be said.
    let unknown = !names.globals
        && fields
            .get("connection")
            .is_some_and(|name| name.get_ref().as_str().is_some_and(|name| name.starts_with("global/")));
    if !fields.has("url") && !based && !unknown {
        let message = format!("{} has no url: write url = \"https://…\"", fields.what);
        fields.report.missing(fields.span.start, message);
    }
    let Some((text, span)) = fields.text("url") else { return String::new() };
    if let Some(parsed) = names.template(fields.report, &text, &span) {
        // Without its base (which has a mistake of its own) nothing can be said of it.
        let base =
            base.and_then(|(connection, parsed)| connection.base_url.as_ref().map(|_| parsed.as_ref()));
        let result = match base {
            Some(None) => Ok(()),
            None if unknown => Ok(()),
            Some(Some(base)) => url_shape(Some(base), &parsed),
            // An unknown connection is told already.
            None if fields.has("connection") && !based && text.starts_with('/') => {
                Err("the connection has no base_url: write the whole URL".to_owned())
            }
            None => url_shape(None, &parsed),
        };
        if let Err(message) = result {
            fields.report.error(span.start, format!("url: {message}"));
        }
    }
    text
}

/// Whether nothing but the document and its variables can form scheme, user, host and port.
pub(super) fn url_shape(base: Option<&Parsed>, own: &Parsed) -> Result<(), String> {
    let Shape::Pieces(own) = &own.shape else {
        return Err("a URL takes {{ … }} alone, no {% … %}: write {{ a if b else c }}".to_owned());
    };
    if base.is_some() {
        return match own.first() {
            Some(Piece::Raw(raw)) if authority_end(raw).is_some() => {
                Err("it is absolute, and the connection has a base_url: write the path alone, or leave the connection out".to_owned())
            }
            _ => Ok(()),
        };
    }
    let mut url = String::new();
    let mut leading = false;
    for piece in own {
        match piece {
            Piece::Raw(raw) => {
                url.push_str(raw);
                if leading && raw.starts_with(['/', '?', '#']) {
                    return Ok(());
                }
            }
            Piece::Insert(insert) => {
                if authority_end(&url).is_some_and(|end| end < url.len()) {
                    return Ok(());
                }
                if !insert.settled {
                    return Err(format!(
                        "{{{{{}}}}} would form scheme, user, host or port: begin with https://host/ or with a value of config and a /",
                        insert.source
                    ));
                }
                if url.is_empty() {
                    leading = true;
                    "http://host".clone_into(&mut url);
                } else {
                    url.push('x');
                }
            }
        }
    }
    match (leading, authority_end(&url)) {
        (true, _) => Ok(()),
        (false, Some(_)) => match url::Url::parse(&url) {
            Ok(parsed) if parsed.has_host() => Ok(()),
            Ok(_) => Err("it has no host: write https://host/path".to_owned()),
            Err(error) => Err(format!("it is no URL ({error}): write https://host/path")),
        },
        (false, None) => {
            Err("it is not absolute: begin with https://, with {{ config.… }}, or use a connection with a base_url".to_owned())
        }
    }
}

/// What is sent: one of the keys, or nothing.
pub(super) fn body_of(fields: &Fields<'_>, names: &Names, keys: &[&str]) -> Body {
    let written: Vec<&str> = keys.iter().copied().filter(|key| fields.has(key)).collect();
    if let [first, second, ..] = written.as_slice() {
        let one = if keys.len() == 2 { "json and text" } else { "json, form and text" };
        let message = format!("{} has {first} and {second}: keep one of {one}", fields.what);
        fields.report.error(fields.key_at(second), message);
    }
    let json = fields.get("json").map(|value| {
        leaves(fields, names, value);
        Body::Json(to_json(fields.report, value).unwrap_or_default())
    });
    let form = written.contains(&"form").then(|| Body::Form(plain(templates(fields, "form", names))));
    let text = fields.text("text").map(|(text, span)| {
        names.template(fields.report, &text, &span);
        Body::Text(text)
    });
    json.or(form).or(text).unwrap_or(Body::Empty)
}

fn leaves(fields: &Fields<'_>, names: &Names, value: &Spanned<DeValue<'_>>) {
    match value.get_ref() {
        DeValue::String(text) => {
            names.template(fields.report, text, &value.span());
        }
        DeValue::Array(items) => items.iter().for_each(|item| leaves(fields, names, item)),
        DeValue::Table(table) => table.iter().for_each(|(_, item)| leaves(fields, names, item)),
        _ => {}
    }
}

fn success(fields: &Fields<'_>) -> Vec<StatusMatch> {
    let standard = || vec![StatusMatch::Class(2)];
    let Some(value) = fields.get("success") else { return standard() };
    let wanted = "write success = [\"2xx\", \"404\"]";
    let Some(items) = value.get_ref().as_array() else {
        fields.report.error(value.span().start, format!("success is no list: {wanted}"));
        return standard();
    };
    let mut all = Vec::new();
    for item in items {
        let text = match item.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.as_str().to_owned(),
            _ => String::new(),
        };
        match status(&text) {
            Some(status) => all.push(status),
            None => {
                fields
                    .report
                    .error(item.span().start, format!("success {text:?} is no status or class: {wanted}"));
            }
        }
    }
    if items.is_empty() {
        fields
            .report
            .error(value.span().start, format!("success is empty, so no answer is a success: {wanted}"));
    }
    all
}

fn errors(fields: &Fields<'_>) -> (Vec<(StatusMatch, String)>, Option<String>) {
    let (mut all, mut default) = (Vec::new(), None);
    for ((key, span), (text, _)) in fields.pairs("errors") {
        match (key.as_str(), status(&key)) {
            ("default", _) => default = Some(text),
            (_, Some(status)) => all.push((status, text)),
            _ => {
                let message =
                    format!("errors {key:?} is no status or class: write \"404\", \"4xx\" or default");
                fields.report.error(span.start, message);
            }
        }
    }
    (all, default)
}

fn outputs(fields: &Fields<'_>) -> Vec<(String, Path)> {
    let example = "write body.customer.id, headers[\"Location\"] or status";
    let mut all = Vec::new();
    for ((name, span), (text, text_span)) in fields.pairs("outputs") {
        if !is_identifier(&name) {
            fields
                .report
                .error(span.start, format!("output {name:?} is not possible: write letters, digits and _"));
        }
        let at = text_span.start;
        if text.contains("{{") {
            let message = format!("output {name:?} is a path into the answer, no template: {example}");
            fields.report.error(at, message);
            continue;
        }
        match text.parse::<Path>() {
            Err(error) => {
                fields.report.error(at, format!("output {name:?}: {text:?} is no path: {error}; {example}"));
            }
            Ok(path) => {
                let fits = match (path.root(), path.rest()) {
                    ("body", rest) => !rest.contains(&Segment::Any),
                    ("headers", [Segment::Key(_)]) | ("status", []) => true,
                    _ => false,
                };
                if fits {
                    all.push((name, path));
                } else {
                    fields.report.error(at, format!("output {name:?}: {text:?} is not possible: {example}"));
                }
            }
        }
    }
    all
}

fn retry(fields: &Fields<'_>, idempotent: bool) -> Retry {
    let mut retry = Retry {
        attempts: if idempotent { IDEMPOTENT_ATTEMPTS } else { OTHER_ATTEMPTS },
        delay: SECOND,
        exponential: true,
        max_delay: HOUR,
        written: false,
    };
    let Some(table) = fields.table("retry", "retry") else { return retry };
    if let Some(attempts) = table.integer("attempts", 1..101).and_then(|n| u32::try_from(n).ok()) {
        retry.attempts = attempts;
        retry.written = true;
    }
    if let Some(delay) = table.duration("delay", 30 * DAY, "\"30d\"") {
        retry.delay = delay;
    }
    if let Some(max_delay) = table.duration("max_delay", 30 * DAY, "\"30d\"") {
        retry.max_delay = max_delay;
    }
    if let Some(exponential) = table.choice("backoff", &[("exponential", true), ("fixed", false)]) {
        retry.exponential = exponential;
    }
    if table.has("delay") && table.has("max_delay") && retry.delay > retry.max_delay {
        table.report.error(table.key_at("delay"), "delay is longer than max_delay: write a shorter one");
    }
    table.finish(&["attempts", "delay", "backoff", "max_delay"]);
    retry
}
