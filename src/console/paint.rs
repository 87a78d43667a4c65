//! Writing into the buffer: clipped, cut with `…`, cleaned, in a role.
//!
//! Every string that is drawn goes through here, and every one is cleaned: titles, crumbs and boxes
//! name things that others named. What comes from outside as a value (bodies, headers, answers) goes
//! through [`Paint::foreign`], which also colours what was made visible.

use super::hit::{Hit, Hits, named_keys};
use super::theme::{Role, Theme};
use crate::text::{self, Glyphs, Piece};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A buffer with a theme.
pub struct Paint<'a> {
    /// Where it goes.
    pub buf: &'a mut Buffer,
    /// How it looks.
    pub theme: &'a Theme,
    /// How what does not print is made visible.
    pub glyphs: Glyphs,
    /// What of it takes a click.
    pub hits: Hits,
}

/// Cells that a text takes.
#[must_use]
pub fn width(text: &str) -> u16 {
    u16::try_from(text::width(text)).unwrap_or(u16::MAX)
}

/// The text, cut to so many cells with `…` at its end.
#[must_use]
pub fn cut(text: &str, cells: u16) -> Cow<'_, str> {
    text::cut_end(text, usize::from(cells))
}

/// Makes text from outside safe to draw in one line.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    text::clean(text)
}

