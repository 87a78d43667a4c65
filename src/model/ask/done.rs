//! What was done to documents, values and samples.

use serde::{Deserialize, Serialize};

/// What was done to documents or values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// A sentence a line: what happened (or would).
    pub lines: Vec<String>,
    /// A draft was kept where a deploy was asked for: exit code 4.
    pub refused: bool,
}

/// The samples that were loaded, and how to send to them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedView {
    /// What happened, and what is live now.
    pub done: Done,
    /// A request for each flow that takes some: what it is sent to, and a curl command.
    pub sends: Vec<(String, String)>,
}
