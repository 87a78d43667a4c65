//! The gates of a flow that need memory or a clock: `rate_limit`, pauses.

use super::answer::{self, Problem};
use crate::model::gate::{PAUSED, Pausing, RateLimit};
use crate::model::{FlowId, Ms};
use crate::rules::answer::Explains;
use crate::rules::bucket::Bucket;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use warp::http::header::RETRY_AFTER;
use warp::http::{HeaderValue, StatusCode};

/// The longest that a sender is told to wait, in seconds.
const LONGEST: Ms = 3_600;

/// What is left of each flow's `rate_limit`. Flows are few; those without one have no entry.
#[derive(Debug, Default)]
pub(super) struct Buckets(Mutex<HashMap<FlowId, Bucket>>);

impl Buckets {
    /// Takes a request's worth: asked once a request, after everything that could refuse it and
    /// hangs on the sender.
    ///
    /// # Errors
    /// 429 with `Retry-After`.
    pub(super) fn take(&self, flow: FlowId, limit: RateLimit, now: Ms) -> Result<(), Problem> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(flow).or_insert_with(|| Bucket::new(limit, now));
        bucket.take(limit, now).map_err(|wait| {
            let unit = match limit.per {
                crate::model::time::SECOND => "s",
                crate::model::time::MINUTE => "m",
                _ => "h",
            };
            let cause = format!("over rate_limit {}/{unit}", limit.count);
            Problem {
                header: Some(Box::new(later(wait))),
                ..Problem::new(StatusCode::TOO_MANY_REQUESTS, cause)
            }
        })
    }
}

/// Judges pauses.
///
/// # Errors
/// 503 with `Retry-After`: the end of the pause, where it is known.
pub(super) fn open(pausing: Pausing, now: impl FnOnce() -> Ms) -> Result<(), Problem> {
    match pausing {
        Pausing::Open | Pausing::Held => Ok(()),
        Pausing::Refusing(until) => {
            let mut problem = Problem::unavailable().caused(PAUSED);
            if let Some(until) = until {
                problem.header = Some(Box::new(later(until - now())));
            }
            Err(problem)
        }
    }
}

/// `Retry-After` for a time that is to pass, in whole seconds, rounded up.
fn later(wait: Ms) -> Explains {
    let seconds = (wait.max(1) + 999) / 1_000;
    let value = HeaderValue::try_from(seconds.min(LONGEST).to_string());
    (RETRY_AFTER, value.unwrap_or(answer::RETRY_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::MINUTE;

    #[test]
    fn a_full_bucket_is_a_429_that_says_when() {
        let buckets = Buckets::default();
        let limit = RateLimit { count: 2, per: MINUTE };
        assert_eq!(buckets.take(FlowId(1), limit, 0), Ok(()));
        assert_eq!(buckets.take(FlowId(1), limit, 0), Ok(()));
        let problem = buckets.take(FlowId(1), limit, 1).unwrap_err();
        assert_eq!(problem.status, 429);
        assert_eq!(problem.header, Some(Box::new((RETRY_AFTER, HeaderValue::from_static("30")))));
        assert_eq!(buckets.take(FlowId(2), limit, 1), Ok(()), "each flow has its own");
        assert_eq!(buckets.take(FlowId(1), limit, 30_000), Ok(()));
    }

    #[test]
    fn a_pause_says_when_it_ends() {
        assert_eq!(open(Pausing::Held, || 0), Ok(()));
        let value =
            |until| open(Pausing::Refusing(until), || 1_000).unwrap_err().header.map(|header| header.1);
        assert_eq!(value(Some(1_001)), Some(HeaderValue::from_static("1")));
        assert_eq!(value(Some(62_000)), Some(HeaderValue::from_static("61")));
        assert_eq!(value(Some(Ms::MAX)), Some(HeaderValue::from_static("3600")));
        assert_eq!(value(None), Some(answer::RETRY_SECONDS));
    }
}
