//! The stable JSON shapes of lists and details: what the command line prints, the socket carries
//! and the console draws. `snake_case`, times RFC 3339 with milliseconds, ids `UUIDv7`.
//!
//! Text in here comes from senders and targets as it came: whoever draws it cleans it.

mod awaited;
mod explain;
mod group;
mod item;
mod listed;
mod made;
mod message;

pub use awaited::AwaitedView;
pub use explain::{CopyView, ExplainView, FieldView, LikeView};
pub use group::{GroupFigures, GroupView, UrlCount};
pub use item::{ItemView, Tally};
use listed::is_zero;
pub use message::{AnswerView, GotView, SentView};

use super::gate::PauseView;
use super::request::Verdict;
use super::run::{CallbackState, Outcome, RunState, StepState};
use super::study::Pinned;
use super::{Map, payload};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A header line.
pub type Pair = (String, String);

/// A request in a list; `show` adds [`RequestDetail`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestView {
    /// `UUIDv7`.
    pub id: String,
    /// Arrival.
    pub time: String,
    /// The integration's name.
    pub integration: String,
    /// The flow's name.
    pub flow: String,
    /// The endpoint's generated id.
    pub endpoint: String,
    /// HTTP method.
    pub method: String,
    /// The rest of the path after the endpoint.
    pub path: String,
    /// What was decided.
    pub verdict: Verdict,
    /// What its sender was answered, also where that came later (`wait`, `poll`); null where it still
    /// waits, or went away before. A readmission changes nothing of it.
    pub status: Option<u16>,
    /// Why it was refused or filtered.
    pub cause: Option<String>,
    /// The first 128 bits of the key, in hex.
    pub dedup_key: Option<String>,
    /// The first request with that key.
    pub duplicate_of: Option<String>,
    /// The runs that it began.
    pub runs: Vec<String>,
    /// Bytes of the body as kept.
    pub size: u64,
    /// Who sent it, where known.
    pub actor: Option<String>,
    /// The sender's address.
    pub from: Option<String>,
    /// A test.
    pub test: bool,
    /// `no_dedup_key`, `repeated_keys`, `body_cut`, …
    pub marks: Vec<String>,
    /// What a list shows of it in a line: the cause, the values of the dedup fields or the first leaves.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub what: String,
    /// What its provider calls this delivery, the same whenever it is sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// Of each path that the page asked for its value, as a column shows it.
    #[serde(default, skip_serializing_if = "Pinned::is_empty")]
    pub pinned: Pinned,
}

impl RequestView {
    /// Whether only a part of its body was kept, of which `size` tells.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.marks.iter().any(|mark| mark == "body_cut")
    }
}

/// A request, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestDetail {
    /// What lists show.
    #[serde(flatten)]
    pub request: RequestView,
    /// In order.
    pub headers: Vec<Pair>,
    /// The target of its line as it was sent: path and query; null where nothing arrived.
    #[serde(default)]
    pub target: Option<String>,
    /// Decoded query values: of a name that came several times an array.
    #[serde(deserialize_with = "payload::map")]
    pub query: Map,
    /// The JSON body; null where it is none.
    #[serde(deserialize_with = "payload::value")]
    pub body: Value,
    /// Path → value, in document order.
    #[serde(deserialize_with = "payload::map")]
    pub flat: Map,
    /// The body as it came, base64.
    pub raw: String,
    /// What the sender was answered, as it left; of `Location` and `status_url` the key is masked.
    pub answer: Option<AnswerView>,
    /// The version that judged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Of what a person made by a replay with another payload: the request that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// How the first of its runs stand, in the order of `runs`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub began: Vec<BeganView>,
}

/// How a run that a request began stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeganView {
    /// The run.
    pub run: String,
    /// Its state.
    pub state: RunState,
    /// The version that it runs with.
    pub version: u32,
}

/// A run. Lists leave `steps` without their attempts' bodies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunView {
    /// `UUIDv7`.
    pub id: String,
    /// The request that began it.
    pub request: Option<String>,
    /// The run that it replays.
    pub parent: Option<String>,
    /// The integration's name.
    pub integration: String,
    /// The flow's name.
    pub flow: String,
    /// The version that it runs.
    pub version: u32,
    /// Where it stands.
    pub state: RunState,
    /// Why it stopped, or waits.
    pub cause: Option<String>,
    /// When its first attempt started.
    pub started: Option<String>,
    /// When it ended.
    pub ended: Option<String>,
    /// A test.
    pub test: bool,
    /// When it acts next: the next attempt, the end of a delay, a deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Why it waits for its target, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
    /// The tag of the target in whose line it waits.
    #[serde(skip)]
    pub line: Option<u32>,
    /// Transitions so far: what a verb names to say which state it was shown.
    #[serde(default)]
    pub seq: i64,
    /// The callback that it waits for, or for want of whose answer it stopped; lists leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<Box<CallbackView>>,
    /// In the order of the plan.
    pub steps: Vec<StepView>,
}

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepView {
    /// Its name.
    pub name: String,
    /// request, send, set, respond, fail, delay.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it stands.
    pub state: StepState,
    /// Why it failed.
    pub cause: Option<String>,
    /// When its first attempt started.
    pub started: Option<String>,
    /// When it ended.
    pub ended: Option<String>,
    /// What it gives to later steps.
    #[serde(default, deserialize_with = "payload::some_map")]
    pub outputs: Option<Map>,
    /// Attempts that its plan allows without a person, the first included; of steps that send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries: Option<u32>,
    /// Of a step that was not reached: what it needs of steps before it (`push.id`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Of such a step: how long it will wait for a callback, as documents write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaits: Option<String>,
    /// In order; under `for_each` in the order in which they left. Lists hold the last
    /// [`StepView::LISTED`] of them.
    pub attempts: Vec<AttemptView>,
    /// Earlier attempts, which a list leaves out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts_left_out: u64,
    /// Under `for_each`, once its list is known, in the order of the list. Lists hold the first
    /// [`StepView::LISTED`] of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemView>,
    /// How many have ended how, where a list leaves some out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_counts: Option<Tally>,
}

