//! HTTPS, figures over TCP, and senders that are slow on purpose.

use super::document;
use crate::common::{House, PATIENCE, call, get, read_answer, wait_for};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn pem(name: &str) -> String {
    format!("{}/tests/it/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

type Secure = StreamOwned<ClientConnection, TcpStream>;

fn secure(addr: SocketAddr, request: &str) -> Option<crate::common::Answer> {
    read_answer(&mut BufReader::new(begun(addr, request)?))
}

/// A connection on which a request was sent.
fn begun(addr: SocketAddr, request: &str) -> Option<Secure> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(pem("cert.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), ServerName::IpAddress(addr.ip().into())).unwrap();
    let stream = TcpStream::connect(addr).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut stream = StreamOwned::new(client, stream);
    stream.write_all(request.as_bytes()).ok()?;
    Some(stream)
}

#[test]
fn https_is_served_and_a_handshake_that_stalls_holds_up_nobody() {
    let house = House::new();
    house.configure(&format!(
        "tls_cert = \"{}\"\ntls_key = \"{}\"\nmetrics_listen = \"127.0.0.1:0\"\n[limits]\nheader_deadline = \"1s\"\nconnections = 200",
        pem("cert.pem"),
        pem("key.pem")
    ));
    house.apply(&document("", ""));
    let ready = |addr| {
        secure(addr, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .is_some_and(|answer| answer.status == 200)
    };
    house.serve_until(ready);
    assert!(house.json(&["endpoints", "ls"])[0]["url"].as_str().unwrap().starts_with("https://"));
    assert!(house.log().contains("receiving on https://127.0.0.1:"), "{}", house.log());
    let stalled: Vec<TcpStream> = (0..100)
        .map(|n| {
            let mut stream = TcpStream::connect(house.addr()).unwrap();
            // Half of them say nothing, half begin a handshake, and some speak plain HTTP.
            let _ = stream.write_all(match n % 4 {
                0 => b"\x16\x03\x01\x02\x00\x01".as_slice(),
                1 => b"GET / HTTP/1.1\r\n",
                _ => b"",
            });
            stream
        })
        .collect();
    let start = Instant::now();
    let request = "POST /in/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    assert_eq!(secure(house.addr(), request).unwrap().status, 200);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    cut(stalled);
    let metrics = metrics_address(&house);
    wait_for("the probe over HTTPS", || {
        get(metrics, "/metrics")?.body.contains("pointsman_probe_ok 1").then_some(())
    });
}

#[test]
fn a_sender_that_waits_and_hangs_up_over_https_is_let_go() {
    let house = House::new();
    let files = || std::fs::read_dir(format!("/proc/{}/fd", house.pid())).unwrap().count();
    house.configure(&format!("tls_cert = \"{}\"\ntls_key = \"{}\"", pem("cert.pem"), pem("key.pem")));
    let rest = "[[flow.step]]\nname = \"rest\"\ntype = \"delay\"\nfor = \"10m\"";
    house.apply(&document("reply = \"wait\"\ntimeout = \"10m\"", rest));
    let request = |path: &str, more: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}{more}"
        )
    };
    house.serve_until(|addr| secure(addr, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").is_some());
    let mut senders: Vec<Secure> =
        (0..20).map(|_| begun(house.addr(), &request("/in/orders", "")).unwrap()).collect();
    wait_for("twenty runs that wait", || {
        let waiting = house.json(&["runs", "ls", "state:waiting", "--limit", "0"]);
        (waiting.as_array().unwrap().len() == 20).then_some(())
    });
    let with_all = files();
    // They say that they go, and keep the socket open; half of them just break off.
    for stream in &mut senders[..10] {
        stream.conn.send_close_notify();
        stream.flush().unwrap();
    }
    senders.truncate(10);
    wait_for("their connections to end", || (files() + 20 <= with_all).then_some(()));
    let more = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let pipelined = begun(house.addr(), &request("/in/orders?timeout=300", more)).unwrap();
    let mut reader = BufReader::new(pipelined);
    assert_eq!(read_answer(&mut reader).unwrap().status, 504);
    assert_eq!(read_answer(&mut reader).unwrap().status, 200);
}

fn metrics_address(house: &House) -> SocketAddr {
    wait_for("the address of the figures", || {
        let log = house.log();
        let rest = log.split("figures on http://").nth(1)?;
        rest.split("/metrics").next()?.parse().ok()
    })
}

#[test]
fn figures_are_served_where_they_were_asked_for_and_nowhere_else() {
    let house = House::new();
    house.configure("metrics_listen = \"127.0.0.1:0\"");
    house.apply(&document("", ""));
    house.serve();
    house.post("orders", "{}");
    let metrics = metrics_address(&house);
    let answer = get(metrics, "/metrics").unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("pointsman_stored_total 1"), "{}", answer.body);
    assert_eq!(get(metrics, "/in/orders").unwrap().status, 404);
    assert_eq!(call(metrics, "POST", "/metrics", &[], b"").unwrap().status, 405);
    assert_eq!(get(house.addr(), "/metrics").unwrap().status, 404, "never on the public listener");
    let taken = metrics.to_string();
    let other = House::new();
    let output = other.try_run(&["serve", "--listen", "127.0.0.1:0", "--metrics-listen", &taken]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(&format!("--metrics-listen {taken} cannot be listened on")), "{said}");
}

#[test]
fn what_is_wrong_with_a_certificate_is_said() {
    let house = House::new();
    let serve = |args: &[&str]| {
        let mut all = vec!["serve", "--listen", "127.0.0.1:0"];
        all.extend(args);
        let output = house.try_run(&all);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (cert, key, other) = (pem("cert.pem"), pem("key.pem"), pem("other-key.pem"));
    for (args, said) in [
        (vec!["--tls-cert", &*cert], "--tls-cert needs --tls-key"),
        (vec!["--tls-key", &*key], "--tls-key needs --tls-cert"),
        (vec!["--tls-cert", "/nowhere.pem", "--tls-key", &*key], "--tls-cert /nowhere.pem cannot be read"),
        (
            vec!["--tls-cert", &*cert, "--tls-key", &*other],
            "is not the private key of the first certificate in",
        ),
    ] {
        let (code, text) = serve(&args);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(said), "{text}");
    }
}

/// Waits until each connection is cut.
fn cut(streams: Vec<TcpStream>) {
    for mut stream in streams {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut rest = Vec::new();
        // A reset is an end too; a time-out is none.
        if let Err(error) = stream.read_to_end(&mut rest) {
            let kind = error.kind();
            assert!(
                !matches!(kind, std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
                "a connection was not cut"
            );
        }
    }
}

#[test]
fn slow_senders_by_the_hundred_delay_nobody_and_are_cut() {
    let house = House::new();
    house.configure("[limits]\nheader_deadline = \"2s\"\nbody_deadline = \"2s\"\nidle = \"2s\"");
    house.apply(&document("", ""));
    house.serve();
    let start = Instant::now();
    let open = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(house.addr()).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    let head = "POST /in/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    let whole = format!("{head}Content-Length: 2\r\n\r\n{{}}");
    let mut slow = Vec::new();
    for _ in 0..100 {
        slow.push(open(b""));
        slow.push(open(head.as_bytes()));
        slow.push(open(format!("{head}Content-Length: 1000\r\n\r\n{{\"a\":").as_bytes()));
        slow.push(open(format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\n{{\"a\"").as_bytes()));
        slow.push(open(whole.as_bytes()));
        let half = open(head.as_bytes());
        half.shutdown(std::net::Shutdown::Write).unwrap();
        slow.push(half);
    }
    // One that drips a byte at a time has no more time than the others.
    let mut drip = open(b"P");
    let mut longest = Duration::ZERO;
    let mut honest = 0;
    let mut dripping = true;
    let soon = || start.elapsed() < Duration::from_secs(5);
    while soon() || honest < 50 || (dripping && start.elapsed() < PATIENCE) {
        let asked = Instant::now();
        assert_eq!(house.post("orders", "{}").status, 200);
        longest = longest.max(asked.elapsed());
        honest += 1;
        dripping = dripping && drip.write_all(b"x").is_ok();
    }
    assert!(longest < Duration::from_secs(1), "an honest sender waited {longest:?}");
    cut(slow);
    assert!(!dripping, "who drips was cut");
    let stored = house.json(&["requests", "ls", "cause:\"did not come within 2 s\"", "--limit", "0"]);
    assert!(!stored.as_array().unwrap().is_empty(), "late bodies are told");
}
