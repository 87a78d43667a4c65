//! How many requests runs would send, as far as that is known before: told, so that nobody is
//! surprised by what a verb sends after its first request.

use super::super::Desk;
use super::list;
use super::sends::{Attempt, hidden, preview, traces};
use crate::model::RequestId;
use crate::model::RunId;
use crate::model::request::Seed;
use crate::model::view::SentView;
use crate::rules::plan::Plan;
use crate::rules::simulate::{Course, Fate, ItemFate, Step, course};
use crate::rules::split;
use crate::rules::template::{self, Context, when_of_item};
use crate::text::count;
use std::collections::BTreeMap;

/// Runs that are gone through before others get their turn.
const AT_A_STRETCH: usize = 32;

/// What new runs would send, gone through step by step as they will go. What answers will be is not
/// known: each step is taken to succeed.
#[derive(Debug, Default)]
pub struct NewRuns {
    /// How many runs there are.
    runs: u64,
    /// Steps that send, in the order in which they were met.
    steps: Vec<(String, Often)>,
    /// Requests by target host.
    pub hosts: BTreeMap<String, u64>,
    /// What the first of them sends first.
    pub first: Option<SentView>,
}

/// How often a step sends.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Often {
    /// Requests that will be sent.
    sure: u64,
    /// Runs in which an earlier answer has to give the list that it sends once an item of.
    lists: u64,
    /// Runs in which an earlier answer decides its `when`.
    whens: u64,
}

impl NewRuns {
    /// Counts `runs` runs that go alike. A step that sends is built into the host that it sends to.
    fn add(&mut self, plan: &Plan, course: &Course<String>, runs: u64) {
        self.runs += runs;
        for (at, step) in course.steps.iter().enumerate() {
            let sends = plan.flow.steps.get(at).is_some_and(|step| step.kind.exchange().is_some());
            if !sends || matches!(step.fate, Fate::NotReached | Fate::Passed) {
                continue;
            }
            let (often, host) = often(step, when_of_item(plan, at));
            if let Some(host) = host.filter(|_| often.sure > 0) {
                *self.hosts.entry(host.to_owned()).or_default() += often.sure * runs;
            }
            let known = self.steps.iter().position(|(name, _)| *name == step.name);
            let at = known.unwrap_or_else(|| {
                self.steps.push((step.name.clone(), Often::default()));
                self.steps.len() - 1
            });
            let all = &mut self.steps[at].1;
            all.sure += often.sure * runs;
            all.lists += often.lists * runs;
            all.whens += often.whens * runs;
        }
    }

    /// `It sends 5 real requests: push, notify 4 times.`
    pub fn line(&self) -> String {
        let alone = self.runs == 1;
        let it = if alone { "It sends" } else { "They send" };
        if self.steps.is_empty() {
            return format!("{it} nothing.");
        }
        let sure: u64 = self.steps.iter().map(|(_, often)| often.sure).sum();
        let open = self.steps.iter().any(|(_, often)| often.lists + often.whens > 0);
        let least = if open { "at least " } else { "" };
        let s = if sure == 1 { "" } else { "s" };
        let steps: Vec<String> = self.steps.iter().map(|(name, often)| often.told(name, alone)).collect();
        format!("{it} {least}{} real request{s}: {}.", count(sure), list(steps.iter().map(String::as_str)))
    }
}

impl Often {
    /// `push 3 times and once an item in 2 runs`.
    fn told(self, step: &str, alone: bool) -> String {
        let mut parts = Vec::new();
        let runs = |runs: u64| if alone { String::new() } else { format!(" in {}", super::runs(runs)) };
        match self.sure {
            0 if self.lists + self.whens > 0 => {}
            1 if alone => parts.push(String::new()),
            1 => parts.push(" once".to_owned()),
            many => parts.push(format!(" {} times", count(many))),
        }
        if self.lists > 0 {
            parts.push(format!(" once an item{}", runs(self.lists)));
        }
        if self.whens > 0 {
            parts.push(format!(" if its when is true{}", runs(self.whens)));
        }
        format!("{step}{}", parts.join(" and"))
    }
}

/// How often a step of one run sends, and where to.
fn often(step: &Step<String>, when_of_item: bool) -> (Often, Option<&str>) {
    let none = Often::default();
    if !step.judged() {
        return (Often { whens: 1, ..none }, None);
    }
    match &step.fate {
        Fate::Sends(host) => (Often { sure: 1, ..none }, Some(host)),
        Fate::Each(all, shown) => {
            let sent = shown.iter().filter(|item| matches!(item, ItemFate::Sends(_))).count();
            let host = shown.iter().find_map(|item| match item {
                ItemFate::Sends(host) => Some(host.as_str()),
                _ => None,
            });
            // Of a long list only so many are gone through, and each decides for itself.
            let rest = all - shown.len();
            let (more, lists) = if when_of_item { (0, u64::from(rest > 0)) } else { (rest, 0) };
            (Often { sure: (sent + more) as u64, lists, ..none }, host)
        }
        // For want of what is not known yet: it will be there, or the run stops.
        Fate::Unbuilt(error) if step.asks.iter().any(|asked| asked.from.is_none()) => {
            if error.place == "for_each" {
                (Often { lists: 1, ..none }, None)
            } else {
                (Often { sure: 1, ..none }, None)
            }
        }
        _ => (none, None),
    }
}

