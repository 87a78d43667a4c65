//! Who asks.

use crate::model::operator::Role;
use serde::{Deserialize, Serialize};

/// Who asks, and through which door: what the audit trail writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The person: the system user, or an operator's name.
    pub name: String,
    /// console, command line, socket, api.
    pub door: String,
    /// `--read-only`: every verb is refused, saying why.
    #[serde(default)]
    pub read_only: bool,
    /// The console that they sit at, where it is one that others may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<String>,
    /// What they may do. It is never read off the wire: the door that they came in by decides.
    #[serde(skip)]
    pub role: Role,
}

impl Who {
    /// Somebody at the machine itself, who may do everything.
    #[must_use]
    pub fn local(name: impl Into<String>, door: &str) -> Self {
        let (name, door) = (name.into(), door.to_owned());
        Self { name, door, read_only: false, console: None, role: Role::Admin }
    }

    /// Whether they may change anything at all.
    #[must_use]
    pub fn acts(&self) -> bool {
        !self.read_only && self.role > Role::Viewer
    }
}
