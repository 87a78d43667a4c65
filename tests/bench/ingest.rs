//! What accepting costs: the whole path over HTTP (judge, dedup, commit, answer) against a raw warp
//! no-op of the same round, with the runner held and with the runner at work.
//!
//! ```text
//! cargo bench --bench ingest -- --seconds 4 --rounds 3 --connections 64 [--only noop|held|running]
//! ```
//!
//! Absolute figures say little on a shared machine; the ratios inside a round do. Server and load
//! share the processor: the load is a process of its own, the server has two workers.

use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use pointsman::feed::{Feed, Stats};
use pointsman::model::settings::{Limits, Settings};
use pointsman::receiver;
use pointsman::rules::check::{Known, check};
use pointsman::runner;
use pointsman::scheduler::Slots;
use pointsman::store::clock::Clock;
use pointsman::store::registry::Save;
use pointsman::store::{Options, Store};
use pointsman::vault::Vault;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use warp::Filter as _;

#[path = "ingest_auth.rs"]
mod auth;

use auth::Scheme;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What is measured in each round, in this order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Path {
    Noop,
    Held,
    Guarded,
    Running,
}

impl Path {
    const ALL: [Self; 4] = [Self::Noop, Self::Held, Self::Guarded, Self::Running];

    /// What `--only` calls it.
    fn word(self) -> &'static str {
        match self {
            Self::Noop => "noop",
            Self::Held => "held",
            Self::Guarded => "guarded",
            Self::Running => "running",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Noop => "warp no-op",
            Self::Held => "accepted, runner held",
            Self::Guarded => "the same, authenticated",
            Self::Running => "accepted, runner at work",
        }
    }
}

struct Plan {
    seconds: u64,
    rounds: usize,
    connections: usize,
    /// How senders authenticate; measured beside the path without.
    auth: Option<Scheme>,
}

/// One path in one round.
struct Measured {
    rate: f64,
    seconds: f64,
    p50: u64,
    p99: u64,
    /// Of the server's process, a request.
    cpu: f64,
    /// Bytes that it had written to disk, a request.
    written: f64,
    /// Runs that ended in the time, a second.
    ended: Option<f64>,
}

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: u64| {
        let value = args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1));
        value.and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    let text = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1));
    let auth = match text("--auth") {
        Some(word) => Some(Scheme::parse(word).ok_or("--auth is hs256, es256, rs256 or signature")?),
        None => None,
    };
    let plan = Plan {
        auth,
        seconds: number("--seconds", 4),
        rounds: usize::try_from(number("--rounds", 3))?,
        connections: usize::try_from(number("--connections", 64))?,
    };
    if let Some(at) = args.iter().position(|arg| arg == "--load") {
        let address = args.get(at + 1).ok_or("--load needs an address")?.parse()?;
        return load(address, &plan, number("--first", 0), text("--line").map_or("", String::as_str));
    }
    let only =
        args.iter().position(|arg| arg == "--only").and_then(|at| args.get(at + 1)).map(String::as_str);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} connections, {} s, {} rounds", plan.connections, plan.seconds, plan.rounds)?;
    writeln!(
        out,
        "{:<26} {:>8} {:>6} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "path", "req/s", "ratio", "p50 µs", "p99 µs", "CPU µs", "disk B", "runs/s"
    )?;
    let mut ratios = [const { Vec::new() }; Path::ALL.len()];
    let mut first = 0;
    for _ in 0..plan.rounds {
        let mut base = 0.0;
        for (path, ratios) in Path::ALL.into_iter().zip(&mut ratios) {
            if only.is_some_and(|only| only != path.word()) || (path == Path::Guarded && plan.auth.is_none())
            {
                continue;
            }
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            let measured = runtime.block_on(measure(path, &plan, first))?;
            runtime.shutdown_timeout(Duration::from_secs(5));
            first += 10_000_000;
            if path == Path::Noop {
                base = measured.rate;
            }
            let ratio = measured.rate / base;
            ratios.push(ratio);
            let ended = measured.ended.map(|ended| format!("{ended:.0}")).unwrap_or_default();
            writeln!(
                out,
                "{:<26} {:>8.0} {ratio:>6.2} {:>8} {:>8} {:>8.1} {:>8.0} {ended:>8}",
                path.name(),
                measured.rate,
                measured.p50,
                measured.p99,
                measured.cpu,
                measured.written,
            )?;
        }
    }
    for (path, mut ratios) in Path::ALL.into_iter().zip(ratios).skip(1) {
        ratios.sort_by(f64::total_cmp);
        if let (Some(least), Some(median), Some(most)) =
            (ratios.first(), ratios.get(ratios.len() / 2), ratios.last())
        {
            writeln!(out, "{:<26} ratio {median:.2} ({least:.2} to {most:.2})", path.name())?;
        }
    }
    Ok(())
}

