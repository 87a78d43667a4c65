//! What goes into the store as a request, what comes back, and what is handed on to the runner.

use crate::model::request::{DedupKey, Seed, Verdict};
use crate::model::run::{Run, RunState};
use crate::model::{RequestId, RunId};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// How the run of an accepted request is born.
#[derive(Debug)]
pub enum Birth {
    /// The first step may leave at once: the run is born leased, under this slot.
    Direct(OwnedSemaphorePermit),
    /// A runner will find it.
    Fresh,
    /// It waits in the store for its turn: its flow bounds its runs, or is paused and holds them.
    Parked,
    /// The flow has no steps: its run is born `succeeded`.
    Done,
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
    /// A person wants a new run of a stored request (or of an edited payload): no key, a parent.
    Replay {
        /// The request's earlier run.
        parent: Option<RunId>,
        /// The stored request, where its payload is unchanged; a new one is stored where not.
        of: Option<RequestId>,
    },
    /// The trigger's `when` is false.
    Filter {
        /// In words.
        cause: String,
    },
    /// Refused.
    Refuse {
        /// HTTP status.
        status: u16,
        /// In words.
        cause: String,
    },
}

/// What became of it; sent after the commit that makes it true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The stored request.
    pub request: RequestId,
    /// accepted, duplicate, filtered or rejected.
    pub verdict: Verdict,
    /// Its run and the run's state at the commit.
    pub run: Option<(RunId, RunState)>,
    /// The first request with its key.
    pub duplicate_of: Option<RequestId>,
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
    pub slot: Option<OwnedSemaphorePermit>,
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
