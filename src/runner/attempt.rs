//! One run under a lease: its exchanges, one after the other, each committed before the next.

use super::call::{Attempt, Call, Made, callback_url};
use super::each;
use super::work::{Carried, Shared};
use crate::model::ask::{Refusal, With};
use crate::model::run::CallbackState;
use crate::model::{CallbackId, Ms};
use crate::rules::advance::{self, Effect, Env, Exchange, Input, Snapshot, idempotency_key};
use crate::scheduler::Slot;
use crate::store::StoreError;
use crate::store::apply::{How, Lease};
use std::sync::Arc;
use std::time::Duration;

/// How long a result waits before it is offered again to a store that takes no writes.
const AGAIN: Duration = Duration::from_millis(500);

/// Carries a run whose attempt may leave now, until it ends, waits, or is somebody else's.
pub(super) async fn carry(shared: Arc<Shared>, mut carried: Carried, mut slot: Slot) {
    loop {
        let held = || shared.store.lane(carried.snapshot.run.flow).is_some_and(|rule| rule.held);
        if shared.stop.is_cancelled() || held() {
            put_back(&shared, carried, None).await;
            break;
        }
        let pass = match shared.pass(&carried, slot.pass.take()) {
            Ok(pass) => pass,
            Err(place) => {
                put_back(&shared, carried, Some(place)).await;
                break;
            }
        };
        let run = carried.snapshot.run.id;
        let flight = shared.flights.take_off(run);
        let effect = if carried.snapshot.frame.items.is_some() {
            each::carry(&shared, &mut carried, pass).await
        } else {
            let input = attempt(&shared, &carried).await;
            shared.heard(&carried, &input, pass);
            settle(&shared, &mut carried, input).await
        };
        drop(flight);
        if effect != Some(Effect::Send) {
            break;
        }
    }
    drop(slot);
}

/// A claim of which nothing was sent goes back, to be due then.
pub(super) async fn put_back(shared: &Shared, mut carried: Carried, due: Option<Ms>) {
    let fence = carried.snapshot.run.fence;
    let _ = settle(shared, &mut carried, Input::PutBack { fence, due }).await;
}

/// Commits what happened; `None` where it was refused, or the run is no longer ours.
///
/// First by what is in memory, which is exactly what was committed last; where the row has moved on
/// since (an operator's abort, a callback that was early, a renewed lease), by what is stored now.
pub(super) async fn settle(shared: &Shared, carried: &mut Carried, input: Input) -> Option<Effect> {
    let lease = shared.lease(&carried.plan);
    settle_under(shared, carried, input, lease).await
}

/// As [`settle`]; what comes next may start under this lease alone.
pub(super) async fn settle_under(
    shared: &Shared,
    carried: &mut Carried,
    input: Input,
    lease: Option<Lease>,
) -> Option<Effect> {
    match settle_once(shared, carried, input.clone(), lease).await {
        Ok(effect) => Some(effect),
        Err(Unsettled::Store(StoreError::Stale | StoreError::Down(_))) => {
            settle_anew(shared, carried, &input, lease).await
        }
        Err(_) => None,
    }
}

/// Why a run was not moved.
#[derive(Debug)]
pub(super) enum Unsettled {
    /// The rules have no use for what happened.
    Refused,
    /// The store did not take it.
    Store(StoreError),
}

/// Commits what happened by what is in memory alone.
pub(super) async fn settle_once(
    shared: &Shared,
    carried: &mut Carried,
    input: Input,
    lease: Option<Lease>,
) -> Result<Effect, Unsettled> {
    let env = Env {
        now: shared.store.now(),
        dice: fastrand::f64(),
        callback: lease.map_or((CallbackId(0), [0; 32]), |lease| lease.callback),
        lease: lease.map(|lease| (lease.owner, lease.until)),
        items: lease.map_or(0, |lease| lease.items),
    };
    let decided = advance::advance(&carried.plan, &carried.snapshot, input, &env);
    let mut transition = decided.map_err(|_| Unsettled::Refused)?;
    let effect = transition.effect;
    if effect == Effect::Send {
        carried.snapshot.follow(&carried.plan, &mut transition);
    }
    shared.store.commit(transition).await.map_err(Unsettled::Store)?;
    Ok(effect)
}

/// Commits what happened against the rows as they are now, for as long as the store takes no writes
/// again and again. The slot stays taken meanwhile, so what waits here is bounded.
async fn settle_anew(
    shared: &Shared,
    carried: &mut Carried,
    input: &Input,
    lease: Option<Lease>,
) -> Option<Effect> {
    let run = carried.snapshot.run.id;
    let how = How { with: With::Original, lease };
    loop {
        match shared.store.apply_as(run, how, |_| input.clone()).await {
            Ok(applied) => {
                carried.plan = applied.standing.plan;
                carried.snapshot = applied.standing.snapshot;
                return Some(applied.effect);
            }
            Err(Refusal { code, .. }) if code == "down" || code == "stale" => {
                tokio::select! {
                    () = tokio::time::sleep(AGAIN) => {}
                    () = shared.give_up.cancelled() => return None,
                }
            }
            Err(_) => return None,
        }
    }
}

/// Builds and sends the current step's request, or that of one of its items.
pub(super) async fn attempt(shared: &Shared, carried: &Carried) -> Input {
    let Carried { plan, snapshot, hops } = carried;
    let run = &snapshot.run;
    let (fence, item) = (run.fence, snapshot.context.item);
    let name = plan.flow.steps.get(run.step as usize).map_or("", |step| step.name.as_str());
    let attempt = Attempt {
        run: &snapshot.context.run,
        key: idempotency_key(&snapshot.context.run, name, item, snapshot.frame.fresh_key),
        number: run.attempt,
        hops: *hops + 1,
        callback: response_url(shared, snapshot),
    };
    let call = match Call::build(plan, run.step as usize, &snapshot.context, &attempt) {
        Ok(call) => call,
        Err(error) => return Input::Unbuilt { fence, item: item.map(|item| (item, run.attempt)), error },
    };
    let Made { started, elapsed_ms, sent, left_out, result } =
        call.make(&shared.http, &shared.vault, shared.store.now()).await;
    Input::Answer(Box::new(Exchange {
        fence,
        step: run.step,
        item,
        attempt: run.attempt,
        started,
        elapsed_ms,
        sent: Some(sent),
        left_out,
        result,
    }))
}

/// Where the open callback of the current attempt is answered.
fn response_url(shared: &Shared, snapshot: &Snapshot) -> Option<String> {
    let run = &snapshot.run;
    let callback = snapshot.callbacks.iter().rev().find(|callback| {
        callback.state == CallbackState::Pending
            && callback.step == run.step
            && callback.attempt == run.attempt
    })?;
    let token = shared.vault.callback_token(callback.id);
    Some(callback_url(&shared.settings.public_url, &token))
}
