//! Runs under way at once: a number of permits, and who waits for one.

use crate::model::FlowId;
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
}

impl Slots {
    /// So many runs at once; at least one.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        let slots = slots.clamp(1, Semaphore::MAX_PERMITS);
        Self { permits: Arc::new(Semaphore::new(slots)), waiting: Arc::default() }
    }

    /// A permit for a run of a flow that was just accepted, where one is free and no run that came
    /// before waits for it: so flows take turns, and a flow's runs start in order of arrival.
    #[must_use]
    pub fn try_take(&self, _flow: FlowId) -> Option<OwnedSemaphorePermit> {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            return None;
        }
        self.take_waiting()
    }

    /// A permit for a run that waited its turn.
    #[must_use]
    pub fn take_waiting(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).try_acquire_owned().ok()
    }

    /// Waits for a permit; `None` once the slots are closed.
    pub async fn take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).acquire_owned().await.ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_bounded_and_come_back() {
        let slots = Slots::new(2);
        let first = slots.try_take(FlowId(1)).unwrap();
        let second = slots.try_take(FlowId(2)).unwrap();
        assert!(slots.try_take(FlowId(1)).is_none());
        drop(first);
        assert_eq!(slots.free(), 1);
        assert!(slots.try_take(FlowId(1)).is_some());
        drop(second);
        assert!(Slots::new(0).try_take(FlowId(1)).is_some(), "at least one");
    }

    #[test]
    fn nobody_overtakes_what_waits() {
        let slots = Slots::new(2);
        slots.set_waiting(1);
        assert!(slots.try_take(FlowId(1)).is_none());
        assert!(slots.take_waiting().is_some());
        slots.set_waiting(0);
        assert!(slots.try_take(FlowId(1)).is_some());
    }
}
