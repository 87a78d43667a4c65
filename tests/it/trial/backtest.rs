//! Back-tests.

use super::super::common::{House, Target, wait_for};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Stdio;

fn document(url: &str, amount: &str, when: &str) -> String {
    format!(
        r#"
name = "shop"
[[flow]]
id = "orders"
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = {{ type = "none" }}
{when}
[[flow.step]]
name = "price"
type = "request"
url = "{url}/price"
json = {{ no = "{{{{ request.body.no }}}}" }}
outputs = {{ price = "body.price" }}
[[flow.step]]
name = "push"
type = "request"
url = "{url}/push/{{{{ request.body.no }}}}"
json = {{ no = "{{{{ request.body.no }}}}", qty = "{{{{ {amount} }}}}", price = "{{{{ steps.price.outputs.price }}}}" }}

[[flow]]
id = "stock"
name = "Stock"
[flow.trigger]
type = "webhook"
path = "stock"
auth = {{ type = "none" }}
"#
    )
}

fn ids(found: &Value) -> BTreeSet<String> {
    found.as_array().unwrap().iter().map(|one| one["request"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_draft_that_changes_one_field_of_some_lists_exactly_those_and_connects_to_nobody() {
    let target = Target::new(|arrived| match arrived.path.as_str() {
        "/price" => (200, r#"{"price":2.50}"#.to_owned()),
        _ => (200, "{}".to_owned()),
    });
    let house = House::new();
    house.apply(&document(&target.url(), "request.body.qty", ""));
    house.serve();
    let mut large = BTreeSet::new();
    for no in 0..200 {
        let qty = no % 10;
        let answer = house.post("orders", &format!(r#"{{"no":{no},"qty":{qty}}}"#));
        assert_eq!(answer.status, 200);
        if qty > 5 {
            large.insert(answer.json()["request"].as_str().unwrap().to_owned());
        }
        house.post("stock", "{}");
    }
    wait_for("every run to end", || {
        let open = house.json(&["runs", "ls", "-state:succeeded"]);
        (open == json!([])).then_some(())
    });
    let before = target.arrived().len();
    assert_eq!(before, 400);
    // Nothing to compare with yet.
    assert_eq!(house.try_run(&["test", "shop", "--draft"]).status.code(), Some(4));
    let changed = "6 if request.body.qty > 5 else request.body.qty";
    let path = house.file("draft.toml", &document(&target.url(), changed, ""));
    house.run(&["apply", path.to_str().unwrap(), "--draft"]);

    let found = house.json(&["test", "shop", "--draft", "--since", "24h"]);
    // A quantity of 6 is 6 as before.
    let six = |one: &Value| one["fields"][0]["before"] == json!(6);
    assert!(!found.as_array().unwrap().iter().any(six), "{found}");
    let differs: BTreeSet<String> = large
        .iter()
        .filter(|id| house.json(&["requests", "show", id])["body"]["qty"] != json!(6))
        .cloned()
        .collect();
    assert_eq!(differs.len(), 60);
    assert_eq!(ids(&found), differs);
    for one in found.as_array().unwrap() {
        let fields = one["fields"].as_array().unwrap();
        assert_eq!(fields.len(), 1, "{one}");
        assert_eq!((&fields[0]["step"], &fields[0]["path"]), (&json!("push"), &json!("body.qty")));
        assert_eq!(fields[0]["after"], json!(6));
        assert_eq!(one["unknown"], json!([]), "the journal knows the price");
    }
    let path = house.file(
        "draft.toml",
        &document(&target.url(), "request.body.qty + (100 if request.body.qty > 5 else 0)", ""),
    );
    house.run(&["apply", path.to_str().unwrap(), "--draft"]);
    let found = house.json(&["test", "shop/Orders", "--draft", "--since", "24h"]);
    assert_eq!(ids(&found), large);
    let lines = house.run(&["test", "shop", "--draft", "--output", "jsonl", "--filter", "body.qty:7"]);
    assert_eq!(lines.lines().count(), 20);
    let text = house.run(&["test", "shop", "--draft"]);
    assert!(text.contains("body.qty") && text.contains("7 → 107"), "{text}");
    assert_eq!(target.arrived().len(), before, "a back-test connects to nobody");
    assert_eq!(
        house.json(&["runs", "ls", "--limit", "0"]).as_array().unwrap().len(),
        400,
        "and writes nothing"
    );
    for (args, exit) in [
        (vec!["test", "shop", "--draft", "--since", "0h"], 2),
        (vec!["test", "shop", "--since", "24h"], 2),
        (vec!["test", "shop", "--draft", "--filter", "state:("], 2),
        (vec!["test", "none", "--draft"], 3),
        (vec!["test", "shop/None", "--draft"], 3),
    ] {
        assert_eq!(house.try_run(&args).status.code(), Some(exit), "{args:?}");
    }
}

#[test]
fn outcomes_of_the_trigger_and_unknown_answers_are_told() {
    let target = Target::new(|_| (500, "{}".into()));
    let house = House::new();
    house.apply(&document(&target.url(), "request.body.qty", "required = [\"body.no\"]"));
    house.serve();
    let accepted = house.post("orders", r#"{"no":1,"qty":3}"#).json()["request"].as_str().unwrap().to_owned();
    let rejected = house.post("orders", r#"{"qty":3}"#);
    assert_eq!(rejected.status, 400);
    let rejected = rejected.header("pointsman-request-id").unwrap().to_owned();
    wait_for("the run to stop", || {
        let runs = house.json(&["runs", "ls", "state:errored"]);
        (runs.as_array().unwrap().len() == 1).then_some(())
    });
    let draft = |document: &str| {
        let path = house.file("draft.toml", document);
        house.run(&["apply", path.to_str().unwrap(), "--draft"]);
        house.json(&["test", "shop", "--draft"])
    };
    // What was refused would be let in, what was accepted filtered.
    let found =
        draft(&document(&target.url(), "request.body.qty", "when = \"{{ request.body.no is undefined }}\""));
    let of = |id: &str| {
        let one = found.as_array().unwrap().iter().find(|one| one["request"] == id).unwrap();
        json!([one["verdict"], one["fields"]])
    };
    let field = |before: &str, after: &str| json!([{"step": null, "path": "verdict", "before": before, "after": after}]);
    assert_eq!(of(&accepted), json!(["accepted", field("accepted", "filtered: when is false")]));
    assert_eq!(
        of(&rejected),
        json!(["rejected", field("rejected: 400: body.no is required and missing", "accepted")])
    );
    // The journal has no good answer: what hangs on it is said to be not known.
    let more = document(&target.url(), "request.body.qty", "required = [\"body.no\"]")
        .replace("/push/{{ request.body.no }}", "/push/{{ steps.price.outputs.price }}");
    let found = draft(&more);
    assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found[0]["fields"][0]["path"], "url");
    assert_eq!(found[0]["fields"][0]["after"], format!("{}/push/<steps.price.outputs.price>", target.url()));
    assert_eq!(found[0]["unknown"], json!(["steps.price.outputs.price"]));
    // A flow that the draft has no more takes nothing.
    let one = document(&target.url(), "request.body.qty", "required = [\"body.no\"]");
    let found = draft(
        &one.replace("id = \"orders\"", "id = \"other\"").replace("name = \"Orders\"", "name = \"Other\""),
    );
    assert_eq!(found[0]["fields"][0]["after"], "rejected: 410: the version has no such flow");
}

#[test]
fn ctrl_c_stops_it() {
    let house = House::new();
    house.apply(&document("http://127.0.0.1:9", "request.body.qty", ""));
    house.serve();
    for no in 0..300 {
        house.post("stock", &format!(r#"{{"no":{no}}}"#));
    }
    let path = house.file("draft.toml", &document("http://127.0.0.1:9", "request.body.other", ""));
    house.run(&["apply", path.to_str().unwrap(), "--draft"]);
    // Stopped before it begins to read: the server does not answer.
    house.signal("STOP");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .args(["test", "shop", "--draft"])
        .env("POINTSMAN_DATA", house.data())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("the command to have asked", || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        let caught = u64::from_str_radix(caught.trim(), 16).ok()?;
        // SIGINT is caught from the moment on that somebody waits for it.
        (caught & 2 != 0).then_some(())
    });
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.unwrap().success());
    let code = wait_for("the command to end", || child.try_wait().unwrap());
    house.signal("CONT");
    assert_eq!(code.code(), Some(130));
}

#[test]
fn those_that_fail_before_and_after_alike_are_counted() {
    let target = Target::new(|_| (200, r#"{"price":2.50}"#.to_owned()));
    let house = House::new();
    let amount = "request.body.qty if request.body.qty is defined else error('no quantity')";
    house.apply(&document(&target.url(), amount, ""));
    house.serve();
    for no in 0..5 {
        let body = if no < 2 { format!(r#"{{"no":{no}}}"#) } else { format!(r#"{{"no":{no},"qty":7}}"#) };
        assert_eq!(house.post("orders", &body).status, 200);
    }
    wait_for("every run to stand still", || {
        let stopped = house.json(&["runs", "ls", "state:errored"]).as_array().unwrap().len();
        let done = house.json(&["runs", "ls", "state:succeeded"]).as_array().unwrap().len();
        (stopped == 2 && done == 3).then_some(())
    });
    let amount = amount.replace("request.body.qty if", "request.body.qty + 1 if");
    let path = house.file("draft.toml", &document(&target.url(), &amount, ""));
    house.run(&["apply", path.to_str().unwrap(), "--draft"]);
    let out = house.try_run(&["test", "shop", "--draft"]);
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(said.contains("5 requests since") && said.contains(": 3 change."), "{said}");
    assert!(said.contains("2 fail before and after, each in the same way."), "{said}");
}
