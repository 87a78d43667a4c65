//! Documents in the store: saved, deployed and removed, and the values of their variables. Each
//! function is the inside of one transaction of the writer: it reads all it has to refuse before
//! it writes the first row, so a refusal leaves nothing behind.

pub mod flows;
mod live;
mod pause;
pub mod source;
pub mod values;
mod verbs;
mod versions;

pub use live::remove;
pub use pause::pause;
pub use versions::{Version, rollback};

use crate::model::document::{Flow, Integration};
use crate::model::{FlowId, IntegrationId, Ms};
use crate::store::registry::{Save, Saved};
use flows::{Known, Matched, match_flows};
use live::{give_up_aliases, make_live};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use values::SetValue;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// By its rules, in words.
    #[error("{0}")]
    Refused(String),
    /// The store.
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
}

/// A flow of a version, in the order of its document: kept beside the text, so that the flow is
/// found in every version whatever it was called there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionFlow {
    /// Its number in the store.
    pub flow: i64,
    /// What this version calls it.
    pub name: String,
    /// The alias that this version gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// Who saves, and when.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// The person.
    pub author: &'a str,
    /// Why.
    pub reason: Option<&'a str>,
    /// Engine time.
    pub now: Ms,
}

/// The row of an integration that is not removed.
#[derive(Debug, Clone)]
struct Row {
    id: i64,
    deployed: Option<u32>,
}

/// What the first, reading half of a save found.
struct Prepared<'a> {
    save: &'a Save,
    row: Option<Row>,
    newest: Option<(u32, String)>,
    hash: String,
    source: String,
    matched: Vec<Matched>,
    unset: Vec<String>,
}

/// Saves documents, and deploys them where `deploy` says so: all or none.
///
/// The text of the newest version saved again makes no version. Where a required variable of one
/// document has no value, all are kept as drafts. `endpoint` gives random endpoints.
///
/// # Errors
/// Refused: two documents of one name; a newer version than the one that a text was made from; an alias
/// that is taken.
pub fn save(
    conn: &Connection,
    documents: &[Save],
    act: Act<'_>,
    deploy: bool,
    endpoint: &mut dyn FnMut() -> String,
) -> Result<Vec<Saved>, ConfigError> {
    let mut prepared = Vec::with_capacity(documents.len());
    let mut names = BTreeSet::new();
    for save in documents {
        if !names.insert(save.integration.name.as_str()) {
            return Err(ConfigError::Refused(format!("{} is there twice", save.integration.name)));
        }
        let document = prepare(conn, save)?;
        let newest = document.newest.as_ref().map_or(0, |(number, _)| *number);
        if save.base.is_some_and(|base| base != newest) {
            let name = &save.integration.name;
            return Err(ConfigError::Refused(format!("{name} was saved meanwhile: v{newest}")));
        }
        prepared.push(document);
    }
    refuse_taken_aliases(conn, &prepared)?;
    let deploy = deploy && prepared.iter().all(|document| document.unset.is_empty());
    let mut written = Vec::with_capacity(prepared.len());
    for document in prepared {
        written.push(write(conn, document, act, endpoint)?);
    }
    if deploy {
        // Two of the documents may swap their aliases.
        for (row, _) in written.iter().filter(|(row, saved)| row.deployed != Some(saved.version)) {
            give_up_aliases(conn, row.id)?;
        }
        let mut begin = Vec::new();
        for (at, (document, (row, saved))) in documents.iter().zip(&written).enumerate() {
            if row.deployed != Some(saved.version) {
                begin.push((at, make_live(conn, row.id, saved.version, &document.integration, act)?));
            }
        }
        for (at, occasions) in begin {
            written[at].1.begins = occasions;
        }
    }
    let told = |(row, mut saved): (Row, Saved)| {
        let was_live = row.deployed == Some(saved.version);
        saved.changed |= deploy && !was_live;
        saved.deployed = deploy || was_live;
        saved
    };
    Ok(written.into_iter().map(told).collect())
}

fn prepare<'a>(conn: &Connection, save: &'a Save) -> rusqlite::Result<Prepared<'a>> {
    let name = &save.integration.name;
    let source = source::with_name(&save.source, name);
    let row = find(conn, name)?;
    let (newest, known, set) = match &row {
        Some(row) => (newest(conn, row.id)?, known(conn, row)?, set_values_of(conn, row.id)?),
        None => (None, Vec::new(), BTreeMap::new()),
    };
    Ok(Prepared {
        save,
        hash: hash(&source),
        source,
        matched: match_flows(&save.integration.flows, &known),
        unset: unset(&save.integration, &set),
        newest,
        row,
    })
}

