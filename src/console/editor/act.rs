//! What actions do to a document that is edited, whether they can, and what is pasted into it.

use super::parts::{New, add, add_step, shift};
use super::pasted::{curl, is_curl};
use super::{After, Then};
use crate::console::action::Action;
use crate::console::app::{App, Tone};
use crate::console::asks::Effect;
use crate::console::edit::Edit;
use crate::console::keymap::EVERYWHERE;
use crate::console::tree::Part;
use crate::model::ask::Deed;

impl App {
    /// A pasted text: into the text while typing, else a curl command as a step.
    pub(in crate::console) fn editor_paste(&mut self, text: &str) {
        let now = self.now;
        let keys = self.options.keymap.clone();
        let barred = self.barred_as(Deed::Keep, "paste").filter(|_| !self.may_type());
        let Some(editor) = &mut self.editor else { return };
        if let Some(edit) = &mut editor.search.edit {
            return edit.insert(text);
        }
        if editor.loading {
            return;
        }
        if let Some(edit) = editor.form.as_mut().and_then(|form| form.edit.as_mut()) {
            edit.insert(text);
            let text = edit.text();
            return editor.set_field(&text, now);
        }
        if editor.typing {
            editor.source.paste(text);
            editor.completion = None;
            return editor.judged(now);
        }
        if !is_curl(text) {
            return self
                .toast(Tone::Info, "paste: enter types, then text is taken; a curl command becomes a step");
        }
        if let Some(reason) = barred {
            return self.toast(Tone::Info, reason);
        }
        let made = curl(text).and_then(|pasted| {
            let line = editor.source.cursor().0;
            let added = add_step(editor.source.lines(), line, |name| pasted.step(name));
            let tells = pasted.tells();
            added.map(|added| (added, pasted.left_out, tells)).map_err(str::to_owned)
        });
        match made {
            Ok((added, left_out, tells)) => {
                editor.source.replace(added.text);
                editor.source.go(added.line, usize::MAX);
                editor.judged(now);
                let said = match left_out.as_slice() {
                    [] => keys.say("a step is made of it; {z} takes it back"),
                    some => format!("a step is made of it, without {}", some.join("; ")),
                };
                for told in tells.into_iter().rev() {
                    self.toast(Tone::Info, told);
                }
                self.toast(Tone::Info, said);
            }
            Err(why) => self.toast(Tone::Info, format!("step is not possible: {why}")),
        }
    }

    /// Adds an object; its name is typed first.
    pub(super) fn add_object(&mut self, new: New) {
        let now = self.now;
        let Some(editor) = &mut self.editor else { return };
        let line = editor.source.cursor().0;
        match add(editor.source.lines(), line, new) {
            Ok(added) => {
                editor.source.replace(added.text);
                editor.source.go(added.line, usize::MAX);
                editor.source.step(0, -1);
                editor.judged(now);
                // Its name is typed first, in the source and in the form.
                editor.follow();
                editor.typing = editor.form.is_none() || editor.type_field().is_ok();
            }
            Err(why) => self.toast(Tone::Info, format!("new is not possible: {why}")),
        }
    }

    /// Moves the step at the cursor.
    pub(super) fn shift_step(&mut self, down: bool) {
        let now = self.now;
        let Some(editor) = &mut self.editor else { return };
        let line = editor.source.cursor().0;
        match shift(editor.source.lines(), line, down) {
            Ok(moved) => {
                editor.source.replace(moved.text);
                editor.source.go(moved.line, 0);
                editor.judged(now);
                editor.follow();
            }
            Err(why) => self.toast(Tone::Info, format!("move is not possible: {why}")),
        }
    }

    /// Whether an action can act while a document is edited; else why not.
    ///
    /// # Errors
    /// The sentence that the key says.
    pub(in crate::console) fn editor_possible(&self, action: Action) -> Result<(), String> {
        let Some(editor) = &self.editor else { return Ok(()) };
        if EVERYWHERE.contains(&action) {
            return Ok(());
        }
        let word = self.options.keymap.bound(action).map_or("this", |bound| bound.binding.word);
        if editor.loading {
            return Err(format!("{word} is not possible: the document is being asked for"));
        }
        if let Some(reason) = self.editor_bars(action) {
            return Err(reason);
        }
        let changes = matches!(
            action,
            Action::Edit
                | Action::Outside
                | Action::Open
                | Action::Undo
                | Action::Redo
                | Action::Add
                | Action::MoveUp
                | Action::MoveDown
        );
        let chooses = editor.form.is_some() && matches!(action, Action::Left | Action::Right);
        if (changes || chooses)
            && let Err(refusal) = Deed::Keep.allowed(self.options.read_only, self.options.role)
        {
            return Err(refusal.message.replacen(Deed::Keep.word(), word, 1));
        }
        match action {
            Action::Undo if !editor.source.history.possible().0 => Err("Nothing to undo.".to_owned()),
            Action::Redo if !editor.source.history.possible().1 => Err("Nothing to redo.".to_owned()),
            Action::Difference if editor.changes == 0 => {
                Err(format!("diff is not possible: nothing differs from v{}", editor.base))
            }
            Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::Top
            | Action::Bottom
            | Action::Left
            | Action::Right
            | Action::Open
            | Action::Edit
            | Action::Undo
            | Action::Redo
            | Action::Add
            | Action::MoveUp
            | Action::MoveDown
            | Action::Outside
            | Action::View
            | Action::NextMatch
            | Action::PreviousMatch
            | Action::Filter
            | Action::Difference
            | Action::Save
            | Action::BackTest
            | Action::Deploy => Ok(()),
            Action::Replay if editor.body.is_some() => Ok(()),
            Action::PreviousSibling | Action::NextSibling if editor.form.is_some() => Ok(()),
            _ => Err(format!("{word} is not possible: a document is being edited; esc leaves it")),
        }
    }

