//! A transition in the making: starting, ending and folding steps.

use super::local::Local;
use super::words::{Failure, no_use};
use super::{CallbackWrite, Cause, Effect, Env, Snapshot, Transition};
use crate::model::ask::Refusal;
use crate::model::document::{OnError, RequestStep, Step, StepKind};
use crate::model::run::{
    Callback, CallbackState, Detail, Entry, EntryKind, Folded, Frame, Got, Run, RunState, StepState,
};
use crate::model::{CallbackId, Map, Ms};
use crate::rules::json;
use crate::rules::mask::Traces;
use crate::rules::plan::Plan;
use crate::rules::template::{self, Context, RenderError, StepData};

/// Steps carried out in passing in one transition; the rest is left to the next one.
pub const FOLD_BOUND: usize = 256;

/// A transition in the making.
pub struct Work<'a> {
    pub plan: &'a Plan,
    pub before: &'a Snapshot,
    pub env: &'a Env,
    pub run: Run,
    pub frame: Frame,
    /// Who goes on in place, if anybody does.
    pub lease: Option<(i64, Ms)>,
    /// The entry in the making; `None` for what is columns alone.
    pub entry: Option<Entry>,
    pub callbacks: Vec<CallbackWrite>,
    pub cause: Option<Cause>,
    pub finished: Vec<(String, StepData)>,
    pub folded: Vec<Folded>,
    pub effect: Effect,
    /// The context with what finished in this transition; made when it is first asked for.
    context: Option<Context>,
}

impl<'a> Work<'a> {
    pub fn new(plan: &'a Plan, before: &'a Snapshot, env: &'a Env) -> Result<Self, Refusal> {
        let len = plan.flow.steps.len();
        // A retry looks its step up by name in a plan of another version; all else needs the step.
        // One that was held before it began may have none.
        let missing = before.run.step as usize >= len && (len > 0 || before.run.step > 0);
        if plan.version == before.run.version && missing && !before.run.state.ended() {
            return Err(Refusal::failed(format!(
                "the run stands at step {} and version {} has {len}",
                before.run.step + 1,
                plan.version
            )));
        }
        Ok(Self {
            plan,
            before,
            env,
            run: before.run.clone(),
            frame: before.frame.clone(),
            lease: env.lease,
            entry: None,
            callbacks: Vec::new(),
            cause: None,
            finished: Vec::new(),
            folded: Vec::new(),
            effect: Effect::None,
            context: None,
        })
    }

