//! Schedules: when the next tick comes, and what is made of ticks that nobody was there for.
//!
//! Zones are those of the IANA database inside the program: what a schedule means is the same on
//! every machine, and nothing is read to know it.

mod cron;

use crate::model::Ms;
use crate::model::gate::{Pause, Pausing};
use crate::model::schedule::Schedule;
use cron::Cron;
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Missed ticks are counted up to so many.
pub const MOST_MISSED: u32 = 1_000;
/// Windows that are looked through for the last tick, from now back: a cron that is quiet for longer
/// is looked through from its tick that is due.
const BACK: [Ms; 3] = [3_600_000, 86_400_000, 32 * 86_400_000];

/// A schedule, compiled.
#[derive(Debug, Clone)]
pub struct Rule(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Every(Ms),
    Cron(Box<Cron>, TimeZone),
}

/// Ticks that are due, made into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// The last of them.
    pub at: Ms,
    /// How many came before it, up to [`MOST_MISSED`].
    pub missed: u32,
    /// The first that is not due yet.
    pub next: Ms,
}

/// What becomes of a schedule whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet: it is not due, or its flow holds its runs.
    Wait,
    /// The time passes without a run, since the flow was paused then; the next tick.
    Skip(Ms),
    /// A run begins.
    Run(Tick),
}

/// The zone of an IANA name, whatever its case.
#[must_use]
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// The names of all zones.
#[must_use]
pub fn zones() -> Vec<String> {
    TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
}

/// A moment as the clocks of a zone show it: `2026-03-29 03:00:00 +02:00`.
#[must_use]
pub fn wall_clock(at: Ms, name: &str) -> Option<String> {
    let at = Timestamp::from_millisecond(at).ok()?.to_zoned(zone(name)?);
    Some(at.strftime("%Y-%m-%d %H:%M:%S %:z").to_string())
}

/// What is wrong with a cron expression, and where in it.
#[must_use]
pub fn mistake(expression: &str) -> Option<(usize, String)> {
    match Cron::read(expression) {
        Err(mistake) => Some(mistake),
        // Any moment will do.
        Ok(cron) if cron.after(Timestamp::UNIX_EPOCH, &TimeZone::UTC).is_none() => {
            Some((0, format!("cron {expression:?} never comes: no month that it names has such a day")))
        }
        Ok(_) => None,
    }
}

impl Rule {
    /// Compiles a schedule.
    ///
    /// # Errors
    /// What is wrong, and what to write.
    pub fn new(schedule: &Schedule) -> Result<Self, String> {
        Ok(Self(match schedule {
            Schedule::Every(time) => Kind::Every((*time).max(1)),
            Schedule::Cron { expression, zone: name } => {
                let zone = zone(name).ok_or_else(|| format!("there is no zone {name:?}"))?;
                Kind::Cron(Box::new(Cron::read(expression).map_err(|(_, message)| message)?), zone)
            }
        }))
    }

    /// The first tick after a moment: of `every` a whole time later. `Ms::MAX` where none comes.
    #[must_use]
    pub fn after(&self, time: Ms) -> Ms {
        match &self.0 {
            Kind::Every(every) => time.saturating_add(*every),
            Kind::Cron(cron, zone) => Timestamp::from_millisecond(time)
                .ok()
                .and_then(|time| cron.after(time, zone))
                .map_or(Ms::MAX, Timestamp::as_millisecond),
        }
    }

    /// The tick `next` and those that follow it, `n` in all.
    #[must_use]
    pub fn ticks(&self, next: Ms, n: usize) -> Vec<Ms> {
        std::iter::successors(Some(next), |tick| Some(self.after(*tick)))
            .take_while(|tick| *tick < Ms::MAX)
            .take(n)
            .collect()
    }

    /// Makes one tick of all that are due; `next` is the first that nobody has seen yet.
    #[must_use]
    pub fn due(&self, next: Ms, now: Ms) -> Option<Tick> {
        if next > now {
            return None;
        }
        Some(match &self.0 {
            Kind::Every(every) => {
                let missed = (now - next) / every;
                let at = next + missed * every;
                let missed = u32::try_from(missed).unwrap_or(u32::MAX).min(MOST_MISSED);
                Tick { at, missed, next: at.saturating_add(*every) }
            }
            Kind::Cron(..) => {
                let seen = self.between(next, now).take(MOST_MISSED as usize + 1).count();
                let last = |back: Ms| self.between(self.after((now - back).max(next - 1)), now).last();
                let at = BACK.into_iter().find_map(last).or_else(|| self.between(next, now).last());
                let missed = u32::try_from(seen.saturating_sub(1)).unwrap_or(MOST_MISSED);
                Tick { at: at.unwrap_or(next), missed, next: self.after(now) }
            }
        })
    }

    /// A tick and those that follow, up to a moment.
    fn between(&self, first: Ms, last: Ms) -> impl Iterator<Item = Ms> {
        std::iter::successors(Some(first), |tick| Some(self.after(*tick)))
            .take_while(move |tick| *tick <= last)
    }

    /// What becomes of it now. Ticks while a flow holds its runs are missed, and made up once when it
    /// goes on; ticks while it refuses requests pass.
    #[must_use]
    pub fn judge(&self, next: Ms, now: Ms, pauses: &[Pause]) -> Verdict {
        let Some(due) = self.due(next, now) else { return Verdict::Wait };
        match Pausing::of(pauses, now) {
            Pausing::Held => return Verdict::Wait,
            Pausing::Refusing(_) => return Verdict::Skip(due.next),
            Pausing::Open => {}
        }
        // A pause that ended by itself meanwhile: the ticks that fell into it have passed.
        let covers = |pause: &&Pause| !pause.hold && pause.since <= next;
        let ends = pauses.iter().filter(covers).filter_map(|pause| pause.until);
        let Some(end) = ends.filter(|end| *end > next).max() else { return Verdict::Run(due) };
        let after = self.due(next, end - 1).map_or(next, |passed| passed.next);
        self.due(after, now).map_or(Verdict::Skip(after), Verdict::Run)
    }
}

#[cfg(test)]
mod tests;
