//! Pieces of jobs: what is left, and the marks of what became of each.

use crate::model::id::Kind;
use crate::model::job::{PieceState, kind_from_number};
use crate::model::{JobId, RunId};
use crate::store::{Store, StoreError};
use rusqlite::{Connection, Row, params};

/// Bytes of what is kept of a reason.
const SAID: usize = 500;

/// An object of a job that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPiece {
    /// What it is.
    pub kind: Kind,
    /// Its integer.
    pub object: i64,
    /// A run's `seq` as the person was shown it; nothing is done where it has moved on.
    pub seq: Option<i64>,
}

/// Names a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The job.
    pub job: JobId,
    /// Its place in it.
    pub at: u32,
}

/// A piece's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PieceRow {
    /// Its name.
    pub piece: Piece,
    /// Its object.
    pub object: NewPiece,
    /// What became of it.
    pub state: PieceState,
    /// Why it was refused, or what came of it.
    pub said: Option<String>,
    /// The first run that it made.
    pub run: Option<RunId>,
}

/// A piece that was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its place.
    pub at: u32,
    /// In words.
    pub why: String,
}

/// What is said of a piece that is not left: it was done, or its job was stopped.
pub(in crate::store) fn not_left() -> StoreError {
    StoreError::Refused("the job was stopped, or this was done already".to_owned())
}

const PIECE: &str = "job, at, kind, object, seq, state, said, run";

fn piece(row: &Row<'_>) -> rusqlite::Result<PieceRow> {
    let (kind, state): (i64, i64) = (row.get(2)?, row.get(5)?);
    Ok(PieceRow {
        piece: Piece { job: JobId(row.get(0)?), at: row.get(1)? },
        object: NewPiece {
            kind: kind_from_number(kind).ok_or(rusqlite::Error::IntegralValueOutOfRange(2, kind))?,
            object: row.get(3)?,
            seq: row.get(4)?,
        },
        state: PieceState::from_number(state).ok_or(rusqlite::Error::IntegralValueOutOfRange(5, state))?,
        said: row.get(6)?,
        run: row.get::<_, Option<i64>>(7)?.map(RunId),
    })
}

impl Piece {
    /// Whether it is to be done still: nothing became of it, and its job goes on.
    pub(in crate::store) fn is_left(self, conn: &Connection) -> rusqlite::Result<bool> {
        conn.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM piece WHERE job = ?1 AND at = ?2 AND state = 0)
                AND EXISTS (SELECT 1 FROM job WHERE id = ?1 AND state = 0)",
        )?
        .query_row(params![self.job.0, self.at], |row| row.get(0))
    }

    /// Marks it as done, by the runs that it made.
    pub(in crate::store) fn done(
        self,
        conn: &Connection,
        runs: impl IntoIterator<Item = RunId>,
    ) -> rusqlite::Result<()> {
        let mut first = None;
        let mut made = conn.prepare_cached("INSERT INTO made (job, run) VALUES (?1, ?2)")?;
        for run in runs {
            first.get_or_insert(run.0);
            made.execute([self.job.0, run.0])?;
        }
        conn.prepare_cached("UPDATE piece SET state = 2, run = ?3 WHERE job = ?1 AND at = ?2")?
            .execute(params![self.job.0, self.at, first])?;
        conn.prepare_cached("UPDATE job SET done = done + 1 WHERE id = ?1")?.execute([self.job.0]).map(|_| ())
    }
}

/// Counts pieces of a job as refused.
fn count_refused(conn: &Connection, job: JobId, many: usize) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE job SET refused = refused + ?2 WHERE id = ?1")?
        .execute(params![job.0, i64::try_from(many).unwrap_or(i64::MAX)])
        .map(|_| ())
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(SAID)]
}

impl Store {
    /// Pieces of a job past a place, in their order.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn pieces(&self, id: JobId, from: u32, limit: u32) -> Result<Vec<PieceRow>, StoreError> {
        self.read(move |conn| {
            conn.prepare_cached(&format!(
                "SELECT {PIECE} FROM piece WHERE job = ?1 AND at >= ?2 ORDER BY at LIMIT ?3"
            ))?
            .query_map(params![id.0, from, limit], piece)?
            .collect()
        })
        .await
    }

    /// The next pieces of a job of which nothing became yet.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn pieces_left(&self, id: JobId, limit: u32) -> Result<Vec<PieceRow>, StoreError> {
        self.read(move |conn| {
            conn.prepare_cached(&format!(
                "SELECT {PIECE} FROM piece INDEXED BY piece_left WHERE job = ?1 AND state = 0 ORDER BY at LIMIT ?2"
            ))?
            .query_map(params![id.0, limit], piece)?
            .collect()
        })
        .await
    }

    /// Marks pieces as refused. Those of which something became meanwhile, or whose job was stopped,
    /// stay as they are.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn refuse_pieces(&self, id: JobId, refused: Vec<Refused>) -> Result<(), StoreError> {
        if refused.is_empty() {
            return Ok(());
        }
        self.write(Vec::new(), move |tx| {
            let mut update = tx.prepare_cached(
                "UPDATE piece SET state = 3, said = ?3 WHERE job = ?1 AND at = ?2 AND state IN (0, 1)
                    AND EXISTS (SELECT 1 FROM job WHERE id = ?1 AND state = 0)",
            )?;
            let mut many = 0;
            for one in &refused {
                many += update.execute(params![id.0, one.at, cut(&one.why)])?;
            }
            count_refused(tx, id, many)
        })
        .await
    }

    /// Marks a piece as being sent, before anything leaves; whether it was left.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn sending_piece(&self, piece: Piece) -> Result<bool, StoreError> {
        self.write(Vec::new(), move |tx| {
            if !piece.is_left(tx)? {
                return Ok(false);
            }
            tx.prepare_cached("UPDATE piece SET state = 1 WHERE job = ?1 AND at = ?2")?
                .execute(params![piece.job.0, piece.at])
                .map(|_| true)
        })
        .await
    }

    /// Marks a piece that was being sent as done, with what came; or as refused.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn sent_piece(&self, piece: Piece, came: Result<String, String>) -> Result<(), StoreError> {
        self.write(Vec::new(), move |tx| {
            let (state, said) = match &came {
                Ok(said) => (PieceState::Done, said),
                Err(why) => (PieceState::Refused, why),
            };
            let changed = tx
                .prepare_cached(
                    "UPDATE piece SET state = ?3, said = ?4 WHERE job = ?1 AND at = ?2 AND state = 1",
                )?
                .execute(params![piece.job.0, piece.at, state as i64, cut(said)])?;
            match came {
                Ok(_) if changed > 0 => tx
                    .prepare_cached("UPDATE job SET done = done + 1 WHERE id = ?1")?
                    .execute([piece.job.0])
                    .map(|_| ()),
                _ => count_refused(tx, piece.job, changed),
            }
        })
        .await
    }

    /// Marks pieces whose sending an earlier process did not live to see: their outcome is unknown.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn settle_pieces(&self, id: JobId, why: String) -> Result<(), StoreError> {
        self.write(Vec::new(), move |tx| {
            let many = tx
                .prepare_cached(
                    "UPDATE piece INDEXED BY piece_sending SET state = 3, said = ?2 WHERE job = ?1 AND state = 1",
                )?
                .execute(params![id.0, why])?;
            count_refused(tx, id, many)
        })
        .await
    }
}
