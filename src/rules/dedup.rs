//! The dedup key: a SHA-256 over length-prefixed, type-tagged parts (contract section 6).

use crate::model::FlowId;
use crate::model::document::Dedup;
use crate::model::headers::Headers;
use crate::model::request::DedupKey;
use crate::rules::facts::Facts;

/// The body paths of a rule, in its order: what [`super::facts::scan`] is asked for.
#[must_use]
pub fn body_fields(rule: &Dedup) -> Vec<&crate::model::path::Path> {
    rule.fields.iter().filter(|path| path.root() == "body").collect()
}

/// The key of a request; `None` where all fields are missing (the request is then marked
/// `no_dedup_key`). `facts.wanted` holds the body fields in the order of [`body_fields`].
#[must_use]
pub fn key(
    _endpoint: FlowId,
    _rule: &Dedup,
    _facts: &Facts,
    _headers: &Headers,
    _query: &str,
) -> Option<DedupKey> {
    todo!()
}
