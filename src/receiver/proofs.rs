//! Tokens that were verified a moment ago. A sender shows the same token until it lapses, and a
//! signature costs more than all else that is judged of a request; times and claims are judged anew
//! each time.

use crate::rules::verify::jwt::{self, Proven};
use crate::vault::keys::Ring;
use siphasher::sip128::{Hasher128 as _, SipHasher13};
use std::collections::HashMap;
use std::hash::Hasher as _;
use std::sync::{Arc, PoisonError, RwLock};

/// Tokens that are remembered.
const MOST: usize = 1_024;
/// Bytes of one; what is longer is verified each time.
const LONGEST: usize = 2 << 10;

/// What was proven of tokens under one set of keys.
pub(super) struct Proofs {
    /// Of the hash under which tokens are found: nobody can make two that are one, and none is kept.
    /// Without it nothing is remembered.
    key: Option<[u8; 16]>,
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    /// Proofs hold as long as the keys are these.
    ring: Option<Arc<Ring>>,
    tokens: HashMap<u128, Arc<Proven>>,
}

impl Default for Proofs {
    fn default() -> Self {
        let mut key = [0; 16];
        let random = getrandom::fill(&mut key).is_ok();
        Self { key: random.then_some(key), ..Self::none() }
    }
}

impl Proofs {
    /// Remembers nothing: for what is asked seldom.
    pub(super) fn none() -> Self {
        Self { key: None, known: RwLock::default() }
    }

    /// Those under these keys.
    pub(super) fn of<'p>(&'p self, ring: &'p Arc<Ring>) -> Under<'p> {
        Under { proofs: self, ring }
    }

    fn hash(&self, token: &[u8]) -> Option<u128> {
        let key = self.key.filter(|_| token.len() <= LONGEST)?;
        let mut hasher = SipHasher13::new_with_key(&key);
        hasher.write(token);
        Some(hasher.finish128().as_u128())
    }
}

/// Proofs under one set of keys.
pub(super) struct Under<'p> {
    proofs: &'p Proofs,
    ring: &'p Arc<Ring>,
}

impl jwt::Proofs for Under<'_> {
    fn recall(&self, token: &[u8]) -> Option<Arc<Proven>> {
        let hash = self.proofs.hash(token)?;
        let known = self.proofs.known.read().unwrap_or_else(PoisonError::into_inner);
        let same = known.ring.as_ref().is_some_and(|ring| Arc::ptr_eq(ring, self.ring));
        known.tokens.get(&hash).filter(|_| same).cloned()
    }

    fn keep(&self, token: &[u8], proven: &Arc<Proven>) {
        let Some(hash) = self.proofs.hash(token) else { return };
        let mut known = self.proofs.known.write().unwrap_or_else(PoisonError::into_inner);
        let same = known.ring.as_ref().is_some_and(|ring| Arc::ptr_eq(ring, self.ring));
        if !same || known.tokens.len() >= MOST {
            known.tokens.clear();
            known.ring = Some(Arc::clone(self.ring));
        }
        known.tokens.insert(hash, Arc::clone(proven));
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

    fn remembered(proofs: &Proofs) -> usize {
        proofs.known.read().unwrap().tokens.len()
    }

    #[test]
    fn what_is_remembered_is_judged_anew_by_time_endpoint_and_keys() {
        let folder = tempfile::tempdir().unwrap();
        let (vault, proofs) = (vault(folder.path(), &["one", "two"]), Proofs::default());
        let good = token(&vault, "one", 0);
        for _ in 0..2 {
            assert_eq!(passes(&vault, &proofs, &["one", "two"], &good, NOW), Ok(()));
            assert_eq!(remembered(&proofs), 1);
        }
        let late = passes(&vault, &proofs, &["one"], &good, NOW + 3_600_000).unwrap_err();
        assert!(late.starts_with("exp passed"), "{late}");
        assert_eq!(passes(&vault, &proofs, &["two"], &good, NOW).unwrap_err(), "no key matches");
        let mut forged = good.clone();
        let last = forged.pop().unwrap();
        forged.push(if last == 'A' { 'B' } else { 'A' });
        assert!(passes(&vault, &proofs, &["one"], &forged, NOW).is_err());
        assert_eq!(remembered(&proofs), 1, "what was refused is not kept");
        // The key is taken away: what it signed is refused at once.
        vault.load(&[key(&vault, "two")]);
        assert!(passes(&vault, &proofs, &["one", "two"], &good, NOW).is_err());
    }

    #[test]
    fn so_many_tokens_are_remembered_and_no_long_ones() {
        let folder = tempfile::tempdir().unwrap();
        let (vault, proofs) = (vault(folder.path(), &["one"]), Proofs::default());
        for n in 0..MOST {
            passes(&vault, &proofs, &["one"], &token(&vault, "one", n), NOW).unwrap();
        }
        assert_eq!(remembered(&proofs), MOST);
        passes(&vault, &proofs, &["one"], &token(&vault, "one", MOST), NOW).unwrap();
        assert_eq!(remembered(&proofs), 1, "then it begins anew");
        assert!(proofs.hash(&[b'a'; LONGEST]).is_some() && proofs.hash(&[b'a'; LONGEST + 1]).is_none());
    }
}
