//! How fast runs are started while requests crowd in: accepting goes before running.

use std::time::Duration;

/// While requests crowd in, so many runs are started…
pub const FEW: usize = 6;
/// …each so long. How many are under way is left alone: a run that waits for its target's answer
/// costs nothing, and must not keep another from starting.
pub const EACH: Duration = Duration::from_millis(2);
/// Runs that are started in one go at most; their claims share a commit.
pub const CLAIMS: usize = 256;

/// The pace of starts. Times are measured from any one moment.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    rest: Duration,
}

impl Pace {
    /// How many runs may be started at once now; none until [`Pace::rest`] is over.
    #[must_use]
    pub fn most(&self, crowded: bool, now: Duration) -> usize {
        match crowded {
            true if now < self.rest => 0,
            true => FEW,
            false => CLAIMS,
        }
    }

    /// Until when nothing is started while requests crowd in.
    #[must_use]
    pub fn rest(&self) -> Duration {
        self.rest
    }

    /// Some were started.
    pub fn started(&mut self, now: Duration) {
        self.rest = now + EACH;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many are started in a time, by somebody who looks that often.
    fn within(time: Duration, look: Duration, crowded: bool) -> usize {
        let (mut pace, mut now, mut all) = (Pace::default(), Duration::ZERO, 0);
        while now < time {
            let most = pace.most(crowded, now);
            if most > 0 {
                all += most;
                pace.started(now);
            }
            now += look;
        }
        all
    }

    #[test]
    fn while_requests_crowd_in_a_few_are_started_each_two_milliseconds_and_no_more() {
        let second = Duration::from_secs(1);
        for look in [Duration::from_micros(10), Duration::from_micros(700), Duration::from_millis(2)] {
            let all = within(second, look, true);
            assert!(all <= 500 * FEW, "{all} with a look each {look:?}");
            assert!(all >= 350 * FEW, "{all} with a look each {look:?}");
        }
        assert_eq!(within(second, Duration::from_millis(2), true), 3_000);
        assert_eq!(within(second, Duration::from_millis(100), true), 10 * FEW, "what was missed is lost");
    }

    #[test]
    fn the_bound_is_met_exactly() {
        let mut pace = Pace::default();
        assert_eq!(pace.most(true, Duration::ZERO), FEW);
        pace.started(Duration::ZERO);
        assert_eq!(pace.most(true, EACH.checked_sub(Duration::from_nanos(1)).unwrap()), 0);
        assert_eq!(pace.most(true, EACH), FEW);
        assert_eq!(pace.rest(), EACH);
    }

    #[test]
    fn without_a_crowd_nobody_rests() {
        let mut pace = Pace::default();
        pace.started(Duration::ZERO);
        assert_eq!(pace.most(false, Duration::ZERO), CLAIMS);
        assert_eq!(within(Duration::from_millis(1), Duration::from_micros(100), false), 10 * CLAIMS);
    }
}
