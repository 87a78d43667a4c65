//! Draws the box that asks under which digit and name a view is kept.

use super::dialog::reversed;
use crate::console::app::App;
use crate::console::facets::views::Saving;
use crate::console::layout::centred;
use crate::console::paint::Paint;
use crate::console::theme::Role;
use ratatui::layout::Rect;

/// Cells of a label.
const LABEL: u16 = 6;

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, open: &Saving) {
    let area = centred(Rect::new(0, 0, app.size.0, app.size.1), 76, 6);
    paint.boxed(area, "Save view", "tab another digit   enter saves   esc back");
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let from = x + LABEL;
    let room = right.saturating_sub(from);
    let y = area.y + 1;
    paint.put(x, y, LABEL, "list", Role::Muted);
    paint.foreign(from, y, room, &format!("{} · {}", open.list.word(), open.filter), Role::Text);
    paint.put(x, y + 1, LABEL, "key", Role::Muted);
    let next = paint.put(from, y + 1, room, &format!("'{}", open.digit), Role::Key) + 2;
    let there = app.picks.views.get(&open.digit);
    let (told, role) = match there {
        Some(view) => (format!("takes the place of {}", view.name), Role::Warn),
        None => ("free".to_owned(), Role::Muted),
    };
    paint.foreign(next, y + 1, right.saturating_sub(next), &told, role);
    paint.put(x, y + 2, LABEL, "name", Role::Muted);
    let (text, cursor) = open.name.window(room.saturating_sub(1));
    let end = paint.foreign(from, y + 2, room, &text, Role::Text);
    if open.name.is_empty() {
        paint.put(end + 2, y + 2, room.saturating_sub(2), "blank: as the filter", Role::Muted);
    }
    reversed(paint, from + cursor, y + 2);
}
