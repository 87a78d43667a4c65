//! Retry, skip and abort, done: one run or many, each under the guard of what the person saw.

use super::super::Desk;
use super::look::{input, takes_live};
use super::select::{Aim, Chosen, Target};
use super::{LISTED, SIDE_BY_SIDE, clock, count};
use crate::model::Map;
use crate::model::ask::{Act, Acted, Object, Refusal, Verb, Who};
use crate::model::id::short;
use crate::rules::advance::state_phrase;
use crate::store::apply::{Applied, How};
use futures_util::StreamExt as _;

impl Desk {
    /// Moves what was chosen.
    pub(super) async fn steer(&self, who: &Who, act: &Act, chosen: &Chosen) -> Result<Acted, Refusal> {
        stand_in_shape(&act.verb)?;
        if let Some(aim) = chosen.one().and_then(Target::aim) {
            let said = self.steer_one(who, act, chosen, aim).await?;
            let target = self.aimed(aim);
            self.audit(who, act.verb.word(), &target, act.reason.as_deref(), &said).await?;
            return Ok(Acted { done: 1, lines: vec![said], ..Acted::default() });
        }
        let mut acted = Acted::default();
        let mut refused = 0;
        let mut moved = futures_util::stream::iter(chosen.aims())
            .map(|aim| async move { (aim, self.steer_one(who, act, chosen, aim).await) })
            .buffer_unordered(SIDE_BY_SIDE);
        while let Some((aim, result)) = moved.next().await {
            match result {
                Ok(_) => acted.done += 1,
                Err(refusal) => {
                    refused += 1;
                    if acted.refused.len() < LISTED {
                        acted.refused.push((self.aimed(aim), refusal.message));
                    }
                }
            }
        }
        drop(moved);
        acted.refused.sort();
        acted.lines.push(many(&act.verb, acted.done, refused));
        self.audit_many(who, act, chosen, &acted, refused).await?;
        Ok(acted)
    }

    /// Moves one run, and says what happened.
    async fn steer_one(&self, who: &Who, act: &Act, chosen: &Chosen, aim: Aim) -> Result<String, Refusal> {
        let store = &self.deps.store;
        let id = store.ids().print(aim.run);
        let seen = chosen.seen.get(&id).copied();
        let input = input(who, &act.verb, aim.callback, act.reason.as_deref())?;
        let how = How { deployed: takes_live(&act.verb), ..How::default() };
        let applied = store.apply_seen(aim.run, how, seen, |_| input.clone()).await?;
        Ok(said(&act.verb, short(&id), &applied))
    }

    /// The id of what was named: a callback's, or a run's.
    fn aimed(&self, aim: Aim) -> String {
        let ids = self.deps.store.ids();
        aim.callback.map_or_else(|| ids.print(aim.run), |callback| ids.print(callback))
    }

    /// One entry for an act on many: the filter and the count, and what was refused.
    pub(super) async fn audit_many(
        &self,
        who: &Who,
        act: &Act,
        chosen: &Chosen,
        acted: &Acted,
        refused: u64,
    ) -> Result<(), Refusal> {
        let count = crate::text::count(chosen.targets.len() as u64);
        let target = match &chosen.filter {
            Some(filter) => format!("{count} by filter {filter}"),
            None => format!("{count} by id"),
        };
        let mut detail = acted.lines.first().cloned().unwrap_or_default();
        if refused > 0 {
            let some: Vec<String> =
                acted.refused.iter().take(20).map(|(id, why)| format!("{}: {why}", short(id))).collect();
            detail = format!("{detail} {}", some.join("; "));
            if refused > 20 {
                detail = format!("{detail}; and {} more", crate::text::count(refused - 20));
            }
        }
        self.audit(who, act.verb.word(), &target, act.reason.as_deref(), &detail).await
    }
}

/// A stand-in takes the place of outputs, so it is an object; the type says so already, and what
/// comes over the socket is refused where it is read.
fn stand_in_shape(verb: &Verb) -> Result<(), Refusal> {
    const MOST: usize = 1 << 20;
    let Verb::Skip { stand_in: Some(stand_in) } = verb else { return Ok(()) };
    let size = serde_json::to_vec(stand_in).map_or(0, |text| text.len());
    if size > MOST {
        return Err(Refusal::usage("a stand-in has at most 1 MiB").coded("stand_in_shape"));
    }
    Ok(())
}

/// `Retried push of 5d7c31: attempt 4 is queued.`
fn said(verb: &Verb, id: &str, applied: &Applied) -> String {
    let after = &applied.standing.snapshot;
    let name = |at: u32| {
        applied.standing.plan.flow.steps.get(at as usize).map_or("", |step| step.name.as_str()).to_owned()
    };
    match verb {
        Verb::Retry { .. } => {
            let step = name(after.run.step);
            format!("Retried {step} of {id}: attempt {} is queued.", after.run.attempt + 1)
        }
        Verb::Skip { stand_in } => {
            let with = if stand_in.as_ref().is_some_and(|map: &Map| !map.is_empty()) {
                " with a stand-in"
            } else {
                ""
            };
            format!("Skipped {} of {id}{with}.", name(applied.before.step))
        }
        Verb::Abort if !after.run.state.ended() => {
            format!("{id} ends aborted once its attempt under way has ended.")
        }
        Verb::Abort => format!("Aborted {id}."),
        Verb::Complete { status, .. } => {
            format!(
                "Completed {} of {id} with {status}: the run {}.",
                name(applied.before.step),
                state_phrase(after.run.state)
            )
        }
        Verb::Extend { .. } => {
            let until = after.run.due.map(|due| clock(due, after.run.id.time())).unwrap_or_default();
            format!("{} of {id} waits until {until}.", name(applied.before.step))
        }
        Verb::Cancel => {
            format!("Cancelled the callback of {id}: the run {}.", state_phrase(after.run.state))
        }
        Verb::Replay(_) | Verb::Forget | Verb::Readmit => String::new(),
    }
}

fn many(verb: &Verb, done: u64, refused: u64) -> String {
    let did = match verb {
        Verb::Retry { .. } => "Retried",
        Verb::Skip { .. } => "Skipped the current step of",
        Verb::Abort => "Aborted",
        Verb::Replay(_) => "Replayed",
        Verb::Forget => "Forgot the keys of",
        Verb::Readmit => "Readmitted",
        Verb::Complete { .. } => "Completed",
        Verb::Extend { .. } => "Extended",
        Verb::Cancel => "Cancelled",
    };
    let done = count(done, if verb.object() == Object::Callback { Object::Callback } else { Object::Run });
    match refused {
        0 => format!("{did} {done}."),
        1 => format!("{did} {done}; 1 was refused."),
        many => format!("{did} {done}; {} were refused.", crate::text::count(many)),
    }
}
