//! Ids: 63-bit integers inside, `UUIDv7` text outside.
//!
//! The integer is `ms since 2025-01-01 (41 bits) | count (10) | node (6) | bucket (6)`: it is the
//! primary key, so text order, number order and order of commit are one. The text carries a
//! [`SipHash`](siphasher) tag over kind and integer under the store's own key, so a pasted id says
//! what it is, a mistyped one is refused without a read, and a neighbour cannot be guessed
//! (RFC 9562 section 6.2 lets a counter and own data stand in the random bits).

use super::time::Ms;
use siphasher::sip::SipHasher24;
use std::hash::Hasher;

/// 2025-01-01T00:00:00Z: where the 41 bits of an id begin to count.
pub const EPOCH: Ms = 1_735_689_600_000;

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One HTTP request that arrived.
    Request = 1,
    /// One execution of one flow.
    Run = 2,
    /// The promise made by a 202.
    Callback = 3,
    /// A bulk job.
    Bulk = 4,
    /// An entry of the audit trail.
    Audit = 5,
    /// Something that was told of trouble.
    Alert = 6,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Run => "run",
            Self::Callback => "callback",
            Self::Bulk => "job",
            Self::Audit => "audit entry",
            Self::Alert => "alert",
        }
    }
}

/// An id of one kind.
pub trait Typed: Copy {
    /// The kind that its text carries.
    const KIND: Kind;
    /// The integer.
    fn raw(self) -> i64;
    /// From the integer.
    fn from_raw(raw: i64) -> Self;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $kind:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl Typed for $name {
            const KIND: Kind = Kind::$kind;
            fn raw(self) -> i64 {
                self.0
            }
            fn from_raw(raw: i64) -> Self {
                Self(raw)
            }
        }

        impl $name {
            /// When it was made, by engine time.
            #[must_use]
            pub fn time(self) -> Ms {
                time_of(self.0)
            }
        }
    )*};
}

ids! {
    /// Names a request.
    RequestId = Request;
    /// Names a run. A run that its request gave birth to has the request's integer.
    RunId = Run;
    /// Names a callback.
    CallbackId = Callback;
    /// Names an entry of the audit trail.
    AuditId = Audit;
    /// Names what was told of trouble, over all attempts to deliver it.
    AlertId = Alert;
    /// Names a job: a verb on many, done piece by piece.
    JobId = Bulk;
}

/// Names a flow for as long as the store lives, through renames and edits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub i64);

/// Names an integration for as long as the store lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntegrationId(pub i64);

/// The time inside an id.
#[must_use]
pub fn time_of(raw: i64) -> Ms {
    (raw >> 22) + EPOCH
}

/// The smallest id of a millisecond: where a time range begins.
#[must_use]
pub fn first_at(at: Ms) -> i64 {
    (at - EPOCH).clamp(0, (1 << 41) - 1) << 22
}

/// Prints and reads ids under the store's id key.
#[derive(Clone)]
pub struct IdKey([u8; 16]);

impl std::fmt::Debug for IdKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdKey")
    }
}

/// Bits of the tag.
const TAG: u64 = (1 << 52) - 1;

