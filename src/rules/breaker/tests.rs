//! The breaker alone: rows, pauses, the one that tries, and the bound of what is under way.

use super::*;
use proptest::prelude::*;

const NOW: Ms = 1_795_008_715_120;

/// Fails as often as it may at once, in a row.
fn fail(breaker: &mut Breaker, times: u32, now: Ms) -> Option<Moved> {
    let mut last = None;
    for _ in 0..times {
        let ticket = breaker.begin(now).unwrap();
        last = breaker.end(ticket, Heard::Failure, now, 0.0);
    }
    last
}

#[test]
fn what_counts_is_what_says_that_the_target_is_not_well() {
    for code in [500, 502, 503, 504, 507, 599] {
        assert_eq!(heard(Ok(code), false), Heard::Failure, "{code}");
        assert_eq!(heard(Ok(code), true), Heard::Answer, "{code} is wanted");
    }
    for code in [200, 202, 302, 400, 401, 404, 408, 409, 425, 429, 501, 505] {
        assert_eq!(heard(Ok(code), false), Heard::Answer, "{code}");
    }
    assert_eq!(heard(Err(Transport::NoConnection), false), Heard::Failure);
    assert_eq!(heard(Err(Transport::Broken), false), Heard::Failure);
    assert_eq!(heard(Err(Transport::Interrupted), false), Heard::Nothing);
}

#[test]
fn ten_failures_in_a_row_open_it_and_an_answer_ends_the_row() {
    let mut breaker = Breaker::new(NOW);
    assert_eq!(fail(&mut breaker, ROW - 1, NOW), None);
    let ticket = breaker.begin(NOW).unwrap();
    assert_eq!(breaker.end(ticket, Heard::Answer, NOW, 0.0), None);
    assert_eq!(fail(&mut breaker, ROW - 1, NOW), None);
    assert_eq!(fail(&mut breaker, 1, NOW), Some(Moved::Opened));
    assert_eq!(breaker.phase(), Phase::Open { since: NOW, until: NOW + PAUSE });
    assert_eq!(breaker.room(NOW + PAUSE - 1), 0);
    assert_eq!(breaker.begin(NOW + PAUSE - 1), None);
    assert_eq!(breaker.room(NOW + PAUSE), 1);
}

#[test]
fn a_dead_target_is_tried_ten_times_however_many_would() {
    let mut breaker = Breaker::new(NOW);
    let tickets: Vec<Ticket> = std::iter::from_fn(|| breaker.begin(NOW)).collect();
    assert_eq!(tickets.len(), ROW as usize);
    // Each takes its time; none follows one that failed.
    for (at, ticket) in tickets.into_iter().enumerate() {
        let moved = breaker.end(ticket, Heard::Failure, NOW + 10_000, 0.0);
        assert_eq!(moved.is_some(), at + 1 == ROW as usize);
        assert_eq!(breaker.begin(NOW + 10_000), None);
    }
    let later = NOW + 10_000 + PAUSE;
    assert!(breaker.begin(later).is_some());
    assert_eq!(breaker.begin(later), None, "one alone tries");
}

#[test]
fn the_one_that_tries_closes_it_or_makes_the_pause_longer() {
    let mut breaker = Breaker::new(NOW);
    fail(&mut breaker, ROW, NOW);
    let mut now = NOW;
    for length in [PAUSE, 2 * PAUSE, 4 * PAUSE, 8 * PAUSE, 16 * PAUSE, 32 * PAUSE, LONGEST, LONGEST] {
        let Phase::Open { since, until } = breaker.phase() else { panic!("{:?}", breaker.phase()) };
        assert_eq!((since, until - now), (NOW, length));
        now = until;
        let ticket = breaker.begin(now).unwrap();
        assert_eq!(breaker.phase(), Phase::Probing { since: NOW, until });
        assert_eq!(breaker.end(ticket, Heard::Failure, now, 0.0), Some(Moved::Stays));
    }
    let Phase::Open { until, .. } = breaker.phase() else { panic!() };
    let ticket = breaker.begin(until).unwrap();
    let closed = breaker.end(ticket, Heard::Answer, until + 5, 0.0);
    assert_eq!(closed, Some(Moved::Closed { since: NOW, failures: ROW + 8 }));
    assert_eq!((breaker.phase(), breaker.failures()), (Phase::Closed, 0));
    assert_eq!(breaker.room(until + 5), ROW, "those that waited leave a few at a time");
    // The next time it begins with the shortest pause.
    fail(&mut breaker, ROW, until + 5);
    assert_eq!(breaker.phase(), Phase::Open { since: until + 5, until: until + 5 + PAUSE });
}

#[test]
fn one_that_tries_and_says_nothing_lets_the_next_one_try() {
    let mut breaker = Breaker::new(NOW);
    fail(&mut breaker, ROW, NOW);
    let later = NOW + PAUSE;
    let ticket = breaker.begin(later).unwrap();
    assert_eq!(breaker.end(ticket, Heard::Nothing, later + 1, 0.0), Some(Moved::Stays));
    assert_eq!(breaker.room(later + 1), 1);
}

