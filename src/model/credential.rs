//! Keys that senders authenticate with: what they are called, what they are for, and what a
//! judgement may ask of one. The secrets themselves are the vault's affair.

use super::{IntegrationId, Ms};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// Names of keys that one trigger may list.
pub const MAX_KEYS: usize = 10;
/// Bytes that an HS secret has at least (RFC 7518, section 3.2, for HS256).
pub const MIN_HS_SECRET: usize = 32;
/// Bytes that a secret or a key file has at most.
pub const MAX_SECRET: usize = 64 << 10;

/// A secret on its way to the vault: no `Debug` that shows it, and its memory is wiped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for whoever must use it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(•••)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Opens values of secret variables, which the store keeps sealed and cannot read.
pub trait Opener: Send + Sync {
    /// A value as it was set.
    ///
    /// # Errors
    /// It was sealed under another key, or was changed.
    fn open(&self, integration: IntegrationId, variable: &str, cipher: &[u8]) -> Result<Secret, String>;
}

/// How a token is signed (RFC 7518, RFC 8037). It belongs to the key, never to the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the registered ones")]
pub enum Algorithm {
    HS256,
    HS384,
    HS512,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::HS256,
        Self::HS384,
        Self::HS512,
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];

    /// The registered name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
        }
    }

    /// From the registered name; exactly so for tokens.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.word() == word)
    }

    /// Whether the key is one secret that both sides have.
    #[must_use]
    pub fn shared(self) -> bool {
        matches!(self, Self::HS256 | Self::HS384 | Self::HS512)
    }
}

/// The digest of an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacAlgorithm {
    /// For old senders only.
    Sha1,
    /// The usual one.
    Sha256,
    /// 48 bytes.
    Sha384,
    /// 64 bytes.
    Sha512,
}

impl MacAlgorithm {
    /// Words that documents write.
    pub const WORDS: [(&'static str, Self); 4] =
        [("sha256", Self::Sha256), ("sha512", Self::Sha512), ("sha384", Self::Sha384), ("sha1", Self::Sha1)];
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Signs tokens.
    Jwt(Algorithm),
    /// Stands in a header.
    ApiKey,
    /// User and password.
    Basic,
    /// Signs bodies: a shared secret.
    Secret,
    /// Signs bodies: the public half of an Ed25519 pair (Standard Webhooks `v1a`).
    Ed25519,
}

impl KeyKind {
    /// The word of `--type`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Jwt(_) => "jwt",
            Self::ApiKey => "api-key",
            Self::Basic => "basic",
            Self::Secret | Self::Ed25519 => "signature",
        }
    }

    /// What it signs with; `None` for what is only compared.
    #[must_use]
    pub fn algorithm(self) -> Option<&'static str> {
        match self {
            Self::Jwt(algorithm) => Some(algorithm.word()),
            Self::ApiKey | Self::Basic => None,
            Self::Secret => Some("HMAC"),
            Self::Ed25519 => Some("Ed25519"),
        }
    }

    /// From the two words of a row.
    #[must_use]
    pub fn from_words(kind: &str, algorithm: &str) -> Option<Self> {
        Some(match (kind, algorithm) {
            ("jwt", algorithm) => Self::Jwt(Algorithm::from_word(algorithm)?),
            ("api-key", _) => Self::ApiKey,
            ("basic", _) => Self::Basic,
            ("signature", "Ed25519") => Self::Ed25519,
            ("signature", _) => Self::Secret,
            _ => return None,
        })
    }
}

/// A key as the store keeps it: sealed or hashed.
#[derive(Clone)]
pub struct Credential {
    /// Its row; the seal is bound to it.
    pub id: i64,
    /// Unique among those that were not removed.
    pub name: String,
    /// What it is for.
    pub kind: KeyKind,
    /// Of a `basic` key.
    pub user: Option<String>,
    /// What must be recoverable, sealed.
    pub cipher: Option<Vec<u8>>,
    /// What is only compared: salt and hash.
    pub hash: Option<Vec<u8>>,
    /// A public key as it was given: PEM or JWK.
    pub public: Option<Vec<u8>>,
    /// When it was added.
    pub added: Ms,
    /// When it last let somebody in, to the minute.
    pub used: Option<Ms>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Whether a text can be the name of a key: 1 to 64 of `[A-Za-z0-9._~-]`.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte))
}

/// How a signing secret is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Its bytes as they stand.
    AsIs,
    /// Standard Webhooks: after `whsec_` base64; without that word its bytes as they stand.
    Standard,
    /// Decoded from base64, with or without `whsec_` before it.
    Base64,
    /// Decoded from hex.
    Hex,
    /// With a newline at its end.
    WithNewline,
    /// Without white space around it.
    Trimmed,
}

/// What a judgement may ask of a key. It tells no secret.
pub trait KeyCheck {
    /// What it is for.
    fn kind(&self) -> KeyKind;
    /// Why it cannot be used: it was sealed under another key, say.
    fn closed(&self) -> Option<&str>;
    /// Whether a token's signature (base64url) is this key's, or an Ed25519 signature is.
    fn signed(&self, message: &[u8], signature: &str) -> bool;
    /// Whether these are the user (of a `basic` key) and the secret that it keeps a hash of; in a
    /// time that does not tell how far they fit.
    fn is(&self, user: Option<&[u8]>, secret: &[u8]) -> bool;
    /// The HMAC of the parts one after the other, under its secret read so; `None` for a key
    /// without one, or one that cannot be read so.
    fn mac(&self, reading: Reading, algorithm: MacAlgorithm, parts: &[&[u8]]) -> Option<Vec<u8>>;
}

/// A key that a trigger names; `None` where there is no key of that name.
#[derive(Debug)]
pub struct Named<'k, K> {
    /// The name.
    pub name: &'k str,
    /// The key.
    pub key: Option<&'k K>,
}

impl<K> Clone for Named<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Named<'_, K> {}

/// A key in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    /// Its name.
    pub name: String,
    /// jwt, api-key, basic, signature.
    #[serde(rename = "type")]
    pub kind: String,
    /// HS256 …, HMAC, Ed25519; null for what is only compared.
    pub algorithm: Option<String>,
    /// Of a `basic` key.
    pub user: Option<String>,
    /// When it was added.
    pub added: String,
    /// When it last let somebody in, to the minute.
    pub used: Option<String>,
    /// Whether `token` and `send` can sign with it.
    pub signs: bool,
    /// Flows that name it, as `integration/flow`.
    pub flows: Vec<String>,
}
