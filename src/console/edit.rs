//! A line of text that a person types: filter, reason, stand-in, count.

/// Most characters of a line.
pub const MOST: usize = 4_000;

/// The text and where the next letter goes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Edit {
    letters: Vec<char>,
    at: usize,
    hidden: bool,
}

/// What is hidden is in no log either.
impl std::fmt::Debug for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.hidden { f.write_str("•••") } else { write!(f, "{:?} at {}", self.text(), self.at) }
    }
}

impl Edit {
    /// With a text in it, the cursor at its end.
    #[must_use]
    pub fn with(text: &str) -> Self {
        let mut edit = Self::default();
        edit.insert(text);
        edit
    }

    /// One that shows nobody what is typed.
    #[must_use]
    pub fn hidden() -> Self {
        Self { hidden: true, ..Self::default() }
    }

    /// How many characters more it takes.
    #[must_use]
    pub fn room(&self) -> usize {
        MOST - self.letters.len().min(MOST)
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> String {
        self.letters.iter().collect()
    }

    /// Where the cursor is, in characters.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.at
    }

    /// Whether nothing was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// Whether the cursor is at the end.
    #[must_use]
    pub fn at_end(&self) -> bool {
        self.at == self.letters.len()
    }

    /// Types or pastes; control characters (a pasted newline too) become spaces.
    pub fn insert(&mut self, text: &str) {
        for letter in text.trim_end_matches(['\r', '\n']).chars() {
            if self.letters.len() >= MOST {
                return;
            }
            self.letters.insert(self.at, if letter.is_control() { ' ' } else { letter });
            self.at += 1;
        }
    }

    /// Writes a text in the place of what is between a character and the cursor.
    pub fn replace(&mut self, from: usize, text: &str) {
        let from = from.min(self.at);
        self.letters.drain(from..self.at);
        self.at = from;
        for letter in text.chars().take(self.room()) {
            self.letters.insert(self.at, if letter.is_control() { ' ' } else { letter });
            self.at += 1;
        }
    }

    /// Deletes before the cursor.
    pub fn backspace(&mut self) {
        if self.at > 0 {
            self.at -= 1;
            self.letters.remove(self.at);
        }
    }

    /// Deletes under the cursor.
    pub fn delete(&mut self) {
        if self.at < self.letters.len() {
            self.letters.remove(self.at);
        }
    }

    /// Deletes the word before the cursor.
    pub fn delete_word(&mut self) {
        while self.at > 0 && self.letters[self.at - 1] == ' ' {
            self.backspace();
        }
        while self.at > 0 && self.letters[self.at - 1] != ' ' {
            self.backspace();
        }
    }

    /// Deletes up to the cursor.
    pub fn delete_to_start(&mut self) {
        self.letters.drain(..self.at);
        self.at = 0;
    }

    /// Moves the cursor.
    pub fn go(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by).min(self.letters.len());
    }

    /// To the start or the end.
    pub fn go_end(&mut self, end: bool) {
        self.at = if end { self.letters.len() } else { 0 };
    }

    /// The part that fits in so many cells with the cursor in it, and the cursor's place in it.
    #[must_use]
    pub fn window(&self, cells: u16) -> (String, u16) {
        let cells = usize::from(cells.max(1));
        let from = (self.at + 1).saturating_sub(cells);
        let shown = |letter: &char| if self.hidden { '•' } else { *letter };
        let text: String = self.letters.iter().skip(from).take(cells).map(shown).collect();
        (text, u16::try_from(self.at - from).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_moving_and_deleting() {
        let mut edit = Edit::with("since:15m state:errored");
        edit.delete_word();
        assert_eq!(edit.text(), "since:15m ");
        edit.go_end(false);
        edit.insert("-");
        edit.delete();
        assert_eq!(edit.text(), "-ince:15m ");
        edit.go(100);
        edit.delete_to_start();
        edit.backspace();
        edit.delete();
        edit.go(-1);
        assert!(edit.is_empty() && edit.at_end());
    }

    #[test]
    fn a_paste_is_one_line_and_bounded() {
        let mut edit = Edit::default();
        edit.insert("a\nb\u{1b}[31m\n");
        assert_eq!(edit.text(), "a b [31m");
        edit.insert(&"x".repeat(MOST * 2));
        assert_eq!(edit.text().len(), MOST);
    }

    #[test]
    fn the_window_holds_the_cursor() {
        let edit = Edit::with("0123456789");
        assert_eq!(edit.window(4), ("789".to_owned(), 3));
        assert_eq!(edit.window(40), ("0123456789".to_owned(), 10));
        assert_eq!(Edit::default().window(0), (String::new(), 0));
    }
}
