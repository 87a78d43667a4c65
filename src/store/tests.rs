//! The store as its users see it: what is answered is there, also after a fault.

use super::*;
use crate::model::headers::Headers;
use crate::model::request::{DedupKey, Marks, Seed};
use crate::model::run::{Callback, CallbackState, EntryKind};
use crate::model::time::{DAY, HOUR};
use crate::model::{CallbackId, RequestId};
use crate::rules::advance::{CallbackWrite, Cause, Effect};
use std::path::Path;
use std::time::{Duration, Instant};

/// 2026-11-18.
const T0: Ms = 1_795_000_000_000;

struct Rig {
    home: tempfile::TempDir,
    clock: Clock,
    limits: Limits,
    feed: Feed,
}

impl Rig {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            clock: Clock::manual(T0),
            limits: Limits { free_disk: 0, slots: 4, ..Limits::default() },
            feed: Feed::default(),
        }
    }

    fn folder(&self) -> &Path {
        self.home.path()
    }

    fn file(&self) -> PathBuf {
        self.folder().join(schema::FILE)
    }

    fn open(&self) -> (Store, Handover) {
        let options = Options {
            limits: self.limits.clone(),
            feed: self.feed.clone(),
            public_url: "http://127.0.0.1:7700".into(),
            clock: self.clock.clone(),
        };
        Store::open(self.folder(), options).unwrap()
    }

    fn conn(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }
}

fn seed(flow: i64, body: &str) -> Arc<Seed> {
    Arc::new(Seed {
        flow: FlowId(flow),
        version: 3,
        marks: Marks::default(),
        method: "POST".into(),
        path: "rest".into(),
        query: "a=1".into(),
        headers: Headers::from_pairs([("Content-Type", "application/json")]),
        body: body.to_owned().into(),
        peer: Some("127.0.0.1".into()),
        actor: None,
        hops: 1,
    })
}

fn key(n: u8) -> Option<DedupKey> {
    Some(DedupKey { key: [n; 16], window: DAY, from_first: false })
}

fn admit(body: &str, key: Option<DedupKey>, birth: Birth) -> Accept {
    Accept { seed: seed(1, body), judgement: Judgement::Admit { key, birth } }
}

fn refuse(flow: i64) -> Accept {
    let judgement = Judgement::Refuse { status: 400, cause: "not JSON at line 1".into() };
    Accept { seed: seed(flow, "{"), judgement }
}

async fn accept(store: &Store, accept: Accept) -> Result<Admitted, StoreError> {
    store.accept(accept).expect("room in the queue").await.expect("an answer")
}

async fn fresh(store: &Store) -> RunId {
    accept(store, admit("{}", None, Birth::Fresh)).await.unwrap().run.unwrap().0
}

