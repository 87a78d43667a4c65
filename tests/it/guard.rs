//! The address guard, from outside: a flow's request to an inner address never reaches it.
#![expect(clippy::unwrap_used, reason = "a test's own settings")]

use pointsman::model::settings::{Limits, Settings};
use pointsman::rules::template::Outgoing;
use pointsman::runner::guard::Guard;
use pointsman::runner::http::{Came, Http};
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;

fn settings(listen: &str, allow: Option<&[&str]>) -> Settings {
    Settings {
        data: "/nowhere".into(),
        listen: listen.parse().unwrap(),
        public_url: format!("http://{listen}"),
        public_url_given: false,
        read_only: false,
        limits: Limits::default(),
        allow_networks: allow.map(|nets| nets.iter().map(|net| net.parse().unwrap()).collect()),
        inbound: pointsman::model::gate::Inbound::default(),
        connections: pointsman::model::settings::Globals::default(),
    }
}

fn get(url: String, proxy: Option<&str>) -> Outgoing {
    Outgoing {
        method: "GET".to_owned(),
        url,
        headers: Vec::new(),
        body: None,
        same_body: false,
        left_out: Vec::new(),
        proxy: proxy.map(str::to_owned),
        verify_tls: true,
        ca_file: None,
        credential: None,
    }
}

/// A guard whose names come from here, as from a hosts file.
fn guard(settings: &Settings) -> Guard {
    Guard::with_lookup(settings, |name| {
        Box::pin(async move {
            let address = match name.as_str() {
                "rebound.example" | "localhost" => "127.0.0.1",
                "metadata.example" => "169.254.169.254",
                "mapped.example" => "::ffff:10.0.0.1",
                _ => return Err(io::Error::other("no such name")),
            };
            Ok(vec![SocketAddr::new(address.parse().map_err(io::Error::other)?, 0)])
        })
    })
}

/// Whether anybody knocked.
async fn knocked(listener: &TcpListener) -> bool {
    // A connection that was made is in the listener's queue by now: making it is what was awaited.
    tokio::select! {
        biased;
        _ = listener.accept() => true,
        () = tokio::task::yield_now() => false,
    }
}

#[tokio::test]
async fn no_spelling_of_an_inner_address_gets_through() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let http = Http::new(guard(&settings("0.0.0.0:7700", None))).unwrap();
    for host in [
        "127.0.0.1",
        "localhost",
        "rebound.example",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.1",
        "127.1",
        "127.0.0.1.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "mapped.example",
        "metadata.example",
        "169.254.169.254",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "0.0.0.0",
        "[fd00::1]",
        "[fe80::1]",
        "[2001::1]",
    ] {
        for proxy in [None, Some("http://rebound.example:9")] {
            let came = http.exchange(&get(format!("http://{host}:{port}/"), proxy), &[], 1_000, 0).await;
            let Came::Blocked(cause) = came else { panic!("{host} {proxy:?}: {came:?}") };
            assert!(
                cause.contains("This line in the configuration permits it: allow_networks = [\""),
                "{cause}"
            );
        }
    }
    assert!(!knocked(&listener).await);
}

#[tokio::test]
async fn what_the_operator_allows_is_reached_and_nothing_beside_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for (listen, allow, open) in [
        ("127.0.0.1:7700", None, true),
        ("0.0.0.0:7700", Some(&["127.0.0.1/32"][..]), true),
        ("127.0.0.1:7700", Some(&["10.0.0.0/8"][..]), false),
        ("0.0.0.0:7700", None, false),
    ] {
        let http = Http::new(guard(&settings(listen, allow))).unwrap();
        let url = format!("http://rebound.example:{port}/");
        let request = get(url, None);
        let (came, met) = tokio::join!(http.exchange(&request, &[], 300, 0), async {
            tokio::time::timeout(std::time::Duration::from_millis(300), listener.accept()).await.is_ok()
        });
        assert_eq!(met, open, "{listen} {allow:?}");
        assert_eq!(matches!(came, Came::Blocked(_)), !open, "{listen} {allow:?}: {came:?}");
    }
}
