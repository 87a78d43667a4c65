//! What the README says of the console comes from the program: its picture and its table of keys.
//!
//! `POINTSMAN_WRITE=1 cargo test --test it console::readme` writes both anew.

use super::hand::Hand;
use pointsman::console::action::Action;
use pointsman::console::keymap::KEYS;
use pointsman::console::{picture, svg};
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
fn the_picture_is_what_the_program_draws() {
    let hand = Hand::new(160, 48);
    keep("tests/pictures/live.svg", &svg(&picture(&hand.app), &hand.app.theme));
}

#[test]
fn the_table_of_keys_is_the_keymap() {
    let mut table = String::from("| key | does |\n|---|---|\n");
    for binding in KEYS.iter().filter(|binding| !matches!(binding.action, Action::Later(_))) {
        let keys: Vec<String> = binding.keys.iter().map(|key| format!("`{key}`")).collect();
        let _ = writeln!(table, "| {} | {} |", keys.join(" "), binding.help);
    }
    let readme = std::fs::read_to_string(root("README.md")).unwrap();
    let (head, rest) = readme.split_once("<!-- keys -->\n").unwrap();
    let (_, tail) = rest.split_once("<!-- /keys -->").unwrap();
    keep("README.md", &format!("{head}<!-- keys -->\n\n{table}\n<!-- /keys -->{tail}"));
}
