//! The open runs of an integration: what a version that goes live leaves as it is.

use crate::model::IntegrationId;
use crate::store::{Store, StoreError};
use rusqlite::Connection;
use std::collections::BTreeMap;

impl Store {
    /// How many runs of an integration are queued, running, waiting or retrying, by their version, the
    /// newest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn under_way(&self, integration: IntegrationId) -> Result<Vec<(u32, u64)>, StoreError> {
        self.look(move |look| {
            let own = look.state.flows.values().filter(|flow| flow.integration == integration);
            let mut versions = BTreeMap::new();
            for flow in own {
                count(look.conn, flow.id.0, &mut versions)?;
            }
            Ok(versions.into_iter().rev().collect())
        })
        .await
    }
}

/// By the indexes of what has a time to act; younger ones that have none are above the watermark.
fn count(conn: &Connection, flow: i64, versions: &mut BTreeMap<u32, u64>) -> rusqlite::Result<()> {
    let mut all = conn.prepare_cached(
        "SELECT version, count(*) FROM run INDEXED BY run_due
         WHERE flow = ?1 AND due IS NOT NULL AND state IN (0, 4) GROUP BY version
         UNION ALL SELECT version, count(*) FROM run INDEXED BY run_later
         WHERE flow = ?1 AND due IS NOT NULL AND state NOT IN (0, 4) AND state IN (1, 3) GROUP BY version
         UNION ALL SELECT version, count(*) FROM run
         WHERE id >= (SELECT min(fresh_low) FROM node) AND flow = ?1 AND state <= 1 AND due IS NULL
         GROUP BY version",
    )?;
    let mut rows = all.query([flow])?;
    while let Some(row) = rows.next()? {
        *versions.entry(row.get(0)?).or_default() += row.get::<_, i64>(1)?.cast_unsigned();
    }
    Ok(())
}
