//! The targets that are sent to: how much is under way to each, and their breakers.
//!
//! An exchange needs a [`Pass`] of its target. No target has more than its breaker allows, and none
//! more than there are slots left over: one that is slow takes at most half of them, two a third
//! each, and so on, so that there is always room for another.

use crate::model::Ms;
use crate::model::target::{BreakerEvent, BreakerView, Breakers, Target};
use crate::rules::breaker::{Breaker, Heard, Moved, Phase, Ticket};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Targets that are known at once. Past it those that were sent to least of late are forgotten, open
/// ones last.
pub const HOSTS: usize = 4_096;
/// Openings and closings that are remembered for those who watch.
pub const EVENTS: usize = 256;
/// Who was just born waits behind those who were refused within this time.
const WANTED: Ms = 2_000;

/// Who asks for a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comer {
    /// A run that is just born: everybody who waits goes first.
    Newborn,
    /// A run that has not waited in the target's line: those who do go first.
    Fresh,
    /// A run of the line, or one that goes on.
    Waiting,
}

/// Why there is no pass now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Enough is under way, or others go first.
    Full,
    /// The breaker is open.
    Open,
}

/// The targets; clones are one.
#[derive(Debug, Clone)]
pub struct Hosts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    slots: u32,
    table: Mutex<Table>,
    fresh: Notify,
    lines: Notify,
}

#[derive(Debug, Default)]
struct Table {
    hosts: HashMap<Arc<Target>, Host>,
    /// Exchanges under way to all of them.
    under_way: u32,
    /// Somebody was refused since others have the slots.
    shared: bool,
    /// Tags of lines that an earlier process left, of targets that were not sent to since.
    left: HashSet<u32>,
    openings: u64,
    seq: u64,
    events: VecDeque<BreakerEvent>,
}

#[derive(Debug)]
struct Host {
    breaker: Breaker,
    /// Runs wait in its line, in the store.
    lined: bool,
    /// Somebody was refused, and is told when an exchange ends.
    wanted: bool,
    /// When somebody was refused last.
    refused: Option<Ms>,
}

impl Table {
    fn host(&mut self, target: &Arc<Target>, now: Ms) -> &mut Host {
        if self.hosts.len() >= HOSTS && !self.hosts.contains_key(target) {
            self.forget(now);
        }
        let left = &mut self.left;
        self.hosts.entry(Arc::clone(target)).or_insert_with(|| {
            let lined = left.remove(&target.tag());
            let breaker = if lined { Breaker::doubted(now) } else { Breaker::new(now) };
            Host { breaker, lined, wanted: false, refused: None }
        })
    }

    /// Makes room: what is as if it were not known goes first, then what was sent to least of late.
    fn forget(&mut self, now: Ms) {
        self.hosts.retain(|_, host| !host.breaker.is_idle(now));
        if self.hosts.len() < HOSTS {
            return;
        }
        let quiet = self.hosts.iter().filter(|(_, host)| host.breaker.under_way() == 0);
        let mut quiet: Vec<_> = quiet
            .map(|(target, host)| {
                let open = host.breaker.phase() != Phase::Closed;
                ((open, host.breaker.last()), Arc::clone(target))
            })
            .collect();
        quiet.sort_by_key(|(rank, _)| *rank);
        for (_, target) in quiet.into_iter().take(HOSTS / 8) {
            self.hosts.remove(&target);
        }
    }

    /// How many exchanges may begin now.
    fn room(&mut self, target: &Arc<Target>, comer: Comer, now: Ms, slots: u32) -> Result<u32, Refused> {
        let busy = self.under_way;
        let host = self.host(target, now);
        let room = host.breaker.room(now);
        let own = host.breaker.under_way();
        let open = host.breaker.phase() != Phase::Closed;
        let behind = match comer {
            Comer::Newborn => host.lined || host.refused.is_some_and(|refused| now - refused < WANTED),
            Comer::Fresh => host.lined,
            Comer::Waiting => false,
        };
        // As much as is left over, and one always.
        let left = slots.saturating_sub(busy);
        let share = ((left + 1).saturating_sub(own) / 2).max(u32::from(own == 0));
        let room = if behind { 0 } else { room };
        if room.min(share) > 0 {
            return Ok(room.min(share));
        }
        if comer != Comer::Newborn {
            host.wanted = true;
            host.refused = Some(now);
            self.shared |= room > 0;
        }
        Err(if open { Refused::Open } else { Refused::Full })
    }

    fn event(&mut self, target: &Target, at: Ms, since: Ms, failures: u32, opened: bool) {
        self.seq += 1;
        self.openings += u64::from(opened);
        if self.events.len() >= EVENTS {
            self.events.pop_front();
        }
        let next = None;
        let breaker = view(target, since, failures, next);
        self.events.push_back(BreakerEvent { seq: self.seq, at, breaker, opened });
    }
}

fn view(target: &Target, since: Ms, failures: u32, next: Option<Ms>) -> BreakerView {
    let host = if target.secret { target.shown() } else { target.host.clone() };
    let port = if target.secret { 0 } else { target.port };
    BreakerView { host, port, target: target.shown(), since, failures, next, waiting: 0, tag: target.tag() }
}

