//! Groups of errored runs.

use serde::{Deserialize, Serialize};

/// Errored runs of one integration, flow, step and cause (without its numbers and ids).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupView {
    /// Names the group in filters: `group:…`.
    pub id: String,
    /// Runs that are errored for this cause now.
    pub count: u64,
    /// The integration's name.
    pub integration: String,
    /// The flow's name.
    pub flow: String,
    /// The step's name.
    pub step: String,
    /// In words.
    pub cause: String,
    /// Oldest of them.
    pub first: String,
    /// Newest of them.
    pub last: String,
    /// How many of them began in each of the last twelve hours, the hour that runs last.
    #[serde(default)]
    pub hours: Vec<u64>,
    /// How many of them stopped for want of a callback's answer.
    #[serde(default)]
    pub expired: u64,
}

/// What the runs of a group sent last at the step that stopped them, and how long the answer took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupFigures {
    /// Runs that were looked at: the newest of the group.
    pub runs: u64,
    /// Whether these are all that the group had then.
    pub whole: bool,
    /// Those of them that sent something which is kept.
    pub sent: u64,
    /// Where to, without numbers and ids: most runs first, at most [`GroupFigures::SHOWN`].
    pub urls: Vec<UrlCount>,
    /// How many such patterns there are.
    pub patterns: u64,
    /// The median of what the attempts took, in milliseconds; of those that say so.
    pub median_ms: Option<i64>,
}

impl GroupFigures {
    /// Patterns that are named.
    pub const SHOWN: usize = 5;
}

/// A pattern of URLs, and how many runs it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlCount {
    /// With `…` where URLs differ by a number or an id.
    pub pattern: String,
    /// Runs whose last attempt went there.
    pub runs: u64,
}
