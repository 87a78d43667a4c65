//! Whether the store takes writes, and why not: read for every request, so it is one atomic load.

use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

/// The dedup table is being made again.
pub(super) const STARTING: u8 = 1;
/// [`super::Store::close`] was called.
pub(super) const STOPPING: u8 = 2;
/// Less free disk than the bound.
pub(super) const LOW_DISK: u8 = 4;
/// The last commit failed.
pub(super) const TROUBLE: u8 = 8;

/// The state of the store's health.
#[derive(Debug, Default)]
pub(super) struct Health {
    flags: AtomicU8,
    queued: AtomicI64,
    trouble: Mutex<Option<String>>,
}

impl Health {
    /// Sets or clears a flag.
    pub(super) fn set(&self, flag: u8, on: bool) {
        if on {
            self.flags.fetch_or(flag, Ordering::Relaxed);
        } else {
            self.flags.fetch_and(!flag, Ordering::Relaxed);
        }
    }

    /// Whether a flag is set.
    pub(super) fn is(&self, flag: u8) -> bool {
        self.flags.load(Ordering::Relaxed) & flag != 0
    }

    /// So many runs are queued.
    pub(super) fn queued(&self, runs: i64) {
        self.queued.store(runs, Ordering::Relaxed);
    }

    /// How many runs are queued.
    pub(super) fn queue(&self) -> u64 {
        u64::try_from(self.queued.load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// The last commit failed, or did not.
    pub(super) fn trouble(&self, why: Option<String>) {
        if why.is_none() && !self.is(TROUBLE) {
            return;
        }
        self.set(TROUBLE, why.is_some());
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// Why nothing is taken, in the order in which it matters; `None` when well.
    pub(super) fn why(&self) -> Option<String> {
        let flags = self.flags.load(Ordering::Relaxed);
        if flags == 0 {
            None
        } else if flags & STOPPING != 0 {
            Some("stopping".to_owned())
        } else if flags & TROUBLE != 0 {
            let why = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Some(why.unwrap_or_else(|| "the store fails".to_owned()))
        } else if flags & STARTING != 0 {
            Some("starting: the dedup ledger is being read".to_owned())
        } else {
            Some("the disk is low on free space".to_owned())
        }
    }
}
