//! Templates: compiled once, rendered under bounds, never able to break out of JSON, URL or header.

use crate::model::request::RequestData;
use crate::model::run::StepState;
use crate::model::{Map, Ms};
use crate::rules::plan::Plan;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// A compiled template: a string leaf, or a JSON tree of them.
#[derive(Debug)]
pub struct Template {}

/// What templates can see.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The request that began the run.
    pub request: Option<Arc<RequestData>>,
    /// Values of the variables.
    pub config: Arc<Map>,
    /// Finished steps by name.
    pub steps: HashMap<String, StepData>,
    /// URLs of the integration's flows by name.
    pub webhook_urls: Arc<Map>,
    /// The run's id as text.
    pub run: String,
    /// The flow's name.
    pub flow: String,
    /// The integration's name.
    pub integration: String,
}

/// What later steps see of a step. `outputs` and `body` are absent unless it succeeded, or was
/// given a stand-in.
#[derive(Debug, Clone, PartialEq)]
pub struct StepData {
    /// How it ended.
    pub state: StepState,
    /// The answer's code.
    pub status: Option<u16>,
    /// The answer's headers.
    pub headers: Vec<(String, String)>,
    /// The answer's JSON, else its text; absent where it was not kept whole.
    pub body: Option<Value>,
    /// Named values.
    pub outputs: Option<Map>,
}

/// A request that was built and can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// HTTP method.
    pub method: String,
    /// Absolute http(s) URL.
    pub url: String,
    /// In order; the content type among them, engine headers not.
    pub headers: Vec<(String, String)>,
    /// Bytes to send.
    pub body: Option<bytes::Bytes>,
    /// The body is the incoming request's own.
    pub same_body: bool,
    /// Fields that were left out (or sent empty) for want of a value: `json.customer`.
    pub left_out: Vec<String>,
    /// An explicit proxy.
    pub proxy: Option<String>,
    /// Whether the target's certificate is verified.
    pub verify_tls: bool,
    /// A PEM file with an own certificate authority.
    pub ca_file: Option<String>,
}

/// Why a step could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RenderError {
    /// Where: `url`, `headers.X-Ref`, `json.a.b`.
    pub place: String,
    /// In words: `steps.lookup.outputs.id has no value (lookup was skipped)`.
    pub message: String,
}

/// Builds the request of a `request` or `send` step.
///
/// # Errors
/// A value that a URL needs is missing, `missing = "fail"`, `error("…")`, a bound, a bad header.
pub fn build(_plan: &Plan, _step: usize, _context: &Context) -> Result<Outgoing, RenderError> {
    todo!()
}

/// Judges a step's `when`; a step without one holds. A missing value is false.
///
/// # Errors
/// A value of another type than boolean, or a template that fails.
pub fn step_when(_plan: &Plan, _step: usize, _context: &Context) -> Result<bool, RenderError> {
    todo!()
}

/// Judges the trigger's `when`; a trigger without one holds.
///
/// # Errors
/// A value of another type than boolean, or a template that fails.
pub fn trigger_when(_plan: &Plan, _context: &Context) -> Result<bool, RenderError> {
    todo!()
}

/// The outputs of a `set` step.
///
/// # Errors
/// As [`build`].
pub fn set_outputs(_plan: &Plan, _step: usize, _context: &Context) -> Result<Map, RenderError> {
    todo!()
}

/// The message of a `fail` step.
///
/// # Errors
/// As [`build`].
pub fn fail_message(_plan: &Plan, _step: usize, _context: &Context) -> Result<String, RenderError> {
    todo!()
}

/// Until when a `delay` step waits, bounded at 365 days from `now`.
///
/// # Errors
/// As [`build`]; a value that is no time.
pub fn delay_until(_plan: &Plan, _step: usize, _context: &Context, _now: Ms) -> Result<Ms, RenderError> {
    todo!()
}

/// The outputs of a successful answer: paths of the step's `outputs` into status, headers and body.
#[must_use]
pub fn answer_outputs(
    _plan: &Plan,
    _step: usize,
    _status: u16,
    _headers: &[(String, String)],
    _body: Option<&Value>,
) -> Map {
    todo!()
}
