//! Themes, messages and keys of one's own, as they are drawn.

use super::hand::{Hand, NOW};
use super::pictures::keep;
use pointsman::console::app::Overlay;
use pointsman::console::key::Key;
use pointsman::console::keymap::{KEYS, Keymap};
use pointsman::console::rebind::{Written, keymap};
use pointsman::console::themes::{Own, Themes};
use pointsman::console::{Depth, Options, asks::Effect};
use pointsman::model::ask::Ask;
use ratatui::crossterm::event::{Event, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

fn themes() -> Themes {
    let own = |name: &str, text: &str| Own {
        name: name.to_owned(),
        file: format!("/home/anna/.config/pointsman/themes/{name}.toml"),
        text: Ok(text.to_owned()),
    };
    let own =
        vec![own("broken", "[roles]\ngodo = {}\n"), own("night", "[roles]\ngood = { fg = \"#0000ff\" }\n")];
    Themes { own, told: Vec::new() }
}

fn hand(width: u16, height: u16) -> Hand {
    Hand::with(width, height, Options { themes: themes(), color: Depth::True, ..Options::default() })
}

#[test]
fn the_list_of_themes_shows_each_and_says_what_is_wrong_with_one() {
    for (width, height) in [(80, 24), (160, 50)] {
        let mut hand = hand(width, height);
        hand.keys(":theme<enter>j");
        assert_eq!(hand.app.theme.name, "dark");
        keep(&format!("themes_{width}x{height}"), &hand);
        hand.keys("Gk");
        keep(&format!("themes_{width}x{height}_broken"), &hand);
        // What was shown before it stays; it cannot be kept, and esc goes back to the first.
        assert_eq!(hand.app.theme.name, "night");
        hand.keys("<enter>");
        assert!(hand.text().contains("theme is not possible"));
        hand.keys("<esc>");
        assert_eq!(hand.app.theme.name, "terminal");
    }
    let mut mono = Hand::mono(80, 24);
    mono.keys(":theme<enter>");
    assert!(mono.text().contains("without colour there is one, mono"));
}

#[test]
fn t_goes_through_all_that_read_and_the_choice_is_kept() {
    let mut hand = hand(80, 24);
    let mut seen = Vec::new();
    for _ in 0..8 {
        hand.app.input(Event::Key(Key::parse("T").unwrap().event()));
        seen.push(hand.app.theme.name.clone());
        let kept =
            hand.app.effects().into_iter().any(|effect| {
                effect == Effect::Keep("theme".to_owned(), serde_json::json!(hand.app.theme.name))
            });
        assert!(kept, "{seen:?}");
    }
    assert_eq!(seen, ["dark", "light", "contrast", "contrast-light", "mono", "night", "terminal", "dark"]);
    assert!(hand.app.messages.iter().any(|told| told.text.contains("broken.toml:2: there is no role")));
}

#[test]
fn a_theme_that_is_changed_on_disk_is_shown_as_it_is_now() {
    let mut hand = hand(80, 24);
    hand.keys(":theme<enter>G<enter>");
    let before = hand.app.theme.clone();
    let mut changed = themes();
    changed.own[1].text = Ok("[roles]\ngood = { fg = \"#00ff00\", bold = true }\n".to_owned());
    hand.app.themes_came(changed.clone());
    assert!(hand.app.theme != before && hand.app.theme.name == "night");
    // One that does not read any more stays as it was, and says so.
    changed.own[1].text = Ok("[roles]\ngood = 3\n".to_owned());
    let theme = hand.app.theme.clone();
    hand.app.themes_came(changed);
    assert!(hand.app.theme == theme && hand.text().contains("night stays as it was"), "{}", hand.text());
}

#[test]
fn what_was_told_is_listed_the_newest_last() {
    for (width, height) in [(80, 24), (160, 50)] {
        let mut hand = hand(width, height);
        hand.keys("Q<esc>TTTTTT3w5");
        hand.keys(":messages<enter>");
        keep(&format!("messages_{width}x{height}"), &hand);
    }
    let mut hand = hand(80, 24);
    for n in 0..700 {
        hand.app.toast(pointsman::console::app::Tone::Info, format!("told {n}"));
    }
    hand.keys(":messages<enter>");
    assert!(hand.text().contains("told 699"), "{}", hand.text());
    hand.keys("g");
    assert!(hand.text().contains("told 200") && !hand.text().contains("told 199"), "{}", hand.text());
}

#[test]
fn keys_of_ones_own_are_in_footer_help_palette_and_their_table() {
    let line = |id: &str, keys: &[&str]| Written {
        id: id.to_owned(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        at: 0,
    };
    let map = keymap(&[line("follow", &["f5"]), line("mark", &[]), line("left", &["H"])]).unwrap();
    for (width, height) in [(80, 24), (160, 50)] {
        let mut hand = Hand::with(width, height, Options { keymap: map.clone(), ..Options::default() });
        hand.keys("2k<f5>");
        assert!(hand.app.requests.list.follow);
        keep(&format!("own_keys_{width}x{height}"), &hand);
        hand.keys("?");
        keep(&format!("own_keys_{width}x{height}_help"), &hand);
        hand.keys("<esc>:follow");
        assert!(hand.text().contains("f5"), "{}", hand.text());
        hand.keys("<esc>:keys<enter>");
        keep(&format!("own_keys_{width}x{height}_table"), &hand);
        hand.keys("<esc>f");
        assert!(hand.text().contains("f means nothing here"), "{}", hand.text());
    }
}

/// A map in which no letter and no sign of the program's own means what it does of itself: each has a
/// letter of another script in its place.
fn all_others() -> Keymap {
    let letters = ('а'..='я').chain('А'..='Я').chain('α'..='ω');
    let single = KEYS.iter().filter(|line| line.keys[0].chars().count() == 1);
    let moved = single.filter(|line| !line.keys[0].starts_with(|c: char| c.is_ascii_digit()));
    let lines: Vec<Written> = moved
        .zip(letters)
        .map(|(line, letter)| Written {
            id: line.action.id().to_owned(),
            keys: vec![letter.to_string()],
            at: 0,
        })
        .collect();
    assert!(lines.len() > 45);
    keymap(&lines).unwrap()
}

/// Presses what is there now for what these keys do of themselves; what is typed stays as it is.
fn press(hand: &mut Hand, map: &Keymap, text: &str) {
    for key in super::hand::keys(text) {
        let app = &hand.app;
        let typing = app.filter.is_some()
            || app.search.is_some()
            || app.editor.as_ref().is_some_and(|editor| editor.typing)
            || matches!(app.overlay, Some(Overlay::Palette(_)));
        let name = key.to_string();
        let key = if typing { key } else { Key::parse(map.now(&name)).unwrap_or(key) };
        hand.app.input(Event::Key(key.event()));
        hand.serve();
    }
}

/// Words of one letter that are keys of the program's own and are not in force.
fn strays(text: &str, map: &Keymap) -> Vec<String> {
    let mut found = Vec::new();
    // The first row has figures alone.
    for line in text.lines().filter(|line| !line.contains(" = stored ")) {
        // What the edge of a box cuts is no word.
        let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || "·;,()─".contains(c)).collect();
        for (at, word) in words.iter().enumerate() {
            let letter = word.len() == 1 && word.starts_with(|c: char| c.is_ascii_alphabetic());
            // An article, the icon of an integration, and what the list of copies calls the URL of a callback.
            let own =
                matches!(*word, "a" | "A" | "G") || words.get(at + 1) == Some(&"copies") && *word == "u";
            let unit = at > 0 && words[at - 1].starts_with(|c: char| c.is_ascii_digit());
            if letter && map.now(word) != *word && !own && !unit {
                found.push(words[at..words.len().min(at + 4)].join(" "));
            }
        }
        for phrase in ["A readmits", "+ back", "? help", "[ ] attempt"] {
            if line.contains(phrase) {
                found.push(phrase.to_owned());
            }
        }
    }
    found
}

#[test]
fn wherever_a_screen_a_box_or_a_sentence_names_a_key_it_is_the_one_in_force() {
    let map = all_others();
    let options = || Options { keymap: map.clone(), ..Options::default() };
    let mut stray = std::collections::BTreeSet::new();
    for (width, height) in [(80, 24), (160, 50)] {
        for (name, keys) in super::gallery::ALL {
            // Lists of a moment choose by letters of their own, and the text that is compared is the person's.
            if matches!(name, "copy_as" | "links" | "editor_leave" | "editor_add" | "editor_texts") {
                continue;
            }
            let mut hand = Hand::with(width, height, options());
            press(&mut hand, &map, keys);
            stray.extend(strays(&hand.text(), &map).into_iter().map(|found| format!("{name}: {found}")));
        }
    }
    assert!(stray.is_empty(), "{stray:#?}");
}

#[test]
fn why_a_key_does_nothing_is_told_with_the_keys_in_force() {
    let map = all_others();
    let places = [
        "",
        "<tab>",
        "<tab><tab><tab>j",
        "2kk",
        "2kk<tab>",
        "2kk<tab>v",
        "2/verdict:rejected<enter><enter>",
        "3",
        "3v",
        "3v/state:aborted<enter>",
        "3v/state:errored<enter><enter>",
        "3v/state:succeeded<enter><enter><tab>",
        "4",
        "4<tab>j",
        "5",
        "5jl<tab>",
        "5jl<tab><tab>",
        "6",
        "5jljjje",
        "5jljjjev",
        "2kkE",
        "2kkt",
        "2kkC",
    ];
    let (mut told, mut stray) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for place in places {
        for line in map.lines().filter(|line| line.key().chars().count() == 1) {
            let options = Options { keymap: map.clone(), ..Options::default() };
            let mut hand = Hand::with(160, 50, options);
            press(&mut hand, &map, place);
            hand.app.toasts.clear();
            let key = Key::parse(line.key()).unwrap();
            hand.app.input(Event::Key(key.event()));
            hand.serve();
            for toast in &hand.app.toasts {
                if !strays(&toast.text, &map).is_empty() {
                    stray.insert(toast.text.clone());
                }
                told.insert(toast.text.clone());
            }
        }
    }
    assert!(stray.is_empty(), "{stray:#?}");
    // They are named, and not left out.
    for action in ["replay", "filter", "left"] {
        let own = map.lines().find(|line| line.binding.action.id() == action).unwrap().key();
        assert!(told.iter().any(|text| text.contains(own)), "{action}: {told:#?}");
    }
}

#[test]
fn the_audit_trail_and_the_question_of_a_recording() {
    for (width, height) in [(80, 24), (160, 50)] {
        let mut hand = Hand::new(width, height);
        hand.keys(":audit<enter>");
        keep(&format!("audit_{width}x{height}"), &hand);
        hand.keys("/who:ben<enter>");
        assert!(hand.asked.iter().any(|ask| matches!(ask, Ask::Audit(page) if page.filter == "who:ben")));
        hand.keys("<esc><esc>");
        assert!(!hand.text().contains("Audit"));
        hand.keys(":record<enter>");
        keep(&format!("record_{width}x{height}"), &hand);
        hand.app.input(Event::Key(Key::parse("enter").unwrap().event()));
        let effects = hand.app.effects();
        assert!(
            effects.contains(&Effect::Record("pointsman-20261118-133155.cast".to_owned())),
            "{effects:?}"
        );
    }
}

#[test]
fn a_recording_and_the_bytes_are_in_the_first_row() {
    let mut hand = Hand::new(160, 50);
    hand.keys(":bytes<enter>");
    hand.app.wrote.sample(NOW - 5_000, 1_000);
    hand.app.wrote.sample(NOW, 32_000);
    hand.app.recorded("a.cast".to_owned());
    let row = hand.text().lines().next().unwrap().to_owned();
    assert!(row.contains("recording") || row.contains("rec "), "{row}");
    let mut wide = Hand::new(220, 50);
    wide.keys(":bytes<enter>");
    wide.app.wrote.sample(NOW, 0);
    wide.app.wrote.sample(NOW, 31_000);
    assert!(wide.text().lines().next().unwrap().contains("tty "), "{}", wide.text());
}

/// An event of the mouse at a place of the screen.
fn mouse(kind: MouseEventKind, column: u16, row: u16) -> Event {
    Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
}

#[test]
fn a_click_selects_the_row_that_is_drawn_there_at_every_size() {
    let press = MouseEventKind::Down(MouseButton::Left);
    for (width, height) in [(80, 24), (120, 35), (160, 50), (60, 20)] {
        for screen in ["1", "2", "3", "4", "5", "6"] {
            let mut hand = Hand::new(width, height);
            hand.keys("m");
            hand.keys(screen);
            for row in 0..height {
                for column in [1, width / 2, width - 2] {
                    hand.app.input(mouse(press, column, row));
                    hand.serve();
                    for kind in [MouseEventKind::ScrollUp, MouseEventKind::ScrollDown] {
                        hand.app.input(mouse(kind, column, row));
                        hand.serve();
                    }
                }
            }
        }
    }
    let mut hand = Hand::new(160, 50);
    hand.keys("m2");
    hand.app.input(mouse(press, 20, 30));
    hand.serve();
    let line = hand.text().lines().nth(30).unwrap().to_owned();
    assert!(line.starts_with('▌'), "{line}");
    // Off, it does nothing.
    hand.keys("m");
    let before = hand.text();
    hand.app.input(mouse(press, 20, 20));
    hand.serve();
    assert_eq!(hand.text(), before);
}
