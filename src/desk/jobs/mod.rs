//! Jobs: verbs on many, done piece by piece. Here they are started, told of and stopped; `work` does
//! them, `resume` lets those go on that stopped themselves, `board` holds what the header tells of those under way.

mod board;
mod resume;
mod work;

pub use board::Board;

use super::Desk;
use super::verbs::{Chosen, Target, count};
use crate::model::ask::{Act, Answer, Done, Refusal, Verb, Who};
use crate::model::id::{Kind, Typed as _, short};
use crate::model::job::{JobState, JobView, PieceView, failures};
use crate::model::time::rfc3339;
use crate::model::{CallbackId, JobId};
use crate::store::{Job, JobOrder, NewPiece, PieceRow};

/// Rows of a page, and jobs that may be under way.
const PAGE: u32 = 1_000;
/// Jobs that may wait for their end at once.
const OPEN: usize = 64;

impl Desk {
    /// Makes a job of an act on many: what was chosen, and nothing that comes later.
    pub(super) async fn start_job(&self, who: &Who, act: Act, chosen: Chosen) -> Result<Answer, Refusal> {
        if chosen.targets.is_empty() {
            return Err(Refusal::not_found(format!("there is nothing to {}", act.verb.word())));
        }
        if self.deps.store.open_jobs().await?.len() >= OPEN {
            return Err(Refusal::refused(
                "too_many",
                format!("{OPEN} jobs are under way: wait for one, or stop one with pointsman jobs stop ID"),
            ));
        }
        let reason = act.reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        let Act { verb, rate, stop_after, .. } = act;
        let objects = count(chosen.targets.len() as u64, verb.object());
        let mut detail = format!("Started a job: {} of {objects}", verb.word());
        if let Some(filter) = &chosen.filter {
            detail = format!("{detail} by filter {filter}");
        }
        if let Some(rate) = rate {
            detail = format!("{detail}, at {rate}");
        }
        if let Some(many) = stop_after {
            detail = format!("{detail}, until {}", failures(many));
        }
        if let Some(options) = super::verbs::options(&verb) {
            detail = format!("{detail}, with {options}");
        }
        let pieces = chosen.targets.iter().map(|target| piece(*target, chosen.seq(*target))).collect();
        let order = JobOrder { who: who.clone(), verb, filter: chosen.filter, reason, rate, stop_after };
        let detail = super::trail::cut(&format!("{detail}.")).to_owned();
        let job = self.deps.store.new_job(order, pieces, &detail).await?;
        self.board.note(&job);
        self.board.wake();
        Ok(Answer::Job(Box::new(self.job_view(job))))
    }

    /// Jobs, newest first.
    pub(super) async fn jobs(&self, before: Option<&str>, limit: u32) -> Result<Answer, Refusal> {
        let before = before.map(|id| {
            self.deps
                .store
                .ids()
                .parse::<JobId>(id)
                .ok_or_else(|| Refusal::usage(format!("{id:?} is no id of a job")))
        });
        let limit = bounded(limit);
        let jobs = self.deps.store.jobs(before.transpose()?, limit).await?;
        let jobs: Vec<JobView> = jobs.into_iter().map(|job| self.job_view(job)).collect();
        let next = jobs.last().filter(|_| jobs.len() == limit as usize).map(|job| job.id.clone());
        Ok(Answer::Jobs { jobs, next })
    }

    /// One job.
    pub(super) async fn job(&self, id: &str) -> Result<Answer, Refusal> {
        let job = self.found(id).await?;
        let reasons = self.deps.store.refusals_of(job.id).await?;
        let outcomes = self.deps.store.outcomes_of(job.id, &job.order).await?;
        Ok(Answer::Job(Box::new(JobView { reasons, outcomes, ..self.job_view(job) })))
    }

    /// The objects of a job.
    pub(super) async fn pieces(&self, id: &str, from: u32, limit: u32) -> Result<Answer, Refusal> {
        let job = self.found(id).await?;
        let limit = bounded(limit);
        let rows = self.deps.store.pieces(job.id, from, limit).await?;
        let next = rows.last().filter(|_| rows.len() == limit as usize).map(|row| row.piece.at + 1);
        let pieces = rows.into_iter().map(|row| self.piece_view(row)).collect();
        Ok(Answer::Pieces { pieces, next })
    }

