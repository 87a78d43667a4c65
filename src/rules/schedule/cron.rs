//! Five fields of cron, and the times that they mean in a zone.
//!
//! Fields are those of crontab(5): lists, ranges, steps and names. Where both days are restricted,
//! one of them is enough.
//!
//! Clocks that are put forward or back: where minute *and* hour are given in figures, the tick of a
//! day comes exactly once (at the end of the gap, or in the first of the two hours). Where one of
//! them begins with `*`, ticks follow the clock: none in the gap, and those of the hour that comes
//! twice come twice, so that `*/15 * * * *` is every fifteen minutes all day.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

/// Days that are looked through: past the next two 29ths of February, also over 2100.
const DAYS: usize = 366 * 13;

/// The fields, and what they may hold.
const FIELDS: [Field; 5] = [
    Field { what: "minute", low: 0, high: 59, names: &[] },
    Field { what: "hour", low: 0, high: 23, names: &[] },
    Field { what: "day", low: 1, high: 31, names: &[] },
    Field {
        what: "month",
        low: 1,
        high: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    Field { what: "weekday", low: 0, high: 7, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

struct Field {
    what: &'static str,
    low: u32,
    high: u32,
    names: &'static [&'static str],
}

/// An expression, read: a bit a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Both days are restricted: one of them is enough.
    either: bool,
    /// Minute or hour begins with `*`.
    follows: bool,
}

impl Cron {
    /// Reads five fields.
    ///
    /// # Errors
    /// Where, what is wrong with which field, and what to write.
    pub(super) fn read(text: &str) -> Result<Self, (usize, String)> {
        let parts: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, _, weekday] = parts.as_slice() else {
            let n = parts.len();
            let s = if n == 1 { "" } else { "s" };
            return Err((
                0,
                format!(
                    "cron {text:?} has {n} field{s}: write five, minute hour day month weekday, as in \"0 6 * * *\""
                ),
            ));
        };
        let mut sets = [0; 5];
        for ((set, field), part) in sets.iter_mut().zip(&FIELDS).zip(&parts) {
            let at = part.as_ptr().addr() - text.as_ptr().addr();
            *set = field.read(part).map_err(|message| (at, message))?;
        }
        let [minutes, hours, days, months, weekdays] = sets;
        // Sunday is 0 and 7.
        let weekdays = (weekdays | weekdays >> 7) & 0x7f;
        let star = |text: &str| text.starts_with('*');
        Ok(Self {
            minutes,
            hours,
            days,
            months,
            weekdays,
            either: !star(day) && !star(weekday),
            follows: star(minute) || star(hour),
        })
    }

    /// The first tick after a moment; `None` where none comes within the next years.
    pub(super) fn after(&self, time: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        if self.follows { self.next_minute(time, zone) } else { self.next_day(time, zone) }
    }

    fn on(&self, date: Date) -> bool {
        let day = bit(self.days, date.day());
        let weekday = bit(self.weekdays, date.weekday().to_sunday_zero_offset());
        bit(self.months, date.month()) && if self.either { day || weekday } else { day && weekday }
    }

    /// Ticks of a day by the figures on the wall: each once.
    fn next_day(&self, time: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut date = zone.to_datetime(time).date();
        for _ in 0..DAYS {
            if self.on(date) {
                for hour in (0..24).filter(|hour| bit(self.hours, *hour)) {
                    for minute in (0..60).filter(|minute| bit(self.minutes, *minute)) {
                        let at = instant(date.to_datetime(Time::new(hour, minute, 0, 0).ok()?), zone)?;
                        if at > time {
                            return Some(at);
                        }
                    }
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// Ticks by the minutes that really come.
    fn next_minute(&self, time: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let step = |at: Timestamp, seconds: i64| at.checked_add(SignedDuration::from_secs(seconds)).ok();
        let begin = zone.to_datetime(time);
        let mut at = Timestamp::from_second(time.as_second()).ok()?;
        at = step(at, 60 - i64::from(begin.second()))?;
        let last = begin.date().checked_add(i64::try_from(DAYS).unwrap_or(i64::MAX).days()).ok()?;
        loop {
            let local = zone.to_datetime(at);
            if local.date() > last {
                return None;
            }
            let minute = i64::from(local.minute());
            at = if local.second() != 0 {
                // A zone of old whose offset is no whole minute.
                step(at, 60 - i64::from(local.second()))?
            } else if !self.on(local.date()) {
                let next = local.date().tomorrow().ok()?.to_zoned(zone.clone()).ok()?.timestamp();
                if next > at { next } else { step(at, 3_600)? }
            } else if !bit(self.hours, local.hour()) {
                step(at, 60 * (60 - minute))?
            } else if !bit(self.minutes, local.minute()) {
                step(at, 60)?
            } else {
                return Some(at);
            };
        }
    }
}

fn bit(set: u64, value: i8) -> bool {
    u32::try_from(value).is_ok_and(|value| set >> value & 1 == 1)
}

/// When the clock on the wall shows this: in the first of two hours, at the end of a gap.
fn instant(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => {
            let past = ambiguous.later().ok()?.checked_add(SignedDuration::from_secs(1)).ok()?;
            zone.preceding(past).next().map(|transition| transition.timestamp())
        }
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
    }
}

impl Field {
    fn read(&self, text: &str) -> Result<u64, String> {
        text.split(',').try_fold(0, |set, item| Ok(set | self.item(item)?))
    }

    fn item(&self, text: &str) -> Result<u64, String> {
        let what = self.what;
        let (range, step) = match text.split_once('/') {
            None => (text, 1),
            Some((range, step)) => {
                let number = step.parse().ok().filter(|step| (1..=self.high).contains(step));
                let wrong = || {
                    format!("the {what} {text:?} of cron has no step: write a number from 1 after the slash")
                };
                (range, number.ok_or_else(wrong)?)
            }
        };
        let (low, high) = match range.split_once('-') {
            _ if range == "*" => (self.low, self.high),
            Some((low, high)) => (self.value(low, text)?, self.value(high, text)?),
            None if text.contains('/') => {
                return Err(format!(
                    "the {what} {text:?} of cron is a step without a range: write \"*/{step}\" or \"{range}-{}/{step}\"",
                    self.high
                ));
            }
            None => {
                let value = self.value(range, text)?;
                (value, value)
            }
        };
        if low > high {
            return Err(format!("the {what} {text:?} of cron goes backwards: write two ranges with a comma"));
        }
        let step = usize::try_from(step).unwrap_or(1);
        Ok((low..=high).step_by(step).fold(0, |set, value| set | 1 << value))
    }

    fn value(&self, text: &str, whole: &str) -> Result<u32, String> {
        let by_name = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match by_name {
            Some(at) => u32::try_from(at).ok().map(|at| at + self.low),
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            None => None,
        };
        value.filter(|value| (self.low..=self.high).contains(value)).ok_or_else(|| {
            let names = match self.names {
                [first, .., last] => format!(" or {first} to {last}"),
                _ => String::new(),
            };
            format!(
                "the {} {whole:?} of cron is not possible: write {} to {}{names}, *, or lists, ranges and steps of them",
                self.what, self.low, self.high
            )
        })
    }
}
