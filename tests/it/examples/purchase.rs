//! A purchase request goes through six methods, with codes that count as success, messages for those
//! that do not, and a step whose failure stops nobody.

use super::{Arrived, House, Target, begin, body, json, run_in, states, wait_for};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const DOCUMENT: &str = r#"
name = "purchase"

[[connection]]
name = "erp"
base_url = "URL"
auth = { type = "header", name = "authorization", value = "Token 7" }

[[flow]]
name = "Approved"
[flow.trigger]
type = "webhook"
path = "purchase"
auth = { type = "none" }

[[flow.step]]
name = "there"
type = "request"
connection = "erp"
method = "HEAD"
url = "/suppliers/{{ request.body.supplier }}"
success = ["2xx", "404"]
outputs = { kind = 'headers["content-type"]', code = "status" }

[[flow.step]]
name = "address"
type = "request"
connection = "erp"
method = "GET"
url = "/ip/{{ request.body.ip }}"
query = { lang = "en" }
outputs = { town = "body.town" }
on_error = "continue"

[[flow.step]]
name = "create"
type = "request"
connection = "erp"
method = "POST"
url = "/orders"
form = { number = "{{ request.body.number }}", note = "a&b" }
success = ["201", "202"]
errors = { "409" = "This order is there already", "5xx" = "The ERP is down", default = "The ERP refused" }
outputs = { id = "body.id" }

[[flow.step]]
name = "write"
type = "request"
connection = "erp"
method = "PUT"
url = "/orders/{{ steps.create.outputs.id }}"
json = { number = "{{ request.body.number }}", supplier = "{{ request.body.supplier }}", town = "{{ steps.address.outputs.town }}", total = "{{ request.body.total }}", by = "{{ request.body.by }}" }

[[flow.step]]
name = "mark"
type = "request"
connection = "erp"
method = "PATCH"
url = "/orders/{{ steps.create.outputs.id }}"
text = "approved by {{ request.body.by }}"

[[flow.step]]
name = "tidy"
type = "request"
connection = "erp"
method = "DELETE"
url = "/drafts/{{ request.body.number }}"
success = ["204", "404"]
"#;

fn erp(dead: &Arc<AtomicBool>, taken: &Arc<AtomicBool>) -> Target {
    let (dead, taken) = (dead.clone(), taken.clone());
    Target::new(move |arrived| match (arrived.method.as_str(), arrived.path.split('/').nth(1)) {
        ("GET", _) if dead.load(Ordering::SeqCst) => (0, String::new()),
        ("GET", _) => (200, r#"{"town":"Oslo"}"#.into()),
        ("POST", _) if taken.load(Ordering::SeqCst) => (409, r#"{"why":"twice"}"#.into()),
        ("POST", _) => (201, r#"{"id":41}"#.into()),
        ("DELETE", _) => (404, String::new()),
        _ => (200, "{}".into()),
    })
}

fn last(target: &Target, method: &str) -> Arrived {
    target.arrived().into_iter().rev().find(|one| one.method == method).unwrap()
}

#[test]
fn six_methods_a_code_list_messages_and_a_dead_step_that_is_passed_over() {
    let (dead, taken) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (house, target) = (House::new(), erp(&dead, &taken));
    house.apply(&DOCUMENT.replace("URL", &target.url()));
    house.serve();
    let order =
        json!({"number": "P 1", "supplier": "s-1", "ip": "203.0.113.7", "total": 12.50, "by": "anna"});
    let run = begin(&house, "purchase", &order);
    let shown = run_in(&house, &run, "succeeded");
    let methods: Vec<_> = target.arrived().into_iter().map(|one| one.method).collect();
    assert_eq!(methods, ["HEAD", "GET", "POST", "PUT", "PATCH", "DELETE"]);
    assert!(target.arrived().iter().all(|one| one.header("authorization") == Some("Token 7")));
    assert_eq!(last(&target, "GET").path, "/ip/203.0.113.7?lang=en");
    let posted = last(&target, "POST");
    assert_eq!(posted.body, "number=P+1&note=a%26b");
    assert_eq!(posted.header("content-type"), Some("application/x-www-form-urlencoded"));
    let whole = json!({"number": "P 1", "supplier": "s-1", "town": "Oslo", "total": 12.50, "by": "anna"});
    assert_eq!(body(&last(&target, "PUT")), whole);
    assert_eq!(last(&target, "PATCH").body, "approved by anna");
    assert_eq!(last(&target, "DELETE").path, "/drafts/P%201");
    // HEAD has no body, and its outputs come from headers and status.
    let head = &shown["steps"][0];
    assert_eq!(head["outputs"], json!({"kind": "application/json", "code": 200}));
    assert_eq!(head["attempts"][0]["response"]["body"], "");

    // A dead step with `continue`: four fields of five are written.
    dead.store(true, Ordering::SeqCst);
    let run = begin(&house, "purchase", &order);
    let shown = run_in(&house, &run, "succeeded_with_skips");
    let expected = json!({
        "there": "succeeded", "address": "failed", "create": "succeeded",
        "write": "succeeded", "mark": "succeeded", "tidy": "succeeded",
    });
    assert_eq!(states(&shown), expected);
    let four = json!({"number": "P 1", "supplier": "s-1", "total": 12.50, "by": "anna"});
    assert_eq!(body(&last(&target, "PUT")), four);

    // A code that is not in the list: its own message, where the error is shown.
    dead.store(false, Ordering::SeqCst);
    taken.store(true, Ordering::SeqCst);
    let run = begin(&house, "purchase", &order);
    let shown = run_in(&house, &run, "errored");
    let cause = shown["steps"][2]["cause"].as_str().unwrap();
    assert!(cause.contains("This order is there already") && cause.contains("409"), "{cause}");
    let group = wait_for("its group", || house.json(&["groups", "ls"]).as_array().unwrap().first().cloned());
    assert_eq!((&group["step"], &group["count"]), (&json!("create"), &json!(1)), "{group}");
    // Given up: it can be replayed, not retried.
    house.run(&["runs", "abort", &run, "--reason", "ordered by phone", "--yes"]);
    run_in(&house, &run, "aborted");
    assert_eq!(house.try_run(&["runs", "retry", &run, "--yes"]).status.code(), Some(4));
    taken.store(false, Ordering::SeqCst);
    let request = shown["request"].as_str().unwrap();
    house.run(&["requests", "replay", request, "--reason", "again", "--yes"]);
    let replayed = wait_for("the replay", || {
        let runs = house.json(&["runs", "ls", &format!("parent:{run}")]);
        runs.as_array().unwrap().first().and_then(|one| one["id"].as_str().map(str::to_owned))
    });
    run_in(&house, &replayed, "succeeded");
}
