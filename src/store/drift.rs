//! Badges of shape drift: raised by the follower, shown until a person takes them away.

use super::{Store, StoreError};
use crate::model::change::Change;
use crate::model::study::{DriftKind, DriftView, MOST_BADGES};
use crate::model::time::rfc3339;
use crate::model::{FlowId, Ms, RequestId};
use crate::rules::shape::Drift;
use rusqlite::{Connection, Result, params};

/// Raises a badge. One that was taken away stays away, but for a path that was lost once more. Over
/// the bound of a flow nothing is raised.
pub(super) fn raise(conn: &Connection, flow: FlowId, drift: &Drift, now: Ms) -> Result<()> {
    let open: i64 = conn
        .prepare_cached(
            "SELECT count(*) FROM drift INDEXED BY drift_open WHERE flow = ?1 AND cleared IS NULL",
        )?
        .query_row([flow.0], |row| row.get(0))?;
    if usize::try_from(open).is_ok_and(|open| open >= MOST_BADGES) {
        return Ok(());
    }
    conn.prepare_cached(
        "INSERT INTO drift (flow, kind, path, was, now, request, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (flow, kind, path, now) DO UPDATE SET cleared = NULL, request = excluded.request,
             at = excluded.at WHERE kind = 2",
    )?
    .execute(params![
        flow.0,
        drift.kind as i64,
        drift.path,
        drift.was,
        drift.now,
        drift.request,
        // Of the request, so that it is the same over restarts.
        RequestId(drift.request).time().min(now),
    ])
    .map(|_| ())
}

impl Store {
    /// Open badges, newest first; of some flows, or of all.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn drifts(
        &self,
        flows: Option<Vec<FlowId>>,
    ) -> std::result::Result<Vec<DriftView>, StoreError> {
        let (store, state) = (self.clone(), self.configured());
        self.read(move |conn| {
            let mut read = conn.prepare_cached(
                "SELECT id, flow, kind, path, was, now, request, at FROM drift INDEXED BY drift_open
                 WHERE cleared IS NULL ORDER BY id DESC",
            )?;
            let mut rows = read.query([])?;
            let mut views = Vec::new();
            while let Some(row) = rows.next()? {
                let flow = FlowId(row.get(1)?);
                let gone = state.flows.get(&flow).is_none_or(|row| row.removed);
                if gone || flows.as_ref().is_some_and(|flows| !flows.contains(&flow)) {
                    continue;
                }
                let (integration, flow) = state.names(flow);
                let kind = row.get(2)?;
                views.push(DriftView {
                    id: row.get(0)?,
                    integration,
                    flow,
                    kind: DriftKind::from_number(kind)
                        .ok_or(rusqlite::Error::IntegralValueOutOfRange(2, kind))?,
                    path: row.get(3)?,
                    was: row.get(4)?,
                    now: row.get(5)?,
                    request: store.ids().print(RequestId(row.get(6)?)),
                    at: rfc3339(row.get(7)?),
                });
            }
            Ok(views)
        })
        .await
    }

    /// Takes badges away; how many were there.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn clear_drifts(&self, ids: Vec<i64>) -> std::result::Result<u64, StoreError> {
        let now = self.now();
        self.write(vec![Change::Config], move |tx| {
            let mut clear =
                tx.prepare_cached("UPDATE drift SET cleared = ?2 WHERE id = ?1 AND cleared IS NULL")?;
            let mut cleared = 0;
            for id in ids {
                cleared += clear.execute(params![id, now])? as u64;
            }
            Ok(cleared)
        })
        .await
    }
}
