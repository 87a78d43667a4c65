//! Targets that do not answer, over the real binary: they are tried ten times and then one at a time,
//! their runs wait in the store without a further attempt, and nobody else waits with them.

use crate::common::{House, Target, get, wait_for};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Runs of each flow.
const RUNS: i64 = 200;
/// Attempts that open a breaker.
const ROW: usize = 10;

fn flow(name: &str, url: &str, more: &str) -> String {
    format!(
        "[[flow]]\nname = \"{name}\"\n[flow.trigger]\ntype = \"webhook\"\npath = \"{name}\"\n\
         auth = {{ type = \"none\" }}\n[[flow.step]]\nname = \"push\"\ntype = \"request\"\nurl = \"{url}/push\"\n\
         json = {{ n = \"{{{{ request.body.n }}}}\" }}\n{more}\n"
    )
}

/// A document with a flow to a live and one to a dead target.
fn document(live: &str, dead: &str) -> String {
    format!("name = \"shop\"\n{}{}", flow("live", live, ""), flow("dead", dead, "timeout = \"2s\""))
}

fn send(house: &House, flow: &str, n: i64) {
    let answer = house.post(flow, &format!("{{\"n\":{n}}}"));
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn number(body: &str) -> i64 {
    serde_json::from_str::<Value>(body).unwrap()["n"].as_i64().unwrap()
}

fn runs(house: &House, filter: &str) -> Vec<Value> {
    house.json(&["runs", "ls", filter, "--limit", "0"]).as_array().unwrap().clone()
}

fn succeeded(house: &House, flow: &str, wanted: i64) {
    wait_for(&format!("{wanted} runs of {flow}"), || {
        let done = runs(house, &format!("flow:{flow} and state:succeeded")).len();
        (i64::try_from(done).unwrap() >= wanted).then_some(())
    });
}

/// Attempts of a flow's runs.
fn attempts(house: &House, flow: &str) -> usize {
    let steps = |run: &Value| run["steps"].as_array().unwrap().clone();
    let all = runs(house, &format!("flow:{flow}"));
    all.iter().flat_map(steps).map(|step| step["attempts"].as_array().unwrap().len()).sum()
}

/// What a dead target may have been tried since a moment: ten times, and once after each pause.
fn may_have_been_tried(since: Instant) -> usize {
    let (mut tried, mut ends) = (ROW, Duration::ZERO);
    let mut pause = Duration::from_millis(3_750);
    while ends + pause <= since.elapsed() {
        ends += pause;
        pause *= 2;
        tried += 1;
    }
    // The one that may be let through this very moment.
    tried + 1
}

/// The figures of the running server.
fn figure(house: &House, name: &str) -> f64 {
    let mut stream = UnixStream::connect(house.data().join("socket")).unwrap();
    std::io::Write::write_all(
        &mut stream,
        b"GET /metrics HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n",
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let line = text.lines().find(|line| line.starts_with(name) && line[name.len()..].starts_with(' '));
    line.unwrap_or_else(|| panic!("{name} in {text}")).rsplit(' ').next().unwrap().parse().unwrap()
}

/// A target that takes what is sent and answers once it is told to.
struct Mute {
    state: Arc<(Mutex<bool>, Condvar)>,
    target: Target,
}

impl Mute {
    fn new() -> Self {
        let state: Arc<(Mutex<bool>, Condvar)> = Arc::default();
        let target = {
            let state = Arc::clone(&state);
            Target::new(move |_| {
                let (speaks, told) = &*state;
                drop(told.wait_while(speaks.lock().unwrap(), |speaks| !*speaks).unwrap());
                (200, "{}".into())
            })
        };
        Self { state, target }
    }

    fn speak(&self) {
        *self.state.0.lock().unwrap() = true;
        self.state.1.notify_all();
    }

    fn tried(&self) -> usize {
        self.target.arrived().len()
    }
}

impl Drop for Mute {
    fn drop(&mut self) {
        self.speak();
    }
}

#[test]
fn who_never_answers_holds_up_nobody_and_those_that_wait_leave_in_order_once_it_does() {
    let (live, dead) = (Target::fine(), Mute::new());
    let house = House::new();
    house.apply(&document(&live.url(), &dead.target.url()));
    house.serve();
    let begun = Instant::now();
    for n in 0..RUNS {
        send(&house, "dead", n);
        send(&house, "live", n);
    }
    succeeded(&house, "live", RUNS);
    assert_eq!(live.arrived().len(), usize::try_from(RUNS).unwrap());
    let tried = dead.tried();
    assert!(tried <= may_have_been_tried(begun), "tried {tried} times in {:?}", begun.elapsed());
    assert!(runs(&house, "flow:dead and state:succeeded").is_empty());

    let port = dead.target.addr().port();
    wait_for("the breaker to open", || {
        house
            .log()
            .contains(&format!("breaker opened 127.0.0.1 port {port}: refused 10 times in a row"))
            .then_some(())
    });
    // A time-out of a step that is not idempotent is for a person to decide; all others wait, untouched.
    wait_for("the runs to wait", || {
        let stopped = runs(&house, "flow:dead and state:errored").len();
        (stopped + runs(&house, "flow:dead and state:queued").len() == 200).then_some(())
    });
    let waiting = runs(&house, "flow:dead and state:queued");
    assert!(waiting.len() >= 180, "{}", waiting.len());
    for run in &waiting {
        assert_eq!(run["steps"][0]["attempts"].as_array().unwrap().len(), 0, "{run}");
    }
    let why = wait_for("the reason", || {
        let shown = house.json(&["runs", "show", waiting[0]["id"].as_str().unwrap()]);
        shown["waits"].as_str().map(str::to_owned)
    });
    assert!(why.starts_with(&format!("127.0.0.1:{port} refused 1")), "{why}");
    let told = wait_for("the figures", || {
        let doctor = house.run(&["doctor"]);
        doctor
            .lines()
            .find(|line| line.starts_with("targets") && line.contains(" runs wait"))
            .map(str::to_owned)
    });
    assert!(told.contains("warning") && told.contains(&format!("127.0.0.1:{port}")), "{told}");
    let open = figure(&house, "pointsman_breakers{state=\"open\"}");
    assert!((open + figure(&house, "pointsman_breakers{state=\"probing\"}") - 1.0).abs() < 0.1);
    assert!((figure(&house, "pointsman_breaker_openings_total") - 1.0).abs() < 0.1);

    let before = dead.tried();
    dead.speak();
    succeeded(&house, "dead", RUNS - i64::try_from(before).unwrap());
    wait_for("the breaker to close", || {
        house.log().contains(&format!("breaker closed 127.0.0.1 port {port}: answers again")).then_some(())
    });
    let numbers: Vec<i64> =
        dead.target.arrived().iter().skip(before).map(|arrived| number(&arrived.body)).collect();
    // The one that tries is the first in line; those behind it follow a few at a time.
    assert!(numbers.iter().collect::<BTreeSet<_>>().len() == numbers.len(), "{numbers:?}");
    assert_eq!(numbers[0], *numbers.iter().min().unwrap(), "{numbers:?}");
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    for (at, n) in numbers.iter().enumerate().take(11) {
        let place = sorted.binary_search(n).unwrap();
        assert!(place <= at + 2 * ROW, "{n} is number {place} in line and left as number {at}: {numbers:?}");
    }
    assert!(figure(&house, "pointsman_breakers{state=\"open\"}") < 0.1);
    let doctor = house.run(&["doctor"]);
    assert!(doctor.contains("none refused ten times in a row"), "{doctor}");
}

#[test]
fn a_closed_port_costs_eleven_attempts_and_its_runs_wait_over_a_kill() {
    let live = Target::fine();
    let closed: SocketAddr = super::common::free();
    let house = House::new();
    house.apply(&document(&live.url(), &format!("http://{closed}")));
    house.serve();
    let begun = Instant::now();
    for n in 0..RUNS {
        send(&house, "dead", n);
        send(&house, "live", n);
    }
    succeeded(&house, "live", RUNS);
    let (tried, may) = (attempts(&house, "dead"), may_have_been_tried(begun));
    assert!(tried <= may, "{tried} attempts, {may} in {:?}", begun.elapsed());
    wait_for("the breaker to open", || house.log().contains("breaker opened").then_some(()));
    house.kill();
    // Over a restart its runs wait on: one tries, and no ten.
    let (before, again) = (attempts(&house, "dead"), Instant::now());
    house.serve();
    wait_for("the one that tries", || (attempts(&house, "dead") > before).then_some(()));
    let (tried, may) = (attempts(&house, "dead") - before, may_have_been_tried(again) - ROW);
    assert!(tried <= may, "{tried} attempts, {may} in {:?}", again.elapsed());
    house.kill();
    // The target is there again, and nobody is lost.
    let waiting = Target::at(closed, |_| (200, "{}".into()));
    house.serve();
    let left =
        |house: &House| runs(house, "flow:dead and (state:queued or state:retrying or state:running)").len();
    wait_for("the runs that waited", || (left(&house) == 0).then_some(()));
    let stopped = runs(&house, "flow:dead and state:errored").len();
    assert!(stopped <= 2 * ROW, "{stopped}");
    assert_eq!(runs(&house, "flow:dead and state:succeeded").len() + stopped, 200);
    assert_eq!(waiting.arrived().len() + stopped, 200);
    assert_eq!(get(house.addr(), "/readyz").unwrap().status, 200);
}

#[test]
fn a_slow_target_has_256_at_once_at_most_and_leaves_room_for_others() {
    let held: Arc<(Mutex<bool>, Condvar)> = Arc::default();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let slow = {
        let (held, now, most) = (Arc::clone(&held), Arc::clone(&now), Arc::clone(&most));
        Target::new(move |_| {
            let under_way = now.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(under_way, Ordering::SeqCst);
            let (closed, told) = &*held;
            drop(told.wait_while(closed.lock().unwrap(), |closed| *closed).unwrap());
            // Long enough for others to come.
            std::thread::sleep(Duration::from_millis(20));
            now.fetch_sub(1, Ordering::SeqCst);
            (200, "{}".into())
        })
    };
    let live = Target::fine();
    let house = House::new();
    let slow_flow = flow("slow", &slow.url(), "timeout = \"50s\"");
    house.apply(&format!("name = \"shop\"\n{slow_flow}{}", flow("live", &live.url(), "")));
    house.serve();
    let flood = |from: i64, to: i64| {
        std::thread::scope(|scope| {
            for lane in 0..8 {
                let house = &house;
                scope.spawn(move || (from + lane..to).step_by(8).for_each(|n| send(house, "slow", n)));
            }
        });
    };
    // It is known to take much at once…
    flood(0, 1_200);
    succeeded(&house, "slow", 1_200);
    // …and then it takes long.
    *held.0.lock().unwrap() = true;
    flood(1_200, 2_000);
    wait_for("much to be under way", || (now.load(Ordering::SeqCst) > ROW).then_some(()));
    for n in 0..RUNS {
        send(&house, "live", n);
    }
    succeeded(&house, "live", RUNS);
    assert_eq!(runs(&house, "flow:slow and state:succeeded").len(), 1_200, "the slow ones are still there");
    assert!(most.load(Ordering::SeqCst) <= 256, "{most:?}");
    *held.0.lock().unwrap() = false;
    held.1.notify_all();
    succeeded(&house, "slow", 2_000);
    assert!(most.load(Ordering::SeqCst) <= 256, "{most:?}");
    assert_eq!(slow.arrived().len(), 2_000);
}
