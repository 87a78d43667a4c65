//! Runs of the real binary: what is retried by itself, what a person retries, skips, aborts and
//! replays, and what is then sent.

use super::common::{House, Target, call, wait_for};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

fn document(target: &str) -> String {
    format!(
        r#"
name = "acme-erp"
title = "Acme ERP"
[[variable]]
name = "progix_url"
type = "url"
default = "{target}"
[[connection]]
name = "progix"
base_url = "{{{{ config.progix_url }}}}"
headers = {{ "X-Tenant" = "42" }}
[[flow]]
name = "Sync customers"
[flow.trigger]
type = "webhook"
path = "customers"
auth = {{ type = "none" }}
[[flow.step]]
name = "push"
type = "request"
connection = "progix"
url = "/customers/{{{{ request.body.email }}}}"
json = {{ email = "{{{{ request.body.email }}}}" }}
outputs = {{ id = "body.id" }}
errors = {{ "404" = "Progix does not know this customer", default = "Progix refused" }}
[[flow.step]]
name = "notify"
type = "request"
connection = "progix"
url = "/notify"
json = {{ customer = "{{{{ steps.push.outputs.id }}}}", email = "{{{{ request.body.email }}}}" }}
"#
    )
}

fn run_in(house: &House, state: &str) -> Value {
    wait_for(&format!("a run that is {state}"), || {
        house.json(&["runs", "ls", &format!("state:{state}")]).as_array().unwrap().first().cloned()
    })
}

fn bodies(target: &Target, path: &str) -> Vec<String> {
    target.arrived().into_iter().filter(|arrived| arrived.path == path).map(|arrived| arrived.body).collect()
}

