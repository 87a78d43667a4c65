//! One step's call, by hand: through the client and the guard of the runner, without a run.

use super::super::Desk;
use super::super::verbs::sends::{hidden, traces};
use super::simulate::position;
use super::trial::Ready;
use crate::model::ask::{Plan, Refusal, Who};
use crate::model::run::{Got, Outcome, Sent, StepState, keep};
use crate::model::study::{CalledView, TrialOrder, Tried};
use crate::model::target::host;
use crate::model::time::rfc3339;
use crate::model::view::{AttemptView, GotView, SentView};
use crate::model::{Map, RunId};
use crate::rules::advance::{ExchangeResult, answer_cause, body_value, unbuilt_cause};
use crate::rules::mask::Traces;
use crate::rules::retry::classify;
use crate::rules::simulate::{Fate, course};
use crate::rules::template::{Context, StepData};
use crate::runner::call::{Call, Made};
use crate::store::Remembered;

impl Desk {
    /// Makes the call of one step, or says what it would be.
    pub(super) async fn call(&self, who: &Who, order: &TrialOrder) -> Result<Tried, Refusal> {
        let ready = self.trial(who, &order.trial).await?;
        let at = which(&ready, order.trial.step.as_deref())?;
        let context = self.standing_at(&ready, at, order.trial.item)?;
        // No callback is promised: nobody would wait for it.
        let call = ready.build(at, &context, None).map_err(|error| unbuildable(&unbuilt_cause(&error)))?;
        let traces = traces(&self.deps.store, &ready.plan, &ready.context);
        if order.dry_run {
            return Ok(Tried::Plan(Box::new(self.plan_call(&ready, at, &call, &traces))));
        }
        let left_body = call.masked().body.clone();
        let made = call.make(self.http()?, &self.deps.vault, self.deps.store.now()).await;
        let name = ready.plan.flow.steps[at].name.clone();
        let target = format!("{}/{}", ready.integration, ready.plan.flow.name);
        let said = match &made.result {
            ExchangeResult::Answered { got, .. } => format!("Called {name}: answered {}.", got.status),
            ExchangeResult::Failed { cause, .. } => format!("Called {name}: {cause}."),
            ExchangeResult::Blocked { cause } => {
                return Err(Refusal::refused("blocked", format!("{name} was not sent: {cause}")));
            }
        };
        self.audit(who, "call", &target, order.reason.as_deref(), &said).await?;
        let body = left_body.map(|body| keep(&body).0);
        let view = self.called(&ready, (at, context.item), made, body, &traces).await?;
        Ok(Tried::Called(Box::new(view)))
    }

    /// The context in which a step would be built; with the id that stands for the run's.
    fn standing_at(&self, ready: &Ready, at: usize, item: Option<u32>) -> Result<Context, Refusal> {
        let mut found: Option<Context> = None;
        let now = self.deps.store.now();
        let course = course(&ready.plan, &ready.context, &ready.known, now, |step, context| {
            if step == at && context.item.is_none_or(|at| at == item.unwrap_or(0)) {
                found = Some(context.clone());
            }
            ready.build(step, context, None).map(drop)
        });
        let name = &ready.plan.flow.steps[at].name;
        let unknown: Vec<&str> = course
            .steps
            .get(at)
            .map(|step| &step.asks[..])
            .unwrap_or_default()
            .iter()
            .filter(|asked| asked.from.is_none())
            .map(|asked| asked.path.as_str())
            .collect();
        if let Some(first) = unknown.first() {
            return Err(Refusal::usage(format!(
                "{name} asks for {}, which nobody knows: call the step before it, or give --set {first}=VALUE",
                unknown.join(" and ")
            )));
        }
        let fate = course.steps.into_iter().nth(at).map(|step| step.fate);
        match (fate, found) {
            (Some(Fate::Sends(()) | Fate::Each(..)), Some(mut context)) => {
                context.run = self.deps.store.ids().print(RunId(self.deps.store.fresh_id()));
                Ok(context)
            }
            (Some(Fate::Each(count, _)), None) => Err(Refusal::refused(
                "not_run",
                format!(
                    "{name} would not send item {}: it has {count}, and one whose when is false is not sent",
                    item.unwrap_or(0)
                ),
            )),
            (Some(Fate::Unbuilt(error)), _) => Err(unbuildable(&unbuilt_cause(&error))),
            (Some(Fate::Passed), _) => {
                Err(Refusal::refused("not_run", format!("{name} would not run: its when is false")))
            }
            _ => Err(Refusal::refused(
                "not_run",
                match course.cause {
                    Some(cause) => format!("{name} would not run: the run stops before it: {cause}"),
                    None => format!("{name} would not run: the request begins no run"),
                },
            )),
        }
    }

    fn plan_call(&self, ready: &Ready, at: usize, call: &Call<'_>, traces: &Traces) -> Plan {
        let step = &ready.plan.flow.steps[at];
        let mut plan = Plan { verb: "call".to_owned(), count: 1, ..Plan::default() };
        plan.lines.push(format!(
            "Really makes the call of {} of {}, with {}.",
            step.name,
            ready.name(),
            ready.version()
        ));
        plan.lines.push("It makes no run. Its answer is remembered for trials of the flow.".to_owned());
        if step.kind.exchange().is_some_and(|exchange| exchange.callback) {
            plan.lines.push("It promises no callback: only a run can wait for one.".to_owned());
        }
        if let Some(cause) = &ready.cause {
            plan.lines.push(format!("The trigger would not let the request begin a run: {cause}."));
        }
        let sent = hidden(traces, call.view(&self.deps.vault));
        plan.hosts = vec![(host(&sent.url), 1)];
        plan.sends = Some(sent);
        plan.step = Some(step.name.clone());
        plan
    }

