//! Leases, claims, timers, groups, callbacks: what moves runs keeps them findable.

use super::*;
use crate::model::RequestId;
use crate::scheduler::Slots;
use crate::store::moves;

#[tokio::test]
async fn a_born_lease_is_lost_with_its_process_and_held_by_a_living_one() {
    let rig = Rig::new();
    let slots = Slots::new(1);
    let (store, mut handover) = rig.open();
    let slot = slots.take_waiting().unwrap();
    let admitted = accept(&store, admit("{}", None, Birth::Direct(slot))).await.unwrap();
    let (id, state) = admitted.run.unwrap();
    assert_eq!(state, RunState::Running);
    let born = handover.queue.recv().await.unwrap().remove(0);
    assert!(born.slot.is_some() && slots.free() == 0);
    assert_eq!((born.run.fence, born.run.attempt, born.run.due, born.run.owner), (1, 1, None, store.owner()));
    assert!(store.lost(store.now(), 10).await.unwrap().is_empty());
    drop((born, handover, store));

    let (store, _handover) = rig.open();
    let lost = store.lost(store.now(), 10).await.unwrap();
    assert_eq!((lost.len(), lost[0].id, lost[0].seq), (1, id, 0));
    healthy(&store).await;
}

#[tokio::test]
async fn a_lease_is_given_after_ten_seconds_and_the_watermark_follows() {
    let rig = Rig::new();
    let slots = Slots::new(1);
    let (store, _handover) = rig.open();
    let slot = slots.take_waiting().unwrap();
    let leased = accept(&store, admit("{}", None, Birth::Direct(slot))).await.unwrap().run.unwrap().0;
    let low = || async {
        store
            .read(|conn| conn.query_row("SELECT fresh_low FROM node", [], |row| row.get::<_, i64>(0)))
            .await
            .unwrap()
    };
    until("the watermark is at the oldest", || async { low().await == leased.0 }).await;
    rig.clock.advance(9_999);
    let waits = fresh(&store).await;
    rig.clock.advance(1);
    until("a lease", || async { store.load(leased).await.unwrap().unwrap().run.due.is_some() }).await;
    let run = store.load(leased).await.unwrap().unwrap().run;
    assert_eq!((run.due, run.seq), (Some(store.now() + LEASE), 0));
    until("the watermark passes it", || async { low().await == waits.0 }).await;
    // Its attempt still counts, and a run that goes on in place keeps a `due` now.
    store.commit(step(&run, |run| run.due = None)).await.unwrap();
    assert_eq!(store.load(leased).await.unwrap().unwrap().run.due, Some(store.now() + LEASE));
    store.renew(vec![leased], store.now() + 2 * LEASE).await.unwrap();
    rig.clock.advance(LEASE + 1);
    assert!(store.lost(store.now(), 10).await.unwrap().is_empty());
    rig.clock.advance(LEASE);
    assert_eq!(store.lost(store.now(), 10).await.unwrap()[0].id, leased);
    healthy(&store).await;
}

#[tokio::test]
async fn fresh_and_retrying_runs_are_claimed_once() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let run = store.load(fresh(&store).await).await.unwrap().unwrap().run;
    let claim = Claim { run: run.id, seq: run.seq, until: store.now() + LEASE };
    let claimed = store.claim(vec![claim, claim]).await.unwrap();
    assert_eq!(claimed.len(), 1);
    let run = &claimed[0];
    assert_eq!((run.state, run.fence, run.attempt, run.seq, run.due), (RunState::Running, 1, 1, 1, None));
    assert_eq!((run.started, run.owner), (Some(T0), store.owner()));
    let signal = store.due_signal();
    store
        .commit(step(run, |run| {
            run.state = RunState::Retrying;
            run.due = Some(T0 + 500);
        }))
        .await
        .unwrap();
    tokio::time::timeout(Duration::from_secs(5), signal.notified()).await.expect("the signal");
    assert_eq!(store.next_due(&mut Holders::default(), &ungated()).await.unwrap(), Some(T0 + 500));
    assert!(store.due_rows(T0 + 499, 10).await.unwrap().is_empty());
    let rows = store.due_rows(T0 + 500, 10).await.unwrap();
    let claim = Claim { run: rows[0].id, seq: rows[0].seq, until: T0 + 500 + LEASE };
    let run = store.claim(vec![claim]).await.unwrap().remove(0);
    assert_eq!((run.fence, run.attempt, run.due), (2, 2, Some(T0 + 500 + LEASE)));
    assert_eq!(store.counters().runs[RunState::Running as usize], 1);
    assert!(store.due_rows(T0 + DAY, 10).await.unwrap().is_empty());
    healthy(&store).await;
}

