//! Draws the list of themes, small enough that what they look like is seen around it.

use crate::console::app::App;
use crate::console::layout::centred;
use crate::console::paint::{Paint, clean};
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use crate::console::theming::Choosing;
use ratatui::layout::Rect;

/// What each role is for, to be judged by.
const SHOWN: [&[(&str, Role)]; 2] = [
    &[("✓ good", Role::Good), ("! bad", Role::Bad), ("↻ warn", Role::Warn), ("► busy", Role::Busy)],
    &[("◐ info", Role::Info), ("• new", Role::New), ("muted", Role::Muted), ("key", Role::Key)],
];

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, open: &Choosing) {
    let names: Vec<&str> = app.options.themes.names().collect();
    let inner = 44.min(app.size.0.saturating_sub(8));
    let trouble: Vec<String> = match &open.trouble {
        Some(trouble) => wrapped(&clean(trouble), inner).into_iter().take(4).collect(),
        None => Vec::new(),
    };
    let under = u16::try_from(if trouble.is_empty() { SHOWN.len() } else { trouble.len() }).unwrap_or(2) + 1;
    let rows = u16::try_from(names.len()).unwrap_or(200).min(app.size.1.saturating_sub(under + 6)).max(1);
    let area = centred(Rect::new(0, 0, app.size.0, app.size.1), inner + 4, rows + under + 2);
    // Where there is little room the box has all of it.
    let rows = area.height.saturating_sub(under + 2).max(rows);
    paint.boxed(area, "Theme", "↑ ↓ shows it   enter keeps   esc back");
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let room = right.saturating_sub(x);
    let first = (open.at + 1).saturating_sub(usize::from(rows));
    let bottom = (area.y + 1 + rows).min(area.bottom().saturating_sub(1));
    for (y, (at, name)) in (area.y + 1..bottom).zip(names.iter().enumerate().skip(first)) {
        let role = if *name == open.before.name { Role::Title } else { Role::Text };
        paint.put(x, y, 26, name, role);
        let told = match app.options.themes.own(name) {
            Some(_) => "yours",
            None if *name == open.before.name => "in use",
            None => "",
        };
        paint.right(x, right, y, told, Role::Muted);
        paint.row(area.x + 1, y, area.right().saturating_sub(1), at == open.at);
        if at == open.at {
            paint.selection(Rect::new(area.x + 1, y, area.width.saturating_sub(2), 1));
        }
    }
    let last = area.bottom().saturating_sub(1);
    if trouble.is_empty() {
        for (y, parts) in (bottom + 1..last).zip(SHOWN) {
            let mut at = x;
            for (text, role) in parts {
                if at < right {
                    paint.put(at, y, right - at, text, *role);
                }
                at += 11;
            }
        }
    }
    for (y, line) in (bottom + 1..last).zip(&trouble) {
        paint.put(x, y, room, line, Role::Bad);
    }
}
