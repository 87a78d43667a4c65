//! What console, command line and socket ask of the desk, and what it answers.
//!
//! One door: the same [`Ask`] is answered in this process, over the socket (its wire format), in tests.

mod act;
mod changes;
mod deed;
mod done;
mod editing;
mod fate;
mod given;
mod json;
pub mod keys;
mod plan;
mod refusal;
mod start;
mod version;
mod versions;
mod who;

pub use act::{Act, Object, Replay, Signing, Verb};
pub use changes::Changes;
pub use deed::Deed;
pub use done::{Done, LoadedView};
pub use editing::{EditView, Editing, Revision, SavedView, Typed};
pub use fate::{Fate, FieldPlan};
pub use given::GivenView;
pub use json::from_json;
pub use plan::{Acted, Offers, Plan};
pub use refusal::Refusal;
pub use start::Start;
pub use version::{NoVersion, With};
pub use versions::{DiffView, Rollback, VersionView};
pub use who::Who;

use super::alert::ToldView;
use super::change::Counters;
use super::company::Here;
use super::credential::{KeyView, Secret};
use super::gate::PauseOrder;
use super::job::{JobView, PieceView};
use super::operator::{AddOperator, MadeOperator, OperatorView};
use super::overview::{OverviewView, Span};
use super::study::{Studied, Study};
use super::view::{
    AuditView, CallbackView, CheckView, EndpointView, EventView, ExplainView, GroupFigures, GroupView,
    IntegrationView, RequestDetail, RequestView, RunView,
};
use serde::{Deserialize, Serialize};

/// A page of a list, newest first unless `after` is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Page {
    /// The filter language; empty is everything.
    pub filter: String,
    /// Only older than this id.
    pub before: Option<String>,
    /// Only newer than this id, oldest first; empty is before everything.
    pub after: Option<String>,
    /// At most so many rows; the desk bounds it at 1,000.
    pub limit: u32,
    /// Paths whose values come with rows of requests; at most eight.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<String>,
}

