//! A refused request whose secret was mended a day later: judged as of its arrival, let in once.

use super::common::{Answer, House, call, wait_for};
use super::senders::{WEBHOOK, decoded, now, refused, standard};
use serde_json::json;

const DOCUMENT: &str = r#"
name = "shop"
[[flow]]
name = "Paid"
[flow.trigger]
type = "webhook"
path = "paid"
auth = { type = "signature", provider = "standard", keys = ["hook"] }
dedup = { fields = ["body.id"] }
"#;

fn add_key(house: &House, secret: &str) {
    let file = house.file("hook", secret);
    house.run(&["key", "add", "hook", "--type", "signature", "--secret-file", file.to_str().unwrap()]);
}

#[test]
fn a_signature_with_a_time_is_let_in_a_day_later_once_its_secret_is_mended() {
    let mut house = House::new();
    add_key(&house, "whsec_dGhlIHNlY3JldCBvZiBhbm90aGVyIGVuZHBvaW50");
    house.apply(DOCUMENT);
    house.serve();
    let (at, body) = (now(), br#"{"id":"evt_1"}"#);
    let (time, signature) = (at.to_string(), standard(&decoded(), "msg_1", at, body));
    let headers = [
        ("Content-Type", "application/json"),
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", &time),
        ("webhook-signature", &signature),
    ];
    let send = |house: &House| -> Answer { call(house.addr(), "POST", "/in/paid", &headers, body).unwrap() };
    let first = send(&house);
    assert_eq!(refused(&house, &first), "signature differs");
    let id = first.header("pointsman-request-id").unwrap().to_owned();
    // Another one that will never fit: its time was wrong when it came.
    let (old, late) = ((at - 900).to_string(), standard(&decoded(), "msg_2", at - 900, body));
    let stale =
        [headers[0], ("webhook-id", "msg_2"), ("webhook-timestamp", &old), ("webhook-signature", &late)];
    let stale = call(house.addr(), "POST", "/in/paid", &stale, body).unwrap();
    assert_eq!(refused(&house, &stale), "time is 15m old (limit 5m)");
    let stale = stale.header("pointsman-request-id").unwrap().to_owned();
    // Three more, one of them twice.
    for (n, id) in [(2, "msg_3"), (3, "msg_4"), (4, "msg_5"), (4, "msg_6")] {
        let body = format!("{{\"id\":\"more_{n}\"}}");
        let signature = standard(&decoded(), id, at, body.as_bytes());
        let headers = [headers[0], ("webhook-id", id), headers[2], ("webhook-signature", &signature)];
        let answer = call(house.addr(), "POST", "/in/paid", &headers, body.as_bytes()).unwrap();
        assert_eq!(answer.status, 401);
    }
    assert_eq!(house.stop(), Some(0));

    house.run_under(&["faketime", "-f", "+1d"]);
    house.serve();
    let readmit = |id: &str| {
        let out =
            house.try_run(&["requests", "readmit", id, "--reason", "the secret was another endpoint's"]);
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let (code, told) = readmit(&id);
    assert_eq!(code, Some(4), "{told}");
    assert!(told.contains("Still rejected: signature differs. Nothing was changed."), "{told}");
    house.run(&["key", "rm", "hook"]);
    add_key(&house, WEBHOOK);
    // The sender's own repeat comes too late by now.
    assert_eq!(refused(&house, &send(&house)), "time is 1d 0h old (limit 5m)");
    let (code, told) = readmit(&id);
    assert_eq!(code, Some(0), "{told}");
    let shown = house.json(&["requests", "show", &id]);
    assert_eq!((&shown["verdict"], &shown["marks"]), (&json!("accepted"), &json!(["readmitted"])));
    let runs = wait_for("its run", || {
        let runs = house.json(&["runs", "ls"]).as_array().unwrap().clone();
        (!runs.is_empty()).then_some(runs)
    });
    assert_eq!((runs.len(), &runs[0]["request"]), (1, &json!(id)));
    let (code, told) = readmit(&id);
    assert_eq!(code, Some(4));
    assert!(told.contains("it was accepted"), "{told}");
    let (code, told) = readmit(&stale);
    assert_eq!(code, Some(4));
    assert!(told.contains("Still rejected: time is 15m old (limit 5m)."), "{told}");
    assert_eq!(house.json(&["runs", "ls"]).as_array().unwrap().len(), 1);
    // The others by a filter: each order once, its copy is told to be one.
    let filter = "verdict:rejected and body.id:more_";
    let out = house.try_run(&["requests", "readmit", "--filter", filter, "--yes"]);
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(5), "some of many: {told}");
    assert!(told.contains("it has the same key as another one of these"), "{told}");
    let accepted = house.json(&["requests", "ls", "verdict:accepted and body.id:more_"]);
    assert_eq!(accepted.as_array().unwrap().len(), 3, "{told}");
    assert_eq!(house.json(&["runs", "ls"]).as_array().unwrap().len(), 4);
}
