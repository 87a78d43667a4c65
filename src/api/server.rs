//! The listening end: a unix socket that only its owner may open, bounded in connections, sizes and
//! times.

use super::serving::{Caller, Serving};
use super::{SOCKET, Tell, peer};
use crate::desk::Desk;
use hyper_util::server::graceful::GracefulShutdown;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Connections at once; more wait in the listener's own queue.
pub const CONNECTIONS: usize = 64;
/// Until the headers of a question must be there; an idle connection is closed after it too.
const HEAD: Duration = Duration::from_secs(30);
/// What a connection may finish in once the process stops.
const DRAIN: Duration = Duration::from_secs(3);
/// The most that a socket's path may have: `sun_path` holds 108 bytes with its end on Linux, 104 on
/// others.
const MAX_PATH: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// Why the socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The system bounds the length of a socket's path.
    #[error(
        "the socket {path} cannot be made: its path has {length} bytes and the system takes {MAX_PATH}; choose a shorter data folder (--data)"
    )]
    TooLong {
        /// The path.
        path: String,
        /// Its bytes.
        length: usize,
    },
    /// Another process answers on it.
    #[error("another pointsman answers on {path}: stop it, or choose another data folder (--data)")]
    Taken {
        /// The path.
        path: String,
    },
    /// Anything else.
    #[error("the socket {path} cannot be made: {error}")]
    Other {
        /// The path.
        path: String,
        /// In words.
        error: io::Error,
    },
}

/// The open socket, before anybody is answered.
pub struct Door {
    listener: UnixListener,
    path: PathBuf,
    tell: Tell,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Door {
    /// Opens the socket of a data folder, replacing one that nobody answers on.
    ///
    /// It is made under another name, closed to all but its owner and only then moved to its place,
    /// so there is no moment in which others could open it.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(folder: &Path) -> Result<Self, BindError> {
        let path = folder.join(SOCKET);
        let length = path.as_os_str().len();
        let shown = || path.display().to_string();
        if length > MAX_PATH {
            return Err(BindError::TooLong { path: shown(), length });
        }
        if std::os::unix::net::UnixStream::connect(&path).is_ok() {
            return Err(BindError::Taken { path: shown() });
        }
        let made = folder.join(".bind");
        let open = || {
            match std::fs::remove_file(&made) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = UnixListener::bind(&made)?;
            std::fs::set_permissions(&made, std::fs::Permissions::from_mode(0o600))?;
            std::fs::rename(&made, &path)?;
            Ok(listener)
        };
        match open() {
            Ok(listener) => Ok(Self { listener, path, tell: Arc::new(|_| {}) }),
            Err(error) => Err(BindError::Other { path: shown(), error }),
        }
    }

    /// Says to somebody what is worth a line: who attaches.
    #[must_use]
    pub fn telling(self, tell: Tell) -> Self {
        Self { tell, ..self }
    }

    /// Answers until `stop`, then gives what is under way three seconds and takes the socket away.
    pub async fn serve(self, desk: Desk, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        let graceful = GracefulShutdown::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accept(&self.listener, &slots) => accepted,
            };
            let Ok((stream, slot)) = accepted else {
                // Out of file handles, most likely: others may close some.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (desk, stop, tell) = (desk.clone(), stop.clone(), Arc::clone(&self.tell));
            let serving = Serving { desk, stop, caller: Caller::Peer(who(&stream)), tell };
            let driven = serving.drive(stream, HEAD, graceful.watcher());
            tokio::spawn(async move {
                driven.await;
                drop(slot);
            });
        }
        let _ = std::fs::remove_file(&self.path);
        let _ = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
    }
}

/// Opens the socket of a data folder and answers on it until `stop`.
///
/// # Errors
/// See [`BindError`].
pub async fn serve(folder: &Path, desk: Desk, stop: CancellationToken) -> Result<(), BindError> {
    Door::bind(folder)?.serve(desk, stop).await;
    Ok(())
}

async fn accept(
    listener: &UnixListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(UnixStream, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, slot))
}

fn who(stream: &UnixStream) -> String {
    stream.peer_cred().map_or_else(|_| "unknown".to_owned(), |peer| peer::name(peer.uid()))
}
