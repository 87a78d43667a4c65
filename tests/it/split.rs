//! One run for each element of an array of the body.

use super::common::{Answer, House, Target, call, get, wait_for};
use serde_json::{Value, json};
use std::fmt::Write as _;

fn document(target: &Target, path: &str, trigger: &str) -> String {
    format!(
        r#"
[[flow]]
name = "{path}"
[flow.trigger]
type = "webhook"
path = "{path}"
auth = {{ type = "none" }}
split = "body.records"
{trigger}
[[flow.step]]
name = "push"
type = "request"
method = "PUT"
url = "{}/push/{{{{ record.n }}}}"
json = {{ n = "{{{{ record.n }}}}", of = "{{{{ request.body.of }}}}", record = "{{{{ record }}}}" }}
"#,
        target.url()
    )
}

fn apply(house: &House, flows: &[String]) {
    house.apply(&format!("name = \"splits\"\n{}", flows.concat()));
}

fn body(numbers: impl Iterator<Item = usize>) -> String {
    let mut records = String::new();
    for n in numbers {
        let _ = write!(records, "{}{{\"n\":{n}}}", if records.is_empty() { "" } else { "," });
    }
    format!("{{\"of\":\"all\",\"records\":[{records}]}}")
}

fn runs(answer: &Answer) -> Vec<String> {
    let told = answer.json();
    assert!(told.get("run").is_none(), "a split request has runs: {told}");
    told["runs"].as_array().unwrap().iter().map(|run| run.as_str().unwrap().to_owned()).collect()
}

fn states(house: &House, filter: &str) -> Vec<String> {
    let runs = house.json(&["runs", "ls", filter, "--limit", "0"]);
    runs.as_array().unwrap().iter().map(|run| run["state"].as_str().unwrap().to_owned()).collect()
}

fn ended(house: &House, request: &str, count: usize) -> Vec<String> {
    wait_for(&format!("{count} runs to end"), || {
        let states = states(house, &format!("request:{request}"));
        let open = ["queued", "running", "waiting", "retrying"];
        (states.len() == count && !states.iter().any(|state| open.contains(&state.as_str())))
            .then_some(states)
    })
}

#[test]
fn each_element_has_its_run_and_one_that_fails_touches_no_other() {
    let house = House::new();
    let target = Target::new(|arrived| (if arrived.path == "/push/1" { 404 } else { 200 }, "{}".into()));
    apply(&house, &[document(&target, "s", "dedup = { fields = [\"body.of\"] }")]);
    house.serve();
    let answer = house.post("s", &body(0..3));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let (made, told) = (runs(&answer), answer.json());
    assert_eq!((made.len(), told["state"].as_str()), (3, Some("queued")), "{told}");
    let request = answer.header("pointsman-request-id").unwrap();
    assert_eq!(told["request"], request);
    let mut found = ended(&house, request, 3);
    found.sort();
    assert_eq!(found, ["errored", "succeeded", "succeeded"]);
    let mut sent: Vec<Value> =
        target.arrived().iter().map(|arrived| serde_json::from_str(&arrived.body).unwrap()).collect();
    sent.sort_by_key(|sent| sent["n"].as_u64());
    let wanted: Vec<Value> = (0..3).map(|n| json!({"n": n, "of": "all", "record": {"n": n}})).collect();
    assert_eq!(sent, wanted);
    let shown = house.json(&["requests", "show", request]);
    assert_eq!(shown["runs"], json!(made));
    assert_eq!(shown["answer"]["status"], 200);
    // In the order of the elements.
    for (at, run) in made.iter().enumerate() {
        let run = house.json(&["runs", "show", run]);
        let url = run["steps"][0]["attempts"][0]["request"]["url"].as_str().unwrap().to_owned();
        assert!(url.ends_with(&format!("/push/{at}")), "{url}");
        let told = house.run(&["runs", "show", run["id"].as_str().unwrap()]);
        assert!(told.contains(&format!(", element {at}")), "{told}");
    }
    // The same again is one duplicate, and nobody runs.
    assert_eq!(house.post("s", &body(5..9)).status, 204);
    assert_eq!(states(&house, "").len(), 3);
    // After a retry the record is the same one.
    house.run(&["runs", "retry", &made[1], "--reason", "again"]);
    wait_for("the second attempt", || {
        (target.arrived().iter().filter(|arrived| arrived.path == "/push/1").count() == 2).then_some(())
    });
    house.run(&["doctor"]);
}

