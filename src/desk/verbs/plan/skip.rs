//! What a skip of one run does: how the run goes on, which later fields miss what the step would have
//! given, and what may stand in for it.

use super::{Foreseen, cancelled};
use crate::desk::Desk;
use crate::desk::verbs::look::Look;
use crate::desk::verbs::{clock, fields};
use crate::model::ask::{Fate, FieldPlan, Page, Plan};
use crate::model::run::{RunState, StepState};
use crate::model::{Map, Ms, RunId};
use crate::rules::advance::fold::fold;
use crate::rules::advance::skipped as skipped_item;
use crate::rules::template::StepData;

/// Good runs that are looked at for a stand-in.
const GOOD_RUNS: u32 = 20;

impl Desk {
    pub(super) async fn plan_skip(
        &self,
        foreseen: &Foreseen,
        stand_in: Option<&Map>,
        now: Ms,
        plan: &mut Plan,
    ) {
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

    fn fates(look: &Look, skipped: usize, stand_in: Option<&Map>, now: Ms) -> Vec<FieldPlan> {
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

/// What later steps of a run miss where its current one is skipped; nothing where they miss nothing.
pub(super) fn misses(look: &Look, stand_in: Option<&Map>, now: Ms) -> Option<String> {
    let fields = Desk::fates(look, look.run().step as usize, stand_in, now);
    let touched = fields
        .iter()
        .any(|field| matches!(field.fate, Fate::LeftOut | Fate::Empty | Fate::Passed | Fate::Fails));
    let lead = if stand_in.is_some() { "with the stand-in" } else { "without its outputs" };
    touched.then(|| missing_line(lead, &fields))
}

/// `Without its outputs 2 fields are missing and 1 step fails.`
fn missing_line(lead: &str, fields: &[FieldPlan]) -> String {
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

/// A value of the filter language in quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
