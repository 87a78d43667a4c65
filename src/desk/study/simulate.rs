//! Every request of a run, built and not sent.

use super::super::Desk;
use super::super::verbs::sends::{hidden, traces};
use super::trial::Ready;
use crate::model::Map;
use crate::model::ask::{Refusal, Who};
use crate::model::run::RunState;
use crate::model::study::{AskedView, SimulatedItem, SimulatedStep, SimulatedView, Trial};
use crate::model::time::rfc3339;
use crate::model::view::{AnswerView, SentView};
use crate::rules::advance::unbuilt_cause;
use crate::rules::mask::Traces;
use crate::rules::simulate::{Asked, Course, Fate, ItemFate, Step, course, readable};
use crate::rules::template::Outgoing;
use serde_json::Value;

/// A request that would leave.
pub(super) struct Built {
    /// As it is shown.
    pub view: SentView,
    /// As it leaves.
    pub outgoing: Outgoing,
}

impl Desk {
    /// Simulates a run.
    pub(super) async fn simulate(&self, who: &Who, trial: &Trial) -> Result<SimulatedView, Refusal> {
        let ready = self.trial(who, trial).await?;
        if let Some(step) = &trial.step {
            position(&ready, step)?;
        }
        let course = self.course(&ready);
        let traces = traces(&self.deps.store, &ready.plan, &ready.context);
        let mut unknown: Vec<String> = Vec::new();
        for asked in course.steps.iter().flat_map(|step| &step.asks).filter(|asked| asked.from.is_none()) {
            if !unknown.contains(&asked.path) {
                unknown.push(asked.path.clone());
            }
        }
        let mut steps = Vec::with_capacity(course.steps.len());
        for step in course.steps {
            if trial.step.as_ref().is_none_or(|wanted| *wanted == step.name) {
                steps.push(self.simulated(&ready, &traces, &unknown, step).await);
            }
        }
        let mut end_cause = course.cause;
        if let Some(cause) = &mut end_cause {
            traces.hide_in(cause);
        }
        Ok(SimulatedView {
            request: ready.request.map(|id| self.deps.store.ids().print(id)),
            flow: ready.plan.flow.name.clone(),
            version: ready.plan.version,
            draft: ready.draft,
            verdict: ready.verdict,
            cause: ready.cause,
            elements: ready.elements,
            element: ready.element,
            steps,
            end: course.end,
            end_cause,
            unknown,
            not_touched: ready.others,
            integration: ready.integration,
            sent: false,
        })
    }

    /// The course of a trial's run. An array without elements begins none.
    pub(super) fn course(&self, ready: &Ready) -> Course<Built> {
        if ready.elements == Some(0) {
            return Course { steps: Vec::new(), end: RunState::Succeeded, cause: None };
        }
        let url = &self.deps.settings.public_url;
        course(&ready.plan, &ready.context, &ready.known, self.deps.store.now(), |at, context| {
            let call = ready.build(at, context, Some(url))?;
            Ok(Built { view: call.view(&self.deps.vault), outgoing: call.outgoing().clone() })
        })
    }

