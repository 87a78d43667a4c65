//! What is left until a deadline, or how late it is: a figure that changes by the second under a
//! minute, else by the minute or the hour, and when it changes next.

use super::format::age;
use crate::model::time::{DAY, HOUR, MINUTE, Ms, SECOND};

/// The figure (`38m`, `6d 23h`, `22m late`), and after how many milliseconds it is another one.
#[must_use]
pub fn figure(deadline: Ms, now: Ms) -> (String, Ms) {
    let left = deadline.saturating_sub(now);
    let unit = match left.saturating_abs() {
        ..MINUTE => SECOND,
        MINUTE..DAY => MINUTE,
        _ => HOUR,
    };
    // Under a second it stays what it is for the rest of it.
    let whole = |ms: Ms| if ms < SECOND { "0s".to_owned() } else { age(ms) };
    if left >= 0 {
        (whole(left), left % unit + 1)
    } else {
        let late = left.saturating_neg();
        (format!("{} late", whole(late)), unit - late % unit)
    }
}

/// The same in a sentence: `in 38m`, `22m ago`.
#[must_use]
pub fn words(deadline: Ms, now: Ms) -> String {
    let (text, _) = figure(deadline, now);
    match text.strip_suffix(" late") {
        Some(late) => format!("{late} ago"),
        None => format!("in {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_stands_until_the_time_that_it_says() {
        let mut now = -3 * DAY - 5 * HOUR;
        let end = 2 * HOUR;
        let mut changes = 0;
        while now < end {
            let (text, after) = figure(0, now);
            assert!(after > 0, "{text}");
            assert_eq!(figure(0, now + after - 1).0, text, "{now}");
            assert_ne!(figure(0, now + after).0, text, "{now}");
            now += after;
            changes += 1;
        }
        // By the hour, by the minute, and by the second only around the deadline.
        assert!(changes < 53 + 24 * 60 + 2 * 60 + 2 * 60 + 8, "{changes}");
    }

    #[test]
    fn figures_have_two_units_at_most() {
        for (left, text, words) in [
            (38 * MINUTE + 59_000, "38m", "in 38m"),
            (7 * DAY - 1, "6d 23h", "in 6d 23h"),
            (59_999, "59s", "in 59s"),
            (0, "0s", "in 0s"),
            (-1, "0s late", "0s ago"),
            (-22 * MINUTE, "22m late", "22m ago"),
            (-3 * HOUR, "3h00m late", "3h00m ago"),
        ] {
            assert_eq!((figure(left, 0).0.as_str(), super::words(left, 0).as_str()), (text, words));
        }
    }
}
