//! Every screen, overlay and dialog, at each size: their text whole, and of their looks what each role
//! draws, in colour and without.

use super::hand::{Hand, NOW, id, styled};
use super::pictures::{keep, settings};
use insta::assert_snapshot;
use pointsman::console::app::{Place, Tone};
use pointsman::console::theme::{Depth, Theme};
use pointsman::console::{Options, picture};
use pointsman::model::company::ConsoleView;
use pointsman::model::time::rfc3339;
use pointsman::session::{Incoming, Link};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What is shown, and the keys that lead there from the root.
pub const ALL: [(&str, &str); 66] = [
    ("live", ""),
    ("live_payload", "<tab>"),
    ("live_needs", "<tab><tab><tab>j"),
    ("live_marked", "kkk<space><space>"),
    ("requests", "2kk"),
    ("requests_flat", "2kk<tab>v"),
    ("requests_raw", "2kk<tab>vv"),
    ("requests_hex", "2kk<tab>vvv"),
    ("request", "2kk<enter>"),
    ("request_search", "2kk<enter>/earwax<enter>"),
    ("request_enter", "2kk<enter>jjjjj<enter>"),
    ("duplicate", "2/verdict:duplicate<enter><enter>"),
    ("rejected", "2/verdict:rejected<enter><enter>"),
    ("filter", "2/verdict:acc"),
    ("filter_wrong", "2/verdict:nope"),
    ("groups", "3"),
    ("runs", "3v"),
    ("run", "3v/state:errored<enter><enter>"),
    ("run_attempt", "3v/state:errored<enter><enter><tab>jj"),
    ("run_waiting", "3v/state:waiting<enter><enter>"),
    ("callbacks", "4"),
    ("callbacks_pane", "4<tab>j"),
    ("integrations", "5"),
    ("integration_facts", "5jl<tab>"),
    ("integration_versions", "5jl<tab><tab>"),
    ("integration_diff", "5jl<tab><tab><tab>"),
    ("overview", "6"),
    ("overview_steps", "6<tab>j"),
    ("overview_week", "6vv"),
    ("editor", "5jljjje"),
    ("editor_typing", "5jljjje<enter>"),
    ("editor_form", "5jljjjev"),
    ("editor_form_typing", "5jljjjevjjjjjjj<enter>"),
    ("editor_texts", "5jljjje<enter>x<esc>d"),
    ("editor_leave", "5jljjje<enter>x<esc><esc>"),
    ("editor_add", "5jljjjei"),
    ("body", "2kkE"),
    ("body_typing", "2kkE<enter>"),
    ("trial", "2kkt"),
    ("what_if", "2kktt"),
    ("back_test", "5jb"),
    ("capture", "2kkC"),
    ("beside", "2kkk<space><space>d"),
    ("copy_as", "2kkY"),
    ("links", "2kko"),
    ("palette", ":re"),
    ("jobs", ":jobs<enter>"),
    ("consoles", ":consoles<enter>"),
    ("help", "?"),
    ("dialog_retry", "3v/state:errored<enter>r"),
    ("dialog_retry_all", "3r"),
    ("dialog_skip", "3v/state:errored<enter>s"),
    ("dialog_abort", "3v/state:errored<enter>x"),
    ("dialog_replay", "2kkR"),
    ("dialog_forget", "2/verdict:duplicate<enter>X"),
    ("dialog_readmit", "2/verdict:rejected<enter>A"),
    ("dialog_complete", "4c"),
    ("dialog_extend", "4u"),
    ("dialog_cancel", "4jX"),
    ("dialog_deploy", "5jD"),
    ("dialog_back_to_it", "5<tab><tab>jjD"),
    ("dialog_remove", "5gX"),
    ("dialog_pause", "5jljP"),
    ("dialog_call", "2kkt<right><enter>"),
    ("dialog_test_run", "2kkt<right><right><enter>"),
    ("quit", "q"),
];

/// A console that shows one of them.
pub fn shown(keys: &str, width: u16, height: u16) -> Hand {
    let quitting_stops = Some("127.0.0.1:7700".to_owned());
    let mut hand = Hand::with(width, height, Options { quitting_stops, ..Options::default() });
    hand.app.company.consoles = ["anna", "ben"]
        .map(|who| ConsoleView {
            id: who.to_owned(),
            who: who.to_owned(),
            role: "operator".to_owned(),
            from: "127.0.0.1".to_owned(),
            since: rfc3339(NOW),
            screen: "Runs".to_owned(),
            run: (who == "ben").then(|| id(591)),
        })
        .into();
    hand.keys(keys);
    hand
}

