//! Senders' keys, ready to be asked: an immutable snapshot, swapped after a change.
//!
//! What is only compared (API keys, passwords) is kept as HMAC-SHA-256 of a random salt, the user
//! and the secret, under a key derived from the data folder's. A slow hash would protect a weak
//! password only from a thief who has the key file as well, and he opens every signing secret
//! beside it; but it would let anybody at all burn milliseconds of this machine with each wrong
//! guess, on the path that every request takes. Without the key file the hashes cannot be guessed
//! at, whatever the password.

use super::der::Wiped;
use super::seal::Place;
use super::{Vault, material, same};
use crate::model::Ms;
use crate::model::credential::{
    Algorithm, Credential, KeyCheck, KeyKind, MIN_HS_SECRET, MacAlgorithm, Named, Reading, Secret,
};
use aws_lc_rs::hmac as aws;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use jsonwebtoken::{DecodingKey, EncodingKey, crypto};
use sha2::Sha256;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError};
use zeroize::Zeroizing;

/// Bytes of a salt.
const SALT: usize = 16;
/// How exact the time of the last use is.
const USED: Ms = 60_000;

/// A key to be added, as it was given.
#[derive(Debug)]
pub struct NewKey {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: KeyKind,
    /// Of a `basic` key.
    pub user: Option<String>,
    /// The secret.
    pub secret: Option<Secret>,
    /// The public half of a pair: PEM, JWK or `whpk_…`.
    pub public: Option<String>,
    /// The private half.
    pub private: Option<Secret>,
}

/// A key that can be asked; it has no `Debug` that shows it.
pub struct Key {
    /// Its row.
    pub id: i64,
    /// Its name.
    pub name: String,
    kind: KeyKind,
    user: Option<String>,
    material: Material,
    used: AtomicI64,
}

enum Material {
    Token {
        verify: DecodingKey,
        sign: Option<EncodingKey>,
    },
    /// The hash's state after key and salt, and what it must come to.
    Hash {
        state: Hmac<Sha256>,
        hash: Vec<u8>,
    },
    Secret(Wiped),
    Public(DecodingKey),
    Closed(String),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// All keys by name; immutable.
#[derive(Debug, Default)]
pub struct Ring {
    keys: HashMap<String, Key>,
}

impl Ring {
    /// A key.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Key> {
        self.keys.get(name)
    }

    /// The keys that a trigger names, in its order.
    #[must_use]
    pub fn named<'r>(&'r self, names: &'r [String]) -> Vec<Named<'r, Key>> {
        names.iter().map(|name| Named { name, key: self.get(name) }).collect()
    }

    /// Every name, and what the key is for.
    #[must_use]
    pub fn kinds(&self) -> Vec<(String, KeyKind)> {
        self.keys.values().map(|key| (key.name.clone(), key.kind)).collect()
    }

    /// The keys that cannot be used, and why.
    #[must_use]
    pub fn closed(&self) -> Vec<(&str, &str)> {
        self.keys.values().filter_map(|key| Some((key.name.as_str(), key.closed()?))).collect()
    }
}

