//! The figures of a span as rows: what console and command line both say, and what each row counts.

use crate::model::overview::{OverviewView, Series, Span, StepFigure};
use crate::model::query::quoted;
use crate::model::request::Verdict;
use crate::model::run::RunState;
use crate::model::time::{Ms, parse_rfc3339};
use crate::text::{age, count, size, took};

/// What a row counts: a filter over requests or runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opens {
    /// Requests.
    Requests(String),
    /// Runs.
    Runs(String),
    /// Nothing that could be listed: it is measured.
    Nothing,
}

/// A verdict, or a cause of refusals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountRow {
    /// The verdict; none of a cause.
    pub verdict: Option<Verdict>,
    /// What is counted.
    pub label: String,
    /// How many.
    pub total: u64,
    /// Over time; empty for a cause.
    pub points: Vec<Option<u64>>,
    /// Of all that arrived: `95.7 %`.
    pub share: String,
    /// What else is to be said.
    pub note: String,
    /// How many of them have no row: `8 counted, not stored`; empty where all have one.
    pub rowless: String,
    /// The requests.
    pub opens: Opens,
}

/// A step against the time that it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRow {
    /// `acme-erp / Sync customers`.
    pub whose: String,
    /// ` · push`; also of the wait for its callback.
    pub step: String,
    /// How many ended.
    pub n: u64,
    /// The three percentiles.
    pub times: [String; 3],
    /// The time that it had; `?` where that is not known.
    pub deadline: String,
    /// Thousandths of it that the 95th percentile took.
    pub part: Option<u64>,
    /// The runs of its flow.
    pub opens: Opens,
}

impl StepRow {
    /// `acme-erp / Sync customers · push`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}{}", self.whose, self.step)
    }
}

/// A state, or an error group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunItem {
    /// The state; that of a group is errored.
    pub state: RunState,
    /// In words.
    pub label: String,
    /// How many.
    pub n: u64,
    /// The runs.
    pub opens: Opens,
}

/// A line of *Queue, store*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreLine {
    /// In words.
    pub text: String,
    /// How bad it is: nothing, or what to warn of.
    pub warns: bool,
    /// The runs, of the queue.
    pub opens: Opens,
}

/// From which part of its deadline on a step is warned of: 80 %.
pub const NEAR: u64 = 800;
/// Days from which on the disk lasts long enough.
const LASTS: u64 = 14;

