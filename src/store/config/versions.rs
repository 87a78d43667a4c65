//! Versions: each save is a row that never changes. They are listed, read and gone back to.

use super::verbs::unknown;
use super::{
    Act, ConfigError, VersionFlow, existing, give_up_aliases, hash, make_live, newest, refuse_taken,
    set_values_of, source, unset, version_flows,
};
use crate::model::Ms;
use crate::model::document::Integration;
use crate::store::registry::Saved;
use crate::store::{Store, StoreError};
use rusqlite::{Connection, OptionalExtension, params};

/// A version of a document as it was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// From 1.
    pub number: u32,
    /// TOML; in an export with the ids of the flows, in a history left out.
    pub source: String,
    /// SHA-256 of the text as it was saved, in hex.
    pub hash: String,
    /// Who saved it.
    pub author: String,
    /// When.
    pub at: Ms,
    /// Why.
    pub reason: Option<String>,
}

impl Store {
    /// A version as it was saved, with the ids of the flows written in: the given one, else the live
    /// one, else the newest. `None` where there is none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn source(&self, name: &str, version: Option<u32>) -> Result<Option<Version>, StoreError> {
        let state = self.configured();
        let Some(holding) = state.by_name(name) else { return Ok(None) };
        let number = version.or(holding.deployed).unwrap_or(holding.latest);
        let id = holding.id.0;
        self.read(move |conn| {
            let Some(mut version) = read(conn, id, number)? else { return Ok(None) };
            version.source = source::with_ids(&version.source, &slugs(conn, id, number)?);
            Ok(Some(version))
        })
        .await
    }

    /// A version exactly as it was saved; `None` where there is none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn version(&self, name: &str, number: u32) -> Result<Option<Version>, StoreError> {
        let state = self.configured();
        let Some(id) = state.by_name(name).map(|holding| holding.id.0) else { return Ok(None) };
        self.read(move |conn| read(conn, id, number)).await
    }

    /// The versions of an integration, newest first, without their texts; `limit` 0 is all.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn history(&self, name: &str, limit: u32) -> Result<Vec<Version>, StoreError> {
        let state = self.configured();
        let Some(id) = state.by_name(name).map(|holding| holding.id.0) else { return Ok(Vec::new()) };
        let limit = if limit == 0 { -1 } else { i64::from(limit) };
        self.read(move |conn| {
            conn.prepare_cached(
                "SELECT number, '', hash, author, at, reason FROM version WHERE integration = ?1
                 ORDER BY number DESC LIMIT ?2",
            )?
            .query_map([id, limit], row)?
            .collect()
        })
        .await
    }

    /// Saves the text of an earlier version as a new one and makes that the live one.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where there is no such version, or this program refuses its text, or
    /// an alias of it is taken; see [`StoreError`].
    pub async fn rollback(
        &self,
        name: &str,
        number: u32,
        author: &str,
        reason: Option<&str>,
    ) -> Result<Saved, StoreError> {
        let state = self.configured();
        let holding = state.by_name(name).ok_or_else(|| StoreError::Refused(unknown(name)))?;
        let Some(doc) = self.doc(holding.id, number) else {
            return Err(StoreError::Refused(format!(
                "v{number} of {name} is not a document that this version of the program takes"
            )));
        };
        let why = format!("rollback to v{number}");
        let reason = reason.map_or_else(|| why.clone(), |reason| format!("{why}: {reason}"));
        let (author, now) = (author.to_owned(), self.now());
        self.configure_runs(move |conn, begin| {
            let act = Act { author: &author, reason: Some(&reason), now };
            let mut saved = rollback(conn, &doc.integration, number, act)?;
            saved.begins.iter_mut().try_for_each(begin)?;
            Ok(saved)
        })
        .await
    }
}

/// Saves the text of an earlier version as a new one, with the flows that it had, and makes that the
/// live one. `integration` is that text, read.
///
/// The flows are those of the old version's row and not looked for by name: they may have been
/// renamed since, and their endpoints stay theirs.
///
/// # Errors
/// Refused: there is no such version; an alias of it is taken. Required variables without a value
/// come back in [`Saved::unset`], and the new version is a draft.
pub fn rollback(
    conn: &Connection,
    integration: &Integration,
    number: u32,
    act: Act<'_>,
) -> Result<Saved, ConfigError> {
    let name = &integration.name;
    let row = existing(conn, name)?;
    let (Some(version), Some((latest, newest))) = (read(conn, row.id, number)?, newest(conn, row.id)?) else {
        return Err(ConfigError::Refused(format!("{name} has no v{number}")));
    };
    let flows = version_flows(conn, row.id, number)?;
    refuse_taken(conn, row.id, &flows)?;
    let unset = unset(integration, &set_values_of(conn, row.id)?);
    // The newest version may have this text already: then it is taken as it is.
    let same = newest == version.hash && version_flows(conn, row.id, latest)? == flows;
    let number = if same { latest } else { latest + 1 };
    if !same {
        insert(conn, row.id, number, &version.source, &flows, act)?;
        for (flow, written) in flows.iter().zip(&integration.flows) {
            if written.id_written {
                conn.prepare_cached(
                    "UPDATE flow SET slug = ?3 WHERE id = ?2
                     AND NOT EXISTS (SELECT 1 FROM flow WHERE integration = ?1 AND slug = ?3)",
                )?
                .execute(params![row.id, flow.flow, written.id])?;
            }
        }
    }
    let live = row.deployed == Some(number);
    let mut begins = Vec::new();
    if unset.is_empty() && !live {
        give_up_aliases(conn, row.id)?;
        begins = make_live(conn, row.id, number, integration, act)?;
    }
    let deployed = live || unset.is_empty();
    let changed = !same || (deployed && !live);
    Ok(Saved { name: name.clone(), version: number, changed, deployed, unset, begins })
}

/// Writes a version.
pub(super) fn insert(
    conn: &Connection,
    integration: i64,
    number: u32,
    source: &str,
    flows: &[VersionFlow],
    act: Act<'_>,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO version (integration, number, source, hash, author, at, reason, flows)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        integration,
        number,
        source,
        hash(source),
        act.author,
        act.now,
        act.reason,
        serde_json::to_string(flows).unwrap_or_default()
    ])
    .map(|_| ())
}

fn read(conn: &Connection, integration: i64, number: u32) -> rusqlite::Result<Option<Version>> {
    conn.prepare_cached(
        "SELECT number, source, hash, author, at, reason FROM version WHERE integration = ?1 AND number = ?2",
    )?
    .query_row(params![integration, number], row)
    .optional()
}

/// The columns `number, source, hash, author, at, reason`.
fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Version> {
    Ok(Version {
        number: row.get(0)?,
        source: row.get(1)?,
        hash: row.get(2)?,
        author: row.get(3)?,
        at: row.get(4)?,
        reason: row.get(5)?,
    })
}

/// The ids of a version's flows, in its order.
fn slugs(conn: &Connection, integration: i64, number: u32) -> rusqlite::Result<Vec<String>> {
    let mut ids = Vec::new();
    for flow in version_flows(conn, integration, number)? {
        ids.push(
            conn.prepare_cached("SELECT slug FROM flow WHERE id = ?1")?
                .query_row([flow.flow], |row| row.get(0))
                .optional()?
                .unwrap_or_default(),
        );
    }
    Ok(ids)
}
