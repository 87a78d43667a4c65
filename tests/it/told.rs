//! What senders were told is kept and shown: status in lists and filters, the whole answer in `show`,
//! exactly as it left, whenever that was.

use super::common::{Answer, House, Target, call, get, wait_for};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn flow(path: &str, trigger: &str, steps: &str) -> String {
    format!(
        "[[flow]]\nname = \"{path}\"\n[flow.trigger]\ntype = \"webhook\"\npath = \"{path}\"\n{trigger}\n{steps}\n"
    )
}

const OPEN: &str = "auth = { type = \"none\" }\n";

/// A step that sends to the target.
fn push(target: &Target, path: &str) -> String {
    format!(
        "[[flow.step]]\nname = \"push\"\ntype = \"request\"\nurl = \"{}/{path}\"\nretry = {{ attempts = 1 }}\n",
        target.url()
    )
}

/// Headers but for the connection's own, in an order of their own.
fn sorted(headers: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut all: Vec<_> =
        headers.filter(|(name, _)| !["date", "connection"].contains(&name.as_str())).collect();
    all.sort();
    all
}

fn code(row: &Value) -> u16 {
    u16::try_from(row["status"].as_u64().unwrap_or_else(|| panic!("{row}"))).unwrap()
}

/// Asserts that what is shown is what was read from the connection. Of where to ask for a run the key
/// is the sender's alone.
fn shown_as_it_left(house: &House, answer: &Answer) -> Value {
    let id = answer.header("pointsman-request-id").unwrap_or_else(|| panic!("{answer:?}"));
    let shown = house.told(id);
    let key = answer.body.split_once("?key=").map(|(_, rest)| rest.split('"').next().unwrap());
    let hidden = |text: &str| key.map_or_else(|| text.to_owned(), |key| text.replace(key, "•••"));
    let told = &shown["answer"];
    assert_eq!(told["status"], answer.status, "{told}");
    assert_eq!(told["body"], hidden(&answer.body), "{answer:?}");
    let headers = told["headers"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    assert_eq!(
        sorted(headers.map(|pair| (text(&pair[0]), text(&pair[1])))),
        sorted(answer.headers.iter().map(|(name, value)| (name.clone(), hidden(value)))),
        "{answer:?}"
    );
    assert_eq!(shown["status"], answer.status);
    shown
}

fn post(house: &House, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut all = vec![("Content-Type", "application/json")];
    all.extend(headers);
    call(house.addr(), "POST", &format!("/in/{path}"), &all, body.as_bytes()).unwrap()
}

#[test]
fn what_was_answered_at_once_is_shown_as_it_left() {
    let (house, target) = (House::new(), Target::fine());
    let secret = house.file("secret", "a secret of some length");
    house.run(&["key", "add", "acme", "--type", "api-key", "--secret-file", secret.to_str().unwrap()]);
    let plain = format!(
        "{OPEN}methods = [\"POST\"]\nmax_body = \"100B\"\nrequired = [\"body.n\"]\ndedup = {{ fields = [\"body.n\"] }}\nwhen = \"{{{{ request.body.n > 0 }}}}\"\n"
    );
    let delay = "[[flow.step]]\nname = \"rest\"\ntype = \"delay\"\nfor = \"1h\"\n";
    house.apply(&format!(
        "name = \"told\"\n{}{}{}{}{}{}",
        flow("direct", &plain, &push(&target, "x")),
        flow("fresh", OPEN, delay),
        flow("empty", OPEN, ""),
        flow("split", &format!("{OPEN}split = \"body\"\n"), delay),
        flow("known", "auth = { type = \"api_key\", keys = [\"acme\"] }\n", ""),
        flow("paused", OPEN, ""),
    ));
    house.serve();
    house.run(&["integrations", "pause", "told/paused", "--yes"]);
    let posted = |path: &str, body: &str| post(&house, path, &[], body);
    let mut codes = Vec::new();
    for answer in [
        posted("direct", r#"{"n":1}"#),
        posted("direct", r#"{"n":1}"#),
        posted("direct", r#"{"n":0}"#),
        posted("fresh", "{}"),
        posted("empty", "{}"),
        posted("split", "[1,2,3]"),
        posted("split", "[]"),
        posted("split", "{}"),
        posted("direct", "{"),
        posted("direct", "{}"),
        posted("direct", &format!("{{\"n\":\"{}\"}}", "x".repeat(100))),
        posted("known", "{}"),
        posted("paused", "{}"),
        post(&house, "direct", &[("Content-Encoding", "br")], "{}"),
        post(&house, "direct", &[("Pointsman-Hops", "9")], r#"{"n":5}"#),
        call(house.addr(), "DELETE", "/in/direct", &[], b"").unwrap(),
    ] {
        codes.push(answer.status);
        shown_as_it_left(&house, &answer);
    }
    assert_eq!(codes, [200, 204, 200, 200, 200, 200, 200, 400, 400, 400, 413, 401, 503, 415, 508, 405]);
    let states = ["direct", "fresh", "empty"].map(|flow| {
        let rows = house.json(&["requests", "ls", &format!("flow:{flow} and verdict:accepted")]);
        let id = rows[0]["id"].as_str().unwrap();
        let told = house.json(&["requests", "show", id])["answer"]["body"].as_str().unwrap().to_owned();
        serde_json::from_str::<Value>(&told).unwrap()["state"].clone()
    });
    assert!(["running", "queued"].contains(&states[0].as_str().unwrap()), "{states:?}");
    assert_eq!(states[1..], ["queued", "succeeded"]);
    // A replay adds a run; what its sender was told stays as it was.
    let answer = posted("fresh", r#"{"again":1}"#);
    let id = answer.header("pointsman-request-id").unwrap();
    house.run(&["requests", "replay", id, "--yes"]);
    let shown = shown_as_it_left(&house, &answer);
    assert_eq!(shown["runs"].as_array().unwrap().len(), 2, "{shown}");
    // Of what nobody sent there is no answer.
    house.run(&["requests", "replay", id, "--set", "body.again=2", "--yes"]);
    let edited = house.json(&["requests", "ls", "--limit", "1"]);
    let edited = house.json(&["requests", "show", edited[0]["id"].as_str().unwrap()]);
    assert_eq!((edited["answer"].clone(), &edited["body"]["again"]), (Value::Null, &json!(2)));
}

#[test]
fn what_a_sender_that_waited_was_told_is_kept_and_found() {
    let house = House::new();
    let gate = Arc::new(AtomicBool::new(false));
    let open = gate.clone();
    let target = Target::new(move |arrived| match arrived.path.as_str() {
        "/bad" => (500, "{}".into()),
        "/slow" => {
            wait_for("the gate", || open.load(Ordering::SeqCst).then_some(()));
            (200, "{}".into())
        }
        _ => (200, "{}".into()),
    });
    let wait = format!("{OPEN}reply = \"wait\"\n");
    let short = format!("{wait}timeout = \"50ms\"\n");
    let respond = "[[flow.step]]\nname = \"a\"\ntype = \"respond\"\nstatus = 201\nheaders = { X-A = \"1\" }\njson = { id = 7 }\n";
    let fail = "[[flow.step]]\nname = \"f\"\ntype = \"fail\"\nstatus = 422\nmessage = \"Sold out\"\n";
    house.apply(&format!(
        "name = \"waits\"\n{}{}{}{}{}{}{}{}",
        flow("done", &wait, &push(&target, "x")),
        flow("made", &wait, respond),
        flow("refused", &wait, fail),
        flow("stuck", &wait, &push(&target, "bad")),
        flow("slow", &short, &push(&target, "slow")),
        flow(
            "given-up",
            &format!("{short}on_timeout = \"abort\"\n"),
            "[[flow.step]]\nname = \"d\"\ntype = \"delay\"\nfor = \"1h\"\n"
        ),
        flow("asked", &format!("{OPEN}reply = \"poll\"\ntimeout = \"50ms\"\n"), &push(&target, "slow")),
        flow("split", &format!("{wait}split = \"body\"\n"), &push(&target, "x")),
    ));
    house.serve();
    let wanted = [
        ("done", 200),
        ("made", 201),
        ("refused", 422),
        ("stuck", 502),
        ("slow", 504),
        ("given-up", 504),
        ("asked", 202),
        ("split", 200),
    ];
    for (path, code) in wanted {
        let answer = post(&house, path, &[], if path == "split" { "[1,2]" } else { "{}" });
        assert_eq!(answer.status, code, "{path}: {answer:?}");
        shown_as_it_left(&house, &answer);
        let found = |filter: &str| -> Vec<String> {
            let rows = house.json(&["requests", "ls", &format!("{filter} and flow:{path}")]);
            rows.as_array().unwrap().iter().map(|row| row["status"].to_string()).collect()
        };
        for filter in [format!("status:{code}"), format!("status={code}"), format!("status>={code}")] {
            assert_eq!(found(&filter), [code.to_string()], "{path} {filter}");
        }
        assert!(found(&format!("status!={code}")).is_empty() && found(&format!("status>{code}")).is_empty());
    }
    let failing = house.json(&["requests", "ls", "status>=500"]);
    assert_eq!(failing.as_array().unwrap().len(), 3, "{failing}");
    // What becomes of the runs changes nothing of what their senders know.
    gate.store(true, Ordering::SeqCst);
    wait_for("the slow runs", || {
        let runs = house.json(&["runs", "ls", "state:succeeded and (flow:slow or flow:asked)"]);
        (runs.as_array().unwrap().len() == 2).then_some(())
    });
    assert_eq!(house.stop(), Some(0));
    house.serve();
    let rows = house.json(&["requests", "ls"]);
    let mut kept: Vec<(&str, u16)> =
        rows.as_array().unwrap().iter().map(|row| (row["flow"].as_str().unwrap(), code(row))).collect();
    kept.reverse();
    assert_eq!(kept, wanted);
    // The address that is shown opens nothing.
    let late = house.json(&["requests", "show", rows[3]["id"].as_str().unwrap()]);
    let headers = late["answer"]["headers"].as_array().unwrap();
    let location = headers.iter().find(|pair| pair[0] == "location").unwrap()[1].as_str().unwrap();
    assert!(location.ends_with("?key=•••"), "{location}");
    assert_eq!(get(house.addr(), &location.replace('•', "x")).unwrap().status, 404);
}

#[test]
fn what_came_is_shown_as_it_was_sent() {
    let house = House::new();
    house.apply(&format!(
        "name = \"came\"\n{}",
        flow("orders", &format!("{OPEN}mask = [\"query.card\"]\n"), "")
    ));
    house.serve();
    let id = house.json(&["endpoints", "ls"])[0]["id"].as_str().unwrap().to_owned();
    for (target, query) in [
        ("/in/orders/a%2Fb/c?x=1%26y&x=2&z=3".to_owned(), json!({ "x": ["1&y", "2"], "z": "3" })),
        ("/in/orders".to_owned(), json!({})),
        ("/in/orders/?flag".to_owned(), json!({ "flag": "" })),
        (format!("/in/{id}/rest"), json!({})),
    ] {
        let answer = call(house.addr(), "POST", &target, &[], b"").unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let shown = house.json(&["requests", "show", answer.header("pointsman-request-id").unwrap()]);
        assert_eq!((&shown["target"], &shown["query"]), (&json!(target), &query));
        let text = house.run(&["requests", "show", shown["id"].as_str().unwrap()]);
        assert!(text.contains(&format!("POST {target}")), "{text}");
        if target.contains("x=") {
            assert_eq!(shown["flat"]["query.x"], "1&y, 2", "as templates see it");
        }
    }
    let answer = call(house.addr(), "POST", "/in/orders?card=4711&card=4712&a=%20", &[], b"").unwrap();
    let shown = house.json(&["requests", "show", answer.header("pointsman-request-id").unwrap()]);
    assert_eq!(shown["target"], "/in/orders?card=•••&card=•••&a=%20");
    // A sample sends a name several times.
    let sample = house.file("sample.json", r#"{"$request":{"query":{"x":["1&y","2"]},"body":{"a":1}}}"#);
    house.run(&["send", sample.to_str().unwrap(), "--to", "came/orders"]);
    let newest = house.json(&["requests", "ls", "--limit", "1"]);
    let shown = house.json(&["requests", "show", newest[0]["id"].as_str().unwrap()]);
    assert_eq!(shown["query"], json!({ "x": ["1&y", "2"] }));
}

#[test]
fn a_readmitted_request_shows_what_its_sender_was_told() {
    let house = House::new();
    let document = |required: &str| {
        format!("name = \"again\"\n{}", flow("late", &format!("{OPEN}required = [\"{required}\"]\n"), ""))
    };
    house.apply(&document("body.b"));
    house.serve();
    let answer = post(&house, "late", &[], r#"{"a":1}"#);
    assert_eq!(answer.status, 400);
    let before = shown_as_it_left(&house, &answer);
    house.apply(&document("body.a"));
    house.run(&["requests", "readmit", before["id"].as_str().unwrap(), "--yes"]);
    let after = shown_as_it_left(&house, &answer);
    assert_eq!((&after["verdict"], &after["status"]), (&json!("accepted"), &json!(400)));
    assert_eq!(after["answer"], before["answer"]);
}
