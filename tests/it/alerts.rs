//! Alerts over the real binary: what is told of trouble, how often, and what a kill does to it.

use super::common::{Arrived, House, Target, wait_for};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

/// A target for steps and alerts: `/hook…` answers with the second status, all else with the first.
struct Ends {
    target: Target,
    steps: Arc<AtomicU16>,
    hook: Arc<AtomicU16>,
}

impl Ends {
    fn new(steps: u16) -> Self {
        let (steps, hook) = (Arc::new(AtomicU16::new(steps)), Arc::new(AtomicU16::new(200)));
        let (of_steps, of_hook) = (steps.clone(), hook.clone());
        let target = Target::new(move |arrived| {
            let status = if arrived.path.starts_with("/hook") { &of_hook } else { &of_steps };
            (status.load(Ordering::SeqCst), "{}".into())
        });
        Self { target, steps, hook }
    }

    /// What the hook was sent, oldest first.
    fn told(&self) -> Vec<Arrived> {
        self.target.arrived().into_iter().filter(|arrived| arrived.path.starts_with("/hook")).collect()
    }

    fn documents(&self) -> Vec<Value> {
        self.told().iter().map(|arrived| serde_json::from_str(&arrived.body).unwrap()).collect()
    }

    /// Waits for so many documents of a state.
    fn wait(&self, state: &str, n: usize) -> Vec<Value> {
        wait_for(&format!("{n} alerts of state {state}"), || {
            let of: Vec<Value> = self.documents().into_iter().filter(|one| one["state"] == state).collect();
            (of.len() >= n).then_some(of)
        })
    }
}

fn at(document: &Value, name: &str) -> i64 {
    document[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

fn document(alert: &str, target: &Target) -> String {
    format!(
        r#"
name = "acme"
[[alert]]
{alert}
[[flow]]
name = "Sync customers"
[flow.trigger]
type = "webhook"
path = "customers"
auth = {{ type = "none" }}
[[flow.step]]
name = "push"
type = "request"
method = "PUT"
url = "TARGET/{{{{ request.body.to }}}}"
errors = {{ "400" = "Progix refused" }}
[[flow]]
name = "Forms"
[flow.trigger]
type = "webhook"
path = "forms"
auth = {{ type = "none" }}
[[flow.step]]
name = "archive"
type = "request"
url = "TARGET/archive"
callback = true
callback_deadline = "1s"
[[flow]]
name = "Tell"
[flow.trigger]
type = "manual"
[[flow.step]]
name = "mail"
type = "request"
url = "TARGET/mail"
json = {{ text = "{{{{ request.body.text }}}}", kind = "{{{{ request.body.alert }}}}" }}
"#
    )
    .replace("TARGET", &target.url())
}

fn count(house: &House, filter: &str) -> usize {
    house.json(&["runs", "ls", filter, "--limit", "0"]).as_array().unwrap().len()
}

fn wait_count(house: &House, filter: &str, n: usize) {
    wait_for(&format!("{n} runs of {filter}"), || (count(house, filter) == n).then_some(()));
}

fn shown(house: &House) -> Value {
    house.json(&["integrations", "show", "acme"])["alerts"][0].clone()
}

#[test]
fn three_hundred_errored_runs_are_one_alert_and_one_recovery() {
    let (house, ends) = (House::new(), Ends::new(400));
    let alert = "on = [\"errored\", \"overdue\"]\nurl = \"TARGET/hook\"";
    house.apply(&document(alert, &ends.target));
    house.serve();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(house.post("customers", "{\"to\":\"a\"}").status, 200);
                }
            });
        }
    });
    wait_count(&house, "state:errored", 300);
    let told = ends.wait("open", 1);
    let first = &told[0];
    assert_eq!(
        (&first["alert"], &first["flow"], &first["step"]),
        (&"errored".into(), &"Sync customers".into(), &"push".into())
    );
    assert!(first["cause"].as_str().unwrap().starts_with("Progix refused"), "{first}");
    assert!(first["count"].as_u64().unwrap() >= 1 && first["new"] == first["count"], "{first}");
    let run = first["runs"][0].as_str().unwrap();
    assert_eq!(house.json(&["runs", "show", run])["state"], "errored");
    let group = first["group"].as_str().unwrap();
    assert_eq!(house.json(&["groups", "ls"])[0]["id"], group);
    let now = shown(&house);
    assert_eq!((&now["open"], &now["quiet"]), (&1.into(), &"15m".into()), "{now}");
    assert!(now["last_told"].is_string(), "{now}");
    let text = house.run(&["integrations", "show", "acme"]);
    assert!(text.contains("errored, overdue → ") && text.contains("last told "), "{text}");
    let listed = house.json(&["alerts", "ls"]);
    let of = |name: &str| listed[0][name].clone();
    assert_eq!(
        (of("open"), of("alert"), of("flow")),
        (true.into(), "errored".into(), "Sync customers".into())
    );
    assert_eq!((of("last_told"), of("cause")), (now["last_told"].clone(), first["cause"].clone()));
    assert_eq!(at(&listed[0], "quiet_until") - at(&listed[0], "last_told"), 900_000, "{listed}");
    let text = house.run(&["alerts", "ls"]);
    assert!(text.contains("open") && text.contains("acme / Sync customers"), "{text}");
    ends.steps.store(200, Ordering::SeqCst);
    house.run(&["groups", "retry", group, "--yes"]);
    wait_count(&house, "state:succeeded", 300);
    let recovered = ends.wait("recovered", 1);
    let listed = house.json(&["alerts", "ls"]);
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["open"]), (1, &false.into()), "{listed}");
    assert_eq!((&recovered[0]["group"], &recovered[0]["count"]), (&group.into(), &0.into()));
    // Another group is another cause, and is told after all that the first one had to say.
    ends.steps.store(422, Ordering::SeqCst);
    house.post("customers", "{\"to\":\"b\"}");
    ends.wait("open", 2);
    let states: Vec<String> =
        ends.documents().iter().map(|one| one["state"].as_str().unwrap().to_owned()).collect();
    assert_eq!(states, ["open", "recovered", "open"]);
    let keys: BTreeSet<String> =
        ends.told().iter().map(|one| one.header("idempotency-key").unwrap().to_owned()).collect();
    assert_eq!(keys.len(), 3, "each has a key of its own");
    assert!(house.log().contains("alert errored open to http"), "{}", house.log());
    house.run(&["doctor"]);
}

