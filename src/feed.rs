//! What changed, for those who watch: mailboxes that merge instead of queues that grow, so that
//! nothing that watches can slow what receives.
//!
//! The publisher is the store's writer, after each commit and in commit order (and the runner, of what
//! is in no row: breakers). A watcher takes its
//! [`Mailbox`] first and reads its first page of rows afterwards: a change that lies in both does
//! no harm, one that lies in neither cannot be.

mod log;

pub use log::{Caught, LOG, Place};

use crate::model::change::Change;
use crate::model::request::Verdict;
use crate::model::run::RunState;
use crate::model::{FlowId, Ms, RequestId, RunId};
use log::Log;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Notify;

/// Runs that a mailbox holds; past it the ids are forgotten and [`Merged::resync`] is set.
pub const MAX_RUNS: usize = 4_096;

/// The publisher: cheap to clone, all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Feed {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Mailboxes that are alive: what [`Feed::publish`] looks at before anything else.
    watchers: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    boxes: Vec<Weak<Shared>>,
    /// Kept from the first watcher on that may lose its link.
    log: Option<Log>,
}

impl Feed {
    /// Publishes the changes of a commit; where nobody watches this is one atomic load, and
    /// `changes` is not called. Never waits for a watcher.
    pub fn publish(&self, changes: impl FnOnce() -> Arc<[Change]>) {
        // Relaxed is enough: a commit that a watcher's first read does not see ends after that
        // read began, and both go through the locks of the database file.
        if self.inner.watchers.load(Ordering::Relaxed) == 0 {
            return;
        }
        let changes = changes();
        if changes.is_empty() {
            return;
        }
        let mut state = lock(&self.inner.state);
        let upto = state.log.as_mut().map_or(0, |log| log.put(&changes));
        state.boxes.retain(|mailbox| {
            let Some(mailbox) = mailbox.upgrade() else { return false };
            mailbox.put(&changes, upto);
            true
        });
    }

    /// A mailbox that merges everything published from now on, until it is dropped.
    #[must_use]
    pub fn watch(&self) -> Mailbox {
        self.open(&mut lock(&self.inner.state))
    }

    /// The same for a watcher that may lose its link: with the place from which it can go on later,
    /// and with what it has missed since the place that it gives, as far as that is still known.
    #[must_use]
    pub fn watch_from(&self, place: Option<Place>) -> (Mailbox, Caught) {
        let mut state = lock(&self.inner.state);
        if state.log.is_none() {
            state.log = Some(Log::new(fastrand::u64(1..)));
            // From now on everything is written down, also while nobody watches.
            self.inner.watchers.fetch_add(1, Ordering::SeqCst);
        }
        let caught = state.log.as_ref().map_or(Caught::Anew, |log| log.since(place));
        let upto = state.log.as_ref().map_or(0, Log::upto);
        let epoch = state.log.as_ref().map(Log::epoch);
        let mut mailbox = self.open(&mut state);
        mailbox.epoch = epoch;
        lock(&mailbox.shared.merged).upto = upto;
        (mailbox, caught)
    }

    fn open(&self, state: &mut State) -> Mailbox {
        let shared = Arc::new(Shared::default());
        state.boxes.push(Arc::downgrade(&shared));
        self.inner.watchers.fetch_add(1, Ordering::SeqCst);
        Mailbox { shared, feed: Arc::clone(&self.inner), epoch: None }
    }
}

/// What a mailbox has gathered since it was emptied last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a kind of change that came or not")]
pub struct Merged {
    /// The newest request among those that arrived.
    pub newest: Option<RequestId>,
    /// How many requests arrived, by verdict in the order of [`Verdict::ALL`].
    pub arrived: [u64; Verdict::ALL.len()],
    /// Runs that were made or moved, each with its latest state; at most [`MAX_RUNS`].
    pub runs: BTreeMap<RunId, (FlowId, RunState)>,
    /// Callbacks were made or moved.
    pub callbacks: bool,
    /// Requests that arrived before have a status now.
    pub told: bool,
    /// A document was saved, deployed or removed, or a value was set.
    pub config: bool,
    /// How often a breaker opened or closed.
    pub breakers: u64,
    /// More runs moved than a mailbox holds: read the page again.
    pub resync: bool,
    /// The number of the last change in the feed's log that is in here or came before.
    upto: u64,
}

impl Merged {
    /// The first of changes that were missed, as many as a mailbox holds; `upto` is the number of the
    /// last of them all.
    pub fn first_of(missed: &mut VecDeque<Change>, upto: u64) -> Self {
        let mut merged = Self::default();
        while merged.runs.len() < MAX_RUNS
            && let Some(change) = missed.pop_front()
        {
            merged.put(change);
        }
        merged.upto = upto - missed.len() as u64;
        merged
    }

