//! The versions of an integration: its history, what differs between two, and the way back.

use serde::{Deserialize, Serialize};

/// A version of a document, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionView {
    /// From 1.
    pub number: u32,
    /// Who saved it.
    pub author: String,
    /// When.
    pub time: String,
    /// Why.
    pub reason: Option<String>,
    /// Whether it is live.
    pub deployed: bool,
    /// Whether it is the newest and not live.
    pub draft: bool,
}

/// What differs between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffView {
    /// The integration's name.
    pub integration: String,
    /// The version that lines are taken from.
    pub from: u32,
    /// The version that lines are added to.
    pub to: u32,
    /// Lines that only `to` has.
    pub added: u64,
    /// Lines that only `from` has.
    pub removed: u64,
    /// Unified, three lines around each change; empty where nothing differs.
    pub diff: String,
}

/// An earlier text as a new version, live.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rollback {
    /// The integration's name.
    pub name: String,
    /// Whose text it is.
    pub version: u32,
    /// Why.
    pub reason: Option<String>,
    /// Only says what would happen.
    pub dry_run: bool,
}
