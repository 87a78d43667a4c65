//! Questions about traffic that was stored: what another dedup rule would have done, which fields
//! there are, captures, drift. Reading only, but for the badges that a person takes away.

mod capture;
mod drift;
mod fields;
mod whatif;

use super::Desk;
use crate::model::FlowId;
use crate::model::ask::{Answer, Refusal, Who};
use crate::model::document::{Trigger, Webhook};
use crate::model::study::{Studied, Study};
use crate::rules::plan::Plan;
use crate::store::registry::{Holding, url};
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
            Study::Capture { flow, time } => Studied::Capture(self.open_capture(&flow, time).await?),
            Study::Captured { flow, after } => {
                Studied::Capture(self.captured(&flow, after.as_deref()).await?)
            }
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
        let (name, wanted) =
            text.split_once('/').map_or((text, None), |(name, flow)| (name.trim(), Some(flow.trim())));
        let state = self.deps.store.configured();
        let holding = self.holding(name.trim())?;
        let mut found = Vec::new();
        for row in state.flows.values().filter(|row| row.integration == holding.id && !row.removed) {
            let fits = wanted.is_none_or(|wanted| {
                row.name.eq_ignore_ascii_case(wanted)
                    || row.key == wanted
                    || row.path.as_deref() == Some(wanted)
            });
            if !fits {
                continue;
            }
            let plan = |doc: &Option<Arc<crate::store::registry::Doc>>| doc.as_ref()?.plan(row.id);
            let live = plan(&holding.live);
            let is_live = live.is_some();
            let Some(plan) = live.or_else(|| plan(&holding.newest)) else { continue };
            let named = Named {
                flow: row.id,
                integration: holding.name.clone(),
                name: plan.flow.name.clone(),
                url: url(&self.deps.settings.public_url, &row.endpoint),
                live: is_live,
                plan,
            };
            if named.webhook().is_some() {
                found.push(named);
            }
        }
        let count = found.len();
        match (found.pop(), count) {
            (Some(one), 1) => Ok(one),
            (None, _) => Err(none(text, &holding)),
            (Some(_), _) => Err(Refusal::usage(format!(
                "{text} has {count} flows that requests arrive at: write NAME/FLOW"
            ))),
        }
    }
}

fn none(text: &str, holding: &Holding) -> Refusal {
    let flows = holding.current().map(|doc| &doc.integration.flows[..]).unwrap_or_default();
    let flows: Vec<String> = flows
        .iter()
        .filter(|flow| matches!(flow.trigger, Trigger::Webhook(_)))
        .map(|flow| format!("{}/{}", holding.name, flow.name))
        .collect();
    let there = if flows.is_empty() { "none".to_owned() } else { flows.join(", ") };
    Refusal::not_found(format!("no flow {text} that requests arrive at; there are: {there}"))
}
