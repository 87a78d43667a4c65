//! What every trial begins with: a flow and its version, what stands for the request, what the
//! trigger would say to it, and what is known of steps' answers.

use super::super::Desk;
use super::Named;
use crate::model::ask::{Refusal, Who};
use crate::model::headers::Headers;
use crate::model::path::{Path, Segment};
use crate::model::request::{Marks, Seed, Verdict};
use crate::model::run::StepState;
use crate::model::study::{Sampled, Trial};
use crate::model::{Map, RequestId, RunId};
use crate::rules::advance::idempotency_key;
use crate::rules::plan::Plan;
use crate::rules::simulate::{Known, lay};
use crate::rules::template::{self, Context, RenderError, StepData};
use crate::rules::{check, facts, judge, sample};
use crate::runner::call::{Attempt, Call, callback_url};
use crate::store::{Remembered, Store};
use crate::vault::mask::MASK;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Stands where a run's id will.
const RUN: &str = "<run>";
/// Stands where a request's id will.
const REQUEST: &str = "<request>";
/// Rows that are looked at for the last request of a flow.
const LOOKED: u64 = 200_000;

/// A trial that can be made.
pub(super) struct Ready {
    /// The integration's name.
    pub integration: String,
    /// With this it is made.
    pub plan: Arc<Plan>,
    /// Whether that is not the deployed version.
    pub draft: bool,
    /// The stored request, where one stands for the request.
    pub request: Option<RequestId>,
    /// What the run begins with.
    pub seed: Seed,
    /// What the trigger says to it, credentials and duplicates apart.
    pub verdict: Verdict,
    /// Why it would refuse or filter it.
    pub cause: Option<String>,
    /// How many runs it would begin, where its body is split.
    pub elements: Option<u32>,
    /// Which of them is tried.
    pub element: Option<u32>,
    /// What templates see before any step.
    pub context: Context,
    /// What is known of steps' answers.
    pub known: BTreeMap<String, Known>,
    /// The names of the integration's other flows.
    pub others: Vec<String>,
}

impl Ready {
    /// `acme / Orders`.
    pub fn name(&self) -> String {
        format!("{} / {}", self.integration, self.plan.flow.name)
    }

    /// `v3, the draft`.
    pub fn version(&self) -> String {
        let word = if self.draft { "the draft" } else { "the live version" };
        format!("v{}, {word}", self.plan.version)
    }

    /// Builds the request of a step, as a run would.
    pub fn build<'a>(
        &'a self,
        at: usize,
        context: &'a Context,
        public_url: Option<&str>,
    ) -> Result<Call<'a>, RenderError> {
        build(&self.plan, at, context, self.seed.hops, public_url)
    }
}

/// Builds the request of a step's first attempt. `public_url` is what a callback's URL begins with;
/// without it none is sent.
pub(super) fn build<'a>(
    plan: &'a Plan,
    at: usize,
    context: &'a Context,
    hops: u32,
    public_url: Option<&str>,
) -> Result<Call<'a>, RenderError> {
    let name = plan.flow.steps.get(at).map_or("", |step| step.name.as_str());
    let attempt = Attempt {
        run: &context.run,
        key: idempotency_key(&context.run, name, context.item, None),
        number: 1,
        hops: hops + 1,
        callback: public_url.map(|url| callback_url(url, MASK)),
    };
    Call::build(plan, at, context, &attempt)
}

impl Desk {
    /// Finds all that a trial needs. Values that are given with it are remembered, unless the console
    /// may change nothing.
    pub(super) async fn trial(&self, who: &Who, trial: &Trial) -> Result<Ready, Refusal> {
        let named = self.named_of(&trial.flow, |_| true, "")?;
        let (plan, draft) = match &trial.text {
            Some(text) => (self.plan_of_text(&named, text)?, true),
            None => self.plan_of(&named, trial.draft)?,
        };
        let (seed, request) = self.seed_of(&trial.sample, &plan).await?;
        let store = &self.deps.store;
        let config = draft.then(|| store.draft_values(plan.integration));
        let (verdict, cause, elements) = judged(store, &plan, &seed, config.as_ref());
        let element = match elements {
            None | Some(0) => None,
            Some(all) => {
                let at = trial.element.unwrap_or(0);
                if at >= all {
                    return Err(Refusal::usage(format!("there is no element {at}: the body has {all}")));
                }
                Some(at)
            }
        };
        let id = request.unwrap_or_else(|| RequestId(store.fresh_id()));
        let mut context = store.context(&plan, RunId(0), element, Some((id, &seed)));
        RUN.clone_into(&mut context.run);
        if let (None, Some(data)) = (request, &mut context.request) {
            REQUEST.clone_into(&mut Arc::make_mut(data).id);
        }
        if let Some(config) = config {
            context.config = config;
        }
        let known = self.known(who, trial, &plan).await?;
        let others = self.others(&named, draft);
        let integration = named.integration;
        Ok(Ready {
            integration,
            plan,
            draft,
            request,
            seed,
            verdict,
            cause,
            elements,
            element,
            context,
            known,
            others,
        })
    }

