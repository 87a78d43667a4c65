//! What changed, merged and paced, with the header's figures: what every console is pushed, whether
//! it sits in this process or at the other end of the socket.

use crate::feed::Mailbox;
use crate::model::IdKey;
use crate::model::ask::Changes;
use crate::model::change::Counters;
use std::time::Duration;
use tokio::time::Instant;

/// How often is pushed and looked.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// At most one push in this time.
    push: Duration,
    /// How often figures are looked at after something has changed…
    soon: Duration,
    /// …so many times, so that what counts the last ten seconds is seen to come to rest…
    times: u32,
    /// …and from then on: the probe, the disk and the clock change without a change of rows.
    later: Duration,
}

const PACE: Pace = Pace {
    push: Duration::from_millis(100),
    soon: Duration::from_secs(1),
    times: 12,
    later: Duration::from_secs(5),
};

/// One watcher of the desk: a mailbox, and the figures that were pushed last.
pub struct Watch {
    mailbox: Mailbox,
    ids: IdKey,
    figures: Box<dyn Fn() -> Counters + Send + Sync>,
    seq: u64,
    pushed: Option<(Instant, Counters)>,
    quiet: u32,
    pace: Pace,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("seq", &self.seq).finish_non_exhaustive()
    }
}

impl Watch {
    /// Watches a mailbox. `figures` is asked once a push and at each look.
    #[must_use]
    pub fn new(mailbox: Mailbox, ids: IdKey, figures: impl Fn() -> Counters + Send + Sync + 'static) -> Self {
        Self { mailbox, ids, figures: Box::new(figures), seq: 0, pushed: None, quiet: 0, pace: PACE }
    }

    /// The next changes: at once the first time (the figures as they are), then when something has
    /// changed, never sooner than 100 ms after the one before. Who does not ask loses nothing:
    /// the mailbox merges. Safe to cancel.
    pub async fn next(&mut self) -> Changes {
        loop {
            if let Some((at, _)) = self.pushed {
                let look = if self.quiet < self.pace.times { self.pace.soon } else { self.pace.later };
                tokio::select! {
                    () = self.mailbox.changed() => tokio::time::sleep_until(at + self.pace.push).await,
                    () = tokio::time::sleep(look) => self.quiet = self.quiet.saturating_add(1),
                }
            }
            let merged = self.mailbox.take();
            let counters = (self.figures)();
            if merged.is_empty() && self.pushed.as_ref().is_some_and(|(_, last)| same(last, &counters)) {
                continue;
            }
            if !merged.is_empty() {
                self.quiet = 0;
            }
            self.seq += 1;
            self.pushed = Some((Instant::now(), counters.clone()));
            return Changes {
                seq: self.seq,
                newest: merged.newest.map(|id| self.ids.print(id)),
                arrived: merged.arrived(),
                runs: merged.runs.keys().map(|id| self.ids.print(*id)).collect(),
                callbacks: merged.callbacks,
                told: merged.told,
                config: merged.config,
                resync: merged.resync,
                at: counters.at,
                counters: Some(counters),
            };
        }
    }
}

/// Whether figures tell a reader the same: those that jitter with the store's own small commits,
/// and the time of the reading, do not count by themselves.
fn same(one: &Counters, other: &Counters) -> bool {
    let plain = |counters: &Counters| Counters {
        at: 0,
        commit_p99_us: 0,
        wal_bytes: 0,
        clock_behind: if counters.clock_behind > 5_000 { counters.clock_behind / 1_000 } else { 0 },
        ..counters.clone()
    };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::{Feed, MAX_RUNS};
    use crate::model::change::Change;
    use crate::model::run::RunState;
    use crate::model::{FlowId, RunId};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn run(id: i64) -> Change {
        Change::Run { id: RunId(id), flow: FlowId(1), state: RunState::Running }
    }

    fn watch(feed: &Feed, stored: &Arc<AtomicU64>, asked: &Arc<AtomicU64>) -> Watch {
        let (stored, asked) = (Arc::clone(stored), Arc::clone(asked));
        Watch::new(feed.watch(), IdKey::new([7; 16]), move || {
            let at = i64::try_from(asked.fetch_add(1, Ordering::Relaxed)).unwrap();
            Counters { stored: stored.load(Ordering::Relaxed), at, commit_p99_us: 3, ..Counters::default() }
        })
    }

    #[tokio::test]
    async fn the_first_push_is_a_snapshot_and_the_next_one_keeps_the_pace() {
        let feed = Feed::default();
        let (stored, asked) = Default::default();
        let mut watch = watch(&feed, &stored, &asked);
        let first = watch.next().await;
        let start = Instant::now();
        assert_eq!((first.seq, first.arrived), (1, 0));
        assert!(first.counters.is_some());
        for id in 0..50 {
            feed.publish(|| Arc::from([run(id), run(7)]));
        }
        let second = watch.next().await;
        assert_eq!((second.seq, second.runs.len()), (2, 50));
        assert_eq!(second.runs[7], IdKey::new([7; 16]).print(RunId(7)));
        assert!(start.elapsed() >= Duration::from_millis(90), "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn who_does_not_ask_gets_all_at_once_or_is_told_to_read_again() {
        let feed = Feed::default();
        let (stored, asked) = Default::default();
        let mut watch = watch(&feed, &stored, &asked);
        watch.next().await;
        let most = i64::try_from(MAX_RUNS).unwrap();
        feed.publish(|| (0..=most).map(run).collect());
        let merged = watch.next().await;
        assert!(merged.resync && merged.runs.is_empty());
    }

    #[tokio::test]
    async fn idle_looks_seldom_and_pushes_nothing() {
        let feed = Feed::default();
        let (stored, asked) = Default::default();
        let mut watch = watch(&feed, &stored, &asked);
        watch.pace =
            Pace { soon: Duration::from_millis(2), times: 5, later: Duration::from_millis(100), ..PACE };
        watch.next().await;
        let idle = tokio::time::timeout(Duration::from_millis(450), watch.next()).await;
        assert!(idle.is_err(), "nothing changed, yet something was pushed");
        let looks = asked.load(Ordering::Relaxed);
        assert!((2..=11).contains(&looks), "{looks} looks where five and four were due");
        stored.store(9, Ordering::Relaxed);
        let pushed = watch.next().await;
        assert_eq!(pushed.counters.unwrap().stored, 9, "a figure that changed without a row is pushed");
    }
}
