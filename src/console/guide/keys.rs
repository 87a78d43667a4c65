//! What keys do at each step, and what is pasted there.

use super::{First, Guide, Stage, text};
use crate::console::action::Action;
use crate::console::app::{App, Overlay, Tone};
use crate::console::editor::pasted::{curl, is_curl};
use crate::console::input::edit_key;
use crate::console::key::Key;
use crate::console::keymap::EVERYWHERE;
use crate::console::menu::{Does, Entry, Menu};
use crate::console::prompt::{Prompt, Wants};
use crate::model::study::Sampled;
use crossterm::event::KeyCode;

/// What else can stand for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// What comes to its URL.
    Comes,
    /// A stored request.
    Stored,
    /// A file.
    File,
    /// JSON that is typed or pasted.
    Pasted,
}

impl App {
    /// A key while an integration is being made and nothing stands above it.
    pub(in crate::console) fn guide_key(&mut self, key: Key) {
        if matches!((key.code, key.ctrl), (KeyCode::Char('c' | 'z' | 'l'), true)) {
            return self.global(key);
        }
        let Some(guide) = &self.guide else { return };
        if guide.finished.is_none() && guide.stage == Stage::Step && guide.step.list.is_some() {
            return self.listed_key(key);
        }
        match key.code {
            KeyCode::Esc if !self.toasts.is_empty() => return self.toasts.clear(),
            KeyCode::Esc => return self.guide_back(),
            KeyCode::Enter => return self.guide_next(),
            _ => {}
        }
        if guide.types() { self.guide_typed(key) } else { self.guide_acts(key) }
    }

    /// A key where letters are text.
    fn guide_typed(&mut self, key: Key) {
        let Some(guide) = &mut self.guide else { return };
        let by = match key.code {
            KeyCode::Tab | KeyCode::Down => Some(1),
            KeyCode::BackTab | KeyCode::Up => Some(-1),
            _ => None,
        };
        match (by, guide.stage) {
            (Some(by), Stage::Auth) => guide.auth.next(by),
            (Some(by), Stage::Step) => guide.step.next(by),
            (Some(_), Stage::Dedup) => guide.on_window = false,
            (Some(_), _) => guide.naming.on_flow = !guide.naming.on_flow || !guide.name.is_empty(),
            (None, _) => {
                if let Some(edit) = guide.edit()
                    && edit_key(edit, key)
                {
                    guide.typed(matches!(key.code, KeyCode::Char(_)));
                }
            }
        }
    }

    /// A key while a list is open at the cursor.
    fn listed_key(&mut self, key: Key) {
        let Some(guide) = &mut self.guide else { return };
        let Some(list) = &mut guide.step.list else { return };
        let end = list.all.len().saturating_sub(1);
        match key.code {
            KeyCode::Esc => guide.step.list = None,
            KeyCode::Down => list.at = (list.at + 1).min(end),
            KeyCode::Up => list.at = list.at.saturating_sub(1),
            KeyCode::Tab | KeyCode::Enter => guide.step.take(),
            _ => self.guide_typed(key),
        }
    }

    /// A key where letters are the console's own.
    fn guide_acts(&mut self, key: Key) {
        match self.options.keymap.action_of(key) {
            Some(action) => self.act(action),
            None => self
                .toast(Tone::Info, format!("{key} means nothing here; {} lists the keys", self.say("{?}"))),
        }
    }

