//! The consequences of verbs that move runs in sentences, from the transition that the verb would
//! commit.

use super::super::Desk;
use super::look::Look;
use super::many::SIDE_BY_SIDE;
use super::select::{Aim, Chosen, Planned, Target};
use super::sends::{Attempt, differs, hidden, preview, traces};
use super::{callbacks, clock, fields, list, runs};
use crate::model::ask::{Fate, Page, Plan, Refusal, Verb, Who};
use crate::model::run::{CallbackState, Items, Outcome, RunState, StepState};
use crate::model::{Map, Ms, RunId};
use crate::rules::advance::fold::{StepFold, fold};
use crate::rules::advance::{CallbackWrite, Transition, skipped as skipped_item};
use crate::rules::lane::is_parked;
use crate::rules::template::{Context, StepData, first_item};
use futures_util::StreamExt as _;
use std::collections::BTreeMap;

/// Objects whose id and `seq` a plan lists.
const SEEN: usize = 1_000;
/// Objects that a plan of many shows.
pub const SAMPLE: usize = 5;
/// Good runs that are looked at for a stand-in.
const GOOD_RUNS: u32 = 20;

/// What a verb would do to one run.
pub struct Foreseen {
    look: Look,
    transition: Transition,
}

impl Desk {
    /// What a verb would do to what was chosen.
    pub(super) async fn plan_steer(
        &self,
        who: &Who,
        verb: &Verb,
        chosen: &Chosen,
    ) -> Result<(Plan, Planned), Refusal> {
        if let Some(aim) = chosen.one().and_then(Target::aim) {
            let foreseen = self.foresee(who, verb, aim).await?;
            return self.plan_one(verb, &foreseen).await.map(|plan| (plan, Planned::default()));
        }
        let mut plan = Plan { verb: verb.word().to_owned(), ..Plan::default() };
        let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
        let mut hosts: BTreeMap<String, u64> = BTreeMap::new();
        let mut own: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        let (mut void, mut unbuilt) = (0, 0);
        let mut found = Planned::default();
        let aims: Vec<_> =
            chosen.targets.iter().filter_map(|target| Some((*target, target.aim()?))).collect();
        let mut judged = futures_util::stream::iter(aims)
            .map(|(target, aim)| async move { (target, self.foresee(who, verb, aim).await) })
            .buffered(SIDE_BY_SIDE);
        while let Some((target, foreseen)) = judged.next().await {
            let foreseen = match foreseen {
                Ok(foreseen) => foreseen,
                Err(refusal) => {
                    found.leave_out(target, refusal.message.clone());
                    *left_out.entry(refusal.message).or_default() += 1;
                    continue;
                }
            };
            plan.count += 1;
            let seq = foreseen.look.run().seq;
            found.objects.push((target, goes_by_seq(verb).then_some(seq)));
            if plan.seen.len() < SEEN {
                plan.seen.push((foreseen.look.text.clone(), seq));
            }
            void += cancelled(&foreseen.transition);
            let versions = (foreseen.look.run().version, foreseen.look.plan().version);
            *own.entry(versions).or_default() += 1;
            let sends = self.sends(verb, &foreseen);
            if plan.sample.len() < SAMPLE {
                let sends = sends.as_ref().and_then(|sends| sends.as_ref().ok());
                plan.sample.push((self.printed(target), self.told(&foreseen, sends)));
            }
            match sends {
                Some(Ok(sends)) => *hosts.entry(sends.host).or_default() += 1,
                Some(Err(_)) => unbuilt += 1,
                None => {}
            }
        }
        drop(judged);
        plan.left_out = left_out.into_iter().collect();
        plan.left_out.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        plan.hosts = hosts.into_iter().collect();
        plan.hosts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        plan.lines = many_lines(verb, &plan, &own, void, unbuilt);
        Ok((plan, found))
    }

    /// What tells a run from the others of a plan: what it sends next, else where it stands.
    fn told(&self, foreseen: &Foreseen, sends: Option<&super::sends::Preview>) -> String {
        let look = &foreseen.look;
        let Some(preview) = sends else {
            let plan = look.plan();
            let (integration, flow) = (&plan.integration_name, &plan.flow.name);
            return format!("{integration} / {flow} · {} · {}", look.step_name(), look.run().state.word());
        };
        let traces = traces(&self.deps.store, look.plan(), &look.snapshot().context);
        let mut url = preview.sent.url.clone();
        traces.hide_in(&mut url);
        format!("{} {url}", preview.sent.method)
    }

