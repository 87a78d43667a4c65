//! What undoes and redoes an edit: pieces of text that took the place of others, bounded, and written
//! down with the text so that they outlive the process.

use serde::{Deserialize, Serialize};

/// Most changes that can be undone.
pub const CHANGES: usize = 1_000;
/// Most bytes of them.
pub const BYTES: usize = 512 << 10;

/// A piece of text that took the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Where, in bytes.
    pub at: usize,
    /// What was there.
    pub old: String,
    /// What is there now.
    pub new: String,
    /// The versions that the text before and the text after it were made from, where they differ:
    /// somebody else's text took the place of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bases: Option<(u32, u32)>,
}

impl Change {
    /// What makes one text of another; `None` where they are the same.
    #[must_use]
    pub fn between(old: &str, new: &str) -> Option<Self> {
        if old == new {
            return None;
        }
        let mut at = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
        while !(old.is_char_boundary(at) && new.is_char_boundary(at)) {
            at -= 1;
        }
        let (old_rest, new_rest) = (&old[at..], &new[at..]);
        let mut end = old_rest.bytes().rev().zip(new_rest.bytes().rev()).take_while(|(a, b)| a == b).count();
        while !(old_rest.is_char_boundary(old_rest.len() - end)
            && new_rest.is_char_boundary(new_rest.len() - end))
        {
            end -= 1;
        }
        let old = old_rest[..old_rest.len() - end].to_owned();
        Some(Self { at, old, new: new_rest[..new_rest.len() - end].to_owned(), bases: None })
    }

    fn bytes(&self) -> usize {
        self.old.len() + self.new.len() + 16
    }

    /// The text with it made, or taken back; `None` where it does not fit.
    fn apply(&self, text: &str, back: bool) -> Option<(String, usize)> {
        let (gone, comes) = if back { (&self.new, &self.old) } else { (&self.old, &self.new) };
        let end = self.at.checked_add(gone.len())?;
        if text.get(self.at..end)? != gone {
            return None;
        }
        let made = format!("{}{comes}{}", &text[..self.at], &text[end..]);
        Some((made, self.at + comes.len()))
    }

    /// Whether it goes on with what the one before began: letters typed after each other, or taken
    /// away one after the other.
    fn goes_on(&self, before: &Self) -> bool {
        let one = |text: &str| text.chars().count() == 1;
        let word = |text: &str| text.chars().all(|letter| letter != '\n');
        let typed = self.old.is_empty()
            && before.old.is_empty()
            && one(&self.new)
            && word(&self.new)
            && word(&before.new)
            && self.at == before.at + before.new.len()
            && (self.new != " " || before.new.ends_with(' '));
        let taken = self.new.is_empty()
            && before.new.is_empty()
            && one(&self.old)
            && word(&self.old)
            && word(&before.old)
            && (self.at + self.old.len() == before.at || self.at == before.at);
        typed || taken
    }
}

/// The changes of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    undo: Vec<Change>,
    redo: Vec<Change>,
    #[serde(skip)]
    closed: bool,
}

