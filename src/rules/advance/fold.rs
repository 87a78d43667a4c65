//! The way back: from a run's row and journal to its steps, attempts and results.
//!
//! Claims write no entry, so the journal alone says what was *decided*; who holds the run now, and
//! whether an attempt is under way, is what the row adds. Steps are found by name, since a retry
//! may have moved the run to another version.

mod items;

use super::words::{NOT_KEPT, note};
use super::work::body_value;
use crate::model::run::{
    Begun, Entry, EntryKind, Folded, Frame, Got, Outcome, Run, RunState, Sent, StepState,
};
use crate::model::{Map, Ms};
use crate::rules::plan::Plan;
use crate::rules::template::StepData;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use items::ItemFold;

/// A run's history, put together.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    /// The run's state after the newest entry, `queued` without one: the row's, but for claims.
    pub state: RunState,
    /// The current step after the newest entry.
    pub step: u32,
    /// What the frame is after the newest entry.
    pub frame: Frame,
    /// Why the run stopped, or tries again, in words.
    pub cause: Option<String>,
    /// In the order of the plan, after those of older versions that the plan no longer has.
    pub steps: Vec<StepFold>,
    /// What templates of later steps see of the steps that ended.
    pub data: Arc<HashMap<String, StepData>>,
    /// The list of the current step, under `for_each`, once it has begun.
    pub list: Option<Begun>,
    /// What the items of the current step came to, those that ended.
    pub results: BTreeMap<u32, StepData>,
}

/// A step's history.
#[derive(Debug, Clone, PartialEq)]
pub struct StepFold {
    /// Its name.
    pub name: String,
    /// `request`, `send`, `set`, `respond`, `fail`, `delay`.
    pub kind: &'static str,
    /// Where it stands.
    pub state: StepState,
    /// Why it failed, was passed over, or is tried again.
    pub cause: Option<String>,
    /// When its first attempt started, where that is known.
    pub started: Option<Ms>,
    /// When it ended.
    pub ended: Option<Ms>,
    /// What it gives to later steps: its own, or a stand-in.
    pub outputs: Option<Map>,
    /// `outputs` are an operator's stand-in.
    pub stood_in: bool,
    /// In order; under `for_each` in the order in which they left.
    pub attempts: Vec<AttemptFold>,
    /// Under `for_each`, in the order of the list.
    pub items: Vec<ItemFold>,
}

/// One try of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptFold {
    /// Index of the item, under `for_each`.
    pub item: Option<u32>,
    /// From 1.
    pub number: u32,
    /// When it started, where that is known.
    pub started: Option<Ms>,
    /// How long it took.
    pub elapsed_ms: Option<i64>,
    /// How it ended; `None` while it is under way.
    pub outcome: Option<Outcome>,
    /// The answer's code.
    pub status: Option<u16>,
    /// What was sent.
    pub sent: Option<Sent>,
    /// What came back.
    pub got: Option<Got>,
    /// Why it failed, in words; what came late is said here too.
    pub cause: Option<String>,
    /// Fields left out for want of a value.
    pub left_out: Vec<String>,
    /// Results that came after somebody else had moved the run on: when, and in words.
    pub late: Vec<(Ms, String)>,
}

impl AttemptFold {
    /// One of which nothing is known yet.
    fn under_way(number: u32) -> Self {
        Self {
            item: None,
            number,
            started: None,
            elapsed_ms: None,
            outcome: None,
            status: None,
            sent: None,
            got: None,
            cause: None,
            left_out: Vec::new(),
            late: Vec::new(),
        }
    }
}

/// Puts a run's history together. `plan` is the one of the version that the row names.
#[must_use]
pub fn fold(plan: &Plan, run: &Run, journal: &[Entry]) -> Fold {
    let mut folding = Folding::new(plan);
    folding.free = run.started;
    for entry in journal {
        folding.apply(entry);
    }
    folding.reconcile(run);
    Fold { results: folding.results, ..folding.fold }
}

struct Folding<'a> {
    plan: &'a Plan,
    fold: Fold,
    /// Steps of older versions that the plan does not have; they stand first.
    older: usize,
    /// The callback's answer that came before its attempt ended.
    early: Option<Got>,
    /// What items of the current step came to.
    results: BTreeMap<u32, StepData>,
    /// Whether a later step may look at what the step at this position gives.
    looked_at: Option<(u32, bool)>,
    /// When the current step started in place.
    in_place: Option<Ms>,
    /// From when on the current attempt can have been claimed: claims write no entry.
    free: Option<Ms>,
}

