//! The one driver that moves a run: load, decide, commit under the guard, and again where somebody
//! else was faster. Receiver (callbacks), runner and desk (verbs) all come through here.

use super::{Loaded, Piece, Store, StoreError};
use crate::model::ask::{Refusal, With};
use crate::model::request::{RequestData, Seed, StoredRequest};
use crate::model::run::{Entry, Run, RunState};
use crate::model::{CallbackId, Ms, RequestId, RunId};
use crate::rules::advance::{self, Effect, Env, Input, Snapshot, fold};
use crate::rules::data::request_data;
use crate::rules::plan::Plan;
use crate::rules::split;
use crate::rules::template::{Context, resolve};
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;

/// Lost races, after which a mover gives up.
pub const TRIES: usize = 8;

/// A lease under which a run may go on in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// `node << 32 | epoch`.
    pub owner: i64,
    /// Its end.
    pub until: Ms,
    /// Id and hash for a callback, should a step start that has one.
    pub callback: (CallbackId, [u8; 32]),
    /// Items of a step under `for_each` that may start: as many as their target takes.
    pub items: usize,
}

/// How a run is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct How {
    /// By which version's plan: a retry moves the run to it.
    pub with: With,
    /// The next step may start at once under this lease; without one it is queued.
    pub lease: Option<Lease>,
}

/// What else must hold of a move that a person ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ordered {
    /// The run's `seq` as it was shown: where it has moved on since, nothing is done.
    pub seen: Option<i64>,
    /// The piece of a job that it is: done in the same transaction, or nothing is done.
    pub piece: Option<Piece>,
}

/// A run as it stands, with all that decides its next move.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The plan that moves it.
    pub plan: Arc<Plan>,
    /// Row, frame, callbacks, context.
    pub snapshot: Snapshot,
    /// Its journal, oldest first.
    pub journal: Vec<Entry>,
    /// Its request.
    pub request: Option<Arc<StoredRequest>>,
}

/// A run that was moved.
#[derive(Debug, Clone)]
pub struct Applied {
    /// Its row before.
    pub before: Run,
    /// The run after it; its journal lacks the newest entry.
    pub standing: Standing,
    /// What to do next.
    pub effect: Effect,
}

/// No version of that number can be read.
fn gone(what: &str) -> Refusal {
    Refusal::refused("gone", what)
}

/// The run is no longer as a person was shown it.
fn changed(state: RunState) -> Refusal {
    let state = state.word();
    let message = format!("Changed since you looked: the run is now {state}. Nothing was done.");
    Refusal::refused("changed", message)
}

/// A failure of the store, for people.
#[must_use]
pub fn refusal(error: &StoreError) -> Refusal {
    match error {
        StoreError::Stale => Refusal::failed("the run changed meanwhile, again and again").coded("stale"),
        StoreError::Down(why) => Refusal::failed(why.clone()).coded("down"),
        StoreError::Refused(why) => Refusal::refused("refused", why.clone()),
        StoreError::Broken(why) => Refusal::failed(why.clone()),
    }
}

impl Store {
    /// What templates of a run see, before any step has ended: of a run that is still to be made, or
    /// of a payload that is not stored.
    #[must_use]
    pub fn context(
        &self,
        plan: &Plan,
        run: RunId,
        element: Option<u32>,
        request: Option<(RequestId, &Seed)>,
    ) -> Context {
        let data = request.map(|(id, seed)| self.data(plan, id, seed));
        self.context_with(plan, run, element, data, request.map(|(_, seed)| seed.body.clone()))
    }

    /// What templates of a stored run see, before any step has ended. Runs of one request share what
    /// is made of its body.
    #[must_use]
    pub fn context_of(&self, plan: &Plan, run: &Run, request: Option<(RequestId, &Seed)>) -> Context {
        let data = request.map(|(id, seed)| match run.element {
            Some(_) => self.inner.links.records.share(id, || self.data(plan, id, seed)),
            None => self.data(plan, id, seed),
        });
        self.context_with(plan, run.id, run.element, data, request.map(|(_, seed)| seed.body.clone()))
    }

    fn data(&self, plan: &Plan, id: RequestId, seed: &Seed) -> Arc<RequestData> {
        let webhook_urls = self.webhook_urls(plan.integration);
        let base = webhook_urls.get(&plan.flow.name).and_then(Value::as_str).unwrap_or_default();
        let url = called_url(base, seed);
        Arc::new(request_data(seed, &self.ids().print(id), id.time(), &url))
    }

    fn context_with(
        &self,
        plan: &Plan,
        run: RunId,
        element: Option<u32>,
        request: Option<Arc<RequestData>>,
        raw_body: Option<Bytes>,
    ) -> Context {
        let webhook_urls = self.webhook_urls(plan.integration);
        let record = element.zip(plan.flow.split()).map(|(element, path)| split::record(path, element));
        Context {
            request,
            record,
            config: self.values(plan.integration),
            secrets: self.secrets(plan.integration),
            webhook_urls,
            run: self.ids().print(run),
            flow: plan.flow.name.clone(),
            integration: plan.integration_name.clone(),
            raw_body,
            ..Context::default()
        }
    }

