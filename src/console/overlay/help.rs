//! What the keys do, from the keymap: those of the pane in focus first. Those that cannot act here say
//! why.

use super::dialog::reversed;
use crate::console::app::App;
use crate::console::format::exact;
use crate::console::help::{Help, Section, sections};
use crate::console::layout::centred;
use crate::console::paint::{Paint, clean};
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use ratatui::layout::Rect;

/// Cells of the keys, with the gap after them.
const KEYS: u16 = 13;
/// From so many columns of the screen on there are two of entries.
const TWO: u16 = 100;
/// Cells of the widest box.
const WIDEST: u16 = 160;

/// What the marks mean.
const GLYPHS: [&str; 4] = [
    "✓ accepted   ≡ duplicate   ○ filtered   ✗ rejected",
    "· queued   ► running   ◐ waiting   ↻ retrying   ! errored",
    "✓ succeeded   » with skips   ✗ failed   ■ aborted",
    "◐ pending   ✓ received   ! expired   ■ cancelled",
];

/// A line of a column; an entry's lines have its number.
struct Row {
    entry: Option<usize>,
    keys: String,
    text: String,
    role: Role,
}

/// Draws the help.
pub fn draw(app: &App, paint: &mut Paint<'_>, open: &Help) {
    let (width, height) = app.size;
    let two = width >= TWO;
    let screen = Rect::new(0, 0, width, height);
    let wide = if two { WIDEST } else { 76 };
    let inner = centred(screen, wide, u16::MAX).width.saturating_sub(4);
    let cells = if two { (inner - 3) / 2 } else { inner };
    let [here, everywhere, elsewhere] = sections(app, &open.wanted);
    let counts = [here.1.len(), everywhere.1.len()];
    let (mut left, mut right) = (Vec::new(), Vec::new());
    put(&here, 0, cells, &mut left);
    if two {
        glyphs(cells, &mut left);
    }
    put(&everywhere, counts[0], cells, &mut right);
    put(&elsewhere, counts[0] + counts[1], cells, &mut right);
    let columns = if two {
        vec![left, right]
    } else {
        left.append(&mut right);
        glyphs(cells, &mut left);
        vec![left]
    };
    let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
    let area = centred(screen, wide, u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(3));
    let searched = if open.wanted.is_empty() || open.edit.is_some() {
        String::new()
    } else {
        format!(" · / {}", clean(&open.wanted))
    };
    let keys = match &open.edit {
        Some(_) => "enter does it   ↑ ↓ move   esc back",
        None => "enter does it   {/} search   esc back",
    };
    paint.boxed(area, &format!("Help · {}{searched}", app.place_name()), &app.say(keys));
    let body = Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(3),
    };
    for (x, rows) in [body.x, body.x + cells + 3].into_iter().zip(&columns) {
        column(paint, Rect { x, width: cells.min(body.right().saturating_sub(x)), ..body }, rows, open.at);
    }
    let last = area.bottom().saturating_sub(2);
    match &open.edit {
        Some(edit) => {
            let (text, cursor) = edit.window(body.width.saturating_sub(3));
            paint.put(body.x, last, 2, "/ ", Role::Key);
            paint.foreign(body.x + 2, last, body.width.saturating_sub(2), &text, Role::Text);
            reversed(paint, body.x + 2 + cursor, last);
        }
        None => {
            paint.put(body.x, last, body.width, &zone(app), Role::Muted);
        }
    }
}

/// The rows that fit, so that all of the selected entry is in view; what follows the last one is, too.
fn column(paint: &mut Paint<'_>, area: Rect, rows: &[Row], at: usize) {
    // The last line tells what is below.
    let height = usize::from(area.height);
    let page = if rows.len() > height { height.saturating_sub(1) } else { height };
    let shown = rows.iter().rposition(|row| row.entry == Some(at));
    let last = rows.iter().rposition(|row| row.entry.is_some());
    let end = shown.map_or(0, |end| if last == Some(end) { rows.len() } else { end + 1 });
    let first = end.saturating_sub(page);
    for (y, row) in (area.y..area.bottom()).zip(rows.iter().skip(first).take(page)) {
        let selected = row.entry.is_some() && row.entry == Some(at);
        if selected {
            paint.put(area.x.saturating_sub(1), y, 1, "▌", Role::BorderFocus);
        }
        let key = if row.role == Role::Muted { Role::Muted } else { Role::Key };
        paint.put(area.x, y, KEYS - 1, &row.keys, key);
        let from = if row.entry.is_some() { area.x + KEYS } else { area.x };
        paint.put(from, y, area.right().saturating_sub(from), &row.text, row.role);
    }
    let more = rows.len().saturating_sub(first + page);
    if more > 0 && area.height > 0 {
        let told = format!(" {more} more below");
        paint.right(area.x, area.right(), area.bottom() - 1, &told, Role::New);
    }
}

fn put((head, entries): &Section, from: usize, cells: u16, rows: &mut Vec<Row>) {
    if entries.is_empty() {
        return;
    }
    rows.push(Row { entry: None, keys: String::new(), text: (*head).to_owned(), role: Role::Title });
    for (at, entry) in (from..).zip(entries) {
        let role = if entry.barred { Role::Muted } else { Role::Text };
        for (n, text) in wrapped(&entry.text, cells.saturating_sub(KEYS)).into_iter().enumerate() {
            let keys = if n == 0 { entry.keys.clone() } else { String::new() };
            rows.push(Row { entry: Some(at), keys, text, role });
        }
    }
}

fn glyphs(cells: u16, rows: &mut Vec<Row>) {
    rows.push(Row { entry: None, keys: String::new(), text: "marks".to_owned(), role: Role::Title });
    for line in GLYPHS.iter().flat_map(|line| crate::console::screen::filled(line.split("   "), "   ", cells))
    {
        rows.push(Row { entry: None, keys: String::new(), text: line, role: Role::Text });
    }
}

/// `times in Europe/Berlin (+01:00)   Pointsman 1.0.0`
fn zone(app: &App) -> String {
    let zone = app.options.zone.iana_name().unwrap_or("this system's zone");
    let now = exact(app.now, &app.options.zone);
    let offset = now.rsplit(' ').next().unwrap_or_default();
    format!("times in {zone} ({offset})   Pointsman {}", app.options.version)
}
