//! What the writer shares with the handles.

use super::admission::Born;
use super::alerts::Signals;
#[cfg(test)]
use super::commit::SyncFails;
use super::health::Health;
use super::lanes::Watched;
use super::queue::Waiting;
use super::records::Records;
use super::refusals::Refusals;
use super::tally::Tally;
use super::waiters::Waiters;
use crate::feed::Feed;
use std::path::PathBuf;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

/// Batches that may wait for the runner, beside those that hold a slot.
pub(super) const HANDOVER: usize = 32;

/// What the writer shares with the handles.
#[derive(Debug, Clone)]
pub(super) struct Links {
    pub(super) file: PathBuf,
    pub(super) feed: Feed,
    pub(super) tally: Arc<Mutex<Tally>>,
    pub(super) health: Arc<Health>,
    pub(super) refusals: Arc<Refusals>,
    pub(super) waiting: Arc<Waiting>,
    pub(super) due: Arc<Notify>,
    /// Senders that wait for a run.
    pub(super) waiters: Arc<Waiters>,
    /// Data that runs of one request share.
    pub(super) records: Arc<Records>,
    /// For those who tell of trouble.
    pub(super) alerts: Arc<Signals>,
    /// Lanes that wait for room.
    pub(super) watched: Arc<Watched>,
    pub(super) born: mpsc::Sender<Vec<Born>>,
    pub(super) dropped_from: Arc<AtomicI64>,
    /// Batches of born-leased runs that may wait at once: one a slot.
    pub(super) reserve: usize,
    #[cfg(test)]
    pub(super) fails: Arc<Mutex<Option<SyncFails>>>,
}

impl Links {
    /// The figures; hold them shortly.
    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
