//! Why a store cannot be opened, read or written.

use std::fmt::Display;
use std::path::Path;

/// What is said of a disk without room.
pub(super) const FULL: &str = "the disk is full";
/// What is said of a file that cannot be written begins so.
pub(super) const READ_ONLY: &str = "the store cannot be written";

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds it.
    #[error("the store in {folder} is held by process {pid} ({what})")]
    Held {
        /// The data folder.
        folder: String,
        /// The process.
        pid: u32,
        /// Its command line.
        what: String,
    },
    /// It was written by a newer program.
    #[error("the store has schema {found}, this program knows {known}: use a newer pointsman")]
    Newer {
        /// In the file.
        found: i64,
        /// In the program.
        known: i64,
    },
    /// It was written by a build whose tables were others under the same number.
    #[error(
        "the store in {folder} was made by another build of this program, whose tables were others ({how}): \
         go on with that build, or move the folder away and begin a new one, here or with --data DIR; \
         that build's `pointsman export NAME` gives the documents to take along"
    )]
    Foreign {
        /// The data folder.
        folder: String,
        /// In what it differs first.
        how: String,
    },
    /// Anything else.
    #[error("the store in {folder} cannot be opened: {why}")]
    Other {
        /// The data folder.
        folder: String,
        /// In words.
        why: String,
    },
}

impl OpenError {
    pub(super) fn other(folder: &Path, why: &dyn Display) -> Self {
        Self::Other { folder: folder.display().to_string(), why: why.to_string() }
    }
}

/// Why a read or write failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The row changed since it was read: load again and decide again.
    #[error("the run changed meanwhile")]
    Stale,
    /// The store takes no writes now: disk full, read-only, stopping, an I/O error.
    #[error("{0}")]
    Down(String),
    /// What was asked contradicts what is there (an alias that is taken, a name that is not there);
    /// nothing was written.
    #[error("{0}")]
    Refused(String),
    /// A bug or a damaged file.
    #[error("{0}")]
    Broken(String),
}

impl StoreError {
    pub(super) fn closed() -> Self {
        Self::Down("the store is closed".to_owned())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(Code::DiskFull) => Self::Down(FULL.to_owned()),
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => {
                Self::Down("another program holds a lock on the store's file".to_owned())
            }
            Some(Code::ReadOnly | Code::PermissionDenied) => Self::Down(format!("{READ_ONLY}: {error}")),
            Some(
                Code::SystemIoFailure | Code::CannotOpen | Code::OutOfMemory | Code::OperationInterrupted,
            ) => Self::Down(format!("the store's disk fails: {error}")),
            _ => Self::Broken(format!("the store: {error}")),
        }
    }
}
