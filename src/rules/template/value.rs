//! Values on their way between JSON and the template engine: no digit of a number is lost.

use super::{Context, StepData};
use crate::model::path::{Path, Segment, walk};
use crate::model::request::RequestData;
use crate::model::{Map, Ms};
use minijinja::value::{Enumerator, Object, ObjectRepr, Value as Jinja, ValueKind};
use serde_json::{Number, Value};
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Deeper values than this are not sent.
const MAX_DEPTH: usize = 160;

/// A number whose digits the engine's own numbers would not print as they were sent (`19.90`,
/// `1e3`, forty digits).
#[derive(Debug)]
pub(super) struct Digits(pub(super) String);

impl Object for Digits {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.0.parse::<f64>() != Ok(0.0)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Headers that are found whatever their case, and shown in lower case.
#[derive(Debug)]
struct HeaderMap(Vec<(String, String)>);

impl Object for HeaderMap {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        header(&self.0, key.as_str()?).map(Jinja::from)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.iter().map(|(name, _)| Jinja::from(name)).collect())
    }
}

/// The value of a header whatever its case, repeated ones joined by `, `.
pub(super) fn header(headers: &[(String, String)], name: &str) -> Option<String> {
    let mut values = headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
    let mut joined = values.next()?.1.clone();
    for (_, value) in values {
        joined.push_str(", ");
        joined.push_str(value);
    }
    Some(joined)
}

/// Lower-case names in order of first appearance, each with its joined value.
fn folded(headers: &[(String, String)]) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for (name, _) in headers {
        if !all.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            all.push((name.to_ascii_lowercase(), header(headers, name).unwrap_or_default()));
        }
    }
    all
}

/// `request` in templates; its body is converted when a template looks at it.
#[derive(Debug)]
struct RequestObject {
    data: Arc<RequestData>,
    body: OnceLock<Jinja>,
}

/// The fields of `request`.
pub(crate) const REQUEST_FIELDS: [&str; 10] =
    ["body", "headers", "query", "method", "path", "url", "content_type", "id", "time", "from"];
/// The fields of `steps.<name>`.
pub(crate) const STEP_FIELDS: [&str; 5] = ["status", "headers", "body", "outputs", "state"];

impl Object for RequestObject {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        match key.as_str()? {
            "body" => Some(self.body.get_or_init(|| to_jinja(&self.data.body)).clone()),
            "headers" => Some(Jinja::from_object(HeaderMap(folded(&self.data.headers)))),
            "query" => Some(map_to_jinja(&self.data.query)),
            field => request_text(&self.data, field).map(|value| to_jinja(&value)),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&REQUEST_FIELDS)
    }
}

/// A field of `request` that is a text or a number.
fn request_text(data: &RequestData, field: &str) -> Option<Value> {
    Some(Value::String(match field {
        "method" => data.method.clone(),
        "path" => data.path.clone(),
        "url" => data.url.clone(),
        "content_type" => data.content_type.clone(),
        "id" => data.id.clone(),
        "from" => data.from.clone(),
        "time" => return Some(Value::Number(Number::from(data.time as Ms))),
        _ => return None,
    }))
}

/// Turns JSON into a value of the engine.
pub(super) fn to_jinja(value: &Value) -> Jinja {
    match value {
        Value::Null => Jinja::from(()),
        Value::Bool(flag) => Jinja::from(*flag),
        Value::Number(number) => number_to_jinja(number.as_str()),
        Value::String(text) => Jinja::from(text),
        Value::Array(items) => items.iter().map(to_jinja).collect::<Vec<_>>().into(),
        Value::Object(map) => map_to_jinja(map),
    }
}

/// Turns a JSON object into a value of the engine.
pub(super) fn map_to_jinja(map: &Map) -> Jinja {
    Jinja::from_pairs(map.iter().map(|(key, value)| (Jinja::from(key), to_jinja(value))))
}

fn number_to_jinja(text: &str) -> Jinja {
    if let Ok(number) = text.parse::<i64>()
        && number.to_string() == text
    {
        return Jinja::from(number);
    }
    match text.parse::<f64>() {
        Ok(number) if Jinja::from(number).to_string() == text => Jinja::from(number),
        _ => Jinja::from_object(Digits(text.to_owned())),
    }
}

/// The number to calculate with that a [`Digits`] stands for; any other value as it is.
pub(super) fn plain(value: &Jinja) -> Jinja {
    let Some(Digits(text)) = value.downcast_object_ref::<Digits>() else {
        return value.clone();
    };
    match (text.parse::<i128>(), text.parse::<f64>()) {
        (Ok(number), _) => Jinja::from(number),
        (_, Ok(number)) => Jinja::from(number),
        _ => value.clone(),
    }
}

