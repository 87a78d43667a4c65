//! Draws every action by its name in the configuration, its keys and what it means.

use crate::console::app::App;
use crate::console::layout::centred;
use crate::console::paint::{Paint, width};
use crate::console::theme::Role;
use ratatui::layout::Rect;

/// Cells of an action's name.
const NAME: u16 = 17;

/// Draws them.
pub fn draw(app: &App, paint: &mut Paint<'_>, top: usize) {
    let lines: Vec<_> = app.options.keymap.lines().collect();
    let longest = lines.iter().map(|bound| width(&bound.names)).max().unwrap_or(0).clamp(10, 24);
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(3);
    let area = centred(Rect::new(0, 0, app.size.0, app.size.1), 110, height);
    let page = usize::from(area.height.saturating_sub(3));
    let top = top.min(lines.len().saturating_sub(page));
    let more = lines.len().saturating_sub(top + page);
    let keys =
        if more > 0 { format!("{more} more: {}   esc back", app.say("{j}")) } else { "esc back".to_owned() };
    paint.boxed(area, "Keys · [keys] of the configuration gives others: retry = \"f5\"", &keys);
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let columns = [(x, "action"), (x + NAME, "keys"), (x + NAME + longest + 1, "what it does")];
    for (at, head) in columns {
        paint.put(at, area.y + 1, right.saturating_sub(at), head, Role::Muted);
    }
    let rows = area.y + 2..area.bottom().saturating_sub(1);
    for (y, bound) in rows.zip(lines.iter().skip(top)) {
        let own = bound.names != bound.binding.keys.join(" ");
        let told = if own { format!("yours, for {}", bound.binding.keys.join(" ")) } else { String::new() };
        let help = if own {
            format!("{told}: {}", app.say(bound.binding.help))
        } else {
            app.say(bound.binding.help)
        };
        let names = if bound.names.is_empty() { "none" } else { bound.names.as_str() };
        let cells =
            [(bound.binding.action.id(), Role::Text), (names, Role::Key), (help.as_str(), Role::Text)];
        for ((at, _), (text, role)) in columns.iter().zip(cells) {
            paint.put(
                *at,
                y,
                right.saturating_sub(*at).min(if role == Role::Key { longest } else { 200 }),
                text,
                role,
            );
        }
    }
}
