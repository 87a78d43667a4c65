//! Jobs with the real binary: a verb on many goes on over a kill, does nothing twice, is told and
//! stopped; and replays to other URLs, signed anew or as they came.

mod halts;

use super::common::{Answer, Arrived, House, Target, wait_for};
use super::senders::{hex, mac, post};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const SECRET: &str = "a secret of thirty-two characters";

fn document(target: &str) -> String {
    format!(
        r#"
name = "shop"
[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = {{ type = "none" }}
[[flow.step]]
name = "push"
type = "request"
url = "{target}/orders/{{{{ request.body.n }}}}"
json = {{ n = "{{{{ request.body.n }}}}" }}

[[flow]]
name = "Signed"
[flow.trigger]
type = "webhook"
path = "signed"
auth = {{ type = "signature", provider = "github", keys = ["hub"] }}
"#
    )
}

/// A target that fails until it is told to be well.
fn broken() -> (Target, Arc<AtomicBool>) {
    let well = Arc::new(AtomicBool::new(false));
    let is_well = well.clone();
    let answer = move |_: &Arrived| {
        if is_well.load(Ordering::SeqCst) { (200, "{}".to_owned()) } else { (404, "{}".to_owned()) }
    };
    (Target::new(answer), well)
}

/// A serving house with so many errored runs.
fn errored(count: usize) -> (House, Target, Arc<AtomicBool>) {
    let (target, well) = broken();
    let house = House::new();
    house.apply(
        &document(&target.url()).replace("[[flow]]\nname = \"Signed\"", "[[flow]]\nname = \"Open\"").replace(
            "auth = { type = \"signature\", provider = \"github\", keys = [\"hub\"] }",
            "auth = { type = \"none\" }",
        ),
    );
    house.serve();
    for n in 0..count {
        assert_eq!(house.post("orders", &json!({"n": n}).to_string()).status, 200);
    }
    wait_for("all runs to be errored", || (of_state(&house, "errored") == count).then_some(()));
    (house, target, well)
}

fn of_state(house: &House, state: &str) -> usize {
    let runs = house.json(&["runs", "ls", &format!("state:{state}"), "--limit", "0"]);
    runs.as_array().unwrap().len()
}

fn newest_job(house: &House) -> Value {
    let jobs = house.json(&["jobs", "ls"]);
    house.json(&["jobs", "show", jobs[0]["id"].as_str().unwrap()])
}

/// Arrivals by idempotency key and attempt.
fn by_attempt(target: &Target) -> BTreeMap<(String, String), usize> {
    let mut counted = BTreeMap::new();
    for arrived in target.arrived() {
        let header = |name| arrived.header(name).unwrap_or_default().to_owned();
        *counted.entry((header("idempotency-key"), header("pointsman-attempt"))).or_default() += 1;
    }
    counted
}

#[test]
fn a_bulk_retry_goes_on_after_a_kill_and_retries_no_run_twice() {
    const RUNS: usize = 500;
    let (house, target, well) = errored(RUNS);
    well.store(true, Ordering::SeqCst);
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .args(["runs", "retry", "--filter", "state:errored", "--rate", "50/s", "--yes", "--follow"])
        .args(["--reason", "the URL is fixed"])
        .env("POINTSMAN_DATA", house.data())
        .env("USER", "anna")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let second = |target: &Target| target.arrived().len() - RUNS;
    wait_for("a part of it", || (second(&target) >= 100).then_some(()));
    house.kill();
    let (code, said) = command.ended();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("goes on"), "{said}");
    assert!(second(&target) < RUNS, "it was in the middle");

    house.serve();
    let job = wait_for("the job to end", || {
        let job = newest_job(&house);
        (job["state"] == "done").then_some(job)
    });
    assert_eq!((&job["total"], &job["done"], &job["left"]), (&json!(RUNS), &json!(RUNS), &json!(0)), "{job}");
    assert_eq!(
        (&job["who"], &job["door"], &job["verb"]),
        (&json!("anna"), &json!("command line"), &json!("retry"))
    );
    assert_eq!((&job["reason"], &job["rate"]), (&json!("the URL is fixed"), &json!("50/s")));
    assert_eq!(job["filter"], "state:errored");
    assert!(job["time"].as_str().unwrap().ends_with('Z') && job["ended"].is_string(), "{job}");
    wait_for("all runs to end", || {
        let open = ["queued", "running", "retrying"].map(|state| of_state(&house, state));
        (open == [0, 0, 0]).then_some(())
    });
    // What the kill cut off is errored, and told; nothing was retried a second time.
    let attempts = by_attempt(&target);
    assert!(attempts.values().all(|count| *count == 1), "an attempt arrived twice");
    assert!(attempts.keys().all(|(_, attempt)| attempt == "1" || attempt == "2"), "a run was retried twice");
    let again = attempts.keys().filter(|(_, attempt)| attempt == "2").count();
    let cut_off = of_state(&house, "errored");
    assert!(again + cut_off >= RUNS, "{again} arrived again, {cut_off} were cut off");
    assert_eq!(of_state(&house, "succeeded") + cut_off, RUNS);
    let objects = house.json(&["jobs", "show", job["id"].as_str().unwrap(), "--objects", "--limit", "0"]);
    let objects = objects.as_array().unwrap().clone();
    assert_eq!(objects.len(), RUNS);
    assert!(objects.iter().all(|object| object["state"] == "done" && object["kind"] == "run"));
    let of_job = house.json(&["runs", "ls", &format!("job:{}", job["id"].as_str().unwrap()), "--limit", "0"]);
    assert_eq!(of_job.as_array().unwrap().len(), RUNS);
    let audit = house.json(&["audit", "ls", "verb:retry"]);
    assert_eq!(audit.as_array().unwrap().len(), 1, "{audit}");
    assert_eq!((&audit[0]["target"], &audit[0]["who"]), (&job["id"], &json!("anna")));
}

