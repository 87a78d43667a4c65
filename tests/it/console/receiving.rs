//! From a refusal and back: why it was refused, all like it, what passed before it; what is copied
//! of a request; a pause of its flow.

use super::hand::{Hand, id};
use super::pictures::keep;
use pointsman::model::ask::Ask;
use pointsman::model::gate::PauseAct;

/// On a refusal of the list of requests.
fn on_a_refusal(hand: &mut Hand) {
    hand.keys("2");
    while hand.app.requests.list.current().unwrap().view.verdict.word() != "rejected" {
        hand.keys("k");
    }
}

#[test]
fn nothing_that_is_said_of_a_refusal_is_cut_and_what_does_not_fit_scrolls() {
    let mut hand = Hand::new(80, 24);
    on_a_refusal(&mut hand);
    hand.keys("<enter>");
    keep("rejected_80x24", &hand);
    for (width, height) in [(40, 12), (60, 20), (80, 24), (120, 35), (160, 50)] {
        let mut hand = Hand::new(width, height);
        on_a_refusal(&mut hand);
        hand.keys("<enter>");
        let mut seen = String::new();
        for _ in 0..60 {
            seen.push_str(&hand.text());
            hand.keys("j");
        }
        let seen: String = seen.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in ["+json).", "otherwise.", "ends in +json", "(000001)"] {
            assert!(seen.contains(word), "{word} at {width}x{height}: {seen}");
        }
    }
}

#[test]
fn from_a_refusal_to_all_like_it_to_what_passed_and_back_to_the_same_filter() {
    let mut hand = Hand::new(120, 35);
    hand.keys("2/verdict:rejected<enter>");
    let chosen = hand.app.requests.list.selected.clone();
    hand.keys("<tab>");
    assert!(hand.text().contains("o all 12 like it   d against 000001"), "{}", hand.text());
    hand.keys("o");
    assert!(hand.app.requests.list.filter.ends_with("status=415 cause=\"Content-Type is text/plain\""));
    hand.keys("<esc>");
    assert_eq!(
        (hand.app.requests.list.filter.as_str(), &hand.app.requests.list.selected),
        ("verdict:rejected", &chosen)
    );
    hand.keys("d");
    assert!(hand.text().contains("beside 000001"), "{}", hand.text());
    // A screen by its digit ends the detour as well.
    hand.keys("<esc>o32");
    assert_eq!(hand.app.requests.list.filter, "verdict:rejected");
}

#[test]
fn from_a_request_to_its_run_and_from_a_run_to_its_request() {
    let mut hand = Hand::new(120, 35);
    hand.keys("2");
    while hand.app.requests.list.current().unwrap().view.verdict.word() != "accepted" {
        hand.keys("k");
    }
    let request = hand.app.requests.list.selected.clone().unwrap();
    hand.keys("o");
    keep("links_120x35", &hand);
    hand.keys("z");
    assert!(hand.app.overlay.is_some(), "a key of no entry leaves it open");
    hand.keys("1");
    assert_eq!(hand.app.runs.opened.as_ref(), Some(&request), "a run has its request's id");
    hand.keys("o<enter>");
    assert_eq!(hand.app.requests.opened.as_ref(), Some(&request));
    hand.keys("<esc><esc>");
    assert_eq!(hand.app.requests.list.selected.as_ref(), Some(&request));
    // What needs a person has one way on.
    hand.keys("1<tab><tab><tab>jo");
    assert_eq!(hand.app.runs.opened, Some(id(1)), "{}", hand.text());
}

#[test]
fn the_breadcrumb_tells_the_list_that_it_came_from() {
    let crumbs =
        |hand: &Hand| hand.text().lines().nth(1).unwrap().rsplit("  ").next().unwrap().trim().to_owned();
    let mut hand = Hand::new(160, 50);
    hand.keys("2/verdict:rejected<enter>1kkk<enter>");
    let six = |id: &Option<String>| id.as_ref().map(|id| id[id.len() - 6..].to_owned()).unwrap();
    assert_eq!(crumbs(&hand), format!("Live › request {}", six(&hand.app.requests.opened)));
    hand.keys("<esc>/verdict:duplicate<enter><enter>");
    assert_eq!(
        crumbs(&hand),
        format!("Live › verdict:duplicate › request {}", six(&hand.app.requests.opened))
    );
    hand.keys("2k<enter>");
    assert_eq!(crumbs(&hand), format!("Requests › verdict:rejected › {}", six(&hand.app.requests.opened)));
    hand.keys("3<enter>");
    assert_eq!(
        crumbs(&hand),
        format!("Runs › push: 404 Progix does not know this URL › {}", six(&hand.app.runs.run.id))
    );
}

