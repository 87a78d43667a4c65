//! Where the rows of a filter come from: the index that has the fewest rows that it can reach.

use super::look::Look;
use super::reach;
use super::views;
use super::walk::Source;
use crate::model::FlowId;
use crate::model::id::Kind;
use crate::model::query::Query;
use crate::model::request::Verdict;
use crate::model::run::RunState;
use crate::store::jobs::is_of;
use rusqlite::Connection;
use std::collections::BTreeSet;

/// Sources that are merged at most: with more the table itself is as good.
const MERGED: usize = 128;
/// Statuses: from the second on an answer is an error. Few are, so that there is an index of them.
const STATUSES: (u16, u16) = (100, 400);

/// A source whose ids are its rows'.
pub(super) fn source(from: &'static str, condition: impl Into<String>) -> Source {
    Source { from, condition: condition.into(), key: "id" }
}

/// The states of a closed set that a filter can reach, by their words.
pub(super) fn reached<T: Copy>(query: &Query, field: &str, all: &[T], word: fn(T) -> &'static str) -> Vec<T> {
    let values: Vec<Vec<String>> = all.iter().map(|one| vec![word(*one).to_owned()]).collect();
    let may = reach::reachable(query, &[field], &values);
    all.iter().zip(may).filter(|(_, may)| *may).map(|(one, _)| *one).collect()
}

/// Where requests of a filter come from.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn request_sources(look: &Look<'_>, query: &Query) -> rusqlite::Result<Vec<Source>> {
    let first = query.wanted("duplicate_of").and_then(|text| look.ids().parse_any(text));
    if let Some((Kind::Request, raw)) = first {
        return Ok(vec![source("request INDEXED BY request_dup", format!("duplicate_of = {raw}"))]);
    }
    if let Some(errors) = errors(look.conn, query)?.filter(|all| all.len() * 2 <= MERGED) {
        return Ok(of_errors(&errors));
    }
    let verdicts = reached(query, "verdict", &Verdict::ALL, Verdict::word);
    let flows = reach::flows(query, &look.state);
    if let Some(flows) = flows.filter(|flows| flows.len() * verdicts.len() <= MERGED) {
        return Ok(of_flows(&flows, &verdicts));
    }
    if !verdicts.contains(&Verdict::Accepted) {
        let odd = |verdict: &Verdict| {
            source(
                "request INDEXED BY request_odd",
                format!("verdict = {} AND verdict <> 0", *verdict as i64),
            )
        };
        return Ok(verdicts.iter().map(odd).collect());
    }
    Ok(vec![source("request", "1")])
}

fn of_flows(flows: &BTreeSet<FlowId>, verdicts: &[Verdict]) -> Vec<Source> {
    let one = |flow: FlowId, verdict: Verdict| {
        let condition = format!("flow = {} AND verdict = {}", flow.0, verdict as i64);
        source("request INDEXED BY request_flow", condition)
    };
    flows.iter().flat_map(|flow| verdicts.iter().map(move |verdict| one(*flow, *verdict))).collect()
}

/// A status stands in the row of the request, or beside it where the sender waited.
fn of_errors(all: &[u16]) -> Vec<Source> {
    let own = |status: &u16| {
        source("request INDEXED BY request_status", format!("status = {status} AND status >= 400"))
    };
    let told = |status: &u16| Source {
        from: "told INDEXED BY told_status CROSS JOIN request",
        condition: format!(
            "told.status = {status} AND told.status >= 400 AND request.id = told.request AND request.status IS NULL"
        ),
        key: "told.request",
    };
    all.iter().map(own).chain(all.iter().map(told)).collect()
}

/// The statuses that a filter can reach, of those that there are; `None` where it can reach one that is
/// no error, or a request that has none.
fn errors(conn: &Connection, query: &Query) -> rusqlite::Result<Option<Vec<u16>>> {
    let may = |values: &[Vec<String>]| reach::reachable(query, &["status"], values);
    let others = std::iter::once(Vec::new());
    let others = others.chain((STATUSES.0..STATUSES.1).map(|status| vec![status.to_string()]));
    if may(&others.collect::<Vec<_>>()).contains(&true) {
        return Ok(None);
    }
    // From one to the next, not from row to row.
    let known = |table: &str| {
        let from = format!("{table} INDEXED BY {table}_status WHERE status >= 400");
        let sql = format!(
            "WITH RECURSIVE seen (status) AS (
                 SELECT (SELECT min(status) FROM {from})
                 UNION ALL SELECT (SELECT min(status) FROM {from} AND status > seen.status)
                     FROM seen WHERE seen.status IS NOT NULL)
             SELECT status FROM seen WHERE status IS NOT NULL"
        );
        conn.prepare_cached(&sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<u16>>>()
    };
    let mut all = known("request")?;
    all.extend(known("told")?);
    all.sort_unstable();
    all.dedup();
    let values: Vec<Vec<String>> = all.iter().map(|status| vec![status.to_string()]).collect();
    Ok(Some(all.into_iter().zip(may(&values)).filter(|(_, may)| *may).map(|(status, _)| status).collect()))
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
    if !states.iter().any(|state| (*state as i64) < 3) {
        let odd = |state: &RunState| {
            source("run INDEXED BY run_odd", format!("state = {} AND state >= 3", *state as i64))
        };
        return states.iter().map(odd).collect();
    }
    match reach::flows(query, &look.state).filter(|flows| flows.len() <= MERGED) {
        Some(flows) => {
            flows.iter().map(|flow| source("run INDEXED BY run_flow", format!("flow = {}", flow.0))).collect()
        }
        None => vec![source("run", "1")],
    }
}
