//! Flows that begin by themselves: at a tick, with a deploy, with a removal. The real binary.

use super::common::{House, Target, get, wait_for};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

/// A target that answers what it is told to.
fn told(status: u16) -> (Target, Arc<AtomicU16>) {
    let status = Arc::new(AtomicU16::new(status));
    let now = status.clone();
    (Target::new(move |_| (now.load(Ordering::SeqCst), "{}".into())), status)
}

/// What a command that must succeed told its person.
fn say(house: &House, args: &[&str]) -> String {
    let output = house.try_run(args);
    assert!(output.status.success(), "{args:?}: {output:?}");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn runs(house: &House, filter: &str) -> Vec<Value> {
    house.json(&["runs", "ls", filter]).as_array().unwrap().clone()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} of {value}"))
}

/// The bodies of the requests of a flow, the oldest first.
fn bodies(house: &House, flow: &str) -> Vec<Value> {
    let list = house.json(&["requests", "ls", &format!("flow:\"{flow}\""), "--limit", "0"]);
    let mut bodies: Vec<Value> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|request| house.json(&["requests", "show", text(request, "id")])["body"].clone())
        .collect();
    bodies.reverse();
    bodies
}

fn flow_of(house: &House, name: &str, flow: &str) -> Value {
    let shown = house.json(&["integrations", "show", name]);
    let flows = shown["flows"].as_array().unwrap();
    flows.iter().find(|one| one["name"] == flow).unwrap_or_else(|| panic!("{shown}")).clone()
}

const TICKING: &str = r#"
name = "ticking"
[[flow]]
name = "Often"
[flow.trigger]
type = "schedule"
every = "1s"
[[flow.step]]
name = "push"
type = "request"
method = "PUT"
url = "TARGET/often"
json = { tick = "{{ request.body.tick }}", missed = "{{ request.body.missed }}" }
"#;

#[test]
fn a_schedule_runs_without_anybody_and_shows_its_next_five_ticks() {
    let (house, target) = (House::new(), Target::fine());
    let daily = "[[flow]]\nname = \"Daily\"\n[flow.trigger]\ntype = \"schedule\"\ncron = \"0 6 * * *\"\nzone = \"Europe/Berlin\"\n";
    house.serve();
    house.apply(&format!("{}{daily}", TICKING.replace("TARGET", &target.url())));
    let arrived = wait_for("two ticks", || Some(target.arrived()).filter(|arrived| arrived.len() >= 2));
    let body: Value = serde_json::from_str(&arrived[0].body).unwrap();
    assert_eq!(body["missed"], 0, "{body}");
    assert!(text(&body, "tick").ends_with('Z'), "{body}");
    let request = house.json(&["requests", "ls", "--limit", "1"])[0].clone();
    assert_eq!((&request["marks"], &request["actor"]), (&json!(["schedule"]), &Value::Null));
    let told = house.run(&["requests", "explain", text(&request, "id")]);
    assert!(told.contains("Its schedule started it"), "{told}");
    let often = flow_of(&house, "ticking", "Often");
    assert_eq!(often["schedule"]["rule"], "every 1s");
    assert_eq!(often["schedule"]["next"].as_array().unwrap().len(), 5);
    assert!(often["last_run"]["run"].is_string(), "{often}");
    let daily = flow_of(&house, "ticking", "Daily");
    let next: Vec<&str> =
        daily["schedule"]["next"].as_array().unwrap().iter().map(|at| at.as_str().unwrap()).collect();
    assert_eq!(next.len(), 5);
    // 6:00 in Berlin is 4:00 or 5:00 UTC.
    assert!(
        next.iter().all(|at| at.ends_with("T04:00:00.000Z") || at.ends_with("T05:00:00.000Z")),
        "{next:?}"
    );
    let shown = house.run(&["integrations", "show", "ticking"]);
    assert_eq!(shown.matches("next 20").count(), 10, "{shown}");
    assert!(shown.contains("cron 0 6 * * * Europe/Berlin") && shown.contains(" 06:00:00 +0"), "{shown}");
    // Nobody starts it by hand.
    let body = house.file("body.json", "{}");
    let refused = house.try_run(&["send", body.to_str().unwrap(), "--to", "ticking/Often"]);
    assert_ne!(refused.status.code(), Some(0));
    // Its run is replayed like any other.
    let run = runs(&house, "state:succeeded").pop().unwrap();
    house.run(&["requests", "replay", text(&run, "request"), "--yes"]);
}

