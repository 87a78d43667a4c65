//! Any HMAC of the body alone, in one header: a prefix and a digest.

use super::signature::{Claim, Proof};
use super::{Denied, once, spell};
use crate::model::auth::{Encoding, Hmac};
use crate::model::headers::Headers;

/// Reads what the headers claim.
///
/// # Errors
/// The header is missing, or is no digest of that spelling.
pub fn read(scheme: &Hmac, headers: &Headers) -> Result<Claim, Denied> {
    let value = once(headers, &scheme.header)?;
    let mut claim = Claim { algorithm: scheme.algorithm, ..Claim::new(&scheme.header, scheme.encoding) };
    claim.prefix.clone_from(&scheme.prefix);
    let digest = value
        .strip_prefix(scheme.prefix.as_bytes())
        .ok_or_else(|| format!("{} does not begin with {}", scheme.header, scheme.prefix))
        .and_then(|digits| {
            let word = word(scheme.encoding);
            spell::read(digits, scheme.encoding).ok_or_else(|| format!("{} is not {word}", scheme.header))
        });
    match digest {
        Ok(digest) => claim.proofs.push(Proof::mac(digest, value)),
        Err(misspelt) => {
            claim.misspelt = Some(misspelt);
            claim.lenient = lenient(value);
        }
    }
    Ok(claim)
}

fn word(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Hex => "hex",
        Encoding::Base64 => "base64",
        Encoding::Base64Url => "base64url",
    }
}

/// What a header in a wrong spelling may have meant: each digest, and how it was read.
fn lenient(value: &[u8]) -> Vec<(Vec<u8>, String)> {
    let mut all = Vec::new();
    for prefix in ["", "sha256=", "sha1=", "sha512=", "v0=", "v1="] {
        let Some(digits) = value.strip_prefix(prefix.as_bytes()) else { continue };
        for encoding in [Encoding::Hex, Encoding::Base64, Encoding::Base64Url] {
            if let Some(digest) = spell::read(digits, encoding) {
                let with =
                    if prefix.is_empty() { "no prefix".to_owned() } else { format!("the prefix {prefix}") };
                all.push((digest, format!("read as {} with {with}", word(encoding))));
            }
        }
    }
    all
}
