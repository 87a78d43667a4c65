//! What the writer knows beside the rows, and what one batch does to it.

use super::admission::{Accept, Admitted, Again, Birth, Judgement, Launch};
use super::clock::Clock;
use super::codec::{self, Decided};
use super::dedup::Table;
use super::ids::Ids;
use super::lanes;
use super::sketch;
use super::tally::Deltas;
use super::told;
use crate::model::change::Change;
use crate::model::request::{DedupKey, Marks, Verdict};
use crate::model::run::{Run, RunState};
use crate::model::{FlowId, Ms, RequestId, RunId};
use rusqlite::{Connection, Result, params};
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

/// A request as it was stored, with the rows of its runs.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) admitted: Admitted,
    /// Of one that is not split.
    pub(super) run: Option<Run>,
    /// Of one that is.
    pub(super) more: Vec<Run>,
}

/// What a run comes from.
#[derive(Debug, Clone, Copy)]
struct Origin {
    request: RequestId,
    parent: Option<RunId>,
    element: Option<u32>,
}

/// What the runs of an admitted request are born as.
enum Births<'a> {
    One(&'a Birth),
    Each { elements: u32, launch: Launch },
}

impl Births<'_> {
    /// The state of all of them together; of none there is nothing left to do.
    fn state(&self) -> RunState {
        match self {
            Self::One(birth) => birth.state(),
            Self::Each { elements: 0, .. } => RunState::Succeeded,
            Self::Each { launch, .. } => Birth::from(*launch).state(),
        }
    }
}

