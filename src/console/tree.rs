//! The integrations as a tree: integration, its flows, their triggers and steps, its values. Beside
//! it stand what is known of the selected one ([`facts`]), its versions, and what differs between
//! two ([`versions`]).

use super::app::{App, Dirt, Place, Screen};
use super::asks::Want;
use super::lines::{Line, Lines};
use super::theme::Role;
use crate::model::ask::Ask;
use crate::model::credential::KeyView;
use crate::model::document;
use crate::model::time::{Ms, SECOND};
use crate::model::view::{FlowView, IntegrationView};
use crate::rules::check::{Known, check};
use std::collections::{BTreeMap, BTreeSet};

pub mod facts;
pub mod marks;
mod setting;
mod traffic;
pub mod versions;

use marks::Badges;
pub use versions::Versions;

/// How often what flows are sent is read anew while it is shown.
const TRAFFIC: Ms = 10 * SECOND;

/// A line of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The integration's name.
    pub integration: String,
    /// What of it.
    pub part: Part,
}

/// What of an integration a line shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// The flow of this name.
    Flow(String),
    /// What starts it.
    Trigger(String),
    /// A step of it, from 0.
    Step(String, usize),
    /// Variables, connections and keys.
    Values,
}

impl Part {
    /// The flow that it is of.
    #[must_use]
    pub fn flow(&self) -> Option<&str> {
        match self {
            Self::Flow(flow) | Self::Trigger(flow) | Self::Step(flow, _) => Some(flow),
            Self::Whole | Self::Values => None,
        }
    }
}

impl Node {
    /// What names its line.
    fn path(&self) -> String {
        let name = &self.integration;
        match &self.part {
            Part::Whole => name.clone(),
            Part::Flow(flow) => format!("{name}\0{flow}"),
            Part::Trigger(flow) => format!("{name}\0{flow}\0trigger"),
            Part::Step(flow, at) => format!("{name}\0{flow}\0{at}"),
            Part::Values => format!("{name}\0\0values"),
        }
    }
}

/// The document of a version, read.
#[derive(Debug)]
pub struct Document {
    /// Which version.
    pub version: u32,
    /// What it says; nothing where this version of the program does not take it.
    pub says: Option<Box<document::Integration>>,
}

/// The screen.
#[derive(Debug, Default)]
pub struct Tree {
    /// By name.
    pub integrations: Vec<IntegrationView>,
    /// Senders' keys.
    pub keys: Vec<KeyView>,
    /// The documents that were looked at, by integration.
    pub documents: BTreeMap<String, Document>,
    /// It was read.
    pub known: bool,
    /// Something changed since.
    pub stale: bool,
    /// When it was asked for last: what flows are sent changes by itself.
    pub asked_at: Ms,
    /// What each line is.
    pub nodes: Vec<Node>,
    /// The lines, as they are unfolded.
    pub lines: Lines,
    /// What is known of the selected one.
    pub facts: Lines,
    /// Its versions, and what differs.
    pub versions: Versions,
    /// Lines that are unfolded, by what names them.
    open: BTreeSet<String>,
    /// Integrations that were seen: a new one is unfolded.
    seen: BTreeSet<String>,
    /// The line that the cursor goes to once it is there.
    wanted: Option<String>,
    /// The version that is selected once the versions are there.
    wanted_version: Option<u32>,
}

impl Tree {
    /// What the cursor is on.
    #[must_use]
    pub fn current(&self) -> Option<&Node> {
        self.nodes.get(self.lines.at)
    }

    /// The integration that the cursor is on or in.
    #[must_use]
    pub fn integration(&self) -> Option<&IntegrationView> {
        let name = &self.current()?.integration;
        self.integrations.iter().find(|one| one.name == *name)
    }

    /// The flow that the cursor is on or in.
    #[must_use]
    pub fn flow(&self) -> Option<&FlowView> {
        let flow = self.current()?.part.flow()?;
        self.integration()?.flows.iter().find(|one| one.name == flow)
    }

