//! What a person chose and finds again in the next session: a small file of JSON, a value a name.
//!
//! The state holds what was read at the start and what was chosen since; the file is written beside
//! the loop ([`super::aside`]), and what another console wrote into it meanwhile stays.

use super::app::App;
use super::asks::Effect;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Most bytes of the file; a longer one is taken for garbage.
pub const MOST: u64 = 4 << 20;

/// What is kept, by its names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept(Map<String, Value>);

impl Kept {
    /// Reads the file. What is not there or does not read is nothing that was kept.
    #[must_use]
    pub fn read(file: &Path) -> Self {
        let mut text = Vec::new();
        let read = File::open(file).and_then(|open| open.take(MOST + 1).read_to_end(&mut text));
        let whole = read.is_ok() && u64::try_from(text.len()).is_ok_and(|length| length <= MOST);
        let values = if whole { serde_json::from_slice(&text).ok() } else { None };
        Self(values.unwrap_or_default())
    }

    /// A value, where there is one of this name that is what is asked for.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        T::deserialize(self.0.get(name)?).ok()
    }

    /// The names under which something is kept.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Keeps a value under a name; null forgets it.
    pub fn set(&mut self, name: &str, value: Value) {
        if value.is_null() {
            self.0.remove(name);
        } else {
            self.0.insert(name.to_owned(), value);
        }
    }

    /// Writes a value into the file beside what is in it, whole or not at all.
    ///
    /// # Errors
    /// The file or its folder cannot be written, or it would be over its bound.
    pub fn write(file: &Path, name: &str, value: Value) -> io::Result<()> {
        let mut all = Self::read(file);
        all.set(name, value);
        let text = serde_json::to_vec_pretty(&all.0)?;
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > MOST {
            return Err(io::Error::other("it would be over 4 MiB"));
        }
        put_whole(file, &text)
    }
}

/// Puts a file in place whole or not at all, for its owner alone; its folder is made where there is none.
///
/// # Errors
/// The file or its folder cannot be written.
pub fn put_whole(file: &Path, text: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = PathBuf::from(format!("{}.{}", file.display(), std::process::id()));
    // What is left of a process that ended in the middle is in the way.
    let _ = fs::remove_file(&beside);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut open| open.write_all(text))
        .and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        // It may never have been there.
        let _ = fs::remove_file(&beside);
    }
    written
}

impl App {
    /// Keeps a choice under a name for the sessions after this one.
    pub fn keep(&mut self, name: impl Into<String>, value: impl Serialize) {
        // What is kept are plain values: one that is none is not worth a word.
        let Ok(value) = serde_json::to_value(value) else { return };
        let name = name.into();
        self.options.kept.set(&name, value.clone());
        self.asks.effect(Effect::Keep(name, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_kept_is_found_again_and_garbage_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/console.json");
        assert_eq!(Kept::read(&file).get::<String>("theme"), None);
        Kept::write(&file, "theme", json!("dark")).unwrap();
        Kept::write(&file, "pins", json!(["body.total"])).unwrap();
        let kept = Kept::read(&file);
        assert_eq!(kept.get::<String>("theme").as_deref(), Some("dark"));
        assert_eq!(kept.get::<Vec<String>>("pins").unwrap(), ["body.total"]);
        // Another type than is asked for is no answer.
        assert_eq!(kept.get::<u64>("theme"), None);
        Kept::write(&file, "theme", Value::Null).unwrap();
        assert_eq!(Kept::read(&file).get::<String>("theme"), None);
        for garbage in ["", "{", "[]", "\u{0}\u{1}", "{\"theme\": 3, \"theme\"}"] {
            fs::write(&file, garbage).unwrap();
            assert_eq!(Kept::read(&file), Kept::default(), "{garbage:?}");
            Kept::write(&file, "theme", json!("light")).unwrap();
            assert_eq!(Kept::read(&file).get::<String>("theme").as_deref(), Some("light"));
        }
        // Nothing else is left beside it.
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn past_its_bound_nothing_is_read_and_nothing_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("console.json");
        let fits = usize::try_from(MOST).unwrap() - 2;
        fs::write(&file, format!("{{{}}}", " ".repeat(fits))).unwrap();
        Kept::write(&file, "theme", json!("dark")).unwrap();
        assert_eq!(Kept::read(&file).get::<String>("theme").as_deref(), Some("dark"));
        assert!(Kept::write(&file, "big", json!("x".repeat(fits))).is_err());
        assert_eq!(Kept::read(&file).get::<String>("theme").as_deref(), Some("dark"));
        fs::write(&file, format!("{{\"theme\": \"dark\"{}}}", " ".repeat(fits))).unwrap();
        assert_eq!(Kept::read(&file), Kept::default());
    }
}
