use super::*;
use crate::model::run::RunState;
use crate::rules::advance::Took;
use rusqlite::Connection;

/// The begin of a minute and of a quarter.
const T0: Ms = 1_795_000_500_000 - 1_795_000_500_000 % QUARTER;

fn file() -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(include_str!("../schema/001.sql")).unwrap();
    conn
}

fn deltas(accepted: i64) -> Deltas {
    let mut deltas = Deltas::default();
    deltas.counts.add(1, Verdict::Accepted as i64, accepted, 10);
    deltas.moved(None, Some(RunState::Queued));
    deltas.moved(Some(RunState::Running), Some(RunState::Errored));
    deltas.errors.push(77);
    deltas.took.push((1, Took { step: "push".to_owned(), callback: false, ms: 84, limit: 10_000 }));
    deltas
}

fn flush(series: &mut Series, conn: &Connection, now: Ms) -> usize {
    let rows = series.unwritten(false);
    write(conn, &rows, now).unwrap();
    series.written(&rows);
    rows.0.len()
}

fn count(conn: &Connection, grain: Grain) -> i64 {
    conn.query_row("SELECT count(*) FROM series WHERE grain = ?1", [grain as i64], |row| row.get(0)).unwrap()
}

#[test]
fn what_is_counted_is_written_whole_and_counted_on_after_a_start() {
    let conn = file();
    let mut series = Series { file: 4_096, ..Series::default() };
    series.count(&deltas(3), T0 + 100, 5);
    series.count(&deltas(2), T0 + 900, 9);
    series.count(&deltas(1), T0 + 1_000, 2);
    series.commit_took(2_000, T0 + 1_000);
    assert_eq!(flush(&mut series, &conn, T0 + 1_000), 2, "a minute and a quarter");
    assert_eq!(flush(&mut series, &conn, T0 + 1_000), 0, "nothing came since");
    let mut again = Series::default();
    again.load(&conn).unwrap();
    again.count(&deltas(4), T0 + 30_000, 1);
    let (_, bucket) = again.snapshot(Grain::Minute).pop().unwrap();
    assert_eq!((bucket.verdicts, bucket.most, bucket.queue), ([10, 0, 0, 0], (5, T0), (9, T0 + 900)));
    assert_eq!(bucket.came[RunState::Errored as usize], 4);
    assert_eq!((bucket.errors[&77], bucket.file, bucket.commits.total()), (4, 4_096, 1));
    assert_eq!(bucket.steps.values().map(|times| times.took.total()).sum::<u64>(), 4);
    assert_eq!(again.snapshot(Grain::Quarter)[0].1.verdicts[0], 10);
    flush(&mut again, &conn, T0 + 30_000);
    assert_eq!(rows(&conn, Grain::Minute, 0).unwrap().len(), 1);
}

#[test]
fn verdicts_that_a_crash_lost_are_counted_again() {
    let conn = file();
    let mut series = Series::default();
    series.count(&deltas(3), T0 + 100, 0);
    flush(&mut series, &conn, T0 + 100);
    // Two commits after the last write, one of them in another minute; the process is killed.
    let mut counts = Counts::default();
    counts.add(1, Verdict::Accepted as i64, 2, 0);
    counts.add(1, COUNTED, 5, 0);
    let mut after = Series::default();
    after.load(&conn).unwrap();
    after.again(&conn, &counts, T0 + 2_000).unwrap();
    after.again(&conn, &counts, T0 + MINUTE).unwrap();
    let told: Vec<_> =
        after.snapshot(Grain::Minute).into_iter().map(|(at, one)| (at, one.verdicts, one.came[5])).collect();
    let minute = Grain::Minute.number(T0);
    assert_eq!(told, [(minute, [5, 0, 0, 5], 1), (minute + 1, [2, 0, 0, 5], 0)]);
    assert_eq!(after.snapshot(Grain::Quarter)[0].1.verdicts, [7, 0, 0, 10]);
}

#[test]
fn a_bucket_of_an_idle_process_is_written_once_and_one_that_was_down_is_none() {
    let conn = file();
    let mut series = Series::default();
    for second in 0..150 {
        series.waits(T0 + second * 1_000, 0);
        series.commit_took(900, T0 + second * 1_000);
        if second % 10 == 9 {
            let written = flush(&mut series, &conn, T0 + second * 1_000);
            assert!(written == 0 || [9, 69, 129].contains(&second), "{second}: {written}");
        }
    }
    assert_eq!((count(&conn, Grain::Minute), count(&conn, Grain::Quarter)), (3, 1));
    // A command that looks in for a moment is no server.
    let mut visit = Series::default();
    visit.load(&conn).unwrap();
    visit.waits(T0 + 10 * MINUTE, 0);
    assert!(visit.unwritten(true).is_empty());
    visit.count(&deltas(1), T0 + 10 * MINUTE, 0);
    assert_eq!(visit.unwritten(true).0.len(), 2);
}

#[test]
fn rows_are_bounded_and_old_ones_leave() {
    let conn = file();
    let mut series = Series::default();
    let minutes = Grain::Minute.kept() + 100;
    for minute in 0..minutes {
        series.waits(T0 + minute * MINUTE, 0);
        flush(&mut series, &conn, T0 + minute * MINUTE);
    }
    assert_eq!(count(&conn, Grain::Minute), Grain::Minute.kept());
    assert_eq!((Grain::Minute.kept(), Grain::Quarter.kept()), (2_880, 864));
    // The clock jumps three days ahead: old minutes leave in a few writes, quarters stay.
    let quarters = count(&conn, Grain::Quarter);
    let ahead = T0 + minutes * MINUTE + 3 * DAY;
    for second in 0..20 {
        series.count(&deltas(1), ahead + second * 1_000, 0);
        flush(&mut series, &conn, ahead + second * 1_000);
    }
    assert_eq!((count(&conn, Grain::Minute), count(&conn, Grain::Quarter)), (1, quarters + 1));
    assert!(series.held.iter().all(|held| held.len() == 1));
}

#[test]
fn what_cannot_be_written_is_held_for_an_hour() {
    let mut series = Series::default();
    for minute in 0..500 {
        series.count(&deltas(1), T0 + minute * MINUTE, 0);
    }
    assert_eq!(series.held.iter().map(Vec::len).collect::<Vec<_>>(), [HELD, 34]);
    let conn = file();
    let now = T0 + 500 * MINUTE;
    assert_eq!(flush(&mut series, &conn, now), HELD + 34);
    assert_eq!(series.held.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);
    // What was counted while a write was under way is written with the next.
    let last = T0 + 499 * MINUTE;
    series.count(&deltas(1), last, 0);
    let rows = series.unwritten(false);
    series.count(&deltas(1), last, 0);
    series.written(&rows);
    assert_eq!(series.unwritten(false).0.len(), 2);
}
