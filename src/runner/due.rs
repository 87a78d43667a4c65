//! Takes what is due: claims of the due index, and what waited until now.

use super::attempt::{carry, settle_once};
use super::gate::Door;
use super::work::{Carried, Shared};
use crate::model::document::StepKind;
use crate::model::run::{Run, RunState};
use crate::model::{Ms, RunId};
use crate::rules::advance::{Effect, Input};
use crate::scheduler::{CLAIMS, Comer, Slot};
use crate::store::{Due, Gate, Holders};
use std::sync::Arc;

/// Runs that are read in one look: they share the pages of the store that it touches.
const TOGETHER: usize = 64;

/// What is to be done with runs that were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// They were claimed: their attempts may leave.
    Carry,
    /// They are claimed by the rules, each: steps that send nothing are carried out.
    Claim,
    /// Their time came, or nobody holds them any more.
    MoveOn,
}

/// A run that was found, and its slot where it has one.
struct Found {
    run: Run,
    slot: Option<Slot>,
}

/// Carries a run that was claimed, once it is read.
pub(super) async fn carry_stored(shared: Arc<Shared>, run: Run, slot: Slot) {
    take(shared, What::Carry, vec![Found { run, slot: Some(slot) }]).await;
}

/// Claims a run by the rules, and carries it.
pub(super) async fn claim_stored(shared: Arc<Shared>, run: Run, slot: Slot) {
    take(shared, What::Claim, vec![Found { run, slot: Some(slot) }]).await;
}

/// Claims what is due, up to the free slots, of which it holds the first; how many it found.
pub(super) async fn take_due(
    shared: &Arc<Shared>,
    door: &Arc<Door>,
    now: Ms,
    first: Slot,
    holders: &mut Holders,
) -> usize {
    let gate: Arc<dyn Gate> = door.clone();
    let mut slots = vec![first];
    while slots.len() < CLAIMS
        && let Some(slot) = shared.slots.take_waiting()
    {
        slots.push(slot);
    }
    let due = shared.store.due(now, slots.len(), holders, &gate).await;
    let Due { runs, parked } = due.unwrap_or_default();
    let found = runs.into_iter().zip(slots).map(|(run, mut slot)| {
        slot.pass = door.take(run.id);
        Found { run, slot: Some(slot) }
    });
    let (claimed, others): (Vec<_>, Vec<_>) = found.partition(|found| found.run.state == RunState::Running);
    door.clear();
    let mut count = parked + claimed.len();
    for some in in_looks(claimed) {
        shared.tasks.spawn(take(Arc::clone(shared), What::Carry, some));
    }
    // Before the next look at the due index, so that nobody claims twice.
    count += take_all(shared, What::Claim, others).await;
    count
}

/// Moves on what waited until now (delays, deadlines) and what nobody holds any more (lapsed
/// leases, runs of a process that is gone); how many it found.
pub(super) async fn take_lapsed(shared: &Arc<Shared>, now: Ms) -> Option<usize> {
    let runs = shared.store.lost(now, CLAIMS).await.ok()?;
    let found: Vec<Found> =
        runs.into_iter().map(|run| Found { slot: seat(shared, &run, now), run }).collect();
    let most = found.len();
    // What is refused again and again must not keep the runner busy.
    Some(if take_all(shared, What::MoveOn, found).await == 0 { 0 } else { most })
}

/// A slot for a run whose delay is over and whose next step can leave at once: so it needs one commit
/// and not two. Who gets none is queued, and claimed like any other; so is one whose flow is bounded
/// or held, since its lane says when.
fn seat(shared: &Shared, run: &Run, now: Ms) -> Option<Slot> {
    if run.state != RunState::Waiting || shared.store.lane(run.flow).is_some() {
        return None;
    }
    let plan = shared.store.plan(run.flow, run.version)?;
    let at = run.step as usize;
    plan.flow.steps.get(at).filter(|step| matches!(step.kind, StepKind::Delay(_)))?;
    let next = plan.flow.steps.get(at + 1)?;
    let mut slot = shared.slots.take_waiting()?;
    if next.when.is_none()
        && let Some(target) = shared.store.target(&plan, at + 1)
    {
        slot.pass = Some(shared.slots.hosts().enter(&target, Comer::Fresh, now).ok()?);
    }
    Some(slot)
}

fn in_looks(found: Vec<Found>) -> impl Iterator<Item = Vec<Found>> {
    let mut rest = found.into_iter();
    std::iter::from_fn(move || {
        let some: Vec<Found> = rest.by_ref().take(TOGETHER).collect();
        (!some.is_empty()).then_some(some)
    })
}

/// All of them, many at once; how many moved.
async fn take_all(shared: &Arc<Shared>, what: What, found: Vec<Found>) -> usize {
    let looks: Vec<_> =
        in_looks(found).map(|some| tokio::spawn(take(Arc::clone(shared), what, some))).collect();
    let mut moved = 0;
    for look in looks {
        moved += look.await.unwrap_or(0);
    }
    moved
}

/// Reads some and does it, all at once, so that they share commits; how many moved.
async fn take(shared: Arc<Shared>, what: What, found: Vec<Found>) -> usize {
    let mut rest = found;
    let mut tasks = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let ids: Vec<RunId> = rest.iter().map(|found| found.run.id).collect();
        // Where the store cannot be read they are found again, by their leases if need be.
        let Ok(page) = shared.store.standings(ids).await else { break };
        let after = rest.split_off(page.len().min(rest.len()));
        for (found, standing) in rest.into_iter().zip(page) {
            if let Some(standing) = standing {
                tasks.push(tokio::spawn(go_on(Arc::clone(&shared), what, found, standing.into())));
            }
        }
        rest = after;
    }
    let mut moved = 0;
    for task in tasks {
        moved += usize::from(task.await.unwrap_or(false));
    }
    moved
}

/// Does it with one run as it was read; whether it moved. Whose attempt may leave is carried.
async fn go_on(shared: Arc<Shared>, what: What, found: Found, mut carried: Carried) -> bool {
    let Found { run, slot } = found;
    let lease = slot.as_ref().and_then(|_| shared.lease(&carried.plan));
    let input = match (what, run.state) {
        (What::Carry, _) => None,
        (What::Claim, _) => match lease {
            Some(lease) => Some(Input::Claimed { owner: lease.owner, until: lease.until }),
            None => return false,
        },
        (What::MoveOn, RunState::Running) if run.owner != shared.store.owner() => Some(Input::Died),
        (What::MoveOn, RunState::Running) => Some(Input::Lost),
        (What::MoveOn, _) => Some(Input::Due),
    };
    let effect = if let Some(input) = input {
        settle_once(&shared, &mut carried, input, lease).await.ok()
    } else {
        let now = &carried.snapshot.run;
        (now.state == RunState::Running && now.fence == run.fence).then_some(Effect::Send)
    };
    if effect == Some(Effect::Send)
        && let Some(slot) = slot
    {
        shared.tasks.spawn(carry(Arc::clone(&shared), carried, slot));
    }
    effect.is_some()
}
