//! The file of what a console keeps: read at the start, and for each change read again, changed and
//! put in place whole, so that neither a crash nor a second console loses the rest of it.

use super::{Change, Picks};
use crate::console::kept::put_whole;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Bytes of it that are read: more than a full one has.
const MOST: u64 = 1 << 20;

/// What a file has; nothing where it is not there, cannot be read, or is something else.
#[must_use]
pub fn load(path: &Path) -> Picks {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MOST).read_to_string(&mut text));
    if read.is_ok() { Picks::read(&text) } else { Picks::default() }
}

/// Changes a file.
///
/// # Errors
/// It cannot be written.
pub fn change(path: &Path, change: &Change) -> io::Result<()> {
    let mut picks = load(path);
    picks.apply(change);
    put_whole(path, picks.text().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn two_consoles_keep_what_both_changed_and_nothing_is_left_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/console.json");
        assert_eq!(load(&path), Picks::default());
        change(&path, &Change::Pin("body.a".to_owned())).unwrap();
        change(&path, &Change::Typed("x".to_owned())).unwrap();
        change(&path, &Change::Pin("body.b".to_owned())).unwrap();
        let picks = load(&path);
        assert_eq!(
            (picks.pins.as_slice(), picks.history.len()),
            (&["body.a".to_owned(), "body.b".to_owned()][..], 1)
        );
        let names: Vec<_> =
            fs::read_dir(path.parent().unwrap()).unwrap().map(|one| one.unwrap().file_name()).collect();
        assert_eq!(names, ["console.json"]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn garbage_is_written_over_and_a_folder_in_its_place_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("console.json");
        fs::write(&path, b"\xff\xfe{{{").unwrap();
        assert_eq!(load(&path), Picks::default());
        change(&path, &Change::Typed("a".to_owned())).unwrap();
        assert_eq!(load(&path).history, ["a"]);
        let other = folder.path().join("folder");
        fs::create_dir(&other).unwrap();
        assert!(change(&other, &Change::Typed("a".to_owned())).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside");
    }
}
