//! The answer of a `respond` step, built whole before anybody is told.

use super::leaf::Leaf;
use super::parts::{BodyParts, Parts};
use super::request::{set_header, written_body};
use super::tree::Renderer;
use super::value::Scope;
use super::{Context, MAX_MADE, RenderError, fail, place_key};
use crate::model::document::{Missing, StepKind};
use crate::model::run::Given;
use crate::rules::plan::Plan;

/// Bytes of an answer's body: it is kept whole, so that it can be asked for later.
pub const MAX_ANSWER: usize = 1 << 20;
/// Bytes of an answer's headers.
pub const MAX_ANSWER_HEADERS: usize = 16 << 10;

/// The templates of a `respond` step.
#[derive(Debug)]
pub(crate) struct Respond {
    pub(super) headers: Vec<(String, Leaf)>,
    pub(super) body: BodyParts,
}

/// The answer of a `respond` step, and the fields left out of it for want of a value. Where the document writes no content type it is the body's own:
/// JSON, or text.
///
/// # Errors
/// As [`super::build`]; a body over [`MAX_ANSWER`] or headers over [`MAX_ANSWER_HEADERS`].
pub fn respond_answer(
    plan: &Plan,
    step: usize,
    context: &Context,
) -> Result<(Given, Vec<String>), RenderError> {
    let parts = plan.steps.get(step).map(|step| &step.parts);
    let written = plan.flow.steps.get(step);
    let (Some(Parts::Respond(parts)), Some(StepKind::Respond(respond))) =
        (parts, written.map(|step| &step.kind))
    else {
        return Err(fail("step", "it is no step that responds".to_owned()));
    };
    let mut renderer = Renderer {
        scope: Scope::masked(context),
        missing: written.map_or(Missing::Omit, |step| step.missing),
        left_out: Vec::new(),
        left: MAX_MADE,
    };
    let mut headers = Vec::new();
    for (name, value) in &parts.headers {
        let place = place_key("headers", name);
        if let Some(value) = renderer.text(value, &place)? {
            set_header(&mut headers, name, value, &place)?;
        }
    }
    let size: usize = headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    if size > MAX_ANSWER_HEADERS {
        return Err(fail(
            "headers",
            format!("the answer's headers are over {} KiB", MAX_ANSWER_HEADERS >> 10),
        ));
    }
    let (body, content_type) = written_body(&mut renderer, &parts.body)?;
    let body = body.unwrap_or_default();
    if body.len() > MAX_ANSWER {
        return Err(fail("body", format!("the answer is over {} MiB", MAX_ANSWER >> 20)));
    }
    if let Some(content_type) = content_type
        && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
    {
        headers.push(("Content-Type".to_owned(), content_type.to_owned()));
    }
    // What templates make is text.
    let body = String::from_utf8_lossy(&body).into_owned();
    let given = Given { status: respond.status, headers, body, problem: false };
    Ok((given, renderer.left_out))
}
