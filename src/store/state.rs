//! What the writer knows beside the rows, and what one batch does to it.

use super::admission::{Accept, Admitted, Birth, Judgement};
use super::clock::Clock;
use super::codec::{self, Decided};
use super::dedup::Table;
use super::ids::Ids;
use super::lanes;
use super::tally::Deltas;
use crate::model::change::Change;
use crate::model::request::{DedupKey, Marks, Verdict};
use crate::model::run::{Run, RunState};
use crate::model::{FlowId, Ms, RequestId, RunId};
use rusqlite::{Connection, Result};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The writer's own state.
#[derive(Debug)]
pub(super) struct State {
    pub(super) clock: Clock,
    pub(super) ids: Arc<Ids>,
    pub(super) owner: i64,
    pub(super) table: Table,
    /// The longest window that `meta` knows.
    pub(super) longest_written: Ms,
    /// Running runs without `due`: few, since each holds a slot.
    pub(super) bare: BTreeSet<i64>,
    /// No open run under it is without `due`.
    pub(super) fresh_low: i64,
    /// The last row of the ledger.
    pub(super) seq: i64,
}

/// What a transaction does beside writing; forgotten where it fails.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Engine time of all of it.
    pub(super) now: Ms,
    /// To the figures.
    pub(super) deltas: Deltas,
    /// For those who watch.
    pub(super) changes: Vec<Change>,
    /// Runs that became bare, or are no longer.
    pub(super) bare: Vec<(i64, bool)>,
    /// A run is due, or due earlier.
    pub(super) wake: bool,
    /// The smallest id that it stored.
    pub(super) lo: Option<i64>,
    /// Refusals that it stored.
    pub(super) refused: Vec<(FlowId, String)>,
}

impl Batch {
    fn stored(&mut self, id: i64) {
        self.lo.get_or_insert(id);
    }

    /// A run came into a state with or without a `due`.
    pub(super) fn placed(&mut self, run: &Run, from: Option<RunState>) {
        self.deltas.moved(from, Some(run.state));
        self.changes.push(Change::Run { id: run.id, flow: run.flow, state: run.state });
        let bare = run.state == RunState::Running && run.due.is_none();
        if bare || from.is_some() {
            self.bare.push((run.id.0, bare));
        }
        let timed = matches!(run.state, RunState::Queued | RunState::Retrying | RunState::Waiting);
        self.wake |= timed && run.due.is_some();
    }
}

impl State {
    /// Judges and stores a request; its run, where it has one.
    pub(super) fn admit(
        &mut self,
        conn: &Connection,
        accept: &Accept,
        batch: &mut Batch,
    ) -> Result<(Admitted, Option<Run>)> {
        match &accept.judgement {
            Judgement::Admit { key, birth } => self.judge(conn, accept, key.as_ref(), birth, batch),
            Judgement::Replay { parent, of } => self.replay(conn, accept, *parent, *of, batch),
            Judgement::Filter { cause } => self.turn_away(conn, accept, Verdict::Filtered, 200, cause, batch),
            Judgement::Refuse { status, cause } => {
                batch.refused.push((accept.seed.flow, cause.clone()));
                self.turn_away(conn, accept, Verdict::Rejected, *status, cause, batch)
            }
        }
    }

    fn write_request(
        conn: &Connection,
        accept: &Accept,
        decided: &Decided<'_>,
        batch: &mut Batch,
    ) -> Result<()> {
        let seed = &accept.seed;
        codec::insert_request(conn, seed, decided)?;
        batch.stored(decided.id);
        let bytes = i64::try_from(seed.body.len()).unwrap_or(i64::MAX);
        batch.deltas.counts.add(seed.flow.0, decided.verdict as i64, 1, bytes);
        let id = RequestId(decided.id);
        batch.changes.push(Change::Request { id, flow: seed.flow, verdict: decided.verdict });
        Ok(())
    }

