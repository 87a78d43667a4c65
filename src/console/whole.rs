//! A value shown whole, wrapped at the width of its box: what a line of a pane had to cut.

use super::app::{App, Overlay, PaneId};
use super::lines::{Line, Lines};
use super::paint::width;
use std::sync::Arc;

/// The value, and what of it is in view.
#[derive(Debug)]
pub struct Whole {
    /// Its path or label.
    pub title: String,
    /// As it came.
    pub text: Arc<str>,
    /// Wrapped, cleaned.
    pub lines: Vec<String>,
    /// The first line in view.
    pub top: usize,
    cells: u16,
}

impl Whole {
    /// A value in a box of so many cells.
    #[must_use]
    pub fn new(title: String, text: Arc<str>, cells: u16) -> Self {
        let mut whole = Self { title, text, lines: Vec::new(), top: 0, cells: 0 };
        whole.fit(cells);
        whole
    }

    /// Wraps it again where the box has another width.
    pub fn fit(&mut self, cells: u16) {
        if self.cells != cells {
            self.cells = cells;
            self.lines = self.text.split('\n').flat_map(|line| folded(line, cells)).collect();
            self.top = self.top.min(self.lines.len().saturating_sub(1));
        }
    }
}

/// A line, cleaned, in pieces of so many cells; nothing of it is lost.
#[must_use]
pub fn folded(line: &str, cells: u16) -> Vec<String> {
    let cells = usize::from(cells.max(2));
    let cleaned = crate::text::clean(line);
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut taken = 0;
    let mut letters = [0; 4];
    for letter in cleaned.chars() {
        let wide = usize::from(width(letter.encode_utf8(&mut letters)));
        if taken + wide > cells {
            pieces.push(std::mem::take(&mut piece));
            taken = 0;
        }
        piece.push(letter);
        taken += wide;
    }
    pieces.push(piece);
    pieces
}

impl App {
    /// Opens the value of the selected line of a pane, where it is one; whether it did.
    pub fn open_value(&mut self, pane: PaneId) -> bool {
        let of = |lines: &Lines| lines.current().and_then(Line::whole);
        let found = match pane {
            PaneId::LivePayload => of(&self.live.payload.lines),
            PaneId::Payload => of(&self.requests.payload.lines),
            PaneId::RequestRun => of(&self.requests.run.attempt),
            PaneId::Run => of(&self.runs.run.attempt),
        };
        let attempt = matches!(self.place(), super::app::Place::Timeline(_));
        let Some((title, text)) = found.filter(|_| !attempt) else { return false };
        self.overlay = Some(Overlay::Value(Box::new(Whole::new(title, text, self.value_cells()))));
        true
    }

    /// Says something that a line would cut.
    pub fn say_whole(&mut self, title: &str, text: &str) {
        let (title, text) = (title.to_owned(), Arc::from(text));
        let mut whole = Whole { title, text, lines: Vec::new(), top: 0, cells: 0 };
        whole.fit(self.value_cells());
        self.overlay = Some(Overlay::Value(Box::new(whole)));
    }

    /// Cells of a line in the box of a value.
    #[must_use]
    pub fn value_cells(&self) -> u16 {
        let area = super::overlay::value::area(self.size);
        area.width.saturating_sub(4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_loses_nothing() {
        let text = "日本語 order_number 10431 \u{1b}[31m".repeat(20);
        for cells in 2..90 {
            let pieces = folded(&text, cells);
            assert!(pieces.iter().all(|piece| width(piece) <= cells), "{cells}");
            assert_eq!(pieces.concat(), crate::text::clean(&text));
        }
    }
}
