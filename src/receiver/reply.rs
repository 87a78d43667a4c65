//! Senders that wait: for the end of their run, for its answer, or for their time to be up.
//!
//! A sender that waits is a future and an entry in the store's list of waiters. The commit that
//! answers or ends its run wakes it; the store is asked once, when its time is up.

use super::overdue::Deadline;
use super::pulse::Pulse;
use super::{Deps, status};
use crate::model::run::{Given, RunState};
use crate::model::{IdKey, Ms, RunId};
use crate::rules::advance::Input;
use crate::rules::answer::{self as answers, Answer, Kept};
use crate::rules::mask::MASK;
use crate::rules::reply::{self, Told, Wish};
use crate::store::{Admitted, Waiting};
use futures_util::StreamExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use warp::http::StatusCode;

/// Once a stop was asked for, senders wait this long at most: their answer must leave before the
/// connections are cut.
const LAST: Duration = Duration::from_secs(5);
/// Runs of one request that are aborted side by side.
const SIDE_BY_SIDE: usize = 32;

/// What a sender waits for.
pub(super) struct Wait<'r> {
    /// How long, and what then.
    pub(super) wish: Wish,
    /// When its request was complete.
    pub(super) since: Instant,
    /// Of its connection.
    pub(super) pulse: &'r Pulse,
}

/// What is known of a request when its sender is answered.
pub(super) struct Known {
    /// Of its runs.
    pub(super) states: Vec<(RunId, RunState)>,
    /// An answer that one of them gave.
    pub(super) given: Option<Given>,
}

/// A request that is kept, and the state that is told of its runs.
pub(super) fn kept<'a>(ids: &'a IdKey, admitted: &'a Admitted, state: RunState) -> Kept<'a> {
    let split = admitted.split.as_deref();
    let run = admitted.run.filter(|_| split.is_none()).map(|(run, _)| run);
    Kept { ids, request: admitted.request, run, split, state }
}

/// Waits with a sender whose request was committed, and answers it. What it is told is written down,
/// without anybody waiting for that: a crash before loses the note and not the run.
pub(super) async fn answer(
    deps: &Arc<Deps>,
    stop: &CancellationToken,
    admitted: &Admitted,
    waiting: Waiting,
    wait: Wait<'_>,
) -> Answer {
    let (answer, respond) = settle(deps, stop, admitted, waiting, wait).await;
    // The journal has the answer of a `respond` step.
    let told = (!respond).then(|| {
        let mut told = answers::view(&answer);
        // Where to ask is the sender's alone: what it finds there is masked for nobody.
        let key = deps.vault.status_key(admitted.request);
        told.body = told.body.replace(&key, MASK);
        told.headers.iter_mut().for_each(|(_, value)| *value = value.replace(&key, MASK));
        told
    });
    deps.store.note_told(admitted.request, answer.status().as_u16(), told);
    answer
}

/// The answer to a sender that waits, and whether a `respond` step gave it.
async fn settle(
    deps: &Arc<Deps>,
    stop: &CancellationToken,
    admitted: &Admitted,
    mut waiting: Waiting,
    wait: Wait<'_>,
) -> (Answer, bool) {
    let Wait { wish, since, pulse } = wait;
    let until = since + Duration::from_millis(u64::try_from(wish.within).unwrap_or(0));
    let stopping = async {
        stop.cancelled().await;
        sleep(LAST).await;
    };
    pulse.wait();
    // A sender that hangs up takes this future with it.
    let deadline = wish.abort.then(|| Deadline::new(deps, admitted.request, wish.within));
    let (known, in_time) = tokio::select! {
        biased;
        told = waiting.told() => (told.map(|told| Known { states: told.states, given: told.given }), true),
        () = sleep_until(until) => (None, false),
        () = stopping => (None, true),
    };
    deadline.into_iter().for_each(Deadline::met);
    pulse.busy();
    let known = match known {
        Some(known) => known,
        // A commit whose outcome had to be looked up tells nobody: the rows are asked.
        None => read(deps, admitted).await,
    };
    let state = match told(deps, admitted, &known) {
        Ok(answered) => return answered,
        Err(state) => state,
    };
    if in_time || !wish.abort {
        return (open(deps, admitted, state, &wish, false), false);
    }
    abort(deps, &known, wish.within).await;
    // What ended meanwhile has ended: the abort came too late.
    let known = read(deps, admitted).await;
    match told(deps, admitted, &known) {
        Ok(answered) if reply::state_of(states(&known)) != RunState::Aborted => answered,
        Ok(_) => (open(deps, admitted, RunState::Aborted, &wish, true), false),
        Err(state) => (open(deps, admitted, state, &wish, true), false),
    }
}

