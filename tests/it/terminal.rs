//! The real binary in a real terminal (a pseudo-terminal read by an emulator): what a person sees,
//! what keys do, and how the terminal is left.

use super::common::{PATIENCE, Target, wait_for};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn size(cells: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(cells).unwrap()
}

/// Each cell with how it looks, a line a row.
pub fn looks(screen: &vt100::Screen) -> Vec<String> {
    let (rows, columns) = screen.size();
    let cell = |row: u16, column: u16| {
        let Some(cell) = screen.cell(row, column) else { return String::new() };
        let text = if cell.has_contents() { cell.contents() } else { " " };
        format!("{text}{:?}{:?}{}{}", cell.fgcolor(), cell.bgcolor(), cell.bold(), cell.inverse())
    };
    (0..rows.get()).map(|row| (0..columns.get()).map(|column| cell(row, column)).collect()).collect()
}

/// Takes bytes in as a terminal does.
pub type Feed = Box<dyn FnMut(&[u8]) + Send>;

/// Carries what a program writes as it comes.
fn at_once(mut output: Box<dyn std::io::Read + Send>, mut feed: Feed) {
    let mut chunk = vec![0_u8; 65_536];
    while let Ok(read @ 1..) = output.read(&mut chunk) {
        feed(&chunk[..read]);
    }
}

/// A terminal with a program in it.
pub struct Terminal {
    parser: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
    keys: Box<dyn std::io::Write + Send>,
    master: Option<Box<dyn MasterPty + Send>>,
    child: Box<dyn Child + Send + Sync>,
}

impl Terminal {
    /// Starts the binary in a terminal of this size.
    pub fn start(data: &Path, args: &[&str], rows: u16, cols: u16) -> Self {
        Self::start_with(data, args, &[], rows, cols)
    }

    /// The same with more in the environment.
    pub fn start_with(data: &Path, args: &[&str], env: &[(&str, &str)], rows: u16, cols: u16) -> Self {
        Self::start_over(data, args, env, (rows, cols), at_once)
    }