#[test]
fn the_number_of_elements_is_bounded_and_what_is_no_array_refused() {
    let (house, target) = (House::new(), Target::fine());
    apply(&house, &[document(&target, "s", "")]);
    house.serve();
    let answer = house.post("s", &body(0..1));
    assert_eq!((answer.status, runs(&answer).len()), (200, 1));
    let none = house.post("s", &body(0..0));
    assert_eq!((none.status, runs(&none).len(), none.json()["state"].as_str()), (200, 0, Some("succeeded")));
    let shown = house.json(&["requests", "show", none.header("pointsman-request-id").unwrap()]);
    assert_eq!((shown["verdict"].as_str(), &shown["runs"]), (Some("accepted"), &json!([])));

    let answer = house.post("s", &body(0..1_000));
    assert_eq!((answer.status, runs(&answer).len()), (200, 1_000));
    let request = answer.header("pointsman-request-id").unwrap();
    let states = ended(&house, request, 1_000);
    assert!(states.iter().all(|state| state == "succeeded"));
    let mut paths: Vec<String> = target.arrived().into_iter().map(|arrived| arrived.path).collect();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), 1_000, "each element once");

    for (body, cause) in [
        (body(0..1_001), "body.records is split and has 1001 elements: at most 1000 are possible"),
        ("{}".to_owned(), "body.records is split and missing"),
        (r#"{"records":{"0":1}}"#.to_owned(), "body.records is split and no array"),
        (r#"{"records":null}"#.to_owned(), "body.records is split and no array"),
    ] {
        let answer = house.post("s", &body);
        assert_eq!((answer.status, answer.json()["detail"].as_str()), (400, Some(cause)));
        assert!(answer.header("pointsman-request-id").is_some());
    }
    assert_eq!(house.json(&["requests", "ls", "verdict:rejected"]).as_array().unwrap().len(), 4);
    house.run(&["doctor"]);
}

#[test]
fn who_waits_for_a_split_is_answered_when_all_of_it_rests() {
    let house = House::new();
    let target = Target::new(|arrived| (if arrived.path == "/push/7" { 404 } else { 200 }, "{}".into()));
    let respond = "[[flow.step]]\nname = \"a\"\ntype = \"respond\"\nwhen = \"{{ record.n == 2 }}\"\njson = { first = \"{{ record.n }}\" }\n";
    apply(
        &house,
        &[
            document(&target, "w", "reply = \"wait\""),
            document(&target, "a", "reply = \"wait\"") + respond,
            document(&target, "p", "reply = \"poll\"\ntimeout = \"1ms\""),
        ],
    );
    house.serve();
    let answer = house.post("w", &body(0..5));
    assert_eq!((answer.status, answer.json()["state"].as_str()), (200, Some("succeeded")), "{}", answer.body);
    assert_eq!(runs(&answer).len(), 5);
    let answer = house.post("w", &body(6..9));
    assert_eq!((answer.status, answer.json()["state"].as_str()), (502, Some("errored")), "{}", answer.body);
    assert_eq!(runs(&answer).len(), 3);
    let found = ended(&house, answer.header("pointsman-request-id").unwrap(), 3);
    assert_eq!(found.iter().filter(|state| *state == "succeeded").count(), 2);
    let none = house.post("w", &body(0..0));
    assert_eq!((none.status, none.json()["state"].as_str()), (200, Some("succeeded")));
    let answer = house.post("a", &body(0..4));
    assert_eq!((answer.status, answer.body.as_str()), (200, "{\"first\":2}"));
    let answer = house.post("p", &body(10..30));
    let told = answer.json();
    if answer.status == 202 {
        let path = answer.header("location").unwrap();
        let status = wait_for("the end", || {
            let status = get(house.addr(), path).unwrap().json();
            (status["state"] == "succeeded").then_some(status)
        });
        let listed: Vec<&Value> = status["runs"].as_array().unwrap().iter().map(|run| &run["run"]).collect();
        assert_eq!(json!(listed), told["runs"], "in the order of the elements");
        assert!(status["runs"].as_array().unwrap().iter().all(|run| run["state"] == "succeeded"));
    }
}

#[test]
fn a_replay_makes_a_run_for_each_element_or_for_the_runs_own() {
    let house = House::new();
    let target = Target::fine();
    apply(&house, &[document(&target, "s", "")]);
    house.serve();
    let answer = house.post("s", &body(0..3));
    let (request, first) = (answer.header("pointsman-request-id").unwrap().to_owned(), runs(&answer));
    ended(&house, &request, 3);
    // The whole request: each new run has the earlier one of its element as its parent.
    let plan = house.try_run(&["requests", "replay", &request, "--dry-run"]);
    let plan = String::from_utf8([plan.stdout, plan.stderr].concat()).unwrap();
    assert!(plan.contains("3 new runs") && plan.contains("one for each element of body.records"), "{plan}");
    let made = house.json(&["requests", "replay", &request, "--reason", "again"]);
    let second: Vec<String> =
        made["runs"].as_array().unwrap().iter().map(|run| run.as_str().unwrap().to_owned()).collect();
    assert_eq!(second.len(), 3, "{made}");
    ended(&house, &request, 6);
    let parent = |run: &str| house.json(&["runs", "show", run])["parent"].as_str().map(str::to_owned);
    for (again, run) in second.iter().zip(&first) {
        assert_eq!(parent(again).as_deref(), Some(run.as_str()));
    }
    // The newest run of an element is the parent of the next one; an edited payload is a new request.
    let edited =
        house.json(&["requests", "replay", &request, "--set", "body.records[1].n=41", "--reason", "x"]);
    let third: Vec<&str> =
        edited["runs"].as_array().unwrap().iter().map(|run| run.as_str().unwrap()).collect();
    assert_eq!(third.len(), 3);
    assert_eq!(parent(third[1]).as_deref(), Some(second[1].as_str()));
    wait_for("the edited element", || {
        target.arrived().iter().any(|arrived| arrived.path == "/push/41").then_some(())
    });
    // Its status for the sender is that of the runs it began.
    assert_eq!(house.json(&["requests", "show", &request])["runs"].as_array().unwrap().len(), 6);
    let shorter =
        house.try_run(&["requests", "replay", &request, "--set", "body.records=[]", "--reason", "x"]);
    assert_eq!(shorter.status.code(), Some(4), "{}", String::from_utf8_lossy(&shorter.stderr));
    house.run(&["doctor"]);
}

#[test]
fn a_split_survives_a_kill() {
    let house = House::new();
    let target = Target::fine();
    apply(&house, &[document(&target, "s", "")]);
    house.serve();
    let answer = house.post("s", &body(0..500));
    assert_eq!(answer.status, 200);
    house.kill();
    house.serve();
    let request = answer.header("pointsman-request-id").unwrap();
    let states = ended(&house, request, 500);
    assert!(states.iter().all(|state| state == "succeeded"), "PUT may be repeated: {states:?}");
    let mut paths: Vec<String> = target.arrived().into_iter().map(|arrived| arrived.path).collect();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), 500);
    assert_eq!(call(house.addr(), "GET", "/in/s", &[], b"").unwrap().status, 200);
}

