//! Tells of trouble: looks how things stand, and posts what waits for URLs.
//!
//! Two tasks beside those that carry runs, and with nothing of theirs: no slot, no lease. A URL that
//! does not answer holds up what waits for it, and nothing else. What is told is decided and kept by
//! the store; here are only the pace of looks and the exchanges.

use super::http::{Answer, Came};
use super::work::Shared;
use crate::model::target::{BreakerView, Target};
use crate::model::time::MINUTE;
use crate::model::{IntegrationId, Ms};
use crate::rules::alert::post::{self, Failure, TIMEOUT};
use crate::rules::alert::silence::QUARTER;
use crate::rules::plan::Plan;
use crate::rules::template::{self, Context};
use crate::store::alerts::{BreakerMove, Delivery, Looked, Post, Watched};
use crate::store::{Store, StoreError};
use bytes::Bytes;
use reqwest::header::HeaderName;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::sleep;

/// The clock is looked at so often.
const LOOK: Duration = Duration::from_secs(1);
/// Error groups that change all the time are looked at no oftener.
const PACE: Duration = Duration::from_millis(250);
/// Whether endpoints have gone silent is looked up so often.
const SILENCES: Ms = MINUTE;
/// Who did not look for so long (a machine that slept, a store in trouble) cannot tell a silence
/// from not having listened.
const BLIND: Ms = QUARTER;
/// Posts under way at once.
const AT_ONCE: usize = 8;

/// Targets whose refusals are remembered at once.
const TARGETS: usize = 4_096;

/// Integrations that were refused, by the tag of the target: whom its breaker concerns.
#[derive(Debug, Default)]
pub(super) struct Refused(Mutex<HashMap<u32, BTreeSet<IntegrationId>>>);

impl Refused {
    /// An exchange of a plan failed. Those of flows that are told of trouble do not count.
    pub fn note(&self, target: &Target, plan: &Plan, store: &Store) {
        if store.is_told(plan.flow_id) {
            return;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= TARGETS && !all.contains_key(&target.tag()) {
            // Who goes on being refused is noted again.
            all.clear();
        }
        all.entry(target.tag()).or_default().insert(plan.integration);
    }

    /// A breaker as it moved; what closed is forgotten.
    fn moved(&self, of: &BreakerView, open: bool) -> BreakerMove {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = all.get(&of.tag).cloned().unwrap_or_default();
        if !open {
            all.remove(&of.tag);
        }
        let (target, failures, since) = (of.target.clone(), of.failures, of.since);
        BreakerMove { tag: of.tag, target, open, failures, since, refused }
    }
}

/// Keeps what breakers did since the event of a number. `thorough`: and how all of them stand, so that
/// one of which nobody heard any more (it was forgotten, or an earlier process had it) closes, and
/// those that were refused later are told as well.
async fn breakers(shared: &Shared, seen: &mut u64, thorough: bool) -> Result<(), StoreError> {
    let hosts = shared.slots.hosts();
    let events = hosts.events_after(*seen);
    let newest = events.last().map_or(*seen, |event| event.seq);
    let mut moves: Vec<BreakerMove> =
        events.iter().map(|event| shared.refused.moved(&event.breaker, event.opened)).collect();
    if thorough {
        let open = hosts.breakers().open;
        let kept = shared.store.kept_breakers().await?;
        let gone = kept.into_iter().filter(|(tag, _)| !open.iter().any(|view| view.tag == *tag));
        moves.extend(gone.map(|(tag, target)| BreakerMove {
            tag,
            target,
            open: false,
            failures: 0,
            since: shared.store.now(),
            refused: BTreeSet::new(),
        }));
        moves.extend(open.iter().map(|view| shared.refused.moved(view, true)));
    }
    shared.store.keep_breakers(moves).await?;
    *seen = newest;
    Ok(())
}

/// Looks how things stand, until the runner stops.
pub(super) async fn look(shared: Arc<Shared>) {
    let store = &shared.store;
    let mut watched = Watched::default();
    let mut before = store.now();
    watched.blind(before);
    let (mut thorough_at, mut looked) = (before, Looked { next: Some(before), silent: true });
    let mut seen = 0;
    while !shared.stop.is_cancelled() {
        let now = store.now();
        if now - before > BLIND || store.refuses().is_some() {
            watched.blind(now);
        }
        before = now;
        let thorough = now - thorough_at >= SILENCES;
        // What could not be kept is kept at the next look.
        let _ = breakers(&shared, &mut seen, thorough).await;
        let due = looked.next.is_some_and(|next| next <= now);
        if thorough || due || looked.silent || store.trouble_changed() {
            if let Ok(silences) = store.silences(&mut watched, thorough).await
                && let Ok(found) = store.look_for_trouble(silences).await
            {
                looked = found;
                thorough_at = if thorough { now } else { thorough_at };
            }
            sleep(PACE).await;
        }
        tokio::select! {
            () = store.trouble() => {}
            () = sleep(LOOK) => {}
            () = shared.stop.cancelled() => {}
        }
    }
}

/// Receivers that something is under way to.
#[derive(Debug, Clone, Default)]
struct UnderWay(Arc<Mutex<HashSet<(i64, String)>>>);

impl UnderWay {
    /// Takes a receiver; `false` where something is under way to it, or to too many.
    fn take(&self, post: &Post) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.len() < AT_ONCE && all.insert((post.integration.0, post.place.clone()))
    }

