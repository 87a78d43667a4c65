//! What senders were told, where that does not follow from the row of their request.

use crate::model::RequestId;
use crate::model::view::AnswerView;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Result, params};

/// Writes it down. `answer` is `None` where the journal has it. What was written first stands: nobody
/// is told twice.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn write(
    conn: &Connection,
    request: RequestId,
    status: u16,
    answer: Option<&AnswerView>,
) -> Result<()> {
    let answer = answer
        .map(serde_json::to_string)
        .transpose()
        .map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))?;
    // A request that retention took meanwhile gets no note: nothing would take that away again.
    conn.prepare_cached(
        "INSERT OR IGNORE INTO told (request, status, answer)
         SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM request WHERE id = ?1)",
    )?
    .execute(params![request.0, status, answer])
    .map(|_| ())
}

/// What was noted.
#[derive(Debug, PartialEq)]
pub(super) enum Noted {
    /// Nothing.
    Nothing,
    /// The journal has the answer.
    InJournal,
    /// The answer.
    Answer(AnswerView),
}

/// Reads it.
///
/// # Errors
/// Whatever `SQLite` says; an answer that is not JSON.
pub(super) fn read(conn: &Connection, request: RequestId) -> Result<Noted> {
    let found: Option<Option<String>> = conn
        .prepare_cached("SELECT answer FROM told WHERE request = ?1")?
        .query_row([request.0], |row| row.get(0))
        .optional()?;
    Ok(match found {
        None => Noted::Nothing,
        Some(None) => Noted::InJournal,
        Some(Some(text)) => Noted::Answer(
            serde_json::from_str(&text)
                .map_err(|error| Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))?,
        ),
    })
}
