//! Three hundred different payloads of GitHub, as its documentation has them, sent twice each.

use super::common::{Answer, House, PATIENCE, read_answer};
use super::senders::{WEBHOOK, add_keys, hex, mac};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};

/// `pool` holds what several payloads have in common: `{"$": n}` stands for its nth entry.
const PAYLOADS: &str = include_str!("github.json");

const DOCUMENT: &str = r#"
name = "github"
[[flow]]
name = "Push"
[flow.trigger]
type = "webhook"
path = "github"
auth = { type = "signature", provider = "github", keys = ["hook"] }
dedup = { fields = ['headers["X-GitHub-Delivery"]'] }
"#;

fn whole(value: &Value, pool: &[Value]) -> Value {
    match value {
        Value::Object(map) if map.len() == 1 && map.contains_key("$") => {
            let at = usize::try_from(map["$"].as_u64().unwrap()).unwrap();
            whole(&pool[at], pool)
        }
        Value::Object(map) => {
            let pairs = map.iter().map(|(name, value)| (name.clone(), whole(value, pool)));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
        Value::Array(all) => Value::Array(all.iter().map(|value| whole(value, pool)).collect()),
        other => other.clone(),
    }
}

/// Sends deliveries one after another on one connection.
fn deliver(addr: SocketAddr, deliveries: &[(usize, &str, &str)]) -> Vec<(usize, Answer)> {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut answers = Vec::new();
    for (number, event, body) in deliveries {
        let signature = hex(&mac(WEBHOOK.as_bytes(), &[body.as_bytes()]));
        let head = format!(
            "POST /in/github HTTP/1.1\r\nHost: {addr}\r\nUser-Agent: GitHub-Hookshot/1\r\nContent-Type: application/json\r\n\
             X-GitHub-Event: {event}\r\nX-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-{number:012x}\r\n\
             X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        answers.push((*number, read_answer(&mut reader).unwrap()));
    }
    answers
}

#[test]
fn three_hundred_payloads_are_accepted_once_each() {
    let all: Value = serde_json::from_str(PAYLOADS).unwrap();
    let pool = all["pool"].as_array().unwrap();
    let payloads: Vec<(String, String)> = all["payloads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_str().unwrap().to_owned(), whole(&pair[1], pool).to_string()))
        .collect();
    let different: BTreeSet<&str> = payloads.iter().map(|(_, body)| body.as_str()).collect();
    assert_eq!((payloads.len(), different.len()), (300, 300));
    let house = House::new();
    add_keys(&house);
    house.apply(DOCUMENT);
    house.serve();
    let addr = house.addr();
    let deliveries: Vec<(usize, &str, &str)> =
        payloads.iter().enumerate().map(|(at, (event, body))| (at, event.as_str(), body.as_str())).collect();
    let mut first = vec![String::new(); payloads.len()];
    for status in [200, 204] {
        let answers: Vec<(usize, Answer)> = std::thread::scope(|scope| {
            let senders: Vec<_> =
                deliveries.chunks(38).map(|some| scope.spawn(move || deliver(addr, some))).collect();
            senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
        });
        assert_eq!(answers.len(), 300);
        for (number, answer) in answers {
            assert_eq!(answer.status, status, "delivery {number}: {}", answer.body);
            if status == 200 {
                first[number] = answer.header("pointsman-request-id").unwrap().to_owned();
            } else {
                assert_eq!(answer.header("pointsman-duplicate-of"), Some(first[number].as_str()));
            }
        }
    }
    // Kept as they came.
    let shown = house.json(&["requests", "show", &first[7]]);
    assert_eq!(shown["body"].to_string(), payloads[7].1);
    let rows = house.json(&["requests", "ls", "verdict:duplicate", "--limit", "0"]);
    assert_eq!(rows.as_array().unwrap().len(), 300);
}
