//! A document is edited in the console of the real binary: a URL is fixed, tried, deployed; and what
//! was typed survives the end of the process in the middle of it.

use super::common::{Target, call};
use super::terminal::{RUN, Terminal};
use std::path::Path;
use std::process::Command;

fn cli(data: &Path, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
    let told = command.args(args).arg("--data").arg(data).env("USER", "anna").output().unwrap();
    assert!(told.status.success(), "{args:?}: {}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8(told.stdout).unwrap()
}

/// A data folder with a flow whose step posts to a URL that is misspelt.
fn folder(target: &Target) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let document = format!(
        "name = \"acme\"\n\n[[flow]]\nname = \"Orders\"\n\n[flow.trigger]\ntype = \"webhook\"\npath = \"orders\"\n\
         auth = {{ type = \"none\" }}\n\n[[flow.step]]\nname = \"push\"\ntype = \"request\"\n\
         # where orders go\nurl = \"{}/custmers\"\njson = {{ id = \"{{{{ request.body.id }}}}\" }}\n",
        target.url()
    );
    let path = folder.path().join("acme.toml");
    std::fs::write(&path, document).unwrap();
    cli(&folder.path().join("data"), &["apply", path.to_str().unwrap()]);
    folder
}

fn free() -> String {
    super::common::free().to_string()
}

/// Opens the step in the editor, the cursor at the end of its URL.
fn open(terminal: &mut Terminal) {
    terminal.expect("Live");
    terminal.keys("5");
    terminal.expect("Integrations · 1");
    terminal.keys("e");
    terminal.expect("[[flow.step]]");
}

/// `esc` until it is left: first what was found is not marked any more.
fn leave(terminal: &mut Terminal) {
    super::common::wait_for("the editor to be left", || {
        terminal.keys("\x1b");
        terminal.settled().contains("Integrations · 1").then_some(())
    });
}

#[test]
fn a_url_is_fixed_seen_deployed_and_used() {
    let target = Target::fine();
    let folder = folder(&target);
    let (data, listen) = (folder.path().join("data"), free());
    let mut terminal = Terminal::start(&data, &["run", "--listen", &listen], 30, 100);
    terminal.expect("Live");
    let post = || {
        let headers = [("Content-Type", "application/json")];
        call(listen.parse().unwrap(), "POST", "/in/orders", &headers, b"{\"id\": 7}").unwrap().status
    };
    assert_eq!(post(), 200);
    terminal.until("the run", |_| target.arrived().iter().any(|one| one.path == "/custmers"));
    open(&mut terminal);
    terminal.keys("/custmers\r");
    terminal.until("what it would send now", |screen| screen.contains("/custmers   {\"id\":7}"));
    // Typed wrong first: the mistake stands under its line at once.
    terminal.keys("\r\x1b[F\rtimeout = \"10\"");
    terminal.until("the mistake under its line", |screen| {
        let lines: Vec<&str> = screen.lines().collect();
        let at = lines.iter().position(|line| line.contains("timeout = \"10\"")).unwrap_or(0);
        at > 0 && lines[at + 1].contains('^') && lines[at + 1].contains("unit")
    });
    terminal.keys("\x1b");
    terminal.until("reading", |screen| screen.contains("reading"));
    terminal.keys("w");
    terminal.expect("save is not possible: 1 error in line");
    terminal.keys("\r\x7fs\"\x1b");
    terminal.until("no error", |screen| !screen.contains("1 error"));
    terminal.keys("/custmers\r\r\x1b[C\x1b[C\x1b[C\x1b[Cto\x1b");
    terminal.until("what it would send then", |screen| screen.contains("/custtomers   {\"id\":7}"));
    // One letter too many: undone, and done right.
    terminal.keys("z");
    terminal.expect("/custmers   {\"id\":7}");
    terminal.keys("/custmers\r\r\x1b[C\x1b[C\x1b[C\x1b[Co\x1b");
    terminal.expect("/customers   {\"id\":7}");
    terminal.keys("w");
    terminal.expect("acme v2 is kept as a draft");
    terminal.keys("D");
    terminal.until("the plan", |screen| screen.contains("acme v2 would go live instead of v1"));
    terminal.keys("fix the URL\r");
    terminal.until("it is live", |screen| screen.contains("acme v2 is live"));
    assert_eq!(post(), 200);
    terminal.until("the run", |_| target.arrived().iter().any(|one| one.path == "/customers"));
    let text = cli(&data, &["export", "acme"]);
    assert!(text.contains("# where orders go\n") && text.contains("timeout = \"10s\""), "{text}");
    let audit = cli(&data, &["audit", "ls", "--output", "json"]);
    assert!(audit.contains("\"save\"") && audit.contains("fix the URL"), "{audit}");
    leave(&mut terminal);
}

#[test]
fn what_was_typed_is_there_again_after_the_process_was_killed() {
    let target = Target::fine();
    let folder = folder(&target);
    let data = folder.path().join("data");
    let mut terminal = Terminal::start(&data, RUN, 24, 80);
    open(&mut terminal);
    terminal.keys("/custmers\r\r");
    terminal.expect("typing");
    terminal.keys("\x1b[F\r# half of a tho");
    terminal.expect("# half of a tho");
    // It is kept a moment after a pause, and the process ends in the middle of the word.
    super::common::wait_for("it to be kept", || {
        let conn = rusqlite::Connection::open(data.join("pointsman.db")).ok()?;
        let text: String = conn.query_row("SELECT text FROM edit", [], |row| row.get(0)).ok()?;
        text.contains("# half of a tho").then_some(())
    });
    drop(terminal);
    let mut terminal = Terminal::start(&data, RUN, 24, 80);
    open(&mut terminal);
    terminal.until("what was typed", |screen| screen.contains("v1 and 1 change"));
    terminal.keys("/half of\r");
    terminal.expect("# half of a tho");
    terminal.keys("z");
    terminal.until("it is undone by what the last process wrote down", |screen| {
        screen.contains("Undid") && !screen.contains("# half of a tho")
    });
    terminal.keys("Z");
    terminal.expect("# half of a tho");
}

#[test]
fn a_text_goes_to_the_editor_of_the_person_and_the_terminal_comes_back() {
    let target = Target::fine();
    let folder = folder(&target);
    let data = folder.path().join("data");
    let script = folder.path().join("editor.sh");
    // It reads a key of the terminal itself: none of it may be taken by the console.
    std::fs::write(&script, "#!/bin/sh\necho READY\nread answer\nsed -i \"s/custmers/$answer/\" \"$1\"\n")
        .unwrap();
    let call = format!("sh {}", script.display());
    let mut terminal = Terminal::start_with(&data, RUN, &[("EDITOR", &call)], 24, 80);
    open(&mut terminal);
    terminal.keys("O");
    terminal.expect("READY");
    terminal.keys("customers\r");
    terminal.until("the text as it was left", |screen| screen.contains("/customers\""));
    assert!(terminal.text().contains("1 change"), "{}", terminal.text());
    terminal.keys("z");
    terminal.expect("/custmers\"");
    leave(&mut terminal);
    terminal.keys("qq");
    terminal.expect("Quitting stops the receiver");
    terminal.keys("\x1b[C\r");
    assert_eq!(terminal.ended(), 0);
    terminal.restored();
}
