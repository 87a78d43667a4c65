//! Callbacks by urgency: those overdue first, then those that wait by their deadline, then the rest,
//! newest first; and what is known of the answer that one waits for.

use super::look::Look;
use super::walk::{Budget, Walked, Way};
use super::{head, pages, views};
use crate::model::FlowId;
use crate::model::Ms;
use crate::model::query::Query;
use crate::model::run::{Callback, CallbackState, Got, Run, RunState};
use crate::model::target::host;
use crate::model::view::{AwaitedView, CallbackView};
use crate::rules::json::beginning;
use crate::store::codec;
use rusqlite::Connection;
use serde_json::Value;
use std::time::Instant;

/// Callbacks that expired and whose step is still errored for it, as a condition.
pub(in crate::store) const OVERDUE: &str = "callback.state = 2 AND EXISTS (SELECT 1 FROM run WHERE run.id = \
     callback.run AND run.state = 5 AND run.step = callback.step AND run.attempt = callback.attempt)";
/// Callbacks that are gone back through for those that were answered.
const BACK: u32 = 2_000;
/// Answered ones whose host is looked at.
const LOOKED: usize = 50;
/// Others to a host that are told.
const TOLD: usize = 5;
/// Characters of an answer that are told.
const SAID: usize = 40;

/// Callbacks that match, the most urgent first; at most so many. `partial` where there are more, or
/// the time was up.
pub(super) fn urgent(
    look: &Look<'_>,
    query: &Query,
    limit: usize,
    budget: &Budget,
) -> rusqlite::Result<Walked<CallbackView>> {
    let mut walked = Walked::none();
    let begun = Instant::now();
    let stages = [
        ("callback INDEXED BY callback_expired", OVERDUE),
        ("callback INDEXED BY callback_open", "callback.state = 0"),
    ];
    for (from, condition) in stages {
        let sql = format!("SELECT {} FROM {from} WHERE {condition} ORDER BY deadline, id", codec::CALLBACK);
        let mut statement = look.conn.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if walked.rows.len() >= limit || begun.elapsed() >= budget.page {
                walked.partial = true;
                return Ok(walked);
            }
            walked.scanned += 1;
            let callback = codec::callback(row, 0)?;
            let run = head::run_by_id(look.conn, callback.run)?;
            let view = views::callback(look, &callback, run.as_ref());
            if pages::callback_matches(query, &view) {
                walked.rows.push((callback.id.0, with(look, view, &callback, run.as_ref())?));
            }
        }
    }
    // What is neither: nobody waits for it any more.
    let rest = Query::parse("not (state:pending or overdue:true)", look.now).unwrap_or(Query::All);
    let rest = Query::And(vec![rest, query.clone()]);
    let way = Way { range: super::reach::Range::ALL, forward: false, limit: limit - walked.rows.len() };
    let found = if way.limit > 0 {
        pages::callbacks(look, &rest, way, budget)?
    } else {
        Walked { next: Some(0), partial: true, ..Walked::none() }
    };
    for (id, view) in found.rows {
        let Some(callback) = head::callback_by_id(look.conn, crate::model::CallbackId(id))? else { continue };
        let run = head::run_by_id(look.conn, callback.run)?;
        walked.rows.push((id, with(look, view, &callback, run.as_ref())?));
    }
    walked.scanned += found.scanned;
    walked.partial = found.partial || found.next.is_some();
    Ok(walked)
}

fn with(
    look: &Look<'_>,
    mut view: CallbackView,
    callback: &Callback,
    run: Option<&Run>,
) -> rusqlite::Result<CallbackView> {
    view.awaited = Some(Box::new(awaited(look, callback, run)?));
    Ok(view)
}

/// Who shall answer a callback, and what was answered at once.
pub(super) fn awaited(
    look: &Look<'_>,
    callback: &Callback,
    run: Option<&Run>,
) -> rusqlite::Result<AwaitedView> {
    let exchange = head::exchange(look.conn, callback.run, callback.step, callback.attempt)?;
    let (sent, got) = exchange.unwrap_or((None, None));
    let mut said = got.as_ref().map(said).unwrap_or_default();
    if let Some(run) = run.filter(|_| !said.is_empty()) {
        look.traces(run).hide_in(&mut said);
    }
    Ok(AwaitedView {
        host: sent.map(|sent| host(&sent.url)).unwrap_or_default(),
        attempt: callback.attempt,
        status: got.map(|got| got.status),
        said,
        run_state: run.map(|run| run.state),
        held: run.is_some_and(|run| held(callback, run)),
        others: Vec::new(),
    })
}

