//! The payload of the selected request, in five views: why, tree, flat, raw, hex.

use super::aim::Aim;
use super::format::{count, size};
use super::keymap::Keymap;
use super::lines::{Line, Lines};
use super::why;
use crate::model::request::Verdict;
use crate::model::time::Ms;
use crate::model::view::{ExplainView, RequestDetail};
use crate::text::size_kept;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::fmt::Write as _;

mod views;

use views::{flat, hex, raw, tree};
pub use views::{hex_dump, value_text};

/// How a payload is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Why it was not accepted.
    Why,
    /// With folds.
    Tree,
    /// Path and value.
    Flat,
    /// As it came.
    Raw,
    /// The bytes of its body.
    Hex,
}

impl View {
    /// Every view, in the order of `v`.
    pub const ALL: [Self; 5] = [Self::Why, Self::Tree, Self::Flat, Self::Raw, Self::Hex];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Why => "why",
            Self::Tree => "tree",
            Self::Flat => "flat",
            Self::Raw => "raw",
            Self::Hex => "hex",
        }
    }
}

/// A payload pane.
#[derive(Debug)]
pub struct Payload {
    /// The request that it shall show.
    pub id: Option<String>,
    /// What is known of it.
    pub detail: Option<Box<RequestDetail>>,
    /// Why it was judged so.
    pub explain: Option<Box<ExplainView>>,
    /// Why it cannot be shown.
    pub trouble: Option<String>,
    /// Since when it shall show another one than it does.
    aimed: Aim,
    /// How often its view is to be turned once it is there.
    turns: usize,
    /// The lines of the view.
    pub lines: Lines,
    /// The view of accepted requests.
    view: View,
    /// The view of others.
    other: View,
    /// Why in two lines over the flat view: Live's pane.
    brief: bool,
    folded: BTreeSet<String>,
    /// Paths that are columns: their lines say so.
    pins: Vec<String>,
    /// The facts of the request stand over the pane.
    headed: bool,
    /// Cells of a line: the raw view is wrapped at them.
    cells: u16,
    zone: TimeZone,
    /// What its sentences name.
    keys: Keymap,
    /// Engine time when the reason came.
    now: Ms,
}

impl Payload {
    /// A pane that opens with a view.
    #[must_use]
    pub fn new(view: View, brief: bool, zone: TimeZone, keys: Keymap) -> Self {
        let other = if brief { View::Flat } else { View::Why };
        Self {
            id: None,
            detail: None,
            explain: None,
            trouble: None,
            aimed: Aim::default(),
            turns: 0,
            lines: Lines::default(),
            view,
            other,
            brief,
            folded: BTreeSet::new(),
            pins: Vec::new(),
            headed: false,
            cells: 110,
            zone,
            keys,
            now: 0,
        }
    }

