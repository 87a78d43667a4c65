//! Items of a step under `for_each`.

use crate::model::run::StepState;
use serde::{Deserialize, Serialize};

/// An item of a step under `for_each`; its attempts stand among those of the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemView {
    /// From 0.
    pub index: u32,
    /// Where it stands.
    pub state: StepState,
    /// Why it failed, was passed over, or is tried again.
    pub cause: Option<String>,
    /// How many attempts were made of it.
    pub attempts: u32,
}

/// How many items of a step have ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// All of them.
    pub all: usize,
    /// With a good end, or passed over.
    pub done: usize,
    /// Of those: passed over, or skipped by a person.
    #[serde(default)]
    pub skipped: usize,
    /// Errored or failed.
    pub failed: usize,
    /// Under way.
    pub running: usize,
}

impl Tally {
    /// Counts.
    #[must_use]
    pub fn of(items: &[ItemView]) -> Self {
        let mut tally = Self { all: items.len(), ..Self::default() };
        for item in items {
            match item.state {
                StepState::Succeeded => tally.done += 1,
                StepState::Skipped => {
                    tally.done += 1;
                    tally.skipped += 1;
                }
                StepState::Errored | StepState::Failed => tally.failed += 1,
                StepState::Running => tally.running += 1,
                StepState::Pending | StepState::Waiting | StepState::Retrying => {}
            }
        }
        tally
    }

    /// `12/40, 2 errored`.
    #[must_use]
    pub fn words(self) -> String {
        let Self { all, done, failed, .. } = self;
        if failed == 0 { format!("{done}/{all}") } else { format!("{done}/{all}, {failed} errored") }
    }
}
