//! Documents that are edited: what a desk would answer, pictures, and what keys ask for.

use super::hand::{Hand, NOW};
use super::pictures::keep;
use super::workflows::DOCUMENT;
use pointsman::console::Options;
use pointsman::console::action::Action;
use pointsman::console::asks::Effect;
use pointsman::model::ask::{Answer, Ask, Done, EditView, Editing, Refusal, Revision, SavedView, Typed};
use pointsman::session::{Incoming, Link, Outage};
use ratatui::crossterm::event::Event;

/// What a desk would answer.
pub fn answer(editing: &Editing) -> Answer {
    match editing {
        Editing::Open { name } => Answer::Edit(Box::new(EditView {
            name: name.clone(),
            base: 15,
            source: DOCUMENT.trim_start().to_owned(),
            latest: 15,
            live: Some(14),
            flows: vec!["Sync customers".to_owned()],
            connections: vec!["global/mail".to_owned()],
            urls: vec![("Sync customers".to_owned(), "https://hooks.example/in/8Zk2".to_owned())],
            ..EditView::default()
        })),
        Editing::Keep(typed) => Answer::Kept { seen: typed.seen + 1 },
        Editing::Save(revision) if revision.dry_run => {
            let lines = vec![format!("{} has changed: v16 would go live instead of v14", revision.name)];
            Answer::Done(Done { lines, refused: false })
        }
        Editing::Save(revision) => Answer::Saved(SavedView {
            version: 16,
            live: revision.deploy,
            lines: vec![format!(
                "{} v16 is {}",
                revision.name,
                if revision.deploy { "live" } else { "kept as a draft" }
            )],
        }),
    }
}

fn edits(hand: &Hand) -> impl Iterator<Item = &Editing> {
    hand.asked.iter().filter_map(|ask| match ask {
        Ask::Edit(editing) => Some(&**editing),
        _ => None,
    })
}

fn saves(hand: &Hand) -> Vec<&Revision> {
    edits(hand).filter_map(|edit| if let Editing::Save(save) = edit { Some(save) } else { None }).collect()
}

fn kept(hand: &Hand) -> Vec<&Typed> {
    edits(hand).filter_map(|edit| if let Editing::Keep(typed) = edit { Some(typed) } else { None }).collect()
}

/// At the URL of the step push, typing at its end.
fn at_url(width: u16, height: u16) -> Hand {
    let mut hand = Hand::new(width, height);
    hand.keys("5jljjj");
    hand.keys("e/customers/<enter><enter><end><left>");
    hand
}

fn wait(hand: &mut Hand) {
    hand.app.now += 1_000;
    hand.app.tick();
    hand.serve();
}

fn refuse(hand: &mut Hand, refusal: &Refusal) {
    let effects = hand.app.effects();
    for effect in effects {
        let Effect::Ask(ticket, ask) = effect else { continue };
        let refused = matches!(&ask, Ask::Edit(edit) if matches!(**edit, Editing::Save(_)));
        let reply = if refused { Err(refusal.clone()) } else { Ok(super::hand::answer(&ask, 600)) };
        hand.app.receive(Incoming::Reply(ticket, Box::new(reply)));
    }
    hand.serve();
}

#[test]
fn it_opens_at_the_step_in_each_size() {
    for (width, height) in [(80, 24), (160, 50)] {
        let mut hand = Hand::new(width, height);
        hand.keys("5jljjje");
        assert!(hand.text().contains("Integrations › edit acme-erp"), "{}", hand.text());
        keep(&format!("editor_{width}x{height}"), &hand);
        hand.keys("/customers/<enter><enter><end><left>?x={{ request.body.cu");
        keep(&format!("editor_completion_{width}x{height}"), &hand);
    }
}

