//! The receiver over a real store: every answer of the contract's table, and what is stored for it.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what fails here fails a test")]

use pointsman::feed::{Feed, Stats};
use pointsman::model::ask::Refusal;
use pointsman::model::request::{Marks, StoredRequest, Verdict};
use pointsman::model::run::RunState;
use pointsman::model::settings::{Limits, Settings};
use pointsman::model::{CallbackId, FlowId, RequestId, RunId};
use pointsman::receiver::{self, Deps};
use pointsman::rules::advance::Input;
use pointsman::rules::check::{Known, check};
use pointsman::scheduler::Slots;
use pointsman::store::apply::{How, Lease};
use pointsman::store::clock::Clock;
use pointsman::store::registry::{Route, Save};
use pointsman::store::{Handover, Options, Store};
use pointsman::vault::Vault;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

const DOCUMENT: &str = r#"
name = "shop"

[[flow]]
id = "plain"
name = "Plain"
[flow.trigger]
type = "webhook"
path = "plain"
auth = { type = "none" }
methods = ["POST", "PUT"]

[[flow]]
id = "small"
name = "Small"
[flow.trigger]
type = "webhook"
path = "small"
auth = { type = "none" }
max_body = "1KiB"

[[flow]]
id = "orders"
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = { type = "none" }
dedup = { fields = ["body.order_number"] }
required = ["body.customer_email", 'headers["x-shop"]', "query.page"]

[[flow]]
id = "mail"
name = "Mail"
[flow.trigger]
type = "webhook"
path = "mail"
auth = { type = "none" }
when = "{{ request.body.type == 'email' }}"

[[flow]]
id = "odd"
name = "Odd"
[flow.trigger]
type = "webhook"
path = "odd"
auth = { type = "none" }
when = "{{ request.body.type }}"

[[flow]]
id = "read"
name = "Read"
[flow.trigger]
type = "webhook"
path = "read"
auth = { type = "none" }
methods = ["GET", "POST"]

[[flow]]
id = "push"
name = "Push"
[flow.trigger]
type = "webhook"
path = "push"
auth = { type = "none" }
[[flow.step]]
name = "push"
type = "request"
method = "POST"
url = "http://127.0.0.1:9/x"
json = { a = 1 }

[[flow]]
id = "ask"
name = "Ask"
[flow.trigger]
type = "webhook"
path = "ask"
auth = { type = "none" }
[[flow.step]]
name = "ask"
type = "send"
url = "http://127.0.0.1:9/x"
"#;

/// A receiver over a store in a folder of its own. Nothing runs what it accepts.
struct Inlet {
    folder: tempfile::TempDir,
    store: Store,
    handover: Handover,
    vault: Vault,
    stats: Arc<Stats>,
    address: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

impl Inlet {
    async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    async fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let feed = Feed::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let public_url = format!("http://{address}");
        let options = Options {
            limits: limits.clone(),
            feed: feed.clone(),
            public_url: public_url.clone(),
            clock: Clock::system(),
        };
        let (store, handover) = Store::open(folder.path(), options).unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let checked = check(DOCUMENT, &Known::default());
        let integration = checked.integration.unwrap_or_else(|| panic!("{:?}", checked.problems));
        let save = Save { integration, source: DOCUMENT.to_owned(), base: None };
        let saved = store.save(vec![save], "test", None, true).await.unwrap();
        assert!(saved[0].deployed, "{saved:?}");
        let stats = Arc::new(Stats::default());
        let slots = Slots::new(limits.slots);
        let settings = Settings {
            data: folder.path().to_owned(),
            listen: address,
            public_url,
            public_url_given: false,
            read_only: false,
            limits,
            allow_networks: None,
            inbound: pointsman::model::gate::Inbound::default(),
            connections: pointsman::model::settings::Globals::default(),
        };
        let deps = Deps {
            store: store.clone(),
            slots,
            vault: vault.clone(),
            stats: Arc::clone(&stats),
            settings: Arc::new(settings),
            feed,
            tls: None,
        };
        let stop = CancellationToken::new();
        let served = tokio::spawn(receiver::serve(listener, deps, stop.clone()));
        Self { folder, store, handover, vault, stats, address, stop, served }
    }

