//! The judge of duplicates: one sharded table in memory, owned by the writer thread.
//!
//! Each of 4,096 shards is an open-addressing table of three parallel arrays, 29 bytes a slot. A
//! shard is rebuilt alone when it is full, and drops lapsed entries on the way: expiry needs no
//! timer and no sweep, and a steady stream keeps the table at its size. Every change stands on an
//! undo list until its commit is known, and goes into the commit's row of the ledger, from which
//! the table is made again at start.

use crate::model::Ms;
use crate::model::id::EPOCH;
use crate::model::request::DedupKey;

/// A key: the first 128 bits of a SHA-256.
pub(super) type Key = [u8; 16];

const SHARDS: usize = 4_096;

/// Bytes of a slot, and of an entry of the ledger: key 16, first request 8, last seen 5.
pub(super) const ENTRY: usize = 29;

/// Load after a rebuild and before the next, in percent.
const LOAD_LOW: usize = 66;
const LOAD_HIGH: usize = 84;

/// The first request of a key that was forgotten: the slot is taken, the key is not there.
const FORGOTTEN: i64 = -1;

/// Who had a key first, and when it was seen last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The first request.
    pub(super) first: i64,
    /// By engine time.
    pub(super) seen: Ms,
}

#[derive(Debug, Default)]
struct Shard {
    keys: Box<[Key]>,
    /// 0 where the slot is free.
    first: Box<[i64]>,
    seen: Box<[[u8; 5]]>,
    /// Slots that are taken, forgotten and lapsed ones included.
    used: u32,
}

/// Five bytes of milliseconds since 2025: until 2059.
fn pack(seen: Ms) -> [u8; 5] {
    let bytes = (seen - EPOCH).clamp(0, (1 << 40) - 1).to_le_bytes();
    [bytes[0], bytes[1], bytes[2], bytes[3], bytes[4]]
}

fn unpack(seen: [u8; 5]) -> Ms {
    i64::from_le_bytes([seen[0], seen[1], seen[2], seen[3], seen[4], 0, 0, 0]) + EPOCH
}

/// Where a key's search begins in a shard of so many slots. The multiplication by a number that is
/// drawn at start keeps a sender from choosing keys that share a slot.
fn start(key: &Key, seed: u64, slots: usize) -> usize {
    let low = u64::from_le_bytes([key[0], key[1], key[2], key[3], key[4], key[5], key[6], key[7]]);
    let high = u64::from_le_bytes([key[8], key[9], key[10], key[11], key[12], key[13], key[14], key[15]]);
    let wide = u128::from(low ^ seed).wrapping_mul(u128::from(high ^ seed.rotate_left(32) | 1));
    let folded = ((wide >> 64) ^ wide) & u128::from(u64::MAX);
    usize::try_from((folded * slots as u128) >> 64).unwrap_or(0)
}

impl Shard {
    /// The slot of a key, or the free one that ends its search; `None` in a shard without slots.
    fn find(&self, key: &Key, seed: u64) -> Option<(usize, bool)> {
        let slots = self.keys.len();
        if slots == 0 {
            return None;
        }
        let mut at = start(key, seed, slots);
        loop {
            if self.first[at] == 0 {
                return Some((at, false));
            }
            if self.keys[at] == *key {
                return Some((at, true));
            }
            at = if at + 1 == slots { 0 } else { at + 1 };
        }
    }

    fn with_slots(slots: usize) -> Self {
        Self {
            keys: vec![[0; 16]; slots].into(),
            first: vec![0; slots].into(),
            seen: vec![[0; 5]; slots].into(),
            used: 0,
        }
    }

    /// Makes room, and drops what lapsed at or before `dead`.
    fn rebuild(&mut self, seed: u64, dead: Ms) {
        let lives = |at: usize| self.first[at] > 0 && unpack(self.seen[at]) > dead;
        let live = (0..self.first.len()).filter(|at| lives(*at)).count();
        let mut next = Self::with_slots(((live + 1) * 100 / LOAD_LOW).max(8));
        for at in (0..self.first.len()).filter(|at| lives(*at)) {
            if let Some((to, _)) = next.find(&self.keys[at], seed) {
                next.keys[to] = self.keys[at];
                next.first[to] = self.first[at];
                next.seen[to] = self.seen[at];
                next.used += 1;
            }
        }
        *self = next;
    }
}

/// The table.
#[derive(Debug)]
pub(super) struct Table {
    shards: Box<[Shard]>,
    seed: u64,
    /// The longest window that was ever judged: what lapsed under it lapsed under all.
    longest: Ms,
    slots: usize,
    /// Old entries of keys changed since the last [`Table::keep`].
    undo: Vec<(Key, Option<Entry>)>,
    /// What changed since then, as the ledger has it.
    log: Vec<u8>,
}

