//! `#`: the values of a path and how often each is there, over the requests that the filter matches;
//! from there the filter takes only one of them, or all but it.

use super::{Facet, pins};
use crate::console::action::Action;
use crate::console::app::{App, ListId, Overlay, PaneId, Place, Screen, Tone};
use crate::console::asks::Want;
use crate::console::format::count;
use crate::console::key::Key;
use crate::console::menu::{Does, Entry, Menu};
use crate::model::Ms;
use crate::model::ask::Ask;
use crate::model::decimal::Decimal;
use crate::model::query::{Query, quoted};
use crate::model::study::{Study, ValueCount, ValueKind, Values, ValuesView};
use crate::rules::mask::MASK;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

/// Requests that are counted at most.
pub const MOST: u64 = 100_000;
/// Different values that are held; requests with others are counted together.
pub const HELD: usize = 10_000;
/// Values that are listed; the rest are counted together.
pub const LISTED: usize = 500;
/// Characters of a filter.
const FILTER: usize = 4_000;

/// The values of a path, as far as they were counted.
#[derive(Debug)]
pub struct Counted {
    /// The path.
    pub path: String,
    /// The list whose filter says which requests.
    pub list: ListId,
    /// That filter.
    pub filter: String,
    found: HashMap<(ValueKind, String), ValueCount>,
    /// Requests that were counted.
    pub counted: u64,
    /// Requests that were looked at.
    pub looked: u64,
    /// Of those that were counted, how many have nothing there.
    pub absent: u64,
    /// Requests whose value came when as many were held as are held.
    pub beyond: u64,
    /// It goes on.
    pub running: bool,
    /// It was stopped before its end: by whom.
    pub stopped: Option<String>,
    /// Why there is no answer.
    pub trouble: Option<String>,
    /// What is listed, most first.
    pub rows: Vec<Row>,
    /// Values past those, and how many requests have them.
    pub others: (u64, u64),
    /// The selected row.
    pub at: usize,
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The value; `None` for requests that have none.
    pub value: Option<ValueCount>,
    /// What it is, where more than one kind reads the same: no filter tells these apart.
    pub kinds: Vec<ValueKind>,
    /// Requests.
    pub count: u64,
}

impl Counted {
    fn new(path: String, list: ListId, filter: String) -> Self {
        Self {
            path,
            list,
            filter,
            found: HashMap::new(),
            counted: 0,
            looked: 0,
            absent: 0,
            beyond: 0,
            running: true,
            stopped: None,
            trouble: None,
            rows: Vec::new(),
            others: (0, 0),
            at: 0,
        }
    }

    /// Takes a part in; where the next one begins, as long as it goes on.
    pub fn install(&mut self, part: ValuesView) -> Option<String> {
        self.counted += part.counted;
        self.looked += part.looked;
        self.absent += part.absent;
        for value in part.values {
            let told = match (&value.digest, value.kind) {
                (Some(digest), _) => digest.clone(),
                (None, ValueKind::Number) => {
                    Decimal::parse(&value.text).map_or_else(|| value.text.clone(), |one| one.canonical())
                }
                (None, _) => value.text.clone(),
            };
            let key = (value.kind, told);
            if let Some(held) = self.found.get_mut(&key) {
                held.count += value.count;
            } else if self.found.len() < HELD {
                self.found.insert(key, value);
            } else {
                self.beyond += value.count;
            }
        }
        self.list_rows();
        let next = part.next.filter(|_| self.counted < MOST);
        if next.is_none() {
            self.running = false;
            if self.counted >= MOST {
                self.stopped =
                    Some(format!("the newest {} are counted; since:1d asks for less", count(MOST)));
            }
        }
        next
    }

    /// Sorts what was found; the selected value stays selected.
    fn list_rows(&mut self) {
        let selected = self.rows.get(self.at).map(|row| row.value.as_ref().map(|value| value.text.clone()));
        // What reads the same is one row: a filter takes both.
        let mut same: BTreeMap<(&str, Option<&str>), Row> = BTreeMap::new();
        for value in self.found.values() {
            let key = (value.text.as_str(), value.digest.as_deref());
            let row = same.entry(key).or_insert_with(|| Row {
                value: Some(value.clone()),
                kinds: Vec::new(),
                count: 0,
            });
            row.count += value.count;
            row.kinds.push(value.kind);
            row.kinds.sort_unstable();
        }
        let mut rows: Vec<Row> = same.into_values().collect();
        for row in &mut rows {
            if let (Some(value), Some(kind)) = (&mut row.value, row.kinds.first()) {
                value.kind = *kind;
            }
        }
        // Stable: what is as often stays in the order of its text.
        rows.sort_by_key(|row| std::cmp::Reverse(row.count));
        let rest = rows.split_off(rows.len().min(LISTED));
        self.others = (rest.len() as u64, rest.iter().map(|row| row.count).sum::<u64>() + self.beyond);
        if self.absent > 0 {
            rows.push(Row { value: None, kinds: Vec::new(), count: self.absent });
        }
        self.rows = rows;
        let is = |row: &Row| selected == Some(row.value.as_ref().map(|value| value.text.clone()));
        if self.at > 0
            && let Some(at) = self.rows.iter().position(is)
        {
            self.at = at;
        }
        self.at = self.at.min(self.rows.len().saturating_sub(1));
    }

