//! Whether a target is sent to now: its breaker, and how much may be under way to it at once.
//!
//! A target (host and port) that fails [`ROW`] times in a row is no longer sent to: its breaker is
//! *open*. After a pause one exchange tries (the breaker is *probing*); an answer closes it, a failure
//! doubles the pause.
//!
//! What counts as a failure is what automatic retries are for and says something about the target as
//! a whole: no connection, one that broke, a time-out, and 5xx but 501 and 505, unless the step lists
//! the code as a success. Every other answer ends the row, 408, 425 and 429 too: who answers so is
//! there. What never left (the address guard, a request that could not be built) and what our own end
//! cut off say nothing.
//!
//! A target that is not known may have as many exchanges under way as the breaker needs failures, so
//! a dead one is tried [`ROW`] times and no more, however many runs there are and however long each
//! takes. Each answer while that bound is in use raises it by one, up to [`MOST`]; it begins anew for a
//! target that was not sent to for [`FORGOTTEN`], and for one whose breaker has closed.

use super::advance::ExchangeResult;
use super::retry::{Transport, is_transient};
use crate::model::Ms;
use crate::model::document::RequestStep;
use crate::model::time::MINUTE;

/// Failures in a row that open a breaker, and exchanges under way to a target that is not known.
pub const ROW: u32 = 10;
/// Exchanges under way to a target at most.
pub const MOST: u32 = 256;
/// The first pause.
pub const PAUSE: Ms = 5_000;
/// The longest pause.
pub const LONGEST: Ms = 5 * MINUTE;
/// How much a target takes at once is known for so long after it was sent to last.
pub const FORGOTTEN: Ms = MINUTE;

/// What an exchange says of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is there.
    Answer,
    /// It failed.
    Failure,
    /// Nothing.
    Nothing,
}

/// What an exchange that ended so says of its target. `success` says whether the step's success list
/// has the code.
#[must_use]
pub fn heard(status: Result<u16, Transport>, success: bool) -> Heard {
    match status {
        Ok(code) if code >= 500 && is_transient(code) && !success => Heard::Failure,
        Ok(_) => Heard::Answer,
        Err(Transport::NoConnection | Transport::Broken) => Heard::Failure,
        Err(Transport::Interrupted) => Heard::Nothing,
    }
}

/// What the exchange of a step says of its target.
#[must_use]
pub fn heard_of(step: &RequestStep, result: &ExchangeResult) -> Heard {
    match result {
        ExchangeResult::Answered { got, .. } => {
            heard(Ok(got.status), step.success.iter().any(|matches| matches.matches(got.status)))
        }
        ExchangeResult::Failed { failure, .. } => heard(Err(*failure), false),
        ExchangeResult::Blocked { .. } => Heard::Nothing,
    }
}

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The target is sent to.
    Closed,
    /// It is not.
    Open {
        /// Since when.
        since: Ms,
        /// From then on one may try.
        until: Ms,
    },
    /// One exchange tries.
    Probing {
        /// Since when it is open.
        since: Ms,
        /// When the exchange was let through.
        until: Ms,
    },
}

/// An exchange that was let through: what it says counts for the breaker as it was then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    epoch: u64,
}

/// What an exchange changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// The breaker opened.
    Opened,
    /// The exchange that tried has failed: the breaker stays open for longer.
    Stays,
    /// The breaker closed; it was open since then.
    Closed {
        /// Since when.
        since: Ms,
        /// Failures in a row until now.
        failures: u32,
    },
}

/// A target's breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaker {
    phase: Phase,
    /// Failures in a row.
    failures: u32,
    /// Exchanges that may be under way, failures in a row counted too.
    window: u32,
    under_way: u32,
    /// Pauses in a row.
    pauses: u32,
    /// Raised whenever it opens, probes or closes: what left before that says nothing of now.
    epoch: u64,
    /// When an exchange began or ended last.
    last: Ms,
}

impl Breaker {
    /// Of a target that nothing is known of.
    #[must_use]
    pub fn new(now: Ms) -> Self {
        Self { phase: Phase::Closed, failures: 0, window: ROW, under_way: 0, pauses: 0, epoch: 0, last: now }
    }

