//! Single values: columns of pinned paths, the values of a path, files, saved views, earlier filters
//! and what completes them.

use super::hand::{Hand, number};
use super::pictures::keep;
use pointsman::console::asks::Effect;
use pointsman::console::picks::{Change, HISTORY, Listed, Picks, View};
use pointsman::console::{Options, app};
use pointsman::model::ask::Ask;
use pointsman::model::study::{Pinned, Source, Study, ValueCount, ValueKind, ValuesView};
use ratatui::crossterm::event::Event;

/// What the requests of [`super::hand`] hold at pinned paths.
pub fn pinned(id: &str, pins: &[String]) -> Pinned {
    let n = number(id);
    let value = |pin: &String| match pin.as_str() {
        "body.total" => Some("59.90".to_owned()),
        "body.order_number" => Some(format!("\"{n}\"")),
        "body.evil" => Some("\u{1b}[31mred\u{202e}evil".to_owned()),
        _ => n.is_multiple_of(2).then(|| "Earwax".to_owned()),
    };
    pins.iter().map(|pin| (pin.clone(), value(pin))).collect()
}

/// The first part of the values of a path, or the last.
pub fn values(first: bool) -> ValuesView {
    let value = |text: &str, kind, count| ValueCount { text: text.to_owned(), kind, digest: None, count };
    ValuesView {
        values: vec![
            value("refs/heads/main", ValueKind::String, 405),
            value("refs/heads/release/4.2", ValueKind::String, if first { 7 } else { 200 }),
            value("\u{1b}[31mred\u{202e}evil \"x\"\n", ValueKind::String, 40),
            value("7", ValueKind::Number, 2),
            value("null", ValueKind::Literal, 1),
        ],
        counted: 600,
        absent: 1,
        looked: 24_000,
        next: first.then(|| super::hand::id(300)),
    }
}

/// A payload with `body.total` selected.
fn at_total(width: u16, height: u16) -> Hand {
    let mut hand = Hand::new(width, height);
    hand.keys("2kkk<tab>");
    while hand.app.requests.payload.lines.current().is_none_or(|line| line.path != "body.total") {
        hand.keys("j");
    }
    hand
}

#[test]
fn a_pinned_path_is_a_column_and_a_mark_and_goes_again() {
    for (width, height) in [(120, 35), (160, 50), (80, 24)] {
        let mut hand = at_total(width, height);
        hand.keys("p");
        keep(&format!("pinned_{width}x{height}"), &hand);
    }
    let mut hand = at_total(120, 35);
    hand.keys("p");
    assert!(hand.text().contains("• pinned") && hand.text().contains("   59.90 order"), "{}", hand.text());
    assert_eq!(hand.done, [Effect::Pick(Change::Pin("body.total".to_owned()))]);
    let asked = hand.asked.iter().filter(|ask| matches!(ask, Ask::Study(Study::Pinned { .. }))).count();
    assert_eq!(asked, 1, "rows that were there are asked for once");
    // Rows that come from now on bring it.
    hand.keys("<esc>G");
    hand.app.requests.list.restart();
    hand.app.settle();
    hand.serve();
    let pages = |ask: &&Ask| matches!(ask, Ask::Requests(page) if page.pins == ["body.total"]);
    assert!(hand.asked.iter().any(|ask| pages(&ask)));
    // On the list it asks which one to take off.
    hand.keys("p1");
    assert!(!hand.text().contains("59.90  "), "{}", hand.text());
    assert!(hand.app.picks.pins.is_empty());
    hand.keys("p");
    assert!(hand.text().contains("pin is not possible: it takes a value of a payload"), "{}", hand.text());
}

