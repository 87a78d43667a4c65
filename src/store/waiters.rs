//! Senders that wait for a run: who they are, and what the commit that ends or answers it tells them.
//!
//! A sender is an entry here and a future in the receiver: it holds no thread, and nothing is asked
//! of the store again and again. The writer seats it in the commit that makes its runs, before any
//! runner hears of them, so no end of a run is missed; a sender that hangs up leaves.

use crate::model::RunId;
use crate::model::run::{Given, RunState};
use crate::rules::advance::Transition;
use crate::rules::reply::rests;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// What a sender that waited is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its runs that rest (ended, or errored); all of them where none gave an answer.
    pub states: Vec<(RunId, RunState)>,
    /// The answer of a `respond` step, or what a `fail` step tells.
    pub given: Option<Given>,
}

/// A sender's place among those who wait; it leaves when this is dropped.
#[derive(Debug)]
pub struct Waiting {
    waiters: Arc<Waiters>,
    number: u64,
    told: oneshot::Receiver<Told>,
}

impl Waiting {
    /// What it is told; `None` where it never will be: the store was closed, or no run was made.
    pub async fn told(&mut self) -> Option<Told> {
        (&mut self.told).await.ok()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // Closed first: who is seated after this is turned away, who was before is found.
        self.told.close();
        self.waiters.leave(self.number);
    }
}

/// The other end of [`Waiting`], on its way through the writer's queue.
#[derive(Debug)]
pub(super) struct Seat {
    number: u64,
    reply: oneshot::Sender<Told>,
}

/// Everybody who waits.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    numbers: AtomicU64,
    /// How many wait: looked at after every commit, without the lock.
    count: AtomicUsize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    senders: HashMap<u64, Sender>,
    runs: HashMap<RunId, u64>,
}

#[derive(Debug)]
struct Sender {
    reply: oneshot::Sender<Told>,
    /// Runs that have not come to rest.
    open: Vec<RunId>,
    told: Told,
}

impl Waiters {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a sender whose request is about to be stored.
    pub(super) fn wait(self: &Arc<Self>) -> (Seat, Waiting) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (reply, told) = oneshot::channel();
        (Seat { number, reply }, Waiting { waiters: Arc::clone(self), number, told })
    }

    /// The sender's runs were committed.
    pub(super) fn seat(&self, seat: Seat, runs: &[(RunId, RunState)]) {
        let Seat { number, reply } = seat;
        let (rested, open): (Vec<_>, Vec<_>) = runs.iter().partition(|(_, state)| rests(*state));
        let told = Told { states: rested, given: None };
        if open.is_empty() {
            let _ = reply.send(told);
            return;
        }
        let mut held = self.lock();
        if reply.is_closed() {
            return;
        }
        let open: Vec<RunId> = open.into_iter().map(|(run, _)| run).collect();
        held.runs.extend(open.iter().map(|run| (*run, number)));
        held.senders.insert(number, Sender { reply, open, told });
        self.count.store(held.senders.len(), Ordering::Relaxed);
    }

    fn leave(&self, number: u64) {
        if self.count.load(Ordering::Relaxed) > 0 {
            let mut held = self.lock();
            held.remove(number);
            self.count.store(held.senders.len(), Ordering::Relaxed);
        }
    }

    /// A transition was committed: whoever waits for its run is told, where it answers or ends it.
    pub(super) fn moved(&self, transition: &mut Transition) {
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let given = transition.entry.as_mut().and_then(|entry| entry.answer.take());
        let state = transition.run.state;
        if given.is_none() && !rests(state) {
            return;
        }
        let mut held = self.lock();
        let run = transition.run.id;
        let Some(number) = held.runs.get(&run).copied() else { return };
        let Some(sender) = held.senders.get_mut(&number) else { return };
        let answers = given.as_ref().is_some_and(|given| !given.problem);
        // Of several `fail` steps the first one counts; an answer counts before all of them.
        if answers || sender.told.given.is_none() {
            sender.told.given = given;
        }
        if rests(state) {
            sender.open.retain(|other| *other != run);
            sender.told.states.push((run, state));
            held.runs.remove(&run);
        }
        let done = held.senders.get(&number).is_some_and(|sender| answers || sender.open.is_empty());
        if done && let Some(sender) = held.remove(number) {
            self.count.store(held.senders.len(), Ordering::Relaxed);
            let _ = sender.reply.send(sender.told);
        }
    }

    /// How many wait.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let held = self.lock();
        assert!(held.senders.len() <= held.runs.len(), "a sender without a run");
        held.senders.len()
    }
}

impl Held {
    fn remove(&mut self, number: u64) -> Option<Sender> {
        let sender = self.senders.remove(&number)?;
        for run in &sender.open {
            self.runs.remove(run);
        }
        Some(sender)
    }
}

#[cfg(test)]
mod tests;
