//! What stands between hyper and the warp filters: it takes the headers out once (the filters
//! would clone them), judges whether the head is one that can be gone by, and tells the pulse when a
//! head is complete and when its answer is made.

use super::answer::{self, Problem};
use super::body;
use super::judge;
use super::pulse::{Phase, Pulse};
use crate::rules::origin::sender;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use ipnet::IpNet;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use warp::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
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
    /// Why it is refused wherever it goes: to an endpoint, where that is stored.
    pub(super) fault: Option<Box<Problem>>,
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
                Err(problem) => Ok(body::close(answer::problem(&problem))),
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
) -> Result<Request<Incoming>, Box<Problem>> {
    let headers = std::mem::take(request.headers_mut());
    let fault = judge::fault(request.method(), request.uri(), &headers).map(Box::new);
    let fault = match fault {
        Some(fault) if judge::endpoint(request.uri().path()).is_none() => return Err(fault),
        fault => fault,
    };
    let arrival = Arrival {
        method: request.method().clone(),
        uri: request.uri().clone(),
        from: sender(peer.ip, headers.get_all(FORWARDED).iter().map(HeaderValue::as_bytes), &peer.trusted),
        headers,
        fault,
        pulse: Arc::clone(pulse),
    };
    request.extensions_mut().insert(Arc::new(arrival));
    Ok(request)
}
