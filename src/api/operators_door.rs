//! `--operator-listen`: the operators' API over TCP, for who has a token. Bounded in connections, times
//! and sizes, and apart from the public listener: what happens here costs the receiver nothing.

use super::Tell;
use super::serving::{Caller, Serving};
use crate::desk::Desk;
use hyper_util::server::graceful::GracefulShutdown;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Connections at once; more wait in the listener's own queue.
pub const GUESTS: usize = 64;
/// Until hands must be shaken, and until the head of a question must be there; an idle connection is
/// closed after it too.
const HEAD: Duration = Duration::from_secs(10);
/// What a connection may finish in once the process stops.
const DRAIN: Duration = Duration::from_secs(3);
/// After an accept that failed: others may give file handles back.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers operators until `stop`.
pub async fn serve_operators(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    desk: Desk,
    tell: Tell,
    stop: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(GUESTS));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = async {
            let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
            Some((listener.accept().await, slot))
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accepted => accepted,
        };
        let Some((Ok((stream, peer)), slot)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // Without it a small answer waits for the other end's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        let serving = Serving {
            desk: desk.clone(),
            stop: stop.clone(),
            caller: Caller::Guest(peer.ip().to_canonical().to_string()),
            tell: Arc::clone(&tell),
        };
        let (tls, watcher) = (tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            match tls {
                None => serving.drive(stream, HEAD, watcher).await,
                Some(tls) => {
                    // In the connection's own task: who shakes no hands holds up nobody.
                    if let Ok(Ok(stream)) = tokio::time::timeout(HEAD, tls.accept(stream)).await {
                        serving.drive(stream, HEAD, watcher).await;
                    }
                }
            }
            drop(slot);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
}
