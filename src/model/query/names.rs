//! The names of a filter: what each is, and of what.

use std::fmt;

/// What a filter goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Requests.
    Requests,
    /// Runs.
    Runs,
    /// Callbacks.
    Callbacks,
    /// The audit trail.
    Audit,
}

/// A name that a filter can compare.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    /// As it is written: a JSON name.
    pub name: &'static str,
    /// What it is, for completion.
    pub help: &'static str,
    of: &'static [Subject],
}

impl Name {
    /// Whether rows of a kind have it.
    #[must_use]
    pub fn is_of(&self, subject: Subject) -> bool {
        self.of.contains(&subject)
    }

    /// What has it: `runs and callbacks`.
    #[must_use]
    pub fn owners(&self) -> String {
        let words: Vec<String> = self.of.iter().map(ToString::to_string).collect();
        match words.as_slice() {
            [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
            words => words.concat(),
        }
    }
}

impl Subject {
    /// Whether rows have values at flattened paths that begin so.
    #[must_use]
    pub fn has_root(self, root: &str) -> bool {
        match self {
            Self::Requests => root != "step",
            Self::Runs => true,
            Self::Callbacks | Self::Audit => false,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requests => "requests",
            Self::Runs => "runs",
            Self::Callbacks => "callbacks",
            Self::Audit => "entries of the audit trail",
        })
    }
}

use Subject::{Audit as A, Callbacks as C, Requests as Q, Runs as R};

/// Every name that a filter knows: the JSON names of requests, runs, steps, callbacks and the audit
/// trail.
pub const NAMES: &[Name] = &[
    name("verdict", "accepted, duplicate, filtered or rejected", &[Q]),
    name("state", "of a run or callback", &[R, C]),
    name("since", "not older: 15m, 2026-11-18, a time", &[Q, R, C, A]),
    name("until", "not newer: 15m, 2026-11-18, a time", &[Q, R, C, A]),
    name("flow", "its name", &[Q, R, C]),
    name("integration", "its name", &[Q, R, C]),
    name("id", "whole, or six digits or more of its end", &[Q, R, C, A]),
    name("request", "id of the request", &[Q, R]),
    name("run", "id of the run", &[Q, R, C]),
    name("parent", "id of the run that was replayed", &[R]),
    name("callback", "id of the callback", &[C]),
    name("duplicate_of", "id of the first request with the key", &[Q]),
    name("time", "arrival", &[Q, R, C, A]),
    name("endpoint", "generated id of the endpoint", &[Q, R]),
    name("method", "of the request", &[Q]),
    name("path", "after the endpoint", &[Q]),
    name("status", "code of the answer", &[Q, C]),
    name("cause", "why it was refused, or stopped", &[Q, R]),
    name("dedup_key", "in hex", &[Q]),
    name("runs", "ids of a request's runs", &[Q]),
    name("size", "bytes of the body", &[Q]),
    name("actor", "who sent it", &[Q, A]),
    name("from", "the sender's address", &[Q]),
    name("test", "true or false", &[Q, R]),
    name("marks", "no_dedup_key, repeated_keys, body_cut, …", &[Q]),
    name("what", "what lists show of a request", &[Q]),
    name("version", "of the integration", &[R]),
    name("group", "id of an error group", &[R]),
    name("job", "id of a job that acted on a run, or made it", &[R]),
    name("started", "first attempt", &[R]),
    name("ended", "end of a run", &[R]),
    name("due", "when a run acts next", &[R]),
    name("steps", "names of a run's steps", &[R]),
    name("step", "name of a step", &[R, C]),
    name("step.name", "name of a step", &[R, C]),
    name("step.type", "request, send, set, fail, delay", &[R]),
    name("step.state", "of a step", &[R]),
    name("step.cause", "why a step failed", &[R]),
    name("step.started", "first attempt of a step", &[R]),
    name("step.ended", "end of a step", &[R]),
    name("step.attempts", "number of attempts", &[R]),
    name("step.status", "code of an attempt's answer", &[R]),
    name("step.outcome", "of an attempt", &[R]),
    name("step.outputs", "a step's values; step.outputs.name for one", &[R]),
    name("deadline", "of a callback", &[C]),
    name("created", "birth of a callback", &[C]),
    name("received", "when a callback was answered", &[C]),
    name("overdue", "true or false", &[C]),
    name("at", "time of an audit entry", &[A]),
    name("who", "person of an audit entry", &[A]),
    name("door", "console, command line, socket", &[A]),
    name("verb", "of an audit entry", &[A]),
    name("target", "of an audit entry", &[A]),
    name("reason", "of an audit entry", &[A]),
    name("detail", "of an audit entry", &[A]),
];

const fn name(name: &'static str, help: &'static str, of: &'static [Subject]) -> Name {
    Name { name, help, of }
}
