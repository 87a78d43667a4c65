//! Rows to nouns and back: the one place that knows the order of columns.

use crate::model::headers::Headers;
use crate::model::request::{Marks, Seed, StoredRequest, Verdict};
use crate::model::run::{Callback, CallbackState, Entry, EntryKind, Frame, Run, RunState};
use crate::model::{CallbackId, FlowId, RequestId, RunId};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Result, Row, params};
use serde::de::DeserializeOwned;

/// Columns of `run`, in the order of [`run`].
pub(in crate::store) const RUN: &str = "id, request, parent, flow, version, state, step, attempt, round, \
     fence, seq, owner, due, started, ended, cause, test, element";

/// Columns of `request`, in the order of [`request`].
pub(in crate::store) const REQUEST: &str = "id, flow, version, verdict, flags, runs, status, cause, \
     duplicate_of, dedup, peer, actor, hops, method, path, query, headers, body";

/// Columns of `journal`, in the order of [`entry`].
pub(in crate::store) const ENTRY: &str =
    "run, seq, at, kind, step, item, attempt, status, actor, detail, sent, got, answer";

/// Columns of `callback`, in the order of [`callback`].
pub(in crate::store) const CALLBACK: &str =
    "id, run, step, attempt, hash, state, deadline, created, received, status, digest";

fn unknown(column: usize, number: i64) -> Error {
    Error::IntegralValueOutOfRange(column, number)
}

fn json<T: DeserializeOwned>(column: usize, text: &[u8]) -> Result<T> {
    serde_json::from_slice(text)
        .map_err(|error| Error::FromSqlConversionFailure(column, Type::Blob, Box::new(error)))
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))
}

/// A run from [`RUN`], its columns beginning at `at`.
///
/// # Errors
/// A state that no schema has.
pub(in crate::store) fn run(row: &Row<'_>, at: usize) -> Result<Run> {
    let state = row.get(at + 5)?;
    Ok(Run {
        id: RunId(row.get(at)?),
        request: row.get::<_, Option<i64>>(at + 1)?.map(RequestId),
        parent: row.get::<_, Option<i64>>(at + 2)?.map(RunId),
        flow: FlowId(row.get(at + 3)?),
        version: row.get(at + 4)?,
        state: RunState::from_number(state).ok_or_else(|| unknown(at + 5, state))?,
        step: row.get(at + 6)?,
        attempt: row.get(at + 7)?,
        round: row.get(at + 8)?,
        fence: row.get(at + 9)?,
        seq: row.get(at + 10)?,
        owner: row.get(at + 11)?,
        due: row.get(at + 12)?,
        started: row.get(at + 13)?,
        ended: row.get(at + 14)?,
        cause: row.get(at + 15)?,
        test: row.get::<_, i64>(at + 16)? != 0,
        element: row.get(at + 17)?,
    })
}

/// Inserts a run.
///
/// # Errors
/// Whatever `SQLite` says.
pub(in crate::store) fn insert_run(conn: &Connection, run: &Run) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO run (id, request, parent, flow, version, state, step, attempt, round, fence, seq, owner,
             due, started, ended, cause, test, element)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )?
    .execute(params![
        run.id.0,
        run.request.map(|id| id.0),
        run.parent.map(|id| id.0),
        run.flow.0,
        run.version,
        run.state as i64,
        run.step,
        run.attempt,
        run.round,
        run.fence,
        run.seq,
        run.owner,
        run.due,
        run.started,
        run.ended,
        run.cause,
        i64::from(run.test),
        run.element,
    ])
    .map(|_| ())
}

