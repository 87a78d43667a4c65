//! Operators: people who reach a running server with a token, what each may do, and who sits at a
//! console now.

use super::Ms;
use super::credential::Secret;
use serde::{Deserialize, Serialize};

/// Operators at most: all of them are held in memory and compared at every question.
pub const MAX_OPERATORS: usize = 1_000;

/// What somebody may do. Each may do what those before it may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees everything, does nothing.
    #[default]
    Viewer,
    /// Steers what runs.
    Operator,
    /// Changes what is configured.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The number that the store keeps.
    #[must_use]
    pub fn number(self) -> i64 {
        self as i64
    }

    /// From a number of the store.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.number() == number)
    }

    /// From its word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// An operator as the store keeps one: of the token only its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Never given out twice.
    pub id: i64,
    /// Unique among those that were not removed.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Of the token.
    pub hash: Vec<u8>,
    /// Since when.
    pub added: Ms,
    /// When the token was used last.
    pub seen: Option<Ms>,
}

/// An operator as lists show one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorView {
    /// The name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Since when.
    pub added: String,
    /// When the token was used last.
    pub seen: Option<String>,
}

/// An operator to be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddOperator {
    /// The name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// Only says what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// An operator that was added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MadeOperator {
    /// As lists show one.
    #[serde(flatten)]
    pub operator: OperatorView,
    /// The token: this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// What happened, in sentences.
    pub lines: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_ordered_and_read_back() {
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Admin);
        for role in Role::ALL {
            assert_eq!(Role::from_word(role.word()), Some(role));
            assert_eq!(Role::from_number(role.number()), Some(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.word());
        }
        assert_eq!((Role::from_word("root"), Role::from_number(3)), (None, None));
        assert_eq!(Role::default(), Role::Viewer, "who is not known may do nothing");
    }
}
