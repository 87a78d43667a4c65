//! Documents: checked, saved, deployed, exported and removed.

use super::Desk;
use super::deploying::also_runs;
use crate::model::ask::{Answer, Apply, Done, Refusal, Who};
use crate::model::document::{Flow, Integration, Problem, Step, Trigger, VariableKind};
use crate::model::id::short;
use crate::rules::check::{Known, check};
use crate::store::Occasion;
use crate::store::config::values::in_force;
use crate::store::registry::{Holding, Save, Saved};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Files of one `apply`.
const MAX_FILES: usize = 256;

/// A document that passed its checks.
struct Document {
    integration: Integration,
    source: String,
    warnings: Vec<String>,
}

impl Desk {
    /// Saves documents and deploys them, all or none.
    pub(super) async fn apply(&self, who: &Who, apply: Apply) -> Result<Answer, Refusal> {
        Ok(Answer::Done(self.apply_on(who, apply, None).await?.0))
    }

    /// The same, where a certain version is still the newest; and the version that the last document has.
    pub(super) async fn apply_on(
        &self,
        who: &Who,
        apply: Apply,
        base: Option<u32>,
    ) -> Result<(Done, u32), Refusal> {
        let documents = self.check(&apply)?;
        if !apply.draft {
            for document in &documents {
                self.reachable(&document.integration)?;
            }
        }
        let mut done = Done::default();
        for document in &documents {
            done.lines.extend(document.warnings.iter().cloned());
        }
        if apply.dry_run {
            for document in &documents {
                let same = self.is_newest(document).await?;
                done.lines.extend(self.would_save(document, same, apply.draft).await?);
            }
            return Ok((done, 0));
        }
        let saves = documents
            .iter()
            .map(|document| Save {
                integration: document.integration.clone(),
                source: document.source.clone(),
                base,
            })
            .collect();
        let reason = apply.reason.as_deref();
        let verb = if apply.draft { "save" } else { "apply" };
        let all = self.deps.store.save(saves, &who.name, reason, !apply.draft).await?;
        for saved in &all {
            let said = self.said(saved, !apply.draft);
            self.audit(who, verb, &saved.name, reason, &said[0]).await?;
            done.refused |= !apply.draft && !saved.deployed;
            done.lines.extend(said);
        }
        if !apply.draft {
            done.lines.extend(self.remedies(&all));
        }
        Ok((done, all.last().map_or(0, |saved| saved.version)))
    }

    /// Checks the files against what there is and against each other.
    fn check(&self, apply: &Apply) -> Result<Vec<Document>, Refusal> {
        if apply.files.is_empty() || apply.files.len() > MAX_FILES {
            return Err(Refusal::usage(format!("apply takes 1 to {MAX_FILES} files")));
        }
        if apply.rename.is_some() && apply.files.len() != 1 {
            return Err(Refusal::usage("--as names one integration: apply one file with it"));
        }
        // Their names first: what an integration of this apply owns now may move to another one.
        let names: Vec<Option<String>> =
            apply.files.iter().map(|(_, text)| apply.rename.clone().or_else(|| name_of(text))).collect();
        let others = self.paths_of_others(names.iter().flatten());
        let mut documents: Vec<Document> = Vec::with_capacity(apply.files.len());
        let mut problems = Vec::new();
        let mut failed = false;
        for ((file, text), name) in apply.files.iter().zip(&names) {
            let source = match &apply.rename {
                Some(name) => crate::store::config::source::with_name(text, name),
                None => text.clone(),
            };
            let mut known = Known {
                paths: others.clone(),
                keys: Some(self.deps.vault.ring().kinds()),
                flows: self.saved_flows(name.as_deref()),
                connections: Some(self.deps.settings.connections.0.clone()),
            };
            for before in &documents {
                known.paths.extend(aliases(&before.integration));
            }
            let checked = check(&source, &known);
            let lines = checked.problems.iter().map(|problem| line(file, problem));
            if let Some(integration) = checked.integration {
                if documents.iter().any(|before| before.integration.name == integration.name) {
                    failed = true;
                    problems.push(format!("{file}:1:1: {} is in two of these files", integration.name));
                }
                documents.push(Document { integration, source, warnings: lines.collect() });
            } else {
                failed = true;
                problems.extend(lines);
                if checked.problems.iter().all(|problem| problem.warning) {
                    let name = name.as_deref().unwrap_or("it");
                    problems.push(format!("{file}:1:1: {name} cannot be read"));
                }
            }
        }
        if failed {
            return Err(Refusal { code: "document".to_owned(), message: problems.join("\n"), exit: 1 });
        }
        Ok(documents)
    }

