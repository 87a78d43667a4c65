//! Jobs that stopped themselves after failures in a row: who waits for a person, and what lets them
//! go on.

use super::super::Desk;
use super::super::verbs::count;
use crate::model::ask::{Answer, Done, Refusal, Who};
use crate::model::change::HaltedJob;
use crate::model::id::short;
use crate::model::job::JobState;
use crate::store::Job;

impl Desk {
    /// Reads which jobs wait for a person; what was known before stays where the store is not to be had.
    pub(in crate::desk) async fn note_halted(&self) {
        let most = u32::try_from(HaltedJob::SHOWN).unwrap_or(u32::MAX);
        if let Ok(jobs) = self.deps.store.halted_jobs(most).await {
            self.board.halted(jobs.iter().map(|job| self.halted_view(job)).collect());
        }
    }

    fn halted_view(&self, job: &Job) -> HaltedJob {
        let verb = &job.order.verb;
        HaltedJob {
            id: self.deps.store.ids().print(job.id),
            what: format!("{} of {}", verb.word(), count(job.total, verb.object())),
            who: job.order.who.name.clone(),
            at: job.ended.unwrap_or_else(|| job.id.time()),
            failures: job.order.stop_after.unwrap_or_default(),
            left: job.left(),
        }
    }

    /// Lets a job go on that stopped itself.
    pub(in crate::desk) async fn resume_job(
        &self,
        who: &Who,
        id: &str,
        reason: Option<&str>,
        dry_run: bool,
    ) -> Result<Answer, Refusal> {
        let job = self.found(id).await?;
        let not_halted = |state: JobState| {
            let message = format!("resume is not possible: the job is {}", state.word());
            Refusal::refused("not_halted", message)
        };
        if job.state != JobState::Halted {
            return Err(not_halted(job.state));
        }
        let verb = &job.order.verb;
        let goes_on = format!(
            "job {}: {} of {} goes on with the {} left",
            short(&self.deps.store.ids().print(job.id)),
            verb.word(),
            count(job.total, verb.object()),
            crate::text::count(job.left())
        );
        if dry_run {
            let lines = vec![format!("Would resume {goes_on}.")];
            return Ok(Answer::Done(Done { lines, refused: false }));
        }
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        let detail = format!("Resumed {goes_on}.");
        let reason = reason.map(super::super::trail::cut);
        if !self.deps.store.resume_job(job.id, who, reason, &detail).await? {
            return Err(not_halted(JobState::Running));
        }
        self.board.wake();
        Ok(Answer::Done(Done { lines: vec![detail], refused: false }))
    }
}
