//! What flows are sent, and who set values: what is read anew for lists of integrations.

use super::look::Look;
use crate::model::request::Verdict;
use crate::model::time::rfc3339;
use crate::model::traffic::{LastView, TrafficView};
use crate::model::view::{IntegrationView, SetView};
use crate::model::{FlowId, RequestId};
use crate::rules::traffic::{spans, usual};
use crate::store::ledger::COUNTED;
use crate::store::{Store, StoreError};
use rusqlite::{Connection, OptionalExtension as _, Result};
use std::collections::HashMap;
use std::sync::PoisonError;

impl Store {
    /// Adds to flows that requests arrive at how much does, and to values when and by whom they were set.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn with_traffic(
        &self,
        mut views: Vec<IntegrationView>,
    ) -> std::result::Result<Vec<IntegrationView>, StoreError> {
        self.look(move |look| {
            let last = newest(look)?;
            for view in &mut views {
                let Some(holding) = look.state.by_name(&view.name) else { continue };
                for flow in view.flows.iter_mut().filter(|flow| flow.url.is_some()) {
                    let row = look.state.flows.values();
                    let row = row.into_iter().find(|row| row.integration == holding.id && row.key == flow.id);
                    let Some(row) = row else { continue };
                    flow.traffic = Some(traffic(look, row.id, last.get(&row.id).copied())?);
                }
                for variable in view.variables.iter_mut().filter(|variable| variable.set) {
                    variable.stands = stands(look.conn, holding.id.0, &variable.name)?;
                }
            }
            Ok(views)
        })
        .await
    }
}

fn traffic(look: &Look<'_>, flow: FlowId, newest: Option<RequestId>) -> Result<TrafficView> {
    let (minute, accepted, duplicates, refused) = {
        let tally = look.store.inner.links.tally();
        let of = |verdict: i64| tally.totals.get(&(flow.0, verdict)).copied().unwrap_or_default();
        let refused = of(Verdict::Rejected as i64).last.max(of(COUNTED).last);
        let (accepted, duplicate) = (of(Verdict::Accepted as i64).n, of(Verdict::Duplicate as i64).n);
        (tally.pulse.minute(flow.0, look.now), accepted, duplicate, refused)
    };
    let figure = |n: i64| u64::try_from(n).unwrap_or(0);
    Ok(TrafficView {
        minute,
        usual_hour: usual_hour(look, flow)?,
        accepted: figure(accepted),
        duplicates: figure(duplicates),
        last: newest.map(|id| last(look, id)).transpose()?.flatten(),
        last_refused: (refused > 0).then(|| rfc3339(refused)),
    })
}

fn usual_hour(look: &Look<'_>, flow: FlowId) -> Result<Option<u64>> {
    let first: Option<i64> = look
        .conn
        .prepare_cached("SELECT min(quarter) FROM arrival WHERE flow = ?1")?
        .query_row([flow.0], |row| row.get(0))?;
    let Some(first) = first else { return Ok(None) };
    let spans = spans(first, look.now);
    let mut read = look.conn.prepare_cached(
        "SELECT coalesce(sum(n), 0) FROM arrival WHERE flow = ?1 AND quarter >= ?2 AND quarter < ?3",
    )?;
    let mut counts = Vec::with_capacity(spans.len());
    for (from, to) in &spans {
        let n: i64 = read.query_row([flow.0, *from, *to], |row| row.get(0))?;
        counts.push(u64::try_from(n).unwrap_or(0));
    }
    Ok(usual(&spans, &counts))
}

/// The newest request of every flow, as far as it is known.
fn newest(look: &Look<'_>) -> Result<HashMap<FlowId, RequestId>> {
    let flows: Vec<FlowId> = look.state.flows.keys().copied().collect();
    let mut recent = look.store.inner.registry.reads.recent.lock().unwrap_or_else(PoisonError::into_inner);
    recent.look(look.conn, &flows).cloned()
}

fn last(look: &Look<'_>, id: RequestId) -> Result<Option<LastView>> {
    let verdict: Option<i64> = look
        .conn
        .prepare_cached("SELECT verdict FROM request WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    let verdict = verdict.and_then(Verdict::from_number);
    Ok(verdict.map(|verdict| LastView {
        request: look.store.ids().print(id),
        time: rfc3339(id.time()),
        verdict,
    }))
}

fn stands(conn: &Connection, integration: i64, name: &str) -> Result<Option<SetView>> {
    conn.prepare_cached("SELECT at, author FROM value WHERE integration = ?1 AND name = ?2")?
        .query_row(rusqlite::params![integration, name], |row| {
            Ok(SetView { at: rfc3339(row.get(0)?), by: row.get(1)? })
        })
        .optional()
}