    /// Does what an action says at the step that is shown.
    fn guide_does(&mut self, action: Action) {
        let Some(guide) = &mut self.guide else { return };
        match (guide.stage, action) {
            (_, Action::Copy) => self.copy_guided(false),
            (_, Action::CopyAs) => self.copy_guided(true),
            (Stage::Auth, Action::NextPane) => guide.auth.next(1),
            (Stage::Auth, Action::PreviousPane) => guide.auth.next(-1),
            (Stage::Auth, Action::Down | Action::Up) => {
                let by = if action == Action::Down { 1 } else { -1 };
                if guide.auth.focus == 0 {
                    guide.auth.choose(by);
                } else {
                    guide.auth.next(by);
                }
                guide.first = First::Nothing;
            }
            (Stage::Auth, Action::Left | Action::Right) => {
                let chose = guide.auth.sideways(if action == Action::Right { 1 } else { -1 });
                let why = self
                    .options
                    .keymap
                    .say("choose is not possible: {j} {k} go through this list, tab to its fields");
                if !chose {
                    self.toast(Tone::Info, why);
                }
            }
            (Stage::Step, Action::NextPane | Action::Down) => guide.step.next(1),
            (Stage::Step, Action::PreviousPane | Action::Up) => guide.step.next(-1),
            (Stage::Step, Action::Left | Action::Right) => {
                guide.step.choose(if action == Action::Right { 1 } else { -1 });
            }
            (Stage::Dedup, Action::NextPane | Action::PreviousPane) => guide.on_window = true,
            (Stage::Capture, Action::NextPane | Action::PreviousPane) => {
                if let Some(table) = &mut guide.table {
                    table.dedup = !table.dedup;
                }
            }
            (Stage::Capture, Action::Capture) => {
                if let Some(table) = &mut guide.table {
                    table.take(Sampled::default());
                }
                self.renew_capture();
                self.ask_captured();
            }
            (Stage::Capture | Stage::Test, Action::View) => self.open_sources(),
            (Stage::Capture | Stage::Dedup, action) => {
                let Some(table) = &mut guide.table else { return };
                if let Err(why) = table.acts(action) {
                    self.toast(Tone::Info, why);
                }
            }
            (Stage::Test, Action::Edit) => {
                let name = guide.name.clone();
                self.close_guide();
                self.edit_named(name);
            }
            (Stage::Test, action) => {
                let lines = &mut guide.tested.lines;
                let page = isize::try_from(lines.height.max(2) - 1).unwrap_or(10);
                match action {
                    Action::Down => lines.step(1),
                    Action::Up => lines.step(-1),
                    Action::PageDown => lines.step(page),
                    Action::PageUp => lines.step(-page),
                    Action::Top => lines.rewind(),
                    Action::Bottom => lines.step(isize::MAX),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Whether an action can act at the step that is shown; else why not.
    ///
    /// # Errors
    /// The sentence that the key says.
    pub(in crate::console) fn guide_possible(&self, action: Action) -> Result<(), String> {
        let Some(guide) = &self.guide else { return Ok(()) };
        let everywhere = action == Action::Open || EVERYWHERE.contains(&action);
        let word = self
            .options
            .keymap
            .bound(action)
            .map(|bound| bound.binding)
            .map_or("this", |binding| binding.word);
        let moves = matches!(
            action,
            Action::Up
                | Action::Down
                | Action::PageUp
                | Action::PageDown
                | Action::Top
                | Action::Bottom
                | Action::NextPane
                | Action::PreviousPane
        );
        let here = match guide.stage {
            _ if everywhere => true,
            _ if guide.finished.is_some() => matches!(action, Action::Copy | Action::CopyAs),
            Stage::Auth if guide.first == First::Shown => action == Action::Copy,
            Stage::Name => moves,
            Stage::Auth | Stage::Step => moves || matches!(action, Action::Left | Action::Right),
            Stage::Capture => {
                moves
                    || matches!(
                        action,
                        Action::Mark | Action::Capture | Action::View | Action::Copy | Action::CopyAs
                    )
            }
            Stage::Dedup => moves || action == Action::Mark,
            Stage::Test => moves || matches!(action, Action::View | Action::Edit),
        };
        match (here, action) {
            (true, Action::Capture) => self.barred_deed(crate::model::ask::Deed::Capture).map_or(Ok(()), Err),
            (true, _) => Ok(()),
            (false, _) => Err(format!(
                "{word} is not possible: step {} of a new integration is open; esc goes back, {} leaves it",
                guide.stage.number(),
                self.say("{q}")
            )),
        }
    }

    /// Does what an action of everywhere says while one is being made; whether it is its own.
    pub(in crate::console) fn guide_act(&mut self, action: Action) -> bool {
        if self.guide.is_none() {
            return false;
        }
        match action {
            Action::Back => self.guide_back(),
            Action::Open => self.guide_next(),
            Action::Quit => self.close_guide(),
            Action::Screen(_) => {
                self.close_guide();
                return false;
            }
            _ if EVERYWHERE.contains(&action) => return false,
            _ => self.guide_does(action),
        }
        true
    }

    /// What is pasted: into what is typed, a curl command as the step, JSON as what came.
    pub(in crate::console) fn guide_paste(&mut self, pasted: &str) {
        let Some(guide) = &mut self.guide else { return };
        match guide.stage {
            _ if guide.finished.is_some() => {}
            Stage::Step if is_curl(pasted) => {
                let made = curl(pasted).and_then(|read| {
                    let text = text::with_pasted(&guide.text, &read).map_err(|why| guide.keys.say(&why))?;
                    text::sound(&text)?;
                    Ok((text, read))
                });
                match made {
                    Ok((made, read)) => {
                        guide.text = made;
                        if let Some(first) = text::step(&guide.text) {
                            guide.step = super::StepForm::of(&first);
                        }
                        // It stays for as long as the step is looked at.
                        let without = read.left_out.iter().map(|left| format!("without {left}"));
                        guide.step.told = without.chain(read.tells()).collect();
                        (guide.trouble, guide.first) = (None, First::Nothing);
                        self.toast(Tone::Info, "the step sends what the command would");
                    }
                    Err(why) => self.toast(Tone::Info, format!("step is not possible: {why}")),
                }
            }
            Stage::Capture => self.paste_captured(pasted),
            Stage::Test if pasted.trim_start().starts_with(['{', '[']) => {
                self.guide_samples(Sampled::Text(pasted.to_owned()));
            }
            Stage::Test => self.toast(Tone::Info, "paste: what stands for a request is JSON"),
            _ => match guide.edit() {
                Some(edit) => {
                    edit.insert(pasted);
                    guide.typed(false);
                }
                None => self.toast(Tone::Info, "paste: nothing here takes text; tab goes to a field"),
            },
        }
    }

    fn copy_guided(&mut self, command: bool) {
        let Some(guide) = &self.guide else { return };
        if guide.stage == Stage::Auth
            && let Some(secret) = guide.secret()
        {
            let (text, key) = (secret.reveal().to_owned(), guide.auth.scheme().word());
            return self.copy(text, &format!("the {key} secret; nobody is shown it again"));
        }
        if command {
            return match guide.command(true) {
                Some(text) if guide.secret().is_some_and(|secret| text.contains(secret.reveal())) => {
                    self.copy(text, "a command, with the key in it");
                }
                Some(text) => self.copy(text, "a command"),
                None => self.toast(Tone::Info, "copy as is not possible: the URL is not known yet"),
            };
        }
        let url =
            guide.finished.as_ref().map(|done| done.url.clone()).or_else(|| guide.url().map(str::to_owned));
        match url {
            Some(url) => self.copy(url, "URL"),
            None => self.toast(Tone::Info, "copy is not possible: the URL is not known yet"),
        }
    }

    /// What else can stand for what comes.
    fn open_sources(&mut self) {
        let entry = |key, word, text: &str, other| Entry {
            key,
            word,
            text: text.to_owned(),
            does: Ok(Does::Guide(other)),
        };
        let entries = vec![
            entry('c', "what comes", "requests to its URL while the capture is open", Other::Comes),
            entry('s', "stored", "a request by its id, of any flow", Other::Stored),
            entry('f', "file", "JSON, or a sample with $request, from this machine", Other::File),
            entry('p', "JSON", "paste it here, or type it", Other::Pasted),
        ];
        let title = "What stands for a request".to_owned();
        self.overlay = Some(Overlay::Menu(Box::new(Menu { title, copies: false, entries, at: 0 })));
    }

    /// Another source was chosen.
    pub(in crate::console) fn guide_source(&mut self, other: Other) {
        let wants = match other {
            Other::Comes => return self.guide_samples(Sampled::default()),
            Other::Stored => Wants::Request,
            Other::File => Wants::SampleFile,
            Other::Pasted => Wants::Json,
        };
        self.overlay = Some(Overlay::Prompt(Box::new(Prompt::new(wants))));
    }
}

impl Guide {
    /// To a field, by its place among those that are shown.
    pub(in crate::console) fn go_field(&mut self, at: usize) {
        match self.stage {
            Stage::Name => self.naming.on_flow = at > 0 || !self.name.is_empty(),
            Stage::Auth => self.auth.focus = (at + 1).min(self.auth.fields().len()),
            Stage::Dedup => self.on_window = true,
            Stage::Step => (self.step.focus, self.step.list) = (at.min(2), None),
            Stage::Capture | Stage::Test => {}
        }
    }

    /// To the list of the step, where it has one.
    pub(in crate::console) fn go_list(&mut self) {
        self.on_window = false;
        if self.stage == Stage::Auth {
            self.auth.focus = 0;
        }
    }

    /// What is typed into.
    fn edit(&mut self) -> Option<&mut crate::console::edit::Edit> {
        match self.stage {
            Stage::Name if self.naming.on_flow => Some(&mut self.naming.flow),
            Stage::Name => Some(&mut self.naming.title),
            Stage::Auth => self.auth.edit(),
            Stage::Dedup => self.on_window.then_some(&mut self.window),
            Stage::Step => self.step.edit(),
            Stage::Capture | Stage::Test => None,
        }
    }

    /// Something was typed: what was wrong may be so no more, and a list opens in a template.
    fn typed(&mut self, letter: bool) {
        (self.trouble, self.first) = (None, First::Nothing);
        if self.stage != Stage::Step {
            return;
        }
        if letter || self.step.list.is_some() {
            let found = self.table.as_ref().map(|table| &table.found);
            self.step.complete(&self.text, found);
        }
    }
}
