//! Replay: a new run from a stored request, past dedup, with the live version, the original one,
//! the draft or a certain one, and the payload as stored or edited.

use super::super::{Desk, edit};
use super::how_many::NewRuns;
use super::many::{Did, SIDE_BY_SIDE};
use super::plan::SAMPLE;
use super::select::{Chosen, Planned, Target};
use super::{list, runs};
use crate::model::ask::{Offers, Plan, Refusal, Replay, Who};
use crate::model::headers::Headers;
use crate::model::id::short;
use crate::model::request::{Marks, Seed, StoredRequest, Verdict};
use crate::model::run::Run;
use crate::model::{RequestId, RunId};
use crate::rules::autopsy::Kept;
use crate::rules::{facts, json, split};
use crate::store::{Accept, Again, Judgement, Launch, Piece};
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A replay that is possible: what would be stored, and with what it would run.
struct Ready {
    /// As text.
    request: String,
    /// The request of the run's data.
    of: Arc<StoredRequest>,
    /// The new runs: one, or one for each element of what is split. Never none.
    runs: Vec<Again>,
    /// What the new run begins with.
    seed: Seed,
    /// Whether the payload is another than the stored one.
    edited: bool,
    /// With this it runs.
    plan: Arc<crate::rules::plan::Plan>,
    /// The version of the run, or that which judged the request.
    own: u32,
    /// How the version came about: `the live version`.
    word: &'static str,
}

impl Desk {
    /// What a replay of what was chosen would do.
    pub(super) async fn plan_replay(
        &self,
        chosen: &Chosen,
        how: &Replay,
    ) -> Result<(Plan, Planned), Refusal> {
        if let Some(target) = chosen.one() {
            let ready = self.ready(target, how).await?;
            return Ok((self.plan_one_replay(&ready, how).await, Planned::default()));
        }
        let mut plan = Plan { verb: "replay".to_owned(), ..Plan::default() };
        let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
        let mut flows: BTreeMap<String, u64> = BTreeMap::new();
        let mut judged = futures_util::stream::iter(chosen.targets.iter().copied())
            .map(|target| async move { (target, self.ready(target, how).await) })
            .buffered(SIDE_BY_SIDE);
        let (mut found, mut all, mut makes) = (Planned::default(), NewRuns::default(), 0);
        while let Some((target, ready)) = judged.next().await {
            match ready {
                Ok(ready) => {
                    let made = ready.runs.len() as u64;
                    plan.count += 1;
                    makes += made;
                    found.objects.push((target, None));
                    *flows.entry(flow_name(&ready)).or_default() += made;
                    all.first = None;
                    self.foresee_replay(&mut all, &ready).await;
                    if plan.sample.len() < SAMPLE {
                        let sends = all.first.as_ref().map(|sends| format!("{} {}", sends.method, sends.url));
                        plan.sample.push((self.printed(target), sends.unwrap_or_else(|| flow_name(&ready))));
                    }
                }
                Err(refusal) => {
                    found.leave_out(target, refusal.message.clone());
                    *left_out.entry(refusal.message).or_default() += 1;
                }
            }
        }
        drop(judged);
        plan.left_out = left_out.into_iter().collect();
        plan.makes = Some(makes);
        plan.lines.push(format!("Makes {}, past dedup.", runs(makes).replacen("run", "new run", 1)));
        for (flow, count) in flows {
            plan.lines.push(format!("{} of {flow}.", runs(count)));
        }
        if makes > 0 {
            plan.lines.push(all.line());
        }
        plan.hosts = by_count(all.hosts);
        if !how.set.is_empty() {
            let changed = list(how.set.iter().map(|(path, _)| path.as_str()));
            plan.lines.push(format!("With another payload each: {changed} changed."));
        }
        Ok((plan, found))
    }

    async fn plan_one_replay(&self, ready: &Ready, how: &Replay) -> Plan {
        let made = ready.runs.len() as u64;
        let mut plan = Plan { verb: "replay".to_owned(), count: 1, makes: Some(made), ..Plan::default() };
        let flow = flow_name(ready);
        plan.lines.push(match (ready.plan.flow.split(), ready.runs.as_slice()) {
            (Some(path), [Again { element: Some(at), .. }]) => {
                format!("Makes a new run of {flow} for element {at} of {path}, past dedup.")
            }
            (Some(path), many) if many.len() > 1 => format!(
                "Makes {} of {flow}, one for each element of {path}, past dedup.",
                runs(made).replacen("run", "new run", 1)
            ),
            _ => format!("Makes a new run of {flow}, past dedup."),
        });
        plan.lines.push(format!("With v{}, {}.", ready.plan.version, ready.word));
        let own = ready.own;
        plan.versions = (own != ready.plan.version).then_some((own, ready.plan.version));
        plan.offers = Some(self.offers(ready));
        if ready.edited {
            let changed = list(how.set.iter().map(|(path, _)| path.as_str()));
            plan.lines
                .push(format!("With another payload: {changed} changed. The stored request stays as it is."));
        } else {
            plan.lines.push("With the payload as stored.".to_owned());
        }
        if ready.of.verdict != Verdict::Accepted {
            plan.lines.push(format!(
                "The request was {}: no rule of its trigger is asked again.",
                ready.of.verdict.word()
            ));
        }
        let mut all = NewRuns::default();
        self.foresee_replay(&mut all, ready).await;
        plan.lines.push(all.line());
        plan.hosts = by_count(all.hosts);
        plan.sends = all.first;
        plan
    }

