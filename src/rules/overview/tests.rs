use super::*;
use crate::model::overview::{
    Arrivals, CauseFigure, ErrorFigure, Peak, QueueFigures, RunFigures, StoreFigures,
};
use crate::model::query::Query;
use crate::model::time::rfc3339;

const NOW: Ms = 1_795_008_715_120;

fn series(total: u64) -> Series {
    Series { total, points: vec![None, Some(0), Some(total)] }
}

fn view() -> OverviewView {
    let at = |ago: Ms| rfc3339(NOW - ago);
    OverviewView {
        span: Span::Hour,
        at: at(0),
        from: rfc3339(Span::Hour.from(NOW)),
        bucket_seconds: 60,
        requests: Arrivals {
            accepted: series(46_120),
            duplicate: series(214),
            filtered: series(1_830),
            rejected: series(12),
            only_counted: 8,
            recent: 382,
            most: Some(Peak { n: 61, at: at(100_000) }),
            causes: vec![
                CauseFigure { cause: "signature differs".into(), n: 9 },
                CauseFigure { cause: "not JSON: line #, column #".into(), n: 2 },
                CauseFigure { cause: "other".into(), n: 1 },
            ],
        },
        steps: vec![StepFigure {
            integration: "forms".into(),
            flow: "Submissions".into(),
            step: "archive".into(),
            callback: false,
            n: 61,
            p50_ms: 120,
            p95_ms: 4_100,
            p99_ms: 4_800,
            deadline_ms: 5_000,
        }],
        runs: RunFigures { came: [9, 9, 45_201, 0, 0, 3, 1, 4, 0], now: [12, 7, 0, 41, 1, 3, 0, 0, 0] },
        errors: vec![ErrorFigure {
            group: Some("00ab".into()),
            integration: "acme-erp".into(),
            flow: "Sync customers".into(),
            step: "push".into(),
            cause: "Progix answered 503".into(),
            n: 3,
        }],
        queue: QueueFigures { now: 12, oldest: Some(at(430)), most: Some(Peak { n: 940, at: at(100_000) }) },
        store: StoreFigures {
            commits: 900,
            commit_p50_us: Some(2_050),
            commit_p99_us: Some(31_000),
            wal_bytes: 3_250_586,
            file_bytes: 4_509_715_660,
            day_bytes: Some(325_058_560),
            free_bytes: Some(65_498_251_264),
            reserve_bytes: 536_870_912,
        },
    }
}

fn when(at: Ms) -> String {
    format!("@{}", NOW - at)
}

#[test]
fn requests_by_verdict_and_cause_open_what_they_count() {
    let rows = counts(&view(), &when);
    let told: Vec<String> =
        rows.iter().map(|row| format!("{} {} {} {}", row.label, row.total, row.share, row.note)).collect();
    assert_eq!(told[0], "accepted 46120 95.7 % now 38/s, most 61/s at @100000");
    assert_eq!(told[1], "duplicate 214 0.4 % ");
    assert_eq!(told[3], "rejected 12 0.0 % signature differs 9 · not JSON: line #, column # 2 · other 1");
    let since = view().from;
    let filters: Vec<Opens> = rows.into_iter().map(|row| row.opens).collect();
    assert_eq!(filters[3], Opens::Requests(format!("verdict:rejected since:{since}")));
    assert_eq!(
        filters[4],
        Opens::Requests(format!("verdict:rejected cause:\"signature differs\" since:{since}"))
    );
    assert_eq!(
        filters[5],
        Opens::Requests(format!("verdict:rejected cause:\"not JSON: line\" since:{since}"))
    );
    assert_eq!(filters[6], Opens::Requests(format!("verdict:rejected since:{since}")));
}

