//! What stands at a path of many requests: its values and how often each is there, found part by part,
//! and the values of pinned paths, for rows that a list already has.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Values of pinned paths by path, as a column shows them; null where a request has none.
pub type Pinned = BTreeMap<String, Option<String>>;

/// The values at a path, over the requests that a filter matches, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Values {
    /// A path into body, headers or query.
    pub path: String,
    /// The filter language; empty is every request.
    pub filter: String,
    /// Only requests older than this id: where the part before ended.
    pub before: Option<String>,
}

/// A part of the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ValuesView {
    /// Each value of this part once.
    pub values: Vec<ValueCount>,
    /// Requests of this part that the filter matches.
    pub counted: u64,
    /// Of them those that have nothing at the path.
    pub absent: u64,
    /// Requests that were looked at.
    pub looked: u64,
    /// Where the next part begins; null at the end.
    pub next: Option<String>,
}

/// What a value is, as far as a filter compares it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// Text.
    #[default]
    String,
    /// A number: one value however it is spelt.
    Number,
    /// `true`, `false` or `null`.
    Literal,
    /// An array or an object, as JSON.
    Json,
}

/// A value, and in how many requests it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ValueCount {
    /// A text as it is, of others their JSON; cut where `digest` says so.
    pub text: String,
    /// What it is.
    pub kind: ValueKind,
    /// Of a value that is cut: what tells it from another that begins so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Requests that have it.
    pub count: u64,
}
