//! A request as templates, filters and views see it: body parsed, headers folded, query decoded.

use super::flatten::flatten;
use super::json::{BodyError, parse};
use crate::model::headers::{Headers, is_credential};
use crate::model::path::{Path, Segment, walk};
use crate::model::request::{Marks, RequestData, Seed};
use crate::model::{Map, Ms};
use serde_json::Value;
use std::borrow::Cow;

/// A stored request's data. `id` is its id as text, `time` its arrival, `url` the endpoint's URL as
/// it was called, where known. A body that is not JSON (or was cut) is null; [`read_body`] says why.
#[must_use]
pub fn request_data(seed: &Seed, id: &str, time: Ms, url: &str) -> RequestData {
    RequestData {
        body: read_body(seed).unwrap_or_default(),
        headers: visible(&seed.headers),
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

/// Headers in lower case, but for one that the endpoint takes its key from: the well-known credentials
/// are there, masked, and that one is nobody's business at all.
fn visible(headers: &Headers) -> Vec<(String, String)> {
    let hidden = headers.hidden();
    let mut all = headers.folded();
    all.retain(|(name, _)| is_credential(name) || !hidden.contains(name));
    all
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

/// Decoded query values with none left out: a name that came once has its value, one that came several
/// times an array of them, in order. What `show` prints; templates see [`query_values`].
#[must_use]
pub fn query_lists(query: &str) -> Map {
    let mut lists = Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let value = Value::from(value);
        match lists.get_mut(name.as_ref()) {
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
            None => {
                lists.insert(name.into_owned(), value);
            }
        }
    }
    lists
}

/// What stood in the request's line between method and version, as far as it is kept: endpoint (or the
/// flow's `path`, where it was called by that), rest and query as they were sent.
#[must_use]
pub fn target(endpoint: &str, alias: Option<&str>, seed: &Seed) -> String {
    let name = alias.filter(|_| seed.marks.has(Marks::BY_PATH)).unwrap_or(endpoint);
    let slash = if !seed.path.is_empty() || seed.marks.has(Marks::BARE_SLASH) { "/" } else { "" };
    let mark = if seed.query.is_empty() { "" } else { "?" };
    format!("/in/{name}{slash}{}{mark}{}", seed.path, seed.query)
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

/// Items of [`what`].
const WHAT_ITEMS: usize = 3;
/// Characters of one item of [`what`].
const WHAT_CHARS: usize = 60;

/// What a list shows of an accepted request in a line: the values of its dedup fields in the body,
/// then its first leaves; a bare number with its key before it, a list as its length.
/// `order_number 10438 · 2 products`. Text in it is as it came: whoever draws it cleans it.
#[must_use]
pub fn what(data: &RequestData, dedup: &[Path]) -> String {
    let mut items: Vec<String> = Vec::new();
    for path in dedup.iter().filter(|path| path.root() == "body") {
        if let Some(value) = walk(&data.body, path.rest()) {
            tell(key_of(path), value, &mut items);
        }
    }
    tell("", &data.body, &mut items);
    if items.is_empty() {
        let outside = dedup.iter().filter_map(|path| at(data, path));
        for value in outside {
            tell("", &value, &mut items);
        }
    }
    items.join(" · ")
}

fn key_of(path: &Path) -> &str {
    let key = |segment: &'_ Segment| matches!(segment, Segment::Key(_));
    match path.rest().iter().rev().find(|segment| key(segment)) {
        Some(Segment::Key(key)) => key,
        _ => "",
    }
}

/// Adds the items of a value, up to the bound; what was told already is not told again.
fn tell(key: &str, value: &Value, items: &mut Vec<String>) {
    if items.len() >= WHAT_ITEMS {
        return;
    }
    let item = match value {
        Value::Null | Value::Bool(false) => return,
        Value::Object(map) => {
            for (key, value) in map {
                tell(key, value, items);
            }
            return;
        }
        Value::Array(values) if values.is_empty() => return,
        Value::Array(values) if key.is_empty() => format!("{} elements", values.len()),
        Value::Array(values) if values.len() == 1 => format!("1 {}", key.strip_suffix('s').unwrap_or(key)),
        Value::Array(values) => format!("{} {key}", values.len()),
        Value::String(text) if text.trim().is_empty() => return,
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => named(key, text),
        Value::String(text) => text.clone(),
        Value::Bool(true) => key.to_owned(),
        Value::Number(number) => named(key, number.as_str()),
    };
    let item: String = item.chars().take(WHAT_CHARS).collect();
    if !item.is_empty() && !items.contains(&item) {
        items.push(item);
    }
}

fn named(key: &str, value: &str) -> String {
    if key.is_empty() { value.to_owned() } else { format!("{key} {value}") }
}

#[cfg(test)]
mod tests;
