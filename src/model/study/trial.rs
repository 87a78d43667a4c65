//! Flows tried out: simulated, called step by step, run as a test, back-tested.

use crate::model::ask::Plan;
use crate::model::request::Verdict;
use crate::model::run::RunState;
use crate::model::view::{AnswerView, AttemptView, SentView};
use crate::model::{Map, Ms, payload};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is tried, with what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trial {
    /// `NAME/FLOW`.
    pub flow: String,
    /// What stands for the request.
    pub sample: Sampled,
    /// With the newest version, and not the deployed one.
    pub draft: bool,
    /// With this text of its document, which is not saved.
    pub text: Option<String>,
    /// One step alone; without it all of them, or for a call the only one that sends.
    pub step: Option<String>,
    /// Which element of what is split, from 0.
    pub element: Option<u32>,
    /// Of a call: which item of a step under `for_each`, from 0.
    pub item: Option<u32>,
    /// Values of earlier steps' answers: `steps.lookup.outputs.id`. They are remembered.
    #[serde(deserialize_with = "payload::pairs")]
    pub set: Vec<(String, Value)>,
    /// Forgets what was remembered first.
    pub fresh: bool,
}

/// What stands for the request of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampled {
    /// A sample's text.
    Text(String),
    /// A stored request; `last` is the newest one of the flow that was accepted.
    Request(String),
    /// A sample that was saved on the server, by its file's name.
    Saved(String),
}

impl Default for Sampled {
    fn default() -> Self {
        Self::Request("last".to_owned())
    }
}

/// An order that really sends: the plan, or the act.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrialOrder {
    /// What.
    pub trial: Trial,
    /// Why.
    pub reason: Option<String>,
    /// Only the plan.
    pub dry_run: bool,
}

/// A part of a back-test.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackTest {
    /// `NAME` or `NAME/FLOW`.
    pub flow: String,
    /// How far back, in milliseconds; not looked at where `from` is given.
    pub since: Ms,
    /// From when on, RFC 3339: what the first part said.
    pub from: Option<String>,
    /// The filter language; empty is everything.
    pub filter: String,
    /// Only older than this request: what the part before said.
    pub before: Option<String>,
}

/// A run as it would go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SimulatedView {
    /// The integration's name.
    pub integration: String,
    /// The flow's name.
    pub flow: String,
    /// The version that it was simulated with.
    pub version: u32,
    /// Whether that is not the deployed one.
    pub draft: bool,
    /// The stored request that it was simulated with; none for a sample.
    pub request: Option<String>,
    /// What the trigger would say to the request, credentials and duplicates apart.
    pub verdict: Verdict,
    /// Why it would refuse or filter it.
    pub cause: Option<String>,
    /// How many runs the request would begin, where its body is split.
    pub elements: Option<u32>,
    /// Which of them is shown, from 0.
    pub element: Option<u32>,
    /// In order.
    pub steps: Vec<SimulatedStep>,
    /// How the run would end, where unknown answers are successes.
    pub end: RunState,
    /// Why it would stop.
    pub end_cause: Option<String>,
    /// Values that steps ask for and nobody knows: what [`Trial::set`] takes.
    pub unknown: Vec<String>,
    /// The integration's other flows.
    pub not_touched: Vec<String>,
    /// Always false: nothing was sent.
    pub sent: bool,
}

/// A step as it would go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SimulatedStep {
    /// Its name.
    pub name: String,
    /// request, send, set, respond, fail, delay.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it would run; null where that hangs on an answer that nobody knows.
    pub runs: Option<bool>,
    /// Why not, or why it would fail.
    pub cause: Option<String>,
    /// What would leave, secrets masked. `run` stands where the run's id will.
    pub request: Option<SentView>,
    /// Why the request would not be sent: the address guard, a name that nobody knows.
    pub blocked: Option<String>,
    /// Fields left out for want of a value.
    pub left_out: Vec<String>,
    /// How many items its list has, under `for_each`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_count: Option<u64>,
    /// The first hundred of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<SimulatedItem>,
    /// Values of earlier steps' answers that its fields ask for.
    pub asks: Vec<AskedView>,
    /// What it would give to later steps.
    #[serde(default, deserialize_with = "payload::some_map")]
    pub outputs: Option<Map>,
    /// What it would answer the sender.
    pub answer: Option<AnswerView>,
    /// Until when it would wait.
    pub until: Option<String>,
}

