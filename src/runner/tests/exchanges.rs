//! One exchange and its bounds.

use super::{Reply, Target, answer, settings};
use crate::rules::retry::Transport;
use crate::rules::template::Outgoing;
use crate::runner::guard::Guard;
use crate::runner::http::{ANSWER_BYTES, Came, Http};
use reqwest::header::HeaderName;
use tokio::net::TcpListener;

fn http() -> Http {
    Http::new(Guard::new(&settings(None))).unwrap()
}

fn outgoing(method: &str, url: String) -> Outgoing {
    Outgoing {
        method: method.to_owned(),
        url,
        headers: Vec::new(),
        body: None,
        same_body: false,
        left_out: Vec::new(),
        proxy: None,
        verify_tls: true,
        ca_file: None,
        credential: None,
    }
}

async fn send(http: &Http, method: &str, url: String) -> Came {
    http.exchange(&outgoing(method, url), &[], 2_000, 1_795_008_715_000).await
}

#[tokio::test]
async fn an_answer_is_read_whole_and_connections_are_kept() {
    let target = Target::start(|_, _| Reply::Keep(answer("201", "X-A: 1\r\nx-a: 2\r\n", "{\"n\":1}"))).await;
    let http = http();
    for _ in 0..3 {
        let Came::Answer(answer) = send(&http, "POST", format!("http://{}/a?b=c", target.address)).await
        else {
            panic!("no answer");
        };
        assert_eq!((answer.status, &answer.body[..], answer.whole), (201, &b"{\"n\":1}"[..], true));
        let values: Vec<_> = answer.headers.iter().filter(|(name, _)| name == "x-a").collect();
        assert_eq!(values.len(), 2, "every one in order");
    }
    let seen = target.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen[0].starts_with("POST /a?b=c HTTP/1.1\r\n"), "{}", seen[0]);
}

#[tokio::test]
async fn engine_headers_replace_the_documents_own() {
    let target = Target::start(|_, _| Reply::Keep(answer("200", "", ""))).await;
    let mut out = outgoing("PUT", format!("http://{}/", target.address));
    out.headers = vec![
        ("Idempotency-Key".to_owned(), "mine".to_owned()),
        ("X-Multi".to_owned(), "1".to_owned()),
        ("X-Multi".to_owned(), "2".to_owned()),
        ("User-Agent".to_owned(), "me".to_owned()),
    ];
    out.body = Some("{}".into());
    let engine = [(HeaderName::from_static("idempotency-key"), "r.a".to_owned())];
    let came = http().exchange(&out, &engine, 2_000, 0).await;
    assert!(matches!(came, Came::Answer(answer) if answer.body.is_empty()));
    let seen = target.seen().remove(0);
    assert_eq!(seen.matches("idempotency-key: ").count(), 1);
    assert!(seen.contains("idempotency-key: r.a\r\n") && seen.contains("user-agent: me\r\n"), "{seen}");
    assert!(seen.contains("x-multi: 1\r\nx-multi: 2\r\n"), "{seen}");
    assert!(seen.contains("content-length: 2\r\n"));
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_any_other() {
    let target = Target::start(|_, _| Reply::Keep(answer("302", "Location: /elsewhere\r\n", ""))).await;
    let came = send(&http(), "GET", format!("http://{}/", target.address)).await;
    assert!(matches!(came, Came::Answer(answer) if answer.status == 302));
    assert_eq!(target.seen().len(), 1, "nobody followed it");
}

#[tokio::test]
async fn a_head_request_has_no_body() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".to_vec();
    let target = Target::start(move |_, _| Reply::Keep(head.clone())).await;
    let came = send(&http(), "HEAD", format!("http://{}/", target.address)).await;
    assert!(matches!(came, Came::Answer(answer) if answer.body.is_empty() && answer.whole));
}

#[tokio::test]
async fn an_answer_over_the_bound_is_cut() {
    for (size, whole) in [(ANSWER_BYTES, true), (ANSWER_BYTES + 1, false)] {
        let target = Target::start(move |_, _| Reply::Keep(answer("200", "", &"a".repeat(size)))).await;
        let came = send(&http(), "GET", format!("http://{}/", target.address)).await;
        let Came::Answer(answer) = came else { panic!("{came:?}") };
        assert_eq!((answer.body.len(), answer.whole), (ANSWER_BYTES, whole));
    }
}

#[tokio::test]
async fn retry_after_is_seconds_or_a_date() {
    for (header, expected) in [
        ("Retry-After: 120\r\n", Some(120_000)),
        ("Retry-After: Wed, 18 Nov 2026 13:32:00 GMT\r\n", Some(5_000)),
        ("Retry-After: Wed, 18 Nov 2020 13:32:00 GMT\r\n", Some(0)),
        ("Retry-After: soon\r\n", None),
        ("", None),
    ] {
        let target = Target::start(move |_, _| Reply::Keep(answer("503", header, ""))).await;
        let came = send(&http(), "GET", format!("http://{}/", target.address)).await;
        let Came::Answer(answer) = came else { panic!("{came:?}") };
        assert_eq!(answer.retry_after, expected, "{header}");
    }
}

