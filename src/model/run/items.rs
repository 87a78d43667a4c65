//! The items of a step that sends once an item (`for_each`): where each of them stands, kept in few
//! bytes in the run's frame.

use super::StepState;
use crate::model::{Ms, payload};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Items that a step may have.
pub const MOST_ITEMS: usize = 1_000;
/// Items of one run whose exchanges are under way at once.
pub const ITEMS_AT_ONCE: usize = 8;

/// Where one item stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// As of a step: pending, running, retrying, errored, succeeded, skipped, failed.
    pub state: StepState,
    /// Number of its newest attempt, from 1; 0 before the first.
    pub attempt: u32,
    /// First attempt of the current round: an operator's retry starts a round.
    pub round: u32,
    /// When its next attempt may start, where it waits for one.
    pub due: Option<Ms>,
}

impl Default for Item {
    fn default() -> Self {
        Self { state: StepState::Pending, attempt: 0, round: 1, due: None }
    }
}

impl Item {
    /// Whether it is over, for good or until an operator decides.
    #[must_use]
    pub fn ended(&self) -> bool {
        ended(self.state)
    }

    /// Whether its next attempt may start.
    #[must_use]
    pub fn may_start(&self, now: Ms) -> bool {
        match self.state {
            StepState::Pending => true,
            StepState::Retrying => self.due.is_none_or(|due| due <= now),
            _ => false,
        }
    }
}

/// Whether an item in this state is over, for good or until an operator decides.
#[must_use]
pub fn ended(state: StepState) -> bool {
    matches!(state, StepState::Errored | StepState::Succeeded | StepState::Skipped | StepState::Failed)
}

/// Why an item failed: what the step's cause and its error group are made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemFailure {
    /// Its index.
    pub item: u32,
    /// In words.
    pub text: String,
    /// Without numbers, ids and quoted values.
    pub normal: String,
}

/// The items of the current step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Packed", into = "Packed")]
pub struct Items {
    /// In the order of the list.
    pub all: Vec<Item>,
    /// Of the failed items the one with the smallest index.
    pub failure: Option<ItemFailure>,
}

/// A change of one item, as its journal entry tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemNote {
    /// Its index.
    pub item: u32,
    /// Its state from now on.
    pub state: StepState,
    /// Number of its newest attempt.
    pub attempt: u32,
    /// When its next attempt may start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Ms>,
    /// Why it failed, is tried again, or was passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The cause without numbers, ids and quoted values, of one that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normal: Option<String>,
}

/// A step began: its list, and what became of its items at once.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Begun {
    /// Items of the list.
    pub count: u32,
    /// The plain path whose value is the list; it never changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The list itself, where it was made by an expression.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "payload::list")]
    pub values: Vec<Value>,
    /// Items that started, or were passed over.
    pub items: Vec<ItemNote>,
}

impl Items {
    /// So many, none of which has begun.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self { all: vec![Item::default(); count], failure: None }
    }

    /// An item.
    #[must_use]
    pub fn get(&self, item: u32) -> Option<&Item> {
        self.all.get(item as usize)
    }

    /// How many are in a state.
    #[must_use]
    pub fn count(&self, state: StepState) -> usize {
        self.all.iter().filter(|item| item.state == state).count()
    }

    /// Index and item of those in a state.
    pub fn of(&self, state: StepState) -> impl Iterator<Item = (u32, &Item)> {
        self.indexed().filter(move |(_, item)| item.state == state)
    }

    /// Index and item of all.
    pub fn indexed(&self) -> impl Iterator<Item = (u32, &Item)> {
        (0_u32..).zip(&self.all)
    }

    /// Carries a change out. What its entry says beside is the same for the journal's reader and for
    /// who writes it.
    pub fn apply(&mut self, note: &ItemNote) {
        let Some(item) = self.all.get_mut(note.item as usize) else { return };
        item.state = note.state;
        item.attempt = note.attempt;
        item.due = note.due;
        if matches!(note.state, StepState::Errored | StepState::Failed)
            && self.failure.as_ref().is_none_or(|failure| note.item < failure.item)
        {
            let text = note.cause.clone().unwrap_or_default();
            let normal = note.normal.clone().unwrap_or_default();
            self.failure = Some(ItemFailure { item: note.item, text, normal });
        }
    }

    /// An operator retries: what has no good end begins a new round.
    pub fn retry(&mut self) {
        self.failure = None;
        for item in &mut self.all {
            if !matches!(item.state, StepState::Succeeded | StepState::Skipped) {
                *item =
                    Item { state: StepState::Pending, round: item.attempt + 1, due: None, ..item.clone() };
            }
        }
    }

    /// When the first of those that wait for their next attempt may start.
    #[must_use]
    pub fn next_due(&self) -> Option<Ms> {
        self.of(StepState::Retrying).filter_map(|(_, item)| item.due).min()
    }
}

