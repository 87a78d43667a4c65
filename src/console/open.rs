//! What `enter` opens: the row's own screen, a value, a group's runs; and the crumb that leads back.

use super::app::{App, Crumb, ListId, PaneId, Place, Screen, Tone};
use super::format::clock;
use super::run_pane::RunPane;
use super::worklist::Need;
use crate::model::id::short;
use crate::model::query::quoted;
use crate::model::time::parse_rfc3339;

impl App {
    pub(super) fn open(&mut self) {
        let now = self.now;
        match self.place() {
            Place::Empty => self.take_offer(),
            Place::Requests(id) => {
                let Some(list) = self.request_list(id) else { return };
                list.stop(now);
                match list.selected.clone() {
                    Some(opened) => {
                        self.open_request(opened);
                        self.requests.from = Some(id);
                    }
                    None => self.toast(Tone::Info, "open is not possible: there is no request here"),
                }
            }
            Place::Runs(id) => {
                let Some(list) = self.run_list(id) else { return };
                list.stop(now);
                match list.selected.clone() {
                    Some(opened) => self.open_run(opened),
                    None => self.toast(Tone::Info, "open is not possible: there is no run here"),
                }
            }
            Place::Groups => {
                if let Some(group) = self.focused_group() {
                    let id = group.id.clone();
                    self.open_group(&id);
                }
            }
            Place::Needs => self.open_need(),
            Place::Payload(PaneId::LivePayload) => {
                if self.open_value(PaneId::LivePayload) {
                } else if let Some(id) = self.live.payload.id.clone() {
                    self.open_request(id);
                    self.requests.from = Some(ListId::LiveRequests);
                }
            }
            Place::Payload(_) => {
                if !self.open_value(PaneId::Payload) {
                    self.open_from_payload();
                }
            }
            Place::Attempt(id) if self.run_pane(id).is_some_and(RunPane::open_item) => {}
            Place::Timeline(id) | Place::Attempt(id) if self.open_value(id) => {}
            Place::Timeline(PaneId::RequestRun) | Place::Attempt(PaneId::RequestRun) => {
                if let Some(id) = self.requests.run.id.clone() {
                    self.open_run(id);
                }
            }
            Place::Timeline(_) | Place::Attempt(_) => {
                if let (None, Some(id)) = (&self.runs.opened, &self.runs.run.id) {
                    let id = id.clone();
                    self.open_run(id);
                } else {
                    let why = "open is not possible: this line is shown whole; {h} {l} go through the steps";
                    self.toast(Tone::Info, self.say(why));
                }
            }
            Place::Overview => self.open_figure(),
            _ => self.open_workflow(),
        }
    }

    /// What needs a person, where one sees it.
    fn open_need(&mut self) {
        enum Goes {
            Group(String),
            Run(String),
            Callbacks(String),
            Jobs(String),
            Request(String),
            Told(String),
            Whole(String, String),
        }
        let goes = match self.needs.current() {
            None => return self.toast(Tone::Info, "open is not possible: nothing needs you"),
            Some(Need::Store(trouble)) => {
                let since = clock(trouble.since, self.now, &self.options.zone);
                Goes::Whole(format!("store, since {since}"), trouble.sentence())
            }
            Some(Need::Errored(group)) => Goes::Group(group.id.clone()),
            Some(Need::Expired(expired)) => match (expired.only(), expired.callbacks.first()) {
                (Some(only), _) => Goes::Run(only.run.clone()),
                (None, Some(of)) => {
                    let (integration, flow) = (quoted(&of.integration), quoted(&of.flow));
                    let step = quoted(&of.step);
                    Goes::Callbacks(format!("overdue:true integration={integration} flow={flow} step={step}"))
                }
                (None, None) => return,
            },
            Some(Need::Halted(job)) => Goes::Jobs(job.id.clone()),
            Some(Need::Breaker(breaker)) => {
                Goes::Told(format!("{}.", breaker.words(|at| clock(at, self.now, &self.options.zone))))
            }
            Some(Need::Silent(one)) => {
                Goes::Told(format!("{} / {}: {}.", one.integration, one.flow, one.cause))
            }
            Some(Need::Drift(badges)) => match (badges.only(), badges.newest()) {
                (Some(one), _) => Goes::Request(one.request.clone()),
                (None, Some(newest)) => {
                    let one = |of: &&crate::model::study::DriftView| {
                        let at = parse_rfc3339(&of.at);
                        let at =
                            at.map_or_else(|| of.at.clone(), |at| clock(at, self.now, &self.options.zone));
                        format!("{at}  {}  {}", short(&of.request), of.words())
                    };
                    let lines: Vec<String> = badges.all.iter().map(one).collect();
                    let title = format!("{} / {}: {}", newest.integration, newest.flow, badges.words());
                    Goes::Whole(title, lines.join("\n"))
                }
                (None, None) => return,
            },
        };
        match goes {
            Goes::Group(id) => self.open_group(&id),
            Goes::Run(id) => self.open_run(id),
            Goes::Callbacks(filter) => self.open_callbacks(&filter),
            Goes::Jobs(id) => self.open_jobs(Some(id)),
            Goes::Request(id) => self.open_request(id),
            Goes::Told(said) => self.toast(Tone::Info, said),
            Goes::Whole(title, text) => self.say_whole(&title, &text),
        }
    }

