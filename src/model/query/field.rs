//! What a filter can name: the JSON names, and paths into body, headers, query and outputs.

use super::names::{NAMES, Subject};
use crate::model::path::Path;
use crate::model::request::Verdict;
use crate::model::run::{CallbackState, RunState, StepState};
use std::fmt;

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A JSON name: `state`, `verdict`, `flow`, `step.state`, …
    Name(String),
    /// A flattened path: `body.total`, `headers["x-a"]`, `body.products[].name`.
    Path(Path),
}

/// Roots of flattened paths, for completion.
pub const ROOTS: &[&str] = &["body", "headers", "query"];

const IDS: &[&str] = &["id", "request", "run", "runs", "parent", "callback", "duplicate_of", "job"];
const NUMBERS: &[&str] = &["status", "size", "version", "step.attempts", "step.status"];
const TIMES: &[&str] = &[
    "time",
    "started",
    "ended",
    "due",
    "deadline",
    "created",
    "received",
    "at",
    "step.started",
    "step.ended",
];

/// How a field's values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text or a number.
    Plain,
    /// One of a closed set of words.
    Word,
    /// An id, or its end.
    Id,
    /// RFC 3339.
    Time,
}

impl Field {
    /// Reads a field as it is written before an operator.
    ///
    /// # Errors
    /// What is wrong, and what was perhaps meant: also where the rows that the filter goes over never
    /// have it.
    pub(super) fn read(text: &str, subject: Option<Subject>) -> Result<Self, String> {
        if let Some(name) = NAMES.iter().find(|name| name.name == text) {
            return match subject.filter(|subject| !name.is_of(*subject)) {
                Some(other) => Err(format!("{other} have no {text}; {} have", name.owners())),
                None => Ok(Self::Name(text.to_owned())),
            };
        }
        let head: String = text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let known_root = ROOTS.contains(&head.as_str());
        match text.parse::<Path>() {
            Ok(path) if known_root || text.starts_with("step.outputs") => {
                match subject.filter(|subject| !subject.has_root(path.root())) {
                    Some(other) => {
                        let owners = if path.root() == "step" { "runs" } else { "requests and runs" };
                        Err(format!("{other} have no {}; {owners} have", path.root()))
                    }
                    None => Ok(Self::Path(path)),
                }
            }
            Err(error) if known_root => Err(format!("{text} is no path: {error}")),
            _ => Err(unknown(text)),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Name(name) if matches!(name.as_str(), "state" | "verdict" | "step.state") => Kind::Word,
            Self::Name(name) if IDS.contains(&name.as_str()) => Kind::Id,
            Self::Name(name) if TIMES.contains(&name.as_str()) => Kind::Time,
            _ => Kind::Plain,
        }
    }

    /// Whether its values are numbers alone.
    pub(super) fn counts(&self) -> bool {
        matches!(self, Self::Name(name) if NUMBERS.contains(&name.as_str()))
    }

    /// The words of a closed set.
    pub(super) fn words(&self) -> Vec<&'static str> {
        let Self::Name(name) = self else { return Vec::new() };
        let mut words: Vec<&str> = match name.as_str() {
            "verdict" => Verdict::ALL.iter().map(|verdict| verdict.word()).collect(),
            "step.state" => STEP_STATES.iter().map(|state| state.word()).collect(),
            "state" => {
                let callbacks = CallbackState::ALL.iter().map(|state| state.word());
                RunState::ALL.iter().map(|state| state.word()).chain(callbacks).collect()
            }
            _ => Vec::new(),
        };
        words.dedup();
        words
    }
}

/// The words of a name that has a closed set of them.
#[must_use]
pub fn words(name: &str) -> Vec<&'static str> {
    Field::Name(name.to_owned()).words()
}

const STEP_STATES: [StepState; 8] = [
    StepState::Pending,
    StepState::Running,
    StepState::Waiting,
    StepState::Retrying,
    StepState::Errored,
    StepState::Succeeded,
    StepState::Skipped,
    StepState::Failed,
];

fn unknown(text: &str) -> String {
    let names = NAMES.iter().map(|name| name.name).chain(ROOTS.iter().copied());
    match nearest(text, names) {
        Some(name) => format!("there is no field {text}; did you mean {name}?"),
        None if text.parse::<Path>().is_ok() => {
            format!("there is no field {text}; did you mean body.{text}? To search for the text, quote it")
        }
        None => {
            let header = serde_json::Value::from(text.to_ascii_lowercase());
            format!(
                "there is no field {text}; did you mean headers[{header}]? To search for the text, quote it"
            )
        }
    }
}

/// The candidate that is at most two edits (one, for short ones) away.
pub fn nearest<'c>(text: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let text = text.to_ascii_lowercase();
    let allowed = if text.chars().count() < 5 { 1 } else { 2 };
    candidates
        .map(|candidate| (distance(&text, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len().abs_diff(other.len()) > 2 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = Vec::with_capacity(last.len());
        row.push(i + 1);
        for (j, b) in other.iter().enumerate() {
            let replaced = last[j] + usize::from(a != b);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Path(path) => write!(f, "{path}"),
        }
    }
}
