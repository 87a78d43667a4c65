//! Takes what is ready: runs from the hand-over, and from the ring.

use super::attempt::{carry, put_back, settle};
use super::due::{carry_stored, claim_stored};
use super::work::{Carried, Shared};
use crate::model::request::Seed;
use crate::model::run::{Frame, Run, RunState};
use crate::model::target::Target;
use crate::model::{FlowId, Ms, RequestId, RunId};
use crate::rules::advance::{Effect, Input, Snapshot, claims_plainly};
use crate::rules::lane;
use crate::rules::plan::Plan;
use crate::scheduler::{CLAIMS, Comer, Pace, RING_BYTES, RING_RUNS, Refused, Ring, Slot};
use crate::store::{Born, Claim, FreshRow, Handover, LEASE};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// A page that cannot be read is tried again after this.
const READ_AGAIN: Duration = Duration::from_millis(500);
/// What is set aside is looked at again at least this often: its target may be another by now.
const ASIDE_AGAIN: Duration = Duration::from_secs(1);
/// Batches of runs that are on their way to their places at once; the pump itself waits for more.
const PARKING: usize = 8;

/// A fresh run that waits for a slot.
struct Ready {
    run: Run,
    /// What arrived, where nothing has happened to the run since.
    seed: Option<(RequestId, Arc<Seed>)>,
}

/// The ring, and what is taken out of its turns.
struct Pump {
    shared: Arc<Shared>,
    ring: Ring<Ready>,
    /// Flows whose lanes are set aside, and whom they wait for.
    aside: BTreeMap<FlowId, Arc<Target>>,
    parking: Arc<Semaphore>,
}

