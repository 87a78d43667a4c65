//! The text that is edited: lines, a cursor, and what undoes it.

use super::history::{Change, History};
use crate::console::key::Key;
use crossterm::event::KeyCode;
use tui_textarea::{CursorMove, DataCursor, TextArea};

/// The text.
#[derive(Debug)]
pub struct Source {
    area: TextArea<'static>,
    text: String,
    /// What undoes it.
    pub history: History,
}

/// Letters that a line can be gone to by.
const FAR: usize = 60_000;

impl Source {
    /// With a text and what undoes it, the cursor at its beginning.
    #[must_use]
    pub fn new(text: String, history: History) -> Self {
        Self { area: area(&text), text, history }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its lines.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        self.area.lines()
    }

    /// Line and letter of the cursor, from 0.
    #[must_use]
    pub fn cursor(&self) -> (usize, usize) {
        let DataCursor(line, letter) = self.area.cursor();
        (line, letter)
    }

    /// What stands before and after the cursor in its line.
    #[must_use]
    pub fn around(&self) -> (&str, &str) {
        let (line, letter) = self.cursor();
        let text = self.lines().get(line).map_or("", String::as_str);
        text.split_at(byte_of(text, letter))
    }

    /// The cursor goes there, as far as there is such a place.
    pub fn go(&mut self, line: usize, letter: usize) {
        let line = line.min(self.lines().len().saturating_sub(1)).min(FAR);
        let most = self.lines().get(line).map_or(0, |text| text.chars().count());
        let place = |at: usize| u16::try_from(at.min(FAR)).unwrap_or(u16::MAX);
        self.area.move_cursor(CursorMove::Jump(place(line), place(letter.min(most))));
        self.history.close();
    }

    /// The cursor goes so many lines and letters on.
    pub fn step(&mut self, lines: isize, letters: isize) {
        let (line, letter) = self.cursor();
        let to = line.saturating_add_signed(lines);
        if lines != 0 {
            return self.go(to, letter);
        }
        let length = self.lines().get(line).map_or(0, |text| text.chars().count());
        match letter.checked_add_signed(letters) {
            Some(to) if to <= length => self.go(line, to),
            Some(_) if line + 1 < self.lines().len() => self.go(line + 1, 0),
            None if line > 0 => self.go(line - 1, usize::MAX),
            _ => {}
        }
    }

    /// Does something to the text; it can be undone.
    pub fn edit(&mut self, does: impl FnOnce(&mut TextArea<'static>)) {
        does(&mut self.area);
        let text = self.area.lines().join("\n");
        if let Some(change) = Change::between(&self.text, &text) {
            self.history.record(change);
            self.text = text;
        }
    }

    /// Puts another text in its place, as one change; the cursor stays on its line.
    pub fn replace(&mut self, text: String) {
        self.replace_by(text, None);
    }

    /// The same with a text of another version: of the first number before, of the second after.
    pub fn replace_by(&mut self, text: String, bases: Option<(u32, u32)>) {
        let (line, letter) = self.cursor();
        if let Some(change) = Change::between(&self.text, &text) {
            self.history.close();
            self.history.record(Change { bases, ..change });
            self.history.close();
            self.area = area(&text);
            self.text = text;
            self.go(line, letter);
        }
    }

    /// Puts another text in its place; what is put where the last one was changed stays one change.
    pub fn put(&mut self, text: String) {
        if let Some(change) = Change::between(&self.text, &text) {
            self.history.join(change);
            self.area = area(&text);
            self.text = text;
        }
    }

    /// The cursor goes to the beginning of a line, and what is typed goes on.
    pub fn go_quietly(&mut self, line: usize) {
        let line = u16::try_from(line.min(FAR)).unwrap_or(u16::MAX);
        self.area.move_cursor(CursorMove::Jump(line, 0));
    }

    /// Puts a text in the place of some letters before the cursor.
    pub fn take(&mut self, letters: usize, text: &str) {
        self.history.close();
        self.edit(|area| {
            for _ in 0..letters {
                area.delete_char();
            }
            area.insert_str(text);
        });
        self.history.close();
    }

    /// A pasted text; other control characters than newlines and tabs become spaces.
    pub fn paste(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let clean: String = text
            .chars()
            .map(|letter| if letter.is_control() && letter != '\n' && letter != '\t' { ' ' } else { letter })
            .collect();
        self.take(0, &clean);
    }

    /// A key of a text; whether it was one.
    pub fn key(&mut self, key: Key, page: usize) -> bool {
        let page = isize::try_from(page.max(2) - 1).unwrap_or(10);
        match (key.code, key.ctrl) {
            (KeyCode::Char('w'), true) => self.edit(|area| {
                area.delete_word();
            }),
            (KeyCode::Char('u'), true) => self.edit(|area| {
                area.delete_line_by_head();
            }),
            (KeyCode::Char('k'), true) => self.edit(|area| {
                area.delete_line_by_end();
            }),
            (KeyCode::Char('a'), true) | (KeyCode::Home, _) => self.go(self.cursor().0, 0),
            (KeyCode::Char('e'), true) | (KeyCode::End, _) => self.go(self.cursor().0, usize::MAX),
            (KeyCode::Char(letter), false) => self.edit(|area| area.insert_char(letter)),
            (KeyCode::Enter, _) => self.edit(TextArea::insert_newline),
            (KeyCode::Backspace, _) => self.edit(|area| {
                area.delete_char();
            }),
            (KeyCode::Delete, _) => self.edit(|area| {
                area.delete_next_char();
            }),
            (KeyCode::Left, _) => self.step(0, -1),
            (KeyCode::Right, _) => self.step(0, 1),
            (KeyCode::Up, _) => self.step(-1, 0),
            (KeyCode::Down, _) => self.step(1, 0),
            (KeyCode::PageUp, _) => self.step(-page, 0),
            (KeyCode::PageDown, _) => self.step(page, 0),
            _ => return false,
        }
        true
    }

    /// Takes the last change back, or makes it again; whether there was one.
    pub fn undo(&mut self, again: bool) -> bool {
        let made = if again { self.history.redo(&self.text) } else { self.history.undo(&self.text) };
        let Some((text, at)) = made else { return false };
        self.area = area(&text);
        let before = &text[..at.min(text.len())];
        let line = before.matches('\n').count();
        let letter = before.rsplit('\n').next().unwrap_or_default().chars().count();
        self.text = text;
        self.go(line, letter);
        true
    }

    /// The next place of a text after the cursor, or before it, around the end.
    #[must_use]
    pub fn find(&self, wanted: &str, forwards: bool) -> Option<(usize, usize)> {
        let wanted = wanted.to_lowercase();
        if wanted.is_empty() {
            return None;
        }
        let (line, letter) = self.cursor();
        let lines = self.lines();
        let places = |at: usize| -> Vec<usize> { found(&lines[at], &wanted) };
        let count = lines.len();
        for step in 0..=count {
            let at = if forwards { (line + step) % count } else { (line + count * 2 - step) % count };
            let mut all = places(at);
            if !forwards {
                all.reverse();
            }
            let fits = |place: &&usize| match (step, forwards) {
                (0, true) => **place > letter,
                (0, false) => **place < letter,
                _ => true,
            };
            if let Some(place) = all.iter().find(fits) {
                return Some((at, *place));
            }
        }
        None
    }
}

/// The letters of a line where a text in small letters stands.
#[must_use]
pub fn found(line: &str, wanted: &str) -> Vec<usize> {
    let letters: Vec<char> = line.chars().collect();
    let wanted: Vec<char> = wanted.chars().collect();
    if wanted.is_empty() || letters.len() < wanted.len() {
        return Vec::new();
    }
    let same = |a: char, b: char| a == b || a.to_lowercase().eq(std::iter::once(b));
    (0..=letters.len() - wanted.len())
        .filter(|from| wanted.iter().enumerate().all(|(at, letter)| same(letters[from + at], *letter)))
        .collect()
}

fn area(text: &str) -> TextArea<'static> {
    let mut area = TextArea::new(text.split('\n').map(str::to_owned).collect());
    // What undoes it is ours: it must outlive the process.
    area.set_max_histories(0);
    area
}