    /// The same with something in between that carries what the program writes to the screen.
    pub fn start_over(
        data: &Path,
        args: &[&str],
        env: &[(&str, &str)],
        (rows, cols): (u16, u16),
        carry: impl FnOnce(Box<dyn std::io::Read + Send>, Feed) + Send + 'static,
    ) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_pointsman"));
        command.args(args);
        command.env("POINTSMAN_DATA", data);
        // Nobody's own themes.
        command.env("XDG_CONFIG_HOME", data.join("own"));
        Self::of(command, env, (rows, cols), carry)
    }

    /// A shell in a terminal, with a line typed into it.
    pub fn shell(line: &str, rows: u16, cols: u16) -> Self {
        let mut command = CommandBuilder::new("bash");
        command.args(["--norc", "--noprofile", "--noediting", "-i"]);
        let mut terminal = Self::of(command, &[("PS1", "$ ")], (rows, cols), at_once);
        terminal.expect("$ ");
        terminal.keys(&format!("{line}\r"));
        terminal
    }

    fn of(
        mut command: CommandBuilder,
        env: &[(&str, &str)],
        (rows, cols): (u16, u16),
        carry: impl FnOnce(Box<dyn std::io::Read + Send>, Feed) + Send + 'static,
    ) -> Self {
        let pty =
            native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        for name in ["NO_COLOR", "SSH_CONNECTION", "COLORTERM", "TMUX", "STY", "POINTSMAN_LISTEN"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env("USER", "anna");
        for (name, value) in env {
            command.env(name, value);
        }
        let child = pty.slave.spawn_command(command).unwrap();
        let output = pty.master.try_clone_reader().unwrap();
        let keys = pty.master.take_writer().unwrap();
        let parser = Arc::new(Mutex::new(vt100::Parser::new(size(rows), size(cols), 0)));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let (screen, bytes) = (parser.clone(), raw.clone());
        let feed: Feed = Box::new(move |read| {
            bytes.lock().unwrap().extend_from_slice(read);
            screen.lock().unwrap().process(read);
        });
        std::thread::spawn(move || carry(output, feed));
        Self { parser, raw, keys, master: Some(pty.master), child }
    }

    /// What is on the screen.
    pub fn text(&self) -> String {
        self.parser.lock().unwrap().screen().contents()
    }

    /// What stands in each cell, row by row; the second half of a wide letter is empty.
    pub fn cells(&self) -> Vec<Vec<String>> {
        let parser = self.parser.lock().unwrap();
        let screen = parser.screen();
        let (rows, cols) = screen.size();
        let cell =
            |row, col| screen.cell(row, col).map(|cell| cell.contents().to_owned()).unwrap_or_default();
        (0..rows.get()).map(|row| (0..cols.get()).map(|col| cell(row, col)).collect()).collect()
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the screen fulfils a condition; panics with the screen where it does not.
    pub fn until(&self, what: &str, condition: impl Fn(&str) -> bool) -> String {
        self.until_within(PATIENCE, what, condition)
    }

    /// The same for what takes its time on a slow machine; the condition may look at every screen.
    pub fn until_long(&self, what: &str, condition: impl FnMut(&str) -> bool) -> String {
        self.until_within(PATIENCE * 6, what, condition)
    }

    fn until_within(&self, most: Duration, what: &str, mut condition: impl FnMut(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let text = self.text();
            if condition(&text) {
                return text;
            }
            assert!(start.elapsed() < most, "waited for {what}; the screen is\n{text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a text is on the screen.
    pub fn expect(&self, text: &str) -> String {
        self.until(&format!("{text:?}"), |screen| screen.contains(text))
    }

    /// Waits until nothing more is written; what is on the screen then.
    pub fn settled(&self) -> String {
        let (mut before, mut quiet) = (self.written(), 0);
        wait_for("the screen to settle", || {
            let now = self.written();
            quiet = if now == before { quiet + 1 } else { 0 };
            before = now;
            (quiet > 10).then_some(())
        });
        self.text()
    }

    /// Waits until nothing more is written, or so many looks at it were taken.
    pub fn settled_or(&self, most: usize) {
        let (mut before, mut quiet) = (self.written(), 0);
        for _ in 0..most {
            std::thread::sleep(Duration::from_millis(20));
            let now = self.written();
            quiet = if now == before { quiet + 1 } else { 0 };
            before = now;
            if quiet > 10 {
                return;
            }
        }
    }

    /// Waits until nothing was written for so long.
    pub fn still(&self, long: Duration) {
        let (start, mut written, mut since) = (Instant::now(), self.written(), Instant::now());
        while since.elapsed() < long {
            std::thread::sleep(Duration::from_millis(20));
            let now = self.written();
            if now != written {
                let last = self.raw()[written..now].escape_ascii().to_string();
                assert!(start.elapsed() < PATIENCE, "still writing; the last was {last}");
                (written, since) = (now, Instant::now());
            }
        }
    }

    /// Whether the program has not ended.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end of the program; its exit code.
    pub fn ended(&mut self) -> u32 {
        wait_for("the program to end", || self.child.try_wait().unwrap()).exit_code()
    }

    /// Another size.
    pub fn resize(&self, rows: u16, cols: u16) {
        self.parser.lock().unwrap().screen_mut().set_size(size(rows), size(cols));
        let master = self.master.as_ref().unwrap();
        master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// Whether the mouse is taken.
    pub fn mouse(&self) -> bool {
        let parser = self.parser.lock().unwrap();
        parser.screen().mouse_protocol_mode() != vt100::MouseProtocolMode::None
    }

    /// Whether the alternate screen is shown.
    pub fn alternate(&self) -> bool {
        self.parser.lock().unwrap().screen().alternate_screen()
    }

    /// Every byte that was written so far.
    pub fn raw(&self) -> Vec<u8> {
        self.raw.lock().unwrap().clone()
    }

    /// What is on the screen with how it looks.
    pub fn looks(&self) -> Vec<String> {
        looks(self.parser.lock().unwrap().screen())
    }

    /// How many bytes were written so far.
    pub fn written(&self) -> usize {
        self.raw.lock().unwrap().len()
    }

    /// Asserts that the terminal is as it was.
    pub fn restored(&self) {
        wait_for("the last bytes", || {
            let parser = self.parser.lock().unwrap();
            let screen = parser.screen();
            let whole = !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None;
            whole.then_some(())
        });
        let raw = self.raw.lock().unwrap();
        let count = |what: &[u8]| raw.windows(what.len()).filter(|window| *window == what).count();
        assert_eq!(count(b"\x1b[?2026h"), count(b"\x1b[?2026l"), "every synchronized update is ended");
        assert_eq!(count(b"\x1b[?1004h") > 0, count(b"\x1b[?1004l") > 0, "focus events are switched off");
    }

    /// The program's process id.
    pub fn pid(&self) -> String {
        self.child.process_id().unwrap().to_string()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: &str) {
        std::process::Command::new("kill").args([&format!("-{signal}"), &self.pid()]).status().unwrap();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a console gets to its desk: a person must not be able to tell.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// In its own process.
    Run,
    /// Through the socket of a server.
    Attached,
}

impl Way {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Run, Self::Attached];

    /// A console on a data folder that is served at an address, and what serves it beside the console.
    pub fn console(self, data: &Path, addr: SocketAddr, rows: u16, cols: u16) -> (Terminal, Option<Beside>) {
        self.console_with(data, addr, &[], rows, cols)
    }

    /// The same with more in the environment of the console.
    pub fn console_with(
        self,
        data: &Path,
        addr: SocketAddr,
        env: &[(&str, &str)],
        rows: u16,
        cols: u16,
    ) -> (Terminal, Option<Beside>) {
        let addr = addr.to_string();
        match self {
            Self::Run => (Terminal::start_with(data, &["run", "--listen", &addr], env, rows, cols), None),
            Self::Attached => {
                let server = Beside::start(data, &["serve", "--listen", &addr]);
                (Terminal::start_with(data, &["attach"], env, rows, cols), Some(server))
            }
        }
    }
}

/// A process beside the terminal; it ends with the test.
pub struct Beside(std::process::Child);

impl Beside {
    /// Starts the binary, and waits until it answers on its socket.
    pub fn start(data: &Path, args: &[&str]) -> Self {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pointsman"));
        command.args(args).env("POINTSMAN_DATA", data).env("USER", "anna").env_remove("POINTSMAN_LISTEN");
        command.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let process = command.spawn().unwrap();
        wait_for("the socket", || std::os::unix::net::UnixStream::connect(data.join("socket")).ok());
        Self(process)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Receiver, runner and console at any port.
pub const RUN: &[&str] = &["run", "--listen", "127.0.0.1:0"];

#[test]
fn an_empty_store_says_what_to_do_and_q_leaves_the_terminal_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(folder.path(), RUN, 24, 80);
    let screen = terminal.expect("Receiving on");
    assert!(screen.contains("pointsman apply") && screen.contains('q'), "{screen}");
    assert!(terminal.parser.lock().unwrap().screen().alternate_screen());
    terminal.keys("q");
    terminal.expect("Quitting stops the receiver");
    terminal.keys("\x1b[C\r");
    assert_eq!(terminal.ended(), 0);
    terminal.restored();
}

#[test]
fn idle_writes_nothing() {
    /// Longer than the longest time after which the program looks at its figures again.
    const STILL: Duration = Duration::from_secs(6);
    let folder = tempfile::tempdir().unwrap();
    let terminal = Terminal::start(folder.path(), RUN, 50, 160);
    terminal.expect("Receiving on");
    // What the start still finds out (the self-probe, the first commits' times) may be written.
    // A program that writes by itself never comes to a stretch this long.
    terminal.still(STILL);
}

#[test]
fn the_terminal_is_restored_after_every_way_out() {
    for signal in ["TERM", "HUP", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let mut terminal = Terminal::start(folder.path(), RUN, 24, 80);
        terminal.expect("Receiving on");
        terminal.signal(signal);
        terminal.ended();
        terminal.restored();
    }
    // An error before the first frame: the address is taken.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(folder.path(), &["run", "--listen", &addr], 24, 80);
    assert_eq!(terminal.ended(), 1);
    terminal.restored();
    assert!(terminal.text().contains("cannot be listened on"), "{}", terminal.text());
}

#[test]
fn a_terminal_that_hangs_up_ends_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(folder.path(), RUN, 24, 80);
    terminal.expect("Receiving on");
    drop(terminal.master.take());
    terminal.keys = Box::new(std::io::sink());
    terminal.signal("HUP");
    assert_eq!(terminal.ended(), 0, "nothing is left to be told, and nobody to be told");
}

#[test]
fn resizes_are_followed_down_to_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = Terminal::start(folder.path(), RUN, 50, 160);
    terminal.expect("Receiving on");
    for (rows, cols, text) in
        [(6, 32, "40x8"), (24, 80, "Receiving on"), (8, 40, "q"), (60, 200, "Receiving on")]
    {
        terminal.resize(rows, cols);
        terminal.expect(text);
    }
}

/// The states and verdicts that a newcomer sees within ten seconds of `demo`; an errored step is
/// retried and another skipped from the keyboard.
#[test]
fn the_demo_shows_everything_and_obeys_the_keyboard() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(folder.path(), DEMO, 50, 160);
    everything_is_seen_and_obeyed(&mut terminal);
}

#[test]
fn the_demo_is_the_same_from_an_attached_console_and_goes_on_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let args = [DEMO, &["--headless", "--data", folder.path().to_str().unwrap()]].concat();
    let mut server = Beside::start(folder.path(), &args);
    let mut terminal = Terminal::start(folder.path(), &["attach"], 50, 160);
    terminal.expect("attached anna@");
    everything_is_seen_and_obeyed(&mut terminal);
    // It quits at once, and the server goes on.
    terminal.keys("qq");
    assert_eq!(terminal.ended(), 0);
    terminal.restored();
    assert!(server.0.try_wait().unwrap().is_none());
}

/// Everything against the built-in target.
const DEMO: &[&str] = &["demo", "--listen", "127.0.0.1:0"];

fn everything_is_seen_and_obeyed(terminal: &mut Terminal) {
    terminal.expect("Live");
    let wanted = ["accepted", "duplicate", "rejected", "succeeded", "retrying", "waiting", "errored"];
    // Seen at once is not asked for: seen at all is.
    let seen = std::cell::RefCell::new(std::collections::BTreeSet::<&str>::new());
    terminal.until("every verdict and state", |screen| {
        seen.borrow_mut().extend(wanted.iter().filter(|word| screen.contains(**word)));
        seen.borrow().len() == wanted.len()
    });
    // Runs; the view without groups; only the errored ones.
    terminal.keys("3");
    terminal.expect("Runs");
    terminal.keys("/state:errored\r");
    terminal.until("an errored run", |screen| screen.contains("! errored"));
    terminal.keys("\r");
    terminal.until("its timeline", |screen| screen.contains("Timeline"));
    terminal.keys("r");
    terminal.until("the facts of the retry", |screen| {
        screen.contains("Retry ") && !screen.contains("asking the store")
    });
    terminal.keys("\r");
    terminal.until("the retry to be done", |screen| screen.contains("Retried"));
    // The retried one may have succeeded: the newest errored one is asked for until there is one.
    terminal.keys("3");
    wait_for("an errored run to skip", || {
        terminal.keys("G");
        std::thread::sleep(Duration::from_millis(300));
        let chosen = |line: &str| line.starts_with('▌') && line.contains("! errored");
        terminal.text().lines().any(chosen).then_some(())
    });
    terminal.keys("s");
    terminal.until("the facts of the skip", |screen| {
        screen.contains("Skip ") && !screen.contains("asking the store")
    });
    terminal.keys("\r");
    terminal.until("the skip to be done", |screen| screen.contains("Skipped"));
}

#[test]
fn hostile_text_is_shown_and_never_obeyed() {
    Way::BOTH.into_iter().for_each(hostile_text);
}

fn hostile_text(way: Way) {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::fine();
    let document = format!(
        "name = \"hostile\"\n[[flow]]\nname = \"In\"\n[flow.trigger]\ntype = \"webhook\"\npath = \"in\"\nauth = {{ type = \"none\" }}\n[[flow.step]]\nname = \"push\"\ntype = \"request\"\nurl = \"{}\"\n",
        target.url()
    );
    let path = folder.path().join("hostile.toml");
    std::fs::write(&path, document).unwrap();
    let data = folder.path().join("data");
    let applied = std::process::Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .args(["apply", path.to_str().unwrap(), "--data", data.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    let addr = super::common::free();
    let (mut terminal, _server) = way.console(&data, addr, 50, 160);
    terminal.expect("Live");
    let body =
        "{\"title\":\"\\u001b]0;owned\\u0007\\u001b[2J\\u202eevil\",\"k\\u001b[31m\":\"\\u009b31m\\u0000\"}";
    let answer = super::common::call(
        addr,
        "POST",
        "/in/in",
        &[("Content-Type", "application/json"), ("X-Bad", "a\u{202e}b")],
        body.as_bytes(),
    );
    assert_eq!(answer.unwrap().status, 200);
    terminal.expect("accepted");
    terminal.keys("2");
    terminal.expect("‹U+0007›");
    for view in ["v", "v", "v", "\r"] {
        terminal.keys(view);
        std::thread::sleep(Duration::from_millis(150));
    }
    let raw = terminal.raw.lock().unwrap().clone();
    for wrong in
        [&b"\x1b]0;"[..], b"\x1b[2Jevil", b"owned\x07", "\u{202e}".as_bytes(), b"\x9b31m", b"\x1b[31mk"]
    {
        assert!(!raw.windows(wrong.len()).any(|window| window == wrong), "{wrong:?} reached the terminal");
    }
}

/// A sender with a wrong secret, from the refusal to the answer that lets it in again.
#[test]
fn a_refused_signature_is_explained_whole_and_all_like_it_is_one_key_away() {
    Way::BOTH.into_iter().for_each(a_refused_signature);
}

fn a_refused_signature(way: Way) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let cli = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pointsman"));
        let told = command.args(args).args(["--data", data.to_str().unwrap()]).output().unwrap();
        assert!(told.status.success(), "{args:?}: {}", String::from_utf8_lossy(&told.stderr));
        String::from_utf8(told.stdout).unwrap()
    };
    let secret = b"a secret of thirty-two bytes or more";
    let file = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    cli(&["key", "add", "live", "--type", "signature", "--secret-file", &file("secret", secret)]);
    let document = "name = \"pay\"\n[[flow]]\nname = \"Events\"\n[flow.trigger]\ntype = \"webhook\"\npath = \"pay\"\n\
                    auth = { type = \"signature\", provider = \"github\", keys = [\"live\"] }\n";
    cli(&["apply", &file("pay.toml", document.as_bytes())]);
    let addr = super::common::free();
    let (mut terminal, _server) = way.console(&data, addr, 24, 80);
    terminal.expect("Live");
    let body = b"{\"id\": \"evt_1\"}";
    let signed =
        |body: &[u8]| format!("sha256={}", super::senders::hex(&super::senders::mac(secret, &[body])));
    let post = |sent: &[u8], signature: &str| {
        let headers = [("Content-Type", "application/json"), ("X-Hub-Signature-256", signature)];
        super::common::call(addr, "POST", "/in/pay", &headers, sent).unwrap().status
    };
    assert_eq!(post(body, &signed(body)), 200);
    let newline = [&body[..], b"\n"].concat();
    assert_eq!((post(&newline, &signed(body)), post(&newline, &signed(body))), (401, 401));
    terminal.expect("rejected");
    terminal.keys("2");
    terminal.until("the refusal", |screen| screen.contains("was rejected: signature differs"));
    terminal.keys("\r");
    terminal.until("the whole autopsy", |screen| {
        let all: String = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        [
            "X-Hub-Signature-256 does not match the body with key `live` (the only key).",
            "The body matches after removing the final newline: something between the sender and here changes the body.",
            "\u{2717} digest",
            "is the first that differs; the rest is not shown",
            "{\"id\": \"evt_1\"}\u{23ce} 16 bytes",
            "2 since",
        ]
        .iter()
        .all(|told| all.contains(told))
    });
    let right = signed(&newline);
    assert!(!terminal.text().contains(&right[..20]), "{}", terminal.text());
    terminal.keys("o");
    terminal.until("all like it", |screen| screen.contains("following \u{b7} 2 of 3"));
    terminal.keys("d");
    terminal.until("it beside the one that passed", |screen| {
        screen.contains(" beside ") && screen.contains("differ")
    });
}