    /// Sends raw bytes and reads one answer.
    async fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // A refused body may not be taken to its end.
        let _ = stream.write_all(request).await;
        let head_only = request.starts_with(b"HEAD ");
        let mut all = Vec::new();
        while !whole(&all, head_only) {
            let read = timeout(PATIENCE, stream.read_buf(&mut all)).await.expect("no answer");
            if !matches!(read, Ok(1..)) {
                break;
            }
        }
        Answer::read(&all)
    }

    /// Sends a request whose connection ends with the answer.
    async fn send(&self, line: &str, headers: &str, body: impl AsRef<[u8]>) -> Answer {
        let head = format!("{line} HTTP/1.1\r\nHost: hooks.example\r\nConnection: close\r\n{headers}\r\n");
        self.raw(&[head.as_bytes(), body.as_ref()].concat()).await
    }

    /// POSTs JSON.
    async fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Answer {
        self.send(&format!("POST {path}"), &json(body.as_ref().len()), body).await
    }

    /// The request that an answer names.
    async fn stored(&self, answer: &Answer) -> Arc<StoredRequest> {
        let id = answer.header("pointsman-request-id").unwrap_or_else(|| panic!("no id: {answer:?}"));
        let id = self.store.ids().parse::<RequestId>(id).expect("an id of this store");
        self.store.request(id).await.unwrap().expect("it is stored")
    }

    /// Asserts a refusal that is told and stored.
    async fn refused(&self, answer: &Answer, status: u16, cause: &str) -> Arc<StoredRequest> {
        answer.problem(status, cause);
        let stored = self.stored(answer).await;
        assert_eq!(stored.verdict, Verdict::Rejected, "{answer:?}");
        assert_eq!(stored.cause.as_deref(), Some(cause), "{answer:?}");
        assert_eq!(stored.status, Some(status));
        stored
    }
}

/// Whether an answer is there with its body.
fn whole(answer: &[u8], head_only: bool) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let len = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    head_only || body.len() >= len.unwrap_or(0)
}

fn json(len: usize) -> String {
    format!("Content-Type: application/json\r\nContent-Length: {len}\r\n")
}

