//! A new integration, step by step: what is filled in and not saved is there again in the next session,
//! and keys that were made on the way do not stay behind.

use super::guides::{answering, empty, paste, saves, stage};
use super::hand::{Hand, SECRET, keys};
use pointsman::console::Options;
use pointsman::console::asks::Effect;
use pointsman::console::guide::Stage;
use pointsman::console::kept::Kept;
use pointsman::model::ask::{Answer, Ask, Refusal};
use pointsman::model::study::{Source, Study};
use ratatui::crossterm::event::Event;

/// What was kept in a session, once what was typed last is due.
fn kept(hand: &mut Hand) -> Kept {
    hand.app.now += 400;
    hand.app.tick();
    hand.serve();
    let mut kept = Kept::default();
    for effect in &hand.done {
        if let Effect::Keep(name, value) = effect {
            kept.set(name, value.clone());
        }
    }
    kept
}

/// The draft as it was saved last.
fn draft(hand: &Hand) -> Answer {
    Answer::Source { version: 16, text: saves(hand).last().unwrap().text.clone() }
}

/// The next session, which goes on with `shop`, whose newest version is this.
fn again(kept: Kept, version: &Answer) -> Hand {
    let mut hand = empty(80, 24, Options { kept, ..Options::default() });
    let mut counters = hand.app.counters.clone().unwrap();
    (counters.integrations, counters.unfinished) =
        (1, vec![pointsman::model::guide::Unfinished { name: "shop".to_owned(), step: 2 }]);
    hand.app.counters = Some(counters);
    hand.app.settle();
    answering(&mut hand, "i", |ask| matches!(ask, Ask::Export { .. }).then(|| Ok(version.clone())));
    hand
}

#[test]
fn a_name_that_was_not_entered_is_there_again_and_an_empty_one_is_forgotten() {
    let mut hand = empty(80, 24, Options::default());
    hand.keys("iShop<tab>Ord");
    assert!(!hand.done.iter().any(|done| matches!(done, Effect::Keep(..))), "it waits for a pause");
    let left = kept(&mut hand);
    let mut hand = empty(80, 24, Options { kept: left, ..Options::default() });
    hand.keys("i");
    assert!(hand.text().contains("Shop") && hand.text().contains("Ord"), "{}", hand.text());
    assert!(hand.text().contains("this is as it was left"), "{}", hand.text());
    hand.keys("<ctrl-u><tab><ctrl-u>");
    assert_eq!(kept(&mut hand).names().count(), 0);
    // Who leaves loses nothing either, at once.
    hand.keys("<tab>Acme<esc>");
    assert!(hand.app.guide.is_none());
    hand.app.counters.as_mut().unwrap().integrations = 0;
    hand.keys("i");
    assert!(hand.text().contains("Acme"), "{}", hand.text());
    // Saved it is no longer what was typed.
    hand.keys("<enter>");
    assert_eq!(kept(&mut hand), Kept::default());
}

#[test]
fn who_may_send_comes_back_as_it_was_chosen_and_a_secret_is_kept_nowhere() {
    let mut hand = empty(80, 24, Options::default());
    hand.keys("iShop<enter>j<tab><tab><ctrl-u>anna<tab>given-by-them");
    let left = kept(&mut hand);
    assert!(!format!("{:?} {:?}", left, hand.done).contains("given-by-them"));
    let hand = again(left, &draft(&hand));
    assert_eq!(stage(&hand), Stage::Auth);
    assert!(hand.text().contains("► basic") && hand.text().contains("anna"), "{}", hand.text());
}

#[test]
fn what_stands_for_a_request_and_ticks_come_back_with_the_capture() {
    let mut hand = empty(80, 24, Options::default());
    hand.keys("iShop<enter><enter><enter><space>");
    paste(&mut hand, "{\"order\":\n\"7\"}");
    let (left, saved) = (kept(&mut hand), draft(&hand));
    let back = again(left, &saved);
    assert_eq!(stage(&back), Stage::Capture);
    assert!(
        back.text().contains("of JSON that was given") && back.text().contains("need: 1"),
        "{}",
        back.text()
    );
    let asked = back.asked.iter().any(|ask| {
        matches!(ask, Ask::Study(Study::Fields(Source::Body { text })) if text == "{\"order\":\n\"7\"}")
    });
    assert!(asked, "its paths are asked for");
    // A file is no other thing, and what is too long for it is told.
    hand.app.file_read(
        pointsman::console::prompt::Wants::SampleFile,
        "/a",
        Ok(format!("\"{}\"", "x".repeat(600_000))),
    );
    hand.serve();
    let left = kept(&mut hand);
    assert!(hand.text().contains("over 512 KiB, and not kept"), "{}", hand.text());
    assert!(!again(left, &saved).text().contains("of JSON"), "it is not there");
}

