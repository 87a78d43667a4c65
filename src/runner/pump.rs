//! Takes what is ready: runs from the hand-over, from the ring, and from the due index.

use super::attempt::{carry, put_back, settle};
use super::work::{Carried, Shared};
use crate::model::request::Seed;
use crate::model::run::{Frame, Run, RunState};
use crate::model::{Ms, RequestId, RunId};
use crate::rules::advance::{Effect, Input, Snapshot, claims_plainly};
use crate::rules::lane;
use crate::rules::plan::Plan;
use crate::scheduler::{RING_BYTES, RING_RUNS, Ring};
use crate::store::apply::How;
use crate::store::{Born, Claim, Due, FreshRow, Handover, Holders, LEASE};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

/// A page that cannot be read is tried again after this.
const READ_AGAIN: Duration = Duration::from_millis(500);
/// While requests crowd in, accepting goes before running: so many runs are started…
const FEW: usize = 6;
/// …each so long. How many are under way is left alone: a run that waits for its target's answer
/// costs nothing, and must not keep another from starting.
const EACH: Duration = Duration::from_millis(2);
/// Runs that are started in one go at most; their claims share a commit.
const CLAIMS: usize = 256;

/// A fresh run that waits for a slot.
struct Ready {
    run: Run,
    /// What arrived, where nothing has happened to the run since.
    seed: Option<(RequestId, Arc<Seed>)>,
}

/// Takes runs from the writer, keeps what has no slot in the ring, and starts them in turn.
pub(super) async fn pump(shared: Arc<Shared>, mut handover: Handover) {
    let mut ring: Ring<Ready> = Ring::new(RING_RUNS, RING_BYTES);
    let mut open = true;
    let mut rest = Instant::now();
    while !shared.stop.is_cancelled() {
        let missed = handover.dropped_from.swap(i64::MAX, Ordering::AcqRel);
        if missed != i64::MAX {
            ring.missed(missed);
        }
        if let Some(from) = ring.wants_from()
            && !read_page(&shared, &mut ring, from).await
        {
            // The store is in trouble: what is in memory goes on.
            tokio::select! {
                () = tokio::time::sleep(READ_AGAIN) => {}
                () = shared.stop.cancelled() => break,
            }
        }
        shared.slots.set_waiting(ring.len());
        let crowded = shared.store.crowded();
        let resting = crowded && Instant::now() < rest;
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => break,
            runs = handover.queue.recv(), if open => match runs {
                Some(runs) => take_over(&shared, &mut ring, runs),
                None => open = false,
            },
            slot = shared.slots.take(), if !ring.is_empty() && !resting => {
                let Some(slot) = slot else { break };
                start_ready(&shared, &mut ring, slot, if crowded { FEW } else { CLAIMS });
                rest = Instant::now() + EACH;
            }
            () = tokio::time::sleep_until(rest), if !ring.is_empty() && resting => {}
            () = std::future::pending(), if !open && ring.is_empty() => {}
        }
        while let Ok(runs) = handover.queue.try_recv() {
            take_over(&shared, &mut ring, runs);
        }
    }
    shared.slots.set_waiting(usize::MAX);
    // What was born leased and has not left goes back to queued, so that a clean stop leaves no
    // unknown outcome. The receiver is stopped before the runner; what it still commits comes here.
    while let Ok(runs) = handover.queue.try_recv() {
        for born in runs.into_iter().filter(|born| born.slot.is_some()) {
            give_back(&shared, born);
        }
    }
    tokio::select! {
        () = async {
            while let Some(runs) = handover.queue.recv().await {
                for born in runs.into_iter().filter(|born| born.slot.is_some()) {
                    give_back(&shared, born);
                }
            }
        } => {}
        () = shared.give_up.cancelled() => {}
    }
}

/// Runs of a commit: those born leased leave at once, the others wait their turn.
fn take_over(shared: &Arc<Shared>, ring: &mut Ring<Ready>, runs: Vec<Born>) {
    for mut born in runs {
        if let Some(slot) = born.slot.take() {
            start_born(shared, born, slot);
            continue;
        }
        let Born { run, request, seed, .. } = born;
        // What was parked at its birth is found in its lane.
        if run.state != RunState::Queued || run.due.is_some() {
            continue;
        }
        let bytes = seed.body.len();
        ring.offer(run.flow, run.id.0, bytes, || Ready { run, seed: Some((request, seed)) });
    }
}

fn start_born(shared: &Arc<Shared>, born: Born, slot: OwnedSemaphorePermit) {
    let task = {
        let shared = Arc::clone(shared);
        async move {
            let Born { run, request, seed, .. } = born;
            // The plan is the one that judged the request a moment ago.
            if let Some(carried) = from_memory(&shared, run, Some((request, &seed))) {
                carry(shared, carried, slot).await;
            }
        }
    };
    shared.tasks.spawn(task);
}

