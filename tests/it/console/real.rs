//! The console in a real terminal: this test program starts itself in a pty, as a console with a
//! session held by hand.

use super::hand::answer;
use super::terminal::Terminal;
use pointsman::console::{Options, run, term};
use pointsman::session::{Incoming, Session};
use portable_pty::CommandBuilder;
use rustix::process::{Pid, Signal, kill_process};
use std::time::Duration;
use tokio::sync::mpsc;

/// The program: what it does is said by a variable.
#[test]
#[ignore = "the other tests start it in a terminal"]
fn program() {
    let Ok(how) = std::env::var("POINTSMAN_TEST_CONSOLE") else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    if how == "panics" {
        let _guard = term::Guard::take().unwrap();
        runtime.block_on(term::here(async { panic!("the console itself") }));
    }
    if how == "panic elsewhere" {
        std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            panic!("a worker");
        });
    }
    let result = runtime.block_on(async {
        let (asks, mut questions) = mpsc::channel(64);
        let (inbox, answers) = mpsc::channel(64);
        tokio::spawn(async move {
            while let Some((ticket, ask)) = questions.recv().await {
                let reply = Incoming::Reply(ticket, Box::new(Ok(answer(&ask, 600))));
                if inbox.send(reply).await.is_err() {
                    return;
                }
            }
        });
        let stops = (how == "stops").then(|| "127.0.0.1:7700".to_owned());
        run(
            Session { asks, inbox: answers, nudge: std::sync::Arc::default() },
            Options { quitting_stops: stops, ..Options::default() },
        )
        .await
    });
    result.unwrap();
}

fn start(how: &str) -> Terminal {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["console::real::program", "--exact", "--ignored", "--nocapture"]);
    command.env("POINTSMAN_TEST_CONSOLE", how);
    command.env("TERM", "xterm-256color");
    Terminal::start(command, 100, 30)
}

fn shown(terminal: &Terminal) {
    terminal.until("the first screen", |screen| {
        screen.contents().contains("Needs you · 2") && screen.contents().contains("body.order_number")
    });
}

fn given_back(terminal: &Terminal) {
    terminal.until("the terminal as it was", |screen| !screen.alternate_screen() && !screen.hide_cursor());
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    for (on, off) in [("[?2004h", "[?2004l"), ("[?1004h", "[?1004l"), ("[?1049h", "[?1049l")] {
        assert_eq!(raw.matches(on).count(), raw.matches(off).count(), "{on} and {off}");
    }
}

#[test]
fn it_draws_follows_keys_and_sizes_and_gives_the_terminal_back() {
    let mut terminal = start("plain");
    shown(&terminal);
    let screen = terminal.screen();
    assert!(screen.alternate_screen() && screen.hide_cursor());
    let selected = (0..30).find(|row| screen.cell(*row, 4).is_some_and(vt100::Cell::inverse));
    assert!(selected.is_some(), "no row is in reverse\n{}", screen.contents());
    terminal.resize(60, 20);
    terminal.until("it fits", |screen| screen.contents().lines().all(|line| line.chars().count() <= 60));
    terminal.resize(100, 30);
    shown(&terminal);
    terminal.type_in("2");
    terminal.until("requests", |screen| screen.contents().contains("Requests › "));
    terminal.type_in("q");
    shown(&terminal);
    terminal.type_in("q");
    given_back(&terminal);
    assert!(terminal.child.wait().unwrap().success());
}

#[test]
fn idle_writes_nothing_and_frames_are_bracketed() {
    let mut terminal = start("plain");
    shown(&terminal);
    terminal.type_in("jkjk");
    // Settled: nothing came for a while.
    let mut before = terminal.raw().len();
    loop {
        std::thread::sleep(Duration::from_millis(400));
        let now = terminal.raw().len();
        if now == before {
            break;
        }
        before = now;
    }
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(terminal.raw().len(), before, "an idle console wrote");
    terminal.type_in("q");
    given_back(&terminal);
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let begins = raw.matches("\u{1b}[?2026h").count();
    assert!(begins > 2 && raw.matches("\u{1b}[?2026l").count() == begins);
    assert!(terminal.child.wait().unwrap().success());
}

#[test]
fn sigterm_and_sighup_give_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP] {
        let mut terminal = start("plain");
        shown(&terminal);
        let pid = i32::try_from(terminal.child.process_id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
        given_back(&terminal);
        assert!(terminal.child.wait().unwrap().success());
    }
}

#[test]
fn its_own_panic_gives_the_terminal_back_and_says_what_happened() {
    let mut terminal = start("panics");
    terminal.until("the panic", |screen| screen.contents().contains("the console itself"));
    given_back(&terminal);
    assert!(!terminal.child.wait().unwrap().success());
}

#[test]
fn a_panic_elsewhere_is_told_and_the_console_goes_on() {
    let mut terminal = start("panic elsewhere");
    terminal.until("it is told", |screen| {
        screen.alternate_screen()
            && screen.contents().contains("a task ended")
            && screen.contents().contains("a worker")
    });
    terminal.type_in("q");
    given_back(&terminal);
    assert!(terminal.child.wait().unwrap().success());
}

#[test]
fn ctrl_z_goes_to_the_shell_and_fg_draws_again() {
    let mut command = CommandBuilder::new("bash");
    command.args(["--norc", "--noprofile", "--noediting", "-i"]);
    command.env("PS1", "$ ");
    command.env("TERM", "xterm-256color");
    let mut terminal = Terminal::start(command, 100, 30);
    terminal.until("a prompt", |screen| screen.contents().contains("$ "));
    let program = std::env::current_exe().unwrap();
    let how = "POINTSMAN_TEST_CONSOLE=plain";
    let what = "console::real::program --exact --ignored --nocapture";
    terminal.type_in(&format!("{how} {} {what}\r", program.display()));
    shown(&terminal);
    terminal.type_in("\u{1a}");
    terminal.until("the shell's screen", |screen| {
        !screen.alternate_screen() && !screen.hide_cursor() && screen.contents().contains("Stopped")
    });
    terminal.type_in("fg\r");
    terminal.until("the console again", vt100::Screen::alternate_screen);
    shown(&terminal);
    terminal.type_in("q");
    given_back(&terminal);
    terminal.type_in("exit\r");
    assert!(terminal.child.wait().unwrap().success());
}

#[test]
fn without_a_shell_ctrl_z_says_so_and_changes_nothing() {
    let mut terminal = start("plain");
    shown(&terminal);
    terminal.type_in("\u{1a}");
    terminal.until("why not", |screen| {
        screen.alternate_screen() && screen.contents().contains("suspend is not possible: no shell")
    });
    terminal.type_in("q");
    given_back(&terminal);
    assert!(terminal.child.wait().unwrap().success());
}

#[test]
fn quitting_what_receives_asks_first() {
    let mut terminal = start("stops");
    shown(&terminal);
    terminal.type_in("q");
    terminal.until("it asks", |screen| {
        screen.contents().contains("Quitting stops the receiver on 127.0.0.1:7700")
    });
    terminal.type_in("\r");
    terminal.until("it stays", |screen| !screen.contents().contains("Quitting stops"));
    terminal.type_in("q");
    terminal.until("it asks again", |screen| screen.contents().contains("[ Stay ]"));
    terminal.type_in("\u{1b}[C");
    terminal.until("the other button", |screen| screen.contents().contains("[ Quit ]"));
    terminal.type_in("\r");
    given_back(&terminal);
    assert!(terminal.child.wait().unwrap().success());
}
