//! Questions about traffic that was stored: what another dedup rule would have done, which fields
//! there are, captures, drift; and flows tried out with it: simulated, called step by step, run as a
//! test, back-tested.
//!
//! | file | holds |
//! |---|---|
//! | `trial` | what every trial begins with: a flow, a version, a request, what is known of answers |
//! | `simulate` | every request of a run, built and not sent |
//! | `call` | one step's call, by hand |
//! | `testrun` | a real run that is marked as a test |
//! | `backtest` | stored requests through the draft and the live version, side by side |
//! | `saved` | a stored request as a file |
//! | `whatif`, `fields`, `capture`, `drift` | dedup and the shape of what comes |
//! | `values` | which values stand at a path, and how often |

mod backtest;
mod call;
mod capture;
mod drift;
mod fields;
mod saved;
mod simulate;
mod testrun;
mod trial;
mod values;
mod whatif;

use super::Desk;
use crate::model::FlowId;
use crate::model::ask::{Answer, Refusal, Who};
use crate::model::document::{Flow, Trigger, Webhook};
use crate::model::study::{Studied, Study};
use crate::rules::plan::Plan;
use crate::store::registry::{Doc, Holding, url};
use std::sync::Arc;

/// A flow that requests arrive at, as a person names it.
struct Named {
    flow: FlowId,
    integration: String,
    name: String,
    url: String,
    /// The live plan, else that of the draft.
    plan: Arc<Plan>,
    live: bool,
}

impl Named {
    fn webhook(&self) -> Option<&Webhook> {
        self.plan.flow.webhook()
    }
}

impl Desk {
    pub(super) async fn study(&self, who: &Who, study: Study) -> Result<Answer, Refusal> {
        let studied = match study {
            Study::WhatIf(rule) => Studied::WhatIf(self.what_if(&rule).await?),
            Study::Fields(source) => Studied::Fields(self.fields(&source).await?),
            Study::Values(asked) => Studied::Values(self.values(&asked).await?),
            Study::Pinned { ids, pins } => Studied::Pinned { rows: self.pinned(&ids, &pins).await? },
            Study::Capture { flow, time } => Studied::Capture(self.open_capture(&flow, time).await?),
            Study::Captured { flow, after } => {
                Studied::Capture(self.captured(&flow, after.as_deref()).await?)
            }
            Study::Simulate(trial) => Studied::Simulated(Box::new(self.simulate(who, &trial).await?)),
            Study::Call(order) => Studied::Tried(self.call(who, &order).await?),
            Study::TestRun(order) => Studied::Tried(self.test_run(who, &order).await?),
            Study::BackTest(asked) => Studied::BackTested(self.back_test(&asked).await?),
            Study::SaveSample { id } => Studied::Saved { path: self.save_sample(who, &id).await? },
            Study::Samples { flow } => Studied::Samples { names: self.samples(&flow).await? },
            Study::Drift { flow } => Studied::Drift { drifts: self.drifts(flow.as_deref()).await? },
            Study::DriftOk { ids, flow, reason } => Studied::Done {
                lines: vec![self.drift_ok(who, &ids, flow.as_deref(), reason.as_deref()).await?],
            },
        };
        Ok(Answer::Studied(Box::new(studied)))
    }

    /// Finds the flow of `NAME/FLOW` by name, id or alias; `NAME` alone where it has one that
    /// requests arrive at.
    fn named(&self, text: &str) -> Result<Named, Refusal> {
        self.named_of(text, |flow| matches!(flow.trigger, Trigger::Webhook(_)), " that requests arrive at")
    }

    /// The same among certain flows; `which` says in words which: ` that requests arrive at`.
    fn named_of(&self, text: &str, fits: impl Fn(&Flow) -> bool, which: &str) -> Result<Named, Refusal> {
        let (name, wanted) =
            text.split_once('/').map_or((text, None), |(name, flow)| (name.trim(), Some(flow.trim())));
        let state = self.deps.store.configured();
        let holding = self.holding(name.trim())?;
        let mut found = Vec::new();
        for row in state.flows.values().filter(|row| row.integration == holding.id && !row.removed) {
            let plan = |doc: &Option<Arc<Doc>>| doc.as_ref()?.plan(row.id);
            let live = plan(&holding.live);
            let is_live = live.is_some();
            let Some(plan) = live.or_else(|| plan(&holding.newest)) else { continue };
            // A draft that renames a flow that was never live gives it no new name elsewhere.
            let meant = wanted.is_none_or(|wanted| {
                plan.flow.name.eq_ignore_ascii_case(wanted)
                    || row.name.eq_ignore_ascii_case(wanted)
                    || row.key == wanted
                    || row.path.as_deref() == Some(wanted)
            });
            if !meant {
                continue;
            }
            if fits(&plan.flow) {
                found.push(Named {
                    flow: row.id,
                    integration: holding.name.clone(),
                    name: plan.flow.name.clone(),
                    url: url(&self.deps.settings.public_url, &row.endpoint),
                    live: is_live,
                    plan,
                });
            }
        }
        let count = found.len();
        match (found.pop(), count) {
            (Some(one), 1) => Ok(one),
            (None, _) => Err(none(text, &holding, fits, which)),
            (Some(_), _) => Err(Refusal::usage(format!("{text} has {count} flows{which}: write NAME/FLOW"))),
        }
    }
}

fn none(text: &str, holding: &Holding, fits: impl Fn(&Flow) -> bool, which: &str) -> Refusal {
    let docs = [&holding.live, &holding.newest].into_iter().flatten();
    let mut flows: Vec<String> = Vec::new();
    for flow in docs.flat_map(|doc| &doc.integration.flows).filter(|flow| fits(flow)) {
        let name = format!("{}/{}", holding.name, flow.name);
        if !flows.contains(&name) {
            flows.push(name);
        }
    }
    let there = if flows.is_empty() { "none".to_owned() } else { flows.join(", ") };
    Refusal::not_found(format!("no flow {text}{which}; there are: {there}"))
}
