//! Engine time: the wall clock, but for one thing: it never goes back, within a process or over a restart.
//!
//! Where the wall clock is ahead, engine time jumps to it; where it is behind, engine time runs on at
//! 0.9 of the monotonic clock until they meet. Ids, windows, timers and leases count by it.

use crate::model::Ms;
use crate::model::time::HOUR;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A source of engine time; clones share it.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    source: Source,
    state: Mutex<State>,
}

#[derive(Debug)]
enum Source {
    /// The machine's clocks.
    System { start: Instant },
    /// A test's: wall clock and monotonic clock, in milliseconds.
    Manual { wall: AtomicI64, mono: AtomicI64 },
}

/// Milliseconds all.
#[derive(Debug, Default)]
struct State {
    /// The last reading.
    engine: Ms,
    /// Engine time and monotonic clock when the wall clock was last ahead.
    anchor: (Ms, Ms),
    /// Wall and monotonic clock at the last reading.
    seen: Option<(Ms, Ms)>,
    /// The last jump forward of more than an hour: when, and by how much.
    jump: Option<(Ms, Ms)>,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::of(Source::System { start: Instant::now() })
    }

    /// A clock that stands still until it is moved: for tests and simulation.
    #[must_use]
    pub fn manual(start: Ms) -> Self {
        Self::of(Source::Manual { wall: AtomicI64::new(start), mono: AtomicI64::new(0) })
    }

    fn of(source: Source) -> Self {
        Self(Arc::new(Shared { source, state: Mutex::default() }))
    }

    /// Moves a manual clock on; the machine's is not moved.
    pub fn advance(&self, by: Ms) {
        if let Source::Manual { wall, mono } = &self.0.source {
            wall.fetch_add(by, Ordering::Relaxed);
            mono.fetch_add(by, Ordering::Relaxed);
        }
    }

    /// Sets a manual wall clock, back or forward, as an operator or a time server does; the
    /// monotonic clock does not move.
    pub fn set_wall(&self, to: Ms) {
        if let Source::Manual { wall, .. } = &self.0.source {
            wall.store(to, Ordering::Relaxed);
        }
    }

    /// The wall clock: for token checks, which must not trust a time that was held up.
    #[must_use]
    pub fn wall(&self) -> Ms {
        match &self.0.source {
            Source::System { .. } => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| Ms::try_from(since.as_millis()).unwrap_or(Ms::MAX)),
            Source::Manual { wall, .. } => wall.load(Ordering::Relaxed),
        }
    }

    fn mono(&self) -> Ms {
        match &self.0.source {
            Source::System { start } => Ms::try_from(start.elapsed().as_millis()).unwrap_or(Ms::MAX),
            Source::Manual { mono, .. } => mono.load(Ordering::Relaxed),
        }
    }

    /// Engine time.
    #[must_use]
    pub fn now(&self) -> Ms {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (wall, mono) = (self.wall(), self.mono());
        if let Some((wall_then, mono_then)) = state.seen {
            let by = (wall - wall_then) - (mono - mono_then);
            if by > HOUR {
                state.jump = Some((wall, by));
            }
        }
        state.seen = Some((wall, mono));
        if wall >= state.engine {
            state.anchor = (wall, mono);
            state.engine = wall;
        } else {
            let ran = (mono - state.anchor.1).max(0) * 9 / 10;
            state.engine = state.engine.max(state.anchor.0 + ran);
        }
        state.engine
    }

    /// Lets engine time begin no earlier than this: the last time that the store has seen.
    pub(super) fn raise(&self, to: Ms) {
        let mono = self.mono();
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if to > state.engine {
            state.engine = to;
            state.anchor = (to, mono);
        }
    }

    /// How far the wall clock is behind engine time; over five seconds is shown.
    #[must_use]
    pub fn behind(&self) -> Ms {
        (self.now() - self.wall()).max(0)
    }

    /// The last jump of the wall clock forward by more than an hour: when, and by how much.
    #[must_use]
    pub fn jump(&self) -> Option<(Ms, Ms)> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).jump
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_wall_clock_that_goes_back_slows_engine_time_to_nine_tenths() {
        let clock = Clock::manual(1_000_000);
        assert_eq!(clock.now(), 1_000_000);
        clock.set_wall(900_000);
        assert_eq!(clock.now(), 1_000_000);
        clock.advance(10_000);
        assert_eq!(clock.now(), 1_009_000);
        assert_eq!(clock.behind(), 99_000);
        // They meet, and engine time is the wall clock again.
        clock.advance(990_000);
        assert_eq!((clock.now(), clock.behind()), (1_900_000, 0));
    }

    #[test]
    fn many_readings_do_not_slow_it_further() {
        let clock = Clock::manual(1_000_000);
        let _ = clock.now();
        clock.set_wall(0);
        for _ in 0..1_000 {
            clock.advance(1);
            let _ = clock.now();
        }
        assert_eq!(clock.now(), 1_000_900);
    }

    #[test]
    fn a_jump_forward_is_remembered() {
        let clock = Clock::manual(1_000_000);
        let _ = clock.now();
        clock.advance(5 * HOUR);
        let _ = clock.now();
        assert_eq!(clock.jump(), None);
        clock.set_wall(clock.wall() + HOUR + 1);
        let now = clock.now();
        assert_eq!(clock.jump(), Some((now, HOUR + 1)));
    }

    #[test]
    fn a_restart_begins_where_the_store_was() {
        let clock = Clock::manual(1_000);
        clock.raise(5_000);
        assert_eq!((clock.now(), clock.behind()), (5_000, 4_000));
        clock.advance(100);
        assert_eq!(clock.now(), 5_090);
    }

    proptest! {
        #[test]
        fn it_never_goes_back(steps in prop::collection::vec((0i64..5_000, -20_000i64..20_000), 1..60)) {
            let clock = Clock::manual(10_000_000);
            let mut before = clock.now();
            for (on, shift) in steps {
                clock.advance(on);
                clock.set_wall(clock.wall() + shift);
                let now = clock.now();
                prop_assert!(now >= before && now >= clock.wall());
                before = now;
            }
        }
    }
}
