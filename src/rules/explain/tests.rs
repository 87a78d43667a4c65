use super::*;
use serde_json::json;

fn request(body: Value, headers: &[(&str, &str)]) -> RequestData {
    RequestData {
        body,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        query: crate::model::Map::new(),
        method: "POST".into(),
        path: String::new(),
        url: String::new(),
        content_type: String::new(),
        id: String::new(),
        time: 0,
        from: String::new(),
    }
}

fn rejected(status: u16, cause: &str) -> Judged<'_> {
    let from = Some("203.0.113.9");
    Judged { verdict: Verdict::Rejected, status: Some(status), cause: Some(cause), from, duplicate_of: None }
}

#[test]
fn every_refusal_says_what_and_what_to_do() {
    for (status, cause, what, advice) in [
        (
            400,
            "not JSON: line 3, column 14: a comma or } is expected",
            "Not JSON: line 3, column 14: a comma or } is expected.",
            "raw view",
        ),
        (
            400,
            "body.customer_email is required and missing",
            "body.customer_email is required and missing.",
            "send body.customer_email, or take it out",
        ),
        (400, "nested deeper than 128", "Nested deeper than 128.", "simpler document"),
        (400, "more than 200000 values", "More than 200000 values.", "simpler document"),
        (400, "body.r is split and no array", "body.r is split and no array.", "array of up to 1,000"),
        (400, "when gives a number", "when gives a number.", "true or false"),
        (405, "DELETE is not in methods", "DELETE is not in methods.", "add DELETE to"),
        (413, "6.3 MiB is over 6 MiB", "6.3 MiB is over 6 MiB.", "max_body"),
        (415, "Content-Type is text/plain", "Content-Type is text/plain.", "application/json"),
        (503, "the queue is full", "The queue is full.", "Retry-After"),
        (508, "Pointsman-Hops is 9", "Pointsman-Hops is 9.", "loop"),
    ] {
        let lines = lines(&rejected(status, cause));
        assert_eq!(lines[0], format!("answered   {status} to 203.0.113.9, with the cause"));
        assert_eq!(lines[1], format!("what       {what}"));
        assert!(lines[2].starts_with("do         ") && lines[2].contains(advice), "{cause}: {}", lines[2]);
    }
    for (cause, advice) in [
        ("exp passed 14s ago", "a new token"),
        ("nbf is 5m ahead", "clock"),
        ("time is 6m old (limit 5m)", "clock"),
        ("signature differs; the body matches after removing the final newline", "changed the body"),
        ("signature differs", "secret"),
        ("no key matches", "secret"),
        ("Authorization is missing", "which scheme"),
        ("key `acme` is HS256, the token says RS256", "algorithm"),
        ("iss is \"x\", not \"y\"", "trigger's `auth` wants"),
        ("there is no key `acme`", "key add"),
        ("the token is not three parts", "credential"),
    ] {
        let lines = lines(&rejected(401, cause));
        assert!(lines[0].contains("told nothing more"), "{}", lines[0]);
        assert!(lines[2].contains(advice), "{cause}: {}", lines[2]);
    }
    let paused = lines(&rejected(503, "paused"));
    assert!(!paused[0].contains("cause") && paused[2].contains("integrations resume"), "{paused:?}");
    assert_eq!(
        heading(&rejected(415, "Content-Type is text/plain")),
        "was rejected: Content-Type is text/plain"
    );
}

#[test]
fn duplicates_and_filtered_requests_are_explained_and_accepted_ones_need_nothing() {
    let first = "019a96f8-3d70-7000-8000-00000090d7fe";
    let judged = Judged {
        verdict: Verdict::Duplicate,
        status: Some(204),
        cause: None,
        from: None,
        duplicate_of: Some(first),
    };
    assert_eq!(heading(&judged), "is a duplicate of 90d7fe");
    assert_eq!(lines(&judged)[0], format!("answered   204, empty; Pointsman-Duplicate-Of: {first}"));
    let filtered =
        Judged { verdict: Verdict::Filtered, cause: Some("when is false"), status: Some(200), ..judged };
    assert_eq!(lines(&filtered)[1], "what       when is false.");
    assert!(lines(&Judged { verdict: Verdict::Accepted, ..judged }).is_empty());
}

#[test]
fn the_rule_is_told_with_its_window() {
    let mut dedup = Dedup {
        fields: vec!["body.order_number".parse().unwrap(), "headers['X-A']".parse().unwrap()],
        window: 7 * DAY,
        from_first: false,
    };
    assert_eq!(rule(&dedup), "2 fields, 7d from the last copy");
    assert_eq!(lapses(&dedup, 10, 20), 20 + 7 * DAY);
    let told = fields(&dedup, &request(json!({"order_number": "10438"}), &[]));
    assert_eq!(
        told[0],
        FieldView { path: "body.order_number".into(), value: json!("10438"), missing: false }
    );
    assert_eq!(told[1], FieldView { path: "headers[\"X-A\"]".into(), value: Value::Null, missing: true });
    dedup.fields.pop();
    dedup.from_first = true;
    dedup.window = 90 * MINUTE;
    assert_eq!(rule(&dedup), "1 field, 90m from the accepted request");
    assert_eq!(lapses(&dedup, 10, 20), 10 + 90 * MINUTE);
}

#[test]
fn differing_paths_come_with_both_values() {
    let there = request(json!({"a": 1, "b": [1, 2], "c": null}), &[("date", "1"), ("cookie", "x")]);
    let here = request(
        serde_json::from_str(r#"{"a":1.0,"b":[1,3],"d":{}}"#).unwrap(),
        &[("date", "2"), ("x-retry", "1"), ("cookie", "y")],
    );
    let told: Vec<String> =
        differing(&there, &here).iter().map(|(path, there, here)| format!("{path} {there} {here}")).collect();
    assert_eq!(
        told,
        [
            "body.b[1] 2 3",
            "body.d null {}",
            "headers.date \"1\" \"2\"",
            "headers[\"x-retry\"] null \"1\"",
            "body.c null null",
        ]
    );
    assert!(differing(&here, &here).is_empty());
}

#[test]
fn differences_are_bounded() {
    let there = request(json!(vec![0; 3 * MAX_DIFFERING]), &[]);
    let here = request(json!(vec![1; 2 * MAX_DIFFERING]), &[]);
    assert_eq!(differing(&there, &here).len(), MAX_DIFFERING);
}
