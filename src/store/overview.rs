//! The figures of a span: buckets of the file, those of memory over them, folded and named.

use super::query::group_name;
use super::registry::State;
use super::series::{self, Bucket, Grain, OTHERS, StepKey};
use super::{Store, StoreError};
use crate::model::overview::{
    Arrivals, CauseFigure, ErrorFigure, OverviewView, Peak, QueueFigures, RunFigures, Series, Span,
    StepFigure, StoreFigures,
};
use crate::model::request::Verdict;
use crate::model::time::{DAY, HOUR, rfc3339};
use crate::model::{FlowId, Ms};
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;

/// Causes of refusals that are told.
const CAUSES: usize = 20;
/// Error groups that are told.
const GROUPS: usize = 50;
/// Steps that are told.
const STEPS: usize = 200;

/// The buckets of a span by number, and all of them in one.
struct Folded {
    span: Span,
    from: i64,
    by_number: BTreeMap<i64, Bucket>,
    all: Bucket,
}

impl Folded {
    /// Folds buckets; those of memory are newer than those of the file.
    fn new(span: Span, now: Ms, file: Vec<(i64, Bucket)>, memory: Vec<(i64, Bucket)>) -> Self {
        let from = Grain::of(span).number(span.from(now));
        let by_number: BTreeMap<i64, Bucket> =
            file.into_iter().chain(memory).filter(|(number, _)| *number >= from).collect();
        let mut all = Bucket::default();
        for bucket in by_number.values() {
            all.add(bucket);
        }
        Self { span, from, by_number, all }
    }

    fn series(&self, verdict: Verdict) -> Series {
        let whole = |n: i64| u64::try_from(n).unwrap_or(0);
        let points = (self.from..self.from + self.span.buckets())
            .map(|number| Some(whole(self.by_number.get(&number)?.verdicts[verdict as usize])))
            .collect();
        Series { total: whole(self.all.verdicts[verdict as usize]), points }
    }

    fn causes(&self) -> Vec<CauseFigure> {
        let one = |(cause, n): (&String, &u64)| CauseFigure { cause: cause.clone(), n: *n };
        let mut causes: Vec<_> = self.all.causes.iter().map(one).collect();
        causes.sort_by_key(|cause| std::cmp::Reverse(cause.n));
        causes.truncate(CAUSES);
        causes
    }

    fn steps(&self, state: &State) -> Vec<StepFigure> {
        let mut steps: Vec<StepFigure> = self
            .all
            .steps
            .iter()
            .map(|(key, times)| {
                let StepKey { flow, step, callback } = key.clone();
                let (integration, flow) = state.names(FlowId(flow));
                let of = |percent| times.took.percentile(percent).unwrap_or(0);
                StepFigure {
                    integration,
                    flow,
                    step,
                    callback,
                    n: times.took.total(),
                    p50_ms: of(50),
                    p95_ms: of(95),
                    p99_ms: of(99),
                    deadline_ms: times.limit,
                }
            })
            .collect();
        // By p95 / deadline without a division: the parts of a deadline that it took.
        steps.sort_by(|one, other| {
            let part =
                |a: &StepFigure, b: &StepFigure| u128::from(a.p95_ms) * u128::from(b.deadline_ms.max(1));
            part(other, one).cmp(&part(one, other))
        });
        steps.truncate(STEPS);
        steps
    }

    /// What runs became errored for, as far as its groups are still known.
    fn errors(&self, conn: &Connection, state: &State) -> rusqlite::Result<Vec<ErrorFigure>> {
        let mut groups: Vec<(i64, u64)> = self.all.errors.iter().map(|(id, n)| (*id, *n)).collect();
        groups.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        groups.truncate(GROUPS);
        let mut statement = conn.prepare_cached("SELECT flow, step, text FROM cause WHERE id = ?1")?;
        let one = |(id, n): (i64, u64)| -> rusqlite::Result<ErrorFigure> {
            let told: Option<(i64, String, String)> =
                statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
            let (flow, step, cause) = told.unwrap_or_default();
            let (integration, flow) = state.names(FlowId(flow));
            let group = (id != OTHERS).then(|| group_name(id));
            Ok(ErrorFigure { group, integration, flow, step, cause, n })
        };
        groups.into_iter().map(one).collect()
    }
}

fn peak((n, at): (u64, Ms)) -> Option<Peak> {
    (n > 0).then(|| Peak { n, at: rfc3339(at) })
}

