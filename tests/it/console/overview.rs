//! *Overview*: its pictures, what each row opens, and when it is drawn again.

use super::hand::{Hand, NOW, styled};
use super::pictures::keep;
use pointsman::console::app::Dirt;
use pointsman::console::asks::Effect;
use pointsman::console::theme::Depth;
use pointsman::console::{Options, picture};
use pointsman::model::ask::{Answer, Ask, Changes};
use pointsman::model::overview::{
    Arrivals, CauseFigure, ErrorFigure, OverviewView, Peak, QueueFigures, RunFigures, Series, Span,
    StepFigure, StoreFigures,
};
use pointsman::model::time::{MINUTE, rfc3339};
use pointsman::session::{Incoming, Link};

/// Points that go up and down, with a gap and a stretch of nothing.
fn series(span: Span, most: u64) -> Series {
    let points: Vec<Option<u64>> = (0..u64::try_from(span.buckets()).unwrap())
        .map(|at| match at % 60 {
            5..9 => None,
            20..24 => Some(0),
            at => Some(most * (at % 13 + 1) / 13),
        })
        .collect();
    Series { total: points.iter().flatten().sum(), points }
}

/// What a desk would say.
pub fn view(span: Span) -> OverviewView {
    let step = |integration: &str, flow: &str, step: &str, n, times: [u64; 3], deadline_ms| StepFigure {
        integration: integration.to_owned(),
        flow: flow.to_owned(),
        step: step.to_owned(),
        callback: false,
        n,
        p50_ms: times[0],
        p95_ms: times[1],
        p99_ms: times[2],
        deadline_ms,
    };
    let rejected = series(span, 13);
    let cause = |cause: &str, n| CauseFigure { cause: cause.to_owned(), n };
    OverviewView {
        span,
        at: rfc3339(NOW),
        from: rfc3339(span.from(NOW)),
        bucket_seconds: u64::try_from(span.bucket() / 1_000).unwrap(),
        requests: Arrivals {
            accepted: series(span, 1_300),
            duplicate: series(span, 6),
            filtered: series(span, 40),
            rejected: rejected.clone(),
            only_counted: 5,
            recent: 80,
            most: Some(Peak { n: 61, at: rfc3339(NOW - 20 * MINUTE) }),
            causes: vec![
                cause("signature differs", rejected.total - 5),
                cause("not JSON: line #, column #: a comma is expected\u{1b}[31m", 4),
                cause("other", 1),
            ],
        },
        steps: vec![
            step("purchase", "Approved", "book", 12, [900, 6_100, 6_400], 5_000),
            StepFigure {
                callback: true,
                ..step("forms", "Submissions", "archive", 41, [40_000, 520_000, 540_000], 604_800_000)
            },
            step("forms", "Submissions", "archive", 61, [120, 4_100, 4_800], 5_000),
            step("acme-erp", "Sync customers", "push", 2_204, [84, 310, 1_200], 10_000),
            step(
                "shop-orders",
                "Orders with a name that is longer than its column",
                "event",
                43_900,
                [31, 88, 140],
                10_000,
            ),
            StepFigure { deadline_ms: 0, ..step("", "", "", 3, [1, 2, 3], 0) },
        ],
        runs: RunFigures { came: [9, 9, 45_201, 0, 0, 4, 1, 4, 0], now: [12, 7, 0, 41, 1, 3, 0, 0, 0] },
        errors: vec![
            ErrorFigure {
                group: Some("00000000000000ab".to_owned()),
                integration: "acme-erp".to_owned(),
                flow: "Sync customers".to_owned(),
                step: "push".to_owned(),
                cause: "Progix answered 503".to_owned(),
                n: 3,
            },
            ErrorFigure {
                group: None,
                integration: String::new(),
                flow: String::new(),
                step: String::new(),
                cause: String::new(),
                n: 1,
            },
        ],
        queue: QueueFigures {
            now: 12,
            oldest: Some(rfc3339(NOW - 430)),
            most: Some(Peak { n: 940, at: rfc3339(NOW - 20 * MINUTE) }),
        },
        store: StoreFigures {
            commits: 48_000,
            commit_p50_us: Some(2_050),
            commit_p99_us: Some(3_300),
            wal_bytes: 3_250_586,
            file_bytes: 4_509_715_660,
            day_bytes: Some(325_058_560),
            free_bytes: Some(65_498_251_264),
            reserve_bytes: 536_870_912,
        },
    }
}

