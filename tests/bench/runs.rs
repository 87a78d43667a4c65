//! How many runs a second: request → one HTTP step to a local target → result committed, sustained,
//! with the queue not growing. Beside it, in the same run, the limit: the same client library
//! posting to the same target with nothing in between.
//!
//! `cargo bench --bench runs -- [--seconds 20] [--rounds 3] [--waiting 100000 --due 100000]`
//!
//! With `--due` so many runs more are made due in one second while `--waiting` others wait for a later
//! day: how fast they leave, and what memory all that takes, beside the figure of runs that come and go.
//!
//! The binary, its target and its senders share the machine. Senders keep at most a thousand runs
//! open (sent and not yet seen by the target), so what is measured is what is finished and not what
//! is taken in.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people at a desk")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener as StdListener};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

const WINDOW: usize = 1_000;
const SENDERS: usize = 32;

fn document(target: SocketAddr) -> String {
    format!(
        r#"
name = "bench"
[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = {{ type = "none" }}
dedup = {{ fields = ["body.order_number"] }}
[[flow.step]]
name = "push"
type = "request"
url = "http://{target}/orders"
json = {{ number = "{{{{ request.body.order_number }}}}", email = "{{{{ request.body.customer_email }}}}", products = "{{{{ request.body.products }}}}" }}
outputs = {{ id = "body.id" }}
"#
    )
}

fn order(n: u64) -> String {
    let products: Vec<String> = (0..6)
        .map(|at| format!(r#"{{"name":"Product {at}","sku":"AX-{n}-{at}","price":12.50,"quantity":{at},"category":"Hygiene"}}"#))
        .collect();
    format!(
        r#"{{"order_number":"{n}","customer_email":"customer{n}@example.com","language":"eng","total":59.90,"note":"{}","products":[{}]}}"#,
        "leave it at the door ".repeat(18),
        products.join(",")
    )
}

/// Reads one HTTP message's head and body off a connection; false at its end.
async fn read_message(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> bool {
    buffer.clear();
    let mut chunk = [0_u8; 8_192];
    let mut need = None;
    loop {
        if need.is_none()
            && let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n")
        {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let length = head.split("content-length:").nth(1).and_then(|rest| rest.lines().next());
            need = Some(end + 4 + length.and_then(|text| text.trim().parse().ok()).unwrap_or(0));
        }
        if need.is_some_and(|need| buffer.len() >= need) {
            return true;
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return false,
            Ok(read) => buffer.extend_from_slice(&chunk[..read]),
        }
    }
}

/// A target that answers 200 at once; each call gives the senders room for one more.
async fn target(listener: TcpListener, seen: Arc<AtomicU64>, room: Arc<Semaphore>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let (seen, room) = (seen.clone(), room.clone());
        tokio::spawn(async move {
            let mut buffer = Vec::with_capacity(4_096);
            while read_message(&mut stream, &mut buffer).await {
                seen.fetch_add(1, Ordering::Relaxed);
                room.add_permits(1);
                let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{\"id\":\"c_1\"}";
                if stream.write_all(answer).await.is_err() {
                    return;
                }
            }
        });
    }
}

async fn sender(
    addr: SocketAddr,
    next: Arc<AtomicU64>,
    room: Arc<Semaphore>,
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
) {
    let Ok(mut stream) = TcpStream::connect(addr).await else { return };
    let _ = stream.set_nodelay(true);
    let mut buffer = Vec::with_capacity(4_096);
    while !stop.load(Ordering::Relaxed) {
        let Ok(permit) = room.acquire().await else { return };
        permit.forget();
        let body = order(next.fetch_add(1, Ordering::Relaxed));
        let message = format!(
            "POST /in/orders HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(message.as_bytes()).await.is_err()
            || !read_message(&mut stream, &mut buffer).await
        {
            return;
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer));
        sent.fetch_add(1, Ordering::Relaxed);
    }
}

/// A flow whose runs wait until a time of their request's, and then send.
fn waiting_document(target: SocketAddr) -> String {
    format!(
        r#"
name = "bench"
[[flow]]
name = "Later"
[flow.trigger]
type = "webhook"
path = "orders"
auth = {{ type = "none" }}
[[flow.step]]
name = "wait"
type = "delay"
until = "{{{{ request.body.at }}}}"
[[flow.step]]
name = "push"
type = "request"
url = "http://{target}/orders"
json = {{ note = "{{{{ request.body.note }}}}" }}
"#
    )
}

/// Resident memory of a process, in MiB: now, and the most so far.
fn memory(pid: u32) -> (f64, f64) {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.trim_start_matches(':').trim().split(' ').next()?.parse().ok());
        kib.unwrap_or(f64::NAN) / 1_024.0
    };
    (of("VmRSS"), of("VmHWM"))
}

/// Sends so many requests that wait until a time (ms since 1970).
async fn seed(listen: SocketAddr, count: u64, at: u128) {
    let next = Arc::new(AtomicU64::new(0));
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| {
            let next = next.clone();
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(listen).await.unwrap();
                let _ = stream.set_nodelay(true);
                let mut buffer = Vec::with_capacity(4_096);
                while next.fetch_add(1, Ordering::Relaxed) < count {
                    let body = format!(r#"{{"at":{at},"note":"{}"}}"#, "leave it at the door ".repeat(36));
                    let message = format!(
                        "POST /in/orders HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    stream.write_all(message.as_bytes()).await.unwrap();
                    assert!(read_message(&mut stream, &mut buffer).await);
                    assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer));
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
}

fn wall() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()
}

/// Waits until so many runs are in a state.
async fn until_runs(data: &Path, state: &str, wanted: u64) {
    let name = format!("pointsman_runs{{state=\"{state}\"}}");
    let end = Instant::now() + Duration::from_mins(10);
    while figure(data, &name) < wanted as f64 {
        assert!(Instant::now() < end, "{} of {wanted} runs are {state}", figure(data, &name));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// `waiting` runs wait for another day, and `due` for the same second: how fast these leave, a second,
/// and memory before and while they do.
fn due_at_once(runtime: &tokio::runtime::Runtime, waiting: u64, due: u64) -> (f64, f64, f64) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let path = folder.path().join("bench.toml");
        std::fs::write(&path, waiting_document(listener.local_addr().unwrap())).unwrap();
        let applied = Command::new(env!("CARGO_BIN_EXE_pointsman"))
            .args(["apply", path.to_str().unwrap(), "--data", data.to_str().unwrap()])
            .status()
            .unwrap();
        assert!(applied.success());
        let listen = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut child = serve(&data, listen);
        let seen = Arc::new(AtomicU64::new(0));
        tokio::spawn(target(listener, seen.clone(), Arc::new(Semaphore::new(0))));
        while TcpStream::connect(listen).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let start = Instant::now();
        seed(listen, waiting, wall() + 24 * 3_600_000).await;
        // As long as the others took, for these to come in; then some time to come to rest.
        let each = start.elapsed().as_millis() * u128::from(due) / u128::from(waiting.max(1));
        let at = wall() + each * 3 + 20_000;
        seed(listen, due, at).await;
        until_runs(&data, "waiting", waiting + due).await;
        assert!(wall() < at, "seeding took longer than it was given");
        let (before, _) = memory(child.id());
        while wall() < at {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let start = Instant::now();
        while seen.load(Ordering::Relaxed) < due {
            assert!(
                start.elapsed() < Duration::from_mins(10),
                "{} of {due} left",
                seen.load(Ordering::Relaxed)
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let rate = due as f64 / start.elapsed().as_secs_f64();
        let (_, most) = memory(child.id());
        let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        let _ = child.wait();
        (rate, before, most)
    })
}

fn figure(data: &Path, name: &str) -> f64 {
    let Ok(mut stream) = UnixStream::connect(data.join("socket")) else { return f64::NAN };
    let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n");
    let mut text = String::new();
    let _ = BufReader::new(stream).read_to_string(&mut text);
    let line = text.lines().find(|line| line.starts_with(name) && line[name.len()..].starts_with(' '));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(f64::NAN)
}

fn serve(data: &Path, listen: SocketAddr) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .args(["serve", "--data", data.to_str().unwrap(), "--listen", &listen.to_string()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
    child
}

/// One round: runs finished a second, and the longest queue that was seen.
fn round(runtime: &tokio::runtime::Runtime, seconds: u64) -> (f64, f64) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target_addr = listener.local_addr().unwrap();
        let path = folder.path().join("bench.toml");
        std::fs::write(&path, document(target_addr)).unwrap();
        let applied = Command::new(env!("CARGO_BIN_EXE_pointsman"))
            .args(["apply", path.to_str().unwrap(), "--data", data.to_str().unwrap()])
            .status()
            .unwrap();
        assert!(applied.success());
        let listen = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut child = serve(&data, listen);
        let (seen, sent, next) =
            (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(1)));
        let room = Arc::new(Semaphore::new(WINDOW));
        let stop = Arc::new(AtomicBool::new(false));
        tokio::spawn(target(listener, seen.clone(), room.clone()));
        while TcpStream::connect(listen).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let start = Instant::now();
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| tokio::spawn(sender(listen, next.clone(), room.clone(), stop.clone(), sent.clone())))
            .collect();
        let mut longest: f64 = 0.0;
        while start.elapsed() < Duration::from_secs(seconds) {
            tokio::time::sleep(Duration::from_millis(500)).await;
            longest = longest.max(figure(&data, "pointsman_queue"));
        }
        stop.store(true, Ordering::Relaxed);
        room.add_permits(SENDERS);
        for sender in senders {
            let _ = sender.await;
        }
        // The clock stops when the last result is committed.
        loop {
            let open: f64 = ["queued", "running", "retrying", "waiting"]
                .iter()
                .map(|state| figure(&data, &format!("pointsman_runs{{state=\"{state}\"}}")))
                .sum();
            if open == 0.0 && seen.load(Ordering::Relaxed) >= sent.load(Ordering::Relaxed) {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(seconds + 60), "{open} runs are still open");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let rate = sent.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
        let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        let _ = child.wait();
        (rate, longest)
    })
}

/// The limit: the client library posting the same to the same target, 64 at once.
fn limit(runtime: &tokio::runtime::Runtime, seconds: u64) -> f64 {
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/orders", listener.local_addr().unwrap());
        let seen = Arc::new(AtomicU64::new(0));
        tokio::spawn(target(listener, seen.clone(), Arc::new(Semaphore::new(0))));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let start = Instant::now();
        let until = start + Duration::from_secs(seconds);
        let posts: Vec<_> = (0..64)
            .map(|at: u64| {
                let (client, url) = (client.clone(), url.clone());
                tokio::spawn(async move {
                    let mut n = at;
                    while Instant::now() < until {
                        let sent = client
                            .post(&url)
                            .header("content-type", "application/json")
                            .body(order(n))
                            .send();
                        sent.await.unwrap().bytes().await.unwrap();
                        n += 64;
                    }
                })
            })
            .collect();
        for post in posts {
            let _ = post.await;
        }
        seen.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
    })
}

