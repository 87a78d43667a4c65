//! Dedup told in full: why a request is a duplicate, what another rule would have done, and which
//! fields would do.

use super::common::{House, call};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn document(dedup: &str) -> String {
    format!(
        r#"
name = "shop"

[[flow]]
id = "orders"
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = {{ type = "none" }}
{dedup}
"#
    )
}

/// 1,000 requests: `body.a` is unique but for 37 that came before with it, `body.kind` says little,
/// `body.sent` changes every time. The ids of the copies.
fn seed(house: &House) -> BTreeSet<String> {
    let mut copies = BTreeSet::new();
    for n in 0..1_000u32 {
        let again = n % 27 == 26;
        let a = if again { n - 13 } else { n };
        let body = json!({"a": format!("A-{a}"), "kind": n % 3, "sent": 5_000_000 - n * 7});
        let delivery = format!("d-{n}");
        let headers = [("Content-Type", "application/json"), ("X-Delivery", delivery.as_str())];
        let answer = call(house.addr(), "POST", "/in/orders", &headers, body.to_string().as_bytes()).unwrap();
        assert!(matches!(answer.status, 200 | 204), "{answer:?}");
        if again {
            copies.insert(answer.header("pointsman-request-id").unwrap().to_owned());
        }
    }
    assert_eq!(copies.len(), 37);
    copies
}

