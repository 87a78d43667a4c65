//! `for_each`: the list of a step that sends once an item.

use super::leaf::Rendered;
use super::syntax::{Piece, Shape};
use super::value::Scope;
use super::{Context, RenderError, Template, fail, kind_of, uses};
use crate::model::document::Missing;
use crate::model::path::{Path, Segment};
use crate::model::run::{Begun, MOST_ITEMS};
use crate::rules::plan::Plan;
use serde_json::Value;
use std::sync::Arc;

/// Bytes of a list that is kept since an expression made it; one that a plain path names is not kept
/// a second time.
const MAX_MADE: usize = 1 << 20;

/// The list of a step, as it was when the step began.
#[derive(Debug, Clone)]
pub struct List {
    /// Where it is found again.
    pub begun: Begun,
    /// The items.
    pub values: Arc<Vec<Value>>,
}

/// The list of a step that begins. One that is missing has no items, unless the step's `missing` is
/// `fail`.
///
/// # Errors
/// A template that fails; a value that is no list; more than 1,000 items.
pub fn items(plan: &Plan, step: usize, context: &Context) -> Result<List, RenderError> {
    evaluate(plan, step, context).map_err(|error| error.hidden(context))
}

fn evaluate(plan: &Plan, step: usize, context: &Context) -> Result<List, RenderError> {
    const PLACE: &str = "for_each";
    let Some(Template(leaf)) = plan.steps.get(step).and_then(|step| step.for_each.as_ref()) else {
        return Err(fail(PLACE, "the step has no for_each".to_owned()));
    };
    let missing = plan.flow.steps.get(step).map_or(Missing::Omit, |step| step.missing);
    let mut values = match leaf.render(&Scope::masked(context)).map_err(|message| fail(PLACE, message))? {
        Rendered::Value(Value::Array(values)) => values,
        Rendered::Value(other) => {
            return Err(fail(PLACE, format!("for_each is {}, a list is wanted", kind_of(&other))));
        }
        Rendered::Missing(why) if missing == Missing::Fail => return Err(fail(PLACE, why)),
        Rendered::Missing(_) => Vec::new(),
    };
    if values.len() > MOST_ITEMS {
        let message = format!("for_each has {} items, at most {MOST_ITEMS} are possible", values.len());
        return Err(fail(PLACE, message));
    }
    let path = match &leaf.parsed.shape {
        Shape::Pieces(pieces) => match pieces.as_slice() {
            [Piece::Insert(insert)] => insert.path.as_ref(),
            _ => None,
        },
        Shape::Statements(_) => None,
    };
    // Values of variables may change while the run goes on; what arrived, and what steps gave, never.
    let path = path.filter(|path| matches!(path.root(), "request" | "record" | "steps"));
    let mut begun = Begun { count: u32::try_from(values.len()).unwrap_or(u32::MAX), ..Begun::default() };
    if let Some(path) = path {
        begun.path = Some(path.to_string());
    } else {
        // It is kept, so no secret may be in it; what is sent is the same in this process and the next.
        context.secrets.hide_values(&mut values);
        let size: usize = values.iter().map(|value| value.to_string().len()).sum();
        if size > MAX_MADE {
            return Err(fail(
                PLACE,
                "the list that for_each makes is over 1 MiB: name a list that arrived".to_owned(),
            ));
        }
        begun.values.clone_from(&values);
    }
    Ok(List { begun, values: Arc::new(values) })
}

/// The context of the first item of a step that has not begun, to show what it would send; that of a
/// step without `for_each` as it is. `None` where its list has no items.
///
/// # Errors
/// As [`items`].
pub fn first_item(plan: &Plan, step: usize, context: &Context) -> Result<Option<Context>, RenderError> {
    if plan.steps.get(step).is_none_or(|step| step.for_each.is_none()) {
        return Ok(Some(context.clone()));
    }
    let list = items(plan, step, context)?;
    let first = Context { list: Some(Arc::clone(&list.values)), item: Some(0), ..context.clone() };
    Ok((!list.values.is_empty()).then_some(first))
}

/// The list of a step that began: what its journal entry names or holds.
#[must_use]
pub fn resolve(begun: &Begun, context: &Context) -> Arc<Vec<Value>> {
    let Some(path) = begun.path.as_deref().and_then(|path| path.parse::<Path>().ok()) else {
        return Arc::new(begun.values.clone());
    };
    Arc::new(match Scope::masked(context).look(&path).map(std::borrow::Cow::into_owned) {
        Some(Value::Array(values)) => values,
        _ => Vec::new(),
    })
}

/// Whether a step's `when` asks for `item`: then it is judged for each of them, else once for the step.
#[must_use]
pub fn when_of_item(plan: &Plan, step: usize) -> bool {
    let when = plan.steps.get(step).and_then(|step| step.when.as_ref());
    when.is_some_and(|Template(leaf)| leaf.references().iter().any(|found| found.path.root() == "item"))
}

/// Whether a later step may look at what this one gives.
#[must_use]
pub fn looked_at(plan: &Plan, step: usize) -> bool {
    let Some(name) = plan.flow.steps.get(step).map(|step| &step.name) else { return false };
    (step + 1..plan.steps.len()).any(|later| {
        uses(plan, later).iter().any(|(_, path)| match (path.root(), path.rest()) {
            ("steps", [Segment::Key(other), ..]) => other == name,
            ("steps", _) => true,
            _ => false,
        })
    })
}
