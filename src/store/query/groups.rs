//! Groups of errored runs: by integration, flow, step and cause without its numbers and ids.

use super::look::Look;
use super::views;
use crate::model::time::rfc3339;
use crate::model::view::GroupView;
use crate::model::{FlowId, RunId};
use rusqlite::OptionalExtension;

/// The groups, most runs first, then those that a run joined last. Runs without a cause are a group
/// too, so that the counts add up: its times are those of its oldest and its newest run.
pub(super) fn groups(look: &Look<'_>) -> rusqlite::Result<Vec<GroupView>> {
    let mut read = look.conn.prepare_cached(
        "SELECT cause, count(*), min(id), max(id) FROM run INDEXED BY run_group WHERE state = 5 GROUP BY cause",
    )?;
    let mut rows = read.query([])?;
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
        let (flow, step, text, first, last) = match told {
            Some(told) => told,
            None => {
                let (first, last) = (RunId(row.get(2)?).time(), RunId(row.get(3)?).time());
                (FlowId(0), String::new(), String::new(), first, last)
            }
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
        });
    }
    groups.sort_by(|one: &GroupView, other| (other.count, &other.last).cmp(&(one.count, &one.last)));
    Ok(groups)
}
