//! Answers to senders, and the record of a split.

use super::*;
use crate::model::path::Segment;
use crate::rules::template::{MAX_ANSWER, respond_answer};

/// A flow whose senders wait, with these keys in its `respond` step.
fn answering(keys: &str) -> Plan {
    let source = format!(
        r#"
name = "shop"
[[flow]]
name = "Orders"
trigger = {{ type = "webhook", auth = {{ type = "none" }}, reply = "wait", split = "body.records" }}
[[flow.step]]
name = "answer"
type = "respond"
{keys}
"#
    );
    let checked = check(&source, &Known::default());
    assert_eq!(checked.problems, [], "{source}");
    Plan::compile(IntegrationId(1), FlowId(2), 3, &checked.integration.unwrap(), 0).unwrap()
}

fn headers(given: &crate::model::run::Given) -> Vec<(&str, &str)> {
    given.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn an_answer_has_status_headers_and_a_body_of_its_kind() {
    let body = json!({"n": 19.90, "note": null});
    let plan = answering(
        r#"status = 201
headers = { Location = "/orders/{{ request.body.n }}", "X-None" = "{{ request.body.nothing }}" }
json = { n = "{{ request.body.n }}", gone = "{{ request.body.gone }}" }"#,
    );
    let (given, left_out) = respond_answer(&plan, 0, &context(body.clone())).unwrap();
    assert_eq!((given.status, given.body.as_str(), given.problem), (201, r#"{"n":19.9}"#, false));
    assert_eq!(headers(&given), [("Location", "/orders/19.9"), ("Content-Type", "application/json")]);
    assert_eq!(left_out, ["headers.X-None", "json.gone"]);

    let plan = answering("text = \"n={{ request.body.n }}\"\nheaders = { \"content-type\" = \"text/csv\" }");
    let (given, _) = respond_answer(&plan, 0, &context(body.clone())).unwrap();
    assert_eq!((given.status, given.body.as_str()), (200, "n=19.9"));
    assert_eq!(headers(&given), [("content-type", "text/csv")]);

    let (given, _) = respond_answer(&answering("status = 204"), 0, &context(body)).unwrap();
    assert_eq!((given.status, given.body.as_str(), given.headers.len()), (204, "", 0));
}

#[test]
fn values_cannot_break_out_of_an_answer() {
    let plan = answering(r#"headers = { "X-Ref" = "{{ request.body.ref }}" }"#);
    let error = respond_answer(&plan, 0, &context(json!({"ref": "a\r\nSet-Cookie: x"}))).unwrap_err();
    assert_eq!(error.place, "headers.X-Ref");
    let plan = answering(r#"json = { a = "{{ request.body.ref }}" }"#);
    let (given, _) = respond_answer(&plan, 0, &context(json!({"ref": "\",\"b\":1"}))).unwrap();
    assert_eq!(given.body, r#"{"a":"\",\"b\":1"}"#);
}

#[test]
fn an_answer_is_bounded() {
    let plan = answering(r#"text = "{{ request.body.a }}""#);
    let answer = |len: usize| respond_answer(&plan, 0, &context(json!({"a": "x".repeat(len)})));
    assert_eq!(answer(MAX_ANSWER).unwrap().0.body.len(), MAX_ANSWER);
    assert_eq!(answer(MAX_ANSWER + 1).unwrap_err().message, "the answer is over 1 MiB");
    let plan = answering(r#"headers = { "X-A" = "{{ request.body.a }}" }"#);
    let answer = |len: usize| respond_answer(&plan, 0, &context(json!({"a": "x".repeat(len)})));
    assert!(answer((16 << 10) - 7).is_ok());
    assert_eq!(answer((16 << 10) - 6).unwrap_err().message, "the answer's headers are over 16 KiB");
}

#[test]
fn a_record_is_the_runs_own_element() {
    let plan = answering(
        r#"json = { id = "{{ record.id }}", up = "{{ record.id | upper }}", whole = "{{ record }}", of = "{{ request.body.of }}", none = "{{ record.x }}" }"#,
    );
    let body = json!({"of": 2, "records": [{"id": "a"}, {"id": "b", "n": 1.50}]});
    let mut context = context(body);
    context.record = Some(vec![Segment::Key("records".into()), Segment::Index(1)]);
    let (given, left_out) = respond_answer(&plan, 0, &context).unwrap();
    assert_eq!(given.body, r#"{"id":"b","up":"B","whole":{"id":"b","n":1.5},"of":2}"#);
    assert_eq!(left_out, ["json.none"]);
    // Another version may have no such element: its values are missing.
    context.record = Some(vec![Segment::Key("records".into()), Segment::Index(2)]);
    assert_eq!(respond_answer(&plan, 0, &context).unwrap().0.body, r#"{"of":2}"#);
    context.record = None;
    assert_eq!(respond_answer(&plan, 0, &context).unwrap().0.body, r#"{"of":2}"#);
}
