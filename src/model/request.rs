//! One HTTP request that arrived at an endpoint, and what was judged of it.

use super::headers::Headers;
use super::run::RunState;
use super::{FlowId, Map, Ms, RequestId};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What was decided about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is kept, and its run exists.
    Accepted = 0,
    /// A request with the same dedup key came before.
    Duplicate = 1,
    /// The trigger's `when` is false.
    Filtered = 2,
    /// It was refused.
    Rejected = 3,
}

impl Verdict {
    /// Every verdict, in the order of its number.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Duplicate, Self::Filtered, Self::Rejected];

    /// From the number in the store.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// The word in JSON, lists and filters.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Filtered => "filtered",
            Self::Rejected => "rejected",
        }
    }
}

/// Marks of a request, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks(pub i64);

impl Marks {
    /// All dedup fields were missing.
    pub const NO_DEDUP_KEY: Self = Self(1);
    /// An object had a key twice; the last value counts.
    pub const REPEATED_KEYS: Self = Self(2);
    /// Only the first 64 KiB of the body were kept.
    pub const BODY_CUT: Self = Self(4);
    /// The body came chunked.
    pub const CHUNKED: Self = Self(8);
    /// The body came gzipped; what is stored is expanded.
    pub const GZIP: Self = Self(16);
    /// A test.
    pub const TEST: Self = Self(32);
    /// It was rejected first and let in later.
    pub const READMITTED: Self = Self(64);
    /// It came while a capture was open on a flow that was never deployed.
    pub const CAPTURED: Self = Self(128);
    /// A person or a command started it; no HTTP request arrived.
    pub const MANUAL: Self = Self(256);
    /// A tick of a schedule started it; no HTTP request arrived, nor with those that follow.
    pub const SCHEDULE: Self = Self(512);
    /// A deploy started it.
    pub const DEPLOY: Self = Self(1_024);
    /// A removal started it.
    pub const REMOVE: Self = Self(2_048);
    /// An alert started it.
    pub const ALERT: Self = Self(131_072);

    /// Only the first 16 KiB of the headers were kept.
    pub const HEADERS_CUT: Self = Self(16_384);
    /// It was called by the flow's `path` and not by its generated endpoint.
    pub const BY_PATH: Self = Self(32_768);
    /// Nothing but a slash came after the endpoint.
    pub const BARE_SLASH: Self = Self(65_536);
    /// Its run was born running: its sender was told so. With [`Self::BORN_DONE`] what tells the answer
    /// of a request whose sender was answered at once. Like those of how it was called they have no word.
    pub const BORN_RUNNING: Self = Self(4_096);
    /// Its run was born `succeeded`.
    pub const BORN_DONE: Self = Self(8_192);

    const WORDS: [(Self, &'static str); 14] = [
        (Self::NO_DEDUP_KEY, "no_dedup_key"),
        (Self::REPEATED_KEYS, "repeated_keys"),
        (Self::BODY_CUT, "body_cut"),
        (Self::CHUNKED, "chunked"),
        (Self::GZIP, "gzip"),
        (Self::TEST, "test"),
        (Self::READMITTED, "readmitted"),
        (Self::CAPTURED, "captured"),
        (Self::MANUAL, "manual"),
        (Self::SCHEDULE, "schedule"),
        (Self::DEPLOY, "deploy"),
        (Self::REMOVE, "remove"),
        (Self::HEADERS_CUT, "headers_cut"),
        (Self::ALERT, "alert"),
    ];

    /// Whether an HTTP request arrived.
    #[must_use]
    pub fn arrived(self) -> bool {
        let own = Self::MANUAL.with(Self::SCHEDULE).with(Self::DEPLOY).with(Self::REMOVE).with(Self::ALERT);
        self.0 & own.0 == 0
    }

    /// Whether all bits of another are set.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// With the bits of another.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The mark of a state that runs are born in.
    #[must_use]
    pub fn born(state: RunState) -> Self {
        match state {
            RunState::Running => Self::BORN_RUNNING,
            RunState::Succeeded => Self::BORN_DONE,
            _ => Self::default(),
        }
    }

    /// The state that its run was born in, or its runs taken together.
    #[must_use]
    pub fn born_in(self) -> RunState {
        match self {
            _ if self.has(Self::BORN_RUNNING) => RunState::Running,
            _ if self.has(Self::BORN_DONE) => RunState::Succeeded,
            _ => RunState::Queued,
        }
    }

    /// The words in JSON, in the order of the bits; `test` has a field of its own.
    #[must_use]
    pub fn words(self) -> Vec<String> {
        Self::WORDS
            .iter()
            .filter(|(mark, _)| self.has(*mark) && *mark != Self::TEST)
            .map(|(_, word)| (*word).to_owned())
            .collect()
    }
}

/// What judges duplicates: a key and how long it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DedupKey {
    /// The first 128 bits of a SHA-256.
    pub key: [u8; 16],
    /// Milliseconds.
    pub window: Ms,
    /// Whether the window counts from the accepted request and not from the last copy.
    pub from_first: bool,
}

/// What the receiver (or a replay) found, before the store has judged duplicates and given an id.
#[derive(Debug, Clone)]
pub struct Seed {
    /// The flow whose endpoint it came to.
    pub flow: FlowId,
    /// The version that judged it.
    pub version: u32,
    /// Marks so far.
    pub marks: Marks,
    /// Of the request.
    pub method: String,
    /// The rest of the path after the endpoint, without its leading slash.
    pub path: String,
    /// The raw query string, without `?`.
    pub query: String,
    /// In order, as sent.
    pub headers: Headers,
    /// Byte for byte.
    pub body: Bytes,
    /// The sender's address.
    pub peer: Option<String>,
    /// Who it was, where that is known.
    pub actor: Option<String>,
    /// How many systems like this one it has passed through (`Pointsman-Hops`).
    pub hops: u32,
}

/// A request as it is stored.
#[derive(Debug, Clone)]
pub struct StoredRequest {
    /// Its id, whose time is the time of arrival.
    pub id: RequestId,
    /// What arrived.
    pub seed: Seed,
    /// What was decided.
    pub verdict: Verdict,
    /// How many runs it began.
    pub runs: u32,
    /// What was answered at once.
    pub status: Option<u16>,
    /// Why it was refused or filtered.
    pub cause: Option<String>,
    /// The first request with its key.
    pub duplicate_of: Option<RequestId>,
    /// Its dedup key.
    pub dedup: Option<[u8; 16]>,
}

/// A request's data as templates, filters and views see it: parsed once, when somebody looks.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestData {
    /// The JSON body; `{}` for an empty one without a content type.
    pub body: Value,
    /// Lower-case names, repeated ones joined by `, `.
    pub headers: Vec<(String, String)>,
    /// Decoded query values; of a repeated name the last one, all of them joined by `, `.
    pub query: Map,
    /// Of the request.
    pub method: String,
    /// The rest of the path after the endpoint.
    pub path: String,
    /// The endpoint's URL as it was called, where known.
    pub url: String,
    /// The request's content type.
    pub content_type: String,
    /// The request's id as text.
    pub id: String,
    /// Arrival, epoch milliseconds.
    pub time: Ms,
    /// The sender's address.
    pub from: String,
}
