//! Signals that the console takes: the end, and the return from the shell.

use rustix::process::{Signal as Posix, getpid, getppid, getsid, kill_process};
use std::io;
use std::time::Duration;
use tokio::signal::unix::{self, SignalKind};

/// What a signal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM, SIGHUP, SIGINT from outside (`ctrl-c` is a key here): end.
    End,
    /// SIGCONT: the terminal is ours again.
    Continue,
}

/// The signals that are listened for; none in tests.
#[derive(Debug, Default)]
pub struct Signals(Option<[unix::Signal; 4]>);

impl Signals {
    /// Listens.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn listen() -> io::Result<Self> {
        Ok(Self(Some([
            unix::signal(SignalKind::terminate())?,
            unix::signal(SignalKind::hangup())?,
            unix::signal(SignalKind::interrupt())?,
            unix::signal(SignalKind::from_raw(Posix::CONT.as_raw()))?,
        ])))
    }

    /// The next one.
    pub async fn next(&mut self) -> Signal {
        let Some([term, hup, int, cont]) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = term.recv() => Signal::End,
            _ = hup.recv() => Signal::End,
            _ = int.recv() => Signal::End,
            _ = cont.recv() => Signal::Continue,
        }
    }
}

/// How long this process is waited for to stop: the signal may reach another thread first.
const STOPS: Duration = Duration::from_millis(50);

/// Whether a shell waits to take the terminal over and to give it back: one that started this process
/// in its own session. Without one the system takes no notice of a stop.
#[must_use]
pub fn has_a_shell() -> bool {
    let session = |of| getsid(of).ok();
    getppid().is_some_and(|parent| session(Some(parent)).is_some() && session(Some(parent)) == session(None))
}

/// Back to the shell, as `ctrl-z` does everywhere; the terminal must be restored by now. Returns once
/// the process goes on.
pub fn stop_this_process() {
    // Where it is refused the console just goes on.
    let _ = kill_process(getpid(), Posix::TSTP);
    std::thread::sleep(STOPS);
}
