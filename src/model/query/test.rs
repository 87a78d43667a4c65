//! One comparison of a filter.

use super::field::{Kind, nearest};
use super::{Field, Row, quoted};
use crate::model::Ms;
use crate::model::decimal::Decimal;
use crate::model::time::{parse_duration, parse_rfc3339, rfc3339};
use regex::{Regex, RegexBuilder};
use serde_json::Value;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// How values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `:` contains; equals for states, verdicts and ids.
    Has,
    /// `=`
    Equals,
    /// `!=`
    Differs,
    /// `~`, a regular expression.
    Matches,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

impl Op {
    /// Every operator, longer texts before their beginnings.
    pub(super) const ALL: [Self; 8] = [
        Self::Differs,
        Self::AtLeast,
        Self::AtMost,
        Self::Has,
        Self::Equals,
        Self::Matches,
        Self::Above,
        Self::Below,
    ];

    /// As it is written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Has => ":",
            Self::Equals => "=",
            Self::Differs => "!=",
            Self::Matches => "~",
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
        }
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Above => order.is_gt(),
            Self::AtLeast => order.is_ge(),
            Self::Below => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Has | Self::Equals | Self::Matches => order.is_eq(),
            Self::Differs => order.is_ne(),
        }
    }
}

/// One comparison.
#[derive(Debug, Clone)]
pub struct Test {
    /// What is compared.
    pub field: Field,
    /// How.
    pub op: Op,
    /// With what: as written, but states in full and times as RFC 3339.
    pub value: String,
    /// The compiled expression of [`Op::Matches`].
    pub regex: Option<Regex>,
    lower: String,
    number: Option<Decimal>,
    time: Option<Ms>,
}

/// Bytes that a compiled expression may take.
const REGEX_SIZE: usize = 1 << 18;
/// Digits that an id's ending has at least.
const ID_DIGITS: usize = 6;

impl Test {
    /// A comparison; times like `15m` count back from `now`.
    ///
    /// # Errors
    /// What is wrong with the value, and what was perhaps meant.
    pub fn new(field: Field, op: Op, value: &str, now: Ms) -> Result<Self, String> {
        let mut value = value.to_owned();
        let (mut regex, mut number, mut time) = (None, None, None);
        match (op, field.kind()) {
            (Op::Matches, _) => {
                let built =
                    RegexBuilder::new(&value).size_limit(REGEX_SIZE).dfa_size_limit(REGEX_SIZE).build();
                regex = Some(built.map_err(|error| wrong_regex(&value, &error))?);
            }
            (Op::Has | Op::Equals | Op::Differs, Kind::Word) => value = word(&field, &value)?,
            (Op::Above | Op::AtLeast | Op::Below | Op::AtMost, Kind::Word | Kind::Id) => {
                return Err(format!("{field} has no order; did you mean {field}:{}?", quoted(&value)));
            }
            (_, Kind::Id) if digits(&value).len() < ID_DIGITS => {
                return Err(format!(
                    "six digits or more of an id's end are expected after {field}{}",
                    op.text()
                ));
            }
            (Op::Above | Op::AtLeast | Op::Below | Op::AtMost, Kind::Time) => {
                let at = read_time(&value, now)?.0;
                value = rfc3339(at);
                time = Some(at);
            }
            (_, Kind::Plain) => {
                number = Decimal::parse(&value);
                if number.is_none() && field.counts() {
                    return Err(format!("{field} is a number; {} is none", quoted(&value)));
                }
            }
            (_, Kind::Id | Kind::Time) => {}
        }
        Ok(Self { lower: value.to_lowercase(), field, op, value, regex, number, time })
    }

    /// Whether a row passes. Of several values one must; a missing one passes `!=` alone.
    #[must_use]
    pub fn matches(&self, row: &dyn Row) -> bool {
        let found = match &self.field {
            Field::Name(name) => row.named(name).iter().any(|text| self.holds(text, true)),
            Field::Path(path) => {
                row.at(path).iter().any(|value| self.holds(&text_of(value), value.is_number()))
            }
        };
        found != (self.op == Op::Differs)
    }

