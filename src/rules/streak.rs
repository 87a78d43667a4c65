//! Failures in a row: when a job halts, and how far it may go while it waits to see what came of
//! what it did.

use crate::model::job::PieceState;
use crate::model::run::RunState;
use crate::rules::advance::UNKNOWN;

/// The most failures in a row that a job may wait for.
pub const MOST: u32 = 1_000;
/// Runs that a job has under way at once while all goes well: it must not be far ahead of what it
/// knows.
const AHEAD: u32 = 64;

/// What became of an object of a job, as far as that tells whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was done, and what it began went well.
    Good,
    /// It was refused, or its run stopped or failed.
    Bad,
    /// Its run is under way.
    UnderWay,
    /// It tells nothing: its run waits for somebody, was ended by a person, is gone, or was cut off.
    Silent,
}

/// The run that an object led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Led {
    /// None: its verb makes no run go on.
    Nowhere,
    /// Retention has taken it.
    Gone,
    /// It stands so.
    To(RunState),
}

/// What an object of which something became tells. `led` is the run that it moved or made; `why` is the
/// cause of a stop, or of a refusal.
#[must_use]
pub fn fate(piece: PieceState, led: Led, why: &str) -> Fate {
    // A process that ended in the middle says nothing of the target.
    let failed = if why.contains(UNKNOWN) { Fate::Silent } else { Fate::Bad };
    match (piece, led) {
        (PieceState::Left | PieceState::Sending, _) => Fate::UnderWay,
        (PieceState::Refused, _) => failed,
        (PieceState::Done, Led::Nowhere) => Fate::Good,
        (PieceState::Done, Led::Gone) => Fate::Silent,
        (PieceState::Done, Led::To(state)) => match state {
            RunState::Queued | RunState::Running | RunState::Retrying => Fate::UnderWay,
            RunState::Succeeded | RunState::SucceededWithSkips => Fate::Good,
            RunState::Errored | RunState::Failed => failed,
            RunState::Waiting | RunState::Aborted => Fate::Silent,
        },
    }
}

/// What the last objects of a job tell together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Streak {
    /// Failures since the last that went well.
    pub failures: u32,
    /// Whether one went well.
    pub good: bool,
    /// Those of which it is not known yet.
    pub under_way: u32,
}

/// Whether a job goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It halts.
    Halt,
    /// With so many objects, until more is known.
    Go(u32),
}

impl Streak {
    /// Of fates, the newest first.
    #[must_use]
    pub fn of(fates: impl IntoIterator<Item = Fate>) -> Self {
        let mut streak = Self::default();
        for fate in fates {
            match fate {
                Fate::Good => streak.good = true,
                Fate::Bad if !streak.good => streak.failures += 1,
                Fate::UnderWay => streak.under_way += 1,
                Fate::Bad | Fate::Silent => {}
            }
        }
        streak
    }

    /// Whether a job that halts after `limit` failures in a row goes on. While the last ones failed, or
    /// nothing is known, no more are under way than may fail: so a target that takes nothing gets
    /// `limit` and not one more.
    #[must_use]
    pub fn judge(self, limit: u32) -> Verdict {
        let limit = limit.clamp(1, MOST);
        if self.failures >= limit {
            return Verdict::Halt;
        }
        let most = if self.good && self.failures == 0 { limit.max(AHEAD) } else { limit - self.failures };
        Verdict::Go(most.saturating_sub(self.under_way))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Streak {
        Streak::of(text.chars().map(|letter| match letter {
            '+' => Fate::Good,
            '-' => Fate::Bad,
            '.' => Fate::UnderWay,
            _ => Fate::Silent,
        }))
    }

    #[test]
    fn failures_count_back_to_the_last_that_went_well() {
        assert_eq!(of("-.-w-+--"), Streak { failures: 3, good: true, under_way: 1 });
        assert_eq!(of("-.-w-+--").judge(3), Verdict::Halt);
        assert_eq!(of("+---------").judge(3), Verdict::Go(AHEAD));
        assert_eq!(of("").judge(10), Verdict::Go(10), "nothing is known yet");
        assert_eq!(of("..........").judge(10), Verdict::Go(0));
        assert_eq!(of("--.").judge(10), Verdict::Go(7));
        assert_eq!(of("-+").judge(10), Verdict::Go(9));
        assert_eq!(of("+..").judge(10), Verdict::Go(AHEAD - 2));
        assert_eq!(of("+").judge(500), Verdict::Go(500));
        assert_eq!(of("wwwwwwwwwwww").judge(10), Verdict::Go(10), "who waits holds nothing up");
        assert_eq!(of("-").judge(0), Verdict::Halt, "at least one");
    }

    #[test]
    fn a_run_tells_by_its_state_and_a_refusal_by_its_reason() {
        use Fate::{Bad, Good, Silent, UnderWay};
        let done = |state| fate(PieceState::Done, Led::To(state), "");
        let told = RunState::ALL.map(done);
        assert_eq!(told, [UnderWay, UnderWay, Good, Silent, UnderWay, Bad, Good, Bad, Silent]);
        assert_eq!(fate(PieceState::Done, Led::Gone, ""), Silent, "its run is gone");
        assert_eq!(fate(PieceState::Done, Led::Nowhere, ""), Good, "it makes no run go on");
        assert_eq!(fate(PieceState::Refused, Led::Nowhere, "answered 422"), Bad);
        assert_eq!(fate(PieceState::Left, Led::Nowhere, ""), UnderWay);
        // What a crash cut off is no word of the target's.
        let cut = format!("{UNKNOWN}: this process ended while it was under way");
        assert_eq!(fate(PieceState::Refused, Led::Nowhere, &cut), Silent);
        assert_eq!(fate(PieceState::Done, Led::To(RunState::Errored), &cut), Silent);
    }

    proptest! {
        /// Whatever order the ends come in, a target that takes nothing gets `limit` objects.
        #[test]
        fn a_dead_target_gets_no_more_than_the_limit(
            limit in 1u32..40, picks in prop::collection::vec(any::<prop::sample::Index>(), 1..200),
        ) {
            let mut fates: Vec<Fate> = Vec::new();
            let mut halted = false;
            for pick in picks {
                match Streak::of(fates.iter().rev().copied()).judge(limit) {
                    Verdict::Halt => { halted = true; break; }
                    Verdict::Go(room) => fates.extend((0..room).map(|_| Fate::UnderWay)),
                }
                prop_assert!(fates.len() <= limit as usize);
                let open: Vec<usize> =
                    (0..fates.len()).filter(|at| fates[*at] == Fate::UnderWay).collect();
                prop_assert!(!open.is_empty(), "it never stands still for nothing");
                fates[open[pick.index(open.len())]] = Fate::Bad;
            }
            let failed = fates.iter().filter(|fate| **fate == Fate::Bad).count();
            prop_assert!(!halted || failed == limit as usize);
        }
    }
}
