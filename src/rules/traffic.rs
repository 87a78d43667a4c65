//! How much usually comes to a flow at a time of day, told from counts by quarters of an hour.

use super::alert::silence::{KEPT, QUARTER, quarter};
use crate::model::Ms;
use crate::model::time::DAY;

const QUARTERS: i64 = DAY / QUARTER;
/// An hour, in quarters: what lies around the time of day, and the least that says anything.
const HOUR: i64 = 4;

/// The spans of quarters, from the first to before the second, from which the usual rate is told:
/// an hour around this time on each day before, as far as counts go back; in a flow's first day all
/// the whole quarters since its `first`.
#[must_use]
pub fn spans(first: i64, now: Ms) -> Vec<(i64, i64)> {
    let this = quarter(now);
    let around = |day: i64| (this - day * QUARTERS - HOUR / 2, this - day * QUARTERS + HOUR / 2);
    let days: Vec<(i64, i64)> = (1..KEPT / DAY).map(around).take_while(|(from, _)| *from > first).collect();
    if !days.is_empty() {
        return days;
    }
    // The first of them is not whole.
    let since = (first + 1).max(this - QUARTERS);
    if this - since >= HOUR { vec![(since, this)] } else { Vec::new() }
}

/// How many usually come in an hour: the middle one of the spans, by their counts.
#[must_use]
pub fn usual(spans: &[(i64, i64)], counts: &[u64]) -> Option<u64> {
    let mut hours: Vec<u64> = spans
        .iter()
        .zip(counts)
        .filter_map(|((from, to), n)| {
            let quarters = u64::try_from(to - from).ok().filter(|quarters| *quarters > 0)?;
            Some((n.saturating_mul(4) + quarters / 2) / quarters)
        })
        .collect();
    hours.sort_unstable();
    hours.get(hours.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::HOUR as AN_HOUR;

    const NOW: Ms = 1_795_392_000_000 + 14 * AN_HOUR;

    #[test]
    fn a_week_of_days_says_it_by_its_middle_one() {
        let spans = spans(quarter(NOW - 9 * DAY), NOW);
        assert_eq!(spans.len(), 7);
        assert!(spans.iter().all(|(from, to)| to - from == 4));
        assert_eq!(spans[0].0, quarter(NOW - DAY) - 2);
        // One day of silence and one flood do not make the rule.
        assert_eq!(usual(&spans, &[40, 38, 0, 41, 9_000, 39, 40]), Some(40));
    }

    #[test]
    fn a_first_day_says_it_by_its_whole_quarters_and_a_first_hour_says_nothing() {
        let first = quarter(NOW - 3 * AN_HOUR);
        let one = spans(first, NOW);
        assert_eq!(one, [(first + 1, quarter(NOW))]);
        assert_eq!(usual(&one, &[110]), Some(40));
        assert!(spans(quarter(NOW - AN_HOUR), NOW).is_empty());
        assert!(spans(quarter(NOW), NOW).is_empty());
        assert_eq!(usual(&[], &[]), None);
        assert_eq!(usual(&[(5, 5)], &[7]), None, "no span is no hour");
    }

    #[test]
    fn before_its_second_time_of_day_a_flow_is_judged_by_its_last_day() {
        let spans = spans(quarter(NOW - DAY), NOW);
        assert_eq!(spans, [(quarter(NOW) - QUARTERS + 1, quarter(NOW))]);
    }
}
