//! Draws one line that is asked for.

use super::dialog::reversed;
use crate::console::layout::centred;
use crate::console::paint::{Paint, width};
use crate::console::prompt::Prompt;
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use ratatui::layout::Rect;

/// Draws it.
pub fn draw(size: (u16, u16), paint: &mut Paint<'_>, open: &Prompt) {
    let (title, label, hint) = open.words();
    let inner = 76_u16.min(size.0.saturating_sub(4)).saturating_sub(4);
    let under: Vec<(String, Role)> = match &open.trouble {
        Some(why) => {
            wrapped(&crate::text::clean(why), inner).into_iter().map(|line| (line, Role::Bad)).collect()
        }
        None => wrapped(hint, inner).into_iter().map(|line| (line, Role::Muted)).collect(),
    };
    let rows = u16::try_from(under.len()).unwrap_or(1);
    let area = centred(Rect::new(0, 0, size.0, size.1), 76, rows + 4);
    paint.boxed(area, title, "enter takes it   esc leaves it");
    let (x, y, right) = (area.x + 2, area.y + 1, area.right().saturating_sub(2));
    paint.put(x, y, right.saturating_sub(x), label, Role::Title);
    let from = x + width(label) + 2;
    let room = right.saturating_sub(from);
    let (text, cursor) = open.edit.window(room);
    paint.foreign(from, y, room, &text, Role::Text);
    reversed(paint, from + cursor.min(room.saturating_sub(1)), y);
    for (y, (line, role)) in (y + 2..area.bottom().saturating_sub(1)).zip(under) {
        paint.put(x, y, right.saturating_sub(x), &line, role);
    }
}