/// A child's exit code and what it wrote to stderr.
trait Ended {
    fn ended(&mut self) -> (Option<i32>, String);
}

impl Ended for std::process::Child {
    fn ended(&mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        std::io::Read::read_to_string(self.stderr.as_mut().unwrap(), &mut said).unwrap();
        (self.wait().unwrap().code(), said)
    }
}

#[test]
fn a_job_is_stopped_and_what_is_left_stays_as_it_is() {
    let (house, _target, _well) = errored(30);
    let dry = house.json(&["runs", "abort", "--filter", "state:errored", "--rate", "2/s", "--dry-run"]);
    assert_eq!((&dry["count"], dry["sample"].as_array().unwrap().len()), (&json!(30), 5), "{dry}");
    let id = house.run(&["runs", "abort", "--filter", "state:errored", "--rate", "2/s", "--yes", "--detach"]);
    let id = id.trim();
    let show = || house.json(&["jobs", "show", id]);
    wait_for("the first one", || (show()["done"].as_u64() >= Some(1)).then_some(()));
    house.run(&["jobs", "stop", id, "--reason", "wrong filter"]);
    let job = show();
    assert_eq!((&job["state"], &job["stopped_by"]), (&json!("stopped"), &json!("anna")), "{job}");
    let done = usize::try_from(job["done"].as_u64().unwrap()).unwrap();
    assert!(done < 30);
    assert_eq!((of_state(&house, "aborted"), of_state(&house, "errored")), (done, 30 - done));
    assert_eq!(house.try_run(&["jobs", "stop", id]).status.code(), Some(4));
    assert_eq!(
        house.try_run(&["jobs", "stop", "0197a2b4-77c1-7d30-9f11-c2a9905d7c31"]).status.code(),
        Some(3)
    );
    let audit = house.json(&["audit", "ls", "verb:stop"]);
    assert_eq!((&audit[0]["target"], &audit[0]["reason"]), (&json!(id), &json!("wrong filter")));
    let text = house.run(&["jobs", "ls"]);
    assert!(text.contains("stopped") && text.contains("of 30") && text.contains("abort at 2/s"), "{text}");
    let text = house.run(&["jobs", "show", id]);
    assert!(text.contains("state         stopped by anna, "), "{text}");
}

