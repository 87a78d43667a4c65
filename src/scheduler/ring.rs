//! Runs that are ready and wait for a slot: a lane a flow, taking turns, bounded in runs and bytes.
//!
//! What does not fit is not lost: the ring remembers from which id on it turned runs away, and the
//! driver reads on from the store there once there is room again. A lane whose target takes no more
//! for now is set aside and waits for no slot; what has no room aside is the driver's to put elsewhere.

use crate::model::FlowId;
use std::collections::{HashMap, VecDeque};

/// Runs that wait in memory at most.
pub const RING_RUNS: usize = 65_536;
/// Bytes of bodies that wait with them at most.
pub const RING_BYTES: usize = 32 << 20;
/// Of what the ring may hold, one part in so many may be set aside.
pub const ASIDE: usize = 4;
/// Runs that a lane may start before the next lane has its turn.
pub const QUANTUM: usize = 16;

/// What became of a run that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It waits for its turn.
    Taken,
    /// It was read from the store before: nothing to do.
    Known,
    /// There is no room, or runs before it found none: it will be read from the store.
    Later,
}

#[derive(Debug)]
struct Lane<T> {
    runs: VecDeque<(usize, T)>,
    /// Runs that it may still start in this turn.
    left: usize,
    /// It is set aside.
    aside: bool,
}

/// Runs that wait for a slot.
#[derive(Debug)]
pub struct Ring<T> {
    lanes: HashMap<FlowId, Lane<T>>,
    /// Lanes with runs, the one whose turn it is first.
    turns: VecDeque<FlowId>,
    runs: usize,
    bytes: usize,
    /// Of them, those that are set aside.
    aside: (usize, usize),
    max_runs: usize,
    max_bytes: usize,
    /// The smallest id that was turned away: the store is to be read from there.
    cursor: Option<i64>,
    /// Everything up to this id came from the store.
    read_to: i64,
}

impl<T> Ring<T> {
    /// An empty ring. It begins with everything still to be read: what an earlier process left.
    #[must_use]
    pub fn new(max_runs: usize, max_bytes: usize) -> Self {
        Self {
            lanes: HashMap::new(),
            turns: VecDeque::new(),
            runs: 0,
            bytes: 0,
            aside: (0, 0),
            max_runs,
            max_bytes,
            cursor: Some(0),
            read_to: 0,
        }
    }

