//! Figures over time: buckets of a minute and of a quarter of an hour, counted in memory with each
//! commit and written every ten seconds, together with the totals.
//!
//! A bucket that is there says that the process was up; one that is not is a gap. A crash loses what
//! came since the last write, ten seconds at most, and of that the verdicts (and the most of a second)
//! are counted again from the ledger. Engine time never goes back, so neither do buckets.

mod bucket;
#[cfg(test)]
mod tests;

pub(super) use bucket::{Bucket, OTHERS, StepKey};

use super::ledger::{COUNTED, Counts};
use super::refusals::Pending;
use super::tally::Deltas;
use crate::model::Ms;
use crate::model::overview::{QUARTER, Span};
use crate::model::request::Verdict;
use crate::model::time::{DAY, MINUTE};
use rusqlite::{Connection, OptionalExtension, Result, params};

/// How finely is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    /// Kept for two days.
    Minute = 0,
    /// Kept for nine days.
    Quarter = 1,
}

impl Grain {
    const ALL: [Self; 2] = [Self::Minute, Self::Quarter];

    /// The one that a span is made of.
    pub(super) fn of(span: Span) -> Self {
        match span {
            Span::Hour => Self::Minute,
            Span::Day | Span::Week => Self::Quarter,
        }
    }

    fn long(self) -> Ms {
        match self {
            Self::Minute => MINUTE,
            Self::Quarter => QUARTER,
        }
    }

    /// The number of the bucket of a time.
    pub(super) fn number(self, at: Ms) -> i64 {
        at.div_euclid(self.long())
    }

    /// How many buckets are kept.
    pub(super) fn kept(self) -> i64 {
        match self {
            Self::Minute => 2 * DAY / MINUTE,
            Self::Quarter => 9 * DAY / QUARTER,
        }
    }
}

/// Buckets of a grain that may wait to be written: an hour, where the store takes no writes.
const HELD: usize = 60;
/// Rows that leave with a write.
const LEAVE: u32 = 512;

/// A bucket in memory.
#[derive(Debug, Clone, Default)]
struct Held {
    number: i64,
    bucket: Bucket,
    /// Raised by each change that is worth a write.
    changed: u64,
    /// What it was when it was written last.
    written: u64,
    /// Something was counted, and not only that the process is up.
    counted: bool,
}

/// Buckets to be written, as they were at a moment.
#[derive(Debug, Default)]
pub(super) struct Unwritten(Vec<(Grain, i64, u64, Bucket)>);

impl Unwritten {
    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The buckets that are counted into, and those that wait to be written; by grain, oldest first.
#[derive(Debug, Default)]
pub(super) struct Series {
    held: [Vec<Held>; 2],
    /// The second of the last accepted requests, and how many it has.
    second: (Ms, u64),
    /// Bytes of the file, and those free beside it; read once a second.
    pub(super) file: u64,
    pub(super) free: Option<u64>,
}

impl Series {
    /// The bucket of a time; made where it is not held.
    fn held(&mut self, grain: Grain, at: Ms) -> &mut Held {
        let number = grain.number(at);
        let held = &mut self.held[grain as usize];
        // Nearly always the last.
        let place = held.iter().rposition(|one| one.number <= number);
        let place = match place {
            Some(place) if held[place].number == number => place,
            _ => {
                let place = place.map_or(0, |place| place + 1);
                held.insert(place, Held { number, ..Held::default() });
                if held.len() > HELD && place > 0 {
                    held.remove(0);
                    place - 1
                } else {
                    place
                }
            }
        };
        &mut held[place]
    }

    fn change(&mut self, at: Ms, mut change: impl FnMut(&mut Bucket)) {
        for grain in Grain::ALL {
            let held = self.held(grain, at);
            held.changed += 1;
            held.counted = true;
            change(&mut held.bucket);
        }
    }

