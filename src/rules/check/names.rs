//! The names that templates may use at a place in a document, and their check.

use super::fields::{Fields, meant, meant_or};
use super::report::Report;
use crate::model::document::{Variable, VariableKind};
use crate::model::path::{Path, Segment};
use crate::rules::template::{
    Parsed, Piece, REQUEST_FIELDS, ROOTS, Reference, STEP_FIELDS, Shape, parse_template,
};
use std::ops::Range;

/// A step that a template may look at.
pub(super) struct Earlier {
    pub(super) name: String,
    /// The names of its outputs.
    pub(super) outputs: Vec<String>,
    /// It sends once an item: later steps see a list.
    pub(super) each: bool,
}

/// What exists where a template stands.
pub(super) struct Names {
    variables: Vec<String>,
    /// Those whose values are never shown.
    secrets: Vec<String>,
    /// What the templates make is kept and shown: no secret may be in it.
    pub(super) open: bool,
    /// Flows, and whether a webhook triggers them.
    flows: Vec<(String, bool)>,
    pub(super) connections: Vec<String>,
    /// Whether those of the operator are among them.
    pub(super) globals: bool,
    /// What there is of lists: `record` where the flow makes one run an element, `item` where the step
    /// sends once an item.
    elements: Vec<&'static str>,
    /// Steps before this one.
    pub(super) earlier: Vec<Earlier>,
    /// This step and those after it.
    pub(super) later: Vec<String>,
}

