//! Jobs that halt after failures in a row: a dead target gets no more than that, also over a kill;
//! a person lets them go on, or stops them; and what became of their runs is told.

use super::{by_attempt, errored, newest_job, of_state};
use crate::common::{House, Target, wait_for};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

/// Retries all errored runs; the command's exit code and what it said.
fn retry(house: &House, more: &[&str]) -> (Option<i32>, String) {
    let args = [&["runs", "retry", "--filter", "state:errored", "--yes"][..], more].concat();
    let out = house.try_run(&args);
    (out.status.code(), String::from_utf8(out.stderr).unwrap())
}

/// Second attempts that arrived.
fn again(target: &Target) -> usize {
    by_attempt(target).keys().filter(|(_, attempt)| attempt == "2").count()
}

fn ended(house: &House, state: &str) -> Value {
    wait_for(&format!("the job to be {state}"), || {
        let job = newest_job(house);
        (job["state"] == state).then_some(job)
    })
}

#[test]
fn a_dead_target_gets_as_many_as_may_fail_and_the_job_goes_on_when_a_person_says_so() {
    let (house, target, well) = errored(40);
    let (code, said) = retry(&house, &["--stop-after", "5", "--reason", "try again"]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("halted after 5 failures in a row"), "{said}");
    assert!(said.contains("pointsman jobs resume "), "{said}");
    assert_eq!(again(&target), 5, "and not one more");
    let job = newest_job(&house);
    let figures = ["state", "done", "left", "stop_after"].map(|name| job[name].clone());
    assert_eq!(figures, [json!("halted"), json!(5), json!(35), json!(5)], "{job}");
    assert_eq!(job["outcomes"]["errored"], 5, "{job}");
    assert_eq!(job["outcomes"]["causes"][0]["count"], 5);
    assert!(job["outcomes"]["causes"][0]["why"].as_str().unwrap().contains("404"), "{job}");
    let id = job["id"].as_str().unwrap();
    let text = house.run(&["jobs", "show", id]);
    assert!(text.contains("errored again 5: 5 × "), "{text}");
    assert!(text.contains("halts after   5 failures in a row"), "{text}");

    let out = house.try_run(&["jobs", "resume", id, "--dry-run"]);
    let would = String::from_utf8(out.stderr).unwrap();
    assert!(would.contains("goes on with the 35 left"), "{would}");
    assert_eq!(newest_job(&house)["state"], "halted");
    well.store(true, Ordering::SeqCst);
    house.run(&["jobs", "resume", id, "--reason", "the target is back"]);
    let job = ended(&house, "done");
    assert_eq!((&job["done"], &job["left"]), (&json!(40), &json!(0)), "{job}");
    wait_for("what is left to succeed", || (of_state(&house, "succeeded") == 35).then_some(()));
    let outcomes = &house.json(&["jobs", "show", id])["outcomes"];
    assert_eq!((&outcomes["succeeded"], &outcomes["errored"]), (&json!(35), &json!(5)), "{outcomes}");
    let text = house.run(&["jobs", "show", id]);
    assert!(text.contains("runs now      succeeded 35"), "{text}");
    let audit = house.json(&["audit", "ls", "verb:resume"]);
    assert_eq!((&audit[0]["target"], &audit[0]["reason"]), (&json!(id), &json!("the target is back")));
    assert_eq!(house.try_run(&["jobs", "resume", id]).status.code(), Some(4), "it has ended");
}

#[test]
fn failures_before_a_kill_and_after_it_are_one_row() {
    let (house, target, _well) = errored(30);
    let started = ["runs", "retry", "--filter", "state:errored", "--yes", "--detach"];
    house.run(&[&started[..], &["--stop-after", "6", "--rate", "4/s"]].concat());
    wait_for("a part of them", || (again(&target) >= 3).then_some(()));
    house.kill();
    let before = again(&target);
    assert!((3..6).contains(&before), "it was in the middle: {before}");
    house.serve();
    let job = ended(&house, "halted");
    assert_eq!(job["stop_after"], 6, "{job}");
    // What the kill cut off says nothing of the target, and may have arrived.
    let errored = house.json(&["runs", "ls", "state:errored", "--limit", "0"]);
    let cut = |run: &&Value| run["cause"].as_str().unwrap().contains("may have been delivered");
    let cut = errored.as_array().unwrap().iter().filter(cut).count();
    assert!((6..=6 + cut).contains(&again(&target)), "{} arrived, {cut} were cut off", again(&target));
    assert_eq!(job["outcomes"]["errored"], json!(6 + cut), "{job}");

    // One that halted is still so for the next process, and may be stopped.
    house.stop();
    house.serve();
    assert_eq!(newest_job(&house)["state"], "halted");
    let id = job["id"].as_str().unwrap();
    house.run(&["jobs", "stop", id, "--reason", "enough"]);
    let job = newest_job(&house);
    assert_eq!((&job["state"], &job["stopped_by"]), (&json!("stopped"), &json!("anna")), "{job}");
    assert_eq!(of_state(&house, "errored"), 30);
}

#[test]
fn without_a_bound_all_are_tried_and_a_bound_has_bounds() {
    let (house, target, _well) = errored(12);
    let (code, said) = retry(&house, &["--rate", "1000/s"]);
    assert_eq!(code, Some(0), "{said}");
    wait_for("all of them", || (again(&target) == 12).then_some(()));
    for wrong in ["0", "1001", "x"] {
        assert_eq!(retry(&house, &["--stop-after", wrong]).0, Some(2), "{wrong}");
    }
}
