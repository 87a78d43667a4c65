//! What goes into the store as a request, what comes back, and what is handed on to the runner.

use crate::model::request::{DedupKey, Seed, Verdict};
use crate::model::run::{Run, RunState};
use crate::model::view::AnswerView;
use crate::model::{RequestId, RunId};
#[cfg(test)]
use crate::rules::answer;
use crate::rules::lane::Rule;
use crate::rules::plan::Plan;
use crate::scheduler::Slot;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use tokio::sync::mpsc;

/// How the run of an accepted request is born.
#[derive(Debug)]
pub enum Birth {
    /// The first step may leave at once: the run is born leased, under this slot.
    Direct(Slot),
    /// A runner will find it.
    Fresh,
    /// It waits in the store for its turn: its flow bounds its runs, or is paused and holds them.
    Parked,
    /// The flow has no steps: its run is born `succeeded`.
    Done,
}

/// How runs are born that do not leave at once: those of a request that is split, or sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Launch {
    /// As [`Birth::Fresh`].
    Fresh,
    /// As [`Birth::Parked`].
    Parked,
    /// As [`Birth::Done`].
    Done,
}

impl Launch {
    /// How runs of a plan are born, under the rule of its lane. What waits for its turn is found in
    /// the store; a flow without steps needs none, unless it is held.
    #[must_use]
    pub fn of(plan: &Plan, lane: Option<Rule>) -> Self {
        match (plan.flow.steps.is_empty(), lane) {
            (_, Some(Rule { held: true, .. })) | (false, Some(_)) => Self::Parked,
            (true, _) => Self::Done,
            (false, None) => Self::Fresh,
        }
    }
}

impl Birth {
    /// The state that a run is born in.
    #[must_use]
    pub fn state(&self) -> RunState {
        match self {
            Self::Direct(_) => RunState::Running,
            Self::Fresh | Self::Parked => RunState::Queued,
            Self::Done => RunState::Succeeded,
        }
    }
}

impl From<Launch> for Birth {
    fn from(launch: Launch) -> Self {
        match launch {
            Launch::Fresh => Self::Fresh,
            Launch::Parked => Self::Parked,
            Launch::Done => Self::Done,
        }
    }
}

/// A request to be stored.
#[derive(Debug)]
pub struct Accept {
    /// What arrived.
    pub seed: Arc<Seed>,
    /// What was judged so far.
    pub judgement: Judgement,
}

/// What the receiver judged; the writer judges duplicates.
#[derive(Debug)]
pub enum Judgement {
    /// Everything before dedup passed.
    Admit {
        /// Its dedup key.
        key: Option<DedupKey>,
        /// How its run is born.
        birth: Birth,
    },
    /// As [`Judgement::Admit`], with a run for each element of an array of the body.
    Split {
        /// Its dedup key.
        key: Option<DedupKey>,
        /// How many there are; of none the request is kept, without a run.
        elements: u32,
        /// How its runs are born.
        launch: Launch,
    },
    /// A person wants new runs of a stored request (or of an edited payload): no key, parents.
    Replay {
        /// The stored request, where its payload is unchanged; a new one is stored where not.
        of: Option<RequestId>,
        /// The new runs: one, or one for each element.
        runs: Vec<Again>,
        /// How they are born.
        launch: Launch,
    },
    /// A stored request that was rejected passed when it was judged again. Where it is a duplicate by
    /// now, or no longer rejected, nothing is written.
    Readmit {
        /// The stored request.
        of: RequestId,
        /// Its dedup key.
        key: Option<DedupKey>,
        /// A run for each of so many elements; `None` for the one run of a flow that does not split.
        elements: Option<u32>,
        /// How its runs are born.
        launch: Launch,
    },
    /// The trigger's `when` is false.
    Filter {
        /// In words.
        cause: String,
    },
    /// Refused.
    Refuse {
        /// What the sender is told; `Pointsman-Request-Id` is not yet on it.
        told: Box<AnswerView>,
        /// In words.
        cause: String,
        /// What else the operator can be shown, as JSON; no secret is in it.
        detail: Option<String>,
    },
}

#[cfg(test)]
impl Judgement {
    /// A refusal with a status and a cause that the sender is told too.
    pub(crate) fn refused(status: u16, cause: &str) -> Self {
        let status = http::StatusCode::from_u16(status).unwrap();
        let told = Box::new(answer::view(&answer::problem(status, cause, None)));
        Self::Refuse { told, cause: cause.to_owned(), detail: None }
    }
}

/// A run of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Again {
    /// The request's earlier run, of the same element.
    pub parent: Option<RunId>,
    /// The element that it is of.
    pub element: Option<u32>,
}

/// What became of it; sent after the commit that makes it true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The stored request.
    pub request: RequestId,
    /// accepted, duplicate, filtered or rejected.
    pub verdict: Verdict,
    /// Its run and the run's state at the commit; the first one where there are several.
    pub run: Option<(RunId, RunState)>,
    /// All runs of a split request, in the order of its elements; `None` for one that is not split.
    pub split: Option<Vec<(RunId, RunState)>>,
    /// The first request with its key.
    pub duplicate_of: Option<RequestId>,
}

impl Admitted {
    /// Its runs and their states at the commit.
    #[must_use]
    pub fn runs(&self) -> &[(RunId, RunState)] {
        self.split.as_deref().unwrap_or(self.run.as_slice())
    }
}

/// A committed run on its way to the runner, with all that its first step needs.
#[derive(Debug)]
pub struct Born {
    /// Its row as committed.
    pub run: Run,
    /// Its request.
    pub request: RequestId,
    /// What arrived.
    pub seed: Arc<Seed>,
    /// The slot of a run that was born leased.
    pub slot: Option<Slot>,
}

/// The receiving end of the hand-over from writer to runner.
#[derive(Debug)]
pub struct Handover {
    /// The runs of a commit.
    pub queue: mpsc::Receiver<Vec<Born>>,
    /// The smallest id that did not fit into the queue, `i64::MAX` for none: the runner reads on
    /// from the store there. Runs that were born leased always fit.
    pub dropped_from: Arc<AtomicI64>,
}
