//! A list of which only a window is held: rows by id, follow, marks, pages by key.
//!
//! Rows are oldest first, as they are drawn. The list never asks by itself: it says what it wants
//! ([`List::wants`]), and takes what came ([`List::install`]).

use crate::model::time::Ms;
use std::collections::{BTreeSet, VecDeque};

mod arrivals;
mod hunt;
mod pages;

/// Most rows that are held.
pub const WINDOW: usize = 600;
/// Most rows that are asked for at once.
pub const PAGE: u32 = 200;
/// Most rows that can be marked.
pub const MARKS: usize = 1_000;

/// A row: an id and a time.
pub trait Item {
    /// Its id, whose order is the list's order.
    fn id(&self) -> &str;
    /// Its time.
    fn at(&self) -> Ms;
    /// Rows, oldest first, with those folded that are one in truth.
    #[must_use]
    fn fold(rows: VecDeque<Self>) -> VecDeque<Self>
    where
        Self: Sized,
    {
        rows
    }
}

/// A page that a list wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The newest; replaces what is held.
    Newest,
    /// Those before the first.
    Older,
    /// Those after the last.
    Newer,
    /// The first of all; replaces what is held.
    Oldest,
}

/// The window of a list.
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own; no two exclude each other")]
#[derive(Debug)]
pub struct List<T> {
    /// Oldest first.
    pub rows: VecDeque<T>,
    /// Rows after the last shown that were already read.
    pub held: VecDeque<T>,
    /// The selected row.
    pub selected: Option<String>,
    /// The newest row is selected and at the bottom.
    pub follow: bool,
    /// Position of the first drawn row.
    pub top: usize,
    /// Rows that fit.
    pub height: usize,
    /// Rows known to be newer than the last of `rows`; while it follows, those that are not read yet.
    pub below: u64,
    /// Where older rows go on; `None` at the oldest.
    pub older: Option<String>,
    /// The ids of marked rows.
    pub marks: BTreeSet<String>,
    /// Marks that `esc` cleared.
    pub cleared: BTreeSet<String>,
    /// Rows newer than this came while nobody looked…
    pub looked: Option<String>,
    /// …up to this one; `None` while still nobody looks.
    pub looked_to: Option<String>,
    /// The filter in force.
    pub filter: String,
    /// A filter that is being tried: in force once its first page came.
    pub trying: Option<String>,
    /// The filter is switched off.
    pub off: bool,
    /// When following stopped.
    pub stopped: Option<Ms>,
    /// Raised by each change of filter: answers to older questions are dropped.
    pub epoch: u32,
    /// The page that was asked for, with its epoch.
    pub asked: Option<(Wanted, u32)>,
    /// Rows that are one in truth are shown as one.
    pub folds: bool,
    /// Rows were read at least once.
    pub loaded: bool,
    /// Something arrived since the last page was asked for.
    pub stale: bool,
    /// Following cannot keep up: only the newest page is shown.
    pub racing: bool,
    /// How far the search for the filter came.
    hunt: Option<hunt::Hunt>,
    /// All rows up to this one were looked at, whether they match or not.
    seen: Option<String>,
    /// The newest row that is known of: rows up to this one were read or are counted in `below`.
    counted: Option<String>,
    /// What of `below` was told of when the last page was asked for.
    told: u64,
    /// Rows that changed and are not held: they may match now.
    changed: BTreeSet<String>,
    /// Rows that match now and wait for the page that is under way.
    late: Vec<T>,
    /// Where a gap goes on that is not at the last row: what was scanned and did not match.
    ahead: Option<String>,
    want: Option<Wanted>,
    take_one: bool,
    gap: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            rows: VecDeque::new(),
            held: VecDeque::new(),
            selected: None,
            follow: true,
            top: 0,
            height: 20,
            below: 0,
            older: None,
            marks: BTreeSet::new(),
            cleared: BTreeSet::new(),
            looked: None,
            looked_to: None,
            filter: String::new(),
            trying: None,
            off: false,
            stopped: None,
            epoch: 0,
            asked: None,
            folds: false,
            loaded: false,
            stale: false,
            racing: false,
            hunt: None,
            seen: None,
            counted: None,
            told: 0,
            changed: BTreeSet::new(),
            late: Vec::new(),
            ahead: None,
            want: Some(Wanted::Newest),
            take_one: false,
            gap: false,
        }
    }
}

impl<T: Item> List<T> {
    /// The filter as it is sent: empty while it is off.
    #[must_use]
    pub fn filter_in_force(&self) -> &str {
        match &self.trying {
            Some(text) => text,
            None if self.off => "",
            None => &self.filter,
        }
    }

