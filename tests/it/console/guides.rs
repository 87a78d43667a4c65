//! A new integration, step by step: pictures of each step, and what keys ask for.

use super::hand::{Hand, keys};
use super::pictures::keep;
use pointsman::console::Options;
use pointsman::console::asks::Effect;
use pointsman::console::guide::{Stage, text};
use pointsman::model::ask::{Answer, Ask, Editing, Refusal, Revision};
use pointsman::model::guide;
use pointsman::model::operator::Role;
use pointsman::model::study::{Sampled, Study};
use pointsman::session::{Incoming, Link, Outage};
use ratatui::crossterm::event::Event;

/// A console on an empty store.
pub fn empty(width: u16, height: u16, options: Options) -> Hand {
    let mut hand = Hand::with(width, height, options);
    hand.app.counters.as_mut().unwrap().integrations = 0;
    hand.app.settle();
    hand
}

/// Presses keys, each answered by a function first, else as ever.
pub fn answering(hand: &mut Hand, pressed: &str, answer: impl Fn(&Ask) -> Option<Result<Answer, Refusal>>) {
    for key in keys(pressed) {
        hand.app.input(Event::Key(key.event()));
        for _ in 0..100 {
            let effects = hand.app.effects();
            if effects.is_empty() {
                break;
            }
            for effect in effects {
                if let Effect::Ask(ticket, ask) = effect {
                    let said = answer(&ask).unwrap_or_else(|| Ok(super::hand::answer(&ask, 600)));
                    hand.asked.push(ask);
                    hand.app.receive(Incoming::Reply(ticket, Box::new(said)));
                }
            }
        }
        hand.app.flushed();
    }
}

pub fn saves(hand: &Hand) -> Vec<&Revision> {
    fn save(ask: &Ask) -> Option<&Revision> {
        let Ask::Edit(editing) = ask else { return None };
        match &**editing {
            Editing::Save(revision) => Some(revision),
            _ => None,
        }
    }
    hand.asked.iter().filter_map(save).collect()
}

pub fn stage(hand: &Hand) -> Stage {
    hand.app.guide.as_ref().unwrap().stage
}

pub fn paste(hand: &mut Hand, text: &str) {
    hand.app.input(Event::Paste(text.to_owned()));
    hand.serve();
}

/// At the capture, with something that came, and ticks.
pub fn at_capture(width: u16, height: u16) -> Hand {
    let mut hand = empty(width, height, Options::default());
    hand.keys("iShop Orders<tab>Orders<enter><enter>y<enter><space><tab>j<space>");
    hand
}

/// At the step of what is sent on, with a field ticked for dedup.
fn at_step(width: u16, height: u16) -> Hand {
    let mut hand = empty(width, height, Options::default());
    hand.keys("iShop Orders<tab>Orders<enter><enter>y<enter><space><enter><space><enter>");
    assert_eq!(stage(&hand), Stage::Step, "{}", hand.text());
    hand
}

#[test]
fn every_step_has_room_and_says_what_to_do_next() {
    for (width, height) in [(80, 24), (160, 50)] {
        let mut hand = empty(width, height, Options::default());
        let kept = |name: &str, hand: &Hand| keep(&format!("guide_{name}_{width}x{height}"), hand);
        hand.keys("i");
        kept("1_name", &hand);
        hand.keys("Shop Orders<tab>Orders<enter>");
        kept("2_auth", &hand);
        hand.keys("<enter>");
        kept("2_key", &hand);
        hand.keys("y<enter>");
        kept("3_capture", &hand);
        hand.keys("<space><tab>j<space><enter>");
        kept("4_dedup", &hand);
        hand.keys("<enter>");
        hand.keys("https://api.example/{{ request.body.o");
        kept("5_step_list", &hand);
        hand.keys("<tab><tab>");
        kept("5_step", &hand);
        hand.keys("<enter>");
        kept("6_test", &hand);
        hand.keys("<enter>");
        kept("6_plan", &hand);
        hand.keys("<enter>");
        kept("7_live", &hand);
        hand.keys("<enter>");
        assert!(hand.app.guide.is_none() && hand.text().contains("1 Live"), "{}", hand.text());
    }
}