impl Paint<'_> {
    /// Says that a click on an area is one on this.
    pub fn takes(&mut self, area: Rect, hit: Hit) {
        if !area.is_empty() {
            self.hits.push((area, hit));
        }
    }

    /// A row that the cursor goes through, from a column to another.
    pub fn row(&mut self, x: u16, y: u16, right: u16, selected: bool) {
        self.takes(Rect::new(x, y, right.saturating_sub(x), 1), Hit::Row(selected));
    }

    /// The style of a role.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// Writes at a place, at most so many cells, cut with `…`; gives the next column.
    pub fn put(&mut self, x: u16, y: u16, cells: u16, text: &str, role: Role) -> u16 {
        self.styled(x, y, cells, text, self.theme.style(role))
    }

    /// As [`Paint::put`], with a style.
    pub fn styled(&mut self, x: u16, y: u16, cells: u16, text: &str, style: Style) -> u16 {
        let area = self.buf.area;
        if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() {
            return x;
        }
        let cells = cells.min(area.right() - x);
        // What stood there before leaves nothing of its look.
        let style = Style::reset().patch(style);
        if text.len() <= usize::from(cells) && text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            let mut at = x;
            for letter in text.chars() {
                self.buf[(at, y)].set_char(letter).set_style(style);
                at += 1;
            }
            return at;
        }
        let text = text::clean_as(text, self.glyphs);
        let text = cut(&text, cells);
        self.buf.set_stringn(x, y, &text, usize::from(cells), style).0
    }

    /// Writes text from outside, cleaned; what was made visible is drawn as `info`, so that a
    /// sender who writes a real `‹` cannot pass for it.
    pub fn foreign(&mut self, x: u16, y: u16, cells: u16, text: &str, role: Role) -> u16 {
        // No cell needs more: a value of 64 KiB is not cleaned whole for one row.
        let most = 1024 + usize::from(cells) * 4;
        let text = &text[..text.floor_char_boundary(most.min(text.len()))];
        let cleaned = text::clean_as(text, self.glyphs);
        if matches!(cleaned, Cow::Borrowed(_)) || width(&cleaned) > cells {
            return self.put(x, y, cells, &cleaned, role);
        }
        let end = x.saturating_add(cells);
        let mut at = x;
        for piece in text::pieces(text, self.glyphs) {
            let role = if matches!(piece, Piece::Escape(_)) { Role::Info } else { role };
            at = self.put(at, y, end.saturating_sub(at), piece.text(), role);
        }
        at
    }

    /// Writes so that it ends at a column (exclusive), where it fits; gives the first column.
    pub fn right(&mut self, left: u16, right: u16, y: u16, text: &str, role: Role) -> u16 {
        let space = right.saturating_sub(left);
        let text = text::clean_as(text, self.glyphs);
        let text = cut(&text, space);
        let x = right.saturating_sub(width(&text)).max(left);
        self.put(x, y, space, &text, role);
        x
    }

    /// The titled rule over a pane: `─ Runs · following ──── 38 active ─`. What stands at its right
    /// loses whole parts (after `, ` or ` · `) where there is no room, never half of a figure.
    pub fn rule(&mut self, area: Rect, title: &str, right: &str, focused: bool) {
        if area.is_empty() {
            return;
        }
        let line = if focused { Role::BorderFocus } else { Role::Border };
        let style = self.style(line);
        for x in area.left()..area.right() {
            self.cell(x, area.y, "─", style);
        }
        if area.width < 6 {
            return;
        }
        let inner = area.width - 4;
        let title = text::clean_as(title, self.glyphs);
        let title = cut(&title, inner);
        let title_role = if focused { Role::Title } else { Role::Text };
        let end = self.put(area.x + 2, area.y, inner, &title, title_role);
        self.cell(area.x + 1, area.y, " ", style);
        if !title.is_empty() {
            self.cell(end, area.y, " ", style);
        }
        let space = area.right().saturating_sub(end + 5);
        if right.is_empty() || space < 4 {
            return;
        }
        let right = text::clean_as(right, self.glyphs);
        let Some(right) = parts_that_fit(&right, space) else { return };
        let x = area.right() - 2 - width(right);
        self.cell(x - 1, area.y, " ", style);
        let end = self.put(x, area.y, space, right, Role::Muted);
        self.cell(end, area.y, " ", style);
    }

    /// A vertical line.
    pub fn line_down(&mut self, x: u16, top: u16, bottom: u16) {
        let style = self.style(Role::Border);
        for y in top..bottom {
            self.cell(x, y, "│", style);
        }
    }

    /// One cell, where it is on the screen.
    pub fn cell(&mut self, x: u16, y: u16, symbol: &str, style: Style) {
        if let Some(cell) = self.buf.cell_mut((x, y)) {
            cell.set_symbol(symbol).set_style(style);
        }
    }

    /// Lays a style over a row: selection, stale.
    pub fn over(&mut self, area: Rect, style: Style) {
        let area = area.intersection(self.buf.area);
        self.buf.set_style(area, style);
    }

    /// Lays the selection over a row, and nothing else: glyphs and words say what colours said.
    pub fn selection(&mut self, area: Rect) {
        let style = Style::reset().patch(self.style(Role::Selection));
        self.over(area, style);
    }

    /// Marks a text wherever it is drawn in a row, whatever its case.
    pub fn mark(&mut self, row: Rect, text: &str) {
        let wanted = text.to_lowercase();
        let row = row.intersection(self.buf.area);
        if wanted.is_empty() || row.is_empty() {
            return;
        }
        // Where each byte of the row's text stands.
        let (mut drawn, mut columns) = (String::new(), Vec::new());
        for x in row.left()..row.right() {
            let symbol = self.buf[(x, row.y)].symbol().to_lowercase();
            columns.resize(columns.len() + symbol.len(), x);
            drawn.push_str(&symbol);
        }
        let style = self.style(Role::Match);
        let places: Vec<usize> = drawn.match_indices(&wanted).map(|(at, _)| at).collect();
        for at in places {
            let (Some(first), Some(last)) = (columns.get(at), columns.get(at + wanted.len() - 1)) else {
                continue;
            };
            self.over(Rect { x: *first, y: row.y, width: last - first + 1, height: 1 }, style);
        }
    }

    /// Lays a style over what is old, but for the selection.
    pub fn stale(&mut self, area: Rect, style: Style) {
        let selected = Style::reset().patch(self.style(Role::Selection));
        let area = area.intersection(self.buf.area);
        for at in area.positions() {
            let cell = &mut self.buf[at];
            if cell.style().add_modifier != selected.add_modifier || cell.style().bg != selected.bg {
                cell.set_style(style);
            }
        }
    }

    /// Empties an area, for what stands above it.
    pub fn blank(&mut self, area: Rect) {
        let area = area.intersection(self.buf.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                self.buf[(x, y)].reset();
            }
        }
    }

    /// A box with a title and, in its last line, its keys.
    pub fn boxed(&mut self, area: Rect, title: &str, keys: &str) {
        self.blank(area);
        if area.width < 2 || area.height < 2 {
            return;
        }
        let style = self.style(Role::BorderFocus);
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        for x in area.left()..=right {
            self.cell(x, area.y, "─", style);
            self.cell(x, bottom, "─", style);
        }
        for y in area.y..=bottom {
            self.cell(area.x, y, "│", style);
            self.cell(right, y, "│", style);
        }
        for (x, y, corner) in
            [(area.x, area.y, "┌"), (right, area.y, "┐"), (area.x, bottom, "└"), (right, bottom, "┘")]
        {
            self.cell(x, y, corner, style);
        }
        let room = area.width.saturating_sub(4);
        if room > 2 {
            self.put(area.x + 2, area.y, room, &format!(" {title} "), Role::Title);
            let keys = keys_that_fit(keys, room.saturating_sub(2));
            let keys = format!(" {} ", cut(&keys, room.saturating_sub(2)));
            let from = right.saturating_sub(width(&keys));
            self.hits.extend(named_keys(keys.trim(), from, bottom));
            self.right(area.x + 2, right.saturating_sub(1), bottom, &keys, Role::Key);
        }
    }
}

