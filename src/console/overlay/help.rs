//! What the keys do, from the keymap; those that cannot act here say why.

use crate::console::action::Action;
use crate::console::app::App;
use crate::console::format::exact;
use crate::console::keymap::HELP;
use crate::console::layout::centred;
use crate::console::paint::Paint;
use crate::console::theme::Role;
use ratatui::layout::Rect;

/// Draws the help.
pub fn draw(app: &App, paint: &mut Paint<'_>, top: usize) {
    let lines = lines(app);
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let area = centred(Rect::new(0, 0, app.size.0, app.size.1), 76, height);
    let page = usize::from(area.height.saturating_sub(2));
    let top = top.min(lines.len().saturating_sub(page));
    let more = lines.len().saturating_sub(top + page);
    let keys = if more > 0 { format!("{more} more: j   esc back") } else { "esc back".to_owned() };
    paint.boxed(area, "Help", &keys);
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    for (row, (key, text, role)) in (0u16..).zip(lines.iter().skip(top).take(page)) {
        let y = area.y + 1 + row;
        paint.put(x, y, 13, key, if *role == Role::Muted { Role::Muted } else { Role::Key });
        let from = if key.is_empty() { x } else { x + 14 };
        paint.put(from, y, right.saturating_sub(from), text, *role);
    }
}

fn lines(app: &App) -> Vec<(String, String, Role)> {
    let mut lines = Vec::new();
    for (group, actions) in HELP {
        lines.push((String::new(), (*group).to_owned(), Role::Title));
        for action in *actions {
            let Some(bound) = app.options.keymap.bound(*action) else { continue };
            let keys = bound.names.clone();
            match app.possible(*action) {
                Err(reason) if action.is_verb() || matches!(action, Action::MarkAll) => {
                    lines.push((keys, reason, Role::Muted));
                }
                _ => lines.push((keys, bound.binding.help.to_owned(), Role::Text)),
            }
        }
    }
    lines.push((String::new(), "glyphs".to_owned(), Role::Title));
    for text in [
        "✓ accepted   ≡ duplicate   ○ filtered   ✗ rejected",
        "· queued   ► running   ◐ waiting   ↻ retrying   ! errored",
        "✓ succeeded   » with skips   ✗ failed   ■ aborted",
        "◐ pending   ✓ received   ! expired   ■ cancelled",
    ] {
        lines.push((String::new(), text.to_owned(), Role::Text));
    }
    let zone = app.options.zone.iana_name().unwrap_or("this system's zone").to_owned();
    let now = exact(app.now, &app.options.zone);
    let offset = now.rsplit(' ').next().unwrap_or_default().to_owned();
    let text = format!("times in {zone} ({offset})   Pointsman {}", app.options.version);
    lines.push((String::new(), text, Role::Muted));
    lines
}