    /// What the flows of an integration that is saved are or were called, and their ids.
    pub(super) fn saved_flows(&self, name: Option<&str>) -> Option<Vec<String>> {
        let state = self.deps.store.configured();
        let holding = state.by_name(name?)?;
        let docs = [&holding.newest, &holding.live].into_iter().flatten();
        let flows = docs.flat_map(|doc| &doc.integration.flows);
        Some(
            flows
                .flat_map(|flow| [Some(&flow.name), Some(&flow.id), flow.was.as_ref()])
                .flatten()
                .cloned()
                .collect(),
        )
    }

    /// Aliases that belong to integrations other than these.
    fn paths_of_others<'n>(&self, names: impl Iterator<Item = &'n String>) -> Vec<(String, String)> {
        let mut others = self.deps.store.paths_but("");
        for name in names {
            let but = self.deps.store.paths_but(name);
            others.retain(|(path, _)| but.iter().any(|(other, _)| other == path));
        }
        others
    }

    /// Whether targets can answer the callbacks of what is live: asked for before anything runs.
    ///
    /// # Errors
    /// The flow, and the flag that is missing.
    pub fn reachable_all(&self) -> Result<(), Refusal> {
        let state = self.deps.store.configured();
        let live = state.integrations.values().filter(|holding| !holding.removed);
        live.filter_map(|holding| holding.live.as_ref()).try_for_each(|doc| self.reachable(&doc.integration))
    }

    /// Nobody can call an address like 0.0.0.0: a flow with callbacks needs a public URL then.
    pub(super) fn reachable(&self, integration: &Integration) -> Result<(), Refusal> {
        let settings = &self.deps.settings;
        if settings.public_url_given || !settings.listen.ip().is_unspecified() {
            return Ok(());
        }
        let tells = |flow: &Flow| {
            let calls_back = |step: &Step| step.kind.exchange().is_some_and(|exchange| exchange.callback);
            if flow.steps.iter().any(calls_back) {
                return Some("waits for callbacks");
            }
            matches!(flow.trigger, Trigger::Deploy { .. }).then_some("may tell others its siblings' URLs")
        };
        match integration.flows.iter().find_map(|flow| Some((flow, tells(flow)?))) {
            None => Ok(()),
            Some((flow, does)) => Err(Refusal::refused(
                "public_url",
                format!(
                    "{} / {} {does}, and targets cannot call {}: start with --public-url URL, the address that they reach this server at",
                    integration.name, flow.name, settings.listen
                ),
            )),
        }
    }

    /// Whether a text is the newest version as it stands: saved again it makes none.
    async fn is_newest(&self, document: &Document) -> Result<bool, Refusal> {
        let name = &document.integration.name;
        let latest = self.deps.store.configured().by_name(name).map(|holding| holding.latest);
        let Some(latest) = latest else { return Ok(false) };
        let newest = self.deps.store.version(name, latest).await?;
        Ok(newest.is_some_and(|newest| newest.source == document.source))
    }

    /// What applying a document would do; `same` where it is the newest version as it stands.
    async fn would_save(&self, document: &Document, same: bool, draft: bool) -> Result<Vec<String>, Refusal> {
        let integration = &document.integration;
        let name = &integration.name;
        let state = self.deps.store.configured();
        let Some(holding) = state.by_name(name) else {
            let unset = unset(integration, None);
            let mut lines = vec![if draft || !unset.is_empty() {
                format!("{name} is new: v1 would be kept as a draft")
            } else {
                format!("{name} is new: v1 would go live")
            }];
            lines.extend(unset_line(integration, &unset));
            for flow in webhooks(integration) {
                lines.push(format!("  {} would get an endpoint", flow.name));
            }
            if !draft && unset.is_empty() {
                lines.extend(also_runs(integration, None));
            }
            return Ok(lines);
        };
        let (number, changed) = if same { (holding.latest, false) } else { (holding.latest + 1, true) };
        let unset = unset(integration, Some(holding));
        let mut lines = vec![match (changed, draft || !unset.is_empty(), holding.deployed == Some(number)) {
            (false, _, true) => format!("{name} v{number} is live already; nothing would change"),
            (false, true, false) => format!("{name} v{number} is saved already; nothing would change"),
            (false, false, false) => format!("{name} v{number}, its draft, would go live"),
            (true, true, _) => format!("{name} has changed: v{number} would be kept as a draft"),
            (true, false, _) => format!("{name} has changed: v{number} would go live{}", instead(holding)),
        }];
        lines.extend(unset_line(integration, &unset));
        if !draft && unset.is_empty() && holding.deployed != Some(number) {
            lines.extend(self.keep_version(holding, number).await?);
            lines.extend(also_runs(integration, Some(holding)));
        }
        let live: BTreeSet<&str> = holding
            .live
            .iter()
            .flat_map(|doc| webhooks(&doc.integration))
            .map(|flow| flow.id.as_str())
            .collect();
        let urls = self.deps.store.webhook_urls(holding.id);
        for flow in webhooks(integration) {
            // A flow that is renamed keeps the URL that its old name has.
            let mut known = holding.live.iter().flat_map(|doc| &doc.integration.flows);
            let name = known.find(|old| old.id == flow.id).map_or(&flow.name, |old| &old.name);
            match urls.get(name).and_then(serde_json::Value::as_str) {
                Some(url) => lines.push(format!("  {}  {url}", flow.name)),
                None if live.contains(flow.id.as_str()) => {
                    lines.push(format!("  {} keeps its endpoint", flow.name));
                }
                None => lines.push(format!("  {} would get an endpoint", flow.name)),
            }
        }
        Ok(lines)
    }

    /// What saving did, a sentence first.
    pub(super) fn said(&self, saved: &Saved, deploy: bool) -> Vec<String> {
        let Saved { name, version, changed, unset, .. } = saved;
        let mut lines = vec![if !saved.deployed && deploy {
            format!("{name} v{version} is kept as a draft{}", because(unset))
        } else if saved.deployed && deploy {
            if *changed {
                format!("{name} v{version} is live")
            } else {
                format!("{name} v{version} is live already; nothing changed")
            }
        } else if *changed {
            format!("{name} v{version} is kept as a draft")
        } else {
            format!("{name} v{version} is saved already; nothing changed")
        }];
        if saved.deployed && deploy {
            lines.extend(self.endpoint_lines(name));
        }
        lines.extend(self.begun_lines(&saved.begins));
        lines
    }

    /// The runs that a deploy or a removal began.
    pub(super) fn begun_lines(&self, begun: &[Occasion]) -> Vec<String> {
        let ids = self.deps.store.ids();
        let line = |one: &Occasion| Some(format!("  {}  run {}", one.name, short(&ids.print(one.run?))));
        begun.iter().filter_map(line).collect()
    }

    /// The commands that drafts which were to be deployed wait for.
    pub(super) fn remedies(&self, saved: &[Saved]) -> Vec<String> {
        let state = self.deps.store.configured();
        let kept: Vec<&Saved> = saved.iter().filter(|saved| !saved.deployed).collect();
        let newest = |saved: &Saved| state.by_name(&saved.name).and_then(|holding| holding.newest.clone());
        let sets = kept.iter().filter_map(|saved| Some(orders(&newest(saved)?.integration, &saved.unset)));
        let deploys = kept.iter().map(|saved| format!("pointsman deploy {}", saved.name));
        sets.flatten().chain(deploys).collect()
    }

    fn endpoint_lines(&self, name: &str) -> Vec<String> {
        let state = self.deps.store.configured();
        let Some(holding) = state.by_name(name) else { return Vec::new() };
        let urls = self.deps.store.webhook_urls(holding.id);
        urls.iter().map(|(flow, url)| format!("  {flow}  {}", url.as_str().unwrap_or_default())).collect()
    }

    /// Whether the newest version is still the one that a person was shown.
    pub(super) fn unchanged(&self, name: &str, seen: Option<u32>) -> Result<(), Refusal> {
        let latest = self.holding(name)?.latest;
        match seen {
            Some(seen) if seen != latest => {
                Err(Refusal::refused("stale", format!("the newest version of {name} is now v{latest}")))
            }
            _ => Ok(()),
        }
    }

    /// Makes the newest version the live one.
    pub(super) async fn deploy(
        &self,
        who: &Who,
        name: &str,
        reason: Option<&str>,
        dry_run: bool,
    ) -> Result<Answer, Refusal> {
        let holding = self.holding(name)?;
        if let Some(newest) = &holding.newest {
            self.reachable(&newest.integration)?;
        }
        if dry_run {
            let mut lines = Vec::new();
            let number = holding.latest;
            if holding.deployed == Some(number) {
                lines.push(format!("{name} v{number} is live already; nothing would change"));
            } else {
                let newest = holding.newest.as_ref().map(|doc| &doc.integration);
                let unset = newest.map_or_else(Vec::new, |newest| unset(newest, Some(&holding)));
                lines.push(if unset.is_empty() {
                    format!("{name} v{number} would go live{}", instead(&holding))
                } else {
                    format!("{name} v{number} would stay a draft")
                });
                if let Some(text) = self.deps.store.source(name, Some(number)).await? {
                    lines.extend(self.differs(&holding, text.source).await);
                }
                lines.extend(newest.and_then(|newest| unset_line(newest, &unset)));
                if unset.is_empty() {
                    lines.extend(self.keep_version(&holding, number).await?);
                    lines.extend(newest.into_iter().flat_map(|newest| also_runs(newest, Some(&holding))));
                }
            }
            return Ok(Answer::Done(Done { lines, refused: false }));
        }
        let saved = self.deps.store.deploy(name, &who.name, reason).await?;
        let mut lines = self.said(&saved, true);
        self.audit(who, "deploy", name, reason, &lines[0]).await?;
        lines.extend(self.remedies(std::slice::from_ref(&saved)));
        Ok(Answer::Done(Done { lines, refused: !saved.deployed }))
    }

    /// The text of a version.
    pub(super) async fn export(&self, name: &str, version: Option<u32>) -> Result<Answer, Refusal> {
        let holding = self.holding(name)?;
        match self.deps.store.source(name, version).await? {
            Some(found) => Ok(Answer::Source { version: found.number, text: found.source }),
            None => Err(Refusal::not_found(format!(
                "{name} has no v{}; its versions are 1 to {}",
                version.unwrap_or(holding.latest),
                holding.latest
            ))),
        }
    }

    /// The integration of a name.
    pub(super) fn holding(&self, name: &str) -> Result<Arc<Holding>, Refusal> {
        let state = self.deps.store.configured();
        if let Some(holding) = state.by_name(name) {
            return Ok(Arc::clone(holding));
        }
        let names: Vec<&str> = state
            .integrations
            .values()
            .filter(|holding| !holding.removed)
            .map(|holding| holding.name.as_str())
            .collect();
        Err(Refusal::not_found(match names.as_slice() {
            [] => format!("there is no integration {name:?}; there is none at all"),
            names => format!("there is no integration {name:?}; there are {}", shorten(names)),
        }))
    }
}

