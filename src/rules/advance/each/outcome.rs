//! What ends an attempt of an item: an answer, none, a request that cannot be built, a lost lease.

use super::super::exchange::target;
use super::super::words::{self, Failure, no_use};
use super::super::work::{Work, body_value, unbuilt};
use super::super::{Exchange, ExchangeResult, Transition};
use super::note;
use crate::model::ask::Refusal;
use crate::model::document::{OnError, RequestStep, Step};
use crate::model::run::{EntryKind, Got, ItemNote, Outcome, RunState, StepState};
use crate::model::{Map, Ms};
use crate::rules::retry::{self, Transport};
use crate::rules::template::{self, RenderError, StepData};

/// An attempt of an item that ended.
#[derive(Clone, Copy)]
struct Tried<'p> {
    /// Its step as the document wrote it.
    step: &'p Step,
    /// The step's exchange.
    exchange: &'p RequestStep,
    /// Index of the item.
    index: u32,
    /// Number of the attempt.
    attempt: u32,
}

impl Work<'_> {
    /// The exchange of an item ended.
    pub fn item_answer(mut self, index: u32, exchange: Exchange) -> Result<Transition, Refusal> {
        if !self.is_under_way(exchange.fence, exchange.step, index, exchange.attempt) {
            return self.late(exchange);
        }
        let tried =
            Tried { step: self.step()?, exchange: self.exchange()?, index, attempt: exchange.attempt };
        let target = target(tried.exchange, &exchange);
        self.measure(&exchange);
        let Exchange { fence, attempt, started, elapsed_ms, sent, left_out, result, .. } = exchange;
        let entry = self.open(EntryKind::Answer);
        entry.item = Some(index);
        entry.attempt = attempt;
        entry.sent = sent;
        entry.detail.started = Some(started);
        entry.detail.elapsed_ms = Some(elapsed_ms);
        entry.detail.fence = Some(fence);
        entry.detail.left_out = left_out;
        match result {
            ExchangeResult::Answered { got, outputs, retry_after } => {
                self.item_answered(tried, got, outputs, retry_after, &target);
            }
            ExchangeResult::Failed { failure, cause } => {
                self.outcome(Outcome::Transient);
                let why = Failure::new(cause);
                if !self.item_again(tried, Some(failure), None, &why) {
                    self.item_failed(tried.step, (index, attempt), &why.after(attempt), None);
                }
            }
            ExchangeResult::Blocked { cause } => {
                self.outcome(Outcome::Refused);
                let why = Failure::new(format!("was not sent: {cause}"));
                self.item_failed(tried.step, (index, attempt), &why, None);
            }
        }
        self.go_on()?;
        self.finish()
    }

    fn is_under_way(&self, fence: i64, step: u32, index: u32, attempt: u32) -> bool {
        let item = self.frame.items.as_ref().and_then(|items| items.get(index));
        self.run.state == RunState::Running
            && self.run.fence == fence
            && self.run.step == step
            && item.is_some_and(|item| item.state == StepState::Running && item.attempt == attempt)
    }

    fn item_answered(
        &mut self,
        tried: Tried<'_>,
        got: Got,
        outputs: Map,
        retry_after: Option<Ms>,
        target: &str,
    ) {
        let Tried { step, exchange, index, attempt } = tried;
        let status = got.status;
        let success = exchange.success.iter().any(|matches| matches.matches(status));
        let outcome = retry::classify(Ok(status), success, false);
        self.outcome(outcome);
        let seen = outcome == Outcome::Ok && template::looked_at(self.plan, self.run.step as usize);
        let body = if seen { body_value(&got) } else { None };
        let headers = got.headers.clone();
        if let Some(entry) = &mut self.entry {
            entry.status = Some(status);
            entry.got = Some(got);
            if outcome == Outcome::Ok && !outputs.is_empty() {
                entry.detail.outputs = Some(outputs.clone());
            }
        }
        if outcome == Outcome::Ok {
            let state = StepState::Succeeded;
            let outputs = Some(outputs);
            self.turn(note(index, state, attempt));
            let data = StepData { status: Some(status), headers, body, outputs, ..StepData::bare(state) };
            return self.result(index, data);
        }
        let why = words::answered(exchange, status, target);
        let again = outcome == Outcome::Transient && self.item_again(tried, None, retry_after, &why);
        if !again {
            self.item_failed(step, (index, attempt), &why.after(attempt), Some((status, headers)));
        }
    }

    /// Another attempt of an item later, where its round has one left.
    fn item_again(
        &mut self,
        tried: Tried<'_>,
        transport: Option<Transport>,
        retry_after: Option<Ms>,
        why: &Failure,
    ) -> bool {
        let Tried { step, exchange, index, .. } = tried;
        let Some(item) = self.frame.items.as_ref().and_then(|items| items.get(index)).cloned() else {
            return false;
        };
        if self.halting(step) {
            return false;
        }
        let next = item.attempt.saturating_sub(item.round) + 2;
        let retry = &exchange.retry;
        let dice = self.env.dice;
        let wait = retry::delay(retry, next, exchange.idempotent, transport, retry_after, dice);
        let Some(wait) = wait else { return false };
        let due = Some(self.env.now.saturating_add(wait));
        let cause = Some(why.text.clone());
        self.turn(ItemNote { due, cause, ..note(index, StepState::Retrying, item.attempt) });
        true
    }

    /// An item failed for good: what that means for the step is known once all have ended. `came` is
    /// status and headers of the answer, where one came.
    pub fn item_failed(
        &mut self,
        step: &Step,
        of: (u32, u32),
        why: &Failure,
        came: Option<(u16, Vec<(String, String)>)>,
    ) {
        let state = if step.on_error == OnError::Stop { StepState::Errored } else { StepState::Failed };
        self.item_ended(of, state, why, came);
    }

    fn item_ended(
        &mut self,
        (index, attempt): (u32, u32),
        state: StepState,
        why: &Failure,
        came: Option<(u16, Vec<(String, String)>)>,
    ) {
        let (cause, normal) = (Some(why.text.clone()), Some(why.normal.clone()));
        self.turn(ItemNote { cause, normal, ..note(index, state, attempt) });
        let (status, headers) = came.map_or((None, Vec::new()), |(status, headers)| (Some(status), headers));
        // To later steps one that failed is failed, whoever decides what becomes of it.
        self.result(index, StepData { status, headers, ..StepData::bare(StepState::Failed) });
    }

    /// The request of an item could not be built: nothing left.
    pub fn item_unbuilt(
        mut self,
        fence: i64,
        index: u32,
        attempt: u32,
        error: &RenderError,
    ) -> Result<Transition, Refusal> {
        if !self.is_under_way(fence, self.run.step, index, attempt) {
            return Err(no_use("not_running", self.run.state));
        }
        let (step, now) = (self.step()?, self.env.now);
        let entry = self.open(EntryKind::Answer);
        entry.item = Some(index);
        entry.attempt = attempt;
        entry.detail.outcome = Some(Outcome::Refused);
        entry.detail.fence = Some(fence);
        entry.detail.started = Some(now);
        self.item_failed(step, (index, attempt), &unbuilt(error), None);
        self.go_on()?;
        self.finish()
    }

    /// The lease lapsed, or the process that held it is gone: of every item that was under way it is
    /// unknown whether it was delivered. The others are what they were.
    pub fn items_lost(mut self, died: bool) -> Result<Transition, Refusal> {
        let (step, exchange) = (self.step()?, self.exchange()?);
        let fence = self.run.fence;
        let lapsed = self.run.due.filter(|due| !died && *due <= self.env.now);
        let flying: Vec<(u32, u32)> =
            self.items()?.of(StepState::Running).map(|(index, item)| (index, item.attempt)).collect();
        let entry = self.open(EntryKind::Lost);
        entry.attempt = 0;
        entry.detail.outcome = Some(Outcome::Unknown);
        entry.detail.fence = Some(fence);
        self.run.fence += 1;
        for (index, attempt) in flying {
            let tried = Tried { step, exchange, index, attempt };
            if exchange.idempotent {
                let cut = Some(Transport::Interrupted);
                if !self.item_again(tried, cut, None, &words::interrupted()) {
                    let why = words::interrupted_for_good(attempt);
                    self.item_failed(step, (index, attempt), &why, None);
                }
            } else {
                // An operator decides, whatever `on_error` says.
                let why = words::may_have_been_delivered(lapsed, self.env.now);
                self.item_ended((index, attempt), StepState::Errored, &why, None);
            }
        }
        self.go_on()?;
        self.finish()
    }
}