async fn measure(path: Path, plan: &Plan, first: u64) -> Result<Measured, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    if path == Path::Noop {
        tokio::spawn(noop(listener));
        return drive(address, plan, first, None).await;
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let scheme = plan.auth.filter(|_| path == Path::Guarded);
    let house = House::open(folder.path(), address, path, scheme).await?;
    let senders = match scheme {
        Some(scheme) => Some((scheme, scheme.prepare(&house.vault)?)),
        None => None,
    };
    let stop = CancellationToken::new();
    let served = tokio::spawn(receiver::serve(listener, house.receiver(), stop.clone()));
    let House { store, handover, slots, vault, settings, stats, .. } = house;
    // With the only slot taken every run waits, and nobody takes it from the hand-over.
    let held = matches!(path, Path::Held | Path::Guarded).then(|| slots.take_waiting());
    let running = if path == Path::Running {
        let deps = runner::Deps { store: store.clone(), handover, slots, vault, settings };
        Ok(runner::start(deps, stop.clone())?)
    } else {
        Err(handover)
    };
    let mut measured = drive(address, plan, first, senders).await?;
    if path == Path::Running {
        let all = stats.promised.load(Ordering::Relaxed) as f64;
        let open = open_runs(&store).await? as f64;
        measured.ended = Some((all - open) / measured.seconds);
    }
    stop.cancel();
    served.await?;
    if let Ok(running) = running {
        running.await?;
    }
    drop(held);
    store.close().await;
    Ok(measured)
}

/// Fresh runs that have not begun, counted by pages.
async fn open_runs(store: &Store) -> Result<usize, Failure> {
    let (mut from, mut open) = (0, 0);
    loop {
        let page = store.fresh_from(from, 4_096).await?;
        let Some(last) = page.last() else { return Ok(open) };
        open += page.len();
        from = last.id.0 + 1;
    }
}

struct House {
    store: Store,
    handover: pointsman::store::Handover,
    slots: Slots,
    vault: Vault,
    settings: Arc<Settings>,
    stats: Arc<Stats>,
    feed: Feed,
}

impl House {
    async fn open(
        folder: &std::path::Path,
        address: SocketAddr,
        path: Path,
        scheme: Option<Scheme>,
    ) -> Result<Self, Failure> {
        let slots = if matches!(path, Path::Held | Path::Guarded) { 1 } else { Limits::default().slots };
        let limits = Limits { slots, ..Limits::default() };
        let feed = Feed::default();
        let public_url = format!("http://{address}");
        let (store, handover) = Store::open(
            folder,
            Options {
                limits: limits.clone(),
                feed: feed.clone(),
                public_url: public_url.clone(),
                clock: Clock::system(),
            },
        )?;
        let target = TcpListener::bind("127.0.0.1:0").await?;
        let document = document(target.local_addr()?, scheme.map_or("{ type = \"none\" }", Scheme::auth));
        tokio::spawn(noop(target));
        let checked = check(&document, &Known::default());
        let integration = checked.integration.ok_or_else(|| format!("{:?}", checked.problems))?;
        store.save(vec![Save { integration, source: document, base: None }], "bench", None, true).await?;
        let settings = Settings {
            data: folder.to_owned(),
            listen: address,
            public_url,
            public_url_given: false,
            read_only: false,
            limits: limits.clone(),
            allow_networks: None,
            inbound: pointsman::model::gate::Inbound::default(),
            connections: pointsman::model::settings::Globals::default(),
        };
        Ok(Self {
            store,
            handover,
            slots: Slots::new(limits.slots),
            vault: Vault::open(folder)?,
            settings: Arc::new(settings),
            stats: Arc::default(),
            feed,
        })
    }

    fn receiver(&self) -> receiver::Deps {
        receiver::Deps {
            store: self.store.clone(),
            slots: self.slots.clone(),
            vault: self.vault.clone(),
            stats: Arc::clone(&self.stats),
            settings: Arc::clone(&self.settings),
            feed: self.feed.clone(),
            tls: None,
        }
    }
}

fn document(target: SocketAddr, auth: &str) -> String {
    format!(
        r#"
name = "bench"
[[flow]]
id = "orders"
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = {auth}
dedup = {{ fields = ["body.order_number"] }}
[[flow.step]]
name = "push"
type = "request"
method = "POST"
url = "http://{target}/in/push"
json = {{ number = "{{{{ request.body.order_number }}}}" }}
"#
    )
}

/// Reads the body and answers nothing, in the plainest loop that warp can stand in.
async fn noop(listener: TcpListener) {
    let filter = warp::path("in").and(warp::body::bytes()).map(|_: bytes::Bytes| http::StatusCode::OK);
    let service = TowerToHyperService::new(warp::service(filter));
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let serving =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(serving);
    }
}

