//! Pictures of every screen at three sizes, kept beside the tests.

use super::hand::{Hand, NOW, styled, text};
use insta::assert_snapshot;
use pointsman::console::theme::Depth;
use pointsman::console::{Options, picture};

pub fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("pictures");
    settings.set_prepend_module_to_snapshot(false);
    settings
}

pub fn keep(name: &str, hand: &Hand) {
    let picture = hand.text();
    settings().bind(|| assert_snapshot!(name, picture));
}

#[test]
fn live_at_each_size() {
    for (width, height) in [(80, 24), (120, 35), (160, 50), (40, 8), (60, 20)] {
        let hand = Hand::new(width, height);
        keep(&format!("live_{width}x{height}"), &hand);
    }
}

#[test]
fn live_in_each_theme_with_its_styles() {
    let hand = Hand::new(80, 24);
    let shown = styled(&picture(&hand.app), &hand.app.theme);
    settings().bind(|| assert_snapshot!("live_80x24_terminal_styles", shown));
    let hand = Hand::mono(80, 24);
    let shown = styled(&picture(&hand.app), &hand.app.theme);
    settings().bind(|| assert_snapshot!("live_80x24_mono_styles", shown));
    let ascii = Hand::with(80, 24, Options { ascii: true, color: Depth::Mono, ..Options::default() });
    assert!(ascii.text().is_ascii());
    keep("live_80x24_ascii", &ascii);
}

#[test]
fn requests_and_its_views() {
    let mut hand = Hand::new(120, 35);
    hand.keys("2kkk");
    keep("requests_120x35_tree", &hand);
    hand.keys("<tab>v");
    keep("requests_120x35_flat", &hand);
    hand.keys("v");
    keep("requests_120x35_raw", &hand);
    let mut hand = Hand::new(160, 50);
    hand.keys("2kkkk");
    keep("requests_160x50", &hand);
    let mut hand = Hand::new(80, 24);
    hand.keys("2k<enter>");
    keep("request_80x24", &hand);
}

#[test]
fn a_duplicate_and_a_refusal_show_why_first() {
    let mut hand = Hand::new(120, 35);
    hand.keys("2");
    while !hand.text().contains("is a duplicate of") {
        hand.keys("k");
    }
    hand.keys("<enter>");
    keep("duplicate_120x35", &hand);
    hand.keys("<esc>");
    while !hand.text().contains("was rejected") {
        hand.keys("k");
    }
    keep("rejected_120x35", &hand);
    hand.keys("<enter>");
    keep("rejected_whole_120x35", &hand);
}

#[test]
fn the_key_of_a_duplicate_is_forgotten_only_after_the_dialog_and_keeping_is_the_default() {
    let mut hand = Hand::new(80, 24);
    hand.keys("2");
    while !hand.text().contains("is a duplicate of") {
        hand.keys("k");
    }
    hand.keys("X");
    keep("dialog_forget_80x24", &hand);
    let done = |hand: &Hand| {
        hand.asked.iter().any(|ask| matches!(ask, pointsman::model::ask::Ask::Act(act) if !act.dry_run))
    };
    hand.keys("<enter>");
    assert!(!done(&hand), "the default keeps");
    hand.keys("X<right><enter>");
    assert!(done(&hand));
    // A request that was not rejected is not readmitted, and says so.
    hand.keys("A");
    assert!(
        hand.text().contains("readmit is not possible: it was duplicate, not rejected"),
        "{}",
        hand.text()
    );
}

#[test]
fn a_capture_shows_paths_and_what_comes_of_the_ticks() {
    for (width, height) in [(120, 35), (80, 24)] {
        let mut hand = Hand::new(width, height);
        hand.keys("2kkC");
        hand.app.ask_captured();
        hand.serve();
        keep(&format!("capture_{width}x{height}"), &hand);
        hand.keys("j<tab><space>k<space><tab><space>");
        keep(&format!("capture_ticked_{width}x{height}"), &hand);
        hand.keys("v");
        assert!(hand.text().contains("of request"), "{}", hand.text());
        hand.keys("<esc>");
        assert!(!hand.text().contains("Capture ·"));
    }
}

