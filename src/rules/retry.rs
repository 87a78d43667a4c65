//! When a failed attempt is tried again.

use crate::model::Ms;
use crate::model::document::Retry;
use crate::model::run::Outcome;

/// How an exchange without an answer failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// No connection could be made: nothing can have been delivered.
    NoConnection,
    /// The connection broke, or the time was up, after something may have left.
    Broken,
}

/// The class of an answer or of its absence, for a step with this success list.
#[must_use]
pub fn classify(_status: Result<u16, Transport>, _success: bool, _waits: bool) -> Outcome {
    todo!()
}

/// How long to wait before attempt `next` (2 or more) of a round, or `None` where the budget is
/// used up. `dice` is uniform in 0..1 (full jitter); `retry_after` is what the target asked for.
#[must_use]
pub fn delay(
    _retry: &Retry,
    _next: u32,
    _idempotent: bool,
    _failure: Option<Transport>,
    _retry_after: Option<Ms>,
    _dice: f64,
) -> Option<Ms> {
    todo!()
}
