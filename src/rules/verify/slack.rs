//! Slack: `X-Slack-Signature: v0=<hex>` over `v0:<time>:<body>`, the time in
//! `X-Slack-Request-Timestamp`.

use super::signature::{Claim, timestamp};
use super::{Denied, hmac, once};
use crate::model::auth::{Encoding, Hmac};
use crate::model::credential::MacAlgorithm;
use crate::model::headers::Headers;

/// The header of the signature.
pub const SIGNATURE: &str = "X-Slack-Signature";
/// The header of the time.
pub const TIME: &str = "X-Slack-Request-Timestamp";

/// Reads what the headers claim.
///
/// # Errors
/// A header is missing or doubled, or the time is no number.
pub fn read(headers: &Headers) -> Result<Claim, Denied> {
    let time = once(headers, TIME)?;
    let scheme = Hmac {
        header: SIGNATURE.to_owned(),
        algorithm: MacAlgorithm::Sha256,
        encoding: Encoding::Hex,
        prefix: "v0=".to_owned(),
    };
    let claim = hmac::read(&scheme, headers)?;
    Ok(Claim { at: Some(timestamp(TIME, time)?), before: before(time), ..claim })
}

/// What stands before the body in what is signed.
#[must_use]
pub fn before(time: &[u8]) -> Vec<u8> {
    [b"v0:", time, b":"].concat()
}
