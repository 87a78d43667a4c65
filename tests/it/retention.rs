//! What is older than `retention` leaves, what an open run needs stays, and the file shrinks.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use pointsman::feed::Feed;
use pointsman::model::headers::Headers;
use pointsman::model::request::{DedupKey, Marks, Seed};
use pointsman::model::run::{Detail, Entry, EntryKind, Got, Run, RunState};
use pointsman::model::settings::Limits;
use pointsman::model::time::DAY;
use pointsman::model::view::CheckState;
use pointsman::model::{FlowId, Ms, RequestId, RunId};
use pointsman::rules::advance::{Effect, Transition};
use pointsman::store::clock::Clock;
use pointsman::store::{Accept, Admitted, Again, Birth, Handover, Judgement, Launch, Options, Store};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const T0: Ms = 1_795_000_000_000;

fn open(folder: &Path, clock: &Clock) -> (Store, Handover) {
    let limits = Limits { free_disk: 0, ..Limits::default() };
    let public_url = "http://127.0.0.1:7700".to_owned();
    Store::open(folder, Options { limits, feed: Feed::default(), public_url, clock: clock.clone() }).unwrap()
}

async fn accept(store: &Store, body: &str, key: u8, birth: Birth) -> Admitted {
    let seed = Seed {
        flow: FlowId(1),
        version: 1,
        marks: Marks::default(),
        method: "POST".into(),
        path: String::new(),
        query: String::new(),
        headers: Headers::default(),
        body: body.to_owned().into(),
        peer: None,
        actor: None,
        hops: 0,
    };
    let key = (key > 0).then_some(DedupKey { key: [key; 16], window: 7 * DAY, from_first: false });
    let judgement = Judgement::Admit { key, birth };
    store.accept(Accept { seed: Arc::new(seed), judgement }).unwrap().await.unwrap().unwrap()
}

async fn to(store: &Store, run: RunId, state: RunState) -> Run {
    let before = store.load(run).await.unwrap().unwrap().run;
    let ended = state.ended().then(|| store.now());
    let next = Run { state, seq: before.seq + 1, due: None, ended, ..before.clone() };
    let entry = Entry {
        run,
        seq: next.seq,
        at: store.now(),
        kind: EntryKind::Answer,
        step: 0,
        item: None,
        attempt: 1,
        status: Some(500),
        actor: None,
        detail: Detail { run_state: Some(state), ..Detail::default() },
        sent: None,
        got: Some(Got { status: 500, body: "no".into(), ..Got::default() }),
        answer: None,
    };
    let transition = Transition {
        guard: before.seq,
        run: next.clone(),
        frame: None,
        entry: Some(entry),
        callbacks: Vec::new(),
        cause: None,
        finished: Vec::new(),
        results: Vec::new(),
        list: None,
        took: None,
        effect: Effect::None,
    };
    store.commit(transition).await.unwrap();
    next
}

async fn gone(store: &Store, id: RequestId) -> bool {
    store.request(id).await.unwrap().is_none()
}

