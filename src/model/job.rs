//! Jobs: verbs on many, done piece by piece, and what is told of them.

mod outcome;

pub use outcome::{Line, Outcomes};

use super::ask::Verb;
use super::id::Kind;
use super::rate::RateLimit;
use serde::{Deserialize, Serialize};

/// Where a job stands. The numbers are those of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Pieces are left, and are being done.
    Running = 0,
    /// A person stopped it: what was left stays as it was.
    Stopped = 1,
    /// No piece is left.
    Done = 2,
    /// It stopped itself after failures in a row: a person lets it go on, or stops it.
    Halted = 3,
}

impl JobState {
    /// All of them, by number.
    pub const ALL: [Self; 4] = [Self::Running, Self::Stopped, Self::Done, Self::Halted];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Done => "done",
            Self::Halted => "halted",
        }
    }

    /// By its number.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as i64 == number)
    }
}

/// What became of a piece. The numbers are those of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PieceState {
    /// Nothing yet.
    Left = 0,
    /// It is being sent: a process that ends now leaves an unknown outcome.
    Sending = 1,
    /// It was done.
    Done = 2,
    /// It was refused, or failed.
    Refused = 3,
}

impl PieceState {
    /// All of them, by number.
    pub const ALL: [Self; 4] = [Self::Left, Self::Sending, Self::Done, Self::Refused];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Sending => "sending",
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    /// By its number.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as i64 == number)
    }
}

/// A job as lists and details show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    /// `UUIDv7`.
    pub id: String,
    /// When it was started.
    pub time: String,
    /// Who started it.
    pub who: String,
    /// Through what: console, command line, socket.
    pub door: String,
    /// The verb's word.
    pub verb: String,
    /// What it acts on: request, run, callback.
    pub object: String,
    /// The verb with its options.
    pub options: Verb,
    /// The filter, where its objects were chosen by one.
    pub filter: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// At most so many in a time.
    pub rate: Option<RateLimit>,
    /// It halts after so many failures in a row.
    #[serde(default)]
    pub stop_after: Option<u32>,
    /// running, stopped, done, halted.
    pub state: JobState,
    /// Its objects, fixed when it was started.
    pub total: u64,
    /// Those that were acted on.
    pub done: u64,
    /// Those that were refused, or failed.
    pub refused: u64,
    /// Those that are left.
    pub left: u64,
    /// Why, and how many: the most first. Only where one job is asked for.
    pub reasons: Vec<Reason>,
    /// What became of the runs that it moved or made, as they stand now. Only where one job is asked
    /// for, and its verb makes runs go on.
    #[serde(default)]
    pub outcomes: Option<Outcomes>,
    /// When it ended, or halted.
    pub ended: Option<String>,
    /// Who stopped it.
    pub stopped_by: Option<String>,
}

/// Why pieces were refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// In words.
    pub why: String,
    /// How many.
    pub count: u64,
}

/// One object of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PieceView {
    /// Its place: they are done in this order.
    pub at: u32,
    /// request, run or callback.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// left, sending, done, refused.
    pub state: PieceState,
    /// Why it was refused, or what came of it.
    pub said: Option<String>,
    /// The new run that it made; of several the first.
    pub run: Option<String>,
}

impl JobView {
    /// Whether its runs had stopped before: what stops now does so again.
    #[must_use]
    pub fn again(&self) -> bool {
        matches!(self.options, Verb::Retry { .. } | Verb::Skip { .. })
    }

    /// How long what is left takes at its rate, in ms: of one that runs, where it has a rate.
    #[must_use]
    pub fn lasts(&self) -> Option<i64> {
        let rate = self.rate.filter(|_| self.state == JobState::Running)?;
        let left = i64::try_from(self.left).unwrap_or(i64::MAX);
        Some(left.saturating_mul(rate.per) / i64::from(rate.count.max(1)))
    }

    /// `1,209 runs`, `1 request`.
    #[must_use]
    pub fn objects(&self, many: u64) -> String {
        format!("{} {}{}", crate::text::count(many), self.object, if many == 1 { "" } else { "s" })
    }

    /// How it stands, in a sentence: `retry of 1,209 runs: 700 done, 2 refused, 507 left, at 20/s`.
    #[must_use]
    pub fn stands(&self) -> String {
        use crate::text::count;
        let mut said = format!("{} of {}: {} done", self.verb, self.objects(self.total), count(self.done));
        if self.refused > 0 {
            said = format!("{said}, {} refused", count(self.refused));
        }
        if self.left > 0 {
            said = format!("{said}, {} left", count(self.left));
        }
        match (self.state, self.rate) {
            (JobState::Running, Some(rate)) => format!("{said}, at {rate}"),
            (JobState::Stopped, _) => format!("{said}, stopped"),
            (JobState::Halted, _) => match self.stop_after {
                Some(many) => format!("{said}, halted after {}", failures(many)),
                None => format!("{said}, halted"),
            },
            _ => said,
        }
    }
}

/// `10 failures in a row`.
#[must_use]
pub fn failures(many: u32) -> String {
    match many {
        1 => "1 failure".to_owned(),
        many => format!("{} failures in a row", crate::text::count(u64::from(many))),
    }
}

/// Where objects of a kind are told by a number: in rows of pieces.
#[must_use]
pub fn kind_from_number(number: i64) -> Option<Kind> {
    [Kind::Request, Kind::Run, Kind::Callback].into_iter().find(|kind| *kind as i64 == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_their_numbers_and_words() {
        for (number, state) in (0..).zip(JobState::ALL) {
            assert_eq!(JobState::from_number(number), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.word());
        }
        for (number, state) in (0..).zip(PieceState::ALL) {
            assert_eq!(PieceState::from_number(number), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.word());
        }
        assert_eq!(JobState::from_number(9), None);
    }

    #[test]
    fn how_a_job_stands_is_a_sentence() {
        let mut job = JobView {
            id: "x".into(),
            time: String::new(),
            who: "anna".into(),
            door: "console".into(),
            verb: "retry".into(),
            object: "run".into(),
            options: Verb::Abort,
            filter: None,
            reason: None,
            rate: Some(RateLimit { count: 20, per: 1_000 }),
            stop_after: Some(10),
            state: JobState::Running,
            total: 1_209,
            done: 700,
            refused: 2,
            left: 507,
            reasons: Vec::new(),
            outcomes: None,
            ended: None,
            stopped_by: None,
        };
        assert_eq!(job.stands(), "retry of 1,209 runs: 700 done, 2 refused, 507 left, at 20/s");
        assert_eq!(job.lasts(), Some(25_350));
        job.state = JobState::Halted;
        let halted = "retry of 1,209 runs: 700 done, 2 refused, 507 left, halted after 10 failures in a row";
        assert_eq!((job.stands().as_str(), job.lasts()), (halted, None));
        job.state = JobState::Stopped;
        assert_eq!(job.stands(), "retry of 1,209 runs: 700 done, 2 refused, 507 left, stopped");
        job = JobView { state: JobState::Done, total: 1, done: 1, refused: 0, left: 0, ..job };
        assert_eq!(job.stands(), "retry of 1 run: 1 done");
    }
}