fn states(known: &Known) -> impl Iterator<Item = RunState> {
    known.states.iter().map(|(_, state)| *state)
}

/// Where a request stands by its rows; where they cannot be read, as it was committed.
async fn read(deps: &Deps, admitted: &Admitted) -> Known {
    match deps.store.request_status(admitted.request).await {
        Ok(Some(status)) => Known { states: status.runs, given: status.given },
        Ok(None) | Err(_) => Known { states: admitted.runs().to_vec(), given: None },
    }
}

/// The answer of a request that has one, and whether a `respond` step gave it; else the state of what
/// still goes on.
fn told(deps: &Deps, admitted: &Admitted, known: &Known) -> Result<(Answer, bool), RunState> {
    let ids = deps.store.ids();
    let kept = |state| kept(ids, admitted, state);
    let answer = match reply::told(states(known), known.given.as_ref()) {
        Told::Open(state) => return Err(state),
        Told::Given(given) if given.problem => {
            let status = StatusCode::from_u16(given.status).unwrap_or(StatusCode::BAD_GATEWAY);
            kept(RunState::Failed).problem(status, &given.body, None)
        }
        Told::Given(given) => return Ok((answers::given(given, ids.print(admitted.request)), true)),
        Told::Finished(state) => kept(state).accepted(),
        Told::Stopped(state) => {
            let (status, detail) = match state {
                RunState::Aborted => (StatusCode::CONFLICT, "the run was aborted"),
                RunState::Failed => (StatusCode::BAD_GATEWAY, "the run failed"),
                _ => (StatusCode::BAD_GATEWAY, "the run stopped with an error, and waits for an operator"),
            };
            let url = status::url(deps, admitted.request);
            kept(state).problem(status, detail, Some(&url))
        }
    };
    Ok((answer, false))
}

/// The answer to a sender whose time is up: 202 where it asked for that, else 504.
fn open(deps: &Deps, admitted: &Admitted, state: RunState, wish: &Wish, aborted: bool) -> Answer {
    let kept = kept(deps.store.ids(), admitted, state);
    let url = status::url(deps, admitted.request);
    let mut answer = if wish.asks_later && !aborted {
        kept.later(&url)
    } else {
        let then = match (aborted, wish.abort) {
            (true, _) => "it ends aborted",
            // The process stops before the sender's time is up; the next one keeps it.
            (false, true) => "it goes on until its time is up",
            (false, false) => "it goes on",
        };
        let detail = format!("the run is not finished in time: {then}");
        kept.problem(StatusCode::GATEWAY_TIMEOUT, &detail, Some(&url))
    };
    answers::locate(&mut answer, &status::path(deps, admitted.request));
    answer
}

/// Ends what is still open: at once, or after its attempt.
pub(super) async fn abort(deps: &Arc<Deps>, known: &Known, within: Ms) {
    let reason = format!("not finished within {}", crate::text::took(within));
    let open: Vec<RunId> =
        known.states.iter().filter(|(_, state)| !reply::rests(*state)).map(|(run, _)| *run).collect();
    let deps = Arc::clone(deps);
    // A sender that hangs up now must not leave half of them.
    let aborting = tokio::spawn(async move {
        let store = &deps.store;
        let input = || Input::Abort { actor: "on_timeout".to_owned(), reason: Some(reason.clone()) };
        futures_util::stream::iter(open)
            .for_each_concurrent(SIDE_BY_SIDE, |run| async move {
                // Refused where it has ended since.
                let _ = store.apply(run, |_| input()).await;
            })
            .await;
    });
    let _ = aborting.await;
}
