//! A console at the other end of a slow line: 50 KB a second, 200 ms away, while requests come in.
//! Keys are answered, nothing piles up, the last size wins, and it comes back from the shell.

use super::common::{House, Target, call, wait_for};
use super::hostile::only_ours;
use super::terminal::{Beside, Feed, Terminal};
use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Bytes a second.
const RATE: f64 = 50_000.0;
/// How far away.
const LATENCY: Duration = Duration::from_millis(200);
/// As over SSH.
const FAR: [(&str, &str); 1] = [("SSH_CONNECTION", "203.0.113.9 51000 198.51.100.2 22")];

/// Carries bytes as a slow line does.
fn slowly(mut output: Box<dyn Read + Send>, mut feed: Feed) {
    let (far, near) = mpsc::channel::<(Instant, Vec<u8>)>();
    std::thread::spawn(move || {
        while let Ok((at, bytes)) = near.recv() {
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            feed(&bytes);
        }
    });
    let mut part = [0; 512];
    let mut free = Instant::now();
    while let Ok(read @ 1..) = output.read(&mut part) {
        let takes = Duration::from_secs_f64(f64::from(u32::try_from(read).unwrap()) / RATE);
        free = free.max(Instant::now()) + takes;
        if far.send((free + LATENCY, part[..read].to_vec())).is_err() {
            return;
        }
        std::thread::sleep(free.saturating_duration_since(Instant::now()));
    }
}

/// Requests at a steady pace, until it is dropped.
struct Traffic {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicUsize>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Traffic {
    fn to(addr: SocketAddr, a_second: u32) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&sent));
        let thread = std::thread::spawn(move || {
            let mut next = Instant::now();
            while !stopped.load(Ordering::SeqCst) {
                let n = counted.fetch_add(1, Ordering::SeqCst);
                let body =
                    format!("{{\"order_number\": {n}, \"customer\": {{\"email\": \"c{n}@example.com\"}}}}");
                let json = [("Content-Type", "application/json")];
                assert_eq!(call(addr, "POST", "/in/orders", &json, body.as_bytes()).unwrap().status, 200);
                next += Duration::from_secs(1) / a_second;
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
            }
        });
        Self { stop, sent, thread: Some(thread) }
    }

    /// How many were sent, once no more comes.
    fn end(mut self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap();
        self.sent.load(Ordering::SeqCst)
    }
}

fn house(target: &Target) -> (House, SocketAddr) {
    let house = House::new();
    house.apply(&format!(
        "name = \"shop\"\n[[flow]]\nname = \"Orders\"\n[flow.trigger]\ntype = \"webhook\"\npath = \"orders\"\nauth = {{ type = \"none\" }}\n\
         [[flow.step]]\nname = \"push\"\ntype = \"request\"\nmethod = \"POST\"\nurl = \"{}/push\"\n\
         json = {{ no = \"{{{{ request.body.order_number }}}}\" }}\n",
        target.url()
    ));
    let addr = super::common::free();
    (house, addr)
}

/// The screen that is shown, by the crumbs at the end of the second row.
fn shows(screen: &str, name: &str) -> bool {
    let crumbs = screen.lines().nth(1).and_then(|row| row.split_once("6 Overview"));
    crumbs.is_some_and(|(_, crumbs)| crumbs.trim_start().starts_with(name)) && !screen.contains("┌─ ")
}

