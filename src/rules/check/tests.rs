//! Tests of the check of documents: every mistake at its place, defaults, bounds, hostile input.

mod each;
mod retry;

use super::*;
use crate::model::credential::Algorithm;
use crate::model::document::{
    Auth, Body, Delay, Missing, OnError, RequestStep, StatusMatch, StepKind, Trigger, VariableKind, Webhook,
};
use proptest::prelude::*;
use serde_json::json;

fn known() -> Known {
    Known {
        paths: vec![("taken".into(), "shop/Orders".into())],
        keys: Some(vec![("acme".into(), KeyKind::Jwt(Algorithm::HS256)), ("pw".into(), KeyKind::Basic)]),
        flows: None,
        connections: None,
    }
}

/// `line:column: message` of each mistake.
fn mistakes(source: &str) -> Vec<String> {
    let checked = check(source, &known());
    assert_eq!(checked.integration.is_none(), checked.problems.iter().any(|problem| !problem.warning));
    let lines = checked.problems.into_iter().map(|problem| {
        let warning = if problem.warning { "warning: " } else { "" };
        format!("{}:{}: {warning}{}", problem.line, problem.column, problem.message)
    });
    lines.collect()
}

fn sound(source: &str) -> Integration {
    let checked = check(source, &known());
    assert_eq!(checked.problems, [], "{source}");
    checked.integration.unwrap()
}

/// A document with one webhook flow, these keys in its trigger, and these steps.
fn document(trigger: &str, steps: &str) -> String {
    format!(
        "name = \"acme\"\n[[flow]]\nname = \"Sync\"\n[flow.trigger]\ntype = \"webhook\"\nauth = {{ type = \"none\" }}\n{trigger}\n{steps}\n"
    )
}

fn webhook(keys: &str) -> Webhook {
    match sound(&document(keys, "")).flows.remove(0).trigger {
        Trigger::Webhook(webhook) => webhook,
        _ => panic!("no webhook"),
    }
}

fn step(keys: &str) -> String {
    document("", &format!("[[flow.step]]\nname = \"push\"\n{keys}"))
}