#[test]
fn each_step_saves_a_draft_that_says_what_is_next_and_the_deploy_takes_that_away() {
    let mut hand = at_step(80, 24);
    let drafts: Vec<(u32, Option<u8>)> =
        saves(&hand).iter().map(|save| (save.base, guide::step(&save.text))).collect();
    assert_eq!(drafts, [(0, Some(2)), (16, Some(3)), (16, Some(4)), (16, Some(5))]);
    assert!(saves(&hand).iter().all(|save| !save.deploy && save.name == "shop-orders"));
    paste(&mut hand, "curl -X PUT https://api.example/in -d '{\"a\":1}'");
    assert!(hand.text().contains("the step sends what the command would"), "{}", hand.text());
    hand.keys("<enter>");
    let tried = hand.asked.iter().rev().find_map(|ask| match ask {
        Ask::Study(Study::Simulate(trial)) => Some(trial.clone()),
        _ => None,
    });
    let tried = tried.unwrap();
    assert_eq!((tried.flow.as_str(), &tried.sample), ("shop-orders/Orders", &Sampled::default()));
    assert_eq!(guide::step(tried.text.as_deref().unwrap()), None);
    hand.keys("<enter><enter>");
    let last = *saves(&hand).last().unwrap();
    assert!(last.deploy && !last.dry_run && guide::step(&last.text).is_none(), "{last:?}");
    assert_eq!(text::sound(&last.text), Ok(()));
    let hook = text::webhook(&last.text).unwrap();
    assert_eq!((hook.auth.word(), hook.required.len()), ("api_key", 1));
    assert_eq!(hook.dedup.unwrap().fields.len(), 1);
    assert_eq!(text::step(&last.text).unwrap().method, "PUT");
    assert!(hand.text().contains("enter watches"), "{}", hand.text());
}

#[test]
fn a_key_is_shown_once_copied_by_y_and_nowhere_else() {
    let mut hand = empty(80, 24, Options::default());
    hand.keys("iShop<enter><enter>");
    assert!(hand.text().contains(super::hand::SECRET), "{}", hand.text());
    // What is recorded is what is drawn: the key is not, and can be copied.
    hand.app.recording = Some("session.cast".to_owned());
    assert!(!hand.text().contains(super::hand::SECRET) && hand.text().contains("y copies it"));
    hand.app.recording = None;
    hand.keys("y");
    assert_eq!(hand.copied, [super::hand::SECRET]);
    hand.keys("<enter>");
    assert!(!hand.text().contains(super::hand::SECRET));
    assert!(hand.text().contains("Api-Key: •••"), "{}", hand.text());
    // The command has it: it is of no use without.
    hand.keys("Y");
    assert!(hand.copied[1].contains(&format!("-H 'Api-Key: {}'", super::hand::SECRET)), "{:?}", hand.copied);
    assert!(hand.text().contains("with the key in it"));
    answering(&mut hand, "<esc>", |ask| {
        let key = serde_json::json!({
            "name": "shop", "type": "api-key", "algorithm": null, "user": null, "added": "", "used": null,
            "signs": false, "flows": [],
        });
        let keys = vec![serde_json::from_value(key).unwrap()];
        matches!(ask, Ask::Keys).then_some(Ok(Answer::Keys { keys }))
    });
    assert_eq!(stage(&hand), Stage::Auth);
    assert!(!hand.text().contains(super::hand::SECRET), "back a step it is not shown again");
    assert!(!format!("{:?}", hand.app).contains(super::hand::SECRET), "in no debug output");
    // The key is there: it is taken, and no other is made.
    hand.keys("<enter>");
    assert_eq!(stage(&hand), Stage::Capture);
    assert_eq!(hand.asked.iter().filter(|ask| matches!(ask, Ask::AddKey(_))).count(), 1);
    hand.keys("q");
    assert!(!format!("{:?}", hand.app.guide).contains(super::hand::SECRET));
    assert!(hand.text().contains("shop is kept as a draft"), "{}", hand.text());
}

#[test]
fn names_are_judged_as_they_are_typed() {
    let mut hand = empty(80, 24, Options::default());
    hand.keys("i<enter>");
    assert!(hand.text().contains("type a name first"), "{}", hand.text());
    hand.keys("Acme ERP");
    assert!(hand.text().contains("acme-erp is taken"), "{}", hand.text());
    hand.keys("<enter>");
    assert_eq!(stage(&hand), Stage::Name);
    hand.keys("<ctrl-u>日本");
    assert!(hand.text().contains("needs a letter of a to z"), "{}", hand.text());
    hand.keys("<ctrl-u>\u{202e}evil\"");
    assert!(hand.text().contains("evil") && !hand.text().contains('\u{202e}'));
    assert!(saves(&hand).is_empty());
    // Somebody took it between.
    answering(&mut hand, "<enter>", |ask| {
        let save = matches!(ask, Ask::Edit(edit) if matches!(**edit, Editing::Save(_)));
        save.then(|| Err(Refusal::refused("taken", "evil is taken: there is an integration of that name")))
    });
    assert!(hand.text().contains("evil is taken") && stage(&hand) == Stage::Name, "{}", hand.text());
    hand.keys("<esc><esc>");
    assert!(hand.app.guide.is_none());
}

