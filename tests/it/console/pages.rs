//! The page of a request, of a replayed run, the help of a place, and what ends every footer.

use super::hand::{Hand, id};
use super::pictures::keep;
use pointsman::console::app::{Place, Screen};

/// On the newest accepted request of the list.
fn on_an_accepted(hand: &mut Hand) {
    hand.keys("2");
    while hand.app.requests.list.current().unwrap().view.verdict.word() != "accepted" {
        hand.keys("k");
    }
}

fn footer(hand: &Hand) -> String {
    hand.text().lines().last().unwrap_or_default().trim_end().to_owned()
}

#[test]
fn the_page_of_a_request_tells_what_is_known_and_where_it_leads_by_digit() {
    for (width, height) in [(80, 24), (120, 35), (200, 60)] {
        let mut hand = Hand::new(width, height);
        on_an_accepted(&mut hand);
        let request = hand.app.requests.list.selected.clone().unwrap();
        hand.keys("<enter>");
        let text = hand.text();
        let state = pointsman::console::glyphs::run_word(super::hand::state(number(&request)));
        let run = format!("1 run {} ", &request[request.len() - 6..]);
        for told in [
            "arrived",
            " Nov 2026 ",
            "+00:00",
            "from 203.0.113.9",
            "answered",
            "POST /in/customers?x=1%26y&x=2",
            "o go to",
            run.as_str(),
            state,
            "2 flow ",
            "version v14",
        ] {
            assert!(text.contains(told), "{told} at {width}x{height}: {text}");
        }
        // The payload is under it, and has all the room where that is wanted.
        assert!(text.contains("order_number"), "{text}");
        hand.keys("+");
        assert!(!hand.text().contains("o go to"), "{}", hand.text());
        hand.keys("+o2");
        assert_eq!((hand.app.screen, hand.app.place()), (Screen::Integrations, Place::Tree), "{width}");
        hand.keys("<esc>");
        assert_eq!(hand.app.requests.opened.as_ref(), Some(&request), "back to the page");
        hand.keys("o1");
        assert_eq!(hand.app.runs.opened.as_ref(), Some(&request), "a run has its request's id");
    }
}

fn number(id: &str) -> u64 {
    u64::from_str_radix(&id[id.len() - 6..], 16).unwrap()
}

#[test]
fn what_a_person_made_is_told_from_what_a_sender_sent() {
    let mut hand = Hand::new(120, 35);
    on_an_accepted(&mut hand);
    assert!(!hand.text().contains("by anna"), "{}", hand.text());
    let made = hand.app.requests.list.selected.clone().unwrap();
    for row in hand.app.requests.list.rows.iter_mut().filter(|row| row.view.id == made) {
        row.view.marks = vec!["manual".to_owned()];
        row.view.actor = Some("anna".to_owned());
        row.view.status = None;
    }
    assert!(hand.text().contains("by anna · "), "{}", hand.text());
    hand.keys("<enter>");
    let detail = hand.app.requests.payload.detail.as_mut().unwrap();
    detail.request.marks = vec!["manual".to_owned()];
    detail.request.actor = Some("anna".to_owned());
    detail.request.status = None;
    detail.answer = None;
    detail.parent = Some(id(7));
    hand.app.settle();
    let text = hand.text();
    for told in ["made", "by anna", "nobody: no sender sent it", "made from 000007"] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(!text.contains("from 203.0.113.9"), "{text}");
}

#[test]
fn a_replayed_run_shows_what_differs_from_its_parent() {
    for (width, height) in [(120, 35), (200, 60)] {
        let mut hand = Hand::new(width, height);
        hand.keys("3");
        if hand.app.runs.groups {
            hand.keys("v");
        }
        hand.keys("<enter>");
        assert!(!hand.text().contains("beside its parent"), "{}", hand.text());
        let run = hand.app.runs.run.run.as_mut().unwrap();
        run.parent = Some(id(1));
        hand.app.settle();
        hand.serve();
        let text = hand.text();
        assert!(text.contains("beside its parent 000001 · "), "{width}x{height}: {text}");
        assert!(text.contains("differ"), "{text}");
        assert!(text.contains("d shows all"), "{text}");
    }
    let mut hand = Hand::new(80, 24);
    hand.keys("3<enter>");
    assert!(!hand.text().contains("beside its parent"), "{}", hand.text());
}

#[test]
fn help_begins_with_what_can_be_done_here_and_does_it() {
    let mut hand = Hand::new(120, 35);
    on_an_accepted(&mut hand);
    hand.keys("?");
    keep("help_120x35", &hand);
    let text = hand.text();
    assert!(text.contains("Help · Requests"), "{text}");
    let heads = text.lines().find(|line| line.contains("do here")).unwrap();
    assert!(heads.find("do here") < heads.find("everywhere"), "{heads}");
    // Reasons are wrapped, and never cut.
    assert!(text.contains("readmit is not possible: it was accepted"), "{text}");
    assert!(text.contains("times in ") && text.contains("/ search"), "{text}");
    hand.keys("/full<enter>");
    assert!(hand.app.overlay.is_none() && hand.app.full, "{}", hand.text());
    hand.keys("+<tab>?");
    assert!(hand.text().contains("Help · Requests, payload"), "{}", hand.text());
    hand.keys("<esc>");
    assert!(hand.app.overlay.is_none());
}

#[test]
fn the_palette_lists_what_can_be_done_before_what_cannot_and_counts() {
    let mut hand = Hand::new(120, 35);
    on_an_accepted(&mut hand);
    hand.keys(":re");
    let text = hand.text();
    let at = |word: &str| text.lines().position(|line| line.contains(word)).unwrap_or(usize::MAX);
    assert!(at("a new run from the stored request") < at("readmit is not possible"), "{text}");
    let all = hand.app.palette_entries("").len();
    let found = hand.app.palette_entries("re").len();
    assert!(text.contains(&format!("{found} of {all} · an id pasted here jumps to it")), "{text}");
}

#[test]
fn every_footer_ends_with_the_way_to_all_the_others() {
    for (width, height) in [(60, 20), (80, 24), (120, 35), (160, 50), (200, 60)] {
        let mut hand = Hand::new(width, height);
        for screen in ["1", "2", "3", "4", "5", "6"] {
            hand.keys(screen);
            for pane in 0..4 {
                let footer = footer(&hand);
                assert!(footer.ends_with("? help"), "{screen} {pane} {width}x{height}: {footer}");
                assert!(footer.contains(": all"), "{screen} {pane} {width}x{height}: {footer}");
                hand.keys("<tab>");
            }
        }
        hand.keys("2");
        assert!(footer(&hand).contains("R replay"), "{}", footer(&hand));
        hand.keys("5e");
        assert!(footer(&hand).ends_with("? help"), "{width}x{height}: {}", hand.text());
    }
}