/// Takes runs from the writer, keeps what has no slot in the ring, and starts them in turn.
pub(super) async fn pump(shared: Arc<Shared>, mut handover: Handover) {
    let mut pump = Pump {
        shared: Arc::clone(&shared),
        ring: Ring::new(RING_RUNS, RING_BYTES),
        aside: BTreeMap::new(),
        parking: Arc::new(Semaphore::new(PARKING)),
    };
    let mut open = true;
    let (begun, mut pace) = (Instant::now(), Pace::default());
    while !shared.stop.is_cancelled() {
        let missed = handover.dropped_from.swap(i64::MAX, Ordering::AcqRel);
        if missed != i64::MAX {
            pump.ring.missed(missed);
        }
        if let Some(from) = pump.ring.wants_from()
            && !read_page(&shared, &mut pump.ring, from).await
        {
            // The store is in trouble: what is in memory goes on.
            tokio::select! {
                () = tokio::time::sleep(READ_AGAIN) => {}
                () = shared.stop.cancelled() => break,
            }
        }
        pump.unload().await;
        let ready = pump.ring.ready();
        shared.slots.set_waiting(ready);
        let most = pace.most(shared.store.crowded(), begun.elapsed());
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => break,
            runs = handover.queue.recv(), if open => match runs {
                Some(runs) => pump.take_over(runs),
                None => open = false,
            },
            slot = shared.slots.take(), if ready > 0 && most > 0 => {
                let Some(slot) = slot else { break };
                pump.start_ready(slot, most).await;
                pace.started(begun.elapsed());
            }
            () = tokio::time::sleep_until(begun + pace.rest()), if ready > 0 && most == 0 => {}
            () = shared.slots.hosts().freed(), if !pump.aside.is_empty() => pump.bring_back(false),
            () = tokio::time::sleep(ASIDE_AGAIN), if !pump.aside.is_empty() => pump.bring_back(true),
            () = std::future::pending(), if !open && ready == 0 => {}
        }
        while let Ok(runs) = handover.queue.try_recv() {
            pump.take_over(runs);
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

impl Pump {
    /// Runs of a commit: those born leased leave at once, the others wait their turn.
    fn take_over(&mut self, runs: Vec<Born>) {
        for mut born in runs {
            if let Some(slot) = born.slot.take() {
                start_born(&self.shared, born, slot);
                continue;
            }
            let Born { run, request, seed, .. } = born;
            // What was parked at its birth is found in its lane.
            if run.state != RunState::Queued || run.due.is_some() {
                continue;
            }
            let bytes = seed.body.len();
            self.ring.offer(run.flow, run.id.0, bytes, || Ready { run, seed: Some((request, seed)) });
        }
    }

    /// Starts as many ready runs as there are slots and targets take, up to `most`; claims of one kind
    /// share a commit. A lane whose target has enough under way is set aside; where the target's
    /// breaker is open its runs wait in the store.
    async fn start_ready(&mut self, first: Slot, most: usize) {
        let shared = Arc::clone(&self.shared);
        let now = shared.store.now();
        let mut slot = Some(first);
        let mut started = 0;
        let mut bare: Vec<(Ready, Slot)> = Vec::new();
        let mut parked = Vec::new();
        while let Some(mut held) = slot.take() {
            if started >= most || parked.len() >= CLAIMS {
                break;
            }
            let Some((flow, ready)) = self.ring.front() else { break };
            let run = &ready.run;
            let plan = shared.store.plan(flow, run.version);
            let bound = shared.store.lane(flow).is_some();
            let target = match &plan {
                _ if bound => None,
                Some(plan) if !leaves_out(plan, run) => shared.store.target(plan, run.step as usize),
                _ => None,
            };
            let place = match &target {
                // Its flow was bounded, or held, after it was handed over, or it is a replay.
                None => bound.then(|| lane::place(run.id)),
                Some(target) => match shared.slots.hosts().enter(target, Comer::Fresh, now) {
                    Ok(pass) => {
                        held.pass = Some(pass);
                        None
                    }
                    Err(Refused::Full) => {
                        self.aside.insert(flow, Arc::clone(target));
                        self.ring.set_aside();
                        slot = Some(held);
                        continue;
                    }
                    Err(Refused::Open) => {
                        shared.slots.hosts().lined(target, now);
                        Some(lane::in_line(target.tag(), run, now))
                    }
                },
            };
            let Some(ready) = self.ring.pop() else { break };
            match (place, plan) {
                (Some(place), _) => {
                    parked.push((ready.run.id, place));
                    slot = Some(held);
                    continue;
                }
                (None, None) => {
                    slot = Some(held);
                    continue;
                }
                (None, Some(plan)) if claims_plainly(&plan, ready.run.step, ready.run.attempt) => {
                    bare.push((ready, held));
                }
                (None, Some(plan)) => start_claimed_by_rule(&shared, plan, ready, held),
            }
            started += 1;
            slot = shared.slots.take_waiting();
        }
        if !bare.is_empty() {
            shared.tasks.spawn(claim_plain(Arc::clone(&shared), bare));
        }
        self.park(parked).await;
    }

    /// Lanes that were set aside and whose targets take runs again, or none at all, have their turns;
    /// `all` of them where that may be otherwise by now.
    fn bring_back(&mut self, all: bool) {
        let hosts = self.shared.slots.hosts();
        let now = self.shared.store.now();
        let ring = &mut self.ring;
        self.aside.retain(|flow, target| {
            let stays = !all && hosts.room(target, Comer::Fresh, now) == Err(Refused::Full);
            if !stays {
                ring.bring_back(*flow);
            }
            stays
        });
    }

    /// What is set aside and has no room waits in the store, from the longest lane on.
    async fn unload(&mut self) {
        while self.ring.is_laden() {
            let longest = self.aside.iter().max_by_key(|(flow, _)| self.ring.aside(**flow));
            let Some((flow, target)) = longest.map(|(flow, target)| (*flow, Arc::clone(target))) else {
                break;
            };
            let now = self.shared.store.now();
            let mut parked = Vec::new();
            while parked.len() < CLAIMS
                && let Some(ready) = self.ring.pop_aside(flow)
            {
                parked.push((ready.run.id, lane::in_line(target.tag(), &ready.run, now)));
            }
            if parked.is_empty() {
                self.aside.remove(&flow);
            }
            self.shared.slots.hosts().lined(&target, now);
            self.park(parked).await;
        }
    }

    /// Sends runs to their places. Where the store takes no writes they stay queued, and are read again
    /// like others.
    async fn park(&self, parked: Vec<(RunId, Ms)>) {
        if parked.is_empty() {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let Ok(permit) = Arc::clone(&self.parking).try_acquire_owned() else {
            let _ = shared.store.park(parked).await;
            return;
        };
        shared.clone().tasks.spawn(async move {
            let _ = shared.store.park(parked).await;
            drop(permit);
        });
    }
}

/// Whether a run's claim may leave its step out.
fn leaves_out(plan: &Plan, run: &Run) -> bool {
    run.attempt == 0 && plan.flow.steps.get(run.step as usize).is_some_and(|step| step.when.is_some())
}

fn start_born(shared: &Arc<Shared>, born: Born, slot: Slot) {
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
                put_back(&shared, carried, None).await;
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
    let snapshot = Snapshot {
        run,
        frame: Frame::default(),
        step_name,
        callbacks: Vec::new(),
        context,
        results: BTreeMap::new(),
    };
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

/// Claims fresh runs in one commit, and carries each in a task of its own.
async fn claim_plain(shared: Arc<Shared>, ready: Vec<(Ready, Slot)>) {
    let until = shared.store.now() + LEASE;
    let claims =
        ready.iter().map(|(ready, _)| Claim { run: ready.run.id, seq: ready.run.seq, until }).collect();
    // Where the store takes no writes the runs stay queued, and are read again by the next start or
    // once they were promoted into the due index.
    let Ok(claimed) = shared.store.claim(claims).await else { return };
    let mut waiting: HashMap<RunId, (Ready, Slot)> =
        ready.into_iter().map(|(ready, slot)| (ready.run.id, (ready, slot))).collect();
    for run in claimed {
        let Some((ready, slot)) = waiting.remove(&run.id) else { continue };
        let task = {
            let shared = Arc::clone(&shared);
            async move {
                let Some((request, seed)) = &ready.seed else {
                    return carry_stored(shared, run, slot).await;
                };
                if let Some(carried) = from_memory(&shared, run, Some((*request, seed))) {
                    carry(shared, carried, slot).await;
                }
            }
        };
        shared.tasks.spawn(task);
    }
}

/// Claims a run whose claim writes more than columns: a callback's row, steps that send nothing.
fn start_claimed_by_rule(shared: &Arc<Shared>, plan: Arc<Plan>, ready: Ready, slot: Slot) {
    let task = {
        let shared = Arc::clone(shared);
        async move {
            let Ready { run, seed: Some((request, seed)) } = ready else {
                claim_stored(shared, ready.run, slot).await;
                return;
            };
            let context = shared.store.context_of(&plan, &run, Some((request, &seed)));
            let step_name = plan.flow.steps.first().map(|step| step.name.clone()).unwrap_or_default();
            let snapshot = Snapshot {
                run,
                frame: Frame::default(),
                step_name,
                callbacks: Vec::new(),
                context,
                results: BTreeMap::new(),
            };
            let mut carried = Carried { plan, snapshot, hops: seed.hops };
            let claim = Input::Claimed { owner: shared.store.owner(), until: shared.store.now() + LEASE };
            if settle(&shared, &mut carried, claim).await == Some(Effect::Send) {
                carry(shared, carried, slot).await;
            }
        }
    };
    shared.tasks.spawn(task);
}
