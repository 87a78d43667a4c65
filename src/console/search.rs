//! Searching in a pane of lines: `/` there types, `n` and `N` walk, `esc` takes the marks away.

mod across;

use super::app::{App, PaneId, Place, Tone};
use super::edit::Edit;
use super::input::edit_key;
use super::key::Key;
use super::lines::{Line, Lines};
use crossterm::event::KeyCode;

/// What is looked for in a pane, and which of its lines have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Find {
    /// As it was typed.
    pub text: String,
    /// Positions of the lines that have it, ascending.
    pub hits: Vec<usize>,
}

impl Find {
    /// The lines that have a text, in key or value, whatever its case. Of what crosses lines it is the
    /// one in which it begins; bytes are found by their text and by their digits.
    #[must_use]
    pub fn new(text: &str, lines: &[Line]) -> Self {
        let wanted = text.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        let alone = lines.iter().enumerate().filter(|(_, line)| {
            has(&line.key) || line.whole.as_deref().map_or_else(|| has(&line.value), has)
        });
        let mut hits: Vec<usize> = alone.map(|(at, _)| at).collect();
        across::texts(&wanted, lines, &mut hits);
        across::bytes(text, lines, &mut hits);
        hits.sort_unstable();
        hits.dedup();
        Self { text: text.to_owned(), hits }
    }

    /// The hit after a line, or before it; from the last one on to the first.
    #[must_use]
    pub fn beside(&self, at: usize, forward: bool) -> Option<usize> {
        let next = if forward {
            self.hits.iter().find(|hit| **hit > at).or_else(|| self.hits.first())
        } else {
            self.hits.iter().rev().find(|hit| **hit < at).or_else(|| self.hits.last())
        };
        next.copied()
    }

    /// For the title: `search "vat" 3 of 3`.
    #[must_use]
    pub fn told(&self, at: usize) -> String {
        let all = self.hits.len();
        match self.hits.iter().position(|hit| *hit == at) {
            Some(hit) => format!("search \"{}\" {} of {all}", self.text, hit + 1),
            None => format!("search \"{}\" {all}", self.text),
        }
    }
}

/// The search line while it is open.
#[derive(Debug)]
pub struct SearchLine {
    /// What was typed.
    pub edit: Edit,
    /// What was looked for before: ↑ brings it back.
    before: Option<String>,
    /// Where the selection was.
    from: usize,
}

impl SearchLine {
    /// What ends it, and what brings the last search back.
    #[must_use]
    pub fn note(&self) -> &'static str {
        if self.edit.is_empty() && self.before.is_some() {
            "↑ the last one   enter keeps it   esc back"
        } else {
            "enter keeps   esc back   then n N"
        }
    }
}

fn not_found(text: &str, cut: bool) -> String {
    if cut {
        format!("\"{text}\" is not in the first 20,000 lines, which are all that is shown here")
    } else {
        format!("\"{text}\" is not in this pane")
    }
}

impl App {
    /// The lines that the focus searches in.
    pub(super) fn searched(&mut self) -> Option<&mut Lines> {
        match self.place() {
            Place::Payload(id) => self.payload(id).map(|payload| &mut payload.lines),
            Place::Timeline(id) => self.run_pane(id).map(|run| &mut run.timeline),
            Place::Attempt(id) => self.run_pane(id).map(|run| &mut run.attempt),
            _ => None,
        }
    }

    /// The same, to look at.
    fn looked_through(&self) -> Option<&Lines> {
        Some(match self.place() {
            Place::Payload(PaneId::Payload) => &self.requests.payload.lines,
            Place::Payload(_) => &self.live.payload.lines,
            Place::Timeline(PaneId::RequestRun) => &self.requests.run.timeline,
            Place::Timeline(_) => &self.runs.run.timeline,
            Place::Attempt(PaneId::RequestRun) => &self.requests.run.attempt,
            Place::Attempt(_) => &self.runs.run.attempt,
            _ => return None,
        })
    }

    /// Whether `/` searches here; elsewhere it filters.
    #[must_use]
    pub fn searches(&self) -> bool {
        self.looked_through().is_some()
    }

    /// Opens the search line. A tree is unfolded: what is folded away would not be found.
    pub(super) fn open_search(&mut self) {
        if let Place::Payload(id) = self.place()
            && let Some(payload) = self.payload(id)
        {
            payload.unfold_all();
        }
        let Some(lines) = self.searched() else { return };
        let before = lines.find.as_ref().map(|find| find.text.clone());
        let from = lines.at;
        self.search = Some(SearchLine { edit: Edit::default(), before, from });
    }

