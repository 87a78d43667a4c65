//! Senders that wait for their run: every answer that `wait` and `poll` can give, a thousand of them at
//! once, those that hang up, and the address under which all of it can be asked for.

use super::common::{Answer, House, PATIENCE, Target, call, get, read_answer, wait_for};
use pointsman::model::RequestId;
use pointsman::model::run::RunState;
use pointsman::vault::Vault;
use serde_json::json;
use std::io::{BufReader, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A flow with these keys in its trigger, and these steps.
fn flow(path: &str, trigger: &str, steps: &str) -> String {
    format!(
        "[[flow]]\nname = \"{path}\"\n[flow.trigger]\ntype = \"webhook\"\npath = \"{path}\"\nauth = {{ type = \"none\" }}\n{trigger}\n{steps}\n"
    )
}

fn document(flows: &[String]) -> String {
    format!("name = \"replies\"\n{}", flows.concat())
}

/// A step that sends to the target.
fn push(target: &Target, more: &str) -> String {
    format!(
        "[[flow.step]]\nname = \"push\"\ntype = \"request\"\nmethod = \"PUT\"\nurl = \"{}/push\"\n{more}\n",
        target.url()
    )
}

const REST: &str = "[[flow.step]]\nname = \"rest\"\ntype = \"delay\"\nfor = \"1h\"\n";

fn post(house: &House, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut all = vec![("Content-Type", "application/json")];
    all.extend(headers);
    call(house.addr(), "POST", &format!("/in/{path}"), &all, body.as_bytes()).unwrap()
}

fn state_of(house: &House, run: &str) -> String {
    house.json(&["runs", "show", run])["state"].as_str().unwrap().to_owned()
}

/// `/status/…` of an absolute address.
fn path_of(url: &str) -> &str {
    &url[url.find("/status/").unwrap()..]
}

/// What every answer of a kept request has.
fn named(answer: &Answer) -> String {
    let request = answer.header("pointsman-request-id").unwrap_or_else(|| panic!("{answer:?}")).to_owned();
    assert_eq!(request.len(), 36);
    request
}

#[test]
fn a_sender_that_waits_is_answered_when_its_run_finished() {
    let (house, target) = (House::new(), Target::fine());
    let wait = "reply = \"wait\"\ndedup = { fields = [\"body.n\"] }\nwhen = \"{{ request.body.n > 0 }}\"";
    house.apply(&document(&[flow("w", wait, &push(&target, "")), flow("log", "reply = \"wait\"", "")]));
    house.serve();
    let answer = house.post("w", r#"{"n":1}"#);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let told = answer.json();
    assert_eq!(told["state"], "succeeded");
    assert_eq!(told["request"].as_str(), Some(named(&answer).as_str()));
    assert_eq!(told.as_object().unwrap().len(), 3, "request, run and state: {told}");
    assert_eq!(state_of(&house, told["run"].as_str().unwrap()), "succeeded");
    assert_eq!(target.arrived().len(), 1);
    // A duplicate and a filtered request have no run to wait for.
    assert_eq!(house.post("w", r#"{"n":1}"#).status, 204);
    let filtered = house.post("w", r#"{"n":0}"#);
    assert_eq!((filtered.status, filtered.json()["state"].as_str()), (200, Some("filtered")));
    let logged = house.post("log", "{}");
    assert_eq!((logged.status, logged.json()["state"].as_str()), (200, Some("succeeded")));
    assert_eq!(house.post("w", "{").status, 400);
    assert!(house.run(&["export", "replies"]).contains("reply = \"wait\""));
}

#[test]
fn a_respond_step_answers_at_once_and_the_run_goes_on() {
    let house = House::new();
    let gate = Arc::new(AtomicBool::new(false));
    let open = gate.clone();
    let target = Target::new(move |arrived| {
        if arrived.path == "/slow" {
            wait_for("the gate", || open.load(Ordering::SeqCst).then_some(()));
        }
        (200, r#"{"id":7}"#.into())
    });
    let steps = format!(
        r#"{}
[[flow.step]]
name = "answer"
type = "respond"
status = 201
headers = {{ Location = "/orders/{{{{ steps.push.outputs.id }}}}", "X-None" = "{{{{ request.body.x }}}}" }}
json = {{ id = "{{{{ steps.push.outputs.id }}}}", ref = "{{{{ request.body.ref }}}}" }}
[[flow.step]]
name = "later"
type = "request"
url = "{}/slow"
[[flow.step]]
name = "second"
type = "respond"
status = 299
"#,
        push(&target, "outputs = { id = \"body.id\" }"),
        target.url()
    );
    let text = "[[flow.step]]\nname = \"a\"\ntype = \"respond\"\ntext = \"got {{ request.body.ref }}\"\n";
    house.apply(&document(&[
        flow("w", "reply = \"wait\"", &steps),
        flow("p", "reply = \"poll\"\ntimeout = \"30s\"", text),
        flow("empty", "reply = \"wait\"", "[[flow.step]]\nname = \"a\"\ntype = \"respond\"\nstatus = 204\n"),
    ]));
    house.serve();
    let answer = house.post("w", r#"{"ref":"a\"b"}"#);
    assert_eq!((answer.status, answer.body.as_str()), (201, r#"{"id":7,"ref":"a\"b"}"#), "{answer:?}");
    assert_eq!(answer.header("location"), Some("/orders/7"));
    assert_eq!((answer.header("content-type"), answer.header("x-none")), (Some("application/json"), None));
    let request = named(&answer);
    let shown = house.json(&["requests", "show", &request]);
    let run = shown["runs"][0].as_str().unwrap().to_owned();
    assert_eq!(state_of(&house, &run), "running");
    gate.store(true, Ordering::SeqCst);
    wait_for("the run's end", || (state_of(&house, &run) == "succeeded").then_some(()));
    let shown = house.told(&request);
    assert_eq!(shown["answer"]["status"], 201, "the first one counts");

    let answer = house.post("p", r#"{"ref":"x"}"#);
    assert_eq!((answer.status, answer.body.as_str()), (200, "got x"));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    let answer = house.post("empty", "{}");
    assert_eq!((answer.status, answer.body.as_str(), answer.header("content-type")), (204, "", None));
    named(&answer);
}

#[test]
fn a_poll_is_answered_202_and_can_be_asked_for() {
    let house = House::new();
    let gate = Arc::new(AtomicBool::new(false));
    let open = gate.clone();
    let target = Target::new(move |_| {
        wait_for("the gate", || open.load(Ordering::SeqCst).then_some(()));
        (200, "{}".into())
    });
    let steps = format!(
        "{}[[flow.step]]\nname = \"a\"\ntype = \"respond\"\nstatus = 202\njson = {{ done = true }}\n",
        push(&target, "")
    );
    house.apply(&document(&[flow("p", "reply = \"poll\"\ntimeout = \"100ms\"", &steps)]));
    house.serve();
    let begun = Instant::now();
    let answer = house.post("p", "{}");
    assert!(begun.elapsed() >= Duration::from_millis(100));
    assert_eq!((answer.status, answer.header("retry-after")), (202, Some("1")), "{}", answer.body);
    let told = answer.json();
    let request = named(&answer);
    assert_eq!((told["request"].as_str(), told["state"].as_str()), (Some(request.as_str()), Some("running")));
    let url = told["status_url"].as_str().unwrap();
    let path = answer.header("location").unwrap();
    assert_eq!(url, format!("http://{}{path}", house.addr()));
    assert!(path.starts_with(&format!("/status/{request}?key=")), "{path}");
    let key = path.rsplit('=').next().unwrap();
    assert_eq!(key.len(), 22, "128 bits");

    let status = get(house.addr(), path).unwrap();
    assert_eq!((status.status, status.header("cache-control")), (200, Some("no-store")));
    assert_eq!(named(&status), request);
    let wanted = json!({
        "request": request,
        "state": "running",
        "runs": [{ "run": told["run"], "state": "running" }],
        "answer": null,
    });
    assert_eq!(status.json(), wanted);
    gate.store(true, Ordering::SeqCst);
    let ended = wait_for("the end", || {
        let status = get(house.addr(), path).unwrap().json();
        (status["state"] == "succeeded").then_some(status)
    });
    assert_eq!(
        (&ended["answer"]["status"], &ended["answer"]["body"]),
        (&json!(202), &json!("{\"done\":true}"))
    );

    // Without the key there is nothing there, whatever is asked for.
    let other = if key.starts_with('A') { "B" } else { "A" };
    let forged = format!("/status/{request}?key={other}{}", &key[1..]);
    for hidden in [
        format!("/status/{request}"),
        format!("/status/{request}?key="),
        forged,
        format!("/status/{}?key={key}", told["run"].as_str().unwrap()),
        "/status/".to_owned(),
        "/status/x?key=y".to_owned(),
    ] {
        assert_eq!(get(house.addr(), &hidden).unwrap().status, 404, "{hidden}");
    }
    assert_eq!(call(house.addr(), "HEAD", path, &[], b"").map(|answer| answer.status), Some(200));
    let refused = call(house.addr(), "POST", path, &[], b"{}").unwrap();
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")));
    // In time it is answered as by wait.
    let quick = house.post("p", "{}");
    assert_eq!((quick.status, quick.body.as_str()), (202, "{\"done\":true}"));
    assert!(!house.log().contains(key));
}

#[test]
fn who_is_not_finished_in_time_is_told_504_and_the_run_goes_on_or_is_aborted() {
    let (house, target) = (House::new(), Target::fine());
    let delay = "[[flow.step]]\nname = \"rest\"\ntype = \"delay\"\nfor = \"1500ms\"\n";
    let on = format!("{delay}{}", push(&target, ""));
    house.apply(&document(&[
        flow("on", "reply = \"wait\"\ntimeout = \"200ms\"", &on),
        flow("off", "reply = \"wait\"\ntimeout = \"200ms\"\non_timeout = \"abort\"", REST),
        flow("poll-off", "reply = \"poll\"\ntimeout = \"200ms\"\non_timeout = \"abort\"", REST),
    ]));
    house.serve();
    let answer = house.post("on", "{}");
    assert_eq!((answer.status, answer.header("content-type")), (504, Some("application/problem+json")));
    let told = answer.json();
    assert_eq!((told["status"].as_u64(), told["state"].as_str()), (Some(504), Some("waiting")), "{told}");
    assert!(told["detail"].as_str().unwrap().contains("it goes on"), "{told}");
    let path = answer.header("location").unwrap();
    assert_eq!(told["status_url"], format!("http://{}{path}", house.addr()));
    assert_eq!(told["request"], named(&answer).as_str());
    wait_for("the end of the run", || {
        (get(house.addr(), path).unwrap().json()["state"] == "succeeded").then_some(())
    });

    for path in ["off", "poll-off"] {
        let answer = house.post(path, "{}");
        let told = answer.json();
        assert_eq!((answer.status, told["state"].as_str()), (504, Some("aborted")), "{told}");
        assert!(told["detail"].as_str().unwrap().contains("it ends aborted"));
        let run = house.json(&["runs", "show", told["run"].as_str().unwrap()]);
        assert_eq!(run["state"], "aborted");
        assert_eq!(run["cause"], "aborted by on_timeout: not finished within 200ms", "{run}");
        let status = get(house.addr(), path_of(told["status_url"].as_str().unwrap())).unwrap();
        assert_eq!(status.json()["state"], "aborted");
        // Who asks later does not see the end, and does not cause it.
        let answer = post(&house, path, &[("Prefer", "respond-async")], "{}");
        let told = answer.json();
        assert_eq!(answer.status, 202, "{told}");
        assert_ne!(state_of(&house, told["run"].as_str().unwrap()), "aborted");
    }
}

#[test]
fn errored_failed_and_aborted_runs_have_their_statuses_and_a_fail_step_its_own() {
    let house = House::new();
    let target = Target::new(|_| (404, "{}".into()));
    let fail = "[[flow.step]]\nname = \"no\"\ntype = \"fail\"\nstatus = 409\nmessage = \"Sold out: {{ request.body.item }}\"\n";
    house.apply(&document(&[
        flow("errored", "reply = \"wait\"", &push(&target, "")),
        flow("failed", "reply = \"poll\"\ntimeout = \"30s\"", &push(&target, "on_error = \"abort\"")),
        flow("own", "reply = \"wait\"", fail),
        flow("standing", "reply = \"wait\"", REST),
        flow(
            "late",
            "reply = \"wait\"",
            &format!("{REST}[[flow.step]]\nname = \"a\"\ntype = \"respond\"\nstatus = 210\n"),
        ),
    ]));
    house.serve();
    for (path, state) in [("errored", "errored"), ("failed", "failed")] {
        let answer = house.post(path, "{}");
        let told = answer.json();
        assert_eq!((answer.status, told["state"].as_str()), (502, Some(state)), "{told}");
        assert_eq!(state_of(&house, told["run"].as_str().unwrap()), state);
        assert!(!answer.body.contains("404"), "what the target said is the operator's: {}", answer.body);
        assert_eq!(told["request"], named(&answer).as_str());
    }
    let answer = house.post("own", r#"{"item":"wax"}"#);
    let told = answer.json();
    assert_eq!((answer.status, told["detail"].as_str()), (409, Some("Sold out: wax")), "{told}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let shown = house.told(&named(&answer));
    assert_eq!(shown["answer"]["status"], 409, "{}", shown["answer"]);

    // An operator aborts, and skips, while the sender waits.
    for (path, verb, status) in [("standing", "abort", 409), ("late", "skip", 210)] {
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| house.post(path, "{}"));
            let filter = format!("flow:{path} state:waiting");
            let run = wait_for("the waiting run", || {
                let runs = house.json(&["runs", "ls", &filter]);
                Some(runs[0]["id"].as_str()?.to_owned())
            });
            house.run(&["runs", verb, &run, "--reason", "enough"]);
            let answer = sender.join().unwrap();
            assert_eq!(answer.status, status, "{}", answer.body);
            if status == 409 {
                assert_eq!(answer.json()["state"], "aborted");
                assert!(!answer.body.contains("enough"));
            }
        });
    }
}

#[test]
fn a_sender_chooses_its_time_within_the_flows() {
    let house = House::new();
    house.apply(&document(&[
        flow("w", "reply = \"wait\"\ntimeout = \"1s\"", REST),
        flow("p", "reply = \"poll\"\ntimeout = \"1s\"", REST),
        flow("accept", "", REST),
    ]));
    house.serve();
    let took = |path: &str, prefer: Option<&str>| {
        let begun = Instant::now();
        let headers: Vec<(&str, &str)> = prefer.map(|prefer| ("Prefer", prefer)).into_iter().collect();
        let answer = post(&house, path, &headers, "{}");
        (answer.status, begun.elapsed())
    };
    let second = Duration::from_secs(1);
    for (path, prefer, status, waits) in [
        ("w", None, 504, true),
        ("w?timeout=10", None, 504, false),
        ("w?timeout=60000", None, 504, true),
        ("w?timeout=soon", None, 504, true),
        ("w", Some("wait=0"), 504, false),
        ("w", Some("wait=60"), 504, true),
        ("w", Some("respond-async"), 202, false),
        ("w", Some("respond-async, wait=9"), 202, true),
        ("p", None, 202, true),
        ("p?timeout=0", None, 202, false),
        ("p", Some("wait=0"), 202, false),
        ("accept?timeout=60000", Some("wait=60"), 200, false),
    ] {
        let (got, elapsed) = took(path, prefer);
        assert_eq!(got, status, "{path} {prefer:?}");
        assert_eq!(elapsed >= second, waits, "{path} {prefer:?} took {elapsed:?}");
    }
}

/// A figure of `/proc/PID/status`.
fn figure(house: &House, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/status", house.pid())).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Open files of the server.
fn files(house: &House) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", house.pid())).unwrap().count()
}

/// Sends a request and does not read its answer.
fn sender(house: &House, path: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(house.addr()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST /in/{path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

fn waiting_runs(house: &House) -> usize {
    house.json(&["runs", "ls", "state:waiting", "--limit", "0"]).as_array().unwrap().len()
}

#[test]
fn a_sender_that_hangs_up_is_let_go() {
    let house = House::new();
    house.apply(&document(&[flow("w", "reply = \"wait\"\ntimeout = \"10m\"", REST)]));
    house.serve();
    drop(post(&house, "w?timeout=1", &[], "{}"));
    let senders: Vec<TcpStream> = (0..50).map(|_| sender(&house, "w", "{}")).collect();
    wait_for("fifty runs that wait", || (waiting_runs(&house) == 51).then_some(()));
    let with_all = files(&house);
    assert!(with_all >= 50);
    for (at, stream) in senders.iter().enumerate() {
        // One half of them shuts its side down, which looks the same.
        if at % 2 == 0 {
            stream.shutdown(Shutdown::Write).unwrap();
        }
    }
    drop(senders);
    wait_for("their connections to end", || (files(&house) + 45 <= with_all).then_some(()));
    assert_eq!(waiting_runs(&house), 51, "their runs go on");
    // One that stays and pipelines is answered in turn.
    let mut stream = sender(&house, "w?timeout=300", "{}");
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    assert_eq!(read_answer(&mut reader).unwrap().status, 504);
    assert_eq!(read_answer(&mut reader).unwrap().status, 200);
}

#[test]
fn a_stop_answers_those_who_wait() {
    let house = House::new();
    house.apply(&document(&[flow("w", "reply = \"wait\"\ntimeout = \"10m\"\non_timeout = \"abort\"", REST)]));
    house.serve();
    let stream = sender(&house, "w", "{}");
    wait_for("the run", || (waiting_runs(&house) == 1).then_some(()));
    let begun = Instant::now();
    assert_eq!(house.stop(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let answer = read_answer(&mut BufReader::new(stream)).unwrap();
    assert_eq!(answer.status, 504, "{}", answer.body);
    house.serve();
    assert_eq!(waiting_runs(&house), 1, "a stop is no time-out: nothing was aborted");
}

/// Senders at once.
const MANY: usize = 1_000;

#[test]
fn a_thousand_senders_wait_without_a_thread_each_and_are_found_after_a_kill() {
    let house = House::new();
    let target = Target::fine();
    let steps =
        format!("[[flow.step]]\nname = \"rest\"\ntype = \"delay\"\nfor = \"{{FOR}}\"\n{}", push(&target, ""));
    house.apply(&document(&[
        flow("long", "reply = \"wait\"\ntimeout = \"10m\"", &steps.replace("{FOR}", "1h")),
        flow("warm", "reply = \"wait\"", &push(&target, "")),
    ]));
    house.serve();
    for _ in 0..20 {
        assert_eq!(house.post("warm", "{}").status, 200);
    }
    let (memory, threads) = (figure(&house, "VmRSS:"), figure(&house, "Threads:"));
    let senders: Vec<TcpStream> =
        (0..MANY).map(|n| sender(&house, "long", &format!("{{\"n\":{n}}}"))).collect();
    // Counted in the file: a list of a thousand runs is not what is weighed.
    wait_for("a thousand runs that wait", || (stored(&house, RunState::Waiting) == MANY).then_some(()));
    let (more, now) = (figure(&house, "VmRSS:").saturating_sub(memory), figure(&house, "Threads:"));
    println!("{MANY} senders take {more} KiB and {} threads", now.saturating_sub(threads));
    assert!(more < 64 * 1024, "{more} KiB more");
    // Readers of lists come and go; senders have no thread.
    assert!(now <= threads + 8, "{threads} threads became {now}");
    // All of them are answered by the commits that end their runs.
    house.run(&["runs", "skip", "--filter", "state:waiting", "--yes"]);
    let answers: Vec<Answer> =
        senders.into_iter().map(|stream| read_answer(&mut BufReader::new(stream)).unwrap()).collect();
    for answer in &answers {
        assert_eq!((answer.status, answer.json()["state"].as_str()), (200, Some("succeeded_with_skips")));
    }

    let senders: Vec<TcpStream> =
        (0..MANY).map(|n| sender(&house, "long", &format!("{{\"n\":{n}}}"))).collect();
    wait_for("a thousand runs that wait", || (stored(&house, RunState::Waiting) == MANY).then_some(()));
    house.kill();
    drop(senders);
    house.serve();
    let requests = house.json(&["requests", "ls", "flow:long", "--limit", "0"]);
    let requests = requests.as_array().unwrap();
    assert_eq!(requests.len(), 2 * MANY);
    // The senders never saw an answer; the address of each is made from its id by the folder's key.
    let vault = Vault::open(&house.data()).unwrap();
    let keys: Mutex<std::collections::BTreeSet<String>> = Mutex::default();
    for request in requests.iter().take(MANY) {
        let id = request["id"].as_str().unwrap();
        let key = vault.status_key(raw(&house, id));
        assert!(keys.lock().unwrap().insert(key.clone()), "a key of its own for each");
        let status = get(house.addr(), &format!("/status/{id}?key={key}")).unwrap();
        assert_eq!(status.status, 200, "{}", status.body);
        let status = status.json();
        assert_eq!(status["runs"][0]["run"], request["runs"][0]);
        assert_eq!(status["state"], "waiting");
    }
    house.run(&["runs", "skip", "--filter", "state:waiting", "--yes"]);
    wait_for("all of them to end", || {
        (stored(&house, RunState::SucceededWithSkips) == 2 * MANY).then_some(())
    });
    assert_eq!(target.arrived().len(), 20 + 2 * MANY, "each once");
}

/// The store, read past the server.
fn store(house: &House) -> rusqlite::Connection {
    let file = std::fs::read_dir(house.data())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "db"))
        .unwrap();
    rusqlite::Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// Runs in a state.
fn stored(house: &House, state: RunState) -> usize {
    let sql = "SELECT count(*) FROM run WHERE state = ?1";
    let count: i64 = store(house).query_row(sql, [state as i64], |row| row.get(0)).unwrap();
    usize::try_from(count).unwrap()
}

/// The integer of a request's id: its first 48 bits are its time, what follows a count.
fn raw(house: &House, id: &str) -> RequestId {
    let conn = store(house);
    let key: String =
        conn.query_row("SELECT value FROM meta WHERE key = 'id_key'", [], |row| row.get(0)).unwrap();
    let key = pointsman::model::IdKey::new(u128::from_str_radix(&key, 16).unwrap().to_be_bytes());
    key.parse(id).unwrap()
}