#[test]
fn each_tick_is_there_once_over_kill_9() {
    let (house, target) = (House::new(), Target::fine());
    house.apply(&TICKING.replace("TARGET", &target.url()));
    for _ in 0..5 {
        // (What was cut off is sent again.)
        let seen = || target.arrived().into_iter().map(|one| one.body).collect::<BTreeSet<String>>();
        let before = seen().len();
        house.serve();
        // Killed in the middle of things: as a tick has just been sent.
        wait_for("a tick", || (seen().len() > before).then_some(()));
        house.kill();
    }
    house.serve();
    wait_for("all runs to end", || {
        let open = ["queued", "running", "retrying", "waiting"];
        let open = open.iter().any(|state| !runs(&house, &format!("state:{state}")).is_empty());
        (!open).then_some(())
    });
    house.stop();
    let bodies = bodies(&house, "Often");
    let ticks: Vec<&str> = bodies.iter().map(|body| text(body, "tick")).collect();
    let once: BTreeSet<&str> = ticks.iter().copied().collect();
    assert!(ticks.len() >= 5 && once.len() == ticks.len(), "{ticks:?}");
    assert!(ticks.is_sorted(), "{ticks:?}");
    // All on one beat, and none is neither there nor counted.
    let ends: BTreeSet<&str> = ticks.iter().map(|tick| &tick[20..]).collect();
    assert_eq!(ends.len(), 1, "{ticks:?}");
    let at = |tick: &str| tick.parse::<jiff::Timestamp>().unwrap().as_second();
    let span = at(ticks[ticks.len() - 1]) - at(ticks[0]) + 1;
    let missed: i64 = bodies[1..].iter().map(|body| body["missed"].as_i64().unwrap()).sum();
    assert_eq!(span, i64::try_from(ticks.len()).unwrap() + missed, "{bodies:?}");
}

#[test]
fn three_days_later_each_schedule_is_made_up_once_and_an_hour_back_none_runs_twice() {
    let works = Command::new("faketime").args(["-f", "+1d", "true"]).output();
    assert!(works.is_ok_and(|output| output.status.success()), "faketime is needed: ./tests/run installs it");
    let (mut house, target) = (House::new(), Target::fine());
    let flow = |name: &str, trigger: &str| {
        format!(
            "[[flow]]\nname = \"{name}\"\n[flow.trigger]\ntype = \"schedule\"\n{trigger}\n[[flow.step]]\nname = \"push\"\ntype = \"request\"\nurl = \"{}/{name}\"\njson = {{ missed = \"{{{{ request.body.missed }}}}\", tick = \"{{{{ request.body.tick }}}}\" }}\n",
            target.url()
        )
    };
    let all = [
        ("quarter", "every = \"15m\""),
        ("daily", "cron = \"30 12 * * *\"\nzone = \"Asia/Tokyo\""),
        ("hourly", "cron = \"0 * * * *\""),
    ];
    let flows: String = all.iter().map(|(name, trigger)| flow(name, trigger)).collect();
    house.apply(&format!("name = \"often\"\n{flows}"));
    house.run_under(&["faketime", "-f", "+3d"]);
    house.serve();
    let arrived = wait_for("what was missed", || Some(target.arrived()).filter(|all| all.len() >= 3));
    let missed = |name: &str| -> i64 {
        let of: Vec<_> = arrived.iter().filter(|one| one.path == format!("/{name}")).collect();
        assert_eq!(of.len(), 1, "{name}");
        serde_json::from_str::<Value>(&of[0].body).unwrap()["missed"].as_i64().unwrap()
    };
    // (One more where it falls on the seconds that the test takes.)
    assert_eq!(missed("quarter"), 287);
    assert!((2..=3).contains(&missed("daily")));
    assert!((71..=72).contains(&missed("hourly")));
    wait_for("three runs", || (runs(&house, "state:succeeded").len() == 3).then_some(()));
    assert_eq!(flow_of(&house, "often", "quarter")["schedule"]["made_up"], missed("quarter"));
    house.stop();
    // An hour back: engine time stands where it was, and goes on from there.
    house.run_under(&["faketime", "-f", "+71h"]);
    house.serve();
    wait_for("a look at the clock", || {
        let figures = get(house.addr(), "/healthz")?;
        (figures.status == 200).then_some(())
    });
    // Three looks of those that look each second.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let arrived = target.arrived();
    let ticks: BTreeSet<(&str, &str)> =
        arrived.iter().map(|one| (one.path.as_str(), one.body.as_str())).collect();
    assert_eq!(ticks.len(), arrived.len(), "{ticks:?}");
    assert_eq!(arrived.iter().filter(|one| one.path == "/quarter").count(), 1, "{ticks:?}");
    house.stop();
}

