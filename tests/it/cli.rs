//! The command line: exit codes, what goes where, and the JSON that scripts read.

use super::common::{House, Target, wait_for};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

const ORDERS: &str = r#"
name = "shop"
title = "Shop"
[[variable]]
name = "target"
type = "url"
default = "TARGET"
[[variable]]
name = "limit"
type = "number"
default = 5
[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = { type = "none" }
dedup = { fields = ["body.order_number", 'headers["X-Request-ID"]'] }
required = ["body.order_number"]
[[flow.step]]
name = "push"
type = "request"
url = "{{ config.target }}/events"
json = { number = "{{ request.body.order_number }}", limit = "{{ config.limit }}" }
"#;

fn pipe(house: &House, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .args(args)
        .env("POINTSMAN_DATA", house.data())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn flatten_takes_a_document_a_line() {
    let house = House::new();
    let out = pipe(&house, &["flatten"], "{\"a\":{\"b\":[1.50,{}]},\"x.y\":null}\n\n{\"n\":1e400}\n");
    assert_eq!(text(&out.stdout), "{\"a.b[0]\":1.50,\"a.b[1]\":{},\"[\\\"x.y\\\"]\":null}\n{\"n\":1e400}\n");
    assert!(out.status.success());
    let bad = pipe(&house, &["flatten"], "{\"a\":1}\n{\"a\":}\n{\"a\":2}\n");
    assert_eq!(text(&bad.stdout), "{\"a\":1}\n{\"a\":2}\n");
    assert_eq!(bad.status.code(), Some(1));
    assert!(text(&bad.stderr).contains("line 2"), "{}", text(&bad.stderr));
}

#[test]
fn new_prints_a_document_that_check_likes() {
    let house = House::new();
    let document = house.run(&["new", "acme-erp"]);
    assert!(document.contains("name = \"acme-erp\""));
    let path = house.file("new.toml", &document);
    house.run(&["check", path.to_str().unwrap()]);
    // The alert that it shows is one, once its marks are taken away.
    let (before, rest) = document.split_once("# [[alert]]").unwrap();
    let (alert, after) = rest.split_once("\n\n").unwrap();
    let alert = alert.replace("\n# ", "\n");
    let path = house.file("alert.toml", &format!("{before}[[alert]]{alert}\n\n{after}"));
    house.run(&["check", path.to_str().unwrap()]);
    assert_eq!(house.try_run(&["new", "Not A Name"]).status.code(), Some(2));
}

#[test]
fn check_reports_every_mistake_with_its_place() {
    let house = House::new();
    let path = house.file(
        "bad.toml",
        "name = \"Bad Name\"\ncolour = 1\n[[flow]]\nname = \"F\"\n[flow.trigger]\ntype = \"webhook\"\n[[flow.step]]\nname = \"s\"\ntype = \"request\"\nurl = \"http://x/{{ request.body. }}\"\ntimeout = \"10\"\n",
    );
    let out = house.try_run(&["check", path.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(1));
    let told = text(&out.stdout);
    for place in [":1:", ":2:", ":10:", ":11:"] {
        assert!(told.contains(&format!("bad.toml{place}")), "{place} in {told}");
    }
    assert!(told.contains("auth"), "{told}");
    let json: Value =
        serde_json::from_slice(&house.try_run(&["check", path.to_str().unwrap(), "--output", "json"]).stdout)
            .unwrap();
    assert!(json.as_array().unwrap().len() >= 5, "{json}");
}

#[test]
fn apply_is_all_files_or_none() {
    let house = House::new();
    let good = house.file("good.toml", &ORDERS.replace("TARGET", "http://127.0.0.1:9"));
    let bad = house.file("bad.toml", "name = \"other\"\n[[flow]]\n");
    let out = house.try_run(&["apply", good.to_str().unwrap(), bad.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(1), "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("bad.toml:"));
    assert_eq!(house.json(&["integrations", "ls"]), json!([]));
    house.run(&["apply", good.to_str().unwrap()]);
    house.run(&["apply", good.to_str().unwrap()]);
    let shop = house.json(&["integrations", "show", "shop"]);
    assert_eq!(
        (shop["deployed"].as_u64(), shop["flows"][0]["name"].as_str()),
        (Some(1), Some("Orders")),
        "{shop}"
    );
    // Another name with the same alias is refused, and the owner is named.
    let taken = house.try_run(&["apply", good.to_str().unwrap(), "--as", "shop-two"]);
    assert_ne!(taken.status.code(), Some(0));
    assert!(text(&taken.stderr).contains("shop"), "{}", text(&taken.stderr));
    // A rename of the flow keeps its endpoint.
    let before = house.json(&["endpoints", "ls"])[0]["id"].clone();
    let exported = house.run(&["export", "shop"]);
    assert!(exported.contains("id = "), "{exported}");
    house.apply(&exported.replace("name = \"Orders\"", "name = \"All orders\""));
    let endpoint = &house.json(&["endpoints", "ls"])[0];
    assert_eq!((&endpoint["id"], endpoint["flow"].as_str()), (&before, Some("All orders")));
    assert!(before.as_str().unwrap().len() >= 22);
}

#[test]
fn a_required_variable_keeps_a_draft_and_says_what_to_type() {
    let house = House::new();
    let document = ORDERS.replace("default = \"TARGET\"", "required = true");
    let path = house.file("draft.toml", &document);
    let out = house.try_run(&["apply", path.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(4));
    let told = text(&out.stderr);
    assert!(told.contains("pointsman set shop target=") && told.contains("pointsman deploy shop"), "{told}");
    assert_eq!(house.try_run(&["deploy", "shop"]).status.code(), Some(4));
    assert_eq!(house.try_run(&["set", "shop", "limit=abc"]).status.code().filter(|code| *code != 0), Some(2));
    house.run(&["set", "shop", "target=http://127.0.0.1:9"]);
    house.run(&["deploy", "shop"]);
    assert_eq!(house.json(&["integrations", "show", "shop"])["deployed"], 1);
    assert_eq!(house.try_run(&["deploy", "nobody"]).status.code(), Some(3));
}

#[test]
fn values_count_from_then_on_without_a_deploy() {
    let (house, first, second) = (House::new(), Target::fine(), Target::fine());
    house.apply(&ORDERS.replace("TARGET", &first.url()));
    house.serve();
    house.post("orders", r#"{"order_number":1}"#);
    wait_for("the first target", || (first.arrived().len() == 1).then_some(()));
    assert_eq!(first.arrived()[0].body, r#"{"number":1,"limit":5}"#);
    house.run(&["set", "shop", &format!("target={}", second.url()), "limit=7.50", "--reason", "moved"]);
    house.post("orders", r#"{"order_number":2}"#);
    wait_for("the second target", || (second.arrived().len() == 1).then_some(()));
    assert_eq!(second.arrived()[0].body, r#"{"number":2,"limit":7.50}"#);
    let audit = house.run(&["audit", "ls", "--output", "json"]);
    assert!(audit.contains("moved"), "{audit}");
}

#[test]
fn lists_and_details_have_the_documented_shapes() {
    let (house, target) = (House::new(), Target::fine());
    house.apply(&ORDERS.replace("TARGET", &target.url()));
    house.serve();
    let sample = house.file("order.json", r#"{"$request":{"query":{"page":"2"},"headers":{"X-Request-ID":"b1a7"},"body":{"order_number":"10438","total":59.90,"products":[{"name":"Earwax","options":[]}]}}}"#);
    let sent = house.run(&["send", sample.to_str().unwrap(), "--to", "shop/Orders"]);
    let answer: Value = serde_json::from_str(&sent).unwrap();
    house.run(&["send", sample.to_str().unwrap(), "--to", "shop"]);
    let refused = house.file("bad.json", "{}");
    assert_eq!(house.try_run(&["send", refused.to_str().unwrap(), "--to", "shop"]).status.code(), Some(4));
    assert_eq!(house.try_run(&["send", refused.to_str().unwrap(), "--to", "nobody"]).status.code(), Some(3));

    let requests = house.json(&["requests", "ls"]);
    let verdicts: Vec<&str> =
        requests.as_array().unwrap().iter().map(|row| row["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["rejected", "duplicate", "accepted"], "newest first");
    let wanted = "id time integration flow endpoint method path verdict status cause dedup_key duplicate_of runs size actor from test marks";
    for name in wanted.split(' ') {
        assert!(keys(&requests[0]).contains(name), "{name} in {}", requests[0]);
    }
    assert_eq!(requests[0]["cause"], "body.order_number is required and missing");
    assert_eq!(requests[1]["duplicate_of"], answer["request"]);

    let id = answer["request"].as_str().unwrap();
    let shown = house.json(&["requests", "show", &id[28..]]);
    assert_eq!(shown["id"], answer["request"]);
    let flat = keys(&shown["flat"]);
    for path in [
        "body.order_number",
        "body.products[0].name",
        "body.products[0].options",
        "headers[\"x-request-id\"]",
        "query.page",
    ] {
        assert!(flat.contains(path), "{path} in {flat:?}");
    }
    assert!(house.run(&["requests", "show", id, "--output", "json"]).contains("59.90"));
    assert_eq!(shown["answer"]["status"], 200);

    let explained = house.json(&["requests", "explain", requests[1]["id"].as_str().unwrap()]);
    assert_eq!(explained["fields"][0], json!({"path": "body.order_number", "value": "10438"}));
    assert_eq!(
        (explained["first"].as_str(), explained["copies"].as_u64()),
        (Some(id), Some(2)),
        "{explained}"
    );
    assert!(explained["lapses"].as_str().unwrap().ends_with('Z'));

    let run = answer["run"].as_str().unwrap();
    wait_for("the run to end", || (house.json(&["runs", "show", run])["state"] == "succeeded").then_some(()));
    let shown = house.json(&["runs", "show", run]);
    for name in "id request parent integration flow version state cause started ended test steps".split(' ') {
        assert!(keys(&shown).contains(name), "{name} in {shown}");
    }
    for name in "name type state cause started ended outputs attempts".split(' ') {
        assert!(keys(&shown["steps"][0]).contains(name), "{name} in {shown}");
    }
    let attempt = &shown["steps"][0]["attempts"][0];
    for name in "number started elapsed_ms outcome status request response".split(' ') {
        assert!(keys(attempt).contains(name), "{name} in {attempt}");
    }
    let endpoint = &house.json(&["endpoints", "ls"])[0];
    assert_eq!(keys(endpoint), "id url path integration flow methods auth last_request".split(' ').collect());

    // The same key may come again once it is forgotten.
    house.run(&["requests", "forget", id]);
    let again = house.run(&["send", sample.to_str().unwrap(), "--to", "shop"]);
    assert!(again.contains("\"run\""), "{again}");
}

#[test]
fn filters_pages_and_endings() {
    let (house, target) = (House::new(), Target::fine());
    house.apply(&ORDERS.replace("TARGET", &target.url()));
    house.serve();
    for n in 0..250 {
        assert_eq!(house.post("orders", &format!(r#"{{"order_number":{n},"total":{}}}"#, n * 2)).status, 200);
    }
    assert_eq!(house.json(&["requests", "ls"]).as_array().unwrap().len(), 100);
    assert_eq!(house.run(&["requests", "ls", "--limit", "0", "--output", "jsonl"]).lines().count(), 250);
    assert_eq!(house.json(&["requests", "ls", "body.total>=490"]).as_array().unwrap().len(), 5);
    assert_eq!(house.json(&["requests", "ls", "body.order_number=7"]).as_array().unwrap().len(), 1);
    assert_eq!(house.json(&["requests", "ls", "not", "flow:Orders"]), json!([]));
    assert_eq!(
        house
            .json(&["requests", "ls", "since:1h", "verdict:accepted", "--limit", "3"])
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let wrong = house.try_run(&["requests", "ls", "verdict:duplicate and body.total>>100"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
    assert_eq!(house.try_run(&["requests", "show", "ffffffffffff"]).status.code(), Some(3));
    assert_eq!(house.try_run(&["requests", "show", "abc"]).status.code(), Some(2));
    assert_eq!(house.try_run(&["frobnicate"]).status.code(), Some(2));
    assert_eq!(house.try_run(&["operator", "rm", "nobody"]).status.code(), Some(3));
    // A reader that goes away is no error.
    let head = Command::new("sh")
        .arg("-c")
        .arg(format!("{} requests ls --limit 0 --output jsonl | head -1", env!("CARGO_BIN_EXE_pointsman")))
        .env("POINTSMAN_DATA", house.data())
        .output()
        .unwrap();
    assert_eq!(text(&head.stderr), "");
    house.run(&["doctor"]);
    assert!(house.run(&["completions", "bash"]).contains("pointsman"));
}

#[test]
fn a_removed_integration_is_gone_for_senders_and_its_runs_stay() {
    let (house, target) = (House::new(), Target::fine());
    house.apply(&ORDERS.replace("TARGET", &target.url()));
    house.serve();
    house.post("orders", r#"{"order_number":1}"#);
    let url = house.json(&["endpoints", "ls"])[0]["id"].as_str().unwrap().to_owned();
    house.run(&["remove", "shop", "--dry-run"]);
    assert_eq!(house.json(&["integrations", "ls"]).as_array().unwrap().len(), 1);
    // One object, and nobody to ask.
    house.run(&["remove", "shop"]);
    assert_eq!(house.post(&url, r#"{"order_number":2}"#).status, 410);
    assert_eq!(house.post("nothing", "{}").status, 404);
    wait_for("its run to end", || (house.json(&["runs", "ls"])[0]["state"] == "succeeded").then_some(()));
    assert_eq!(house.json(&["integrations", "ls"]), json!([]));
}

#[test]
fn a_configuration_with_an_unknown_key_is_refused_at_its_place() {
    let house = House::new();
    house.configure("[limits]\nretentoin = \"7d\"\n");
    let out = house.try_run(&["integrations", "ls"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("config.toml:2:1"), "{}", text(&out.stderr));
}

#[test]
fn serve_tells_each_request_once() {
    let (house, target) = (House::new(), Target::fine());
    house.apply(&ORDERS.replace("TARGET", &target.url()));
    house.serve();
    let mut ids = Vec::new();
    for n in 0..40 {
        ids.push(
            house.post("orders", &format!(r#"{{"order_number":{n}}}"#)).json()["request"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let told = |id: &String| house.log().lines().filter(|line| line.contains(id.as_str())).count();
    wait_for("a line for each", || ids.iter().all(|id| told(id) > 0).then_some(()));
    assert!(ids.iter().all(|id| told(id) == 1), "{}", house.log());
    assert!(!house.log().contains("more requests"), "{}", house.log());
}
