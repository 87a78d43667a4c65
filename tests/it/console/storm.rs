//! Any keys, any data, any size: nothing panics, and nothing that came from outside is drawn raw.

use super::hand::{Hand, answer, id, keys, request, run};
use pointsman::console::{asks::Effect, picture};
use pointsman::model::ask::{Answer, Changes, Refusal, Rows};
use pointsman::session::{Incoming, Link};
use proptest::prelude::*;
use ratatui::crossterm::event::Event;

const KEYS: [&str; 40] = [
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "j",
    "k",
    "g",
    "G",
    "<enter>",
    "<esc>",
    "q",
    "<tab>",
    "<backtab>",
    "+",
    "v",
    "h",
    "l",
    "[",
    "]",
    "/",
    "F",
    "f",
    "<space>",
    "a",
    "z",
    "r",
    "s",
    "x",
    "R",
    "T",
    "?",
    "<ctrl-c>",
    "<ctrl-l>",
    "<ctrl-r>",
    "<pgup>",
    "<pgdn>",
    "<right>",
    "e",
];

#[derive(Debug, Clone)]
enum Step {
    Key(usize),
    Resize(u16, u16),
    Answer,
    Refuse,
    Wrong,
    Arrive(u64),
    Link(bool),
    Tick,
    Paste,
    Focus(bool),
    Drawn,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..KEYS.len()).prop_map(Step::Key),
        2 => (1u16..200, 1u16..60).prop_map(|(w, h)| Step::Resize(w, h)),
        8 => Just(Step::Answer),
        1 => Just(Step::Refuse),
        1 => Just(Step::Wrong),
        3 => (1u64..400).prop_map(Step::Arrive),
        1 => any::<bool>().prop_map(Step::Link),
        1 => Just(Step::Tick),
        1 => Just(Step::Paste),
        1 => any::<bool>().prop_map(Step::Focus),
        3 => Just(Step::Drawn),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nothing_panics(steps in prop::collection::vec(step(), 200), width in 1u16..200, height in 1u16..60) {
        let mut hand = Hand::new(width, height);
        let mut waiting = Vec::new();
        for step in steps {
            match step {
                Step::Key(at) => {
                    for key in keys(KEYS[at]) {
                        hand.app.input(Event::Key(key.event()));
                    }
                }
                Step::Resize(width, height) => hand.app.input(Event::Resize(width, height)),
                Step::Answer | Step::Refuse | Step::Wrong => {
                    for (ticket, ask) in waiting.drain(..) {
                        let reply = match step {
                            Step::Refuse => Err(Refusal::refused("stale", "no")),
                            Step::Wrong => Ok(Answer::Runs(Rows { rows: vec![run(1)], next: None, scanned: 0, partial: false })),
                            _ => Ok(answer(&ask, hand.newest)),
                        };
                        hand.app.receive(Incoming::Reply(ticket, Box::new(reply)));
                    }
                }
                Step::Arrive(count) => {
                    let runs = (hand.newest..hand.newest + count.min(50)).chain(0..5).map(id).collect();
                    hand.newest += count;
                    hand.app.receive(Incoming::Changed(Box::new(Changes {
                        arrived: count,
                        newest: Some(id(hand.newest)),
                        runs,
                        callbacks: count.is_multiple_of(2),
                        config: count.is_multiple_of(7),
                        resync: count.is_multiple_of(11),
                        ..Changes::default()
                    })));
                }
                Step::Link(up) => {
                    let link = if up { Link::Live } else { Link::down("gone") };
                    hand.app.receive(Incoming::Link(link));
                }
                Step::Tick => {
                    hand.app.now = hand.app.next_age().unwrap_or(hand.app.now) + 1;
                    hand.app.tick();
                    hand.app.refresh();
                }
                Step::Paste => hand.app.input(Event::Paste("state:errored\u{1b}[31m".to_owned())),
                Step::Focus(true) => hand.app.input(Event::FocusGained),
                Step::Focus(false) => hand.app.input(Event::FocusLost),
                Step::Drawn => {
                    let _ = picture(&hand.app);
                    hand.app.flushed();
                }
            }
            for effect in hand.app.effects() {
                if let Effect::Ask(ticket, ask) = effect {
                    waiting.push((ticket, ask));
                }
            }
            prop_assert!(waiting.len() < 40, "too many questions at once: {}", waiting.len());
        }
        let _ = picture(&hand.app);
    }

    #[test]
    fn what_comes_from_outside_is_never_drawn_raw(evil in "[\\PC\u{0}-\u{1f}\u{7f}-\u{9f}\u{200b}-\u{202e}\u{2066}-\u{2069}]{0,40}", width in 40u16..170) {
        let mut hand = Hand::new(width, 40);
        let mut rows = vec![request(598), request(599)];
        for row in &mut rows {
            row.what.clone_from(&evil);
            row.integration.clone_from(&evil);
            row.flow.clone_from(&evil);
            row.method.clone_from(&evil);
            row.cause = Some(evil.clone());
            row.actor = Some(evil.clone());
        }
        let mut detail = super::hand::detail(599);
        detail.request = rows[1].clone();
        detail.headers.push((evil.clone(), evil.clone()));
        detail.flat.insert(evil.clone(), evil.clone().into());
        detail.body = serde_json::json!({ evil.clone(): [evil.clone()] });
        let mut run = run(591);
        run.flow.clone_from(&evil);
        run.cause = Some(evil.clone());
        run.steps[1].name.clone_from(&evil);
        run.steps[1].attempts[0].response.as_mut().unwrap().body.clone_from(&evil);
        let list = &mut hand.app.live.requests;
        for row in &rows {
            list.refresh(row.clone().into());
        }
        hand.app.live.runs.refresh(run.clone().into());
        hand.app.live.payload.install(Box::new(detail.clone()));
        hand.app.toast(pointsman::console::app::Tone::Bad, evil.clone());
        check(&hand)?;
        hand.app.toasts.clear();
        hand.keys("2");
        hand.app.requests.payload.install(Box::new(detail));
        check(&hand)?;
        hand.keys("3v<enter>");
        hand.app.runs.run.install(Box::new(run), &super::hand::events(1), &hand.app.options.zone.clone());
        check(&hand)?;
    }
}

fn check(hand: &Hand) -> Result<(), TestCaseError> {
    for cell in picture(&hand.app).content {
        for letter in cell.symbol().chars() {
            let hidden = matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
            prop_assert!(!letter.is_control() && !hidden, "{letter:?} is on the screen");
        }
    }
    Ok(())
}
