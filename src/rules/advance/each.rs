//! A step that sends once an item of a list (`for_each`).
//!
//! Every item has attempts, retries and an outcome of its own; each outcome is one transition, which
//! starts the next items too. The items of a run share its lease and its fence, so the fence, the
//! index and the number of the attempt name an exchange. One that has ended is never sent again,
//! but by an operator's retry where it has no good end.

mod outcome;

use super::local::Local;
use super::words::{Failure, no_use};
use super::work::{Work, unbuilt};
use super::{Effect, Snapshot, Transition};
use crate::model::ask::Refusal;
use crate::model::document::{OnError, Step};
use crate::model::run::{Begun, EntryKind, Frame, ITEMS_AT_ONCE, Item, ItemNote, Items, RunState, StepState};
use crate::model::{Map, Ms};
use crate::rules::plan::Plan;
use crate::rules::template::{self, RenderError, StepData};

/// Whether a step's `when` is judged for each item, and not once for the step: it asks for `item`.
pub fn judged_by_item(plan: &Plan, step: usize) -> bool {
    plan.flow.steps.get(step).is_some_and(|step| step.kind.for_each().is_some())
        && template::when_of_item(plan, step)
}

/// The texts of causes of items, so that nothing that is masked stays in them.
pub fn causes<'w>(
    notes: &'w mut [ItemNote],
    begun: &'w mut Option<Begun>,
    frame: &'w mut Frame,
) -> impl Iterator<Item = &'w mut String> {
    let begun = begun.iter_mut().flat_map(|begun| &mut begun.items);
    let told = notes.iter_mut().chain(begun).flat_map(|note| [note.cause.as_mut(), note.normal.as_mut()]);
    let failure = frame.items.iter_mut().filter_map(|items| items.failure.as_mut());
    told.flatten().chain(failure.flat_map(|failure| [&mut failure.text, &mut failure.normal]))
}

/// What later steps see of all items, in their order; `rest` of those that have no result.
pub fn gather<'r>(
    items: &Items,
    result: impl Fn(u32) -> Option<&'r StepData>,
    rest: impl Fn(&Item) -> StepData,
) -> Vec<StepData> {
    items.indexed().map(|(at, item)| result(at).cloned().unwrap_or_else(|| rest(item))).collect()
}

/// What later steps see of an item whose step was skipped: a good end stays, for all others the
/// stand-in is there.
pub fn skipped(item: &Item, result: Option<&StepData>, stand_in: Option<&Map>) -> StepData {
    match (item.state, result) {
        (StepState::Succeeded | StepState::Skipped, Some(result)) => result.clone(),
        (state @ (StepState::Succeeded | StepState::Skipped), None) => StepData::bare(state),
        _ => StepData { outputs: stand_in.cloned(), ..StepData::bare(StepState::Skipped) },
    }
}

fn halting(frame: &Frame, step: &Step) -> bool {
    let failed = || frame.items.as_ref().is_some_and(|items| items.count(StepState::Failed) > 0);
    frame.abort.is_some() || (step.on_error == OnError::Abort && failed())
}

/// How many items of a run's current step may start now, as far as the run itself is concerned.
#[must_use]
pub fn ready_items(plan: &Plan, snapshot: &Snapshot, now: Ms) -> usize {
    let step = plan.flow.steps.get(snapshot.run.step as usize);
    let Some((step, items)) = step.zip(snapshot.frame.items.as_ref()) else { return 0 };
    if halting(&snapshot.frame, step) {
        return 0;
    }
    items.all.iter().filter(|item| item.may_start(now)).count()
}

/// A note that says nothing but the state.
fn note(item: u32, state: StepState, attempt: u32) -> ItemNote {
    ItemNote { item, state, attempt, due: None, cause: None, normal: None }
}