impl Names {
    /// Of a document, outside of any flow.
    pub(super) fn new(variables: &[Variable], flows: &[Fields<'_>]) -> Self {
        Self {
            variables: variables.iter().map(|variable| variable.name.clone()).collect(),
            secrets: variables
                .iter()
                .filter(|variable| variable.kind == VariableKind::Secret)
                .map(|variable| variable.name.clone())
                .collect(),
            open: false,
            flows: flows
                .iter()
                .filter_map(|flow| {
                    let name = flow.entries().find(|(key, _, _)| *key == "name")?.2.get_ref().as_str()?;
                    let trigger =
                        flow.entries().find(|(key, _, _)| *key == "trigger")?.2.get_ref().as_table();
                    let webhook = trigger
                        .and_then(|trigger| trigger.get("type"))
                        .is_some_and(|kind| kind.get_ref().as_str() == Some("webhook"));
                    Some((name.to_owned(), webhook))
                })
                .collect(),
            connections: Vec::new(),
            globals: false,
            elements: Vec::new(),
            earlier: Vec::new(),
            later: Vec::new(),
        }
    }

    /// Says whether there is a `record`, or an `item`.
    pub(super) fn element(&mut self, name: &'static str, is_there: bool) {
        self.elements.retain(|other| *other != name);
        if is_there {
            self.elements.push(name);
        }
    }

    /// Checks a template where it stands.
    pub(super) fn template(&self, report: &Report<'_>, text: &str, span: &Range<usize>) -> Option<Parsed> {
        match parse_template(text) {
            Ok(parsed) => {
                for reference in &parsed.references {
                    if let Err((warning, message)) = self.reference(reference) {
                        let at = report.inside(span, reference.at);
                        if warning {
                            report.warning(at, message);
                        } else {
                            report.error(at, message);
                        }
                    }
                }
                Some(parsed)
            }
            Err(mistakes) => {
                for mistake in mistakes {
                    report.error(report.inside(span, mistake.at), mistake.message);
                }
                None
            }
        }
    }

    /// Checks a template that must give a boolean.
    pub(super) fn condition(&self, report: &Report<'_>, text: &str, span: &Range<usize>) {
        if !text.contains("{{") && !text.contains("{%") {
            report.error(
                span.start,
                format!("when {text:?} is a text: write when = \"{{{{ … }}}}\" with a condition in it"),
            );
            return;
        }
        let Some(parsed) = self.template(report, text, span) else { return };
        let whole =
            matches!(&parsed.shape, Shape::Pieces(pieces) if matches!(pieces.as_slice(), [Piece::Insert(_)]));
        if !whole {
            let message =
                "when has text around its condition, so it is never true or false: write {{ … }} alone";
            report.error(span.start, message);
        }
    }

    fn reference(&self, reference: &Reference) -> Result<(), (bool, String)> {
        let Path(segments) = &reference.path;
        let root = reference.path.root();
        let key = |at: usize| match segments.get(at) {
            Some(Segment::Key(key)) => Some(key.as_str()),
            _ => None,
        };
        let error = |message: String| Err((false, message));
        match root {
            "request" => match key(1) {
                Some(field) if !REQUEST_FIELDS.contains(&field) => {
                    error(format!("request has no {field:?}{}", meant(field, &REQUEST_FIELDS)))
                }
                _ => Ok(()),
            },
            "config" => match key(1) {
                Some(name) if !self.variables.iter().any(|other| other == name) => {
                    let all: Vec<&str> = self.variables.iter().map(String::as_str).collect();
                    error(format!(
                        "there is no variable {name:?}{}",
                        meant_or(name, &all, ": add [[variable]] with this name")
                    ))
                }
                Some(name) if self.open && self.secrets.iter().any(|other| other == name) => error(format!(
                    "config.{name} is a secret, and what is made here is kept and shown: use it where it is sent"
                )),
                None if self.open && !self.secrets.is_empty() => error(format!(
                    "config holds the secret {}, and what is made here is kept and shown: name the variables",
                    self.secrets.join(", ")
                )),
                _ => Ok(()),
            },
            "webhook_urls" => match key(1) {
                Some(name) => match self.flows.iter().find(|(other, _)| other == name) {
                    Some((_, true)) => Ok(()),
                    Some((_, false)) => error(format!("flow {name:?} has no URL: its trigger is no webhook")),
                    None => {
                        let all: Vec<&str> = self.flows.iter().map(|(name, _)| name.as_str()).collect();
                        error(format!("there is no flow {name:?} in this integration{}", meant(name, &all)))
                    }
                },
                None => Ok(()),
            },
            "steps" => match key(1) {
                Some(name) => self.step(name, &segments[2..]),
                None => Ok(()),
            },
            "run" | "flow" | "integration" => Ok(()),
            "record" | "item" if self.elements.contains(&root) => Ok(()),
            "record" => error(
                "record is an element of `split`: write split = \"body.…\" in the trigger; only steps see it"
                    .to_owned(),
            ),
            "item" => error(
                "item is an element of `for_each`: write for_each = \"{{ … }}\" in this step; only its own templates see it"
                    .to_owned(),
            ),
            other => error(format!(
                "there is no {other:?}{}: templates see request, config, steps, webhook_urls, run, flow and integration",
                meant(other, &ROOTS)
            )),
        }
    }

    fn step(&self, name: &str, rest: &[Segment]) -> Result<(), (bool, String)> {
        let Some(step) = self.earlier.iter().find(|step| step.name == name) else {
            if self.later.iter().any(|other| other == name) {
                return Err((
                    false,
                    format!("step {name:?} has not ended here: only steps before this one can be looked at"),
                ));
            }
            let all: Vec<&str> = self.earlier.iter().map(|step| step.name.as_str()).collect();
            return Err((false, format!("there is no step {name:?} before this one{}", meant(name, &all))));
        };
        let rest = match rest {
            [Segment::Key(field), ..] if step.each => {
                return Err((
                    false,
                    format!(
                        "steps.{name} is a list, since the step has for_each: write steps.{name}[0].{field}, or a loop over it"
                    ),
                ));
            }
            [_, rest @ ..] if step.each => rest,
            rest => rest,
        };
        let key = |at: usize| match rest.get(at) {
            Some(Segment::Key(key)) => Some(key.as_str()),
            _ => None,
        };
        let (field, output) = (key(0), key(1));
        match field {
            Some(field) if !STEP_FIELDS.contains(&field) => {
                Err((false, format!("a step has no {field:?}{}", meant(field, &STEP_FIELDS))))
            }
            Some("outputs") => match output {
                Some(output) if !step.outputs.iter().any(|other| other == output) => {
                    let all: Vec<&str> = step.outputs.iter().map(String::as_str).collect();
                    Err((true, format!("step {name:?} has no output {output:?}{}", meant(output, &all))))
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }
}
