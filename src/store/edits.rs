//! What people typed into documents and did not save.

use super::{Store, StoreError};
use crate::model::{IntegrationId, Ms};
use rusqlite::{OptionalExtension as _, Transaction, params};

/// Texts that are kept of a person; one that is saved gives way to another.
pub const EDITS: usize = 64;
/// Bytes of a text and its history.
pub(in crate::store) const MOST: usize = 3 << 20;

/// What somebody typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// The version that the text was made from.
    pub base: u32,
    /// Whether it differs from that version.
    pub unsaved: bool,
    /// How often it was kept.
    pub seen: u64,
    /// When it was kept last.
    pub at: Ms,
    /// What undoes it.
    pub history: String,
    /// The text.
    pub text: String,
}

impl Store {
    /// What somebody typed into an integration's document.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn edit(&self, who: &str, integration: IntegrationId) -> Result<Option<Edit>, StoreError> {
        let who = who.to_owned();
        self.read(move |conn| {
            conn.prepare_cached(
                "SELECT base, unsaved, seen, at, history, text FROM edit WHERE who = ?1 AND integration = ?2",
            )?
            .query_row(params![who, integration.0], |row| {
                Ok(Edit {
                    base: row.get(0)?,
                    unsaved: row.get::<_, i64>(1)? != 0,
                    seen: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
                    at: row.get(3)?,
                    history: row.get(4)?,
                    text: row.get(5)?,
                })
            })
            .optional()
        })
        .await
    }

    /// Keeps what somebody typed; how often it was kept by then.
    ///
    /// # Errors
    /// [`StoreError::Stale`] where it was kept since `edit.seen`; [`StoreError::Refused`] where it is too
    /// long, or too much is unsaved; see [`StoreError`].
    pub async fn keep_edit(
        &self,
        who: &str,
        integration: IntegrationId,
        edit: Edit,
    ) -> Result<u64, StoreError> {
        if edit.text.len() + edit.history.len() > MOST {
            return Err(StoreError::Refused("what is typed is over 3 MiB".to_owned()));
        }
        let (who, now) = (who.to_owned(), self.now());
        let kept = self.write(Vec::new(), move |tx| keep(tx, &who, integration.0, &edit, now)).await?;
        match kept {
            Kept::Seen(seen) => Ok(seen),
            Kept::Other => Err(StoreError::Stale),
            Kept::Full => Err(StoreError::Refused(format!(
                "{EDITS} integrations have unsaved changes of yours: save or discard some"
            ))),
        }
    }
}

enum Kept {
    Seen(u64),
    Other,
    Full,
}

fn keep(tx: &Transaction<'_>, who: &str, integration: i64, edit: &Edit, now: Ms) -> rusqlite::Result<Kept> {
    let there: Option<i64> = tx
        .prepare_cached("SELECT seen FROM edit WHERE who = ?1 AND integration = ?2")?
        .query_row(params![who, integration], |row| row.get(0))
        .optional()?;
    let seen = i64::try_from(edit.seen).unwrap_or(i64::MAX);
    if there.is_some_and(|there| there != seen) {
        return Ok(Kept::Other);
    }
    if there.is_none() {
        let count: i64 = tx
            .prepare_cached("SELECT count(*) FROM edit WHERE who = ?1")?
            .query_row([who], |row| row.get(0))?;
        let gave_way = usize::try_from(count).is_ok_and(|count| count < EDITS)
            || tx
                .prepare_cached(
                    "DELETE FROM edit WHERE who = ?1 AND integration =
                 (SELECT integration FROM edit WHERE who = ?1 AND unsaved = 0 ORDER BY at LIMIT 1)",
                )?
                .execute([who])?
                > 0;
        if !gave_way {
            return Ok(Kept::Full);
        }
    }
    let next = there.unwrap_or(0).saturating_add(1);
    tx.prepare_cached(
        "INSERT INTO edit (who, integration, base, unsaved, seen, at, history, text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (who, integration) DO UPDATE SET base = excluded.base, unsaved = excluded.unsaved,
         seen = excluded.seen, at = excluded.at, history = excluded.history, text = excluded.text",
    )?
    .execute(params![
        who,
        integration,
        edit.base,
        i64::from(edit.unsaved),
        next,
        now,
        edit.history,
        edit.text
    ])?;
    Ok(Kept::Seen(u64::try_from(next).unwrap_or(0)))
}
