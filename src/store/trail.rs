//! The audit trail: who did what to what, why, and how it ended.

use super::{Store, StoreError};
use crate::model::AuditId;
use crate::model::ask::Who;
use rusqlite::{Connection, Result, params};

/// An entry that is to be written.
#[derive(Debug, Clone)]
pub(in crate::store) struct Trail {
    id: AuditId,
    who: Who,
    verb: String,
    kind: Option<&'static str>,
    target: String,
    reason: Option<String>,
    detail: String,
}

impl Trail {
    /// Writes it, in the transaction of what it tells of or in one of its own.
    ///
    /// # Errors
    /// Whatever `SQLite` says.
    pub(in crate::store) fn write(&self, conn: &Connection) -> Result<()> {
        conn.prepare_cached(
            "INSERT INTO audit (id, at, who, door, verb, kind, target, reason, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            self.id.0,
            self.id.time(),
            self.who.name,
            self.who.door,
            self.verb,
            self.kind,
            self.target,
            self.reason,
            self.detail
        ])
        .map(|_| ())
    }
}

impl Store {
    /// An entry of the audit trail, made now.
    pub(in crate::store) fn trail(
        &self,
        who: &Who,
        verb: &str,
        target: &str,
        reason: Option<&str>,
        detail: &str,
    ) -> Trail {
        Trail {
            id: AuditId(self.fresh_id()),
            who: who.clone(),
            verb: verb.to_owned(),
            kind: self.ids().parse_any(target).map(|(kind, _)| kind.word()),
            target: target.to_owned(),
            reason: reason.map(str::to_owned),
            detail: detail.to_owned(),
        }
    }

    /// Writes an entry of the audit trail: who did what to what, why, and how it ended.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn audit(
        &self,
        who: &Who,
        verb: &str,
        target: &str,
        reason: Option<&str>,
        detail: &str,
    ) -> std::result::Result<AuditId, StoreError> {
        let trail = self.trail(who, verb, target, reason, detail);
        let id = trail.id;
        self.write(Vec::new(), move |tx| trail.write(tx)).await.map(|()| id)
    }
}
