//! `rate_limit`: a bucket of one unit's worth of requests that refills evenly.

use crate::model::Ms;
use crate::model::gate::RateLimit;

/// What is left of a limit. Time is an argument, and may only go forward: a step back refills
/// nothing.
///
/// Counted in whole parts of a request (a unit's milliseconds each), so that nothing is lost by
/// rounding however often it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    limit: RateLimit,
    /// Parts; a request takes `limit.per` of them, a millisecond gives `limit.count`.
    level: i64,
    at: Ms,
}

impl Bucket {
    /// A full one.
    #[must_use]
    pub fn new(limit: RateLimit, now: Ms) -> Self {
        Self { limit, level: full(limit), at: now }
    }

    /// Takes a request's worth at a time, under the limit as it is then.
    ///
    /// # Errors
    /// The milliseconds until one would pass.
    pub fn take(&mut self, limit: RateLimit, now: Ms) -> Result<(), Ms> {
        if self.limit != limit {
            // Another limit begins full: who raised it wants the traffic, and who lowered it loses
            // one bucket.
            *self = Self::new(limit, now);
        }
        let count = i64::from(limit.count);
        let passed = now.saturating_sub(self.at).clamp(0, limit.per);
        self.at = self.at.max(now);
        self.level = (self.level + passed * count).min(full(limit));
        if self.level >= limit.per {
            self.level -= limit.per;
            return Ok(());
        }
        let wanted = limit.per - self.level;
        Err(wanted.div_euclid(count) + i64::from(wanted % count > 0))
    }
}

fn full(limit: RateLimit) -> i64 {
    i64::from(limit.count) * limit.per
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::{HOUR, SECOND};
    use proptest::prelude::*;

    const TEN: RateLimit = RateLimit { count: 10, per: SECOND };

    #[test]
    fn one_units_worth_passes_at_once_and_then_one_each_tenth() {
        let mut bucket = Bucket::new(TEN, 1_000);
        for _ in 0..10 {
            assert_eq!(bucket.take(TEN, 1_000), Ok(()));
        }
        assert_eq!(bucket.take(TEN, 1_000), Err(100));
        assert_eq!(bucket.take(TEN, 1_099), Err(1));
        assert_eq!(bucket.take(TEN, 1_100), Ok(()));
        assert_eq!(bucket.take(TEN, 1_100), Err(100));
        let after = (0..20).filter(|_| bucket.take(TEN, 60_000).is_ok()).count();
        assert_eq!(after, 10, "it never holds more than one unit's worth");
    }

    #[test]
    fn a_clock_that_goes_back_refills_nothing() {
        let mut bucket = Bucket::new(RateLimit { count: 1, per: SECOND }, 5_000);
        let limit = RateLimit { count: 1, per: SECOND };
        assert_eq!(bucket.take(limit, 5_000), Ok(()));
        assert_eq!(bucket.take(limit, 1_000), Err(1_000));
        assert_eq!(bucket.take(limit, 5_000), Err(1_000));
        assert_eq!(bucket.take(limit, 6_000), Ok(()));
    }

    #[test]
    fn a_changed_limit_begins_anew() {
        let mut bucket = Bucket::new(RateLimit { count: 1, per: HOUR }, 0);
        assert_eq!(bucket.take(RateLimit { count: 1, per: HOUR }, 0), Ok(()));
        assert_eq!(bucket.take(RateLimit { count: 1, per: HOUR }, 0), Err(HOUR));
        assert_eq!(bucket.take(TEN, 0), Ok(()));
    }

    proptest! {
        /// However requests are spread, no window lets more through than a bucket and what flows
        /// in meanwhile; and what is told to wait passes after it.
        #[test]
        fn it_never_lets_more_through(
            count in 1u32..2_000, per in prop_oneof![Just(1_000i64), Just(60_000), Just(HOUR)],
            steps in prop::collection::vec(0i64..5_000, 1..200),
        ) {
            let limit = RateLimit { count, per };
            let (mut now, mut passed) = (0, 0i64);
            let mut bucket = Bucket::new(limit, 0);
            for step in steps {
                now += step;
                match bucket.take(limit, now) {
                    Ok(()) => passed += 1,
                    Err(wait) => {
                        prop_assert!(wait > 0 && wait <= per);
                        let mut later = bucket;
                        prop_assert!(later.take(limit, now + wait).is_ok());
                        let mut early = bucket;
                        prop_assert!(early.take(limit, now + wait - 1).is_err());
                    }
                }
                prop_assert!(passed * per <= (i64::from(count) * per) + now * i64::from(count));
            }
        }
    }
}
