//! Runs that no sender and no person begins: those of a tick, a deploy and a removal.
//!
//! Each is born in the transaction of its occasion, so that neither is there without the other. What
//! it stands for is kept as its request, a small JSON body, so that it is shown, replayed and seen by
//! templates like any other. Nothing is handed over in memory: the run is parked at its birth, and
//! found in its lane at once.

use super::Store;
use super::admission::{Accept, Again, Judgement, Launch};
use super::state::{Batch, State};
use crate::model::headers::Headers;
use crate::model::request::{Marks, Seed};
use crate::model::{FlowId, RunId};
use rusqlite::{Connection, OptionalExtension as _, Result, params};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a flow begins by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occasion {
    /// The flow.
    pub flow: FlowId,
    /// What it is called.
    pub name: String,
    /// The version that its run takes.
    pub version: u32,
    /// What began it: [`Marks::SCHEDULE`], [`Marks::DEPLOY`] or [`Marks::REMOVE`].
    pub mark: Marks,
    /// `request.body` of the run.
    pub body: Value,
    /// Who deployed or removed.
    pub actor: Option<String>,
    /// Its run, once that is there.
    pub run: Option<RunId>,
}

impl State {
    /// Begins the run of an occasion.
    pub(super) fn begin(
        &mut self,
        conn: &Connection,
        occasion: &mut Occasion,
        batch: &mut Batch,
    ) -> Result<()> {
        let json = (b"content-type".as_slice(), b"application/json".as_slice());
        let seed = Seed {
            flow: occasion.flow,
            version: occasion.version,
            marks: occasion.mark,
            method: String::new(),
            path: String::new(),
            query: String::new(),
            headers: Headers::from_pairs([json]),
            body: occasion.body.to_string().into(),
            peer: None,
            actor: occasion.actor.clone(),
            hops: 0,
        };
        let runs = vec![Again { parent: None, element: None }];
        let judgement = Judgement::Replay { of: None, runs, launch: Launch::Parked };
        let stored = self.admit(conn, &Accept { seed: Arc::new(seed), judgement }, false, batch)?;
        let Some((run, _)) = stored.admitted.run else { return Ok(()) };
        occasion.run = Some(run);
        conn.prepare_cached(
            "INSERT INTO begun (flow, mark, run) VALUES (?1, ?2, ?3)
             ON CONFLICT (flow, mark) DO UPDATE SET run = excluded.run",
        )?
        .execute(params![occasion.flow.0, occasion.mark.0, run.0])
        .map(|_| ())
    }
}

/// The newest run of a flow that such an occasion began.
pub(super) fn begun(conn: &Connection, flow: FlowId, mark: Marks) -> Result<Option<RunId>> {
    conn.prepare_cached("SELECT run FROM begun WHERE flow = ?1 AND mark = ?2")?
        .query_row(params![flow.0, mark.0], |row| row.get(0).map(RunId))
        .optional()
}

/// Changes of the configuration: asked for, and known to this process. Between a commit and the
/// moment at which its configuration is in memory a run of it must not start: it would see the URLs
/// and values of before.
#[derive(Debug, Default)]
pub(super) struct Changing {
    asked: AtomicU64,
    known: AtomicU64,
}

/// A change under way; it ends when it is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Store);

impl Store {
    /// A change of the configuration begins.
    pub(super) fn change_begins(&self) -> UnderWay {
        self.inner.changing.asked.fetch_add(1, Ordering::AcqRel);
        UnderWay(self.clone())
    }

    /// Whether what is in memory may be older than what is stored. Asked after rows were read, and
    /// before what they need is taken from memory.
    pub(super) fn changing(&self) -> bool {
        let changing = &self.inner.changing;
        // In this order: a change that ends in between is seen as one under way.
        let known = changing.known.load(Ordering::Acquire);
        changing.asked.load(Ordering::Acquire) != known
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.inner.changing.known.fetch_add(1, Ordering::AcqRel);
    }
}
