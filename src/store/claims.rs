//! Reads for those who move runs: what is due, what is fresh, and a run with all that decides its next move.

use super::codec;
use super::{Loaded, Store, StoreError};
use crate::model::request::{Seed, StoredRequest};
use crate::model::run::{Callback, Run};
use crate::model::{CallbackId, FlowId, Ms, RequestId, RunId};
use rusqlite::{Connection, OptionalExtension, Result, params};
use std::sync::Arc;

/// Bytes of bodies after which a page of fresh runs ends.
const PAGE_BYTES: usize = 4 << 20;

/// Requests of a flow with open runs that a start looks at.
const UNFINISHED: i64 = 10_000;

/// A fresh run, read.
#[derive(Debug)]
pub struct FreshRow {
    /// Its row.
    pub run: Run,
    /// What began it, where nothing has happened to the run since.
    pub seed: Option<(RequestId, Arc<Seed>)>,
}

/// Flows with runs that can be claimed once they are due, by skipping through the index.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn lanes(conn: &Connection) -> Result<Vec<i64>> {
    skip(
        conn,
        "SELECT flow FROM run INDEXED BY run_due WHERE due IS NOT NULL AND state IN (0, 4) AND flow > ?1
         ORDER BY flow LIMIT 1",
    )
}

/// Flows with runs that wait for something else, or are under a lease with an end.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn later(conn: &Connection) -> Result<Vec<i64>> {
    skip(
        conn,
        "SELECT flow FROM run INDEXED BY run_later WHERE due IS NOT NULL AND state NOT IN (0, 4) AND flow > ?1
         ORDER BY flow LIMIT 1",
    )
}

fn skip(conn: &Connection, sql: &str) -> Result<Vec<i64>> {
    let mut next = conn.prepare_cached(sql)?;
    let mut lanes = Vec::new();
    let mut last = i64::MIN;
    while let Some(flow) = next.query_row([last], |row| row.get(0)).optional()? {
        lanes.push(flow);
        last = flow;
    }
    Ok(lanes)
}

/// A count as `SQLite` takes it.
pub(super) fn whole(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Running and waiting runs whose time came, oldest first within a flow; flows share `limit` evenly, so
/// that one with a million of them does not hold up another.
fn lapsed(conn: &Connection, now: Ms, limit: usize) -> Result<Vec<Run>> {
    let lanes = later(conn)?;
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM run INDEXED BY run_later WHERE flow = ?1 AND due IS NOT NULL AND due <= ?2
             AND state NOT IN (0, 4) ORDER BY due LIMIT ?3 OFFSET ?4",
        codec::RUN
    ))?;
    let mut of = |flow: i64, n: usize, skip: usize| -> Result<Vec<Run>> {
        statement.query_map(params![flow, now, whole(n), whole(skip)], |row| codec::run(row, 0))?.collect()
    };
    let share = (limit / lanes.len().max(1)).max(1);
    let mut runs: Vec<Run> = Vec::new();
    let mut full = Vec::new();
    for flow in lanes {
        let found = of(flow, share.min(limit - runs.len()), 0)?;
        if found.len() == share {
            full.push(flow);
        }
        runs.extend(found);
        if runs.len() >= limit {
            return Ok(runs);
        }
    }
    for flow in full {
        runs.extend(of(flow, limit - runs.len(), share)?);
        if runs.len() >= limit {
            break;
        }
    }
    Ok(runs)
}

/// Reads runs in one transaction, so that row, journal and callbacks are of one moment, and all share
/// the pages that were read. It ends early once it has 4 MiB of bodies; what is not there is `None`.
fn load(conn: &Connection, ids: &[RunId]) -> Result<Vec<Option<Loaded>>> {
    let tx = conn.unchecked_transaction()?;
    let (mut runs, mut bytes) = (Vec::with_capacity(ids.len()), 0);
    for id in ids {
        let run = load_one(&tx, *id)?;
        let request = run.as_ref().and_then(|run| run.request.as_ref());
        bytes += request.map_or(0, |request| request.seed.body.len());
        runs.push(run);
        if bytes >= PAGE_BYTES {
            break;
        }
    }
    Ok(runs)
}

fn load_one(tx: &Connection, id: RunId) -> Result<Option<Loaded>> {
    let run = tx
        .prepare_cached(&format!("SELECT {} FROM run WHERE id = ?1", codec::RUN))?
        .query_row([id.0], |row| codec::run(row, 0))
        .optional()?;
    let Some(run) = run else { return Ok(None) };
    let frame = tx
        .prepare_cached("SELECT data FROM frame WHERE run = ?1")?
        .query_row([id.0], |row| codec::frame(row.get_ref(0)?.as_blob()?))
        .optional()?
        .unwrap_or_default();
    let request = match run.request {
        Some(request) => self::request(tx, request)?.map(Arc::new),
        None => None,
    };
    let journal = tx
        .prepare_cached(&format!("SELECT {} FROM journal WHERE run = ?1 ORDER BY seq", codec::ENTRY))?
        .query_map([id.0], |row| codec::entry(row, 0))?
        .collect::<Result<_>>()?;
    let callbacks = tx
        .prepare_cached(&format!("SELECT {} FROM callback WHERE run = ?1 ORDER BY id", codec::CALLBACK))?
        .query_map([id.0], |row| codec::callback(row, 0))?
        .collect::<Result<_>>()?;
    Ok(Some(Loaded { run, frame, request, journal, callbacks }))
}

fn request(conn: &Connection, id: RequestId) -> Result<Option<StoredRequest>> {
    conn.prepare_cached(&format!("SELECT {} FROM request WHERE id = ?1", codec::REQUEST))?
        .query_row([id.0], |row| codec::request(row, 0))
        .optional()
}