#[test]
fn a_mistake_stands_under_its_line_and_n_walks_them() {
    for (width, height) in [(80, 24), (160, 50)] {
        let mut hand = at_url(width, height);
        hand.keys("<end><enter>timeout = \"10\"<enter>nosuch = 1<esc>");
        keep(&format!("editor_errors_{width}x{height}"), &hand);
        let shown = hand.text();
        assert!(shown.contains("a unit") && shown.contains("has no key \"nosuch\""), "{shown}");
        hand.keys("<esc>g");
        hand.keys("n");
        let first = hand.app.editor.as_ref().unwrap().source.cursor().0;
        hand.keys("n");
        assert!(hand.app.editor.as_ref().unwrap().source.cursor().0 > first);
        hand.keys("w");
        assert!(hand.text().contains("save is not possible: "), "{}", hand.text());
        assert!(saves(&hand).is_empty());
    }
}

#[test]
fn what_is_typed_is_kept_after_a_pause_and_at_once_when_typing_ends() {
    let mut hand = at_url(120, 35);
    hand.keys("x");
    assert!(kept(&hand).is_empty());
    wait(&mut hand);
    assert_eq!(kept(&hand).len(), 1);
    assert!(kept(&hand)[0].unsaved && kept(&hand)[0].text.contains("x\""));
    hand.keys("y<esc>");
    let typed = kept(&hand);
    assert_eq!((typed.len(), typed[1].seen, typed[1].base), (2, 1, 15));
    hand.keys("z");
    assert!(hand.text().contains("Undid: url of "), "{}", hand.text());
    hand.keys("Z");
    wait(&mut hand);
    assert!(kept(&hand).last().unwrap().text.contains("xy\""));
}

#[test]
fn a_lost_link_loses_nothing_that_was_typed() {
    let mut hand = at_url(120, 35);
    hand.app.receive(Incoming::Link(Link::Down(Outage { why: "gone".to_owned(), ..Outage::default() })));
    hand.keys("abc<esc>");
    wait(&mut hand);
    assert!(kept(&hand).is_empty());
    hand.keys("w");
    assert!(hand.text().contains("save is not possible: the link is down"), "{}", hand.text());
    hand.app.receive(Incoming::Link(Link::Live));
    hand.serve();
    assert!(kept(&hand).last().is_some_and(|typed| typed.text.contains("abc\"")));
}

#[test]
fn a_save_names_what_it_was_made_from_and_what_it_made() {
    let mut hand = at_url(120, 35);
    hand.keys("x<esc>w");
    let save = saves(&hand)[0];
    assert_eq!((save.base, save.deploy, save.dry_run), (15, false, false));
    assert!(hand.text().contains("acme-erp v16 is kept as a draft"), "{}", hand.text());
    assert!(hand.text().contains("v16 draft"), "{}", hand.text());
    hand.keys("<esc>w");
    assert!(hand.text().contains("save is not possible: nothing differs from v16"), "{}", hand.text());
    // What is saved is left without a question.
    hand.keys("<esc><esc>");
    assert!(hand.app.editor.is_none());
}

#[test]
fn changes_are_not_left_unasked_and_discarded_ones_come_back() {
    let mut hand = at_url(80, 24);
    hand.keys("x<esc><esc><esc>");
    keep("editor_leave_80x24", &hand);
    hand.keys("<esc>");
    assert!(hand.app.editor.is_some() && hand.app.overlay.is_none(), "esc goes on editing");
    hand.keys("<esc>x");
    assert!(hand.app.editor.is_none());
    let last = kept(&hand).pop().unwrap();
    assert!(!last.unsaved && last.history.contains('x'), "{last:?}");
    assert!(hand.text().contains("1 change is discarded"), "{}", hand.text());
}

#[test]
fn a_deploy_shows_its_plan_and_saves_what_is_typed() {
    let mut hand = at_url(120, 35);
    hand.keys("x<esc>D");
    assert!(hand.text().contains("Deploy acme-erp v16"), "{}", hand.text());
    assert!(hand.text().contains("v16 would go live instead of v14"), "{}", hand.text());
    hand.keys("fix URL<enter>");
    let all = saves(&hand);
    let act = all.last().unwrap();
    assert_eq!((act.deploy, act.dry_run, act.reason.as_deref()), (true, false, Some("fix URL")));
    assert!(hand.text().contains("acme-erp v16 is live"), "{}", hand.text());
}