/// A question or an order.
///
/// As JSON: `{"ask":"runs","of":{"filter":"state:errored","limit":20}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", content = "of", rename_all = "snake_case")]
pub enum Ask {
    /// The header's figures.
    Counters,
    /// Requests. A scan that would take long answers a part, with `next`.
    Requests(Page),
    /// Runs.
    Runs(Page),
    /// Runs by id: rows that a list already shows, as they are now.
    RunsById {
        /// At most 256.
        ids: Vec<String>,
    },
    /// Those of some runs that match a filter, as they are now: which of the runs that changed a list
    /// has from now on.
    RunsAmong {
        /// At most 256.
        ids: Vec<String>,
        /// The filter language; empty is everything.
        filter: String,
    },
    /// Callbacks.
    Callbacks(Page),
    /// Callbacks, the most urgent first: overdue, then by deadline, then the rest, newest first.
    Urgent {
        /// The filter language; empty is everything.
        filter: String,
        /// At most so many; the desk bounds it at 1,000.
        limit: u32,
    },
    /// Groups of errored runs.
    Groups,
    /// What the runs of one of them sent, and how long the answers took.
    Group {
        /// Which.
        id: String,
    },
    /// The audit trail.
    Audit(Page),
    /// One request, whole. Any unique ending of six or more digits stands for an id, here and below.
    Request {
        /// Which.
        id: String,
    },
    /// Why a request was judged as it was.
    Explain {
        /// Which.
        id: String,
    },
    /// One run, whole, with its timeline.
    Run {
        /// Which.
        id: String,
    },
    /// One callback; `reveal` adds its URL and is audited.
    Callback {
        /// Which.
        id: String,
        /// With the URL.
        reveal: bool,
    },
    /// Alerts that were told: those that are open, and those in their quiet period.
    Alerts,
    /// All endpoints.
    Endpoints,
    /// All integrations.
    Integrations,
    /// One integration.
    Integration {
        /// Its name.
        name: String,
    },
    /// The source of a version: the deployed one, or the newest where none is.
    Export {
        /// The integration's name.
        name: String,
        /// A certain version.
        version: Option<u32>,
    },
    /// The versions of an integration, newest first.
    History {
        /// The integration's name.
        name: String,
        /// At most so many; 0 is all.
        limit: u32,
    },
    /// What differs between two versions.
    Diff {
        /// The integration's name.
        name: String,
        /// Left out: what is live.
        from: Option<u32>,
        /// Left out: the newest.
        to: Option<u32>,
    },
    /// Saves documents, all or none, and deploys them unless they are drafts.
    Apply(Apply),
    /// An integration that is edited.
    Edit(Box<Editing>),
    /// Makes the newest version the live one.
    Deploy {
        /// The integration's name.
        name: String,
        /// The version that the person was shown: where another is the newest since, nothing is done.
        #[serde(default)]
        seen: Option<u32>,
        /// Why.
        reason: Option<String>,
        /// Only says what would happen.
        dry_run: bool,
    },
    /// Closes the endpoints (410); open runs go on to their end.
    Remove {
        /// The integration's name.
        name: String,
        /// Why.
        reason: Option<String>,
        /// Only says what would happen.
        dry_run: bool,
    },
    /// Makes an earlier text a new version, and that the live one.
    Rollback(Rollback),
    /// Sets variables.
    Set {
        /// The integration's name.
        name: String,
        /// Names and values as written; the variable's type decides how they are read.
        values: Vec<(String, String)>,
        /// A secret variable and its value.
        #[serde(default)]
        secret: Option<(String, Secret)>,
        /// Why.
        reason: Option<String>,
        /// Only says what would happen.
        #[serde(default)]
        dry_run: bool,
    },
    /// Retry, skip, abort or replay: one object or many, the plan or the act.
    Act(Box<Act>),
    /// Jobs, newest first.
    Jobs {
        /// Only older than this id.
        #[serde(default)]
        before: Option<String>,
        /// At most so many; the desk bounds it at 1,000.
        limit: u32,
    },
    /// One job, with the reasons of its refusals counted.
    Job {
        /// Which.
        id: String,
    },
    /// Objects of a job, in the order in which they are done.
    Pieces {
        /// Which job.
        id: String,
        /// From this place on.
        #[serde(default)]
        from: u32,
        /// At most so many; the desk bounds it at 1,000.
        limit: u32,
    },
    /// Stops a job: what is left of it stays as it is.
    StopJob {
        /// Which.
        id: String,
        /// Why.
        #[serde(default)]
        reason: Option<String>,
        /// Only says what would happen.
        #[serde(default)]
        dry_run: bool,
    },
    /// Lets a job go on that stopped itself: failures are counted from here.
    ResumeJob {
        /// Which.
        id: String,
        /// Why.
        #[serde(default)]
        reason: Option<String>,
        /// Only says what would happen.
        #[serde(default)]
        dry_run: bool,
    },
    /// Senders' keys.
    Keys,
    /// Adds a sender's key.
    AddKey(Box<keys::AddKey>),
    /// Removes a sender's key: its secret is wiped.
    RemoveKey {
        /// Its name.
        name: String,
        /// Why.
        reason: Option<String>,
        /// Only says what would happen.
        dry_run: bool,
    },
    /// Makes a token that a sender can use.
    Token(keys::NewToken),
    /// Operators.
    Operators,
    /// Adds an operator.
    AddOperator(AddOperator),
    /// Removes an operator: the token is good for nothing from then on.
    RemoveOperator {
        /// The name.
        name: String,
        /// Why.
        reason: Option<String>,
        /// Only says what would happen.
        dry_run: bool,
    },
    /// Signs a request as its endpoint asks.
    Sign(keys::Sign),
    /// Starts a run of a flow that is triggered by hand.
    Start(Start),
    /// Pauses or resumes an integration or a flow.
    Pause(PauseOrder),
    /// Saves and deploys the samples that ship with the program.
    LoadSamples {
        /// Only says what would happen.
        #[serde(default)]
        dry_run: bool,
    },
    /// Says where a console is, for the others.
    Here(Here),
    /// Checks the store and the settings.
    Doctor,
    /// Figures over time.
    Overview {
        /// Over which.
        span: Span,
    },
    /// A question about traffic that was stored.
    Study(Study),
}

/// Documents to save.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Apply {
    /// Name of the file (for messages) and its text.
    pub files: Vec<(String, String)>,
    /// Another name for the integration (one file only).
    pub rename: Option<String>,
    /// Saves without deploying.
    pub draft: bool,
    /// Why.
    pub reason: Option<String>,
    /// Only says what would happen.
    pub dry_run: bool,
}

/// Rows of a list, as far as they were found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rows<T> {
    /// In the order that was asked for.
    pub rows: Vec<T>,
    /// Where to go on: `before` (or `after`) of the next page. `None` at the end.
    pub next: Option<String>,
    /// Rows that were looked at for this page.
    pub scanned: u64,
    /// Whether the page ended because its time was up and not because it was full.
    #[serde(default)]
    pub partial: bool,
    /// Of a partial page: how far the search came, in percent of what its filter can reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// Of a page that begins or ends with the newest: the newest id that there was, whether it matches or
    /// not. What comes later is newer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
}

