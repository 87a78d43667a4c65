//! What a callback may be completed with.

use serde::{Deserialize, Serialize};

/// What the last callback of the same step was answered with: a pattern for one that is completed by
/// hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenView {
    /// Its code.
    pub status: u16,
    /// Its body.
    pub body: String,
    /// When it came, RFC 3339.
    pub at: String,
}
