//! Which version of an integration a run goes on with.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Which version a run is retried with. In text and JSON: `deployed`, `original`, or a number
/// (`15`, `v15`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum With {
    /// The one that is live.
    Deployed,
    /// The run's own.
    #[default]
    Original,
    /// The one of this number, live or not.
    Number(u32),
}

impl With {
    /// The one that is live: what is taken where nothing is said.
    #[must_use]
    pub fn deployed() -> Self {
        Self::Deployed
    }
}

/// A text that names no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a version: write deployed, original or a number")]
pub struct NoVersion(String);

impl FromStr for With {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        match text {
            "deployed" => Ok(Self::Deployed),
            "original" => Ok(Self::Original),
            other => {
                let number = other.strip_prefix('v').unwrap_or(other).parse();
                number.map(Self::Number).map_err(|_| NoVersion(other.to_owned()))
            }
        }
    }
}

impl TryFrom<String> for With {
    type Error = NoVersion;

    fn try_from(text: String) -> Result<Self, NoVersion> {
        text.parse()
    }
}

impl From<With> for String {
    fn from(with: With) -> Self {
        with.to_string()
    }
}

impl fmt::Display for With {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deployed => f.write_str("deployed"),
            Self::Original => f.write_str("original"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_as_it_is_written_and_nothing_else_is_one() {
        for (text, with) in
            [("deployed", With::Deployed), ("original", With::Original), ("15", With::Number(15))]
        {
            assert_eq!(text.parse(), Ok(with));
            assert_eq!(with.to_string(), text);
        }
        assert_eq!("v15".parse(), Ok(With::Number(15)));
        for wrong in ["", "v", "draft", "-1", "4294967296"] {
            assert!(wrong.parse::<With>().is_err(), "{wrong}");
        }
    }
}