    async fn foresee(&self, who: &Who, verb: &Verb, aim: Aim) -> Result<Foreseen, Refusal> {
        let look = self.look(aim, verb).await?;
        let transition = look.transition(self, who, verb)?;
        Ok(Foreseen { look, transition })
    }

    async fn plan_one(&self, verb: &Verb, foreseen: &Foreseen) -> Result<Plan, Refusal> {
        let Foreseen { look, transition } = foreseen;
        let run = look.run();
        let mut plan = Plan {
            verb: verb.word().to_owned(),
            count: 1,
            seen: vec![(look.text.clone(), run.seq)],
            ..Plan::default()
        };
        let now = self.deps.store.now();
        plan.step = match verb {
            Verb::Retry { .. } => Some(step_name(look, transition).to_owned()),
            Verb::Skip { .. } | Verb::Complete { .. } | Verb::Extend { .. } | Verb::Cancel => {
                Some(look.step_name().to_owned())
            }
            Verb::Abort | Verb::Replay(_) | Verb::Forget | Verb::Readmit => None,
        };
        match verb {
            Verb::Retry { fresh_key, .. } => self.plan_retry(foreseen, *fresh_key, now, &mut plan),
            Verb::Skip { stand_in } => self.plan_skip(foreseen, stand_in.as_ref(), now, &mut plan).await,
            Verb::Abort => plan_abort(look, transition, &mut plan),
            Verb::Complete { .. } | Verb::Extend { .. } | Verb::Cancel => {
                self.plan_callback(look, transition, verb, &mut plan).await;
            }
            Verb::Replay(_) | Verb::Forget | Verb::Readmit => {}
        }
        if let Some(sends) = self.sends(verb, foreseen) {
            let traces = traces(&self.deps.store, look.plan(), &look.snapshot().context);
            match sends {
                Ok(sends) => {
                    plan.hosts = vec![(sends.host, 1)];
                    plan.sends = Some(hidden(&traces, sends.sent));
                }
                Err(error) => {
                    let step = step_name(look, transition);
                    let error = error.to_string();
                    plan.lines.push(format!("{step} cannot be built: {}", traces.hide(&error)));
                }
            }
        }
        Ok(plan)
    }

    /// What would be sent next; `None` where nothing is.
    fn sends(
        &self,
        verb: &Verb,
        foreseen: &Foreseen,
    ) -> Option<Result<super::sends::Preview, crate::rules::template::RenderError>> {
        let Foreseen { look, transition } = foreseen;
        if matches!(verb, Verb::Abort) || transition.run.state != RunState::Queued {
            return None;
        }
        let frame = transition.frame.as_ref().unwrap_or(&look.snapshot().frame);
        let url = &self.deps.settings.public_url;
        let at = transition.run.step as usize;
        let mut context = after(look, transition);
        let mut number = transition.run.attempt + 1;
        if let Some(items) = &frame.items {
            // Of several the first is shown.
            let (index, item) = items.of(StepState::Pending).next()?;
            number = item.attempt + 1;
            context.item = Some(index);
        } else {
            context = match first_item(look.plan(), at, &context) {
                Ok(context) => context?,
                Err(error) => return Some(Err(error)),
            };
        }
        let attempt = Attempt::of(look, context.item, number, frame.fresh_key, url);
        preview(&self.deps.vault, look.plan(), at, &context, attempt)
    }

