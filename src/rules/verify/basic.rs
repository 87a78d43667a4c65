//! `Authorization: Basic` (RFC 7617).

use super::{Denied, Passed, Usable, authorization};
use crate::model::credential::KeyCheck;
use crate::model::headers::Headers;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Judges a request.
///
/// # Errors
/// Not let in, and why.
pub fn verify<K: KeyCheck>(headers: &Headers, keys: &[Usable<'_, K>]) -> Result<Passed, Denied> {
    let pair = STANDARD
        .decode(authorization(headers, "Basic")?)
        .map_err(|_| Denied::new("user and password are not base64"))?;
    let Some(at) = pair.iter().position(|byte| *byte == b':') else {
        return Err(Denied::new("user and password have no colon between them"));
    };
    let (user, password) = (&pair[..at], &pair[at + 1..]);
    let mut found = None;
    for Usable { name, key } in keys {
        if key.is(Some(user), password) {
            found = Some(*name);
        }
    }
    let key = found.ok_or_else(|| Denied::new("no key matches"))?;
    Ok(Passed { key: key.to_owned(), actor: Some(String::from_utf8_lossy(user).into_owned()) })
}
