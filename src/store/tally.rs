//! Figures that are kept while committing, so that nobody has to count rows.

use super::ledger::{COUNTED, Counts};
use super::pulse::Pulse;
use super::series::Series;
use crate::model::Ms;
use crate::model::request::Verdict;
use crate::model::run::RunState;
use crate::rules::advance::Took;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a commit adds; applied once the commit is there.
#[derive(Debug, Default)]
pub(super) struct Deltas {
    /// By state.
    pub(super) runs: [i64; 9],
    /// By flow and verdict.
    pub(super) counts: Counts,
    /// Accepted requests that a sender sent, and is answered for: not those that a person or the program
    /// made.
    pub(super) sent: u64,
    /// Pending callbacks.
    pub(super) pending: i64,
    /// A callback or a step that has one moved: those overdue are to be counted again.
    pub(super) callbacks: bool,
    /// A run came into an error group, or left one.
    pub(super) causes: bool,
    /// Runs that came into a state, whatever became of them in the same commit.
    pub(super) came: [u64; 9],
    /// The groups of runs that became errored.
    pub(super) errors: Vec<i64>,
    /// How long steps took, by flow.
    pub(super) took: Vec<(i64, Took)>,
}

impl Deltas {
    /// A run came into a state, from another or from nowhere.
    pub(super) fn moved(&mut self, from: Option<RunState>, to: Option<RunState>) {
        if let Some(from) = from {
            self.runs[from as usize] -= 1;
        }
        if let Some(to) = to {
            self.runs[to as usize] += 1;
            self.came[to as usize] += u64::from(from != Some(to));
        }
    }
}

/// A total since the store was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) n: i64,
    pub(super) bytes: i64,
    /// When the last one came.
    pub(super) last: Ms,
}

/// Commits whose time is kept.
const COMMITS: usize = 100;
/// Seconds over which accepted requests are counted.
const RECENT: Ms = 10;

/// The figures.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// By state.
    pub(super) runs: [i64; 9],
    /// By flow and verdict, [`COUNTED`] among them.
    pub(super) totals: BTreeMap<(i64, i64), Total>,
    /// Duplicates, refusals and those without a row that there were as the process began.
    pub(super) begun: Option<[i64; 3]>,
    /// Lines that the file does not have yet, but for the ledger.
    pub(super) dirty: BTreeSet<(i64, i64)>,
    /// What senders sent and was accepted, since the start of the process.
    pub(super) stored: u64,
    /// Refusals that were counted and are not written yet.
    pub(super) unwritten: i64,
    /// When the last one of these came.
    pub(super) last_unwritten: Ms,
    /// Callbacks that wait.
    pub(super) pending: i64,
    /// Expired, and their step still errored; counted once a second.
    pub(super) overdue: i64,
    /// The above is to be counted again.
    pub(super) recount: bool,
    /// Retries that are due and unclaimed; counted once a second.
    pub(super) due_retries: u64,
    /// Runs that wait for a target, by the tag of its line; counted once a second.
    pub(super) lines: BTreeMap<u32, u64>,
    /// Since when the oldest unclaimed work waits; read once a second.
    pub(super) oldest: Option<Ms>,
    /// Bytes of the write-ahead log; read once a second.
    pub(super) wal: u64,
    /// Bytes of the dedup table.
    pub(super) dedup: u64,
    /// Figures over time.
    pub(super) series: Series,
    /// What each flow let in during the last minute.
    pub(super) pulse: Pulse,
    /// What senders sent and was accepted, by second, newest last.
    recent: VecDeque<(Ms, u64)>,
    /// Microseconds of the last commits.
    commits: VecDeque<u64>,
}

impl Tally {
    /// Adds what a commit at a time did.
    pub(super) fn add(&mut self, deltas: &Deltas, at: Ms) {
        for (all, delta) in self.runs.iter_mut().zip(deltas.runs) {
            *all += delta;
        }
        self.pending += deltas.pending;
        self.recount |= deltas.callbacks;
        self.count(&deltas.counts, at);
        let waits = self.waits();
        self.series.count(deltas, at, waits);
        self.pulse.add(&deltas.counts, at);
        let accepted = deltas.sent;
        if accepted > 0 {
            self.stored += accepted;
            let second = at / 1_000;
            match self.recent.back_mut() {
                Some((last, n)) if *last == second => *n += accepted,
                _ => self.recent.push_back((second, accepted)),
            }
            while self.recent.front().is_some_and(|(first, _)| *first <= second - RECENT) {
                self.recent.pop_front();
            }
        }
    }

    /// Adds to the totals alone.
    pub(super) fn count(&mut self, counts: &Counts, at: Ms) {
        for line in &counts.0 {
            let total = self.totals.entry((line.flow, line.verdict)).or_default();
            total.n += line.n;
            total.bytes += line.bytes;
            if line.n > 0 {
                total.last = total.last.max(at);
            }
            self.dirty.insert((line.flow, line.verdict));
        }
    }

    /// Work that is due and unclaimed.
    pub(super) fn waits(&self) -> u64 {
        u64::try_from(self.runs[RunState::Queued as usize]).unwrap_or(0) + self.due_retries
    }

    /// Accepted in the last ten seconds.
    pub(super) fn recent(&self, now: Ms) -> u64 {
        let from = now / 1_000 - RECENT;
        self.recent.iter().filter(|(second, _)| *second > from).map(|(_, n)| n).sum()
    }

    /// A commit took so many microseconds.
    pub(super) fn commit_took(&mut self, micros: u64) {
        if self.commits.len() == COMMITS {
            self.commits.pop_front();
        }
        self.commits.push_back(micros);
    }

    /// The 99th percentile of the last hundred commits, in microseconds.
    pub(super) fn p99(&self) -> u64 {
        let mut all: Vec<u64> = self.commits.iter().copied().collect();
        all.sort_unstable();
        all.get((all.len() * 99).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0)
    }

    /// Refusals that were counted and have no row.
    pub(super) fn only_counted(&self) -> i64 {
        let counted = self.totals.iter().filter(|((_, number), _)| *number == COUNTED);
        counted.map(|(_, line)| line.n).sum::<i64>() + self.unwritten
    }

    /// The total of a verdict over all flows, and when the last one came.
    pub(super) fn verdict(&self, verdict: Verdict) -> Total {
        let rejected = verdict == Verdict::Rejected;
        let mut all = Total::default();
        for ((_, number), line) in &self.totals {
            if *number == verdict as i64 || rejected && *number == COUNTED {
                all.n += line.n;
                all.bytes += line.bytes;
                all.last = all.last.max(line.last);
            }
        }
        if rejected {
            all.n += self.unwritten;
            all.last = all.last.max(self.last_unwritten);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentile_is_of_the_last_hundred() {
        let mut tally = Tally::default();
        assert_eq!(tally.p99(), 0);
        tally.commit_took(1_000_000);
        for micros in 1..=100 {
            tally.commit_took(micros);
        }
        assert_eq!(tally.p99(), 99);
    }

    #[test]
    fn recent_counts_ten_seconds() {
        let mut tally = Tally::default();
        for second in 0..30 {
            let mut deltas = Deltas { sent: 2, ..Deltas::default() };
            // What nobody sent is accepted as well, and no answer to a sender.
            deltas.counts.add(1, Verdict::Accepted as i64, 3, 0);
            tally.add(&deltas, second * 1_000);
        }
        assert_eq!((tally.recent(29_000), tally.recent(35_000), tally.recent(60_000)), (20, 8, 0));
        assert_eq!(tally.stored, 60);
    }
}
