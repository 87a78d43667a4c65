//! What people do to a callback that nobody answers: complete, extend, cancel.

use super::exchange::Answered;
use super::words::{self, not_waiting};
use super::work::{Work, body_value, text_value};
use super::{CallbackWrite, Transition};
use crate::model::ask::Refusal;
use crate::model::run::{Callback, CallbackState, EntryKind, Got, RunState, StepState};
use crate::model::{CallbackId, Map, Ms};
use crate::rules::template;
use sha2::{Digest as _, Sha256};

/// Who acts on which callback, and why.
#[derive(Debug, Clone)]
pub struct Hand {
    /// Which.
    pub callback: CallbackId,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
}

/// Tells a repeat of an answer to a callback from another answer: SHA-256 of code and body.
#[must_use]
pub fn digest(status: u16, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(status.to_be_bytes());
    hash.update(body);
    hash.finalize().into()
}

/// An answer to a callback, whoever gives it: what is kept of it, and what it gives to later steps.
pub struct Given {
    pub got: Got,
    pub answer: Answered,
}

impl Work<'_> {
    /// What a callback's answer comes to for the current step.
    pub fn given(&self, status: u16, body: &[u8]) -> Result<Given, Refusal> {
        let step = self.exchange()?;
        // Before anything is taken from it: later steps see what is kept, in this process and the next.
        let body = self.before.context.secrets.hide_bytes(bytes::Bytes::copy_from_slice(body));
        let body = &*body;
        let got = Got::of(status, Vec::new(), body, true);
        let outputs = if step.outputs.is_empty() || !step.success.iter().any(|one| one.matches(status)) {
            Map::new()
        } else {
            let whole = std::str::from_utf8(body).ok().and_then(text_value);
            let at = self.run.step as usize;
            template::answer_outputs(self.plan, at, status, &[], whole.as_ref())
        };
        let answer = Answered { status, headers: Vec::new(), body: body_value(&got), outputs };
        Ok(Given { got, answer })
    }

    /// A person gives the answer that did not come, or another than the one that did.
    pub fn complete(mut self, hand: Hand, status: u16, body: &[u8]) -> Result<Transition, Refusal> {
        self.held(&hand, "complete")?;
        let step = self.exchange()?;
        let Given { got, answer } = self.given(status, body)?;
        self.callbacks.push(CallbackWrite::Move {
            id: hand.callback,
            state: CallbackState::Received,
            received: Some(self.env.now),
            status: Some(status),
            digest: Some(digest(status, body)),
        });
        self.by(EntryKind::Callback, hand);
        if let Some(entry) = &mut self.entry {
            entry.status = Some(status);
            entry.got = Some(got);
        }
        self.run.cause = None;
        self.by_callback(step, answer)?;
        self.finish()
    }

    /// A person gives the other side more time: from the deadline on, or from now where it is past.
    pub fn extend(mut self, hand: Hand, by: Ms) -> Result<Transition, Refusal> {
        let deadline = self.held(&hand, "extend")?.deadline;
        let deadline = deadline.max(self.env.now).saturating_add(by);
        self.callbacks.push(CallbackWrite::Extend { id: hand.callback, deadline });
        self.by(EntryKind::Extend, hand);
        self.run.state = RunState::Waiting;
        self.run.due = Some(deadline);
        self.run.cause = None;
        self.step_state(StepState::Waiting);
        self.finish()
    }

    /// A person says that no answer will come: a failure of the step.
    pub fn cancel(mut self, hand: Hand) -> Result<Transition, Refusal> {
        let callback = self.held(&hand, "cancel")?;
        if callback.state != CallbackState::Pending || self.run.state != RunState::Waiting {
            return Err(not_waiting("cancel", self.run.state, callback));
        }
        self.callbacks.push(CallbackWrite::Move {
            id: hand.callback,
            state: CallbackState::Cancelled,
            received: None,
            status: None,
            digest: None,
        });
        let failure = words::cancelled(&hand.actor, hand.reason.as_deref());
        self.by(EntryKind::Cancel, hand);
        self.fail(&failure, None, Vec::new())?;
        self.frame.cancelled = self.run.state == RunState::Errored;
        self.finish()
    }

    fn by(&mut self, kind: EntryKind, hand: Hand) {
        let entry = self.open(kind);
        entry.actor = Some(hand.actor);
        entry.detail.reason = hand.reason;
    }

    /// The callback, where the run waits for it or stopped for want of its answer: a deadline that
    /// passed, a code that is no success, a cancel by hand, a request that may have arrived.
    fn held(&self, hand: &Hand, verb: &str) -> Result<&Callback, Refusal> {
        let callback = self.before.callbacks.iter().find(|callback| callback.id == hand.callback);
        let Some(callback) = callback else {
            return Err(Refusal::not_found("there is no such callback"));
        };
        let current = callback.step == self.run.step && callback.attempt == self.run.attempt;
        let held = match (self.run.state, callback.state) {
            (RunState::Waiting, state) => state == CallbackState::Pending,
            (RunState::Errored, CallbackState::Cancelled) => self.frame.cancelled,
            (RunState::Errored, _) => true,
            _ => false,
        };
        if current && held { Ok(callback) } else { Err(not_waiting(verb, self.run.state, callback)) }
    }
}
