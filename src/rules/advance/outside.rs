//! What comes while nobody works: a callback, a time that came.

use super::hand::Given;
use super::words::{self, no_use};
use super::work::Work;
use super::{CallbackWrite, Transition};
use crate::model::ask::Refusal;
use crate::model::run::{Callback, CallbackState, EntryKind, RunState, StepState};
use crate::model::{CallbackId, Map};
use crate::rules::template::StepData;

impl Work<'_> {
    /// The time in `due` came: a delay is over, or a callback's deadline is past.
    pub fn due(mut self) -> Result<Transition, Refusal> {
        if self.run.state != RunState::Waiting {
            return Err(no_use("not_waiting", self.run.state));
        }
        if self.run.due.is_none_or(|due| due > self.env.now) {
            return Err(no_use("not_due", self.run.state));
        }
        let step = self.step()?;
        let Some(exchange) = step.kind.exchange() else {
            self.open(EntryKind::Due);
            let outputs = Some(Map::new());
            self.succeed(StepData { outputs, ..StepData::bare(StepState::Succeeded) })?;
            return self.finish();
        };
        let deadline = self.run.due.unwrap_or(self.env.now);
        let mut waited = exchange.callback_deadline;
        if let Some(callback) = self.open_callback() {
            waited = callback.deadline - callback.created;
            self.measure_wait(callback);
            self.callbacks.push(CallbackWrite::Move {
                id: callback.id,
                state: CallbackState::Expired,
                received: None,
                status: None,
                digest: None,
            });
        }
        self.open(EntryKind::Due);
        self.fail(&words::expired(deadline, waited), None, Vec::new())?;
        self.finish()
    }

    /// A POST to a callback's URL.
    pub fn callback(
        mut self,
        id: CallbackId,
        status: u16,
        body: &[u8],
        digest: [u8; 32],
    ) -> Result<Transition, Refusal> {
        let callback = self.before.callbacks.iter().find(|callback| callback.id == id);
        let Some(callback) = callback else {
            return Err(Refusal { exit: 3, ..Refusal::refused("404", "no such callback") });
        };
        self.may_answer(callback, digest)?;
        let step = self.exchange()?;
        let Given { got, answer } = self.given(status, body)?;
        let early = if got.cut || got.binary { String::new() } else { got.body.clone() };
        self.measure_wait(callback);
        self.callbacks.push(CallbackWrite::Move {
            id,
            state: CallbackState::Received,
            received: Some(self.env.now),
            status: Some(status),
            digest: Some(digest),
        });
        let running = self.run.state == RunState::Running;
        let entry = self.open(EntryKind::Callback);
        entry.status = Some(status);
        entry.got = Some(got);
        if running {
            // The answer decides, if one comes.
            if !answer.outputs.is_empty() {
                entry.detail.outputs = Some(answer.outputs.clone());
            }
            self.frame.early = Some((status, early));
            self.frame.early_outputs = answer.outputs;
            self.step_state(StepState::Running);
        } else {
            self.run.cause = None;
            self.by_callback(step, answer)?;
        }
        self.finish()
    }

    /// Whether the callback can still be answered; if not, with which code.
    fn may_answer(&self, callback: &Callback, digest: [u8; 32]) -> Result<(), Refusal> {
        let gone = |why: &str| Err(Refusal::refused("410", format!("this callback {why}")));
        let here = callback.step == self.run.step;
        let newer = self
            .before
            .callbacks
            .iter()
            .any(|other| other.step == callback.step && other.attempt > callback.attempt);
        let moved_on = callback.attempt < self.run.attempt
            || callback.attempt < self.run.round
            || self.run.state == RunState::Retrying;
        let retried = newer || (here && moved_on);
        match callback.state {
            CallbackState::Expired => gone("expired"),
            CallbackState::Cancelled => gone("was cancelled"),
            _ if self.env.now >= callback.deadline => gone("expired"),
            _ if retried => gone("was replaced by a retry"),
            CallbackState::Received if callback.digest == Some(digest) => {
                Err(Refusal::refused("200", "the same answer came before"))
            }
            CallbackState::Received => Err(Refusal::refused("409", "another answer came before")),
            CallbackState::Pending
                if here
                    && matches!(
                        self.run.state,
                        RunState::Running | RunState::Waiting | RunState::Errored
                    ) =>
            {
                Ok(())
            }
            CallbackState::Pending => gone("is no longer waited for"),
        }
    }
}
