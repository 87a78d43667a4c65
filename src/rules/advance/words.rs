//! Causes and refusals in sentences: what happened, to what, what to do.

use crate::model::Ms;
use crate::model::ask::Refusal;
use crate::model::document::{RequestStep, StatusMatch};
use crate::model::run::{Callback, CallbackState, Got, RunState};
use crate::model::time::{rfc3339, spell_duration};

/// What is said of what was cut off while it was under way.
pub const UNKNOWN: &str = "may have been delivered";

/// Why a step failed: for people, and as the name of its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// In words.
    pub text: String,
    /// Without numbers, ids and quoted values.
    pub normal: String,
}

impl Failure {
    /// A failure whose group is its own text without what varies.
    pub fn new(text: String) -> Self {
        let normal = normal(&text);
        Self { text, normal }
    }

    /// With the number of attempts, where there was more than one. The group does not count them.
    pub fn after(mut self, attempts: u32) -> Self {
        if attempts > 1 {
            self.text = format!("{} after {attempts} attempts", self.text);
        }
        self
    }
}

/// An answer that is no success: the document's own message for the code, for its class, or for
/// every other failure; else who answered what. `target` is the connection's name or the host.
#[must_use]
pub fn answer_cause(step: &RequestStep, status: u16, target: &str) -> String {
    let message = |wanted: fn(StatusMatch) -> bool| {
        step.errors
            .iter()
            .find(|(matches, _)| wanted(*matches) && matches.matches(status))
            .map(|(_, message)| message)
    };
    let own = message(|matches| matches!(matches, StatusMatch::Code(_)))
        .or_else(|| message(|matches| matches!(matches, StatusMatch::Class(_))))
        .or(step.default_error.as_ref());
    match own {
        Some(own) => format!("{own}: {target} answered {status}"),
        None => format!("{target} answered {status}"),
    }
}

/// An answer that is no success, and its group: the code stays in it, since 404 and 503 want
/// different remedies; what else varies does not.
pub(super) fn answered(step: &RequestStep, status: u16, target: &str) -> Failure {
    let text = answer_cause(step, status, target);
    let head = text.strip_suffix(&format!(" {status}")).unwrap_or(&text);
    let normal = format!("{} {status}", normal(head));
    Failure { text, normal }
}

/// A text without what varies from run to run: numbers, ids and quoted values become `#`, so that
/// failures of one kind are one group.
#[must_use]
pub fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if matches!(first, '"' | '`' | '“') {
            let close = if first == '“' { '”' } else { first };
            if let Some(end) = rest[first.len_utf8()..].find(close) {
                out.push('#');
                rest = &rest[first.len_utf8() + end + close.len_utf8()..];
                continue;
            }
        }
        if first.is_alphanumeric() {
            let end =
                rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'))).unwrap_or(rest.len());
            let word = &rest[..end];
            if word.contains(|c: char| c.is_ascii_digit()) {
                // Dotted and colon-separated numbers (addresses, times, decimals) are one.
                if !out.ends_with("#.") && !out.ends_with("#:") {
                    out.push('#');
                } else {
                    out.pop();
                }
            } else {
                out.push_str(word);
            }
            rest = &rest[end..];
            continue;
        }
        out.push(first);
        rest = &rest[first.len_utf8()..];
    }
    out
}

/// A clock time, as far as a pure rule knows one: date and time in UTC.
fn clock(at: Ms) -> String {
    let text = rfc3339(at);
    match (text.get(..10), text.get(11..19)) {
        (Some(day), Some(time)) => format!("{day} {time} UTC"),
        _ => text,
    }
}

/// Why a step was left out.
pub(super) const WHEN_FALSE: &str = "its when is false";

/// The group of what nobody answered in time.
pub const EXPIRED: &str = "expired";

/// A callback's deadline passed.
pub(super) fn expired(deadline: Ms, waited: Ms) -> Failure {
    Failure {
        text: format!("expired: no answer came by {} ({})", clock(deadline), spell_duration(waited)),
        normal: EXPIRED.to_owned(),
    }
}

/// A person cancelled the callback.
pub(super) fn cancelled(actor: &str, reason: Option<&str>) -> Failure {
    let text = match reason {
        Some(reason) => format!("cancelled by {actor}: {reason}"),
        None => format!("cancelled by {actor}"),
    };
    Failure { text, normal: "cancelled".to_owned() }
}

