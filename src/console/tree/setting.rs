//! Values of variables set on the screen, and an integration removed there.

use crate::console::app::{App, Place, Screen};
use crate::console::dialog::{Dialog, Kind, Setting};
use crate::model::view::VariableView;

/// What a line of a variable is named by, before its name.
pub(super) const PATH: &str = "variable ";

impl App {
    /// The variable that the cursor is on.
    #[must_use]
    pub fn focused_variable(&self) -> Option<&VariableView> {
        if self.place() != Place::Facts {
            return None;
        }
        let name = self.tree.facts.current()?.path.strip_prefix(PATH)?;
        self.tree.integration()?.variables.iter().find(|variable| variable.name == name)
    }

    /// The dialog that sets the value under the cursor.
    ///
    /// # Errors
    /// The sentence that the key says.
    pub fn set_here(&self) -> Result<Dialog, String> {
        if let Some(reason) = self.barred(Kind::Set) {
            return Err(reason);
        }
        let (Some(one), Some(variable)) = (self.tree.integration(), self.focused_variable()) else {
            return Err("set is not possible: no value of an integration is selected".to_owned());
        };
        Ok(Dialog::setting(Setting::of(&one.name, variable)))
    }

    /// The dialog that removes the integration under the cursor.
    ///
    /// # Errors
    /// The sentence that the key says.
    pub fn removed_here(&self) -> Result<Dialog, String> {
        if let Some(reason) = self.barred(Kind::Remove) {
            return Err(reason);
        }
        let one = self.tree.integration().filter(|_| self.screen == Screen::Integrations);
        one.map(|one| Dialog::removing(one.name.clone()))
            .ok_or_else(|| "remove is not possible: there is no integration here".to_owned())
    }
}
