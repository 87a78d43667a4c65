//! The only memory, and the only SQL: rows in the same transaction as the journal entry that
//! explains them.

pub mod registry;

use crate::feed::Feed;
use crate::model::request::{DedupKey, Seed, StoredRequest, Verdict};
use crate::model::run::{Callback, Entry, Frame, Run, RunState};
use crate::model::settings::Limits;
use crate::model::{CallbackId, IdKey, Ms, RequestId, RunId};
use crate::rules::advance::Transition;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc, oneshot};

/// Handle to the store: cheap to clone, safe to share.
#[derive(Clone)]
pub struct Store {
    #[allow(dead_code)]
    inner: Arc<()>,
}

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// Bounds.
    pub limits: Limits,
    /// Where changes go.
    pub feed: Feed,
    /// What an endpoint's URL begins with: `http://127.0.0.1:7700`.
    pub public_url: String,
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds it.
    #[error("the store in {folder} is held by process {pid} ({what})")]
    Held {
        /// The data folder.
        folder: String,
        /// The process.
        pid: u32,
        /// Its command line.
        what: String,
    },
    /// It was written by a newer program.
    #[error("the store has schema {found}, this program knows {known}: use a newer pointsman")]
    Newer {
        /// In the file.
        found: i64,
        /// In the program.
        known: i64,
    },
    /// Anything else.
    #[error("the store in {folder} cannot be opened: {why}")]
    Other {
        /// The data folder.
        folder: String,
        /// In words.
        why: String,
    },
}

/// Why a read or write failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The row changed since it was read: load again and decide again.
    #[error("the run changed meanwhile")]
    Stale,
    /// The store takes no writes now: disk full, read-only, stopping, an I/O error.
    #[error("{0}")]
    Down(String),
    /// A bug or a damaged file.
    #[error("{0}")]
    Broken(String),
}

/// How the run of an accepted request is born.
#[derive(Debug)]
pub enum Birth {
    /// The first step may leave at once: the run is born leased, under this slot.
    Direct(OwnedSemaphorePermit),
    /// A runner will find it.
    Fresh,
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
    /// from the store there.
    pub dropped_from: Arc<AtomicI64>,
}

/// A run with all that decides its next move.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Its row.
    pub run: Run,
    /// Its frame.
    pub frame: Frame,
    /// Its request.
    pub request: Option<Arc<StoredRequest>>,
    /// Its journal, oldest first.
    pub journal: Vec<Entry>,
    /// Its callbacks, oldest first.
    pub callbacks: Vec<Callback>,
}

impl Store {
    /// Opens (or makes) the store in a data folder and starts its writer.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(_folder: &Path, _options: Options) -> Result<(Self, Handover), OpenError> {
        todo!()
    }

    /// Prints and reads ids.
    #[must_use]
    pub fn ids(&self) -> &IdKey {
        todo!()
    }

    /// Engine time: never goes back, within a process or over a restart.
    #[must_use]
    pub fn now(&self) -> Ms {
        todo!()
    }

    /// A fresh id integer (for callbacks, audit entries, replays).
    #[must_use]
    pub fn fresh_id(&self) -> i64 {
        todo!()
    }

    /// `node << 32 | epoch` of this process.
    #[must_use]
    pub fn owner(&self) -> i64 {
        todo!()
    }

    /// Why a request would be answered 503 now: stopping, disk low, queue full, store down.
    #[must_use]
    pub fn refuses(&self) -> Option<String> {
        todo!()
    }

    /// Stores a request; the answer comes after the commit. `None` where the writer's queue (8,192
    /// items, 64 MiB) is full: that is a 503.
    pub fn accept(&self, _accept: Accept) -> Option<oneshot::Receiver<Result<Admitted, StoreError>>> {
        todo!()
    }

    /// Counts a refusal that is not stored.
    pub fn count_refusal(&self, _flow: crate::model::FlowId, _cause: &str) {
        todo!()
    }

    /// Commits a transition under its guard.
    ///
    /// # Errors
    /// [`StoreError::Stale`] where the row has moved on.
    pub async fn commit(&self, _transition: Transition) -> Result<(), StoreError> {
        todo!()
    }

    /// Claims up to `limit` queued or retrying runs that are due: state running, fence and attempt
    /// raised, lease until `until`. Steps with a callback are claimed by [`Store::commit`] instead
    /// and are only listed here, unclaimed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn due(&self, _now: Ms, _limit: usize) -> Result<Vec<Run>, StoreError> {
        todo!()
    }

    /// When the next run is due, if any is.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn next_due(&self) -> Result<Option<Ms>, StoreError> {
        todo!()
    }

    /// Fresh runs (queued, without `due`) from an id on, in order of arrival.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn fresh_from(&self, _from: i64, _limit: usize) -> Result<Vec<Run>, StoreError> {
        todo!()
    }

    /// Signalled when a commit made a run due, or due earlier.
    #[must_use]
    pub fn due_signal(&self) -> Arc<Notify> {
        todo!()
    }

    /// Loads a run.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn load(&self, _run: RunId) -> Result<Option<Loaded>, StoreError> {
        todo!()
    }

    /// Loads a callback.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn callback(&self, _id: CallbackId) -> Result<Option<Callback>, StoreError> {
        todo!()
    }

    /// Loads a request.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn request(&self, _id: RequestId) -> Result<Option<Arc<StoredRequest>>, StoreError> {
        todo!()
    }

    /// Commits what is under way, checkpoints and closes.
    pub async fn close(&self) {
        todo!()
    }
}
