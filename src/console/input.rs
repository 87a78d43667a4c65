//! What a person types: into the filter line, a dialog, or as an action.

use super::action::Action;
use super::app::{App, Dirt, ListId, Overlay, PAUSE, Screen, Tone};
use super::asks::Effect;
use super::dialog::{Facts, Outcome};
use super::edit::Edit;
use super::editor::MEANWHILE;
use super::key::Key;
use super::layout::{self, Class};
use crossterm::event::{Event, KeyCode, KeyEventKind};

impl App {
    /// Takes an event of the terminal in.
    pub fn input(&mut self, event: Event) {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(Key::of(&key)),
            Event::Paste(text) => self.paste(&text),
            Event::Resize(width, height) => {
                self.size = layout::known((width, height));
                self.touch(Dirt::Input);
            }
            Event::FocusGained => {
                self.looking = true;
                self.behind = true;
            }
            Event::FocusLost => {
                self.looking = false;
                self.look_away();
            }
            Event::Mouse(event) if self.mouse => self.moused(event),
            Event::Key(_) | Event::Mouse(_) => return,
        }
        self.settle();
    }

    /// The person looks away from the screen that is shown.
    pub fn look_away(&mut self) {
        match self.screen {
            Screen::Live => {
                self.live.requests.leave();
                self.live.runs.leave();
            }
            Screen::Requests => self.requests.list.leave(),
            Screen::Runs => self.runs.list.leave(),
            Screen::Callbacks | Screen::Integrations | Screen::Overview => {}
        }
    }

    fn paste(&mut self, text: &str) {
        if let Some(Overlay::Verb(dialog)) = &self.overlay
            && let Some(reason) = dialog.refuses_paste(text)
        {
            return self.toast(Tone::Info, reason);
        }
        if let Some(Overlay::Verb(dialog)) = &mut self.overlay
            && let Some(edit) = dialog.edit()
        {
            edit.insert(text);
            dialog.changed(self.now + PAUSE);
            return self.touch(Dirt::Input);
        }
        if let Some(Overlay::Prompt(open)) = &mut self.overlay {
            open.paste(text);
            return self.touch(Dirt::Input);
        }
        if self.overlay.is_none() && self.guide.is_some() {
            self.guide_paste(text);
            return self.touch(Dirt::Input);
        }
        if matches!(self.overlay, Some(Overlay::Capture(_))) {
            self.paste_captured(text);
            return self.touch(Dirt::Input);
        }
        if let Some(edit) = self.facet_edit() {
            edit.insert(text);
            return self.touch(Dirt::Input);
        }
        if matches!(self.overlay, Some(Overlay::Trial(_))) {
            self.trial_pastes(text);
            return self.touch(Dirt::Input);
        }
        if self.overlay.is_none() && self.search_paste(text) {
            return self.touch(Dirt::Input);
        }
        if self.overlay.is_none() && self.editor.is_some() {
            self.editor_paste(text);
            return self.touch(Dirt::Input);
        }
        if matches!(self.overlay, Some(Overlay::Palette(_))) {
            if let Some(Overlay::Palette(open)) = &mut self.overlay {
                open.edit.insert(text);
            }
            self.look_up();
            return self.touch(Dirt::Input);
        }
        if self.filter.is_none() && self.paste_jumps(text) {
            return self.touch(Dirt::Input);
        }
        let edit = match (&mut self.overlay, &mut self.filter) {
            (Some(Overlay::WhatIf(open)), _) => Some(open.typing()),
            (Some(Overlay::Record(edit)), _) => Some(edit.as_mut()),
            (Some(Overlay::Audit(open)), _) => open.typing.as_mut(),
            (None, Some(filter)) => {
                filter.changed(self.now);
                Some(&mut filter.edit)
            }
            (Some(_), _) | (None, None) => None,
        };
        if let Some(edit) = edit {
            edit.insert(text);
            self.touch(Dirt::Input);
        } else {
            let said = self.say("paste: nothing here takes text but an id; {/} opens the filter");
            self.toast(Tone::Info, said);
        }
    }

    pub(super) fn key(&mut self, key: Key) {
        self.toasts.retain(|toast| toast.tone == Tone::Bad);
        self.clicked = None;
        self.touch(Dirt::Input);
        if layout::class(self.size.0, self.size.1) == Class::Message {
            if key == (Key { code: KeyCode::Char('q'), ctrl: false }) {
                self.act(Action::Quit);
            } else if key.ctrl {
                self.global(key);
            }
            return;
        }
        if matches!(self.overlay, Some(Overlay::Verb(_))) {
            return self.dialog_key(key);
        }
        if let Some(Overlay::Quit { .. }) = self.overlay {
            return self.quit_key(key);
        }
        if matches!(self.overlay, Some(Overlay::Capture(_))) {
            return self.capture_key(key);
        }
        match self.overlay {
            Some(Overlay::Beside(_)) => return self.beside_key(key),
            Some(Overlay::WhatIf(_)) => return self.what_if_key(key),
            Some(Overlay::Menu(_)) => return self.menu_key(key),
            Some(Overlay::Jobs(_)) => return self.jobs_key(key),
            Some(Overlay::Consoles(_)) => return self.consoles_key(key),
            Some(Overlay::Replayed(_)) => return self.replayed_key(key),
            Some(Overlay::Palette(_)) => return self.palette_key(key),
            Some(Overlay::Trial(_)) => return self.trial_key(key),
            Some(Overlay::BackTest(_)) => return self.back_test_key(key),
            Some(Overlay::Texts(_)) => return self.texts_key(key),
            Some(Overlay::Values(_)) => return self.values_key(key),
            Some(Overlay::Write(_)) => return self.write_key(key),
            Some(Overlay::SaveView(_)) => return self.save_view_key(key),
            Some(Overlay::Themes(_)) => return self.themes_key(key),
            Some(Overlay::Audit(_)) => return self.audit_key(key),
            Some(Overlay::Record(_)) => return self.record_key(key),
            Some(Overlay::Messages(_)) => return self.messages_key(key),
            Some(Overlay::Prompt(_)) => return self.prompt_key(key),
            Some(Overlay::Help(_)) => return self.help_key(key),
            _ => {}
        }
        if self.overlay.is_some() {
            return self.read_key(key);
        }
        if self.guide.is_some() {
            return self.guide_key(key);
        }
        if self.editor.is_some() {
            return self.editor_key(key);
        }
        if self.filter.is_some() {
            return self.filter_key(key);
        }
        if self.search.is_some() {
            return self.search_key(key);
        }
        match self.options.keymap.action_of(key) {
            Some(action) => self.act(action),
            None => self.means_nothing(key),
        }
    }

    /// A key that is in no table.
    pub(super) fn means_nothing(&mut self, key: Key) {
        let help = self.options.keymap.named(Action::Help);
        let told = format!("{key} means nothing here; {help} lists the keys");
        self.toast(Tone::Info, told);
    }

    /// Keys that act whatever is open.
    pub(super) fn global(&mut self, key: Key) {
        if let Some(action @ (Action::Interrupt | Action::Suspend | Action::Redraw)) =
            self.options.keymap.action_of(key)
        {
            self.act(action);
        }
    }

    fn dialog_key(&mut self, key: Key) {
        let now = self.now;
        let Some(Overlay::Verb(dialog)) = &mut self.overlay else { return };
        let outcome = match (key.code, key.ctrl) {
            (KeyCode::Esc, _) if dialog.acting => Outcome::Stays,
            (KeyCode::Esc, _) => Outcome::Close,
            (KeyCode::Enter, _) => dialog.enter(),
            (KeyCode::Tab | KeyCode::Down, _) => {
                dialog.next_field(1);
                Outcome::Stays
            }
            (KeyCode::BackTab | KeyCode::Up, _) => {
                dialog.next_field(-1);
                Outcome::Stays
            }
            (KeyCode::Left, _) => dialog.sideways(-1),
            (KeyCode::Right, _) => dialog.sideways(1),
            (KeyCode::PageDown, _) => {
                dialog.scroll = dialog.scroll.saturating_add(5).min(500);
                Outcome::Stays
            }
            (KeyCode::PageUp, _) => {
                dialog.scroll = dialog.scroll.saturating_sub(5);
                Outcome::Stays
            }
            (KeyCode::Char('c' | 'z' | 'l'), true) => return self.global(key),
            _ => {
                if dialog.edit().is_some_and(|edit| edit_key(edit, key)) {
                    dialog.changed(now + PAUSE);
                }
                Outcome::Stays
            }
        };
        self.dialog_did(outcome);
    }

    /// What came of something done to the dialog.
    pub(super) fn dialog_did(&mut self, outcome: Outcome) {
        let Some(Overlay::Verb(dialog)) = &self.overlay else { return };
        match outcome {
            Outcome::Stays => {
                self.replan();
                self.weigh();
            }
            Outcome::Close => {
                let stale = matches!(&dialog.facts, Facts::Refused(why) if why.code == MEANWHILE);
                self.close_dialog();
                if stale {
                    self.guide_anew();
                }
                self.editor_unsaves();
            }
            Outcome::Replan | Outcome::Act => {
                let Some(Overlay::Verb(dialog)) = &self.overlay else { return };
                let (kind, dry_run) = (dialog.kind, outcome == Outcome::Replan);
                let order = dialog.order(dry_run);
                self.ask_order(kind, order, dry_run);
            }
        }
    }

    /// Asks for the plan again, where a stand-in was typed and its pause is over.
    pub fn replan(&mut self) {
        let now = self.now;
        let Some(Overlay::Verb(dialog)) = &mut self.overlay else { return };
        if dialog.replans(now) {
            let (kind, order) = (dialog.kind, dialog.order(true));
            self.ask_order(kind, order, true);
        }
    }

    fn quit_key(&mut self, key: Key) {
        let Some(Overlay::Quit { sure, armed }) = &mut self.overlay else { return };
        match (key.code, key.ctrl) {
            (KeyCode::Left | KeyCode::Right | KeyCode::Tab | KeyCode::BackTab, _) => *sure = !*sure,
            (KeyCode::Enter, _) if !*armed => {}
            (KeyCode::Enter, _) if *sure => self.asks.effect(Effect::Quit),
            (KeyCode::Enter | KeyCode::Esc, _) => self.overlay = None,
            (KeyCode::Char('z' | 'l'), true) => self.global(key),
            _ => {}
        }
    }

    /// A key over something that is only read.
    fn read_key(&mut self, key: Key) {
        let (top, most) = match &mut self.overlay {
            Some(Overlay::Keys { top }) => (top, 200),
            Some(Overlay::Value(whole)) => {
                let most = whole.lines.len().saturating_sub(1);
                (&mut whole.top, most)
            }
            _ => return,
        };
        match self.options.keymap.action_of(key) {
            Some(Action::Top) => *top = 0,
            Some(Action::Bottom) => *top = most,
            Some(Action::Down) => *top = top.saturating_add(1).min(most),
            Some(Action::Up) => *top = top.saturating_sub(1),
            Some(Action::PageDown) => *top = top.saturating_add(10).min(most),
            Some(Action::PageUp) => *top = top.saturating_sub(10),
            Some(Action::Back | Action::Help | Action::Quit | Action::Open) => self.overlay = None,
            Some(action @ (Action::Interrupt | Action::Suspend | Action::Redraw)) => {
                self.overlay = None;
                self.act(action);
            }
            _ => self.refuse_key(key),
        }
    }

    /// A key that a box does not take.
    pub(super) fn refuse_key(&mut self, key: Key) {
        self.toast(Tone::Info, format!("{key} is not possible: this box is open; esc closes it"));
    }

    /// The filter of a list, as it stands or is tried.
    #[must_use]
    pub fn filter_of(&self, id: ListId) -> String {
        let (filter, trying) = match id {
            ListId::LiveRequests => (&self.live.requests.filter, &self.live.requests.trying),
            ListId::Requests => (&self.requests.list.filter, &self.requests.list.trying),
            ListId::LiveRuns => (&self.live.runs.filter, &self.live.runs.trying),
            ListId::Runs => (&self.runs.list.filter, &self.runs.list.trying),
            ListId::Callbacks => (&self.board.filter, &self.board.trying),
        };
        trying.as_ref().unwrap_or(filter).clone()
    }

    /// What a list is filtered by now: nothing while the filter is off.
    #[must_use]
    pub fn filter_in_force(&self, id: ListId) -> &str {
        match id {
            ListId::LiveRequests => self.live.requests.filter_in_force(),
            ListId::Requests => self.requests.list.filter_in_force(),
            ListId::LiveRuns => self.live.runs.filter_in_force(),
            ListId::Runs => self.runs.list.filter_in_force(),
            ListId::Callbacks => self.board.filter_in_force(),
        }
    }

    /// Tries a filter on a list.
    pub fn set_filter(&mut self, id: ListId, text: &str) {
        if let Some(list) = self.request_list(id) {
            list.try_filter(text);
        } else if let Some(list) = self.run_list(id) {
            list.try_filter(text);
        } else {
            self.board.try_filter(text);
        }
    }
}

/// A key in a line of text; whether the text changed.
pub(super) fn edit_key(edit: &mut Edit, key: Key) -> bool {
    match (key.code, key.ctrl) {
        (KeyCode::Char('w'), true) => edit.delete_word(),
        (KeyCode::Char('u'), true) => edit.delete_to_start(),
        (KeyCode::Char(letter), false) => edit.insert(letter.encode_utf8(&mut [0; 4])),
        (KeyCode::Backspace, _) => edit.backspace(),
        (KeyCode::Delete, _) => edit.delete(),
        (code, _) => {
            match code {
                KeyCode::Left => edit.go(-1),
                KeyCode::Right => edit.go(1),
                KeyCode::Home => edit.go_end(false),
                KeyCode::End => edit.go_end(true),
                _ => {}
            }
            return false;
        }
    }
    true
}