/// Turns a value of the engine into JSON; what is undefined inside of it is left out.
///
/// # Errors
/// Functions, infinities, bytes, values that nest too deep or hold more than `budget` values.
pub(super) fn to_json(value: &Jinja, budget: &mut usize, depth: usize) -> Result<Value, String> {
    if depth > MAX_DEPTH {
        return Err(format!("the value is nested deeper than {MAX_DEPTH}"));
    }
    *budget = budget.checked_sub(1).ok_or("the value is too large")?;
    Ok(match value.kind() {
        ValueKind::Undefined | ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => number_to_json(&value.to_string())?,
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            *budget = budget.checked_sub(text.len() / 64).ok_or("the value is too large")?;
            Value::String(text.to_owned())
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let mut items = Vec::new();
            for item in value.try_iter().map_err(|error| error.to_string())? {
                if !item.is_undefined() {
                    items.push(to_json(&item, budget, depth + 1)?);
                }
            }
            Value::Array(items)
        }
        ValueKind::Map => {
            let mut map = Map::new();
            for key in value.try_iter().map_err(|error| error.to_string())? {
                let item = value.get_item(&key).map_err(|error| error.to_string())?;
                if !item.is_undefined() {
                    map.insert(key.to_string(), to_json(&item, budget, depth + 1)?);
                }
            }
            Value::Object(map)
        }
        ValueKind::Plain if value.downcast_object_ref::<Digits>().is_some() => {
            number_to_json(&value.to_string())?
        }
        kind => return Err(format!("a {kind} is no value that can be sent")),
    })
}

fn number_to_json(text: &str) -> Result<Value, String> {
    text.parse::<Number>().map(Value::Number).map_err(|_| format!("{text} is not a number of JSON"))
}

/// What one rendering sees: the context, and its parts as the engine's values once they are asked for.
pub(super) struct Scope<'c> {
    /// Where paths are looked up.
    pub(super) context: &'c Context,
    request: OnceLock<Jinja>,
    record: OnceLock<Jinja>,
    item: OnceLock<Jinja>,
    config: OnceLock<Jinja>,
    urls: OnceLock<Jinja>,
    steps: OnceLock<Jinja>,
    /// Secret variables are `•••`: what is rendered is kept or shown.
    pub(super) masked: bool,
}

impl<'c> Scope<'c> {
    /// Over a context.
    pub(super) fn new(context: &'c Context) -> Self {
        Self {
            context,
            request: OnceLock::new(),
            record: OnceLock::new(),
            item: OnceLock::new(),
            config: OnceLock::new(),
            urls: OnceLock::new(),
            steps: OnceLock::new(),
            masked: false,
        }
    }

    /// Over a context in which secret variables are `•••`: for what is kept or shown.
    pub(super) fn masked(context: &'c Context) -> Self {
        Self { masked: true, ..Self::new(context) }
    }

    /// The values of all variables.
    fn config(&self) -> Cow<'c, Map> {
        let context = self.context;
        if context.secrets.is_empty() {
            return Cow::Borrowed(&context.config);
        }
        let secrets = context.secrets.values(self.masked).clone();
        Cow::Owned(
            context.config.iter().map(|(name, value)| (name.clone(), value.clone())).chain(secrets).collect(),
        )
    }

    /// The value of a variable, or a part of it.
    fn look_config(&self, rest: &[Segment]) -> Option<Cow<'c, Value>> {
        let context = self.context;
        match rest {
            [] => Some(Cow::Owned(Value::Object(self.config().into_owned()))),
            [Segment::Key(name), ..] if context.secrets.has(name) => {
                look_map(context.secrets.values(self.masked), rest)
            }
            _ => look_map(&context.config, rest),
        }
    }

    /// The element that the run is of.
    fn record_value(&self) -> Option<&'c Value> {
        let context = self.context;
        walk(&context.request.as_deref()?.body, context.record.as_ref()?)
    }

    /// The item that the exchange is of.
    fn item_value(&self) -> Option<&'c Value> {
        let context = self.context;
        context.list.as_ref()?.get(context.item? as usize)
    }

    /// What the engine is given: the names in `roots` alone.
    pub(super) fn root<'r>(&self, roots: impl Iterator<Item = &'r str>) -> Jinja {
        let context = self.context;
        Jinja::from_pairs(roots.filter_map(|name| {
            let value = match name {
                "request" => self.request.get_or_init(|| match &context.request {
                    Some(data) => {
                        Jinja::from_object(RequestObject { data: Arc::clone(data), body: OnceLock::new() })
                    }
                    None => Jinja::UNDEFINED,
                }),
                "record" => {
                    self.record.get_or_init(|| self.record_value().map_or(Jinja::UNDEFINED, to_jinja))
                }
                "item" => self.item.get_or_init(|| self.item_value().map_or(Jinja::UNDEFINED, to_jinja)),
                "config" => self.config.get_or_init(|| map_to_jinja(&self.config())),
                "webhook_urls" => self.urls.get_or_init(|| map_to_jinja(&context.webhook_urls)),
                "steps" => self.steps.get_or_init(|| {
                    Jinja::from_pairs(
                        context.steps.iter().map(|(name, step)| (name.as_str(), step_to_jinja(step))),
                    )
                }),
                "run" => return Some((name, Jinja::from(&context.run))),
                "flow" => return Some((name, Jinja::from(&context.flow))),
                "integration" => return Some((name, Jinja::from(&context.integration))),
                _ => return None,
            };
            Some((name, value.clone()))
        }))
    }

    /// The value at a path, as it came.
    pub(super) fn look(&self, path: &Path) -> Option<Cow<'c, Value>> {
        let context = self.context;
        let rest = path.rest();
        match path.root() {
            "request" => {
                let data = context.request.as_deref()?;
                match rest {
                    [] => Some(Cow::Owned(request_to_json(data))),
                    [Segment::Key(field), rest @ ..] => match field.as_str() {
                        "body" => walk(&data.body, rest).map(Cow::Borrowed),
                        "headers" => look_header(&data.headers, rest),
                        "query" => look_map(&data.query, rest),
                        field if rest.is_empty() => request_text(data, field).map(Cow::Owned),
                        _ => None,
                    },
                    _ => None,
                }
            }
            "record" => walk(self.record_value()?, rest).map(Cow::Borrowed),
            "item" => walk(self.item_value()?, rest).map(Cow::Borrowed),
            "config" => self.look_config(rest),
            "webhook_urls" => look_map(&context.webhook_urls, rest),
            "steps" => match rest {
                [Segment::Key(name), rest @ ..] => look_step(context.steps.get(name)?, rest),
                _ => None,
            },
            "run" if rest.is_empty() => Some(Cow::Owned(Value::String(context.run.clone()))),
            "flow" if rest.is_empty() => Some(Cow::Owned(Value::String(context.flow.clone()))),
            "integration" if rest.is_empty() => Some(Cow::Owned(Value::String(context.integration.clone()))),
            _ => None,
        }
    }
}