/// Starts the load as a process of its own and reads what it found.
async fn drive(
    address: SocketAddr,
    plan: &Plan,
    first: u64,
    senders: Option<(Scheme, String)>,
) -> Result<Measured, Failure> {
    let (cpu, written) = (cpu_seconds(), bytes_written());
    let exe = std::env::current_exe()?;
    let mut command = Command::new(exe);
    command
        .args(["--load", &address.to_string(), "--first", &first.to_string()])
        .args(["--seconds", &plan.seconds.to_string(), "--connections", &plan.connections.to_string()])
        .stderr(Stdio::inherit());
    if let Some((scheme, line)) = senders {
        command.args(["--auth", scheme.word(), "--line", &line]);
    }
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let text = String::from_utf8(output.stdout)?;
    let figures: Vec<u64> = text.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
    let [count, elapsed_us, p50, p99] = figures[..] else {
        return Err(format!("the load says {text:?}").into());
    };
    let (count, seconds) = (count as f64, elapsed_us as f64 / 1e6);
    Ok(Measured {
        rate: count / seconds,
        seconds,
        p50,
        p99,
        cpu: (cpu_seconds() - cpu) * 1e6 / count,
        written: (bytes_written() - written) / count,
        ended: None,
    })
}

/// Processor time of this process; 0 where the system does not tell.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / 100.0
}

/// Bytes that this process had the disk write; 0 where the system does not tell.
fn bytes_written() -> f64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0.0)
}

/// The load: unique orders over kept-alive connections, one outstanding on each.
fn load(address: SocketAddr, plan: &Plan, first: u64, line: &str) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let begun = Instant::now();
    let until = begun + Duration::from_secs(plan.seconds);
    let mut took = runtime.block_on(async {
        let mut senders = tokio::task::JoinSet::new();
        for number in 0..plan.connections {
            let step = plan.connections as u64;
            let request = order(first + number as u64, line, plan.auth == Some(Scheme::Signature));
            senders.spawn(sender(address, until, first + number as u64, step, request));
        }
        let mut all = Vec::new();
        while let Some(sent) = senders.join_next().await {
            all.append(&mut sent??);
        }
        Ok::<_, Failure>(all)
    })?;
    let elapsed = begun.elapsed();
    took.sort_unstable();
    let at = |part: usize| took.get(took.len() * part / 100).copied().unwrap_or(0);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} {} {} {}", took.len(), elapsed.as_micros(), at(50), at(99))?;
    Ok(())
}

/// Sends until it is time; how long each took, in microseconds.
async fn sender(
    address: SocketAddr,
    until: Instant,
    first: u64,
    step: u64,
    mut request: Vec<u8>,
) -> Result<Vec<u32>, Failure> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let signature = find(&request, b"X-Hub-Signature-256");
    let body = find(&request, b"\r\n\r\n").ok_or("no body")? + 4;
    let at = find(&request, DIGITS.as_bytes()).ok_or("no place for the number")?;
    let mut answer = vec![0; 4_096];
    let mut took = Vec::with_capacity(16_384);
    let mut number = first;
    loop {
        let begun = Instant::now();
        if begun >= until {
            return Ok(took);
        }
        write!(&mut request[at..at + DIGITS.len()], "{number:012}")?;
        number += step;
        if let Some(signature) = signature {
            let line = auth::sign(&request[body..]);
            request[signature..signature + line.len()].copy_from_slice(line.as_bytes());
        }
        stream.write_all(&request).await?;
        let mut had = 0;
        while !whole(&answer[..had]) {
            let len = stream.read(&mut answer[had..]).await?;
            if len == 0 {
                return Err("the connection ended".into());
            }
            had += len;
        }
        if !answer.starts_with(b"HTTP/1.1 200") {
            return Err(String::from_utf8_lossy(&answer[..had]).into_owned().into());
        }
        took.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
}

const DIGITS: &str = "############";

/// Whether an answer is there with its body.
fn whole(answer: &[u8]) -> bool {
    let Some(end) = find(answer, b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let len =
        head.split("\r\n").find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    answer.len() >= end + 4 + len.unwrap_or(0)
}

fn find(all: &[u8], part: &[u8]) -> Option<usize> {
    all.windows(part.len()).position(|window| window == part)
}

/// An order of about a KiB, as a shop sends it.
fn order(number: u64, line: &str, signed: bool) -> Vec<u8> {
    let lines: Vec<_> = (0..6)
        .map(|line| {
            serde_json::json!({"sku": format!("SKU-{:05}", number % 90_000 + line), "name": "Earwax, every flavour", "quantity": line + 1, "price": "19.90", "tax": 0.19})
        })
        .collect();
    let body = serde_json::json!({
        "order_number": DIGITS,
        "placed_at": "2026-11-22T11:07:32.120Z",
        "customer": {"id": number, "email": "hermione@example.org", "name": "Hermione Granger", "language": "eng"},
        "shipping": {"street": "8 Heathgate", "city": "London", "zip": "NW11 7BR", "country": "GB"},
        "products": lines,
        "total": 119.4, "currency": "GBP", "paid": true, "note": null,
    })
    .to_string();
    let mut lines = if line.is_empty() { String::new() } else { format!("{line}\r\n") };
    if signed {
        lines.push_str(&auth::sign(body.as_bytes()));
        lines.push_str("\r\n");
    }
    format!(
        "POST /in/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: shop/4.2\r\nAccept: */*\r\nContent-Type: application/json\r\nX-Request-ID: 0b0f6e0e-6f0e-4b0e-9b0e-0b0f6e0e6f0e\r\n{lines}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
