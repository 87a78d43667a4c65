//! Fields under each other, a label and a value each, and sentences between them.

use crate::console::edit::Edit;
use crate::console::hit::Hit;
use crate::console::keymap::Keymap;
use crate::console::overlay::dialog::reversed;
use crate::console::paint::{Paint, width};
use crate::console::screen::wrapped;
use crate::console::theme::Role;
use ratatui::layout::Rect;

/// Where labels begin, and what stands beside them.
pub const LABEL: u16 = 3;
/// Cells of a label.
const NAME: u16 = 11;

/// Writes row after row.
pub struct Put<'p, 'b> {
    /// The first column.
    pub x: u16,
    /// The next row.
    pub y: u16,
    /// The column after the last.
    pub right: u16,
    /// The row after the last.
    pub bottom: u16,
    /// Fields that were put.
    pub fields: usize,
    /// Into what.
    pub paint: &'p mut Paint<'b>,
    /// What sentences name.
    pub keys: &'p Keymap,
}

impl Put<'_, '_> {
    /// Cells from a column on; none past the last row.
    #[must_use]
    pub fn room(&self, from: u16) -> u16 {
        if self.y < self.bottom { self.right.saturating_sub(from) } else { 0 }
    }

    /// A sentence with the keys in force, wrapped.
    pub fn keyed(&mut self, text: &str, role: Role) {
        self.says(&self.keys.say(text), role);
    }

    /// A sentence, wrapped.
    pub fn says(&mut self, text: &str, role: Role) {
        let x = self.x + LABEL;
        for line in wrapped(text, self.right.saturating_sub(x)) {
            let room = self.room(x);
            self.paint.foreign(x, self.y, room, &line, role);
            self.y += 1;
        }
    }

    /// A label, and where its value begins.
    pub fn label(&mut self, label: &str, focused: bool) -> u16 {
        let x = self.x + LABEL;
        let room = self.room(x);
        if focused && room > 0 {
            self.paint.put(self.x + 1, self.y, 1, "▌", Role::BorderFocus);
        }
        self.paint.put(x, self.y, room.min(NAME), label, if focused { Role::Title } else { Role::Muted });
        x + NAME
    }

    /// A label and a text, and what a key does with it at the right edge.
    pub fn told(&mut self, label: &str, text: &str, key: &str) {
        let from = self.label(label, false);
        let room = self.room(from).saturating_sub(width(key) + 2);
        self.paint.foreign(from, self.y, room, text, Role::Text);
        if self.y < self.bottom {
            self.paint.right(from, self.right, self.y, key, Role::Key);
        }
        self.y += 1;
    }

    /// A click on this row is one on the next field.
    pub fn field(&mut self) {
        if self.y < self.bottom {
            let area = Rect { x: self.x, y: self.y, width: self.right.saturating_sub(self.x), height: 1 };
            self.paint.takes(area, Hit::Field(self.fields));
        }
        self.fields += 1;
    }

    /// A label and what is typed.
    pub fn typed(&mut self, label: &str, edit: &Edit, focused: bool, empty: &str) -> u16 {
        self.field();
        let from = self.label(label, focused);
        let room = self.room(from);
        let (text, cursor) = edit.window(room);
        if text.is_empty() {
            self.paint.put(from, self.y, room, empty, Role::Muted);
        } else {
            let role = if text.contains("{{") { Role::Template } else { Role::Text };
            self.paint.foreign(from, self.y, room, &text, role);
        }
        if focused && room > 0 {
            reversed(self.paint, from + cursor.min(room - 1), self.y);
        }
        self.y += 1;
        from + cursor
    }

    /// A label and one of a list.
    pub fn chosen(&mut self, label: &str, text: &str, focused: bool) {
        self.field();
        let from = self.label(label, focused);
        let room = self.room(from);
        let next = self.paint.put(from, self.y, room, "‹ ", Role::Muted);
        let next = self.paint.foreign(next, self.y, room.saturating_sub(4), text, Role::Text);
        self.paint.put(next, self.y, room.min(2), " ›", Role::Muted);
        self.y += 1;
    }

    /// What stands under a value.
    pub fn hint(&mut self, text: &str) {
        let from = self.x + LABEL + NAME;
        for line in wrapped(text, self.right.saturating_sub(from)) {
            let room = self.room(from);
            self.paint.put(from, self.y, room, &line, Role::Muted);
            self.y += 1;
        }
    }
}
