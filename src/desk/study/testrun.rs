//! A test run: real, marked as a test, past dedup, of one flow.

use super::super::Desk;
use super::super::verbs::sends::{hidden, traces};
use super::trial::Ready;
use crate::model::ask::{Plan, Refusal, Who};
use crate::model::id::short;
use crate::model::request::{Marks, Verdict};
use crate::model::study::{BegunView, TrialOrder, Tried};
use crate::model::target::host;
use crate::rules::simulate::{Fate, ItemFate};
use crate::store::config::unset;
use crate::store::{Accept, Again, Judgement, Launch};
use std::sync::Arc;

impl Desk {
    /// Begins a test run, or says what it would do.
    pub(super) async fn test_run(&self, who: &Who, order: &TrialOrder) -> Result<Tried, Refusal> {
        let ready = self.trial(who, &order.trial).await?;
        self.may_run(&ready, order.trial.draft)?;
        if order.dry_run {
            return Ok(Tried::Plan(Box::new(self.plan_test(&ready))));
        }
        let mut seed = ready.seed.clone();
        seed.marks = seed.marks.with(Marks::TEST).with(Marks::MANUAL);
        seed.actor = Some(who.name.clone());
        let element = |element| Again { parent: None, element };
        let runs = match (ready.elements, order.trial.element) {
            (None, _) => vec![element(None)],
            (Some(_), Some(_)) => vec![element(ready.element)],
            (Some(all), None) => (0..all).map(|at| element(Some(at))).collect(),
        };
        let store = &self.deps.store;
        let launch = Launch::of(&ready.plan, store.lane(ready.plan.flow_id));
        let judgement = Judgement::Replay { of: None, runs, launch };
        let accept = Accept { seed: Arc::new(seed), judgement };
        let full = || Refusal::failed("the store's queue is full: try again").coded("down");
        let answer = store.accept(accept).ok_or_else(full)?;
        let admitted = answer.await.map_err(|_| Refusal::failed("the store is closed").coded("down"))??;
        let request = store.ids().print(admitted.request);
        let runs: Vec<String> = admitted.runs().iter().map(|(run, _)| store.ids().print(*run)).collect();
        let said = match runs.as_slice() {
            [one] => format!("Began the test run {} of {}.", short(one), ready.name()),
            many => format!("Began {} test runs of {}.", many.len(), ready.name()),
        };
        self.audit(who, "test", &request, order.reason.as_deref(), &said).await?;
        Ok(Tried::Begun(BegunView { request, runs }))
    }

    /// Whether the version may run, and the request would begin a run.
    fn may_run(&self, ready: &Ready, draft: bool) -> Result<(), Refusal> {
        let refused = |code: &str, why: String| {
            Err(Refusal::refused(code, format!("a test run is not possible: {why}")))
        };
        if ready.draft && !draft {
            return refused("not_deployed", format!("{} was never deployed: give --draft", ready.name()));
        }
        let holding = self.holding(&ready.integration)?;
        let doc = if ready.draft { holding.newest.as_ref() } else { holding.live.as_ref() };
        let missing = doc.map(|doc| unset(&doc.integration, &holding.set)).unwrap_or_default();
        if !missing.is_empty() {
            let name = &ready.integration;
            let (them, value) = (missing.join(" and "), missing[0].as_str());
            return refused("unset", format!("{them} has no value: pointsman set {name} {value}=VALUE"));
        }
        if let (Verdict::Filtered | Verdict::Rejected, Some(cause)) = (ready.verdict, &ready.cause) {
            return refused("not_accepted", format!("the trigger would not let it in: {cause}"));
        }
        if ready.elements == Some(0) {
            return refused("no_run", "the array that is split has no elements".to_owned());
        }
        Ok(())
    }

    fn plan_test(&self, ready: &Ready) -> Plan {
        let mut plan = Plan { verb: "test".to_owned(), count: 1, ..Plan::default() };
        if let (Some(all), Some(_)) = (ready.elements, ready.element) {
            plan.count = u64::from(all);
        }
        plan.lines.push(format!("Really runs {}, with {}, marked as a test.", ready.name(), ready.version()));
        plan.lines.push("It writes no dedup key.".to_owned());
        if !ready.others.is_empty() {
            plan.lines.push(format!("Not touched: {}.", ready.others.join(", ")));
        }
        if self.deps.store.lane(ready.plan.flow_id).is_some_and(|rule| rule.held) {
            plan.lines.push("The flow is held: the run waits until it goes on.".to_owned());
        }
        let traces = traces(&self.deps.store, &ready.plan, &ready.context);
        let mut sends = Vec::new();
        for step in self.course(ready).steps {
            let named = ready.plan.flow.steps.iter().find(|other| other.name == step.name);
            if named.is_none_or(|named| named.kind.exchange().is_none()) {
                continue;
            }
            let (built, many) = match step.fate {
                Fate::Sends(built) => (Some(built), 1),
                Fate::Each(count, items) => {
                    let first = items.into_iter().find_map(|item| match item {
                        ItemFate::Sends(built) => Some(built),
                        _ => None,
                    });
                    (first, count as u64)
                }
                Fate::Unbuilt(_) => (None, 0),
                _ => continue,
            };
            if let Some(built) = built {
                let view = hidden(&traces, built.view);
                let host = host(&view.url);
                match plan.hosts.iter_mut().find(|(other, _)| *other == host) {
                    Some((_, count)) => *count += many,
                    None => plan.hosts.push((host, many)),
                }
                // What a later one sends hangs on what the first ones are answered.
                if plan.sends.is_none() && sends.is_empty() {
                    plan.sends = Some(view);
                }
            }
            sends.push(if many > 1 { format!("{} ({many} items)", step.name) } else { step.name });
        }
        plan.lines.push(match sends.as_slice() {
            [] => "It sends nothing.".to_owned(),
            [one] => format!("1 step of it sends for real: {one}."),
            many => format!("{} steps of it send for real: {}.", many.len(), many.join(", ")),
        });
        plan
    }
}
