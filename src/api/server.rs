//! The listening end: a unix socket that only its owner may open, bounded in connections, sizes and
//! times.

use super::wire::{Envelope, mismatch, reads, status};
use super::{MAX_ASK, SOCKET, VERSION, VERSION_HEADER, metrics, peer};
use crate::desk::Desk;
use crate::model::ask::{Refusal, Who, from_json};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Connections at once; more wait in the listener's own queue.
pub const CONNECTIONS: usize = 64;
/// Until the headers of a question must be there; an idle connection is closed after it too.
const HEAD: Duration = Duration::from_secs(30);
/// Until the body of a question must be there.
const BODY: Duration = Duration::from_secs(30);
/// What a connection may finish in once the process stops.
const DRAIN: Duration = Duration::from_secs(3);
/// Bytes that a connection buffers; a change stream that is not read keeps no more than this.
const BUFFER: usize = 64 << 10;
/// The most that a socket's path may have: `sun_path` holds 108 bytes with its end on Linux, 104 on
/// others.
const MAX_PATH: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

type Sent = Response<BoxBody<Bytes, Infallible>>;

/// Why the socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The system bounds the length of a socket's path.
    #[error(
        "the socket {path} cannot be made: its path has {length} bytes and the system takes {MAX_PATH}; choose a shorter data folder (--data)"
    )]
    TooLong {
        /// The path.
        path: String,
        /// Its bytes.
        length: usize,
    },
    /// Another process answers on it.
    #[error("another pointsman answers on {path}: stop it, or choose another data folder (--data)")]
    Taken {
        /// The path.
        path: String,
    },
    /// Anything else.
    #[error("the socket {path} cannot be made: {error}")]
    Other {
        /// The path.
        path: String,
        /// In words.
        error: io::Error,
    },
}

/// The open socket, before anybody is answered.
#[derive(Debug)]
pub struct Door {
    listener: UnixListener,
    path: PathBuf,
}

impl Door {
    /// Opens the socket of a data folder, replacing one that nobody answers on.
    ///
    /// It is made under another name, closed to all but its owner and only then moved to its place,
    /// so there is no moment in which others could open it.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(folder: &Path) -> Result<Self, BindError> {
        let path = folder.join(SOCKET);
        let length = path.as_os_str().len();
        let shown = || path.display().to_string();
        if length > MAX_PATH {
            return Err(BindError::TooLong { path: shown(), length });
        }
        if std::os::unix::net::UnixStream::connect(&path).is_ok() {
            return Err(BindError::Taken { path: shown() });
        }
        let made = folder.join(".bind");
        let open = || {
            match std::fs::remove_file(&made) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = UnixListener::bind(&made)?;
            std::fs::set_permissions(&made, std::fs::Permissions::from_mode(0o600))?;
            std::fs::rename(&made, &path)?;
            Ok(listener)
        };
        match open() {
            Ok(listener) => Ok(Self { listener, path }),
            Err(error) => Err(BindError::Other { path: shown(), error }),
        }
    }

    /// Answers until `stop`, then gives what is under way three seconds and takes the socket away.
    pub async fn serve(self, desk: Desk, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        let graceful = GracefulShutdown::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accept(&self.listener, &slots) => accepted,
            };
            let Ok((stream, slot)) = accepted else {
                // Out of file handles, most likely: others may close some.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let serving = Serving { desk: desk.clone(), stop: stop.clone(), peer: who(&stream) };
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(BUFFER)
                .serve_connection(
                    TokioIo::new(stream),
                    service_fn(move |request| {
                        let serving = serving.clone();
                        async move { Ok::<_, Infallible>(serving.answer(request).await) }
                    }),
                );
            let watched = graceful.watch(connection);
            tokio::spawn(async move {
                // A connection that breaks is the other end's affair.
                let _ = watched.await;
                drop(slot);
            });
        }
        let _ = std::fs::remove_file(&self.path);
        let _ = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
    }
}

/// Opens the socket of a data folder and answers on it until `stop`.
///
/// # Errors
/// See [`BindError`].
pub async fn serve(folder: &Path, desk: Desk, stop: CancellationToken) -> Result<(), BindError> {
    Door::bind(folder)?.serve(desk, stop).await;
    Ok(())
}

async fn accept(
    listener: &UnixListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(UnixStream, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, slot))
}

fn who(stream: &UnixStream) -> String {
    stream.peer_cred().map_or_else(|_| "unknown".to_owned(), |peer| peer::name(peer.uid()))
}

