//! Draws a run beside the one that it replays.

use crate::console::app::App;
use crate::console::format::{clock, count};
use crate::console::layout::centred;
use crate::console::paint::{Paint, width};
use crate::console::payload::value_text;
use crate::console::replayed::Replayed;
use crate::console::theme::Role;
use crate::model::id::short;
use crate::model::time::parse_rfc3339;
use crate::model::view::RunView;
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
    let more = if left > 0 { format!("{} more: j   ", count(left as u64)) } else { String::new() };
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
    let longest = open.rows.iter().map(|row| width(&row.path)).max().unwrap_or(0);
    let path = longest.clamp(4, room / 2);
    let value = room.saturating_sub(path + 2) / 2;
    let (a, b) = (x + path + 1, x + path + 1 + value + 1);
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
