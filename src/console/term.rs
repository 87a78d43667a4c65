//! The terminal, taken and given back: on every way out it is as it was.

use super::tape::Tape;
use crossterm::event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange};
use crossterm::style::{
    Attribute, Color, SetAttribute, SetBackgroundColor, SetForegroundColor, SetUnderlineColor,
    force_color_output,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{Command, cursor, queue};
use std::cell::Cell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, Write};
use std::panic;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use tokio::sync::Notify;

/// The terminal is ours, and must be given back.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// A frame was begun and, as far as is known, not ended.
static OPEN: AtomicBool = AtomicBool::new(false);
/// The person wants the mouse.
static MOUSE: AtomicBool = AtomicBool::new(false);
static PANICS: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());
static PANICKED: Notify = Notify::const_new();
static HOOK: Once = Once::new();

/// Most panics that are kept to be told.
const KEPT: usize = 16;

/// Holds the terminal; gives it back when dropped.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the terminal: raw mode, the alternate screen, bracketed paste, focus events.
    ///
    /// # Errors
    /// Where the terminal refuses; what was done by then is undone.
    pub fn take() -> io::Result<Self> {
        hook();
        // `NO_COLOR` is honoured by the theme: crossterm's own way wipes reverse video.
        force_color_output(true);
        TAKEN.store(true, Ordering::SeqCst);
        let guard = Self(());
        guard.resume()?;
        Ok(guard)
    }

    /// Takes the terminal again after [`restore`].
    ///
    /// # Errors
    /// Where the terminal refuses.
    pub fn resume(&self) -> io::Result<()> {
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        let mut out = io::stdout().lock();
        queue!(out, EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange, cursor::Hide)?;
        if MOUSE.load(Ordering::SeqCst) {
            out.write_all(MOUSE_ON)?;
        }
        out.flush()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back, once, whoever calls first: an unfinished frame is ended, all modes are
/// left, the cursor is shown.
pub fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    // Nothing can be done where the terminal is gone: then there is none to restore.
    if OPEN.swap(false, Ordering::SeqCst) {
        let _ = queue!(out, EndSynchronizedUpdate);
    }
    if MOUSE.load(Ordering::SeqCst) {
        let _ = out.write_all(MOUSE_OFF);
    }
    let _ = queue!(out, DisableFocusChange, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
    let _ = out.flush();
    let _ = disable_raw_mode();
}

/// Presses and the wheel, with places beyond column 223; no movement, which would be a flood.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// Takes the mouse, or leaves it to the terminal; also after the terminal was left and taken again.
///
/// # Errors
/// Where the terminal cannot be written.
pub fn mouse(on: bool) -> io::Result<()> {
    let before = MOUSE.swap(on, Ordering::SeqCst);
    if before == on || !TAKEN.load(Ordering::SeqCst) {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    out.write_all(if on { MOUSE_ON } else { MOUSE_OFF })?;
    out.flush()
}

/// Writes a sequence for the terminal's clipboard, where the terminal is held. It goes out between
/// two frames, since frames are written whole; whether the terminal takes it nobody can know.
///
/// # Errors
/// Where the terminal cannot be written.
pub fn copy(sequence: &str) -> io::Result<()> {
    if !TAKEN.load(Ordering::SeqCst) {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    out.write_all(sequence.as_bytes())?;
    out.flush()
}

thread_local! {
    /// The console itself runs on this thread right now: its panic gives the terminal back, any
    /// other becomes a line on it.
    static HERE: Cell<bool> = const { Cell::new(false) };
}

struct Here;

impl Drop for Here {
    fn drop(&mut self) {
        HERE.set(false);
    }
}

/// Runs the console's own future: a panic inside of it gives the terminal back.
pub async fn here<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        HERE.set(true);
        let _until_then = Here;
        future.as_mut().poll(context)
    })
    .await
}

/// Waits for a panic elsewhere and tells what it said.
pub async fn panic_elsewhere() -> String {
    loop {
        let told = PANICS.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some(text) = told {
            return text;
        }
        PANICKED.notified().await;
    }
}

fn hook() {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if HERE.get() || !TAKEN.load(Ordering::SeqCst) {
                restore();
                return before(info);
            }
            // Text on the alternate screen would tear it: it is told there instead.
            let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
            if panics.len() < KEPT {
                panics.push_back(info.to_string().replace('\n', " "));
            }
            drop(panics);
            PANICKED.notify_one();
        }));
    });
}

/// A writer that brackets each frame as one synchronized update and writes it with one call.
#[derive(Debug)]
pub struct FrameWriter<W: Write> {
    inner: W,
    frame: Vec<u8>,
    /// The frame as it is written, shorter.
    short: Vec<u8>,
    written: Arc<AtomicU64>,
    /// What a frame without a changed cell is: it is not written at all.
    nothing: Vec<u8>,
    /// A write failed, and was told: the terminal is gone, and what comes later goes nowhere. The
    /// library's last words on a terminal that it cannot write end the process.
    gone: bool,
    tape: Tape,
}

/// Bytes of a frame that are kept allocated: a full repaint of 200×50 is about 23 KB.
const FRAME: usize = 64 * 1024;

