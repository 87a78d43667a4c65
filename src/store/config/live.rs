//! A version goes live, and an integration is removed: what becomes of its flows, their aliases and
//! schedules, and which of them begin with it.

use super::{Act, ConfigError, existing, version_flows};
use crate::model::document::{Connection as Settings, Integration, Trigger};
use crate::model::request::Marks;
use crate::model::schedule::Schedule;
use crate::model::{FlowId, IntegrationId};
use crate::store::alerts;
use crate::store::occasion::{Occasion, begun};
use crate::store::registry::read_doc;
use crate::store::schedules;
use rusqlite::{Connection, Result, params};
use serde_json::json;
use std::sync::Arc;

/// Takes the aliases of an integration's flows away, for [`make_live`] to give them anew.
pub(super) fn give_up_aliases(conn: &Connection, integration: i64) -> Result<()> {
    conn.prepare_cached("UPDATE flow SET path = NULL WHERE integration = ?1 AND removed IS NULL")?
        .execute([integration])
        .map(|_| ())
}

/// Moves the live version: the flows that it has are open under its names and aliases, those that
/// were live and are not in it any more are removed. Its flows that begin with a deploy.
pub(super) fn make_live(
    conn: &Connection,
    id: i64,
    number: u32,
    integration: &Integration,
    act: Act<'_>,
) -> Result<Vec<Occasion>> {
    let before: Option<u32> = conn
        .prepare_cached("SELECT deployed FROM integration WHERE id = ?1")?
        .query_row([id], |row| row.get(0))?;
    let wanted = version_flows(conn, id, number)?;
    if let Some(before) = before {
        for old in version_flows(conn, id, before)? {
            if !wanted.iter().any(|flow| flow.flow == old.flow) {
                conn.prepare_cached("UPDATE flow SET removed = ?2, path = ?3 WHERE id = ?1")?
                    .execute(params![old.flow, act.now, old.path])?;
                schedules::deployed(conn, FlowId(old.flow), None, act.now)?;
            }
        }
    }
    let mut occasions = Vec::new();
    for (flow, document) in wanted.iter().zip(&integration.flows) {
        conn.prepare_cached("UPDATE flow SET name = ?2, path = ?3, removed = NULL WHERE id = ?1")?
            .execute(params![flow.flow, flow.name, flow.path])?;
        schedules::deployed(conn, FlowId(flow.flow), schedule(&document.trigger), act.now)?;
        let Trigger::Deploy { first } = document.trigger else { continue };
        if first && begun(conn, FlowId(flow.flow), Marks::DEPLOY)?.is_some() {
            continue;
        }
        occasions.push(Occasion {
            flow: FlowId(flow.flow),
            name: flow.name.clone(),
            version: number,
            mark: Marks::DEPLOY,
            body: json!({ "version": number, "previous": before, "reason": act.reason }),
            actor: Some(act.author.to_owned()),
            run: None,
        });
    }
    alerts::deployed(conn, IntegrationId(id), integration, &wanted, act.now)?;
    conn.prepare_cached("UPDATE integration SET deployed = ?2, title = ?3 WHERE id = ?1")?
        .execute(params![id, number, integration.title])?;
    Ok(occasions)
}

fn schedule(trigger: &Trigger) -> Option<&Schedule> {
    match trigger {
        Trigger::Schedule(schedule) => Some(schedule),
        _ => None,
    }
}

/// Removes an integration for good: its endpoints answer 410 and are never given out again, its
/// aliases are free, its schedules end, its open runs go on to their end. A document that is applied
/// under the same name later is a new integration with endpoints, versions and values of its own.
/// `globals` are the operator's connections. Its flows that begin with a removal come back: what becomes of their runs holds up nothing.
///
/// # Errors
/// Refused: there is none of that name.
pub fn remove(
    conn: &Connection,
    name: &str,
    globals: &Arc<[Settings]>,
    act: Act<'_>,
) -> std::result::Result<Vec<Occasion>, ConfigError> {
    let row = existing(conn, name)?;
    let live = match row.deployed {
        // A text that this program does not take has no flow that it could carry out.
        Some(number) => read_doc(conn, IntegrationId(row.id), number, globals)?,
        None => None,
    };
    let mut occasions = Vec::new();
    if let Some(doc) = &live {
        for (flow, document) in doc.flows.iter().zip(&doc.integration.flows) {
            if document.trigger == Trigger::Remove {
                occasions.push(Occasion {
                    flow: FlowId(flow.flow),
                    name: flow.name.clone(),
                    version: doc.number,
                    mark: Marks::REMOVE,
                    body: json!({ "version": doc.number, "reason": act.reason }),
                    actor: Some(act.author.to_owned()),
                    run: None,
                });
            }
        }
    }
    conn.prepare_cached("DELETE FROM schedule WHERE flow IN (SELECT id FROM flow WHERE integration = ?1)")?
        .execute([row.id])?;
    alerts::removed(conn, IntegrationId(row.id))?;
    conn.prepare_cached("UPDATE integration SET removed = ?2 WHERE id = ?1")?
        .execute(params![row.id, act.now])?;
    conn.prepare_cached("UPDATE flow SET removed = ?2 WHERE integration = ?1 AND removed IS NULL")?
        .execute(params![row.id, act.now])?;
    Ok(occasions)
}
