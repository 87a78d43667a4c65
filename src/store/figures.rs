//! The figures of the console's first row, as far as the store knows them.

use super::{Store, health};
use crate::model::Ms;
use crate::model::change::Counters;
use crate::model::request::Verdict;
use crate::model::run::RunState;
use crate::model::trouble::StoreTrouble;

impl Store {
    /// The figures of the first row that the store knows; `listen`, `probe` and the like come from others.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let inner = &self.inner;
        let (now, behind) = (inner.clock.now(), inner.clock.behind());
        let tally = inner.links.tally();
        let whole = |n: i64| u64::try_from(n).unwrap_or(0);
        let runs = tally.runs.map(whole);
        let [accepted, duplicate, filtered, rejected] = Verdict::ALL.map(|verdict| tally.verdict(verdict));
        Counters {
            at: now,
            stored: tally.stored,
            accepted: whole(accepted.n),
            duplicates: whole(duplicate.n),
            filtered: whole(filtered.n),
            rejected: whole(rejected.n),
            only_counted: whole(tally.only_counted()),
            begun: tally.begun.unwrap_or_default().map(whole),
            last_accepted: Some(accepted.last).filter(|at| *at > 0),
            last_rejected: Some(rejected.last).filter(|at| *at > 0),
            recent: tally.recent(now),
            runs,
            queue: runs[RunState::Queued as usize] + tally.due_retries,
            queue_limit: inner.limits.queue,
            oldest: tally.oldest,
            callbacks_pending: whole(tally.pending),
            callbacks_overdue: whole(tally.overdue),
            commit_p99_us: tally.p99(),
            store_trouble: self.in_trouble(now),
            wal_bytes: tally.wal,
            dedup_bytes: tally.dedup,
            dedup_budget: inner.limits.dedup_memory,
            clock_behind: behind,
            stopping: inner.links.health.is(health::STOPPING),
            silent: inner.links.alerts.silent(),
            ..Counters::default()
        }
    }

    /// What is wrong with it, so that nothing is taken.
    fn in_trouble(&self, now: Ms) -> Option<StoreTrouble> {
        let health = &self.inner.links.health;
        let kind = health.kind()?;
        let folder = self.inner.links.file.parent();
        Some(StoreTrouble {
            kind,
            why: health.why().unwrap_or_default(),
            since: health.since(now),
            folder: folder.map_or_else(String::new, |folder| folder.display().to_string()),
        })
    }
}
