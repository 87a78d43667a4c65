//! Tests of templates: types, misses, encodings, and what a hostile template or value can do.

mod hostile;

use super::*;
use crate::model::document::StepKind;
use crate::model::run::StepState;
use crate::model::{FlowId, IntegrationId};
use crate::rules::check::{Known, check};
use serde_json::json;

fn request(body: Value) -> Arc<RequestData> {
    Arc::new(RequestData {
        body,
        headers: vec![("x-request-id".into(), "r-1".into()), ("x-many".into(), "a, b".into())],
        query: json!({"page": "2"}).as_object().unwrap().clone(),
        method: "POST".into(),
        path: "rest/of it".into(),
        url: "http://127.0.0.1:7700/in/x".into(),
        content_type: "application/json".into(),
        id: "0199".into(),
        time: 1_583_206_296_408,
        from: "127.0.0.1".into(),
    })
}

fn map(value: Value) -> Map {
    let Value::Object(map) = value else { panic!("no object") };
    map
}

fn context(body: Value) -> Context {
    let skipped =
        StepData { state: StepState::Skipped, status: None, headers: vec![], body: None, outputs: None };
    let done = StepData {
        state: StepState::Succeeded,
        status: Some(201),
        headers: vec![
            ("Location".into(), "/c/1".into()),
            ("X-A".into(), "1".into()),
            ("x-a".into(), "2".into()),
        ],
        body: Some(json!({"customer": {"id": 7}})),
        outputs: Some(map(json!({"id": 7}))),
    };
    Context {
        request: Some(request(body)),
        config: Arc::new(map(json!({"base": "http://api.example/v1", "host": "api.example", "token": "t"}))),
        steps: [("lookup".to_owned(), skipped), ("done".to_owned(), done)].into(),
        webhook_urls: Arc::new(map(json!({"Other flow": "https://p.example/in/abc"}))),
        run: "run-1".into(),
        flow: "Orders".into(),
        integration: "shop".into(),
        raw_body: None,
    }
}

fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn render(template: &str, body: Value) -> Result<Option<Value>, String> {
    Template::new(template)?.render(&context(body)).map_err(|error| error.message)
}

/// A flow with these steps after a `lookup` and a `done`, whose outputs they may use.
fn plan(steps: &str) -> Plan {
    let source = format!(
        r#"
name = "shop"
[[variable]]
name = "base"
type = "url"
[[variable]]
name = "host"
type = "text"
[[variable]]
name = "token"
type = "text"
[[connection]]
name = "api"
base_url = "{{{{ config.base }}}}"
auth = {{ type = "bearer", token = "{{{{ config.token }}}}" }}
headers = {{ "X-Tenant" = "42" }}
verify_tls = false
[[flow]]
name = "Other flow"
trigger = {{ type = "webhook", auth = {{ type = "none" }} }}
[[flow]]
name = "Orders"
trigger = {{ type = "manual" }}
[[flow.step]]
name = "lookup"
type = "request"
url = "https://fixed.example:8443/x"
outputs = {{ id = "body.customer.id" }}
[[flow.step]]
name = "done"
type = "request"
url = "{{{{ config.base }}}}/y"
outputs = {{ id = "body.customer.id", at = 'headers["location"]', code = "status", none = "body.nothing" }}
{steps}
"#
    );
    let checked = check(&source, &Known::default());
    assert_eq!(checked.problems, [], "{source}");
    Plan::compile(IntegrationId(1), FlowId(2), 3, &checked.integration.unwrap(), 1).unwrap()
}

fn step(keys: &str) -> String {
    format!("[[flow.step]]\nname = \"push\"\ntype = \"request\"\n{keys}\n")
}

fn built(keys: &str, body: Value) -> Result<Outgoing, RenderError> {
    build(&plan(&step(keys)), 2, &context(body))
}