fn exchange(keys: &str) -> RequestStep {
    match sound(&step(&format!("type = \"request\"\nurl = \"https://h.example/\"\n{keys}"))).flows[0]
        .steps
        .remove(0)
        .kind
    {
        StepKind::Request(step) => *step,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_mistake_is_told_at_its_place_and_all_at_once() {
    let found = mistakes(include_str!("mistakes.toml")).join("\n");
    let wanted = include_str!("mistakes.txt").trim_end();
    assert_eq!(found, wanted);
}

#[test]
fn what_is_left_out_means_what_the_documentation_says() {
    let integration = sound(&document("", ""));
    assert_eq!((integration.title.as_str(), integration.description.as_str()), ("acme", ""));
    let flow = &integration.flows[0];
    assert_eq!((flow.id.as_str(), flow.id_written, flow.steps.len()), ("sync", false, 0));
    let trigger = webhook("");
    assert_eq!(trigger.methods, ["POST", "PUT", "PATCH", "DELETE"]);
    assert_eq!((trigger.max_body, trigger.auth), (6 << 20, Auth::None));
    assert_eq!((trigger.dedup, trigger.required.len(), trigger.when, trigger.path), (None, 0, None, None));
    let dedup = webhook("dedup = { fields = [\"body.a\"] }").dedup.unwrap();
    assert_eq!((dedup.window, dedup.from_first), (7 * 86_400_000, false));

    let step = exchange("");
    assert_eq!(
        (step.method.as_str(), step.timeout, step.callback, step.idempotent),
        ("POST", 10_000, false, false)
    );
    assert_eq!(
        (step.success.as_slice(), step.callback_deadline),
        (&[StatusMatch::Class(2)][..], 7 * 86_400_000)
    );
    assert_eq!(step.body, Body::Empty);
    for (method, idempotent) in
        [("GET", true), ("HEAD", true), ("PUT", true), ("DELETE", true), ("POST", false), ("PATCH", false)]
    {
        let step = exchange(&format!("method = \"{method}\""));
        assert_eq!(
            (step.idempotent, step.retry.attempts),
            (idempotent, if idempotent { 3 } else { 2 }),
            "{method}"
        );
    }
    let integration = sound(&step_of("type = \"send\"\nurl = \"https://h.example/\""));
    let step = &integration.flows[0].steps[0];
    assert_eq!((step.missing, step.on_error), (Missing::Omit, OnError::Stop));
    let StepKind::Send(send) = &step.kind else { panic!() };
    assert_eq!((send.method.as_str(), send.timeout, send.callback), ("POST", 5_000, true));
    assert_eq!(send.body, Body::Document);
    let integration = sound(&step_of("type = \"fail\"\nmessage = \"no\""));
    assert!(matches!(integration.flows[0].steps[0].kind, StepKind::Fail { status: 422, .. }));
}

fn step_of(keys: &str) -> String {
    step(keys)
}

#[test]
fn what_is_written_arrives() {
    let integration = sound(
        r#"
name = "acme-erp"
title = "Acme ERP"
icon = "A"
description = "Customers"
[[variable]]
name = "url"
type = "url"
heading = "H"
help = "Where"
default = "http://127.0.0.1:9000"
required = true
[[variable]]
name = "mode"
type = "choice"
options = ["a", "b"]
default = "b"
[[variable]]
name = "n"
type = "number"
default = 1_000.50
[[connection]]
name = "progix"
base_url = "{{ config.url }}"
auth = { type = "basic", user = "u", password = "{{ config.mode }}" }
headers = { "X-Tenant" = 42 }
proxy = "http://127.0.0.1:3128"
verify_tls = false
ca_file = "/etc/ca.pem"
[[flow]]
id = "Customers.1"
name = "Sync customers ✓"
was = "Flow 1"
[flow.trigger]
type = "webhook"
path = "customers"
methods = ["POST", "GET"]
auth = { type = "none" }
dedup = { fields = ["body.order", 'headers["X-Request-ID"]', "query.page"], window = "30d", from = "first" }
required = ["body.a[0].b"]
when = "{{ request.body.type == 'email' }}"
reply = "accept"
max_body = "512KiB"
[[flow.step]]
name = "push"
type = "request"
connection = "progix"
method = "PUT"
url = "/customers/{{ request.body.id }}"
query = { source = "acme", n = 1.50 }
json = { a = 0x10, b = [true, 1.0, "{{ request.body.x }}"], d = 2026-01-02T03:04:05Z }
timeout = "1500ms"
success = [200, "201", "3xx"]
errors = { 404 = "unknown", "4xx" = "bad", default = "refused" }
outputs = { id = "body.customer.id", at = 'headers["Location"]', code = "status" }
retry = { attempts = 5, delay = "2s", backoff = "fixed", max_delay = "1m" }
idempotent = false
callback = true
callback_deadline = "2d"
on_error = "continue"
missing = "fail"
[[flow.step]]
name = "pause"
type = "delay"
until = "{{ steps.push.outputs.at }}"
[[flow]]
name = "Flow 2"
was = "First name"
[flow.trigger]
type = "manual"
"#,
    );
    assert_eq!(integration.icon.as_deref(), Some("A"));
    assert_eq!(integration.variables[1].kind, VariableKind::Choice(vec!["a".into(), "b".into()]));
    assert_eq!(
        integration.variables[2].default.as_ref().map(ToString::to_string).as_deref(),
        Some("1000.50")
    );
    let connection = &integration.connections[0];
    assert_eq!(
        (connection.verify_tls, connection.headers.as_slice()),
        (false, &[("X-Tenant".into(), "42".into())][..])
    );
    let flow = &integration.flows[0];
    assert_eq!(
        (flow.id.as_str(), flow.id_written, flow.was.as_deref()),
        ("Customers.1", true, Some("Flow 1"))
    );
    let StepKind::Request(push) = &flow.steps[0].kind else { panic!() };
    assert_eq!(push.query[1], ("n".to_owned(), "1.50".to_owned()));
    let Body::Json(body) = &push.body else { panic!() };
    assert_eq!(
        body.to_string(),
        r#"{"a":16,"b":[true,1.0,"{{ request.body.x }}"],"d":"2026-01-02T03:04:05Z"}"#
    );
    assert_eq!(push.success, [StatusMatch::Code(200), StatusMatch::Code(201), StatusMatch::Class(3)]);
    assert_eq!(
        push.errors,
        [(StatusMatch::Code(404), "unknown".to_owned()), (StatusMatch::Class(4), "bad".to_owned())]
    );
    assert_eq!(push.default_error.as_deref(), Some("refused"));
    assert_eq!((push.retry.attempts, push.retry.exponential, push.retry.written), (5, false, true));
    assert!(matches!(flow.steps[1].kind, StepKind::Delay(Delay::Until(_))));
    // The id comes from the first name, which `was` tells.
    assert_eq!((integration.flows[1].id.as_str(), integration.flows[1].id_written), ("first-name", false));
}

#[test]
fn every_bound_holds_at_its_edge() {
    let fits = |keys: &str| check(&document(keys, ""), &known()).problems.is_empty();
    let fields = |n: usize| {
        format!(
            "dedup = {{ fields = [{}] }}",
            (0..n).map(|i| format!("\"body.f{i}\"")).collect::<Vec<_>>().join(", ")
        )
    };
    for (within, beyond) in [
        (fields(1), fields(0)),
        (fields(5), fields(6)),
        (format!("path = \"{}\"", "a".repeat(64)), format!("path = \"{}\"", "a".repeat(65))),
        ("path = \"A-z.0_9~\"".to_owned(), "path = \"a/b\"".to_owned()),
        ("path = \"...\"".to_owned(), "path = \"..\"".to_owned()),
        ("path = \"free\"".to_owned(), "path = \"taken\"".to_owned()),
        ("max_body = \"64MiB\"".to_owned(), "max_body = \"65MiB\"".to_owned()),
        ("max_body = \"1B\"".to_owned(), "max_body = \"0B\"".to_owned()),
        ("max_body = \"1kB\"".to_owned(), "max_body = 6".to_owned()),
        (
            "dedup = { fields = [\"body\"], window = \"365d\" }".to_owned(),
            "dedup = { fields = [\"body\"], window = \"366d\" }".to_owned(),
        ),
        ("required = [\"query.a\"]".to_owned(), "required = [\"query\"]".to_owned()),
        ("methods = [\"GET\"]".to_owned(), "methods = []".to_owned()),
    ] {
        assert!(fits(&within), "{within}");
        assert!(!fits(&beyond), "{beyond}");
    }
    let fits = |keys: &str| check(&step(keys), &known()).problems.is_empty();
    for (within, beyond) in [
        ("type = \"delay\"\nfor = \"365d\"", "type = \"delay\"\nfor = \"366d\""),
        ("type = \"delay\"\nfor = \"1ms\"", "type = \"delay\"\nfor = \"0s\""),
        ("type = \"fail\"\nmessage = \"a\"\nstatus = 400", "type = \"fail\"\nmessage = \"a\"\nstatus = 399"),
        ("type = \"fail\"\nmessage = \"a\"\nstatus = 599", "type = \"fail\"\nmessage = \"a\"\nstatus = 600"),
        (
            "type = \"request\"\nurl = \"http://h/\"\nretry = { attempts = 100 }",
            "type = \"request\"\nurl = \"http://h/\"\nretry = { attempts = 101 }",
        ),
        (
            "type = \"request\"\nurl = \"http://h/\"\ntimeout = \"1h\"",
            "type = \"request\"\nurl = \"http://h/\"\ntimeout = \"61m\"",
        ),
        (
            "type = \"request\"\nurl = \"http://h/\"\nsuccess = [\"599\"]",
            "type = \"request\"\nurl = \"http://h/\"\nsuccess = [\"6xx\"]",
        ),
        (
            "type = \"request\"\nurl = \"http://h/{{ request.body.x }}\"",
            "type = \"request\"\nurl = \"http://h{{ request.body.x }}\"",
        ),
        (
            "type = \"request\"\nurl = \"http://h/{{ request.body.x }}\"",
            "type = \"request\"\nurl = \"http:///{{ request.body.x }}\"",
        ),
        (
            "type = \"request\"\nurl = \"http://h/?a={{ run }}\"",
            "type = \"request\"\nurl = \"{% if true %}http://h{% endif %}\"",
        ),
        ("type = \"set\"\noutputs = { a = 1 }", "type = \"set\"\noutputs = { \"a-b\" = 1 }"),
    ] {
        assert!(fits(within), "{within}: {:?}", mistakes(&step(within)));
        assert!(!fits(beyond), "{beyond}");
    }
    let steps = |n: usize| {
        let step = |i| format!("[[flow.step]]\nname = \"s{i}\"\ntype = \"set\"\noutputs = {{ a = 1 }}\n");
        document("", &(0..n).map(step).collect::<Vec<_>>().concat())
    };
    assert_eq!(mistakes(&steps(200)), [] as [String; 0]);
    assert_eq!(mistakes(&steps(201)).len(), 1);
    let long = format!("name = \"a\"\n#{}", " ".repeat((1 << 20) - 12));
    assert_eq!(long.len(), 1 << 20);
    assert_eq!(mistakes(&long), [] as [String; 0]);
    assert!(mistakes(&format!("{long} "))[0].contains("1 MiB"));
}

#[test]
fn aliases_are_unique_in_the_document_and_over_all_others() {
    let two = "name = \"a\"\n[[flow]]\nname = \"A\"\ntrigger = { type = \"webhook\", path = \"x\", auth = { type = \"none\" } }\n[[flow]]\nname = \"B\"\ntrigger = { type = \"webhook\", path = \"x\", auth = { type = \"none\" } }\n";
    assert_eq!(mistakes(two), ["7:38: path \"x\" belongs to flow \"A\" of this document: write another"]);
    assert_eq!(
        mistakes(&document("path = \"taken\"", "")),
        ["7:8: path \"taken\" belongs to shop/Orders: write another"]
    );
}

#[test]
fn text_that_is_no_toml_is_told_at_its_place_without_guesses() {
    let open = mistakes("name = \"a\nb = 1");
    assert_eq!(open[0], "1:10: this is no TOML: invalid basic string, expected `\"`");
    let twice = mistakes("name = \"a\"\nname = \"b\"");
    assert!(twice[0].starts_with("2:1: this is no TOML: duplicate key"), "{twice:?}");
    // What is broken is told; what could not be read because of it is not called missing.
    let broken = mistakes(&document("when = ", ""));
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert!(broken[0].starts_with("7:"), "{broken:?}");
    let headless = mistakes("name = \"x\"\n[[flow]\nname = \"a\"\npath = \"b\"\n[[flow]]\nnme = \"c\"\n");
    assert!(headless[0].starts_with("2:8: this is no TOML"), "{headless:?}");
    assert!(headless[1].starts_with("6:1: "), "its keys are not of the document: {headless:?}");
    assert_eq!(mistakes(""), ["1:1: the document has no name: write name = \"acme-erp\""]);
}

#[test]
fn columns_count_characters() {
    let source = "name = \"a\"\ndescription = \"ä🎉\" # x\ntitle = \"ö\"; x";
    assert_eq!(mistakes(source)[0].split(':').take(2).collect::<Vec<_>>(), ["3", "12"]);
    let source = step("type = \"request\"\nurl = \"https://h.example/ö/{{ config.x }}\"");
    assert_eq!(mistakes(&source), ["11:31: there is no variable \"x\": add [[variable]] with this name"]);
}

#[test]
fn hostile_documents_are_errors_and_never_a_panic() {
    let deep =
        |open: &str, close: &str| format!("name = \"a\"\nx = {}1{}", open.repeat(5_000), close.repeat(5_000));
    for source in [
        deep("[", "]"),
        deep("{ a = ", "}"),
        format!("name = \"a\"\n{} = 1", vec!["a"; 5_000].join(".")),
        format!("name = \"a\"\n{}", "[[flow]]\n".repeat(20_000)),
        format!("name = \"a\"\n{}", "[[flow]]\nname = \"x\"\n[[flow.step]]\n".repeat(500)),
        step(&format!(
            "type = \"request\"\nurl = \"https://h.example/\"\njson = {{ a = \"{}\" }}",
            "{{ x".repeat(20_000)
        )),
        step(&format!(
            "type = \"request\"\nurl = \"https://h.example/\"\njson = {{ a = \"{{{{ {}1 }}}}\" }}",
            "(".repeat(10_000)
        )),
        "\u{0}\u{feff}name = \"a\"".to_owned(),
        "name = 99999999999999999999999999999999999999999999999".to_owned(),
        step(
            "type = \"set\"\noutputs = { a = 1e999, b = nan, c = -inf, d = 99999999999999999999999999999999999999999 }",
        ),
    ] {
        let begun = std::time::Instant::now();
        let found = mistakes(&source);
        assert!(
            !found.is_empty() && found.len() <= 201,
            "{} from {}",
            found.len(),
            &source[..60.min(source.len())]
        );
        let took = begun.elapsed();
        assert!(took < std::time::Duration::from_secs(10), "{took:?} {}", &source[..60.min(source.len())]);
    }
}

#[test]
fn a_template_may_use_what_comes_before_it_and_nothing_else() {
    let steps = r#"
[[flow.step]]
name = "a"
type = "set"
outputs = { x = "{{ request.body.x }}" }
[[flow.step]]
name = "b"
type = "set"
outputs = { x = "{{ steps.a.outputs.x }}", y = "{{ steps.a.outputs.y }}", own = "{{ steps.b.outputs.x }}", loop = "{% for p in request.body.p %}{{ p.q }}{{ loop.index }}{% endfor %}", url = "{{ webhook_urls['Sync'] }}" }
"#;
    assert_eq!(
        mistakes(&document("", steps)),
        [
            "16:52: warning: step \"a\" has no output \"y\"",
            "16:85: step \"b\" has not ended here: only steps before this one can be looked at",
        ]
    );
    // A trigger's condition is judged before any step.
    assert_eq!(
        mistakes(&document("when = \"{{ steps.a.state == 'x' }}\"", "")),
        ["7:12: there is no step \"a\" before this one"]
    );
    assert_eq!(json!(1), 1);
}

const SAMPLE: &str = include_str!("../../../samples/purchase/integration.toml");

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>(), shaped in "(\\[\\[?(flow|variable|flow\\.step|flow\\.trigger|connection)\\]?\\]\n|(name|type|url|json|when|outputs|auth|dedup) = |\"[a-z{}% .|é\\\\]{0,12}\"|\\{ |\\}|\\[|\\]|,|\n|'''|\"\"\"|1|true){0,40}") {
        for text in [text, shaped] {
            let checked = check(&text, &known());
            prop_assert!(checked.integration.is_some() || !checked.problems.is_empty());
        }
    }

    #[test]
    fn mutated_samples_never_panic(cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, "[\\PC\n\"'{}\\[\\]=#\\\\]{0,4}"), 1..4)) {
        let mut text: Vec<char> = SAMPLE.chars().collect();
        for (at, length, insert) in cuts {
            let at = at.index(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, insert.chars());
        }
        let text: String = text.into_iter().collect();
        let checked = check(&text, &known());
        let lines = text.split('\n').count();
        for problem in &checked.problems {
            prop_assert!((1..=lines).contains(&problem.line) && problem.column >= 1);
        }
        // What is sound can be compiled.
        if let Some(integration) = checked.integration {
            for flow in 0..integration.flows.len() {
                let ids = (crate::model::IntegrationId(1), crate::model::FlowId(1));
                prop_assert!(crate::rules::plan::Plan::compile(ids.0, ids.1, 1, &integration, flow).is_ok());
            }
        }
    }
}

