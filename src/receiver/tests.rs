//! Connections against their bounds: filters of a test behind the real accept loop.

use super::answer::{self, Problem};
use super::body::{self, Budget};
use super::entry::Arrival;
use super::{accept, judge};
use crate::model::settings::Limits;
use crate::rules::answer as told;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use warp::Filter;
use warp::http::StatusCode;

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<()>,
    /// Lets `/slow` answer.
    go: Arc<Notify>,
    /// Says that `/slow` was asked.
    asked: Arc<Notify>,
}

impl Server {
    async fn start(limits: Limits, drain: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let (go, asked) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let slow = {
            let (go, asked) = (Arc::clone(&go), Arc::clone(&asked));
            warp::path("slow").and(warp::ext::get::<Arc<Arrival>>()).then(move |arrival: Arc<Arrival>| {
                let (go, asked) = (Arc::clone(&go), Arc::clone(&asked));
                async move {
                    arrival.pulse.busy();
                    asked.notify_one();
                    go.notified().await;
                    answer::out(told::text(StatusCode::OK, "at last"))
                }
            })
        };
        // Reads up to 10 bytes and tells how many there were.
        let count = warp::path("count").and(warp::ext::get::<Arc<Arrival>>()).and(warp::body::stream()).then(
            |arrival: Arc<Arrival>, mut pieces| async move {
                match body::read(&mut pieces, 10, &arrival.pulse, &Budget::default()).await {
                    Ok(body) => answer::out(told::text(StatusCode::OK, format!("{} bytes", body.len()))),
                    Err((failed, part)) => {
                        let framing = judge::framing(&arrival.headers);
                        let problem = judge::unread(failed, 10, 30_000, framing, part.len());
                        body::leave_unread(&arrival, answer::problem(&problem), failed, pieces)
                    }
                }
            },
        );
        let unread = warp::ext::get::<Arc<Arrival>>().and(warp::body::stream()).map(
            |arrival: Arc<Arrival>, pieces| {
                body::leave(&arrival, answer::problem(&Problem::not_found()), pieces)
            },
        );
        let filters = TowerToHyperService::new(warp::service(slow.or(count).or(unread)));
        let ended = stop.clone();
        let served = tokio::spawn(async move {
            {
                let inlet = accept::Inlet { limits, ..accept::Inlet::default() };
                accept::listen(listener, filters, inlet, drain, ended).await;
            }
        });
        Self { address, stop, served, go, asked }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends, and reads until the connection ends.
    async fn exchange(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request).await.unwrap();
        rest(&mut stream).await
    }
}

