//! One transaction of the writer: what surrounds the rows, and what is done when it fails.

use super::health;
use super::ledger;
use super::state::{Batch, State};
use super::writer::Writer;
use super::{StoreError, recover, schema};
use crate::model::change::Change;
use crate::model::run::RunState;
use rusqlite::{ErrorCode, Transaction, TransactionBehavior};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long nothing is tried after a commit failed.
const REST: Duration = if cfg!(test) { Duration::from_millis(200) } else { Duration::from_secs(5) };
/// How long a file is tried again whose last commit may be there or not.
const SETTLE: Duration = Duration::from_secs(10);

/// Why a transaction was not committed.
pub(super) enum Fault {
    /// One item is to blame, by its place.
    Item(usize, rusqlite::Error),
    /// Nothing can be written now.
    Down(StoreError),
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

/// Whether an error tells of the item and not of the store.
fn is_items(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code().is_none_or(|code| {
        matches!(
            code,
            ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch | ErrorCode::Unknown
        )
    })
}

/// Whose fault an error of an item is.
pub(super) fn blame(at: usize, error: rusqlite::Error) -> Fault {
    if is_items(&error) { Fault::Item(at, error) } else { Fault::Down(error.into()) }
}

#[cfg(test)]
fn commit(tx: Transaction<'_>, fails: Option<SyncFails>) -> rusqlite::Result<()> {
    let Some(fails) = fails else { return tx.commit() };
    if fails == SyncFails::Kept {
        tx.commit()?;
    }
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
    Err(rusqlite::Error::SqliteFailure(code, None))
}

impl Writer {
    /// Why nothing is tried just now.
    pub(super) fn resting(&self) -> Option<StoreError> {
        let resting = self.down.is_some_and(|since| since.elapsed() < REST);
        resting.then(|| StoreError::Down(self.links.health.why().unwrap_or_else(|| "the store fails".into())))
    }

    /// Whether a failed store may be tried again now.
    pub(super) fn probing(&self) -> bool {
        self.down.is_some() && self.resting().is_none()
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
                self.links.health.look(self.state.clock.now());
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
        #[cfg(test)]
        let done = commit(tx, self.links.fails.lock().ok().and_then(|mut fails| fails.take()));
        #[cfg(not(test))]
        let done = tx.commit();
        if let Err(error) = done
            && (error.sqlite_error_code() != Some(ErrorCode::SystemIoFailure) || !self.settle(seq))
        {
            return Err(down(error));
        }
        self.state.seq = seq;
        self.state.longest_written = longest;
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut tally = self.links.tally();
        tally.commit_took(micros);
        tally.series.commit_took(micros, batch.now);
        drop(tally);
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
        let moved = || {
            batch.changes.iter().filter_map(|change| match change {
                Change::Run { flow, .. } => Some(*flow),
                _ => None,
            })
        };
        if batch.wake || self.links.watched.has(moved()) {
            self.links.due.notify_one();
        }
        if batch.deltas.causes {
            self.links.alerts.causes();
        }
        if !batch.changes.is_empty() {
            self.links.feed.publish(|| batch.changes.as_slice().into());
        }
    }
}
