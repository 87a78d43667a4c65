//! Draws a short list of which one key chooses one.

use crate::console::app::App;
use crate::console::layout::centred;
use crate::console::menu::Menu;
use crate::console::paint::{Paint, width};
use crate::console::theme::Role;
use ratatui::layout::Rect;

/// Cells of what an entry is.
const WORD: u16 = 12;

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, menu: &Menu) {
    let size = app.size;
    let height = u16::try_from(menu.entries.len()).unwrap_or(20).saturating_add(2);
    let longest = menu.entries.iter().map(|entry| width(&entry.text)).max().unwrap_or(0);
    let wide = (longest + WORD + 9).clamp(48, 76);
    let area = centred(Rect::new(0, 0, size.0, size.1), wide, height);
    let keys =
        if menu.has_own() { "one key   {X} forgets one of yours   esc back" } else { "one key   esc back" };
    paint.boxed(area, &menu.title, &app.say(keys));
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let rows = area.y + 1..area.bottom().saturating_sub(1);
    for (y, (at, entry)) in rows.zip(menu.entries.iter().enumerate()) {
        let possible = entry.does.is_ok();
        paint.row(area.x + 1, y, area.right().saturating_sub(1), at == menu.at);
        if at == menu.at {
            paint.put(x - 1, y, 1, "▌", Role::BorderFocus);
        }
        let (key, word) = if possible { (Role::Key, Role::Text) } else { (Role::Muted, Role::Muted) };
        paint.put(x, y, 1, &entry.key.to_string(), key);
        paint.put(x + 3, y, WORD, entry.word, word);
        let from = x + 3 + WORD;
        paint.foreign(from, y, right.saturating_sub(from), &entry.text, Role::Muted);
    }
}
