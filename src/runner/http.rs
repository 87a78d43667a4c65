//! One HTTP exchange: what leaves, what comes back, and within which bounds.

use super::guard::{Guard, Refused, Unresolved};
use crate::model::Ms;
use crate::model::time::SECOND;
use crate::rules::retry::Transport;
use crate::rules::template::Outgoing;
use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method, Proxy, Request, Response, Url};
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Host;

/// Bytes of an answer that are read; outputs are taken from the whole of it.
pub const ANSWER_BYTES: usize = 6 << 20;
/// How long a connection may take to be made: so that "no connection" and "no answer" differ.
const CONNECT: Duration = Duration::from_secs(4);
/// How long a connection that nobody uses is kept: shorter than the five seconds after which common
/// servers close theirs, since a request that meets the closing has an unknown outcome.
const IDLE: Duration = Duration::from_secs(4);
/// Connections to a target that are kept while nobody uses them.
const IDLE_CONNECTIONS: usize = 256;
/// Different settings of connections that are kept ready.
const CLIENTS: usize = 64;

/// What came of an exchange.
#[derive(Debug)]
pub enum Came {
    /// An answer.
    Answer(Answer),
    /// None.
    Nothing {
        /// Whether something may have left.
        failure: Transport,
        /// In words.
        cause: String,
    },
    /// Nothing was sent, and nothing ever will be: the guard, a URL that is none.
    Blocked(String),
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its code.
    pub status: u16,
    /// In order, names in lower case; bytes that are not UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// Up to [`ANSWER_BYTES`].
    pub body: Bytes,
    /// Whether that is all of it.
    pub whole: bool,
    /// `Retry-After`, in milliseconds from now.
    pub retry_after: Option<Ms>,
}

/// What makes two requests share connections.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    proxy: Option<String>,
    verify_tls: bool,
    ca_file: Option<String>,
}

/// Sends requests; connections are kept and shared. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Http {
    guard: Guard,
    /// The client of most steps: no proxy, no own authority.
    plain: Client,
    clients: Arc<Mutex<HashMap<Key, Client>>>,
}

impl Http {
    /// A sender under a guard.
    ///
    /// # Errors
    /// TLS could not be set up.
    pub fn new(guard: Guard) -> Result<Self, String> {
        let plain = client(&guard, &Key { proxy: None, verify_tls: true, ca_file: None })?;
        Ok(Self { guard, plain, clients: Arc::default() })
    }

    fn client(&self, outgoing: &Outgoing) -> Result<Client, String> {
        if outgoing.proxy.is_none() && outgoing.verify_tls && outgoing.ca_file.is_none() {
            return Ok(self.plain.clone());
        }
        let key = Key {
            proxy: outgoing.proxy.clone(),
            verify_tls: outgoing.verify_tls,
            ca_file: outgoing.ca_file.clone(),
        };
        if let Some(client) = self.clients.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(client.clone());
        }
        let made = client(&self.guard, &key)?;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= CLIENTS {
            clients.clear();
        }
        Ok(clients.entry(key).or_insert(made).clone())
    }

    /// Makes an exchange. `engine` headers replace those of the document; `timeout` is for all of it.
    pub async fn exchange(
        &self,
        outgoing: &Outgoing,
        engine: &[(HeaderName, String)],
        timeout: Ms,
        now: Ms,
    ) -> Came {
        let url = match Url::parse(&outgoing.url) {
            Ok(url) => url,
            Err(error) => return Came::Blocked(format!("{:?} is no URL: {error}", outgoing.url)),
        };
        if let Err(refused) = self.allowed(outgoing, &url).await {
            return Came::Blocked(refused);
        }
        let request = match request(outgoing, url, engine, timeout) {
            Ok(request) => request,
            Err(why) => return Came::Blocked(why),
        };
        let client = match self.client(outgoing) {
            Ok(client) => client,
            Err(why) => return Came::Blocked(why),
        };
        match client.execute(request).await {
            Ok(response) => read(response, timeout, now).await,
            Err(error) => nothing(&error, timeout),
        }
    }

    /// Judges a request as [`Http::exchange`] would, and sends nothing: names are looked up, nobody is
    /// connected to.
    ///
    /// # Errors
    /// Why it would not be sent, in words.
    pub async fn permitted(&self, outgoing: &Outgoing) -> Result<(), String> {
        let url =
            Url::parse(&outgoing.url).map_err(|error| format!("{:?} is no URL: {error}", outgoing.url))?;
        self.allowed(outgoing, &url).await?;
        match (&outgoing.proxy, url.host()) {
            (None, Some(Host::Domain(name))) => {
                let looked_up = self.guard.resolve_name(name.to_owned());
                let late = || format!("{name} cannot be resolved: nobody answered within {CONNECT:?}");
                let found = tokio::time::timeout(CONNECT, looked_up).await.map_err(|_| late())?;
                found.map(drop).map_err(|error| error.to_string())
            }
            _ => Ok(()),
        }
    }

    async fn allowed(&self, outgoing: &Outgoing, url: &Url) -> Result<(), String> {
        let Some(proxy) = &outgoing.proxy else {
            return self.guard.check_literal(url).map_err(|refused| refused.to_string());
        };
        let proxy_url =
            Url::parse(proxy).map_err(|error| format!("the connection's proxy is no URL: {error}"))?;
        self.guard.check_literal(&proxy_url).map_err(|refused| format!("the proxy {refused}"))?;
        self.guard.check_behind_proxy(url).await.map_err(|refused| refused.to_string())
    }
}

