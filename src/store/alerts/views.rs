//! Alerts as they are shown.

use super::rules::{self, place};
use crate::model::alert::{AlertView, Receiver};
use crate::model::request::Marks;
use crate::model::time::rfc3339;
use crate::model::view::IntegrationView;
use crate::rules::explain::written;
use crate::store::occasion::begun;
use crate::store::registry::State;
use crate::store::{Store, StoreError};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::sync::Arc;

impl Store {
    /// Adds to integrations their alerts as they stand.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn with_alerts(
        &self,
        mut views: Vec<IntegrationView>,
    ) -> Result<Vec<IntegrationView>, StoreError> {
        let state = self.configured();
        let any = |view: &IntegrationView| {
            let doc = state.by_name(&view.name).and_then(|holding| holding.current());
            doc.is_some_and(|doc| !doc.integration.alerts.is_empty())
        };
        if !views.iter().any(any) {
            return Ok(views);
        }
        self.read(move |conn| {
            for view in &mut views {
                view.alerts = alerts(conn, &state, &view.name)?;
            }
            Ok(views)
        })
        .await
    }

    /// Flows that alerts run and whose newest run did not do what it was begun for: integration,
    /// flow, and the run.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn alert_flows_failing(&self) -> Result<Vec<(String, String, String)>, StoreError> {
        let (state, ids): (Arc<State>, _) = (self.configured(), self.ids().clone());
        self.read(move |conn| {
            let mut failing = Vec::new();
            for holding in state.integrations.values().filter(|holding| !holding.removed) {
                let Some(live) = &holding.live else { continue };
                for flow in rules::told(live) {
                    let Some(run) = begun(conn, flow, Marks::ALERT)? else { continue };
                    let bad: Option<bool> = conn
                        .prepare_cached("SELECT state IN (5, 7, 8) FROM run WHERE id = ?1")?
                        .query_row([run.0], |row| row.get(0))
                        .optional()?;
                    if bad == Some(true) {
                        let (integration, flow) = state.names(flow);
                        failing.push((integration, flow, ids.print(run)));
                    }
                }
            }
            Ok(failing)
        })
        .await
    }
}

fn alerts(conn: &Connection, state: &State, name: &str) -> rusqlite::Result<Vec<AlertView>> {
    let Some(holding) = state.by_name(name) else { return Ok(Vec::new()) };
    let Some(doc) = holding.current() else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for alert in &doc.integration.alerts {
        let mut view = AlertView {
            on: alert.on.clone(),
            url: None,
            flow: None,
            quiet: written(alert.quiet),
            open: 0,
            last_told: None,
            delivered: None,
            waiting: 0,
            given_up: 0,
            error: None,
        };
        match &alert.to {
            Receiver::Url(url) => view.url = Some(url.clone()),
            Receiver::Flow(flow) => view.flow = Some(flow.clone()),
        }
        if let Some(place) = place(&alert.to, &doc.integration, &doc.flows) {
            stand(conn, holding.id.0, &place, &mut view)?;
        }
        all.push(view);
    }
    Ok(all)
}

fn stand(conn: &Connection, integration: i64, place: &str, view: &mut AlertView) -> rusqlite::Result<()> {
    for kind in &view.on {
        let open: i64 = conn
            .prepare_cached(
                "SELECT count(*) FROM alert WHERE integration = ?1 AND place = ?2 AND kind = ?3 AND open = 1",
            )?
            .query_row(params![integration, place, *kind as i64], |row| row.get(0))?;
        view.open += open.cast_unsigned();
    }
    let waiting: i64 = conn
        .prepare_cached("SELECT count(*) FROM alert_post WHERE integration = ?1 AND place = ?2")?
        .query_row(params![integration, place], |row| row.get(0))?;
    view.waiting = waiting.cast_unsigned();
    let mut read = conn.prepare_cached(
        "SELECT told, delivered, given_up, error FROM alert_place WHERE integration = ?1 AND place = ?2",
    )?;
    let mut rows = read.query(params![integration, place])?;
    if let Some(row) = rows.next()? {
        view.last_told = row.get::<_, Option<i64>>(0)?.map(rfc3339);
        view.delivered = row.get::<_, Option<i64>>(1)?.map(rfc3339);
        view.given_up = row.get::<_, i64>(2)?.cast_unsigned();
        view.error = row.get(3)?;
    }
    Ok(())
}
