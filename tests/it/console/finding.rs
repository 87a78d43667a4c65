//! Finding: a search that streams, an id that is pasted, the search line of a pane.

use super::hand::{Hand, SLOW, id};
use super::pictures::keep;
use crossterm::event::Event;
use pointsman::model::ask::Ask;

#[test]
fn a_search_tells_how_far_it_is_in_the_line_and_without_it_and_is_stopped_by_esc() {
    for (width, height) in [(80, 24), (120, 35), (40, 8)] {
        let mut hand = Hand::new(width, height);
        hand.keys(&format!("2/{SLOW}"));
        hand.app.try_typed(true);
        hand.app.settle();
        hand.serve();
        keep(&format!("searching_{width}x{height}"), &hand);
        hand.keys("<enter>");
        keep(&format!("searching_on_{width}x{height}"), &hand);
        hand.keys("<esc>");
        keep(&format!("search_stopped_{width}x{height}"), &hand);
        let asked = hand.asked.len();
        hand.app.refresh();
        hand.serve();
        let more = |ask: &Ask| matches!(ask, Ask::Requests(page) if page.before.is_some());
        assert!(!hand.asked[asked..].iter().any(more), "it stays stopped");
        assert!(!hand.text().contains("esc stops"));
        // Up past the first row goes on; esc in the line stops it too, and only then restores the filter.
        hand.keys("kkkkkk");
        assert!(hand.asked[asked..].iter().any(more), "it goes on");
        if width < 80 {
            continue;
        }
        hand.keys("/<esc>");
        assert!(hand.text().contains("stopped at 61 %"), "{}", hand.text());
        hand.keys("<ctrl-u>verdict:duplicate<esc>");
        assert!(hand.text().contains("10438"), "the earlier filter is in force:\n{}", hand.text());
    }
}

#[test]
fn ctrl_c_stops_a_search_and_else_asks_to_quit() {
    let mut hand = Hand::new(100, 30);
    hand.keys(&format!("2/{SLOW}<enter>"));
    assert!(hand.text().contains("searching values, no index: 61 % · 4 found so far · esc stops"));
    hand.keys("<ctrl-c>");
    assert!(hand.text().contains("stopped at 61 % · 4 found · k goes on"), "{}", hand.text());
    // Another filter begins anew, and nothing of the old one is left.
    hand.keys("/<ctrl-u>verdict:duplicate<enter>");
    assert!(!hand.text().contains("61 %") && hand.text().contains("≡ duplicate"), "{}", hand.text());
}

#[test]
fn an_id_that_is_pasted_anywhere_opens_the_palette_with_what_has_it() {
    let mut hand = Hand::new(80, 24);
    hand.app.input(Event::Paste(format!(" {}\n", id(77))));
    hand.serve();
    keep("palette_id_80x24", &hand);
    hand.keys("<enter>");
    assert!(hand.text().contains("request 00004d"), "{}", hand.text());
    // In the palette it is the same; typed, enter looks for it.
    hand.keys("<esc>:");
    hand.keys(&id(78)[30..]);
    assert!(hand.text().contains("enter looks for the id"), "{}", hand.text());
    hand.keys("<enter>");
    assert!(hand.text().contains("request"), "{}", hand.text());
    hand.keys("<down><enter>");
    assert!(hand.text().contains("run 00004e"), "{}", hand.text());
    // What is no id is not taken for one, and a line takes what is pasted.
    hand.keys("<esc>");
    hand.app.input(Event::Paste("retry it".into()));
    assert!(hand.text().contains("nothing here takes text but an id"), "{}", hand.text());
    hand.keys("2/");
    hand.app.input(Event::Paste(id(79)));
    hand.serve();
    assert!(!hand.text().contains("Palette") && hand.text().contains(&id(79)), "{}", hand.text());
}

#[test]
fn the_search_line_of_a_pane_begins_empty_and_up_brings_the_last_one_back() {
    let mut hand = Hand::new(120, 35);
    hand.keys("2kkk<tab>v/order<enter>");
    assert!(hand.text().contains("search \"order\""), "{}", hand.text());
    hand.keys("/");
    assert!(hand.text().contains("↑ the last one"), "{}", hand.text());
    hand.keys("total");
    assert!(hand.text().contains("/ total") && !hand.text().contains("ordertotal"), "{}", hand.text());
    hand.keys("<esc>/<up>");
    assert!(hand.text().contains("/ order"), "{}", hand.text());
    // Nothing typed keeps what was looked for.
    hand.keys("<esc>/<enter>");
    assert!(hand.text().contains("search \"order\""), "{}", hand.text());
}

#[test]
fn marking_what_no_index_has_tells_how_far_it_is_and_is_stopped_with_what_it_found() {
    for (stop, width) in [("<esc>", 80), ("<ctrl-c>", 160)] {
        let mut hand = Hand::new(width, 50);
        hand.keys(&format!("2/{SLOW}<enter><esc>"));
        assert!(hand.text().contains("stopped at 61 %"), "the list's own: {}", hand.text());
        hand.keys("a");
        assert!(hand.text().contains("61 % · 4 marked"), "{}", hand.text());
        assert_eq!(hand.app.requests.list.marks.len(), 4, "what was found is marked already");
        let parts = |hand: &Hand| hand.held.len();
        let before = parts(&hand);
        hand.keys(stop);
        assert!(hand.text().contains("stopped at 61 %: 4 found and marked, the newest"), "{}", hand.text());
        assert_eq!((hand.app.requests.list.marks.len(), parts(&hand)), (4, before));
        assert!(!hand.text().contains("esc stops") && hand.app.overlay.is_none());
        // An answer that comes after that is for nobody, and the next one begins anew.
        let late = *hand.held.last().unwrap();
        let page = super::hand::answer(&Ask::Requests(pointsman::model::ask::Page::default()), 600);
        hand.app.receive(pointsman::session::Incoming::Reply(late, Box::new(Ok(page))));
        assert_eq!(hand.app.requests.list.marks.len(), 4);
        hand.keys("a");
        assert!(hand.text().contains("61 % · 4 marked"), "{}", hand.text());
    }
}