/// The longest beginning of a text that ends before a `, ` or ` · `, or all of it.
fn parts_that_fit(text: &str, cells: u16) -> Option<&str> {
    let mut rest = text;
    while width(rest) > cells {
        let at = rest.rfind(", ").max(rest.rfind(" · "))?;
        rest = &rest[..at];
    }
    Some(rest)
}

/// The keys of a box: where there is no room for all of them, the first and the way out stay.
fn keys_that_fit(keys: &str, cells: u16) -> String {
    let gap = if keys.contains("   ") { "   " } else { "  " };
    let mut parts: Vec<&str> = keys.split(gap).collect();
    while parts.len() > 2 && width(&parts.join(gap)) > cells {
        parts.remove(parts.len() - 2);
    }
    parts.join(gap)
}

/// The last pass for terminals without Unicode: every cell becomes one ASCII character.
pub fn to_ascii(buf: &mut Buffer) {
    let mut before = ' ';
    let masked = masks(buf);
    for (at, cell) in buf.content.iter_mut().enumerate() {
        let symbol = cell.symbol();
        if symbol.is_ascii() {
            before = symbol.chars().next().unwrap_or(' ');
            continue;
        }
        let plain = match symbol.chars().next() {
            // The chosen one of several, and not a row that is new.
            Some('•') if before == '(' => 'o',
            Some('•') if masked.contains(&at) => '*',
            Some(glyph) => ascii_of(glyph),
            None => ' ',
        };
        before = plain;
        cell.set_char(plain);
    }
}

/// The cells of secrets: dots that stand side by side.
fn masks(buf: &Buffer) -> BTreeSet<usize> {
    let is_dot = |at: usize| buf.content.get(at).is_some_and(|cell| cell.symbol() == "•");
    let dots = (0..buf.content.len()).filter(|at| is_dot(*at));
    dots.filter(|at| is_dot(at + 1) || at.checked_sub(1).is_some_and(is_dot)).collect()
}

/// The ASCII stand-in of a glyph; `?` for letters that have none.
fn ascii_of(glyph: char) -> char {
    match glyph {
        '✓' | '▸' | '┬' | '┼' | '├' | '┤' | '┌' | '┐' | '└' | '┘' | '┴' => '+',
        '≡' | '▆' | '▇' => '=',
        '○' => 'o',
        '✗' => 'x',
        '·' | '▂' | '▃' => '.',
        '►' | '▌' | '›' | '→' | '≥' => '>',
        '‹' | '←' => '<',
        '◐' => '~',
        '↻' | '●' => '@',
        '»' => '}',
        '■' | '█' => '#',
        '▪' => '*',
        '•' => '\'',
        '…' => '$',
        '▁' => '_',
        '▄' | '▅' | '▾' | '─' | '–' => '-',
        '│' => '|',
        '⏎' | '⇥' | '␛' => '\\',
        '≠' => '!',
        '↑' => '^',
        '↓' => 'v',
        _ => '?',
    }
}