    /// The document of an integration, where it was looked at.
    #[must_use]
    pub fn document(&self, name: &str) -> Option<&document::Integration> {
        self.documents.get(name)?.says.as_deref()
    }

    /// Folds or unfolds what the cursor is on; out of a step to its flow.
    ///
    /// # Errors
    /// What the key says where it does nothing.
    pub fn fold(&mut self, opens: bool) -> Result<(), &'static str> {
        let Some(node) = self.current().cloned() else { return Err("there is no integration") };
        let path = node.path();
        match (&node.part, opens) {
            (Part::Whole | Part::Flow(_), true) if self.open.insert(path.clone()) => Ok(()),
            (Part::Whole | Part::Flow(_), true) => Err("it is unfolded already"),
            (Part::Whole | Part::Flow(_), false) if self.open.remove(&path) => Ok(()),
            (Part::Whole, false) => Err("it is folded already"),
            (_, true) => Err("nothing is under it"),
            (_, false) => {
                // To what it is under.
                let above = match &node.part {
                    Part::Trigger(flow) | Part::Step(flow, _) => Part::Flow(flow.clone()),
                    _ => Part::Whole,
                };
                let path = Node { integration: node.integration, part: above }.path();
                if let Some(at) = self.lines.lines.iter().position(|line| line.path == path) {
                    self.lines
                        .step(isize::try_from(at).unwrap_or(0) - isize::try_from(self.lines.at).unwrap_or(0));
                }
                Ok(())
            }
        }
    }

    /// Whether the line under the cursor folds, and is folded.
    #[must_use]
    pub fn is_folded(&self) -> bool {
        self.lines.current().is_some_and(|line| line.fold == Some(false))
    }

    /// Takes the integrations in.
    pub fn install(&mut self, integrations: Vec<IntegrationView>) {
        for one in &integrations {
            if self.seen.insert(one.name.clone()) {
                self.open.insert(one.name.clone());
            }
        }
        self.documents.retain(|name, document| {
            integrations.iter().any(|one| one.name == *name && version_of(one) == Some(document.version))
        });
        self.integrations = integrations;
        self.known = true;
        self.versions.stale = true;
    }

    /// The cursor goes to a flow, as soon as it is known; with a version also among the versions.
    pub fn go(&mut self, integration: &str, flow: &str, version: Option<u32>) {
        self.open.insert(integration.to_owned());
        let part = Part::Flow(flow.to_owned());
        self.wanted = Some(Node { integration: integration.to_owned(), part }.path());
        self.wanted_version = version;
    }

    /// Makes the lines again.
    pub fn build(&mut self, badges: Badges<'_>) {
        let mut lines = Vec::new();
        let mut nodes = Vec::new();
        for one in &self.integrations {
            let document = self.document(&one.name);
            let mut put = |part: Part, line: Line| {
                let node = Node { integration: one.name.clone(), part };
                lines.push(Line { path: node.path(), ..line });
                nodes.push(node);
            };
            let open = self.open.contains(&one.name);
            put(Part::Whole, marks::integration(one, document, open, badges.drifts));
            if !open {
                continue;
            }
            for flow in &one.flows {
                let written = document.and_then(|doc| doc.flows.iter().find(|known| known.name == flow.name));
                let part = Part::Flow(flow.name.clone());
                let open = self.open.contains(&format!("{}\0{}", one.name, flow.name));
                put(part, marks::of_flow(one, flow, open, badges));
                if !open {
                    continue;
                }
                put(Part::Trigger(flow.name.clone()), marks::trigger(flow, written));
                for (at, (name, kind)) in flow.steps.iter().enumerate() {
                    let step = written.and_then(|flow| flow.steps.get(at)).filter(|step| step.name == *name);
                    let told = step.map_or_else(|| kind.clone(), facts::step_words);
                    let key = format!("{} {name}", at + 1);
                    let line = Line { indent: 6, key, value: told, role: Role::Muted, ..Line::default() };
                    put(Part::Step(flow.name.clone(), at), line);
                }
            }
            put(Part::Values, marks::values(one, document, &self.keys));
        }
        self.nodes = nodes;
        self.lines.set(lines);
        if self.known
            && let Some(wanted) = self.wanted.take()
            && let Some(at) = self.lines.lines.iter().position(|line| line.path == wanted)
        {
            self.lines.go(at);
        }
    }
}