#[test]
fn anyone_may_send_only_where_that_was_asked_again() {
    let mut hand = empty(80, 24, Options::default());
    hand.keys("iShop<enter>jjjj");
    assert!(hand.text().contains("► none"), "{}", hand.text());
    hand.keys("<enter>");
    keep("guide_2_none_80x24", &hand);
    assert_eq!(saves(&hand).len(), 1);
    hand.keys("k");
    assert!(!hand.text().contains("Anyone who learns"), "{}", hand.text());
    hand.keys("j<enter><enter>");
    assert_eq!(stage(&hand), Stage::Capture);
    assert!(saves(&hand)[1].text.contains("auth = { type = \"none\" }"));
}

#[test]
fn every_scheme_takes_a_key_and_gives_a_command() {
    for (down, command) in [
        (1, "curl --json '{\"id\":\"1\"}' -u "),
        (2, "pointsman send first.json --to"),
        (3, "$(pointsman token --key "),
    ] {
        let mut hand = empty(160, 50, Options::default());
        hand.keys("iShop<enter>");
        hand.keys(&"j".repeat(down));
        hand.keys("<enter><enter>");
        assert_eq!(stage(&hand), Stage::Capture, "{}", hand.text());
        assert!(hand.text().contains(command), "{}", hand.text());
    }
    let mut hand = empty(80, 24, Options::default());
    hand.keys("iShop<enter>jj<tab><tab><right><tab>given-by-github<enter>");
    let Some(Ask::AddKey(add)) = hand.asked.iter().find(|ask| matches!(ask, Ask::AddKey(_))) else {
        panic!()
    };
    assert_eq!((add.generate, add.secret.as_ref().unwrap().reveal()), (false, "given-by-github"));
    assert!(saves(&hand)[1].text.contains("provider = \"github\""), "{:?}", saves(&hand)[1].text);
}

#[test]
fn esc_goes_back_a_step_and_what_was_filled_in_stays() {
    let mut hand = at_step(80, 24);
    hand.keys("https://a.example<esc>");
    assert_eq!(stage(&hand), Stage::Dedup);
    assert!(hand.text().contains("[x]"), "{}", hand.text());
    hand.keys("<tab><ctrl-u>soon<enter>");
    assert!(hand.text().contains("is not a duration"), "{}", hand.text());
    assert_eq!(stage(&hand), Stage::Dedup);
    hand.keys("<ctrl-u>1d<enter>");
    assert!(hand.text().contains("https://a.example"), "{}", hand.text());
    assert!(saves(&hand).last().unwrap().text.contains("window = \"1d\""));
    hand.keys("<esc><esc><esc><esc>");
    assert_eq!(stage(&hand), Stage::Name);
    hand.keys("Z<enter>");
    assert!(saves(&hand).last().unwrap().text.contains("name = \"OrdersZ\""));
    assert!(saves(&hand).last().unwrap().text.contains("id = \"orders\""), "its history stays");
}

#[test]
fn what_is_left_out_is_asked_again() {
    let mut hand = at_step(80, 24);
    hand.keys("<enter>");
    assert!(hand.text().contains("no URL yet"), "{}", hand.text());
    hand.keys("<enter>");
    assert_eq!(stage(&hand), Stage::Test);
    hand.keys("<esc>http://a<tab><ctrl-u>{{<esc>");
    assert_eq!(stage(&hand), Stage::Step, "only the list was closed");
    hand.keys("<enter>");
    assert!(hand.text().contains("not JSON"), "{}", hand.text());
}

