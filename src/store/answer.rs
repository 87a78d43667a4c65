//! After the commit: runs go to the runner, answers to those who asked.

use super::StoreError;
use super::admission::{Birth, Born, Judgement};
use super::jobs;
use super::links::Links;
use super::queue::Item;
use super::state::Stored;
use crate::model::run::{Run, RunState};
use std::sync::atomic::Ordering;
use tokio::sync::mpsc::error::TrySendError;

/// What became of an item.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are requests: a box would be an allocation for each"
)]
pub(super) enum Outcome {
    /// A request, and its runs.
    Admitted(Stored),
    /// A transition: written, or refused by its guard.
    Moved(Result<(), StoreError>),
    /// The runs that were claimed.
    Claimed(Vec<Run>),
    /// Leases were set.
    Renewed,
    /// Whether the key was there.
    Forgot(bool),
    /// Nobody asks.
    Noted,
    /// It was a piece that is not left: nothing was written.
    NotLeft,
}

impl Links {
    /// Hands runs over and answers, in the order of the queue.
    pub(super) fn answer(&self, items: Vec<Item>, outcomes: Vec<Outcome>) {
        let mut born = Vec::new();
        let mut answers = Vec::with_capacity(items.len());
        for (item, outcome) in items.into_iter().zip(outcomes) {
            match (item, outcome) {
                (Item::Accept { accept, bytes, seat, reply, .. }, Outcome::Admitted(stored)) => {
                    let Stored { admitted, run, more } = stored;
                    self.waiting.give(bytes);
                    // Before anybody can move its runs.
                    if let Some(seat) = seat {
                        self.waiters.seat(seat, admitted.runs());
                    }
                    let slot = match accept.judgement {
                        Judgement::Admit { birth: Birth::Direct(slot), .. } => Some(slot),
                        _ => None,
                    };
                    born.extend(more.into_iter().filter(|run| !run.state.ended()).map(|run| Born {
                        run,
                        request: admitted.request,
                        seed: accept.seed.clone(),
                        slot: None,
                    }));
                    if let Some(run) = run.filter(|run| !run.state.ended()) {
                        born.push(Born { run, request: admitted.request, seed: accept.seed, slot });
                    }
                    answers.push((reply, admitted));
                }
                (Item::Move { mut transition, reply, .. }, Outcome::Moved(result)) => {
                    if result.is_ok() {
                        self.waiters.moved(&mut transition);
                    }
                    let _ = reply.send(result);
                }
                (Item::Claim { reply, .. }, Outcome::Claimed(runs)) => {
                    let _ = reply.send(Ok(runs));
                }
                (Item::Renew { reply, .. }, Outcome::Renewed) => {
                    let _ = reply.send(Ok(()));
                }
                (Item::Forget { reply, .. }, Outcome::Forgot(there)) => {
                    let _ = reply.send(Ok(there));
                }
                (item, Outcome::NotLeft) => self.fail(vec![item], &jobs::not_left()),
                // An outcome is made from its item: no other pairs exist.
                _ => {}
            }
        }
        self.hand_over(born);
        for (reply, admitted) in answers {
            let _ = reply.send(Ok(admitted));
        }
    }

    /// To the runner, without ever waiting for it. Fresh runs that do not fit are left for it to
    /// read; born-leased ones always fit, since each holds a slot and the queue keeps room for all.
    fn hand_over(&self, mut born: Vec<Born>) {
        if born.is_empty() {
            return;
        }
        if self.born.capacity() <= self.reserve {
            self.dropped(born.iter().filter(|born| born.run.state == RunState::Queued));
            born.retain(|born| born.run.state != RunState::Queued);
            if born.is_empty() {
                return;
            }
        }
        if let Err(TrySendError::Full(born)) = self.born.try_send(born) {
            self.dropped(born.iter());
        }
    }

    fn dropped<'a>(&self, mut born: impl Iterator<Item = &'a Born>) {
        if let Some(first) = born.next() {
            self.dropped_from.fetch_min(first.run.id.0, Ordering::AcqRel);
        }
    }

    pub(super) fn fail(&self, items: Vec<Item>, why: &StoreError) {
        for item in items {
            match item {
                Item::Accept { bytes, reply, .. } => {
                    self.waiting.give(bytes);
                    let _ = reply.send(Err(why.clone()));
                }
                Item::Move { reply, .. } | Item::Renew { reply, .. } => {
                    let _ = reply.send(Err(why.clone()));
                }
                Item::Claim { reply, .. } => {
                    let _ = reply.send(Err(why.clone()));
                }
                Item::Forget { reply, .. } => {
                    let _ = reply.send(Err(why.clone()));
                }
                Item::Job { job, .. } => job.done(Err(why.clone())),
                Item::Told { .. } | Item::Beat | Item::Lookup { .. } | Item::Close(_) => {}
            }
        }
    }
}
