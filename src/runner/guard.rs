//! The address guard: where outgoing requests may go (contract section 8).
//!
//! Names are judged by what they resolve to, in the resolver that the connection itself uses, so
//! that a name cannot answer twice. Literals never reach a resolver: they are judged by the parsed
//! host, in which every spelling (`2130706433`, `0x7f.1`) is the same address.

use crate::model::settings::Settings;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use url::{Host, Url};

/// Looks a name up.
type Lookup =
    dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> + Send + Sync;

/// Special ranges of IPv4 and what they are; the first match counts.
const V4: [(Ipv4Net, &str); 17] = [
    (v4(0, 0, 0, 0, 8), "reserved"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "carrier-grade NAT"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(168, 63, 129, 16, 32), "a cloud's metadata address"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "reserved"),
    (v4(192, 0, 2, 0, 24), "reserved for documentation"),
    (v4(192, 88, 99, 0, 24), "a 6to4 relay"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "reserved for benchmarks"),
    (v4(198, 51, 100, 0, 24), "reserved for documentation"),
    (v4(203, 0, 113, 0, 24), "reserved for documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(255, 255, 255, 255, 32), "broadcast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

/// Special ranges of IPv6 and what they are; the first match counts.
const V6: [(Ipv6Net, &str); 19] = [
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), "reserved"),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "loopback"),
    (v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96), "IPv4-mapped"),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 96), "IPv4-compatible"),
    (v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96), "NAT64"),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), "NAT64"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), "Teredo"),
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), "reserved for benchmarks"),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), "reserved for documentation"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), "reserved"),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), "6to4"),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), "reserved for documentation"),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), "unique local (private)"),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "link-local"),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), "site-local (private)"),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "multicast"),
    // Everything that is not global unicast.
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 3), "reserved"),
    (v6([0x4000, 0, 0, 0, 0, 0, 0, 0], 2), "reserved"),
    (v6([0x8000, 0, 0, 0, 0, 0, 0, 0], 1), "reserved"),
];

const fn v4(a: u8, b: u8, c: u8, d: u8, len: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), len)
}

const fn v6(s: [u16; 8], len: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]), len)
}

/// What a special address is; `None` for a public one.
#[must_use]
pub fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => V4.iter().find(|(net, _)| net.contains(&v4)).map(|(_, what)| *what),
        IpAddr::V6(v6) => V6.iter().find(|(net, _)| net.contains(&v6)).map(|(_, what)| *what),
    }
}

/// An address that outgoing requests may not reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub address: IpAddr,
    /// Why, and the line that permits it.
    message: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refused {}

/// A name that could not be resolved.
#[derive(Debug, thiserror::Error)]
#[error("{name} cannot be resolved: {why}")]
pub struct Unresolved {
    name: String,
    why: String,
}

/// Where outgoing requests may go.
#[derive(Clone)]
pub struct Guard {
    allowed: Arc<[IpNet]>,
    /// What `allow_networks` says, for the line in a refusal.
    written: Arc<[IpNet]>,
    lookup: Arc<Lookup>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

impl Guard {
    /// The guard that the settings ask for. Where `allow_networks` is not given, loopback is allowed
    /// as long as `listen` is loopback and `public_url` names no other host.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let system = |name: String| -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> {
            Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect()) })
        };
        Self::with_lookup(settings, system)
    }

    /// The same with another way to look names up.
    pub fn with_lookup(
        settings: &Settings,
        lookup: impl Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let written: Arc<[IpNet]> = settings.allow_networks.clone().unwrap_or_default().into();
        let loopback = settings.allow_networks.is_none()
            && settings.listen.ip().is_loopback()
            && (!settings.public_url_given || is_local(&settings.public_url));
        let allowed: Arc<[IpNet]> = if loopback {
            let (four, six) =
                (Ipv4Net::new_assert(Ipv4Addr::LOCALHOST, 8), Ipv6Net::from(Ipv6Addr::LOCALHOST));
            vec![IpNet::V4(four), IpNet::V6(six)].into()
        } else {
            Arc::clone(&written)
        };
        Self { allowed, written, lookup: Arc::new(lookup) }
    }

    /// Judges an address.
    ///
    /// # Errors
    /// It is special, and the settings do not allow it.
    pub fn check(&self, address: IpAddr) -> Result<(), Refused> {
        let Some(what) = special(address) else { return Ok(()) };
        if self.allowed.iter().any(|net| net.contains(&address)) {
            return Ok(());
        }
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let mut nets: Vec<String> = self.written.iter().map(|net| format!("\"{net}\"")).collect();
        nets.push(format!("\"{address}/{bits}\""));
        let line = nets.join(", ");
        let message = format!(
            "{address} is {what}. This line in the configuration permits it: allow_networks = [{line}]"
        );
        Err(Refused { address, message })
    }

    /// Judges a URL's host where it is a literal; a name is judged when it is resolved.
    ///
    /// # Errors
    /// As [`Guard::check`].
    pub fn check_literal(&self, url: &Url) -> Result<(), Refused> {
        match url.host() {
            Some(Host::Ipv4(v4)) => self.check(IpAddr::V4(v4)),
            Some(Host::Ipv6(v6)) => self.check(IpAddr::V6(v6)),
            Some(Host::Domain(_)) | None => Ok(()),
        }
    }

    /// Judges a URL whose name a proxy will resolve: by what it resolves to here. A name that only
    /// the proxy knows passes.
    ///
    /// # Errors
    /// As [`Guard::check`].
    pub async fn check_behind_proxy(&self, url: &Url) -> Result<(), Refused> {
        self.check_literal(url)?;
        if let Some(Host::Domain(name)) = url.host() {
            for address in (self.lookup)(name.to_owned()).await.unwrap_or_default() {
                self.check(address.ip())?;
            }
        }
        Ok(())
    }

    /// The addresses of a name that may be reached.
    pub(super) async fn resolve_name(
        &self,
        name: String,
    ) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let found = (self.lookup)(name.clone()).await;
        let found = found.map_err(|error| Unresolved { name: name.clone(), why: error.to_string() })?;
        let mut refused = None;
        let mut good = Vec::with_capacity(found.len());
        for address in found {
            match self.check(address.ip()) {
                Ok(()) => good.push(address),
                Err(error) => refused = Some(error),
            }
        }
        match (good.is_empty(), refused) {
            (true, Some(refused)) => Err(Box::new(refused)),
            (true, None) => Err(Box::new(Unresolved { name, why: "it has no address".to_owned() })),
            (false, _) => Ok(good),
        }
    }
}

