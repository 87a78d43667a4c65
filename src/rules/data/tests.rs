use super::*;
use serde_json::json;

fn seed(body: &str, headers: &[(&str, &str)], query: &str) -> Seed {
    use crate::model::FlowId;
    use crate::model::request::Marks;
    Seed {
        flow: FlowId(1),
        version: 1,
        marks: Marks::default(),
        method: "POST".into(),
        path: "a/b".into(),
        query: query.into(),
        headers: Headers::from_pairs(headers.iter().copied()),
        body: body.to_owned().into(),
        peer: Some("203.0.113.9".into()),
        actor: None,
        hops: 0,
    }
}

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[test]
fn a_request_is_parsed_folded_and_decoded() {
    let seed = seed(
        r#"{"a":1e5,"b":2,"a":1.0}"#,
        &[JSON, ("X-A", "1"), ("x-a", "2")],
        "page=2&q=a+b%2Fc&tag=x&tag=y&empty&%ff=1",
    );
    let data = request_data(&seed, "some-id", 5, "http://h/in/x");
    assert_eq!(data.body.to_string(), r#"{"a":1.0,"b":2}"#);
    assert_eq!(
        data.headers,
        [("content-type".into(), "application/json".into()), ("x-a".into(), "1, 2".into())]
    );
    let query = json!({"page": "2", "q": "a b/c", "tag": "x, y", "empty": "", "\u{fffd}": "1"});
    assert_eq!(Value::Object(data.query.clone()), query);
    assert_eq!(
        (data.content_type.as_str(), data.id.as_str(), data.time, data.from.as_str(), data.url.as_str()),
        ("application/json", "some-id", 5, "203.0.113.9", "http://h/in/x")
    );
    for (path, value) in [
        ("body.a", json!(1.0)),
        ("headers['X-A']", json!("1, 2")),
        ("query.tag", json!("x, y")),
        ("method", json!("POST")),
        ("path", json!("a/b")),
        ("time", json!(5)),
        ("content_type", json!("application/json")),
    ] {
        assert_eq!(at(&data, &path.parse().unwrap()).map(Cow::into_owned), Some(value), "{path}");
    }
    for path in
        ["body.c", "headers.c", "query.c", "method.x", "nothing", "headers.x-a.b".trim_end_matches("-a.b")]
    {
        assert_eq!(at(&data, &path.parse().unwrap()), None, "{path}");
    }
}

#[test]
fn a_body_that_is_not_json_is_null_and_says_why() {
    let broken = seed("{\"a\":", &[JSON], "");
    assert_eq!(request_data(&broken, "", 0, "").body, Value::Null);
    assert!(read_body(&broken).unwrap_err().to_string().starts_with("not JSON: line 1"));
    assert_eq!(read_body(&seed("", &[], "")).unwrap(), json!({}));
    assert!(read_body(&seed("", &[JSON], "")).is_err());
    assert_eq!(read_body(&seed("null", &[JSON], "")).unwrap(), Value::Null);
}

#[test]
fn the_flat_view_has_no_credentials() {
    let seed = seed(
        r#"{"a":{"b":[]}}"#,
        &[("Authorization", "Bearer s3cret"), ("X-A", "1"), ("Cookie", "s3cret"), ("Api-Key", "s3cret")],
        "page=2&a.b=3",
    );
    let flat = Value::Object(flat(&request_data(&seed, "", 0, ""))).to_string();
    assert_eq!(
        flat,
        r#"{"body.a.b":[],"headers[\"x-a\"]":"1","query.page":"2","query[\"a.b\"]":"3","path":"a/b","method":"POST"}"#
    );
}

#[test]
fn what_is_outside_the_body_is_found_without_it() {
    let headers = Headers::from_pairs([("X-A", "1")]);
    let value = |path: &str| outside(&path.parse().unwrap(), &headers, "page=2");
    assert_eq!(value("headers['x-A']"), Some(json!("1")));
    assert_eq!(value("headers"), Some(json!({"x-a": "1"})));
    assert_eq!(value("query.page"), Some(json!("2")));
    for missing in ["headers.b", "query.x", "query.page.x", "body.a", "method"] {
        assert_eq!(value(missing), None, "{missing}");
    }
}

#[test]
fn any_element_leads_to_all_of_them() {
    let data = request_data(&seed(r#"[{"a":[1,2]},{"a":[3]},{"b":1},7]"#, &[], ""), "", 0, "");
    let found: Vec<_> =
        all_at(&data, &"body[].a[]".parse().unwrap()).iter().map(ToString::to_string).collect();
    assert_eq!(found, ["1", "2", "3"]);
    assert!(all_at(&data, &"query.a[]".parse().unwrap()).is_empty());
}

#[test]
fn what_tells_dedup_values_first_and_then_leaves() {
    let what_of = |body: &str, fields: &[&str]| {
        let data = request_data(&seed(body, &[("x-a", "h1")], ""), "", 0, "");
        let fields: Vec<Path> = fields.iter().map(|text| text.parse().unwrap()).collect();
        what(&data, &fields)
    };
    let order = r#"{"type":"email","order_number":"10438","products":[{},{}],"note":null,"paid":true}"#;
    assert_eq!(what_of(order, &["body.order_number"]), "order_number 10438 · email · 2 products");
    assert_eq!(what_of(order, &[]), "email · order_number 10438 · 2 products");
    assert_eq!(
        what_of(r#"{"customer":{"email":"c.meyer@example.com"}}"#, &["body.missing"]),
        "c.meyer@example.com"
    );
    assert_eq!(what_of(r#"{"total":59.90,"items":[1]}"#, &[]), "total 59.90 · 1 item");
    assert_eq!(what_of("[1,2,3]", &[]), "3 elements");
    assert_eq!(what_of("7", &[]), "7");
    assert_eq!(what_of("{}", &["headers.x"]), "");
    assert_eq!(what_of("{}", &["headers['x-a']"]), "h1");
    assert_eq!(what_of(&format!("{{\"a\":\"{}\"}}", "é".repeat(100)), &[]).chars().count(), WHAT_CHARS);
}

#[test]
fn every_value_of_a_query_is_listed() {
    let lists = query_lists("x=1%26y&a+b=c&x=2&x=&flag");
    assert_eq!(
        Value::Object(lists),
        json!({ "x": ["1&y", "2", ""], "a b": "c", "flag": "" }),
        "once is a text, several times an array"
    );
    assert_eq!(query_values("x=1%26y&x=2")["x"], "1&y, 2", "templates see them joined");
}

#[test]
fn the_target_is_told_as_it_was_sent() {
    let seed = |path: &str, query: &str, marks: Marks| {
        let mut seed = seed("{}", &[], "");
        (seed.path, seed.query, seed.marks) = (path.to_owned(), query.to_owned(), marks);
        target("k3x9", Some("orders"), &seed)
    };
    let by_path = Marks::BY_PATH;
    assert_eq!(seed("", "", Marks::default()), "/in/k3x9");
    assert_eq!(seed("a%2Fb/c", "x=1%26y&x=2", by_path), "/in/orders/a%2Fb/c?x=1%26y&x=2");
    assert_eq!(seed("", "x", by_path.with(Marks::BARE_SLASH)), "/in/orders/?x");
}
