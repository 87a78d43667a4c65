//! Groups of errored runs: by integration, flow, step and cause without its numbers and ids.

use super::look::Look;
use super::views;
use crate::model::id::{first_at, time_of};
use crate::model::time::{HOUR, rfc3339};
use crate::model::view::GroupView;
use crate::model::{FlowId, RunId};
use rusqlite::OptionalExtension;
use std::collections::HashMap;

/// Hours that are told apart.
const HOURS: u8 = 12;

/// The groups, most runs first, then those that a run joined last. Runs without a cause are a group
/// too, so that the counts add up: its times are those of its oldest and its newest run.
pub(super) fn groups(look: &Look<'_>) -> rusqlite::Result<Vec<GroupView>> {
    let mut read = look.conn.prepare_cached(
        "SELECT cause, count(*), min(id), max(id) FROM run INDEXED BY run_group WHERE state = 5 GROUP BY cause",
    )?;
    let mut rows = read.query([])?;
    let mut by_hour = by_hour(look)?;
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
        });
    }
    groups.sort_by(|one: &GroupView, other| (other.count, &other.last).cmp(&(one.count, &one.last)));
    Ok(groups)
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
