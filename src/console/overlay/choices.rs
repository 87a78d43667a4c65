//! Draws what can stand at the cursor of a filter: in the line under it, the selected one in view.

use crate::console::filter::complete::{Choice, Choices};
use crate::console::paint::{Paint, clean, cut, width};
use crate::console::theme::Role;
use ratatui::layout::Rect;

/// Cells of a candidate, and of what is said of the selected one.
const TEXT: u16 = 40;
const NOTE: u16 = 30;
/// Cells between two.
const GAP: u16 = 3;

/// A candidate as it is drawn: what is written, and what is said of it.
fn cell(one: &Choice, selected: bool) -> (String, String) {
    let text = cut(&clean(one.text.trim_end()), TEXT).into_owned();
    let count = one.count.map(|(count, of)| format!("{count}/{of}"));
    let note = Some(cut(&clean(&one.note), NOTE).into_owned()).filter(|note| selected && !note.is_empty());
    (text, count.into_iter().chain(note).collect::<Vec<_>>().join(" "))
}

/// Draws it.
pub fn draw(paint: &mut Paint<'_>, area: Rect, choices: &Choices, awaits: bool) {
    if area.is_empty() {
        return;
    }
    let cells: Vec<(String, String)> =
        choices.all.iter().enumerate().map(|(at, one)| cell(one, at == choices.at)).collect();
    let wide = |(text, note): &(String, String)| {
        width(text) + GAP + if note.is_empty() { 0 } else { width(note) + 1 }
    };
    let left = if awaits {
        "asking the store…".to_owned()
    } else {
        format!("{} of {}", choices.at + 1, cells.len())
    };
    let room = area.width.saturating_sub(width(&left) + GAP + 2);
    // What stands before the selected one stays as long as both fit.
    let (mut first, mut taken) = (0, 0);
    for (at, cell) in cells.iter().enumerate().take(choices.at + 1) {
        if at > first && taken + wide(cell) > room + GAP {
            (first, taken) = (at, 0);
        }
        taken += wide(cell);
    }
    let right = area.x + 2 + room;
    let mut x = area.x + 2;
    for (at, cell) in cells.iter().enumerate().skip(first) {
        if at > first && x + wide(cell) > right + GAP {
            break;
        }
        let (text, note) = cell;
        let begin = x;
        x = paint.put(x, area.y, right.saturating_sub(x), text, Role::Text);
        if at == choices.at {
            paint.selection(Rect { x: begin, y: area.y, width: x - begin, height: 1 });
        }
        if !note.is_empty() && x + 1 < right {
            x = paint.put(x + 1, area.y, right.saturating_sub(x + 1), note, Role::Muted);
        }
        x += GAP;
    }
    paint.right(right, area.right().saturating_sub(1), area.y, &left, Role::Muted);
}
