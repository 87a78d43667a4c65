//! The board: callbacks by urgency, of which a page is held; its filter, its marks, and the pane of
//! the selected one ([`pane`]).
//!
//! Rows come sorted from the desk. The selection is an id: what comes above it moves the view, not
//! the row under the cursor.

use super::app::{App, Dirt, ListId, Screen, Tone};
use super::asks::Want;
use super::countdown;
use super::list::MARKS;
use super::worklist::Need;
use crate::model::ask::{Ask, Page, Rows};
use crate::model::run::CallbackState;
use crate::model::time::{Ms, parse_rfc3339};
use crate::model::view::CallbackView;
use std::collections::BTreeSet;

pub mod pane;

pub use pane::BoardPane;

/// The filter that it begins with.
pub const OPEN: &str = "state:pending or state:expired";
/// Rows that are asked for first, and by how many more at the end of them.
const PAGE: u32 = 200;
/// Most rows that are held.
const MOST: u32 = 1_000;

/// A callback on the board.
#[derive(Debug, Clone, PartialEq)]
pub struct UrgentRow {
    /// As the desk gave it.
    pub view: CallbackView,
    /// Until when it may be answered.
    pub deadline: Ms,
    /// When it was made.
    pub created: Ms,
    /// It is selected and does not match any more: it stays until the cursor leaves it.
    pub left: bool,
}

impl From<CallbackView> for UrgentRow {
    fn from(view: CallbackView) -> Self {
        let read = |time: &str| parse_rfc3339(time).unwrap_or_default();
        let (deadline, created) = (read(&view.deadline), read(&view.created));
        Self { view, deadline, created, left: false }
    }
}

impl UrgentRow {
    /// Whether its time goes on: it waits, or it is late.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.view.state == CallbackState::Pending || self.view.overdue
    }

    /// Whether less than a tenth of its time is left.
    #[must_use]
    pub fn is_short(&self, now: Ms) -> bool {
        self.view.state == CallbackState::Pending && (self.deadline - now) * 10 < self.deadline - self.created
    }
}

/// The board.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own; no two exclude each other")]
pub struct Board {
    /// The most urgent first.
    pub rows: Vec<UrgentRow>,
    /// The selected row.
    pub selected: Option<String>,
    /// Position of the first drawn row.
    pub top: usize,
    /// Rows that fit.
    pub height: usize,
    /// The ids of marked rows.
    pub marks: BTreeSet<String>,
    /// Marks that `esc` cleared.
    pub cleared: BTreeSet<String>,
    /// The filter in force.
    pub filter: String,
    /// A filter that is being tried.
    pub trying: Option<String>,
    /// The filter is switched off.
    pub off: bool,
    /// Raised by each change of filter: answers to older questions are dropped.
    pub epoch: u32,
    /// There are more than are held.
    pub more: bool,
    /// Rows were read at least once.
    pub loaded: bool,
    /// Something changed since they were read.
    pub stale: bool,
    /// They are read at once, and not at the pace of data.
    pub wants: bool,
    /// The selected one.
    pub pane: BoardPane,
    limit: u32,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            selected: None,
            top: 0,
            height: 10,
            marks: BTreeSet::new(),
            cleared: BTreeSet::new(),
            filter: OPEN.to_owned(),
            trying: None,
            off: false,
            epoch: 0,
            more: false,
            loaded: false,
            stale: true,
            wants: true,
            pane: BoardPane::default(),
            limit: PAGE,
        }
    }
}

