//! What people see of targets that are not sent to.

use super::verbs::clock;
use super::{Deps, Desk};
use crate::model::Ms;
use crate::model::run::RunState;
use crate::model::target::{BreakerEvent, BreakerView, Breakers};
use crate::model::time::rfc3339;
use crate::model::view::{CheckState, CheckView, RunView};

/// All breakers, with the runs that wait for them; those for which most wait first.
pub(super) fn figures(deps: &Deps) -> Breakers {
    let mut breakers = deps.hosts.breakers();
    if breakers.open.is_empty() {
        return breakers;
    }
    let lines = deps.store.lines();
    for one in &mut breakers.open {
        one.waiting = lines.get(&one.tag).copied().unwrap_or(0);
    }
    breakers.open.sort_by(|a, b| {
        b.waiting.cmp(&a.waiting).then_with(|| a.since.cmp(&b.since)).then_with(|| a.target.cmp(&b.target))
    });
    breakers.open.truncate(Breakers::SHOWN);
    breakers
}

/// A line of `doctor` for each, bounded.
pub(super) fn checks(breakers: &Breakers) -> Vec<CheckView> {
    let view = |state, text: String| CheckView { name: "targets".to_owned(), state, text };
    if breakers.open.is_empty() {
        return vec![view(CheckState::Ok, "none refused ten times in a row".to_owned())];
    }
    let mut checks: Vec<CheckView> =
        breakers.open.iter().map(|one| view(CheckState::Warning, one.words(rfc3339))).collect();
    let more = breakers.opened() - checks.len() as u64;
    if more > 0 {
        checks.push(view(CheckState::Warning, format!("{} more refuse", crate::text::count(more))));
    }
    checks
}

impl Desk {
    /// Openings and closings after the one of a number.
    #[must_use]
    pub fn breaker_events(&self, seq: u64) -> Vec<BreakerEvent> {
        self.deps.hosts.events_after(seq)
    }

    /// What is said of requests to targets that are not sent to just now, by target and how many.
    pub(super) fn held_up(&self, hosts: &[(String, u64)]) -> Vec<String> {
        let open = if hosts.is_empty() { Vec::new() } else { self.deps.hosts.breakers().open };
        let count = |target: &str| hosts.iter().find(|(host, _)| host == target).map(|(_, count)| *count);
        let line = |one: &BreakerView| {
            let count = crate::text::count(count(&one.target)?);
            Some(format!("{count} wait at first: {}.", reason(one, self.deps.store.now())))
        };
        open.iter().filter_map(line).collect()
    }

    /// Says of a run that waits in a line what it waits for, and when one tries next.
    pub(super) fn explain_line(&self, run: &mut RunView) {
        let Some(tag) = run.line.filter(|_| matches!(run.state, RunState::Queued | RunState::Retrying))
        else {
            return;
        };
        let open = self.deps.hosts.breakers().open.into_iter().find(|one| one.tag == tag);
        run.waits = Some(match open {
            Some(breaker) => {
                run.due = breaker.next.map(rfc3339);
                reason(&breaker, self.deps.store.now())
            }
            None => "its target has enough to do: it goes on in turn".to_owned(),
        });
    }
}

fn reason(breaker: &BreakerView, now: Ms) -> String {
    let due = BreakerView { next: breaker.next.filter(|at| *at > now), ..breaker.clone() };
    format!("{}: {}", due.refused(), due.tries(|at| clock(at, now)))
}
