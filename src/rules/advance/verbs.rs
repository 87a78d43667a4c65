//! What people do to a run: retry, skip, abort.

use super::words::{WHEN_FALSE, not_possible, state_phrase};
use super::work::{Work, unbuilt};
use super::{Transition, each};
use crate::model::Map;
use crate::model::ask::Refusal;
use crate::model::run::{EntryKind, RunState, StepState};
use crate::rules::template::{self, StepData};

impl Work<'_> {
    /// A new attempt of the same step, with the definition of the plan that was given.
    pub fn retry(
        mut self,
        actor: String,
        reason: Option<String>,
        fresh_key: bool,
    ) -> Result<Transition, Refusal> {
        match self.run.state {
            RunState::Waiting | RunState::Retrying | RunState::Errored | RunState::Failed => {}
            state => return Err(not_possible("retry", state)),
        }
        let moved = self.move_to_plan()?;
        self.retry_items()?;
        self.cancel_callbacks();
        self.drop_early();
        self.run.fence += 1;
        self.run.round = self.run.attempt + 1;
        self.run.cause = None;
        self.run.ended = None;
        if fresh_key {
            self.frame.fresh_key = Some(self.run.round);
        }
        let fresh = fresh_key.then_some(self.run.round);
        let entry = self.open(EntryKind::Retry);
        entry.actor = Some(actor);
        entry.detail.reason = reason;
        entry.detail.fresh_key = fresh;
        entry.detail.moved = moved;
        if moved.is_some() {
            self.queue_moved()?;
        } else {
            self.step_state(StepState::Pending);
            self.queue();
        }
        self.finish()
    }

    /// The step is queued as another version has it: its `when` was not judged yet, and may leave it out.
    fn queue_moved(&mut self) -> Result<(), Refusal> {
        let (plan, at) = (self.plan, self.run.step as usize);
        let step = self.step()?;
        let judged = match &step.when {
            Some(_) if !each::judged_by_item(plan, at) => template::step_when(plan, at, self.context()),
            _ => Ok(true),
        };
        match judged {
            Ok(true) => {
                self.step_state(StepState::Pending);
                self.queue();
                Ok(())
            }
            Ok(false) => {
                let name = step.name.clone();
                if let Some(entry) = &mut self.entry {
                    entry.detail.cause = Some(WHEN_FALSE.to_owned());
                }
                self.step_state(StepState::Skipped);
                self.finished(&name, StepData::of(step, StepState::Skipped));
                self.after()
            }
            Err(error) => self.fail(&unbuilt(&error), None, Vec::new()),
        }
    }

    /// Finds the current step by name in the plan, and moves the run to the plan's version.
    fn move_to_plan(&mut self) -> Result<Option<(u32, u32)>, Refusal> {
        if self.plan.version == self.run.version {
            return Ok(None);
        }
        let name = &self.before.step_name;
        let found = self.plan.flow.steps.iter().position(|step| step.name == *name);
        let Some(at) = found.and_then(|at| u32::try_from(at).ok()) else {
            let version = self.plan.version;
            return Err(Refusal::refused(
                "gone",
                format!("retry is not possible: version {version} has no step {name}; replay it instead"),
            ));
        };
        let moved = (self.run.version, self.plan.version);
        self.run.version = self.plan.version;
        self.run.step = at;
        Ok(Some(moved))
    }

    /// The step ends `skipped`, and the run goes on.
    pub fn skip(
        mut self,
        actor: String,
        reason: Option<String>,
        stand_in: Option<Map>,
    ) -> Result<Transition, Refusal> {
        match self.run.state {
            RunState::Waiting | RunState::Retrying | RunState::Errored => {}
            state => return Err(not_possible("skip", state)),
        }
        let name = self.step()?.name.clone();
        self.run.fence += 1;
        self.run.cause = None;
        self.frame.with_skips = true;
        let entry = self.open(EntryKind::Skip);
        entry.actor = Some(actor);
        entry.detail.reason = reason;
        entry.detail.stand_in.clone_from(&stand_in);
        self.step_state(StepState::Skipped);
        let data = self.skipped_data(stand_in)?;
        self.finished(&name, data);
        self.frame.items = None;
        self.after()?;
        self.finish()
    }

    /// The run ends `aborted`: at once, or after the attempt that is under way.
    pub fn abort(mut self, actor: String, reason: Option<String>) -> Result<Transition, Refusal> {
        let state = self.run.state;
        match state {
            RunState::Queued | RunState::Waiting | RunState::Retrying | RunState::Errored => {}
            RunState::Running if self.frame.abort.is_none() => {}
            RunState::Running => {
                return Err(Refusal::refused(
                    "not_stopped",
                    "abort is not possible: it is aborted already, after the attempt under way",
                ));
            }
            ended => {
                return Err(Refusal::refused(
                    "ended",
                    format!("abort is not possible: the run {}", state_phrase(ended)),
                ));
            }
        }
        let entry = self.open(EntryKind::Abort);
        entry.actor = Some(actor.clone());
        entry.detail.reason.clone_from(&reason);
        if state == RunState::Running {
            self.frame.abort = Some((actor, reason));
            return self.finish();
        }
        // A step that had begun ends with the run; one that had not stays as it was.
        if state != RunState::Queued {
            self.step_state(StepState::Failed);
        }
        self.run.fence += 1;
        self.end(RunState::Aborted);
        self.finish()
    }
}
