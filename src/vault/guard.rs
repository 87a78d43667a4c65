//! The headers of a request as they are stored: credentials masked in their lines, and sealed behind
//! them.

use super::Vault;
use super::seal::Place;
use crate::model::FlowId;
use crate::model::headers::{Headers, is_credential};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Credentials as they are stored. A sender shows the same ones with each request, and the blob of
/// one request does for the next: it holds the same, for a place of the same flow and fingerprints.
pub(super) struct Guarded {
    /// A line for each, masked.
    shown: Vec<Vec<u8>>,
    /// Names of the headers, lower case, each once.
    names: Vec<String>,
    /// The lines as they came.
    sealed: Vec<u8>,
}

impl Vault {
    /// The headers of a request as they are stored: of those that carry credentials the lines show
    /// scheme and fingerprint, and what came is sealed behind them. `extra` is the header that the
    /// endpoint takes its key from.
    #[must_use]
    pub fn guarded(&self, flow: FlowId, headers: &Headers, extra: Option<&str>) -> Headers {
        let secret = |name: &[u8]| {
            std::str::from_utf8(name).is_ok_and(|name| {
                is_credential(name) || extra.is_some_and(|extra| extra.eq_ignore_ascii_case(name))
            })
        };
        let secrets = || headers.iter().filter(|(name, _)| secret(name));
        if secrets().next().is_none() {
            return headers.clone();
        }
        let size = headers.blob().len();
        let mut plain = Zeroizing::new(Vec::with_capacity(size));
        secrets().for_each(|(name, value)| line(&mut plain, name, value));
        let guarded = self.guard(flow, secrets(), &plain);
        let mut lines = Vec::with_capacity(size + 64);
        let mut shown = guarded.shown.iter();
        for (name, value) in headers.iter() {
            if secret(name) {
                lines.extend_from_slice(shown.next().map_or(&[], Vec::as_slice));
            } else {
                line(&mut lines, name, value);
            }
        }
        let names: Vec<&str> = guarded.names.iter().map(String::as_str).collect();
        Headers::masked(&lines, &names, &guarded.sealed)
    }

    fn guard<'h>(
        &self,
        flow: FlowId,
        secrets: impl Iterator<Item = (&'h [u8], &'h [u8])>,
        plain: &[u8],
    ) -> Arc<Guarded> {
        let spot = self.guarded.spot(&[&flow.0.to_be_bytes(), plain]);
        if let Some(known) = spot.and_then(|spot| self.guarded.recall(spot)) {
            return known;
        }
        let (mut shown, mut names) = (Vec::new(), Vec::<String>::new());
        for (name, value) in secrets {
            let lower = String::from_utf8_lossy(name).to_ascii_lowercase();
            let mut masked = Vec::new();
            line(&mut masked, name, self.shown_credential(&lower, value).as_bytes());
            shown.push(masked);
            if !names.contains(&lower) {
                names.push(lower);
            }
        }
        // Without random bits nothing is sealed: what came is then not kept at all.
        let sealed = self.seal(place(&row(flow, &shown.concat())), plain);
        let spot = spot.filter(|_| sealed.is_ok());
        let guarded = Arc::new(Guarded { shown, names, sealed: sealed.unwrap_or_default() });
        if let Some(spot) = spot {
            self.guarded.keep(spot, &guarded);
        }
        guarded
    }

    /// The headers of a stored request as they came.
    ///
    /// # Errors
    /// See [`Vault::unseal`].
    pub fn revealed(&self, flow: FlowId, headers: &Headers) -> Result<Headers, String> {
        let Some(sealed) = headers.sealed() else { return Ok(headers.clone()) };
        let hidden = |name: &[u8]| std::str::from_utf8(name).is_ok_and(|name| headers.hides(name));
        let mut shown = Vec::new();
        headers
            .iter()
            .filter(|(name, _)| hidden(name))
            .for_each(|(name, value)| line(&mut shown, name, value));
        let plain = self.unseal(place(&row(flow, &shown)), sealed)?;
        let plain = Headers::from_blob(plain.to_vec().into());
        let mut came = plain.iter();
        let lines = headers.iter().map(|(name, value)| {
            if hidden(name) { came.next().unwrap_or((name, value)) } else { (name, value) }
        });
        Ok(Headers::from_pairs(lines))
    }
}

fn line(to: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    to.extend_from_slice(name);
    to.extend_from_slice(b": ");
    to.extend_from_slice(value);
    to.push(b'\n');
}

fn place(row: &[u8]) -> Place<'_> {
    Place { table: "request", row, column: "headers" }
}

/// What tells the credentials of a request from others: its flow and their lines as shown, whose
/// fingerprints hang on them. (The request's id is given after they are sealed.)
fn row(flow: FlowId, shown: &[u8]) -> Vec<u8> {
    [&flow.0.to_be_bytes()[..], shown].concat()
}

#[cfg(test)]
mod tests {
    use super::super::tests::of;
    use super::*;

    fn headers(id: &str, key: &str) -> Headers {
        Headers::from_pairs([
            ("authorization", "Bearer s3cret-1"),
            ("x-id", id),
            ("x-my-key", key),
            ("cookie", "a=s3cret-3"),
            ("x-my-key", "s3cret-4"),
        ])
    }

    #[test]
    fn credentials_are_sealed_behind_lines_that_show_fingerprints() {
        let vault = of(1);
        let headers = headers("1", "s3cret-2");
        let kept = vault.guarded(FlowId(3), &headers, Some("X-My-Key"));
        assert!(!String::from_utf8_lossy(kept.blob()).contains("s3cret"));
        assert!(kept.get("authorization").unwrap().starts_with("Bearer ••• "));
        assert_eq!(kept.get("x-id").as_deref(), Some("1"));
        assert!(kept.hides("x-my-key"));
        assert_eq!(vault.revealed(FlowId(3), &kept).unwrap(), headers);
        assert!(vault.revealed(FlowId(4), &kept).is_err());
        let plain = Headers::from_pairs([("x-a", "1")]);
        assert_eq!(vault.guarded(FlowId(3), &plain, None), plain);
        assert_eq!(vault.revealed(FlowId(3), &plain).unwrap(), plain);
    }

    #[test]
    fn the_same_credentials_are_sealed_once_and_others_apart() {
        let vault = of(1);
        let sealed = |flow: i64, id: &str, key: &str| {
            let headers = headers(id, key);
            let kept = vault.guarded(FlowId(flow), &headers, Some("x-my-key"));
            assert_eq!(vault.revealed(FlowId(flow), &kept).unwrap(), headers);
            kept.sealed().unwrap().to_vec()
        };
        let first = sealed(3, "1", "s3cret-2");
        assert_eq!(first, sealed(3, "2", "s3cret-2"), "what else is sent does not matter");
        assert_ne!(first, sealed(3, "1", "s3cret-5"), "another key");
        assert_ne!(first, sealed(4, "1", "s3cret-2"), "another flow");
        assert_eq!(vault.guarded.len(), 3);
        // Lines of one with the blob of another do not open.
        let (one, other) = (headers("1", "s3cret-2"), headers("1", "s3cret-5"));
        let [one, other] = [one, other].map(|all| vault.guarded(FlowId(3), &all, Some("x-my-key")));
        let mixed =
            Headers::masked(one.lines(), &["authorization", "x-my-key", "cookie"], other.sealed().unwrap());
        assert!(vault.revealed(FlowId(3), &mixed).is_err());
    }
}
