//! Two texts beside each other, line by line.

use super::After;
use crate::console::action::Action;
use crate::console::app::{App, Overlay};
use crate::console::key::Key;
use similar::{ChangeTag, TextDiff};
use std::time::Duration;

/// Two texts of a mebibyte that have nothing in common would be compared for minutes.
const PATIENCE: Duration = Duration::from_millis(200);

/// A line of one of them, with its number.
pub type Numbered = Option<(usize, String)>;

/// Two texts.
#[derive(Debug)]
pub struct Texts {
    /// What the left and the right one are.
    pub heads: (String, String),
    /// A row: left, right, and whether they differ.
    pub rows: Vec<(Numbered, Numbered, bool)>,
    /// The first drawn row.
    pub top: usize,
    /// Where it goes back to: the choice that it was opened from.
    back: Option<After>,
}

impl Texts {
    /// Compares them; it opens at the first difference.
    #[must_use]
    pub fn new(left: &str, right: &str, heads: (String, String), back: Option<After>) -> Self {
        let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(left, right);
        let mut rows: Vec<(Numbered, Numbered, bool)> = Vec::new();
        let mut open = 0;
        for change in diff.iter_all_changes() {
            let line = change.value().trim_end_matches('\n').to_owned();
            let number = |index: Option<usize>| Some((index.unwrap_or(0) + 1, line.clone()));
            match change.tag() {
                ChangeTag::Equal => {
                    rows.push((number(change.old_index()), number(change.new_index()), false));
                    open = rows.len();
                }
                ChangeTag::Delete => rows.push((number(change.old_index()), None, true)),
                ChangeTag::Insert => {
                    // Beside a line that it took the place of, where there is one left.
                    match rows[open..].iter_mut().find(|(_, right, _)| right.is_none()) {
                        Some(row) => row.1 = number(change.new_index()),
                        None => rows.push((None, number(change.new_index()), true)),
                    }
                }
            }
        }
        let first = rows.iter().position(|(_, _, differs)| *differs).unwrap_or(0);
        Self { heads, rows, top: first.saturating_sub(3), back }
    }

    /// How many rows differ.
    #[must_use]
    pub fn differ(&self) -> usize {
        self.rows.iter().filter(|(_, _, differs)| *differs).count()
    }

    /// To the next row that differs, or the one before.
    fn walk(&mut self, forwards: bool) {
        let from = self.top + 3;
        let begins = |at: &usize| self.rows[*at].2 && (*at == 0 || !self.rows[*at - 1].2);
        let found = if forwards {
            (from + 1..self.rows.len()).find(begins)
        } else {
            (0..from.min(self.rows.len())).rev().find(begins)
        };
        self.top = found.map_or(self.top, |at| at.saturating_sub(3));
    }
}

impl App {
    /// A key while two texts are beside each other.
    pub fn texts_key(&mut self, key: Key) {
        let page = usize::from(self.size.1).saturating_sub(6).max(1);
        let Some(Overlay::Texts(texts)) = &mut self.overlay else { return };
        let last = texts.rows.len().saturating_sub(1);
        match self.options.keymap.action_of(key) {
            Some(Action::Down) => texts.top = (texts.top + 1).min(last),
            Some(Action::Up) => texts.top = texts.top.saturating_sub(1),
            Some(Action::PageDown) => texts.top = (texts.top + page).min(last),
            Some(Action::PageUp) => texts.top = texts.top.saturating_sub(page),
            Some(Action::Top) => texts.top = 0,
            Some(Action::Bottom) => texts.top = last.saturating_sub(page),
            Some(Action::NextMatch) => texts.walk(true),
            Some(Action::PreviousMatch) => texts.walk(false),
            Some(Action::Back | Action::Quit | Action::Open | Action::Difference) => {
                let back = texts.back;
                self.overlay = None;
                if let Some(after) = back {
                    self.open_meanwhile(after);
                }
            }
            Some(Action::Interrupt | Action::Suspend | Action::Redraw) => self.global(key),
            _ => self.refuse_key(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_changed_stand_beside_each_other() {
        let heads = ("yours".to_owned(), "theirs".to_owned());
        let mut texts = Texts::new("a\nb\nc\nd\n", "a\nB\nb2\nc\n", heads, None);
        let told: Vec<(&str, &str, bool)> = texts
            .rows
            .iter()
            .map(|(left, right, differs)| {
                let text = |side: &'_ Numbered| {
                    side.as_ref().map_or("", |(_, text)| text.as_str()).to_owned().leak()
                };
                (&*text(left), &*text(right), *differs)
            })
            .collect();
        assert_eq!(
            told,
            [("a", "a", false), ("b", "B", true), ("", "b2", true), ("c", "c", false), ("d", "", true)]
        );
        assert_eq!((texts.differ(), texts.top), (3, 0));
        texts.walk(true);
        assert_eq!(texts.top, 1);
        texts.walk(false);
        assert_eq!(texts.top, 0);
    }
}
