//! Who may send: what the trigger's `auth` says.

use super::credential::{KeyKind, MacAlgorithm};

/// The header of an API key where the trigger names none.
pub const API_KEY: &str = "Api-Key";

/// Who may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Anyone; always written out.
    None,
    /// `Authorization: Bearer` with a signed token (RFC 7519).
    Jwt {
        /// Names; any one of them may have signed.
        keys: Vec<String>,
        /// The `iss` that a token must have; not looked at where it is not written.
        iss: Option<String>,
        /// The `aud` that a token must name; not looked at where it is not written.
        aud: Option<String>,
    },
    /// A shared text in a header.
    ApiKey {
        /// Names.
        keys: Vec<String>,
        /// The header.
        header: String,
    },
    /// `Authorization: Basic` (RFC 7617).
    Basic {
        /// Names.
        keys: Vec<String>,
    },
    /// A signature over the body, in headers.
    Signature {
        /// Names.
        keys: Vec<String>,
        /// Whose way of signing.
        provider: Provider,
    },
}

/// Whose way of signing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provider {
    /// Standard Webhooks, Svix.
    Standard,
    /// GitHub: `X-Hub-Signature-256`.
    Github,
    /// Stripe: `Stripe-Signature`.
    Stripe,
    /// Slack: `X-Slack-Signature`.
    Slack,
    /// Shopify: `X-Shopify-Hmac-Sha256`.
    Shopify,
    /// Any HMAC of the body alone.
    Hmac(Hmac),
}

/// The provider `hmac`: an HMAC of the body in one header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hmac {
    /// The header.
    pub header: String,
    /// The digest's.
    pub algorithm: MacAlgorithm,
    /// How the digest is spelt.
    pub encoding: Encoding,
    /// What stands before it: `sha256=`.
    pub prefix: String,
}

/// How a digest is spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Two digits a byte, in either case.
    Hex,
    /// With `+` and `/`.
    Base64,
    /// With `-` and `_`.
    Base64Url,
}

impl Encoding {
    /// Words that documents write.
    pub const WORDS: [(&'static str, Self); 3] =
        [("hex", Self::Hex), ("base64", Self::Base64), ("base64url", Self::Base64Url)];
}

impl Provider {
    /// Words that documents write.
    pub const WORDS: [&'static str; 6] = ["standard", "github", "stripe", "slack", "shopify", "hmac"];

    /// The word that documents write.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Github => "github",
            Self::Stripe => "stripe",
            Self::Slack => "slack",
            Self::Shopify => "shopify",
            Self::Hmac(_) => "hmac",
        }
    }
}

impl Auth {
    /// The word that documents write.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Jwt { .. } => "jwt",
            Self::ApiKey { .. } => "api_key",
            Self::Basic { .. } => "basic",
            Self::Signature { .. } => "signature",
        }
    }

    /// The names of its keys.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::Jwt { keys, .. }
            | Self::ApiKey { keys, .. }
            | Self::Basic { keys }
            | Self::Signature { keys, .. } => keys,
        }
    }

    /// Whether a key of this kind can be meant by it.
    #[must_use]
    pub fn takes(&self, kind: KeyKind) -> bool {
        match self {
            Self::None => false,
            Self::Jwt { .. } => matches!(kind, KeyKind::Jwt(_)),
            Self::ApiKey { .. } => kind == KeyKind::ApiKey,
            Self::Basic { .. } => kind == KeyKind::Basic,
            Self::Signature { provider, .. } => match kind {
                KeyKind::Secret => true,
                KeyKind::Ed25519 => *provider == Provider::Standard,
                _ => false,
            },
        }
    }

    /// The header that carries its credential beside the well-known ones.
    #[must_use]
    pub fn secret_header(&self) -> Option<&str> {
        match self {
            Self::ApiKey { header, .. } => Some(header),
            _ => None,
        }
    }
}
