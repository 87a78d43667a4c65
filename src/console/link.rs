//! The link to the desk: up, down, and what that means for what is shown.

use super::app::{App, Dirt, Overlay, Tone};
use super::format::age;
use super::list::Item as _;
use crate::session::Link;

impl App {
    /// The link changed.
    pub(super) fn linked(&mut self, link: Link) {
        let was_down = matches!(self.link.0, Link::Down(_));
        match (&link, was_down) {
            (Link::Live, true) => {
                let down = age(self.now - self.link.1);
                self.link = (link, self.now);
                self.toast(Tone::Good, format!("link up after {down}"));
                self.ask_counters();
                self.resync();
                self.editor_resumes();
            }
            (Link::Live, false) | (Link::Down(_), true) => self.link.0 = link,
            (Link::Down(_), false) => {
                self.link = (link, self.now);
                self.asks.forget();
                for list in [&mut self.live.requests, &mut self.requests.list] {
                    list.unanswered();
                }
                for list in [&mut self.live.runs, &mut self.runs.list] {
                    list.unanswered();
                }
                self.editor_unsaves();
                if let Some(Overlay::Verb(_)) = self.overlay {
                    self.close_dialog();
                    self.toast(Tone::Bad, "The link went down: whether it was done is not known.");
                }
            }
        }
        self.touch(Dirt::Input);
    }

    /// Something was lost: what follows reads its newest page, what is stopped its shown rows.
    pub fn resync(&mut self) {
        for list in [&mut self.live.requests, &mut self.requests.list] {
            list.stale = true;
            if list.follow {
                list.restart();
            }
        }
        for list in [&mut self.live.runs, &mut self.runs.list] {
            list.stale = true;
            if list.follow {
                list.restart();
            } else {
                self.moved.extend(list.visible().map(|row| row.id().to_owned()));
            }
        }
        self.reload_panes();
    }

    /// Panes read again what they show.
    pub fn reload_panes(&mut self) {
        self.asks.had.clear();
        self.runs.group.id = None;
        self.needs.stale = true;
        self.board.stale = true;
        self.board.pane.stale = true;
        self.tree.stale = true;
        self.overview.wants = true;
        self.behind = true;
    }
}