    /// The version that is tried: the draft where it is asked for, or where nothing else is there.
    fn plan_of(&self, named: &Named, draft: bool) -> Result<(Arc<Plan>, bool), Refusal> {
        if !draft {
            return Ok((Arc::clone(&named.plan), !named.live));
        }
        let holding = self.holding(&named.integration)?;
        if holding.deployed == Some(holding.latest) {
            return Err(Refusal::refused("no_draft", format!("{} has no draft", named.integration)));
        }
        let plan = self.deps.store.draft_plan(named.flow);
        let gone = || Refusal::refused("no_draft", format!("the draft has no flow {}", named.name));
        plan.map(|plan| (plan, true)).ok_or_else(gone)
    }

    /// The flow as a text has it that is not saved: found as a save would find it, by its id or its name.
    fn plan_of_text(&self, named: &Named, text: &str) -> Result<Arc<Plan>, Refusal> {
        let holding = self.holding(&named.integration)?;
        let globals = &self.deps.settings.connections.0;
        let known = check::Known { connections: Some(globals.clone()), ..check::Known::default() };
        let checked = check::check(text, &known);
        let Some(integration) = checked.integration else {
            let first = checked.problems.iter().find(|problem| !problem.warning);
            let why = first
                .map_or_else(String::new, |one| format!(", the first in line {}: {}", one.line, one.message));
            return Err(Refusal {
                code: "document".to_owned(),
                message: format!("the text has errors{why}"),
                exit: 1,
            });
        };
        let row = self.deps.store.configured().flows.get(&named.flow).cloned();
        let key = row.map_or_else(String::new, |row| row.key.clone());
        let flows = || integration.flows.iter();
        let at = flows().position(|flow| flow.id_written && flow.id == key);
        let at = at.or_else(|| flows().position(|flow| flow.name == named.name));
        let at =
            at.ok_or_else(|| Refusal::refused("no_draft", format!("the text has no flow {}", named.name)))?;
        let plan = Plan::compile_with(holding.id, named.flow, holding.latest + 1, &integration, at, globals);
        plan.map(Arc::new).map_err(|error| Refusal::usage(error.to_string()))
    }

    fn others(&self, named: &Named, draft: bool) -> Vec<String> {
        let Ok(holding) = self.holding(&named.integration) else { return Vec::new() };
        let doc = if draft { holding.newest.as_ref() } else { holding.current() };
        let flows = doc.map(|doc| doc.flows.iter().zip(&doc.integration.flows)).into_iter().flatten();
        flows.filter(|(id, _)| id.flow != named.flow.0).map(|(_, flow)| flow.name.clone()).collect()
    }

    /// What stands for the request.
    async fn seed_of(&self, sampled: &Sampled, plan: &Plan) -> Result<(Seed, Option<RequestId>), Refusal> {
        let store = &self.deps.store;
        let id = match sampled {
            Sampled::Saved(name) => {
                let text = self.saved(name).await?;
                return Box::pin(self.seed_of(&Sampled::Text(text), plan)).await;
            }
            Sampled::Text(text) => {
                let (sample, body) = sample::read(text).map_err(Refusal::usage)?;
                if !body.is_empty() {
                    facts::scan(&body, &[], &[])
                        .map_err(|error| Refusal::usage(format!("the sample's body is {error}")))?;
                }
                let methods = plan.flow.webhook().map(|hook| hook.methods.as_slice()).unwrap_or_default();
                let method = methods.first().map_or("POST", String::as_str);
                let seed = sample::seed(&sample, body, plan.flow_id, plan.version, method);
                return Ok((seed.map_err(Refusal::usage)?, None));
            }
            Sampled::Request(id) if id == "last" => self.last(plan).await?,
            Sampled::Request(id) => store.resolve(id).await?,
        };
        let text = store.ids().print(id);
        let Some(stored) = store.request(id).await? else {
            return Err(Refusal::not_found(format!("there is no request {text}")));
        };
        let refused = |why: String| Refusal::refused("no_sample", format!("{text} is no sample: {why}"));
        let mut seed = stored.seed.clone();
        if seed.marks.has(Marks::BODY_CUT) {
            return Err(refused("only the beginning of its body was kept".to_owned()));
        }
        if !seed.body.is_empty() {
            facts::scan(&seed.body, &[], &[]).map_err(|error| refused(format!("its body is {error}")))?;
        }
        if seed.flow != plan.flow_id {
            // What is sealed is sealed for its own flow.
            let own = seed.headers.clone();
            seed.headers = Headers::from_pairs(
                own.iter().filter(|(name, _)| !own.hides(&String::from_utf8_lossy(name))),
            );
            seed.flow = plan.flow_id;
        }
        seed.version = plan.version;
        Ok((seed, Some(id)))
    }

