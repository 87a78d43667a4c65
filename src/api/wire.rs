//! What goes over the socket beside the desk's own types: the envelope of a question, the status
//! code of a refusal, and what is said when the two ends are of different versions.

use super::VERSION;
use crate::model::ask::{Ask, Refusal, Who};
use serde::{Deserialize, Serialize};

/// A question and who asks it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Envelope {
    /// The system user at the other end where it is left out.
    #[serde(default)]
    pub who: Option<Who>,
    /// The question.
    pub ask: Ask,
}

/// An [`Envelope`] on its way out, borrowed.
#[derive(Debug, Serialize)]
pub struct Outgoing<'a> {
    /// Who asks.
    pub who: &'a Who,
    /// The question.
    pub ask: &'a Ask,
}

/// The HTTP status of a refusal.
pub fn status(refusal: &Refusal) -> u16 {
    match (refusal.code.as_str(), refusal.exit) {
        ("gone", _) => 410,
        ("stale" | "down", _) => 503,
        ("read_only", _) => 403,
        ("too_large", _) => 413,
        ("version", _) => 426,
        (_, 2) => 400,
        (_, 3) => 404,
        (_, 4) => 409,
        _ => 500,
    }
}

/// Whether a question only reads: all that another version may ask.
pub fn reads(ask: &Ask) -> bool {
    match ask {
        Ask::Counters
        | Ask::Requests(_)
        | Ask::Runs(_)
        | Ask::RunsById { .. }
        | Ask::Callbacks(_)
        | Ask::Urgent { .. }
        | Ask::Groups
        | Ask::Audit(_)
        | Ask::Request { .. }
        | Ask::Explain { .. }
        | Ask::Run { .. }
        | Ask::Alerts
        | Ask::Endpoints
        | Ask::Integrations
        | Ask::Integration { .. }
        | Ask::Export { .. }
        | Ask::History { .. }
        | Ask::Diff { .. }
        | Ask::Keys
        | Ask::Jobs { .. }
        | Ask::Job { .. }
        | Ask::Pieces { .. }
        | Ask::Doctor
        | Ask::Overview { .. } => true,
        Ask::Callback { reveal, .. } => !reveal,
        Ask::Study(study) => study.order().is_none(),
        Ask::Edit(editing) => editing.order().is_none(),
        Ask::Apply(_)
        | Ask::Deploy { .. }
        | Ask::Remove { .. }
        | Ask::Rollback(_)
        | Ask::Set { .. }
        | Ask::Act(_)
        | Ask::StopJob { .. }
        | Ask::ResumeJob { .. }
        | Ask::AddKey(_)
        | Ask::RemoveKey { .. }
        | Ask::Token(_)
        | Ask::Sign(_)
        | Ask::Start(_)
        | Ask::Pause(_)
        | Ask::LoadSamples => false,
    }
}

/// What is said where a verb comes from another version.
pub fn mismatch(asking: &str, running: &str) -> Refusal {
    Refusal {
        code: "version".to_owned(),
        message: format!(
            "this pointsman is {asking}, the running one is {running}: reading works, verbs need the same version"
        ),
        exit: 1,
    }
}

/// What is said where an answer cannot be read: with other versions that is the likely reason.
pub fn unreadable(running: Option<&str>, error: &str) -> Refusal {
    match running {
        Some(running) if running != VERSION => Refusal {
            code: "version".to_owned(),
            message: format!(
                "this pointsman is {VERSION}, the running one is {running}, and its answer cannot be read: use the same version"
            ),
            exit: 1,
        },
        _ => Refusal {
            code: "link".to_owned(),
            message: format!("what came over the socket cannot be read: {error}"),
            exit: 1,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_a_status_of_its_kind() {
        for (refusal, code) in [
            (Refusal::refused("ended", ""), 409),
            (Refusal::refused("gone", ""), 410),
            (Refusal::refused("read_only", ""), 403),
            (Refusal::not_found(""), 404),
            (Refusal::usage(""), 400),
            (Refusal::failed(""), 500),
            (Refusal { code: "stale".into(), message: String::new(), exit: 1 }, 503),
            (mismatch("1", "2"), 426),
        ] {
            assert_eq!(status(&refusal), code, "{refusal:?}");
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_blamed_on_another_version_only_where_there_is_one() {
        assert_eq!(unreadable(Some("99.0.0"), "x").code, "version");
        assert_eq!(unreadable(Some(VERSION), "x").code, "link");
        assert_eq!(unreadable(None, "x").code, "link");
    }
}
