//! What changed, merged: what a session pushes to a console.

use crate::model::Ms;
use crate::model::change::Counters;
use crate::model::company::{ActView, ConsoleView, Hello, MAX_ACTS};
use serde::{Deserialize, Serialize};

/// What changed since the last one, merged: what a session pushes to a console.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a kind of change that came or not")]
pub struct Changes {
    /// Raised with each push; never goes back.
    pub seq: u64,
    /// Requests that arrived: the newest id, and how many.
    pub newest: Option<String>,
    /// How many requests arrived.
    pub arrived: u64,
    /// Runs that were made or moved (at most 4,096).
    pub runs: Vec<String>,
    /// Callbacks were made or moved.
    pub callbacks: bool,
    /// Requests that arrived before have a status now.
    pub told: bool,
    /// Documents or values changed.
    pub config: bool,
    /// Something was lost: read the page again.
    pub resync: bool,
    /// The header's figures.
    pub counters: Option<Counters>,
    /// Engine time.
    pub at: Ms,
    /// Where this stands among all changes: a session that lost its link goes on from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// At the head of a link: who we are to the other end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hello: Option<Hello>,
    /// What people did, the oldest first (at most 64).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<ActView>,
    /// Who is here, where that has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consoles: Option<Vec<ConsoleView>>,
}

impl Changes {
    /// Runs that are told one by one; past it the page is read again.
    pub const MOST_RUNS: usize = 4_096;

    /// Takes later changes in, so that both are one push.
    pub fn merge(&mut self, later: Self) {
        let known: std::collections::HashSet<&str> = self.runs.iter().map(String::as_str).collect();
        let fresh: Vec<String> = later.runs.into_iter().filter(|run| !known.contains(run.as_str())).collect();
        self.seq = later.seq;
        self.newest = later.newest.or(self.newest.take());
        self.arrived += later.arrived;
        self.runs.extend(fresh);
        self.callbacks |= later.callbacks;
        self.told |= later.told;
        self.config |= later.config;
        self.resync |= later.resync;
        if self.resync || self.runs.len() > Self::MOST_RUNS {
            self.runs.clear();
            self.resync = true;
        }
        self.counters = later.counters.or(self.counters.take());
        self.at = later.at;
        self.place = later.place.or(self.place.take());
        self.hello = later.hello.or(self.hello.take());
        self.acts.extend(later.acts);
        self.acts.drain(..self.acts.len().saturating_sub(MAX_ACTS));
        self.consoles = later.consoles.or(self.consoles.take());
    }
}
