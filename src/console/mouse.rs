//! The mouse, while the person wants it: a click selects what is under it, the wheel moves the cursor
//! of the pane under it.

use super::action::Action;
use super::app::{App, Overlay, Place, Screen, Tone};
use super::asks::Effect;
use super::draw::{marked, tab_at};
use super::key::Key;
use super::layout::Pane;
use crossterm::event::{KeyCode, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

/// Rows that a notch of the wheel moves.
const NOTCH: isize = 3;

impl App {
    /// `m`: on or off.
    pub(super) fn toggle_mouse(&mut self) {
        self.mouse = !self.mouse;
        self.asks.effect(Effect::Mouse(self.mouse));
        let off = self.options.keymap.named(Action::Mouse);
        let told = if self.mouse {
            format!("Mouse on: hold shift to select text. {off} turns it off.")
        } else {
            "Mouse off.".to_owned()
        };
        self.toast(Tone::Info, told);
    }

    /// The mouse did something.
    pub(super) fn moused(&mut self, event: MouseEvent) {
        let at = Position::new(event.column, event.row);
        match event.kind {
            MouseEventKind::Down(MouseButton::Left) => self.clicked(at),
            MouseEventKind::ScrollUp => self.wheel(at, -1),
            MouseEventKind::ScrollDown => self.wheel(at, 1),
            _ => {}
        }
    }

    fn clicked(&mut self, at: Position) {
        if self.overlay.is_some() {
            return self.toast(Tone::Info, "a click is not possible: this box is open; esc closes it");
        }
        if self.filter.is_some() || self.search.is_some() {
            return self.toast(Tone::Info, "a click is not possible: a line is being typed; enter keeps it");
        }
        if self.editor.is_some() {
            return self
                .toast(Tone::Info, "a click is not possible: a document is moved through by its keys");
        }
        if let Some(tab) = tab_at(self, at) {
            return self.act(Action::Screen(tab));
        }
        let Some((focus, pane)) = self.pane_at(at) else { return };
        self.focus = focus;
        self.settle();
        if pane.body.contains(at) {
            self.select(pane.body, at.y);
        }
    }

    /// Brings the cursor of the focused pane to a row of the screen, as near as it goes.
    fn select(&mut self, body: Rect, y: u16) {
        for _ in 0..8 {
            let Some(now) = marked(self, body) else { return };
            if now == y {
                return;
            }
            let rows = isize::try_from(y).unwrap_or(0) - isize::try_from(now).unwrap_or(0);
            let high = isize::try_from(self.row_height()).unwrap_or(1);
            let by = rows.div_euclid(high);
            if by == 0 {
                return;
            }
            self.step(by);
            self.settle();
            // What lies between the rows is nothing to be selected.
            if marked(self, body) == Some(now) {
                return;
            }
        }
    }

    fn wheel(&mut self, at: Position, by: isize) {
        match self.overlay {
            Some(Overlay::Quit { .. }) => return,
            Some(Overlay::Verb(_)) => {
                return self.key(Key {
                    code: if by < 0 { KeyCode::PageUp } else { KeyCode::PageDown },
                    ctrl: false,
                });
            }
            _ => {}
        }
        if self.overlay.is_some() || self.editor.is_some() {
            let code = if by < 0 { KeyCode::Up } else { KeyCode::Down };
            return self.key(Key { code, ctrl: false });
        }
        if self.filter.is_some() || self.search.is_some() {
            return;
        }
        let Some((focus, _)) = self.pane_at(at) else { return };
        self.focus = focus;
        self.settle();
        self.step(by * NOTCH);
    }

    /// Rows of the screen that a row of the focused pane has.
    fn row_height(&self) -> u16 {
        if self.place() == Place::Needs { self.needs_rows() } else { 1 }
    }

    /// The focus whose pane is at a place of the screen, and that pane.
    fn pane_at(&self, at: Position) -> Option<(usize, Pane)> {
        let under = |pane: &Pane| !pane.is_empty() && (pane.rule.contains(at) || pane.body.contains(at));
        let (which, pane) = self.panes().into_iter().enumerate().find(|(_, pane)| under(pane))?;
        let (first, end) = self.focuses();
        // A run has its timeline and its attempt in one pane.
        let run = matches!((self.screen, which), (Screen::Requests, 2) | (Screen::Runs, 1));
        if !run {
            return (first..end).contains(&which).then_some((which, pane));
        }
        let (_, timeline, attempt) = self.run_parts(pane);
        let (focus, pane) = if under(&attempt) { (which + 1, attempt) } else { (which, timeline) };
        (first..end).contains(&focus).then_some((focus, pane))
    }
}
