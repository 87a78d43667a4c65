//! A key as people write it: `r`, `G`, `enter`, `ctrl-l`.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt;

/// A key with what was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which.
    pub code: KeyCode,
    /// With `ctrl`.
    pub ctrl: bool,
}

/// Names of keys that print nothing.
const NAMES: [(&str, KeyCode); 15] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
];

impl Key {
    /// From what the terminal reports; shift is in the letter itself.
    #[must_use]
    pub fn of(event: &KeyEvent) -> Self {
        Self { code: event.code, ctrl: event.modifiers.contains(KeyModifiers::CONTROL) }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (ctrl, name) = match text.strip_prefix("ctrl-") {
            Some(rest) if !rest.is_empty() => (true, rest),
            _ => (false, text),
        };
        let named = NAMES.iter().find(|(known, _)| *known == name).map(|(_, code)| *code);
        let number = name.strip_prefix('f').and_then(|number| number.parse::<u8>().ok());
        let function = number
            .filter(|number| {
                (1..=12).contains(number)
                    && name.len() < 4
                    && !name.starts_with("f0")
                    && !name.starts_with("f+")
            })
            .map(KeyCode::F);
        let code = named.or(function).or_else(|| {
            let mut letters = name.chars();
            letters.next().filter(|_| letters.next().is_none()).map(KeyCode::Char)
        })?;
        Some(Self { code, ctrl })
    }

    /// The names of keys that print nothing.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// As the terminal would report it.
    #[must_use]
    pub fn event(self) -> KeyEvent {
        let held = if self.ctrl { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
        KeyEvent::new(self.code, held)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        match (NAMES.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::F(number)) => write!(f, "f{number}"),
            (None, KeyCode::Char(letter)) => write!(f, "{letter}"),
            (None, other) => write!(f, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for name in ["r", "G", "enter", "ctrl-l", "space", "?", "[", "-", "pgdn", "+", "f", "f1", "f12"] {
            assert_eq!(Key::parse(name).map(|key| key.to_string()).as_deref(), Some(name));
        }
        assert_eq!(Key::parse("enterr"), None);
        assert_eq!(Key::parse(""), None);
        assert_eq!(Key::parse("ctrl-"), None);
        assert_eq!(Key::parse("f0").or(Key::parse("f13")).or(Key::parse("f+1")).or(Key::parse("f01")), None);
    }

    #[test]
    fn shift_is_in_the_letter() {
        let event = KeyEvent::new(KeyCode::Char('R'), KeyModifiers::SHIFT);
        assert_eq!(Some(Key::of(&event)), Key::parse("R"));
    }
}
