//! Draws the values of a path, and how often each is there.

use crate::console::app::App;
use crate::console::facets::values::{Counted, Row, shown, title};
use crate::console::format::count;
use crate::console::layout::centred;
use crate::console::paint::{Paint, clean, width};
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use crate::model::study::ValueKind;
use ratatui::layout::Rect;

/// Cells of the longest bar.
const BAR: u16 = 16;
/// Eighths of a cell.
const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, open: &Counted) {
    let rows = u16::try_from(open.rows.len()).unwrap_or(u16::MAX).max(1);
    let others = u16::from(open.others.1 > 0);
    let height = rows.saturating_add(4 + others).min(app.size.1.saturating_sub(3)).max(6);
    let area = centred(Rect::new(0, 0, app.size.0, app.size.1), 76, height);
    let keys =
        if open.running { "esc stops" } else { "enter only these   {-} without   {y} copy   esc back" };
    paint.boxed(area, &clean(&title(open)), &app.say(keys));
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let (top, bottom) = (area.y + 1, area.bottom().saturating_sub(1));
    let room = right.saturating_sub(x);
    if let Some(trouble) = &open.trouble {
        for (y, line) in (top..bottom).zip(wrapped(&clean(trouble), room)) {
            paint.put(x, y, room, &line, Role::Bad);
        }
        return;
    }
    let below = bottom.saturating_sub(1);
    paint.put(x, below, room, &told(app, open), Role::Muted);
    let (other_values, other_requests) = open.others;
    let mut end = if below > top + 2 { below - 1 } else { below };
    if other_requests > 0 {
        end = end.saturating_sub(1);
        let word = match (other_values, open.beyond) {
            (many, 0) => format!("{} other values", count(many)),
            (many, _) => format!("over {} other values", count(many)),
        };
        paint.put(x + 2, end, room.saturating_sub(2), &word, Role::Muted);
        number(paint, right, end, other_requests);
    }
    // Values are told from one another, however many requests have none.
    let valued = open.rows.iter().filter(|row| row.value.is_some());
    let most = valued.map(|row| row.count).max().unwrap_or(1).max(1);
    let page = usize::from(end.saturating_sub(top)).max(1);
    let first = (open.at + 1).saturating_sub(page);
    if open.rows.is_empty() {
        let text = if open.running { "counting…" } else { "No request has a value there." };
        paint.put(x, top, room, text, Role::Muted);
    }
    for (y, (at, row)) in (top..end).zip(open.rows.iter().enumerate().skip(first)) {
        line(paint, row, most, (x, y, right));
        paint.row(x, y, right, at == open.at);
        if at == open.at {
            paint.put(x, y, 1, "▌", Role::BorderFocus);
            paint.selection(Rect { x, y, width: room, height: 1 });
        }
    }
}

/// How far it is.
fn told(app: &App, open: &Counted) -> String {
    let all = app.counters.as_ref().map(|c| c.accepted + c.duplicates + c.filtered + c.rejected);
    let counted = count(open.counted);
    match (&open.stopped, open.running, all) {
        (Some(why), ..) => format!("counted {counted}: {why}"),
        (None, false, _) => format!("counted {counted} of {counted}"),
        (None, true, Some(all)) if open.filter.is_empty() => {
            format!("counted {counted} of {}", count(all.max(open.counted)))
        }
        (None, true, Some(all)) => {
            format!(
                "counted {counted} so far, {} of {} looked at",
                count(open.looked),
                count(all.max(open.looked))
            )
        }
        (None, true, None) => format!("counted {counted} so far"),
    }
}

fn number(paint: &mut Paint<'_>, right: u16, y: u16, number: u64) {
    let end = right.saturating_sub(BAR + 1);
    paint.right(end.saturating_sub(9), end, y, &count(number), Role::Text);
}

fn line(paint: &mut Paint<'_>, row: &Row, most: u64, (x, y, right): (u16, u16, u16)) {
    let end = right.saturating_sub(BAR + 11);
    let text = shown(row, 200);
    let role = match row.value.as_ref().map(|value| value.kind) {
        None => Role::Muted,
        Some(ValueKind::String) => Role::JsonString,
        Some(ValueKind::Number) => Role::JsonNumber,
        Some(ValueKind::Literal) => Role::JsonLiteral,
        Some(ValueKind::Json) => Role::Text,
    };
    // Kinds that read the same are told: a filter takes them all.
    let kinds: Vec<&str> = row.kinds.iter().map(|kind| word(*kind)).collect();
    let note = if kinds.len() > 1 { kinds.join(", ") } else { String::new() };
    let note_cells = if note.is_empty() { 0 } else { width(&note) + 1 };
    let next = paint.foreign(x + 2, y, end.saturating_sub(x + 2 + note_cells), &text, role);
    if !note.is_empty() {
        paint.put(next + 1, y, end.saturating_sub(next + 1), &note, Role::Muted);
    }
    number(paint, right, y, row.count);
    let eighths = (u128::from(row.count) * u128::from(BAR) * 8).div_ceil(u128::from(most));
    let eighths = usize::try_from(eighths).unwrap_or(0).min(usize::from(BAR) * 8);
    let mut bar = "█".repeat(eighths / 8);
    bar.push_str(PARTS[eighths % 8]);
    paint.put(right.saturating_sub(BAR), y, BAR, &bar, Role::Muted);
}

fn word(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::String => "text",
        ValueKind::Number => "number",
        ValueKind::Literal => "literal",
        ValueKind::Json => "JSON",
    }
}
