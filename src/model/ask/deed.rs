//! Deeds: what a question would change, what it is called, and the role that it needs. The one table
//! of roles; an order without a row in it does not compile.

use super::{Ask, Editing, Refusal, Verb, Who};
use crate::model::gate::PauseAct;
use crate::model::operator::Role;
use crate::model::study::Study;

/// Makes the deeds, and all that is known of each, from one table.
macro_rules! deeds {
    ($($(#[$why:meta])* $deed:ident: $word:literal, $role:ident;)*) => {
        /// What an order does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Deed {
            $(#[doc = $word] $(#[$why])* $deed,)*
        }

        impl Deed {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$deed),*];

            fn row(self) -> (&'static str, Role) {
                match self {
                    $(Self::$deed => ($word, Role::$role),)*
                }
            }
        }
    };
}

// An operator steers what runs; what is configured, and whatever signs or lets in, is an admin's.
deeds! {
    Retry: "retry", Operator;
    Skip: "skip", Operator;
    Abort: "abort", Operator;
    Replay: "replay", Operator;
    /// With the sender's credentials, or signed with its key: whoever holds these can send.
    SignedReplay: "replay with a signature", Admin;
    Forget: "forget", Operator;
    Readmit: "readmit", Operator;
    Complete: "complete", Operator;
    Extend: "extend", Operator;
    Cancel: "cancel", Operator;
    /// Who may complete it may know the URL that does.
    Reveal: "showing the URL", Operator;
    StopJob: "stopping a job", Operator;
    ResumeJob: "resuming a job", Operator;
    Start: "starting a run", Operator;
    /// It is undone by one key, and somebody on duty must be able to.
    Pause: "pause", Operator;
    Resume: "resume", Operator;
    Capture: "capture", Operator;
    Call: "a call of a step", Operator;
    TestRun: "a test run", Operator;
    SaveSample: "saving a sample", Operator;
    DriftOk: "taking a badge away", Operator;
    Apply: "apply", Admin;
    /// What is typed is kept, so that it is not lost; who may not save it types nothing.
    Keep: "typing", Admin;
    Save: "save", Admin;
    Deploy: "deploy", Admin;
    Remove: "remove", Admin;
    Rollback: "rollback", Admin;
    Set: "set", Admin;
    LoadSamples: "loading the samples", Admin;
    AddKey: "key add", Admin;
    RemoveKey: "key rm", Admin;
    Token: "token", Admin;
    Sign: "signing", Admin;
    AddOperator: "operator add", Admin;
    RemoveOperator: "operator rm", Admin;
}

impl Deed {
    /// What it is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.row().0
    }

    /// The least role that may do it.
    #[must_use]
    pub fn role(self) -> Role {
        self.row().1
    }

    /// Why somebody may not do this, if so: the same sentence at the desk and in a console.
    ///
    /// # Errors
    /// `read_only` or `role`.
    pub fn allowed(self, read_only: bool, role: Role) -> Result<(), Refusal> {
        let (word, needs) = self.row();
        if read_only {
            let said = format!("{word} is not possible: this console is read-only (--read-only)");
            return Err(Refusal::refused("read_only", said));
        }
        if role == Role::Viewer {
            let said = format!("{word} is not possible: this console is read-only (your role is viewer)");
            return Err(Refusal::refused("role", said));
        }
        if role < needs {
            let said = format!("{word} needs the role {}; you are {}", needs.word(), role.word());
            return Err(Refusal::refused("role", said));
        }
        Ok(())
    }
}

impl Who {
    /// Why they may not ask this, if so. Who only reads may ask every question.
    ///
    /// # Errors
    /// See [`Deed::allowed`].
    pub fn may(&self, ask: &Ask) -> Result<(), Refusal> {
        ask.deed().map_or(Ok(()), |deed| deed.allowed(self.read_only, self.role))
    }
}

impl Verb {
    /// What it does.
    #[must_use]
    pub fn deed(&self) -> Deed {
        match self {
            Self::Retry { .. } => Deed::Retry,
            Self::Skip { .. } => Deed::Skip,
            Self::Abort => Deed::Abort,
            Self::Replay(replay) if replay.sign.is_some() => Deed::SignedReplay,
            Self::Replay(_) => Deed::Replay,
            Self::Forget => Deed::Forget,
            Self::Readmit => Deed::Readmit,
            Self::Complete { .. } => Deed::Complete,
            Self::Extend { .. } => Deed::Extend,
            Self::Cancel => Deed::Cancel,
        }
    }
}