    /// The versions that a replay of a request may take.
    fn offers(&self, ready: &Ready) -> Offers {
        let (store, flow) = (&self.deps.store, ready.of.seed.flow);
        let state = store.configured();
        let holding = state.flows.get(&flow).and_then(|row| state.integrations.get(&row.integration));
        let draft = holding.filter(|holding| holding.deployed != Some(holding.latest));
        Offers {
            live: store.deployed_plan(flow).map(|plan| plan.version),
            own: ready.own,
            draft: draft.map(|holding| holding.latest).filter(|latest| store.plan(flow, *latest).is_some()),
        }
    }

    /// Goes through the new runs.
    async fn foresee_replay(&self, all: &mut NewRuns, ready: &Ready) {
        let elements = ready.runs.iter().map(|again| again.element).collect();
        self.foresee_new(all, &ready.plan, (ready.of.id, &ready.seed), elements).await;
    }

    /// Makes the new runs of one request.
    pub(super) async fn replay_one(
        &self,
        who: &Who,
        target: Target,
        how: &Replay,
        piece: Option<Piece>,
    ) -> Result<Did, Refusal> {
        let mut ready = self.ready(target, how).await?;
        if ready.edited {
            ready.seed.actor = Some(who.name.clone());
        }
        let of = (!ready.edited).then_some(ready.of.id);
        let launch = Launch::of(&ready.plan, self.deps.store.lane(ready.plan.flow_id));
        let judgement = Judgement::Replay { of, runs: ready.runs, launch };
        let accept = Accept { seed: Arc::new(ready.seed), judgement };
        let full = || Refusal::failed("the store's queue is full: try again").coded("down");
        let answer = self.deps.store.accept_piece(accept, piece).ok_or_else(full)?;
        let admitted = answer.await.map_err(|_| Refusal::failed("the store is closed").coded("down"))??;
        let made: Vec<String> =
            admitted.runs().iter().map(|(run, _)| self.deps.store.ids().print(*run)).collect();
        if made.is_empty() {
            return Err(Refusal::failed("the store made no run"));
        }
        let mut said = match made.as_slice() {
            [one] => format!("Replayed {} as run {}.", short(&ready.request), short(one)),
            many => format!("Replayed {} as {}.", short(&ready.request), runs(many.len() as u64)),
        };
        if !how.set.is_empty() {
            let changed = list(how.set.iter().map(|(path, _)| path.as_str()));
            said = format!("{said} {changed} changed.");
        }
        Ok(Did { target: ready.request, said, runs: made })
    }

    /// The stored request of an object, and of a run its row.
    pub(super) async fn origin(&self, target: Target) -> Result<(Arc<StoredRequest>, Option<Run>), Refusal> {
        let store = &self.deps.store;
        let (id, run) = match target {
            Target::Request(id) => (id, None),
            Target::Run(run) | Target::Callback(_, run) => {
                let Some(loaded) = store.load(run).await? else {
                    return Err(Refusal::not_found(format!("there is no run {}", self.printed(target))));
                };
                let Some(id) = loaded.run.request else {
                    return Err(gone("a person started it without a request"));
                };
                (id, Some(loaded.run))
            }
        };
        match store.request(id).await? {
            Some(of) => Ok((of, run)),
            None => Err(Refusal::not_found(format!("there is no request {}", store.ids().print(id)))),
        }
    }

    /// Whether a replay is possible, and what it would be.
    async fn ready(&self, target: Target, how: &Replay) -> Result<Ready, Refusal> {
        let (of, run) = self.origin(target).await?;
        let (id, version) = (of.id, run.as_ref().map(|run| run.version));
        let own = version.unwrap_or(of.seed.version);
        let request = self.deps.store.ids().print(id);
        let run = run.map(|run| (run.id, run.element));
        let (plan, word) = self.version(&of, version, how)?;
        whole(&of)?;
        begins(&of)?;
        let (seed, edited) = seed(&of, plan.version, &how.set)?;
        let runs = self.again(&plan, id, &seed, run).await?;
        Ok(Ready { request, of, runs, seed, edited, plan, own, word })
    }