#[test]
fn what_is_copied_of_a_request_is_chosen_by_one_key() {
    let mut hand = Hand::new(120, 35);
    hand.keys("2");
    while hand.app.requests.list.current().unwrap().view.verdict.word() != "accepted" {
        hand.keys("k");
    }
    let request = hand.app.requests.list.selected.clone().unwrap();
    for letter in ["i", "u", "b", "c"] {
        hand.keys("Y").keys(letter);
    }
    assert_eq!(
        hand.copied,
        [
            request.as_str(),
            "http://127.0.0.1:7700/in/8Zk2mPq0xT4nBv7sLw1RvQ",
            "{\"order_number\":\"1\"}",
            "curl -X POST 'http://127.0.0.1:7700/in/8Zk2mPq0xT4nBv7sLw1RvQ?x=1%26y&x=2' \\\n  -H 'content-type: application/json' \\\n  \
             -H 'x-request-id: b1a7-2c40-77e9' \\\n  --data-raw '{\"order_number\":\"1\"}'"
        ]
    );
    hand.copied.clear();
    // A leaf has its value, path and template; what folds what is under it.
    hand.keys("<tab>jY");
    keep("copy_as_120x35", &hand);
    hand.keys("yYpYtkYs");
    let number = u64::from_str_radix(&request[request.len() - 6..], 16).unwrap().to_string();
    assert_eq!(hand.copied[0], number);
    assert_eq!(hand.copied[1..3], ["body.order_number", "{{ request.body.order_number }}"]);
    assert!(hand.copied[3].starts_with("{\"order_number\""), "{}", hand.copied[3]);
    // Of a run what its attempt sent.
    hand.copied.clear();
    hand.keys("3v");
    while hand.app.runs.list.current().is_none_or(|row| row.view.state.word() != "errored") {
        hand.keys("k");
    }
    hand.keys("<tab><tab>Yc");
    assert!(hand.copied[0].starts_with("curl -X POST http://127.0.0.1:9000/customers/"), "{:?}", hand.copied);
}

#[test]
fn a_flow_is_paused_after_the_dialog_said_what_that_does() {
    let mut hand = Hand::new(80, 24);
    hand.keys("2kP");
    keep("dialog_pause_80x24", &hand);
    let orders = |hand: &Hand| -> Vec<pointsman::model::gate::PauseOrder> {
        let of = |ask: &Ask| if let Ask::Pause(order) = ask { Some(order.clone()) } else { None };
        hand.asked.iter().filter_map(of).collect()
    };
    assert!(orders(&hand).iter().all(|order| order.dry_run));
    // All of the integration, holding its runs, with a reason.
    hand.keys("<right><tab><right><tab><tab>migration<enter>");
    let done = orders(&hand).pop().unwrap();
    assert_eq!(
        (done.target.as_str(), done.reason.as_deref(), done.dry_run),
        ("shop-orders", Some("migration"), false)
    );
    assert_eq!(done.act, PauseAct::Pause { hold: true, lasts: None });
    assert!(hand.app.overlay.is_none());
    let options = pointsman::console::Options { read_only: true, ..Default::default() };
    let mut hand = Hand::with(80, 24, options);
    hand.keys("2P");
    assert!(hand.text().contains("pause is not possible: this console is read-only"), "{}", hand.text());
}

#[test]
fn nothing_is_marked_by_a_filter_that_is_off() {
    for (screen, filter) in [("2", "verdict:duplicate"), ("3", "state:errored")] {
        let mut hand = Hand::new(120, 35);
        hand.keys(&format!("{screen}/{filter}<enter>F"));
        let asked = hand.asked.len();
        hand.keys("a");
        assert!(hand.text().contains("the filter is off; F switches it on"), "{}", hand.text());
        assert_eq!(hand.asked.len(), asked, "nothing is asked for");
        hand.keys("Fa");
        assert!(hand.text().contains(" marked"), "{}", hand.text());
    }
}
