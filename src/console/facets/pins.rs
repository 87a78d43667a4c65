//! `p`: a path of a payload is a column of Requests, until it is taken off again.

use super::Facet;
use crate::console::app::{App, Overlay, PaneId, Place, Tone};
use crate::console::asks::Want;
use crate::console::lines::Line;
use crate::console::list::{Item as _, List};
use crate::console::menu::{Does, Entry, Menu};
use crate::console::picks::{self, Change, PINS};
use crate::console::rows::RequestRow;
use crate::model::ask::Ask;
use crate::model::path::{Path, Segment};
use crate::model::study::{Pinned, Study};
use crate::session::Link;

/// Rows whose values are asked for at once.
const ROWS: usize = 256;

/// What `p` does here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pins {
    /// Makes it a column.
    Add(String),
    /// Takes it off.
    Remove(String),
    /// Asks which one to take off.
    Choose,
}

/// The path of a line, as columns and filters have it: of a name in the query all of its values.
#[must_use]
pub fn path_of(line: &Line) -> Option<String> {
    let path = crate::console::copy::path_of(line)?;
    let parsed: Path = path.parse().ok()?;
    match (parsed.root(), parsed.rest()) {
        ("query", [Segment::Key(_), _, ..]) => Some(Path(parsed.0[..2].to_vec()).to_string()),
        _ => Some(path),
    }
}

/// The last name of a path: what its column is called.
#[must_use]
pub fn name_of(path: &str) -> String {
    let Ok(parsed) = path.parse::<Path>() else { return path.to_owned() };
    let from = parsed.0.iter().rposition(|segment| matches!(segment, Segment::Key(_))).unwrap_or(0);
    let mut name = match &parsed.0[from] {
        Segment::Key(key) => key.clone(),
        _ => String::new(),
    };
    for segment in &parsed.0[from + 1..] {
        crate::model::path::push_segment(&mut name, segment);
    }
    name
}

impl App {
    /// The selected line of the payload in focus.
    pub(super) fn payload_line(&self) -> Option<&Line> {
        match self.place() {
            Place::Payload(PaneId::Payload) => self.requests.payload.lines.current(),
            Place::Payload(_) => self.live.payload.lines.current(),
            _ => None,
        }
    }

