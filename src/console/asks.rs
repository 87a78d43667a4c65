//! Questions: what is asked, why, and which answer belongs to what. One question a list and pane
//! is under way at a time; the latest wish wins.

use super::acted::Marking;
use super::app::{App, ListId, PaneId, Screen};
use super::dialog::Kind;
use super::editor::Wanted as Edited;
use super::facets::Facet;
use super::guide::Guided;
use super::list::{Item, List, PAGE, Wanted};
use super::picks::Change;
use super::prompt::Wants;
use super::rows::{RequestRow, RunRow};
use crate::model::ask::{Ask, Page};
use crate::model::overview::Span;
use crate::model::study::Study;
use crate::session::{Link, Ticket};
use std::collections::HashMap;
use std::sync::Arc;

/// Most rows asked for by id at once.
const BY_ID: usize = 256;

/// What the loop has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Ask this.
    Ask(Ticket, Ask),
    /// Back to the shell until `fg`.
    Suspend,
    /// Draw everything again.
    Redraw,
    /// Give this text to the terminal's clipboard.
    Copy(String),
    /// Open this text in the person's own editor.
    Outside {
        /// What its file is called.
        name: String,
        /// The text.
        text: String,
    },
    /// Write these bytes to a file.
    Write {
        /// As it was typed.
        path: String,
        /// What is written.
        bytes: Arc<[u8]>,
        /// Over a file that is there.
        over: bool,
    },
    /// Show this text in the person's own pager.
    Pager {
        /// What its file is called.
        name: String,
        /// The text, with nothing in it that a terminal would take.
        text: String,
    },
    /// Keep a change for the next session.
    Pick(Change),
    /// Keep this value under this name.
    Keep(String, serde_json::Value),
    /// Read the themes again.
    Themes,
    /// Take the mouse, or leave it.
    Mouse(bool),
    /// Record into this file.
    Record(String),
    /// Record no more.
    EndRecording,
    /// Read this file.
    Read {
        /// As it was typed.
        path: String,
        /// What it is for.
        wants: Wants,
    },
    /// Try a link that is down at once.
    TryLink,
    /// End.
    Quit,
}

/// What an answer is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Want {
    /// The header.
    Counters,
    /// Where this console is was said.
    Here,
    /// A page of a list, with the list's epoch.
    Page(ListId, Wanted, u32),
    /// Rows that are shown, as they are now.
    ById,
    /// Changed rows that match the filter of a list now, with the list's epoch.
    Among(ListId, u32),
    /// Groups of errored runs.
    Groups,
    /// Overdue callbacks.
    Overdue,
    /// A request for a pane.
    Detail(PaneId, String),
    /// Why it was judged so.
    Why(PaneId, String),
    /// A run for a pane.
    Run(PaneId, String),
    /// The newest runs of a group.
    GroupRuns(String),
    /// The newest run of a group, whole.
    GroupRun(String),
    /// What the runs of a group sent, and how long the answers took.
    GroupFigures(String),
    /// What was deployed before the first run of a group.
    GroupDeploy(String),
    /// What that changed.
    GroupDiff(String),
    /// The plan of the dialog that is open.
    Plan,
    /// What the dialog did.
    Act(Kind),
    /// One of two runs that are beside each other.
    Replayed,
    /// The run that this one replays, for its page.
    Parent(String),
    /// The jobs of the open list.
    Jobs,
    /// The selected one, whole.
    Job,
    /// One was stopped.
    StopJob,
    /// An order to let a job go on.
    ResumeJob,
    /// What has the id in the palette.
    LookUp(String),
    /// The capture of the open table.
    Captured,
    /// The paths of the open table.
    Fields,
    /// One of two requests that are beside each other.
    Beside(String),
    /// What the open rule would have done.
    WhatIf,
    /// The rule that judged the request that it was opened from.
    WhatIfRule,
    /// The paths that it could take.
    WhatIfFields,
    /// What the open trial would do.
    Trial,
    /// What was saved as samples.
    Samples,
    /// The next part of the open back-test.
    BackTest,
    /// The next part of the back-test in the open dialog of a deploy.
    Weighed,
    /// What the live version or the draft would send for a row of it.
    Side(bool),
    /// A sample was saved.
    Sample,
    /// Badges of drift.
    Drift,
    /// A badge was taken away.
    DriftOk,
    /// Where a first request could go.
    Endpoints,
    /// The URLs of endpoints, for what is copied.
    Urls,
    /// Whether the flow of the open dialog is paused.
    Standing,
    /// The ids that a filter matches, to mark them.
    Marks(ListId, u32),
    /// The rows of the board, with its epoch.
    Board(u32),
    /// The callback that is selected on it.
    Callback(String),
    /// Its run.
    CallbackRun(String),
    /// The URL of a callback, to copy it.
    Reveal,
    /// The integrations.
    Integrations,
    /// Senders' keys.
    Keys,
    /// The text of a version.
    Document(String, u32),
    /// The text of a version, to show it.
    Source(String),
    /// The versions of an integration.
    Versions(String),
    /// What differs between two of them.
    Diff(String),
    /// A page of the audit trail: older ones than are held, or the newest.
    Audit(bool),
    /// Figures over a span.
    Overview(Span),
    /// Something of single values.
    Facet(Facet),
    /// Something of the document of this name that is edited.
    Editor(String, Edited),
    /// Something of the integration that is being made.
    Guide(Guided),
}

