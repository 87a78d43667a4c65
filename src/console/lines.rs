//! A pane of lines: a payload, a timeline, an attempt. Made when its facts change, drawn by window.

use super::paint::{Paint, width};
use super::search::Find;
use super::theme::Role;
use ratatui::layout::Rect;
use std::sync::Arc;

/// Most lines of a pane; more are counted in its last line.
pub const MOST: usize = 20_000;
/// What stands in place of the rest.
const CUT: &str = "… what comes after 20,000 lines is not shown here";

/// One line: a key, a value, a note at the right edge.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    /// Cells of indent.
    pub indent: u16,
    /// Folded (`false`) or open (`true`), where it folds.
    pub fold: Option<bool>,
    /// A glyph before the key, with its role.
    pub glyph: Option<(&'static str, Role)>,
    /// The path, header name, label or time.
    pub key: String,
    /// How the key looks.
    pub key_role: Role,
    /// What stands beside it.
    pub value: String,
    /// How the value looks.
    pub role: Role,
    /// At the right edge, where there is room.
    pub note: String,
    /// Names the line for folding and selection.
    pub path: String,
    /// The whole value, where the line shows a part of it.
    pub whole: Option<Arc<str>>,
    /// A value of others that `enter` shows whole.
    pub opens: bool,
    /// Its text goes on in the next line: it was too long for one.
    pub joins: bool,
    /// The bytes that it spells; what follows them is in the next line.
    pub bytes: Option<Arc<[u8]>>,
}

impl Line {
    /// What `enter` shows of it: a title, and the value.
    #[must_use]
    pub fn whole(&self) -> Option<(String, Arc<str>)> {
        let text = self.whole.clone().unwrap_or_else(|| Arc::from(self.value.as_str()));
        let title = if self.path.is_empty() { self.key.clone() } else { self.path.replace('\0', "") };
        let title = if title.is_empty() { "body".to_owned() } else { title };
        self.opens.then_some((title, text))
    }

    /// A label of ours and a text.
    #[must_use]
    pub fn label(key: &str, value: impl Into<String>, role: Role) -> Self {
        Self { key: key.to_owned(), key_role: Role::Muted, value: value.into(), role, ..Self::default() }
    }

    /// A text over the whole width.
    #[must_use]
    pub fn text(value: impl Into<String>, role: Role) -> Self {
        Self { value: value.into(), role, ..Self::default() }
    }
}

/// The lines of a pane, its selection and scroll.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    /// What is shown.
    pub lines: Vec<Line>,
    /// The selected line.
    pub at: usize,
    /// The first drawn line.
    pub top: usize,
    /// Rows that fit.
    pub height: usize,
    /// Cells that keys may take at least, where there are so many.
    pub keys: u16,
    /// What is looked for in it.
    pub find: Option<Find>,
}

impl Lines {
    /// Other lines: selection and scroll stay as far as they fit, a fold keeps its line.
    pub fn set(&mut self, mut lines: Vec<Line>) {
        if lines.len() > MOST {
            lines.truncate(MOST);
            lines.push(Line::text(CUT, Role::Warn));
        }
        let path = self.lines.get(self.at).map(|line| line.path.clone()).filter(|path| !path.is_empty());
        self.lines = lines;
        if let Some(at) = path.and_then(|path| self.lines.iter().position(|line| line.path == path)) {
            self.at = at;
        }
        if let Some(find) = self.find.take() {
            self.search(&find.text);
        }
        self.settle();
    }

