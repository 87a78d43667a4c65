//! Time as the engine counts it: milliseconds since 1970, printed as RFC 3339.

use jiff::Timestamp;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Ms = i64;

/// One second, minute, hour and day in milliseconds.
pub const SECOND: Ms = 1_000;
/// One minute in milliseconds.
pub const MINUTE: Ms = 60 * SECOND;
/// One hour in milliseconds.
pub const HOUR: Ms = 60 * MINUTE;
/// One day in milliseconds.
pub const DAY: Ms = 24 * HOUR;

/// Prints a time as RFC 3339 in UTC with milliseconds: `2026-11-18T13:31:55.120Z`.
#[must_use]
pub fn rfc3339(at: Ms) -> String {
    Timestamp::from_millisecond(at)
        .map_or_else(|_| at.to_string(), |t| t.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

/// Reads an RFC 3339 time, with any offset.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<Ms> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// Reads a duration as documents and flags write it: a whole number and a unit of `ms s m h d w`.
///
/// A bare number is refused: `timeout = 10` would leave the reader guessing.
///
/// # Errors
/// A sentence that says what a duration looks like.
pub fn parse_duration(text: &str) -> Result<Ms, String> {
    let text = text.trim();
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "ms" => 1,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        "w" => 7 * DAY,
        "" => {
            return Err(format!("a duration needs a unit: \"{text}s\", \"5m\", \"7d\""));
        }
        _ => {
            return Err(format!("{text:?} is not a duration: write \"10s\", \"5m\", \"7d\""));
        }
    };
    let number: Ms =
        number.parse().map_err(|_| format!("{text:?} is not a duration: write \"10s\", \"5m\", \"7d\""))?;
    number.checked_mul(scale).ok_or_else(|| format!("{text:?} is longer than can be counted"))
}

/// Spells a duration (milliseconds) as [`parse_duration`] reads it, in its largest whole unit of `ms s
/// m h d`: `7d`, `90s`.
#[must_use]
pub fn spell_duration(ms: Ms) -> String {
    [(DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s")]
        .into_iter()
        .find(|(unit, _)| ms >= *unit && ms % unit == 0)
        .map_or_else(|| format!("{ms}ms"), |(unit, word)| format!("{}{word}", ms / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_spelled_in_their_largest_unit_and_read_back() {
        for (ms, text) in [(7 * DAY, "7d"), (90 * SECOND, "90s"), (2 * HOUR, "2h"), (1_500, "1500ms")] {
            assert_eq!(spell_duration(ms), text);
            assert_eq!(parse_duration(text), Ok(ms));
        }
    }

    #[test]
    fn times_print_with_milliseconds_and_read_back() {
        assert_eq!(rfc3339(1_795_008_715_120), "2026-11-18T13:31:55.120Z");
        assert_eq!(parse_rfc3339("2026-11-18T14:31:55.120+01:00"), Some(1_795_008_715_120));
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(parse_duration("7d"), Ok(7 * DAY));
        assert_eq!(parse_duration("500ms"), Ok(500));
        assert!(parse_duration("10").unwrap_err().contains("needs a unit"));
        assert!(parse_duration("ten").is_err());
        assert!(parse_duration("99999999999999999d").is_err());
    }
}