    fn plan_retry(&self, foreseen: &Foreseen, fresh: bool, now: Ms, plan: &mut Plan) {
        let Foreseen { look, transition } = foreseen;
        let before = look.run();
        let at = transition.run.step as usize;
        let steps = &look.plan().flow.steps;
        let name = step_name(look, transition);
        let number = transition.run.attempt + 1;
        let later = list(steps.iter().skip(at + 1).map(|step| step.name.as_str()));
        let then = if later.is_empty() { String::new() } else { format!("; then {later}") };
        let sends = steps.get(at).is_some_and(|step| step.kind.exchange().is_some());
        let instead = match (before.state, before.due) {
            (RunState::Retrying, Some(due)) if !is_parked(due) => {
                format!(", instead of at {}", clock(due, now))
            }
            _ => String::new(),
        };
        let frame = transition.frame.as_ref().unwrap_or(&look.snapshot().frame);
        let again = frame.items.as_ref().and_then(again);
        plan.lines.push(if let Some((open, _, done)) = &again {
            format!("Sends {open} of {name} again, now{instead}; {done}{then}.")
        } else if sends {
            format!("Sends attempt {number} of {name} now{instead}{then}.")
        } else {
            format!("Carries {name} out again, now{instead}{then}.")
        });
        if cancelled(transition) > 0 {
            plan.lines.push("Its pending callback is void: a late POST gets 410.".to_owned());
        }
        if before.version != look.plan().version {
            plan.versions = Some((before.version, look.plan().version));
            plan.lines.push(format!(
                "With v{}, the live version, instead of v{}, its own.",
                look.plan().version,
                before.version
            ));
        }
        let history = look.history();
        if let Some(step) = history.iter().find(|step| step.name == name && step.items.is_empty()) {
            plan.lines.extend(attempts_line(step));
        }
        let item = again.map(|(_, first, _)| first);
        if !sends {
            return;
        }
        if fresh {
            plan.lines.push(format!(
                "With a fresh Idempotency-Key the target cannot tell that it is the same: {name} may act twice."
            ));
            return;
        }
        let last = history
            .iter()
            .find(|step| step.name == name)
            .map(|step| step.attempts.iter().rev().filter(|attempt| attempt.item == item))
            .and_then(|mut attempts| attempts.find_map(|attempt| attempt.sent.as_ref()));
        if let (Some(Ok(sends)), Some(last)) =
            (self.sends(&Verb::Retry { original: false, fresh_key: false }, foreseen), last)
        {
            let arrived =
                look.standing.request.as_ref().map(|request| crate::model::run::keep(&request.seed.body).0);
            plan.lines.push(if differs(&sends.sent, last, arrived.as_deref()) {
                "Idempotency-Key as before, but the request differs: a target that remembers the key may refuse it."
                    .to_owned()
            } else {
                "Idempotency-Key as before: a target that remembers it acts once.".to_owned()
            });
        }
    }

    async fn plan_skip(&self, foreseen: &Foreseen, stand_in: Option<&Map>, now: Ms, plan: &mut Plan) {
        let Foreseen { look, transition } = foreseen;
        let steps = &look.plan().flow.steps;
        let name = look.step_name();
        let skipped = look.run().step as usize;
        let next = transition.run.step as usize;
        plan.lines.push(match transition.run.state {
            RunState::Queued => {
                let next_name = steps.get(next).map_or("", |step| step.name.as_str());
                format!("{name} ends skipped; the run goes on with {} {next_name}.", next + 1)
            }
            RunState::Errored => {
                let next_name = steps.get(next).map_or("", |step| step.name.as_str());
                let cause = transition.cause.as_ref().map_or("", |cause| cause.text.as_str());
                format!("{name} ends skipped; the run stops again at {} {next_name}: {cause}.", next + 1)
            }
            state => format!("{name} ends skipped and the run ends {}.", state.word()),
        });
        if cancelled(transition) > 0 {
            plan.lines.push("Its pending callback is void: a late POST gets 410.".to_owned());
        }
        plan.fields = Self::fates(look, skipped, stand_in, now);
        if stand_in.is_some() {
            plan.lines.push(missing_line("With the stand-in", &plan.fields));
            return;
        }
        if plan.fields.iter().all(|field| field.fate == Fate::Unaffected) {
            return;
        }
        plan.lines.push(missing_line("Without its outputs", &plan.fields));
        if let Some((outputs, at)) = self.stand_in(look).await {
            let with = Self::fates(look, skipped, Some(&outputs), now);
            let lead = format!("With those of the last good run ({})", clock(at, now));
            plan.lines.push(missing_line(&lead, &with));
            plan.stand_in = Some(outputs);
            plan.stand_in_at = Some(crate::model::time::rfc3339(at));
        }
    }

    fn fates(
        look: &Look,
        skipped: usize,
        stand_in: Option<&Map>,
        now: Ms,
    ) -> Vec<crate::model::ask::FieldPlan> {
        let snapshot = look.snapshot();
        let mut data = StepData { outputs: stand_in.cloned(), ..StepData::bare(StepState::Skipped) };
        if let Some(items) = &snapshot.frame.items {
            let of = |(at, item)| skipped_item(item, snapshot.results.get(&at), stand_in);
            data.items = Some(items.indexed().map(of).collect());
        }
        let mut context = snapshot.context.clone();
        context.finish([(look.step_name().to_owned(), data)]);
        fields::fates(look.plan(), skipped, &context, now)
    }

