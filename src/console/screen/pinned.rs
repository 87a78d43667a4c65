//! Columns of pinned paths, and the same before what Live says of a request.

use crate::console::app::App;
use crate::console::facets::pins::name_of;
use crate::console::list::List;
use crate::console::paint::{Paint, clean, width};
use crate::console::rows::RequestRow;
use crate::console::theme::Role;

/// The least and the most cells of a column.
pub const CELLS: (u16, u16) = (8, 24);

/// Cells that what follows pinned values has at least.
pub const LEFT: u16 = 8;

/// How wide the column of each pinned path is, by what is in it.
#[must_use]
pub fn widths(app: &App, list: &List<RequestRow>) -> Vec<u16> {
    let wide = |path: &String| {
        let values = list.rows.iter().filter_map(|row| row.view.pinned.get(path)?.as_deref());
        values.map(cells).max().unwrap_or(0).clamp(CELLS.0, CELLS.1)
    };
    app.picks.pins.iter().map(wide).collect()
}

/// Draws the value of a pinned path in a row.
pub fn value(app: &App, paint: &mut Paint<'_>, at: usize, row: &RequestRow, (x, y, cells): (u16, u16, u16)) {
    let Some(path) = app.picks.pins.get(at) else { return };
    match row.view.pinned.get(path) {
        Some(Some(text)) if is_number(text) => {
            paint.right(x, x + cells, y, text, Role::JsonNumber);
        }
        Some(Some(text)) => {
            paint.foreign(x, y, cells, text, Role::JsonString);
        }
        Some(None) => {
            paint.put(x, y, cells, "–", Role::Muted);
        }
        // It is on its way.
        None => {}
    }
}

/// Cells of a value; most are plain.
fn cells(text: &str) -> u16 {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return u16::try_from(text.len()).unwrap_or(u16::MAX);
    }
    width(&clean(text))
}

fn is_number(text: &str) -> bool {
    crate::model::decimal::Decimal::parse(text).is_some()
}

/// The pinned values of a row in a line, with what parts them from what follows.
#[must_use]
pub fn before(app: &App, row: &RequestRow) -> String {
    let mut text = String::new();
    for path in &app.picks.pins {
        if let Some(Some(value)) = row.view.pinned.get(path) {
            text.push_str(value);
            text.push_str(" · ");
        }
    }
    text
}

/// What the columns are called, for the title of the list.
#[must_use]
pub fn names(app: &App) -> Option<String> {
    let names: Vec<String> = app.picks.pins.iter().map(|path| name_of(path)).collect();
    (!names.is_empty()).then(|| format!("pinned {}", names.join(", ")))
}
