//! Keys for tests of the judgement: HMAC-SHA-256, and plain comparison.

use crate::model::credential::{Algorithm, KeyCheck, KeyKind, MacAlgorithm, Reading};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A key whose secret lies open.
#[derive(Debug)]
pub(super) struct Toy {
    pub(super) kind: KeyKind,
    pub(super) user: &'static str,
    pub(super) secret: Vec<u8>,
    pub(super) closed: Option<&'static str>,
}

impl Toy {
    pub(super) fn new(kind: KeyKind, secret: &[u8]) -> Self {
        Self { kind, user: "", secret: secret.to_vec(), closed: None }
    }

    /// The third part of a token.
    pub(super) fn sign(&self, parts: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac(&self.secret, &[parts.as_bytes()]))
    }
}

pub(super) fn hmac(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

impl KeyCheck for Toy {
    fn kind(&self) -> KeyKind {
        self.kind
    }

    fn closed(&self) -> Option<&str> {
        self.closed
    }

    fn signed(&self, message: &[u8], signature: &str) -> bool {
        matches!(self.kind, KeyKind::Jwt(Algorithm::HS256) | KeyKind::Ed25519)
            && URL_SAFE_NO_PAD.encode(hmac(&self.secret, &[message])) == signature
    }

    fn is(&self, user: Option<&[u8]>, secret: &[u8]) -> bool {
        user.unwrap_or_default() == self.user.as_bytes() && secret == self.secret
    }

    fn mac(&self, reading: Reading, algorithm: MacAlgorithm, parts: &[&[u8]]) -> Option<Vec<u8>> {
        assert_eq!(algorithm, MacAlgorithm::Sha256);
        let word = self.secret.strip_prefix(b"whsec_");
        let secret = match (reading, word) {
            (Reading::Standard, Some(rest)) => STANDARD.decode(rest).ok()?,
            (Reading::AsIs | Reading::Standard, _) => self.secret.clone(),
            (Reading::Base64, word) => STANDARD.decode(word.unwrap_or(&self.secret)).ok()?,
            (Reading::Hex, _) => super::spell::from_hex(&self.secret)?,
            (Reading::WithNewline, _) => [&self.secret[..], b"\n"].concat(),
            (Reading::Trimmed, _) => self.secret.trim_ascii().to_vec(),
        };
        Some(hmac(&secret, parts))
    }
}
