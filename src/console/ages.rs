//! What changes by itself as time passes, and what a flushed frame confirms.

use super::app::{App, Dirt, FRESH, Overlay, Screen, TOAST, Tone};
use super::list::List;
use crate::model::time::{MINUTE, Ms, SECOND};
use crate::session::Link;

impl App {
    /// When something changes by itself, if anything does.
    #[must_use]
    pub fn next_age(&self) -> Option<Ms> {
        self.shown_age().into_iter().chain(self.overview_age()).min()
    }

    /// When something that is shown changes by the time alone.
    fn shown_age(&self) -> Option<Ms> {
        let toast = self.toasts.iter().filter(|toast| toast.tone != Tone::Bad).map(|toast| toast.at + TOAST);
        let fresh = match self.screen {
            Screen::Live => Some(&self.live.runs),
            Screen::Runs => Some(&self.runs.list),
            _ => None,
        };
        let fresh = fresh
            .into_iter()
            .flat_map(List::visible)
            .filter_map(|row| row.moved)
            .map(|at| at + FRESH)
            .filter(|at| *at > self.now);
        let standing = match &self.overlay {
            Some(Overlay::Verb(dialog)) => dialog.due,
            _ => None,
        };
        let typing = self.filter.as_ref().and_then(|filter| filter.due).or(standing);
        let silent = self.silent_since().map(|since| {
            let minutes = (self.now - since).max(0) / MINUTE + 1;
            since + minutes * MINUTE
        });
        let late = (self.screen == Screen::Live && !self.needs.overdue.is_empty())
            .then(|| self.now - self.now.rem_euclid(MINUTE) + MINUTE);
        let down = matches!(self.link.0, Link::Down(_)).then(|| {
            let tens = (self.now - self.link.1).max(0) / (10 * SECOND) + 1;
            let tens = self.link.1 + tens * 10 * SECOND;
            self.line.next.map_or(tens, |(at, _)| if at > self.now { tens.min(at) } else { tens })
        });
        let open = self.table().and_then(|table| table.next_age(self.now));
        let board = (self.screen == Screen::Callbacks).then(|| self.board.next_age(self.now)).flatten();
        let traffic = self.next_traffic();
        let edited = self.editor_age().into_iter().chain(self.guide_age());
        let panes = self.panes_age();
        let wrote = self.wrote.next_age(self.now);
        toast
            .chain(traffic)
            .chain(edited)
            .chain(panes)
            .chain(wrote)
            .chain(open)
            .chain(board)
            .chain(fresh)
            .chain(typing)
            .chain(silent)
            .chain(late)
            .chain(down)
            .min()
    }

    /// Since when nothing was accepted, where that is a minute or more, or will be one.
    #[must_use]
    pub fn silent_since(&self) -> Option<Ms> {
        let counters = self.counters.as_ref()?;
        if counters.recent > 0 { None } else { counters.last_accepted }
    }

    /// Time passed: old toasts leave, a typed filter is tried. Where figures are only to be asked for
    /// nothing is drawn until they come.
    pub fn tick(&mut self) {
        let now = self.now;
        let due = |at: Option<Ms>| at.is_some_and(|at| at <= now);
        let unseen = due(self.overview_age()) && !due(self.shown_age());
        self.toasts.retain(|toast| toast.tone == Tone::Bad || toast.at + TOAST > now);
        self.try_typed(false);
        self.replan();
        self.age_traffic();
        if !unseen {
            self.touch(Dirt::Input);
        }
        self.settle();
    }

    /// A frame was flushed: what it showed may be confirmed now.
    pub fn flushed(&mut self) {
        self.dirt = Dirt::Clean;
        if let Some(guide) = self.guide.as_mut().filter(|_| self.overlay.is_none()) {
            guide.armed = guide.busy.is_none();
        }
        match &mut self.overlay {
            Some(Overlay::Verb(dialog)) => dialog.flushed(),
            Some(Overlay::Quit { armed, .. }) => *armed = true,
            Some(Overlay::Write(open)) => open.flushed(),
            _ => {}
        }
    }
}

impl App {
    /// Whether rows arrive faster than ten a second, so that frames take them in whole.
    #[must_use]
    pub fn is_fast(&self) -> bool {
        self.counters.as_ref().is_some_and(|counters| counters.recent > 100)
    }
}
