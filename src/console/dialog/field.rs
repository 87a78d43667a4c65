//! What a dialog wants filled in.

use crate::console::edit::Edit;

/// What a field is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Which version.
    With,
    /// Which `Idempotency-Key`.
    KeyOf,
    /// A JSON object in place of a step's outputs.
    StandIn,
    /// One flow, or its whole integration.
    Scope,
    /// Refuse requests, or hold their runs.
    How,
    /// For how long.
    Lasts,
    /// The code of an answer.
    Status,
    /// The body of an answer.
    Body,
    /// For how much longer.
    By,
    /// Where a request is sent, in place of a run.
    To,
    /// How it is signed then.
    Sign,
    /// How far back a draft is back-tested.
    Window,
    /// The value of a variable.
    Value,
    /// How many in a time.
    Rate,
    /// After how many failures in a row it halts.
    StopAfter,
    /// Why.
    Reason,
    /// How many.
    Count,
}

/// A field to fill in.
#[derive(Debug, Clone)]
pub struct Field {
    /// What it is for.
    pub purpose: Purpose,
    /// Its label.
    pub label: &'static str,
    /// One of several, where it is a choice.
    pub choices: Vec<String>,
    /// Position of the chosen one.
    pub chosen: usize,
    /// The text, where it is none.
    pub edit: Edit,
    /// What stands under it.
    pub hint: String,
}

impl Field {
    pub(super) fn line(purpose: Purpose, label: &'static str) -> Self {
        Self { purpose, label, choices: Vec::new(), chosen: 0, edit: Edit::default(), hint: String::new() }
    }

    pub(super) fn choice(purpose: Purpose, label: &'static str, choices: Vec<String>) -> Self {
        Self { choices, ..Self::line(purpose, label) }
    }

    /// What it says: what is typed, or the one that is chosen.
    #[must_use]
    pub fn text(&self) -> String {
        self.choices.get(self.chosen).cloned().unwrap_or_else(|| self.edit.text())
    }

    /// Whether it takes text.
    #[must_use]
    pub fn takes_text(&self) -> bool {
        self.choices.is_empty()
    }
}

/// What was typed, for the dialog alone: it may be a secret, and is in no log.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Typed(pub(super) String);

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}