    /// Does what an action says to the document; whether it is one of its own.
    pub(in crate::console) fn editor_act(&mut self, action: Action) -> bool {
        let now = self.now;
        if action == Action::Back && self.editor.is_some() && !self.toasts.is_empty() {
            self.toasts.clear();
            return true;
        }
        if self.form_act(action) {
            return true;
        }
        let keys = self.options.keymap.clone();
        let Some(editor) = &mut self.editor else { return false };
        let page = isize::try_from(editor.height.max(2) - 1).unwrap_or(10);
        match action {
            Action::Up => editor.source.step(-1, 0),
            Action::Down => editor.source.step(1, 0),
            Action::PageUp => editor.source.step(-page, 0),
            Action::PageDown => editor.source.step(page, 0),
            Action::Top => editor.source.go(0, 0),
            Action::Bottom => editor.source.go(usize::MAX, 0),
            Action::Left => editor.source.step(0, -1),
            Action::Right => editor.source.step(0, 1),
            Action::Open | Action::Edit => editor.typing = true,
            Action::Undo | Action::Redo => {
                let redo = action == Action::Redo;
                let line = editor.take_back(redo);
                let what = editor.called(line);
                editor.judged(now);
                editor.follow();
                let (z, again) = (keys.pressed("z"), keys.pressed("Z"));
                let said = if redo {
                    format!("Made again: {what}. {z} undoes.")
                } else {
                    format!("Undid: {what}. {again} redoes.")
                };
                self.toast(Tone::Info, said);
            }
            Action::View => editor.switch(),
            Action::Replay => self.replay_edited(),
            Action::Outside => {
                let kind = if editor.body.is_some() { "json" } else { "toml" };
                let name = format!("{}.{kind}", editor.name.replace(' ', "-"));
                let text = editor.source.text().to_owned();
                self.keep_typed(true);
                self.asks.effect(Effect::Outside { name, text });
            }
            Action::Add => self.open_add_menu(),
            Action::MoveUp => self.shift_step(false),
            Action::MoveDown => self.shift_step(true),
            Action::Filter => editor.search.edit = Some(Edit::default()),
            Action::NextMatch => self.walk_found(true),
            Action::PreviousMatch => self.walk_found(false),
            Action::Difference => self.open_changes(),
            Action::Save => self.save_edit(After::Stay),
            Action::BackTest => self.back_test_edit(),
            Action::Deploy => self.deploy_edit(),
            Action::Reload => self.ask_stands(),
            Action::Back if !editor.search.wanted.is_empty() => editor.search.wanted.clear(),
            Action::Back | Action::Quit | Action::Screen(_) => {
                if editor.changes > 0 && !editor.loading {
                    self.open_leave_menu();
                } else {
                    self.close_editor();
                    if matches!(action, Action::Screen(_)) {
                        self.act(action);
                    }
                }
            }
            Action::Palette => self.open_palette(),
            Action::Help => self.open_help(),
            Action::Redraw => self.asks.effect(Effect::Redraw),
            _ => return false,
        }
        true
    }

    /// The text is back from the person's own editor.
    pub(in crate::console) fn came_back(&mut self, done: Result<String, String>) {
        let now = self.now;
        let Some(editor) = &mut self.editor else { return };
        match done {
            Ok(text) if text == editor.source.text() => self.toast(Tone::Info, "nothing was changed outside"),
            Ok(text) => {
                editor.source.replace(text);
                editor.judged(now);
                let said = self.say("this is as it was left outside; {z} takes it back");
                self.toast(Tone::Info, said);
            }
            Err(why) => self.toast(Tone::Bad, why),
        }
        self.settle();
    }

    /// Whether `i`, `K` and `J` can act in the tree; else why not.
    ///
    /// # Errors
    /// The sentence that the key says.
    pub(in crate::console) fn changed_here(&self, action: Action) -> Result<(), String> {
        if action == Action::Add && self.guides_here().is_some() {
            return self.barred_guide().map_or(Ok(()), Err);
        }
        let word = if action == Action::Add { "add" } else { "move" };
        if let Some(reason) = self.barred_as(Deed::Keep, word) {
            return Err(reason);
        }
        let Some(node) = self.tree.current().filter(|_| self.in_tree()) else {
            return Err(format!(
                "{word} is not possible: this is no integration; they are on {} Integrations",
                self.say("{5}")
            ));
        };
        match (action, &node.part) {
            (Action::Add, _) | (_, Part::Step(..)) => Ok(()),
            _ => {
                Err(format!("{word} is not possible: this is no step; {} unfold a flow", self.say("{h} {l}")))
            }
        }
    }

    /// What `i`, `K` and `J` do in the tree: the document is opened, and it is done there.
    pub(in crate::console) fn edit_here(&mut self, action: Action) {
        let then = match action {
            Action::Add => Some(Then::Add),
            Action::MoveUp => Some(Then::Shift(false)),
            Action::MoveDown => Some(Then::Shift(true)),
            _ => None,
        };
        self.open_editor(then);
    }
}
