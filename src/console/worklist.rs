//! What needs a person: a store in trouble, errored groups, overdue callbacks, jobs that halted, targets
//! that refuse, silent endpoints, shapes that drifted. Groups, never single rows.

use super::app::App;
use crate::model::alert::SilentView;
use crate::model::change::HaltedJob;
use crate::model::study::DriftView;
use crate::model::target::BreakerView;
use crate::model::trouble::StoreTrouble;
use crate::model::view::{CallbackView, GroupView};
use crate::rules::badges::{Badges, by_flow};
use std::collections::BTreeMap;

/// What is known of what needs a person.
#[derive(Debug, Default)]
pub struct Needs {
    /// The store takes nothing.
    pub trouble: Option<StoreTrouble>,
    /// Groups of errored runs, most runs first.
    pub groups: Vec<GroupView>,
    /// Callbacks that expired while their step is errored, the most overdue first.
    pub overdue: Vec<CallbackView>,
    /// Jobs that stopped themselves, newest first.
    pub halted: Vec<HaltedJob>,
    /// Targets that are not sent to, those for which most runs wait first.
    pub breakers: Vec<BreakerView>,
    /// Endpoints that have gone silent.
    pub silent: Vec<SilentView>,
    /// Badges of drift, newest first.
    pub drifts: Vec<DriftView>,
    /// The selected item of [`Needs::list`].
    pub at: usize,
    /// It changed since it was read.
    pub stale: bool,
    /// It was read.
    pub known: bool,
}

/// One thing that needs a person.
#[derive(Debug)]
pub enum Need<'n> {
    /// The store takes nothing.
    Store(&'n StoreTrouble),
    /// Errored runs of one cause.
    Errored(&'n GroupView),
    /// Callbacks of one step that nobody answered in time.
    Expired(Expired<'n>),
    /// A job that stopped itself.
    Halted(&'n HaltedJob),
    /// A target that is not sent to.
    Breaker(&'n BreakerView),
    /// An endpoint that has gone silent.
    Silent(&'n SilentView),
    /// A flow whose bodies have another shape.
    Drift(Badges<'n>),
}

/// Overdue callbacks of a flow and step.
#[derive(Debug)]
pub struct Expired<'n> {
    /// Those that are known, the most overdue first; one or more.
    pub callbacks: Vec<&'n CallbackView>,
    /// The groups of the runs that stopped for them.
    pub groups: Vec<&'n GroupView>,
}

impl<'n> Expired<'n> {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        let runs: u64 = self.groups.iter().map(|group| group.expired).sum();
        runs.max(self.callbacks.len() as u64)
    }

    /// The one, where there is no other.
    #[must_use]
    pub fn only(&self) -> Option<&'n CallbackView> {
        self.callbacks.first().copied().filter(|_| self.count() == 1)
    }

    /// The group that has all of their runs, and no other: verbs on all of them act on it.
    #[must_use]
    pub fn group(&self) -> Option<&'n GroupView> {
        match self.groups.as_slice() {
            [group] if self.count() > 1 => Some(group),
            _ => None,
        }
    }
}

impl Need<'_> {
    /// What it is, whatever else changes: the cursor stays on it.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Store(_) => "store".to_owned(),
            Self::Errored(group) => format!("group {}", group.id),
            Self::Expired(expired) => expired.callbacks.first().map_or_else(String::new, |of| {
                format!("expired {} / {} / {}", of.integration, of.flow, of.step)
            }),
            Self::Halted(job) => format!("job {}", job.id),
            Self::Breaker(one) => format!("breaker {}:{}", one.host, one.port),
            Self::Silent(one) => format!("silent {} / {}", one.integration, one.flow),
            Self::Drift(badges) => badges
                .newest()
                .map_or_else(String::new, |of| format!("drift {} / {}", of.integration, of.flow)),
        }
    }
}