    /// The current step as the document wrote it.
    pub fn step(&self) -> Result<&'a Step, Refusal> {
        self.plan.flow.steps.get(self.run.step as usize).ok_or_else(|| no_use("no_step", self.run.state))
    }

    /// The current step's exchange.
    pub fn exchange(&self) -> Result<&'a RequestStep, Refusal> {
        self.step()?.kind.exchange().ok_or_else(|| no_use("not_running", self.run.state))
    }

    /// Begins the entry: what was applied, to the current step and attempt.
    pub fn open(&mut self, kind: EntryKind) -> &mut Entry {
        if kind != EntryKind::Late {
            self.frame.cancelled = false;
        }
        let step_name = self
            .plan
            .flow
            .steps
            .get(self.run.step as usize)
            .map_or_else(|| self.before.step_name.clone(), |step| step.name.clone());
        self.entry.insert(Entry {
            run: self.run.id,
            seq: 0,
            at: self.env.now,
            kind,
            step: self.run.step,
            attempt: self.run.attempt,
            status: None,
            actor: None,
            detail: Detail { step_name, ..Detail::default() },
            sent: None,
            got: None,
            answer: None,
        })
    }

    /// Says what the entry's own step is now.
    pub fn step_state(&mut self, state: StepState) {
        if let Some(entry) = &mut self.entry {
            entry.detail.step_state = Some(state);
        }
    }

    /// The transition, its guard and its last columns.
    #[expect(clippy::unnecessary_wraps, reason = "the last line of every input, all of which may refuse")]
    pub fn finish(mut self) -> Result<Transition, Refusal> {
        self.hide();
        self.run.seq = self.before.run.seq + 1;
        if let Some(entry) = &mut self.entry {
            entry.seq = self.run.seq;
            entry.detail.run_state = Some(self.run.state);
            if matches!(self.run.state, RunState::Waiting | RunState::Retrying) {
                entry.detail.due = self.run.due;
            }
            entry.detail.folded = self.folded;
        }
        Ok(Transition {
            guard: self.before.run.seq,
            frame: (self.frame != self.before.frame).then_some(self.frame),
            run: self.run,
            entry: self.entry,
            callbacks: self.callbacks,
            cause: self.cause,
            finished: self.finished,
            effect: self.effect,
        })
    }

    /// Masked values of the request get into no cause: it names a group, and is told to many. Values
    /// of secret variables get into nothing that is kept.
    fn hide(&mut self) {
        self.hide_secrets();
        let masked = self.plan.flow.webhook().map_or(&[][..], |hook| &hook.gates.mask);
        let Some(request) = self.before.context.request.as_ref().filter(|_| !masked.is_empty()) else {
            return;
        };
        let entry = self.entry.iter_mut().filter_map(|entry| entry.detail.cause.as_mut());
        let folded = self.folded.iter_mut().filter_map(|folded| folded.cause.as_mut());
        let own = self.cause.iter_mut().flat_map(|cause| [&mut cause.text, &mut cause.normal]);
        let mut texts: Vec<&mut String> = entry.chain(folded).chain(own).collect();
        if !texts.is_empty() {
            let traces = Traces::of(masked, request);
            for text in &mut texts {
                traces.hide_in(text);
            }
        }
    }

    fn hide_secrets(&mut self) {
        let secrets = &self.before.context.secrets;
        if secrets.is_empty() {
            return;
        }
        if let Some(entry) = &mut self.entry {
            secrets.hide_all(&mut entry.detail.cause);
            if let Some(got) = &mut entry.got {
                secrets.hide_all(got.headers.iter_mut().map(|(_, value)| value));
                secrets.hide_body(&mut got.body);
            }
            if let Some(given) = &mut entry.answer {
                secrets.hide_all(given.headers.iter_mut().map(|(_, value)| value));
                secrets.hide_body(&mut given.body);
            }
            entry.detail.outputs.iter_mut().for_each(|outputs| secrets.hide_map(outputs));
        }
        for folded in &mut self.folded {
            secrets.hide_all(&mut folded.cause);
            folded.outputs.iter_mut().for_each(|outputs| secrets.hide_map(outputs));
        }
        secrets.hide_all(self.cause.iter_mut().flat_map(|cause| [&mut cause.text, &mut cause.normal]));
    }

    pub fn context(&mut self) -> &Context {
        if self.context.is_none() && self.finished.is_empty() {
            return &self.before.context;
        }
        let base = &self.before.context;
        let finished = &self.finished;
        self.context.get_or_insert_with(|| {
            let mut context = base.clone();
            context.steps.extend(finished.iter().cloned());
            context
        })
    }

    /// A step ended: later steps see this of it.
    pub fn finished(&mut self, name: &str, data: StepData) {
        if let Some(context) = &mut self.context {
            context.steps.insert(name.to_owned(), data.clone());
        }
        self.finished.push((name.to_owned(), data));
    }

    /// Whether any step follows the current one: what it leaves behind matters to nobody else.
    pub fn is_last(&self) -> bool {
        self.run.step as usize + 1 >= self.plan.flow.steps.len()
    }

    /// The run ends. Callbacks that nobody will wait for are cancelled.
    pub fn end(&mut self, state: RunState) {
        self.run.state = state;
        self.run.due = None;
        self.run.ended = Some(self.env.now);
        self.frame.abort = None;
        self.drop_early();
        self.effect = Effect::None;
        self.cancel_callbacks();
    }

    /// Every open callback is cancelled.
    pub fn cancel_callbacks(&mut self) {
        for callback in self.before.callbacks.iter().filter(|one| one.state == CallbackState::Pending) {
            let moved = |write: &CallbackWrite| match write {
                CallbackWrite::Move { id, .. } | CallbackWrite::Extend { id, .. } => *id == callback.id,
                CallbackWrite::New(_) => false,
            };
            if !self.callbacks.iter().any(moved) {
                self.callbacks.push(CallbackWrite::Move {
                    id: callback.id,
                    state: CallbackState::Cancelled,
                    received: None,
                    status: None,
                    digest: None,
                });
            }
        }
    }

    pub fn drop_early(&mut self) {
        self.frame.early = None;
        self.frame.early_outputs = Map::new();
    }

    /// The open callback of the current attempt.
    pub fn open_callback(&self) -> Option<&'a Callback> {
        self.before.callbacks.iter().rev().find(|callback| {
            callback.state == CallbackState::Pending
                && callback.step == self.run.step
                && callback.attempt == self.run.attempt
        })
    }

    pub fn group(&mut self, failure: &Failure, step: &str) {
        self.cause =
            Some(Cause { step: step.to_owned(), text: failure.text.clone(), normal: failure.normal.clone() });
    }

    /// The run stops at its current step until an operator decides.
    pub fn stop(&mut self, failure: &Failure) -> Result<(), Refusal> {
        let step = self.step()?;
        self.run.state = RunState::Errored;
        self.run.due = None;
        self.effect = Effect::None;
        self.drop_early();
        self.group(failure, &step.name);
        self.step_state(StepState::Errored);
        Ok(())
    }

    /// The current step failed for good: its `on_error` decides. `status` and `headers` are what
    /// later steps may still see of it.
    pub fn fail(
        &mut self,
        failure: &Failure,
        status: Option<u16>,
        headers: Vec<(String, String)>,
    ) -> Result<(), Refusal> {
        let step = self.step()?;
        if let Some(entry) = &mut self.entry {
            entry.detail.cause = Some(failure.text.clone());
        }
        match step.on_error {
            OnError::Stop => self.stop(failure),
            OnError::Abort => {
                self.step_state(StepState::Failed);
                self.end(RunState::Failed);
                self.group(failure, &step.name);
                Ok(())
            }
            OnError::Continue => {
                self.step_state(StepState::Failed);
                self.frame.with_skips = true;
                let state = StepState::Failed;
                self.finished(&step.name, StepData { state, status, headers, body: None, outputs: None });
                self.after()
            }
        }
    }

    /// The current step succeeded.
    pub fn succeed(&mut self, data: StepData) -> Result<(), Refusal> {
        let step = self.step()?;
        self.step_state(StepState::Succeeded);
        self.finished(&step.name, data);
        self.after()
    }

    /// Goes on after the current step; nobody waits for its callbacks any more.
    pub fn after(&mut self) -> Result<(), Refusal> {
        self.cancel_callbacks();
        self.begin(self.run.step as usize + 1)
    }

    /// Starts the step at `from`, or the first after it that is not carried out in passing; ends
    /// the run where none is left.
    pub fn begin(&mut self, from: usize) -> Result<(), Refusal> {
        let mut at = from;
        loop {
            let Some(step) = self.plan.flow.steps.get(at) else {
                let skipped = self.frame.with_skips;
                self.end(if skipped { RunState::SucceededWithSkips } else { RunState::Succeeded });
                return Ok(());
            };
            if at != self.run.step as usize {
                self.run.step = u32::try_from(at).unwrap_or(u32::MAX);
                self.run.attempt = 0;
                self.run.round = 1;
                self.frame.fresh_key = None;
            }
            self.drop_early();
            if self.folded.len() >= FOLD_BOUND {
                self.queue();
                return Ok(());
            }
            let judged = match &step.when {
                Some(_) if self.run.attempt == 0 => {
                    let plan = self.plan;
                    template::step_when(plan, at, self.context())
                }
                _ => Ok(true),
            };
            let next = match judged {
                Err(error) => self.local_failure(step, &unbuilt(&error)),
                Ok(false) => {
                    let name = step.name.clone();
                    self.fold(step, StepState::Skipped, None, Some("its when is false".to_owned()));
                    self.finished(
                        &name,
                        StepData {
                            state: StepState::Skipped,
                            status: None,
                            headers: Vec::new(),
                            body: None,
                            outputs: None,
                        },
                    );
                    Local::GoOn
                }
                Ok(true) => match step.kind {
                    StepKind::Request(_) | StepKind::Send(_) => {
                        self.start();
                        return Ok(());
                    }
                    _ => self.local(step, at),
                },
            };
            match next {
                Local::GoOn => at += 1,
                Local::Stop => return Ok(()),
            }
        }
    }

    /// The current exchange starts in place under the lease, or is left to a runner.
    fn start(&mut self) {
        let Some((owner, until)) = self.lease else {
            self.queue();
            return;
        };
        // A run that was never in the due index is in its owner's memory alone, and found again by
        // the scan of fresh runs; all others keep a `due`.
        let in_memory = self.before.run.due.is_none()
            && matches!(self.before.run.state, RunState::Queued | RunState::Running);
        self.run.state = RunState::Running;
        self.run.attempt += 1;
        self.run.fence += 1;
        self.run.owner = owner;
        self.run.due = if in_memory { None } else { Some(until) };
        self.run.started = self.run.started.or(Some(self.env.now));
        self.effect = Effect::Send;
        let exchange = self.plan.flow.steps.get(self.run.step as usize).and_then(|step| step.kind.exchange());
        if let Some(exchange) = exchange
            && exchange.callback
        {
            self.new_callback(exchange.callback_deadline);
        }
    }

    fn new_callback(&mut self, deadline: Ms) {
        let (id, hash): (CallbackId, [u8; 32]) = self.env.callback;
        self.callbacks.push(CallbackWrite::New(Callback {
            id,
            run: self.run.id,
            step: self.run.step,
            attempt: self.run.attempt,
            hash,
            state: CallbackState::Pending,
            deadline: self.env.now.saturating_add(deadline),
            created: self.env.now,
            received: None,
            status: None,
            digest: None,
        }));
    }

    /// A runner takes it from here.
    pub fn queue(&mut self) {
        self.run.state = RunState::Queued;
        self.run.due = Some(self.env.now);
        self.effect = Effect::Wake;
    }

    /// A runner took the run.
    pub fn claimed(mut self, owner: i64, until: Ms) -> Result<Transition, Refusal> {
        if !matches!(self.run.state, RunState::Queued | RunState::Retrying) {
            return Err(no_use("not_due", self.run.state));
        }
        self.lease = Some((owner, until));
        let started = self.run.started.or(Some(self.env.now));
        self.run.started = started;
        self.open(EntryKind::Local);
        self.begin(self.run.step as usize)?;
        match self.folded.first() {
            // A flow without steps ends with its claim.
            None if self.run.state.ended() => {}
            // A claim is columns alone.
            None => self.entry = None,
            Some(first) => {
                let state = first.state;
                self.step_state(state);
            }
        }
        self.finish()
    }

    /// A claim is given back before anything was sent.
    pub fn put_back(mut self, fence: i64, due: Option<Ms>) -> Result<Transition, Refusal> {
        // A callback that came says that the request had left.
        if self.run.state != RunState::Running || self.run.fence != fence || self.frame.early.is_some() {
            return Err(no_use("not_running", self.run.state));
        }
        self.cancel_callbacks();
        self.run.attempt = self.run.attempt.saturating_sub(1);
        self.run.fence += 1;
        if let Some((actor, reason)) = self.frame.abort.take() {
            let entry = self.open(EntryKind::Abort);
            entry.actor = Some(actor);
            entry.detail.reason = reason;
            self.end(RunState::Aborted);
        } else {
            self.queue();
            self.run.due = due.or(self.run.due);
        }
        self.finish()
    }

    /// The exchange takes longer.
    pub fn renew(mut self, fence: i64, until: Ms) -> Result<Transition, Refusal> {
        if self.run.state != RunState::Running || self.run.fence != fence {
            return Err(no_use("not_running", self.run.state));
        }
        self.run.due = Some(until);
        self.finish()
    }
}

/// A request or a value that could not be made.
pub fn unbuilt(error: &RenderError) -> Failure {
    Failure::new(format!("could not be built: {}", error.message))
}

/// An answer's body as later steps see it: its JSON, else its text, else nothing; absent where it
/// was not kept whole.
pub fn body_value(got: &Got) -> Option<serde_json::Value> {
    if got.cut || got.binary { None } else { text_value(&got.body) }
}

/// The value of a body that is text: its JSON, else itself; `None` where it is empty.
pub fn text_value(text: &str) -> Option<serde_json::Value> {
    if text.is_empty() {
        return None;
    }
    Some(json::parse_answer(text.as_bytes()).unwrap_or_else(|_| serde_json::Value::String(text.to_owned())))
}
