//! What the live versions want told, and whom.

use crate::model::alert::{Alert, AlertKind, Receiver};
use crate::model::document::{Integration, Trigger};
use crate::model::{FlowId, IntegrationId, Ms};
use crate::store::config::VersionFlow;
use crate::store::registry::{Doc, State};
use rusqlite::{Connection, OptionalExtension as _, Result, params};
use std::collections::BTreeSet;

/// An alert of a live version.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) integration: IntegrationId,
    /// The integration's name.
    pub(super) name: String,
    /// Its receiver as rows name it.
    pub(super) place: String,
    pub(super) on: Vec<AlertKind>,
    pub(super) quiet: Ms,
    pub(super) to: To,
    /// Flows that it is about, and their names: all of its integration, but for those that are told
    /// of trouble themselves.
    pub(super) flows: Vec<(FlowId, String)>,
    /// Those of them that have an endpoint.
    pub(super) endpoints: Vec<FlowId>,
}

/// A receiver.
#[derive(Debug, Clone)]
pub(super) enum To {
    /// A URL as the document writes it.
    Url(String),
    /// A flow of the integration.
    Flow {
        flow: FlowId,
        name: String,
        /// The live version.
        version: u32,
    },
}

impl To {
    /// As people see it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Url(url) => url.clone(),
            Self::Flow { name, .. } => format!("flow {name}"),
        }
    }
}

/// A receiver as rows name it; `None` for a flow that the document does not have.
pub(super) fn place(to: &Receiver, integration: &Integration, flows: &[VersionFlow]) -> Option<String> {
    match to {
        Receiver::Url(url) => Some(format!("url:{url}")),
        Receiver::Flow(name) => flow(name, integration, flows).map(|flow| format!("flow:{}", flow.0)),
    }
}

fn flow(name: &str, integration: &Integration, flows: &[VersionFlow]) -> Option<FlowId> {
    let at = integration.flows.iter().position(|flow| flow.name == name)?;
    flows.get(at).map(|flow| FlowId(flow.flow))
}

/// Flows of a version that are told of trouble: their own is not told, or it would never end.
pub(super) fn told(doc: &Doc) -> BTreeSet<FlowId> {
    let all = doc.integration.alerts.iter();
    all.filter_map(|alert| match &alert.to {
        Receiver::Flow(name) => flow(name, &doc.integration, &doc.flows),
        Receiver::Url(_) => None,
    })
    .collect()
}

/// All alerts that are live.
pub(super) fn of(state: &State) -> Vec<Rule> {
    let mut rules = Vec::new();
    for holding in state.integrations.values().filter(|holding| !holding.removed) {
        let Some(doc) = holding.live.as_ref().filter(|doc| !doc.integration.alerts.is_empty()) else {
            continue;
        };
        let told = told(doc);
        // Those that were dropped too: their errored runs need somebody all the same.
        let flows: Vec<(FlowId, String)> = state
            .flows
            .values()
            .filter(|row| row.integration == holding.id && !told.contains(&row.id))
            .map(|row| (row.id, row.name.clone()))
            .collect();
        let endpoints: Vec<FlowId> = doc
            .flows
            .iter()
            .zip(&doc.integration.flows)
            .filter(|(_, flow)| matches!(flow.trigger, Trigger::Webhook(_)))
            .map(|(row, _)| FlowId(row.flow))
            .collect();
        for alert in &doc.integration.alerts {
            let (Some(place), Some(to)) =
                (place(&alert.to, &doc.integration, &doc.flows), receiver(alert, doc))
            else {
                continue;
            };
            rules.push(Rule {
                integration: holding.id,
                name: holding.name.clone(),
                place,
                on: alert.on.clone(),
                quiet: alert.quiet,
                to,
                flows: flows.clone(),
                endpoints: endpoints.clone(),
            });
        }
    }
    rules
}

fn receiver(alert: &Alert, doc: &Doc) -> Option<To> {
    Some(match &alert.to {
        Receiver::Url(url) => To::Url(url.clone()),
        Receiver::Flow(name) => To::Flow {
            flow: flow(name, &doc.integration, &doc.flows)?,
            name: name.clone(),
            version: doc.number,
        },
    })
}

/// Since when a rule is deployed; `None` where it is not.
pub(super) fn since(conn: &Connection, rule: &Rule, kind: AlertKind) -> Result<Option<Ms>> {
    conn.prepare_cached("SELECT since FROM alert_rule WHERE integration = ?1 AND place = ?2 AND kind = ?3")?
        .query_row(params![rule.integration.0, rule.place, kind as i64], |row| row.get(0))
        .optional()
}

/// What a deploy makes of the alerts of an integration: those that it had go on as they were, new
/// ones begin now, and of those that it has no more nothing is left.
pub(in crate::store) fn deployed(
    conn: &Connection,
    owner: IntegrationId,
    integration: &Integration,
    flows: &[VersionFlow],
    now: Ms,
) -> Result<()> {
    let mut wanted: BTreeSet<(String, i64)> = BTreeSet::new();
    for alert in &integration.alerts {
        if let Some(place) = place(&alert.to, integration, flows) {
            wanted.extend(alert.on.iter().map(|kind| (place.clone(), *kind as i64)));
        }
    }
    for (place, kind) in had(conn, owner)?.difference(&wanted) {
        let pair = params![owner.0, place, kind];
        for sql in [
            "DELETE FROM alert_rule WHERE integration = ?1 AND place = ?2 AND kind = ?3",
            "DELETE FROM alert WHERE integration = ?1 AND place = ?2 AND kind = ?3",
        ] {
            conn.prepare_cached(sql)?.execute(pair)?;
        }
    }
    for (place, kind) in &wanted {
        conn.prepare_cached(
            "INSERT INTO alert_rule (integration, place, kind, since) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (integration, place, kind) DO NOTHING",
        )?
        .execute(params![owner.0, place, kind, now])?;
        conn.prepare_cached(
            "INSERT INTO alert_place (integration, place) VALUES (?1, ?2)
             ON CONFLICT (integration, place) DO NOTHING",
        )?
        .execute(params![owner.0, place])?;
    }
    for sql in [
        "DELETE FROM alert_place WHERE integration = ?1
         AND place NOT IN (SELECT place FROM alert_rule WHERE integration = ?1)",
        "DELETE FROM alert_post WHERE integration = ?1
         AND place NOT IN (SELECT place FROM alert_rule WHERE integration = ?1)",
    ] {
        conn.prepare_cached(sql)?.execute([owner.0])?;
    }
    Ok(())
}

fn had(conn: &Connection, owner: IntegrationId) -> Result<BTreeSet<(String, i64)>> {
    conn.prepare_cached("SELECT place, kind FROM alert_rule WHERE integration = ?1")?
        .query_map([owner.0], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Nobody is told of an integration that is removed.
pub(in crate::store) fn removed(conn: &Connection, owner: IntegrationId) -> Result<()> {
    for table in ["alert_rule", "alert", "alert_post", "alert_place", "breaker"] {
        conn.prepare_cached(&format!("DELETE FROM {table} WHERE integration = ?1"))?.execute([owner.0])?;
    }
    Ok(())
}
