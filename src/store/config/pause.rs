//! Pauses of integrations and flows, kept in their own rows.

use super::{ConfigError, existing};
use crate::model::gate::{Pause, Pausing};
use crate::model::{FlowId, Ms};
use crate::store::registry::State;
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

impl State {
    /// How many flows are live, and how many of them are paused.
    #[must_use]
    pub fn paused(&self, now: Ms) -> (u64, u64) {
        let live = self.flows.values().filter(|row| {
            let owner = self.integrations.get(&row.integration);
            let live = owner.filter(|owner| !owner.removed).and_then(|owner| owner.live.as_ref());
            !row.removed && live.is_some_and(|live| live.plan(row.id).is_some())
        });
        let (mut all, mut paused) = (0, 0);
        for row in live {
            all += 1;
            paused += u64::from(self.routes.pausing(row.id, || now) != Pausing::Open);
        }
        (all, paused)
    }
}
