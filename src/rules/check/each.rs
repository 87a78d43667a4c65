//! `for_each` of a step.

use super::fields::Fields;
use super::names::Names;
use crate::rules::template::{Piece, Shape};

const EXAMPLE: &str = "write for_each = \"{{ request.body.products }}\"";

/// The template of the list of a `request` step. What it makes is kept, so no secret may be in it.
/// `word` is the step's type.
pub(super) fn read(fields: &Fields<'_>, names: &mut Names, word: &str) -> Option<String> {
    let report = fields.report;
    fields.get("for_each")?;
    if word != "request" {
        let why = match word {
            "send" => "a send step hands one document over, and waits for one callback",
            "set" | "respond" => "write a loop ({% for … %}) inside its templates",
            _ => "a list of requests is sent by a request step",
        };
        let message = format!("for_each is possible in a request step alone: {why}");
        report.error(fields.key_at("for_each"), message);
        return None;
    }
    if fields.get("callback").is_some_and(|callback| callback.get_ref().as_bool() == Some(true)) {
        let message = format!(
            "{} has for_each and callback: a callback finishes a step, not an item of it; leave one of them out",
            fields.what
        );
        report.error(fields.key_at("for_each"), message);
    }
    let (text, span) = fields.text("for_each")?;
    names.open = true;
    let parsed = names.template(report, &text, &span);
    names.open = false;
    // A template that does not parse is told already; the step's others may look at `item` all the same.
    let whole = parsed.is_none_or(|parsed| {
        matches!(&parsed.shape, Shape::Pieces(pieces) if matches!(pieces.as_slice(), [Piece::Insert(_)]))
    });
    if !whole {
        let message = format!("for_each {text:?} is not one expression, so it never gives a list: {EXAMPLE}");
        report.error(span.start, message);
    }
    Some(text)
}