impl<W: Write> FrameWriter<W> {
    /// Around a writer.
    pub fn new(inner: W) -> Self {
        let nothing = [
            ansi(BeginSynchronizedUpdate),
            ansi(SetForegroundColor(Color::Reset)),
            ansi(SetBackgroundColor(Color::Reset)),
            ansi(SetUnderlineColor(Color::Reset)),
            ansi(SetAttribute(Attribute::Reset)),
            ansi(cursor::Hide),
        ];
        Self {
            inner,
            frame: Vec::with_capacity(FRAME),
            short: Vec::new(),
            written: Arc::default(),
            nothing: nothing.concat(),
            gone: false,
            tape: Tape::default(),
        }
    }

    /// Frames go onto a tape too, while one runs.
    #[must_use]
    pub fn recorded_on(self, tape: Tape) -> Self {
        Self { tape, ..self }
    }

    /// Bytes that were written so far, for whoever counts them.
    pub fn written(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.written)
    }
}

/// Whether a begun frame has nothing but moves and erasures so far.
fn only_erases(frame: &[u8]) -> bool {
    let mut rest = frame.strip_prefix(ansi(BeginSynchronizedUpdate).as_slice()).unwrap_or(frame);
    while let Some(sequence) = rest.strip_prefix(b"\x1b[") {
        let said = sequence.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
        if !matches!(sequence.get(said), Some(b'H' | b'J')) {
            return false;
        }
        rest = &sequence[said + 1..];
    }
    rest.is_empty()
}

fn ansi(command: impl Command) -> Vec<u8> {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = command.write_ansi(&mut text);
    text.into_bytes()
}

impl<W: Write> Write for FrameWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.frame.is_empty() && !bytes.is_empty() {
            self.frame.extend(ansi(BeginSynchronizedUpdate));
        }
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // An empty screen is not shown before what it was emptied for.
        if self.frame.is_empty() || only_erases(&self.frame) {
            return Ok(());
        }
        if self.frame == self.nothing || self.gone {
            self.frame.clear();
            return Ok(());
        }
        self.frame.extend(ansi(EndSynchronizedUpdate));
        self.short.clear();
        super::brief::shorten(&self.frame, &mut self.short);
        std::mem::swap(&mut self.frame, &mut self.short);
        self.written.fetch_add(self.frame.len() as u64, Ordering::Relaxed);
        OPEN.store(true, Ordering::SeqCst);
        let result = self.inner.write_all(&self.frame).and_then(|()| self.inner.flush());
        OPEN.store(result.is_err(), Ordering::SeqCst);
        self.gone = result.is_err();
        self.tape.drawn(&self.frame);
        self.frame.clear();
        self.frame.shrink_to(FRAME);
        self.short.clear();
        self.short.shrink_to(FRAME);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts calls.
    #[derive(Default)]
    struct Calls(Vec<Vec<u8>>, usize);

    impl Write for &mut Calls {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            self.1 += 1;
            Ok(())
        }
    }

    #[test]
    fn a_frame_is_one_bracketed_write_and_one_flush() {
        let mut calls = Calls::default();
        let mut writer = FrameWriter::new(&mut calls);
        for _ in 0..1_000 {
            writer.write_all(b"cell").unwrap();
        }
        writer.flush().unwrap();
        writer.flush().unwrap();
        assert_eq!(writer.written().load(Ordering::Relaxed), 4_000 + 16);
        assert_eq!((calls.0.len(), calls.1), (1, 1));
        assert!(calls.0[0].starts_with(b"\x1b[?2026hcell") && calls.0[0].ends_with(b"cell\x1b[?2026l"));
    }

    #[test]
    fn a_frame_in_which_nothing_changed_is_not_written() {
        force_color_output(true);
        let writer = FrameWriter::new(Vec::new());
        let written = writer.written();
        let mut terminal = ratatui::Terminal::with_options(
            ratatui::backend::CrosstermBackend::new(writer),
            ratatui::TerminalOptions {
                viewport: ratatui::Viewport::Fixed(ratatui::layout::Rect::new(0, 0, 9, 1)),
            },
        )
        .unwrap();
        terminal.draw(|frame| frame.render_widget("hello", frame.area())).unwrap();
        let first = written.load(Ordering::Relaxed);
        assert!(first > 20);
        terminal.draw(|frame| frame.render_widget("hello", frame.area())).unwrap();
        assert_eq!(written.load(Ordering::Relaxed), first);
        terminal.draw(|frame| frame.render_widget("hallo", frame.area())).unwrap();
        assert!(written.load(Ordering::Relaxed) > first);
    }

    #[test]
    fn a_screen_is_emptied_and_drawn_in_one_frame() {
        let mut calls = Calls::default();
        let mut writer = FrameWriter::new(&mut calls);
        // As the library does it: each of them is flushed.
        for part in ["\x1b[1;1H", "\x1b[J", "\x1b[2;1Hhello"] {
            writer.write_all(part.as_bytes()).unwrap();
            writer.flush().unwrap();
        }
        assert_eq!(calls.0, [b"\x1b[?2026h\x1b[1H\x1b[J\x1b[2Hhello\x1b[?2026l"]);
    }

    #[test]
    fn restoring_what_was_not_taken_writes_nothing() {
        assert!(!TAKEN.load(Ordering::SeqCst));
        restore();
        restore();
    }
}