impl Work<'_> {
    fn items(&self) -> Result<&Items, Refusal> {
        self.frame.items.as_ref().ok_or_else(|| no_use("no_items", self.run.state))
    }

    /// An item changes: in the frame, and for the entry.
    fn turn(&mut self, note: ItemNote) {
        if let Some(items) = &mut self.frame.items {
            items.apply(&note);
        }
        match &mut self.begun {
            Some(begun) => begun.items.push(note),
            None => self.notes.push(note),
        }
    }

    /// What later steps see of an item: nothing but its state where none of them may look.
    fn result(&mut self, item: u32, data: StepData) {
        let looked_at = template::looked_at(self.plan, self.run.step as usize);
        let data = if looked_at { data } else { StepData::bare(data.state) };
        self.results.push((item, data));
    }

    /// The step begins, or goes on after a claim. Its list is made once, when it begins.
    pub fn begin_items(&mut self, step: &Step, at: usize) -> Local {
        let Some((owner, until)) = self.lease else {
            self.queue();
            return Local::Stop;
        };
        if self.frame.items.is_none() {
            match template::items(self.plan, at, self.context()) {
                Err(error) => return self.local_failure(step, &unbuilt(&error)),
                Ok(list) if list.values.is_empty() => {
                    self.local_success(step, None);
                    return Local::GoOn;
                }
                Ok(list) => {
                    self.frame.items = Some(Items::new(list.values.len()));
                    self.begun = Some(list.begun);
                    self.list = Some(list.values);
                }
            }
        }
        self.hold(owner, until);
        self.fill(step);
        // Where none had to be sent the holder asks for the step's end at once.
        self.effect = Effect::Send;
        Local::Stop
    }

    /// Starts items, in their order, up to so many at once.
    fn fill(&mut self, step: &Step) {
        let Some(items) = self.frame.items.clone() else { return };
        let at = self.run.step as usize;
        let by_item = judged_by_item(self.plan, at);
        let mut room = ITEMS_AT_ONCE.saturating_sub(items.count(StepState::Running)).min(self.env.items);
        for (index, item) in items.indexed().filter(|(_, item)| item.may_start(self.env.now)) {
            if room == 0 || self.halting(step) {
                break;
            }
            match self.holds(at, index, item, by_item) {
                Ok(true) => {
                    self.turn(note(index, StepState::Running, item.attempt + 1));
                    room -= 1;
                }
                Ok(false) => {
                    let cause = Some(super::words::WHEN_FALSE.to_owned());
                    self.turn(ItemNote { cause, ..note(index, StepState::Skipped, item.attempt) });
                    self.result(index, StepData::bare(StepState::Skipped));
                }
                Err(error) => self.item_failed(step, (index, item.attempt), &unbuilt(&error), None),
            }
        }
    }

    /// Judges `when` of an item before its first attempt.
    fn holds(&mut self, at: usize, index: u32, item: &Item, by_item: bool) -> Result<bool, RenderError> {
        if !by_item || item.attempt > 0 {
            return Ok(true);
        }
        let list = self.list.clone();
        let mut context = self.context().of_item(index);
        context.list = list.or(context.list);
        template::step_when(self.plan, at, &context)
    }

    /// Whether no item starts any more: an abort waits for those under way, or `on_error = "abort"`
    /// and one has failed.
    fn halting(&self, step: &Step) -> bool {
        halting(&self.frame, step)
    }

    /// Items may start: the time of some came, or none is left under way.
    pub fn start_items(mut self, fence: i64) -> Result<Transition, Refusal> {
        let held = self.run.state == RunState::Running && self.run.fence == fence;
        if !held || self.frame.items.is_none() {
            return Err(no_use("not_running", self.run.state));
        }
        self.open(EntryKind::Items);
        self.go_on()?;
        let step = self.run.step == self.before.run.step;
        if step && self.notes.is_empty() && self.run.state == RunState::Running {
            // Too early, or no room.
            self.entry = None;
        }
        self.finish()
    }

    /// What comes after an item's outcome: the next ones start; with none under way the run waits,
    /// or the step ends.
    fn go_on(&mut self) -> Result<(), Refusal> {
        let step = self.step()?;
        let halting = self.halting(step);
        if let Some((_, until)) = self.lease
            && self.entry.as_ref().is_some_and(|entry| entry.kind != EntryKind::Lost)
        {
            if !halting {
                self.fill(step);
            }
            self.run.due = self.run.due.map(|_| until);
        }
        let items = self.items()?;
        if items.count(StepState::Running) > 0 {
            self.step_state(StepState::Running);
            self.effect = Effect::Send;
            return Ok(());
        }
        let ready = items.all.iter().any(|item| item.may_start(self.env.now));
        let later = items.next_due();
        if self.frame.abort.is_some() {
            self.step_state(StepState::Failed);
            self.end(RunState::Aborted);
        } else if self.halting(step) {
            let failure = self.failure()?;
            self.say(&failure);
            self.step_state(StepState::Failed);
            self.end(RunState::Failed);
            self.group(&failure, &step.name);
        } else if ready {
            self.step_state(StepState::Pending);
            self.queue();
        } else if later.is_some() {
            self.run.state = RunState::Retrying;
            self.run.due = later;
            self.effect = Effect::None;
            self.step_state(StepState::Retrying);
        } else {
            self.end_items(step)?;
        }
        Ok(())
    }

    /// All items have ended.
    fn end_items(&mut self, step: &Step) -> Result<(), Refusal> {
        let items = self.items()?;
        let state = if items.count(StepState::Errored) > 0 {
            let failure = self.failure()?;
            self.say(&failure);
            return self.stop(&failure);
        } else if items.count(StepState::Failed) > 0 {
            let failure = self.failure()?;
            self.say(&failure);
            self.frame.with_skips = true;
            StepState::Failed
        } else {
            StepState::Succeeded
        };
        self.step_state(state);
        let items = gather(self.items()?, |at| self.result_of(at), |item| StepData::bare(item.state));
        self.finished(&step.name, StepData { items: Some(items), ..StepData::bare(state) });
        self.frame.items = None;
        self.after()
    }

    fn result_of(&self, item: u32) -> Option<&StepData> {
        let new = self.results.iter().rev().find(|(at, _)| *at == item).map(|(_, data)| data);
        new.or_else(|| self.before.results.get(&item))
    }

    fn say(&mut self, failure: &Failure) {
        if let Some(entry) = &mut self.entry {
            entry.detail.cause = Some(failure.text.clone());
        }
    }

    /// Why the step fails: how many of its items did, and why the first of them. Its group is that of
    /// any step that fails so.
    fn failure(&self) -> Result<Failure, Refusal> {
        let items = self.items()?;
        let failed = items.count(StepState::Errored) + items.count(StepState::Failed);
        let (text, normal) = match &items.failure {
            Some(first) => (first.text.clone(), first.normal.clone()),
            None => ("their causes are not kept".to_owned(), "items failed".to_owned()),
        };
        let of = items.all.len();
        let text = format!("{failed} of {of} {} failed: {text}", if of == 1 { "item" } else { "items" });
        Ok(Failure { text, normal })
    }

    /// A claim is given back: of the items that it started nothing was sent.
    pub fn give_items_back(&mut self) {
        let Some(items) = &self.frame.items else { return };
        let started: Vec<(u32, u32)> =
            items.of(StepState::Running).map(|(index, item)| (index, item.attempt)).collect();
        if started.is_empty() {
            return;
        }
        self.open(EntryKind::Items);
        for (index, attempt) in started {
            self.turn(note(index, StepState::Pending, attempt.saturating_sub(1)));
        }
        self.step_state(StepState::Pending);
    }

    /// An operator's retry begins a round of every item that has no good end.
    pub fn retry_items(&mut self) -> Result<(), Refusal> {
        let Some(items) = &mut self.frame.items else { return Ok(()) };
        items.retry();
        let step = self.step()?;
        if step.kind.for_each().is_none() {
            let (version, name) = (self.plan.version, &step.name);
            return Err(Refusal::refused(
                "gone",
                format!(
                    "retry is not possible: in version {version} step {name} has no for_each, and some of its items are done; keep the run's own version, or replay it"
                ),
            ));
        }
        Ok(())
    }

    /// What later steps see of the current step once an operator skipped it.
    pub fn skipped_data(&self, stand_in: Option<Map>) -> Result<StepData, Refusal> {
        let step = self.step()?;
        let bare = StepData::of(step, StepState::Skipped);
        Ok(match &self.frame.items {
            None => StepData { outputs: stand_in, ..bare },
            Some(items) => {
                let each =
                    items.indexed().map(|(at, item)| skipped(item, self.result_of(at), stand_in.as_ref()));
                StepData { items: Some(each.collect()), ..bare }
            }
        })
    }
}