#[test]
fn what_comes_to_an_open_cause_is_told_once_a_quiet_period() {
    let (house, ends) = (House::new(), Ends::new(400));
    house.apply(&document("on = [\"errored\"]\nurl = \"TARGET/hook\"\nquiet = \"3s\"", &ends.target));
    house.serve();
    let mut sent = 0;
    wait_for("three alerts", || {
        house.post("customers", "{\"to\":\"a\"}");
        sent += 1;
        (ends.told().len() >= 3).then_some(())
    });
    wait_count(&house, "state:errored", sent);
    let all = wait_for("all of them to be told", || {
        let all = ends.documents();
        let new: u64 = all.iter().map(|one| one["new"].as_u64().unwrap()).sum();
        (new == u64::try_from(sent).unwrap()).then_some(all)
    });
    for pair in all.windows(2) {
        assert!(at(&pair[1], "at") - at(&pair[0], "at") >= 3_000, "{pair:?}");
        assert_eq!(pair[0]["since"], pair[1]["since"]);
    }
    assert_eq!(all.last().unwrap()["count"], sent);
}

#[test]
fn a_callback_that_nobody_answers_is_told_and_so_is_its_end() {
    let (house, ends) = (House::new(), Ends::new(202));
    house.apply(&document("on = [\"errored\", \"overdue\"]\nurl = \"TARGET/hook\"", &ends.target));
    house.serve();
    house.post("forms", "{}");
    let told = ends.wait("open", 1);
    assert_eq!((&told[0]["alert"], &told[0]["step"]), (&"overdue".into(), &"archive".into()), "{}", told[0]);
    let callback = told[0]["callbacks"][0].as_str().unwrap();
    house.run(&["callbacks", "complete", callback, "--status", "200", "--body", "{}", "--yes"]);
    let over = ends.wait("recovered", 1);
    assert_eq!(over[0]["alert"], "overdue");
    assert_eq!(ends.told().len(), 2, "{:?}", ends.documents());
}