/// An attempt's outcome is unknown, and repeating it could double what it did.
pub(super) fn may_have_been_delivered(lapsed: Option<Ms>, now: Ms) -> Failure {
    let why = match lapsed {
        Some(at) => format!("its lease lapsed at {} after sending", clock(at)),
        None => format!("the process died after sending (found at {})", clock(now)),
    };
    Failure {
        text: format!("{UNKNOWN}: {why}. Ask the target, then retry or skip"),
        normal: UNKNOWN.to_owned(),
    }
}

/// An attempt's outcome is unknown, and the step may be repeated.
pub(super) fn interrupted() -> Failure {
    Failure { text: "interrupted".to_owned(), normal: "interrupted".to_owned() }
}

/// The same, and no attempt is left: what an operator does next hangs on what arrived.
pub(super) fn interrupted_for_good(attempts: u32) -> Failure {
    let after = if attempts > 1 { format!(" in attempt {attempts}") } else { String::new() };
    Failure {
        text: format!("interrupted{after}: it may have been delivered. Ask the target, then retry or skip"),
        normal: format!("interrupted: it {UNKNOWN}"),
    }
}

/// What is left to say of an attempt that nobody could write down: its process was gone.
pub(super) const NOT_KEPT: &str = "what was sent was not kept";

/// What people should know of an answer that is a success all the same: why `outputs` and `body` of
/// its step are missing.
#[must_use]
pub fn note(got: &Got) -> Option<String> {
    if got.over {
        return Some("its answer is over 6 MiB: outputs and body of this step are missing".to_owned());
    }
    got.binary.then(|| "its body is binary (not UTF-8): no value can be taken from it".to_owned())
}

/// See [`super::state_phrase`].
pub(super) fn state_phrase(state: RunState) -> &'static str {
    match state {
        RunState::Queued => "is queued",
        RunState::Running => "is running",
        RunState::Waiting => "is waiting",
        RunState::Retrying => "is retrying",
        RunState::Errored => "is errored",
        RunState::Succeeded => "succeeded",
        RunState::SucceededWithSkips => "succeeded with skips",
        RunState::Failed => "failed",
        RunState::Aborted => "was aborted",
    }
}

/// A verb that the state does not allow.
pub(super) fn not_possible(verb: &str, state: RunState) -> Refusal {
    let phrase = state_phrase(state);
    if state.ended() {
        let instead = if verb == "abort" { "" } else { "; replay it instead" };
        Refusal::refused("ended", format!("{verb} is not possible: the run {phrase}{instead}"))
    } else if verb == "skip" {
        Refusal::refused("not_stopped", "skip is not possible: no step is errored, waiting or retrying")
    } else {
        Refusal::refused("not_stopped", format!("{verb} is not possible: the run {phrase}"))
    }
}

/// A verb on a callback that the run does not wait for.
pub(super) fn not_waiting(verb: &str, state: RunState, callback: &Callback) -> Refusal {
    let why = match (callback.state, callback.status, callback.received) {
        (CallbackState::Received, Some(status), Some(at)) => {
            format!("it was answered {status} at {}", clock(at))
        }
        (CallbackState::Received, _, _) => "it was answered".to_owned(),
        (CallbackState::Cancelled, _, _) => "it was cancelled".to_owned(),
        (CallbackState::Expired, _, _) => "it expired".to_owned(),
        _ if state == RunState::Waiting => "the run waits for something else".to_owned(),
        _ => format!("the run {}", state_phrase(state)),
    };
    Refusal::refused("not_waiting", format!("{verb} is not possible: {why}"))
}

/// A state that an input has no use for: nothing is to be done.
pub(super) fn no_use(code: &str, state: RunState) -> Refusal {
    Refusal::refused(code, format!("nothing to do: the run {}", state_phrase(state)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_keeps_the_words_and_drops_what_varies() {
        for (text, group) in [
            ("Progix refused order 4711", "Progix refused order #"),
            ("no connection to 127.0.0.1:9000: refused", "no connection to #: refused"),
            ("not built: \"a 1\" is no URL", "not built: # is no URL"),
            ("run 0197a2b4-77c1-7d30-9f11-c2a990d7fe00 is gone", "run # is gone"),
            ("it took 1.5 s, é", "it took # s, é"),
            ("an unclosed \" stays", "an unclosed \" stays"),
            ("it's Ann's", "it's Ann's"),
            ("", ""),
        ] {
            assert_eq!(normal(text), group, "{text}");
        }
    }
}
