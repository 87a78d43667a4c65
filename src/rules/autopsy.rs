//! The autopsy of a refusal, from what is stored of it: answered, what, likely, do, checks, and the
//! evidence. A guess is made only where a check proved it.
//!
//! Nothing in here is a secret: of a token its header and claims, of an expected signature the
//! digits up to the first that differs, of other credentials what stands in place of them.

mod alike;
mod body;
mod gate;
mod sender;
mod token;

pub use alike::{filter, like_it, likeness};
pub use body::excerpt;

use super::explain::{Judged, lines};
use super::plan::Plan;
use crate::model::Ms;
use crate::model::document::Webhook;
use crate::model::request::{Marks, Seed};
use crate::model::view::Pair;
use crate::text::size;

/// What is known of a refused request.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What was judged.
    pub judged: Judged<'a>,
    /// When it came.
    pub arrived: Ms,
    /// What is stored of it, masked as it is shown.
    pub seed: &'a Seed,
    /// What was kept of its sender beside the cause, as JSON.
    pub kept: Option<&'a str>,
    /// The flow as it was when it judged, where that version is still there.
    pub then: Option<&'a Plan>,
    /// The flow as it is live now, where it is.
    pub live: Option<&'a Plan>,
}

impl<'a> Case<'a> {
    /// The trigger that judged, else the one that is live.
    fn hook(&self) -> Option<&'a Webhook> {
        self.then.or(self.live).and_then(|plan| plan.flow.webhook())
    }

    /// Why it was refused.
    fn cause(&self) -> &'a str {
        self.judged.cause.unwrap_or_default()
    }
}

/// What a look at the facts found.
#[derive(Debug, Default)]
struct Looked {
    /// What is wrong, where the cause can be said better than as it stands.
    what: Option<String>,
    /// What is behind it, proved by a check; empty where nothing was proved.
    likely: String,
    /// What to do, where what is likely asks for something of its own.
    advice: Option<&'static str>,
    /// What was looked at, in the order of judgement, with what came of it.
    checks: Vec<String>,
    /// What came and what was expected.
    evidence: Vec<Pair>,
}

/// The lines, a label and a text each; a text with an empty label goes on with the one before.
#[must_use]
pub fn autopsy(case: &Case<'_>) -> Vec<Pair> {
    let mut told: Vec<Pair> = Vec::new();
    let mut looked = look(case);
    for line in lines(&case.judged) {
        let (label, text) = line.split_once(' ').unwrap_or((&line, ""));
        let text = text.trim_start();
        match label {
            "what" => told.push(pair(label, looked.what.take().unwrap_or_else(|| text.to_owned()))),
            "do" => {
                if !looked.likely.is_empty() {
                    told.push(pair("likely", std::mem::take(&mut looked.likely)));
                }
                told.push(pair(label, looked.advice.unwrap_or(text)));
            }
            _ => told.push(pair(label, text)),
        }
    }
    if case.seed.marks.has(Marks::BODY_CUT) {
        looked.checks.push(format!("· {}", Kept::of(case.seed).short()));
    }
    if !looked.checks.is_empty() {
        told.push(pair("checks", looked.checks.join("   ")));
    }
    told.extend(looked.evidence);
    told
}

/// How much of a body that was cut is there, and how much came, where that was declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Bytes that are there.
    pub len: u64,
    /// Bytes that the sender declared.
    pub declared: Option<u64>,
}

impl Kept {
    /// Of a request as it is stored.
    #[must_use]
    pub fn of(seed: &Seed) -> Self {
        let declared = seed.headers.get("content-length").and_then(|text| text.trim().parse().ok());
        Self { len: seed.body.len() as u64, declared }
    }

    fn all(self) -> String {
        let all = self.declared.filter(|all| *all > self.len);
        all.map(|all| format!(" of {}", size(all))).unwrap_or_default()
    }

    /// `first 64 KiB of 6.3 MiB kept`.
    #[must_use]
    pub fn short(self) -> String {
        if self.len == 0 {
            return "nothing of the body kept".to_owned();
        }
        format!("first {}{} kept", size(self.len), self.all())
    }

    /// `only the first 64 KiB of 6.3 MiB were kept`.
    #[must_use]
    pub fn words(self) -> String {
        if self.len == 0 {
            return "nothing of its body was kept".to_owned();
        }
        format!("only the first {}{} were kept", size(self.len), self.all())
    }
}

fn look(case: &Case<'_>) -> Looked {
    let why = case.cause();
    match case.judged.status {
        Some(400) if why.starts_with("not JSON") => body::not_json(case.seed, why),
        Some(400) if why.ends_with("required and missing") => body::missing(case.seed, why),
        Some(400) if why.contains(" is split and ") => body::split(case),
        Some(401) => sender::unauthorized(case),
        Some(403) => gate::address(case),
        Some(405) => gate::method(case),
        Some(413) => body::too_long(case),
        Some(415) => body::wrong_type(case.seed),
        Some(429) => gate::rate(case),
        Some(508) => gate::hops(case.seed),
        // The rest is said by its cause: no check of what is stored tells more.
        _ => Looked::default(),
    }
}

fn pair(label: &str, text: impl Into<String>) -> Pair {
    (label.to_owned(), text.into())
}

fn check(good: bool, words: &str) -> String {
    format!("{} {words}", if good { '✓' } else { '✗' })
}

/// What of a cause stands before its first `; `, and what after.
fn clauses(cause: &str) -> (&str, Option<&str>) {
    match cause.split_once("; ") {
        Some((first, rest)) => (first, Some(rest)),
        None => (cause, None),
    }
}

#[cfg(test)]
mod sender_tests;
#[cfg(test)]
mod tests;