#[test]
fn an_alert_that_is_not_taken_is_sent_again_under_its_key_over_kill_9() {
    let (house, ends) = (House::new(), Ends::new(400));
    house.apply(&document("on = [\"errored\"]\nurl = \"TARGET/hook\"", &ends.target));
    ends.hook.store(503, Ordering::SeqCst);
    house.serve();
    house.post("customers", "{\"to\":\"a\"}");
    wait_for("the alert to fail twice", || (ends.told().len() >= 2).then_some(()));
    let now =
        wait_for("the failure to be shown", || Some(shown(&house)).filter(|now| now["error"].is_string()));
    assert_eq!((&now["error"], &now["waiting"]), (&"it answered 503".into(), &1.into()), "{now}");
    let doctor = house.run(&["doctor"]);
    assert!(doctor.contains("alerts of acme do not reach") && doctor.contains("1 post waits"), "{doctor}");
    // Runs go on meanwhile.
    ends.steps.store(200, Ordering::SeqCst);
    house.post("customers", "{\"to\":\"b\"}");
    wait_count(&house, "state:succeeded", 1);
    house.kill();
    house.serve();
    ends.hook.store(200, Ordering::SeqCst);
    wait_for("the alert to be taken", || (shown(&house)["waiting"] == 0).then_some(()));
    let told = ends.told();
    let keys: BTreeSet<&str> = told.iter().map(|one| one.header("idempotency-key").unwrap()).collect();
    let bodies: BTreeSet<&str> = told.iter().map(|one| one.body.as_str()).collect();
    assert_eq!((keys.len(), bodies.len()), (1, 1), "{bodies:?}");
    let now = shown(&house);
    assert!(now["error"].is_null() && now["delivered"].is_string(), "{now}");
    assert!(!house.run(&["doctor"]).contains("do not reach"));
}

#[test]
fn kill_9_neither_loses_nor_doubles_what_is_told() {
    let (house, ends) = (House::new(), Ends::new(400));
    house.apply(&document("on = [\"errored\"]\nurl = \"TARGET/hook\"", &ends.target));
    for round in 0..6_u16 {
        house.serve();
        // A cause of its own for each round; killed as its run has just been answered.
        ends.steps.store(430 + round, Ordering::SeqCst);
        house.post("customers", "{\"to\":\"a\"}");
        let arrived = || ends.target.arrived().iter().filter(|one| one.method == "PUT").count();
        let before = usize::from(round) + 1;
        wait_for("the step", || (arrived() >= before).then_some(()));
        if round % 2 == 0 {
            std::thread::sleep(std::time::Duration::from_millis(u64::from(round) * 60));
        } else {
            // A run that an earlier kill cut off may be in the group, too: its attempts are told last.
            let code = format!("answered {}", 430 + round);
            let of = |one: &Value| one["cause"].as_str().is_some_and(|cause| cause.contains(&code));
            wait_for("the alert", || ends.documents().iter().any(of).then_some(()));
        }
        house.kill();
    }
    house.serve();
    wait_count(&house, "state:errored", 6);
    let groups = house.json(&["groups", "ls"]).as_array().unwrap().len();
    let told = wait_for("an alert of each group", || {
        let all: BTreeSet<(String, String)> = ends
            .told()
            .iter()
            .map(|one| {
                let document: Value = serde_json::from_str(&one.body).unwrap();
                assert_eq!(document["state"], "open", "{document}");
                let key = one.header("idempotency-key").unwrap().to_owned();
                (document["group"].as_str().unwrap().to_owned(), key)
            })
            .collect();
        (all.len() >= groups).then_some(all)
    });
    let named: BTreeSet<&String> = told.iter().map(|(group, _)| group).collect();
    assert_eq!((named.len(), told.len()), (groups, groups), "{told:?}");
}