/// How many cells each look has, and a digest of where they are.
fn looks(hand: &Hand, theme: &Theme) -> String {
    let grid = styled(&picture(&hand.app), theme);
    let (_, grid) = grid.split_once("-- styles\n").unwrap();
    let (cells, legend) = grid.split_once("-- legend\n").unwrap();
    let mut counted: BTreeMap<char, usize> = BTreeMap::new();
    for letter in cells.chars().filter(char::is_ascii_lowercase) {
        *counted.entry(letter).or_default() += 1;
    }
    let mut out = String::new();
    for line in legend.lines() {
        let (letter, name) = line.split_at(2);
        let name = name.split(' ').next().unwrap_or_default();
        let _ = write!(out, "{name} {} ", counted.get(&letter.chars().next().unwrap()).unwrap_or(&0));
    }
    let digest = Sha256::digest(grid.as_bytes());
    let _ = write!(out, "{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3]);
    out
}

fn at(width: u16, height: u16) {
    let (mut pictures, mut told) = (String::new(), String::new());
    for (name, keys) in ALL {
        let mut hand = shown(keys, width, height);
        let _ = writeln!(pictures, "== {name} · {keys}\n{}", hand.text());
        let _ = writeln!(told, "{name}\n  terminal {}", looks(&hand, &hand.app.theme));
        let mono = Theme::shipped("terminal", Depth::Mono).unwrap();
        hand.app.theme = mono.clone();
        let _ = writeln!(told, "  mono     {}", looks(&hand, &mono));
    }
    settings().bind(|| {
        assert_snapshot!(format!("all_{width}x{height}"), pictures);
        assert_snapshot!(format!("all_looks_{width}x{height}"), told);
    });
}

#[test]
fn every_screen_overlay_and_dialog_at_80x24() {
    at(80, 24);
}

#[test]
fn every_screen_overlay_and_dialog_at_120x35() {
    at(120, 35);
}

#[test]
fn every_screen_overlay_and_dialog_at_200x60() {
    at(200, 60);
}

#[test]
fn a_link_that_is_down_and_news_of_each_kind() {
    let mut hand = shown("2kk", 80, 24);
    hand.app.receive(Incoming::Link(Link::down("connection refused")));
    hand.app.toast(Tone::Good, "Retried push of 5d7c31: attempt 4 is running.");
    hand.app.toast(Tone::Info, "anna retried 40 runs");
    hand.app.toast(Tone::Bad, "The disk is full: new requests are answered 503 and not accepted.");
    keep("link_down_80x24", &hand);
}

/// What a person needs in the narrowest places: the pane alone, one row of header, at most three keys,
/// boxes that fill the screen with their keys on their last line, and nothing that is cut without `…`.
#[test]
fn narrow_screens_are_whole() {
    let mut wrong = Vec::new();
    for (width, height) in [(40, 8), (60, 20), (79, 23)] {
        let mut all = String::new();
        for (name, keys) in ALL {
            let hand = shown(keys, width, height);
            let text = hand.text();
            let _ = writeln!(all, "== {name}\n{text}");
            let lines: Vec<&str> = text.lines().collect();
            assert!(lines.len() <= usize::from(height));
            let whole = if hand.app.overlay.is_some() {
                let (first, last) = (lines[0], lines[usize::from(height) - 1]);
                let fills = [
                    first.starts_with('┌'),
                    first.ends_with('┐'),
                    last.starts_with('└'),
                    last.ends_with('┘'),
                ];
                fills == [true; 4] && last.contains("esc")
            } else {
                let rules = lines.iter().filter(|line| line.starts_with("─ ")).count();
                // A run has its steps over the part that is looked at, a document what it would send, a group
                // what its runs have in common.
                let place = hand.app.place();
                // A request has its facts over it.
                let two = hand.app.page_head().height > 0
                    || matches!(
                        place,
                        Place::Timeline(_) | Place::Attempt(_) | Place::Editor | Place::Groups
                    );
                lines[0].starts_with(" ●") && lines[0].contains("!3") && (rules == 1 || two && rules == 2)
            };
            if !whole {
                wrong.push(format!("{name} at {width}x{height}\n{text}"));
            }
        }
        settings().bind(|| assert_snapshot!(format!("all_{width}x{height}"), all));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
