//! A transition in the making: starting, ending and folding steps.

use super::local::Local;
use super::words::{Failure, WHEN_FALSE, no_use};
use super::{CallbackWrite, Cause, Effect, Env, Snapshot, Took, Transition, each};
use crate::model::ask::Refusal;
use crate::model::document::{OnError, RequestStep, Step, StepKind};
use crate::model::run::{
    Begun, Callback, CallbackState, Detail, Entry, EntryKind, Folded, Frame, Got, ItemNote, Run, RunState,
    StepState,
};
use crate::model::{CallbackId, Map, Ms};
use crate::rules::json;
use crate::rules::plan::Plan;
use crate::rules::template::{self, Context, RenderError, StepData};
use serde_json::Value;
use std::sync::Arc;

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
    /// Changes of items of the step that the entry is of.
    pub notes: Vec<ItemNote>,
    /// A step under `for_each` that begins in this transition.
    pub begun: Option<Begun>,
    /// Its list.
    pub list: Option<Arc<Vec<Value>>>,
    /// Items that ended in this transition.
    pub results: Vec<(u32, StepData)>,
    pub took: Option<Took>,
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
            notes: Vec::new(),
            begun: None,
            list: None,
            results: Vec::new(),
            took: None,
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
            item: None,
            attempt: self.run.attempt,
            status: None,
            actor: None,
            detail: Detail { step_name, ..Detail::default() },
            sent: None,
            got: None,
            answer: None,
        })
    }

    /// Says otherwise what was applied.
    fn kind(&mut self, kind: EntryKind) {
        if let Some(entry) = &mut self.entry {
            entry.kind = kind;
        }
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
            entry.detail.items = self.notes;
            entry.detail.begun = self.begun;
        }
        Ok(Transition {
            guard: self.before.run.seq,
            frame: (self.frame != self.before.frame).then_some(self.frame),
            run: self.run,
            entry: self.entry,
            callbacks: self.callbacks,
            cause: self.cause,
            finished: self.finished,
            results: self.results,
            list: self.list,
            took: self.took,
            effect: self.effect,
        })
    }

    pub fn context(&mut self) -> &Context {
        if self.context.is_none() && self.finished.is_empty() {
            return &self.before.context;
        }
        let base = &self.before.context;
        let finished = &self.finished;
        self.context.get_or_insert_with(|| {
            let mut context = base.clone();
            context.finish(finished.iter().cloned());
            context
        })
    }

    /// A step ended: later steps see this of it.
    pub fn finished(&mut self, name: &str, data: StepData) {
        if let Some(context) = &mut self.context {
            context.finish([(name.to_owned(), data.clone())]);
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
        // An operator's retry of a failed run begins with the items that have no good end.
        if state != RunState::Failed {
            self.frame.items = None;
        }
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
                self.finished(&step.name, StepData { status, headers, ..StepData::of(step, state) });
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
                self.frame.items = None;
            }
            self.drop_early();
            if self.folded.len() >= FOLD_BOUND {
                self.queue();
                return Ok(());
            }
            let judged = match &step.when {
                Some(_)
                    if self.run.attempt == 0
                        && self.frame.items.is_none()
                        && !each::judged_by_item(self.plan, at) =>
                {
                    let plan = self.plan;
                    template::step_when(plan, at, self.context())
                }
                _ => Ok(true),
            };
            let next = match judged {
                Err(error) => self.local_failure(step, &unbuilt(&error)),
                Ok(false) => {
                    let name = step.name.clone();
                    self.fold(step, StepState::Skipped, None, Some(WHEN_FALSE.to_owned()));
                    self.finished(&name, StepData::of(step, StepState::Skipped));
                    Local::GoOn
                }
                Ok(true) => match step.kind {
                    _ if step.kind.for_each().is_some() => self.begin_items(step, at),
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
        self.hold(owner, until);
        self.effect = Effect::Send;
        let exchange = self.plan.flow.steps.get(self.run.step as usize).and_then(|step| step.kind.exchange());
        if let Some(exchange) = exchange
            && exchange.callback
        {
            self.new_callback(exchange.callback_deadline);
        }
    }

    /// The columns of a run whose step starts under a lease.
    pub fn hold(&mut self, owner: i64, until: Ms) {
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
            None if self.begun.is_some() || !self.notes.is_empty() => {
                self.kind(EntryKind::Items);
                self.step_state(StepState::Running);
            }
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
        self.give_items_back();
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
pub fn body_value(got: &Got) -> Option<Value> {
    if got.cut || got.binary { None } else { text_value(&got.body) }
}

/// The value of a body that is text: its JSON, else itself; `None` where it is empty.
pub fn text_value(text: &str) -> Option<Value> {
    if text.is_empty() {
        return None;
    }
    Some(json::parse_answer(text.as_bytes()).unwrap_or_else(|_| Value::String(text.to_owned())))
}
