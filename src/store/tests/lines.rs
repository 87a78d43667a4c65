//! Lines of targets in the store: who waits is found in order, by as many as the target takes.

use super::*;
use crate::model::target::Target;
use crate::rules::lane::{in_line, tag_of};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A gate to one target that takes so many runs more.
struct Turnstile {
    tag: u32,
    room: AtomicUsize,
    tags: Mutex<Vec<u32>>,
}

impl Turnstile {
    fn new(tag: u32, room: usize) -> Arc<Self> {
        Arc::new(Self { tag, room: AtomicUsize::new(room), tags: Mutex::default() })
    }

    fn seen(&self) -> Vec<u32> {
        self.tags.lock().unwrap().clone()
    }
}

impl Gate for Turnstile {
    fn room(&self, run: &Run) -> usize {
        assert_eq!(run.due.and_then(tag_of), Some(self.tag));
        self.room.load(Ordering::SeqCst)
    }

    fn enter(&self, run: &Run) -> Option<Ms> {
        let left = |room: usize| room.checked_sub(1);
        match self.room.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left) {
            Ok(_) => None,
            Err(_) => Some(in_line(self.tag, run, T0)),
        }
    }

    fn lines(&self, tags: &[u32]) {
        *self.tags.lock().unwrap() = tags.to_vec();
    }
}

fn tag() -> u32 {
    Target { host: "a.example".to_owned(), port: 443, secret: false }.tag()
}

/// So many queued runs of each flow that are due, in order of arrival.
async fn due(store: &Store, flows: &[i64], each: usize) -> Vec<RunId> {
    let mut ids = Vec::new();
    for flow in flows.iter().cycle().take(each * flows.len()) {
        let judgement = Judgement::Admit { key: None, birth: Birth::Fresh };
        let accepted = accept(store, Accept { seed: seed(*flow, "{}"), judgement }).await.unwrap();
        let run = store.load(accepted.run.unwrap().0).await.unwrap().unwrap().run;
        store.commit(step(&run, |run| run.due = Some(T0))).await.unwrap();
        ids.push(run.id);
    }
    ids
}

/// What a look starts, taken out of the index as a claim would.
async fn look(store: &Store, gate: &Arc<Turnstile>, limit: usize) -> Vec<RunId> {
    let gate: Arc<dyn Gate> = gate.clone();
    let due = store.due(T0, limit, &mut Holders::default(), &gate).await.unwrap();
    for run in &due.runs {
        if run.state == RunState::Queued {
            store.commit(step(run, |run| (run.state, run.due) = (RunState::Errored, None))).await.unwrap();
        }
    }
    due.runs.iter().map(|run| run.id).collect()
}

#[tokio::test]
async fn who_finds_no_room_waits_in_line_and_leaves_in_order_also_after_a_restart() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let ids = due(&store, &[1], 30).await;
    let gate = Turnstile::new(tag(), 4);
    assert_eq!(look(&store, &gate, 100).await, ids[..4]);
    assert_eq!(gate.seen(), [tag(); 26]);
    let run = store.load(ids[4]).await.unwrap().unwrap();
    // The entry that made it due is its only one.
    assert_eq!((run.run.state, run.run.attempt, run.journal.len()), (RunState::Queued, 0, 1), "no attempt");
    assert_eq!(run.run.due.and_then(tag_of), Some(tag()));
    let seq = run.run.seq;
    // Nothing is written while it waits, and nothing is due.
    assert_eq!(look(&store, &gate, 100).await, []);
    assert_eq!(store.load(ids[4]).await.unwrap().unwrap().run.seq, seq);
    let shut: Arc<dyn Gate> = gate.clone();
    assert_eq!(store.next_due(&mut Holders::default(), &shut).await.unwrap(), None);
    assert_eq!(gate.seen(), [tag()]);
    // Who is due later goes behind those who wait.
    let late = due(&store, &[1], 1).await[0];
    gate.room.store(7, Ordering::SeqCst);
    assert_eq!(look(&store, &gate, 100).await, ids[4..11]);
    drop((shut, store));
    let (store, _handover) = rig.open();
    assert_eq!(store.lines(), std::collections::BTreeMap::from([(tag(), 20)]));
    gate.room.store(usize::MAX, Ordering::SeqCst);
    let mut rest = look(&store, &gate, 12).await;
    assert_eq!(rest.len(), 12, "never more than there are slots");
    rest.extend(look(&store, &gate, 100).await);
    assert_eq!(rest[..19], ids[11..]);
    assert_eq!(rest[19..], [late]);
    healthy(&store).await;
}

#[tokio::test]
async fn flows_share_what_a_target_takes() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let ids = due(&store, &[1, 2, 3], 20).await;
    let gate = Turnstile::new(tag(), 0);
    assert_eq!(look(&store, &gate, 300).await, []);
    gate.room.store(6, Ordering::SeqCst);
    let mut started = look(&store, &gate, 300).await;
    started.sort_unstable();
    assert_eq!(started, ids[..6], "two of each, in order");
}

#[tokio::test]
async fn a_look_takes_no_more_than_there_are_slots_however_many_are_due_at_once() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let ids = due(&store, &[1, 2], 600).await;
    let gate = Turnstile::new(tag(), usize::MAX);
    let mut all = Vec::new();
    while all.len() < ids.len() {
        let some = look(&store, &gate, 256).await;
        assert!(!some.is_empty() && some.len() <= 256);
        all.extend(some);
    }
    all.sort_unstable();
    assert_eq!(all, ids);
}

#[tokio::test]
async fn what_waits_in_the_line_of_a_target_is_not_late() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    due(&store, &[1], 3).await;
    until("what nobody takes is late", || async { store.counters().oldest.is_some() }).await;
    let gate = Turnstile::new(tag(), 0);
    assert_eq!(look(&store, &gate, 100).await, []);
    until("what its target keeps waiting is not", || async { store.counters().oldest.is_none() }).await;
    assert_eq!(store.counters().queue, 3, "it waits all the same");
}
