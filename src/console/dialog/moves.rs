//! From field to field of a dialog, and within one: what is chosen, where the cursor is.

use super::{Dialog, Facts, Outcome, Purpose, Typed};
use crate::console::edit::Edit;

impl Dialog {
    /// Moves to another field.
    pub fn next_field(&mut self, by: isize) {
        let count = self.fields.len();
        if count > 0 {
            let by = if by < 0 { count - 1 } else { 1 };
            self.focus = (self.focus + by) % count;
        }
    }

    /// To a field, where there is one of this place.
    pub fn go_field(&mut self, at: usize) {
        self.focus = at.min(self.fields.len().saturating_sub(1));
    }

    /// Chooses in the field that has the focus.
    pub fn choose(&mut self, choice: usize) -> Outcome {
        self.error = None;
        let Some(field) = self.fields.get_mut(self.focus) else { return Outcome::Stays };
        if self.acting || choice == field.chosen || choice >= field.choices.len() {
            return Outcome::Stays;
        }
        field.chosen = choice;
        // It is no part of what is done.
        if field.purpose == Purpose::Window {
            return Outcome::Stays;
        }
        if field.purpose == Purpose::Value {
            self.planned = Typed(field.text());
        }
        self.armed = false;
        self.facts = Facts::Asking;
        Outcome::Replan
    }

    /// Left or right: the choice, the cursor, or the button.
    pub fn sideways(&mut self, by: isize) -> Outcome {
        (self.error, self.fault) = (None, None);
        let keeps = self.keeps();
        match self.fields.get_mut(self.focus) {
            Some(field) if !field.choices.is_empty() => {
                let last = field.choices.len() - 1;
                let chosen = field.chosen.saturating_add_signed(by).min(last);
                self.choose(chosen)
            }
            Some(field) if !(keeps && (by > 0 && field.edit.at_end() || self.sure)) => {
                field.edit.go(by);
                Outcome::Stays
            }
            _ => {
                self.sure = keeps && by > 0;
                Outcome::Stays
            }
        }
    }

    /// The text field that has the focus.
    pub fn edit(&mut self) -> Option<&mut Edit> {
        if self.acting {
            return None;
        }
        (self.error, self.fault) = (None, None);
        let field = self.fields.get_mut(self.focus)?;
        field.takes_text().then_some(&mut field.edit)
    }
}
