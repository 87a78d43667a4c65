//! What keys do while a document is edited.

use super::source::found;
use crate::console::action::Action;
use crate::console::app::{App, Tone};
use crate::console::input::edit_key;
use crate::console::key::Key;
use crossterm::event::KeyCode;

impl App {
    /// A key while a document is edited and nothing stands above it.
    pub(in crate::console) fn editor_key(&mut self, key: Key) {
        let Some(editor) = &mut self.editor else { return };
        if matches!((key.code, key.ctrl), (KeyCode::Char('c' | 'z' | 'l'), true)) {
            return self.global(key);
        }
        if editor.search.edit.is_some() {
            return self.find_key(key);
        }
        if editor.typing && editor.form.is_some() {
            return self.field_key(key);
        }
        if editor.typing && !editor.loading {
            return self.typed_key(key);
        }
        match self.options.keymap.action_of(key) {
            Some(action) => self.act(action),
            None => self.means_nothing(key),
        }
    }

    fn typed_key(&mut self, key: Key) {
        let now = self.now;
        let Some(editor) = &mut self.editor else { return };
        let end = editor.completion.as_ref().map_or(0, |list| list.all.len().saturating_sub(1));
        match (key.code, &mut editor.completion) {
            (KeyCode::Esc, Some(_)) => editor.completion = None,
            (KeyCode::Esc, None) => {
                editor.typing = false;
                editor.source.history.close();
                self.keep_typed(true);
            }
            (KeyCode::Down, Some(list)) => list.at = (list.at + 1).min(end),
            (KeyCode::Up, Some(list)) => list.at = list.at.saturating_sub(1),
            (KeyCode::Tab | KeyCode::Enter, Some(_)) => self.take_completion(),
            (KeyCode::Tab, None) => {
                editor.complete();
                if editor.completion.is_none() {
                    editor.source.take(0, "  ");
                    editor.judged(now);
                }
            }
            _ => {
                let before = editor.source.text().len();
                let page = editor.height;
                let letter = matches!(key.code, KeyCode::Char(_)) && !key.ctrl;
                if !editor.source.key(key, page) {
                    return self.toast(Tone::Info, format!("{key} means nothing while typing; esc ends it"));
                }
                if editor.source.text().len() == before && !letter {
                    editor.completion = None;
                    return;
                }
                editor.judged(now);
                // A list opens by itself where letters are typed, and follows what is taken away.
                if letter || editor.completion.is_some() {
                    editor.complete();
                    if editor
                        .completion
                        .as_ref()
                        .is_some_and(|list| letter && list.typed == 0 && key.code != KeyCode::Char('.'))
                    {
                        editor.completion = None;
                    }
                }
            }
        }
    }

    /// A key while a field of the form is typed into.
    fn field_key(&mut self, key: Key) {
        let now = self.now;
        let Some(editor) = &mut self.editor else { return };
        let Some(edit) = editor.form.as_mut().and_then(|form| form.edit.as_mut()) else {
            editor.typing = false;
            return;
        };
        if let Some(list) = &mut editor.completion {
            match key.code {
                KeyCode::Esc => return editor.completion = None,
                KeyCode::Down => return list.at = (list.at + 1).min(list.all.len().saturating_sub(1)),
                KeyCode::Up => return list.at = list.at.saturating_sub(1),
                KeyCode::Tab | KeyCode::Enter => return editor.take_in_field(now),
                _ => {}
            }
        }
        let step = match key.code {
            KeyCode::Tab | KeyCode::Down => Some(1),
            KeyCode::BackTab | KeyCode::Up => Some(-1),
            KeyCode::Esc | KeyCode::Enter => Some(0),
            _ => None,
        };
        let Some(step) = step else {
            let before = edit.text();
            if edit_key(edit, key) {
                let text = edit.text();
                if text != before {
                    editor.set_field(&text, now);
                }
                let letter = matches!(key.code, KeyCode::Char(_)) && !key.ctrl;
                if letter || editor.completion.is_some() {
                    editor.complete();
                }
            }
            return;
        };
        editor.completion = None;
        editor.typing = false;
        editor.source.history.close();
        if let Some(form) = &mut editor.form {
            form.edit = None;
        }
        if step != 0 {
            editor.step_field(step);
            // One of a list is chosen, not typed: then the keys are the console's again.
            let _ = editor.type_field();
        }
        self.keep_typed(true);
    }

    /// What an action does to the form; whether it is one of its own.
    pub(super) fn form_act(&mut self, action: Action) -> bool {
        let now = self.now;
        let Some(editor) = self.editor.as_mut().filter(|editor| editor.form.is_some()) else { return false };
        let fields = match action {
            Action::Up => Some(-1),
            Action::Down => Some(1),
            Action::PageUp | Action::Top => Some(-100),
            Action::PageDown | Action::Bottom => Some(100),
            _ => None,
        };
        if let Some(by) = fields {
            editor.step_field(by);
            return true;
        }
        let done = match action {
            Action::PreviousSibling | Action::NextSibling => {
                editor.step_object(if action == Action::NextSibling { 1 } else { -1 });
                Ok(())
            }
            Action::Left => editor.choose(-1, now),
            Action::Right => editor.choose(1, now),
            Action::Open | Action::Edit => editor.type_field(),
            _ => return false,
        };
        if let Err(why) = done {
            let why = self.say(why);
            self.toast(Tone::Info, format!("edit is not possible: {why}"));
        }
        true
    }

    fn take_completion(&mut self) {
        let now = self.now;
        let Some(editor) = &mut self.editor else { return };
        let Some(list) = editor.completion.take() else { return };
        let Some(chosen) = list.all.get(list.at) else { return };
        editor.source.take(list.typed, &chosen.text);
        let back = isize::try_from(chosen.after).unwrap_or(0);
        editor.source.step(0, -back);
        editor.judged(now);
    }

    fn find_key(&mut self, key: Key) {
        let Some(editor) = &mut self.editor else { return };
        let Some(edit) = &mut editor.search.edit else { return };
        match key.code {
            KeyCode::Esc => editor.search.edit = None,
            KeyCode::Enter => {
                editor.search.wanted = edit.text();
                editor.search.edit = None;
                self.walk_found(true);
            }
            _ => {
                edit_key(edit, key);
            }
        }
    }

    /// To the next place of what is looked for; without that to the next mistake.
    pub(super) fn walk_found(&mut self, forwards: bool) {
        let Some(editor) = &mut self.editor else { return };
        let wanted = editor.search.wanted.clone();
        if !wanted.is_empty() {
            // At the cursor itself it is found, too, when it was just typed.
            let place = editor.source.find(&wanted, forwards).or_else(|| {
                let (line, letter) = editor.source.cursor();
                let here = found(editor.source.lines().get(line)?, &wanted.to_lowercase());
                here.contains(&letter).then_some((line, letter))
            });
            if let Some((line, letter)) = place {
                editor.source.go(line, letter);
                editor.follow();
            } else {
                editor.search.wanted.clear();
                self.toast(Tone::Info, format!("{wanted:?} is not in the text"));
            }
            return;
        }
        let line = editor.source.cursor().0 + 1;
        let all = &editor.problems;
        let next = if forwards {
            all.iter().find(|problem| problem.line > line).or_else(|| all.first())
        } else {
            all.iter().rev().find(|problem| problem.line < line).or_else(|| all.last())
        };
        match next.map(|problem| (problem.line - 1, problem.column - 1)) {
            Some((line, letter)) => {
                editor.source.go(line, letter);
                editor.follow();
            }
            None => {
                self.toast(Tone::Info, "next is not possible: there is no error, and nothing is looked for");
            }
        }
    }
}
