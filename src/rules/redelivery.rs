//! Deliveries that a provider sends again: told by the id that it gives each. Every one is a request of
//! its own and is kept; folding them into one row is a view.

use super::mask::MASK;
use crate::model::headers::Headers;
use std::collections::HashMap;

/// Headers in which providers name a delivery, the same whenever they send it again.
const NAMES: [&str; 7] = [
    "webhook-id",
    "svix-id",
    "x-github-delivery",
    "x-gitea-delivery",
    "x-shopify-webhook-id",
    "x-delivery-id",
    "idempotency-key",
];
/// Bytes of an id; what is longer names nothing.
const LONGEST: usize = 200;

/// The id of a delivery, where its headers have one that may be shown.
#[must_use]
pub fn of(headers: &Headers) -> Option<String> {
    let found = NAMES.iter().find_map(|name| headers.get(name))?;
    let id = found.trim();
    (!id.is_empty() && id.len() <= LONGEST && id != MASK).then(|| id.to_owned())
}

/// Folds rows that come newest first: of those of one delivery the newest stands, where it came first,
/// and takes in the others one by one.
pub fn fold<T, K: Eq + std::hash::Hash>(
    newest_first: impl Iterator<Item = T>,
    delivery: impl Fn(&T) -> Option<K>,
    take_in: impl Fn(&mut T, T),
) -> Vec<T> {
    let mut places: HashMap<K, usize> = HashMap::new();
    let mut kept: Vec<T> = Vec::new();
    for row in newest_first {
        let known = delivery(&row).and_then(|key| {
            let next = kept.len();
            let at = *places.entry(key).or_insert(next);
            (at < next).then_some(at)
        });
        match known.and_then(|at| kept.get_mut(at)) {
            Some(newest) => take_in(newest, row),
            None => kept.push(row),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_named_by_its_provider() {
        let named = |name: &str, value: &str| of(&Headers::from_pairs([(name, value)]));
        assert_eq!(named("X-GitHub-Delivery", " 72d3-1 ").as_deref(), Some("72d3-1"));
        assert_eq!(named("Webhook-Id", "msg_1").as_deref(), Some("msg_1"));
        assert_eq!(named("X-Request-Id", "1"), None);
        assert_eq!((named("webhook-id", ""), named("webhook-id", MASK)), (None, None));
        assert!(named("webhook-id", &"x".repeat(LONGEST)).is_some());
        assert_eq!(named("webhook-id", &"x".repeat(LONGEST + 1)), None);
    }

    #[test]
    fn the_newest_stands_for_all_and_what_has_no_id_stands_alone() {
        let rows = [(9, "a"), (8, ""), (7, "b"), (6, "a"), (5, ""), (4, "a")];
        let rows = rows.into_iter().map(|(number, id)| (vec![number], id));
        let folded = fold(
            rows,
            |(_, id)| Some(*id).filter(|id| !id.is_empty()),
            |newest, (numbers, _)| newest.0.extend(numbers),
        );
        let numbers: Vec<Vec<i32>> = folded.into_iter().map(|(numbers, _)| numbers).collect();
        assert_eq!(numbers, [vec![9, 6, 4], vec![8], vec![7], vec![5]]);
    }
}
