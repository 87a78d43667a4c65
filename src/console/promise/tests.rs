use super::*;
use crate::console::{app::App, options::Options, theme::Theme};
use crate::model::change::Counters;
use ratatui::buffer::Buffer;

const NOW: i64 = 1_795_008_715_120;

fn app(width: u16) -> App {
    let mut app = App::new(Options::default(), Theme::default(), (width, 40), NOW);
    let mut runs = [0; 9];
    runs[5] = 3;
    app.counters = Some(Counters {
        at: NOW,
        listen: "127.0.0.1:7700".to_owned(),
        probe: Some(None),
        promised: 48_211,
        stored: 48_211,
        duplicates: 214,
        rejected: 13,
        recent: 380,
        runs,
        queue: 12,
        queue_limit: 10_000,
        oldest: Some(NOW - 430),
        callbacks_overdue: 1,
        commit_p99_us: 2_700,
        integrations: 5,
        ..Counters::default()
    });
    app
}

fn line(app: &App) -> String {
    let area = Rect::new(0, 0, app.size.0, 1);
    let mut buf = Buffer::empty(area);
    draw(
        app,
        &mut Paint {
            buf: &mut buf,
            theme: &app.theme,
            glyphs: crate::text::Glyphs::Unicode,
            hits: Vec::new(),
        },
        area,
    );
    buf.content.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()
}

#[test]
fn at_160_everything_stands_in_its_order() {
    assert_eq!(
        line(&app(160)),
        " ● 127.0.0.1:7700   38/s   accepted 48,211 = stored 48,211   queue 12, oldest 0.4s   errored 3   \
         callbacks 1 overdue   duplicates 214   rejected 13 store ok 3ms"
    );
}

#[test]
fn work_that_only_waits_for_its_targets_is_not_late() {
    let mut app = app(160);
    app.counters.as_mut().unwrap().oldest = None;
    let line = line(&app);
    assert!(line.contains("queue 12 ") && !line.contains("oldest"), "{line}");
}

#[test]
fn at_80_it_keeps_its_words_as_far_as_they_fit_and_nothing_that_matters_is_gone() {
    let mut app = app(80);
    let busy = line(&app);
    assert!(busy.starts_with(" ● :7700  38/s  48,211 = stored  q 12 0.4s  errored 3  ◐1 late  "), "{busy}");
    assert!(busy.ends_with(" store ok"), "{busy}");
    let counters = app.counters.as_mut().unwrap();
    (counters.queue, counters.oldest, counters.callbacks_overdue) = (0, None, 0);
    (counters.promised, counters.stored, counters.recent) = (0, 0, 0);
    counters.runs[5] = 0;
    let quiet = line(&app);
    assert!(
        quiet.starts_with(" ● 127.0.0.1:7700  0/s  0 = stored  queue 0  errored 0  callbacks 0 "),
        "{quiet}"
    );
    assert!(quiet.contains(" store ok"), "{quiet}");
}

#[test]
fn at_120_figures_without_need_go_before_words_are_cut() {
    let line = line(&app(120));
    assert!(line.contains("48,211 = stored   queue 12"), "{line}");
    assert!(!line.contains("duplicates") && line.contains("errored 3   callbacks 1 overdue"), "{line}");
    assert!(line.ends_with("store ok 3ms"), "{line}");
}

#[test]
fn what_is_bad_is_never_dropped_down_to_40_columns() {
    for width in 40..200 {
        let mut app = app(width);
        let counters = app.counters.as_mut().unwrap();
        counters.stored = 48_209;
        let line = line(&app);
        assert!(line.contains("2 MISSING"), "{width}: {line}");
        assert!(line.contains("!3") || line.contains("errored 3"), "{width}: {line}");
        assert!(line.contains('1'), "{width}: {line}");
        assert!(line.contains("late") || line.contains("overdue"), "{width}: {line}");
    }
}

#[test]
fn a_dead_listener_says_so() {
    let mut app = app(120);
    app.counters.as_mut().unwrap().probe = Some(Some("address in use".to_owned()));
    assert!(line(&app).starts_with(" ✗ NOT LISTENING 127.0.0.1:7700: address in use"));
}

