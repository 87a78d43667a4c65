//! `Authorization: Bearer` with a signed token (RFC 7515, RFC 7519).
//!
//! The algorithm belongs to the key: a token that names another is refused before anything is
//! computed, so neither `none` nor a public key taken for a secret (RFC 8725, section 2.1) comes
//! any further. Claims are looked at after the signature.

use super::{Denied, Passed, Usable, authorization, quoted, span};
use crate::model::Ms;
use crate::model::credential::{Algorithm, KeyCheck, KeyKind};
use crate::model::headers::Headers;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Bytes of a token.
pub const MAX_TOKEN: usize = 8 << 10;
/// Seconds that clocks may differ by.
pub const LEEWAY: f64 = 30.0;
/// Characters of an actor.
const ACTOR: usize = 200;

/// What the trigger wants of the claims.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// `iss`, where it is written.
    pub iss: Option<&'a str>,
    /// `aud`, where it is written.
    pub aud: Option<&'a str>,
}

/// A token taken apart, nothing of it believed yet.
#[derive(Debug)]
pub struct Token<'t> {
    /// What it says that it is signed with.
    pub said: String,
    /// The key that it names; only shown.
    pub kid: Option<String>,
    /// What is signed: header and claims as they were sent.
    pub signed: &'t str,
    /// The claims, decoded.
    claims: Vec<u8>,
    /// The signature, base64url.
    pub signature: &'t str,
}

/// The first part of a token. A repeated name is an error.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<Value>,
    /// Extensions that must be understood: there are none here (RFC 7515, section 4.1.11). Also an
    /// empty or a null one is refused.
    #[serde(default, deserialize_with = "there")]
    crit: bool,
}

fn there<'de, D: serde::Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(from).map(|_| true)
}

/// The claims that are judged or shown. A repeated one is an error.
#[derive(Debug, Deserialize)]
struct Claims {
    #[serde(default)]
    exp: Option<Value>,
    #[serde(default)]
    nbf: Option<Value>,
    /// Only shown.
    #[serde(default)]
    iat: Option<Value>,
    #[serde(default)]
    iss: Option<Value>,
    #[serde(default)]
    aud: Option<Value>,
    #[serde(default)]
    sub: Option<Value>,
}

impl<'t> Token<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// It is too long, not three parts, or its header is not one of a signed token.
    pub fn read(token: &'t [u8]) -> Result<Self, Denied> {
        if token.len() > MAX_TOKEN {
            return Err(Denied::new("the token is over 8 KiB"));
        }
        let text = std::str::from_utf8(token).map_err(|_| Denied::new("the token is not three parts"))?;
        let parts: Vec<&str> = text.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return Err(Denied::new("the token is not three parts"));
        };
        let bytes = decode(header, "header")?;
        let head: Header =
            object(&bytes).ok_or_else(|| Denied::new("the token's header is no JSON object with one alg"))?;
        if head.crit {
            return Err(Denied::new("the token has crit: extensions are not understood here"));
        }
        let said = quoted(head.alg.as_bytes());
        if signature.is_empty() {
            return Err(Denied::new(format!("the token says {said} and is not signed")));
        }
        Ok(Self {
            said,
            kid: head.kid.as_ref().and_then(Value::as_str).map(|kid| quoted(kid.as_bytes())),
            signed: &text[..header.len() + 1 + claims.len()],
            claims: decode(claims, "claims part")?,
            signature,
        })
    }
}

/// Part of a token; one spelling only.
fn decode(part: &str, what: &str) -> Result<Vec<u8>, Denied> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Denied::new(format!("the token's {what} is not base64url")))
}

/// Reads an object; a list of values in its order is none.
fn object<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    bytes.trim_ascii_start().first().filter(|first| **first == b'{')?;
    serde_json::from_slice(bytes).ok()
}

/// A token whose signature was found right, and by which key: what hangs neither on the time nor on
/// the endpoint, as long as the keys stay what they are.
#[derive(Debug)]
pub struct Proven {
    key: String,
    said: String,
    kid: Option<String>,
    claims: Claims,
}

impl Proven {
    /// Proves a token.
    ///
    /// # Errors
    /// It is no token, none of the keys signed it, or its claims cannot be read.
    pub(super) fn of<K: KeyCheck>(token: &[u8], keys: &[Usable<'_, K>]) -> Result<Self, Denied> {
        let token = Token::read(token)?;
        // What nobody signed is told as well: it is evidence, and believed by nothing.
        let shown = |cause: Denied| {
            let claims: Option<Claims> = object(&token.claims);
            Denied { detail: Some(detail(&token.said, token.kid.as_deref(), claims.as_ref())), ..cause }
        };
        let key = signer(&token, keys).map_err(shown)?;
        let claims: Claims = object(&token.claims)
            .ok_or_else(|| shown(Denied::new("the claims are no JSON object, or one is there twice")))?;
        Ok(Self { key: key.to_owned(), said: token.said, kid: token.kid, claims })
    }

    /// The name of the key that signed.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Judges the claims.
    ///
    /// # Errors
    /// Not let in, and why.
    pub(super) fn passes(&self, wanted: Wanted<'_>, now: Ms) -> Result<Passed, Denied> {
        judge(&self.claims, wanted, now).map_err(|cause| Denied {
            detail: Some(detail(&self.said, self.kid.as_deref(), Some(&self.claims))),
            ..cause
        })?;
        let actor = self.claims.sub.as_ref().and_then(Value::as_str);
        Ok(Passed {
            key: self.key.clone(),
            actor: actor.map(|sub| sub.chars().take(ACTOR).collect()).filter(|sub: &String| !sub.is_empty()),
        })
    }
}

/// Remembers tokens that were proven: senders show the same one many times. To be asked with the
/// same keys only; `()` remembers nothing.
pub trait Proofs {
    /// What was found of a token.
    fn recall(&self, token: &[u8]) -> Option<Arc<Proven>>;
    /// Keeps what was found.
    fn keep(&self, token: &[u8], proven: &Arc<Proven>);
}

impl Proofs for () {
    fn recall(&self, _: &[u8]) -> Option<Arc<Proven>> {
        None
    }