/// Bold on top of a style.
#[must_use]
pub fn bold(style: Style) -> Style {
    style.add_modifier(Modifier::BOLD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_says_so_and_never_splits_a_wide_letter() {
        assert_eq!(cut("order_number", 12), "order_number");
        assert_eq!(cut("order_number", 6), "order…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut("abc", 1), "…");
    }

    #[test]
    fn writing_outside_of_the_buffer_does_nothing() {
        let theme = Theme::default();
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 1));
        let mut paint = Paint { buf: &mut buf, theme: &theme, glyphs: Glyphs::Unicode, hits: Hits::new() };
        paint.put(9, 0, 5, "text", Role::Text);
        paint.put(0, 9, 5, "text", Role::Text);
        paint.put(2, 0, 50, "text", Role::Text);
        paint.rule(Rect::new(0, 0, 4, 1), "Runs", "right", true);
        paint.boxed(Rect::new(2, 0, 9, 9), "Help", "esc back");
        paint.blank(Rect::new(3, 0, 90, 90));
    }

    #[test]
    fn titles_and_boxes_are_cleaned_and_lose_whole_parts() {
        let theme = Theme::default();
        let mut buf = Buffer::empty(Rect::new(0, 0, 50, 4));
        let mut paint = Paint { buf: &mut buf, theme: &theme, glyphs: Glyphs::Unicode, hits: Hits::new() };
        paint.rule(Rect::new(0, 0, 50, 1), "a\u{200d}b \u{202e}", "started 11:06:52, took 4m02s", true);
        paint.boxed(Rect::new(0, 1, 40, 3), "e\u{200b}vil", "esc");
        let row = |y: u16| (0..50).map(|x| buf[(x, y)].symbol()).collect::<String>();
        assert!(row(0).contains("a‹U+200D›b ‹U+202E›"), "{}", row(0));
        assert!(row(0).contains(" started 11:06:52 ") && !row(0).contains("took"), "{}", row(0));
        assert!(row(1).contains("e‹U+200B›vil"), "{}", row(1));
        assert_eq!(parts_that_fit("a, b · c", 4), Some("a, b"));
        assert_eq!(parts_that_fit("12:00:00", 4), None);
        let keys = "enter retry   tab field   ← → choice   esc back";
        assert_eq!(keys_that_fit(keys, 60), keys);
        assert_eq!(keys_that_fit(keys, 34), "enter retry   tab field   esc back");
        assert_eq!(keys_that_fit(keys, 4), "enter retry   esc back");
        assert_eq!(keys_that_fit("tab choose  e value  S sample  esc", 20), "tab choose  esc");
    }

    #[test]
    fn the_chosen_one_is_an_o_in_ascii() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 20, 1));
        buf.set_string(0, 0, "(•) ••• as • before", Style::new());
        to_ascii(&mut buf);
        assert_eq!(
            buf.content.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end(),
            "(o) *** as ' before",
            "a secret is one in ASCII, too"
        );
    }

    #[test]
    fn what_does_not_print_keeps_its_letter_in_ascii() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 20, 1));
        let theme = Theme::shipped("mono", super::super::theme::Depth::Mono).unwrap();
        let mut paint = Paint { buf: &mut buf, theme: &theme, glyphs: Glyphs::Ascii, hits: Hits::new() };
        paint.foreign(0, 0, 20, "x\ny\tz\u{1b}[1m", Role::Text);
        to_ascii(&mut buf);
        let drawn: String = buf.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(drawn.trim_end(), "x\\ny\\tz\\e[1m");
    }

    #[test]
    fn no_glyph_of_ours_is_left_in_ascii() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 30, 1));
        buf.set_string(0, 0, "✓≡○✗·►◐↻»■▌▪•…▸▾─│┌┐└┘‹›é日", Style::new());
        to_ascii(&mut buf);
        assert!(buf.content.iter().all(|cell| cell.symbol().is_ascii() && cell.symbol().len() == 1));
    }
}
