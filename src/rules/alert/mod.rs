//! What is told of trouble, and when: once when it begins, once when it is over, and at most once a
//! quiet period in between.

pub mod letter;
pub mod post;
pub mod silence;

use crate::model::Ms;

/// A cause as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// How many are in it now; none where it is over.
    pub now: u64,
    /// How many came into it in all: never falls.
    pub ever: u64,
    /// When one came into it last.
    pub last: Ms,
}

/// What was told of a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// It was told, and its recovery was not.
    pub open: bool,
    /// When it was told last, recoveries left out.
    pub told: Ms,
    /// How many had come into it in all by then.
    pub ever: u64,
}

/// What is to be done about a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Nothing,
    /// Nothing before this time.
    Later(Ms),
    /// It is told; so many are new since the last time.
    Open {
        /// At least 1.
        new: u64,
    },
    /// Its recovery is told.
    Recovered,
    /// It need not be remembered any longer.
    Forget,
}

/// Judges a cause. `since`: what came before is not told by this alert unless something comes to it.
///
/// A cause that comes back within the quiet period of its last alert is told when that ends, if it
/// is still there: one that comes and goes is told once a quiet period, and so is its recovery.
#[must_use]
pub fn judge(memory: Option<&Memory>, trouble: Trouble, since: Ms, quiet: Ms, now: Ms) -> Verdict {
    let Some(memory) = memory else {
        return match trouble.now {
            0 => Verdict::Nothing,
            _ if trouble.last < since => Verdict::Nothing,
            new => Verdict::Open { new },
        };
    };
    let over = memory.told.saturating_add(quiet);
    let new = trouble.ever.saturating_sub(memory.ever);
    match (memory.open, trouble.now) {
        (true, 0) => Verdict::Recovered,
        (true, _) if new == 0 => Verdict::Nothing,
        (false, 0) if now >= over => Verdict::Forget,
        (false, 0) => Verdict::Later(over),
        (_, _) if now < over => Verdict::Later(over),
        (_, _) => Verdict::Open { new: new.max(1) },
    }
}

/// What is remembered after a verdict; `None` for nothing.
#[must_use]
pub fn after(memory: Option<&Memory>, verdict: Verdict, trouble: Trouble, now: Ms) -> Option<Memory> {
    match verdict {
        Verdict::Nothing | Verdict::Later(_) => memory.copied(),
        Verdict::Open { .. } => Some(Memory { open: true, told: now, ever: trouble.ever }),
        Verdict::Recovered => memory.map(|memory| Memory { open: false, ..*memory }),
        Verdict::Forget => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUIET: Ms = 900;

    fn trouble(now: u64, ever: u64) -> Trouble {
        Trouble { now, ever, last: 10 }
    }

    #[test]
    fn a_group_of_three_hundred_is_one_alert_and_one_recovery() {
        let mut memory = None;
        let mut told = Vec::new();
        for at in 0..300 {
            let group = trouble(at + 1, at + 1);
            let time = i64::try_from(at).unwrap();
            let verdict = judge(memory.as_ref(), group, 0, QUIET, time);
            memory = after(memory.as_ref(), verdict, group, time);
            told.push(verdict);
        }
        assert_eq!(told[0], Verdict::Open { new: 1 });
        assert!(told[1..].iter().all(|verdict| *verdict == Verdict::Later(QUIET)), "{told:?}");
        assert_eq!(judge(memory.as_ref(), trouble(300, 300), 0, QUIET, QUIET), Verdict::Open { new: 299 });
        assert_eq!(judge(memory.as_ref(), trouble(0, 300), 0, QUIET, 400), Verdict::Recovered);
    }

    #[test]
    fn what_was_there_before_the_alert_is_told_when_something_comes_to_it() {
        assert_eq!(judge(None, trouble(3, 3), 11, QUIET, 20), Verdict::Nothing);
        assert_eq!(judge(None, trouble(3, 3), 10, QUIET, 20), Verdict::Open { new: 3 });
        assert_eq!(judge(None, trouble(0, 3), 0, QUIET, 20), Verdict::Nothing);
    }

    #[test]
    fn without_anything_new_nothing_more_is_told() {
        let memory = Memory { open: true, told: 0, ever: 3 };
        assert_eq!(judge(Some(&memory), trouble(2, 3), 0, QUIET, 100 * QUIET), Verdict::Nothing);
        let over = Memory { open: false, ..memory };
        assert_eq!(judge(Some(&over), trouble(0, 3), 0, QUIET, QUIET), Verdict::Forget);
        // One that came back without being counted anew is told as one.
        assert_eq!(judge(Some(&over), trouble(1, 3), 0, QUIET, QUIET), Verdict::Open { new: 1 });
    }

    proptest! {
        /// Whatever comes and goes, and whenever somebody looks.
        #[test]
        fn alerts_keep_their_distance_and_nothing_stays_untold(
            steps in prop::collection::vec((0_u64..4, 0_u64..4, 1_i64..1_000), 1..120),
        ) {
            let (mut now, mut inside, mut ever, mut last) = (0_i64, 0_u64, 0_u64, 0_i64);
            let mut memory: Option<Memory> = None;
            let (mut opened, mut recovered): (Vec<Ms>, usize) = (Vec::new(), 0);
            let mut look = |memory: &mut Option<Memory>, group: Trouble, now: Ms| {
                let verdict = judge(memory.as_ref(), group, 0, QUIET, now);
                let was_open = memory.is_some_and(|memory| memory.open);
                match verdict {
                    Verdict::Open { new } => {
                        assert!(new > 0 && group.now > 0);
                        if let Some(before) = opened.last() {
                            assert!(now - before >= QUIET, "two within a quiet period");
                        }
                        opened.push(now);
                    }
                    Verdict::Recovered => {
                        assert!(was_open && group.now == 0);
                        recovered += 1;
                    }
                    Verdict::Later(at) => assert!(at > now),
                    Verdict::Nothing | Verdict::Forget => {}
                }
                *memory = after(memory.as_ref(), verdict, group, now);
                (opened.len(), recovered)
            };
            for (come, go, pass) in steps {
                now += pass;
                if come > 0 {
                    last = now;
                }
                inside = (inside + come).saturating_sub(go);
                ever += come;
                let (opens, recoveries) = look(&mut memory, Trouble { now: inside, ever, last }, now);
                prop_assert!(recoveries <= opens);
            }
            // Nothing more happens: within a quiet period all is told as it stands.
            now += QUIET;
            look(&mut memory, Trouble { now: inside, ever, last }, now);
            let open = memory.is_some_and(|memory| memory.open);
            prop_assert_eq!(open, inside > 0);
            if let Some(memory) = memory.filter(|memory| memory.open) {
                prop_assert_eq!(memory.ever, ever, "those that came last were told");
            }
            now += QUIET;
            look(&mut memory, Trouble { now: inside, ever, last }, now);
            prop_assert!(inside > 0 || memory.is_none(), "what is over is forgotten");
        }
    }
}
