//! Verbs that move runs, done: under the guard of what the person saw.

use super::super::Desk;
use super::clock;
use super::look::{input, version};
use super::many::{Did, Order};
use super::select::Aim;
use crate::model::Map;
use crate::model::ask::{Refusal, Verb};
use crate::model::id::short;
use crate::rules::advance::state_phrase;
use crate::store::Piece;
use crate::store::apply::{Applied, How, Ordered};

impl Desk {
    /// Moves one run, and says what happened.
    pub(super) async fn steer_one(
        &self,
        order: Order<'_>,
        seen: Option<i64>,
        aim: Aim,
        piece: Option<Piece>,
    ) -> Result<Did, Refusal> {
        let store = &self.deps.store;
        let id = store.ids().print(aim.run);
        let input = input(order.who, order.verb, aim.callback, order.reason)?;
        let how = How { with: version(order.verb), ..How::default() };
        let applied = store.apply_ordered(aim.run, how, Ordered { seen, piece }, |_| input.clone()).await?;
        let said = said(order.verb, short(&id), &applied);
        let target = aim.callback.map_or(id, |callback| store.ids().print(callback));
        Ok(Did { target, said, runs: Vec::new() })
    }
}

/// A stand-in takes the place of outputs, so it is an object; the type says so already, and what
/// comes over the socket is refused where it is read.
pub fn stand_in_shape(verb: &Verb) -> Result<(), Refusal> {
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
