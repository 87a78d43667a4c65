//! What became of the runs of a job: as they stand now, and what the last of them tell.

use super::JobOrder;
use crate::model::JobId;
use crate::model::ask::Verb;
use crate::model::job::{Outcomes, PieceState, Reason};
use crate::model::run::RunState;
use crate::rules::streak::{Fate, Led, Streak, fate};
use crate::store::{Store, StoreError};
use rusqlite::{Connection, Row, params};
use std::collections::BTreeMap;

/// Objects that are gone back through beyond those that may fail: what lies further back says nothing
/// of now.
const BACK: u32 = 256;

/// Which runs a verb makes go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follows {
    /// Those that it acts on.
    Moved,
    /// Those that it makes.
    Made,
    /// None: what it does is done at once.
    Nothing,
}

fn follows(verb: &Verb) -> Follows {
    match verb {
        Verb::Retry { .. } | Verb::Skip { .. } => Follows::Moved,
        Verb::Replay(how) if how.to.is_some() => Follows::Nothing,
        Verb::Replay(_) | Verb::Readmit => Follows::Made,
        Verb::Abort | Verb::Forget | Verb::Complete { .. } | Verb::Extend { .. } | Verb::Cancel => {
            Follows::Nothing
        }
    }
}

fn state(number: Option<i64>) -> Option<RunState> {
    number.and_then(RunState::from_number)
}

/// Runs that one read looks at: with a hundred thousand objects nobody waits for the reader.
const CHUNK: i64 = 2_000;

/// How many runs stand so: the state, and the cause of one that stopped.
type Stands = BTreeMap<(Option<i64>, Option<i64>), u64>;

/// Adds the runs of a part of a job; where the next part begins, if there is one.
fn count_part(
    conn: &Connection,
    id: JobId,
    follows: Follows,
    from: i64,
    stands: &mut Stands,
) -> rusqlite::Result<Option<i64>> {
    const STANDS: &str = "run.state, CASE WHEN run.state IN (5, 7) THEN run.cause END";
    let sql = match follows {
        Follows::Moved => format!(
            "SELECT piece.at, piece.state = 2, {STANDS} FROM piece LEFT JOIN run ON run.id = piece.object
             WHERE piece.job = ?1 AND piece.at >= ?2 ORDER BY piece.at LIMIT ?3"
        ),
        Follows::Made => format!(
            "SELECT made.run, 1, {STANDS} FROM made LEFT JOIN run ON run.id = made.run
             WHERE made.job = ?1 AND made.run >= ?2 ORDER BY made.run LIMIT ?3"
        ),
        Follows::Nothing => return Ok(None),
    };
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![id.0, from, CHUNK])?;
    let (mut looked, mut last) = (0, from);
    while let Some(row) = rows.next()? {
        looked += 1;
        last = row.get(0)?;
        if row.get(1)? {
            *stands.entry((row.get(2)?, row.get(3)?)).or_default() += 1;
        }
    }
    Ok((looked == CHUNK).then_some(last.saturating_add(1)))
}

/// What they come to, with the causes that most runs stopped for.
fn told(conn: &Connection, stands: &Stands) -> rusqlite::Result<Outcomes> {
    let mut told = Outcomes::default();
    let mut causes = Vec::new();
    for ((number, cause), many) in stands {
        told.add(state(*number), *many);
        causes.extend(cause.map(|cause| (cause, *many)));
    }
    causes.sort_by_key(|(cause, many)| (std::cmp::Reverse(*many), *cause));
    causes.truncate(Outcomes::CAUSES);
    let mut text = conn.prepare_cached("SELECT text FROM cause WHERE id = ?1")?;
    for (cause, count) in causes {
        let why = text.query_row([cause], |row| row.get(0)).unwrap_or_default();
        told.causes.push(Reason { why, count });
    }
    Ok(told)
}

fn streak(conn: &Connection, id: JobId, limit: u32, follows: Follows) -> rusqlite::Result<Streak> {
    let run = match follows {
        Follows::Moved => "piece.object",
        // Of a request that made several runs the first speaks for it.
        Follows::Made => "piece.run",
        Follows::Nothing => "NULL",
    };
    let sql = format!(
        "SELECT piece.state, run.state, coalesce(piece.said, cause.normal, '')
         FROM piece INDEXED BY piece_past
         LEFT JOIN run ON run.id = {run} LEFT JOIN cause ON cause.id = run.cause
         WHERE piece.job = ?1 AND piece.state >= 2
            AND piece.at >= (SELECT counted_from FROM job WHERE id = ?1)
         ORDER BY piece.at DESC LIMIT ?2"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let told = |row: &Row<'_>| -> rusqlite::Result<Fate> {
        let number: i64 = row.get(0)?;
        let piece =
            PieceState::from_number(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, number))?;
        let led = match (follows, state(row.get(1)?)) {
            (Follows::Nothing, _) => Led::Nowhere,
            (_, None) => Led::Gone,
            (_, Some(state)) => Led::To(state),
        };
        Ok(fate(piece, led, row.get_ref(2)?.as_str().unwrap_or_default()))
    };
    let fates: Vec<Fate> =
        statement.query_map(params![id.0, limit.saturating_add(BACK)], told)?.collect::<Result<_, _>>()?;
    Ok(Streak::of(fates))
}

impl Store {
    /// What became of the runs of a job; `None` where its verb makes none go on.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn outcomes_of(&self, id: JobId, order: &JobOrder) -> Result<Option<Outcomes>, StoreError> {
        let follows = follows(&order.verb);
        if follows == Follows::Nothing {
            return Ok(None);
        }
        let mut stands = Stands::new();
        let mut from = Some(0);
        while let Some(at) = from {
            (stands, from) = self
                .read(move |conn| {
                    let next = count_part(conn, id, follows, at, &mut stands)?;
                    Ok((stands, next))
                })
                .await?;
        }
        self.read(move |conn| told(conn, &stands).map(Some)).await
    }

    /// What the last objects of a job tell that halts after `limit` failures in a row.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn streak_of(&self, id: JobId, order: &JobOrder, limit: u32) -> Result<Streak, StoreError> {
        let follows = follows(&order.verb);
        self.read(move |conn| streak(conn, id, limit, follows)).await
    }
}
