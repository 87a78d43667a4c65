//! Rows to views: the stable JSON shapes of `model::view`.

use super::content;
use super::head::{self, RequestHead};
use super::look::Look;
use super::{status, what};
use crate::model::headers::Headers;
use crate::model::request::{Marks, Seed, StoredRequest, Verdict};
use crate::model::run::{Callback, CallbackState, Entry, EntryKind, Got, Run, RunState, Sent, StepState};
use crate::model::study::Pinned;
use crate::model::time::rfc3339;
use crate::model::view::{
    AnswerView, AttemptView, BeganView, CallbackView, GotView, ItemView, Pair, RequestDetail, RequestView,
    RunView, SentView, StepView,
};
use crate::model::{Map, RequestId, RunId};
use crate::rules::advance::fold::{AttemptFold, Fold, ItemFold, StepFold, fold};
use crate::rules::answer::{self, Kept};
use crate::rules::data::{self, flat, query_lists, request_data};
use crate::rules::explain::written;
use crate::rules::lane::{is_parked, tag_of};
use crate::rules::mask::{self, Traces};
use crate::rules::needs::needs;
use crate::rules::plan::Plan;
use crate::rules::redelivery;
use crate::store::told::{self, Noted};
use base64::Engine as _;
use std::fmt::Write as _;

/// Runs of a request whose states are told with it.
const BEGUN: usize = 4;

/// Bytes in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether a request was a test.
pub(super) fn is_test(marks: Marks) -> bool {
    marks.has(Marks::TEST)
}

/// What names an error group in filters (`group:…`) and in its view.
pub(in crate::store) fn group_name(cause: i64) -> String {
    format!("{cause:016x}")
}

/// The group that a whole name names; a part of one, or the group without a cause, is left to the
/// filter itself.
pub(super) fn group_cause(name: &str) -> Option<i64> {
    if name.len() != 16 || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    i64::from_str_radix(name, 16).ok().filter(|cause| *cause != 0)
}

/// What lists show of a request in a line, and what its provider calls the delivery. Its headers and
/// the first [`what::MAX_BODY`] bytes of its body are read for it (of an empty one `substr` makes NULL).
fn read(look: &Look<'_>, head: &RequestHead) -> rusqlite::Result<(String, Option<String>)> {
    let plan = look.plan(head.flow, head.version);
    let (headers, body) = look
        .conn
        .prepare_cached("SELECT headers, ifnull(substr(body, 1, ?2), x'') FROM request WHERE id = ?1")?
        .query_row(rusqlite::params![head.id.0, what::MAX_BODY], |row| {
            // A part of an empty blob is null.
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Option<Vec<u8>>>(1)?.unwrap_or_default()))
        })?;
    let paths = look.mask(head.flow, head.version);
    let headers = mask::headers(&paths, &Headers::from_blob(headers.into()));
    let line = what::what(
        head.verdict,
        head.cause.as_deref(),
        plan.as_deref().and_then(what::rule),
        &headers,
        &mask::query(&paths, &head.query),
        &mask::body(&paths, &body),
    );
    Ok((line, redelivery::of(&headers)))
}

/// What lists show of a request in a line.
pub(super) fn what_of(look: &Look<'_>, head: &RequestHead) -> rusqlite::Result<String> {
    Ok(read(look, head)?.0)
}

/// A request in a list.
pub(super) fn request(look: &Look<'_>, head: &RequestHead) -> rusqlite::Result<RequestView> {
    let (line, delivery) = read(look, head)?;
    let (integration, flow) = look.names(head.flow);
    let runs = head::runs_of(look.conn, head.id)?;
    // Nobody was answered where nobody sent it.
    let status = head.status.filter(|_| head.marks.arrived());
    Ok(RequestView {
        id: look.request_id(head.id),
        time: rfc3339(head.id.time()),
        integration,
        flow,
        endpoint: look.endpoint(head.flow),
        method: head.method.clone(),
        path: head.path.clone(),
        verdict: head.verdict,
        status,
        cause: head.cause.clone(),
        dedup_key: head.dedup.as_deref().map(hex),
        duplicate_of: head.duplicate_of.map(|first| look.request_id(first)),
        runs: runs.into_iter().map(|run| look.run_id(run)).collect(),
        size: head.size,
        actor: head.actor.clone(),
        from: head.peer.clone().filter(|_| head.marks.arrived()),
        test: is_test(head.marks),
        marks: head.marks.words(),
        what: line,
        delivery,
        pinned: Pinned::new(),
    })
}

