//! Pages of lists: an index or a range is chosen by what the filter can reach, the filter judges
//! each row, and only the rows of the page become views.

use super::head::{self, RequestHead};
use super::look::Look;
use super::reach::{self, Range};
use super::rows::{Failed, RequestRow, RunRow};
use super::views;
use super::walk::{Budget, Source, Walked, Way, walk};
use crate::model::id::Kind;
use crate::model::query::Query;
use crate::model::request::Verdict;
use crate::model::run::{CallbackState, Run, RunState};
use crate::model::time::rfc3339;
use crate::model::view::{AuditView, CallbackView, RequestView, RunView};
use crate::model::{AuditId, FlowId};
use crate::rules::rows::{AuditRow, CallbackRow};
use crate::store::codec;
use crate::store::jobs::is_of;
use std::collections::BTreeSet;

fn source(from: &'static str, condition: impl Into<String>) -> Source {
    Source { from, condition: condition.into() }
}

/// Whether a row's flow (in a column) can be what the filter wants.
fn wanted(
    flows: Option<&BTreeSet<FlowId>>,
    row: &rusqlite::Row<'_>,
    column: usize,
) -> rusqlite::Result<bool> {
    match flows {
        Some(flows) => Ok(flows.contains(&FlowId(row.get(column)?))),
        None => Ok(true),
    }
}

/// The states of a closed set that a filter can reach, by their words.
fn reached<T: Copy>(query: &Query, field: &str, all: &[T], word: fn(T) -> &'static str) -> Vec<T> {
    let values: Vec<Vec<String>> = all.iter().map(|one| vec![word(*one).to_owned()]).collect();
    let may = reach::reachable(query, &[field], &values);
    all.iter().zip(may).filter(|(_, may)| *may).map(|(one, _)| *one).collect()
}

fn narrowed(way: Way, range: Range) -> Way {
    Way { range: way.range.and(range), ..way }
}

fn took(failed: &Failed) -> rusqlite::Result<()> {
    failed.take().map_or(Ok(()), Err)
}

/// Where requests of a filter come from.
pub(super) fn request_sources(look: &Look<'_>, query: &Query) -> Vec<Source> {
    let first = query.wanted("duplicate_of").and_then(|text| look.ids().parse_any(text));
    if let Some((Kind::Request, raw)) = first {
        return vec![source("request INDEXED BY request_dup", format!("duplicate_of = {raw}"))];
    }
    let verdicts = reached(query, "verdict", &Verdict::ALL, Verdict::word);
    if verdicts.contains(&Verdict::Accepted) {
        return vec![source("request", "1")];
    }
    let odd = |verdict: &Verdict| {
        source("request INDEXED BY request_odd", format!("verdict = {} AND verdict <> 0", *verdict as i64))
    };
    verdicts.iter().map(odd).collect()
}

/// Requests.
pub(super) fn requests(
    look: &Look<'_>,
    query: &Query,
    way: Way,
    budget: &Budget,
) -> rusqlite::Result<Walked<RequestView>> {
    let way = narrowed(way, reach::range(query, look.ids(), Kind::Request));
    let flows = reach::flows(query, &look.state);
    let with_body = query.needs_body();
    let columns = format!("{}{}", head::REQUEST, if with_body { ", headers, body" } else { "" });
    let failed = Failed::default();
    let found = walk(look.conn, &columns, &request_sources(look, query), way, budget, &mut |row| {
        if !wanted(flows.as_ref(), row, 1)? {
            return Ok(None);
        }
        let head = head::request(row)?;
        let content =
            if with_body { Some((row.get_ref(15)?.as_bytes()?, row.get_ref(16)?.as_bytes()?)) } else { None };
        let matches = query.matches(&RequestRow::new(look, &failed, &head, content));
        took(&failed)?;
        Ok(matches.then_some(head))
    })?;
    with_views(found, |head: RequestHead| views::request(look, &head))
}

/// Where runs of a filter come from.
pub(super) fn run_sources(look: &Look<'_>, query: &Query) -> Vec<Source> {
    let request = query.wanted("request").and_then(|text| look.ids().parse_any(text));
    if let Some((Kind::Request, raw)) = request {
        return vec![
            source("run", format!("id = {raw} AND request = {raw}")),
            source("run INDEXED BY run_request", format!("request = {raw} AND id <> request")),
        ];
    }
    let job = query.wanted("job").and_then(|text| look.ids().parse_any(text));
    if let Some((Kind::Bulk, raw)) = job {
        return vec![source("run", is_of(raw))];
    }
    if let Some(cause) = query.wanted("group").and_then(views::group_cause) {
        return vec![source("run INDEXED BY run_group", format!("cause = {cause} AND state = 5"))];
    }
    let states = reached(query, "state", &RunState::ALL, RunState::word);
    // The first three are not in the index: most runs are one of them sooner or later.
    if states.iter().any(|state| (*state as i64) < 3) {
        return vec![source("run", "1")];
    }
    let odd = |state: &RunState| {
        source("run INDEXED BY run_odd", format!("state = {} AND state >= 3", *state as i64))
    };
    states.iter().map(odd).collect()
}

