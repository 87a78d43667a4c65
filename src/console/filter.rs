//! The filter line: it is read here as it is typed, so that what is wrong with it stands until the
//! text changes; what reads well is tried on the list, and the last valid one stays in force.

use super::app::{App, ListId, PAUSE, Tone};
use super::edit::Edit;
use super::input::edit_key;
use super::key::Key;
use super::paint::width;
use crate::model::query::Query;
use crate::model::time::Ms;
use crate::session::Link;
use crossterm::event::KeyCode;

/// What is wrong with a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What was expected.
    pub message: String,
    /// Where, in characters from the start; `None` where the desk refused it as a whole.
    pub at: Option<usize>,
}

/// The filter line while it is open.
#[derive(Debug)]
pub struct FilterLine {
    /// Of which list.
    pub list: ListId,
    /// What was typed.
    pub edit: Edit,
    /// The filter before.
    pub before: String,
    /// When it is tried next.
    pub due: Option<Ms>,
    /// What is wrong with it; stays until the text changes.
    pub error: Option<Wrong>,
}

impl FilterLine {
    /// A line that begins with the filter in force.
    #[must_use]
    pub fn new(list: ListId, before: String) -> Self {
        Self { list, edit: Edit::with(&before), before, due: None, error: None }
    }

    /// The text changed: it is read after a pause, and what was wrong with the old one is gone.
    pub fn changed(&mut self, now: Ms) {
        self.due = Some(now + PAUSE);
        self.error = None;
    }

    /// Rows that it takes on a screen of so many columns: the text, and the error under it.
    #[must_use]
    pub fn rows(&self, columns: u16) -> u16 {
        match &self.error {
            None => 1,
            Some(wrong) => {
                1 + u16::try_from(self.told(wrong, columns.saturating_sub(3)).len()).unwrap_or(3).min(3)
            }
        }
    }

    /// The lines under the text, each with its first column: `^` under the token, and what was
    /// expected beside it, or under it where there is no room.
    #[must_use]
    pub fn told(&self, wrong: &Wrong, columns: u16) -> Vec<(u16, String)> {
        let message = crate::text::clean(&wrong.message).into_owned();
        let Some(at) = wrong.at else { return vec![(2, message)] };
        // What is scrolled out to the left is not above the caret.
        let (_, cursor) = self.edit.window(columns.saturating_sub(1));
        let hidden = self.edit.cursor() - usize::from(cursor);
        let typed: String = self.edit.text().chars().take(at).skip(hidden).collect();
        let caret = 2 + width(&crate::text::clean(&typed)).min(columns.saturating_sub(3));
        let long = width(&message);
        if caret + 2 + long <= columns {
            vec![(caret, format!("^ {message}"))]
        } else if long < caret.saturating_sub(2) {
            vec![(caret - long - 1, format!("{message} ^"))]
        } else {
            let mut lines = vec![(caret, "^".to_owned())];
            let text = super::screen::wrapped(&message, columns.saturating_sub(2));
            lines.extend(text.into_iter().map(|line| (2, line)));
            lines
        }
    }
}

impl App {
    /// A key while the line is open.
    pub fn filter_key(&mut self, key: Key) {
        let now = self.now;
        let Some(filter) = &mut self.filter else { return };
        match (key.code, key.ctrl) {
            (KeyCode::Esc, _) => {
                let (list, before) = (filter.list, filter.before.clone());
                self.filter = None;
                if self.filter_of(list) != before {
                    self.set_filter(list, &before);
                }
            }
            (KeyCode::Enter, _) => {
                self.try_typed(true);
                let Some(filter) = &self.filter else { return };
                if filter.error.is_none() {
                    self.filter = None;
                } else {
                    let kept = self.filter_of(filter.list);
                    let kept = if kept.is_empty() { "none".to_owned() } else { kept };
                    self.toast(
                        Tone::Info,
                        format!("this filter is not possible: mend it, or esc; in force is {kept}"),
                    );
                }
            }
            (KeyCode::Char('c' | 'z' | 'l'), true) => self.global(key),
            _ => {
                if edit_key(&mut filter.edit, key) {
                    filter.changed(now);
                }
            }
        }
    }

    /// Tries what was typed, once the pause of typing is over, or `now`.
    pub fn try_typed(&mut self, now: bool) {
        let at = self.now;
        let Some(filter) = &mut self.filter else { return };
        let Some(due) = filter.due else { return };
        if !now && due > at {
            return;
        }
        filter.due = None;
        let (list, text) = (filter.list, filter.edit.text());
        if let Err(error) = Query::parse(&text, at) {
            filter.error = Some(Wrong { message: error.message, at: Some(error.at) });
            return;
        }
        if self.filter_of(list) != text.trim() {
            self.set_filter(list, &text);
        }
    }

    /// The desk refused a filter that reads well here: the line says so, open again where it was
    /// closed.
    pub fn filter_refused(&mut self, list: ListId, text: &str, message: &str) {
        let first = message.lines().next().unwrap_or_default().to_owned();
        if matches!(self.link.0, Link::Down(_)) {
            return self.toast(Tone::Bad, first);
        }
        let kept = self.filter_of(list);
        let filter = self.filter.get_or_insert_with(|| {
            let mut line = FilterLine::new(list, kept);
            line.edit = Edit::with(text);
            line
        });
        if filter.list == list && filter.edit.text().trim() == text.trim() {
            filter.error = Some(Wrong { message: first, at: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> FilterLine {
        FilterLine { edit: Edit::with(text), ..FilterLine::new(ListId::Requests, String::new()) }
    }

    #[test]
    fn the_caret_stands_under_the_token_with_its_message() {
        let text = "verdict:duplicate and body.total>>100";
        let error = Query::parse(text, 0).unwrap_err();
        let mut line = line(text);
        line.error = Some(Wrong { message: error.message, at: Some(error.at) });
        let told = line.told(line.error.as_ref().unwrap(), 157);
        assert_eq!(told.len(), 1);
        assert_eq!(usize::from(told[0].0), 2 + error.at);
        assert!(told[0].1.starts_with("^ ") && !told[0].1.contains('⏎'), "{told:?}");
        for columns in 20..160 {
            let rows = line.rows(columns);
            assert!((2..=4).contains(&rows), "{columns}: {rows}");
        }
    }
}