#[test]
fn every_filter_that_a_row_opens_is_one() {
    let view = view();
    let mut opens: Vec<Opens> = counts(&view, &when).into_iter().map(|row| row.opens).collect();
    opens.extend(steps(&view).into_iter().map(|row| row.opens));
    opens.extend(runs(&view).into_iter().flatten().map(|item| item.opens));
    opens.extend(store(&view, NOW, &when).into_iter().map(|line| line.opens));
    let mut filters = 0;
    for one in opens {
        if let Opens::Requests(filter) | Opens::Runs(filter) = one {
            assert!(!matches!(Query::parse(&filter, NOW), Err(_) | Ok(Query::All)), "{filter}");
            filters += 1;
        }
    }
    assert_eq!(filters, 7 + 1 + 10 + 1);
}

#[test]
fn a_step_is_told_against_its_deadline() {
    let rows = steps(&view());
    assert_eq!(rows[0].name(), "forms / Submissions · archive");
    assert_eq!(rows[0].times, ["120ms", "4.1s", "4.8s"]);
    assert_eq!((rows[0].deadline.as_str(), rows[0].part), ("5s", Some(820)));
    let mut odd = view();
    odd.steps[0].deadline_ms = 0;
    odd.steps[0].callback = true;
    odd.steps.push(StepFigure {
        integration: String::new(),
        flow: String::new(),
        step: String::new(),
        ..odd.steps[0].clone()
    });
    let rows = steps(&odd);
    assert_eq!((rows[0].deadline.as_str(), rows[0].part), ("?", None));
    assert_eq!(rows[0].name(), "forms / Submissions · archive, its callback");
    assert_eq!((rows[1].name().as_str(), &rows[1].opens), ("all others together", &Opens::Nothing));
}

#[test]
fn runs_that_ended_and_runs_that_are_open_are_told_apart() {
    let [ended, open, errors] = runs(&view());
    let told = |items: &[RunItem]| -> Vec<String> {
        items.iter().map(|item| format!("{} {}", item.label, item.n)).collect()
    };
    assert_eq!(told(&ended), ["succeeded 45201", "with_skips 1", "failed 4", "aborted 0"]);
    assert_eq!(told(&open), ["errored 3", "waiting 41", "retrying 1", "running 7", "queued 12"]);
    assert_eq!(told(&errors), ["push: Progix answered 503 · acme-erp / Sync customers 3"]);
    assert_eq!(open[1].opens, Opens::Runs("state:waiting".into()));
    assert_eq!(errors[0].opens, Opens::Runs("group:00ab".into()));
}

#[test]
fn queue_and_store_say_how_long_the_disk_lasts() {
    let lines = store(&view(), NOW, &when).map(|line| (line.text, line.warns));
    assert_eq!(lines[0].0, "queue 12 (most 940 at @100000), oldest 0.4s");
    assert_eq!(lines[1].0, "commit p50 2.0ms p99 31ms, WAL 3.1 MiB");
    assert_eq!(lines[2], ("file 4.2 GiB, +310 MiB a day, 61 GiB free: 199 d".to_owned(), false));
    let mut full = view();
    full.store.free_bytes = Some(1_000_000_000);
    assert!(store(&full, NOW, &when)[2].warns);
    full.store = StoreFigures::default();
    full.queue = QueueFigures::default();
    let lines = store(&full, NOW, &when).map(|line| line.text);
    assert_eq!(lines, ["queue 0", "commit p50 ? p99 ?, WAL 0 B", "file 0 B, growth not known yet, free ?"]);
}

#[test]
fn refusals_without_a_row_are_told_beside_their_count() {
    let rows = counts(&view(), &|_| String::new());
    let told = |listed| rows.iter().map(|row| row.beside(listed)).collect::<Vec<_>>();
    assert_eq!(told(true)[3], "8 counted, not stored");
    assert!(
        told(false)[3].starts_with("8 counted, not stored · signature differs 9 · "),
        "{:?}",
        told(false)
    );
    assert!(told(true)[4..].iter().all(String::is_empty), "a cause is what it is");
    let mut all = view();
    all.requests.only_counted = 0;
    assert_eq!(counts(&all, &|_| String::new())[3].beside(true), "");
}
