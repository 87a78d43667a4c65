//! A real terminal for a real program: a pty, and what a person would see in it.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read as _, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A program in a terminal.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    seen: Arc<Mutex<Seen>>,
    /// The program.
    pub child: Box<dyn Child + Send + Sync>,
}

struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

impl Terminal {
    /// Starts a program in a terminal of a size.
    pub fn start(command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let seen = Arc::new(Mutex::new(Seen {
            parser: vt100::Parser::new(cells(rows), cells(columns), 0),
            raw: Vec::new(),
        }));
        let into = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let mut seen = into.lock().unwrap();
                seen.parser.process(&bytes[..count]);
                seen.raw.extend_from_slice(&bytes[..count]);
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Self { master: pair.master, writer, seen, child }
    }

    /// Types bytes.
    pub fn type_in(&mut self, text: &str) {
        self.writer.write_all(text.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Changes the size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.seen.lock().unwrap().parser.screen_mut().set_size(cells(rows), cells(columns));
        self.master.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// What a person sees.
    pub fn screen(&self) -> vt100::Screen {
        self.seen.lock().unwrap().parser.screen().clone()
    }

    /// Every byte that came.
    pub fn raw(&self) -> Vec<u8> {
        self.seen.lock().unwrap().raw.clone()
    }

    /// Waits until the screen is so; prints it where it never is.
    pub fn until(&self, what: &str, is: impl Fn(&vt100::Screen) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let screen = self.screen();
            if is(&screen) {
                return;
            }
            assert!(Instant::now() < end, "never: {what}\n{}", screen.contents());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn the_terminal_shows_what_a_program_writes() {
    let mut command = CommandBuilder::new("sh");
    command.args(["-c", "printf '\\033[?1049h\\033[7mhello\\033[0m'; read x; printf '\\033[?1049l'; exit 3"]);
    let mut terminal = Terminal::start(command, 80, 24);
    terminal.until("hello in reverse", |screen| {
        screen.contents().contains("hello") && screen.cell(0, 0).is_some_and(vt100::Cell::inverse)
    });
    assert!(terminal.screen().alternate_screen());
    terminal.resize(40, 10);
    assert_eq!(terminal.screen().size(), (cells(10), cells(40)));
    terminal.type_in("\r");
    terminal.until("the screen is given back", |screen| !screen.alternate_screen());
    assert_eq!(terminal.child.wait().unwrap().exit_code(), 3);
    assert!(String::from_utf8_lossy(&terminal.raw()).contains("\u{1b}[?1049l"));
}