    /// The filter that takes only the selected value, or all but it.
    ///
    /// # Errors
    /// The sentence that the key says instead.
    pub fn filtered(&self, only: bool, now: Ms) -> Result<String, String> {
        let word = if only { "filter" } else { "filter away" };
        let said = |why: &str| format!("{word} is not possible: {why}");
        let row = self.rows.get(self.at).ok_or_else(|| said("there is no value here"))?;
        let clause = clause(&self.path, row, only).map_err(said)?;
        let text = and(&self.filter, &clause, now);
        if text.chars().count() > FILTER {
            return Err(said(&format!("the filter would be over {} characters", count(FILTER as u64))));
        }
        Ok(text)
    }
}

/// What a filter says of a value.
fn clause(path: &str, row: &Row, only: bool) -> Result<String, &'static str> {
    let not = if only { "" } else { "-" };
    let Some(value) = &row.value else {
        // Whatever is there contains nothing.
        let not = if only { "-" } else { "" };
        return Ok(format!("{not}{path}:\"\""));
    };
    if value.digest.is_some() {
        return Err("this value is over 512 characters");
    }
    if value.text == MASK {
        return Err("this value is masked, and found by no filter");
    }
    if crate::text::clean(&value.text) == value.text {
        let op = if only { "=" } else { "!=" };
        return Ok(format!("{path}{op}{}", quoted(&value.text)));
    }
    // A line of text has no newline, and what is not seen is easily lost: those are spelt out.
    let mut expression = String::from("\\A");
    for letter in value.text.chars() {
        let alone = letter.to_string();
        if crate::text::clean(&alone) == alone {
            expression.push_str(&regex::escape(&alone));
        } else {
            let _ = write!(expression, "\\x{{{:x}}}", u32::from(letter));
        }
    }
    expression.push_str("\\z");
    Ok(format!("{not}{path}~{}", quoted(&expression)))
}

/// A filter and something that must hold too.
#[must_use]
pub fn and(filter: &str, clause: &str, now: Ms) -> String {
    let filter = filter.trim();
    match Query::parse(filter, now) {
        Ok(Query::All) | Err(_) => clause.to_owned(),
        Ok(Query::Or(_)) => format!("({filter}) and {clause}"),
        Ok(_) => format!("{filter} and {clause}"),
    }
}

impl App {
    /// The list whose filter counts here.
    fn counted_list(&self) -> Option<ListId> {
        match self.place() {
            Place::Requests(id) => Some(id),
            Place::Payload(PaneId::LivePayload) => Some(ListId::LiveRequests),
            Place::Payload(_) => Some(ListId::Requests),
            _ => None,
        }
    }

    /// The paths that `#` can count here: one, or those of the columns.
    ///
    /// # Errors
    /// The sentence that the key says where it cannot act.
    pub fn counted_here(&self) -> Result<Vec<String>, String> {
        if matches!(self.place(), Place::Requests(_)) && !self.picks.pins.is_empty() {
            return Ok(self.picks.pins.clone());
        }
        if matches!(self.place(), Place::Requests(_)) {
            return Err(
                "values is not possible: no path is pinned; tab goes to a payload, there # counts a value"
                    .to_owned(),
            );
        }
        self.leaf_here().map(|path| vec![path]).map_err(|why| format!("values is not possible: {why}"))
    }

    /// Opens the list of values; of several columns it asks which.
    pub(super) fn open_counted(&mut self) {
        let mut paths = match self.counted_here() {
            Ok(paths) => paths,
            Err(why) => return self.toast(Tone::Info, why),
        };
        if paths.len() == 1 {
            return self.open_values_of(paths.remove(0));
        }
        let entry = |(key, path): (char, String)| Entry {
            key,
            word: "values of",
            text: path.clone(),
            does: Ok(Does::Values(path)),
        };
        let entries = ('1'..='9').zip(paths).map(entry).collect();
        let title = "Values".to_owned();
        self.overlay = Some(Overlay::Menu(Box::new(Menu { title, copies: false, entries, at: 0 })));
    }

