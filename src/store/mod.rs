//! The only memory, and the only SQL: rows in the same transaction as the journal entry that explains them.
//!
//! One thread writes (`writer`): it takes what waits in its queue, judges duplicates, binds rows,
//! commits once for all, and only then answers. Four connections read (`pool`). A third thread
//! (`tender`) wakes once a second for what nobody asks for: watermarks, free disk, retention.

mod admission;
pub mod alerts;
mod answer;
pub mod apply;
mod arrivals;
pub mod backup;
mod beat;
mod captures;
mod claims;
pub mod clock;
mod codec;
mod commit;
pub mod config;
mod credentials;
mod dedup;
mod doctor;
mod drift;
mod edits;
mod equipment;
mod error;
mod figures;
mod follow;
mod health;
mod ids;
mod jobs;
mod lanes;
mod ledger;
mod lines;
mod links;
mod lock;
mod moves;
mod occasion;
mod open;
mod operators;
mod overview;
mod pool;
mod pulse;
mod purge;
mod query;
mod queue;
mod records;
mod recover;
mod refusals;
pub mod registry;
mod schedules;
mod schema;
mod series;
pub mod sketch;
mod state;
mod tally;
mod targets;
mod tender;
mod told;
mod trail;
mod tried;
mod waiters;
mod writer;

pub use admission::{Accept, Admitted, Again, Birth, Born, Handover, Judgement, Launch};
pub use claims::FreshRow;
pub use edits::{EDITS, Edit};
pub use equipment::Equipment;
pub use error::{OpenError, StoreError};
pub use jobs::{Job, JobOrder, NewPiece, Piece, PieceRow, Refused};
pub use lanes::{Due, Holders};
pub use lines::Gate;
#[cfg(test)]
pub use lines::OpenGate;
pub use occasion::Occasion;
pub use query::RequestStatus;
pub use queue::{Claim, KeyEntry};
pub use tried::Remembered;
pub use waiters::{Told, Waiting};

