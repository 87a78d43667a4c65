//! Draws two texts beside each other.

use crate::console::app::App;
use crate::console::editor::texts::{Numbered, Texts};
use crate::console::format::count;
use crate::console::paint::{Paint, width};
use crate::console::theme::Role;
use crate::text::apart;
use ratatui::layout::Rect;

/// Draws them over the whole screen.
pub fn draw(app: &App, paint: &mut Paint<'_>, texts: &Texts) {
    let (columns, rows) = app.size;
    let area = Rect::new(0, 0, columns, rows);
    let differ = texts.differ();
    let title = match differ {
        0 => "nothing differs".to_owned(),
        1 => "1 line differs".to_owned(),
        many => format!("{} lines differ", count(many as u64)),
    };
    paint.boxed(area, &title, &app.say("{j} {k} move   {n} {N} next difference   esc back"));
    let half = (columns.saturating_sub(3)) / 2;
    let middle = 1 + half;
    paint.line_down(middle, 1, rows.saturating_sub(1));
    paint.put(2, 1, half.saturating_sub(2), &texts.heads.0, Role::Title);
    paint.put(middle + 2, 1, half.saturating_sub(2), &texts.heads.1, Role::Title);
    for (y, (left, right, differs)) in (2..rows.saturating_sub(1)).zip(texts.rows.iter().skip(texts.top)) {
        let sign = |side: &Numbered, sign| if *differs && side.is_some() { sign } else { " " };
        let room = (half, columns.saturating_sub(middle + 2));
        let text = |side: &Numbered| side.as_ref().map_or_else(String::new, |(_, text)| text.clone());
        let (one, other) = (text(left), text(right));
        // What differs is seen, also where the lines are longer than their half.
        let cells = (usize::from(room.0.saturating_sub(HEAD)), usize::from(room.1.saturating_sub(HEAD)));
        let (one, other) = if *differs && left.is_some() && right.is_some() {
            apart(&one, &other, cells)
        } else {
            (one.as_str().into(), other.as_str().into())
        };
        let role = if *differs { Role::Removed } else { Role::Muted };
        put(paint, (1, y), room.0, (left, &one), sign(left, "-"), role);
        let role = if *differs { Role::Added } else { Role::Muted };
        put(paint, (middle + 1, y), room.1, (right, &other), sign(right, "+"), role);
    }
}

/// Cells of a line's number and its sign.
const HEAD: u16 = 7;

fn put(
    paint: &mut Paint<'_>,
    (x, y): (u16, u16),
    cells: u16,
    (side, text): (&Numbered, &str),
    sign: &str,
    role: Role,
) {
    let Some((number, _)) = side else { return };
    let head = format!("{number:>4} {sign} ");
    let next = paint.put(x, y, cells, &head, role);
    paint.foreign(next, y, cells.saturating_sub(width(&head)), text, role);
}