const CHUNKED_JSON: &str = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in body.chunks(size) {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

#[derive(Debug, Clone)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Self { status, headers, body: body.to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts a problem of RFC 9457.
    fn problem(&self, status: u16, detail: &str) {
        assert_eq!(
            (self.status, self.header("content-type")),
            (status, Some("application/problem+json")),
            "{self:?}"
        );
        let body = self.json();
        assert_eq!((&body["type"], &body["status"]), (&"about:blank".into(), &status.into()));
        assert_eq!(body["detail"], detail);
        assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_accepted_request_is_stored_byte_for_byte() {
    let inlet = Inlet::start().await;
    let body = "{ \"a\" : 1.10,\r\n\"a\":\"\\u00e9\" }\n";
    let headers = format!("X-B: 2\r\nX-A: one\r\nx-b: 3\r\nPointsman-Hops: 3\r\n{}", json(body.len()));
    let answer = inlet.send("PUT /in/plain/a%2Fb//c?x=1&y=%20", &headers, body).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{answer:?}");
    let stored = inlet.stored(&answer).await;
    let told = answer.json();
    assert_eq!(told["request"], answer.header("pointsman-request-id").unwrap());
    assert_eq!(told["state"], "succeeded", "a flow without steps records");
    assert!(inlet.store.ids().parse::<RunId>(told["run"].as_str().unwrap()).is_some());
    assert_eq!((stored.verdict, stored.status, stored.runs), (Verdict::Accepted, Some(200), 1));
    let seed = &stored.seed;
    assert_eq!(seed.body, body);
    assert_eq!(
        (seed.method.as_str(), seed.path.as_str(), seed.query.as_str()),
        ("PUT", "a%2Fb//c", "x=1&y=%20")
    );
    assert_eq!((seed.peer.as_deref(), seed.hops), (Some("127.0.0.1"), 3));
    assert_eq!(seed.marks.words(), ["repeated_keys"]);
    assert_eq!(seed.headers.get("X-B").as_deref(), Some("2, 3"));
    let names: Vec<_> = seed.headers.texts().map(|(name, _)| name).collect();
    let place = |name: &str| names.iter().position(|other| other == name).unwrap();
    assert!(place("host") < place("x-b") && place("x-b") < place("x-a"), "{names:?}");
    assert_eq!(inlet.stats.promised.load(Ordering::Relaxed), 1);
    assert_eq!(inlet.stats.recent(inlet.store.now()), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn methods_and_paths_lead_where_the_contract_says() {
    let inlet = Inlet::start().await;
    for path in
        ["/", "/in", "/in/", "/in/none", "/in/none/x", "/inn/plain", "/status/x", "/callback", "/metrics"]
    {
        inlet.post(path, "{}").await.problem(404, "there is nothing here");
        inlet.send(&format!("GET {path}"), "", "").await.problem(404, "there is nothing here");
    }
    let allowed = "POST, PUT, GET, HEAD, OPTIONS";
    let answer = inlet.send("OPTIONS /in/plain", "", "").await;
    assert_eq!((answer.status, answer.header("allow"), answer.body.as_str()), (204, Some(allowed), ""));
    for method in ["GET", "HEAD"] {
        let answer = inlet.send(&format!("{method} /in/plain/x?y"), "", "").await;
        assert_eq!((answer.status, answer.header("pointsman-request-id")), (200, None));
        assert_eq!(answer.body.is_empty(), method == "HEAD");
    }
    for method in ["DELETE", "PATCH", "TRACE", "BREW"] {
        let answer = inlet.send(&format!("{method} /in/plain"), "", "").await;
        assert_eq!(answer.header("allow"), Some(allowed));
        inlet.refused(&answer, 405, &format!("{method} is not in methods")).await;
    }
    // A check waits for no body.
    let answer = inlet.send("GET /in/plain", "Content-Length: 5\r\n", "").await;
    assert_eq!(answer.status, 200);
    // Where the flow lists GET it is a request like any other; HEAD stays a check.
    let answer = inlet.send("GET /in/read?a=1", "", "").await;
    let stored = inlet.stored(&answer).await;
    assert_eq!(
        (stored.verdict, stored.seed.method.as_str(), stored.seed.body.len()),
        (Verdict::Accepted, "GET", 0)
    );
    let answer = inlet.send("HEAD /in/read", "", "").await;
    assert_eq!((answer.status, answer.header("pointsman-request-id")), (200, None));
    // The generated endpoint and the alias are one; an alias may come escaped.
    let routes = inlet.store.routes();
    let generated = routes.by_name.iter().find(|(name, route)| {
        name.len() > 12 && matches!(route, Route::Live(plan) if plan.flow.id == "plain")
    });
    let (generated, _) = generated.expect("a generated endpoint");
    assert_eq!(inlet.post(&format!("/in/{generated}"), "1").await.status, 200);
    assert_eq!(inlet.post("/in/%70lain", "1").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_is_json_or_nothing_at_all() {
    let inlet = Inlet::start().await;
    for body in ["1", "null", "\"\"", "[]", " {} "] {
        assert_eq!(inlet.post("/in/plain", body).await.status, 200, "{body}");
    }
    for headers in ["", "Content-Length: 0\r\n"] {
        let answer = inlet.send("POST /in/plain", headers, "").await;
        assert_eq!((answer.status, inlet.stored(&answer).await.seed.body.len()), (200, 0));
    }
    let text = "Content-Type: text/plain\r\nContent-Length: 2\r\n";
    let stored = inlet
        .refused(&inlet.send("POST /in/plain", text, "{}").await, 415, "Content-Type is text/plain")
        .await;
    assert_eq!((&stored.seed.body[..], stored.seed.marks.words()), (&b"{}"[..], Vec::new()), "kept whole");
    let answer = inlet.send("POST /in/plain", "Content-Length: 2\r\n", "{}").await;
    inlet.refused(&answer, 415, "Content-Type is missing").await;
    let answer = inlet.send("POST /in/plain", "Transfer-Encoding: chunked\r\n", chunked(b"{}", 1)).await;
    inlet.refused(&answer, 415, "Content-Type is missing").await;
    for headers in ["Transfer-Encoding: chunked\r\n", CHUNKED_JSON] {
        let answer = inlet.send("POST /in/plain", headers, "0\r\n\r\n").await;
        assert_eq!(
            (answer.status, inlet.stored(&answer).await.seed.marks.words()),
            (400, vec!["chunked".to_owned()]),
            "{answer:?}"
        );
    }
    assert_eq!(inlet.post("/in/plain", "").await.status, 400);
    let gzip = "Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n";
    let answer = inlet.send("POST /in/plain", gzip, "\u{1f}\u{8b}").await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("the body is no sound gzip"), "{answer:?}");
    let answer = inlet.post("/in/plain", "{\n\n  \"a\": 1 \"b\"}").await;
    let cause = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(cause.starts_with("not JSON: line 3, column 10: "), "{cause}");
    inlet.refused(&answer, 400, &cause).await;
    assert_eq!(inlet.post("/in/plain", b"\"\xff\"").await.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_are_judged_at_their_bounds() {
    let inlet = Inlet::start().await;
    let padded = |len: usize| format!("\"{}\"", "x".repeat(len - 2));
    for (len, status) in [(1_024, 200), (1_025, 413)] {
        let body = padded(len);
        let declared = inlet.post("/in/small", &body).await;
        assert_eq!(declared.status, status, "declared {len}");
        let pieces = inlet.send("POST /in/small", CHUNKED_JSON, chunked(body.as_bytes(), 100)).await;
        assert_eq!(pieces.status, status, "chunked {len}");
        if status == 413 {
            inlet.refused(&declared, 413, "1,025 B is over 1,024 B").await;
            let stored = inlet.refused(&pieces, 413, "the body is over 1 KiB").await;
            assert!(stored.seed.marks.has(Marks::BODY_CUT));
        }
    }
    for (body, status) in [
        ("[".repeat(128) + &"]".repeat(128), 200),
        ("[".repeat(129) + &"]".repeat(129), 400),
        (format!("[{}1]", "1,".repeat(199_998)), 200),
        (format!("[{}1]", "1,".repeat(199_999)), 400),
        (padded(6 << 20), 200),
        (padded((6 << 20) + 1), 413),
    ] {
        let answer = inlet.post("/in/plain", &body).await;
        assert_eq!(answer.status, status, "{} bytes: {}", body.len(), answer.body);
        if status != 200 {
            let stored = inlet.stored(&answer).await;
            assert_eq!(stored.seed.marks.has(Marks::BODY_CUT), body.len() > 64 << 10);
            assert!(stored.seed.body.len() <= 64 << 10);
            assert!(body.as_bytes().starts_with(&stored.seed.body));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn required_paths_hops_and_when_are_judged_in_order() {
    let inlet = Inlet::start().await;
    let answer = inlet.post("/in/orders", "{}").await;
    inlet
        .refused(
            &answer,
            400,
            "body.customer_email, headers[\"x-shop\"], query.page are required and missing",
        )
        .await;
    let with = |hops: &str, body: &str| format!("X-Shop: 1\r\n{hops}{}", json(body.len()));
    let answer = inlet.send("POST /in/orders?page=2", &with("", "{}"), "{}").await;
    inlet.refused(&answer, 400, "body.customer_email is required and missing").await;
    let body = r#"{"customer_email":null}"#;
    let answer = inlet.send("POST /in/orders?page=2", &with("Pointsman-Hops: 9\r\n", body), body).await;
    inlet.refused(&answer, 508, "Pointsman-Hops is over 8: the request goes round in a loop").await;
    for hops in ["Pointsman-Hops: 8\r\n", "Pointsman-Hops: many\r\n"] {
        let answer = inlet.send("POST /in/orders?page=2", &with(hops, body), body).await;
        assert_eq!(answer.status, 200);
        assert_eq!(inlet.stored(&answer).await.seed.marks.words(), ["no_dedup_key"]);
    }
    // 413 comes before 415, 415 before 400.
    let both = "Content-Type: text/plain\r\nContent-Length: 2000\r\n";
    inlet.send("POST /in/small", both, "x".repeat(2_000)).await.problem(413, "2 KiB is over 1 KiB");
    assert_eq!(inlet.send("POST /in/small", &both.replace("2000", "1"), "{").await.status, 415);

    let answer = inlet.post("/in/mail", r#"{"type":"email"}"#).await;
    assert_eq!(inlet.stored(&answer).await.verdict, Verdict::Accepted);
    for body in [r#"{"type":"sms"}"#, "{}", "7"] {
        let answer = inlet.post("/in/mail", body).await;
        assert_eq!((answer.status, &answer.json()["state"]), (200, &"filtered".into()), "{answer:?}");
        assert_eq!(answer.json()["request"], answer.header("pointsman-request-id").unwrap());
        assert_eq!(inlet.stored(&answer).await.verdict, Verdict::Filtered);
    }
    let answer = inlet.post("/in/odd", r#"{"type":"sms"}"#).await;
    assert_eq!((answer.status, inlet.stored(&answer).await.verdict), (400, Verdict::Rejected), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_identical_requests_at_once_one_is_accepted() {
    let inlet = Arc::new(Inlet::start().await);
    let body = r#"{"order_number":"A-1","customer_email":"a@example"}"#;
    let headers = format!("X-Shop: 1\r\n{}", json(body.len()));
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (inlet, headers) = (Arc::clone(&inlet), headers.clone());
        senders.spawn(async move { inlet.send("POST /in/orders?page=1", &headers, body).await });
    }
    let answers = senders.join_all().await;
    let (accepted, others): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((accepted.len(), others.len()), (1, 63));
    let first = accepted[0].header("pointsman-request-id").unwrap();
    for answer in others {
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{answer:?}");
        assert_eq!(answer.header("pointsman-duplicate-of"), Some(first));
        assert_ne!(answer.header("pointsman-request-id"), Some(first));
        assert_eq!(inlet.stored(&answer).await.verdict, Verdict::Duplicate);
    }
    assert_eq!(inlet.stats.promised.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_born_leased_while_a_slot_is_free() {
    let mut inlet = Inlet::with(Limits { slots: 1, ..Limits::default() }).await;
    assert_eq!(inlet.post("/in/push", "{}").await.json()["state"], "running");
    let born = timeout(PATIENCE, inlet.handover.queue.recv()).await.unwrap().unwrap();
    assert!(born[0].slot.is_some() && born[0].run.state == RunState::Running);
    assert_eq!(inlet.post("/in/push", "{}").await.json()["state"], "queued");
    drop(born);
    assert_eq!(inlet.post("/in/ask", "{}").await.json()["state"], "queued", "a callback needs a claim");
    assert_eq!(inlet.post("/in/push", "{}").await.json()["state"], "running");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_hangs_up_takes_nothing_back() {
    let inlet = Inlet::start().await;
    for _ in 0..50 {
        let mut stream = TcpStream::connect(inlet.address).await.unwrap();
        let request = format!("POST /in/ask HTTP/1.1\r\nHost: a\r\n{}\r\n{{}}", json(2));
        stream.write_all(request.as_bytes()).await.unwrap();
        drop(stream);
    }
    let stored = async {
        while inlet.store.counters().stored < 50 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, stored).await.expect("lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_breaks_off_or_does_not_come_is_stored_as_far_as_it_came() {
    let inlet = Inlet::with(Limits { body_deadline: 300, ..Limits::default() }).await;
    let answer = inlet.send("POST /in/plain", &json(9), "{\"a\"").await;
    let stored = inlet.refused(&answer, 408, "the body did not come within 0.3 s").await;
    assert_eq!(stored.seed.body, "{\"a\"");
    assert!(stored.seed.marks.has(Marks::BODY_CUT));

    let mut stream = TcpStream::connect(inlet.address).await.unwrap();
    let head = format!("POST /in/plain HTTP/1.1\r\nHost: a\r\n{}\r\n[1", json(9));
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut all = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut all)).await.unwrap().unwrap();
    let stored = inlet.refused(&Answer::read(&all), 400, "the body broke off after 2 of 9 bytes").await;
    assert_eq!(stored.seed.body, "[1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overload_is_a_503_that_says_when_to_try_again() {
    let inlet = Inlet::with(Limits { queue: 2, ..Limits::default() }).await;
    assert_eq!(inlet.send("GET /readyz", "", "").await.status, 200);
    let mut refused = None;
    for _ in 0..10 {
        let answer = inlet.post("/in/ask", "{}").await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("the queue has no bound");
    refused.problem(503, "too many runs wait, please try again");
    assert!(refused.header("retry-after").is_some());
    // The store is well: the refusal is there to be looked at, and replayed.
    let stored = inlet.stored(&refused).await;
    assert_eq!((stored.verdict, stored.status), (Verdict::Rejected, Some(503)));
    assert_eq!(inlet.send("GET /readyz", "", "").await.status, 200);
    assert_eq!(inlet.send("GET /healthz", "", "").await.status, 200);
    assert_eq!(inlet.send("HEAD /healthz", "", "").await.status, 200);
    assert_eq!(inlet.send("POST /healthz", "", "").await.header("allow"), Some("GET, HEAD"));
    // 405 is judged first.
    assert_eq!(inlet.send("BREW /in/ask", "", "").await.status, 405);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_store_accepts_nothing() {
    let inlet = Inlet::start().await;
    inlet.store.close().await;
    assert_eq!(inlet.post("/in/plain", "{}").await.status, 503);
    assert_eq!(inlet.send("GET /readyz", "", "").await.status, 503);
    assert_eq!(inlet.stats.promised.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_bytes_are_refused_or_stored_as_they_are() {
    let inlet = Inlet::start().await;
    let head = b"POST /in/plain/%00%1b[2J/../..%2f?\xe2\x80\xae HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-A: \xff\xfe\t\r\n";
    let request = [&head[..], json(2).as_bytes(), b"\r\n{}"].concat();
    let answer = inlet.raw(&request).await;
    if answer.status == 200 {
        let stored = inlet.stored(&answer).await;
        assert_eq!(stored.seed.path, "%00%1b[2J/../..%2f");
        assert!(
            stored.seed.headers.iter().any(|(name, value)| name == b"x-a" && value.starts_with(b"\xff\xfe"))
        );
    } else {
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    for bad in [
        &b"POST /in/plain HTTP/1.1\r\nHost: a\r\nX-A: \x1b[2J\r\n\r\n"[..],
        b"POST /in/plain HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /in/pl\x00ain HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /in/plain HTTP/3.7\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST /in/plain HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nzz\r\n",
    ] {
        let answer = inlet.raw(bad).await;
        assert_eq!(answer.status, 400, "{:?}: {answer:?}", String::from_utf8_lossy(bad));
    }
    let secret =
        format!("Authorization: Bearer s3cret\r\nCookie: s3cret\r\nX-Api-Key: s3cret\r\n{}", json(2));
    let stored = inlet.stored(&inlet.send("POST /in/plain", &secret, "{}").await).await;
    assert!(!String::from_utf8_lossy(stored.seed.headers.blob()).contains("s3cret"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_receiver_looks_at_itself_and_drains_when_told() {
    let inlet = Inlet::start().await;
    timeout(PATIENCE, async {
        while inlet.stats.probe() != Some(None) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("no probe");
    inlet.stop.cancel();
    timeout(PATIENCE, inlet.served).await.expect("it never drains").unwrap();
    assert!(TcpStream::connect(inlet.address).await.is_err());
    drop(inlet.folder);
}

/// A run of `ask` whose step is under way, and its callback's URL.
async fn asked(inlet: &Inlet) -> (RunId, String) {
    let answer = inlet.post("/in/ask", "{}").await;
    let run = inlet.store.ids().parse::<RunId>(answer.json()["run"].as_str().unwrap()).unwrap();
    let id = CallbackId(inlet.store.fresh_id());
    let until = inlet.store.now() + 60_000;
    let lease =
        Lease { owner: inlet.store.owner(), until, callback: (id, inlet.vault.callback_hash(id)), items: 0 };
    let how = How { lease: Some(lease), ..How::default() };
    let claim = move |_: &_| Input::Claimed { owner: lease.owner, until };
    inlet.store.apply_as(run, how, claim).await.map_err(|refusal: Refusal| refusal.message).unwrap();
    (run, format!("/callback/{}", inlet.vault.callback_token(id)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_is_taken_once() {
    let inlet = Inlet::start().await;
    let (run, url) = asked(&inlet).await;
    for bad in ["202", "199", "abc"] {
        let answer = inlet.send(&format!("POST {url}"), &format!("X-Status-Code: {bad}\r\n"), "").await;
        answer.problem(400, "X-Status-Code is one number from 200 to 599, and not 202");
    }
    assert_eq!(inlet.send(&format!("GET {url}"), "", "").await.header("allow"), Some("POST"));
    let big = "Content-Length: 6291457\r\n";
    assert_eq!(inlet.send(&format!("POST {url}"), big, vec![b'x'; 6_291_457]).await.status, 413);
    assert_eq!(inlet.send(&format!("POST {url}"), "Content-Length: 1\r\n", b"\xff").await.status, 400);

    let with =
        |status: u16, body: &str| format!("X-Status-Code: {status}\r\nContent-Length: {}\r\n", body.len());
    let line = format!("POST {url}");
    let first = inlet.send(&line, &with(201, "done"), "done").await;
    assert_eq!((first.status, &first.json()["state"]), (200, &"received".into()), "{first:?}");
    let loaded = inlet.store.load(run).await.unwrap().unwrap();
    assert_eq!(loaded.callbacks[0].status, Some(201));
    assert_eq!(inlet.send(&line, &with(201, "done"), "done").await.status, 200, "the same again");
    assert_eq!(inlet.send(&line, &with(200, "done"), "done").await.status, 409);
    assert_eq!(inlet.send(&line, &with(201, "gone"), "gone").await.status, 409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_different_callbacks_at_once_leave_one() {
    let inlet = Arc::new(Inlet::start().await);
    let (_, url) = asked(&inlet).await;
    let mut senders = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (inlet, line) = (Arc::clone(&inlet), format!("POST {url}"));
        senders.spawn(
            async move { inlet.send(&line, "Content-Length: 1\r\n", number.to_string()).await.status },
        );
    }
    let statuses = senders.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_or_dead_callback_is_told_apart_from_a_live_one() {
    let inlet = Inlet::start().await;
    let unmade = inlet.vault.callback_token(CallbackId(inlet.store.fresh_id()));
    let (run, url) = asked(&inlet).await;
    let mut forged = url.clone();
    let last = if forged.ends_with('A') { "B" } else { "A" };
    forged.replace_range(forged.len() - 1.., last);
    for path in ["/callback/", "/callback/x", &format!("/callback/{unmade}"), &format!("{url}/x"), &forged] {
        let answer = inlet.send(&format!("POST {path}"), "", "").await;
        answer.problem(404, "there is nothing here");
    }
    let vanished = |_: &_| Input::Lost;
    inlet.store.apply(run, vanished).await.map_err(|refusal| refusal.message).unwrap();
    let retry = |_: &_| Input::Retry { actor: "ada".to_owned(), reason: None, fresh_key: false };
    inlet.store.apply(run, retry).await.map_err(|refusal| refusal.message).unwrap();
    assert_eq!(inlet.send(&format!("POST {url}"), "", "").await.status, 410);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_endpoint_says_so_and_its_senders_are_seen() {
    let inlet = Inlet::start().await;
    let without = DOCUMENT
        .replace("id = \"read\"", "id = \"read2\"")
        .replace("path = \"read\"", "path = \"read2\"")
        .replace("name = \"Read\"", "name = \"Read 2\"");
    let integration = check(&without, &Known::default()).integration.unwrap();
    let routes = inlet.store.routes();
    let of = |key: &str| {
        routes.by_name.iter().find_map(|(name, route)| match route {
            Route::Live(plan) if plan.flow.id == key && name != key => Some((name.clone(), plan.flow_id)),
            _ => None,
        })
    };
    let (endpoint, flow): (String, FlowId) = of("read").expect("a generated endpoint");
    inlet
        .store
        .save(vec![Save { integration, source: without, base: None }], "test", None, true)
        .await
        .unwrap();
    let answer = inlet.post(&format!("/in/{endpoint}"), "{}").await;
    let stored = inlet.refused(&answer, 410, "the endpoint was removed").await;
    assert_eq!(stored.seed.flow, flow);
    assert_eq!(inlet.post("/in/read2", "{}").await.status, 200);
}
