//! What the README says of the console comes from the program: its picture and its table of keys.
//!
//! `POINTSMAN_WRITE=1 cargo test --test it console::readme` writes both anew.

use super::gallery::shown;
use super::hand::Hand;
use pointsman::console::keymap::{KEYS, Keymap};
use pointsman::console::{picture, svg};
use pointsman::model::ask::Deed;
use pointsman::model::operator::Role;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Compares a file with what the program makes, or writes it.
fn keep(name: &str, made: &str) {
    let path = root(name);
    if std::env::var_os("POINTSMAN_WRITE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, made).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == made, "{name} is not what the program makes: POINTSMAN_WRITE=1 writes it anew");
}

#[test]
fn the_pictures_are_what_the_program_draws() {
    let hand = Hand::new(160, 48);
    keep("tests/pictures/live.svg", &svg(&picture(&hand.app), &hand.app.theme));
    for (name, keys) in
        [("run", "3v/state:errored<enter><enter>"), ("editor", "5jljjjevjjjjjjj"), ("overview", "6")]
    {
        let hand = shown(keys, 120, 35);
        keep(&format!("tests/pictures/{name}.svg"), &svg(&picture(&hand.app), &hand.app.theme));
    }
}

#[test]
fn the_picture_of_the_first_minutes_is_what_the_program_draws() {
    let hand = super::guides::at_capture(100, 22);
    keep("tests/pictures/first.svg", &svg(&picture(&hand.app), &hand.app.theme));
}

/// The README with what stands between two marks made anew.
fn between(readme: &str, mark: &str, made: &str) -> String {
    let (head, rest) = readme.split_once(&format!("<!-- {mark} -->\n")).unwrap();
    let (_, tail) = rest.split_once(&format!("<!-- /{mark} -->")).unwrap();
    format!("{head}<!-- {mark} -->\n\n{made}\n<!-- /{mark} -->{tail}")
}

/// What each role may do beside those before it.
fn roles() -> String {
    let mut table =
        String::from("| role | may |\n|---|---|\n| `viewer` | see everything, and change nothing |\n");
    for role in [Role::Operator, Role::Admin] {
        let deeds = Deed::ALL.iter().filter(|deed| deed.role() == role);
        let words: Vec<&str> = deeds.map(|deed| deed.word()).collect();
        let _ = writeln!(table, "| `{}` | {} |", role.word(), words.join(", "));
    }
    table
}

#[test]
fn the_tables_of_keys_and_roles_are_the_programs() {
    let mut table = String::from("| key | does |\n|---|---|\n");
    for binding in KEYS {
        let keys: Vec<String> = binding.keys.iter().map(|key| format!("`{key}`")).collect();
        let _ = writeln!(table, "| {} | {} |", keys.join(" "), Keymap::default().say(binding.help));
    }
    let readme = std::fs::read_to_string(root("README.md")).unwrap();
    keep("README.md", &between(&between(&readme, "keys", &table), "roles", &roles()));
}