    /// What the same step gave in the last good run of the flow, and when.
    async fn stand_in(&self, look: &Look) -> Option<(Map, Ms)> {
        let store = &self.deps.store;
        let (integration, flow) = store.configured().names(look.run().flow);
        let page = Page {
            filter: format!("state:succeeded integration={} flow={}", quoted(&integration), quoted(&flow)),
            limit: GOOD_RUNS,
            ..Page::default()
        };
        let rows = self.run_rows(&page).await.ok()?;
        for row in rows.rows {
            let id: RunId = store.ids().parse(&row.id)?;
            let Ok(Some(good)) = store.load(id).await else { continue };
            let Some(plan) = store.plan(good.run.flow, good.run.version) else { continue };
            // It is shown before it is used: values of a flow that masks some are not proposed.
            if !store.masked(good.run.flow, good.run.version).is_empty() {
                return None;
            }
            let history = fold(&plan, &good.run, &good.journal);
            let step = history.steps.into_iter().find(|step| step.name == look.step_name());
            if let Some(step) = step.filter(|step| step.state == StepState::Succeeded)
                && let Some(outputs) = step.outputs.filter(|outputs| !outputs.is_empty())
            {
                return Some((outputs, step.ended.unwrap_or_else(|| id.time())));
            }
        }
        None
    }
}

/// Whether a verb is about the very step at which a run was shown. To abort a run, or to answer for a
/// callback, it does not matter how far it has come.
fn goes_by_seq(verb: &Verb) -> bool {
    matches!(verb, Verb::Retry { .. } | Verb::Skip { .. })
}

/// What templates see after the transition.
fn after(look: &Look, transition: &Transition) -> Context {
    let mut context = look.snapshot().context.clone();
    context.finish(transition.finished.iter().cloned());
    context
}

/// The step at which the run stands after the transition.
fn step_name<'l>(look: &'l Look, transition: &Transition) -> &'l str {
    look.plan().flow.steps.get(transition.run.step as usize).map_or("", |step| step.name.as_str())
}

/// Callbacks that a transition cancels.
fn cancelled(transition: &Transition) -> u64 {
    let cancels =
        |write: &&CallbackWrite| matches!(write, CallbackWrite::Move { state: CallbackState::Cancelled, .. });
    transition.callbacks.iter().filter(cancels).count() as u64
}

fn plan_abort(look: &Look, transition: &Transition, plan: &mut Plan) {
    let steps = &look.plan().flow.steps;
    let run = look.run();
    let at = run.step as usize;
    let running = run.state == RunState::Running;
    // A queued run has not begun its step; one that runs ends it first.
    let begun = usize::from(run.state != RunState::Queued || run.attempt > 0);
    let never = list(steps.iter().skip(at + begun).map(|step| step.name.as_str()));
    let never = match (never.is_empty(), steps.len().saturating_sub(at + begun)) {
        (true, _) => String::new(),
        (false, 1) => format!(" Step {never} never runs."),
        (false, _) => format!(" Steps {never} never run."),
    };
    plan.lines.push(if running {
        format!("The run ends aborted once the attempt under way has ended; its outcome is recorded.{never}")
    } else {
        format!("The run ends aborted.{never}")
    });
    plan.lines.push("It can be replayed, not retried.".to_owned());
    let pending =
        look.snapshot().callbacks.iter().filter(|callback| callback.state == CallbackState::Pending);
    match if running { pending.count() as u64 } else { cancelled(transition) } {
        0 => {}
        1 => plan.lines.push("1 pending callback is cancelled: a late POST gets 410.".to_owned()),
        many => plan.lines.push(format!("{many} pending callbacks are cancelled: a late POST gets 410.")),
    }
}

