//! What a person asks of the keys, and what the console says back: filters that are wrong, values
//! that are cut, groups, lists and their ends.

use super::hand::{Hand, id};
use pointsman::console::app::Overlay;
use pointsman::model::ask::{Ask, Changes, Verb};
use pointsman::session::Incoming;
use ratatui::crossterm::event::Event;

fn tick(hand: &mut Hand) {
    hand.app.now += 1_000;
    hand.app.tick();
    hand.serve();
}

#[test]
fn a_wrong_filter_says_so_until_its_text_changes() {
    let mut hand = Hand::new(120, 35);
    hand.keys("2/verdict:rejected<enter>/ and (");
    tick(&mut hand);
    let shown = hand.text();
    let rows: Vec<&str> = shown.lines().collect();
    let at = rows.iter().position(|row| row.starts_with("/ verdict:rejected and (")).unwrap();
    assert!(rows[at + 1].contains("^ ") && !shown.contains('⏎'), "{shown}");
    hand.newest += 3;
    let changes = Changes { arrived: 3, newest: Some(id(hand.newest)), ..Changes::default() };
    hand.app.receive(Incoming::Changed(Box::new(changes)));
    hand.serve();
    assert!(hand.text().contains("^ "), "data took the error away");
    hand.keys("<enter>");
    assert!(
        hand.app.filter.is_some() && hand.text().contains("in force is verdict:rejected"),
        "{}",
        hand.text()
    );
    assert_eq!(hand.app.requests.list.filter, "verdict:rejected");
    hand.keys("<backspace><backspace><backspace><backspace><backspace><backspace>");
    assert!(!hand.text().contains("^ "));
    hand.keys("<enter>");
    assert!(hand.app.filter.is_none());
}

#[test]
fn verbs_on_a_group_act_on_all_of_it_as_of_now() {
    for keys in ["3", "<tab><tab><tab>"] {
        let mut hand = Hand::new(120, 35);
        hand.keys(keys).keys("r");
        let shown = hand.text();
        assert!(shown.contains("Retry 1,212 runs") && shown.contains("404 Progix"), "{shown}");
        hand.keys("<enter>");
        assert!(hand.text().contains("type 1212 to confirm"), "{}", hand.text());
        hand.keys("1212<enter>");
        let acts: Vec<_> = hand
            .asked
            .iter()
            .filter_map(|ask| if let Ask::Act(act) = ask { Some(act) } else { None })
            .collect();
        let last = acts.last().unwrap();
        assert!(!last.dry_run && last.ids.is_empty(), "{last:?}");
        assert!(
            last.filter.as_deref().is_some_and(|filter| filter.starts_with("group:g1 until:2026-")),
            "{last:?}"
        );
    }
}

#[test]
fn brackets_go_through_the_list_that_it_was_opened_from() {
    let mut hand = Hand::new(120, 35);
    hand.keys("kkk<enter>");
    let opened = hand.app.requests.opened.clone();
    assert_eq!(opened, hand.app.live.requests.selected);
    hand.keys("[");
    assert_ne!(hand.app.requests.opened, opened);
    assert_eq!(hand.app.requests.opened, hand.app.live.requests.selected);
    hand.keys("]]");
    assert!(hand.app.requests.opened > opened);
}

#[test]
fn the_first_of_the_store_is_asked_for() {
    let mut hand = Hand::new(120, 35);
    hand.newest = 5_000;
    hand.app.resync();
    hand.serve();
    hand.keys("2g");
    assert_eq!(hand.app.requests.list.selected.as_deref(), Some(id(0).as_str()));
    hand.keys("G");
    assert_eq!(hand.app.requests.list.selected.as_deref(), Some(id(4_999).as_str()));
}

#[test]
fn a_filtered_list_says_how_many_of_how_many() {
    let mut hand = Hand::new(120, 35);
    hand.keys("3v/state:errored<enter>");
    let shown = hand.text();
    let title = shown.lines().find(|line| line.contains("Runs ·")).unwrap();
    assert!(title.contains(" of 45,256") && !title.contains("active"), "{title}");
}

#[test]
fn the_raw_view_is_wrapped_at_its_pane_and_loses_nothing() {
    for (width, height) in [(80, 24), (120, 35), (160, 50)] {
        let mut hand = Hand::new(width, height);
        hand.keys("2");
        let mut detail = super::hand::detail(599);
        let body = "0123456789".repeat(60);
        detail.raw = base64(&body);
        hand.app.requests.payload.install(Box::new(detail));
        while hand.app.requests.payload.view().word() != "raw" {
            hand.app.requests.payload.next_view();
        }
        let lines = &hand.app.requests.payload.lines.lines;
        assert!(lines[0].value.starts_with("POST /in/customers?x=1%26y"), "{:?}", lines[0]);
        let cells = usize::from(hand.app.panes()[1].body.width) - 3;
        assert!(lines.iter().all(|line| line.value.chars().count() <= cells), "{width}");
        let all: String = lines.iter().map(|line| line.value.as_str()).collect();
        assert!(all.contains(&body));
    }
}

