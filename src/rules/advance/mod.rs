//! The run state machine: state + input + now → what to write and what to do next.
//!
//! The driver commits a [`Transition`] under the guard `run.seq`; effects run after the commit and
//! may be lost, since each can be derived again from the rows.
//!
//! | file | holds |
//! |---|---|
//! | `work` | the transition in the making: starting, ending and folding steps |
//! | `local` | steps that send nothing: `set`, `fail`, `delay`, a false `when` |
//! | `exchange` | what ends an attempt: an answer, none, a lost lease |
//! | `each` | the same for the items of a step under `for_each` |
//! | `outside` | what comes while nobody works: a callback, a time that came |
//! | `verbs` | what people do: retry, skip, abort |
//! | `hand` | what people do to a callback: complete, extend, cancel |
//! | `hide` | what is masked or secret leaves a transition |
//! | `words` | causes and refusals in sentences |
//! | `fold` | the way back: from the journal to steps and attempts |

mod each;
mod exchange;
pub mod fold;
mod hand;
mod hide;
mod local;
mod outside;
mod took;
mod verbs;
mod words;
mod work;

#[cfg(test)]
mod law;
#[cfg(test)]
mod tests;

use crate::model::ask::Refusal;
use crate::model::run::{Callback, CallbackState, Entry, Frame, Got, Item, Run, RunState, Sent};
use crate::model::{CallbackId, Map, Ms};
use crate::rules::plan::Plan;
use crate::rules::retry::Transport;
use crate::rules::template::{Context, RenderError, StepData};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

pub use each::{ready_items, skipped};
pub use hand::{Hand, digest};
pub use took::Took;
pub use words::{EXPIRED, UNKNOWN, answer_cause, normal, note};
pub use work::body_value;

/// A run as the store has it.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its row.
    pub run: Run,
    /// Its frame, empty where it has none.
    pub frame: Frame,
    /// What its current step is called in the version that it runs; a retry finds the step of the
    /// deployed version by it.
    pub step_name: String,
    /// Its callbacks, newest last.
    pub callbacks: Vec<Callback>,
    /// What templates see: request, values, finished steps (folded from the journal).
    pub context: Context,
    /// What the items of the current step came to, those that ended, under `for_each`.
    pub results: BTreeMap<u32, StepData>,
}

impl Snapshot {
    /// The run after a transition was committed, without reading it again. What the transition
    /// gives to later steps moves over into the context.
    pub fn follow(&mut self, plan: &Plan, transition: &mut Transition) {
        self.run = transition.run.clone();
        if let Some(frame) = &transition.frame {
            self.frame = frame.clone();
        }
        self.context.finish(std::mem::take(&mut transition.finished));
        self.results.extend(std::mem::take(&mut transition.results));
        if let Some(items) = &self.frame.items {
            // What ended in an earlier round, or belongs to the step before, is no result of these.
            self.results.retain(|item, _| items.get(*item).is_some_and(Item::ended));
        } else {
            self.results.clear();
            self.context.list = None;
        }
        if let Some(list) = transition.list.take() {
            self.context.list = Some(list);
        }
        if let Some(step) = plan.flow.steps.get(self.run.step as usize)
            && self.step_name != step.name
        {
            self.step_name.clone_from(&step.name);
        }
        for write in &transition.callbacks {
            match write {
                CallbackWrite::New(callback) => self.callbacks.push(callback.clone()),
                CallbackWrite::Move { id, state, received, status, digest } => {
                    for callback in self.callbacks.iter_mut().filter(|callback| callback.id == *id) {
                        callback.state = *state;
                        callback.received = received.or(callback.received);
                        callback.status = status.or(callback.status);
                        callback.digest = digest.or(callback.digest);
                    }
                }
                CallbackWrite::Extend { id, deadline } => {
                    for callback in self.callbacks.iter_mut().filter(|callback| callback.id == *id) {
                        callback.state = CallbackState::Pending;
                        callback.deadline = *deadline;
                    }
                }
            }
        }
    }
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// A runner took a queued or retrying run.
    Claimed {
        /// `node << 32 | epoch`.
        owner: i64,
        /// End of the lease.
        until: Ms,
    },
    /// The claim is given back before anything was sent: the process stops, or the target takes
    /// nothing for now. That is no attempt.
    PutBack {
        /// The attempt's fence.
        fence: i64,
        /// When it is due again, or its place; at once without one.
        due: Option<Ms>,
    },
    /// The exchange takes longer: the lease is renewed.
    Renew {
        /// The attempt's fence.
        fence: i64,
        /// The lease's new end.
        until: Ms,
    },
    /// An exchange ended.
    Answer(Box<Exchange>),
    /// The request of the current step could not be built.
    Unbuilt {
        /// The attempt's fence.
        fence: i64,
        /// Index of the item, under `for_each`, and number of its attempt.
        item: Option<(u32, u32)>,
        /// Why.
        error: RenderError,
    },
    /// Items of the current step may start: their time came, or none is left under way.
    Start {
        /// The lease's fence.
        fence: i64,
    },
    /// The lease lapsed: whoever held it did not come back in time.
    Lost,
    /// The process that held the lease is gone.
    Died,
    /// The time in `due` came (waiting runs).
    Due,
    /// A POST to a callback's URL.
    Callback {
        /// Which.
        id: CallbackId,
        /// `X-Status-Code`, 200 where it was not sent.
        status: u16,
        /// JSON or text.
        body: bytes::Bytes,
        /// SHA-256 of code and body.
        digest: [u8; 32],
    },
    /// An operator's retry. `plan_version` of the snapshot's run is moved to the plan's that
    /// [`advance`] is given.
    Retry {
        /// Who.
        actor: String,
        /// Why.
        reason: Option<String>,
        /// With a new `Idempotency-Key`.
        fresh_key: bool,
    },
    /// An operator's skip.
    Skip {
        /// Who.
        actor: String,
        /// Why.
        reason: Option<String>,
        /// Takes the place of the step's outputs.
        stand_in: Option<Map>,
    },
    /// An operator's abort.
    Abort {
        /// Who.
        actor: String,
        /// Why.
        reason: Option<String>,
    },
    /// A callback's answer, given by a person.
    Complete {
        /// Who, of which callback.
        hand: Hand,
        /// The code of the answer.
        status: u16,
        /// JSON or text.
        body: bytes::Bytes,
    },
    /// A later deadline of a callback.
    Extend {
        /// Who, of which callback.
        hand: Hand,
        /// Milliseconds.
        by: Ms,
    },
    /// A callback that nobody is to wait for any more.
    Cancel {
        /// Who, of which callback.
        hand: Hand,
    },
}

