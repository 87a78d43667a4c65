//! An object of a document as a form: its fields, what is wrong with them under them, and beside them
//! what they do.

use crate::console::editor::Editor;
use crate::console::editor::form::Field;
use crate::console::keymap::Keymap;
use crate::console::overlay::dialog::reversed;
use crate::console::paint::Paint;
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use ratatui::layout::Rect;

/// Cells of the keys' names.
const NAME: u16 = 20;
/// From so many cells what a field does stands beside the fields.
const BESIDE: u16 = 100;

/// A row of the form.
enum Row {
    Field(usize),
    Told(String, bool),
}

/// Draws it.
pub fn draw(paint: &mut Paint<'_>, body: Rect, editor: &Editor, keys: &Keymap) {
    let Some(form) = &editor.form else { return };
    let (_, fields, objects) = editor.fields();
    let beside = body.width >= BESIDE;
    let left = if beside { body.width * 3 / 5 } else { body.width };
    let under = u16::from(!beside && body.height > 6);
    let height = usize::from(body.height - under);
    let rows = rows(editor, &fields, left);
    let selected = rows.iter().position(|row| matches!(row, Row::Field(at) if *at == form.at)).unwrap_or(0);
    let top = (selected + 2).saturating_sub(height);
    let mut cursor = None;
    for (y, row) in (body.y..body.bottom() - under).zip(rows.iter().skip(top)) {
        match row {
            Row::Told(text, stops) => {
                let role = if *stops { Role::Bad } else { Role::Warn };
                paint.put(body.x + NAME + 1, y, left.saturating_sub(NAME + 2), text, role);
            }
            Row::Field(at) => {
                let Some(shown) = fields.get(*at) else { continue };
                let choices = shown.choices(&objects, editor.connections());
                let area = Rect { y, width: left, height: 1, ..body };
                let at = field(paint, area, editor, shown, (*at == form.at, &choices));
                cursor = at.map(|x| (x, y)).or(cursor);
            }
        }
    }
    if let Some(shown) = fields.get(form.at) {
        let choices = shown.choices(&objects, editor.connections());
        help(paint, body, (shown, &choices, keys), beside.then_some(left));
    }
    if let (Some((x, y)), Some(list)) = (cursor, editor.completion.as_ref().filter(|_| editor.typing)) {
        let typed = u16::try_from(list.typed).unwrap_or(0);
        super::editor::completion(paint, body, (x.saturating_sub(typed), y), list);
    }
}

/// What a field does: beside the fields from a column on, else in the last line.
fn help(
    paint: &mut Paint<'_>,
    body: Rect,
    (shown, choices, keys): (&Field, &[String], &Keymap),
    beside: Option<u16>,
) {
    let mut told = vec![format!("{}: {}", shown.key.name, shown.key.help)];
    if shown.long {
        told.push(keys.say("Its value goes over lines: {v} edits it in the source."));
    } else if !choices.is_empty() {
        told.push(format!("{} choose: {}", keys.say("{h} {l}"), choices.join(", ")));
    }
    let Some(left) = beside else {
        let text = told.join(" · ");
        paint.put(body.x + 1, body.bottom() - 1, body.width.saturating_sub(2), &text, Role::Info);
        return;
    };
    let x = body.x + left;
    paint.line_down(x, body.y, body.bottom());
    let room = body.right().saturating_sub(x + 3);
    let lines = told.iter().flat_map(|text| wrapped(text, room));
    for (y, line) in (body.y..body.bottom()).zip(lines) {
        paint.put(x + 2, y, room, &line, Role::Info);
    }
}

/// The fields, and what is wrong with each under it.
fn rows(editor: &Editor, fields: &[Field], cells: u16) -> Vec<Row> {
    let mut rows = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        rows.push(Row::Field(at));
        let Some(line) = field.line else { continue };
        for problem in editor.problems.iter().filter(|problem| problem.line == line + 1) {
            let stops = !problem.warning;
            let text =
                format!("{} {}", if stops { "✗" } else { "warning:" }, crate::text::clean(&problem.message));
            let parts = wrapped(&text, cells.saturating_sub(NAME + 3));
            rows.extend(parts.into_iter().take(3).map(|part| Row::Told(part, stops)));
        }
    }
    rows
}

/// Draws a field; the column of the cursor where it is typed into.
fn field(
    paint: &mut Paint<'_>,
    area: Rect,
    editor: &Editor,
    field: &Field,
    (selected, choices): (bool, &[String]),
) -> Option<u16> {
    let (x, y) = (area.x, area.y);
    paint.row(x, y, area.right(), selected);
    if selected {
        paint.put(x, y, 1, "▌", Role::BorderFocus);
    }
    let name = if selected {
        Role::Title
    } else if field.line.is_some() {
        Role::Text
    } else {
        Role::Muted
    };
    paint.put(x + 2, y, NAME - 2, field.key.name, name);
    let from = x + NAME + 1;
    let room = area.right().saturating_sub(from + 1);
    let edit = editor.form.as_ref().filter(|_| selected).and_then(|form| form.edit.as_ref());
    if let Some(edit) = edit {
        let (text, cursor) = edit.window(room);
        paint.foreign(from, y, room, &text, Role::Text);
        reversed(paint, from + cursor, y);
        return Some(from + cursor);
    }
    if !choices.is_empty() {
        let value = if field.value.is_empty() { " " } else { field.value.as_str() };
        let known = choices.contains(&field.value) || field.value.is_empty();
        let next = paint.put(from, y, room, "‹ ", Role::Muted);
        let next =
            paint.foreign(next, y, room.saturating_sub(4), value, if known { Role::Text } else { Role::Bad });
        paint.put(next, y, 2, " ›", Role::Muted);
        return None;
    }
    let text = if field.long { format!("{} …", field.value) } else { field.value.clone() };
    let role = if text.contains("{{") { Role::Template } else { Role::Text };
    paint.foreign(from, y, room, &text, if field.long { Role::Muted } else { role });
    None
}
