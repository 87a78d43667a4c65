//! Two runs beside each other: only what differs. A run and the one that it replays, most often.

use super::explain::same;
use super::flatten::flatten;
use super::json;
use crate::model::Map;
use crate::model::view::{AttemptView, GotView, RunView, SentView, StepView};
use serde_json::Value;
use std::collections::HashMap;

/// Differences that are told.
pub const MOST: usize = 1_000;

/// Headers that belong to one run, or one attempt: they always differ.
const OWN: [&str; 4] = ["idempotency-key", "pointsman-run-id", "pointsman-attempt", "x-response-url"];

/// Something that differs; null where it is not there.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Difference {
    /// What: `state`, `steps.push.status`, `steps.push.request.body.email`.
    pub path: String,
    /// In the first run.
    pub one: Value,
    /// In the other.
    pub other: Value,
}

/// What differs between two runs: their states, those of their steps, what each step sent last and
/// what came back. In the order of the first one's steps; times and ids are no differences.
#[must_use]
pub fn runs(one: &RunView, other: &RunView) -> Vec<Difference> {
    let (mut left, mut right) = (Leaves::default(), Leaves::default());
    run(one, &mut left);
    run(other, &mut right);
    let mut found = Vec::new();
    let mut theirs: HashMap<&str, &Value> =
        right.0.iter().map(|(path, value)| (path.as_str(), value)).collect();
    for (path, value) in &left.0 {
        let there = theirs.remove(path.as_str());
        if !there.is_some_and(|there| same(value, there)) {
            found.push(Difference {
                path: path.clone(),
                one: value.clone(),
                other: there.cloned().unwrap_or_default(),
            });
        }
    }
    for (path, value) in right.0.iter().filter(|(path, _)| theirs.contains_key(path.as_str())) {
        found.push(Difference { path: path.clone(), one: Value::Null, other: value.clone() });
    }
    found.truncate(MOST);
    found
}

/// Paths and values, in order.
#[derive(Default)]
struct Leaves(Vec<(String, Value)>);

impl Leaves {
    fn put(&mut self, path: &str, value: impl Into<Value>) {
        let value = value.into();
        if !value.is_null() {
            self.0.push((path.to_owned(), value));
        }
    }

    fn body(&mut self, path: &str, text: &str) {
        match json::parse(text.as_bytes()) {
            Ok(value) => flatten(path, &value, &mut |path, value| self.put(path, value.clone())),
            Err(_) => self.put(path, text),
        }
    }

    fn headers(&mut self, path: &str, headers: &[(String, String)]) {
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            if !OWN.contains(&name.as_str()) {
                self.put(&format!("{path}.headers[{}]", Value::from(name)), value.as_str());
            }
        }
    }
}

fn run(run: &RunView, into: &mut Leaves) {
    into.put("flow", format!("{} / {}", run.integration, run.flow));
    into.put("version", run.version);
    into.put("state", run.state.word());
    into.put("cause", run.cause.clone());
    for one in &run.steps {
        step(&format!("steps.{}", one.name), one, into);
    }
}

fn step(path: &str, step: &StepView, into: &mut Leaves) {
    into.put(&format!("{path}.state"), step.state.word());
    into.put(&format!("{path}.cause"), step.cause.clone());
    into.put(&format!("{path}.attempts"), step.attempts.len());
    if let Some(AttemptView { status, request, response, .. }) = step.attempts.last() {
        into.put(&format!("{path}.status"), *status);
        if let Some(SentView { method, url, headers, body }) = request {
            let path = format!("{path}.request");
            into.put(&format!("{path}.method"), method.as_str());
            into.put(&format!("{path}.url"), url.as_str());
            into.headers(&path, headers);
            into.body(&format!("{path}.body"), body.as_deref().unwrap_or_default());
        }
        if let Some(GotView { body, .. }) = response {
            into.body(&format!("{path}.response.body"), body);
        }
    }
    if let Some(outputs) = &step.outputs {
        let outputs: &Map = outputs;
        let value = Value::Object(outputs.clone());
        flatten(&format!("{path}.outputs"), &value, &mut |path, value| into.put(path, value.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run_of(status: u16, key: &str, body: &Value) -> RunView {
        serde_json::from_value(json!({
            "id": key, "request": null, "parent": null, "integration": "shop", "flow": "Orders",
            "version": 1, "state": if status < 300 { "succeeded" } else { "errored" }, "cause": null,
            "started": key, "ended": null, "test": false,
            "steps": [{
                "name": "push", "type": "request", "state": if status < 300 { "succeeded" } else { "errored" },
                "cause": null, "started": null, "ended": null, "outputs": null,
                "attempts": [{
                    "number": 1, "started": null, "elapsed_ms": 5, "outcome": null, "status": status,
                    "request": {
                        "method": "POST", "url": "http://a/x",
                        "headers": [["Idempotency-Key", key], ["X-A", "1"]], "body": body.to_string(),
                    },
                    "response": null,
                }],
            }],
        }))
        .unwrap()
    }

    #[test]
    fn a_run_does_not_differ_from_one_that_did_the_same() {
        let body = json!({"n": 1, "ref": "main"});
        assert_eq!(runs(&run_of(200, "a", &body), &run_of(200, "b", &body)), []);
    }

    #[test]
    fn states_statuses_and_fields_that_differ_are_told_with_both_values() {
        let one = run_of(503, "a", &json!({"n": 1, "ref": "main", "old": true}));
        let other = run_of(200, "b", &json!({"n": 1.0, "ref": "next", "new": [1]}));
        let found = runs(&one, &other);
        let paths: Vec<&str> = found.iter().map(|difference| difference.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "state",
                "steps.push.state",
                "steps.push.status",
                "steps.push.request.body.ref",
                "steps.push.request.body.old",
                "steps.push.request.body.new[0]",
            ]
        );
        assert_eq!((&found[2].one, &found[2].other), (&json!(503), &json!(200)));
        assert_eq!((&found[4].one, &found[4].other), (&json!(true), &Value::Null));
    }
}
