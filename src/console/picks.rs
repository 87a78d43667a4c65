//! What a console keeps between sessions: pinned paths, saved views, filters that were typed. A small
//! file of its own; what in it does not fit is left out, and never in the way.

pub mod file;

use super::place::ListId;
use crate::model::path::Path;
use crate::model::query::ROOTS;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Pinned paths at most.
pub const PINS: usize = 4;
/// Filters that are kept.
pub const HISTORY: usize = 100;
/// Characters of a filter or a path that is kept.
pub const LONGEST: usize = 1_000;
/// Characters of a view's name.
pub const NAME: usize = 40;

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Picks {
    /// Paths that are columns of Requests, in their order.
    pub pins: Vec<String>,
    /// Views by their digits.
    pub views: BTreeMap<u8, View>,
    /// Filters that a person typed, oldest first.
    pub history: Vec<String>,
}

/// A list with a filter, under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// What it is called.
    pub name: String,
    /// Of which list.
    pub list: Listed,
    /// The filter.
    pub filter: String,
}

/// A list that has views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listed {
    /// Requests.
    Requests,
    /// Runs.
    Runs,
    /// Callbacks.
    Callbacks,
}

impl Listed {
    /// The list on its own screen.
    #[must_use]
    pub fn of(id: ListId) -> Self {
        match id {
            ListId::LiveRequests | ListId::Requests => Self::Requests,
            ListId::LiveRuns | ListId::Runs => Self::Runs,
            ListId::Callbacks => Self::Callbacks,
        }
    }

    /// What it is called.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Requests => "Requests",
            Self::Runs => "Runs",
            Self::Callbacks => "Callbacks",
        }
    }
}

/// One thing that a person changed of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A path is a column.
    Pin(String),
    /// It is none any more.
    Unpin(String),
    /// A digit opens a view, or none.
    View(u8, Option<View>),
    /// A filter was typed.
    Typed(String),
}

impl Picks {
    /// Reads what was kept: what does not fit is left out, garbage is nothing.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut picks = Self::default();
        let Ok(Value::Object(all)) = serde_json::from_str::<Value>(text) else { return picks };
        let texts = |name: &str| -> Vec<String> {
            let list = all.get(name).and_then(Value::as_array);
            list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        for pin in texts("pins") {
            picks.apply(&Change::Pin(pin));
        }
        for filter in texts("history") {
            picks.apply(&Change::Typed(filter));
        }
        let views = all.get("views").and_then(Value::as_object);
        for (digit, view) in views.into_iter().flatten() {
            if let (Ok(digit), Ok(view)) = (digit.parse(), serde_json::from_value(view.clone())) {
                picks.apply(&Change::View(digit, Some(view)));
            }
        }
        picks
    }

    /// What is written.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Changes it; what does not fit changes nothing.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Pin(path) => {
                let known = self.pins.contains(path);
                if !known && self.pins.len() < PINS && pins(path) {
                    self.pins.push(path.clone());
                }
            }
            Change::Unpin(path) => self.pins.retain(|pin| pin != path),
            Change::View(digit @ 1..=9, Some(view)) => {
                let fits = view.filter.chars().count() <= LONGEST;
                let name: String = one_line(&view.name).chars().take(NAME).collect();
                if fits && !name.is_empty() {
                    self.views.insert(*digit, View { name, filter: one_line(&view.filter), ..view.clone() });
                }
            }
            Change::View(digit, None) => {
                self.views.remove(digit);
            }
            Change::View(_, Some(_)) => {}
            Change::Typed(filter) => {
                let filter = one_line(filter);
                if filter.is_empty() || filter.chars().count() > LONGEST {
                    return;
                }
                self.history.retain(|old| *old != filter);
                self.history.push(filter);
                let over = self.history.len().saturating_sub(HISTORY);
                self.history.drain(..over);
            }
        }
    }
}

/// Whether a path can be a column.
#[must_use]
pub fn pins(path: &str) -> bool {
    path.chars().count() <= LONGEST
        && path.parse::<Path>().is_ok_and(|path| ROOTS.contains(&path.root()) && !path.rest().is_empty())
}

/// As a line of text that is typed holds it.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(name: &str) -> View {
        View { name: name.to_owned(), list: Listed::Runs, filter: "state:errored".to_owned() }
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut picks = Picks::default();
        for change in [
            Change::Pin("body.ref".to_owned()),
            Change::Pin("headers[\"x-id\"]".to_owned()),
            Change::View(3, Some(view("night"))),
            Change::Typed("verdict:duplicate".to_owned()),
            Change::Typed("body.a=\"ü\u{202e}\"".to_owned()),
        ] {
            picks.apply(&change);
        }
        assert_eq!(Picks::read(&picks.text()), picks);
        picks.apply(&Change::Unpin("body.ref".to_owned()));
        picks.apply(&Change::View(3, None));
        assert_eq!((picks.pins.len(), picks.views.len()), (1, 0));
    }

    #[test]
    fn garbage_is_nothing_and_what_does_not_fit_is_left_out() {
        for text in ["", "{", "null", "[1]", "\u{0}\u{1}", "{\"pins\": 7, \"views\": [], \"history\": {}}"] {
            assert_eq!(Picks::read(text), Picks::default(), "{text:?}");
        }
        let text = r#"{"pins": ["body.a", 7, "not a path", "steps.x", "body", "body.a"],
            "views": {"0": {"name": "a", "list": "runs", "filter": ""}, "x": 1, "4": {"name": "", "list": "runs",
            "filter": ""}, "5": {"name": "b\u001b[31m", "list": "runs", "filter": "a"}, "6": {"list": "nope"}},
            "history": ["", "a", 3, "b\nc", "a"]}"#;
        let picks = Picks::read(text);
        assert_eq!(picks.pins, ["body.a"]);
        assert_eq!(picks.views.keys().copied().collect::<Vec<_>>(), [5]);
        assert_eq!(picks.views[&5].name, "b [31m");
        assert_eq!(picks.history, ["b c", "a"]);
    }

    #[test]
    fn everything_has_a_bound() {
        let mut picks = Picks::default();
        for n in 0..1_000 {
            picks.apply(&Change::Pin(format!("body.p{n}")));
            picks.apply(&Change::Typed(format!("body.p{n}=1")));
        }
        assert_eq!((picks.pins.len(), picks.history.len()), (PINS, HISTORY));
        assert_eq!(picks.history.last().map(String::as_str), Some("body.p999=1"));
        let long = "x".repeat(LONGEST + 1);
        picks.apply(&Change::Typed(long.clone()));
        picks.apply(&Change::View(1, Some(View { filter: long, ..view("a") })));
        assert_eq!((picks.history.len(), picks.views.len()), (HISTORY, 0));
        picks.apply(&Change::View(1, Some(view(&"n".repeat(200)))));
        assert_eq!(picks.views[&1].name.len(), NAME);
    }
}
