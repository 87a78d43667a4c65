//! `concurrency`: order of arrival with 1, at most n at once with n, over kill -9 too.

use super::{document, push};
use crate::common::{House, Target, wait_for};
use serde_json::Value;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// What a target saw: how many exchanges were under way at once, at most.
#[derive(Default)]
struct Seen {
    now: Mutex<(usize, usize)>,
    more: Condvar,
}

impl Seen {
    /// An exchange that stays until `wanted` are under way at once, or for some milliseconds.
    fn exchange(&self, wanted: usize, ms: u64) {
        let mut now = self.now.lock().unwrap();
        now.0 += 1;
        now.1 = now.1.max(now.0);
        self.more.notify_all();
        let (mut now, _) =
            self.more.wait_timeout_while(now, Duration::from_millis(ms), |now| now.0 < wanted).unwrap();
        now.0 -= 1;
    }

    fn most(&self) -> usize {
        self.now.lock().unwrap().1
    }
}

fn number(body: &str) -> i64 {
    serde_json::from_str::<Value>(body).unwrap()["n"].as_i64().unwrap()
}

fn numbers(target: &Target) -> Vec<i64> {
    target.arrived().iter().map(|arrived| number(&arrived.body)).collect()
}

fn send(house: &House, numbers: std::ops::Range<i64>) {
    for n in numbers {
        let answer = house.post("orders", &format!("{{\"n\":{n}}}"));
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

fn ended(house: &House, wanted: usize) {
    wait_for(&format!("{wanted} runs to end"), || {
        let open =
            house.json(&["runs", "ls", "state:queued or state:running or state:retrying", "--limit", "1"]);
        let done = house.json(&["runs", "ls", "state:succeeded", "--limit", "0"]).as_array().unwrap().len();
        (open.as_array().unwrap().is_empty() && done >= wanted).then_some(())
    });
}

#[test]
fn one_at_a_time_arrives_in_order() {
    let seen = Arc::new(Seen::default());
    let target = {
        let seen = Arc::clone(&seen);
        Target::new(move |_| {
            seen.exchange(2, 4);
            (200, "{}".into())
        })
    };
    let house = House::new();
    house.apply(&document("concurrency = 1", &push(&target.url(), "")));
    house.serve();
    send(&house, 0..200);
    ended(&house, 200);
    assert_eq!(numbers(&target), (0..200).collect::<Vec<_>>());
    assert_eq!(seen.most(), 1, "never two at once");
}

#[test]
fn who_retries_holds_the_lane_and_who_is_errored_does_not() {
    let tries = Mutex::new(0);
    let target = Target::new(move |arrived| match number(&arrived.body) {
        3 => {
            let mut tries = tries.lock().unwrap();
            *tries += 1;
            (if *tries < 3 { 503 } else { 200 }, "{}".into())
        }
        5 => (400, "{}".into()),
        _ => (200, "{}".into()),
    });
    let house = House::new();
    house.apply(&document(
        "concurrency = 1",
        &push(&target.url(), "retry = { attempts = 5, delay = \"100ms\", backoff = \"fixed\" }"),
    ));
    house.serve();
    send(&house, 0..10);
    ended(&house, 9);
    assert_eq!(numbers(&target), [0, 1, 2, 3, 3, 3, 4, 5, 6, 7, 8, 9]);
    let errored = house.json(&["runs", "ls", "state:errored"]);
    assert_eq!(errored.as_array().unwrap().len(), 1);
    house.run(&["runs", "retry", errored[0]["id"].as_str().unwrap()]);
    wait_for("the retry", || (numbers(&target).len() == 13).then_some(()));
    assert_eq!(numbers(&target)[12], 5);
}

#[test]
fn order_holds_over_kill_9() {
    let target = Target::fine();
    let house = House::new();
    house.apply(&document("concurrency = 1", &push(&target.url(), "idempotent = true")));
    house.serve();
    let mut sent = 0;
    for _ in 0..4 {
        send(&house, sent..sent + 40);
        sent += 40;
        house.kill();
        house.serve();
    }
    ended(&house, 160);
    let mut first_seen: Vec<i64> = Vec::new();
    let arrived = numbers(&target);
    for n in &arrived {
        if !first_seen.contains(n) {
            first_seen.push(*n);
        }
    }
    assert_eq!(first_seen, (0..160).collect::<Vec<_>>(), "{arrived:?}");
    // A repeat is only ever of the one that was under way when the process died.
    let mut latest = -1;
    for n in arrived {
        assert!(n >= latest, "{n} came after {latest}");
        latest = latest.max(n);
    }
}

#[test]
fn three_at_once_are_three_and_never_four() {
    let seen = Arc::new(Seen::default());
    let target = {
        let seen = Arc::clone(&seen);
        Target::new(move |_| {
            seen.exchange(4, 30);
            (200, "{}".into())
        })
    };
    let house = House::new();
    house.apply(&document("concurrency = 3", &push(&target.url(), "idempotent = true")));
    house.serve();
    send(&house, 0..60);
    house.kill();
    // What was under way when the process died is at the target still.
    wait_for("the target to be idle", || (seen.now.lock().unwrap().0 == 0).then_some(()));
    house.serve();
    send(&house, 60..120);
    ended(&house, 120);
    assert_eq!(seen.most(), 3);
}

#[test]
fn a_bound_that_is_taken_away_lets_all_go_and_one_that_comes_later_counts() {
    let seen = Arc::new(Seen::default());
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let target = {
        let (seen, gate) = (Arc::clone(&seen), Arc::clone(&gate));
        Target::new(move |_| {
            seen.exchange(1, 0);
            drop(gate.1.wait_while(gate.0.lock().unwrap(), |open| !*open).unwrap());
            (200, "{}".into())
        })
    };
    let house = House::new();
    house.apply(&document("concurrency = 1", &push(&target.url(), "")));
    house.serve();
    send(&house, 0..5);
    wait_for("the first", || (target.arrived().len() == 1).then_some(()));
    assert_eq!(house.json(&["runs", "ls", "state:queued"]).as_array().unwrap().len(), 4);
    house.apply(&document("", &push(&target.url(), "")));
    wait_for("all of them", || (target.arrived().len() == 5).then_some(()));
    house.apply(&document("concurrency = 2", &push(&target.url(), "")));
    send(&house, 5..8);
    assert_eq!(
        house.json(&["runs", "ls", "state:queued"]).as_array().unwrap().len(),
        3,
        "five are under way"
    );
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    ended(&house, 8);
}