    /// Whether a value passes; for `!=`, whether it equals. `number` says that it may be a number.
    fn holds(&self, text: &str, number: bool) -> bool {
        match (self.op, self.field.kind()) {
            (Op::Matches, _) => self.regex.as_ref().is_some_and(|regex| regex.is_match(text)),
            (_, Kind::Word) => text == self.value,
            (_, Kind::Id) => digits(text).ends_with(&digits(&self.value)),
            (Op::Has, _) => contains(text, &self.lower),
            (Op::Equals | Op::Differs, _) => {
                text == self.value || number && self.number.is_some() && Decimal::parse(text) == self.number
            }
            (Op::Above | Op::AtLeast | Op::Below | Op::AtMost, _) => self.order(text),
        }
    }

    fn order(&self, text: &str) -> bool {
        if let Some(wanted) = self.time {
            return parse_rfc3339(text).is_some_and(|at| self.op.holds(at.cmp(&wanted)));
        }
        match (&self.number, Decimal::parse(text)) {
            (Some(wanted), Some(found)) => self.op.holds(found.cmp(wanted)),
            (None, None) => self.op.holds(text.cmp(&self.value)),
            _ => false,
        }
    }
}

impl PartialEq for Test {
    fn eq(&self, other: &Self) -> bool {
        self.field == other.field && self.op == other.op && self.value == other.value
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.field, self.op.text(), quoted(&self.value))
    }
}

/// Whether a text contains a lower-cased word, whatever its case.
#[must_use]
pub fn contains(text: &str, lower: &str) -> bool {
    if text.is_ascii() {
        if !lower.is_ascii() || lower.len() > text.len() {
            return false;
        }
        let (text, lower) = (text.as_bytes(), lower.as_bytes());
        return lower.is_empty() || text.windows(lower.len()).any(|part| part.eq_ignore_ascii_case(lower));
    }
    text.to_lowercase().contains(lower)
}

/// The digits of an id or of its end, in lower case; empty where it has others.
fn digits(id: &str) -> String {
    let digits: String = id.chars().filter(|c| *c != '-').collect();
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        digits.to_ascii_lowercase()
    } else {
        String::new()
    }
}

/// A word of a closed set, in full.
fn word(field: &Field, value: &str) -> Result<String, String> {
    let lower = value.to_ascii_lowercase();
    // Lists write it so.
    if lower == "with_skips" {
        return Ok("succeeded_with_skips".to_owned());
    }
    let words = field.words();
    if words.contains(&lower.as_str()) {
        return Ok(lower);
    }
    let meant = nearest(&lower, words.iter().copied());
    Err(match meant {
        Some(meant) => format!("there is no {field} {value}; did you mean {meant}?"),
        None => format!("there is no {field} {value}; there are {}", words.join(", ")),
    })
}

/// A time as filters write it, as the first and last millisecond that it means: a duration back
/// from `now`, a day (UTC), or RFC 3339 (without a zone: UTC).
pub(super) fn read_time(text: &str, now: Ms) -> Result<(Ms, Ms), String> {
    if let Some(at) = parse_rfc3339(text) {
        return Ok((at, at));
    }
    if let Ok(back) = parse_duration(text) {
        let at = now.saturating_sub(back);
        return Ok((at, at));
    }
    if let Ok(day) = text.parse::<jiff::civil::Date>()
        && text.len() == 10
        && let Some(at) = parse_rfc3339(&format!("{day}T00:00:00Z"))
    {
        return Ok((at, at + crate::model::time::DAY - 1));
    }
    if let Ok(time) = text.parse::<jiff::civil::DateTime>()
        && let Some(at) = parse_rfc3339(&format!("{time}Z"))
    {
        return Ok((at, at));
    }
    Err(format!("{text} is no time: write 15m, 2026-11-18 or 2026-11-18T13:31:55Z"))
}

fn wrong_regex(value: &str, error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => format!("the expression {value} is too large"),
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("{value} is no regular expression: {last}")
        }
    }
}

/// A scalar's text, another value as JSON: what `:` and `~` look at.
#[must_use]
pub fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Number(number) => Cow::Borrowed(number.as_str()),
        other => Cow::Owned(other.to_string()),
    }
}
