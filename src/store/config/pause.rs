//! Pauses of integrations and flows, kept in their own rows.

use super::{ConfigError, existing};
use crate::model::FlowId;
use crate::model::gate::Pause;
use rusqlite::{Connection, params};

/// Sets or ends the pause of an integration, or of a flow.
///
/// # Errors
/// Refused: there is no integration of that name.
pub fn pause(
    conn: &Connection,
    name: &str,
    flow: Option<FlowId>,
    pause: Option<Pause>,
) -> Result<(), ConfigError> {
    let row = existing(conn, name)?;
    let table = if flow.is_some() { "flow" } else { "integration" };
    let sql = format!("UPDATE {table} SET paused = ?2, paused_until = ?3, hold = ?4 WHERE id = ?1");
    let hold = pause.filter(|pause| pause.hold).map(|_| 1);
    conn.prepare_cached(&sql)?.execute(params![
        flow.map_or(row.id, |flow| flow.0),
        pause.map(|pause| pause.since),
        pause.and_then(|pause| pause.until),
        hold
    ])?;
    Ok(())
}