#[test]
fn it_has_a_picture_at_each_size_and_of_each_span() {
    for (width, height) in [(80, 24), (120, 35), (160, 50), (200, 60), (60, 20)] {
        let mut hand = Hand::new(width, height);
        hand.keys("6");
        keep(&format!("overview_{width}x{height}"), &hand);
    }
    let mut hand = Hand::new(120, 35);
    hand.keys("6v");
    assert!(hand.text().contains("Last day") && hand.text().contains("hour DAY week"), "{}", hand.text());
    hand.keys("v");
    keep("overview_week_120x35", &hand);
    hand.keys("<tab>+");
    keep("overview_steps_120x35", &hand);
}

#[test]
fn it_has_its_styles_in_each_theme_and_is_plain_in_ascii() {
    for (width, height) in [(80, 24), (160, 50)] {
        for (name, color) in [("terminal", Depth::Sixteen), ("mono", Depth::Mono)] {
            let mut hand = Hand::with(width, height, Options { color, ..Options::default() });
            hand.keys("6");
            let shown = styled(&picture(&hand.app), &hand.app.theme);
            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path("pictures");
            settings.set_prepend_module_to_snapshot(false);
            settings.bind(|| {
                insta::assert_snapshot!(format!("overview_{width}x{height}_{name}_styles"), shown);
            });
        }
    }
    let mut ascii = Hand::with(80, 24, Options { ascii: true, color: Depth::Mono, ..Options::default() });
    ascii.keys("6");
    assert!(ascii.text().is_ascii());
    keep("overview_80x24_ascii", &ascii);
}

#[test]
fn each_row_opens_what_it_counts_and_esc_comes_back_to_it() {
    let since = rfc3339(Span::Hour.from(NOW));
    let mut hand = Hand::new(160, 50);
    hand.app.requests.list.filter = "method:POST".to_owned();
    hand.keys("6jjj");
    hand.keys("<enter>");
    assert!(hand.text().contains("Overview › Requests › verdict:rejected"), "{}", hand.text());
    assert!(
        hand.asked.iter().any(|ask| matches!(ask, Ask::Requests(page)
            if page.filter == format!("verdict:rejected since:{since}"))),
        "{:?}",
        hand.asked
    );
    hand.keys("<esc>");
    assert!(hand.text().contains("Overview › hour"), "{}", hand.text());
    assert_eq!(
        hand.app.requests.list.trying.as_deref().unwrap_or(&hand.app.requests.list.filter),
        "method:POST"
    );
    assert_eq!(hand.app.figure_at(0), 3);
    // The causes under it.
    hand.keys("j<enter>");
    let asked = format!("verdict:rejected cause:\"signature differs\" since:{since}");
    assert!(hand.asked.iter().any(|ask| matches!(ask, Ask::Requests(page) if page.filter == asked)));
    // A step: the runs of its flow, in that time.
    let mut hand = Hand::new(160, 50);
    hand.keys("6<tab>jj<enter>");
    assert!(hand.text().contains("Overview › Runs › integration=forms flow=Submissions"), "{}", hand.text());
    // Waiting, then the error group.
    let mut hand = Hand::new(160, 50);
    hand.keys("6<tab><tab>jjjjj<enter>");
    assert!(hand.text().contains("Overview › Runs › state:waiting"), "{}", hand.text());
    let mut hand = Hand::new(160, 50);
    hand.keys("6<tab><tab>jjjjjjjjj<enter>");
    assert!(
        hand.asked
            .iter()
            .any(|ask| matches!(ask, Ask::Runs(page) if page.filter == "group:00000000000000ab"))
    );
    // The queue; what is measured says so.
    let mut hand = Hand::new(160, 50);
    hand.keys("6<tab><tab><tab><enter>");
    assert!(hand.text().contains("state:queued"), "{}", hand.text());
    assert!(hand.asked.iter().any(|ask| matches!(ask, Ask::Runs(page) if page.filter == "state:queued")));
    hand.keys("<esc>jj<enter>");
    assert!(hand.text().contains("this is measured, not counted"), "{}", hand.text());
    hand.keys("r");
    assert!(hand.text().contains("retry is not possible: these are figures"), "{}", hand.text());
    hand.keys("/");
    assert!(hand.text().contains("filter is not possible: these are figures"), "{}", hand.text());
}