fn write(
    conn: &Connection,
    document: Prepared<'_>,
    act: Act<'_>,
    endpoint: &mut dyn FnMut() -> String,
) -> rusqlite::Result<(Row, Saved)> {
    let integration = &document.save.integration;
    let row = if let Some(row) = document.row {
        row
    } else {
        conn.prepare_cached("INSERT INTO integration (name, title, created) VALUES (?1, ?2, ?3)")?
            .execute(params![integration.name, integration.title, act.now])?;
        Row { id: conn.last_insert_rowid(), deployed: None }
    };
    let (number, changed) = match document.newest {
        Some((number, hash)) if hash == document.hash => (number, false),
        newest => (newest.map_or(0, |(number, _)| number) + 1, true),
    };
    if changed {
        let mut list = Vec::with_capacity(integration.flows.len());
        for (flow, matched) in integration.flows.iter().zip(&document.matched) {
            let id = match matched.flow {
                Some(flow) => flow.0,
                None => new_flow(conn, row.id, &matched.key, &flow.name, act.now, endpoint)?,
            };
            conn.prepare_cached("UPDATE flow SET slug = ?2 WHERE id = ?1 AND slug <> ?2")?
                .execute(params![id, matched.key])?;
            list.push(VersionFlow { flow: id, name: flow.name.clone(), path: alias(flow) });
        }
        versions::insert(conn, row.id, number, &document.source, &list, act)?;
    }
    let name = integration.name.clone();
    Ok((
        row,
        Saved { name, version: number, changed, unset: document.unset, deployed: false, begins: Vec::new() },
    ))
}

/// Makes the newest version of an integration the live one. `integration` is its text, read.
///
/// # Errors
/// Refused: an alias that is taken. Required variables without a value come back in
/// [`Saved::unset`], and nothing is deployed.
pub fn deploy(conn: &Connection, integration: &Integration, act: Act<'_>) -> Result<Saved, ConfigError> {
    let row = existing(conn, &integration.name)?;
    let Some((number, _)) = newest(conn, row.id)? else {
        return Err(ConfigError::Refused(format!("{} has no version", integration.name)));
    };
    let unset = unset(integration, &set_values_of(conn, row.id)?);
    let mut saved = Saved {
        name: integration.name.clone(),
        version: number,
        changed: row.deployed != Some(number) && unset.is_empty(),
        deployed: row.deployed == Some(number) || unset.is_empty(),
        unset,
        begins: Vec::new(),
    };
    if saved.changed {
        refuse_taken(conn, row.id, &version_flows(conn, row.id, number)?)?;
        give_up_aliases(conn, row.id)?;
        saved.begins = make_live(conn, row.id, number, integration, act)?;
    }
    Ok(saved)
}

/// Sets values of variables; `null` takes a value away, so that the default counts again.
///
/// # Errors
/// Refused: there is no integration of that name.
pub fn set_values(
    conn: &Connection,
    name: &str,
    values: &[(String, SetValue)],
    act: Act<'_>,
) -> Result<(), ConfigError> {
    let row = existing(conn, name)?;
    for (variable, value) in values {
        let (plain, cipher) = match value {
            SetValue::Plain(value) => (Some(value.to_string()).filter(|_| !value.is_null()), None),
            SetValue::Sealed(cipher) => (None, Some(cipher)),
        };
        if plain.is_none() && cipher.is_none() {
            conn.prepare_cached("DELETE FROM value WHERE integration = ?1 AND name = ?2")?
                .execute(params![row.id, variable])?;
        } else {
            conn.prepare_cached(
                "INSERT INTO value (integration, name, value, cipher, at, author) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (integration, name) DO UPDATE SET value = excluded.value,
                 cipher = excluded.cipher, at = excluded.at, author = excluded.author",
            )?
            .execute(params![row.id, variable, plain, cipher, act.now, act.author])?;
        }
    }
    Ok(())
}

/// The values that were set, by variable.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn set_values_of(conn: &Connection, integration: i64) -> rusqlite::Result<BTreeMap<String, SetValue>> {
    let mut read = conn.prepare_cached("SELECT name, value, cipher FROM value WHERE integration = ?1")?;
    let mut rows = read.query([integration])?;
    let mut values = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (text, cipher): (Option<String>, Option<Vec<u8>>) = (row.get(1)?, row.get(2)?);
        let plain = || serde_json::from_str::<Value>(&text?).ok().map(SetValue::Plain);
        if let Some(value) = cipher.map(SetValue::Sealed).or_else(plain) {
            values.insert(row.get(0)?, value);
        }
    }
    Ok(values)
}

/// The flows of a version.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn version_flows(conn: &Connection, integration: i64, number: u32) -> rusqlite::Result<Vec<VersionFlow>> {
    let text: Option<String> = conn
        .prepare_cached("SELECT flows FROM version WHERE integration = ?1 AND number = ?2")?
        .query_row(params![integration, number], |row| row.get(0))
        .optional()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// SHA-256 of a text, in hex.
