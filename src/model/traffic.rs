//! What a flow is sent: how much now, how much as a rule, what of it was refused.

use super::request::Verdict;
use serde::{Deserialize, Serialize};

/// How much comes to a flow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficView {
    /// Requests that were let in during the last minute (accepted, duplicates and filtered ones).
    pub minute: u64,
    /// How many usually come in an hour at this time of day; null while that is not known.
    pub usual_hour: Option<u64>,
    /// Accepted since the store was made.
    pub accepted: u64,
    /// Duplicates since then.
    pub duplicates: u64,
    /// The newest request.
    pub last: Option<LastView>,
    /// When one was refused last.
    pub last_refused: Option<String>,
}

/// A flow's newest request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastView {
    /// Its id.
    pub request: String,
    /// When it came.
    pub time: String,
    /// What was judged of it.
    pub verdict: Verdict,
}
