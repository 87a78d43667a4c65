//! The mouse in boxes, forms and documents: a click selects what is drawn there, a second one acts, and
//! nothing is confirmed by one.

use super::guides::{at_capture, empty, stage};
use super::hand::Hand;
use pointsman::console::Options;
use pointsman::console::app::Overlay;
use pointsman::console::guide::Stage;
use pointsman::console::hit::Hit;
use pointsman::model::ask::{Ask, Verb};
use ratatui::crossterm::event::{Event, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

fn event(kind: MouseEventKind, column: u16, row: u16) -> Event {
    Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
}

fn click(hand: &mut Hand, column: u16, row: u16) {
    hand.app.input(event(MouseEventKind::Down(MouseButton::Left), column, row));
    hand.serve();
}

fn wheel(hand: &mut Hand, down: bool) {
    let kind = if down { MouseEventKind::ScrollDown } else { MouseEventKind::ScrollUp };
    hand.app.input(event(kind, 40, 12));
    hand.serve();
}

/// Where a text stands on the screen, in cells.
fn place(hand: &Hand, text: &str) -> (u16, u16) {
    let screen = hand.text();
    let (row, line) = screen
        .lines()
        .enumerate()
        .find(|(_, line)| line.contains(text))
        .unwrap_or_else(|| panic!("no {text} in\n{screen}"));
    let before = &line[..line.find(text).unwrap()];
    (u16::try_from(before.chars().count()).unwrap(), u16::try_from(row).unwrap())
}

fn click_on(hand: &mut Hand, text: &str) {
    let (column, row) = place(hand, text);
    click(hand, column, row);
}

fn mouse(width: u16, height: u16) -> Hand {
    let mut hand = Hand::new(width, height);
    hand.keys("m");
    hand
}

/// Abort, retry and what else was ordered, not only asked about.
fn ordered(hand: &Hand) -> Vec<&Verb> {
    fn act(ask: &Ask) -> Option<&Verb> {
        match ask {
            Ask::Act(act) if !act.dry_run => Some(&act.verb),
            _ => None,
        }
    }
    hand.asked.iter().filter_map(act).collect()
}

#[test]
fn a_menu_and_the_palette_take_a_row_by_a_second_click_on_it() {
    for (width, height) in [(80, 24), (160, 50)] {
        let mut hand = mouse(width, height);
        hand.keys("2Y");
        let Some(Overlay::Menu(menu)) = &hand.app.overlay else { panic!("{}", hand.text()) };
        let at = menu.entries.iter().position(|entry| entry.word == "id").unwrap();
        let word = " id  ";
        click_on(&mut hand, word);
        let Some(Overlay::Menu(menu)) = &hand.app.overlay else { panic!("{}", hand.text()) };
        assert_eq!((menu.at, hand.copied.len()), (at, 0), "selected, and nothing more");
        click_on(&mut hand, word);
        assert!(hand.app.overlay.is_none() && hand.copied.len() == 1, "{}", hand.text());
        hand.keys(":");
        wheel(&mut hand, true);
        let Some(Overlay::Palette(open)) = &hand.app.overlay else { panic!() };
        assert_eq!(open.at, 3);
        hand.keys("audit");
        click_on(&mut hand, "who did what");
        click_on(&mut hand, "who did what");
        assert!(matches!(hand.app.overlay, Some(Overlay::Audit(_))), "{}", hand.text());
        // A key between the clicks makes the second one a first.
        hand.keys("<esc>:theme");
        click_on(&mut hand, "the themes, each");
        hand.keys("<down>");
        click_on(&mut hand, "the themes, each");
        assert!(matches!(hand.app.overlay, Some(Overlay::Palette(_))), "{}", hand.text());
    }
}

#[test]
fn the_last_line_of_a_box_is_clicked_and_themes_are_shown_by_it() {
    let mut hand = mouse(80, 24);
    hand.keys(":theme<enter>");
    let before = hand.app.theme.name.clone();
    let names: Vec<String> = hand.app.options.themes.names().map(str::to_owned).collect();
    let other = names.iter().find(|name| **name != before).unwrap().clone();
    click_on(&mut hand, &other);
    assert_eq!(hand.app.theme.name, other);
    click_on(&mut hand, "esc back");
    assert_eq!((hand.app.overlay.is_none(), &hand.app.theme.name), (true, &before));
    hand.keys("?");
    wheel(&mut hand, true);
    assert!(matches!(&hand.app.overlay, Some(Overlay::Help(open)) if open.at == 3), "{:?}", hand.app.overlay);
    // Beside it a click says why it does nothing.
    click(&mut hand, 0, 0);
    assert!(hand.text().contains("this box is open; esc closes it"), "{}", hand.text());
}

#[test]
fn documents_and_tables_scroll_and_their_rows_are_selected() {
    let mut hand = mouse(80, 24);
    hand.keys(":audit<enter>");
    let Some(Overlay::Audit(open)) = &mut hand.app.overlay else { panic!() };
    for n in 0..3 {
        let other =
            pointsman::model::view::AuditView { target: format!("other-{n}"), ..open.rows[0].clone() };
        open.rows.push(other);
    }
    for wanted in ["other-2", "other-0", "acme-erp  ", "other-1"] {
        click_on(&mut hand, wanted);
        let Some(Overlay::Audit(open)) = &hand.app.overlay else { panic!("{}", hand.text()) };
        assert_eq!(open.current().unwrap().target, wanted.trim());
        click_on(&mut hand, wanted);
        assert!(matches!(hand.app.overlay, Some(Overlay::Audit(_))), "nothing is opened from it");
    }
    hand.keys("<esc>:messages<enter>");
    wheel(&mut hand, false);
    let Some(Overlay::Messages(open)) = &hand.app.overlay else { panic!() };
    assert_eq!(open.up, 3);
    hand.keys("<esc>5<down><down>e");
    assert!(hand.app.editor.is_some(), "{}", hand.text());
    let rows: Vec<_> = hand.app.hits().into_iter().filter(|(_, hit)| *hit == Hit::Row(false)).collect();
    let (last, _) = *rows.last().unwrap();
    click(&mut hand, 10, last.y);
    assert!(hand.app.hits().contains(&(last, Hit::Row(true))), "{}", hand.text());
}

#[test]
fn a_dialog_takes_clicks_on_its_fields_and_acts_by_no_single_one() {
    let mut hand = mouse(80, 24);
    hand.keys("3");
    hand.app.runs.groups = false;
    hand.app.settle();
    hand.serve();
    hand.keys("x");
    let Some(Overlay::Verb(dialog)) = &hand.app.overlay else { panic!("{}", hand.text()) };
    assert!(dialog.keeps());
    click_on(&mut hand, "reason");
    click_on(&mut hand, "  Abort  ");
    let Some(Overlay::Verb(dialog)) = &hand.app.overlay else { panic!("{}", hand.text()) };
    assert!(dialog.sure && ordered(&hand).is_empty(), "chosen, and nothing more");
    click_on(&mut hand, "[ Abort ]");
    assert_eq!(ordered(&hand), [&Verb::Abort], "{}", hand.text());
    // What keeps is safe at once.
    let mut hand = mouse(80, 24);
    hand.keys("3");
    hand.app.runs.groups = false;
    hand.app.settle();
    hand.serve();
    hand.keys("x");
    click_on(&mut hand, "[ Keep ]");
    assert!(hand.app.overlay.is_none() && ordered(&hand).is_empty());
}

#[test]
fn a_choice_is_chosen_where_it_stands_and_enter_is_clicked_twice() {
    let mut hand = mouse(80, 24);
    hand.keys("2R");
    let Some(Overlay::Verb(dialog)) = &hand.app.overlay else { panic!("{}", hand.text()) };
    assert_eq!(dialog.fields[0].chosen, 0);
    click_on(&mut hand, "its own");
    let Some(Overlay::Verb(dialog)) = &hand.app.overlay else { panic!("{}", hand.text()) };
    assert_eq!((dialog.focus, dialog.fields[0].chosen), (0, 1), "{}", hand.text());
    let asked = hand.asked.iter().filter(|ask| matches!(ask, Ask::Act(act) if act.dry_run)).count();
    assert_eq!(asked, 2, "the plan is asked for again");
    click_on(&mut hand, "enter replay");
    assert!(
        hand.text().contains("a second click there does it") && ordered(&hand).is_empty(),
        "{}",
        hand.text()
    );
    click_on(&mut hand, "enter replay");
    assert_eq!(ordered(&hand).len(), 1, "{}", hand.text());
}

#[test]
fn a_new_integration_is_filled_in_with_the_mouse_too() {
    let mut hand = empty(80, 24, Options::default());
    hand.keys("m");
    click_on(&mut hand, "load the samples");
    assert!(hand.app.overlay.is_none(), "one click selects");
    click_on(&mut hand, "make the first");
    click_on(&mut hand, "make the first");
    assert_eq!(stage(&hand), Stage::Name, "{}", hand.text());
    hand.keys("Shop");
    click_on(&mut hand, "first flow");
    hand.keys("In<enter>");
    assert_eq!(hand.app.guide.as_ref().unwrap().flow(), "In");
    click_on(&mut hand, "signature  the");
    click_on(&mut hand, "signed as");
    assert_eq!(hand.app.guide.as_ref().unwrap().auth.focus, 2, "{}", hand.text());
    click_on(&mut hand, "none       any");
    assert!(hand.text().contains("► none"), "{}", hand.text());
    let mut hand = at_capture(80, 24);
    hand.keys("m");
    let rows: Vec<_> = hand.app.hits().into_iter().filter(|(_, hit)| *hit == Hit::Row(false)).collect();
    let (row, _) = rows[0];
    let ticked = |hand: &Hand| hand.app.table().unwrap().dedup_paths.len();
    let before = ticked(&hand);
    click(&mut hand, row.x + 3, row.y);
    assert_eq!(ticked(&hand), before);
    click(&mut hand, row.x + 3, row.y);
    assert_eq!(ticked(&hand), before + 1, "{}", hand.text());
    wheel(&mut hand, false);
    assert_eq!(stage(&hand), Stage::Capture);
}

#[test]
fn nothing_panics_wherever_one_clicks_in_any_box() {
    for keys in [
        "2Y",
        "2o",
        "2'",
        ":",
        ":theme<enter>",
        ":audit<enter>",
        ":jobs<enter>",
        ":consoles<enter>",
        ":messages<enter>",
        "?",
        "2t",
        "2C",
        "2R",
        "3x",
        "5t",
        "5e",
        "2#",
        ":keys<enter>",
        ":record<enter>",
        ":save view<enter>",
        "5D",
        "q",
    ] {
        for (width, height) in [(80, 24), (50, 12)] {
            let mut hand = mouse(width, height);
            hand.keys(keys);
            for row in 0..height {
                let mut hand = mouse(width, height);
                hand.keys(keys);
                for column in [3, width / 2, width - 4] {
                    click(&mut hand, column, row);
                    wheel(&mut hand, row % 2 == 0);
                }
                assert!(ordered(&hand).is_empty(), "{keys} at row {row}\n{}", hand.text());
            }
        }
    }
}
