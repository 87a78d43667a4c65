//! The usual slips of senders and of what stands between: each is tried, and told only where the
//! signature then fits.

use super::Usable;
use super::signature::Claim;
use crate::model::credential::{KeyCheck, KeyKind, Reading};
use crate::rules::json::parse;
use serde_json::Value;
use std::borrow::Cow;
use subtle::ConstantTimeEq as _;

/// Bytes of a body up to which slips are looked for: as much as is kept of a refused one. Looking
/// costs a digest for each slip and key, and anybody can send a wrong signature.
pub(super) const MAX_BODY: usize = 64 << 10;

/// Signatures of key pairs up to which slips are looked for: one, and another while keys are rotated.
/// Each costs a hundred digests.
const MAX_PAIRS: usize = 2;

/// A change to the body, and how it is told; `None` where it changes nothing.
type Slip = (&'static str, fn(&[u8]) -> Option<Cow<'_, [u8]>>);

const BODIES: &[Slip] = &[
    ("the body matches after removing the final newline", |body| {
        let body = body.strip_suffix(b"\n")?;
        Some(Cow::Borrowed(body.strip_suffix(b"\r").unwrap_or(body)))
    }),
    ("the body matches after adding a final newline", |body| Some(Cow::Owned([body, b"\n"].concat()))),
    ("the body matches after adding a final CR LF", |body| Some(Cow::Owned([body, b"\r\n"].concat()))),
    ("the body matches with LF for each CR LF", |body| {
        body.windows(2).any(|pair| pair == b"\r\n").then(|| Cow::Owned(replaced(body, b"\r\n", b"\n")))
    }),
    ("the body matches with CR LF for each LF", |body| {
        body.contains(&b'\n').then(|| Cow::Owned(replaced(&replaced(body, b"\r\n", b"\n"), b"\n", b"\r\n")))
    }),
    ("the body matches without white space between its values", |body| {
        Some(Cow::Owned(parse(body).ok()?.to_string().into_bytes()))
    }),
    ("the body matches with a space after each comma and colon", |body| {
        let mut out = Vec::new();
        spaced(&parse(body).ok()?, &mut out);
        Some(Cow::Owned(out))
    }),
    ("the body matches when indented by two spaces", |body| {
        Some(Cow::Owned(serde_json::to_vec_pretty(&parse(body).ok()?).ok()?))
    }),
];

const READINGS: &[(&str, Reading)] = &[
    ("the secret matches as it stands, without decoding it", Reading::AsIs),
    ("the secret matches once it is decoded from base64", Reading::Base64),
    ("the secret matches once it is decoded from hex", Reading::Hex),
    ("the secret matches with a newline at its end", Reading::WithNewline),
    ("the secret matches without the white space around it", Reading::Trimmed),
];

/// The slips that were looked for.
#[derive(Debug, Default)]
pub(super) struct Slips {
    /// How many.
    pub(super) tried: u32,
    /// The first that explains the signature; proven, since the signature fits with it.
    pub(super) found: Option<String>,
}

/// Looks for the slip that explains a signature.
pub(super) fn find<K: KeyCheck>(claim: &Claim, body: &[u8], keys: &[Usable<'_, K>]) -> Slips {
    let mut slips = Slips::default();
    if body.len() <= MAX_BODY {
        slips.found = first(claim, body, keys, &mut slips.tried);
    }
    slips
}

fn first<K: KeyCheck>(claim: &Claim, body: &[u8], keys: &[Usable<'_, K>], tried: &mut u32) -> Option<String> {
    let mac = |key: &K, reading, body: &[u8]| key.mac(reading, claim.algorithm, &[&claim.before, body]);
    *tried += u32::from(!claim.lenient.is_empty());
    for Usable { key, .. } in keys {
        if let Some(expected) = mac(key, claim.reading, body) {
            let meant = claim.lenient.iter().find(|(digest, _)| bool::from(digest.ct_eq(&expected)));
            if let Some((_, how)) = meant {
                return Some(format!("it matches {how}"));
            }
        }
    }
    for (told, change) in BODIES {
        let Some(changed) = change(body).filter(|changed| **changed != *body) else { continue };
        *tried += 1;
        let asked = |key: &K| key.kind() != KeyKind::Ed25519 || claim.pairs() <= MAX_PAIRS;
        if keys.iter().any(|Usable { key, .. }| asked(key) && claim.fits(*key, &changed)) {
            return Some((*told).to_owned());
        }
    }
    for (told, reading) in READINGS.iter().filter(|(_, reading)| *reading != claim.reading) {
        *tried += 1;
        let fits = |key: &K| mac(key, *reading, body).is_some_and(|digest| claim.has(&digest));
        if keys.iter().any(|Usable { key, .. }| fits(key)) {
            return Some((*told).to_owned());
        }
    }
    None
}

fn replaced(body: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 16);
    let mut rest = body;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            rest = after;
        } else {
            out.push(rest[0]);
            rest = &rest[1..];
        }
    }
    out
}

/// As Python's `json.dumps` writes it.
fn spaced(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.extend_from_slice(b", ");
                }
                spaced(item, out);
            }
            out.push(b']');
        }
        Value::Object(map) => {
            out.push(b'{');
            for (at, (key, item)) in map.iter().enumerate() {
                if at > 0 {
                    out.extend_from_slice(b", ");
                }
                out.extend_from_slice(Value::from(key.as_str()).to_string().as_bytes());
                out.extend_from_slice(b": ");
                spaced(item, out);
            }
            out.push(b'}');
        }
        leaf => out.extend_from_slice(leaf.to_string().as_bytes()),
    }
}