    /// Stops a job.
    pub(super) async fn stop_job(
        &self,
        who: &Who,
        id: &str,
        reason: Option<&str>,
        dry_run: bool,
    ) -> Result<Answer, Refusal> {
        let job = self.found(id).await?;
        let ended = |state: JobState| {
            let message = format!("stop is not possible: the job is {}", state.word());
            Refusal::refused("ended", message)
        };
        if !matches!(job.state, JobState::Running | JobState::Halted) {
            return Err(ended(job.state));
        }
        let text = self.deps.store.ids().print(job.id);
        let object = job.order.verb.object();
        let said = |done: u64, left: u64, does: &str| {
            format!(
                "{does} job {}, {} of {}: {} done, {} left as they are.",
                short(&text),
                job.order.verb.word(),
                count(job.total, object),
                crate::text::count(done),
                crate::text::count(left)
            )
        };
        if dry_run {
            let lines = vec![said(job.done, job.left(), "Would stop")];
            return Ok(Answer::Done(Done { lines, refused: false }));
        }
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        let detail = format!("Stopped the job: {} of {}.", job.order.verb.word(), count(job.total, object));
        if !self.deps.store.stop_job(job.id, who, reason.map(super::trail::cut), &detail).await? {
            return Err(ended(JobState::Done));
        }
        // What was under way when it was stopped counts too.
        let now = self.deps.store.job(job.id).await?.unwrap_or_else(|| job.clone());
        self.board.wake();
        Ok(Answer::Done(Done { lines: vec![said(now.done, now.left(), "Stopped")], refused: false }))
    }

    async fn found(&self, id: &str) -> Result<Job, Refusal> {
        let id: JobId = self.deps.store.resolve(id).await?;
        let unknown = || Refusal::not_found(format!("there is no job {}", self.deps.store.ids().print(id)));
        self.deps.store.job(id).await?.ok_or_else(unknown)
    }

    fn job_view(&self, job: Job) -> JobView {
        let left = job.left();
        let Job { id, order, state, total, done, refused, ended, stopped_by } = job;
        let JobOrder { who, verb, filter, reason, rate, stop_after } = order;
        JobView {
            id: self.deps.store.ids().print(id),
            time: rfc3339(id.time()),
            who: who.name,
            door: who.door,
            verb: verb.word().to_owned(),
            object: verb.object().word().to_owned(),
            options: without_secrets(verb),
            filter,
            reason,
            rate,
            stop_after,
            state,
            total,
            done,
            refused,
            left,
            reasons: Vec::new(),
            outcomes: None,
            ended: ended.map(rfc3339),
            stopped_by,
        }
    }

    fn piece_view(&self, row: PieceRow) -> PieceView {
        let ids = self.deps.store.ids();
        PieceView {
            at: row.piece.at,
            kind: row.object.kind.word().to_owned(),
            id: ids.print_raw(row.object.kind, row.object.object),
            state: row.state,
            said: row.said,
            run: row.run.map(|run| ids.print(run)),
        }
    }

    /// The object of a piece; `None` where it is gone.
    async fn object(&self, piece: &NewPiece) -> Result<Option<Target>, Refusal> {
        use crate::model::{RequestId, RunId};
        Ok(match piece.kind {
            Kind::Request => Some(Target::Request(RequestId(piece.object))),
            Kind::Run => Some(Target::Run(RunId(piece.object))),
            _ => {
                let id = CallbackId(piece.object);
                self.deps.store.callback(id).await?.map(|callback| Target::Callback(id, callback.run))
            }
        })
    }
}

fn bounded(limit: u32) -> u32 {
    if limit == 0 { PAGE } else { limit.min(PAGE) }
}

fn piece(target: Target, seq: Option<i64>) -> NewPiece {
    match target {
        Target::Request(id) => NewPiece { kind: Kind::Request, object: id.raw(), seq: None },
        Target::Run(id) => NewPiece { kind: Kind::Run, object: id.raw(), seq },
        Target::Callback(id, _) => NewPiece { kind: Kind::Callback, object: id.raw(), seq: None },
    }
}

/// A verb as lists show it: the query of a URL may hold a secret.
fn without_secrets(verb: Verb) -> Verb {
    match verb {
        Verb::Replay(mut how) => {
            how.to = how.to.as_deref().map(crate::rules::forward::shown);
            Verb::Replay(how)
        }
        other => other,
    }
}
