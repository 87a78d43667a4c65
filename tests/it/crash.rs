//! kill -9: nothing acknowledged is lost, nothing is sent under two keys, a duplicate stays one.

use super::common::{Answer, House, PATIENCE, Target, call, get, read_answer, wait_for};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Two flows that send one request each: one that may be repeated and one that may not.
fn document(target: &str) -> String {
    format!(
        r#"
name = "crash"
[[flow]]
name = "Put"
[flow.trigger]
type = "webhook"
path = "put"
auth = {{ type = "none" }}
dedup = {{ fields = ["body.n"] }}
[[flow.step]]
name = "push"
type = "request"
method = "PUT"
url = "{target}/put/{{{{ request.body.n }}}}"
json = {{ n = "{{{{ request.body.n }}}}" }}

[[flow]]
name = "Post"
[flow.trigger]
type = "webhook"
path = "post"
auth = {{ type = "none" }}
dedup = {{ fields = ["body.n"] }}
[[flow.step]]
name = "push"
type = "request"
url = "{target}/post/{{{{ request.body.n }}}}"
json = {{ n = "{{{{ request.body.n }}}}" }}
"#
    )
}

/// Figures of the running process, by name, from the socket.
fn figures(house: &House) -> BTreeMap<String, u64> {
    let mut stream = UnixStream::connect(house.data().join("socket")).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: pointsman\r\nConnection: close\r\n\r\n").unwrap();
    let answer = read_answer(&mut BufReader::new(stream)).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
        .body
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
        .collect()
}

fn id(answer: &Answer, name: &str) -> String {
    answer.json()[name].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
}

#[test]
fn the_same_order_twice_and_again_after_a_kill() {
    let (house, target) = (House::new(), Target::fine());
    house.apply(&document(&target.url()));
    house.serve();
    let first = house.post("put", r#"{"n":1}"#);
    assert_eq!(first.status, 200, "{}", first.body);
    let request = id(&first, "request");
    assert_eq!(
        first.json()["state"].as_str().map(|state| ["queued", "running"].contains(&state)),
        Some(true)
    );
    assert_eq!(first.header("pointsman-request-id"), Some(request.as_str()));

    let again = house.post("put", r#"{"n":1.0}"#);
    assert_eq!((again.status, again.body.as_str()), (204, ""));
    assert_eq!(again.header("pointsman-duplicate-of"), Some(request.as_str()));

    house.kill();
    house.serve();
    let after = house.post("put", r#"{"n":1}"#);
    assert_eq!(after.status, 204, "{}", after.body);
    assert_eq!(after.header("pointsman-duplicate-of"), Some(request.as_str()));
}

#[test]
fn of_sixty_four_at_once_exactly_one_is_accepted() {
    let (house, target) = (House::new(), Target::fine());
    house.apply(&document(&target.url()));
    house.serve();
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..64).map(|_| scope.spawn(|| house.post("put", r#"{"n":7}"#))).collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    let accepted: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(accepted.len(), 1);
    let request = id(accepted[0], "request");
    for other in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!((other.status, other.header("pointsman-duplicate-of")), (204, Some(request.as_str())));
    }
}

#[test]
fn nothing_is_answered_before_its_commit_nor_before_its_first_ones() {
    let (house, target) = (House::new(), Target::fine());
    house.apply(&document(&target.url()));
    house.serve();
    house.post("put", r#"{"n":0}"#);
    let file = std::fs::read_dir(house.data())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "db"))
        .expect("the store's file");
    // Somebody else holds the database's write lock: the commit hangs.
    let holder = rusqlite::Connection::open(file).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answered = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let send = || {
            let answer = house.post("put", r#"{"n":99}"#);
            answered.fetch_add(1, Ordering::SeqCst);
            answer
        };
        let first = scope.spawn(send);
        let second = scope.spawn(send);
        // Both are there once the server has read them; what must not happen has a second to do so.
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(answered.load(Ordering::SeqCst), 0);
        holder.execute_batch("COMMIT").unwrap();
        let mut statuses = [first.join().unwrap().status, second.join().unwrap().status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 204]);
    });
}

/// What the senders were told.
#[derive(Default)]
struct Ledger {
    /// Request ids of answers 200.
    accepted: BTreeSet<String>,
    /// Request ids of answers 204 and 400, by header.
    others: BTreeSet<String>,
}

/// Sends on one connection until it is cut or the share is used up.
fn send_some(addr: SocketAddr, next: &AtomicU64, last: u64, ledger: &Mutex<Ledger>) {
    let Ok(mut stream) = TcpStream::connect(addr) else { return };
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let n = next.fetch_add(1, Ordering::SeqCst);
        if n >= last {
            return;
        }
        let flow = if n.is_multiple_of(2) { "put" } else { "post" };
        // Every 20th is a copy of an earlier one, every 50th no JSON.
        let body = match n {
            _ if n % 50 == 49 => "{\"n\":".to_owned(),
            _ if n % 20 == 19 => format!("{{\"n\":{}}}", n.saturating_sub(18)),
            _ => format!("{{\"n\":{n}}}"),
        };
        let head = format!(
            "POST /in/{flow} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(head.as_bytes()).is_err() {
            return;
        }
        let Some(answer) = read_answer(&mut reader) else { return };
        let mut ledger = ledger.lock().unwrap();
        match answer.status {
            200 => {
                ledger.accepted.insert(answer.json()["request"].as_str().unwrap().to_owned());
            }
            204 | 400 => {
                ledger.others.extend(answer.header("pointsman-request-id").map(str::to_owned));
            }
            503 => {}
            other => panic!("{other}: {}", answer.body),
        }
    }
}

