//! What a frame costs: its time at 200×50 before a million requests, and its bytes while requests
//! come in. A plain program that prints medians; `--quick` for a short look.

use pointsman::console::term::FrameWriter;
use pointsman::console::theme::Theme;
use pointsman::console::{App, Options, asks::Effect, draw, key::Key};
use pointsman::model::ask::{Answer, Ask, Changes, Page, Rows};
use pointsman::model::change::Counters;
use pointsman::model::request::Verdict;
use pointsman::model::time::{Ms, rfc3339};
use pointsman::model::view::{RequestView, RunView};
use pointsman::session::Incoming;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::Event;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const NOW: Ms = 1_795_008_715_120;
const MILLION: u64 = 1_000_000;

/// Stands for a million rows: an id is a number, and any page is made when asked for.
fn id(n: u64) -> String {
    format!("0197a2b4-{:04x}-7d30-9f11-{:012x}", n >> 32, n)
}

fn number(id: &str) -> u64 {
    u64::from_str_radix(id.rsplit('-').next().unwrap_or("0"), 16).unwrap_or(0)
}

fn request(n: u64) -> RequestView {
    RequestView {
        id: id(n),
        time: rfc3339(NOW + Ms::try_from(n).unwrap_or(0)),
        integration: "shop-orders".to_owned(),
        flow: "Orders".to_owned(),
        endpoint: "8Zk2mPq0xT4nBv7sLw1RvQ".to_owned(),
        method: "POST".to_owned(),
        path: String::new(),
        verdict: Verdict::ALL[usize::try_from(n % 4).unwrap_or(0)],
        status: Some(200),
        cause: None,
        dedup_key: None,
        duplicate_of: None,
        runs: vec![id(n)],
        size: 300 + n % 9_000,
        actor: None,
        from: None,
        test: false,
        marks: Vec::new(),
        what: format!("order_number {n} · {} products · c.meyer@example.com", n % 7),
        delivery: None,
        pinned: pointsman::model::study::Pinned::new(),
    }
}

fn page(page: &Page, newest: u64) -> Rows<RequestView> {
    let limit = u64::from(page.limit);
    if let Some(after) = &page.after {
        let from = number(after) + 1;
        let to = newest.min(from + limit);
        return Rows {
            rows: (from..to).map(request).collect(),
            next: (to < newest).then(|| id(to)),
            ..Rows::whole(Vec::new())
        };
    }
    let to = page.before.as_deref().map_or(newest, number);
    let from = to.saturating_sub(limit);
    Rows { next: Some(id(from)), ..Rows::whole((from..to).rev().map(request).collect()) }
}

/// A console on a writer that counts.
struct Bench {
    app: App,
    terminal: Terminal<CrosstermBackend<FrameWriter<io::Sink>>>,
    written: Arc<AtomicU64>,
    newest: u64,
}

impl Bench {
    fn new() -> Result<Self, io::Error> {
        let (width, height) = (200, 50);
        let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
        let writer = FrameWriter::new(io::sink());
        let written = writer.written();
        let backend = CrosstermBackend::new(writer);
        let terminal = Terminal::with_options(backend, TerminalOptions { viewport })?;
        let app = App::new(Options::default(), Theme::default(), (width, height), NOW);
        let mut bench = Self { app, terminal, written, newest: MILLION };
        bench.arrive(0, 0);
        bench.serve();
        Ok(bench)
    }

    fn serve(&mut self) {
        for _ in 0..20 {
            for effect in self.app.effects() {
                let Effect::Ask(ticket, ask) = effect else { continue };
                let answer = match &ask {
                    Ask::Requests(asked) => Answer::Requests(page(asked, self.newest)),
                    Ask::Runs(_) | Ask::RunsById { .. } => Answer::Runs(Rows::whole(Vec::<RunView>::new())),
                    Ask::Groups => Answer::Groups { groups: Vec::new() },
                    _ => continue,
                };
                self.app.receive(Incoming::Reply(ticket, Box::new(Ok(answer))));
            }
        }
    }

