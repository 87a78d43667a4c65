//! Wakes once a second for what nobody asks for: the writer's beat, free disk, figures that are read
//! and not kept, sketches of what came, and retention.

use super::clock::Clock;
use super::follow::Follower;
use super::health::{self, Health};
use super::lines;
use super::pool::Pool;
use super::purge::{self, Did, Purge, Slice};
use super::queue::{Item, Queue};
use super::sketch::Sketcher;
use super::tally::Tally;
use crate::model::id::{first_at, time_of};
use crate::model::settings::Limits;
use crate::model::time::DAY;
use crate::model::{IdKey, Ms};
use crate::rules::lane::{FRONT, LINES, since};
use rusqlite::{Connection, OptionalExtension, Result, params};
use std::io::{self, Read as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Between two rounds.
const ROUND: Duration = Duration::from_secs(1);
/// Retention has one part in so many of the writer's time.
const SHARE: u32 = 20;
/// How full the writer's queue may be, in percent, for retention to go on.
const BUSY_PERCENT: usize = 25;

/// Tells the tender to end, when told to or dropped.
#[derive(Debug)]
pub(super) struct Stop(UnixStream);

impl Stop {
    /// Both ends.
    ///
    /// # Errors
    /// The system has no descriptors left.
    pub(super) fn pair() -> io::Result<(Self, Stopped)> {
        let (here, there) = UnixStream::pair()?;
        Ok((Self(here), Stopped(there)))
    }

    /// Ends it.
    pub(super) fn stop(&self) {
        // Shutting down what is shut down already is no news.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// The tender's end of it. A socket and not a condition variable, because its time-out is an
/// interval that the kernel counts: it stays true when the clock of the process is set.
#[derive(Debug)]
pub(super) struct Stopped(UnixStream);

impl Stopped {
    /// Waits; whether it is to end.
    fn wait(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            // Zero would mean no bound at all.
            if self.0.set_read_timeout(Some(left.max(Duration::from_millis(1)))).is_err() {
                return true;
            }
            match (&self.0).read(&mut [0]) {
                Ok(_) => return true,
                Err(_) if Instant::now() >= end => return false,
                Err(_) => {}
            }
        }
    }
}

/// The thread's own.
pub(super) struct Tender {
    pub(super) file: PathBuf,
    pub(super) limits: Limits,
    pub(super) clock: Clock,
    pub(super) pool: Arc<Pool>,
    pub(super) queue: Queue,
    pub(super) tally: Arc<Mutex<Tally>>,
    pub(super) health: Arc<Health>,
    pub(super) stop: Stopped,
    /// Where retention stands.
    pub(super) purge: Option<Purge>,
    /// The last id that retention looked at.
    pub(super) upto: i64,
    /// When it began at the start.
    pub(super) from_start: Ms,
    /// Follows the shape of bodies.
    pub(super) follower: Follower,
    /// Says of blocks of requests which values they have.
    pub(super) sketcher: Sketcher,
    /// Prints ids.
    pub(super) id_key: IdKey,
}

/// Bytes free for us where a path lies.
pub(super) fn free_disk(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

impl Tender {
    /// Works until it is told to end.
    pub(super) fn run(mut self) {
        loop {
            let end = Instant::now() + ROUND;
            if self.queue.send(Item::Beat).is_err() {
                return;
            }
            self.look();
            if self.queue.waiting().percent() <= BUSY_PERCENT {
                self.follower.round(&self.pool, &self.queue, self.clock.now());
                self.sketcher.round(&self.pool, &self.queue, &self.id_key);
            }
            self.retain(end);
            if self.stop.wait(end.saturating_duration_since(Instant::now())) {
                return;
            }
        }
    }

    /// Reads what is not kept while committing.
    pub(super) fn look(&self) {
        let free = self.file.parent().and_then(free_disk);
        if let Some(free) = free {
            self.health.set(health::LOW_DISK, free < self.limits.free_disk);
        }
        self.health.look(self.clock.now());
        let file = std::fs::metadata(&self.file).map_or(0, |meta| meta.len());
        let mut wal = self.file.clone().into_os_string();
        wal.push("-wal");
        let wal = std::fs::metadata(wal).map_or(0, |meta| meta.len());
        let now = self.clock.now();
        let recount = std::mem::take(&mut self.tally().recount);
        let read = self.pool.read_here(|conn| {
            let overdue = if recount { Some(overdue(conn)?) } else { None };
            Ok((oldest(conn, now)?, overdue, lines::waiting(conn)?))
        });
        let mut tally = self.tally();
        tally.wal = wal;
        (tally.series.file, tally.series.free) = (file, free);
        match read {
            Ok(((oldest, due_retries), overdue, lines)) => {
                tally.lines = lines;
                tally.oldest = oldest;
                tally.due_retries = due_retries;
                tally.overdue = overdue.unwrap_or(tally.overdue);
            }
            Err(_) => tally.recount |= recount,
        }
    }

    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Retention, until the round ends.
    fn retain(&mut self, end: Instant) {
        let now = self.clock.now();
        if self.purge.is_none() {
            if now - self.from_start >= DAY {
                self.from_start = now;
                self.upto = 0;
            }
            self.purge = self.wanted(now);
        }
        while let Some(what) = self.purge {
            if self.queue.waiting().percent() > BUSY_PERCENT || Instant::now() >= end {
                return;
            }
            let begun = Instant::now();
            let (reply, answer) = oneshot::channel();
            let job = Slice { what, keep: self.limits.retention, did: None, reply };
            if self.queue.send(Item::Job { job: Box::new(job), always: true }).is_err() {
                return;
            }
            let Ok(Ok(did)) = answer.blocking_recv() else { return };
            self.purge = self.next(what, did);
            if self.stop.wait((begun.elapsed() * (SHARE - 1)).min(ROUND)) {
                return;
            }
        }
    }

    fn next(&mut self, what: Purge, did: Did) -> Option<Purge> {
        match (what, did) {
            (Purge::Rows { .. }, Did::More(upto)) => {
                self.upto = upto;
                Some(Purge::Rows { after: upto })
            }
            (Purge::Rows { .. }, Did::All(upto)) => {
                self.upto = upto;
                Some(Purge::Ledger)
            }
            (what, Did::More(_)) => Some(what),
            (Purge::Ledger, Did::All(_)) => Some(Purge::Small),
            (Purge::Small, Did::All(_)) => self.hollow(),
            // Until its pages are copied back from the log the file is as long as it was.
            (Purge::Vacuum, Did::All(_)) => match self.pool.read_here(purge::checkpoint) {
                Ok(false) => Some(Purge::Vacuum),
                Ok(true) | Err(_) => None,
            },
        }
    }

    fn hollow(&self) -> Option<Purge> {
        matches!(self.pool.read_here(purge::is_hollow), Ok(true)).then_some(Purge::Vacuum)
    }

    /// Where retention begins, if there is anything for it.
    fn wanted(&self, now: Ms) -> Option<Purge> {
        let cut = first_at(now - self.limits.retention);
        let after = self.upto;
        let some = self.pool.read_here(|conn| {
            conn.query_row(
                "SELECT EXISTS (SELECT 1 FROM run WHERE id > ?1 AND id < ?2)
                     OR EXISTS (SELECT 1 FROM request WHERE id > ?1 AND id < ?2)",
                params![after, cut],
                |row| row.get::<_, bool>(0),
            )
        });
        if matches!(some, Ok(true)) {
            return Some(Purge::Rows { after });
        }
        let long = self.pool.read_here(|conn| purge::is_long(conn, now));
        if matches!(long, Ok(true)) { Some(Purge::Ledger) } else { self.hollow() }
    }
}

/// Callbacks that expired and whose step is still errored for it.
fn overdue(conn: &Connection) -> Result<i64> {
    conn.prepare_cached(&format!(
        "SELECT count(*) FROM callback INDEXED BY callback_expired WHERE {}",
        super::query::OVERDUE
    ))?
    .query_row([], |row| row.get(0))
}

/// Since when the oldest unclaimed work waits, and how many retries are due.
fn oldest(conn: &Connection, now: Ms) -> Result<(Option<Ms>, u64)> {
    let low: i64 =
        conn.prepare_cached("SELECT ifnull(max(fresh_low), 0) FROM node")?.query_row([], |row| row.get(0))?;
    let fresh: Option<i64> = conn
        .prepare_cached(
            "SELECT id FROM run WHERE id >= ?1 AND state = 0 AND due IS NULL ORDER BY id LIMIT 1",
        )?
        .query_row([low], |row| row.get(0))
        .optional()?;
    let mut oldest = fresh.map(time_of);
    let mut retries = 0;
    for flow in super::claims::lanes(conn)? {
        let (n, first): (i64, Option<Ms>) = conn
            .prepare_cached(
                "SELECT count(*) FILTER (WHERE state = 4), min(due) FROM run INDEXED BY run_due
                 WHERE flow = ?1 AND due IS NOT NULL AND due <= ?2 AND state IN (0, 4)",
            )?
            .query_row(params![flow, now], |row| Ok((row.get(0)?, row.get(1)?)))?;
        retries += u64::try_from(n).unwrap_or(0);
        // What waits in its lane waits too, but for what a pause holds. What waits in the line of a target
        // is not late here: the target is, and its breaker says so.
        let parked: Option<Ms> = conn
            .prepare_cached(
                "SELECT run.due FROM run INDEXED BY run_due, flow, integration
                 WHERE run.flow = ?1 AND run.due IS NOT NULL AND run.state IN (0, 4) AND run.due >= ?3 AND run.due < ?4
                   AND flow.id = run.flow
                   AND integration.id = flow.integration
                   AND (flow.hold IS NULL OR ifnull(flow.paused_until, ?2 + 1) <= ?2)
                   AND (integration.hold IS NULL OR ifnull(integration.paused_until, ?2 + 1) <= ?2)
                 ORDER BY run.due LIMIT 1",
            )?
            .query_row(params![flow, now, FRONT, LINES], |row| row.get(0))
            .optional()?;
        oldest = [oldest, first, parked.map(since)].into_iter().flatten().min();
    }
    Ok((oldest, retries))
}
