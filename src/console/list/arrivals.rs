//! What comes while a list is shown: rows that arrive are counted until they are read, rows that
//! changed and match now take their place.

use super::{Item, List, PAGE, WINDOW, Wanted};
use std::collections::{BTreeSet, VecDeque};

/// Most rows of which is remembered that they changed.
const CHANGED: usize = 4_096;

impl<T: Item> List<T> {
    /// So many rows arrived (before any filter), of which this one is the newest.
    pub fn arrived(&mut self, rows: u64, newest: Option<&str>) {
        self.stale = true;
        self.racing = if self.follow { rows > u64::from(PAGE) } else { self.racing };
        // What was read before it was told of is counted by who read it.
        if !self.filter_in_force().is_empty() || newest.is_some_and(|newest| newest <= self.known()) {
            return;
        }
        self.below += rows;
        self.counted = newest.map(str::to_owned).or(self.counted.take());
        if !self.follow {
            // The line that counts them takes a row: the selected one stays in view.
            self.settle();
        }
    }

    /// Rows that are held have changed: who follows reads the newest page anew.
    pub fn changed(&mut self) {
        if self.follow {
            self.stale = true;
            self.racing = true;
        }
    }

    /// Rows moved, of which those after the last known one arrived; how many did. A row that moves
    /// again did not arrive again.
    pub fn moved<'i>(&mut self, ids: impl Iterator<Item = &'i String>) {
        let known = self.known().to_owned();
        let ids: Vec<&String> = ids.collect();
        if !self.filter_in_force().is_empty() {
            let others: Vec<String> = ids.iter().filter(|id| !self.holds(id)).copied().cloned().collect();
            self.changed.extend(others);
            while self.changed.len() > CHANGED {
                self.changed.pop_first();
            }
        }
        let fresh: BTreeSet<&String> = ids.into_iter().filter(|id| id.as_str() > known.as_str()).collect();
        let Some(last) = fresh.last() else { return };
        self.arrived(fresh.len() as u64, Some(last));
        // Under a filter nothing is counted, and still no row arrives twice.
        self.counted = self.counted.take().max(Some((*last).clone()));
    }

    /// What arrived was lost: who follows reads the newest page, who does not has what is behind the
    /// last row counted by reading it.
    pub fn lost(&mut self) {
        self.stale = true;
        if self.follow {
            self.restart();
        } else if !self.gap && self.held.len() < PAGE as usize && self.want.is_none() {
            self.want = Some(Wanted::Newer);
        }
    }

    /// The newest row that is known of.
    fn known(&self) -> &str {
        self.newest_id().max(self.counted.as_deref()).unwrap_or_default()
    }

    /// A page was read: the newest of it is known from now on, and what was told of before it was asked
    /// for waits no more to be read.
    pub(super) fn count_read(&mut self, wanted: Wanted) {
        let newest = self.newest_id().map(str::to_owned);
        if wanted == Wanted::Newest || wanted == Wanted::Newer && self.follow {
            let all = newest >= self.counted;
            self.below = if all { 0 } else { self.below.saturating_sub(self.told) };
        }
        self.counted = self.counted.take().max(newest);
        for row in std::mem::take(&mut self.late) {
            self.join(row);
        }
    }

    /// Rows after the last one were read and are held: those that nobody told of count from now on, and
    /// where nothing was left out they are all that there are.
    pub(super) fn count_held(&mut self, untold: usize, more: bool) {
        if !self.filter_in_force().is_empty() || (!more && self.held.len() < WINDOW) {
            self.below = self.held.len() as u64;
        } else {
            self.below = (self.below + untold as u64).max(self.held.len() as u64);
        }
    }

    /// Whether rows changed that are not held.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Some of the rows that changed and are not held: whether they match now is to be asked.
    pub fn changed_ones(&mut self, most: usize) -> Vec<String> {
        if self.filter_in_force().is_empty() {
            self.changed.clear();
        }
        (0..most).map_while(|_| self.changed.pop_last()).collect()
    }

    /// A row that did not match when its page was read and does now takes its place. Nothing moves under
    /// the cursor: rows above the selected one go up, and what is after the last is counted.
    pub fn join(&mut self, row: T) {
        if self.holds(row.id()) {
            return;
        }
        if !self.is_read(row.id()) {
            // The page that is under way was perhaps read before it changed.
            if self.asked.is_some() && self.late.len() < PAGE as usize {
                self.late.push(row);
            }
            return;
        }
        let last = self.rows.back().is_none_or(|last| last.id() < row.id());
        if last && !self.follow && !self.gap {
            let at = self.held.partition_point(|held| held.id() < row.id());
            self.held.insert(at, row);
            self.held.truncate(WINDOW);
            self.below = self.held.len() as u64;
        } else {
            let at = self.rows.partition_point(|held| held.id() < row.id());
            self.rows.insert(at, row);
            if at < self.top || self.position().is_some_and(|selected| at < selected) {
                self.top += 1;
            }
            self.trim_front();
            if self.follow {
                self.select_last();
            } else if self.selected.is_none() {
                self.select(0);
            }
        }
        self.settle();
    }

    fn holds(&self, id: &str) -> bool {
        let has = |rows: &VecDeque<T>| rows.binary_search_by(|row| row.id().cmp(id)).is_ok();
        has(&self.rows) || has(&self.held)
    }

    /// Whether a row lies in what was read, so that no page brings it any more.
    fn is_read(&self, id: &str) -> bool {
        let seen = if self.gap { &self.ahead } else { &self.seen };
        let to = seen.as_deref().max(self.newest_id()).unwrap_or_default();
        self.loaded && id >= self.older.as_deref().unwrap_or_default() && id <= to
    }
}
