//! A run as a verb finds it, and what would come of the verb: the plan that is shown is the
//! transition that would be committed. Nothing is written here.

use super::super::Desk;
use crate::model::ask::{Refusal, Verb, Who};
use crate::model::run::Run;
use crate::model::{CallbackId, RunId};
use crate::rules::advance::fold::{StepFold, fold};
use crate::rules::advance::{Env, Input, Snapshot, Transition, advance};
use crate::rules::plan::Plan;
use crate::store::apply::Standing;

/// A run, with the plan that the verb would use.
pub struct Look {
    /// Its id as text.
    pub text: String,
    /// Rows, plan and context.
    pub standing: Standing,
}

impl Desk {
    /// Loads a run for a verb.
    pub(super) async fn look(&self, id: RunId, verb: &Verb) -> Result<Look, Refusal> {
        let standing = self.deps.store.standing(id, takes_live(verb)).await?;
        Ok(Look { text: self.deps.store.ids().print(id), standing })
    }
}

impl Look {
    /// What the verb would do, or why it is not possible.
    pub fn transition(&self, desk: &Desk, who: &Who, verb: &Verb) -> Result<Transition, Refusal> {
        let store = &desk.deps.store;
        let callback = (CallbackId(store.fresh_id()), [0; 32]);
        let env = Env { now: store.now(), dice: 0.5, callback, lease: None };
        advance(self.plan(), self.snapshot(), input(who, verb, None)?, &env)
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

/// Whether a verb goes by the live version, and not by the run's own.
pub fn takes_live(verb: &Verb) -> bool {
    matches!(verb, Verb::Retry { original: false, .. })
}

/// A verb as rules take it.
pub fn input(who: &Who, verb: &Verb, reason: Option<&str>) -> Result<Input, Refusal> {
    let (actor, reason) = (who.name.clone(), reason.map(str::to_owned));
    match verb {
        Verb::Retry { fresh_key, .. } => Ok(Input::Retry { actor, reason, fresh_key: *fresh_key }),
        Verb::Skip { stand_in } => Ok(Input::Skip { actor, reason, stand_in: stand_in.clone() }),
        Verb::Abort => Ok(Input::Abort { actor, reason }),
        Verb::Replay(_) | Verb::Forget | Verb::Readmit => {
            Err(Refusal::usage(format!("{} acts on a request, it does not move a run", verb.word())))
        }
    }
}
