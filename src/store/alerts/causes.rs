//! How things stand: error groups, breakers and silences as causes of alerts, and what is remembered
//! of each.

use super::rules::Rule;
use super::silences::Silence;
use crate::model::alert::AlertKind;
use crate::model::{CallbackId, FlowId, IdKey, IntegrationId, Ms, RunId};
use crate::rules::advance::EXPIRED;
use crate::rules::alert::letter::{self, Letter, NAMED};
use crate::rules::alert::{Memory, Trouble};
use crate::store::query::group_name;
use crate::store::{Store, StoreError};
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};
use std::collections::BTreeMap;

/// A cause as it stands.
#[derive(Debug, Clone)]
pub(super) struct Cause {
    pub(super) kind: AlertKind,
    /// Its name within its kind.
    pub(super) subject: String,
    pub(super) trouble: Trouble,
    pub(super) flow: Option<FlowId>,
    pub(super) step: Option<String>,
    pub(super) text: String,
    pub(super) since: Ms,
    pub(super) first: Option<Ms>,
    pub(super) last: Option<Ms>,
}

/// A row of `alert`.
struct Remembered {
    memory: Memory,
    since: Ms,
    flow: Option<FlowId>,
    step: Option<String>,
    text: String,
}

type Memories = BTreeMap<String, Remembered>;

/// The causes of a kind that a rule is about, each with what was told of it; those that are over
/// only where something was.
pub(super) fn of(
    conn: &Connection,
    rule: &Rule,
    kind: AlertKind,
    silences: &[Silence],
    now: Ms,
) -> Result<Vec<(Cause, Option<Memory>)>> {
    let mut known = memories(conn, rule, kind)?;
    let mut all = match kind {
        AlertKind::Errored => groups(conn, rule, |normal| {
            // What is told as overdue is not told twice.
            normal != EXPIRED || !rule.on.contains(&AlertKind::Overdue)
        })?,
        AlertKind::Overdue => groups(conn, rule, |normal| normal == EXPIRED)?,
        AlertKind::Breaker => breakers(conn, rule)?,
        AlertKind::Silent => silent(rule, silences, &known, now),
    };
    for cause in &mut all {
        cause.kind = kind;
    }
    let mut pairs: Vec<(Cause, Option<Memory>)> = Vec::with_capacity(all.len());
    for mut cause in all {
        let memory = known.remove(&cause.subject).map(|row| {
            if row.memory.open {
                cause.since = row.since;
            }
            row.memory
        });
        pairs.push((cause, memory));
    }
    // Whose runs are all gone from their group, whose endpoint is no more.
    pairs.extend(known.into_iter().map(|(subject, row)| (row.over(kind, subject), Some(row.memory))));
    Ok(pairs)
}

impl Remembered {
    /// The cause of which nothing but this is left.
    fn over(&self, kind: AlertKind, subject: String) -> Cause {
        Cause {
            kind,
            subject,
            trouble: Trouble { now: 0, ever: self.memory.ever, last: self.memory.told },
            flow: self.flow,
            step: self.step.clone(),
            text: self.text.clone(),
            since: self.since,
            first: None,
            last: None,
        }
    }
}

fn memories(conn: &Connection, rule: &Rule, kind: AlertKind) -> Result<Memories> {
    conn.prepare_cached(
        "SELECT subject, open, told, ever, since, flow, step, cause FROM alert
         WHERE integration = ?1 AND place = ?2 AND kind = ?3",
    )?
    .query_map(params![rule.integration.0, rule.place, kind as i64], |row| {
        let memory = Memory { open: row.get::<_, i64>(1)? != 0, told: row.get(2)?, ever: whole(row, 3)? };
        let remembered = Remembered {
            memory,
            since: row.get(4)?,
            flow: row.get::<_, Option<i64>>(5)?.map(FlowId),
            step: row.get(6)?,
            text: row.get(7)?,
        };
        Ok((row.get(0)?, remembered))
    })?
    .collect()
}