fn line(file: &str, problem: &Problem) -> String {
    let Problem { line, column, message, warning } = problem;
    let warning = if *warning { "warning: " } else { "" };
    format!("{file}:{line}:{column}: {warning}{message}")
}

/// The name that a text gives its integration, as far as it can be read at all.
pub(super) fn name_of(text: &str) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    table.get("name")?.as_str().map(str::to_owned)
}

fn aliases(integration: &Integration) -> Vec<(String, String)> {
    let own =
        |flow: &Flow| Some((flow.webhook()?.path.clone()?, format!("{} / {}", integration.name, flow.name)));
    integration.flows.iter().filter_map(own).collect()
}

fn webhooks(integration: &Integration) -> impl Iterator<Item = &Flow> {
    integration.flows.iter().filter(|flow| flow.webhook().is_some())
}

/// Required variables without a value.
pub(super) fn unset(integration: &Integration, holding: Option<&Holding>) -> Vec<String> {
    integration
        .variables
        .iter()
        .filter(|variable| {
            let set = holding.and_then(|holding| holding.set.get(&variable.name));
            variable.required && in_force(variable, set).is_none()
        })
        .map(|variable| variable.name.clone())
        .collect()
}

pub(super) fn unset_line(integration: &Integration, unset: &[String]) -> Option<String> {
    (!unset.is_empty())
        .then(|| format!("  {} no value yet: {}", has(unset), orders(integration, unset).join("; ")))
}

