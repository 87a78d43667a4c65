//! When a failed attempt is tried again.

use crate::model::Ms;
use crate::model::document::Retry;
use crate::model::run::Outcome;

/// No attempt follows another sooner.
pub const FLOOR: Ms = 100;
/// Attempts of an idempotent step whose document does not write `attempts`: two automatic retries.
pub const IDEMPOTENT_ATTEMPTS: u32 = 3;
/// Attempts of any other step whose document does not write `attempts`, and only where no connection
/// could be made.
pub const OTHER_ATTEMPTS: u32 = 2;
/// Attempts of an idempotent step, at least, where our own end cut one off: a crash must not use up
/// what was meant for the target, and a run that kills the process must not do so for ever.
pub const INTERRUPTED_ATTEMPTS: u32 = 10;

/// How an exchange without an answer failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// No connection could be made: nothing can have been delivered.
    NoConnection,
    /// The connection broke, or the time was up, after something may have left.
    Broken,
    /// Our own process, or its lease, ended while it was under way: that tells nothing of the target.
    Interrupted,
}

/// Whether a code says that the same request may do better later: 408, 425, 429, and 5xx but 501
/// and 505 (contract section 3).
#[must_use]
pub fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 425 | 429) || (status / 100 == 5 && !matches!(status, 501 | 505))
}

/// The class of an answer or of its absence. `success` says whether the step's success list has
/// the code, `waits` whether the step has `callback = true` (its 202 is a promise, not a result).
/// A 3xx is an answer like any other.
#[must_use]
pub fn classify(status: Result<u16, Transport>, success: bool, waits: bool) -> Outcome {
    match status {
        Ok(202) if waits => Outcome::Accepted,
        Ok(_) if success => Outcome::Ok,
        Ok(code) if is_transient(code) => Outcome::Transient,
        Ok(_) => Outcome::Refused,
        Err(_) => Outcome::Transient,
    }
}

/// How many attempts a round has, the first included, after an attempt that failed like this.
/// `failure` is `None` where an answer came.
#[must_use]
pub fn budget(retry: &Retry, idempotent: bool, failure: Option<Transport>) -> u32 {
    match (retry.written, idempotent, failure) {
        (_, true, Some(Transport::Interrupted)) => {
            let meant = if retry.written { retry.attempts } else { IDEMPOTENT_ATTEMPTS };
            meant.max(INTERRUPTED_ATTEMPTS)
        }
        (true, _, _) => retry.attempts,
        (false, true, _) => IDEMPOTENT_ATTEMPTS,
        (false, false, Some(Transport::NoConnection)) => OTHER_ATTEMPTS,
        (false, false, _) => 1,
    }
}

