//! `[[alert]]`: what an integration tells somebody else of, and whom.

use super::Ms;
use super::time::MINUTE;
use serde::{Deserialize, Serialize};

/// How long nothing more is told of a cause where the document does not say.
pub const QUIET: Ms = 15 * MINUTE;

/// What can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Runs stopped and need an operator.
    Errored = 0,
    /// Nobody answered a callback in time.
    Overdue = 1,
    /// A target refuses again and again, and is not sent to for now.
    Breaker = 2,
    /// An endpoint that usually gets requests gets none.
    Silent = 3,
}

impl AlertKind {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; 4] = [Self::Errored, Self::Overdue, Self::Breaker, Self::Silent];

    /// From the number in the store.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// The word in documents and in what is told.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Errored => "errored",
            Self::Overdue => "overdue",
            Self::Breaker => "breaker",
            Self::Silent => "silent",
        }
    }
}

/// Whom an alert goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// A POST to a URL: a template that sees `config`, `webhook_urls` and `integration`.
    Url(String),
    /// A run of a flow of the same document, by its name.
    Flow(String),
}

/// An `[[alert]]` of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What is told; never empty, each kind once.
    pub on: Vec<AlertKind>,
    /// Whom.
    pub to: Receiver,
    /// How long nothing more is told of a cause.
    pub quiet: Ms,
}

/// An alert as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertView {
    /// errored, overdue, breaker, silent.
    pub on: Vec<AlertKind>,
    /// The URL as the document writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The flow's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
    /// As documents write durations: `15m`.
    pub quiet: String,
    /// Causes that were told and have not recovered.
    pub open: u64,
    /// When something was told last: for a URL this is when it was to be sent.
    pub last_told: Option<String>,
    /// When the URL took something last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered: Option<String>,
    /// Posts that wait for the URL.
    #[serde(default)]
    pub waiting: u64,
    /// Posts that were given up, since it was deployed.
    #[serde(default)]
    pub given_up: u64,
    /// Why the last post did not arrive, until one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl AlertView {
    /// Whom it goes to, in words.
    #[must_use]
    pub fn receiver(&self) -> String {
        match (&self.url, &self.flow) {
            (Some(url), _) => url.clone(),
            (None, Some(flow)) => format!("flow {flow}"),
            (None, None) => String::new(),
        }
    }

    /// `errored, overdue`.
    #[must_use]
    pub fn kinds(&self) -> String {
        self.on.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", ")
    }
}

/// A cause that was told: open, or over and in its quiet period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldView {
    /// errored, overdue, breaker, silent.
    pub alert: AlertKind,
    /// It has not recovered.
    pub open: bool,
    /// The integration's name.
    pub integration: String,
    /// The flow's name; a breaker has none.
    pub flow: Option<String>,
    /// The step's name.
    pub step: Option<String>,
    /// In words; of a breaker the target.
    pub cause: String,
    /// Since when it is there.
    pub since: String,
    /// When it was told last, recoveries left out.
    pub last_told: String,
    /// Until when nothing more is told of it; null where that is past.
    pub quiet_until: Option<String>,
    /// Whom.
    pub to: String,
}

impl ToldView {
    /// Causes that are listed.
    pub const SHOWN: usize = 500;

    /// `acme-erp / Sync customers`.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.flow {
            Some(flow) => format!("{} / {flow}", self.integration),
            None => self.integration.clone(),
        }
    }
}

/// An endpoint that has gone silent, as an alert told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilentView {
    /// The integration's name.
    pub integration: String,
    /// The flow's name.
    pub flow: String,
    /// Since when, in ms since 1970.
    pub since: Ms,
    /// Why that is a silence, in words.
    pub cause: String,
}

impl SilentView {
    /// Endpoints that are listed.
    pub const SHOWN: usize = 16;
}

/// Something that was told, or could not be delivered, for those who watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertLine {
    /// Its number in this process, from 1.
    pub seq: u64,
    /// When, in ms since 1970.
    pub at: Ms,
    /// In words, as people are shown it.
    pub text: String,
}
