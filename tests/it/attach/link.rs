//! A link that is cut and comes back: what is shown meanwhile, and that nothing is missed.

use super::super::common::{House, Target, call, wait_for};
use super::{Gate, document, shows};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A way to a server that can be cut.
struct Cable {
    addr: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    cut: bool,
    ends: Vec<TcpStream>,
}

impl Cable {
    fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let state: Arc<Mutex<State>> = Arc::default();
        let held = Arc::clone(&state);
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let (Ok(near), Ok(far)) = (near, TcpStream::connect(server)) else { continue };
                let mut state = held.lock().unwrap();
                if state.cut {
                    continue;
                }
                state.ends.extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                drop(state);
                for (from, to) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)] {
                    std::thread::spawn(move || carry(from, to));
                }
            }
        });
        Self { addr, state }
    }

    fn cut(&self) {
        let mut state = self.state.lock().unwrap();
        state.cut = true;
        for end in state.ends.drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    fn mend(&self) {
        self.state.lock().unwrap().cut = false;
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut part = vec![0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut part) {
        if to.write_all(&part[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// Sends that many requests, on a few connections at once.
fn send(house: &House, from: usize, count: usize) {
    let addr = house.addr();
    std::thread::scope(|scope| {
        for part in 0..8 {
            scope.spawn(move || {
                for n in (from..from + count).skip(part).step_by(8) {
                    let body = format!("{{\"n\": {n}}}");
                    let sent = call(
                        addr,
                        "POST",
                        "/in/orders",
                        &[("Content-Type", "application/json")],
                        body.as_bytes(),
                    );
                    assert_eq!(sent.unwrap().status, 200);
                }
            });
        }
    });
}

/// Waits until every run has ended.
fn quiet(gate: &Gate) {
    wait_for("the runs to end", || {
        let open = gate.house.json(&[
            "runs",
            "ls",
            "state:queued or state:running or state:retrying",
            "--limit",
            "1",
        ]);
        open.as_array().unwrap().is_empty().then_some(())
    });
}

#[test]
fn ten_thousand_changes_while_the_link_is_cut_are_all_there_when_it_is_back() {
    // Each request is a change, and its run is up to three: made, begun, ended.
    const MISSED: usize = 3_700;
    let gate = Gate::open();
    let target = Target::fine();
    gate.house.apply(&document(&target.url()));
    let cable = Cable::to(gate.operators);
    let ops = gate.operator("ops", "operator");
    send(&gate.house, 0, 30);
    let mut console = gate.attach_at(cable.addr, &ops, &[], 40, 160);
    console.expect("attached ops@");
    console.keys("3+");
    quiet(&gate);
    console.until("the first runs", |screen| shows(screen, &gate.runs(40)));
    cable.cut();
    console.expect("LINK DOWN");
    // What is shown stays, what would change something is refused, and says since when.
    console.keys("r");
    console.until("the refusal", |screen| screen.contains("retry is not possible: the link is down since"));
    send(&gate.house, 1_000, MISSED);
    quiet(&gate);
    assert!(console.text().contains("LINK DOWN"));
    cable.mend();
    // Whoever does not want to wait for the next try asks for it.
    console.keys("\x12");
    let came = format!("{},{:03} requests came meanwhile", MISSED / 1_000, MISSED % 1_000);
    console.until("what came meanwhile", |screen| screen.contains("link up after") && screen.contains(&came));
    let listed = gate.runs(40);
    console.until("the rows of runs ls", |screen| shows(screen, &listed));
    // By its number, and not by a snapshot.
    let log = gate.house.log();
    let resumed = log
        .lines()
        .rev()
        .find(|line| line.contains("resumed from change"))
        .unwrap_or_else(|| panic!("{log}"));
    println!("{resumed}");
    let missed: usize = resumed.split(", ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((10_000..=pointsman::feed::LOG).contains(&missed), "{resumed}");
    assert!(!log.contains("reads anew"), "{log}");
    // And verbs are there again.
    console.keys("r");
    console.until("a verb's own answer", |screen| screen.contains("the run has succeeded"));
}

#[test]
fn a_server_that_was_killed_and_started_again_is_shown_as_it_is() {
    let gate = Gate::open();
    let target = Target::fine();
    gate.house.apply(&document(&target.url()));
    send(&gate.house, 0, 20);
    let ops = gate.operator("ops", "viewer");
    let mut console = gate.attach(&ops, &[], 40, 160);
    console.keys("3+");
    quiet(&gate);
    console.until("the first runs", |screen| shows(screen, &gate.runs(40)));
    gate.house.kill();
    console.expect("LINK DOWN");
    gate.house.serve();
    send(&gate.house, 100, 7);
    quiet(&gate);
    console.expect("link up after");
    let listed = gate.runs(40);
    console.until("the rows of runs ls", |screen| shows(screen, &listed));
    // Another process has other numbers.
    assert!(gate.house.log().contains("reads anew"), "{}", gate.house.log());
}

#[test]
fn an_operator_that_is_removed_is_cut_off_at_once() {
    let gate = Gate::open();
    gate.house.apply(&document("http://127.0.0.1:9"));
    let ops = gate.operator("ops", "operator");
    let console = gate.attach(&ops, &[], 30, 120);
    console.expect("attached ops@");
    gate.house.run(&["operator", "rm", "ops"]);
    console.expect("LINK DOWN");
    console.expect("ctrl-r asks again");
}