fn look_map<'c>(map: &'c Map, rest: &[Segment]) -> Option<Cow<'c, Value>> {
    match rest {
        [] => Some(Cow::Owned(Value::Object(map.clone()))),
        [Segment::Key(key), rest @ ..] => walk(map.get(key)?, rest).map(Cow::Borrowed),
        _ => None,
    }
}

fn look_header<'c>(headers: &[(String, String)], rest: &[Segment]) -> Option<Cow<'c, Value>> {
    match rest {
        [] => Some(Cow::Owned(headers_to_json(headers))),
        [Segment::Key(name)] => header(headers, name).map(|value| Cow::Owned(Value::String(value))),
        _ => None,
    }
}

fn look_step<'c>(step: &'c StepData, rest: &[Segment]) -> Option<Cow<'c, Value>> {
    if let Some(items) = &step.items {
        return match rest {
            [] => Some(Cow::Owned(Value::Array(items.iter().map(step_to_json).collect()))),
            [Segment::Index(at), rest @ ..] => {
                let item = items.get(*at)?;
                if rest.is_empty() { Some(Cow::Owned(step_to_json(item))) } else { look_step(item, rest) }
            }
            _ => None,
        };
    }
    match rest {
        [Segment::Key(field), rest @ ..] => match field.as_str() {
            "status" if rest.is_empty() => {
                step.status.map(|status| Cow::Owned(Value::Number(Number::from(status))))
            }
            "state" if rest.is_empty() => Some(Cow::Owned(Value::String(step.state.word().to_owned()))),
            "headers" => look_header(&step.headers, rest),
            "body" => walk(step.body.as_ref()?, rest).map(Cow::Borrowed),
            "outputs" => look_map(step.outputs.as_ref()?, rest),
            _ => None,
        },
        _ => None,
    }
}

/// An item of a step as a value: what is missing is not in it.
fn step_to_json(step: &StepData) -> Value {
    let fields = STEP_FIELDS.iter().filter_map(|field| {
        let path = [Segment::Key((*field).to_owned())];
        Some(((*field).to_owned(), look_step(step, &path)?.into_owned()))
    });
    Value::Object(fields.collect())
}

fn headers_to_json(headers: &[(String, String)]) -> Value {
    Value::Object(folded(headers).into_iter().map(|(name, value)| (name, Value::String(value))).collect())
}

fn request_to_json(data: &RequestData) -> Value {
    let fields = REQUEST_FIELDS.iter().filter_map(|field| {
        let value = match *field {
            "body" => data.body.clone(),
            "headers" => headers_to_json(&data.headers),
            "query" => Value::Object(data.query.clone()),
            field => request_text(data, field)?,
        };
        Some(((*field).to_owned(), value))
    });
    Value::Object(fields.collect())
}

fn step_to_jinja(step: &StepData) -> Jinja {
    if let Some(items) = &step.items {
        return items.iter().map(step_to_jinja).collect::<Vec<_>>().into();
    }
    let mut fields = vec![
        ("state", Jinja::from(step.state.word())),
        ("headers", Jinja::from_object(HeaderMap(folded(&step.headers)))),
    ];
    if let Some(status) = step.status {
        fields.push(("status", Jinja::from(status)));
    }
    if let Some(body) = &step.body {
        fields.push(("body", to_jinja(body)));
    }
    if let Some(outputs) = &step.outputs {
        fields.push(("outputs", map_to_jinja(outputs)));
    }
    Jinja::from_pairs(fields)
}