#[test]
fn what_stands_for_a_request_is_one_of_several() {
    let mut hand = empty(80, 24, Options::default());
    hand.keys("iShop<enter><enter><enter>v");
    keep("guide_3_sources_80x24", &hand);
    hand.keys("p{\"a\":1}<enter>");
    let pasted = |hand: &Hand| {
        let fields = |ask: &Ask| matches!(ask, Ask::Study(Study::Fields(_)));
        hand.asked.iter().filter(|ask| fields(ask)).count()
    };
    assert_eq!(pasted(&hand), 1);
    assert!(hand.text().contains("of JSON that was given"), "{}", hand.text());
    paste(&mut hand, "{\"b\":\n2}");
    assert_eq!(pasted(&hand), 2);
    hand.keys("vs<enter>");
    assert!(hand.text().contains("type the id"), "{}", hand.text());
    hand.keys("90d7fe<enter>");
    assert!(hand.text().contains("of request 90d7fe"), "{}", hand.text());
    hand.keys("vf/tmp/none.json");
    hand.app.input(Event::Key(keys("<enter>")[0].event()));
    let read = hand.app.effects();
    assert!(matches!(&read[..], [Effect::Read { path, .. }] if path == "/tmp/none.json"), "{read:?}");
    hand.keys("<esc>C");
    assert!(hand.text().contains("open 1m") || hand.text().contains("2 came"), "{}", hand.text());
}

#[test]
fn it_says_why_where_nothing_may_be_made() {
    let mut hand = empty(80, 24, Options { read_only: true, ..Options::default() });
    hand.keys("i");
    assert!(hand.text().contains("new is not possible: this console is read-only"), "{}", hand.text());
    hand.keys("<enter>j<enter>j<enter>");
    assert!(hand.app.guide.is_none() && hand.app.overlay.is_none());
    let mut hand = empty(80, 24, Options { role: Role::Operator, ..Options::default() });
    hand.keys("i");
    assert!(hand.text().contains("new needs the role admin; you are operator"), "{}", hand.text());
}

#[test]
fn a_draft_goes_on_at_its_step_and_what_others_saved_is_taken() {
    let source = text::with_auth(&text::new("Acme ERP", "Orders"), "{ type = \"none\" }").unwrap();
    let at = |step: u8| guide::at(&source, step);
    let mut hand = Hand::new(80, 24);
    hand.keys("5");
    let one = &mut hand.app.tree.integrations[0];
    (one.deployed, one.draft, one.guide) = (None, Some(3), Some(4));
    hand.app.settle();
    assert!(hand.text().contains("step 4 of 6: dedup"), "{}", hand.text());
    let export =
        |ask: &Ask| matches!(ask, Ask::Export { .. }).then(|| Ok(Answer::Source { version: 3, text: at(4) }));
    answering(&mut hand, "i", export);
    assert_eq!(stage(&hand), Stage::Dedup, "{}", hand.text());
    // Another console went on meanwhile.
    answering(&mut hand, "<enter>", |ask| match ask {
        Ask::Edit(edit) if matches!(**edit, Editing::Save(_)) => Some(Err(Refusal::refused(
            "saved_meanwhile",
            "ben saved acme-erp v4 while you edited v3; nothing was saved",
        ))),
        Ask::Export { .. } => Some(Ok(Answer::Source { version: 4, text: at(5) })),
        _ => None,
    });
    assert_eq!(stage(&hand), Stage::Step);
    assert!(hand.text().contains("ben saved acme-erp v4"), "{}", hand.text());
    // The same by enter; and one that is made no more says so.
    hand.keys("<esc><esc>q");
    let one = &mut hand.app.tree.integrations[0];
    (one.deployed, one.draft, one.guide) = (None, Some(4), Some(5));
    hand.app.settle();
    answering(&mut hand, "<enter>", |ask| {
        matches!(ask, Ask::Export { .. }).then(|| Ok(Answer::Source { version: 5, text: source.clone() }))
    });
    assert!(hand.app.guide.is_none());
    assert!(hand.text().contains("is not made step by step"), "{}", hand.text());
}

#[test]
fn a_lost_link_loses_no_step() {
    let mut hand = at_step(80, 24);
    hand.keys("https://a.example");
    hand.app.receive(Incoming::Link(Link::Down(Outage { why: "gone".to_owned(), ..Outage::default() })));
    hand.keys("/x<enter>");
    assert!(hand.text().contains("next is not possible: the link is down since"), "{}", hand.text());
    hand.app.receive(Incoming::Link(Link::Live));
    hand.serve();
    hand.keys("<enter>");
    assert_eq!(stage(&hand), Stage::Test, "{}", hand.text());
    assert!(saves(&hand).last().unwrap().text.contains("https://a.example/x"));
}

#[test]
fn keys_that_cannot_act_say_why_and_letters_of_a_field_are_no_commands() {
    let mut hand = empty(80, 24, Options::default());
    hand.keys("iqD:?");
    assert!(hand.text().contains("qD:?"), "{}", hand.text());
    hand.keys("<ctrl-u>Shop<enter>r");
    assert!(hand.text().contains("retry is not possible: step 2 of a new integration"), "{}", hand.text());
    hand.keys("?");
    assert!(hand.text().contains("everywhere"), "{}", hand.text());
    hand.keys("<esc>:new integration<esc>");
    assert_eq!(stage(&hand), Stage::Auth);
    hand.keys("2");
    assert!(hand.app.guide.is_none() && hand.text().contains("2 Requests"), "{}", hand.text());
}

