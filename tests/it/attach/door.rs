//! The operators' listener: what it refuses to be, HTTPS, and that who hangs there costs nobody.

use super::super::common::{House, PATIENCE, call, wait_for};
use super::super::terminal::Terminal;
use super::{Gate, document};
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

#[test]
fn tokens_never_cross_a_network_in_the_clear() {
    let house = House::new();
    let refused = house.try_run(&["serve", "--listen", "127.0.0.1:0", "--operator-listen", "0.0.0.0:0"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("in the clear") && said.contains("--tls-cert"), "{said}");
    let file = house.file("token", "pmo_x\n");
    let attached =
        house.try_run(&["attach", "http://gate.example:7701", "--token-file", file.to_str().unwrap()]);
    assert_eq!(attached.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&attached.stderr).contains("in the clear"));
}

#[test]
fn what_cannot_be_attached_to_is_said_before_the_terminal_is_taken() {
    let gate = Gate::open();
    let url = format!("http://{}", gate.operators);
    let wrong = gate.house.file("wrong", "pmo_wrong\n");
    let empty = tempfile::tempdir().unwrap();
    for (args, code, told) in [
        (vec!["attach", url.as_str()], 2, "asks for a token"),
        (
            vec!["attach", url.as_str(), "--token-file", wrong.to_str().unwrap()],
            4,
            "the token is not known here",
        ),
        (
            vec!["attach", "gate:7701", "--token-file", wrong.to_str().unwrap()],
            2,
            "the URL of an operators' API",
        ),
        (vec!["attach", "--data", empty.path().to_str().unwrap()], 1, "nobody serves"),
        (vec!["attach"], 2, "there is no terminal here"),
    ] {
        let output = gate.house.try_run(&args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(told), "{args:?}: {said}");
    }
}

#[test]
fn over_https_a_console_believes_what_the_system_believes() {
    let house = House::new();
    let operators = super::super::common::free();
    let tls = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls");
    let (cert, key) = (tls.join("cert.pem"), tls.join("key.pem"));
    house.configure(&format!("operator_listen = \"{operators}\"\ntls_cert = {cert:?}\ntls_key = {key:?}\n"));
    house.serve_until(|_| TcpStream::connect(operators).is_ok());
    let file = house.data().with_file_name("token");
    let file = file.to_str().unwrap();
    wait_for("the server", || {
        house
            .try_run(&["operator", "add", "ops", "--role", "viewer", "--token-file", file])
            .status
            .success()
            .then_some(())
    });
    let url = format!("https://localhost:{}", operators.port());
    let args = ["attach", url.as_str(), "--token-file", file];
    let strange = house.try_run(&args);
    assert_eq!(strange.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&strange.stderr).contains("certificate"), "{strange:?}");
    let trusted = [("SSL_CERT_FILE", cert.to_str().unwrap())];
    let elsewhere = house.data().with_file_name("elsewhere");
    let mut terminal = Terminal::start_with(&elsewhere, &args, &trusted, 24, 100);
    terminal.expect("attached ops@");
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    // What speaks no TLS is not answered in the clear.
    assert!(call(operators, "GET", "/changes", &[], b"").is_none_or(|answer| answer.status != 200));
}

/// Kibibytes that a process holds.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn consoles_that_hang_cost_the_receiver_nothing() {
    let gate = Gate::open();
    let target = super::super::common::Target::fine();
    gate.house.apply(&document(&target.url()));
    let token = gate.token("ops", "viewer");
    // Some follow and never read; one says nothing; one begins a head and never ends it.
    let body = json!({"who": {"name": "x", "door": "console"}}).to_string();
    let head = format!(
        "POST /changes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stalled: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect(gate.operators).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            let mut first = [0; 15];
            stream.read_exact(&mut first).unwrap();
            assert_eq!(&first, b"HTTP/1.1 200 OK");
            stream
        })
        .collect();
    let _silent = TcpStream::connect(gate.operators).unwrap();
    let mut half = TcpStream::connect(gate.operators).unwrap();
    half.write_all(b"POST /ask HTTP/1.1\r\nHost:").unwrap();
    let before = resident(gate.house.pid());
    let begun = std::time::Instant::now();
    for n in 0..1_500 {
        assert_eq!(gate.house.post("orders", &format!("{{\"n\": {n}}}")).status, 200);
    }
    let grown = resident(gate.house.pid()).saturating_sub(before);
    println!("1,500 requests in {:?} beside consoles that hang; {grown} KiB more", begun.elapsed());
    assert!(grown < 128 << 10, "{grown} KiB more");
    // Who ends no head is cut, and a place is free again.
    half.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut rest = Vec::new();
    let _ = half.read_to_end(&mut rest);
    // Who reads at last gets what there is, merged: far fewer lines than changes.
    let stream = stalled.first_mut().unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let (mut text, mut part) = (Vec::new(), vec![0; 64 << 10]);
    while let Ok(read @ 1..) = stream.read(&mut part) {
        text.extend_from_slice(&part[..read]);
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('{')).collect();
    assert!(lines.len() < 750, "{} lines for 1,500 requests", lines.len());
    let arrived: u64 = lines
        .iter()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["arrived"].as_u64().unwrap())
        .sum();
    assert_eq!(arrived, 1_500);
}

#[test]
fn connections_past_the_bound_wait_and_the_receiver_does_not() {
    let gate = Gate::open();
    gate.house.apply(&document("http://127.0.0.1:9"));
    let token = gate.token("ops", "viewer");
    let held: Vec<TcpStream> = (0..64).map(|_| TcpStream::connect(gate.operators).unwrap()).collect();
    assert_eq!(gate.house.post("orders", "{}").status, 200);
    // Those who say nothing are cut after ten seconds; whoever waits gets their place.
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    let answer = call(gate.operators, "POST", "/ask", &headers, br#"{"ask":{"ask":"counters"}}"#).unwrap();
    assert_eq!(answer.status, 200);
    drop(held);
}
