//! Draws who is here: operator, where from, what is shown there, since when.

use crate::console::app::App;
use crate::console::company::Attached;
use crate::console::format::clock;
use crate::console::layout::centred;
use crate::console::paint::Paint;
use crate::console::theme::Role;
use crate::model::company::ConsoleView;
use crate::model::id::short;
use crate::model::time::parse_rfc3339;
use ratatui::layout::Rect;

/// Draws them.
pub fn draw(app: &App, paint: &mut Paint<'_>, open: &Attached) {
    let all = &app.company.consoles;
    let rows = u16::try_from(all.len().clamp(1, 200)).unwrap_or(1);
    let height = (rows + 3).min(app.size.1.saturating_sub(2));
    let area = centred(Rect::new(0, 0, app.size.0, app.size.1), 96, height);
    paint.boxed(area, "Consoles", "esc back");
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let room = right.saturating_sub(x);
    if all.is_empty() {
        paint.put(x, area.y + 1, room, "Nobody is known to be here yet.", Role::Muted);
        return;
    }
    let head = format!("{:<12} {:<8} {:<20} {:<16} since", "who", "role", "where", "screen");
    paint.put(x, area.y + 1, room, &head, Role::Muted);
    let page = usize::from(area.height.saturating_sub(3));
    let top = open.top.min(all.len().saturating_sub(page));
    for (y, console) in (area.y + 2..area.bottom().saturating_sub(1)).zip(all.iter().skip(top)) {
        line(app, paint, console, x, y, right);
    }
}

fn line(app: &App, paint: &mut Paint<'_>, console: &ConsoleView, x: u16, y: u16, right: u16) {
    let own = Some(&console.id) == app.company.own.as_ref();
    let role = if own { Role::Muted } else { Role::Text };
    let screen = match &console.run {
        Some(run) => format!("{} › {}", console.screen, short(run)),
        None => console.screen.clone(),
    };
    let from = if own { "this console".to_owned() } else { console.from.clone() };
    let since = parse_rfc3339(&console.since);
    let since = since.map_or_else(String::new, |at| clock(at, app.now, &app.options.zone));
    let mut at = x;
    for (text, cells) in [(&console.who, 12), (&console.role, 8), (&from, 20), (&screen, 16), (&since, 12)] {
        if at >= right {
            return;
        }
        paint.foreign(at, y, cells.min(right - at), text, role);
        at += cells + 1;
    }
}
