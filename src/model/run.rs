//! One execution of one flow: its row, its journal, and what hangs on it.

mod items;
mod kept;

pub use items::{Begun, ITEMS_AT_ONCE, Item, ItemFailure, ItemNote, Items, MOST_ITEMS, ended};
pub use kept::{Got, KEPT, Sent, keep};

use super::{CallbackId, FlowId, Map, Ms, RequestId, RunId, payload};
use serde::{Deserialize, Serialize};

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Work is there for a runner.
    Queued = 0,
    /// A runner holds it.
    Running = 1,
    /// Every step is done.
    Succeeded = 2,
    /// For a callback or a delay.
    Waiting = 3,
    /// For its next attempt.
    Retrying = 4,
    /// Stopped; an operator decides.
    Errored = 5,
    /// Done, but an operator skipped a step, or one failed and was continued.
    SucceededWithSkips = 6,
    /// Ended by `on_error = "abort"` or a `fail` step.
    Failed = 7,
    /// Ended by a person.
    Aborted = 8,
}

impl RunState {
    /// Every state, in the order of its number.
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Running,
        Self::Succeeded,
        Self::Waiting,
        Self::Retrying,
        Self::Errored,
        Self::SucceededWithSkips,
        Self::Failed,
        Self::Aborted,
    ];

    /// From the number in the store.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// The word in JSON and filters.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Waiting => "waiting",
            Self::Retrying => "retrying",
            Self::Errored => "errored",
            Self::SucceededWithSkips => "succeeded_with_skips",
            Self::Failed => "failed",
            Self::Aborted => "aborted",
        }
    }

    /// From the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether it is over.
    #[must_use]
    pub fn ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::SucceededWithSkips | Self::Failed | Self::Aborted)
    }
}

/// The state of a step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not reached.
    Pending,
    /// An attempt is under way.
    Running,
    /// For a callback, or a delay.
    Waiting,
    /// For its next attempt.
    Retrying,
    /// Stopped; an operator decides.
    Errored,
    /// Done.
    Succeeded,
    /// By an operator, or its `when` is false.
    Skipped,
    /// It failed, and the run went on or ended.
    Failed,
}

impl StepState {
    /// The word in JSON and templates.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Retrying => "retrying",
            Self::Errored => "errored",
            Self::Succeeded => "succeeded",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// A run's row: 18 small columns, updated in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The request that began it; without one for a run that a person started with no payload.
    pub request: Option<RequestId>,
    /// The run that it replays.
    pub parent: Option<RunId>,
    /// Its flow.
    pub flow: FlowId,
    /// The version that it started with; a retry may move it to the deployed one.
    pub version: u32,
    /// Where it stands.
    pub state: RunState,
    /// Position of the current step in the plan.
    pub step: u32,
    /// Number of the current attempt within the step, from 1; 0 before the first.
    pub attempt: u32,
    /// First attempt of the current round: an operator's retry starts a round.
    pub round: u32,
    /// Raised by every claim and every operator's verb; a result with an older one is not applied.
    pub fence: i64,
    /// Transitions so far: the value that every write compares and sets.
    pub seq: i64,
    /// `node << 32 | epoch` of who holds it.
    pub owner: i64,
    /// When to act: a lease's end, the next attempt, a deadline. Beyond all times it is a
    /// place in the lane of the flow, or in the line of the target (`rules::lane`).
    pub due: Option<Ms>,
    /// When its first attempt started.
    pub started: Option<Ms>,
    /// When it ended.
    pub ended: Option<Ms>,
    /// The group of its error.
    pub cause: Option<i64>,
    /// A test.
    pub test: bool,
    /// Which element of the request's `split` array it is of, from 0.
    pub element: Option<u32>,
}

/// What was applied to a run: the kind of a journal entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// An exchange ended, with or without an answer.
    Answer = 1,
    /// A lease lapsed or a process died: the outcome is unknown.
    Lost = 2,
    /// The time in `due` came: a delay is over, or a deadline is past.
    Due = 3,
    /// A POST to the callback's URL, or a person's answer in its place (then with an actor).
    Callback = 4,
    /// An operator's retry.
    Retry = 5,
    /// An operator's skip.
    Skip = 6,
    /// An operator's abort.
    Abort = 7,
    /// A step that sends nothing (`set`, `delay`, `fail`, a false `when`) was carried out.
    Local = 8,
    /// A result that came too late: shown, never applied.
    Late = 9,
    /// A person gave a callback more time.
    Extend = 10,
    /// A person cancelled a callback.
    Cancel = 11,
    /// Items of a step under `for_each` were started or given back, and nothing was sent before.
    Items = 12,
}

impl EntryKind {
    /// Every kind, in the order of its number, from 1.
    pub const ALL: [Self; 12] = [
        Self::Answer,
        Self::Lost,
        Self::Due,
        Self::Callback,
        Self::Retry,
        Self::Skip,
        Self::Abort,
        Self::Local,
        Self::Late,
        Self::Extend,
        Self::Cancel,
        Self::Items,
    ];

