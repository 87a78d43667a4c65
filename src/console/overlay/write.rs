//! Draws the box that asks for the name of a file.

use super::dialog::reversed;
use crate::console::app::App;
use crate::console::facets::write::Writing;
use crate::console::layout::centred;
use crate::console::paint::{Paint, clean};
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use ratatui::layout::Rect;

/// Cells of a label.
const LABEL: u16 = 6;

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, open: &Writing) {
    let parts = u16::try_from(open.parts.len()).unwrap_or(1);
    let area = centred(Rect::new(0, 0, app.size.0, app.size.1), 76, parts + 6);
    let keys = match (open.busy, open.writes_over(), open.parts.len() > 1) {
        (true, ..) => "writing…",
        (_, true, _) => "enter writes over it   esc back, nothing done",
        (_, _, true) => "tab what   enter writes   esc back, nothing done",
        _ => "enter writes   esc back, nothing done",
    };
    paint.boxed(area, "Write a file on this machine", keys);
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let room = right.saturating_sub(x);
    let mut y = area.y + 1;
    for (at, part) in open.parts.iter().enumerate() {
        let (mark, role) = if at == open.at { ("(•)", Role::Text) } else { ("( )", Role::Muted) };
        let next = paint.put(x, y, room, mark, role) + 1;
        paint.foreign(next, y, right.saturating_sub(next), &part.told, role);
        y += 1;
    }
    y += 1;
    paint.put(x, y, LABEL, "file", Role::Muted);
    let from = x + LABEL;
    let (text, cursor) = open.edit.window(right.saturating_sub(from + 1));
    paint.foreign(from, y, right.saturating_sub(from), &text, Role::Text);
    reversed(paint, from + cursor, y);
    if let Some(trouble) = &open.trouble {
        let lines = wrapped(&clean(trouble), room);
        for (y, line) in (y + 1..area.bottom().saturating_sub(1)).zip(lines) {
            paint.put(x, y, room, &line, Role::Warn);
        }
    }
}