#[test]
fn hostile_values_are_cleaned_in_columns_and_live_shows_them_first() {
    let mut picks = Picks::default();
    for pin in ["body.total", "body.evil", "body.products[0].name"] {
        picks.apply(&Change::Pin(pin.to_owned()));
    }
    for (width, height) in [(80, 24), (160, 50)] {
        let hand = Hand::with(width, height, Options { picks: picks.clone(), ..Options::default() });
        keep(&format!("pinned_live_{width}x{height}"), &hand);
    }
    let mut hand = Hand::with(160, 50, Options { picks, ..Options::default() });
    hand.keys("2+");
    keep("pinned_full_160x50", &hand);
    for column in 20..200 {
        hand.app.input(Event::Resize(column, 24));
        hand.serve();
        let text = hand.text();
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    }
}

#[test]
fn only_values_are_pinned_and_only_so_many() {
    let mut hand = Hand::new(120, 35);
    hand.keys("2kkk<tab>p");
    assert!(hand.text().contains("pin is not possible: several values stand here"), "{}", hand.text());
    let paths = |hand: &Hand| {
        let lines = &hand.app.requests.payload.lines.lines;
        lines.iter().filter(|line| line.fold.is_none() && line.opens).count()
    };
    assert!(paths(&hand) > 5);
    while hand.app.picks.pins.len() < 4 {
        hand.keys("jp");
    }
    let before = hand.app.picks.pins.clone();
    loop {
        hand.keys("j");
        let line = hand.app.requests.payload.lines.current().unwrap();
        if line.opens && line.note != "• pinned" {
            break;
        }
    }
    hand.keys("p");
    assert!(hand.text().contains("4 paths are pinned, the most"), "{}", hand.text());
    assert_eq!(hand.app.picks.pins, before);
    hand.keys("G");
    hand.keys("p");
    assert!(hand.text().contains("this is no value of body, headers or query"), "{}", hand.text());
}

#[test]
fn values_are_counted_in_parts_and_filter() {
    for (width, height) in [(120, 35), (80, 24), (60, 20)] {
        let mut hand = at_total(width, height);
        hand.keys("#");
        keep(&format!("values_{width}x{height}"), &hand);
    }
    let mut hand = at_total(120, 35);
    hand.keys("#j");
    assert!(hand.text().contains("counted 1,200 of 1,200"), "{}", hand.text());
    hand.keys("-");
    assert_eq!(hand.app.requests.list.filter, "body.total!=refs/heads/release/4.2");
    assert_eq!(hand.app.focus, 0);
    // What is in force stays so.
    hand.keys("<tab>#<enter>");
    assert_eq!(
        hand.app.requests.list.filter,
        "body.total!=refs/heads/release/4.2 and body.total=refs/heads/main"
    );
    let asked = hand.asked.iter().rev().find_map(|ask| match ask {
        Ask::Study(Study::Values(asked)) => Some((asked.filter.clone(), asked.before.clone())),
        _ => None,
    });
    assert_eq!(asked.unwrap().0, "body.total!=refs/heads/release/4.2");
    assert!(hand.app.picks.history.is_empty(), "what a sender sent is not kept");
    // `-` alone says where it belongs.
    hand.keys("-");
    assert!(hand.text().contains("filter away is not possible: no list of values is open"));
}

#[test]
fn counting_stops_with_esc_and_says_how_far_it_came() {
    let mut hand = at_total(120, 35);
    // The first part is answered, the second is not.
    hand.app.input(Event::Key(pointsman::console::key::Key::parse("#").unwrap().event()));
    let mut answered = 0;
    while answered < 1 {
        for effect in hand.app.effects() {
            if let Effect::Ask(ticket, ask) = effect
                && matches!(ask, Ask::Study(Study::Values(_)))
            {
                let answer = super::hand::answer(&ask, hand.newest);
                hand.app.receive(pointsman::session::Incoming::Reply(ticket, Box::new(Ok(answer))));
                answered += 1;
            }
        }
    }
    assert!(hand.text().contains("counted 600 of ") && hand.text().contains("esc stops"), "{}", hand.text());
    let late = hand.app.effects();
    hand.keys("<esc>");
    assert!(hand.text().contains("counted 600: stopped"), "{}", hand.text());
    for effect in late {
        if let Effect::Ask(ticket, ask) = effect {
            let answer = super::hand::answer(&ask, hand.newest);
            hand.app.receive(pointsman::session::Incoming::Reply(ticket, Box::new(Ok(answer))));
        }
    }
    assert!(hand.text().contains("counted 600: stopped"), "what comes late is dropped");
    hand.keys("<esc>");
    assert!(hand.app.overlay.is_none());
    // So does a link that goes down.
    hand.app.input(Event::Key(pointsman::console::key::Key::parse("#").unwrap().event()));
    assert!(hand.text().contains("esc stops"));
    hand.app.receive(pointsman::session::Incoming::Link(pointsman::session::Link::down("it was cut")));
    assert!(hand.text().contains("counted 0: the link went down"), "{}", hand.text());
}