/// A request, whole; `None` where there is none.
pub(super) fn request_detail(look: &Look<'_>, id: RequestId) -> rusqlite::Result<Option<RequestDetail>> {
    let Some(head) = head::request_by_id(look.conn, id)? else { return Ok(None) };
    let mut view = request(look, &head)?;
    let Some(StoredRequest { seed, .. }) = look.shown(id)? else { return Ok(None) };
    let data = request_data(&seed, &view.id, id.time(), "");
    let answer = answer(look, &head, &view)?;
    // What was told may have been noted since the row was read: the two are never at odds.
    view.status = view.status.or(answer.as_ref().map(|answer| answer.status));
    let (began, parent) = begun(look, &head)?;
    Ok(Some(RequestDetail {
        answer,
        version: Some(head.version),
        parent,
        began,
        request: view,
        headers: content::shown_headers(&seed.headers),
        flat: flat(&data),
        target: target(look, &seed),
        query: query_lists(&seed.query),
        body: data.body,
        raw: base64::engine::general_purpose::STANDARD.encode(&seed.body),
    }))
}

/// How the first runs of a request stand; and of one that a person made the request that it was made
/// from: what the run began with which its own run replays.
fn begun(look: &Look<'_>, head: &RequestHead) -> rusqlite::Result<(Vec<BeganView>, Option<String>)> {
    let (mut began, mut parent) = (Vec::new(), None);
    for id in head::runs_of(look.conn, head.id)?.into_iter().take(BEGUN) {
        let Some(run) = head::run_by_id(look.conn, id)? else { continue };
        if let (true, None, Some(of)) = (head.marks.has(Marks::MANUAL), &parent, run.parent) {
            let origin = head::run_by_id(look.conn, of)?.and_then(|origin| origin.request);
            parent = origin.filter(|of| *of != head.id).map(|of| look.request_id(of));
        }
        began.push(BeganView { run: look.run_id(id), state: run.state, version: run.version });
    }
    Ok((began, parent))
}

/// The target of a request's line; `None` where nothing arrived.
fn target(look: &Look<'_>, seed: &Seed) -> Option<String> {
    let plan = look.plan(seed.flow, seed.version);
    let alias = plan.as_deref().and_then(|plan| plan.flow.webhook()?.path.as_deref());
    let target = data::target(&look.endpoint(seed.flow), alias, seed);
    seed.marks.arrived().then(|| target.replace(mask::IN_QUERY, mask::MASK))
}

/// What the sender was answered, as it left; `None` where it still waits or went away before, and of
/// what nobody sent. What was not noted follows from the row, by what made it.
fn answer(look: &Look<'_>, head: &RequestHead, view: &RequestView) -> rusqlite::Result<Option<AnswerView>> {
    if !head.marks.arrived() {
        return Ok(None);
    }
    let (ids, id) = (look.ids(), head.id);
    let answer = match told::read(look.conn, id)? {
        Noted::Answer(noted) => noted,
        Noted::InJournal => {
            let Some(given) = status::given_of(look.conn, id)? else { return Ok(None) };
            answer::view(&answer::given(&given, view.id.clone()))
        }
        Noted::Nothing => answer::view(&match (head.verdict, head.status) {
            (Verdict::Accepted, Some(200)) => {
                let split =
                    look.plan(head.flow, head.version).is_some_and(|plan| plan.flow.split().is_some());
                let runs = if split { status::own_runs(look.conn, id)? } else { Vec::new() };
                Kept {
                    ids,
                    request: id,
                    run: (!split).then_some(RunId(id.0)),
                    split: split.then_some(&runs),
                    state: head.marks.born_in(),
                }
                .accepted()
            }
            (Verdict::Duplicate, _) => answer::duplicate(ids, id, head.duplicate_of),
            (Verdict::Filtered, _) => answer::filtered(ids, id, head.marks.has(Marks::CAPTURED)),
            (Verdict::Accepted | Verdict::Rejected, _) => return Ok(None),
        }),
    };
    let mut answer = answer::named(answer, &view.id);
    let traces = look.traces_of(id, &look.mask(head.flow, head.version));
    if !traces.is_empty() {
        for (_, value) in &mut answer.headers {
            traces.hide_in(value);
        }
        traces.hide_in_body(&mut answer.body);
    }
    Ok(Some(answer))
}