    /// Position of the selected row.
    #[must_use]
    pub fn position(&self) -> Option<usize> {
        let id = self.selected.as_deref()?;
        self.rows.binary_search_by(|row| row.id().cmp(id)).ok()
    }

    /// The selected row.
    #[must_use]
    pub fn current(&self) -> Option<&T> {
        self.rows.get(self.position()?)
    }

    /// Rows that fit above the line that counts what is below.
    #[must_use]
    pub fn page(&self) -> usize {
        let counted = usize::from(!self.follow && self.below > 0);
        self.height.saturating_sub(counted).max(1)
    }

    /// The rows to draw.
    pub fn visible(&self) -> impl Iterator<Item = &T> {
        self.rows.iter().skip(self.top).take(self.page())
    }

    /// Whether a row is new since the person looked.
    #[must_use]
    pub fn is_new(&self, id: &str) -> bool {
        self.looked.as_deref().is_some_and(|looked| id > looked)
            && self.looked_to.as_deref().is_none_or(|to| id <= to)
    }

    /// The person looks away: what comes from now on is new.
    pub fn leave(&mut self) {
        self.looked = self.newest_id().map(str::to_owned);
        self.looked_to = None;
    }

    /// The person looks, and the list is up to date: what comes from now on is seen coming.
    pub fn look(&mut self) {
        if self.looked.is_some() && self.looked_to.is_none() {
            self.looked_to = self.newest_id().map(str::to_owned);
        }
    }

    /// What was asked for will not be answered: it is asked for again.
    pub fn unanswered(&mut self) {
        if let Some((wanted, _)) = self.asked.take() {
            self.want = Some(wanted);
            self.epoch += 1;
        }
    }

    /// Moves the selection; upwards stops following.
    pub fn step(&mut self, rows: isize, now: Ms) {
        if rows < 0 {
            self.stop(now);
            if self.position().unwrap_or(0) == 0 {
                self.resume_hunt();
            }
        }
        let Some(at) = self.position() else {
            self.selected = self.rows.back().map(|row| row.id().to_owned());
            return self.settle();
        };
        let last = self.rows.len() - 1;
        if rows > 0 && at == last && !self.follow {
            for _ in 0..rows {
                self.take_below();
            }
        }
        let last = self.rows.len() - 1;
        let to = at.saturating_add_signed(rows).min(last);
        self.select(to);
    }

    /// To the first row that there is: read from the other end where it is not held.
    pub fn to_top(&mut self, now: Ms) {
        self.stop(now);
        if self.older.is_some() {
            self.epoch += 1;
            self.asked = None;
            self.hunt = None;
            self.want = Some(Wanted::Oldest);
        } else {
            self.select(0);
        }
    }