/// The version whose document is shown: the live one, else the newest.
#[must_use]
pub fn version_of(one: &IntegrationView) -> Option<u32> {
    one.deployed.or(one.draft)
}

impl App {
    /// Makes the lines of the screen again, and points what is beside the tree at the cursor.
    pub(super) fn aim_tree(&mut self) {
        let badges = Badges { drifts: &self.needs.drifts, groups: &self.needs.groups };
        self.tree.build(badges);
        let facts =
            facts::facts(&self.tree, badges.drifts, (self.now, &self.options.zone), &self.options.keymap);
        self.tree.facts.set(facts);
        self.aim_versions();
    }

    /// Asks for what the screen shows and does not have; with `data` also for what changed.
    pub(super) fn ask_for_tree(&mut self, data: bool) {
        if self.screen != Screen::Integrations {
            return;
        }
        let tree = &mut self.tree;
        let busy = self.asks.awaits(|want| matches!(want, Want::Integrations | Want::Keys));
        if (data && tree.stale || !tree.known) && !busy {
            tree.stale = false;
            tree.asked_at = self.now;
            self.asks.ask(Want::Integrations, Ask::Integrations);
            self.asks.ask(Want::Keys, Ask::Keys);
        }
        let wanted = self.tree.integration().and_then(|one| Some((one.name.clone(), version_of(one)?)));
        if let Some((name, version)) = wanted {
            let has = self.tree.documents.contains_key(&name);
            if !has && !self.asks.awaits(|want| matches!(want, Want::Document(of, _) if *of == name)) {
                let ask = Ask::Export { name: name.clone(), version: Some(version) };
                self.asks.ask(Want::Document(name, version), ask);
            }
        }
        self.ask_for_versions();
    }

    /// When what flows are sent is read again, while it is shown.
    pub(super) fn next_traffic(&self) -> Option<Ms> {
        let shown = self.screen == Screen::Integrations && self.link.0 == crate::session::Link::Live;
        shown.then_some(self.tree.asked_at + TRAFFIC)
    }

    /// Time passed: what flows are sent is another.
    pub(super) fn age_traffic(&mut self) {
        if self.next_traffic().is_some_and(|at| at <= self.now) {
            self.tree.asked_at = self.now;
            self.tree.stale = true;
            self.behind = true;
        }
    }

    /// The text of a version came: it is read.
    pub(super) fn document_came(&mut self, name: &str, version: u32, text: &str) {
        let says = check(text, &Known::default()).integration.map(Box::new);
        self.tree.documents.insert(name.to_owned(), Document { version, says });
        self.touch(Dirt::Data);
    }

    /// It cannot be had: what is known without it is shown.
    pub(super) fn document_refused(&mut self, name: &str, version: u32) {
        self.tree.documents.insert(name.to_owned(), Document { version, says: None });
    }

    /// `enter` on the tree: unfolds, else goes to what is beside it.
    pub(super) fn open_node(&mut self) {
        let whole = self.tree.current().is_some_and(|node| node.part == Part::Whole);
        if let Some(name) = self.unfinished_here().filter(|_| whole && self.barred_guide().is_none()) {
            self.begin_guide(name);
        } else if self.tree.is_folded() {
            let _ = self.tree.fold(true);
        } else if self.tree.current().is_some() {
            self.focus = 1;
        }
    }

