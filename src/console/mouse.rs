//! The mouse, while the person wants it: a click selects what is under it, a second one does what
//! `enter` does in a box, the wheel moves the cursor of the pane under it or of what is open.

use super::action::Action;
use super::app::{App, Overlay, PaneId, Place, Screen, Tone};
use super::asks::Effect;
use super::draw::{marked, tab_at};
use super::guide::Stage;
use super::hit::{self, Hit, Hits};
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

    /// A click selects or focuses what is under it; a second one on the same does what `enter` does. So
    /// nothing that a box asks is done by one click.
    fn clicked(&mut self, at: Position) {
        let hits = self.hits();
        let hit = hit::at(&hits, at);
        let before = self.clicked.take();
        let twice = hit.is_some_and(|(area, _)| before == Some(area));
        self.clicked_on(at, hit, twice, &hits);
        self.clicked = hit.map(|(area, _)| area);
    }

    fn clicked_on(&mut self, at: Position, hit: Option<(Rect, Hit)>, twice: bool, hits: &Hits) {
        if self.overlay.is_some() {
            return self.clicked_box(hit, twice, hits);
        }
        if self.filter.is_some() || self.search.is_some() {
            return self.toast(Tone::Info, "a click is not possible: a line is being typed; enter keeps it");
        }
        if let Some(tab) = tab_at(self, at) {
            return self.act(Action::Screen(tab));
        }
        if self.guide.is_some() {
            return self.clicked_guide(hit, twice, hits);
        }
        if let (Some(editor), Some((area, Hit::Row(_)))) = (&mut self.editor, hit) {
            editor.completion = None;
            return self.press_rows(hit::rows_to(hits, area));
        }
        if self.editor.is_some() {
            return self.toast(Tone::Info, "a click is not possible: there is no line; the keys are below");
        }
        if let (Place::Empty, Some((area, Hit::Row(_)))) = (self.place(), hit) {
            if twice {
                return self.act(Action::Open);
            }
            return self.step_offer(hit::rows_to(hits, area).unwrap_or(0));
        }
        let Some((focus, pane)) = self.pane_at(at) else { return };
        self.focus = focus;
        self.settle();
        if pane.body.contains(at) {
            self.select(pane.body, at.y);
        }
    }

    /// A click while a box is open.
    fn clicked_box(&mut self, hit: Option<(Rect, Hit)>, twice: bool, hits: &Hits) {
        let enter = Key { code: KeyCode::Enter, ctrl: false };
        let ticks = Key { code: KeyCode::Char(' '), ctrl: false };
        match (&mut self.overlay, hit) {
            (Some(Overlay::Audit(_)), Some((_, Hit::Row(_)))) if twice => {}
            (Some(Overlay::Capture(_)), Some((_, Hit::Row(_)))) if twice => self.key(ticks),
            (_, Some((_, Hit::Row(_)))) if twice => self.key(enter),
            (_, Some((area, Hit::Row(_)))) => self.press_rows(hit::rows_to(hits, area)),
            (Some(Overlay::Verb(dialog)), Some((_, Hit::Field(at)))) => dialog.go_field(at),
            (Some(Overlay::Verb(dialog)), Some((_, Hit::Choice(at, choice)))) => {
                dialog.go_field(at);
                let outcome = dialog.choose(choice);
                self.dialog_did(outcome);
            }
            (Some(Overlay::Trial(open)), Some((_, Hit::Field(at)))) => open.choices.row = at,
            (Some(Overlay::Verb(dialog)), Some((_, Hit::Button(sure)))) => {
                let chosen = dialog.sure == sure;
                if !dialog.acting {
                    dialog.sure = sure;
                }
                if chosen && (twice || !sure) {
                    self.key(enter);
                }
            }
            (Some(Overlay::Quit { sure: on, .. }), Some((_, Hit::Button(sure)))) => {
                let chosen = std::mem::replace(on, sure) == sure;
                if chosen && (twice || !sure) {
                    self.key(enter);
                }
            }
            (_, Some((_, Hit::Key(key)))) => self.clicked_key(key, twice),
            _ => self.toast(Tone::Info, "a click is not possible: this box is open; esc closes it"),
        }
    }

    /// A click on what names a key in the last line of a box.
    fn clicked_key(&mut self, key: Key, twice: bool) {
        let typed = matches!(key.code, KeyCode::Char(_));
        let acts = match &self.overlay {
            // It keeps things as they are.
            Some(Overlay::Verb(dialog)) if dialog.keeps() && !dialog.sure => false,
            Some(Overlay::Quit { sure, .. }) => *sure,
            Some(Overlay::Verb(_) | Overlay::Write(_)) => true,
            _ => false,
        };
        let takes_text = matches!(
            self.overlay,
            Some(
                Overlay::Verb(_)
                    | Overlay::Palette(_)
                    | Overlay::Prompt(_)
                    | Overlay::Write(_)
                    | Overlay::SaveView(_)
                    | Overlay::Record(_)
                    | Overlay::WhatIf(_)
            )
        );
        if key.code == KeyCode::Enter && acts && !twice {
            return self.toast(Tone::Info, "a second click there does it");
        }
        if !(typed && takes_text) {
            self.key(key);
        }
    }

    /// A click while an integration is being made.
    fn clicked_guide(&mut self, hit: Option<(Rect, Hit)>, twice: bool, hits: &Hits) {
        let Some(guide) = &mut self.guide else { return };
        match hit {
            Some((area, Hit::Row(_))) => {
                guide.go_list();
                let ticks = matches!(guide.stage, Stage::Capture | Stage::Dedup);
                if twice && ticks {
                    return self.act(Action::Mark);
                }
                self.press_rows(hit::rows_to(hits, area));
            }
            Some((_, Hit::Field(at))) => guide.go_field(at),
            _ => self
                .toast(Tone::Info, "a click is not possible: nothing there is filled in; the keys are below"),
        }
    }

    /// Presses up or down, so many times.
    fn press_rows(&mut self, rows: Option<isize>) {
        let rows = rows.unwrap_or(0);
        let code = if rows < 0 { KeyCode::Up } else { KeyCode::Down };
        for _ in 0..rows.unsigned_abs() {
            self.key(Key { code, ctrl: false });
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
            return self.press_rows(Some(by * NOTCH));
        }
        if let Some(guide) = &self.guide {
            // Through what is filled in one by one, through lines as everywhere.
            let lines = matches!(guide.stage, Stage::Capture | Stage::Dedup | Stage::Test);
            return self.press_rows(Some(if lines { by * NOTCH } else { by }));
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
        // A run has its steps, its timeline and its attempt in one pane, or in two.
        let (run, at) = match (self.screen, which) {
            (Screen::Requests, 2) => (PaneId::RequestRun, 2),
            (Screen::Runs, 1 | 2) => (PaneId::Run, 1),
            _ => return (first..end).contains(&which).then_some((which, pane)),
        };
        let (_, timeline, attempt) = self.run_parts(run);
        let (focus, pane) = if under(&attempt) { (at + 1, attempt) } else { (at, timeline) };
        (first..end).contains(&focus).then_some((focus, pane))
    }
}
