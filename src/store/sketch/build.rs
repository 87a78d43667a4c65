//! Makes sketches: reads what is in no block yet, oldest first, a little at a time, and writes a block
//! once it is whole.

use super::leaves::{self, Leaves};
use super::{next_block, voided};
use crate::model::IdKey;
use crate::model::headers::Headers;
use crate::model::id::Kind;
use crate::store::StoreError;
use crate::store::pool::Pool;
use crate::store::queue::{Item, Job, Queue};
use crate::store::state::{Batch, State};
use rusqlite::{Connection, Result, Transaction, params};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Requests of a block.
pub const ROWS: i64 = 2_048;
/// Hashes with which a block is whole before it has them.
const HASHES: usize = 1 << 18;
/// Runs of other requests (replays, parts of a split) that are looked at in one read: with more a block
/// may have anything.
const RUNS: i64 = 1_024;
/// Requests of one read, and how long it may take.
const READ: (i64, Duration) = (256, Duration::from_millis(10));
/// How long a round reads: while it keeps up, and while it is behind.
const ROUND: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(300));

/// A block that is being made.
#[derive(Debug)]
struct Open {
    low: i64,
    /// What was read, `low - 1` at the beginning.
    upto: i64,
    rows: i64,
    leaves: Leaves,
    /// How often blocks had been taken away when it began.
    voided: i64,
}

/// A block that is whole.
#[derive(Debug)]
struct Made {
    low: i64,
    high: i64,
    rows: i64,
    bits: Vec<u8>,
    voided: i64,
}

/// The tender's part: where it stands.
#[derive(Debug)]
pub(in crate::store) struct Sketcher {
    open: Option<Open>,
    /// Where the next block begins, and how often blocks had been taken away when that was so.
    next: Option<(i64, i64)>,
    behind: bool,
    /// Requests of a block.
    rows: i64,
}

impl Default for Sketcher {
    fn default() -> Self {
        Self { open: None, next: None, behind: true, rows: ROWS }
    }
}

/// The oldest id that is in no block, from the first block on.
fn gap(conn: &Connection) -> Result<i64> {
    let mut read = conn.prepare_cached("SELECT low, high FROM sketch INDEXED BY sketch_span ORDER BY low")?;
    let mut rows = read.query([])?;
    let mut low: Option<i64> = None;
    while let Some(row) = rows.next()? {
        let begins: i64 = row.get(0)?;
        if let Some(low) = low.filter(|low| *low < begins) {
            return Ok(low);
        }
        low = Some(row.get::<_, i64>(1)?.saturating_add(1));
    }
    Ok(low.unwrap_or(0))
}

/// The newest id. Ids are committed in their order: what has a smaller one is there.
fn newest(conn: &Connection) -> Result<i64> {
    conn.prepare_cached(
        "SELECT max(ifnull((SELECT max(id) FROM request), 0), ifnull((SELECT max(id) FROM run), 0))",
    )?
    .query_row([], |row| row.get(0))
}

impl Open {
    fn new(low: i64, voided: i64) -> Self {
        Self { low, upto: low.saturating_sub(1), rows: 0, leaves: Leaves::default(), voided }
    }

    /// Reads on, up to `last`, until it has so many rows; whether there was nothing more.
    fn read(&mut self, conn: &Connection, ids: &IdKey, last: i64, rows_of: i64) -> Result<bool> {
        let begun = Instant::now();
        let from = self.upto;
        let most = READ.0.min(rows_of - self.rows);
        let mut statement = conn.prepare_cached(
            "SELECT id, dedup, query, headers, body,
                 ifnull(request.status, (SELECT told.status FROM told WHERE told.request = request.id))
             FROM request WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3",
        )?;
        let mut rows = statement.query(params![from, last, most])?;
        let mut looked = 0;
        let mut ended = true;
        while let Some(row) = rows.next()? {
            self.upto = row.get(0)?;
            looked += 1;
            if let Some(dedup) = row.get_ref(1)?.as_blob_or_null()? {
                self.leaves.push(leaves::key(dedup));
            }
            self.leaves.push(leaves::status(row.get(5)?));
            self.leaves.push(leaves::ending(Kind::Request, ids.bits(Kind::Request, self.upto)));
            let headers = Headers::from_blob(row.get::<_, Vec<u8>>(3)?.into());
            self.leaves.request(&headers, row.get_ref(2)?.as_str()?, row.get_ref(4)?.as_bytes()?);
            if looked % 8 == 0 && begun.elapsed() >= READ.1 || self.is_much() {
                ended = false;
                break;
            }
        }
        self.rows += looked;
        ended &= looked < most;
        if ended {
            self.upto = last;
        }
        self.runs(conn, ids, from, self.upto)?;
        Ok(ended)
    }