impl Study {
    /// What it does; `None` for a question.
    #[must_use]
    pub fn deed(&self) -> Option<Deed> {
        match self {
            Self::WhatIf(_)
            | Self::Fields(_)
            | Self::Values(_)
            | Self::Pinned { .. }
            | Self::Captured { .. }
            | Self::Simulate(_)
            | Self::BackTest(_)
            | Self::Samples { .. }
            | Self::Drift { .. } => None,
            Self::Capture { .. } => Some(Deed::Capture),
            Self::Call(_) => Some(Deed::Call),
            Self::TestRun(_) => Some(Deed::TestRun),
            Self::SaveSample { .. } => Some(Deed::SaveSample),
            Self::DriftOk { .. } => Some(Deed::DriftOk),
        }
    }
}

impl Editing {
    /// What it does; `None` for a question.
    #[must_use]
    pub fn deed(&self) -> Option<Deed> {
        match self {
            Self::Open { .. } => None,
            Self::Keep(_) => Some(Deed::Keep),
            Self::Save(revision) if revision.deploy => Some(Deed::Deploy),
            Self::Save(_) => Some(Deed::Save),
        }
    }
}

impl Ask {
    /// What it does, also where it only asks for the plan; `None` for a question.
    #[must_use]
    pub fn deed(&self) -> Option<Deed> {
        Some(match self {
            Self::Counters
            | Self::Requests(_)
            | Self::Runs(_)
            | Self::RunsById { .. }
            | Self::RunsAmong { .. }
            | Self::Callbacks(_)
            | Self::Urgent { .. }
            | Self::Groups
            | Self::Group { .. }
            | Self::Alerts
            | Self::Overview { .. }
            | Self::Audit(_)
            | Self::Request { .. }
            | Self::Explain { .. }
            | Self::Run { .. }
            | Self::Endpoints
            | Self::Integrations
            | Self::Integration { .. }
            | Self::Export { .. }
            | Self::History { .. }
            | Self::Diff { .. }
            | Self::Keys
            | Self::Operators
            | Self::Jobs { .. }
            | Self::Job { .. }
            | Self::Pieces { .. }
            | Self::Here(_)
            | Self::Doctor
            | Self::Callback { reveal: false, .. } => return None,
            Self::Study(study) => return study.deed(),
            Self::Callback { reveal: true, .. } => Deed::Reveal,
            Self::Apply(_) => Deed::Apply,
            Self::Edit(editing) => return editing.deed(),
            Self::Deploy { .. } => Deed::Deploy,
            Self::Remove { .. } => Deed::Remove,
            Self::Rollback(_) => Deed::Rollback,
            Self::Set { .. } => Deed::Set,
            Self::Act(act) => act.verb.deed(),
            Self::StopJob { .. } => Deed::StopJob,
            Self::ResumeJob { .. } => Deed::ResumeJob,
            Self::AddKey(_) => Deed::AddKey,
            Self::RemoveKey { .. } => Deed::RemoveKey,
            Self::Token(_) => Deed::Token,
            Self::Sign(_) => Deed::Sign,
            Self::AddOperator(_) => Deed::AddOperator,
            Self::RemoveOperator { .. } => Deed::RemoveOperator,
            Self::Start(_) => Deed::Start,
            Self::Pause(order) => match order.act {
                PauseAct::Pause { .. } => Deed::Pause,
                PauseAct::Resume => Deed::Resume,
            },
            Self::LoadSamples { .. } => Deed::LoadSamples,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_deed_has_a_word_of_its_own_and_a_role_that_acts() {
        let words: HashSet<&str> = Deed::ALL.iter().map(|deed| deed.word()).collect();
        assert_eq!(words.len(), Deed::ALL.len());
        assert!(Deed::ALL.iter().all(|deed| deed.role() > Role::Viewer));
    }

    #[test]
    fn roles_are_told_in_their_words() {
        let said = |deed: Deed, read_only, role| deed.allowed(read_only, role).unwrap_err().message;
        assert_eq!(
            said(Deed::Retry, true, Role::Admin),
            "retry is not possible: this console is read-only (--read-only)"
        );
        assert_eq!(
            said(Deed::Retry, false, Role::Viewer),
            "retry is not possible: this console is read-only (your role is viewer)"
        );
        assert_eq!(
            said(Deed::Deploy, false, Role::Operator),
            "deploy needs the role admin; you are operator"
        );
        assert!(Deed::Retry.allowed(false, Role::Operator).is_ok());
        assert!(Deed::ALL.iter().all(|deed| deed.allowed(false, Role::Admin).is_ok()));
    }
}