/// Whether a URL names this machine itself.
fn is_local(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    match url.host() {
        Some(Host::Ipv4(v4)) => v4.is_loopback(),
        Some(Host::Ipv6(v6)) => v6.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = guard.resolve_name(name.as_str().to_owned()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::settings::Limits;

    pub fn settings(listen: &str, public_url: Option<&str>, allow: Option<&[&str]>) -> Settings {
        Settings {
            data: "/nowhere".into(),
            listen: listen.parse().unwrap(),
            public_url: public_url.unwrap_or("http://127.0.0.1:7700").to_owned(),
            public_url_given: public_url.is_some(),
            read_only: false,
            limits: Limits::default(),
            allow_networks: allow.map(|nets| nets.iter().map(|net| net.parse().unwrap()).collect()),
            inbound: crate::model::gate::Inbound::default(),
            connections: crate::model::settings::Globals::default(),
        }
    }

    fn strict() -> Guard {
        Guard::new(&settings("127.0.0.1:7700", None, Some(&[])))
    }

    #[test]
    fn special_addresses_are_known_by_name() {
        for (address, what) in [
            ("0.0.0.0", "reserved"),
            ("0.255.255.255", "reserved"),
            ("10.0.0.0", "private"),
            ("10.255.255.255", "private"),
            ("100.64.0.0", "carrier-grade NAT"),
            ("100.127.255.255", "carrier-grade NAT"),
            ("127.0.0.1", "loopback"),
            ("127.255.255.254", "loopback"),
            ("168.63.129.16", "a cloud's metadata address"),
            ("169.254.0.1", "link-local"),
            ("169.254.169.254", "link-local"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.0.0.170", "reserved"),
            ("192.0.2.1", "reserved for documentation"),
            ("192.88.99.1", "a 6to4 relay"),
            ("192.168.0.1", "private"),
            ("198.18.0.1", "reserved for benchmarks"),
            ("198.19.255.255", "reserved for benchmarks"),
            ("198.51.100.7", "reserved for documentation"),
            ("203.0.113.7", "reserved for documentation"),
            ("224.0.0.1", "multicast"),
            ("239.255.255.255", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "broadcast"),
            ("::", "reserved"),
            ("::1", "loopback"),
            ("::7f00:1", "IPv4-compatible"),
            ("::ffff:127.0.0.1", "IPv4-mapped"),
            ("::ffff:8.8.8.8", "IPv4-mapped"),
            ("64:ff9b::7f00:1", "NAT64"),
            ("64:ff9b:1::1", "NAT64"),
            ("100::1", "reserved"),
            ("2001:0:4136:e378::1", "Teredo"),
            ("2001:2::1", "reserved for benchmarks"),
            ("2001:10::1", "reserved"),
            ("2001:db8::1", "reserved for documentation"),
            ("2002:7f00:1::", "6to4"),
            ("3fff::1", "reserved for documentation"),
            ("4000::1", "reserved"),
            ("5f00::1", "reserved"),
            ("8000::1", "reserved"),
            ("fc00::1", "unique local (private)"),
            ("fd00:ec2::254", "unique local (private)"),
            ("fe80::1", "link-local"),
            ("fec0::1", "site-local (private)"),
            ("ff02::1", "multicast"),
        ] {
            assert_eq!(special(address.parse().unwrap()), Some(what), "{address}");
        }
    }

    #[test]
    fn public_addresses_on_either_side_of_each_range_are_none() {
        for address in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "8.8.8.8",
            "2000::1",
            "2001:200::1",
            "2001:db7:ffff::1",
            "2001:db9::1",
            "2003::1",
            "2606:4700::1111",
            "3ffe::1",
        ] {
            assert_eq!(special(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn literals_are_judged_in_every_spelling() {
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://127.0.0.1./",
            "http://[::1]/",
            "http://[0:0:0:0:0:0:0:1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://１２７.0.0.1/",
            "http://user@127.0.0.1:80/",
            "http://0/",
        ] {
            assert!(strict().check_literal(&Url::parse(url).unwrap()).is_err(), "{url}");
        }
        assert!(strict().check_literal(&Url::parse("http://8.8.8.8/").unwrap()).is_ok());
    }

    #[test]
    fn a_refusal_names_the_address_and_the_line_to_add() {
        let refused = strict().check("169.254.169.254".parse().unwrap()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "169.254.169.254 is link-local. This line in the configuration permits it: \
             allow_networks = [\"169.254.169.254/32\"]"
        );
        let guard = Guard::new(&settings("127.0.0.1:1", None, Some(&["10.0.0.0/8"])));
        assert!(guard.check("10.9.9.9".parse().unwrap()).is_ok());
        let refused = guard.check("fd00::1".parse().unwrap()).unwrap_err();
        assert!(refused.to_string().ends_with("allow_networks = [\"10.0.0.0/8\", \"fd00::1/128\"]"));
    }

    #[test]
    fn loopback_is_open_only_to_a_process_that_nobody_else_reaches() {
        for (listen, public_url, allow, open) in [
            ("127.0.0.1:7700", None, None, true),
            ("[::1]:7700", None, None, true),
            ("127.0.0.1:7700", Some("http://localhost:7700"), None, true),
            ("127.0.0.1:7700", Some("http://127.0.0.1"), None, true),
            ("127.0.0.1:7700", Some("https://hooks.example"), None, false),
            ("0.0.0.0:7700", Some("http://127.0.0.1:7700"), None, false),
            ("192.168.1.2:7700", None, None, false),
            ("127.0.0.1:7700", None, Some(&[][..]), false),
            ("0.0.0.0:7700", None, Some(&["127.0.0.0/8", "::1/128"][..]), true),
        ] {
            let guard = Guard::new(&settings(listen, public_url, allow));
            for address in ["127.0.0.1", "::1"] {
                let open_now = guard.check(address.parse().unwrap()).is_ok();
                assert_eq!(open_now, open, "{listen} {public_url:?} {allow:?} {address}");
            }
            assert!(guard.check("10.0.0.1".parse().unwrap()).is_err());
            assert!(guard.check("::ffff:127.0.0.1".parse().unwrap()).is_err(), "mapped stays shut");
        }
    }

    fn names(answers: &'static [(&'static str, &'static [&'static str])]) -> Guard {
        Guard::with_lookup(&settings("127.0.0.1:1", None, Some(&[])), move |name| {
            Box::pin(async move {
                let found = answers.iter().find(|(known, _)| *known == name);
                let (_, addresses) = found.ok_or_else(|| io::Error::other("no such name"))?;
                Ok(addresses.iter().map(|one| SocketAddr::new(one.parse().unwrap(), 0)).collect())
            })
        })
    }

    #[tokio::test]
    async fn names_are_judged_by_what_they_resolve_to() {
        let guard = names(&[
            ("inner.example", &["10.0.0.7"]),
            ("mixed.example", &["127.0.0.1", "93.184.215.14"]),
            ("empty.example", &[]),
        ]);
        let error = guard.resolve_name("inner.example".to_owned()).await.unwrap_err();
        assert!(error.downcast_ref::<Refused>().is_some(), "{error}");
        let good = guard.resolve_name("mixed.example".to_owned()).await.unwrap();
        assert_eq!(good, ["93.184.215.14:0".parse().unwrap()], "only what may be reached is connected to");
        for name in ["empty.example", "unknown.example"] {
            let error = guard.resolve_name(name.to_owned()).await.unwrap_err();
            assert!(error.downcast_ref::<Unresolved>().is_some(), "{error}");
        }
    }

    #[tokio::test]
    async fn a_proxy_does_not_open_what_is_shut() {
        let guard = names(&[("inner.example", &["10.0.0.7"]), ("mixed.example", &["8.8.8.8", "::1"])]);
        for (url, open) in [
            ("http://inner.example/", false),
            ("http://mixed.example/", false),
            ("http://169.254.169.254/", false),
            ("http://only-the-proxy-knows.example/", true),
            ("http://8.8.8.8/", true),
        ] {
            let judged = guard.check_behind_proxy(&Url::parse(url).unwrap()).await;
            assert_eq!(judged.is_ok(), open, "{url}");
        }
    }
}
