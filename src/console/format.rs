//! Times as the console shows them: a clock where it is today, else the day.

pub use crate::text::{age, count, size, took};

use crate::model::time::Ms;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The time of day where it is today, else the day: `14:31:55`, `18 Nov`.
#[must_use]
pub fn clock(at: Ms, now: Ms, zone: &TimeZone) -> String {
    let (Ok(then), Ok(now)) = (Timestamp::from_millisecond(at), Timestamp::from_millisecond(now)) else {
        return "?".to_owned();
    };
    let then = then.to_zoned(zone.clone());
    if now.to_zoned(zone.clone()).date() == then.date() {
        // By hand: lists draw hundreds of these.
        format!("{:02}:{:02}:{:02}", then.hour(), then.minute(), then.second())
    } else {
        then.strftime("%-d %b").to_string()
    }
}

/// The minute of the day where it is today, else with the day: `14:05`, `18 Nov 14:05`.
#[must_use]
pub fn minute(at: Ms, now: Ms, zone: &TimeZone) -> String {
    let (Ok(then), Ok(now)) = (Timestamp::from_millisecond(at), Timestamp::from_millisecond(now)) else {
        return "?".to_owned();
    };
    let then = then.to_zoned(zone.clone());
    let today = now.to_zoned(zone.clone()).date() == then.date();
    then.strftime(if today { "%H:%M" } else { "%-d %b %H:%M" }).to_string()
}

/// The time of day with milliseconds, for timelines: `14:12:03.114`.
#[must_use]
pub fn precise(at: Ms, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(at)
        .map_or_else(|_| "?".to_owned(), |t| t.to_zoned(zone.clone()).strftime("%H:%M:%S.%3f").to_string())
}

/// Day and time of day, for a sentence: `18 Nov 14:10:02`.
#[must_use]
pub fn when(at: Ms, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(at)
        .map_or_else(|_| "?".to_owned(), |t| t.to_zoned(zone.clone()).strftime("%-d %b %H:%M:%S").to_string())
}

/// The whole time with its offset, for details: `18 Nov 2026 14:31:55.120 +01:00`.
#[must_use]
pub fn exact(at: Ms, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(at).map_or_else(
        |_| "?".to_owned(),
        |t| t.to_zoned(zone.clone()).strftime("%-d %b %Y %H:%M:%S.%3f %:z").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::{DAY, HOUR};

    #[test]
    fn a_time_is_a_clock_today_and_a_day_before() {
        let now = 1_795_008_715_120; // 2026-11-18T13:31:55.120Z
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!(clock(now, now, &TimeZone::UTC), "13:31:55");
        assert_eq!(clock(now, now, &zone), "14:31:55");
        assert_eq!(clock(now - 10 * DAY, now, &TimeZone::UTC), "8 Nov");
        assert_eq!(clock(now - 13 * HOUR, now, &TimeZone::UTC), "00:31:55");
        assert_eq!(precise(now, &TimeZone::UTC), "13:31:55.120");
        assert_eq!(when(now, &zone), "18 Nov 14:31:55");
        assert_eq!(exact(now, &zone), "18 Nov 2026 14:31:55.120 +01:00");
        assert_eq!(clock(i64::MAX, now, &zone), "?");
        assert_eq!(minute(now, now, &zone), "14:31");
        assert_eq!(minute(now - DAY, now, &zone), "17 Nov 14:31");
        assert_eq!(minute(i64::MAX, now, &zone), "?");
    }
}
