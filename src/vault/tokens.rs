//! Operators' tokens: 256 random bits, kept by their hash alone. They cannot be guessed, so the hash
//! needs neither salt nor time.

use super::same;
use crate::model::credential::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// What a token begins with, so that whoever finds one knows what it is.
const PREFIX: &str = "pmo_";
/// Bytes that are looked at of what is given as a token.
const MOST: usize = 256;

/// A new token.
///
/// # Errors
/// The system gives no random bits.
pub fn make() -> Result<Secret, String> {
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *random).map_err(|error| format!("the system gives no random bits: {error}"))?;
    Ok(Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(*random))))
}

/// What is kept of a token.
#[must_use]
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The place of a token among hashes. All of them are looked at, each in constant time, so that the
/// time tells neither whether there is one nor where.
#[must_use]
pub fn find<'a>(token: &str, hashes: impl Iterator<Item = &'a [u8]>) -> Option<usize> {
    if token.len() > MOST {
        return None;
    }
    let given = hash(token);
    let mut found = None;
    for (at, kept) in hashes.enumerate() {
        if same(&given, kept) {
            found = Some(at);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_hash_alone() {
        let tokens: Vec<Secret> = (0..3).map(|_| make().unwrap()).collect();
        let hashes: Vec<[u8; 32]> = tokens.iter().map(|token| hash(token.reveal())).collect();
        let kept = || hashes.iter().map(<[u8; 32]>::as_slice);
        for (at, token) in tokens.iter().enumerate() {
            assert!(token.reveal().starts_with(PREFIX) && token.reveal().len() == 4 + 43);
            assert_eq!(find(token.reveal(), kept()), Some(at));
        }
        for wrong in ["", "pmo_", &format!("{} ", tokens[0].reveal()), &"x".repeat(MOST + 1)] {
            assert_eq!(find(wrong, kept()), None);
        }
        // A removed one has no hash left.
        assert_eq!(find("", std::iter::once(&[][..])), None);
    }
}
