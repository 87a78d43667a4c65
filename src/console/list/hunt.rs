//! A search that takes several parts: how far it came, and that a person stopped it. What was found
//! stays, and the list knows where it would go on.

use super::{Item, List, Wanted};

/// How far the search for a filter came that no index serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hunt {
    /// In percent of what the filter can reach.
    percent: u8,
    /// The last part ended because its time was up: another one follows.
    on: bool,
    /// A person stopped it.
    stopped: bool,
}

impl<T: Item> List<T> {
    /// What a page that was taken in tells of the search.
    pub fn came(&mut self, wanted: Wanted, percent: Option<u8>, newest: Option<String>) {
        if wanted == Wanted::Newest {
            self.seen = None;
            self.hunt = None;
        }
        // Where nothing matches it is still known what was looked at.
        if matches!(wanted, Wanted::Newest | Wanted::Newer) && !self.gap {
            let upto = self.ahead.clone().filter(|_| wanted == Wanted::Newer).or(newest);
            self.seen = self.seen.take().max(upto);
        }
        // What comes behind the newest is no part of the search.
        if wanted == Wanted::Newer && !self.gap {
            return;
        }
        match (percent, &mut self.hunt) {
            (Some(percent), hunt) => *hunt = Some(Hunt { percent, on: true, stopped: false }),
            (None, Some(hunt)) => hunt.on = false,
            (None, None) => {}
        }
    }

    /// After which id newer rows are asked for, with what was scanned without a match.
    #[must_use]
    pub fn newer_from(&self) -> Option<&str> {
        // What is held was read without a gap: the next is the one after the last of it.
        let ahead = self.ahead.as_deref().filter(|_| self.gap || self.rows.is_empty());
        // What did not match may come to match: only where few do, looking again costs too much.
        let seen = self.seen.as_deref().filter(|_| !self.gap && self.is_sparse());
        ahead.max(self.newest_id()).max(seen)
    }

    /// How far a search came that is under way, in percent.
    #[must_use]
    pub fn hunting(&self) -> Option<u8> {
        let hunt = self.hunt.filter(|hunt| hunt.on && !hunt.stopped)?;
        self.reads_on().then_some(hunt.percent)
    }

    /// How far a search had come when a person stopped it.
    #[must_use]
    pub fn hunt_stopped(&self) -> Option<u8> {
        self.hunt.filter(|hunt| hunt.stopped).map(|hunt| hunt.percent)
    }

    /// Whether this filter's rows are so few that they are searched for in parts.
    #[must_use]
    pub fn is_sparse(&self) -> bool {
        self.hunt.is_some()
    }

    /// Stops a search that is under way; whether there was one. What is being read is not waited for.
    pub fn stop_hunt(&mut self) -> bool {
        if self.hunting().is_none() {
            return false;
        }
        if let Some(hunt) = &mut self.hunt {
            hunt.stopped = true;
        }
        self.asked = None;
        self.epoch += 1;
        true
    }

    /// Goes on with a search that was stopped.
    pub fn resume_hunt(&mut self) {
        if let Some(hunt) = &mut self.hunt {
            hunt.stopped = false;
        }
    }

    /// Whether rows are wanted that lie further on in the direction of reading.
    fn reads_on(&self) -> bool {
        self.wants_older() || self.wants_ahead()
    }

    /// Whether what is held does not fill the screen upwards.
    pub(super) fn wants_older(&self) -> bool {
        self.top < self.height && self.older.is_some() && self.loaded
    }

    /// Whether what was begun at the other end does not fill it downwards.
    pub(super) fn wants_ahead(&self) -> bool {
        self.gap && self.top + 2 * self.height >= self.rows.len()
    }
}