impl Board {
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
        self.rows.iter().position(|row| row.view.id == id)
    }

    /// The selected row.
    #[must_use]
    pub fn current(&self) -> Option<&UrgentRow> {
        self.rows.get(self.position()?)
    }

    /// The rows that are drawn.
    pub fn visible(&self) -> impl Iterator<Item = &UrgentRow> {
        self.rows.iter().skip(self.top).take(self.height.max(1))
    }

    /// Sets how many rows fit.
    pub fn resize(&mut self, height: usize) {
        self.height = height;
        self.scroll();
    }

    /// Moves the selection; at the end of what is held more is asked for.
    pub fn step(&mut self, rows: isize) {
        if self.rows.is_empty() {
            return;
        }
        let last = self.rows.len() - 1;
        let at = self.position().map_or(0, |at| at.saturating_add_signed(rows).min(last));
        let id = self.rows[at].view.id.clone();
        if at == last && self.more && self.limit < MOST {
            self.limit = (self.limit + PAGE).min(MOST);
            self.wants = true;
        }
        // What no longer matched stayed for the cursor alone.
        self.rows.retain(|row| !row.left || row.view.id == id);
        self.selected = Some(id);
        self.scroll();
    }

    fn scroll(&mut self) {
        let page = self.height.max(1);
        let at = self.position().unwrap_or(0);
        if at < self.top {
            self.top = at;
        } else if at >= self.top + page {
            self.top = at + 1 - page;
        }
        self.top = self.top.min(self.rows.len().saturating_sub(page));
    }

    /// Marks the selected row, or takes its mark away, and goes one down.
    pub fn toggle_mark(&mut self) {
        if let Some(id) = self.selected.clone() {
            if !self.marks.remove(&id) && self.marks.len() < MARKS {
                self.marks.insert(id);
            }
            self.step(1);
        }
    }

    /// Clears the marks; how many there were.
    pub fn clear_marks(&mut self) -> usize {
        if self.marks.is_empty() {
            return 0;
        }
        self.cleared = std::mem::take(&mut self.marks);
        self.cleared.len()
    }

    /// Brings cleared marks back; how many.
    pub fn restore_marks(&mut self) -> usize {
        let back = std::mem::take(&mut self.cleared);
        let count = back.len();
        self.marks.extend(back);
        count
    }

    /// Switches the filter off or on.
    pub fn toggle_filter(&mut self) {
        self.off = !self.off;
        self.again();
    }

    /// Tries another filter: in force once its rows came.
    pub fn try_filter(&mut self, text: &str) {
        self.trying = Some(text.trim().to_owned());
        self.again();
    }

    /// The filter that was tried is refused; the one before stays in force.
    pub fn refuse_filter(&mut self) -> Option<String> {
        self.trying.take()
    }

    fn again(&mut self) {
        self.epoch += 1;
        self.limit = PAGE;
        self.wants = true;
    }

    /// Takes rows in. The selected row stays where it is on the screen.
    pub fn install(&mut self, epoch: u32, found: Rows<CallbackView>) {
        if epoch != self.epoch {
            return;
        }
        if let Some(text) = self.trying.take() {
            self.filter = text;
            self.off = false;
        }
        let before = self.position();
        let line = before.map(|at| at.saturating_sub(self.top));
        let kept = before.and_then(|at| self.rows.get(at)).cloned();
        self.more = found.partial;
        self.rows = found.rows.into_iter().map(UrgentRow::from).collect();
        if let (Some(row), Some(at)) = (kept, before)
            && self.position().is_none()
        {
            let at = at.min(self.rows.len());
            self.rows.insert(at, UrgentRow { left: true, ..row });
        }
        if self.position().is_none() {
            self.selected = self.rows.first().map(|row| row.view.id.clone());
        }
        if let (Some(at), Some(line)) = (self.position(), line) {
            self.top = at.saturating_sub(line);
        }
        self.loaded = true;
        self.scroll();
    }

    /// When a figure that is shown changes next.
    #[must_use]
    pub fn next_age(&self, now: Ms) -> Option<Ms> {
        let shown = self.visible().chain(self.current()).filter(|row| row.counts());
        shown.map(|row| now.saturating_add(countdown::figure(row.deadline, now).1)).min()
    }
}

impl App {
    /// Asks for the rows of the board, where it is shown and they are wanted; with `data` also where
    /// something changed.
    pub fn ask_for_board(&mut self, data: bool) {
        let board = &mut self.board;
        if self.screen != Screen::Callbacks || !(board.wants || data && board.stale) {
            return;
        }
        let epoch = board.epoch;
        if self.asks.awaits(|want| matches!(want, Want::Board(of) if *of == epoch)) {
            return;
        }
        board.wants = false;
        board.stale = false;
        let (filter, limit) = (board.filter_in_force().to_owned(), board.limit);
        self.asks.drop_wants(|want| matches!(want, Want::Board(_)));
        self.asks.ask(Want::Board(epoch), Ask::Urgent { filter, limit });
    }

    /// Its rows came.
    pub(super) fn board_came(&mut self, epoch: u32, found: Rows<CallbackView>) {
        self.board.install(epoch, found);
        self.behind |= self.board.stale;
        self.touch(Dirt::Data);
    }

    /// Its rows were refused: because of a filter that is tried, or altogether.
    pub(super) fn board_refused(&mut self, epoch: u32, message: String) {
        if epoch != self.board.epoch {
            return;
        }
        match self.board.refuse_filter() {
            Some(text) => self.filter_refused(ListId::Callbacks, &text, &message),
            None => self.toast(Tone::Bad, message),
        }
        self.touch(Dirt::Input);
    }

