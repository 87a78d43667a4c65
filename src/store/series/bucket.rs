//! A bucket: everything that is counted of a minute or a quarter of an hour, as one bounded row.

use crate::model::Ms;
use crate::model::histogram::Histogram;
use crate::rules::advance::Took;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Causes of refusals that are told apart.
const CAUSES: usize = 32;
/// Error groups that are told apart.
const GROUPS: usize = 64;
/// Steps that are told apart, their callbacks apart from their exchanges.
const STEPS: usize = 256;
/// Bytes of a step's name.
const NAME: usize = 128;

/// The number of all error groups that were too many.
pub(in crate::store) const OTHERS: i64 = -1;

/// Whose time it is. Flow 0 is all that were too many.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::store) struct StepKey {
    #[serde(rename = "f")]
    pub(in crate::store) flow: i64,
    #[serde(rename = "s")]
    pub(in crate::store) step: String,
    #[serde(rename = "c", default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::store) callback: bool,
}

/// How long it took, in milliseconds, and what it had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::store) struct StepTimes {
    #[serde(rename = "h")]
    pub(in crate::store) took: Histogram,
    /// Of the last one.
    #[serde(rename = "l")]
    pub(in crate::store) limit: u64,
}

/// Everything that is counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::store) struct Bucket {
    /// Requests by verdict. One that is readmitted leaves the rejected ones of now.
    pub(in crate::store) verdicts: [i64; 4],
    /// Those of the rejected ones that were counted and have no row.
    pub(in crate::store) counted: i64,
    /// Most accepted in a second, and which.
    pub(in crate::store) most: (u64, Ms),
    /// Refusals by cause.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::store) causes: BTreeMap<String, u64>,
    /// Runs that came into a state.
    pub(in crate::store) came: [u64; 9],
    /// Runs that became errored, by group.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::store) errors: BTreeMap<i64, u64>,
    /// Times of steps.
    #[serde(with = "lines", skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::store) steps: BTreeMap<StepKey, StepTimes>,
    /// Most runs that waited at once, and when.
    pub(in crate::store) queue: (u64, Ms),
    /// Microseconds of commits.
    pub(in crate::store) commits: Histogram,
    /// Bytes of the file at its end.
    pub(in crate::store) file: u64,
}

/// A map as lines, since its keys are no texts.
mod lines {
    use super::{BTreeMap, StepKey, StepTimes};
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        steps: &BTreeMap<StepKey, StepTimes>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        out.collect_seq(steps)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<StepKey, StepTimes>, D::Error> {
        Ok(Vec::deserialize(from)?.into_iter().collect())
    }
}

impl Bucket {
    /// The higher of two peaks; of equals the earlier.
    pub(in crate::store) fn higher(one: (u64, Ms), other: (u64, Ms)) -> (u64, Ms) {
        if other.0 > one.0 { other } else { one }
    }

    /// So many refusals of a cause.
    pub(super) fn cause(&mut self, cause: &str, n: u64) {
        let full = self.causes.len() >= CAUSES && !self.causes.contains_key(cause);
        let cause = if full { "other" } else { cause };
        match self.causes.get_mut(cause) {
            Some(all) => *all += n,
            None => {
                self.causes.insert(cause.to_owned(), n);
            }
        }
    }

    /// A run became errored.
    pub(super) fn error(&mut self, group: i64) {
        let full = self.errors.len() >= GROUPS && !self.errors.contains_key(&group);
        *self.errors.entry(if full { OTHERS } else { group }).or_default() += 1;
    }

    /// A step took so long.
    pub(in crate::store) fn step(&mut self, flow: i64, took: &Took) {
        let name = &took.step[..took.step.floor_char_boundary(NAME)];
        let mut key = StepKey { flow, step: name.to_owned(), callback: took.callback };
        if self.steps.len() >= STEPS && !self.steps.contains_key(&key) {
            key = StepKey::default();
        }
        let whole = |ms: Ms| u64::try_from(ms).unwrap_or(0);
        let times = self.steps.entry(key).or_default();
        times.took.count(whole(took.ms));
        times.limit = whole(took.limit);
    }

    /// Adds a later one.
    pub(in crate::store) fn add(&mut self, later: &Self) {
        self.verdicts.iter_mut().zip(later.verdicts).for_each(|(all, n)| *all += n);
        self.came.iter_mut().zip(later.came).for_each(|(all, n)| *all += n);
        self.counted += later.counted;
        self.most = Self::higher(self.most, later.most);
        self.queue = Self::higher(self.queue, later.queue);
        for (cause, n) in &later.causes {
            *self.causes.entry(cause.clone()).or_default() += n;
        }
        for (group, n) in &later.errors {
            *self.errors.entry(*group).or_default() += n;
        }
        for (key, times) in &later.steps {
            let all = self.steps.entry(key.clone()).or_default();
            all.took.add(&times.took);
            all.limit = times.limit;
        }
        self.commits.add(&later.commits);
        self.file = later.file;
    }

    /// As it is written.
    pub(super) fn text(&self) -> String {
        // Plain data in maps with plain keys: that cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// As it was written; of a row that cannot be read only that it is there is known.
    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn took(step: &str, ms: Ms) -> Took {
        Took { step: step.to_owned(), callback: false, ms, limit: 10_000 }
    }

    #[test]
    fn a_bucket_is_bounded_and_what_is_over_is_counted_together() {
        let mut bucket = Bucket::default();
        for n in 0..1_000_u64 {
            bucket.cause(&format!("cause {n}"), 2);
            bucket.error(i64::try_from(n).unwrap());
            bucket.step(7, &took(&format!("step{n}"), 40));
        }
        assert_eq!((bucket.causes.len(), bucket.causes["other"]), (CAUSES + 1, 2 * (1_000 - CAUSES as u64)));
        assert_eq!((bucket.errors.len(), bucket.errors[&OTHERS]), (GROUPS + 1, 1_000 - GROUPS as u64));
        assert_eq!(bucket.steps.len(), STEPS + 1);
        assert_eq!(bucket.steps[&StepKey::default()].took.total(), 1_000 - STEPS as u64);
        // Those that are told apart are still counted.
        bucket.cause("cause 3", 5);
        assert_eq!(bucket.causes["cause 3"], 7);
        let mut long = Bucket::default();
        long.step(1, &took(&"é".repeat(500), 1));
        assert!(long.steps.keys().all(|key| key.step.len() <= NAME));
    }

    #[test]
    fn it_reads_back_and_adds_up() {
        let mut one = Bucket { verdicts: [5, 1, 0, 2], most: (3, 1_000), file: 10, ..Bucket::default() };
        one.cause("signature differs", 2);
        one.error(9);
        one.step(1, &took("push", 84));
        one.commits.count(2_000);
        assert_eq!(Bucket::read(&one.text()), one);
        let mut other =
            Bucket { verdicts: [1, 0, 0, -1], counted: 3, most: (3, 61_000), file: 12, ..Bucket::default() };
        assert_eq!(Bucket::read(&other.text()), other);
        other.step(1, &Took { limit: 5_000, ..took("push", 90) });
        let mut all = Bucket::default();
        all.add(&one);
        all.add(&other);
        assert_eq!((all.verdicts, all.counted, all.most, all.file), ([6, 1, 0, 1], 3, (3, 1_000), 12));
        let push = all.steps.values().next().unwrap();
        assert_eq!((push.took.total(), push.limit), (2, 5_000));
        assert_eq!(Bucket::read("{damaged"), Bucket::default());
    }
}
