//! Stored requests of one flow, whole, a chunk at a time: what studies of traffic read. Nothing waits
//! for them, and a chunk gives its reader back after 20 ms, 2,000 rows or 4 MiB of bodies.

use super::reach::Range;
use crate::model::request::StoredRequest;
use crate::model::{FlowId, RequestId};
use crate::store::{Store, StoreError, codec};
use std::time::{Duration, Instant};

const CHUNK_ROWS: u32 = 2_000;
const CHUNK_BYTES: usize = 4 << 20;
const CHUNK: Duration = Duration::from_millis(20);

/// A chunk.
#[derive(Debug, Default)]
pub struct Chunk {
    /// In the order that was asked for.
    pub requests: Vec<StoredRequest>,
    /// The id that was looked at last; `None` where there is nothing after it.
    pub next: Option<i64>,
    /// Rows that were looked at, of other flows too.
    pub looked: u32,
}

impl Store {
    /// The next requests of a flow among ids `from` to `to`, both included: oldest first, or newest
    /// first with `back`. Go on after the id that was looked at last.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn stored_of(&self, flow: FlowId, from: i64, to: i64, back: bool) -> Result<Chunk, StoreError> {
        let range = Range { low: from, high: to };
        self.read(move |conn| {
            let begun = Instant::now();
            let order = if back { "DESC" } else { "ASC" };
            let mut read = conn.prepare_cached(&format!(
                "SELECT {} FROM request WHERE id >= ?1 AND id <= ?2 ORDER BY id {order} LIMIT ?3",
                codec::REQUEST
            ))?;
            let mut rows = read.query(rusqlite::params![range.low, range.high, CHUNK_ROWS])?;
            let mut chunk = Chunk::default();
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                chunk.looked += 1;
                chunk.next = Some(row.get(0)?);
                if row.get::<_, i64>(1)? == flow.0 {
                    let request = codec::request(row, 0)?;
                    bytes += request.seed.body.len();
                    chunk.requests.push(request);
                }
                if bytes >= CHUNK_BYTES || (chunk.looked % 16 == 0 && begun.elapsed() >= CHUNK) {
                    return Ok(chunk);
                }
            }
            if chunk.looked < CHUNK_ROWS {
                chunk.next = None;
            }
            Ok(chunk)
        })
        .await
    }

    /// The newest request that there is.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn newest_request(&self) -> Result<Option<RequestId>, StoreError> {
        self.read(|conn| {
            conn.prepare_cached("SELECT max(id) FROM request")?
                .query_row([], |row| row.get::<_, Option<i64>>(0).map(|id| id.map(RequestId)))
        })
        .await
    }
}
