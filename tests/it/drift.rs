//! Shape drift: another type, a new path, a lost one; badges that a person takes away.

use super::common::{House, wait_for};
use serde_json::{Value, json};

const DOCUMENT: &str = r#"
name = "shop"

[[flow]]
id = "orders"
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = { type = "none" }
"#;

fn send(house: &House, body: &Value) -> String {
    let answer = house.post("orders", &body.to_string());
    assert_eq!(answer.status, 200);
    answer.header("pointsman-request-id").unwrap().to_owned()
}

fn badges(house: &House) -> Vec<Value> {
    house.json(&["drift", "ls"]).as_array().unwrap().clone()
}

/// Waits until so many badges are open.
fn raised(house: &House, count: usize) -> Vec<Value> {
    wait_for("the badges", || Some(badges(house)).filter(|badges| badges.len() == count))
}

#[test]
fn a_number_that_comes_as_text_once_raises_a_badge_that_names_both_types_and_the_request() {
    let house = House::new();
    house.apply(DOCUMENT);
    house.serve();
    for n in 0..20 {
        send(&house, &json!({"qty": n, "items": [{"sku": "a"}, {"sku": "b"}]}));
    }
    let odd = send(&house, &json!({"qty": "7", "items": []}));
    send(&house, &json!({"qty": "8", "items": []}));
    let found = raised(&house, 1);
    assert_eq!(found[0]["path"], "body.qty");
    assert_eq!(
        (&found[0]["was"], &found[0]["now"], &found[0]["kind"]),
        (&json!("number"), &json!("string"), &json!("type"))
    );
    assert_eq!(found[0]["request"].as_str(), Some(odd.as_str()));
    let shown = house.json(&["integrations", "show", "shop"]);
    assert_eq!(shown["drift"][0]["path"], "body.qty");
    let doctor = house.json(&["doctor"]);
    let line = doctor.as_array().unwrap().iter().find(|check| check["name"] == "drift").unwrap();
    assert_eq!(line["state"], "warning");
    assert!(line["text"].as_str().unwrap().contains("body.qty was number, came as string"), "{line}");

    // A new path, once, for its outermost part; an index is none of its own.
    let new = send(
        &house,
        &json!({"qty": 1, "items": [{"sku": "a"}, {"sku": "b"}, {"sku": "c", "vat": {"rate": 20}}]}),
    );
    let found = raised(&house, 2);
    assert_eq!((&found[0]["path"], &found[0]["now"]), (&json!("body.items[].vat"), &json!("object")));
    assert_eq!(found[0]["request"].as_str(), Some(new.as_str()));

    // Taken away, it does not come back, and that is written down.
    let number = found[0]["id"].to_string();
    house.run(&["drift", "ok", &number, "--reason", "v2 of their API"]);
    assert_eq!(badges(&house).len(), 1);
    assert_eq!(house.try_run(&["drift", "ok", &number]).status.code(), Some(3));
    house.run(&["drift", "ok", "shop/Orders"]);
    assert!(badges(&house).is_empty());
    assert_eq!(house.json(&["audit", "ls", "verb:drift"])[1]["reason"], "v2 of their API");
    send(&house, &json!({"qty": "9"}));
    let mark = send(&house, &json!({"qty": 1, "another": true}));
    let found = raised(&house, 1);
    assert_eq!(found[0]["request"].as_str(), Some(mark.as_str()), "the text is known by now");
}

#[test]
fn a_path_that_was_always_there_is_told_when_it_is_lost_also_over_a_restart() {
    let house = House::new();
    house.apply(DOCUMENT);
    house.serve();
    let mut last = String::new();
    for n in 0..100 {
        last = send(&house, &json!({"n": n, "customer": {"email": "a@b.c"}}));
    }
    for n in 0..10 {
        send(&house, &json!({ "n": n }));
    }
    house.kill();
    house.serve();
    for n in 0..9 {
        send(&house, &json!({ "n": n }));
    }
    let mark = send(&house, &json!({"n": 1, "mark": 1}));
    let found = wait_for("the badges", || Some(badges(&house)).filter(|badges| badges.len() == 2));
    let gone = found.iter().find(|one| one["kind"] == "lost").unwrap();
    assert_eq!((&gone["path"], gone["request"].as_str()), (&json!("body.customer"), Some(last.as_str())));
    let new = found.iter().find(|one| one["kind"] == "new").unwrap();
    assert_eq!((&new["path"], new["request"].as_str()), (&json!("body.mark"), Some(mark.as_str())));
}
