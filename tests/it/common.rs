//! The real binary in a folder of its own, a target that it can call, and clients that call it.

use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a test waits for what must come: long, since machines are small and busy.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for a condition; panics with `what` where it does not come.
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A data folder and the binary that works on it.
pub struct House {
    folder: tempfile::TempDir,
    server: Mutex<Option<Child>>,
    listen: Mutex<Option<SocketAddr>>,
    /// What stands before the binary on the command line: `faketime …`.
    prefix: Vec<String>,
    log: Arc<Mutex<String>>,
}

impl House {
    /// An empty one.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            server: Mutex::new(None),
            listen: Mutex::new(None),
            prefix: Vec::new(),
            log: Arc::default(),
        }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A file beside the data folder.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Writes the configuration file.
    pub fn configure(&self, text: &str) {
        std::fs::create_dir_all(self.data()).unwrap();
        std::fs::write(self.data().join("config.toml"), text).unwrap();
    }

    /// What stands before the binary when it serves.
    pub fn run_under(&mut self, prefix: &[&str]) {
        self.prefix = prefix.iter().map(|word| (*word).to_owned()).collect();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
        self.dress(&mut command);
        command
    }

    fn dress(&self, command: &mut Command) {
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("POINTSMAN_")) {
            command.env_remove(name);
        }
        command.env("POINTSMAN_DATA", self.data()).env("USER", "anna");
    }

    /// Runs a command to its end.
    pub fn try_run(&self, args: &[&str]) -> Output {
        self.command().args(args).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command that must succeed; its stdout.
    pub fn run(&self, args: &[&str]) -> String {
        let output = self.try_run(args);
        assert!(
            output.status.success(),
            "pointsman {args:?} exited with {:?}: {}{}",
            output.status.code(),
            String::from_utf8_lossy(&output.stderr),
            String::from_utf8_lossy(&output.stdout),
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs commands, words with spaces between, in each output; what each printed, on both streams.
    /// None of them may be wrongly written.
    pub fn in_every_output(&self, commands: &[String], mut look: impl FnMut(&str, &str)) {
        for command in commands {
            for output in ["text", "json", "jsonl"] {
                let mut args: Vec<&str> = command.split(' ').collect();
                args.extend(["--output", output]);
                let ran = self.try_run(&args);
                assert_ne!(ran.status.code(), Some(2), "{command}: {ran:?}");
                let text = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
                look(command, &text);
            }
        }
    }

    /// Runs a command with `--output json`; what it printed.
    pub fn json(&self, args: &[&str]) -> Value {
        let mut all = args.to_vec();
        all.extend(["--output", "json"]);
        serde_json::from_str(&self.run(&all)).unwrap()
    }

    /// What `requests show` says, once what the sender was told is noted.
    pub fn told(&self, request: &str) -> Value {
        wait_for("the answer to be noted", || {
            let shown = self.json(&["requests", "show", request]);
            (!shown["answer"].is_null()).then_some(shown)
        })
    }

    /// Saves and deploys a document.
    pub fn apply(&self, document: &str) {
        let path = self.file("document.toml", document);
        self.run(&["apply", path.to_str().unwrap()]);
    }

    /// Starts `serve` and waits until it takes requests.
    pub fn serve(&self) {
        self.serve_until(|addr| get(addr, "/readyz").is_some_and(|answer| answer.status == 200));
    }

    /// Starts `serve` and waits until a look at its address says that it takes requests.
    pub fn serve_until(&self, ready: impl Fn(SocketAddr) -> bool) {
        // The port stays the same over restarts: callbacks and endpoints name it.
        let listen = self.listen.lock().unwrap().unwrap_or_else(free);
        *self.listen.lock().unwrap() = Some(listen);
        let mut command = match self.prefix.split_first() {
            None => Command::new(env!("CARGO_BIN_EXE_pointsman")),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(env!("CARGO_BIN_EXE_pointsman"));
                command
            }
        };
        self.dress(&mut command);
        command.args(["serve", "--listen", &listen.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        // A group of its own: what stands before the binary may keep it as a child.
        command.process_group(0);
        let mut child = command.spawn().unwrap();
        let (log, stderr) = (self.log.clone(), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = log.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        *self.server.lock().unwrap() = Some(child);
        wait_for("the server to be ready", || {
            if let Some(status) = self.server.lock().unwrap().as_mut().unwrap().try_wait().unwrap() {
                panic!("the server exited with {status}: {}", self.log());
            }
            ready(listen).then_some(())
        });
    }

    /// What the server wrote to stderr so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.server.lock().unwrap().as_ref().unwrap().id()
    }

    /// Sends the server a signal.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([&format!("-{signal}"), &self.pid().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(&self) {
        if let Some(mut child) = self.server.lock().unwrap().take() {
            if !self.prefix.is_empty() {
                let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status();
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM; the exit code, of what stands before the binary where something does. Returns once both
    /// have ended.
    pub fn stop(&self) -> Option<i32> {
        let mut child = self.server.lock().unwrap().take().unwrap();
        let group = format!("-{}", child.id());
        let to_all = |signal: &str| {
            let kill = Command::new("kill").args([signal, "--", &group]).stderr(Stdio::null()).status();
            kill.unwrap().success()
        };
        assert!(to_all("-TERM"));
        let status = wait_for("the server to stop", || child.try_wait().unwrap());
        wait_for("all of its group to stop", || (!to_all("-0") || all_dead(&group)).then_some(()));
        status.code()
    }

    /// The address of the server.
    pub fn addr(&self) -> SocketAddr {
        self.listen.lock().unwrap().unwrap()
    }

    /// Posts JSON to `/in/<name>`.
    pub fn post(&self, name: &str, body: &str) -> Answer {
        call(
            self.addr(),
            "POST",
            &format!("/in/{name}"),
            &[("Content-Type", "application/json")],
            body.as_bytes(),
        )
        .unwrap()
    }
}

/// An address that nothing listens on. Not one that the system would give out: another test, or the
/// other end of a connection, could have it by the time it is used.
pub fn free() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let (first, count) = (10_000_u16, 20_000_u16);
    let from = u16::try_from(std::process::id() % u32::from(count)).unwrap();
    loop {
        let port = first + from.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % count;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// Whether what is left of a process group (`-12`) only waits to be collected: where the tests are a
/// container's first process nobody collects orphans. Not where none of it is to be seen: `/proc` may
/// be that of another container.
fn all_dead(group: &str) -> bool {
    let Ok(all) = std::fs::read_dir("/proc") else { return false };
    let told = all.flatten().filter_map(|one| std::fs::read_to_string(one.path().join("stat")).ok());
    let states: Vec<bool> = told
        .filter_map(|stat| {
            let mut after = stat.rsplit_once(')')?.1.split_whitespace();
            let (state, group_of) = (after.next()?, after.nth(1)?);
            (Some(group_of) == group.strip_prefix('-')).then_some(state == "Z")
        })
        .collect();
    !states.is_empty() && states.iter().all(|dead| *dead)
}

impl Drop for House {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An HTTP answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As text.
    pub body: String,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// One request on a connection of its own; `None` where it was cut before an answer came.
pub fn call(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Option<Answer> {
    let mut stream = TcpStream::connect(addr).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    if !body.is_empty() || matches!(method, "POST" | "PUT" | "PATCH") {
        let _ = write!(head, "Content-Length: {}\r\n", body.len());
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    read_answer(&mut BufReader::new(stream))
}

/// Posts JSON to a whole URL, on a connection of its own.
pub fn post_to(url: &str, more: &[(&str, &str)], body: &str) -> Answer {
    let (addr, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let headers = [&[("Content-Type", "application/json")], more].concat();
    call(addr.parse().unwrap(), "POST", &format!("/{path}"), &headers, body.as_bytes()).unwrap()
}

/// Answers a callback, with a status of its own or without.
pub fn call_back(url: &str, code: Option<&str>, body: &str) -> Answer {
    let more: Vec<_> = code.map(|code| ("X-Status-Code", code)).into_iter().collect();
    post_to(url, &more, body)
}

/// GET on a connection of its own.
pub fn get(addr: SocketAddr, path: &str) -> Option<Answer> {
    call(addr, "GET", path, &[], b"")
}

/// Reads one answer.
pub fn read_answer(reader: &mut impl std::io::BufRead) -> Option<Answer> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let text = line.trim_end();
        if text.is_empty() {
            break;
        }
        let (name, value) = text.split_once(':')?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map(|(_, value)| value.clone());
    let mut body = Vec::new();
    match length.and_then(|length| length.parse::<u64>().ok()) {
        Some(length) => {
            reader.take(length).read_to_end(&mut body).ok()?;
        }
        None if status == 204 => {}
        None => {
            reader.read_to_end(&mut body).ok()?;
        }
    }
    Some(Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
}

/// A request that a target received.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As it came.
    pub body: String,
}

impl Arrived {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// What a target answers: status and body.
type Behaviour = dyn Fn(&Arrived) -> (u16, String) + Send + Sync;

/// A real HTTP server on a port of this machine: what flows call.
pub struct Target {
    addr: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Target {
    /// One that answers by a function.
    pub fn new(behaviour: impl Fn(&Arrived) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), behaviour)
    }

    /// One at an address of the test's choice.
    pub fn at(
        addr: SocketAddr,
        behaviour: impl Fn(&Arrived) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let listener = wait_for("a port for the target", || TcpListener::bind(addr).ok());
        let addr = listener.local_addr().unwrap();
        let (arrived, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let behaviour: Arc<Behaviour> = Arc::new(behaviour);
        let (seen, stopped) = (arrived.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let (seen, behaviour, stopped) = (seen.clone(), behaviour.clone(), stopped.clone());
                std::thread::spawn(move || converse(stream, &seen, &*behaviour, &stopped));
            }
        });
        Self { addr, arrived, stop, thread: Some(thread) }
    }

    /// One that answers 200 `{}`.
    pub fn fine() -> Self {
        Self::new(|_| (200, "{}".into()))
    }

    /// Its address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// What it received so far.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.addr);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn converse(stream: TcpStream, seen: &Mutex<Vec<Arrived>>, behaviour: &Behaviour, stop: &AtomicBool) {
    let Ok(mut writer) = stream.try_clone() else { return };
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    while !stop.load(Ordering::SeqCst) {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut words = line.split(' ');
        let (method, path) =
            (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
        let mut body = Vec::new();
        if (&mut reader).take(length).read_to_end(&mut body).is_err() {
            return;
        }
        let arrived = Arrived { method, path, headers, body: String::from_utf8_lossy(&body).into_owned() };
        seen.lock().unwrap().push(arrived.clone());
        let (status, body) = behaviour(&arrived);
        if status == 0 {
            return; // The behaviour asked for a connection that is cut without an answer.
        }
        let head = arrived.method == "HEAD";
        let answer = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
            body.len(),
            if head { "" } else { &body }
        );
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// A file or folder of the test data that others wrote. It is not part of the project: it lies where
/// `POINTSMAN_VECTORS` says, or in a folder `vectors` of a neighbour of the checkout. Tests that use
/// it say whether it was there.
pub fn vectors(name: &str) -> Option<PathBuf> {
    let found = match std::env::var_os("POINTSMAN_VECTORS") {
        Some(given) => Some(PathBuf::from(given).join(name)),
        None => std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .into_iter()
            .flatten()
            .flatten()
            .map(|neighbour| neighbour.path().join("vectors").join(name))
            .find(|path| path.exists()),
    };
    let found = found.filter(|path| path.exists());
    match &found {
        Some(path) => println!("with {}", path.display()),
        None => println!("without {name}: POINTSMAN_VECTORS names the folder it lies in"),
    }
    found
}