/// Waits for a condition.
async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(Instant::now() < end, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn step(run: &Run, change: impl FnOnce(&mut Run)) -> Transition {
    let mut next = run.clone();
    next.seq += 1;
    change(&mut next);
    let entry = Entry {
        run: run.id,
        seq: next.seq,
        at: T0,
        kind: EntryKind::Answer,
        step: next.step,
        attempt: next.attempt,
        status: Some(200),
        actor: None,
        detail: crate::model::run::Detail { elapsed_ms: Some(12), ..Default::default() },
        sent: Some(crate::model::run::Sent { method: "POST".into(), ..Default::default() }),
        got: Some(crate::model::run::Got { status: 200, body: "ok".into(), ..Default::default() }),
    };
    Transition {
        guard: run.seq,
        run: next,
        frame: None,
        entry: Some(entry),
        callbacks: Vec::new(),
        cause: None,
        finished: Vec::new(),
        effect: Effect::None,
    }
}

#[tokio::test]
async fn what_was_accepted_loads_as_it_came_and_a_transition_moves_it() {
    let rig = Rig::new();
    let (store, mut handover) = rig.open();
    let admitted = accept(&store, admit(r#"{"a":1}"#, key(1), Birth::Fresh)).await.unwrap();
    let (id, state) = admitted.run.unwrap();
    assert_eq!((id.0, state), (admitted.request.0, RunState::Queued));
    let born = handover.queue.recv().await.unwrap();
    assert_eq!(born[0].run.id, id);

    let loaded = store.load(id).await.unwrap().unwrap();
    assert_eq!(loaded.run, born[0].run);
    let request = loaded.request.unwrap();
    assert_eq!((&request.seed.body[..], request.dedup), (&br#"{"a":1}"#[..], Some([1; 16])));
    assert_eq!(request.seed.headers.get("content-type").as_deref(), Some("application/json"));

    let mut transition = step(&loaded.run, |run| {
        run.state = RunState::Succeeded;
        run.ended = Some(T0);
    });
    transition.frame = Some(Frame { with_skips: true, ..Frame::default() });
    let entry = transition.entry.clone().unwrap();
    store.commit(transition.clone()).await.unwrap();
    assert_eq!(store.commit(transition).await, Err(StoreError::Stale));
    let loaded = store.load(id).await.unwrap().unwrap();
    assert_eq!((loaded.run.state, loaded.run.seq), (RunState::Succeeded, 1));
    assert!(loaded.frame.with_skips);
    assert_eq!(loaded.journal, vec![entry]);
    store.close().await;
}

#[tokio::test]
async fn of_many_identical_requests_at_once_exactly_one_is_fresh() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { accept(&store, admit("{}", key(7), Birth::Fresh)).await.unwrap() })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.unwrap());
    }
    let fresh: Vec<_> = all.iter().filter(|admitted| admitted.verdict == Verdict::Accepted).collect();
    assert_eq!(fresh.len(), 1);
    let first = fresh[0].request;
    for other in all.iter().filter(|admitted| admitted.verdict != Verdict::Accepted) {
        assert_eq!((other.verdict, other.duplicate_of, other.run), (Verdict::Duplicate, Some(first), None));
        let row = store.request(other.request).await.unwrap().unwrap();
        assert_eq!((row.status, row.runs, row.duplicate_of), (Some(204), 0, Some(first)));
    }
    assert_eq!((store.counters().accepted, store.counters().duplicates), (1, 63));
    healthy(&store).await;
}

async fn healthy(store: &Store) {
    for check in store.doctor().await {
        assert_eq!(check.state, crate::model::view::CheckState::Ok, "{}: {}", check.name, check.text);
    }
}

/// Reads figures once they hold still: those that are read once a second.
fn figures(store: &Store) -> [u64; 6] {
    let of = store.counters();
    [
        of.accepted,
        of.duplicates,
        of.filtered,
        of.rejected,
        of.runs[RunState::Queued as usize],
        of.callbacks_pending,
    ]
}

#[tokio::test]
async fn a_crash_takes_nothing_that_was_answered() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let first = accept(&store, admit("{}", key(1), Birth::Fresh)).await.unwrap();
    let second = accept(&store, admit("{}", key(2), Birth::Fresh)).await.unwrap();
    accept(&store, admit("{}", key(1), Birth::Fresh)).await.unwrap();
    accept(&store, refuse(1)).await.unwrap();
    let filter = Accept { seed: seed(1, "{}"), judgement: Judgement::Filter { cause: "when".into() } };
    accept(&store, filter).await.unwrap();
    assert!(store.forget_key([2; 16]).await.unwrap());
    assert!(!store.forget_key([3; 16]).await.unwrap());
    let before = figures(&store);
    assert_eq!(before, [2, 1, 1, 1, 2, 0]);
    let owner = store.owner();
    // The machine's clock is wrong after the restart: engine time is not.
    rig.clock.set_wall(T0 - HOUR);
    drop(store);

    let rig = Rig { clock: Clock::manual(T0 - HOUR), ..rig };
    let (store, _handover) = rig.open();
    assert_eq!(store.now(), T0);
    assert_eq!(store.owner(), owner + 1);
    assert_eq!(figures(&store), before);
    let again = accept(&store, admit("{}", key(1), Birth::Fresh)).await.unwrap();
    assert_eq!((again.verdict, again.duplicate_of), (Verdict::Duplicate, Some(first.request)));
    assert!(again.request > second.request);
    let forgotten = accept(&store, admit("{}", key(2), Birth::Fresh)).await.unwrap();
    assert_eq!(forgotten.verdict, Verdict::Accepted);
    let fresh = store.fresh_from(0, 10).await.unwrap();
    assert_eq!(fresh.len(), 3);
    assert_eq!(fresh[0].id.0, first.request.0);
    rig.clock.advance(HOUR * 2);
    healthy(&store).await;
}

