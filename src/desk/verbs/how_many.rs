//! How many requests runs would send, as far as that is known before: told, so that nobody is
//! surprised by what a verb sends after its first request.

use super::list;
use crate::rules::plan::Plan;
use crate::rules::template::{Context, first_item};
use crate::text::count;
use std::collections::BTreeMap;

/// A step that sends: its name, and how often, where that is known before.
pub type Sending = (String, Option<u64>);

/// The steps of a plan that send, for a run that begins with this context. A list that an earlier
/// step has to give is not known yet.
pub fn sending(plan: &Plan, context: &Context) -> Vec<Sending> {
    let steps = plan.flow.steps.iter().enumerate().filter(|(_, step)| step.kind.exchange().is_some());
    let often = |(at, step): (usize, &crate::model::document::Step)| match step.kind.for_each() {
        None => Some(1),
        Some(each) if each.contains("steps") => None,
        Some(_) => match first_item(plan, at, context) {
            Ok(first) => Some(first.and_then(|first| first.list).map_or(0, |list| list.len() as u64)),
            Err(_) => None,
        },
    };
    steps.map(|(at, step)| (step.name.clone(), often((at, step)))).collect()
}

/// `It sends 5 real requests: push, notify 4 times.`
pub fn sending_line(made: u64, sending: &[Sending]) -> String {
    let it = if made == 1 { "It" } else { "Each" };
    if sending.is_empty() {
        return format!("{it} sends nothing.");
    }
    let known: u64 = sending.iter().filter_map(|(_, often)| *often).sum();
    let steps: Vec<String> = sending
        .iter()
        .map(|(name, often)| match often {
            Some(1) => name.clone(),
            Some(often) => format!("{name} {} times", count(*often)),
            None => format!("{name} once an item"),
        })
        .collect();
    // What a run has of its own may differ between runs.
    let open = sending.iter().any(|(_, often)| often.is_none());
    let least = if open { "at least " } else { "" };
    let s = if known == 1 { "" } else { "s" };
    format!("{it} sends {least}{} real request{s}: {}.", count(known), list(steps.iter().map(String::as_str)))
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
        let of = |sending: &[(&str, Option<u64>)], made| {
            let sending: Vec<Sending> =
                sending.iter().map(|(name, often)| ((*name).to_owned(), *often)).collect();
            sending_line(made, &sending)
        };
        assert_eq!(of(&[], 1), "It sends nothing.");
        assert_eq!(of(&[("push", Some(1))], 3), "Each sends 1 real request: push.");
        assert_eq!(
            of(&[("push", Some(1)), ("each", Some(4))], 1),
            "It sends 5 real requests: push, each 4 times."
        );
        assert_eq!(of(&[("each", Some(0))], 1), "It sends 0 real requests: each 0 times.");
        assert_eq!(
            of(&[("push", Some(1)), ("each", None)], 1),
            "It sends at least 1 real request: push, each once an item."
        );
    }
}
