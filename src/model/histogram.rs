//! How long things took: counts in buckets whose width grows with the value, so that histograms of
//! minutes add up to one of a week.
//!
//! Each power of two has sixteen buckets: up to 31 every value has its own, above that a bucket is at
//! most a sixteenth of its value wide. A quantile is told as the middle of its bucket, so it is off by
//! at most a 32nd (3.2 %), however many histograms were added.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bits of a value that tell its bucket within a power of two.
const BITS: u32 = 4;
/// Values from here on count as this one: over a year in milliseconds, twelve days in microseconds.
const MOST: u64 = (1 << 40) - 1;

/// Counts by bucket. At most 592 of them, however many values there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Histogram(BTreeMap<u16, u64>);

/// The bucket of a value.
fn bucket(value: u64) -> u16 {
    let value = value.min(MOST);
    let shift = (u64::BITS - 1).saturating_sub(value.leading_zeros()).saturating_sub(BITS);
    u16::try_from((u64::from(shift) << BITS) + (value >> shift)).unwrap_or(u16::MAX)
}

/// The value in the middle of a bucket.
fn middle(bucket: u16) -> u64 {
    let shift = u64::from(bucket >> BITS).saturating_sub(1).min(40);
    let low = (u64::from(bucket) - (shift << BITS)) << shift;
    low + ((1 << shift) - 1) / 2
}

impl Histogram {
    /// One more of a value.
    pub fn count(&mut self, value: u64) {
        *self.0.entry(bucket(value)).or_default() += 1;
    }

    /// Adds another one.
    pub fn add(&mut self, other: &Self) {
        for (bucket, n) in &other.0 {
            let all = self.0.entry(*bucket).or_default();
            *all = all.saturating_add(*n);
        }
    }

    /// How many values were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().fold(0, |all, n| all.saturating_add(*n))
    }

    /// The value that so many percent of all are not over; `None` where there are none.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let total = self.total();
        let rank = (u128::from(total) * u128::from(percent)).div_ceil(100).max(1);
        let mut seen = 0_u128;
        self.0.iter().find_map(|(bucket, n)| {
            seen += u128::from(*n);
            (seen >= rank).then(|| middle(*bucket))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_values_are_exact_and_buckets_are_bounded() {
        for value in 0..32 {
            assert_eq!(middle(bucket(value)), value);
        }
        assert_eq!((bucket(31), bucket(32), bucket(33), bucket(34)), (31, 32, 32, 33));
        assert_eq!(bucket(u64::MAX), 591);
        assert_eq!(Histogram::default().percentile(99), None);
    }

    #[test]
    fn a_percentile_is_the_value_that_so_many_are_not_over() {
        let mut all = Histogram::default();
        for value in 1..=20 {
            all.count(value);
        }
        assert_eq!([50, 95, 99, 100].map(|p| all.percentile(p)), [Some(10), Some(19), Some(20), Some(20)]);
        assert_eq!(all.percentile(0), Some(1));
    }

    #[test]
    fn it_reads_back() {
        let mut all = Histogram::default();
        for value in [0, 7, 7, 90_000, u64::MAX] {
            all.count(value);
        }
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Histogram>(&text).unwrap(), all);
        // What a damaged row says is a figure, and no panic.
        let odd: Histogram = serde_json::from_str(r#"{"65535":3,"700":18446744073709551615}"#).unwrap();
        assert!(odd.percentile(50).is_some() && odd.total() == u64::MAX);
    }

    proptest! {
        #[test]
        fn added_ones_tell_percentiles_within_a_32nd(
            one in prop::collection::vec(0u64..1 << 39, 1..80),
            other in prop::collection::vec(0u64..5_000, 0..80),
            percent in 1u64..=100,
        ) {
            let of = |values: &[u64]| {
                let mut all = Histogram::default();
                for value in values {
                    all.count(*value);
                }
                all
            };
            let mut added = of(&one);
            added.add(&of(&other));
            let mut values = [one, other].concat();
            prop_assert_eq!(&added, &of(&values));
            values.sort_unstable();
            let rank = (values.len() * usize::try_from(percent).unwrap()).div_ceil(100).max(1);
            let truth = values[rank - 1];
            let told = added.percentile(percent).unwrap();
            prop_assert!(told.abs_diff(truth) * 32 <= truth, "{told} for {truth}");
        }
    }
}
