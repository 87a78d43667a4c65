//! The real binary under another clock (`faketime`): retention, windows, a clock that goes back.

use super::common::{House, Target, wait_for};
use std::process::Command;

const DOCUMENT: &str = r#"
name = "aging"
[[flow]]
name = "Done"
[flow.trigger]
type = "webhook"
path = "done"
auth = { type = "none" }
dedup = { fields = ["body.n"] }
[[flow.step]]
name = "push"
type = "request"
url = "TARGET/done"
json = { n = "{{ request.body.n }}" }
[[flow]]
name = "Waits"
[flow.trigger]
type = "webhook"
path = "waits"
auth = { type = "none" }
[[flow.step]]
name = "pause"
type = "delay"
for = "300d"
"#;

fn faketime() -> bool {
    let works = Command::new("faketime").args(["-f", "+1d", "true"]).output();
    works.is_ok_and(|output| output.status.success())
}

fn size(house: &House) -> u64 {
    let entries = std::fs::read_dir(house.data()).unwrap().map(|entry| entry.unwrap());
    entries
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "db"))
        .map(|entry| entry.metadata().unwrap().len())
        .sum()
}

#[test]
fn after_thirty_one_days_what_is_finished_is_gone_and_what_waits_is_there() {
    assert!(faketime(), "faketime is needed: ./tests/run installs it");
    let (mut house, target) = (House::new(), Target::fine());
    house.apply(&DOCUMENT.replace("TARGET", &target.url()));
    house.serve();
    let pad = "x".repeat(1_000_000);
    for n in 0..10 {
        assert_eq!(house.post("done", &format!(r#"{{"n":{n},"pad":"{pad}"}}"#)).status, 200);
    }
    let waiting = house.post("waits", "{}").json()["run"].as_str().unwrap().to_owned();
    wait_for("ten runs to succeed", || {
        (house.json(&["runs", "ls", "state:succeeded"]).as_array().unwrap().len() == 10).then_some(())
    });
    assert_eq!(house.stop(), Some(0));
    let before = size(&house);
    house.run_under(&["faketime", "-f", "+31d"]);
    house.serve();
    let left = wait_for("retention", || {
        let left = house.json(&["runs", "ls"]);
        (left.as_array().unwrap().len() == 1).then_some(left)
    });
    assert_eq!(
        (left[0]["id"].as_str(), left[0]["state"].as_str()),
        (Some(waiting.as_str()), Some("waiting"))
    );
    let requests = house.json(&["requests", "ls"]);
    assert_eq!(requests.as_array().unwrap().len(), 1, "{requests}");
    wait_for("the file to shrink", || (size(&house) < before / 2).then_some(()));
    // A key of more than seven days ago has lapsed.
    assert_eq!(house.post("done", r#"{"n":1}"#).status, 200);
    house.run(&["doctor"]);
}

#[test]
fn a_clock_that_goes_back_loses_no_key_and_no_order() {
    assert!(faketime(), "faketime is needed: ./tests/run installs it");
    let (mut house, target) = (House::new(), Target::fine());
    house.apply(&DOCUMENT.replace("TARGET", &target.url()));
    house.serve();
    let first = house.post("done", r#"{"n":1}"#).json()["request"].as_str().unwrap().to_owned();
    house.stop();
    house.run_under(&["faketime", "-f", "-2d"]);
    house.serve();
    let again = house.post("done", r#"{"n":1}"#);
    assert_eq!((again.status, again.header("pointsman-duplicate-of")), (204, Some(first.as_str())));
    let second = house.post("done", r#"{"n":2}"#).json()["request"].as_str().unwrap().to_owned();
    assert!(second > first, "ids never go back");
    let told = house.run(&["doctor"]);
    assert!(told.contains("clock"), "{told}");
    wait_for("both runs", || {
        (house.json(&["runs", "ls", "state:succeeded"]).as_array().unwrap().len() == 2).then_some(())
    });
}
