//! Flows tried out: simulated, called step by step, run as a test, back-tested; stored requests as
//! samples.

#[path = "trial/backtest.rs"]
mod backtest;

use super::common::{House, Target, wait_for};
use serde_json::{Value, json};

/// A target that gives every customer the number 7.
fn crm() -> Target {
    Target::new(|arrived| match arrived.path.as_str() {
        "/lookup" => (200, json!({"customer": {"id": 7, "name": "Anna"}}).to_string()),
        "/broken" => (500, "{}".to_owned()),
        _ => (200, "{}".to_owned()),
    })
}

fn document(url: &str, more: &str) -> String {
    format!(
        r#"
name = "shop"
[[variable]]
name = "token"
type = "secret"
[[connection]]
name = "crm"
base_url = "{url}"
auth = {{ type = "bearer", token = "{{{{ config.token }}}}" }}

[[flow]]
id = "orders"
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = {{ type = "none" }}
required = ["body.no"]
when = "{{{{ request.body.kind != 'draft' }}}}"
dedup = {{ fields = ["body.no"] }}
mask = ["body.card"]
[[flow.step]]
name = "lookup"
type = "request"
connection = "crm"
url = "/lookup"
json = {{ email = "{{{{ request.body.email }}}}", card = "{{{{ request.body.card }}}}" }}
outputs = {{ id = "body.customer.id" }}
[[flow.step]]
name = "label"
type = "set"
outputs = {{ text = "customer {{{{ steps.lookup.outputs.id }}}}" }}
[[flow.step]]
name = "push"
type = "request"
connection = "crm"
url = "/customers/{{{{ steps.lookup.outputs.id }}}}"
headers = {{ "X-Name" = "{{{{ steps.lookup.body.customer.name }}}}" }}
json = {{ no = "{{{{ request.body.no }}}}", label = "{{{{ steps.label.outputs.text }}}}", gone = "{{{{ request.body.gone }}}}" }}
[[flow.step]]
name = "big"
type = "request"
connection = "crm"
url = "/big"
when = "{{{{ request.body.total > 100 }}}}"
{more}

[[flow]]
name = "Stock"
[flow.trigger]
type = "webhook"
path = "stock"
auth = {{ type = "none" }}
"#
    )
}

fn house(url: &str) -> House {
    let house = House::new();
    house.apply(&document(url, ""));
    let secret = house.file("secret", "s3cret-token\n");
    house.run(&["set", "shop", "token", "--secret-file", secret.to_str().unwrap()]);
    house.serve();
    house
}

const ORDER: &str = r#"{"no":1.50,"email":"a@b.c","card":"4111-1111","total":7}"#;

fn step<'v>(view: &'v Value, name: &str) -> &'v Value {
    view["steps"].as_array().unwrap().iter().find(|step| step["name"] == name).unwrap()
}

fn header<'v>(sent: &'v Value, name: &str) -> &'v str {
    let headers = sent["headers"].as_array().unwrap();
    let found = headers.iter().find(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name));
    found.map_or("", |pair| pair[1].as_str().unwrap())
}