#[test]
fn without_a_server_a_job_is_done_by_its_command_or_by_the_next_server() {
    let (house, _target, _well) = errored(12);
    house.stop();
    let half = house.run(&["runs", "skip", "--filter", "state:errored body.n<6", "--rate", "600/m", "--yes"]);
    let job = house.json(&["jobs", "show", half.trim()]);
    assert_eq!((&job["state"], &job["done"]), (&json!("done"), &json!(6)), "{job}");
    let id =
        house.run(&["runs", "abort", "--filter", "state:errored", "--rate", "1000/s", "--yes", "--detach"]);
    let job = house.json(&["jobs", "show", id.trim()]);
    assert_eq!((&job["state"], &job["left"]), (&json!("running"), &json!(6)), "{job}");
    house.serve();
    wait_for("the server to take it up", || {
        (house.json(&["jobs", "show", id.trim()])["state"] == "done").then_some(())
    });
    assert_eq!(of_state(&house, "aborted"), 6);
}

#[test]
fn many_become_a_job_without_a_rate_and_come_back_with_an_exit_code() {
    let (house, target, well) = errored(120);
    well.store(true, Ordering::SeqCst);
    let out = house.try_run(&["runs", "retry", "--filter", "state:errored", "--yes"]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    assert_eq!(newest_job(&house)["done"], 120);
    wait_for("all to succeed", || (of_state(&house, "succeeded") == 120).then_some(()));
    assert!(by_attempt(&target).keys().all(|(_, attempt)| attempt == "1" || attempt == "2"));
    // Some of many failed: those that this target does not like.
    let picky = Target::new(|arrived| (if arrived.body.contains('7') { 422 } else { 200 }, String::new()));
    let to = format!("{}/hook?token=s3cret", picky.url());
    let replay = ["requests", "replay", "--filter", "flow:Orders", "--yes", "--to", &to, "--rate", "1000/s"];
    let out = house.try_run(&replay);
    assert_eq!(out.status.code(), Some(5), "{out:?}");
    let job = newest_job(&house);
    let some = (0..120).filter(|n: &i32| n.to_string().contains('7')).count();
    assert_eq!((&job["refused"], &job["done"]), (&json!(some), &json!(120 - some)), "{job}");
    assert!(job["reasons"][0]["why"].as_str().unwrap().contains("answered 422"), "{job}");
    assert_eq!(picky.arrived().len(), 120);
    assert!(picky.arrived().iter().all(|arrived| arrived.path == "/hook?token=s3cret"));
    let told = job.to_string() + &house.run(&["audit", "ls", "--output", "json"]);
    assert!(!told.contains("s3cret"), "{told}");
}

/// GitHub's signature of a body.
fn signature(body: &[u8]) -> String {
    format!("sha256={}", hex(&mac(SECRET.as_bytes(), &[body])))
}

fn signed() -> (House, String) {
    let house = House::new();
    let secret = house.file("secret", SECRET);
    house.run(&["key", "add", "hub", "--type", "signature", "--secret-file", secret.to_str().unwrap()]);
    house.apply(&document("http://127.0.0.1:1"));
    house.serve();
    // Spaces that a parser would lose: the signature is over these bytes.
    let body = br#"{"ref": "main",  "n": 1.0}"#;
    let headers = [
        ("X-Hub-Signature-256", signature(body)),
        ("X-GitHub-Event", "push".to_owned()),
        ("Authorization", "Bearer of-the-sender".to_owned()),
    ];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer: Answer = post(&house, "signed/repo/1?a=b", &headers, body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let id = answer.json()["request"].as_str().unwrap().to_owned();
    (house, id)
}

#[test]
fn a_request_is_sent_elsewhere_unsigned_signed_anew_or_as_it_came() {
    let (house, id) = signed();
    let target = Target::fine();
    let to = format!("{}/hook", target.url());
    let replay = |more: &[&str]| {
        let args = [&["requests", "replay", &id, "--to", &to][..], more].concat();
        house.try_run(&args)
    };
    let runs = house.json(&["runs", "ls"]).as_array().unwrap().len();
    let last = || target.arrived().last().cloned().unwrap();
    let plan = replay(&["--dry-run"]);
    let plan = String::from_utf8(plan.stderr).unwrap();
    assert!(plan.contains("makes no run") && plan.contains("Without its sender's credentials"), "{plan}");
    assert!(target.arrived().is_empty(), "a plan sends nothing");

    let out = replay(&[]);
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(said.contains(&format!("to {to}/repo/1: 200 in ")), "{said}");
    let arrived = last();
    assert_eq!((arrived.method.as_str(), arrived.path.as_str()), ("POST", "/hook/repo/1?a=b"));
    assert_eq!(arrived.body, r#"{"ref": "main",  "n": 1.0}"#, "byte for byte");
    assert_eq!(arrived.header("x-github-event"), Some("push"));
    assert_eq!((arrived.header("authorization"), arrived.header("x-hub-signature-256")), (None, None));
    assert_eq!(arrived.header("pointsman-hops"), Some("1"));

    assert!(replay(&["--sign", "exact"]).status.success());
    let arrived = last();
    assert_eq!(arrived.header("x-hub-signature-256"), Some(signature(arrived.body.as_bytes()).as_str()));
    assert_eq!(arrived.header("authorization"), Some("Bearer of-the-sender"));

    assert!(replay(&["--sign", "fresh", "--set", "body.ref=next"]).status.success());
    let arrived = last();
    assert_eq!(serde_json::from_str::<Value>(&arrived.body).unwrap()["ref"], "next");
    assert_eq!(arrived.header("x-hub-signature-256"), Some(signature(arrived.body.as_bytes()).as_str()));
    assert_eq!(arrived.header("authorization"), None);

    for wrong in [&["--sign", "exact", "--set", "body.ref=next"][..], &["--version", "original"]] {
        assert_eq!(replay(wrong).status.code(), Some(2), "{wrong:?}");
    }
    assert_eq!(house.try_run(&["requests", "replay", &id, "--sign", "fresh"]).status.code(), Some(2));
    assert_eq!(house.json(&["runs", "ls"]).as_array().unwrap().len(), runs, "no run was made");
    // What a target answers is told, and what may not be reached is not reached.
    let strict = Target::new(|_| (500, String::new()));
    let out = house.try_run(&["requests", "replay", &id, "--to", &strict.url()]);
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8(out.stderr).unwrap().contains("answered 500"));
    let out = house.try_run(&["requests", "replay", &id, "--to", "http://10.1.2.3/"]);
    assert_eq!(out.status.code(), Some(4), "{out:?}");
    let audit = house.json(&["audit", "ls", "verb:replay"]);
    assert_eq!(audit.as_array().unwrap().len(), 4, "three answers 200, and the one that was 500: {audit}");
    assert!(!audit.to_string().contains("of-the-sender"));
}

#[test]
fn a_replay_is_told_beside_its_parent_by_what_differs() {
    let (house, _target, well) = errored(1);
    let runs = house.json(&["runs", "ls"]);
    let parent = runs[0]["id"].as_str().unwrap().to_owned();
    well.store(true, Ordering::SeqCst);
    let request = runs[0]["request"].as_str().unwrap();
    let run = house.run(&["requests", "replay", request, "--set", "body.n=5"]);
    let run = run.trim();
    wait_for("the replay to end", || (of_state(&house, "succeeded") == 1).then_some(()));
    let differs = house.json(&["runs", "diff", run]);
    let of = |path: &str| {
        let found = differs.as_array().unwrap().iter().find(|one| one["path"] == path);
        found.map(|one| (one["one"].clone(), one["other"].clone()))
    };
    assert_eq!(of("state"), Some((json!("succeeded"), json!("errored"))), "{differs}");
    assert_eq!(of("steps.push.status"), Some((json!(200), json!(404))));
    assert_eq!(of("steps.push.request.body.n"), Some((json!(5), json!(0))));
    assert_eq!(of("steps.push.request.method"), None);
    assert_eq!(house.json(&["runs", "diff", run, &parent]), differs);
    assert_eq!(house.json(&["runs", "diff", run, run]), json!([]));
    assert_eq!(house.try_run(&["runs", "diff", &parent]).status.code(), Some(2), "it replays no other");
}

#[test]
fn ctrl_c_leaves_a_job_running_and_says_how_to_stop_it() {
    let (house, _target, _well) = errored(30);
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .args(["runs", "abort", "--filter", "state:errored", "--rate", "10/s", "--yes", "--follow"])
        .env("POINTSMAN_DATA", house.data())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("the job", || (of_state(&house, "aborted") > 0).then_some(()));
    let pid = command.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let (code, said) = command.ended();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("goes on. To see it: pointsman jobs show "), "{said}");
    assert!(said.contains("To stop it: pointsman jobs stop "), "{said}");
    wait_for("all of it", || (of_state(&house, "aborted") == 30).then_some(()));
    wait_for("its end", || (newest_job(&house)["state"] == "done").then_some(()));
}
