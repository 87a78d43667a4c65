//! Two requests beside each other, another dedup rule tried, and what is copied.

use super::hand::{Hand, NOW};
use super::pictures::keep;
use pointsman::console::app::Overlay;
use pointsman::model::ask::Ask;
use pointsman::model::study::{Source, Study};
use ratatui::crossterm::event::Event;

/// On a duplicate of the list of requests.
fn on_a_duplicate(hand: &mut Hand) {
    hand.keys("2");
    while !hand.text().contains("is a duplicate of") {
        hand.keys("k");
    }
}

#[test]
fn a_duplicate_stands_beside_its_first_and_two_marked_ones_beside_each_other() {
    for (width, height) in [(160, 50), (80, 24)] {
        let mut hand = Hand::new(width, height);
        on_a_duplicate(&mut hand);
        hand.keys("d");
        keep(&format!("beside_{width}x{height}"), &hand);
        hand.keys("d");
        keep(&format!("beside_all_{width}x{height}"), &hand);
        hand.keys("jjGg<esc>");
        assert!(hand.app.overlay.is_none(), "{}", hand.text());
    }
    let mut hand = Hand::new(120, 35);
    hand.keys("2kkk<space>d");
    assert!(hand.text().contains("it takes two requests, 1 marked"), "{}", hand.text());
    hand.keys("kk<space>d");
    assert!(hand.text().contains("paths differ"), "{}", hand.text());
    hand.keys("<esc><esc>d");
    assert!(hand.text().contains("mark two first, or go to a duplicate"), "{}", hand.text());
    hand.keys("3vd");
    assert!(hand.text().contains("it compares requests, and this is none"), "{}", hand.text());
}

#[test]
fn another_rule_is_typed_or_suggested_and_what_it_would_have_done_is_listed() {
    for (width, height) in [(120, 35), (80, 24)] {
        let mut hand = Hand::new(width, height);
        on_a_duplicate(&mut hand);
        hand.keys("tt");
        keep(&format!("what_if_{width}x{height}"), &hand);
        hand.keys("<ctrl-u>");
        hand.keys("<enter>");
        assert!(hand.text().contains("tab suggests one"), "{}", hand.text());
        hand.keys("<tab><enter>");
        keep(&format!("what_if_told_{width}x{height}"), &hand);
    }
    let mut hand = Hand::new(120, 35);
    on_a_duplicate(&mut hand);
    hand.keys("tt<ctrl-u>body.a,q");
    hand.app.input(Event::Paste("uery.b".to_owned()));
    hand.serve();
    let before = hand.asked.len();
    hand.keys("<enter>");
    let asked =
        |ask: &Ask| matches!(ask, Ask::Study(Study::WhatIf(rule)) if rule.fields == ["body.a", "query.b"]);
    assert!(hand.asked[before..].iter().any(asked), "{:?}", &hand.asked[before..]);
    // The answer is for what was typed: another letter, and it is no more.
    hand.keys("x");
    assert!(hand.text().contains("enter runs these fields"), "{}", hand.text());
    hand.keys("<backspace><down><down><enter>");
    let opened = hand.app.requests.opened.clone().unwrap();
    assert_eq!(opened, super::hand::id(502));
    assert_eq!(hand.app.now, NOW);
}

#[test]
fn what_is_selected_and_what_a_capture_found_is_copied() {
    let mut hand = Hand::new(120, 35);
    hand.keys("2kky");
    assert_eq!(hand.copied, [hand.app.requests.list.selected.clone().unwrap()]);
    assert!(hand.text().contains("to the terminal's clipboard, as id."), "{}", hand.text());
    hand.keys("C");
    hand.app.ask_captured();
    hand.serve();
    hand.keys("jy");
    assert_eq!(hand.copied[1], "{{ request.headers[\"x-request-id\"] }}");
    hand.keys("Y");
    assert!(hand.text().contains("nothing is ticked; space ticks a path"), "{}", hand.text());
    hand.keys("<tab><space>k<tab><space>Y");
    assert_eq!(
        hand.copied[2],
        "required = [\"body.order_number\"]\ndedup = { fields = ['headers[\"x-request-id\"]'] }"
    );
    // Pasted JSON is a source as well.
    hand.app.input(Event::Paste("{\"a\":1}".to_owned()));
    hand.serve();
    let pasted =
        |ask: &Ask| matches!(ask, Ask::Study(Study::Fields(Source::Body { text })) if text == "{\"a\":1}");
    assert!(hand.asked.last().is_some_and(pasted), "{:?}", hand.asked.last());
    assert!(hand.text().contains("of what was pasted"), "{}", hand.text());
    hand.keys("v");
    assert!(!hand.text().contains("of what was pasted"), "{}", hand.text());
    hand.keys("<esc><tab>vjy");
    assert_eq!(hand.copied.len(), 4);
    let mut hand = Hand::new(120, 35);
    hand.keys("<tab><tab><tab>y");
    assert!(hand.text().contains("copy is not possible"), "{}", hand.text());
}