impl Vault {
    /// The keys as of now.
    #[must_use]
    pub fn ring(&self) -> Arc<Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens the keys of the store and swaps them in. One that cannot be opened stays, closed.
    pub fn load(&self, rows: &[Credential]) {
        let before = self.ring();
        let mut ring = Ring::default();
        for row in rows {
            let key = self.open_key(row);
            // What was used since it was last written is not forgotten by a reload.
            if let Some(old) = before.get(&row.name).filter(|old| old.id == key.id) {
                key.used.fetch_max(old.used.load(Ordering::Relaxed), Ordering::Relaxed);
            }
            ring.keys.insert(row.name.clone(), key);
        }
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    fn open_key(&self, row: &Credential) -> Key {
        let material = self.material(row).unwrap_or_else(Material::Closed);
        Key {
            id: row.id,
            name: row.name.clone(),
            kind: row.kind,
            user: row.user.clone(),
            material,
            used: AtomicI64::new(row.used.unwrap_or(0)),
        }
    }

    fn material(&self, row: &Credential) -> Result<Material, String> {
        let lost = || "its row is not whole".to_owned();
        let unsealed = || -> Result<Wiped, String> {
            self.unseal(place(&row.id.to_be_bytes()), row.cipher.as_deref().ok_or_else(lost)?)
        };
        let public = || std::str::from_utf8(row.public.as_deref().unwrap_or_default()).map_err(|_| lost());
        Ok(match row.kind {
            KeyKind::Jwt(algorithm) if algorithm.shared() => {
                let secret = unsealed()?;
                Material::Token {
                    verify: DecodingKey::from_secret(&secret),
                    sign: Some(EncodingKey::from_secret(&secret)),
                }
            }
            KeyKind::Jwt(algorithm) => Material::Token {
                verify: material::public(algorithm, public()?)?,
                sign: match row.cipher {
                    Some(_) => Some(material::signer(algorithm, &unsealed()?)),
                    None => None,
                },
            },
            KeyKind::ApiKey | KeyKind::Basic => {
                let (salt, hash) =
                    row.hash.as_deref().and_then(|all| all.split_at_checked(SALT)).ok_or_else(lost)?;
                Material::Hash { state: self.salted(salt), hash: hash.to_vec() }
            }
            KeyKind::Secret => Material::Secret(unsealed()?),
            KeyKind::Ed25519 => Material::Public(material::public(Algorithm::EdDSA, public()?)?),
        })
    }

    fn salted(&self, salt: &[u8]) -> Hmac<Sha256> {
        let mut state = self.keys.password.clone();
        state.update(salt);
        state
    }

    /// Seals or hashes a key for its row.
    ///
    /// # Errors
    /// What is missing, too short or no key of that kind, in words.
    pub fn prepare(&self, new: &NewKey, id: i64, added: Ms) -> Result<Credential, String> {
        let row = id.to_be_bytes();
        let seal = |plain: &[u8]| self.seal(place(&row), plain).map(Some);
        let mut made = Credential {
            id,
            name: new.name.clone(),
            kind: new.kind,
            user: new.user.clone(),
            cipher: None,
            hash: None,
            public: None,
            added,
            used: None,
        };
        match new.kind {
            KeyKind::Jwt(algorithm) if algorithm.shared() => {
                secret(new)?;
                let text = new.secret.as_ref().map_or("", Secret::reveal);
                let secret = material::shared(algorithm, text)?;
                if secret.len() < MIN_HS_SECRET {
                    return Err(format!(
                        "the secret has {} bytes: {} wants at least {MIN_HS_SECRET}",
                        secret.len(),
                        algorithm.word()
                    ));
                }
                made.cipher = seal(&secret)?;
            }
            KeyKind::Jwt(algorithm) => {
                let text = public(new)?;
                let verify =
                    material::public(algorithm, text).map_err(|why| format!("the public key: {why}"))?;
                if let Some(private) = &new.private {
                    let wrong = |why: &str| format!("the private key: {why}");
                    let der = material::private(algorithm, private.reveal()).map_err(|why| wrong(&why))?;
                    let sign = material::signer(algorithm, &der);
                    let algorithm = material::translated(algorithm);
                    let proof =
                        crypto::sign(b"one pair", &sign, algorithm).map_err(|_| wrong("it does not sign"))?;
                    let pair = crypto::verify(&proof, b"one pair", &verify, algorithm);
                    if !pair.unwrap_or(false) {
                        return Err("the private key and the public key are not of one pair".to_owned());
                    }
                    made.cipher = seal(&der)?;
                }
                made.public = Some(text.as_bytes().to_vec());
            }
            KeyKind::ApiKey | KeyKind::Basic => {
                let secret = secret(new)?;
                let user = new.user.as_deref().unwrap_or_default();
                if new.kind == KeyKind::Basic && (user.is_empty() || user.contains(':')) {
                    return Err("a basic key wants a user without a colon: --user U".to_owned());
                }
                let mut all = vec![0; SALT];
                getrandom::fill(&mut all)
                    .map_err(|error| format!("the system gives no random bits: {error}"))?;
                let hash = hashed(self.salted(&all), user.as_bytes(), secret);
                all.extend_from_slice(&hash);
                made.hash = Some(all);
            }
            KeyKind::Secret => made.cipher = seal(secret(new)?)?,
            KeyKind::Ed25519 => {
                let text = public(new)?;
                material::public(Algorithm::EdDSA, text).map_err(|why| format!("the public key: {why}"))?;
                made.public = Some(text.as_bytes().to_vec());
            }
        }
        Ok(made)
    }

    /// A key of its own that is kept nowhere: for a secret that is at hand.
    ///
    /// # Errors
    /// See [`Vault::prepare`].
    pub fn loose(&self, new: &NewKey) -> Result<Key, String> {
        Ok(self.open_key(&self.prepare(new, 0, 0)?))
    }
}

fn place(row: &[u8]) -> Place<'_> {
    Place { table: "credential", row, column: "cipher" }
}

fn secret(new: &NewKey) -> Result<&[u8], String> {
    match new.secret.as_ref().map(|secret| secret.reveal().as_bytes()) {
        Some([]) => Err("the secret is empty".to_owned()),
        Some(secret) => Ok(secret),
        None => Err("give its secret: --secret-file F (- is stdin) or --generate".to_owned()),
    }
}

fn public(new: &NewKey) -> Result<&str, String> {
    new.public.as_deref().ok_or_else(|| "give the public key of the sender: --public-key F".to_owned())
}

fn hashed(mut state: Hmac<Sha256>, user: &[u8], secret: &[u8]) -> [u8; 32] {
    state.update(&(user.len() as u64).to_be_bytes());
    state.update(user);
    state.update(secret);
    state.finalize().into_bytes().into()
}

