//! Stripe: `Stripe-Signature: t=<time>,v1=<hex>[,v1=<hex>…]` over `<time>.<body>`. The secret is
//! used as it stands, though it begins with `whsec_`.

use super::signature::{Claim, MAX_PROOFS, Proof, timestamp};
use super::{Denied, once, spell};
use crate::model::auth::Encoding;
use crate::model::headers::Headers;

/// The header.
pub const SIGNATURE: &str = "Stripe-Signature";

/// Reads what the header claims.
///
/// # Errors
/// It is missing or doubled, has not one time, or no `v1`.
pub fn read(headers: &Headers) -> Result<Claim, Denied> {
    let value = once(headers, SIGNATURE)?;
    let mut claim = Claim::new(SIGNATURE, Encoding::Hex);
    "v1=".clone_into(&mut claim.prefix);
    let mut time = None;
    for part in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
        if let Some(text) = part.strip_prefix(b"t=") {
            if time.replace(text).is_some() {
                return Err(Denied::new(format!("{SIGNATURE} has t twice")));
            }
        } else if let Some(digits) = part.strip_prefix(b"v1=")
            && let Some(digest) = spell::read(digits, Encoding::Hex)
        {
            claim.proofs.push(Proof::mac(digest, part));
        }
    }
    let Some(time) = time else { return Err(Denied::new(format!("{SIGNATURE} has no t"))) };
    if claim.proofs.is_empty() {
        return Err(Denied::new(format!("{SIGNATURE} has no v1")));
    }
    if claim.proofs.len() > MAX_PROOFS {
        return Err(Denied::new(format!("{SIGNATURE} has over {MAX_PROOFS} signatures")));
    }
    claim.at = Some(timestamp("t", time)?);
    claim.before = before(time);
    Ok(claim)
}

/// What stands before the body in what is signed.
#[must_use]
pub fn before(time: &[u8]) -> Vec<u8> {
    [time, b"."].concat()
}