#[derive(Clone)]
struct Serving {
    desk: Desk,
    stop: CancellationToken,
    peer: String,
}

impl Serving {
    async fn answer(self, request: Request<Incoming>) -> Sent {
        let found = match (request.method(), request.uri().path()) {
            (&Method::POST, "/ask") => self.ask(request).await,
            (&Method::GET, "/changes") => Ok(self.changes()),
            (&Method::GET, "/metrics") => {
                let text = metrics::prometheus(&self.desk.counters());
                Ok(full(StatusCode::OK, "text/plain; version=0.0.4", text.into_bytes()))
            }
            (_, "/ask" | "/changes" | "/metrics") => {
                let mut sent = full(StatusCode::METHOD_NOT_ALLOWED, "text/plain", Vec::new());
                let allow = if request.uri().path() == "/ask" { "POST" } else { "GET" };
                sent.headers_mut()
                    .insert(hyper::header::ALLOW, hyper::header::HeaderValue::from_static(allow));
                Ok(sent)
            }
            (_, path) => Err(Refusal::not_found(format!(
                "there is no {path} here: POST /ask, GET /changes, GET /metrics"
            ))),
        };
        let mut sent = found.unwrap_or_else(|refusal| {
            let code = StatusCode::from_u16(status(&refusal)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            json(code, &refusal)
        });
        sent.headers_mut().insert(VERSION_HEADER, hyper::header::HeaderValue::from_static(VERSION));
        sent
    }

    async fn ask(self, request: Request<Incoming>) -> Result<Sent, Refusal> {
        let asking = request
            .headers()
            .get(VERSION_HEADER)
            .map(|version| String::from_utf8_lossy(version.as_bytes()).into_owned());
        let other = asking.as_deref().filter(|asking| *asking != VERSION);
        let body = tokio::time::timeout(BODY, Limited::new(request.into_body(), MAX_ASK).collect())
            .await
            .map_err(|_| Refusal::usage("the question did not come within 30 s"))?
            .map_err(|error| match error.downcast_ref::<http_body_util::LengthLimitError>() {
                Some(_) => Refusal {
                    code: "too_large".to_owned(),
                    message: "the question is over 8 MiB".to_owned(),
                    exit: 2,
                },
                None => Refusal::usage(format!("the question broke off: {error}")),
            })?
            .to_bytes();
        let Envelope { who, ask } = from_json(&body).map_err(|error| match other {
            Some(asking) => mismatch(asking, VERSION),
            None => Refusal::usage(format!("the question cannot be read: {error}")),
        })?;
        if let Some(asking) = other
            && !reads(&ask)
        {
            return Err(mismatch(asking, VERSION));
        }
        let who = self.named(who);
        let desk = self.desk.clone();
        // In a task of its own: who hangs up does not leave an order half done.
        let answer = tokio::spawn(async move { desk.answer(&who, ask).await })
            .await
            .map_err(|error| Refusal::failed(format!("the answer broke off: {error}")))??;
        Ok(json(StatusCode::OK, &answer))
    }

    fn named(&self, who: Option<Who>) -> Who {
        let mut who =
            who.unwrap_or_else(|| Who { name: String::new(), door: "socket".to_owned(), read_only: false });
        if who.name.trim().is_empty() {
            who.name.clone_from(&self.peer);
        }
        who
    }

    fn changes(self) -> Sent {
        let watch = self.desk.watch();
        let lines = futures_util::stream::unfold(watch, |mut watch| async move {
            let changes = watch.next().await;
            let mut line = serde_json::to_vec(&changes).unwrap_or_default();
            line.push(b'\n');
            Some((Ok::<_, Infallible>(Frame::data(Bytes::from(line))), watch))
        });
        let body = StreamBody::new(lines.take_until(self.stop.cancelled_owned()));
        let mut sent = Response::new(BodyExt::boxed(body));
        sent.headers_mut().insert(
            hyper::header::CONTENT_TYPE,
            hyper::header::HeaderValue::from_static("application/x-ndjson"),
        );
        sent
    }
}

fn json(code: StatusCode, value: &impl serde::Serialize) -> Sent {
    match serde_json::to_vec(value) {
        Ok(text) => full(code, "application/json", text),
        Err(error) => full(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", error.to_string().into_bytes()),
    }
}

fn full(code: StatusCode, kind: &'static str, body: Vec<u8>) -> Sent {
    let mut sent = Response::new(BodyExt::boxed(Full::new(Bytes::from(body))));
    *sent.status_mut() = code;
    sent.headers_mut().insert(hyper::header::CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    sent
}