    /// Whether there is more than is shown, and looked through.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.lines.len() > MOST
    }

    /// Looks for a text; nothing is looked for where it is empty.
    pub fn search(&mut self, text: &str) {
        self.find = (!text.is_empty()).then(|| Find::new(text, &self.lines));
    }

    /// Selects a line.
    pub fn go(&mut self, at: usize) {
        self.at = at;
        self.settle();
    }

    /// To the first line.
    pub fn rewind(&mut self) {
        self.at = 0;
        self.top = 0;
    }

    /// Moves the selection.
    pub fn step(&mut self, rows: isize) {
        self.at = self.at.saturating_add_signed(rows);
        self.settle();
    }

    /// Sets how many rows fit.
    pub fn resize(&mut self, height: usize) {
        self.height = height;
        self.settle();
    }

    /// The selected line.
    #[must_use]
    pub fn current(&self) -> Option<&Line> {
        self.lines.get(self.at)
    }

    fn settle(&mut self) {
        self.at = self.at.min(self.lines.len().saturating_sub(1));
        let page = self.height.max(1);
        if self.at < self.top {
            self.top = self.at;
        } else if self.at >= self.top + page {
            self.top = self.at + 1 - page;
        }
        self.top = self.top.min(self.lines.len().saturating_sub(page));
    }

    /// Draws the lines that fit; the selected one stands out where the pane has the focus.
    pub fn draw(&self, paint: &mut Paint<'_>, area: Rect, focused: bool) {
        if area.width < 4 {
            return;
        }
        let shown = || self.lines.iter().skip(self.top).take(usize::from(area.height));
        let keys = shown()
            .filter(|line| !line.value.is_empty())
            .map(|line| line.indent + width(&line.key))
            .max()
            .unwrap_or(0);
        let most = (area.width * 9 / 20).max(self.keys.min(area.width.saturating_sub(12)));
        let keys = keys.min(most);
        for (row, line) in (0u16..).zip(shown()) {
            let y = area.y + row;
            let selected = self.top + usize::from(row) == self.at;
            if selected && !self.lines.is_empty() {
                paint.put(area.x, y, 1, "▌", if focused { Role::BorderFocus } else { Role::Border });
            }
            let (left, right) = (area.x + 2, area.right().saturating_sub(1));
            let mut x = left + line.indent;
            if let Some(open) = line.fold {
                paint.put(
                    x.saturating_sub(2).max(area.x + 1),
                    y,
                    1,
                    if open { "▾" } else { "▸" },
                    Role::Muted,
                );
            }
            if let Some((glyph, role)) = line.glyph {
                x = paint.put(x, y, 2, glyph, role) + 1;
            }
            if !line.key.is_empty() {
                let most = if line.value.is_empty() { right } else { left + keys };
                // Deep down a key still has room to be told from another.
                let room = most.saturating_sub(x).max(KEY.min(right.saturating_sub(x)));
                let next = paint.foreign(x, y, room, &line.key, line.key_role);
                x = (next + 1).max(left + keys + 1);
            }
            let mut end = right;
            // A note gives way to the value, but for the end of a long one.
            let fits = |value: u16| end > x + value + width(&line.note);
            if !line.note.is_empty() && (fits(VALUE) || fits(width(&line.value) + 1)) {
                end = paint.right(x, end, y, &line.note, Role::Muted) - 1;
            }
            if !line.value.is_empty() && x < end {
                match url_in(&line.value).filter(|_| width(&line.value) > end - x) {
                    // Host and last segment stay: that is what tells one from another.
                    Some(at) => {
                        let url = crate::text::clean(&line.value[at..]);
                        let x = paint.foreign(x, y, end - x, &line.value[..at], line.role);
                        let url = crate::text::cut_middle(&url, usize::from(end.saturating_sub(x)));
                        paint.foreign(x, y, end.saturating_sub(x), &url, line.role);
                    }
                    None => {
                        paint.foreign(x, y, end - x, &line.value, line.role);
                    }
                }
            }
            if let Some(find) = &self.find {
                paint.mark(Rect { x: left, y, width: right.saturating_sub(left), height: 1 }, &find.text);
            }
            if selected && focused {
                let style = paint.style(Role::Selection);
                paint.over(Rect { x: area.x, y, width: area.width, height: 1 }, style);
            }
        }
    }
}

/// Cells of a key that it keeps however deep it stands.
const KEY: u16 = 10;

/// Cells of a value that a note leaves to it.
const VALUE: u16 = 24;

/// Where a URL begins that goes on to the end of a text.
fn url_in(text: &str) -> Option<usize> {
    let at = ["http://", "https://"].iter().find_map(|scheme| text.find(scheme))?;
    (!text[at..].contains(' ')).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize) -> Vec<Line> {
        (0..count)
            .map(|n| Line { path: format!("p{n}"), ..Line::text(format!("line {n}"), Role::Text) })
            .collect()
    }

    #[test]
    fn the_selected_line_stays_in_view() {
        let mut pane = Lines::default();
        pane.resize(5);
        pane.set(lines(40));
        pane.step(100);
        assert_eq!((pane.at, pane.top), (39, 35));
        pane.step(-100);
        assert_eq!((pane.at, pane.top), (0, 0));
        pane.step(7);
        pane.set(lines(3));
        assert_eq!((pane.at, pane.top), (2, 0));
        pane.set(Vec::new());
        pane.step(1);
        assert_eq!(pane.at, 0);
    }

    #[test]
    fn too_many_lines_are_cut_and_counted() {
        let mut pane = Lines::default();
        pane.set(lines(MOST + 7));
        assert_eq!(pane.lines.len(), MOST + 1);
        assert!(pane.is_cut() && pane.lines[MOST].value.contains("after 20,000 lines"));
    }
}