#[test]
fn a_renaming_that_names_nothing_is_said() {
    let text = "name = \"a\"\n[[flow]]\nname = \"New\"\nwas = \"Nope\"\n[flow.trigger]\ntype = \"manual\"\n";
    let saved = |flows: Option<&[&str]>| Known {
        flows: flows.map(|flows| flows.iter().map(|flow| (*flow).to_owned()).collect()),
        ..Known::default()
    };
    let checked = check(text, &saved(Some(&["Note"])));
    let said: Vec<_> = checked.problems.iter().map(|one| (one.line, one.column, one.warning)).collect();
    assert_eq!(said, [(4, 7, true)], "{:?}", checked.problems);
    assert!(checked.integration.is_some());
    for known in [saved(None), saved(Some(&["Nope"]))] {
        assert!(check(text, &known).problems.is_empty());
    }
}

#[test]
fn gates_are_read_with_their_bounds() {
    use crate::model::gate::{Gates, RateLimit};
    assert_eq!(*webhook("").gates, Gates::default());
    let gates = webhook(
        "allow_from = [\"203.0.113.7/24\", \"2001:db8::1\"]\nrate_limit = \" 50 / m \"\nconcurrency = 10000\n\
         mask = [\"body.card.number\", \"body.items[].iban\", 'headers[\"X-T\"]', \"query.key\", \"body\"]",
    )
    .gates;
    assert_eq!(gates.allow_from[0].to_string(), "203.0.113.0/24");
    assert_eq!(gates.allow_from[1].to_string(), "2001:db8::1/128");
    assert_eq!(gates.rate_limit, Some(RateLimit { count: 50, per: 60_000 }));
    assert_eq!((gates.mask.len(), gates.concurrency), (5, 10_000));
    for rate in ["1/s", "1000000/h"] {
        assert!(webhook(&format!("rate_limit = \"{rate}\"")).gates.rate_limit.is_some(), "{rate}");
    }
    for (keys, said) in [
        ("rate_limit = \"0/s\"", "is not possible: 1 to 1000000 requests are"),
        ("rate_limit = \"1000001/s\"", "is not possible"),
        ("rate_limit = \"50\"", "is no rate: write \"50/s\""),
        ("rate_limit = \"5/d\"", "is no rate"),
        ("rate_limit = \"+5/s\"", "is no rate"),
        ("rate_limit = 50", "rate_limit is a number: write a text"),
        ("allow_from = []", "allow_from is empty: nobody could send"),
        ("allow_from = [\"203.0.113.0/33\"]", "is no network"),
        ("allow_from = [\"example.com\"]", "is no network"),
        ("allow_from = \"203.0.113.0/24\"", "write a list"),
        ("mask = [\"card\"]", "mask \"card\" is not possible"),
        ("mask = [\"body.\"]", "is no path"),
        ("mask = [\"path\"]", "is not possible"),
        ("concurrency = -1", "concurrency is no whole number from 0 to 10000"),
        ("concurrency = 10001", "concurrency is no whole number"),
        ("dedup = { fields = [\"body.a[].b\"] }", "names any element: write a number"),
    ] {
        let all = mistakes(&document(keys, ""));
        assert!(all.iter().any(|line| line.contains(said)), "{keys}: {all:?}");
    }
    let many = format!("mask = [{}]", "\"body.a\",".repeat(257));
    assert!(mistakes(&document(&many, ""))[0].contains("mask has 257 entries: at most 256"));
}
