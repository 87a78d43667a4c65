//! Every key of the table, on every screen of the real binary: it lives, and each key shows something:
//! another picture, or the sentence that says why not.

use super::common::{House, Target, call, wait_for};
use super::terminal::Terminal;
use pointsman::console::keymap::KEYS;
use std::time::{Duration, Instant};

/// What a terminal sends for a key.
fn bytes(name: &str) -> String {
    match name {
        "enter" => "\r".to_owned(),
        "esc" => "\x1b".to_owned(),
        "tab" => "\t".to_owned(),
        "backtab" => "\x1b[Z".to_owned(),
        "space" => " ".to_owned(),
        "up" => "\x1b[A".to_owned(),
        "down" => "\x1b[B".to_owned(),
        "right" => "\x1b[C".to_owned(),
        "left" => "\x1b[D".to_owned(),
        "home" => "\x1b[H".to_owned(),
        "end" => "\x1b[F".to_owned(),
        "pgup" => "\x1b[5~".to_owned(),
        "pgdn" => "\x1b[6~".to_owned(),
        _ => match name.strip_prefix("ctrl-") {
            Some(letter) => char::from(letter.as_bytes()[0] & 0x1f).to_string(),
            None => name.to_owned(),
        },
    }
}

/// What only a frame with every cell begins with.
const CLEARED: &[u8] = b"\x1b[J";

/// Keys that move: at an end they have nothing to show.
const MOVES: [&str; 16] = [
    "j", "down", "k", "up", "pgdn", "ctrl-d", "pgup", "ctrl-u", "g", "home", "G", "end", "h", "left", "l",
    "right",
];

/// Waits until something is written, at most so long, and then until no more is; whether it was.
fn shown(terminal: &Terminal, before: usize, patience: Duration) -> bool {
    let start = Instant::now();
    while terminal.written() == before {
        if start.elapsed() > patience {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let mut last = terminal.written();
    loop {
        std::thread::sleep(Duration::from_millis(20));
        let now = terminal.written();
        if now == last {
            return true;
        }
        last = now;
    }
}

/// Waits until the whole screen was drawn again: what was typed before has been taken.
fn drawn_anew(terminal: &mut Terminal) {
    let before = terminal.written();
    terminal.keys("\x0c");
    wait_for("a frame on an empty screen", || {
        terminal.raw()[before..].windows(CLEARED.len()).any(|it| it == CLEARED).then_some(())
    });
    terminal.settled_or(20);
}

/// Back to a screen with nothing open.
fn back_to(terminal: &mut Terminal, screen: char) {
    wait_for("the screen", || {
        let text = terminal.text();
        if text.contains(" discard ") {
            // Something was typed into a document: the list of what becomes of it.
            terminal.keys("x");
        } else {
            terminal.keys("\x1b");
        }
        shown(terminal, terminal.written(), Duration::from_millis(50));
        let text = terminal.text();
        let open = text.contains("┌─ ")
            || text.contains("› edit ")
            || text.lines().rev().nth(1).is_some_and(|row| row.starts_with("/ "));
        (!open).then_some(())
    });
    drawn_anew(terminal);
    // `q` goes to the root; there it would ask.
    let at_root = |text: &str| text.lines().nth(1).is_some_and(|row| row.contains(" Live › "));
    if !at_root(&terminal.text()) {
        terminal.keys("q");
        terminal.until("the root", at_root);
    }
    if screen != '1' {
        terminal.keys(&screen.to_string());
        terminal.until("the screen", |text| !at_root(text));
    }
    shown(terminal, terminal.written(), Duration::from_millis(40));
}

#[test]
fn every_key_on_every_screen_shows_something() {
    let target =
        Target::new(
            |arrived| if arrived.body.contains("\"no\":3") { (404, "{}".into()) } else { (200, "{}".into()) },
        );
    let house = House::new();
    house.apply(&format!(
        "name = \"shop\"\n[[flow]]\nname = \"Orders\"\n[flow.trigger]\ntype = \"webhook\"\npath = \"orders\"\nauth = {{ type = \"none\" }}\n\
         [[flow.step]]\nname = \"push\"\ntype = \"request\"\nmethod = \"POST\"\nurl = \"{}/push\"\nretry = {{ attempts = 1 }}\n\
         json = {{ no = \"{{{{ request.body.no }}}}\" }}\n",
        target.url()
    ));
    let addr = super::common::free();
    let env = [("EDITOR", "true"), ("VISUAL", "true")];
    let mut terminal =
        Terminal::start_with(&house.data(), &["run", "--listen", &addr.to_string()], &env, 30, 110);
    terminal.expect("Live");
    for n in 0..6 {
        let json = [("Content-Type", "application/json")];
        let body = format!("{{\"no\":{n}}}");
        assert_eq!(call(addr, "POST", "/in/orders", &json, body.as_bytes()).unwrap().status, 200);
    }
    wait_for("the runs", || (target.arrived().len() == 6).then_some(()));
    let (mut pressed, mut dumb) = (0, Vec::new());
    for screen in '1'..='6' {
        back_to(&mut terminal, screen);
        for name in KEYS.iter().flat_map(|binding| binding.keys) {
            if matches!(*name, "ctrl-z" | "ctrl-c" | "q") {
                // They leave: tested where that is looked at.
                continue;
            }
            let before = terminal.written();
            terminal.keys(&bytes(name));
            pressed += 1;
            let own = name.len() == 1 && name.starts_with(screen);
            let quick = own || MOVES.contains(name);
            let told = shown(
                &terminal,
                before,
                if quick { Duration::from_millis(40) } else { Duration::from_secs(1) },
            );
            // The same sentence as for the key before takes no byte.
            let says = terminal.text().contains(" is not possible: ");
            if !told && !quick && !says {
                println!("nothing: {name} on {screen}");
                dumb.push(format!("{name} on {screen}"));
            }
            assert!(terminal.lives(), "{name} on {screen} ended it");
            let text = terminal.text();
            let crumb = text.lines().nth(1).unwrap_or_default().to_owned();
            let open = text.contains("┌─ ") || crumb.contains("› edit ");
            let typing = text.lines().rev().nth(1).is_some_and(|row| row.starts_with("/ "));
            let elsewhere = name.parse::<u8>().is_ok() && !own;
            if open || typing || elsewhere || matches!(*name, "enter" | "o" | "+" | "v" | "e" | "E") {
                back_to(&mut terminal, screen);
            }
        }
    }
    println!("{pressed} keys");
    assert!(dumb.is_empty(), "these show nothing: {dumb:?}\n{}", terminal.text());
}
