//! The consequences of complete, extend and cancel in sentences.

use super::look::Look;
use super::{clock, count};
use crate::model::Ms;
use crate::model::ask::{Object, Verb};
use crate::model::run::RunState;
use crate::rules::advance::Transition;

/// What a verb does to one callback and the run that waits for it.
pub fn line(look: &Look, transition: &Transition, verb: &Verb, now: Ms) -> String {
    let name = look.step_name();
    let steps = &look.plan().flow.steps;
    let next = steps.get(transition.run.step as usize).map_or("", |step| step.name.as_str());
    let then = match transition.run.state {
        RunState::Errored => "the run is errored".to_owned(),
        state if state.ended() => format!("the run ends {}", state.word()),
        _ => format!("the run goes on with {next}"),
    };
    match verb {
        Verb::Extend { .. } => {
            let until = transition.run.due.map(|due| clock(due, now)).unwrap_or_default();
            format!("{name} waits for its callback until {until}.")
        }
        Verb::Cancel => format!("{name} waits no longer: {then}. A late POST gets 410."),
        Verb::Complete { status, .. } => {
            format!("{name} ends as if {status} had been posted: {then}. Another POST gets 409.")
        }
        _ => String::new(),
    }
}

/// What a verb does to many.
pub fn lead(verb: &Verb, many: u64) -> String {
    let callbacks = count(many, Object::Callback);
    match verb {
        Verb::Complete { status, .. } => {
            format!("Completes {callbacks} as if {status} had been posted to each.")
        }
        Verb::Extend { .. } => format!("Moves the deadline of {callbacks}."),
        Verb::Cancel => format!("Cancels {callbacks}: their steps fail, and late POSTs get 410."),
        _ => String::new(),
    }
}
