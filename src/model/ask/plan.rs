//! What a verb would do, and what it did.

use super::{FieldPlan, GivenView};
use crate::model::view::SentView;
use crate::model::{Map, payload};
use serde::{Deserialize, Serialize};

/// What a verb would do, from the store, before it does it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The verb's word.
    pub verb: String,
    /// How many objects it would act on.
    pub count: u64,
    /// How many runs it makes, where that is not one an object: a request that is split makes one for
    /// each element.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub makes: Option<u64>,
    /// Id and `seq` of each (the first 1,000): what [`super::Act::seen`] takes.
    pub seen: Vec<(String, i64)>,
    /// Left out, and why: a sentence and a count.
    pub left_out: Vec<(String, u64)>,
    /// Of many: how many of those are refused, and not only one with another.
    #[serde(default)]
    pub refused: u64,
    /// The consequences in sentences, the most important first.
    pub lines: Vec<String>,
    /// For one run: what becomes of the fields of the later steps.
    pub fields: Vec<FieldPlan>,
    /// For one run: what would be sent next.
    pub sends: Option<SentView>,
    /// For one skip: a stand-in from the last good run.
    #[serde(default, deserialize_with = "payload::some_map")]
    pub stand_in: Option<Map>,
    /// For one complete: what the last callback of the step was answered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<GivenView>,
    /// When that run gave it, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stand_in_at: Option<String>,
    /// For one run: the name of the step that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// For one retry or replay: its own version and the one that is used, where they differ.
    pub versions: Option<(u32, u32)>,
    /// For one replay: the versions that it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offers: Option<Offers>,
    /// Requests by target host.
    pub hosts: Vec<(String, u64)>,
    /// A few of many: id, and what tells it from the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<(String, String)>,
    /// Of many: what [`super::Act::plan`] takes, so that exactly what was planned is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl Plan {
    /// How much it does, which a person who does much has to type: objects, or the runs that are made
    /// of them.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.makes.unwrap_or(self.count)
    }
}

/// The versions of its flow that a replay may take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offers {
    /// The live one.
    pub live: Option<u32>,
    /// The one that judged the request.
    pub own: u32,
    /// The draft, where there is one that has the flow.
    pub draft: Option<u32>,
}

/// What a verb did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// How many it acted on.
    pub done: u64,
    /// What was refused: id and sentence.
    pub refused: Vec<(String, String)>,
    /// New runs, for a replay.
    pub runs: Vec<String>,
    /// What happened, in sentences.
    pub lines: Vec<String>,
}
