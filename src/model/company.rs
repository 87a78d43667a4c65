//! Who else is here: consoles that are attached, and what others just did.

use serde::{Deserialize, Serialize};

/// Consoles that are told at most.
pub const MAX_CONSOLES: usize = 128;
/// Acts that are told at once at most; the oldest give way.
pub const MAX_ACTS: usize = 64;

/// A console that is attached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleView {
    /// Which: chosen by the console, and kept over its links.
    pub id: String,
    /// Who sits there.
    pub who: String,
    /// What they may do.
    pub role: String,
    /// From where: an address, or `this machine`.
    pub from: String,
    /// Since when.
    pub since: String,
    /// The screen that is shown there.
    pub screen: String,
    /// The run that is open there.
    pub run: Option<String>,
}

/// Where a console is: what it says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Here {
    /// Which console.
    pub console: String,
    /// The screen.
    pub screen: String,
    /// The run that is open.
    #[serde(default)]
    pub run: Option<String>,
}

/// What somebody did: `anna` `retried` `5d02aa`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActView {
    /// The console that it was done from, where it was one.
    #[serde(default)]
    pub console: Option<String>,
    /// Who.
    pub who: String,
    /// In one word or two, as something past.
    pub did: String,
    /// To what, where it is one thing.
    #[serde(default)]
    pub what: Option<String>,
    /// The word for one such thing: run, request.
    pub kind: String,
    /// To how many.
    pub count: u64,
}

impl ActView {
    /// As a sentence: `anna retried 5d02aa`, `anna retried 40 runs`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { who, did, count, kind, .. } = self;
        match &self.what {
            Some(what) if *count <= 1 => format!("{who} {did} {what}"),
            _ if *count == 0 => format!("{who} {did}"),
            _ => format!("{who} {did} {count} {kind}{}", if *count == 1 { "" } else { "s" }),
        }
    }

    /// Whether both are of one kind, so that they are told as one.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.who == other.who && self.did == other.did && self.kind == other.kind && self.count > 0
    }

    /// Takes a later one of its kind in.
    pub fn merge(&mut self, later: &Self) {
        self.count += later.count;
        self.what = None;
    }
}

/// What a session is told when its link is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hello {
    /// By which name it acts.
    pub name: String,
    /// With which role.
    pub role: super::operator::Role,
    /// The machine at the other end.
    pub host: String,
    /// The version at the other end.
    pub version: String,
    /// Which console we are: the session says it.
    #[serde(skip)]
    pub console: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_are_sentences_and_those_of_a_kind_are_one() {
        let act = |what: Option<&str>, count| ActView {
            who: "anna".into(),
            did: "retried".into(),
            what: what.map(str::to_owned),
            kind: "run".into(),
            count,
            ..ActView::default()
        };
        let mut first = act(Some("5d02aa"), 1);
        assert_eq!(first.sentence(), "anna retried 5d02aa");
        assert_eq!(act(None, 40).sentence(), "anna retried 40 runs");
        assert_eq!(act(None, 1).sentence(), "anna retried 1 run");
        assert_eq!(act(None, 0).sentence(), "anna retried");
        assert!(
            first.is_like(&act(None, 3)) && !first.is_like(&ActView { who: "ben".into(), ..act(None, 3) })
        );
        first.merge(&act(None, 39));
        assert_eq!(first.sentence(), "anna retried 40 runs");
    }
}
