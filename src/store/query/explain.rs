//! Why a request was judged as it was.

use super::head::{self, RequestHead};
use super::look::Look;
use super::{content, views, what};
use crate::model::document::Dedup;
use crate::model::headers::Headers;
use crate::model::request::{Marks, Verdict};
use crate::model::time::rfc3339;
use crate::model::view::{ExplainView, FieldView};
use crate::model::{Map, Ms, RequestId};
use crate::rules::data::{flat, request_data};
use crate::rules::mask;
use crate::rules::verify;
use rusqlite::OptionalExtension as _;
use serde_json::Value;

/// What the judge of duplicates knows of a key: the first request, and when it was seen last.
pub(super) type Judge = Option<(RequestId, Ms)>;

/// Copies of a request: how many came after it, and the newest.
struct Copies {
    count: u64,
    newest: Option<RequestId>,
}

/// Explains a request. `judge` tells what the dedup table says of a key now; `None` from it is a key
/// that was forgotten or dropped after it lapsed.
pub(super) fn explain(
    look: &Look<'_>,
    head: &RequestHead,
    judge: Option<Judge>,
) -> rusqlite::Result<ExplainView> {
    let (headers, body) = head::content(look.conn, head.id)?.unwrap_or_default();
    let paths = look.mask(head.flow, head.version);
    let headers = mask::headers(&paths, &Headers::from_blob(headers.into()));
    let (query, body) = (mask::query(&paths, &head.query), mask::body(&paths, &body));
    let plan = look.plan(head.flow, head.version);
    let rule = plan.as_deref().and_then(what::rule);
    let fields = rule.map(|rule| fields(rule, &headers, &query, &body)).unwrap_or_default();
    let first = match (head.verdict, &head.dedup) {
        (Verdict::Duplicate, _) => head.duplicate_of,
        (Verdict::Accepted, Some(_)) => Some(head.id),
        _ => None,
    };
    let copies = match first {
        Some(first) => copies(look, first)?,
        None => Copies { count: 0, newest: None },
    };
    let lapses = match (first, &head.dedup) {
        (Some(first), Some(_)) => lapses(look, head, rule, first, &copies, judge),
        _ => None,
    };
    let differs = match first {
        Some(other) if other != head.id => differs(look, head.id, other)?,
        _ => Vec::new(),
    };
    Ok(ExplainView {
        request: look.request_id(head.id),
        verdict: head.verdict,
        fields,
        key: head.dedup.as_deref().map(views::hex),
        first: first.map(|first| look.request_id(first)),
        copies: if first.is_some() { copies.count + 1 } else { 0 },
        lapses: lapses.map(rfc3339),
        why: why(head, rule.is_some(), evidence(look, head)?),
        differs,
    })
}

fn fields(rule: &Dedup, headers: &Headers, query: &str, body: &[u8]) -> Vec<FieldView> {
    let value = |path| content::at(path, headers, query, body).into_iter().next().unwrap_or_default();
    rule.fields.iter().map(|path| FieldView { path: path.to_string(), value: value(path) }).collect()
}

fn copies(look: &Look<'_>, first: RequestId) -> rusqlite::Result<Copies> {
    look.conn
        .prepare_cached(
            "SELECT count(*), max(id) FROM request INDEXED BY request_dup WHERE duplicate_of = ?1",
        )?
        .query_row([first.0], |row| {
            Ok(Copies {
                count: row.get::<_, i64>(0)?.cast_unsigned(),
                newest: row.get::<_, Option<i64>>(1)?.map(RequestId),
            })
        })
}

/// When the key lapses: the window that is in force now, from when the judge saw the key last; the
/// rows say the same where the judge is not asked.
fn lapses(
    look: &Look<'_>,
    head: &RequestHead,
    rule: Option<&Dedup>,
    first: RequestId,
    copies: &Copies,
    judge: Option<Judge>,
) -> Option<Ms> {
    let rule = rule?;
    let deployed = look.store.deployed_plan(head.flow);
    let deployed = deployed.as_deref().and_then(what::rule).filter(|now| now.fields == rule.fields);
    let rule = deployed.unwrap_or(rule);
    let by_rows = || {
        let last = if rule.from_first { None } else { copies.newest };
        last.unwrap_or(first).time()
    };
    let seen = match judge {
        None => by_rows(),
        Some(Some((of, at))) if of == first => at,
        // Somebody forgot it, or it lapsed and is gone, or another request has the key now.
        Some(_) => {
            let at = by_rows();
            return (at + rule.window <= look.now).then_some(at + rule.window);
        }
    };
    Some(seen + rule.window)
}

