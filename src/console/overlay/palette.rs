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
    let entries = app.palette_entries(&open.edit.text());
    let found = &open.jump.found;
    let rows = u16::try_from((found.len() + entries.len()).clamp(1, 200)).unwrap_or(1);
    let area =
        centred(Rect::new(0, 0, app.size.0, app.size.1), 90, rows.min(app.size.1.saturating_sub(10)) + 5);
    paint.boxed(area, "Palette", "↑ ↓ move   enter does it   esc back");
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let room = right.saturating_sub(x);
    let (text, cursor) = open.edit.window(room.saturating_sub(3));
    paint.put(x, area.y + 1, 2, ":", Role::Title);
    paint.foreign(x + 2, area.y + 1, room.saturating_sub(2), &text, Role::Text);
    reversed(paint, x + 2 + cursor, area.y + 1);
    let (top, bottom) = (area.y + 3, area.bottom().saturating_sub(2));
    let all = matching(&app.options.keymap, "").len();
    let told = format!("{} of {all} · an id pasted here jumps to it", entries.len());
    paint.put(x, bottom, room, &told, Role::Muted);
    if found.is_empty() && entries.is_empty() {
        paint.foreign(x, top, room, &open.jump.told(&open.edit.text()), Role::Muted);
        return;
    }
    let page = usize::from(bottom.saturating_sub(top)).max(1);
    let first = (open.at + 1).saturating_sub(page);
    for (y, (n, found)) in (top..bottom).zip(found.iter().enumerate().skip(first)) {
        paint.put(x, y, 10, found.word, Role::Key);
        paint.put(x + 11, y, 14, &found.short, Role::Text);
        paint.foreign(x + 26, y, right.saturating_sub(x + 26), &found.told, Role::Text);
        paint.row(area.x + 1, y, area.right().saturating_sub(1), n == open.at);
        if n == open.at {
            paint.selection(Rect::new(area.x + 1, y, area.width.saturating_sub(2), 1));
        }
    }
    // What has the id stands above what can be done.
    let top = top + u16::try_from(found.len().saturating_sub(first)).unwrap_or(0);
    let (at, first) = (open.at.checked_sub(found.len()), first.saturating_sub(found.len()));
    for (y, (n, entry)) in (top..bottom).zip(entries.iter().enumerate().skip(first)) {
        let barred = app.barred_entry(entry);
        let help = app.say(entry.help);
        let (told, role) = match &barred {
            Some(reason) => (reason.as_str(), Role::Muted),
            None => (help.as_str(), Role::Text),
        };
        paint.put(x, y, 10, &entry.keys, if barred.is_some() { Role::Muted } else { Role::Key });
        let next = paint.put(x + 11, y, 16, entry.word, role);
        let from = (x + 26).max(next + 1);
        paint.foreign(from, y, right.saturating_sub(from), told, role);
        paint.row(area.x + 1, y, area.right().saturating_sub(1), at == Some(n));
        if at == Some(n) {
            paint.selection(Rect::new(area.x + 1, y, area.width.saturating_sub(2), 1));
        }
    }
}
