//! How many pieces of a job are done now: evenly at its rate, and fewer while requests crowd in.

use crate::model::Ms;
use crate::model::rate::RateLimit;
use crate::model::time::SECOND;

/// Pieces of one turn: enough that they share commits.
pub const TURN: u32 = 32;
/// What a job that was held up makes up for: no more than this time's worth, so that neither a
/// clock that jumps nor a machine that slept begins a burst.
const CATCH_UP: Ms = SECOND;
/// The longest time until the next look: a stop must be seen, and time lost is not made up.
const LOOK: Ms = 200;
/// The shortest time between two looks at a rate.
const TICK: Ms = 20;
/// Between two pieces while requests crowd in.
const GIVE_WAY: Ms = 50;

/// What a job does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// So many pieces.
    pub pieces: u32,
    /// Then it looks again after so many milliseconds.
    pub wait: Ms,
}

/// The pace of a job. Time is an argument, and may only go forward: a step back gives nothing.
#[derive(Debug, Clone, Copy)]
pub struct Pacer {
    rate: Option<RateLimit>,
    /// What is owed, in parts: a piece is a unit's milliseconds, a millisecond gives `rate.count`.
    owed: i64,
    at: Ms,
}

impl Pacer {
    /// A job that begins, or goes on, now: it owes its first piece and no more.
    #[must_use]
    pub fn new(rate: Option<RateLimit>, now: Ms) -> Self {
        let rate = rate.filter(|rate| rate.count > 0);
        Self { rate, owed: rate.map_or(0, |rate| rate.per), at: now }
    }

    /// What to do now; `crowded` where requests wait for the store, which go first.
    pub fn turn(&mut self, now: Ms, crowded: bool) -> Turn {
        let most = if crowded { 1 } else { TURN };
        let Some(rate) = self.rate else {
            return Turn { pieces: most, wait: if crowded { GIVE_WAY } else { 0 } };
        };
        let count = i64::from(rate.count);
        let passed = now.saturating_sub(self.at).clamp(0, CATCH_UP);
        self.at = self.at.max(now);
        self.owed = (self.owed + passed * count).min(rate.per.max(CATCH_UP * count));
        let pieces = u32::try_from(self.owed / rate.per).unwrap_or(TURN).min(most);
        self.owed -= i64::from(pieces) * rate.per;
        let until = (rate.per - self.owed).div_euclid(count) + 1;
        let least = if crowded { GIVE_WAY } else { TICK };
        Turn { pieces, wait: until.clamp(least, LOOK) }
    }

    /// What was taken for a turn and not done is owed again.
    pub fn give_back(&mut self, pieces: u32) {
        if let Some(rate) = self.rate {
            self.owed = (self.owed + i64::from(pieces) * rate.per).min(rate.per);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::{DAY, HOUR, MINUTE};
    use proptest::prelude::*;

    const FIFTY: Option<RateLimit> = Some(RateLimit { count: 50, per: SECOND });

    /// Pieces of a stretch of time, in which each turn is followed by the wait that it names.
    fn within(pacer: &mut Pacer, from: Ms, to: Ms, crowded: bool) -> i64 {
        let (mut now, mut pieces) = (from, 0);
        while now < to {
            let turn = pacer.turn(now, crowded);
            pieces += i64::from(turn.pieces);
            now += turn.wait.max(1);
        }
        pieces
    }

    #[test]
    fn fifty_a_second_are_fifty_in_each_second() {
        let mut pacer = Pacer::new(FIFTY, 0);
        assert_eq!(pacer.turn(0, false).pieces, 1, "the first one leaves at once, and it alone");
        for second in 0..20 {
            let pieces = within(&mut pacer, second * SECOND + 1, (second + 1) * SECOND + 1, false);
            assert!((48..=51).contains(&pieces), "{pieces} in second {second}");
        }
    }

    #[test]
    fn a_slow_rate_is_slow_and_loses_nothing_by_looking() {
        let mut pacer = Pacer::new(Some(RateLimit { count: 6, per: MINUTE }), 0);
        let pieces = within(&mut pacer, 0, 10 * MINUTE, false);
        assert!((59..=61).contains(&pieces), "{pieces}");
    }

    #[test]
    fn a_clock_that_jumps_three_days_begins_no_burst() {
        let mut pacer = Pacer::new(FIFTY, 0);
        within(&mut pacer, 0, SECOND, false);
        let at = SECOND + 3 * DAY;
        let pieces = within(&mut pacer, at, at + SECOND, false);
        assert!(pieces <= 101, "{pieces}: one second's worth beside what is due");
        assert_eq!(pacer.turn(5, false).pieces, 0, "a step back gives nothing");
    }

    #[test]
    fn without_a_rate_it_goes_as_fast_as_it_can_and_gives_way() {
        let mut pacer = Pacer::new(None, 0);
        assert_eq!(pacer.turn(0, false), Turn { pieces: TURN, wait: 0 });
        assert_eq!(pacer.turn(0, true), Turn { pieces: 1, wait: GIVE_WAY });
        let none = Pacer::new(Some(RateLimit { count: 0, per: SECOND }), 0).turn(0, false);
        assert_eq!(none.pieces, TURN, "a rate of none would never end");
    }

    #[test]
    fn a_crowd_goes_first() {
        let mut pacer = Pacer::new(Some(RateLimit { count: 1_000, per: SECOND }), 0);
        assert!(within(&mut pacer, 0, SECOND, true) <= 20);
    }

    #[test]
    fn what_was_not_done_is_owed_again_but_not_as_a_burst() {
        let mut pacer = Pacer::new(FIFTY, 0);
        assert_eq!(pacer.turn(0, false).pieces, 1);
        pacer.give_back(1);
        assert_eq!(pacer.turn(0, false).pieces, 1);
        pacer.give_back(500);
        assert_eq!(pacer.turn(0, false).pieces, 1);
    }

    proptest! {
        /// However time goes, no more is done than the rate gives, one piece and one second's worth
        /// beside.
        #[test]
        fn it_is_never_faster(
            count in 1u32..5_000, per in prop_oneof![Just(SECOND), Just(MINUTE), Just(HOUR)],
            steps in prop::collection::vec((0i64..3_000, any::<bool>()), 1..200),
        ) {
            let rate = RateLimit { count, per };
            let mut pacer = Pacer::new(Some(rate), 0);
            let (mut now, mut done) = (0, 0i64);
            for (step, crowded) in steps {
                now += step;
                let turn = pacer.turn(now, crowded);
                prop_assert!(turn.pieces <= TURN && turn.wait > 0 && turn.wait <= LOOK);
                done += i64::from(turn.pieces);
                prop_assert!(done * per <= per + (now + CATCH_UP) * i64::from(count));
            }
        }
    }
}
