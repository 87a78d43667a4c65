//! A flood of refused senders does not fill the disk, and nothing of it goes uncounted.

use super::common::{Answer, House, PATIENCE, call, read_answer, wait_for};
use super::senders::{add_keys, post};
use serde_json::Value;
use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

const DOCUMENT: &str = r#"
name = "flood"
[[flow]]
name = "Keyed"
[flow.trigger]
type = "webhook"
path = "keyed"
auth = { type = "api_key", keys = ["api"] }
"#;

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
        let flows = &house.json(&["integrations", "show", "flood"])["flows"];
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
