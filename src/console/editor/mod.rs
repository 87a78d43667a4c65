//! A document that is edited: its text over the whole screen, in two modes. Reading, all keys act;
//! typing, all keys are text.
//!
//! | file | holds |
//! |---|---|
//! | `source`, `history` | the text, its cursor, what undoes it |
//! | `syntax`, `outline`, `shape` | what its parts are, where its objects stand, what each may say |
//! | `complete`, `unseen` | what can stand at the cursor; paths that no real request had |
//! | `form` | an object as a form, over the same text |
//! | `body` | the body of a stored request, edited to be replayed |
//! | `parts`, `pasted` | objects that are added and moved, a step made of a curl command |
//! | `open`, `keys`, `act` | how one is opened, what keys and actions do in it |
//! | `keep` | what is typed is kept in the store; what is asked meanwhile |
//! | `save` | a save, a deploy, and what somebody else saved meanwhile |

mod act;
mod body;
pub mod complete;
pub mod form;
pub mod history;
mod keep;
mod keys;
mod open;
pub mod outline;
pub mod parts;
pub mod pasted;
mod save;
pub mod shape;
pub mod source;
pub mod syntax;
pub mod texts;
mod unseen;

pub use keep::{Keep, Preview, Wanted};
pub use open::{Aim, Then};
pub use save::{After, Does, MEANWHILE, Theirs};

pub use body::Body;

use super::edit::Edit;
use super::paint::width;
use crate::console::screen::wrapped;
use crate::model::Ms;
use crate::model::ask::EditView;
use crate::model::document::Problem;
use crate::model::study::FieldsView;
use crate::rules::check::{Known, check};
use complete::Completion;
use form::Form;
use history::History;
use outline::{Object, What, at, outline};
use similar::{DiffTag, TextDiff};
use source::Source;
use std::collections::BTreeMap;
use std::time::Duration;
use unseen::unseen;

/// Cells before a line: its number and a blank.
pub const GUTTER: u16 = 6;
/// Lines over the one that it opens at.
const ABOVE: usize = 3;
/// Texts over this are not compared with each letter that is typed.
const COMPARED: usize = 256 << 10;

/// What is looked for in the text.
#[derive(Debug, Default)]
pub struct Search {
    /// What is typed, while it is.
    pub edit: Option<Edit>,
    /// What is looked for.
    pub wanted: String,
}

/// A document that is edited.
#[derive(Debug)]
pub struct Editor {
    /// The integration's name.
    pub name: String,
    /// It is asked for.
    pub loading: bool,
    /// Keys are text.
    pub typing: bool,
    /// The text.
    pub source: Source,
    /// The version that it was made from.
    pub base: u32,
    /// That version's text.
    pub base_text: String,
    /// The newest version.
    pub latest: u32,
    /// The live version.
    pub live: Option<u32>,
    /// What is wrong with the text.
    pub problems: Vec<Problem>,
    /// Places where it differs from the version that it was made from.
    pub changes: usize,
    /// The first drawn line.
    pub top: usize,
    /// Rows that are drawn.
    pub height: usize,
    /// What is looked for.
    pub search: Search,
    /// The object at the cursor is shown as a form.
    pub form: Option<Form>,
    /// What can stand at the cursor.
    pub completion: Option<Completion>,
    /// What a step would send for the last real request.
    pub preview: Preview,
    /// What is typed is kept.
    pub keep: Keep,
    /// It is the body of a request, and no document.
    pub body: Option<Body>,
    /// The text that is being saved.
    pub saving: Option<String>,
    aim: Aim,
    then: Option<Then>,
    /// Aliases of other integrations, and whose they are.
    paths: Vec<(String, String)>,
    flows: Vec<String>,
    connections: Vec<String>,
    urls: Vec<(String, String)>,
    /// Paths of the last requests of flows; none where they are asked for.
    fields: BTreeMap<String, Option<FieldsView>>,
    theirs: Option<Theirs>,
}

/// A row of the text as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A line.
    Line(usize),
    /// What is wrong with the line above: cells before it, the text, and whether it stops a save.
    Told(u16, String, bool),
}

