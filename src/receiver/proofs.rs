//! Tokens that were verified a moment ago. A sender shows the same token until it lapses, and a
//! signature costs more than all else that is judged of a request; times and claims are judged anew
//! each time.

use crate::rules::verify::jwt::{self, Proven};
use crate::vault::keys::Ring;
use crate::vault::memory::Memory;
use std::sync::{Arc, Weak};

/// What was proven of tokens, each under its set of keys.
#[derive(Default)]
pub(super) struct Proofs(Memory<Proof>);

/// What was proven of a token.
struct Proof {
    /// It holds as long as the keys are these.
    ring: Weak<Ring>,
    proven: Arc<Proven>,
}

impl Proofs {
    /// Remembers nothing: for what is asked seldom.
    pub(super) fn none() -> Self {
        Self(Memory::none())
    }

    /// Those under these keys.
    pub(super) fn of<'p>(&'p self, ring: &'p Arc<Ring>) -> Under<'p> {
        Under { proofs: &self.0, ring }
    }
}

/// Proofs under one set of keys.
pub(super) struct Under<'p> {
    proofs: &'p Memory<Proof>,
    ring: &'p Arc<Ring>,
}

impl jwt::Proofs for Under<'_> {
    fn recall(&self, token: &[u8]) -> Option<Arc<Proven>> {
        let proof = self.proofs.recall(self.proofs.spot(&[token])?)?;
        let same = proof.ring.upgrade().is_some_and(|ring| Arc::ptr_eq(&ring, self.ring));
        same.then(|| Arc::clone(&proof.proven))
    }

    fn keep(&self, token: &[u8], proven: &Arc<Proven>) {
        let Some(spot) = self.proofs.spot(&[token]) else { return };
        let proof = Proof { ring: Arc::downgrade(self.ring), proven: Arc::clone(proven) };
        self.proofs.keep(spot, &Arc::new(proof));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::auth::Auth;
    use crate::model::credential::{Algorithm, KeyKind, Secret};
    use crate::model::headers::Headers;
    use crate::rules::verify;
    use crate::vault::Vault;
    use crate::vault::keys::NewKey;
    use serde_json::json;

    const NOW: i64 = 1_795_000_000_000;

    fn vault(folder: &std::path::Path, names: &[&str]) -> Vault {
        let vault = Vault::open(folder).unwrap();
        let keys: Vec<_> = names.iter().map(|name| key(&vault, name)).collect();
        vault.load(&keys);
        vault
    }

    fn key(vault: &Vault, name: &str) -> crate::model::credential::Credential {
        let new = NewKey {
            name: name.to_owned(),
            kind: KeyKind::Jwt(Algorithm::HS256),
            user: None,
            secret: Some(Secret::new(format!("{name:*>40}"))),
            public: None,
            private: None,
        };
        vault.prepare(&new, 1, 0).unwrap()
    }

    fn token(vault: &Vault, key: &str, n: usize) -> String {
        let claims = json!({"exp": NOW / 1_000 + 60, "sub": "anna", "n": n});
        let parts = jwt::draft(Algorithm::HS256, key, claims.as_object().unwrap());
        let signature = vault.ring().get(key).unwrap().sign(parts.as_bytes()).unwrap();
        format!("{parts}.{signature}")
    }

    fn passes(vault: &Vault, proofs: &Proofs, keys: &[&str], token: &str, now: i64) -> Result<(), String> {
        let auth = Auth::Jwt { keys: keys.iter().map(|&key| key.to_owned()).collect(), iss: None, aud: None };
        let headers = Headers::from_pairs([("authorization", format!("Bearer {token}"))]);
        let ring = vault.ring();
        let judged = verify::head(&auth, &headers, &ring.named(auth.keys()), now, &proofs.of(&ring));
        judged.map(|_| ()).map_err(|denied| denied.cause)
    }

    #[test]
    fn what_is_remembered_is_judged_anew_by_time_endpoint_and_keys() {
        let folder = tempfile::tempdir().unwrap();
        let (vault, proofs) = (vault(folder.path(), &["one", "two"]), Proofs::default());
        let good = token(&vault, "one", 0);
        for _ in 0..2 {
            assert_eq!(passes(&vault, &proofs, &["one", "two"], &good, NOW), Ok(()));
            assert_eq!(proofs.0.len(), 1);
        }
        let late = passes(&vault, &proofs, &["one"], &good, NOW + 3_600_000).unwrap_err();
        assert!(late.starts_with("exp passed"), "{late}");
        assert_eq!(passes(&vault, &proofs, &["two"], &good, NOW).unwrap_err(), "no key matches");
        let mut forged = good.clone();
        let last = forged.pop().unwrap();
        forged.push(if last == 'A' { 'B' } else { 'A' });
        assert!(passes(&vault, &proofs, &["one"], &forged, NOW).is_err());
        assert_eq!(proofs.0.len(), 1, "what was refused is not kept");
        // The key is taken away: what it signed is refused at once.
        vault.load(&[key(&vault, "two")]);
        assert!(passes(&vault, &proofs, &["one", "two"], &good, NOW).is_err());
    }
}
