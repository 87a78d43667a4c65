//! Configuration file, environment and flags become [`Settings`], or a sentence that says which of
//! them is wrong.

mod connections;
mod looks;
mod show;

pub use looks::{looks, looks_troubles, state_folder};
pub use show::config;

use super::args::Global;
use crate::model::ask::Refusal;
use crate::model::gate::{Inbound, TlsFiles};
use crate::model::settings::{Limits, Settings};
use crate::model::time::parse_duration;
use ipnet::IpNet;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// The configuration file, as it is written. Unknown keys are errors.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    listen: Option<String>,
    public_url: Option<String>,
    allow_networks: Option<Vec<String>>,
    trusted_proxies: Vec<String>,
    metrics_listen: Option<String>,
    operator_listen: Option<String>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    theme: Option<toml::Spanned<String>>,
    keys: BTreeMap<String, toml::Spanned<looks::FileKeys>>,
    connection: Vec<connections::FileConnection>,
    limits: FileLimits,
}

/// The table `[limits]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FileLimits {
    connections: Option<usize>,
    header_deadline: Option<String>,
    body_deadline: Option<String>,
    idle: Option<String>,
    queue: Option<u64>,
    free_disk: Option<Size>,
    retention: Option<String>,
    dedup_memory: Option<Size>,
    slots: Option<usize>,
}

/// A number of bytes, or a text like `512MiB`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Size {
    Bytes(u64),
    Text(String),
}

impl Size {
    fn bytes(&self) -> Result<u64, String> {
        match self {
            Self::Bytes(bytes) => Ok(*bytes),
            Self::Text(text) => parse_size(text),
        }
    }
}

/// Reads a size: a whole number and a unit of `B KiB MiB GiB`.
fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim() {
        "B" | "" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return Err(format!("{text:?} is not a size: write \"512MiB\"")),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| format!("{text:?} is not a size: write \"512MiB\""))
}

/// Reads flags, environment (clap has put it into the flags) and file.
///
/// # Errors
/// A sentence that names the flag or the key, and what to write.
pub fn settings(global: &Global) -> Result<Settings, Refusal> {
    refuse_what_is_not_here_yet(global)?;
    let data = data_folder(global)?;
    let path = file_path(global)?;
    let file = read(&path, global.config.is_some())?;
    let wrong = |key: &str, why: String| Refusal::usage(format!("{}: {key}: {why}", path.display()));

    let listen = global.listen.as_ref().or(file.listen.as_ref());
    let listen =
        listen.map_or(Ok(SocketAddr::from(([127, 0, 0, 1], 7700))), |text| parse_listen("--listen", text))?;
    let inbound = inbound(global, &file, &wrong)?;
    let given = global.public_url.as_ref().or(file.public_url.as_ref());
    let public_url = match given {
        Some(text) => parse_public_url(text)?,
        None => default_url(listen, inbound.tls.is_some()),
    };
    let allow_networks = match &file.allow_networks {
        None => None,
        Some(texts) => Some(
            texts
                .iter()
                .map(|text| parse_network(text).map_err(|why| wrong("allow_networks", why)))
                .collect::<Result<Vec<IpNet>, Refusal>>()?,
        ),
    };
    let connections = connections::read(file.connection).map_err(|(key, why)| wrong(&key, why))?;
    let limits = limits(&file.limits).map_err(|(key, why)| wrong(&format!("limits.{key}"), why))?;
    Ok(Settings {
        data,
        listen,
        public_url,
        public_url_given: given.is_some(),
        read_only: global.read_only,
        limits,
        allow_networks,
        inbound,
        connections,
    })
}

/// What we are called where nobody says: the listening address.
pub fn default_url(listen: SocketAddr, tls: bool) -> String {
    format!("{}://{listen}", if tls { "https" } else { "http" })
}

fn inbound(
    global: &Global,
    file: &File,
    wrong: &dyn Fn(&str, String) -> Refusal,
) -> Result<Inbound, Refusal> {
    let trusted_proxies = file
        .trusted_proxies
        .iter()
        .map(|text| parse_network(text).map_err(|why| wrong("trusted_proxies", why)))
        .collect::<Result<_, Refusal>>()?;
    let metrics = global.metrics_listen.as_ref().or(file.metrics_listen.as_ref());
    let cert = global.tls_cert.as_ref().or(file.tls_cert.as_ref());
    let key = global.tls_key.as_ref().or(file.tls_key.as_ref());
    let tls = match (cert, key) {
        (Some(cert), Some(key)) => Some(TlsFiles { cert: cert.clone(), key: key.clone() }),
        (None, None) => None,
        (Some(_), None) => {
            return Err(Refusal::usage("--tls-cert needs --tls-key: the private key of the certificate"));
        }
        (None, Some(_)) => {
            return Err(Refusal::usage("--tls-key needs --tls-cert: the certificate of the private key"));
        }
    };
    let metrics_listen = metrics.map(|text| parse_listen("--metrics-listen", text)).transpose()?;
    let operators = global.operator_listen.as_ref().or(file.operator_listen.as_ref());
    let operator_listen = operators.map(|text| parse_listen("--operator-listen", text)).transpose()?;
    if let Some(address) = operator_listen
        && tls.is_none()
        && !address.ip().to_canonical().is_loopback()
    {
        return Err(Refusal::usage(format!(
            "--operator-listen {address} without TLS would send operators' tokens over the network in the clear: \
             give --tls-cert and --tls-key, or listen on 127.0.0.1 and reach it through a tunnel (ssh -L)"
        )));
    }
    Ok(Inbound { trusted_proxies, tls, metrics_listen, operator_listen })
}