impl Table {
    /// An empty one. `seed` is any number that senders do not know.
    pub(super) fn new(seed: u64, longest: Ms) -> Self {
        let shards = (0..SHARDS).map(|_| Shard::default()).collect();
        Self { shards, seed, longest, slots: 0, undo: Vec::new(), log: Vec::new() }
    }

    /// The longest window that was ever judged.
    pub(super) fn longest(&self) -> Ms {
        self.longest
    }

    /// Bytes that it holds.
    pub(super) fn bytes(&self) -> u64 {
        (self.slots * ENTRY + SHARDS * size_of::<Shard>()) as u64
    }

    fn shard(key: &Key) -> usize {
        usize::from(u16::from_le_bytes([key[14], key[15]])) % SHARDS
    }

    /// The entry of a key, lapsed or not.
    pub(super) fn get(&self, key: &Key) -> Option<Entry> {
        let shard = &self.shards[Self::shard(key)];
        let (at, there) = shard.find(key, self.seed)?;
        let first = shard.first[at];
        (there && first != FORGOTTEN).then(|| Entry { first, seen: unpack(shard.seen[at]) })
    }

    /// Sets or forgets a key, without a trace in undo list or log.
    fn put(&mut self, key: &Key, entry: Option<Entry>, now: Ms) {
        let (seed, longest) = (self.seed, self.longest);
        let shard = &mut self.shards[Self::shard(key)];
        let mut found = shard.find(key, seed);
        if entry.is_none() && !matches!(found, Some((_, true))) {
            return;
        }
        let full = |shard: &Shard| (shard.used as usize + 1) * 100 > shard.keys.len() * LOAD_HIGH;
        if !matches!(found, Some((_, true))) && full(shard) {
            let before = shard.keys.len();
            shard.rebuild(seed, now - longest);
            self.slots = self.slots + shard.keys.len() - before;
            found = shard.find(key, seed);
        }
        let Some((at, there)) = found else { return };
        if !there {
            shard.used += 1;
            shard.keys[at] = *key;
        }
        shard.first[at] = entry.map_or(FORGOTTEN, |entry| entry.first);
        shard.seen[at] = entry.map_or([0; 5], |entry| pack(entry.seen));
    }

    /// Judges a request: the first request with its key where it is a duplicate, `None` where it is
    /// fresh and now the first itself. `now − last seen < window` is a duplicate, `=` is fresh.
    pub(super) fn judge(&mut self, key: &DedupKey, id: i64, now: Ms) -> Option<i64> {
        self.longest = self.longest.max(key.window);
        let old = self.get(&key.key);
        let first = old.filter(|entry| now - entry.seen < key.window).map(|entry| entry.first);
        if first.is_some() && (key.from_first || old.is_some_and(|entry| entry.seen == now)) {
            return first;
        }
        self.set(&key.key, old, Some(Entry { first: first.unwrap_or(id), seen: now }), now);
        first
    }

    /// Forgets a key; whether it was there.
    pub(super) fn forget(&mut self, key: &Key, now: Ms) -> bool {
        let old = self.get(key);
        if old.is_some() {
            self.set(key, old, None, now);
        }
        old.is_some()
    }

    fn set(&mut self, key: &Key, old: Option<Entry>, new: Option<Entry>, now: Ms) {
        self.undo.push((*key, old));
        self.log.extend_from_slice(key);
        self.log.extend_from_slice(&new.map_or(0, |entry| entry.first).to_le_bytes());
        self.log.extend_from_slice(&pack(new.map_or(now, |entry| entry.seen)));
        self.put(key, new, now);
    }

    /// What changed since the last [`Table::keep`], for the ledger.
    pub(super) fn log(&self) -> &[u8] {
        &self.log
    }

    /// The commit is there: the changes stay.
    pub(super) fn keep(&mut self) {
        self.undo.clear();
        self.log.clear();
    }

    /// The commit failed: every key is as it was before.
    pub(super) fn undo(&mut self, now: Ms) {
        for (key, old) in std::mem::take(&mut self.undo).into_iter().rev() {
            self.put(&key, old, now);
        }
        self.log.clear();
    }

