//! Why a request was judged as it was.

use super::Pair;
use crate::model::payload;
use crate::model::request::Verdict;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a request is a duplicate, or what its key is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExplainView {
    /// `UUIDv7`.
    pub request: String,
    /// What was decided.
    pub verdict: Verdict,
    /// The fields of the rule that judged it, and their values (null where missing).
    pub fields: Vec<FieldView>,
    /// The key, in hex.
    pub key: Option<String>,
    /// The first request with the key.
    pub first: Option<String>,
    /// Requests with this key so far.
    pub copies: u64,
    /// When the key lapses.
    pub lapses: Option<String>,
    /// Why it was refused or filtered, and what to do, a sentence a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// Paths whose values differ from the first request's: path, there, here (null where missing).
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "payload::triples")]
    pub differs: Vec<(String, Value, Value)>,
    /// The rule in words, with its version: `v2: 2 fields, 7d from the last copy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The first request, the next two copies, this one and the newest: `copies` says how many there are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listed: Vec<CopyView>,
    /// The autopsy of a refusal: `what`, `likely`, `do`, `checks`, `received`, … and a text each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Pair>,
    /// The refusals that are like this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<LikeView>,
    /// The same fields of the first request, where it is another one: spelt otherwise, of one value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_fields: Vec<FieldView>,
    /// Paths of both requests together, where they were compared.
    #[serde(default)]
    pub paths: u64,
}

/// A request with a certain dedup key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyView {
    /// `UUIDv7`.
    pub request: String,
    /// When it came.
    pub time: String,
    /// accepted for the first, else duplicate.
    pub verdict: Verdict,
}

/// Refusals of one flow, status and cause (but for its figures).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LikeView {
    /// How many are kept, this one included.
    pub count: u64,
    /// When the oldest of them came.
    pub first: String,
    /// Older ones were not counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// The filter that matches them.
    pub filter: String,
    /// The last request before this one that the flow accepted.
    pub passed: Option<CopyView>,
    /// Only the newest requests before this one were looked through for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

/// A dedup field and its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldView {
    /// As the document writes it.
    pub path: String,
    /// Null where missing.
    #[serde(deserialize_with = "payload::value")]
    pub value: Value,
    /// It is not there: for dedup that is another thing than null.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
}