/// `95.7 %` of all.
#[must_use]
pub fn share(n: u64, all: u64) -> String {
    let all = u128::from(all.max(1));
    let thousandths = (u128::from(n) * 1_000 + all / 2) / all;
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

/// How many a second, of what came in ten.
fn rate(recent: u64) -> String {
    match recent {
        0 => "0/s".to_owned(),
        1..100 => format!("{}.{}/s", recent / 10, recent % 10),
        _ => format!("{}/s", count(recent / 10)),
    }
}

/// Microseconds as people read them.
fn micros(us: u64) -> String {
    match us {
        ..10_000 => format!("{}.{}ms", us / 1_000, us % 1_000 / 100),
        _ => took(Ms::try_from(us / 1_000).unwrap_or(Ms::MAX)),
    }
}

fn clock(at: &str, when: &dyn Fn(Ms) -> String) -> String {
    parse_rfc3339(at).map_or_else(|| at.to_owned(), when)
}

/// A word of a cause that its requests have too: without what stands for numbers.
fn known(cause: &str) -> &str {
    cause.split('#').map(str::trim).max_by_key(|part| part.len()).unwrap_or_default()
}

/// `8 counted, not stored`: refusals that were counted and have no row, where there are any. Wherever
/// refusals are counted this stands beside their count, so that the figure and the rows add up.
#[must_use]
pub fn rowless(only_counted: u64) -> Option<String> {
    (only_counted > 0).then(|| format!("{} counted, not stored", count(only_counted)))
}

impl CountRow {
    /// What is said beside its figures: what is listed below it is not said here too.
    #[must_use]
    pub fn beside(&self, listed: bool) -> String {
        let note = if listed && self.verdict == Some(Verdict::Rejected) { "" } else { self.note.as_str() };
        let parts = [self.rowless.as_str(), note];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    }
}

/// The requests, the accepted ones first, and then the causes of refusals.
#[must_use]
pub fn counts(view: &OverviewView, when: &dyn Fn(Ms) -> String) -> Vec<CountRow> {
    let requests = &view.requests;
    let of = |verdict| match verdict {
        Verdict::Accepted => &requests.accepted,
        Verdict::Duplicate => &requests.duplicate,
        Verdict::Filtered => &requests.filtered,
        Verdict::Rejected => &requests.rejected,
    };
    let all = Verdict::ALL.iter().fold(0_u64, |all, verdict| all.saturating_add(of(*verdict).total));
    let since = &view.from;
    let verdicts = Verdict::ALL.into_iter().map(|verdict| {
        let Series { total, points } = of(verdict).clone();
        let note = match verdict {
            Verdict::Accepted => {
                let most = requests.most.as_ref().map_or_else(String::new, |most| {
                    format!(", most {}/s at {}", count(most.n), clock(&most.at, when))
                });
                format!("now {}{most}", rate(requests.recent))
            }
            Verdict::Rejected => requests
                .causes
                .iter()
                .map(|cause| format!("{} {}", cause.cause, count(cause.n)))
                .collect::<Vec<_>>()
                .join(" · "),
            Verdict::Duplicate | Verdict::Filtered => String::new(),
        };
        CountRow {
            verdict: Some(verdict),
            label: verdict.word().to_owned(),
            total,
            points,
            share: share(total, all),
            note,
            rowless: match verdict {
                Verdict::Rejected => rowless(requests.only_counted).unwrap_or_default(),
                _ => String::new(),
            },
            opens: Opens::Requests(format!("verdict:{} since:{since}", verdict.word())),
        }
    });
    let causes = requests.causes.iter().map(|cause| {
        let known = known(&cause.cause);
        let known = if known.is_empty() || cause.cause == "other" {
            String::new()
        } else {
            format!(" cause:{}", quoted(known))
        };
        CountRow {
            verdict: None,
            label: cause.cause.clone(),
            total: cause.n,
            points: Vec::new(),
            share: share(cause.n, all),
            note: String::new(),
            rowless: String::new(),
            opens: Opens::Requests(format!("verdict:rejected{known} since:{since}")),
        }
    });
    verdicts.chain(causes).collect()
}

/// Steps, those nearest to their deadline first.
#[must_use]
pub fn steps(view: &OverviewView) -> Vec<StepRow> {
    let one = |step: &StepFigure| {
        let text = |ms: u64| took(Ms::try_from(ms).unwrap_or(Ms::MAX));
        // A time that somebody wrote down has no tenths.
        let written = text(step.deadline_ms).replace(".0s", "s");
        let known = step.deadline_ms > 0;
        let opens = if step.integration.is_empty() {
            Opens::Nothing
        } else {
            let (integration, flow) = (quoted(&step.integration), quoted(&step.flow));
            let reached = match step.step.as_str() {
                "" => String::new(),
                name => format!(" step.name={}", quoted(name)),
            };
            Opens::Runs(format!("integration={integration} flow={flow}{reached} since:{}", view.from))
        };
        let callback = if step.callback { ", its callback" } else { "" };
        let (whose, step_name) = match step.step.as_str() {
            "" => (String::new(), "all others together".to_owned()),
            name => (format!("{} / {}", step.integration, step.flow), format!(" · {name}{callback}")),
        };
        StepRow {
            whose,
            step: step_name,
            n: step.n,
            times: [step.p50_ms, step.p95_ms, step.p99_ms].map(text),
            deadline: if known { written } else { "?".to_owned() },
            part: known.then(|| step.p95_ms.saturating_mul(1_000) / step.deadline_ms.max(1)),
            opens,
        }
    };
    view.steps.iter().map(one).collect()
}

/// Runs: those that ended, those that are open now, and what they became errored for.
#[must_use]
pub fn runs(view: &OverviewView) -> [Vec<RunItem>; 3] {
    let ended = [RunState::Succeeded, RunState::SucceededWithSkips, RunState::Failed, RunState::Aborted];
    let open =
        [RunState::Errored, RunState::Waiting, RunState::Retrying, RunState::Running, RunState::Queued];
    let word = |state| match state {
        RunState::SucceededWithSkips => "with_skips".to_owned(),
        state => RunState::word(state).to_owned(),
    };
    let came = ended.map(|state| RunItem {
        state,
        label: word(state),
        n: view.runs.came[state as usize],
        opens: Opens::Runs(format!("state:{} since:{}", state.word(), view.from)),
    });
    let now = open.map(|state| RunItem {
        state,
        label: word(state),
        n: view.runs.now[state as usize],
        opens: Opens::Runs(format!("state:{}", state.word())),
    });
    let errors = view.errors.iter().map(|error| RunItem {
        state: RunState::Errored,
        label: match (&error.group, error.step.is_empty()) {
            (None, _) => "all other causes".to_owned(),
            (Some(_), true) => "a cause that nobody is errored for any more".to_owned(),
            (Some(_), false) => {
                format!("{}: {} · {} / {}", error.step, error.cause, error.integration, error.flow)
            }
        },
        n: error.n,
        opens: error.group.as_ref().map_or(Opens::Nothing, |group| Opens::Runs(format!("group:{group}"))),
    });
    [came.into(), now.into(), errors.collect()]
}

/// The queue, commits, and the file with what is left for it.
#[must_use]
pub fn store(view: &OverviewView, now: Ms, when: &dyn Fn(Ms) -> String) -> [StoreLine; 3] {
    let (queue, store) = (&view.queue, &view.store);
    let most = queue
        .most
        .as_ref()
        .map_or_else(String::new, |most| format!(" (most {} at {})", count(most.n), clock(&most.at, when)));
    let oldest = queue.oldest.as_deref().and_then(parse_rfc3339);
    let oldest = oldest.map_or_else(String::new, |at| format!(", oldest {}", age(now - at)));
    let queue = StoreLine {
        text: format!("queue {}{most}{oldest}", count(queue.now)),
        warns: false,
        opens: Opens::Runs("state:queued".to_owned()),
    };
    let of = |us: Option<u64>| us.map_or_else(|| "?".to_owned(), micros);
    let commits = StoreLine {
        text: format!(
            "commit p50 {} p99 {}, WAL {}",
            of(store.commit_p50_us),
            of(store.commit_p99_us),
            size(store.wal_bytes)
        ),
        warns: false,
        opens: Opens::Nothing,
    };
    let grows = match store.day_bytes {
        None => ", growth not known yet".to_owned(),
        Some(bytes @ ..0) => format!(", -{} a day", size(bytes.unsigned_abs())),
        Some(bytes) => format!(", +{} a day", size(bytes.unsigned_abs())),
    };
    let free =
        store.free_bytes.map_or_else(|| ", free ?".to_owned(), |free| format!(", {} free", size(free)));
    let left = store.days_left();
    let days = left.map_or_else(String::new, |days| format!(": {} d", count(days)));
    let file = StoreLine {
        text: format!("file {}{grows}{free}{days}", size(store.file_bytes)),
        warns: left.is_some_and(|days| days < LASTS),
        opens: Opens::Nothing,
    };
    [queue, commits, file]
}

/// `Last hour`.
#[must_use]
pub fn title(span: Span) -> String {
    format!("Last {}", span.word())
}

#[cfg(test)]
mod tests;