fn whole(row: &Row<'_>, at: usize) -> Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0))
}

/// Writes what is remembered of a cause.
pub(super) fn remember(conn: &Connection, rule: &Rule, cause: &Cause, memory: Option<Memory>) -> Result<()> {
    let Some(memory) = memory else {
        return conn
            .prepare_cached(
                "DELETE FROM alert WHERE integration = ?1 AND place = ?2 AND kind = ?3 AND subject = ?4",
            )?
            .execute(params![rule.integration.0, rule.place, cause.kind as i64, cause.subject])
            .map(|_| ());
    };
    conn.prepare_cached(
        "INSERT OR REPLACE INTO alert
             (integration, place, kind, subject, open, told, ever, since, flow, step, cause)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        rule.integration.0,
        rule.place,
        cause.kind as i64,
        cause.subject,
        memory.open,
        memory.told,
        i64::try_from(memory.ever).unwrap_or(i64::MAX),
        cause.since,
        cause.flow.map(|flow| flow.0),
        cause.step,
        cause.text
    ])
    .map(|_| ())
}

/// Error groups that runs are in.
fn groups(conn: &Connection, rule: &Rule, is_meant: impl Fn(&str) -> bool) -> Result<Vec<Cause>> {
    let mut read = conn.prepare_cached(
        "SELECT id, step, text, normal, count, stops, first, last FROM cause INDEXED BY cause_open
         WHERE flow = ?1 AND count > 0",
    )?;
    let mut all = Vec::new();
    for (flow, _) in &rule.flows {
        let mut rows = read.query([flow.0])?;
        while let Some(row) = rows.next()? {
            if !is_meant(row.get_ref(3)?.as_str()?) {
                continue;
            }
            let last = row.get(7)?;
            all.push(Cause {
                kind: AlertKind::Errored,
                subject: row.get::<_, i64>(0)?.to_string(),
                trouble: Trouble { now: whole(row, 4)?, ever: whole(row, 5)?, last },
                flow: Some(*flow),
                step: Some(row.get::<_, String>(1)?).filter(|step| !step.is_empty()),
                text: row.get(2)?,
                since: last,
                first: row.get(6)?,
                last: Some(last),
            });
        }
    }
    Ok(all)
}

fn breakers(conn: &Connection, rule: &Rule) -> Result<Vec<Cause>> {
    conn.prepare_cached(
        "SELECT target, failures, ever, since, last FROM breaker WHERE integration = ?1 AND open = 1",
    )?
    .query_map([rule.integration.0], |row| {
        let (target, since, last): (String, Ms, Ms) = (row.get(0)?, row.get(3)?, row.get(4)?);
        Ok(Cause {
            kind: AlertKind::Breaker,
            trouble: Trouble { now: whole(row, 1)?.max(1), ever: whole(row, 2)?, last },
            flow: None,
            step: None,
            text: format!("{target} refuses"),
            since,
            first: Some(since),
            last: Some(last),
            subject: target,
        })
    })?
    .collect()
}

/// Endpoints: silent ones, and those that were told to be, until a request comes.
fn silent(rule: &Rule, silences: &[Silence], known: &Memories, now: Ms) -> Vec<Cause> {
    let mut all = Vec::new();
    for one in silences.iter().filter(|one| rule.endpoints.contains(&one.flow)) {
        let subject = one.flow.0.to_string();
        let told = known.get(&subject).filter(|row| row.memory.open);
        let (since, text, is_silent) = if let Some(row) = told {
            (row.since, row.text.clone(), one.last <= row.since)
        } else {
            let text = one.usual.map(|usual| letter::silence(one.since, usual));
            (one.since, text.clone().unwrap_or_default(), text.is_some())
        };
        all.push(Cause {
            kind: AlertKind::Silent,
            subject,
            trouble: Trouble { now: u64::from(is_silent), ever: 0, last: now },
            flow: Some(one.flow),
            step: None,
            text,
            since,
            first: None,
            last: Some(one.last).filter(|last| *last > 0),
        });
    }
    all
}

