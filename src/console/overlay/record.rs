//! Draws the question for the file of a recording.

use super::dialog::reversed;
use crate::console::app::App;
use crate::console::edit::Edit;
use crate::console::layout::centred;
use crate::console::paint::Paint;
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use ratatui::layout::Rect;

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, edit: &Edit) {
    let area = centred(Rect::new(0, 0, app.size.0, app.size.1), 76, 7);
    paint.boxed(area, "Record this session", "enter begins   esc back");
    let x = area.x + 2;
    let room = area.width.saturating_sub(4);
    paint.put(x, area.y + 1, 5, "file", Role::Muted);
    let (text, cursor) = edit.window(room.saturating_sub(7));
    paint.foreign(x + 6, area.y + 1, room.saturating_sub(6), &text, Role::Text);
    reversed(paint, x + 6 + cursor, area.y + 1);
    let told = "An asciicast of what is drawn, without the keys; asciinema play FILE plays it. It is \
                readable by you alone. What is masked here is masked there; what is not can be read by \
                whoever gets the file.";
    for (y, line) in (area.y + 3..area.bottom().saturating_sub(1)).zip(wrapped(told, room)) {
        paint.put(x, y, room, &line, Role::Muted);
    }
}