#[test]
fn what_left_before_it_opened_says_nothing_of_now() {
    let mut breaker = Breaker::new(NOW);
    let slow = breaker.begin(NOW).unwrap();
    fail(&mut breaker, ROW - 1, NOW);
    // Nine failures and one under way are ten: nothing more leaves.
    assert_eq!(breaker.begin(NOW), None);
    assert_eq!(breaker.end(slow, Heard::Answer, NOW, 0.0), None);
    let slow = breaker.begin(NOW).unwrap();
    fail(&mut breaker, ROW - 1, NOW);
    let last = breaker.begin(NOW);
    assert_eq!(last, None);
    // The window is wider by now than the row is long.
    assert_eq!(breaker.end(slow, Heard::Failure, NOW, 0.0), Some(Moved::Opened));
    let mut wide = Breaker { window: 20, ..Breaker::new(NOW) };
    let slow: Vec<Ticket> = (0..2).map(|_| wide.begin(NOW).unwrap()).collect();
    fail(&mut wide, ROW, NOW);
    let open = wide.phase();
    assert_eq!(wide.end(slow[0], Heard::Answer, NOW + 1, 0.0), None);
    assert_eq!(wide.end(slow[1], Heard::Failure, NOW + 1, 0.0), None);
    assert_eq!(wide.phase(), open);
    assert_eq!(wide.under_way(), 0);
}

#[test]
fn answers_widen_what_is_in_use_up_to_the_most_and_idleness_forgets_it() {
    let mut breaker = Breaker::new(NOW);
    for _ in 0..100 {
        let ticket = breaker.begin(NOW).unwrap();
        breaker.end(ticket, Heard::Answer, NOW, 0.0);
    }
    assert_eq!(breaker.room(NOW), ROW, "one at a time needs no more");
    for _ in 0..400 {
        let tickets: Vec<Ticket> = std::iter::from_fn(|| breaker.begin(NOW)).collect();
        assert!(tickets.len() <= MOST as usize);
        for ticket in tickets {
            breaker.end(ticket, Heard::Answer, NOW, 0.0);
        }
    }
    assert_eq!(breaker.room(NOW), MOST);
    assert_eq!(breaker.room(NOW + FORGOTTEN - 1), MOST);
    assert!(breaker.is_idle(NOW + FORGOTTEN));
    assert_eq!(breaker.room(NOW + FORGOTTEN), ROW);
    breaker.begin(NOW + FORGOTTEN).unwrap();
    assert_eq!(breaker.room(NOW + FORGOTTEN), ROW - 1);
}

#[test]
fn a_row_of_failures_is_not_forgotten_however_seldom_they_are() {
    let mut breaker = Breaker::new(NOW);
    for n in 0..i64::from(ROW) - 1 {
        assert_eq!(fail(&mut breaker, 1, NOW + n * 5 * FORGOTTEN), None);
        assert!(!breaker.is_idle(NOW + (n + 1) * 5 * FORGOTTEN));
    }
    assert_eq!(fail(&mut breaker, 1, NOW + 60 * FORGOTTEN), Some(Moved::Opened));
}

#[test]
fn a_pause_is_shorter_by_up_to_a_quarter() {
    assert_eq!(pause(0, 0.0), PAUSE);
    assert_eq!(pause(0, 1.0), PAUSE * 3 / 4);
    assert_eq!(pause(u32::MAX, 0.0), LONGEST);
}

proptest! {
    /// Whatever happens in whatever order: never more under way than the most, nothing leaves while
    /// it is open and its pause lasts, one alone tries, no row of ten failures passes unseen, and
    /// from every state an answer of the next one that tries closes it.
    #[test]
    fn nothing_leaves_that_may_not(events in prop::collection::vec((0_u8..4, 0_usize..300, 0_i64..4_000), 1..400)) {
        let mut breaker = Breaker::new(NOW);
        let mut under_way: Vec<Ticket> = Vec::new();
        let mut now = NOW;
        let mut row = 0;
        for (what, which, passed) in events {
            now += passed;
            if what == 0 {
                let (room, phase) = (breaker.room(now), breaker.phase());
                let ticket = breaker.begin(now);
                prop_assert_eq!(ticket.is_some(), room > 0);
                if let Phase::Open { until, .. } = phase {
                    prop_assert_eq!(ticket.is_some(), now >= until);
                }
                if let Phase::Probing { .. } = phase {
                    prop_assert!(ticket.is_none());
                }
                under_way.extend(ticket);
            } else if !under_way.is_empty() {
                let ticket = under_way.swap_remove(which % under_way.len());
                let heard = [Heard::Answer, Heard::Failure, Heard::Nothing][usize::from(what) - 1];
                let counts = breaker.phase() == Phase::Closed && ticket.epoch == breaker.epoch;
                let moved = breaker.end(ticket, heard, now, 0.5);
                if counts {
                    row = match heard { Heard::Answer => 0, Heard::Failure => row + 1, Heard::Nothing => row };
                    prop_assert_eq!(moved == Some(Moved::Opened), row == ROW);
                    prop_assert_eq!(breaker.phase() == Phase::Closed, row < ROW);
                }
                if breaker.phase() != Phase::Closed || matches!(moved, Some(Moved::Closed { .. })) {
                    row = 0;
                }
            }
            prop_assert_eq!(breaker.under_way() as usize, under_way.len());
            prop_assert!(breaker.under_way() <= MOST);
        }
        for ticket in under_way {
            breaker.end(ticket, Heard::Failure, now, 0.5);
        }
        if let Phase::Open { until, .. } = breaker.phase() {
            let ticket = breaker.begin(until).unwrap();
            let closed = matches!(breaker.end(ticket, Heard::Answer, until, 0.5), Some(Moved::Closed { .. }));
            prop_assert!(closed);
        }
        prop_assert_eq!(breaker.phase(), Phase::Closed);
    }
}
