//! A session as an asciicast (version 2): what is drawn, when, and the sizes, and nothing that is typed.
//!
//! Frames are handed to a thread that writes them, over a queue with a bound: a disk that is slow,
//! full or gone ends the recording and never the console.

use super::aside::News;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

/// Pieces that may wait to be written.
const QUEUE: usize = 4_096;
/// Bytes that may wait to be written.
const WAITING: usize = 8 << 20;
/// Most bytes of a recording: it must not fill the disk that requests are stored on.
pub const MOST: u64 = 256 << 20;
/// How long the end waits for what is still to be written.
const END: Duration = Duration::from_secs(2);

/// How a recording ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its file.
    pub file: String,
    /// Its bytes.
    pub bytes: u64,
    /// How long it is.
    pub lasted: Duration,
    /// Why it did not go on, where nobody ended it.
    pub trouble: Option<String>,
}

/// Where a frame goes beside the terminal, while something is recorded. Clones are the same tape.
#[derive(Debug, Clone, Default)]
pub struct Tape(Arc<Mutex<Option<Running>>>);

#[derive(Debug)]
struct Running {
    pieces: SyncSender<Piece>,
    waiting: Arc<AtomicUsize>,
    begun: Instant,
    over: Arc<Mutex<Option<String>>>,
    ended: Receiver<()>,
}

#[derive(Debug)]
enum Piece {
    Drawn(Duration, Vec<u8>),
    Sized(Duration, u16, u16),
}

/// A new file for a recording, readable by its owner alone; `~/` is the home folder.
///
/// # Errors
/// It is there already, or cannot be made.
pub fn open(path: &str) -> io::Result<(File, PathBuf)> {
    let home =
        path.strip_prefix("~/").and_then(|rest| Some(PathBuf::from(std::env::var_os("HOME")?).join(rest)));
    let path = home.unwrap_or_else(|| PathBuf::from(path));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    Ok((file, path))
}

/// Why a file cannot be recorded into, in words.
#[must_use]
pub fn refused(path: &str, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::AlreadyExists {
        return format!("record is not possible: {path} is there already, and nothing is written over");
    }
    format!("record is not possible: {path} cannot be made: {error}")
}

impl Tape {
    /// Begins: the next frame must be a whole one. What becomes of it is told.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn begin(
        &self,
        file: File,
        path: &Path,
        (columns, rows): (u16, u16),
        at: i64,
        told: UnboundedSender<News>,
    ) -> io::Result<()> {
        self.begin_on(file, path, (columns, rows), at, told)
    }

    fn begin_on(
        &self,
        file: impl Out,
        path: &Path,
        (columns, rows): (u16, u16),
        at: i64,
        told: UnboundedSender<News>,
    ) -> io::Result<()> {
        let head = json!({
            "version": 2, "width": columns, "height": rows, "timestamp": at.div_euclid(1_000),
            "title": "Pointsman", "env": { "TERM": std::env::var("TERM").unwrap_or_default() },
        });
        let (pieces, todo) = sync_channel(QUEUE);
        let (end, ended) = sync_channel::<()>(0);
        let waiting = Arc::<AtomicUsize>::default();
        let over = Arc::<Mutex<Option<String>>>::default();
        let (left, why, name) = (Arc::clone(&waiting), Arc::clone(&over), path.display().to_string());
        thread::Builder::new().name("recording".to_owned()).spawn(move || {
            let _until_here = end;
            let mut writer = Writer::new(file);
            let head = format!("{head}\n");
            let done = writer.line(&head).and_then(|()| writer.all(&todo, &left));
            let trouble = match done {
                Ok(()) => why.lock().unwrap_or_else(PoisonError::into_inner).take(),
                Err(error) => Some(error.to_string()),
            };
            writer.whole();
            let (bytes, lasted) = (writer.bytes, writer.at);
            // Nobody hears it once the console is gone.
            let _ = told.send(News::Recorded(Ended { file: name, bytes, lasted, trouble }));
        })?;
        let running = Running { pieces, waiting, begun: Instant::now(), over, ended };
        // A player has a screen of its own to begin with, as the console has.
        running.push(b"\x1b[?1049h\x1b[?25l\x1b[2J");
        *self.held() = Some(running);
        Ok(())
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A frame was written to the terminal.
    pub fn drawn(&self, frame: &[u8]) {
        let mut held = self.held();
        if let Some(running) = &*held
            && !running.push(frame)
        {
            *held = None;
        }
    }

    /// The terminal has another size.
    pub fn sized(&self, columns: u16, rows: u16) {
        let mut held = self.held();
        if let Some(running) = &*held
            && running.pieces.try_send(Piece::Sized(running.begun.elapsed(), columns, rows)).is_err()
        {
            running.late();
            *held = None;
        }
    }

    /// Whether something is recorded.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.held().is_some()
    }

    /// Ends it; what was drawn by now is still written, and how it ended is told.
    pub fn end(&self) {
        *self.held() = None;
    }

    /// Ends it and waits until all is written, where the disk answers in time.
    pub fn finish(&self) {
        let Some(Running { pieces, ended, .. }) = self.held().take() else { return };
        drop(pieces);
        // Past its time the process ends, and takes the thread with it.
        let _ = ended.recv_timeout(END);
    }
}

