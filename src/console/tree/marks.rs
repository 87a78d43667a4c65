//! The lines of the tree: what an integration, a flow, its trigger and its values say at a glance.

use super::facts;
use crate::console::format::count;
use crate::console::lines::Line;
use crate::console::theme::Role;
use crate::model::credential::KeyView;
use crate::model::document;
use crate::model::guide;
use crate::model::schedule::BegunView;
use crate::model::study::DriftView;
use crate::model::view::{FlowView, GroupView, IntegrationView};

/// What is wrong, as far as flows have a mark of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Badges<'b> {
    /// Shapes that drifted.
    pub drifts: &'b [DriftView],
    /// Errored runs.
    pub groups: &'b [GroupView],
}

pub(super) fn integration(
    one: &IntegrationView,
    document: Option<&document::Integration>,
    open: bool,
    drifts: &[DriftView],
) -> Line {
    let icon =
        document.and_then(|doc| doc.icon.as_deref()).map(|icon| format!("{icon}  ")).unwrap_or_default();
    let mut marks = vec![match (one.deployed, one.draft) {
        (Some(live), Some(_)) => format!("v{live} +draft"),
        (Some(live), None) => format!("v{live}"),
        (None, Some(draft)) => format!("v{draft} draft"),
        (None, None) => String::new(),
    }];
    // Before all that may be cut: who looks for what is missing finds it here.
    let paused = one.flows.iter().filter(|flow| flow.paused.is_some()).count() as u64;
    match &one.paused {
        Some(paused) => marks.push(paused.word().to_owned()),
        None if paused > 0 && !open => marks.push(format!("{} paused", count(paused))),
        None => {}
    }
    if let Some(step) = one.guide.filter(|_| one.deployed.is_none()) {
        marks.push(format!("step {step} of {}: {}", guide::WORDS.len(), guide::word(step)));
    }
    let failed =
        |flow: &FlowView| flow.trigger == "deploy" && flow.last_run.as_ref().is_some_and(BegunView::bad);
    let failed = one.flows.iter().any(failed);
    marks.extend(failed.then(|| "deploy !".to_owned()));
    let drifts = !open && drifts.iter().any(|drift| drift.integration == one.name);
    marks.extend(drifts.then(|| "• drift".to_owned()));
    let role = if failed { Role::Bad } else { Role::Text };
    Line {
        fold: Some(open),
        indent: 2,
        key: format!("{icon}{}", one.title),
        key_role: Role::Title,
        value: marks.join(" "),
        role,
        note: one.name.clone(),
        ..Line::default()
    }
}

pub(super) fn of_flow(one: &IntegrationView, flow: &FlowView, open: bool, badges: Badges<'_>) -> Line {
    let (word, mut role) = match flow.auth.as_deref() {
        Some("none") => ("none (open)".to_owned(), Role::Warn),
        Some(auth) => (auth.to_owned(), Role::Muted),
        None => {
            let rule = flow.schedule.as_ref().map(|schedule| schedule.rule.clone());
            (rule.unwrap_or_else(|| flow.trigger.clone()), Role::Muted)
        }
    };
    let errored = badges.groups.iter().any(|group| group.integration == one.name && group.flow == flow.name);
    let mut marks = Vec::new();
    if let Some(paused) = &flow.paused {
        marks.push(paused.word().to_owned());
    }
    if let Some(traffic) = flow.traffic.as_ref().filter(|_| one.deployed.is_some()) {
        let well = if errored { "!" } else { "✓" };
        marks.push(format!("{well} {}/m", count(traffic.minute)));
    }
    marks.push(word);
    if errored {
        role = Role::Bad;
    }
    if let Some(run) = &flow.last_run {
        let (glyph, _) = crate::console::glyphs::run(run.state);
        marks.push(if flow.trigger == "deploy" { glyph.to_owned() } else { format!("last {glyph}") });
        role = if run.bad() { Role::Bad } else { role };
    }
    if flow.paused.is_some() {
        role = Role::Warn;
    }
    if badges.drifts.iter().any(|drift| drift.integration == one.name && drift.flow == flow.name) {
        marks.push("• drift".to_owned());
    }
    Line {
        fold: Some(open),
        indent: 4,
        key: flow.name.clone(),
        value: marks.join(" "),
        role,
        ..Line::default()
    }
}

pub(super) fn trigger(flow: &FlowView, written: Option<&document::Flow>) -> Line {
    let value = match written.map(|flow| &flow.trigger) {
        Some(document::Trigger::Webhook(webhook)) => {
            let path = webhook.path.as_deref().map_or_else(
                || "/in/…".to_owned(),
                |path| format!("/in/{}", path.trim_start_matches('/').trim_start_matches("in/")),
            );
            let keys = webhook.auth.keys().join(", ");
            // Four methods are the rule, and say nothing.
            let method = match webhook.methods.as_slice() {
                [one] => format!("{one} "),
                _ => String::new(),
            };
            format!("{method}{path}  {} {keys}", webhook.auth.word())
        }
        _ => flow.schedule.as_ref().map_or_else(|| flow.trigger.clone(), |schedule| schedule.rule.clone()),
    };
    let role = if flow.auth.as_deref() == Some("none") { Role::Warn } else { Role::Muted };
    Line { indent: 6, key: "trigger".to_owned(), value: value.trim_end().to_owned(), role, ..Line::default() }
}

pub(super) fn values(
    one: &IntegrationView,
    document: Option<&document::Integration>,
    keys: &[KeyView],
) -> Line {
    let connections =
        document.map_or_else(String::new, |doc| format!(" · connections {}", doc.connections.len()));
    let used = facts::keys_of(&one.name, None, keys).count();
    let unset = one.variables.iter().any(|variable| variable.required && variable.value.is_null());
    let missing = if unset { " · a value is missing" } else { "" };
    let text = format!("variables {}{connections} · keys {used}{missing}", one.variables.len());
    Line { indent: 4, ..Line::text(text, if unset { Role::Warn } else { Role::Muted }) }
}
