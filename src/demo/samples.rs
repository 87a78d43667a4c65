//! The integrations that ship with the program, each with payloads as a real sender would send them.

/// A shipped integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The integration's name.
    pub name: &'static str,
    /// Its document.
    pub source: &'static str,
    /// Payloads: the id of the flow that they are for, the name of the file, and JSON.
    pub payloads: &'static [(&'static str, &'static str, &'static str)],
}

/// The commented document that `pointsman new` prints, with `NAME` in place of the name.
pub const NEW: &str = include_str!("../../samples/new.toml");

/// The document of a new integration.
#[must_use]
pub fn new_document(name: &str) -> String {
    NEW.replace("NAME", name)
}

macro_rules! sample {
    ($name:literal, $($flow:literal: $file:literal),+) => {
        Sample {
            name: $name,
            source: include_str!(concat!("../../samples/", $name, "/integration.toml")),
            payloads: &[$((
                $flow,
                concat!($flow, "-", $file, ".json"),
                include_str!(concat!("../../samples/", $name, "/", $flow, "-", $file, ".json")),
            )),+],
        }
    };
}

/// Every shipped integration.
pub const SAMPLES: &[Sample] = &[
    sample!("shop-orders", "orders": "two-products", "orders": "no-coupon"),
    sample!("github", "push": "main", "push": "branch"),
    sample!("stripe", "events": "charge-succeeded", "events": "dispute-created"),
    sample!(
        "acme-erp",
        "customers": "updated",
        "customers": "created",
        "inventory": "low",
        "inventory": "plenty"
    ),
    sample!("forms", "submissions": "leave"),
    sample!("purchase", "requests": "small", "requests": "large"),
];
