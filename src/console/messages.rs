//! What was told: every toast of this session, the newest last. The oldest give way.

use super::app::{App, Overlay, Toast};
use super::key::Key;
use crossterm::event::KeyCode;
use std::collections::VecDeque;

/// Most that are kept.
pub const MOST: usize = 500;

/// Most lines of one.
pub const LINES: usize = 6;

/// The list of them while it is open.
#[derive(Debug, Default)]
pub struct Messages {
    /// How many lines of it are below what is shown.
    pub up: usize,
}

/// Keeps what is told.
pub fn keep(all: &mut VecDeque<Toast>, toast: &Toast) {
    if all.len() >= MOST {
        all.pop_front();
    }
    all.push_back(toast.clone());
}

impl App {
    /// Opens the list at its newest.
    pub fn open_messages(&mut self) {
        self.overlay = Some(Overlay::Messages(Messages::default()));
    }

    /// A key while it is open.
    pub fn messages_key(&mut self, key: Key) {
        // Drawing stops at the first line.
        let most = self.messages.len() * LINES;
        let Some(Overlay::Messages(open)) = &mut self.overlay else { return };
        let up = match (key.code, key.ctrl) {
            (KeyCode::Up, _) | (KeyCode::Char('k'), false) => open.up + 1,
            (KeyCode::Down, _) | (KeyCode::Char('j'), false) => open.up.saturating_sub(1),
            (KeyCode::PageUp, _) | (KeyCode::Char('u'), true) => open.up + 10,
            (KeyCode::PageDown, _) | (KeyCode::Char('d'), true) => open.up.saturating_sub(10),
            (KeyCode::Home, _) | (KeyCode::Char('g'), false) => most,
            (KeyCode::End, _) | (KeyCode::Char('G'), false) => 0,
            (KeyCode::Esc | KeyCode::Enter, _) | (KeyCode::Char('q'), false) => {
                self.overlay = None;
                return;
            }
            (KeyCode::Char('c' | 'z' | 'l'), true) => return self.global(key),
            _ => return self.refuse_key(key),
        };
        open.up = up.min(most);
    }
}

#[cfg(test)]
mod tests {
    use super::super::app::Tone;
    use super::*;

    #[test]
    fn the_oldest_give_way_at_the_bound() {
        let mut all = VecDeque::new();
        for n in 0..=MOST {
            keep(&mut all, &Toast { text: n.to_string(), tone: Tone::Info, at: 0 });
        }
        assert_eq!((all.len(), all[0].text.as_str()), (MOST, "1"));
    }
}
