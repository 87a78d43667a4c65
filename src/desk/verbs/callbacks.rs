//! The consequences of complete, extend and cancel in sentences.

use super::super::Desk;
use super::look::Look;
use super::{clock, count, fields, list};
use crate::model::Ms;
use crate::model::ask::{GivenView, Object, Plan, Verb};
use crate::model::run::{Callback, CallbackState, RunState};
use crate::model::time::rfc3339;
use crate::rules::advance::Transition;

/// Characters of an answer that is proposed for a line of text.
const PROPOSED: usize = 2_000;

impl Desk {
    /// What a verb does to one callback, and of a complete what it could be completed with.
    pub(super) async fn plan_callback(
        &self,
        look: &Look,
        transition: &Transition,
        verb: &Verb,
        plan: &mut Plan,
    ) {
        let now = self.deps.store.now();
        plan.lines.push(line(look, transition, verb, now));
        let before = look.snapshot().callbacks.iter().find(|one| Some(one.id) == look.callback);
        if let Some(expired) = before.filter(|one| one.state == CallbackState::Expired) {
            let then = if look.run().state == RunState::Errored { "; the step is errored" } else { "" };
            plan.lines.push(format!("No answer came by {}{then}.", clock(expired.deadline, now)));
        }
        let Verb::Complete { .. } = verb else { return };
        let users = fields::users(look.plan(), look.run().step as usize);
        if !users.is_empty() && !transition.run.state.ended() {
            let word = if users.len() == 1 { "uses" } else { "use" };
            plan.lines.push(format!("{} {word} what {} gives.", list(users), look.step_name()));
        }
        plan.given = self.given(look).await;
    }

    /// What the last callback of the same step was answered with.
    async fn given(&self, look: &Look) -> Option<GivenView> {
        let store = &self.deps.store;
        let run = look.run();
        // It is shown before it is used: values of a flow that masks some are not proposed.
        if !store.masked(run.flow, run.version).is_empty() {
            return None;
        }
        let (at, status, body) = store.last_answer(run.flow, run.step).await.ok().flatten()?;
        // As one line: a field takes no more.
        let compact = serde_json::from_str::<serde_json::Value>(&body).map(|value| value.to_string());
        let body = compact.unwrap_or(body);
        let fits = body.chars().count() <= PROPOSED && !body.contains(['\n', '\r']);
        fits.then(|| GivenView { status, body, at: rfc3339(at) })
    }
}

/// What a verb does to one callback and the run that waits for it.
fn line(look: &Look, transition: &Transition, verb: &Verb, now: Ms) -> String {
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
            // Past its deadline a POST is late, whatever answered before.
            let of = |callback: &&Callback| callback.step == look.run().step;
            let callback = look.snapshot().callbacks.iter().rev().find(of);
            let over = callback.is_some_and(|one| one.state != CallbackState::Pending || one.deadline <= now);
            let code = if over { 410 } else { 409 };
            format!("{name} ends as if {status} had been posted: {then}. Another POST gets {code}.")
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
