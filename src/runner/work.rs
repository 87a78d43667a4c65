//! What the runner's tasks share, and a run on its way through them.

use super::alerts::Refused;
use super::http::Http;
use crate::model::settings::Settings;
use crate::model::{CallbackId, RunId};
use crate::rules::advance::Snapshot;
use crate::rules::plan::Plan;
use crate::scheduler::Slots;
use crate::store::apply::{Applied, Lease, Standing};
use crate::store::{LEASE, Store};
use crate::vault::Vault;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the runner's tasks share.
pub(super) struct Shared {
    pub store: Store,
    pub slots: Slots,
    pub vault: Vault,
    pub settings: Arc<Settings>,
    pub http: Http,
    pub flights: Flights,
    /// Who was refused by which target.
    pub refused: Refused,
    /// No claims and no new exchanges from now on.
    pub stop: CancellationToken,
    /// The exchanges' time is up, too.
    pub give_up: CancellationToken,
    /// One task an exchange, and those that claim.
    pub tasks: TaskTracker,
}

impl Shared {
    /// The lease under which a run may go on in place; none while the process stops. A callback is
    /// minted where the plan has a step that may need it.
    pub fn lease(&self, plan: &Plan) -> Option<Lease> {
        if self.stop.is_cancelled() {
            return None;
        }
        let callbacks =
            plan.flow.steps.iter().any(|step| step.kind.exchange().is_some_and(|exchange| exchange.callback));
        let callback = if callbacks {
            let id = CallbackId(self.store.fresh_id());
            (id, self.vault.callback_hash(id))
        } else {
            (CallbackId(0), [0; 32])
        };
        Some(Lease { owner: self.store.owner(), until: self.store.now() + LEASE, callback, items: 1 })
    }
}

/// A run that is held under a lease, as it was committed last.
#[derive(Debug)]
pub(super) struct Carried {
    pub plan: Arc<Plan>,
    pub snapshot: Snapshot,
    /// `Pointsman-Hops` of the request that began it.
    pub hops: u32,
}

impl From<Standing> for Carried {
    fn from(standing: Standing) -> Self {
        let hops = standing.request.as_ref().map_or(0, |request| request.seed.hops);
        Self { plan: standing.plan, snapshot: standing.snapshot, hops }
    }
}

impl From<Applied> for Carried {
    fn from(applied: Applied) -> Self {
        applied.standing.into()
    }
}

/// Exchanges under way: whose leases are to be renewed.
#[derive(Debug, Clone, Default)]
pub(super) struct Flights(Arc<Mutex<HashMap<RunId, Instant>>>);

/// An exchange under way; it ends with this.
#[derive(Debug)]
pub(super) struct Flight {
    flights: Flights,
    run: RunId,
}

impl Flights {
    pub fn take_off(&self, run: RunId) -> Flight {
        self.lock().insert(run, Instant::now());
        Flight { flights: self.clone(), run }
    }

    /// Runs whose exchange has been under way for so long.
    pub fn longer_than(&self, time: Duration) -> Vec<RunId> {
        self.lock().iter().filter(|(_, since)| since.elapsed() >= time).map(|(run, _)| *run).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.lock().remove(&self.run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flight_is_known_until_it_ends() {
        let flights = Flights::default();
        let flight = flights.take_off(RunId(1));
        assert_eq!(flights.longer_than(Duration::ZERO), [RunId(1)]);
        assert_eq!(flights.longer_than(Duration::from_mins(1)), []);
        drop(flight);
        assert_eq!(flights.longer_than(Duration::ZERO), []);
    }
}
