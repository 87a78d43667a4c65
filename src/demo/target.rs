//! The built-in target: an HTTP server that behaves as targets do.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The most of a body that the target reads.
const BODY: usize = 8 << 20;

/// What the target does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    /// Before it answers.
    pub delay: Duration,
    /// With what.
    pub status: u16,
    /// JSON.
    pub body: String,
    /// Posts to `X-Response-URL` after so long: status and body.
    pub callback: Option<(Duration, u16, String)>,
}

/// Decides by what is called, by how many calls came before to that kind of URL, by a clock that
/// begins with the demo and by dice in 0..1. Pure, so that a test can say what a newcomer sees.
#[must_use]
pub fn behave(path: &str, wants_callback: bool, nth: u64, clock: Duration, dice: f64) -> Behaviour {
    let fine =
        |body: String| Behaviour { delay: Duration::from_millis(20), status: 200, body, callback: None };
    if wants_callback {
        // A document system that takes its time: every fifth job is answered a minute later, every
        // seventh not at all.
        let job = 4_471 + nth;
        let after = if nth.is_multiple_of(5) {
            Duration::from_mins(1)
        } else {
            Duration::from_millis(2_500 + millis(dice, 3_000))
        };
        let callback = (nth % 7 != 3).then(|| (after, 200, format!("{{\"document\":\"{}\"}}", 88_100 + nth)));
        return Behaviour {
            status: 202,
            body: format!("{{\"job\":\"{job}\"}}"),
            callback,
            ..fine(String::new())
        };
    }
    let kind = path.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default();
    match kind {
        // A chat that is down for ten of every forty seconds, the first time at once.
        "chat" if clock.as_secs() % 40 < 10 => {
            Behaviour { status: 503, body: "{\"error\":\"maintenance\"}".to_owned(), ..fine(String::new()) }
        }
        // A finance system with rules of its own.
        "purchase-orders" if nth.is_multiple_of(3) => Behaviour {
            status: 422,
            body: "{\"error\":\"no budget line\"}".to_owned(),
            ..fine(String::new())
        },
        // A customer base that does not know everyone.
        "customers" if nth % 9 == 1 => Behaviour {
            status: 404,
            body: "{\"error\":\"no such customer\"}".to_owned(),
            ..fine(String::new())
        },
        // A slow ledger.
        "ledger" => Behaviour {
            delay: Duration::from_millis(300 + millis(dice, 1_500)),
            ..fine(format!("{{\"entry\":\"L-{}\"}}", 20_000 + nth))
        },
        // A platform that asks to come back later now and then.
        "v4" if nth % 3 == 1 => {
            Behaviour { status: 503, body: "{\"error\":\"busy\"}".to_owned(), ..fine(String::new()) }
        }
        "v4" => fine(format!("{{\"id\":\"evt_{}\"}}", 70_000 + nth)),
        _ => fine(format!(
            "{{\"id\":\"{kind}_{}\",\"customer\":{{\"id\":\"cus_{}\"}}}}",
            8_800 + nth,
            8_800 + nth
        )),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "dice are in 0..1")]
fn millis(dice: f64, most: u32) -> u64 {
    (dice * f64::from(most)) as u64
}

/// The kinds of URL that are counted apart.
const KINDS: [&str; 6] = ["chat", "purchase-orders", "customers", "ledger", "v4", ""];

/// What all connections share.
struct Shared {
    started: Instant,
    counts: [AtomicU64; KINDS.len() + 1],
    client: reqwest::Client,
}

/// Serves the target until it is stopped.
///
/// # Errors
/// No client for callbacks can be made.
pub async fn serve(listener: TcpListener, stop: CancellationToken) -> Result<(), reqwest::Error> {
    let shared = Arc::new(Shared {
        started: Instant::now(),
        counts: Default::default(),
        client: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?,
    });
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            accepted = listener.accept() => if let Ok((stream, _)) = accepted { stream } else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            },
        };
        let (shared, stop) = (shared.clone(), stop.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, shared.clone(), stop.clone()));
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                _ = connection => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
    stop: CancellationToken,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let callback_url =
        request.headers().get("x-response-url").and_then(|url| url.to_str().ok()).map(str::to_owned);
    let _ = Limited::new(request.into_body(), BODY).collect().await;
    let kind = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let slot = match &callback_url {
        Some(_) => KINDS.len(),
        None => KINDS.iter().position(|one| *one == kind).unwrap_or(KINDS.len() - 1),
    };
    let nth = shared.counts[slot].fetch_add(1, Ordering::Relaxed);
    let behaviour = behave(&path, callback_url.is_some(), nth, shared.started.elapsed(), fastrand::f64());
    tokio::time::sleep(behaviour.delay).await;
    if let (Some(url), Some((after, status, body))) = (callback_url, behaviour.callback) {
        let client = shared.client.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(after) => {}
                () = stop.cancelled() => return,
            }
            // Whoever made the promise may have been stopped meanwhile; that is theirs to show.
            let _ = client
                .post(url)
                .header("Content-Type", "application/json")
                .header("X-Status-Code", status)
                .body(body)
                .send()
                .await;
        });
    }
    let answer = Response::builder()
        .status(behaviour.status)
        .header("Content-Type", "application/json")
        .body(Full::new(Bytes::from(behaviour.body)));
    Ok(answer.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newcomer_sees_every_state_at_once() {
        let at = |path: &str, callback, nth| behave(path, callback, nth, Duration::from_secs(1), 0.5);
        assert_eq!(at("/v4/events/custom", false, 0).status, 200);
        assert_eq!(at("/chat/builds", false, 0).status, 503);
        assert_eq!(at("/purchase-orders", false, 0).status, 422);
        let waits = at("/archive", true, 1);
        assert_eq!((waits.status, waits.callback.is_some()), (202, true));
        assert_eq!(at("/archive", true, 3).callback, None);
        assert_eq!(behave("/chat", false, 9, Duration::from_secs(12), 0.5).status, 200);
    }
}