    /// Whether the rows end before the newest: there is more after the last one that is held.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.loaded && self.older.is_none() && !self.gap && self.below == 0
    }

    /// Jumps to the newest; following or not.
    pub fn to_newest(&mut self, follow: bool, now: Ms) {
        // Whoever was on the way to the first no longer is.
        if self.want == Some(Wanted::Oldest) {
            self.want = None;
        }
        if self.asked.is_some_and(|(wanted, _)| wanted == Wanted::Oldest) {
            self.asked = None;
            self.epoch += 1;
        }
        let fresh = (self.follow || self.below == 0) && !self.gap && self.held.is_empty() && self.loaded;
        if follow {
            self.follow = true;
            self.stopped = None;
        } else {
            self.stop(now);
        }
        if fresh {
            self.select_last();
        } else {
            self.want = Some(Wanted::Newest);
            self.selected = None;
        }
    }

    /// Stops following.
    pub fn stop(&mut self, now: Ms) {
        if self.follow {
            self.follow = false;
            self.racing = false;
            self.stopped = Some(now);
            self.settle();
        }
    }

    /// Tries another filter; the one in force stays until the first page came.
    pub fn try_filter(&mut self, text: &str) {
        self.trying = Some(text.trim().to_owned());
        self.restart();
    }

    /// Reads the newest page again: another filter, the filter off or on, a resync.
    pub fn restart(&mut self) {
        self.epoch += 1;
        self.late.clear();
        self.asked = None;
        self.hunt = None;
        self.want = Some(Wanted::Newest);
        self.stale = false;
    }

    /// The filter that was tried is refused: the last valid one stays.
    pub fn refuse_filter(&mut self) {
        self.trying = None;
        self.asked = None;
        self.epoch += 1;
    }

    /// The page to ask for now, if any; the caller asks for it. `data` also asks for what arrived.
    pub fn wants(&mut self, data: bool) -> Option<Wanted> {
        if self.asked.is_some() {
            return None;
        }
        if data && self.stale && self.want.is_none() {
            self.stale = false;
            if self.follow {
                // Few rows match: all of them are read, and nothing is searched twice.
                let racing = self.racing && !self.is_sparse();
                let anew = racing || self.gap || (self.rows.is_empty() && !self.is_sparse());
                self.want = Some(if anew { Wanted::Newest } else { Wanted::Newer });
            } else if !self.filter_in_force().is_empty() && self.held.len() < PAGE as usize {
                self.want = Some(Wanted::Newer);
            }
        }
        let stopped = self.hunt_stopped().is_some();
        if self.want.is_none() && !stopped && self.wants_older() {
            self.want = Some(Wanted::Older);
        }
        if self.want.is_none() && !stopped && self.wants_ahead() {
            self.want = Some(Wanted::Newer);
        }
        let mut wanted = self.want.take()?;
        if wanted == Wanted::Newer && self.newer_from().is_none() {
            wanted = Wanted::Newest;
        }
        self.asked = Some((wanted, self.epoch));
        self.told = self.below;
        Some(wanted)
    }

    /// The newest row that was read.
    #[must_use]
    pub fn newest_id(&self) -> Option<&str> {
        self.held.back().or(self.rows.back()).map(Item::id)
    }

    /// Takes a page in. `rows` is oldest first; `next` is where the page goes on.
    /// False where the answer is to an older question.
    pub fn install(&mut self, wanted: Wanted, epoch: u32, rows: Vec<T>, next: Option<String>) -> bool {
        if self.asked != Some((wanted, epoch)) {
            return false;
        }
        self.asked = None;
        if let Some(filter) = self.trying.take() {
            self.filter = filter;
            self.off = false;
        }
        match wanted {
            Wanted::Newest => self.replace(rows, next),
            Wanted::Older => self.prepend(rows, next),
            Wanted::Newer => {
                let more = next.is_some();
                self.ahead = next;
                self.append(rows, more);
            }
            Wanted::Oldest => self.begin(rows, next),
        }
        self.loaded = true;
        self.fold();
        self.count_read(wanted);
        self.settle();
        true
    }

    /// A row as it is now, where it is held: in place, never elsewhere.
    pub fn refresh(&mut self, row: T) -> bool {
        if let Ok(at) = self.rows.binary_search_by(|held| held.id().cmp(row.id())) {
            self.rows[at] = row;
            return true;
        }
        false
    }

    /// Marks or unmarks the selected row and goes on to the next.
    pub fn toggle_mark(&mut self, now: Ms) {
        let Some(id) = self.selected.clone() else { return };
        if !self.marks.remove(&id) && self.marks.len() < MARKS {
            self.marks.insert(id);
        }
        self.stop(now);
        if self.position().is_some_and(|at| at + 1 < self.rows.len()) {
            self.step(1, now);
        }
    }

    /// Clears the marks; how many there were.
    pub fn clear_marks(&mut self) -> usize {
        if !self.marks.is_empty() {
            self.cleared = std::mem::take(&mut self.marks);
            return self.cleared.len();
        }
        0
    }

    /// Brings cleared marks back; how many.
    pub fn restore_marks(&mut self) -> usize {
        let back = std::mem::take(&mut self.cleared);
        let count = back.len();
        self.marks.extend(back);
        count
    }

    /// Switches the filter off, or on again.
    pub fn toggle_filter(&mut self) {
        self.off = !self.off;
        self.trying = None;
        self.restart();
    }

    /// Sets how many rows fit.
    pub fn resize(&mut self, height: usize) {
        if self.height != height {
            self.height = height;
            self.settle();
        }
    }

    fn select(&mut self, at: usize) {
        self.selected = self.rows.get(at).map(|row| row.id().to_owned());
        self.settle();
    }

    fn select_last(&mut self) {
        self.selected = self.rows.back().map(|row| row.id().to_owned());
        self.settle();
    }

    /// Keeps the selected row in view, and the view inside of the rows.
    fn settle(&mut self) {
        let page = self.page();
        let most = self.rows.len().saturating_sub(page);
        if self.follow {
            self.top = most;
            return;
        }
        if self.selected.is_some() && self.position().is_none() && !self.rows.is_empty() {
            // Its row is gone: the next newer one, else the last.
            let id = self.selected.as_deref().unwrap_or_default();
            let at = self.rows.partition_point(|row| row.id() < id).min(self.rows.len() - 1);
            self.selected = self.rows.get(at).map(|row| row.id().to_owned());
        }
        if let Some(at) = self.position() {
            if at < self.top {
                self.top = at;
            } else if at >= self.top + page {
                self.top = at + 1 - page;
            }
        }
        self.top = self.top.min(most);
    }
}

#[cfg(test)]
mod tests;
