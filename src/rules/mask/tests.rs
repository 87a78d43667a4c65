use super::*;
use crate::model::FlowId;
use crate::model::request::Marks;
use proptest::prelude::*;
use serde_json::json;

fn paths(texts: &[&str]) -> Vec<Path> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn shown(masks: &[&str], text: &str) -> String {
    String::from_utf8(body(&paths(masks), text.as_bytes()).into_owned()).unwrap()
}

fn a_seed(headers: &[(&str, &str)], query: &str, body: &str) -> Seed {
    Seed {
        flow: FlowId(1),
        version: 1,
        marks: Marks::default(),
        method: "POST".to_owned(),
        path: String::new(),
        query: query.to_owned(),
        headers: Headers::from_pairs(headers.iter().copied()),
        body: body.to_owned().into(),
        peer: None,
        actor: None,
        hops: 0,
    }
}

fn data(seed: &Seed) -> RequestData {
    crate::rules::data::request_data(seed, "", 0, "")
}

#[test]
fn only_the_masked_value_changes() {
    let text = "{ \"card\" : { \"number\" :  4111111111111111 , \"exp\": 1e0 },\n \"a\": [1, 2] }";
    assert_eq!(shown(&["body.card.number"], text), text.replace("4111111111111111", "\"•••\""));
    assert_eq!(
        shown(&["body.card"], text).replace(' ', ""),
        "{\"card\":\"•••\",\n\"a\":[1,2]}",
        "a container is hidden whole"
    );
    assert_eq!(shown(&["body.card.other", "headers.x"], text), text);
    assert_eq!(shown(&["body"], text), "\"•••\"");
}

#[test]
fn elements_repeated_keys_and_escaped_names_are_found() {
    assert_eq!(
        shown(&["body.items[].iban"], r#"{"items":[{"iban":"A"},{"n":1},{"iban":null}]}"#),
        r#"{"items":[{"iban":"•••"},{"n":1},{"iban":"•••"}]}"#
    );
    assert_eq!(shown(&["body[1]"], "[1,2,3]"), r#"[1,"•••",3]"#);
    assert_eq!(
        shown(&["body.a"], r#"{"a":1,"b":2,"\u0061":{"x":[3]}}"#),
        r#"{"a":"•••","b":2,"\u0061":"•••"}"#
    );
}

#[test]
fn what_cannot_be_read_is_hidden_from_there_on() {
    let masks = ["body.card.number"];
    assert_eq!(shown(&masks, r#"{"card":{"number":"4111 111"#), r#"{"card":{"number":•••"#);
    assert_eq!(
        shown(&masks, r#"{"card":{"number":"4111"}, oops "4111"}"#),
        r#"{"card":{"number":"•••"}, •••"#
    );
    assert_eq!(shown(&masks, "card=4111"), "•••");
    assert_eq!(shown(&masks, "{} 4111"), "{} •••");
    let latin = body(&paths(&masks), b"{\"card\":{\"number\":\"41\xff11\"}}").into_owned();
    assert_eq!(String::from_utf8(latin).unwrap(), "{\"card\":{\"number\":•••");
}

#[test]
fn headers_and_query_values_are_masked_by_name() {
    let masks = paths(&["headers[\"X-Token\"]", "query.key", "query[\"a b\"]"]);
    let seed = a_seed(
        &[("x-token", "one"), ("X-Other", "two"), ("X-TOKEN", "three")],
        "key=s%20t&k=1&a+b=2&key",
        "{}",
    );
    let shown = super::seed(&masks, &seed);
    assert_eq!(shown.headers.get("x-token").unwrap(), "•••, •••");
    assert_eq!(shown.headers.get("x-other").unwrap(), "two");
    assert_eq!(
        Value::Object(crate::rules::data::query_values(&shown.query)),
        json!({"key": "•••, •••", "k": "1", "a b": "•••"})
    );
}

#[test]
fn a_value_is_hidden_wherever_it_turns_up_again() {
    let masks = paths(&["body.card.number", "body.pin", "body.name", "query.key"]);
    let seed = a_seed(
        &[],
        "key=secret+key",
        r#"{"card":{"number":4111222233334444},"pin":123,"name":"Jö \"J\" M"}"#,
    );
    let traces = Traces::of(&masks, &data(&seed));
    assert_eq!(
        traces.hide("https://h/x/4111222233334444?k=secret%20key&n=J%C3%B6+%22J%22+M"),
        "https://h/x/•••?k=•••&n=•••"
    );
    assert_eq!(traces.hide("{\"n\":\"Jö \\\"J\\\" M\",\"pin\":123}"), "{\"n\":\"•••\",\"pin\":123}");
    let mut value = json!({"a": ["x4111222233334444y", 4_111_222_233_334_444_u64, 7, null]});
    traces.hide_value(&mut value);
    assert_eq!(value, json!({"a": ["x•••y", "•••", 7, null]}));
    let mut body = r#"{"n": 4111222233334444, "name":"J\u00f6 \"J\" M"}"#.to_owned();
    traces.hide_in_body(&mut body);
    assert_eq!(body, r#"{"n":"•••","name":"•••"}"#, "JSON stays JSON");
    assert_eq!(Traces::unknown().hide("anything"), MASK);
    assert!(Traces::of(&paths(&["body.pin", "body.none"]), &data(&seed)).is_empty());
}

proptest! {
    /// Whatever the bytes: nothing breaks, and without a masked path nothing changes.
    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = body(&paths(&["body.a", "body[].b"]), &bytes);
        prop_assert_eq!(&*body(&paths(&["query.a"]), &bytes), &bytes[..]);
    }

    /// Of JSON, however it is cut, the secret is never shown.
    #[test]
    fn no_cut_shows_it(cut in 0usize..90, deep in 0usize..4) {
        let mut text = r#"{"x":[1,{"y":"z"}],"card":{"number":"SECRET77"},"tail":true}"#.to_owned();
        for _ in 0..deep {
            text = format!("{{\"p\":{text}}}");
        }
        let path = format!("body{}.card.number", ".p".repeat(deep));
        let cut = cut.min(text.len());
        let shown = shown(&[&path], &text[..cut]);
        prop_assert!(!shown.contains("SE"), "{}", shown);
    }
}
