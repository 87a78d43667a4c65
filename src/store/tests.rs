//! The store as its users see it: what is answered is there, also after a fault.

mod alerts;
mod edits;
mod faults;
mod jobs;
mod lines;
mod moves;
mod reply;
mod triggers;

use super::*;
use crate::model::headers::Headers;
use crate::model::request::{DedupKey, Marks, Seed, Verdict};
use crate::model::run::{Callback, CallbackState, EntryKind, RunState};
use crate::model::time::{DAY, HOUR};
use crate::model::view::CheckState;
use crate::model::{CallbackId, JobId};
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

fn key(n: u8) -> DedupKey {
    DedupKey { key: [n; 16], window: DAY, from_first: false }
}

fn admit(body: &str, key: impl Into<Option<DedupKey>>, birth: Birth) -> Accept {
    Accept { seed: seed(1, body), judgement: Judgement::Admit { key: key.into(), birth } }
}

fn refuse(flow: i64) -> Accept {
    Accept { seed: seed(flow, "{"), judgement: Judgement::refused(400, "not JSON at line 1") }
}

async fn accept(store: &Store, accept: Accept) -> Result<Admitted, StoreError> {
    store.accept(accept).expect("room in the queue").await.expect("an answer")
}

async fn fresh(store: &Store) -> RunId {
    accept(store, admit("{}", None, Birth::Fresh)).await.unwrap().run.unwrap().0
}

/// Every target takes everything.
fn ungated() -> Arc<dyn Gate> {
    Arc::new(OpenGate)
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
        item: None,
        attempt: next.attempt,
        status: Some(200),
        actor: None,
        detail: crate::model::run::Detail { elapsed_ms: Some(12), ..Default::default() },
        sent: Some(crate::model::run::Sent { method: "POST".into(), ..Default::default() }),
        got: Some(crate::model::run::Got { status: 200, body: "ok".into(), ..Default::default() }),
        answer: None,
    };
    Transition {
        guard: run.seq,
        run: next,
        frame: None,
        entry: Some(entry),
        callbacks: Vec::new(),
        cause: None,
        finished: Vec::new(),
        results: Vec::new(),
        list: None,
        took: None,
        effect: Effect::None,
    }
}

async fn healthy(store: &Store) {
    until("the ledger is read", || async { store.refuses().is_none() }).await;
    for check in store.doctor().await {
        assert_eq!(check.state, CheckState::Ok, "{}: {}", check.name, check.text);
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
    assert_eq!((store.counters().rejected, store.counters().only_counted), (52, 31));
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
    assert_eq!(store.counters().begun, [0, 52, 31], "none of them came since the start");
    assert_eq!((store.counters().only_counted, store.counters().rows()), (31, 21));
    // What nobody can look at is said; nothing else is.
    until("the ledger is read", || async { store.refuses().is_none() }).await;
    let said: Vec<_> = store.doctor().await.into_iter().filter(|one| one.state != CheckState::Ok).collect();
    assert_eq!((said.len(), said[0].state), (1, CheckState::Warning), "{said:?}");
    assert!(said[0].text.starts_with("31 refused requests of the last day were counted"), "{said:?}");
    assert!(said[0].text.contains("; 1 over # KiB of headers"), "{said:?}");
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