#[tokio::test]
async fn failures_say_whether_anything_may_have_left() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let silent = Target::start(|_, _| Reply::Silence).await;
    let broken = Target::start(|_, _| Reply::Close(Vec::new())).await;
    let half =
        Target::start(|_, _| Reply::Close(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".to_vec())).await;
    for (address, expected, words) in [
        (closed, Transport::NoConnection, "no connection to 127.0.0.1"),
        (silent.address, Transport::Broken, "gave no answer within 300ms"),
        (broken.address, Transport::Broken, "broke the connection off"),
        (half.address, Transport::Broken, "the answer 200 broke off"),
    ] {
        let out = outgoing("POST", format!("http://{address}/"));
        let came = http().exchange(&out, &[], 300, 0).await;
        let Came::Nothing { failure, cause } = came else { panic!("{came:?}") };
        assert_eq!(failure, expected, "{cause}");
        assert!(cause.contains(words), "{cause}");
    }
    assert_eq!(broken.seen().len(), 1, "every send is the journal's: nothing is repeated in secret");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_no_connection_and_a_name_inside_is_blocked() {
    let guard = Guard::with_lookup(&settings(Some(&[])), |name| {
        Box::pin(async move {
            match name.as_str() {
                "inner.example" => Ok(vec!["10.0.0.7:0".parse().unwrap()]),
                _ => Err(std::io::Error::other("no such name")),
            }
        })
    });
    let http = Http::new(guard).unwrap();
    let came = send(&http, "GET", "http://unknown.example/".to_owned()).await;
    let Came::Nothing { failure: Transport::NoConnection, cause } = came else { panic!("{came:?}") };
    assert_eq!(cause, "unknown.example cannot be resolved: no such name");
    let came = send(&http, "GET", "http://inner.example/".to_owned()).await;
    let Came::Blocked(cause) = came else { panic!("{came:?}") };
    assert_eq!(
        cause,
        "10.0.0.7 is private. This line in the configuration permits it: allow_networks = [\"10.0.0.7/32\"]"
    );
}

#[tokio::test]
async fn a_blocked_literal_reaches_nobody() {
    let target = Target::start(|_, _| Reply::Keep(answer("200", "", ""))).await;
    let http = Http::new(Guard::new(&settings(Some(&["10.0.0.0/8"])))).unwrap();
    let port = target.address.port();
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]", "localhost"] {
        let came = send(&http, "GET", format!("http://{host}:{port}/")).await;
        assert!(matches!(&came, Came::Blocked(_)), "{host}: {came:?}");
    }
    assert_eq!(target.seen().len(), 0);
}

#[tokio::test]
async fn a_proxy_carries_what_may_leave_and_only_that() {
    let proxy = Target::start(|_, _| Reply::Keep(answer("200", "", "by proxy"))).await;
    let allowed = Guard::with_lookup(&settings(Some(&["127.0.0.0/8"])), |_| {
        Box::pin(async { Err(std::io::Error::other("only the proxy knows")) })
    });
    let http = Http::new(allowed).unwrap();
    let mut out = outgoing("GET", "http://hooks.example/x".to_owned());
    out.proxy = Some(format!("http://{}", proxy.address));
    let came = http.exchange(&out, &[], 2_000, 0).await;
    assert!(matches!(&came, Came::Answer(answer) if &answer.body[..] == b"by proxy"), "{came:?}");
    assert!(proxy.seen()[0].starts_with("GET http://hooks.example/x HTTP/1.1"));
    out.url = "http://169.254.169.254/latest".to_owned();
    let came = http.exchange(&out, &[], 2_000, 0).await;
    assert!(matches!(&came, Came::Blocked(cause) if cause.contains("link-local")), "{came:?}");
    out.proxy = Some("http://10.1.1.1:3128".to_owned());
    out.url = "http://hooks.example/x".to_owned();
    let came = http.exchange(&out, &[], 2_000, 0).await;
    assert!(
        matches!(&came, Came::Blocked(cause) if cause.starts_with("the proxy 10.1.1.1 is private")),
        "{came:?}"
    );
    assert_eq!(proxy.seen().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_sent_is_blocked_and_said() {
    for (url, headers, words) in [
        ("not a url", vec![], "is no URL"),
        ("http://127.0.0.1:9/", vec![("bad name", "x")], "is no header name"),
        ("http://127.0.0.1:9/", vec![("X", "a\nb")], "line break"),
    ] {
        let mut out = outgoing("GET", url.to_owned());
        out.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let came = http().exchange(&out, &[], 2_000, 0).await;
        assert!(matches!(&came, Came::Blocked(cause) if cause.contains(words)), "{came:?}");
    }
    let mut out = outgoing("GET", "https://127.0.0.1:9/".to_owned());
    out.ca_file = Some("/nowhere/ca.pem".to_owned());
    let came = http().exchange(&out, &[], 2_000, 0).await;
    assert!(
        matches!(&came, Came::Blocked(cause) if cause.contains("/nowhere/ca.pem cannot be read")),
        "{came:?}"
    );
}
