//! The items of a step under `for_each`, from the journal.

use super::super::each::{gather, skipped};
use super::{AttemptFold, Folding, NOT_KEPT, by};
use crate::model::run::{Begun, Entry, EntryKind, Got, Item, ItemNote, Items, Outcome, StepState};
use crate::rules::advance::note;
use crate::rules::advance::work::body_value;
use crate::rules::template::{StepData, looked_at};

/// An item's history; its attempts stand among those of its step.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemFold {
    /// Where it stands.
    pub state: StepState,
    /// Why it failed, was passed over, or is tried again.
    pub cause: Option<String>,
    /// How many attempts were made of it.
    pub attempts: u32,
}

impl Folding<'_> {
    /// The entry's changes of items of its own step, before what it says of the step itself.
    pub(super) fn items(&mut self, entry: &Entry) {
        match entry.kind {
            EntryKind::Retry => self.retried(entry),
            EntryKind::Skip => self.passed_over(entry),
            _ => {}
        }
        for note in &entry.detail.items {
            self.turn(entry, &entry.detail.step_name, note);
        }
    }

    /// A step that began in the transition of the entry.
    pub(super) fn begun(&mut self, entry: &Entry, begun: &Begun) {
        let Some(name) = self.plan.flow.steps.get(self.fold.step as usize).map(|step| step.name.clone())
        else {
            return;
        };
        self.results.clear();
        self.fold.frame.items = Some(Items::new(begun.count as usize));
        self.fold.list = Some(begun.clone());
        let step = self.step(&name, "request");
        step.started = step.started.or(Some(entry.at));
        step.state = StepState::Running;
        step.items =
            vec![ItemFold { state: StepState::Pending, cause: None, attempts: 0 }; begun.count as usize];
        for note in &begun.items {
            self.turn(entry, &name, note);
        }
    }

    fn turn(&mut self, entry: &Entry, name: &str, turned: &ItemNote) {
        let before = self.fold.frame.items.as_ref().and_then(|items| items.get(turned.item)).cloned();
        let Some(before) = before else { return };
        if let Some(items) = &mut self.fold.frame.items {
            items.apply(turned);
        }
        if let Some(item) = self.step(name, "request").items.get_mut(turned.item as usize) {
            item.state = turned.state;
            item.cause.clone_from(&turned.cause);
            item.attempts = turned.attempt;
        }
        match turned.state {
            StepState::Running => self.took_off(entry, name, turned),
            StepState::Pending => {
                let step = self.step(name, "request");
                step.attempts
                    .retain(|attempt| attempt.item != Some(turned.item) || attempt.outcome.is_some());
            }
            _ if before.state == StepState::Running => self.landed(entry, name, turned),
            _ => {}
        }
        if let Some(data) = result(entry, turned) {
            let data = if self.is_looked_at() { data } else { StepData::bare(data.state) };
            self.results.insert(turned.item, data);
        }
    }

    fn is_looked_at(&mut self) -> bool {
        let at = self.fold.step;
        match self.looked_at {
            Some((step, looked_at)) if step == at => looked_at,
            _ => {
                let looked_at = looked_at(self.plan, at as usize);
                self.looked_at = Some((at, looked_at));
                looked_at
            }
        }
    }

    fn took_off(&mut self, entry: &Entry, name: &str, turned: &ItemNote) {
        let attempt = AttemptFold {
            item: Some(turned.item),
            started: Some(entry.at),
            ..AttemptFold::under_way(turned.attempt)
        };
        self.step(name, "request").attempts.push(attempt);
    }

    /// The attempt that was under way ended with this entry.
    fn landed(&mut self, entry: &Entry, name: &str, turned: &ItemNote) {
        let own = entry.item == Some(turned.item);
        let step = self.step(name, "request");
        let found = step.attempts.iter_mut().rev().find(|attempt| {
            attempt.item == Some(turned.item) && attempt.number == turned.attempt && attempt.outcome.is_none()
        });
        let Some(attempt) = found else { return };
        attempt.outcome = entry.detail.outcome;
        attempt.cause.clone_from(&turned.cause);
        if own {
            attempt.started = entry.detail.started.or(attempt.started);
            attempt.elapsed_ms = entry.detail.elapsed_ms;
            attempt.status = entry.status;
            attempt.sent.clone_from(&entry.sent);
            attempt.got.clone_from(&entry.got);
            attempt.left_out.clone_from(&entry.detail.left_out);
            if attempt.outcome == Some(Outcome::Ok) {
                attempt.cause = attempt.cause.take().or_else(|| entry.got.as_ref().and_then(note));
            }
        } else {
            let cause = attempt.cause.take();
            attempt.cause =
                Some(cause.map_or_else(|| NOT_KEPT.to_owned(), |cause| format!("{cause}; {NOT_KEPT}")));
        }
    }

    fn retried(&mut self, entry: &Entry) {
        let Some(items) = &mut self.fold.frame.items else { return };
        items.retry();
        let again: Vec<usize> = items.of(StepState::Pending).map(|(index, _)| index as usize).collect();
        for index in again {
            if let Some(item) = self.step(&entry.detail.step_name, "request").items.get_mut(index) {
                item.state = StepState::Pending;
                item.cause = None;
            }
        }
        self.keep_results();
    }

    fn passed_over(&mut self, entry: &Entry) {
        let open: Vec<usize> = self
            .fold
            .frame
            .items
            .iter()
            .flat_map(Items::indexed)
            .filter(|(_, item)| !matches!(item.state, StepState::Succeeded | StepState::Skipped))
            .map(|(index, _)| index as usize)
            .collect();
        let cause = by("skipped", entry);
        for index in open {
            if let Some(item) = self.step(&entry.detail.step_name, "request").items.get_mut(index) {
                item.state = StepState::Skipped;
                item.cause = Some(cause.clone());
            }
        }
    }

    fn keep_results(&mut self) {
        let items = self.fold.frame.items.as_ref();
        self.results.retain(|at, _| items.and_then(|items| items.get(*at)).is_some_and(Item::ended));
    }

    /// What later steps see of the step that ended with the entry: a list of what its items came to.
    pub(super) fn listed(&self, entry: &Entry, state: StepState) -> Option<StepData> {
        let items = self.fold.frame.items.as_ref()?;
        let all = if state == StepState::Skipped {
            let stand_in = entry.detail.stand_in.as_ref();
            items.indexed().map(|(at, item)| skipped(item, self.results.get(&at), stand_in)).collect()
        } else {
            gather(items, |at| self.results.get(&at), |item| StepData::bare(item.state))
        };
        Some(StepData { items: Some(all), ..StepData::bare(state) })
    }

    /// The items are the current step's: another step, or an end but a failure, has none of them.
    pub(super) fn leave_items(&mut self) {
        self.fold.frame.items = None;
        self.fold.list = None;
        self.results.clear();
    }
}

/// What an item came to, where it ended with this note.
fn result(entry: &Entry, turned: &ItemNote) -> Option<StepData> {
    let got: Option<&Got> = entry.got.as_ref().filter(|_| entry.item == Some(turned.item));
    let status = got.map(|got| got.status);
    let headers = got.map(|got| got.headers.clone()).unwrap_or_default();
    Some(match turned.state {
        StepState::Succeeded => StepData {
            status,
            headers,
            body: got.and_then(body_value),
            outputs: Some(entry.detail.outputs.clone().unwrap_or_default()),
            ..StepData::bare(StepState::Succeeded)
        },
        StepState::Errored | StepState::Failed => {
            StepData { status, headers, ..StepData::bare(StepState::Failed) }
        }
        StepState::Skipped => StepData::bare(StepState::Skipped),
        _ => return None,
    })
}
