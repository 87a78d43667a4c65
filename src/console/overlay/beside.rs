//! Draws two requests beside each other.

use crate::console::app::App;
use crate::console::beside::{Beside, Row};
use crate::console::format::{clock, count};
use crate::console::layout::centred;
use crate::console::paint::{Paint, width};
use crate::console::theme::Role;
use crate::model::id::short;
use crate::model::time::parse_rfc3339;
use crate::model::view::RequestDetail;
use ratatui::layout::Rect;

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, beside: &Beside) {
    let shown: Vec<&Row> = beside.shown().collect();
    // As high as what is in it.
    let height = u16::try_from(shown.len().clamp(1, 500)).unwrap_or(1) + 4;
    let height = height.min(app.size.1.saturating_sub(4));
    let area = centred(Rect::new(0, 0, app.size.0, app.size.1), 156, height);
    let title = format!("{} beside {}", short(&beside.second), short(&beside.first));
    let (x, right) = (area.x + 2, area.right().saturating_sub(2));
    let (top, bottom) = (area.y + 3, area.bottom().saturating_sub(1));
    let page = usize::from(bottom.saturating_sub(top));
    let first = beside.top.min(shown.len().saturating_sub(page));
    let left = shown.len().saturating_sub(first + page);
    let more =
        if left > 0 { format!("{} more: {}   ", count(left as u64), app.say("{j}")) } else { String::new() };
    let toggle = if beside.all { "{d} only what differs" } else { "{d} shows all" };
    let toggle = app.say(toggle);
    paint.boxed(area, &title, &format!("{more}{toggle}   esc back"));
    let room = right.saturating_sub(x);
    if let Some(trouble) = &beside.trouble {
        paint.foreign(x, area.y + 1, room, trouble, Role::Bad);
        return;
    }
    let (Some(one), Some(other)) = (&beside.details.0, &beside.details.1) else {
        paint.put(x, area.y + 1, room, "asking the store…", Role::Muted);
        return;
    };
    let (differ, all) = (beside.differing(), beside.rows.len());
    let verb = if differ == 1 { "differs" } else { "differ" };
    let told = format!("{} of {} paths {verb}", count(differ as u64), count(all as u64));
    paint.put(x, area.y + 1, room, &told, Role::Title);
    // The longest path that is shown whole, as long as the values have their half.
    let longest = shown.iter().map(|row| width(&row.path)).max().unwrap_or(0);
    let path = longest.clamp(4, room / 2);
    let value = room.saturating_sub(2 + path + 2) / 2;
    let (a, b) = (x + 2 + path + 1, x + 2 + path + 1 + value + 1);
    let head = |detail: &RequestDetail, word: &str| {
        let time = parse_rfc3339(&detail.request.time)
            .map_or_else(String::new, |at| format!(", {}", clock(at, app.now, &app.options.zone)));
        let id = short(&detail.request.id);
        let long = format!("{word} {id}{time}, {}", detail.request.verdict.word());
        if width(&long) <= value { long } else { format!("{word} {id}{time}") }
    };
    paint.put(x + 2, area.y + 2, path, "path", Role::Muted);
    paint.put(a, area.y + 2, value, &head(one, "first"), Role::Muted);
    paint.put(b, area.y + 2, right.saturating_sub(b), &head(other, "then"), Role::Muted);
    if shown.is_empty() && top < bottom {
        paint.put(x + 2, top, room, "Every path has the same value in both.", Role::Muted);
    }
    for (y, row) in (top..bottom).zip(shown.iter().skip(first)) {
        let (mark, role) = row.mark.unwrap_or((" ", Role::Text));
        paint.put(x, y, 1, mark, role);
        paint.foreign(x + 2, y, path, &row.path, Role::JsonKey);
        let of = |text: &str| if text == "not there" { Role::Muted } else { Role::Text };
        paint.foreign(a, y, value, &row.first, of(&row.first));
        paint.foreign(b, y, right.saturating_sub(b), &row.second, of(&row.second));
    }
}
