//! Figures over the last hour, day or week: what *Overview* and `pointsman overview` show.

use super::Ms;
use super::run::RunState;
use super::time::{DAY, HOUR, MINUTE};
use serde::{Deserialize, Serialize};

/// A quarter of an hour in milliseconds.
pub const QUARTER: Ms = 15 * MINUTE;

/// Over which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Sixty minutes, the one under way among them.
    #[default]
    Hour,
    /// 96 quarters of an hour.
    Day,
    /// 672 quarters of an hour.
    Week,
}

impl Span {
    /// Every span, the shortest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    /// The word that people write.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    /// The next one; after the longest the shortest.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Hour => Self::Day,
            Self::Day => Self::Week,
            Self::Week => Self::Hour,
        }
    }

    /// How long one of its buckets is.
    #[must_use]
    pub fn bucket(self) -> Ms {
        match self {
            Self::Hour => MINUTE,
            Self::Day | Self::Week => QUARTER,
        }
    }

    /// How many buckets it has.
    #[must_use]
    pub fn buckets(self) -> Ms {
        let long = match self {
            Self::Hour => HOUR,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
        };
        long / self.bucket()
    }

    /// When it began, at a time: a bucket begins there.
    #[must_use]
    pub fn from(self, now: Ms) -> Ms {
        (now.div_euclid(self.bucket()) + 1 - self.buckets()) * self.bucket()
    }

    /// When its next bucket begins.
    #[must_use]
    pub fn turns(self, now: Ms) -> Ms {
        (now.div_euclid(self.bucket()) + 1) * self.bucket()
    }
}

/// A count over time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// In all of it.
    pub total: u64,
    /// By bucket, oldest first; null where the process was down.
    pub points: Vec<Option<u64>>,
}

/// The most of something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peak {
    /// How many.
    pub n: u64,
    /// When.
    pub at: String,
}

/// Requests that arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrivals {
    /// Accepted.
    pub accepted: Series,
    /// Duplicates.
    pub duplicate: Series,
    /// Filtered.
    pub filtered: Series,
    /// Rejected, those that were only counted among them.
    pub rejected: Series,
    /// Those of the rejected ones that were counted and have no row.
    #[serde(default)]
    pub only_counted: u64,
    /// Accepted in the last ten seconds.
    pub recent: u64,
    /// Most that were accepted within a second.
    pub most: Option<Peak>,
    /// Why they were rejected, without numbers, most first.
    pub causes: Vec<CauseFigure>,
}

/// A cause of refusals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseFigure {
    /// In words, `#` for each number.
    pub cause: String,
    /// How often.
    pub n: u64,
}

/// How long a step took, against the time that it had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFigure {
    /// The integration's name.
    pub integration: String,
    /// The flow's name.
    pub flow: String,
    /// The step's name; empty for all that were too many to be told apart.
    pub step: String,
    /// The wait for its callback, and not its exchange.
    pub callback: bool,
    /// How many ended.
    pub n: u64,
    /// Milliseconds that half of them were not over.
    pub p50_ms: u64,
    /// Milliseconds that 95 of a hundred were not over.
    pub p95_ms: u64,
    /// Milliseconds that 99 of a hundred were not over.
    pub p99_ms: u64,
    /// Milliseconds that the last of them had: its time-out, or its callback's deadline.
    pub deadline_ms: u64,
}

/// An error group, and how many runs came into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorFigure {
    /// Names the group in filters: `group:…`; null for all that were too many to be told apart.
    pub group: Option<String>,
    /// The integration's name.
    pub integration: String,
    /// The flow's name.
    pub flow: String,
    /// The step's name.
    pub step: String,
    /// In words.
    pub cause: String,
    /// How many.
    pub n: u64,
}

/// Runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFigures {
    /// How often a run came into each state, in the order of [`RunState::ALL`].
    #[serde(with = "by_state")]
    pub came: [u64; 9],
    /// How many are in each now; only the open ones and `errored` are exact.
    #[serde(with = "by_state")]
    pub now: [u64; 9],
}