#[tokio::test]
async fn the_window_lapses_by_engine_time_also_over_a_restart() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let first = accept(&store, admit("{}", key(1), Birth::Fresh)).await.unwrap();
    rig.clock.advance(DAY - 1);
    drop(store);
    let (store, _handover) = rig.open();
    let entry = store.dedup_entry([1; 16]).await.unwrap().unwrap();
    assert_eq!(entry, KeyEntry { first: first.request, last_seen: T0 });
    let second = accept(&store, admit("{}", key(1), Birth::Fresh)).await.unwrap();
    assert_eq!(second.duplicate_of, Some(first.request));
    rig.clock.advance(DAY);
    let third = accept(&store, admit("{}", key(1), Birth::Fresh)).await.unwrap();
    assert_eq!(third.verdict, Verdict::Accepted);
}

#[tokio::test]
async fn nothing_is_answered_before_its_commit() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    fresh(&store).await;
    let other = rig.conn();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut first = store.accept(admit("{}", key(1), Birth::Fresh)).unwrap();
    let mut second = store.accept(admit("{}", key(1), Birth::Fresh)).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(first.try_recv().is_err() && second.try_recv().is_err());
    assert_eq!(store.counters().accepted, 1);
    other.execute_batch("ROLLBACK").unwrap();
    let first = first.await.unwrap().unwrap();
    assert_eq!(second.await.unwrap().unwrap().duplicate_of, Some(first.request));
}

#[tokio::test]
async fn a_full_queue_takes_no_more_and_empties_again() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let other = rig.conn();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut answers = Vec::new();
    while let Some(answer) = store.accept(admit("{}", None, Birth::Fresh)) {
        answers.push(answer);
    }
    assert_eq!(answers.len(), queue::ITEMS);
    assert_eq!(store.refuses().as_deref(), Some("the writer's queue is full"));
    other.execute_batch("ROLLBACK").unwrap();
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(store.refuses(), None);
    assert_eq!(store.counters().stored, queue::ITEMS as u64);
    healthy(&store).await;
}

#[tokio::test]
async fn the_queue_is_bounded_in_bytes_but_takes_one_of_any_size() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let other = rig.conn();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let big = "x".repeat(queue::BYTES);
    let first = store.accept(admit(&big, None, Birth::Fresh)).unwrap();
    assert!(store.accept(admit("{}", None, Birth::Fresh)).is_none());
    assert_eq!(store.refuses().as_deref(), Some("the writer's queue is full"));
    other.execute_batch("ROLLBACK").unwrap();
    first.await.unwrap().unwrap();
    accept(&store, admit("{}", None, Birth::Fresh)).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_said_and_what_failed_leaves_no_trace() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    accept(&store, admit("{}", key(9), Birth::Fresh)).await.unwrap();
    let pages = |n: &'static str| {
        store.write(Vec::new(), move |tx| {
            tx.query_row(&format!("PRAGMA max_page_count = {n}"), [], |_| Ok(()))
        })
    };
    // No fewer than there are: from now on the file cannot grow.
    pages("1").await.unwrap();
    let big = "x".repeat(1 << 20);
    let failed = accept(&store, admit(&big, key(1), Birth::Fresh)).await;
    assert_eq!(failed, Err(StoreError::Down("the disk is full".into())));
    assert_eq!(store.refuses().as_deref(), Some("the disk is full"));
    assert_eq!(store.dedup_entry([1; 16]).await.unwrap(), None);
    assert_eq!(store.counters().accepted, 1);
    // Reads go on.
    assert_eq!(store.fresh_from(0, 10).await.unwrap().len(), 1);
    // It is probed by itself and comes back, small requests being possible.
    until("the probe", || async { store.refuses().is_none() }).await;
    pages("1000000").await.unwrap();
    let now = accept(&store, admit(&big, key(1), Birth::Fresh)).await.unwrap();
    assert_eq!(now.verdict, Verdict::Accepted);
    healthy(&store).await;
}

#[tokio::test]
async fn a_sync_that_fails_is_answered_by_what_the_file_has() {
    let rig = Rig::new();
    let (store, mut handover) = rig.open();
    let fail = |how| *store.inner.links.fails.lock().unwrap() = Some(how);
    fail(writer::SyncFails::Kept);
    let kept = accept(&store, admit("{}", key(1), Birth::Fresh)).await.unwrap();
    assert_eq!(handover.queue.recv().await.unwrap()[0].run.id.0, kept.request.0);
    fail(writer::SyncFails::Gone);
    let gone = accept(&store, admit("{}", key(2), Birth::Fresh)).await;
    assert!(matches!(gone, Err(StoreError::Down(_))), "{gone:?}");
    assert_eq!(store.dedup_entry([2; 16]).await.unwrap(), None);
    until("it is tried again", || async { store.refuses().is_none() }).await;
    assert_eq!(accept(&store, admit("{}", key(2), Birth::Fresh)).await.unwrap().verdict, Verdict::Accepted);
    let again = accept(&store, admit("{}", key(1), Birth::Fresh)).await.unwrap();
    assert_eq!(again.duplicate_of, Some(kept.request));
    healthy(&store).await;
}

