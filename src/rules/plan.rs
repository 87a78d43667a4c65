//! A flow of a saved version, compiled: what receiver and runner work with.

use super::template::Template;
use crate::model::document::{Connection, Dedup, Flow};
use crate::model::path::Path;
use crate::model::{FlowId, IntegrationId};

/// A compiled flow. Immutable, shared by `Arc`.
#[derive(Debug)]
pub struct Plan {
    /// Whose flow it is.
    pub integration: IntegrationId,
    /// The integration's name.
    pub integration_name: String,
    /// The flow.
    pub flow_id: FlowId,
    /// The version that it was compiled from.
    pub version: u32,
    /// What the document says.
    pub flow: Flow,
    /// The integration's connections.
    pub connections: Vec<Connection>,
    /// The trigger's `when`.
    pub when: Option<Template>,
    /// The trigger's `required`.
    pub required: Vec<Path>,
    /// The trigger's `dedup`.
    pub dedup: Option<Dedup>,
    /// Bytes of a body.
    pub max_body: u64,
    /// In order.
    pub steps: Vec<StepPlan>,
}

/// A compiled step; `Plan::flow.steps` at the same position has what was written.
#[derive(Debug)]
pub struct StepPlan {
    /// Its `when`.
    pub when: Option<Template>,
    /// Its other templates, by place: `url`, `query.page`, `headers.X-Ref`, `json`, `form.a`,
    /// `text`, `outputs.name`, `message`, `until`, `base_url`, `auth`…
    pub parts: Vec<(String, Template)>,
}
