//! What stands between hyper and the warp filters: it takes the headers out once (the filters
//! would clone them), refuses requests without one clear `Host`, and tells the pulse when a head
//! is complete and when its answer is made.

use super::answer::{self, Problem};
use super::body;
use super::pulse::{Phase, Pulse};
use crate::rules::origin::sender;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use ipnet::IpNet;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use warp::http::header::HOST;
use warp::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use warp::reply::Response;

/// Where proxies write who spoke to them.
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A request's head, and the connection that it came on; the filters hand it on by `Arc`.
#[derive(Debug)]
pub(super) struct Arrival {
    /// Of the request.
    pub(super) method: Method,
    /// As sent.
    pub(super) uri: Uri,
    /// Names in lower case, in order of first appearance.
    pub(super) headers: HeaderMap,
    /// The sender's address: the peer, or what a trusted proxy says of it.
    pub(super) from: IpAddr,
    /// Of its connection.
    pub(super) pulse: Arc<Pulse>,
}

/// The other end of a connection.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// Its address.
    pub(super) ip: IpAddr,
    /// Proxies that are believed.
    pub(super) trusted: Arc<[IpNet]>,
}

/// The service of one connection.
pub(super) fn service<S>(
    filters: S,
    peer: Peer,
    pulse: Arc<Pulse>,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>,
{
    service_fn(move |request| {
        pulse.enter(Phase::Body);
        let filtered = admit(request, &peer, &pulse).map(|request| filters.call(request));
        let pulse = Arc::clone(&pulse);
        async move {
            let response = match filtered {
                Ok(coming) => coming.await,
                Err(detail) => Ok(refuse(detail)),
            };
            pulse.enter(Phase::Idle);
            response
        }
    })
}

fn admit(
    mut request: Request<Incoming>,
    peer: &Peer,
    pulse: &Arc<Pulse>,
) -> Result<Request<Incoming>, &'static str> {
    let headers = std::mem::take(request.headers_mut());
    match headers.get_all(HOST).iter().count() {
        0 => return Err("Host is missing"),
        1 => {}
        _ => return Err("there is more than one Host"),
    }
    let arrival = Arrival {
        method: request.method().clone(),
        uri: request.uri().clone(),
        from: sender(peer.ip, headers.get_all(FORWARDED).iter().map(HeaderValue::as_bytes), &peer.trusted),
        headers,
        pulse: Arc::clone(pulse),
    };
    request.extensions_mut().insert(Arc::new(arrival));
    Ok(request)
}

fn refuse(detail: &'static str) -> Response {
    body::close(answer::problem(&Problem::new(StatusCode::BAD_REQUEST, detail)))
}
