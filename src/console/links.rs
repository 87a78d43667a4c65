//! `o`: from an object to those that hang together with it. From a refusal it is all like it.

use super::app::{App, ListId, Overlay, PaneId, Place, Screen};
use super::format::count;
use super::menu::{Does, Entry, Menu};
use super::worklist::Need;
use crate::model::id::short;
use crate::model::query::quoted;
use crate::model::request::Verdict;
use crate::model::view::{ExplainView, RequestDetail, RequestView, RunView};
use crate::rules::autopsy;

/// Where it goes on: a word, which one, and what goes there.
pub type Links = Vec<(&'static str, String, Does)>;

/// Runs of a request that are listed one by one.
const RUNS: usize = 4;

impl App {
    /// What goes on from what has the focus.
    ///
    /// # Errors
    /// The sentence that the key says where nothing does.
    pub fn links(&self) -> Result<Links, String> {
        let place = self.place();
        if let Some(request) = self.focused_request() {
            return Ok(self.request_links(request));
        }
        if let Some(run) = self.focused_run() {
            return Ok(of_run(run));
        }
        if self.in_tree() {
            return self.of_node();
        }
        if place == Place::Overview {
            return self.figure_link();
        }
        if let Some(group) = self.focused_group() {
            return Ok(vec![("runs", count(group.count), Does::Runs(format!("group:{}", group.id)))]);
        }
        if let Some(callback) = self.focused_callback() {
            return Ok(vec![("run", short(&callback.run).to_owned(), Does::Run(callback.run.clone()))]);
        }
        if let Some(Need::Drift(badges)) = self.focused_need() {
            let ends = [("newest", badges.newest()), ("first", badges.first())];
            let mut links: Vec<(&'static str, String, Does)> = Vec::new();
            for (word, one) in ends {
                let Some(id) = one.map(|one| one.request.clone()) else { continue };
                let link = (word, short(&id).to_owned(), Does::Request(id));
                if links.iter().all(|(_, text, _)| *text != link.1) {
                    links.push(link);
                }
            }
            return Ok(links);
        }
        Err("go to is not possible: nothing is selected".to_owned())
    }

    /// Where a request leads, in the order of the digits that choose.
    #[must_use]
    pub fn request_links(&self, request: &RequestView) -> Links {
        let payload = if self.screen == Screen::Live { &self.live.payload } else { &self.requests.payload };
        let detail = payload.detail.as_deref().filter(|detail| detail.request.id == request.id);
        of_request(request, detail, self.requests.run.run.as_deref())
    }

    /// Shows a flow in the tree, and with a version that one among the others.
    pub(super) fn open_flow(&mut self, integration: &str, flow: &str, version: Option<u32>) {
        self.crumb();
        self.show(Screen::Integrations, if version.is_some() { 2 } else { 0 });
        self.tree.go(integration, flow, version);
    }

    /// From a flow, or an integration, to what it did.
    fn of_node(&self) -> Result<Links, String> {
        let Some(node) = self.tree.current() else {
            return Err("go to is not possible: nothing is selected".to_owned());
        };
        let name = &node.integration;
        let filter = match node.part.flow() {
            Some(named) => flow(name, named),
            None => format!("integration={}", quoted(name)),
        };
        let of = node.part.flow().map_or_else(|| name.clone(), |flow| format!("{name} / {flow}"));
        let mut links = vec![
            ("requests", format!("of {of}"), Does::Requests(filter.clone())),
            ("runs", format!("of {of}"), Does::Runs(filter)),
        ];
        let flows = self.tree.integration().map(|one| one.flows.as_slice()).unwrap_or_default();
        let meant =
            |flow: &&crate::model::view::FlowView| node.part.flow().is_none_or(|name| name == flow.name);
        for run in flows.iter().filter(meant).filter_map(|flow| flow.last_run.as_ref()).take(RUNS) {
            links.push(("last run", short(&run.run).to_owned(), Does::Run(run.run.clone())));
        }
        Ok(links)
    }

    /// Goes there, or asks where to where there are several.
    pub fn open_links(&mut self) {
        let Ok(mut links) = self.links() else { return };
        if links.len() == 1
            && let Some((_, _, does)) = links.pop()
        {
            return self.go(does);
        }
        let entries = ('1'..='9')
            .zip(links)
            .map(|(key, (word, text, does))| Entry { key, word, text, does: Ok(does) })
            .collect();
        let object = self.focused_request().map(|request| ("request", request.id.clone()));
        let object = object.or_else(|| self.focused_run().map(|run| ("run", run.id.clone())));
        let title = object
            .map_or_else(|| "Go to".to_owned(), |(word, id)| format!("Go to · from {word} {}", short(&id)));
        self.overlay = Some(Overlay::Menu(Box::new(Menu { title, copies: false, entries, at: 0 })));
    }

    /// Why the request in focus was judged so, where that is known already.
    #[must_use]
    pub fn explained(&self) -> Option<&ExplainView> {
        let payload = match (self.screen, self.place()) {
            (Screen::Live, Place::Requests(_) | Place::Payload(_)) => &self.live.payload,
            (Screen::Requests, Place::Requests(_) | Place::Payload(PaneId::Payload)) => {
                &self.requests.payload
            }
            _ => return None,
        };
        let id = &self.focused_request()?.id;
        payload.explain.as_deref().filter(|explain| explain.request == *id)
    }

    /// Lists the requests that a filter matches; `esc` gives the filter before back.
    pub(super) fn open_requests(&mut self, filter: &str) {
        self.crumb_with_filter(ListId::Requests);
        self.show(Screen::Requests, 0);
        self.requests.opened = None;
        self.requests.from = None;
        self.requests.list.follow = true;
        self.set_filter(ListId::Requests, filter);
    }
}

/// As lists know it, and with its detail where that is at hand: what only this tells comes last, so
/// that the digits before stay.
fn of_request(request: &RequestView, detail: Option<&RequestDetail>, running: Option<&RunView>) -> Links {
    if request.verdict == Verdict::Rejected {
        let filter =
            autopsy::filter(&request.integration, &request.flow, request.status, request.cause.as_deref());
        return vec![("all like it", String::new(), Does::Requests(filter))];
    }
    let state = |id: &String| {
        let running = running.filter(|run| run.id == *id).map(|run| run.state);
        let began = || detail?.began.iter().find(|one| one.run == *id).map(|one| one.state);
        running.or_else(began).map_or_else(String::new, |state| format!(" {}", state.word()))
    };
    let mut links = Vec::new();
    if request.runs.len() <= RUNS {
        let run = |id: &String| ("run", format!("{}{}", short(id), state(id)), Does::Run(id.clone()));
        links.extend(request.runs.iter().map(run));
    } else {
        let filter = format!("request:{}", request.id);
        links.push(("its runs", count(request.runs.len() as u64), Does::Runs(filter)));
    }
    let (integration, name) = (request.integration.clone(), request.flow.clone());
    let shown = |version| Does::Flow(integration.clone(), name.clone(), version);
    links.push(("flow", format!("{integration} / {name}"), shown(None)));
    if let Some(first) = &request.duplicate_of {
        links.push(("the first", short(first).to_owned(), Does::Request(first.clone())));
    }
    if let Some(key) = &request.dedup_key {
        links.push(("same key", key.chars().take(12).collect(), Does::Requests(format!("dedup_key={key}"))));
    }
    links.push(("requests", "of the flow".to_owned(), Does::Requests(flow(&integration, &name))));
    if let Some(version) = detail.and_then(|detail| detail.version) {
        links.push(("version", format!("v{version}"), shown(Some(version))));
    }
    if let Some(parent) = detail.and_then(|detail| detail.parent.as_ref()) {
        links.push(("made from", short(parent).to_owned(), Does::Request(parent.clone())));
    }
    links
}

fn of_run(run: &RunView) -> Links {
    let mut links = Vec::new();
    if let Some(request) = &run.request {
        links.push(("request", short(request).to_owned(), Does::Request(request.clone())));
    }
    if let Some(parent) = &run.parent {
        links.push(("replayed", short(parent).to_owned(), Does::Run(parent.clone())));
    }
    links.push((
        "its flow",
        format!("runs of {} / {}", run.integration, run.flow),
        Does::Runs(flow(&run.integration, &run.flow)),
    ));
    links
}

fn flow(integration: &str, flow: &str) -> String {
    format!("integration={} flow={}", quoted(integration), quoted(flow))
}
