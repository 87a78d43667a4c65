//! How the console looks and is pressed, in a real terminal: colours by what the terminal can, themes
//! of one's own, keys of one's own.

use super::terminal::{RUN, Terminal};
use std::path::Path;

/// Sequences of a kind that were written.
fn has(bytes: &[u8], what: &str) -> bool {
    what.is_empty() || bytes.windows(what.len()).any(|window| window == what.as_bytes())
}

/// Closes what has a text on it; esc and the next key are two keys only with a pause between.
fn esc(terminal: &mut Terminal, text: &str) {
    terminal.keys("\x1b");
    terminal.until(&format!("{text:?} to go"), |screen| !screen.contains(text));
}

fn quit(terminal: &mut Terminal) {
    terminal.keys("q");
    terminal.expect("Quitting stops the receiver");
    terminal.keys("\x1b[C\r");
    assert_eq!(terminal.ended(), 0);
    terminal.restored();
}

/// The parameters of all sequences for colours and attributes.
fn parameters(bytes: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(bytes);
    let parts = text.split("\x1b[").skip(1).filter_map(|rest| {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != ';')?;
        rest[end..].starts_with('m').then(|| rest[..end].to_owned())
    });
    parts.flat_map(|part| part.split(';').filter_map(|n| n.parse().ok()).collect::<Vec<u16>>()).collect()
}

#[test]
fn colours_are_those_that_the_terminal_has() {
    /// What is set, the theme, what must be written (nothing: no colour at all), and what must not.
    type Case<'c> = (&'c [(&'c str, &'c str)], &'c [&'c str], &'c str, &'c [&'c str]);
    let cases: [Case<'_>; 7] = [
        // 24 bits, 256, and the sixteen of the terminal's own.
        (&[("COLORTERM", "truecolor")], &["--theme", "dark"], "38;2;143;206;106", &["38;5;"]),
        (&[("TERM", "xterm-256color")], &["--theme", "dark"], "38;5;113", &["38;2;"]),
        (&[("TERM", "xterm")], &["--theme", "dark"], "32m", &["38;2;", "38;5;"]),
        (&[("TERM", "linux")], &[], "32m", &["38;", "●", "─"]),
        // No colour at all, and what is selected is still in reverse.
        (&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")], &["--theme", "dark"], "", &[]),
        (&[("COLORTERM", "truecolor")], &["--color", "never"], "", &[]),
        (&[("TERM", "dumb")], &[], "", &["●", "─"]),
    ];
    for (env, args, written, not) in cases {
        let folder = tempfile::tempdir().unwrap();
        let mut terminal = Terminal::start_with(folder.path(), &[RUN, args].concat(), env, 24, 80);
        terminal.expect("Receiving on");
        terminal
            .until("the listener to be well", |screen| !screen.contains("? 127") && !screen.contains("? :"));
        // A cursor, and a selected row.
        terminal.keys(":");
        terminal.expect("Palette");
        terminal.settled();
        let bytes = terminal.raw();
        assert!(has(&bytes, written), "{env:?} {args:?}: no {written:?}: {}", bytes.escape_ascii());
        let parameters = parameters(&bytes);
        assert!(parameters.contains(&7), "{env:?} {args:?}: nothing is in reverse");
        let coloured = parameters.iter().any(|n| matches!(n, 30..=38 | 40..=48 | 90..=107));
        assert_eq!(coloured, !written.is_empty(), "{env:?} {args:?}: {parameters:?}");
        for what in not {
            assert!(!has(&bytes, what), "{env:?} {args:?}: {what:?} is written");
        }
        esc(&mut terminal, "Palette");
        quit(&mut terminal);
    }
}

#[test]
fn a_theme_that_does_not_read_is_told_with_its_line_and_another_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let themes = folder.path().join("themes");
    std::fs::create_dir(&themes).unwrap();
    std::fs::write(themes.join("mine.toml"), "inherits = \"dark\"\n\n[roles]\ngodo = { fg = \"red\" }\n")
        .unwrap();
    std::fs::write(themes.join("night.toml"), "[roles]\ngood = { fg = \"#0000ff\" }\n").unwrap();
    let mut terminal = Terminal::start(folder.path(), &[RUN, &["--theme", "mine"]].concat(), 24, 80);
    let told = |screen: &str| {
        let all = screen.replace('│', " ");
        let all: String = all.split_whitespace().collect::<Vec<_>>().join(" ");
        all.contains("mine.toml:4: there is no role \"godo\"; did you mean good?")
    };
    terminal.until("the mistake and its line", told);
    terminal.expect("The theme terminal is in use:");
    esc(&mut terminal, "terminal is in use");
    terminal.keys(":messages\r");
    terminal.until("it among the messages", |screen| screen.contains("Messages") && told(screen));
    // In the list it says why, and the last that read stays; the other of one's own is shown.
    esc(&mut terminal, "Messages");
    terminal.keys(":theme\r");
    terminal.expect("contrast-light");
    terminal.keys("G");
    terminal.until("night", |screen| screen.contains("night") && screen.contains("yours"));
    let from = terminal.written();
    terminal.keys("k");
    terminal.until("why it is not shown", told);
    terminal.keys("\r");
    terminal.expect("theme is not possible");
    // Mended meanwhile: it is read again when it is looked at again.
    std::fs::write(themes.join("mine.toml"), "inherits = \"dark\"\n\n[roles]\ngood = { fg = \"red\" }\n")
        .unwrap();
    esc(&mut terminal, "contrast-light");
    terminal.keys(":theme\rGk");
    terminal.until("mine as it is now", |screen| screen.contains("mine") && !told(screen));
    terminal.settled();
    assert!(has(&terminal.raw()[from..], "38;5;"), "dark is under it");
    terminal.keys("\r");
    terminal.expect("theme mine");
    quit(&mut terminal);
    assert_eq!(kept(folder.path()), "mine");
    // A name that is none is refused before anything starts.
    let mut terminal = Terminal::start(folder.path(), &[RUN, &["--theme", "nope"]].concat(), 24, 80);
    assert_eq!(terminal.ended(), 2);
    terminal.expect("there is no theme of this name: terminal, dark");
}