fn refuse_what_is_not_here_yet(global: &Global) -> Result<(), Refusal> {
    if let Some(store) = &global.store
        && !store.starts_with("sqlite:")
    {
        let scheme = store.split(':').next().unwrap_or_default();
        return Err(Refusal::usage(format!(
            "--store {scheme}: this version keeps its store in SQLite in the data folder only"
        )));
    }
    Ok(())
}

fn data_folder(global: &Global) -> Result<PathBuf, Refusal> {
    global.data.clone().map_or_else(default_data, Ok)
}

/// The configuration file that is read where it is there.
fn file_path(global: &Global) -> Result<PathBuf, Refusal> {
    match &global.config {
        Some(path) => Ok(path.clone()),
        None => Ok(data_folder(global)?.join("config.toml")),
    }
}

fn default_data() -> Result<PathBuf, Refusal> {
    home("XDG_DATA_HOME", ".local/share").ok_or_else(|| {
        Refusal::usage("no data folder: give --data DIR (neither XDG_DATA_HOME nor HOME is set)")
    })
}

/// Our folder of a kind, as the variable says or under HOME.
fn home(variable: &str, otherwise: &str) -> Option<PathBuf> {
    let given = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    given(variable)
        .or_else(|| given("HOME").map(|home| home.join(otherwise)))
        .map(|base| base.join("pointsman"))
}

fn read(path: &Path, given: bool) -> Result<File, Refusal> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !given => return Ok(File::default()),
        Err(error) => return Err(Refusal::usage(format!("{} cannot be read: {error}", path.display()))),
    };
    let wrong = |at: usize, why: &str| {
        let (line, column) = place(&text, at);
        Refusal::usage(format!("{}:{line}:{column}: {why}", path.display()))
    };
    let file: File = toml::from_str(&text)
        .map_err(|error| wrong(error.span().map_or(0, |span| span.start), error.message()))?;
    file.keymap().map_err(|error| wrong(error.at, &error.why))?;
    Ok(file)
}

/// Line and column (in characters), from 1, of a byte offset.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn parse_listen(flag: &str, text: &str) -> Result<SocketAddr, Refusal> {
    let text = if text.starts_with(':') { format!("0.0.0.0{text}") } else { text.to_owned() };
    let local = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    local.unwrap_or_else(|| text.clone()).parse().map_err(|_| {
        Refusal::usage(format!("{flag} {text}: an address and a port are expected, like 127.0.0.1:7700"))
    })
}

fn parse_public_url(text: &str) -> Result<String, Refusal> {
    let url = url::Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    match url {
        Some(_) => Ok(text.trim_end_matches('/').to_owned()),
        None => Err(Refusal::usage(format!(
            "--public-url {text}: an absolute http(s) URL is expected, like https://hooks.example.com"
        ))),
    }
}

fn parse_network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map(|network| network.trunc())
        .map_err(|_| format!("{text:?} is not a network: write \"10.0.0.0/8\""))
}

fn limits(file: &FileLimits) -> Result<Limits, (&'static str, String)> {
    let mut limits = Limits::default();
    let durations = [
        ("header_deadline", &file.header_deadline, &mut limits.header_deadline),
        ("body_deadline", &file.body_deadline, &mut limits.body_deadline),
        ("idle", &file.idle, &mut limits.idle),
        ("retention", &file.retention, &mut limits.retention),
    ];
    for (key, written, limit) in durations {
        if let Some(text) = written {
            *limit = parse_duration(text).map_err(|why| (key, why))?;
            if *limit <= 0 {
                return Err((key, "must be longer than nothing".to_owned()));
            }
        }
    }
    let sizes = [
        ("free_disk", &file.free_disk, &mut limits.free_disk),
        ("dedup_memory", &file.dedup_memory, &mut limits.dedup_memory),
    ];
    for (key, written, limit) in sizes {
        if let Some(size) = written {
            *limit = size.bytes().map_err(|why| (key, why))?;
        }
    }
    let counts = [
        ("connections", file.connections, &mut limits.connections),
        ("slots", file.slots, &mut limits.slots),
    ];
    for (key, written, limit) in counts {
        if let Some(count) = written {
            if !(1..=100_000).contains(&count) {
                return Err((key, "must be from 1 to 100000".to_owned()));
            }
            *limit = count;
        }
    }
    if let Some(queue) = file.queue {
        limits.queue = queue;
    }
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_limits_are_read() {
        assert_eq!(parse_size("512MiB"), Ok(512 << 20));
        assert_eq!(parse_size("10"), Ok(10));
        assert!(parse_size("10MB").is_err());
        assert!(parse_size("99999999999999GiB").is_err());
        let file: File =
            toml::from_str("[limits]\nretention = \"7d\"\nfree_disk = \"1GiB\"\nconnections = 5").unwrap();
        let limits = limits(&file.limits).unwrap();
        assert_eq!((limits.connections, limits.free_disk), (5, 1 << 30));
        assert!(toml::from_str::<File>("[limits]\nretentoin = \"7d\"").is_err());
    }

    #[test]
    fn an_address_without_a_host_is_every_address() {
        assert_eq!(parse_listen("--listen", ":80").unwrap().to_string(), "0.0.0.0:80");
        assert_eq!(parse_listen("--listen", "localhost:80").unwrap().to_string(), "127.0.0.1:80");
        assert_eq!(parse_listen("--listen", "nowhere").unwrap_err().exit, 2);
    }

    #[test]
    fn a_public_url_has_a_host_and_no_query() {
        assert_eq!(parse_public_url("https://hooks.example/").unwrap(), "https://hooks.example");
        for bad in ["hooks.example", "ftp://x", "http://x/?a", "/in"] {
            assert!(parse_public_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_place_is_counted_from_one() {
        assert_eq!(place("a\nbé c", 6), (2, 4));
    }
}