    async fn called(
        &self,
        ready: &Ready,
        (at, item): (usize, Option<u32>),
        made: Made,
        body: Option<String>,
        traces: &Traces,
    ) -> Result<CalledView, Refusal> {
        let step = &ready.plan.flow.steps[at];
        let Made { started, elapsed_ms, sent, left_out, result } = made;
        let target = host(&sent.url);
        let mut attempt = AttemptView {
            item,
            number: 1,
            started: Some(rfc3339(started)),
            elapsed_ms: Some(elapsed_ms),
            outcome: None,
            status: None,
            request: Some(hidden(traces, shown(sent, body))),
            response: None,
            cause: None,
            left_out,
        };
        let mut outputs = None;
        let exchange = step.kind.exchange();
        match result {
            ExchangeResult::Answered { got, outputs: made, .. } => {
                let success = exchange
                    .is_some_and(|exchange| exchange.success.iter().any(|one| one.matches(got.status)));
                let outcome = classify(Ok(got.status), success, false);
                (attempt.outcome, attempt.status) = (Some(outcome), Some(got.status));
                if outcome == Outcome::Ok {
                    self.keep_answer(ready, (at, item), &got, &made).await?;
                    outputs = Some(made);
                } else if let Some(exchange) = exchange {
                    let target = exchange.connection.as_deref().unwrap_or(&target);
                    attempt.cause = Some(answer_cause(exchange, got.status, target));
                }
                let Got { status, headers, body, cut, binary, .. } = got;
                attempt.response = Some(GotView { status, headers, body, cut, binary });
            }
            ExchangeResult::Failed { failure, cause } => {
                attempt.outcome = Some(classify(Err(failure), false, false));
                attempt.cause = Some(cause);
            }
            ExchangeResult::Blocked { cause } => attempt.cause = Some(cause),
        }
        attempt.cause.iter_mut().for_each(|cause| traces.hide_in(cause));
        if let Some(got) = &mut attempt.response {
            got.headers.iter_mut().for_each(|(_, value)| traces.hide_in(value));
            traces.hide_in_body(&mut got.body);
        }
        outputs.iter_mut().flat_map(Map::values_mut).for_each(|value| traces.hide_value(value));
        Ok(CalledView {
            integration: ready.integration.clone(),
            flow: ready.plan.flow.name.clone(),
            version: ready.plan.version,
            step: step.name.clone(),
            success: attempt.outcome == Some(Outcome::Ok),
            attempt,
            outputs,
        })
    }

    /// Remembers a good answer, as later steps see it.
    async fn keep_answer(
        &self,
        ready: &Ready,
        (at, item): (usize, Option<u32>),
        got: &Got,
        outputs: &Map,
    ) -> Result<(), Refusal> {
        let mut data = StepData {
            status: Some(got.status),
            headers: got.headers.clone(),
            body: body_value(got),
            outputs: Some(outputs.clone()),
            ..StepData::bare(StepState::Succeeded)
        };
        let mut whole = !got.cut && !got.binary;
        if let Some(item) = item.map(|item| item as usize) {
            // Beside those that are known; of the others nothing is.
            let known = ready.known.get(&ready.plan.flow.steps[at].name);
            let mut items = known.and_then(|known| known.data.items.clone()).unwrap_or_default();
            items.resize(items.len().max(item + 1), StepData::bare(StepState::Succeeded));
            items[item] = data;
            data = StepData { items: Some(items), ..StepData::bare(StepState::Succeeded) };
            whole = false;
        }
        let answer = (ready.plan.flow.steps[at].name.clone(), Remembered::of(data, whole));
        // One answer is kept up to 64 KiB; more items than fit are not remembered, and asked for again.
        self.deps.store.remember(ready.plan.flow_id, false, vec![answer]).await?;
        Ok(())
    }
}

/// The step that is called: the one that is named, or the only one that sends.
fn which(ready: &Ready, step: Option<&str>) -> Result<usize, Refusal> {
    let steps = &ready.plan.flow.steps;
    let sends: Vec<usize> = (0..steps.len()).filter(|at| steps[*at].kind.exchange().is_some()).collect();
    let names = || sends.iter().map(|at| steps[*at].name.as_str()).collect::<Vec<_>>().join(", ");
    match (step, sends.as_slice()) {
        (_, []) => Err(Refusal::usage(format!("{} has no step that sends", ready.name()))),
        (Some(step), _) => {
            let at = position(ready, step)?;
            if !sends.contains(&at) {
                let names = names();
                return Err(Refusal::usage(format!("{step} sends nothing; there are: {names}")));
            }
            Ok(at)
        }
        (None, [one]) => Ok(*one),
        (None, _) => Err(Refusal::usage(format!("say which step is called: --step, one of {}", names()))),
    }
}

fn unbuildable(cause: &str) -> Refusal {
    Refusal::refused("unbuilt", format!("nothing was sent: the request {cause}"))
}

fn shown(sent: Sent, body: Option<String>) -> SentView {
    SentView { method: sent.method, url: sent.url, headers: sent.headers, body }
}