/// The theme that is kept for the next session.
fn kept(data: &Path) -> String {
    let text = std::fs::read_to_string(data.join("console.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["theme"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_theme_is_shown_as_the_cursor_moves_esc_brings_the_last_back_and_enter_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(folder.path(), RUN, 50, 160);
    terminal.expect("Receiving on");
    terminal.settled();
    let before = terminal.looks();
    assert!(!has(&terminal.raw(), "38;5;"), "the terminal's own colours");
    terminal.keys(":theme\r");
    terminal.expect("contrast-light");
    terminal.keys("j");
    terminal.settled();
    assert!(has(&terminal.raw(), "38;5;"), "dark is shown");
    esc(&mut terminal, "contrast-light");
    terminal.settled();
    assert_eq!(terminal.looks(), before);
    assert!(!folder.path().join("console.json").exists(), "nothing was chosen");
    terminal.keys(":theme\rj\r");
    terminal.expect("theme dark");
    quit(&mut terminal);
    assert_eq!(kept(folder.path()), "dark");
    // The next session has it; T goes on from there.
    let mut terminal = Terminal::start(folder.path(), RUN, 24, 80);
    terminal.expect("Receiving on");
    assert!(has(&terminal.raw(), "38;5;"));
    terminal.keys("T");
    terminal.expect("theme light");
    quit(&mut terminal);
    assert_eq!(kept(folder.path()), "light");
    // What is kept may be garbage.
    std::fs::write(folder.path().join("console.json"), "{\"theme\": [\"").unwrap();
    let mut terminal = Terminal::start(folder.path(), RUN, 24, 80);
    terminal.expect("Receiving on");
    quit(&mut terminal);
}

#[test]
fn a_key_of_ones_own_acts_and_is_shown_where_keys_are() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("config.toml"),
        "[keys]\ntheme = \"ctrl-t\"\nhelp = [\"f1\", \"H\"]\nquit = \"Q\"\nredo = []\n",
    )
    .unwrap();
    let mut terminal = Terminal::start(folder.path(), RUN, 24, 80);
    let screen = terminal.expect("Receiving on");
    let footer = screen.lines().last().unwrap();
    assert!(footer.contains("Q quit") && footer.contains("f1 help"), "{footer}");
    terminal.keys("\x14");
    terminal.expect("theme dark");
    terminal.keys("T");
    terminal.expect("T means nothing here; f1 lists the keys");
    terminal.keys("\x1bOP");
    terminal.expect("Help");
    for (word, key) in [("theme", "ctrl-t"), ("help", "f1 H")] {
        terminal.keys(&format!("/{word}"));
        terminal.expect(key);
        terminal.keys("\x1b");
        terminal.expect("times in");
    }
    esc(&mut terminal, "Help");
    terminal.keys(":keys\r");
    terminal.until("the table by names", |screen| screen.contains("[keys] of the configuration"));
    terminal.keys("G");
    terminal.until("what is one's own", |screen| screen.contains("yours, for T: next theme"));
    esc(&mut terminal, "[keys] of");
    terminal.keys("Q");
    terminal.expect("Quitting stops the receiver");
    terminal.keys("\x1b[C\r");
    assert_eq!(terminal.ended(), 0);
    for (written, told) in [
        ("[keys]\nretry = \"s\"\n", "config.toml:2:9: keys.retry: s is skip already"),
        (
            "[keys]\nrety = \"s\"\n",
            "config.toml:2:8: keys.rety: there is no action \"rety\"; did you mean retry?",
        ),
        ("\n[keys]\nretry = \"ctrl-m\"\n", "config.toml:3:9: keys.retry: ctrl-m is not possible"),
        ("[keys]\nretry = \"meta-x\"\n", "is no key: write a letter"),
        ("[keys]\nretry = 3\n", "a key in quotes or a list of them is expected"),
    ] {
        std::fs::write(folder.path().join("config.toml"), written).unwrap();
        let mut terminal = Terminal::start(folder.path(), RUN, 24, 120);
        assert_eq!(terminal.ended(), 2, "{written}");
        terminal.expect(told);
    }
}