/// How long to wait before attempt `next` (2 or more) of a round, or `None` where the budget is
/// used up.
///
/// `dice` is uniform in 0..1: exponential delays have full jitter, `delay · 2^(next−2) · dice`, so
/// that a target that comes back is not met by everybody at once; a fixed delay is what was
/// written. `retry_after` is what the target asked for; it counts up to `max_delay`. Nothing is
/// sooner than [`FLOOR`].
#[must_use]
pub fn delay(
    retry: &Retry,
    next: u32,
    idempotent: bool,
    failure: Option<Transport>,
    retry_after: Option<Ms>,
    dice: f64,
) -> Option<Ms> {
    if next > budget(retry, idempotent, failure) {
        return None;
    }
    let wait = match retry_after {
        Some(asked) => asked.min(retry.max_delay),
        None if retry.exponential => {
            // What our own end cut off is no reason to spare the target.
            let doublings =
                if failure == Some(Transport::Interrupted) { 0 } else { next.saturating_sub(2).min(40) };
            let most = retry.delay.saturating_mul(1_i64 << doublings).min(retry.max_delay);
            #[expect(clippy::cast_possible_truncation, reason = "a share of a duration, far below 2^53")]
            let share = (most as f64 * dice.clamp(0.0, 1.0)) as Ms;
            share
        }
        None => retry.delay.min(retry.max_delay),
    };
    Some(wait.max(FLOOR))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::HOUR;
    use proptest::prelude::*;

    fn retry(attempts: u32, written: bool) -> Retry {
        Retry { attempts, delay: 1_000, exponential: true, max_delay: HOUR, written }
    }

    #[test]
    fn an_end_of_our_own_does_not_use_up_what_is_meant_for_the_target() {
        let cut = Some(Transport::Interrupted);
        for written in [retry(1, true), retry(3, false)] {
            assert!(delay(&written, INTERRUPTED_ATTEMPTS, true, cut, None, 0.5).is_some());
            assert!(delay(&written, INTERRUPTED_ATTEMPTS + 1, true, cut, None, 0.5).is_none());
        }
        assert!(delay(&retry(20, true), 20, true, cut, None, 0.5).is_some());
        assert!(delay(&retry(3, false), 2, false, cut, None, 0.5).is_none(), "it may have been delivered");
    }

    #[test]
    fn answers_fall_into_the_classes_of_the_contract() {
        for code in [408, 425, 429, 500, 502, 503, 504, 507, 599] {
            assert_eq!(classify(Ok(code), false, false), Outcome::Transient, "{code}");
        }
        for code in [300, 301, 302, 304, 308, 400, 401, 403, 404, 409, 410, 422, 501, 505] {
            assert_eq!(classify(Ok(code), false, false), Outcome::Refused, "{code}");
        }
        assert_eq!(classify(Ok(200), true, false), Outcome::Ok);
        assert_eq!(classify(Ok(302), true, false), Outcome::Ok);
        assert_eq!(classify(Ok(503), true, false), Outcome::Ok);
        assert_eq!(classify(Ok(202), true, false), Outcome::Ok);
        assert_eq!(classify(Ok(202), true, true), Outcome::Accepted);
        assert_eq!(classify(Ok(202), false, true), Outcome::Accepted);
        assert_eq!(classify(Ok(200), true, true), Outcome::Ok);
        assert_eq!(classify(Err(Transport::NoConnection), false, false), Outcome::Transient);
        assert_eq!(classify(Err(Transport::Broken), false, true), Outcome::Transient);
    }

    #[test]
    fn a_step_that_is_not_idempotent_repeats_only_where_no_connection_could_be_made() {
        let left_out = retry(3, false);
        let more =
            |next, idempotent, failure| delay(&left_out, next, idempotent, failure, None, 0.5).is_some();
        assert!(more(2, false, Some(Transport::NoConnection)));
        assert!(!more(3, false, Some(Transport::NoConnection)));
        assert!(!more(2, false, Some(Transport::Broken)));
        assert!(!more(2, false, None));
        assert!(more(3, true, Some(Transport::Broken)));
        assert!(more(3, true, None));
        assert!(!more(4, true, None));
    }

    #[test]
    fn a_written_retry_counts_as_written() {
        let written = retry(5, true);
        assert!(delay(&written, 5, false, None, None, 0.5).is_some());
        assert!(delay(&written, 6, false, None, None, 0.5).is_none());
        assert!(delay(&retry(1, true), 2, true, Some(Transport::NoConnection), None, 0.5).is_none());
    }

    #[test]
    fn delays_double_have_jitter_a_floor_and_a_most() {
        let retry = retry(60, true);
        assert_eq!(delay(&retry, 2, true, None, None, 1.0), Some(1_000));
        assert_eq!(delay(&retry, 3, true, None, None, 1.0), Some(2_000));
        assert_eq!(delay(&retry, 4, true, None, None, 0.5), Some(2_000));
        assert_eq!(delay(&retry, 2, true, None, None, 0.0), Some(FLOOR));
        assert_eq!(delay(&retry, 60, true, None, None, 1.0), Some(HOUR));
        let fixed = Retry { exponential: false, ..retry };
        assert_eq!(delay(&fixed, 7, true, None, None, 0.1), Some(1_000));
    }

    #[test]
    fn retry_after_is_honoured_up_to_the_most() {
        let retry = Retry { max_delay: 5_000, ..retry(3, true) };
        assert_eq!(delay(&retry, 2, true, None, Some(3_000), 0.0), Some(3_000));
        assert_eq!(delay(&retry, 2, true, None, Some(90_000), 0.0), Some(5_000));
        assert_eq!(delay(&retry, 2, true, None, Some(0), 0.9), Some(FLOOR));
    }

    proptest! {
        #[test]
        fn a_delay_is_never_under_the_floor_nor_over_the_most(
            base in 0_i64..1_000_000_000_000, most in 0_i64..1_000_000_000_000, next in 2_u32..200,
            dice in 0.0_f64..1.0, asked in proptest::option::of(0_i64..i64::MAX), exponential: bool,
        ) {
            let retry = Retry { attempts: 200, delay: base, exponential, max_delay: most, written: true };
            let wait = delay(&retry, next, false, None, asked, dice).unwrap();
            prop_assert!(wait >= FLOOR);
            prop_assert!(wait <= most.max(FLOOR));
        }
    }
}
