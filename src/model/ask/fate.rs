//! What a verb would do to the fields of later steps.

use serde::{Deserialize, Serialize};

/// What becomes of a field of a later step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldPlan {
    /// The step's name.
    pub step: String,
    /// `json.customer`, `headers.X-Ref`, `query.page`, `url`; empty where the step needs nothing.
    pub field: String,
    /// What happens to it.
    pub fate: Fate,
}

/// What becomes of a field whose value is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is left out, and all others are sent.
    LeftOut,
    /// It is sent empty.
    Empty,
    /// The step fails.
    Fails,
    /// The step needs nothing of the skipped one.
    Unaffected,
    /// The step's `when` misses its value and is false: it is passed over.
    Passed,
}

impl Fate {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::LeftOut => "left out",
            Self::Empty => "sent empty",
            Self::Fails => "cannot be built: the step fails",
            Self::Unaffected => "needs nothing of it",
            Self::Passed => "is false: the step is passed over",
        }
    }
}
