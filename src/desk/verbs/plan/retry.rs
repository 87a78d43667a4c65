//! What a retry of one run does: what is sent again, with which version and key, and how it went
//! before.

use super::{Foreseen, cancelled, step_name};
use crate::desk::Desk;
use crate::desk::verbs::look::Look;
use crate::desk::verbs::sends::differs;
use crate::desk::verbs::{clock, list};
use crate::model::Ms;
use crate::model::ask::{Plan, Verb, With};
use crate::model::run::{Items, Outcome, RunState, StepState};
use crate::rules::advance::Transition;
use crate::rules::advance::fold::{AttemptFold, StepFold};
use crate::rules::lane::is_parked;

impl Desk {
    pub(super) fn plan_retry(
        &self,
        foreseen: &Foreseen,
        (version, fresh): (With, bool),
        now: Ms,
        plan: &mut Plan,
    ) {
        let Foreseen { look, transition } = foreseen;
        let before = look.run();
        if let Some(line) = left_out(look, transition) {
            plan.versions = Some((before.version, look.plan().version));
            return plan.lines.push(line);
        }
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
        // The step sends once an item as the live version has it, and did not before.
        let begins = again.is_none() && steps.get(at).is_some_and(|step| step.kind.for_each().is_some());
        plan.lines.push(if begins {
            format!(
                "Begins {name} anew, now{instead}: it sends once an item, each with a key of its own{then}."
            )
        } else if let Some((open, _, done)) = &again {
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
                "With v{}{}, instead of v{}, its own.",
                look.plan().version,
                if version == With::Deployed { ", the live version" } else { "" },
                before.version
            ));
        }
        let history = look.history();
        let passed: Vec<&str> = steps.iter().take(at).map(|step| step.name.as_str()).collect();
        let passed = passed.into_iter().filter(|name| {
            !history.iter().any(|step| step.name == *name && step.state != StepState::Pending)
        });
        let passed = list(passed);
        if !passed.is_empty() {
            let version = look.plan().version;
            plan.lines.push(format!(
                "What v{version} has before {name} and this run never did stays undone: {passed}."
            ));
        }
        if let Some(step) = history.iter().find(|step| step.name == name && step.items.is_empty()) {
            plan.lines.extend(attempts_line(step));
        }
        let item = again.map(|(_, first, _)| first);
        if !sends || begins {
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
            (self.sends(&Verb::Retry { version, fresh_key: false }, foreseen), last)
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
}

/// `push does not run: its when is false in v5. The run goes on with notify.`
pub(super) fn left_out(look: &Look, transition: &Transition) -> Option<String> {
    let entry = transition.entry.as_ref()?;
    if entry.detail.step_state != Some(StepState::Skipped) {
        return None;
    }
    let (name, version) = (look.step_name(), look.plan().version);
    let then = if transition.run.state.ended() {
        format!("The run ends {}.", transition.run.state.word())
    } else {
        format!("The run goes on with {}.", step_name(look, transition))
    };
    Some(format!("{name} does not run: its when is false in v{version}. {then}"))
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
    let how = |attempt: &AttemptFold| match (attempt.status, attempt.outcome) {
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
