//! The items of a step under `for_each`: up to eight exchanges of one run at once, each outcome
//! committed by itself, all under the run's one lease.

use super::attempt::{attempt, settle_under};
use super::work::{Carried, Shared};
use crate::model::run::{Frame, ITEMS_AT_ONCE, Item, Items, Run, RunState, StepState};
use crate::rules::advance::{Effect, Input, Snapshot};
use crate::store::apply::Lease;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{Id, JoinError, JoinSet};

/// Exchanges under way: item and number of the attempt of each task.
#[derive(Default)]
struct Flying {
    tasks: JoinSet<Input>,
    who: HashMap<Id, (u32, u32)>,
}

/// Sends the items that run and those that are started as others end, until the step ended, none of
/// them may leave now, or the run is somebody else's.
pub(super) async fn carry(shared: &Arc<Shared>, carried: &mut Carried) -> Option<Effect> {
    let Run { step, fence, .. } = carried.snapshot.run;
    let mut flying = Flying::default();
    loop {
        flying.launch(shared, carried);
        let idle = flying.tasks.is_empty();
        let input = tokio::select! {
            ended = flying.tasks.join_next_with_id(), if !idle => flying.landed(ended)?,
            () = due(shared, carried, idle) => Input::Start { fence },
        };
        let effect = settle_under(shared, carried, input, lease(shared, carried)).await;
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
fn lease(shared: &Shared, carried: &Carried) -> Option<Lease> {
    let held = shared.store.lane(carried.snapshot.run.flow).is_some_and(|rule| rule.held);
    if held { None } else { shared.lease(&carried.plan) }
}

impl Flying {
    /// Sends the items that run and have not left.
    fn launch(&mut self, shared: &Arc<Shared>, carried: &Carried) {
        let Some(items) = &carried.snapshot.frame.items else { return };
        for (index, item) in items.of(StepState::Running) {
            if self.who.values().any(|(other, _)| *other == index) {
                continue;
            }
            let one = of_item(carried, index, item);
            let shared = Arc::clone(shared);
            let task = self.tasks.spawn(async move { attempt(&shared, &one).await });
            self.who.insert(task.id(), (index, item.attempt));
        }
    }

    /// What came of a task. One that broke off leaves its item under way, as a process that ends would.
    fn landed(&mut self, ended: Option<Result<(Id, Input), JoinError>>) -> Option<Input> {
        let (id, input) = ended?.ok()?;
        self.who.remove(&id);
        Some(input)
    }
}

/// Returns when items may be started that wait for their next attempt; at once where none is under
/// way, so that the step ends or the run lets go.
async fn due(shared: &Shared, carried: &Carried, idle: bool) {
    if idle {
        return;
    }
    let items = carried.snapshot.frame.items.as_ref();
    let room = items.filter(|items| items.count(StepState::Running) < ITEMS_AT_ONCE);
    match room.and_then(Items::next_due) {
        Some(due) if lease(shared, carried).is_some() => {
            let wait = u64::try_from(due - shared.store.now()).unwrap_or(0).max(1);
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        _ => std::future::pending().await,
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