    /// A run is found by what its request has, wherever that is.
    fn runs(&mut self, conn: &Connection, ids: &IdKey, from: i64, upto: i64) -> Result<()> {
        let mut statement = conn
            .prepare_cached("SELECT id, request FROM run WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3")?;
        let mut rows = statement.query(params![from, upto, READ.0 + RUNS])?;
        let mut others = 0;
        let mut looked = 0;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            looked += 1;
            self.leaves.push(leaves::ending(Kind::Run, ids.bits(Kind::Run, id)));
            let Some(request) = row.get::<_, Option<i64>>(1)?.filter(|request| *request != id) else {
                continue;
            };
            others += 1;
            if others <= RUNS {
                self.other(conn, request)?;
            }
        }
        if looked >= READ.0 + RUNS || others > RUNS {
            self.leaves.give_up();
        }
        Ok(())
    }

    fn other(&mut self, conn: &Connection, request: i64) -> Result<()> {
        let mut statement = conn.prepare_cached("SELECT query, headers, body FROM request WHERE id = ?1")?;
        let mut rows = statement.query([request])?;
        if let Some(row) = rows.next()? {
            let headers = Headers::from_blob(row.get::<_, Vec<u8>>(1)?.into());
            self.leaves.request(&headers, row.get_ref(0)?.as_str()?, row.get_ref(2)?.as_bytes()?);
        }
        Ok(())
    }

    /// Whether it is whole before it has its rows.
    fn is_much(&self) -> bool {
        self.leaves.count() >= HASHES || self.leaves.is_opaque()
    }

    fn close(self) -> Made {
        let Self { low, upto, rows, leaves, voided } = self;
        Made { low, high: upto, rows, bits: leaves.into_bits(low), voided }
    }
}

impl Made {
    /// Writes it, unless a row changed meanwhile; whether it was.
    fn write(&self, conn: &Connection) -> Result<bool> {
        if voided(conn)? != self.voided {
            return Ok(false);
        }
        conn.prepare_cached("INSERT OR REPLACE INTO sketch (low, high, rows, bits) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![self.low, self.high, self.rows, self.bits])?;
        Ok(true)
    }
}

impl Sketcher {
    /// A round: reads for a bounded time, and hands what is whole to the writer.
    pub(in crate::store) fn round(&mut self, pool: &Pool, queue: &Queue, ids: &IdKey) {
        let begun = Instant::now();
        let time = if self.behind { ROUND.1 } else { ROUND.0 };
        self.behind = true;
        while begun.elapsed() < time {
            match pool.read_here(|conn| self.step(conn, ids)) {
                Ok(Step::More) => {}
                Ok(Step::Whole(made)) => {
                    if !hand(queue, made) {
                        self.next = None;
                        return;
                    }
                }
                Ok(Step::Nothing) | Err(_) => {
                    self.behind = false;
                    return;
                }
            }
        }
    }

    /// Reads a little.
    fn step(&mut self, conn: &Connection, ids: &IdKey) -> Result<Step> {
        let voided = voided(conn)?;
        let mut open = match self.open.take().filter(|open| open.voided == voided) {
            Some(open) => open,
            None => match self.next.filter(|(_, at)| *at == voided) {
                Some((low, _)) => Open::new(low, voided),
                None => Open::new(gap(conn)?, voided),
            },
        };
        let end = next_block(conn, open.low)?;
        let last = end.map_or(newest(conn)?, |end| end - 1);
        let ended = last <= open.upto || open.read(conn, ids, last, self.rows)?;
        if open.rows >= self.rows || open.is_much() || ended && end.is_some() {
            let made = open.close();
            // After one between two others there may be another such.
            self.next = end.is_none().then_some((made.high.saturating_add(1), voided));
            return Ok(Step::Whole(made));
        }
        self.open = Some(open);
        Ok(if ended { Step::Nothing } else { Step::More })
    }
}

/// What a read came to.
enum Step {
    /// There is more to read.
    More,
    /// A block is whole.
    Whole(Made),
    /// Nothing is old enough, or too little for a block.
    Nothing,
}

/// Hands a block to the writer and waits for it; whether to go on.
fn hand(queue: &Queue, made: Made) -> bool {
    let (reply, answer) = oneshot::channel();
    let job = Write { made, reply: Some(reply) };
    queue.send(Item::Job { job: Box::new(job), always: false }).is_ok()
        && matches!(answer.blocking_recv(), Ok(true))
}

/// A block, as a job of the writer.
struct Write {
    made: Made,
    reply: Option<oneshot::Sender<bool>>,
}

impl Job for Write {
    fn run(&mut self, tx: &Transaction<'_>, _: &mut State, _: &mut Batch) -> Result<()> {
        self.made.write(tx).map(|_| ())
    }

