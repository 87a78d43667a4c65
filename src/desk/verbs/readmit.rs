//! Readmit: a rejected request is judged again with today's configuration, as of the moment it
//! arrived, then by dedup like a new one; accepted once, or nothing changes.

use super::super::Desk;
use super::how_many::NewRuns;
use super::many::Did;
use super::plan::SAMPLE;
use super::replay::by_count;
use super::select::{Chosen, Planned, Target};
use crate::model::ask::{Plan, Refusal};
use crate::model::auth::Auth;
use crate::model::document::Trigger;
use crate::model::headers::Headers;
use crate::model::id::short;
use crate::model::request::{DedupKey, Marks, Seed, Verdict};
use crate::model::{Ms, RequestId, RunId};
use crate::rules::autopsy::Kept;
use crate::rules::plan::Plan as Compiled;
use crate::rules::verify::{self, Denied};
use crate::rules::{judge, origin, template};
use crate::store::{Accept, Judgement, Launch, Piece};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// A request that would be let in.
struct Ready {
    text: String,
    seed: Seed,
    key: Option<DedupKey>,
    elements: Option<u32>,
    launch: Launch,
    flow: String,
    plan: Arc<Compiled>,
}

impl Ready {
    /// The elements of its runs: one run, or one for each element of what is split.
    fn runs(&self) -> Vec<Option<u32>> {
        self.elements.map_or_else(|| vec![None], |elements| (0..elements).map(Some).collect())
    }
}

impl Desk {
    /// What readmission would do; a request that would still be rejected is refused here already.
    pub(super) async fn plan_readmit(&self, chosen: &Chosen) -> Result<(Plan, Planned), Refusal> {
        let mut plan = Plan { verb: "readmit".to_owned(), ..Plan::default() };
        let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
        let (mut found, mut keys) = (Planned::default(), HashSet::new());
        let (mut all, mut makes) = (NewRuns::default(), 0);
        for id in chosen.requests() {
            match self.new_by_key(id, &mut keys).await {
                Ok(ready) => {
                    plan.count += 1;
                    found.objects.push((Target::Request(id), None));
                    if plan.sample.len() < SAMPLE {
                        plan.sample.push((ready.text.clone(), ready.flow.clone()));
                    }
                    let made = u64::from(ready.elements.unwrap_or(1));
                    makes += made;
                    self.foresee_new(&mut all, &ready.plan, (id, &ready.seed), ready.runs()).await;
                    if chosen.one().is_some() {
                        plan.lines.push(format!(
                            "Judged again with v{} of {}, as of its arrival: it passes now.",
                            ready.plan.version, ready.flow
                        ));
                        let then =
                            if ready.key.is_some() { "Then by dedup, like a new one: it" } else { "It" };
                        plan.lines.push(format!("{then} becomes accepted, and {}.", begin(made)));
                    }
                }
                Err(refusal) if chosen.one().is_some() => return Err(refusal),
                Err(refusal) => {
                    found.leave_out(Target::Request(id), refusal.message.clone());
                    *left_out.entry(refusal.message).or_default() += 1;
                }
            }
        }
        if plan.lines.is_empty() {
            let requests = super::count(plan.count, crate::model::ask::Object::Request);
            plan.lines.push(format!("Readmits {requests}: {}.", begin(makes)));
        }
        if makes > 0 {
            plan.lines.push(all.line());
        }
        plan.makes = Some(makes);
        plan.hosts = by_count(all.hosts);
        plan.sends = all.first.filter(|_| chosen.one().is_some());
        plan.left_out = left_out.into_iter().collect();
        Ok((plan, found))
    }

    /// A request that would be let in, and not as a duplicate: of an earlier one, or of another one
    /// of the same plan.
    async fn new_by_key(&self, id: RequestId, keys: &mut HashSet<[u8; 16]>) -> Result<Ready, Refusal> {
        let ready = self.admissible(id).await?;
        let store = &self.deps.store;
        if let Some(key) = &ready.key {
            if let Some(entry) = store.dedup_entry(key.key).await?
                && store.now() - entry.last_seen < key.window
            {
                return Err(duplicate(short(&store.ids().print(entry.first))));
            }
            if !keys.insert(key.key) {
                return Err(still("it has the same key as another one of these"));
            }
        }
        Ok(ready)
    }

    /// Lets in one request.
    pub(super) async fn readmit_one(&self, id: RequestId, piece: Option<Piece>) -> Result<Did, Refusal> {
        let Ready { text, seed, key, elements, launch, .. } = self.admissible(id).await?;
        let judgement = Judgement::Readmit { of: id, key, elements, launch };
        let accept = Accept { seed: Arc::new(seed), judgement };
        let full = || Refusal::failed("the store's queue is full: try again").coded("down");
        let answer = self.deps.store.accept_piece(accept, piece).ok_or_else(full)?;
        let admitted = answer.await.map_err(|_| Refusal::failed("the store is closed").coded("down"))??;
        if let Some(first) = admitted.duplicate_of {
            let first = self.deps.store.ids().print(first);
            return Err(duplicate(short(&first)));
        }
        // Somebody else was faster.
        if admitted.run.is_none() && admitted.split.is_none() {
            return Err(not_possible("it was accepted"));
        }
        let first = admitted.runs().first().map(|(run, _)| self.deps.store.ids().print(*run));
        let run = first.unwrap_or_default();
        let said = format!("Readmitted {}: it is accepted, run {}.", short(&text), short(&run));
        Ok(Did { target: text, said, runs: vec![run] })
    }

