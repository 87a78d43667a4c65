//! A flow of a saved version, compiled: what receiver and runner work with.

use super::template::{Parts, RenderError, Template};
use crate::model::document::{Connection, Dedup, Flow, Integration, MAX_BODY, Step};
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
    /// The integration's connections, then the operator's.
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
    /// Its `for_each`.
    pub for_each: Option<Template>,
    /// Its other templates.
    pub(crate) parts: Parts,
}

impl StepPlan {
    /// Compiles a step.
    ///
    /// # Errors
    /// A template that does not parse, and its place.
    pub fn compile(step: &Step, connections: &[Connection]) -> Result<Self, RenderError> {
        let fail = |message| RenderError { place: "for_each".to_owned(), message };
        Ok(Self {
            when: condition(step.when.as_deref())?,
            for_each: step.kind.for_each().map(Template::new).transpose().map_err(fail)?,
            parts: Parts::new(step, connections)?,
        })
    }
}

fn condition(source: Option<&str>) -> Result<Option<Template>, RenderError> {
    let fail = |message| RenderError { place: "when".to_owned(), message };
    source.map(Template::new).transpose().map_err(fail)
}

impl Plan {
    /// Compiles a flow of a checked document.
    ///
    /// # Errors
    /// No flow at this position, or a template that does not parse: neither can be where
    /// [`check`](super::check::check) had no complaint.
    pub fn compile(
        integration_id: IntegrationId,
        flow_id: FlowId,
        version: u32,
        integration: &Integration,
        flow_index: usize,
    ) -> Result<Self, RenderError> {
        Self::compile_with(integration_id, flow_id, version, integration, flow_index, &[])
    }

    /// Compiles a flow of a checked document that may use connections of the operator.
    ///
    /// # Errors
    /// As [`Plan::compile`].
    pub fn compile_with(
        integration_id: IntegrationId,
        flow_id: FlowId,
        version: u32,
        integration: &Integration,
        flow_index: usize,
        globals: &[Connection],
    ) -> Result<Self, RenderError> {
        let connections: Vec<Connection> = integration.connections.iter().chain(globals).cloned().collect();
        let place = |place: &str, message: String| RenderError { place: place.to_owned(), message };
        let flow = integration
            .flows
            .get(flow_index)
            .ok_or_else(|| place("flow", format!("{} has no flow number {flow_index}", integration.name)))?;
        let (when, required, dedup, max_body) = match flow.webhook() {
            Some(webhook) => (
                condition(webhook.when.as_deref())?,
                webhook.required.clone(),
                webhook.dedup.clone(),
                webhook.max_body,
            ),
            None => (None, Vec::new(), None, MAX_BODY),
        };
        let steps = flow
            .steps
            .iter()
            .map(|step| StepPlan::compile(step, &connections))
            .collect::<Result<_, RenderError>>()?;
        Ok(Self {
            integration: integration_id,
            integration_name: integration.name.clone(),
            flow_id,
            version,
            flow: flow.clone(),
            connections,
            when,
            required,
            dedup,
            max_body,
            steps,
        })
    }
}
