//! Pausing: 503, or accepting and holding; over restarts; ending by itself; told where people look.

use super::{document, push};
use crate::common::{House, Target, wait_for};
use serde_json::json;

#[test]
fn a_paused_flow_answers_503_until_it_is_resumed() {
    let house = House::new();
    house.apply(&document("allow_from = [\"203.0.113.0/24\"]", ""));
    house.serve();
    assert_eq!(house.post("orders", "{}").status, 403);
    house.run(&["integrations", "pause", "shop/Orders", "--dry-run"]);
    assert_eq!(house.post("orders", "{}").status, 403, "nothing was done");
    house.run(&["integrations", "pause", "shop", "--reason", "maintenance", "--for", "1h", "--yes"]);
    let answer = house.post("orders", "not json");
    assert_eq!(answer.status, 503, "judged before the address");
    assert!(!answer.body.contains("paused"), "the reason is for the operator: {answer:?}");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((3_500..=3_600).contains(&wait), "{wait}");
    let stored = house.json(&["requests", "show", answer.header("pointsman-request-id").unwrap()]);
    assert_eq!(
        (&stored["verdict"], &stored["status"], &stored["cause"]),
        (&json!("rejected"), &json!(503), &json!("paused"))
    );
    let looked = crate::common::get(house.addr(), "/in/orders").unwrap();
    assert_eq!(looked.status, 200, "a look at the endpoint is none of it");

    house.stop();
    house.serve();
    assert_eq!(house.post("orders", "{}").status, 503, "it survives a restart");
    let shown = house.json(&["integrations", "show", "shop"]);
    assert_eq!(shown["paused"]["hold"], false);
    assert!(shown["paused"]["until"].is_string(), "{shown}");
    assert_eq!(house.json(&["endpoints", "ls"])[0]["paused"]["hold"], false);
    assert!(house.run(&["integrations", "show", "shop"]).contains("paused until "));
    assert!(house.run(&["integrations", "ls"]).contains(" paused "));
    assert!(house.run(&["endpoints", "ls"]).contains(" paused "));
    let whole = house.try_run(&["integrations", "resume", "shop/Orders"]);
    assert_eq!(whole.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&whole.stderr).contains("pointsman integrations resume shop"));
    house.run(&["integrations", "resume", "shop"]);
    assert_eq!(house.post("orders", "{}").status, 403);
    assert_eq!(house.try_run(&["integrations", "resume", "shop"]).status.code(), Some(4));
    assert_eq!(house.try_run(&["integrations", "pause", "shop/Nothing"]).status.code(), Some(3));
    assert_eq!(house.try_run(&["integrations", "pause", "shop", "--for", "soon"]).status.code(), Some(2));
    let trail = house.json(&["audit", "ls", "verb:pause"]);
    assert_eq!((&trail[0]["target"], &trail[0]["reason"]), (&json!("shop"), &json!("maintenance")));
    assert_eq!(house.json(&["audit", "ls", "verb:resume"]).as_array().unwrap().len(), 1);
}

#[test]
fn a_pause_ends_by_itself() {
    let house = House::new();
    house.apply(&document("", ""));
    house.serve();
    house.run(&["integrations", "pause", "shop/orders", "--for", "900ms"]);
    assert_eq!(house.post("orders", "{}").status, 503);
    wait_for("the end of the pause", || (house.post("orders", "{}").status == 200).then_some(()));
    assert_eq!(house.json(&["endpoints", "ls"])[0]["paused"], json!(null));
}

#[test]
fn a_held_flow_accepts_and_its_runs_wait_in_order() {
    let target = Target::fine();
    let house = House::new();
    house.apply(&document("dedup = { fields = [\"body.n\"] }", &push(&target.url(), "")));
    house.serve();
    house.run(&["integrations", "pause", "shop", "--hold"]);
    for n in 0..20 {
        let answer = house.post("orders", &format!("{{\"n\":{n}}}"));
        assert_eq!((answer.status, &answer.json()["state"]), (200, &json!("queued")));
    }
    assert_eq!(house.post("orders", "{\"n\":1}").status, 204, "duplicates are judged as ever");
    house.kill();
    house.serve();
    assert_eq!(house.post("orders", "{\"n\":20}").status, 200, "held over kill -9");
    let queued = house.json(&["runs", "ls", "state:queued"]);
    assert_eq!(queued.as_array().unwrap().len(), 21);
    assert_eq!(queued[0]["due"], json!(null), "a place in a lane is no time");
    assert!(house.run(&["endpoints", "ls"]).contains("held"));
    assert!(target.arrived().is_empty());
    house.run(&["doctor"]);
    house.run(&["integrations", "resume", "shop"]);
    wait_for("all held runs", || {
        let done = house.json(&["runs", "ls", "state:succeeded"]);
        (done.as_array().unwrap().len() == 21).then_some(())
    });
    assert_eq!(target.arrived().len(), 21);
}

#[test]
fn a_held_flow_without_steps_ends_its_runs_when_it_goes_on() {
    let house = House::new();
    house.apply(&document("", ""));
    house.serve();
    house.run(&["integrations", "pause", "shop", "--hold"]);
    assert_eq!(house.post("orders", "{}").json()["state"], "queued");
    house.run(&["integrations", "resume", "shop"]);
    wait_for("its end", || (house.json(&["runs", "ls"])[0]["state"] == "succeeded").then_some(()));
    house.run(&["doctor"]);
}

#[test]
fn a_hold_stops_between_steps_and_a_retry_waits_for_its_end() {
    let house = House::new();
    let target = Target::new(|arrived| (if arrived.path == "/push" { 200 } else { 503 }, "{}".into()));
    let steps = format!(
        "{}[[flow.step]]\nname = \"then\"\ntype = \"request\"\nurl = \"{}/then\"\n\
         retry = {{ attempts = 100, delay = \"200ms\", backoff = \"fixed\" }}\n",
        push(&target.url(), ""),
        target.url()
    );
    house.apply(&document("concurrency = 1", &steps));
    house.serve();
    house.post("orders", "{\"n\":1}");
    wait_for("its second step to retry", || {
        (house.json(&["runs", "ls"])[0]["state"] == "retrying").then_some(())
    });
    house.run(&["integrations", "pause", "shop", "--hold"]);
    let mut before = usize::MAX;
    // Held runs keep their state; what was under way ends.
    wait_for("nothing more to arrive", || {
        let now = house.json(&["runs", "ls"])[0]["due"].is_null();
        let arrived = target.arrived().len();
        let still = arrived == before;
        before = arrived;
        (now && still).then_some(())
    });
    house.kill();
    house.serve();
    house.run(&["integrations", "resume", "shop"]);
    wait_for("it to go on", || (target.arrived().len() > before).then_some(()));
}