impl<T> Rows<T> {
    /// Rows with nothing after them.
    #[must_use]
    pub fn whole(rows: Vec<T>) -> Self {
        Self { scanned: rows.len() as u64, rows, next: None, partial: false, percent: None, newest: None }
    }
}

/// What the desk answers.
///
/// The tag stands beside the value and not in it: a request's view has a field `answer` of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", content = "value", rename_all = "snake_case")]
pub enum Answer {
    /// To [`Ask::Counters`].
    Counters(Counters),
    /// To [`Ask::Requests`].
    Requests(Rows<RequestView>),
    /// To [`Ask::Runs`], [`Ask::RunsById`] and [`Ask::RunsAmong`].
    Runs(Rows<RunView>),
    /// To [`Ask::Callbacks`], and to [`Ask::Urgent`]: `partial` then says that there are more.
    Callbacks(Rows<CallbackView>),
    /// To [`Ask::Groups`].
    Groups {
        /// Most runs first.
        groups: Vec<GroupView>,
    },
    /// To [`Ask::Group`].
    Group(GroupFigures),
    /// To [`Ask::Audit`].
    Audit(Rows<AuditView>),
    /// To [`Ask::Request`].
    Request(Box<RequestDetail>),
    /// To [`Ask::Explain`].
    Explain(Box<ExplainView>),
    /// To [`Ask::Run`].
    Run {
        /// With attempts and bodies.
        run: Box<RunView>,
        /// Oldest first.
        events: Vec<EventView>,
    },
    /// To [`Ask::Callback`].
    Callback(Box<CallbackView>),
    /// To [`Ask::Alerts`].
    Alerts {
        /// Open ones first, then by when they were told last; at most [`ToldView::SHOWN`].
        alerts: Vec<ToldView>,
    },
    /// To [`Ask::Endpoints`].
    Endpoints {
        /// By integration and flow.
        endpoints: Vec<EndpointView>,
    },
    /// To [`Ask::Integrations`] and [`Ask::Integration`].
    Integrations {
        /// By name.
        integrations: Vec<IntegrationView>,
    },
    /// To [`Ask::Export`].
    Source {
        /// The version.
        version: u32,
        /// TOML.
        text: String,
    },
    /// To [`Ask::History`].
    History {
        /// Newest first.
        versions: Vec<VersionView>,
    },
    /// To [`Ask::Diff`].
    Diff(DiffView),
    /// To [`Ask::Apply`], [`Ask::Deploy`], [`Ask::Rollback`], [`Ask::Remove`], [`Ask::Set`],
    /// [`Ask::RemoveKey`], [`Ask::RemoveOperator`], [`Ask::StopJob`], [`Ask::Here`].
    Done(Done),
    /// To [`Ask::LoadSamples`], done.
    Loaded(LoadedView),
    /// To [`Editing::Open`].
    Edit(Box<EditView>),
    /// To [`Editing::Keep`].
    Kept {
        /// How often it was kept.
        seen: u64,
    },
    /// To [`Editing::Save`].
    Saved(SavedView),
    /// To [`Ask::Keys`].
    Keys {
        /// By name.
        keys: Vec<KeyView>,
    },
    /// To [`Ask::AddKey`].
    Key(keys::Made),
    /// To [`Ask::Token`].
    Token(keys::Token),
    /// To [`Ask::Operators`].
    Operators {
        /// By name.
        operators: Vec<OperatorView>,
    },
    /// To [`Ask::AddOperator`].
    Operator(MadeOperator),
    /// To [`Ask::Sign`].
    Signed(keys::Signed),
    /// To [`Ask::Act`] with `dry_run`.
    Plan(Plan),
    /// To [`Ask::Act`], done at once.
    Acted(Acted),
    /// To [`Ask::Act`] on many, as the job that it became; to [`Ask::Job`].
    Job(Box<JobView>),
    /// To [`Ask::Jobs`].
    Jobs {
        /// Newest first.
        jobs: Vec<JobView>,
        /// `before` of the next page.
        next: Option<String>,
    },
    /// To [`Ask::Pieces`].
    Pieces {
        /// In their order.
        pieces: Vec<PieceView>,
        /// `from` of the next page.
        next: Option<u32>,
    },
    /// To [`Ask::Study`].
    Studied(Box<Studied>),
    /// To [`Ask::Overview`].
    Overview(Box<OverviewView>),
    /// To [`Ask::Doctor`].
    Doctor {
        /// In the order in which they were made.
        checks: Vec<CheckView>,
    },
}

#[cfg(test)]
mod tests;