    /// Of a target in whose line runs waited when the process began: whatever they waited for then, one
    /// exchange tries before the others.
    #[must_use]
    pub fn doubted(now: Ms) -> Self {
        Self { phase: Phase::Open { since: now, until: now }, failures: ROW, ..Self::new(now) }
    }

    /// Where it stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Failures in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Exchanges under way.
    #[must_use]
    pub fn under_way(&self) -> u32 {
        self.under_way
    }

    /// When an exchange began or ended last.
    #[must_use]
    pub fn last(&self) -> Ms {
        self.last
    }

    /// Whether forgetting it loses nothing: it is as one that nothing is known of.
    #[must_use]
    pub fn is_idle(&self, now: Ms) -> bool {
        self.failures == 0 && self.phase == Phase::Closed && self.is_old(now)
    }

    fn is_old(&self, now: Ms) -> bool {
        self.under_way == 0 && now - self.last >= FORGOTTEN
    }

    fn window(&self, now: Ms) -> u32 {
        if self.is_old(now) { ROW } else { self.window }
    }

    /// How many exchanges may begin now.
    #[must_use]
    pub fn room(&self, now: Ms) -> u32 {
        match self.phase {
            Phase::Closed => self.window(now).saturating_sub(self.failures + self.under_way),
            Phase::Open { until, .. } if until <= now => 1,
            Phase::Open { .. } | Phase::Probing { .. } => 0,
        }
    }

    /// An exchange begins, where there is room for it.
    pub fn begin(&mut self, now: Ms) -> Option<Ticket> {
        if self.room(now) == 0 {
            return None;
        }
        self.window = self.window(now);
        if let Phase::Open { since, until } = self.phase {
            self.phase = Phase::Probing { since, until };
            self.epoch += 1;
        }
        self.under_way += 1;
        self.last = now;
        Some(Ticket { epoch: self.epoch })
    }

    /// An exchange ended. `dice` is uniform in 0..1: pauses are up to a quarter shorter than they
    /// are long, so that targets that died together are not tried together.
    pub fn end(&mut self, ticket: Ticket, heard: Heard, now: Ms, dice: f64) -> Option<Moved> {
        let in_use = self.under_way.saturating_mul(2) >= self.window;
        self.under_way = self.under_way.saturating_sub(1);
        self.last = self.last.max(now);
        if ticket.epoch != self.epoch {
            return None;
        }
        match (self.phase, heard) {
            (Phase::Closed, Heard::Answer) => {
                self.failures = 0;
                if in_use {
                    self.window = (self.window + 1).min(MOST);
                }
                None
            }
            (Phase::Closed, Heard::Failure) => {
                self.failures += 1;
                (self.failures >= ROW).then(|| {
                    self.pauses = 0;
                    self.open(now, now, dice);
                    Moved::Opened
                })
            }
            (Phase::Probing { since, .. }, Heard::Answer) => {
                let failures = std::mem::take(&mut self.failures);
                self.phase = Phase::Closed;
                self.window = ROW;
                self.pauses = 0;
                self.epoch += 1;
                Some(Moved::Closed { since, failures })
            }
            (Phase::Probing { since, .. }, Heard::Failure) => {
                self.failures = self.failures.saturating_add(1);
                self.open(since, now, dice);
                Some(Moved::Stays)
            }
            // The next one may try at once.
            (Phase::Probing { since, until }, Heard::Nothing) => {
                self.phase = Phase::Open { since, until };
                self.epoch += 1;
                Some(Moved::Stays)
            }
            (Phase::Closed, Heard::Nothing) | (Phase::Open { .. }, _) => None,
        }
    }

    fn open(&mut self, since: Ms, now: Ms, dice: f64) {
        self.phase = Phase::Open { since, until: now.saturating_add(pause(self.pauses, dice)) };
        self.pauses = self.pauses.saturating_add(1);
        self.epoch += 1;
    }
}

/// How long a pause is that follows so many others.
fn pause(before: u32, dice: f64) -> Ms {
    let whole = PAUSE.saturating_mul(1 << before.min(20)).min(LONGEST);
    #[expect(clippy::cast_possible_truncation, reason = "a share of five minutes")]
    let shorter = (whole as f64 / 4.0 * dice.clamp(0.0, 1.0)) as Ms;
    whole - shorter
}

#[cfg(test)]
mod tests;