fn client(guard: &Guard, key: &Key) -> Result<Client, String> {
    let mut builder = Client::builder()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .dns_resolver(Arc::new(guard.clone()))
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .tcp_nodelay(true);
    if let Some(proxy) = &key.proxy {
        let proxy = Proxy::all(proxy)
            .map_err(|error| format!("the connection's proxy cannot be used: {}", root(&error)))?;
        builder = builder.proxy(proxy);
    }
    if !key.verify_tls {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    if let Some(file) = &key.ca_file {
        let pem = std::fs::read(file).map_err(|error| format!("ca_file {file} cannot be read: {error}"))?;
        let certificates = Certificate::from_pem_bundle(&pem)
            .map_err(|error| format!("ca_file {file} has no certificate: {error}"))?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|error| format!("TLS could not be set up: {}", root(&error)))
}

fn request(
    outgoing: &Outgoing,
    url: Url,
    engine: &[(HeaderName, String)],
    timeout: Ms,
) -> Result<Request, String> {
    let method = Method::from_bytes(outgoing.method.as_bytes())
        .map_err(|_| format!("{:?} is no method", outgoing.method))?;
    let mut request = Request::new(method, url);
    *request.timeout_mut() = Some(Duration::from_millis(timeout.unsigned_abs()));
    let headers = request.headers_mut();
    headers.reserve(outgoing.headers.len() + engine.len() + 1);
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("pointsman/", env!("CARGO_PKG_VERSION"))));
    let mut replaced = false;
    for (name, value) in &outgoing.headers {
        let parsed =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{name:?} is no header name"))?;
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| format!("the value of the header {name} has a line break or a control character"))?;
        if parsed == USER_AGENT && !replaced {
            replaced = true;
            headers.insert(parsed, value);
        } else {
            headers.append(parsed, value);
        }
    }
    for (name, value) in engine {
        let value = HeaderValue::from_str(value).map_err(|_| format!("{value:?} is no header value"))?;
        headers.insert(name.clone(), value);
    }
    if let Some(body) = &outgoing.body {
        *request.body_mut() = Some(body.clone().into());
    }
    Ok(request)
}

/// Reads an answer up to its bound.
async fn read(mut response: Response, timeout: Ms, now: Ms) -> Came {
    let status = response.status().as_u16();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| parse_retry_after(value, now));
    let headers = texts(response.headers());
    let mut whole = true;
    // Most answers come in one piece, and need no copy.
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(None) => break,
            Ok(Some(chunk)) if first.is_empty() => first = chunk,
            Ok(Some(chunk)) => {
                if rest.is_empty() {
                    rest.extend_from_slice(&first);
                }
                rest.extend_from_slice(&chunk);
            }
            Err(error) if error.is_timeout() => return nothing(&error, timeout),
            Err(error) => {
                return Came::Nothing {
                    failure: Transport::Broken,
                    cause: format!("the answer {status} broke off: {}", root(&error)),
                };
            }
        }
        if first.len().max(rest.len()) > ANSWER_BYTES {
            whole = false;
            break;
        }
    }
    let mut body = if rest.is_empty() { first } else { rest.freeze() };
    body.truncate(ANSWER_BYTES);
    Came::Answer(Answer { status, headers, body, whole, retry_after })
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}

/// Seconds, or a date (RFC 9110 section 10.2.3).
fn parse_retry_after(value: &HeaderValue, now: Ms) -> Option<Ms> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Ms::from(seconds) * SECOND);
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_millisecond();
    Some((at - now).max(0))
}

/// An exchange without an answer.
fn nothing(error: &reqwest::Error, timeout: Ms) -> Came {
    if let Some(refused) = find::<Refused>(error) {
        return Came::Blocked(refused.to_string());
    }
    if let Some(unresolved) = find::<Unresolved>(error) {
        return Came::Nothing { failure: Transport::NoConnection, cause: unresolved.to_string() };
    }
    let host = error.url().map_or_else(|| "the target".to_owned(), authority);
    if error.is_connect() {
        let why = if error.is_timeout() { "it takes too long".to_owned() } else { root(error) };
        return Came::Nothing {
            failure: Transport::NoConnection,
            cause: format!("no connection to {host}: {why}"),
        };
    }
    let cause = if error.is_timeout() {
        format!("{host} gave no answer within {}", seconds(timeout))
    } else {
        format!("{host} broke the connection off: {}", root(error))
    };
    Came::Nothing { failure: Transport::Broken, cause }
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or("the target");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn seconds(ms: Ms) -> String {
    if ms % SECOND == 0 { format!("{}s", ms / SECOND) } else { format!("{ms}ms") }
}

/// The innermost error: what really happened.
fn root(error: &(dyn Error + 'static)) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    match inner.downcast_ref::<std::io::Error>() {
        // Without ` (os error 111)`, which says nothing to people.
        Some(io) if io.raw_os_error().is_some() => {
            let text = io.to_string();
            text.rsplit_once(" (os error").map_or(text.clone(), |(head, _)| head.to_lowercase())
        }
        _ => inner.to_string(),
    }
}

/// The error of a kind in a chain of causes; boxed errors hide inside an `io::Error` too.
fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let mut inner = Some(error);
    while let Some(at) = inner {
        if let Some(found) = at.downcast_ref::<E>() {
            return Some(found);
        }
        if let Some(found) = at
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .and_then(|boxed| boxed.downcast_ref())
        {
            return Some(found);
        }
        inner = at.source();
    }
    None
}
