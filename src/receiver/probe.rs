//! Looks at our own `/healthz` through the listening address, so that the header can say what a
//! sender would find.

use super::tls::Tls;
use crate::feed::Stats;
use rustls::pki_types::ServerName;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(3);

/// Probes at once and then every 5 s until `stop`, and writes down what it found.
pub(super) async fn run(listening: SocketAddr, tls: Option<Tls>, stats: Arc<Stats>, stop: CancellationToken) {
    let address = reachable(listening);
    while let Some(found) = stop.run_until_cancelled(probe(address, tls.as_ref())).await {
        stats.set_probe(found.err());
        if stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none() {
            return;
        }
    }
}

/// An unspecified address is reached through the loopback one.
fn reachable(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

async fn probe(address: SocketAddr, tls: Option<&Tls>) -> Result<(), String> {
    let exchange = async {
        let stream = TcpStream::connect(address).await?;
        match tls {
            None => ask(stream, address).await,
            Some(tls) => {
                let name = ServerName::IpAddress(address.ip().into());
                ask(tls.connector.connect(name, stream).await?, address).await
            }
        }
    };
    match tokio::time::timeout(PATIENCE, exchange).await {
        Ok(Ok(head)) if head == *b"HTTP/1.1 200" => Ok(()),
        Ok(Ok(head)) => {
            Err(format!("{address} answers {} to /healthz", String::from_utf8_lossy(&head).trim()))
        }
        Ok(Err(error)) => Err(format!("{address} cannot be reached: {error}")),
        Err(_) => Err(format!("{address} does not answer within {} s", PATIENCE.as_secs())),
    }
}

async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    address: SocketAddr,
) -> std::io::Result<[u8; 12]> {
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unspecified_address_is_probed_through_loopback() {
        let seen = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(seen("0.0.0.0:7700"), "127.0.0.1:7700");
        assert_eq!(seen("[::]:7700"), "[::1]:7700");
        assert_eq!(seen("192.0.2.1:80"), "192.0.2.1:80");
    }

    #[tokio::test]
    async fn a_port_that_nobody_serves_is_said_so() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(probe(address, None).await.unwrap_err().contains("cannot be reached"));
    }

    #[tokio::test]
    async fn another_answer_than_200_is_told() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 512]).await;
            let _ = stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").await;
        });
        assert!(probe(address, None).await.unwrap_err().contains("HTTP/1.1 503"));
    }
}
