//! A run as a verb finds it, and what would come of the verb: the plan that is shown is the
//! transition that would be committed. Nothing is written here.

use super::super::Desk;
use super::select::Aim;
use crate::model::CallbackId;
use crate::model::ask::{Refusal, Verb, Who, With};
use crate::model::run::Run;
use crate::model::time::{DAY, Ms};
use crate::rules::advance::fold::{StepFold, fold};
use crate::rules::advance::{Env, Hand, Input, Snapshot, Transition, advance};
use crate::rules::plan::Plan;
use crate::store::apply::Standing;

/// The furthest that a deadline is moved at once.
const YEAR: Ms = 365 * DAY;
/// Bytes of a callback's answer, as over HTTP.
const MOST: usize = 6 << 20;

/// A run, with the plan that the verb would use.
pub struct Look {
    /// Its id as text.
    pub text: String,
    /// The callback that is meant, where one is.
    pub callback: Option<CallbackId>,
    /// Rows, plan and context.
    pub standing: Standing,
}

impl Desk {
    /// Loads a run for a verb.
    pub(super) async fn look(&self, aim: Aim, verb: &Verb) -> Result<Look, Refusal> {
        let standing = self.deps.store.standing(aim.run, version(verb)).await?;
        Ok(Look { text: self.deps.store.ids().print(aim.run), callback: aim.callback, standing })
    }
}

impl Look {
    /// What the verb would do, or why it is not possible.
    pub fn transition(&self, desk: &Desk, who: &Who, verb: &Verb) -> Result<Transition, Refusal> {
        let store = &desk.deps.store;
        let callback = (CallbackId(store.fresh_id()), [0; 32]);
        let env = Env { now: store.now(), dice: 0.5, callback, lease: None, items: 0 };
        advance(self.plan(), self.snapshot(), input(who, verb, self.callback, None)?, &env)
    }

    /// Its row.
    pub fn run(&self) -> &Run {
        &self.standing.snapshot.run
    }

    /// The run as rules see it.
    pub fn snapshot(&self) -> &Snapshot {
        &self.standing.snapshot
    }

    /// The plan of the version that the verb uses.
    pub fn plan(&self) -> &Plan {
        &self.standing.plan
    }

    /// What the step is called that the verb acts on.
    pub fn step_name(&self) -> &str {
        &self.standing.snapshot.step_name
    }

    /// The run's steps so far.
    pub fn history(&self) -> Vec<StepFold> {
        fold(self.plan(), self.run(), &self.standing.journal).steps
    }
}

/// Which version a verb goes by.
pub fn version(verb: &Verb) -> With {
    match verb {
        Verb::Retry { version, .. } => *version,
        _ => With::Original,
    }
}

/// A verb as rules take it.
pub fn input(
    who: &Who,
    verb: &Verb,
    callback: Option<CallbackId>,
    reason: Option<&str>,
) -> Result<Input, Refusal> {
    let (actor, reason) = (who.name.clone(), reason.map(str::to_owned));
    let hand = |actor, reason| match callback {
        Some(callback) => Ok(Hand { callback, actor, reason }),
        None => Err(Refusal::usage(format!("{} acts on a callback", verb.word()))),
    };
    match verb {
        Verb::Complete { status, .. } if !(200..600).contains(status) || *status == 202 => {
            Err(Refusal::usage(format!("{status} is no status of an answer: 200 to 599, but not 202")))
        }
        Verb::Complete { body, .. } if body.len() > MOST => {
            Err(Refusal::usage("an answer has at most 6 MiB"))
        }
        Verb::Complete { status, body } => {
            let body = bytes::Bytes::copy_from_slice(body.as_bytes());
            Ok(Input::Complete { hand: hand(actor, reason)?, status: *status, body })
        }
        Verb::Extend { by } if !(1..=YEAR).contains(by) => {
            Err(Refusal::usage("a deadline is moved by 1 ms to 365 days"))
        }
        Verb::Extend { by } => Ok(Input::Extend { hand: hand(actor, reason)?, by: *by }),
        Verb::Cancel => Ok(Input::Cancel { hand: hand(actor, reason)? }),
        Verb::Retry { fresh_key, .. } => Ok(Input::Retry { actor, reason, fresh_key: *fresh_key }),
        Verb::Skip { stand_in } => Ok(Input::Skip { actor, reason, stand_in: stand_in.clone() }),
        Verb::Abort => Ok(Input::Abort { actor, reason }),
        Verb::Replay(_) | Verb::Forget | Verb::Readmit => {
            Err(Refusal::usage(format!("{} acts on a request, it does not move a run", verb.word())))
        }
    }
}
