//! Hands out ids: in the order of commit, ahead of the clock where it must be, never back.

use crate::model::Ms;
use crate::model::id::first_at;
use std::sync::atomic::{AtomicI64, Ordering};

/// The count's lowest bit: under it are the node (6 bits) and the bucket (6 bits).
const ONE: i64 = 1 << 12;

/// The allocator of a node, shared by the writer and those who need an id before they write.
#[derive(Debug)]
pub(super) struct Ids {
    last: AtomicI64,
    low: i64,
}

impl Ids {
    /// Starts after an id that was given out already. `node` is 0 to 63.
    pub(super) fn after(last: i64, node: i64) -> Self {
        Self { last: AtomicI64::new(last), low: (node & 63) << 6 }
    }

    /// A fresh id at a time; where the millisecond's 1,024 are used up it borrows from the next.
    pub(super) fn next(&self, at: Ms) -> i64 {
        let base = first_at(at) | self.low;
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            let id = if base > last { base } else { ((last & !(ONE - 1)) + ONE) | self.low };
            match self.last.compare_exchange_weak(last, id, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return id,
                Err(now) => last = now,
            }
        }
    }

    /// The last one that was given out: all later ones are larger.
    pub(super) fn last(&self) -> i64 {
        self.last.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{EPOCH, time_of};

    #[test]
    fn a_full_count_borrows_the_next_millisecond() {
        let ids = Ids::after(0, 5);
        let at = EPOCH + 1_000;
        let all: Vec<i64> = (0..1_025).map(|_| ids.next(at)).collect();
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(time_of(all[1_023]), at);
        assert_eq!(time_of(all[1_024]), at + 1);
        assert!(all.iter().all(|id| id & 0xfff == 5 << 6));
        // Ahead of the clock now, and still never back.
        assert!(ids.next(at) > all[1_024]);
        assert_eq!(time_of(ids.next(at + 500)), at + 500);
    }

    #[test]
    fn a_restart_goes_on_behind_what_was_committed() {
        let last = first_at(EPOCH + 9_000) | (7 << 12);
        assert!(Ids::after(last, 0).next(EPOCH) > last);
    }

    #[test]
    fn many_threads_never_get_the_same() {
        let ids = Ids::after(0, 0);
        let mut all: Vec<i64> = std::thread::scope(|scope| {
            let hands: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..500).map(|_| ids.next(EPOCH + 1)).collect::<Vec<_>>()))
                .collect();
            hands.into_iter().flat_map(|hand| hand.join().unwrap()).collect()
        });
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 2_000);
    }
}