impl IdKey {
    /// From the 16 bytes kept in the store.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    fn tag(&self, kind: Kind, raw: i64) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(&[kind as u8]);
        hasher.write(&raw.to_le_bytes());
        hasher.finish() & TAG
    }

    /// The `UUIDv7` text of an id.
    #[must_use]
    pub fn print<T: Typed>(&self, id: T) -> String {
        self.print_raw(T::KIND, id.raw())
    }

    /// The `UUIDv7` text of an integer of a kind.
    #[must_use]
    pub fn print_raw(&self, kind: Kind, raw: i64) -> String {
        // By hand: every answer prints two, and formatting costs ten times as much.
        let mut text = String::with_capacity(36);
        for (at, byte) in self.bits(kind, raw).to_be_bytes().into_iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            for digit in [byte >> 4, byte & 0xf] {
                text.push(char::from(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }));
            }
        }
        text
    }

    /// The 128 bits of an id: what its text says in hex. Endings are compared on these.
    #[must_use]
    pub fn bits(&self, kind: Kind, raw: i64) -> u128 {
        let unix_ms = u128::from(time_of(raw).cast_unsigned() & 0xffff_ffff_ffff);
        let low22 = u128::from(raw.cast_unsigned() & 0x3f_ffff);
        let tag = u128::from(self.tag(kind, raw));
        (unix_ms << 80) | (7 << 76) | ((low22 >> 10) << 64) | (0b10 << 62) | ((low22 & 0x3ff) << 52) | tag
    }

    /// Reads an id of any kind; `None` where it was not made by this store.
    #[must_use]
    pub fn parse_any(&self, text: &str) -> Option<(Kind, i64)> {
        let text = text.trim();
        let shape = match text.len() {
            36 => text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            }),
            // As some programs print a UUID.
            32 => text.bytes().all(|byte| byte.is_ascii_hexdigit()),
            _ => false,
        };
        if !shape {
            return None;
        }
        let bits = u128::from_str_radix(&text.replace('-', ""), 16).ok()?;
        if (bits >> 76) & 0xf != 7 || (bits >> 62) & 0b11 != 0b10 {
            return None;
        }
        let ms = i64::try_from(bits >> 80).ok()? - EPOCH;
        if !(0..1 << 41).contains(&ms) {
            return None;
        }
        let low22 = i64::try_from((((bits >> 64) & 0xfff) << 10) | ((bits >> 52) & 0x3ff)).ok()?;
        let raw = (ms << 22) | low22;
        let tag = u64::try_from(bits & u128::from(TAG)).ok()?;
        [Kind::Request, Kind::Run, Kind::Callback, Kind::Bulk, Kind::Audit, Kind::Alert]
            .into_iter()
            .find(|kind| self.tag(*kind, raw) == tag)
            .map(|kind| (kind, raw))
    }

    /// Reads an id of one kind.
    #[must_use]
    pub fn parse<T: Typed>(&self, text: &str) -> Option<T> {
        match self.parse_any(text) {
            Some((kind, raw)) if kind == T::KIND => Some(T::from_raw(raw)),
            _ => None,
        }
    }
}

/// The last six digits: what lists show, since the head of a `UUIDv7` is only its time.
#[must_use]
pub fn short(text: &str) -> &str {
    text.get(text.len().saturating_sub(6)..).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_prints_as_uuid_v7_and_reads_back_by_kind() {
        let key = IdKey::new([7; 16]);
        let raw = first_at(1_795_008_715_120) | 0x2a_bcde;
        let text = key.print(RequestId(raw));
        assert_eq!(text.len(), 36);
        assert_eq!(&text[14..15], "7");
        assert_eq!(key.parse::<RequestId>(&text), Some(RequestId(raw)));
        assert_eq!(key.parse::<RunId>(&text), None);
        assert_eq!(RequestId(raw).time(), 1_795_008_715_120);
        assert_ne!(key.print(RunId(raw)), text);
    }

    #[test]
    fn text_order_is_number_order() {
        let key = IdKey::new([1; 16]);
        let ids: Vec<i64> = (0..200).map(|n| first_at(EPOCH + n) + (n * 977) % 0x3f_ffff).collect();
        let texts: Vec<String> = ids.iter().map(|id| key.print(RunId(*id))).collect();
        assert!(texts.is_sorted());
    }

    #[test]
    fn a_forged_or_mistyped_id_is_refused() {
        let key = IdKey::new([7; 16]);
        let text = key.print(RunId(first_at(EPOCH + 5)));
        let mut wrong = text.clone();
        wrong.replace_range(35.., if text.ends_with('0') { "1" } else { "0" });
        assert_eq!(key.parse_any(&wrong), None);
        assert_eq!(IdKey::new([8; 16]).parse_any(&text), None);
        assert_eq!(key.parse_any("0197a2b4-77c1-4d30-9f11-c2a990d7fe00"), None);
        assert_eq!(key.parse_any("é"), None);
    }

    #[test]
    fn an_id_without_hyphens_is_the_id() {
        let ids = IdKey::new([9; 16]);
        let id = RunId(first_at(1_795_008_715_120) + 7);
        let bare = ids.print(id).replace('-', "");
        assert_eq!(ids.parse_any(&bare), Some((Kind::Run, id.0)));
        assert_eq!(ids.parse_any(&bare.to_uppercase()), Some((Kind::Run, id.0)));
        assert_eq!(ids.parse_any(&bare[1..]), None);
    }
}
