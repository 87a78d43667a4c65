//! What can be done where the focus is: the keys of a screen and its pane, the most useful first. Help
//! and palette begin with them.

use super::action::Action;
use super::app::{App, ListId, Place};
use super::draw::{TABS, footer_keys};
use super::palette::{Entry, matching};

/// What is done to a request, in a list and on its page.
const ON_REQUEST: &[Action] = &[
    Action::Replay,
    Action::EditBody,
    Action::Readmit,
    Action::Forget,
    Action::Difference,
    Action::SaveSample,
    Action::Test,
    Action::Edit,
    Action::Links,
    Action::Copy,
    Action::CopyAs,
];
/// What is done to a run, in a list and on its page.
const ON_RUN: &[Action] = &[
    Action::Open,
    Action::Retry,
    Action::Skip,
    Action::Abort,
    Action::Replay,
    Action::Complete,
    Action::Extend,
];

impl App {
    /// The actions that the pane in focus is made for, those that cannot act now among them.
    #[must_use]
    pub fn actions_here(&self) -> Vec<Action> {
        use Action::{
            Abort, Add, BackTest, Bottom, Capture, Complete, Copy, CopyAs, Deploy, Difference, Edit, Extend,
            Filter, FilterToggle, Follow, Forget, Left, Links, Mark, MarkAll, MoveDown, MoveUp, NextMatch,
            NextSibling, Open, Outside, Palette, Pause, Pin, PreviousMatch, PreviousSibling, Redo, Replay,
            Retry, Right, Save, Skip, Test, Top, Undo, Values, View, Views, Without,
        };
        let own: &[&[Action]] = match self.place() {
            Place::Empty => &[&[Open, Add, Palette]],
            Place::Requests(_) => &[
                &[Open],
                ON_REQUEST,
                &[
                    Filter,
                    FilterToggle,
                    Views,
                    Follow,
                    Top,
                    Bottom,
                    Mark,
                    MarkAll,
                    Left,
                    Right,
                    Capture,
                    Pause,
                ],
            ],
            Place::Payload(_) => &[
                &[Open, View],
                ON_REQUEST,
                &[Save, Outside, Filter, NextMatch, PreviousMatch, Left, Right, Pin, Values, Without],
                &[PreviousSibling, NextSibling],
            ],
            Place::Runs(_) => &[
                ON_RUN,
                &[Edit, Difference, Links, View, Copy, CopyAs, Filter, FilterToggle, Views, Follow],
                &[Top, Bottom, Mark, MarkAll, Test, Pause],
            ],
            Place::Timeline(_) | Place::Attempt(_) => &[
                ON_RUN,
                &[Left, Right, PreviousSibling, NextSibling, Edit, Difference, Links, Copy, CopyAs, Save],
                &[Filter, NextMatch, PreviousMatch, Test, Pause],
            ],
            Place::Groups => {
                &[&[Open, Retry, Skip, Abort, Difference, Edit, View, Links, Filter, FilterToggle, Copy]]
            }
            Place::Needs => &[&[Open, Retry, Skip, Abort, Complete, Forget, Pause, Edit, Links, Copy]],
            Place::Board | Place::BoardPane => &[&[
                Open,
                Complete,
                Retry,
                Skip,
                Extend,
                Forget,
                Links,
                Copy,
                CopyAs,
                Filter,
                FilterToggle,
                Views,
                Mark,
                MarkAll,
            ]],
            Place::Tree | Place::Facts | Place::Diff | Place::Versions => &[&[
                Open, Add, Edit, Test, BackTest, Deploy, Difference, Capture, Pause, Forget, Mark, Links,
                Copy, CopyAs, Left, Right,
            ]],
            Place::Overview => &[&[Open, View, Links]],
            // It says itself what its keys do.
            Place::Guide => &[&[Open, Action::Back]],
            Place::Editor => &[&[
                Open,
                Edit,
                View,
                Save,
                BackTest,
                Deploy,
                Test,
                Undo,
                Redo,
                Filter,
                NextMatch,
                PreviousMatch,
                Outside,
                Add,
                MoveUp,
                MoveDown,
                Difference,
                Replay,
                Left,
                Right,
            ]],
        };
        // What the footer shows is here whatever else is.
        let mut here = own.concat();
        let general =
            |action: &Action| matches!(action, Action::Back | Action::Quit | Palette | Action::Help);
        for action in footer_keys(self) {
            if !here.contains(action) && !general(action) {
                here.push(*action);
            }
        }
        here
    }

    /// Where the focus is, in a word or two: `Requests`, `Live, payload`.
    #[must_use]
    pub fn place_name(&self) -> String {
        let screen = TABS[self.screen as usize];
        let pane = match self.place() {
            Place::Editor => return "editor".to_owned(),
            Place::Guide => return "new integration".to_owned(),
            Place::Requests(ListId::LiveRequests) => "Requests",
            Place::Runs(ListId::LiveRuns) => "Runs",
            Place::Payload(_) => "payload",
            Place::Timeline(_) => "timeline",
            Place::Attempt(_) => "attempt",
            Place::Groups => "groups",
            Place::Needs => "Needs you",
            Place::BoardPane => "callback",
            Place::Facts => "facts",
            Place::Versions => "versions",
            Place::Diff => "diff",
            Place::Empty
            | Place::Requests(_)
            | Place::Runs(_)
            | Place::Board
            | Place::Tree
            | Place::Overview => "",
        };
        if pane.is_empty() { screen.to_owned() } else { format!("{screen}, {pane}") }
    }

    /// What the palette lists for what is typed: what begins with it, what can act before what cannot,
    /// and of these what the pane in focus is made for before the rest.
    #[must_use]
    pub fn palette_entries(&self, typed: &str) -> Vec<Entry> {
        let here = self.actions_here();
        let first = typed.trim().to_lowercase();
        let mut found = matching(&self.options.keymap, typed);
        found.sort_by_cached_key(|entry| {
            let begins = !first.is_empty() && entry.word.to_lowercase().starts_with(&first);
            let place = entry.action().and_then(|action| here.iter().position(|one| *one == action));
            (!begins, self.barred_entry(entry).is_some(), place.unwrap_or(usize::MAX))
        });
        found
    }
}
