//! How things stand: error groups, breakers and silences as causes of alerts, and what is remembered
//! of each.

use super::rules::{self, Rule};
use super::silences::Silence;
use crate::model::alert::{AlertKind, SilentView};
use crate::model::{CallbackId, FlowId, IdKey, IntegrationId, Ms, RunId};
use crate::rules::advance::EXPIRED;
use crate::rules::alert::letter::{self, Letter, NAMED};
use crate::rules::alert::{Memory, Trouble};
use crate::store::query::group_name;
use crate::store::{Store, StoreError};
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};
use std::collections::{BTreeMap, BTreeSet};

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
        "SELECT tag, target, failures, ever, since, last FROM breaker WHERE integration = ?1 AND open = 1",
    )?
    .query_map([rule.integration.0], |row| {
        let (since, last) = (row.get(4)?, row.get(5)?);
        Ok(Cause {
            kind: AlertKind::Breaker,
            subject: row.get::<_, u32>(0)?.to_string(),
            trouble: Trouble { now: whole(row, 2)?.max(1), ever: whole(row, 3)?, last },
            flow: None,
            step: None,
            text: row.get(1)?,
            since,
            first: Some(since),
            last: Some(last),
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

/// An endpoint that is silent, as it is shown.
pub(super) fn silent_view(rule: &Rule, cause: &Cause) -> SilentView {
    SilentView {
        integration: rule.name.clone(),
        flow: cause.flow.map(|flow| name(rule, flow)).unwrap_or_default(),
        since: cause.since,
        cause: cause.text.clone(),
    }
}

fn name(rule: &Rule, flow: FlowId) -> String {
    rule.flows.iter().find(|(id, _)| *id == flow).map(|(_, name)| name.clone()).unwrap_or_default()
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
    let flow = cause.flow.map(|flow| name(rule, flow));
    Ok(Letter {
        integration: rule.name.clone(),
        flow,
        step: cause.step.clone(),
        cause: match cause.kind {
            AlertKind::Breaker => format!("{} refuses", cause.text),
            _ => cause.text.clone(),
        },
        target: (cause.kind == AlertKind::Breaker).then(|| cause.text.clone()),
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

/// A breaker opened, or is open still, or closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerMove {
    /// The target's tag.
    pub tag: u32,
    /// The target as people see it.
    pub target: String,
    /// It is open; else it closed.
    pub open: bool,
    /// Failures in a row.
    pub failures: u32,
    /// Since when nothing was sent.
    pub since: Ms,
    /// Integrations that were refused by it. Where it closed that matters to all that were.
    pub refused: BTreeSet<IntegrationId>,
}

impl Store {
    /// Keeps how breakers moved, in this order, for those who are told of it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn keep_breakers(&self, mut moves: Vec<BreakerMove>) -> std::result::Result<(), StoreError> {
        let told: BTreeSet<IntegrationId> = rules::of(&self.configured())
            .into_iter()
            .filter(|rule| rule.on.contains(&AlertKind::Breaker))
            .map(|rule| rule.integration)
            .collect();
        moves.retain_mut(|one| {
            one.refused.retain(|integration| told.contains(integration));
            !told.is_empty() && (!one.open || !one.refused.is_empty())
        });
        if moves.is_empty() {
            return Ok(());
        }
        let now = self.now();
        self.write(Vec::new(), move |conn| moves.iter().try_for_each(|one| moved(conn, one, now))).await?;
        self.inner.links.alerts.causes();
        Ok(())
    }

    /// Tags and names of targets whose breakers were open when they were kept last.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn kept_breakers(&self) -> std::result::Result<Vec<(u32, String)>, StoreError> {
        self.read(|conn| {
            conn.prepare_cached("SELECT DISTINCT tag, target FROM breaker WHERE open = 1")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
        .await
    }

    /// Whether a flow is told of trouble: of its own nobody is.
    #[must_use]
    pub fn is_told(&self, flow: FlowId) -> bool {
        let state = self.configured();
        let owner = state.flows.get(&flow).and_then(|row| state.integrations.get(&row.integration));
        owner.and_then(|owner| owner.live.as_ref()).is_some_and(|live| rules::told(live).contains(&flow))
    }
}

fn moved(conn: &Connection, one: &BreakerMove, now: Ms) -> Result<()> {
    if !one.open {
        return conn
            .prepare_cached("UPDATE breaker SET open = 0 WHERE tag = ?1 AND open = 1")?
            .execute([one.tag])
            .map(|_| ());
    }
    for integration in &one.refused {
        conn.prepare_cached(
            "INSERT INTO breaker (integration, tag, target, open, ever, failures, since, last)
             VALUES (?1, ?2, ?3, 1, 1, ?4, ?5, ?6)
             ON CONFLICT (integration, tag) DO UPDATE SET ever = ever + (open = 0), open = 1,
                 target = excluded.target, failures = excluded.failures, last = excluded.last,
                 since = CASE WHEN open = 1 THEN since ELSE excluded.since END",
        )?
        .execute(params![integration.0, one.tag, one.target, one.failures, one.since, now])?;
    }
    Ok(())
}