impl Editor {
    fn new(name: String, aim: Aim, then: Option<Then>) -> Self {
        Self {
            name,
            loading: true,
            typing: false,
            source: Source::new(String::new(), History::default()),
            base: 0,
            base_text: String::new(),
            latest: 0,
            live: None,
            problems: Vec::new(),
            changes: 0,
            top: 0,
            height: 10,
            search: Search::default(),
            form: None,
            completion: None,
            preview: Preview::default(),
            keep: Keep::default(),
            body: None,
            saving: None,
            aim,
            then,
            paths: Vec::new(),
            flows: Vec::new(),
            connections: Vec::new(),
            urls: Vec::new(),
            fields: BTreeMap::new(),
            theirs: None,
        }
    }

    /// Takes what there is to edit in: what was typed and not saved, else the newest version. What was
    /// typed before comes back by undoing.
    pub fn install(&mut self, view: EditView, now: Ms) {
        self.loading = false;
        self.base = view.base;
        let mut source = Source::new(view.source.clone(), History::default());
        if let Some(typed) = &view.typed {
            self.keep.seen = typed.seen;
            source = Source::new(typed.text.clone(), History::read(&typed.history));
            if !typed.unsaved {
                let bases = (typed.base, view.base);
                source.replace_by(view.source.clone(), Some(bases).filter(|(typed, now)| typed != now));
            }
        }
        self.source = source;
        self.base_text.clone_from(&view.source);
        self.stands(view);
        self.judged(now);
        self.keep.wanted = false;
        self.keep.due = None;
        let (header, line) = self.aim.lines(&outline(self.source.lines()));
        // At the end of what stands there, inside of its quotes.
        let text = self.source.lines().get(line).map_or("", |text| text.trim_end());
        let end = text.trim_end_matches(['"', '\'']).chars().count();
        self.source.go(line, if line == header { 0 } else { end });
        // What it is about comes below it.
        self.top = header.saturating_sub(ABOVE);
    }

    /// Takes in what else is known: versions, other integrations.
    fn stands(&mut self, view: EditView) {
        self.latest = view.latest;
        self.live = view.live;
        self.paths = view.paths;
        self.flows = view.flows;
        self.connections = view.connections;
        self.urls = view.urls;
    }

    /// The text changed: it is judged anew, and kept after a while.
    pub fn judged(&mut self, now: Ms) {
        if self.body.is_some() {
            return self.judge_body();
        }
        self.judge();
        self.changes = changes(&self.base_text, self.source.text());
        self.keep.changed(now);
        self.preview.changed(now);
    }

    /// What is wrong with the text, and what real requests never had.
    fn judge(&mut self) {
        let known = Known { paths: self.paths.clone(), flows: Some(self.flows.clone()), ..Known::default() };
        self.problems = check(self.source.text(), &known).problems;
        let objects = outline(self.source.lines());
        let called = objects.first().and_then(|whole| Some((whole.name.clone()?, whole)));
        if let Some((called, whole)) = called.filter(|(called, _)| *called != self.name) {
            let line = whole.keys.iter().find(|(key, _)| key == "name").map_or(0, |(_, at)| *at);
            let message = format!(
                "name stays {:?}: under {called:?} it would be another integration; pointsman apply --as makes that",
                self.name
            );
            self.problems.push(Problem { line: line + 1, column: 1, message, warning: false });
        }
        for (flow, fields) in &self.fields {
            if let Some(fields) = fields {
                self.problems.extend(unseen(self.source.lines(), &objects, flow, fields));
            }
        }
        self.problems.sort_by_key(|problem| (problem.line, problem.column));
    }

    /// The operator's connections.
    #[must_use]
    pub fn connections(&self) -> &[String] {
        &self.connections
    }

