//! What somebody finds who has nothing but the binary: refusals that name their remedy, and verbs
//! that act on what lists show.

use super::common::{House, Target, wait_for};
use serde_json::Value;
use std::process::Output;

const CALLBACK: &str = r#"
name = "scans"
[[flow]]
name = "Scan files"
[flow.trigger]
type = "webhook"
path = "scan"
auth = { type = "none" }
[[flow.step]]
name = "scan"
type = "send"
url = "http://127.0.0.1:9/scan"
"#;

const PLAIN: &str = r#"
name = "plain"
[[flow]]
name = "In"
[flow.trigger]
type = "webhook"
path = "in"
auth = { type = "none" }
dedup = { fields = ["body.n"] }
[[flow]]
name = "By hand"
[flow.trigger]
type = "manual"
[[flow.step]]
name = "push"
type = "request"
url = "TARGET/by-hand"
json = { n = "{{ request.body.n }}" }
"#;

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_flow_with_callbacks_wants_a_public_url_where_the_address_is_none() {
    let house = House::new();
    let file = house.file("scans.toml", CALLBACK);
    let file = file.to_str().unwrap();
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let refused = house.try_run(&["apply", file, "--listen", listen]);
        assert_eq!(refused.status.code(), Some(4), "{}", err(&refused));
        assert!(err(&refused).contains("scans / Scan files"), "{}", err(&refused));
    }
    house.run(&["apply", file, "--draft", "--listen", "0.0.0.0:0"]);
    let refused = house.try_run(&["deploy", "scans", "--listen", "0.0.0.0:0"]);
    assert!(err(&refused).contains("--public-url"), "{}", err(&refused));
    house.run(&["deploy", "scans", "--listen", "0.0.0.0:0", "--public-url", "https://hooks.example"]);
    let refused = house.try_run(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.status.code(), Some(4), "{}", err(&refused));
    let said = err(&refused);
    assert!(said.contains("scans / Scan files") && said.contains("--public-url"), "{said}");
}

#[test]
fn a_lost_key_file_is_said_and_never_made_anew() {
    let house = House::new();
    house.apply(&PLAIN.replace("TARGET", "http://127.0.0.1:9"));
    let key = house.data().join("key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["integrations", "ls"]] {
        let refused = house.try_run(args);
        assert_eq!(refused.status.code(), Some(4), "{}", err(&refused));
        assert!(err(&refused).contains("Put the key file back"), "{}", err(&refused));
        assert!(!key.exists());
    }
    std::fs::write(&key, kept).unwrap();
    std::process::Command::new("chmod").arg("600").arg(&key).status().unwrap();
    house.run(&["integrations", "ls"]);
}

#[test]
fn check_knows_the_paths_that_others_own() {
    let house = House::new();
    let mine = house.file("mine.toml", &CALLBACK.replace("path = \"scan\"", "path = \"in\""));
    let mine = mine.to_str().unwrap();
    house.run(&["check", mine]);
    assert!(!house.data().join("pointsman.db").exists(), "a check makes no store");
    let plain = PLAIN.replace("TARGET", "http://127.0.0.1:9");
    house.apply(&plain);
    let taken = |served: &str| {
        let found = house.try_run(&["check", mine]);
        let said = String::from_utf8_lossy(&found.stdout).into_owned();
        assert_eq!(found.status.code(), Some(1), "{served}: {said}{}", err(&found));
        assert!(said.contains("mine.toml:7:8: error") && said.contains("plain / In"), "{served}: {said}");
    };
    taken("alone");
    house.serve();
    taken("served");
    // Its own paths are its own.
    let own = house.file("plain.toml", &plain);
    house.run(&["check", own.to_str().unwrap()]);
    house.stop();
    // Where the store cannot be asked the rest is checked all the same.
    std::fs::remove_file(house.data().join("key")).unwrap();
    let found = house.try_run(&["check", mine]);
    assert_eq!(found.status.code(), Some(0), "{}", err(&found));
    assert!(err(&found).contains("warning: paths of other integrations are not checked"), "{}", err(&found));
}