#[test]
fn a_badge_of_drift_is_in_what_needs_a_person_and_can_be_taken_away() {
    use pointsman::model::study::{DriftKind, DriftView, Study};
    let mut hand = Hand::new(160, 50);
    hand.app.needs.drifts = vec![DriftView {
        id: 7,
        integration: "shop-orders".to_owned(),
        flow: "Orders".to_owned(),
        kind: DriftKind::Type,
        path: "body.qty".to_owned(),
        was: "number".to_owned(),
        now: "string".to_owned(),
        request: super::hand::id(500),
        at: pointsman::model::time::rfc3339(NOW - 60_000),
    }];
    hand.keys("<tab><tab><tab>jjjj");
    keep("drift_160x50", &hand);
    hand.keys("X");
    let asked = |ask: &pointsman::model::ask::Ask| matches!(ask, pointsman::model::ask::Ask::Study(Study::DriftOk { ids, .. }) if *ids == [7]);
    assert!(hand.asked.iter().any(asked));
    assert!(hand.text().contains("Took the badge away."));
}

#[test]
fn runs_groups_and_one_run() {
    let mut hand = Hand::new(120, 35);
    hand.keys("3");
    keep("groups_120x35", &hand);
    hand.keys("v");
    keep("runs_120x35", &hand);
    while hand.app.runs.list.current().is_none_or(|row| row.view.state.word() != "errored") {
        hand.keys("k");
    }
    hand.keys("<enter>");
    keep("run_120x35", &hand);
    let mut hand = Hand::new(80, 24);
    hand.keys("3v<enter>");
    keep("run_80x24", &hand);
}

#[test]
fn from_160_columns_a_run_has_its_steps_and_its_attempt_beside_the_list() {
    let mut hand = Hand::new(160, 50);
    hand.keys("3v");
    while hand.app.runs.list.current().is_none_or(|row| row.view.state.word() != "errored") {
        hand.keys("k");
    }
    keep("runs_160x50", &hand);
    // The list goes through the steps, and the attempt beside them is that of the chosen one.
    let at = hand.app.runs.run.step;
    hand.keys("l");
    assert_eq!(hand.app.runs.run.step, at + 1);
    let title = hand.app.runs.run.attempt_title();
    assert!(hand.text().lines().nth(2).unwrap().contains(&title), "{}", hand.text());
    hand.keys("h<tab><tab>");
    keep("runs_160x50_attempt", &hand);
    hand.keys("+");
    assert!(hand.text().contains("┌✓ 1 lookup"), "all of it has the room: {}", hand.text());
    hand.keys("+<tab>");
    assert_eq!(hand.app.focus, 0);
    // Nothing is selected: what would show the run has the room of both.
    let mut hand = Hand::new(160, 50);
    hand.keys("3v/state:none<enter>");
    hand.app.settle();
    assert!(hand.app.runs.run.id.is_some() || hand.app.panes()[2].is_empty());
}

#[test]
fn dialogs_and_help() {
    let mut hand = Hand::new(80, 24);
    hand.keys("3v");
    while hand.app.runs.list.current().is_none_or(|row| row.view.state.word() != "errored") {
        hand.keys("k");
    }
    for (key, name) in [("r", "retry"), ("s", "skip"), ("x", "abort"), ("R", "replay")] {
        hand.keys(key);
        keep(&format!("dialog_{name}_80x24"), &hand);
        hand.keys("<esc>");
    }
    hand.keys("?");
    keep("help_80x24", &hand);
    let mut hand = Hand::with(
        80,
        24,
        Options { quitting_stops: Some("127.0.0.1:7700".to_owned()), ..Options::default() },
    );
    hand.keys("q");
    keep("quit_80x24", &hand);
}

#[test]
fn a_filter_is_typed_and_an_error_leaves_the_last_one() {
    let mut hand = Hand::new(80, 24);
    hand.keys("2/verdict:rejected");
    keep("filter_80x24", &hand);
    hand.keys("<enter>");
    assert!(hand.text().contains("/ verdict:rejected"));
    assert!(!hand.text().contains("✓ accepted"));
    hand.keys("F");
    assert!(hand.text().contains("/ off: verdict:rejected") && hand.text().contains("✓ accepted"));
}

#[test]
fn a_small_screen_says_what_it_needs() {
    let hand = Hand::new(32, 6);
    let shown = text(&picture(&hand.app));
    assert!(shown.starts_with("Pointsman needs 40x8, this is\n32x6.\n● !3 ◐1 late\n"), "{shown}");
}

#[test]
fn times_are_of_the_zone_of_the_person() {
    let mut hand = Hand::new(120, 35);
    assert_eq!(hand.app.now, NOW);
    hand.keys("2");
    assert!(hand.text().contains("13:31:54"), "{}", hand.text());
}
