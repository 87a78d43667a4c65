//! A value, whole, in a box that scrolls.

use crate::console::app::App;
use crate::console::format::{count, size};
use crate::console::layout::centred;
use crate::console::paint::Paint;
use crate::console::theme::Role;
use crate::console::whole::Whole;
use ratatui::layout::Rect;

/// Where the box is on a screen of some size.
#[must_use]
pub fn area(screen: (u16, u16)) -> Rect {
    let (width, height) = screen;
    centred(Rect::new(0, 0, width, height), width.saturating_sub(8).min(124), height.saturating_sub(4))
}

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, whole: &Whole) {
    let area = area(app.size);
    let page = usize::from(area.height.saturating_sub(2));
    let top = whole.top.min(whole.lines.len().saturating_sub(page));
    let left = whole.lines.len().saturating_sub(top + page);
    let keys = if left > 0 {
        let (more, lines) = (count(left as u64), if left == 1 { "line" } else { "lines" });
        format!("{more} more {lines}: {}   esc back", app.say("{j}   {G} end"))
    } else {
        "esc back".to_owned()
    };
    paint.boxed(area, &format!("{} · {}", whole.title, size(whole.text.len() as u64)), &keys);
    let room = area.width.saturating_sub(4);
    for (y, line) in (area.y + 1..area.bottom().saturating_sub(1)).zip(whole.lines.iter().skip(top)) {
        paint.put(area.x + 2, y, room, line, Role::Text);
    }
}
