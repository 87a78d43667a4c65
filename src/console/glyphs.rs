//! A glyph, a word and a role for each verdict and state: never colour alone.

use super::theme::Role;
use crate::model::request::Verdict;
use crate::model::run::{CallbackState, RunState, StepState};

/// Of a verdict.
#[must_use]
pub fn verdict(verdict: Verdict) -> (&'static str, Role) {
    match verdict {
        Verdict::Accepted => ("✓", Role::Good),
        Verdict::Duplicate => ("≡", Role::Info),
        Verdict::Filtered => ("○", Role::Muted),
        Verdict::Rejected => ("✗", Role::Warn),
    }
}

/// Of a run.
#[must_use]
pub fn run(state: RunState) -> (&'static str, Role) {
    match state {
        RunState::Queued => ("·", Role::Muted),
        RunState::Running => ("►", Role::Busy),
        RunState::Waiting => ("◐", Role::Info),
        RunState::Retrying => ("↻", Role::Warn),
        RunState::Errored => ("!", Role::Bad),
        RunState::Succeeded => ("✓", Role::Good),
        RunState::SucceededWithSkips => ("»", Role::Good),
        RunState::Failed => ("✗", Role::Bad),
        RunState::Aborted => ("■", Role::Muted),
    }
}

/// The word of a run's state in lists.
#[must_use]
pub fn run_word(state: RunState) -> &'static str {
    match state {
        RunState::SucceededWithSkips => "with_skips",
        other => other.word(),
    }
}

/// Of a callback; one that expired is bad as long as it is overdue.
#[must_use]
pub fn callback(state: CallbackState) -> (&'static str, Role) {
    match state {
        CallbackState::Pending => ("◐", Role::Info),
        CallbackState::Received => ("✓", Role::Good),
        CallbackState::Expired => ("!", Role::Bad),
        CallbackState::Cancelled => ("■", Role::Muted),
    }
}

/// Of a step.
#[must_use]
pub fn step(state: StepState) -> (&'static str, Role) {
    match state {
        StepState::Pending => ("·", Role::Muted),
        StepState::Running => ("►", Role::Busy),
        StepState::Waiting => ("◐", Role::Info),
        StepState::Retrying => ("↻", Role::Warn),
        StepState::Errored => ("!", Role::Bad),
        StepState::Succeeded => ("✓", Role::Good),
        StepState::Skipped => ("»", Role::Muted),
        StepState::Failed => ("✗", Role::Bad),
    }
}
