//! Where the person is: screens, lists, panes, what stands above, and the way back.

use super::app::App;
use super::audit::Trail;
use super::backtest::BackTested;
use super::beside::Beside;
use super::capture::Table;
use super::company::Attached;
use super::dialog::Dialog;
use super::edit::Edit;
use super::editor::texts::Texts;
use super::facets::values::Counted;
use super::facets::views::Saving;
use super::facets::write::Writing;
use super::jobs::Jobs;
use super::list::List;
use super::menu::Menu;
use super::messages::Messages;
use super::palette::Palette;
use super::payload::Payload;
use super::prompt::Prompt;
use super::replayed::Replayed;
use super::rows::{RequestRow, RunRow};
use super::run_pane::RunPane;
use super::theming::Choosing;
use super::trial::Simulated;
use super::whatif::WhatIf;
use super::whole::Whole;
use crate::model::query::Subject;
use crate::model::time::Ms;

/// The screens of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Screen {
    /// Everything at a glance.
    Live,
    /// Requests and their payloads.
    Requests,
    /// Runs, groups of errored ones, one run.
    Runs,
    /// Callbacks by urgency.
    Callbacks,
    /// Integrations, their versions.
    Integrations,
    /// Figures over time.
    Overview,
}

/// What has the focus: where a key acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// There is no integration yet.
    Empty,
    /// A list of requests: Live's or Requests'.
    Requests(ListId),
    /// A list of runs: Live's or Runs'.
    Runs(ListId),
    /// The worklist of Live.
    Needs,
    /// The groups of Runs.
    Groups,
    /// A payload.
    Payload(PaneId),
    /// The timeline of a run.
    Timeline(PaneId),
    /// An attempt of a run.
    Attempt(PaneId),
    /// The board of callbacks.
    Board,
    /// What is known of the selected callback.
    BoardPane,
    /// The tree of integrations.
    Tree,
    /// What is known of the selected part of one.
    Facts,
    /// The versions of an integration.
    Versions,
    /// What differs between two of them.
    Diff,
    /// A pane of figures.
    Overview,
    /// A document that is edited.
    Editor,
    /// An integration that is being made.
    Guide,
}

/// The lists that have a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListId {
    /// Requests on Live.
    LiveRequests,
    /// Runs on Live.
    LiveRuns,
    /// Requests on Requests.
    Requests,
    /// Runs on Runs.
    Runs,
    /// The board of callbacks.
    Callbacks,
}

impl ListId {
    /// What its filter goes over.
    #[must_use]
    pub fn subject(self) -> Subject {
        match self {
            Self::LiveRequests | Self::Requests => Subject::Requests,
            Self::LiveRuns | Self::Runs => Subject::Runs,
            Self::Callbacks => Subject::Callbacks,
        }
    }
}

/// The panes that show one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PaneId {
    /// The payload on Live.
    LivePayload,
    /// The payload on Requests.
    Payload,
    /// The run beside the payload.
    RequestRun,
    /// The run on Runs.
    Run,
}

/// What stands above the screen.
#[derive(Debug)]
pub enum Overlay {
    /// What the keys do.
    Help(Box<super::help::Help>),
    /// Every action by its name in the configuration.
    Keys {
        /// First drawn line.
        top: usize,
    },
    /// A verb before it acts.
    Verb(Box<Dialog>),
    /// What a flow is sent, path by path.
    Capture(Box<Table>),
    /// Two requests beside each other.
    Beside(Box<Beside>),
    /// What another dedup rule would have done.
    WhatIf(Box<WhatIf>),
    /// One of several: where to go, what to copy.
    Menu(Box<Menu>),
    /// Jobs, and how far they are.
    Jobs(Box<Jobs>),
    /// A run beside the one that it replays.
    Replayed(Box<Replayed>),
    /// Who is here.
    Consoles(Attached),
    /// Every action by its words.
    Palette(Box<Palette>),
    /// What a run would send.
    Trial(Box<Simulated>),
    /// What a draft changes of stored requests.
    BackTest(Box<BackTested>),
    /// Two texts beside each other.
    Texts(Box<Texts>),
    /// The themes.
    Themes(Box<Choosing>),
    /// What was told.
    Messages(Messages),
    /// The audit trail.
    Audit(Box<Trail>),
    /// Where to record into.
    Record(Box<Edit>),
    /// A value, whole.
    Value(Box<Whole>),
    /// The values of a path, and how often each is there.
    Values(Box<Counted>),
    /// A file that is about to be written.
    Write(Box<Writing>),
    /// A view that is about to be saved.
    SaveView(Box<Saving>),
    /// One line that is asked for.
    Prompt(Box<Prompt>),
    /// Quitting stops the receiver.
    Quit {
        /// The button that quits is chosen.
        sure: bool,
        /// Its frame was flushed.
        armed: bool,
    },
}

/// What a toast tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It is done.
    Good,
    /// It is so.
    Info,
    /// It went wrong: stays until `esc`.
    Bad,
}

/// A line over the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    /// What it says.
    pub text: String,
    /// What it tells.
    pub tone: Tone,
    /// Since when.
    pub at: Ms,
}

/// Where `esc` goes back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crumb {
    /// The screen.
    pub screen: Screen,
    /// The object that was open on it.
    pub opened: Option<String>,
    /// The pane that had the focus.
    pub focus: usize,
    /// The list from which an open request was opened.
    pub from: Option<ListId>,
    /// The list whose filter was replaced on the way, and the filter that it had.
    pub filter: Option<(ListId, String)>,
}

impl App {
    /// A list of requests.
    pub fn request_list(&mut self, id: ListId) -> Option<&mut List<RequestRow>> {
        match id {
            ListId::LiveRequests => Some(&mut self.live.requests),
            ListId::Requests => Some(&mut self.requests.list),
            ListId::LiveRuns | ListId::Runs | ListId::Callbacks => None,
        }
    }

    /// A list of runs.
    pub fn run_list(&mut self, id: ListId) -> Option<&mut List<RunRow>> {
        match id {
            ListId::LiveRuns => Some(&mut self.live.runs),
            ListId::Runs => Some(&mut self.runs.list),
            ListId::LiveRequests | ListId::Requests | ListId::Callbacks => None,
        }
    }

    /// A payload pane.
    pub fn payload(&mut self, id: PaneId) -> Option<&mut Payload> {
        match id {
            PaneId::LivePayload => Some(&mut self.live.payload),
            PaneId::Payload => Some(&mut self.requests.payload),
            PaneId::RequestRun | PaneId::Run => None,
        }
    }

    /// A run pane.
    pub fn run_pane(&mut self, id: PaneId) -> Option<&mut RunPane> {
        match id {
            PaneId::RequestRun => Some(&mut self.requests.run),
            PaneId::Run => Some(&mut self.runs.run),
            PaneId::LivePayload | PaneId::Payload => None,
        }
    }
}