#[must_use]
pub fn hash(source: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(source.as_bytes()).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Required variables without a value.
#[must_use]
pub fn unset(integration: &Integration, set: &BTreeMap<String, SetValue>) -> Vec<String> {
    integration
        .variables
        .iter()
        .filter(|variable| variable.required && values::in_force(variable, set.get(&variable.name)).is_none())
        .map(|variable| variable.name.clone())
        .collect()
}

fn alias(flow: &Flow) -> Option<String> {
    flow.webhook()?.path.clone()
}

fn find(conn: &Connection, name: &str) -> rusqlite::Result<Option<Row>> {
    conn.prepare_cached("SELECT id, deployed FROM integration WHERE name = ?1 AND removed IS NULL")?
        .query_row([name], |row| Ok(Row { id: row.get(0)?, deployed: row.get(1)? }))
        .optional()
}

fn existing(conn: &Connection, name: &str) -> Result<Row, ConfigError> {
    find(conn, name)?.ok_or_else(|| ConfigError::Refused(format!("there is no integration {name}")))
}

fn newest(conn: &Connection, integration: i64) -> rusqlite::Result<Option<(u32, String)>> {
    conn.prepare_cached(
        "SELECT number, hash FROM version WHERE integration = ?1 ORDER BY number DESC LIMIT 1",
    )?
    .query_row([integration], |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()
}

/// The flows of an integration with the names they have now.
fn known(conn: &Connection, row: &Row) -> rusqlite::Result<Vec<Known>> {
    let mut names: HashMap<i64, Vec<String>> = HashMap::new();
    let newest = newest(conn, row.id)?.map(|(number, _)| number);
    for number in newest.into_iter().chain(row.deployed) {
        for flow in version_flows(conn, row.id, number)? {
            let names = names.entry(flow.flow).or_default();
            if !names.contains(&flow.name) {
                names.push(flow.name);
            }
        }
    }
    let mut read =
        conn.prepare_cached("SELECT id, slug, name, removed FROM flow WHERE integration = ?1 ORDER BY id")?;
    read.query_map([row.id], |row| {
        let id: i64 = row.get(0)?;
        let name: String = row.get(2)?;
        Ok(Known {
            flow: FlowId(id),
            key: row.get(1)?,
            names: names.remove(&id).unwrap_or_else(|| vec![name]),
            removed: row.get::<_, Option<i64>>(3)?.is_some(),
        })
    })?
    .collect()
}

/// Aliases that are given or, by a draft, spoken for, and their owners; without those of some
/// integrations.
fn aliases(conn: &Connection, but: &[i64]) -> rusqlite::Result<BTreeMap<String, String>> {
    let mut read = conn.prepare_cached(
        "SELECT i.id, i.name, v.flows FROM integration i JOIN version v ON v.integration = i.id
         WHERE i.removed IS NULL AND (v.number = i.deployed
            OR v.number = (SELECT max(number) FROM version WHERE integration = i.id))",
    )?;
    let mut rows = read.query([])?;
    let mut aliases = BTreeMap::new();
    while let Some(row) = rows.next()? {
        if but.contains(&row.get(0)?) {
            continue;
        }
        let (owner, flows): (String, String) = (row.get(1)?, row.get(2)?);
        for flow in serde_json::from_str::<Vec<VersionFlow>>(&flows).unwrap_or_default() {
            if let Some(path) = flow.path {
                aliases.insert(path, format!("{owner} / {}", flow.name));
            }
        }
    }
    Ok(aliases)
}

fn taken_by(path: &str, owner: &str) -> ConfigError {
    ConfigError::Refused(format!(
        "the path {path:?} belongs to {owner}: paths are unique over all integrations"
    ))
}

/// Whether flows of an integration may have their aliases.
fn refuse_taken(conn: &Connection, integration: i64, flows: &[VersionFlow]) -> Result<(), ConfigError> {
    let taken = aliases(conn, &[integration])?;
    for flow in flows {
        if let Some((path, owner)) = flow.path.as_ref().and_then(|path| taken.get_key_value(path)) {
            return Err(taken_by(path, owner));
        }
    }
    Ok(())
}

fn refuse_taken_aliases(conn: &Connection, documents: &[Prepared<'_>]) -> Result<(), ConfigError> {
    let own: Vec<i64> = documents.iter().filter_map(|document| Some(document.row.as_ref()?.id)).collect();
    let mut taken = aliases(conn, &own)?;
    for document in documents {
        for flow in &document.save.integration.flows {
            let Some(path) = alias(flow) else { continue };
            if let Some(owner) = taken.get(&path) {
                return Err(taken_by(&path, owner));
            }
            let endpoint: bool = conn
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM flow WHERE endpoint = ?1)")?
                .query_row([&path], |row| row.get(0))?;
            if endpoint {
                return Err(ConfigError::Refused(format!(
                    "the path {path:?} is the generated endpoint of a flow: choose another"
                )));
            }
            taken.insert(path, format!("{} / {}", document.save.integration.name, flow.name));
        }
    }
    Ok(())
}

fn new_flow(
    conn: &Connection,
    integration: i64,
    key: &str,
    name: &str,
    now: Ms,
    endpoint: &mut dyn FnMut() -> String,
) -> rusqlite::Result<i64> {
    // The column is unique and its rows stay for ever; a second one of 2^128 is not waited for.
    conn.prepare_cached(
        "INSERT INTO flow (integration, slug, name, endpoint, created) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![integration, key, name, endpoint(), now])?;
    Ok(conn.last_insert_rowid())
}

/// The number of an integration that is not removed.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn id_of(conn: &Connection, name: &str) -> rusqlite::Result<Option<IntegrationId>> {
    Ok(find(conn, name)?.map(|row| IntegrationId(row.id)))
}

#[cfg(test)]
mod tests;
