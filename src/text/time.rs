//! Durations of two units at most, and clock times at an offset.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How long something took, in milliseconds: `84ms`, `4.1s`, `31s`, `4m02s`, `2h05m`, `6d 23h`.
/// Never rounded up into the next unit; a negative one counts as 0.
#[must_use]
pub fn took(ms: i64) -> String {
    let ms = ms.max(0);
    match ms {
        ..SECOND => format!("{ms}ms"),
        SECOND..10_000 => format!("{}.{}s", ms / SECOND, ms % SECOND / 100),
        10_000..MINUTE => format!("{}s", ms / SECOND),
        MINUTE..HOUR => format!("{}m{:02}s", ms / MINUTE, ms % MINUTE / SECOND),
        HOUR..DAY => format!("{}h{:02}m", ms / HOUR, ms % HOUR / MINUTE),
        _ => days(ms),
    }
}

/// How old something is, or how long it has left, in milliseconds; it changes by the second only
/// under a minute: `0.4s`, `14s`, `38m`, `2h05m`, `6d 23h`. A negative one counts as 0.
#[must_use]
pub fn age(ms: i64) -> String {
    let ms = ms.max(0);
    match ms {
        ..SECOND => format!("0.{}s", ms / 100),
        SECOND..MINUTE => format!("{}s", ms / SECOND),
        MINUTE..HOUR => format!("{}m", ms / MINUTE),
        HOUR..DAY => format!("{}h{:02}m", ms / HOUR, ms % HOUR / MINUTE),
        _ => days(ms),
    }
}

fn days(ms: i64) -> String {
    format!("{}d {}h", ms / DAY, ms % DAY / HOUR)
}

/// The time of day (`14:31:55`) of a time (epoch milliseconds) at an offset (seconds east of UTC).
#[must_use]
pub fn clock(at: i64, offset: i32) -> String {
    show(at, offset, "%H:%M:%S")
}

/// [`clock`] with milliseconds: `14:31:55.120`.
#[must_use]
pub fn clock_ms(at: i64, offset: i32) -> String {
    show(at, offset, "%H:%M:%S.%3f")
}

/// The day of a time at an offset: `18 Nov`.
#[must_use]
pub fn day(at: i64, offset: i32) -> String {
    show(at, offset, "%-d %b")
}

/// [`day`] with its weekday: `Wed 18 Nov`.
#[must_use]
pub fn weekday(at: i64, offset: i32) -> String {
    show(at, offset, "%a %-d %b")
}

fn show(at: i64, offset: i32, format: &str) -> String {
    // A time that no calendar has is shown as the number it is.
    civil(at, offset).map_or_else(|| at.to_string(), |time| time.strftime(format).to_string())
}

fn civil(at: i64, offset: i32) -> Option<DateTime> {
    let offset = Offset::from_seconds(offset).ok()?;
    Some(offset.to_datetime(Timestamp::from_millisecond(at).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        for (ms, text) in [
            (-5, "0ms"),
            (0, "0ms"),
            (84, "84ms"),
            (999, "999ms"),
            (1_000, "1.0s"),
            (4_199, "4.1s"),
            (9_999, "9.9s"),
            (10_000, "10s"),
            (59_999, "59s"),
            (60_000, "1m00s"),
            (242_000, "4m02s"),
            (HOUR - 1, "59m59s"),
            (HOUR, "1h00m"),
            (2 * HOUR + 5 * MINUTE, "2h05m"),
            (DAY - 1, "23h59m"),
            (DAY, "1d 0h"),
            (7 * DAY - 1, "6d 23h"),
            (400 * DAY, "400d 0h"),
        ] {
            assert_eq!(took(ms), text, "{ms}");
        }
    }

    #[test]
    fn ages_change_by_the_minute_from_a_minute_on() {
        for (ms, text) in [
            (-1, "0.0s"),
            (412, "0.4s"),
            (1_000, "1s"),
            (59_999, "59s"),
            (60_000, "1m"),
            (119_999, "1m"),
            (38 * MINUTE, "38m"),
            (3 * HOUR, "3h00m"),
            (7 * DAY - 1, "6d 23h"),
        ] {
            assert_eq!(age(ms), text, "{ms}");
        }
    }

    #[test]
    fn clocks_follow_the_offset() {
        let at = 1_795_008_715_120; // 2026-11-18T13:31:55.120Z, a Wednesday
        assert_eq!(clock(at, 0), "13:31:55");
        assert_eq!(clock(at, 3_600), "14:31:55");
        assert_eq!(clock_ms(at, -5 * 3_600 - 1_800), "08:01:55.120");
        assert_eq!((day(at, 0), weekday(at, 0)), ("18 Nov".into(), "Wed 18 Nov".into()));
        assert_eq!(day(at, 11 * 3_600), "19 Nov");
        assert_eq!(clock(i64::MAX, 0), i64::MAX.to_string());
        assert_eq!(clock(at, i32::MAX), at.to_string());
    }
}
