//! A copy of the store in one file, taken while it is in use.

use super::schema;
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// Bytes of the copy.
    pub bytes: u64,
    /// Requests in it.
    pub requests: u64,
    /// Runs in it.
    pub runs: u64,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Nothing to copy.
    #[error("there is no store in {}: give --data the folder that has one", .0.display())]
    NoStore(PathBuf),
    /// A copy never takes the place of something.
    #[error("{} is there already: name a new file, or remove it", .0.display())]
    Exists(PathBuf),
    /// The copy is not what was copied.
    #[error("the copy is damaged and was removed: {0}")]
    Damaged(String),
    /// The disk.
    #[error("{}: {}", .0.display(), .1)]
    File(PathBuf, std::io::Error),
    /// The store, or a disk that is full.
    #[error("the store cannot be copied: {0}")]
    Store(#[from] rusqlite::Error),
}

/// Copies the store of a data folder into a new file (0600), as of one moment: everything that was
/// acknowledged before it is in it. A running server goes on; its write-ahead log grows until the
/// copy is there. The file appears under its name only once it is whole, checked and on disk.
///
/// # Errors
/// See [`BackupError`]; nothing is left behind.
pub fn backup(folder: &Path, to: &Path) -> Result<Backup, BackupError> {
    let from = folder.join(schema::FILE);
    if !from.exists() {
        return Err(BackupError::NoStore(folder.to_path_buf()));
    }
    if to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(to.to_path_buf()));
    }
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    // A link and not a rename: who made the file meanwhile keeps it.
    let copied = copy(&from, &part).and_then(|backup| match fs::hard_link(&part, to) {
        Ok(()) => Ok(backup),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(BackupError::Exists(to.to_path_buf()))
        }
        Err(error) => Err(BackupError::File(to.to_path_buf(), error)),
    });
    let _ = fs::remove_file(&part);
    copied
}

fn copy(from: &Path, part: &Path) -> Result<Backup, BackupError> {
    let file = |error| BackupError::File(part.to_path_buf(), error);
    // What an earlier copy that was cut off left behind is nobody's.
    let _ = fs::remove_file(part);
    // SQLite writes into an empty file that is there, and so keeps its mode.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(part).map_err(file)?;
    let source = Connection::open_with_flags(
        from,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    source.busy_timeout(schema::BUSY)?;
    source.execute("VACUUM INTO ?1", [part.to_string_lossy()])?;
    drop(source);
    let copy = Connection::open_with_flags(part, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let verdict: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(BackupError::Damaged(verdict));
    }
    let count = |table: &str| -> Result<u64, BackupError> {
        let count: i64 = copy.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    };
    let (requests, runs) = (count("request")?, count("run")?);
    drop(copy);
    let written = File::open(part).map_err(file)?;
    written.sync_all().map_err(file)?;
    let bytes = written.metadata().map_err(file)?.len();
    Ok(Backup { bytes, requests, runs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn store(folder: &Path) -> Connection {
        schema::open_writer(&folder.join(schema::FILE)).unwrap()
    }

    #[test]
    fn a_copy_has_what_was_committed_though_the_store_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let writer = store(folder.path());
        schema::set(&writer, "told", "yes").unwrap();
        let to = folder.path().join("copy.db");
        let backup = backup(folder.path(), &to).unwrap();
        assert_eq!((backup.requests, backup.runs), (0, 0));
        assert_eq!(backup.bytes, fs::metadata(&to).unwrap().len());
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
        let copy = Connection::open(&to).unwrap();
        assert_eq!(schema::text(&copy, "told").unwrap().as_deref(), Some("yes"));
        assert_eq!(schema::number(&copy, "schema").unwrap(), Some(schema::KNOWN));
        assert!(!folder.path().join("copy.db.part").exists());
    }

    #[test]
    fn a_copy_takes_nobodys_place_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("copy.db");
        assert!(matches!(backup(folder.path(), &to), Err(BackupError::NoStore(_))));
        let _writer = store(folder.path());
        fs::write(&to, "mine").unwrap();
        assert!(matches!(backup(folder.path(), &to), Err(BackupError::Exists(_))));
        assert_eq!(fs::read(&to).unwrap(), b"mine");
        let nowhere = folder.path().join("no/such/folder/copy.db");
        assert!(matches!(backup(folder.path(), &nowhere), Err(BackupError::File(..))));
        let left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
            .filter(|name| name.contains("part"))
            .collect();
        assert_eq!(left, Vec::<String>::new());
    }
}