/// Figures by state, as an object with the words of the states.
mod by_state {
    use super::RunState;
    use serde::{Deserialize as _, Deserializer, Serializer};
    use std::collections::BTreeMap;

    pub(super) fn serialize<S: Serializer>(figures: &[u64; 9], out: S) -> Result<S::Ok, S::Error> {
        out.collect_map(RunState::ALL.map(RunState::word).into_iter().zip(figures))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u64; 9], D::Error> {
        let figures = BTreeMap::<String, u64>::deserialize(from)?;
        Ok(RunState::ALL.map(|state| figures.get(state.word()).copied().unwrap_or(0)))
    }
}

/// Work that waits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueFigures {
    /// Due and unclaimed now.
    pub now: u64,
    /// Since when the oldest of it waits.
    pub oldest: Option<String>,
    /// Most that waited at once.
    pub most: Option<Peak>,
}

/// The store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreFigures {
    /// Commits.
    pub commits: u64,
    /// Microseconds that half of them were not over.
    pub commit_p50_us: Option<u64>,
    /// Microseconds that 99 of a hundred were not over.
    pub commit_p99_us: Option<u64>,
    /// Bytes of the write-ahead log.
    pub wal_bytes: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// By how much the file grew in the last day; null until an hour of it is known.
    pub day_bytes: Option<i64>,
    /// Bytes free where it lies.
    pub free_bytes: Option<u64>,
    /// Bytes that must stay free, or requests are refused.
    pub reserve_bytes: u64,
}

impl StoreFigures {
    /// Days until requests are refused, should it go on growing like this; `None` where it does not.
    #[must_use]
    pub fn days_left(&self) -> Option<u64> {
        let a_day = u64::try_from(self.day_bytes?).ok().filter(|bytes| *bytes > 0)?;
        Some(self.free_bytes?.saturating_sub(self.reserve_bytes) / a_day)
    }
}

/// All of it, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverviewView {
    /// Over which time.
    pub span: Span,
    /// The moment.
    pub at: String,
    /// When the span began.
    pub from: String,
    /// How long a bucket is.
    pub bucket_seconds: u64,
    /// Requests.
    pub requests: Arrivals,
    /// Steps, those first whose 95th percentile is nearest to their deadline.
    pub steps: Vec<StepFigure>,
    /// Runs.
    pub runs: RunFigures,
    /// What runs became errored for, most first.
    pub errors: Vec<ErrorFigure>,
    /// Work that waits.
    pub queue: QueueFigures,
    /// The store.
    pub store: StoreFigures,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_begins_with_a_bucket_and_holds_the_one_under_way() {
        let now = 1_795_008_715_120;
        for span in Span::ALL {
            let from = span.from(now);
            assert_eq!(from.rem_euclid(span.bucket()), 0);
            assert_eq!(from + span.buckets() * span.bucket(), span.turns(now));
            assert!(span.turns(now) > now && span.turns(now) - now <= span.bucket());
        }
        assert_eq!(Span::ALL.map(Span::buckets), [60, 96, 672]);
        assert_eq!(Span::ALL.map(|span| span.next().word()), ["day", "week", "hour"]);
    }

    #[test]
    fn runs_are_told_by_the_words_of_their_states() {
        let runs = RunFigures { came: [1, 2, 3, 4, 5, 6, 7, 8, 9], now: [0; 9] };
        let told = serde_json::to_value(&runs).unwrap();
        assert_eq!(told["came"]["succeeded_with_skips"], 7);
        assert_eq!(serde_json::from_value::<RunFigures>(told).unwrap(), runs);
    }

    #[test]
    fn days_are_left_where_it_grows() {
        let mut store =
            StoreFigures { free_bytes: Some(1_000), reserve_bytes: 400, ..StoreFigures::default() };
        assert_eq!(store.days_left(), None);
        store.day_bytes = Some(-5);
        assert_eq!(store.days_left(), None);
        store.day_bytes = Some(100);
        assert_eq!(store.days_left(), Some(6));
        store.free_bytes = Some(10);
        assert_eq!(store.days_left(), Some(0));
    }
}