#[test]
fn tiny_screens_and_huge_values_are_drawn() {
    for (width, height) in [(40, 8), (60, 12), (80, 10), (200, 60)] {
        let mut hand = empty(width, height, Options::default());
        hand.keys("i");
        paste(&mut hand, &"long name ".repeat(40));
        hand.text();
        hand.keys("<enter>jj<tab><tab><enter><enter><space><enter><enter>");
        paste(&mut hand, &format!("curl https://a.example/{}", "x".repeat(5_000)));
        hand.text();
        hand.keys("<enter><enter><enter>");
        hand.text();
    }
}

#[test]
fn the_empty_store_offers_three_rows_and_what_is_being_made() {
    let mut hand = empty(80, 24, Options::default());
    keep("empty_80x24", &hand);
    hand.keys("j<enter>");
    keep("empty_samples_80x24", &hand);
    hand.keys("<enter>");
    keep("empty_loaded_80x24", &hand);
    hand.keys("1");
    assert!(hand.copied[0].starts_with("curl --json '{"), "{:?}", hand.copied);
    let mut hand = empty(80, 24, Options::default());
    hand.keys("jj<enter>");
    keep("empty_apply_80x24", &hand);
    hand.keys("<esc>");
    let mut counters = hand.app.counters.clone().unwrap();
    counters.integrations = 1;
    counters.unfinished = vec![guide::Unfinished { name: "shop".to_owned(), step: 4 }];
    hand.app.counters = Some(counters);
    hand.app.offer = 0;
    hand.app.settle();
    assert!(hand.text().contains("go on with shop: step 4 of 6, dedup"), "{}", hand.text());
    keep("empty_unfinished_80x24", &hand);
    let source = text::with_auth(&text::new("Shop", "Orders"), "{ type = \"none\" }").unwrap();
    answering(&mut hand, "<enter>", |ask| {
        let text = guide::at(&source, 4);
        matches!(ask, Ask::Export { .. }).then_some(Ok(Answer::Source { version: 3, text }))
    });
    assert_eq!(stage(&hand), Stage::Dedup);
}

#[test]
fn a_file_is_applied_after_its_plan_and_mistakes_have_their_places() {
    let mut hand = empty(80, 24, Options::default());
    let read = |hand: &mut Hand, answer: &dyn Fn(&Ask) -> Option<Result<Answer, Refusal>>| {
        hand.keys(":apply a file<enter>");
        hand.keys("~/acme.toml");
        hand.app.input(Event::Key(keys("<enter>")[0].event()));
        for effect in hand.app.effects() {
            let Effect::Read { wants, .. } = effect else { continue };
            hand.app.file_read(wants, "/home/anna/acme.toml", Ok("name = \"acme\"\n".to_owned()));
        }
        answering(hand, "<left>", answer);
    };
    read(&mut hand, &|ask| {
        let mistakes =
            "/home/anna/acme.toml:4:1: flow \"X\" has no key \"nonsense\"\n/home/anna/acme.toml:9:3: no auth";
        let refusal = Refusal { code: "document".to_owned(), message: mistakes.to_owned(), exit: 1 };
        matches!(ask, Ask::Apply(_)).then_some(Err(refusal))
    });
    keep("empty_apply_mistakes_80x24", &hand);
    assert!(hand.text().contains("acme.toml:9:3: no auth"), "{}", hand.text());
    hand.keys("<esc>");
    read(&mut hand, &|_| None);
    hand.keys("<enter>");
    let applied = hand.asked.iter().filter_map(|ask| match ask {
        Ask::Apply(apply) => Some(apply.dry_run),
        _ => None,
    });
    assert_eq!(applied.collect::<Vec<_>>(), [true, true, false]);
    // What cannot be read stays to be mended.
    hand.keys("<esc>:apply a file<enter>x");
    hand.app.input(Event::Key(keys("<enter>")[0].event()));
    for effect in hand.app.effects() {
        let Effect::Read { wants, path } = effect else { continue };
        hand.app.file_read(wants, &path, Err("x cannot be read: no such file".to_owned()));
    }
    assert!(hand.text().contains("x cannot be read"), "{}", hand.text());
}
