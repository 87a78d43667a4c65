//! Who sent a request: its peer, or what a trusted proxy says of it.

use super::judge::Refused;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// Whether an address is in one of the networks. An IPv4 address that came mapped into IPv6 is the
/// IPv4 one.
#[must_use]
pub fn listed(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// Judges a sender's address by a flow's `allow_from`; without one all may send.
///
/// # Errors
/// 403.
pub fn allowed(networks: &[IpNet], from: IpAddr) -> Result<(), Refused> {
    if networks.is_empty() || listed(networks, from) {
        return Ok(());
    }
    Err(Refused { status: 403, cause: format!("{from} is not in allow_from") })
}

/// The sender: the peer, or, where the peer is a trusted proxy, the last address of
/// `X-Forwarded-For` that is none. `forwarded` gives its lines in order.
///
/// Read from the end, since everything before the last trusted proxy's own entry was written by
/// whoever spoke to it. An entry that is no address ends the reading (what stands before it is
/// hearsay), empty ones do not count; where no address is left it is the peer.
#[must_use]
pub fn sender<'h>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'h [u8]>,
    trusted: &[IpNet],
) -> IpAddr {
    let peer = peer.to_canonical();
    if !listed(trusted, peer) {
        return peer;
    }
    for entry in forwarded.rev().flat_map(|line| line.rsplit(|byte| *byte == b',')) {
        let entry = entry.trim_ascii();
        if entry.is_empty() {
            continue;
        }
        match address(entry) {
            Some(address) if listed(trusted, address) => {}
            Some(address) => return address,
            None => return peer,
        }
    }
    peer
}

/// An address as proxies write it: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`,
/// `[2001:db8::1]:4711`, any of them in quotes, a zone dropped.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?;
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).trim();
    let plain = |text: &str| text.split('%').next().and_then(|text| text.parse::<IpAddr>().ok());
    let found = match text.strip_prefix('[') {
        Some(inside) => {
            let (inside, rest) = inside.split_once(']')?;
            let port = rest.strip_prefix(':').is_none_or(|port| port.parse::<u16>().is_ok());
            let bare = rest.is_empty() || rest.starts_with(':');
            plain(inside).filter(|address| address.is_ipv6() && port && bare)
        }
        None => plain(text).or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip())),
    };
    found.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nets(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn from(peer: &str, lines: &[&str]) -> String {
        let trusted = nets(&["10.0.0.0/8", "2001:db8:1::/48"]);
        sender(peer.parse().unwrap(), lines.iter().map(|line| line.as_bytes()), &trusted).to_string()
    }

    #[test]
    fn an_address_outside_is_a_403_and_no_list_lets_all_in() {
        let networks: Vec<IpNet> = vec!["203.0.113.0/24".parse().unwrap()];
        let judged = |from: &str| allowed(&networks, from.parse().unwrap());
        assert_eq!((judged("203.0.113.0"), judged("203.0.113.255")), (Ok(()), Ok(())));
        assert_eq!(judged("203.0.114.0").unwrap_err().status, 403);
        assert_eq!(judged("203.0.112.255").unwrap_err().cause, "203.0.112.255 is not in allow_from");
        assert_eq!(allowed(&[], "2001:db8::1".parse().unwrap()), Ok(()));
    }

    #[test]
    fn a_peer_that_is_no_proxy_is_the_sender_whatever_it_says() {
        assert_eq!(from("192.0.2.9", &["203.0.113.1"]), "192.0.2.9");
        assert_eq!(from("::ffff:192.0.2.9", &[]), "192.0.2.9");
    }

    #[test]
    fn behind_a_proxy_it_is_the_last_address_that_is_none() {
        assert_eq!(from("10.0.0.1", &["203.0.113.1"]), "203.0.113.1");
        assert_eq!(from("10.0.0.1", &["6.6.6.6, 203.0.113.1, 10.0.0.7"]), "203.0.113.1");
        assert_eq!(from("10.0.0.1", &["6.6.6.6", "203.0.113.1,10.2.2.2", " 10.0.0.7 "]), "203.0.113.1");
        assert_eq!(from("::ffff:10.0.0.1", &["203.0.113.1"]), "203.0.113.1");
        assert_eq!(from("2001:db8:1::5", &["2001:db8:2::7"]), "2001:db8:2::7");
    }

    #[test]
    fn ports_brackets_quotes_zones_and_empty_entries_are_read() {
        for (entry, seen) in [
            ("203.0.113.1:4711", "203.0.113.1"),
            ("[2001:db8:2::7]", "2001:db8:2::7"),
            ("[2001:db8:2::7]:443", "2001:db8:2::7"),
            ("\"[2001:db8:2::7]:443\"", "2001:db8:2::7"),
            ("fe80::1%eth0", "fe80::1"),
            ("::ffff:203.0.113.1", "203.0.113.1"),
            ("203.0.113.1, , ,", "203.0.113.1"),
            ("\t203.0.113.1\t", "203.0.113.1"),
        ] {
            assert_eq!(from("10.0.0.1", &[entry]), seen, "{entry}");
        }
    }

    #[test]
    fn what_stands_before_an_entry_that_is_no_address_is_not_believed() {
        for lines in [
            &["203.0.113.1, unknown"][..],
            &["203.0.113.1, 10.0.0.300, 10.0.0.7"],
            &["203.0.113.1", "_hidden"],
            &["[203.0.113.1]"],
            &["[2001:db8:2::7]x"],
            &["[2001:db8:2::7"],
            &["203.0.113.1:99999"],
            &["\u{e9}"],
            &[""],
            &[],
            &["10.0.0.7, 10.0.0.8"],
        ] {
            assert_eq!(from("10.0.0.1", lines), "10.0.0.1", "{lines:?}");
        }
        assert_eq!(from("10.0.0.1", &["junk, 203.0.113.1"]), "203.0.113.1");
    }

    #[test]
    fn networks_hold_their_bounds() {
        let nets = nets(&["203.0.113.0/24", "2001:db8::/32"]);
        let is = |text: &str| listed(&nets, text.parse().unwrap());
        assert!(is("203.0.113.0") && is("203.0.113.255") && is("::ffff:203.0.113.7") && is("2001:db8::1"));
        assert!(!is("203.0.112.255") && !is("203.0.114.0") && !is("2001:db9::") && !is("::cb00:7107"));
    }
}
