//! The judge of duplicates under load: how fast requests with fresh keys are accepted while 0, 1 and
//! 10 million keys are live, how many bytes a key takes, and how soon a store with them is ready.
//!
//! ```text
//! cargo bench --bench dedup                                    0, 1 and 10 million keys, 3 rounds of 4 s
//! cargo bench --bench dedup -- --keys 0,100000 --rounds 1 --seconds 1 --folder /mnt/disk
//! ```
//!
//! The keys are written into the ledger as commits of 24 would have written them; what is measured
//! goes through the store as the receiver does. Sizes are interleaved, so that a slow spell of the
//! machine hits all of them. Read ratios, not absolutes.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people at a desk")]

use pointsman::feed::Feed;
use pointsman::model::FlowId;
use pointsman::model::headers::Headers;
use pointsman::model::id::EPOCH;
use pointsman::model::request::{DedupKey, Marks, Seed};
use pointsman::model::settings::Limits;
use pointsman::model::time::DAY;
use pointsman::store::clock::Clock;
use pointsman::store::{Accept, Birth, Handover, Judgement, Options, Store};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Senders at once.
const SENDERS: usize = 64;
/// Keys of a row of the ledger: what a commit holds under that load.
const A_COMMIT: usize = 24;

struct Args {
    keys: Vec<usize>,
    rounds: usize,
    seconds: u64,
    folder: Option<PathBuf>,
}

fn args() -> Args {
    let mut args = Args { keys: vec![0, 1_000_000, 10_000_000], rounds: 3, seconds: 4, folder: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_default();
        match word.as_str() {
            "--keys" => args.keys = value().split(',').map(|n| n.parse().unwrap()).collect(),
            "--rounds" => args.rounds = value().parse().unwrap(),
            "--seconds" => args.seconds = value().parse().unwrap(),
            "--folder" => args.folder = Some(value().into()),
            _ => {}
        }
    }
    args
}

fn open(folder: &Path) -> (Store, Handover, Duration) {
    let limits = Limits { free_disk: 0, queue: u64::MAX, dedup_memory: u64::MAX, ..Limits::default() };
    let options = Options {
        limits,
        feed: Feed::default(),
        public_url: "http://127.0.0.1".into(),
        clock: Clock::system(),
    };
    let begun = Instant::now();
    let (store, handover) = Store::open(folder, options).unwrap();
    while store.refuses().is_some() {
        std::thread::sleep(Duration::from_millis(1));
    }
    (store, handover, begun.elapsed())
}

fn random_key() -> [u8; 16] {
    (u128::from(fastrand::u64(..)) << 64 | u128::from(fastrand::u64(..))).to_le_bytes()
}

/// Writes keys into the ledger of a store that nobody has open.
fn fill(folder: &Path, keys: usize, now: i64) {
    let mut conn = rusqlite::Connection::open(folder.join("pointsman.db")).unwrap();
    conn.execute_batch("PRAGMA synchronous = OFF").unwrap();
    let mut seq: i64 =
        conn.query_row("SELECT ifnull(max(seq), 0) FROM ledger", [], |row| row.get(0)).unwrap();
    let mut left = keys;
    while left > 0 {
        let tx = conn.transaction().unwrap();
        {
            let mut insert =
                tx.prepare("INSERT INTO ledger (seq, at, lo, hi, dedup) VALUES (?1, ?2, 0, 0, ?3)").unwrap();
            for _ in 0..10_000 {
                let n = left.min(A_COMMIT);
                let mut log = Vec::with_capacity(n * 29);
                for _ in 0..n {
                    log.extend_from_slice(&random_key());
                    log.extend_from_slice(&1i64.to_le_bytes());
                    log.extend_from_slice(&(now - EPOCH).to_le_bytes()[..5]);
                }
                seq += 1;
                insert.execute(rusqlite::params![seq, now, log]).unwrap();
                left -= n;
                if left == 0 {
                    break;
                }
            }
        }
        tx.commit().unwrap();
    }
}

/// Accepts requests with fresh keys for a time; requests a second.
async fn accept(store: &Store, time: Duration) -> f64 {
    let body: bytes::Bytes = vec![b'x'; 820].into();
    let headers = Headers::from_pairs([("Content-Type", "application/json"), ("User-Agent", "bench")]);
    let end = Instant::now() + time;
    let begun = Instant::now();
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| {
            let (store, body, headers) = (store.clone(), body.clone(), headers.clone());
            tokio::spawn(async move {
                let mut n = 0u64;
                while Instant::now() < end {
                    let seed = Seed {
                        flow: FlowId(1),
                        version: 1,
                        marks: Marks::default(),
                        method: "POST".into(),
                        path: String::new(),
                        query: String::new(),
                        headers: headers.clone(),
                        body: body.clone(),
                        peer: None,
                        actor: None,
                        hops: 0,
                    };
                    let key = Some(DedupKey { key: random_key(), window: 7 * DAY, from_first: false });
                    let judgement = Judgement::Admit { key, birth: Birth::Fresh };
                    let answer = store.accept(Accept { seed: Arc::new(seed), judgement }).unwrap();
                    answer.await.unwrap().unwrap();
                    n += 1;
                }
                n
            })
        })
        .collect();
    let mut all = 0;
    for sender in senders {
        all += sender.await.unwrap();
    }
    all as f64 / begun.elapsed().as_secs_f64()
}

/// Median, least and most.
fn spread(values: &mut [f64]) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2], values[0], values[values.len() - 1])
}

#[tokio::main]
async fn main() {
    let args = args();
    let home = args.folder.as_ref().map_or_else(tempfile::tempdir, tempfile::tempdir_in).unwrap();
    for keys in &args.keys {
        let folder = home.path().join(keys.to_string());
        let (store, _handover, _) = open(&folder);
        let now = store.now();
        store.close().await;
        fill(&folder, *keys, now);
    }
    let sizes = args.keys.len();
    let (mut ready, mut rates) = (vec![Vec::new(); sizes], vec![Vec::new(); sizes]);
    let mut bytes = vec![0.0; sizes];
    for round in 0..args.rounds {
        for (at, keys) in args.keys.iter().enumerate() {
            let (store, _handover, took) = open(&home.path().join(keys.to_string()));
            ready[at].push(took.as_secs_f64() * 1e3);
            if round == 0 && *keys > 0 {
                bytes[at] = store.counters().dedup_bytes as f64 / *keys as f64;
            }
            rates[at].push(accept(&store, Duration::from_secs(args.seconds)).await);
            store.close().await;
        }
    }
    println!(
        "{:>12}  {:>28}  {:>12}  {:>28}",
        "live keys", "accepted/s (least, most)", "bytes/key", "ready in ms (least, most)"
    );
    let base = spread(&mut rates[0].clone()).0;
    for (at, keys) in args.keys.iter().enumerate() {
        let (rate, least, most) = spread(&mut rates[at]);
        let (ms, soon, late) = spread(&mut ready[at]);
        println!(
            "{keys:>12}  {:>28}  {:>12.1}  {:>28}   {:.2} of the first",
            format!("{rate:.0} ({least:.0}, {most:.0})"),
            bytes[at],
            format!("{ms:.0} ({soon:.0}, {late:.0})"),
            rate / base
        );
    }
}
