//! A new integration, step by step: name, who may send, what comes, what makes two requests one, what
//! is sent on, and its deploy. Each step saves a draft whose first line says what comes next: it is
//! left and taken up again at any time, by anybody who may edit.
//!
//! | file | holds |
//! |---|---|
//! | `text` | the document, edited step by step |
//! | `auth`, `step` | what is filled in at these two steps |
//! | `keys`, `goes` | what keys do, how one gets from step to step |
//! | `came` | what is asked, and what came |
//! | `typed` | what is filled in and not saved, and how it is kept |
//! | `help`, `sends` | the keys of each step; the command that sends a first request |

pub mod auth;
mod came;
mod goes;
mod help;
pub mod keys;
mod sends;
pub mod step;
pub mod text;
pub mod typed;

pub use came::Guided;

use super::app::{App, Overlay, Place};
use super::capture::{From, Table};
use super::edit::Edit;
use super::keymap::Keymap;
use super::lines::Lines;
use super::theme::Role;
use super::tree::Part;
use crate::model::Ms;
use crate::model::ask::Deed;
use crate::model::guide::{WORDS, word};
use crate::model::study::Sampled;
use auth::{AuthForm, Shown};
use std::collections::BTreeSet;
use step::StepForm;
use typed::{Filled, LetIn, Typed};

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// What it is called.
    Name = 1,
    /// Who may send.
    Auth,
    /// What comes.
    Capture,
    /// What makes two requests one.
    Dedup,
    /// What is sent on.
    Step,
    /// What would be sent; its deploy.
    Test,
}

impl Stage {
    /// In their order.
    pub const ALL: [Self; WORDS.len()] =
        [Self::Name, Self::Auth, Self::Capture, Self::Dedup, Self::Step, Self::Test];

    /// Of its number, from 1.
    #[must_use]
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.number() == number)
    }

    /// Its number, from 1.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// What it is about.
    #[must_use]
    pub fn word(self) -> &'static str {
        word(self.number())
    }
}

/// What is typed at the first step.
#[derive(Debug, Default)]
pub struct Naming {
    /// What people call it.
    pub title: Edit,
    /// What its first flow is called.
    pub flow: Edit,
    /// The flow is typed into.
    pub on_flow: bool,
}

/// What a run would send.
#[derive(Debug, Default)]
pub struct Tested {
    /// What is told above the steps.
    pub head: Vec<(String, Role)>,
    /// The steps.
    pub lines: Lines,
    /// It is asked for.
    pub asking: bool,
    /// Why it is not known.
    pub trouble: Option<String>,
}

/// What `enter` does before it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// Nothing.
    Nothing,
    /// It was asked again whether something is left out: the next one says yes.
    Again,
    /// A key that was made is shown, this once.
    Shown,
}

/// It is live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// What was said of the deploy.
    pub said: String,
    /// The URL of its first flow.
    pub url: String,
}

/// A new integration that is being made.
#[derive(Debug)]
pub struct Guide {
    /// The step that is shown.
    pub stage: Stage,
    /// What it is called; empty until it is saved for the first time.
    pub name: String,
    /// The newest version, and its text.
    pub base: u32,
    /// The text.
    pub text: String,
    /// The text as it was saved: a pasted command changes the other one first.
    saved: String,
    /// The text that is being saved.
    sent: String,
    /// What is waited for.
    pub busy: Option<&'static str>,
    /// What is wrong with what was filled in.
    pub trouble: Option<String>,
    /// The first step.
    pub naming: Naming,
    /// Names of integrations that there are.
    pub taken: Vec<String>,
    /// The second.
    pub auth: AuthForm,
    /// Names of keys that were made here: those that the document does not take in the end go.
    made: BTreeSet<String>,
    /// A key that was made here: as long as the guide is open its sender's command has it.
    pub held: Option<Shown>,
    /// What came, for the third and the fourth.
    pub table: Option<Box<Table>>,
    /// Since when it is looked at.
    since: Ms,
    /// The newest request that was refused since: when, and why.
    pub refused: Option<(String, String)>,
    /// How long a key lives, at the fourth.
    pub window: Edit,
    /// That is typed into.
    pub on_window: bool,
    /// What `enter` does first.
    pub first: First,
    /// The frame that shows it as it is was flushed: `enter` was not typed ahead of it.
    pub armed: bool,
    /// The fifth.
    pub step: StepForm,
    /// The sixth.
    pub tested: Tested,
    /// After it.
    pub finished: Option<Finished>,
    /// What is filled in where nothing was typed.
    plain: Filled,
    /// What was filled in for those who may send, until the keys are known.
    recalled: Option<LetIn>,
    /// What was kept last.
    kept: Typed,
    /// When it is kept again.
    due: Option<Ms>,
    /// What its sentences name.
    keys: Keymap,
}

