//! A flow tried out with choices; values set and integrations removed; what a group came after; the
//! items of a step.

use super::hand::{Hand, id};
use super::pictures::keep;
use super::workflows::ITEMS;
use pointsman::model::ask::Ask;
use pointsman::model::study::{Sampled, Study, Trial, TrialOrder};
use ratatui::crossterm::event::Event;

/// On a request of the list, its flow tried out.
fn tried(width: u16, height: u16) -> Hand {
    let mut hand = Hand::new(width, height);
    hand.keys("2kkt");
    assert!(hand.text().contains("(•) build only"), "{}", hand.text());
    hand
}

fn simulated(hand: &Hand) -> Trial {
    let asked = hand.asked.iter().rev().find_map(|ask| match ask {
        Ask::Study(Study::Simulate(trial)) => Some(trial.clone()),
        _ => None,
    });
    asked.unwrap()
}

fn ordered(hand: &Hand) -> Vec<TrialOrder> {
    let order = |ask: &Ask| match ask {
        Ask::Study(Study::Call(order) | Study::TestRun(order)) => Some(order.clone()),
        _ => None,
    };
    hand.asked.iter().filter_map(order).collect()
}

#[test]
fn version_sample_and_steps_are_chosen_and_built_again_at_once() {
    let mut hand = tried(120, 35);
    let selected = hand.app.requests.list.selected.clone().unwrap();
    assert_eq!(simulated(&hand).sample, Sampled::Request(selected.clone()));
    // From what it does round to the version.
    hand.keys("<tab><right>");
    assert!(simulated(&hand).draft && hand.text().contains("v5, the draft"), "{}", hand.text());
    hand.keys("<left><tab><left>");
    assert_eq!(simulated(&hand).sample, Sampled::default(), "the last real one");
    hand.keys("<right><right>");
    assert_eq!(simulated(&hand).sample, Sampled::Saved("shop-orders-orders-d7fe00.json".to_owned()));
    hand.keys("<enter>4be2c1<enter>");
    assert_eq!(simulated(&hand).sample, Sampled::Request("4be2c1".to_owned()));
    hand.app.input(Event::Paste("{\"a\": 1}\n".to_owned()));
    hand.serve();
    assert_eq!(simulated(&hand).sample, Sampled::Text("{\"a\": 1}".to_owned()));
    assert!(hand.text().contains("pasted JSON, 8 B"), "{}", hand.text());
    hand.app.input(Event::Paste("x".repeat(2 << 20)));
    hand.serve();
    assert!(hand.text().contains("paste is not possible"), "{}", hand.text());
    hand.keys("<tab><right>");
    assert_eq!(simulated(&hand).step.as_deref(), Some("event"));
    keep("trial_chosen_120x35", &hand);
    assert!(ordered(&hand).is_empty(), "nothing was really sent");
}

#[test]
fn a_step_is_really_called_once_after_its_plan_was_seen() {
    for (width, height) in [(120, 35), (80, 24)] {
        let mut hand = tried(width, height);
        hand.keys("<right>");
        assert!(hand.text().contains("really call event once"), "{}", hand.text());
        hand.keys("<enter>");
        keep(&format!("dialog_call_{width}x{height}"), &hand);
        assert!(ordered(&hand).iter().all(|order| order.dry_run));
        hand.app.flushed();
        hand.keys("see<enter>");
        let order = ordered(&hand).pop().unwrap();
        assert_eq!((order.dry_run, order.trial.step.as_deref()), (false, Some("event")));
        assert_eq!(order.reason.as_deref(), Some("see"));
        assert!(hand.text().contains("called event"), "{}", hand.text());
        keep(&format!("trial_called_{width}x{height}"), &hand);
        // It is done: enter builds again and calls nothing.
        let orders = ordered(&hand).len();
        hand.keys("<enter>");
        assert_eq!(ordered(&hand).len(), orders);
    }
}

#[test]
fn a_test_run_is_begun_and_opened_and_esc_comes_back_to_the_trial() {
    let mut hand = tried(120, 35);
    hand.keys("<right><right><enter>");
    assert!(hand.text().contains("Run acme-erp / Sync customers as a test"), "{}", hand.text());
    hand.keys("<esc>");
    assert!(hand.text().contains("(•) real test run"), "{}", hand.text());
    hand.keys("<enter>");
    hand.app.flushed();
    hand.keys("<enter>");
    assert_eq!(hand.app.runs.opened, Some(id(591)));
    assert!(hand.text().contains("The test run began."), "{}", hand.text());
    let order = ordered(&hand).pop().unwrap();
    assert_eq!((order.dry_run, order.trial.step), (false, None));
}

