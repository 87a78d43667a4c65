//! The board: callbacks, the most urgent first, and under it what is known of the selected one.

use crate::console::app::{App, Place};
use crate::console::board::UrgentRow;
use crate::console::columns::{Column, fit};
use crate::console::countdown;
use crate::console::format::{clock, count};
use crate::console::glyphs;
use crate::console::layout::Pane;
use crate::console::paint::Paint;
use crate::console::theme::Role;
use crate::model::id::short;
use ratatui::layout::Rect;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    State,
    Left,
    Flow,
    Step,
    Who,
    Sent,
    Run,
    Tries,
}

const fn column(name: Name, rank: u8, width: u16, least: u16) -> Column<Name> {
    Column { name, rank, width, least, flexible: matches!(name, Name::Who) }
}

const COLUMNS: [Column<Name>; 8] = [
    column(Name::State, 1, 11, 1),
    column(Name::Left, 2, 11, 11),
    column(Name::Flow, 4, 27, 8),
    column(Name::Step, 5, 10, 6),
    column(Name::Who, 3, 34, 12),
    column(Name::Sent, 6, 8, 8),
    column(Name::Run, 7, 6, 6),
    column(Name::Tries, 8, 3, 3),
];

fn word(name: Name) -> &'static str {
    match name {
        Name::State => "state",
        Name::Left => "left",
        Name::Flow => "flow",
        Name::Step => "step",
        Name::Who => "who must answer",
        Name::Sent => "sent",
        Name::Run => "run",
        Name::Tries => "try",
    }
}

/// Whether a column's words end at its right edge.
fn is_right(name: Name) -> bool {
    matches!(name, Name::Left | Name::Tries)
}

/// Draws the list.
pub fn draw(app: &App, paint: &mut Paint<'_>, pane: Pane) {
    let board = &app.board;
    let focused = app.place() == Place::Board;
    let figures =
        app.counters.as_ref().map(|counters| (counters.callbacks_pending, counters.callbacks_overdue));
    let mut title = "Callbacks".to_owned();
    if let Some((pending, overdue)) = figures {
        title = format!("{title} · {} pending, {} overdue", count(pending), count(overdue));
    }
    if board.more {
        title = format!("{title} · the first {}", count(board.rows.len() as u64));
    }
    let filter = match (board.filter.as_str(), board.off) {
        ("", _) => "/ none".to_owned(),
        (filter, true) => format!("/ off: {filter}"),
        (filter, false) => format!("/ {filter}"),
    };
    let full = if app.full { format!("{filter} · {}", app.say("{+} back")) } else { filter };
    paint.rule(pane.rule, &title, &format!("most urgent first · {full}"), focused);
    let area = pane.body;
    if board.rows.is_empty() {
        return super::says(paint, area, &nothing(app));
    }
    let columns = fit(&COLUMNS, area.width.saturating_sub(3));
    let mut x = area.x + 2;
    for (name, cells) in &columns {
        if is_right(*name) {
            paint.right(x, x + cells, area.y, word(*name), Role::Muted);
        } else {
            paint.put(x, area.y, *cells, word(*name), Role::Muted);
        }
        x += cells + 1;
    }
    for (y, row) in (area.y + 1..area.bottom()).zip(board.visible()) {
        let selected = board.selected.as_deref() == Some(row.view.id.as_str());
        if selected {
            paint.put(area.x, y, 1, "▌", Role::BorderFocus);
        }
        if board.marks.contains(&row.view.id) {
            paint.put(area.x + 1, y, 1, "▪", Role::Mark);
        }
        let mut x = area.x + 2;
        for (name, cells) in &columns {
            cell(app, paint, row, *name, (x, y, *cells));
            x += cells + 1;
        }
        let whole = Rect { x: area.x, y, width: area.width, height: 1 };
        if row.left {
            let style = paint.style(Role::Muted);
            paint.over(whole, style);
        }
        if selected && focused {
            paint.selection(whole);
        }
    }
}

fn cell(app: &App, paint: &mut Paint<'_>, row: &UrgentRow, name: Name, at: (u16, u16, u16)) {
    let (x, y, cells) = at;
    let view = &row.view;
    let awaited = view.awaited.as_deref();
    match name {
        Name::State => {
            let (glyph, role) = glyphs::callback(view.state);
            let role = if row.is_short(app.now) { Role::Warn } else { role };
            // What expired and was seen to is no alarm.
            let role = if role == Role::Bad && !view.overdue { Role::Muted } else { role };
            let next = paint.put(x, y, 1, glyph, role);
            if cells > 2 {
                paint.put(next + 1, y, cells - 2, view.state.word(), role);
            }
        }
        Name::Left if row.left => {
            paint.right(x, x + cells, y, "no match", Role::Muted);
        }
        Name::Left if row.counts() => {
            let (text, _) = countdown::figure(row.deadline, app.now);
            let role = match (view.overdue, row.is_short(app.now)) {
                (true, _) => Role::Bad,
                (false, true) => Role::Warn,
                (false, false) => Role::Text,
            };
            paint.right(x, x + cells, y, &text, role);
        }
        Name::Left => {}
        Name::Flow => super::logs::flow(paint, x, y, cells, &view.integration, &view.flow),
        Name::Step => {
            paint.foreign(x, y, cells, &view.step, Role::Text);
        }
        Name::Who => {
            paint.foreign(x, y, cells, &who(row), Role::Text);
        }
        Name::Sent => {
            paint.put(x, y, cells, &clock(row.created, app.now, &app.options.zone), Role::Muted);
        }
        Name::Run => {
            paint.put(x, y, cells, short(&view.run), Role::Muted);
        }
        Name::Tries => {
            let tries = awaited.map_or_else(String::new, |awaited| awaited.attempt.to_string());
            paint.right(x, x + cells, y, &tries, Role::Muted);
        }
    }
}

/// `dms.example (202, "job 4471")`.
fn who(row: &UrgentRow) -> String {
    let Some(awaited) = row.view.awaited.as_deref() else { return String::new() };
    let host = if awaited.host.is_empty() { "?" } else { awaited.host.as_str() };
    match (awaited.status, awaited.said.as_str()) {
        (Some(status), "") => format!("{host} ({status})"),
        (Some(status), said) => format!("{host} ({status}, \"{said}\")"),
        (None, _) => host.to_owned(),
    }
}

fn nothing(app: &App) -> String {
    let board = &app.board;
    match (board.loaded, board.filter_in_force()) {
        (false, _) => super::waiting(app).to_owned(),
        (true, "" | crate::console::board::OPEN) => {
            "No callback is pending. A step with callback = true that is answered 202 waits here.".to_owned()
        }
        (true, filter) => super::empty::unmatched(app, "callback", filter),
    }
}

/// Draws what is known of the selected one.
pub fn detail(app: &App, paint: &mut Paint<'_>, pane: Pane) {
    let focused = app.place() == Place::BoardPane;
    let title = app.board.current().map_or_else(String::new, |row| {
        let (glyph, _) = glyphs::callback(row.view.state);
        format!("{} · {} · {glyph} {}", short(&row.view.run), row.view.step, row.view.state.word())
    });
    paint.rule(pane.rule, &title, "", focused);
    app.board.pane.lines.draw(paint, pane.body, focused);
}
