//! Groups of errored runs: by integration, flow, step and cause without its numbers and ids.

use super::head;
use super::look::Look;
use super::views;
use crate::model::id::{first_at, time_of};
use crate::model::run::Entry;
use crate::model::time::{HOUR, rfc3339};
use crate::model::view::{GroupFigures, GroupView, UrlCount};
use crate::model::{FlowId, RunId};
use crate::rules::pattern::url_pattern;
use rusqlite::OptionalExtension;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Hours that are told apart.
const HOURS: u8 = 12;
/// Runs of a group whose attempts are looked at…
const SAMPLE: u32 = 500;
/// …and how long.
const TIME: Duration = Duration::from_millis(50);

/// The groups, most runs first, then those that a run joined last. Runs without a cause are a group
/// too, so that the counts add up: its times are those of its oldest and its newest run.
pub(super) fn groups(look: &Look<'_>) -> rusqlite::Result<Vec<GroupView>> {
    let mut read = look.conn.prepare_cached(
        "SELECT cause, count(*), min(id), max(id) FROM run INDEXED BY run_group WHERE state = 5 GROUP BY cause",
    )?;
    let mut rows = read.query([])?;
    let mut by_hour = by_hour(look)?;
    let mut expired = expired(look)?;
    let mut groups = Vec::new();
    while let Some(row) = rows.next()? {
        let cause: Option<i64> = row.get(0)?;
        let told = look
            .conn
            .prepare_cached("SELECT flow, step, text, first, last FROM cause WHERE id = ?1")?
            .query_row([cause], |row| {
                Ok((FlowId(row.get(0)?), row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })
            .optional()?;
        let (flow, step, text, first, last) = if let Some(told) = told {
            told
        } else {
            let (first, last) = (RunId(row.get(2)?).time(), RunId(row.get(3)?).time());
            (FlowId(0), String::new(), String::new(), first, last)
        };
        let (integration, flow) = look.names(flow);
        groups.push(GroupView {
            id: views::group_name(cause.unwrap_or(0)),
            count: row.get::<_, i64>(1)?.cast_unsigned(),
            integration,
            flow,
            step,
            cause: text,
            first: rfc3339(first),
            last: rfc3339(last),
            hours: by_hour.remove(&cause).unwrap_or_else(|| vec![0; usize::from(HOURS)]),
            expired: expired.remove(&cause).unwrap_or(0),
        });
    }
    groups.sort_by(|one: &GroupView, other| (other.count, &other.last).cmp(&(one.count, &one.last)));
    Ok(groups)
}

/// What the runs of a group sent last at the step that stopped them, and how long the answers took; the
/// newest of them, as many as there is time for. `None` where no errored run is in it.
pub(super) fn figures(look: &Look<'_>, name: &str) -> rusqlite::Result<Option<GroupFigures>> {
    let cause = views::group_cause(name);
    if cause.is_none() && name != views::group_name(0) {
        return Ok(None);
    }
    let runs: Vec<i64> = look
        .conn
        .prepare_cached(
            "SELECT id FROM run INDEXED BY run_group WHERE cause IS ?1 AND state = 5 ORDER BY id DESC LIMIT ?2",
        )?
        .query_map((cause, SAMPLE + 1), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let begun = Instant::now();
    let mut figures = GroupFigures { whole: runs.len() <= SAMPLE as usize, ..GroupFigures::default() };
    let (mut urls, mut times) = (HashMap::<String, u64>::new(), Vec::new());
    for id in runs.into_iter().take(SAMPLE as usize) {
        if figures.runs > 0 && begun.elapsed() > TIME {
            figures.whole = false;
            break;
        }
        let Some(run) = head::run_by_id(look.conn, RunId(id))? else { continue };
        figures.runs += 1;
        let Some(Entry { sent: Some(mut sent), detail, .. }) = head::last_sent(look.conn, run.id, run.step)?
        else {
            continue;
        };
        figures.sent += 1;
        look.traces(&run).hide_in(&mut sent.url);
        *urls.entry(url_pattern(&sent.url)).or_default() += 1;
        times.extend(detail.elapsed_ms);
    }
    times.sort_unstable();
    figures.median_ms = times.get(times.len().saturating_sub(1) / 2).copied();
    figures.patterns = urls.len() as u64;
    figures.urls = urls.into_iter().map(|(pattern, runs)| UrlCount { pattern, runs }).collect();
    figures.urls.sort_by(|one, other| (other.runs, &one.pattern).cmp(&(one.runs, &other.pattern)));
    figures.urls.truncate(GroupFigures::SHOWN);
    Ok((figures.runs > 0).then_some(figures))
}

/// How many runs of each group stopped for want of a callback's answer.
fn expired(look: &Look<'_>) -> rusqlite::Result<HashMap<Option<i64>, u64>> {
    let mut read = look.conn.prepare_cached(
        "SELECT run.cause, count(DISTINCT run.id) FROM callback INDEXED BY callback_expired, run
         WHERE callback.state = 2 AND run.id = callback.run AND run.state = 5 AND run.step = callback.step
           AND run.attempt = callback.attempt
         GROUP BY run.cause",
    )?;
    let counted = read.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
    counted.collect()
}

/// How many runs of each group began in each of the last hours, the hour that runs last.
fn by_hour(look: &Look<'_>) -> rusqlite::Result<HashMap<Option<i64>, Vec<u64>>> {
    let this = look.now.div_euclid(HOUR);
    let first = this + 1 - i64::from(HOURS);
    let mut read = look
        .conn
        .prepare_cached("SELECT cause, id FROM run INDEXED BY run_group WHERE state = 5 AND id >= ?1")?;
    let mut rows = read.query([first_at(first * HOUR)])?;
    let mut all: HashMap<Option<i64>, Vec<u64>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let hour = time_of(row.get(1)?).div_euclid(HOUR) - first;
        let hours = all.entry(row.get(0)?).or_insert_with(|| vec![0; usize::from(HOURS)]);
        // A run of a clock that was ahead counts to the hour that runs.
        let at = usize::try_from(hour).unwrap_or(0).min(usize::from(HOURS) - 1);
        hours[at] += 1;
    }
    Ok(all)
}
