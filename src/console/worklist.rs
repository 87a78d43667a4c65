//! What needs a person: errored groups, overdue callbacks, jobs that halted, targets that refuse, silent
//! endpoints, badges of drift.

use crate::model::alert::SilentView;
use crate::model::change::HaltedJob;
use crate::model::study::DriftView;
use crate::model::target::BreakerView;
use crate::model::view::{CallbackView, GroupView};

/// What needs a person.
#[derive(Debug, Default)]
pub struct Needs {
    /// Groups of errored runs, most runs first.
    pub groups: Vec<GroupView>,
    /// Callbacks that expired while their step is errored.
    pub overdue: Vec<CallbackView>,
    /// Jobs that stopped themselves, newest first.
    pub halted: Vec<HaltedJob>,
    /// Targets that are not sent to, those for which most runs wait first.
    pub breakers: Vec<BreakerView>,
    /// Endpoints that have gone silent.
    pub silent: Vec<SilentView>,
    /// Badges of drift, newest first.
    pub drifts: Vec<DriftView>,
    /// The selected item of all six, in this order.
    pub at: usize,
    /// It changed since it was read.
    pub stale: bool,
    /// It was read.
    pub known: bool,
}

impl Needs {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.before_drifts() + self.drifts.len()
    }

    fn before_drifts(&self) -> usize {
        self.before_silent() + self.silent.len()
    }

    fn before_silent(&self) -> usize {
        self.before_breakers() + self.breakers.len()
    }

    fn before_breakers(&self) -> usize {
        self.before_halted() + self.halted.len()
    }

    fn before_halted(&self) -> usize {
        self.groups.len() + self.overdue.len()
    }

    /// The halted job at a place.
    #[must_use]
    pub fn halt(&self, at: usize) -> Option<&HaltedJob> {
        self.halted.get(at.checked_sub(self.before_halted())?)
    }

    /// The silent endpoint at a place.
    #[must_use]
    pub fn silence(&self, at: usize) -> Option<&SilentView> {
        self.silent.get(at.checked_sub(self.before_silent())?)
    }

    /// How many are told by figures, and not by rows that were asked for.
    #[must_use]
    pub fn figured(&self) -> usize {
        self.halted.len() + self.breakers.len() + self.silent.len()
    }

    /// The target at a place.
    #[must_use]
    pub fn breaker(&self, at: usize) -> Option<&BreakerView> {
        self.breakers.get(at.checked_sub(self.before_breakers())?)
    }

    /// The badge of drift at a place.
    #[must_use]
    pub fn badge(&self, at: usize) -> Option<&DriftView> {
        self.drifts.get(at.checked_sub(self.before_drifts())?)
    }

    /// The request of the badge at a place.
    #[must_use]
    pub fn drifted(&self, at: usize) -> Option<String> {
        self.badge(at).map(|drift| drift.request.clone())
    }
}
