//! The consequences of verbs that move runs in sentences, from the transition that the verb would
//! commit. Here is what they share; each verb, and many runs at once, has a file.

mod abort;
mod many;
mod retry;
mod skip;

pub use many::SAMPLE;

use super::super::Desk;
use super::look::Look;
use super::select::{Aim, Chosen, Planned, Target};
use super::sends::{Attempt, Preview, hidden, preview, traces};
use crate::model::ask::{Plan, Refusal, Verb, Who};
use crate::model::run::{CallbackState, RunState, StepState};
use crate::rules::advance::{CallbackWrite, Transition};
use crate::rules::template::{Context, RenderError, first_item};

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
        Ok(self.plan_many(who, verb, chosen).await)
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
            Verb::Retry { version, fresh_key } => {
                self.plan_retry(foreseen, (*version, *fresh_key), now, &mut plan);
            }
            Verb::Skip { stand_in } => self.plan_skip(foreseen, stand_in.as_ref(), now, &mut plan).await,
            Verb::Abort => abort::plan_abort(look, transition, &mut plan),
            Verb::Complete { .. } | Verb::Extend { .. } | Verb::Cancel => {
                self.plan_callback(look, transition, verb, &mut plan).await;
            }
            Verb::Replay(_) | Verb::Forget | Verb::Readmit => {}
        }
        if let Some(sends) = self.sends(verb, foreseen) {
            let traces = traces(&self.deps.store, look.plan(), &look.snapshot().context);
            match sends {
                Ok(sends) => {
                    plan.hosts = vec![(sends.host, sends.requests)];
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
    fn sends(&self, verb: &Verb, foreseen: &Foreseen) -> Option<Result<Preview, RenderError>> {
        let Foreseen { look, transition } = foreseen;
        if matches!(verb, Verb::Abort) || transition.run.state != RunState::Queued {
            return None;
        }
        let frame = transition.frame.as_ref().unwrap_or(&look.snapshot().frame);
        let url = &self.deps.settings.public_url;
        let at = transition.run.step as usize;
        let mut context = after(look, transition);
        let mut number = transition.run.attempt + 1;
        let mut requests = 1;
        if let Some(items) = &frame.items {
            // Of several the first is shown.
            let (index, item) = items.of(StepState::Pending).next()?;
            number = item.attempt + 1;
            context.item = Some(index);
            requests = items.count(StepState::Pending) as u64;
        } else {
            context = match first_item(look.plan(), at, &context) {
                Ok(context) => context?,
                Err(error) => return Some(Err(error)),
            };
            if let (Some(_), Some(list)) = (context.item, &context.list) {
                requests = list.len() as u64;
            }
        }
        let attempt = Attempt::of(look, context.item, number, frame.fresh_key, url);
        let preview = preview(&self.deps.vault, look.plan(), at, &context, attempt);
        preview.map(|built| built.map(|built| Preview { requests, ..built }))
    }
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
