//! A tape that is played, a disk that is full or slow, and what a file must be.

use super::*;
use std::os::unix::fs::PermissionsExt as _;
use tokio::sync::mpsc::unbounded_channel;

/// The last screen that a player shows, and the times of its events.
fn played(text: &str) -> (String, Vec<f64>) {
    let mut lines = text.lines();
    let head: serde_json::Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!(head["version"], 2);
    let size = |n: u64| std::num::NonZeroU16::new(u16::try_from(n).unwrap()).unwrap();
    let (width, height) = (head["width"].as_u64().unwrap(), head["height"].as_u64().unwrap());
    let mut parser = vt100::Parser::new(size(height), size(width), 0);
    let mut times = Vec::new();
    for line in lines {
        let (at, kind, data): (f64, String, String) = serde_json::from_str(line).unwrap();
        times.push(at);
        if kind == "o" {
            parser.process(data.as_bytes());
        } else {
            let (columns, rows) = data.split_once('x').unwrap();
            parser.screen_mut().set_size(size(rows.parse().unwrap()), size(columns.parse().unwrap()));
        }
    }
    (parser.screen().contents(), times)
}

#[test]
fn what_was_drawn_is_played_again_with_its_times_and_sizes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.cast");
    let (file, path) = open(path.to_str().unwrap()).unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let tape = Tape::default();
    tape.drawn(b"before it began");
    let (told, mut news) = unbounded_channel();
    tape.begin(file, &path, (20, 3), 1_795_008_715_120, told).unwrap();
    assert!(tape.runs());
    tape.drawn("\x1b[1;1Hhé\u{2713} \"quoted\"\\".as_bytes());
    thread::sleep(Duration::from_millis(30));
    tape.sized(30, 4);
    tape.drawn(b"\x1b[4;25Hend");
    tape.finish();
    tape.drawn(b"after it ended");
    assert!(!tape.runs());
    let text = std::fs::read_to_string(&path).unwrap();
    let (screen, times) = played(&text);
    assert!(
        screen.contains("hé✓ \"quoted\"\\") && screen.contains("end") && !screen.contains("it"),
        "{screen}"
    );
    assert!(times.is_sorted() && times[2] - times[1] >= 0.03, "{times:?}");
    assert!(text.starts_with('{') && text.lines().next().unwrap().contains("\"timestamp\":1795008715"));
    let News::Recorded(ended) = news.try_recv().unwrap() else { panic!("nothing told") };
    assert_eq!((ended.trouble, ended.bytes), (None, text.len() as u64));
}

#[test]
fn nothing_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.cast");
    std::fs::write(&path, "mine").unwrap();
    let error = open(path.to_str().unwrap()).unwrap_err();
    assert!(refused("a.cast", &error).contains("a.cast is there already"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    assert!(refused("x", &open("/no/such/folder/x").unwrap_err()).contains("cannot be made"));
}

/// A disk with so many bytes left.
#[derive(Clone)]
struct Disk(Arc<Mutex<Vec<u8>>>, usize);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut held = self.0.lock().unwrap();
        let room = self.1 - held.len();
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = bytes.len().min(room);
        held.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Out for Disk {
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.0.lock().unwrap().truncate(usize::try_from(bytes).unwrap());
        Ok(())
    }
}

#[test]
fn a_full_disk_ends_it_with_whole_lines_and_the_frames_go_on() {
    let disk = Disk(Arc::default(), 1_000);
    let tape = Tape::default();
    let (told, mut news) = unbounded_channel();
    tape.begin_on(disk.clone(), Path::new("a.cast"), (20, 3), 0, told).unwrap();
    let ended = loop {
        tape.drawn(b"\x1b[1;1Hsome text of a frame");
        match news.try_recv() {
            Ok(News::Recorded(ended)) => break ended,
            _ => thread::sleep(Duration::from_millis(1)),
        }
    };
    assert!(ended.trouble.unwrap().contains("no storage space"));
    // The next frame finds that nobody takes it any more.
    tape.drawn(b"x");
    tape.drawn(b"y");
    assert!(!tape.runs());
    let text = String::from_utf8(disk.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.len() as u64, ended.bytes);
    assert!(text.ends_with("]\n") && played(&text).0.contains("some text"), "{text}");
}

/// A disk that answers when it is told to.
struct Slow(Receiver<()>);

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Out for Slow {
    fn cut(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_waits_is_bounded_and_past_it_the_recording_ends() {
    let (go, wait) = std::sync::mpsc::channel();
    let tape = Tape::default();
    let (told, mut news) = unbounded_channel();
    tape.begin_on(Slow(wait), Path::new("a.cast"), (20, 3), 0, told).unwrap();
    let frame = vec![b'x'; 1 << 20];
    let taken = (0..100)
        .take_while(|_| {
            tape.drawn(&frame);
            tape.runs()
        })
        .count();
    assert!((7..=9).contains(&taken), "{taken} MiB wait");
    drop(go);
    let News::Recorded(ended) = news.blocking_recv().unwrap() else { panic!("nothing told") };
    assert_eq!(ended.trouble.as_deref(), Some("the disk is slower than the screen"));
}

#[test]
fn a_recording_has_a_most() {
    let mut writer = Writer::new(Disk(Arc::default(), 10));
    writer.bytes = MOST - 3;
    assert!(writer.line("abc").is_ok());
    assert!(writer.line("a").unwrap_err().to_string().contains("256 MiB"));
}