#[tokio::test]
async fn flows_share_what_is_due() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    for (flow, n) in [(1, 40), (2, 3), (3, 40)] {
        for _ in 0..n {
            let judgement = Judgement::Admit { key: None, birth: Birth::Fresh };
            let (id, _) =
                accept(&store, Accept { seed: seed(flow, "{}"), judgement }).await.unwrap().run.unwrap();
            let run = store.load(id).await.unwrap().unwrap().run;
            store.commit(step(&run, |run| run.due = Some(T0))).await.unwrap();
        }
    }
    let of = |runs: &[Run], flow| runs.iter().filter(|run| run.flow == FlowId(flow)).count();
    let runs = store.due_rows(T0, 30).await.unwrap();
    assert_eq!((runs.len(), of(&runs, 2)), (30, 3));
    assert!(of(&runs, 1) >= 10 && of(&runs, 3) >= 10);
    assert_eq!(store.due_rows(T0, 1_000).await.unwrap().len(), 83);
    assert_eq!(store.due_rows(T0, 1).await.unwrap().len(), 1);
    healthy(&store).await;
}

#[tokio::test]
async fn groups_and_callbacks_are_counted_through_their_moves() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let run = store.load(fresh(&store).await).await.unwrap().unwrap().run;
    let id = CallbackId(store.fresh_id());
    let callback = Callback {
        id,
        run: run.id,
        step: 0,
        attempt: 1,
        hash: [5; 32],
        state: CallbackState::Pending,
        deadline: T0 + 1_000,
        created: T0,
        received: None,
        status: None,
        digest: None,
    };
    let mut waits = step(&run, |run| {
        run.state = RunState::Waiting;
        run.attempt = 1;
        run.due = Some(T0 + 1_000);
    });
    waits.callbacks = vec![CallbackWrite::New(callback.clone())];
    store.commit(waits.clone()).await.unwrap();
    assert_eq!(store.callback(id).await.unwrap(), Some(callback));
    assert_eq!(store.counters().callbacks_pending, 1);
    assert_eq!(store.lost(T0 + 1_000, 10).await.unwrap()[0].id, run.id);

    let cause = Cause { step: "push".into(), text: "expired at 12".into(), normal: "expired at #".into() };
    let mut expired = step(&waits.run, |run| {
        run.state = RunState::Errored;
        run.due = None;
    });
    expired.cause = Some(cause.clone());
    let moved = |state| CallbackWrite::Move { id, state, received: None, status: None, digest: None };
    expired.callbacks = vec![moved(CallbackState::Expired)];
    store.commit(expired.clone()).await.unwrap();
    let count = || async {
        store
            .read(|conn| {
                conn.query_row("SELECT count, seen FROM cause", [], |row| Ok((row.get(0)?, row.get(1)?)))
            })
            .await
            .unwrap()
    };
    assert_eq!(count().await, (1i64, 1i64));
    let at = store.load(run.id).await.unwrap().unwrap().run;
    assert_eq!(at.cause, Some(moves::cause_id(FlowId(1), &cause)));
    assert_eq!(store.counters().callbacks_pending, 0);
    until("it is overdue", || async { store.counters().callbacks_overdue == 1 }).await;

    let mut queued = step(&at, |run| {
        run.state = RunState::Queued;
        run.due = Some(T0);
    });
    queued.callbacks = vec![moved(CallbackState::Cancelled)];
    store.commit(queued).await.unwrap();
    assert_eq!(count().await, (0, 1));
    until("it is not overdue", || async { store.counters().callbacks_overdue == 0 }).await;
    healthy(&store).await;
}

fn again(parent: RunId, of: Option<RequestId>) -> Judgement {
    let runs = vec![Again { parent: Some(parent), element: None }];
    Judgement::Replay { of, runs, launch: Launch::Fresh }
}