    /// From the number in the store.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The answer is in the success list.
    Ok,
    /// A 202 with a callback: the step waits.
    Accepted,
    /// A transport error, a time-out, 408, 425, 429, 5xx but 501 and 505.
    Transient,
    /// Another code, the address guard, a template error, a missing value, `error()`.
    Refused,
    /// It may have been delivered: the process or its lease ended while it was under way.
    Unknown,
    /// It came after somebody else had moved the run on.
    Late,
}

/// What a journal entry tells, apart from its columns. Every field is left out when empty.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Detail {
    /// How the attempt ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// When the attempt started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Ms>,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<i64>,
    /// What the step was called.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub step_name: String,
    /// The step's state after this entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_state: Option<StepState>,
    /// The run's state after this entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_state: Option<RunState>,
    /// Why it failed, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What the step gives to later ones.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "payload::some_map")]
    pub outputs: Option<Map>,
    /// An operator's stand-in for the outputs.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "payload::some_map")]
    pub stand_in: Option<Map>,
    /// An operator's reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the run acts next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Ms>,
    /// The attempt's fence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fence: Option<i64>,
    /// A retry moved the run from this version to that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<(u32, u32)>,
    /// A retry sends a fresh key: the suffix of `Idempotency-Key` from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_key: Option<u32>,
    /// Fields that were left out of what was sent, for want of a value: `json.customer`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// A `respond` step answered the sender in this transition: the entry holds its answer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub answered: bool,
    /// Items of the step under `for_each` that this entry changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemNote>,
    /// A step under `for_each` that began in the same transition, after the ones that were folded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begun: Option<Begun>,
    /// Later steps that were carried out in the same transition without sending anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub folded: Vec<Folded>,
}

/// A step that was carried out in passing: `set`, `respond`, `fail`, or one whose `when` is false.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Folded {
    /// Position in the plan.
    pub step: u32,
    /// Its name.
    pub name: String,
    /// How it ended.
    pub state: StepState,
    /// What it gives to later steps.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "payload::some_map")]
    pub outputs: Option<Map>,
    /// Why it failed or was passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// A row of the journal: one transition of a run, append-only.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Whose.
    pub run: RunId,
    /// The run's `seq` after it.
    pub seq: i64,
    /// When, by engine time.
    pub at: Ms,
    /// What was applied.
    pub kind: EntryKind,
    /// Position of the step in the plan.
    pub step: u32,
    /// Index of the item, under `for_each`.
    pub item: Option<u32>,
    /// Number of the attempt within the step, or of the item.
    pub attempt: u32,
    /// Status code of the answer or callback.
    pub status: Option<u16>,
    /// The operator.
    pub actor: Option<String>,
    /// The rest.
    pub detail: Detail,
    /// What was sent.
    pub sent: Option<Sent>,
    /// What came back.
    pub got: Option<Got>,
    /// What a sender that waits is answered: by a `respond` step, or by the `fail` step that ended
    /// the run.
    pub answer: Option<Given>,
}

/// The answer that a run gives to its sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// HTTP status.
    pub status: u16,
    /// In order; the content type among them.
    pub headers: Vec<(String, String)>,
    /// As text.
    pub body: String,
    /// A `fail` step's: a problem with this text as its detail, which counts as long as the run is
    /// failed and no `respond` step answered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub problem: bool,
}

/// Machine state of a run that does not fit its row; only runs that need one have one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Frame {
    /// An abort waits for the attempt under way: who, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort: Option<(String, Option<String>)>,
    /// A callback came before its 202: status and body (empty where it was not kept whole).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early: Option<(u16, String)>,
    /// The step's `outputs`, taken from the whole body of the callback that came early.
    #[serde(skip_serializing_if = "Map::is_empty", deserialize_with = "payload::map")]
    pub early_outputs: Map,
    /// A step was skipped by an operator, or failed and was continued.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub with_skips: bool,
    /// A `respond` step answered the sender: the first one counts.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub answered: bool,
    /// The suffix of `Idempotency-Key` of the current step, from `--fresh-key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_key: Option<u32>,
    /// The run is errored since a person cancelled its callback: it may still be completed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
    /// The items of the current step, under `for_each`, once they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Items>,
}

/// The state of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackState {
    /// Nobody has answered yet.
    Pending = 0,
    /// It was answered.
    Received = 1,
    /// Its deadline passed.
    Expired = 2,
    /// A retry, a skip, an abort or a person ended it.
    Cancelled = 3,
}

impl CallbackState {
    /// Every state, in the order of its number.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Received, Self::Expired, Self::Cancelled];

    /// From the number in the store.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// The word in JSON and filters.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Received => "received",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The promise made by a 202: a single-use URL that finishes the step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// Its id, from which the token is made.
    pub id: CallbackId,
    /// The run that waits.
    pub run: RunId,
    /// Position of the step in the plan.
    pub step: u32,
    /// The attempt that made it.
    pub attempt: u32,
    /// SHA-256 of the token's secret part.
    pub hash: [u8; 32],
    /// Where it stands.
    pub state: CallbackState,
    /// Until when it may be answered.
    pub deadline: Ms,
    /// When it was made.
    pub created: Ms,
    /// When it was answered.
    pub received: Option<Ms>,
    /// The status that it was answered with.
    pub status: Option<u16>,
    /// SHA-256 of code and body: tells a repeat from another answer.
    pub digest: Option<[u8; 32]>,
}
