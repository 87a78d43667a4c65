//! Steps that send nothing: carried out in passing, inside the transition that reaches them.

use super::Effect;
use super::words::Failure;
use super::work::{Work, unbuilt};
use crate::model::Map;
use crate::model::document::{Delay, OnError, Reply, Step, StepKind};
use crate::model::run::{Folded, Given, RunState, StepState};
use crate::rules::template::{self, StepData};

/// A step that sends nothing was carried out.
pub enum Local {
    /// The next one may start.
    GoOn,
    /// The run waits, stopped or ended at it.
    Stop,
}

impl Work<'_> {
    pub fn fold(&mut self, step: &Step, state: StepState, outputs: Option<Map>, cause: Option<String>) {
        self.folded.push(Folded { step: self.run.step, name: step.name.clone(), state, outputs, cause });
    }

    /// Carries out a step that sends nothing.
    pub fn local(&mut self, step: &Step, at: usize) -> Local {
        let plan = self.plan;
        let now = self.env.now;
        match &step.kind {
            StepKind::Request(_) | StepKind::Send(_) => Local::Stop,
            StepKind::Set(_) => match template::set_outputs(plan, at, self.context()) {
                Ok(outputs) => {
                    self.local_success(step, Some(outputs));
                    Local::GoOn
                }
                Err(error) => self.local_failure(step, &unbuilt(&error)),
            },
            StepKind::Fail { status, .. } => {
                let failure = match template::fail_message(plan, at, self.context()) {
                    Ok(message) => Failure::new(message),
                    Err(error) => unbuilt(&error),
                };
                self.tell_failure(*status, &failure.text);
                self.fold(step, StepState::Failed, None, Some(failure.text.clone()));
                self.end(RunState::Failed);
                self.group(&failure, &step.name);
                Local::Stop
            }
            StepKind::Respond(_) => self.respond(step, at),
            StepKind::Delay(delay) => {
                let until = match delay {
                    Delay::For(ms) => Ok(now.saturating_add(*ms)),
                    Delay::Until(_) => template::delay_until(plan, at, self.context(), now),
                };
                match until {
                    Ok(until) if until <= now => {
                        self.local_success(step, None);
                        Local::GoOn
                    }
                    Ok(until) => {
                        self.fold(step, StepState::Waiting, None, None);
                        self.run.state = RunState::Waiting;
                        self.run.due = Some(until);
                        self.run.started = self.run.started.or(Some(now));
                        self.effect = Effect::None;
                        Local::Stop
                    }
                    Err(error) => self.local_failure(step, &unbuilt(&error)),
                }
            }
        }
    }

    /// A `respond` step: the first one reached answers the sender; what follows it is nobody's answer
    /// and is not even built.
    fn respond(&mut self, step: &Step, at: usize) -> Local {
        if !self.frame.answered {
            match template::respond_answer(self.plan, at, self.context()) {
                Ok((given, _)) => self.tell(given),
                Err(error) => return self.local_failure(step, &unbuilt(&error)),
            }
        }
        self.local_success(step, None);
        Local::GoOn
    }

    fn tell(&mut self, given: Given) {
        self.frame.answered = true;
        if let Some(entry) = &mut self.entry {
            entry.detail.answered = true;
            entry.answer = Some(given);
        }
    }

    /// What a `fail` step tells a sender that waits. Kept only where one may.
    fn tell_failure(&mut self, status: u16, message: &str) {
        if self.frame.answered || self.plan.flow.reply() == Reply::Accept {
            return;
        }
        if let Some(entry) = &mut self.entry {
            let body = message.to_owned();
            entry.answer = Some(Given { status, headers: Vec::new(), body, problem: true });
        }
    }

    pub fn local_success(&mut self, step: &Step, outputs: Option<Map>) {
        self.fold(step, StepState::Succeeded, outputs.clone(), None);
        let outputs = outputs.unwrap_or_default();
        self.finished(
            &step.name,
            StepData { outputs: Some(outputs), ..StepData::of(step, StepState::Succeeded) },
        );
    }

    pub fn local_failure(&mut self, step: &Step, failure: &Failure) -> Local {
        let cause = Some(failure.text.clone());
        match step.on_error {
            OnError::Stop => {
                self.fold(step, StepState::Errored, None, cause);
                self.run.state = RunState::Errored;
                self.run.due = None;
                self.effect = Effect::None;
                self.group(failure, &step.name);
                Local::Stop
            }
            OnError::Abort => {
                self.fold(step, StepState::Failed, None, cause);
                self.end(RunState::Failed);
                self.group(failure, &step.name);
                Local::Stop
            }
            OnError::Continue => {
                self.fold(step, StepState::Failed, None, cause);
                self.frame.with_skips = true;
                self.finished(&step.name, StepData::of(step, StepState::Failed));
                Local::GoOn
            }
        }
    }
}