impl History {
    /// As it was written; empty where it does not read.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let read: Self = serde_json::from_str(text).unwrap_or_default();
        Self { closed: true, ..read }
    }

    /// As it is written down.
    #[must_use]
    pub fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Takes a change in; what was undone before it is gone.
    pub fn record(&mut self, change: Change) {
        self.redo.clear();
        match self.undo.last_mut() {
            Some(last) if !self.closed && last.bases.is_none() && change.goes_on(last) => {
                if change.old.is_empty() {
                    last.new.push_str(&change.new);
                } else if change.at < last.at {
                    last.old.insert_str(0, &change.old);
                    last.at = change.at;
                } else {
                    last.old.push_str(&change.old);
                }
            }
            _ => self.undo.push(change),
        }
        self.closed = false;
        let mut bytes: usize = self.undo.iter().map(Change::bytes).sum();
        let mut gone = 0;
        while self.undo.len() - gone > CHANGES || (bytes > BYTES && gone < self.undo.len()) {
            bytes -= self.undo[gone].bytes();
            gone += 1;
        }
        self.undo.drain(..gone);
    }

    /// Takes a change in as part of the last one, where it is inside of what that made.
    pub fn join(&mut self, change: Change) {
        let open = !self.closed;
        let inside = self.undo.last_mut().filter(|last| {
            open && last.bases.is_none()
                && change.at >= last.at
                && change.at + change.old.len() <= last.at + last.new.len()
        });
        match inside {
            Some(last) => {
                let from = change.at - last.at;
                last.new.replace_range(from..from + change.old.len(), &change.new);
                self.redo.clear();
            }
            None => self.record(change),
        }
    }

    /// What is typed next is a change of its own.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Takes the last change back: the text, and where it was. `None` where there is none.
    pub fn undo(&mut self, text: &str) -> Option<(String, usize)> {
        self.closed = true;
        let change = self.undo.pop()?;
        let made = change.apply(text, true);
        match made {
            Some(_) => self.redo.push(change),
            // It is not of this text: neither is what came before it.
            None => self.undo.clear(),
        }
        made
    }

    /// Makes again what was taken back last.
    pub fn redo(&mut self, text: &str) -> Option<(String, usize)> {
        self.closed = true;
        let change = self.redo.pop()?;
        let made = change.apply(text, false);
        match made {
            Some(_) => self.undo.push(change),
            None => self.redo.clear(),
        }
        made
    }

    /// The version that the text is made from once the next change is taken back, or made `again`;
    /// `None` where that stays as it is.
    #[must_use]
    pub fn base(&self, again: bool) -> Option<u32> {
        let next = if again { self.redo.last() } else { self.undo.last() };
        next?.bases.map(|(before, after)| if again { after } else { before })
    }

    /// Whether there is something to take back, and to make again.
    #[must_use]
    pub fn possible(&self) -> (bool, bool) {
        (!self.undo.is_empty(), !self.redo.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(history: &mut History, texts: &[&str]) {
        for pair in texts.windows(2) {
            history.record(Change::between(pair[0], pair[1]).unwrap());
        }
    }

    #[test]
    fn a_change_is_the_piece_that_differs_between_whole_letters() {
        let change = Change::between("a é b", "a è b").unwrap();
        assert_eq!((change.at, change.old.as_str(), change.new.as_str()), (2, "é", "è"));
        assert_eq!(Change::between("aa", "aaa").unwrap().new, "a");
        assert_eq!(Change::between("x", "x"), None);
    }

    #[test]
    fn a_typed_word_is_one_change_and_comes_back_whole() {
        let mut history = History::default();
        typed(&mut history, &["", "u", "ur", "url", "url ", "url x", "url ", "url", "ur"]);
        let (text, at) = history.undo("ur").unwrap();
        assert_eq!((text.as_str(), at), ("url x", 5));
        assert_eq!(history.undo("url x").unwrap().0, "url");
        assert_eq!(history.undo("url").unwrap().0, "");
        assert_eq!(history.undo(""), None);
        assert_eq!(history.redo("").unwrap().0, "url");
        history.record(Change::between("url", "uri").unwrap());
        assert_eq!(history.redo("uri"), None, "another change was made instead");
    }

    #[test]
    fn what_is_put_inside_of_the_last_change_is_part_of_it() {
        let mut history = History::default();
        let texts = ["a\n", "a\nx = \"1\"\n", "a\nx = \"10\"\n", "a\nx = \"1\"\n", "a\nx = \"1s\"\n"];
        for pair in texts.windows(2) {
            history.join(Change::between(pair[0], pair[1]).unwrap());
        }
        assert_eq!(history.undo(texts[4]).unwrap().0, "a\n");
        assert_eq!(history.redo("a\n").unwrap().0, texts[4]);
        history.join(Change::between(texts[4], "b\nx = \"1s\"\n").unwrap());
        assert_eq!(
            history.undo("b\nx = \"1s\"\n").unwrap().0,
            texts[4],
            "what was undone is not gone on with"
        );
    }

    #[test]
    fn it_reads_back_and_a_history_of_another_text_does_nothing() {
        let mut history = History::default();
        typed(&mut history, &["a", "ab", "ab\n", "ab\nc"]);
        let mut read = History::read(&history.written());
        assert_eq!(read.undo("ab\nc").unwrap().0, "ab\n");
        assert_eq!(read.undo("something else"), None);
        assert_eq!(read.possible(), (false, true));
        assert_eq!(History::read("no history"), History { closed: true, ..History::default() });
    }

    #[test]
    fn it_is_bounded_by_count_and_bytes_and_loses_the_oldest() {
        let mut history = History::default();
        for at in 0..CHANGES + 50 {
            history.record(Change { at: at * 9, old: "x".to_owned(), new: "yy".to_owned(), bases: None });
        }
        assert_eq!(history.undo.len(), CHANGES);
        assert_eq!(history.undo[0].at, 50 * 9);
        history.record(Change { at: 0, old: "z".repeat(BYTES - 100), new: String::new(), bases: None });
        assert!(history.undo.len() < 10, "{}", history.undo.len());
        history.record(Change { at: 0, old: "z".repeat(BYTES), new: String::new(), bases: None });
        assert_eq!(history.possible(), (false, false), "one that is too long cannot be undone");
    }
}
