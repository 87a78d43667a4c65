//! Why a request was judged as it was.

use super::head::RequestHead;
use super::look::Look;
use super::{views, what};
use crate::model::document::Dedup;
use crate::model::headers::is_credential;
use crate::model::path::Path;
use crate::model::request::{Marks, RequestData, StoredRequest, Verdict};
use crate::model::time::rfc3339;
use crate::model::view::{CopyView, ExplainView, FieldView, LikeView, Pair};
use crate::model::{Ms, RequestId};
use crate::rules::autopsy::{self, Case, Kept};
use crate::rules::data::{each_leaf, request_data};
use crate::rules::explain as rules;
use rusqlite::OptionalExtension as _;
use serde_json::Value;
use std::collections::HashSet;

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
    let stored = look.shown(head.id)?;
    let data = stored.as_ref().map(|stored| request_data(&stored.seed, "", head.id.time(), ""));
    let plan = look.plan(head.flow, head.version);
    let rule = plan.as_deref().and_then(what::rule);
    let fields = match (rule, &data) {
        (Some(rule), Some(data)) => masked(rules::fields(rule, data)),
        _ => Vec::new(),
    };
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
    let other = match first {
        Some(other) if other != head.id => look.shown(other)?,
        _ => None,
    };
    let other = other.map(|other| request_data(&other.seed, "", other.id.time(), ""));
    let (differs, paths) = match (&other, &data) {
        (Some(there), Some(here)) => (rules::differing(there, here), together(there, here)),
        _ => (Vec::new(), 0),
    };
    let (mut told, mut like) = told(look, head, stored.as_ref())?;
    let mut why = why(head, rule.is_some(), &told);
    why.extend(now_of_the_key(look, head, rule, first, judge, lapses));
    // A cause can quote what the sender wrote.
    let traces = look.traces_of(head.id, &look.mask(head.flow, head.version));
    let texts = why.iter_mut().chain(told.iter_mut().map(|(_, text)| text));
    let texts = texts.chain(like.iter_mut().map(|like| &mut like.filter));
    texts.for_each(|text| traces.hide_in(text));
    let (integration, flow) = look.names(head.flow);
    Ok(ExplainView {
        request: look.request_id(head.id),
        verdict: head.verdict,
        fields,
        key: head.dedup.as_deref().map(views::hex),
        first: first.map(|first| look.request_id(first)),
        copies: if first.is_some() { copies.count + 1 } else { 0 },
        lapses: lapses.map(rfc3339),
        why,
        differs,
        rule: rule.map(|rule| format!("v{} of {integration} / {flow}: {}", head.version, rules::rule(rule))),
        listed: match first {
            Some(first) => listed(look, first, head.id, &copies)?,
            None => Vec::new(),
        },
        told,
        like,
        first_fields: match (rule, &other) {
            (Some(rule), Some(other)) => masked(rules::fields(rule, other)),
            _ => Vec::new(),
        },
        paths,
    })
}

/// Values of credentials are shown by nothing.
fn masked(mut fields: Vec<FieldView>) -> Vec<FieldView> {
    for field in &mut fields {
        let name = field.path.parse::<Path>().ok().and_then(|path| path.header());
        if name.is_some_and(|name| is_credential(&name)) && !field.missing {
            field.value = Value::from("•••");
        }
    }
    fields
}

