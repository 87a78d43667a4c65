//! Field discovery: captures on live flows and on drafts, and the table of paths.

use super::common::{House, wait_for};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

const DOCUMENT: &str = r#"
name = "shop"

[[flow]]
id = "orders"
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = { type = "none" }
required = ["body.never_there"]
dedup = { fields = ["body.n"] }
"#;

/// `pointsman capture …` in the background, once it says that it is open.
pub fn capture(house: &House, args: &[&str]) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .args(["capture", "--output", "json"])
        .args(args)
        .env("POINTSMAN_DATA", house.data())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.starts_with("open for"), "{first}");
    // What it goes on to say is read, so that it is never held up.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

pub fn printed(child: Child) -> Value {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The generated endpoint of the only flow: an alias is there from the first deploy on.
fn endpoint(house: &House) -> String {
    let shown = house.json(&["integrations", "show", "shop"]);
    shown["flows"][0]["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

fn field<'f>(found: &'f Value, path: &str) -> &'f Value {
    let fields = found["fields"].as_array().unwrap();
    fields.iter().find(|field| field["path"] == path).unwrap_or_else(|| panic!("no {path} in {found}"))
}

#[test]
fn on_a_draft_requests_start_nothing_and_are_answered_as_captured() {
    let house = House::new();
    let path = house.file("draft.toml", DOCUMENT);
    house.run(&["apply", path.to_str().unwrap(), "--draft"]);
    house.serve();
    let orders = endpoint(&house);
    assert_eq!(house.post(&orders, r#"{"n":1}"#).status, 404, "no capture is open");
    let open = capture(&house, &["shop/Orders", "--count", "2", "--for", "60s"]);
    for (body, n) in [(r#"{"n":1,"note":null}"#, 1), (r#"{"n":1,"email":"a@b.c"}"#, 2)] {
        let answer = house.post(&orders, body);
        assert_eq!((answer.status, answer.json()["state"].as_str()), (200, Some("captured")), "{n}");
        let id = answer.header("pointsman-request-id").unwrap();
        let shown = house.json(&["requests", "show", id]);
        assert_eq!((&shown["verdict"], &shown["marks"]), (&json!("filtered"), &json!(["captured"])));
        assert_eq!((&shown["dedup_key"], &shown["runs"]), (&Value::Null, &json!([])));
    }
    let found = printed(open);
    assert_eq!(found["requests"], 2);
    assert_eq!(field(&found, "body.n")["present"], 2);
    assert_eq!(
        (&field(&found, "body.email")["types"], &field(&found, "body.email")["present"]),
        (&json!(["string"]), &json!(1))
    );
    assert_eq!(field(&found, "body.note")["sample"], Value::Null);
    assert!(house.json(&["runs", "ls"]).as_array().unwrap().is_empty());
    // Not JSON is refused as ever, and stored as that.
    let answer = house.post(&orders, "{");
    assert_eq!(answer.status, 400);
    assert!(answer.header("pointsman-request-id").is_some());
    // Deployed, its dedup has no key of what was captured.
    house.run(&["deploy", "shop"]);
    assert_eq!(house.post("orders", r#"{"n":1,"never_there":1}"#).status, 200);
}

#[test]
fn a_capture_ends_with_its_time_and_can_be_renewed() {
    let house = House::new();
    let path = house.file("draft.toml", DOCUMENT);
    house.run(&["apply", path.to_str().unwrap(), "--draft"]);
    house.serve();
    let orders = endpoint(&house);
    let short = capture(&house, &["shop", "--for", "1s"]);
    let longer = capture(&house, &["shop", "--for", "3s", "--count", "9"]);
    assert_eq!(house.post(&orders, r#"{"n":1}"#).status, 200, "it is open");
    assert_eq!(printed(longer)["requests"], 1);
    // The first one went on with the renewed one, unless it was over before.
    assert!(printed(short)["requests"].as_u64().unwrap() <= 1);
    wait_for("the capture to end", || (house.post(&orders, r#"{"n":1}"#).status == 404).then_some(()));
    for (args, exit) in [
        (vec!["capture", "shop", "--for", "2h"], 2),
        (vec!["capture", "shop", "--for", "90"], 2),
        (vec!["capture", "shop/None"], 3),
        (vec!["capture"], 2),
    ] {
        assert_eq!(house.try_run(&args).status.code(), Some(exit), "{args:?}");
    }
}

#[test]
fn on_a_live_flow_it_only_listens() {
    let house = House::new();
    house.apply(&DOCUMENT.replace("required = [\"body.never_there\"]", ""));
    house.serve();
    let open = capture(&house, &["shop/Orders", "--count", "3"]);
    let mut ids = Vec::new();
    for (n, status) in [(1, 200), (2, 200), (2, 204)] {
        let answer = house.post("orders", &json!({"n": n, "items": [{"sku": n}]}).to_string());
        assert_eq!(answer.status, status);
        ids.push(answer.header("pointsman-request-id").unwrap().to_owned());
    }
    let found = printed(open);
    assert_eq!((&found["requests"], &found["copies"]), (&json!(3), &json!(1)));
    assert_eq!(field(&found, "body.n")["good"], true);
    assert_eq!(field(&found, "body.items[0].sku")["types"], json!(["number"]));
    assert_eq!(house.json(&["runs", "ls"]).as_array().unwrap().len(), 2);

    // The same table of one stored request, and of a file.
    let one = house.json(&["capture", "--request", &ids[0]]);
    assert_eq!(field(&one, "body.items[0].sku")["sample"], 1);
    let file = house.file("body.json", r#"{"a.b":[true,{}]}"#);
    let one = house.json(&["capture", "--file", file.to_str().unwrap()]);
    assert_eq!(field(&one, "body[\"a.b\"][1]")["types"], json!(["object"]));
    let broken = house.file("broken.json", "{");
    assert_eq!(house.try_run(&["capture", "--file", broken.to_str().unwrap()]).status.code(), Some(2));
    house.stop();
    assert_eq!(house.try_run(&["capture", "shop/Orders"]).status.code(), Some(4), "nobody listens");
    house.json(&["capture", "--request", &ids[0]]);
}
