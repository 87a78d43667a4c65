//! Whether the store takes writes, and why not: read for every request, so it is one atomic load.

use super::error;
use crate::model::Ms;
use crate::model::trouble::TroubleKind;
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
    /// When it was first seen that nothing is taken; 0 while all is well.
    since: AtomicI64,
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

    /// Looks whether something is taken: since when not is from then on known.
    pub(super) fn look(&self, now: Ms) {
        if self.kind().is_none() {
            self.since.store(0, Ordering::Relaxed);
        } else {
            let _ = self.since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Since when nothing is taken, as far as somebody looked; else it is since now.
    pub(super) fn since(&self, now: Ms) -> Ms {
        match self.since.load(Ordering::Relaxed) {
            0 => now,
            since => since,
        }
    }

    /// What is wrong, so that nothing is taken; an end that was asked for is nothing wrong.
    pub(super) fn kind(&self) -> Option<TroubleKind> {
        let flags = self.flags.load(Ordering::Relaxed);
        if flags & STOPPING != 0 {
            None
        } else if flags & LOW_DISK != 0 {
            // Whatever fails on such a disk fails for it.
            Some(TroubleKind::Full)
        } else if flags & TROUBLE != 0 {
            let why = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            Some(match why.as_deref() {
                Some(error::FULL) => TroubleKind::Full,
                Some(why) if why.starts_with(error::READ_ONLY) => TroubleKind::ReadOnly,
                _ => TroubleKind::Failing,
            })
        } else if flags & STARTING != 0 {
            Some(TroubleKind::Starting)
        } else {
            None
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_of_one_kind_and_has_a_beginning() {
        let health = Health::default();
        health.look(5);
        assert_eq!((health.kind(), health.since(9)), (None, 9));
        health.trouble(Some("the store's disk fails: disk I/O error".to_owned()));
        assert_eq!(health.kind(), Some(TroubleKind::Failing));
        health.look(10);
        health.set(LOW_DISK, true);
        health.look(20);
        assert_eq!((health.kind(), health.since(30)), (Some(TroubleKind::Full), 10));
        health.set(LOW_DISK, false);
        health.trouble(Some(error::FULL.to_owned()));
        assert_eq!(health.kind(), Some(TroubleKind::Full));
        health.trouble(Some(format!("{}: attempt to write", error::READ_ONLY)));
        assert_eq!(health.kind(), Some(TroubleKind::ReadOnly));
        health.trouble(None);
        health.look(40);
        assert_eq!((health.kind(), health.since(50)), (None, 50));
        health.set(STARTING, true);
        assert_eq!(health.kind(), Some(TroubleKind::Starting));
        health.set(STOPPING, true);
        assert_eq!(health.kind(), None, "an end is no trouble");
    }
}
