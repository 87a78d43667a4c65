//! What an operator comes for, from the first key to the last, with the real binary in a real terminal
//! and nothing but its screens to go by: each key is counted, each screen looked at. The same keys do
//! the same in the process that receives and through a socket.

use super::common::{Answer, Arrived, House, Target, call, free, wait_for};
use super::senders::{hex, mac};
use super::terminal::{Terminal, Way};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

const ESC: &str = "\x1b";
const LEFT: &str = "\x1b[D";
const RIGHT: &str = "\x1b[C";
/// Milliseconds that a person takes for a key, and waits for what it does: a slow typist far away.
const KEY: usize = 1_000;
const LOOK: usize = 200;

/// A story as it is lived: keys, and what is seen after them.
struct Story {
    name: String,
    terminal: Terminal,
    keys: usize,
    looks: usize,
    told: String,
}

impl Story {
    fn begin(name: &str, way: Way, terminal: Terminal) -> Self {
        terminal.expect("Live");
        Self { name: format!("{name} ({way:?})"), terminal, keys: 0, looks: 0, told: String::new() }
    }

    /// Presses keys, one after the other as fast as they are read.
    fn keys(&mut self, keys: &str) {
        let mut shown = String::new();
        let mut rest = keys;
        while let Some(first) = rest.chars().next() {
            let long = [LEFT, RIGHT, "\x1b[Z"].into_iter().find(|key| rest.starts_with(*key));
            let key = &rest[..long.map_or(first.len_utf8(), str::len)];
            rest = &rest[key.len()..];
            self.terminal.keys(key);
            self.keys += 1;
            shown.push_str(match key {
                ESC => "<esc>",
                LEFT => "←",
                RIGHT => "→",
                "\x1b[Z" => "<backtab>",
                "\r" => "⏎",
                "\t" => "<tab>",
                "\x7f" => "<backspace>",
                other => other,
            });
            if key == ESC && !rest.is_empty() {
                // What follows at once would be one key with it.
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        let _ = writeln!(self.told, "  {shown}");
    }

    /// Waits until all of this is on the screen at once.
    fn sees(&mut self, what: &[&str]) -> String {
        let told = format!("{what:?} in the story\n{}", self.told);
        let screen = self.terminal.until(&told, |screen| what.iter().all(|one| screen.contains(one)));
        self.looks += 1;
        let _ = writeln!(self.told, "      sees {}", what.join(" · "));
        screen
    }

    /// Goes back, step by step, until all of this is on the screen.
    fn back_to(&mut self, what: &[&str]) {
        for _ in 0..6 {
            let screen = self.terminal.settled();
            if what.iter().all(|one| screen.contains(one)) {
                break;
            }
            self.keys(ESC);
        }
        self.sees(what);
    }

    /// The end: told with its length, which is under a minute.
    fn ends(self) -> Terminal {
        let took = (self.keys * KEY + self.looks * LOOK) / 1_000;
        println!("{}: {} keys, {took} s at a key a second\n{}", self.name, self.keys, self.told);
        assert!(took < 60, "{}: {} keys, {took} s", self.name, self.keys);
        self.terminal
    }
}

fn post(addr: SocketAddr, name: &str, body: &Value) -> Answer {
    let json = [("Content-Type", "application/json")];
    let answer = call(addr, "POST", &format!("/in/{name}"), &json, body.to_string().as_bytes()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

fn of_state(house: &House, state: &str) -> usize {
    house.json(&["runs", "ls", &format!("state:{state}"), "--limit", "0"]).as_array().unwrap().len()
}

/// A flow of two steps: the second needs what the first gives.
fn customers(url: &str) -> String {
    format!(
        r#"
name = "acme"
[[flow]]
name = "Customers"
[flow.trigger]
type = "webhook"
path = "customers"
auth = {{ type = "none" }}

[[flow.step]]
name = "push"
type = "request"
method = "POST"
url = "{url}"
json = {{ email = "{{{{ request.body.email }}}}" }}
retry = {{ attempts = 1 }}
outputs = {{ id = "body.id" }}

[[flow.step]]
name = "notify"
type = "request"
method = "POST"
url = "{}/notify"
json = {{ customer = "{{{{ steps.push.outputs.id }}}}" }}
"#,
        url.split('/').take(3).collect::<Vec<_>>().join("/")
    )
}

#[test]
fn why_the_nights_runs_failed_and_all_of_them_done_after_it() {
    Way::BOTH.into_iter().for_each(the_night);
}

fn the_night(way: Way) {
    const RUNS: usize = 24;
    let target = Target::new(|arrived: &Arrived| match arrived.path.as_str() {
        "/custmers" => (404, r#"{"error":"no such page"}"#.to_owned()),
        _ => (200, r#"{"id":"cus_1"}"#.to_owned()),
    });
    let (house, addr) = (House::new(), free());
    house.apply(&customers(&format!("{}/custmers", target.url())));
    let (terminal, _server) = way.console(&house.data(), addr, 35, 120);
    let mut story = Story::begin("the night's runs", way, terminal);
    for n in 0..RUNS {
        post(addr, "customers", &json!({"email": format!("a{n}@example.com")}));
    }
    wait_for("the night to be over", || (of_state(&house, "errored") == RUNS).then_some(()));

    // From how many to the one attempt: what was sent, what came back, what it means.
    story.keys("3");
    story.sees(&["Error groups", "24 ! errored", "answered 404", "sent", "/custmers", "24 runs"]);
    story.keys("\r");
    story.sees(&["24 of 24", "Timeline"]);
    story.keys("\r");
    story.sees(&["sent", "POST http://", "came back", "no such page", "means", "answered 404"]);
    // From there to the line that is wrong, and what it would send when it is right.
    story.keys("e");
    story.sees(&["acme · source", "reading", "/custmers\"", "line 15", "preview"]);
    story.keys(&format!("\r{}o{ESC}", LEFT.repeat(4)));
    story.sees(&["reading", "v1 and 1 change", "/customers   {\"email\""]);
    story.keys("b");
    story.sees(&[
        "Back-test · acme/Customers",
        "24 of 24 requests change",
        "Nothing is sent",
        "…customers\"",
    ]);
    story.keys(&format!("{ESC}D"));
    story.sees(&["Deploy acme v2", "acme v2 would go live instead of v1", "a retry moves its run to v2"]);
    story.keys("fix URL\r");
    story.sees(&["acme v2 is live"]);
    // Back the way that was come, one step at a time.
    story.back_to(&["Error groups", "24 ! errored"]);
    story.keys("r");
    story.sees(&["Retry 24 runs", "24 runs of v1 go on with v2", "type 24 to confirm", "rate"]);
    assert!(target.arrived().iter().all(|one| one.path == "/custmers"), "nothing was sent yet");
    story.keys("24\t\t\t20/s\r");
    story.sees(&["Jobs", "retry 24 runs", "20/s", "esc leave it running"]);
    story.sees(&["24 of 24", "succeeded", "✓ done"]);
    story.keys(ESC);
    story.sees(&["No errored run"]);
    story.ends();

    assert_eq!(of_state(&house, "succeeded"), RUNS);
    let right = target.arrived().iter().filter(|one| one.path == "/customers").count();
    assert_eq!(right, RUNS);
    let audit = house.json(&["audit", "ls"]);
    let told = |verb: &str| {
        let found = audit.as_array().unwrap().iter().find(|entry| entry["verb"] == verb).cloned();
        found.unwrap_or_else(|| panic!("{verb} is not in {audit}"))
    };
    assert_eq!((&told("deploy")["reason"], &told("deploy")["who"]), (&json!("fix URL"), &json!("anna")));
    let job = house.json(&["jobs", "ls"]);
    assert_eq!((&job[0]["rate"], &job[0]["done"]), (&json!("20/s"), &json!(RUNS)), "{job}");
}

#[test]
fn a_step_is_skipped_with_a_stand_in_once_it_is_known_who_needs_it() {
    Way::BOTH.into_iter().for_each(a_stand_in);
}

fn a_stand_in(way: Way) {
    let target = Target::new(|arrived: &Arrived| {
        if arrived.body.contains("bad") {
            (422, "{}".to_owned())
        } else {
            (200, r#"{"id":"cus_1"}"#.to_owned())
        }
    });
    let (house, addr) = (House::new(), free());
    house.apply(&customers(&format!("{}/customers", target.url())));
    let (terminal, _server) = way.console(&house.data(), addr, 30, 100);
    let mut story = Story::begin("a stand-in", way, terminal);
    post(addr, "customers", &json!({"email": "good@example.com"}));
    wait_for("the good run", || (of_state(&house, "succeeded") == 1).then_some(()));
    post(addr, "customers", &json!({"email": "bad@example.com"}));
    wait_for("the bad run", || (of_state(&house, "errored") == 1).then_some(()));

    story.keys("3");
    story.sees(&["Error groups", "answered 422"]);
    story.keys("\r");
    story.sees(&["errored", "Timeline"]);
    story.keys("\r");
    story.sees(&["errored", "Timeline", "came back", "422"]);
    story.keys("s");
    story.sees(&[
        "Skip push",
        "the run goes on with 2 notify",
        "Without its outputs",
        "json.customer",
        "stand-in",
        "cus_1",
    ]);
    // Another than the last good one: the field is at its end.
    story.keys("\x7f\x7f\x7f9\"}");
    story.sees(&["cus_9", "{\"customer\":\"cus_9\"}"]);
    story.keys("\tmade by hand\r");
    story.sees(&["Skipped push", "with_skips"]);
    story.ends();

    let last =
        wait_for("the step after it", || target.arrived().into_iter().find(|one| one.body.contains("cus_9")));
    assert_eq!((last.path.as_str(), last.body.as_str()), ("/notify", r#"{"customer":"cus_9"}"#));
    let audit = house.json(&["audit", "ls", "verb:skip"]);
    assert_eq!(audit[0]["reason"], "made by hand", "{audit}");
}

#[test]
fn an_overdue_callback_is_completed() {
    Way::BOTH.into_iter().for_each(an_overdue_callback);
}

fn an_overdue_callback(way: Way) {
    let target = Target::new(|arrived: &Arrived| match arrived.path.as_str() {
        "/long" => (202, r#"{"job":"4471"}"#.to_owned()),
        _ => (200, "{}".to_owned()),
    });
    let (house, addr) = (House::new(), free());
    let document = customers(&format!("{}/long", target.url())).replace(
        "retry = { attempts = 1 }",
        "retry = { attempts = 1 }\ncallback = true\ncallback_deadline = \"1s\"",
    );
    house.apply(&document);
    let (terminal, _server) = way.console(&house.data(), addr, 24, 80);
    let mut story = Story::begin("an overdue callback", way, terminal);
    post(addr, "customers", &json!({"email": "a@example.com"}));
    wait_for("the callback to be overdue", || (of_state(&house, "errored") == 1).then_some(()));

    story.keys("4");
    story.sees(&["Callbacks", "1 overdue", "expired", "late", "answered", "job"]);
    story.keys("c");
    story.sees(&["Complete push", "the run goes on with notify", "No answer came by", "200"]);
    story.keys("\t{\"id\":\"cus_7\"}");
    story.sees(&["{\"customer\":\"cus_7\"}"]);
    story.keys("\tthey called\r");
    story.sees(&["0 pending, 0 overdue"]);
    story.ends();

    wait_for("the run to go on", || (of_state(&house, "succeeded") == 1).then_some(()));
    assert_eq!(target.arrived().last().unwrap().body, r#"{"customer":"cus_7"}"#);
    let audit = house.json(&["audit", "ls", "verb:complete"]);
    assert_eq!(audit[0]["reason"], "they called", "{audit}");
}

const SECRET: &str = "a secret of thirty-two characters";

/// A flow for GitHub's pushes; `to` is where its step posts to.
fn pushes(to: &str) -> String {
    format!(
        "name = \"github\"\n[[flow]]\nname = \"Push\"\n[flow.trigger]\ntype = \"webhook\"\npath = \"push\"\n\
         auth = {{ type = \"signature\", provider = \"github\", keys = [\"hub\"] }}\n\
         [[flow.step]]\nname = \"build\"\ntype = \"request\"\nmethod = \"POST\"\nurl = \"{to}\"\n\
         json = {{ branch = \"{{{{ request.body.ref }}}}\" }}\n"
    )
}

/// A push as GitHub sends it.
const PUSH: &str = r#"{"ref": "refs/heads/main",  "forced": false, "repository": {"full_name": "acme/shop"}, "commits": [{"message": "it's \"done\"\n"}]}"#;

fn pushed(house: &House, target: &Target) {
    let secret = house.file("secret", SECRET);
    house.run(&["key", "add", "hub", "--type", "signature", "--secret-file", secret.to_str().unwrap()]);
    house.apply(&pushes(&format!("{}/build", target.url())));
}

fn push(addr: SocketAddr) -> Answer {
    let signature = format!("sha256={}", hex(&mac(SECRET.as_bytes(), &[PUSH.as_bytes()])));
    let headers = [
        ("Content-Type", "application/json"),
        ("X-GitHub-Event", "push"),
        ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("X-Hub-Signature-256", &signature),
        ("Authorization", "Bearer of-the-sender"),
    ];
    let answer = call(addr, "POST", "/in/push/east/2?from=hub&x=a%26b", &headers, PUSH.as_bytes()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

#[test]
fn a_push_is_replayed_with_another_branch_to_the_draft() {
    Way::BOTH.into_iter().for_each(another_branch);
}

fn another_branch(way: Way) {
    let target = Target::fine();
    let (house, addr) = (House::new(), free());
    pushed(&house, &target);
    let (terminal, _server) = way.console(&house.data(), addr, 35, 120);
    let mut story = Story::begin("another branch", way, terminal);
    push(addr);
    wait_for("its run", || (target.arrived().len() == 1).then_some(()));
    let draft = house.file("draft.toml", &pushes(&format!("{}/next", target.url())));
    house.run(&["apply", draft.to_str().unwrap(), "--draft"]);

    story.keys("2/flow:Push\r");
    story.sees(&["1 of 1", "/ flow:Push", "refs/heads/main"]);
    story.keys("E");
    story.sees(&["edit request", "body", "reading", "\"refs/heads/main\""]);
    story.keys(&format!("/main\r\rnext/{ESC}"));
    story.sees(&["reading", "refs/heads/next/main", "body.ref"]);
    story.keys("R");
    story.sees(&["Replay ", "past dedup", "body.ref", "v2 draft", "/build"]);
    story.keys(&format!("{RIGHT}{RIGHT}"));
    let next = format!("POST {}/next", target.url());
    story.sees(&["(•) v2 draft", &next, r#"{"branch":"refs/heads/next/main"}"#]);
    story.keys("\r");
    story.sees(&["Replayed"]);
    story.ends();

    let arrived = wait_for("the new run", || target.arrived().into_iter().nth(1));
    assert_eq!(
        (arrived.path.as_str(), arrived.body.as_str()),
        ("/next", r#"{"branch":"refs/heads/next/main"}"#)
    );
    assert_eq!(house.json(&["integrations", "ls"])[0]["deployed"], 1, "the draft did not go live");
}

#[test]
fn a_payload_is_copied_as_curl_over_ssh() {
    Way::BOTH.into_iter().for_each(as_curl);
}

/// What was put into the terminal's clipboard: `OSC 52 ; c ; base64`, ended by BEL or ST.
fn clipboard(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw);
    let sent = text.split("\x1b]52;c;").skip(1);
    sent.map(|rest| {
        let end = rest.find(['\x07', '\x1b']).unwrap();
        assert!(rest[end..].starts_with(['\x07']) || rest[end..].starts_with("\x1b\\"), "it is ended");
        String::from_utf8(STANDARD.decode(&rest[..end]).unwrap()).unwrap()
    })
    .collect()
}

fn as_curl(way: Way) {
    let target = Target::fine();
    let (house, addr) = (House::new(), free());
    pushed(&house, &target);
    let env = [("SSH_CONNECTION", "203.0.113.9 51000 198.51.100.2 22")];
    let (terminal, _server) = way.console_with(&house.data(), addr, &env, 24, 80);
    let mut story = Story::begin("a payload as curl", way, terminal);
    let first = push(addr).json()["request"].as_str().unwrap().to_owned();
    story.keys("2");
    story.sees(&["✓ accepted", "refs/heads/main"]);
    story.keys("Y");
    story.sees(&["Copy ·", "as curl", "1 secret masked"]);
    story.keys("c");
    story.sees(&["terminal's clipboard, as curl, 1 secret masked"]);
    let terminal = story.ends();

    let copied = clipboard(&terminal.raw());
    let [command] = copied.as_slice() else { panic!("{copied:?}") };
    assert!(command.starts_with("curl ") && command.contains("•••"), "{command}");
    assert!(!command.contains("of-the-sender"), "{command}");
    // A shell runs it: the same again, but for what was masked.
    let ran = std::process::Command::new("sh").args(["-c", &format!("{command} -sS -o /dev/null")]).output();
    let ran = ran.unwrap();
    assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
    let second = wait_for("it to arrive", || {
        let all = house.json(&["requests", "ls"]);
        let new = all.as_array()?.iter().find(|one| one["id"] != first.as_str())?;
        Some(new["id"].as_str().unwrap().to_owned())
    });
    let [first, second] = [first, second].map(|id| house.told(&id));
    for part in ["method", "raw", "body", "query", "endpoint", "path"] {
        assert_eq!(first[part], second[part], "{part}");
    }
    let headers = |of: &Value| {
        let own = ["host", "user-agent", "accept", "content-length", "connection"];
        let all = of["headers"].as_array().unwrap().iter().map(|pair| {
            let text = |at: usize| pair[at].as_str().unwrap().to_owned();
            (text(0).to_lowercase(), text(1))
        });
        all.filter(|(name, value)| !own.contains(&name.as_str()) && !value.contains("•••"))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    assert_eq!(headers(&first), headers(&second));
    assert!(headers(&first).contains_key("x-github-delivery"));
    // Of the same bytes, so its signature is as good as it was.
    assert_eq!((&first["verdict"], &second["verdict"]), (&json!("accepted"), &json!("accepted")));
}
