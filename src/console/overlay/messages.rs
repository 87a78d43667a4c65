//! Draws what was told: time, tone and text, the newest at the bottom.

use super::toast::tone;
use crate::console::app::App;
use crate::console::format::clock;
use crate::console::layout::centred;
use crate::console::messages::{LINES, Messages};
use crate::console::paint::{Paint, clean};
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use ratatui::layout::Rect;

/// Cells of the time and of the tone.
const BEFORE: u16 = 11;

/// Draws them.
pub fn draw(app: &App, paint: &mut Paint<'_>, open: &Messages) {
    let wide = app.size.0.saturating_sub(4).min(120);
    let room = wide.saturating_sub(4 + BEFORE);
    let mut lines = Vec::new();
    for toast in &app.messages {
        let (glyph, role) = tone(toast.tone);
        let before = format!("{} {glyph}", clock(toast.at, app.now, &app.options.zone));
        let mut text = wrapped(&clean(&toast.text), room);
        // A text of others must not fill the list.
        text.truncate(LINES);
        for (n, line) in text.into_iter().enumerate() {
            lines.push((if n == 0 { before.clone() } else { String::new() }, line, role));
        }
    }
    let rows = u16::try_from(lines.len().clamp(1, 200)).unwrap_or(1);
    let height = (rows + 2).min(app.size.1.saturating_sub(4));
    let area = centred(Rect::new(0, 0, app.size.0, app.size.1), wide, height);
    let page = usize::from(area.height.saturating_sub(2));
    let up = open.up.min(lines.len().saturating_sub(page));
    let end = lines.len() - up;
    let top = end.saturating_sub(page);
    let keys = match (top, up) {
        (0, 0) => "esc back".to_owned(),
        (0, below) => format!("{below} below: {}   esc back", app.say("{j}")),
        (above, _) => format!("{above} above: {}   esc back", app.say("{k}")),
    };
    paint.boxed(area, "Messages", &keys);
    let x = area.x + 2;
    if lines.is_empty() {
        paint.put(x, area.y + 1, wide.saturating_sub(4), "Nothing was told yet.", Role::Muted);
        return;
    }
    for (y, (before, text, role)) in (area.y + 1..area.bottom().saturating_sub(1)).zip(&lines[top..end]) {
        paint.put(x, y, BEFORE, before, if *role == Role::Bad { *role } else { Role::Muted });
        paint.put(x + BEFORE, y, room, text, if *role == Role::Bad { *role } else { Role::Text });
    }
}
