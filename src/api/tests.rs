//! The socket against a real desk: who may open it, what its bounds are, and that nobody who
//! watches slows anybody else.

use super::server::CONNECTIONS;
use super::*;
use crate::desk::fixture::{House, act, anna};
use crate::model::ask::{Answer, Ask, Changes, Page, Refusal, Verb, Who, With, from_json};
use crate::model::change::Change;
use crate::model::run::RunState;
use crate::model::{FlowId, RunId};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

struct Served {
    house: House,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Served {
    fn start(house: House) -> Self {
        let stop = CancellationToken::new();
        let door = Door::bind(house.folder.path()).unwrap();
        let task = tokio::spawn(door.serve(house.desk.clone(), stop.clone()));
        Self { house, stop, task }
    }

    fn folder(&self) -> &Path {
        self.house.folder.path()
    }

    fn client(&self) -> Client {
        Client::connect(self.folder()).unwrap()
    }

    async fn raw(&self) -> UnixStream {
        UnixStream::connect(self.folder().join(SOCKET)).await.unwrap()
    }

    /// Sends a request as it is written, and reads the answer whole.
    async fn exchange(&self, request: &[u8]) -> (u16, String) {
        let mut stream = self.raw().await;
        // A refusal may come before all is sent.
        let _ = stream.write_all(request).await;
        let mut all = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("the answer does not end").unwrap();
        let text = String::from_utf8_lossy(&all).into_owned();
        (text[9..12].parse().unwrap(), text)
    }
}

fn post(body: &str, more: &str) -> Vec<u8> {
    format!(
        "POST /ask HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn the_socket_is_its_owners_alone_and_goes_when_the_server_stops() {
    let served = Served::start(House::new());
    let path = served.folder().join(SOCKET);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert!(!served.folder().join(".bind").exists());
    let taken = Door::bind(served.folder()).unwrap_err();
    assert!(matches!(taken, BindError::Taken { .. }), "{taken}");
    let mut changes = served.client().changes().await.unwrap();
    changes.next().await.unwrap();
    served.stop.cancel();
    timeout(PATIENCE, served.task).await.expect("it does not stop").unwrap();
    assert!(!path.exists());
    let gone = timeout(PATIENCE, changes.next()).await.expect("the stream does not end").unwrap_err();
    assert_eq!(gone.code, "link");
    assert!(Client::connect(served.house.folder.path()).is_none());
}

#[tokio::test]
async fn a_socket_that_nobody_answers_on_is_replaced() {
    let house = House::new();
    drop(std::os::unix::net::UnixListener::bind(house.folder.path().join(SOCKET)).unwrap());
    assert!(Client::connect(house.folder.path()).is_none());
    let served = Served::start(house);
    served.client().ask(&anna(), &Ask::Counters).await.unwrap();
}

#[tokio::test]
async fn a_path_that_is_too_long_is_told_with_its_length() {
    let house = House::new();
    let base = house.folder.path().as_os_str().len();
    // Folder, slash, "socket": 107 bytes are taken, 108 are not.
    for (length, fits) in [(107, true), (108, false)] {
        let name = "a".repeat(length - base - 1 - 1 - SOCKET.len());
        let folder = house.folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        match Door::bind(&folder) {
            Ok(_) => assert!(fits, "{length}"),
            Err(error) => {
                assert!(!fits, "{length}: {error}");
                assert!(error.to_string().contains("has 108 bytes and the system takes 107"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn two_clients_at_once_get_their_own_answers() {
    let served = Served::start(House::acme().await);
    let run = served.house.run_in(RunState::Errored).await;
    let (one, two) = (served.client(), served.client());
    let id = served.house.id(run);
    let (who, runs) = (anna(), Ask::Runs(Page { filter: "state:errored".into(), ..Page::default() }));
    let retry =
        Ask::Act(Box::new(act(Verb::Retry { version: With::Deployed, fresh_key: false }, vec![id.clone()])));
    let none = Ask::Run { id: "ffffff".into() };
    let (listed, refused) = tokio::join!(one.ask(&who, &runs), two.ask(&who, &none));
    let Answer::Runs(rows) = listed.unwrap() else { panic!("no runs") };
    assert_eq!(rows.rows[0].id, id);
    assert_eq!(refused.unwrap_err().exit, 3);
    let Answer::Acted(acted) = two.ask(&who, &retry).await.unwrap() else { panic!("no act") };
    assert_eq!(acted.done, 1);
    let refusal = one.ask(&who, &retry).await.unwrap_err();
    assert_eq!((refusal.code.as_str(), refusal.exit), ("not_stopped", 4));
    // Whole answers come over as they are: digits and all.
    let (request, _) = served.house.receive("Scans", serde_json::from_str(r#"{"n":1.10}"#).unwrap()).await;
    let ask = Ask::Request { id: served.house.request_id(request) };
    let Answer::Request(there) = one.ask(&who, &ask).await.unwrap() else { panic!("no request") };
    let Answer::Request(here) = served.house.ask(ask).await.unwrap() else { panic!("no request") };
    assert_eq!(there, here);
    assert_eq!(there.body.to_string(), r#"{"n":1.10}"#);
}

#[tokio::test]
async fn who_gives_no_name_is_the_system_user_of_the_other_end() {
    let served = Served::start(House::acme().await);
    let body = r#"{"ask":{"ask":"set","of":{"name":"acme","values":[["base","http://a.example"]]}}}"#;
    let (status, text) = served.exchange(&post(body, "")).await;
    assert_eq!(status, 200, "{text}");
    let entry = &served.house.trail().await[0];
    assert_eq!(entry.who, peer::name(rustix::process::getuid().as_raw()));
    assert_eq!((entry.door.as_str(), entry.verb.as_str()), ("socket", "set"));
    let who = Who { name: "gate".into(), ..anna() };
    let set = Ask::Set {
        name: "acme".into(),
        values: vec![("base".into(), "http://b.example".into())],
        secret: None,
        reason: None,
        dry_run: false,
    };
    served.client().ask(&who, &set).await.unwrap();
    assert_eq!(served.house.trail().await[0].who, "gate");
}

#[tokio::test]
async fn another_version_may_read_but_not_act() {
    let served = Served::start(House::acme().await);
    let other = "pointsman-version: 99.1.0\r\n";
    let (status, text) = served.exchange(&post(r#"{"ask":{"ask":"counters"}}"#, other)).await;
    assert_eq!(status, 200, "{text}");
    assert!(text.contains(&format!("{VERSION_HEADER}: {VERSION}")), "{text}");
    for body in [r#"{"ask":{"ask":"load_samples","of":{}}}"#, r#"{"ask":{"ask":"teleport","of":{}}}"#] {
        let (status, text) = served.exchange(&post(body, other)).await;
        assert_eq!(status, 426, "{text}");
        assert!(text.contains("this pointsman is 99.1.0, the running one is"), "{text}");
    }
    let (status, _) = served.exchange(&post(r#"{"ask":{"ask":"teleport"}}"#, "")).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn what_is_not_asked_right_is_refused_in_words() {
    let served = Served::start(House::new());
    assert_eq!(served.exchange(&get("/nothing")).await.0, 404);
    let (status, text) = served.exchange(&get("/ask")).await;
    assert_eq!(status, 405);
    assert!(text.to_ascii_lowercase().contains("allow: post"), "{text}");
    assert_eq!(served.exchange(&post("{", "")).await.0, 400);
    let (status, text) = served.exchange(&post(r#"{"ask":{"ask":"run","of":{"id":"ffffff"}}}"#, "")).await;
    assert_eq!(status, 404);
    let body = text.split("\r\n\r\n").nth(1).unwrap();
    assert_eq!(from_json::<Refusal>(body.as_bytes()).unwrap().code, "not_found");
    // The bound of a question, at it and past it.
    let fill = |length: usize| {
        let head = r#"{"ask":{"ask":"run","of":{"id":""#;
        format!("{head}{}\"}}}}}}", "f".repeat(length - head.len() - 4))
    };
    assert_eq!(fill(MAX_ASK).len(), MAX_ASK);
    assert_ne!(served.exchange(&post(&fill(MAX_ASK), "")).await.0, 413);
    let (status, text) = served.exchange(&post(&fill(MAX_ASK + 1), "")).await;
    assert_eq!(status, 413, "{text}");
    let (status, text) = served.exchange(&get("/metrics")).await;
    assert_eq!(status, 200);
    assert!(text.contains("\npointsman_store_ok 1\n"), "{text}");
}

#[tokio::test]
async fn connections_past_the_bound_wait_for_a_place() {
    let served = Served::start(House::new());
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = served.raw().await;
        stream.write_all(&get("/changes").as_slice().replace_close()).await.unwrap();
        let mut first = [0; 12];
        timeout(PATIENCE, stream.read_exact(&mut first)).await.unwrap().unwrap();
        held.push(stream);
    }
    let (client, who) = (served.client(), anna());
    let mut waits = tokio::spawn(async move { client.ask(&who, &Ask::Counters).await });
    assert!(timeout(Duration::from_millis(300), &mut waits).await.is_err(), "there was no place");
    drop(held);
    timeout(PATIENCE, waits).await.expect("places are not given back").unwrap().unwrap();
}

trait KeepAlive {
    fn replace_close(&self) -> Vec<u8>;
}

impl KeepAlive for [u8] {
    fn replace_close(&self) -> Vec<u8> {
        String::from_utf8_lossy(self).replace("Connection: close\r\n", "").into_bytes()
    }
}

#[tokio::test]
async fn who_watches_and_does_not_read_slows_nobody_and_is_told_the_rest_at_once() {
    let served = Served::start(House::acme().await);
    let mut stalled = served.raw().await;
    stalled.write_all(&get("/changes")).await.unwrap();
    let mut first = vec![0; 200];
    let read = timeout(PATIENCE, stalled.read(&mut first)).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&first[..read]).starts_with("HTTP/1.1 200"));
    let mut brisk = served.client().changes().await.unwrap();
    let seen = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&seen);
    let reads = tokio::spawn(async move {
        while let Ok(changes) = brisk.next().await {
            told.store(changes.seq, Ordering::Relaxed);
        }
    });
    // Far more than the connection's buffers hold, over many pushes.
    let begun = Instant::now();
    let mut id = 0;
    while seen.load(Ordering::Relaxed) < 25 {
        served.house.feed.publish(|| {
            (id..id + 400)
                .map(|id| Change::Run { id: RunId(id), flow: FlowId(1), state: RunState::Running })
                .collect()
        });
        id += 400;
        served.client().ask(&anna(), &Ask::Counters).await.unwrap();
        assert!(begun.elapsed() < PATIENCE, "the brisk one is held up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seen = seen.load(Ordering::Relaxed);
    reads.abort();
    served.house.feed.publish(|| Arc::from([Change::Config]));
    let mut text = Vec::new();
    let told = async {
        loop {
            let mut part = vec![0; 64 << 10];
            let read = stalled.read(&mut part).await.unwrap();
            text.extend_from_slice(&part[..read]);
            if String::from_utf8_lossy(&text).contains("\"config\":true") {
                return;
            }
        }
    };
    timeout(PATIENCE, told).await.expect("the stalled one is never told");
    let whole = String::from_utf8_lossy(&text).into_owned();
    let pushes = whole.lines().filter_map(|line| from_json::<Changes>(line.as_bytes()).ok()).count() as u64;
    assert!(pushes < seen, "{pushes} lines for the stalled one, {seen} for the brisk one");
    assert!(text.len() < 4 << 20, "{} bytes were kept for it", text.len());
}

#[tokio::test]
async fn an_order_whose_sender_hangs_up_is_carried_out_and_written_down_all_the_same() {
    let served = Served::start(House::acme().await);
    for _ in 0..20 {
        served.house.run_in(RunState::Errored).await;
    }
    let body = r#"{"ask":{"ask":"act","of":{"verb":"abort","filter":"state:errored"}}}"#;
    let mut stream = served.raw().await;
    stream.write_all(&post(body, "")).await.unwrap();
    // The order is on its way in; nobody waits for the answer.
    drop(stream);
    let begun = Instant::now();
    loop {
        let trail = served.house.trail().await;
        if trail.iter().any(|entry| entry.verb == "abort" && entry.detail.starts_with("Aborted 20 runs")) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{trail:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
