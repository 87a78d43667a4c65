//! Senders of the bench: a key, the trigger's `auth`, and what each request carries.

use super::Failure;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use pointsman::model::credential::{Algorithm, KeyKind, Secret};
use pointsman::rules::verify::jwt::draft;
use pointsman::vault::Vault;
use pointsman::vault::keys::NewKey;
use sha2::Sha256;
use std::fmt::Write as _;

/// What bodies are signed with.
const SECRET: &str = "a secret of the bench that is long enough";

/// How the senders authenticate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Hs256,
    Es256,
    Rs256,
    Signature,
}

impl Scheme {
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "hs256" => Self::Hs256,
            "es256" => Self::Es256,
            "rs256" => Self::Rs256,
            "signature" => Self::Signature,
            _ => return None,
        })
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Hs256 => "hs256",
            Self::Es256 => "es256",
            Self::Rs256 => "rs256",
            Self::Signature => "signature",
        }
    }

    /// The trigger's `auth`.
    pub fn auth(self) -> &'static str {
        match self {
            Self::Signature => r#"{ type = "signature", provider = "github", keys = ["bench"] }"#,
            _ => r#"{ type = "jwt", keys = ["bench"] }"#,
        }
    }

    /// Gives the vault the key; the line of headers that every request carries.
    pub fn prepare(self, vault: &Vault) -> Result<String, Failure> {
        let pem = |label: &str, der: &[u8]| {
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
        };
        let failed = |_| "no pair could be made";
        let (algorithm, pair) = match self {
            Self::Hs256 | Self::Signature => (Algorithm::HS256, None),
            Self::Es256 => {
                let signing = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let private = EcdsaKeyPair::generate_pkcs8(signing, &SystemRandom::new()).map_err(failed)?;
                let pair = EcdsaKeyPair::from_pkcs8(signing, private.as_ref()).map_err(|_| "no pair")?;
                let public = pair.public_key().as_der().map_err(failed)?;
                (
                    Algorithm::ES256,
                    Some((pem("PUBLIC KEY", public.as_ref()), pem("PRIVATE KEY", private.as_ref()))),
                )
            }
            Self::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                let private: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
                let public: aws_lc_rs::encoding::PublicKeyX509Der<'_> =
                    pair.public_key().as_der().map_err(failed)?;
                (
                    Algorithm::RS256,
                    Some((pem("PUBLIC KEY", public.as_ref()), pem("PRIVATE KEY", private.as_ref()))),
                )
            }
        };
        let (public, private) = pair.unzip();
        let new = NewKey {
            name: "bench".to_owned(),
            kind: if self == Self::Signature { KeyKind::Secret } else { KeyKind::Jwt(algorithm) },
            user: None,
            secret: public.is_none().then(|| Secret::new(SECRET.to_owned())),
            public,
            private: private.map(Secret::new),
        };
        vault.load(&[vault.prepare(&new, 1, 0)?]);
        if self == Self::Signature {
            return Ok(String::new());
        }
        let claims = serde_json::json!({"exp": 4_102_444_800_i64, "sub": "bench"});
        let parts = draft(algorithm, "bench", claims.as_object().ok_or("no claims")?);
        let ring = vault.ring();
        let signature = ring.get("bench").and_then(|key| key.sign(parts.as_bytes())).ok_or("no token")?;
        Ok(format!("Authorization: Bearer {parts}.{signature}"))
    }
}

/// Signs a body as GitHub does: the line of headers. It has one length.
pub fn sign(body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()) else { return String::new() };
    mac.update(body);
    let mut line = "X-Hub-Signature-256: sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        let _ = write!(line, "{byte:02x}");
    }
    line
}
