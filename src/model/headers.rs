//! Header lines in the order in which they came, repeated ones kept.

use bytes::Bytes;

/// Headers of a request or an answer: `name: value\n` lines in order, as sent.
///
/// One blob rather than a list: a request is written once and its headers are looked at seldom.
/// A value never contains a newline (HTTP forbids it), so lines can be told apart.
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

    /// The blob to store.
    #[must_use]
    pub fn blob(&self) -> &Bytes {
        &self.0
    }

    /// Name and value of each line, in order, as sent.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(|line| {
            let at = line.windows(2).position(|pair| pair == b": ").unwrap_or(line.len());
            (&line[..at], line.get(at + 2..).unwrap_or_default())
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
}
