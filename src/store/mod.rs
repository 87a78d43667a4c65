//! The only memory, and the only SQL: rows in the same transaction as the journal entry that
//! explains them.
//!
//! One thread writes ([`writer`]): it takes what waits in its queue, judges duplicates, binds rows,
//! commits once for all, and only then answers. Four connections read ([`pool`]). A third thread
//! ([`tender`]) wakes once a second for what nobody asks for: watermarks, free disk, retention.

mod admission;
pub mod apply;
pub mod clock;
pub mod config;
mod error;
mod ids;
mod lock;
mod pool;
mod query;
mod queue;
pub mod registry;
mod schema;

pub use admission::{Accept, Admitted, Birth, Born, Handover, Judgement};
pub use error::{OpenError, StoreError};
pub use queue::{Claim, KeyEntry};

use crate::feed::Feed;
use crate::model::change::Change;
use crate::model::request::StoredRequest;
use crate::model::run::{Callback, Entry, Frame, Run};
use crate::model::settings::Limits;
use crate::model::{CallbackId, IdKey, Ms, RequestId, RunId};
use crate::rules::advance::Transition;
use clock::Clock;
use rusqlite::{Connection, Transaction};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Notify, oneshot};

/// How long a claim holds before somebody else may take the run.
pub const LEASE: Ms = 30_000;

/// Handle to the store: cheap to clone, safe to share.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("file", &self.inner.file).finish_non_exhaustive()
    }
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
    /// What engine time is made of.
    pub clock: Clock,
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

/// What all handles share.
pub(in crate::store) struct Inner {
    /// The database file.
    pub(in crate::store) file: PathBuf,
    /// Bounds.
    pub(in crate::store) limits: Limits,
    /// Where changes go.
    pub(in crate::store) feed: Feed,
    /// What an endpoint's URL begins with.
    pub(in crate::store) public_url: String,
    /// Engine time.
    pub(in crate::store) clock: Clock,
    /// Prints and reads ids.
    pub(in crate::store) id_key: IdKey,
    /// Hands out ids.
    ids: ids::Ids,
    /// `node << 32 | epoch`.
    owner: i64,
    /// Readers.
    pool: pool::Pool,
    /// To the writer.
    queue: queue::Queue,
    /// The configuration in memory.
    pub(in crate::store) registry: registry::Registry,
}

/// A closure as a [`queue::Job`].
struct Task<T, F> {
    f: Option<F>,
    got: Option<T>,
    changes: Vec<Change>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> queue::Job for Task<T, F>
where
    T: Send,
    F: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        if let Some(f) = self.f.take() {
            self.got = Some(f(tx)?);
        }
        Ok(())
    }

    fn changes(&self) -> &[Change] {
        &self.changes
    }

    fn done(self: Box<Self>, result: Result<(), StoreError>) {
        let Self { got, reply, .. } = *self;
        let _ = reply.send(result.and_then(|()| got.ok_or_else(StoreError::closed)));
    }
}

impl Store {
    /// Reads on one of the reader connections, on a thread that may block. Keep it short: a read
    /// transaction holds the write-ahead log (at most 20 ms or 2,000 rows a call).
    ///
    /// # Errors
    /// [`StoreError::Down`] once the store is closed.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.inner.pool.permit().await?;
        let inner = Arc::clone(&self.inner);
        let work = move || {
            let result = inner.pool.read_here(f);
            drop(permit);
            result
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Broken(error.to_string()))?
    }

    /// Writes in a transaction of its own, as an item of the writer's queue: for what is rare
    /// (configuration, values, audit). `changes` go to the feed after the commit. Where `f` fails
    /// nothing of it is written.
    ///
    /// # Errors
    /// See [`StoreError`]; a constraint that does not hold is [`StoreError::Broken`].
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        changes: Vec<Change>,
        f: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let task = Task { f: Some(f), got: None, changes, reply };
        self.inner.queue.send(queue::Item::Job(Box::new(task)))?;
        answer.await.map_err(|_| StoreError::closed())?
    }

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
        &self.inner.id_key
    }

    /// Engine time: never goes back, within a process or over a restart.
    #[must_use]
    pub fn now(&self) -> Ms {
        self.inner.clock.now()
    }

    /// A fresh id integer (for callbacks and audit entries; the ids of runs come from the writer).
    #[must_use]
    pub fn fresh_id(&self) -> i64 {
        self.inner.ids.next(self.inner.clock.now())
    }

    /// `node << 32 | epoch` of this process.
    #[must_use]
    pub fn owner(&self) -> i64 {
        self.inner.owner
    }

    /// Why a request would be answered 503 now: stopping, disk low, queue full, store down.
    #[must_use]
    pub fn refuses(&self) -> Option<String> {
        todo!()
    }

    /// Stores a request; the answer comes after the commit. `None` where the writer's queue (8,192
    /// items, 64 MiB) is full: that is a 503.
    pub fn accept(&self, accept: Accept) -> Option<oneshot::Receiver<Result<Admitted, StoreError>>> {
        self.inner.queue.accept(accept)
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
    /// raised, lease until `now` + [`LEASE`]. Runs whose step has a callback or a `when`, or sends
    /// nothing, are claimed by [`Store::commit`] instead and are only listed here, unclaimed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn due(&self, _now: Ms, _limit: usize) -> Result<Vec<Run>, StoreError> {
        todo!()
    }

    /// Claims runs as they were read (fresh ones from the hand-over or [`Store::fresh_from`]): state
    /// running, fence and attempt raised. Those that have moved on since are left out. A run without
    /// `due` keeps none: it stays out of the index, and its lease is the process's own life.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn claim(&self, _claims: Vec<Claim>) -> Result<Vec<Run>, StoreError> {
        todo!()
    }

    /// What else is due: running runs whose lease lapsed (those of an earlier process at once), which
    /// are `Lost`, and waiting runs whose time came, which are `Due`. Nothing is claimed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn lost(&self, _now: Ms, _limit: usize) -> Result<Vec<Run>, StoreError> {
        todo!()
    }

    /// Sets the end of leases of running runs that this process still holds.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn renew(&self, _runs: Vec<RunId>, _until: Ms) -> Result<(), StoreError> {
        todo!()
    }

    /// When the next run is due (a retry, a deadline, a lease's end), if any is.
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

    /// Looks a dedup key up as the judge sees it, whatever its window; `None` for a key that was
    /// never seen, or forgotten, or dropped after it lapsed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn dedup_entry(&self, _key: [u8; 16]) -> Result<Option<KeyEntry>, StoreError> {
        todo!()
    }

    /// Forgets a dedup key, durably; whether it was there.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn forget_key(&self, _key: [u8; 16]) -> Result<bool, StoreError> {
        todo!()
    }

    /// Commits what is under way, checkpoints and closes.
    pub async fn close(&self) {
        todo!()
    }
}