impl Guide {
    fn new(name: String, keys: Keymap) -> Self {
        let mut guide = Self {
            keys,
            stage: Stage::Name,
            name,
            base: 0,
            text: String::new(),
            saved: String::new(),
            sent: String::new(),
            busy: None,
            trouble: None,
            naming: Naming::default(),
            taken: Vec::new(),
            auth: AuthForm::default(),
            made: BTreeSet::new(),
            held: None,
            table: None,
            since: 0,
            refused: None,
            window: Edit::with("7d"),
            on_window: false,
            first: First::Nothing,
            armed: false,
            step: StepForm::default(),
            tested: Tested::default(),
            finished: None,
            plain: Filled::default(),
            recalled: None,
            kept: Typed::default(),
            due: None,
        };
        // What a form has of itself is nothing that was typed.
        for stage in Stage::ALL {
            guide.settled(stage);
        }
        guide
    }

    /// The name that it gets, as it is typed.
    #[must_use]
    pub fn slug(&self) -> String {
        if self.name.is_empty() { text::slug(&self.naming.title.text()) } else { self.name.clone() }
    }

    /// The name of its first flow.
    #[must_use]
    pub fn flow(&self) -> String {
        text::flow(&self.text).unwrap_or_default()
    }

    /// Its first flow, as it is asked about.
    fn path(&self) -> String {
        format!("{}/{}", self.name, self.flow())
    }

    /// Whether letters are text here.
    #[must_use]
    pub fn types(&self) -> bool {
        match self.stage {
            _ if self.finished.is_some() => false,
            Stage::Name => true,
            Stage::Auth => self.first != First::Shown && self.auth.types(),
            Stage::Capture | Stage::Test => false,
            Stage::Dedup => self.on_window,
            Stage::Step => self.step.types(),
        }
    }

    /// Where its first flow is sent to, once it is known.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        let open = self.table.as_ref().and_then(|table| table.open.as_ref());
        open.map(|open| open.url.as_str())
    }

    /// What stands for the request of its trial.
    #[must_use]
    pub fn sample(&self) -> Sampled {
        match self.table.as_ref().map(|table| (table.from, table)) {
            Some((From::Request, table)) => Sampled::Request(table.request.clone()),
            Some((From::Pasted, table)) => Sampled::Text(table.pasted().to_owned()),
            _ => Sampled::default(),
        }
    }

    /// Why the first step cannot be left, if so; nothing is said of what was not typed yet.
    #[must_use]
    pub fn misnamed(&self) -> Option<String> {
        if !self.name.is_empty() {
            return None;
        }
        let title = self.naming.title.text();
        let slug = self.slug();
        if title.trim().is_empty() {
            return None;
        }
        if slug.is_empty() {
            return Some(
                "a name needs a letter of a to z or a digit: its URL and its keys are called so".to_owned(),
            );
        }
        self.taken
            .contains(&slug)
            .then(|| format!("{slug} is taken: there is an integration of that name; 5 lists them"))
    }
}

impl App {
    /// Why no integration can be made here, if so.
    #[must_use]
    pub fn barred_guide(&self) -> Option<String> {
        self.barred_as(Deed::Save, "new")
    }

