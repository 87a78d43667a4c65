//! The console recorded into a file, in a real terminal: what is played is what was seen, and nothing
//! that was typed behind a mask is in it.

use super::common::{House, wait_for};
use super::terminal::{RUN, Terminal, looks};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// What a player shows at the end, with how it looks, and the sizes on the way.
fn played(file: &Path) -> (String, Vec<String>, Vec<String>) {
    let text = std::fs::read_to_string(file).unwrap();
    let mut lines = text.lines();
    let head: serde_json::Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    let cells = |n: u64| std::num::NonZeroU16::new(u16::try_from(n).unwrap()).unwrap();
    let (width, height) = (head["width"].as_u64().unwrap(), head["height"].as_u64().unwrap());
    assert_eq!((head["version"].as_u64(), head["title"].as_str()), (Some(2), Some("Pointsman")));
    let mut parser = vt100::Parser::new(cells(height), cells(width), 0);
    let (mut sizes, mut before) = (Vec::new(), 0.0);
    for line in lines {
        let (at, kind, data): (f64, String, String) = serde_json::from_str(line).unwrap();
        assert!(at >= before, "time goes on");
        before = at;
        match kind.as_str() {
            "o" => parser.process(data.as_bytes()),
            "r" => {
                let (columns, rows) = data.split_once('x').unwrap();
                parser.screen_mut().set_size(cells(rows.parse().unwrap()), cells(columns.parse().unwrap()));
                sizes.push(data);
            }
            other => panic!("{other} is not recorded"),
        }
    }
    (parser.screen().contents(), looks(parser.screen()), sizes)
}

#[test]
fn a_recording_plays_to_the_screen_that_was_seen_last() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("a.cast"));
    let args = ["--record", file.to_str().unwrap()];
    let mut terminal = Terminal::start(&data, &[RUN, &args].concat(), 24, 80);
    terminal.expect("Receiving on");
    terminal.expect(" rec ");
    terminal.keys("?");
    terminal.expect("Help");
    terminal.resize(40, 120);
    terminal.until("its rows", |screen| screen.lines().nth(39).is_some_and(|row| row.contains("? help")));
    terminal.keys("\x1b");
    terminal.until("the help to close", |screen| !screen.contains("Help"));
    terminal.keys("5TT");
    terminal.expect("No integration yet");
    terminal.keys("qq");
    terminal.expect("Quitting stops the receiver");
    terminal.keys("\x1b[C");
    terminal.settled();
    let (seen, looked) = (terminal.text(), terminal.looks());
    terminal.keys("\r");
    assert_eq!(terminal.ended(), 0);
    terminal.restored();
    let (shown, look, sizes) = played(&file);
    assert_eq!(shown, seen);
    assert_eq!(look, looked);
    assert_eq!(sizes, ["120x40"]);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // It is never written over, and only a console can be recorded.
    let before = std::fs::read(&file).unwrap();
    for args in [&[RUN, &args].concat()[..], &["requests", "ls", "--record", "b.cast"]] {
        let mut terminal = Terminal::start(&data, args, 24, 80);
        assert_eq!(terminal.ended(), 2, "{args:?}");
        terminal.expect("record is not possible");
    }
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn a_recording_begins_and_ends_at_the_palette_and_holds_no_secret() {
    let house = House::new();
    house.apply("name = \"shop\"\n[[variable]]\nname = \"token\"\ntype = \"secret\"\n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b.cast");
    let mut terminal = Terminal::start(&house.data(), RUN, 40, 140);
    terminal.expect("Live");
    terminal.keys(":record\r");
    terminal.expect("Record this session");
    terminal.keys(&format!("\x15{}\r", file.display()));
    terminal.expect("what is drawn, no keys");
    terminal.keys("5");
    terminal.expect("Integrations · 1");
    terminal.keys("G");
    terminal.expect("shop · values");
    terminal.keys("\te");
    terminal.expect("Set token of shop");
    terminal.keys("n3w-s3cret-value");
    terminal.expect("would set token = •••");
    terminal.keys("\r");
    terminal.expect("••• set ");
    terminal.keys(":record\r");
    terminal.expect("Recorded ");
    terminal.keys("2");
    terminal.expect("No request yet");
    let (shown, _, _) = played(&file);
    assert!(shown.contains("••• set ") && shown.contains("shop · values"), "{shown}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("n3w") && !text.contains("s3cret"), "what was typed behind a mask");
    // A second one into the same file is refused, and one that is under way at the end is whole.
    terminal.keys(":record\r");
    terminal.expect("Record this session");
    terminal.keys(&format!("\x15{}\r", file.display()));
    terminal.until("why not", |screen| screen.contains("is there already"));
    terminal.keys("\x1b");
    terminal.until("it to go", |screen| !screen.contains("is there already"));
    let second = folder.path().join("c.cast");
    terminal.keys(":record\r");
    terminal.expect("Record this session");
    terminal.keys(&format!("\x15{}\r", second.display()));
    terminal.expect("what is drawn, no keys");
    let seen = terminal.settled();
    wait_for("the last frame on disk", || (played(&second).0 == seen).then_some(()));
    terminal.signal("KILL");
    terminal.ended();
    assert_eq!(played(&second).0, seen);
}
