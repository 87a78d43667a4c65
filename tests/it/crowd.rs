//! Senders that are slow, idle or half there, and a flood of refused ones: the honest are not held up,
//! and the disk is not filled.

use super::common::{Answer, House, PATIENCE, call, read_answer, wait_for};
use super::senders::{add_keys, post};
use serde_json::Value;
use std::io::{BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const DOCUMENT: &str = r#"
name = "crowd"
[[flow]]
name = "Open"
[flow.trigger]
type = "webhook"
path = "open"
auth = { type = "none" }
[[flow]]
name = "Keyed"
[flow.trigger]
type = "webhook"
path = "keyed"
auth = { type = "api_key", keys = ["api"] }
"#;

/// What a sender of the crowd writes before it falls silent.
const PARTS: [&str; 6] = [
    // Idle from the start.
    "",
    // A head that never ends.
    "POST /in/open HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    // A body of which nothing comes, and one that stops.
    "POST /in/open HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n",
    "POST /in/open HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"a\"",
    // A chunk that stops.
    "POST /in/open HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a",
    // Answered, then kept open without a word.
    "POST /in/open HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
];

/// Senders of the crowd.
const CROWD: usize = 600;

#[test]
fn slow_idle_and_half_open_senders_hold_nobody_up_and_are_cut() {
    let house = House::new();
    house.configure("[limits]\nheader_deadline = \"4s\"\nbody_deadline = \"4s\"\nidle = \"4s\"\n");
    house.apply(DOCUMENT);
    house.serve();
    let begun = Instant::now();
    let mut crowd = Vec::new();
    for number in 0..CROWD {
        let mut stream = TcpStream::connect(house.addr()).unwrap();
        stream.write_all(PARTS[number % PARTS.len()].as_bytes()).unwrap();
        // Half of those that wrote something say that no more will come, and stay.
        if number % (2 * PARTS.len()) < PARTS.len() && number % PARTS.len() == 1 {
            stream.shutdown(Shutdown::Write).unwrap();
        }
        crowd.push(stream);
    }
    let mut slowest = Duration::ZERO;
    let mut honest = 0;
    // As long as the crowd is there.
    while begun.elapsed() < Duration::from_millis(3_500) || honest < 20 {
        let sent = Instant::now();
        let answer = house.post("open", "{\"honest\":true}");
        assert_eq!(answer.status, 200, "{}", answer.body);
        slowest = slowest.max(sent.elapsed());
        honest += 1;
    }
    println!("{honest} honest requests beside {CROWD} others, the slowest took {slowest:?}");
    assert!(slowest < Duration::from_secs(1), "an honest sender waited {slowest:?}");
    // All of them are cut: their end comes, within the deadline and some patience for a busy machine.
    for (number, mut stream) in crowd.into_iter().enumerate() {
        let left = Duration::from_secs(20).saturating_sub(begun.elapsed()).max(Duration::from_millis(1));
        stream.set_read_timeout(Some(left)).unwrap();
        let mut answer = String::new();
        match stream.read_to_string(&mut answer) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("sender {number} ({:?}) is not cut: {error}", PARTS[number % PARTS.len()]),
        }
        match number % PARTS.len() {
            2..=4 => assert!(answer.starts_with("HTTP/1.1 408 "), "{number}: {answer}"),
            5 => assert!(answer.starts_with("HTTP/1.1 200 "), "{number}: {answer}"),
            _ => {}
        }
    }
    assert_eq!(house.post("open", "{}").status, 200);
}

/// Refused requests of the flood.
const FLOOD: usize = 3_000;

#[test]
fn a_flood_of_refusals_stores_at_most_its_bound_and_counts_the_rest() {
    let house = House::new();
    add_keys(&house);
    house.apply(DOCUMENT);
    house.serve();
    let (begun, next) = (Instant::now(), AtomicUsize::new(0));
    let named = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut stream = TcpStream::connect(house.addr()).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while next.fetch_add(1, Ordering::SeqCst) < FLOOD {
                    let body = format!("{{\"pad\":\"{}\"}}", "x".repeat(2_000));
                    let head = format!(
                        "POST /in/keyed HTTP/1.1\r\nHost: a\r\nApi-Key: guess\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    stream.write_all(head.as_bytes()).unwrap();
                    let answer = read_answer(&mut reader).unwrap();
                    assert_eq!(answer.status, 401, "{}", answer.body);
                    named.fetch_add(usize::from(answer.header("pointsman-request-id").is_some()), Ordering::SeqCst);
                    if answer.header("connection") == Some("close") {
                        stream = TcpStream::connect(house.addr()).unwrap();
                        stream.set_read_timeout(Some(PATIENCE)).unwrap();
                        reader = BufReader::new(stream.try_clone().unwrap());
                    }
                }
            });
        }
    });
    let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap() + 2;
    let stored =
        house.json(&["requests", "ls", "verdict:rejected", "--limit", "0"]).as_array().unwrap().len();
    println!("{FLOOD} refusals in {:?}: {stored} stored", begun.elapsed());
    assert_eq!(stored, named.into_inner(), "an answer has an id where its request is stored");
    assert!(stored > 0 && stored <= 20 * seconds, "{stored} stored in {seconds} s");
    // Every one is in the figures: as a row or as a number.
    wait_for("the counts", || {
        let flows = &house.json(&["integrations", "show", "crowd"])["flows"];
        let counted = flows
            .as_array()
            .unwrap()
            .iter()
            .find_map(|flow| flow["only_counted"].as_u64().filter(|n| *n > 0));
        (usize::try_from(counted?).unwrap() + stored == FLOOD).then_some(())
    });
    // An honest sender of the same flow is let in, and one more refusal is stored again.
    let secret: Answer = post(&house, "keyed", &[("Api-Key", super::senders::SECRET)], b"{}");
    assert_eq!(secret.status, 200);
    wait_for("a refusal with a row", || {
        let answer = call(house.addr(), "POST", "/in/keyed", &[("Content-Type", "application/json")], b"{}")?;
        answer.header("pointsman-request-id").map(|_| ())
    });
    let checks: Value = house.json(&["doctor"]);
    let broken = checks.as_array().unwrap().iter().filter(|check| check["state"] == "broken").count();
    assert_eq!(broken, 0, "{checks}");
}
