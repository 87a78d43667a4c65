//! Errored runs by integration, flow, step and cause: the biggest group first.

use crate::console::app::{App, Place};
use crate::console::columns::{Column, fit};
use crate::console::format::{clock, count};
use crate::console::layout::Pane;
use crate::console::paint::Paint;
use crate::console::theme::Role;
use crate::model::time::parse_rfc3339;
use crate::rules::chart::spark;
use ratatui::layout::Rect;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Count,
    State,
    Flow,
    Step,
    Cause,
    First,
    Last,
}

const fn column(name: Name, rank: u8, width: u16, least: u16) -> Column<Name> {
    Column { name, rank, width, least, flexible: matches!(name, Name::Cause) }
}

const COLUMNS: [Column<Name>; 7] = [
    column(Name::Count, 1, 6, 6),
    column(Name::State, 2, 12, 1),
    column(Name::Flow, 4, 27, 10),
    column(Name::Step, 5, 10, 6),
    column(Name::Cause, 3, 36, 20),
    column(Name::First, 7, 8, 8),
    column(Name::Last, 6, 8, 8),
];

/// Draws the groups.
pub fn draw(app: &App, paint: &mut Paint<'_>, pane: Pane) {
    let focused = app.place() == Place::Groups;
    let groups = app.groups_by_last();
    let title = format!("Error groups · {} · by last seen", groups.len());
    paint.rule(pane.rule, &title, &app.say("{v} list"), focused);
    let area = pane.body;
    if groups.is_empty() {
        let text = if app.needs.known { "No errored run. {v} lists all runs." } else { super::waiting(app) };
        return super::says(paint, area, &app.say(text));
    }
    let columns = fit(&COLUMNS, area.width.saturating_sub(3));
    let mut x = area.x + 2;
    for (name, cells) in &columns {
        let word = match name {
            Name::Count => "count",
            Name::State => "state",
            Name::Flow => "flow",
            Name::Step => "step",
            Name::Cause => "cause",
            Name::First => "first",
            Name::Last => "last",
        };
        if *name == Name::Count {
            paint.right(x, x + cells, area.y, word, Role::Muted);
        } else {
            paint.put(x, area.y, *cells, word, Role::Muted);
        }
        x += cells + 1;
    }
    let fits = usize::from(area.height.saturating_sub(1)).max(1);
    let first = (app.runs.at + 1).saturating_sub(fits);
    let time = |text: &str| {
        parse_rfc3339(text).map_or_else(|| text.to_owned(), |at| clock(at, app.now, &app.options.zone))
    };
    for (at, group) in groups.iter().enumerate().skip(first).take(fits) {
        let y = area.y + 1 + u16::try_from(at - first).unwrap_or(0);
        let selected = at == app.runs.at;
        if selected {
            paint.put(area.x, y, 1, "▌", Role::BorderFocus);
        }
        let mut x = area.x + 2;
        for (name, cells) in &columns {
            let cells = *cells;
            match name {
                Name::Count => {
                    paint.right(x, x + cells, y, &count(group.count), Role::Text);
                }
                Name::State => {
                    paint.put(x, y, cells, if cells > 8 { "! errored" } else { "!" }, Role::Bad);
                }
                Name::Flow => {
                    let both = format!("{} / {}", group.integration, group.flow);
                    paint.foreign(x, y, cells, &both, Role::Text);
                }
                Name::Step => {
                    paint.foreign(x, y, cells, &group.step, Role::Text);
                }
                Name::Cause => {
                    paint.foreign(x, y, cells, &group.cause, Role::Text);
                }
                Name::First => {
                    paint.put(x, y, cells, &time(&group.first), Role::Muted);
                }
                Name::Last => {
                    paint.put(x, y, cells, &time(&group.last), Role::Muted);
                }
            }
            x += cells + 1;
        }
        if selected && focused {
            let style = paint.style(Role::Selection);
            paint.over(Rect { x: area.x, y, width: area.width, height: 1 }, style);
        }
    }
}

/// What the selected group has in common.
pub fn detail(app: &App, paint: &mut Paint<'_>, pane: Pane) {
    let Some(group) = app.focused_group() else { return paint.rule(pane.rule, "group", "", false) };
    let runs = if group.count == 1 { "run" } else { "runs" };
    let title =
        format!("{} / {} · {} · {} {runs}", group.integration, group.flow, group.step, count(group.count));
    let hours: Vec<Option<u64>> = group.hours.iter().copied().map(Some).collect();
    let hours = format!("per hour {}", spark(&hours, super::overview::glyphs_of(app)));
    paint.rule(pane.rule, &title, if group.hours.is_empty() { "" } else { &hours }, false);
    app.runs.group.lines.draw(paint, pane.body, false);
}
