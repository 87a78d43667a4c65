//! What the header tells of jobs: those that are under way in this process, the one that ended
//! last, and those that wait for a person.

use crate::model::JobId;
use crate::model::change::{HaltedJob, JobEnd, JobFigures};
use crate::model::job::{JobState, JobView};
use crate::store::Job;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The board.
#[derive(Default)]
pub struct Board {
    shown: Mutex<Shown>,
    woken: Notify,
}

#[derive(Default)]
struct Shown {
    /// Objects, and those of which something became.
    running: BTreeMap<JobId, (u64, u64)>,
    ended: Option<JobEnd>,
    halted: Vec<HaltedJob>,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in how a job stands.
    pub(super) fn note(&self, job: &Job) {
        if job.state == JobState::Running {
            self.lock().running.insert(job.id, (job.total, job.done + job.refused));
        }
    }

    /// A job goes on no more.
    pub(super) fn ended(&self, job: JobId, view: &JobView) {
        let mut shown = self.lock();
        shown.running.remove(&job);
        let short = view.refused > 0 || matches!(view.state, JobState::Stopped | JobState::Halted);
        let id = view.id.clone();
        let said = format!("Job {}: {}", crate::model::id::short(&id), view.stands());
        shown.ended = Some(JobEnd { id, said, short });
    }

    /// The jobs that wait for a person, as the store has them now.
    pub(super) fn halted(&self, jobs: Vec<HaltedJob>) {
        self.lock().halted = jobs;
    }

    /// The header's figures.
    pub(in crate::desk) fn figures(&self) -> JobFigures {
        let shown = self.lock();
        JobFigures {
            running: shown.running.len() as u64,
            total: shown.running.values().map(|(total, _)| total).sum(),
            past: shown.running.values().map(|(_, past)| past).sum(),
            ended: shown.ended.clone(),
            halted: shown.halted.clone(),
        }
    }

    /// There is something to do.
    pub(super) fn wake(&self) {
        self.woken.notify_one();
    }

    /// Waits until there is.
    pub(super) async fn woken(&self) {
        self.woken.notified().await;
    }
}
