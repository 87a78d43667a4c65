//! The rooms of the house and the arrows between them: a room imports only what the table allows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Room → rooms that it may import. `text` is open to every room.
const MAY: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("model", &[]),
    ("rules", &["model"]),
    ("vault", &["model"]),
    ("feed", &["model"]),
    ("scheduler", &["model", "rules"]),
    ("store", &["model", "rules", "feed", "scheduler"]),
    ("receiver", &["model", "rules", "vault", "store", "feed", "scheduler"]),
    ("runner", &["model", "rules", "vault", "store", "feed", "scheduler"]),
    ("desk", &["model", "rules", "vault", "store", "runner", "feed", "scheduler"]),
    ("demo", &["model"]),
    ("api", &["model", "desk", "feed"]),
    ("session", &["model", "desk", "api", "feed"]),
    ("console", &["model", "rules", "session"]),
    (
        "cli",
        &[
            "model",
            "rules",
            "vault",
            "feed",
            "scheduler",
            "store",
            "receiver",
            "runner",
            "desk",
            "demo",
            "api",
            "session",
            "console",
        ],
    ),
];

/// Files that stand above the rooms.
const ABOVE: &[&str] = &["lib", "main"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn room_of(src: &Path, file: &Path) -> String {
    let first = file.strip_prefix(src).unwrap().components().next().unwrap();
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// Rooms named as `crate::room` (also inside braces: `crate::{a, b::c}`), comments left out.
fn arrows(text: &str) -> Vec<String> {
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            for letter in group.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => rooms.push(std::mem::take(&mut word)),
                    other if depth == 0 => word.push(other),
                    _ => {}
                }
            }
            rooms.push(word);
        } else {
            rooms
                .push(rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect());
        }
    }
    rooms
        .into_iter()
        .map(|room| room.trim().split("::").next().unwrap_or_default().trim().to_owned())
        .filter(|room| !room.is_empty())
        .collect()
}

#[test]
fn no_arrow_that_the_table_does_not_have() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let table: BTreeMap<&str, &[&str]> = MAY.iter().copied().collect();
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut wrong = Vec::new();
    for file in &files {
        let room = room_of(&src, file);
        if ABOVE.contains(&room.as_str()) {
            continue;
        }
        let Some(may) = table.get(room.as_str()) else {
            wrong.push(format!("{}: the room {room} is not in the table", file.display()));
            continue;
        };
        for arrow in arrows(&std::fs::read_to_string(file).unwrap()) {
            let known = table.contains_key(arrow.as_str());
            if known && arrow != room && arrow != "text" && !may.contains(&arrow.as_str()) {
                wrong.push(format!("{}: {room} may not import {arrow}", file.display()));
            }
        }
    }
    assert!(files.len() > 20, "the sources were not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn arrows_are_found_in_every_spelling() {
    let text = "use crate::model::id;\nuse crate::{store, rules::{a, b}};\n// crate::cli\nlet x = crate::desk::new();";
    assert_eq!(arrows(text), ["model", "store", "rules", "desk"]);
}

#[test]
fn no_file_has_grown_past_reading() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let long: Vec<String> = files
        .iter()
        .map(|file| (file, std::fs::read_to_string(file).unwrap().lines().count()))
        .filter(|(_, lines)| *lines > 500)
        .map(|(file, lines)| format!("{}: {lines} lines", file.display()))
        .collect();
    assert!(long.is_empty(), "over 500 lines, find the two concepts in it:\n{}", long.join("\n"));
}

#[test]
fn model_and_rules_know_no_clock_no_dice_and_no_environment() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let banned = [
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
        "std::env",
        "std::fs",
        "fastrand",
        "getrandom",
        "tokio::",
    ];
    let mut wrong = Vec::new();
    for room in ["model", "rules"] {
        let mut files = Vec::new();
        sources(&src.join(room), &mut files);
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            if file.file_name().is_some_and(|name| name == "tests.rs") {
                continue;
            }
            for word in banned {
                if code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word)) {
                    wrong.push(format!("{}: {word}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