/// Everything that comes until the connection ends.
async fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("the connection stays open");
    drop(read);
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until the text has come.
async fn until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut all = Vec::new();
    while !String::from_utf8_lossy(&all).contains(wanted) {
        let mut part = [0; 4_096];
        let len = timeout(PATIENCE, stream.read(&mut part)).await.expect(wanted).unwrap();
        assert_ne!(len, 0, "closed before {wanted:?}: {}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&part[..len]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

fn limits(head: i64, body: i64, idle: i64) -> Limits {
    Limits { header_deadline: head, body_deadline: body, idle, ..Limits::default() }
}

const LONG: i64 = 60_000;

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

async fn quick() -> Server {
    Server::start(limits(LONG, LONG, LONG), PATIENCE).await
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed_at_the_header_deadline() {
    let server = Server::start(limits(300, LONG, LONG), PATIENCE).await;
    let begun = Instant::now();
    assert_eq!(rest(&mut server.connect().await).await, "");
    assert!(begun.elapsed() >= Duration::from_millis(290), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_head_that_trickles_is_closed_at_the_header_deadline() {
    let server = Server::start(limits(400, LONG, LONG), PATIENCE).await;
    let begun = Instant::now();
    let (mut read, mut write) = server.connect().await.into_split();
    let trickle = tokio::spawn(async move {
        write.write_all(b"POST /count HTTP/1.1\r\nHost: a\r\n").await.unwrap();
        while write.write_all(b"X-A: b\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut all = Vec::new();
    let _ = timeout(PATIENCE, read.read_to_end(&mut all)).await.expect("never cut");
    assert_eq!(String::from_utf8_lossy(&all), "");
    assert!(begun.elapsed() >= Duration::from_millis(390), "{:?}", begun.elapsed());
    timeout(PATIENCE, trickle).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_kept_alive_connection_idles_longer_than_a_head_may_take_but_not_for_ever() {
    let server = Server::start(limits(200, LONG, 900), PATIENCE).await;
    let mut stream = server.connect().await;
    for _ in 0..2 {
        stream.write_all(post("/count", "12345").as_bytes()).await.unwrap();
        until(&mut stream, "5 bytes").await;
        tokio::time::sleep(Duration::from_millis(450)).await;
    }
    let begun = Instant::now();
    stream.write_all(get("/count").as_bytes()).await.unwrap();
    until(&mut stream, "0 bytes").await;
    assert_eq!(rest(&mut stream).await, "");
    assert!(begun.elapsed() >= Duration::from_millis(890), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn the_head_of_a_later_request_has_its_deadline_from_its_first_byte() {
    let server = Server::start(limits(300, LONG, LONG), PATIENCE).await;
    let mut stream = server.connect().await;
    stream.write_all(get("/count").as_bytes()).await.unwrap();
    until(&mut stream, "0 bytes").await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let begun = Instant::now();
    stream.write_all(b"POST /co").await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
    assert!(begun.elapsed() >= Duration::from_millis(290), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_and_cut() {
    let server = Server::start(limits(LONG, 300, LONG), PATIENCE).await;
    for framing in ["Content-Length: 9\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"] {
        let begun = Instant::now();
        let head = format!("POST /count HTTP/1.1\r\nHost: a\r\n{framing}");
        let answer = server.exchange(head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("connection: close") && answer.contains("did not come within"), "{answer}");
        assert!(begun.elapsed() >= Duration::from_millis(290), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_sender_that_never_reads_its_answers_is_cut() {
    let server = Server::start(limits(LONG, LONG, 400), PATIENCE).await;
    let mut stream = server.connect().await;
    let many = get("/count").repeat(1_000);
    let flood = async { while stream.write_all(many.as_bytes()).await.is_ok() {} };
    timeout(PATIENCE, flood).await.expect("it may write for ever");
}

#[tokio::test]
async fn past_the_limit_a_connection_waits_for_another_to_end() {
    let server = Server::start(Limits { connections: 3, ..limits(LONG, LONG, LONG) }, PATIENCE).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = server.connect().await;
        stream.write_all(get("/count").as_bytes()).await.unwrap();
        until(&mut stream, "0 bytes").await;
        open.push(stream);
    }
    let mut fourth = server.connect().await;
    fourth.write_all(get("/count").as_bytes()).await.unwrap();
    let early = timeout(Duration::from_millis(200), fourth.read(&mut [0; 1])).await;
    assert!(early.is_err(), "a fourth connection was served");
    open.pop();
    until(&mut fourth, "0 bytes").await;
}

#[tokio::test]
async fn slow_idle_and_half_open_senders_do_not_delay_an_honest_one() {
    let server = Server::start(limits(2_000, 2_000, 2_000), PATIENCE).await;
    let mut crowd = Vec::new();
    for number in 0..300 {
        let mut stream = server.connect().await;
        let said = match number % 3 {
            0 => "",
            1 => "POST /count HTTP/1.1\r\nHost: a\r\n",
            _ => "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab",
        };
        stream.write_all(said.as_bytes()).await.unwrap();
        crowd.push(stream);
    }
    let begun = Instant::now();
    for _ in 0..20 {
        let mut stream = server.connect().await;
        stream.write_all(post("/count", "1").as_bytes()).await.unwrap();
        until(&mut stream, "1 bytes").await;
    }
    assert!(begun.elapsed() < Duration::from_millis(1_500), "{:?}", begun.elapsed());
    for mut stream in crowd {
        rest(&mut stream).await;
    }
}

#[tokio::test]
async fn headers_pass_at_16_kib_and_not_over_it() {
    let server = quick().await;
    let with = |len: usize| {
        let around = "GET /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Pad: \r\n\r\n".len();
        let pad = "x".repeat(len - around);
        format!("GET /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Pad: {pad}\r\n\r\n")
    };
    let answer = server.exchange(with(16 << 10).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    for len in [(16 << 10) + 1, 64 << 10] {
        let answer = server.exchange(with(len).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431 ") && answer.contains("problem+json"), "{answer}");
        assert!(answer.contains(&format!("have {len} bytes, 16384 are the most")), "{answer}");
    }
    // What is longer still is not read to its end.
    let answer = server.exchange(with((64 << 10) + 1).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let many = |lines: usize| {
        let all = "X-A: 1\r\n".repeat(lines);
        format!("GET /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{all}\r\n")
    };
    let answer = server.exchange(many(510).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "so many short lines are short: {answer}");
    let endless = format!("GET /count HTTP/1.1\r\nHost: a\r\nX-Pad: {}", "x".repeat(1 << 20));
    let mut stream = server.connect().await;
    let _ = stream.write_all(endless.as_bytes()).await;
    let answer = rest(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn a_request_without_one_clear_host_is_refused_and_closed() {
    let server = quick().await;
    for hosts in ["", "Host: a\r\nHost: a\r\n", "Host: a\r\nHost: b\r\n"] {
        let answer = server.exchange(format!("GET /count HTTP/1.1\r\n{hosts}\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("application/problem+json") && answer.contains("Host"), "{answer}");
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = quick().await;
    let mut stream = server.connect().await;
    let all: String = (1..=5).map(|len| post("/count", &"x".repeat(len))).collect();
    stream.write_all(all.as_bytes()).await.unwrap();
    let answers = until(&mut stream, "5 bytes").await;
    let places: Vec<_> = (1..=5).map(|len| answers.find(&format!("{len} bytes")).unwrap()).collect();
    assert!(places.is_sorted(), "{answers}");
}

#[tokio::test]
async fn a_sender_that_shuts_its_side_down_reads_the_answer() {
    let server = quick().await;
    let mut stream = server.connect().await;
    stream.write_all(get("/slow").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    timeout(PATIENCE, server.asked.notified()).await.unwrap();
    server.go.notify_one();
    assert!(rest(&mut stream).await.contains("at last"));
}

#[tokio::test]
async fn a_body_passes_at_its_bound_declared_and_chunked() {
    let server = quick().await;
    let declared = |len| {
        format!(
            "POST /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n{}",
            "x".repeat(len)
        )
    };
    let chunked = |len: usize| {
        let chunks = "1\r\nx\r\n".repeat(len);
        format!(
            "POST /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
        )
    };
    for text in [declared(10), chunked(10)] {
        let answer = server.exchange(text.as_bytes()).await;
        assert!(answer.ends_with("10 bytes"), "{answer}");
    }
    for text in [declared(11), chunked(11)] {
        let answer = server.exchange(text.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    }
}

#[tokio::test]
async fn a_refused_sender_that_writes_everything_first_still_reads_the_answer() {
    let server = quick().await;
    for size in [1 << 20, 7 << 20] {
        let mut stream = server.connect().await;
        stream
            .write_all(format!("POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n").as_bytes())
            .await
            .unwrap();
        stream.write_all(&vec![b'x'; size]).await.expect("reset while sending");
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test]
async fn a_refused_sender_that_asks_first_is_not_told_to_go_on() {
    let server = quick().await;
    let head = "POST /none HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n";
    let answer = server.exchange(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    let mut stream = server.connect().await;
    stream.write_all(head.replace("none", "count").as_bytes()).await.unwrap();
    until(&mut stream, "100 Continue").await;
    stream.write_all(b"123456789").await.unwrap();
    until(&mut stream, "9 bytes").await;
}

#[tokio::test]
async fn a_stop_takes_nobody_new_lets_requests_end_and_closes_idle_connections() {
    let server = quick().await;
    let mut idle = server.connect().await;
    idle.write_all(get("/count").as_bytes()).await.unwrap();
    until(&mut idle, "0 bytes").await;
    let mut silent = server.connect().await;
    let mut busy = server.connect().await;
    busy.write_all(get("/slow").as_bytes()).await.unwrap();
    timeout(PATIENCE, server.asked.notified()).await.unwrap();
    server.stop.cancel();
    assert_eq!(rest(&mut idle).await, "");
    assert_eq!(rest(&mut silent).await, "");
    assert!(TcpStream::connect(server.address).await.is_err(), "a new connection was taken");
    assert!(!server.served.is_finished());
    server.go.notify_one();
    assert!(rest(&mut busy).await.contains("at last"));
    timeout(PATIENCE, server.served).await.expect("it never drains").unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let server = Server::start(limits(LONG, LONG, LONG), Duration::from_millis(100)).await;
    let mut busy = server.connect().await;
    busy.write_all(get("/slow").as_bytes()).await.unwrap();
    timeout(PATIENCE, server.asked.notified()).await.unwrap();
    server.stop.cancel();
    timeout(PATIENCE, server.served).await.expect("it never drains").unwrap();
    assert_eq!(rest(&mut busy).await, "");
}