#[test]
fn a_text_that_no_terminal_takes_is_written_instead() {
    let mut hand = Hand::new(120, 35);
    hand.keys("2<tab>");
    let mut detail = super::hand::detail(599);
    detail.raw = "QUJD".repeat(60_000);
    hand.app.requests.payload.install(Box::new(detail));
    hand.keys("Yb");
    let said =
        "copy is not possible: 176 KiB is more than terminals take (about 74 KB). w writes it to a file";
    assert!(hand.text().contains(said), "{}", hand.text());
    hand.keys("<esc>w<tab><enter>");
    match hand.done.pop() {
        Some(Effect::Write { bytes, .. }) => assert_eq!(bytes.len(), 180_000),
        other => panic!("{other:?}"),
    }
    hand.app.wrote("x", Ok(("/home/anna/x".to_owned(), 180_000)));
    assert!(hand.text().contains("Wrote 180,000 bytes to /home/anna/x."), "{}", hand.text());
}

#[test]
fn views_are_listed_opened_saved_and_forgotten() {
    let mut hand = Hand::new(120, 35);
    hand.keys("'");
    keep("views_120x35", &hand);
    hand.keys("n");
    assert!(hand.text().contains("no request came while you looked away"));
    hand.keys("e");
    assert!(hand.app.screen == app::Screen::Runs && hand.app.runs.list.filter == "state:errored");
    hand.keys("<esc>'r");
    assert!(hand.app.screen == app::Screen::Requests && hand.app.requests.list.filter == "verdict:rejected");
    hand.keys(":save<enter>");
    keep("save_view_120x35", &hand);
    hand.keys("<tab><tab>the night<enter>");
    let view =
        View { name: "the night".to_owned(), list: Listed::Requests, filter: "verdict:rejected".to_owned() };
    assert_eq!(hand.app.picks.views[&3], view);
    assert!(hand.done.contains(&Effect::Pick(Change::View(3, Some(view)))));
    hand.keys("1'3");
    assert_eq!(hand.app.requests.list.filter, "verdict:rejected");
    // What came while nobody looked has a view of its own.
    hand.app.input(Event::FocusLost);
    hand.newest += 5;
    hand.app.input(Event::FocusGained);
    hand.serve();
    hand.keys("'");
    assert!(hand.text().contains("Requests · since:2026-"), "{}", hand.text());
    hand.keys("GkkkX");
    assert!(hand.text().contains("this view is not one of yours"), "{}", hand.text());
    hand.keys("<esc>'");
    while !hand.text().contains("▌3") {
        hand.keys("j");
    }
    hand.keys("X");
    assert!(hand.app.picks.views.is_empty());
    hand.keys("<esc>2/<esc>1<tab>:save view<enter>");
    assert!(hand.text().contains("save view is not possible: this pane is no list"), "{}", hand.text());
}

