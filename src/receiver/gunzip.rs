//! gzip bodies: expanded under the same bound as others, cut while they expand.

use super::body::{Budget, KEPT};
use bytes::{Bytes, BytesMut};
use flate2::bufread::GzDecoder;
use std::io::Read as _;

/// Compressed bytes that are expanded in place (to a thousand times as much at most); more go to a
/// thread that may block.
const IN_PLACE: usize = 1 << 10;
/// Bytes that are expanded in one go.
const STEP: usize = 16 << 10;
/// Members of a body at most: each costs a new start, and a body needs one.
const MEMBERS: usize = 1_024;

/// What a member begins with: what it is, and that it is deflated.
const MEMBER: &[u8] = &[0x1f, 0x8b, 8];

/// Why a body could not be expanded; with it what had been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Torn {
    /// It is no gzip, or broke off, or its checksum is wrong: in words.
    Broken(String),
    /// It is longer than it may be.
    TooLong,
    /// Too many bytes are being gathered for other senders.
    NoRoom,
}

/// Expands a gzip body (RFC 1952) of at most `max` bytes.
///
/// Several members, one after the other, are one body, as the RFC has it; anything else after the
/// last one (padding too) is an error. Nothing is expanded past the bound.
///
/// # Errors
/// [`Torn`], and what had been expanded, at most 64 KiB of it.
pub(super) async fn expand(packed: Bytes, max: u64, budget: &Budget) -> Result<Bytes, (Torn, Bytes)> {
    if packed.len() <= IN_PLACE {
        return inflate(&packed, max, budget);
    }
    let budget = budget.clone();
    let task = tokio::task::spawn_blocking(move || inflate(&packed, max, &budget));
    task.await.unwrap_or_else(|_| Err((Torn::NoRoom, Bytes::new())))
}

/// The first bytes of a gzip body, for those who look at a refused one; whether they are all of it.
pub(super) fn glance(packed: &[u8]) -> (Bytes, bool) {
    match inflate(packed, KEPT as u64, &Budget::default()) {
        Ok(whole) => (whole, true),
        Err((_, part)) => (part, false),
    }
}

fn inflate(packed: &[u8], max: u64, budget: &Budget) -> Result<Bytes, (Torn, Bytes)> {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let mut share = budget.share();
    let mut all = BytesMut::new();
    let mut buffer = vec![0; STEP];
    let failed = if packed.is_empty() {
        Torn::Broken("it is empty".to_owned())
    } else if members(packed) > MEMBERS {
        Torn::Broken(format!("it has over {MEMBERS} members"))
    } else {
        let mut decoder = GzDecoder::new(packed);
        loop {
            match decoder.read(&mut buffer) {
                Ok(0) => match decoder.into_inner() {
                    [] => return Ok(all.freeze()),
                    more if more.starts_with(MEMBER) => decoder = GzDecoder::new(more),
                    rest => break Torn::Broken(format!("{} follow the end of the gzip stream", bytes(rest))),
                },
                Ok(len) if all.len() + len > max => {
                    let rest = max - all.len();
                    all.extend_from_slice(&buffer[..rest]);
                    break Torn::TooLong;
                }
                Ok(len) if share.grow(all.len() + len) => all.extend_from_slice(&buffer[..len]),
                Ok(_) => break Torn::NoRoom,
                Err(error) => break Torn::Broken(error.to_string()),
            }
        }
    };
    all.truncate(KEPT);
    Err((failed, all.freeze()))
}

/// `1 byte`, `12 bytes`.
fn bytes(rest: &[u8]) -> String {
    if rest.len() == 1 { "1 byte".to_owned() } else { format!("{} bytes", rest.len()) }
}

/// Members that could begin in it: an upper bound, found without expanding anything.
fn members(packed: &[u8]) -> usize {
    packed.windows(3).filter(|head| *head == MEMBER).take(MEMBERS + 1).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::io::Write as _;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn expanded(packed: &[u8], max: u64) -> Result<Vec<u8>, Torn> {
        inflate(packed, max, &Budget::default()).map(|bytes| bytes.to_vec()).map_err(|(torn, _)| torn)
    }

    #[test]
    fn the_bound_holds_for_what_it_expands_to() {
        let packed = gzip(&vec![b'a'; 100_000]);
        assert!(packed.len() < 1_000);
        assert_eq!(expanded(&packed, 100_000).unwrap().len(), 100_000);
        assert_eq!(expanded(&packed, 99_999), Err(Torn::TooLong));
        let (torn, part) = inflate(&packed, 99_999, &Budget::default()).unwrap_err();
        assert_eq!((torn, part.len()), (Torn::TooLong, KEPT));
    }

    #[test]
    fn a_bomb_is_cut_while_it_expands() {
        let bomb = gzip(&vec![0; 64 << 20]);
        let budget = Budget::default();
        let (torn, part) = inflate(&bomb, 1 << 20, &budget).unwrap_err();
        assert_eq!((torn, part.len()), (Torn::TooLong, KEPT));
        assert!(part.len() <= 1 << 20);
    }

    #[test]
    fn broken_gzip_says_so() {
        let whole = gzip(b"{\"a\":1}");
        let is_broken = |packed: &[u8]| matches!(expanded(packed, 100), Err(Torn::Broken(_)));
        assert!(is_broken(b""));
        assert!(is_broken(b"{\"a\":1}"));
        for cut in 1..whole.len() {
            assert!(is_broken(&whole[..cut]), "cut at {cut}");
        }
        let mut wrong = whole.clone();
        let checksum = wrong.len() - 8;
        wrong[checksum] ^= 1;
        assert!(is_broken(&wrong), "its checksum is wrong");
        for (tail, told) in [(&b"x"[..], "1 byte"), (b"\0\0\0\0", "4 bytes"), (b"\x1f\x8b", "2 bytes")] {
            let why = format!("{told} follow the end of the gzip stream");
            assert_eq!(expanded(&[&whole[..], tail].concat(), 100), Err(Torn::Broken(why)), "{tail:?}");
        }
        let torn = [&whole[..], &whole[..12]].concat();
        assert!(is_broken(&torn), "a second member breaks off");
    }

    #[test]
    fn several_members_are_one_body_up_to_their_bound() {
        let two = [gzip(b"{\"a\":"), gzip(b"1}")].concat();
        assert_eq!(expanded(&two, 100).unwrap(), b"{\"a\":1}");
        let many = |count: usize| gzip(b"").repeat(count);
        assert_eq!(expanded(&many(MEMBERS), 100).unwrap(), b"");
        assert!(matches!(expanded(&many(MEMBERS + 1), 100), Err(Torn::Broken(_))));
    }

    #[test]
    fn a_glance_keeps_what_a_refused_request_keeps() {
        let (kept, whole) = glance(&gzip(&vec![b'a'; KEPT]));
        assert_eq!((kept.len(), whole), (KEPT, true));
        let (kept, whole) = glance(&gzip(&vec![b'a'; KEPT + 1]));
        assert_eq!((kept.len(), whole), (KEPT, false));
        let (kept, whole) = glance(b"no gzip");
        assert_eq!((kept.len(), whole), (0, false));
    }

    #[tokio::test]
    async fn large_ones_expand_elsewhere() {
        let text: Vec<u8> =
            (0..200_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let packed = Bytes::from(gzip(&text));
        let budget = Budget::default();
        assert_eq!(expand(packed, 1 << 20, &budget).await.unwrap(), text);
        assert!(budget.is_empty(), "and give back what they took");
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = expanded(&bytes, 50);
            prop_assert_eq!(expanded(&gzip(&bytes), 300), Ok(bytes));
        }
    }
}
