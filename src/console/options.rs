//! How a console is started: what the command line and the environment say.

use super::aside::Places;
use super::kept::Kept;
use super::keymap::Keymap;
use super::osc52::Between;
use super::picks::Picks;
use super::theme::Depth;
use super::themes::Themes;
use crate::model::operator::Role;
use jiff::tz::TimeZone;
use std::path::PathBuf;

/// What a console is attached to that is not on another machine.
pub const HERE: &str = "this machine";

/// How a console is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Only ASCII is drawn.
    pub ascii: bool,
    /// The theme's name.
    pub theme: String,
    /// How many colours there are.
    pub color: Depth,
    /// The terminal is at the other end of SSH: fewer frames.
    pub ssh: bool,
    /// The address that is listened on in this process: quitting stops it, and asks. `None` for a
    /// console that is attached.
    pub quitting_stops: Option<String>,
    /// What becomes of what was received, in a sentence, where it does not stay for the next start.
    pub loses: Option<&'static str>,
    /// What it is attached to, as the first row names it.
    pub attached: Option<String>,
    /// Who acts.
    pub who: String,
    /// Every verb is disabled, saying why.
    pub read_only: bool,
    /// What may be done here: all of it, until the other end says less.
    pub role: Role,
    /// The program's version.
    pub version: String,
    /// The zone of the clocks.
    pub zone: TimeZone,
    /// What opens a text outside of this program.
    pub editor: String,
    /// What shows a text outside of this program.
    pub pager: String,
    /// Pins, views and filters of an earlier session.
    pub picks: Picks,
    /// Where they are kept; nothing is, where there is no such place.
    pub picks_file: Option<PathBuf>,
    /// What stands between this program and the terminal.
    pub between: Between,
    /// What is recorded into from the start.
    pub record: Option<String>,
    /// The keys in force.
    pub keymap: Keymap,
    /// The themes that there are.
    pub themes: Themes,
    /// What was chosen in earlier sessions.
    pub kept: Kept,
    /// Where both are.
    pub places: Places,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ascii: false,
            theme: "terminal".to_owned(),
            color: Depth::Sixteen,
            ssh: false,
            quitting_stops: None,
            loses: None,
            attached: None,
            who: String::new(),
            read_only: false,
            role: Role::Admin,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            zone: TimeZone::UTC,
            editor: "vi".to_owned(),
            pager: "less".to_owned(),
            picks: Picks::default(),
            picks_file: None,
            between: Between::default(),
            record: None,
            keymap: Keymap::default(),
            themes: Themes::default(),
            kept: Kept::default(),
            places: Places::default(),
        }
    }
}

impl Options {
    /// With what a file keeps from one session to the next.
    #[must_use]
    pub fn keeping(self, file: Option<PathBuf>) -> Self {
        let picks = file.as_deref().map(super::picks::file::load).unwrap_or_default();
        Self { picks, picks_file: file, ..self }
    }

    /// What the environment says of the terminal: colours (`NO_COLOR`, `COLORTERM`, `TERM`), ASCII
    /// (`TERM=linux`, `TERM=dumb`, a locale that is not UTF-8), SSH, the editor, and the system's time
    /// zone.
    #[must_use]
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        let truecolor = set("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit");
        let color = if set("NO_COLOR").is_some() || term == "dumb" {
            Depth::Mono
        } else if truecolor || term.ends_with("-direct") {
            Depth::True
        } else if term.contains("256color") {
            Depth::Many
        } else {
            Depth::Sixteen
        };
        // The first that is set decides, as for every program.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        let utf8 = locale.contains("utf-8") || locale.contains("utf8");
        Self {
            ascii: term == "linux" || term == "dumb" || !utf8,
            color,
            ssh: set("SSH_CONNECTION").is_some(),
            between: Between::detect(&variable),
            zone: TimeZone::system(),
            editor: ["VISUAL", "EDITOR"].into_iter().find_map(set).unwrap_or_else(|| "vi".to_owned()),
            pager: set("PAGER").unwrap_or_else(|| "less".to_owned()),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Options {
        Options::detect(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn colours_come_from_the_environment() {
        let utf8 = ("LANG", "C.UTF-8");
        assert_eq!(of(&[utf8, ("TERM", "xterm")]).color, Depth::Sixteen);
        assert_eq!(of(&[utf8, ("TERM", "xterm-256color")]).color, Depth::Many);
        assert_eq!(of(&[utf8, ("TERM", "xterm"), ("COLORTERM", "truecolor")]).color, Depth::True);
        assert_eq!(of(&[utf8, ("COLORTERM", "truecolor"), ("NO_COLOR", "1")]).color, Depth::Mono);
        assert_eq!(of(&[utf8, ("TERM", "xterm"), ("NO_COLOR", "")]).color, Depth::Sixteen);
    }

    #[test]
    fn ssh_and_what_stands_between_come_from_the_environment() {
        assert!(of(&[("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 22")]).ssh);
        assert!(!of(&[("SSH_CONNECTION", "")]).ssh);
        assert_eq!(of(&[("TMUX", "/tmp/tmux-0/default,1,0")]).between, Between::Tmux);
        assert_eq!(of(&[]).between, Between::Nothing);
    }

    #[test]
    fn ascii_where_the_terminal_or_the_locale_has_no_more() {
        assert!(!of(&[("TERM", "xterm"), ("LANG", "de_DE.UTF-8")]).ascii);
        assert!(of(&[("TERM", "linux"), ("LANG", "de_DE.UTF-8")]).ascii);
        assert!(of(&[("TERM", "xterm"), ("LANG", "C")]).ascii);
        assert!(of(&[("TERM", "xterm"), ("LC_ALL", "C"), ("LANG", "C.utf8")]).ascii);
        assert!(of(&[("TERM", "xterm")]).ascii);
    }
}
