//! Whether targets take runs: passes for those that go on, and places in line for the others.

use super::work::{Carried, Shared};
use crate::model::run::Run;
use crate::model::{Ms, RunId};
use crate::rules::advance::Input;
use crate::rules::breaker::{Heard, heard_of};
use crate::rules::lane::{self, tag_of};
use crate::scheduler::{Comer, Pass};
use crate::store::Gate;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

impl Shared {
    /// The pass of a claimed run's next exchange: the one that it holds, where that is of its target.
    /// None where its target is not known before its request is built.
    ///
    /// # Errors
    /// The target takes nothing for now: the place where the run is to wait.
    pub fn pass(&self, carried: &Carried, held: Option<Pass>) -> Result<Option<Pass>, Ms> {
        let run = &carried.snapshot.run;
        let Some(target) = self.store.target(&carried.plan, run.step as usize) else { return Ok(None) };
        if let Some(held) = held.filter(|held| *held.target() == target) {
            return Ok(Some(held));
        }
        let now = self.store.now();
        match self.slots.hosts().enter(&target, Comer::Waiting, now) {
            Ok(pass) => Ok(Some(pass)),
            Err(_) if self.store.lane(run.flow).is_some() => Err(lane::place_of(run, now)),
            Err(_) => {
                self.slots.hosts().lined(&target, now);
                // What was never sent to anybody waits since it arrived.
                let untouched = run.step == 0 && run.attempt <= 1;
                let started = run.started.filter(|_| !untouched);
                Err(lane::in_line(target.tag(), &Run { started, due: None, ..run.clone() }, now))
            }
        }
    }

    /// Passes for more exchanges of the current step, up to so many. `None` where its target is not
    /// known before a request is built: nothing bounds them then.
    pub fn more(&self, carried: &Carried, most: usize) -> Option<Vec<Pass>> {
        let target = self.store.target(&carried.plan, carried.snapshot.run.step as usize)?;
        let now = self.store.now();
        let enter = |_| self.slots.hosts().enter(&target, Comer::Waiting, now).ok();
        Some((0..most).map_while(enter).collect())
    }

    /// An exchange ended: what it says of its target.
    pub fn heard(&self, carried: &Carried, input: &Input, pass: Option<Pass>) {
        let Some(pass) = pass else { return };
        let step = carried.plan.flow.steps.get(carried.snapshot.run.step as usize);
        let heard = match (input, step.and_then(|step| step.kind.exchange())) {
            (Input::Answer(exchange), Some(step)) => heard_of(step, &exchange.result),
            _ => Heard::Nothing,
        };
        if heard == Heard::Failure {
            self.refused.note(pass.target(), &carried.plan, &self.store);
        }
        if pass.end(heard, self.store.now(), fastrand::f64()) {
            self.store.breaker_moved();
        }
    }
}

/// The gate of runs that are due: passes are kept until the claims are there.
pub(super) struct Door {
    shared: Arc<Shared>,
    passes: Mutex<HashMap<RunId, Pass>>,
}

impl Door {
    pub fn new(shared: &Arc<Shared>) -> Arc<Self> {
        Arc::new(Self { shared: Arc::clone(shared), passes: Mutex::default() })
    }

    /// The pass of a run that was claimed.
    pub fn take(&self, run: RunId) -> Option<Pass> {
        self.passes.lock().unwrap_or_else(PoisonError::into_inner).remove(&run)
    }

    /// Those that were not claimed give theirs back.
    pub fn clear(&self) {
        let passes = std::mem::take(&mut *self.passes.lock().unwrap_or_else(PoisonError::into_inner));
        drop(passes);
    }
}

impl Gate for Door {
    fn room(&self, run: &Run) -> usize {
        // Whom it sends to is not known any more: its claim will say so.
        let Some(target) = self.shared.store.target_of(run) else { return 1 };
        let room = self.shared.slots.hosts().room(&target, Comer::Waiting, self.shared.store.now());
        room.map_or(0, |room| room as usize)
    }

    fn enter(&self, run: &Run) -> Option<Ms> {
        let target = self.shared.store.target_of(run)?;
        let now = self.shared.store.now();
        let waits = run.due.and_then(tag_of) == Some(target.tag());
        let comer = if waits { Comer::Waiting } else { Comer::Fresh };
        match self.shared.slots.hosts().enter(&target, comer, now) {
            Ok(pass) => {
                self.passes.lock().unwrap_or_else(PoisonError::into_inner).insert(run.id, pass);
                None
            }
            Err(_) => Some(lane::in_line(target.tag(), run, now)),
        }
    }

    fn lines(&self, tags: &[u32]) {
        self.shared.slots.hosts().lines(|tag| tags.contains(&tag));
    }
}
