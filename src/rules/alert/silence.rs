//! When an endpoint that usually gets requests has gone silent.
//!
//! What is usual is what came at the same time of day in the last seven days, counted by quarters of
//! an hour. A silence is told where by that at least [`EXPECTED`] requests should have come in it. With
//! a week of history both the middle of the seven days and the same day of the week must say so: then
//! neither nights nor weekends are silences.

use crate::model::Ms;
use crate::model::time::{DAY, MINUTE};

/// How finely requests are counted.
pub const QUARTER: Ms = 15 * MINUTE;
/// How long counts are kept.
pub const KEPT: Ms = 8 * DAY;
/// Requests that should have come during a silence. Of requests that come at random one silence in
/// twenty thousand is as long as that by chance.
pub const EXPECTED: u64 = 10;
/// Requests in the history, at least: what got fewer has no usual rate.
pub const SEEN: u64 = 50;

/// Days that are looked back.
const DAYS: i64 = 7;
const QUARTERS: i64 = DAY / QUARTER;

/// How many requests came in a quarter of an hour: its number since 1970, and the count.
pub type Count = (i64, u64);

/// The quarter that a time lies in.
#[must_use]
pub fn quarter(at: Ms) -> i64 {
    at.div_euclid(QUARTER)
}

/// Whether a silence is worth a look at the history: it has a whole quarter in it.
#[must_use]
pub fn is_long(since: Ms, now: Ms) -> bool {
    let (first, end) = whole(since, now);
    first < end
}

/// The whole quarters between two times.
fn whole(since: Ms, now: Ms) -> (i64, i64) {
    (quarter(since + QUARTER - 1), quarter(now))
}

/// How many requests usually come in the time from `since` to `now`, in which none came, where that
/// is enough to call it a silence. `history` is in the order of time.
#[must_use]
pub fn silent(history: &[Count], since: Ms, now: Ms) -> Option<u64> {
    let (first, end) = whole(since, now);
    let begin = history.first()?.0;
    if first >= end || history.iter().map(|(_, n)| n).sum::<u64>() < SEEN {
        return None;
    }
    let between = |from: i64, to: i64| -> u64 {
        let start = history.partition_point(|(quarter, _)| *quarter < from);
        history[start..].iter().take_while(|(quarter, _)| *quarter < to).map(|(_, n)| n).sum()
    };
    let mut days: Vec<u64> = (1..=DAYS)
        .map(|day| (first - day * QUARTERS, end - day * QUARTERS))
        .take_while(|(from, _)| *from >= begin)
        .map(|(from, to)| between(from, to))
        .collect();
    let week = days.get(usize::try_from(DAYS - 1).ok()?).copied();
    days.sort_unstable();
    let middle = *days.get(days.len().checked_sub(1)? / 2)?;
    let usual = week.map_or(middle, |week| week.min(middle));
    (usual >= EXPECTED).then_some(usual)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::HOUR;
    use proptest::prelude::*;

    /// Monday, 00:00 UTC.
    const MONDAY: Ms = 1_795_392_000_000;

    /// So many requests in each quarter of the days before `now` for which `comes` says so.
    fn history(now: Ms, days: i64, n: u64, comes: impl Fn(Ms) -> bool) -> Vec<Count> {
        let all = quarter(now - days * DAY)..quarter(now);
        all.filter(|quarter| comes(quarter * QUARTER)).map(|quarter| (quarter, n)).collect()
    }

    fn workday(at: Ms) -> bool {
        (at - MONDAY).rem_euclid(7 * DAY) < 5 * DAY && (8..18).contains(&(at.rem_euclid(DAY) / HOUR))
    }

    #[test]
    fn a_steady_endpoint_is_silent_after_as_long_as_ten_requests_take() {
        let now = MONDAY + 3 * DAY;
        let all = history(now, 7, 2, |_| true);
        assert_eq!(silent(&all, now, now + HOUR), None);
        assert_eq!(silent(&all, now, now + 5 * QUARTER - 1), None);
        assert_eq!(silent(&all, now, now + 5 * QUARTER), Some(10));
        // What came in the quarter in which the silence began is no part of it.
        assert_eq!(silent(&all, now + 1, now + 5 * QUARTER), None);
    }

    #[test]
    fn nights_and_weekends_are_no_silence_and_a_working_day_is() {
        let at = |day: i64, hour: i64| MONDAY + 7 * DAY + day * DAY + hour * HOUR;
        let all = |now: Ms| history(now, 8, 5, workday);
        // From Friday evening to Monday morning.
        let friday = at(4, 18);
        for hour in 0..62 {
            assert_eq!(silent(&all(friday), friday, friday + hour * HOUR), None, "{hour}");
        }
        // Monday at noon: nothing since Friday. Weekends are in the week before as well.
        assert!(silent(&all(friday), friday, at(7, 9)).is_some());
        // Wednesday morning.
        let tuesday = at(1, 18);
        assert_eq!(silent(&all(tuesday), tuesday, at(2, 8)), None);
        assert!(silent(&all(tuesday), tuesday, at(2, 9)).is_some());
    }

    #[test]
    fn a_quiet_or_a_new_endpoint_is_never_silent() {
        let now = MONDAY + 2 * DAY;
        assert_eq!(silent(&[], now, now + DAY), None);
        let few = history(now, 7, 1, |at| at.rem_euclid(DAY) < 6 * QUARTER);
        assert_eq!(few.iter().map(|(_, n)| n).sum::<u64>(), 42);
        assert_eq!(silent(&few, now, now + DAY), None);
        let new = history(now, 1, 100, |at| at > now - 20 * HOUR);
        assert_eq!(silent(&new, now, now + 2 * HOUR), None, "yesterday at this time it was not there");
    }

    #[test]
    fn one_day_of_history_is_enough() {
        let now = MONDAY + 2 * DAY;
        assert_eq!(silent(&history(now, 1, 100, |_| true), now, now + QUARTER), Some(100));
    }

    proptest! {
        #[test]
        fn a_silence_is_called_only_by_what_came_at_its_time_of_day(
            counts in prop::collection::btree_map(0_i64..8 * QUARTERS, 1_u64..200, 0..300),
            since in 0_i64..DAY, long in 0_i64..2 * DAY,
        ) {
            let end = 8 * QUARTERS;
            let since = end * QUARTER + since;
            let history: Vec<Count> = counts.into_iter().collect();
            let usual = silent(&history, since, since + long);
            prop_assert!(usual.is_none_or(|n| n >= EXPECTED));
            prop_assert!(usual.is_none() || long >= QUARTER);
            prop_assert!(usual.is_none() || history.iter().map(|(_, n)| n).sum::<u64>() >= SEEN);
            // Twice as many requests never make it less of a silence.
            let twice: Vec<Count> = history.iter().map(|(quarter, n)| (*quarter, n * 2)).collect();
            prop_assert!(usual.is_none() || silent(&twice, since, since + long) >= usual);
        }
    }
}