    /// Opens the list of a path's values, and begins to count.
    pub(in crate::console) fn open_values_of(&mut self, path: String) {
        let Some(list) = self.counted_list() else { return };
        let filter =
            self.request_list(list).map_or_else(String::new, |list| list.filter_in_force().to_owned());
        let asked = Values { path: path.clone(), filter: filter.clone(), before: None };
        self.overlay = Some(Overlay::Values(Box::new(Counted::new(path, list, filter))));
        self.asks.drop_wants(|want| *want == Want::Facet(Facet::Values));
        self.asks.ask(Want::Facet(Facet::Values), Ask::Study(Study::Values(asked)));
    }

    /// A part came: the next one is asked for as long as it goes on.
    pub(super) fn values_found(&mut self, part: ValuesView) {
        let Some(Overlay::Values(open)) = &mut self.overlay else { return };
        if let Some(before) = open.install(part) {
            let asked = Values { path: open.path.clone(), filter: open.filter.clone(), before: Some(before) };
            self.asks.ask(Want::Facet(Facet::Values), Ask::Study(Study::Values(asked)));
        }
    }

    /// There is no answer.
    pub(super) fn values_refused(&mut self, why: String) {
        if let Some(Overlay::Values(open)) = &mut self.overlay {
            (open.running, open.trouble) = (false, Some(why));
        }
    }

    /// A key while the list is open.
    pub fn values_key(&mut self, key: Key) {
        let Some(Overlay::Values(open)) = &mut self.overlay else { return };
        let last = open.rows.len().saturating_sub(1);
        match self.options.keymap.action_of(key) {
            Some(Action::Down) => open.at = (open.at + 1).min(last),
            Some(Action::Up) => open.at = open.at.saturating_sub(1),
            Some(Action::PageDown) => open.at = (open.at + 10).min(last),
            Some(Action::PageUp) => open.at = open.at.saturating_sub(10),
            Some(Action::Top) => open.at = 0,
            Some(Action::Bottom) => open.at = last,
            Some(Action::Open) => self.filter_value(true),
            Some(Action::Without) => self.filter_value(false),
            Some(Action::Copy) => match open.rows.get(open.at).and_then(|row| row.value.as_ref()) {
                Some(value) if value.digest.is_none() => {
                    let text = value.text.clone();
                    self.copy(text, "value");
                }
                _ => self.toast(Tone::Info, "copy is not possible: there is no whole value here"),
            },
            Some(Action::Back | Action::Quit) if open.running => {
                (open.running, open.stopped) = (false, Some("stopped".to_owned()));
                self.asks.drop_wants(|want| *want == Want::Facet(Facet::Values));
            }
            Some(Action::Back | Action::Quit) => self.overlay = None,
            Some(Action::Interrupt) if open.running => {
                (open.running, open.stopped) = (false, Some("stopped".to_owned()));
                self.asks.drop_wants(|want| *want == Want::Facet(Facet::Values));
            }
            Some(Action::Interrupt | Action::Suspend | Action::Redraw) => self.global(key),
            _ => self.refuse_key(key),
        }
    }

    /// The list shows only requests with the selected value, or those without it.
    fn filter_value(&mut self, only: bool) {
        let now = self.now;
        let Some(Overlay::Values(open)) = &self.overlay else { return };
        let list = open.list;
        let filter = match open.filtered(only, now) {
            Ok(filter) => filter,
            Err(why) => return self.toast(Tone::Info, why),
        };
        self.asks.drop_wants(|want| *want == Want::Facet(Facet::Values));
        self.overlay = None;
        if list == ListId::Requests && (self.requests.opened.is_some() || self.screen != Screen::Requests) {
            return self.open_requests(&filter);
        }
        self.full = false;
        self.focus = 0;
        self.set_filter(list, &filter);
    }
}

/// How a value is shown.
#[must_use]
pub fn shown(row: &Row, most: usize) -> String {
    match &row.value {
        None => "not there".to_owned(),
        Some(value) if value.kind == ValueKind::String && row.kinds.len() == 1 => {
            crate::rules::brief::text_brief(&value.text, most)
        }
        Some(value) => crate::text::cut_end(&value.text, most).into_owned(),
    }
}

/// What a path's column is called, for the title.
#[must_use]
pub fn title(open: &Counted) -> String {
    let name = if open.path.chars().count() > 40 { pins::name_of(&open.path) } else { open.path.clone() };
    let of = if open.filter.is_empty() { String::new() } else { format!(" ({})", open.filter) };
    let requests = if open.counted == 1 { "request" } else { "requests" };
    format!("{name} · values in {} {requests}{of}", count(open.counted))
}

#[cfg(test)]
mod tests;