/// The byte of a letter in a line.
#[must_use]
pub fn byte_of(line: &str, letter: usize) -> usize {
    line.char_indices().nth(letter).map_or(line.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(source: &mut Source, keys: &[&str]) {
        for key in keys {
            assert!(source.key(Key::parse(key).unwrap(), 10), "{key}");
        }
    }

    #[test]
    fn keys_change_the_text_and_z_takes_them_back_with_the_cursor() {
        let mut source = Source::new("name = \"a\"\n[[flow]]\n".to_owned(), History::default());
        press(&mut source, &["end", "left", "b", "c", "down", "enter"]);
        assert_eq!(source.text(), "name = \"abc\"\n[[flow]]\n\n");
        assert!(source.undo(false) && source.undo(false));
        assert_eq!((source.text(), source.cursor()), ("name = \"a\"\n[[flow]]\n", (0, 9)));
        assert!(!source.undo(false));
        assert!(source.undo(true));
        assert_eq!((source.text(), source.cursor()), ("name = \"abc\"\n[[flow]]\n", (0, 11)));
        source.replace("x".to_owned());
        assert_eq!((source.cursor(), source.around()), ((0, 1), ("x", "")));
        assert!(source.undo(false));
        assert_eq!(source.text(), "name = \"abc\"\n[[flow]]\n");
    }

    #[test]
    fn the_cursor_stays_inside_and_goes_over_ends_of_lines() {
        let mut source = Source::new("é\nab".to_owned(), History::default());
        source.go(9, 9);
        assert_eq!(source.cursor(), (1, 2));
        press(&mut source, &["right", "left", "left", "left", "left", "up"]);
        assert_eq!(source.cursor(), (0, 0));
        press(&mut source, &["right", "right"]);
        assert_eq!(source.cursor(), (1, 0));
        source.paste("\u{1b}[31mx\r\ny");
        assert_eq!(source.text(), "é\n [31mx\nyab");
    }

    #[test]
    fn a_text_is_found_around_the_end_and_whatever_its_case() {
        let mut source = Source::new("Push\nno\npush push".to_owned(), History::default());
        assert_eq!(source.find("PUSH", true), Some((2, 0)));
        source.go(2, 5);
        assert_eq!(source.find("push", true), Some((0, 0)));
        assert_eq!(source.find("push", false), Some((2, 0)));
        assert_eq!(source.find("", true), None);
        assert_eq!(source.find("nowhere", true), None);
    }
}