/// A press of the left button at a column and row, from 0.
fn click(column: usize, row: usize) -> String {
    format!("\x1b[<0;{};{}M\x1b[<0;{0};{1}m", column + 1, row + 1)
}

/// Where a text stands on the screen: column and row, from 0.
fn place(screen: &str, text: &str) -> (usize, usize) {
    let found = screen.lines().enumerate().find_map(|(row, line)| {
        let at = line.find(text)?;
        Some((line[..at].chars().count(), row))
    });
    found.unwrap_or_else(|| panic!("{text:?} is nowhere on\n{screen}"))
}

#[test]
fn the_mouse_is_left_alone_until_m_and_given_back_on_every_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(folder.path(), &["demo", "--listen", "127.0.0.1:0"], 30, 100);
    terminal.expect("Live");
    terminal.settled_or(40);
    assert!(!terminal.mouse());
    terminal.keys("m");
    terminal.expect("Mouse on: hold shift to select text. m turns it off.");
    assert!(terminal.mouse());
    // A tab, a pane and a row by a click; the wheel moves what is under it.
    let (column, row) = place(&terminal.text(), "5 Integrations");
    terminal.keys(&click(column + 3, row));
    let on =
        |screen: &str, row: usize| screen.lines().nth(row).is_some_and(|line| line.starts_with('\u{258c}'));
    let screen = terminal.until("the tree", |screen| screen.contains("Integrations · 6"));
    let (_, row) = place(&screen, "Acme ERP");
    terminal.until("its first row", |screen| on(screen, row));
    terminal.keys(&click(6, row + 2));
    let screen = terminal.until("another row", |screen| on(screen, row + 2));
    let (right, under) = place(&screen, " Versions");
    terminal.keys(&click(right + 2, under));
    terminal.until("the focus of the versions", |screen| screen.lines().last().unwrap().contains("its text"));
    terminal.keys(&format!("\x1b[<64;6;{}M", row + 2));
    terminal.until("the first row again", |screen| on(screen, row));
    terminal.keys("m");
    terminal.expect("Mouse off.");
    assert!(!terminal.mouse());
    terminal.keys("m");
    terminal.expect("Mouse on");
    terminal.signal("TERM");
    terminal.ended();
    terminal.restored();
}

