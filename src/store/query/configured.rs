//! What is configured, as lists show it: endpoints, integrations, flows and variables.

use crate::model::document::{Flow, Trigger, VariableKind};
use crate::model::gate::{Pause, PauseView};
use crate::model::guide::Unfinished;
use crate::model::schedule::{Schedule, ScheduleView};
use crate::model::time::rfc3339;
use crate::model::view::{EndpointView, FlowView, IntegrationView, VariableView};
use crate::model::{FlowId, Ms, RequestId};
use crate::rules::explain::written;
use crate::store::config::values::in_force;
use crate::store::registry::{Doc, Holding, State, url};
use std::collections::HashMap;

/// The live endpoints, by integration and flow.
#[must_use]
pub fn endpoints(
    state: &State,
    public_url: &str,
    last: &HashMap<FlowId, RequestId>,
    now: Ms,
) -> Vec<EndpointView> {
    let mut views = Vec::new();
    for holding in by_name(state) {
        let Some(live) = &holding.live else { continue };
        for (id, flow) in live.flows.iter().zip(&live.integration.flows) {
            let (Trigger::Webhook(webhook), Some(row)) = (&flow.trigger, state.flows.get(&FlowId(id.flow)))
            else {
                continue;
            };
            views.push(EndpointView {
                id: row.endpoint.clone(),
                url: url(public_url, &row.endpoint),
                path: webhook.path.clone(),
                integration: holding.name.clone(),
                flow: flow.name.clone(),
                methods: webhook.methods.clone(),
                auth: webhook.auth.word().to_owned(),
                last_request: last.get(&row.id).map(|id| rfc3339(id.time())),
                // Whichever refuses counts before one that holds.
                paused: [holding.pause, row.pause]
                    .into_iter()
                    .flatten()
                    .filter(|pause| pause.active(now))
                    .min_by_key(|pause| pause.hold)
                    .and_then(|pause| paused(Some(pause), now)),
            });
        }
    }
    views
}

/// The integrations that are not removed, by name.
fn by_name(state: &State) -> Vec<&Holding> {
    let mut all: Vec<&Holding> =
        state.integrations.values().map(AsRef::as_ref).filter(|holding| !holding.removed).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// All integrations, by name.
#[must_use]
pub fn integrations(state: &State, public_url: &str, now: Ms) -> Vec<IntegrationView> {
    by_name(state).into_iter().map(|holding| integration(state, public_url, holding, now)).collect()
}

/// An integration: flows of the live version (of the newest where none is live), variables of the
/// newest, since those are what a deploy wants values for.
#[must_use]
pub fn integration(state: &State, public_url: &str, holding: &Holding, now: Ms) -> IntegrationView {
    let current = holding.current();
    let newest = holding.newest.as_ref().or(holding.live.as_ref());
    IntegrationView {
        name: holding.name.clone(),
        title: current.map_or_else(|| holding.name.clone(), |doc| doc.integration.title.clone()),
        description: current.map(|doc| doc.integration.description.clone()).unwrap_or_default(),
        deployed: holding.deployed,
        draft: Some(holding.latest).filter(|latest| holding.deployed != Some(*latest)),
        saved: newest.map(|doc| rfc3339(doc.at)).unwrap_or_default(),
        author: newest.map(|doc| doc.author.clone()).unwrap_or_default(),
        guide: newest.and_then(|doc| doc.guide).filter(|_| holding.deployed != Some(holding.latest)),
        flows: current.map(|doc| flows(state, public_url, doc, now)).unwrap_or_default(),
        variables: newest.map(|doc| variables(doc, holding)).unwrap_or_default(),
        alerts: Vec::new(),
        drift: Vec::new(),
        paused: paused(holding.pause, now),
    }
}

impl State {
    /// Integrations that are being made step by step and were never deployed, by name: the first of
    /// them.
    #[must_use]
    pub fn unfinished(&self) -> Vec<Unfinished> {
        let all = by_name(self).into_iter().filter(|holding| holding.deployed.is_none());
        all.filter_map(|holding| {
            Some(Unfinished { name: holding.name.clone(), step: holding.newest.as_ref()?.guide? })
        })
        .take(Unfinished::SHOWN)
        .collect()
    }
}

/// A pause that is in force.
fn paused(pause: Option<Pause>, now: Ms) -> Option<PauseView> {
    let pause = pause.filter(|pause| pause.active(now))?;
    Some(PauseView { since: rfc3339(pause.since), until: pause.until.map(rfc3339), hold: pause.hold })
}

fn flows(state: &State, public_url: &str, doc: &Doc, now: Ms) -> Vec<FlowView> {
    let view = |id: i64, flow: &Flow| {
        let row = state.flows.get(&FlowId(id));
        let auth = flow.webhook().map(|webhook| webhook.auth.word().to_owned());
        FlowView {
            id: row.map_or_else(|| flow.id.clone(), |row| row.key.clone()),
            name: flow.name.clone(),
            trigger: flow.trigger.word().to_owned(),
            url: row.filter(|_| auth.is_some()).map(|row| url(public_url, &row.endpoint)),
            auth,
            steps: flow.steps.iter().map(|step| (step.name.clone(), step.kind.word().to_owned())).collect(),
            only_counted: 0,
            schedule: schedule(&flow.trigger),
            last_run: None,
            paused: paused(row.and_then(|row| row.pause), now),
            traffic: None,
        }
    };
    doc.flows.iter().zip(&doc.integration.flows).map(|(id, flow)| view(id.flow, flow)).collect()
}

/// What a schedule says; its ticks are rows.
fn schedule(trigger: &Trigger) -> Option<ScheduleView> {
    let Trigger::Schedule(schedule) = trigger else { return None };
    let (rule, zone) = match schedule {
        Schedule::Every(time) => (format!("every {}", written(*time)), None),
        Schedule::Cron { expression, zone } => (format!("cron {expression}"), Some(zone.clone())),
    };
    Some(ScheduleView { rule, zone, next: Vec::new(), last: None, made_up: 0 })
}

fn variables(doc: &Doc, holding: &Holding) -> Vec<VariableView> {
    doc.integration
        .variables
        .iter()
        .map(|variable| {
            let value = in_force(variable, holding.set.get(&variable.name));
            VariableView {
                name: variable.name.clone(),
                kind: kind_word(&variable.kind).to_owned(),
                value: value.map(|(value, _)| value.clone()).unwrap_or_default(),
                set: value.is_some_and(|(_, set)| set),
                stands: None,
                required: variable.required,
                heading: variable.heading.clone(),
                help: variable.help.clone(),
                default: variable.default.clone().unwrap_or_default(),
                options: match &variable.kind {
                    VariableKind::Choice(options) => options.clone(),
                    _ => Vec::new(),
                },
            }
        })
        .collect()
}

fn kind_word(kind: &VariableKind) -> &'static str {
    match kind {
        VariableKind::Text => "text",
        VariableKind::Number => "number",
        VariableKind::Boolean => "boolean",
        VariableKind::Url => "url",
        VariableKind::Choice(_) => "choice",
        VariableKind::Secret => "secret",
    }
}