const DEPLOYING: &str = r#"
name = "acme"
[[flow]]
name = "Sync customers"
[flow.trigger]
type = "webhook"
path = "customers"
auth = { type = "none" }
[[flow]]
name = "Sync stock"
[flow.trigger]
type = "webhook"
path = "stock"
auth = { type = "none" }
[[flow]]
name = "Register"
[flow.trigger]
type = "deploy"
[[flow.step]]
name = "hooks"
type = "request"
url = "TARGET/hooks"
json = { customers = '{{ webhook_urls["Sync customers"] }}', stock = '{{ webhook_urls["Sync stock"] }}', version = "{{ request.body.version }}" }
[[flow]]
name = "Welcome"
[flow.trigger]
type = "deploy"
first = true
[[flow.step]]
name = "greet"
type = "request"
url = "TARGET/greet"
"#;

#[test]
fn a_deploy_registers_the_urls_of_its_siblings_and_first_runs_once() {
    let (house, target) = (House::new(), Target::fine());
    let document = DEPLOYING.replace("TARGET", &target.url());
    house.serve();
    let path = house.file("document.toml", &document);
    let said = say(&house, &["apply", path.to_str().unwrap()]);
    assert!(said.contains("Register  run ") && said.contains("Welcome  run "), "{said}");
    let count = |path: &str| target.arrived().iter().filter(|one| one.path == path).count();
    wait_for("both", || (count("/hooks") == 1 && count("/greet") == 1).then_some(()));
    let arrived = target.arrived().into_iter().find(|one| one.path == "/hooks").unwrap();
    let body: Value = serde_json::from_str(&arrived.body).unwrap();
    for (key, flow) in [("customers", "Sync customers"), ("stock", "Sync stock")] {
        assert_eq!(body[key], flow_of(&house, "acme", flow)["url"], "{body}");
    }
    assert_eq!(body["version"], 1);
    // Nothing changed: no deploy. A flow more: one, by `deploy`, and its URL is there at once.
    house.run(&["apply", path.to_str().unwrap()]);
    let more = document.replace("[[flow]]\nname = \"Register\"", "[[flow]]\nname = \"New one\"\n[flow.trigger]\ntype = \"webhook\"\nauth = { type = \"none\" }\n[[flow]]\nname = \"Register\"");
    let more =
        more.replace("json = { customers", "json = { new = '{{ webhook_urls[\"New one\"] }}', customers");
    let path = house.file("document.toml", &more);
    house.run(&["apply", "--draft", path.to_str().unwrap()]);
    let said = say(&house, &["deploy", "acme"]);
    assert!(said.contains("Register  run ") && !said.contains("Welcome  run "), "{said}");
    wait_for("the second", || (count("/hooks") == 2).then_some(()));
    let arrived = target.arrived().into_iter().rfind(|one| one.path == "/hooks").unwrap();
    let body: Value = serde_json::from_str(&arrived.body).unwrap();
    assert_eq!((&body["new"], &body["version"]), (&flow_of(&house, "acme", "New one")["url"], &json!(2)));
    wait_for("all of them", || (runs(&house, "state:succeeded").len() == 3).then_some(()));
    assert_eq!((count("/hooks"), count("/greet")), (2, 1));
    let requests = house.json(&["requests", "ls", "flow:Register"]);
    assert_eq!((&requests[0]["marks"], &requests[0]["actor"]), (&json!(["deploy"]), &json!("anna")));
}

