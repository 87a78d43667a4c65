//! The items of a step under `for_each`: up to eight exchanges of one run at once, each outcome
//! committed by itself, all under the run's one lease.

use super::attempt::{attempt, settle_under};
use super::work::{Carried, Shared};
use crate::model::run::{Frame, ITEMS_AT_ONCE, Item, Run, RunState, StepState};
use crate::rules::advance::{Effect, Input, Snapshot, ready_items};
use crate::scheduler::Pass;
use crate::store::apply::Lease;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{Id, JoinError, JoinSet};

/// What came of an exchange, and its pass.
type Landed = (Input, Option<Pass>);

/// Exchanges under way: the item of each task.
#[derive(Default)]
struct Flying {
    tasks: JoinSet<Landed>,
    who: HashMap<Id, u32>,
}

/// Sends the items that run and those that are started as others end, until the step ended, none of
/// them may leave now, or the run is somebody else's. `first` is the pass of the item that the claim
/// started; each that follows has one before it is started.
pub(super) async fn carry(
    shared: &Arc<Shared>,
    carried: &mut Carried,
    first: Option<Pass>,
) -> Option<Effect> {
    let Run { step, fence, .. } = carried.snapshot.run;
    let mut flying = Flying::default();
    let mut passes: Vec<Pass> = first.into_iter().collect();
    loop {
        flying.launch(shared, carried, passes);
        let mut lease = lease_now(shared, carried);
        let idle = flying.tasks.is_empty();
        passes = flying.more(shared, carried, &mut lease);
        let input = if idle || lease.is_some_and(|lease| lease.items > 0) {
            Input::Start { fence }
        } else {
            let room = flying.room() > 0 && lease.is_some();
            tokio::select! {
                ended = flying.tasks.join_next_with_id() => {
                    let (input, pass) = flying.landed(ended)?;
                    shared.heard(carried, &input, pass);
                    lease = lease_now(shared, carried);
                    passes = flying.more(shared, carried, &mut lease);
                    input
                }
                () = due(shared, carried, room) => {
                    passes = Vec::new();
                    continue;
                }
            }
        };
        let effect = settle_under(shared, carried, input, lease).await;
        let run = &carried.snapshot.run;
        let same = run.step == step && run.fence == fence && run.state == RunState::Running;
        if effect != Some(Effect::Send) || !same || carried.snapshot.frame.items.is_none() {
            // Nobody waits for what may still be under way: its outcome is unknown, and is treated so.
            return effect;
        }
    }
}

/// The lease under which more items may leave; none while the process stops or the flow is held: what
/// is under way then ends, and nothing new leaves.
fn lease_now(shared: &Shared, carried: &Carried) -> Option<Lease> {
    let held = shared.store.lane(carried.snapshot.run.flow).is_some_and(|rule| rule.held);
    if held { None } else { shared.lease(&carried.plan) }
}

impl Flying {
    /// Sends the items that run and have not left; passes that nobody needs go back.
    fn launch(&mut self, shared: &Arc<Shared>, carried: &Carried, mut passes: Vec<Pass>) {
        let Some(items) = &carried.snapshot.frame.items else { return };
        for (index, item) in items.of(StepState::Running) {
            if self.who.values().any(|other| *other == index) {
                continue;
            }
            let (one, pass) = (of_item(carried, index, item), passes.pop());
            let shared = Arc::clone(shared);
            let task = self.tasks.spawn(async move { (attempt(&shared, &one).await, pass) });
            self.who.insert(task.id(), index);
        }
    }

    /// What came of a task. One that broke off leaves its item under way, as a process that ends would.
    fn landed(&mut self, ended: Option<Result<(Id, Landed), JoinError>>) -> Option<Landed> {
        let (id, landed) = ended?.ok()?;
        self.who.remove(&id);
        Some(landed)
    }

    /// Exchanges that may still be begun beside those under way.
    fn room(&self) -> usize {
        ITEMS_AT_ONCE.saturating_sub(self.who.len())
    }

    /// Passes for items that may start now; the lease says how many do.
    fn more(&self, shared: &Shared, carried: &Carried, lease: &mut Option<Lease>) -> Vec<Pass> {
        let Some(lease) = lease else { return Vec::new() };
        let ready = ready_items(&carried.plan, &carried.snapshot, shared.store.now());
        let most = ready.min(self.room());
        let passes = shared.more(carried, most);
        lease.items = passes.as_ref().map_or(most, Vec::len);
        passes.unwrap_or_default()
    }
}

/// Returns when an item may be started that waits for its next attempt. One that could not be started
/// for want of a pass is looked at again when another has ended.
async fn due(shared: &Shared, carried: &Carried, room: bool) {
    let now = shared.store.now();
    let items = carried.snapshot.frame.items.as_ref().filter(|_| room);
    let later = items.map(|items| items.of(StepState::Retrying).filter_map(|(_, item)| item.due));
    match later.and_then(|dues| dues.filter(|due| *due > now).min()) {
        Some(due) => {
            let wait = u64::try_from(due - now).unwrap_or(1);
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        None => std::future::pending().await,
    }
}

/// The run as the exchange of one item sees it.
fn of_item(carried: &Carried, index: u32, item: &Item) -> Carried {
    let Snapshot { run, frame, step_name, context, .. } = &carried.snapshot;
    Carried {
        plan: Arc::clone(&carried.plan),
        snapshot: Snapshot {
            run: Run { attempt: item.attempt, ..run.clone() },
            frame: Frame { fresh_key: frame.fresh_key, ..Frame::default() },
            step_name: step_name.clone(),
            callbacks: Vec::new(),
            context: context.of_item(index),
            results: BTreeMap::new(),
        },
        hops: carried.hops,
    }
}
