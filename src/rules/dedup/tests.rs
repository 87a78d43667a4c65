use super::*;
use crate::rules::facts::scan;
use crate::rules::json::tests::any_value;
use proptest::prelude::*;
use std::collections::HashSet;

fn rule(fields: &[&str]) -> Dedup {
    Dedup {
        fields: fields.iter().map(|text| text.parse().unwrap()).collect(),
        window: 1_000,
        from_first: false,
    }
}

/// The key of a request as the receiver asks for it.
fn of(endpoint: i64, fields: &[&str], body: &str, headers: &[(&str, &str)], query: &str) -> Option<[u8; 16]> {
    let rule = rule(fields);
    let facts = scan(body.as_bytes(), &body_fields(&rule), &[]).unwrap();
    key(FlowId(endpoint), &rule, &facts, &Headers::from_pairs(headers.iter().copied()), query)
        .map(|key| key.key)
}

fn body(fields: &[&str], body: &str) -> Option<[u8; 16]> {
    of(1, fields, body, &[], "")
}

#[test]
fn spelling_and_key_order_do_not_matter() {
    for (one, other) in [
        (r#"{"a":1}"#, r#"{"a":1.0}"#),
        (r#"{"a":1}"#, r#"{"a":10e-1}"#),
        (r#"{"a":1e400}"#, r#"{"a":10e399}"#),
        (r#"{"a":-0}"#, r#"{"a":0}"#),
        (r#"{"a":{"x":1,"y":[2]}}"#, r#"{ "b":7, "a" : {"y":[2.0], "x":1e0} }"#),
        (r#"{"a":"é"}"#, r#"{"a":"\u00e9"}"#),
        (r#"{"a":1}"#, r#"{"a":2,"a":1}"#),
        (r#"{"a":{"x":1}}"#, r#"{"a":{"x":0,"x":1}}"#),
    ] {
        assert_eq!(body(&["body.a"], one), body(&["body.a"], other), "{one} {other}");
    }
}

#[test]
fn values_that_differ_differ() {
    let values = [
        "null",
        "false",
        "true",
        "\"\"",
        "\"null\"",
        "0",
        "\"0\"",
        "1",
        "\"1\"",
        "-1",
        "1e400",
        "1e401",
        "9007199254740992",
        "9007199254740993",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        "[1,2]",
        "[12]",
        "[2,1]",
        "[\"1,2\"]",
        r#"{"a":1}"#,
        r#"{"a":"1"}"#,
        r#"{"b":1}"#,
        r#"{"a":{"b":1}}"#,
        r#"{"a":null}"#,
        r#"{"a":1,"b":2}"#,
        r#"[{"a":1},{"b":2}]"#,
        "1e999999999",
        "1e-999999999",
    ];
    let keys: HashSet<_> = values
        .iter()
        .map(|value| body(&["body.v", "body.w"], &format!("{{\"w\":0,\"v\":{value}}}")))
        .collect();
    assert_eq!(keys.len(), values.len());
    assert!(!keys.contains(&body(&["body.v", "body.w"], r#"{"w":0}"#)), "missing is no value");
}

#[test]
fn fields_do_not_run_into_each_other() {
    let fields = ["body.a", "body.b"];
    let keys: HashSet<_> = [
        r#"{"a":"x","b":"y"}"#,
        r#"{"a":"xy","b":""}"#,
        r#"{"a":"","b":"xy"}"#,
        r#"{"a":"xy"}"#,
        r#"{"b":"xy"}"#,
        r#"{"a":"xy","b":null}"#,
        r#"{"a":"y","b":"x"}"#,
    ]
    .iter()
    .map(|text| body(&fields, text))
    .collect();
    assert_eq!(keys.len(), 7);
}

#[test]
fn endpoint_and_list_of_fields_are_part_of_the_key_and_the_window_is_not() {
    let text = r#"{"a":1,"b":1}"#;
    let keys: HashSet<_> = [
        of(1, &["body.a"], text, &[], ""),
        of(2, &["body.a"], text, &[], ""),
        of(1, &["body.b"], text, &[], ""),
        of(1, &["body.a", "body.b"], text, &[], ""),
        of(1, &["body.b", "body.a"], text, &[], ""),
        of(1, &["body.a", "body.missing"], text, &[], ""),
        of(1, &["query.a"], text, &[], "a=1"),
        of(1, &["headers.a"], text, &[("a", "1")], ""),
    ]
    .into_iter()
    .collect();
    assert_eq!(keys.len(), 8);
    let mut longer = rule(&["body.a"]);
    longer.window = 9;
    longer.from_first = true;
    let facts = scan(text.as_bytes(), &body_fields(&longer), &[]).unwrap();
    let found = key(FlowId(1), &longer, &facts, &Headers::default(), "").unwrap();
    assert_eq!((Some(found.key), found.window, found.from_first), (body(&["body.a"], text), 9, true));
}

#[test]
fn headers_fold_and_queries_are_decoded() {
    let fields = [r#"headers["X-Request-ID"]"#];
    let one = of(1, &fields, "{}", &[("x-request-id", "a"), ("X-REQUEST-ID", "b")], "");
    assert_eq!(one, of(1, &[r#"headers["x-request-id"]"#], "{}", &[("X-Request-Id", "a, b")], ""));
    assert_ne!(one, of(1, &fields, "{}", &[("x-request-id", "a")], ""));
    assert_eq!(of(1, &fields, "{}", &[], ""), None);
    assert!(of(1, &fields, "{}", &[("x-request-id", "")], "").is_some(), "empty is not missing");

    assert_eq!(of(1, &["query.a"], "{}", &[], "a=x%20y"), of(1, &["query.a"], "{}", &[], "a=x+y"));
    assert_ne!(of(1, &["query.a"], "{}", &[], "a=x"), of(1, &["query.a"], "{}", &[], "a="));
    assert_eq!(of(1, &["query.a"], "{}", &[], "b=1"), None);
}

#[test]
fn the_callers_own_hash_stands_alone() {
    let own = r#"headers["X-Deduplication-Hash"]"#;
    let sent = [("x-deduplication-hash", "abc")];
    let key = of(1, &[own], r#"{"a":1}"#, &sent, "q=1");
    assert!(key.is_some());
    assert_eq!(key, of(1, &[own], r#"{"a":2}"#, &sent, ""));
    assert_ne!(key, of(2, &[own], "{}", &sent, ""));
    assert_ne!(key, of(1, &[own], "{}", &[("x-deduplication-hash", "abd")], ""));
    assert_eq!(of(1, &[own], "{}", &[], ""), None);
    // Beside other fields it is a field like any other.
    assert_ne!(key, of(1, &[own, "body.a"], "{}", &sent, ""));
}

#[test]
fn all_fields_missing_is_no_key_and_one_of_them_is_enough() {
    assert_eq!(body(&["body.a", "body.b.c", "query.x"], r#"{"b":[]}"#), None);
    assert!(body(&["body.a", "body.b"], r#"{"b":null}"#).is_some());
}

#[test]
fn objects_are_sorted_by_utf_16() {
    // U+1F600 is D83D DE00 in UTF-16 and so stands before U+FF5E, unlike in UTF-8.
    let form = canonical(&parse("{\"～\":1,\"😀\":2}".as_bytes()).unwrap());
    let at = |text: &str| form.windows(text.len()).position(|bytes| bytes == text.as_bytes());
    assert!(at("😀") < at("～"));
}

#[test]
fn a_key_never_changes_between_versions_of_the_program() {
    let key = of(
        7,
        &["body.order_number", r#"headers["X-Request-ID"]"#, "query.page"],
        r#"{"order_number":"10438"}"#,
        &[("X-Request-Id", "b1a7")],
        "page=2",
    );
    let hex: String = key.unwrap().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    assert_eq!(hex, "cab1144e3483ae4ba0a20c9c752db4d9");
}

/// The same value with other spellings: keys reversed, numbers written otherwise.
fn respelt(value: &Value) -> Value {
    match value {
        Value::Number(number) => {
            let text = number.as_str();
            let text = match text.split_once(['e', 'E']) {
                Some((mantissa, exponent)) => {
                    let exponent: i64 = exponent.parse().unwrap();
                    let mantissa = if mantissa.contains('.') {
                        format!("{mantissa}0")
                    } else {
                        format!("{mantissa}.00")
                    };
                    format!("{mantissa}E{exponent:+}")
                }
                None if text.contains('.') => format!("{text}00e+00"),
                None => format!("{text}0e-1"),
            };
            Value::Number(if text.starts_with("00") || text.starts_with("-00") {
                number.clone()
            } else {
                text.parse().unwrap()
            })
        }
        Value::Array(values) => Value::Array(values.iter().map(respelt).collect()),
        Value::Object(map) => {
            Value::Object(map.iter().rev().map(|(key, value)| (key.clone(), respelt(value))).collect())
        }
        other => other.clone(),
    }
}

/// Equality by the contract's rules, written the slow way.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            Decimal::parse(one.as_str()) == Decimal::parse(other.as_str())
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| equal(value, other)))
        }
        (one, other) => one == other,
    }
}

proptest! {
    #[test]
    fn respelling_changes_no_key(value in any_value()) {
        let text = |value: &Value| format!("{{\"a\":{value}}}");
        prop_assert_eq!(body(&["body.a"], &text(&value)), body(&["body.a"], &text(&respelt(&value))));
    }

    #[test]
    fn equal_forms_are_equal_values(one in any_value(), other in any_value()) {
        prop_assert_eq!(canonical(&one) == canonical(&other), equal(&one, &other));
    }

    #[test]
    fn the_form_of_a_text_is_the_form_of_its_tree(value in any_value()) {
        prop_assert_eq!(canonical_text(&value.to_string()), canonical(&value));
    }

    #[test]
    fn tagged_tuples_never_share_a_key(
        one in proptest::collection::vec(proptest::option::of("[ab\\x00]{0,2}"), 2..4),
        other in proptest::collection::vec(proptest::option::of("[ab\\x00]{0,2}"), 2..4),
    ) {
        let fields = |count: usize| -> Vec<Path> { (0..count).map(|n| format!("body.f{n}").parse().unwrap()).collect() };
        let key = |values: &[Option<String>]| {
            let forms: Vec<_> = values.iter().map(|value| value.as_ref().map(|text| canonical(&Value::from(text.as_str())))).collect();
            hash(FlowId(1), &fields(values.len()), &forms)
        };
        let missing = |values: &[Option<String>]| values.iter().all(Option::is_none);
        let same = one == other || (missing(&one) && missing(&other));
        prop_assert_eq!(key(&one) == key(&other), same);
    }
}
