//! What changed: small, without bodies. A console reads what it shows.

use super::alert::SilentView;
use super::guide::Unfinished;
use super::request::Verdict;
use super::run::RunState;
use super::target::Breakers;
use super::trouble::StoreTrouble;
use super::{CallbackId, FlowId, Ms, RequestId, RunId};
use serde::{Deserialize, Deserializer, Serialize};

/// One change, published by the writer after its commit, in commit order; a breaker's by the runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A request was stored.
    Request {
        /// Which.
        id: RequestId,
        /// Whose.
        flow: FlowId,
        /// As what.
        verdict: Verdict,
    },
    /// A run was made or moved.
    Run {
        /// Which.
        id: RunId,
        /// Whose.
        flow: FlowId,
        /// To what.
        state: RunState,
    },
    /// A callback was made or moved.
    Callback {
        /// Which.
        id: CallbackId,
    },
    /// What senders that waited were told was noted: their requests have a status now.
    Told,
    /// A document was saved, deployed or removed, or a value was set.
    Config,
    /// A breaker opened or closed: which, the targets know.
    Breaker,
}

/// The figures of the console's first row, as the store and the receiver know them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Engine time of the reading.
    pub at: Ms,
    /// The address that is listened on.
    pub listen: String,
    /// What the self-probe of `/healthz` found: `None` before the first, `Some(None)` when well.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "is_there")]
    pub probe: Option<Option<String>>,
    /// Answers 2xx that promise a stored run, since the start.
    pub promised: u64,
    /// Accepted requests of senders committed, since the start: what a person or the program made is
    /// promised to nobody.
    pub stored: u64,
    /// Duplicates since the store was made.
    pub duplicates: u64,
    /// Refusals since the store was made, those that were only counted included.
    pub rejected: u64,
    /// Those of them that were counted and have no row.
    pub only_counted: u64,
    /// Duplicates, refusals and those without a row that there were at the start: what people are told is
    /// what came since.
    pub begun: [u64; 3],
    /// Filtered since the store was made.
    pub filtered: u64,
    /// Accepted since the store was made.
    pub accepted: u64,
    /// When a request was refused last.
    pub last_rejected: Option<Ms>,
    /// When a request was accepted last.
    pub last_accepted: Option<Ms>,
    /// Accepted from senders in the last ten seconds.
    pub recent: u64,
    /// Runs by state, in the order of [`RunState::ALL`]; only the open ones and `errored` are exact.
    pub runs: [u64; 9],
    /// Work that is due and unclaimed.
    pub queue: u64,
    /// The most that the queue may hold.
    pub queue_limit: u64,
    /// Since when the oldest of it waits.
    pub oldest: Option<Ms>,
    /// Callbacks that wait.
    pub callbacks_pending: u64,
    /// Callbacks that expired while their step is still errored.
    pub callbacks_overdue: u64,
    /// 99th percentile of the last hundred commits, in microseconds.
    pub commit_p99_us: u64,
    /// The store takes nothing: why, and since when.
    pub store_trouble: Option<StoreTrouble>,
    /// Size of the write-ahead log in bytes.
    pub wal_bytes: u64,
    /// Bytes of the dedup table, and its budget.
    pub dedup_bytes: u64,
    /// The budget.
    pub dedup_budget: u64,
    /// How far the wall clock is behind engine time; over five seconds is shown.
    pub clock_behind: Ms,
    /// The process is stopping.
    pub stopping: bool,
    /// There is at least one integration.
    pub integrations: u64,
    /// Those of them that are being made step by step, and were never deployed: the first of them.
    pub unfinished: Vec<Unfinished>,
    /// Flows that are paused: they refuse requests, or hold their runs.
    pub paused: u64,
    /// Flows that are live, the paused ones among them.
    pub flows: u64,
    /// Targets and their breakers.
    pub breakers: Breakers,
    /// Endpoints that have gone silent, of those that alerts are about.
    pub silent: Vec<SilentView>,
    /// Jobs that are under way.
    pub jobs: JobFigures,
}

/// The jobs that are under way, and the one that ended last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobFigures {
    /// How many.
    pub running: u64,
    /// Their objects.
    pub total: u64,
    /// Those of which something became.
    pub past: u64,
    /// The one that ended last since this process began.
    pub ended: Option<JobEnd>,
    /// Those that stopped themselves and wait for a person, newest first; at most
    /// [`HaltedJob::SHOWN`] of them.
    pub halted: Vec<HaltedJob>,
}

/// A value that is there: `null` is one, and not the same as nothing.
fn is_there<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// A job that stopped itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaltedJob {
    /// Which.
    pub id: String,
    /// `retry of 1,209 runs`.
    pub what: String,
    /// Who started it.
    pub who: String,
    /// When it halted, in ms since 1970.
    pub at: Ms,
    /// After so many failures in a row.
    pub failures: u32,
    /// Objects that are left.
    pub left: u64,
}

impl Counters {
    /// Requests that have a row.
    #[must_use]
    pub fn rows(&self) -> u64 {
        let all = self.accepted + self.duplicates + self.filtered + self.rejected;
        all.saturating_sub(self.only_counted)
    }

    /// Whether nothing is let in on purpose: every flow that is live is paused.
    #[must_use]
    pub fn all_paused(&self) -> bool {
        self.paused > 0 && self.paused >= self.flows
    }
}

impl HaltedJob {
    /// Jobs that are listed.
    pub const SHOWN: usize = 16;
}

/// The end of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEnd {
    /// Which.
    pub id: String,
    /// In a sentence.
    pub said: String,
    /// Some of its objects were refused, or it was stopped.
    pub short: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_that_found_nothing_wrong_crosses_the_wire() {
        for probe in [None, Some(None), Some(Some("refused".to_owned()))] {
            let counters = Counters { probe: probe.clone(), ..Counters::default() };
            let text = serde_json::to_string(&counters).unwrap();
            assert_eq!(serde_json::from_str::<Counters>(&text).unwrap().probe, probe, "{text}");
        }
    }
}
