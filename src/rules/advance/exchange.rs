//! What ends an attempt: an answer, none, a request that cannot be built, a lost lease.

use super::words::{self, Failure, no_use};
use super::work::{Work, body_value, unbuilt};
use super::{Exchange, ExchangeResult, Transition};
use crate::model::ask::Refusal;
use crate::model::document::RequestStep;
use crate::model::run::{EntryKind, Got, Outcome, RunState, StepState};
use crate::model::{Map, Ms};
use crate::rules::retry::{self, Transport};
use crate::rules::template::{RenderError, StepData};

/// What is known of an answer when it decides.
pub struct Answered {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Option<serde_json::Value>,
    pub outputs: Map,
}

impl Work<'_> {
    /// An exchange ended.
    pub fn answer(mut self, exchange: Exchange) -> Result<Transition, Refusal> {
        if let Some(item) = exchange.item {
            return self.item_answer(item, exchange);
        }
        let current = self.run.state == RunState::Running && self.run.fence == exchange.fence;
        if !current || self.frame.items.is_some() {
            return self.late(exchange);
        }
        let step = self.exchange()?;
        let target = target(step, &exchange);
        self.measure(&exchange);
        let Exchange { fence, started, elapsed_ms, sent, left_out, result, .. } = exchange;
        let entry = self.open(EntryKind::Answer);
        entry.sent = sent;
        entry.detail.started = Some(started);
        entry.detail.elapsed_ms = Some(elapsed_ms);
        entry.detail.fence = Some(fence);
        entry.detail.left_out = left_out;
        match result {
            ExchangeResult::Answered { got, outputs, retry_after } => {
                self.answered(step, got, outputs, retry_after, &target)?;
            }
            ExchangeResult::Failed { failure, cause } => self.unanswered(step, failure, cause)?,
            ExchangeResult::Blocked { cause } => {
                self.outcome(Outcome::Refused);
                self.cancel_callbacks();
                self.decide_failure(&Failure::new(format!("was not sent: {cause}")), None, Vec::new())?;
            }
        }
        self.finish()
    }

    pub fn outcome(&mut self, outcome: Outcome) {
        if let Some(entry) = &mut self.entry {
            entry.detail.outcome = Some(outcome);
        }
    }

    fn answered(
        &mut self,
        step: &RequestStep,
        got: Got,
        outputs: Map,
        retry_after: Option<Ms>,
        target: &str,
    ) -> Result<(), Refusal> {
        let status = got.status;
        let success = step.success.iter().any(|matches| matches.matches(status));
        let outcome = retry::classify(Ok(status), success, step.callback);
        self.outcome(outcome);
        // Nobody looks at the body of the last step's answer again: it is not parsed.
        let body = if outcome == Outcome::Ok && !self.is_last() { body_value(&got) } else { None };
        let headers = got.headers.clone();
        if let Some(entry) = &mut self.entry {
            entry.status = Some(status);
            entry.got = Some(got);
        }
        match outcome {
            Outcome::Ok => self.decide_success(Answered { status, headers, body, outputs }),
            Outcome::Accepted => self.accepted(step),
            _ => {
                let failure = words::answered(step, status, target);
                let attempts = self.run.attempt;
                if outcome == Outcome::Transient && self.again(step, None, retry_after, &failure) {
                    return Ok(());
                }
                self.decide_failure(&failure.after(attempts), Some(status), headers)
            }
        }
    }

    /// A 202 of a step with a callback: the promise, unless it was kept already.
    fn accepted(&mut self, step: &RequestStep) -> Result<(), Refusal> {
        if self.aborted_meanwhile() {
            self.step_state(StepState::Failed);
            return Ok(());
        }
        if self.frame.early.is_some() {
            return self.by_early(step);
        }
        let deadline = self.open_callback().map(|callback| callback.deadline);
        self.run.state = RunState::Waiting;
        self.run.due = Some(deadline.unwrap_or(self.env.now + step.callback_deadline));
        self.step_state(StepState::Waiting);
        Ok(())
    }

    /// No answer came. Where the callback had come, the target evidently had the request.
    fn unanswered(&mut self, step: &RequestStep, transport: Transport, cause: String) -> Result<(), Refusal> {
        self.outcome(Outcome::Transient);
        if self.frame.early.is_some() {
            if let Some(entry) = &mut self.entry {
                entry.detail.cause = Some(cause);
            }
            return self.by_early(step);
        }
        let failure = Failure::new(cause);
        if self.again(step, Some(transport), None, &failure) {
            return Ok(());
        }
        // Where nothing can have arrived nobody will call back; else the callback may still come.
        if transport == Transport::NoConnection {
            self.cancel_callbacks();
        }
        let attempts = self.run.attempt;
        self.decide_failure(&failure.after(attempts), None, Vec::new())
    }

    /// The outcome of the callback that came before the attempt ended.
    fn by_early(&mut self, step: &RequestStep) -> Result<(), Refusal> {
        let Some((status, text)) = self.frame.early.clone() else { return Ok(()) };
        let outputs = self.frame.early_outputs.clone();
        let got = Got { status, body: text, ..Got::default() };
        let body = body_value(&got);
        self.drop_early();
        self.by_callback(step, Answered { status, headers: Vec::new(), body, outputs })
    }

    /// What a callback said decides the step, never to be retried by itself.
    pub fn by_callback(&mut self, step: &RequestStep, answer: Answered) -> Result<(), Refusal> {
        if step.success.iter().any(|matches| matches.matches(answer.status)) {
            return self.decide_success(answer);
        }
        let target = step.connection.as_deref().unwrap_or("the callback");
        let failure = words::answered(step, answer.status, target);
        self.decide_failure(&failure, Some(answer.status), Vec::new())
    }

    /// The step succeeded; a noted abort ends the run all the same.
    fn decide_success(&mut self, answer: Answered) -> Result<(), Refusal> {
        let Answered { status, headers, body, outputs } = answer;
        if let Some(entry) = &mut self.entry
            && !outputs.is_empty()
        {
            entry.detail.outputs = Some(outputs.clone());
        }
        if self.aborted_meanwhile() {
            self.step_state(StepState::Succeeded);
            return Ok(());
        }
        let state = StepState::Succeeded;
        let outputs = Some(outputs);
        self.succeed(StepData { status: Some(status), headers, body, outputs, ..StepData::bare(state) })
    }

    /// The step failed for good; a noted abort ends the run whatever `on_error` says.
    fn decide_failure(
        &mut self,
        failure: &Failure,
        status: Option<u16>,
        headers: Vec<(String, String)>,
    ) -> Result<(), Refusal> {
        if self.aborted_meanwhile() {
            if let Some(entry) = &mut self.entry {
                entry.detail.cause = Some(failure.text.clone());
            }
            self.step_state(StepState::Failed);
            return Ok(());
        }
        self.fail(failure, status, headers)?;
        // An answer came that makes no promise: nobody will call back.
        if self.run.state == RunState::Errored && status.is_some() {
            self.cancel_callbacks();
        }
        Ok(())
    }

    /// Carries out an abort that waited for the attempt. Its entry says who and why.
    fn aborted_meanwhile(&mut self) -> bool {
        if self.frame.abort.is_none() {
            return false;
        }
        self.end(RunState::Aborted);
        true
    }

    /// Another attempt later, where the round has one left.
    fn again(
        &mut self,
        step: &RequestStep,
        transport: Option<Transport>,
        retry_after: Option<Ms>,
        failure: &Failure,
    ) -> bool {
        if self.frame.abort.is_some() {
            return false;
        }
        let next = self.run.attempt.saturating_sub(self.run.round) + 2;
        let wait = retry::delay(&step.retry, next, step.idempotent, transport, retry_after, self.env.dice);
        let Some(wait) = wait else { return false };
        self.run.state = RunState::Retrying;
        self.run.due = Some(self.env.now.saturating_add(wait));
        self.cancel_callbacks();
        self.drop_early();
        if let Some(entry) = &mut self.entry {
            entry.detail.cause = Some(failure.text.clone());
        }
        self.step_state(StepState::Retrying);
        true
    }

    /// The request could not be built: nothing left.
    pub fn unbuilt(mut self, fence: i64, error: &RenderError) -> Result<Transition, Refusal> {
        if self.run.state != RunState::Running || self.run.fence != fence {
            return Err(no_use("not_running", self.run.state));
        }
        let now = self.env.now;
        let entry = self.open(EntryKind::Answer);
        entry.detail.outcome = Some(Outcome::Refused);
        entry.detail.fence = Some(fence);
        entry.detail.started = Some(now);
        // Nobody can call back: the URL never left.
        self.cancel_callbacks();
        self.decide_failure(&unbuilt(error), None, Vec::new())?;
        self.finish()
    }

    /// The lease lapsed, or the process that held it is gone: whether the attempt was delivered is
    /// unknown.
    pub fn lost(mut self, died: bool) -> Result<Transition, Refusal> {
        if self.run.state != RunState::Running {
            return Err(no_use("not_running", self.run.state));
        }
        if self.frame.items.is_some() {
            return self.items_lost(died);
        }
        let step = self.exchange()?;
        let fence = self.run.fence;
        let lapsed = self.run.due.filter(|due| !died && *due <= self.env.now);
        let entry = self.open(EntryKind::Lost);
        entry.detail.outcome = Some(Outcome::Unknown);
        entry.detail.fence = Some(fence);
        // What the lease's holder may still report is late.
        self.run.fence += 1;
        if self.frame.early.is_some() {
            self.by_early(step)?;
            return self.finish();
        }
        if step.idempotent {
            let failure = words::interrupted();
            if !self.again(step, Some(Transport::Interrupted), None, &failure) {
                let failure = words::interrupted_for_good(self.run.attempt);
                self.decide_failure(&failure, None, Vec::new())?;
            }
            return self.finish();
        }
        let failure = words::may_have_been_delivered(lapsed, self.env.now);
        if let Some(entry) = &mut self.entry {
            entry.detail.cause = Some(failure.text.clone());
        }
        if self.aborted_meanwhile() {
            self.step_state(StepState::Failed);
        } else {
            // An operator decides, whatever `on_error` says; the callback may answer the question.
            self.stop(&failure)?;
        }
        self.finish()
    }

    /// A result that came after somebody else had moved the run on: shown, never applied.
    pub fn late(mut self, exchange: Exchange) -> Result<Transition, Refusal> {
        let Exchange { fence, step, item, attempt, started, elapsed_ms, sent, left_out, result } = exchange;
        let name = self.plan.flow.steps.get(step as usize).map(|step| step.name.clone());
        let entry = self.open(EntryKind::Late);
        entry.step = step;
        entry.item = item;
        entry.attempt = attempt;
        entry.sent = sent;
        entry.detail.step_name = name.unwrap_or_default();
        entry.detail.outcome = Some(Outcome::Late);
        entry.detail.started = Some(started);
        entry.detail.elapsed_ms = Some(elapsed_ms);
        entry.detail.fence = Some(fence);
        entry.detail.left_out = left_out;
        match result {
            ExchangeResult::Answered { got, .. } => {
                entry.status = Some(got.status);
                entry.got = Some(got);
            }
            ExchangeResult::Failed { cause, .. } | ExchangeResult::Blocked { cause } => {
                entry.detail.cause = Some(cause);
            }
        }
        self.finish()
    }
}

/// Who answered, in a sentence: the connection's name, else the host that was sent to.
pub fn target(step: &RequestStep, exchange: &Exchange) -> String {
    if let Some(connection) = &step.connection {
        return connection.clone();
    }
    let host = exchange.sent.as_ref().and_then(|sent| {
        let (_, rest) = sent.url.split_once("://")?;
        rest.split(['/', '?', '#']).next()
    });
    host.unwrap_or("the target").to_owned()
}
