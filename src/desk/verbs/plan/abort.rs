//! What an abort of one run does: which steps never run, and which callbacks are void.

use super::cancelled;
use crate::desk::verbs::list;
use crate::desk::verbs::look::Look;
use crate::model::ask::Plan;
use crate::model::run::{CallbackState, RunState};
use crate::rules::advance::Transition;

pub(super) fn plan_abort(look: &Look, transition: &Transition, plan: &mut Plan) {
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
