//! Templates: compiled once, rendered under bounds, never able to break out of JSON, URL or header.

mod bound;
mod each;
mod engine;
mod filters;
mod leaf;
mod operators;
mod parts;
mod request;
mod respond;
mod syntax;
mod tame;
#[cfg(test)]
mod tests;
mod tree;
mod url;
mod value;
mod walk;

pub use each::{List, first_item, items, looked_at, resolve, when_of_item};
pub(crate) use leaf::ROOTS;
pub(crate) use parts::Parts;
pub use request::{build, derived, shown};
pub use respond::{MAX_ANSWER, MAX_ANSWER_HEADERS, respond_answer};
pub(crate) use syntax::{Parsed, Piece, Reference, Shape, parse_template};
pub(crate) use url::{UrlTemplate, authority_end, encode};
pub(crate) use value::{REQUEST_FIELDS, STEP_FIELDS};

use crate::model::document::{Missing, Step};
use crate::model::path::{Path, Segment, is_identifier, walk};
use crate::model::request::RequestData;
use crate::model::run::StepState;
use crate::model::target::Target;
use crate::model::time::{DAY, parse_rfc3339};
use crate::model::{Map, Ms};
use crate::rules::plan::Plan;
use crate::rules::secrets::Secrets;
use bytes::Bytes;
use leaf::{Leaf, Rendered, as_text};
use serde_json::{Number, Value};
use std::collections::HashMap;
use std::sync::Arc;
use tree::Renderer;
use value::Scope;

/// Bytes that the templates of one step may make.
const MAX_MADE: usize = 16 << 20;

/// A compiled template text.
#[derive(Debug, Clone)]
pub struct Template(Leaf);

impl Template {
    /// Compiles a text.
    ///
    /// # Errors
    /// The first mistake, in words.
    pub fn new(source: &str) -> Result<Self, String> {
        Leaf::new(source).map(Self)
    }

    /// Renders it by itself, for previews: a whole expression keeps its type; `None` where a value
    /// is missing. Secret variables are `•••`.
    ///
    /// # Errors
    /// As [`build`].
    pub fn render(&self, context: &Context) -> Result<Option<Value>, RenderError> {
        let fail = |message| RenderError { place: "template".to_owned(), message };
        Ok(match self.0.render(&Scope::masked(context)).map_err(fail)? {
            Rendered::Value(value) => Some(value),
            Rendered::Missing(_) => None,
        })
    }
}

/// What templates can see.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The request that began the run.
    pub request: Option<Arc<RequestData>>,
    /// Where `record` is in the request's body, for a run of one element of a `split`.
    pub record: Option<Vec<Segment>>,
    /// Values of the variables, but for the secret ones.
    pub config: Arc<Map>,
    /// Values of the secret ones.
    pub secrets: Arc<Secrets>,
    /// Finished steps by name; shared, since every item of a `for_each` has a context of its own.
    pub steps: Arc<HashMap<String, StepData>>,
    /// The list of the current step, under `for_each`.
    pub list: Option<Arc<Vec<Value>>>,
    /// Which item of it `item` is.
    pub item: Option<u32>,
    /// URLs of the integration's flows by name.
    pub webhook_urls: Arc<Map>,
    /// The run's id as text.
    pub run: String,
    /// The flow's name.
    pub flow: String,
    /// The integration's name.
    pub integration: String,
    /// The request's body byte for byte: what a `send` step sends. Without it the parsed body is
    /// written out.
    pub raw_body: Option<Bytes>,
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
    /// Of a step under `for_each`, in the place of all else: what its items came to, in their order.
    pub items: Option<Vec<StepData>>,
}

impl StepData {
    /// Of a step of which there is nothing but its state.
    #[must_use]
    pub fn bare(state: StepState) -> Self {
        Self { state, status: None, headers: Vec::new(), body: None, outputs: None, items: None }
    }

    /// As [`StepData::bare`]; of a step under `for_each` a list without items.
    #[must_use]
    pub fn of(step: &Step, state: StepState) -> Self {
        Self { items: step.kind.for_each().map(|_| Vec::new()), ..Self::bare(state) }
    }
}

impl Context {
    /// The same for one item of the current step's list.
    #[must_use]
    pub fn of_item(&self, item: u32) -> Self {
        Self { item: Some(item), ..self.clone() }
    }