#[test]
fn a_deploy_that_was_committed_runs_whoever_made_it() {
    let (house, target) = (House::new(), Target::fine());
    // Without a server: the command makes the deploy, and nobody is there to run it.
    house.apply(&DEPLOYING.replace("TARGET", &target.url()));
    assert_eq!(runs(&house, "state:queued").len(), 2);
    house.serve();
    wait_for("both", || (runs(&house, "state:succeeded").len() == 2).then_some(()));
    house.kill();
    house.serve();
    assert_eq!(runs(&house, "").len(), 2, "and once");
}

#[test]
fn a_deploy_flow_wants_an_address_that_others_reach() {
    let house = House::new();
    let path = house.file("document.toml", &DEPLOYING.replace("TARGET", "http://127.0.0.1:9"));
    let apply = ["--listen", "0.0.0.0:7719", "apply", path.to_str().unwrap()];
    let refused = house.try_run(&apply);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(4), "{told}");
    assert!(told.contains("acme / Register") && told.contains("--public-url"), "{told}");
    assert_eq!(runs(&house, ""), [Value::Null; 0]);
    house.run(&[&["--public-url", "https://hooks.example"], &apply[..]].concat());
    assert_eq!(runs(&house, "").len(), 2);
}

#[test]
fn a_deploy_flow_that_fails_is_an_errored_run_and_the_integration_says_so() {
    let house = House::new();
    let (target, status) = told(422);
    house.serve();
    house.apply(&DEPLOYING.replace("TARGET", &target.url()));
    let errored =
        wait_for("both to stop", || Some(runs(&house, "state:errored")).filter(|all| all.len() == 2));
    let register = errored.iter().find(|run| run["flow"] == "Register").unwrap();
    let shown = flow_of(&house, "acme", "Register");
    assert_eq!(
        (&shown["last_run"]["run"], &shown["last_run"]["state"]),
        (&register["id"], &json!("errored"))
    );
    assert!(text(&shown["last_run"], "cause").contains("422"), "{shown}");
    assert!(house.run(&["integrations", "show", "acme"]).contains("errored: "));
    assert!(house.run(&["integrations", "ls"]).contains("deploy errored"));
    // The integration is live all the same, and the run is retried like any other.
    assert_eq!(house.post("customers", "{}").status, 200);
    status.store(200, Ordering::SeqCst);
    for run in &errored {
        house.run(&["runs", "retry", text(run, "id"), "--yes"]);
    }
    wait_for("both", || (runs(&house, "state:errored").is_empty()).then_some(()));
    wait_for("the list to say so", || {
        let list = house.run(&["integrations", "ls"]);
        (!list.contains("errored")).then_some(())
    });
}

const LEAVING: &str = r#"
name = "acme"
[[flow]]
name = "In"
[flow.trigger]
type = "webhook"
path = "in"
auth = { type = "none" }
[[flow]]
name = "Goodbye"
[flow.trigger]
type = "remove"
[[flow.step]]
name = "unregister"
type = "request"
method = "DELETE"
url = "TARGET/hooks/{{ request.body.version }}"
"#;

