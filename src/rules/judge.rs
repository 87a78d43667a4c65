//! What is judged of a request once its body is there: the one judge of the receiver and of
//! readmission. Nothing in here knows a socket: header values come in as bytes.

use super::facts::{self, Facts};
use super::plan::Plan;
use super::{data, dedup, json, split};
use crate::model::headers::Headers;
use crate::model::request::{DedupKey, Marks, Seed};
use crate::text::{count, size};

/// Systems like this one that a request may have passed through.
pub const MAX_HOPS: u32 = 8;
/// Characters of a sender's own words in a cause.
const QUOTED: usize = 100;

/// A refusal: what the sender is answered, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// HTTP status.
    pub status: u16,
    /// In words.
    pub cause: String,
}

impl Refused {
    fn new(status: u16, cause: impl Into<String>) -> Self {
        Self { status, cause: cause.into() }
    }
}

/// What a body claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// JSON.
    Json,
    /// Nothing: no type, no length, no transfer encoding. Counts as `{}`.
    Nothing,
    /// Chunked and without a type: a 400 where it is empty, else a 415.
    Untyped,
}

/// Judges how many `Host` lines a request has.
///
/// # Errors
/// 400: none, or several.
pub fn host(lines: usize) -> Result<(), Refused> {
    match lines {
        0 => Err(Refused::new(400, "Host is missing")),
        1 => Ok(()),
        _ => Err(Refused::new(400, "there is more than one Host")),
    }
}

/// 413: a body is longer than it may be; `len` where that is known. Exact where rounded figures would
/// be the same.
#[must_use]
pub fn too_long(len: Option<u64>, max: u64) -> Refused {
    let most = figure(max);
    let cause = match len.map(|len| (len, figure(len))) {
        None => format!("the body is over {most}"),
        Some((len, text)) if text == most => format!("{} B is over {} B", count(len), count(max)),
        Some((_, text)) => format!("{text} is over {most}"),
    };
    Refused::new(413, cause)
}

/// A size as everywhere, without a zero behind the point: `6 MiB`, `6.3 MiB`, `212 B`.
#[must_use]
pub fn figure(bytes: u64) -> String {
    size(bytes).replace(".0 ", " ")
}

/// Judges the values of `Content-Type`, with how the body says that it comes.
///
/// # Errors
/// 415.
pub fn content<'v>(
    mut types: impl Iterator<Item = &'v [u8]>,
    chunked: bool,
    declared: Option<u64>,
) -> Result<Content, Refused> {
    match (types.next(), types.next()) {
        (Some(kind), None) if is_json(kind) => Ok(Content::Json),
        (Some(kind), None) => Err(Refused::new(415, format!("Content-Type is {}", quoted(kind)))),
        (Some(_), Some(_)) => Err(Refused::new(415, "there is more than one Content-Type")),
        (None, _) if chunked => Ok(Content::Untyped),
        (None, _) if declared.unwrap_or(0) == 0 => Ok(Content::Nothing),
        (None, _) => Err(untyped()),
    }
}

/// 415: a body without a type.
#[must_use]
pub fn untyped() -> Refused {
    Refused::new(415, "Content-Type is missing")
}

/// `application/json`, or any type that ends in `+json` (RFC 6839), whatever its parameters.
#[must_use]
pub fn is_json(value: &[u8]) -> bool {
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let suffix = essence.len().checked_sub(5).and_then(|at| essence.get(at..));
    essence.eq_ignore_ascii_case(b"application/json")
        || (essence.contains(&b'/') && suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case(b"+json")))
}

/// What passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// `repeated_keys` and `no_dedup_key`, where they are so.
    pub marks: Marks,
    /// The dedup key, where the flow has a rule and the request one of its fields.
    pub key: Option<DedupKey>,
    /// How many elements the flow's `split` finds, where it has one.
    pub elements: Option<u32>,
}