    fn arrive(&mut self, count: u64, rate: u64) {
        self.newest += count;
        let counters = Counters {
            at: NOW,
            listen: "127.0.0.1:7700".to_owned(),
            probe: Some(None),
            promised: self.newest,
            stored: self.newest,
            accepted: self.newest,
            recent: rate * 10,
            integrations: 1,
            ..Counters::default()
        };
        let changes = Changes { arrived: count, counters: Some(counters), at: NOW, ..Changes::default() };
        self.app.receive(Incoming::Changed(Box::new(changes)));
    }

    fn frame(&mut self) -> Result<(Duration, u64), io::Error> {
        let before = self.written.load(Ordering::Relaxed);
        let start = Instant::now();
        let app = &self.app;
        self.terminal.draw(|frame| draw(app, frame.buffer_mut()))?;
        let took = start.elapsed();
        self.app.flushed();
        Ok((took, self.written.load(Ordering::Relaxed) - before))
    }

    fn press(&mut self, name: &str) {
        if let Some(key) = Key::parse(name) {
            self.app.input(Event::Key(key.event()));
        }
        self.serve();
    }
}

fn median<T: Ord + Copy + Default>(values: &mut [T]) -> T {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::print_stdout, reason = "what a benchmark is for")]
fn main() -> Result<(), io::Error> {
    let frames = if std::env::args().any(|argument| argument == "--quick") { 50 } else { 500 };
    println!("{:<44} {:>10} {:>12}", "200x50, a million requests behind", "median", "bytes/frame");
    let tell = |what: &str, mut act: Box<dyn FnMut(&mut Bench)>| -> Result<(), io::Error> {
        let mut bench = Bench::new()?;
        bench.press("2");
        bench.frame()?;
        let mut times = Vec::new();
        let mut bytes = Vec::new();
        for _ in 0..frames {
            act(&mut bench);
            let (took, written) = bench.frame()?;
            times.push(took);
            bytes.push(written);
        }
        println!("{what:<44} {:>7} us {:>12}", median(&mut times).as_micros(), median(&mut bytes));
        Ok(())
    };
    tell("nothing changed, drawn anyway", Box::new(|_| ()))?;
    tell("one row up", Box::new(|bench| bench.press("k")))?;
    tell("one page up", Box::new(|bench| bench.press("pgup")))?;
    tell(
        "following, 20 new rows a frame",
        Box::new(|bench| {
            bench.arrive(20, 200);
            bench.app.refresh();
            bench.serve();
        }),
    )?;
    tell(
        "following, 500 new rows a frame",
        Box::new(|bench| {
            bench.arrive(500, 5_000);
            bench.app.refresh();
            bench.serve();
        }),
    )?;
    println!();
    println!("{:<44} {:>10}", "bytes a second, ten seconds of traffic", "KB/s");
    for (rate, ssh) in [(200, false), (200, true), (5_000, false), (5_000, true)] {
        for stopped in [false, true] {
            let mut bench = Bench::new()?;
            if stopped {
                bench.press("k");
            }
            bench.frame()?;
            let interval = pointsman::console::pacer::Pacer::new(ssh).interval(true, true);
            let each = u64::try_from(interval.as_millis()).unwrap_or(100);
            let mut bytes = 0;
            for _ in 0..(10_000 / each) {
                bench.arrive(rate * each / 1_000, rate);
                bench.app.refresh();
                bench.serve();
                bytes += bench.frame()?.1;
            }
            let link = if ssh { "over SSH" } else { "local" };
            let state = if stopped { "stopped" } else { "following" };
            let what = format!("{rate} requests/s, {link}, {state}");
            println!("{what:<44} {:>10.1}", bytes as f64 / 10_000.0);
        }
    }
    Ok(())
}
