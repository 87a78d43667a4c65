//! `[[connection]]`.

use super::fields::{Fields, Text, list, meant};
use super::names::Names;
use super::units::{is_header_name, reserved_header};
use crate::model::document::{Connection, ConnectionAuth};
use crate::rules::template::Parsed;

const KEYS: &[&str] = &["name", "base_url", "auth", "headers", "proxy", "verify_tls", "ca_file"];

/// All connections that could be read, each with its `base_url` taken apart.
pub(super) fn read(top: &Fields<'_>, names: &Names) -> Vec<(Connection, Option<Parsed>)> {
    let mut all: Vec<(Connection, Option<Parsed>)> = Vec::new();
    for mut fields in top.tables("connection", 100) {
        "a connection".clone_into(&mut fields.what);
        let name = fields.required_text("name", "name = \"progix\"");
        if let Some((name, span)) = &name {
            fields.what = format!("connection {name:?}");
            if !super::connection_name(name) {
                let message = format!("name {name:?} is not possible: write letters, digits, _ and -");
                fields.report.error(span.start, message);
            } else if all.iter().any(|(other, _)| other.name == *name) {
                fields.report.error(span.start, format!("there are two connections {name:?}: rename one"));
            }
        }
        all.push(one(&fields, names, name.map(|(name, _)| name).unwrap_or_default()));
        fields.finish(KEYS);
    }
    all
}

fn one(fields: &Fields<'_>, names: &Names, name: String) -> (Connection, Option<Parsed>) {
    let report = fields.report;
    let base_url = fields.text("base_url");
    let parsed = base_url.as_ref().and_then(|(text, span)| {
        let parsed = names.template(report, text, span)?;
        if let Err(message) = super::exchange::url_shape(None, &parsed) {
            report.error(span.start, format!("base_url: {message}"));
        }
        Some(parsed)
    });
    let proxy = fields.text("proxy").map(|(proxy, span)| {
        let url = url::Url::parse(&proxy).ok();
        if !url.is_some_and(|url| {
            matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") && url.has_host()
        }) {
            report.error(span.start, format!("proxy {proxy:?} is no proxy: write \"http://host:3128\""));
        }
        proxy
    });
    let connection = Connection {
        name,
        base_url: base_url.map(|(text, _)| text),
        auth: fields.table("auth", "auth").and_then(|auth| credentials(&auth, names)),
        headers: headers(fields, names),
        proxy,
        verify_tls: fields.boolean("verify_tls").unwrap_or(true),
        ca_file: fields.text("ca_file").map(|(file, _)| file),
    };
    (connection, parsed)
}

fn credentials(auth: &Fields<'_>, names: &Names) -> Option<ConnectionAuth> {
    const KINDS: &[&str] = &["bearer", "basic", "header"];
    let template = |key: &str, example: &str| {
        let (text, span) = auth.required_text(key, example)?;
        names.template(auth.report, &text, &span);
        Some(text)
    };
    let (kind, span) = auth.required_text("type", "type = \"bearer\"")?;
    let (found, keys): (_, &[&str]) = match kind.as_str() {
        "bearer" => (
            template("token", "token = \"{{ config.token }}\"").map(|token| ConnectionAuth::Bearer { token }),
            &["token"],
        ),
        "basic" => {
            let user = template("user", "user = \"{{ config.user }}\"");
            let password = template("password", "password = \"{{ config.password }}\"");
            let both = user.zip(password).map(|(user, password)| ConnectionAuth::Basic { user, password });
            (both, &["user", "password"])
        }
        "header" => {
            let name = auth.required_text("name", "name = \"X-Api-Key\"");
            if let Some((name, span)) = &name {
                header_name(auth, name, span.start);
            }
            let value = template("value", "value = \"{{ config.key }}\"");
            let both = name.zip(value).map(|((name, _), value)| ConnectionAuth::Header { name, value });
            (both, &["name", "value"])
        }
        other => {
            let message = format!("type {other:?} is not possible: {}{}", list(KINDS), meant(other, KINDS));
            auth.report.error(span.start, message);
            return None;
        }
    };
    auth.finish(&[&["type"], keys].concat());
    found
}

fn header_name(fields: &Fields<'_>, name: &str, at: usize) {
    header_name_but(fields, name, at, reserved_header);
}

fn header_name_but(fields: &Fields<'_>, name: &str, at: usize, reserved: Reserved) {
    if !is_header_name(name) {
        fields.report.error(at, format!("{name:?} is no name of a header"));
    } else if let Some(why) = reserved(name) {
        fields.report.error(at, format!("the header {name:?} cannot be set: {why}"));
    }
}

/// Why a header cannot be set, where that is so.
type Reserved = fn(&str) -> Option<&'static str>;

/// `headers = { … }` of a connection or a step that sends.
pub(super) fn headers(fields: &Fields<'_>, names: &Names) -> Vec<(String, String)> {
    headers_but(fields, names, reserved_header)
}

/// `headers = { … }`, but those that are reserved.
pub(super) fn headers_but(fields: &Fields<'_>, names: &Names, reserved: Reserved) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for ((name, name_span), (text, span)) in fields.pairs("headers") {
        header_name_but(fields, &name, name_span.start, reserved);
        if all.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
            fields.report.error(name_span.start, format!("the header {name:?} is written twice: keep one"));
        }
        names.template(fields.report, &text, &span);
        all.push((name, text));
    }
    all
}

/// Names and templates of a table.
pub(super) fn templates(fields: &Fields<'_>, key: &str, names: &Names) -> Vec<(Text, String)> {
    let pairs = fields.pairs(key);
    for (_, (text, span)) in &pairs {
        names.template(fields.report, text, span);
    }
    pairs.into_iter().map(|(name, (text, _))| (name, text)).collect()
}
