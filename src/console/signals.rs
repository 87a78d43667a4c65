//! Signals that the console takes: the end, and the return from the shell.

use rustix::process::{Signal as Posix, getpid, kill_process};
use std::io;
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

/// Back to the shell, as `ctrl-z` does everywhere; the terminal must be restored by now.
pub fn stop_this_process() {
    // Where it is refused the console just goes on: SIGCONT's work is done by the next key.
    let _ = kill_process(getpid(), Posix::TSTP);
}