/// A run; `whole` with what its attempts sent and got, where the journal has that.
pub(super) fn run(look: &Look<'_>, run: &Run, journal: &[Entry], whole: bool) -> RunView {
    let plan = look.plan(run.flow, run.version);
    let folded = plan.as_deref().map(|plan| fold(plan, run, journal));
    let tries = |name: &str| {
        let step = plan.as_deref()?.flow.steps.iter().find(|step| step.name == name)?;
        step.kind.exchange().map(|exchange| exchange.retry.attempts)
    };
    let (integration, flow) = look.names(run.flow);
    let mut view = RunView {
        id: look.run_id(run.id),
        request: run.request.map(|id| look.request_id(id)),
        parent: run.parent.map(|id| look.run_id(id)),
        integration,
        flow,
        version: run.version,
        state: run.state,
        cause: cause(run, folded.as_ref(), journal),
        started: run.started.map(rfc3339),
        ended: run.ended.map(rfc3339),
        test: run.test,
        due: due(run).map(rfc3339),
        waits: None,
        line: run.due.and_then(tag_of),
        seq: run.seq,
        callback: None,
        steps: folded
            .map(|fold| fold.steps)
            .unwrap_or_default()
            .into_iter()
            .enumerate()
            .map(|(at, step)| {
                let tries = tries(&step.name);
                let mut view = self::step(step, tries, whole);
                if let Some(plan) = plan.as_deref().filter(|_| whole && view.state == StepState::Pending) {
                    view.needs = needs(plan, at);
                    view.awaits = awaits(plan, at);
                }
                view
            })
            .collect(),
    };
    hide(&look.traces(run), &mut view);
    view
}

/// Hides masked values of the run's request where they turn up again.
fn hide(traces: &Traces, view: &mut RunView) {
    if traces.is_empty() {
        return;
    }
    let text = |text: &mut Option<String>| text.iter_mut().for_each(|text| traces.hide_in(text));
    let pairs = |pairs: &mut Vec<Pair>| pairs.iter_mut().for_each(|(_, value)| traces.hide_in(value));
    text(&mut view.cause);
    for step in &mut view.steps {
        text(&mut step.cause);
        step.items.iter_mut().for_each(|item| text(&mut item.cause));
        for value in step.outputs.iter_mut().flat_map(Map::values_mut) {
            traces.hide_value(value);
        }
        for attempt in &mut step.attempts {
            text(&mut attempt.cause);
            if let Some(sent) = &mut attempt.request {
                traces.hide_in(&mut sent.url);
                pairs(&mut sent.headers);
                sent.body.iter_mut().for_each(|body| traces.hide_in_body(body));
            }
            if let Some(got) = &mut attempt.response {
                pairs(&mut got.headers);
                traces.hide_in_body(&mut got.body);
            }
        }
    }
}

/// When a run acts next by itself: the end of a lease is no act, and a place in a lane no time.
fn due(run: &Run) -> Option<i64> {
    let waits = matches!(run.state, RunState::Queued | RunState::Retrying | RunState::Waiting);
    run.due.filter(|due| waits && !is_parked(*due))
}

fn cause(run: &Run, fold: Option<&Fold>, journal: &[Entry]) -> Option<String> {
    let last = |kind| journal.iter().rev().find(|entry| entry.kind == kind);
    match run.state {
        RunState::Queued | RunState::Running | RunState::Succeeded => None,
        RunState::SucceededWithSkips => fold.and_then(|fold| gone_without(fold, journal)),
        RunState::Aborted => {
            let abort = last(EntryKind::Abort)?;
            let who = abort.actor.as_deref().unwrap_or("an operator");
            Some(match &abort.detail.reason {
                Some(reason) => format!("aborted by {who}: {reason}"),
                None => format!("aborted by {who}"),
            })
        }
        RunState::Waiting => {
            let step = fold.and_then(|fold| fold.steps.iter().find(|step| step.state.word() == "waiting"));
            Some(if step.is_some_and(|step| step.kind == "delay") { "delay" } else { "callback" }.to_owned())
        }
        RunState::Retrying | RunState::Errored | RunState::Failed => {
            let words = || journal.iter().rev().find_map(|entry| entry.detail.cause.clone());
            fold.and_then(|fold| fold.cause.clone()).or_else(words)
        }
    }
}

