//! One connection's questions: who asks is decided by the door they came in by, then the desk answers.

use super::wire::{Envelope, Following, mismatch, status};
use super::{MAX_ASK, Tell, VERSION, VERSION_HEADER, metrics, stall::Stall};
use crate::desk::{Desk, Pass, Resumed, Watch};
use crate::feed::Place;
use crate::model::ask::{Refusal, Who, from_json};
use crate::model::company::Hello;
use crate::model::operator::Role;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

/// Until the body of a question must be there.
const BODY: Duration = Duration::from_secs(30);
/// Bytes that a connection buffers; a change stream that is not read keeps no more than this.
const BUFFER: usize = 64 << 10;
/// How often something is sent to who follows, so that a link that is cut in silence is noticed.
pub(super) const BEAT: Duration = Duration::from_secs(2);
/// Bytes of a token's header.
const MAX_TOKEN: usize = 1 << 10;

type Sent = Response<BoxBody<Bytes, Infallible>>;

/// Who is at the other end of a connection.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    /// A system user of this machine, who may do everything.
    Peer(String),
    /// Whoever has a token, from an address.
    Guest(String),
}

/// What a connection is answered with.
#[derive(Clone)]
pub(super) struct Serving {
    /// Answers.
    pub(super) desk: Desk,
    /// The process stops.
    pub(super) stop: CancellationToken,
    /// The other end.
    pub(super) caller: Caller,
    /// Says what is worth a line.
    pub(super) tell: Tell,
}

/// Somebody who was let in.
struct Known {
    who: Who,
    from: String,
    pass: Option<Pass>,
}