#[test]
fn a_flow_that_is_triggered_by_hand_is_started_with_a_file() {
    let (house, target) = (House::new(), Target::fine());
    house.apply(&PLAIN.replace("TARGET", &target.url()));
    house.serve();
    let sample = house.file("hand.json", r#"{"n": 1.50}"#);
    let run = house.run(&["send", sample.to_str().unwrap(), "--to", "plain/By hand"]);
    wait_for("the run", || (target.arrived().len() == 1).then_some(()));
    assert_eq!(target.arrived()[0].body, r#"{"n":1.50}"#);
    let shown = house.json(&["runs", "show", run.trim()]);
    let request = house.json(&["requests", "show", shown["request"].as_str().unwrap()]);
    assert_eq!(request["marks"], serde_json::json!(["manual"]));
    assert_eq!((&request["dedup_key"], &request["actor"]), (&Value::Null, &Value::from("anna")));
    assert_eq!(house.json(&["audit", "ls"])[0]["verb"], "start");
    let bad = house.file("bad.json", "{");
    let refused = house.try_run(&["send", bad.to_str().unwrap(), "--to", "plain/By hand"]);
    assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
}

#[test]
fn groups_are_retried_and_skipped_and_keys_of_many_are_forgotten() {
    let target = Target::new(|_| (404, "{}".into()));
    let house = House::new();
    let errs = CALLBACK.replace("http://127.0.0.1:9", &target.url());
    house.apply(&errs.replace(
        "auth = { type = \"none\" }",
        "auth = { type = \"none\" }\ndedup = { fields = [\"body.n\"] }",
    ));
    house.serve();
    let ids: Vec<String> = (0..3)
        .map(|n| house.post("scan", &format!("{{\"n\":{n}}}")).json()["request"].as_str().unwrap().to_owned())
        .collect();
    let errored = || house.json(&["runs", "ls", "state:errored"]).as_array().unwrap().len();
    wait_for("the runs to stop", || (errored() == 3).then_some(()));
    let group = house.json(&["groups", "ls"])[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(house.try_run(&["groups", "retry", &group]).status.code(), Some(2), "it is more than one");
    assert_eq!(house.try_run(&["groups", "retry", "c9c9"]).status.code(), Some(3));
    assert_eq!(house.try_run(&["groups", "skip"]).status.code(), Some(2));
    assert_eq!(
        house.try_run(&["groups", "retry", &group, "--rate", "1/s"]).status.code(),
        Some(2),
        "so is a job"
    );
    house.run(&["groups", "retry", &group, "--dry-run"]);
    let before = target.arrived().len();
    house.run(&["groups", "retry", &group, "--yes", "--reason", "it is back"]);
    wait_for("three more attempts", || (target.arrived().len() == before + 3).then_some(()));
    wait_for("the runs to stop again", || (errored() == 3).then_some(()));
    // One object is not asked about where nobody can answer.
    house.run(&["runs", "skip", "--filter", &format!("request:{}", ids[0])]);
    house.run(&["groups", "skip", &group, "--yes"]);
    let ended = || house.json(&["runs", "ls", "state:succeeded_with_skips"]).as_array().unwrap().len();
    wait_for("the runs to end", || (ended() == 3).then_some(()));
    let shown = house.json(&["runs", "ls", "-state:errored", "--limit", "5"]);
    assert_eq!(shown.as_array().unwrap().len(), 3);

    assert_eq!(house.post("scan", "{\"n\":0}").status, 204);
    assert_eq!(house.try_run(&["requests", "forget", &ids[0], &ids[1]]).status.code(), Some(2));
    house.run(&["requests", "forget", &ids[0].replace('-', ""), &ids[1], "--yes"]);
    // Many copies of one key are one key.
    for _ in 0..3 {
        assert_eq!(house.post("scan", "{\"n\":2}").status, 204);
    }
    let told = house.json(&["requests", "forget", "--filter", "body.n=2", "--yes"]);
    assert_eq!((&told["done"], &told["refused"]), (&1.into(), &serde_json::json!([])), "{told}");
    assert_eq!(house.post("scan", "{\"n\":2}").status, 200);
    house.run(&["requests", "forget", "--filter", "verdict:accepted body.n=2"]);
    for n in 0..3 {
        assert_eq!(house.post("scan", &format!("{{\"n\":{n}}}")).status, 200, "{n}");
    }
}

#[test]
fn refusals_that_are_only_counted_can_be_seen() {
    let house = House::new();
    house.apply(&PLAIN.replace("TARGET", "http://127.0.0.1:9"));
    house.serve();
    let counted = || {
        house.post("in", "{");
        let flow = &house.json(&["integrations", "show", "plain"])["flows"][0];
        flow["only_counted"].as_u64().filter(|n| *n > 0)
    };
    for _ in 0..200 {
        house.post("in", "{");
    }
    wait_for("the count", counted);
    let said = house.run(&["doctor"]);
    assert!(said.contains("refused requests of the last day were counted and not stored"), "{said}");
    let said = house.run(&["integrations", "show", "plain"]);
    assert!(said.contains("refused requests were counted and not stored"), "{said}");
}
