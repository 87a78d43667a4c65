//! The order to start a run by hand.

use serde::{Deserialize, Serialize};

/// A run that a person starts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Start {
    /// The integration's name.
    pub integration: String,
    /// The flow's name or id.
    pub flow: String,
    /// The request's body: JSON.
    pub body: String,
    /// Why.
    pub reason: Option<String>,
}