    /// Adds what later steps see of steps that ended.
    pub fn finish(&mut self, finished: impl IntoIterator<Item = (String, StepData)>) {
        let mut finished = finished.into_iter().peekable();
        if finished.peek().is_some() {
            Arc::make_mut(&mut self.steps).extend(finished);
        }
    }
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
    pub body: Option<Bytes>,
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
    /// The header that the connection authenticates with: its value is shown to nobody.
    pub credential: Option<String>,
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

impl RenderError {
    /// The same without the values of secret variables.
    fn hidden(mut self, context: &Context) -> Self {
        context.secrets.hide(&mut self.message);
        self
    }
}

fn fail(place: &str, message: String) -> RenderError {
    RenderError { place: place.to_owned(), message }
}

/// A place under another: `json.a`, `json["a b"]`.
fn place_key(place: &str, key: &str) -> String {
    if is_identifier(key)
        || (!key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)))
    {
        format!("{place}.{key}")
    } else {
        format!("{place}[{}]", Value::String(key.to_owned()))
    }
}

/// Judges a step's `when`; a step without one holds. A missing value is false.
///
/// # Errors
/// A value of another type than boolean, or a template that fails.
pub fn step_when(plan: &Plan, step: usize, context: &Context) -> Result<bool, RenderError> {
    when(plan.steps.get(step).and_then(|step| step.when.as_ref()), context)
        .map_err(|error| error.hidden(context))
}

/// Judges the trigger's `when`; a trigger without one holds.
///
/// # Errors
/// A value of another type than boolean, or a template that fails.
pub fn trigger_when(plan: &Plan, context: &Context) -> Result<bool, RenderError> {
    when(plan.when.as_ref(), context).map_err(|error| error.hidden(context))
}

