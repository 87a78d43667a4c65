//! Rows of lists as they are read: the columns without bodies.

use crate::model::request::{Marks, StoredRequest, Verdict};
use crate::model::run::{Callback, Entry, EntryKind, Got, Run, Sent};
use crate::model::{CallbackId, FlowId, RequestId, RunId};
use crate::store::codec;
use rusqlite::{Connection, OptionalExtension, Row};

/// Columns of [`request`]; headers and body can follow. The status of a sender that waited is noted
/// beside its row.
pub const REQUEST: &str = "id, flow, version, verdict, flags, \
                           ifnull(request.status, (SELECT told.status FROM told WHERE told.request = request.id)), cause, duplicate_of, dedup, peer, \
                           actor, method, path, query, length(body)";

/// A request without its headers and body.
#[derive(Debug, Clone)]
pub struct RequestHead {
    /// Its id.
    pub id: RequestId,
    /// The flow whose endpoint it came to.
    pub flow: FlowId,
    /// The version that judged it.
    pub version: u32,
    /// What was decided.
    pub verdict: Verdict,
    /// Its marks.
    pub marks: Marks,
    /// What the sender was answered; `None` where it waits, or went away before.
    pub status: Option<u16>,
    /// Why it was refused or filtered.
    pub cause: Option<String>,
    /// The first request with its key.
    pub duplicate_of: Option<RequestId>,
    /// Its dedup key.
    pub dedup: Option<Vec<u8>>,
    /// The sender's address.
    pub peer: Option<String>,
    /// Who it was, where that is known.
    pub actor: Option<String>,
    /// Of the request.
    pub method: String,
    /// The rest of the path.
    pub path: String,
    /// The raw query string.
    pub query: String,
    /// Bytes of the body as kept.
    pub size: u64,
}

/// Reads [`REQUEST`].
///
/// # Errors
/// Whatever `SQLite` says.
pub fn request(row: &Row<'_>) -> rusqlite::Result<RequestHead> {
    let verdict = row.get(3)?;
    Ok(RequestHead {
        id: RequestId(row.get(0)?),
        flow: FlowId(row.get(1)?),
        version: row.get(2)?,
        verdict: Verdict::from_number(verdict).ok_or(rusqlite::Error::IntegralValueOutOfRange(3, verdict))?,
        marks: Marks(row.get(4)?),
        status: row.get(5)?,
        cause: row.get(6)?,
        duplicate_of: row.get::<_, Option<i64>>(7)?.map(RequestId),
        dedup: row.get(8)?,
        peer: row.get(9)?,
        actor: row.get(10)?,
        method: row.get(11)?,
        path: row.get(12)?,
        query: row.get(13)?,
        size: row.get::<_, i64>(14)?.cast_unsigned(),
    })
}

/// A request by id, without its body.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn request_by_id(conn: &Connection, id: RequestId) -> rusqlite::Result<Option<RequestHead>> {
    conn.prepare_cached(&format!("SELECT {REQUEST} FROM request WHERE id = ?1"))?
        .query_row([id.0], request)
        .optional()
}

/// A request by id, whole.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn stored(conn: &Connection, id: RequestId) -> rusqlite::Result<Option<StoredRequest>> {
    conn.prepare_cached(&format!("SELECT {} FROM request WHERE id = ?1", codec::REQUEST))?
        .query_row([id.0], |row| codec::request(row, 0))
        .optional()
}

/// Headers and body of a request.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn content(conn: &Connection, id: RequestId) -> rusqlite::Result<Option<(Vec<u8>, Vec<u8>)>> {
    conn.prepare_cached("SELECT headers, body FROM request WHERE id = ?1")?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// A run by id.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn run_by_id(conn: &Connection, id: RunId) -> rusqlite::Result<Option<Run>> {
    conn.prepare_cached(&format!("SELECT {} FROM run WHERE id = ?1", codec::RUN))?
        .query_row([id.0], |row| codec::run(row, 0))
        .optional()
}

/// A callback by id.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn callback_by_id(conn: &Connection, id: CallbackId) -> rusqlite::Result<Option<Callback>> {
    conn.prepare_cached(&format!("SELECT {} FROM callback WHERE id = ?1", codec::CALLBACK))?
        .query_row([id.0], |row| codec::callback(row, 0))
        .optional()
}

/// The journal of a run, oldest first; `whole` with what was sent and what came back.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn journal(conn: &Connection, run: RunId, whole: bool) -> rusqlite::Result<Vec<Entry>> {
    let bodies = if whole { "sent, got, answer" } else { "NULL, NULL, NULL" };
    let sql = format!(
        "SELECT run, seq, at, kind, step, item, attempt, status, actor, detail, {bodies} FROM journal
         WHERE run = ?1 ORDER BY seq"
    );
    conn.prepare_cached(&sql)?.query_map([run.0], |row| codec::entry(row, 0))?.collect()
}

/// The last entry of a step that tells what was sent, without what came back.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn last_sent(conn: &Connection, run: RunId, step: u32) -> rusqlite::Result<Option<Entry>> {
    conn.prepare_cached(
        "SELECT run, seq, at, kind, step, item, attempt, status, actor, detail, sent, NULL, NULL FROM journal
         WHERE run = ?1 AND step = ?2 AND sent IS NOT NULL ORDER BY seq DESC LIMIT 1",
    )?
    .query_row((run.0, step), |row| codec::entry(row, 0))
    .optional()
}

/// What was sent and what came back of an attempt, where it ended with either.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn exchange(
    conn: &Connection,
    run: RunId,
    step: u32,
    attempt: u32,
) -> rusqlite::Result<Option<(Option<Sent>, Option<Got>)>> {
    conn.prepare_cached(
        "SELECT sent, got FROM journal WHERE run = ?1 AND step = ?2 AND attempt = ?3 AND sent IS NOT NULL
         ORDER BY seq DESC LIMIT 1",
    )?
    .query_row((run.0, step, attempt), |row| Ok((codec::kept(row, 0)?, codec::kept(row, 1)?)))
    .optional()
}

/// What a callback was answered with, by a POST or by a person.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn callback_answer(
    conn: &Connection,
    run: RunId,
    step: u32,
    attempt: u32,
) -> rusqlite::Result<Option<Got>> {
    let kind = EntryKind::Callback as i64;
    let found = conn
        .prepare_cached(
            "SELECT got FROM journal WHERE run = ?1 AND step = ?2 AND attempt = ?3 AND kind = ?4
             ORDER BY seq DESC LIMIT 1",
        )?
        .query_row((run.0, step, attempt, kind), |row| codec::kept(row, 0))
        .optional()?;
    Ok(found.flatten())
}

/// The runs that a request began, oldest first: its own, those of a split, and replays.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn runs_of(conn: &Connection, request: RequestId) -> rusqlite::Result<Vec<RunId>> {
    conn.prepare_cached(
        "SELECT id FROM run WHERE id = ?1 AND request = ?1
         UNION ALL SELECT id FROM run INDEXED BY run_request WHERE request = ?1 AND id <> request ORDER BY id",
    )?
    .query_map([request.0], |row| row.get(0).map(RunId))?
    .collect()
}
