//! How many requests each flow let in during the last minute, in memory.

use super::arrivals::LET_IN;
use super::ledger::Counts;
use crate::model::Ms;
use crate::model::time::MINUTE;
use std::collections::{BTreeMap, VecDeque};

/// How finely a minute is counted.
const STEP: Ms = 5_000;

/// The last minute of every flow, in steps.
#[derive(Debug, Default)]
pub(super) struct Pulse(BTreeMap<i64, VecDeque<(Ms, u64)>>);

impl Pulse {
    /// Adds what a commit at a time let in.
    pub(super) fn add(&mut self, counts: &Counts, at: Ms) {
        let step = at.div_euclid(STEP);
        for line in &counts.0 {
            let Ok(n @ 1..) = u64::try_from(line.n) else { continue };
            if !LET_IN.iter().any(|let_in| *let_in as i64 == line.verdict) {
                continue;
            }
            let steps = self.0.entry(line.flow).or_default();
            // A clock that was set back counts into the newest step.
            match steps.back_mut() {
                Some((last, count)) if *last >= step => *count += n,
                _ => steps.push_back((step, n)),
            }
            while steps.front().is_some_and(|(first, _)| *first <= step - MINUTE / STEP) {
                steps.pop_front();
            }
        }
    }

    /// What a flow let in during the minute before a time.
    pub(super) fn minute(&self, flow: i64, now: Ms) -> u64 {
        let from = now.div_euclid(STEP) - MINUTE / STEP;
        let steps = self.0.get(&flow).into_iter().flatten();
        steps.filter(|(step, _)| *step > from).map(|(_, n)| n).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::request::Verdict;

    fn counts(flow: i64, verdict: Verdict, n: i64) -> Counts {
        let mut counts = Counts::default();
        counts.add(flow, verdict as i64, n, 0);
        counts
    }

    #[test]
    fn a_minute_counts_what_was_let_in_and_forgets_the_rest() {
        let mut pulse = Pulse::default();
        for second in 0..300 {
            pulse.add(&counts(1, Verdict::Accepted, 2), second * 1_000);
            pulse.add(&counts(1, Verdict::Duplicate, 1), second * 1_000);
            pulse.add(&counts(1, Verdict::Rejected, 5), second * 1_000);
            pulse.add(&counts(2, Verdict::Filtered, 1), second * 1_000);
        }
        let now = 299_999;
        assert_eq!((pulse.minute(1, now), pulse.minute(2, now), pulse.minute(3, now)), (180, 60, 0));
        assert_eq!(pulse.minute(1, now + 30_000), 90);
        assert_eq!(pulse.minute(1, now + MINUTE), 0);
        assert!(pulse.0.values().all(|steps| steps.len() <= 13), "a minute has an end");
        // Set back by an hour: nothing is lost and nothing grows.
        pulse.add(&counts(2, Verdict::Accepted, 7), now - 3_600_000);
        assert_eq!(pulse.minute(2, now), 67);
    }
}