/// A new random secret for a key: text, so that it can be copied.
///
/// # Errors
/// A pair is made by its owner; or the system gives no random bits.
pub fn generate(kind: KeyKind) -> Result<Secret, String> {
    let bytes = match kind {
        KeyKind::Jwt(Algorithm::HS512) => 64,
        KeyKind::Jwt(Algorithm::HS384) => 48,
        KeyKind::Jwt(algorithm) if !algorithm.shared() => {
            return Err(format!(
                "--generate makes secrets; for {} the sender makes a pair: give --public-key F",
                algorithm.word()
            ));
        }
        KeyKind::Ed25519 => return Err("--generate makes secrets, and --public-key gives a key".to_owned()),
        _ => 32,
    };
    let mut random = Zeroizing::new(vec![0; bytes]);
    getrandom::fill(&mut random).map_err(|error| format!("the system gives no random bits: {error}"))?;
    Ok(Secret::new(match kind {
        // Senders of Standard Webhooks want it so; all others take it as it stands.
        KeyKind::Secret => format!("whsec_{}", STANDARD.encode(&*random)),
        _ => URL_SAFE_NO_PAD.encode(&*random),
    }))
}

impl Key {
    /// Of a `basic` key.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Whether it can sign, and not only check.
    #[must_use]
    pub fn signs(&self) -> bool {
        matches!(&self.material, Material::Token { sign: Some(_), .. } | Material::Secret(_))
    }

    /// When it last let somebody in, to the minute.
    #[must_use]
    pub fn used(&self) -> Option<Ms> {
        Some(self.used.load(Ordering::Relaxed)).filter(|used| *used > 0)
    }

    /// Says that it let somebody in; whether that is worth a write: once a minute at most.
    pub fn touch(&self, now: Ms) -> bool {
        let before = self.used.load(Ordering::Relaxed);
        now >= before + USED
            && self.used.compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Signs a message as tokens are signed: base64url; `None` for a key that only checks.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Option<String> {
        match (&self.material, self.kind) {
            (Material::Token { sign: Some(sign), .. }, KeyKind::Jwt(algorithm)) => {
                crypto::sign(message, sign, material::translated(algorithm)).ok()
            }
            _ => None,
        }
    }
}

impl KeyCheck for Key {
    fn kind(&self) -> KeyKind {
        self.kind
    }

    fn closed(&self) -> Option<&str> {
        match &self.material {
            Material::Closed(why) => Some(why),
            _ => None,
        }
    }

    fn signed(&self, message: &[u8], signature: &str) -> bool {
        let (key, algorithm) = match (&self.material, self.kind) {
            (Material::Token { verify, .. }, KeyKind::Jwt(algorithm)) => (verify, algorithm),
            (Material::Public(key), _) => (key, Algorithm::EdDSA),
            _ => return false,
        };
        crypto::verify(signature, message, key, material::translated(algorithm)).unwrap_or(false)
    }

    fn is(&self, user: Option<&[u8]>, secret: &[u8]) -> bool {
        match &self.material {
            Material::Hash { state, hash } => {
                same(&hashed(state.clone(), user.unwrap_or_default(), secret), hash)
            }
            _ => false,
        }
    }

    fn mac(&self, reading: Reading, algorithm: MacAlgorithm, parts: &[&[u8]]) -> Option<Vec<u8>> {
        let Material::Secret(secret) = &self.material else { return None };
        let secret = read(secret, reading)?;
        let digest = match algorithm {
            MacAlgorithm::Sha1 => aws::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            MacAlgorithm::Sha256 => aws::HMAC_SHA256,
            MacAlgorithm::Sha384 => aws::HMAC_SHA384,
            MacAlgorithm::Sha512 => aws::HMAC_SHA512,
        };
        let mut context = aws::Context::with_key(&aws::Key::new(digest, &secret));
        for part in parts {
            context.update(part);
        }
        Some(context.sign().as_ref().to_vec())
    }
}

/// A secret as it is meant; never an empty one, under which anybody could sign.
fn read(secret: &[u8], reading: Reading) -> Option<Wiped> {
    let word = secret.trim_ascii().strip_prefix(b"whsec_");
    let base64 = |text: &[u8]| STANDARD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok();
    let read = match reading {
        Reading::AsIs => secret.to_vec(),
        Reading::Standard => match word {
            Some(rest) => STANDARD.decode(rest).ok()?,
            None => secret.to_vec(),
        },
        Reading::Base64 => base64(word.unwrap_or_else(|| secret.trim_ascii()))?,
        Reading::Hex => from_hex(secret.trim_ascii())?,
        Reading::WithNewline => [secret, b"\n"].concat(),
        Reading::Trimmed => secret.trim_ascii().to_vec(),
    };
    (!read.is_empty()).then(|| Zeroizing::new(read))
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() % 2 == 0 && text.is_ascii())?;
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