#[test]
fn twenty_kills_in_the_middle_of_five_thousand_requests() {
    let (house, target) = (House::new(), Target::fine());
    house.apply(&document(&target.url()));
    let ledger = Mutex::new(Ledger::default());
    let mut dice = 88_172_645_463_325_252_u64;
    for round in 0..20_u64 {
        house.serve();
        let addr = house.addr();
        let next = AtomicU64::new(round * 5_000);
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        let cut = round * 5_000 + 100 + dice % 1_500;
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| send_some(addr, &next, round * 5_000 + 5_000, &ledger));
            }
            wait_for("the middle", || (next.load(Ordering::SeqCst) >= cut).then_some(()));
            house.kill();
        });
    }
    house.serve();
    let ledger = ledger.into_inner().unwrap();
    assert!(ledger.accepted.len() > 1_000, "only {} were accepted", ledger.accepted.len());

    // Every run ends, or is visibly stopped for a person.
    wait_for("every run to end", || {
        let open = house.run(&[
            "runs",
            "ls",
            "state:queued or state:running or state:retrying or state:waiting",
            "--limit",
            "5",
            "--output",
            "jsonl",
        ]);
        open.is_empty().then_some(())
    });
    let runs = lines(&house.run(&["runs", "ls", "--limit", "0", "--output", "jsonl"]));
    let requests = lines(&house.run(&["requests", "ls", "--limit", "0", "--output", "jsonl"]));
    let stored: BTreeSet<&str> = requests.iter().map(|request| request["id"].as_str().unwrap()).collect();
    for id in ledger.accepted.iter().chain(&ledger.others) {
        assert!(stored.contains(id.as_str()), "{id} was answered and is not there");
    }
    let accepted = requests.iter().filter(|request| request["verdict"] == "accepted").count();
    assert_eq!(runs.len(), accepted, "a run for each accepted request");
    let mut unknown = 0;
    for run in &runs {
        match run["state"].as_str().unwrap() {
            "succeeded" => {}
            "errored" => {
                assert!(run["cause"].as_str().unwrap().contains("may have been delivered"), "{run}");
                assert_eq!(run["flow"], "Post", "{run}");
                unknown += 1;
            }
            other => panic!("{other}: {run}"),
        }
    }
    // At most what was under way at a kill.
    assert!(unknown <= 20 * 256, "{unknown} unknown outcomes");

    // No step went out under two keys; and each accepted one of the flow that ended went out.
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for arrived in target.arrived() {
        let key = arrived.header("idempotency-key").unwrap().to_owned();
        keys.entry(arrived.path.clone()).or_default().insert(key);
    }
    for (path, keys) in &keys {
        assert_eq!(keys.len(), 1, "{path}: {keys:?}");
    }
    assert!(keys.len() >= runs.len() - unknown, "{} of {} runs were seen", keys.len(), runs.len());

    // The store is sound, and the figures are those of the rows, before and after another kill.
    house.run(&["doctor"]);
    let count =
        |verdict: &str| requests.iter().filter(|request| request["verdict"] == verdict).count() as u64;
    let before = figures(&house);
    house.kill();
    house.serve();
    let after = figures(&house);
    for (name, rows) in [("duplicate", count("duplicate")), ("accepted", count("accepted"))] {
        let name = format!("pointsman_requests_total{{verdict=\"{name}\"}}");
        assert_eq!((before.get(&name), after.get(&name)), (Some(&rows), Some(&rows)), "{name}: {before:?}");
    }
    let rejected = "pointsman_requests_total{verdict=\"rejected\"}";
    assert!(before[rejected] >= count("rejected"));
    assert_eq!(before[rejected], after[rejected]);
    assert_eq!(before.get("pointsman_queue"), after.get("pointsman_queue"));
    assert_eq!(
        before["pointsman_runs{state=\"errored\"}"],
        runs.iter().filter(|run| run["state"] == "errored").count() as u64
    );
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_second_process_is_told_who_holds_the_store() {
    let (house, target) = (House::new(), Target::fine());
    house.apply(&document(&target.url()));
    house.serve();
    let second = house.try_run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(4));
    let told = String::from_utf8(second.stderr).unwrap();
    assert!(told.contains(&house.pid().to_string()), "{told}");
    // Commands reach the one that runs.
    assert_eq!(house.json(&["integrations", "ls"])[0]["name"], "crash");
    assert_eq!(get(house.addr(), "/healthz").unwrap().status, 200);
}

#[test]
fn a_clean_stop_leaves_no_unknown_outcome() {
    let house = House::new();
    let target = Target::new(|_| {
        std::thread::sleep(Duration::from_millis(300));
        (200, "{}".into())
    });
    house.apply(&document(&target.url()));
    house.serve();
    for n in 0..40 {
        assert_eq!(house.post("post", &format!("{{\"n\":{n}}}")).status, 200);
    }
    assert_eq!(house.stop(), Some(0), "{}", house.log());
    house.serve();
    wait_for("every run to succeed", || {
        let done = house.json(&["runs", "ls", "state:succeeded", "--limit", "0"]);
        (done.as_array().unwrap().len() == 40).then_some(())
    });
    assert_eq!(target.arrived().len(), 40);
    let after =
        call(house.addr(), "POST", "/in/none", &[("Content-Type", "application/json")], b"{}").unwrap();
    assert_eq!(after.status, 404);
}