/// An item of a step under `for_each`, as it would go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SimulatedItem {
    /// From 0.
    pub item: u32,
    /// Whether it would be sent.
    pub runs: bool,
    /// Why not, or why it would fail.
    pub cause: Option<String>,
    /// What would leave.
    pub request: Option<SentView>,
    /// Why it would not be sent.
    pub blocked: Option<String>,
    /// Fields left out for want of a value.
    pub left_out: Vec<String>,
}

/// A value that a field asks an earlier step for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskedView {
    /// `json.customer`, `url`, `when`.
    pub field: String,
    /// `steps.lookup.outputs.id`.
    pub path: String,
    /// Its value; null where it is missing or not known.
    #[serde(deserialize_with = "payload::value")]
    pub value: Value,
    /// Whether it is known what it is.
    pub known: bool,
    /// `given`, `remembered` (from a call or a value that was given before).
    pub from: Option<String>,
}

/// What came of a call that was made by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalledView {
    /// The integration's name.
    pub integration: String,
    /// The flow's name.
    pub flow: String,
    /// The version.
    pub version: u32,
    /// The step.
    pub step: String,
    /// Whether the answer is a success of the step.
    pub success: bool,
    /// Request, answer, time, seconds.
    pub attempt: AttemptView,
    /// What the step gives to later ones: it is remembered.
    #[serde(default, deserialize_with = "payload::some_map")]
    pub outputs: Option<Map>,
}

/// A test that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BegunView {
    /// The request that it made.
    pub request: String,
    /// Its runs.
    pub runs: Vec<String>,
}

/// What a part of a back-test found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackTestView {
    /// The integration's name.
    pub integration: String,
    /// The deployed version.
    pub live: u32,
    /// The draft.
    pub draft: u32,
    /// From when on it looks.
    pub from: String,
    /// Requests that were looked at in this part.
    pub looked: u64,
    /// Requests that could not be judged, by reason.
    pub left_out: Vec<(String, u64)>,
    /// Requests whose run stops or fails in both, in the same place and for the same reason: nothing of
    /// them changes, and nothing of them is well.
    #[serde(default)]
    pub failing_alike: u64,
    /// What changes, newest first.
    pub changes: Vec<BackTestChange>,
    /// Where the next part begins; none at the end.
    pub next: Option<String>,
    /// When the oldest request of this part came.
    pub at: Option<String>,
}

/// A request of which something changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackTestChange {
    /// Its id.
    pub request: String,
    /// When it came.
    pub time: String,
    /// The flow's name.
    pub flow: String,
    /// What was judged of it then.
    pub verdict: Verdict,
    /// What differs.
    pub fields: Vec<BackTestField>,
    /// How many fields more.
    pub more: u64,
    /// Values of answers that its journal does not know, and that its steps ask for.
    pub unknown: Vec<String>,
}

/// A field that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackTestField {
    /// Which element of what is split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element: Option<u32>,
    /// The step; none for the trigger and for the run as a whole.
    pub step: Option<String>,
    /// `url`, `headers["x-ref"]`, `body.total`, `runs`, `verdict`, `end`.
    pub path: String,
    /// By the deployed version; null where it is not there.
    #[serde(deserialize_with = "payload::value")]
    pub before: Value,
    /// By the draft; null where it is not there.
    #[serde(deserialize_with = "payload::value")]
    pub after: Value,
}

/// The plan of an order, or what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tried {
    /// What would be done.
    Plan(Box<Plan>),
    /// A call was made.
    Called(Box<CalledView>),
    /// A test run was begun.
    Begun(BegunView),
}
