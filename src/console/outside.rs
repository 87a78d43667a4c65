//! A text in the person's own editor, outside of this program, and the keys that are left to it
//! meanwhile.

use crossterm::event::{Event, EventStream};
use futures_util::Stream;
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

/// A file that is gone once it is not needed any more.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // It may be gone already: then there is nothing to do.
        let _ = fs::remove_file(&self.0);
    }
}

/// Opens a text in an editor that is called as a shell calls it, and waits for its end.
///
/// # Errors
/// Why there is no other text, in words.
pub async fn edit(editor: &str, folder: &Path, name: &str, text: &str) -> Result<String, String> {
    let said = |error: io::Error| format!("nothing was changed: {error}");
    let path = folder.join(format!("pointsman-{}-{name}", std::process::id()));
    // What is left of a process that ended in the middle is in the way.
    let _ = fs::remove_file(&path);
    let file = Temporary(path);
    let mut open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file.0).map_err(said)?;
    open.write_all(text.as_bytes()).map_err(said)?;
    drop(open);
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(&file.0);
    let status = command.status().await.map_err(said)?;
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