fn give_back(shared: &Arc<Shared>, born: Born) {
    let task = {
        let shared = Arc::clone(shared);
        async move {
            let Born { run, request, seed, slot } = born;
            if let Some(carried) = from_memory(&shared, run, Some((request, &seed))) {
                put_back(&shared, carried).await;
            }
            drop(slot);
        }
    };
    shared.tasks.spawn(task);
}

/// A run that nobody has touched since its birth: what is known of it is all that is stored of it.
fn from_memory(shared: &Shared, run: Run, request: Option<(RequestId, &Arc<Seed>)>) -> Option<Carried> {
    let plan = shared.store.plan(run.flow, run.version)?;
    let seed = request.map(|(id, seed)| (id, seed.as_ref()));
    let context = shared.store.context_of(&plan, &run, seed);
    let step_name = plan.flow.steps.first().map(|step| step.name.clone()).unwrap_or_default();
    let snapshot = Snapshot { run, frame: Frame::default(), step_name, callbacks: Vec::new(), context };
    Some(Carried { plan, snapshot, hops: request.map_or(0, |(_, seed)| seed.hops) })
}

/// Reads what the ring turned away, or what an earlier process left; whether it could be read.
async fn read_page(shared: &Shared, ring: &mut Ring<Ready>, from: i64) -> bool {
    let limit = ring.page();
    match shared.store.fresh_page(from, limit).await {
        Ok((page, whole)) => {
            let page = page.into_iter().map(|FreshRow { run, seed }| {
                let bytes = seed.as_ref().map_or(0, |(_, seed)| seed.body.len());
                (run.flow, run.id.0, bytes, Ready { run, seed })
            });
            ring.page_read(page, whole);
            true
        }
        Err(_) => false,
    }
}

/// Starts as many ready runs as there are slots, up to `most`; claims of one kind share a commit.
fn start_ready(shared: &Arc<Shared>, ring: &mut Ring<Ready>, first: OwnedSemaphorePermit, most: usize) {
    let mut slot = Some(first);
    let mut started = 0;
    let mut plain: Vec<(Ready, OwnedSemaphorePermit)> = Vec::new();
    let mut parked = Vec::new();
    while let Some(held) = slot.take() {
        let Some(ready) = ring.pop() else { break };
        // Its flow was bounded, or held, after it was handed over, or it is a replay.
        if shared.store.lane(ready.run.flow).is_some() {
            parked.push((ready.run.id, lane::place(ready.run.id)));
            if parked.len() >= CLAIMS {
                break;
            }
            slot = Some(held);
            continue;
        }
        let Some(flow) = shared.store.plan(ready.run.flow, ready.run.version) else { continue };
        if claims_plainly(&flow, ready.run.step, ready.run.attempt) {
            plain.push((ready, held));
        } else {
            start_claimed_by_rule(shared, flow, ready, held);
        }
        started += 1;
        if started >= most {
            break;
        }
        slot = shared.slots.take_waiting();
    }
    if !parked.is_empty() {
        let shared = Arc::clone(shared);
        // Where the store takes no writes they stay queued, and are read again like others.
        shared.clone().tasks.spawn(async move { shared.store.park(parked).await });
    }
    if !plain.is_empty() {
        shared.tasks.spawn(claim_plain(Arc::clone(shared), plain));
    }
}

/// Claims fresh runs in one commit, and carries each in a task of its own.
async fn claim_plain(shared: Arc<Shared>, ready: Vec<(Ready, OwnedSemaphorePermit)>) {
    let until = shared.store.now() + LEASE;
    let claims =
        ready.iter().map(|(ready, _)| Claim { run: ready.run.id, seq: ready.run.seq, until }).collect();
    // Where the store takes no writes the runs stay queued, and are read again by the next start or
    // once they were promoted into the due index.
    let Ok(claimed) = shared.store.claim(claims).await else { return };
    let mut waiting: HashMap<RunId, (Ready, OwnedSemaphorePermit)> =
        ready.into_iter().map(|(ready, slot)| (ready.run.id, (ready, slot))).collect();
    for run in claimed {
        let Some((ready, slot)) = waiting.remove(&run.id) else { continue };
        let task = {
            let shared = Arc::clone(&shared);
            async move {
                let carried = match &ready.seed {
                    Some((request, seed)) => from_memory(&shared, run, Some((*request, seed))),
                    None => stored(&shared, &run).await,
                };
                if let Some(carried) = carried {
                    carry(shared, carried, slot).await;
                }
            }
        };
        shared.tasks.spawn(task);
    }
}

/// A run that was claimed, read with all that its next move needs.
async fn stored(shared: &Shared, run: &Run) -> Option<Carried> {
    let standing = shared.store.standing(run.id, false).await.ok()?;
    let now = &standing.snapshot.run;
    (now.state == RunState::Running && now.fence == run.fence).then(|| standing.into())
}

