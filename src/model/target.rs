//! Whom a step sends to, and what is known of those that do not answer.

use super::Ms;
use serde::{Deserialize, Serialize};

/// A target: host and port, whatever the scheme.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// In lower case; of IPv6 in brackets.
    pub host: String,
    /// Also where it is the scheme's own.
    pub port: u16,
    /// Some of its name comes from a secret variable: it is shown to nobody.
    pub secret: bool,
}

/// Bits of a target's tag.
pub const TAG_BITS: u32 = 20;

impl Target {
    /// As people see it: `hooks.chat.example`, with a port that is not the web's.
    #[must_use]
    pub fn shown(&self) -> String {
        match (self.secret, self.port) {
            (true, _) => "•••".to_owned(),
            (_, 80 | 443) => self.host.clone(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }

    /// A short name in numbers, the same in every process. Two targets may share one (one pair in a
    /// million): it finds the runs that wait for a target, and decides nothing.
    #[must_use]
    pub fn tag(&self) -> u32 {
        // FNV-1a.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in self.host.bytes().chain(self.port.to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let folded = (hash >> 40) ^ (hash >> 20) ^ hash;
        u32::try_from(folded & ((1 << TAG_BITS) - 1)).unwrap_or(0)
    }
}

/// Host and port of a URL that was sent to, as it is shown; `?` where it is no URL.
#[must_use]
pub fn host(url: &str) -> String {
    let Ok(url) = url::Url::parse(url) else { return "?".to_owned() };
    let host = url.host_str().unwrap_or("?");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A target that is not sent to for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerView {
    /// The target's host; `•••` where a secret variable gives it.
    pub host: String,
    /// The target's port; 0 where it is not shown.
    pub port: u16,
    /// Host and port as people see them.
    pub target: String,
    /// Since when nothing is sent, in ms since 1970.
    pub since: Ms,
    /// Failures in a row.
    pub failures: u32,
    /// When one exchange may try; `None` while one does.
    pub next: Option<Ms>,
    /// Runs that wait for it.
    #[serde(default)]
    pub waiting: u64,
    /// The target's tag.
    #[serde(skip)]
    pub tag: u32,
}

impl BreakerView {
    /// What it comes to in a sentence; `clock` shows a time.
    #[must_use]
    pub fn words(&self, clock: impl Fn(Ms) -> String) -> String {
        format!("{}: {}, {}", self.refused(), self.waits(), self.tries(clock))
    }

    /// `18 runs wait`.
    #[must_use]
    pub fn waits(&self) -> String {
        match self.waiting {
            0 => "no run waits".to_owned(),
            1 => "1 run waits".to_owned(),
            n => format!("{} runs wait", crate::text::count(n)),
        }
    }

    /// `hooks.chat.example refused 10 times in a row`.
    #[must_use]
    pub fn refused(&self) -> String {
        format!("{} refused {} times in a row", self.target, crate::text::count(u64::from(self.failures)))
    }

    /// `one tries at 14:32:13`.
    #[must_use]
    pub fn tries(&self, clock: impl Fn(Ms) -> String) -> String {
        self.next.map_or_else(|| "one tries now".to_owned(), |at| format!("one tries at {}", clock(at)))
    }
}

/// Targets and their breakers, in figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Breakers {
    /// Those that are not sent to, those for which most runs wait first; at most
    /// [`Breakers::SHOWN`] of them.
    pub open: Vec<BreakerView>,
    /// Targets that were sent to of late and are sent to.
    pub closed: u64,
    /// Targets that are not sent to, but for those that one exchange tries.
    pub waiting: u64,
    /// Targets that one exchange tries.
    pub probing: u64,
    /// How often one was no longer sent to, since the start.
    pub openings: u64,
}

impl Breakers {
    /// Open ones that are listed.
    pub const SHOWN: usize = 16;

    /// How many are open.
    #[must_use]
    pub fn opened(&self) -> u64 {
        self.waiting + self.probing
    }
}

/// A breaker opened, or closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerEvent {
    /// The number of the event, from 1.
    pub seq: u64,
    /// When.
    pub at: Ms,
    /// Whose, and how it stands: `failures` is the row that opened it, `since` when that was.
    pub breaker: BreakerView,
    /// It opened; else it closed.
    pub opened: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: &str, port: u16) -> Target {
        Target { host: host.to_owned(), port, secret: false }
    }

    #[test]
    fn a_url_is_told_by_host_and_port() {
        assert_eq!(host("http://127.0.0.1:9000/a?b"), "127.0.0.1:9000");
        assert_eq!(host("https://api.example/x"), "api.example");
        assert_eq!(host("nonsense"), "?");
    }

    #[test]
    fn a_target_shows_its_port_where_that_says_something() {
        assert_eq!(target("a.example", 443).shown(), "a.example");
        assert_eq!(target("a.example", 8443).shown(), "a.example:8443");
        assert_eq!(Target { secret: true, ..target("a.example", 443) }.shown(), "•••");
    }

    #[test]
    fn a_tag_is_the_same_in_every_process_and_tells_targets_apart() {
        assert_eq!(target("hooks.chat.example", 443).tag(), target("hooks.chat.example", 443).tag());
        let mut tags: Vec<u32> = (0..100_u16).map(|port| target("127.0.0.1", 9_000 + port).tag()).collect();
        assert!(tags.iter().all(|tag| *tag < 1 << TAG_BITS));
        tags.sort_unstable();
        tags.dedup();
        assert!(tags.len() > 97, "{}", tags.len());
    }

    #[test]
    fn a_breaker_is_told_in_a_sentence() {
        let mut view = BreakerView {
            host: "hooks.chat.example".to_owned(),
            port: 443,
            target: "hooks.chat.example".to_owned(),
            since: 1,
            failures: 10,
            next: Some(7),
            waiting: 18,
            tag: 0,
        };
        let clock = |at: Ms| format!("14:32:{at:02}");
        assert_eq!(
            view.words(clock),
            "hooks.chat.example refused 10 times in a row: 18 runs wait, one tries at 14:32:07"
        );
        view.next = None;
        view.waiting = 1;
        assert_eq!(
            view.words(clock),
            "hooks.chat.example refused 10 times in a row: 1 run waits, one tries now"
        );
    }
}
