//! Which verb a dialog is for, what it is about, what is known, and what a key did to it.

use super::{Paused, Setting, Version};
use crate::model::ask::{Deed, Plan, Refusal};
use crate::model::study::Trial;

/// Which verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Same run, same step, a new attempt.
    Retry,
    /// The step ends skipped.
    Skip,
    /// The run ends aborted.
    Abort,
    /// A new run from a stored request.
    Replay,
    /// The dedup key of a request is dropped.
    Forget,
    /// A rejected request is judged again.
    Readmit,
    /// A flow or an integration takes nothing more, or holds its runs.
    Pause,
    /// It goes on.
    Resume,
    /// A callback's answer is given by hand.
    Complete,
    /// A callback is waited for longer.
    Extend,
    /// A callback is waited for no more.
    Cancel,
    /// The draft of an integration goes live.
    Deploy,
    /// The text of an earlier version comes back.
    Rollback,
    /// The call of one step is really made, by hand.
    Call,
    /// A flow is really run, marked as a test.
    TestRun,
    /// A variable gets a value.
    Set,
    /// An integration is removed, its endpoints are closed.
    Remove,
    /// Documents are saved and go live.
    Apply,
    /// The samples are.
    Load,
}

/// What a dialog is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// Requests, runs or callbacks, by their ids or a filter.
    Objects,
    /// A flow or an integration that is paused or resumed.
    Flow(Paused),
    /// A version of an integration.
    Version(Version),
    /// A flow that is tried out.
    Trial(Box<Trial>),
    /// The value of a variable.
    Value(Setting),
    /// All of an integration, by its name.
    Whole(String),
    /// Documents: the files that they are of, and their texts.
    Files(Vec<(String, String)>),
    /// The samples.
    Samples,
}

impl Kind {
    /// The verb's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::Abort => "abort",
            Self::Replay => "replay",
            Self::Forget => "forget",
            Self::Readmit => "readmit",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Complete => "complete",
            Self::Extend => "extend",
            Self::Cancel => "cancel",
            Self::Deploy => "deploy",
            Self::Rollback => "roll back",
            Self::Call => "call",
            Self::TestRun => "run",
            Self::Set => "set",
            Self::Remove => "remove",
            Self::Apply => "apply",
            Self::Load => "load",
        }
    }

    /// Whether runs go on for it: what becomes of them tells whether to go on.
    #[must_use]
    pub fn makes_runs_go_on(self) -> bool {
        matches!(self, Self::Retry | Self::Skip | Self::Replay | Self::Readmit)
    }

    /// What it does: whose role may do it.
    #[must_use]
    pub fn deed(self) -> Deed {
        match self {
            Self::Retry => Deed::Retry,
            Self::Skip => Deed::Skip,
            Self::Abort => Deed::Abort,
            Self::Replay => Deed::Replay,
            Self::Forget => Deed::Forget,
            Self::Readmit => Deed::Readmit,
            Self::Pause => Deed::Pause,
            Self::Resume => Deed::Resume,
            Self::Complete => Deed::Complete,
            Self::Extend => Deed::Extend,
            Self::Cancel => Deed::Cancel,
            Self::Deploy => Deed::Deploy,
            Self::Rollback => Deed::Rollback,
            Self::Call => Deed::Call,
            Self::TestRun => Deed::TestRun,
            Self::Set => Deed::Set,
            Self::Remove => Deed::Remove,
            Self::Apply => Deed::Apply,
            Self::Load => Deed::LoadSamples,
        }
    }

    /// What it acts on.
    #[must_use]
    pub fn object(self) -> &'static str {
        match self {
            Self::Replay | Self::Forget | Self::Readmit => "request",
            Self::Complete | Self::Extend | Self::Cancel => "callback",
            Self::Deploy | Self::Rollback | Self::Set | Self::Remove | Self::Apply | Self::Load => {
                "integration"
            }
            Self::Retry
            | Self::Skip
            | Self::Abort
            | Self::Pause
            | Self::Resume
            | Self::Call
            | Self::TestRun => "run",
        }
    }
}

/// What the store said.
#[derive(Debug, Clone)]
pub enum Facts {
    /// It was asked.
    Asking,
    /// It answered.
    Known(Box<Plan>),
    /// It is refused, and why.
    Refused(Refusal),
}

/// What a key did to a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing, or only inside of it.
    Stays,
    /// A choice changed: the plan must be asked for again.
    Replan,
    /// The person said yes.
    Act,
    /// The person said no.
    Close,
}
