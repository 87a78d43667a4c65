//! The trigger `schedule`: when a flow starts by itself.

use super::Ms;
use super::run::RunState;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a document says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// `every`: counted from the deploy that brought it.
    Every(Ms),
    /// `cron` with its `zone`.
    Cron {
        /// Five fields, one space between them.
        expression: String,
        /// An IANA name.
        zone: String,
    },
}

/// The line that the store keeps, and compares: a schedule that says the same goes on counting
/// where it was.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(time) => write!(f, "every {time}"),
            Self::Cron { expression, zone } => write!(f, "cron {expression} {zone}"),
        }
    }
}

impl Schedule {
    /// Reads such a line.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let (kind, rest) = line.split_once(' ')?;
        match kind {
            "every" => rest.parse().ok().filter(|time| *time > 0).map(Self::Every),
            "cron" => {
                let (expression, zone) = rest.rsplit_once(' ')?;
                Some(Self::Cron { expression: expression.to_owned(), zone: zone.to_owned() })
            }
            _ => None,
        }
    }
}

/// A schedule, and its ticks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleView {
    /// `every 15m`, `cron 0 6 * * *`.
    pub rule: String,
    /// The IANA zone that a cron counts in.
    pub zone: Option<String>,
    /// The next five ticks; none as long as it is not live.
    pub next: Vec<String>,
    /// The last tick that began a run.
    pub last: Option<String>,
    /// Ticks that were missed and folded into a later one, since it was deployed first.
    pub made_up: u32,
}

/// The newest run that a flow's own trigger began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BegunView {
    /// The run.
    pub run: String,
    /// When it was begun.
    pub time: String,
    /// Where it stands.
    pub state: RunState,
    /// Why it stopped.
    pub cause: Option<String>,
}

impl BegunView {
    /// Whether it did not do what it was begun for.
    #[must_use]
    pub fn bad(&self) -> bool {
        matches!(self.state, RunState::Errored | RunState::Failed | RunState::Aborted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let cron = Schedule::Cron { expression: "0 6 * * *".into(), zone: "Europe/Berlin".into() };
        assert_eq!(cron.to_string(), "cron 0 6 * * * Europe/Berlin");
        for schedule in [Schedule::Every(900_000), cron] {
            assert_eq!(Schedule::read(&schedule.to_string()), Some(schedule));
        }
        for bad in ["", "every", "every 0", "every -5", "every x", "cron x", "other 5"] {
            assert_eq!(Schedule::read(bad), None, "{bad}");
        }
    }
}