/// One HTTP exchange that ended.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The attempt's fence.
    pub fence: i64,
    /// Position of its step in the plan.
    pub step: u32,
    /// Index of the item, under `for_each`.
    pub item: Option<u32>,
    /// Number of the attempt within the step, or of the item.
    pub attempt: u32,
    /// When it started, by engine time.
    pub started: Ms,
    /// How long it took.
    pub elapsed_ms: i64,
    /// What was sent, masked and capped.
    pub sent: Option<Sent>,
    /// Fields left out for want of a value.
    pub left_out: Vec<String>,
    /// What came.
    pub result: ExchangeResult,
}

/// What came of an exchange.
#[derive(Debug, Clone)]
pub enum ExchangeResult {
    /// An answer.
    Answered {
        /// As it is kept.
        got: Got,
        /// `outputs`, taken from the whole answer.
        outputs: Map,
        /// `Retry-After` in milliseconds.
        retry_after: Option<Ms>,
    },
    /// None.
    Failed {
        /// Whether something may have left.
        failure: Transport,
        /// In words.
        cause: String,
    },
    /// It was never sent, and never will be: the address guard, a bad URL.
    Blocked {
        /// In words.
        cause: String,
    },
}

/// What the driver gives beside the state.
#[derive(Debug, Clone, Copy)]
pub struct Env {
    /// Engine time.
    pub now: Ms,
    /// Uniform in 0..1.
    pub dice: f64,
    /// Id and hash for a callback, should the transition start a step that has one.
    pub callback: (CallbackId, [u8; 32]),
    /// Where the run goes on in place: the owner and the end of its lease.
    pub lease: Option<(i64, Ms)>,
    /// How many items of a step under `for_each` may start under it.
    pub items: usize,
}

/// What to write, all in one transaction, and what to do after it.
#[derive(Debug, Clone)]
pub struct Transition {
    /// The guard: nothing is written unless the row still has this `seq`.
    pub guard: i64,
    /// The row after it.
    pub run: Run,
    /// The frame after it, where it changed.
    pub frame: Option<Frame>,
    /// At most one journal entry (claims have none).
    pub entry: Option<Entry>,
    /// Callbacks made or moved.
    pub callbacks: Vec<CallbackWrite>,
    /// The error group of a run that is errored or failed now.
    pub cause: Option<Cause>,
    /// Steps that ended in it and what later steps see of them: a driver that goes on without
    /// reading the run again adds them to its context.
    pub finished: Vec<(String, StepData)>,
    /// Items of the current step that ended in it, and what they came to.
    pub results: Vec<(u32, StepData)>,
    /// The list of a step under `for_each` that began in it.
    pub list: Option<Arc<Vec<serde_json::Value>>>,
    /// How long what ended with it took.
    pub took: Option<Took>,
    /// What to do next.
    pub effect: Effect,
}