#[test]
fn a_url_that_was_not_entered_and_a_pasted_command_come_back() {
    let mut hand = empty(80, 24, Options::default());
    hand.keys("iShop<enter><enter><enter><enter><enter>https://a.example/{{ requ<esc><tab><ctrl-u>{\"a\":1}");
    assert_eq!(stage(&hand), Stage::Step);
    let (left, saved) = (kept(&mut hand), draft(&hand));
    let mut back = again(left, &saved);
    assert_eq!(stage(&back), Stage::Step);
    assert!(
        back.text().contains("https://a.example/{{ requ") && back.text().contains("{\"a\":1}"),
        "{}",
        back.text()
    );
    paste(&mut back, "curl -X PUT https://b.example/in -H 'X-A: 1' -d @-");
    assert!(back.text().contains("in place of -d @- it sends all that came"), "{}", back.text());
    let left = kept(&mut back);
    let mut back = again(left, &saved);
    assert!(
        back.text().contains("https://b.example/in") && back.text().contains("headers X-A"),
        "{}",
        back.text()
    );
    back.keys("<enter>");
    assert!(saves(&back).last().unwrap().text.contains("X-A"), "{}", back.text());
    // Once it is saved nothing is kept of it.
    let left = format!("{:?}", kept(&mut back));
    assert!(!left.contains("b.example"), "{left}");
    // Back at the step another command is saved, too, although the steps are where they were.
    back.keys("<esc>");
    paste(&mut back, "curl https://c.example/in");
    let before = saves(&back).len();
    back.keys("<enter>");
    assert_eq!(saves(&back).len(), before + 1);
    assert!(saves(&back).last().unwrap().text.contains("c.example"));
}

#[test]
fn what_was_typed_for_a_version_that_is_not_the_newest_is_left_out_and_told() {
    let mut hand = empty(80, 24, Options::default());
    hand.keys("iShop<enter><enter><enter><enter><enter>https://a.example");
    let (left, saved) = (kept(&mut hand), draft(&hand));
    let Answer::Source { text, .. } = saved else { panic!() };
    let other = Answer::Source { version: 17, text };
    let hand = again(left, &other);
    assert!(!hand.text().contains("a.example"), "{}", hand.text());
    assert!(
        hand.text().contains("v17 was saved since: what was typed for v16 is left out"),
        "{}",
        hand.text()
    );
}

#[test]
fn a_step_that_is_changed_and_left_backwards_is_as_it_was_left() {
    let mut hand = empty(80, 24, Options::default());
    hand.keys("iShop<enter><enter><enter><enter><enter>https://a.example<enter>");
    assert_eq!(stage(&hand), Stage::Test);
    hand.keys("<esc>/x<esc>");
    assert_eq!(stage(&hand), Stage::Dedup);
    hand.keys("<enter>");
    assert!(hand.text().contains("https://a.example/x"), "{}", hand.text());
}

#[test]
fn a_key_that_is_not_let_in_in_the_end_is_taken_away() {
    let mut hand = empty(80, 24, Options::default());
    let removed = |hand: &Hand| -> Vec<String> {
        let name = |ask: &Ask| match ask {
            Ask::RemoveKey { name, dry_run: false, .. } => Some(name.clone()),
            _ => None,
        };
        hand.asked.iter().filter_map(name).collect()
    };
    let known = |name: &str, kind: &str, flow: &str| {
        serde_json::from_value(serde_json::json!({
            "name": name, "type": kind, "algorithm": null, "user": null, "added": "", "used": null,
            "signs": false, "flows": [flow],
        }))
        .unwrap()
    };
    hand.keys("iShop<enter><enter>");
    assert!(hand.text().contains(SECRET), "{}", hand.text());
    let there = |ask: &Ask| {
        matches!(ask, Ask::Keys)
            .then(|| Ok(Answer::Keys { keys: vec![known("shop", "api-key", "shop/Events")] }))
    };
    answering(&mut hand, "<esc><esc>", there);
    answering(&mut hand, "<enter>", there);
    assert_eq!(stage(&hand), Stage::Auth);
    answering(&mut hand, "j<enter>", there);
    assert_eq!(removed(&hand), ["shop"]);
    assert!(hand.text().contains("The key shop, made before, is taken away"), "{}", hand.text());
    assert!(saves(&hand).last().unwrap().text.contains("shop-2"), "the other is let in");
    // It is known after a restart, too; and what another flow lets in stays.
    let (left, saved) = (kept(&mut hand), draft(&hand));
    for (flow, gone) in [("shop/Events", 1), ("other/In", 0)] {
        let mut hand = again(left.clone(), &saved);
        let there = |ask: &Ask| {
            matches!(ask, Ask::Keys).then(|| Ok(Answer::Keys { keys: vec![known("shop-2", "basic", flow)] }))
        };
        while stage(&hand) != Stage::Auth {
            answering(&mut hand, "<esc>", there);
        }
        answering(&mut hand, "jjj<enter><enter>", there);
        assert!(saves(&hand).last().unwrap().text.contains("\"none\""), "{}", hand.text());
        assert_eq!(removed(&hand).len(), gone, "{flow}");
    }
    // One that cannot be taken away is told.
    let mut hand = again(left, &saved);
    while stage(&hand) != Stage::Auth {
        hand.keys("<esc>");
    }
    answering(&mut hand, "jj<enter>", |ask| {
        let refused = || Err(Refusal::refused("busy", "the store is busy"));
        matches!(ask, Ask::RemoveKey { .. }).then(refused)
    });
    assert!(hand.text().contains("the key shop-2, made before, is still there"), "{}", hand.text());
}

#[test]
fn the_help_lists_the_keys_of_the_step_first() {
    let mut hand = empty(80, 24, Options::default());
    hand.keys("iShop<enter><enter><enter>?");
    super::pictures::keep("guide_3_help_80x24", &hand);
    let text = hand.text();
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words} in\n{text}"));
    assert!(at("do here") < at("listen again for 90 seconds"), "{text}");
    assert!(at("listen again") < at("everywhere"), "{text}");
    assert!(
        !text.contains("into what the row names") || at("everywhere") < at("into what the row names"),
        "{text}"
    );
    hand.keys("<esc>m");
    assert!(hand.app.mouse, "what acts everywhere acts here");
    hand.app.input(Event::Key(keys("<esc>")[0].event()));
}