#[test]
fn keys_are_answered_over_a_slow_line_under_traffic_and_nothing_piles_up() {
    let target = Target::fine();
    let (house, addr) = house(&target);
    let listen = addr.to_string();
    let started = Instant::now();
    let args = ["run", "--listen", &listen];
    let mut terminal = Terminal::start_over(&house.data(), &args, &FAR, (35, 120), slowly);
    terminal.until("the first paint", |screen| shows(screen, "Live") && screen.contains(&listen));
    let first = started.elapsed();
    println!("first paint after {first:?}, {} bytes", terminal.written());
    assert!(first < Duration::from_secs(15), "{first:?}");

    let traffic = Traffic::to(addr, 50);
    let screens = ["Live", "Requests", "Runs", "Callbacks", "Integrations", "Overview"];
    let (mut took, from, begun) = (Vec::new(), terminal.written(), Instant::now());
    for _ in 0..4 {
        for (digit, name) in [(2, 1), (3, 2), (4, 3), (5, 4), (6, 5), (1, 0)] {
            let pressed = Instant::now();
            terminal.keys(&digit.to_string());
            terminal.until(screens[name], |screen| shows(screen, screens[name]));
            took.push(pressed.elapsed().saturating_sub(LATENCY));
        }
        let pressed = Instant::now();
        terminal.keys("?");
        terminal.until("help", |screen| screen.contains("┌─ Help"));
        terminal.keys("\x1b");
        terminal.until("no help", |screen| !screen.contains("┌─ Help"));
        took.push((pressed.elapsed() / 2).saturating_sub(LATENCY));
    }
    let (written, lasted) = (terminal.written() - from, begun.elapsed());
    // On the busiest screen, for a while, and then one key more: what waits unread comes first.
    std::thread::sleep(Duration::from_secs(3));
    let pressed = Instant::now();
    terminal.keys("5");
    terminal.until("Integrations", |screen| shows(screen, "Integrations"));
    let after = pressed.elapsed().saturating_sub(LATENCY);
    terminal.keys("1");
    terminal.until("Live", |screen| shows(screen, "Live"));
    let sent = traffic.end();
    let left = terminal.written();
    wait_for("the last request on the screen", || {
        terminal.text().contains(&format!("= stored {sent}")).then_some(())
    });
    terminal.still(Duration::from_secs(2));
    let left = terminal.written() - left;
    took.sort();
    let (median, most) = (took[took.len() / 2], took[took.len() - 1]);
    println!(
        "{sent} requests; a key takes {median:?} beyond the line, {most:?} at most, {after:?} after 3 s on Live; \
         {written} bytes in {lasted:?}; {left} bytes after the traffic"
    );
    assert!(median < Duration::from_secs(2), "{median:?}");
    assert!(after < Duration::from_secs(4), "{after:?}");
    assert!(left < 64 << 10, "{left} bytes were still to come");
    let raw = terminal.raw();
    only_ours(&raw, 35, 120).unwrap();
    let text = String::from_utf8(raw).unwrap();
    assert_eq!(text.matches("\x1b[?2026h").count(), text.matches("\x1b[?2026l").count());

    // Two hundred sizes within two seconds: the last one is drawn, and drawn whole.
    let mut step = 0_u16;
    for _ in 0..200 {
        step = (step + 7) % 60;
        terminal.resize(10 + step, 40 + 2 * step);
        std::thread::sleep(Duration::from_millis(10));
    }
    terminal.resize(30, 100);
    terminal.until("the last size", |screen| screen.lines().count() <= 30 && screen.contains("? help"));
    terminal.still(Duration::from_secs(1));
    let last = terminal.text();
    terminal.keys("\x0c");
    terminal.still(Duration::from_secs(1));
    assert_eq!(last, terminal.text(), "all of it was drawn");
    assert!(last.lines().last().unwrap().contains("? help"), "{last}");
    terminal.keys("q");
    terminal.expect("Quitting stops the receiver");
    terminal.keys("\x1b[C\r");
    assert_eq!(terminal.ended(), 0);
    terminal.restored();
}

#[test]
fn it_goes_to_the_shell_and_comes_back_while_requests_arrive() {
    let target = Target::fine();
    let (house, addr) = house(&target);
    let _server = Beside::start(&house.data(), &["serve", "--listen", &addr.to_string()]);
    let line = format!("{} attach --data {}", env!("CARGO_BIN_EXE_pointsman"), house.data().display());
    let mut terminal = Terminal::shell(&line, 30, 100);
    terminal.expect("Live");
    let traffic = Traffic::to(addr, 50);
    terminal.keys("2");
    terminal.until("requests", |screen| screen.contains("Requests ›"));
    for _ in 0..3 {
        terminal.keys("\x1a");
        terminal.until("the shell", |screen| screen.contains("Stopped") && !screen.contains("Requests ›"));
        terminal.settled();
        let written = terminal.written();
        std::thread::sleep(Duration::from_millis(600));
        assert_eq!(terminal.written(), written, "nothing is written into the shell");
        terminal.keys("clear; fg\r");
        terminal
            .until("the console again", |screen| screen.contains("Requests ›") && screen.contains("? help"));
    }
    let sent = traffic.end();
    terminal.keys("1");
    terminal.until("what came meanwhile", |screen| screen.contains(&format!(" {sent} = stored")));
    terminal.keys("q");
    terminal.until("the shell", |screen| screen.contains("$ ") && !screen.contains("Needs you"));
    terminal.keys("exit\r");
    assert_eq!(terminal.ended(), 0);
    terminal.restored();

    // A receiver stops with its console: that is told where it is seen.
    let alone = House::new();
    let line = format!(
        "{} run --listen 127.0.0.1:0 --data {}",
        env!("CARGO_BIN_EXE_pointsman"),
        alone.data().display()
    );
    let mut terminal = Terminal::shell(&line, 30, 100);
    terminal.expect("Receiving on");
    terminal.keys("\x1a");
    terminal.until("the shell", |screen| {
        screen.contains("Stopped") && screen.contains("stands still too: senders wait until fg")
    });
    terminal.keys("fg\r");
    terminal.expect("Receiving on");
    drop(terminal);

    // Without a shell there is nowhere to go: it says so, and stays.
    let mut terminal = Terminal::start(&house.data(), &["attach"], 30, 100);
    terminal.expect("Live");
    terminal.keys("\x1a");
    terminal.expect("suspend is not possible: no shell started this console");
    terminal.keys("2");
    terminal.until("it goes on", |screen| screen.contains("Requests ›"));
}