fn differs(
    look: &Look<'_>,
    this: RequestId,
    first: RequestId,
) -> rusqlite::Result<Vec<(String, Value, Value)>> {
    let (Some(there), Some(here)) = (flat_of(look, first)?, flat_of(look, this)?) else {
        return Ok(Vec::new());
    };
    let keys = here.keys().chain(there.keys().filter(|key| !here.contains_key(*key)));
    let value = |map: &Map, key: &str| map.get(key).cloned().unwrap_or_default();
    Ok(keys
        .filter(|key| here.get(*key) != there.get(*key))
        .map(|key| (key.clone(), value(&there, key), value(&here, key)))
        .collect())
}

fn flat_of(look: &Look<'_>, id: RequestId) -> rusqlite::Result<Option<Map>> {
    let stored = head::stored(look.conn, id)?;
    Ok(stored.map(|stored| {
        let paths = look.mask(stored.seed.flow, stored.seed.version);
        flat(&request_data(&mask::seed(&paths, &stored.seed), "", id.time(), ""))
    }))
}

/// What to do about a refusal, by the code it was answered with.
fn advice(status: Option<u16>) -> Option<&'static str> {
    Some(match status? {
        400 => "The sender must send what the flow asks for; nothing was stored of it but this row.",
        401 => {
            "The sender was told nothing more: its credentials, the keys that the flow names and the flow's auth must agree."
        }
        404 => "The integration was never deployed: deploy it.",
        405 => "The flow's methods say what it takes.",
        410 => "The flow was removed; the sender must use another endpoint.",
        413 => "The flow's max_body says how much it takes.",
        415 => "Only JSON is taken: Content-Type application/json or +json, plain or gzip.",
        429 => "The sender is told when to try again.",
        503 => "The sender is told to try again; nothing is lost if it does.",
        508 => "The request went round: look for a flow that sends to itself.",
        _ => return None,
    })
}

/// What was kept of a refused sender beside the cause.
fn evidence(look: &Look<'_>, head: &RequestHead) -> rusqlite::Result<Vec<String>> {
    if head.verdict != Verdict::Rejected {
        return Ok(Vec::new());
    }
    let detail: Option<String> = look
        .conn
        .prepare_cached("SELECT detail FROM request WHERE id = ?1")?
        .query_row([head.id.0], |row| row.get(0))
        .optional()?
        .flatten();
    Ok(detail.as_deref().map(verify::evidence::lines).unwrap_or_default())
}

fn why(head: &RequestHead, ruled: bool, evidence: Vec<String>) -> Vec<String> {
    let mut lines = Vec::new();
    match head.verdict {
        Verdict::Rejected => {
            lines.extend(head.cause.clone());
            lines.extend(evidence);
            lines.extend(advice(head.status).map(str::to_owned));
        }
        Verdict::Filtered => {
            lines.push(head.cause.clone().unwrap_or_else(|| "the trigger's when is false".to_owned()));
        }
        Verdict::Accepted if head.marks.has(Marks::MANUAL) => {
            lines.push("A person started it: it was not judged by dedup.".to_owned());
        }
        Verdict::Accepted if head.marks.has(Marks::NO_DEDUP_KEY) => {
            lines.push("None of the dedup fields was there, so it has no key.".to_owned());
        }
        Verdict::Accepted if !ruled => {
            lines.push("The flow has no dedup rule: every request is accepted.".to_owned());
        }
        Verdict::Accepted | Verdict::Duplicate => {}
    }
    if head.marks.has(Marks::BODY_CUT) {
        lines.push("Only the first 64 KiB of its body were kept.".to_owned());
    }
    lines
}
