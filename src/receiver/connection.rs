//! One connection under hyper, cut at its deadlines.

use super::pulse::{Deadlines, Peek, Pulse, Watched};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};
use warp::http::Request;

/// Bytes of a request's line and headers that are read. Up to here a head that is too long is judged
/// and stored like any other request (see `judge::fault`); past it the connection answers an empty 431.
const MAX_HEAD: usize = 64 << 10;
/// Lines of headers that are read. Over a hundred the parser's own lists are on the heap, which costs
/// a request two allocations.
const MAX_LINES: usize = 512;

/// Serves a connection until it ends, is cut at a deadline, or is closed for a stop.
///
/// Half-closing is allowed: a sender that shuts its side down after the request still reads the
/// answer, and one that hangs up ends nothing that is already on its way to the store. A sender that
/// waits for its run must keep its side open: see `pulse`.
pub(super) async fn drive<T, S>(stream: T, service: S, pulse: Arc<Pulse>, deadlines: Deadlines)
where
    T: AsyncRead + AsyncWrite + Peek + Unpin,
    S: Service<Request<Incoming>, Response = warp::reply::Response, Error = Infallible>,
{
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&pulse)));
    // No `header_read_timeout`: hyper lets it run while a connection idles, which would cut a
    // kept-alive one after 10 s. No `pipeline_flush`: with it hyper's own 400 and 431 are never
    // sent.
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_header_size(MAX_HEAD)
        .max_headers(MAX_LINES)
        .half_close(true)
        .serve_connection(io, service);
    let mut serving = pin!(serving);
    let mut timer = pin!(sleep_until(Instant::now() + deadlines.head));
    let mut watched = false;
    let mut told = false;
    poll_fn(move |context| {
        if !watched {
            pulse.watch(context);
            watched = true;
        }
        loop {
            if !told && pulse.closing() {
                told = true;
                serving.as_mut().graceful_shutdown();
            }
            // An error is a sender that broke off or sent no HTTP: hyper has answered what there
            // is to answer.
            if serving.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            // The timer is only ever late, never early: it is moved forward when the deadline
            // came closer, and looks again when it fires.
            let Some(deadline) = pulse.deadline(&deadlines) else { return Poll::Pending };
            if deadline < timer.deadline() {
                timer.as_mut().reset(deadline);
            }
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() < deadline {
                timer.as_mut().reset(deadline);
                if timer.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
            }
            if pulse.expire() {
                return Poll::Ready(());
            }
        }
    })
    .await;
}