/// One try of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptView {
    /// Index of the item, under `for_each`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// From 1.
    pub number: u32,
    /// When it started.
    pub started: Option<String>,
    /// How long it took.
    pub elapsed_ms: Option<i64>,
    /// How it ended; null while it is under way.
    pub outcome: Option<Outcome>,
    /// The answer's code.
    pub status: Option<u16>,
    /// What was sent, secrets masked.
    pub request: Option<SentView>,
    /// What came back.
    pub response: Option<GotView>,
    /// Why it failed, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Fields left out for want of a value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// Something that happened to a run: the lines of its timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventView {
    /// When.
    pub at: String,
    /// The step's name.
    pub step: String,
    /// Who, where a person did it.
    pub actor: Option<String>,
    /// What, in words: `✗ 503, next at …` without the glyph.
    pub text: String,
    /// The step's or run's state after it.
    pub state: Option<StepState>,
}

/// A callback; `show` adds `url`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallbackView {
    /// `UUIDv7`.
    pub id: String,
    /// The run that waits.
    pub run: String,
    /// The step's name.
    pub step: String,
    /// Where it stands.
    pub state: CallbackState,
    /// Until when it may be answered.
    pub deadline: String,
    /// When it was made.
    pub created: String,
    /// When it was answered.
    pub received: Option<String>,
    /// The status that it was answered with.
    pub status: Option<u16>,
    /// The integration's name.
    #[serde(default)]
    pub integration: String,
    /// The flow's name.
    #[serde(default)]
    pub flow: String,
    /// Whether it expired and its step is still errored.
    #[serde(default)]
    pub overdue: bool,
    /// Who shall answer it; not in pages of `callbacks ls`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaited: Option<Box<AwaitedView>>,
    /// The URL that finishes the step; only `show` gives it, and that is audited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The URL of a flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndpointView {
    /// Generated: 128 random bits or more.
    pub id: String,
    /// Absolute.
    pub url: String,
    /// The alias.
    pub path: Option<String>,
    /// The integration's name.
    pub integration: String,
    /// The flow's name.
    pub flow: String,
    /// Accepted methods.
    pub methods: Vec<String>,
    /// The scheme of its authentication.
    pub auth: String,
    /// When a request came last.
    pub last_request: Option<String>,
    /// Its pause, or its integration's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<PauseView>,
}

/// An integration in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntegrationView {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// The version that is live; null before the first deploy.
    pub deployed: Option<u32>,
    /// A newer version that is not live.
    pub draft: Option<u32>,
    /// When it was saved last, and by whom.
    pub saved: String,
    /// Who saved it last.
    pub author: String,
    /// The step that its draft is at, where it is made step by step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guide: Option<u8>,
    /// Its flows.
    pub flows: Vec<FlowView>,
    /// Its variables and their values.
    pub variables: Vec<VariableView>,
    /// What it tells of trouble, and whom; only `show` has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<super::alert::AlertView>,
    /// How the shape of what its flows are sent has drifted; only `show` has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<super::study::DriftView>,
    /// The pause of all its flows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<PauseView>,
}

/// A flow of an integration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowView {
    /// The stable id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// webhook, schedule, deploy, remove or manual.
    pub trigger: String,
    /// Its endpoint's URL.
    pub url: Option<String>,
    /// The scheme of its authentication.
    pub auth: Option<String>,
    /// Names and kinds of its steps.
    pub steps: Vec<(String, String)>,
    /// Refused requests that were only counted and have no row, since the store was made.
    #[serde(default)]
    pub only_counted: u64,
    /// Of a schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<super::schedule::ScheduleView>,
    /// Of a schedule, a deploy or a removal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<super::schedule::BegunView>,
    /// Its own pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<PauseView>,
    /// How much comes to its endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<super::traffic::TrafficView>,
}

/// When a value was set, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetView {
    /// When.
    pub at: String,
    /// By whom.
    pub by: String,
}

/// A variable and its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariableView {
    /// Its name.
    pub name: String,
    /// text, number, boolean, url, choice, secret.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value in force: set, or the default; `•••` of a secret that is set.
    #[serde(deserialize_with = "payload::value")]
    pub value: Value,
    /// Whether it was set, or is the default.
    pub set: bool,
    /// When it was set and by whom, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands: Option<SetView>,
    /// Deploying without a value is refused.
    pub required: bool,
    /// The heading it is grouped under.
    #[serde(default)]
    pub heading: String,
    /// Shown beside the field.
    pub help: String,
    /// What counts until a value is set; null without one.
    #[serde(default)]
    pub default: Value,
    /// What a choice can be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

/// An act of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditView {
    /// `UUIDv7`.
    pub id: String,
    /// When.
    pub at: String,
    /// Who.
    pub who: String,
    /// Through what: console, command line, socket.
    pub door: String,
    /// What.
    pub verb: String,
    /// To what.
    pub target: String,
    /// Why.
    pub reason: Option<String>,
    /// How it ended.
    pub detail: String,
}

/// A check of `doctor`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckView {
    /// What was looked at.
    pub name: String,
    /// ok, warning or broken.
    pub state: CheckState,
    /// What was found, and what to do.
    pub text: String,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Nothing to do.
    Ok,
    /// A line; the exit code stays 0.
    Warning,
    /// The exit code is 1.
    Broken,
}
