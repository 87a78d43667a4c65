//! The board in a real terminal: an overdue callback is completed by keys, and its run goes on.

use crate::common::{House, Target, call_back, wait_for};
use crate::terminal::{RUN, Terminal};
use serde_json::Value;

fn document(target: &str) -> String {
    format!(
        r#"
name = "forms"
[[flow]]
name = "Submissions"
[flow.trigger]
type = "webhook"
path = "forms"
auth = {{ type = "none" }}
[[flow.step]]
name = "archive"
type = "send"
url = "{target}/archive"
callback_deadline = "8s"
outputs = {{ document = "body.document" }}
[[flow.step]]
name = "mail"
type = "request"
url = "{target}/mail"
json = {{ document = "{{{{ steps.archive.outputs.document }}}}" }}
"#
    )
}

fn run_in(house: &House, state: &str) -> Value {
    wait_for(&format!("a run that is {state}"), || {
        house.json(&["runs", "ls", &format!("state:{state}")]).as_array().unwrap().first().cloned()
    })
}

#[test]
fn an_overdue_callback_is_completed_by_keys_and_its_run_goes_on() {
    let target = Target::new(|arrived| match arrived.path.as_str() {
        "/archive" => (202, r#"{"job":"4471"}"#.into()),
        _ => (200, "{}".into()),
    });
    let house = House::new();
    house.apply(&document(&target.url()));
    house.serve();
    // One that is answered, so that there is a pattern for the one that is not.
    house.post("forms", r#"{"name":"J. Ortiz"}"#);
    let url = wait_for("the callback's URL", || {
        target.arrived().iter().find_map(|arrived| arrived.header("x-response-url").map(str::to_owned))
    });
    let token = url.rsplit('/').next().unwrap();
    assert_eq!(call_back(&url, None, r#"{"document":"88101"}"#).status, 200);
    run_in(&house, "succeeded");
    house.post("forms", r#"{"name":"M. Silva"}"#);
    let errored = run_in(&house, "errored");
    house.kill();

    let mut terminal = Terminal::start(&house.data(), RUN, 24, 80);
    terminal.until("the overdue callback at its tab", |screen| screen.contains("4 !1"));
    terminal.keys("4");
    let screen = terminal.expect("who must answer");
    assert!(screen.contains("late") && screen.contains("1 overdue"), "{screen}");
    let screen = terminal.expect("1 other to");
    assert!(screen.contains("/callback/•••") && !screen.contains(token), "{screen}");
    terminal.keys("c");
    terminal.expect("Complete archive of");
    terminal.until("the answer as the last one", |screen| {
        screen.contains(r#"{"document":"88101"}"#) && screen.contains("enter complete")
    });
    // At the status; to the body, whose number is another one here.
    terminal.keys("\t\x7f\x7f\x7f2\"}");
    terminal.until("what was typed to be asked about", |screen| {
        screen.contains(r#"{"document":"88102"}"#) && screen.contains("enter complete")
    });
    terminal.keys("\tconfirmed by phone");
    terminal.expect("confirmed by phone");
    terminal.keys("\r");
    terminal.expect("Completed archive of");
    terminal.expect("0 pending, 0 overdue");
    let mails = wait_for("both mails", || {
        let mails: Vec<_> = target.arrived().into_iter().filter(|arrived| arrived.path == "/mail").collect();
        (mails.len() == 2).then_some(mails)
    });
    assert_eq!(mails[1].body, r#"{"document":"88102"}"#);
    let id = errored["id"].as_str().unwrap();
    wait_for("the run's end", || {
        let run = house.json(&["runs", "show", id]);
        (run["state"] == "succeeded").then_some(())
    });
    let audit = house.json(&["audit", "ls"]);
    let entry = audit.as_array().unwrap().iter().find(|entry| entry["verb"] == "complete").unwrap();
    assert_eq!(
        (entry["reason"].as_str(), entry["door"].as_str()),
        (Some("confirmed by phone"), Some("console"))
    );
}