/// Judges a whole body: JSON within its bounds, required paths, a loop; and makes the dedup key.
/// `when` is judged after it, by who has values of variables.
///
/// # Errors
/// 400, 415 or 508.
pub fn body(
    plan: &Plan,
    content: Content,
    body: &[u8],
    headers: &Headers,
    query: &str,
    hops: u32,
) -> Result<Passed, Refused> {
    let facts = read(plan, content, body)?;
    required(plan, &facts, headers, query)?;
    let elements = match plan.flow.split() {
        None => None,
        Some(path) => {
            let tree =
                json::parse(text(content, body)).map_err(|error| Refused::new(400, error.to_string()))?;
            Some(split::elements(&tree, path).map_err(|error| Refused::new(400, error.to_string()))?)
        }
    };
    loops(hops)?;
    let mut marks = Marks::default();
    if facts.repeated_keys {
        marks = marks.with(Marks::REPEATED_KEYS);
    }
    let key = plan.dedup.as_ref().map(|rule| dedup::key(plan.flow_id, rule, &facts, headers, query));
    if key == Some(None) {
        marks = marks.with(Marks::NO_DEDUP_KEY);
    }
    Ok(Passed { marks, key: key.flatten(), elements })
}

/// Nothing counts as an empty object.
fn text(content: Content, body: &[u8]) -> &[u8] {
    if content == Content::Nothing { b"{}" } else { body }
}

/// One pass over the bytes.
///
/// # Errors
/// 400, or 415 for a body without a type.
pub fn read(plan: &Plan, content: Content, body: &[u8]) -> Result<Facts, Refused> {
    if content == Content::Untyped && !body.is_empty() {
        return Err(untyped());
    }
    let json = text(content, body);
    let wanted = plan.dedup.as_ref().map(dedup::body_fields).unwrap_or_default();
    let required: Vec<_> = plan.required.iter().filter(|path| path.root() == "body").collect();
    facts::scan(json, &wanted, &required).map_err(|error| Refused::new(400, error.to_string()))
}

/// Whether each required path is there. `facts.present` has those under `body`, in the order of
/// the plan's.
///
/// # Errors
/// 400 that names all that are missing.
pub fn required(plan: &Plan, facts: &Facts, headers: &Headers, query: &str) -> Result<(), Refused> {
    let mut present = facts.present.iter();
    let mut missing = Vec::new();
    for path in &plan.required {
        let there = match path.root() {
            "body" => present.next().copied().unwrap_or(false),
            _ => data::outside(path, headers, query).is_some(),
        };
        if !there {
            missing.push(path.to_string());
        }
    }
    match missing.as_slice() {
        [] => Ok(()),
        [one] => Err(Refused::new(400, format!("{one} is required and missing"))),
        several => Err(Refused::new(400, format!("{} are required and missing", several.join(", ")))),
    }
}

/// Whether a request has passed through too many systems like this one.
///
/// # Errors
/// 508.
pub fn loops(hops: u32) -> Result<(), Refused> {
    if hops <= MAX_HOPS {
        return Ok(());
    }
    Err(Refused::new(508, format!("Pointsman-Hops is over {MAX_HOPS}: the request goes round in a loop")))
}

/// Judges a stored request again with a plan, as of the moment it arrived: method, length, type,
/// then the body. `when` is left to who has values of variables.
///
/// # Errors
/// The first refusal, by the order of the receiver.
pub fn again(plan: &Plan, seed: &Seed) -> Result<Passed, Refused> {
    let crate::model::document::Trigger::Webhook(hook) = &plan.flow.trigger else {
        return Err(Refused::new(404, "the flow is not started by requests any more"));
    };
    if !hook.methods.contains(&seed.method) {
        return Err(Refused::new(405, format!("{} is not in methods", quoted(seed.method.as_bytes()))));
    }
    let length = seed.body.len() as u64;
    if length > plan.max_body {
        return Err(too_long(Some(length), plan.max_body));
    }
    let encoded = seed.headers.get("content-encoding");
    let encoded = encoded.filter(|value| !matches!(value.trim(), "" | "identity"));
    if let Some(encoding) = encoded.filter(|_| !seed.marks.has(Marks::GZIP)) {
        return Err(Refused::new(415, format!("Content-Encoding is {}", quoted(encoding.as_bytes()))));
    }
    let types = seed.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-type"));
    let types = types.map(|(_, value)| value);
    let content = content(types, seed.marks.has(Marks::CHUNKED), Some(length))?;
    body(plan, content, &seed.body, &seed.headers, &seed.query, seed.hops)
}

