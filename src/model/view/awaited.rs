//! What is known of the answer that a callback waits for.

use crate::model::Ms;
use crate::model::run::RunState;
use serde::{Deserialize, Serialize};

/// Who shall answer a callback, and what of it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AwaitedView {
    /// Host of the URL that was sent to; empty where that is not kept.
    pub host: String,
    /// The attempt that made the callback, from 1.
    pub attempt: u32,
    /// The code that it was answered with at once: 202.
    pub status: Option<u16>,
    /// The beginning of that answer: `job 4471`; empty where it had no body.
    pub said: String,
    /// Where the run stands.
    pub run_state: Option<RunState>,
    /// The run waits for this callback, or stopped for want of its answer: it can be completed.
    pub held: bool,
    /// How long the newest others to that host took until they were answered, in milliseconds; only of
    /// one callback that is asked for by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Ms>,
}
