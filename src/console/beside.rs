//! Two requests beside each other: the paths of both, and where they differ.

use super::app::{App, ListId, Overlay, PaneId, Place, Screen};
use super::asks::Want;
use super::key::Key;
use super::payload::value_text;
use super::theme::Role;
use crate::console::action::Action;
use crate::model::ask::Ask;
use crate::model::request::Verdict;
use crate::model::view::{RequestDetail, RequestView};
use crate::rules::explain::same;
use crate::text::clean;
use serde_json::Value;

/// Paths that are compared at most; more are said to be left out.
const MOST: usize = 20_000;

/// A path of either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `≠`, `+` (the later one alone has it) or `-`; none where they are the same.
    pub mark: Option<(&'static str, Role)>,
    /// As a template expression after `request.`.
    pub path: String,
    /// The value of the earlier one, cleaned, in a line.
    pub first: String,
    /// That of the later one.
    pub second: String,
}

/// Two requests beside each other.
#[derive(Debug)]
pub struct Beside {
    /// The earlier one.
    pub first: String,
    /// The later one.
    pub second: String,
    /// What is known of them.
    pub details: (Option<Box<RequestDetail>>, Option<Box<RequestDetail>>),
    /// Paths that are the same are shown too.
    pub all: bool,
    /// Why they cannot be shown.
    pub trouble: Option<String>,
    /// Every path of either, in the order of the later one.
    pub rows: Vec<Row>,
    /// The first drawn row.
    pub top: usize,
}

impl Beside {
    /// Of two ids, in any order: ids begin with their time.
    #[must_use]
    pub fn new(one: String, other: String) -> Self {
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        Self { first, second, details: (None, None), all: false, trouble: None, rows: Vec::new(), top: 0 }
    }

    /// Whether both are there.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.details.0.is_some() && self.details.1.is_some()
    }

    /// The rows that are shown.
    pub fn shown(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| self.all || row.mark.is_some())
    }

    /// How many differ.
    #[must_use]
    pub fn differing(&self) -> usize {
        self.rows.iter().filter(|row| row.mark.is_some()).count()
    }

    /// Takes one of the two in.
    pub fn install(&mut self, detail: Box<RequestDetail>) {
        if detail.request.id == self.first {
            self.details.0 = Some(detail);
        } else {
            self.details.1 = Some(detail);
        }
        if let (Some(first), Some(second)) = &self.details {
            self.rows = rows(first, second);
        }
    }
}

fn rows(first: &RequestDetail, second: &RequestDetail) -> Vec<Row> {
    let line = |value: Option<&Value>| match value {
        Some(value) => clean(&value_text(value).1).into_owned(),
        None => "not there".to_owned(),
    };
    let row = |path: &String, there: Option<&Value>, here: Option<&Value>| {
        let mark = match (there, here) {
            (Some(there), Some(here)) if same(there, here) => None,
            (Some(_), Some(_)) => Some(("≠", Role::Warn)),
            (None, _) => Some(("+", Role::Added)),
            (_, None) => Some(("-", Role::Removed)),
        };
        Row { mark, path: path.clone(), first: line(there), second: line(here) }
    };
    let later = second.flat.iter().map(|(path, here)| row(path, first.flat.get(path), Some(here)));
    let gone = first.flat.iter().filter(|(path, _)| !second.flat.contains_key(*path));
    later.chain(gone.map(|(path, there)| row(path, Some(there), None))).take(MOST).collect()
}

impl App {
    /// The request that the focus is on, as lists show it.
    #[must_use]
    pub fn focused_request(&self) -> Option<&RequestView> {
        match self.place() {
            Place::Requests(ListId::Requests) => self.requests.list.current().map(|row| &row.view),
            Place::Payload(PaneId::Payload) => {
                let payload = &self.requests.payload;
                payload.detail.as_ref().filter(|_| payload.is_current()).map(|detail| &detail.request)
            }
            Place::Requests(_) | Place::Payload(_) if self.screen == Screen::Live => {
                self.live.requests.current().map(|row| &row.view)
            }
            _ => None,
        }
    }

    /// The two requests that `d` sets beside each other: the marked ones, else a duplicate and its
    /// first, a refusal and the last that passed before it.
    ///
    /// # Errors
    /// The sentence that the key says.
    pub fn two_requests(&self) -> Result<(String, String), String> {
        let marks = match self.place() {
            Place::Requests(ListId::Requests) => &self.requests.list.marks,
            Place::Requests(_) => &self.live.requests.marks,
            Place::Payload(_) => return self.with_its_first(),
            _ => return Err("diff is not possible: it compares requests, and this is none".to_owned()),
        };
        let mut ids = marks.iter();
        match (ids.next(), ids.next(), ids.next()) {
            (Some(one), Some(other), None) => Ok((one.clone(), other.clone())),
            (None, ..) => self.with_its_first(),
            _ => Err(format!("diff is not possible: it takes two requests, {} marked", marks.len())),
        }
    }

