//! What the console writes to the terminal: bytes of the last ten seconds, in the promise line on demand.

use super::app::{App, Tone};
use crate::model::time::{Ms, SECOND};
use std::collections::VecDeque;

/// Over how long it is counted.
const WINDOW: Ms = 10 * SECOND;
/// Between two samples that are held.
const APART: Ms = 250;

/// Bytes that were written, by time.
#[derive(Debug, Clone, Default)]
pub struct Wrote {
    /// They are shown.
    pub shown: bool,
    samples: VecDeque<(Ms, u64)>,
}

impl Wrote {
    /// So many bytes were written until now, in all.
    pub fn sample(&mut self, now: Ms, total: u64) {
        while self.samples.len() > 1 && self.samples[1].0 <= now - WINDOW {
            self.samples.pop_front();
        }
        // One older than the window stays: it is what the window began with.
        let several = self.samples.len() > 1;
        match self.samples.back_mut() {
            Some(last) if several && (0..APART).contains(&(now - last.0)) => last.1 = total,
            _ => self.samples.push_back((now, total)),
        }
    }

    /// Bytes a second.
    fn rate(&self, now: Ms) -> u64 {
        let (Some(first), Some(last)) = (self.samples.front(), self.samples.back()) else { return 0 };
        let begun = self.samples.iter().rev().find(|(at, _)| *at <= now - WINDOW).unwrap_or(first);
        last.1.saturating_sub(begun.1) * 1_000 / u64::try_from(WINDOW).unwrap_or(1)
    }

    /// `tty 3.1KB/s`, where it is shown.
    #[must_use]
    pub fn told(&self, now: Ms) -> Option<String> {
        let tenths = (self.rate(now) + 50) / 100;
        self.shown.then(|| format!("tty {}.{}KB/s", tenths / 10, tenths % 10))
    }

    /// When it is another figure by the time alone: what the drawing of that costs rounds to nothing,
    /// so it comes to rest.
    #[must_use]
    pub fn next_age(&self, now: Ms) -> Option<Ms> {
        let moves = self.shown && (self.rate(now) + 50) / 100 > 0;
        let oldest = self.samples.iter().find(|(at, _)| *at > now - WINDOW)?;
        moves.then(|| (oldest.0 + WINDOW).max(now + 2 * SECOND))
    }
}

impl App {
    /// Shows it in the first row, or no more. Where that has no room for it, it is at least told now.
    pub(super) fn toggle_bytes(&mut self) {
        self.wrote.shown = !self.wrote.shown;
        let told = match self.wrote.told(self.now) {
            Some(told) => format!("{told}: in the first row, where it has room"),
            None => "what is written to the terminal is not shown any more".to_owned(),
        };
        self.toast(Tone::Info, told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_was_written_in_the_last_ten_seconds_and_comes_to_rest() {
        let mut wrote = Wrote { shown: true, ..Wrote::default() };
        wrote.sample(0, 500);
        assert_eq!(wrote.told(0).as_deref(), Some("tty 0.0KB/s"));
        assert_eq!(wrote.next_age(0), None);
        wrote.sample(1_000, 31_500);
        assert_eq!(wrote.told(1_000).as_deref(), Some("tty 3.1KB/s"));
        assert!(wrote.next_age(1_000).is_some_and(|at| at > 1_000));
        wrote.sample(11_500, 31_530);
        assert_eq!(wrote.told(11_500).as_deref(), Some("tty 0.0KB/s"));
        assert_eq!(wrote.next_age(11_500), None);
    }

    #[test]
    fn few_samples_are_held_however_many_frames_there_are() {
        let mut wrote = Wrote::default();
        for at in 0..60_000 {
            wrote.sample(at, u64::try_from(at).unwrap() * 100);
        }
        assert!(wrote.samples.len() <= 45, "{}", wrote.samples.len());
        wrote.shown = true;
        assert!(wrote.told(60_000).unwrap().starts_with("tty 10"), "{:?}", wrote.told(60_000));
    }
}
