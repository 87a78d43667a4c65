//! Shopify: `X-Shopify-Hmac-Sha256: <base64>` over the body. No time is signed.

use crate::model::auth::{Encoding, Hmac};
use crate::model::credential::MacAlgorithm;

/// Shopify's way, said in the words of the provider `hmac`.
#[must_use]
pub fn scheme() -> Hmac {
    Hmac {
        header: "X-Shopify-Hmac-Sha256".to_owned(),
        algorithm: MacAlgorithm::Sha256,
        encoding: Encoding::Base64,
        prefix: String::new(),
    }
}
