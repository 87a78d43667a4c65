//! Schedules: the next tick of each is a row, and a tick moves it on in the transaction in which its
//! run is born. So a tick is there once, whatever becomes of the process; and since engine time never
//! goes back, a clock that does brings none twice.

use super::occasion::Occasion;
use super::registry::pause;
use super::state::{Batch, State};
use super::{Store, StoreError};
use crate::model::gate::Pause;
use crate::model::request::Marks;
use crate::model::schedule::Schedule;
use crate::model::time::rfc3339;
use crate::model::{FlowId, Ms};
use crate::rules::schedule::{Rule, Verdict};
use rusqlite::{Connection, OptionalExtension as _, Result, params};
use serde_json::json;

/// Schedules that are looked at in one go.
const AT_ONCE: u32 = 256;

/// A schedule whose time has come.
struct Row {
    flow: FlowId,
    name: String,
    version: u32,
    rule: String,
    next: Ms,
    pauses: Vec<Pause>,
}

/// A schedule as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    /// What the document says.
    pub(super) rule: String,
    /// The next tick; in the past where it waits for the end of a hold.
    pub(super) next: Ms,
    /// The last tick that began a run.
    pub(super) last: Option<Ms>,
    /// Ticks that were missed and folded into a later one.
    pub(super) made_up: u32,
}

impl Store {
    /// Begins the runs of all ticks that are due; when to look again, where that is known.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn tick(&self) -> std::result::Result<Option<Ms>, StoreError> {
        // What is missed while the store is in trouble is made up later.
        if self.refuses().is_some() {
            return Ok(None);
        }
        let now = self.now();
        let (ready, next) = self.read(move |conn| Ok((ready(conn, now)?, following(conn, now)?))).await?;
        if ready.is_empty() {
            return Ok(next);
        }
        self.write_runs(Vec::new(), move |tx, state, batch| {
            // Read again: it may have been deployed, paused or removed since.
            for (row, verdict) in self::ready(tx, batch.now)? {
                advance(tx, state, &row, verdict, batch)?;
            }
            Ok(())
        })
        .await?;
        Ok(Some(now))
    }
}

/// Schedules that are due and may go on, with what becomes of them.
fn ready(conn: &Connection, now: Ms) -> Result<Vec<(Row, Verdict)>> {
    let mut read = conn.prepare_cached(
        "SELECT s.flow, f.name, i.deployed, s.rule, s.next, f.paused, f.paused_until, f.hold,
                i.paused, i.paused_until, i.hold
         FROM schedule s JOIN flow f ON f.id = s.flow JOIN integration i ON i.id = f.integration
         WHERE s.next <= ?1 AND f.removed IS NULL AND i.removed IS NULL AND i.deployed IS NOT NULL
         ORDER BY s.next",
    )?;
    let mut rows = read.query([now])?;
    let mut ready = Vec::new();
    while let Some(row) = rows.next()? {
        let row = Row {
            flow: FlowId(row.get(0)?),
            name: row.get(1)?,
            version: row.get(2)?,
            rule: row.get(3)?,
            next: row.get(4)?,
            pauses: [pause(row, 5)?, pause(row, 8)?].into_iter().flatten().collect(),
        };
        let Some(rule) = rule(&row.rule) else { continue };
        match rule.judge(row.next, now, &row.pauses) {
            Verdict::Wait => {}
            verdict => ready.push((row, verdict)),
        }
        if ready.len() >= AT_ONCE as usize {
            break;
        }
    }
    Ok(ready)
}

/// The first tick that is not due yet.
fn following(conn: &Connection, now: Ms) -> Result<Option<Ms>> {
    conn.prepare_cached("SELECT min(next) FROM schedule WHERE next > ?1")?.query_row([now], |row| row.get(0))
}

/// A schedule's line, compiled.
pub(super) fn rule(line: &str) -> Option<Rule> {
    Rule::new(&Schedule::read(line)?).ok()
}

fn advance(
    conn: &Connection,
    state: &mut State,
    row: &Row,
    verdict: Verdict,
    batch: &mut Batch,
) -> Result<()> {
    match verdict {
        Verdict::Wait => Ok(()),
        Verdict::Skip(next) => conn
            .prepare_cached("UPDATE schedule SET next = ?2 WHERE flow = ?1")?
            .execute(params![row.flow.0, next])
            .map(|_| ()),
        Verdict::Run(tick) => {
            conn.prepare_cached(
                "UPDATE schedule SET next = ?2, last = ?3, made_up = made_up + ?4 WHERE flow = ?1",
            )?
            .execute(params![row.flow.0, tick.next, tick.at, tick.missed])?;
            let mut occasion = Occasion {
                flow: row.flow,
                name: row.name.clone(),
                version: row.version,
                mark: Marks::SCHEDULE,
                body: json!({ "tick": rfc3339(tick.at), "missed": tick.missed }),
                actor: None,
                run: None,
            };
            state.begin(conn, &mut occasion, batch)
        }
    }
}

/// What a deploy makes of a flow's schedule: one that says what it said goes on counting where it
/// was, another counts from now.
pub(super) fn deployed(conn: &Connection, flow: FlowId, schedule: Option<&Schedule>, now: Ms) -> Result<()> {
    let Some(schedule) = schedule else {
        return conn.prepare_cached("DELETE FROM schedule WHERE flow = ?1")?.execute([flow.0]).map(|_| ());
    };
    let next = Rule::new(schedule).map_or(Ms::MAX, |rule| rule.after(now));
    conn.prepare_cached(
        "INSERT INTO schedule (flow, rule, next) VALUES (?1, ?2, ?3)
         ON CONFLICT (flow) DO UPDATE SET rule = excluded.rule, next = excluded.next
         WHERE rule <> excluded.rule",
    )?
    .execute(params![flow.0, schedule.to_string(), next])
    .map(|_| ())
}

/// The schedule of a flow, as it stands.
pub(super) fn standing(conn: &Connection, flow: FlowId) -> Result<Option<Standing>> {
    conn.prepare_cached("SELECT rule, next, last, made_up FROM schedule WHERE flow = ?1")?
        .query_row([flow.0], |row| {
            Ok(Standing { rule: row.get(0)?, next: row.get(1)?, last: row.get(2)?, made_up: row.get(3)? })
        })
        .optional()
}
