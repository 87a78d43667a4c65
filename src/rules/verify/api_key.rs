//! A shared text in a header.

use super::{Denied, Passed, Usable, once};
use crate::model::credential::KeyCheck;
use crate::model::headers::Headers;

/// Judges a request.
///
/// # Errors
/// Not let in, and why.
pub fn verify<K: KeyCheck>(
    header: &str,
    headers: &Headers,
    keys: &[Usable<'_, K>],
) -> Result<Passed, Denied> {
    let value = once(headers, header)?;
    if value.is_empty() {
        return Err(Denied::new(format!("{header} is empty")));
    }
    let mut found = None;
    // Every key is asked: how long it takes tells nothing.
    for Usable { name, key } in keys {
        if key.is(None, value) {
            found = Some(*name);
        }
    }
    let key = found.ok_or_else(|| Denied::new("no key matches"))?;
    Ok(Passed { key: key.to_owned(), actor: Some(key.to_owned()) })
}