#[test]
fn a_step_that_becomes_slower_does_not_move_the_cursor_to_another() {
    let mut hand = Hand::new(120, 35);
    hand.keys("6<tab>jjj");
    let name = |hand: &Hand| hand.app.step_rows()[hand.app.figure_at(1)].name();
    assert_eq!(name(&hand), "acme-erp / Sync customers · push");
    let view = hand.app.overview.view.as_mut().unwrap();
    view.steps.rotate_right(1);
    assert_eq!(name(&hand), "acme-erp / Sync customers · push");
}

fn asked(hand: &Hand) -> usize {
    hand.asked.iter().filter(|ask| matches!(ask, Ask::Overview { .. })).count()
}

#[test]
fn it_is_asked_again_where_something_changed_or_a_bucket_ended_and_drawn_where_a_figure_did() {
    let mut hand = Hand::new(120, 35);
    assert_eq!(asked(&hand), 0);
    hand.keys("6");
    assert_eq!(asked(&hand), 1);
    // Many changes within a second are one question, and an answer that says the same is not drawn.
    for _ in 0..20 {
        let changes = Changes { runs: vec![super::hand::id(7)], ..Changes::default() };
        hand.app.receive(Incoming::Changed(Box::new(changes)));
        hand.serve();
    }
    assert_eq!(asked(&hand), 1);
    assert_eq!(hand.app.next_age(), Some(NOW + 1_000));
    let due = NOW + 1_000;
    hand.app.now = due;
    hand.app.tick();
    assert_eq!(hand.app.dirt, Dirt::Clean, "to ask is not to draw");
    let Some(Effect::Ask(ticket, Ask::Overview { span })) = hand.app.effects().pop() else {
        panic!("nothing was asked");
    };
    let told = OverviewView { at: rfc3339(due), ..view(span) };
    hand.app.receive(Incoming::Reply(ticket, Box::new(Ok(Answer::Overview(Box::new(told))))));
    assert_eq!(hand.app.dirt, Dirt::Clean, "it says the same");
    // Then nothing but the end of the minute.
    let ends = hand.app.next_age().unwrap();
    assert_eq!(ends, Span::Hour.turns(NOW));
    hand.app.now = ends;
    hand.app.tick();
    let Some(Effect::Ask(ticket, Ask::Overview { span })) = hand.app.effects().pop() else {
        panic!("nothing was asked");
    };
    let mut other = view(span);
    other.requests.accepted.total += 1;
    hand.app.receive(Incoming::Reply(ticket, Box::new(Ok(Answer::Overview(Box::new(other))))));
    assert_eq!(hand.app.dirt, Dirt::Data);
    // On another screen, and while the link is down, nothing is asked.
    hand.app.receive(Incoming::Link(Link::down("gone")));
    assert_eq!(hand.app.overview_age(), None);
    hand.app.receive(Incoming::Link(Link::Live));
    hand.serve();
    let before = asked(&hand);
    assert_eq!(before, 2, "what was missed is read");
    hand.keys("1");
    hand.app.receive(Incoming::Changed(Box::new(Changes { arrived: 1, ..Changes::default() })));
    hand.serve();
    assert_eq!((asked(&hand), hand.app.overview_age()), (before, None));
}

#[test]
fn every_size_is_drawn_with_every_row_selected() {
    for (width, height) in [(40, 8), (41, 9), (79, 23), (80, 24), (99, 30), (100, 30), (300, 100)] {
        let mut hand = Hand::new(width, height);
        hand.keys("6");
        for _ in 0..4 {
            for _ in 0..12 {
                hand.keys("j");
                let text = hand.text();
                assert!(!text.contains('\u{1b}') && text.contains('▌'), "{width}x{height}\n{text}");
            }
            hand.keys("g<tab>");
        }
    }
}