impl Needs {
    /// All of it, in the order of its urgency.
    #[must_use]
    pub fn list(&self) -> Vec<Need<'_>> {
        let expired = self.expired();
        // Runs that stopped for want of an answer are told by their callbacks.
        let told =
            |group: &&GroupView| expired.iter().any(|of| of.groups.iter().any(|one| one.id == group.id));
        let errored: Vec<&GroupView> = self.groups.iter().filter(|group| !told(group)).collect();
        let mut list: Vec<Need<'_>> = self.trouble.iter().map(Need::Store).collect();
        list.extend(errored.into_iter().map(Need::Errored));
        list.extend(expired.into_iter().map(Need::Expired));
        list.extend(self.halted.iter().map(Need::Halted));
        list.extend(self.breakers.iter().map(Need::Breaker));
        list.extend(self.silent.iter().map(Need::Silent));
        list.extend(by_flow(&self.drifts).into_iter().map(Need::Drift));
        list
    }

    /// Overdue callbacks by flow and step, the most overdue first.
    fn expired(&self) -> Vec<Expired<'_>> {
        let mut places: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
        let mut all: Vec<Expired<'_>> = Vec::new();
        for one in &self.overdue {
            let at = *places.entry((&one.integration, &one.flow, &one.step)).or_insert_with(|| {
                all.push(Expired { callbacks: Vec::new(), groups: Vec::new() });
                all.len() - 1
            });
            all[at].callbacks.push(one);
        }
        for group in self.groups.iter().filter(|group| group.expired > 0 && group.expired == group.count) {
            let of = (group.integration.as_str(), group.flow.as_str(), group.step.as_str());
            if let Some(at) = places.get(&of) {
                all[*at].groups.push(group);
            }
        }
        all
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.list().len()
    }

    /// The selected one.
    #[must_use]
    pub fn current(&self) -> Option<Need<'_>> {
        self.list().into_iter().nth(self.at)
    }

    /// Changes what is known; the cursor stays on what it is on, wherever that stands then.
    pub fn change(&mut self, change: impl FnOnce(&mut Self)) {
        let on = self.current().map(|need| need.key());
        change(self);
        let list = self.list();
        let found = on.and_then(|on| list.iter().position(|need| need.key() == on));
        self.at = found.unwrap_or(self.at).min(list.len().saturating_sub(1));
    }
}

impl App {
    /// What needs a person and has the focus.
    #[must_use]
    pub fn focused_need(&self) -> Option<Need<'_>> {
        (self.place() == super::app::Place::Needs).then(|| self.needs.current()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::trouble::TroubleKind;
    use serde_json::json;

    fn job(id: &str) -> HaltedJob {
        HaltedJob {
            id: id.to_owned(),
            what: "retry of 40 runs".to_owned(),
            who: "anna".to_owned(),
            at: 7,
            failures: 10,
            left: 30,
        }
    }

    fn group(id: &str, step: &str, count: u64, expired: u64) -> GroupView {
        serde_json::from_value(
            json!({"id": id, "count": count, "integration": "forms", "flow": "Submissions",
            "step": step, "cause": "404", "first": "", "last": "", "expired": expired}),
        )
        .unwrap()
    }

    fn callback(id: &str, step: &str) -> CallbackView {
        serde_json::from_value(json!({"id": id, "run": id, "step": step, "state": "expired", "deadline": "",
            "created": "", "received": null, "status": null, "integration": "forms", "flow": "Submissions",
            "overdue": true}))
        .unwrap()
    }

    fn keys(needs: &Needs) -> Vec<String> {
        needs.list().iter().map(Need::key).collect()
    }

    #[test]
    fn a_store_in_trouble_is_first_and_the_cursor_stays_on_its_item() {
        let mut needs = Needs {
            groups: vec![group("g", "push", 3, 0)],
            halted: vec![job("a"), job("b")],
            ..Needs::default()
        };
        assert_eq!(keys(&needs), ["group g", "job a", "job b"]);
        needs.at = 2;
        needs.change(|needs| {
            needs.trouble = Some(StoreTrouble {
                kind: TroubleKind::Full,
                why: String::new(),
                since: 7,
                folder: "/data".to_owned(),
            });
        });
        assert_eq!((keys(&needs)[0].as_str(), needs.at), ("store", 3));
        needs.change(|needs| needs.halted.clear());
        assert_eq!((needs.at, needs.count()), (1, 2), "its reason is gone: the one before it");
    }

    #[test]
    fn overdue_callbacks_of_a_step_are_one_item_and_their_runs_are_not_told_again() {
        let mut needs = Needs {
            groups: vec![
                group("push", "push", 9, 0),
                group("late", "archive", 4, 4),
                group("one", "mail", 1, 1),
            ],
            overdue: ["a", "b", "c", "d"].map(|id| callback(id, "archive")).into(),
            ..Needs::default()
        };
        needs.overdue.push(callback("e", "mail"));
        assert_eq!(
            keys(&needs),
            ["group push", "expired forms / Submissions / archive", "expired forms / Submissions / mail"]
        );
        let list = needs.list();
        let [_, Need::Expired(four), Need::Expired(one)] = list.as_slice() else { panic!("{list:?}") };
        assert_eq!((four.count(), four.group().map(|group| group.id.as_str())), (4, Some("late")));
        assert!(four.only().is_none() && one.group().is_none());
        assert_eq!(one.only().map(|of| of.run.as_str()), Some("e"));
        // More than were listed are counted all the same.
        drop(list);
        needs.groups[1] = group("late", "archive", 400, 400);
        let list = needs.list();
        let Need::Expired(many) = &list[1] else { panic!("{list:?}") };
        assert_eq!(many.count(), 400);
        // A group that has others too, or whose callbacks are not known, is told as itself.
        drop(list);
        needs.groups[1] = group("late", "archive", 6, 4);
        needs.overdue.retain(|one| one.step == "archive");
        assert_eq!(
            keys(&needs),
            ["group push", "group late", "group one", "expired forms / Submissions / archive"]
        );
    }
}
