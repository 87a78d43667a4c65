//! Why something is refused.

use serde::{Deserialize, Serialize};

/// Why something is refused; `exit` is the command line's exit code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct Refusal {
    /// For programs: `not_found`, `not_stopped`, `ended`, `stand_in_shape`, `gone`, `stale`, …
    pub code: String,
    /// For people: what is not possible, why, and what would be.
    pub message: String,
    /// 1 failed, 2 usage, 3 not found, 4 refused, 5 some of many failed.
    pub exit: u8,
}

impl Refusal {
    /// The code where a flow has no request yet that could stand for one.
    pub const NO_REQUEST: &str = "no_request";

    /// A refusal by its rules: exit code 4.
    pub fn refused(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), exit: 4 }
    }

    /// Nothing of that name or id: exit code 3.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { code: "not_found".to_owned(), message: message.into(), exit: 3 }
    }

    /// A question that makes no sense: exit code 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: "usage".to_owned(), message: message.into(), exit: 2 }
    }

    /// The same with another code.
    #[must_use]
    pub fn coded(self, code: &str) -> Self {
        Self { code: code.to_owned(), ..self }
    }

    /// It went wrong: exit code 1.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { code: "failed".to_owned(), message: message.into(), exit: 1 }
    }
}