    /// The newest request of a flow that was accepted; of one that was never deployed the newest that a
    /// capture took.
    async fn last(&self, plan: &Plan) -> Result<RequestId, Refusal> {
        let store = &self.deps.store;
        let (mut to, mut looked) = (store.fresh_id(), 0);
        let mut captured = None;
        loop {
            let chunk = store.stored_of(plan.flow_id, 0, to, true).await?;
            looked += u64::from(chunk.looked);
            let fits = |marks: Marks| !marks.has(Marks::TEST) && !marks.has(Marks::BODY_CUT);
            let mut whole = chunk.requests.iter().filter(|request| fits(request.seed.marks));
            let taken = chunk.requests.iter().find(|one| one.seed.marks.has(Marks::CAPTURED));
            captured = captured.or(taken.filter(|one| fits(one.seed.marks)).map(|one| one.id));
            if let Some(found) = whole.find(|request| request.verdict == Verdict::Accepted) {
                return Ok(found.id);
            }
            match (chunk.next, captured) {
                (Some(next), _) if looked < LOOKED => to = next - 1,
                (_, Some(captured)) => return Ok(captured),
                _ => {
                    return Err(Refusal::not_found(format!(
                        "{} has no accepted request yet: give --sample FILE",
                        plan.flow.name
                    ))
                    .coded(Refusal::NO_REQUEST));
                }
            }
        }
    }

    /// What is known of the answers of a plan's steps: what was remembered, and what is given now.
    async fn known(&self, who: &Who, trial: &Trial, plan: &Plan) -> Result<BTreeMap<String, Known>, Refusal> {
        let store = &self.deps.store;
        let mut known: BTreeMap<String, Known> = BTreeMap::new();
        if !trial.fresh {
            for (step, remembered) in store.remembered(plan.flow_id).await? {
                let whole = remembered.whole;
                known.insert(step, Known { data: remembered.data(), whole, from: "remembered" });
            }
        }
        let mut given: Vec<String> = Vec::new();
        for (text, value) in &trial.set {
            let step = set(&mut known, plan, text, value)?;
            if !given.contains(&step) {
                given.push(step);
            }
        }
        let may_write = who.acts() && !self.deps.settings.read_only;
        if may_write && (trial.fresh || !given.is_empty()) {
            let answers = given.iter().filter_map(|step| {
                let known = known.get(step)?;
                Some((step.clone(), Remembered::of(known.data.clone(), known.whole)))
            });
            let too_long = store.remember(plan.flow_id, trial.fresh, answers.collect()).await?;
            if let Some(step) = too_long.first() {
                return Err(Refusal::usage(format!("what is given of {step} is over 1 MiB")));
            }
        }
        Ok(known)
    }
}

/// Puts a value into what is known of a step's answer; the step's name.
fn set(
    known: &mut BTreeMap<String, Known>,
    plan: &Plan,
    text: &str,
    value: &Value,
) -> Result<String, Refusal> {
    let path: Path =
        text.parse().map_err(|error| Refusal::usage(format!("{text:?} is not a path: {error}")))?;
    let ("steps", [Segment::Key(name), rest @ ..]) = (path.root(), path.rest()) else {
        return Err(Refusal::usage(format!(
            "{text:?} is no value of a step's answer: write steps.NAME.outputs.ID"
        )));
    };
    let sends: Vec<&str> = plan
        .flow
        .steps
        .iter()
        .filter(|step| step.kind.exchange().is_some())
        .map(|step| step.name.as_str())
        .collect();
    if !sends.contains(&name.as_str()) {
        return Err(Refusal::usage(format!(
            "{text:?}: there is no step {name:?} that sends; there are: {}",
            if sends.is_empty() { "none".to_owned() } else { sends.join(", ") }
        )));
    }
    let blank = || Known {
        data: StepData { outputs: Some(Map::new()), ..StepData::bare(StepState::Succeeded) },
        whole: false,
        from: "given",
    };
    let entry = known.entry(name.clone()).or_insert_with(blank);
    entry.from = "given";
    lay(&mut entry.data, rest, value.clone())
        .map_err(|why| Refusal::usage(format!("{text:?} cannot be given: {why}")))?;
    Ok(name.clone())
}

/// What the trigger says to a request, credentials and duplicates apart; why; and how many runs it
/// would begin, where its body is split. A flow that no request starts takes everything.
pub(super) fn judged(
    store: &Store,
    plan: &Plan,
    seed: &Seed,
    config: Option<&Arc<Map>>,
) -> (Verdict, Option<String>, Option<u32>) {
    if plan.flow.webhook().is_none() {
        return (Verdict::Accepted, None, None);
    }
    let passed = match judge::again(plan, seed) {
        Ok(passed) => passed,
        Err(refused) => {
            return (Verdict::Rejected, Some(format!("{}: {}", refused.status, refused.cause)), None);
        }
    };
    if plan.when.is_some() {
        let mut context = store.context(plan, RunId(0), None, Some((RequestId(0), seed)));
        context.run.clear();
        if let Some(config) = config {
            context.config = Arc::clone(config);
        }
        if let Some(request) = &mut context.request {
            let request = Arc::make_mut(request);
            request.id.clear();
            request.time = store.now();
        }
        match template::trigger_when(plan, &context) {
            Ok(true) => {}
            Ok(false) => return (Verdict::Filtered, Some("when is false".to_owned()), passed.elements),
            Err(error) => {
                return (Verdict::Rejected, Some(format!("400: {}", error.message)), passed.elements);
            }
        }
    }
    (Verdict::Accepted, None, passed.elements)
}