fn base64(text: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    // Multiples of three need no padding.
    assert!(text.len().is_multiple_of(3));
    for three in text.as_bytes().chunks(3) {
        let word = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
        for shift in [18, 12, 6, 0] {
            out.push(char::from(LETTERS[(word >> shift & 63) as usize]));
        }
    }
    out
}

#[test]
fn enter_on_a_value_shows_it_whole() {
    let mut hand = Hand::new(120, 35);
    hand.keys("2");
    while hand.app.requests.list.current().unwrap().view.verdict.word() != "accepted" {
        hand.keys("k");
    }
    hand.keys("<tab>j<enter>");
    assert!(matches!(hand.app.overlay, Some(Overlay::Value(_))), "{}", hand.text());
    assert!(hand.text().contains("body.order_number ·"), "{}", hand.text());
    hand.keys("<esc>");
    assert!(hand.app.overlay.is_none());
    // What came back in a run, too.
    hand.keys("3v<enter><tab>");
    for _ in 0..20 {
        hand.keys("j");
    }
    hand.keys("<enter>");
    assert!(hand.app.overlay.is_some() || !hand.app.toasts.is_empty());
}

#[test]
fn a_key_that_does_nothing_says_why_in_one_form() {
    let mut hand = Hand::new(120, 35);
    hand.keys("2v<tab>h");
    assert!(hand.text().contains("fold is not possible: only the tree folds"), "{}", hand.text());
    hand.keys("<esc>3f");
    assert!(
        hand.text().contains("follow is not possible: this list has the most urgent first"),
        "{}",
        hand.text()
    );
    hand.keys("<space>");
    assert!(
        hand.text().contains("mark is not possible: r, s and x act on the whole group"),
        "{}",
        hand.text()
    );
    hand.keys("1<ctrl-r>");
    assert!(hand.text().contains("What is shown is read again."));
}

#[test]
fn a_stand_in_that_is_typed_is_asked_about_before_it_can_be_confirmed() {
    let mut hand = Hand::new(120, 35);
    hand.keys("3v");
    while hand.app.runs.list.current().unwrap().view.state.word() != "errored" {
        hand.keys("k");
    }
    hand.keys("s");
    assert!(hand.text().contains("Skip push of "), "{}", hand.text());
    hand.keys("{\"id\":\"stand\"}");
    tick(&mut hand);
    let asked =
        hand.asked.iter().rev().find_map(|ask| if let Ask::Act(act) = ask { Some(act) } else { None });
    let asked = asked.unwrap();
    assert!(asked.dry_run && matches!(asked.verb, Verb::Skip { stand_in: Some(_) }), "{asked:?}");
    assert!(hand.text().contains("with it: all values there"), "{}", hand.text());
}

#[test]
fn what_a_provider_sent_again_folds_into_one_row_and_out_of_it() {
    let mut hand = Hand::new(120, 35);
    hand.keys("2");
    let all = hand.app.requests.list.rows.len();
    assert!(!hand.text().contains('×'), "{}", hand.text());
    hand.keys("h");
    let shown = hand.text();
    assert!(shown.contains("redeliveries folded") && shown.contains("×2 "), "{shown}");
    assert!(hand.app.requests.list.rows.len() < all);
    assert!(hand.app.requests.list.rows.iter().all(|row| row.copies.len() <= 1), "each was sent twice");
    hand.keys("h");
    assert!(hand.text().contains("folded already"), "{}", hand.text());
    // What arrives while it is folded folds too, once.
    hand.newest += 2;
    let changes = Changes { arrived: 2, newest: Some(id(hand.newest)), ..Changes::default() };
    hand.app.receive(Incoming::Changed(Box::new(changes)));
    tick(&mut hand);
    let newest = hand.app.requests.list.rows.back().unwrap();
    assert_eq!((newest.view.id.as_str(), newest.copies.len()), (id(hand.newest - 1).as_str(), 1));
    hand.keys("l");
    assert!(!hand.text().contains('×') && hand.app.requests.list.rows.len() >= all, "{}", hand.text());
    hand.keys("l");
    assert!(hand.text().contains("every request is shown"), "{}", hand.text());
}

#[test]
fn a_run_that_was_opened_before_is_there_again_when_nothing_moves() {
    for way in ["3<enter><enter><esc><esc><enter><enter>", "3vvvv", "3v<esc>1<esc>3vv"] {
        let mut hand = Hand::new(120, 35);
        hand.keys(way);
        assert!(!hand.text().contains("asking the store"), "{way}: {}", hand.text());
    }
}

