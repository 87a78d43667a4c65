//! The palette: every action by its words, and what has no key of its own. What cannot act here
//! says why.

use super::action::Action;
use super::app::{App, Overlay, Tone};
use super::edit::Edit;
use super::input::edit_key;
use super::key::Key;
use super::keymap::KEYS;
use crossterm::event::KeyCode;

/// What is open.
#[derive(Debug, Default)]
pub struct Palette {
    /// What is looked for.
    pub edit: Edit,
    /// The selected line of those that match.
    pub at: usize,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Key(Action),
    Jobs,
    Consoles,
}

/// What has no key.
const WORDS: [(&str, &str, What); 2] = [
    ("jobs", "verbs on many: how far they are, stop one", What::Jobs),
    ("consoles", "who is attached, and where", What::Consoles),
];

/// Entries whose words hold every word that was typed; all of them for nothing.
#[must_use]
pub fn matching(typed: &str) -> Vec<Entry> {
    let wanted: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let words = WORDS.iter().map(|(word, help, what)| Entry { keys: String::new(), word, help, what: *what });
    let keys = KEYS.iter().filter(|binding| !matches!(binding.action, Action::Later(_) | Action::Palette));
    let keys = keys.map(|binding| Entry {
        keys: binding.keys.join(" "),
        word: binding.word,
        help: binding.help,
        what: What::Key(binding.action),
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
            What::Jobs | What::Consoles => None,
        }
    }

    /// Opens it.
    pub fn open_palette(&mut self) {
        self.overlay = Some(Overlay::Palette(Box::default()));
    }

    /// A key while it is open.
    pub fn palette_key(&mut self, key: Key) {
        let Some(Overlay::Palette(open)) = &mut self.overlay else { return };
        let last = matching(&open.edit.text()).len().saturating_sub(1);
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
                }
            }
        }
    }

    fn do_entry(&mut self) {
        let Some(Overlay::Palette(open)) = &self.overlay else { return };
        let Some(entry) = matching(&open.edit.text()).into_iter().nth(open.at) else {
            return self.toast(Tone::Info, "nothing is called so; esc closes this");
        };
        self.overlay = None;
        match entry.what {
            What::Key(action) => self.act(action),
            What::Jobs => self.open_jobs(None),
            What::Consoles => self.open_consoles(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_the_word_comes_first_and_every_word_counts() {
        assert_eq!(matching("jobs")[0].what, What::Jobs);
        assert!(matching("re")[0].word.to_lowercase().starts_with("re"));
        assert_eq!(matching("dedup key")[0].what, What::Key(Action::Forget));
        assert!(matching("no such thing").is_empty());
        let all = matching("");
        assert!(all.len() > 30);
        assert!(all.iter().all(|entry| !matches!(entry.what, What::Key(Action::Later(_) | Action::Palette))));
    }
}