/// Questions under way.
#[derive(Debug, Default)]
pub struct Asks {
    next: Ticket,
    waiting: HashMap<Ticket, Want>,
    effects: Vec<Effect>,
    /// The answer that a pane has: of which object, whatever it was.
    pub had: HashMap<PaneId, String>,
}

impl Asks {
    /// What the loop has to do, in order.
    pub fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Something else for the loop.
    pub fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Whether no answer is awaited and nothing is left to do.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.effects.is_empty()
    }

    /// Asks.
    pub fn ask(&mut self, want: Want, ask: Ask) {
        self.next += 1;
        self.waiting.insert(self.next, want);
        self.effects.push(Effect::Ask(self.next, ask));
    }

    /// What an answer is for; `None` where nobody waits for it any more.
    pub fn answered(&mut self, ticket: Ticket) -> Option<Want> {
        self.waiting.remove(&ticket)
    }

    /// Whether such an answer is awaited.
    pub fn awaits(&self, is: impl Fn(&Want) -> bool) -> bool {
        self.waiting.values().any(is)
    }

    /// Nobody will answer: the link is down.
    pub fn forget(&mut self) {
        self.waiting.clear();
        self.effects.retain(|effect| !matches!(effect, Effect::Ask(..)));
    }

    /// Drops what is awaited for the same purpose: a newer question replaces it.
    pub fn drop_wants(&mut self, is: impl Fn(&Want) -> bool) {
        self.waiting.retain(|_, want| !is(want));
    }
}

fn page<T: Item>(list: &List<T>, wanted: Wanted) -> Page {
    Page {
        filter: list.filter_in_force().to_owned(),
        before: if wanted == Wanted::Older { list.older.clone() } else { None },
        after: match wanted {
            Wanted::Newer => list.newer_from().map(str::to_owned),
            Wanted::Oldest => Some(String::new()),
            Wanted::Newest | Wanted::Older => None,
        },
        limit: PAGE,
        pins: Vec::new(),
    }
}

impl App {
    /// Asks for the header's figures.
    pub fn ask_counters(&mut self) {
        self.asks.ask(Want::Counters, Ask::Counters);
    }