#[test]
fn somebody_elses_save_is_a_choice_and_never_overwritten() {
    let refusal = Refusal::refused("saved_meanwhile", "anna saved acme-erp v15");
    let mut hand = at_url(120, 35);
    hand.app.input(Event::Key(pointsman::console::key::Key::parse("x").unwrap().event()));
    hand.serve();
    hand.keys("<esc>");
    let press = |hand: &mut Hand, key: &str| {
        hand.app.input(Event::Key(pointsman::console::key::Key::parse(key).unwrap().event()));
    };
    press(&mut hand, "w");
    refuse(&mut hand, &refusal);
    keep("editor_meanwhile_120x35", &hand);
    assert!(hand.text().contains("anna saved v15 at "), "{}", hand.text());
    hand.keys("d");
    keep("editor_sides_120x35", &hand);
    hand.keys("<esc>m");
    let save = saves(&hand);
    assert_eq!(save.last().unwrap().base, 15, "after theirs");
    assert!(save.last().unwrap().text.contains("}}x\""));
    // Theirs, and mine come back.
    hand.keys("enter");
    let mut hand = at_url(120, 35);
    hand.keys("x<esc>");
    press(&mut hand, "w");
    refuse(&mut hand, &refusal);
    hand.keys("b");
    let text = |hand: &Hand| hand.app.editor.as_ref().unwrap().source.text().to_owned();
    assert!(!text(&hand).contains("}}x\""));
    hand.keys("z");
    assert!(text(&hand).contains("}}x\""));
}

#[test]
fn a_deploy_of_what_was_made_from_an_older_version_offers_the_same_choice_and_deploys_then() {
    let refusal = Refusal::refused("saved_meanwhile", "anna saved acme-erp v15");
    let mut hand = at_url(120, 35);
    hand.keys("x<esc>");
    hand.app.input(Event::Key(pointsman::console::key::Key::parse("D").unwrap().event()));
    refuse(&mut hand, &refusal);
    assert!(hand.text().contains("anna saved v15 at "), "{}", hand.text());
    hand.keys("m");
    assert_eq!(saves(&hand).last().unwrap().base, 15, "after theirs, a draft");
    assert!(hand.text().contains("Deploy acme-erp v16"), "{}", hand.text());
}

#[test]
fn what_cannot_be_saved_can_be_left_as_it_is_typed() {
    let mut hand = at_url(120, 35);
    hand.keys("{{<esc><esc><esc>");
    assert!(hand.text().contains("leave"), "{}", hand.text());
    hand.keys("l");
    assert!(hand.app.editor.is_none());
}

#[test]
fn a_completion_is_taken_and_escape_closes_only_the_list() {
    let mut hand = at_url(120, 35);
    hand.keys("{{ request.body.cu");
    assert!(hand.text().contains("seen in 2 requests"), "{}", hand.text());
    hand.keys("<tab> }}<esc>");
    let text = hand.app.editor.as_ref().unwrap().source.text().to_owned();
    assert!(text.contains("{{ request.body.customer_email }}\""), "{text}");
    let mut hand = at_url(120, 35);
    hand.keys("{{ con");
    assert!(hand.app.editor.as_ref().unwrap().completion.is_some());
    hand.keys("<esc>");
    let editor = hand.app.editor.as_ref().unwrap();
    assert!(editor.completion.is_none() && editor.typing);
}