#[test]
fn a_whole_expression_keeps_its_type_and_every_digit() {
    for text in [
        "1.10",
        "1e3",
        "123456789012345678901234567890",
        "0.1",
        "-0",
        "7",
        "true",
        "null",
        "[1.0,{\"a\":1e2}]",
    ] {
        let value = number(text);
        assert_eq!(render("{{ request.body.v }}", json!({"v": value})), Ok(Some(value.clone())), "{text}");
        let guarded = render("{{ request.body.v | default('x') }}", json!({"v": value}));
        assert_eq!(guarded.unwrap().unwrap().to_string(), value.to_string(), "{text}");
        let chosen = render("{{ request.body.v if true else 1 }}", json!({"v": value}));
        assert_eq!(chosen.unwrap().unwrap().to_string(), value.to_string(), "{text}");
    }
    assert_eq!(
        render("{{ request.body.v }} EUR", json!({"v": number("19.90")})),
        Ok(Some(json!("19.90 EUR")))
    );
    assert_eq!(
        render("{% if true %}{{ request.body.v }}{% endif %}", json!({"v": number("19.90")})),
        Ok(Some(json!("19.90")))
    );
    assert_eq!(render("no template", json!(1)), Ok(Some(json!("no template"))));
}

#[test]
fn numbers_with_odd_digits_can_be_calculated_with() {
    let body = json!({"price": number("19.90"), "qty": 3, "big": number("1e3"), "long": number("123456789012345678901")});
    for (template, wanted) in [
        ("{{ (request.body.price * request.body.qty) | round(2) }}", json!(59.7)),
        ("{{ request.body.big + 1 }}", json!(1001.0)),
        ("{{ request.body.price > 19 }}", json!(true)),
        ("{{ 10 < request.body.price < 20 }}", json!(true)),
        ("{{ 10 < request.body.price < 15 }}", json!(false)),
        ("{{ request.body.price == 19.9 }}", json!(true)),
        ("{{ -request.body.qty }}", json!(-3)),
        ("{{ request.body.price | round | int }}", json!(20)),
        ("{{ [request.body.price, 1] | sum }}", json!(20.9)),
        ("{{ request.body.qty ** 2 // 2 % 3 - 1 }}", json!(0)),
        ("{{ request.body.price is number }}", json!(true)),
        ("{{ request.body.long + 1 }}", number("123456789012345678902")),
        ("{{ request.body.price ~ ' EUR' }}", json!("19.90 EUR")),
        ("{{ {'p': request.body.price} | tojson }}", json!("{\"p\": 19.90}")),
    ] {
        assert_eq!(render(template, body.clone()), Ok(Some(wanted)), "{template}");
    }
}

#[test]
fn what_is_not_there_is_missing_and_what_asks_for_it_is_not() {
    let body = json!({"a": {"b": 1}, "s": "text", "n": null});
    for template in [
        "{{ request.body.x }}",
        "{{ request.body.x.y.z }}",
        "{{ request.body.s.x }}",
        "text {{ request.body.x }}",
        "{{ request.body.x | upper }}",
        "{{ request.body.x + 1 }}",
        "{{ 'a' ~ request.body.x }}",
        "{{ request.body.a['c'] }}",
        "{{ request.body['a' ~ 'c'] }}",
        "{{ steps.lookup.outputs.id }}",
        "{{ request.headers['x-none'] }}",
        "{% for i in [1] %}{{ request.body.x }}{% endfor %}",
    ] {
        assert_eq!(render(template, body.clone()), Ok(None), "{template}");
    }
    for (template, wanted) in [
        ("{{ request.body.x | default('d') }}", json!("d")),
        ("{{ request.body.x.y | d(1) }}", json!(1)),
        ("{{ request.body.x is defined }}", json!(false)),
        ("{{ request.body.a.b is defined }}", json!(true)),
        ("{{ request.body.x or 'd' }}", json!("d")),
        ("{{ 'yes' if request.body.x else 'no' }}", json!("no")),
        ("{{ 'yes' if request.body.x }}", json!("")),
        ("a{% if request.body.x %}b{% endif %}", json!("a")),
        ("{% for i in request.body.x %}{{ i }}{% endfor %}none", json!("none")),
        ("{{ request.body.x == 'a' }}", json!(false)),
        ("{{ 'a' in request.body.x }}", json!(false)),
        ("{{ request.body.n }}", Value::Null),
        ("{{ request.body.n is none }}", json!(true)),
        ("{{ not request.body.x }}", json!(true)),
    ] {
        assert_eq!(render(template, body.clone()), Ok(Some(wanted)), "{template}");
    }
}

