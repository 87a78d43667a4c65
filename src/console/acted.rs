//! What came of marking rows and of verbs on them.

use super::app::{App, Dirt, ListId, Screen, Tone};
use super::asks::Want;
use super::dialog::Kind;
use super::format::clock;
use super::list::MARKS;
use crate::model::ask::{Acted, Rows};

/// What there is after the rows that were found to mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing.
    Nothing,
    /// More rows than are marked at once.
    More,
    /// Rows before this one that were not looked at yet, and how far the search came, in percent.
    Unseen(String, Option<u8>),
}

impl Rest {
    pub(super) fn of<T>(rows: &Rows<T>) -> Self {
        match &rows.next {
            Some(next) if rows.partial => Self::Unseen(next.clone(), rows.percent),
            Some(_) => Self::More,
            None => Self::Nothing,
        }
    }
}

/// Rows that are being marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marking {
    /// The list.
    pub list: ListId,
    /// How far the search for them came, in percent; none before its first part.
    pub percent: Option<u8>,
    /// How many were found.
    pub found: usize,
}

impl App {
    /// Stops a search for rows to mark: those that were found stay marked. Whether there was one.
    pub(super) fn stop_marking(&mut self) -> bool {
        let Some(marking) = self.marking.take() else { return false };
        self.asks.drop_wants(|want| matches!(want, Want::Marks(..)));
        let at = marking.percent.map_or_else(String::new, |percent| format!(" at {percent} %"));
        let found = super::format::count(marking.found as u64);
        self.toast(Tone::Info, format!("stopped{at}: {found} found and marked, the newest"));
        true
    }

    /// Marks what a filter matched.
    pub(super) fn mark(&mut self, id: ListId, epoch: u32, ids: Vec<String>, rest: &Rest) {
        let now = self.now;
        let marked = match id {
            ListId::LiveRequests | ListId::Requests => {
                self.request_list(id).map(|list| (&mut list.marks, list.epoch))
            }
            ListId::LiveRuns | ListId::Runs => self.run_list(id).map(|list| (&mut list.marks, list.epoch)),
            ListId::Callbacks => Some((&mut self.board.marks, self.board.epoch)),
        };
        let Some((marks, current)) = marked else { return };
        if current != epoch {
            // The filter is another one: its question goes on alone.
            self.marking = None;
            return;
        }
        let found = ids.len();
        for id in ids {
            if marks.len() < MARKS {
                marks.insert(id);
            }
        }
        if let Rest::Unseen(next, percent) = rest
            && marks.len() < MARKS
        {
            let before = self.marking.take().map_or(0, |marking| marking.found);
            self.ask_for_marks(id, Some(next));
            self.marking = Some(Marking { list: id, percent: *percent, found: before + found });
            return self.touch(Dirt::Data);
        }
        let count = super::format::count(marks.len() as u64);
        self.marking = None;
        let text = if *rest == Rest::Nothing {
            format!("{count} marked: all that the filter matched at {}", clock(now, now, &self.options.zone))
        } else {
            format!(
                "{count} marked, the newest: more are not marked at once. A narrower filter marks the rest"
            )
        };
        self.toast(Tone::Info, text);
    }

    /// A verb was done.
    pub(super) fn acted(&mut self, kind: Kind, acted: &Acted) {
        self.overlay = None;
        if acted.done > 0 {
            let said = acted.lines.first().cloned();
            self.toast(
                Tone::Good,
                said.unwrap_or_else(|| format!("{}: {} done", kind.word(), super::format::count(acted.done))),
            );
            self.unmark();
        }
        if let Some((id, why)) = acted.refused.first() {
            let more = acted.refused.len() - 1;
            let short = crate::model::id::short(id);
            let more = if more > 0 { format!(" ({more} more were refused)") } else { String::new() };
            self.toast(Tone::Bad, format!("{short}: {why}{more}"));
        } else if acted.done == 0 {
            self.toast(Tone::Info, "Nothing was done.");
        }
        self.reload_panes();
    }

    /// What was marked was acted on.
    pub(super) fn unmark(&mut self) {
        for id in self.shown_lists() {
            if let Some(list) = self.run_list(*id) {
                list.marks.clear();
            } else if let Some(list) = self.request_list(*id) {
                list.marks.clear();
            }
        }
        if self.screen == Screen::Callbacks {
            self.board.marks.clear();
        }
    }
}
