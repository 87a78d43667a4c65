//! The themes that there are: those that ship with the program, and a person's own files.

use super::theme::{Depth, SHIPPED, Theme, ThemeError};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Most files of one's own.
pub const MOST: usize = 100;
/// Most bytes of one.
pub const MOST_BYTES: u64 = 64 << 10;

/// A theme of a person's own, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// Its file's name without `.toml`.
    pub name: String,
    /// Its file.
    pub file: String,
    /// What is in it, or why it cannot be read.
    pub text: Result<String, String>,
}

/// All of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Themes {
    /// A person's own, by name.
    pub own: Vec<Own>,
    /// What was wrong with the folders, a sentence each.
    pub told: Vec<String>,
}

impl Themes {
    /// Reads the `*.toml` of folders; of two with the same name the one in the earlier folder counts.
    /// A folder that is not there has none.
    #[must_use]
    pub fn read(folders: &[PathBuf]) -> Self {
        let mut all = Self::default();
        for folder in folders {
            match names(folder) {
                Ok(found) => all.take(folder, found),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => all.told.push(format!("{} cannot be read: {error}", folder.display())),
            }
        }
        all.own.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    fn take(&mut self, folder: &Path, found: Vec<String>) {
        for name in found {
            let path = folder.join(format!("{name}.toml"));
            if SHIPPED.iter().any(|(known, _)| *known == name) {
                let told =
                    format!("{}: a theme {name} ships with the program: rename the file", path.display());
                self.told.push(told);
            } else if self.own.len() >= MOST {
                self.told.push(format!(
                    "{}: there are over {MOST} themes, and the rest is not read",
                    folder.display()
                ));
                return;
            } else if self.own.iter().all(|own| own.name != name) {
                let file = path.display().to_string();
                self.own.push(Own { name, file, text: text(&path) });
            }
        }
    }

    /// The names in the order in which `T` shows them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        SHIPPED.iter().map(|(name, _)| *name).chain(self.own.iter().map(|own| own.name.as_str()))
    }

    /// One's own theme of a name.
    #[must_use]
    pub fn own(&self, name: &str) -> Option<&Own> {
        self.own.iter().find(|own| own.name == name)
    }

    /// A theme by its name, fitted to a depth; `mono` where there is no colour.
    ///
    /// # Errors
    /// There is none of this name, or its file does not read: with its line.
    pub fn load(&self, name: &str, depth: Depth) -> Result<Theme, ThemeError> {
        let Some(own) = self.own(name) else {
            return Theme::shipped(name, depth).map_err(|error| {
                let names: Vec<&str> = self.names().collect();
                ThemeError {
                    message: format!("there is no theme of this name: {}", names.join(", ")),
                    ..error
                }
            });
        };
        let unread =
            |message: &String| ThemeError { file: own.file.clone(), line: 0, message: message.clone() };
        let theme = Theme::read(&own.name, &own.file, own.text.as_ref().map_err(unread)?, depth)?;
        // What is wrong with it is told also where there is no colour to see it in.
        if depth == Depth::Mono { Theme::shipped("mono", depth) } else { Ok(theme) }
    }
}

/// The names of the theme files of a folder, sorted.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)?.take(10_000) {
        let path = entry?.path();
        let is_theme = path.extension().is_some_and(|extension| extension == "toml");
        if let Some(name) = path.file_stem().filter(|_| is_theme).and_then(|name| name.to_str()) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn text(path: &Path) -> Result<String, String> {
    // What is no file would hold up who reads it.
    if !fs::metadata(path).is_ok_and(|about| about.is_file()) {
        return Err("it is no file that can be read".to_owned());
    }
    let mut text = Vec::new();
    File::open(path)
        .and_then(|open| open.take(MOST_BYTES + 1).read_to_end(&mut text))
        .map_err(|error| format!("it cannot be read: {error}"))?;
    if u64::try_from(text.len()).is_ok_and(|length| length > MOST_BYTES) {
        return Err("it is over 64 KiB".to_owned());
    }
    String::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::theme::Role;
    use ratatui::style::Color;

    #[test]
    fn own_themes_are_read_and_the_earlier_folder_counts() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folders = [one.path().to_owned(), other.path().to_owned(), one.path().join("none")];
        fs::write(one.path().join("night.toml"), "[roles]\ngood = { fg = \"#00ff00\" }\n").unwrap();
        fs::write(other.path().join("night.toml"), "no toml").unwrap();
        fs::write(other.path().join("broken.toml"), "inherits = \"dark\"\n\n[roles]\ngoood = {}\n").unwrap();
        fs::write(other.path().join("notes.txt"), "").unwrap();
        fs::write(other.path().join("dark.toml"), "").unwrap();
        let themes = Themes::read(&folders);
        assert!(themes.names().eq(SHIPPED.iter().map(|(name, _)| *name).chain(["broken", "night"])));
        assert!(
            themes.told.len() == 1 && themes.told[0].contains("dark.toml: a theme dark ships"),
            "{:?}",
            themes.told
        );
        let night = themes.load("night", Depth::True).unwrap();
        assert_eq!(night.style(Role::Good).fg, Some(Color::Rgb(0, 255, 0)));
        // What it leaves out is inherited.
        assert_eq!(night.style(Role::Bad).fg, Some(Color::Red));
        assert_eq!(themes.load("night", Depth::Mono).unwrap().name, "mono");
        let error = themes.load("broken", Depth::True).unwrap_err().to_string();
        assert!(error.ends_with("broken.toml:4: there is no role \"goood\"; did you mean good?"), "{error}");
        assert!(themes.load("broken", Depth::Mono).is_err());
        let error = themes.load("nope", Depth::True).unwrap_err().to_string();
        assert!(
            error.starts_with("nope: there is no theme of this name: terminal, ")
                && error.ends_with(", night"),
            "{error}"
        );
    }

    #[test]
    fn files_and_folders_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let big = "#".repeat(usize::try_from(MOST_BYTES).unwrap());
        fs::write(folder.path().join("a-fits.toml"), &big).unwrap();
        fs::write(folder.path().join("a-over.toml"), format!("{big}#")).unwrap();
        fs::write(folder.path().join("a-raw.toml"), b"\xff\xfe").unwrap();
        fs::create_dir(folder.path().join("a-folder.toml")).unwrap();
        let themes = Themes::read(&[folder.path().to_owned()]);
        let why = |name: &str| themes.load(name, Depth::True).map(|_| ()).map_err(|error| error.message);
        assert_eq!(why("a-fits"), Ok(()));
        assert_eq!(why("a-over"), Err("it is over 64 KiB".to_owned()));
        assert_eq!(why("a-raw"), Err("it is not UTF-8".to_owned()));
        assert_eq!(why("a-folder"), Err("it is no file that can be read".to_owned()));
        for n in 0..=MOST {
            fs::write(folder.path().join(format!("b{n}.toml")), "").unwrap();
        }
        let themes = Themes::read(&[folder.path().to_owned()]);
        assert_eq!(themes.own.len(), MOST);
        assert!(themes.told.iter().any(|told| told.contains("over 100 themes")), "{:?}", themes.told);
    }
}