    /// The question for the ids that its filter matches now, to mark them.
    #[must_use]
    pub fn board_marks(&self) -> (u32, Ask) {
        let limit = u32::try_from(MARKS).unwrap_or(MOST);
        let filter = self.board.filter_in_force().to_owned();
        (self.board.epoch, Ask::Callbacks(Page { filter, limit, ..Page::default() }))
    }

    /// The callback that the focus is on: of the board, of what needs a person, of a run.
    #[must_use]
    pub fn focused_callback(&self) -> Option<&CallbackView> {
        use super::app::{PaneId, Place};
        match self.place() {
            Place::Board | Place::BoardPane => self.board.current().map(|row| &row.view),
            Place::Needs => match self.needs.current()? {
                Need::Expired(expired) => expired.only(),
                _ => None,
            },
            Place::Runs(ListId::Runs) => {
                let run = self.runs.run.run.as_deref()?;
                run.callback.as_deref().filter(|_| Some(&run.id) == self.runs.list.selected.as_ref())
            }
            Place::Timeline(PaneId::RequestRun) | Place::Attempt(PaneId::RequestRun) => {
                self.requests.run.run.as_deref()?.callback.as_deref()
            }
            Place::Timeline(_) | Place::Attempt(_) => self.runs.run.run.as_deref()?.callback.as_deref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::{HOUR, MINUTE, rfc3339};
    use serde_json::json;

    fn view(id: &str, deadline: Ms) -> CallbackView {
        serde_json::from_value(json!({
            "id": id, "run": id, "step": "archive", "state": "pending", "deadline": rfc3339(deadline),
            "created": rfc3339(0), "received": null, "status": null,
        }))
        .unwrap()
    }

    fn page(ids: &[&str]) -> Rows<CallbackView> {
        let rows = ids.iter().map(|id| view(id, HOUR)).collect();
        Rows::whole(rows)
    }

    #[test]
    fn what_comes_above_moves_the_view_and_not_the_row_under_the_cursor() {
        let mut board = Board { height: 3, ..Board::default() };
        board.install(0, page(&["a", "b", "c", "d", "e"]));
        assert_eq!(board.selected.as_deref(), Some("a"), "the most urgent");
        board.step(3);
        let line = board.position().unwrap() - board.top;
        board.install(0, page(&["x", "y", "a", "b", "c", "d", "e"]));
        assert_eq!(board.selected.as_deref(), Some("d"));
        assert_eq!(board.position().unwrap() - board.top, line);
        // What no longer matches stays until the cursor leaves it.
        board.install(0, page(&["x", "y", "a", "b", "c", "e"]));
        assert!(board.current().unwrap().left);
        assert_eq!(board.rows.len(), 7);
        board.step(1);
        assert_eq!((board.rows.len(), board.selected.as_deref()), (6, Some("e")));
        // An answer to an older filter changes nothing.
        board.try_filter("state:expired");
        board.install(0, page(&["q"]));
        assert_eq!(board.rows.len(), 6);
        board.install(1, page(&[]));
        assert_eq!(board.filter, "state:expired");
        assert!(board.current().unwrap().left);
        assert_eq!(board.rows.len(), 1);
    }

    #[test]
    fn it_is_drawn_again_when_a_shown_figure_changes_and_not_before() {
        let mut board = Board { height: 2, ..Board::default() };
        let mut rows = page(&["a", "b"]);
        rows.rows.push(view("hidden", 20_500));
        board.install(0, rows);
        assert_eq!(board.next_age(0), Some(1), "an hour becomes 59 minutes");
        assert_eq!(board.next_age(1), Some(MINUTE + 1));
        board.resize(3);
        assert_eq!(board.next_age(1), Some(501), "seconds of the one under a minute");
        let mut done = view("a", HOUR);
        done.state = CallbackState::Received;
        board.install(0, Rows::whole(vec![done]));
        assert_eq!(board.next_age(1), None);
    }

    #[test]
    fn marks_are_cleared_and_come_back() {
        let mut board = Board::default();
        board.install(0, page(&["a", "b"]));
        board.toggle_mark();
        board.toggle_mark();
        assert_eq!(board.marks.len(), 2);
        board.toggle_mark();
        assert_eq!(board.clear_marks(), 1);
        assert_eq!((board.restore_marks(), board.marks.len()), (1, 1));
    }
}
