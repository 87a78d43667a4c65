//! Draws what another dedup rule would have done.

use super::dialog::reversed;
use crate::console::app::App;
use crate::console::format::{clock, count};
use crate::console::layout::centred;
use crate::console::paint::{Paint, clean, width};
use crate::console::payload::value_text;
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use crate::console::whatif::WhatIf;
use crate::model::id::short;
use crate::model::study::{Change, WhatIfChange, WhatIfView};
use crate::model::time::parse_rfc3339;
use ratatui::layout::Rect;

/// Cells of a label.
const LABEL: u16 = 9;

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, open: &WhatIf) {
    let changes = open.current().map_or(0, |view| view.changes.len().min(500));
    // As high as what is in it: what is typed, what is told, a line for each change.
    let height = u16::try_from(changes).unwrap_or(0).saturating_add(12).min(app.size.1.saturating_sub(4));
    let area = centred(Rect::new(0, 0, app.size.0, app.size.1), 120, height);
    let keys = match open.current() {
        Some(view) if !open.asking && !view.changes.is_empty() => {
            "↑ ↓ move   enter opens it   tab suggests   esc back"
        }
        _ => "enter asks   tab suggests a field   esc back",
    };
    paint.boxed(area, &format!("What if dedup were by other fields · {}", open.flow), keys);
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let (room, bottom) = (right.saturating_sub(x), area.bottom().saturating_sub(1));
    let mut y = area.y + 1;
    paint.put(x, y, LABEL, "fields", Role::Muted);
    let (text, cursor) = open.edit.window(room.saturating_sub(LABEL + 2));
    paint.foreign(x + LABEL + 1, y, room.saturating_sub(LABEL + 1), &text, Role::Text);
    reversed(paint, x + LABEL + 1 + cursor, y);
    let live = match open.live.as_deref() {
        None => "asking the store…".to_owned(),
        Some("") => "none: the rule of this request has no fields".to_owned(),
        Some(fields) => fields.to_owned(),
    };
    let good = match open.good.as_slice() {
        [] => "no path of the newest requests is nearly unique".to_owned(),
        good => good.iter().take(4).cloned().collect::<Vec<_>>().join(" · "),
    };
    for (label, text) in [("judged by", live), ("try", good)] {
        y += 1;
        paint.put(x, y, LABEL, label, Role::Muted);
        paint.foreign(x + LABEL + 1, y, room.saturating_sub(LABEL + 1), &text, Role::Muted);
    }
    y += 2;
    if y >= bottom {
        return;
    }
    if let Some(trouble) = &open.trouble {
        for (y, line) in (y..bottom).zip(wrapped(&clean(trouble), room)) {
            paint.put(x, y, room, &line, Role::Bad);
        }
        return;
    }
    if open.asking {
        paint.put(x, y, room, "looking through the traffic of the last 7 days…", Role::Muted);
        return;
    }
    let Some(view) = open.current() else {
        paint.put(x, y, room, "enter runs these fields over the requests of the last 7 days.", Role::Muted);
        return;
    };
    for (text, role) in told(view) {
        for line in wrapped(&text, room) {
            paint.put(x, y, room, &line, role);
            y += 1;
        }
    }
    y += 1;
    let page = usize::from(bottom.saturating_sub(y));
    let first = (open.at + 1).saturating_sub(page.max(1));
    for (row, (at, change)) in (y..bottom).zip(view.changes.iter().enumerate().skip(first)) {
        let selected = at == open.at;
        draw_change(app, paint, change, (x, row, right));
        paint.row(x, row, right, selected);
        if selected {
            paint.selection(Rect { x, y: row, width: room, height: 1 });
        }
    }
}

/// How many it would have judged otherwise.
fn told(view: &WhatIfView) -> Vec<(String, Role)> {
    let many = |n: u64, one: &str, more: &str| format!("{} {}", count(n), if n == 1 { one } else { more });
    let window = if view.from == "first" { "the accepted request" } else { "the last copy" };
    let mut lines = vec![
        (
            format!(
                "{}, {} let through, of {}",
                many(view.merged, "more duplicate", "more duplicates"),
                count(view.let_through),
                many(view.requests, "request", "requests"),
            ),
            Role::Title,
        ),
        (
            format!(
                "then {} accepted and {}; by this rule {} and {} ({} from {window})",
                count(view.before.accepted),
                many(view.before.duplicate, "duplicate", "duplicates"),
                count(view.after.accepted),
                count(view.after.duplicate),
                view.window,
            ),
            Role::Text,
        ),
    ];
    if view.no_dedup_key > 0 {
        let text = format!("{} have none of the fields, and are always accepted", count(view.no_dedup_key));
        lines.push((text, Role::Warn));
    }
    if let Some(stopped) = &view.stopped {
        lines.push((stopped.clone(), Role::Warn));
    }
    lines
}

fn draw_change(app: &App, paint: &mut Paint<'_>, change: &WhatIfChange, (x, y, right): (u16, u16, u16)) {
    let time = parse_rfc3339(&change.time)
        .map_or_else(|| change.time.clone(), |at| clock(at, app.now, &app.options.zone));
    let (glyph, word, role) = match change.change {
        Change::Merged => ("≡", "duplicate of", Role::Info),
        Change::LetThrough => ("✓", "let through, was of", Role::Good),
    };
    let next = paint.put(x, y, 15, &time, Role::Muted) + 1;
    let next = paint.put(next, y, 7, short(&change.request), Role::Text) + 1;
    let next = paint.put(next, y, 2, glyph, role) + 1;
    let next = paint.put(next, y, width(word) + 1, word, role) + 1;
    let of = change.duplicate_of.as_deref().map_or("?", short);
    let next = paint.put(next, y, 7, of, Role::Text) + 2;
    let values: Vec<String> = change
        .fields
        .iter()
        .map(|field| if field.missing { "not there".to_owned() } else { value_text(&field.value).1 })
        .collect();
    if next < right {
        paint.put(next, y, right - next, &clean(&values.join("  ")), Role::JsonString);
    }
}