impl State {
    /// Judges and stores a request; `waits` tells whether its sender waits for what becomes of it.
    pub(super) fn admit(
        &mut self,
        conn: &Connection,
        accept: &Accept,
        waits: bool,
        batch: &mut Batch,
    ) -> Result<Stored> {
        match &accept.judgement {
            Judgement::Admit { key, birth } => {
                self.judge(conn, accept, key.as_ref(), &Births::One(birth), waits, batch)
            }
            Judgement::Split { key, elements, launch } => {
                let births = Births::Each { elements: *elements, launch: *launch };
                self.judge(conn, accept, key.as_ref(), &births, waits, batch)
            }
            Judgement::Replay { of, runs, launch } => self.replay(conn, accept, *of, runs, *launch, batch),
            Judgement::Readmit { of, key, elements, launch } => {
                self.readmit(conn, accept, *of, key.as_ref(), (*elements, *launch), batch)
            }
            Judgement::Filter { cause } => self.turn_away(conn, accept, Verdict::Filtered, 200, cause, batch),
            Judgement::Refuse { told, cause, detail } => {
                batch.refused.push((accept.seed.flow, cause.clone()));
                let stored = self.turn_away(conn, accept, Verdict::Rejected, told.status, cause, batch)?;
                // What a readmission does to the row takes nothing of this away.
                told::write(conn, stored.admitted.request, told.status, Some(told))?;
                if let Some(detail) = detail {
                    // Few have one: the statement of all the others stays as it is.
                    conn.prepare_cached("UPDATE request SET detail = ?2 WHERE id = ?1")?
                        .execute(params![stored.admitted.request.0, detail])?;
                }
                Ok(stored)
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
        if decided.verdict == Verdict::Accepted && seed.marks.arrived() {
            batch.deltas.sent += 1;
        }
        let id = RequestId(decided.id);
        batch.changes.push(Change::Request { id, flow: seed.flow, verdict: decided.verdict });
        Ok(())
    }

    fn judge(
        &mut self,
        conn: &Connection,
        accept: &Accept,
        key: Option<&DedupKey>,
        births: &Births<'_>,
        waits: bool,
        batch: &mut Batch,
    ) -> Result<Stored> {
        let id = self.ids.next(batch.now);
        let first = key.and_then(|key| self.table.judge(key, id, batch.now));
        let mut decided = Decided {
            id,
            verdict: Verdict::Accepted,
            runs: match births {
                Births::One(_) => 1,
                Births::Each { elements, .. } => *elements,
            },
            // Who waits is answered later: by its run.
            status: (!waits).then_some(200),
            born: births.state(),
            cause: None,
            duplicate_of: None,
            dedup: key.map(|key| &key.key),
        };
        if let Some(first) = first {
            decided = Decided {
                verdict: Verdict::Duplicate,
                runs: 0,
                status: Some(204),
                duplicate_of: Some(first),
                ..decided
            };
            Self::write_request(conn, accept, &decided, batch)?;
            let admitted = Admitted {
                request: RequestId(id),
                verdict: Verdict::Duplicate,
                run: None,
                split: None,
                duplicate_of: Some(RequestId(first)),
            };
            return Ok(Stored { admitted, run: None, more: Vec::new() });
        }
        Self::write_request(conn, accept, &decided, batch)?;
        let request = RequestId(id);
        let origin = |element| Origin { request, parent: None, element };
        match births {
            Births::One(birth) => {
                let run = self.bear(conn, accept, id, origin(None), birth, batch)?;
                Ok(one(request, run))
            }
            Births::Each { elements, launch } => {
                let origins = (0..*elements).map(|element| origin(Some(element)));
                self.bear_each(conn, accept, id, origins, *launch, batch).map(|runs| several(request, runs))
            }
        }
    }

    /// Runs of one request: the first has the integer of `id`, the others have their own.
    fn bear_each(
        &mut self,
        conn: &Connection,
        accept: &Accept,
        id: i64,
        origins: impl ExactSizeIterator<Item = Origin>,
        launch: Launch,
        batch: &mut Batch,
    ) -> Result<Vec<Run>> {
        let birth = Birth::from(launch);
        let mut runs = Vec::with_capacity(origins.len());
        for (at, origin) in origins.enumerate() {
            let id = if at == 0 { id } else { self.ids.next(batch.now) };
            runs.push(self.bear(conn, accept, id, origin, &birth, batch)?);
        }
        Ok(runs)
    }

    fn replay(
        &mut self,
        conn: &Connection,
        accept: &Accept,
        of: Option<RequestId>,
        runs: &[Again],
        launch: Launch,
        batch: &mut Batch,
    ) -> Result<Stored> {
        let id = self.ids.next(batch.now);
        if of.is_none() {
            let decided = Decided {
                id,
                verdict: Verdict::Accepted,
                runs: u32::try_from(runs.len()).unwrap_or(u32::MAX),
                // Nobody sent it, nobody was answered.
                status: None,
                born: RunState::Queued,
                cause: None,
                duplicate_of: None,
                dedup: None,
            };
            Self::write_request(conn, accept, &decided, batch)?;
        }
        let request = of.unwrap_or(RequestId(id));
        let origins =
            runs.iter().map(|again| Origin { request, parent: again.parent, element: again.element });
        let runs = self.bear_each(conn, accept, id, origins, launch, batch)?;
        Ok(several(request, runs))
    }

    /// Lets a rejected request in: its row becomes an accepted one, and a run begins. What its sender
    /// was answered stays as it was, in full: that is what the sender knows.
    fn readmit(
        &mut self,
        conn: &Connection,
        accept: &Accept,
        of: RequestId,
        key: Option<&DedupKey>,
        (elements, launch): (Option<u32>, Launch),
        batch: &mut Batch,
    ) -> Result<Stored> {
        let unchanged = |verdict, duplicate_of| Stored {
            admitted: Admitted { request: of, verdict, run: None, split: None, duplicate_of },
            run: None,
            more: Vec::new(),
        };
        let held = key.and_then(|key| {
            let entry = self.table.get(&key.key)?;
            (batch.now - entry.seen < key.window).then_some(RequestId(entry.first))
        });
        if let Some(first) = held {
            return Ok(unchanged(Verdict::Duplicate, Some(first)));
        }
        let runs = elements.unwrap_or(1);
        let changed = conn
            .prepare_cached(
                "UPDATE request SET verdict = 0, version = ?2, flags = ?3, runs = ?5, cause = NULL, dedup = ?4
                 WHERE id = ?1 AND verdict = 3",
            )?
            .execute(params![
                of.0,
                accept.seed.version,
                accept.seed.marks.0,
                key.map(|key| &key.key[..]),
                runs
            ])?;
        if changed == 0 {
            return Ok(unchanged(Verdict::Accepted, None));
        }
        sketch::void(conn, of.0)?;
        if let Some(key) = key {
            self.table.judge(key, of.0, batch.now);
        }
        let bytes = i64::try_from(accept.seed.body.len()).unwrap_or(i64::MAX);
        batch.deltas.counts.add(accept.seed.flow.0, Verdict::Rejected as i64, -1, -bytes);
        batch.deltas.counts.add(accept.seed.flow.0, Verdict::Accepted as i64, 1, bytes);
        batch.changes.push(Change::Request { id: of, flow: accept.seed.flow, verdict: Verdict::Accepted });
        let id = self.ids.next(batch.now);
        let origin = |element| Origin { request: of, parent: None, element };
        if let Some(elements) = elements {
            let origins = (0..elements).map(|element| origin(Some(element)));
            return self.bear_each(conn, accept, id, origins, launch, batch).map(|runs| several(of, runs));
        }
        self.bear(conn, accept, id, origin(None), &Birth::from(launch), batch).map(|run| one(of, run))
    }

    fn turn_away(
        &mut self,
        conn: &Connection,
        accept: &Accept,
        verdict: Verdict,
        status: u16,
        cause: &str,
        batch: &mut Batch,
    ) -> Result<Stored> {
        let id = self.ids.next(batch.now);
        let decided = Decided {
            id,
            verdict,
            runs: 0,
            status: Some(status),
            born: RunState::Queued,
            cause: Some(cause),
            duplicate_of: None,
            dedup: None,
        };
        Self::write_request(conn, accept, &decided, batch)?;
        let admitted =
            Admitted { request: RequestId(id), verdict, run: None, split: None, duplicate_of: None };
        Ok(Stored { admitted, run: None, more: Vec::new() })
    }

    fn bear(
        &self,
        conn: &Connection,
        accept: &Accept,
        id: i64,
        origin: Origin,
        birth: &Birth,
        batch: &mut Batch,
    ) -> Result<Run> {
        let now = batch.now;
        let mut run = Run {
            id: RunId(id),
            request: Some(origin.request),
            parent: origin.parent,
            flow: accept.seed.flow,
            version: accept.seed.version,
            state: birth.state(),
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
            element: origin.element,
        };
        match birth {
            Birth::Direct(_) => {
                run.attempt = 1;
                run.fence = 1;
                run.started = Some(now);
            }
            Birth::Fresh => {}
            Birth::Parked => run.due = Some(lanes::parked(run.id)),
            Birth::Done => {
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

fn one(request: RequestId, run: Run) -> Stored {
    let verdict = Verdict::Accepted;
    let admitted =
        Admitted { request, verdict, run: Some((run.id, run.state)), split: None, duplicate_of: None };
    Stored { admitted, run: Some(run), more: Vec::new() }
}

fn several(request: RequestId, runs: Vec<Run>) -> Stored {
    let split: Vec<_> = runs.iter().map(|run| (run.id, run.state)).collect();
    let admitted = Admitted {
        request,
        verdict: Verdict::Accepted,
        run: split.first().copied(),
        split: Some(split),
        duplicate_of: None,
    };
    Stored { admitted, run: None, more: runs }
}