    /// Whether nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let flags = [self.callbacks, self.told, self.config, self.resync];
        self.newest.is_none() && self.runs.is_empty() && self.breakers == 0 && flags == [false; 4]
    }

    /// How many requests arrived, whatever became of them.
    #[must_use]
    pub fn arrived(&self) -> u64 {
        self.arrived.iter().sum()
    }

    fn put(&mut self, change: Change) {
        match change {
            Change::Request { id, verdict, .. } => {
                self.newest = self.newest.max(Some(id));
                if let Some(count) = self.arrived.get_mut(verdict as usize) {
                    *count += 1;
                }
            }
            Change::Run { id, flow, state } => {
                if self.resync {
                    return;
                }
                self.runs.insert(id, (flow, state));
                if self.runs.len() > MAX_RUNS {
                    self.runs.clear();
                    self.resync = true;
                }
            }
            Change::Callback { .. } => self.callbacks = true,
            Change::Told => self.told = true,
            Change::Config => self.config = true,
            Change::Breaker => self.breakers += 1,
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    merged: Mutex<Merged>,
    changed: Notify,
}

impl Shared {
    fn put(&self, changes: &[Change], upto: u64) {
        {
            let mut merged = lock(&self.merged);
            merged.upto = upto;
            for change in changes {
                merged.put(*change);
            }
        }
        self.changed.notify_one();
    }
}

/// One watcher's end. What it does not fetch is merged, so a watcher may be slow, frozen or gone.
#[derive(Debug)]
pub struct Mailbox {
    shared: Arc<Shared>,
    feed: Arc<Inner>,
    epoch: Option<u64>,
}

impl Mailbox {
    /// The place in the feed's log up to which something that was taken goes; `None` for a mailbox
    /// that keeps none.
    #[must_use]
    pub fn place(&self, taken: &Merged) -> Option<Place> {
        self.epoch.map(|epoch| Place { epoch, seq: taken.upto })
    }

    /// Waits until something has changed that was not taken yet. Safe to cancel; for one waiter.
    pub async fn changed(&self) {
        while lock(&self.shared.merged).is_empty() {
            self.shared.changed.notified().await;
        }
    }

    /// Empties the mailbox.
    #[must_use]
    pub fn take(&self) -> Merged {
        let mut merged = lock(&self.shared.merged);
        let rest = Merged { upto: merged.upto, ..Merged::default() };
        std::mem::replace(&mut *merged, rest)
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.feed.watchers.fetch_sub(1, Ordering::SeqCst);
        let gone = Arc::as_ptr(&self.shared);
        lock(&self.feed.state).boxes.retain(|mailbox| !std::ptr::eq(mailbox.as_ptr(), gone));
    }
}

/// Figures that several rooms write and the header reads; shared as `Arc<Stats>`.
#[derive(Debug, Default)]
pub struct Stats {
    /// Answers 2xx that promise a stored run, since the start.
    pub promised: AtomicU64,
    /// What the self-probe of `/healthz` found: `None` before the first, `Some(None)` when well,
    /// else why not.
    pub probe: Mutex<Option<Option<String>>>,
    /// The process is stopping.
    pub stopping: AtomicBool,
    /// Accepted requests by second: `second << 32 | count`, a slot a second.
    recent: [AtomicU64; RECENT_SLOTS],
}

/// Seconds that [`Stats::recent`] counts.
pub const RECENT_SECONDS: u64 = 10;
const RECENT_SLOTS: usize = 16;

impl Stats {
    /// Counts accepted requests in the second of `now`.
    pub fn accepted(&self, now: Ms, count: u32) {
        let second = second(now);
        let Some(slot) = self.recent.get(slot(second)) else { return };
        let add = |old: u64| {
            let kept = if old >> 32 == second { old & u64::from(u32::MAX) } else { 0 };
            Some(second << 32 | (kept + u64::from(count)).min(u64::from(u32::MAX)))
        };
        let _ = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Accepted requests in the last [`RECENT_SECONDS`] seconds, the current one included.
    #[must_use]
    pub fn recent(&self, now: Ms) -> u64 {
        let now = second(now);
        self.recent
            .iter()
            .map(|slot| slot.load(Ordering::Relaxed))
            .filter(|slot| (slot >> 32) <= now && now - (slot >> 32) < RECENT_SECONDS)
            .map(|slot| slot & u64::from(u32::MAX))
            .sum()
    }

    /// Sets what the self-probe found: `None` when well.
    pub fn set_probe(&self, found: Option<String>) {
        *lock(&self.probe) = Some(found);
    }

    /// What the self-probe found last.
    #[must_use]
    pub fn probe(&self) -> Option<Option<String>> {
        lock(&self.probe).clone()
    }
}

/// Whole seconds, in the 32 bits that a slot has for them.
fn second(now: Ms) -> u64 {
    u64::try_from(now / 1_000).unwrap_or(0) & u64::from(u32::MAX)
}

fn slot(second: u64) -> usize {
    usize::try_from(second % RECENT_SLOTS as u64).unwrap_or(0)
}

/// A panic elsewhere leaves plain data behind, which is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CallbackId;
    use std::time::Duration;

    fn request(id: i64, verdict: Verdict) -> Change {
        Change::Request { id: RequestId(id), flow: FlowId(1), verdict }
    }

    fn run(id: i64, state: RunState) -> Change {
        Change::Run { id: RunId(id), flow: FlowId(1), state }
    }

    #[test]
    fn nothing_is_built_where_nobody_watches() {
        let feed = Feed::default();
        feed.publish(|| panic!("nobody watches"));
        let mailbox = feed.watch();
        feed.publish(|| Arc::from([Change::Config]));
        assert!(mailbox.take().config);
        drop(mailbox);
        feed.clone().publish(|| panic!("nobody watches any more"));
    }

    #[test]
    fn a_mailbox_keeps_the_latest_of_each_run_and_counts_requests() {
        let feed = Feed::default();
        let first = feed.watch();
        feed.publish(|| {
            Arc::from([
                request(7, Verdict::Accepted),
                run(7, RunState::Queued),
                request(8, Verdict::Duplicate),
                run(7, RunState::Running),
            ])
        });
        let second = feed.watch();
        feed.publish(|| Arc::from([run(7, RunState::Succeeded), Change::Callback { id: CallbackId(1) }]));
        let merged = first.take();
        assert_eq!(merged.newest, Some(RequestId(8)));
        assert_eq!(merged.arrived, [1, 1, 0, 0]);
        assert_eq!(merged.runs, BTreeMap::from([(RunId(7), (FlowId(1), RunState::Succeeded))]));
        assert!(merged.callbacks && !merged.config && !merged.resync);
        assert!(first.take().is_empty());
        assert_eq!(second.take().newest, None);
    }

    #[test]
    fn past_its_bound_a_mailbox_asks_for_a_fresh_read_and_grows_no_further() {
        let feed = Feed::default();
        let mailbox = feed.watch();
        let most = i64::try_from(MAX_RUNS).unwrap();
        feed.publish(|| (0..most).map(|id| run(id, RunState::Queued)).collect());
        feed.publish(|| Arc::from([run(0, RunState::Running)]));
        let merged = mailbox.take();
        assert_eq!((merged.runs.len(), merged.resync), (MAX_RUNS, false));
        feed.publish(|| (0..=most).map(|id| run(id, RunState::Queued)).collect());
        feed.publish(|| Arc::from([run(0, RunState::Running)]));
        let merged = mailbox.take();
        assert_eq!((merged.runs.len(), merged.resync), (0, true));
        feed.publish(|| Arc::from([run(5, RunState::Running)]));
        assert_eq!(mailbox.take().runs.len(), 1);
    }

    #[tokio::test]
    async fn a_waiter_is_woken_and_a_change_before_the_wait_is_not_lost() {
        let feed = Feed::default();
        let mailbox = Arc::new(feed.watch());
        let waiter = tokio::spawn({
            let mailbox = Arc::clone(&mailbox);
            async move { mailbox.changed().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        feed.publish(|| Arc::from([Change::Config]));
        tokio::time::timeout(Duration::from_secs(10), waiter).await.unwrap().unwrap();
        // Taken: the permit that was left behind must not end the next wait.
        let _ = mailbox.take();
        let again = tokio::time::timeout(Duration::from_millis(20), mailbox.changed()).await;
        assert!(again.is_err());
        feed.publish(|| Arc::from([Change::Config]));
        tokio::time::timeout(Duration::from_secs(10), mailbox.changed()).await.unwrap();
    }

    #[test]
    fn publishing_from_many_threads_loses_nothing() {
        let feed = Feed::default();
        let mailbox = feed.watch();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let feed = feed.clone();
                scope.spawn(move || {
                    for n in 0..500 {
                        feed.publish(|| Arc::from([request(thread * 500 + n, Verdict::Rejected)]));
                    }
                });
            }
        });
        let merged = mailbox.take();
        assert_eq!((merged.arrived(), merged.newest), (2_000, Some(RequestId(1_999))));
    }

    #[test]
    fn the_recent_ring_counts_ten_seconds() {
        let stats = Stats::default();
        let start = 1_795_008_715_000;
        for n in 0..30 {
            stats.accepted(start + n * 1_000, 2);
        }
        assert_eq!(stats.recent(start + 29_999), 20);
        assert_eq!(stats.recent(start + 34_000), 10);
        assert_eq!(stats.recent(start + 60_000), 0);
        stats.accepted(start + 60_000, u32::MAX);
        stats.accepted(start + 60_000, 1);
        assert_eq!(stats.recent(start + 60_000), u64::from(u32::MAX));
    }

    #[test]
    fn the_probe_tells_not_yet_from_well() {
        let stats = Stats::default();
        assert_eq!(stats.probe(), None);
        stats.set_probe(None);
        assert_eq!(stats.probe(), Some(None));
        stats.set_probe(Some("refused".to_owned()));
        assert_eq!(stats.probe(), Some(Some("refused".to_owned())));
    }
}
