//! Jobs: verbs on many, done piece by piece. A piece is marked in the transaction of its act, so that
//! whatever ends this process none is done twice; what is left is found by its mark.

mod halt;
mod outcome;
mod piece;

pub(super) use piece::not_left;
pub use piece::{NewPiece, Piece, PieceRow, Refused};

use super::trail::Trail;
use super::{Store, StoreError};
use crate::model::ask::{Verb, Who, from_json};
use crate::model::job::{JobState, Reason};
use crate::model::rate::RateLimit;
use crate::model::{JobId, Ms, RunId};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// Pieces that are written in one transaction, and leave in one.
const CHUNK: usize = 2_000;
/// Reasons that are told of one job.
const REASONS: u32 = 20;

/// A job's row.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Names it.
    pub id: JobId,
    /// What was ordered.
    pub order: JobOrder,
    /// Where it stands.
    pub state: JobState,
    /// Its objects.
    pub total: u64,
    /// Those that were acted on.
    pub done: u64,
    /// Those that were refused, or failed.
    pub refused: u64,
    /// When it ended.
    pub ended: Option<Ms>,
    /// Who stopped it.
    pub stopped_by: Option<String>,
}

impl Job {
    /// Those that are left.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.total.saturating_sub(self.done + self.refused)
    }
}

/// What a person ordered.
#[derive(Debug, Clone, PartialEq)]
pub struct JobOrder {
    /// Who, and through which door.
    pub who: Who,
    /// What to do to each.
    pub verb: Verb,
    /// How its objects were chosen, where by a filter.
    pub filter: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// At most so many in a time.
    pub rate: Option<RateLimit>,
    /// It halts after so many failures in a row.
    pub stop_after: Option<u32>,
}

const JOB: &str = "id, who, door, verb, filter, reason, rate, state, total, done, refused, ended, stopped_by, \
     stop_after";

fn wrong(column: usize, why: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(why))
}

fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    let verb: String = row.get(3)?;
    let rate: Option<String> = row.get(6)?;
    let state: i64 = row.get(7)?;
    let whole = |column: usize| row.get::<_, i64>(column).map(|n| u64::try_from(n).unwrap_or(0));
    Ok(Job {
        id: JobId(row.get(0)?),
        order: JobOrder {
            // Whether they might was judged when it began.
            who: Who::local(row.get::<_, String>(1)?, &row.get::<_, String>(2)?),
            verb: from_json(verb.as_bytes()).map_err(|why| wrong(3, std::io::Error::other(why)))?,
            filter: row.get(4)?,
            reason: row.get(5)?,
            rate: rate.map(|rate| rate.parse()).transpose().map_err(|error| wrong(6, error))?,
            stop_after: row.get(13)?,
        },
        state: JobState::from_number(state).ok_or(rusqlite::Error::IntegralValueOutOfRange(7, state))?,
        total: whole(8)?,
        done: whole(9)?,
        refused: whole(10)?,
        ended: row.get(11)?,
        stopped_by: row.get(12)?,
    })
}

/// The jobs that acted on a run, or made it.
///
/// # Errors
/// Whatever `SQLite` says.
pub(in crate::store) fn jobs_of(conn: &Connection, run: RunId) -> rusqlite::Result<Vec<JobId>> {
    conn.prepare_cached(
        "SELECT job FROM piece INDEXED BY piece_object WHERE object = ?1 AND kind = 2
         UNION SELECT job FROM made INDEXED BY made_run WHERE run = ?1",
    )?
    .query_map([run.0], |row| row.get(0).map(JobId))?
    .collect()
}

/// The condition on a run's row that it is one of a job's.
pub(in crate::store) fn is_of(job: i64) -> String {
    format!(
        "id IN (SELECT object FROM piece WHERE job = {job} AND kind = 2
         UNION SELECT run FROM made WHERE job = {job})"
    )
}

/// Drops pieces of jobs that ended before a time, and of those that never came to be; then the jobs.
/// Whether there are more.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn past(conn: &Connection, before: Ms) -> rusqlite::Result<bool> {
    // One that is being written has pieces and no row: it is younger than this.
    let young = crate::model::id::first_at(before);
    let gone: Option<i64> = conn
        .prepare_cached(
            // From job to job, not from piece to piece.
            "WITH RECURSIVE seen (job) AS (
                 SELECT min(job) FROM piece
                 UNION ALL SELECT (SELECT min(job) FROM piece WHERE job > seen.job) FROM seen WHERE seen.job IS NOT NULL)
             SELECT job FROM seen WHERE job < ?1
                AND NOT EXISTS (SELECT 1 FROM job WHERE id = seen.job AND (state = 0 OR ended >= ?2)) LIMIT 1",
        )?
        .query_row([young, before], |row| row.get(0))
        .optional()?;
    let Some(gone) = gone else {
        conn.execute(
            "DELETE FROM made WHERE job IN (SELECT id FROM job WHERE state <> 0 AND ended < ?1)",
            [before],
        )?;
        conn.execute("DELETE FROM job WHERE state <> 0 AND ended < ?1", [before])?;
        return Ok(false);
    };
    conn.prepare_cached(
        "DELETE FROM piece WHERE job = ?1 AND at IN (SELECT at FROM piece WHERE job = ?1 ORDER BY at LIMIT ?2)",
    )?
    .execute(params![gone, i64::try_from(CHUNK).unwrap_or(i64::MAX)])?;
    Ok(true)
}

