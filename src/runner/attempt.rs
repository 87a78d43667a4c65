//! One run under a lease: its exchanges, one after the other, each committed before the next.

use super::each;
use super::http::{Answer, Came};
use super::work::{Carried, Shared};
use crate::model::ask::Refusal;
use crate::model::credential::Secret;
use crate::model::document::RequestStep;
use crate::model::headers::is_credential;
use crate::model::run::{CallbackState, Got, Sent, keep};
use crate::model::{CallbackId, Map, Ms};
use crate::rules::advance::{self, Effect, Env, Exchange, ExchangeResult, Input, Snapshot, idempotency_key};
use crate::rules::json;
use crate::rules::plan::Plan;
use crate::rules::secrets::Secrets;
use crate::rules::template::{self, Outgoing};
use crate::scheduler::Slot;
use crate::store::StoreError;
use crate::store::apply::{How, Lease};
use crate::vault::mask::mask_callbacks;
use reqwest::header::HeaderName;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    let env = Env {
        now: shared.store.now(),
        dice: fastrand::f64(),
        callback: lease.map_or((CallbackId(0), [0; 32]), |lease| lease.callback),
        lease: lease.map(|lease| (lease.owner, lease.until)),
        items: lease.map_or(0, |lease| lease.items),
    };
    let decided = advance::advance(&carried.plan, &carried.snapshot, input.clone(), &env);
    let mut transition = decided.ok()?;
    let effect = transition.effect;
    if effect == Effect::Send {
        carried.snapshot.follow(&carried.plan, &mut transition);
    }
    match shared.store.commit(transition).await {
        Ok(()) => Some(effect),
        Err(StoreError::Stale | StoreError::Down(_)) => settle_anew(shared, carried, &input, lease).await,
        Err(StoreError::Broken(_) | StoreError::Refused(_)) => None,
    }
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
    let how = How { deployed: false, lease };
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
    let at = run.step as usize;
    let fence = run.fence;
    let item = snapshot.context.item;
    let built = template::build(plan, at, &snapshot.context);
    let (outgoing, step) = match (built, plan.flow.steps.get(at).and_then(|step| step.kind.exchange())) {
        (Ok(outgoing), Some(step)) => (outgoing, step),
        (Err(error), _) => {
            return Input::Unbuilt { fence, item: item.map(|item| (item, run.attempt)), error };
        }
        (_, None) => return Input::PutBack { fence, due: None },
    };
    let engine = engine_headers(shared, plan, snapshot, *hops, step);
    let started = shared.store.now();
    let clock = Instant::now();
    let came = shared.http.exchange(&outgoing, &engine, step.timeout, started).await;
    let elapsed_ms = i64::try_from(clock.elapsed().as_millis()).unwrap_or(i64::MAX);
    let shown = template::shown(plan, at, &snapshot.context, &outgoing);
    let result = match came {
        Came::Answer(mut answer) => {
            hide(&snapshot.context.secrets, &outgoing, &shown, &mut answer);
            answered(plan, at, step, answer)
        }
        Came::Nothing { failure, mut cause } => {
            snapshot.context.secrets.hide(&mut cause);
            ExchangeResult::Failed { failure, cause }
        }
        Came::Blocked(mut cause) => {
            snapshot.context.secrets.hide(&mut cause);
            ExchangeResult::Blocked { cause }
        }
    };
    let sent = Some(sent(shared, &outgoing, &shown, &engine));
    Input::Answer(Box::new(Exchange {
        fence,
        step: run.step,
        item,
        attempt: run.attempt,
        started,
        elapsed_ms,
        sent,
        left_out: outgoing.left_out,
        result,
    }))
}

/// An answer may repeat what was sent: secrets go out of it before anything is taken from it, so that
/// later steps see the same in this process and, from what is kept, in the next.
fn hide(secrets: &Secrets, outgoing: &Outgoing, shown: &Outgoing, answer: &mut Answer) {
    let hide = |secrets: &Secrets, answer: &mut Answer| {
        if !secrets.is_empty() {
            secrets.hide_all(answer.headers.iter_mut().map(|(_, value)| value));
            answer.body = secrets.hide_bytes(std::mem::take(&mut answer.body));
        }
    };
    hide(secrets, answer);
    // What templates made of them, and the credential as it was sent: a password is another text in it.
    let texts = template::derived(outgoing, shown);
    if !texts.is_empty() {
        let texts: Vec<_> = texts.into_iter().map(|text| (String::new(), Secret::new(text))).collect();
        hide(&Secrets::new(&texts), answer);
    }
}

