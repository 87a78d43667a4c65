//! A text in the person's own editor, outside of this program, and the keys that are left to it
//! meanwhile.

use super::facets::write::Unwritten;
use crossterm::event::{Event, EventStream};
use futures_util::Stream;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::process::Command;

/// Bytes of a text that is read back.
const MOST: u64 = 1 << 20;

/// The keys of the terminal. While another program has it none are read here: whoever waits for a key
/// takes it from the other.
#[derive(Clone)]
pub struct Keys(Arc<Mutex<Option<EventStream>>>);

impl Default for Keys {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some(EventStream::new()))))
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// Leaves them to another program, or takes them again.
    pub fn listen(&self, listens: bool) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *held = listens.then(EventStream::new);
    }
}

impl Stream for Keys {
    type Item = io::Result<Event>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(stream) => Pin::new(stream).poll_next(context),
            None => Poll::Pending,
        }
    }
}

/// Reads a file of this machine, of at most 1 MiB; `~/` is the home folder. Its path, and its text.
///
/// # Errors
/// Why there is no text, in words.
pub async fn read(path: &str, home: Option<&OsStr>) -> (String, Result<String, String>) {
    let full = match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    };
    let shown = full.display().to_string();
    let said = |error: &dyn std::fmt::Display| format!("{shown} cannot be read: {error}");
    let text = match tokio::fs::metadata(&full).await {
        // A pipe would be waited for.
        Ok(about) if !about.is_file() => Err(said(&"it is no file")),
        Ok(about) if about.len() > MOST => Err(said(&"it is over 1 MiB")),
        Ok(_) => match tokio::fs::read(&full).await {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| said(&"it is not UTF-8")),
            Err(error) => Err(said(&error)),
        },
        Err(error) => Err(said(&error)),
    };
    (shown, text)
}

/// A file that is gone once it is not needed any more.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // It may be gone already: then there is nothing to do.
        let _ = fs::remove_file(&self.0);
    }
}

/// A text in a file of its own.
fn temporary(folder: &Path, name: &str, text: &str) -> io::Result<Temporary> {
    let path = folder.join(format!("pointsman-{}-{name}", std::process::id()));
    // What is left of a process that ended in the middle is in the way.
    let _ = fs::remove_file(&path);
    let file = Temporary(path);
    let mut open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file.0)?;
    open.write_all(text.as_bytes())?;
    Ok(file)
}

/// Calls a program on a file as a shell calls it, and waits for its end.
async fn run(program: &str, file: &Temporary) -> io::Result<std::process::ExitStatus> {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{program} \"$1\"")).arg("sh").arg(&file.0);
    command.status().await
}

/// Shows a text in a pager that is called as a shell calls it, and waits for its end.
///
/// # Errors
/// Why it was not shown, in words.
pub async fn show(pager: &str, folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let said = |error: io::Error| format!("nothing was shown: {error}");
    let file = temporary(folder, name, text).map_err(said)?;
    match run(pager, &file).await.map_err(said)? {
        status if status.success() => Ok(()),
        status => Err(format!("nothing was shown: {pager} ended with {status}; $PAGER names another")),
    }
}

/// Writes a file for its person alone; the whole path, and how many bytes. `~/` is their home. One that
/// is there is written over where that is wanted: whole, or not at all.
///
/// # Errors
/// There is one already; it cannot be written.
pub fn write(name: &str, bytes: &[u8], over: bool) -> Result<(String, u64), Unwritten> {
    let failed = |error: io::Error| Unwritten::Failed(format!("nothing was written: {error}"));
    let path = match name.strip_prefix("~/").zip(std::env::var_os("HOME")) {
        Some((rest, home)) => PathBuf::from(home).join(rest),
        None => PathBuf::from(name),
    };
    let path = std::path::absolute(path).map_err(failed)?;
    let new = |path: &Path| -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        if written.is_err() {
            // A part of it is worse than none.
            let _ = fs::remove_file(path);
        }
        written
    };
    let told = Ok((path.display().to_string(), bytes.len() as u64));
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            new(&path).map_err(failed)?;
            return told;
        }
        Err(error) => return Err(failed(error)),
        Ok(there) if !there.is_file() => {
            return Err(Unwritten::Failed(format!("nothing was written: {} is no file", path.display())));
        }
        Ok(there) if !over => return Err(Unwritten::There(there.len())),
        Ok(_) => {}
    }
    let mut beside = path.clone().into_os_string();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    // What is left of a process that ended in the middle is in the way.
    let _ = fs::remove_file(&beside);
    new(&beside).map_err(failed)?;
    fs::rename(&beside, &path).map_err(|error| {
        let _ = fs::remove_file(&beside);
        failed(error)
    })?;
    told
}

/// Opens a text in an editor that is called as a shell calls it, and waits for its end.
///
/// # Errors
/// Why there is no other text, in words.
pub async fn edit(editor: &str, folder: &Path, name: &str, text: &str) -> Result<String, String> {
    let said = |error: io::Error| format!("nothing was changed: {error}");
    let file = temporary(folder, name, text).map_err(said)?;
    let status = run(editor, &file).await.map_err(said)?;
    if !status.success() {
        return Err(format!("nothing was changed: {editor} ended with {status}"));
    }
    if fs::metadata(&file.0).map_err(said)?.len() > MOST {
        return Err("nothing was changed: the text is over 1 MiB".to_owned());
    }
    fs::read_to_string(&file.0).map_err(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pager_gets_the_text_and_says_where_it_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("seen");
        let pager = format!("cp \"$1\" {} ; :", into.display());
        show(&pager, folder.path(), "a.txt", "hello\n").await.unwrap();
        assert_eq!(fs::read_to_string(&into).unwrap(), "hello\n");
        let said = show("no-such-pager", folder.path(), "a.txt", "x").await.unwrap_err();
        assert!(said.starts_with("nothing was shown: no-such-pager ended with"), "{said}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left");
    }

    #[test]
    fn a_file_is_written_whole_for_its_person_alone_and_over_another_only_when_told() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b.bin");
        let name = path.to_str().unwrap();
        let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
        assert_eq!(write(name, &bytes, false), Ok((name.to_owned(), 70_000)));
        assert_eq!(fs::read(&path).unwrap(), bytes);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(write(name, b"x", false), Err(Unwritten::There(70_000)));
        assert_eq!(fs::read(&path).unwrap(), bytes, "it is as it was");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(write(name, b"x", true), Ok((name.to_owned(), 1)));
        assert_eq!(fs::read(&path).unwrap(), b"x");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for wrong in [folder.path().to_str().unwrap(), "/no/such/folder/x", "/dev/null", ""] {
            assert!(matches!(write(wrong, b"x", true), Err(Unwritten::Failed(_))), "{wrong}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside");
    }

    #[tokio::test]
    async fn a_text_comes_back_changed_and_the_file_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let edited = async |editor: &str| edit(editor, folder.path(), "acme.toml", "url = \"a\"\n").await;
        assert_eq!(edited("sed -i s/a/b/").await.unwrap(), "url = \"b\"\n");
        assert!(edited("false").await.unwrap_err().starts_with("nothing was changed: false ended with"));
        assert!(edited("truncate -s 2M").await.unwrap_err().contains("over 1 MiB"));
        assert!(edited("no-such-editor").await.is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