/// Writes what a transition may change of a run, under the guard; whether the row was there.
///
/// # Errors
/// Whatever `SQLite` says.
pub(in crate::store) fn update_run(conn: &Connection, run: &Run, guard: i64) -> Result<bool> {
    let rows = conn
        .prepare_cached(
            "UPDATE run SET version = ?3, state = ?4, step = ?5, attempt = ?6, round = ?7, fence = ?8, seq = ?9,
                 owner = ?10, due = ?11, started = ?12, ended = ?13, cause = ?14
             WHERE id = ?1 AND seq = ?2",
        )?
        .execute(params![
            run.id.0,
            guard,
            run.version,
            run.state as i64,
            run.step,
            run.attempt,
            run.round,
            run.fence,
            run.seq,
            run.owner,
            run.due,
            run.started,
            run.ended,
            run.cause,
        ])?;
    Ok(rows == 1)
}

/// A request from [`REQUEST`], its columns beginning at `at`.
///
/// # Errors
/// A verdict that no schema has.
pub(in crate::store) fn request(row: &Row<'_>, at: usize) -> Result<StoredRequest> {
    let verdict = row.get(at + 3)?;
    Ok(StoredRequest {
        id: RequestId(row.get(at)?),
        verdict: Verdict::from_number(verdict).ok_or_else(|| unknown(at + 3, verdict))?,
        runs: row.get(at + 5)?,
        status: row.get(at + 6)?,
        cause: row.get(at + 7)?,
        duplicate_of: row.get::<_, Option<i64>>(at + 8)?.map(RequestId),
        dedup: row.get(at + 9)?,
        seed: Seed {
            flow: FlowId(row.get(at + 1)?),
            version: row.get(at + 2)?,
            marks: Marks(row.get(at + 4)?),
            peer: row.get(at + 10)?,
            actor: row.get(at + 11)?,
            hops: row.get(at + 12)?,
            method: row.get(at + 13)?,
            path: row.get(at + 14)?,
            query: row.get(at + 15)?,
            headers: Headers::from_blob(row.get::<_, Vec<u8>>(at + 16)?.into()),
            body: row.get::<_, Vec<u8>>(at + 17)?.into(),
        },
    })
}

/// What was decided of a request, for its row.
#[derive(Debug)]
pub(in crate::store) struct Decided<'a> {
    pub(in crate::store) id: i64,
    pub(in crate::store) verdict: Verdict,
    pub(in crate::store) runs: u32,
    pub(in crate::store) status: Option<u16>,
    /// The state that its runs are born in.
    pub(in crate::store) born: RunState,
    pub(in crate::store) cause: Option<&'a str>,
    pub(in crate::store) duplicate_of: Option<i64>,
    pub(in crate::store) dedup: Option<&'a [u8; 16]>,
}

/// Inserts a request.
///
/// # Errors
/// Whatever `SQLite` says.
pub(in crate::store) fn insert_request(conn: &Connection, seed: &Seed, decided: &Decided<'_>) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO request (id, flow, version, verdict, flags, runs, status, cause, duplicate_of, dedup, peer,
             actor, hops, method, path, query, headers, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )?
    .execute(params![
        decided.id,
        seed.flow.0,
        seed.version,
        decided.verdict as i64,
        seed.marks.with(Marks::born(decided.born)).0,
        decided.runs,
        decided.status,
        decided.cause,
        decided.duplicate_of,
        decided.dedup,
        seed.peer,
        seed.actor,
        seed.hops,
        seed.method,
        seed.path,
        seed.query,
        &seed.headers.blob()[..],
        &seed.body[..],
    ])
    .map(|_| ())
}

/// An entry of the journal from [`ENTRY`], its columns beginning at `at`.
///
/// # Errors
/// A kind that no schema has, details that are not JSON.
pub(in crate::store) fn entry(row: &Row<'_>, at: usize) -> Result<Entry> {
    let kind = row.get(at + 3)?;
    Ok(Entry {
        run: RunId(row.get(at)?),
        seq: row.get(at + 1)?,
        at: row.get(at + 2)?,
        kind: EntryKind::from_number(kind).ok_or_else(|| unknown(at + 3, kind))?,
        step: row.get(at + 4)?,
        item: row.get(at + 5)?,
        attempt: row.get(at + 6)?,
        status: row.get(at + 7)?,
        actor: row.get(at + 8)?,
        detail: json(at + 9, row.get_ref(at + 9)?.as_bytes()?)?,
        sent: kept(row, at + 10)?,
        got: kept(row, at + 11)?,
        answer: kept(row, at + 12)?,
    })
}