/// What is told of a cause, but for what the verdict says.
pub(super) fn letter(conn: &Connection, ids: &IdKey, rule: &Rule, cause: &Cause) -> Result<Letter> {
    let group = cause.subject.parse::<i64>().ok();
    let group = group.filter(|_| matches!(cause.kind, AlertKind::Errored | AlertKind::Overdue));
    let (mut runs, mut callbacks) = (Vec::new(), Vec::new());
    if let Some(group) = group {
        let named = i64::try_from(NAMED).unwrap_or(i64::MAX);
        let newest: Vec<i64> = conn
            .prepare_cached(
                "SELECT id FROM run INDEXED BY run_group WHERE cause = ?1 AND state = 5 ORDER BY id DESC LIMIT ?2",
            )?
            .query_map([group, named], |row| row.get(0))?
            .collect::<Result<_>>()?;
        for run in newest {
            runs.push(ids.print(RunId(run)));
            let callback: Option<i64> = conn
                .prepare_cached(
                    "SELECT max(id) FROM callback INDEXED BY callback_expired WHERE run = ?1 AND state = 2",
                )?
                .query_row([run], |row| row.get(0))
                .optional()?
                .flatten();
            callbacks.extend(callback.map(|id| ids.print(CallbackId(id))));
        }
    }
    let flow = cause.flow.map(|flow| {
        rule.flows.iter().find(|(id, _)| *id == flow).map(|(_, name)| name.clone()).unwrap_or_default()
    });
    Ok(Letter {
        integration: rule.name.clone(),
        flow,
        step: cause.step.clone(),
        cause: cause.text.clone(),
        target: (cause.kind == AlertKind::Breaker).then(|| cause.subject.clone()),
        group: group.map(group_name),
        count: cause.trouble.now,
        first: cause.first,
        last: cause.last,
        since: cause.since,
        runs,
        callbacks,
        ..Letter::default()
    })
}

/// A breaker opened, or closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerMove {
    /// The target as people see it.
    pub target: String,
    /// It opened; else it closed.
    pub opened: bool,
    /// Failures in a row.
    pub failures: u32,
    /// Since when nothing was sent.
    pub since: Ms,
    /// Integrations that were refused by it; where it closed all are told that were.
    pub refused: Vec<IntegrationId>,
}

impl Store {
    /// Keeps that breakers opened or closed, in this order, for those who are told of it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn breakers_moved(&self, moves: Vec<BreakerMove>) -> std::result::Result<(), StoreError> {
        if moves.is_empty() {
            return Ok(());
        }
        let now = self.now();
        self.write(Vec::new(), move |conn| moves.iter().try_for_each(|one| moved(conn, one, now))).await?;
        self.inner.links.alerts.causes();
        Ok(())
    }

    /// Targets whose breakers were open when they were looked at last.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn open_breakers(&self) -> std::result::Result<Vec<String>, StoreError> {
        self.read(|conn| {
            conn.prepare_cached("SELECT DISTINCT target FROM breaker WHERE open = 1")?
                .query_map([], |row| row.get(0))?
                .collect()
        })
        .await
    }
}

fn moved(conn: &Connection, one: &BreakerMove, now: Ms) -> Result<()> {
    if !one.opened {
        return conn
            .prepare_cached("UPDATE breaker SET open = 0 WHERE target = ?1 AND open = 1")?
            .execute([&one.target])
            .map(|_| ());
    }
    for integration in &one.refused {
        conn.prepare_cached(
            "INSERT INTO breaker (integration, target, open, ever, failures, since, last)
             VALUES (?1, ?2, 1, 1, ?3, ?4, ?5)
             ON CONFLICT (integration, target) DO UPDATE SET ever = ever + (open = 0), open = 1,
                 failures = excluded.failures, last = excluded.last,
                 since = CASE WHEN open = 1 THEN since ELSE excluded.since END",
        )?
        .execute(params![integration.0, one.target, one.failures, one.since, now])?;
    }
    Ok(())
}
