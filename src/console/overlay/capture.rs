//! Draws the capture table.

use crate::console::app::App;
use crate::console::capture::{From, Table};
use crate::console::columns::{Column, fit};
use crate::console::format::{count, took};
use crate::console::layout::centred;
use crate::console::paint::{Paint, clean, width};
use crate::console::payload::value_text;
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use crate::model::study::FoundField;
use ratatui::layout::Rect;

/// The table over the screen.
pub fn draw(app: &App, paint: &mut Paint<'_>, table: &Table) {
    let area = centred(Rect::new(0, 0, app.size.0, app.size.1), 120, app.size.1.saturating_sub(4));
    let column = if table.dedup { "dedup" } else { "need" };
    let keys = if area.width < 90 {
        format!(
            "{{space}} {column}  {{tab}} column  {{y}} path  {{Y}} toml  {{C}} renew  {{v}} source  esc back"
        )
    } else {
        format!(
            "{{space}} tick {column}   {{tab}} need/dedup   {{y}} copy template   {{Y}} copy toml   \
             {{C}} renew, 90s   {{v}} source   esc back"
        )
    };
    paint.boxed(area, &format!("Capture · {}", table.flow), &app.say(&keys));
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let (top, bottom) = (area.y + 1, area.bottom().saturating_sub(1));
    let room = right.saturating_sub(x);
    if bottom < top + 4 {
        return;
    }
    heading(app, paint, table, x, top, room);
    let notes = notes(table);
    let below = u16::try_from(notes.len()).unwrap_or(0);
    let rows = bottom.saturating_sub(top + 3).saturating_sub(below);
    if let Some(trouble) = &table.trouble {
        paint.foreign(x, top + 3, room, trouble, Role::Bad);
    } else if table.found.fields.is_empty() {
        let text = match table.from {
            From::Capture => {
                "Nothing came yet. {v} shows the selected request, or the newest 1,000; or paste JSON."
            }
            From::Request | From::Newest | From::Pasted => "asking the store…",
        };
        for (y, line) in (top + 3..bottom).zip(wrapped(&app.say(text), room)) {
            paint.put(x, y, room, &line, Role::Muted);
        }
    } else {
        list(paint, table, x, top + 2, right, rows);
    }
    for (y, (text, role)) in (bottom.saturating_sub(below)..).zip(notes) {
        paint.foreign(x, y, room, &text, role);
    }
}

fn heading(app: &App, paint: &mut Paint<'_>, table: &Table, x: u16, y: u16, room: u16) {
    let Some(open) = &table.open else {
        paint.put(x, y, room, "asking the store…", Role::Muted);
        return;
    };
    let state = match table.left(app.now) {
        Some(left) => format!("open {}", took(left)),
        None => app.say("closed · {C} opens it again"),
    };
    let came = match table.from {
        From::Capture => format!("{} came", count(table.found.requests)),
        From::Request => format!("of request {}", crate::model::id::short(&table.request)),
        From::Pasted => "of what was pasted".to_owned(),
        From::Newest => format!("of the newest {}", count(table.found.requests)),
    };
    let live = if open.deployed { "live: judged and run as ever" } else { "not deployed: starts nothing" };
    paint.put(x, y, room, &format!("{state} · {came} · {live}"), Role::Title);
    paint.foreign(x, y + 1, room, &format!("send to {}", open.url), Role::Muted);
}

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Path,
    Type,
    Sample,
    In,
    Need,
    Dedup,
}

/// The columns that fit, as wide as what is in them: paths and samples share the room, types and
/// counts go before either is unreadable.
fn columns(table: &Table, cells: u16) -> Vec<(Name, u16)> {
    let fields = &table.found.fields;
    let widest = |of: &dyn Fn(&FoundField) -> u16| fields.iter().map(of).max().unwrap_or(0);
    let path = widest(&|field| width(&clean(&field.path))).clamp(12, cells / 2);
    let kind = widest(&|field| width(&types(field))).clamp(4, 8);
    let found = widest(&|field| width(&present(table, field))).clamp(2, 9);
    let column =
        |name, rank, width, least| Column { name, rank, width, least, flexible: name == Name::Sample };
    let mut all = vec![
        column(Name::Path, 2, path, path.min(24)),
        column(Name::Type, 7, kind, kind),
        column(Name::Sample, 3, 18, 14),
        column(Name::In, 6, found, found),
        column(Name::Need, 1, 4, 4),
        column(Name::Dedup, 1, 8, 8),
    ];
    all.retain(|column| column.name != Name::Need || !table.dedup_alone);
    fit(&all, cells)
}

