//! The gates of a flow that need memory or an address: `allow_from`, `rate_limit`, pauses.

use super::answer::{self, Problem};
use crate::model::gate::{Gates, Pausing};
use crate::model::{FlowId, Ms};
use crate::rules::bucket::Bucket;
use crate::rules::origin::listed;
use std::collections::HashMap;
use std::net::IpAddr;
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
    pub(super) fn take(&self, flow: FlowId, gates: &Gates, now: Ms) -> Result<(), Problem> {
        let Some(limit) = gates.rate_limit else { return Ok(()) };
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

/// Judges the sender's address.
///
/// # Errors
/// 403.
pub(super) fn allowed(gates: &Gates, from: IpAddr) -> Result<(), Problem> {
    if gates.allow_from.is_empty() || listed(&gates.allow_from, from) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, format!("{from} is not in allow_from")))
}

/// Judges pauses.
///
/// # Errors
/// 503 with `Retry-After`: the end of the pause, where it is known.
pub(super) fn open(pausing: Pausing, now: Ms) -> Result<(), Problem> {
    match pausing {
        Pausing::Open | Pausing::Held => Ok(()),
        Pausing::Refusing(until) => {
            let mut problem = Problem::unavailable().caused("paused");
            if let Some(until) = until {
                problem.header = Some(Box::new(later(until - now)));
            }
            Err(problem)
        }
    }
}

/// `Retry-After` for a time that is to pass, in whole seconds, rounded up.
fn later(wait: Ms) -> (warp::http::HeaderName, HeaderValue) {
    let seconds = (wait.max(1) + 999) / 1_000;
    let value = HeaderValue::try_from(seconds.min(LONGEST).to_string());
    (RETRY_AFTER, value.unwrap_or(answer::RETRY_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gate::RateLimit;
    use crate::model::time::MINUTE;

    #[test]
    fn a_full_bucket_is_a_429_that_says_when() {
        let buckets = Buckets::default();
        let gates = Gates { rate_limit: Some(RateLimit { count: 2, per: MINUTE }), ..Gates::default() };
        assert_eq!(buckets.take(FlowId(1), &gates, 0), Ok(()));
        assert_eq!(buckets.take(FlowId(1), &gates, 0), Ok(()));
        let problem = buckets.take(FlowId(1), &gates, 1).unwrap_err();
        assert_eq!(problem.status, 429);
        assert_eq!(problem.header, Some(Box::new((RETRY_AFTER, HeaderValue::from_static("30")))));
        assert_eq!(buckets.take(FlowId(2), &gates, 1), Ok(()), "each flow has its own");
        assert_eq!(buckets.take(FlowId(1), &gates, 30_000), Ok(()));
        assert_eq!(buckets.take(FlowId(3), &Gates::default(), 0), Ok(()));
    }

    #[test]
    fn an_address_outside_is_a_403_and_no_list_lets_all_in() {
        let gates = Gates { allow_from: vec!["203.0.113.0/24".parse().unwrap()], ..Gates::default() };
        assert_eq!(allowed(&gates, "203.0.113.255".parse().unwrap()), Ok(()));
        assert_eq!(allowed(&gates, "203.0.114.0".parse().unwrap()).unwrap_err().status, 403);
        assert_eq!(allowed(&Gates::default(), "2001:db8::1".parse().unwrap()), Ok(()));
    }

    #[test]
    fn a_pause_says_when_it_ends() {
        assert_eq!(open(Pausing::Held, 0), Ok(()));
        let value = |until| open(Pausing::Refusing(until), 1_000).unwrap_err().header.map(|header| header.1);
        assert_eq!(value(Some(1_001)), Some(HeaderValue::from_static("1")));
        assert_eq!(value(Some(62_000)), Some(HeaderValue::from_static("61")));
        assert_eq!(value(Some(Ms::MAX)), Some(HeaderValue::from_static("3600")));
        assert_eq!(value(None), Some(answer::RETRY_SECONDS));
    }
}
