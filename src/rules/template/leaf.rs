//! One template text, compiled, and what comes of rendering it.

use super::bound::{MAX_OUTPUT, MAX_VALUES};
use super::engine::{self, Outcome};
use super::syntax::{Insert, Parsed, Piece, Reference, Shape, parse_template};
use super::value::{Scope, to_jinja, to_json};
use crate::model::path::{Path, Segment};
use crate::model::run::StepState;
use serde_json::Value;

/// A compiled template text.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(super) parsed: Parsed,
}

/// What came of rendering a leaf.
#[derive(Debug, PartialEq)]
pub(super) enum Rendered {
    /// A value: of one whole expression with its type, else a text.
    Value(Value),
    /// A value is not there; why, in words.
    Missing(String),
}

impl Leaf {
    /// Compiles a text.
    ///
    /// # Errors
    /// The first mistake.
    pub(super) fn new(source: &str) -> Result<Self, String> {
        parse_template(source).map(|parsed| Self { parsed }).map_err(|mistakes| {
            mistakes.into_iter().next().map_or_else(String::new, |mistake| mistake.message)
        })
    }

    /// The paths that it looks at.
    pub(super) fn references(&self) -> &[Reference] {
        &self.parsed.references
    }

    /// Renders it.
    ///
    /// # Errors
    /// `error("…")`, a bound, an operation that values do not allow; in words.
    pub(super) fn render(&self, scope: &Scope<'_>) -> Result<Rendered, String> {
        let pieces = match &self.parsed.shape {
            Shape::Statements(source) => {
                let root = scope.root(roots(self.references().iter().map(|found| &found.path)));
                return Ok(match engine::statements(source, root)? {
                    Outcome::Value(value) => Rendered::Value(Value::String(value.to_string())),
                    Outcome::Missing => {
                        let needs = self.references().iter().filter(|found| !found.guarded);
                        Rendered::Missing(why(scope, needs.map(|found| &found.path)))
                    }
                });
            }
            Shape::Pieces(pieces) => pieces,
        };
        match pieces.as_slice() {
            [] => return Ok(Rendered::Value(Value::String(String::new()))),
            [Piece::Raw(text)] => return Ok(Rendered::Value(Value::String(text.clone()))),
            [Piece::Insert(insert)] => return value(insert, scope),
            _ => {}
        }
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Raw(raw) => text.push_str(raw),
                Piece::Insert(insert) => match value(insert, scope)? {
                    Rendered::Value(Value::String(part)) => text.push_str(&part),
                    Rendered::Value(part) => text.push_str(&to_jinja(&part).to_string()),
                    missing @ Rendered::Missing(_) => return Ok(missing),
                },
            }
            if text.len() > MAX_OUTPUT {
                return Err("the template makes a text over 8 MiB".to_owned());
            }
        }
        Ok(Rendered::Value(Value::String(text)))
    }
}

/// The value of one insert, with its type.
pub(super) fn value(insert: &Insert, scope: &Scope<'_>) -> Result<Rendered, String> {
    if let Some(path) = &insert.path {
        return Ok(match scope.look(path) {
            Some(value) => Rendered::Value(value.into_owned()),
            None => Rendered::Missing(why(scope, [path].into_iter())),
        });
    }
    let root = scope.root(ROOTS.into_iter());
    match engine::expression(&insert.source, root)? {
        Outcome::Value(value) => {
            let mut budget = MAX_VALUES;
            to_json(&value, &mut budget, 0).map(Rendered::Value)
        }
        Outcome::Missing => Ok(Rendered::Missing(why(scope, insert.needs.iter()))),
    }
}

/// The names that templates see.
pub(crate) const ROOTS: [&str; 9] =
    ["request", "record", "item", "config", "steps", "webhook_urls", "run", "flow", "integration"];

fn roots<'p>(paths: impl Iterator<Item = &'p Path>) -> impl Iterator<Item = &'static str> {
    let wanted: Vec<&str> = paths.map(Path::root).collect();
    ROOTS.into_iter().filter(move |name| wanted.contains(name))
}

/// Which value is not there, and why where that is known.
fn why<'p>(scope: &Scope<'_>, paths: impl Iterator<Item = &'p Path>) -> String {
    let mut last = None;
    for path in paths {
        if scope.look(path).is_none() {
            return reason(scope, path);
        }
        last = Some(path);
    }
    match last {
        Some(path) => format!("what is made of {path} has no value"),
        None => "the expression has no value".to_owned(),
    }
}

fn reason(scope: &Scope<'_>, path: &Path) -> String {
    let why = match (path.root(), path.rest()) {
        ("steps", [Segment::Key(name), rest @ ..]) => match state_of(scope, name, rest) {
            Some(StepState::Skipped) => format!(" ({name} was skipped)"),
            Some(StepState::Failed) => format!(" ({name} failed)"),
            None => format!(" ({name} has not run)"),
            Some(_) => String::new(),
        },
        _ => String::new(),
    };
    format!("{path} has no value{why}")
}

/// How a step ended, or the item of it that is meant.
fn state_of(scope: &Scope<'_>, name: &str, rest: &[Segment]) -> Option<StepState> {
    let step = scope.context.steps.get(name)?;
    let item = match (&step.items, rest.first()) {
        (Some(items), Some(Segment::Index(at))) => items.get(*at),
        _ => None,
    };
    Some(item.unwrap_or(step).state)
}

/// A value as text where there is only text: strings as they are, other values as in JSON.
pub(super) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
