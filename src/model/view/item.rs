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