#[test]
fn every_name_of_the_context_can_be_looked_at() {
    let body = json!({"items": [{"a.b": "c"}], "type": "email"});
    for (template, wanted) in [
        ("{{ request.body['items'][0]['a.b'] }}", json!("c")),
        ("{{ request.body.items[0]['a.b'] | upper }}", json!("C")),
        ("{{ request.headers['X-Request-ID'] }}", json!("r-1")),
        ("{{ request.headers['X-REQUEST-id'] | upper }}", json!("R-1")),
        ("{{ request.headers }}", json!({"x-request-id": "r-1", "x-many": "a, b"})),
        ("{{ request.query.page }}", json!("2")),
        ("{{ request.method ~ request.path }}", json!("POSTrest/of it")),
        ("{{ request.time }}", json!(1_583_206_296_408_i64)),
        ("{{ request.time + 1 }}", json!(1_583_206_296_409_i64)),
        (
            "{{ request.id }}{{ request.from }}{{ request.content_type }}",
            json!("0199127.0.0.1application/json"),
        ),
        ("{{ steps.done.outputs.id }}", json!(7)),
        ("{{ steps.done.outputs.id + 1 }}", json!(8)),
        ("{{ steps.done.body.customer }}", json!({"id": 7})),
        ("{{ steps.done.status }}", json!(201)),
        ("{{ steps.done.headers['LOCATION'] }}", json!("/c/1")),
        ("{{ steps.done.headers['x-a'] | upper }}", json!("1, 2")),
        ("{{ steps.lookup.state }}", json!("skipped")),
        ("{{ webhook_urls['Other flow'] }}", json!("https://p.example/in/abc")),
        ("{{ run }} {{ flow }} {{ integration }}", json!("run-1 Orders shop")),
        ("{{ config.host | length }}", json!(11)),
    ] {
        assert_eq!(render(template, body.clone()), Ok(Some(wanted)), "{template}");
    }
}

#[test]
fn rendered_text_is_never_rendered_again() {
    let body = json!({"v": "{{ config.token }}"});
    assert_eq!(render("{{ request.body.v }}", body.clone()), Ok(Some(json!("{{ config.token }}"))));
    assert_eq!(render("a {{ request.body.v }}", body), Ok(Some(json!("a {{ config.token }}"))));
}

#[test]
fn error_ends_a_step_with_its_message() {
    let result = render("{{ error('no ' ~ request.body.what) }}", json!({"what": "stock"}));
    assert_eq!(result, Err("no stock".to_owned()));
    let result = render("{% if request.body.x is undefined %}{{ error('no x') }}{% endif %}", json!({}));
    assert_eq!(result, Err("no x".to_owned()));
}

#[test]
fn a_json_body_keeps_types_and_leaves_out_what_is_missing() {
    let keys = r#"
url = "{{ config.base }}/x"
json = { email = "{{ request.body.email }}", n = 5, f = 1.10, list = ["{{ request.body.email }}", "{{ request.body.no }}"], deep = { no = "{{ request.body.no }}", yes = true }, products = "{{ request.body.products }}", when = 2026-01-02 }
"#;
    let body = json!({"email": "a\"b\\\n\u{202e}@x", "products": [{"p": number("1.50")}]});
    let outgoing = built(keys, body).unwrap();
    assert_eq!(
        outgoing.body.as_deref(),
        Some(
            "{\"email\":\"a\\\"b\\\\\\n\u{202e}@x\",\"n\":5,\"f\":1.10,\"list\":[\"a\\\"b\\\\\\n\u{202e}@x\"],\"deep\":{\"yes\":true},\"products\":[{\"p\":1.50}],\"when\":\"2026-01-02\"}"
                .as_bytes()
        )
    );
    assert_eq!(outgoing.left_out, ["json.list[1]", "json.deep.no"]);
    assert_eq!(outgoing.headers, [("Content-Type".to_owned(), "application/json".to_owned())]);
    assert_eq!((outgoing.method.as_str(), outgoing.url.as_str()), ("POST", "http://api.example/v1/x"));
    assert!(!outgoing.same_body && outgoing.verify_tls);
}

