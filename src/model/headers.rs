//! Header lines in the order in which they came, repeated ones kept.

use bytes::Bytes;
use memchr::{memchr, memchr_iter};

/// Headers of a request or an answer: `name: value\n` lines in order, as sent.
///
/// One blob rather than a list: a request is written once and its headers are looked at seldom.
/// A value never contains a newline (HTTP forbids it), so lines can be told apart. Of a request that
/// came with credentials the lines have them masked, and after a NUL, which no line contains either,
/// stand the names of the masked headers (a line each), another NUL, and the lines as they came,
/// sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Bytes);

impl Headers {
    /// From the blob, as it was stored.
    #[must_use]
    pub fn from_blob(blob: Bytes) -> Self {
        Self(blob)
    }

    /// From pairs.
    pub fn from_pairs<N: AsRef<[u8]>, V: AsRef<[u8]>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut blob = Vec::with_capacity(256);
        for (name, value) in pairs {
            blob.extend_from_slice(name.as_ref());
            blob.extend_from_slice(b": ");
            blob.extend_from_slice(value.as_ref());
            blob.push(b'\n');
        }
        Self(blob.into())
    }

    /// Lines whose credentials are masked, the names of those headers in lower case, and the lines
    /// as they came, sealed.
    #[must_use]
    pub fn masked(lines: &[u8], names: &[&str], sealed: &[u8]) -> Self {
        let mut blob = Vec::with_capacity(lines.len() + sealed.len() + 64);
        blob.extend_from_slice(lines);
        blob.push(0);
        for name in names {
            blob.extend_from_slice(name.as_bytes());
            blob.push(b'\n');
        }
        blob.push(0);
        blob.extend_from_slice(sealed);
        Self(blob.into())
    }

    /// The same with other lines: what is sealed, and what is hidden, stays.
    #[must_use]
    pub fn relined<'h>(&'h self, pairs: impl IntoIterator<Item = (&'h [u8], &'h [u8])>) -> Self {
        let lines = Self::from_pairs(pairs);
        match self.0.get(self.lines().len()..) {
            None | Some([]) => lines,
            Some(trailer) => Self([lines.blob(), trailer].concat().into()),
        }
    }

    /// The lines alone.
    #[must_use]
    pub fn lines(&self) -> &[u8] {
        // `contains` is far quicker than a search byte by byte, and nearly always says no.
        if !self.0.contains(&0) {
            return &self.0;
        }
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        &self.0[..end]
    }

    /// The names of the masked headers, and the sealed lines.
    fn trailer(&self) -> Option<(&[u8], &[u8])> {
        let rest = self.0.get(self.lines().len() + 1..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        Some((&rest[..end], &rest[end + 1..]))
    }

    /// The lines as they came, sealed; `None` where nothing was masked.
    #[must_use]
    pub fn sealed(&self) -> Option<&[u8]> {
        self.trailer().map(|(_, sealed)| sealed)
    }

    /// Names of the headers that carry a credential, in lower case.
    #[must_use]
    pub fn hidden(&self) -> Vec<String> {
        let names = self.trailer().map(|(names, _)| names).unwrap_or_default();
        let names = names.split(|byte| *byte == b'\n').filter(|name| !name.is_empty());
        names.map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    /// Whether a header carries a credential: by its name, or because the endpoint takes its key
    /// from it.
    #[must_use]
    pub fn hides(&self, name: &str) -> bool {
        is_credential(name) || {
            let names = self.trailer().map(|(names, _)| names).unwrap_or_default();
            names.split(|byte| *byte == b'\n').any(|other| other.eq_ignore_ascii_case(name.as_bytes()))
        }
    }

    /// Every value of a header whatever its case, in order.
    pub fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// The blob to store.
    #[must_use]
    pub fn blob(&self) -> &Bytes {
        &self.0
    }

    /// Name and value of each line, in order, as sent.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = self.lines();
        std::iter::from_fn(move || {
            loop {
                if rest.is_empty() {
                    return None;
                }
                let end = memchr(b'\n', rest).unwrap_or(rest.len());
                let line = &rest[..end];
                rest = rest.get(end + 1..).unwrap_or_default();
                if !line.is_empty() {
                    return Some(parted(line));
                }
            }
        })
    }

    /// Name and value of each line as text, in order; bytes that are not UTF-8 are replaced.
    pub fn texts(&self) -> impl Iterator<Item = (String, String)> {
        self.iter().map(|(name, value)| {
            (String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned())
        })
    }

    /// The value of a header whatever its case, repeated ones joined by `, `; `None` without it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let mut found: Option<String> = None;
        for (_, value) in self.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes())) {
            let value = String::from_utf8_lossy(value);
            match &mut found {
                Some(all) => {
                    all.push_str(", ");
                    all.push_str(&value);
                }
                None => found = Some(value.into_owned()),
            }
        }
        found
    }

    /// Distinct names in lower case, in order of first appearance, each with its joined value.
    #[must_use]
    pub fn folded(&self) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = Vec::new();
        for (name, value) in self.texts() {
            let name = name.to_ascii_lowercase();
            match all.iter_mut().find(|(other, _)| *other == name) {
                Some((_, joined)) => {
                    joined.push_str(", ");
                    joined.push_str(&value);
                }
                None => all.push((name, value)),
            }
        }
        all
    }
}

