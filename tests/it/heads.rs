//! Heads that cannot be gone by: too long, or without one clear `Host`. At an endpoint they are stored
//! like every other refusal.

use super::common::{Answer, House, read_answer};
use serde_json::Value;
use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;

const DOCUMENT: &str = r#"
name = "shop"
[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = { type = "none" }
"#;

/// Sends bytes on a connection of its own; the answer, and whether the connection ended after it.
fn send(house: &House, bytes: &[u8]) -> (Answer, bool) {
    let mut stream = TcpStream::connect(house.addr()).unwrap();
    stream.set_read_timeout(Some(super::common::PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    let mut reader = BufReader::new(stream);
    let answer = read_answer(&mut reader).unwrap();
    let closes = answer.header("connection") == Some("close");
    let ended = closes && reader.read(&mut [0]).is_ok_and(|read| read == 0);
    (answer, ended)
}

/// A whole request of so many bytes before its body.
fn padded(target: &str, len: usize) -> Vec<u8> {
    let head = |pad: &str| {
        format!(
            "POST {target} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\nX-Pad: {pad}\r\n\r\n"
        )
    };
    let pad = "x".repeat(len - head("").len());
    (head(&pad) + "{}").into_bytes()
}

/// What is stored of a refusal.
fn stored(house: &House, answer: &Answer, code: u16, cause: &str) -> Value {
    assert_eq!(answer.status, code, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    assert_eq!(answer.json()["detail"], cause);
    let shown = house.json(&["requests", "show", answer.header("pointsman-request-id").unwrap()]);
    assert_eq!((&shown["verdict"], &shown["status"]), (&"rejected".into(), &code.into()));
    assert_eq!(shown["cause"], cause);
    shown
}

#[test]
fn a_head_passes_at_its_bound_and_is_a_stored_refusal_over_it() {
    let house = House::new();
    house.apply(DOCUMENT);
    house.serve();
    let most = 16 << 10;
    let (answer, _) = send(&house, &padded("/in/orders", most));
    assert_eq!(answer.status, 200, "{answer:?}");
    for len in [most + 1, 40_000] {
        let (answer, ended) = send(&house, &padded("/in/orders", len));
        assert!(ended, "{answer:?}");
        let cause = format!("the request line and headers have {len} bytes, {most} are the most");
        let shown = stored(&house, &answer, 431, &cause);
        let kept: usize = shown["headers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| pair[0].as_str().unwrap().len() + pair[1].as_str().unwrap().len())
            .sum();
        assert!(kept <= most, "{kept}");
        let cut = shown["marks"].as_array().unwrap().contains(&"headers_cut".into());
        assert_eq!(cut, len == 40_000, "{}", shown["marks"]);
        assert_eq!(shown["body"], serde_json::json!({}));
        // It will never fit.
        let again = house.try_run(&["requests", "readmit", shown["id"].as_str().unwrap(), "--yes"]);
        assert_eq!(again.status.code(), Some(4), "{again:?}");
    }
    // A long query is as much of it.
    let target = format!("/in/orders?q={}", "q".repeat(20_000));
    let (answer, _) = send(&house, &padded(&target, 30_000));
    let cause = format!("the request line and headers have 30000 bytes, {most} are the most");
    stored(&house, &answer, 431, &cause);
    // Many short lines are short.
    let lines = "X-A: 1\r\n".repeat(400);
    let head = format!("POST /in/orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}\r\n");
    let (answer, _) = send(&house, head.as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    // Elsewhere it is told, and nothing is stored.
    let before = house.json(&["requests", "ls"]).as_array().unwrap().len();
    for target in ["/in/nothing", "/readyz", "/callback/x"] {
        let (answer, ended) = send(&house, &padded(target, most + 1));
        assert_eq!((answer.status, ended), (431, true), "{target} {answer:?}");
        assert!(answer.header("pointsman-request-id").is_none());
    }
    assert_eq!(house.json(&["requests", "ls"]).as_array().unwrap().len(), before);
}

#[test]
fn a_request_without_one_clear_host_is_stored_and_the_connection_ends() {
    let house = House::new();
    house.apply(DOCUMENT);
    house.serve();
    for (hosts, cause) in [("", "Host is missing"), ("Host: a\r\nHost: a\r\n", "there is more than one Host")]
    {
        let head = |target: &str| {
            format!(
                "POST {target} HTTP/1.1\r\n{hosts}Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{{\"a\":1}}"
            )
        };
        let (answer, ended) = send(&house, head("/in/orders").as_bytes());
        assert!(ended, "{answer:?}");
        let shown = stored(&house, &answer, 400, cause);
        assert_eq!(shown["body"], serde_json::json!({ "a": 1 }));
        let again = house.try_run(&["requests", "readmit", shown["id"].as_str().unwrap(), "--yes"]);
        assert_eq!(again.status.code(), Some(4), "{again:?}");
        let (answer, ended) = send(&house, head("/in/nothing").as_bytes());
        assert_eq!((answer.status, ended), (400, true), "{answer:?}");
        assert!(answer.header("pointsman-request-id").is_none());
    }
    assert_eq!(house.json(&["requests", "ls"]).as_array().unwrap().len(), 2);
}
