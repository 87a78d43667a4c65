//! Draws what a run would send.

use super::dialog::reversed;
use crate::console::app::App;
use crate::console::layout::centred;
use crate::console::paint::{Paint, clean, width};
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use crate::console::trial::Simulated;
use ratatui::layout::Rect;

/// Lines over the steps: what is told, and a blank one.
const HEAD: u16 = 4;

fn area((width, height): (u16, u16)) -> Rect {
    centred(Rect::new(0, 0, width, height), width.saturating_sub(4).min(140), height.saturating_sub(3))
}

/// Rows of its steps on a screen of some size: the last line is what is typed.
#[must_use]
pub fn rows(screen: (u16, u16)) -> usize {
    usize::from(area(screen).height.saturating_sub(2 + HEAD + 1))
}

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, open: &Simulated) {
    let area = area(app.size);
    let keys = match (&open.giving, area.width < 90) {
        (Some(_), _) => "enter gives it, blank is null   tab next value   esc leaves it",
        (None, true) => "e value  v draft  t dedup  b back-test  S sample  esc",
        (None, false) => {
            "e gives a value   v live, draft   t other dedup   b back-test   S save as sample   esc back"
        }
    };
    paint.boxed(area, &format!("simulated: nothing was sent · {}", open.flow), keys);
    let (x, room) = (area.x + 2, area.width.saturating_sub(4));
    let (mut y, bottom) = (area.y + 1, area.bottom().saturating_sub(1));
    if let Some(trouble) = &open.trouble {
        for (y, line) in (y..bottom).zip(wrapped(&clean(trouble), room)) {
            paint.put(x, y, room, &line, Role::Bad);
        }
        return;
    }
    if open.head.is_empty() {
        paint.put(x, y, room, "building every request…", Role::Muted);
        return;
    }
    for (text, role) in &open.head {
        paint.foreign(x, y, room, text, *role);
        y += 1;
    }
    let top = area.y + 1 + HEAD;
    let height = bottom.saturating_sub(top + 1);
    let steps = Rect { x: area.x + 1, y: top, width: area.width.saturating_sub(2), height };
    open.lines.draw(paint, steps, open.giving.is_none());
    let last = bottom.saturating_sub(1);
    if let Some((path, edit)) = &open.giving {
        let label = format!("{path} =");
        let taken = width(&label).min(room.saturating_sub(12));
        let next = paint.foreign(x, last, taken, &label, Role::Key) + 1;
        let (text, cursor) = edit.window(room.saturating_sub(taken + 2));
        paint.foreign(next, last, room.saturating_sub(taken + 1), &text, Role::Text);
        reversed(paint, next + cursor, last);
    } else if open.asking {
        paint.put(x, last, room, "building every request…", Role::Muted);
    }
}