impl<'a> Folding<'a> {
    fn new(plan: &'a Plan) -> Self {
        let steps = plan.flow.steps.iter().map(|step| blank(&step.name, step.kind.word())).collect();
        Self {
            plan,
            fold: Fold {
                state: RunState::Queued,
                step: 0,
                frame: Frame::default(),
                cause: None,
                steps,
                data: Arc::default(),
                list: None,
                results: BTreeMap::new(),
            },
            older: 0,
            early: None,
            results: BTreeMap::new(),
            looked_at: None,
            in_place: None,
            free: None,
        }
    }

    fn step(&mut self, name: &str, kind: &'static str) -> &mut StepFold {
        let found = self.fold.steps.iter().position(|step| step.name == name);
        let at = found.unwrap_or_else(|| {
            self.fold.steps.insert(self.older, blank(name, kind));
            self.older += 1;
            self.older - 1
        });
        &mut self.fold.steps[at]
    }

    fn apply(&mut self, entry: &Entry) {
        if entry.kind == EntryKind::Late {
            self.late(entry);
            return;
        }
        if entry.kind == EntryKind::Retry && entry.detail.moved.is_some() {
            self.fold.step = entry.step;
        }
        match entry.kind {
            // Of an item they are told by what the entry says of items.
            EntryKind::Answer | EntryKind::Lost if entry.item.is_none() && entry.attempt > 0 => {
                self.attempt(entry);
            }
            EntryKind::Retry => {
                self.fold.frame.fresh_key = entry.detail.fresh_key.or(self.fold.frame.fresh_key);
            }
            EntryKind::Skip => self.fold.frame.with_skips = true,
            _ => {}
        }
        self.items(entry);
        if entry.kind != EntryKind::Local {
            self.own(entry);
        }
        for folded in &entry.detail.folded {
            self.folded(entry, folded);
        }
        self.frame(entry);
        if let Some(begun) = &entry.detail.begun {
            self.begun(entry, begun);
        }
        self.free = Some(entry.detail.due.unwrap_or(entry.at));
    }

    /// An attempt ended.
    fn attempt(&mut self, entry: &Entry) {
        let mut started = entry.detail.started.or(self.in_place);
        let mut cause = entry.detail.cause.clone();
        if entry.kind == EntryKind::Lost {
            // Whoever held it could write nothing down: the claim tells when it started, or what
            // came before the claim.
            started = started.or(self.free).map(|at| at.min(entry.at));
            if entry.sent.is_none() {
                cause =
                    Some(cause.map_or_else(|| NOT_KEPT.to_owned(), |cause| format!("{cause}; {NOT_KEPT}")));
            }
        } else if entry.detail.outcome == Some(Outcome::Ok) {
            cause = cause.or_else(|| entry.got.as_ref().and_then(note));
        }
        let step = self.step(&entry.detail.step_name, "request");
        step.started = step.started.or(started);
        step.attempts.push(AttemptFold {
            item: None,
            number: entry.attempt,
            started,
            elapsed_ms: entry.detail.elapsed_ms,
            outcome: entry.detail.outcome,
            status: entry.status,
            sent: entry.sent.clone(),
            got: entry.got.clone(),
            cause,
            left_out: entry.detail.left_out.clone(),
            late: Vec::new(),
        });
    }

    /// What the entry says of its own step.
    fn own(&mut self, entry: &Entry) {
        let detail = &entry.detail;
        let Some(state) = detail.step_state else { return };
        if entry.kind == EntryKind::Callback && state == StepState::Running {
            self.early.clone_from(&entry.got);
            return;
        }
        let got = match entry.kind {
            EntryKind::Answer if detail.outcome == Some(Outcome::Ok) => entry.got.clone(),
            // A callback that came before decides where no other answer did.
            EntryKind::Answer if matches!(detail.outcome, Some(Outcome::Accepted)) => self.early.clone(),
            EntryKind::Answer if entry.status.is_none() && detail.outcome == Some(Outcome::Transient) => {
                self.early.clone()
            }
            EntryKind::Lost => self.early.clone(),
            _ => entry.got.clone(),
        };
        let final_state = matches!(state, StepState::Succeeded | StepState::Skipped | StepState::Failed);
        let listed = if final_state { self.listed(entry, state) } else { None };
        let outputs = match (entry.kind, state) {
            _ if listed.is_some() => None,
            (EntryKind::Skip, _) => detail.stand_in.clone(),
            (_, StepState::Succeeded) => Some(detail.outputs.clone().unwrap_or_default()),
            _ => None,
        };
        let name = detail.step_name.clone();
        let step = self.step(&name, "request");
        step.state = state;
        step.stood_in = entry.kind == EntryKind::Skip && outputs.is_some();
        step.outputs.clone_from(&outputs);
        step.cause = match state {
            StepState::Skipped if entry.kind == EntryKind::Skip => Some(by("skipped", entry)),
            StepState::Errored | StepState::Failed | StepState::Retrying | StepState::Skipped => {
                detail.cause.clone().or(step.cause.take())
            }
            _ => None,
        };
        step.ended = final_state.then_some(entry.at);
        // What was skipped stops nothing: the run goes on without a cause.
        let cause = step.cause.clone().filter(|_| state != StepState::Skipped);
        if final_state {
            let got = got.filter(|_| state != StepState::Skipped);
            let data = listed.unwrap_or_else(|| StepData {
                status: got.as_ref().map(|got| got.status),
                headers: got.as_ref().map(|got| got.headers.clone()).unwrap_or_default(),
                body: got.as_ref().filter(|_| state == StepState::Succeeded).and_then(body_value),
                outputs,
                ..self.bare(&name, state)
            });
            self.data().insert(name, data);
        } else {
            self.data().remove(&name);
        }
        self.fold.cause = cause;
    }

