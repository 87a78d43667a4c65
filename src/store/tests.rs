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
