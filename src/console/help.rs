//! `?`: what the keys do, those of the pane in focus first; each can be searched for, and done.

use super::action::Action;
use super::app::{App, Overlay};
use super::edit::Edit;
use super::guide::Guide;
use super::input::edit_key;
use super::key::Key;
use super::keymap::HELP;
use crossterm::event::KeyCode;

/// What is open.
#[derive(Debug, Default)]
pub struct Help {
    /// The selected entry.
    pub at: usize,
    /// The search line, while it takes text.
    pub edit: Option<Edit>,
    /// What is searched for.
    pub wanted: String,
}

/// A key, and what it does; where it cannot act, why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it does; nothing where only the screen knows.
    pub action: Option<Action>,
    /// Its keys.
    pub keys: String,
    /// In a few words, or the reason.
    pub text: String,
    /// It cannot act here and now.
    pub barred: bool,
}

/// Entries under a title.
pub type Section = (&'static str, Vec<Entry>);

/// All that there is: for the pane in focus, for every screen, and what other panes are made for. Only
/// what has every word of `wanted`.
#[must_use]
pub fn sections(app: &App, wanted: &str) -> [Section; 3] {
    let here = app.actions_here();
    let words: Vec<String> = wanted.split_whitespace().map(str::to_lowercase).collect();
    let entry = |action: Action| {
        let bound = app.options.keymap.bound(action)?;
        let tells = action.is_verb() || action == Action::MarkAll || here.contains(&action);
        let reason = app.possible(action).err().filter(|_| tells);
        let all = format!("{} {} {}", bound.names, bound.binding.word, bound.binding.help).to_lowercase();
        let barred = reason.is_some();
        let text = reason.unwrap_or_else(|| app.say(bound.binding.help));
        words.iter().all(|word| all.contains(word)).then(|| Entry {
            action: Some(action),
            keys: bound.names.clone(),
            text,
            barred,
        })
    };
    let general = |group: &str| matches!(group, "move" | "everywhere");
    let of = |wanted: bool| {
        let groups = HELP.iter().filter(move |(group, _)| general(group) == wanted);
        groups.flat_map(|(_, actions)| *actions).copied().filter(|action| !here.contains(action))
    };
    [
        // The step's own keys are told in its own words.
        (
            "do here",
            match &app.guide {
                Some(guide) => guided(app, guide, &words),
                None => here.iter().copied().filter_map(entry).collect(),
            },
        ),
        ("everywhere", of(true).filter_map(entry).collect()),
        ("elsewhere", of(false).filter_map(entry).collect()),
    ]
}

/// What the keys do in the step of a new integration that is open.
fn guided(app: &App, guide: &Guide, words: &[String]) -> Vec<Entry> {
    let now =
        |keys: &str| keys.split(' ').map(|key| app.options.keymap.now(key)).collect::<Vec<_>>().join(" ");
    let wanted = |keys: &str, text: &str| {
        let all = format!("{keys} {text}").to_lowercase();
        words.iter().all(|word| all.contains(word))
    };
    let told = guide.help().into_iter().filter(|(keys, text)| wanted(keys, text));
    let entry = |(keys, text): (&str, &str)| Entry {
        action: None,
        keys: now(keys),
        text: text.to_owned(),
        barred: false,
    };
    told.map(entry).collect()
}

impl App {
    /// Opens it.
    pub fn open_help(&mut self) {
        self.overlay = Some(Overlay::Help(Box::default()));
    }

    /// A key while it is open.
    pub fn help_key(&mut self, key: Key) {
        let Some(Overlay::Help(open)) = &self.overlay else { return };
        let sections = sections(self, &open.wanted);
        let counts = sections.each_ref().map(|(_, entries)| entries.len());
        let chosen =
            sections.iter().flat_map(|(_, entries)| entries).nth(open.at).and_then(|entry| entry.action);
        let last = counts.iter().sum::<usize>().saturating_sub(1);
        let action = self.options.keymap.action_of(key);
        let Some(Overlay::Help(open)) = &mut self.overlay else { return };
        let moved = |at: usize, by: isize| at.saturating_add_signed(by).min(last);
        if let Some(edit) = &mut open.edit {
            match (key.code, key.ctrl) {
                (KeyCode::Esc, _) => {
                    open.edit = None;
                    open.wanted.clear();
                    open.at = 0;
                }
                (KeyCode::Enter, _) => self.do_chosen(chosen),
                (KeyCode::Down | KeyCode::Tab, _) => open.at = moved(open.at, 1),
                (KeyCode::Up | KeyCode::BackTab, _) => open.at = moved(open.at, -1),
                (KeyCode::Char('c' | 'z' | 'l'), true) => self.global(key),
                _ => {
                    if edit_key(edit, key) {
                        open.wanted = edit.text();
                        open.at = 0;
                    }
                }
            }
            return;
        }
        match action {
            Some(Action::Filter) => open.edit = Some(Edit::default()),
            Some(Action::Down) => open.at = moved(open.at, 1),
            Some(Action::Up) => open.at = moved(open.at, -1),
            Some(Action::PageDown) => open.at = moved(open.at, 10),
            Some(Action::PageUp) => open.at = moved(open.at, -10),
            Some(Action::Top | Action::Left) => open.at = 0,
            Some(Action::Right | Action::NextPane) => {
                open.at = if open.at < counts[0] { counts[0].min(last) } else { 0 }
            }
            Some(Action::Bottom) => open.at = last,
            Some(Action::Open) => self.do_chosen(chosen),
            Some(Action::Back | Action::Help | Action::Quit) => self.overlay = None,
            Some(action @ (Action::Interrupt | Action::Suspend | Action::Redraw)) => {
                self.overlay = None;
                self.act(action);
            }
            _ => self.refuse_key(key),
        }
    }

    fn do_chosen(&mut self, chosen: Option<Action>) {
        self.overlay = None;
        if let Some(action) = chosen {
            self.act(action);
        }
    }
}
