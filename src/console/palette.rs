//! The palette: every action by its words, and what has no key of its own. What cannot act here
//! says why.

use super::action::Action;
use super::app::{App, Overlay, Tone};
use super::asks::Want;
use super::edit::Edit;
use super::input::edit_key;
use super::jump::Jump;
use super::key::Key;
use super::keymap::Keymap;
use crate::model::ask::Deed;
use crossterm::event::KeyCode;

/// What is open.
#[derive(Debug, Default)]
pub struct Palette {
    /// What is looked for.
    pub edit: Edit,
    /// The selected line: what has the id that was typed comes first, then what matches.
    pub at: usize,
    /// What has the id.
    pub jump: Jump,
}

/// Something that can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its keys, where it has some.
    pub keys: String,
    /// Its word.
    pub word: &'static str,
    /// In a few words.
    pub help: &'static str,
    what: What,
}

impl Entry {
    /// What its key does, where it has one.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        match self.what {
            What::Key(action) => Some(action),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Key(Action),
    Jobs,
    Consoles,
    SaveView,
    Messages,
    Theme,
    Keys,
    Audit,
    Record,
    Bytes,
    New,
    File,
    Samples,
}

/// What has no key.
const WORDS: [(&str, &str, What); 12] = [
    ("new integration", "name, who may send, capture, dedup, step, deploy", What::New),
    ("apply a file", "a document of this machine: its plan, then live", What::File),
    ("load the samples", "six integrations that ship with the program", What::Samples),
    ("jobs", "verbs on many: how far they are, stop one", What::Jobs),
    ("consoles", "who is attached, and where", What::Consoles),
    ("save view", "this list with its filter, under a digit that ' opens", What::SaveView),
    ("messages", "what was told in this session", What::Messages),
    ("theme", "the themes, each shown as the cursor moves", What::Theme),
    ("keys", "every action by its name, for [keys] of the configuration", What::Keys),
    ("audit", "who did what, when and why", What::Audit),
    ("record", "record this session into a file, or end that", What::Record),
    ("bytes", "what is written to the terminal, in the first row; or no more", What::Bytes),
];

/// Entries whose words hold every word that was typed; all of them for nothing.
#[must_use]
pub fn matching(keymap: &Keymap, typed: &str) -> Vec<Entry> {
    let wanted: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let words = WORDS.iter().map(|(word, help, what)| Entry { keys: String::new(), word, help, what: *what });
    let keys = keymap.lines().filter(|it| it.binding.action != Action::Palette);
    let keys = keys.map(|bound| Entry {
        keys: bound.names.clone(),
        word: bound.binding.word,
        help: bound.binding.help,
        what: What::Key(bound.binding.action),
    });
    let fits = |entry: &Entry| {
        let text = format!("{} {}", entry.word, entry.help).to_lowercase();
        wanted.iter().all(|word| text.contains(word))
    };
    let mut found: Vec<Entry> = words.chain(keys).filter(fits).collect();
    // What begins with what was typed is meant most likely.
    let first = typed.trim().to_lowercase();
    found.sort_by_key(|entry| first.is_empty() || !entry.word.to_lowercase().starts_with(&first));
    found
}

impl App {
    /// Why an entry cannot act here, if so.
    #[must_use]
    pub fn barred_entry(&self, entry: &Entry) -> Option<String> {
        match entry.what {
            What::Key(action) => self.possible(action).err(),
            What::SaveView => self.barred_view(),
            What::New => self.barred_guide(),
            What::File => self.barred_deed(Deed::Apply),
            What::Samples => self.barred_deed(Deed::LoadSamples),
            _ => None,
        }
    }

    /// Opens it.
    pub fn open_palette(&mut self) {
        self.overlay = Some(Overlay::Palette(Box::default()));
    }

    /// A key while it is open.
    pub fn palette_key(&mut self, key: Key) {
        let Some(Overlay::Palette(open)) = &mut self.overlay else { return };
        let found = open.jump.found.len() + matching(&self.options.keymap, &open.edit.text()).len();
        let last = found.saturating_sub(1);
        match (key.code, key.ctrl) {
            (KeyCode::Esc, _) => self.overlay = None,
            (KeyCode::Down | KeyCode::Tab, _) => open.at = (open.at + 1).min(last),
            (KeyCode::Up | KeyCode::BackTab, _) => open.at = open.at.saturating_sub(1),
            (KeyCode::PageDown, _) => open.at = (open.at + 10).min(last),
            (KeyCode::PageUp, _) => open.at = open.at.saturating_sub(10),
            (KeyCode::Enter, _) => self.do_entry(),
            (KeyCode::Char('c' | 'z' | 'l'), true) => self.global(key),
            _ => {
                if edit_key(&mut open.edit, key) {
                    open.at = 0;
                    open.jump = Jump::default();
                }
            }
        }
    }

    fn do_entry(&mut self) {
        let Some(Overlay::Palette(open)) = &self.overlay else { return };
        if let Some(found) = open.jump.found.get(open.at) {
            let found = found.clone();
            return self.jump(&found);
        }
        let at = open.at - open.jump.found.len();
        let Some(entry) = self.palette_entries(&open.edit.text()).into_iter().nth(at) else {
            if self.look_up() || self.asks.awaits(|want| matches!(want, Want::LookUp(_))) {
                return;
            }
            return self.toast(Tone::Info, "nothing is called so; esc closes this");
        };
        self.overlay = None;
        match entry.what {
            What::Key(action) => self.act(action),
            What::Jobs => self.open_jobs(None),
            What::Consoles => self.open_consoles(),
            What::SaveView => self.open_save_view(),
            What::Messages => self.open_messages(),
            What::Theme => self.open_themes(),
            What::Audit => self.open_audit(),
            What::Record => self.record(),
            What::Bytes => self.toggle_bytes(),
            What::Keys => self.overlay = Some(Overlay::Keys { top: 0 }),
            What::New => self.open_guide(),
            What::File => self.open_apply(),
            What::Samples => self.load_samples(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matching(typed: &str) -> Vec<Entry> {
        super::matching(&Keymap::default(), typed)
    }

    #[test]
    fn what_begins_with_the_word_comes_first_and_every_word_counts() {
        assert_eq!(matching("jobs")[0].what, What::Jobs);
        assert!(matching("re")[0].word.to_lowercase().starts_with("re"));
        assert_eq!(matching("dedup key")[0].what, What::Key(Action::Forget));
        assert!(matching("no such thing").is_empty());
        let all = matching("");
        assert!(all.len() > 30);
        assert!(all.iter().all(|entry| entry.what != What::Key(Action::Palette)));
    }
}
