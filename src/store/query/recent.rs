//! When each flow was sent a request last: found by going back through the requests once, and then
//! only through what came since.

use crate::model::{FlowId, RequestId};
use rusqlite::Connection;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How long one look goes back; the next one goes on from there.
const LOOK: Duration = Duration::from_millis(20);

/// What has been gone through.
#[derive(Debug)]
pub struct Recent {
    newest: i64,
    oldest: i64,
    last: HashMap<FlowId, RequestId>,
}

impl Default for Recent {
    fn default() -> Self {
        Self { newest: 0, oldest: i64::MAX, last: HashMap::new() }
    }
}

impl Recent {
    /// The newest request of each flow, as far as it is known: first through what came since the
    /// last look, then further back for `wanted` flows that have none yet.
    ///
    /// # Errors
    /// Whatever `SQLite` says.
    pub fn look(
        &mut self,
        conn: &Connection,
        wanted: &[FlowId],
    ) -> rusqlite::Result<&HashMap<FlowId, RequestId>> {
        let begun = Instant::now();
        // Newest first: where there is more than one look takes in, the newest are what counts.
        let from = if self.newest == 0 { i64::MAX } else { self.newest };
        let mut read = conn.prepare_cached("SELECT id, flow FROM request WHERE id > ?1 ORDER BY id DESC")?;
        let mut rows = read.query([from])?;
        let mut came = HashMap::new();
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            self.newest = self.newest.max(id);
            came.entry(FlowId(row.get(1)?)).or_insert(RequestId(id));
            if begun.elapsed() >= LOOK {
                break;
            }
        }
        self.last.extend(came);
        if wanted.iter().any(|flow| !self.last.contains_key(flow)) {
            self.back(conn, begun)?;
        }
        Ok(&self.last)
    }

    fn back(&mut self, conn: &Connection, begun: Instant) -> rusqlite::Result<()> {
        let mut read = conn.prepare_cached("SELECT id, flow FROM request WHERE id < ?1 ORDER BY id DESC")?;
        let mut rows = read.query([self.oldest])?;
        while let Some(row) = rows.next()? {
            self.oldest = row.get(0)?;
            self.newest = self.newest.max(self.oldest);
            self.last.entry(FlowId(row.get(1)?)).or_insert(RequestId(self.oldest));
            if begun.elapsed() >= LOOK {
                break;
            }
        }
        Ok(())
    }
}
