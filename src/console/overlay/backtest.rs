//! Draws what a draft changes of stored requests.

use crate::console::app::App;
use crate::console::backtest::{BackTested, KEPT};
use crate::console::format::{clock, count};
use crate::console::layout::centred;
use crate::console::paint::{Paint, clean};
use crate::console::payload::value_text;
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use crate::model::id::short;
use crate::model::study::{BackTestChange, BackTestField};
use crate::model::time::parse_rfc3339;
use crate::text::apart;
use ratatui::layout::Rect;
use serde_json::Value;

fn area((width, height): (u16, u16)) -> Rect {
    centred(Rect::new(0, 0, width, height), width.saturating_sub(4).min(140), height.saturating_sub(3))
}

/// Lines of both versions that a screen shows.
#[must_use]
pub fn page(screen: (u16, u16)) -> usize {
    usize::from(area(screen).height.saturating_sub(2))
}

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, open: &BackTested) {
    let area = area(app.size);
    if let Some(sides) = &open.open {
        let title = format!("Back-test · {} · request {}", open.flow, short(&sides.request));
        let versions = open
            .versions
            .map_or_else(String::new, |(live, draft)| format!(" · v{live} - and draft v{draft} +"));
        paint.boxed(area, &format!("{title}{versions}"), &app.say("{j} {k} move   esc back to the list"));
        let inside = Rect {
            x: area.x + 1,
            y: area.y + 1,
            width: area.width.saturating_sub(2),
            height: area.height.saturating_sub(2),
        };
        return sides.lines.draw(paint, inside, true);
    }
    let keys = if open.running { "esc stops" } else { "enter opens it   {b} another window   esc back" };
    paint.boxed(area, &format!("Back-test · {} · {}", open.flow, open.window()), &app.say(keys));
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let (room, bottom) = (right.saturating_sub(x), area.bottom().saturating_sub(1));
    let mut y = area.y + 1;
    if let Some(trouble) = &open.trouble {
        for (y, line) in (y..bottom).zip(wrapped(&clean(trouble), room)) {
            paint.put(x, y, room, &line, Role::Bad);
        }
        return;
    }
    let versions = open
        .versions
        .map_or_else(String::new, |(live, draft)| format!("v{live} against the draft v{draft}: "));
    let going = if open.running { " so far" } else { "" };
    let told = format!(
        "{versions}{} of {} requests change{going}{}. Nothing is sent.",
        count(open.changed),
        count(open.looked),
        if open.alike > 0 { format!("; {} fail as before", count(open.alike)) } else { String::new() }
    );
    paint.put(x, y, room, &told, Role::Title);
    y += 1;
    if open.left_out > 0 {
        let text = format!("{} could not be judged: only their beginning was kept", count(open.left_out));
        paint.put(x, y, room, &text, Role::Warn);
    } else if open.changed > KEPT as u64 {
        paint.put(x, y, room, &format!("the newest {} are listed", count(KEPT as u64)), Role::Muted);
    }
    y += 1;
    let page = usize::from(bottom.saturating_sub(y)).max(1);
    let first = (open.at + 1).saturating_sub(page);
    for (row, (at, (change, field, head))) in (y..bottom).zip(open.rows().enumerate().skip(first)) {
        draw_field(app, paint, (change, field, head || at == first), (x, row, right));
        paint.row(x, row, right, at == open.at);
        if at == open.at {
            paint.selection(Rect { x, y: row, width: room, height: 1 });
        }
    }
}

fn draw_field(
    app: &App,
    paint: &mut Paint<'_>,
    (change, field, head): (&BackTestChange, &BackTestField, bool),
    (x, y, right): (u16, u16, u16),
) {
    if head {
        let time = parse_rfc3339(&change.time)
            .map_or_else(|| change.time.clone(), |at| clock(at, app.now, &app.options.zone));
        let next = paint.put(x, y, 15, &time, Role::Muted) + 1;
        paint.put(next, y, 7, short(&change.request), Role::Text);
    }
    let wide = right - x >= 90;
    let (step_cells, path_cells) = if wide { (14, 28) } else { (8, 14) };
    let at = x + 24;
    let step = match (field.element, field.step.as_deref()) {
        (Some(element), step) => format!("[{element}] {}", step.unwrap_or("run")),
        (None, step) => step.unwrap_or("trigger").to_owned(),
    };
    paint.foreign(at, y, step_cells, &step, Role::Muted);
    let at = at + step_cells + 1;
    paint.foreign(at, y, path_cells, &field.path, Role::JsonKey);
    let at = at + path_cells + 1;
    if at + 5 >= right {
        return;
    }
    let half = (right - at - 3) / 2;
    let text = |value: &Value| if value.is_null() { "–".to_owned() } else { value_text(value).1 };
    let (before, after) = (text(&field.before), text(&field.after));
    let (before, after) = apart(&before, &after, (usize::from(half), usize::from(half)));
    let next = paint.foreign(at, y, half, &before, Role::Removed);
    let next = paint.put(next + 1, y, 1, "→", Role::Muted);
    paint.foreign(next + 1, y, right.saturating_sub(next + 1), &after, Role::Added);
}
