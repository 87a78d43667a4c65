//! Runs under way at once: a number of permits, and who waits for one.

use super::hosts::{Comer, Hosts, Pass};
use crate::model::Ms;
use crate::model::target::Target;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Permits for runs under way; clones share them.
///
/// The receiver takes a permit without waiting, to let a run be born leased; the runner takes the
/// rest for what waits in its ring. Where anything waits there, nobody overtakes it.
#[derive(Debug, Clone)]
pub struct Slots {
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    hosts: Hosts,
}

/// A run under way.
#[derive(Debug)]
pub struct Slot {
    /// Of its next exchange, where that is known.
    pub pass: Option<Pass>,
    _permit: OwnedSemaphorePermit,
}

impl Slots {
    /// So many runs at once; at least one.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        let slots = slots.clamp(1, Semaphore::MAX_PERMITS);
        Self { permits: Arc::new(Semaphore::new(slots)), waiting: Arc::default(), hosts: Hosts::new(slots) }
    }

    /// The targets that exchanges of these runs go to.
    #[must_use]
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// A permit for a run that was just accepted and sends to `target` at once, where one is free, the
    /// target takes another, and no run that came before waits for either: so flows take turns, and
    /// runs start in order of arrival.
    #[must_use]
    pub fn try_take(&self, target: Option<&Arc<Target>>, now: Ms) -> Option<Slot> {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let mut slot = self.take_waiting()?;
        if let Some(target) = target {
            slot.pass = Some(self.hosts.enter(target, Comer::Newborn, now).ok()?);
        }
        Some(slot)
    }

    /// A permit for a run that waited its turn.
    #[must_use]
    pub fn take_waiting(&self) -> Option<Slot> {
        Arc::clone(&self.permits).try_acquire_owned().ok().map(slot)
    }

    /// Waits for a permit; `None` once the slots are closed.
    pub async fn take(&self) -> Option<Slot> {
        Arc::clone(&self.permits).acquire_owned().await.ok().map(slot)
    }

    /// Permits that nobody holds.
    #[must_use]
    pub fn free(&self) -> usize {
        self.permits.available_permits()
    }

    /// How many runs wait for a permit: said by whoever drives the ring.
    pub fn set_waiting(&self, waiting: usize) {
        self.waiting.store(waiting, Ordering::Relaxed);
    }
}

fn slot(permit: OwnedSemaphorePermit) -> Slot {
    Slot { pass: None, _permit: permit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_bounded_and_come_back() {
        let slots = Slots::new(2);
        let first = slots.try_take(None, 0).unwrap();
        let second = slots.try_take(None, 0).unwrap();
        assert!(slots.try_take(None, 0).is_none());
        drop(first);
        assert_eq!(slots.free(), 1);
        assert!(slots.try_take(None, 0).is_some());
        drop(second);
        assert!(Slots::new(0).try_take(None, 0).is_some(), "at least one");
    }

    #[test]
    fn nobody_overtakes_what_waits() {
        let slots = Slots::new(2);
        slots.set_waiting(1);
        assert!(slots.try_take(None, 0).is_none());
        assert!(slots.take_waiting().is_some());
        slots.set_waiting(0);
        assert!(slots.try_take(None, 0).is_some());
    }

    #[test]
    fn a_target_that_takes_no_more_gets_no_newborn() {
        let slots = Slots::new(64);
        let target = Arc::new(Target { host: "a.example".to_owned(), port: 80, secret: false });
        let taken: Vec<Slot> = std::iter::from_fn(|| slots.try_take(Some(&target), 0)).collect();
        assert_eq!(taken.len(), 10);
        assert!(taken.iter().all(|slot| slot.pass.as_ref().unwrap().target() == &target));
        assert_eq!(slots.free(), 54, "who was refused holds nothing");
    }
}
