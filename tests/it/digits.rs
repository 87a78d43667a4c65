//! What senders and targets send comes through store, socket and command line to the letter: digits,
//! exponents, and keys that mean something to a library.

use super::common::{House, Target, wait_for};

const FLOW: &str = r#"
name = "letters"
[[flow]]
name = "Letters"
[flow.trigger]
type = "webhook"
path = "letters"
auth = { type = "none" }
[[flow.step]]
name = "ask"
type = "request"
url = "URL"
json = "{{ request.body }}"
outputs = { all = "body" }
[[flow.step]]
name = "tell"
type = "request"
url = "URL"
json = "{{ steps.ask.outputs.all }}"
"#;

#[test]
fn a_payload_is_shown_kept_and_sent_on_as_it_was_written() {
    let payload = concat!(
        r#"{"n":[1e0,-0,1E+05,1.10,98765432109876543210],"#,
        r#""a":{"$serde_json::private::Number":"x"},"#,
        r#""b":{"$serde_json::private::Number":"12"},"#,
        r#""c":{"$serde_json::private::RawValue":"[1]"}}"#
    );
    let (house, target) = (House::new(), Target::new(move |_| (200, payload.into())));
    house.apply(&FLOW.replace("URL", &target.url()));
    house.serve();
    let sent = house.post("letters", payload).json();
    let run = sent["run"].as_str().unwrap();
    wait_for("the run to end", || {
        let shown = house.run(&["runs", "show", run, "--output", "jsonl"]);
        shown.contains(r#""state":"succeeded","cause""#).then(|| {
            assert!(shown.contains(&format!(r#""outputs":{{"all":{payload}}}"#)), "{shown}");
        })
    });
    let bodies: Vec<String> = target.arrived().into_iter().map(|one| one.body).collect();
    assert_eq!(bodies, [payload, payload]);
    let request = sent["request"].as_str().unwrap();
    let shown = house.run(&["requests", "show", request, "--output", "jsonl"]);
    assert!(shown.contains(&format!(r#""body":{payload}"#)), "{shown}");
    assert!(shown.contains(r#""body.n[0]":1e0,"body.n[1]":-0,"#), "{shown}");
    // Edited, the rest stays as it was.
    house.run(&["requests", "replay", request, "--set", "body.n[3]=2.20", "--yes"]);
    let edited = payload.replace("1.10", "2.20");
    wait_for("the replay", || target.arrived().iter().any(|one| one.body == edited).then_some(()));
}