    fn give_back(&self, post: &Post) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&(post.integration.0, post.place.clone()));
    }
}

/// Posts what is due, until the runner stops.
pub(super) async fn deliver(shared: Arc<Shared>) {
    let under_way = UnderWay::default();
    let mut next = None;
    while !shared.stop.is_cancelled() {
        if let Ok((posts, following)) = shared.store.alert_posts().await {
            next = following;
            for post in posts.into_iter().filter(|post| under_way.take(post)) {
                let (shared, under_way) = (Arc::clone(&shared), under_way.clone());
                let tracker = shared.tasks.clone();
                tracker.spawn(async move {
                    let delivery = send(&shared, &post).await;
                    // Where this cannot be kept it is sent again, under the same key.
                    let kept = shared.store.alert_delivered(post.clone(), delivery).await;
                    if kept.is_err() {
                        sleep(LOOK).await;
                    }
                    under_way.give_back(&post);
                    shared.store.alert_posts_again();
                });
            }
        }
        let ahead = next.map(|next: Ms| next - shared.store.now()).map_or(LOOK, |ahead| {
            Duration::from_millis(u64::try_from(ahead).unwrap_or(0)).clamp(Duration::from_millis(10), LOOK)
        });
        tokio::select! {
            () = shared.store.alert_posted() => {}
            () = sleep(ahead) => {}
            () = shared.stop.cancelled() => {}
        }
    }
}

/// Sends a post; what becomes of it.
async fn send(shared: &Shared, post: &Post) -> Delivery {
    let store = &shared.store;
    let secrets = store.secrets(post.integration);
    let (failure, mut error) = match attempt(shared, post).await {
        Ok(()) => return Delivery::Taken,
        Err(failed) => failed,
    };
    secrets.hide(&mut error);
    let now = store.now();
    match post::again(post.attempts + 1, post.id.time(), failure, now, fastrand::f64()) {
        Some(next) => Delivery::Again { next, error },
        None => Delivery::GivenUp { error },
    }
}

async fn attempt(shared: &Shared, post: &Post) -> Result<(), (Failure, String)> {
    let store = &shared.store;
    let unsent = |why: String| (Failure::Unsent, why);
    let state = store.configured();
    let live = state.integrations.get(&post.integration).and_then(|holding| holding.live.as_ref());
    let live = live.ok_or_else(|| unsent("its integration is not deployed".to_owned()))?;
    let plan = post::plan(post.integration, live.number, &live.integration, &post.url)
        .map_err(|error| unsent(error.to_string()))?;
    let secrets = store.secrets(post.integration);
    let mut body = post.body.clone();
    secrets.hide_body(&mut body);
    let context = Context {
        config: store.values(post.integration),
        secrets,
        webhook_urls: store.webhook_urls(post.integration),
        integration: live.integration.name.clone(),
        raw_body: Some(Bytes::from(body)),
        ..Context::default()
    };
    let outgoing = template::build(&plan, 0, &context).map_err(|error| unsent(error.to_string()))?;
    let engine = [
        (HeaderName::from_static("idempotency-key"), store.ids().print(post.id)),
        (HeaderName::from_static("pointsman-attempt"), (post.attempts + 1).to_string()),
        (HeaderName::from_static("pointsman-hops"), "1".to_owned()),
    ];
    match shared.http.exchange(&outgoing, &engine, TIMEOUT, store.now()).await {
        Came::Answer(Answer { status: 200..=299, .. }) => Ok(()),
        Came::Answer(Answer { status, .. }) => {
            Err((Failure::Answered(status), format!("it answered {status}")))
        }
        Came::Nothing { cause, .. } => Err((Failure::Unanswered, cause)),
        Came::Blocked(cause) => Err(unsent(cause)),
    }
}