    /// Whether the focus is on the tree or beside it.
    #[must_use]
    pub fn in_tree(&self) -> bool {
        matches!(self.place(), Place::Tree | Place::Facts | Place::Versions | Place::Diff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn view(name: &str) -> IntegrationView {
        serde_json::from_value(json!({
            "name": name, "title": name.to_uppercase(), "description": "", "deployed": 14, "draft": 15, "saved": "",
            "author": "anna",
            "flows": [
                {"id": "o", "name": "Orders", "trigger": "webhook", "url": "http://h/in/x", "auth": "none",
                 "steps": [["push", "request"], ["note", "set"]]},
                {"id": "i", "name": "Init", "trigger": "deploy", "url": null, "auth": null, "steps": [],
                 "last_run": {"run": "r", "time": "t", "state": "errored", "cause": "404"}},
            ],
            "variables": [{"name": "token", "type": "secret", "value": null, "set": false, "required": true, "help": ""}],
        }))
        .unwrap()
    }

    fn text_of(tree: &Tree) -> Vec<String> {
        tree.lines.lines.iter().map(|line| format!("{} | {} | {}", line.key, line.value, line.note)).collect()
    }

    #[test]
    fn flows_unfold_into_triggers_and_steps_and_the_cursor_keeps_its_line() {
        let mut tree = Tree::default();
        tree.lines.resize(20);
        tree.install(vec![view("acme"), view("shop")]);
        tree.build(Badges::default());
        assert_eq!(
            text_of(&tree)[..4],
            [
                "ACME | v14 +draft deploy ! | acme",
                "Orders | none (open) | ",
                "Init | deploy ! | ",
                " | variables 1 · keys 0 · a value is missing | ",
            ]
        );
        tree.lines.step(5);
        assert_eq!(tree.current().unwrap().part, Part::Flow("Orders".to_owned()));
        assert_eq!(tree.current().unwrap().integration, "shop");
        tree.fold(true).unwrap();
        tree.build(Badges::default());
        assert_eq!(tree.lines.lines.len(), 4 + 4 + 3);
        assert!(tree.fold(true).is_err());
        // Another one unfolded above moves nothing under the cursor.
        tree.open.insert("acme\0Orders".to_owned());
        tree.build(Badges::default());
        assert_eq!(tree.current().unwrap().integration, "shop");
        tree.lines.step(2);
        assert_eq!(tree.current().unwrap().part, Part::Step("Orders".to_owned(), 0));
        tree.fold(false).unwrap();
        assert_eq!(tree.current().unwrap().part, Part::Flow("Orders".to_owned()));
        tree.fold(false).unwrap();
        tree.build(Badges::default());
        assert!(tree.is_folded());
    }

    #[test]
    fn what_the_document_says_stands_beside_triggers_and_steps() {
        let mut tree = Tree::default();
        tree.install(vec![view("acme")]);
        tree.open.insert("acme\0Orders".to_owned());
        let text = r#"
name = "acme"
icon = "A"
[[connection]]
name = "progix"
base_url = "http://127.0.0.1:9000"
[[flow]]
name = "Orders"
[flow.trigger]
type = "webhook"
path = "orders"
auth = { type = "none" }
[[flow.step]]
name = "push"
type = "request"
connection = "progix"
method = "POST"
url = "/customers"
[[flow.step]]
name = "note"
type = "set"
outputs = { a = "b" }
"#;
        let checked = check(text, &Known::default());
        let says = Some(Box::new(checked.integration.unwrap_or_else(|| panic!("{:?}", checked.problems))));
        tree.documents.insert("acme".to_owned(), Document { version: 14, says });
        tree.build(Badges::default());
        let shown = text_of(&tree);
        assert!(shown[0].starts_with("A  ACME"), "{shown:?}");
        assert_eq!(shown[2], "trigger | /in/orders  none | ");
        assert_eq!(shown[3], "1 push | POST progix | ");
        assert!(shown.last().unwrap().contains("connections 1"), "{shown:?}");
    }
}
