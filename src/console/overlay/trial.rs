//! Draws a trial: what was chosen, and what a run would send.

use super::dialog::reversed;
use crate::console::app::App;
use crate::console::hit::Hit;
use crate::console::layout::centred;
use crate::console::paint::{Paint, clean, width};
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use crate::console::trial::choice::{Choices, Does, Row};
use crate::console::trial::{Given, Simulated};
use ratatui::layout::Rect;

/// Lines over the steps that tell: versions and verdict, the end, what is not touched.
const HEAD: u16 = 3;
/// Where choices begin.
const CHOICES: u16 = 10;

fn area((width, height): (u16, u16)) -> Rect {
    centred(Rect::new(0, 0, width, height), width.saturating_sub(4).min(140), height.saturating_sub(3))
}

/// Lines of choices: where a screen is low, the one that has the focus.
fn choices(area: Rect) -> u16 {
    if area.height >= 18 { u16::try_from(Row::ALL.len()).unwrap_or(1) } else { 1 }
}

/// Rows of its steps on a screen of some size: the last line is what is typed.
#[must_use]
pub fn rows(screen: (u16, u16)) -> usize {
    let area = area(screen);
    usize::from(area.height.saturating_sub(2 + choices(area) + HEAD + 1))
}

/// Draws it.
pub fn draw(app: &App, paint: &mut Paint<'_>, open: &Simulated) {
    let area = area(app.size);
    let keys = match (&open.giving, area.width < 90) {
        (Some((Given::Value(_), _)), _) => "enter gives it, blank is null   tab next value   esc leaves it",
        (Some((Given::Sample, _)), _) => "enter takes it, blank is the last real request   esc leaves it",
        (None, true) => "tab ←→ choose  {e} value  {t} dedup  {b} back-test  {S} sample  esc",
        (None, false) => {
            "tab ← → choose   enter does it   {e} gives a value   {v} live, draft   {t} other dedup   \
             {b} back-test   {S} save as sample   esc back"
        }
    };
    let sent =
        if open.called.is_empty() { "simulated: nothing was sent" } else { "simulated, after a real call" };
    paint.boxed(area, &format!("{sent} · {}", open.flow), &app.say(keys));
    let (x, room) = (area.x + 2, area.width.saturating_sub(4));
    let (mut y, bottom) = (area.y + 1, area.bottom().saturating_sub(1));
    let all = choices(area);
    for (at, row) in Row::ALL.into_iter().enumerate() {
        let focused = row == open.choices.focused();
        if all > 1 || focused {
            line(paint, &open.choices, row, focused && open.giving.is_none(), (x, y, room));
            paint.takes(Rect::new(x, y, room, 1), Hit::Field(at));
            y += 1;
        }
    }
    let last = bottom.saturating_sub(1);
    if let Some(trouble) = &open.trouble {
        for (y, line) in (y..last).zip(wrapped(&clean(trouble), room)) {
            paint.put(x, y, room, &line, Role::Bad);
        }
    } else {
        for (text, role) in open.head.iter().take(usize::from(HEAD)) {
            paint.foreign(x, y, room, text, *role);
            y += 1;
        }
        let top = area.y + 1 + all + HEAD;
        let steps = Rect {
            x: area.x + 1,
            y: top,
            width: area.width.saturating_sub(2),
            height: last.saturating_sub(top),
        };
        open.lines.draw(paint, steps, open.giving.is_none());
    }
    if let Some((what, edit)) = &open.giving {
        let label = match what {
            Given::Value(path) => format!("{path} ="),
            Given::Sample => "a request's id, or JSON:".to_owned(),
        };
        let taken = width(&label).min(room.saturating_sub(12));
        let next = paint.foreign(x, last, taken, &label, Role::Key) + 1;
        let (text, cursor) = edit.window(room.saturating_sub(taken + 2));
        paint.foreign(next, last, room.saturating_sub(taken + 1), &text, Role::Text);
        reversed(paint, next + cursor, last);
    } else if open.asking {
        paint.put(x, last, room, "building every request…", Role::Muted);
    }
}

/// A line of choices, and what `enter` does on it.
fn line(paint: &mut Paint<'_>, choices: &Choices, row: Row, focused: bool, (x, y, room): (u16, u16, u16)) {
    if focused {
        paint.put(x.saturating_sub(1), y, 1, "▌", Role::BorderFocus);
    }
    paint.put(x, y, CHOICES, row.label(), if focused { Role::Title } else { Role::Muted });
    let right = x + room;
    let mut at = x + CHOICES;
    let mut says = choices.says(row);
    if says.iter().map(|(text, _)| width(text) + 2).sum::<u16>() > right.saturating_sub(at) + 2 {
        // Where there is no room for all of them it is the chosen one that is seen.
        says.retain(|(_, chosen)| *chosen);
    }
    for (text, chosen) in says {
        let role = match (chosen, row, choices.does) {
            (true, Row::Does, Does::Call | Does::Run) => Role::Warn,
            (true, ..) => Role::Text,
            (false, ..) => Role::Muted,
        };
        at = paint.foreign(at, y, right.saturating_sub(at), &text, role) + 2;
    }
    let enter = match (row, choices.does) {
        _ if !focused => "",
        (Row::Sample, _) => "enter: an id or JSON",
        (_, Does::Build) => "",
        (_, Does::Call | Does::Run) => "enter asks first",
    };
    if at + width(enter) <= right {
        paint.right(at, right, y, enter, Role::Muted);
    }
}
