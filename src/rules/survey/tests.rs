use super::*;
use crate::model::headers::Headers;
use crate::model::request::{Marks, Seed};
use crate::model::{FlowId, Map};
use crate::rules::data::request_data;
use serde_json::json;

const T0: Ms = 1_795_008_715_120;

fn data(body: &Value, headers: &[(&str, &str)]) -> RequestData {
    let seed = Seed {
        flow: FlowId(1),
        version: 1,
        marks: Marks::default(),
        method: "POST".into(),
        path: String::new(),
        query: String::new(),
        headers: Headers::from_pairs(headers.iter().copied()),
        body: body.to_string().into(),
        peer: None,
        actor: None,
        hops: 0,
    };
    request_data(&seed, "", T0, "")
}

fn good(view: &FieldsView) -> Vec<&str> {
    view.fields.iter().filter(|field| field.good).map(|field| field.path.as_str()).collect()
}

#[test]
fn what_changes_on_every_copy_is_no_field() {
    let mut survey = Survey::default();
    for n in 0..20 {
        let body = json!({"a": n, "kind": "x", "sent": n * 7 + 1});
        let delivery = format!("d-{n}");
        survey.add(n + 1, None, &data(&body, &[("X-Delivery", &delivery), ("Date", &delivery)]));
    }
    let again = json!({"a": 3, "kind": "x", "sent": 999});
    survey.add(99, Some(4), &data(&again, &[("X-Delivery", "d-new"), ("Date", "d")]));
    let found = survey.finish();
    assert_eq!((found.requests, found.copies, found.copies_known), (21, 1, true));
    assert_eq!(good(&found), ["body.a"]);
    let of = |path: &str| found.fields.iter().find(|field| field.path == path).unwrap();
    assert_eq!(of("body.sent").not.as_deref(), Some("it changes on every copy"));
    assert_eq!(of("headers.date").not.as_deref(), Some("it is a header of the way"));
    assert_eq!((of("body.kind").distinct, of("body.kind").unique, of("body.kind").good), (1, 5, false));
}

#[test]
fn without_known_copies_bodies_that_are_the_same_but_for_times_are_taken_for_copies() {
    let mut survey = Survey::default();
    for n in 0..20i64 {
        let body = json!({"number": n, "at": T0 + n});
        survey.add(n, None, &data(&body, &[("X-Delivery", &n.to_string())]));
    }
    let again = json!({"number": 3, "at": T0 + 500});
    survey.add(99, None, &data(&again, &[("X-Delivery", "new")]));
    let found = survey.finish();
    assert_eq!((found.copies, found.copies_known), (1, false));
    assert_eq!(good(&found), ["body.number"]);
}

#[test]
fn bodies_that_are_mostly_the_same_say_nothing_of_copies() {
    let mut survey = Survey::default();
    for n in 0..10 {
        survey.add(n, None, &data(&json!({"event": "ping"}), &[("X-Id", &n.to_string())]));
    }
    let found = survey.finish();
    assert_eq!(found.copies, 0);
    assert_eq!(good(&found), ["headers[\"x-id\"]"]);
}

#[test]
fn one_request_has_paths_but_nothing_unique() {
    let mut survey = Survey::default();
    survey.add(1, None, &data(&json!({"a": null, "b": [1, "x"], "c": "y".repeat(500)}), &[]));
    let found = survey.finish();
    let paths: Vec<&str> = found.fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(paths, ["body.a", "body.b[0]", "body.b[1]", "body.c"]);
    assert!(good(&found).is_empty());
    assert_eq!(found.fields[0].types, ["null"]);
    assert_eq!(found.fields[3].sample.as_str().unwrap().chars().count(), SAMPLE + 1);
}

#[test]
fn paths_and_requests_are_bounded() {
    let mut survey = Survey::default();
    let wide: Map = (0..=MOST_PATHS).map(|n| (format!("k{n}"), json!(1))).collect();
    survey.add(1, None, &data(&Value::Object(wide), &[]));
    let found = survey.finish();
    assert_eq!((found.fields.len(), found.left_out), (MOST_PATHS, 1));
    let mut survey = Survey::default();
    let one = data(&json!({"a": 1}), &[]);
    for n in 0..i64::try_from(MOST_REQUESTS).unwrap() + 5 {
        survey.add(n, None, &one);
    }
    assert_eq!(survey.finish().requests, MOST_REQUESTS as u64);
}

#[test]
fn times_are_told_in_every_spelling() {
    for text in [
        json!("2026-11-18T13:31:55Z"),
        json!("2026-11-18T13:31:55"),
        json!("Wed, 18 Nov 2026 13:31:52 GMT"),
        json!(T0),
        json!(T0 / 1000),
        json!("1795008715"),
    ] {
        assert!(is_time(&text, T0), "{text}");
    }
    for text in [json!("10438"), json!(10438), json!("b1a7-2c40-77e9"), json!(null), json!("")] {
        assert!(!is_time(&text, T0), "{text}");
    }
}