/// Which items of a step a retry sends, the first of them, and what becomes of the others: `2 of 40
/// items`, `38 keep their results`.
fn again(items: &Items) -> Option<(String, u32, String)> {
    let (first, _) = items.of(StepState::Pending).next()?;
    let (open, all) = (items.count(StepState::Pending), items.all.len());
    let word = if all == 1 { "item" } else { "items" };
    let done = match all - open {
        0 => "none of them is done".to_owned(),
        1 => "1 keeps its result".to_owned(),
        many => format!("{many} keep their results"),
    };
    Some((format!("{open} of {all} {word}"), first, done))
}

/// `Attempts 1 to 3 were all answered 503.`
fn attempts_line(step: &StepFold) -> Option<String> {
    let ended: Vec<_> = step.attempts.iter().filter(|attempt| attempt.outcome.is_some()).collect();
    let (first, last) = (ended.first()?, ended.last()?);
    let how = |attempt: &crate::rules::advance::fold::AttemptFold| match (attempt.status, attempt.outcome) {
        (Some(status), _) => format!("answered {status}"),
        (None, Some(Outcome::Unknown)) => "cut off, and may have been delivered".to_owned(),
        (None, _) => attempt
            .cause
            .clone()
            .map_or_else(|| "not answered".to_owned(), |cause| format!("not answered ({cause})")),
    };
    Some(if ended.len() == 1 {
        format!("Attempt {} was {}.", last.number, how(last))
    } else if ended.iter().all(|attempt| how(attempt) == how(last)) {
        format!("Attempts {} to {} were all {}.", first.number, last.number, how(last))
    } else {
        format!("Of {} attempts the last was {}.", ended.len(), how(last))
    })
}

/// `Without its outputs 2 fields are missing and 1 step fails.`
fn missing_line(lead: &str, fields: &[crate::model::ask::FieldPlan]) -> String {
    let count = |wanted: &[Fate]| fields.iter().filter(|field| wanted.contains(&field.fate)).count();
    let missing = count(&[Fate::LeftOut, Fate::Empty]);
    let passed = count(&[Fate::Passed]);
    let fails: Vec<&str> =
        fields.iter().filter(|field| field.fate == Fate::Fails).map(|field| field.step.as_str()).collect();
    let mut said = Vec::new();
    match missing {
        0 => {}
        1 => said.push("1 field is missing".to_owned()),
        many => said.push(format!("{many} fields are missing")),
    }
    if passed > 0 {
        said.push(format!("{passed} {} passed over", if passed == 1 { "step is" } else { "steps are" }));
    }
    if !fails.is_empty() {
        said.push(format!("{} cannot be built and fails", fails.join(", ")));
    }
    if said.is_empty() {
        format!("{lead} all values are there.")
    } else {
        format!("{lead} {}.", said.join(", "))
    }
}

fn many_lines(
    verb: &Verb,
    plan: &Plan,
    own: &BTreeMap<(u32, u32), u64>,
    void: u64,
    unbuilt: u64,
) -> Vec<String> {
    let mut lines = Vec::new();
    let count = plan.count;
    lines.push(match verb {
        Verb::Retry { .. } => {
            let to = list(plan.hosts.iter().map(|(host, _)| host.as_str()));
            let to = if to.is_empty() { String::new() } else { format!(": requests to {to}") };
            format!("Retries {}{to}.", runs(count))
        }
        Verb::Skip { .. } => {
            format!("Skips the current step of {}; they go on with the next one.", runs(count))
        }
        Verb::Abort => format!("Aborts {}. They can be replayed, not retried.", runs(count)),
        Verb::Complete { .. } | Verb::Extend { .. } | Verb::Cancel => callbacks::lead(verb, count),
        Verb::Replay(_) | Verb::Forget | Verb::Readmit => String::new(),
    });
    if let Verb::Retry { fresh_key: true, .. } = verb {
        lines.push("With a fresh Idempotency-Key each: what was delivered before may act twice.".to_owned());
    }
    for ((from, to), count) in own.iter().filter(|((from, to), _)| from != to) {
        lines.push(format!("{} of v{from} go on with v{to}, the live version.", runs(*count)));
    }
    match void {
        _ if matches!(verb, Verb::Cancel) => {}
        0 => {}
        1 => lines.push("1 pending callback is void: a late POST gets 410.".to_owned()),
        many => lines
            .push(format!("{} pending callbacks are void: a late POST gets 410.", crate::text::count(many))),
    }
    if unbuilt > 0 {
        lines.push(format!("Of {} the next request cannot be built.", runs(unbuilt)));
    }
    lines
}

/// A value of the filter language in quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
