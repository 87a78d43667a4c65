//! A short list of which one key chooses one: where to go from here, what to copy.

use super::app::{App, Overlay, Tone};
use super::key::Key;
use super::picks::Listed;
use crate::console::action::Action;
use crate::model::ask::Ask;
use crossterm::event::KeyCode;

/// What an entry does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// Shows a flow of an integration in the tree, or a version of it.
    Flow(String, String, Option<u32>),
    /// Gives a text to the clipboard, and says as what.
    Copy(String, String),
    /// Opens a request.
    Request(String),
    /// Opens a run.
    Run(String),
    /// Asks for the URL of a callback, which is audited, and copies it.
    Reveal(String),
    /// Lists the requests that a filter matches.
    Requests(String),
    /// Lists the runs that a filter matches.
    Runs(String),
    /// Opens a list with a filter.
    Saved(Listed, String),
    /// Lists the values of a path.
    Values(String),
    /// Takes the column of a path off.
    Unpin(String),
    /// Tries a flow out: `NAME/FLOW`.
    Test(String),
    /// Something else stands for what comes to an integration that is being made.
    Guide(super::guide::keys::Other),
    /// Something of the document that is edited.
    Edit(super::editor::Does),
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key that chooses it.
    pub key: char,
    /// What it is.
    pub word: &'static str,
    /// Which one, or a look at it.
    pub text: String,
    /// What it does; else why it cannot.
    pub does: Result<Does, String>,
}

/// The list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// Over it.
    pub title: String,
    /// What to copy, not where to go.
    pub copies: bool,
    /// In order.
    pub entries: Vec<Entry>,
    /// The selected one: `enter` chooses it.
    pub at: usize,
}

impl Menu {
    /// Whether it lists views.
    #[must_use]
    pub fn has_views(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.does, Ok(Does::Saved(..))))
    }

    /// Whether some of these are of this person's own.
    #[must_use]
    pub fn has_own(&self) -> bool {
        let own = |entry: &Entry| entry.key.is_ascii_digit() && matches!(entry.does, Ok(Does::Saved(..)));
        self.entries.iter().any(own)
    }
}

impl App {
    /// A key while the list is open.
    pub fn menu_key(&mut self, key: Key) {
        let Some(Overlay::Menu(menu)) = &mut self.overlay else { return };
        let last = menu.entries.len().saturating_sub(1);
        if let KeyCode::Char(letter) = key.code
            && !key.ctrl
            && let Some(at) = menu.entries.iter().position(|entry| entry.key == letter)
        {
            return self.choose(at);
        }
        match self.options.keymap.action_of(key) {
            Some(Action::Down) => menu.at = (menu.at + 1).min(last),
            Some(Action::Up) => menu.at = menu.at.saturating_sub(1),
            Some(Action::Open) => {
                let at = menu.at;
                self.choose(at);
            }
            Some(Action::Forget) if menu.has_views() => {
                let key = menu.entries.get(menu.at).map_or(' ', |entry| entry.key);
                self.forget_view(key);
            }
            Some(Action::Back | Action::Quit) => self.overlay = None,
            Some(Action::Interrupt | Action::Suspend | Action::Redraw) => self.global(key),
            _ => self.refuse_key(key),
        }
    }

    fn choose(&mut self, at: usize) {
        let Some(Overlay::Menu(menu)) = &mut self.overlay else { return };
        menu.at = at;
        let Some(entry) = menu.entries.get(at).cloned() else { return };
        match entry.does {
            Ok(does) => {
                self.overlay = None;
                self.go(does);
            }
            Err(why) => self.toast(Tone::Info, why),
        }
    }

    /// Does what an entry does.
    pub(super) fn go(&mut self, does: Does) {
        match does {
            Does::Copy(text, what) => self.copy(text, &what),
            Does::Reveal(id) => self.asks.ask(super::asks::Want::Reveal, Ask::Callback { id, reveal: true }),
            Does::Flow(integration, flow, version) => self.open_flow(&integration, &flow, version),
            Does::Request(id) => self.open_request(id),
            Does::Run(id) => self.open_run(id),
            Does::Requests(filter) => self.open_requests(&filter),
            Does::Runs(filter) => self.open_runs(&filter),
            Does::Saved(list, filter) => self.open_saved(list, &filter),
            Does::Values(path) => self.open_values_of(path),
            Does::Unpin(path) => self.unpin(path),
            Does::Test(flow) => self.open_trial_of(flow, "last".to_owned()),
            Does::Guide(other) => self.guide_source(other),
            Does::Edit(does) => self.do_edit(does),
        }
    }
}
