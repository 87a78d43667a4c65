//! Groups of errored runs: by integration, flow, step and cause without its numbers and ids.

use super::look::Look;
use super::views;
use crate::model::FlowId;
use crate::model::id::time_of;
use crate::model::time::rfc3339;
use crate::model::view::GroupView;
use rusqlite::OptionalExtension;

/// The groups, most runs first, then by their newest run. Runs without a cause are a group too, so
/// that the counts add up.
pub(super) fn groups(look: &Look<'_>) -> rusqlite::Result<Vec<GroupView>> {
    let mut read = look.conn.prepare_cached(
        "SELECT cause, count(*), min(id), max(id) FROM run INDEXED BY run_group WHERE state = 5 GROUP BY cause
         ORDER BY 2 DESC, 4 DESC",
    )?;
    let mut rows = read.query([])?;
    let mut groups = Vec::new();
    while let Some(row) = rows.next()? {
        let cause: Option<i64> = row.get(0)?;
        let told = look
            .conn
            .prepare_cached("SELECT flow, step, text FROM cause WHERE id = ?1")?
            .query_row([cause], |row| Ok((FlowId(row.get(0)?), row.get(1)?, row.get(2)?)))
            .optional()?;
        let (flow, step, text) = told.unwrap_or((FlowId(0), String::new(), String::new()));
        let (integration, flow) = look.names(flow);
        groups.push(GroupView {
            id: views::group_name(cause.unwrap_or(0)),
            count: row.get::<_, i64>(1)?.cast_unsigned(),
            integration,
            flow,
            step,
            cause: text,
            first: rfc3339(time_of(row.get(2)?)),
            last: rfc3339(time_of(row.get(3)?)),
        });
    }
    Ok(groups)
}
