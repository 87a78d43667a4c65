//! What needs a person, as it is drawn: groups and never single rows, the worst first, and nothing that
//! decides is cut.

use super::hand::{Hand, NOW, counters, id};
use super::workflows::callback;
use pointsman::model::ask::{Ask, Changes};
use pointsman::model::change::Counters;
use pointsman::model::study::{DriftKind, DriftView, Study};
use pointsman::model::time::{MINUTE, rfc3339};
use pointsman::model::trouble::{StoreTrouble, TroubleKind};
use pointsman::session::{Incoming, Link};

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 35), (160, 50), (200, 60)];

/// Figures came.
fn count(hand: &mut Hand, counters: Counters) {
    hand.app.receive(Incoming::Changed(Box::new(Changes { counters: Some(counters), ..Changes::default() })));
    hand.serve();
}

fn full() -> Counters {
    let trouble = StoreTrouble {
        kind: TroubleKind::Full,
        why: "the disk is low on free space".to_owned(),
        since: NOW - MINUTE,
        folder: "/var/lib/pointsman".to_owned(),
    };
    Counters { store_trouble: Some(trouble), ..counters() }
}

fn drift(n: u64) -> DriftView {
    DriftView {
        id: i64::try_from(n).unwrap(),
        integration: "shop-orders".to_owned(),
        flow: "Orders".to_owned(),
        kind: DriftKind::New,
        path: format!("body.random_key_{n}"),
        was: String::new(),
        now: "string".to_owned(),
        request: id(500 + n / 40),
        at: rfc3339(NOW - 60_000),
    }
}

