//! Deliveries that a provider sends again are one row with a count where that is asked for; the store
//! has each of them.

use super::document;
use crate::common::{House, call};
use serde_json::{Value, json};

fn deliver(house: &House, delivery: Option<&str>, n: u32) -> u16 {
    let mut headers = vec![super::JSON];
    headers.extend(delivery.map(|id| ("X-GitHub-Delivery", id)));
    call(house.addr(), "POST", "/in/orders", &headers, format!("{{\"n\":{n}}}").as_bytes()).unwrap().status
}

#[test]
fn redeliveries_fold_into_the_newest_with_a_count() {
    let house = House::new();
    house.apply(&document("required = [\"body.n\"]", ""));
    house.serve();
    for (delivery, n) in
        [(Some("a"), 1), (Some("b"), 2), (None, 3), (Some("a"), 4), (None, 5), (Some("a"), 6)]
    {
        assert_eq!(deliver(&house, delivery, n), 200);
    }
    let rows = house.json(&["requests", "ls"]);
    assert_eq!(rows.as_array().unwrap().len(), 6, "every request is kept");
    assert_eq!((&rows[0]["delivery"], &rows[1]["delivery"]), (&json!("a"), &Value::Null));
    let folded = house.json(&["requests", "ls", "--fold"]);
    let told: Vec<(&str, u64)> = folded
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["what"].as_str().unwrap(), row["deliveries"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, [("n 6", 3), ("n 5", 1), ("n 3", 1), ("n 2", 1)]);
    let text = house.run(&["requests", "ls", "--fold"]);
    assert!(text.starts_with("TIMES") && text.contains("×3") && text.matches('×').count() == 1, "{text}");
    // It counts among what was asked for.
    let some = house.json(&["requests", "ls", "body.n=6 or body.n=4", "--fold"]);
    assert_eq!((some.as_array().unwrap().len(), &some[0]["deliveries"]), (1, &json!(2)));
    for limit in ["0", "100001"] {
        let ran = house.try_run(&["requests", "ls", "--fold", "--limit", limit]);
        assert_eq!(ran.status.code(), Some(2), "{limit}");
    }
    assert_eq!(house.json(&["requests", "ls", "--fold", "--limit", "100000"]).as_array().unwrap().len(), 4);
    assert_eq!(house.try_run(&["requests", "ls", "--fold", "--follow"]).status.code(), Some(2));
}

#[test]
fn ids_of_other_endpoints_are_other_deliveries() {
    let house = House::new();
    house.apply(&document("", ""));
    house.apply(
        &document("", "").replace("\"shop\"", "\"other\"").replace("path = \"orders\"", "path = \"others\""),
    );
    house.serve();
    let headers = [super::JSON, ("webhook-id", "msg_1")];
    for path in ["/in/orders", "/in/others", "/in/orders"] {
        assert_eq!(call(house.addr(), "POST", path, &headers, b"{}").unwrap().status, 200);
    }
    let rows = house.json(&["requests", "ls", "--fold"]);
    let counts: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["deliveries"].as_u64()).collect();
    assert_eq!(counts, [Some(2), Some(1)]);
}