#[test]
fn a_target_that_refuses_is_told_at_every_width() {
    use crate::model::target::{BreakerView, Breakers};
    let one = BreakerView {
        host: "hooks.chat.example".to_owned(),
        port: 443,
        target: "hooks.chat.example".to_owned(),
        since: NOW,
        failures: 10,
        next: None,
        waiting: 18,
        tag: 0,
    };
    for (width, told) in [(40, "↻1"), (80, "↻1"), (120, "breaker"), (200, "breaker hooks.chat.example")] {
        let mut app = app(width);
        app.counters.as_mut().unwrap().breakers =
            Breakers { open: vec![one.clone()], waiting: 1, ..Breakers::default() };
        let line = line(&app);
        assert!(line.contains(told), "{width}: {line}");
        assert!(line.contains("!3") || line.contains("errored 3"), "{width}: {line}");
    }
}

#[test]
fn a_listener_is_paused_where_every_flow_is_and_else_the_paused_flows_are_counted() {
    for width in [40, 80, 120, 160] {
        let mut app = app(width);
        let counters = app.counters.as_mut().unwrap();
        (counters.paused, counters.flows) = (2, 2);
        let all = line(&app);
        assert!(all.starts_with(" ● ") && all.contains(":7700 paused  "), "{width}: {all}");
        assert!(all.contains("!3") || all.contains("errored 3"), "{width}: {all}");
        for (paused, words) in [(1, ["1 flow paused", "1 paused"]), (2, ["2 flows paused", "2 paused"])] {
            let counters = app.counters.as_mut().unwrap();
            (counters.paused, counters.flows) = (paused, 7);
            let some = line(&app);
            assert!(!some.contains(":7700 paused"), "{width}: {some}");
            assert!(words.iter().any(|word| some.contains(word)), "{width}: {some}");
            assert!(some.contains("!3") || some.contains("errored 3"), "{width}: {some}");
        }
    }
}

#[test]
fn a_store_that_takes_nothing_is_told_at_every_width() {
    use crate::model::trouble::{StoreTrouble, TroubleKind};
    for width in 40..200 {
        let mut app = app(width);
        app.counters.as_mut().unwrap().store_trouble = Some(StoreTrouble {
            kind: TroubleKind::Full,
            why: "the disk is full".to_owned(),
            since: NOW - 1_000,
            folder: "/var/lib/pointsman".to_owned(),
        });
        let line = line(&app);
        assert!(line.ends_with("store FULL"), "{width}: {line}");
        assert!(line.contains("!3") || line.contains("errored 3"), "{width}: {line}");
    }
}

#[test]
fn refusals_without_a_row_are_told_beside_those_that_have_one() {
    for width in 60..200 {
        let mut app = app(width);
        let counters = app.counters.as_mut().unwrap();
        (counters.rejected, counters.only_counted, counters.begun) = (109, 8, [0, 100, 0]);
        counters.last_rejected = Some(NOW - 1_000);
        let line = line(&app);
        match width {
            160.. => assert!(line.contains("rejected 9, 8 not stored"), "{width}: {line}"),
            110.. => assert!(line.contains("rejected 9") || line.contains("✗9"), "{width}: {line}"),
            _ => {}
        }
    }
}

#[test]
fn jobs_that_are_under_way_are_told_as_far_as_there_is_room() {
    let with = |width| {
        let mut app = app(width);
        let counters = app.counters.as_mut().unwrap();
        counters.jobs = JobFigures { running: 1, total: 1_209, past: 702, ..JobFigures::default() };
        line(&app)
    };
    assert!(with(160).contains("callbacks 1 overdue   job 702 of 1,209"), "{}", with(160));
    assert!(with(80).contains("◐1 late  job 58%"), "{}", with(80));
    assert!(!line(&app(160)).contains("job"));
}

#[test]
fn silence_is_told_after_a_minute() {
    let mut app = app(120);
    let counters = app.counters.as_mut().unwrap();
    counters.recent = 0;
    counters.last_accepted = Some(NOW - 4 * MINUTE - 10);
    assert!(line(&app).contains("0/s for 4m"));
}
