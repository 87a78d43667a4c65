//! `[[variable]]`.

use super::fields::{Fields, list, meant, to_json};
use crate::model::document::{Variable, VariableKind};
use crate::model::path::is_identifier;
use serde_json::Value;

const KEYS: &[&str] = &["name", "type", "heading", "help", "default", "required", "options"];
const KINDS: &[&str] = &["text", "number", "boolean", "url", "choice", "secret"];

/// All variables that could be read.
pub(super) fn read(top: &Fields<'_>) -> Vec<Variable> {
    let mut all: Vec<Variable> = Vec::new();
    for mut fields in top.tables("variable", 500) {
        "a variable".clone_into(&mut fields.what);
        let name = fields.required_text("name", "name = \"progix_url\"");
        if let Some((name, span)) = &name {
            fields.what = format!("variable {name:?}");
            if !is_identifier(name) {
                let message = format!(
                    "name {name:?} is not possible: write letters, digits and _, beginning with no digit"
                );
                fields.report.error(span.start, message);
            } else if all.iter().any(|other| other.name == *name) {
                fields.report.error(span.start, format!("there are two variables {name:?}: rename one"));
            }
        }
        let variable = one(&fields, name.map(|(name, _)| name).unwrap_or_default());
        fields.finish(KEYS);
        all.push(variable);
    }
    all
}

fn one(fields: &Fields<'_>, name: String) -> Variable {
    let report = fields.report;
    let options = fields.texts("options");
    let kind = match fields.text("type") {
        None => {
            if !fields.has("type") {
                report.missing(fields.span.start, format!("{} has no type: {}", fields.what, list(KINDS)));
            }
            VariableKind::Text
        }
        Some((word, span)) => match word.as_str() {
            "text" => VariableKind::Text,
            "number" => VariableKind::Number,
            "boolean" => VariableKind::Boolean,
            "url" => VariableKind::Url,
            "choice" => {
                let options: Vec<String> =
                    options.clone().unwrap_or_default().into_iter().map(|(option, _)| option).collect();
                if options.is_empty() {
                    report.missing(
                        span.start,
                        format!("{} has no choice: write options = [\"a\", \"b\"]", fields.what),
                    );
                }
                VariableKind::Choice(options)
            }
            "secret" => {
                if fields.has("default") {
                    report.error(
                        fields.key_at("default"),
                        "a secret has no default: it would stand in the document",
                    );
                }
                VariableKind::Secret
            }
            other => {
                report.error(
                    span.start,
                    format!("type {other:?} is not possible: {}{}", list(KINDS), meant(other, KINDS)),
                );
                VariableKind::Text
            }
        },
    };
    if options.is_some() && !matches!(kind, VariableKind::Choice(_)) && fields.has("type") {
        report.error(fields.key_at("options"), "options belong to type = \"choice\"");
    }
    // That of a secret is told already.
    let written = fields.get("default").filter(|_| kind != VariableKind::Secret);
    let default = written.and_then(|written| {
        let value = to_json(report, written)?;
        match fits(&kind, &value) {
            Ok(()) => Some(value),
            Err(wanted) => {
                report.error(
                    written.span().start,
                    format!("default of {} is not possible: write {wanted}", fields.what),
                );
                None
            }
        }
    });
    Variable {
        name,
        kind,
        heading: fields.text("heading").map(|(text, _)| text).unwrap_or_default(),
        help: fields.text("help").map(|(text, _)| text).unwrap_or_default(),
        default,
        required: fields.boolean("required").unwrap_or(false),
    }
}

/// Whether a value suits a variable; what to write where it does not.
fn fits(kind: &VariableKind, value: &Value) -> Result<(), String> {
    let (fits, wanted) = match kind {
        VariableKind::Text | VariableKind::Secret => (value.is_string(), "a text".to_owned()),
        VariableKind::Number => (value.is_number(), "a number".to_owned()),
        VariableKind::Boolean => (value.is_boolean(), "true or false".to_owned()),
        VariableKind::Url => {
            let http = value
                .as_str()
                .and_then(|text| url::Url::parse(text).ok())
                .is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            (http, "an absolute URL, \"https://…\"".to_owned())
        }
        VariableKind::Choice(options) => (
            value.as_str().is_some_and(|text| options.iter().any(|option| option == text)),
            format!("one of its options: {}", options.join(", ")),
        ),
    };
    if fits { Ok(()) } else { Err(wanted) }
}