#[test]
fn objects_are_added_and_steps_moved_and_a_curl_command_becomes_one() {
    let mut hand = Hand::new(120, 35);
    hand.keys("5jljjjK");
    let order = |hand: &Hand| {
        let text = hand.app.editor.as_ref().unwrap().source.text().to_owned();
        (text.find("\"push\"").unwrap(), text.find("\"lookup\"").unwrap(), text)
    };
    let (push, lookup, _) = order(&hand);
    assert!(push < lookup);
    hand.keys("J");
    let (push, lookup, _) = order(&hand);
    assert!(push > lookup);
    hand.app.input(Event::Paste("curl -d '{\"a\":1}' https://api.example/x".to_owned()));
    hand.serve();
    assert!(order(&hand).2.contains("url = \"https://api.example/x\"\n"), "{}", order(&hand).2);
    hand.keys("iv");
    assert!(hand.app.editor.as_ref().unwrap().typing);
    hand.keys("s<esc>");
    assert!(order(&hand).2.contains("name = \"variables\""), "{}", order(&hand).2);
}

#[test]
fn a_read_only_console_reads_and_types_nothing() {
    let mut hand = Hand::with(120, 35, Options { read_only: true, ..Options::default() });
    hand.keys("5e");
    assert!(hand.text().contains("acme-erp · source"), "{}", hand.text());
    hand.keys("<enter>");
    assert!(hand.text().contains("open is not possible: this console is read-only"), "{}", hand.text());
    for action in [Action::Save, Action::Deploy, Action::Undo, Action::Add, Action::Outside] {
        assert!(hand.app.possible(action).unwrap_err().contains("read-only"), "{action:?}");
    }
}

#[test]
fn a_text_goes_outside_and_what_comes_back_can_be_undone() {
    let mut hand = Hand::new(120, 35);
    hand.keys("5e");
    hand.app.input(Event::Key(pointsman::console::key::Key::parse("O").unwrap().event()));
    let effects = hand.app.effects();
    let outside = effects.iter().find_map(|effect| match effect {
        Effect::Outside { name, text } => Some((name.clone(), text.clone())),
        _ => None,
    });
    let (name, text) = outside.unwrap();
    assert_eq!(name, "acme-erp.toml");
    assert!(text.starts_with("name = \"acme-erp\""), "{text}");
    assert_eq!(hand.app.now, NOW);
}

#[test]
fn a_body_is_edited_and_replayed_with_what_was_changed() {
    use pointsman::model::ask::Verb;
    use serde_json::json;
    let mut hand = Hand::new(80, 24);
    hand.keys("2kE");
    keep("editor_body_80x24", &hand);
    hand.keys("/59.9<enter><enter><right>8<esc>");
    assert!(hand.text().contains("body.total = 589.9"), "{}", hand.text());
    hand.keys("/null<enter><enter>x<esc>");
    assert!(hand.text().contains("^ "), "{}", hand.text());
    hand.keys("R");
    assert!(hand.text().contains("replay is not possible: 1 error in line"), "{}", hand.text());
    hand.keys("zR");
    let set = |hand: &Hand| {
        hand.asked.iter().rev().find_map(|ask| match ask {
            Ask::Act(act) => match &act.verb {
                Verb::Replay(replay) => Some((replay.set.clone(), act.dry_run)),
                _ => None,
            },
            _ => None,
        })
    };
    assert_eq!(set(&hand), Some((vec![("body.total".to_owned(), json!(589.9))], true)));
    hand.keys("<tab><tab><tab>why<enter>");
    assert_eq!(set(&hand), Some((vec![("body.total".to_owned(), json!(589.9))], false)));
    hand.keys("<esc><esc>");
    assert!(hand.text().contains("was changed"), "{}", hand.text());
    hand.keys("x");
    assert!(hand.app.editor.is_none());
    assert!(!hand.asked.iter().any(|ask| matches!(ask, Ask::Edit(_))), "it is no document");
}