    /// A duplicate and its first, a refusal and the last that passed before it.
    fn with_its_first(&self) -> Result<(String, String), String> {
        let request = self
            .focused_request()
            .ok_or_else(|| "diff is not possible: no request is selected".to_owned())?;
        if request.verdict == Verdict::Rejected {
            let like = self.explained().and_then(|explain| explain.like.as_ref()).ok_or_else(|| {
                "diff is not possible: the store is still asked for the last that passed".to_owned()
            })?;
            let passed = like.passed.as_ref().ok_or_else(|| {
                "diff is not possible: none passed before it at this flow; mark two first".to_owned()
            })?;
            return Ok((passed.request.clone(), request.id.clone()));
        }
        let first = request.duplicate_of.clone();
        let first = first.ok_or_else(|| {
            "diff is not possible: mark two first, or go to a duplicate or a refusal".to_owned()
        })?;
        Ok((first, request.id.clone()))
    }

    /// Sets two requests beside each other.
    pub fn open_beside(&mut self) {
        let Ok((one, other)) = self.two_requests() else { return };
        let beside = Beside::new(one, other);
        for id in [&beside.first, &beside.second] {
            self.asks.ask(Want::Beside(id.clone()), Ask::Request { id: id.clone() });
        }
        self.overlay = Some(Overlay::Beside(Box::new(beside)));
    }

    /// A key while two requests are beside each other.
    pub fn beside_key(&mut self, key: Key) {
        let Some(Overlay::Beside(beside)) = &mut self.overlay else { return };
        let last = beside.shown().count().saturating_sub(1);
        match (key.code, self.options.keymap.action_of(key)) {
            (_, Some(Action::Difference)) => {
                beside.all = !beside.all;
                beside.top = 0;
            }
            (_, Some(Action::Down)) => beside.top = (beside.top + 1).min(last),
            (_, Some(Action::Up)) => beside.top = beside.top.saturating_sub(1),
            (_, Some(Action::PageDown)) => beside.top = (beside.top + 10).min(last),
            (_, Some(Action::PageUp)) => beside.top = beside.top.saturating_sub(10),
            (_, Some(Action::Top)) => beside.top = 0,
            (_, Some(Action::Bottom)) => beside.top = last,
            (_, Some(Action::Back | Action::Quit)) => self.overlay = None,
            (_, Some(Action::Interrupt | Action::Suspend | Action::Redraw)) => self.global(key),
            _ => self.refuse_key(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn detail(id: &str, flat: &Value) -> Box<RequestDetail> {
        let view = json!({
            "id": id, "time": "", "integration": "", "flow": "", "endpoint": "", "method": "POST", "path": "",
            "verdict": "accepted", "status": 200, "cause": null, "dedup_key": null, "duplicate_of": null,
            "runs": [], "size": 0, "actor": null, "from": null, "test": false, "marks": [], "what": "",
            "headers": [], "query": {}, "body": null, "flat": flat, "raw": "", "answer": null,
        });
        Box::new(serde_json::from_value(view).unwrap())
    }

    #[test]
    fn what_differs_is_marked_and_what_is_the_same_is_shown_when_asked_for() {
        let mut beside = Beside::new("b".to_owned(), "a".to_owned());
        assert_eq!((beside.first.as_str(), beside.second.as_str()), ("a", "b"));
        beside
            .install(detail("b", &json!({"body.n": 1.0, "body.x": "new", "body.same": null, "body.k": "2"})));
        assert!(!beside.is_known() && beside.rows.is_empty());
        beside.install(detail("a", &json!({"body.n": 1, "body.gone": [], "body.same": null, "body.k": 2})));
        let marks: Vec<(&str, &str)> =
            beside.shown().map(|row| (row.mark.map_or(" ", |(mark, _)| mark), row.path.as_str())).collect();
        assert_eq!(marks, [("+", "body.x"), ("≠", "body.k"), ("-", "body.gone")]);
        assert_eq!((beside.rows[3].first.as_str(), beside.rows[3].second.as_str()), ("2", "\"2\""));
        assert_eq!(beside.rows[4].second, "not there");
        beside.all = true;
        assert_eq!((beside.shown().count(), beside.differing()), (5, 3));
    }
}
