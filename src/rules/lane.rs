//! `concurrency` and held flows: which runs of a flow may start now, and which have to wait in their
//! lane.
//!
//! A run that has to wait is *parked*: its `due` is no time but a place in the lane, beyond every
//! time there is. So a lane of a million runs costs the look at the clock nothing, and the next in
//! line is found by one look into the index. Places are in order of arrival; what had started before
//! (a retry, a run that comes back from a callback) stands in front of what had not.
//!
//! A run whose target takes nothing more for now (it has enough under way, or its breaker is open)
//! waits in the same way, in the line of that target: behind all places of lanes, so that it is found
//! by its flow and its target's tag.

use crate::model::run::{Run, RunState};
use crate::model::target::TAG_BITS;
use crate::model::{Ms, RunId};

/// From here on a `due` is a place in front of those that have not started.
pub const FRONT: Ms = 1 << 60;
/// From here on a `due` is a place in order of arrival.
pub const PARKED: Ms = 1 << 61;
/// From here on a `due` is a place in the line of a target.
pub const LINES: Ms = 1 << 62;
/// Bits of a place in a line: times until the year 2109.
const LINE_BITS: u32 = 62 - TAG_BITS;

/// The place of a run that has not started.
#[must_use]
pub fn place(run: RunId) -> Ms {
    PARKED + run.time()
}

/// The place of a run that was due and could not start: where it had not started before, its place
/// by arrival.
#[must_use]
pub fn place_of(run: &Run, now: Ms) -> Ms {
    if run.started.is_none() { place(run.id) } else { FRONT + run.due.unwrap_or(now).clamp(0, now) }
}

/// The place of a run in the line of a target: in order of arrival, or of when it was due.
#[must_use]
pub fn in_line(tag: u32, run: &Run, now: Ms) -> Ms {
    let since = match run.due {
        Some(due) if is_parked(due) => since(due),
        _ if run.started.is_none() => run.id.time(),
        due => due.unwrap_or(now).min(now),
    };
    line(tag).0 + since.clamp(0, (1 << LINE_BITS) - 1)
}

/// The first and the last place in the line of a target.
#[must_use]
pub fn line(tag: u32) -> (Ms, Ms) {
    let first = LINES | (Ms::from(tag) & ((1 << TAG_BITS) - 1)) << LINE_BITS;
    (first, first | ((1 << LINE_BITS) - 1))
}

/// The tag of the target in whose line a place is.
#[must_use]
pub fn tag_of(due: Ms) -> Option<u32> {
    let tag = (due & !LINES) >> LINE_BITS;
    u32::try_from(tag).ok().filter(|_| due >= LINES)
}

/// When a parked run began to wait: its arrival, or when it was due.
#[must_use]
pub fn since(due: Ms) -> Ms {
    match due {
        LINES.. => due & ((1 << LINE_BITS) - 1),
        PARKED.. => due - PARKED,
        _ => due - FRONT,
    }
}

/// Whether a `due` is a place and no time.
#[must_use]
pub fn is_parked(due: Ms) -> bool {
    due >= FRONT
}

/// How many runs of a flow may go on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Nothing starts.
    pub held: bool,
    /// 1: in order of arrival.
    pub most: u32,
}

impl Rule {
    /// The rule of a flow; `None` where every run may start at once.
    #[must_use]
    pub fn of(concurrency: u32, held: bool) -> Option<Self> {
        (held || concurrency > 0).then_some(Self { held, most: concurrency })
    }

    /// Whether the next run starts only when the one before has ended or is errored.
    #[must_use]
    pub fn ordered(self) -> bool {
        self.most == 1
    }

    /// Whether a run that was started takes a place among those that go on. Where order counts,
    /// retrying and waiting hold the lane, and so does a step that is about to start again; errored
    /// does not: one bad order would stop the flow. Else only what is under way counts.
    #[must_use]
    pub fn holds(self, run: &Run) -> bool {
        match run.state {
            RunState::Running => true,
            RunState::Waiting | RunState::Retrying => self.ordered(),
            RunState::Queued => self.ordered() && run.started.is_some(),
            _ => false,
        }
    }
}

/// What a look at a lane came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turn {
    /// May start, in this order.
    pub start: Vec<RunId>,
    /// Have to wait, and their places.
    pub park: Vec<(RunId, Ms)>,
    /// So many parked runs may start too, the first first.
    pub room: usize,
}