    /// Mistakes that stop a save.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| !problem.warning).count()
    }

    /// The object that the cursor is in, and its flow.
    #[must_use]
    pub fn here(&self) -> (Object, Option<Object>) {
        let objects = outline(self.source.lines());
        let here = objects[at(&objects, self.source.cursor().0).min(objects.len() - 1)].clone();
        let flow = objects.into_iter().find(|one| one.what == What::Flow && one.flow == here.flow);
        (here.clone(), flow.filter(|_| here.flow.is_some()))
    }

    /// The name of the flow that the cursor is in.
    #[must_use]
    pub fn flow_here(&self) -> Option<String> {
        self.here().1.and_then(|flow| flow.name)
    }

    /// Whether it has a document of the store's that there is something to ask for.
    fn asks(&self) -> bool {
        !self.loading && self.body.is_none()
    }

    /// The rows that are drawn in so many cells.
    #[must_use]
    pub fn rows(&self, cells: u16) -> Vec<Row> {
        let mut rows = Vec::with_capacity(self.height);
        for line in self.top..self.source.lines().len() {
            if rows.len() >= self.height {
                break;
            }
            rows.push(Row::Line(line));
            for problem in self.problems.iter().filter(|problem| problem.line == line + 1) {
                told(problem, cells, &mut rows);
            }
        }
        rows.truncate(self.height);
        rows
    }

    /// Scrolls so that the cursor is drawn.
    pub fn fit(&mut self, height: usize, cells: u16) {
        self.height = height.max(1);
        let line = self.source.cursor().0;
        self.top = self.top.min(line).max((line + 1).saturating_sub(self.height));
        while self.top < line && !self.shows(line, cells) {
            self.top += 1;
        }
    }

    /// Whether a line is drawn, with what is wrong with it.
    fn shows(&self, line: usize, cells: u16) -> bool {
        let mut under = Vec::new();
        for problem in self.problems.iter().filter(|problem| problem.line == line + 1) {
            told(problem, cells, &mut under);
        }
        let at = self.rows(cells).iter().position(|row| *row == Row::Line(line));
        at.is_some_and(|at| at + 1 + under.len() <= self.height)
    }

    /// What stands over the text, the most important last part first to go.
    #[must_use]
    pub fn title(&self) -> (String, String) {
        if self.loading {
            return (format!("{} · source", self.name), "asking the store…".to_owned());
        }
        let view = if self.form.is_some() { "FORM source" } else { "form SOURCE" };
        let (line, letter) = self.source.cursor();
        let mode = if self.typing { "typing" } else { "reading" };
        let mut parts =
            if self.body.is_some() { vec![mode.to_owned()] } else { vec![view.to_owned(), mode.to_owned()] };
        match self.errors() {
            0 => {}
            1 => parts.push("1 error".to_owned()),
            many => parts.push(format!("{many} errors")),
        }
        parts.push(match self.changes {
            0 if self.body.is_some() => "as it is stored".to_owned(),
            1 if self.body.is_some() => "1 change".to_owned(),
            many if self.body.is_some() => format!("{many} changes"),
            0 if self.live == Some(self.base) => format!("v{} live", self.base),
            0 => format!("v{} draft", self.base),
            1 => format!("v{} and 1 change", self.base),
            many => format!("v{} and {many} changes", self.base),
        });
        if self.latest > self.base {
            parts.push(format!("v{} is newer", self.latest));
        }
        if self.keep.refused.is_some() {
            parts.push("not kept".to_owned());
        }
        if self.form.is_some() {
            return (format!("{} · {}", self.name, self.object_title()), parts.join(" · "));
        }
        parts.push(format!("line {}, column {}", line + 1, letter + 1));
        let what = if self.body.is_some() { "body" } else { "source" };
        (format!("{} · {what}", self.name), parts.join(" · "))
    }
}

/// How many places of two texts differ.
fn changes(old: &str, new: &str) -> usize {
    if old == new {
        return 0;
    }
    if old.len() + new.len() > COMPARED {
        return 1;
    }
    let diff = TextDiff::configure().timeout(Duration::from_millis(30)).diff_lines(old, new);
    diff.ops().iter().filter(|op| op.tag() != DiffTag::Equal).count()
}

/// A mistake in rows: a caret under its place and its words beside it, or under it where there is no
/// room.
fn told(problem: &Problem, cells: u16, rows: &mut Vec<Row>) {
    let stops = !problem.warning;
    let column = u16::try_from(problem.column.saturating_sub(1)).unwrap_or(u16::MAX);
    let room = cells.saturating_sub(GUTTER + 1);
    let sign = if stops { "^ " } else { "^ warning: " };
    let text = format!("{sign}{}", crate::text::clean(&problem.message));
    if column.saturating_add(width(&text)) <= room {
        return rows.push(Row::Told(GUTTER + column, text, stops));
    }
    // It is moved left, as far as it must.
    let from = room.saturating_sub(width(&text));
    if from > 0 {
        return rows.push(Row::Told(GUTTER + from, text, stops));
    }
    rows.extend(wrapped(&text, room).into_iter().take(4).map(|part| Row::Told(GUTTER, part, stops)));
}

#[cfg(test)]
mod tests;
