//! The asking end: a connection a question, and a stream of what changes.

use super::way::{Url, Way};
use super::wire::{OutFollowing, Outgoing, unreadable};
use super::{MAX_ASK, SOCKET, VERSION, VERSION_HEADER};
use crate::model::ask::{Answer, Ask, Changes, Refusal, Who, from_json};
use crate::model::credential::Secret;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of an answer: a request's body three times over (as a tree, flat, and base64) and some.
const MAX_ANSWER: usize = 256 << 20;
/// Bytes of a line of the change stream.
const MAX_LINE: usize = 4 << 20;
/// How long nothing may come on a link: the other end sends something every five seconds.
const SILENCE: Duration = Duration::from_secs(7);

/// The way to a running server: through the socket in its data folder, or its operators' API.
#[derive(Clone)]
pub struct Client {
    way: Way,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Client").field(&self.way.name()).finish()
    }
}

impl Client {
    /// The client of a data folder; `None` where nobody answers on its socket.
    #[must_use]
    pub fn connect(folder: &Path) -> Option<Self> {
        let path = folder.join(SOCKET);
        std::os::unix::net::UnixStream::connect(&path).ok().map(|_| Self { way: Way::Socket(path) })
    }

    /// The client of an operators' API.
    #[must_use]
    pub fn to(url: Url, token: Secret) -> Self {
        Self { way: Way::Url(Box::new(url), Arc::new(token)) }
    }

    /// Asks, and waits for the answer for as long as it takes: an order to many runs takes its time.
    ///
    /// # Errors
    /// What the desk refuses; `link` where the connection breaks or nobody answers any more;
    /// `version` where the other end is another version and the two do not understand each other.
    pub async fn ask(&self, who: &Who, ask: &Ask) -> Result<Answer, Refusal> {
        let body = serde_json::to_vec(&Outgoing { who, ask })
            .map_err(|error| Refusal::usage(format!("the question cannot be written: {error}")))?;
        if body.len() > MAX_ASK {
            return Err(Refusal {
                code: "too_large".to_owned(),
                message: "the question is over 8 MiB".to_owned(),
                exit: 2,
            });
        }
        let sent = self.send("POST", "/ask", body).await?;
        let ok = sent.status() == StatusCode::OK;
        let running = version(&sent);
        let body = Limited::new(sent.into_body(), MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| self.broken(&error.to_string()))?
            .to_bytes();
        let unread = |error: String| unreadable(running.as_deref(), &error);
        if ok { from_json(&body).map_err(unread) } else { Err(from_json(&body).map_err(unread)?) }
    }

    /// What changes from now on; the first is a snapshot of the header's figures.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub async fn changes(&self) -> Result<ChangeStream, Refusal> {
        let sent = self.send("GET", "/changes", Vec::new()).await?;
        self.streamed(sent, None).await
    }

    /// The link of a console: what changes, from the place on where an earlier link was cut.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub async fn follow(&self, who: &Who, place: Option<&str>) -> Result<ChangeStream, Refusal> {
        let body = serde_json::to_vec(&OutFollowing { who, place })
            .map_err(|error| Refusal::usage(format!("the question cannot be written: {error}")))?;
        let sent = tokio::time::timeout(SILENCE, self.send("POST", "/changes", body))
            .await
            .map_err(|_| self.broken("it says nothing"))??;
        self.streamed(sent, Some(SILENCE)).await
    }

    async fn streamed(
        &self,
        sent: Response<Incoming>,
        silence: Option<Duration>,
    ) -> Result<ChangeStream, Refusal> {
        let running = version(&sent);
        if sent.status() == StatusCode::OK {
            let (body, rest) = (sent.into_body(), BytesMut::new());
            return Ok(ChangeStream { body, rest, running, silence, heard: Instant::now() });
        }
        let status = sent.status();
        let body = Limited::new(sent.into_body(), MAX_LINE)
            .collect()
            .await
            .map_err(|error| self.broken(&error.to_string()))?
            .to_bytes();
        // Older ones have no links: what they answer is no refusal of ours.
        Err(from_json(&body).unwrap_or_else(|_| unreadable(running.as_deref(), &format!("status {status}"))))
    }

    /// The counters in Prometheus' text format.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub async fn metrics(&self) -> Result<String, Refusal> {
        let sent = self.send("GET", "/metrics", Vec::new()).await?;
        let body = Limited::new(sent.into_body(), MAX_LINE)
            .collect()
            .await
            .map_err(|error| self.broken(&error.to_string()))?;
        Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
    }

    async fn send(&self, method: &str, path: &str, body: Vec<u8>) -> Result<Response<Incoming>, Refusal> {
        let stream = self.way.connect().await.map_err(|error| self.broken(&error.to_string()))?;
        let (mut sender, connection) = http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream))
            .await
            .map_err(|error| self.broken(&error.to_string()))?;
        tokio::spawn(async move {
            // What breaks here is seen by whoever waits for the answer.
            let _ = connection.await;
        });
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.way.host())
            .header(CONTENT_TYPE, "application/json")
            .header(VERSION_HEADER, VERSION);
        if let Some(authorization) = self.way.authorization() {
            let mut value = HeaderValue::try_from(authorization)
                .map_err(|_| Refusal::usage("the token has characters that no token has"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let request =
            request.body(Full::new(Bytes::from(body))).map_err(|error| Refusal::failed(error.to_string()))?;
        sender.send_request(request).await.map_err(|error| self.broken(&error.to_string()))
    }

    fn broken(&self, error: &str) -> Refusal {
        link(format!("the pointsman on {} does not answer: {error}", self.way.name()))
    }
}

fn link(message: String) -> Refusal {
    Refusal { code: "link".to_owned(), message, exit: 1 }
}

fn version(sent: &Response<Incoming>) -> Option<String> {
    sent.headers().get(VERSION_HEADER).map(|version| String::from_utf8_lossy(version.as_bytes()).into_owned())
}

/// What changes at the other end, merged there for as long as nobody reads here.
#[derive(Debug)]
pub struct ChangeStream {
    body: Incoming,
    rest: BytesMut,
    running: Option<String>,
    /// How long nothing may come before the link counts as cut.
    silence: Option<Duration>,
    heard: Instant,
}

impl ChangeStream {
    /// When anything came last.
    #[must_use]
    pub fn heard(&self) -> Instant {
        self.heard
    }

    /// The version at the other end, where it says one.
    #[must_use]
    pub fn running(&self) -> Option<&str> {
        self.running.as_deref()
    }

    /// The next changes, once there are any. Safe to cancel.
    ///
    /// # Errors
    /// `link` where the other end has gone, `version` where it cannot be understood.
    pub async fn next(&mut self) -> Result<Changes, Refusal> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line = self.rest.split_to(end + 1);
                // An empty line only says that the link is there.
                if line.len() == 1 {
                    continue;
                }
                return from_json(&line).map_err(|error| unreadable(self.running.as_deref(), &error));
            }
            if self.rest.len() > MAX_LINE {
                return Err(unreadable(self.running.as_deref(), "a line is over 4 MiB"));
            }
            let frame = match self.silence {
                None => self.body.frame().await,
                Some(silence) => match tokio::time::timeout(silence, self.body.frame()).await {
                    Ok(frame) => frame,
                    Err(_) => return Err(link(format!("nothing came for {} s", silence.as_secs()))),
                },
            };
            self.heard = Instant::now();
            match frame {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.rest.extend_from_slice(&data);
                    }
                }
                Some(Err(_)) => return Err(link("connection closed by the other side".to_owned())),
                None => return Err(link("the other side stopped".to_owned())),
            }
        }
    }
}