impl Running {
    /// Hands a frame over; whether there was room for it. A frame that is left out would spoil all
    /// that come after it.
    fn push(&self, frame: &[u8]) -> bool {
        let waiting = self.waiting.fetch_add(frame.len(), Ordering::Relaxed) + frame.len();
        let fits = waiting <= WAITING;
        let sent = fits && self.pieces.try_send(Piece::Drawn(self.begun.elapsed(), frame.to_vec())).is_ok();
        if !sent {
            self.late();
        }
        sent
    }

    fn late(&self) {
        let mut over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        over.get_or_insert_with(|| "the disk is slower than the screen".to_owned());
    }
}

/// A file that can be made shorter.
trait Out: Write + Send + 'static {
    /// Drops what is after so many bytes.
    fn cut(&mut self, bytes: u64) -> io::Result<()>;
}

impl Out for File {
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)?;
        self.seek(SeekFrom::Start(bytes)).map(|_| ())
    }
}

/// Bytes that are gathered before they are written.
const GATHERED: usize = 64 << 10;

/// Writes lines, and knows how much of them is whole.
struct Writer<W: Out> {
    out: W,
    /// Lines that are not written yet.
    lines: Vec<u8>,
    /// Bytes of whole lines that are written.
    bytes: u64,
    at: Duration,
}

impl<W: Out> Writer<W> {
    fn new(out: W) -> Self {
        Self { out, lines: Vec::with_capacity(GATHERED), bytes: 0, at: Duration::ZERO }
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        let length = u64::try_from(self.lines.len() + line.len()).unwrap_or(u64::MAX);
        if self.bytes.saturating_add(length) > MOST {
            self.through()?;
            return Err(io::Error::other("it has 256 MiB, which is the most"));
        }
        self.lines.extend_from_slice(line.as_bytes());
        if self.lines.len() < GATHERED { Ok(()) } else { self.through() }
    }

    fn through(&mut self) -> io::Result<()> {
        self.out.write_all(&self.lines)?;
        self.out.flush()?;
        self.bytes += u64::try_from(self.lines.len()).unwrap_or(0);
        self.lines.clear();
        self.lines.shrink_to(GATHERED);
        Ok(())
    }

    /// Writes what comes until nothing more will; what is written is on its way to the disk before
    /// the next piece is waited for.
    fn all(&mut self, todo: &Receiver<Piece>, waiting: &AtomicUsize) -> io::Result<()> {
        loop {
            let piece = match todo.try_recv() {
                Ok(piece) => piece,
                Err(TryRecvError::Disconnected) => return self.through(),
                Err(TryRecvError::Empty) => {
                    self.through()?;
                    let Ok(piece) = todo.recv() else { return Ok(()) };
                    piece
                }
            };
            let (at, kind, data) = match piece {
                Piece::Drawn(at, bytes) => {
                    waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
                    (at, "o", String::from_utf8_lossy(&bytes).into_owned())
                }
                Piece::Sized(at, columns, rows) => (at, "r", format!("{columns}x{rows}")),
            };
            self.at = at;
            let data = serde_json::Value::from(data);
            self.line(&format!("[{}.{:06}, \"{kind}\", {data}]\n", at.as_secs(), at.subsec_micros()))?;
        }
    }

    /// Drops half a line at the end: players read whole ones.
    fn whole(&mut self) {
        if !self.lines.is_empty() {
            // A disk that takes nothing may not even take this; then the last line is half.
            let _ = self.out.cut(self.bytes);
        }
    }
}

#[cfg(test)]
mod tests;
