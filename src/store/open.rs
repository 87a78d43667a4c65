//! Opening and letting go: lock, file, epoch, memory from rows, threads.

use super::admission::Handover;
use super::dedup::Table;
use super::health::{self, Health};
use super::ids::Ids;
use super::links::{self, Links};
use super::lock::Lock;
use super::pool::Pool;
use super::queue::Queue;
use super::refusals::Refusals;
use super::registry::Registry;
use super::state::State;
use super::tally::Tally;
use super::tender::{Stop, Tender};
use super::writer::Writer;
use super::{Inner, OpenError, Options, Store, recover, schema};
use crate::model::IdKey;
use crate::model::run::RunState;
use rusqlite::Connection;
use std::path::Path;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use tokio::sync::{Notify, mpsc};

/// The node that a store in a file is.
const NODE: i64 = 0;

/// What is let go at the end: the threads first, then the folder.
pub(super) struct Held {
    threads: Vec<JoinHandle<()>>,
    _lock: Lock,
}

impl Drop for Held {
    fn drop(&mut self) {
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Inner {
    /// Without [`Store::close`] this is what a crash leaves: what is committed is committed.
    fn drop(&mut self) {
        self.stop.stop();
        let held = self.take_held();
        let (queue, _) = Queue::new();
        // The last sender: the writer ends with what it has.
        self.queue = queue;
        drop(held);
    }
}

impl Inner {
    pub(super) fn take_held(&self) -> Option<Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The key under which ids are printed, and the store's own id; made once.
fn identity(conn: &Connection) -> rusqlite::Result<[u8; 16]> {
    let random = || {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map(|()| bytes)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
    };
    let hex = |bytes: [u8; 16]| format!("{:032x}", u128::from_be_bytes(bytes));
    for key in ["id_key", "store_id"] {
        if schema::text(conn, key)?.is_none() {
            schema::set(conn, key, &hex(random()?))?;
        }
    }
    let text = schema::text(conn, "id_key")?.unwrap_or_default();
    u128::from_str_radix(&text, 16).map(u128::to_be_bytes).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}

impl Store {
    /// Whether there is a store in a data folder.
    #[must_use]
    pub fn exists(folder: &Path) -> bool {
        folder.join(schema::FILE).exists()
    }

    /// Opens (or makes) the store in a data folder and starts its writer.
    ///
    /// It returns before the dedup table is made again from the ledger (seconds for ten million
    /// keys): until then [`Store::refuses`] says "starting", and what is accepted all the same waits.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(folder: &Path, options: Options) -> Result<(Self, Handover), OpenError> {
        let lock = Lock::take(folder)?;
        let other = |error: rusqlite::Error| OpenError::other(folder, &error);
        let file = folder.join(schema::FILE);
        let mut conn = schema::open_writer(&file)?;
        let key = identity(&conn).map_err(other)?;
        let past = recover::past(&conn).map_err(other)?;
        let Options { limits, feed, public_url, clock } = options;
        clock.raise(past.at);
        let now = clock.now();
        let (epoch, fresh_low) = recover::begin_epoch(&mut conn, now).map_err(other)?;
        let mut tally = Tally::default();
        recover::seed(&conn, &mut tally, fresh_low).map_err(other)?;
        let pool = Arc::new(Pool::open(file.clone()).map_err(other)?);
        let registry = Registry::load(&conn).map_err(other)?;

        let ids = Arc::new(Ids::after(past.last_id, NODE));
        let owner = NODE << 32 | epoch;
        let reserve = limits.slots;
        let (born, handed) = mpsc::channel(links::HANDOVER + reserve);
        let dropped_from = Arc::new(AtomicI64::new(i64::MAX));
        let (queue, items) = Queue::new();
        let health = Arc::new(Health::default());
        health.set(health::STARTING, true);
        health.queued(tally.runs[RunState::Queued as usize]);
        let links = Links {
            file: file.clone(),
            feed: feed.clone(),
            tally: Arc::new(Mutex::new(tally)),
            health: Arc::clone(&health),
            refusals: Arc::new(Refusals::default()),
            waiting: Arc::clone(queue.waiting()),
            due: Arc::new(Notify::new()),
            waiters: Arc::default(),
            records: Arc::default(),
            alerts: Arc::default(),
            watched: Arc::default(),
            born,
            dropped_from: Arc::clone(&dropped_from),
            reserve,
            #[cfg(test)]
            fails: Arc::default(),
        };
        let state = State {
            clock: clock.clone(),
            ids: Arc::clone(&ids),
            owner,
            table: Table::new(fastrand::u64(..), past.longest),
            longest_written: past.longest,
            bare: std::collections::BTreeSet::new(),
            fresh_low,
            seq: past.seq,
        };
        let (stop, stopped) = Stop::pair().map_err(|error| OpenError::other(folder, &error))?;
        let tender = Tender {
            file: file.clone(),
            limits: limits.clone(),
            clock: clock.clone(),
            pool: Arc::clone(&pool),
            queue: queue.clone(),
            tally: Arc::clone(&links.tally),
            health,
            stop: stopped,
            purge: None,
            upto: 0,
            from_start: now,
            follower: super::follow::Follower::default(),
            sketcher: super::sketch::Sketcher::default(),
            id_key: IdKey::new(key),
        };
        // The first figures are there before the first frame is drawn.
        tender.look();
        let writer = Writer::new(conn, state, links.clone());
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            thread::Builder::new()
                .name(name.to_owned())
                .spawn(work)
                .map_err(|error| OpenError::other(folder, &error))
        };
        let threads = vec![
            spawn("store-tender", Box::new(move || tender.run()))?,
            spawn("store-writer", Box::new(move || writer.run(&items)))?,
        ];
        let inner = Inner {
            file,
            limits,
            feed,
            public_url,
            clock,
            id_key: IdKey::new(key),
            ids,
            owner,
            pool,
            queue,
            links,
            registry,
            targets: super::targets::Targets::default(),
            changing: super::occasion::Changing::default(),
            stop,
            held: Mutex::new(Some(Held { threads, _lock: lock })),
        };
        Ok((Self { inner: Arc::new(inner) }, Handover { queue: handed, dropped_from }))
    }
}
