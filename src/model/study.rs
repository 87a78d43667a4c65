//! Questions about traffic that was stored, and what they find: what another dedup rule would have
//! done, which fields there are, how the shape of bodies drifts.

mod trial;
mod values;

pub use trial::{
    AskedView, BackTest, BackTestChange, BackTestField, BackTestView, BegunView, CalledView, Sampled,
    SimulatedItem, SimulatedStep, SimulatedView, Trial, TrialOrder, Tried,
};
pub use values::{Pinned, ValueCount, ValueKind, Values, ValuesView};

use super::view::FieldView;
use super::{Ms, payload};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A question about traffic.
///
/// As JSON: `{"study":"what_if","of":{"flow":"shop/Orders","fields":["body.a"],"since":604800000}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "study", content = "of", rename_all = "snake_case")]
pub enum Study {
    /// What another dedup rule would have merged or let through.
    WhatIf(Rule),
    /// Which paths requests have, and which of them are nearly unique.
    Fields(Source),
    /// Which values a path has, and how often.
    Values(Values),
    /// The values of pinned paths, for rows that a list already has.
    Pinned {
        /// Requests, at most 256.
        ids: Vec<String>,
        /// Paths, at most eight.
        pins: Vec<String>,
    },
    /// Opens or renews a capture on a flow.
    Capture {
        /// `NAME/FLOW`.
        flow: String,
        /// How long it stays open from now, in milliseconds.
        time: Ms,
    },
    /// What came while a capture was open, as far as it came.
    Captured {
        /// `NAME/FLOW`.
        flow: String,
        /// Only what is newer than this request.
        after: Option<String>,
    },
    /// What a run would do, with nothing sent.
    Simulate(Trial),
    /// Makes the call of one step, by hand.
    Call(TrialOrder),
    /// Runs a flow as a test.
    TestRun(TrialOrder),
    /// What a draft would have made of stored requests.
    BackTest(BackTest),
    /// Writes a stored request into a file that can be sent and tried.
    SaveSample {
        /// Which.
        id: String,
    },
    /// The samples that were saved, those of a flow first.
    Samples {
        /// `NAME/FLOW`.
        flow: String,
    },
    /// Badges of shape drift that are open.
    Drift {
        /// `NAME/FLOW` or `NAME`; all where there is none.
        flow: Option<String>,
    },
    /// Takes badges away.
    DriftOk {
        /// By number…
        ids: Vec<i64>,
        /// …or all of a flow (`NAME/FLOW`) or integration.
        flow: Option<String>,
        /// Why.
        reason: Option<String>,
    },
}

/// A dedup rule to try, and on what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    /// `NAME/FLOW`.
    pub flow: String,
    /// One to five paths of body, headers and query.
    pub fields: Vec<String>,
    /// Milliseconds; of the live rule where it is not given.
    pub window: Option<Ms>,
    /// Whether the window counts from the accepted request; of the live rule where it is not given.
    pub from_first: Option<bool>,
    /// How far back, in milliseconds.
    pub since: Ms,
}

/// Where the paths of a survey come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The newest requests of a flow.
    Newest {
        /// `NAME/FLOW`.
        flow: String,
        /// At most so many; the desk bounds it at 1,000.
        most: u32,
    },
    /// The newest requests that a filter matches, of whatever flow.
    Recent {
        /// The filter language; empty is every request.
        filter: String,
        /// At most so many; the desk bounds it at 100.
        most: u32,
    },
    /// One stored request.
    Request {
        /// Which.
        id: String,
    },
    /// A JSON body of the asker's own.
    Body {
        /// As text.
        text: String,
    },
}

/// What a study found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "studied", content = "value", rename_all = "snake_case")]
pub enum Studied {
    /// To [`Study::WhatIf`].
    WhatIf(WhatIfView),
    /// To [`Study::Fields`].
    Fields(FieldsView),
    /// To [`Study::Values`].
    Values(ValuesView),
    /// To [`Study::Pinned`].
    Pinned {
        /// By the ids that were asked for, in their order.
        rows: Vec<(String, Pinned)>,
    },
    /// To [`Study::Capture`] and [`Study::Captured`].
    Capture(CaptureView),
    /// To [`Study::Simulate`].
    Simulated(Box<SimulatedView>),
    /// To [`Study::Call`] and [`Study::TestRun`].
    Tried(Tried),
    /// To [`Study::BackTest`].
    BackTested(BackTestView),
    /// To [`Study::SaveSample`]: where it lies.
    Saved {
        /// The file.
        path: String,
    },
    /// To [`Study::Samples`].
    Samples {
        /// The files' names.
        names: Vec<String>,
    },
    /// To [`Study::Drift`].
    Drift {
        /// Newest first.
        drifts: Vec<DriftView>,
    },
    /// To [`Study::DriftOk`].
    Done {
        /// A sentence a line.
        lines: Vec<String>,
    },
}