impl Store {
    /// Writes a job: its pieces first, its row and the entry of the audit trail last, both in one
    /// transaction. Pieces of one that was cut off are dropped by retention.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn new_job(
        &self,
        order: JobOrder,
        pieces: Vec<NewPiece>,
        detail: &str,
    ) -> Result<Job, StoreError> {
        let id = JobId(self.fresh_id());
        let total = pieces.len() as u64;
        for (chunk, from) in pieces.chunks(CHUNK).zip((0..).step_by(CHUNK)) {
            let chunk = chunk.to_vec();
            self.write(Vec::new(), move |tx| {
                let mut insert = tx.prepare_cached(
                    "INSERT INTO piece (job, at, kind, object, seq, state) VALUES (?1, ?2, ?3, ?4, ?5, 0)",
                )?;
                for (at, piece) in (from..).zip(&chunk) {
                    let at: i64 = at;
                    insert.execute(params![id.0, at, piece.kind as i64, piece.object, piece.seq])?;
                }
                Ok(())
            })
            .await?;
        }
        let trail =
            self.trail(&order.who, order.verb.word(), &self.ids().print(id), order.reason.as_deref(), detail);
        let made = Job {
            id,
            order,
            state: JobState::Running,
            total,
            done: 0,
            refused: 0,
            ended: None,
            stopped_by: None,
        };
        let row = made.clone();
        self.write(Vec::new(), move |tx| write_job(tx, &row, &trail)).await?;
        Ok(made)
    }

    /// Jobs with pieces left, oldest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn open_jobs(&self) -> Result<Vec<Job>, StoreError> {
        self.read(|conn| {
            conn.prepare_cached(&format!(
                "SELECT {JOB} FROM job INDEXED BY job_open WHERE state = 0 ORDER BY id"
            ))?
            .query_map([], job)?
            .collect()
        })
        .await
    }

    /// A job.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        self.read(move |conn| {
            conn.prepare_cached(&format!("SELECT {JOB} FROM job WHERE id = ?1"))?
                .query_row([id.0], job)
                .optional()
        })
        .await
    }

    /// Jobs older than one, newest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn jobs(&self, before: Option<JobId>, limit: u32) -> Result<Vec<Job>, StoreError> {
        let before = before.map_or(i64::MAX, |id| id.0);
        self.read(move |conn| {
            conn.prepare_cached(&format!("SELECT {JOB} FROM job WHERE id < ?1 ORDER BY id DESC LIMIT ?2"))?
                .query_map(params![before, limit], job)?
                .collect()
        })
        .await
    }

    /// Why pieces of a job were refused, the most first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn refusals_of(&self, id: JobId) -> Result<Vec<Reason>, StoreError> {
        self.read(move |conn| {
            conn.prepare_cached(
                "SELECT ifnull(said, ''), count(*) FROM piece INDEXED BY piece_refused
                 WHERE job = ?1 AND state = 3 GROUP BY said ORDER BY count(*) DESC, said LIMIT ?2",
            )?
            .query_map(params![id.0, REASONS], |row| {
                Ok(Reason { why: row.get(0)?, count: u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0) })
            })?
            .collect()
        })
        .await
    }

    /// A job has no piece left; whether it was running until now.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn end_job(&self, id: JobId) -> Result<bool, StoreError> {
        let now = self.now();
        self.write(Vec::new(), move |tx| {
            tx.prepare_cached("UPDATE job SET state = 2, ended = ?2 WHERE id = ?1 AND state = 0")?
                .execute(params![id.0, now])
                .map(|changed| changed > 0)
        })
        .await
    }

    /// Stops a job that runs or has halted, and writes that into the audit trail; whether it did.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn stop_job(
        &self,
        id: JobId,
        who: &Who,
        reason: Option<&str>,
        detail: &str,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let trail = self.trail(who, "stop", &self.ids().print(id), reason, detail);
        let by = who.name.clone();
        self.write(Vec::new(), move |tx| {
            let changed = tx
                .prepare_cached(
                    "UPDATE job SET state = 1, ended = ?2, stopped_by = ?3 WHERE id = ?1 AND state IN (0, 3)",
                )?
                .execute(params![id.0, now, by])?;
            if changed > 0 {
                trail.write(tx)?;
            }
            Ok(changed > 0)
        })
        .await
    }
}

fn write_job(conn: &Connection, job: &Job, trail: &Trail) -> rusqlite::Result<()> {
    let order = &job.order;
    let verb = serde_json::to_string(&order.verb)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    conn.prepare_cached(
        "INSERT INTO job (id, who, door, verb, filter, reason, rate, stop_after, counted_from, state, total, done,
             refused)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?9, 0, 0, ?8, 0, 0)",
    )?
    .execute(params![
        job.id.0,
        order.who.name,
        order.who.door,
        verb,
        order.filter,
        order.reason,
        order.rate.map(|rate| rate.to_string()),
        i64::try_from(job.total).unwrap_or(i64::MAX),
        order.stop_after
    ])?;
    trail.write(conn)
}