/// Claims a run whose claim writes more than columns: a callback's row, steps that send nothing.
fn start_claimed_by_rule(shared: &Arc<Shared>, plan: Arc<Plan>, ready: Ready, slot: OwnedSemaphorePermit) {
    let task = {
        let shared = Arc::clone(shared);
        async move {
            let Ready { run, seed: Some((request, seed)) } = ready else {
                if let Claimed::Send(carried) = claim_stored(&shared, ready.run.id).await {
                    carry(shared, *carried, slot).await;
                }
                return;
            };
            let context = shared.store.context_of(&plan, &run, Some((request, &seed)));
            let step_name = plan.flow.steps.first().map(|step| step.name.clone()).unwrap_or_default();
            let snapshot =
                Snapshot { run, frame: Frame::default(), step_name, callbacks: Vec::new(), context };
            let mut carried = Carried { plan, snapshot, hops: seed.hops };
            let claim = Input::Claimed { owner: shared.store.owner(), until: shared.store.now() + LEASE };
            if settle(&shared, &mut carried, claim).await == Some(Effect::Send) {
                carry(shared, carried, slot).await;
            }
        }
    };
    shared.tasks.spawn(task);
}

/// What a claim by the rules came to.
enum Claimed {
    /// Its attempt may leave.
    Send(Box<Carried>),
    /// It waits, ended, or stopped: steps that send nothing were carried out.
    Moved,
    /// Somebody else has it, or its version cannot be read.
    Refused,
}

/// Claims a stored run by the rules.
async fn claim_stored(shared: &Shared, run: RunId) -> Claimed {
    let Ok(standing) = shared.store.standing(run, false).await else { return Claimed::Refused };
    let Some(lease) = shared.lease(&standing.plan) else { return Claimed::Refused };
    let claim = Input::Claimed { owner: lease.owner, until: lease.until };
    let how = How { deployed: false, lease: Some(lease) };
    match shared.store.apply_as(run, how, |_| claim.clone()).await {
        Ok(applied) if applied.effect == Effect::Send => Claimed::Send(Box::new(applied.into())),
        Ok(_) => Claimed::Moved,
        Err(_) => Claimed::Refused,
    }
}

/// Claims what is due, up to the free slots, of which it holds the first; how many it found.
pub(super) async fn take_due(
    shared: &Arc<Shared>,
    now: Ms,
    first: OwnedSemaphorePermit,
    holders: &mut Holders,
) -> usize {
    let mut slots = vec![first];
    while slots.len() < CLAIMS
        && let Some(slot) = shared.slots.take_waiting()
    {
        slots.push(slot);
    }
    let Ok(Due { runs, parked }) = shared.store.due(now, slots.len(), holders).await else { return 0 };
    let mut claims = Vec::new();
    let mut found = parked;
    for (run, slot) in runs.into_iter().zip(slots) {
        if run.state == RunState::Running {
            found += 1;
            let task = {
                let shared = Arc::clone(shared);
                async move {
                    if let Some(carried) = stored(&shared, &run).await {
                        carry(shared, carried, slot).await;
                    }
                }
            };
            shared.tasks.spawn(task);
        } else {
            // Many at once, so that they share commits; and before the next look at the due index,
            // so that nobody claims twice.
            let shared = Arc::clone(shared);
            claims.push(tokio::spawn(async move { (claim_stored(&shared, run.id).await, slot) }));
        }
    }
    for claim in claims {
        match claim.await {
            Ok((Claimed::Send(carried), slot)) => {
                found += 1;
                shared.tasks.spawn(carry(Arc::clone(shared), *carried, slot));
            }
            Ok((Claimed::Moved, _)) => found += 1,
            // What is refused again and again must not keep the runner busy.
            Ok((Claimed::Refused, _)) | Err(_) => {}
        }
    }
    found
}

/// Moves on what waited until now (delays, deadlines) and what nobody holds any more (lapsed
/// leases, runs of a process that is gone); how many it found.
pub(super) async fn take_lapsed(shared: &Arc<Shared>, now: Ms) -> Option<usize> {
    let runs = shared.store.lost(now, CLAIMS).await.ok()?;
    let found = runs.len();
    let mut moved = Vec::with_capacity(found);
    for run in runs {
        let input = match run.state {
            RunState::Running if run.owner != shared.store.owner() => Input::Died,
            RunState::Running => Input::Lost,
            _ => Input::Due,
        };
        let shared = Arc::clone(shared);
        // Many at once, so that they share commits.
        moved.push(tokio::spawn(async move { shared.store.apply(run.id, |_| input.clone()).await.is_ok() }));
    }
    let mut done = 0;
    for one in moved {
        done += usize::from(one.await.unwrap_or(false));
    }
    // What is refused again and again must not keep the runner busy.
    Some(if done == 0 { 0 } else { found })
}