impl Store {
    /// What else is due: running runs whose lease lapsed (those of an earlier process at once), which
    /// are `Lost`, and waiting runs whose time came, which are `Due`. Nothing is claimed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn lost(&self, now: Ms, limit: usize) -> std::result::Result<Vec<Run>, StoreError> {
        self.read(move |conn| lapsed(conn, now, limit)).await
    }

    /// Fresh runs (queued, without `due`) from an id on, in order of arrival. From 0 on it begins at
    /// the watermark under which there is none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn fresh_from(&self, from: i64, limit: usize) -> std::result::Result<Vec<Run>, StoreError> {
        self.read(move |conn| {
            let low: i64 = conn
                .prepare_cached("SELECT ifnull(max(fresh_low), 0) FROM node")?
                .query_row([], |row| row.get(0))?;
            conn.prepare_cached(&format!(
                "SELECT {} FROM run WHERE id >= ?1 AND state = 0 AND due IS NULL ORDER BY id LIMIT ?2",
                codec::RUN
            ))?
            .query_map(params![from.max(low), whole(limit)], |row| codec::run(row, 0))?
            .collect()
        })
        .await
    }

    /// A page of fresh runs as [`Store::fresh_from`] finds them, those that nobody has touched yet
    /// with their requests, so that they need no look-up of their own; and whether nothing follows.
    /// A page ends early once it has 4 MiB of bodies.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn fresh_page(
        &self,
        from: i64,
        limit: usize,
    ) -> std::result::Result<(Vec<FreshRow>, bool), StoreError> {
        let of = |table: &str, columns: &str| {
            let columns: Vec<String> =
                columns.split(", ").map(|column| format!("{table}.{column}")).collect();
            columns.join(", ")
        };
        let (run, request) = (of("run", codec::RUN), of("request", codec::REQUEST));
        let sql = format!(
            "SELECT {run}, {request} FROM run LEFT JOIN request ON request.id = run.request
             WHERE run.id >= ?1 AND run.state = 0 AND run.due IS NULL ORDER BY run.id LIMIT ?2"
        );
        let columns = codec::RUN.split(", ").count();
        self.read(move |conn| {
            let low: i64 = conn
                .prepare_cached("SELECT ifnull(max(fresh_low), 0) FROM node")?
                .query_row([], |row| row.get(0))?;
            let mut statement = conn.prepare_cached(&sql)?;
            let mut rows = statement.query(params![from.max(low), whole(limit)])?;
            let (mut page, mut bytes) = (Vec::new(), 0);
            // Runs of a split request share it.
            let mut last: Option<(RequestId, Arc<Seed>)> = None;
            while let Some(row) = rows.next()? {
                let run = codec::run(row, 0)?;
                let there = row.get::<_, Option<i64>>(columns)?.map(RequestId);
                let wanted = there.filter(|_| run.seq == 0);
                if wanted.is_some() && last.as_ref().map(|(id, _)| *id) != wanted {
                    let request = codec::request(row, columns)?;
                    bytes += request.seed.body.len();
                    last = Some((request.id, Arc::new(request.seed)));
                }
                let seed = wanted.and(last.clone());
                page.push(FreshRow { run, seed });
                if bytes >= PAGE_BYTES {
                    return Ok((page, false));
                }
            }
            let all = page.len() < limit;
            Ok((page, all))
        })
        .await
    }

    /// Requests of a flow whose own runs are open, replays left out; the first 10,000 of them.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn unfinished(&self, flow: FlowId) -> std::result::Result<Vec<RequestId>, StoreError> {
        self.read(move |conn| {
            // Open runs have a `due`, or are younger than the watermark.
            conn.prepare_cached(
                "SELECT request FROM (
                    SELECT request FROM run INDEXED BY run_due WHERE flow = ?1 AND due IS NOT NULL
                        AND state IN (0, 4) AND parent IS NULL AND test = 0
                    UNION SELECT request FROM run INDEXED BY run_later WHERE flow = ?1 AND due IS NOT NULL
                        AND state NOT IN (0, 4) AND parent IS NULL AND test = 0
                    UNION SELECT request FROM run WHERE id >= (SELECT fresh_low FROM node WHERE id = 0)
                        AND flow = ?1 AND due IS NULL AND state <= 1 AND parent IS NULL AND test = 0)
                 WHERE request IS NOT NULL LIMIT ?2",
            )?
            .query_map(params![flow.0, UNFINISHED], |row| row.get(0).map(RequestId))?
            .collect()
        })
        .await
    }

    /// Loads a run with all that decides its next move, as of one moment.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn load(&self, run: RunId) -> std::result::Result<Option<Loaded>, StoreError> {
        Ok(self.load_page(vec![run]).await?.pop().flatten())
    }

    /// Loads runs as [`Store::load`] does, as of one moment: of the first so many, until they have
    /// 4 MiB of bodies. At least one, where one is asked for.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn load_page(&self, runs: Vec<RunId>) -> std::result::Result<Vec<Option<Loaded>>, StoreError> {
        self.read(move |conn| load(conn, &runs)).await
    }

    /// Loads a callback.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn callback(&self, id: CallbackId) -> std::result::Result<Option<Callback>, StoreError> {
        self.read(move |conn| {
            conn.prepare_cached(&format!("SELECT {} FROM callback WHERE id = ?1", codec::CALLBACK))?
                .query_row([id.0], |row| codec::callback(row, 0))
                .optional()
        })
        .await
    }

    /// Loads a request.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn request(
        &self,
        id: RequestId,
    ) -> std::result::Result<Option<Arc<StoredRequest>>, StoreError> {
        self.read(move |conn| Ok(request(conn, id)?.map(Arc::new))).await
    }
}
