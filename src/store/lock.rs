//! The lock on a data folder: one process at a time, and the other one is told who it is.

use super::OpenError;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// A held data folder; let go when dropped, and by the system when the process dies.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A name that is left behind would accuse a process that is gone.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

/// How long a holder may take to write its name after it took the lock.
const NAMING: Duration = Duration::from_millis(200);

impl Lock {
    /// Makes the folder (0700) where there is none, and takes it.
    ///
    /// # Errors
    /// [`OpenError::Held`] names the process that has it.
    pub(super) fn take(folder: &Path) -> Result<Self, OpenError> {
        let other = |error: io::Error| OpenError::other(folder, &error);
        let made = !folder.exists();
        if made {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(other)?;
        } else if folder.join(super::schema::FILE).exists() {
            // Only a folder that is ours is closed to others: `--data /tmp` must not lock everybody out.
            let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
        }
        let path = folder.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(other)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(folder, &mut file)),
            Err(TryLockError::Error(error)) => return Err(other(error)),
        }
        let what = std::env::args().collect::<Vec<_>>().join(" ");
        let name = format!("{}\n{what}\n", std::process::id());
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)).map(|_| ()))
            .and_then(|()| file.write_all(name.as_bytes()))
            .map_err(other)?;
        Ok(Self { file })
    }
}

fn held(folder: &Path, file: &mut File) -> OpenError {
    let end = Instant::now() + NAMING;
    loop {
        let mut text = String::new();
        let _ = file
            .seek(SeekFrom::Start(0))
            .and_then(|_| Read::by_ref(file).take(8_192).read_to_string(&mut text));
        let mut lines = text.lines();
        let pid = lines.next().and_then(|line| line.trim().parse().ok());
        if pid.is_some() || Instant::now() >= end {
            return OpenError::Held {
                folder: folder.display().to_string(),
                pid: pid.unwrap_or(0),
                what: lines.next().unwrap_or("unknown").to_owned(),
            };
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_the_first_is() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("deep").join("data");
        let lock = Lock::take(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        let error = Lock::take(&folder).unwrap_err();
        let OpenError::Held { pid, what, .. } = &error else { panic!("{error}") };
        assert_eq!(*pid, std::process::id());
        assert!(!what.is_empty() && what != "unknown");
        assert!(error.to_string().contains(&std::process::id().to_string()));
        drop(lock);
        Lock::take(&folder).unwrap();
    }
}
