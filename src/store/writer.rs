//! The writer thread: takes what waits, writes it in one transaction, commits, and only then answers.
//!
//! It blocks for one item and drains what is there; only notes linger, for which nobody waits: under
//! load a commit carries many. An item that breaks a constraint is taken out and refused, and the rest is written again;
//! a commit that fails is undone in memory too, and everybody in it is told.

use super::answer::Outcome;
use super::commit::{Fault, blame};
use super::links::Links;
use super::queue::{Item, Job, KeyEntry};
use super::state::{Batch, State};
use super::{StoreError, health, ledger, schema, told};
use crate::model::RequestId;
use crate::model::change::Change;
use rusqlite::Connection;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// Items and bytes of a commit.
const BATCH_ITEMS: usize = 256;
const BATCH_BYTES: usize = 4 << 20;
/// How long notes wait for a commit that somebody wants, before they have one of their own.
const LINGER: Duration = Duration::from_millis(20);

/// The writer.
pub(super) struct Writer {
    pub(super) conn: Connection,
    pub(super) state: State,
    pub(super) links: Links,
    /// When a commit failed, until one succeeds.
    pub(super) down: Option<Instant>,
    /// The file may have a commit that memory does not know of.
    pub(super) lost: bool,
    /// When totals were written last.
    pub(super) totals_at: Instant,
}

impl Writer {
    pub(super) fn new(conn: Connection, state: State, links: Links) -> Self {
        Self { conn, state, links, down: None, lost: false, totals_at: Instant::now() }
    }

    /// Works until the queue ends or is closed.
    pub(super) fn run(mut self, queue: &Receiver<Item>) {
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
        let until = Instant::now() + LINGER;
        while items.len() < BATCH_ITEMS && bytes < BATCH_BYTES {
            // As long as nobody waits for any of them, they wait for somebody.
            let next = if items.iter().all(|item| matches!(item, Item::Told { .. })) {
                queue.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
            } else {
                queue.try_recv().ok()
            };
            match next {
                Some(item @ (Item::Job { .. } | Item::Beat | Item::Lookup { .. } | Item::Close(_))) => {
                    held = Some(item);
                    break;
                }
                Some(item) => {
                    bytes += size(&item);
                    items.push(item);
                }
                None => break,
            }
        }
        self.write(items);
        held
    }

    fn write(&mut self, mut items: Vec<Item>) {
        while !items.is_empty() {
            if let Some(why) = self.resting() {
                return self.links.fail(items, &why);
            }
            let result = self.transact(|tx, state, batch| {
                let mut outcomes = Vec::with_capacity(items.len());
                for (at, item) in items.iter().enumerate() {
                    outcomes.push(apply(tx, state, batch, item).map_err(|error| blame(at, error))?);
                }
                Ok(outcomes)
            });
            match result {
                Ok((outcomes, _)) => return self.links.answer(items, outcomes),
                Err(Fault::Item(at, error)) => {
                    let item = items.remove(at);
                    self.links
                        .fail(vec![item], &StoreError::Broken(format!("the store refused it: {error}")));
                }
                Err(Fault::Down(why)) => return self.links.fail(items, &why),
            }
        }
    }

    fn alone(&mut self, mut job: Box<dyn Job>, always: bool) {
        if let Some(why) = self.resting().filter(|_| !always) {
            return job.done(Err(why));
        }
        let result = self.transact(|tx, state, batch| {
            job.run(tx, state, batch).map_err(|error| blame(0, error))?;
            Ok(())
        });
        job.done(match result {
            Ok(_) => Ok(()),
            Err(Fault::Item(_, error)) => Err(error.into()),
            Err(Fault::Down(why)) => Err(why),
        });
    }

    fn finish(&mut self) {
        self.last_beat();
        if self.down.is_some() {
            return;
        }
        let clean = self.transact(|tx, _, _| schema::set(tx, "clean", "1").map_err(|error| blame(0, error)));
        if clean.is_ok() {
            let _ = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }
}

fn apply(conn: &Connection, state: &mut State, batch: &mut Batch, item: &Item) -> rusqlite::Result<Outcome> {
    let piece = match item {
        Item::Accept { piece, .. } | Item::Move { piece, .. } | Item::Forget { piece, .. } => *piece,
        _ => None,
    };
    if let Some(piece) = piece
        && !piece.is_left(conn)?
    {
        return Ok(Outcome::NotLeft);
    }
    let outcome = act(conn, state, batch, item)?;
    if let Some(piece) = piece {
        // Where nothing came of it the piece is left: who asked says why.
        match &outcome {
            Outcome::Admitted(stored) => {
                let runs = stored.admitted.runs();
                if !runs.is_empty() {
                    piece.done(conn, runs.iter().map(|(run, _)| *run))?;
                }
            }
            Outcome::Moved(Ok(())) | Outcome::Forgot(true) => piece.done(conn, [])?,
            _ => {}
        }
    }
    Ok(outcome)
}

fn act(conn: &Connection, state: &mut State, batch: &mut Batch, item: &Item) -> rusqlite::Result<Outcome> {
    Ok(match item {
        Item::Accept { accept, seat, .. } => {
            Outcome::Admitted(state.admit(conn, accept, seat.is_some(), batch)?)
        }
        Item::Move { transition, .. } => Outcome::Moved(state.transit(conn, transition, batch)?),
        Item::Claim { claims, .. } => Outcome::Claimed(state.claim(conn, claims, batch)?),
        Item::Renew { runs, until, .. } => {
            state.renew(conn, runs, *until, batch)?;
            Outcome::Renewed
        }
        Item::Forget { key, .. } => Outcome::Forgot(state.table.forget(key, batch.now)),
        Item::Told { request, status, answer } => {
            told::write(conn, *request, *status, answer.as_deref())?;
            batch.changes.push(Change::Told);
            Outcome::Noted
        }
        Item::Job { .. } | Item::Beat | Item::Lookup { .. } | Item::Close(_) => Outcome::Renewed,
    })
}