    fn done(self: Box<Self>, result: std::result::Result<(), StoreError>) {
        if let Some(reply) = self.reply {
            let _ = reply.send(result.is_ok());
        }
    }
}

/// Makes every block of so many requests that can be made, at once, on a connection that may write:
/// what the tender does bit by bit. Gives how many.
///
/// # Errors
/// Whatever `SQLite` says.
pub fn fill(conn: &Connection, ids: &IdKey, rows: i64) -> Result<u64> {
    let mut sketcher = Sketcher { rows, ..Sketcher::default() };
    let mut made = 0;
    loop {
        match sketcher.step(conn, ids)? {
            Step::More => {}
            Step::Whole(block) => made += u64::from(block.write(conn)?),
            Step::Nothing => return Ok(made),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;
    use crate::store::sketch::{block_at, blocks, child, has, past, root, text, void};

    fn store(rows: i64) -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let conn = schema::open_writer(&folder.path().join(schema::FILE)).unwrap();
        for n in 1..=rows {
            put(&conn, n);
        }
        (folder, conn)
    }

    /// A request with an order of its number, and its run.
    fn put(conn: &Connection, n: i64) {
        conn.execute(
            "INSERT INTO request (id, flow, version, verdict, flags, runs, hops, method, path, query, headers, body)
             VALUES (?1 * 10, 1, 1, 0, 0, 1, 0, 'POST', '', '', x'', CAST('{\"order\": \"o' || ?1 || '\"}' AS BLOB))",
            [n],
        )
        .unwrap();
        run(conn, n * 10, n * 10);
    }

    fn run(conn: &Connection, id: i64, request: i64) {
        conn.execute(
            "INSERT INTO run (id, request, flow, version, state, step, attempt, round, fence, seq, owner, test)
             VALUES (?1, ?2, 1, 1, 2, 0, 1, 1, 0, 1, 0, 0)",
            [id, request],
        )
        .unwrap();
    }

    fn ids() -> IdKey {
        IdKey::new([7; 16])
    }

    /// The blocks that may have an order.
    fn with(conn: &Connection, order: i64) -> Vec<i64> {
        let hash = text(child(root("body"), "order"), &format!("o{order}"));
        let mut read = conn.prepare("SELECT low, bits FROM sketch ORDER BY low").unwrap();
        let rows = read.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
        rows.map(Result::unwrap)
            .filter(|(low, bits)| has(bits, low.cast_unsigned(), hash))
            .map(|(low, _)| low)
            .collect()
    }

    #[test]
    fn whole_blocks_are_made_and_what_is_left_waits_for_more() {
        let (_folder, conn) = store(10);
        assert_eq!(fill(&conn, &ids(), 4).unwrap(), 2);
        let made = blocks(&conn, 0, i64::MAX).unwrap();
        let spans: Vec<_> = made.iter().map(|block| (block.low, block.high, block.rows)).collect();
        assert_eq!(spans, [(0, 40, 4), (41, 80, 4)]);
        assert_eq!((with(&conn, 2), with(&conn, 7), with(&conn, 9)), (vec![0], vec![41], vec![]));
        assert_eq!(block_at(&conn, 75).unwrap().map(|block| block.low), Some(41));
        assert_eq!(fill(&conn, &ids(), 4).unwrap(), 0);
        put(&conn, 11);
        put(&conn, 12);
        assert_eq!((fill(&conn, &ids(), 4).unwrap(), with(&conn, 9)), (1, vec![81]));
    }

    #[test]
    fn a_replay_is_found_where_its_run_is() {
        let (_folder, conn) = store(4);
        // The third order is replayed after the sixth came.
        put(&conn, 5);
        put(&conn, 6);
        run(&conn, 65, 30);
        put(&conn, 7);
        put(&conn, 8);
        fill(&conn, &ids(), 4).unwrap();
        assert_eq!(with(&conn, 3), [0, 41]);
        // More of them than are looked at: the block may have anything.
        for n in 0..=RUNS {
            run(&conn, 100 + n, 10);
        }
        for n in 200..204 {
            put(&conn, n);
        }
        fill(&conn, &ids(), 4).unwrap();
        assert!(with(&conn, 999_999).len() == 1, "{:?}", with(&conn, 999_999));
    }

    #[test]
    fn a_block_with_a_row_that_changed_is_made_anew() {
        let (_folder, conn) = store(12);
        fill(&conn, &ids(), 4).unwrap();
        // While it is being made, too: what was read before is not written.
        void(&conn, 60).unwrap();
        let mut sketcher = Sketcher { rows: 4, ..Sketcher::default() };
        let Step::Whole(made) = sketcher.step(&conn, &ids()).unwrap() else { panic!() };
        assert_eq!((made.low, made.high, made.rows), (41, 80, 4));
        void(&conn, 70).unwrap();
        assert!(!made.write(&conn).unwrap());
        assert_eq!(with(&conn, 6), Vec::<i64>::new());
        assert_eq!((fill(&conn, &ids(), 4).unwrap(), with(&conn, 6)), (1, vec![41]));
    }

    #[test]
    fn what_retention_took_is_not_made_again() {
        let (_folder, conn) = store(12);
        fill(&conn, &ids(), 4).unwrap();
        for table in ["request", "run"] {
            conn.execute(&format!("DELETE FROM {table} WHERE id <= 50"), []).unwrap();
        }
        past(&conn).unwrap();
        assert_eq!(blocks(&conn, 0, i64::MAX).unwrap()[0].low, 41, "the first has no row any more");
        assert_eq!(fill(&conn, &ids(), 4).unwrap(), 0);
        for table in ["request", "run"] {
            conn.execute(&format!("DELETE FROM {table}"), []).unwrap();
        }
        past(&conn).unwrap();
        assert!(blocks(&conn, 0, i64::MAX).unwrap().is_empty());
    }
}
