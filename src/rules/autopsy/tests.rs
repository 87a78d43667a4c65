use super::*;
use crate::model::FlowId;
use crate::model::headers::Headers;
use crate::model::request::Verdict;

fn told(status: u16, cause: &str, headers: &[(&str, &str)], body: &str, marks: Marks) -> Vec<Pair> {
    let seed = Seed {
        flow: FlowId(1),
        version: 1,
        marks,
        method: "POST".into(),
        path: String::new(),
        query: String::new(),
        headers: Headers::from_pairs(headers.iter().copied()),
        body: body.to_owned().into(),
        peer: None,
        actor: None,
        hops: 0,
    };
    let judged = Judged {
        verdict: Verdict::Rejected,
        status: Some(status),
        cause: Some(cause),
        from: Some("203.0.113.9"),
        duplicate_of: None,
    };
    autopsy(&Case { judged, arrived: 0, seed: &seed, kept: None, then: None, live: None })
}

pub(super) fn of<'t>(told: &'t [Pair], label: &str) -> &'t str {
    told.iter().find(|(other, _)| other == label).map_or("", |(_, text)| text.as_str())
}

/// What the receiver says of a body.
fn cause(body: &str) -> String {
    crate::rules::facts::scan(body.as_bytes(), &[], &[]).unwrap_err().to_string()
}

#[test]
fn what_is_not_json_is_shown_with_a_caret_under_its_column() {
    let body = "{\n  \"a\": 1\n  \"b\": 2\n}";
    let told = told(400, &cause(body), &[("Content-Type", "application/json")], body, Marks::default());
    let labels: Vec<&str> = told.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, ["answered", "what", "do", "checks", "line 3", ""]);
    assert_eq!(of(&told, "line 3"), "  \"b\": 2");
    assert_eq!(told[5].1, "  ^");
    assert_eq!(of(&told, "checks"), "✓ Content-Type says JSON   ✓ UTF-8   ✗ JSON");
}

#[test]
fn a_long_line_is_cut_around_the_column_and_control_characters_keep_the_caret_in_place() {
    let body = format!("{{\"a\":\"{}\"\u{1b}x}}", "é".repeat(200));
    let (text, caret) = excerpt(&body, 1, 208).unwrap();
    let before: String = text.chars().take(caret).collect();
    assert!(text.starts_with('…') && before.ends_with('"'), "{text} {caret}");
    assert_eq!(excerpt("a", 2, 1), None);
    assert_eq!(excerpt("", 1, 1), Some((String::new(), 0)));
}

#[test]
fn a_guess_is_made_only_where_a_check_proves_it() {
    for (body, likely) in [
        ("", "The body is empty"),
        ("\u{feff}{}", "byte order mark"),
        ("<a/>", "XML or HTML"),
        ("a=1&b=2", "It is a form"),
        ("{'a': 1}", "single ones"),
        ("{\"a\": [1,2,],}", "comma stands before"),
        ("{\"a\":1}\n{\"a\":2}\n", "2 JSON documents"),
        ("{\"a\":[1,{\"b\":\"x", "breaks off"),
        ("{\"a\":12,\"b\":", "breaks off"),
        ("[1,\n", "breaks off"),
        ("{a: 1}", ""),
        ("nonsense", ""),
    ] {
        let told = told(400, &cause(body), &[], body, Marks::default());
        assert!(of(&told, "likely").contains(likely), "{body:?}: {told:?}");
        assert_eq!(of(&told, "likely").is_empty(), likely.is_empty(), "{body:?}");
    }
}

#[test]
fn a_capped_body_says_how_much_was_kept() {
    let headers = [("Content-Length", "6606028"), ("Content-Type", "application/json")];
    let body = "x".repeat(65_536);
    let told = told(413, "6.3 MiB is over 6 MiB", &headers, &body, Marks::BODY_CUT);
    assert!(of(&told, "checks").contains("first 64 KiB of 6.3 MiB kept"), "{told:?}");
    assert!(of(&told, "received").starts_with("Content-Length 6606028"));
    let told = self::told(413, "6.3 MiB is over 6 MiB", &headers, "", Marks::BODY_CUT);
    assert!(of(&told, "checks").contains("nothing of the body kept"), "{told:?}");
    let kept = |len, declared| Kept { len, declared }.words();
    assert_eq!(kept(65_536, Some(6_606_028)), "only the first 64 KiB of 6.3 MiB were kept");
    assert_eq!(kept(65_536, None), "only the first 64 KiB were kept");
    assert_eq!(kept(0, Some(9)), "nothing of its body was kept");
}

#[test]
fn a_wrong_type_over_a_good_body_is_told_as_that() {
    let headers = [("Content-Type", "text/plain")];
    let told_of = told(415, "Content-Type is text/plain", &headers, "{\"a\":1}", Marks::default());
    assert!(of(&told_of, "likely").contains("JSON all the same"));
    assert_eq!(of(&told_of, "received"), "Content-Type: text/plain");
    let told_of = told(415, "Content-Type is text/plain", &headers, "hello", Marks::default());
    assert_eq!((of(&told_of, "likely"), of(&told_of, "checks")), ("", "✗ the body is JSON"));
}

#[test]
fn a_missing_path_is_told_beside_what_is_called_so() {
    let told = told(
        400,
        "body.customer_email is required and missing",
        &[],
        "{\"customer\":{\"customer_email\":\"x\"}}",
        Marks::default(),
    );
    assert_eq!(of(&told, "received"), "body.customer.customer_email is there, body.customer_email is not");
    assert_eq!(of(&told, "checks"), "✓ JSON   ✗ body.customer_email");
}
