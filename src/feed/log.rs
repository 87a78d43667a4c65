//! The log: the last changes with their numbers, so that a watcher whose link was cut goes on where
//! it was instead of reading everything anew.

use crate::model::change::Change;
use std::collections::VecDeque;
use std::fmt;

/// Changes that are kept; who missed more reads anew.
pub const LOG: usize = 16_384;

/// A place in the log of one process: what a watcher has seen goes up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which log: one of another process has other numbers.
    pub epoch: u64,
    /// The number of the last change that was seen.
    pub seq: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.epoch, self.seq)
    }
}

impl Place {
    /// Reads what was printed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, seq) = text.split_once('-')?;
        Some(Self { epoch: u64::from_str_radix(epoch, 16).ok()?, seq: seq.parse().ok()? })
    }
}

/// What a watcher that comes has missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caught {
    /// Nothing is known of it: it reads everything.
    Anew,
    /// More than is kept, or its place is of another process: it reads everything.
    TooOld,
    /// Some changes.
    Up {
        /// These, the oldest first.
        missed: VecDeque<Change>,
        /// The number of the last of them.
        upto: u64,
    },
}

/// The last changes.
#[derive(Debug)]
pub(super) struct Log {
    epoch: u64,
    upto: u64,
    last: VecDeque<Change>,
}

impl Log {
    pub(super) fn new(epoch: u64) -> Self {
        Self { epoch, upto: 0, last: VecDeque::new() }
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The number of the last change.
    pub(super) fn upto(&self) -> u64 {
        self.upto
    }

    /// Takes changes in; the number of the last one.
    pub(super) fn put(&mut self, changes: &[Change]) -> u64 {
        // Of more than it holds only the last could stay.
        let fresh = changes.get(changes.len().saturating_sub(LOG)..).unwrap_or_default();
        let over = (self.last.len() + fresh.len()).saturating_sub(LOG);
        self.last.drain(..over);
        self.last.extend(fresh);
        self.upto += changes.len() as u64;
        self.upto
    }

    /// What came after a place.
    pub(super) fn since(&self, place: Option<Place>) -> Caught {
        let Some(place) = place else { return Caught::Anew };
        let first = self.upto - self.last.len() as u64;
        if place.epoch != self.epoch || place.seq < first || place.seq > self.upto {
            return Caught::TooOld;
        }
        let seen = usize::try_from(place.seq - first).unwrap_or(usize::MAX);
        Caught::Up { missed: self.last.iter().skip(seen).copied().collect(), upto: self.upto }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Feed, MAX_RUNS, Merged};
    use super::*;
    use crate::model::run::RunState;
    use crate::model::{FlowId, RunId};
    use std::sync::Arc;

    fn runs(ids: std::ops::Range<i64>) -> Arc<[Change]> {
        ids.map(|id| Change::Run { id: RunId(id), flow: FlowId(1), state: RunState::Queued }).collect()
    }

    #[test]
    fn a_place_prints_and_reads_back() {
        let place = Place { epoch: 0xfeed, seq: 48_211 };
        assert_eq!(place.to_string(), "000000000000feed-48211");
        assert_eq!(Place::parse(&place.to_string()), Some(place));
        for wrong in ["", "7", "x-7", "7-", "7--1"] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn who_comes_back_gets_what_was_missed_and_nothing_twice() {
        let feed = Feed::default();
        let (mailbox, caught) = feed.watch_from(None);
        assert_eq!(caught, Caught::Anew);
        feed.publish(|| runs(0..3));
        let seen = mailbox.take();
        let place = mailbox.place(&seen);
        assert_eq!(place.map(|place| place.seq), Some(3));
        feed.publish(|| runs(3..5));
        drop(mailbox);
        // Nobody watches, and it is written down all the same.
        feed.publish(|| runs(5..7));
        let (mailbox, caught) = feed.watch_from(place);
        let Caught::Up { mut missed, upto } = caught else { panic!("{caught:?}") };
        let all = Merged::first_of(&mut missed, upto);
        assert_eq!(all.runs.keys().map(|id| id.0).collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert_eq!(mailbox.place(&all).map(|place| place.seq), Some(7));
        assert!(mailbox.take().is_empty());
        feed.publish(|| runs(7..8));
        let next = mailbox.take();
        assert_eq!((next.runs.len(), mailbox.place(&next).map(|place| place.seq)), (1, Some(8)));
        // What is taken where nothing came keeps its place.
        assert_eq!(mailbox.place(&mailbox.take()).map(|place| place.seq), Some(8));
        assert_eq!(feed.watch().place(&Merged::default()), None);
    }

    #[test]
    fn past_the_bound_and_from_another_process_everything_is_read_anew() {
        let feed = Feed::default();
        let (mailbox, _) = feed.watch_from(None);
        let start = mailbox.place(&mailbox.take());
        let most = i64::try_from(LOG).unwrap();
        feed.publish(|| runs(0..most));
        let (_, caught) = feed.watch_from(start);
        let Caught::Up { mut missed, upto } = caught else { panic!("the bound itself is kept") };
        assert_eq!((missed.len(), upto), (LOG, LOG as u64));
        // In parts of what a mailbox holds, each with its place.
        let mut seen = 0;
        while !missed.is_empty() {
            let part = Merged::first_of(&mut missed, upto);
            assert!(part.runs.len() <= MAX_RUNS && !part.resync);
            seen += part.runs.len();
            assert_eq!(mailbox.place(&part).map(|place| place.seq), Some(seen as u64));
        }
        assert_eq!(seen, LOG);
        feed.publish(|| runs(0..1));
        assert_eq!(feed.watch_from(start).1, Caught::TooOld);
        let other = start.map(|place| Place { epoch: place.epoch ^ 1, seq: upto });
        assert_eq!(feed.watch_from(other).1, Caught::TooOld);
        let ahead = start.map(|place| Place { seq: upto + 2, ..place });
        assert_eq!(feed.watch_from(ahead).1, Caught::TooOld);
        // A commit that is larger than the log leaves its end.
        feed.publish(|| runs(0..most + 9));
        let (mailbox, _) = feed.watch_from(None);
        let now = mailbox.place(&mailbox.take()).unwrap();
        assert_eq!(now.seq, upto + 1 + LOG as u64 + 9);
        let last = Place { seq: now.seq - LOG as u64, ..now };
        assert!(matches!(feed.watch_from(Some(last)).1, Caught::Up { missed, .. } if missed.len() == LOG));
    }
}
