//! The accept loop: a permit before each connection, a pause after a failure, and a stop that lets
//! requests in flight end.

use super::entry::Peer;
use super::pulse::{Deadlines, Pulse};
use super::tls::Tls;
use super::{Deps, connection, entry, overdue, probe, route};
use crate::model::Ms;
use crate::model::settings::Limits;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use ipnet::IpNet;
use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use warp::http::Request;
use warp::reply::Response;

/// How long requests in flight may take after a stop was asked for.
const DRAIN: Duration = Duration::from_secs(10);
/// The first and the longest pause after a failed accept (usually: no file descriptors left).
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Connections that are open, so that a stop can tell each.
type Open = Arc<Mutex<HashMap<u64, Arc<Pulse>>>>;

/// Receives on a listener until `stop`; then no new connection is taken, requests in flight get
/// 10 s, and what is left is cut.
pub async fn serve(listener: TcpListener, deps: Deps, stop: CancellationToken) {
    let inlet = Inlet {
        limits: deps.settings.limits.clone(),
        trusted: deps.settings.inbound.trusted_proxies.clone().into(),
        tls: deps.tls.clone(),
    };
    let probing = listener.local_addr().ok().map(|address| {
        tokio::spawn(probe::run(address, deps.tls.clone(), Arc::clone(&deps.stats), stop.clone()))
    });
    let deps = Arc::new(deps);
    let overdue = tokio::spawn(overdue::resume(Arc::clone(&deps), stop.clone()));
    let filters = warp::service(route::filters(deps, stop.clone()));
    listen(listener, TowerToHyperService::new(filters), inlet, DRAIN, stop).await;
    if let Some(probing) = probing {
        let _ = probing.await;
    }
    let _ = overdue.await;
}

/// How connections are taken.
#[derive(Debug, Clone, Default)]
pub(super) struct Inlet {
    /// Bounds and deadlines.
    pub(super) limits: Limits,
    /// Proxies that are believed.
    pub(super) trusted: Arc<[IpNet]>,
    /// HTTPS.
    pub(super) tls: Option<Tls>,
}

/// Serves what the filters answer.
pub(super) async fn listen<S>(
    listener: TcpListener,
    filters: S,
    inlet: Inlet,
    drain: Duration,
    stop: CancellationToken,
) where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
{
    let Inlet { limits, trusted, tls } = inlet;
    let deadlines = Deadlines {
        head: duration(limits.header_deadline),
        body: duration(limits.body_deadline),
        idle: duration(limits.idle),
    };
    let permits = Arc::new(Semaphore::new(limits.connections.clamp(1, Semaphore::MAX_PERMITS)));
    let open = Open::default();
    let mut connections = JoinSet::new();
    let mut number = 0;
    while let Some((stream, ip, permit)) = next(&listener, &permits, &stop).await {
        while connections.try_join_next().is_some() {}
        number += 1;
        let pulse = Arc::new(Pulse::new());
        let listed = Listed::new(&open, number, &pulse);
        let peer = Peer { ip, trusted: Arc::clone(&trusted) };
        let service = entry::service(filters.clone(), peer, Arc::clone(&pulse));
        let tls = tls.clone();
        connections.spawn(async move {
            match tls {
                None => connection::drive(stream, service, pulse, deadlines).await,
                // Boxed: connections without TLS need not be as large.
                Some(tls) => Box::pin(secure(tls, stream, service, pulse, deadlines)).await,
            }
            drop((listed, permit));
        });
    }
    drop(listener);
    for pulse in lock(&open).values() {
        pulse.close();
    }
    let drained = async { while connections.join_next().await.is_some() {} };
    if timeout(drain, drained).await.is_err() {
        connections.shutdown().await;
    }
}

/// Shakes hands and serves what comes then: in the connection's own task, and within the time that its
/// first head has, so that who shakes no hands holds up nobody.
async fn secure<S>(tls: Tls, stream: TcpStream, service: S, pulse: Arc<Pulse>, deadlines: Deadlines)
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible>,
{
    let shaken = tokio::select! {
        shaken = timeout(deadlines.head, tls.acceptor.accept(stream)) => shaken,
        () = pulse.closed() => Ok(Err(io::ErrorKind::ConnectionAborted.into())),
    };
    if let Ok(Ok(stream)) = shaken {
        connection::drive(stream, service, pulse, deadlines).await;
    }
}

/// The next connection and its permit; `None` when it is time to stop.
async fn next(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, IpAddr, tokio::sync::OwnedSemaphorePermit)> {
    let accepted = async {
        let permit = Arc::clone(permits).acquire_owned().await.ok()?;
        let mut pause = BACK_OFF.0;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    // Without it a small answer waits for the sender's delayed acknowledgement.
                    let _ = stream.set_nodelay(true);
                    return Some((stream, peer.ip().to_canonical(), permit));
                }
                Err(error) if of_one_connection(&error) => {}
                Err(_) => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(BACK_OFF.1);
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        accepted = accepted => accepted,
    }
}

/// Whether an error is of the connection that was to be accepted, and not of the listener.
fn of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

/// A connection's place among the open ones.
struct Listed {
    open: Open,
    number: u64,
}

impl Listed {
    fn new(open: &Open, number: u64, pulse: &Arc<Pulse>) -> Self {
        lock(open).insert(number, Arc::clone(pulse));
        Self { open: Arc::clone(open), number }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        lock(&self.open).remove(&self.number);
    }
}

fn lock(open: &Open) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Pulse>>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

fn duration(ms: Ms) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
