//! When a post that did not arrive is sent again.

use crate::model::document::{
    Body, Flow, Integration, Missing, OnError, RequestStep, Retry, StatusMatch, Step, StepKind, Trigger,
};
use crate::model::time::{DAY, MINUTE, SECOND};
use crate::model::{FlowId, IntegrationId, Ms};
use crate::rules::plan::Plan;
use crate::rules::retry::{delay, is_transient};
use crate::rules::template::RenderError;

/// How long a post is tried.
pub const LIFE: Ms = DAY;
/// Attempts, where the answer is one that repeating does not change.
pub const REFUSED: u32 = 5;
/// Posts that wait for one receiver at most; what is over is told once there is room.
pub const WAITING: u64 = 256;
/// How long an exchange may take.
pub const TIMEOUT: Ms = 10 * SECOND;

const RETRY: Retry =
    Retry { attempts: u32::MAX, delay: 2 * SECOND, exponential: true, max_delay: 10 * MINUTE, written: true };

/// When a post is sent again that failed for the `attempts`th time; `None` where it is given up.
///
/// `status` is what was answered, where something was; `never` says that no attempt will do better
/// as things are configured. `dice` is uniform in 0..1.
#[must_use]
pub fn again(attempts: u32, made: Ms, failure: Failure, now: Ms, dice: f64) -> Option<Ms> {
    let bound = match failure {
        Failure::Answered(status) if is_transient(status) => u32::MAX,
        Failure::Unanswered => u32::MAX,
        Failure::Answered(_) | Failure::Unsent => REFUSED,
    };
    if attempts >= bound || now - made >= LIFE {
        return None;
    }
    let wait = delay(&RETRY, attempts.saturating_add(1), true, None, None, dice)?;
    Some(now + wait.max(SECOND))
}

/// What posts the document of a run's request to a URL of an alert, as its only step.
///
/// # Errors
/// A template that does not parse.
pub fn plan(
    owner: IntegrationId,
    version: u32,
    integration: &Integration,
    url: &str,
) -> Result<Plan, RenderError> {
    let step = RequestStep {
        connection: None,
        method: "POST".to_owned(),
        url: url.to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        body: Body::Document,
        timeout: TIMEOUT,
        success: vec![StatusMatch::Class(2)],
        errors: Vec::new(),
        default_error: None,
        outputs: Vec::new(),
        retry: RETRY,
        idempotent: true,
        callback: false,
        callback_deadline: DAY,
        for_each: None,
    };
    let flow = Flow {
        id: "alert".to_owned(),
        id_written: true,
        name: "alert".to_owned(),
        was: None,
        description: String::new(),
        trigger: Trigger::Manual,
        steps: vec![Step {
            name: "post".to_owned(),
            kind: StepKind::Send(Box::new(step)),
            when: None,
            missing: Missing::Fail,
            on_error: OnError::Stop,
        }],
    };
    let whole = Integration { flows: vec![flow], ..integration.clone() };
    Plan::compile(owner, FlowId(0), version, &whole, 0)
}

/// How a post failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// With this code, which is no success.
    Answered(u16),
    /// No answer came.
    Unanswered,
    /// It could not be sent: the address guard, a URL that is none.
    Unsent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_do_better_is_tried_for_a_day_and_what_may_not_five_times() {
        for failure in [Failure::Unanswered, Failure::Answered(503), Failure::Answered(429)] {
            let (mut attempts, mut now) = (1, 0);
            while let Some(next) = again(attempts, 0, failure, now, 1.0) {
                assert!(next > now && next - now <= 10 * MINUTE, "{attempts}: {}", next - now);
                now = next;
                attempts += 1;
            }
            assert!(now >= LIFE && attempts > 100, "{failure:?} {attempts}");
        }
        for failure in [Failure::Unsent, Failure::Answered(404), Failure::Answered(301)] {
            assert!(again(REFUSED - 1, 0, failure, 1, 0.0).is_some());
            assert_eq!(again(REFUSED, 0, failure, 1, 0.0), None);
        }
        assert_eq!(again(1, 0, Failure::Unanswered, 5, 0.0), Some(5 + SECOND), "never at once");
    }
}
