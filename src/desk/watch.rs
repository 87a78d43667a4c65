//! What changed, merged and paced, with the header's figures: what every console is pushed, whether
//! it sits in this process or at the other end of the socket.

use super::company::Among;
use crate::feed::{Caught, Mailbox, Merged};
use crate::model::IdKey;
use crate::model::ask::Changes;
use crate::model::change::{Change, Counters};
use std::collections::VecDeque;
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

/// How a watcher whose link may be cut began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumed {
    /// For the first time.
    Begun,
    /// After a cut, with all that it missed.
    From {
        /// The number of the last change that it had seen.
        seq: u64,
        /// How many changes came since.
        missed: usize,
    },
    /// After a cut, with everything to be read anew: more was missed than is kept, or it had been
    /// attached to another process.
    Anew,
}

/// One watcher of the desk: a mailbox, and the figures that were pushed last.
pub struct Watch {
    mailbox: Mailbox,
    ids: IdKey,
    figures: Box<dyn Fn() -> Counters + Send + Sync>,
    seq: u64,
    pushed: Option<(Instant, Counters)>,
    looked: Instant,
    quiet: u32,
    pace: Pace,
    /// Who else is here.
    among: Option<Among>,
    /// What was missed and not told yet; the number of the last of it.
    missed: (VecDeque<Change>, u64),
    /// What was missed is not known: said with the first push.
    lost: bool,
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
        Self {
            mailbox,
            ids,
            figures: Box::new(figures),
            seq: 0,
            pushed: None,
            looked: Instant::now(),
            quiet: 0,
            pace: PACE,
            among: None,
            missed: (VecDeque::new(), 0),
            lost: false,
        }
    }

    /// Watches who else is here, too.
    #[must_use]
    pub fn among(mut self, among: Among) -> Self {
        self.among = Some(among);
        self
    }

    /// Begins with what was missed.
    #[must_use]
    pub fn missed(mut self, caught: Caught) -> Self {
        match caught {
            Caught::Anew => {}
            Caught::TooOld => self.lost = true,
            Caught::Up { missed, upto } => self.missed = (missed, upto),
        }
        self
    }

    /// The next changes: at once the first time (the figures as they are), then when something has
    /// changed, never sooner than 100 ms after the one before. Who does not ask loses nothing:
    /// the mailbox merges. Safe to cancel.
    pub async fn next(&mut self) -> Changes {
        loop {
            if self.missed.0.is_empty() {
                self.due().await;
            }
            let merged = self.gather();
            let counters = (self.figures)();
            let (acts, consoles) = self.among.as_mut().map(Among::news).unwrap_or_default();
            let nothing = merged.is_empty() && acts.is_empty() && consoles.is_none() && !self.lost;
            if nothing && self.pushed.as_ref().is_some_and(|(_, last)| same(last, &counters)) {
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
                resync: merged.resync || std::mem::take(&mut self.lost),
                at: counters.at,
                counters: Some(counters),
                place: self.mailbox.place(&merged).map(|place| place.to_string()),
                hello: None,
                acts,
                consoles,
            };
        }
    }

    /// Waits until something may be pushed.
    async fn due(&mut self) {
        let Some((at, _)) = self.pushed else {
            self.looked = Instant::now();
            return;
        };
        let look = if self.quiet < self.pace.times { self.pace.soon } else { self.pace.later };
        let company = async {
            match &mut self.among {
                Some(among) => among.changed().await,
                None => std::future::pending().await,
            }
        };
        // From the last look on, and not from now: who is cut short and asks again looks all the same.
        let next = self.looked + look;
        tokio::select! {
            () = self.mailbox.changed() => tokio::time::sleep_until(at + self.pace.push).await,
            () = company => tokio::time::sleep_until(at + self.pace.push).await,
            () = tokio::time::sleep_until(next) => self.quiet = self.quiet.saturating_add(1),
        }
        self.looked = Instant::now();
    }

    /// What was missed comes before what came since.
    fn gather(&mut self) -> Merged {
        let (missed, upto) = &mut self.missed;
        if missed.is_empty() { self.mailbox.take() } else { Merged::first_of(missed, *upto) }
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