    /// Whether what it shows is what it shall show.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.detail.as_ref().map(|detail| &detail.request.id) == self.id.as_ref()
    }

    /// The selected line of the request that it shall show, once it does.
    #[must_use]
    pub fn current_line(&self) -> Option<&Line> {
        self.lines.current().filter(|_| self.is_current())
    }

    /// Whether it has what it shall show, or why it cannot.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.is_current() || self.trouble.is_some()
    }

    /// Points it at another request, or at none. What it shows of the one before stays for a moment, where
    /// it is not wanted away `at_once`.
    pub fn aim(&mut self, id: Option<String>, at_once: bool, now: Ms) {
        if self.id != id {
            self.trouble = None;
            self.turns = 0;
        }
        let shown = self.detail.as_ref().map(|detail| detail.request.id.as_str());
        if self.aimed.turn(&mut self.id, id, shown, (at_once, now)) {
            self.clear(None);
        }
    }

    /// When it no longer shows another one than it shall.
    #[must_use]
    pub fn next_age(&self) -> Option<Ms> {
        (self.detail.is_some() && !self.is_current()).then_some(self.aimed.ends())
    }

    /// Whether the request that is shown was not accepted, so that there is a why.
    #[must_use]
    pub fn has_why(&self) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.request.verdict != Verdict::Accepted)
    }

    /// The view that is shown.
    #[must_use]
    pub fn view(&self) -> View {
        if self.has_why() { self.other } else { self.view }
    }

    /// Sets how many rows and cells fit.
    pub fn resize(&mut self, height: usize, columns: u16) {
        // The gutter, and the cell at the right edge.
        let cells = columns.saturating_sub(3).max(8);
        if self.cells != cells {
            self.cells = cells;
            if matches!(self.view(), View::Raw | View::Hex | View::Why) {
                self.build();
            }
        }
        self.lines.resize(height);
    }

    /// Whether what is known of the request stands over the pane: it is not said twice then.
    pub fn head(&mut self, headed: bool) {
        if self.headed != headed {
            self.headed = headed;
            self.build();
        }
    }

    /// Which paths are columns.
    pub fn set_pins(&mut self, pins: &[String]) {
        if self.pins != pins {
            self.pins = pins.to_vec();
            self.build();
        }
    }

    /// The next view of the request that it shall show: of one that is not there yet once it is.
    pub fn next_view(&mut self) {
        if !self.is_current() {
            self.turns += 1;
            return;
        }
        let why = self.has_why();
        let views = if why { &View::ALL[..] } else { &View::ALL[1..] };
        let at = views.iter().position(|view| *view == self.view()).unwrap_or(0);
        let next = views[(at + 1) % views.len()];
        if why {
            self.other = next;
        } else {
            self.view = next;
        }
        self.lines.rewind();
        self.build();
    }

    /// Takes the facts in.
    pub fn install(&mut self, detail: Box<RequestDetail>) {
        let other = self.detail.as_ref().is_none_or(|old| old.request.id != detail.request.id);
        if self.explain.as_ref().is_some_and(|explain| explain.request != detail.request.id) {
            self.explain = None;
        }
        self.detail = Some(detail);
        self.trouble = None;
        if other {
            self.lines.rewind();
        }
        self.build();
        if self.is_current() {
            (0..std::mem::take(&mut self.turns)).for_each(|_| self.next_view());
        }
    }

    /// Takes the reason in.
    pub fn install_why(&mut self, explain: Box<ExplainView>, now: Ms) {
        self.now = now;
        if self.detail.as_ref().is_some_and(|detail| detail.request.id == explain.request) {
            self.explain = Some(explain);
            self.build();
        }
    }

    /// Nothing is selected, or it cannot be read.
    pub fn clear(&mut self, trouble: Option<String>) {
        self.detail = None;
        self.explain = None;
        self.trouble = trouble;
        self.lines.set(Vec::new());
    }

    /// Folds or opens the selected line; a leaf folds what it is in.
    ///
    /// # Errors
    /// Why nothing folds.
    pub fn fold(&mut self, open: bool) -> Result<(), String> {
        self.folds(open).map_err(|why| self.keys.say(why))
    }

    fn folds(&mut self, open: bool) -> Result<(), &'static str> {
        if self.view() != View::Tree {
            return Err("only the tree folds; {v} goes to it");
        }
        if self.id.is_some() && !self.is_current() {
            return Err("the store is still asked for it");
        }
        let Some(line) = self.lines.current() else { return Err("there is no request here") };
        let path = match (line.fold, open) {
            (Some(is_open), _) if is_open != open => line.path.clone(),
            (_, false) => {
                let depth = line.indent;
                let Some(parent) =
                    self.lines.lines[..self.lines.at].iter().rposition(|above| above.indent < depth)
                else {
                    return Err("it is folded, and stands in nothing else");
                };
                self.lines.at = parent;
                self.lines.lines[parent].path.clone()
            }
            (Some(_), true) => return Err("it is open already"),
            (None, true) => return Err("this is a value; enter shows it whole"),
        };
        if open {
            self.folded.remove(&path);
        } else {
            self.folded.insert(path);
        }
        self.build();
        Ok(())
    }

    /// Opens all that is folded.
    pub fn unfold_all(&mut self) {
        if !self.folded.is_empty() {
            self.folded.clear();
            self.build();
        }
    }

    /// The line over the pane: id, view, its measure, and what is looked for.
    #[must_use]
    pub fn title(&self) -> String {
        let title = self.measured();
        match &self.lines.find {
            Some(find) => format!("{title} · {}", find.told(self.lines.at)),
            None => title,
        }
    }

    fn measured(&self) -> String {
        let Some(detail) = &self.detail else {
            return if self.id.is_some() { "asking the store…".to_owned() } else { "payload".to_owned() };
        };
        let id = crate::model::id::short(&detail.request.id);
        let runs = match detail.request.runs.len() {
            0 | 1 => String::new(),
            many => format!(" · {} runs", count(many as u64)),
        };
        match self.view() {
            View::Why => match (detail.request.verdict, &detail.request.duplicate_of) {
                (Verdict::Duplicate, Some(first)) => {
                    format!("{id} is a duplicate of {}", crate::model::id::short(first))
                }
                (Verdict::Rejected, _) => {
                    let cause = detail.request.cause.as_deref().unwrap_or("no cause is stored");
                    // Its first clause: all of it is below.
                    format!("{id} was rejected: {}", cause.split("; ").next().unwrap_or(cause))
                }
                (verdict, _) => format!("{id} was {}", verdict.word()),
            },
            View::Flat => format!("{id} · flat · {} paths{runs}", count(detail.flat.len() as u64)),
            View::Raw | View::Hex => {
                let view = self.view().word();
                // Four letters of base64 are three bytes: what is masked has another length.
                let raw = &detail.raw;
                let shown = raw.len() / 4 * 3 - raw.bytes().rev().take_while(|byte| *byte == b'=').count();
                let masked = if shown as u64 == detail.request.size { "" } else { ", masked or cut here" };
                format!("{id} · {view} · {} bytes{masked}{runs}", count(detail.request.size))
            }
            View::Tree => format!(
                "{id} · tree · {}{runs}",
                size_kept(detail.request.size, detail.request.is_cut(), size)
            ),
        }
    }

    /// The views, the shown one in capitals.
    #[must_use]
    pub fn views(&self) -> String {
        let views = if self.has_why() { &View::ALL[..] } else { &View::ALL[1..] };
        let mut words = self.keys.say("{v}");
        for view in views {
            let word = view.word();
            let word = if *view == self.view() { word.to_uppercase() } else { word.to_owned() };
            let _ = write!(words, " {word}");
        }
        words
    }

    fn build(&mut self) {
        let Some(detail) = &self.detail else { return self.lines.set(Vec::new()) };
        let mut lines = Vec::new();
        match self.view() {
            View::Why => {
                let page =
                    why::Page { zone: &self.zone, now: self.now, cells: self.cells, headed: self.headed };
                why::whole(detail, self.explain.as_deref(), &page, &mut lines);
            }
            View::Flat => {
                if self.brief && self.has_why() {
                    why::brief(detail, self.explain.as_deref(), self.cells, &mut lines);
                }
                flat(detail, &self.keys, &mut lines);
            }
            View::Raw => raw(detail, self.cells, &mut lines),
            View::Hex => hex(detail, self.cells, &mut lines),
            View::Tree => tree(detail, &self.folded, &self.keys, &mut lines),
        }
        if !self.pins.is_empty() && matches!(self.view(), View::Tree | View::Flat) {
            for line in &mut lines {
                let pinned = super::facets::pins::path_of(line).is_some_and(|path| self.pins.contains(&path));
                if pinned && line.fold.is_none() {
                    "• pinned".clone_into(&mut line.note);
                }
            }
        }
        self.lines.set(lines);
    }
}
