//! Operators' verbs, on one object or many.

use super::With;
use crate::model::rate::RateLimit;
use crate::model::{Map, Ms, payload};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An operator's verb.
///
/// As JSON: `"abort"`, `{"retry":{"fresh_key":true}}`, `{"skip":{"stand_in":{"id":7}}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Same run, same step, a new attempt.
    Retry {
        /// With which version: the deployed one where nothing is said.
        #[serde(default = "With::deployed")]
        version: With,
        /// With a new `Idempotency-Key`.
        #[serde(default)]
        fresh_key: bool,
    },
    /// The step ends `skipped`, the run goes on.
    Skip {
        /// Takes the place of the step's outputs.
        #[serde(default, deserialize_with = "payload::some_map")]
        stand_in: Option<Map>,
    },
    /// The run ends `aborted`.
    Abort,
    /// A new run from a stored request, past dedup.
    Replay(Replay),
    /// The dedup key of a request is dropped.
    Forget,
    /// A rejected request is judged again as of the moment it arrived, with today's configuration.
    Readmit,
    /// A callback's answer is given by hand.
    Complete {
        /// 200 to 599, not 202.
        #[serde(default = "ok")]
        status: u16,
        /// JSON or text: the step's answer.
        #[serde(default)]
        body: String,
    },
    /// A callback is waited for longer: from its deadline on, or from now where that is past.
    Extend {
        /// Milliseconds.
        by: Ms,
    },
    /// A callback is waited for no more: a failure of its step.
    Cancel,
}

fn ok() -> u16 {
    200
}

/// What a verb acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// Requests.
    Request,
    /// Runs.
    Run,
    /// Callbacks, and so the runs that wait for them.
    Callback,
}

impl Object {
    /// The word for one.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Run => "run",
            Self::Callback => "callback",
        }
    }
}

impl Verb {
    /// The word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Retry { .. } => "retry",
            Self::Skip { .. } => "skip",
            Self::Abort => "abort",
            Self::Replay(_) => "replay",
            Self::Forget => "forget",
            Self::Readmit => "readmit",
            Self::Complete { .. } => "complete",
            Self::Extend { .. } => "extend",
            Self::Cancel => "cancel",
        }
    }

    /// What it acts on.
    #[must_use]
    pub fn object(&self) -> Object {
        match self {
            Self::Replay(_) | Self::Forget | Self::Readmit => Object::Request,
            Self::Retry { .. } | Self::Skip { .. } | Self::Abort => Object::Run,
            Self::Complete { .. } | Self::Extend { .. } | Self::Cancel => Object::Callback,
        }
    }
}

/// How a request is replayed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Replay {
    /// `deployed` (default), `original`, `draft`, or a number.
    pub version: Option<String>,
    /// Paths of the body and their new values.
    #[serde(deserialize_with = "payload::pairs")]
    pub set: Vec<(String, Value)>,
    /// The request is sent to this URL, in place of a run of its flow.
    pub to: Option<String>,
    /// How it is signed then.
    pub sign: Option<Signing>,
}

/// How a stored request is signed where it is sent elsewhere. Left out, it carries neither its
/// sender's credentials nor its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signing {
    /// Anew, with the endpoint's key.
    Fresh,
    /// As it came: its bytes, with its sender's credentials and signature.
    Exact,
}

impl Signing {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Fresh => "signed anew",
            Self::Exact => "signed as it came",
        }
    }
}

/// An operator's verb on one object or many: what is asked first (`dry_run`) and then done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// What to do.
    pub verb: Verb,
    /// To these runs (or requests, for replay)…
    #[serde(default)]
    pub ids: Vec<String>,
    /// …or to all that this filter matches now; never empty.
    #[serde(default)]
    pub filter: Option<String>,
    /// What the person was shown: id and `seq`. Where it has changed since, nothing is done to it.
    #[serde(default)]
    pub seen: Vec<(String, i64)>,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// Only the plan.
    #[serde(default)]
    pub dry_run: bool,
    /// Many objects at most so many in a time, as a job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateLimit>,
    /// Halts after so many failures in a row, as a job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_after: Option<u32>,
    /// In place of ids and filter: what a plan of many found, and nothing that came since
    /// ([`Plan::token`](super::Plan::token)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

impl Act {
    /// An order that names nothing yet.
    #[must_use]
    pub fn of(verb: Verb) -> Self {
        Self {
            verb,
            ids: Vec::new(),
            filter: None,
            seen: Vec::new(),
            reason: None,
            dry_run: false,
            rate: None,
            stop_after: None,
            plan: None,
        }
    }
}