    /// What `i` makes here, where that is an integration: the name of one that is being made, or nothing
    /// for a new one.
    #[must_use]
    pub fn guides_here(&self) -> Option<String> {
        match self.place() {
            Place::Empty => Some(match self.offered() {
                super::first::Offer::Resume(one) => one.name,
                _ => String::new(),
            }),
            Place::Tree => {
                let whole = self.tree.current().is_none_or(|node| node.part == Part::Whole);
                whole.then(|| self.unfinished_here().unwrap_or_default())
            }
            _ => None,
        }
    }

    /// The integration under the cursor, where it is being made.
    #[must_use]
    pub fn unfinished_here(&self) -> Option<String> {
        let one = self.tree.integration().filter(|_| self.place() == Place::Tree)?;
        one.guide.filter(|_| one.deployed.is_none()).map(|_| one.name.clone())
    }

    /// Begins what `i` makes here, or goes on with it.
    pub(super) fn guide_here(&mut self) {
        if let Some(name) = self.guides_here() {
            self.begin_guide(name);
        }
    }

    /// Begins a new integration.
    pub(super) fn open_guide(&mut self) {
        self.begin_guide(String::new());
    }

    /// Goes on with one that is being made; begins one where there is no name.
    pub(super) fn begin_guide(&mut self, name: String) {
        if let Some(why) = self.barred_guide() {
            return self.toast(super::app::Tone::Info, why);
        }
        if self.editor.is_some() {
            self.close_editor();
        }
        self.overlay = None;
        let made = !name.is_empty();
        let mut guide = Box::new(Guide::new(name, self.options.keymap.clone()));
        let typed = self.kept_typed("").filter(|_| !made);
        let recalls = typed.is_some();
        if let Some(typed) = typed {
            guide.recall(typed);
        }
        self.guide = Some(guide);
        if made {
            self.ask_guided_text();
        } else {
            self.go_stage(Stage::Name);
        }
        if recalls {
            self.toast(super::app::Tone::Info, "this is as it was left; ctrl-u empties a line");
        }
    }

    /// Leaves it: what was saved goes on from its draft.
    pub(super) fn close_guide(&mut self) {
        self.keep_filled(true);
        let Some(guide) = self.guide.take() else { return };
        if matches!(self.overlay, Some(Overlay::Menu(_) | Overlay::Prompt(_))) {
            self.overlay = None;
        }
        self.tree.stale = true;
        self.behind = true;
        self.ask_counters();
        if !guide.name.is_empty() && guide.finished.is_none() && guide.busy.is_none() {
            let here = self.guides_here().is_some_and(|name| name == guide.name);
            let place = self.say(if here { "{i}" } else { "{i} on its row in {5} Integrations" });
            let said = format!("{} is kept as a draft: {place} goes on", guide.name);
            self.toast(super::app::Tone::Info, said);
        }
    }

    /// Tells the lines of a trial how many rows they have, and keeps what is filled in.
    pub(super) fn settle_guide(&mut self) {
        self.keep_filled(false);
        let area = super::screen::guide::tested(self.frame().content);
        if let Some(guide) = &mut self.guide {
            guide.tested.lines.resize(usize::from(area.height));
        }
    }

    /// The capture table that is shown, over the screen or as a step.
    pub(super) fn table_mut(&mut self) -> Option<&mut Table> {
        match (&mut self.overlay, &mut self.guide) {
            (Some(Overlay::Capture(table)), _) => Some(table),
            (_, Some(guide)) if guide.stage >= Stage::Capture => guide.table.as_deref_mut(),
            _ => None,
        }
    }

    /// The same, to look at.
    #[must_use]
    pub fn table(&self) -> Option<&Table> {
        match (&self.overlay, &self.guide) {
            (Some(Overlay::Capture(table)), _) => Some(table),
            (_, Some(guide)) if guide.stage >= Stage::Capture => guide.table.as_deref(),
            _ => None,
        }
    }
}