#[tokio::test]
async fn an_item_that_breaks_a_constraint_is_refused_alone() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let run = store.load(fresh(&store).await).await.unwrap().unwrap().run;
    store.commit(step(&run, |_| {})).await.unwrap();
    let run = store.load(run.id).await.unwrap().unwrap().run;
    let mut bad = step(&run, |run| run.state = RunState::Aborted);
    // An entry that is there already: a bug of whoever made it.
    if let Some(entry) = &mut bad.entry {
        entry.seq -= 1;
    }
    let other = rig.conn();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let first = store.accept(admit("{}", key(1), Birth::Fresh)).unwrap();
    let bad = tokio::spawn({
        let store = store.clone();
        async move { store.commit(bad).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let second = store.accept(admit("{}", key(1), Birth::Fresh)).unwrap();
    other.execute_batch("ROLLBACK").unwrap();
    assert!(matches!(bad.await.unwrap(), Err(StoreError::Broken(_))));
    let first = first.await.unwrap().unwrap();
    assert_eq!(first.verdict, Verdict::Accepted);
    assert_eq!(second.await.unwrap().unwrap().duplicate_of, Some(first.request));
    assert_eq!(store.load(run.id).await.unwrap().unwrap().run, run);
    assert_eq!(store.refuses(), None);
    healthy(&store).await;
}

#[tokio::test]
async fn a_born_lease_is_lost_with_its_process_and_held_by_a_living_one() {
    let rig = Rig::new();
    let slots = Arc::new(tokio::sync::Semaphore::new(1));
    let (store, mut handover) = rig.open();
    let slot = Arc::clone(&slots).try_acquire_owned().unwrap();
    let admitted = accept(&store, admit("{}", None, Birth::Direct(slot))).await.unwrap();
    let (id, state) = admitted.run.unwrap();
    assert_eq!(state, RunState::Running);
    let born = handover.queue.recv().await.unwrap().remove(0);
    assert!(born.slot.is_some() && slots.available_permits() == 0);
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
    let slots = Arc::new(tokio::sync::Semaphore::new(1));
    let (store, _handover) = rig.open();
    let slot = Arc::clone(&slots).try_acquire_owned().unwrap();
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
    assert_eq!(store.next_due().await.unwrap(), Some(T0 + 500));
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

#[tokio::test]
async fn refusals_are_stored_up_to_a_rate_and_counted_past_it_over_a_restart() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let mut stored = 0;
    for _ in 0..50 {
        if let Some(answer) = store.accept(refuse(1)) {
            assert_eq!(answer.await.unwrap().unwrap().verdict, Verdict::Rejected);
            stored += 1;
        }
    }
    assert_eq!(stored, 20);
    assert_eq!(store.accept(refuse(2)).unwrap().await.unwrap().unwrap().verdict, Verdict::Rejected);
    store.count_refusal(FlowId(3), "over 16 KiB of headers");
    assert_eq!(store.counters().rejected, 52);
    assert_eq!(store.counters().last_rejected, Some(T0));
    let seen = || async {
        store
            .read(|conn| {
                conn.query_row("SELECT ifnull(sum(seen), 0) FROM refusal", [], |row| row.get::<_, i64>(0))
            })
            .await
    };
    until("the counts are written", || async { seen().await == Ok(52) }).await;
    assert_eq!(store.counters().rejected, 52);
    drop(store);
    let (store, _handover) = rig.open();
    assert_eq!(store.counters().rejected, 52);
    store.close().await;
    // The totals were written at the end: what the ledger says is not added to them again.
    let (store, _handover) = rig.open();
    assert_eq!(store.counters().rejected, 52);
    healthy(&store).await;
}

#[tokio::test]
async fn a_replay_has_a_parent_and_no_key() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    let first = accept(&store, admit("{}", key(1), Birth::Done)).await.unwrap();
    let (parent, state) = first.run.unwrap();
    assert_eq!(state, RunState::Succeeded);
    let judgement = Judgement::Replay { parent: Some(parent), of: Some(first.request) };
    let replayed = accept(&store, Accept { seed: seed(1, "{}"), judgement }).await.unwrap();
    assert_eq!(replayed.request, first.request);
    let loaded = store.load(replayed.run.unwrap().0).await.unwrap().unwrap();
    assert_eq!((loaded.run.parent, loaded.run.request), (Some(parent), Some(first.request)));
    let judgement = Judgement::Replay { parent: Some(parent), of: None };
    let edited = accept(&store, Accept { seed: seed(1, r#"{"b":2}"#), judgement }).await.unwrap();
    assert_ne!(edited.request, first.request);
    assert_eq!(&store.request(edited.request).await.unwrap().unwrap().seed.body[..], br#"{"b":2}"#);
    assert_eq!(store.counters().accepted, 2);
    healthy(&store).await;
}

#[tokio::test]
async fn what_the_runner_does_not_take_is_left_for_it_to_read_and_leases_always_fit() {
    let rig = Rig::new();
    let slots = Arc::new(tokio::sync::Semaphore::new(rig.limits.slots));
    let (store, mut handover) = rig.open();
    let mut ids = Vec::new();
    for _ in 0..writer::HANDOVER + 5 {
        ids.push(fresh(&store).await.0);
    }
    let mut leased = Vec::new();
    while let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
        leased.push(accept(&store, admit("{}", None, Birth::Direct(slot))).await.unwrap().run.unwrap().0.0);
    }
    assert_eq!(leased.len(), rig.limits.slots);
    let mut got = Vec::new();
    while let Ok(born) = handover.queue.try_recv() {
        got.extend(born.into_iter().map(|born| born.run.id.0));
    }
    let dropped = handover.dropped_from.load(std::sync::atomic::Ordering::Acquire);
    assert_eq!(dropped, ids[writer::HANDOVER]);
    assert!(leased.iter().all(|id| got.contains(id)));
    let read = store.fresh_from(dropped, 100).await.unwrap();
    assert_eq!(read.iter().map(|run| run.id.0).collect::<Vec<_>>(), ids[writer::HANDOVER..]);
}

#[tokio::test]
async fn a_closed_store_is_clean_and_lets_its_folder_go() {
    let rig = Rig::new();
    let (store, _handover) = rig.open();
    fresh(&store).await;
    let late = store.accept(admit("{}", None, Birth::Fresh)).unwrap();
    store.close().await;
    late.await.unwrap().unwrap();
    assert_eq!(store.refuses().as_deref(), Some("stopping"));
    assert!(store.accept(admit("{}", None, Birth::Fresh)).is_none());
    assert!(matches!(store.fresh_from(0, 1).await, Err(StoreError::Down(_))));
    store.close().await;
    let mut wal = rig.file().into_os_string();
    wal.push("-wal");
    assert_eq!(std::fs::metadata(wal).map_or(0, |meta| meta.len()), 0);
    assert_eq!(schema::text(&rig.conn(), "clean").unwrap().as_deref(), Some("1"));
    let (store, _handover) = rig.open();
    assert_eq!(store.fresh_from(0, 10).await.unwrap().len(), 2);
    let held = Store::open(
        rig.folder(),
        Options {
            limits: rig.limits.clone(),
            feed: rig.feed.clone(),
            public_url: String::new(),
            clock: rig.clock.clone(),
        },
    );
    assert!(matches!(held, Err(OpenError::Held { pid, .. }) if pid == std::process::id()));
}

#[tokio::test]
async fn low_disk_refuses() {
    let rig = Rig { limits: Limits { free_disk: u64::MAX, ..Limits::default() }, ..Rig::new() };
    let (store, _handover) = rig.open();
    until("the ledger is read", || async { store.refuses().is_some_and(|why| why.contains("low on free")) })
        .await;
}

#[tokio::test]
async fn too_many_queued_runs_refuse() {
    let rig = Rig { limits: Limits { queue: 2, free_disk: 0, ..Limits::default() }, ..Rig::new() };
    let (store, _handover) = rig.open();
    fresh(&store).await;
    assert_eq!(store.refuses(), None);
    fresh(&store).await;
    assert_eq!(store.refuses().as_deref(), Some("the queue is full: 2 runs wait"));
}