/// Paths that either of two requests has.
fn together(there: &RequestData, here: &RequestData) -> u64 {
    let mut all = HashSet::new();
    for data in [there, here] {
        each_leaf(data, &mut |path, _| {
            all.insert(path.to_owned());
        });
    }
    all.len() as u64
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

/// The first request, the two copies after it, this one and the newest.
fn listed(
    look: &Look<'_>,
    first: RequestId,
    this: RequestId,
    copies: &Copies,
) -> rusqlite::Result<Vec<CopyView>> {
    let mut ids: Vec<RequestId> = look
        .conn
        .prepare_cached(
            "SELECT id FROM request INDEXED BY request_dup WHERE duplicate_of = ?1 ORDER BY id LIMIT 2",
        )?
        .query_map([first.0], |row| row.get(0).map(RequestId))?
        .collect::<rusqlite::Result<_>>()?;
    ids.extend([Some(first), Some(this), copies.newest].into_iter().flatten());
    ids.sort_unstable();
    ids.dedup();
    let verdict = |id| if id == first { Verdict::Accepted } else { Verdict::Duplicate };
    Ok(ids
        .into_iter()
        .map(|id| CopyView { request: look.request_id(id), time: rfc3339(id.time()), verdict: verdict(id) })
        .collect())
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
    let by_rows = || rules::lapses(rule, first.time(), copies.newest.unwrap_or(first).time());
    match judge {
        None => Some(by_rows()),
        Some(Some((of, at))) if of == first => Some(at + rule.window),
        // Somebody forgot it, or it lapsed and is gone, or another request has the key now.
        Some(_) => Some(by_rows()).filter(|at| *at <= look.now),
    }
}

/// What has become of the key since: it lapsed, was forgotten, went to another request, or no rule
/// asks for it any more.
fn now_of_the_key(
    look: &Look<'_>,
    head: &RequestHead,
    rule: Option<&Dedup>,
    first: Option<RequestId>,
    judge: Option<Judge>,
    lapses: Option<Ms>,
) -> Vec<String> {
    let (Some(first), Some(_)) = (first, &head.dedup) else { return Vec::new() };
    let mut lines = Vec::new();
    let live = look.store.deployed_plan(head.flow);
    if let (Some(rule), Some(live)) = (rule, live.as_deref()) {
        match what::rule(live) {
            None => lines.push(format!(
                "Since v{} the flow has no dedup rule: its key meets no request.",
                live.version
            )),
            Some(now) if now.fields != rule.fields => {
                lines.push(format!(
                    "The rule has other fields in v{}: its key meets no request.",
                    live.version
                ));
            }
            Some(_) => {}
        }
    }
    match judge {
        Some(Some((of, _))) if of != first => {
            let other = look.request_id(of);
            lines.push(format!("The key went to {} since.", crate::model::id::short(&other)));
        }
        _ if lapses.is_some_and(|at| at <= look.now) => {
            lines.push("The key has lapsed: the next request with it is accepted.".to_owned());
        }
        Some(None) => lines.push("The key was forgotten: the next request with it is accepted.".to_owned()),
        _ => {}
    }
    lines
}

/// The autopsy of a refusal, and what is like it.
fn told(
    look: &Look<'_>,
    head: &RequestHead,
    stored: Option<&StoredRequest>,
) -> rusqlite::Result<(Vec<Pair>, Option<LikeView>)> {
    let Some(stored) = stored.filter(|_| head.verdict == Verdict::Rejected) else {
        return Ok((Vec::new(), None));
    };
    let (then, live) = (look.plan(head.flow, head.version), look.store.deployed_plan(head.flow));
    let kept = kept(look, head.id)?;
    let judged = rules::Judged {
        verdict: head.verdict,
        status: head.status,
        cause: head.cause.as_deref(),
        from: head.peer.as_deref(),
        duplicate_of: None,
    };
    let mut told = autopsy::autopsy(&Case {
        judged,
        arrived: head.id.time(),
        seed: &stored.seed,
        kept: kept.as_deref(),
        then: then.as_deref(),
        live: live.as_deref(),
    });
    let alike = like(look, head)?;
    let clock = |time: &str| time.get(11..19).map_or_else(|| time.to_owned(), |clock| format!("{clock}Z"));
    told.push(("like it".to_owned(), autopsy::like_it(&alike, &clock)));
    Ok((told, Some(alike)))
}

/// Rows that are looked at for what is like a refusal, and for what passed before it.
const LIKE_IT: u32 = 2_000;

/// What is like a refusal, and what its flow accepted last before it.
fn like(look: &Look<'_>, head: &RequestHead) -> rusqlite::Result<LikeView> {
    let mut read = look.conn.prepare_cached(
        "SELECT id, flow, status, cause FROM request INDEXED BY request_odd
         WHERE verdict = 3 AND verdict <> 0 ORDER BY id DESC LIMIT ?1",
    )?;
    let mut rows = read.query([LIKE_IT])?;
    let (mut count, mut looked, mut oldest) = (0u64, 0, head.id);
    let likeness = head.cause.as_deref().map(autopsy::likeness);
    let mut counted = false;
    while let Some(row) = rows.next()? {
        looked += 1;
        let same = row.get::<_, i64>(1)? == head.flow.0
            && row.get::<_, Option<u16>>(2)? == head.status
            && row.get::<_, Option<String>>(3)?.as_deref().map(autopsy::likeness) == likeness;
        if same {
            let id = RequestId(row.get(0)?);
            count += 1;
            counted |= id == head.id;
            oldest = oldest.min(id);
        }
    }
    let mut read = look
        .conn
        .prepare_cached("SELECT id, flow, verdict FROM request WHERE id < ?1 ORDER BY id DESC LIMIT ?2")?;
    let mut rows = read.query(rusqlite::params![head.id.0, LIKE_IT])?;
    let (mut passed, mut before) = (None, 0);
    while let Some(row) = rows.next()? {
        before += 1;
        if row.get::<_, i64>(1)? == head.flow.0 && row.get::<_, i64>(2)? == Verdict::Accepted as i64 {
            let id = RequestId(row.get(0)?);
            let (request, time) = (look.request_id(id), rfc3339(id.time()));
            passed = Some(CopyView { request, time, verdict: Verdict::Accepted });
            break;
        }
    }
    let (integration, flow) = look.names(head.flow);
    Ok(LikeView {
        count: count + u64::from(!counted),
        first: rfc3339(oldest.time()),
        more: looked == LIKE_IT,
        filter: autopsy::filter(&integration, &flow, head.status, head.cause.as_deref()),
        partial: passed.is_none() && before == LIKE_IT,
        passed,
    })
}

/// What was kept of a refused sender beside the cause.
fn kept(look: &Look<'_>, id: RequestId) -> rusqlite::Result<Option<String>> {
    let detail = look
        .conn
        .prepare_cached("SELECT detail FROM request WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    Ok(detail.flatten())
}

fn why(head: &RequestHead, ruled: bool, told: &[Pair]) -> Vec<String> {
    let mut lines = Vec::new();
    match head.verdict {
        Verdict::Rejected => {
            lines.extend(head.cause.clone());
            let asks = |(label, _): &&Pair| matches!(label.as_str(), "likely" | "do");
            lines.extend(told.iter().filter(asks).map(|(_, text)| text.clone()));
        }
        Verdict::Filtered => {
            lines.push(head.cause.clone().unwrap_or_else(|| "the trigger's when is false".to_owned()));
        }
        Verdict::Accepted if head.marks.has(Marks::MANUAL) => {
            lines.push("A person started it: it was not judged by dedup.".to_owned());
        }
        Verdict::Accepted if !head.marks.arrived() => {
            let by = match head.marks {
                marks if marks.has(Marks::SCHEDULE) => "Its schedule",
                marks if marks.has(Marks::DEPLOY) => "A deploy",
                marks if marks.has(Marks::ALERT) => "An alert",
                _ => "The removal of its integration",
            };
            lines.push(format!("{by} started it: it was not judged by dedup."));
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
        let mut kept = Kept { len: head.size, declared: None }.words();
        if let Some(first) = kept.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        lines.push(kept + ".");
    }
    lines
}