#[test]
fn the_form_edits_the_same_text_in_each_size() {
    for (width, height) in [(80, 24), (160, 50)] {
        let mut hand = Hand::new(width, height);
        hand.keys("5jljjjev");
        keep(&format!("editor_form_{width}x{height}"), &hand);
        let text = |hand: &Hand| hand.app.editor.as_ref().unwrap().source.text().to_owned();
        let before = text(&hand);
        while hand.app.editor.as_ref().unwrap().form.as_ref().unwrap().at < 9 {
            hand.keys("j");
        }
        hand.keys("<enter>10");
        keep(&format!("editor_form_error_{width}x{height}"), &hand);
        assert!(hand.text().contains("a unit"), "{}", hand.text());
        hand.keys("s<enter>");
        assert!(text(&hand).contains("timeout = \"10s\"\n"), "{}", text(&hand));
        hand.keys("z");
        assert_eq!(text(&hand), before, "what was typed into a field is one change");
        let at = |hand: &Hand| hand.app.editor.as_ref().unwrap().form.as_ref().unwrap().at;
        assert_eq!(at(&hand), 9, "it stays at its field");
        hand.keys("kkkl");
        assert!(text(&hand).contains("method = \"PUT\""), "{}", text(&hand));
        hand.keys("v");
        assert!(hand.text().contains("form SOURCE"), "{}", hand.text());
        let editor = hand.app.editor.as_ref().unwrap();
        assert!(editor.source.around().1.starts_with("method = "), "{:?}", editor.source.cursor());
    }
}

#[test]
fn a_path_is_completed_in_a_field_of_the_form_and_tab_goes_on_without_one() {
    for (width, height) in [(80, 24), (160, 50)] {
        let mut hand = Hand::new(width, height);
        hand.keys("5jljjjev");
        let field = |hand: &Hand| {
            let editor = hand.app.editor.as_ref().unwrap();
            editor.fields().1[editor.form.as_ref().unwrap().at].clone()
        };
        while field(&hand).key.name != "url" {
            hand.keys("j");
        }
        hand.keys("<enter>?x={{ request.body.cu");
        keep(&format!("editor_form_completion_{width}x{height}"), &hand);
        hand.keys("<tab> }}");
        assert!(field(&hand).value.ends_with("?x={{ request.body.customer_email }}"), "{:?}", field(&hand));
        hand.keys("{{ con<esc>");
        let editor = hand.app.editor.as_ref().unwrap();
        assert!(editor.completion.is_none() && editor.typing, "esc closes the list alone");
        hand.keys("fig<esc>");
        hand.keys("<tab>");
        assert_ne!(field(&hand).key.name, "url", "tab is the next field");
    }
}

#[test]
fn the_line_under_the_form_is_of_the_field_that_is_selected() {
    let mut hand = Hand::new(120, 35);
    hand.keys("5ev");
    for field in ["name", "title", "icon", "description"] {
        let told = hand.app.editor.as_ref().unwrap().told(&hand.app.options.keymap).1;
        assert!(told.starts_with(&format!("{field}: ")), "{told}");
        hand.keys("j");
    }
}

#[test]
fn without_a_request_the_preview_says_what_to_wait_for() {
    let mut hand = Hand::new(120, 35);
    hand.app.input(Event::Key(super::hand::keys("5")[0].event()));
    hand.serve();
    hand.keys("jljjj");
    hand.app.input(Event::Key(super::hand::keys("e")[0].event()));
    for _ in 0..20 {
        let effects = hand.app.effects();
        for effect in effects {
            let Effect::Ask(ticket, ask) = effect else { continue };
            let tried = matches!(&ask, Ask::Study(pointsman::model::study::Study::Simulate(_)));
            let none = Refusal::not_found("Orders has no accepted request yet: give --sample FILE");
            let reply =
                if tried { Err(none.coded(Refusal::NO_REQUEST)) } else { Ok(super::hand::answer(&ask, 600)) };
            hand.app.receive(Incoming::Reply(ticket, Box::new(reply)));
        }
    }
    let (_, told, _) = hand.app.editor.as_ref().unwrap().told(&hand.app.options.keymap);
    assert!(told.starts_with("no request came yet"), "{told}");
    assert!(!hand.text().contains("--sample"), "{}", hand.text());
}
