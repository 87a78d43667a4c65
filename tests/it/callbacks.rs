//! The promise made by a 202: finished by one POST to its URL, over a kill, early, late and twice.

use super::common::{Arrived, House, Target, call_back, wait_for};
use serde_json::Value;
use std::sync::{Arc, Mutex};

fn document(target: &str, more: &str) -> String {
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
outputs = {{ document = "body.document" }}
{more}
[[flow.step]]
name = "mail"
type = "request"
url = "{target}/mail"
json = {{ document = "{{{{ steps.archive.outputs.document }}}}", state = "{{{{ steps.archive.state }}}}" }}
"#
    )
}

/// A target whose `/archive` answers 202.
fn target() -> Target {
    Target::new(|arrived| match arrived.path.as_str() {
        "/archive" => (202, r#"{"job":"4471"}"#.into()),
        _ => (200, "{}".into()),
    })
}

fn to(target: &Target, path: &str) -> Vec<Arrived> {
    target.arrived().into_iter().filter(|arrived| arrived.path == path).collect()
}

/// The URL that the target was given, once it was called.
fn response_url(target: &Target) -> String {
    wait_for("the callback's URL", || {
        to(target, "/archive").last().and_then(|arrived| arrived.header("x-response-url").map(str::to_owned))
    })
}

fn run_in(house: &House, state: &str) -> Value {
    wait_for(&format!("a run that is {state}"), || {
        house.json(&["runs", "ls", &format!("state:{state}")]).as_array().unwrap().first().cloned()
    })
}

#[test]
fn a_waiting_step_survives_a_kill_and_is_finished_by_one_post() {
    let (house, target) = (House::new(), target());
    house.apply(&document(&target.url(), ""));
    house.serve();
    assert_eq!(house.post("forms", r#"{"name":"J. Ortiz"}"#).status, 200);
    let url = response_url(&target);
    let run = run_in(&house, "waiting");
    let sent = &to(&target, "/archive")[0];
    assert_eq!(sent.body, r#"{"name":"J. Ortiz"}"#);
    assert_eq!(sent.header("idempotency-key").unwrap(), format!("{}.archive", run["id"].as_str().unwrap()));
    assert_eq!(sent.header("pointsman-attempt"), Some("1"));
    assert_eq!(sent.header("pointsman-hops"), Some("1"));

    house.kill();
    house.serve();
    assert_eq!(run_in(&house, "waiting")["id"], run["id"]);
    // Malformed codes leave it waiting.
    for code in ["abc", "202", "199", "600", "20 0", ""] {
        assert_eq!(call_back(&url, Some(code), "{}").status, 400, "{code:?}");
    }
    let body = r#"{"document":"88102"}"#;
    assert_eq!(call_back(&url, Some("201"), body).status, 200);
    assert_eq!(run_in(&house, "succeeded")["id"], run["id"]);
    assert_eq!(to(&target, "/mail")[0].body, r#"{"document":"88102","state":"succeeded"}"#);
    // The same again is 200, another is 409.
    assert_eq!(call_back(&url, Some("201"), body).status, 200);
    assert_eq!(call_back(&url, Some("200"), body).status, 409);
    assert_eq!(call_back(&url, Some("201"), "{}").status, 409);
    assert_eq!(to(&target, "/mail").len(), 1);
    let callback = &house.json(&["callbacks", "ls"])[0];
    assert_eq!((callback["state"].as_str(), callback["status"].as_u64()), (Some("received"), Some(201)));
}

#[test]
fn a_callback_that_overtakes_its_202_is_not_lost() {
    let house = House::new();
    let answers: Arc<Mutex<Vec<u16>>> = Arc::default();
    let seen = answers.clone();
    let target = Target::new(move |arrived| match arrived.header("x-response-url") {
        Some(url) => {
            // Answered before the 202 leaves.
            seen.lock().unwrap().push(call_back(url, None, r#"{"document":"1"}"#).status);
            (202, "{}".into())
        }
        None => (200, "{}".into()),
    });
    house.apply(&document(&target.url(), ""));
    house.serve();
    assert_eq!(house.post("forms", "{}").status, 200);
    run_in(&house, "succeeded");
    assert_eq!(*answers.lock().unwrap(), [200]);
    assert_eq!(to(&target, "/mail")[0].body, r#"{"document":"1","state":"succeeded"}"#);
}

#[test]
fn unknown_tokens_are_404_and_a_retry_voids_the_old_one() {
    let (house, target) = (House::new(), target());
    house.apply(&document(&target.url(), ""));
    house.serve();
    house.post("forms", "{}");
    let url = response_url(&target);
    let run = run_in(&house, "waiting")["id"].as_str().unwrap().to_owned();
    let mut forged = url.clone();
    forged.replace_range(url.len() - 1.., if url.ends_with('A') { "B" } else { "A" });
    for unknown in [
        format!("{url}x"),
        forged,
        url.replace("/callback/", "/callback/A"),
        format!("http://{}/callback/", house.addr()),
    ] {
        assert_eq!(call_back(&unknown, None, "{}").status, 404, "{unknown}");
    }
    house.run(&["runs", "retry", &run, "--reason", "again"]);
    wait_for("the second attempt", || (to(&target, "/archive").len() == 2).then_some(()));
    assert_eq!(call_back(&url, None, "{}").status, 410);
    let keys: Vec<String> = to(&target, "/archive")
        .iter()
        .map(|arrived| arrived.header("idempotency-key").unwrap().to_owned())
        .collect();
    assert_eq!(keys[0], keys[1]);
    run_in(&house, "waiting");
    let second = response_url(&target);
    assert_ne!(second, url);
    assert_eq!(call_back(&second, None, "{}").status, 200);
    run_in(&house, "succeeded");
}

#[test]
fn a_code_that_is_no_success_and_a_deadline_are_failures_of_the_step() {
    let (house, target) = (House::new(), target());
    house.apply(&document(&target.url(), "callback_deadline = \"1s\""));
    house.serve();
    house.post("forms", "{}");
    let url = response_url(&target);
    let run = run_in(&house, "errored");
    let callback = &house.json(&["callbacks", "ls"])[0];
    assert_eq!(callback["state"], "expired", "{callback}");
    assert_eq!(call_back(&url, None, "{}").status, 410);
    house.run(&["runs", "retry", run["id"].as_str().unwrap()]);
    wait_for("the second attempt", || (to(&target, "/archive").len() == 2).then_some(()));
    let second = response_url(&target);
    let answer = call_back(&second, Some("500"), r#"{"error":"no room"}"#);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let errored = run_in(&house, "errored");
    assert!(errored["cause"].as_str().unwrap().contains("500"), "{errored}");
    assert!(to(&target, "/mail").is_empty());
}

#[test]
fn the_url_is_shown_to_those_who_ask_and_nowhere_else() {
    let (house, target) = (House::new(), target());
    house.apply(&document(&target.url(), ""));
    house.serve();
    house.post("forms", "{}");
    let url = response_url(&target);
    let run = run_in(&house, "waiting")["id"].as_str().unwrap().to_owned();
    let token = url.rsplit('/').next().unwrap();
    let shown = house.run(&["runs", "show", &run, "--output", "json"]);
    assert!(!shown.contains(token) && shown.contains("/callback/•••"), "{shown}");
    let listed = house.run(&["callbacks", "ls", "--output", "json"]);
    assert!(!listed.contains(token));
    let id = house.json(&["callbacks", "ls"])[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(house.json(&["callbacks", "show", &id])["url"].as_str(), Some(url.as_str()));
    let audit = house.run(&["audit", "ls", "--output", "json"]);
    assert!(audit.contains("anna") && !audit.contains(token), "{audit}");
    assert!(!house.log().contains(token));
    // Nothing in the store can be used as one.
    house.stop();
    for entry in std::fs::read_dir(house.data()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
    }
}

#[test]
fn without_a_202_the_answer_decides() {
    let house = House::new();
    let target = Target::new(|_| (200, r#"{"document":"7"}"#.into()));
    house.apply(&document(&target.url(), ""));
    house.serve();
    house.post("forms", "{}");
    let url = response_url(&target);
    run_in(&house, "succeeded");
    assert_eq!(to(&target, "/mail")[0].body, r#"{"document":"7","state":"succeeded"}"#);
    assert_eq!(call_back(&url, None, "{}").status, 410);
}

#[test]
fn people_complete_extend_and_cancel_what_nobody_answers() {
    let (house, target) = (House::new(), target());
    house.apply(&document(&target.url(), ""));
    house.serve();
    for order in 1..=4 {
        assert_eq!(house.post("forms", &format!("{{\"n\":{order}}}")).status, 200);
    }
    let listed = wait_for("four that wait", || {
        let listed = house.json(&["callbacks", "ls", "state:pending"]);
        listed.as_array().filter(|rows| rows.len() == 4).cloned()
    });
    let id = |at: usize| listed[at]["id"].as_str().unwrap();
    let state = |at: usize| house.json(&["callbacks", "show", id(at)])["state"].as_str().unwrap().to_owned();

    // Completed: the run goes on with what was given; the other side comes too late.
    let shown = house.json(&["callbacks", "show", id(0)]);
    let plan = house.json(&["callbacks", "complete", id(0), "--body", "{}", "--dry-run"]);
    assert!(plan["lines"][0].as_str().unwrap().contains("goes on with mail"), "{plan}");
    assert_eq!(state(0), "pending", "a plan does nothing");
    house.run(&["callbacks", "complete", id(0), "--body", "{\"document\":\"D-7\"}", "--reason", "by phone"]);
    wait_for("its run to end", || {
        let run = house.json(&["runs", "show", shown["run"].as_str().unwrap()]);
        (run["state"] == "succeeded").then_some(())
    });
    assert_eq!(to(&target, "/mail")[0].body, "{\"document\":\"D-7\",\"state\":\"succeeded\"}");
    let url = shown["url"].as_str().unwrap();
    assert_eq!(call_back(url, None, "{}").status, 409);
    assert_eq!(call_back(url, None, "{\"document\":\"D-7\"}").status, 200, "the same answer again");
    let audit = house.run(&["audit", "ls", "--output", "json"]);
    assert!(audit.contains("\"complete\"") && audit.contains("by phone"), "{audit}");

    // Extended, by as much as was said.
    let before = house.json(&["callbacks", "show", id(1)])["deadline"].as_str().unwrap().to_owned();
    house.run(&["callbacks", "extend", id(1), "--by", "1d"]);
    let after = house.json(&["callbacks", "show", id(1)])["deadline"].as_str().unwrap().to_owned();
    assert!(after > before && after[10..] == before[10..], "{before} and {after}");

    // Cancelled, the rest by a filter; a late POST is told so.
    let url = house.json(&["callbacks", "show", id(2)])["url"].as_str().unwrap().to_owned();
    house.run(&["callbacks", "cancel", "--filter", "state:pending", "--yes", "--reason", "the office moved"]);
    assert_eq!([state(1), state(2), state(3)], ["cancelled"; 3]);
    assert_eq!(call_back(&url, None, "{}").status, 410);
    let errored = house.json(&["runs", "ls", "state:errored"]);
    assert_eq!(errored.as_array().unwrap().len(), 3);
    assert!(errored[0]["cause"].as_str().unwrap().contains("the office moved"), "{errored}");
    let fails = |args: &[&str]| house.try_run(args).status.code();
    // What was cancelled can still be completed; what is over cannot.
    house.run(&["callbacks", "complete", id(2), "--body", "{\"document\":\"D-9\"}"]);
    assert_eq!(fails(&["callbacks", "extend", id(0), "--by", "1d"]), Some(4));
    assert_eq!(fails(&["callbacks", "complete", id(3), "--status", "202"]), Some(2));
    assert_eq!(fails(&["callbacks", "cancel", "018f00000000"]), Some(3));
}
