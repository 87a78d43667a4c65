//! Who sent a request: one file a scheme. Nothing in here sees a secret or a clock: keys are asked
//! through [`KeyCheck`], now is an argument.
//!
//! [`head`] judges what headers alone decide, before the body is read; [`body`] judges signatures,
//! over the bytes as they came. A refusal has the cause for the operator; the sender is told
//! nothing. What is kept beside the cause never holds a token, and of an expected signature only
//! the digits up to the first that differs.

pub mod api_key;
pub mod basic;
pub mod github;
pub mod hmac;
pub mod jwt;
pub mod shopify;
pub mod signature;
pub mod slack;
mod slips;
mod spell;
pub mod standard;
pub mod stripe;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;

use crate::model::Ms;
use crate::model::auth::Auth;
use crate::model::credential::{KeyCheck, Named};
use crate::model::headers::Headers;
use crate::text::age;
use serde_json::Value;

/// Characters of a sender's own words in a cause.
const QUOTED: usize = 60;

/// Who was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// The name of the key that fits.
    pub key: String,
    /// Who it was, as far as the scheme says: a token's `sub`, a user, or the key.
    pub actor: Option<String>,
}

/// Why somebody was not.
#[derive(Debug, Clone, PartialEq)]
pub struct Denied {
    /// For the operator alone: `exp passed 14s ago`.
    pub cause: String,
    /// What else can be shown to the operator.
    pub detail: Option<Value>,
}

impl Denied {
    /// A cause that says it all.
    fn new(cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), detail: None }
    }
}

/// Judges `jwt`, `api_key` and `basic`, before the body is read. `None` for an endpoint whose
/// headers decide nothing: it takes anyone, or wants a signature. `proofs` are of these very keys.
///
/// # Errors
/// Not let in, and why.
pub fn head<K: KeyCheck>(
    auth: &Auth,
    headers: &Headers,
    keys: &[Named<'_, K>],
    now: Ms,
    proofs: &impl jwt::Proofs,
) -> Result<Option<Passed>, Denied> {
    match auth {
        Auth::None | Auth::Signature { .. } => Ok(None),
        Auth::Jwt { iss, aud, .. } => {
            let wanted = jwt::Wanted { iss: iss.as_deref(), aud: aud.as_deref() };
            jwt::verify(wanted, headers, &usable(auth, keys)?, now, proofs).map(Some)
        }
        Auth::ApiKey { header, .. } => api_key::verify(header, headers, &usable(auth, keys)?).map(Some),
        Auth::Basic { .. } => basic::verify(headers, &usable(auth, keys)?).map(Some),
    }
}

/// Judges a signature over the body as it came. `None` for an endpoint that wants none.
///
/// # Errors
/// Not let in, and why.
pub fn body<K: KeyCheck>(
    auth: &Auth,
    headers: &Headers,
    body: &[u8],
    keys: &[Named<'_, K>],
    now: Ms,
) -> Result<Option<Passed>, Denied> {
    match auth {
        Auth::Signature { provider, .. } => {
            signature::verify(provider, headers, body, &usable(auth, keys)?, now).map(Some)
        }
        _ => Ok(None),
    }
}

/// A key that is there and of the kind that is wanted.
#[derive(Debug)]
pub struct Usable<'k, K> {
    /// Its name.
    pub name: &'k str,
    /// Itself.
    pub key: &'k K,
}

/// The keys that can be used.
///
/// # Errors
/// There is none: of each the reason.
fn usable<'k, K: KeyCheck>(auth: &Auth, keys: &[Named<'k, K>]) -> Result<Vec<Usable<'k, K>>, Denied> {
    let mut fit = Vec::with_capacity(keys.len());
    let mut why = Vec::new();
    for Named { name, key } in keys {
        match key {
            None => why.push(format!("there is no key `{name}`")),
            Some(key) => match key.closed() {
                Some(closed) => why.push(format!("key `{name}` cannot be used: {closed}")),
                None if !auth.takes(key.kind()) => {
                    why.push(format!("key `{name}` is for {}, not for {}", key.kind().word(), auth.word()));
                }
                None => fit.push(Usable { name, key: *key }),
            },
        }
    }
    if fit.is_empty() { Err(Denied::new(why.join("; "))) } else { Ok(fit) }
}

/// The value of a header that must be there once.
fn once<'h>(headers: &'h Headers, name: &'h str) -> Result<&'h [u8], Denied> {
    let mut all = headers.all(name);
    match (all.next(), all.next()) {
        (None, _) => Err(Denied::new(format!("{name} is missing"))),
        (Some(_), Some(_)) => Err(Denied::new(format!("there is more than one {name}"))),
        (Some(value), None) => Ok(value.trim_ascii()),
    }
}

/// What follows the scheme in the one `Authorization` header; the scheme is in any case (RFC 9110).
fn authorization<'h>(headers: &'h Headers, scheme: &str) -> Result<&'h [u8], Denied> {
    let value = once(headers, "Authorization")?;
    let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (said, rest) = value.split_at(end);
    if !said.eq_ignore_ascii_case(scheme.as_bytes()) {
        // A value without a scheme may be the secret itself: it is not told.
        let cause = if rest.is_empty() || said.len() > 20 {
            format!("Authorization is not {scheme}")
        } else {
            format!("Authorization is {}, not {scheme}", quoted(said))
        };
        return Err(Denied::new(cause));
    }
    Ok(rest.trim_ascii())
}

/// A sender's own words, short enough for a cause.
fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match text.char_indices().nth(QUOTED) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.into_owned(),
    }
}

/// A span in words: `14s`, `7m`.
fn span(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "it saturates, and is for people")]
    let seconds = seconds.max(0.0) as i64;
    if seconds < 10 { format!("{seconds}s") } else { age(seconds.saturating_mul(1_000)) }
}

/// A sender's own words as evidence.
fn quoted_long(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().take(200).collect()
}