    /// The new runs: one; where the version splits the body one for each element, or for that of the
    /// run which is replayed. Each has the request's earlier run of the same element as its parent.
    async fn again(
        &self,
        plan: &crate::rules::plan::Plan,
        id: RequestId,
        seed: &Seed,
        run: Option<(RunId, Option<u32>)>,
    ) -> Result<Vec<Again>, Refusal> {
        let Some(path) = plan.flow.split() else {
            let parent = match run {
                Some((run, _)) => Some(run),
                None => self.deps.store.newest_runs(id).await?.into_iter().map(|(_, run)| run).max(),
            };
            return Ok(vec![Again { parent, element: None }]);
        };
        let elements = split::elements_of(&seed.body, path).map_err(|error| gone(&error.to_string()))?;
        if elements == 0 {
            return Err(gone(&format!("{path} is split and has no elements")));
        }
        match run {
            Some((run, Some(at))) if at < elements => {
                Ok(vec![Again { parent: Some(run), element: Some(at) }])
            }
            Some((_, Some(at))) => {
                Err(gone(&format!("the run is of element {at}, and {path} has {elements} elements")))
            }
            Some((run, None)) => {
                Ok((0..elements).map(|at| Again { parent: Some(run), element: Some(at) }).collect())
            }
            None => {
                let newest = self.deps.store.newest_runs(id).await?;
                let parent =
                    |at: u32| newest.iter().find(|(element, _)| *element == Some(at)).map(|(_, run)| *run);
                Ok((0..elements).map(|at| Again { parent: parent(at), element: Some(at) }).collect())
            }
        }
    }

    fn version(
        &self,
        of: &StoredRequest,
        run: Option<u32>,
        how: &Replay,
    ) -> Result<(Arc<crate::rules::plan::Plan>, &'static str), Refusal> {
        let store = &self.deps.store;
        let flow = of.seed.flow;
        let state = store.configured();
        let holding = state.flows.get(&flow).and_then(|row| state.integrations.get(&row.integration));
        if holding.is_none_or(|holding| holding.removed) {
            return Err(gone("its integration was removed"));
        }
        let numbered = |number: u32| {
            store
                .plan(flow, number)
                .ok_or_else(|| gone(&format!("v{number} has no such flow, or can no longer be read")))
        };
        match how.version.as_deref() {
            None | Some("" | "deployed") => store
                .deployed_plan(flow)
                .map(|plan| (plan, "the live version"))
                .ok_or_else(|| gone("the live version has no such flow; --version original takes its own")),
            Some("original") => {
                numbered(run.unwrap_or(of.seed.version)).map(|plan| (plan, "its own version"))
            }
            Some("draft") => {
                let draft = holding.filter(|holding| holding.deployed != Some(holding.latest));
                match draft {
                    Some(holding) => numbered(holding.latest).map(|plan| (plan, "the draft")),
                    None => Err(Refusal::refused("gone", "replay is not possible: there is no draft")),
                }
            }
            Some(number) => match number.strip_prefix('v').unwrap_or(number).parse() {
                Ok(number) => numbered(number).map(|plan| (plan, "as asked for")),
                Err(_) => Err(Refusal::usage(format!(
                    "{number:?} is not a version: write deployed, original, draft or a number"
                ))),
            },
        }
    }
}

pub fn gone(why: &str) -> Refusal {
    Refusal::refused("gone", format!("replay is not possible: {why}"))
}

/// Refuses a request whose body was not kept whole.
pub fn whole(of: &StoredRequest) -> Result<(), Refusal> {
    if of.seed.marks.has(Marks::BODY_CUT) {
        return Err(gone(&Kept::of(&of.seed).words()));
    }
    Ok(())
}

/// Refuses a request whose body is nothing that a run can begin with.
fn begins(of: &StoredRequest) -> Result<(), Refusal> {
    if of.seed.body.is_empty() {
        return Ok(());
    }
    match facts::scan(&of.seed.body, &[], &[]) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(Refusal::refused("not_json", format!("replay is not possible: its body is {error}")))
        }
    }
}

/// What the new run begins with; the flag tells whether the payload is another one.
pub fn seed(of: &StoredRequest, version: u32, set: &[(String, Value)]) -> Result<(Seed, bool), Refusal> {
    let mut seed = of.seed.clone();
    seed.version = version;
    if set.is_empty() {
        return Ok((seed, false));
    }
    let body = if seed.body.is_empty() {
        Value::Object(crate::model::Map::new())
    } else {
        json::parse(&seed.body).map_err(|error| Refusal::failed(error.to_string()))?
    };
    let body = edit::set(body, set)?;
    let text = serde_json::to_vec(&body).map_err(|error| Refusal::failed(error.to_string()))?;
    facts::scan(&text, &[], &[]).map_err(|error| Refusal::usage(format!("the edited body is {error}")))?;
    let headers = seed.headers.iter().filter(|(name, _)| !is_framing(name));
    let typed = seed.headers.get("content-type").is_none();
    let more = typed.then_some((b"content-type".as_slice(), b"application/json".as_slice()));
    seed.headers = Headers::from_pairs(headers.chain(more));
    seed.body = Bytes::from(text);
    seed.marks = Marks::MANUAL;
    Ok((seed, true))
}

/// Headers that tell how a body came over the wire, and no longer fit an edited one.
fn is_framing(name: &[u8]) -> bool {
    [&b"content-length"[..], b"content-encoding", b"transfer-encoding"]
        .iter()
        .any(|other| name.eq_ignore_ascii_case(other))
}

/// Requests by host, most first.
pub fn by_count(hosts: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut hosts: Vec<(String, u64)> = hosts.into_iter().collect();
    hosts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    hosts
}

fn flow_name(ready: &Ready) -> String {
    format!("{} / {}", ready.plan.integration_name, ready.plan.flow.name)
}
