//! Draws the audit trail: time, who, what, to what and why; under it the selected entry whole.

use super::dialog::reversed;
use crate::console::app::App;
use crate::console::audit::Trail;
use crate::console::format::{clock, count, exact};
use crate::console::layout::centred;
use crate::console::paint::{Paint, clean};
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use crate::model::time::parse_rfc3339;
use crate::model::view::AuditView;
use ratatui::layout::Rect;

/// Rows of the selected entry.
const DETAIL: u16 = 5;

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, open: &Trail) {
    let rows = u16::try_from(open.rows.len().clamp(1, 200)).unwrap_or(1);
    let height = (rows + DETAIL + 3).min(app.size.1.saturating_sub(4));
    let area = centred(Rect::new(0, 0, app.size.0, app.size.1), 130, height);
    let keys = if open.typing.is_some() {
        "enter looks   esc leaves it"
    } else {
        "↑ ↓ move   {/} filter   esc back"
    };
    let title = match (open.filter.as_str(), open.more()) {
        ("", (true, true)) => "Audit · newest below".to_owned(),
        ("", (true, false)) => {
            let newest = count(open.rows.len() as u64);
            format!("Audit · the newest {newest}; {} finds the others", app.say("{/}"))
        }
        ("", _) => format!("Audit · {}", count(open.rows.len() as u64)),
        (filter, (more, _)) => {
            format!(
                "Audit · {}{} · / {filter}",
                count(open.rows.len() as u64),
                if more { " and more" } else { "" }
            )
        }
    };
    paint.boxed(area, &title, &app.say(keys));
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let room = right.saturating_sub(x);
    let bottom = area.bottom().saturating_sub(1);
    let list = Rect::new(x, area.y + 1, room, bottom.saturating_sub(area.y + 2 + DETAIL));
    let under = Rect::new(x, list.bottom() + 1, room, bottom.saturating_sub(list.bottom() + 1));
    if let Some(current) = open.current() {
        entries(app, paint, open, list, area);
        detail(app, paint, current, under);
    } else {
        let text = match (open.known, open.filter.as_str()) {
            (false, _) => crate::console::screen::waiting(app),
            (true, "") => "Nobody has done anything yet.",
            (true, _) => "No entry matches; esc takes the filter off.",
        };
        paint.put(x, list.y, room, text, Role::Muted);
    }
    if let Some(trouble) = &open.trouble {
        paint.blank(under);
        for (y, line) in (under.y..under.bottom()).zip(wrapped(&clean(trouble), room)) {
            paint.put(x, y, room, &line, Role::Bad);
        }
    }
    if let Some(edit) = &open.typing {
        let y = bottom.saturating_sub(1);
        paint.blank(Rect::new(x, y, room, 1));
        paint.put(x, y, 2, "/", Role::Key);
        let (text, cursor) = edit.window(room.saturating_sub(3));
        paint.foreign(x + 2, y, room.saturating_sub(2), &text, Role::Text);
        reversed(paint, x + 2 + cursor, y);
    }
}

/// The entries, the newest at the bottom.
fn entries(app: &App, paint: &mut Paint<'_>, open: &Trail, list: Rect, area: Rect) {
    let page = usize::from(list.height.max(1));
    // The selected one is among the shown, and the page is full where there are so many.
    let first = (open.at + 1).saturating_sub(page);
    let shown = open.rows.len().saturating_sub(first).min(page);
    for (row, (at, entry)) in
        (0u16..).zip((first..first + shown).rev().filter_map(|at| Some((at, open.rows.get(at)?))))
    {
        let y = list.y + row;
        line(app, paint, entry, list.x, y, list.right());
        paint.row(area.x + 1, y, area.right().saturating_sub(1), at == open.at);
        if at == open.at {
            paint.selection(Rect::new(area.x + 1, y, area.width.saturating_sub(2), 1));
        }
    }
}

fn line(app: &App, paint: &mut Paint<'_>, entry: &AuditView, x: u16, y: u16, right: u16) {
    let time = parse_rfc3339(&entry.at).map_or_else(String::new, |at| clock(at, app.now, &app.options.zone));
    let why = match &entry.reason {
        Some(reason) => format!("{} · {}", entry.detail, reason),
        None => entry.detail.clone(),
    };
    let wide = right.saturating_sub(x) > 90;
    let mut at = x;
    let cells = if wide { [9, 14, 16, 30, 200] } else { [9, 9, 12, 18, 200] };
    let texts = [time.as_str(), &entry.who, &entry.verb, &entry.target, &why];
    let roles = [Role::Muted, Role::Text, Role::Info, Role::Text, Role::Muted];
    for ((text, cells), role) in texts.into_iter().zip(cells).zip(roles) {
        if at >= right {
            return;
        }
        paint.foreign(at, y, (cells - 1).min(right - at), text, role);
        at += cells;
    }
}

/// All of an entry.
fn detail(app: &App, paint: &mut Paint<'_>, entry: &AuditView, area: Rect) {
    let time = parse_rfc3339(&entry.at).map_or_else(|| entry.at.clone(), |at| exact(at, &app.options.zone));
    let head = format!("{time}  {} ({}) {} {}", entry.who, entry.door, entry.verb, entry.target);
    let reason = entry.reason.as_deref().unwrap_or("no reason given");
    let mut lines = wrapped(&clean(&head), area.width);
    lines.truncate(2);
    let texts = [("why", reason), ("what came of it", entry.detail.as_str())];
    for (label, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        lines.extend(wrapped(&clean(&format!("{label}: {text}")), area.width));
    }
    for (y, line) in (area.y..area.bottom()).zip(&lines) {
        paint.put(area.x, y, area.width, line, Role::Text);
    }
}