fn option(name: &str, default: u64) -> u64 {
    let args: Vec<String> = std::env::args().collect();
    let at = args.iter().position(|arg| arg == name);
    at.and_then(|at| args.get(at + 1)?.parse().ok()).unwrap_or(default)
}

fn main() {
    let (seconds, rounds) = (option("--seconds", 20), option("--rounds", 3));
    let (waiting, due) = (option("--waiting", 0), option("--due", 0));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (mut rates, mut limits) = (Vec::new(), Vec::new());
    for number in 1..=rounds {
        let bare = limit(&runtime, seconds.min(5));
        let (rate, longest) = round(&runtime, seconds);
        println!(
            "round {number}: {rate:.0} runs/s (longest queue {longest:.0}), bare client {bare:.0}/s, ratio {:.2}",
            rate / bare
        );
        if due > 0 {
            let (left, before, most) = due_at_once(&runtime, waiting, due);
            println!(
                "round {number}: {due} due at once beside {waiting} that wait leave at {left:.0}/s, {:.2} of the runs \
                 that come and go; {before:.0} MiB before, {most:.0} MiB at most",
                left / rate
            );
        }
        rates.push(rate);
        limits.push(rate / bare);
    }
    rates.sort_by(f64::total_cmp);
    limits.sort_by(f64::total_cmp);
    let middle = rates.len() / 2;
    println!(
        "runs: median {:.0}/s ({:.0} to {:.0}), {:.2} of the bare client",
        rates[middle],
        rates[0],
        rates[rates.len() - 1],
        limits[middle]
    );
}
