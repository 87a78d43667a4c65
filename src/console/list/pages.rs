//! How pages join what is held: newest, older, newer, and the first of all.

use super::{Item, List, WINDOW, Wanted};

impl<T: Item> List<T> {
    pub(super) fn replace(&mut self, rows: Vec<T>, next: Option<String>) {
        self.rows = rows.into();
        self.held.clear();
        self.older = next;
        self.gap = false;
        self.ahead = None;
        let kept = self.selected.as_ref().is_some_and(|_| self.position().is_some());
        if self.follow || !kept {
            self.select_last();
        }
    }

    /// The first page of all: what follows is read as it is looked at.
    pub(super) fn begin(&mut self, rows: Vec<T>, next: Option<String>) {
        self.rows = rows.into();
        self.held.clear();
        self.older = None;
        self.gap = next.is_some();
        if !self.gap {
            self.below = 0;
        }
        self.ahead = next;
        self.top = 0;
        self.select(0);
    }

    pub(super) fn prepend(&mut self, rows: Vec<T>, next: Option<String>) {
        let first = self.rows.front().map(|row| row.id().to_owned());
        let mut added = 0;
        for row in rows.into_iter().rev() {
            if first.as_deref().is_none_or(|first| row.id() < first) {
                self.rows.push_front(row);
                added += 1;
            }
        }
        self.older = next;
        self.top += added;
        while self.rows.len() > WINDOW {
            self.rows.pop_back();
            self.gap = true;
            self.ahead = None;
        }
        if self.gap {
            self.held.clear();
        }
        if self.selected.is_none() {
            self.select_last();
        }
    }

    pub(super) fn append(&mut self, rows: Vec<T>, more: bool) {
        let last = self.newest_id().map(str::to_owned);
        let fresh = rows.into_iter().filter(|row| last.as_deref().is_none_or(|last| row.id() > last));
        if self.follow || self.gap {
            self.rows.extend(fresh);
            self.gap = self.gap && more;
            self.stale |= more && self.follow;
            self.trim_front();
            if self.follow {
                self.select_last();
            } else if self.selected.is_none() && !self.rows.is_empty() {
                self.select(0);
            }
        } else {
            let (before, told) = (self.held.len(), self.counted.clone());
            self.held.extend(fresh);
            self.held.truncate(WINDOW);
            let untold = self.held.iter().skip(before).filter(|row| Some(row.id()) > told.as_deref());
            self.count_held(untold.count(), more);
            if std::mem::take(&mut self.take_one)
                && let Some(row) = self.held.pop_front()
            {
                self.below = self.below.saturating_sub(1);
                self.rows.push_back(row);
                self.trim_front();
                self.select_last();
            }
        }
    }

    /// `j` past the last row: takes in what is below, one by one.
    pub(super) fn take_below(&mut self) {
        if let Some(row) = self.held.pop_front() {
            self.below = self.below.saturating_sub(1);
            self.rows.push_back(row);
            self.trim_front();
            self.fold();
        } else if self.below > 0 && !self.gap && self.asked.is_none() {
            self.take_one = true;
            self.want = Some(Wanted::Newer);
        }
    }

    /// Folds what is held, where that is wanted. What was selected and is gone gives way to the row
    /// that stands for it, or the one after it.
    pub(super) fn fold(&mut self) {
        if !self.folds {
            return;
        }
        self.rows = T::fold(std::mem::take(&mut self.rows));
        let Some(id) = self.selected.as_deref() else { return };
        if let Err(after) = self.rows.binary_search_by(|row| row.id().cmp(id))
            && !self.rows.is_empty()
        {
            self.select(after.min(self.rows.len() - 1));
        }
    }

    pub(super) fn trim_front(&mut self) {
        let extra = self.rows.len().saturating_sub(WINDOW);
        if extra > 0 {
            self.rows.drain(..extra);
            self.top = self.top.saturating_sub(extra);
            self.older = self.rows.front().map(|row| row.id().to_owned());
        }
    }
}
