//! Once a second, in the writer: leases of runs that stay long, the watermark under which no open
//! run is without `due`, counts that were not written with their commit.

use super::arrivals;
use super::commit::{Fault, blame};
use super::ledger::COUNTED;
use super::refusals::{self, Pending};
use super::series::{self, Unwritten};
use super::state::{Batch, State};
use super::tally::Total;
use super::writer::Writer;
use super::{LEASE, schema};
use crate::model::Ms;
use crate::model::id::time_of;
use rusqlite::{Connection, OptionalExtension, Result, params};
use std::time::{Duration, Instant};

/// A running run without `due` gets a lease after this long.
const PROMOTE: Ms = 10_000;

/// How often totals and series are written, in one commit: what the one lacks the other lacks too.
const TOTALS: Duration = Duration::from_secs(10);

impl Writer {
    /// Does what is due; an idle store is written to once a minute, to say that it was up.
    pub(super) fn beat(&mut self) {
        let due = self.totals_at.elapsed() >= TOTALS;
        self.beat_at(due, false);
    }

    /// The last one: everything that was counted is written.
    pub(super) fn last_beat(&mut self) {
        self.beat_at(true, true);
    }

    fn beat_at(&mut self, due: bool, ends: bool) {
        self.links.records.sweep();
        let now = self.state.clock.now();
        let series = self.series(now, due, ends);
        if self.resting().is_some() {
            return;
        }
        let old: Vec<i64> =
            self.state.bare.iter().copied().take_while(|run| time_of(*run) + PROMOTE <= now).collect();
        let refused = self.links.refusals.take();
        let totals = if due { self.dirty() } else { Vec::new() };
        let low = self.fresh_low(&old);
        let moved = matches!(low, Ok(low) if low > self.state.fresh_low);
        let nothing = refused.is_empty() && totals.is_empty() && series.is_empty();
        if old.is_empty() && nothing && !moved && !self.probing() {
            return;
        }
        let result = self.transact(|tx, state, batch| {
            let low = low.and_then(|low| {
                promote(tx, state, &old, batch)?;
                write_low(tx, state, low, batch.now)?;
                write_refusals(tx, &refused, batch)?;
                write_totals(tx, &totals, state.seq + 1)?;
                series::write(tx, &series, batch.now)?;
                Ok(low)
            });
            low.map_err(|error| blame(0, error))
        });
        match result {
            Ok((low, batch)) => {
                self.state.fresh_low = self.state.fresh_low.max(low);
                let mut tally = self.links.tally();
                tally.unwritten -= batch.deltas.counts.0.iter().map(|line| line.n).sum::<i64>();
                if !totals.is_empty() {
                    // What this very commit counted is not in the lines that it wrote.
                    tally.dirty =
                        batch.deltas.counts.0.iter().map(|line| (line.flow, line.verdict)).collect();
                }
                if due {
                    self.totals_at = Instant::now();
                }
                tally.series.written(&series);
                tally.series.causes(&refused, batch.now);
            }
            Err(Fault::Item(..) | Fault::Down(_)) => self.links.refusals.put_back(refused),
        }
    }

    /// The process is up, and so much waits; what of the series is to be written.
    fn series(&self, now: Ms, due: bool, ends: bool) -> Unwritten {
        let mut tally = self.links.tally();
        let waits = tally.waits();
        tally.series.waits(now, waits);
        if due { tally.series.unwritten(ends) } else { Unwritten::default() }
    }

    fn dirty(&self) -> Vec<((i64, i64), Total)> {
        let tally = self.links.tally();
        tally.dirty.iter().filter_map(|key| Some((*key, *tally.totals.get(key)?))).collect()
    }

    /// The smallest id of an open run without `due`, those left out that are about to get one; past
    /// the last id where there is none.
    fn fresh_low(&self, but: &[i64]) -> Result<i64> {
        let conn = &self.conn;
        let mut statement = conn.prepare_cached(
            "SELECT id FROM run WHERE id >= ?1 AND state <= 1 AND due IS NULL ORDER BY id LIMIT 1",
        )?;
        let mut from = self.state.fresh_low;
        loop {
            let found: Option<i64> = statement.query_row([from], |row| row.get(0)).optional()?;
            match found {
                Some(id) if but.binary_search(&id).is_ok() => from = id + 1,
                Some(id) => return Ok(id),
                None => return Ok(self.state.ids.last() + 1),
            }
        }
    }
}

fn promote(conn: &Connection, state: &State, runs: &[i64], batch: &mut Batch) -> Result<()> {
    let mut statement = conn.prepare_cached(
        "UPDATE run SET due = ?2 WHERE id = ?1 AND state = 1 AND due IS NULL AND owner = ?3",
    )?;
    for run in runs {
        statement.execute(params![run, batch.now + LEASE, state.owner])?;
        batch.bare.push((*run, false));
    }
    Ok(())
}

fn write_low(conn: &Connection, state: &State, low: i64, now: Ms) -> Result<()> {
    conn.prepare_cached("UPDATE node SET fresh_low = max(fresh_low, ?2), beat = ?3 WHERE id = ?1")?
        .execute(params![state.owner >> 32, low, now])
        .map(|_| ())
}

fn write_refusals(conn: &Connection, refused: &Pending, batch: &mut Batch) -> Result<()> {
    refusals::write(conn, refused, batch.now)?;
    for ((flow, _), line) in refused {
        if line.seen > line.kept {
            batch.deltas.counts.add(*flow, COUNTED, line.seen - line.kept, 0);
        }
    }
    Ok(())
}

/// Writes totals as they were before this commit: what it counts itself is in its row of the ledger.
fn write_totals(conn: &Connection, totals: &[((i64, i64), Total)], seq: i64) -> Result<()> {
    if totals.is_empty() {
        return Ok(());
    }
    let mut statement = conn.prepare_cached(
        "INSERT INTO total (flow, verdict, n, bytes, last) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (flow, verdict) DO UPDATE SET n = excluded.n, bytes = excluded.bytes, last = excluded.last",
    )?;
    for ((flow, verdict), total) in totals {
        arrivals::count(conn, *flow, *verdict, total)?;
        statement.execute(params![flow, verdict, total.n, total.bytes, total.last])?;
    }
    schema::set(conn, "totals", &(seq - 1).to_string())
}