    /// A step that was carried out in passing.
    fn folded(&mut self, entry: &Entry, folded: &Folded) {
        let kind = self.kind(&folded.name);
        let step = self.step(&folded.name, kind);
        step.state = folded.state;
        step.started = Some(entry.at);
        step.ended = (!matches!(folded.state, StepState::Errored | StepState::Waiting)).then_some(entry.at);
        step.cause.clone_from(&folded.cause);
        step.outputs = match folded.state {
            StepState::Succeeded => Some(folded.outputs.clone().unwrap_or_default()),
            _ => None,
        };
        let outputs = step.outputs.clone();
        if step.ended.is_some() {
            let data = StepData { outputs, ..self.bare(&folded.name, folded.state) };
            self.data().insert(folded.name.clone(), data);
        }
        self.fold.cause = match folded.state {
            StepState::Errored | StepState::Failed => folded.cause.clone(),
            _ => None,
        };
    }

    fn data(&mut self) -> &mut HashMap<String, StepData> {
        Arc::make_mut(&mut self.fold.data)
    }

    /// What later steps see of a step of which there is nothing but its state.
    fn bare(&self, name: &str, state: StepState) -> StepData {
        let step = self.plan.flow.steps.iter().find(|step| step.name == name);
        step.map_or_else(|| StepData::bare(state), |step| StepData::of(step, state))
    }