#[tokio::test]
async fn a_replay_has_a_parent_and_no_key() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let first = accept(&store, admit("{}", key(1), Birth::Done)).await.unwrap();
    let (parent, state) = first.run.unwrap();
    assert_eq!(state, RunState::Succeeded);
    let judgement = again(parent, Some(first.request));
    let replayed = accept(&store, Accept { seed: seed(1, "{}"), judgement }).await.unwrap();
    assert_eq!(replayed.request, first.request);
    let loaded = store.load(replayed.run.unwrap().0).await.unwrap().unwrap();
    assert_eq!((loaded.run.parent, loaded.run.request), (Some(parent), Some(first.request)));
    let judgement = again(parent, None);
    let edited = accept(&store, Accept { seed: seed(1, r#"{"b":2}"#), judgement }).await.unwrap();
    assert_ne!(edited.request, first.request);
    assert_eq!(&store.request(edited.request).await.unwrap().unwrap().seed.body[..], br#"{"b":2}"#);
    assert_eq!(store.counters().accepted, 2);
    healthy(&store).await;
}

#[tokio::test]
async fn what_the_runner_does_not_take_is_left_for_it_to_read_and_leases_always_fit() {
    let rig = Rig::new();
    let slots = Slots::new(rig.limits.slots);
    let (store, mut handover) = rig.open();
    let mut ids = Vec::new();
    for _ in 0..links::HANDOVER + 5 {
        ids.push(fresh(&store).await.0);
    }
    let mut leased = Vec::new();
    for _ in 0..rig.limits.slots {
        let slot = slots.take_waiting().expect("born-leased runs are never dropped");
        leased.push(accept(&store, admit("{}", None, Birth::Direct(slot))).await.unwrap().run.unwrap().0.0);
    }
    assert_eq!(leased.len(), rig.limits.slots);
    let mut got = Vec::new();
    while let Ok(born) = handover.queue.try_recv() {
        got.extend(born.into_iter().map(|born| born.run.id.0));
    }
    let dropped = handover.dropped_from.load(std::sync::atomic::Ordering::Acquire);
    assert_eq!(dropped, ids[links::HANDOVER]);
    assert!(leased.iter().all(|id| got.contains(id)));
    let read = store.fresh_from(dropped, 100).await.unwrap();
    assert_eq!(read.iter().map(|run| run.id.0).collect::<Vec<_>>(), ids[links::HANDOVER..]);
}

const DOCUMENT: &str = r#"
name = "acme"

[[flow]]
name = "Plain"
[flow.trigger]
type = "webhook"
path = "plain"
auth = { type = "none" }
[[flow.step]]
name = "push"
type = "request"
method = "POST"
url = "http://127.0.0.1:9000/"

[[flow]]
name = "Called back"
[flow.trigger]
type = "webhook"
path = "called"
auth = { type = "none" }
[[flow.step]]
name = "push"
type = "request"
method = "POST"
url = "http://127.0.0.1:9000/"
callback = true
"#;

#[tokio::test]
async fn what_is_due_is_claimed_unless_its_step_wants_more_than_columns() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let checked = crate::rules::check::check(DOCUMENT, &crate::rules::check::Known::default());
    let integration = checked.integration.unwrap_or_else(|| panic!("{:?}", checked.problems));
    let save = registry::Save { integration, source: DOCUMENT.to_owned(), base: None };
    store.save(vec![save], "ada", None, true).await.unwrap();
    let routes = store.routes();
    let mut runs = Vec::new();
    for path in ["plain", "called"] {
        let Some(registry::Route::Live(plan)) = routes.by_name.get(path) else { panic!("{path}") };
        let mut seed = (*seed(plan.flow_id.0, "{}")).clone();
        seed.version = plan.version;
        let judgement = Judgement::Admit { key: None, birth: Birth::Fresh };
        let (id, _) = accept(&store, Accept { seed: Arc::new(seed), judgement }).await.unwrap().run.unwrap();
        let run = store.load(id).await.unwrap().unwrap().run;
        store.commit(step(&run, |run| run.due = Some(T0))).await.unwrap();
        runs.push(id);
    }
    let due = store.due(T0, 10, &mut Holders::default(), &ungated()).await.unwrap().runs;
    let of = |id| due.iter().find(|run| run.id == id).unwrap();
    let (plain, called) = (of(runs[0]), of(runs[1]));
    assert_eq!((plain.state, plain.attempt, plain.due), (RunState::Running, 1, Some(T0 + LEASE)));
    assert_eq!((called.state, called.attempt, called.due), (RunState::Queued, 0, Some(T0)));
    assert_eq!(store.load(runs[0]).await.unwrap().unwrap().run, *plain);
    let again = store.due(T0, 10, &mut Holders::default(), &ungated()).await.unwrap().runs;
    assert_eq!(again.iter().map(|run| run.id).collect::<Vec<_>>(), [runs[1]]);
}