#[test]
fn a_payload_and_its_values_are_written_and_nothing_is_overwritten_unsaid() {
    for (width, height) in [(120, 35), (80, 24)] {
        let mut hand = at_total(width, height);
        hand.keys("w");
        keep(&format!("write_{width}x{height}"), &hand);
    }
    let mut hand = at_total(120, 35);
    hand.keys("w<enter>");
    let written = |hand: &mut Hand| match hand.done.pop() {
        Some(Effect::Write { path, bytes, over }) => (path, bytes, over),
        other => panic!("{other:?}"),
    };
    let (path, bytes, over) = written(&mut hand);
    assert!(path.starts_with("request-") && path.ends_with("-body-total.json"), "{path}");
    assert_eq!((bytes.as_ref(), over), (&b"59.9"[..], false));
    hand.keys("x<esc>");
    // The body: its bytes as they came.
    hand.keys("w<tab><enter>");
    let (path, bytes, _) = written(&mut hand);
    assert_eq!(bytes.as_ref(), br#"{"order_number":"1"}"#);
    assert!(path.split('.').next_back() == Some("json") && !path.contains("total"), "{path}");
}

#[test]
fn a_filter_is_completed_and_earlier_ones_come_back() {
    let mut hand = Hand::new(80, 24);
    hand.keys("2/body.<tab>");
    keep("complete_80x24", &hand);
    let recent = |ask: &Ask| matches!(ask, Ask::Study(Study::Fields(Source::Recent { most: 100, .. })));
    assert_eq!(hand.asked.iter().filter(|ask| recent(ask)).count(), 1);
    hand.keys("<tab>");
    keep("complete_next_80x24", &hand);
    // `esc` closes the list alone.
    hand.keys("<esc>");
    assert!(hand.app.filter.as_ref().is_some_and(|filter| filter.choices.is_none()));
    hand.keys("<tab><enter>");
    assert_eq!(hand.app.filter.as_ref().unwrap().edit.text(), "body.order_number");
    hand.keys("=10438<enter>");
    assert_eq!(hand.app.requests.list.filter, "body.order_number=10438");
    assert_eq!(hand.app.picks.history, ["body.order_number=10438"]);
    hand.keys("/<ctrl-u>verd<tab>");
    // A name with a closed set goes on with its words.
    assert_eq!(hand.app.filter.as_ref().unwrap().edit.text(), "verdict:");
    hand.keys("d<tab><enter>");
    assert_eq!(hand.app.filter.as_ref().unwrap().edit.text(), "verdict:duplicate ");
    hand.keys("<enter>");
    assert_eq!(hand.app.picks.history.len(), 2);
    hand.keys("/<up>");
    assert_eq!(hand.app.filter.as_ref().unwrap().edit.text(), "body.order_number=10438");
    hand.keys("<down>");
    assert_eq!(hand.app.filter.as_ref().unwrap().edit.text(), "verdict:duplicate");
    hand.keys("<up><up>");
    assert!(hand.text().contains("there is no earlier filter"), "{}", hand.text());
    for n in 0..HISTORY + 20 {
        hand.app.picks.apply(&Change::Typed(format!("body.n={n}")));
    }
    assert_eq!(hand.app.picks.history.len(), HISTORY);
}

#[test]
fn what_these_keys_cannot_do_they_say() {
    let mut hand = Hand::new(120, 35);
    for (keys, said) in [
        ("3v", "pin is not possible: it takes a value of a payload"),
        ("4", "pin is not possible: it takes a value of a payload"),
    ] {
        hand.keys(keys).keys("p");
        assert!(hand.text().contains(said), "{}", hand.text());
    }
    hand.keys("#");
    assert!(hand.text().contains("values is not possible: it takes a value of a payload"));
    hand.keys("w");
    assert!(hand.text().contains("write is not possible: it takes a payload"));
    hand.keys("O");
    assert!(hand.text().contains("outside is not possible: nothing is being edited and no payload"));
    hand.keys("2<tab>O");
    assert!(matches!(hand.done.last(), Some(Effect::Pager { text, .. }) if text.contains("order_number")));
    // In a console that may change nothing all of it is possible: nothing of the server is changed.
    let mut hand = Hand::with(120, 35, Options { read_only: true, ..Options::default() });
    hand.keys("2<tab>jp#");
    assert!(hand.text().contains("counted"), "{}", hand.text());
}
