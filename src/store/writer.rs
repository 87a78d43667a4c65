//! The writer thread: takes what waits, writes it in one transaction, commits, and only then answers.
//!
//! It blocks for one item and drains what is there, without lingering: under load a commit carries
//! many. An item that breaks a constraint is taken out and refused, and the rest is written again;
//! a commit that fails is undone in memory too, and everybody in it is told.

use super::admission::{Admitted, Birth, Born, Judgement};
use super::health::Health;
use super::queue::{Item, Job, KeyEntry, Waiting};
use super::refusals::Refusals;
use super::state::{Batch, State};
use super::tally::Tally;
use super::{StoreError, health, ledger, recover, schema};
use crate::feed::Feed;
use crate::model::RequestId;
use crate::model::run::{Run, RunState};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc};

/// Items and bytes of a commit.
const BATCH_ITEMS: usize = 256;
const BATCH_BYTES: usize = 4 << 20;

/// How long nothing is tried after a commit failed.
const REST: Duration = if cfg!(test) { Duration::from_millis(200) } else { Duration::from_secs(5) };
/// How long a file is tried again whose last commit may be there or not.
const SETTLE: Duration = Duration::from_secs(10);

/// Batches that may wait for the runner, beside those that hold a slot.
pub(super) const HANDOVER: usize = 32;

/// What the writer shares with the handles.
#[derive(Debug, Clone)]
pub(super) struct Links {
    pub(super) file: PathBuf,
    pub(super) feed: Feed,
    pub(super) tally: Arc<Mutex<Tally>>,
    pub(super) health: Arc<Health>,
    pub(super) refusals: Arc<Refusals>,
    pub(super) waiting: Arc<Waiting>,
    pub(super) due: Arc<Notify>,
    pub(super) born: mpsc::Sender<Vec<Born>>,
    pub(super) dropped_from: Arc<AtomicI64>,
    /// Batches of born-leased runs that may wait at once: one a slot.
    pub(super) reserve: usize,
    #[cfg(test)]
    pub(super) fails: Arc<Mutex<Option<SyncFails>>>,
}

/// A fault that a test asks for.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SyncFails {
    /// The commit is there, and its sync reports an error.
    Kept,
    /// The commit is not there.
    Gone,
}

impl Links {
    /// Commits.
    fn commit(&self, tx: Transaction<'_>) -> rusqlite::Result<()> {
        #[cfg(test)]
        if let Some(fails) = self.fails.lock().ok().and_then(|mut fails| fails.take()) {
            if fails == SyncFails::Kept {
                tx.commit()?;
            }
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
            return Err(rusqlite::Error::SqliteFailure(code, None));
        }
        tx.commit()
    }

    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a transaction was not committed.
pub(super) enum Fault {
    /// One item is to blame, by its place.
    Item(usize, rusqlite::Error),
    /// Nothing can be written now.
    Down(StoreError),
}

/// What became of an item, to be told after the commit.
enum Outcome {
    Admitted(Admitted, Option<Run>),
    Moved(Result<(), StoreError>),
    Claimed(Vec<Run>),
    Renewed,
    Forgot(bool),
}

/// The writer.
pub(super) struct Writer {
    conn: Connection,
    pub(super) state: State,
    pub(super) links: Links,
    /// When a commit failed, until one succeeds.
    down: Option<Instant>,
    /// The file may have a commit that memory does not know of.
    lost: bool,
    /// When totals were written last.
    pub(super) totals_at: Instant,
}

/// Whether an error tells of the item and not of the store.
fn is_items(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(
            code,
            ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch | ErrorCode::Unknown
        ),
        None => true,
    }
}

impl Writer {
    pub(super) fn new(conn: Connection, state: State, links: Links) -> Self {
        Self { conn, state, links, down: None, lost: false, totals_at: Instant::now() }
    }

    /// Works until the queue ends or is closed.
    pub(super) fn run(mut self, queue: &Receiver<Item>) {
        raise_priority();
        self.start();
        let mut held = None;
        loop {
            let Some(item) = held.take().or_else(|| queue.recv().ok()) else { return };
            match item {
                Item::Job { job, always } => self.alone(job, always),
                Item::Beat => self.beat(),
                Item::Lookup { key, reply } => {
                    let entry = self.state.table.get(&key);
                    let entry =
                        entry.map(|entry| KeyEntry { first: RequestId(entry.first), last_seen: entry.seen });
                    let _ = reply.send(entry);
                }
                Item::Close(done) => {
                    self.finish();
                    let _ = done.send(());
                    return;
                }
                item => held = self.drain(item, queue),
            }
        }
    }

