//! Standard Webhooks and Svix: `webhook-id`, `webhook-timestamp` and `webhook-signature` (or the
//! same with `svix-`): `v1,<base64>` an HMAC, `v1a,<base64>` an Ed25519 signature, over
//! `<id>.<time>.<body>`; several, parted by spaces, while keys are rotated.

use super::signature::{Claim, Kind, MAX_PROOFS, Proof, timestamp};
use super::{Denied, once, spell};
use crate::model::auth::Encoding;
use crate::model::credential::Reading;
use crate::model::headers::Headers;

/// Reads what the headers claim.
///
/// # Errors
/// A header is missing or doubled, or there is no signature of a version that is known.
pub fn read(headers: &Headers) -> Result<Claim, Denied> {
    let there = |name| headers.all(name).next().is_some();
    let svix = !there("webhook-signature") && there("svix-signature");
    let names = if svix {
        ["svix-id", "svix-timestamp", "svix-signature"]
    } else {
        ["webhook-id", "webhook-timestamp", "webhook-signature"]
    };
    let [id, time, list] = [once(headers, names[0])?, once(headers, names[1])?, once(headers, names[2])?];
    if id.is_empty() {
        return Err(Denied::new(format!("{} is empty", names[0])));
    }
    let mut claim = Claim { reading: Reading::Standard, ..Claim::new(names[2], Encoding::Base64) };
    "v1,".clone_into(&mut claim.prefix);
    let mut misspelt = false;
    for one in list.split(|byte| *byte == b' ').filter(|one| !one.is_empty()) {
        let (kind, digits) = match (one.strip_prefix(b"v1,"), one.strip_prefix(b"v1a,")) {
            (Some(digits), _) => (Kind::Mac, digits),
            (None, Some(digits)) => (Kind::Ed25519, digits),
            // Another version: somebody else's.
            (None, None) => continue,
        };
        match spell::read(digits, Encoding::Base64) {
            Some(digest) => claim.proofs.push(Proof { kind, ..Proof::mac(digest, one) }),
            None => misspelt = true,
        }
    }
    if claim.proofs.is_empty() && misspelt {
        return Err(Denied::new(format!("what follows v1 or v1a in {} is not base64", names[2])));
    }
    if claim.proofs.is_empty() {
        return Err(Denied::new(format!("{} has neither v1 nor v1a", names[2])));
    }
    if claim.proofs.len() > MAX_PROOFS {
        return Err(Denied::new(format!("{} has over {MAX_PROOFS} signatures", names[2])));
    }
    claim.at = Some(timestamp(names[1], time)?);
    claim.before = before(id, time);
    Ok(claim)
}

/// What stands before the body in what is signed.
#[must_use]
pub fn before(id: &[u8], time: &[u8]) -> Vec<u8> {
    [id, b".", time, b"."].concat()
}