    /// The path of the value that is selected in a payload.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn leaf_here(&self) -> Result<String, String> {
        self.leaf().map_err(|why| self.say(why))
    }

    fn leaf(&self) -> Result<String, &'static str> {
        if !self.in_payload() {
            return Err("it takes a value of a payload; tab goes to one");
        }
        let Some(line) = self.payload_line() else { return Err("there is no request here") };
        if line.fold.is_some() {
            return Err("several values stand here; it takes one of them");
        }
        match path_of(line).filter(|path| picks::pins(path)) {
            Some(path) => Ok(path),
            None => Err("this is no value of body, headers or query; {v} goes to the tree"),
        }
    }

    /// What `p` does here.
    ///
    /// # Errors
    /// The sentence that the key says where it cannot act.
    pub fn pinned_here(&self) -> Result<Pins, String> {
        let pins = &self.picks.pins;
        if matches!(self.place(), Place::Requests(_)) && !pins.is_empty() {
            return Ok(Pins::Choose);
        }
        let path = self.leaf_here().map_err(|why| format!("pin is not possible: {why}"))?;
        if pins.contains(&path) {
            return Ok(Pins::Remove(path));
        }
        if pins.len() >= PINS {
            return Err(format!(
                "pin is not possible: {PINS} paths are pinned, the most; {} on the list takes one off",
                self.say("{p}")
            ));
        }
        Ok(Pins::Add(path))
    }

    /// Does it.
    pub(super) fn toggle_pin(&mut self) {
        match self.pinned_here() {
            Err(why) => self.toast(Tone::Info, why),
            Ok(Pins::Add(path)) => {
                self.pick(Change::Pin(path.clone()));
                self.mark_pins();
                let p = self.say("{p}");
                self.toast(Tone::Info, format!("{path} is a column of Requests; {p} again takes it off."));
            }
            Ok(Pins::Remove(path)) => self.unpin(path),
            Ok(Pins::Choose) => {
                let entry = |(key, path): (char, &String)| Entry {
                    key,
                    word: "take off",
                    text: path.clone(),
                    does: Ok(Does::Unpin(path.clone())),
                };
                let entries = ('1'..='9').zip(&self.picks.pins).map(entry).collect();
                let title = "Pinned paths".to_owned();
                self.overlay = Some(Overlay::Menu(Box::new(Menu { title, copies: false, entries, at: 0 })));
            }
        }
    }

    /// A path is no column any more.
    pub(in crate::console) fn unpin(&mut self, path: String) {
        self.toast(Tone::Info, format!("{path} is no column any more."));
        for list in [&mut self.live.requests, &mut self.requests.list] {
            for row in list.rows.iter_mut().chain(&mut list.held) {
                row.view.pinned.remove(&path);
            }
        }
        self.pick(Change::Unpin(path));
        self.mark_pins();
    }

    /// The payloads show which of their paths are pinned.
    pub(in crate::console) fn mark_pins(&mut self) {
        self.live.payload.set_pins(&self.picks.pins);
        self.requests.payload.set_pins(&self.picks.pins);
    }

    /// Asks for pinned values of rows that are shown and were there before the pin.
    pub(in crate::console) fn ask_for_pins(&mut self) {
        let pins = &self.picks.pins;
        if pins.is_empty() || self.link.0 != Link::Live {
            return;
        }
        if self.asks.awaits(|want| *want == Want::Facet(Facet::Pinned)) {
            return;
        }
        let lacks = |row: &&RequestRow| pins.iter().any(|pin| !row.view.pinned.contains_key(pin));
        let list = match self.screen {
            crate::console::app::Screen::Live => &self.live.requests,
            crate::console::app::Screen::Requests => &self.requests.list,
            _ => return,
        };
        let ids: Vec<String> =
            list.visible().filter(lacks).take(ROWS).map(|row| row.id().to_owned()).collect();
        if ids.is_empty() {
            return;
        }
        let study = Study::Pinned { ids, pins: pins.clone() };
        self.asks.ask(Want::Facet(Facet::Pinned), Ask::Study(study));
    }

    /// The values came.
    pub(super) fn pins_found(&mut self, rows: Vec<(String, Pinned)>) {
        for (id, mut pinned) in rows {
            // A path that was taken off meanwhile is not asked for again when it comes back.
            pinned.retain(|path, _| self.picks.pins.contains(path));
            for list in [&mut self.live.requests, &mut self.requests.list] {
                if let Some(row) = row_of(list, &id) {
                    row.view.pinned.extend(pinned.clone());
                }
            }
        }
    }

    /// They do not come: those rows go without.
    pub(super) fn pins_refused(&mut self) {
        let pins = self.picks.pins.clone();
        for list in [&mut self.live.requests, &mut self.requests.list] {
            for row in &mut list.rows {
                for pin in &pins {
                    row.view.pinned.entry(pin.clone()).or_insert(None);
                }
            }
        }
    }
}

fn row_of<'l>(list: &'l mut List<RequestRow>, id: &str) -> Option<&'l mut RequestRow> {
    let at = list.rows.binary_search_by(|row| row.id().cmp(id)).ok()?;
    list.rows.get_mut(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_called_by_the_last_name_of_its_path() {
        for (path, name) in [
            ("body.ref", "ref"),
            ("body.products[0].name", "name"),
            ("body.tags[2]", "tags[2]"),
            ("headers[\"x-id\"]", "x-id"),
            ("body[\"a.b\"][0][1]", "a.b[0][1]"),
        ] {
            assert_eq!(name_of(path), name);
        }
    }

    #[test]
    fn a_name_of_the_query_is_pinned_with_all_its_values() {
        let line = |path: &str| Line { path: path.to_owned(), key: "X-A".to_owned(), ..Line::default() };
        assert_eq!(path_of(&line("query.page[1]")).as_deref(), Some("query.page"));
        assert_eq!(path_of(&line("body.a[1]")).as_deref(), Some("body.a[1]"));
        assert_eq!(path_of(&line("headers\u{0}3")).as_deref(), Some("headers[\"x-a\"]"));
    }
}