impl Desk {
    /// Goes through new runs of a request before they begin: one, or one for each of these elements.
    pub(super) async fn foresee_new(
        &self,
        new: &mut NewRuns,
        plan: &Plan,
        (id, seed): (RequestId, &Seed),
        elements: Vec<Option<u32>>,
    ) {
        let store = &self.deps.store;
        let mut context = store.context(plan, RunId(0), None, Some((id, seed)));
        let alike = !(0..plan.steps.len())
            .any(|step| template::uses(plan, step).iter().any(|(_, path)| path.root() == "record"));
        let all = elements.len() as u64;
        for (at, element) in elements.into_iter().enumerate() {
            context.record = element.zip(plan.flow.split()).map(|(at, path)| split::record(path, at));
            let course = self.course_of(new, plan, &context, seed.hops + 1);
            if alike {
                new.add(plan, &course, all);
                return;
            }
            new.add(plan, &course, 1);
            if at % AT_A_STRETCH == AT_A_STRETCH - 1 {
                tokio::task::yield_now().await;
            }
        }
    }

    fn course_of(&self, new: &mut NewRuns, plan: &Plan, context: &Context, hops: u32) -> Course<String> {
        let url = &self.deps.settings.public_url;
        let first = &mut new.first;
        let traces = traces(&self.deps.store, plan, context);
        // Items of a list go to one host: the first is built, which tells whether they can be.
        let mut hosts: BTreeMap<usize, String> = BTreeMap::new();
        course(plan, context, &BTreeMap::new(), self.deps.store.now(), |at, context| {
            if let Some(host) = hosts.get(&at).filter(|_| context.item.is_some_and(|item| item > 0)) {
                return Ok(host.clone());
            }
            let attempt =
                Attempt {
                    run: "•••", item: context.item, number: 1, hops, fresh_key: None, public_url: url
                };
            // The engine builds nothing but what sends.
            let Some(built) = preview(&self.deps.vault, plan, at, context, attempt) else {
                return Ok(String::new());
            };
            let built = built?;
            first.get_or_insert_with(|| hidden(&traces, built.sent));
            hosts.insert(at, built.host.clone());
            Ok(built.host)
        })
    }
}

/// What runs send after the step that is acted on: `Then they go on: tell in 80, archive in 80.`
#[derive(Debug, Default)]
pub struct Later(BTreeMap<String, u64>);

impl Later {
    /// Counts the steps of a run after one.
    pub fn add(&mut self, plan: &Plan, step: usize) {
        for step in plan.flow.steps.iter().skip(step + 1).filter(|step| step.kind.exchange().is_some()) {
            let name = match step.kind.for_each() {
                Some(_) => format!("{} once an item", step.name),
                None => step.name.clone(),
            };
            *self.0.entry(name).or_default() += 1;
        }
    }

    /// What is told of it, where there is something.
    pub fn line(self) -> Option<String> {
        let steps: Vec<String> =
            self.0.into_iter().map(|(name, runs)| format!("{name} in {}", super::runs(runs))).collect();
        (!steps.is_empty())
            .then(|| format!("Then they go on and send more: {}.", list(steps.iter().map(String::as_str))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_counted_as_far_as_it_is_known() {
        let of = |steps: &[(&str, u64, u64, u64)], runs| {
            let often = |(name, sure, lists, whens): &(&str, u64, u64, u64)| {
                ((*name).to_owned(), Often { sure: *sure, lists: *lists, whens: *whens })
            };
            NewRuns { runs, steps: steps.iter().map(often).collect(), ..NewRuns::default() }.line()
        };
        assert_eq!(of(&[], 1), "It sends nothing.");
        assert_eq!(of(&[], 3), "They send nothing.");
        assert_eq!(of(&[("push", 1, 0, 0)], 1), "It sends 1 real request: push.");
        assert_eq!(of(&[("push", 3, 0, 0)], 3), "They send 3 real requests: push 3 times.");
        assert_eq!(
            of(&[("push", 1, 0, 0), ("each", 4, 0, 0)], 1),
            "It sends 5 real requests: push, each 4 times."
        );
        assert_eq!(of(&[("each", 0, 0, 0)], 1), "It sends 0 real requests: each 0 times.");
        assert_eq!(
            of(&[("push", 1, 0, 0), ("each", 0, 1, 0), ("tell", 0, 0, 1)], 1),
            "It sends at least 1 real request: push, each once an item, tell if its when is true."
        );
        assert_eq!(
            of(&[("push", 1, 0, 0), ("each", 6, 2, 0), ("tell", 0, 0, 3)], 3),
            "They send at least 7 real requests: push once, each 6 times and once an item in 2 runs, tell if its when is true in 3 runs."
        );
    }
}
