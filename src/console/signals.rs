//! Signals that the console takes: the end, and the return from the shell.

use rustix::process::{Signal as Posix, getpid, kill_process};
use std::io::{self, Write as _};
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
/// in its own session. Without one the system takes no notice of a stop. Where that cannot be told (no
/// `/proc`) it is tried.
#[must_use]
pub fn has_a_shell() -> bool {
    let known = Kin::of("self").and_then(|own| Some((own, Kin::of(&own.parent.to_string())?)));
    known.is_none_or(|(own, parent)| own.session == parent.session)
}

/// Where a process comes from, in the numbers of the `/proc` that is mounted. Not `getsid`: it answers
/// 0 where the leader is outside of a container, which the bindings hold to be impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kin {
    parent: u32,
    session: u32,
}

impl Kin {
    /// Of a process's number, or of `self`; nothing where it is not to be seen.
    fn of(process: &str) -> Option<Self> {
        Self::read(&String::from_utf8_lossy(&std::fs::read(format!("/proc/{process}/stat")).ok()?))
    }

    /// As the system writes it: number, name in brackets (any letters at all), state, parent, group,
    /// session (`proc_pid_stat(5)`).
    fn read(stat: &str) -> Option<Self> {
        let mut after = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(1);
        let parent = after.next()?.parse().ok()?;
        Some(Self { parent, session: after.nth(1)?.parse().ok()? })
    }
}

/// Tells the shell that the receiver stops with its console, while that is shown: senders wait.
pub fn tell_that_it_stands_still(address: &str) {
    let told = format!(
        "The receiver on {address} stands still too: senders wait until fg. \
         pointsman serve receives without a console; pointsman attach looks on."
    );
    // Nobody may be there to be told.
    let _ = writeln!(io::stderr(), "{told}");
}

/// Back to the shell, as `ctrl-z` does everywhere; the terminal must be restored by now. Returns once
/// the process goes on.
pub fn stop_this_process() {
    // Where it is refused the console just goes on.
    let _ = kill_process(getpid(), Posix::TSTP);
    std::thread::sleep(STOPS);
}

#[cfg(test)]
mod tests {
    use super::Kin;

    #[test]
    fn a_name_may_hold_brackets_and_blanks_and_a_leader_may_be_outside() {
        let kin = |parent, session| Some(Kin { parent, session });
        assert_eq!(Kin::read("12 (bash) S 9 12 7 34816 12 4194304"), kin(9, 7));
        assert_eq!(Kin::read("12 (a) S 1 (b 2) R 3 12 5 0 -1"), kin(3, 5));
        assert_eq!(Kin::read("2 (it) S 1 2 0 0 -1 4194304"), kin(1, 0));
        assert_eq!(Kin::read("12 (bash) S 9"), None);
        assert_eq!(Kin::read(""), None);
    }

    #[test]
    fn this_process_is_seen_as_the_system_says_it_is() {
        let own = Kin::of("self").unwrap();
        assert_eq!(own.parent, std::os::unix::process::parent_id());
        assert_eq!(Kin::of("0"), None);
    }
}
