//! How many in a time: `50/s`.

use super::Ms;
use super::time::{HOUR, MINUTE, SECOND};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// `50/s`: so many in a second, a minute or an hour. As JSON it is that text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RateLimit {
    /// Of one unit; at least one where it is used.
    pub count: u32,
    /// The unit: a second, a minute or an hour.
    pub per: Ms,
}

/// A text that is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no rate: write \"50/s\", \"600/m\" or \"1000/h\"")]
pub struct NoRate(String);

impl FromStr for RateLimit {
    type Err = NoRate;

    fn from_str(text: &str) -> Result<Self, NoRate> {
        let read = || {
            let (count, unit) = text.split_once('/')?;
            let per = match unit.trim() {
                "s" => SECOND,
                "m" => MINUTE,
                "h" => HOUR,
                _ => return None,
            };
            let count = count.trim();
            let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
            Some(Self { count: count.parse().ok().filter(|_| digits)?, per })
        };
        read().ok_or_else(|| NoRate(text.to_owned()))
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per {
            HOUR => 'h',
            MINUTE => 'm',
            _ => 's',
        };
        write!(f, "{}/{unit}", self.count)
    }
}

impl From<RateLimit> for String {
    fn from(rate: RateLimit) -> Self {
        rate.to_string()
    }
}

impl TryFrom<String> for RateLimit {
    type Error = NoRate;

    fn try_from(text: String) -> Result<Self, NoRate> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_a_slash_and_a_unit() {
        for (text, count, per) in [("50/s", 50, SECOND), (" 600 / m ", 600, MINUTE), ("1000/h", 1_000, HOUR)]
        {
            let rate: RateLimit = text.parse().unwrap();
            assert_eq!(rate, RateLimit { count, per });
            assert_eq!(rate.to_string().parse(), Ok(rate));
        }
        for wrong in ["50", "/s", "50/d", "+5/s", "-5/s", "5.5/s", "99999999999/s", ""] {
            assert!(wrong.parse::<RateLimit>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn as_json_it_is_its_text() {
        let rate = RateLimit { count: 50, per: SECOND };
        assert_eq!(serde_json::to_string(&rate).unwrap(), "\"50/s\"");
        assert_eq!(serde_json::from_str::<RateLimit>("\"50/s\"").unwrap(), rate);
        assert!(serde_json::from_str::<RateLimit>("\"fast\"").is_err());
    }
}
