//! The request that leaves: body, headers, query and URL.

use super::*;

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
headers = { "X-Ref" = "{{ request.body.no }}", "x-tenant" = "7", "X-Nil" = "{{ request.body.nil }}", "X-Flag" = "{{ request.body.flag }}" }
form = { "a b" = "{{ request.body.q }}", nil = "{{ request.body.nil }}", no = "{{ request.body.no }}" }
"#;
    let outgoing = built(keys, json!({"q": "a&b=c d/é", "flag": true, "nil": null})).unwrap();
    assert_eq!(
        outgoing.url,
        "http://api.example/v1/search?fixed=1&q=a%26b%3Dc%20d%2F%C3%A9&flag=true&n=2&null="
    );
    assert_eq!(
        outgoing.headers,
        [
            ("X-Tenant".to_owned(), "7".to_owned()),
            ("Authorization".to_owned(), "Bearer t".to_owned()),
            ("X-Nil".to_owned(), String::new()),
            ("X-Flag".to_owned(), "true".to_owned()),
            ("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
        ]
    );
    assert_eq!(outgoing.body.as_deref(), Some(&b"a+b=a%26b%3Dc+d%2F%C3%A9&nil="[..]));
    assert_eq!(outgoing.left_out, ["query.no", "headers.X-Ref", "form.no"]);
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