    /// The lists of the screen.
    #[must_use]
    pub fn shown_lists(&self) -> &'static [ListId] {
        match self.screen {
            // `[` and `]` go on through the list that it was opened from.
            Screen::Requests if self.requests.from == Some(ListId::LiveRequests) => {
                &[ListId::Requests, ListId::LiveRequests]
            }
            Screen::Live => &[ListId::LiveRequests, ListId::LiveRuns],
            Screen::Requests => &[ListId::Requests],
            Screen::Runs => &[ListId::Runs],
            Screen::Callbacks | Screen::Integrations | Screen::Overview => &[],
        }
    }

    /// Asks for the pages that the screen's lists want; with `data` also for what arrived.
    pub fn ask_for_lists(&mut self, data: bool) {
        let pins = self.picks.pins.clone();
        for id in self.shown_lists() {
            let asked = match id {
                ListId::LiveRequests | ListId::Requests => self.request_list(*id).and_then(|list| {
                    let wanted = list.wants(data)?;
                    Some((
                        wanted,
                        list.epoch,
                        Ask::Requests(Page { pins: pins.clone(), ..page(list, wanted) }),
                    ))
                }),
                ListId::LiveRuns | ListId::Runs => self.run_list(*id).and_then(|list| {
                    let wanted = list.wants(data)?;
                    Some((wanted, list.epoch, Ask::Runs(page(list, wanted))))
                }),
                ListId::Callbacks => None,
            };
            if let Some((wanted, epoch, ask)) = asked {
                self.asks.ask(Want::Page(*id, wanted, epoch), ask);
            }
        }
        self.ask_for_board(data);
        self.ask_for_tree(data);
        self.ask_for_overview();
    }

    /// Asks for the objects that the screen's panes shall show and do not.
    pub fn ask_for_panes(&mut self) {
        self.ask_for_group();
        self.ask_for_callback();
        self.ask_for_parent();
        let panes: &[(PaneId, Option<String>)] = &match self.screen {
            Screen::Live => [(PaneId::LivePayload, self.live.payload.id.clone()), (PaneId::Run, None)],
            Screen::Requests => [
                (PaneId::Payload, self.requests.payload.id.clone()),
                (PaneId::RequestRun, self.requests.run.id.clone()),
            ],
            Screen::Runs => [(PaneId::Run, self.runs.run.id.clone()), (PaneId::Payload, None)],
            Screen::Callbacks | Screen::Integrations | Screen::Overview => {
                [(PaneId::Run, None), (PaneId::Payload, None)]
            }
        };
        for (pane, id) in panes {
            let Some(id) = id else { continue };
            if self.asks.had.get(pane) == Some(id) && self.is_answered(*pane) {
                continue;
            }
            let busy = self.asks.awaits(|want| match want {
                Want::Detail(of, _) | Want::Run(of, _) => of == pane,
                _ => false,
            });
            if busy {
                continue;
            }
            match pane {
                PaneId::LivePayload | PaneId::Payload => {
                    self.asks.ask(Want::Detail(*pane, id.clone()), Ask::Request { id: id.clone() });
                }
                PaneId::RequestRun | PaneId::Run => {
                    self.asks.ask(Want::Run(*pane, id.clone()), Ask::Run { id: id.clone() });
                }
            }
        }
    }

    /// Asks for what arrived: called by the loop at the pace of data, not at every change.
    pub fn refresh(&mut self) {
        self.behind = false;
        if self.link.0 != Link::Live {
            // Nothing is queued to be asked later: what was missed is read when the link is back.
            return;
        }
        self.ask_for_lists(true);
        if !self.moved.is_empty() && !self.asks.awaits(|want| *want == Want::ById) {
            let mut ids: Vec<String> = std::mem::take(&mut self.moved).into_iter().collect();
            if ids.len() > BY_ID {
                self.moved = ids.split_off(BY_ID).into_iter().collect();
                self.behind = true;
            }
            self.asks.ask(Want::ById, Ask::RunsById { ids });
        }
        self.ask_for_changed();
        if self.lacks_sample_url() {
            self.asks.ask(Want::Endpoints, Ask::Endpoints);
        }
        let shown = matches!(self.screen, Screen::Live | Screen::Runs | Screen::Integrations);
        let busy = self.asks.awaits(|want| matches!(want, Want::Groups | Want::Overdue));
        if self.needs.stale && shown && !busy {
            self.needs.stale = false;
            self.asks.ask(Want::Groups, Ask::Groups);
            let page =
                Page { filter: "state:expired overdue:true".to_owned(), limit: 100, ..Page::default() };
            self.asks.ask(Want::Overdue, Ask::Callbacks(page));
            self.asks.drop_wants(|want| *want == Want::Drift);
            self.asks.ask(Want::Drift, Ask::Study(Study::Drift { flow: None }));
        }
        self.ask_job_again();
        self.ask_for_panes();
    }

    /// Asks which of the runs that changed match the filter of a list now.
    fn ask_for_changed(&mut self) {
        for id in [ListId::LiveRuns, ListId::Runs] {
            if self.asks.awaits(|want| matches!(want, Want::Among(of, _) if *of == id)) {
                continue;
            }
            let Some(list) = self.run_list(id) else { continue };
            let (ids, epoch) = (list.changed_ones(BY_ID), list.epoch);
            let filter = list.filter_in_force().to_owned();
            if !ids.is_empty() {
                self.behind |= ids.len() == BY_ID;
                self.asks.ask(Want::Among(id, epoch), Ask::RunsAmong { ids, filter });
            }
        }
    }

    /// Asks for the ids that the filter of a list matches now, to mark them; those before a row, where
    /// the newer ones are marked.
    pub fn ask_for_marks(&mut self, id: ListId, before: Option<&str>) {
        let limit = u32::try_from(super::list::MARKS).unwrap_or(PAGE);
        let marked = |page: Page| Page { limit, before: before.map(str::to_owned), ..page };
        let asked = match id {
            ListId::LiveRequests | ListId::Requests => self
                .request_list(id)
                .map(|list| (list.epoch, Ask::Requests(marked(page(list, Wanted::Newest))))),
            ListId::LiveRuns | ListId::Runs => {
                self.run_list(id).map(|list| (list.epoch, Ask::Runs(marked(page(list, Wanted::Newest)))))
            }
            ListId::Callbacks => Some(self.board_marks()),
        };
        if let Some((epoch, ask)) = asked {
            self.asks.drop_wants(|want| matches!(want, Want::Marks(..)));
            self.marking = Some(Marking { list: id, percent: None, found: 0 });
            self.asks.ask(Want::Marks(id, epoch), ask);
        }
    }

    /// Asks for the plan of the open dialog, or orders what it says.
    pub fn ask_order(&mut self, kind: Kind, order: Ask, dry_run: bool) {
        if dry_run {
            self.asks.drop_wants(|want| *want == Want::Plan);
            self.asks.ask(Want::Plan, order);
        } else {
            self.asks.ask(Want::Act(kind), order);
        }
    }
}

/// A row for a list of requests.
#[must_use]
pub fn request_rows(mut rows: Vec<crate::model::view::RequestView>, newest_first: bool) -> Vec<RequestRow> {
    if newest_first {
        rows.reverse();
    }
    rows.into_iter().map(RequestRow::from).collect()
}

/// A row for a list of runs.
#[must_use]
pub fn run_rows(mut rows: Vec<crate::model::view::RunView>, newest_first: bool) -> Vec<RunRow> {
    if newest_first {
        rows.reverse();
    }
    rows.into_iter().map(RunRow::from).collect()
}