    /// Loads a run as it stands, with the plan of its own version or another one.
    ///
    /// # Errors
    /// `not_found`; `gone` where the version cannot be read or no version is deployed; `down`.
    pub async fn standing(&self, run: RunId, with: With) -> Result<Standing, Refusal> {
        let loaded = self.load(run).await.map_err(|error| refusal(&error))?;
        let Some(loaded) = loaded else {
            return Err(Refusal::not_found(format!("there is no run {}", self.ids().print(run))));
        };
        let own = self.plan(loaded.run.flow, loaded.run.version);
        let plan = match with {
            With::Deployed => self.deployed_plan(loaded.run.flow),
            With::Original => own.clone(),
            With::Number(number) => self.plan(loaded.run.flow, number),
        };
        let plan = plan.ok_or_else(|| {
            gone(&match with {
                With::Deployed => {
                    "retry is not possible: no version of the flow is deployed; --version original keeps the run's own"
                        .to_owned()
                }
                With::Original => format!("version {} of the flow can no longer be read", loaded.run.version),
                With::Number(number) => {
                    format!("retry is not possible: v{number} has no such flow, or can no longer be read")
                }
            })
        })?;
        Ok(self.stand(plan, own.as_deref(), loaded))
    }

    /// Loads runs as they stand, each with the plan of its own version: of the first so many, until
    /// they have 4 MiB of bodies. `None` is who is not there, or whose version cannot be read.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn standings(&self, runs: Vec<RunId>) -> Result<Vec<Option<Standing>>, StoreError> {
        let stand = |loaded: Loaded| {
            let plan = self.plan(loaded.run.flow, loaded.run.version)?;
            Some(self.stand(Arc::clone(&plan), Some(&plan), loaded))
        };
        let page = self.load_page(runs).await?;
        Ok(page.into_iter().map(|loaded| loaded.and_then(stand)).collect())
    }

    fn stand(&self, plan: Arc<Plan>, own: Option<&Plan>, loaded: Loaded) -> Standing {
        let Loaded { run, frame, request, journal, callbacks } = loaded;
        let seed = request.as_ref().map(|request| (request.id, &request.seed));
        let mut context = self.context_of(&plan, &run, seed);
        let folded = fold::fold(&plan, &run, &journal);
        context.steps = folded.data;
        context.list = folded.list.map(|begun| resolve(&begun, &context));
        let step_name = own
            .and_then(|own| own.flow.steps.get(run.step as usize))
            .map(|step| step.name.clone())
            .or_else(|| journal.last().map(|entry| entry.detail.step_name.clone()))
            .unwrap_or_default();
        let snapshot = Snapshot { run, frame, step_name, callbacks, context, results: folded.results };
        Standing { plan, snapshot, journal, request }
    }

    /// Moves a run: [`Store::apply_as`] by its own plan, without a lease.
    ///
    /// # Errors
    /// See [`Store::apply_as`].
    pub async fn apply(
        &self,
        run: RunId,
        input: impl FnMut(&Snapshot) -> Input + Send,
    ) -> Result<Applied, Refusal> {
        self.apply_as(run, How::default(), input).await
    }

    /// Moves a run: loads it, lets `input` say what happened and [`advance::advance`] decide, and
    /// commits under the guard. Where somebody else was faster it begins again, [`TRIES`] times.
    ///
    /// # Errors
    /// What [`advance::advance`] refuses (nothing is written), and `not_found`, `gone`, `stale` (the
    /// races were lost), `down` (the store takes no writes).
    pub async fn apply_as(
        &self,
        run: RunId,
        how: How,
        input: impl FnMut(&Snapshot) -> Input + Send,
    ) -> Result<Applied, Refusal> {
        self.apply_ordered(run, how, Ordered::default(), input).await
    }

    /// Moves a run as a person ordered it: [`Store::apply_as`], under what else must hold.
    ///
    /// # Errors
    /// See [`Store::apply_as`]; `changed` where the run has moved on since it was shown; `refused`
    /// where it is a piece that is not left.
    pub async fn apply_ordered(
        &self,
        run: RunId,
        how: How,
        ordered: Ordered,
        mut input: impl FnMut(&Snapshot) -> Input + Send,
    ) -> Result<Applied, Refusal> {
        for _ in 0..TRIES {
            let mut standing = self.standing(run, how.with).await?;
            let now = &standing.snapshot.run;
            if ordered.seen.is_some_and(|seen| seen != now.seq) {
                return Err(changed(now.state));
            }
            let input = input(&standing.snapshot);
            let env = Env {
                now: self.now(),
                dice: fastrand::f64(),
                callback: how.lease.map_or((CallbackId(0), [0; 32]), |lease| lease.callback),
                lease: how.lease.map(|lease| (lease.owner, lease.until)),
                items: how.lease.map_or(0, |lease| lease.items),
            };
            let mut transition = advance::advance(&standing.plan, &standing.snapshot, input, &env)?;
            let before = standing.snapshot.run.clone();
            standing.snapshot.follow(&standing.plan, &mut transition);
            let effect = transition.effect;
            match self.commit_piece(transition, ordered.piece).await {
                Ok(()) => return Ok(Applied { before, standing, effect }),
                Err(StoreError::Stale) => {}
                Err(error) => return Err(refusal(&error)),
            }
        }
        Err(refusal(&StoreError::Stale))
    }
}

/// The endpoint's URL as it was called.
fn called_url(base: &str, seed: &Seed) -> String {
    let mut url = base.to_owned();
    if !url.is_empty() && !seed.path.is_empty() {
        url.push('/');
        url.push_str(&seed.path);
    }
    if !url.is_empty() && !seed.query.is_empty() {
        url.push('?');
        url.push_str(&seed.query);
    }
    url
}