#[test]
fn missing_can_be_empty_or_a_failure() {
    let keys = |missing: &str| {
        format!(
            "url = \"{{{{ config.base }}}}\"\nmissing = \"{missing}\"\njson = {{ a = \"{{{{ steps.lookup.outputs.id }}}}\" }}\nquery = {{ page = \"{{{{ request.body.no }}}}\" }}"
        )
    };
    let empty = built(&keys("empty"), json!({})).unwrap();
    assert_eq!(
        (empty.body.as_deref(), empty.url.as_str()),
        (Some(&b"{\"a\":\"\"}"[..]), "http://api.example/v1?page=")
    );
    assert_eq!(empty.left_out, ["query.page", "json.a"]);
    let failed = built(&keys("fail"), json!({})).unwrap_err();
    assert_eq!(
        (failed.place.as_str(), failed.message.as_str()),
        ("query.page", "request.body.no has no value")
    );
    let keys = "url = \"{{ config.base }}\"\nmissing = \"fail\"\njson = { a = \"id {{ steps.lookup.outputs.id }}\" }";
    let failed = built(keys, json!({})).unwrap_err();
    assert_eq!(failed.place, "json.a");
    assert_eq!(failed.message, "steps.lookup.outputs.id has no value (lookup was skipped)");
}

#[test]
fn headers_query_and_form_leave_out_what_is_missing_and_encode_the_rest() {
    let keys = r#"
connection = "api"
url = "search?fixed=1"
query = { q = "{{ request.body.q }}", flag = true, n = 2, no = "{{ request.body.no }}", null = "{{ request.body.nil }}" }
headers = { "X-Ref" = "{{ request.body.no }}", "x-tenant" = "7", "X-Flag" = "{{ request.body.flag }}" }
form = { "a b" = "{{ request.body.q }}", no = "{{ request.body.no }}" }
"#;
    let outgoing = built(keys, json!({"q": "a&b=c d/é", "flag": true, "nil": null})).unwrap();
    assert_eq!(outgoing.url, "http://api.example/v1/search?fixed=1&q=a%26b%3Dc%20d%2F%C3%A9&flag=true&n=2");
    assert_eq!(
        outgoing.headers,
        [
            ("X-Tenant".to_owned(), "7".to_owned()),
            ("Authorization".to_owned(), "Bearer t".to_owned()),
            ("X-Flag".to_owned(), "true".to_owned()),
            ("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
        ]
    );
    assert_eq!(outgoing.body.as_deref(), Some(&b"a+b=a%26b%3Dc+d%2F%C3%A9"[..]));
    assert_eq!(outgoing.left_out, ["query.no", "query.null", "headers.X-Ref", "form.no"]);
    assert!(!outgoing.verify_tls);
}

#[test]
fn a_header_with_a_line_break_fails_the_step() {
    let keys = "url = \"{{ config.base }}\"\nheaders = { X-A = \"{{ request.body.v }}\" }";
    for bad in ["a\r\nX-B: 1", "a\n", "\u{0}", "a\rb", "\u{7f}"] {
        let error = built(keys, json!({"v": bad})).unwrap_err();
        assert_eq!(error.place, "headers.X-A", "{bad:?}");
    }
    assert!(built(keys, json!({"v": "tab\tand é"})).is_ok());
}

#[test]
fn values_from_outside_stay_in_their_segment() {
    let url = |template: &str, value: &str| {
        built(&format!("url = '''{template}'''"), json!({"v": value})).map(|outgoing| outgoing.url)
    };
    let base = "{{ config.base }}/{{ request.body.v }}/end";
    assert_eq!(
        url(base, "a/b?c#d@e:f\\g é").unwrap(),
        "http://api.example/v1/a%2Fb%3Fc%23d%40e%3Af%5Cg%20%C3%A9/end"
    );
    assert_eq!(
        url("https://h.example/?a={{ request.body.v }}", "x&b=1").unwrap(),
        "https://h.example/?a=x%26b%3D1"
    );
    assert_eq!(
        url("https://h.example/{{ request.body.v | safe }}", "a/b?c=1").unwrap(),
        "https://h.example/a/b?c=1"
    );
    assert_eq!(
        url("https://{{ config.host }}:8443/{{ request.body.v }}", "x").unwrap(),
        "https://api.example:8443/x"
    );
    assert_eq!(
        url("{{ webhook_urls['Other flow'] }}/{{ request.body.v }}", "x").unwrap(),
        "https://p.example/in/abc/x"
    );
    assert_eq!(url("https://h.example/{{ request.body.v }}#top", "x").unwrap(), "https://h.example/x");
    // A segment of dots would climb.
    for value in [".", "..", "%2e%2E", "%2e."] {
        let raw = url("https://h.example/a/{{ request.body.v | safe }}/b", value);
        assert_eq!(raw.unwrap_err().place, "url", "{value}");
    }
    assert!(url(base, "..").is_err());
    assert!(url("{{ config.base }}/{{ request.body.v }}{{ request.body.v }}", ".").is_err());
    assert!(url("{{ config.base }}/a{{ request.body.v }}", "..").is_ok());
    assert!(url("https://h.example/{{ request.body.v | safe }}", "a\r\nb").is_err());
    // A URL that misses a value fails, whatever `missing` says.
    let error = built("url = \"{{ config.base }}/{{ request.body.no }}\"", json!({})).unwrap_err();
    assert_eq!(error.message, "request.body.no has no value");
}

#[test]
fn what_a_variable_holds_must_be_an_absolute_url() {
    let plan = plan(&step("url = \"{{ config.base }}\""));
    let url = |base: &str| {
        let mut context = context(json!({}));
        context.config = Arc::new(map(json!({"base": base})));
        build(&plan, 2, &context).map(|outgoing| outgoing.url)
    };
    assert_eq!(url("HTTP://A.example").unwrap(), "HTTP://A.example");
    for bad in [
        "",
        "/relative",
        "ftp://a.example/",
        "javascript:alert(1)",
        "http://",
        "http:///x",
        "http://a b/",
        "http://a.example/\n",
    ] {
        assert!(url(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_value_right_behind_a_variable_cannot_become_host_or_port() {
    // `http://api.example` and `.evil.example` would be another host.
    let plan = plan(&step("connection = \"api\"\nurl = \"{{ request.body.v }}\""));
    let url = |base: &str, value: &str| {
        let mut context = context(json!({"v": value}));
        context.config = Arc::new(map(json!({"base": base, "token": "t"})));
        build(&plan, 2, &context).map(|outgoing| outgoing.url)
    };
    assert_eq!(url("http://a.example", ".evil.example").unwrap(), "http://a.example/.evil.example");
    assert_eq!(url("http://a.example/", "x").unwrap(), "http://a.example/x");
    for empty in ["http://", "https://?", "http://\\", "http:", ""] {
        assert!(url(empty, "evil.example").is_err(), "{empty:?}");
    }
    assert_eq!(url("http://a.example/v1?k=", "x&y").unwrap(), "http://a.example/v1?k=x%26y");
}

#[test]
fn a_connection_without_its_credential_sends_nothing() {
    let plan = plan(&step("connection = \"api\"\nurl = \"/x\""));
    let mut context = context(json!({}));
    context.config = Arc::new(map(json!({"base": "http://a.example"})));
    let error = build(&plan, 2, &context).unwrap_err();
    assert_eq!(
        (error.place.as_str(), error.message.as_str()),
        ("connection.auth", "config.token has no value")
    );
}

#[test]
fn a_send_step_sends_the_document_byte_for_byte() {
    let plan = plan("[[flow.step]]\nname = \"ship\"\ntype = \"send\"\nconnection = \"api\"\nurl = \"/x\"\n");
    let mut context = context(json!({"a": number("1.0")}));
    let outgoing = build(&plan, 2, &context).unwrap();
    assert_eq!((outgoing.body.as_deref(), outgoing.same_body), (Some(&b"{\"a\":1.0}"[..]), true));
    context.raw_body = Some(Bytes::from_static(b"{ \"a\": 1.0 , \"a\": 2 }"));
    let outgoing = build(&plan, 2, &context).unwrap();
    assert_eq!(outgoing.body, context.raw_body);
    assert!(outgoing.headers.contains(&("Content-Type".to_owned(), "application/json".to_owned())));
    let StepKind::Send(step) = &plan.flow.steps[2].kind else { panic!() };
    assert!(step.callback && step.timeout == 5_000);
}

#[test]
fn when_wants_a_boolean_and_takes_a_missing_value_for_false() {
    let holds = |when: &str| {
        let plan = plan(&step(&format!("url = \"{{{{ config.base }}}}\"\nwhen = '''{when}'''")));
        step_when(&plan, 2, &context(json!({"type": "email", "n": 1, "yes": true})))
    };
    assert_eq!(holds("{{ request.body.type == 'email' }}"), Ok(true));
    assert_eq!(holds("{{ request.body.type != 'email' }}"), Ok(false));
    assert_eq!(holds("{{ request.body.yes }}"), Ok(true));
    assert_eq!(holds("{{ request.body.no }}"), Ok(false));
    assert_eq!(holds("{{ request.body.no > 3 }}"), Ok(false));
    assert_eq!(holds("{{ request.body.n }}").unwrap_err().message, "when is a number, a boolean is wanted");
    assert!(holds("{{ request.body.type }}").is_err());
    assert!(holds("{{ error('stop') }}").is_err());
    assert_eq!(step_when(&plan(""), 0, &context(json!({}))), Ok(true));
}

#[test]
fn set_fail_and_delay_render_their_templates() {
    let plan = plan(
        r#"
[[flow.step]]
name = "values"
type = "set"
outputs = { total = "{{ request.body.a + 1 }}", raw = "{{ request.body.list }}", no = "{{ request.body.no }}", n = 5, yes = true }
[[flow.step]]
name = "stop"
type = "fail"
message = "order {{ request.body.a }} is refused"
[[flow.step]]
name = "pause"
type = "delay"
for = "10m"
[[flow.step]]
name = "until"
type = "delay"
until = "{{ request.body.at }}"
"#,
    );
    let body = json!({"a": 1, "list": [number("1.0")], "at": "2026-11-18T13:31:55Z"});
    let outputs = set_outputs(&plan, 2, &context(body.clone())).unwrap();
    assert_eq!(Value::Object(outputs).to_string(), r#"{"total":2,"raw":[1.0],"n":5,"yes":true}"#);
    assert_eq!(fail_message(&plan, 3, &context(body.clone())).unwrap(), "order 1 is refused");
    assert!(fail_message(&plan, 3, &context(json!({}))).is_err());
    assert_eq!(delay_until(&plan, 4, &context(json!({})), 1_000), Ok(601_000));
    let now = 1_795_008_715_000;
    assert_eq!(delay_until(&plan, 5, &context(body), now), Ok(1_795_008_715_000));
    for (at, wanted) in [
        (json!(now + 5), Some(now + 5)),
        (json!((now + 5).to_string()), Some(now + 5)),
        (json!(number("1795008715001.9")), Some(now + 1)),
        (json!(now + 365 * DAY), Some(now + 365 * DAY)),
        (json!(now + 365 * DAY + 1), None),
        (json!("soon"), None),
        (json!(true), None),
        (json!(number("1e999")), None),
    ] {
        assert_eq!(delay_until(&plan, 5, &context(json!({"at": at})), now).ok(), wanted, "{at}");
    }
    // Steps of another type are refused, not guessed.
    assert!(build(&plan, 2, &context(json!({}))).is_err());
    assert!(set_outputs(&plan, 0, &context(json!({}))).is_err());
}

#[test]
fn outputs_are_taken_from_the_answer() {
    let plan = plan("");
    let headers = [("Location".to_owned(), "/c/1".to_owned()), ("location".to_owned(), "/c/2".to_owned())];
    let body = json!({"customer": {"id": number("7.0")}});
    let outputs = answer_outputs(&plan, 1, 201, &headers, Some(&body));
    assert_eq!(Value::Object(outputs).to_string(), r#"{"id":7.0,"at":"/c/1, /c/2","code":201}"#);
    assert_eq!(answer_outputs(&plan, 1, 200, &[], None).len(), 1);
}

#[test]
fn what_a_step_uses_is_known_without_rendering_it() {
    let plan = plan(&step(
        "url = \"{{ config.base }}/{{ steps.done.outputs.id }}\"\nwhen = \"{{ steps.lookup.state == 'succeeded' }}\"\njson = { a = [\"{{ steps.done.body.x }}\"], b = \"{{ request.body.y }}\" }",
    ));
    assert_eq!(steps_used(&plan, 2), ["lookup", "done"]);
    let used: Vec<(String, String)> =
        uses(&plan, 2).into_iter().map(|(place, path)| (place, path.to_string())).collect();
    let wanted = [
        ("when", "steps.lookup.state"),
        ("url", "config.base"),
        ("url", "steps.done.outputs.id"),
        ("json.a[0]", "steps.done.body.x"),
        ("json.b", "request.body.y"),
    ];
    assert_eq!(used, wanted.map(|(place, path)| (place.to_owned(), path.to_owned())));
    assert_eq!(fixed_host(&plan, 0).as_deref(), Some("https://fixed.example:8443"));
    assert_eq!(fixed_host(&plan, 1), None);
    assert_eq!(target(&plan, 1, &context(json!({}))).as_deref(), Some("http://api.example"));
}
