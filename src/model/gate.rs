//! What stands before a flow: who may send to it and how often, what of its requests is never
//! shown, how many of its runs go on at once, and whether it is paused.

use super::Ms;
use super::path::Path;
pub use super::rate::RateLimit;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The gates that a webhook trigger names; left out, there is none of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gates {
    /// Networks that may send; empty: all of them.
    pub allow_from: Vec<IpNet>,
    /// How many authenticated requests are taken in a time.
    pub rate_limit: Option<RateLimit>,
    /// Paths whose values are shown as `•••` and kept for templates.
    pub mask: Vec<Path>,
    /// Runs of the flow at once: 0 has no limit of its own, 1 goes in order of arrival.
    pub concurrency: u32,
}

/// The cause of what a pause refused. Senders are not told.
pub const PAUSED: &str = "paused";

/// A pause of an integration or a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// When it began.
    pub since: Ms,
    /// When it ends by itself.
    pub until: Option<Ms>,
    /// Requests are taken and their runs held; else requests are answered 503.
    pub hold: bool,
}

impl Pause {
    /// Whether it is in force.
    #[must_use]
    pub fn active(&self, now: Ms) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// What the pauses of a flow and of its integration come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pausing {
    /// None is in force.
    Open,
    /// Requests are taken, no run starts.
    Held,
    /// Requests are answered 503; the end, where it is known.
    Refusing(Option<Ms>),
}

impl Pausing {
    /// What pauses come to at a time: one that refuses is stronger than one that holds.
    #[must_use]
    pub fn of(pauses: &[Pause], now: Ms) -> Self {
        let mut all = Self::Open;
        for pause in pauses.iter().filter(|pause| pause.active(now)) {
            all = match (all, pause.hold) {
                (Self::Open | Self::Held, true) => Self::Held,
                (refusing @ Self::Refusing(_), true) => refusing,
                (Self::Open | Self::Held, false) => Self::Refusing(pause.until),
                // The later end counts; one without an end is the latest.
                (Self::Refusing(end), false) => {
                    Self::Refusing(end.zip(pause.until).map(|(one, other)| one.max(other)))
                }
            };
        }
        all
    }
}

/// An order to pause or resume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseOrder {
    /// `NAME` or `NAME/FLOW`.
    pub target: String,
    /// Which of both.
    pub act: PauseAct,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// Only says what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// Pausing or resuming.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseAct {
    /// From now on.
    Pause {
        /// Goes on taking requests and holds their runs.
        #[serde(default)]
        hold: bool,
        /// Ends by itself after this time.
        #[serde(default)]
        lasts: Option<Ms>,
    },
    /// The end of it.
    Resume,
}

/// A pause that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseView {
    /// When it began.
    pub since: String,
    /// When it ends by itself.
    pub until: Option<String>,
    /// Requests are taken and their runs held; else requests are answered 503.
    pub hold: bool,
}

impl PauseView {
    /// `paused` or `held`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        if self.hold { "held" } else { "paused" }
    }

    /// The same, and until when.
    #[must_use]
    pub fn words(&self) -> String {
        let word = self.word();
        match self.until.as_deref() {
            Some(until) => {
                format!("{word} until {}", until.get(..19).unwrap_or(until).replace('T', " "))
            }
            None => word.to_owned(),
        }
    }
}

/// How the public listener is reached (settings).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inbound {
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Serves HTTPS.
    pub tls: Option<TlsFiles>,
    /// Serves `/metrics` to those who reach it.
    pub metrics_listen: Option<SocketAddr>,
    /// Serves the operators' API to those who have a token.
    pub operator_listen: Option<SocketAddr>,
}

/// The files of `--tls-cert` and `--tls-key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and what it was signed by, PEM.
    pub cert: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(until: Option<Ms>, hold: bool) -> Pause {
        Pause { since: 0, until, hold }
    }

    #[test]
    fn a_pause_ends_by_itself_at_its_end() {
        assert!(pause(None, true).active(Ms::MAX));
        assert!(pause(Some(10), true).active(9));
        assert!(!pause(Some(10), true).active(10));
    }

    #[test]
    fn refusing_is_stronger_than_holding_and_the_later_end_counts() {
        let of = |pauses: &[Pause]| Pausing::of(pauses, 5);
        assert_eq!(of(&[]), Pausing::Open);
        assert_eq!(of(&[pause(Some(5), false)]), Pausing::Open);
        assert_eq!(of(&[pause(None, true)]), Pausing::Held);
        for order in [[pause(None, true), pause(Some(9), false)], [pause(Some(9), false), pause(None, true)]]
        {
            assert_eq!(of(&order), Pausing::Refusing(Some(9)));
        }
        assert_eq!(of(&[pause(Some(9), false), pause(Some(7), false)]), Pausing::Refusing(Some(9)));
        assert_eq!(of(&[pause(Some(9), false), pause(None, false)]), Pausing::Refusing(None));
    }
}
