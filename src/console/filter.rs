//! The filter line: it is read here as it is typed, so that what is wrong with it stands until the
//! text changes; what reads well is tried on the list, and the last valid one stays in force.

pub mod complete;

use self::complete::Choices;
use super::app::{App, ListId, PAUSE, Place, Screen, Tone};
use super::edit::Edit;
use super::format::count;
use super::input::edit_key;
use super::key::Key;
use super::keymap::Keymap;
use super::list::{Item, List};
use super::paint::width;
use super::picks::Change;
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
    /// What can stand at the cursor, where that was asked.
    pub choices: Option<Choices>,
    /// More of that is on its way.
    pub awaits: bool,
    /// Which of the earlier filters stands there, from the newest, and what was typed before.
    past: Option<(usize, String)>,
}

/// A search for rows that no index has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunted<'a> {
    /// The filter.
    pub filter: &'a str,
    /// How far it is, in full and where there is less room.
    pub told: [String; 2],
    /// It is under way.
    pub on: bool,
}

fn hunted<'l, T: Item>(list: &'l List<T>, keys: &Keymap) -> Option<Hunted<'l>> {
    let filter = list.filter_in_force();
    let found = count((list.rows.len() + list.held.len()) as u64);
    if let Some(percent) = list.hunt_stopped() {
        let stopped = format!("stopped at {percent} %");
        let told = [
            format!("{stopped} · {found} found · {} goes on", keys.pressed("k")),
            format!("{stopped} · {found} found"),
        ];
        return Some(Hunted { filter, told, on: false });
    }
    let percent = list.hunting()?;
    let values = Query::parse(filter, 0).is_ok_and(|query| query.searches_values());
    let how = if values { "searching values, no index" } else { "searching" };
    let told = [
        format!("{how}: {percent} % · {found} found so far · esc stops"),
        format!("{percent} % · {found} found · esc stops"),
    ];
    Some(Hunted { filter, told, on: true })
}

