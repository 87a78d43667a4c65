//! GitHub: `X-Hub-Signature-256: sha256=<hex>` over the body. No time is signed.

use crate::model::auth::{Encoding, Hmac};
use crate::model::credential::MacAlgorithm;

/// GitHub's way, said in the words of the provider `hmac`.
#[must_use]
pub fn scheme() -> Hmac {
    Hmac {
        header: "X-Hub-Signature-256".to_owned(),
        algorithm: MacAlgorithm::Sha256,
        encoding: Encoding::Hex,
        prefix: "sha256=".to_owned(),
    }
}