fn types(field: &FoundField) -> String {
    field.types.join(" ")
}

fn present(table: &Table, field: &FoundField) -> String {
    format!("{}/{}", field.present, table.found.requests)
}

/// The rows of the table, under their heads.
pub fn list(paint: &mut Paint<'_>, table: &Table, x: u16, y: u16, right: u16, rows: u16) {
    let columns = columns(table, right.saturating_sub(x + 2));
    let mut at = x + 2;
    for (name, cells) in &columns {
        let word = match name {
            Name::Path => "path",
            Name::Type => "type",
            Name::Sample => "sample",
            Name::In => "in",
            Name::Need => "need",
            Name::Dedup => "dedup",
        };
        paint.put(at, y, *cells, word, Role::Muted);
        at += cells + 1;
    }
    let shown = usize::from(rows).max(1);
    let first = (table.at + 1).saturating_sub(shown);
    for (row, (at, field)) in (0u16..rows).zip(table.found.fields.iter().enumerate().skip(first)) {
        let y = y + 1 + row;
        let selected = at == table.at;
        paint.row(x, y, right, selected);
        if selected {
            paint.put(x, y, 1, "▌", Role::BorderFocus);
        }
        let tick = |on: bool| if on { "[x]" } else { "[ ]" };
        let of = |here: bool, on: bool| match (here && selected, on) {
            (true, _) => Role::Title,
            (false, true) => Role::Text,
            (false, false) => Role::Muted,
        };
        let mut x = x + 2;
        for (name, cells) in &columns {
            let cells = *cells;
            match name {
                Name::Path => {
                    paint.foreign(x, y, cells, &field.path, Role::JsonKey);
                    if selected {
                        let style = paint.style(Role::Selection);
                        paint.over(Rect { x: x - 1, y, width: cells + 1, height: 1 }, style);
                    }
                }
                Name::Type => {
                    paint.foreign(x, y, cells, &types(field), Role::Text);
                }
                Name::Sample => {
                    let (role, text) = value_text(&field.sample);
                    paint.foreign(x, y, cells, &text, role);
                }
                Name::In => {
                    paint.put(x, y, cells, &present(table, field), Role::Text);
                }
                Name::Need => {
                    let need = table.required_paths.contains(&field.path);
                    paint.put(x, y, cells, tick(need), of(!table.dedup, need));
                }
                Name::Dedup => {
                    let dedup = table.dedup_paths.contains(&field.path);
                    paint.put(x, y, cells, tick(dedup), of(table.dedup, dedup));
                    if field.good {
                        paint.put(x + 4, y, 4, "good", Role::Good);
                    }
                }
            }
            x += cells + 1;
        }
    }
}

/// What comes of it, under the table.
fn notes(table: &Table) -> Vec<(String, Role)> {
    let mut notes = Vec::new();
    let good = table.good(3);
    if !good.is_empty() {
        let text =
            format!("nearly unique over {} requests: {}", count(table.found.requests), good.join(", "));
        notes.push((text, Role::Muted));
    }
    if let Some(template) = table.template() {
        let why = table.current().and_then(|field| field.not.as_deref());
        let why = why.map_or_else(String::new, |why| format!("   no dedup field: {why}"));
        notes.push((format!("template  {template}{why}"), Role::Text));
    }
    let toml = table.toml();
    if toml.is_empty() {
        notes.push((
            "toml      space marks a path as required, tab then space as dedup".to_owned(),
            Role::Muted,
        ));
    }
    for line in toml {
        notes.push((format!("toml      {line}"), Role::Template));
    }
    notes
}
