//! HTTPS: the certificate and its key from their files, the server's side of the handshake, and the
//! self-probe's, which believes that certificate alone.

use super::pulse::Peek;
use crate::model::gate::TlsFiles;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, ServerConfig, SignatureScheme};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// What HTTPS is served with.
#[derive(Clone)]
pub struct Tls {
    pub(super) acceptor: TlsAcceptor,
    pub(super) connector: TlsConnector,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// The server's side, for who else listens under the same certificate.
    #[must_use]
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Reads the files.
    ///
    /// # Errors
    /// A sentence that names the file, and says what is wrong with it.
    pub fn read(files: &TlsFiles) -> Result<Self, String> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.cert)
            .and_then(Iterator::collect)
            .map_err(|error| unread("--tls-cert", &files.cert, &error, "certificate"))?;
        let Some(own) = chain.first().cloned() else {
            return Err(format!("--tls-cert {}: there is no PEM certificate in it", files.cert.display()));
        };
        let key = PrivateKeyDer::from_pem_file(&files.key)
            .map_err(|error| unread("--tls-key", &files.key, &error, "private key"))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let of_version = |error: rustls::Error| format!("TLS does not start: {error}");
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(of_version)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| misfit(files, &error))?;
        let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(of_version)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Own { certificate: own, provider }))
            .with_no_client_auth();
        let mut server = server;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(server)),
            connector: TlsConnector::from(Arc::new(client)),
        })
    }
}

/// What lies under TLS says nothing of the end: a sender that hangs up says so in a record of its own.
/// So records are taken off the socket; what they hold is kept in the session for its reader.
impl Peek for TlsStream<TcpStream> {
    fn peek(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let (stream, session) = self.get_mut();
        loop {
            let state = session
                .process_new_packets()
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            if state.plaintext_bytes_to_read() > 0 {
                return Poll::Ready(Ok(state.plaintext_bytes_to_read()));
            }
            if state.peer_has_closed() {
                return Poll::Ready(Ok(0));
            }
            ready!(stream.poll_read_ready(context))?;
            match session.read_tls(&mut AtOnce(stream)) {
                Ok(0) => return Poll::Ready(Ok(0)),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

/// Reads what is there.
struct AtOnce<'s>(&'s TcpStream);

impl io::Read for AtOnce<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

fn unread(flag: &str, path: &Path, error: &pem::Error, what: &str) -> String {
    let path = path.display();
    match error {
        pem::Error::Io(error) => format!("{flag} {path} cannot be read: {error}"),
        pem::Error::NoItemsFound => format!("{flag} {path}: there is no PEM {what} in it"),
        error => format!("{flag} {path} is no sound PEM: {error}"),
    }
}

/// Why the two do not go together.
fn misfit(files: &TlsFiles, error: &rustls::Error) -> String {
    let (cert, key) = (files.cert.display(), files.key.display());
    match error {
        rustls::Error::InconsistentKeys(_) => {
            format!("--tls-key {key} is not the private key of the first certificate in {cert}")
        }
        rustls::Error::InvalidCertificate(why) => {
            format!("--tls-cert {cert}: the certificate is not sound: {why:?}")
        }
        rustls::Error::General(why) => format!("--tls-key {key}: the private key cannot be used: {why}"),
        other => format!("--tls-cert {cert} and --tls-key {key} cannot be used: {other}"),
    }
}

/// Believes one certificate, whoever signed it and whatever name it has: our own, which the probe
/// meets at our own address.
#[derive(Debug)]
struct Own {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Own {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.certificate {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::General("another certificate answers".to_owned()))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(cert: Option<&str>, key: Option<&str>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let files = TlsFiles { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
        for (path, text) in [(&files.cert, cert), (&files.key, key)] {
            if let Some(text) = text {
                std::fs::write(path, text).unwrap();
            }
        }
        Tls::read(&files).unwrap_err().replace(&folder.path().display().to_string(), "")
    }

    const CERT: &str = include_str!("../../tests/it/tls/cert.pem");
    const KEY: &str = include_str!("../../tests/it/tls/key.pem");

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_name() {
        for (cert, key, start) in [
            (None, None, "--tls-cert /cert.pem cannot be read: "),
            (Some(""), None, "--tls-cert /cert.pem: there is no PEM certificate in it"),
            (Some(KEY), None, "--tls-cert /cert.pem: there is no PEM certificate in it"),
            (Some("-----BEGIN CERTIFICATE-----\nAAAA"), None, "--tls-cert /cert.pem is no sound PEM: "),
            (Some(CERT), None, "--tls-key /key.pem cannot be read: "),
            (Some(CERT), Some(CERT), "--tls-key /key.pem: there is no PEM private key in it"),
            (
                Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                Some(KEY),
                "--tls-cert /cert.pem: the certificate is not sound: ",
            ),
        ] {
            let said = said(cert, key);
            assert!(said.starts_with(start), "{said}");
        }
        let other = include_str!("../../tests/it/tls/other-key.pem");
        assert_eq!(
            said(Some(CERT), Some(other)),
            "--tls-key /key.pem is not the private key of the first certificate in /cert.pem"
        );
    }
}
