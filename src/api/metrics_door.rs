//! `--metrics-listen`: the figures over TCP, and nothing else. Never part of the public listener.

use super::metrics;
use crate::desk::Desk;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Connections at once; more wait in the listener's own queue.
const CONNECTIONS: usize = 16;
/// Until the headers must be there; an idle connection is closed after it too.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection may last: a scraper comes again.
const LONGEST: Duration = Duration::from_mins(5);

/// Answers `GET /metrics` until `stop`.
pub async fn serve_metrics(listener: TcpListener, desk: Desk, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
            Some((listener.accept().await, slot))
        };
        let (stream, slot) = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            accepted = accepted => match accepted {
                Some((Ok((stream, _)), slot)) => (stream, slot),
                Some((Err(_), _)) => {
                    // Out of file handles, most likely: others may close some.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
                None => return,
            },
        };
        while connections.try_join_next().is_some() {}
        let desk = desk.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let answer = answer(&desk, &request);
                async move { Ok::<_, Infallible>(answer) }
            });
            let serving = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_header_size(16 << 10)
                .serve_connection(TokioIo::new(stream), service);
            let _ = tokio::time::timeout(LONGEST, serving).await;
            drop(slot);
        });
    }
}

fn answer(desk: &Desk, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let plain = |status, text: String| {
        let mut answer = Response::new(Full::new(Bytes::from(text)));
        *answer.status_mut() = status;
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4"));
        answer
    };
    match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => {
            plain(StatusCode::OK, metrics::prometheus(&desk.counters()))
        }
        (_, "/metrics") => {
            let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, String::new());
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            answer
        }
        _ => plain(StatusCode::NOT_FOUND, "there is nothing here but /metrics\n".to_owned()),
    }
}