#[test]
fn in_the_shell_the_mouse_is_the_shells_and_ours_again_when_we_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let line = format!(
        "{} demo --listen 127.0.0.1:0 --data {}",
        env!("CARGO_BIN_EXE_pointsman"),
        folder.path().join("data").display()
    );
    let mut terminal = Terminal::shell(&line, 30, 100);
    terminal.expect("Live ›");
    terminal.keys("m");
    terminal.until("the mouse", |_| terminal.mouse());
    terminal.keys("\x1a");
    terminal.until("the shell's screen", |_| !terminal.alternate() && !terminal.mouse());
    terminal.keys("fg\r");
    terminal.until("ours again", |_| terminal.alternate() && terminal.mouse());
    terminal.keys("m");
    terminal.expect("Mouse off.");
    assert!(!terminal.mouse());
}

#[test]
fn what_the_console_writes_is_shown_on_demand_and_comes_to_rest() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(folder.path(), RUN, 40, 160);
    terminal.expect("Receiving on");
    assert!(!terminal.text().contains("tty "));
    terminal.keys(":bytes\r");
    let first = |screen: &str, text: &str| screen.lines().next().is_some_and(|row| row.contains(text));
    terminal.until("the figure", |screen| first(screen, "tty ") && first(screen, "KB/s"));
    terminal.until("rest", |screen| first(screen, "tty 0.0KB/s") && !screen.contains("where it has room"));
    terminal.settled();
    let written = terminal.written();
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(terminal.written(), written, "drawing the figure is not what it counts");
    terminal.keys(":bytes\r");
    terminal.until("it to go", |screen| !first(screen, "tty "));
}

#[test]
fn who_did_what_is_listed_and_filtered() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(folder.path(), &["demo", "--listen", "127.0.0.1:0"], 30, 100);
    terminal.expect("Live");
    terminal.keys(":audit\r");
    terminal
        .until("what was done", |screen| screen.contains("Audit ·") && screen.contains("the demo's target"));
    terminal.keys("/verb:set and nobody\r");
    terminal.expect("No entry matches");
    terminal.keys("/\x15verb:\r");
    terminal.until("what is wrong with it", |screen| screen.contains("expected"));
    terminal.keys("\x1b");
    terminal.until("all of them", |screen| screen.contains("the demo's target"));
    terminal.keys("/\x15verb:set\r");
    terminal
        .until("the entries", |screen| screen.contains("/ verb:set") && screen.contains("the demo's target"));
    terminal.keys("\x1b");
    terminal.until("all of them", |screen| !screen.contains("/ verb:set"));
    esc(&mut terminal, "Audit ·");
}

#[test]
fn what_is_copied_goes_through_what_stands_between() {
    for (env, wrapped) in [
        ([("TMUX", ""), ("STY", "")], "\x1b]52;c;"),
        ([("TMUX", "/tmp/tmux-1000/default,1,0"), ("STY", "")], "\x1bPtmux;\x1b\x1b]52;c;"),
        ([("TMUX", ""), ("STY", "1.pts-0.host")], "\x1bP\x1b]52;c;"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut terminal =
            Terminal::start_with(folder.path(), &["demo", "--listen", "127.0.0.1:0"], &env, 30, 100);
        terminal.until("a request", |screen| screen.contains("accepted"));
        terminal.keys("2");
        terminal.until("the list", |screen| screen.contains("Requests ›") && screen.contains("\u{258c}"));
        terminal.keys("y");
        let told = terminal.expect("to the terminal's clipboard, as id.");
        assert_eq!(told.contains("set-clipboard on"), wrapped.contains("tmux"), "{told}");
        assert!(has(&terminal.raw(), wrapped), "{env:?}");
    }
}
