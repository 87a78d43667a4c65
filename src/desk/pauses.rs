//! Pausing and resuming integrations and flows.

use super::Desk;
use crate::model::ask::{Answer, Done, Refusal, Who};
use crate::model::document::Trigger;
use crate::model::gate::{Pause, PauseAct, PauseOrder};
use crate::model::time::{DAY, rfc3339};
use crate::model::{FlowId, Ms};
use crate::store::registry::{Holding, State};
use std::sync::Arc;

/// The longest that a pause may be told to last.
const LONGEST: Ms = 365 * DAY;

/// What an order is about.
struct Target {
    holding: Arc<Holding>,
    /// A flow of it, and its name.
    flow: Option<(FlowId, String)>,
}

impl Target {
    fn name(&self) -> String {
        match &self.flow {
            Some((_, flow)) => format!("{}/{flow}", self.holding.name),
            None => self.holding.name.clone(),
        }
    }

    /// Its own pause, where one is in force.
    fn pause(&self, state: &State, now: Ms) -> Option<Pause> {
        let pause = match &self.flow {
            Some((flow, _)) => state.flows.get(flow).and_then(|row| row.pause),
            None => self.holding.pause,
        };
        pause.filter(|pause| pause.active(now))
    }
}

impl Desk {
    /// Pauses or resumes, or says what that would do.
    pub(super) async fn pause(&self, who: &Who, order: PauseOrder) -> Result<Answer, Refusal> {
        let now = self.deps.store.now();
        let state = self.deps.store.configured();
        let target = self.paused_target(&state, &order.target)?;
        let name = target.name();
        let current = target.pause(&state, now);
        let (pause, verb, first) = match order.act {
            PauseAct::Pause { hold, lasts } => {
                if lasts.is_some_and(|lasts| !(1..=LONGEST).contains(&lasts)) {
                    return Err(Refusal::usage("--for takes 1ms to 365d"));
                }
                let until = lasts.map(|lasts| now + lasts);
                let since = current.map_or(now, |pause| pause.since);
                let said = paused(&name, order.dry_run, hold, until);
                (Some(Pause { since, until, hold }), "pause", said)
            }
            PauseAct::Resume => {
                if current.is_none() {
                    let whole =
                        target.flow.is_some() && target.holding.pause.is_some_and(|pause| pause.active(now));
                    let remedy = if whole {
                        format!(
                            "{0} as a whole is paused: pointsman integrations resume {0}",
                            target.holding.name
                        )
                    } else {
                        format!("{name} is not paused")
                    };
                    return Err(Refusal::refused("not_paused", format!("resume is not possible: {remedy}")));
                }
                let does = if order.dry_run { "would be resumed" } else { "is resumed" };
                (None, "resume", format!("{name} {does}"))
            }
        };
        let mut lines = vec![first];
        lines.extend(ticks(&target, order.act));
        lines.extend(others(&state, &target, order.act, now));
        if order.dry_run {
            return Ok(Answer::Done(Done { lines, refused: false }));
        }
        let flow = target.flow.as_ref().map(|(flow, _)| *flow);
        self.deps.store.pause(&target.holding.name, flow, pause).await?;
        self.audit(who, verb, &name, order.reason.as_deref(), &lines[0]).await?;
        Ok(Answer::Done(Done { lines, refused: false }))
    }

    /// `NAME` or `NAME/FLOW`; a flow by its name, its id or its alias.
    fn paused_target(&self, state: &State, text: &str) -> Result<Target, Refusal> {
        let (name, flow) = match text.split_once('/') {
            Some((name, flow)) => (name.trim(), Some(flow.trim())),
            None => (text.trim(), None),
        };
        let holding = self.holding(name)?;
        let Some(wanted) = flow else { return Ok(Target { holding, flow: None }) };
        let rows = || state.flows.values().filter(|row| row.integration == holding.id && !row.removed);
        let found = rows().find(|row| row.name == wanted).or_else(|| {
            rows().find(|row| {
                row.key == wanted
                    || row.path.as_deref() == Some(wanted)
                    || row.name.eq_ignore_ascii_case(wanted)
            })
        });
        if let Some(row) = found {
            let flow = Some((row.id, row.name.clone()));
            return Ok(Target { holding, flow });
        }
        let names: Vec<&str> = rows().map(|row| row.name.as_str()).collect();
        Err(Refusal::not_found(format!("{name} has no flow {wanted:?}; its flows are: {}", names.join(", "))))
    }
}

fn paused(name: &str, would: bool, hold: bool, until: Option<Ms>) -> String {
    let does = if would { "would be paused" } else { "is paused" };
    let until = until.map_or_else(String::new, |until| format!(" until {}", rfc3339(until)));
    let how = if hold {
        "requests are taken, their runs are held"
    } else {
        "requests are answered 503; runs under way go on"
    };
    format!("{name} {does}{until}: {how}")
}

/// What becomes of the ticks of schedules meanwhile, where there are any.
fn ticks(target: &Target, act: PauseAct) -> Option<String> {
    let live = target.holding.live.as_ref()?;
    let meant = |id: i64| target.flow.as_ref().is_none_or(|(flow, _)| flow.0 == id);
    let mut flows = live.flows.iter().zip(&live.integration.flows);
    let scheduled = flows.any(|(id, flow)| meant(id.flow) && matches!(flow.trigger, Trigger::Schedule(_)));
    let does = match act {
        PauseAct::Pause { hold: false, .. } => "pass meanwhile",
        PauseAct::Pause { hold: true, .. } => "are made up once when it goes on",
        PauseAct::Resume => return None,
    };
    scheduled.then(|| format!("ticks of its schedules {does}"))
}

/// What else is paused beside the target and counts for the same flows.
fn others(state: &State, target: &Target, act: PauseAct, now: Ms) -> Vec<String> {
    let active = |pause: Option<Pause>| pause.is_some_and(|pause| pause.active(now));
    match (&target.flow, act) {
        (Some(_), _) if active(target.holding.pause) => {
            vec![format!("{} as a whole is paused too", target.holding.name)]
        }
        (None, PauseAct::Resume) => state
            .flows
            .values()
            .filter(|row| row.integration == target.holding.id && !row.removed && active(row.pause))
            .map(|row| format!("its flow {} stays paused by itself", row.name))
            .collect(),
        _ => Vec::new(),
    }
}
