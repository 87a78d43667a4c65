//! What operators do to runs, requests and callbacks, one or many, the plan or the act.

mod callbacks;
mod fields;
mod forget;
mod look;
mod plan;
mod readmit;
mod replay;
mod select;
pub(super) mod sends;
mod steer;

use super::Desk;
use crate::model::ask::{Act, Answer, Object, Refusal, Verb, Who};

/// Runs that are judged or moved at once: enough that they share commits.
const SIDE_BY_SIDE: usize = 32;
/// Refusals that an answer lists one by one.
const LISTED: usize = 1_000;

impl Desk {
    /// The plan of a verb, or the verb.
    pub(super) async fn act(&self, who: &Who, act: Act) -> Result<Answer, Refusal> {
        let chosen = self.choose(&act).await?;
        match (&act.verb, act.dry_run) {
            (Verb::Replay(how), true) => self.plan_replay(&chosen, how).await.map(Answer::Plan),
            (Verb::Replay(how), false) => self.replay(who, &act, &chosen, how).await.map(Answer::Acted),
            (Verb::Forget, true) => self.plan_forget(&chosen).await.map(Answer::Plan),
            (Verb::Forget, false) => self.forget_keys(who, &act, &chosen).await.map(Answer::Acted),
            (Verb::Readmit, true) => self.plan_readmit(&chosen).await.map(Answer::Plan),
            (Verb::Readmit, false) => self.readmit(who, &act, &chosen).await.map(Answer::Acted),
            (_, true) => self.plan_steer(who, &act.verb, &chosen).await.map(Answer::Plan),
            (_, false) => self.steer(who, &act, &chosen).await.map(Answer::Acted),
        }
    }
}

/// `1 run`, `1,212 runs`.
fn runs(many: u64) -> String {
    count(many, Object::Run)
}

/// `1 callback`, `1,212 runs`.
fn count(many: u64, of: Object) -> String {
    format!("{} {}{}", crate::text::count(many), of.word(), if many == 1 { "" } else { "s" })
}

/// Names with commas: `notify, archive`.
fn list<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// A time in a sentence: `14:32:13 UTC`, with its day where that is not today.
fn clock(at: crate::model::Ms, now: crate::model::Ms) -> String {
    use crate::model::time::DAY;
    let time = crate::text::clock(at, 0);
    if at.div_euclid(DAY) == now.div_euclid(DAY) {
        format!("{time} UTC")
    } else {
        let text = crate::model::time::rfc3339(at);
        format!("{} {time} UTC", text.get(..10).unwrap_or_default())
    }
}