    /// Applies the entries of a row of the ledger; in the order of the rows this is idempotent.
    pub(super) fn apply(&mut self, log: &[u8], now: Ms) {
        for entry in log.chunks_exact(ENTRY) {
            let mut key = [0; 16];
            key.copy_from_slice(&entry[..16]);
            let mut first = [0; 8];
            first.copy_from_slice(&entry[16..24]);
            let mut seen = [0; 5];
            seen.copy_from_slice(&entry[24..]);
            let first = i64::from_le_bytes(first);
            let new = (first > 0).then(|| Entry { first, seen: unpack(seen) });
            self.put(&key, new, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const T0: Ms = EPOCH + 1_000_000;

    fn key(n: u8) -> Key {
        let mut key = [n; 16];
        // Few shards, so that rebuilds and long searches happen.
        key[14] = n % 2;
        key[15] = 0;
        key
    }

    fn judged(n: u8, window: Ms) -> DedupKey {
        DedupKey { key: key(n), window, from_first: false }
    }

    #[test]
    fn the_window_ends_exactly_where_it_ends() {
        let mut table = Table::new(1, 0);
        assert_eq!(table.judge(&judged(1, 100), 11, T0), None);
        assert_eq!(table.judge(&judged(1, 100), 12, T0 + 99), Some(11));
        // It slid: 99 more are a duplicate, 100 are fresh.
        assert_eq!(table.judge(&judged(1, 100), 13, T0 + 198), Some(11));
        assert_eq!(table.judge(&judged(1, 100), 14, T0 + 298), None);
        assert_eq!(table.get(&key(1)), Some(Entry { first: 14, seen: T0 + 298 }));
    }

    #[test]
    fn from_first_does_not_slide() {
        let mut table = Table::new(1, 0);
        let first = DedupKey { from_first: true, ..judged(1, 100) };
        assert_eq!(table.judge(&first, 11, T0), None);
        table.keep();
        assert_eq!(table.judge(&first, 12, T0 + 99), Some(11));
        assert!(table.log().is_empty());
        assert_eq!(table.judge(&first, 13, T0 + 100), None);
    }

    #[test]
    fn a_steady_stream_keeps_the_table_at_its_size() {
        let mut table = Table::new(7, 0);
        let key = |n: u64| {
            let mut key = [0; 16];
            key[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
            key[8..16].copy_from_slice(&(n % 4).wrapping_shl(48).to_le_bytes());
            DedupKey { key, window: 1_000, from_first: false }
        };
        let mut at_half = 0;
        for n in 0..40_000u64 {
            let now = T0 + i64::try_from(n).unwrap();
            assert_eq!(table.judge(&key(n), i64::try_from(n).unwrap() + 1, now), None);
            table.keep();
            if n == 20_000 {
                at_half = table.slots;
            }
        }
        assert!(
            table.slots <= at_half * 2 && table.slots < 8_000,
            "{} slots for 1,000 live keys",
            table.slots
        );
    }

    /// What a map would do: the whole meaning of the table in a few lines.
    #[derive(Debug, Clone, Default)]
    struct Model(BTreeMap<u8, Entry>);

    impl Model {
        fn judge(&mut self, n: u8, window: Ms, from_first: bool, id: i64, now: Ms) -> Option<i64> {
            match self.0.get_mut(&n) {
                Some(entry) if now - entry.seen < window => {
                    if !from_first {
                        entry.seen = now;
                    }
                    Some(entry.first)
                }
                _ => {
                    self.0.insert(n, Entry { first: id, seen: now });
                    None
                }
            }
        }
    }

    #[derive(Debug, Clone)]
    enum Op {
        Judge { n: u8, window: Ms, from_first: bool },
        Forget { n: u8 },
        Wait(Ms),
        Commit,
        Fail,
        Restart,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            8 => (any::<u8>(), 1i64..400, any::<bool>())
                .prop_map(|(n, window, from_first)| Op::Judge { n: n % 40, window, from_first }),
            1 => any::<u8>().prop_map(|n| Op::Forget { n: n % 40 }),
            3 => (0i64..200).prop_map(Op::Wait),
            2 => Just(Op::Commit),
            1 => Just(Op::Fail),
            // Rare: 4,096 shards are made anew.
            1 => (0..8u8).prop_map(|n| if n == 0 { Op::Restart } else { Op::Commit }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_judges_as_a_map_does_over_failing_commits_and_restarts(
            ops in prop::collection::vec(op(), 1..300),
            seed in any::<u64>(),
        ) {
            let mut table = Table::new(seed, 400);
            let mut model = Model::default();
            let mut committed = Model::default();
            let mut ledger: Vec<Vec<u8>> = Vec::new();
            let mut now = T0;
            let mut id = 0;
            for op in ops {
                match op {
                    Op::Judge { n, window, from_first } => {
                        id += 1;
                        let got = table.judge(&DedupKey { key: key(n), window, from_first }, id, now);
                        prop_assert_eq!(got, model.judge(n, window, from_first, id, now));
                    }
                    Op::Forget { n } => {
                        // A lapsed entry may have been dropped already, so only the effect is compared.
                        table.forget(&key(n), now);
                        model.0.remove(&n);
                    }
                    Op::Wait(by) => now += by,
                    Op::Commit => {
                        ledger.push(table.log().to_vec());
                        table.keep();
                        committed = model.clone();
                    }
                    Op::Fail => {
                        table.undo(now);
                        model = committed.clone();
                    }
                    Op::Restart => {
                        table = Table::new(seed ^ 5, 400);
                        for row in &ledger {
                            table.apply(row, now);
                        }
                        model = committed.clone();
                    }
                }
            }
        }
    }
}
