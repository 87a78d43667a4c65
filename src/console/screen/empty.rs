//! The first minutes: there is no integration yet, and this is what to do.

use crate::console::app::App;
use crate::console::paint::Paint;
use crate::console::theme::Role;
use ratatui::layout::Rect;

/// Draws the screen of an empty store.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let Some(counters) = &app.counters else { return };
    let x = area.x + 2;
    let room = area.width.saturating_sub(3);
    let mut y = area.y + 1;
    let listening = format!("Receiving on http://{}.", counters.listen);
    let first = if matches!(counters.probe, Some(Some(_))) {
        format!("NOT LISTENING on {}: see the first row.", counters.listen)
    } else {
        listening
    };
    let role = if matches!(counters.probe, Some(Some(_))) { Role::Bad } else { Role::Text };
    for line in super::wrapped(&format!("{first} No integration yet, so every URL is 404."), room) {
        paint.foreign(x, y, room, &line, role);
        y += 1;
    }
    y += 1;
    let rows = [
        ("enter", "load the samples", "six integrations, ready to send to"),
        ("", "apply a file", "pointsman new NAME prints one, pointsman apply FILE deploys it"),
    ];
    for (at, (key, what, note)) in rows.into_iter().enumerate() {
        if y >= area.bottom() {
            return;
        }
        if at == 0 {
            paint.put(x, y, 1, "▌", Role::BorderFocus);
        }
        paint.put(x + 2, y, 5, key, Role::Key);
        let next = paint.put(x + 8, y, room.saturating_sub(8), what, Role::Title);
        let column = next.max(x + 28) + 2;
        paint.put(column, y, area.right().saturating_sub(column + 1), note, Role::Muted);
        y += 1;
    }
    y += 1;
    let hint = "To see it alive with sample traffic, in a folder of its own: pointsman demo";
    for line in super::wrapped(hint, room) {
        if y < area.bottom() {
            paint.put(x, y, room, &line, Role::Text);
        }
        y += 1;
    }
}