    /// A key while the line is open: the first hit from where the person was is selected as one types.
    pub(super) fn search_key(&mut self, key: Key) {
        let Some(search) = &mut self.search else { return };
        let text = match (key.code, key.ctrl) {
            (KeyCode::Esc, _) => {
                let (before, from) = (search.before.take(), search.from);
                self.search = None;
                if let Some(lines) = self.searched() {
                    lines.search(before.as_deref().unwrap_or_default());
                    lines.go(from);
                }
                return;
            }
            (KeyCode::Enter, _) => {
                self.search = None;
                let nothing = self.searched().and_then(|lines| Some((lines.find.clone()?, lines.is_cut())));
                if let Some((find, cut)) = nothing.filter(|(find, _)| find.hits.is_empty()) {
                    self.toast(Tone::Info, not_found(&find.text, cut));
                }
                return;
            }
            (KeyCode::Char('c' | 'z' | 'l'), true) => return self.global(key),
            (KeyCode::Up, _) => match &search.before {
                Some(before) => {
                    search.edit = Edit::with(before);
                    before.clone()
                }
                None => return self.toast(Tone::Info, "nothing was looked for in this pane yet"),
            },
            _ if edit_key(&mut search.edit, key) => search.edit.text(),
            _ => return,
        };
        let from = search.from;
        self.look_for(&text, from);
    }

    /// A pasted text, where the line is open; whether it was.
    pub(super) fn search_paste(&mut self, text: &str) -> bool {
        let Some(search) = &mut self.search else { return false };
        search.edit.insert(text);
        let (text, from) = (search.edit.text(), search.from);
        self.look_for(&text, from);
        true
    }

    /// Looks for a text, from a line on.
    fn look_for(&mut self, text: &str, from: usize) {
        let Some(lines) = self.searched() else { return };
        lines.search(text);
        let hit = lines.find.as_ref().and_then(|find| {
            let here = find.hits.binary_search(&from).is_ok();
            if here { Some(from) } else { find.beside(from, true) }
        });
        lines.go(hit.unwrap_or(from));
    }

    /// To the next hit, or the one before.
    pub(super) fn next_hit(&mut self, forward: bool) {
        let Some(lines) = self.searched() else { return };
        let Some(find) = &lines.find else { return };
        let said = not_found(&find.text, lines.is_cut());
        match find.beside(lines.at, forward) {
            Some(at) => lines.go(at),
            None => self.toast(Tone::Info, said),
        }
    }

    /// Why `n` cannot go on.
    pub(super) fn bars_next_hit(&self) -> Option<String> {
        let why = match self.looked_through() {
            None => "this pane is not searched; tab goes to one that is",
            Some(lines) if lines.find.is_none() => "nothing is looked for; {/} searches here",
            Some(_) => return None,
        };
        Some(format!("next match is not possible: {}", self.say(why)))
    }

    /// Takes the marks of a search away, where there are some.
    pub(super) fn end_search(&mut self) -> bool {
        self.searched().is_some_and(|lines| lines.find.take().is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::theme::Role;

    fn lines() -> Vec<Line> {
        ["Umsatzsteuer", "VAT number", "none", "reduced vat"]
            .iter()
            .map(|text| Line::text(*text, Role::Text))
            .collect()
    }

    #[test]
    fn hits_are_found_in_any_case_and_walked_round() {
        let find = Find::new("vat", &lines());
        assert_eq!(find.hits, [1, 3]);
        assert_eq!(
            (find.beside(0, true), find.beside(1, true), find.beside(3, true)),
            (Some(1), Some(3), Some(1))
        );
        assert_eq!((find.beside(3, false), find.beside(1, false)), (Some(1), Some(3)));
        assert_eq!(
            (find.told(3), find.told(0)),
            ("search \"vat\" 2 of 2".to_owned(), "search \"vat\" 2".to_owned())
        );
        assert_eq!(Find::new("nowhere", &lines()).beside(0, true), None);
    }

    #[test]
    fn what_crosses_lines_is_found_where_it_begins() {
        let piece = |text: &str, joins: bool| Line { joins, ..Line::text(text, Role::Text) };
        let lines = [
            piece("{\"order\":\"10", true),
            piece("4", true),
            piece("38\"}", false),
            piece("10", false),
            piece("438", false),
        ];
        assert_eq!(Find::new("10438", &lines).hits, [0], "what another text follows is no match");
        assert_eq!(Find::new("438", &lines).hits, [1, 4]);
        assert_eq!(Find::new("10", &lines).hits, [0, 3]);
        let hex = |text: &[u8]| Line { bytes: Some(text.into()), ..Line::text("", Role::Text) };
        let lines = [hex(b"{\"order\": "), hex("\"Größe".as_bytes()), hex(b" 7\"}")];
        assert_eq!(Find::new("order\": \"GR", &lines).hits, [0]);
        assert_eq!(Find::new("größe 7", &lines).hits, [1]);
        assert_eq!(Find::new("22 3a 20 22", &lines).hits, [0], "and by its digits");
        assert_eq!(Find::new("203722", &lines).hits, [2]);
        assert!(Find::new("8:", &lines).hits.is_empty());
    }

    #[test]
    fn what_a_line_cuts_is_searched_whole() {
        let mut lines = lines();
        lines[2].whole = Some(std::sync::Arc::from("a long value that ends in needle"));
        assert_eq!(Find::new("NEEDLE", &lines).hits, [2]);
    }
}
