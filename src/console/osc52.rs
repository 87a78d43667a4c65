//! Text for the terminal's clipboard (OSC 52), also through a multiplexer: those take the sequence
//! themselves, or hand on what is wrapped for it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of a sequence that GNU Screen hands on at once.
const CHUNK: usize = 720;

/// What stands between this program and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Between {
    /// Nothing that is known of.
    #[default]
    Nothing,
    /// tmux.
    Tmux,
    /// GNU Screen.
    Screen,
}

impl Between {
    /// From the environment.
    #[must_use]
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        if set("TMUX") {
            Self::Tmux
        } else if set("STY") {
            Self::Screen
        } else {
            Self::Nothing
        }
    }

    /// What it asks for before it hands a text on; nothing where there is nothing between.
    #[must_use]
    pub fn asks(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Tmux => Some("tmux hands it on with: set -g set-clipboard on"),
            Self::Screen => Some("screen hands it on where the terminal outside takes OSC 52"),
        }
    }

    /// The sequence that gives a text to the clipboard.
    #[must_use]
    pub fn sequence(self, text: &str) -> String {
        let plain = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
        match self {
            Self::Nothing => plain,
            // It takes the sequence itself (`set-clipboard on`), or hands on what is wrapped
            // (`allow-passthrough on`): whichever is set, and twice the same text is the same.
            Self::Tmux => format!("{plain}\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b")),
            Self::Screen => {
                // Base64 between two marks: every piece is ASCII.
                let mut all = String::new();
                for piece in plain.as_bytes().chunks(CHUNK) {
                    all.push_str("\x1bP");
                    all.push_str(&String::from_utf8_lossy(piece));
                    all.push_str("\x1b\\");
                }
                all
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_wrapped_for_what_stands_between() {
        assert_eq!(Between::Nothing.sequence("hi"), "\x1b]52;c;aGk=\x07");
        assert_eq!(Between::Tmux.sequence("hi"), "\x1b]52;c;aGk=\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\");
        assert_eq!(Between::Screen.sequence("hi"), "\x1bP\x1b]52;c;aGk=\x07\x1b\\");
        let long = Between::Screen.sequence(&"x".repeat(5_000));
        let pieces: Vec<&str> = long.split_terminator("\x1b\\").collect();
        assert_eq!(pieces.len(), 10);
        assert!(pieces.iter().all(|piece| piece.starts_with("\x1bP") && piece.len() <= CHUNK + 2));
        let whole: String = pieces.iter().map(|piece| &piece[2..]).collect();
        assert_eq!(whole, Between::Nothing.sequence(&"x".repeat(5_000)));
    }

    #[test]
    fn what_stands_between_is_told_by_the_environment() {
        let of = |name: &'static str| Between::detect(move |asked| (asked == name).then(|| "x".to_owned()));
        assert_eq!((of("TMUX"), of("STY"), of("TERM")), (Between::Tmux, Between::Screen, Between::Nothing));
    }
}
