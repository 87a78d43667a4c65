//! Pinned columns, values of a path, saved views, earlier filters and written files, with the real
//! binary in a real terminal, in its own process and attached to a server.

use super::common::{House, call, free};
use super::terminal::{Terminal, Way};
use std::net::SocketAddr;

const BODIES: [&str; 6] = [
    r#"{"ref":"main", "n": 59.90, "who": "anna"}"#,
    r#"{"ref":"main", "n": 1e2}"#,
    "{\"ref\":\"main\",\r\n\t\"n\": 12345678901234567890.10}",
    r#"{"ref":"dev", "n": 5}"#,
    r#"{"ref":"dev \u001b[31m\u202e \"x\"\n", "n": 5.0}"#,
    r#"{"ref":"dev", "note": "ümläut ✓", "n": null}"#,
];

fn house() -> House {
    let house = House::new();
    house.apply(
        r#"
name = "shop"
[[flow]]
name = "Push"
[flow.trigger]
type = "webhook"
path = "push"
auth = { type = "none" }
[[flow.step]]
name = "note"
type = "set"
outputs = { ref = "{{ request.body.ref }}" }
"#,
    );
    house
}

fn send_all(addr: SocketAddr) {
    for body in BODIES {
        let json = [("Content-Type", "application/json")];
        assert_eq!(call(addr, "POST", "/in/push", &json, body.as_bytes()).unwrap().status, 200);
    }
}

fn quit(mut terminal: Terminal) {
    terminal.keys("\x1b\x1bqq");
    terminal.until("the end, or its question", |screen| {
        screen.contains("Quitting stops") || !screen.contains("Requests")
    });
    terminal.keys("\x1b[C\r");
    assert_eq!(terminal.ended(), 0);
    terminal.restored();
}

/// Rows in which the pinned path stands before what else is said of the request.
fn columns(screen: &str) -> usize {
    let words: Vec<&str> = screen.split_whitespace().collect();
    words.join(" ").matches("Push main main ·").count()
}

/// On the newest request's `body.ref`.
fn to_ref(terminal: &mut Terminal) {
    terminal.keys("2");
    terminal
        .until("the newest request", |screen| screen.contains("Requests ›") && screen.contains("\"dev\""));
    terminal.keys("\tj");
    terminal.until("its payload has the focus", |screen| screen.contains("p pin"));
}

#[test]
fn a_path_is_pinned_counted_and_filtered_and_is_there_the_next_time() {
    for way in Way::BOTH {
        let house = house();
        let addr = free();
        let (mut terminal, server) = way.console(&house.data(), addr, 40, 140);
        terminal.expect("Requests");
        send_all(addr);
        to_ref(&mut terminal);
        terminal.keys("p");
        terminal.until("the column", |screen| screen.contains("• pinned") && columns(screen) == 3);
        terminal.keys("#");
        terminal.until("the values", |screen| {
            screen.contains("counted 6 of 6") && screen.contains("values in 6 requests")
        });
        terminal.keys("-");
        terminal.until("main is away", |screen| {
            screen.contains("/ body.ref!=main") && !screen.contains(" main ") && screen.contains("dev")
        });
        // What a sender made of quotes, escapes and newlines is filtered as it is.
        terminal.keys("#");
        terminal.expect("counted 3 of 3");
        terminal.keys("j\r");
        let screen = terminal.until("one request", |screen| {
            screen.contains("body.ref~") && screen.matches("✓ accepted").count() == 1
        });
        assert!(!screen.contains('\u{202e}'));
        // A filter that is typed is completed, kept, and made a view.
        terminal.keys("/\x15body.r\t");
        terminal.until("what completes it", |screen| {
            screen.contains("body.ref") && screen.contains("enter takes it")
        });
        terminal.keys("\r=dev\r");
        terminal.until("two requests", |screen| {
            screen.contains("/ body.ref=dev") && screen.matches("✓ accepted").count() == 2
        });
        terminal.keys(":save view\r");
        terminal.expect("Save view");
        terminal.keys("only dev\r");
        terminal.expect("'1 opens only dev");
        terminal.keys("'e");
        terminal.until("the errored runs", |screen| screen.contains("state:errored"));
        terminal.keys("'1");
        terminal.until("the view", |screen| screen.contains("/ body.ref=dev"));
        quit(terminal);
        drop(server);

        let (mut terminal, server) = way.console(&house.data(), addr, 40, 140);
        terminal.expect("Requests");
        terminal.keys("2");
        terminal.until("the column again", |screen| columns(screen) == 3);
        terminal.keys("'");
        terminal.expect("only dev · Requests · body.ref=dev");
        terminal.keys("\x1b");
        terminal.until("the list again", |screen| !screen.contains("one key"));
        terminal.keys("/");
        terminal.expect("enter keeps");
        terminal.keys("\x1b[A");
        terminal.until("the earlier filter", |screen| screen.contains("/ body.ref=dev"));
        terminal.keys("\r");
        terminal.until("two requests", |screen| screen.matches("✓ accepted").count() == 2);
        quit(terminal);
        drop(server);
    }
}

#[test]
fn a_body_is_written_byte_for_byte_and_only_for_its_person() {
    use std::os::unix::fs::PermissionsExt as _;
    for way in Way::BOTH {
        let house = house();
        let addr = free();
        let (mut terminal, server) = way.console(&house.data(), addr, 24, 80);
        terminal.expect("Requests");
        send_all(addr);
        to_ref(&mut terminal);
        // The third of them has bytes that no reader of JSON would write again.
        terminal.keys("\t");
        terminal.keys("kkk");
        terminal.until("the third", |screen| screen.contains("12345678901234567890.10"));
        terminal.keys("\t");
        let file = house.file("there.json", "somebody's");
        let path = file.to_str().unwrap();
        terminal.keys("w");
        terminal.expect("Write a file on this machine");
        terminal.keys(&format!("\t\x15{path}\r"));
        terminal.until("it is there already", |screen| screen.contains("is there already"));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "somebody's");
        terminal.keys("\r");
        terminal.until("what was written", |screen| screen.contains("Wrote "));
        assert_eq!(std::fs::read(&file).unwrap(), BODIES[2].as_bytes());
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        quit(terminal);
        drop(server);
    }
}

#[test]
fn a_pager_gets_what_a_sender_sent_with_nothing_a_terminal_takes() {
    let house = house();
    let addr = free();
    let seen = house.file("seen", "");
    let pager = format!("cat \"$1\" > {}; :", seen.display());
    let args = ["run", "--listen", &addr.to_string()];
    let mut terminal = Terminal::start_with(&house.data(), &args, &[("PAGER", &pager)], 30, 100);
    terminal.expect("Requests");
    send_all(addr);
    to_ref(&mut terminal);
    terminal.keys("\tk\tv");
    terminal.until("the one that would paint", |screen| screen.contains("· flat"));
    terminal.keys("O");
    let text = super::common::wait_for("the pager", || {
        std::fs::read_to_string(&seen).ok().filter(|text| !text.is_empty())
    });
    assert!(text.contains("\"ref\"") && !text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text:?}");
    terminal.until("the console again", |screen| screen.contains("· flat"));
    quit(terminal);
}