    /// Counts what a commit did; `queue` runs wait after it.
    pub(super) fn count(&mut self, deltas: &Deltas, at: Ms, queue: u64) {
        let nothing = deltas.counts.0.is_empty()
            && deltas.took.is_empty()
            && deltas.errors.is_empty()
            && deltas.came.iter().all(|n| *n == 0);
        if !nothing {
            self.verdicts(&deltas.counts, at);
            self.change(at, |bucket| {
                for (all, came) in bucket.came.iter_mut().zip(deltas.came) {
                    *all += came;
                }
                for group in &deltas.errors {
                    bucket.error(*group);
                }
                for (flow, took) in &deltas.took {
                    bucket.step(*flow, took);
                }
            });
        }
        self.waits(at, queue);
    }

    /// Counts requests by their verdicts.
    pub(super) fn verdicts(&mut self, counts: &Counts, at: Ms) {
        let mut by = [0; 4];
        let mut counted = 0;
        for line in &counts.0 {
            if line.verdict == COUNTED {
                counted += line.n;
            }
            let verdict = if line.verdict == COUNTED { Verdict::Rejected as i64 } else { line.verdict };
            if let Some(all) = usize::try_from(verdict).ok().and_then(|verdict| by.get_mut(verdict)) {
                *all += line.n;
            }
        }
        if by == [0; 4] {
            return;
        }
        let second = at - at.rem_euclid(1_000);
        let accepted = u64::try_from(by[Verdict::Accepted as usize]).unwrap_or(0);
        self.second =
            if self.second.0 == second { (second, self.second.1 + accepted) } else { (second, accepted) };
        let most = (self.second.1, second);
        self.change(at, |bucket| {
            for (all, n) in bucket.verdicts.iter_mut().zip(by) {
                *all += n;
            }
            bucket.counted += counted;
            bucket.most = Bucket::higher(bucket.most, most);
        });
    }

    /// Counts refusals by their causes.
    pub(super) fn causes(&mut self, refused: &Pending, at: Ms) {
        for ((_, cause), line) in refused {
            let n = u64::try_from(line.seen).unwrap_or(0);
            self.change(at, |bucket| bucket.cause(cause, n));
        }
    }

    /// A commit took so many microseconds. That alone is not worth a write, which is one itself.
    pub(super) fn commit_took(&mut self, micros: u64, at: Ms) {
        for grain in Grain::ALL {
            self.held(grain, at).bucket.commits.count(micros);
        }
    }

    /// So many runs wait; the process is up.
    pub(super) fn waits(&mut self, at: Ms, queue: u64) {
        let file = self.file;
        for grain in Grain::ALL {
            let held = self.held(grain, at);
            if held.changed == 0 || queue > held.bucket.queue.0 {
                held.changed += 1;
            }
            held.bucket.queue = Bucket::higher(held.bucket.queue, (queue, at));
            if file > 0 {
                held.bucket.file = file;
            }
        }
    }

    /// What is to be written. At the end of the process (`ends`) that it was up alone is not: a command
    /// that looks into the store is no server.
    pub(super) fn unwritten(&self, ends: bool) -> Unwritten {
        let mut rows = Vec::new();
        for grain in Grain::ALL {
            for held in &self.held[grain as usize] {
                if held.changed > held.written && (held.counted || held.written > 0 || !ends) {
                    rows.push((grain, held.number, held.changed, held.bucket.clone()));
                }
            }
        }
        Unwritten(rows)
    }

    /// They are written: of those that are past nothing more is held.
    pub(super) fn written(&mut self, rows: &Unwritten) {
        for (grain, number, changed, _) in &rows.0 {
            let held = &mut self.held[*grain as usize];
            if let Some(one) = held.iter_mut().find(|one| one.number == *number) {
                one.written = one.written.max(*changed);
            }
            let last = held.last().map_or(0, |one| one.number);
            held.retain(|one| one.number == last || one.changed > one.written);
        }
    }

