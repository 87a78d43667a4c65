//! Signatures over the body as it came: what a provider's headers claim is read by its own file,
//! the digests are judged here.

use super::{Denied, Passed, Usable, github, hmac, shopify, slack, slips, spell, standard, stripe};
use super::{quoted_long, span};
use crate::model::Ms;
use crate::model::auth::{Encoding, Hmac, Provider};
use crate::model::credential::{KeyCheck, KeyKind, MacAlgorithm, Reading};
use crate::model::headers::Headers;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use subtle::ConstantTimeEq as _;

/// Signatures that one request may bring.
pub const MAX_PROOFS: usize = 16;
/// Seconds that a signed time may be off, both ways.
pub const TOLERANCE: i64 = 300;

/// What the headers claim.
#[derive(Debug)]
pub struct Claim {
    /// The header that has the signature.
    pub header: String,
    /// What stands before the body in what is signed.
    pub before: Vec<u8>,
    /// The signed time, in seconds since 1970.
    pub at: Option<i64>,
    /// Of the HMAC.
    pub algorithm: MacAlgorithm,
    /// How the secret is read.
    pub reading: Reading,
    /// How digests are spelt.
    pub encoding: Encoding,
    /// What stands before a digest.
    pub prefix: String,
    /// The signatures.
    pub proofs: Vec<Proof>,
    /// Why the header is no signature in the spelling that was agreed on.
    pub misspelt: Option<String>,
    /// What it may have meant, and how it was read for that: only ever told, never let in.
    pub lenient: Vec<(Vec<u8>, String)>,
}

/// What a signature is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A shared secret.
    Mac,
    /// A key pair.
    Ed25519,
}

/// One signature.
#[derive(Debug)]
pub struct Proof {
    /// What it is made with.
    pub kind: Kind,
    /// Its bytes.
    pub digest: Vec<u8>,
    /// As it was written.
    pub written: String,
}

impl Proof {
    /// An HMAC as it was written.
    pub(super) fn mac(digest: Vec<u8>, written: &[u8]) -> Self {
        Self { kind: Kind::Mac, digest, written: quoted_long(written) }
    }
}

impl Claim {
    /// Nothing yet: HMAC-SHA-256 of the body alone, the secret as it stands.
    pub(super) fn new(header: &str, encoding: Encoding) -> Self {
        Self {
            header: header.to_owned(),
            before: Vec::new(),
            at: None,
            algorithm: MacAlgorithm::Sha256,
            reading: Reading::AsIs,
            encoding,
            prefix: String::new(),
            proofs: Vec::new(),
            misspelt: None,
            lenient: Vec::new(),
        }
    }

    /// How many of the claimed signatures are of key pairs.
    pub(super) fn pairs(&self) -> usize {
        self.proofs.iter().filter(|proof| proof.kind == Kind::Ed25519).count()
    }

    /// Whether one of the claimed signatures is a key's over a body.
    pub(super) fn fits<K: KeyCheck>(&self, key: &K, body: &[u8]) -> bool {
        if key.kind() == KeyKind::Ed25519 {
            let message = [&self.before[..], body].concat();
            let mut pairs = self.proofs.iter().filter(|proof| proof.kind == Kind::Ed25519);
            return pairs.any(|proof| key.signed(&message, &URL_SAFE_NO_PAD.encode(&proof.digest)));
        }
        let expected = key.mac(self.reading, self.algorithm, &[&self.before, body]);
        expected.is_some_and(|expected| self.has(&expected))
    }

    /// Whether a digest is one of the claimed ones, in a time that does not tell where they differ.
    pub(super) fn has(&self, digest: &[u8]) -> bool {
        let macs = self.proofs.iter().filter(|proof| proof.kind == Kind::Mac);
        macs.fold(false, |found, proof| found | bool::from(proof.digest.ct_eq(digest)))
    }
}

/// A time in a header: digits alone.
pub(super) fn timestamp(name: &str, text: &[u8]) -> Result<i64, Denied> {
    let digits = !text.is_empty() && text.len() <= 15 && text.iter().all(u8::is_ascii_digit);
    let seconds = std::str::from_utf8(text).ok().filter(|_| digits).and_then(|text| text.parse().ok());
    seconds.ok_or_else(|| Denied::new(format!("{name} is no number of seconds")))
}

/// Reads what the headers claim.
///
/// # Errors
/// A header is missing or doubled, or cannot be read.
pub fn read(provider: &Provider, headers: &Headers) -> Result<Claim, Denied> {
    match provider {
        Provider::Standard => standard::read(headers),
        Provider::Github => hmac::read(&github::scheme(), headers),
        Provider::Stripe => stripe::read(headers),
        Provider::Slack => slack::read(headers),
        Provider::Shopify => hmac::read(&shopify::scheme(), headers),
        Provider::Hmac(scheme) => hmac::read(scheme, headers),
    }
}

