//! What differs between two courses of one request: what would leave, what would be answered, how it
//! would end. Made for the same flow by two versions.

use super::{Course, Fate, ItemFate};
use crate::model::run::Given;
use crate::rules::explain::same;
use crate::rules::flatten::flatten;
use crate::rules::template::{Outgoing, RenderError};
use serde_json::Value;
use std::collections::HashMap;

/// A field that differs; null where it is not there.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The step's name; empty for what is no step's.
    pub step: String,
    /// `url`, `headers["x-ref"]`, `body.total`, `runs`, `end`.
    pub path: String,
    /// By the one version.
    pub before: Value,
    /// By the other.
    pub after: Value,
}

/// What a course says, path by path.
pub type Fields = Vec<(String, String, Value)>;

/// Collects differences up to a bound, and counts the rest.
#[derive(Debug)]
pub struct Differ {
    /// The first ones.
    pub found: Vec<Difference>,
    /// How many more there are.
    pub more: u64,
    most: usize,
}

impl Differ {
    /// Keeps so many.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { found: Vec::new(), more: 0, most }
    }

    /// Adds one.
    pub fn add(&mut self, step: &str, path: &str, before: Value, after: Value) {
        if self.found.len() < self.most {
            self.found.push(Difference { step: step.to_owned(), path: path.to_owned(), before, after });
        } else {
            self.more += 1;
        }
    }

    /// Compares what two courses say: in the order of the second, then what only the first says.
    pub fn compare(&mut self, before: Fields, after: Fields) {
        let mut order = Vec::with_capacity(before.len());
        let mut old: HashMap<(String, String), Value> = HashMap::with_capacity(before.len());
        for (step, path, value) in before {
            order.push((step.clone(), path.clone()));
            old.insert((step, path), value);
        }
        for (step, path, value) in after {
            let was = old.remove(&(step.clone(), path.clone()));
            if !was.as_ref().is_some_and(|was| same(was, &value)) {
                self.add(&step, &path, was.unwrap_or_default(), value);
            }
        }
        for (step, path) in order {
            if let Some(was) = old.remove(&(step.clone(), path.clone())) {
                self.add(&step, &path, was, Value::Null);
            }
        }
    }
}

/// What a course says, path by path. Requests are given without secrets, and with fingerprints in
/// place of credentials.
#[must_use]
pub fn fields(course: &Course<Outgoing>) -> Fields {
    let mut all = Vec::new();
    for step in &course.steps {
        if let Fate::Each(count, items) = &step.fate {
            all.push((step.name.clone(), "items".to_owned(), Value::from(*count)));
            for (at, item) in items.iter().enumerate() {
                let name = format!("{}[{at}]", step.name);
                let mut add = |path: &str, value: Value| all.push((name.clone(), path.to_owned(), value));
                match item {
                    ItemFate::Sends(outgoing) => request(outgoing, &mut add),
                    ItemFate::Passed => add("runs", Value::from(false)),
                    ItemFate::Unbuilt(error) => unbuilt(error, &mut add),
                }
            }
        }
        let mut add = |path: &str, value: Value| all.push((step.name.clone(), path.to_owned(), value));
        if !step.judged() {
            add("runs", Value::from("not known"));
        }
        match &step.fate {
            Fate::Sends(outgoing) => request(outgoing, &mut add),
            Fate::Passed => add("runs", Value::from(false)),
            Fate::Answers(Some(given)) => answer(given, &mut add),
            Fate::Fails(status, message) => {
                add("status", Value::from(*status));
                add("message", Value::from(message.as_str()));
            }
            Fate::Unbuilt(error) => unbuilt(error, &mut add),
            // What is only handed on shows where it is sent; the end says where a run stops; a delay
            // counts from now.
            Fate::Each(..) | Fate::Sets(_) | Fate::Answers(None) | Fate::Waits(_) | Fate::NotReached => {}
        }
    }
    let end = match &course.cause {
        None => course.end.word().to_owned(),
        Some(cause) => format!("{}: {cause}", course.end.word()),
    };
    all.push((String::new(), "end".to_owned(), Value::from(end)));
    all
}

fn unbuilt(error: &RenderError, add: &mut impl FnMut(&str, Value)) {
    add(&error.place, Value::from(format!("(not built) {}", error.message)));
}

fn request(outgoing: &Outgoing, add: &mut impl FnMut(&str, Value)) {
    add("method", Value::from(outgoing.method.as_str()));
    add("url", Value::from(outgoing.url.as_str()));
    headers(&outgoing.headers, add);
    if let Some(proxy) = &outgoing.proxy {
        add("proxy", Value::from(proxy.as_str()));
    }
    if let Some(sent) = &outgoing.body {
        body(sent, add);
    }
}

fn answer(given: &Given, add: &mut impl FnMut(&str, Value)) {
    add("status", Value::from(given.status));
    headers(&given.headers, add);
    body(given.body.as_bytes(), add);
}

fn headers(headers: &[(String, String)], add: &mut impl FnMut(&str, Value)) {
    for (name, value) in headers {
        let name = Value::String(name.to_ascii_lowercase());
        add(&format!("headers[{name}]"), Value::from(value.as_str()));
    }
}

/// A body by its leaves where it is JSON, else as a text.
fn body(bytes: &[u8], add: &mut impl FnMut(&str, Value)) {
    match crate::rules::json::parse(bytes) {
        Ok(value) => flatten("body", &value, &mut |path, leaf| add(path, leaf.clone())),
        Err(_) => add("body", Value::String(String::from_utf8_lossy(bytes).into_owned())),
    }
}
