//! Pages of lists: an index or a range is chosen by what the filter can reach, the filter judges
//! each row, and only the rows of the page become views.

use super::head::{self, RequestHead};
use super::look::Look;
use super::probe::Probe;
use super::progress::{self, Stand};
use super::reach::{self, Range};
use super::rows::{Failed, RequestRow, RunRow};
use super::sources::{reached, request_sources, run_sources, source};
use super::views;
use super::walk::{Budget, Search, Walked, Way, walk};
use crate::model::id::Kind;
use crate::model::query::Query;
use crate::model::run::{CallbackState, Run, RunState};
use crate::model::time::rfc3339;
use crate::model::view::{AuditView, CallbackView, RequestView, RunView};
use crate::model::{AuditId, FlowId, RunId};
use crate::rules::rows::{AuditRow, CallbackRow};
use crate::store::codec;
use std::collections::BTreeSet;

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

fn narrowed(way: Way, range: Range) -> Way {
    Way { range: way.range.and(range), ..way }
}

/// A page of a table, and what is told of how far it came.
struct Hunt<'l> {
    look: &'l Look<'l>,
    table: &'static str,
    /// All that the filter can reach.
    range: Range,
    /// What this page may look at.
    way: Way,
    newest: Option<i64>,
}

impl<'l> Hunt<'l> {
    fn new(look: &'l Look<'l>, table: &'static str, range: Range, way: Way) -> rusqlite::Result<Self> {
        // What comes after this was read is newer than this.
        let to_newest = way.range.high == i64::MAX;
        let newest = if to_newest { progress::newest(look.conn, table)? } else { None };
        Ok(Self { look, table, range, way: narrowed(way, range), newest })
    }

    fn told<T>(&self, found: Walked<T>) -> rusqlite::Result<Walked<T>> {
        let percent = match found.next.filter(|_| found.partial) {
            Some(at) => {
                let stand = Stand { range: self.range, at, forward: self.way.forward };
                Some(progress::percent(self.look.conn, self.table, stand)?)
            }
            None => None,
        };
        Ok(Walked { percent, newest: self.newest, ..found })
    }
}

fn took(failed: &Failed) -> rusqlite::Result<()> {
    failed.take().map_or(Ok(()), Err)
}

/// Requests.
pub(super) fn requests(
    look: &Look<'_>,
    query: &Query,
    way: Way,
    budget: &Budget,
) -> rusqlite::Result<Walked<RequestView>> {
    let hunt = Hunt::new(look, "request", reach::range(query, look.ids(), Kind::Request), way)?;
    let way = hunt.way;
    let flows = reach::flows(query, &look.state);
    let with_body = query.needs_body();
    let columns = format!("{}{}", head::REQUEST, if with_body { ", headers, body" } else { "" });
    let failed = Failed::default();
    let (sources, probe) = (request_sources(look, query)?, Probe::of(query, Kind::Request));
    let search = Search { columns: &columns, sources: &sources, probe: &probe };
    let found = walk(look.conn, &search, way, budget, &mut |row| {
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
    with_views(hunt.told(found)?, |head: RequestHead| views::request(look, &head))
}

/// Runs.
pub(super) fn runs(
    look: &Look<'_>,
    query: &Query,
    way: Way,
    budget: &Budget,
) -> rusqlite::Result<Walked<RunView>> {
    let hunt = Hunt::new(look, "run", reach::range(query, look.ids(), Kind::Run), way)?;
    let way = hunt.way;
    let flows = reach::flows(query, &look.state);
    let states = reached(query, "state", &RunState::ALL, RunState::word);
    let failed = Failed::default();
    let (sources, probe) = (run_sources(look, query), Probe::of(query, Kind::Run));
    let search = Search { columns: codec::RUN, sources: &sources, probe: &probe };
    let found = walk(look.conn, &search, way, budget, &mut |row| {
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
    with_views(hunt.told(found)?, |(run, view): (Run, Option<RunView>)| match view {
        Some(view) => Ok(view.listed()),
        None => run_view(look, &run),
    })
}

/// Those of some runs that match, in their order, as lists show them.
pub(super) fn runs_among(look: &Look<'_>, query: &Query, runs: &[RunId]) -> rusqlite::Result<Vec<RunView>> {
    let failed = Failed::default();
    let mut views = Vec::with_capacity(runs.len());
    for id in runs {
        let Some(run) = head::run_by_id(look.conn, *id)? else { continue };
        let judged = RunRow::new(look, &failed, &run);
        let matches = query.matches(&judged);
        let view = judged.into_view();
        took(&failed)?;
        if matches {
            views.push(view.map_or_else(|| run_view(look, &run), |view| Ok(view.listed()))?);
        }
    }
    Ok(views)
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
    let search = Search { columns: codec::CALLBACK, sources: &sources, probe: &Probe::Anything };
    walk(look.conn, &search, way, budget, &mut |row| {
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
    let search = Search { columns, sources: &[source("audit", "1")], probe: &Probe::Anything };
    walk(look.conn, &search, way, budget, &mut |row| {
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
    let Walked { rows, next, scanned, partial, percent, newest } = found;
    let rows = rows.into_iter().map(|(id, row)| Ok((id, view(row)?))).collect::<rusqlite::Result<_>>()?;
    Ok(Walked { rows, next, scanned, partial, percent, newest })
}