    async fn simulated(
        &self,
        ready: &Ready,
        traces: &Traces,
        unknown: &[String],
        step: Step<Built>,
    ) -> SimulatedStep {
        let judged = step.judged();
        let mut view = SimulatedStep {
            runs: if judged { Some(true) } else { None },
            cause: None,
            request: None,
            blocked: None,
            left_out: Vec::new(),
            item_count: None,
            items: Vec::new(),
            asks: step.asks.into_iter().map(|asked| asked_view(asked, traces)).collect(),
            outputs: None,
            answer: None,
            until: None,
            name: step.name,
            kind: step.kind.to_owned(),
        };
        match step.fate {
            Fate::Sends(built) => {
                view.blocked = self.blocked(ready, traces, &built.outgoing).await;
                view.left_out.clone_from(&built.outgoing.left_out);
                view.request = Some(shown(traces, unknown, built.view));
                let known = ready.known.get(&view.name);
                view.outputs =
                    known.and_then(|known| known.data.outputs.clone()).filter(|outputs| !outputs.is_empty());
            }
            Fate::Each(count, items) => {
                view.item_count = Some(count as u64);
                for (at, item) in (0u32..).zip(items) {
                    view.items.push(self.simulated_item(ready, traces, unknown, at, item).await);
                }
            }
            Fate::Passed => (view.runs, view.cause) = (Some(false), Some("its when is false".to_owned())),
            Fate::NotReached => {
                (view.runs, view.cause) = (Some(false), Some("the run stops before it".to_owned()));
            }
            Fate::Sets(outputs) => view.outputs = Some(outputs),
            Fate::Answers(given) => {
                view.answer = given.map(|given| AnswerView {
                    status: given.status,
                    headers: given.headers,
                    body: given.body,
                });
            }
            Fate::Fails(status, message) => {
                view.cause = Some(format!("it ends the run: {status}, {message}"));
            }
            Fate::Waits(until) => view.until = Some(rfc3339(until)),
            Fate::Unbuilt(error) => view.cause = Some(unbuilt_cause(&error)),
        }
        view.cause.iter_mut().for_each(|cause| traces.hide_in(cause));
        view.outputs.iter_mut().flat_map(Map::values_mut).for_each(|value| traces.hide_value(value));
        if let Some(answer) = &mut view.answer {
            answer.headers.iter_mut().for_each(|(_, value)| traces.hide_in(value));
            traces.hide_in_body(&mut answer.body);
        }
        view
    }

    async fn simulated_item(
        &self,
        ready: &Ready,
        traces: &Traces,
        unknown: &[String],
        item: u32,
        fate: ItemFate<Built>,
    ) -> SimulatedItem {
        let blank = SimulatedItem {
            item,
            runs: true,
            cause: None,
            request: None,
            blocked: None,
            left_out: Vec::new(),
        };
        match fate {
            ItemFate::Sends(built) => SimulatedItem {
                blocked: self.blocked(ready, traces, &built.outgoing).await,
                left_out: built.outgoing.left_out,
                request: Some(shown(traces, unknown, built.view)),
                ..blank
            },
            ItemFate::Passed => {
                SimulatedItem { runs: false, cause: Some("its when is false".to_owned()), ..blank }
            }
            ItemFate::Unbuilt(error) => {
                SimulatedItem { cause: Some(traces.hide(&unbuilt_cause(&error)).into_owned()), ..blank }
            }
        }
    }

    /// Why a request would not be sent.
    async fn blocked(&self, ready: &Ready, traces: &Traces, outgoing: &Outgoing) -> Option<String> {
        let judged = match self.http() {
            Ok(http) => http.permitted(outgoing).await,
            Err(refusal) => Err(refusal.message),
        };
        let mut why = judged.err()?;
        ready.context.secrets.hide(&mut why);
        traces.hide_in(&mut why);
        Some(why)
    }
}

/// A request as it is shown: without masked values, and with the paths of unknown ones as people read
/// them.
fn shown(traces: &Traces, unknown: &[String], sent: SentView) -> SentView {
    let mut sent = hidden(traces, sent);
    let paths = || unknown.iter().map(String::as_str);
    sent.url = readable(&sent.url, paths());
    if let Some(body) = &mut sent.body {
        *body = readable(body, paths());
    }
    sent
}

/// The position of a step.
pub(super) fn position(ready: &Ready, step: &str) -> Result<usize, Refusal> {
    let steps = &ready.plan.flow.steps;
    steps.iter().position(|other| other.name == step).ok_or_else(|| {
        let all: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
        let there = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
        Refusal::usage(format!("{} has no step {step:?}; there are: {there}", ready.name()))
    })
}

fn asked_view(asked: Asked, traces: &Traces) -> AskedView {
    let mut value = asked.value.unwrap_or(Value::Null);
    traces.hide_value(&mut value);
    AskedView {
        field: asked.field,
        path: asked.path,
        value,
        known: asked.from.is_some(),
        from: asked.from.map(str::to_owned),
    }
}
