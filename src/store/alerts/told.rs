//! What was told and is not forgotten yet: open causes, and those in their quiet period.

use super::rules::{self, Rule};
use crate::model::alert::{AlertKind, ToldView};
use crate::model::time::rfc3339;
use crate::model::{FlowId, Ms};
use crate::store::{Store, StoreError};
use rusqlite::{Connection, params};

/// A cause, and when it was told.
type Told = (Ms, ToldView);

impl Store {
    /// Causes that were told: open ones first, those that were told last before others; at most
    /// [`ToldView::SHOWN`].
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn told_alerts(&self) -> Result<Vec<ToldView>, StoreError> {
        let state = self.configured();
        let rules = rules::of(&state);
        if rules.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.now();
        self.read(move |conn| {
            let mut all: Vec<Told> = Vec::new();
            for rule in &rules {
                let name = |flow: FlowId| state.names(flow).1;
                all.extend(of(conn, rule, name, now)?);
            }
            all.sort_by_key(|(told, view)| std::cmp::Reverse((view.open, *told)));
            all.truncate(ToldView::SHOWN);
            Ok(all.into_iter().map(|(_, view)| view).collect())
        })
        .await
    }
}

fn of(
    conn: &Connection,
    rule: &Rule,
    name: impl Fn(FlowId) -> String,
    now: Ms,
) -> rusqlite::Result<Vec<Told>> {
    let mut read = conn.prepare_cached(
        "SELECT kind, open, told, since, flow, step, cause FROM alert
         WHERE integration = ?1 AND place = ?2 AND (open = 1 OR told > ?3)",
    )?;
    let mut rows = read.query(params![rule.integration.0, rule.place, now.saturating_sub(rule.quiet)])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let kind = AlertKind::from_number(row.get(0)?).filter(|kind| rule.on.contains(kind));
        let Some(alert) = kind else { continue };
        let told: Ms = row.get(2)?;
        let until = told.saturating_add(rule.quiet);
        let view = ToldView {
            alert,
            open: row.get::<_, i64>(1)? != 0,
            integration: rule.name.clone(),
            flow: row.get::<_, Option<i64>>(4)?.map(|flow| name(FlowId(flow))),
            step: row.get(5)?,
            cause: row.get(6)?,
            since: rfc3339(row.get(3)?),
            last_told: rfc3339(told),
            quiet_until: (until > now).then(|| rfc3339(until)),
            to: rule.to.shown(),
        };
        all.push((told, view));
    }
    Ok(all)
}
