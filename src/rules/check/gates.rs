//! The gates of a webhook trigger: `allow_from`, `rate_limit`, `mask`, `concurrency`; and paths into
//! requests.

use super::fields::Fields;
use crate::model::gate::{Gates, RateLimit};
use crate::model::path::{Path, Segment};
use ipnet::IpNet;
use std::net::IpAddr;

/// Requests of a unit at most.
const MOST_REQUESTS: u32 = 1_000_000;
/// Runs of a flow at once at most; the process's own slots bound them too.
const MOST_RUNS: i64 = 10_000;
/// Networks and masked paths of a flow at most.
const MOST_LISTED: usize = 256;

/// Reads them.
pub(super) fn read(fields: &Fields<'_>) -> Gates {
    Gates {
        allow_from: allow_from(fields),
        rate_limit: rate_limit(fields),
        mask: mask(fields),
        concurrency: fields
            .integer("concurrency", 0..MOST_RUNS + 1)
            .and_then(|runs| u32::try_from(runs).ok())
            .unwrap_or(0),
    }
}

fn allow_from(fields: &Fields<'_>) -> Vec<IpNet> {
    let Some(written) = fields.texts("allow_from") else { return Vec::new() };
    let report = fields.report;
    if written.is_empty() {
        let message =
            "allow_from is empty: nobody could send; leave it out or write allow_from = [\"203.0.113.0/24\"]";
        report.error(fields.key_at("allow_from"), message);
    }
    most(fields, "allow_from", written.len());
    let mut networks = Vec::new();
    for (text, span) in written {
        match network(&text) {
            Some(network) => networks.push(network),
            None => report.error(
                span.start,
                format!("{text:?} is no network: write \"203.0.113.0/24\", \"2001:db8::/32\" or an address"),
            ),
        }
    }
    networks
}

/// A network, or an address as the network of it alone. Host bits that are set do not count.
fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    let network = text.parse::<IpNet>().ok();
    network.map(|network| network.trunc()).or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn rate_limit(fields: &Fields<'_>) -> Option<RateLimit> {
    let (text, span) = fields.text("rate_limit")?;
    let limit = text.parse::<RateLimit>().ok();
    match limit {
        Some(RateLimit { count, .. }) if !(1..=MOST_REQUESTS).contains(&count) => {
            let message = format!("rate_limit {text:?} is not possible: 1 to {MOST_REQUESTS} requests are");
            fields.report.error(span.start, message);
            None
        }
        Some(limit) => Some(limit),
        None => {
            let message = format!("rate_limit {text:?} is no rate: write \"50/s\", \"600/m\" or \"1000/h\"");
            fields.report.error(span.start, message);
            None
        }
    }
}

fn mask(fields: &Fields<'_>) -> Vec<Path> {
    let written = fields.texts("mask").unwrap_or_default();
    most(fields, "mask", written.len());
    written.into_iter().filter_map(|(text, span)| any_path(fields, &text, span.start, "mask")).collect()
}

fn most(fields: &Fields<'_>, key: &str, found: usize) {
    if found > MOST_LISTED {
        let message = format!("{key} has {found} entries: at most {MOST_LISTED} are possible");
        fields.report.error(fields.key_at(key), message);
    }
}

/// A path into body, headers or query of a request.
pub(super) fn request_path(fields: &Fields<'_>, text: &str, at: usize, what: &str) -> Option<Path> {
    let path = any_path(fields, text, at, what)?;
    if path.0.contains(&Segment::Any) {
        fields.report.error(at, format!("{what} {text:?} names any element: write a number in the brackets"));
        return None;
    }
    Some(path)
}

/// The same, or one that names any element of a list by `[]`.
pub(super) fn any_path(fields: &Fields<'_>, text: &str, at: usize, what: &str) -> Option<Path> {
    let example = "write body.order_number, headers[\"X-Request-ID\"] or query.page";
    match text.parse::<Path>() {
        Err(error) => {
            let hint = if text.starts_with("request.") {
                format!("; {example}, without request.")
            } else {
                String::new()
            };
            fields.report.error(at, format!("{what} {text:?} is no path: {error}{hint}"));
        }
        Ok(path) => {
            let depth = path.rest().len();
            let first_is_key = matches!(path.rest().first(), Some(Segment::Key(_)));
            if match path.root() {
                "body" => true,
                "headers" | "query" => depth == 1 && first_is_key,
                _ => false,
            } {
                return Some(path);
            }
            fields.report.error(at, format!("{what} {text:?} is not possible: {example}"));
        }
    }
    None
}
