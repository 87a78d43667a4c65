//! Where a request stands, for its sender.

use super::Store;
use crate::model::request::Verdict;
use crate::model::run::{Given, RunState};
use crate::model::{FlowId, RequestId, RunId};
use crate::store::StoreError;
use rusqlite::{Connection, Error, OptionalExtension, Result};

/// Where a request stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestStatus {
    /// What was decided about it.
    pub verdict: Verdict,
    /// The runs that it began, in the order of its elements; replays are a person's and not among them.
    pub runs: Vec<(RunId, RunState)>,
    /// The first answer of a `respond` step; without one, what a `fail` step told.
    pub given: Option<Given>,
}

/// Reads it; `None` where there is no such request.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn status(conn: &Connection, id: RequestId) -> Result<Option<RequestStatus>> {
    // One transaction: states and answer are of one moment.
    let tx = conn.unchecked_transaction()?;
    let verdict: Option<i64> = tx
        .prepare_cached("SELECT verdict FROM request WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    let Some(verdict) = verdict else { return Ok(None) };
    let verdict = Verdict::from_number(verdict).ok_or(Error::IntegralValueOutOfRange(0, verdict))?;
    let runs = own_runs(&tx, id)?;
    let given = given(&tx, &runs)?;
    Ok(Some(RequestStatus { verdict, runs, given }))
}

/// The runs that a request began itself, in the order of its elements, and where they stand.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn own_runs(conn: &Connection, id: RequestId) -> Result<Vec<(RunId, RunState)>> {
    conn.prepare_cached(
        "SELECT id, state FROM run WHERE id = ?1 AND request = ?1 AND parent IS NULL
             UNION ALL SELECT id, state FROM run INDEXED BY run_request
                 WHERE request = ?1 AND id <> request AND parent IS NULL ORDER BY id",
    )?
    .query_map([id.0], |row| {
        let state: i64 = row.get(1)?;
        let state = RunState::from_number(state).ok_or(Error::IntegralValueOutOfRange(1, state))?;
        Ok((RunId(row.get(0)?), state))
    })?
    .collect()
}

/// The answer of the `respond` step that was reached first, by any of the runs; where there is none,
/// what a `fail` step told of a run that is failed.
///
/// # Errors
/// Whatever `SQLite` says; an answer that is not JSON.
pub(super) fn given(conn: &Connection, runs: &[(RunId, RunState)]) -> Result<Option<Given>> {
    let mut statement =
        conn.prepare_cached("SELECT id, answer FROM journal WHERE run = ?1 AND answer IS NOT NULL")?;
    let mut first: Option<(bool, i64, Given)> = None;
    for (run, state) in runs {
        let mut rows = statement.query([run.0])?;
        while let Some(row) = rows.next()? {
            let given: Given = serde_json::from_slice(row.get_ref(1)?.as_blob()?).map_err(|error| {
                Error::FromSqlConversionFailure(1, rusqlite::types::Type::Blob, Box::new(error))
            })?;
            let rank = (given.problem, row.get::<_, i64>(0)?);
            let counts = !given.problem || *state == RunState::Failed;
            if counts && first.as_ref().is_none_or(|(problem, id, _)| rank < (*problem, *id)) {
                first = Some((rank.0, rank.1, given));
            }
        }
    }
    Ok(first.map(|(_, _, given)| given))
}

/// [`given`] of all runs that a request began itself.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn given_of(conn: &Connection, id: RequestId) -> Result<Option<Given>> {
    Ok(status(conn, id)?.and_then(|status| status.given))
}

impl Store {
    /// The newest run of each element of a request (of an unsplit one the element is `None`), replays
    /// included.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn newest_runs(
        &self,
        id: RequestId,
    ) -> std::result::Result<Vec<(Option<u32>, RunId)>, StoreError> {
        self.read(move |conn| {
            conn.prepare_cached(
                "SELECT element, max(id) FROM (SELECT id, element FROM run WHERE id = ?1 AND request = ?1
                 UNION ALL SELECT id, element FROM run INDEXED BY run_request WHERE request = ?1 AND id <> request)
                 GROUP BY element ORDER BY element",
            )?
            .query_map([id.0], |row| Ok((row.get(0)?, RunId(row.get(1)?))))?
            .collect()
        })
        .await
    }

    /// Where a request stands, for its sender; `None` where there is no such request.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn request_status(
        &self,
        id: RequestId,
    ) -> std::result::Result<Option<RequestStatus>, StoreError> {
        self.read(move |conn| status(conn, id)).await
    }

    /// The flow that a request came to; `None` where there is no such request.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn flow_of(&self, id: RequestId) -> std::result::Result<Option<FlowId>, StoreError> {
        self.read(move |conn| {
            conn.prepare_cached("SELECT flow FROM request WHERE id = ?1")?
                .query_row([id.0], |row| row.get(0).map(FlowId))
                .optional()
        })
        .await
    }
}