/// By how much the file grew in a day, from two sizes that are an hour apart or more.
fn a_day(first: Option<(Ms, u64)>, now: Ms, bytes: u64) -> Option<i64> {
    let (at, then) = first?;
    let time = now - at;
    if time < HOUR || bytes == 0 {
        return None;
    }
    let grown = i128::from(bytes) - i128::from(then);
    i64::try_from(grown * i128::from(DAY) / i128::from(time)).ok()
}

impl Store {
    /// The figures of a span as they are now, what is not written yet among them.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn overview(&self, span: Span) -> Result<OverviewView, StoreError> {
        let counters = self.counters();
        let now = counters.at;
        let grain = Grain::of(span);
        let reserve_bytes = self.inner.limits.free_disk;
        let (memory, file_bytes, free_bytes) = {
            let tally = self.inner.links.tally();
            (tally.series.snapshot(grain), tally.series.file, tally.series.free)
        };
        let state = self.configured();
        self.read(move |conn| {
            let file = series::rows(conn, grain, grain.number(span.from(now)))?;
            let first = series::first_file(conn, now - DAY)?;
            let folded = Folded::new(span, now, file, memory);
            let [accepted, duplicate, filtered, rejected] =
                Verdict::ALL.map(|verdict| folded.series(verdict));
            let all = &folded.all;
            Ok(OverviewView {
                span,
                at: rfc3339(now),
                from: rfc3339(span.from(now)),
                bucket_seconds: u64::try_from(span.bucket() / 1_000).unwrap_or(0),
                requests: Arrivals {
                    accepted,
                    duplicate,
                    filtered,
                    rejected,
                    only_counted: u64::try_from(all.counted).unwrap_or(0),
                    recent: counters.recent,
                    most: peak(all.most),
                    causes: folded.causes(),
                },
                steps: folded.steps(&state),
                runs: RunFigures { came: all.came, now: counters.runs },
                errors: folded.errors(conn, &state)?,
                queue: QueueFigures {
                    now: counters.queue,
                    oldest: counters.oldest.map(rfc3339),
                    most: peak(all.queue),
                },
                store: StoreFigures {
                    commits: all.commits.total(),
                    commit_p50_us: all.commits.percentile(50),
                    commit_p99_us: all.commits.percentile(99),
                    wal_bytes: counters.wal_bytes,
                    file_bytes,
                    day_bytes: a_day(first, now, file_bytes),
                    free_bytes,
                    reserve_bytes,
                },
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_told_once_an_hour_of_it_is_known() {
        assert_eq!(a_day(None, DAY, 10), None);
        assert_eq!(a_day(Some((0, 10)), HOUR - 1, 20), None);
        assert_eq!(a_day(Some((0, 10)), HOUR, 20), Some(240));
        assert_eq!(a_day(Some((0, 20)), DAY, 10), Some(-10));
    }

    #[test]
    fn steps_nearest_to_their_deadline_are_first() {
        let mut bucket = Bucket::default();
        for (step, ms, limit) in
            [("fast", 10, 10_000), ("slow", 900, 1_000), ("late", 6_000, 5_000), ("long", 5_000, 60_000)]
        {
            bucket
                .step(1, &crate::rules::advance::Took { step: step.to_owned(), callback: false, ms, limit });
        }
        let folded = Folded::new(Span::Hour, 0, vec![(0, bucket)], Vec::new());
        let steps: Vec<String> = folded.steps(&State::default()).into_iter().map(|one| one.step).collect();
        assert_eq!(steps, ["late", "slow", "long", "fast"]);
    }

    #[test]
    fn memory_is_newer_than_the_file_and_what_is_not_there_is_a_gap() {
        let of = |n| Bucket { verdicts: [n, 0, 0, 0], ..Bucket::default() };
        let now = 1_795_000_000_000;
        let last = Grain::Minute.number(now);
        let file = vec![(last - 70, of(99)), (last - 59, of(1)), (last - 2, of(2)), (last, of(3))];
        let folded = Folded::new(Span::Hour, now, file, vec![(last, of(4))]);
        let accepted = folded.series(Verdict::Accepted);
        assert_eq!((accepted.total, accepted.points.len()), (7, 60));
        assert_eq!((accepted.points[0], accepted.points[1]), (Some(1), None));
        assert_eq!(accepted.points[57..], [Some(2), None, Some(4)]);
        assert_eq!(folded.series(Verdict::Rejected).points[57..], [Some(0), None, Some(0)]);
    }
}
