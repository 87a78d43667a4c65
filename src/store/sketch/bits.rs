//! A set of hashes that can be asked whether it surely lacks one (a Bloom filter).

/// Bits for each hash, and how many of them are set: one in eight hundred that are not there seems to be.
const BITS: usize = 14;
const SET: u64 = 9;

/// Spreads a hash over all of its bits.
fn spread(hash: u64) -> u64 {
    let mut x = hash.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The bits of a hash among so many. They are others in each set: what seems to be in one, because of
/// what is in all of them, would else seem to be in all.
fn places(hash: u64, salt: u64, bits: u64) -> impl Iterator<Item = usize> {
    let first = spread(hash ^ spread(salt));
    let step = spread(first) | 1;
    (0..SET).map(move |at| {
        let x = u128::from(first.wrapping_add(step.wrapping_mul(at)));
        usize::try_from((x * u128::from(bits)) >> 64).unwrap_or(0)
    })
}

/// The set of these hashes, each once, under its salt. Of none it is a few bits that are not set; an empty text stands
/// for the set of everything.
pub(super) fn make(hashes: &[u64], salt: u64) -> Vec<u8> {
    let mut bytes = vec![0; (hashes.len() * BITS).div_ceil(64).max(1) * 8];
    let bits = bytes.len() as u64 * 8;
    for hash in hashes {
        for at in places(*hash, salt, bits) {
            bytes[at / 8] |= 1 << (at % 8);
        }
    }
    bytes
}

/// Whether a hash may be in a set; no is certain.
#[must_use]
pub(in crate::store) fn has(bytes: &[u8], salt: u64, hash: u64) -> bool {
    let bits = bytes.len() as u64 * 8;
    bytes.is_empty() || places(hash, salt, bits).all(|at| bytes[at / 8] & (1 << (at % 8)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_there_and_little_else_seems_to_be() {
        for size in [0, 1, 7, 1_000, 30_000_u64] {
            let hashes: Vec<u64> = (0..size).collect();
            let bytes = make(&hashes, size);
            assert!(hashes.iter().all(|hash| has(&bytes, size, *hash)), "{size}");
            let wrong = (size..size + 10_000).filter(|hash| has(&bytes, size, *hash)).count();
            assert!(wrong < 40, "{wrong} of 10,000 seem to be among {size}");
            assert!(bytes.len() <= hashes.len() * BITS / 8 + 16, "{size} take {}", bytes.len());
        }
        assert!(has(&[], 1, 7), "the set of everything");
    }
}