/// What an entry keeps of an exchange, where it does.
///
/// # Errors
/// A blob that is not JSON.
pub(in crate::store) fn kept<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<Option<T>> {
    row.get_ref(column)?.as_blob_or_null().map_err(Error::from)?.map(|blob| json(column, blob)).transpose()
}

/// Appends an entry to the journal.
///
/// # Errors
/// Whatever `SQLite` says; a second entry with the same `seq` is a broken constraint.
pub(in crate::store) fn insert_entry(conn: &Connection, entry: &Entry) -> Result<()> {
    let sent = entry.sent.as_ref().map(to_json).transpose()?;
    let got = entry.got.as_ref().map(to_json).transpose()?;
    let answer = entry.answer.as_ref().map(to_json).transpose()?;
    conn.prepare_cached(
        "INSERT INTO journal (run, seq, at, kind, step, item, attempt, status, actor, detail, sent, got, answer)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        entry.run.0,
        entry.seq,
        entry.at,
        entry.kind as i64,
        entry.step,
        entry.item,
        entry.attempt,
        entry.status,
        entry.actor,
        to_json(&entry.detail)?,
        sent.as_ref().map(String::as_bytes),
        got.as_ref().map(String::as_bytes),
        answer.as_ref().map(String::as_bytes),
    ])
    .map(|_| ())
}

/// A frame from its blob.
///
/// # Errors
/// A blob that is not JSON.
pub(in crate::store) fn frame(blob: &[u8]) -> Result<Frame> {
    json(0, blob)
}

/// Sets a run's frame; an empty one is no row.
///
/// # Errors
/// Whatever `SQLite` says.
pub(in crate::store) fn set_frame(conn: &Connection, run: RunId, frame: &Frame) -> Result<()> {
    if *frame == Frame::default() {
        conn.prepare_cached("DELETE FROM frame WHERE run = ?1")?.execute([run.0])?;
        return Ok(());
    }
    conn.prepare_cached(
        "INSERT INTO frame (run, data) VALUES (?1, ?2) ON CONFLICT (run) DO UPDATE SET data = excluded.data",
    )?
    .execute(params![run.0, to_json(frame)?.as_bytes()])
    .map(|_| ())
}

/// A callback from [`CALLBACK`], its columns beginning at `at`.
///
/// # Errors
/// A state that no schema has.
pub(in crate::store) fn callback(row: &Row<'_>, at: usize) -> Result<Callback> {
    let state = row.get(at + 5)?;
    Ok(Callback {
        id: CallbackId(row.get(at)?),
        run: RunId(row.get(at + 1)?),
        step: row.get(at + 2)?,
        attempt: row.get(at + 3)?,
        hash: row.get(at + 4)?,
        state: CallbackState::from_number(state).ok_or_else(|| unknown(at + 5, state))?,
        deadline: row.get(at + 6)?,
        created: row.get(at + 7)?,
        received: row.get(at + 8)?,
        status: row.get(at + 9)?,
        digest: row.get(at + 10)?,
    })
}

/// Inserts a callback.
///
/// # Errors
/// Whatever `SQLite` says.
pub(in crate::store) fn insert_callback(conn: &Connection, callback: &Callback) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO callback (id, run, step, attempt, hash, state, deadline, created, received, status, digest)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        callback.id.0,
        callback.run.0,
        callback.step,
        callback.attempt,
        callback.hash,
        callback.state as i64,
        callback.deadline,
        callback.created,
        callback.received,
        callback.status,
        callback.digest,
    ])
    .map(|_| ())
}
