//! What operators do to runs, requests and callbacks, one or many, the plan or the act.
//!
//! One object, a few at once, and the pieces of a job all come to `Desk::one`: a verb has the same
//! options and the same refusals wherever it is done.

mod callbacks;
mod fields;
mod forget;
mod forward;
mod how_many;
mod kept;
mod look;
mod many;
mod plan;
mod readmit;
mod replay;
mod select;
pub(super) mod sends;
mod steer;

pub(super) use kept::Plans;
pub(super) use many::{Order, SIDE_BY_SIDE, options};
pub(super) use select::{Chosen, Target};

use super::Desk;
use crate::model::ask::{Act, Answer, Object, Plan, Refusal, Verb, Who};
use crate::rules::streak::MOST;

/// From how many objects on a verb becomes a job, where no rate says so before.
const AT_ONCE: usize = 100;

impl Desk {
    /// The plan of a verb, or the verb.
    pub(super) async fn act(&self, who: &Who, act: Act) -> Result<Answer, Refusal> {
        sound(&act)?;
        let chosen = self.choose(&act).await?;
        if act.dry_run {
            return self.plan(who, &act.verb, chosen).await.map(Answer::Plan);
        }
        let many = chosen.one().is_none();
        if many && (act.rate.is_some() || act.stop_after.is_some() || chosen.targets.len() > AT_ONCE) {
            return self.start_job(who, act, chosen).await;
        }
        self.at_once(who, &act, &chosen).await.map(Answer::Acted)
    }

    /// The plan. One of many is kept, so that it can be carried out as it was shown.
    async fn plan(&self, who: &Who, verb: &Verb, chosen: Chosen) -> Result<Plan, Refusal> {
        let (mut plan, found) = match verb {
            Verb::Replay(how) if how.to.is_some() => self.plan_forward(&chosen, how).await?,
            Verb::Replay(how) => self.plan_replay(&chosen, how).await?,
            Verb::Forget => self.plan_forget(&chosen).await?,
            Verb::Readmit => self.plan_readmit(&chosen).await?,
            _ => self.plan_steer(who, verb, &chosen).await?,
        };
        if !matches!(verb, Verb::Replay(how) if how.to.is_some()) {
            plan.lines.extend(self.held_up(&plan.hosts));
        }
        plan.refused = found.left_out;
        if chosen.one().is_none() && !found.objects.is_empty() {
            let chosen = Chosen::of(found, chosen.filter);
            let ids = self.deps.store.ids();
            let token = ids.print_raw(crate::model::id::Kind::Bulk, self.deps.store.fresh_id());
            plan.token = Some(self.plans.keep(token, verb.clone(), chosen));
        }
        Ok(plan)
    }
}

/// Refuses orders that make no sense, whatever they are about.
fn sound(act: &Act) -> Result<(), Refusal> {
    steer::stand_in_shape(&act.verb)?;
    if act.rate.is_some_and(|rate| rate.count == 0) {
        return Err(Refusal::usage("a rate is at least 1: 1/s, 1/m, 1/h"));
    }
    if act.stop_after.is_some_and(|many| !(1..=MOST).contains(&many)) {
        return Err(Refusal::usage(format!(
            "a job stops after 1 to {} failures in a row",
            crate::text::count(u64::from(MOST))
        )));
    }
    match &act.verb {
        Verb::Replay(how) => forward::sound(how),
        _ => Ok(()),
    }
}

/// `1 run`, `1,212 runs`.
fn runs(many: u64) -> String {
    count(many, Object::Run)
}

/// `1 callback`, `1,212 runs`.
pub(super) fn count(many: u64, of: Object) -> String {
    format!("{} {}{}", crate::text::count(many), of.word(), if many == 1 { "" } else { "s" })
}

/// Names with commas: `notify, archive`.
fn list<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// A time in a sentence: `14:32:13 UTC`, with its day where that is not today.
pub(super) fn clock(at: crate::model::Ms, now: crate::model::Ms) -> String {
    use crate::model::time::DAY;
    let time = crate::text::clock(at, 0);
    if at.div_euclid(DAY) == now.div_euclid(DAY) {
        format!("{time} UTC")
    } else {
        let text = crate::model::time::rfc3339(at);
        format!("{} {time} UTC", text.get(..10).unwrap_or_default())
    }
}