    /// Judges a request again.
    async fn admissible(&self, id: RequestId) -> Result<Ready, Refusal> {
        let store = &self.deps.store;
        let text = store.ids().print(id);
        let Some(stored) = store.request(id).await? else {
            return Err(Refusal::not_found(format!("there is no request {text}")));
        };
        match stored.verdict {
            Verdict::Rejected => {}
            Verdict::Accepted => return Err(not_possible("it was accepted")),
            verdict => return Err(not_possible(&format!("it was {}, not rejected", verdict.word()))),
        }
        if stored.seed.marks.has(Marks::BODY_CUT) {
            return Err(not_possible(&Kept::of(&stored.seed).words()));
        }
        // No configuration changes what a head must be.
        if stored.status == Some(431) {
            return Err(still(stored.cause.as_deref().unwrap_or("its head is too long")));
        }
        judge::host(stored.seed.headers.all("host").count()).map_err(|refused| still(&refused.cause))?;
        let Some(plan) = store.deployed_plan(stored.seed.flow) else {
            return Err(not_possible("its flow is not live"));
        };
        let (as_sent, actor) = self.let_in(&plan, &stored.seed, id.time()).map_err(Shut::refusal)?;
        let came = Seed { headers: as_sent, ..stored.seed.clone() };
        let passed = judge::again(&plan, &came).map_err(|refused| still(&refused.cause))?;
        let mut seed = Seed { actor, ..stored.seed.clone() };
        seed.version = plan.version;
        seed.marks = seed.marks.with(passed.marks).with(Marks::READMITTED);
        if plan.when.is_some() {
            let mut context = store.context(&plan, RunId(0), None, Some((id, &seed)));
            context.run.clear();
            match template::trigger_when(&plan, &context) {
                Ok(true) => {}
                Ok(false) => return Err(still("when is false")),
                Err(error) => return Err(still(&error.message)),
            }
        }
        Ok(Ready {
            text,
            key: passed.key,
            elements: passed.elements,
            launch: Launch::of(&plan, store.lane(plan.flow_id)),
            flow: format!("{} / {}", plan.integration_name, plan.flow.name),
            plan,
            seed,
        })
    }
}

/// Why a stored request is not let in again.
pub enum Shut {
    /// It cannot be told.
    Untold(String),
    /// It is not let in: the cause.
    Denied(String),
}

impl Shut {
    /// The cause, where it is told.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub fn denied(self) -> Result<String, String> {
        match self {
            Self::Denied(cause) => Ok(cause),
            Self::Untold(why) => Err(why),
        }
    }

    fn refusal(self) -> Refusal {
        match self {
            Self::Untold(why) => not_possible(&why),
            Self::Denied(cause) => still(&cause),
        }
    }
}

impl Desk {
    /// Asks a stored request for its credentials again: by today's keys, as of its arrival. Its
    /// headers as they came, and who sent it, where that is known.
    pub(in crate::desk) fn let_in(
        &self,
        plan: &Compiled,
        seed: &Seed,
        arrived: Ms,
    ) -> Result<(Headers, Option<String>), Shut> {
        let vault = &self.deps.vault;
        let headers = vault.revealed(seed.flow, &seed.headers).map_err(Shut::Untold)?;
        let Trigger::Webhook(hook) = &plan.flow.trigger else { return Ok((headers, None)) };
        if let Some(from) = seed.peer.as_deref().and_then(|peer| peer.parse().ok()) {
            origin::allowed(&hook.gates.allow_from, from).map_err(|refused| Shut::Denied(refused.cause))?;
        }
        let auth = &hook.auth;
        if matches!(auth, Auth::Signature { .. }) && seed.marks.has(Marks::GZIP) {
            return Err(Shut::Untold(
                "it came gzipped, and only what it expands to was kept: nothing is left to verify".to_owned(),
            ));
        }
        let ring = vault.ring();
        let keys = ring.named(auth.keys());
        let denied = |denied: Denied| Shut::Denied(denied.cause);
        let by_head = verify::head(auth, &headers, &keys, arrived, &()).map_err(denied)?;
        let by_body = verify::body(auth, &headers, &seed.body, &keys, arrived).map_err(denied)?;
        let actor = by_body.or(by_head).and_then(|passed| passed.actor);
        Ok((headers, actor))
    }
}

fn not_possible(why: &str) -> Refusal {
    Refusal::refused("not_rejected", format!("readmit is not possible: {why}"))
}

/// `a run begins`, `3 runs begin`.
fn begin(runs: u64) -> String {
    match runs {
        0 => "no run begins".to_owned(),
        1 => "a run begins".to_owned(),
        many => format!("{} begin", super::runs(many)),
    }
}

fn duplicate(first: &str) -> Refusal {
    still(&format!("it is a duplicate of {first} by now"))
}

fn still(cause: &str) -> Refusal {
    Refusal::refused("still_rejected", format!("Still rejected: {cause}. Nothing was changed."))
}