    fn judge(
        &mut self,
        conn: &Connection,
        accept: &Accept,
        key: Option<&DedupKey>,
        birth: &Birth,
        batch: &mut Batch,
    ) -> Result<(Admitted, Option<Run>)> {
        let id = self.ids.next(batch.now);
        let first = key.and_then(|key| self.table.judge(key, id, batch.now));
        let mut decided = Decided {
            id,
            verdict: Verdict::Accepted,
            runs: 1,
            status: 200,
            cause: None,
            duplicate_of: None,
            dedup: key.map(|key| &key.key),
        };
        if let Some(first) = first {
            decided = Decided {
                verdict: Verdict::Duplicate,
                runs: 0,
                status: 204,
                duplicate_of: Some(first),
                ..decided
            };
            Self::write_request(conn, accept, &decided, batch)?;
            let admitted = Admitted {
                request: RequestId(id),
                verdict: Verdict::Duplicate,
                run: None,
                duplicate_of: Some(RequestId(first)),
            };
            return Ok((admitted, None));
        }
        Self::write_request(conn, accept, &decided, batch)?;
        let run = self.bear(conn, accept, id, Some(RequestId(id)), None, birth, batch)?;
        Ok((accepted(RequestId(id), &run), Some(run)))
    }

    fn replay(
        &mut self,
        conn: &Connection,
        accept: &Accept,
        parent: Option<RunId>,
        of: Option<RequestId>,
        batch: &mut Batch,
    ) -> Result<(Admitted, Option<Run>)> {
        let id = self.ids.next(batch.now);
        if of.is_none() {
            let decided = Decided {
                id,
                verdict: Verdict::Accepted,
                runs: 1,
                status: 200,
                cause: None,
                duplicate_of: None,
                dedup: None,
            };
            Self::write_request(conn, accept, &decided, batch)?;
        }
        let request = of.unwrap_or(RequestId(id));
        let run = self.bear(conn, accept, id, Some(request), parent, &Birth::Fresh, batch)?;
        Ok((accepted(request, &run), Some(run)))
    }

    fn turn_away(
        &mut self,
        conn: &Connection,
        accept: &Accept,
        verdict: Verdict,
        status: u16,
        cause: &str,
        batch: &mut Batch,
    ) -> Result<(Admitted, Option<Run>)> {
        let id = self.ids.next(batch.now);
        let decided =
            Decided { id, verdict, runs: 0, status, cause: Some(cause), duplicate_of: None, dedup: None };
        Self::write_request(conn, accept, &decided, batch)?;
        Ok((Admitted { request: RequestId(id), verdict, run: None, duplicate_of: None }, None))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the columns of a new row; a struct for one caller says less"
    )]
    fn bear(
        &self,
        conn: &Connection,
        accept: &Accept,
        id: i64,
        request: Option<RequestId>,
        parent: Option<RunId>,
        birth: &Birth,
        batch: &mut Batch,
    ) -> Result<Run> {
        let now = batch.now;
        let mut run = Run {
            id: RunId(id),
            request,
            parent,
            flow: accept.seed.flow,
            version: accept.seed.version,
            state: RunState::Queued,
            step: 0,
            attempt: 0,
            round: 1,
            fence: 0,
            seq: 0,
            owner: self.owner,
            due: None,
            started: None,
            ended: None,
            cause: None,
            test: accept.seed.marks.has(Marks::TEST),
        };
        match birth {
            Birth::Direct(_) => {
                run.state = RunState::Running;
                run.attempt = 1;
                run.fence = 1;
                run.started = Some(now);
            }
            Birth::Fresh => {}
            Birth::Parked => run.due = Some(lanes::parked(run.id)),
            Birth::Done => {
                run.state = RunState::Succeeded;
                run.started = Some(now);
                run.ended = Some(now);
            }
        }
        codec::insert_run(conn, &run)?;
        batch.stored(id);
        batch.placed(&run, None);
        Ok(run)
    }
}

fn accepted(request: RequestId, run: &Run) -> Admitted {
    Admitted { request, verdict: Verdict::Accepted, run: Some((run.id, run.state)), duplicate_of: None }
}
