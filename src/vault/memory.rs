//! What was worked out a moment ago and will be asked again: so many results, found under a keyed
//! hash of what they were worked out from, which is not kept.

use siphasher::sip128::{Hasher128 as _, SipHasher13};
use std::collections::HashMap;
use std::hash::Hasher as _;
use std::sync::{Arc, PoisonError, RwLock};

/// Results of one generation; two are kept.
pub const GENERATION: usize = 1_024;
/// Bytes that a result may be worked out from; for what is longer nothing is remembered.
pub const LONGEST: usize = 2 << 10;

/// At most two generations of results: what is asked while it is old is young again, the rest goes
/// with its generation.
pub struct Memory<V> {
    /// Of the hash: nobody outside can make two questions that are one. Without it nothing is
    /// remembered.
    key: Option<[u8; 16]>,
    known: RwLock<Generations<V>>,
}

struct Generations<V> {
    young: HashMap<u128, Arc<V>>,
    old: HashMap<u128, Arc<V>>,
}

/// Where a result is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot(u128);

impl<V> Default for Memory<V> {
    fn default() -> Self {
        let mut key = [0; 16];
        let random = getrandom::fill(&mut key).is_ok();
        Self { key: random.then_some(key), ..Self::none() }
    }
}

impl<V> Memory<V> {
    /// Remembers nothing: for what is asked seldom.
    #[must_use]
    pub fn none() -> Self {
        Self { key: None, known: RwLock::new(Generations { young: HashMap::new(), old: HashMap::new() }) }
    }

    /// The spot of what is worked out from these parts, each told apart by its length; `None` where
    /// nothing is remembered of it.
    pub fn spot(&self, parts: &[&[u8]]) -> Option<Spot> {
        let key = self.key?;
        if parts.iter().map(|part| part.len()).sum::<usize>() > LONGEST {
            return None;
        }
        let mut hasher = SipHasher13::new_with_key(&key);
        for part in parts {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        Some(Spot(hasher.finish128().as_u128()))
    }

    /// What is remembered there.
    pub fn recall(&self, spot: Spot) -> Option<Arc<V>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.young.get(&spot.0) {
            return Some(Arc::clone(found));
        }
        let found = known.old.get(&spot.0).map(Arc::clone)?;
        drop(known);
        self.keep(spot, &found);
        Some(found)
    }

    /// Remembers it.
    pub fn keep(&self, spot: Spot, value: &Arc<V>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.young.len() >= GENERATION && !known.young.contains_key(&spot.0) {
            known.old = std::mem::take(&mut known.young);
        }
        known.young.insert(spot.0, Arc::clone(value));
    }

    /// How many results there are.
    pub fn len(&self) -> usize {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.young.len() + known.old.keys().filter(|key| !known.young.contains_key(*key)).count()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_stays_and_the_rest_goes_with_its_generation() {
        let memory = Memory::default();
        let spot = |n: usize| memory.spot(&[&n.to_be_bytes()]).unwrap();
        for n in 0..GENERATION * 10 {
            memory.keep(spot(n), &Arc::new(n));
            assert_eq!(memory.recall(spot(0)).as_deref(), Some(&0), "asked each time");
            assert_eq!(memory.recall(spot(n)).as_deref(), Some(&n));
            assert!(memory.len() <= 2 * GENERATION);
        }
        assert!(memory.recall(spot(1)).is_none());
    }

    #[test]
    fn as_many_as_a_generation_holds_are_all_remembered() {
        let memory = Memory::default();
        let spot = |n: usize| memory.spot(&[&n.to_be_bytes()]).unwrap();
        // What came before them goes.
        for n in GENERATION..GENERATION + 7 {
            memory.keep(spot(n), &Arc::new(n));
        }
        for round in 0..3 {
            for n in 0..GENERATION {
                let found = memory.recall(spot(n));
                assert_eq!(found.is_some(), round > 0, "{n} in round {round}");
                memory.keep(spot(n), &Arc::new(n));
            }
        }
    }

    #[test]
    fn parts_are_told_apart_and_long_ones_are_not_remembered() {
        let memory = Memory::<()>::default();
        assert_ne!(memory.spot(&[b"ab", b"c"]), memory.spot(&[b"a", b"bc"]));
        assert_ne!(memory.spot(&[b"a"]), Memory::<()>::default().spot(&[b"a"]), "another key");
        assert!(memory.spot(&[&[b'a'; LONGEST]]).is_some());
        assert!(memory.spot(&[&[b'a'; LONGEST], b"a"]).is_none());
        assert!(Memory::<()>::none().spot(&[b"a"]).is_none() && memory.is_empty());
    }
}
