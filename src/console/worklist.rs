//! What needs a person: errored groups, overdue callbacks, badges of drift.

use crate::model::study::DriftView;
use crate::model::view::{CallbackView, GroupView};

/// What needs a person.
#[derive(Debug, Default)]
pub struct Needs {
    /// Groups of errored runs, most runs first.
    pub groups: Vec<GroupView>,
    /// Callbacks that expired while their step is errored.
    pub overdue: Vec<CallbackView>,
    /// Badges of drift, newest first.
    pub drifts: Vec<DriftView>,
    /// The selected item of all three, in this order.
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
        self.groups.len() + self.overdue.len() + self.drifts.len()
    }

    /// The request of the badge at a place.
    #[must_use]
    pub fn drifted(&self, at: usize) -> Option<String> {
        let at = at.checked_sub(self.groups.len() + self.overdue.len())?;
        self.drifts.get(at).map(|drift| drift.request.clone())
    }
}