/// A letter an item; numbers only of items that they say something of.
#[derive(Serialize, Deserialize)]
struct Packed {
    states: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    numbers: Vec<(u32, u32, u32, Option<Ms>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<ItemFailure>,
}

const LETTERS: [(char, StepState); 7] = [
    ('.', StepState::Pending),
    ('>', StepState::Running),
    ('~', StepState::Retrying),
    ('!', StepState::Errored),
    ('+', StepState::Succeeded),
    ('-', StepState::Skipped),
    ('x', StepState::Failed),
];

/// What an item in a state is that nothing more is said of.
fn plain(state: StepState) -> Item {
    let sent = !matches!(state, StepState::Pending | StepState::Skipped);
    Item { state, attempt: u32::from(sent), round: 1, due: None }
}

impl From<Items> for Packed {
    fn from(items: Items) -> Self {
        let letter =
            |state| LETTERS.iter().find(|(_, other)| *other == state).map_or('.', |(letter, _)| *letter);
        Self {
            states: items.all.iter().map(|item| letter(item.state)).collect(),
            numbers: items
                .indexed()
                .filter(|(_, item)| **item != plain(item.state))
                .map(|(at, item)| (at, item.attempt, item.round, item.due))
                .collect(),
            failure: items.failure,
        }
    }
}

impl From<Packed> for Items {
    fn from(packed: Packed) -> Self {
        let state = |letter| {
            LETTERS.iter().find(|(other, _)| *other == letter).map_or(StepState::Pending, |(_, state)| *state)
        };
        let mut all: Vec<Item> = packed.states.chars().map(|letter| plain(state(letter))).collect();
        for (at, attempt, round, due) in packed.numbers {
            if let Some(item) = all.get_mut(at as usize) {
                *item = Item { attempt, round, due, ..item.clone() };
            }
        }
        Self { all, failure: packed.failure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn item() -> impl Strategy<Value = Item> {
        let state = (0..LETTERS.len()).prop_map(|at| LETTERS[at].1);
        (state, 0_u32..3, 1_u32..3, proptest::option::of(0_i64..9))
            .prop_map(|(state, attempt, round, due)| Item { state, attempt, round, due })
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(all in proptest::collection::vec(item(), 0..40), failed in any::<bool>()) {
            let failure = failed.then(|| ItemFailure { item: 1, text: "a".into(), normal: "b".into() });
            let items = Items { all, failure };
            let text = serde_json::to_string(&items).unwrap();
            prop_assert_eq!(serde_json::from_str::<Items>(&text).unwrap(), items);
        }
    }

    #[test]
    fn a_list_that_was_made_comes_back_to_the_letter() {
        let text = r#"{"count":2,"values":[1e0,{"$serde_json::private::Number":"1"}],"items":[]}"#;
        let begun: Begun = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&begun).unwrap(), text);
    }

    #[test]
    fn a_thousand_that_went_well_are_a_thousand_letters() {
        let mut items = Items::new(MOST_ITEMS);
        for item in 0..1_000 {
            let state = StepState::Succeeded;
            items.apply(&ItemNote { item, state, attempt: 1, due: None, cause: None, normal: None });
        }
        assert!(serde_json::to_string(&items).unwrap().len() < MOST_ITEMS + 50);
    }
}
