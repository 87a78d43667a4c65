//! Makes the store: the first rows by the real receiver, a million more like them by SQL, with every
//! index that the file has, and the sketches by the store's own code.

use super::MILLION;
use crate::common::House;
use pointsman::model::id::first_at;
use pointsman::model::{IdKey, Ms};
use pointsman::store::sketch;
use rusqlite::{Connection, params};
use std::time::{Instant, SystemTime};

/// Milliseconds between two requests: a million of them are twenty days.
pub const APART: Ms = 1_728;
/// Order numbers begin here.
pub const FIRST: i64 = 10_000_000;
/// Every so many requests are a copy of the one before.
pub const COPY: i64 = 10;
/// Every so many are refused with 422.
pub const REFUSED: i64 = 1_009;
/// Every so many go to the flow that gets few.
pub const RARE: i64 = 20_011;

/// What was made.
pub struct Made {
    /// Arrival of the first.
    pub begun: Ms,
    /// Prints ids.
    pub ids: IdKey,
}

impl Made {
    /// The id of a request by its number, as people write it.
    pub fn id(&self, n: i64) -> String {
        use pointsman::model::id::Kind;
        self.ids.print_raw(Kind::Request, self.raw(n))
    }

    fn raw(&self, n: i64) -> i64 {
        first_at(self.begun + n * APART)
    }
}

const DOCUMENT: &str = r#"
name = "shop"
title = "Shop orders"
[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = { type = "none" }
dedup = { fields = ["body.order_number"] }
[[flow.step]]
name = "note"
type = "set"
outputs = { order = "{{ request.body.order_number }}" }
[[flow]]
name = "Rare"
[flow.trigger]
type = "webhook"
path = "rare"
auth = { type = "none" }
"#;

fn now() -> Ms {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    since.as_millis().try_into().unwrap()
}

/// A data folder with a million requests and runs that is served by nobody.
pub fn store(house: &House) -> Made {
    house.apply(DOCUMENT);
    house.serve();
    assert_eq!(house.post("orders", r#"{"order_number": 1, "customer": "first"}"#).status, 200);
    assert_eq!(house.post("orders", r#"{"order_number": 1, "customer": "first"}"#).status, 204);
    assert_eq!(house.post("rare", "{}").status, 200);
    house.stop();
    let conn = Connection::open(house.data().join("pointsman.db")).unwrap();
    // It is a store of a test: what a power cut leaves of it is nobody's loss.
    for pragma in ["synchronous = OFF", "cache_size = -262144", "temp_store = MEMORY"] {
        conn.execute_batch(&format!("PRAGMA {pragma}")).unwrap();
    }
    let _: String = conn.query_row("PRAGMA journal_mode = OFF", [], |row| row.get(0)).unwrap();
    let key: Vec<u8> = conn.query_row("SELECT value FROM meta WHERE key = 'id_key'", [], hex).unwrap();
    let ids = IdKey::new(key.try_into().unwrap());
    let begun = now() - MILLION * APART - 60_000;
    let clock = Instant::now();
    rows(&conn, begun);
    let count: i64 = conn.query_row("SELECT count(*) FROM request", [], |row| row.get(0)).unwrap();
    let runs: i64 = conn.query_row("SELECT count(*) FROM run", [], |row| row.get(0)).unwrap();
    println!("{count} requests and {runs} runs were made in {:?}", clock.elapsed());
    assert_eq!(count, MILLION + 3);
    let clock = Instant::now();
    let blocks = sketch::fill(&conn, &ids, sketch::ROWS).unwrap();
    let bytes: i64 = conn.query_row("SELECT sum(length(bits)) FROM sketch", [], |row| row.get(0)).unwrap();
    println!("{blocks} sketches of {bytes} bytes were made in {:?}", clock.elapsed());
    assert_eq!(blocks, u64::try_from((MILLION + 3) / sketch::ROWS).unwrap());
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    Made { begun, ids }
}

fn hex(row: &rusqlite::Row<'_>) -> rusqlite::Result<Vec<u8>> {
    let text: String = row.get(0)?;
    Ok((0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap()).collect())
}

/// A million requests, made of the three that came: most accepted, each with a run that succeeded; some
/// copies of the one before; some refused; a few of the flow that gets few.
fn rows(conn: &Connection, begun: Ms) {
    conn.execute_batch("BEGIN").unwrap();
    let base = first_at(begun);
    let step = APART << 22;
    conn.execute(
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?3 - 1),
             seed AS (SELECT * FROM request WHERE verdict = 0 AND flow = (SELECT id FROM flow WHERE name = 'Orders')),
             rare AS (SELECT id FROM flow WHERE name = 'Rare'),
             kind AS (SELECT i, CASE WHEN i % ?6 = ?6 - 1 THEN 3 WHEN i % ?4 = ?4 - 1 THEN 1 ELSE 0 END AS verdict FROM n)
         INSERT INTO request (id, flow, version, verdict, flags, runs, status, cause, detail, duplicate_of, dedup,
             peer, actor, hops, method, path, query, headers, body)
         SELECT ?1 + i * ?2, CASE WHEN i % ?7 = ?7 - 1 THEN rare.id ELSE seed.flow END, seed.version, kind.verdict,
             seed.flags, kind.verdict = 0, CASE kind.verdict WHEN 0 THEN 200 WHEN 1 THEN 204 ELSE 422 END,
             CASE kind.verdict WHEN 3 THEN 'the order is closed' END, NULL,
             CASE kind.verdict WHEN 1 THEN ?1 + (i - 1) * ?2 END,
             CASE WHEN kind.verdict < 2 THEN CAST(printf('%016d', i - (kind.verdict = 1)) AS BLOB) END,
             seed.peer, NULL, 0, seed.method, seed.path, '', CAST('Content-Type: application/json' || char(10) AS BLOB),
             CAST(printf('{\"order_number\": %d, \"customer\": \"c%d\", \"total\": %d.50}',
                 ?5 + i - (kind.verdict = 1), i, i % 977) AS BLOB)
         FROM kind, seed, rare",
        params![
            base,
            step,
            MILLION,
            COPY,
            FIRST,
            REFUSED,
            RARE
        ],
    )
    .unwrap();
    conn.execute(
        "INSERT INTO run (id, request, parent, flow, version, state, step, attempt, round, fence, seq, owner, due,
             started, ended, cause, test, element)
         SELECT request.id, request.id, NULL, request.flow, request.version, seed.state, seed.step, seed.attempt,
             seed.round, seed.fence, seed.seq, seed.owner, NULL, ?2, ?2, NULL, 0, NULL
         FROM request, (SELECT * FROM run ORDER BY id LIMIT 1) AS seed
         WHERE request.id < ?1 AND request.verdict = 0",
        params![first_at(begun + MILLION * APART), begun],
    )
    .unwrap();
    conn.execute(
        "INSERT INTO total (flow, verdict, n, bytes, last)
         SELECT flow, verdict, count(*), 0, 0 FROM request WHERE id < ?1 GROUP BY flow, verdict
         ON CONFLICT (flow, verdict) DO UPDATE SET n = n + excluded.n",
        [first_at(begun + MILLION * APART)],
    )
    .unwrap();
    conn.execute_batch("COMMIT").unwrap();
}
