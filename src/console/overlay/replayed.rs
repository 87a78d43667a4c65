//! Draws a run beside the one that it replays.

use crate::console::action::Action;
use crate::console::app::App;
use crate::console::format::{clock, count};
use crate::console::layout::{Pane, centred};
use crate::console::paint::{Paint, width};
use crate::console::payload::value_text;
use crate::console::replayed::{Beside, Replayed};
use crate::console::theme::Role;
use crate::model::id::short;
use crate::model::time::parse_rfc3339;
use crate::model::view::RunView;
use crate::rules::beside::Difference;
use crate::text::{apart, clean};
use ratatui::layout::Rect;
use serde_json::Value;

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, open: &Replayed) {
    let height = u16::try_from(open.rows.len().clamp(1, 500)).unwrap_or(1) + 4;
    let height = height.min(app.size.1.saturating_sub(4));
    let area = centred(Rect::new(0, 0, app.size.0, app.size.1), 156, height);
    let title = format!("Run {} beside {}, which it replays", short(&open.run), short(&open.parent));
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let (top, bottom) = (area.y + 3, area.bottom().saturating_sub(1));
    let page = usize::from(bottom.saturating_sub(top));
    let first = open.top.min(open.rows.len().saturating_sub(page));
    let left = open.rows.len().saturating_sub(first + page);
    let more =
        if left > 0 { format!("{} more: {}   ", count(left as u64), app.say("{j}")) } else { String::new() };
    paint.boxed(area, &title, &format!("{more}esc back"));
    let room = right.saturating_sub(x);
    if let Some(trouble) = &open.trouble {
        paint.foreign(x, area.y + 1, room, trouble, Role::Bad);
        return;
    }
    let (Some(parent), Some(run)) = (&open.views.0, &open.views.1) else {
        paint.put(x, area.y + 1, room, "asking the store…", Role::Muted);
        return;
    };
    let told = match open.rows.len() {
        0 => "Nothing differs: states, answers, and what was sent are the same.".to_owned(),
        1 => "1 thing differs".to_owned(),
        many => format!("{} things differ", count(many as u64)),
    };
    paint.put(x, area.y + 1, room, &told, Role::Title);
    let columns = Columns::of(&open.rows, x, right);
    let Columns { a, b, path, value, .. } = columns;
    let head = |run: &RunView, word: &str| {
        let begun = run.started.as_deref().and_then(parse_rfc3339);
        let begun =
            begun.map_or_else(String::new, |at| format!(", {}", clock(at, app.now, &app.options.zone)));
        format!("{word} {}{begun}", short(&run.id))
    };
    paint.put(x, area.y + 2, path, "path", Role::Muted);
    paint.put(a, area.y + 2, value, &head(parent, "replayed"), Role::Muted);
    paint.put(b, area.y + 2, right.saturating_sub(b), &head(run, "this"), Role::Muted);
    for (y, row) in (top..bottom).zip(open.rows.iter().skip(first)) {
        columns.draw(paint, y, row);
    }
}

/// The pane of a run's page: only what differs from the run that it replays.
pub fn beside(app: &App, paint: &mut Paint<'_>, area: Rect, shown: &Beside) {
    if area.height < 2 {
        return;
    }
    let differ = match (&shown.view, shown.rows.len()) {
        (Some(Ok(_)), 0) => "nothing differs".to_owned(),
        (Some(Ok(_)), 1) => "1 thing differs".to_owned(),
        (Some(Ok(_)), many) => format!("{} things differ", count(many as u64)),
        _ => "asking the store…".to_owned(),
    };
    let key = app.options.keymap.named(Action::Difference);
    let title = format!("beside its parent {} · {differ}", short(&shown.parent));
    let pane = Pane::of(area);
    let (x, right) = (area.x + 2, area.right().saturating_sub(1));
    match &shown.view {
        Some(Err(why)) => {
            let title = format!("beside its parent {}", short(&shown.parent));
            paint.rule(pane.rule, &title, "", false);
            paint.foreign(x, pane.body.y, right.saturating_sub(x), why, Role::Muted);
        }
        Some(Ok(_)) if shown.rows.is_empty() => {
            paint.rule(pane.rule, &title, "", false);
            let same = "States, answers and what was sent are the same.";
            paint.put(x, pane.body.y, right.saturating_sub(x), same, Role::Muted);
        }
        _ => {
            paint.rule(pane.rule, &title, &format!("parent, then this · {key} shows all"), false);
            let columns = Columns::of(&shown.rows, x, right);
            for (y, row) in (pane.body.y..pane.body.bottom()).zip(&shown.rows) {
                columns.draw(paint, y, row);
            }
        }
    }
}

/// Where a path and its two values stand.
#[derive(Clone, Copy)]
struct Columns {
    x: u16,
    path: u16,
    a: u16,
    b: u16,
    value: u16,
    right: u16,
}

impl Columns {
    fn of(rows: &[Difference], x: u16, right: u16) -> Self {
        let room = right.saturating_sub(x);
        let longest = rows.iter().map(|row| width(&row.path)).max().unwrap_or(0);
        let path = longest.clamp(4, (room / 2).max(4));
        let value = room.saturating_sub(path + 2) / 2;
        let a = x + path + 1;
        Self { x, path, a, b: a + value + 1, value, right }
    }

    fn draw(self, paint: &mut Paint<'_>, y: u16, row: &Difference) {
        let Self { x, path, a, b, value, right } = self;
        paint.foreign(x, y, path, &row.path, Role::JsonKey);
        let shown = |value: &Value| match value {
            Value::Null => ("not there".to_owned(), Role::Muted),
            value => (clean(&value_text(value).1).into_owned(), Role::Text),
        };
        let ((one, its), (other, others)) = (shown(&row.one), shown(&row.other));
        let rest = right.saturating_sub(b);
        let (one, other) = apart(&one, &other, (usize::from(value), usize::from(rest)));
        paint.foreign(a, y, value, &one, its);
        paint.foreign(b, y, rest, &other, others);
    }
}
