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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_place_is_one_item_of_one_kind_in_the_order_of_their_urgency() {
        let job = |id: &str| HaltedJob {
            id: id.to_owned(),
            what: "retry of 40 runs".to_owned(),
            who: "anna".to_owned(),
            at: 7,
            failures: 10,
            left: 30,
        };
        let silent = SilentView {
            integration: "shop".to_owned(),
            flow: "Orders".to_owned(),
            since: 7,
            cause: "nothing for 3h".to_owned(),
        };
        let group = json!({"id": "g", "count": 3, "integration": "shop", "flow": "Orders", "step": "push",
            "cause": "404", "first": "", "last": ""});
        let needs = Needs {
            groups: vec![serde_json::from_value(group).unwrap()],
            halted: vec![job("a"), job("b")],
            silent: vec![silent],
            ..Needs::default()
        };
        assert_eq!((needs.count(), needs.figured()), (4, 3));
        let halted: Vec<Option<&str>> = (0..5).map(|at| needs.halt(at).map(|job| job.id.as_str())).collect();
        assert_eq!(halted, [None, Some("a"), Some("b"), None, None]);
        let silent: Vec<bool> = (0..5).map(|at| needs.silence(at).is_some()).collect();
        assert_eq!(silent, [false, false, false, true, false]);
        assert!((0..5).all(|at| needs.breaker(at).is_none() && needs.badge(at).is_none()));
    }
}