    fn start(&mut self) {
        let now = self.state.clock.now();
        let filled = ledger::rebuild(&self.conn, &mut self.state.table, now);
        self.links.tally().dedup = self.state.table.bytes();
        match filled {
            Ok(()) => self.links.health.set(health::STARTING, false),
            // Without the table duplicates would pass: nothing is written until it was read.
            Err(error) => {
                self.lost = true;
                self.down = Some(Instant::now());
                self.links.health.trouble(Some(StoreError::from(error).to_string()));
            }
        }
    }

    /// Takes what else waits, writes it, and gives back an item that wants a transaction of its own.
    fn drain(&mut self, first: Item, queue: &Receiver<Item>) -> Option<Item> {
        let size = |item: &Item| match item {
            Item::Accept { bytes, .. } => *bytes,
            _ => 256,
        };
        let mut bytes = size(&first);
        let mut items = vec![first];
        let mut held = None;
        while items.len() < BATCH_ITEMS && bytes < BATCH_BYTES {
            match queue.try_recv() {
                Ok(item @ (Item::Job { .. } | Item::Beat | Item::Lookup { .. } | Item::Close(_))) => {
                    held = Some(item);
                    break;
                }
                Ok(item) => {
                    bytes += size(&item);
                    items.push(item);
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        self.write(items);
        held
    }

    fn write(&mut self, mut items: Vec<Item>) {
        while !items.is_empty() {
            if let Some(why) = self.resting() {
                return self.fail(items, &why);
            }
            let result = self.transact(|tx, state, batch| {
                let mut outcomes = Vec::with_capacity(items.len());
                for (at, item) in items.iter().enumerate() {
                    outcomes.push(apply(tx, state, batch, item).map_err(|error| blame(at, error))?);
                }
                Ok(outcomes)
            });
            match result {
                Ok((outcomes, _)) => return self.answer(items, outcomes),
                Err(Fault::Item(at, error)) => {
                    let item = items.remove(at);
                    self.fail(vec![item], &StoreError::Broken(format!("the store refused it: {error}")));
                }
                Err(Fault::Down(why)) => return self.fail(items, &why),
            }
        }
    }

    /// Why nothing is tried just now.
    pub(super) fn resting(&self) -> Option<StoreError> {
        let resting = self.down.is_some_and(|since| since.elapsed() < REST);
        resting.then(|| StoreError::Down(self.links.health.why().unwrap_or_else(|| "the store fails".into())))
    }

    /// Runs a transaction and commits it. What `f` does to the dedup table is undone where it fails.
    pub(super) fn transact<R>(
        &mut self,
        f: impl FnOnce(&Transaction<'_>, &mut State, &mut Batch) -> Result<R, Fault>,
    ) -> Result<(R, Batch), Fault> {
        let result = self.try_transact(f);
        match &result {
            Ok((_, batch)) => self.committed(batch),
            Err(Fault::Item(..)) => self.state.table.undo(self.state.clock.now()),
            Err(Fault::Down(why)) => {
                self.state.table.undo(self.state.clock.now());
                self.down = Some(Instant::now());
                self.links.health.trouble(Some(why.to_string()));
            }
        }
        result
    }

    fn try_transact<R>(
        &mut self,
        f: impl FnOnce(&Transaction<'_>, &mut State, &mut Batch) -> Result<R, Fault>,
    ) -> Result<(R, Batch), Fault> {
        let down = |error: rusqlite::Error| Fault::Down(error.into());
        if self.lost {
            self.reopen()?;
        }
        let begun = Instant::now();
        let tx = Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate).map_err(down)?;
        // After the lock was had: what waited for it happens now.
        let mut batch = Batch { now: self.state.clock.now(), ..Batch::default() };
        let result = f(&tx, &mut self.state, &mut batch)?;
        let seq = self.state.seq + 1;
        let hi = self.state.ids.last();
        let counts = batch.deltas.counts.blob();
        let row = ledger::Row {
            seq,
            at: batch.now,
            lo: batch.lo.unwrap_or(hi),
            hi,
            dedup: self.state.table.log(),
            counts: counts.as_deref(),
        };
        let longest = self.state.table.longest();
        if longest > self.state.longest_written {
            schema::set(&tx, "longest_window", &longest.to_string()).map_err(down)?;
        }
        ledger::write(&tx, &row).map_err(down)?;
        if let Err(error) = self.links.commit(tx) {
            if error.sqlite_error_code() != Some(ErrorCode::SystemIoFailure) || !self.settle(seq) {
                return Err(down(error));
            }
        }
        self.state.seq = seq;
        self.state.longest_written = longest;
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.links.tally().commit_took(micros);
        Ok((result, batch))
    }

    /// Whether a commit whose sync failed is there: the handle is not used again, the file is opened
    /// anew, and the ledger tells. Where that cannot be had in time all is read anew later.
    fn settle(&mut self, seq: i64) -> bool {
        let end = Instant::now() + SETTLE;
        loop {
            let there = schema::connect_writer(&self.links.file).and_then(|conn| {
                let there = ledger::has(&conn, seq)?;
                self.conn = conn;
                Ok(there)
            });
            match there {
                Ok(there) => return there,
                Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(250)),
                Err(_) => {
                    self.lost = true;
                    return false;
                }
            }
        }
    }

    /// Opens the file anew and makes memory what the rows say.
    fn reopen(&mut self) -> Result<(), Fault> {
        let down = |error: rusqlite::Error| Fault::Down(error.into());
        let conn = schema::connect_writer(&self.links.file).map_err(down)?;
        let known = self.state.ids.last();
        recover::reread(&conn, &mut self.state, &mut self.links.tally()).map_err(down)?;
        // Runs of a commit that nobody was told of are found by reading on.
        self.links.dropped_from.fetch_min(self.state.fresh_low.min(known), Ordering::AcqRel);
        self.conn = conn;
        self.lost = false;
        self.links.health.set(health::STARTING, false);
        Ok(())
    }

    fn committed(&mut self, batch: &Batch) {
        self.state.table.keep();
        for (run, bare) in &batch.bare {
            if *bare {
                self.state.bare.insert(*run);
            } else {
                self.state.bare.remove(run);
            }
        }
        for (flow, cause) in &batch.refused {
            self.links.refusals.count(*flow, cause, true);
        }
        {
            let mut tally = self.links.tally();
            tally.add(&batch.deltas, batch.now);
            self.links.health.queued(tally.runs[RunState::Queued as usize]);
            tally.dedup = self.state.table.bytes();
        }
        self.down = None;
        self.links.health.trouble(None);
        if batch.wake {
            self.links.due.notify_one();
        }
        if !batch.changes.is_empty() {
            self.links.feed.publish(|| batch.changes.as_slice().into());
        }
    }

    /// Hands runs over and answers, in the order of the queue.
    fn answer(&self, items: Vec<Item>, outcomes: Vec<Outcome>) {
        let mut born = Vec::new();
        let mut answers = Vec::with_capacity(items.len());
        for (item, outcome) in items.into_iter().zip(outcomes) {
            match (item, outcome) {
                (Item::Accept { accept, bytes, reply }, Outcome::Admitted(admitted, run)) => {
                    self.links.waiting.give(bytes);
                    let slot = match accept.judgement {
                        Judgement::Admit { birth: Birth::Direct(slot), .. } => Some(slot),
                        _ => None,
                    };
                    if let Some(run) = run.filter(|run| !run.state.ended()) {
                        born.push(Born { run, request: admitted.request, seed: accept.seed, slot });
                    }
                    answers.push((reply, admitted));
                }
                (Item::Move { reply, .. }, Outcome::Moved(result)) => {
                    let _ = reply.send(result);
                }
                (Item::Claim { reply, .. }, Outcome::Claimed(runs)) => {
                    let _ = reply.send(Ok(runs));
                }
                (Item::Renew { reply, .. }, Outcome::Renewed) => {
                    let _ = reply.send(Ok(()));
                }
                (Item::Forget { reply, .. }, Outcome::Forgot(there)) => {
                    let _ = reply.send(Ok(there));
                }
                // An outcome is made from its item: no other pairs exist.
                _ => {}
            }
        }
        self.hand_over(born);
        for (reply, admitted) in answers {
            let _ = reply.send(Ok(admitted));
        }
    }

    /// To the runner, without ever waiting for it. Fresh runs that do not fit are left for it to
    /// read; born-leased ones always fit, since each holds a slot and the queue keeps room for all.
    fn hand_over(&self, mut born: Vec<Born>) {
        if born.is_empty() {
            return;
        }
        if self.links.born.capacity() <= self.links.reserve {
            self.dropped(born.iter().filter(|born| born.run.state == RunState::Queued));
            born.retain(|born| born.run.state != RunState::Queued);
            if born.is_empty() {
                return;
            }
        }
        if let Err(mpsc::error::TrySendError::Full(born)) = self.links.born.try_send(born) {
            self.dropped(born.iter());
        }
    }

    fn dropped<'a>(&self, mut born: impl Iterator<Item = &'a Born>) {
        if let Some(first) = born.next() {
            self.links.dropped_from.fetch_min(first.run.id.0, Ordering::AcqRel);
        }
    }

    fn fail(&self, items: Vec<Item>, why: &StoreError) {
        for item in items {
            match item {
                Item::Accept { bytes, reply, .. } => {
                    self.links.waiting.give(bytes);
                    let _ = reply.send(Err(why.clone()));
                }
                Item::Move { reply, .. } | Item::Renew { reply, .. } => {
                    let _ = reply.send(Err(why.clone()));
                }
                Item::Claim { reply, .. } => {
                    let _ = reply.send(Err(why.clone()));
                }
                Item::Forget { reply, .. } => {
                    let _ = reply.send(Err(why.clone()));
                }
                Item::Job { job, .. } => job.done(Err(why.clone())),
                Item::Beat | Item::Lookup { .. } | Item::Close(_) => {}
            }
        }
    }

    fn alone(&mut self, mut job: Box<dyn Job>, always: bool) {
        if let Some(why) = self.resting().filter(|_| !always) {
            return job.done(Err(why));
        }
        let result = self.transact(|tx, _, batch| {
            job.run(tx, batch).map_err(|error| blame(0, error))?;
            Ok(())
        });
        job.done(match result {
            Ok(_) => Ok(()),
            Err(Fault::Item(_, error)) => Err(error.into()),
            Err(Fault::Down(why)) => Err(why),
        });
    }

    /// The writer's connection, for reads between transactions.
    pub(super) fn connection(&self) -> &Connection {
        &self.conn
    }

    /// Whether a failed store may be tried again now.
    pub(super) fn probing(&self) -> bool {
        self.down.is_some() && self.resting().is_none()
    }

    fn finish(&mut self) {
        self.totals_at = Instant::now().checked_sub(Duration::from_secs(3_600)).unwrap_or(self.totals_at);
        self.beat();
        if self.down.is_some() {
            return;
        }
        let clean = self.transact(|tx, _, _| schema::set(tx, "clean", "1").map_err(|error| blame(0, error)));
        if clean.is_ok() {
            let _ = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }
}

pub(super) fn blame(at: usize, error: rusqlite::Error) -> Fault {
    if is_items(&error) { Fault::Item(at, error) } else { Fault::Down(error.into()) }
}

fn apply(conn: &Connection, state: &mut State, batch: &mut Batch, item: &Item) -> rusqlite::Result<Outcome> {
    Ok(match item {
        Item::Accept { accept, .. } => {
            let (admitted, run) = state.admit(conn, accept, batch)?;
            Outcome::Admitted(admitted, run)
        }
        Item::Move { transition, .. } => Outcome::Moved(state.transit(conn, transition, batch)?),
        Item::Claim { claims, .. } => Outcome::Claimed(state.claim(conn, claims, batch)?),
        Item::Renew { runs, until, .. } => {
            state.renew(conn, runs, *until, batch)?;
            Outcome::Renewed
        }
        Item::Forget { key, .. } => Outcome::Forgot(state.table.forget(key, batch.now)),
        Item::Job { .. } | Item::Beat | Item::Lookup { .. } | Item::Close(_) => Outcome::Renewed,
    })
}

/// One thread decides how fast everybody is answered: it goes first where that is allowed.
fn raise_priority() {
    #[cfg(target_os = "linux")]
    {
        // On Linux a thread's number names the thread alone. A refusal is the normal case.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), -10);
    }
}