fn named(found: &Value, change: &str) -> BTreeSet<String> {
    let changes = found["changes"].as_array().unwrap().iter();
    changes
        .filter(|one| one["change"] == change)
        .map(|one| one["request"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_if_names_exactly_the_known_duplicates() {
    let house = House::new();
    house.apply(&document("dedup = { fields = ['headers[\"x-delivery\"]'] }"));
    house.serve();
    let copies = seed(&house);
    let found = house.json(&["test", "shop/Orders", "--dedup", "body.a", "--since", "7d"]);
    assert_eq!(named(&found, "merged"), copies);
    assert_eq!((&found["merged"], &found["let_through"]), (&json!(37), &json!(0)));
    assert_eq!(found["before"], json!({"accepted": 1_000, "duplicate": 0}));
    assert_eq!(found["after"], json!({"accepted": 963, "duplicate": 37}));
    let first = found["changes"][0]["duplicate_of"].as_str().unwrap();
    let shown = house.json(&["requests", "show", first]);
    assert_eq!(shown["body"]["a"], found["changes"][0]["fields"][0]["value"]);

    // A line each, and the same ones.
    let lines = house.run(&["test", "shop", "--dedup", "body.a", "--output", "jsonl"]);
    assert_eq!(lines.lines().count(), 37);
    let text = house.run(&["test", "shop/orders", "--dedup", "body.a"]);
    assert!(text.contains("37 accepted then, duplicates under the rule"), "{text}");

    // No duplicates are known: bodies all differ, and the field that a copy would share is only one
    // of those that are nearly unique.
    let fields = house.json(&["test", "shop/Orders", "--dedup", "?"]);
    assert_eq!(fields["copies"], 0);
    for (args, exit) in [
        (vec!["test", "shop/Orders", "--dedup", "body.a[]"], 2),
        (vec!["test", "shop/Orders", "--dedup", "status"], 2),
        (vec!["test", "shop/Nothing", "--dedup", "body.a"], 3),
        (vec!["test", "shop/Orders", "--dedup", "body.a", "--since", "0d"], 2),
        (vec!["test", "shop/Orders", "--dedup", "body.a", "--sample", "x.json"], 2),
    ] {
        assert_eq!(house.try_run(&args).status.code(), Some(exit), "{args:?}");
    }
}

#[test]
fn with_known_duplicates_the_unique_field_is_suggested_first_and_others_are_let_through() {
    let house = House::new();
    house.apply(&document("dedup = { fields = [\"body.a\"] }"));
    house.serve();
    let copies = seed(&house);
    let fields = house.json(&["test", "shop/Orders", "--dedup", "?"]);
    let first = &fields["fields"][0];
    assert_eq!((first["path"].as_str(), first["good"].as_bool()), (Some("body.a"), Some(true)), "{first}");
    assert_eq!((&fields["copies"], &fields["copies_known"]), (&json!(37), &json!(true)));
    let good: Vec<&Value> =
        fields["fields"].as_array().unwrap().iter().filter(|field| field["good"] == true).collect();
    assert_eq!(good.len(), 1, "{good:?}");
    let of = |path: &str| {
        fields["fields"].as_array().unwrap().iter().find(|field| field["path"] == path).unwrap().clone()
    };
    assert_eq!(of("headers[\"x-delivery\"]")["not"], "it changes on every copy");
    assert_eq!(of("body.sent")["not"], "it changes on every copy");

    // A rule over what changes every time would have let all of them through.
    let found = house.json(&["test", "shop/Orders", "--dedup", "headers[\"X-Delivery\"]"]);
    assert_eq!(named(&found, "let_through"), copies);
    assert_eq!(found["merged"], 0);
    // The same rule changes nothing; a window that is over before the copy comes lets it through.
    let same = house.json(&["test", "shop/Orders", "--dedup", "body.a"]);
    assert_eq!((&same["merged"], &same["let_through"]), (&json!(0), &json!(0)));
    let short = house.json(&["test", "shop/Orders", "--dedup", "body.a", "--window", "1ms"]);
    assert_eq!(named(&short, "let_through"), copies);
    // What has none of the fields is never a copy.
    let none = house.json(&["test", "shop/Orders", "--dedup", "body.nothing"]);
    assert_eq!((&none["no_dedup_key"], &none["after"]["duplicate"]), (&json!(1_000), &json!(0)));
}

/// The id of the request that was answered so.
fn sent(house: &House, body: &str, status: u16) -> String {
    let answer = house.post("orders", body);
    assert_eq!(answer.status, status, "{answer:?}");
    answer.header("pointsman-request-id").unwrap().to_owned()
}

fn why(explained: &Value) -> String {
    explained["why"].to_string()
}

#[test]
fn explain_tells_the_rule_the_copies_and_what_became_of_the_key() {
    let house = House::new();
    house
        .apply(&document("dedup = { fields = [\"body.n\", \"body.m\"], window = \"1h\", from = \"first\" }"));
    house.serve();
    let first = sent(&house, r#"{"n":1.0,"m":null}"#, 200);
    let copy = sent(&house, r#"{"n":1,"m":null}"#, 204);
    let third = sent(&house, r#"{"n":1e0,"m":null,"x":1}"#, 204);
    let told = house.json(&["requests", "explain", &third]);
    assert_eq!(told["request"].as_str(), Some(third.as_str()));
    assert_eq!((&told["verdict"], &told["copies"]), (&json!("duplicate"), &json!(3)));
    assert_eq!(told["first"].as_str(), Some(first.as_str()));
    assert_eq!(told["fields"][0].to_string(), r#"{"path":"body.n","value":1e+0}"#);
    assert_eq!(told["fields"][1], json!({"path": "body.m", "value": null}));
    assert_eq!(told["rule"], "v1 of shop / Orders: 2 fields, 1h from the accepted request");
    assert_eq!(told["key"].as_str().unwrap().len(), 32);
    let listed: Vec<&str> =
        told["listed"].as_array().unwrap().iter().map(|one| one["request"].as_str().unwrap()).collect();
    assert_eq!(listed, [&first, &copy, &third]);
    // It lapses an hour after the accepted one, whichever copy is asked about.
    let lapses = told["lapses"].clone();
    assert_eq!(house.json(&["requests", "explain", &first])["lapses"], lapses);
    assert_eq!(house.json(&["requests", "explain", &copy])["key"], told["key"]);
    let differs: Vec<&str> =
        told["differs"].as_array().unwrap().iter().map(|one| one[0].as_str().unwrap()).collect();
    assert!(differs.contains(&"body.x") && !differs.contains(&"body.n"), "{differs:?}");

    // All fields missing: accepted, marked, without a key.
    let bare = sent(&house, r#"{"other":1}"#, 200);
    sent(&house, r#"{"other":1}"#, 200);
    let told = house.json(&["requests", "explain", &bare]);
    assert_eq!((&told["key"], &told["first"], &told["lapses"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!(told["fields"][0], json!({"path": "body.n", "value": null, "missing": true}));
    assert!(why(&told).contains("None of the dedup fields"), "{told}");
    let refused = house.try_run(&["requests", "forget", &bare]);
    assert_eq!(refused.status.code(), Some(4));

    // Forgotten: the next one is accepted and has the key from then on.
    house.run(&["requests", "forget", &copy, "--reason", "sent by mistake"]);
    let told = house.json(&["requests", "explain", &third]);
    assert_eq!(told["lapses"], Value::Null);
    assert!(why(&told).contains("was forgotten"), "{told}");
    assert_eq!(house.try_run(&["requests", "forget", &copy]).status.code(), Some(4), "only once");
    let next = sent(&house, r#"{"n":1,"m":null}"#, 200);
    let told = house.json(&["requests", "explain", &third]);
    assert!(why(&told).contains(&next[next.len() - 6..]), "{told}");
    let last = sent(&house, r#"{"n":1,"m":null}"#, 204);
    assert_eq!(house.json(&["requests", "explain", &last])["first"].as_str(), Some(next.as_str()));

    // The rule's fields change: the old request is told by the rule that judged it.
    house.apply(&document("dedup = { fields = [\"body.n\"] }"));
    let told = house.json(&["requests", "explain", &last]);
    assert_eq!(told["fields"].as_array().unwrap().len(), 2);
    assert!(told["rule"].as_str().unwrap().starts_with("v1 of"), "{told}");
    assert!(why(&told).contains("other fields in v2"), "{told}");
    sent(&house, r#"{"n":1,"m":null}"#, 200);
    let audit = house.json(&["audit", "ls", "verb:forget"]);
    assert_eq!(audit[0]["reason"], "sent by mistake");
}

#[test]
fn a_refusal_is_told_with_its_evidence() {
    let house = House::new();
    house.apply(&document(""));
    house.serve();
    let bad = sent(&house, "{\n  \"a\": 1,\n}", 400);
    let told = house.json(&["requests", "explain", &bad]);
    let of = |label: &str| {
        let told = told["told"].as_array().unwrap();
        told.iter()
            .find(|pair| pair[0] == label)
            .map_or(String::new(), |pair| pair[1].as_str().unwrap().to_owned())
    };
    assert_eq!(of("line 3"), "}");
    assert_eq!(of(""), "^");
    assert!(of("likely").contains("comma"), "{told}");
    assert!(of("what").starts_with("Not JSON: line 3, column 1"), "{told}");
    assert!(of("like it").starts_with("no other; none passed"), "{told}");
}

#[test]
fn a_rejected_request_is_let_in_once_where_it_passes_today() {
    let house = House::new();
    let strict = document("required = [\"body.email\"]\ndedup = { fields = [\"body.n\"] }");
    house.apply(&strict);
    house.serve();
    let one = sent(&house, r#"{"n":1}"#, 400);
    let two = sent(&house, r#"{"n":1}"#, 400);
    let broken = sent(&house, "{", 400);
    let taken = sent(&house, r#"{"n":2}"#, 400);
    let fine = sent(&house, r#"{"n":2,"email":"a@b.c"}"#, 200);
    let said = |args: &[&str], exit: i32, words: &str| {
        let output = house.try_run(args);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(exit), "{args:?}: {told}");
        assert!(told.contains(words), "{args:?}: {told}");
    };
    // Still refused: nothing changes.
    said(
        &["requests", "readmit", &one],
        4,
        "Still rejected: body.email is required and missing. Nothing was changed.",
    );
    assert_eq!(house.json(&["requests", "show", &one])["verdict"], "rejected");
    said(&["requests", "readmit", &fine], 4, "readmit is not possible: it was accepted");

    house.apply(&document("dedup = { fields = [\"body.n\"] }"));
    said(&["requests", "readmit", &one, "--dry-run"], 0, "it passes now");
    assert_eq!(house.json(&["requests", "show", &one])["verdict"], "rejected", "a plan changes nothing");
    said(&["requests", "readmit", &one, "--reason", "email is optional"], 0, "Readmitted");
    let shown = house.json(&["requests", "show", &one]);
    assert_eq!(
        (&shown["verdict"], &shown["marks"], &shown["id"]),
        (&json!("accepted"), &json!(["readmitted"]), &json!(one))
    );
    assert_eq!(shown["runs"].as_array().unwrap().len(), 1);
    assert_eq!((&shown["cause"], &shown["status"]), (&Value::Null, &json!(400)));
    said(&["requests", "readmit", &one], 4, "it was accepted");
    // Its copies are duplicates of it now, whether they come or are readmitted.
    said(&["requests", "readmit", &two], 4, "duplicate of");
    said(&["requests", "readmit", &taken], 4, "duplicate of");
    let copy = house.post("orders", r#"{"n":1}"#);
    assert_eq!((copy.status, copy.header("pointsman-duplicate-of")), (204, Some(one.as_str())));
    said(&["requests", "readmit", &broken], 4, "Still rejected: not JSON");

    // Many at once: what passes is let in, the others are told.
    let more: Vec<String> = (10..13)
        .map(|n| {
            let answer = call(
                house.addr(),
                "POST",
                "/in/orders",
                &[("Content-Type", "text/plain")],
                format!("{{\"n\":{n}}}").as_bytes(),
            )
            .unwrap();
            assert_eq!(answer.status, 415);
            answer.header("pointsman-request-id").unwrap().to_owned()
        })
        .collect();
    said(&["requests", "readmit", "--filter", "status:415", "--yes"], 4, "nothing to readmit");
    assert_eq!(house.json(&["requests", "show", &more[0]])["verdict"], "rejected");
    let checks = house.json(&["doctor"]);
    let broken: Vec<&Value> =
        checks.as_array().unwrap().iter().filter(|check| check["state"] == "broken").collect();
    assert!(broken.is_empty(), "{broken:?}");
    let audit = house.json(&["audit", "ls", "verb:readmit"]);
    assert_eq!(audit[0]["reason"], "email is optional");
}

#[test]
fn a_body_that_was_cut_is_not_let_in() {
    let house = House::new();
    house.apply(&document("max_body = \"70KiB\""));
    house.serve();
    let body = format!("{{\"a\":\"{}\"}}", "x".repeat(80 << 10));
    let cut = sent(&house, &body, 413);
    house.apply(&document(""));
    let output = house.try_run(&["requests", "readmit", &cut]);
    assert_eq!(output.status.code(), Some(4));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("readmit is not possible: only the first 64 KiB of 80 KiB were kept"), "{told}");
}