    fn kind(&self, name: &str) -> &'static str {
        self.plan.flow.steps.iter().find(|step| step.name == name).map_or("set", |step| step.kind.word())
    }

    /// State, position and frame after an entry.
    fn frame(&mut self, entry: &Entry) {
        let detail = &entry.detail;
        let state = detail.run_state.unwrap_or(self.fold.state);
        let frame = &mut self.fold.frame;
        frame.answered |= detail.answered;
        match (entry.kind, detail.step_state) {
            (EntryKind::Abort, _) if state == RunState::Running => {
                frame.abort = Some((entry.actor.clone().unwrap_or_default(), detail.reason.clone()));
                return;
            }
            (EntryKind::Callback, Some(StepState::Running)) => {
                if let Some(got) = &entry.got {
                    let text = if got.cut { String::new() } else { got.body.clone() };
                    frame.early = Some((got.status, text));
                }
                frame.early_outputs = detail.outputs.clone().unwrap_or_default();
                return;
            }
            _ => {}
        }
        // It waits for all items that are under way.
        let goes_on = detail.step_state == Some(StepState::Running) && state == RunState::Running;
        let noted = if goes_on { None } else { frame.abort.take() };
        frame.cancelled = entry.kind == EntryKind::Cancel && state == RunState::Errored;
        frame.early = None;
        frame.early_outputs = Map::new();
        self.early = None;
        // What failed without ending the run was continued.
        let own_failed = detail.step_state == Some(StepState::Failed)
            && !matches!(entry.kind, EntryKind::Abort | EntryKind::Local);
        let ended_here = matches!(state, RunState::Failed | RunState::Aborted);
        if own_failed && (!ended_here || !detail.folded.is_empty()) {
            frame.with_skips = true;
        }
        let own_ended =
            matches!(detail.step_state, Some(StepState::Succeeded | StepState::Skipped | StepState::Failed))
                && entry.kind != EntryKind::Local;
        let last = detail.folded.len().saturating_sub(1);
        for (at, folded) in detail.folded.iter().enumerate() {
            if folded.state == StepState::Failed && (at < last || !ended_here) {
                frame.with_skips = true;
            }
        }
        let (mut step, reached) = match detail.folded.last() {
            Some(folded) => (folded.step, Some(folded.state)),
            None => (entry.step, detail.step_state),
        };
        let done = matches!(reached, Some(StepState::Succeeded | StepState::Skipped | StepState::Failed));
        if done && matches!(state, RunState::Running | RunState::Queued) {
            step += 1;
        }
        if step != self.fold.step {
            frame.fresh_key = None;
        }
        let failed_here = state == RunState::Failed && detail.folded.is_empty();
        let left = step != self.fold.step || (own_ended && !failed_here);
        self.in_place = (done && state == RunState::Running).then_some(entry.at);
        self.fold.step = step;
        self.fold.state = state;
        if left || (state.ended() && !failed_here) {
            self.leave_items();
        }
        if matches!(state, RunState::Succeeded | RunState::SucceededWithSkips) {
            self.fold.cause = None;
        }
        if state == RunState::Aborted {
            let (actor, reason) =
                noted.unwrap_or_else(|| (entry.actor.clone().unwrap_or_default(), detail.reason.clone()));
            self.fold.cause = Some(match reason {
                Some(reason) => format!("aborted by {actor}: {reason}"),
                None => format!("aborted by {actor}"),
            });
        }
    }

    /// A result that came too late: its attempt says so.
    fn late(&mut self, entry: &Entry) {
        let text = match (entry.status, &entry.detail.cause) {
            (Some(status), _) => format!("answered {status} too late: not applied"),
            (None, Some(cause)) => format!("ended too late, not applied: {cause}"),
            (None, None) => "ended too late: not applied".to_owned(),
        };
        let step = self.step(&entry.detail.step_name, "request");
        let found = step
            .attempts
            .iter_mut()
            .find(|attempt| attempt.item == entry.item && attempt.number == entry.attempt);
        let Some(attempt) = found else {
            step.attempts.push(AttemptFold {
                item: entry.item,
                number: entry.attempt,
                started: entry.detail.started,
                elapsed_ms: entry.detail.elapsed_ms,
                outcome: Some(Outcome::Late),
                status: entry.status,
                sent: entry.sent.clone(),
                got: entry.got.clone(),
                cause: Some(text.clone()),
                left_out: entry.detail.left_out.clone(),
                late: vec![(entry.at, text)],
            });
            return;
        };
        attempt.cause = Some(match attempt.cause.take() {
            Some(cause) => format!("{cause}; {text}"),
            None => text.clone(),
        });
        attempt.late.push((entry.at, text));
        // What was sent is known again, and what came: nothing else was kept of this attempt.
        if attempt.sent.is_none() && entry.sent.is_some() {
            let said = attempt.cause.take();
            attempt.cause = said.map(|said| said.replacen(&format!("; {NOT_KEPT}"), "", 1));
            attempt.sent.clone_from(&entry.sent);
            attempt.started = entry.detail.started.or(attempt.started);
            attempt.elapsed_ms = attempt.elapsed_ms.or(entry.detail.elapsed_ms);
        }
        if attempt.got.is_none() {
            attempt.got.clone_from(&entry.got);
            attempt.status = entry.status;
        }
    }

    /// Adds what the row alone knows: a claim.
    fn reconcile(&mut self, run: &Run) {
        if run.state != RunState::Running {
            return;
        }
        let Some(step) = self.plan.flow.steps.get(run.step as usize) else { return };
        let in_place = self.in_place.filter(|_| run.attempt == 1 && self.fold.step == run.step);
        let first = self.fold.steps.iter().all(|step| step.started.is_none());
        let started = in_place.or(if first { run.started } else { None });
        let folded = self.step(&step.name, step.kind.word());
        folded.state = StepState::Running;
        folded.ended = None;
        folded.started = folded.started.or(started);
        if step.kind.for_each().is_none() {
            folded.attempts.push(AttemptFold { started, ..AttemptFold::under_way(run.attempt) });
        }
    }
}

/// `skipped by anna: it was done by hand`, as an abort says it of the run.
fn by(did: &str, entry: &Entry) -> String {
    let who = entry.actor.as_deref().unwrap_or("an operator");
    match &entry.detail.reason {
        Some(reason) => format!("{did} by {who}: {reason}"),
        None => format!("{did} by {who}"),
    }
}

fn blank(name: &str, kind: &'static str) -> StepFold {
    StepFold {
        name: name.to_owned(),
        kind,
        state: StepState::Pending,
        cause: None,
        started: None,
        ended: None,
        outputs: None,
        stood_in: false,
        attempts: Vec::new(),
        items: Vec::new(),
    }
}