fn because(unset: &[String]) -> String {
    if unset.is_empty() { String::new() } else { format!(": {} no value yet", has(unset)) }
}

fn has(names: &[String]) -> String {
    format!("{} {}", names.join(", "), if names.len() == 1 { "has" } else { "have" })
}

/// The commands that give values to variables.
fn orders(integration: &Integration, unset: &[String]) -> Vec<String> {
    let name = &integration.name;
    let secret = |wanted: &str| {
        let mut all = integration.variables.iter();
        all.any(|variable| variable.name == wanted && variable.kind == VariableKind::Secret)
    };
    let (secrets, plain): (Vec<&String>, Vec<&String>) = unset.iter().partition(|name| secret(name));
    let values: Vec<String> = plain.iter().map(|name| format!("{name}=VALUE")).collect();
    let plain = (!values.is_empty()).then(|| format!("pointsman set {name} {}", values.join(" ")));
    let secrets = secrets.iter().map(|secret| format!("pointsman set {name} {secret} --secret-file FILE"));
    plain.into_iter().chain(secrets).collect()
}

pub(super) fn instead(holding: &Holding) -> String {
    holding.deployed.map(|number| format!(" instead of v{number}")).unwrap_or_default()
}

fn shorten(names: &[&str]) -> String {
    let shown = names.iter().take(8).copied().collect::<Vec<_>>().join(", ");
    if names.len() > 8 { format!("{shown}, … ({} in all)", names.len()) } else { shown }
}