fn when(template: Option<&Template>, context: &Context) -> Result<bool, RenderError> {
    let Some(Template(leaf)) = template else { return Ok(true) };
    match leaf.render(&Scope::new(context)).map_err(|message| fail("when", message))? {
        Rendered::Value(Value::Bool(holds)) => Ok(holds),
        Rendered::Missing(_) => Ok(false),
        Rendered::Value(other) => {
            Err(fail("when", format!("when is {}, a boolean is wanted", kind_of(&other))))
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The outputs of a `set` step.
///
/// # Errors
/// As [`build`].
pub fn set_outputs(plan: &Plan, step: usize, context: &Context) -> Result<Map, RenderError> {
    let Some(Parts::Set(outputs)) = plan.steps.get(step).map(|step| &step.parts) else {
        return Err(fail("step", "it is no step that sets".to_owned()));
    };
    let mut renderer = Renderer {
        scope: Scope::masked(context),
        missing: plan.flow.steps.get(step).map_or(Missing::Omit, |step| step.missing),
        left_out: Vec::new(),
        left: MAX_MADE,
    };
    let mut map = Map::new();
    for (name, leaf) in outputs {
        if let Some(value) = renderer.leaf(leaf, &place_key("outputs", name))? {
            map.insert(name.clone(), value);
        }
    }
    Ok(map)
}

/// The message of a `fail` step; missing values in it are an empty text.
///
/// # Errors
/// As [`build`].
pub fn fail_message(plan: &Plan, step: usize, context: &Context) -> Result<String, RenderError> {
    let Some(Parts::Fail(leaf)) = plan.steps.get(step).map(|step| &step.parts) else {
        return Err(fail("step", "it is no step that fails".to_owned()));
    };
    match leaf.render(&Scope::masked(context)).map_err(|message| fail("message", message))? {
        Rendered::Value(value) => Ok(as_text(&value)),
        Rendered::Missing(why) => Err(fail("message", why)),
    }
}

/// Until when a `delay` step waits, bounded at 365 days from `now`.
///
/// # Errors
/// As [`build`]; a value that is no time.
pub fn delay_until(plan: &Plan, step: usize, context: &Context, now: Ms) -> Result<Ms, RenderError> {
    let leaf = match plan.steps.get(step).map(|step| &step.parts) {
        Some(Parts::For(duration)) => return Ok(now.saturating_add(*duration)),
        Some(Parts::Until(leaf)) => leaf,
        _ => return Err(fail("step", "it is no step that waits".to_owned())),
    };
    let value = match leaf.render(&Scope::masked(context)).map_err(|message| fail("until", message))? {
        Rendered::Value(value) => value,
        Rendered::Missing(why) => return Err(fail("until", why)),
    };
    let text = as_text(&value);
    let number = || {
        let whole = text.trim().parse::<Ms>().ok();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float is cut to whole milliseconds, out of range saturates"
        )]
        let cut = text.trim().parse::<f64>().ok().filter(|ms| ms.is_finite()).map(|ms| ms as Ms);
        whole.or(cut)
    };
    let until = match &value {
        Value::String(text) => parse_rfc3339(text.trim()).or_else(|| past_all(text.trim())).or_else(number),
        Value::Number(_) => number(),
        _ => None,
    };
    let shown: String = text.chars().take(100).collect();
    let Some(until) = until else {
        return Err(fail(
            "until",
            format!("until is {shown:?}: a time is written 2026-11-18T13:31:55Z or in epoch milliseconds"),
        ));
    };
    if until > now.saturating_add(365 * DAY) {
        return Err(fail("until", format!("until is {shown:?}: a delay is at most 365 days long")));
    }
    Ok(until)
}

/// A time in the last years that four digits can write: it is read as the end of time, since not
/// every hour of them can be counted.
fn past_all(text: &str) -> Option<Ms> {
    let rest = text.strip_prefix("999")?.strip_prefix(|digit: char| digit.is_ascii_digit())?;
    parse_rfc3339(&format!("9996{rest}")).map(|_| Ms::MAX)
}

/// The outputs of a successful answer: paths of the step's `outputs` into status, headers and body.
#[must_use]
pub fn answer_outputs(
    plan: &Plan,
    step: usize,
    status: u16,
    headers: &[(String, String)],
    body: Option<&Value>,
) -> Map {
    let mut map = Map::new();
    let Some(exchange) = plan.flow.steps.get(step).and_then(|step| step.kind.exchange()) else {
        return map;
    };
    for (name, path) in &exchange.outputs {
        let value = match (path.root(), path.rest()) {
            ("status", []) => Some(Value::Number(Number::from(status))),
            ("headers", [Segment::Key(name)]) => value::header(headers, name).map(Value::String),
            ("body", rest) => body.and_then(|body| walk(body, rest)).cloned(),
            _ => None,
        };
        if let Some(value) = value {
            map.insert(name.clone(), value);
        }
    }
    map
}

/// What a step's templates look at: place (`json.customer`, `url`, `when`) and path
/// (`steps.lookup.outputs.id`), in the order of the document.
#[must_use]
pub fn uses(plan: &Plan, step: usize) -> Vec<(String, Path)> {
    let mut all = Vec::new();
    let Some(step) = plan.steps.get(step) else { return all };
    let mut add = |place: &str, leaf: &Leaf| {
        all.extend(leaf.references().iter().map(|found| (place.to_owned(), found.path.clone())));
    };
    if let Some(Template(list)) = &step.for_each {
        add("for_each", list);
    }
    if let Some(Template(when)) = &step.when {
        add("when", when);
    }
    step.parts.leaves(&mut add);
    all
}

/// The value at a path of what templates see, secret variables as `•••`; `None` where it is missing.
#[must_use]
pub fn value_at(context: &Context, path: &Path) -> Option<Value> {
    Scope::masked(context).look(path).map(std::borrow::Cow::into_owned)
}

/// The names of the other steps that a step's templates look at, each once: whose values it misses
/// if they are skipped.
#[must_use]
pub fn steps_used(plan: &Plan, step: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (_, path) in uses(plan, step) {
        if let ("steps", [Segment::Key(name), ..]) = (path.root(), path.rest())
            && !names.contains(name)
        {
            names.push(name.clone());
        }
    }
    names
}

/// Scheme, host and port that a step sends to (`https://api.example:8443`), where the document alone
/// decides them; `None` where they come from a variable.
#[must_use]
pub fn fixed_host(plan: &Plan, step: usize) -> Option<String> {
    match plan.steps.get(step).map(|step| &step.parts) {
        Some(Parts::Exchange(parts)) => parts.url.fixed_host(),
        _ => None,
    }
}

/// Scheme, host and port that a step sends to with these values of variables; `None` where the URL
/// needs a value of the request or cannot be made.
#[must_use]
pub fn target(plan: &Plan, step: usize, context: &Context) -> Option<String> {
    match plan.steps.get(step).map(|step| &step.parts) {
        Some(Parts::Exchange(parts)) => {
            Some(parts.url.target(&Scope::masked(context))?.origin().ascii_serialization())
        }
        _ => None,
    }
}

/// Host and port that a step sends to with these values of variables; `None` as of [`target`], or
/// where the step sends nothing.
#[must_use]
pub fn sent_to(plan: &Plan, step: usize, context: &Context) -> Option<Target> {
    let Some(Parts::Exchange(parts)) = plan.steps.get(step).map(|step| &step.parts) else { return None };
    let ends = |url: &::url::Url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?));
    let url = parts.url.target(&Scope::new(context))?;
    let (host, port) = ends(&url)?;
    let shown = parts.url.target(&Scope::masked(context)).and_then(|url| ends(&url));
    let secret = shown.is_none_or(|shown| shown != (host.clone(), port));
    Some(Target { host, port, secret })
}

/// Renders a text with the values of a map at the top, as Jinja does: a missing value prints nothing.
/// For what is no part of a document; steps of flows never come through here.
///
/// # Errors
/// The first mistake of the template, or what ends its rendering, in words.
pub fn render_text(source: &str, values: &Map) -> Result<String, String> {
    engine::text_of(source, value::map_to_jinja(values))
}