/// What is kept of an answer, and what its step makes of the whole of it.
fn answered(plan: &Plan, at: usize, step: &RequestStep, answer: Answer) -> ExchangeResult {
    let Answer { status, headers, body, whole, retry_after } = answer;
    let success = step.success.iter().any(|matches| matches.matches(status));
    let outputs = if success && !step.outputs.is_empty() {
        // Of an answer over the bound no part of the body is known to be its value.
        let value = if whole && !body.is_empty() {
            json::parse_answer(&body)
                .ok()
                .or_else(|| std::str::from_utf8(&body).ok().map(|text| Value::String(text.to_owned())))
        } else {
            None
        };
        template::answer_outputs(plan, at, status, &headers, value.as_ref())
    } else {
        Map::new()
    };
    let got = Got::of(status, headers, &body, whole);
    ExchangeResult::Answered { got, outputs, retry_after }
}

/// The headers that every attempt carries (contract section 8).
fn engine_headers(
    shared: &Shared,
    plan: &Plan,
    snapshot: &Snapshot,
    hops: u32,
    step: &RequestStep,
) -> Vec<(HeaderName, String)> {
    let run = &snapshot.run;
    let name = plan.flow.steps.get(run.step as usize).map_or("", |step| step.name.as_str());
    let key = idempotency_key(&snapshot.context.run, name, snapshot.context.item, snapshot.frame.fresh_key);
    let mut headers = Vec::with_capacity(5);
    headers.push((HeaderName::from_static("idempotency-key"), key));
    headers.push((HeaderName::from_static("pointsman-run-id"), snapshot.context.run.clone()));
    headers.push((HeaderName::from_static("pointsman-attempt"), run.attempt.to_string()));
    headers.push((HeaderName::from_static("pointsman-hops"), (hops + 1).to_string()));
    if step.callback
        && let Some(callback) = snapshot.callbacks.iter().rev().find(|callback| {
            callback.state == CallbackState::Pending
                && callback.step == run.step
                && callback.attempt == run.attempt
        })
    {
        let token = shared.vault.callback_token(callback.id);
        let url = format!("{}/callback/{token}", shared.settings.public_url.trim_end_matches('/'));
        headers.push((HeaderName::from_static("x-response-url"), url));
    }
    headers
}

/// What is kept of a request: credentials, secrets and callbacks' tokens masked, the body capped.
/// `built` left, `outgoing` is the same without secrets.
fn sent(shared: &Shared, built: &Outgoing, outgoing: &Outgoing, engine: &[(HeaderName, String)]) -> Sent {
    let vault = &shared.vault;
    let is_own = |name: &str| built.credential.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name));
    let replaced = |name: &str| engine.iter().any(|(own, _)| own.as_str().eq_ignore_ascii_case(name));
    let mut headers = Vec::with_capacity(outgoing.headers.len() + engine.len());
    for (name, value) in outgoing.headers.iter().filter(|(name, _)| !replaced(name)) {
        // The fingerprint is that of what was sent.
        let real = built.headers.iter().find(|(other, _)| other == name).map_or(value, |(_, value)| value);
        let shown = if is_own(name) || is_credential(name) {
            vault.shown_credential(name, real.as_bytes())
        } else {
            mask_callbacks(value).into_owned()
        };
        headers.push((name.clone(), shown));
    }
    for (name, value) in engine {
        headers.push((name.as_str().to_owned(), mask_callbacks(value).into_owned()));
    }
    let (body, cut) = match &outgoing.body {
        Some(body) if !outgoing.same_body => {
            let (text, cut) = keep(body);
            (Some(text), cut)
        }
        _ => (None, false),
    };
    Sent {
        method: outgoing.method.clone(),
        url: masked_url(&outgoing.url),
        headers,
        body,
        same_body: outgoing.same_body,
        cut,
    }
}

/// A URL as it is kept: without a password, and without a callback's token.
fn masked_url(url: &str) -> String {
    let masked = mask_callbacks(url).into_owned();
    let Some((scheme, rest)) = masked.split_once("://") else { return masked };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let Some(at) = rest[..end].rfind('@') else { return masked };
    match rest[..at].split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:•••{}", &rest[at..]),
        None => masked,
    }
}

#[cfg(test)]
mod tests {
    use super::masked_url;

    #[test]
    fn a_password_in_a_url_is_not_kept() {
        assert_eq!(masked_url("http://u:p@host/a@b:c"), "http://u:•••@host/a@b:c");
        assert_eq!(masked_url("http://u@host/"), "http://u@host/");
        assert_eq!(masked_url("http://host/x:y@z"), "http://host/x:y@z");
        assert_eq!(masked_url("nothing"), "nothing");
    }
}
