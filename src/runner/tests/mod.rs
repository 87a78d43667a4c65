//! A target that speaks HTTP byte by byte, and what is tried with it.

mod exchanges;
mod runs;

use crate::model::settings::{Limits, Settings};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// What the target does with each connection: the bytes that it answers to each request.
type Script = Arc<dyn Fn(usize, &str) -> Reply + Send + Sync>;

enum Reply {
    /// These bytes, and the connection stays open.
    Keep(Vec<u8>),
    /// These bytes, and the connection closes.
    Close(Vec<u8>),
    /// These bytes, once the gate is opened.
    Held(Vec<u8>, Arc<Semaphore>),
    /// Nothing, for ever.
    Silence,
}

struct Target {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Target {
    async fn start(script: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let (script, kept): (Script, _) = (Arc::new(script), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&kept)));
            }
        });
        Self { address, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, script: Script, seen: Arc<Mutex<Vec<String>>>) {
    let mut buffer = Vec::new();
    loop {
        let request = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
                let length = head
                    .lines()
                    .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok())
                    .unwrap_or(0);
                if buffer.len() >= end + 4 + length {
                    let request = String::from_utf8_lossy(&buffer[..end + 4 + length]).into_owned();
                    buffer.drain(..end + 4 + length);
                    break request;
                }
            }
            let mut chunk = [0; 4096];
            match stream.read(&mut chunk).await {
                Ok(read) if read > 0 => buffer.extend_from_slice(&chunk[..read]),
                _ => return,
            }
        };
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len()
        };
        match script(number, &request) {
            Reply::Keep(bytes) => stream.write_all(&bytes).await.unwrap(),
            Reply::Close(bytes) => {
                let _ = stream.write_all(&bytes).await;
                return;
            }
            Reply::Held(bytes, gate) => {
                gate.acquire().await.unwrap().forget();
                let _ = stream.write_all(&bytes).await;
            }
            Reply::Silence => std::future::pending().await,
        }
    }
}

fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
}

fn settings(allow: Option<&[&str]>) -> Settings {
    Settings {
        data: "/nowhere".into(),
        listen: "127.0.0.1:7700".parse().unwrap(),
        public_url: "http://127.0.0.1:7700".to_owned(),
        public_url_given: false,
        read_only: false,
        limits: Limits::default(),
        allow_networks: allow.map(|nets| nets.iter().map(|net| net.parse().unwrap()).collect()),
        inbound: crate::model::gate::Inbound::default(),
        connections: crate::model::settings::Globals::default(),
    }
}