/// Judges a request.
///
/// # Errors
/// Not let in, and why.
pub fn verify<K: KeyCheck>(
    provider: &Provider,
    headers: &Headers,
    body: &[u8],
    keys: &[Usable<'_, K>],
    now: Ms,
) -> Result<Passed, Denied> {
    let claim = read(provider, headers)?;
    if let Some(at) = claim.at {
        let age = now.div_euclid(1_000) - at;
        if age.abs() > TOLERANCE {
            let which = if age > 0 { "old" } else { "ahead" };
            let limit = span(TOLERANCE as f64);
            // A minute is not enough to tell what is just past the bound.
            let (age, limit) = match span(age.unsigned_abs() as f64) {
                same if same == limit => (format!("{}s", age.unsigned_abs()), format!("{TOLERANCE}s")),
                longer => (longer, limit),
            };
            return Err(Denied::new(format!("time is {age} {which} (limit {limit})")));
        }
    }
    let mut found = None;
    for Usable { name, key } in keys {
        if claim.fits(*key, body) && found.is_none() {
            found = Some(*name);
        }
    }
    match found {
        Some(key) => Ok(Passed { key: key.to_owned(), actor: Some(key.to_owned()) }),
        None => Err(differs(provider, &claim, body, keys, now)),
    }
}

/// No key matches: what can be said about it.
fn differs<K: KeyCheck>(
    provider: &Provider,
    claim: &Claim,
    body: &[u8],
    keys: &[Usable<'_, K>],
    now: Ms,
) -> Denied {
    let slips::Slips { tried, found: likely } = slips::find(claim, body, keys);
    let what = claim.misspelt.clone().unwrap_or_else(|| "signature differs".to_owned());
    let cause = match &likely {
        Some(likely) => format!("{what}; {likely}"),
        None => what,
    };
    let mut detail = json!({
        "scheme": provider.word(),
        "header": claim.header,
        "keys": keys.iter().map(|key| key.name).collect::<Vec<_>>(),
        "signed": quoted_long(&claim.before),
        "bytes": claim.before.len() + body.len(),
    });
    if let Some(at) = claim.at {
        detail["age"] = json!(now.div_euclid(1_000) - at);
    }
    if tried > 0 {
        detail["tried"] = json!(tried);
    }
    if let Some(likely) = likely {
        detail["likely"] = json!(likely);
    }
    if let Some((received, expected, digit)) = first_difference(claim, body, keys) {
        detail["received"] = json!(received);
        detail["expected"] = json!(expected);
        detail["digit"] = json!(digit);
    }
    Denied { cause, detail: Some(detail) }
}

/// The first received digest, what was expected in its place up to and with the first digit that
/// differs, and which digit that is, from 1. The rest of what was expected is told to nobody.
fn first_difference<K: KeyCheck>(
    claim: &Claim,
    body: &[u8],
    keys: &[Usable<'_, K>],
) -> Option<(String, String, usize)> {
    let proof = claim.proofs.iter().find(|proof| proof.kind == Kind::Mac)?;
    let received = spell::write(&proof.digest, claim.encoding);
    let mut best: Option<(String, usize)> = None;
    for Usable { key, .. } in keys {
        let Some(digest) = key.mac(claim.reading, claim.algorithm, &[&claim.before, body]) else { continue };
        let expected = spell::write(&digest, claim.encoding);
        let same = received.bytes().zip(expected.bytes()).take_while(|(a, b)| a == b).count();
        let shown: String = expected.chars().take(same + 1).collect();
        if best.as_ref().is_none_or(|(_, digit)| same + 1 > *digit) {
            best = Some((shown, same + 1));
        }
    }
    best.map(|(expected, digit)| (proof.written.clone(), expected, digit))
}

/// Makes the HMAC of the parts one after the other, under a secret read so.
pub type Signer<'s> = dyn Fn(Reading, MacAlgorithm, &[&[u8]]) -> Option<Vec<u8>> + 's;

/// What a sender of this provider puts into its headers.
///
/// `sign` makes the HMAC of the parts under the secret, read as it is told. `None` where it cannot.
#[must_use]
pub fn sign(
    provider: &Provider,
    id: &str,
    at: i64,
    body: &[u8],
    sign: &Signer<'_>,
) -> Option<Vec<(String, String)>> {
    let time = at.to_string();
    let plain = |scheme: &Hmac| {
        let digest = sign(Reading::AsIs, scheme.algorithm, &[body])?;
        let value = format!("{}{}", scheme.prefix, spell::write(&digest, scheme.encoding));
        Some(vec![(scheme.header.clone(), value)])
    };
    match provider {
        Provider::Github => plain(&github::scheme()),
        Provider::Shopify => plain(&shopify::scheme()),
        Provider::Hmac(scheme) => plain(scheme),
        Provider::Stripe => {
            let digest =
                sign(Reading::AsIs, MacAlgorithm::Sha256, &[&stripe::before(time.as_bytes()), body])?;
            let value = format!("t={time},v1={}", spell::write(&digest, Encoding::Hex));
            Some(vec![(stripe::SIGNATURE.to_owned(), value)])
        }
        Provider::Slack => {
            let digest = sign(Reading::AsIs, MacAlgorithm::Sha256, &[&slack::before(time.as_bytes()), body])?;
            let value = format!("v0={}", spell::write(&digest, Encoding::Hex));
            Some(vec![(slack::TIME.to_owned(), time), (slack::SIGNATURE.to_owned(), value)])
        }
        Provider::Standard => {
            let before = standard::before(id.as_bytes(), time.as_bytes());
            let digest = sign(Reading::Standard, MacAlgorithm::Sha256, &[&before, body])?;
            Some(vec![
                ("webhook-id".to_owned(), id.to_owned()),
                ("webhook-timestamp".to_owned(), time),
                ("webhook-signature".to_owned(), format!("v1,{}", spell::write(&digest, Encoding::Base64))),
            ])
        }
    }
}
