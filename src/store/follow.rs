//! The follower: reads requests behind the commit, folds the shape of their bodies, and writes what
//! drifted. It runs in the tender's rounds, so the transaction that accepts a request never waits
//! for it.
//!
//! A round looks at most at [`ROWS`] requests or [`TIME`]. Where more come for longer it skips to the
//! newest: then it is a sample, which is enough for a shape.

use super::StoreError;
use super::drift;
use super::pool::Pool;
use super::queue::{Item, Job, Queue};
use super::schema;
use super::state::{Batch, State};
use crate::model::change::Change;
use crate::model::request::{Marks, Verdict};
use crate::model::{FlowId, Ms};
use crate::rules::json::parse;
use crate::rules::shape::{Drift, Known, Shape};
use rusqlite::{Connection, OptionalExtension as _, Result, Transaction, params};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Requests that a round looks at.
const ROWS: u32 = 2_000;
/// How long a round reads.
const TIME: Duration = Duration::from_millis(20);
/// Rounds for which it may be behind before it skips to the newest.
const BEHIND: u32 = 10;
/// Bodies over this are not looked at.
const MOST_BODY: i64 = 256 << 10;
/// What it folded is written at the latest after so long.
const LATEST: Ms = 10_000;

/// The follower's memory; what the rows say, and what is to be written.
#[derive(Debug, Default)]
pub(super) struct Follower {
    loaded: bool,
    upto: i64,
    written: i64,
    written_at: Ms,
    behind: u32,
    shapes: HashMap<FlowId, Shape>,
    drifts: Vec<(FlowId, Drift)>,
}

impl Follower {
    /// A round.
    pub(super) fn round(&mut self, pool: &Pool, queue: &Queue, now: Ms) {
        if !self.loaded {
            let Ok(read) = pool.read_here(load) else { return };
            *self = read;
        }
        if pool.read_here(|conn| self.read(conn)).is_err() {
            return;
        }
        let due = self.upto > self.written && now - self.written_at >= LATEST;
        if !due && self.drifts.is_empty() {
            return;
        }
        let (reply, answer) = oneshot::channel();
        let job = Write {
            upto: self.upto,
            rows: self.dirty(),
            drifts: std::mem::take(&mut self.drifts),
            reply: Some(reply),
        };
        if queue.send(Item::Job { job: Box::new(job), always: false }).is_err() {
            return;
        }
        match answer.blocking_recv() {
            Ok(true) => {
                self.written = self.upto;
                self.written_at = now;
                for known in self.shapes.values_mut().flat_map(|shape| shape.paths.values_mut()) {
                    known.dirty = false;
                }
            }
            // What is not written is folded again from what is.
            _ => *self = Self::default(),
        }
    }

    fn read(&mut self, conn: &Connection) -> Result<()> {
        let begun = Instant::now();
        if self.behind >= BEHIND {
            let newest: Option<i64> =
                conn.prepare_cached("SELECT max(id) FROM request")?.query_row([], |row| row.get(0))?;
            self.upto = newest.unwrap_or(self.upto);
            self.behind = 0;
            return Ok(());
        }
        let mut read = conn.prepare_cached(
            "SELECT id, flow, verdict, flags, length(body), body FROM request WHERE id > ?1 ORDER BY id LIMIT ?2",
        )?;
        let mut rows = read.query(params![self.upto, ROWS])?;
        let mut looked = 0;
        while let Some(row) = rows.next()? {
            self.upto = row.get(0)?;
            looked += 1;
            let flags = Marks(row.get(3)?);
            let odd = [Marks::BODY_CUT, Marks::TEST, Marks::CAPTURED];
            let judged = row.get::<_, i64>(2)? != Verdict::Rejected as i64;
            if judged
                && flags.arrived()
                && !odd.iter().any(|mark| flags.has(*mark))
                && row.get::<_, i64>(4)? <= MOST_BODY
                && let Ok(body) = parse(row.get_ref(5)?.as_bytes()?)
            {
                let flow = FlowId(row.get(1)?);
                let drifts = self.shapes.entry(flow).or_default().fold(&body, self.upto);
                self.drifts.extend(drifts.into_iter().map(|drift| (flow, drift)));
            }
            if looked % 16 == 0 && begun.elapsed() >= TIME {
                self.behind += 1;
                return Ok(());
            }
        }
        self.behind = if looked == ROWS { self.behind + 1 } else { 0 };
        Ok(())
    }

    /// Rows that changed.
    fn dirty(&self) -> Vec<(FlowId, String, Known)> {
        let mut rows = Vec::new();
        for (flow, shape) in &self.shapes {
            let dirty: Vec<_> = shape.paths.iter().filter(|(_, known)| known.dirty).collect();
            if !dirty.is_empty() {
                let count = Known { seen: shape.requests, ..Known::default() };
                rows.push((*flow, String::new(), count));
            }
            rows.extend(dirty.into_iter().map(|(path, known)| (*flow, path.clone(), known.clone())));
        }
        rows
    }
}

fn load(conn: &Connection) -> Result<Follower> {
    let upto: Option<String> = conn
        .prepare_cached("SELECT value FROM meta WHERE key = 'shape_upto'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let upto = upto.and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut follower = Follower { loaded: true, upto, written: upto, ..Follower::default() };
    let mut read =
        conn.prepare_cached("SELECT flow, path, type, seen, first, last, example, since, upto FROM shape")?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        let shape = follower.shapes.entry(FlowId(row.get(0)?)).or_default();
        let path: String = row.get(1)?;
        let whole = |at: usize| row.get::<_, i64>(at).map(i64::cast_unsigned);
        if path.is_empty() {
            shape.requests = whole(3)?;
            continue;
        }
        let known = Known {
            types: row.get(2)?,
            seen: whole(3)?,
            first: row.get(4)?,
            last: row.get(5)?,
            example: row.get(6)?,
            since: whole(7)?,
            upto: whole(8)?,
            dirty: false,
        };
        shape.restore(path, known);
    }
    Ok(follower)
}

/// What a round writes, as a job of the writer.
struct Write {
    upto: i64,
    rows: Vec<(FlowId, String, Known)>,
    drifts: Vec<(FlowId, Drift)>,
    reply: Option<oneshot::Sender<bool>>,
}

impl Job for Write {
    fn run(&mut self, tx: &Transaction<'_>, _: &mut State, batch: &mut Batch) -> Result<()> {
        let mut write = tx.prepare_cached(
            "INSERT INTO shape (flow, path, type, seen, first, last, example, since, upto)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (flow, path) DO UPDATE SET type = excluded.type, seen = excluded.seen,
                 last = excluded.last, since = excluded.since, upto = excluded.upto",
        )?;
        for (flow, path, known) in &self.rows {
            write.execute(params![
                flow.0,
                path,
                known.types,
                known.seen.cast_signed(),
                known.first,
                known.last,
                known.example,
                known.since.cast_signed(),
                known.upto.cast_signed(),
            ])?;
        }
        for (flow, drift) in &self.drifts {
            drift::raise(tx, *flow, drift, batch.now)?;
        }
        if !self.drifts.is_empty() {
            batch.changes.push(Change::Config);
        }
        schema::set(tx, "shape_upto", &self.upto.to_string())
    }

    fn done(self: Box<Self>, result: std::result::Result<(), StoreError>) {
        if let Some(reply) = self.reply {
            let _ = reply.send(result.is_ok());
        }
    }
}
