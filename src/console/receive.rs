//! What comes in from the session: answers, changes, the state of the link.

use super::acted::Rest;
use super::app::{App, Dirt, ListId, Overlay, Screen, Tone};
use super::asks::{Want, request_rows, run_rows};
use super::dialog::Kind;
use super::editor::{After, MEANWHILE};
use super::list::{Item, Wanted};
use crate::model::ask::{Acted, Answer, Ask, Plan, Refusal};
use crate::model::request::Verdict;
use crate::session::{Incoming, Ticket};

impl App {
    /// Takes something in.
    pub fn receive(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Reply(ticket, result) => self.reply(ticket, *result),
            Incoming::Changed(changes) => self.changed(*changes),
            Incoming::Link(link) => self.linked(link),
            Incoming::Hello(hello) => self.greeted(hello),
        }
        self.settle();
    }

    fn reply(&mut self, ticket: Ticket, result: Result<Answer, Refusal>) {
        let Some(want) = self.asks.answered(ticket) else { return };
        if let Want::Editor(name, wanted) = want {
            return self.editor_answered(&name, wanted, result);
        }
        if let Want::Facet(facet) = want {
            return self.facet_answered(facet, result);
        }
        if let Want::LookUp(id) = want {
            return self.looked_up(&id, result);
        }
        if let Want::Guide(what) = want {
            return self.guide_answered(what, result);
        }
        let mut answer = match result {
            Ok(answer) => answer,
            Err(refusal) => return self.refused(want, refusal),
        };
        super::zoned::answer(&mut answer, self.now, &self.options.zone);
        match (want, answer) {
            (Want::Counters, Answer::Counters(counters)) => self.counted(counters),
            (Want::Here, _) => {}
            (Want::Page(id, wanted, epoch), Answer::Requests(rows)) => {
                let page = request_rows(rows.rows, !matches!(wanted, Wanted::Newer | Wanted::Oldest));
                if let Some(list) = self.request_list(id)
                    && list.install(wanted, epoch, page, rows.next)
                {
                    list.came(wanted, rows.percent, rows.newest);
                    self.behind |= list.stale;
                    self.paged(id);
                }
            }
            (Want::Page(id, wanted, epoch), Answer::Runs(rows)) => {
                let page = run_rows(rows.rows, !matches!(wanted, Wanted::Newer | Wanted::Oldest));
                if let Some(list) = self.run_list(id)
                    && list.install(wanted, epoch, page, rows.next)
                {
                    list.came(wanted, rows.percent, rows.newest);
                    self.behind |= list.stale;
                    self.paged(id);
                }
            }
            (Want::ById, Answer::Runs(rows)) => {
                let now = self.now;
                for mut row in run_rows(rows.rows, false) {
                    for list in [&mut self.live.runs, &mut self.runs.list] {
                        let before = list.rows.binary_search_by(|held| held.id().cmp(row.id())).ok();
                        if let Some(held) = before.and_then(|at| list.rows.get(at)) {
                            row.moved =
                                if held.view.state == row.view.state { held.moved } else { Some(now) };
                            list.refresh(row.clone());
                        }
                    }
                }
                self.touch(Dirt::Data);
            }
            (Want::Among(id, epoch), Answer::Runs(rows)) => {
                if let Some(list) = self.run_list(id).filter(|list| list.epoch == epoch) {
                    for row in run_rows(rows.rows, false) {
                        list.join(row);
                    }
                    self.touch(Dirt::Data);
                }
                // What changed meanwhile is asked next.
                self.behind |= self.run_list(id).is_some_and(|list| list.has_changed());
            }
            (Want::Groups, Answer::Groups { groups }) => {
                // The cursor stays on its group, wherever that stands now.
                let on = self.groups_by_last().get(self.runs.at).map(|group| group.id.clone());
                self.needs.change(|needs| needs.groups = groups);
                let place = |all: &[&crate::model::view::GroupView], id: &Option<String>| {
                    all.iter().position(|group| Some(&group.id) == id.as_ref())
                };
                let at = place(&self.groups_by_last(), &on);
                if let Some(at) = at {
                    self.runs.at = at;
                }
                self.needs.known = true;
                self.group_lines();
                if !self.runs.chosen && self.screen == Screen::Runs {
                    self.runs.groups = !self.needs.groups.is_empty();
                    self.runs.chosen = true;
                }
                self.touch(Dirt::Data);
            }
            (Want::Overdue, Answer::Callbacks(rows)) => {
                let mut overdue: Vec<_> = rows.rows.into_iter().filter(|callback| callback.overdue).collect();
                overdue.sort_by(|one, other| one.deadline.cmp(&other.deadline));
                self.needs.change(|needs| needs.overdue = overdue);
                self.touch(Dirt::Data);
            }
            (Want::Detail(pane, id), Answer::Request(detail)) => {
                self.asks.had.insert(pane, id.clone());
                let explain = detail.request.verdict != Verdict::Accepted;
                if let Some(payload) = self.payload(pane) {
                    payload.install(detail);
                    if explain && payload.explain.is_none() {
                        self.asks.ask(Want::Why(pane, id.clone()), Ask::Explain { id });
                    }
                }
                self.touch(Dirt::Data);
            }
            (Want::Why(pane, _), Answer::Explain(explain)) => {
                let now = self.now;
                if let Some(payload) = self.payload(pane) {
                    payload.install_why(explain, now);
                }
                self.touch(Dirt::Data);
            }
            (Want::Run(pane, id), Answer::Run { run, events }) => {
                self.asks.had.insert(pane, id);
                let (zone, keys) = (self.options.zone.clone(), self.options.keymap.clone());
                if let Some(shown) = self.run_pane(pane) {
                    shown.install(run, &events, &zone, &keys);
                }
                self.touch(Dirt::Data);
            }
            (Want::Replayed, Answer::Run { run, .. }) => self.replayed_came(Ok(run)),
            (Want::Parent(of), Answer::Run { run, .. }) => self.parent_came(&of, Ok(run)),
            (Want::GroupRuns(id), Answer::Runs(rows)) => {
                self.group_runs(&id, rows.rows);
                self.touch(Dirt::Data);
            }
            (Want::GroupFigures(id), Answer::Group(figures)) => {
                self.group_figures(&id, figures);
                self.touch(Dirt::Data);
            }
            (Want::GroupDeploy(id), Answer::Audit(rows)) => {
                self.group_deploy(&id, &rows.rows);
                self.touch(Dirt::Data);
            }
            (Want::Audit(older), Answer::Audit(rows)) => self.audit_came(older, Ok(rows)),
            (Want::GroupDiff(_), Answer::Diff(diff)) => self.group_changed(&diff),
            (Want::GroupRun(id), Answer::Run { run, .. }) => {
                self.group_run(&id, run);
                self.touch(Dirt::Data);
            }
            (Want::Plan, Answer::Plan(plan)) => {
                if let Some(Overlay::Verb(dialog)) = &mut self.overlay {
                    dialog.install(Ok(Box::new(plan)));
                }
                self.replan();
                self.touch(Dirt::Input);
            }
            (Want::Plan, Answer::Done(done)) => {
                if let Some(Overlay::Verb(dialog)) = &mut self.overlay {
                    dialog.install(Ok(Box::new(Plan { count: 1, lines: done.lines, ..Plan::default() })));
                }
                self.replan();
                self.weigh();
                self.touch(Dirt::Input);
            }
            (Want::Act(kind), Answer::Acted(acted)) => self.acted(kind, &acted),
            (Want::Act(_), Answer::Saved(saved)) => {
                self.overlay = None;
                if !saved.live {
                    self.toast(Tone::Bad, saved.lines.last().cloned().unwrap_or_default());
                }
                self.editor_saved(&saved, After::Stay);
                self.ask_counters();
            }
            (Want::Act(kind @ (Kind::Apply | Kind::Load)), answer) => self.applied(kind, answer),
            (Want::Act(_), Answer::Done(done)) if done.refused => {
                self.overlay = None;
                self.toast(Tone::Bad, done.lines.first().cloned().unwrap_or_default());
                self.reload_panes();
            }
            (Want::Act(kind), Answer::Done(done)) => {
                let acted = Acted { done: 1, lines: done.lines, ..Acted::default() };
                self.acted(kind, &acted);
                self.ask_counters();
            }
            (want @ (Want::Plan | Want::Act(_)), Answer::Studied(studied)) => self.studied(&want, *studied),
            (want @ (Want::Act(_) | Want::Jobs | Want::Job | Want::StopJob | Want::ResumeJob), answer) => {
                self.jobs_answered(want, answer);
            }
            (Want::Standing, Answer::Integrations { integrations }) => {
                self.standing(integrations.into_iter().next());
                self.touch(Dirt::Input);
            }
            (Want::Urls, Answer::Endpoints { endpoints }) => {
                self.known_urls(endpoints.into_iter().map(|one| (one.id, one.url)));
                self.touch(Dirt::Data);
            }
            (Want::Endpoints, Answer::Endpoints { endpoints }) => {
                // One that anybody may send to, by the name that is short.
                let open = endpoints.iter().max_by_key(|one| (one.auth == "none", one.path.is_some()));
                self.sample_url = Some(open.map_or_else(String::new, |one| match &one.path {
                    Some(path) => {
                        let host = one.url.split("/in/").next().unwrap_or_default();
                        let path = path.trim_start_matches('/').trim_start_matches("in/");
                        format!("{host}/in/{path}")
                    }
                    None => one.url.clone(),
                }))
                .filter(|url| !url.is_empty());
                self.touch(Dirt::Data);
            }
            (Want::Beside(_), Answer::Request(detail)) => {
                if let Some(Overlay::Beside(beside)) = &mut self.overlay {
                    beside.install(detail);
                }
                self.touch(Dirt::Data);
            }
            (Want::WhatIfRule, Answer::Explain(explain)) => {
                let fields: Vec<String> = explain.fields.into_iter().map(|field| field.path).collect();
                self.what_if_rule(&fields);
                self.touch(Dirt::Data);
            }
            (
                want @ (Want::WhatIf
                | Want::WhatIfFields
                | Want::Trial
                | Want::Samples
                | Want::BackTest
                | Want::Weighed
                | Want::Side(_)
                | Want::Sample
                | Want::Captured
                | Want::Fields
                | Want::Drift
                | Want::DriftOk),
                Answer::Studied(studied),
            ) => {
                self.studied(&want, *studied);
            }
            (Want::Marks(id, epoch), Answer::Requests(rows)) => {
                let rest = Rest::of(&rows);
                self.mark(id, epoch, rows.rows.into_iter().map(|row| row.id).collect(), &rest);
            }
            (Want::Marks(id, epoch), Answer::Runs(rows)) => {
                let rest = Rest::of(&rows);
                self.mark(id, epoch, rows.rows.into_iter().map(|row| row.id).collect(), &rest);
            }
            (Want::Marks(id, epoch), Answer::Callbacks(rows)) => {
                // Of the board all that is there is marked at once: it is asked for whole.
                let rest = if rows.next.is_some() { Rest::More } else { Rest::Nothing };
                self.mark(id, epoch, rows.rows.into_iter().map(|row| row.id).collect(), &rest);
            }
            (want, answer) => {
                if let Err(want) = self.workflows_came(want, answer) {
                    self.refused(want, Refusal::failed("the answer does not fit the question"));
                }
            }
        }
    }

    fn paged(&mut self, id: ListId) {
        let looking = self.looking;
        match id {
            ListId::LiveRequests | ListId::Requests => {
                if let Some(list) = self.request_list(id).filter(|_| looking) {
                    list.look();
                }
            }
            ListId::LiveRuns | ListId::Runs => {
                if let Some(list) = self.run_list(id).filter(|_| looking) {
                    list.look();
                }
            }
            ListId::Callbacks => {}
        }
        self.touch(Dirt::Data);
    }

    fn refused(&mut self, want: Want, refusal: Refusal) {
        match want {
            Want::Page(id, _, epoch) => {
                let tried = match id {
                    ListId::LiveRequests | ListId::Requests => {
                        self.request_list(id).map(|list| (list.epoch, list.trying.clone(), &mut list.asked))
                    }
                    ListId::LiveRuns | ListId::Runs => {
                        self.run_list(id).map(|list| (list.epoch, list.trying.clone(), &mut list.asked))
                    }
                    ListId::Callbacks => None,
                };
                let Some((current, trying, asked)) = tried else { return };
                if current != epoch {
                    return;
                }
                *asked = None;
                if let Some(text) = trying {
                    if let Some(list) = self.request_list(id) {
                        list.refuse_filter();
                    } else if let Some(list) = self.run_list(id) {
                        list.refuse_filter();
                    }
                    self.filter_refused(id, &text, &refusal.message);
                } else {
                    self.toast(Tone::Bad, refusal.message);
                }
                self.touch(Dirt::Input);
            }
            Want::Detail(pane, id) | Want::Why(pane, id) => {
                self.asks.had.insert(pane, id.clone());
                if let Some(payload) = self.payload(pane)
                    && payload.id.as_ref() == Some(&id)
                {
                    payload.clear(Some(refusal.message));
                }
                self.touch(Dirt::Data);
            }
            Want::Run(pane, id) => {
                self.asks.had.insert(pane, id.clone());
                if let Some(run) = self.run_pane(pane)
                    && run.id.as_ref() == Some(&id)
                {
                    run.clear(Some(refusal.message));
                }
                self.touch(Dirt::Data);
            }
            Want::Plan if self.editor.is_some() && refusal.code == MEANWHILE => {
                self.overlay = None;
                self.editor_refused(refusal, After::Deploy);
            }
            Want::Plan | Want::Standing => {
                if let Some(Overlay::Verb(dialog)) = &mut self.overlay {
                    dialog.install(Err(refusal));
                }
                self.touch(Dirt::Input);
            }
            Want::Act(kind) if self.editor.is_some() || self.guide.is_some() => {
                self.overlay = None;
                let deploys = kind == Kind::Deploy;
                self.editor_refused(refusal, if deploys { After::Deploy } else { After::Stay });
            }
            Want::Act(_) => {
                self.close_dialog();
                let text = if refusal.code == "stale" && !refusal.message.contains("Changed since") {
                    format!("Changed since you looked: {}. Nothing was done.", refusal.message)
                } else {
                    refusal.message
                };
                self.toast(Tone::Bad, text);
                self.reload_panes();
            }
            Want::Captured | Want::Fields | Want::Drift | Want::DriftOk => self.unstudied(&want, refusal),
            Want::Jobs | Want::Job | Want::StopJob | Want::ResumeJob => self.jobs_refused(refusal),
            Want::Replayed => self.replayed_came(Err(refusal.message)),
            Want::Parent(of) => self.parent_came(&of, Err(refusal.message)),
            Want::Side(draft) => self.side_came(draft, Err(refusal.message)),
            Want::WhatIf | Want::Trial | Want::BackTest | Want::Weighed => self.untried(&want, refusal),
            // It is asked without the fields to begin with, and without a suggestion.
            Want::WhatIfRule => self.what_if_rule(&[]),
            // Nobody waits for these.
            Want::WhatIfFields
            | Want::Samples
            | Want::Here
            | Want::Editor(..)
            | Want::Facet(_)
            | Want::Guide(_)
            | Want::Among(..)
            | Want::GroupFigures(_)
            | Want::LookUp(_) => {}
            Want::Beside(_) => {
                if let Some(Overlay::Beside(beside)) = &mut self.overlay {
                    beside.trouble = Some(refusal.message);
                }
                self.touch(Dirt::Input);
            }
            Want::Counters
            | Want::ById
            | Want::Groups
            | Want::Overdue
            | Want::Endpoints
            | Want::Urls
            | Want::GroupRuns(_)
            | Want::GroupRun(_)
            | Want::GroupDeploy(_)
            | Want::GroupDiff(_)
            | Want::Reveal
            | Want::Integrations
            | Want::Keys
            | Want::Source(_)
            | Want::Versions(_)
            | Want::Sample => self.toast(Tone::Bad, refusal.message),
            Want::Marks(..) => {
                self.marking = None;
                self.toast(Tone::Bad, refusal.message);
            }
            Want::Board(epoch) => self.board_refused(epoch, refusal.message),
            Want::Audit(older) => self.audit_came(older, Err(refusal)),
            Want::Overview(_) => self.overview_refused(refusal.message),
            Want::Callback(id) | Want::CallbackRun(id) => self.callback_refused(&id, refusal.message),
            Want::Document(name, version) => self.document_refused(&name, version),
            Want::Diff(name) => self.diff_refused(&name, refusal.message),
        }
    }
}