use crate::feed::Feed;
use crate::model::change::Change;
use crate::model::request::StoredRequest;
use crate::model::run::{Callback, Entry, Frame, Run};
use crate::model::settings::Limits;
use crate::model::view::AnswerView;
use crate::model::{FlowId, IdKey, Ms, RequestId, RunId};
use crate::rules::advance::{Transition, claims_plainly};
use clock::Clock;
use queue::Item;
use rusqlite::{Connection, Transaction};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
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
    ids: Arc<ids::Ids>,
    /// `node << 32 | epoch`.
    owner: i64,
    /// Readers.
    pool: Arc<pool::Pool>,
    /// To the writer.
    queue: queue::Queue,
    /// What the writer shares.
    links: links::Links,
    /// The configuration in memory.
    pub(in crate::store) registry: registry::Registry,
    /// Whom steps send to.
    targets: targets::Targets,
    /// Changes of the configuration that memory may not know yet.
    changing: occasion::Changing,
    /// Ends the tender.
    stop: tender::Stop,
    /// What is let go at the end; taken by the first who closes.
    held: Mutex<Option<open::Held>>,
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
    F: FnOnce(&Transaction<'_>, &mut state::State, &mut state::Batch) -> rusqlite::Result<T> + Send,
{
    fn run(
        &mut self,
        tx: &Transaction<'_>,
        state: &mut state::State,
        batch: &mut state::Batch,
    ) -> rusqlite::Result<()> {
        if let Some(f) = self.f.take() {
            self.got = Some(f(tx, state, batch)?);
        }
        batch.changes.append(&mut self.changes);
        Ok(())
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
        self.write_runs(changes, move |tx, _, _| f(tx)).await
    }

    /// As [`Store::write`], for what begins runs too.
    async fn write_runs<T: Send + 'static>(
        &self,
        changes: Vec<Change>,
        f: impl FnOnce(&Transaction<'_>, &mut state::State, &mut state::Batch) -> rusqlite::Result<T>
        + Send
        + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let task = Task { f: Some(f), got: None, changes, reply };
        self.inner.queue.send(Item::Job { job: Box::new(task), always: false })?;
        answer.await.map_err(|_| StoreError::closed())?
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

    /// Why a request would be answered 503 now: stopping, starting, disk low, queue full, store down.
    #[must_use]
    pub fn refuses(&self) -> Option<String> {
        self.takes_no_writes().or_else(|| self.queue_full())
    }

    /// Why nothing can be committed now, not even a refusal: stopping, starting, disk low, store
    /// down, the writer's queue full. Cheap: it is asked for every request.
    #[must_use]
    pub fn takes_no_writes(&self) -> Option<String> {
        let links = &self.inner.links;
        if let Some(why) = links.health.why() {
            return Some(why);
        }
        (links.waiting.percent() >= 100).then(|| "the writer's queue is full".to_owned())
    }

    /// That as many runs wait as may. The store is well then: refusals are stored. Cheap as well.
    #[must_use]
    pub fn queue_full(&self) -> Option<String> {
        let queued = self.inner.links.health.queue();
        (queued >= self.inner.limits.queue).then(|| format!("the queue is full: {queued} runs wait"))
    }

    /// Whether requests crowd in: four and more waited for their commit, on average of the last
    /// times that this was asked. Then accepting goes before running. Cheap: it is asked for every
    /// request.
    #[must_use]
    pub fn crowded(&self) -> bool {
        self.inner.links.waiting.crowded()
    }

    /// Stores a request; the answer comes after the commit.
    ///
    /// `None` where the writer's queue (8,192 items, 64 MiB) is full: that is a 503. For a refusal
    /// `None` says that it was counted and not stored (over 20 a second of its flow, or the queue is
    /// half full): it has no id, and is answered with its own status.
    pub fn accept(&self, accept: Accept) -> Option<oneshot::Receiver<Result<Admitted, StoreError>>> {
        if let Judgement::Refuse { cause, .. } = &accept.judgement {
            let (flow, links) = (accept.seed.flow, &self.inner.links);
            if !links.refusals.may_store(flow, self.inner.clock.now(), links.waiting.percent()) {
                self.count_refusal(flow, cause);
                return None;
            }
        }
        self.inner.queue.accept(accept, None, None)
    }

    /// Stores a request as a piece of a job: the piece is done where a run came of it, in the same
    /// transaction; one that is not left is refused, and nothing is stored.
    ///
    /// `None` as for [`Store::accept`].
    pub fn accept_piece(
        &self,
        accept: Accept,
        piece: Option<Piece>,
    ) -> Option<oneshot::Receiver<Result<Admitted, StoreError>>> {
        self.inner.queue.accept(accept, None, piece)
    }

    /// Stores a request whose sender waits for what becomes of it: the second answer comes after the
    /// commit that ends its runs, or gives an answer. Nobody is held up who goes away before.
    ///
    /// `None` as for [`Store::accept`].
    pub fn accept_waiting(
        &self,
        accept: Accept,
    ) -> Option<(oneshot::Receiver<Result<Admitted, StoreError>>, Waiting)> {
        let (seat, waiting) = self.inner.links.waiters.wait();
        self.inner.queue.accept(accept, Some(seat), None).map(|answer| (answer, waiting))
    }

    /// Notes what a sender that waited was told, for those who look at its request later; `None` where
    /// the journal has the answer. Nobody waits for it, and a crash before its commit loses the note
    /// alone.
    pub fn note_told(&self, request: RequestId, status: u16, answer: Option<AnswerView>) {
        let answer = answer.map(Box::new);
        let _ = self.inner.queue.send(Item::Told { request, status, answer });
    }

    /// Counts a refusal that is not stored. It is written within a second.
    pub fn count_refusal(&self, flow: FlowId, cause: &str) {
        let links = &self.inner.links;
        let mut tally = links.tally();
        tally.unwritten += 1;
        tally.last_unwritten = self.inner.clock.now();
        links.refusals.count(flow, cause, false);
    }

    /// Commits a transition under its guard.
    ///
    /// A run that would be found by nobody (open, without `due`, older than the scan after a crash
    /// goes back) is given a `due`; so the row may differ from the transition's in that column.
    ///
    /// # Errors
    /// [`StoreError::Stale`] where the row has moved on.
    pub async fn commit(&self, transition: Transition) -> Result<(), StoreError> {
        self.commit_piece(transition, None).await
    }

    /// Commits a transition as a piece of a job: both or neither.
    ///
    /// # Errors
    /// As [`Store::commit`]; [`StoreError::Refused`] where the piece is not left.
    pub async fn commit_piece(&self, transition: Transition, piece: Option<Piece>) -> Result<(), StoreError> {
        self.ask(|reply| Item::Move { transition: Box::new(transition), piece, reply }).await
    }

    async fn ask<T>(&self, item: impl FnOnce(queue::Reply<T>) -> Item) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.inner.queue.send(item(reply))?;
        answer.await.map_err(|_| StoreError::closed())?
    }

    /// Whether a claim is all that precedes the run's next exchange.
    fn sends_plainly(&self, run: &Run) -> bool {
        self.plan(run.flow, run.version).is_some_and(|plan| claims_plainly(&plan, run.step, run.attempt))
    }

    /// Claims runs as they were read (fresh ones from the hand-over or [`Store::fresh_from`]): state
    /// running, fence and attempt raised. Those that have moved on since are left out. A fresh run
    /// keeps its empty `due`: it stays out of the index for its first ten seconds.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn claim(&self, claims: Vec<Claim>) -> Result<Vec<Run>, StoreError> {
        if claims.is_empty() {
            return Ok(Vec::new());
        }
        self.ask(|reply| Item::Claim { claims, reply }).await
    }

    /// Sets the end of leases of running runs that this process still holds. A run that is running
    /// for ten seconds without a lease is given one of [`LEASE`] by the store itself.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn renew(&self, runs: Vec<RunId>, until: Ms) -> Result<(), StoreError> {
        self.ask(|reply| Item::Renew { runs, until, reply }).await
    }

    /// Signalled when a commit made a run due, or due earlier.
    #[must_use]
    pub fn due_signal(&self) -> Arc<Notify> {
        Arc::clone(&self.inner.links.due)
    }

    /// Looks a dedup key up as the judge sees it, whatever its window; `None` for a key that was
    /// never seen, or forgotten, or dropped after it lapsed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn dedup_entry(&self, key: [u8; 16]) -> Result<Option<KeyEntry>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.inner.queue.send(Item::Lookup { key, reply })?;
        answer.await.map_err(|_| StoreError::closed())
    }

    /// Forgets a dedup key, durably; whether it was there. As a piece of a job it is done then, in the
    /// same transaction.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::Refused`] where the piece is not left.
    pub async fn forget_key(&self, key: [u8; 16], piece: Option<Piece>) -> Result<bool, StoreError> {
        self.ask(|reply| Item::Forget { key, piece, reply }).await
    }

    /// Takes no more requests, commits what is under way, checkpoints, closes the file and lets the
    /// data folder go. Other handles answer [`StoreError::Down`] from now on.
    pub async fn close(&self) {
        self.inner.links.health.set(health::STOPPING, true);
        let Some(held) = self.inner.take_held() else { return };
        self.inner.stop.stop();
        self.inner.pool.close().await;
        let (done, closed) = oneshot::channel();
        if self.inner.queue.send(Item::Close(done)).is_ok() {
            let _ = closed.await;
        }
        let _ = tokio::task::spawn_blocking(move || drop(held)).await;
    }
}

#[cfg(test)]
mod tests;
