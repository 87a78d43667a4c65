use super::*;
use crate::model::path::walk;
use crate::rules::dedup::canonical;
use crate::rules::flatten::flatten;
use crate::rules::json::parse;
use crate::rules::json::tests::any_value;
use proptest::prelude::*;

fn facts(body: &str, wanted: &[&str], required: &[&str]) -> Facts {
    let read = |texts: &[&str]| -> Vec<Path> { texts.iter().map(|text| text.parse().unwrap()).collect() };
    let (wanted, required) = (read(wanted), read(required));
    scan(body.as_bytes(), &wanted.iter().collect::<Vec<_>>(), &required.iter().collect::<Vec<_>>()).unwrap()
}

fn value_at(body: &str, path: &str) -> Option<Vec<u8>> {
    facts(body, &[path], &[]).wanted.remove(0)
}

fn of(text: &str) -> Option<Vec<u8>> {
    parse(text.as_bytes()).ok().map(|value| canonical(&value))
}

#[test]
fn wanted_paths_give_their_values() {
    let body = r#" {"a":{"b":[1,{"c d":"x"},[true]]},"n":null,"":{"":7}} "#;
    assert_eq!(value_at(body, "body.a.b[0]"), of("1"));
    assert_eq!(value_at(body, r#"body.a.b[1]["c d"]"#), of("\"x\""));
    assert_eq!(value_at(body, "body.a.b[2]"), of("[true]"));
    assert_eq!(value_at(body, "body.n"), of("null"));
    assert_eq!(value_at(body, r#"body[""][""]"#), of("7"));
    assert_eq!(value_at(body, "body"), of(body));
    for missing in
        ["body.a.b[3]", "body.b", "body.a[0]", "body.n.x", "body.a.b.c", "headers.a", "query.a", "body.a.b[]"]
    {
        assert_eq!(value_at(body, missing), None, "{missing}");
    }
    assert_eq!(value_at("7", "body"), of("7"));
    assert_eq!(value_at("7", "body.a"), None);
}

#[test]
fn an_escaped_key_is_the_key_it_says() {
    assert_eq!(value_at(r#"{"\u0061":1}"#, "body.a"), of("1"));
    assert!(facts(r#"{"\u0061":1,"a":2}"#, &[], &[]).repeated_keys);
}

#[test]
fn the_last_of_a_repeated_key_counts_even_where_it_holds_less() {
    for (body, path, value) in [
        (r#"{"a":1,"a":2}"#, "body.a", of("2")),
        (r#"{"a":{"b":1},"a":{"c":2}}"#, "body.a.b", None),
        (r#"{"a":{"b":1},"a":2}"#, "body.a.b", None),
        (r#"{"a":2,"a":{"b":1}}"#, "body.a.b", of("1")),
        (r#"{"a":[{"b":1}],"x":0,"a":[]}"#, "body.a[0].b", None),
    ] {
        let facts = facts(body, &[path], &[path]);
        assert_eq!(facts.wanted[0], value, "{body}");
        assert_eq!(facts.present[0], value.is_some(), "{body}");
        assert!(facts.repeated_keys, "{body}");
    }
}

#[test]
fn repeated_keys_are_seen_in_small_and_large_objects_and_only_there() {
    let object = |keys: usize, extra: &str| {
        let members: Vec<String> = (0..keys).map(|n| format!("\"k{n}\":{{\"k0\":1}}")).collect();
        format!("{{{}{extra}}}", members.join(","))
    };
    for keys in [1, FEW - 1, FEW, FEW + 1, FEW + 2, 5_000] {
        assert!(!facts(&object(keys, ""), &[], &[]).repeated_keys, "{keys}");
        assert!(facts(&object(keys, ",\"k0\":1"), &[], &[]).repeated_keys, "{keys}");
        let last = format!(",\"k{}\":1", keys - 1);
        assert!(facts(&object(keys, &last), &[], &[]).repeated_keys, "{keys}");
    }
    // The same key in two objects, or in an object and the one around it, is not repeated.
    assert!(!facts(r#"[{"a":1},{"a":{"a":{"b":{"a":1}},"b":2}}]"#, &[], &[]).repeated_keys);
}

#[test]
fn required_paths_are_there_or_not_and_null_is_there() {
    let facts = facts(r#"{"a":null,"b":[]}"#, &[], &["body.a", "body.b", "body.b[0]", "body.c"]);
    assert_eq!(facts.present, [true, true, false, false]);
    assert_eq!(facts.values, 3);
}

#[test]
fn depth_and_count_are_bounded_to_the_digit() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let run = |text: &str| scan(text.as_bytes(), &[], &[]);
    assert_eq!(run(&nested(MAX_DEPTH)).unwrap().values, MAX_DEPTH + 1);
    assert_eq!(run(&nested(MAX_DEPTH + 1)), Err(BodyError::TooDeep));
    for unclosed in ["[", "{\"a\":", "[{\"\":"] {
        assert_eq!(run(&unclosed.repeat(100_000)), Err(BodyError::TooDeep));
    }
    let many = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
    assert_eq!(run(&many(MAX_VALUES)).unwrap().values, MAX_VALUES);
    assert_eq!(run(&many(MAX_VALUES + 1)), Err(BodyError::TooMany));
}

#[test]
fn a_million_keys_are_refused_and_as_many_as_fit_are_compared_soon() {
    let object = |keys: usize, key: fn(usize) -> String| {
        let members: Vec<String> = (0..keys).map(|n| format!("\"{}\":0", key(n))).collect();
        format!("{{{}}}", members.join(","))
    };
    let started = std::time::Instant::now();
    let million = object(1_000_000, |_| "a".to_owned());
    assert_eq!(scan(million.as_bytes(), &[], &[]), Err(BodyError::TooMany));
    let most = object(MAX_VALUES - 1, |n| format!("{n:06}"));
    assert!(!scan(most.as_bytes(), &[], &[]).unwrap().repeated_keys);
    // All keys alike but for their ends: comparing each with each would take minutes here.
    let alike = object(20_000, |n| format!("{}{n:06}", "x".repeat(100)));
    assert!(!scan(alike.as_bytes(), &[], &[]).unwrap().repeated_keys);
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

proptest! {
    #[test]
    fn a_scan_finds_what_a_tree_holds(value in any_value()) {
        let body = value.to_string();
        let mut paths: Vec<Path> = Vec::new();
        flatten("body", &value, &mut |path, _| paths.push(path.parse().unwrap()));
        let wanted: Vec<&Path> = paths.iter().collect();
        let facts = scan(body.as_bytes(), &wanted, &wanted).unwrap();
        prop_assert!(!facts.repeated_keys);
        for (at, path) in paths.iter().enumerate() {
            prop_assert!(facts.present[at]);
            let expected = canonical(walk(&value, path.rest()).unwrap());
            prop_assert_eq!(facts.wanted[at].as_ref(), Some(&expected));
        }
    }
}
