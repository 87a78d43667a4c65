//! The writer's queue: what may be asked of it, and how much may wait.

use super::StoreError;
use super::admission::{Accept, Admitted};
use super::jobs::Piece;
use super::state::{Batch, State};
use super::waiters::Seat;
use crate::model::run::Run;
use crate::model::view::AnswerView;
use crate::model::{Ms, RequestId, RunId};
use crate::rules::advance::Transition;
use rusqlite::Transaction;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

/// Requests that may wait.
pub(super) const ITEMS: usize = 8_192;
/// Bytes of requests that may wait.
pub(super) const BYTES: usize = 64 << 20;

/// So many requests that wait for their commit, on average of late, are a crowd: more than a few
/// senders would have under way that wait for each answer.
const CROWD: usize = 4;

/// A write that is neither a request nor a transition: rare, and in a transaction of its own.
pub(super) trait Job: Send {
    /// Writes.
    fn run(&mut self, tx: &Transaction<'_>, state: &mut State, batch: &mut Batch) -> rusqlite::Result<()>;
    /// Answers, after the commit or the roll-back.
    fn done(self: Box<Self>, result: Result<(), StoreError>);
}

/// An answer that comes after the commit.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// An entry of the dedup table, for people: the first request and when its key was seen last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyEntry {
    /// The first request with the key.
    pub first: RequestId,
    /// When the key was last seen (`from = "last"`) or admitted (`from = "first"`).
    pub last_seen: Ms,
}

/// A run to be claimed as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Which.
    pub run: RunId,
    /// Its `seq` when it was read: nothing is claimed where it has moved on.
    pub seq: i64,
    /// End of the lease.
    pub until: Ms,
}

/// What the writer does, in the order of the queue.
pub(super) enum Item {
    /// Stores a request; `seat` where its sender waits, `piece` where it is one of a job.
    Accept { accept: Accept, bytes: usize, seat: Option<Seat>, piece: Option<Piece>, reply: Reply<Admitted> },
    /// Commits a transition, which may be a piece of a job.
    Move { transition: Box<Transition>, piece: Option<Piece>, reply: Reply<()> },
    /// Claims runs; answers those it got.
    Claim { claims: Vec<Claim>, reply: Reply<Vec<Run>> },
    /// Sets the end of leases, where this process still holds them.
    Renew { runs: Vec<RunId>, until: Ms, reply: Reply<()> },
    /// Once a second.
    Beat,
    /// Forgets a dedup key; answers whether it was there.
    Forget { key: [u8; 16], piece: Option<Piece>, reply: Reply<bool> },
    /// Looks a dedup key up.
    Lookup { key: [u8; 16], reply: oneshot::Sender<Option<KeyEntry>> },
    /// Notes what a sender was told. Nobody waits for it: it goes with the next commit.
    Told { request: RequestId, status: u16, answer: Option<Box<AnswerView>> },
    /// Anything else; `always` also while the store rests after a failed commit.
    Job { job: Box<dyn Job>, always: bool },
    /// Drains, checkpoints and ends.
    Close(oneshot::Sender<()>),
}

/// How much waits.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    items: AtomicUsize,
    bytes: AtomicUsize,
    /// Requests that waited of late, in 1,024ths.
    of_late: AtomicUsize,
}

impl Waiting {
    /// Takes room for a request; `false` where there is none.
    fn take(&self, bytes: usize) -> bool {
        if self.items.fetch_add(1, Ordering::Relaxed) >= ITEMS {
            self.items.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before > 0 && before + bytes > BYTES {
            self.give(bytes);
            return false;
        }
        true
    }

    /// Gives room back.
    pub(super) fn give(&self, bytes: usize) {
        self.items.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether requests crowd in; looks once more how many wait. The newest look counts for a 32nd.
    pub(super) fn crowded(&self) -> bool {
        let of_late = self.of_late.load(Ordering::Relaxed);
        let of_late = of_late - of_late / 32 + self.items.load(Ordering::Relaxed) * 32;
        self.of_late.store(of_late, Ordering::Relaxed);
        of_late >= CROWD * 1_024
    }

    /// How full it is, in percent of the tighter bound.
    pub(super) fn percent(&self) -> usize {
        let items = self.items.load(Ordering::Relaxed) * 100 / ITEMS;
        let bytes = self.bytes.load(Ordering::Relaxed) / (BYTES / 100);
        items.max(bytes)
    }
}

/// The sending end.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    sender: Sender<Item>,
    waiting: Arc<Waiting>,
}

/// Bytes of a request beside its body and headers.
const OVERHEAD: usize = 512;

impl Queue {
    /// A queue and its receiving end.
    pub(super) fn new() -> (Self, Receiver<Item>) {
        let (sender, receiver) = channel();
        (Self { sender, waiting: Arc::default() }, receiver)
    }

    /// How much waits.
    pub(super) fn waiting(&self) -> &Arc<Waiting> {
        &self.waiting
    }

    /// Queues a request; `None` where the bounds are met or the writer is gone.
    pub(super) fn accept(
        &self,
        accept: Accept,
        seat: Option<Seat>,
        piece: Option<Piece>,
    ) -> Option<oneshot::Receiver<Result<Admitted, StoreError>>> {
        let seed = &accept.seed;
        let bytes =
            OVERHEAD + seed.body.len() + seed.headers.blob().len() + seed.query.len() + seed.path.len();
        if !self.waiting.take(bytes) {
            return None;
        }
        let (reply, answer) = oneshot::channel();
        if self.sender.send(Item::Accept { accept, bytes, seat, piece, reply }).is_err() {
            self.waiting.give(bytes);
            return None;
        }
        Some(answer)
    }

    /// Queues anything else: what moves runs is bounded by the slots and must not be held up by a
    /// flood of requests.
    ///
    /// # Errors
    /// [`StoreError::Down`] where the writer is gone.
    pub(super) fn send(&self, item: Item) -> Result<(), StoreError> {
        self.sender.send(item).map_err(|_| StoreError::closed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(requests: usize) -> Waiting {
        let waiting = Waiting::default();
        assert!((0..requests).all(|_| waiting.take(1)));
        waiting
    }

    #[test]
    fn requests_that_wait_for_long_are_a_crowd_and_a_short_burst_is_none() {
        let (fewer, enough) = (with(CROWD - 1), with(CROWD));
        assert!((0..10_000).all(|_| !fewer.crowded()), "one fewer");
        assert!((0..10_000).any(|_| enough.crowded()), "at the bound");
        let many = with(CROWD * 16);
        assert_eq!(
            (0..1_000).position(|_| many.crowded()),
            Some(2),
            "a burst that is there when looked at thrice"
        );
        (0..CROWD * 16).for_each(|_| many.give(1));
        assert!((0..40).any(|_| !many.crowded()), "and is forgotten");
    }

    #[test]
    fn so_many_requests_wait_and_no_more() {
        let waiting = with(ITEMS);
        assert!(!waiting.take(0));
        waiting.give(1);
        assert!(waiting.take(1));
    }
}