/// Requests by what was judged of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Accepted.
    pub accepted: u64,
    /// Duplicates.
    pub duplicate: u64,
}

/// What another dedup rule would have done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhatIfView {
    /// The integration's name.
    pub integration: String,
    /// The flow's name.
    pub flow: String,
    /// The rule that was tried.
    pub fields: Vec<String>,
    /// Its window, as documents write it.
    pub window: String,
    /// `last` or `first`.
    pub from: String,
    /// The requests that it was tried on came since then.
    pub since: String,
    /// How many there are.
    pub requests: u64,
    /// How many of them have none of the fields: such a request is always accepted.
    pub no_dedup_key: u64,
    /// What was judged of them.
    pub before: Judged,
    /// What would have been.
    pub after: Judged,
    /// Accepted then, duplicates under the rule.
    pub merged: u64,
    /// Duplicates then, accepted under the rule.
    pub let_through: u64,
    /// Both, oldest first; the first 10,000.
    pub changes: Vec<WhatIfChange>,
    /// Why it did not look at all of them.
    pub stopped: Option<String>,
}

/// A request that would have been judged otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhatIfChange {
    /// Its id.
    pub request: String,
    /// When it came.
    pub time: String,
    /// `merged` or `let_through`.
    pub change: Change,
    /// The request that it would be a duplicate of (merged), or was one of (let through).
    pub duplicate_of: Option<String>,
    /// The fields of the rule with its values.
    pub fields: Vec<FieldView>,
}

/// How a request would have been judged otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Accepted then, a duplicate under the rule.
    Merged,
    /// A duplicate then, accepted under the rule.
    LetThrough,
}

/// Paths of requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FieldsView {
    /// Requests that were looked at.
    pub requests: u64,
    /// Pairs of a request and its copy that were compared.
    pub copies: u64,
    /// Whether copies were told by dedup; else by bodies that are the same but for times.
    pub copies_known: bool,
    /// Best dedup fields first, then the others in document order.
    pub fields: Vec<FoundField>,
    /// Paths that were left out: more than the bound.
    pub left_out: u64,
}

/// A path, and what its values say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FoundField {
    /// A template expression after `request.`.
    pub path: String,
    /// `string`, `number`, … in the order of their first appearance.
    pub types: Vec<String>,
    /// A value, cut.
    #[serde(deserialize_with = "payload::value")]
    pub sample: Value,
    /// In how many requests it is.
    pub present: u64,
    /// Different values, copies counted once.
    pub distinct: u64,
    /// Different values a hundred requests, copies counted once.
    pub unique: u64,
    /// Whether it would do as a dedup field: nearly unique, and the same in copies.
    pub good: bool,
    /// Why it would not, though it is nearly unique: it is a time, it changes on every copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not: Option<String>,
}

/// A capture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaptureView {
    /// The integration's name.
    pub integration: String,
    /// The flow's name.
    pub flow: String,
    /// Where to send.
    pub url: String,
    /// Whether the flow is live: then requests are judged and run as ever, and the capture listens.
    pub deployed: bool,
    /// Until when it is open; none where it is closed.
    pub until: Option<String>,
    /// The newest request before it: what comes after is in it.
    pub after: String,
    /// What came.
    pub found: FieldsView,
}

/// How a body's shape changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// A path had another type.
    Type = 0,
    /// A path that was never there.
    New = 1,
    /// A path that was always there is there no more.
    Lost = 2,
}

impl DriftKind {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; 3] = [Self::Type, Self::New, Self::Lost];

    /// From the number in the store.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

/// Badges of a flow that are open at once: a shape that drifts further raises no more.
pub const MOST_BADGES: usize = 50;

/// A badge: the shape of a flow's bodies drifted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftView {
    /// Its number: what `drift ok` takes.
    pub id: i64,
    /// The integration's name.
    pub integration: String,
    /// The flow's name.
    pub flow: String,
    /// What happened to the path.
    pub kind: DriftKind,
    /// The path; `[]` stands for any element.
    pub path: String,
    /// The types that it had; empty for a new path.
    pub was: String,
    /// The type that came; empty for a lost path.
    pub now: String,
    /// The first request that had it (for a lost path: the last one that had the path).
    pub request: String,
    /// When that came.
    pub at: String,
}

impl DriftView {
    /// In words: `body.qty was number, came as string`.
    #[must_use]
    pub fn words(&self) -> String {
        match self.kind {
            DriftKind::Type => format!("{} was {}, came as {}", self.path, self.was, self.now),
            DriftKind::New => format!("new path {} ({})", self.path, self.now),
            DriftKind::Lost => format!("{} ({}) is there no more", self.path, self.was),
        }
    }
}