    /// The buckets of a grain that are held.
    pub(super) fn snapshot(&self, grain: Grain) -> Vec<(i64, Bucket)> {
        self.held[grain as usize].iter().map(|held| (held.number, held.bucket.clone())).collect()
    }

    /// Begins with what the rows say: the last bucket of each grain is counted on.
    ///
    /// # Errors
    /// Whatever `SQLite` says.
    pub(super) fn load(&mut self, conn: &Connection) -> Result<()> {
        self.held = Default::default();
        self.second = (0, 0);
        for grain in Grain::ALL {
            let last: Option<i64> = conn
                .prepare_cached("SELECT max(at) FROM series WHERE grain = ?1")?
                .query_row([grain as i64], |row| row.get(0))?;
            if let Some(last) = last {
                self.fetch(conn, grain, last)?;
            }
        }
        Ok(())
    }

    /// Counts the verdicts of a commit again that came after the last write.
    ///
    /// # Errors
    /// Whatever `SQLite` says.
    pub(super) fn again(&mut self, conn: &Connection, counts: &Counts, at: Ms) -> Result<()> {
        for grain in Grain::ALL {
            let number = grain.number(at);
            if !self.held[grain as usize].iter().any(|held| held.number == number) {
                self.fetch(conn, grain, number)?;
            }
        }
        self.verdicts(counts, at);
        Ok(())
    }

    fn fetch(&mut self, conn: &Connection, grain: Grain, number: i64) -> Result<()> {
        let text: Option<String> = conn
            .prepare_cached("SELECT data FROM series WHERE grain = ?1 AND at = ?2")?
            .query_row(params![grain as i64, number], |row| row.get(0))
            .optional()?;
        if let Some(text) = text {
            let held = self.held(grain, number * grain.long());
            held.bucket = Bucket::read(&text);
            (held.changed, held.written, held.counted) = (1, 1, true);
        }
        Ok(())
    }
}

/// Writes buckets whole, and lets those go that are kept no longer.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn write(conn: &Connection, rows: &Unwritten, now: Ms) -> Result<()> {
    let mut statement = conn.prepare_cached(
        "INSERT INTO series (grain, at, data) VALUES (?1, ?2, ?3)
         ON CONFLICT (grain, at) DO UPDATE SET data = excluded.data",
    )?;
    for (grain, number, _, bucket) in &rows.0 {
        statement.execute(params![*grain as i64, number, bucket.text()])?;
    }
    if rows.is_empty() {
        return Ok(());
    }
    for grain in Grain::ALL {
        conn.prepare_cached(
            "DELETE FROM series WHERE grain = ?1 AND at IN
                 (SELECT at FROM series WHERE grain = ?1 AND at <= ?2 ORDER BY at LIMIT ?3)",
        )?
        .execute(params![grain as i64, grain.number(now) - grain.kept(), LEAVE])?;
    }
    Ok(())
}

/// The buckets of a grain from a number on, oldest first.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn rows(conn: &Connection, grain: Grain, from: i64) -> Result<Vec<(i64, Bucket)>> {
    conn.prepare_cached("SELECT at, data FROM series WHERE grain = ?1 AND at >= ?2 ORDER BY at")?
        .query_map(params![grain as i64, from], |row| {
            let text: String = row.get(1)?;
            Ok((row.get(0)?, Bucket::read(&text)))
        })?
        .collect()
}

/// When the file was first as long as is known since a time, and how long.
///
/// # Errors
/// Whatever `SQLite` says.
pub(super) fn first_file(conn: &Connection, since: Ms) -> Result<Option<(Ms, u64)>> {
    let grain = Grain::Quarter;
    let row: Option<(i64, String)> = conn
        .prepare_cached("SELECT at, data FROM series WHERE grain = ?1 AND at >= ?2 ORDER BY at LIMIT 1")?
        .query_row(params![grain as i64, grain.number(since)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let first = row.map(|(number, text)| ((number + 1) * grain.long(), Bucket::read(&text).file));
    Ok(first.filter(|(_, bytes)| *bytes > 0))
}
