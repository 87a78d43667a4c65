//! Whole stories, each from one document and against a real service: what a newcomer would build.

mod acme;
mod forms;
mod orders;
mod purchase;

use super::common::{Arrived, House, Target, wait_for};
use serde_json::{Value, json};

/// The run of a request, once it is in a state.
fn run_in(house: &House, run: &str, state: &str) -> Value {
    wait_for(&format!("{run} to be {state}"), || {
        let shown = house.json(&["runs", "show", run]);
        (shown["state"] == state).then_some(shown)
    })
}

/// Posts to a flow, whose run it gives.
fn begin(house: &House, path: &str, body: &Value) -> String {
    let answer = house.post(path, &body.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["run"].as_str().unwrap().to_owned()
}

/// What a target got under a path.
fn under(target: &Target, path: &str) -> Vec<Arrived> {
    target.arrived().into_iter().filter(|one| one.path.split('?').next() == Some(path)).collect()
}

/// A body that a target got, as JSON.
fn body(arrived: &Arrived) -> Value {
    serde_json::from_str(&arrived.body).unwrap_or_else(|error| panic!("{error}: {arrived:?}"))
}

/// The states of a run's steps, by name.
fn states(run: &Value) -> Value {
    let steps = run["steps"].as_array().unwrap().iter();
    Value::Object(
        steps.map(|step| (step["name"].as_str().unwrap().to_owned(), step["state"].clone())).collect(),
    )
}

/// A command that must end with this code; what it told its person.
fn ends(house: &House, code: i32, args: &[&str]) -> String {
    let output = house.try_run(args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