/// A sender's own words, short enough for a cause.
#[must_use]
pub fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match text.char_indices().nth(QUOTED) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check::{Known, check};

    fn plan(more: &str) -> Plan {
        let text = format!(
            "name = \"shop\"\n[[flow]]\nid = \"o\"\nname = \"O\"\n[flow.trigger]\ntype = \"webhook\"\n\
             auth = {{ type = \"none\" }}\n{more}\n"
        );
        let integration = check(&text, &Known::default()).integration.unwrap();
        let (owner, flow) = (crate::model::IntegrationId(1), crate::model::FlowId(1));
        Plan::compile(owner, flow, 1, &integration, 0).unwrap()
    }

    fn seed(body: &str, kind: &str) -> Seed {
        Seed {
            flow: crate::model::FlowId(1),
            version: 1,
            marks: Marks::default(),
            method: "POST".into(),
            path: String::new(),
            query: String::new(),
            headers: Headers::from_pairs([("Content-Type", kind)]),
            body: body.to_owned().into(),
            peer: None,
            actor: None,
            hops: 0,
        }
    }

    #[test]
    fn a_length_over_the_bound_is_told_so_that_it_differs_from_it() {
        let told = |len, max| too_long(len, max).cause;
        assert_eq!(told(Some(1_025), 1_024), "1,025 B is over 1,024 B");
        assert_eq!(told(Some((6 << 20) + 1), 6 << 20), "6,291,457 B is over 6,291,456 B");
        assert_eq!(told(Some(7_000_000), 6 << 20), "6.7 MiB is over 6 MiB");
        assert_eq!(told(Some(7), 6), "7 B is over 6 B");
        assert_eq!(told(None, 1_024), "the body is over 1 KiB");
    }

    #[test]
    fn one_host_is_wanted() {
        assert!(host(1).is_ok());
        assert_eq!((host(0).unwrap_err().status, host(2).unwrap_err().status), (400, 400));
    }

    #[test]
    fn hops_are_bounded() {
        assert!(loops(MAX_HOPS).is_ok());
        assert_eq!(loops(MAX_HOPS + 1).unwrap_err().status, 508);
    }

    #[test]
    fn a_stored_request_is_judged_by_the_plan_of_today() {
        let json = seed(r#"{"a":1}"#, "application/json");
        let refused = |more: &str, seed: &Seed| again(&plan(more), seed).unwrap_err();
        assert!(again(&plan(""), &json).unwrap().key.is_none());
        assert!(again(&plan("dedup = { fields = [\"body.a\"] }"), &json).unwrap().key.is_some());
        let keyless = again(&plan("dedup = { fields = [\"body.b\"] }"), &json).unwrap();
        assert!(keyless.key.is_none() && keyless.marks.has(Marks::NO_DEDUP_KEY));
        assert_eq!(refused("required = [\"body.b\"]", &json).cause, "body.b is required and missing");
        assert_eq!(refused("methods = [\"PUT\"]", &json).status, 405);
        assert_eq!(refused("max_body = \"6B\"", &json).cause, "7 B is over 6 B");
        assert_eq!(refused("", &seed("{}", "text/plain")).status, 415);
        assert_eq!(refused("", &seed("{", "application/json")).status, 400);
        let looped = Seed { hops: MAX_HOPS + 1, ..json.clone() };
        assert_eq!(refused("", &looped).status, 508);
        let mut packed = json;
        packed.headers =
            Headers::from_pairs([("Content-Type", "application/json"), ("Content-Encoding", "gzip")]);
        assert_eq!(refused("", &packed).status, 415);
        packed.marks = Marks::GZIP;
        assert!(again(&plan(""), &packed).is_ok(), "what is stored of it is expanded");
    }
}