#[test]
fn a_removal_is_not_held_up_by_its_flow_and_its_failure_is_kept_and_retried() {
    let house = House::new();
    let (target, status) = told(422);
    let document = LEAVING.replace("TARGET", &target.url());
    house.serve();
    house.apply(&document);
    // A pause does not hold it up either.
    house.run(&["integrations", "pause", "acme", "--hold"]);
    let dry = say(&house, &["remove", "acme", "--dry-run"]);
    assert!(dry.contains("Goodbye would run"), "{dry}");
    let said = say(&house, &["remove", "acme", "--yes"]);
    assert!(said.contains("acme is removed") && said.contains("Goodbye  run "), "{said}");
    assert_eq!(house.post("in", "{}").status, 410);
    let run = wait_for("it to stop", || runs(&house, "state:errored").pop());
    assert_eq!(
        (&run["integration"], &run["flow"], &run["version"]),
        (&json!("acme"), &json!("Goodbye"), &json!(1))
    );
    assert_eq!(house.json(&["integrations", "ls"]), json!([]));
    // The name is free; the new integration has nothing to do with the run of the old one.
    house.apply(&document.replace("hooks/", "other/"));
    assert!(flow_of(&house, "acme", "Goodbye")["last_run"].is_null());
    house.kill();
    house.serve();
    status.store(200, Ordering::SeqCst);
    house.run(&["runs", "retry", text(&run, "id"), "--yes"]);
    let run = wait_for("the retry", || runs(&house, "state:succeeded").pop());
    assert_eq!((&run["flow"], &run["version"]), (&json!("Goodbye"), &json!(1)));
    assert!(target.arrived().iter().all(|one| one.path == "/hooks/1" && one.method == "DELETE"));
    assert_eq!(target.arrived().len(), 2);
}

#[test]
fn a_paused_schedule_lets_its_ticks_pass_and_a_held_one_makes_them_up_once() {
    let (house, target) = (House::new(), Target::fine());
    house.serve();
    house.apply(&TICKING.replace("TARGET", &target.url()));
    wait_for("a tick", || (!target.arrived().is_empty()).then_some(()));
    let said = say(&house, &["integrations", "pause", "ticking"]);
    assert!(said.contains("schedules"), "{said}");
    let quiet = |what: &str| {
        // Two looks at the clock, and whatever was under way.
        std::thread::sleep(std::time::Duration::from_millis(2_500));
        let before = runs(&house, "").len();
        std::thread::sleep(std::time::Duration::from_millis(2_500));
        assert_eq!(runs(&house, "").len(), before, "{what}");
        before
    };
    let before = quiet("paused");
    house.run(&["integrations", "resume", "ticking"]);
    wait_for("it to go on", || (runs(&house, "").len() > before).then_some(()));
    house.run(&["integrations", "pause", "ticking", "--hold"]);
    let before = quiet("held");
    let missed =
        |bodies: &[Value]| bodies.iter().map(|body| body["missed"].as_i64().unwrap()).collect::<Vec<_>>();
    house.run(&["integrations", "resume", "ticking"]);
    wait_for("it to go on", || (runs(&house, "").len() > before).then_some(()));
    let all = missed(&bodies(&house, "Often"));
    assert!(all[before] >= 3, "{all:?}");
}

#[test]
fn check_names_line_and_column_of_what_a_trigger_does_not_take() {
    let house = House::new();
    let wrong = "name = \"bad\"\n[[flow]]\nname = \"A\"\n[flow.trigger]\ntype = \"schedule\"\ncron = \"0 25 * * *\"\nzone = \"Europe/Berlim\"\n[[flow]]\nname = \"B\"\n[flow.trigger]\ntype = \"deploy\"\nonce = true\n[[flow]]\nname = \"C\"\n[flow.trigger]\ntype = \"remove\"\nauth = { type = \"none\" }\n";
    let path = house.file("bad.toml", wrong);
    let output = house.try_run(&["check", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let told =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    for place in ["bad.toml:6:11: ", "bad.toml:7:8: ", "bad.toml:12:1: ", "bad.toml:17:1: "] {
        assert!(told.contains(place), "{place} in {told}");
    }
    assert!(told.contains("did you mean \"Europe/Berlin\"?"), "{told}");
}