/// Name and value of a line.
fn parted(line: &[u8]) -> (&[u8], &[u8]) {
    let at = memchr_iter(b':', line).find(|at| line.get(at + 1) == Some(&b' ')).unwrap_or(line.len());
    (&line[..at], line.get(at + 2..).unwrap_or_default())
}

/// Whether a header carries a credential, whatever its case: such a header is in no flat view,
/// filter, export or copy, and is shown as scheme and fingerprint.
#[must_use]
pub fn is_credential(name: &str) -> bool {
    const NAMES: [&str; 8] = [
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "api-key",
        "x-api-key",
        "x-auth-token",
        "x-access-token",
    ];
    NAMES.iter().any(|other| name.eq_ignore_ascii_case(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_headers_are_kept_and_join_when_asked_for() {
        let headers = Headers::from_pairs([("X-A", "1"), ("Empty", ""), ("x-a", "2: 3")]);
        assert_eq!(headers.get("x-A").as_deref(), Some("1, 2: 3"));
        assert_eq!(headers.get("empty").as_deref(), Some(""));
        assert_eq!(headers.get("none"), None);
        assert_eq!(headers.iter().count(), 3);
        assert_eq!(headers.folded()[0], ("x-a".into(), "1, 2: 3".into()));
        assert_eq!(Headers::from_blob(headers.blob().clone()), headers);
    }

    #[test]
    fn what_is_sealed_is_in_no_line_and_its_names_are_hidden() {
        let lines = b"x-a: 1\nx-key: \xe2\x80\xa2\n";
        let headers = Headers::masked(lines, &["x-key"], b"\0seal\n\0");
        assert_eq!(headers.lines(), lines);
        assert_eq!(headers.sealed(), Some(&b"\0seal\n\0"[..]));
        assert_eq!(headers.iter().count(), 2);
        assert!(headers.hides("X-Key") && headers.hides("Cookie") && !headers.hides("x-a"));
        assert_eq!(headers.hidden(), ["x-key"]);
        let other = headers.relined([(&b"x-a"[..], &b"2"[..])]);
        assert_eq!((other.lines(), other.sealed()), (&b"x-a: 2\n"[..], headers.sealed()));
        assert_eq!(other.hidden(), headers.hidden());
        let plain = Headers::from_pairs([("x-a", "1")]);
        assert_eq!(plain.relined(plain.iter()), plain);
        assert!(plain.sealed().is_none() && !plain.hides("x-key") && plain.hidden().is_empty());
    }
}
