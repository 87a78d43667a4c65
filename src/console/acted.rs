//! What came of marking rows and of verbs on them.

use super::app::{App, ListId, Screen, Tone};
use super::dialog::Kind;
use super::format::clock;
use super::list::MARKS;
use crate::model::ask::Acted;

/// What there is after the rows that were found to mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing.
    Nothing,
    /// More rows than are marked at once.
    More,
    /// Rows before this one that were not looked at yet.
    Unseen(String),
}

impl Rest {
    pub(super) fn of(next: Option<String>, partial: bool) -> Self {
        match next {
            Some(next) if partial => Self::Unseen(next),
            Some(_) => Self::More,
            None => Self::Nothing,
        }
    }
}

impl App {
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
            return;
        }
        for id in ids {
            if marks.len() < MARKS {
                marks.insert(id);
            }
        }
        if let Rest::Unseen(next) = rest
            && marks.len() < MARKS
        {
            return self.ask_for_marks(id, Some(next));
        }
        let count = super::format::count(marks.len() as u64);
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