/// Whose turn it is. `holders` are the runs that hold a place (see [`Rule::holds`]), `due` those
/// whose time came (queued or retrying), in order; at most `slots` may start.
#[must_use]
pub fn turn(rule: Rule, holders: &[Run], due: &[Run], slots: usize, now: Ms) -> Turn {
    let mut turn = Turn::default();
    if rule.held {
        turn.park = due.iter().map(|run| (run.id, place_of(run, now))).collect();
        return turn;
    }
    let holding = |id: RunId| holders.iter().any(|holder| holder.id == id);
    let mut room = match rule.most {
        0 => usize::MAX,
        most => (most as usize).saturating_sub(holders.len()),
    };
    // A holder that was parked by a hold which is over.
    let back = holders.iter().filter(|run| {
        matches!(run.state, RunState::Queued | RunState::Retrying) && run.due.is_some_and(is_parked)
    });
    for run in back.take(slots) {
        turn.start.push(run.id);
    }
    for run in due {
        if turn.start.len() >= slots {
            // Nobody could start it: it stays due, and is looked at again.
            turn.room = 0;
            return turn;
        }
        if holding(run.id) {
            turn.start.push(run.id);
        } else if room > 0 {
            room -= 1;
            turn.start.push(run.id);
        } else {
            turn.park.push((run.id, place_of(run, now)));
        }
    }
    turn.room = room.min(slots - turn.start.len());
    turn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FlowId;
    use crate::model::id::first_at;

    const NOW: Ms = 1_795_008_715_120;

    fn run(number: i64, state: RunState, started: bool, due: Option<Ms>) -> Run {
        Run {
            id: RunId(first_at(NOW - 1_000) + number * 4_096),
            request: None,
            parent: None,
            flow: FlowId(1),
            version: 1,
            state,
            step: 0,
            attempt: 0,
            round: 1,
            fence: 0,
            seq: 0,
            owner: 0,
            due,
            started: started.then_some(NOW - 500),
            ended: None,
            cause: None,
            test: false,
            element: None,
        }
    }

    fn queued(number: i64) -> Run {
        run(number, RunState::Queued, false, Some(NOW))
    }

    const ONE: Rule = Rule { held: false, most: 1 };

    #[test]
    fn one_at_a_time_waits_for_who_retries_or_waits_but_not_for_who_is_errored() {
        for state in [RunState::Running, RunState::Waiting, RunState::Retrying] {
            let holder = run(1, state, true, Some(NOW + 5));
            assert!(ONE.holds(&holder));
            let turn = turn(ONE, &[holder], &[queued(2)], 9, NOW);
            assert_eq!((turn.start.len(), turn.park.len(), turn.room), (0, 1, 0), "{state:?}");
        }
        for state in [RunState::Errored, RunState::Succeeded, RunState::Failed, RunState::Aborted] {
            assert!(!ONE.holds(&run(1, state, true, None)), "{state:?}");
        }
        assert!(!ONE.holds(&queued(1)), "what has not started holds nothing");
        assert_eq!(turn(ONE, &[], &[queued(2), queued(3)], 9, NOW).start, [queued(2).id]);
    }

    #[test]
    fn the_holder_itself_goes_on() {
        let holder = run(1, RunState::Retrying, true, Some(NOW));
        let turn = turn(ONE, std::slice::from_ref(&holder), &[holder.clone(), queued(2)], 9, NOW);
        assert_eq!(turn.start, [holder.id]);
        assert_eq!(turn.park, [(queued(2).id, place(queued(2).id))]);
    }

    #[test]
    fn several_count_what_runs_up_to_the_bound() {
        let three = Rule { held: false, most: 3 };
        assert!(!three.holds(&run(1, RunState::Waiting, true, Some(NOW))));
        let running = [run(1, RunState::Running, true, None), run(2, RunState::Running, true, None)];
        let all = turn(three, &running, &[queued(3), queued(4)], 9, NOW);
        assert_eq!((all.start.clone(), all.park.len(), all.room), (vec![queued(3).id], 1, 0));
        let turn = turn(three, &[], &[queued(3)], 2, NOW);
        assert_eq!((turn.start.len(), turn.room), (1, 1), "slots bound it too");
    }

    #[test]
    fn without_a_slot_nothing_is_parked_that_could_start() {
        let turn = turn(ONE, &[], &[queued(1)], 0, NOW);
        assert_eq!((turn.start, turn.park, turn.room), (vec![], vec![], 0));
    }

    #[test]
    fn a_line_is_in_order_of_arrival_and_behind_every_lane() {
        let (first, last) = line(7);
        let places = [in_line(7, &queued(1), NOW), in_line(7, &queued(2), NOW)];
        assert!(places.is_sorted() && places.iter().all(|place| (first..=last).contains(place)));
        assert!(is_parked(places[0]) && places[0] > place(queued(9).id));
        assert_eq!((tag_of(places[0]), since(places[0])), (Some(7), queued(1).id.time()));
        let late = run(1, RunState::Retrying, true, Some(NOW - 3));
        let place_of_late = in_line(7, &late, NOW);
        assert_eq!(since(place_of_late), NOW - 3);
        let again = run(1, RunState::Retrying, true, Some(place_of_late));
        assert_eq!(in_line(7, &again, NOW + 9_000), place_of_late, "it stays where it stands");
        assert_eq!(tag_of(in_line(8, &again, NOW)), Some(8));
        assert_eq!((tag_of(place(queued(1).id)), tag_of(NOW)), (None, None));
        assert_eq!((line(0).0, line((1 << TAG_BITS) - 1).1), (LINES, Ms::MAX));
    }

    #[test]
    fn a_held_flow_starts_nothing_and_goes_on_in_order_afterwards() {
        let held = Rule::of(0, true).unwrap();
        let retried = run(5, RunState::Queued, true, Some(NOW - 3));
        let parked = turn(held, &[], &[queued(1), retried.clone()], 9, NOW).park;
        assert_eq!(parked[0].1, place(queued(1).id));
        assert!(parked[1].1 < parked[0].1, "what had started is in front");
        assert_eq!((since(parked[0].1), since(parked[1].1)), (queued(1).id.time(), NOW - 3));
        assert!(parked.iter().all(|(_, due)| is_parked(*due)) && !is_parked(NOW));
        // Held while it retried: the lane is still its own, and it is the one to go on.
        let back = run(7, RunState::Retrying, true, Some(parked[1].1));
        assert_eq!(turn(ONE, std::slice::from_ref(&back), &[], 9, NOW).start, [back.id]);
        assert_eq!(Rule::of(0, false), None);
    }
}
