//! What `doctor` looks at in the store: the file, the invariants of the rows, the figures in memory.

use super::tally::Tally;
use super::{Store, StoreError, recover, refusals, schema};
use crate::model::request::Verdict;
use crate::model::run::{Detail, RunState};
use crate::model::time::{DAY, SECOND};
use crate::model::view::{CheckState, CheckView};
use rusqlite::{Connection, Result};

/// Runs whose rows are compared with their journals, newest first.
const FOLDED: i64 = 10_000;
/// Times that figures are compared with rows while somebody writes.
const TRIES: usize = 5;
/// Causes of refusals that are named.
const CAUSES: usize = 5;
/// Bytes of a write-ahead log that is not made smaller by its checkpoints.
const WAL: u64 = 64 << 20;
/// How far the wall clock may be behind.
const BEHIND: i64 = 5 * SECOND;

fn check(name: &str, state: CheckState, text: impl Into<String>) -> CheckView {
    CheckView { name: name.to_owned(), state, text: text.into() }
}

/// The result of a look at rows, as a check.
fn judged(name: &str, well: &str, found: std::result::Result<Option<String>, StoreError>) -> CheckView {
    match found {
        Ok(None) => check(name, CheckState::Ok, well),
        Ok(Some(text)) => check(name, CheckState::Broken, text),
        Err(error) => check(name, CheckState::Broken, format!("it could not be looked at: {error}")),
    }
}

/// How many rows a query counts; a sentence where there are any.
fn none(conn: &Connection, sql: &str, what: &str) -> Result<Option<String>> {
    let n: i64 = conn.query_row(sql, [], |row| row.get(0))?;
    Ok((n > 0).then(|| format!("{n} {what}")))
}