/// A callback made or moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackWrite {
    /// Made, in the transaction that starts its attempt.
    New(Callback),
    /// Moved.
    Move {
        /// Which.
        id: CallbackId,
        /// To what.
        state: CallbackState,
        /// When it was answered.
        received: Option<Ms>,
        /// With what.
        status: Option<u16>,
        /// Tells a repeat from another answer.
        digest: Option<[u8; 32]>,
    },
    /// Waited for, up to another deadline.
    Extend {
        /// Which.
        id: CallbackId,
        /// The new deadline.
        deadline: Ms,
    },
}

/// An error group: integration, flow, step, and cause without its numbers and ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The step's name.
    pub step: String,
    /// In words, whole.
    pub text: String,
    /// Without its numbers and ids.
    pub normal: String,
}

/// What to do after the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The current step's attempt may leave now, or those of its items that run: the lease is held.
    Send,
    /// Work is due: wake the runner.
    Wake,
    /// Nothing until `due`, or for ever.
    None,
}

/// Moves a run.
///
/// # Errors
/// A verb that the state does not allow. A late result is no error but an entry `late`; a callback
/// that changes nothing is a refusal with its status code in `code`: `200` (the same answer came
/// before), `404`, `409`, `410`. Inputs that the state has no use for (a lease that lapsed of a run
/// that does not run) are refused as `not_running`, `not_waiting`, `not_due`: nothing is to be done.
pub fn advance(plan: &Plan, snapshot: &Snapshot, input: Input, env: &Env) -> Result<Transition, Refusal> {
    let work = work::Work::new(plan, snapshot, env)?;
    match input {
        Input::Claimed { owner, until } => work.claimed(owner, until),
        Input::PutBack { fence, due } => work.put_back(fence, due),
        Input::Renew { fence, until } => work.renew(fence, until),
        Input::Answer(exchange) => work.answer(*exchange),
        Input::Unbuilt { fence, item: None, error } => work.unbuilt(fence, &error),
        Input::Unbuilt { fence, item: Some((item, attempt)), error } => {
            work.item_unbuilt(fence, item, attempt, &error)
        }
        Input::Start { fence } => work.start_items(fence),
        Input::Lost => work.lost(false),
        Input::Died => work.lost(true),
        Input::Due => work.due(),
        Input::Callback { id, status, body, digest } => work.callback(id, status, &body, digest),
        Input::Retry { actor, reason, fresh_key } => work.retry(actor, reason, fresh_key),
        Input::Skip { actor, reason, stand_in } => work.skip(actor, reason, stand_in),
        Input::Abort { actor, reason } => work.abort(actor, reason),
        Input::Complete { hand, status, body } => work.complete(hand, status, &body),
        Input::Extend { hand, by } => work.extend(hand, by),
        Input::Cancel { hand } => work.cancel(hand),
    }
}

/// Whether a claim of the run's current step is nothing but a change of columns: an exchange
/// without a callback or `for_each` whose `when`, if it has one, was judged by an earlier attempt. Such claims
/// may be made in bulk; all others go through [`advance`].
#[must_use]
pub fn claims_plainly(plan: &Plan, step: u32, attempt: u32) -> bool {
    let Some(step) = plan.flow.steps.get(step as usize) else { return false };
    let judged = attempt > 0 || step.when.is_none();
    judged && step.kind.exchange().is_some_and(|exchange| !exchange.callback && exchange.for_each.is_none())
}

/// Whether a run of the flow may be born leased, its first attempt leaving with the commit of its
/// request: a claim of its first step would write nothing but columns.
#[must_use]
pub fn born_leased(plan: &Plan) -> bool {
    claims_plainly(plan, 0, 0)
}

/// `Idempotency-Key` of a step's attempts, or of those of one of its items: stable over retries, but
/// for a retry with a fresh key.
#[must_use]
pub fn idempotency_key(run: &str, step: &str, item: Option<u32>, fresh_key: Option<u32>) -> String {
    let mut key = format!("{run}.{step}");
    if let Some(item) = item {
        let _ = write!(key, ".{item}");
    }
    if let Some(round) = fresh_key {
        let _ = write!(key, ".r{round}");
    }
    key
}

/// Why a run stops at a step that cannot be built.
#[must_use]
pub fn unbuilt_cause(error: &RenderError) -> String {
    work::unbuilt(error).text
}

/// The word of a state in the middle of a sentence: `is running`, `was aborted`.
#[must_use]
pub fn state_phrase(state: RunState) -> &'static str {
    words::state_phrase(state)
}