/// Why a run went on without a step: it failed, or somebody skipped it.
fn gone_without(fold: &Fold, journal: &[Entry]) -> Option<String> {
    use crate::model::run::StepState;
    if let Some(step) = fold.steps.iter().find(|step| step.state == StepState::Failed) {
        let cause = step.cause.as_deref().unwrap_or("its cause is not kept");
        return Some(format!("{} failed: {cause}", step.name));
    }
    let skip = journal.iter().rev().find(|entry| entry.kind == EntryKind::Skip)?;
    let who = skip.actor.as_deref().unwrap_or("an operator");
    let step = &skip.detail.step_name;
    Some(match &skip.detail.reason {
        Some(reason) => format!("{step} skipped by {who}: {reason}"),
        None => format!("{step} skipped by {who}"),
    })
}

/// How long a step will wait for its callback.
fn awaits(plan: &Plan, step: usize) -> Option<String> {
    let exchange = plan.flow.steps.get(step)?.kind.exchange()?;
    exchange.callback.then(|| written(exchange.callback_deadline))
}

fn step(step: StepFold, tries: Option<u32>, whole: bool) -> StepView {
    StepView {
        tries,
        needs: Vec::new(),
        awaits: None,
        name: step.name,
        kind: step.kind.to_owned(),
        state: step.state,
        cause: step.cause,
        started: step.started.map(rfc3339),
        ended: step.ended.map(rfc3339),
        outputs: step.outputs,
        attempts: step.attempts.into_iter().map(|attempt| self::attempt(attempt, whole)).collect(),
        attempts_left_out: 0,
        items: (0..)
            .zip(step.items)
            .map(|(index, ItemFold { state, cause, attempts })| ItemView { index, state, cause, attempts })
            .collect(),
        item_counts: None,
    }
}

fn attempt(attempt: AttemptFold, whole: bool) -> AttemptView {
    AttemptView {
        item: attempt.item,
        number: attempt.number,
        started: attempt.started.map(rfc3339),
        elapsed_ms: attempt.elapsed_ms,
        outcome: attempt.outcome,
        status: attempt.status,
        request: attempt.sent.filter(|_| whole).map(sent),
        response: attempt.got.filter(|_| whole).map(got),
        cause: attempt.cause,
        left_out: attempt.left_out,
    }
}

fn sent(sent: Sent) -> SentView {
    SentView { method: sent.method, url: sent.url, headers: sent.headers, body: sent.body }
}

fn got(got: Got) -> GotView {
    GotView { status: got.status, headers: got.headers, body: got.body, cut: got.cut, binary: got.binary }
}

/// Puts the incoming body where an attempt sent it on as it was and it was not kept twice.
pub(super) fn fill_same_bodies(view: &mut RunView, journal: &[Entry], body: &[u8]) {
    let same = |step: &str, item: Option<u32>, number: u32| {
        journal.iter().any(|entry| {
            entry.detail.step_name == step
                && entry.item == item
                && entry.attempt == number
                && entry.sent.as_ref().is_some_and(|sent| sent.same_body && sent.body.is_none())
        })
    };
    for step in &mut view.steps {
        for attempt in &mut step.attempts {
            if let Some(sent) = &mut attempt.request
                && sent.body.is_none()
                && same(&step.name, attempt.item, attempt.number)
            {
                sent.body = Some(crate::model::run::keep(body).0);
            }
        }
    }
}

/// The name of the step that a callback finishes.
pub(super) fn callback_step(look: &Look<'_>, callback: &Callback, run: Option<&Run>) -> String {
    let plan = run.and_then(|run| look.plan(run.flow, run.version));
    plan.and_then(|plan| Some(plan.flow.steps.get(callback.step as usize)?.name.clone())).unwrap_or_default()
}

/// Whether a callback expired and its step is still errored.
pub(super) fn overdue(callback: &Callback, run: Option<&Run>) -> bool {
    callback.state == CallbackState::Expired
        && run.is_some_and(|run| {
            run.state == RunState::Errored && run.step == callback.step && run.attempt == callback.attempt
        })
}

/// A callback in a list, without its URL.
pub(super) fn callback(look: &Look<'_>, callback: &Callback, run: Option<&Run>) -> CallbackView {
    let (integration, flow) = run.map(|run| look.names(run.flow)).unwrap_or_default();
    CallbackView {
        id: look.ids().print(callback.id),
        run: look.run_id(callback.run),
        step: callback_step(look, callback, run),
        state: callback.state,
        deadline: rfc3339(callback.deadline),
        created: rfc3339(callback.created),
        received: callback.received.map(rfc3339),
        status: callback.status,
        integration,
        flow,
        overdue: overdue(callback, run),
        awaited: None,
        url: None,
    }
}