/// A flow in which each element sends what is its own: two steps once, one of them not always, and
/// one once an item.
fn uneven(target: &Target) -> String {
    let url = target.url();
    format!(
        r#"
[[flow]]
name = "uneven"
[flow.trigger]
type = "webhook"
path = "uneven"
auth = {{ type = "none" }}
split = "body.records"
[[flow.step]]
name = "mark"
type = "set"
outputs = {{ big = "{{{{ record.n > 1 }}}}" }}
[[flow.step]]
name = "push"
type = "request"
method = "PUT"
url = "{url}/push/{{{{ record.n }}}}"
[[flow.step]]
name = "tell"
type = "request"
method = "PUT"
for_each = "{{{{ record.items }}}}"
when = "{{{{ item != 0 }}}}"
url = "{url}/tell/{{{{ item }}}}"
[[flow.step]]
name = "last"
type = "request"
method = "PUT"
when = "{{{{ steps.mark.outputs.big }}}}"
url = "{url}/last"
"#
    )
}

#[test]
fn a_plan_of_a_replay_counts_what_each_element_sends() {
    let (house, target) = (House::new(), Target::fine());
    apply(&house, &[uneven(&target)]);
    house.serve();
    let bodies = [
        json!({"records": [{"n": 1, "items": [1, 2]}, {"n": 2, "items": []}, {"n": 3, "items": [0, 7]}]}),
        json!({"records": [{"n": 9, "items": [1, 2, 3, 4]}]}),
        json!({"records": (0..40).map(|n| json!({"n": n, "items": vec![1; n % 3]})).collect::<Vec<_>>()}),
    ];
    let mut requests = Vec::new();
    for body in &bodies {
        let answer = house.post("uneven", &body.to_string());
        let count = body["records"].as_array().unwrap().len();
        requests.push((answer.json()["request"].as_str().unwrap().to_owned(), count));
    }
    for (request, count) in &requests {
        assert!(ended(&house, request, *count).iter().all(|state| state == "succeeded"));
    }
    // What is promised, and what arrives of it, in all and by step.
    let promised = |args: &[&str]| {
        let plan = house.json(&[&["requests", "replay", "--dry-run"], args].concat());
        let sent: u64 = plan["hosts"].as_array().unwrap().iter().map(|host| host[1].as_u64().unwrap()).sum();
        let lines: Vec<String> = serde_json::from_value(plan["lines"].clone()).unwrap();
        let line = lines.iter().find(|line| line.contains(" real requests: ")).unwrap().clone();
        (plan["count"].as_u64().unwrap(), plan["makes"].as_u64().unwrap(), sent, line)
    };
    let done = |args: &[&str], open: &[(&str, usize)]| {
        let before = target.arrived().len();
        house.run(&[&["requests", "replay", "--yes"], args].concat());
        for (request, count) in open {
            ended(&house, request, *count);
        }
        let arrived: Vec<String> = target.arrived().into_iter().skip(before).map(|one| one.path).collect();
        let of = |path: &str| arrived.iter().filter(|one| one.starts_with(path)).count();
        (arrived.len() as u64, of("/push"), of("/tell"), of("/last"))
    };

    let (first, many) = (requests[0].0.as_str(), requests[0].1);
    let (count, makes, sent, line) = promised(&[first]);
    assert_eq!((count, makes, sent), (1, 3, 8));
    assert_eq!(line, "They send 8 real requests: push 3 times, tell 3 times, last 2 times.");
    assert_eq!(done(&[first], &[(first, 2 * many)]), (8, 3, 3, 2));

    let (count, makes, sent, line) = promised(&["--filter", "flow:uneven"]);
    let open: Vec<(&str, usize)> = requests
        .iter()
        .map(|(request, many)| (request.as_str(), if request == first { 3 * many } else { 2 * many }))
        .collect();
    let (all, push, tell, last) = done(&["--filter", "flow:uneven"], &open);
    assert_eq!((count, makes, sent), (3, 44, all), "{line}");
    assert_eq!(
        line,
        format!("They send {all} real requests: push {push} times, tell {tell} times, last {last} times.")
    );
    assert_eq!((push, tell, last), (44, 46, 41));
}
