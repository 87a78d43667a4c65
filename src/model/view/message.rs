//! HTTP messages as they left and came: answers to senders, what attempts sent and got.

use super::Pair;
use serde::{Deserialize, Serialize};

/// An answer that was given to a sender.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerView {
    /// HTTP status.
    pub status: u16,
    /// In order.
    pub headers: Vec<Pair>,
    /// As text.
    pub body: String,
}

/// A request as it was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SentView {
    /// HTTP method.
    pub method: String,
    /// Secrets and the callback's token masked.
    pub url: String,
    /// In order.
    pub headers: Vec<Pair>,
    /// Capped.
    pub body: Option<String>,
}

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GotView {
    /// HTTP status.
    pub status: u16,
    /// In order.
    pub headers: Vec<Pair>,
    /// Capped.
    pub body: String,
    /// Whether it was cut at 64 KiB.
    pub cut: bool,
    /// It is not UTF-8: the text is only for looking at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub binary: bool,
}
