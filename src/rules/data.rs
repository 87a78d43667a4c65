//! A request as templates, filters and views see it: body parsed, headers folded, query decoded.

use super::flatten::flatten;
use super::json::{BodyError, parse};
use crate::model::headers::{Headers, is_credential};
use crate::model::path::{Path, Segment, walk};
use crate::model::request::{RequestData, Seed};
use crate::model::{Map, Ms};
use serde_json::Value;
use std::borrow::Cow;

/// A stored request's data. `id` is its id as text, `time` its arrival, `url` the endpoint's URL as
/// it was called, where known. A body that is not JSON (or was cut) is null; [`read_body`] says why.
#[must_use]
pub fn request_data(seed: &Seed, id: &str, time: Ms, url: &str) -> RequestData {
    RequestData {
        body: read_body(seed).unwrap_or_default(),
        headers: seed.headers.folded(),
        query: query_values(&seed.query),
        method: seed.method.clone(),
        path: seed.path.clone(),
        url: url.to_owned(),
        content_type: seed.headers.get("content-type").unwrap_or_default(),
        id: id.to_owned(),
        time,
        from: seed.peer.clone().unwrap_or_default(),
    }
}

/// The JSON body of a request; `{}` where it came without body and without content type.
///
/// # Errors
/// See [`BodyError`].
pub fn read_body(seed: &Seed) -> Result<Value, BodyError> {
    if seed.body.is_empty() && seed.headers.get("content-type").is_none() {
        return Ok(Value::Object(Map::new()));
    }
    parse(&seed.body)
}

/// Decoded query values in order of first appearance; those of a repeated name joined by `, `, as
/// headers are. `+` is a space, what is not UTF-8 is replaced.
#[must_use]
pub fn query_values(query: &str) -> Map {
    let mut values = Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match values.get_mut(name.as_ref()) {
            Some(Value::String(joined)) => {
                joined.push_str(", ");
                joined.push_str(&value);
            }
            _ => {
                values.insert(name.into_owned(), Value::from(value));
            }
        }
    }
    values
}

/// The value at a path into headers or query (`headers` or `query` alone: all of them); `None`
/// where it is missing, or of another root. With [`super::facts::Facts::present`] this judges
/// `required`.
#[must_use]
pub fn outside(path: &Path, headers: &Headers, query: &str) -> Option<Value> {
    match (path.root(), path.rest()) {
        ("headers", []) => {
            Some(headers.folded().into_iter().map(|(name, value)| (name, Value::from(value))).collect())
        }
        ("headers", [Segment::Key(name)]) => headers.get(name).map(Value::from),
        ("query", rest) if !query.is_empty() || rest.is_empty() => {
            walk(&Value::Object(query_values(query)), rest).cloned()
        }
        _ => None,
    }
}

/// The value at a path of a request's data, as templates name it after `request.`. `None` where it
/// is missing. `[]` leads nowhere here: see [`all_at`].
#[must_use]
pub fn at<'d>(data: &'d RequestData, path: &Path) -> Option<Cow<'d, Value>> {
    let rest = path.rest();
    let text = |text: &str| rest.is_empty().then(|| Cow::Owned(Value::from(text)));
    match path.root() {
        "body" => walk(&data.body, rest).map(Cow::Borrowed),
        "headers" => match rest {
            [] => Some(Cow::Owned(headers(data))),
            [Segment::Key(name)] => {
                let name = name.to_ascii_lowercase();
                let (_, value) = data.headers.iter().find(|(other, _)| *other == name)?;
                Some(Cow::Owned(Value::from(value.as_str())))
            }
            _ => None,
        },
        "query" => match rest {
            [] => Some(Cow::Owned(Value::Object(data.query.clone()))),
            [Segment::Key(name), rest @ ..] => walk(data.query.get(name)?, rest).map(Cow::Borrowed),
            _ => None,
        },
        "method" => text(&data.method),
        "path" => text(&data.path),
        "url" => text(&data.url),
        "content_type" => text(&data.content_type),
        "id" => text(&data.id),
        "from" => text(&data.from),
        "time" => rest.is_empty().then(|| Cow::Owned(Value::from(data.time))),
        _ => None,
    }
}

fn headers(data: &RequestData) -> Value {
    data.headers.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
}

/// The values at a path in which `[]` stands for any element. Credentials are never among them.
#[must_use]
pub fn all_at<'d>(data: &'d RequestData, path: &Path) -> Vec<Cow<'d, Value>> {
    if path.root() == "headers" {
        return match path.header() {
            Some(name) if !is_credential(&name) => at(data, path).into_iter().collect(),
            _ => Vec::new(),
        };
    }
    if !path.0.contains(&Segment::Any) {
        return at(data, path).into_iter().collect();
    }
    let root = match path.root() {
        "body" => &data.body,
        _ => return Vec::new(),
    };
    let mut found = vec![root];
    for segment in path.rest() {
        found = match segment {
            Segment::Any => found.into_iter().filter_map(Value::as_array).flatten().collect(),
            one => found.into_iter().filter_map(|value| walk(value, std::slice::from_ref(one))).collect(),
        };
    }
    found.into_iter().map(Cow::Borrowed).collect()
}

/// Calls `leaf` for each path of a request, flat: body, headers without credentials, query, path,
/// method.
pub fn each_leaf(data: &RequestData, leaf: &mut dyn FnMut(&str, &Value)) {
    flatten("body", &data.body, leaf);
    for (name, value) in data.headers.iter().filter(|(name, _)| !is_credential(name)) {
        let path = Path(vec![Segment::Key("headers".to_owned()), Segment::Key(name.clone())]);
        leaf(&path.to_string(), &Value::from(value.as_str()));
    }
    for (name, value) in &data.query {
        let path = Path(vec![Segment::Key("query".to_owned()), Segment::Key(name.clone())]);
        leaf(&path.to_string(), value);
    }
    leaf("path", &Value::from(data.path.as_str()));
    leaf("method", &Value::from(data.method.as_str()));
}

/// The flat view of a request: path → value, in document order.
#[must_use]
pub fn flat(data: &RequestData) -> Map {
    let mut flat = Map::new();
    each_leaf(data, &mut |path, value| {
        flat.insert(path.to_owned(), value.clone());
    });
    flat
}
