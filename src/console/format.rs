//! Figures as the console shows them: thousands, sizes, durations, times of day.

use crate::model::time::{DAY, HOUR, MINUTE, Ms, SECOND};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `48,211`
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `412 B`, `1.1 KiB`, `14 KiB`: three digits at most.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if value < 9.95 { format!("{value:.1} {}", UNITS[unit]) } else { format!("{value:.0} {}", UNITS[unit]) }
}

/// `84ms`, `4.1s`, `4m02s`, `6d 23h`: two units at most.
#[must_use]
pub fn duration(ms: Ms) -> String {
    let ms = ms.max(0);
    if ms < SECOND {
        format!("{ms}ms")
    } else if ms < 10 * SECOND {
        format!("{}.{}s", ms / SECOND, ms % SECOND / 100)
    } else if ms < MINUTE {
        format!("{}s", ms / SECOND)
    } else if ms < HOUR {
        format!("{}m{:02}s", ms / MINUTE, ms % MINUTE / SECOND)
    } else if ms < DAY {
        format!("{}h {:02}m", ms / HOUR, ms % HOUR / MINUTE)
    } else {
        format!("{}d {}h", ms / DAY, ms % DAY / HOUR)
    }
}

/// A coarse duration for what ages: seconds below a minute, then minutes, hours, days.
#[must_use]
pub fn coarse(ms: Ms) -> String {
    let ms = ms.max(0);
    if ms < MINUTE {
        format!("{}s", ms / SECOND)
    } else if ms < HOUR {
        format!("{}m", ms / MINUTE)
    } else if ms < DAY {
        format!("{}h {:02}m", ms / HOUR, ms % HOUR / MINUTE)
    } else {
        format!("{}d {}h", ms / DAY, ms % DAY / HOUR)
    }
}

/// Seconds with a tenth, as the queue's age is shown: `0.4s`, above ten seconds as [`coarse`].
#[must_use]
pub fn tenths(ms: Ms) -> String {
    let ms = ms.max(0);
    if ms < 10 * SECOND { format!("{}.{}s", ms / SECOND, ms % SECOND / 100) } else { coarse(ms) }
}

/// The time of day where it is today, else the day: `14:31:55`, `18 Nov`.
#[must_use]
pub fn clock(at: Ms, now: Ms, zone: &TimeZone) -> String {
    let Ok(then) = Timestamp::from_millisecond(at) else { return "?".to_owned() };
    let then = then.to_zoned(zone.clone());
    let same_day = Timestamp::from_millisecond(now)
        .is_ok_and(|now| now.to_zoned(zone.clone()).date() == then.date());
    let pattern = if same_day { "%H:%M:%S" } else { "%-d %b" };
    then.strftime(pattern).to_string()
}

/// The time of day with milliseconds: `14:12:03.114`.
#[must_use]
pub fn precise(at: Ms, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(at)
        .map_or_else(|_| "?".to_owned(), |t| t.to_zoned(zone.clone()).strftime("%H:%M:%S.%3f").to_string())
}

/// The whole time with its zone, for details: `18 Nov 2026 14:31:55.120 +01:00`.
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

    #[test]
    fn figures() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_048_576), "1,048,576");
        assert_eq!(size(412), "412 B");
        assert_eq!(size(1000), "1.0 KiB");
        assert_eq!(size(1_126), "1.1 KiB");
        assert_eq!(size(14 * 1024), "14 KiB");
        assert_eq!(size(1_023_900), "1.0 MiB");
        assert!(size(u64::MAX).ends_with(" PiB"));
    }

    #[test]
    fn durations_have_two_units_at_most() {
        assert_eq!(duration(84), "84ms");
        assert_eq!(duration(4_120), "4.1s");
        assert_eq!(duration(242_000), "4m02s");
        assert_eq!(duration(6 * DAY + 23 * HOUR + 5), "6d 23h");
        assert_eq!(duration(-5), "0ms");
        assert_eq!(coarse(22 * MINUTE + 59_999), "22m");
        assert_eq!(tenths(430), "0.4s");
    }

    #[test]
    fn a_time_is_a_clock_today_and_a_day_before() {
        let now = 1_795_008_715_120; // 2026-11-18T13:31:55Z
        assert_eq!(clock(now, now, &TimeZone::UTC), "13:31:55");
        assert_eq!(clock(now - 10 * DAY, now, &TimeZone::UTC), "8 Nov");
        assert_eq!(clock(now - 13 * HOUR, now, &TimeZone::UTC), "00:31:55");
        assert_eq!(precise(now, &TimeZone::UTC), "13:31:55.120");
    }
}