#[test]
fn a_flow_is_told_and_its_own_errors_are_not() {
    let (house, ends) = (House::new(), Ends::new(400));
    house.apply(&document("on = [\"errored\"]\nflow = \"Tell\"\nquiet = \"1s\"", &ends.target));
    house.serve();
    house.post("customers", "{\"to\":\"a\"}");
    wait_count(&house, "flow:Tell state:errored", 1);
    let request = house.json(&["requests", "ls", "flow:Tell"])[0].clone();
    assert_eq!(request["marks"][0], "alert", "{request}");
    let body = house.json(&["requests", "show", request["id"].as_str().unwrap()])["body"].clone();
    assert_eq!((&body["alert"], &body["flow"]), (&"errored".into(), &"Sync customers".into()));
    assert!(
        house.run(&["requests", "explain", request["id"].as_str().unwrap()]).contains("An alert started it")
    );
    assert!(house.run(&["doctor"]).contains("go to the flow Tell"));
    // Another group is told, while the flow's own error stays untold.
    house.post("customers", "{\"to\":\"b\"}");
    ends.steps.store(422, Ordering::SeqCst);
    house.post("customers", "{\"to\":\"c\"}");
    wait_for("the second group to be told", || {
        let told = house.json(&["requests", "ls", "flow:Tell", "--limit", "0"]);
        let of = |one: &Value| house.json(&["requests", "show", one["id"].as_str().unwrap()])["body"].clone();
        let bodies: Vec<Value> = told.as_array().unwrap().iter().map(of).collect();
        assert!(bodies.iter().all(|body| body["flow"] == "Sync customers"), "{bodies:?}");
        bodies.iter().any(|body| body["cause"].as_str().unwrap().contains("422")).then_some(())
    });
    let mail = ends.target.arrived().into_iter().find(|one| one.path == "/mail").unwrap();
    assert!(mail.body.contains("acme / Sync customers: 1 run is errored at push"), "{}", mail.body);
}

#[test]
fn a_target_that_refuses_is_told_and_so_is_its_answer() {
    let (house, ends) = (House::new(), Ends::new(200));
    let alert = "on = [\"breaker\"]\nurl = \"TARGET/hook\"";
    // Nobody listens there.
    let dead = super::common::free();
    let text = document(alert, &ends.target)
        .replace(&format!("{}/{{{{", ends.target.url()), &format!("http://{dead}/{{{{"));
    assert!(text.contains(&dead.to_string()), "{text}");
    house.apply(&text);
    house.serve();
    (0..12).for_each(|_| assert_eq!(house.post("customers", "{\"to\":\"a\"}").status, 200));
    let told = ends.wait("open", 1);
    assert_eq!((&told[0]["alert"], &told[0]["target"]), (&"breaker".into(), &dead.to_string().into()));
    assert!(told[0]["flow"].is_null() && told[0]["count"].as_u64() >= Some(10), "{}", told[0]);
    let target = Target::at(dead, |_| (200, "{}".into()));
    let over = ends.wait("recovered", 1);
    assert_eq!(over[0]["target"], dead.to_string());
    assert_eq!(ends.told().len(), 2, "{:?}", ends.documents());
    drop(target);
}

#[test]
fn an_endpoint_that_goes_silent_is_told_until_its_next_request() {
    let works = Command::new("faketime").args(["-f", "+1d", "true"]).output();
    assert!(works.is_ok_and(|output| output.status.success()), "faketime is needed: ./tests/run installs it");
    let (mut house, ends) = (House::new(), Ends::new(200));
    house.apply(&document("on = [\"silent\"]\nurl = \"TARGET/hook\"", &ends.target));
    // Two days with a hundred requests each quarter of an hour.
    let store = rusqlite::Connection::open(house.data().join("pointsman.db")).unwrap();
    let flow: i64 =
        store.query_row("SELECT id FROM flow WHERE path = 'customers'", [], |row| row.get(0)).unwrap();
    let now = jiff::Timestamp::now().as_millisecond() / 900_000;
    for quarter in now - 192..now {
        store.execute("INSERT INTO arrival VALUES (?1, ?2, 100)", [flow, quarter]).unwrap();
    }
    drop(store);
    // A minute a second, but for what sleeps.
    house.run_under(&[
        "env",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
        "DONT_FAKE_MONOTONIC=1",
        "faketime",
        "-f",
        "+0 x60",
    ]);
    house.serve();
    house.post("customers", "{\"to\":\"a\"}");
    let told = ends.wait("open", 1);
    assert_eq!((&told[0]["alert"], &told[0]["flow"]), (&"silent".into(), &"Sync customers".into()));
    assert!(told[0]["cause"].as_str().unwrap().contains("; usually "), "{}", told[0]);
    house.post("customers", "{\"to\":\"a\"}");
    let over = ends.wait("recovered", 1);
    assert!(over[0]["text"].as_str().unwrap().ends_with("requests come again"), "{}", over[0]);
    // `Forms` was never sent anything: nothing is told of it.
    assert!(ends.documents().iter().all(|one| one["flow"] == "Sync customers"));
}
