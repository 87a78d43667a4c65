//! Jobs that stop themselves, and go on when a person lets them.

use super::{JOB, Job, job};
use crate::model::JobId;
use crate::model::ask::Who;
use crate::store::{Store, StoreError};
use rusqlite::params;

impl Store {
    /// A job stops itself; whether it was running. What is left stays as it is.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn halt_job(&self, id: JobId) -> Result<bool, StoreError> {
        let now = self.now();
        self.write(Vec::new(), move |tx| {
            tx.prepare_cached("UPDATE job SET state = 3, ended = ?2 WHERE id = ?1 AND state = 0")?
                .execute(params![id.0, now])
                .map(|changed| changed > 0)
        })
        .await
    }

    /// Jobs that stopped themselves, newest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn halted_jobs(&self, limit: u32) -> Result<Vec<Job>, StoreError> {
        self.read(move |conn| {
            conn.prepare_cached(&format!(
                "SELECT {JOB} FROM job INDEXED BY job_halted WHERE state = 3 ORDER BY id DESC LIMIT ?1"
            ))?
            .query_map([limit], job)?
            .collect()
        })
        .await
    }

    /// Lets a job go on that stopped itself, and writes that into the audit trail; whether it had.
    /// Its failures are counted from what is left on.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn resume_job(
        &self,
        id: JobId,
        who: &Who,
        reason: Option<&str>,
        detail: &str,
    ) -> Result<bool, StoreError> {
        let trail = self.trail(who, "resume", &self.ids().print(id), reason, detail);
        self.write(Vec::new(), move |tx| {
            let changed = tx
                .prepare_cached(
                    "UPDATE job SET state = 0, ended = NULL, counted_from =
                        coalesce((SELECT max(at) + 1 FROM piece INDEXED BY piece_past WHERE job = ?1 AND state >= 2), 0)
                     WHERE id = ?1 AND state = 3",
                )?
                .execute([id.0])?;
            if changed > 0 {
                trail.write(tx)?;
            }
            Ok(changed > 0)
        })
        .await
    }
}