#[test]
fn every_request_is_built_as_a_run_would_and_nothing_leaves() {
    let target = crm();
    let house = house(&target.url());
    let sample = house.file("order.json", ORDER);
    let args = ["test", "shop/Orders", "--sample", sample.to_str().unwrap()];
    let view = house.json(&args);
    assert!(target.arrived().is_empty(), "{:?}", target.arrived());
    assert_eq!(house.json(&["requests", "ls"]), json!([]), "nothing was stored either");
    assert_eq!((&view["verdict"], &view["sent"]), (&json!("accepted"), &json!(false)));
    assert_eq!(view["not_touched"], json!(["Stock"]));
    let lookup = step(&view, "lookup");
    assert_eq!(lookup["runs"], true);
    assert_eq!(lookup["request"]["method"], "POST");
    assert_eq!(lookup["request"]["url"], format!("{}/lookup", target.url()));
    assert_eq!(lookup["request"]["body"], r#"{"email":"a@b.c","card":"•••"}"#);
    assert!(header(&lookup["request"], "authorization").starts_with("Bearer ••• "), "{lookup}");
    let push = step(&view, "push");
    // What nobody knows is said, field by field, and its path stands in its place.
    assert_eq!(push["request"]["url"], format!("{}/customers/<steps.lookup.outputs.id>", target.url()));
    assert_eq!(push["request"]["body"], r#"{"no":1.50,"label":"customer <steps.lookup.outputs.id>"}"#);
    assert_eq!(push["left_out"], json!(["json.gone"]));
    let asks: Vec<(&str, &str, bool)> = push["asks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (one["field"].as_str().unwrap(), one["path"].as_str().unwrap(), one["known"].as_bool().unwrap())
        })
        .collect();
    assert_eq!(
        asks,
        [
            ("url", "steps.lookup.outputs.id", false),
            ("headers.X-Name", "steps.lookup.body.customer.name", false),
            ("json.label", "steps.lookup.outputs.id", false),
        ]
    );
    assert_eq!(view["unknown"], json!(["steps.lookup.outputs.id", "steps.lookup.body.customer.name"]));
    let big = step(&view, "big");
    assert_eq!((&big["runs"], &big["cause"]), (&json!(false), &json!("its when is false")));

    // With what nobody knew, it is what a real run sends.
    let mut given = args.to_vec();
    given.extend(["--set", "steps.lookup.outputs.id=7", "--set", "steps.lookup.body.customer.name=Anna"]);
    let view = house.json(&given);
    assert_eq!(view["unknown"], json!([]));
    house.post("orders", ORDER);
    let run = wait_for("the run to end", || {
        let runs = house.json(&["runs", "ls", "state:succeeded"]);
        runs[0]["id"].as_str().map(str::to_owned)
    });
    let run = house.json(&["runs", "show", &run]);
    for name in ["lookup", "push"] {
        let (would, did) = (&step(&view, name)["request"], &step(&run, name)["attempts"][0]["request"]);
        for part in ["method", "url", "body"] {
            assert_eq!(would[part], did[part], "{name}.{part}");
        }
        for part in ["authorization", "content-type", "x-name", "pointsman-attempt", "pointsman-hops"] {
            assert_eq!(header(would, part), header(did, part), "{name}.{part}");
        }
        assert_eq!(header(would, "idempotency-key"), format!("<run>.{name}"));
    }
    // Given values are remembered, blank is null, and they can be forgotten.
    assert_eq!(house.json(&args)["unknown"], json!([]));
    let blank = house.json(&[&args[..], &["--set", "steps.lookup.outputs.id="]].concat());
    assert_eq!(step(&blank, "push")["cause"], "could not be built: steps.lookup.outputs.id is null");
    assert_eq!((&blank["end"], step(&blank, "big")["runs"].as_bool()), (&json!("errored"), Some(false)));
    let fresh = house.json(&[&args[..], &["--fresh"]].concat());
    assert_eq!(fresh["unknown"].as_array().unwrap().len(), 2);

    for (more, exit) in [
        (vec!["--set", "steps.none.outputs.id=1"], 2),
        (vec!["--set", "body.x=1"], 2),
        (vec!["--step", "none"], 2),
        (vec!["--draft"], 4),
        (vec!["--send", "--run"], 2),
    ] {
        let ran = house.try_run(&[&args[..], &more].concat());
        assert_eq!(ran.status.code(), Some(exit), "{more:?}: {ran:?}");
    }
    assert_eq!(house.try_run(&["test", "shop/Orders", "--sample", "nowhere.json"]).status.code(), Some(3));
    let text = house.run(&args);
    assert!(text.contains("sends         POST ") && text.contains("not known"), "{text}");
    assert!(!text.contains("s3cret") && !text.contains("4111"), "{text}");
}

#[test]
fn the_trigger_the_guard_and_stored_requests_are_told() {
    let target = crm();
    let house = house("http://10.1.2.3:9/");
    let view = |name: &str, text: &str| {
        let sample = house.file(name, text);
        house.json(&["test", "shop/Orders", "--sample", sample.to_str().unwrap()])
    };
    let missing = view("a.json", "{}");
    assert_eq!(
        (&missing["verdict"], &missing["cause"]),
        (&json!("rejected"), &json!("400: body.no is required and missing"))
    );
    let filtered = view("b.json", r#"{"no":1,"kind":"draft"}"#);
    assert_eq!(filtered["verdict"], "filtered");
    let blocked = step(&filtered, "lookup")["blocked"].as_str().unwrap().to_owned();
    assert!(blocked.contains("10.1.2.3 is private") && blocked.contains("allow_networks"), "{blocked}");
    let refused = view("c.json", r#"{"$request":{"method":"GET","body":{"no":1}}}"#);
    assert_eq!(refused["cause"], "405: GET is not in methods");

    // A stored request, by its id or as the last one; and the draft's own defaults.
    assert_eq!(house.try_run(&["test", "shop/Orders"]).status.code(), Some(3));
    let id = house.post("orders", ORDER).json()["request"].as_str().unwrap().to_owned();
    house.post("orders", r#"{"no":9,"kind":"draft"}"#);
    assert_eq!(house.json(&["test", "shop/orders"])["request"].as_str(), Some(id.as_str()));
    let path = house.file("draft.toml", &document(&target.url(), ""));
    house.run(&["apply", path.to_str().unwrap(), "--draft"]);
    let draft = house.json(&["test", "shop/Orders", "--request", &id, "--draft", "--step", "lookup"]);
    assert_eq!((&draft["version"], &draft["draft"]), (&json!(2), &json!(true)));
    assert_eq!(draft["steps"].as_array().unwrap().len(), 1);
    assert_eq!(step(&draft, "lookup")["request"]["url"], format!("{}/lookup", target.url()));
    assert_eq!(step(&draft, "lookup")["blocked"], json!(null));
    assert!(target.arrived().is_empty());
}

#[test]
fn one_call_is_made_by_hand_and_its_answer_is_remembered() {
    let target = crm();
    let house = house(&target.url());
    let sample = house.file("order.json", ORDER);
    let args = ["test", "shop/Orders", "--sample", sample.to_str().unwrap()];
    let with = |more: &[&str]| house.try_run(&[&args[..], more].concat());
    // A call needs consent, a step, and what its fields ask for.
    assert_eq!(with(&["--send", "--step", "lookup"]).status.code(), Some(2));
    assert_eq!(with(&["--send", "--yes"]).status.code(), Some(2));
    let unknown = with(&["--send", "--step", "push", "--yes"]);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("--set steps.lookup.outputs.id=VALUE"));
    let never = with(&["--send", "--step", "big", "--yes"]);
    assert_eq!(never.status.code(), Some(4), "{never:?}");
    let plan = with(&["--send", "--step", "lookup", "--dry-run", "--output", "json"]);
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert_eq!(plan["hosts"], json!([[target.addr().to_string(), 1]]));
    assert!(target.arrived().is_empty());

    let called =
        house.json(&[&args[..], &["--send", "--step", "lookup", "--yes", "--reason", "see"]].concat());
    let arrived = target.arrived();
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].header("authorization"), Some("Bearer s3cret-token"));
    assert_eq!(arrived[0].body, r#"{"email":"a@b.c","card":"4111-1111"}"#);
    assert!(arrived[0].header("x-response-url").is_none());
    assert_eq!((&called["success"], &called["outputs"]), (&json!(true), &json!({"id": 7})));
    let attempt = &called["attempt"];
    assert_eq!((&attempt["status"], &attempt["outcome"]), (&json!(200), &json!("ok")));
    assert!(attempt["elapsed_ms"].is_i64() && attempt["started"].is_string(), "{attempt}");
    assert!(attempt["response"]["body"].as_str().unwrap().contains("Anna"));
    assert_eq!(attempt["request"]["body"], r#"{"email":"a@b.c","card":"•••"}"#);
    assert_eq!(house.json(&["runs", "ls"]), json!([]), "a call makes no run");
    let trail = house.json(&["audit", "ls"]);
    assert_eq!((&trail[0]["verb"], &trail[0]["reason"]), (&json!("call"), &json!("see")));

    // Later steps go on with it: what it gave, and what else was in its answer.
    let view = house.json(&args);
    assert_eq!(view["unknown"], json!([]));
    let push = step(&view, "push");
    assert_eq!(push["request"]["url"], format!("{}/customers/7", target.url()));
    assert_eq!(header(&push["request"], "x-name"), "Anna");
    assert_eq!((&push["asks"][0]["from"], &push["asks"][0]["value"]), (&json!("remembered"), &json!(7)));
    let text = with(&["--send", "--step", "push", "--yes"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("answered      200") && text.contains("took          0."), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    assert_eq!(target.arrived()[1].path, "/customers/7");
}

#[test]
fn a_call_that_is_no_success_says_so_and_is_not_remembered() {
    let target = crm();
    let house = House::new();
    house.apply(&document(&target.url(), "").replace("\"/lookup\"", "\"/broken\""));
    let secret = house.file("secret", "s3cret-token\n");
    house.run(&["set", "shop", "token", "--secret-file", secret.to_str().unwrap()]);
    let sample = house.file("order.json", ORDER);
    // Nobody serves: the command makes the call itself.
    let args = ["test", "shop/Orders", "--sample", sample.to_str().unwrap()];
    let call = [&args[..], &["--send", "--step", "lookup", "--yes"]].concat();
    let failed = house.try_run(&[&call[..], &["--output", "json"]].concat());
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    let called: Value = serde_json::from_slice(&failed.stdout).unwrap();
    assert_eq!(
        (&called["success"], &called["attempt"]["cause"]),
        (&json!(false), &json!("crm answered 500"))
    );
    assert_eq!(house.json(&args)["unknown"].as_array().unwrap().len(), 2);
    // A test run needs somebody who runs it.
    assert_eq!(house.try_run(&[&args[..], &["--run", "--yes"]].concat()).status.code(), Some(4));
    // The guard is the runner's.
    house.configure("allow_networks = []\n");
    let blocked = house.try_run(&call);
    assert_eq!(blocked.status.code(), Some(4), "{blocked:?}");
    assert!(String::from_utf8_lossy(&blocked.stderr).contains("127.0.0.1 is loopback"), "{blocked:?}");
    assert_eq!(target.arrived().len(), 1);
}

#[test]
fn a_test_run_is_real_marked_and_writes_no_key() {
    let target = crm();
    let house = house(&target.url());
    let sample = house.file("order.json", ORDER);
    let args = ["test", "shop/Orders", "--sample", sample.to_str().unwrap(), "--run"];
    assert_eq!(house.try_run(&args).status.code(), Some(2), "it asks");
    let plan = house.json(&[&args[..], &["--dry-run"]].concat());
    let lines = plan["lines"].to_string();
    assert!(
        lines.contains("2 steps of it send for real: lookup, push.") && lines.contains("Not touched: Stock")
    );
    assert!(target.arrived().is_empty());
    let run = house.json(&[&args[..], &["--yes"]].concat());
    assert_eq!((&run["test"], &run["state"]), (&json!(true), &json!("succeeded")));
    let paths: Vec<String> = target.arrived().iter().map(|one| one.path.clone()).collect();
    assert_eq!(paths, ["/lookup", "/customers/7"]);
    let tests = house.json(&["requests", "ls", "test:true"]);
    assert_eq!(tests.as_array().unwrap().len(), 1);
    assert_eq!((&tests[0]["test"], &tests[0]["dedup_key"]), (&json!(true), &json!(null)));
    assert_eq!(tests[0]["flow"], "Orders");
    assert_eq!(house.json(&["runs", "ls", "test:true"]).as_array().unwrap().len(), 1);
    assert_eq!(house.json(&["runs", "ls", "test:false"]), json!([]));
    // It wrote no key: the same request is accepted, and is no test.
    assert_eq!(house.post("orders", ORDER).status, 200);
    let again = house.json(&[&args[..], &["--yes"]].concat());
    assert_eq!(again["state"], "succeeded", "a test is never a duplicate");
    assert_eq!(house.json(&["requests", "ls", "test:false"]).as_array().unwrap().len(), 1);

    // What its trigger would not let in is not run; what fails says so.
    let filtered = house.file("filtered.json", r#"{"no":1,"kind":"draft"}"#);
    let refused =
        house.try_run(&["test", "shop/Orders", "--sample", filtered.to_str().unwrap(), "--run", "--yes"]);
    assert_eq!(refused.status.code(), Some(4), "{refused:?}");
    let path =
        house.file("draft.toml", &document(&format!("{}/broken?", target.url()), "on_error = \"abort\""));
    house.run(&["apply", path.to_str().unwrap(), "--draft"]);
    let draft = house.try_run(&[&args[..], &["--draft", "--yes", "--output", "json"]].concat());
    let run: Value = serde_json::from_slice(&draft.stdout).unwrap();
    assert_eq!((&run["version"], &run["test"]), (&json!(2), &json!(true)), "{run}");
    assert_eq!(house.json(&["integrations", "show", "shop"])["deployed"], 1);
}

#[test]
fn callbacks_of_a_test_run_work_as_ever() {
    let target = Target::new(|_| (202, "{}".into()));
    let house = House::new();
    house.apply(&format!(
        "name = \"docs\"\n[[flow]]\nname = \"Scans\"\n[flow.trigger]\ntype = \"webhook\"\nauth = {{ type = \"none\" }}\n\
         [[flow.step]]\nname = \"scan\"\ntype = \"send\"\nurl = \"{}/scan\"\n",
        target.url()
    ));
    house.serve();
    let sample = house.file("scan.json", r#"{"a":1}"#);
    let run = std::thread::scope(|scope| {
        let testing = scope.spawn(|| {
            house.json(&["test", "docs/Scans", "--sample", sample.to_str().unwrap(), "--run", "--yes"])
        });
        wait_for("the callback", || {
            let callbacks = house.json(&["callbacks", "ls", "state:pending"]);
            let id = callbacks[0]["id"].as_str()?.to_owned();
            house.run(&["callbacks", "complete", &id, "--body", "{\"document\":7}"]);
            Some(())
        });
        testing.join().unwrap()
    });
    assert_eq!((&run["state"], &run["test"]), (&json!("succeeded"), &json!(true)), "{run}");
    let arrived = target.arrived();
    assert!(arrived[0].header("x-response-url").unwrap().contains("/callback/"));
    assert_eq!(arrived[0].body, r#"{"a":1}"#);
}

#[test]
fn a_stored_request_becomes_a_sample_that_can_be_sent_and_tried() {
    let target = crm();
    let house = house(&target.url());
    let headers =
        [("Content-Type", "application/json"), ("Authorization", "Bearer from-the-sender"), ("X-Ref", "r-1")];
    let sent = super::common::call(
        house.addr(),
        "PUT",
        "/in/orders/eu?page=2",
        &headers,
        br#"{"no":19.90,"card":"4111-1111"}"#,
    );
    let id = sent.unwrap().json()["request"].as_str().unwrap().to_owned();
    let text = house.run(&["requests", "show", &id, "--sample"]);
    let sample: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        sample,
        json!({"$request": {
            "method": "PUT", "path": "eu", "query": {"page": "2"},
            "headers": {"content-type": "application/json", "x-ref": "r-1"},
            "body": {"no": serde_json::from_str::<Value>("19.90").unwrap(), "card": "•••"},
        }})
    );
    assert!(text.contains("19.90"), "{text}");
    let file = house.file("sample.json", &text);
    let view = house.json(&["test", "shop/Orders", "--sample", file.to_str().unwrap()]);
    assert_eq!(view["verdict"], "accepted");
    house.run(&["requests", "forget", &id]);
    house.run(&["send", file.to_str().unwrap(), "--to", "shop/Orders"]);
    let again = house.json(&["requests", "ls", "--limit", "1"]);
    assert_eq!((&again[0]["method"], &again[0]["path"]), (&json!("PUT"), &json!("eu")));
}