#[test]
fn an_order_goes_through_both_steps() {
    let house = House::new();
    let target = Target::new(|_| (200, r#"{"id":"cus_1"}"#.into()));
    house.apply(&document(&target.url()));
    house.serve();
    let answer = house.post("customers", r#"{"email":"c.meyer@example.com"}"#);
    let run = run_in(&house, "succeeded");
    assert_eq!(run["id"], answer.json()["run"]);
    assert_eq!(bodies(&target, "/customers/c.meyer%40example.com"), [r#"{"email":"c.meyer@example.com"}"#]);
    assert_eq!(bodies(&target, "/notify"), [r#"{"customer":"cus_1","email":"c.meyer@example.com"}"#]);
    let shown = house.json(&["runs", "show", &run["id"].as_str().unwrap()[30..]]);
    assert_eq!(shown["steps"][0]["attempts"][0]["response"]["status"], 200);
    assert_eq!(shown["steps"][0]["outputs"]["id"], "cus_1");
    assert_eq!(target.arrived()[0].header("x-tenant"), Some("42"));
}

#[test]
fn what_the_skip_says_is_left_out_is_what_is_left_out() {
    let house = House::new();
    let target = Target::new(|arrived| match arrived.path.as_str() {
        "/notify" => (200, "{}".into()),
        _ => (404, r#"{"error":"no route"}"#.into()),
    });
    house.apply(&document(&target.url()));
    house.serve();
    house.post("customers", r#"{"email":"a@example.com"}"#);
    let run = run_in(&house, "errored");
    assert!(run["cause"].as_str().unwrap().contains("Progix does not know this customer"), "{run}");
    let id = run["id"].as_str().unwrap();
    let plan = house.json(&["runs", "skip", id, "--dry-run"]);
    let field = &plan["fields"][0];
    assert_eq!(
        (field["step"].as_str(), field["field"].as_str()),
        (Some("notify"), Some("json.customer")),
        "{plan}"
    );
    assert_eq!(field["fate"], "left_out");
    assert!(bodies(&target, "/notify").is_empty());

    house.run(&["runs", "skip", id, "--reason", "made by hand"]);
    let done = run_in(&house, "succeeded_with_skips");
    assert_eq!(done["id"].as_str(), Some(id));
    assert_eq!(bodies(&target, "/notify"), [r#"{"email":"a@example.com"}"#]);
    // An ended run cannot be skipped again.
    let again = house.try_run(&["runs", "skip", id]);
    assert_eq!(again.status.code(), Some(4), "{}", String::from_utf8_lossy(&again.stderr));

    // With a stand-in all is there.
    house.post("customers", r#"{"email":"b@example.com"}"#);
    let second = run_in(&house, "errored")["id"].as_str().unwrap().to_owned();
    let wrong = house.try_run(&["runs", "skip", &second, "--stand-in", "[1]"]);
    assert_eq!(wrong.status.code(), Some(2));
    house.run(&["runs", "skip", &second, "--stand-in", r#"{"id":"cus_8841"}"#]);
    wait_for("the second notification", || (bodies(&target, "/notify").len() == 2).then_some(()));
    assert_eq!(bodies(&target, "/notify")[1], r#"{"customer":"cus_8841","email":"b@example.com"}"#);
    let audit = house.json(&["audit", "ls"]);
    let skips: Vec<&Value> =
        audit.as_array().unwrap().iter().filter(|entry| entry["verb"] == "skip").collect();
    assert_eq!(skips.len(), 2, "{audit}");
    assert_eq!((skips[1]["who"].as_str(), skips[1]["reason"].as_str()), (Some("anna"), Some("made by hand")));
}

#[test]
fn runs_that_a_target_refused_are_retried_by_a_filter_when_it_takes_them() {
    let house = House::new();
    let up = Arc::new(AtomicBool::new(false));
    let is_up = up.clone();
    // Not a failure of the target, for which the others would wait.
    let target =
        Target::new(
            move |_| if is_up.load(Ordering::SeqCst) { (200, "{}".into()) } else { (422, "{}".into()) },
        );
    house.apply(&document(&target.url()));
    house.serve();
    for n in 0..25 {
        assert_eq!(house.post("customers", &format!(r#"{{"email":"{n}@example.com"}}"#)).status, 200);
    }
    wait_for("all runs to be errored", || {
        let errored = house.json(&["runs", "ls", "state:errored"]);
        (errored.as_array().unwrap().len() == 25).then_some(())
    });
    let groups = house.json(&["groups", "ls"]);
    assert_eq!((groups.as_array().unwrap().len(), groups[0]["count"].as_u64()), (1, Some(25)), "{groups}");
    // Many at once, without a terminal, need a word.
    let unasked = house.try_run(&["runs", "retry", "--filter", "state:errored"]);
    assert_eq!(unasked.status.code(), Some(2));
    let empty = house.try_run(&["runs", "retry", "--filter", "", "--yes"]);
    assert_eq!(empty.status.code(), Some(2));
    up.store(true, Ordering::SeqCst);
    house.run(&["runs", "retry", "--filter", "state:errored", "--yes", "--reason", "it is back"]);
    wait_for("all runs to succeed", || {
        let done = house.json(&["runs", "ls", "state:succeeded"]);
        (done.as_array().unwrap().len() == 25).then_some(())
    });
    assert_eq!(house.json(&["groups", "ls"]), serde_json::json!([]));
}

#[test]
fn idempotent_steps_are_retried_by_themselves_under_one_key() {
    let house = House::new();
    let calls = Arc::new(AtomicU64::new(0));
    let counted = calls.clone();
    let target = Target::new(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => (503, "{}".into()),
        1 => (0, String::new()),
        _ => (200, "{}".into()),
    });
    let document = document(&target.url()).replacen(
        "[[flow.step]]",
        "[[flow.step]]\nidempotent = true\nretry = { attempts = 3, delay = \"100ms\" }",
        1,
    );
    house.apply(&document);
    house.serve();
    house.post("customers", r#"{"email":"x"}"#);
    run_in(&house, "succeeded");
    let pushes: Vec<_> =
        target.arrived().into_iter().filter(|arrived| arrived.path == "/customers/x").collect();
    let attempts: Vec<&str> =
        pushes.iter().map(|arrived| arrived.header("pointsman-attempt").unwrap()).collect();
    assert_eq!(attempts, ["1", "2", "3"]);
    assert!(
        pushes.iter().all(|arrived| arrived.header("idempotency-key") == pushes[0].header("idempotency-key"))
    );
}

#[test]
fn a_replay_is_a_new_run_with_a_parent() {
    let house = House::new();
    let target = Target::fine();
    house.apply(&document(&target.url()));
    house.serve();
    let answer = house.post("customers", r#"{"email":"x","note":1.50}"#).json();
    run_in(&house, "succeeded");
    let request = answer["request"].as_str().unwrap();
    let run = house.run(&["requests", "replay", request]);
    let run = house.json(&["runs", "show", run.trim()]);
    assert_eq!(run["parent"], answer["run"]);
    assert_ne!(run["id"], answer["run"]);
    wait_for("the replay's request", || (bodies(&target, "/customers/x").len() == 2).then_some(()));
    house.run(&["requests", "replay", request, "--set", "body.email=y"]);
    wait_for("the edited request", || (bodies(&target, "/customers/y").len() == 1).then_some(()));
    // The stored request is as it was.
    let shown = house.json(&["requests", "show", request]);
    assert_eq!(shown["flat"]["body.email"], "x");
    assert!(house.run(&["requests", "show", request, "--output", "json"]).contains("1.50"));
}

#[test]
fn an_aborted_run_is_replayed_and_not_retried() {
    let house = House::new();
    let target = Target::new(|_| (500, "{}".into()));
    house.apply(&document(&target.url()));
    house.serve();
    house.post("customers", r#"{"email":"x"}"#);
    let run = run_in(&house, "errored")["id"].as_str().unwrap().to_owned();
    house.run(&["runs", "abort", &run, "--reason", "wrong address"]);
    assert_eq!(run_in(&house, "aborted")["id"].as_str(), Some(run.as_str()));
    let refused = house.try_run(&["runs", "retry", &run]);
    assert_eq!(refused.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("aborted"));
    let read_only = house.try_run(&["runs", "retry", &run, "--read-only"]);
    assert_eq!(read_only.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&read_only.stderr).contains("read-only"));
}

#[test]
fn a_retry_uses_the_deployed_version_unless_told_otherwise() {
    let house = House::new();
    let target =
        Target::new(
            |arrived| if arrived.path.starts_with("/v2") { (200, "{}".into()) } else { (404, "{}".into()) },
        );
    house.apply(&document(&target.url()));
    house.serve();
    house.post("customers", r#"{"email":"x"}"#);
    let run = run_in(&house, "errored")["id"].as_str().unwrap().to_owned();
    let fixed = document(&target.url())
        .replace("url = \"/customers", "url = \"/v2/customers")
        .replace("/notify", "/v2/notify");
    house.apply(&fixed);
    let plan = house.run(&["runs", "retry", &run, "--dry-run", "--output", "json"]);
    assert!(plan.contains("/v2/customers/x"), "{plan}");
    house.run(&["runs", "retry", &run, "--version", "original"]);
    wait_for("the second attempt", || (bodies(&target, "/customers/x").len() == 2).then_some(()));
    run_in(&house, "errored");
    house.run(&["runs", "retry", &run]);
    let done = run_in(&house, "succeeded");
    assert_eq!(done["version"], 2);
    // A version without the step: replay is offered.
    house.post("customers", r#"{"email":"z"}"#);
    house.apply(&document(&target.url()));
    house.post("customers", r#"{"email":"q"}"#);
    let stopped = run_in(&house, "errored")["id"].as_str().unwrap().to_owned();
    house.apply(&document(&target.url()).replace("push", "shove"));
    let gone = house.try_run(&["runs", "retry", &stopped]);
    assert_eq!(gone.status.code(), Some(4));
    assert!(
        String::from_utf8_lossy(&gone.stderr).contains("replay"),
        "{}",
        String::from_utf8_lossy(&gone.stderr)
    );
    assert_eq!(call(house.addr(), "GET", "/in/customers", &[], b"").unwrap().status, 200);
}
