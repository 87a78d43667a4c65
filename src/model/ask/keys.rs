//! Senders' keys in questions and answers. Secrets pass through here on their way to the vault, and
//! from it where one was just made.

use crate::model::Ms;
use crate::model::credential::{KeyView, Secret};
use crate::model::view::Pair;
use serde::{Deserialize, Serialize};

/// A key to be added.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AddKey {
    /// Its name.
    pub name: String,
    /// jwt, api-key, basic, signature; jwt where it is left out.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Of a jwt key: HS256 where a secret is given or made.
    pub algorithm: Option<String>,
    /// Of a basic key.
    pub user: Option<String>,
    /// The secret.
    pub secret: Option<Secret>,
    /// The public half of a pair.
    pub public: Option<String>,
    /// The private half.
    pub private: Option<Secret>,
    /// Makes a secret.
    pub generate: bool,
    /// Why.
    pub reason: Option<String>,
    /// Only says what would happen.
    pub dry_run: bool,
}

/// A key that was added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// As lists show it.
    #[serde(flatten)]
    pub key: KeyView,
    /// The secret that was made: this once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// What happened, in sentences.
    pub lines: Vec<String>,
}

/// A token to be made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewToken {
    /// The key that signs it.
    pub key: String,
    /// How long it lives, in milliseconds.
    pub ttl: Ms,
    /// `sub`
    pub sub: Option<String>,
    /// `iss`
    pub iss: Option<String>,
    /// `aud`
    pub aud: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// A token that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// The token.
    pub token: Secret,
    /// The key that signed it.
    pub key: String,
    /// How.
    pub algorithm: String,
    /// Until when it is good.
    pub expires: String,
}

/// A request to be signed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sign {
    /// The endpoint's generated id.
    pub endpoint: String,
    /// The body, base64.
    pub body: String,
    /// The secret, where the one that is kept cannot be recovered.
    pub secret: Option<Secret>,
}

/// What its sender adds to a request.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Signed {
    /// Headers.
    pub headers: Vec<Pair>,
    /// The key that signed; null where the endpoint takes anyone.
    pub key: Option<String>,
}

impl std::fmt::Debug for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signed").field("key", &self.key).finish_non_exhaustive()
    }
}