/// What is drawn, without what parts one line from the next.
fn flat(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

#[test]
fn a_full_disk_is_the_first_that_needs_a_person_and_an_empty_list_says_so() {
    for (width, height) in SIZES {
        let mut hand = Hand::new(width, height);
        hand.newest = 0;
        hand.keys("<tab><tab><tab>");
        count(&mut hand, full());
        let text = hand.text();
        assert!(text.lines().next().unwrap().ends_with("store FULL"), "{width}: {text}");
        assert!(text.contains("Needs you · 3") && text.contains("! store "), "{width}: {text}");
        let (store, errored) =
            (text.find("! store ").unwrap(), text.find("acme-erp push").or(text.find("! errored")));
        assert!(errored.is_none_or(|errored| store < errored), "{width}: {text}");
        if width >= 120 {
            assert!(text.contains("the disk is full since"), "{text}");
            assert!(
                text.contains("new requests are answered 503") && text.contains("Free space in "),
                "{text}"
            );
        }
        // The cursor was on the errored group, and still is.
        hand.keys("k<enter>");
        let said = "The disk is full: new requests are answered 503 and not accepted. Free space in \
                    /var/lib/pointsman; it goes on by itself.";
        let whole = flat(&hand.text());
        assert!(whole.contains("store, since") && whole.contains("answered 503 and not"), "{width}: {whole}");
        hand.keys("<esc>2");
        // No row, and the reason why none will come.
        hand.app.requests.list = pointsman::console::list::List::default();
        hand.app.requests.list.loaded = true;
        let shown = flat(&hand.text());
        assert!(shown.contains(said), "{width}: {shown}");
        assert!(!shown.contains("Send one"), "{width}: {shown}");
    }
}

#[test]
fn paths_that_drifted_are_one_item_a_flow_and_leave_together() {
    for (width, height) in SIZES {
        let mut hand = Hand::new(width, height);
        hand.app.needs.drifts = (0..50).rev().map(drift).collect();
        let text = hand.text();
        assert!(text.contains("Needs you · 3"), "{width}: {text}");
        hand.keys("<tab><tab><tab>jj");
        let text = hand.text();
        assert!(text.contains("50+ new paths"), "{width}: {text}");
        assert_eq!(text.matches("• drift").count(), 1, "{width}: {text}");
        if width >= 120 {
            assert!(text.contains("first body") && text.contains("newest body"), "{text}");
        }
        hand.keys("<enter>");
        assert!(hand.text().contains("new path body.random_key_49 (string)"), "{}", hand.text());
        hand.keys("<esc>X");
        let taken = |ask: &Ask| match ask {
            Ask::Study(Study::DriftOk { ids, .. }) => Some(ids.len()),
            _ => None,
        };
        assert_eq!(hand.asked.iter().find_map(taken), Some(50));
        // Beside the tree, too, they are no flood.
        hand.app.needs.drifts = (0..50).rev().map(drift).collect();
        hand.keys("5");
        while hand.app.tree.current().is_none_or(|node| node.integration != "shop-orders") {
            let before = hand.app.tree.lines.at;
            hand.keys("j");
            if hand.app.tree.lines.at == before {
                break;
            }
        }
        let facts = &hand.app.tree.facts.lines;
        let told = facts.iter().filter(|line| line.value.contains("random_key")).count();
        assert!(told <= 2, "{width}: {told} lines of badges");
    }
}

#[test]
fn overdue_callbacks_of_a_step_are_one_item_with_the_verbs_of_their_group() {
    let mut hand = Hand::new(160, 50);
    hand.app.needs.overdue = (0..4)
        .map(|n| {
            let mut one = callback(0);
            one.id = id(70 + n);
            one
        })
        .collect();
    let mut group = hand.app.needs.groups[0].clone();
    (group.id, group.integration, group.flow) =
        ("g9".to_owned(), "forms".to_owned(), "Submissions".to_owned());
    (group.count, group.expired) = (4, 4);
    hand.app.needs.groups.push(group);
    hand.keys("<tab><tab><tab>j");
    let text = hand.text();
    assert!(
        text.contains("Needs you · 2") && text.contains("! expired  4 callbacks · forms / Submissions"),
        "{text}"
    );
    assert!(text.contains("r retry all · enter look"), "{text}");
    assert!(!text.contains("4 runs"), "{text}");
    hand.keys("r");
    let filter = |ask: &Ask| match ask {
        Ask::Act(act) => act.filter.clone(),
        _ => None,
    };
    assert!(hand.asked.iter().find_map(filter).unwrap().starts_with("group:g9 "), "{:?}", hand.asked.last());
    hand.keys("<esc>c");
    assert!(hand.text().contains("complete is not possible"), "{}", hand.text());
    hand.keys("<enter>");
    assert_eq!(hand.app.board.filter, "overdue:true integration=forms flow=Submissions step=push");
}

#[test]
fn items_fit_their_pane_at_every_width() {
    for width in (80..=200).step_by(4) {
        let mut hand = Hand::new(width, 36);
        hand.app.needs.groups[0].cause =
            "a cause that goes on and on until it is over at last: 503".to_owned();
        hand.keys("<tab><tab><tab>");
        let text = hand.text();
        assert!(text.contains("over at last: 503") || text.contains("503"), "{width}: {text}");
        if width >= 100 {
            assert!(width < 140 || text.contains(", since 1"), "{width}: {text}");
            assert!(text.contains("c complete · r retry"), "{width}: {text}");
            assert!(text.contains("m overdue"), "{width}: {text}");
            assert!(text.contains("r retry all · enter look"), "{width}: {text}");
        }
    }
}

#[test]
fn what_is_told_of_a_link_that_is_down_covers_no_row() {
    for (width, height) in [(80, 24), (120, 35), (60, 20)] {
        let mut hand = Hand::new(width, height);
        hand.keys("2");
        let selected = hand.app.requests.list.selected.clone().unwrap();
        hand.app.receive(Incoming::Link(Link::down("connection closed by the other side")));
        hand.serve();
        let text = hand.text();
        let lines: Vec<&str> = text.lines().collect();
        let told =
            lines.iter().position(|line| line.contains("connection closed by the other side")).unwrap();
        assert_eq!(told, lines.len() - 2, "over the footer: {text}");
        assert_eq!(lines[told].trim(), "connection closed by the other side", "a row of its own: {text}");
        // Every key acts on a row that is seen.
        let seen = |line: &str| line.starts_with('▌') && line.contains("13:31:54");
        assert!(lines.iter().any(|line| seen(line)), "{text}");
        assert_eq!(hand.app.requests.list.selected.as_ref(), Some(&selected));
        hand.keys("<space>");
        assert!(hand.text().lines().any(|line| line.starts_with("▌▪")), "{}", hand.text());
    }
}

#[test]
fn a_refusal_is_told_once_and_whole_in_the_preview() {
    use pointsman::model::request::Verdict;
    for (width, height) in [(80, 24), (120, 35)] {
        let mut hand = Hand::new(width, height);
        while hand.app.live.requests.current().is_none_or(|row| row.view.verdict != Verdict::Rejected) {
            hand.keys("k");
        }
        let cause = "body.customer_email is required and missing, and body.total is not a number";
        let mut detail = hand.app.live.payload.detail.clone().unwrap();
        detail.request.cause = Some(cause.to_owned());
        let mut explain = hand.app.live.payload.explain.clone().unwrap();
        explain.told = Vec::new();
        explain.why = vec![format!("It was refused: {cause}.")];
        hand.app.live.payload.install(detail);
        hand.app.live.payload.install_why(explain, NOW);
        let lines: Vec<String> =
            hand.app.live.payload.lines.lines.iter().take(2).map(|line| line.value.clone()).collect();
        assert_eq!(lines.join(" ").matches("customer_email").count(), 1, "{width}: {lines:?}");
        assert!(lines[0].starts_with("rejected: body.customer_email"), "{width}: {lines:?}");
        let whole = lines.join(" ");
        assert!(whole.contains("not a number") || whole.ends_with('…'), "{width}: {lines:?}");
        let drawn = hand.text();
        assert!(drawn.contains(&lines[1]), "{width}: the second line is drawn whole: {drawn}");
    }
}

#[test]
fn refusals_without_a_row_are_said_beside_the_number_of_rows() {
    let mut hand = Hand::new(160, 50);
    let rows = counters().rows();
    count(&mut hand, Counters { only_counted: 8, rejected: counters().rejected + 8, ..counters() });
    let text = hand.text();
    assert!(text.contains("8 counted, not stored"), "{text}");
    hand.keys("2");
    let told = format!("{} · 8 counted, not stored", pointsman::text::count(rows));
    assert!(hand.text().contains(&told), "{told}: {}", hand.text());
}

#[test]
fn a_flow_that_is_paused_says_so_before_all_else() {
    use pointsman::model::gate::PauseView;
    for (width, height) in [(80, 24), (120, 35)] {
        let mut hand = Hand::new(width, height);
        hand.app.needs.drifts = vec![drift(1)];
        hand.keys("5");
        let at = hand.app.tree.integrations.iter().position(|one| !one.flows.is_empty()).unwrap();
        let one = &mut hand.app.tree.integrations[at];
        let flow = one.flows[0].name.clone();
        one.flows[0].paused = Some(PauseView { since: rfc3339(NOW), until: None, hold: false });
        hand.keys("jk");
        let text = hand.text();
        let line = text.lines().find(|line| line.contains(&flow)).unwrap();
        assert!(line.contains("paused"), "{width}: {line}");
        let drift = line.find("• drift");
        assert!(drift.is_none_or(|drift| line.find("paused").unwrap() < drift), "{line}");
    }
}
