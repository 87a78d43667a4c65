//! When to draw: soon after a key, at a bounded rate after data, never when nothing changed.

use super::app::Dirt;
use std::time::Duration;
use tokio::time::Instant;

/// After a key a frame is due at once, but not twice within this time.
const INPUT: Duration = Duration::from_millis(8);
/// Between frames of data.
const DATA: Duration = Duration::from_millis(33);
/// Between frames of data that come fast.
const FAST: Duration = Duration::from_millis(100);
/// Between frames of data that come fast, over SSH.
const FAST_SSH: Duration = Duration::from_millis(250);
/// Between frames while nobody looks.
const AWAY: Duration = Duration::from_secs(1);

/// The pace of frames and of what is asked for.
#[derive(Debug)]
pub struct Pacer {
    ssh: bool,
    drawn: Option<Instant>,
    refreshed: Option<Instant>,
}

impl Pacer {
    /// A pace; slower over SSH.
    #[must_use]
    pub fn new(ssh: bool) -> Self {
        Self { ssh, drawn: None, refreshed: None }
    }

    /// How long data waits: `fast` where over ten rows a second arrive, `looking` while the
    /// terminal has the focus.
    #[must_use]
    pub fn interval(&self, fast: bool, looking: bool) -> Duration {
        match (looking, fast, self.ssh) {
            (false, ..) => AWAY,
            (true, true, true) => FAST_SSH,
            (true, true, false) => FAST,
            (true, false, _) => DATA,
        }
    }

    /// When the next frame is due; never where nothing changed.
    #[must_use]
    pub fn frame_due(&self, dirt: Dirt, fast: bool, looking: bool) -> Option<Instant> {
        let wait = match dirt {
            Dirt::Clean => return None,
            Dirt::Input => INPUT,
            Dirt::Data => self.interval(fast, looking),
        };
        Some(self.drawn.map_or_else(Instant::now, |at| at + wait))
    }

    /// When what arrived is asked for.
    #[must_use]
    pub fn refresh_due(&self, behind: bool, fast: bool, looking: bool) -> Option<Instant> {
        let wait = self.interval(fast, looking);
        behind.then(|| self.refreshed.map_or_else(Instant::now, |at| at + wait))
    }

    /// A frame was drawn.
    pub fn drew(&mut self) {
        self.drawn = Some(Instant::now());
    }

    /// What arrived was asked for.
    pub fn refreshed(&mut self) {
        self.refreshed = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_are_due_by_what_changed() {
        let mut pacer = Pacer::new(false);
        assert_eq!(pacer.frame_due(Dirt::Clean, true, true), None);
        assert_eq!(pacer.refresh_due(false, true, true), None);
        pacer.drew();
        let at = pacer.drawn.unwrap();
        assert_eq!(pacer.frame_due(Dirt::Input, true, true), Some(at + INPUT));
        assert_eq!(pacer.frame_due(Dirt::Data, false, true), Some(at + DATA));
        assert_eq!(pacer.frame_due(Dirt::Data, true, true), Some(at + FAST));
        assert_eq!(pacer.frame_due(Dirt::Data, true, false), Some(at + AWAY));
        assert_eq!(Pacer::new(true).interval(true, true), FAST_SSH);
    }
}
