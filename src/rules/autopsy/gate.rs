//! Refusals that hang neither on the sender's credentials nor on the body: address, method, rate,
//! and a request that goes round.

use super::{Case, Looked, check, pair};
use crate::model::request::Seed;
use crate::rules::judge::MAX_HOPS;
use crate::rules::origin;
use std::net::IpAddr;

/// The sender's address is in none of the networks.
pub(super) fn address(case: &Case<'_>) -> Looked {
    let from = case.judged.from.unwrap_or("its address");
    let mut looked =
        Looked { checks: vec![check(false, &format!("{from} in allow_from"))], ..Looked::default() };
    let Some(hook) = case.hook() else { return looked };
    let networks = &hook.gates.allow_from;
    let listed: Vec<String> = networks.iter().map(ToString::to_string).collect();
    looked.evidence.push(pair("received", format!("from {from}")));
    if let Some(forwarded) = case.seed.headers.get("x-forwarded-for") {
        looked.evidence.push(pair("", format!("X-Forwarded-For: {forwarded}")));
        let last = forwarded.rsplit(',').find_map(|entry| entry.trim().parse::<IpAddr>().ok());
        let said = last.filter(|last| last.to_string() != from && origin::listed(networks, *last));
        if let Some(said) = said {
            looked.likely = format!(
                "X-Forwarded-For ends with {said}, which is in allow_from: {from} is a proxy that is not in trusted_proxies."
            );
            looked.advice = Some(
                "Name the proxy in `trusted_proxies` of the configuration, if it is yours; then the sender may send it again.",
            );
        }
    }
    if !listed.is_empty() {
        looked.evidence.push(pair("expected", format!("from one of {}", listed.join(", "))));
    }
    looked
}

/// A method that the trigger does not take.
pub(super) fn method(case: &Case<'_>) -> Looked {
    let method = &case.seed.method;
    let mut looked = Looked {
        checks: vec![check(false, &format!("{method} in methods"))],
        evidence: vec![pair("received", method.clone())],
        ..Looked::default()
    };
    if let Some(hook) = case.hook() {
        looked.evidence.push(pair("expected", hook.methods.join(", ")));
    }
    looked
}

/// More than the trigger takes in a time.
pub(super) fn rate(case: &Case<'_>) -> Looked {
    // The limit is in the cause: `over rate_limit 50/s`.
    let limit = case.cause().rsplit(' ').next().unwrap_or_default();
    Looked {
        checks: vec![
            check(true, "credentials"),
            check(true, "JSON"),
            check(false, &format!("within {limit}")),
        ],
        ..Looked::default()
    }
}

/// It went through too many systems.
pub(super) fn hops(seed: &Seed) -> Looked {
    Looked {
        checks: vec![check(false, &format!("at most {MAX_HOPS} hops"))],
        evidence: vec![
            pair("received", format!("Pointsman-Hops: {}", seed.hops)),
            pair("expected", format!("at most {MAX_HOPS}")),
        ],
        ..Looked::default()
    }
}
