//! `on_timeout = "abort"` where its sender is gone: it hung up, or the process that it waited on died.

use super::common::{House, call, wait_for};
use serde_json::Value;
use std::io::Write as _;
use std::net::TcpStream;
use std::thread::scope;

const DOCUMENT: &str = r#"
name = "overdue"
[[flow]]
name = "Soon"
[flow.trigger]
type = "webhook"
path = "soon"
auth = { type = "none" }
reply = "wait"
timeout = "2s"
on_timeout = "abort"
[[flow.step]]
name = "rest"
type = "delay"
for = "1h"
[[flow]]
name = "Answers"
[flow.trigger]
type = "webhook"
path = "answers"
auth = { type = "none" }
reply = "wait"
timeout = "2s"
on_timeout = "abort"
[[flow.step]]
name = "answer"
type = "respond"
[[flow.step]]
name = "rest"
type = "delay"
for = "1h"
[[flow]]
name = "Stops"
[flow.trigger]
type = "webhook"
path = "stops"
auth = { type = "none" }
reply = "wait"
timeout = "2s"
on_timeout = "abort"
[[flow.step]]
name = "book"
type = "set"
outputs = { line = "{{ error('no budget line') }}" }
[[flow.step]]
name = "rest"
type = "delay"
for = "1h"
[[flow]]
name = "Goes on"
[flow.trigger]
type = "webhook"
path = "goes-on"
auth = { type = "none" }
reply = "wait"
timeout = "2s"
[[flow.step]]
name = "rest"
type = "delay"
for = "1h"
"#;

fn send(house: &House, path: &str, prefer: &str) -> TcpStream {
    let mut stream = TcpStream::connect(house.addr()).unwrap();
    let head = format!(
        "POST /in/{path} HTTP/1.1\r\nHost: a\r\n{prefer}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// The runs of a flow, oldest first.
fn runs(house: &House, flow: &str) -> Vec<Value> {
    let mut runs = house.json(&["runs", "ls", &format!("flow=\"{flow}\"")]).as_array().unwrap().clone();
    runs.reverse();
    runs
}

fn waits(house: &House, flow: &str, count: usize) {
    wait_for("the runs to wait", || {
        let runs = runs(house, flow);
        (runs.len() == count && runs.iter().all(|run| run["state"] == "waiting")).then_some(())
    });
}

fn aborted(house: &House, flow: &str) -> Value {
    let run = wait_for("the run to be aborted", || {
        runs(house, flow).into_iter().find(|run| run["state"] == "aborted")
    });
    assert_eq!(run["cause"], "aborted by on_timeout: not finished within 2.0s", "{run}");
    run
}

#[test]
fn after_a_kill_runs_end_with_the_time_of_their_senders() {
    let house = House::new();
    house.apply(DOCUMENT);
    house.serve();
    // One that stopped, which its sender was told, and that a person then took up again.
    let stopped = house.post("stops", "{}");
    assert_eq!(stopped.status, 502, "{}", stopped.body);
    house.run(&["runs", "skip", stopped.json()["run"].as_str().unwrap(), "--reason", "booked by hand"]);
    waits(&house, "Stops", 1);
    let senders = [send(&house, "soon", ""), send(&house, "goes-on", "")];
    // Who asks to be told later sees no end of the run, and causes none.
    assert_eq!(
        call(house.addr(), "POST", "/in/soon", &[("Prefer", "respond-async")], b"").unwrap().status,
        202
    );
    assert_eq!(call(house.addr(), "POST", "/in/answers", &[], b"").unwrap().status, 200);
    waits(&house, "Soon", 2);
    waits(&house, "Goes on", 1);
    waits(&house, "Answers", 1);
    house.kill();
    drop(senders);
    house.serve();
    aborted(&house, "Soon");
    let left: Vec<Value> = runs(&house, "Soon").into_iter().filter(|run| run["state"] == "waiting").collect();
    assert_eq!(left.len(), 1, "one asked to be told later");
    // By now the others' time is up as well.
    waits(&house, "Goes on", 1);
    waits(&house, "Answers", 1);
    waits(&house, "Stops", 1);
    house.run(&["doctor"]);
}

#[test]
fn a_run_ends_with_the_time_of_a_sender_that_hung_up() {
    let house = House::new();
    house.apply(DOCUMENT);
    house.serve();
    scope(|scope| {
        scope.spawn(|| drop(send(&house, "soon", "")));
    });
    aborted(&house, "Soon");
    assert_eq!(runs(&house, "Soon").len(), 1);
}
