//! `o`: from an object to those that hang together with it. From a refusal it is all like it.

use super::app::{App, ListId, Overlay, PaneId, Place, Screen};
use super::format::count;
use super::menu::{Does, Entry, Menu};
use crate::model::id::short;
use crate::model::query::quoted;
use crate::model::request::Verdict;
use crate::model::view::{ExplainView, RequestView, RunView};
use crate::rules::autopsy;

/// Runs of a request that are listed one by one.
const RUNS: usize = 4;

impl App {
    /// What goes on from what has the focus.
    ///
    /// # Errors
    /// The sentence that the key says where nothing does.
    pub fn links(&self) -> Result<Vec<(&'static str, String, Does)>, String> {
        let place = self.place();
        if let Some(request) = self.focused_request() {
            return Ok(of_request(request));
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
        if let Some(id) = self.needs.drifted(self.needs.at).filter(|_| place == Place::Needs) {
            return Ok(vec![("request", short(&id).to_owned(), Does::Request(id))]);
        }
        Err("go to is not possible: nothing is selected".to_owned())
    }

    /// From a flow, or an integration, to what it did.
    fn of_node(&self) -> Result<Vec<(&'static str, String, Does)>, String> {
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

fn of_request(request: &RequestView) -> Vec<(&'static str, String, Does)> {
    if request.verdict == Verdict::Rejected {
        let filter =
            autopsy::filter(&request.integration, &request.flow, request.status, request.cause.as_deref());
        return vec![("all like it", String::new(), Does::Requests(filter))];
    }
    let mut links = Vec::new();
    if request.runs.len() <= RUNS {
        let run = |id: &String| ("run", short(id).to_owned(), Does::Run(id.clone()));
        links.extend(request.runs.iter().map(run));
    } else {
        let filter = format!("request:{}", request.id);
        links.push(("its runs", count(request.runs.len() as u64), Does::Runs(filter)));
    }
    if let Some(first) = &request.duplicate_of {
        links.push(("the first", short(first).to_owned(), Does::Request(first.clone())));
    }
    if let Some(key) = &request.dedup_key {
        links.push(("same key", key.chars().take(12).collect(), Does::Requests(format!("dedup_key={key}"))));
    }
    links.push((
        "its flow",
        format!("requests of {} / {}", request.integration, request.flow),
        Does::Requests(flow(&request.integration, &request.flow)),
    ));
    links
}

fn of_run(run: &RunView) -> Vec<(&'static str, String, Does)> {
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