    fn keep(&self, _: &[u8], _: &Arc<Proven>) {}
}

/// Judges a request.
///
/// # Errors
/// Not let in, and why.
pub fn verify<K: KeyCheck>(
    wanted: Wanted<'_>,
    headers: &Headers,
    keys: &[Usable<'_, K>],
    now: Ms,
    proofs: &impl Proofs,
) -> Result<Passed, Denied> {
    let token = authorization(headers, "Bearer")?;
    // Another endpoint may take another key.
    let known = proofs.recall(token).filter(|proven| keys.iter().any(|key| key.name == proven.key()));
    if let Some(proven) = known {
        return proven.passes(wanted, now);
    }
    let proven = Arc::new(Proven::of(token, keys)?);
    proofs.keep(token, &proven);
    proven.passes(wanted, now)
}

/// The name of the key that signed.
fn signer<'k, K: KeyCheck>(token: &Token<'_>, keys: &[Usable<'k, K>]) -> Result<&'k str, Denied> {
    let of = |key: &K| match key.kind() {
        KeyKind::Jwt(algorithm) => Some(algorithm),
        _ => None,
    };
    let said = Algorithm::from_word(&token.said);
    let mut asked = false;
    let mut found = None;
    for Usable { name, key } in keys {
        if said.is_some() && of(key) == said {
            asked = true;
            if key.signed(token.signed.as_bytes(), token.signature) {
                found = found.or(Some(*name));
            }
        }
    }
    if !asked {
        let each = keys
            .iter()
            .filter_map(|Usable { name, key }| Some(format!("key `{name}` is {}", of(key)?.word())));
        let each: Vec<String> = each.collect();
        return Err(Denied::new(format!("{}, the token says {}", each.join(", "), token.said)));
    }
    found.ok_or_else(|| Denied::new("no key matches"))
}

fn judge(claims: &Claims, wanted: Wanted<'_>, now: Ms) -> Result<(), Denied> {
    let now = now as f64 / 1_000.0;
    let denied = |cause: String| Err(Denied::new(cause));
    let Some(exp) = &claims.exp else { return denied("exp is missing".to_owned()) };
    let Some(exp) = seconds(exp) else { return denied("exp is no number".to_owned()) };
    // On or after it a token is over (RFC 7519, section 4.1.4).
    if now >= exp + LEEWAY {
        return denied(format!("exp passed {} ago", span(now - exp)));
    }
    if let Some(nbf) = &claims.nbf {
        let Some(nbf) = seconds(nbf) else { return denied("nbf is no number".to_owned()) };
        if now < nbf - LEEWAY {
            return denied(format!("nbf is {} ahead", span(nbf - now)));
        }
    }
    if let Some(wanted) = wanted.iss {
        match &claims.iss {
            None => return denied("iss is missing".to_owned()),
            Some(iss) if iss.as_str() == Some(wanted) => {}
            Some(iss) => return denied(format!("iss is {}, not {wanted:?}", short(iss))),
        }
    }
    if let Some(wanted) = wanted.aud {
        match &claims.aud {
            None => return denied("aud is missing".to_owned()),
            Some(Value::String(aud)) if aud == wanted => {}
            Some(Value::Array(all)) if all.iter().any(|aud| aud.as_str() == Some(wanted)) => {}
            Some(aud) => return denied(format!("aud is {}, not {wanted:?}", short(aud))),
        }
    }
    Ok(())
}

/// A time of claims: seconds since 1970, decimals allowed; no text that looks like one.
fn seconds(value: &Value) -> Option<f64> {
    value.as_number()?.as_f64().filter(|seconds| seconds.is_finite())
}

fn short(value: &Value) -> String {
    quoted(value.to_string().as_bytes())
}

/// What of a token can be shown: never itself.
fn detail(said: &str, kid: Option<&str>, claims: Option<&Claims>) -> Value {
    let mut shown = Map::new();
    shown.insert("scheme".to_owned(), json!("jwt"));
    shown.insert("alg".to_owned(), json!(said));
    if let Some(kid) = kid {
        shown.insert("kid".to_owned(), json!(kid));
    }
    if let Some(Claims { exp, nbf, iat, iss, aud, sub }) = claims {
        let all = [("exp", exp), ("nbf", nbf), ("iat", iat), ("iss", iss), ("aud", aud), ("sub", sub)];
        for (name, value) in all {
            if let Some(value) = value {
                shown.insert(name.to_owned(), json!(short(value)));
            }
        }
    }
    Value::Object(shown)
}

/// The two parts of a new token that its key then signs.
#[must_use]
pub fn draft(algorithm: Algorithm, kid: &str, claims: &Map<String, Value>) -> String {
    let header = json!({ "alg": algorithm.word(), "typ": "JWT", "kid": kid });
    let part = |value: &str| URL_SAFE_NO_PAD.encode(value);
    format!("{}.{}", part(&header.to_string()), part(&Value::Object(claims.clone()).to_string()))
}