#[test]
fn a_pane_shows_no_other_request_than_the_selected_one_for_long_and_none_is_copied_meanwhile() {
    let mut hand = Hand::new(120, 35);
    hand.keys("2");
    let press = |hand: &mut Hand, key: &str| {
        hand.app.input(Event::Key(pointsman::console::key::Key::parse(key).unwrap().event()));
    };
    let before = hand.app.requests.payload.detail.as_ref().unwrap().request.id.clone();
    press(&mut hand, "k");
    press(&mut hand, "tab");
    assert!(hand.text().contains(&format!("{} · ", &before[before.len() - 6..])), "it stays for a moment");
    assert!(hand.app.focused_request().is_none(), "and is not taken for the selected one");
    press(&mut hand, "Y");
    assert!(hand.app.overlay.is_none());
    hand.app.now += 300;
    hand.app.tick();
    assert!(hand.text().contains("asking the store"), "{}", hand.text());
    hand.serve();
    assert!(!hand.text().contains("asking the store"), "{}", hand.text());
    assert_eq!(hand.app.focused_request().map(|one| &one.id), hand.app.requests.list.selected.as_ref());
    // A page of its own shows nothing else from the beginning.
    press(&mut hand, "]");
    assert!(hand.app.requests.payload.is_current() || hand.app.requests.opened.is_none());
}

#[test]
fn the_view_is_turned_of_the_request_that_is_selected_not_of_the_one_that_is_still_shown() {
    use pointsman::console::payload::View;
    let mut hand = Hand::new(120, 35);
    hand.keys("2");
    let rejected = |hand: &Hand| {
        hand.app.requests.list.current().is_some_and(|row| row.view.verdict.word() == "rejected")
    };
    let press = |hand: &mut Hand, key: &str| {
        hand.app.input(Event::Key(pointsman::console::key::Key::parse(key).unwrap().event()));
    };
    // On an accepted one whose neighbour was rejected: the answer for that one is not there yet.
    while !rejected(&hand) {
        hand.keys("k");
    }
    hand.keys("k");
    assert!(!rejected(&hand) && hand.app.requests.payload.view() == View::Tree);
    press(&mut hand, "j");
    assert!(rejected(&hand) && !hand.app.requests.payload.is_current());
    press(&mut hand, "v");
    press(&mut hand, "v");
    assert_eq!(hand.app.requests.payload.view(), View::Tree, "nothing is done to the other one");
    press(&mut hand, "tab");
    press(&mut hand, "h");
    assert!(hand.text().contains("the store is still asked for it"), "{}", hand.text());
    hand.serve();
    assert_eq!(hand.app.requests.payload.view(), View::Flat, "why, tree, flat");
    hand.keys("<esc>k");
    assert_eq!(hand.app.requests.payload.view(), View::Tree, "accepted ones keep theirs");
    // A run whose steps are gone through before it is there opens as many further.
    let mut hand = Hand::new(160, 50);
    hand.keys("3v");
    press(&mut hand, "k");
    let shown = hand.app.runs.run.step;
    press(&mut hand, "h");
    assert_eq!(hand.app.runs.run.step, shown);
    let mut other = Hand::new(160, 50);
    other.keys("3vk");
    hand.serve();
    assert_eq!(hand.app.runs.run.step, other.app.runs.run.step.saturating_sub(1));
}

#[test]
fn a_run_that_changes_and_matches_now_enters_the_list() {
    let mut hand = Hand::new(120, 35);
    hand.keys("3v/state:retrying<enter>kk");
    let selected = hand.app.runs.list.selected.clone();
    let shown = hand.app.runs.list.rows.len();
    let run = super::hand::run(501);
    assert!(run.state.word() != "retrying" && !hand.text().contains("0001f5"));
    let changes = Changes { runs: vec![run.id.clone()], ..Changes::default() };
    hand.app.receive(Incoming::Changed(Box::new(changes.clone())));
    hand.app.refresh();
    let asked = hand.app.effects().into_iter().find_map(|effect| match effect {
        pointsman::console::asks::Effect::Ask(ticket, Ask::RunsAmong { ids, filter }) => {
            assert_eq!((ids.as_slice(), filter.as_str()), ([run.id.clone()].as_slice(), "state:retrying"));
            Some(ticket)
        }
        _ => None,
    });
    let now = pointsman::model::view::RunView { state: pointsman::model::run::RunState::Retrying, ..run };
    let rows = pointsman::model::ask::Rows::whole(vec![now]);
    let answer = pointsman::model::ask::Answer::Runs(rows);
    hand.app.receive(Incoming::Reply(asked.expect("it is asked whether it matches"), Box::new(Ok(answer))));
    assert_eq!(hand.app.runs.list.rows.len(), shown + 1);
    assert_eq!(hand.app.runs.list.selected, selected, "nothing moved under the cursor");
    // One that the filter does not match is asked for once, and stays out.
    hand.serve();
    let changes = Changes { runs: vec![id(502)], ..changes };
    hand.app.receive(Incoming::Changed(Box::new(changes)));
    hand.app.refresh();
    hand.serve();
    assert_eq!(hand.app.runs.list.rows.len(), shown + 1);
}
