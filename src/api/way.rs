//! The way to the other end: a unix socket, or TCP with or without TLS.

use crate::model::credential::Secret;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::Verifier;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

/// Until a connection must be made.
const CONNECT: Duration = Duration::from_secs(10);

/// A connection of any kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Where an operators' API listens.
#[derive(Clone)]
pub struct Url {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Url {
    /// Reads `http://…` or `https://…`. Plain HTTP is for this machine alone, since a token that
    /// crosses a network in the clear is everybody's.
    ///
    /// # Errors
    /// A sentence that says what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("{text}: the URL of an operators' API is expected, like https://gate.example.com:7701")
        };
        let url = url::Url::parse(text).map_err(|_| wrong())?;
        let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let port = url.port_or_known_default().filter(|_| plain && url.username().is_empty());
        let (Some(port), Some(host)) = (port, url.host()) else { return Err(wrong()) };
        let bare = match &host {
            url::Host::Domain(name) => (*name).to_owned(),
            url::Host::Ipv4(ip) => ip.to_string(),
            url::Host::Ipv6(ip) => ip.to_string(),
        };
        let tls = match url.scheme() {
            "https" => {
                let name = ServerName::try_from(bare.clone()).map_err(|_| wrong())?;
                Some((connector()?, name))
            }
            "http" if is_here(&bare) => None,
            "http" => {
                return Err(format!(
                    "{text}: the token would cross the network in the clear: use https://, or a tunnel (ssh -L 7701:127.0.0.1:{port} {bare}) and http://127.0.0.1:7701"
                ));
            }
            _ => return Err(wrong()),
        };
        Ok(Self { host: bare, port, tls })
    }

    /// Host and port.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// Believes what the system believes (`SSL_CERT_FILE` adds to that, as for every program).
fn connector() -> Result<TlsConnector, String> {
    let failed = |error: rustls::Error| format!("TLS does not start: {error}");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::new(Arc::clone(&provider)).map_err(failed)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// How a client gets there.
#[derive(Clone)]
pub(super) enum Way {
    /// A socket in a data folder.
    Socket(PathBuf),
    /// An operators' API, and the token.
    Url(Box<Url>, Arc<Secret>),
}

impl Way {
    /// What it is called in messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Socket(path) => path.display().to_string(),
            Self::Url(url, _) => url.authority(),
        }
    }

    /// What `Host` says.
    pub(super) fn host(&self) -> String {
        match self {
            Self::Socket(_) => "pointsman".to_owned(),
            Self::Url(url, _) => url.authority(),
        }
    }

    /// What `Authorization` says.
    pub(super) fn authorization(&self) -> Option<String> {
        match self {
            Self::Socket(_) => None,
            Self::Url(_, token) => Some(format!("Bearer {}", token.reveal())),
        }
    }

    /// Makes a connection.
    pub(super) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "nobody answers within 10 s");
        tokio::time::timeout(CONNECT, self.reach()).await.map_err(late)?
    }

    async fn reach(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Socket(path) => Ok(Box::new(UnixStream::connect(path).await?)),
            Self::Url(url, _) => {
                let stream = TcpStream::connect((url.host.as_str(), url.port)).await?;
                // Keys shall not wait for an acknowledgement.
                stream.set_nodelay(true)?;
                Ok(match &url.tls {
                    None => Box::new(stream),
                    Some((tls, name)) => Box::new(tls.connect(name.clone(), stream).await?),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_tokens_stay_off_the_network() {
        for (text, authority, tls) in [
            ("http://127.0.0.1:7701", "127.0.0.1:7701", false),
            ("http://localhost:7701/", "localhost:7701", false),
            ("http://[::1]:7701", "[::1]:7701", false),
            ("https://gate.example.com", "gate.example.com:443", true),
        ] {
            let url = Url::parse(text).unwrap_or_else(|why| panic!("{why}"));
            assert_eq!((url.authority().as_str(), url.tls.is_some()), (authority, tls));
        }
        for wrong in
            ["gate:7701", "gate", "ftp://gate", "http://127.0.0.1/x", "https://u@gate", "http://127.0.0.1/?a"]
        {
            assert!(Url::parse(wrong).err().is_some_and(|why| why.contains("is expected")), "{wrong}");
        }
        let clear = Url::parse("http://gate:7701").err().unwrap();
        assert!(clear.contains("in the clear"), "{clear}");
    }
}