/// The first sentence that there is.
fn first(conn: &Connection, all: &[(&str, &str)]) -> Result<Option<String>> {
    for (sql, what) in all {
        let found = none(conn, sql, what)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn quick(conn: &Connection) -> Result<Option<String>> {
    let said: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((said != "ok")
        .then(|| format!("the file is damaged: {said}. Restore a backup, or export what can be read")))
}

fn findable(conn: &Connection) -> Result<Option<String>> {
    first(
        conn,
        &[
            (
                "SELECT count(*) FROM run, (SELECT ifnull(max(fresh_low), 0) AS low FROM node)
                 WHERE id < low AND state IN (0, 1) AND due IS NULL",
                "open runs are below the watermark without a time to act: nobody would find them",
            ),
            (
                "SELECT count(*) FROM run WHERE state IN (3, 4) AND due IS NULL",
                "waiting or retrying runs have no time to act",
            ),
            (
                "SELECT count(*) FROM run INDEXED BY run_later WHERE due IS NOT NULL AND state NOT IN (0, 4)
                 AND state NOT IN (1, 3)",
                "stopped runs have a time to act",
            ),
        ],
    )
}

fn orphans(conn: &Connection) -> Result<Option<String>> {
    first(
        conn,
        &[
            (
                "SELECT count(*) FROM journal WHERE NOT EXISTS (SELECT 1 FROM run WHERE id = journal.run)",
                "journal entries belong to no run",
            ),
            (
                "SELECT count(*) FROM callback WHERE NOT EXISTS (SELECT 1 FROM run WHERE id = callback.run)",
                "callbacks belong to no run",
            ),
            (
                "SELECT count(*) FROM frame WHERE NOT EXISTS (SELECT 1 FROM run WHERE id = frame.run)",
                "frames belong to no run",
            ),
            (
                "SELECT count(*) FROM run WHERE request IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM request WHERE id = run.request)",
                "runs have lost their request",
            ),
            (
                "SELECT count(*) FROM request WHERE verdict = 0 AND runs > 0
                 AND NOT EXISTS (SELECT 1 FROM run WHERE id = request.id)
                 AND NOT EXISTS (SELECT 1 FROM run WHERE request = request.id AND id <> request)
                 AND id > (SELECT ifnull(min(id), 0) FROM run)",
                "accepted requests have no run",
            ),
        ],
    )
}

/// Rows against journals: a run's newest entry says in which state it left the run, unless a claim
/// came after it.
fn folded(conn: &Connection) -> Result<Option<String>> {
    let mut statement = conn.prepare(
        "SELECT run.id, run.state, run.seq, journal.detail FROM run JOIN journal ON journal.run = run.id
             AND journal.seq = (SELECT max(seq) FROM journal WHERE run = run.id)
         WHERE run.id IN (SELECT id FROM run ORDER BY id DESC LIMIT ?1) AND journal.seq >= run.seq",
    )?;
    let mut rows = statement.query([FOLDED])?;
    let mut odd = 0u64;
    while let Some(row) = rows.next()? {
        let state = RunState::from_number(row.get(1)?);
        let detail: Option<Detail> = serde_json::from_slice(row.get_ref(3)?.as_bytes()?).ok();
        let told = detail.as_ref().and_then(|detail| detail.run_state);
        if detail.is_none() || told.is_some() && told != state {
            odd += 1;
        }
    }
    Ok((odd > 0).then(|| format!("{odd} runs are not in the state that their journal tells")))
}

fn groups(conn: &Connection) -> Result<Option<String>> {
    none(
        conn,
        "SELECT count(*) FROM cause WHERE count <>
             (SELECT count(*) FROM run INDEXED BY run_group WHERE cause = cause.id AND state = 5)",
        "error groups count other runs than they have",
    )
}

impl Store {
    /// Looks at the store: file, invariants, figures.
    pub async fn doctor(&self) -> Vec<CheckView> {
        let mut checks = vec![
            judged("file", "the file is whole", self.read(quick).await),
            judged("due", "every open run will be found", self.read(findable).await),
            judged("rows", "no row has lost what it belongs to", self.read(orphans).await),
            judged("journal", "runs are where their journals say", self.read(folded).await),
            judged("groups", "error groups count their runs", self.read(groups).await),
            judged("figures", "the figures are those of the rows", self.figures().await),
        ];
        checks.extend(self.pressures());
        checks.push(self.only_counted().await);
        checks
    }

    /// Refused requests of the last day that nobody can look at.
    async fn only_counted(&self) -> CheckView {
        let since = self.now() - DAY;
        let unwritten = u64::try_from(self.inner.links.tally().unwritten).unwrap_or(0);
        match self.read(move |conn| refusals::only_counted(conn, since)).await {
            Ok(all) if all.is_empty() && unwritten == 0 => {
                check("refusals", CheckState::Ok, "every refused request of the last day is stored")
            }
            Ok(all) => {
                let n = all.iter().map(|(_, n)| n).sum::<u64>() + unwritten;
                let mut causes: Vec<String> = all
                    .iter()
                    .take(CAUSES)
                    .map(|(cause, n)| format!("{} {cause}", crate::text::count(*n)))
                    .collect();
                if unwritten > 0 {
                    causes.push(format!("{} not written yet", crate::text::count(unwritten)));
                }
                let more = if all.len() > CAUSES { "; and more" } else { "" };
                let text = format!(
                    "{} refused requests of the last day were counted and not stored: {}{more}",
                    crate::text::count(n),
                    causes.join("; ")
                );
                check("refusals", CheckState::Warning, text)
            }
            Err(error) => {
                check("refusals", CheckState::Broken, format!("they could not be looked at: {error}"))
            }
        }
    }

    /// Compares what is kept in memory with the rows; while somebody writes it is tried again.
    async fn figures(&self) -> std::result::Result<Option<String>, StoreError> {
        for _ in 0..TRIES {
            let before = self.snapshot();
            let (runs, pending, totals) = self
                .read(|conn| {
                    let tx = conn.unchecked_transaction()?;
                    let low =
                        tx.query_row("SELECT ifnull(max(fresh_low), 0) FROM node", [], |row| row.get(0))?;
                    let mut tally = Tally::default();
                    recover::seed(&tx, &mut tally, low)?;
                    Ok((tally.runs, tally.pending, Verdict::ALL.map(|verdict| tally.verdict(verdict).n)))
                })
                .await?;
            let after = self.snapshot();
            if before != after {
                continue;
            }
            return Ok(if before.0 != runs {
                Some(format!("runs by state are {runs:?} in the rows and {:?} in memory: restart", before.0))
            } else if before.1 != pending {
                Some(format!("{pending} callbacks wait in the rows and {} in memory: restart", before.1))
            } else if before.2 != totals {
                Some(format!("verdicts are {totals:?} in the file and {:?} in memory: restart", before.2))
            } else {
                None
            });
        }
        Ok(None)
    }

    /// What [`Store::figures`] compares, without what is not written yet.
    fn snapshot(&self) -> ([i64; 9], i64, [i64; 4]) {
        let tally = self.inner.links.tally();
        let mut totals = Verdict::ALL.map(|verdict| tally.verdict(verdict).n);
        totals[Verdict::Rejected as usize] -= tally.unwritten;
        (tally.runs, tally.pending, totals)
    }

    /// What is no fault yet.
    fn pressures(&self) -> Vec<CheckView> {
        let counters = self.counters();
        let trouble = counters.store_trouble.as_ref();
        let mut checks = vec![trouble.map_or_else(
            || check("writes", CheckState::Ok, "the store takes writes"),
            // Senders are refused for it.
            |trouble| check("writes", CheckState::Broken, trouble.sentence()),
        )];
        let mut warn = |name: &str, is: bool, bad: String, well: &str| {
            let state = if is { CheckState::Warning } else { CheckState::Ok };
            checks.push(check(name, state, if is { bad } else { well.to_owned() }));
        };
        warn(
            "dedup memory",
            counters.dedup_bytes > counters.dedup_budget,
            format!(
                "the dedup table holds {} MiB, its budget is {} MiB: raise dedup_memory, or use shorter windows",
                counters.dedup_bytes >> 20,
                counters.dedup_budget >> 20
            ),
            "the dedup table is within its budget",
        );
        warn(
            "write-ahead log",
            counters.wal_bytes > WAL,
            format!("it has {} MiB: a reader may be holding it", counters.wal_bytes >> 20),
            "its size is bounded",
        );
        warn(
            "clock",
            counters.clock_behind > BEHIND,
            format!("the wall clock is {} s behind: it was set back", counters.clock_behind / SECOND),
            "the wall clock goes with engine time",
        );
        if let Some((_, by)) = self.inner.clock.jump() {
            let text =
                format!("the wall clock jumped forward by {} min: dedup windows lapsed with it", by / 60_000);
            checks.push(check("clock jump", CheckState::Warning, text));
        }
        checks
    }

    /// The schema of the file and the store's own id, for reports.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn identity(&self) -> std::result::Result<(i64, String), StoreError> {
        self.read(|conn| {
            let id = schema::text(conn, "store_id")?.unwrap_or_default();
            Ok((schema::number(conn, "schema")?.unwrap_or(0), id))
        })
        .await
    }
}
