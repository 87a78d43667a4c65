//! What is done on the screens by hand, with the real binary in a real terminal: flows tried out, values
//! set, integrations removed.

use super::common::{House, Target, call, wait_for};
use super::terminal::Terminal;
use serde_json::json;
use std::net::SocketAddr;

const RIGHT: &str = "\x1b[C";

fn house(url: &str) -> House {
    let house = House::new();
    house.apply(&format!(
        r#"
name = "shop"
title = "Shop orders"
[[variable]]
name = "token"
type = "secret"
[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = {{ type = "none" }}
dedup = {{ fields = ["body.no"] }}
[[flow.step]]
name = "push"
type = "request"
method = "POST"
url = "{url}/push"
json = {{ no = "{{{{ request.body.no }}}}" }}
outputs = {{ id = "body.id" }}
"#
    ));
    house
}

/// The receiver with its console, and where it listens.
fn console(house: &House) -> (Terminal, SocketAddr) {
    let addr = super::common::free();
    let terminal = Terminal::start(&house.data(), &["run", "--listen", &addr.to_string()], 40, 140);
    terminal.expect("Requests");
    (terminal, addr)
}

/// A console on the list of requests, with one that was accepted and ran.
fn with_a_request(house: &House, target: &Target) -> Terminal {
    let (mut terminal, addr) = console(house);
    let json = [("Content-Type", "application/json")];
    assert_eq!(call(addr, "POST", "/in/orders", &json, br#"{"no": 41}"#).unwrap().status, 200);
    wait_for("the run of the request", || (target.arrived().len() == 1).then_some(()));
    terminal.keys("2");
    terminal.until("the request", |screen| screen.contains("Requests ›") && screen.contains("✓ accepted"));
    terminal
}

#[test]
fn a_step_is_called_and_a_flow_run_as_a_test_from_the_keyboard() {
    let target = Target::new(|_| (200, json!({"id": 7}).to_string()));
    let house = house(&target.url());
    let mut terminal = with_a_request(&house, &target);
    terminal.keys("t");
    terminal.expect("it would end succeeded");
    terminal.keys(RIGHT);
    terminal.expect("(•) really call push once");
    terminal.keys("\r");
    terminal.expect("Really makes the call of push");
    terminal.keys("\r");
    terminal.expect("called push");
    wait_for("the call", || (target.arrived().len() == 2).then_some(()));
    terminal.expect("remembered");
    terminal.keys(&format!("{RIGHT}{RIGHT}"));
    terminal.expect("(•) real test run");
    terminal.keys("\r");
    terminal.expect("Really runs shop / Orders");
    terminal.keys("\r");
    terminal.until("the run", |screen| screen.contains("Timeline") && screen.contains("succeeded"));
    assert_eq!(wait_for("the test run", || (target.arrived().len() == 3).then_some(3)), 3);
    let runs = house.json(&["runs", "ls"]);
    let tests = runs.as_array().unwrap().iter().filter(|run| run["test"] == true).count();
    assert_eq!(tests, 1, "{runs}");
}

#[test]
fn a_sample_that_was_saved_is_tried_and_no_other_file_is_read() {
    let target = Target::fine();
    let house = house(&target.url());
    let mut terminal = with_a_request(&house, &target);
    terminal.keys("t");
    terminal.expect("it would end");
    terminal.keys("S");
    terminal.expect("Saved as a sample");
    terminal.settled();
    // The line of the sample, and to its last choice.
    terminal.keys("\t\t");
    terminal.keys(RIGHT);
    terminal.expect("saved shop-orders-");
    terminal.expect("a sample · accepted");
    assert_eq!(target.arrived().len(), 1, "nothing was sent");
}

#[test]
fn a_secret_is_set_behind_a_mask_and_an_integration_removed_by_hand() {
    let house = house("http://127.0.0.1:9");
    let (mut terminal, _) = console(&house);
    terminal.keys("5");
    terminal.expect("Integrations · 1");
    terminal.keys("G");
    terminal.expect("shop · values");
    terminal.keys("\te");
    terminal.expect("Set token of shop");
    terminal.keys("n3w-s3cret-value");
    let screen = terminal.expect("would set token = •••");
    assert!(!screen.contains("n3w-s3cret"), "{screen}");
    terminal.keys("\r");
    terminal.until("who set it", |screen| screen.contains("••• set ") && screen.contains(" by anna"));
    assert!(!house.run(&["audit", "ls"]).contains("n3w-s3cret"));
    terminal.keys("\x1b[Z");
    terminal.keys("X");
    terminal.until("what stops", |screen| {
        screen.contains("Remove shop") && screen.contains("Orders takes no more requests (/in/orders)")
    });
    terminal.keys("\r");
    terminal.until("it is kept", |screen| !screen.contains("Remove shop"));
    assert_eq!(house.json(&["integrations", "ls"]).as_array().unwrap().len(), 1);
    terminal.keys("X");
    terminal.expect("would be removed");
    terminal.keys(&format!("the shop closed{RIGHT}"));
    terminal.expect("[ Remove ]");
    terminal.keys("\r");
    terminal.expect("shop is removed");
    assert_eq!(house.json(&["integrations", "ls"]), json!([]));
}