#[test]
fn a_read_only_console_builds_and_sends_nothing() {
    let options = pointsman::console::Options { read_only: true, ..Default::default() };
    let mut hand = Hand::with(120, 35, options);
    hand.keys("2kkt<right><enter>");
    assert!(
        hand.text().contains("a call of a step is not possible: this console is read-only"),
        "{}",
        hand.text()
    );
    assert!(ordered(&hand).is_empty());
}

#[test]
fn a_value_is_set_where_it_stands_and_a_secret_is_not_shown() {
    let mut hand = Hand::new(120, 35);
    hand.keys("5G");
    while !hand.text().contains("acme-erp · values") {
        hand.keys("k");
    }
    hand.keys("<tab>");
    assert!(hand.text().contains("••• set 3 Nov by anna"), "{}", hand.text());
    hand.keys("je");
    hand.keys("s3cret-value");
    assert!(!hand.text().contains("s3cret"), "{}", hand.text());
    hand.app.now += 1_000;
    hand.app.tick();
    hand.serve();
    keep("dialog_set_120x35", &hand);
    hand.app.flushed();
    hand.keys("<enter>");
    let set = hand.asked.iter().rev().find_map(|ask| match ask {
        Ask::Set { name, secret: Some((variable, secret)), dry_run: false, .. } => {
            Some((name.clone(), variable.clone(), secret.reveal().to_owned()))
        }
        _ => None,
    });
    assert_eq!(set, Some(("acme-erp".to_owned(), "token".to_owned(), "s3cret-value".to_owned())));
}

#[test]
fn an_integration_is_removed_after_what_stops_was_seen_and_kept_by_default() {
    let removed = |hand: &Hand| {
        hand.asked.iter().filter(|ask| matches!(ask, Ask::Remove { dry_run: false, .. })).count()
    };
    let mut hand = Hand::new(80, 24);
    hand.keys("5gX");
    keep("dialog_remove_80x24", &hand);
    hand.app.flushed();
    hand.keys("<enter>");
    assert_eq!(removed(&hand), 0, "the default is to keep");
    hand.keys("X");
    hand.app.flushed();
    hand.keys("gone<right><enter>");
    assert_eq!(removed(&hand), 1);
}

#[test]
fn a_group_says_what_it_came_after_and_shows_what_that_changed() {
    let mut hand = Hand::new(160, 50);
    hand.keys("3");
    assert!(hand.text().contains("after v14 was deployed by ben"), "{}", hand.text());
    assert!(hand.text().contains("(\"move to v2 API\")"), "{}", hand.text());
    assert!(hand.text().contains("per hour ··"), "{}", hand.text());
    keep("groups_160x50", &hand);
    hand.keys("d");
    assert!(hand.text().contains("-url = \"/custmers/"), "{}", hand.text());
    assert!(hand.text().contains("v13 → v14"), "{}", hand.text());
}

#[test]
fn the_items_of_a_step_are_listed_and_opened() {
    for (width, height) in [(120, 35), (80, 24)] {
        let mut hand = Hand::new(width, height);
        hand.keys("3v");
        while hand.app.runs.list.selected != Some(id(ITEMS)) {
            hand.keys("k");
        }
        hand.keys("<enter>");
        assert!(hand.text().contains("items 12/14, 1 errored"), "{}", hand.text());
        keep(&format!("run_items_{width}x{height}"), &hand);
        hand.keys("<tab>");
        hand.keys("G<enter>");
        hand.keys("<esc>k<enter>");
        assert!(hand.text().contains("item 12 · attempt 3 of 3"), "{}", hand.text());
    }
}

#[test]
fn an_integration_tries_its_only_flow_or_asks_which() {
    let mut hand = Hand::new(80, 24);
    hand.keys("5gt");
    keep("test_which_flow_80x24", &hand);
    hand.keys("2");
    assert!(hand.text().contains("simulated: nothing was sent"), "{}", hand.text());
    let mut hand = Hand::new(80, 24);
    hand.keys("5g");
    hand.app.tree.integrations[0].flows.truncate(1);
    hand.app.settle();
    hand.keys("t");
    assert!(hand.text().contains("simulated: nothing was sent"), "{}", hand.text());
    hand.keys("<esc>C");
    assert!(hand.text().contains("Capture · acme-erp/"), "{}", hand.text());
    hand.keys("vv<esc>");
}
