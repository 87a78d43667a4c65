//! `on_timeout = "abort"` where its sender is not there to see it: it hung up before its time was up,
//! or the process that it waited on died. That the run ends in time belongs to the run, not to the
//! connection.
//!
//! Nothing of it is written down: how long a sender would have waited follows from its request and
//! from its flow, and a start reads which of their runs are open.

use super::Deps;
use super::reply::{Known, abort};
use crate::model::document::Trigger;
use crate::model::id::time_of;
use crate::model::request::{Marks, StoredRequest, Verdict};
use crate::model::run::RunState;
use crate::model::{FlowId, Ms, RequestId};
use crate::rules::reply::{Told, told, wish};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Senders that hung up and whose time is still kept; past it a run goes on until the next start.
const MOST: usize = 16_384;
/// How many there are.
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// Keeps the time of a sender whose run shall end with it, also where the sender goes away: then this
/// is dropped before it was told [`Deadline::met`].
pub(super) struct Deadline {
    deps: Arc<Deps>,
    request: RequestId,
    within: Ms,
    met: bool,
}

impl Deadline {
    /// Of a request that was committed.
    pub(super) fn new(deps: &Arc<Deps>, request: RequestId, within: Ms) -> Self {
        Self { deps: Arc::clone(deps), request, within, met: false }
    }

    /// The sender was there to the end.
    pub(super) fn met(mut self) {
        self.met = true;
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        let Ok(runtime) = Handle::try_current() else { return };
        if self.met || KEPT.load(Ordering::Relaxed) >= MOST {
            return;
        }
        KEPT.fetch_add(1, Ordering::Relaxed);
        let (deps, request, within) = (Arc::clone(&self.deps), self.request, self.within);
        runtime.spawn(async move {
            sleep(left(&deps, request, within)).await;
            end(&deps, request, within).await;
            KEPT.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// How long a request's sender would still wait.
fn left(deps: &Deps, request: RequestId, within: Ms) -> Duration {
    let until = time_of(request.0).saturating_add(within);
    Duration::from_millis(u64::try_from(until - deps.store.now()).unwrap_or(0))
}

/// After a start: ends the runs that senders of an earlier process would have seen aborted, each when
/// its time is up, at once where that is past.
pub(super) async fn resume(deps: Arc<Deps>, stop: CancellationToken) {
    let mut waiting = Vec::new();
    for flow in strict(&deps) {
        let Ok(requests) = deps.store.unfinished(flow).await else { return };
        for request in requests {
            if let Ok(Some(stored)) = deps.store.request(request).await
                && let Some(within) = patience(&deps, &stored)
            {
                waiting.push((time_of(request.0).saturating_add(within), request, within));
            }
        }
    }
    waiting.sort_unstable_by_key(|(until, request, _)| (*until, request.0));
    for (_, request, within) in waiting {
        tokio::select! {
            () = sleep(left(&deps, request, within)) => {}
            () = stop.cancelled() => return,
        }
        end(&deps, request, within).await;
    }
}

/// The flows whose senders see their runs aborted.
fn strict(deps: &Deps) -> Vec<FlowId> {
    let state = deps.store.configured();
    let aborts = |flow: &FlowId| {
        let plan = deps.store.deployed_plan(*flow)?;
        plan.flow.reply().patience().filter(|patience| patience.abort)
    };
    state.flows.keys().copied().filter(|flow| aborts(flow).is_some()).collect()
}

/// How long the sender of a request waited for its run, where that was to end with it.
fn patience(deps: &Deps, stored: &StoredRequest) -> Option<Ms> {
    let seed = &stored.seed;
    // What a person began, or let in later, has no sender that waits.
    let waited = stored.verdict == Verdict::Accepted
        && ![Marks::READMITTED, Marks::MANUAL, Marks::TEST].into_iter().any(|mark| seed.marks.has(mark));
    if !waited {
        return None;
    }
    let plan = deps.store.plan(seed.flow, seed.version)?;
    let Trigger::Webhook(_) = &plan.flow.trigger else { return None };
    let prefer = seed.headers.all("prefer").filter_map(|line| std::str::from_utf8(line).ok());
    let wish = wish(plan.flow.reply(), &seed.query, prefer)?;
    wish.abort.then_some(wish.within)
}

/// Ends what is still open of a request, unless its sender has been told something by now.
async fn end(deps: &Arc<Deps>, request: RequestId, within: Ms) {
    let Ok(Some(status)) = deps.store.request_status(request).await else { return };
    let known = Known { states: status.runs, given: status.given };
    if !matches!(told(known.states.iter().map(|(_, state)| *state), known.given.as_ref()), Told::Open(_)) {
        return;
    }
    for (run, _) in &known.states {
        let Ok(Some(loaded)) = deps.store.load(*run).await else { return };
        let stopped = |state| matches!(state, Some(RunState::Errored | RunState::Failed));
        // It was stopped, which its sender was or would have been told, and a person took it up again.
        if loaded.journal.iter().any(|entry| stopped(entry.detail.run_state)) {
            return;
        }
    }
    abort(deps, &known, within).await;
}