/// Whether the run waits for this callback, or stopped for want of its answer.
fn held(callback: &Callback, run: &Run) -> bool {
    let current = run.step == callback.step && run.attempt == callback.attempt;
    current
        && match run.state {
            RunState::Waiting => callback.state == CallbackState::Pending,
            state => state == RunState::Errored,
        }
}

/// The callback that a run waits for, or for want of whose answer it stopped.
pub(super) fn of_run(look: &Look<'_>, run: &Run) -> rusqlite::Result<Option<CallbackView>> {
    let sql = format!(
        "SELECT {} FROM callback INDEXED BY callback_run WHERE run = ?1 AND step = ?2 AND attempt = ?3
         ORDER BY id DESC LIMIT 1",
        codec::CALLBACK
    );
    let mut statement = look.conn.prepare_cached(&sql)?;
    let mut rows = statement.query((run.id.0, run.step, run.attempt))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let callback = codec::callback(row, 0)?;
    if !held(&callback, run) {
        return Ok(None);
    }
    let view = views::callback(look, &callback, Some(run));
    with(look, view, &callback, Some(run)).map(Some)
}

/// A callback with who shall answer it, and how long others to the same host took.
pub(super) fn detail(
    look: &Look<'_>,
    callback: &Callback,
    run: Option<&Run>,
) -> rusqlite::Result<CallbackView> {
    let mut view = views::callback(look, callback, run);
    let mut awaited = awaited(look, callback, run)?;
    if !awaited.host.is_empty() {
        for (looked, other) in answered(look.conn)?.into_iter().enumerate() {
            if looked >= LOOKED || awaited.others.len() >= TOLD {
                break;
            }
            let Some(received) = other.received.filter(|_| other.id != callback.id) else { continue };
            let exchange = head::exchange(look.conn, other.run, other.step, other.attempt)?;
            let to = exchange.and_then(|(sent, _)| sent).map(|sent| host(&sent.url));
            if to.as_ref() == Some(&awaited.host) {
                awaited.others.push((received - other.created).max(0));
            }
        }
    }
    view.awaited = Some(Box::new(awaited));
    Ok(view)
}

/// The answer that came last to a callback of the same step: when, its code and body.
pub(super) fn last_answer(
    look: &Look<'_>,
    flow: FlowId,
    step: u32,
) -> rusqlite::Result<Option<(Ms, u16, String)>> {
    for other in answered(look.conn)? {
        let (Some(received), true) = (other.received, other.step == step) else { continue };
        let of_flow = head::run_by_id(look.conn, other.run)?.is_some_and(|run| run.flow == flow);
        if !of_flow {
            continue;
        }
        if let Some(got) = head::callback_answer(look.conn, other.run, other.step, other.attempt)?
            && (200..300).contains(&got.status)
            && !got.cut
            && !got.binary
        {
            return Ok(Some((received, got.status, got.body)));
        }
    }
    Ok(None)
}

/// The newest callbacks that were answered, as far as one goes back for them.
fn answered(conn: &Connection) -> rusqlite::Result<Vec<Callback>> {
    let sql = format!(
        "SELECT {0} FROM (SELECT {0} FROM callback ORDER BY id DESC LIMIT {BACK}) WHERE state = 1",
        codec::CALLBACK
    );
    conn.prepare_cached(&sql)?.query_map([], |row| codec::callback(row, 0))?.collect()
}

/// The beginning of an answer in a few words: `job 4471`.
fn said(got: &Got) -> String {
    if got.binary {
        return String::new();
    }
    let words = match beginning(got.body.as_bytes()) {
        Some(Value::Object(map)) => map.iter().find_map(|(key, value)| match value {
            Value::String(text) => Some(format!("{key} {text}")),
            Value::Bool(_) | Value::Number(_) => Some(format!("{key} {value}")),
            _ => None,
        }),
        Some(_) => None,
        None => got.body.lines().next().map(str::to_owned),
    };
    let words = words.unwrap_or_default();
    if words.chars().count() <= SAID {
        return words;
    }
    words.chars().take(SAID - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_by_its_first_value() {
        let of = |body: &str| said(&Got { status: 202, body: body.to_owned(), ..Got::default() });
        assert_eq!(of(r#"{"links":{},"job":"4471","more":1}"#), "job 4471");
        assert_eq!(of(r#"{"n":7}"#), "n 7");
        assert_eq!(of("[1]"), "");
        assert_eq!(of("queued as 7\nmore"), "queued as 7");
        assert_eq!(of(&"é".repeat(100)).chars().count(), SAID);
        let binary = Got { body: "x".to_owned(), binary: true, ..Got::default() };
        assert_eq!(said(&binary), "");
    }
}