impl Serving {
    /// Answers a connection until it ends; `head` is the time that the head of a question has, and an
    /// idle connection too.
    pub(super) async fn drive<S>(self, stream: S, head: Duration, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head)
            .max_buf_size(BUFFER)
            .serve_connection(
                TokioIo::new(Stall::new(stream)),
                service_fn(move |request| {
                    let serving = self.clone();
                    async move { Ok::<_, Infallible>(serving.answer(request).await) }
                }),
            );
        // A connection that breaks is the other end's affair.
        let _ = watcher.watch(connection).await;
    }

    async fn answer(self, request: Request<Incoming>) -> Sent {
        let found = match self.pass(&request) {
            Err(refusal) => Err(refusal),
            Ok(pass) => self.route(request, pass).await,
        };
        let mut sent = found.unwrap_or_else(|refusal| {
            let code = StatusCode::from_u16(status(&refusal)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut sent = json(code, &refusal);
            if code == StatusCode::UNAUTHORIZED {
                sent.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            sent
        });
        sent.headers_mut().insert(VERSION_HEADER, HeaderValue::from_static(VERSION));
        sent
    }

    /// The pass of whoever needs one.
    fn pass(&self, request: &Request<Incoming>) -> Result<Option<Pass>, Refusal> {
        let Caller::Guest(_) = &self.caller else { return Ok(None) };
        let given = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let given = std::str::from_utf8(given).ok().filter(|given| given.len() <= MAX_TOKEN);
        let token = given.and_then(|given| {
            let (scheme, token) = given.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        let Some(token) = token else {
            return Err(unknown("a token is needed: Authorization: Bearer …"));
        };
        let pass = self.desk.recognize(token);
        pass.map(Some)
            .ok_or_else(|| unknown("the token is not known here: pointsman operator ls shows who may attach"))
    }

    async fn route(self, request: Request<Incoming>, pass: Option<Pass>) -> Result<Sent, Refusal> {
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/ask") => self.ask(request, pass).await,
            (&Method::POST, "/changes") => self.follow(request, pass).await,
            (&Method::GET, "/changes") => {
                let gone = pass.clone();
                Ok(self.stream(self.desk.watch(), None, gone))
            }
            (&Method::GET, "/metrics") => {
                let text = metrics::prometheus(&self.desk.counters());
                Ok(full(StatusCode::OK, "text/plain; version=0.0.4", text.into_bytes()))
            }
            (_, path @ ("/ask" | "/changes" | "/metrics")) => {
                let mut sent = full(StatusCode::METHOD_NOT_ALLOWED, "text/plain", Vec::new());
                let allow = match path {
                    "/ask" => "POST",
                    "/changes" => "GET, POST",
                    _ => "GET",
                };
                sent.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
                Ok(sent)
            }
            (_, path) => Err(Refusal::not_found(format!(
                "there is no {path} here: POST /ask, POST /changes, GET /changes, GET /metrics"
            ))),
        }
    }

    async fn ask(self, request: Request<Incoming>, pass: Option<Pass>) -> Result<Sent, Refusal> {
        let asking = version(&request);
        let other = asking.as_deref().filter(|asking| *asking != VERSION);
        let Envelope { who, ask } = read(request, other).await?;
        let known = self.known(who, pass);
        if let Some(asking) = other
            && ask.deed().is_some()
        {
            return Err(mismatch(asking, VERSION));
        }
        let (desk, who) = (self.desk.clone(), known.who);
        // In a task of its own: who hangs up does not leave an order half done.
        let answer = tokio::spawn(async move { desk.answer(&who, ask).await })
            .await
            .map_err(|error| Refusal::failed(format!("the answer broke off: {error}")))??;
        Ok(json(StatusCode::OK, &answer))
    }

    /// A console's link: where it was cut it goes on from its place.
    async fn follow(self, request: Request<Incoming>, pass: Option<Pass>) -> Result<Sent, Refusal> {
        let asking = version(&request);
        let other = asking.as_deref().filter(|asking| *asking != VERSION);
        let Following { who, place } = read(request, other).await?;
        let known = self.known(who, pass);
        let place = place.as_deref().and_then(Place::parse);
        let (watch, resumed) = self.desk.resume(&known.who, &known.from, place);
        let name = crate::text::clean(&known.who.name).into_owned();
        let from = &known.from;
        (self.tell)(&match resumed {
            Resumed::Begun => format!("{name} attached from {from}"),
            Resumed::From { seq, missed } => {
                format!("{name} is back from {from}: resumed from change {seq}, {missed} changes came since")
            }
            Resumed::Anew => format!(
                "{name} is back from {from}: reads anew, more than {} changes came since or this process is another one",
                crate::feed::LOG
            ),
        });
        let hello = Hello {
            name: known.who.name.clone(),
            role: if self.desk.is_read_only() { Role::Viewer } else { known.who.role },
            host: host(),
            version: VERSION.to_owned(),
            console: String::new(),
        };
        Ok(self.stream(watch, Some(hello), known.pass))
    }

    fn known(&self, given: Option<Who>, pass: Option<Pass>) -> Known {
        let given = given.unwrap_or_else(|| Who::local("", ""));
        let door = match given.door.as_str() {
            "console" | "command line" => given.door,
            _ if pass.is_some() => "api".to_owned(),
            "" => "socket".to_owned(),
            _ => given.door,
        };
        let given = Who { door, ..given };
        match (&self.caller, pass) {
            // What a guest says of itself counts for nothing but less.
            (Caller::Guest(from), Some(pass)) => Known {
                who: Who { name: pass.name.clone(), role: pass.role, ..given },
                from: from.clone(),
                pass: Some(pass),
            },
            (Caller::Guest(from), None) => {
                Known { who: Who { role: Role::Viewer, ..given }, from: from.clone(), pass: None }
            }
            (Caller::Peer(peer), _) => {
                let name = if given.name.trim().is_empty() { peer.clone() } else { given.name.clone() };
                let who = Who { name, role: Role::Admin, ..given };
                Known { who, from: "this machine".to_owned(), pass: None }
            }
        }
    }

    /// What changes, a line each, until the process stops or the pass is good no more. Where nothing
    /// changes an empty line is sent now and then.
    fn stream(&self, watch: Watch, hello: Option<Hello>, pass: Option<Pass>) -> Sent {
        let beats = hello.is_some();
        let lines = futures_util::stream::unfold((watch, hello), move |(mut watch, mut hello)| async move {
            let changes = if beats {
                tokio::time::timeout(BEAT, watch.next()).await.ok()
            } else {
                Some(watch.next().await)
            };
            let mut line = changes.map_or_else(Vec::new, |mut changes| {
                changes.hello = hello.take();
                serde_json::to_vec(&changes).unwrap_or_default()
            });
            line.push(b'\n');
            Some((Ok::<_, Infallible>(Frame::data(Bytes::from(line))), (watch, hello)))
        });
        let (desk, stop) = (self.desk.clone(), self.stop.clone());
        let over = async move {
            match pass {
                Some(pass) => {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = desk.until_removed(pass) => {}
                    }
                }
                None => stop.cancelled().await,
            }
        };
        let body = StreamBody::new(lines.take_until(Box::pin(over)));
        let mut sent = Response::new(BodyExt::boxed(body));
        sent.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        sent
    }
}

/// Reads a body within its bounds.
async fn read<T: DeserializeOwned>(request: Request<Incoming>, other: Option<&str>) -> Result<T, Refusal> {
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
    from_json(&body).map_err(|error| match other {
        Some(asking) => mismatch(asking, VERSION),
        None => Refusal::usage(format!("the question cannot be read: {error}")),
    })
}

fn version(request: &Request<Incoming>) -> Option<String> {
    let version = request.headers().get(VERSION_HEADER)?;
    Some(String::from_utf8_lossy(version.as_bytes()).into_owned())
}

fn unknown(message: &str) -> Refusal {
    Refusal::refused("unknown", message)
}

/// What this machine is called.
fn host() -> String {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
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
    sent.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    sent
}
