//! How the console looks: the theme, and the folders of a person's own ones.

use super::{File, file_path, home, place, read};
use crate::cli::args::Global;
use crate::console::keymap::Keymap;
use crate::console::rebind::{self, Written, Wrong};
use crate::console::theme::Depth;
use crate::console::themes::Themes;
use crate::model::ask::Refusal;
use serde::Deserialize;
use std::path::PathBuf;

/// What the configuration says of the console.
#[derive(Debug)]
pub struct Looks {
    /// The theme to begin with, where nothing else was chosen.
    pub theme: Option<String>,
    /// The keys in force.
    pub keymap: Keymap,
    /// The themes that there are.
    pub themes: Themes,
    /// Where one's own are: beside the configuration file, and in the person's own folder.
    pub folders: Vec<PathBuf>,
}

/// The keys of an action: one, or a list.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a key in quotes or a list of them is expected, like \"ctrl-t\"")]
pub enum FileKeys {
    /// One.
    One(String),
    /// Several; none takes them all away.
    Many(Vec<String>),
}

impl File {
    /// The theme that it names.
    pub fn theme(&self) -> Option<&str> {
        self.theme.as_ref().map(|theme| theme.get_ref().as_str())
    }

    /// The keys in force.
    ///
    /// # Errors
    /// What is wrong in `[keys]`, and where.
    pub fn keymap(&self) -> Result<Keymap, Wrong> {
        let written = self.keys.iter().map(|(id, keys)| Written {
            id: id.clone(),
            keys: match keys.get_ref() {
                FileKeys::One(key) => vec![key.clone()],
                FileKeys::Many(keys) => keys.clone(),
            },
            at: keys.span().start,
        });
        rebind::keymap(&written.collect::<Vec<_>>())
    }
}

/// Reads it.
///
/// # Errors
/// The configuration file does not read.
pub fn looks(global: &Global) -> Result<Looks, Refusal> {
    let path = file_path(global)?;
    let file = read(&path, global.config.is_some())?;
    let beside = path.parent().map(|folder| folder.join("themes"));
    let own = home("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("themes"));
    let folders: Vec<PathBuf> = beside.into_iter().chain(own).collect();
    // What is wrong with them was told by reading.
    let keymap = file.keymap().unwrap_or_default();
    let theme = file.theme().map(str::to_owned);
    Ok(Looks { theme, keymap, themes: Themes::read(&folders), folders })
}

/// What is wrong with the theme that the configuration names, and with the files of one's own: a
/// sentence each, with file and line. A console tells it as it begins; this is for who has none.
///
/// # Errors
/// The configuration file does not read.
pub fn looks_troubles(global: &Global) -> Result<Vec<String>, Refusal> {
    let path = file_path(global)?;
    let file = read(&path, global.config.is_some())?;
    let themes = looks(global)?.themes;
    let mut troubles = Vec::new();
    if let Some(theme) =
        file.theme.as_ref().filter(|theme| !themes.names().any(|name| name == theme.get_ref()))
    {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let (line, column) = place(&text, theme.span().start);
        let names: Vec<&str> = themes.names().collect();
        troubles.push(format!(
            "{}:{line}:{column}: there is no theme {:?}: {}",
            path.display(),
            theme.get_ref(),
            names.join(", ")
        ));
    }
    // Read as a console with all colours would.
    let unread = themes.own.iter().filter_map(|own| themes.load(&own.name, Depth::True).err());
    troubles.extend(unread.map(|error| error.to_string()));
    troubles.extend(themes.told);
    Ok(troubles)
}

/// Where a console keeps its choices that is attached to another machine.
pub fn state_folder() -> Option<PathBuf> {
    home("XDG_STATE_HOME", ".local/state")
}