/// Runs.
pub(super) fn runs(
    look: &Look<'_>,
    query: &Query,
    way: Way,
    budget: &Budget,
) -> rusqlite::Result<Walked<RunView>> {
    let way = narrowed(way, reach::range(query, look.ids(), Kind::Run));
    let flows = reach::flows(query, &look.state);
    let states = reached(query, "state", &RunState::ALL, RunState::word);
    let failed = Failed::default();
    let found = walk(look.conn, codec::RUN, &run_sources(look, query), way, budget, &mut |row| {
        if !wanted(flows.as_ref(), row, 3)? || !states.iter().any(|state| Ok(*state as i64) == row.get(5)) {
            return Ok(None);
        }
        let run = codec::run(row, 0)?;
        let judged = RunRow::new(look, &failed, &run);
        let matches = query.matches(&judged);
        let view = judged.into_view();
        took(&failed)?;
        Ok(matches.then_some((run, view)))
    })?;
    with_views(found, |(run, view): (Run, Option<RunView>)| match view {
        Some(view) => Ok(view.listed()),
        None => run_view(look, &run),
    })
}

/// A run as lists show it.
pub(super) fn run_view(look: &Look<'_>, run: &Run) -> rusqlite::Result<RunView> {
    let journal = head::journal(look.conn, run.id, false)?;
    Ok(views::run(look, run, &journal, false).listed())
}

/// Callbacks.
pub(super) fn callbacks(
    look: &Look<'_>,
    query: &Query,
    way: Way,
    budget: &Budget,
) -> rusqlite::Result<Walked<CallbackView>> {
    // Its own time is not that of its id: the id alone narrows.
    let id = query.wanted("id").and_then(|text| look.ids().parse_any(text));
    let way = match id {
        Some((Kind::Callback, raw)) => narrowed(way, Range { low: raw, high: raw }),
        _ => way,
    };
    let states = reached(query, "state", &CallbackState::ALL, CallbackState::word);
    let run = query.wanted("run").and_then(|text| look.ids().parse_any(text));
    let open = || source("callback INDEXED BY callback_open", "state = 0");
    let expired = || source("callback INDEXED BY callback_expired", "state = 2");
    let sources = match (run, states.as_slice()) {
        (Some((Kind::Run, raw)), _) => {
            vec![source("callback INDEXED BY callback_run", format!("run = {raw}"))]
        }
        // Few wait or expired: they are sorted by `SQLite`.
        (_, [CallbackState::Pending]) => vec![open()],
        (_, [CallbackState::Expired]) => vec![expired()],
        (_, [CallbackState::Pending, CallbackState::Expired]) => vec![open(), expired()],
        _ => vec![source("callback", "1")],
    };
    walk(look.conn, codec::CALLBACK, &sources, way, budget, &mut |row| {
        let callback = codec::callback(row, 0)?;
        let run = head::run_by_id(look.conn, callback.run)?;
        let view = views::callback(look, &callback, run.as_ref());
        Ok(callback_matches(query, &view).then_some(view))
    })
}

/// Whether a filter holds for a callback.
pub(super) fn callback_matches(query: &Query, view: &CallbackView) -> bool {
    query.matches(&CallbackRow(view))
}

/// The audit trail.
pub(super) fn audit(
    look: &Look<'_>,
    query: &Query,
    way: Way,
    budget: &Budget,
) -> rusqlite::Result<Walked<AuditView>> {
    let way = narrowed(way, reach::range(query, look.ids(), Kind::Audit));
    let columns = "id, at, who, door, verb, target, reason, detail";
    walk(look.conn, columns, &[source("audit", "1")], way, budget, &mut |row| {
        let id = AuditId(row.get(0)?);
        let shown = AuditView {
            id: look.ids().print(id),
            at: rfc3339(row.get(1)?),
            who: row.get(2)?,
            door: row.get(3)?,
            verb: row.get(4)?,
            target: row.get(5)?,
            reason: row.get(6)?,
            detail: row.get(7)?,
        };
        let matches = query.matches(&AuditRow(&shown));
        Ok(matches.then_some(shown))
    })
}

fn with_views<T, V>(
    found: Walked<T>,
    view: impl Fn(T) -> rusqlite::Result<V>,
) -> rusqlite::Result<Walked<V>> {
    let Walked { rows, next, scanned, partial } = found;
    let rows = rows.into_iter().map(|(id, row)| Ok((id, view(row)?))).collect::<rusqlite::Result<_>>()?;
    Ok(Walked { rows, next, scanned, partial })
}