    /// Runs that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.runs
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs == 0
    }

    /// Runs that wait for a slot: all but those that are set aside.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.runs - self.aside.0
    }

    /// Whether more is set aside than may be: the ring is for those that can start.
    #[must_use]
    pub fn is_laden(&self) -> bool {
        self.aside.0 > self.max_runs / ASIDE || self.aside.1 > self.max_bytes / ASIDE && self.aside.0 > 1
    }

    fn has_room(&self, bytes: usize) -> bool {
        // One body alone always fits, however big.
        self.runs < self.max_runs && (self.runs == 0 || self.bytes + bytes <= self.max_bytes)
    }

    /// A run that was just committed. Ids are handed over in the order of their commits, so once one
    /// was turned away all later ones are, until the store was read up to the end.
    pub fn offer(&mut self, flow: FlowId, id: i64, bytes: usize, run: impl FnOnce() -> T) -> Offer {
        if id <= self.read_to {
            return Offer::Known;
        }
        if let Some(cursor) = self.cursor {
            self.cursor = Some(cursor.min(id));
            return Offer::Later;
        }
        if !self.has_room(bytes) {
            self.cursor = Some(id);
            return Offer::Later;
        }
        self.push(flow, bytes, run());
        Offer::Taken
    }

    /// Runs from this id on were never offered: the hand-over had no room for them.
    pub fn missed(&mut self, from: i64) {
        let from = from.max(self.read_to.saturating_add(1));
        self.cursor = Some(self.cursor.map_or(from, |cursor| cursor.min(from)));
    }

    /// From which id on the store is to be read, where that is due: the ring is at most half full.
    #[must_use]
    pub fn wants_from(&self) -> Option<i64> {
        let room = self.runs <= self.max_runs / 2 && self.bytes <= self.max_bytes / 2;
        self.cursor.filter(|_| room)
    }

    /// How many runs a page may have.
    #[must_use]
    pub fn page(&self) -> usize {
        (self.max_runs - self.runs).min(1_000)
    }

    /// A page that was read from the store: in the order of its ids, from the cursor on. `whole`
    /// says that nothing follows it. Each with its bytes.
    pub fn page_read(&mut self, page: impl IntoIterator<Item = (FlowId, i64, usize, T)>, whole: bool) {
        for (flow, id, bytes, run) in page {
            self.push(flow, bytes, run);
            self.read_to = self.read_to.max(id);
        }
        self.cursor = if whole { None } else { Some(self.read_to.saturating_add(1)) };
    }

    fn push(&mut self, flow: FlowId, bytes: usize, run: T) {
        let lane = self.lanes.entry(flow).or_insert_with(|| {
            self.turns.push_back(flow);
            Lane { runs: VecDeque::new(), left: QUANTUM, aside: false }
        });
        if lane.aside {
            self.aside = (self.aside.0 + 1, self.aside.1 + bytes);
        }
        lane.runs.push_back((bytes, run));
        self.runs += 1;
        self.bytes += bytes;
    }

    /// The run whose turn it is, and its flow.
    #[must_use]
    pub fn front(&self) -> Option<(FlowId, &T)> {
        let flow = *self.turns.front()?;
        self.lanes.get(&flow)?.runs.front().map(|(_, run)| (flow, run))
    }

    /// The lane whose turn it is waits for its target, until it is brought back.
    pub fn set_aside(&mut self) {
        let Some(flow) = self.turns.pop_front() else { return };
        if let Some(lane) = self.lanes.get_mut(&flow) {
            lane.aside = true;
            lane.left = QUANTUM;
            let bytes: usize = lane.runs.iter().map(|(bytes, _)| bytes).sum();
            self.aside = (self.aside.0 + lane.runs.len(), self.aside.1 + bytes);
        }
    }

    /// Runs of a lane that is set aside.
    #[must_use]
    pub fn aside(&self, flow: FlowId) -> usize {
        self.lanes.get(&flow).filter(|lane| lane.aside).map_or(0, |lane| lane.runs.len())
    }

    /// The first run of a lane that is set aside.
    pub fn pop_aside(&mut self, flow: FlowId) -> Option<T> {
        let lane = self.lanes.get_mut(&flow).filter(|lane| lane.aside)?;
        let (bytes, run) = lane.runs.pop_front()?;
        if lane.runs.is_empty() {
            self.lanes.remove(&flow);
        }
        self.runs -= 1;
        self.bytes -= bytes;
        self.aside = (self.aside.0 - 1, self.aside.1 - bytes);
        Some(run)
    }

    /// A lane that was set aside takes turns again, as the last.
    pub fn bring_back(&mut self, flow: FlowId) {
        let Some(lane) = self.lanes.get_mut(&flow).filter(|lane| lane.aside) else { return };
        lane.aside = false;
        let bytes: usize = lane.runs.iter().map(|(bytes, _)| bytes).sum();
        self.aside = (self.aside.0 - lane.runs.len(), self.aside.1 - bytes);
        self.turns.push_back(flow);
    }

    /// The run whose turn it is.
    pub fn pop(&mut self) -> Option<T> {
        let flow = *self.turns.front()?;
        let lane = self.lanes.get_mut(&flow)?;
        let (bytes, run) = lane.runs.pop_front()?;
        self.runs -= 1;
        self.bytes -= bytes;
        lane.left -= 1;
        if lane.runs.is_empty() {
            self.lanes.remove(&flow);
            self.turns.pop_front();
        } else if lane.left == 0 {
            lane.left = QUANTUM;
            self.turns.rotate_left(1);
        }
        Some(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_up<T>(ring: &mut Ring<T>) {
        ring.page_read([], true);
    }

    #[test]
    fn lanes_take_turns() {
        let mut ring = Ring::new(1_000, 1_000);
        read_up(&mut ring);
        for id in 1..=100 {
            assert_eq!(ring.offer(FlowId(1), id, 0, || id), Offer::Taken);
        }
        ring.offer(FlowId(2), 101, 0, || 101);
        let order: Vec<i64> = std::iter::from_fn(|| ring.pop()).collect();
        assert_eq!(order[..QUANTUM], (1..=16).collect::<Vec<_>>(), "in order of arrival");
        assert_eq!(order[QUANTUM], 101, "a flow with many runs delays another by one turn at most");
        assert_eq!(order.len(), 101);
        assert!(ring.is_empty());
    }

    #[test]
    fn a_full_ring_remembers_from_where_to_read_on() {
        let mut ring = Ring::new(4, 1_000);
        read_up(&mut ring);
        for id in 1..=4 {
            assert_eq!(ring.offer(FlowId(1), id, 0, || id), Offer::Taken);
        }
        assert_eq!(ring.offer(FlowId(1), 5, 0, || 5), Offer::Later);
        assert_eq!(ring.wants_from(), None, "not before there is room");
        assert_eq!((ring.pop(), ring.pop()), (Some(1), Some(2)));
        // Room again, but 5 comes before 6.
        assert_eq!(ring.offer(FlowId(1), 6, 0, || 6), Offer::Later);
        assert_eq!(ring.wants_from(), Some(5));
        assert_eq!(ring.page(), 2);
        ring.page_read([(FlowId(1), 5, 0, 5), (FlowId(1), 6, 0, 6)], false);
        assert_eq!(ring.offer(FlowId(1), 6, 0, || 6), Offer::Known);
        assert_eq!(ring.offer(FlowId(1), 7, 0, || 7), Offer::Later);
        ring.pop();
        ring.pop();
        assert_eq!(ring.wants_from(), Some(7));
        ring.page_read([(FlowId(1), 7, 0, 7)], true);
        assert_eq!(ring.offer(FlowId(1), 8, 0, || 8), Offer::Taken);
    }

    #[test]
    fn bodies_are_bounded_too_but_one_always_fits() {
        let mut ring = Ring::new(100, 10);
        read_up(&mut ring);
        assert_eq!(ring.offer(FlowId(1), 1, 50, || 1), Offer::Taken);
        assert_eq!(ring.offer(FlowId(1), 2, 1, || 2), Offer::Later);
        let mut ring = Ring::new(100, 10);
        read_up(&mut ring);
        assert_eq!(ring.offer(FlowId(1), 1, 5, || 1), Offer::Taken);
        assert_eq!(ring.offer(FlowId(1), 2, 5, || 2), Offer::Taken);
        assert_eq!(ring.offer(FlowId(1), 3, 1, || 3), Offer::Later);
    }

    #[test]
    fn a_fresh_ring_reads_what_an_earlier_process_left() {
        let mut ring: Ring<i64> = Ring::new(10, 10);
        assert_eq!(ring.wants_from(), Some(0));
        assert_eq!(ring.offer(FlowId(1), 3, 0, || 3), Offer::Later);
        ring.page_read([(FlowId(1), 2, 0, 2), (FlowId(1), 3, 0, 3)], true);
        ring.missed(9);
        assert_eq!(ring.wants_from(), Some(9));
        ring.missed(1);
        assert_eq!(ring.wants_from(), Some(4), "what was read is not read again");
    }

    #[test]
    fn what_is_set_aside_holds_up_nobody_and_keeps_its_order() {
        let mut ring = Ring::new(16, 1_000);
        read_up(&mut ring);
        for id in 1..=4 {
            ring.offer(FlowId(1), id, 10, || id);
        }
        ring.offer(FlowId(2), 5, 1, || 5);
        assert_eq!(ring.front(), Some((FlowId(1), &1)));
        ring.set_aside();
        assert_eq!((ring.len(), ring.ready()), (5, 1));
        assert!(!ring.is_laden());
        ring.offer(FlowId(1), 6, 10, || 6);
        assert!(ring.is_laden(), "five of sixteen are more than a quarter");
        assert_eq!((ring.pop(), ring.pop()), (Some(5), None));
        assert_eq!(ring.front(), None);
        assert_eq!((ring.aside(FlowId(1)), ring.aside(FlowId(2))), (5, 0));
        assert_eq!((ring.pop_aside(FlowId(1)), ring.pop_aside(FlowId(2))), (Some(1), None));
        assert!(!ring.is_laden());
        ring.offer(FlowId(2), 7, 1, || 7);
        ring.bring_back(FlowId(1));
        ring.bring_back(FlowId(1));
        ring.bring_back(FlowId(9));
        assert_eq!(ring.ready(), 5);
        let order: Vec<i64> = std::iter::from_fn(|| ring.pop()).collect();
        assert_eq!(order, [7, 2, 3, 4, 6]);
        assert_eq!((ring.len(), ring.ready(), ring.is_laden()), (0, 0, false));
    }

    #[test]
    fn a_hundred_thousand_wait_in_bounded_memory_and_all_come_out_in_order() {
        const ALL: i64 = 100_000;
        let mut ring = Ring::new(RING_RUNS, RING_BYTES);
        read_up(&mut ring);
        let mut out = Vec::new();
        let mut held = (0, 0);
        for id in 1..=ALL {
            ring.offer(FlowId(id % 3), id, 1_200, || id);
            held = (held.0.max(ring.len()), held.1.max(ring.bytes));
        }
        assert!(held.0 <= RING_RUNS && held.1 <= RING_BYTES, "{held:?}");
        assert!(held.1 > RING_BYTES - 1_200, "it is filled up to its bound");
        while out.len() < usize::try_from(ALL).unwrap() {
            if let Some(from) = ring.wants_from() {
                let page = ring.page();
                let some = (from..=ALL).take(page).map(|id| (FlowId(id % 3), id, 1_200, id));
                let whole = from + i64::try_from(page).unwrap() > ALL;
                ring.page_read(some, whole);
            }
            out.extend(ring.pop());
            held = (held.0.max(ring.len()), held.1.max(ring.bytes));
        }
        assert!(held.0 <= RING_RUNS && held.1 <= RING_BYTES, "{held:?}");
        for flow in 0..3 {
            let of: Vec<i64> = out.iter().copied().filter(|id| id % 3 == flow).collect();
            assert!(of.is_sorted() && of.len() >= 33_333);
        }
    }

    #[test]
    fn what_is_set_aside_is_bounded_in_bytes_too_but_one_always_fits() {
        let mut ring = Ring::new(1_000, 100);
        read_up(&mut ring);
        ring.offer(FlowId(1), 1, 90, || 1);
        ring.set_aside();
        assert!(!ring.is_laden());
        ring.offer(FlowId(1), 2, 10, || 2);
        assert!(ring.is_laden());
    }

    proptest! {
        /// Against a store that holds every run: whatever the order of events, each run comes out,
        /// and in its flow's order of arrival.
        #[test]
        fn nothing_is_lost_and_order_holds(
            steps in prop::collection::vec((0_u8..6, 1_i64..4), 1..300),
        ) {
            let mut ring = Ring::new(8, 1_000);
            let mut committed: Vec<(FlowId, i64)> = Vec::new();
            let mut last = 0;
            let mut handed = 0;
            let mut out: Vec<(FlowId, i64)> = Vec::new();
            let read = |ring: &mut Ring<(FlowId, i64)>, committed: &[(FlowId, i64)], out: &[(FlowId, i64)]| {
                if let Some(from) = ring.wants_from() {
                    let limit = ring.page();
                    let rest: Vec<_> = committed.iter().filter(|(_, id)| *id >= from).copied().collect();
                    let page: Vec<_> = rest.iter().take(limit).copied().collect();
                    let page: Vec<_> = page.into_iter().filter(|run| !out.contains(run)).collect();
                    let whole = rest.len() <= limit;
                    ring.page_read(page.into_iter().map(|(flow, id)| (flow, id, 0, (flow, id))), whole);
                }
            };
            for (what, flow) in steps {
                match what {
                    0 | 1 => {
                        last += 1;
                        committed.push((FlowId(flow), last));
                    }
                    2 => {
                        if let Some((flow, id)) = committed.get(handed).copied() {
                            ring.offer(flow, id, 1, || (flow, id));
                            handed += 1;
                        }
                    }
                    3 => {
                        read(&mut ring, &committed, &out);
                        out.extend(ring.pop());
                    }
                    4 => ring.set_aside(),
                    _ => ring.bring_back(FlowId(flow)),
                }
                prop_assert!(ring.len() <= 8);
                prop_assert!(ring.ready() <= ring.len());
            }
            for flow in 1..4 {
                ring.bring_back(FlowId(flow));
            }
            for (flow, id) in committed.iter().skip(handed).copied() {
                ring.offer(flow, id, 1, || (flow, id));
            }
            for _ in 0..=committed.len() {
                read(&mut ring, &committed, &out);
                out.extend(ring.pop());
            }
            let mut seen: Vec<i64> = out.iter().map(|(_, id)| *id).collect();
            for flow in 1..4 {
                let ids: Vec<i64> = out.iter().filter(|run| run.0 == FlowId(flow)).map(|run| run.1).collect();
                prop_assert!(ids.is_sorted(), "{ids:?}");
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, (1..=last).collect::<Vec<_>>());
        }
    }
}