    /// From an open request: the first of a duplicate, else its run, or the list of them.
    fn open_from_payload(&mut self) {
        if self.requests.opened.is_none() {
            if let Some(id) = self.requests.payload.id.clone() {
                self.open_request(id);
                self.requests.from = Some(ListId::Requests);
            }
            return;
        }
        let Some(detail) = &self.requests.payload.detail else { return };
        let request = &detail.request;
        match (&request.duplicate_of, request.runs.as_slice()) {
            (Some(first), _) => self.open_request(first.clone()),
            (None, []) => self.toast(Tone::Info, "open is not possible: it began no run"),
            (None, [run]) => self.open_run(run.clone()),
            (None, _) => self.open_runs(&format!("request:{}", request.id)),
        }
    }

    /// Marks the way back, to the same filter of a list that gets another one.
    pub(super) fn crumb_with_filter(&mut self, list: ListId) {
        let before = self.crumbs.len();
        self.crumb();
        let filter = self.filter_of(list);
        if let Some(crumb) = self.crumbs.get_mut(before) {
            crumb.filter = Some((list, filter));
        }
    }

    pub(super) fn crumb(&mut self) {
        self.close_guide();
        if self.editor.is_some() {
            // It takes the place of every screen; what was typed into it is kept.
            self.close_editor();
        }
        let opened = match self.screen {
            Screen::Requests => self.requests.opened.clone(),
            Screen::Runs => self.runs.opened.clone(),
            _ => None,
        };
        if self.crumbs.len() < 32 {
            let from = self.requests.from;
            self.crumbs.push(Crumb { screen: self.screen, opened, focus: self.focus, from, filter: None });
        }
    }

    pub(super) fn open_request(&mut self, id: String) {
        self.crumb();
        self.show(Screen::Requests, 1);
        self.requests.opened = Some(id);
        self.requests.from = None;
        self.requests.payload.lines.rewind();
    }

    pub(super) fn open_run(&mut self, id: String) {
        self.crumb();
        self.show(Screen::Runs, 1);
        self.runs.opened = Some(id);
    }

    fn open_group(&mut self, id: &str) {
        self.open_runs(&format!("group:{id}"));
    }

    /// Lists the callbacks that a filter matches; `esc` gives the filter before back.
    fn open_callbacks(&mut self, filter: &str) {
        self.crumb_with_filter(ListId::Callbacks);
        self.show(Screen::Callbacks, 0);
        self.set_filter(ListId::Callbacks, filter);
    }

    /// Lists the runs that a filter matches; `esc` gives the filter before back.
    pub(super) fn open_runs(&mut self, filter: &str) {
        self.crumb_with_filter(ListId::Runs);
        self.show(Screen::Runs, 0);
        self.runs.opened = None;
        self.runs.groups = false;
        self.runs.chosen = true;
        self.runs.list.follow = true;
        self.set_filter(ListId::Runs, filter);
    }
}