async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let end = Instant::now() + Duration::from_mins(1);
    while !holds().await {
        assert!(Instant::now() < end, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn healthy(store: &Store) {
    for check in store.doctor().await {
        assert_eq!(check.state, CheckState::Ok, "{}: {}", check.name, check.text);
    }
}

#[tokio::test]
async fn what_is_old_and_over_leaves_and_what_is_open_stays() {
    let home = tempfile::tempdir().unwrap();
    let clock = Clock::manual(T0);
    let (store, _handover) = open(home.path(), &clock);
    let done = accept(&store, "1", 1, Birth::Done).await;
    let copy = accept(&store, "1", 1, Birth::Done).await;
    assert_eq!(copy.duplicate_of, Some(done.request));
    let queued = accept(&store, "2", 0, Birth::Fresh).await;
    let errored = accept(&store, "3", 0, Birth::Fresh).await;
    to(&store, errored.run.unwrap().0, RunState::Errored).await;
    let replayed = accept(&store, "4", 0, Birth::Done).await;
    let late = accept(&store, "5", 0, Birth::Fresh).await;
    clock.advance(29 * DAY);
    // It ended a day before the others are old: it is looked at again when that is old.
    to(&store, late.run.unwrap().0, RunState::Failed).await;
    let original = store.request(replayed.request).await.unwrap().unwrap();
    let judgement = Judgement::Replay {
        of: Some(replayed.request),
        runs: vec![Again { parent: replayed.run.map(|run| run.0), element: None }],
        launch: Launch::Fresh,
    };
    let replay = store.accept(Accept { seed: Arc::new(original.seed.clone()), judgement }).unwrap();
    let replay = replay.await.unwrap().unwrap().run.unwrap().0;
    let young = accept(&store, "6", 0, Birth::Done).await;
    let counted = store.counters();

    // To the millisecond: what is as old as the bound is not past it.
    clock.advance(DAY);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(!gone(&store, done.request).await);
    clock.advance(1);
    until("the first leaves", || gone(&store, done.request)).await;
    let short = pointsman::model::id::short(&store.ids().print(done.request)).to_owned();
    let told = store.request_detail(done.request).await.unwrap_err();
    assert_eq!(told.message, format!("{short} is older than the retention of 30d and was deleted"));
    assert_eq!(told.exit, 3);
    until("its copy leaves", || gone(&store, copy.request)).await;
    until("the replayed run leaves", || async {
        store.load(replayed.run.unwrap().0).await.unwrap().is_none()
    })
    .await;
    for kept in [&queued, &errored, &late, &young] {
        assert!(!gone(&store, kept.request).await);
    }
    assert_eq!(store.load(late.run.unwrap().0).await.unwrap().unwrap().journal.len(), 1);
    assert!(!gone(&store, replayed.request).await, "a replay of it is open");
    to(&store, replay, RunState::Aborted).await;
    // What was counted since the store was made stays counted; runs are those that are there.
    let now = store.counters();
    assert_eq!((now.accepted, now.duplicates), (counted.accepted, counted.duplicates));
    assert_eq!(now.runs[RunState::Succeeded as usize], 1);
    healthy(&store).await;

    clock.advance(31 * DAY);
    until("what ended meanwhile leaves", || async {
        gone(&store, late.request).await && gone(&store, replayed.request).await
    })
    .await;
    assert!(!gone(&store, errored.request).await && !gone(&store, queued.request).await);
    assert_eq!(store.load(queued.run.unwrap().0).await.unwrap().unwrap().run.state, RunState::Queued);
    healthy(&store).await;
    store.close().await;

    // The ledger is gone but for its end: time, ids and totals go on from there.
    let (store, _handover) = open(home.path(), &Clock::manual(T0));
    assert_eq!(store.now(), T0 + 61 * DAY + 1);
    assert_eq!(store.counters().accepted, counted.accepted);
    let next = accept(&store, "7", 1, Birth::Done).await;
    assert!(next.request > young.request && next.duplicate_of.is_none());
    let checks = store.doctor().await;
    let odd: Vec<_> =
        checks.iter().filter(|check| check.state != CheckState::Ok).map(|check| &check.name).collect();
    assert_eq!(odd, ["clock"], "the wall clock is two months behind, and nothing else is wrong");
}

#[tokio::test]
async fn the_file_shrinks() {
    let home = tempfile::tempdir().unwrap();
    let clock = Clock::manual(T0);
    let (store, _handover) = open(home.path(), &clock);
    let body = "x".repeat(64 << 10);
    for _ in 0..400 {
        accept(&store, &body, 0, Birth::Done).await;
    }
    let size = || std::fs::metadata(home.path().join("pointsman.db")).unwrap().len();
    store.close().await;
    let full = size();
    assert!(full > 24 << 20, "{full}");
    clock.advance(31 * DAY);
    let (store, _handover) = open(home.path(), &clock);
    until("all runs are gone", || async { store.counters().runs[RunState::Succeeded as usize] == 0 }).await;
    let end = Instant::now() + Duration::from_mins(1);
    // The file gets smaller as the write-ahead log is carried over into it.
    while size() > full / 4 {
        assert!(Instant::now() < end, "{} of {full}", size());
        accept(&store, "{}", 0, Birth::Done).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    healthy(&store).await;
}
