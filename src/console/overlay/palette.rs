//! Draws the palette.

use super::dialog::reversed;
use crate::console::app::App;
use crate::console::layout::centred;
use crate::console::paint::Paint;
use crate::console::palette::{Palette, matching};
use crate::console::theme::Role;
use ratatui::layout::Rect;

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, open: &Palette) {
    let entries = matching(&open.edit.text());
    let rows = u16::try_from(entries.len().clamp(1, 200)).unwrap_or(1);
    let area =
        centred(Rect::new(0, 0, app.size.0, app.size.1), 90, rows.min(app.size.1.saturating_sub(9)) + 4);
    paint.boxed(area, "Palette", "↑ ↓ move   enter does it   esc back");
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let room = right.saturating_sub(x);
    let (text, cursor) = open.edit.window(room.saturating_sub(3));
    paint.put(x, area.y + 1, 2, ":", Role::Title);
    paint.foreign(x + 2, area.y + 1, room.saturating_sub(2), &text, Role::Text);
    reversed(paint, x + 2 + cursor, area.y + 1);
    let (top, bottom) = (area.y + 3, area.bottom().saturating_sub(1));
    if entries.is_empty() {
        paint.put(x, top, room, "Nothing is called so.", Role::Muted);
        return;
    }
    let page = usize::from(bottom.saturating_sub(top)).max(1);
    let first = (open.at + 1).saturating_sub(page);
    for (y, (n, entry)) in (top..bottom).zip(entries.iter().enumerate().skip(first)) {
        let barred = app.barred_entry(entry);
        let (told, role) = match &barred {
            Some(reason) => (reason.as_str(), Role::Muted),
            None => (entry.help, Role::Text),
        };
        paint.put(x, y, 10, &entry.keys, if barred.is_some() { Role::Muted } else { Role::Key });
        paint.put(x + 11, y, 14, entry.word, role);
        paint.foreign(x + 26, y, right.saturating_sub(x + 26), told, role);
        if n == open.at {
            paint.selection(Rect::new(area.x + 1, y, area.width.saturating_sub(2), 1));
        }
    }
}