impl Hosts {
    /// None is known. `slots` exchanges may be under way at once.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        let slots = u32::try_from(slots).unwrap_or(u32::MAX);
        Self(Arc::new(Inner { slots, table: Mutex::default(), fresh: Notify::new(), lines: Notify::new() }))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pass for an exchange.
    ///
    /// # Errors
    /// There is none now. Who asks but a newborn is woken ([`Hosts::freed`], [`Hosts::line_freed`])
    /// when there may be one again; a pause that is over wakes nobody.
    pub fn enter(&self, target: &Arc<Target>, comer: Comer, now: Ms) -> Result<Pass, Refused> {
        let mut table = self.table();
        table.room(target, comer, now, self.0.slots)?;
        let ticket = table.host(target, now).breaker.begin(now).ok_or(Refused::Full)?;
        table.under_way += 1;
        Ok(Pass { hosts: self.clone(), target: Arc::clone(target), ticket: Some(ticket) })
    }

    /// How many passes there are for those who wait; who asks is woken as by [`Hosts::enter`].
    ///
    /// # Errors
    /// There is none.
    pub fn room(&self, target: &Arc<Target>, comer: Comer, now: Ms) -> Result<u32, Refused> {
        self.table().room(target, comer, now, self.0.slots)
    }

    /// Runs wait in the lines of these tags since an earlier process: their targets are tried by one
    /// exchange first, so that a restart burns no attempts of a dead one.
    pub fn inherit(&self, tags: impl IntoIterator<Item = u32>) {
        self.table().left.extend(tags);
    }

    /// A run was sent to a target's line: who comes later waits behind it.
    pub fn lined(&self, target: &Arc<Target>, now: Ms) {
        self.table().host(target, now).lined = true;
    }

    /// The tags of all targets in whose lines runs wait.
    pub fn lines(&self, is_lined: impl Fn(u32) -> bool) {
        let mut freed = false;
        for (target, host) in &mut self.table().hosts {
            let lined = is_lined(target.tag());
            freed |= host.lined && !lined;
            host.lined = lined;
        }
        if freed {
            self.0.fresh.notify_one();
        }
    }

    /// Waits until a run that is ready may find a pass where there was none.
    pub async fn freed(&self) {
        self.0.fresh.notified().await;
    }

    /// The same for runs of lines.
    pub async fn line_freed(&self) {
        self.0.lines.notified().await;
    }

    /// When the next pause of an open breaker ends, after `now`.
    #[must_use]
    pub fn next_try(&self, now: Ms) -> Option<Ms> {
        let table = self.table();
        let ends = table.hosts.values().filter_map(|host| match host.breaker.phase() {
            Phase::Open { until, .. } if until > now => Some(until),
            _ => None,
        });
        ends.min()
    }

    /// Targets that are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table().hosts.len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The breaker of a target, where it is open.
    #[must_use]
    pub fn breaker(&self, target: &Target) -> Option<BreakerView> {
        open(target, &self.table().hosts.get(target)?.breaker)
    }

    /// All breakers, in figures. How many runs wait is not known here.
    #[must_use]
    pub fn breakers(&self) -> Breakers {
        let table = self.table();
        let mut all = Breakers { openings: table.openings, ..Breakers::default() };
        for (target, host) in &table.hosts {
            match host.breaker.phase() {
                Phase::Closed => all.closed += 1,
                Phase::Open { .. } => all.waiting += 1,
                Phase::Probing { .. } => all.probing += 1,
            }
            all.open.extend(open(target, &host.breaker));
        }
        all
    }

    /// Openings and closings after the one of a number, in order; the last [`EVENTS`] of them.
    #[must_use]
    pub fn events_after(&self, seq: u64) -> Vec<BreakerEvent> {
        self.table().events.iter().filter(|event| event.seq > seq).cloned().collect()
    }
}

fn open(target: &Target, breaker: &Breaker) -> Option<BreakerView> {
    let (since, next) = match breaker.phase() {
        Phase::Closed => return None,
        Phase::Open { since, until } => (since, Some(until)),
        Phase::Probing { since, .. } => (since, None),
    };
    Some(view(target, since, breaker.failures(), next))
}

/// One exchange of a target. Where it is dropped, nothing was heard of the target.
#[derive(Debug)]
pub struct Pass {
    hosts: Hosts,
    target: Arc<Target>,
    ticket: Option<Ticket>,
}

impl Pass {
    /// Whose.
    #[must_use]
    pub fn target(&self) -> &Arc<Target> {
        &self.target
    }

    /// The exchange ended; whether a breaker opened or closed by it. `dice` is uniform in 0..1.
    pub fn end(mut self, heard: Heard, now: Ms, dice: f64) -> bool {
        self.over(heard, now, dice)
    }

    fn over(&mut self, heard: Heard, now: Ms, dice: f64) -> bool {
        let Some(ticket) = self.ticket.take() else { return false };
        let mut table = self.hosts.table();
        table.under_way = table.under_way.saturating_sub(1);
        let shared = std::mem::take(&mut table.shared);
        let Some(host) = table.hosts.get_mut(&self.target) else { return false };
        let moved = host.breaker.end(ticket, heard, now, dice);
        let woken = std::mem::take(&mut host.wanted) || shared || moved.is_some();
        let failures = host.breaker.failures();
        let told = match moved {
            Some(Moved::Opened) => {
                table.event(&self.target, now, now, failures, true);
                true
            }
            Some(Moved::Closed { since, failures }) => {
                table.event(&self.target, now, since, failures, false);
                true
            }
            Some(Moved::Stays) | None => false,
        };
        drop(table);
        if woken {
            self.hosts.0.fresh.notify_one();
            self.hosts.0.lines.notify_one();
        }
        told
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.over(Heard::Nothing, Ms::MIN, 0.0);
    }
}

#[cfg(test)]
mod tests;