#[test]
fn every_request_that_a_run_would_send_is_shown_and_what_nobody_knows_is_given() {
    let simulated = |hand: &Hand| {
        let asked = hand.asked.iter().rev().find_map(|ask| match ask {
            Ask::Study(Study::Simulate(trial)) => Some(trial.clone()),
            _ => None,
        });
        asked.unwrap()
    };
    for (width, height) in [(160, 50), (80, 24)] {
        let mut hand = Hand::new(width, height);
        on_a_duplicate(&mut hand);
        hand.keys("t");
        assert!(hand.text().contains("simulated: nothing was sent"), "{}", hand.text());
        keep(&format!("trial_{width}x{height}"), &hand);
        hand.keys("e");
        assert!(hand.text().contains("steps.event.outputs.id ="), "{}", hand.text());
        hand.keys("42<enter>");
        assert_eq!(simulated(&hand).set, [("steps.event.outputs.id".to_owned(), serde_json::json!(42))]);
        hand.keys("G");
        assert!(hand.text().contains("= 42 (given)"), "{}", hand.text());
        keep(&format!("trial_given_{width}x{height}"), &hand);
    }
    let mut hand = Hand::new(120, 35);
    on_a_duplicate(&mut hand);
    hand.keys("tv");
    assert!(simulated(&hand).draft && hand.text().contains("v5, the draft"), "{}", hand.text());
    hand.keys("e");
    hand.app.input(Event::Paste("an".to_owned()));
    hand.keys("na<enter>");
    assert_eq!(simulated(&hand).set[0].1, "anna");
    hand.keys("e");
    assert!(hand.text().contains("= anna"), "it is filled with the last one: {}", hand.text());
    hand.keys("<ctrl-u><enter>");
    assert_eq!(simulated(&hand).set, [("steps.event.outputs.id".to_owned(), serde_json::Value::Null)]);
    hand.keys("e<esc>x");
    assert!(hand.text().contains("this box is open"), "{}", hand.text());
    hand.keys("<esc>S");
    assert!(hand.text().contains("/samples/shop-orders-orders-d7fe00.json"), "{}", hand.text());
}

#[test]
fn a_back_test_lists_what_changes_part_by_part() {
    for (width, height) in [(160, 50), (80, 24)] {
        let mut hand = Hand::new(width, height);
        on_a_duplicate(&mut hand);
        hand.keys("b");
        hand.serve();
        keep(&format!("back_test_{width}x{height}"), &hand);
        assert!(hand.text().contains("2 of 200 requests change"), "{}", hand.text());
    }
    let mut hand = Hand::new(120, 35);
    on_a_duplicate(&mut hand);
    hand.keys("bb");
    hand.serve();
    assert!(hand.text().contains("7 days"), "{}", hand.text());
    hand.keys("j<enter>");
    hand.serve();
    let text = hand.text();
    for told in ["request 0001e0", "- body.no", "+ body.no", "\"A-10438\"", "sends", "body.email"] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(hand.app.requests.opened.is_none(), "the stored request is not what was asked for");
    // Back to the same row; nothing of it is lost.
    hand.keys("<esc>");
    let Some(Overlay::BackTest(open)) = &hand.app.overlay else { panic!("{}", hand.text()) };
    assert_eq!((open.at, open.changed, open.open.is_none()), (1, 2, true));
}