impl FilterLine {
    /// A line that begins with the filter in force.
    #[must_use]
    pub fn new(list: ListId, before: String) -> Self {
        let edit = Edit::with(&before);
        Self { list, edit, before, due: None, error: None, choices: None, awaits: false, past: None }
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
            _ if self.choices.is_some() => 2,
            None => 1,
            Some(wrong) => {
                1 + u16::try_from(self.told(wrong, columns.saturating_sub(3)).len()).unwrap_or(3).min(3)
            }
        }
    }

    /// An earlier filter takes the place of the text, or a later one; after the last of them what was
    /// typed comes back. Whether one did.
    fn recall(&mut self, history: &[String], back: bool) -> bool {
        let (at, typed) = match &self.past {
            Some((at, typed)) => (Some(*at), typed.clone()),
            None => (None, self.edit.text()),
        };
        // What stands there already is no other one.
        let differs =
            |at: &usize| history.iter().rev().nth(*at).is_some_and(|text| *text != self.edit.text());
        let next = if back {
            (at.map_or(0, |at| at + 1)..history.len()).find(differs)
        } else {
            at.and_then(|at| (0..at).rev().find(differs))
        };
        match (next, back) {
            (Some(next), _) => {
                let text = history.iter().rev().nth(next).cloned().unwrap_or_default();
                (self.edit, self.past) = (Edit::with(&text), Some((next, typed)));
            }
            (None, false) if at.is_some() => (self.edit, self.past) = (Edit::with(&typed), None),
            (None, _) => return false,
        }
        true
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
    /// The search of a shown list that is under way or was stopped, the list in focus before others: its
    /// filter, what is told of it, and whether it is under way. None where one object is shown.
    #[must_use]
    pub fn hunt(&self) -> Option<Hunted<'_>> {
        if self.is_opened() || self.editor.is_some() {
            return None;
        }
        if let Some(marking) = self.marked_by_search() {
            return Some(marking);
        }
        let focused = match self.place() {
            Place::Requests(id) | Place::Runs(id) => Some(id),
            _ => None,
        };
        let keys = &self.options.keymap;
        // Of groups the list lies beneath.
        let shown = self.shown_lists().iter().copied().filter(|_| self.place() != Place::Groups);
        focused.into_iter().chain(shown).find_map(|id| match id {
            ListId::LiveRequests => hunted(&self.live.requests, keys),
            ListId::Requests => hunted(&self.requests.list, keys),
            ListId::LiveRuns => hunted(&self.live.runs, keys),
            ListId::Runs => hunted(&self.runs.list, keys),
            ListId::Callbacks => None,
        })
    }

    fn shows(&self, list: ListId) -> bool {
        self.shown_lists().contains(&list) || self.screen == Screen::Callbacks && list == ListId::Callbacks
    }

    /// The search for rows to mark, once its first part is over, where its list is shown.
    fn marked_by_search(&self) -> Option<Hunted<'_>> {
        let marking = self.marking.as_ref().filter(|marking| self.shows(marking.list))?;
        let percent = marking.percent?;
        let filter = match marking.list {
            ListId::LiveRequests => self.live.requests.filter_in_force(),
            ListId::Requests => self.requests.list.filter_in_force(),
            ListId::LiveRuns => self.live.runs.filter_in_force(),
            ListId::Runs => self.runs.list.filter_in_force(),
            ListId::Callbacks => self.board.filter_in_force(),
        };
        let found = count(marking.found as u64);
        let told = [
            format!("marking: {percent} % · {found} marked so far · esc stops"),
            format!("{percent} % · {found} marked · esc stops"),
        ];
        Some(Hunted { filter, told, on: true })
    }

    /// Stops the search that is under way on this screen; whether there was one.
    pub(super) fn stop_hunt(&mut self) -> bool {
        if self.marking.as_ref().is_some_and(|marking| self.shows(marking.list)) && self.stop_marking() {
            return true;
        }
        if !self.hunt().is_some_and(|hunt| hunt.on) {
            return false;
        }
        for id in self.shown_lists() {
            let stopped = match self.request_list(*id) {
                Some(list) => list.stop_hunt(),
                None => self.run_list(*id).is_some_and(List::stop_hunt),
            };
            if stopped {
                return true;
            }
        }
        false
    }

    /// A key while the line is open.
    pub fn filter_key(&mut self, key: Key) {
        let now = self.now;
        if key.code == KeyCode::Esc && self.stop_hunt() {
            return;
        }
        let Some(filter) = &mut self.filter else { return };
        if let Some(by) = filter.choices.as_ref().map(|choices| choices.all.len().saturating_sub(1)) {
            match key.code {
                KeyCode::Esc => {
                    filter.choices = None;
                    filter.awaits = false;
                    return;
                }
                KeyCode::Enter => return self.take_choice(),
                KeyCode::Tab | KeyCode::Down => return self.choose_completion(1),
                KeyCode::BackTab | KeyCode::Up => return self.choose_completion(by),
                _ => {}
            }
        }
        match (key.code, key.ctrl) {
            (KeyCode::Tab | KeyCode::BackTab, _) => self.complete_filter(1),
            (KeyCode::Up | KeyCode::Down, _) => {
                let back = key.code == KeyCode::Up;
                if filter.recall(&self.picks.history, back) {
                    filter.changed(now);
                } else {
                    let which = if back { "earlier" } else { "later" };
                    self.toast(Tone::Info, format!("there is no {which} filter"));
                }
            }
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
                    let typed = filter.edit.text();
                    self.filter = None;
                    if !typed.trim().is_empty()
                        && self.picks.history.last().map(String::as_str) != Some(typed.trim())
                    {
                        self.pick(Change::Typed(typed));
                    }
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
                    filter.past = None;
                    filter.changed(now);
                }
                self.complete_typed();
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
        if let Err(error) = Query::parse_for(&text, at, list.subject()) {
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
    fn earlier_filters_come_back_and_what_was_typed_too() {
        let history = ["a", "b", "c"].map(str::to_owned);
        let mut open = line("typed");
        let mut seen = Vec::new();
        for back in [true, true, true, true, false, false, false, false] {
            let moved = open.recall(&history, back);
            seen.push((open.edit.text(), moved));
        }
        let expected = [
            ("c", true),
            ("b", true),
            ("a", true),
            ("a", false),
            ("b", true),
            ("c", true),
            ("typed", true),
            ("typed", false),
        ];
        assert_eq!(seen, expected.map(|(text, moved)| (text.to_owned(), moved)));
        // The filter that is in force is not offered as an earlier one.
        let mut open = line("c");
        assert!(open.recall(&history, true));
        assert_eq!(open.edit.text(), "b");
        assert!(!line("x").recall(&[], true));
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
