//! What somebody edits and has not saved: kept by person and integration, so that neither a crash nor
//! a lost link loses what was typed; and its save, which names the version that it was made from.

use serde::{Deserialize, Serialize};

/// A question about what is edited, or an order.
///
/// As JSON: `{"edit":"open","of":{"name":"acme-erp"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "edit", content = "of", rename_all = "snake_case")]
pub enum Editing {
    /// What there is to edit: the newest version, or what this person typed and did not save.
    Open {
        /// The integration's name.
        name: String,
    },
    /// Keeps what is typed.
    Keep(Typed),
    /// Saves it as the next version, where the one that it was made from is still the newest.
    Save(Revision),
}

/// What somebody typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Typed {
    /// The integration's name.
    pub name: String,
    /// The version that the text was made from.
    pub base: u32,
    /// The text.
    pub text: String,
    /// What undoes it, as the console wrote it.
    pub history: String,
    /// Whether it differs from that version.
    pub unsaved: bool,
    /// How often it was kept when it was read: where it was kept since, it is typed in two consoles.
    pub seen: u64,
}

/// A text to save.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Revision {
    /// The integration's name: the text keeps it.
    pub name: String,
    /// The version that the text was made from; 0 for a new integration, which nobody may have yet.
    pub base: u32,
    /// The text.
    pub text: String,
    /// Makes it the live version, too.
    pub deploy: bool,
    /// Why.
    pub reason: Option<String>,
    /// Only says what would happen.
    pub dry_run: bool,
}

/// An integration to edit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EditView {
    /// The integration's name.
    pub name: String,
    /// The version that is edited.
    pub base: u32,
    /// Its text.
    pub source: String,
    /// The newest version.
    pub latest: u32,
    /// The live version.
    pub live: Option<u32>,
    /// What this person typed, and its history, where it was kept.
    pub typed: Option<Typed>,
    /// Aliases of other integrations, and whose they are.
    pub paths: Vec<(String, String)>,
    /// What its flows are or were called, and their ids.
    pub flows: Vec<String>,
    /// The operator's connections.
    pub connections: Vec<String>,
    /// Endpoints of its flows.
    pub urls: Vec<(String, String)>,
}

/// What a save did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedView {
    /// The version that it made, or that had the text already.
    pub version: u32,
    /// Whether it is live.
    pub live: bool,
    /// A sentence a line.
    pub lines: Vec<String>,
}
