//! Copying through the terminal: what is selected, and what a capture found.

use super::app::{App, ListId, Overlay, PaneId, Place, Tone};
use super::asks::Effect;
use super::format::size;
use super::lines::Line;

/// Bytes that terminals take at least.
const MOST: usize = 74_000;

impl App {
    /// What `y` copies here, and what it is.
    ///
    /// # Errors
    /// The sentence that the key says.
    pub fn selected_text(&self) -> Result<(String, &'static str), String> {
        let of =
            |line: Option<&Line>| line.and_then(Line::whole).map(|(_, text)| (text.to_string(), "value"));
        let id = |id: Option<String>| id.map(|id| (id, "id"));
        let found = match self.place() {
            Place::Requests(ListId::Requests) => id(self.requests.list.selected.clone()),
            Place::Requests(_) => id(self.live.requests.selected.clone()),
            Place::Runs(ListId::Runs) => id(self.runs.list.selected.clone()),
            Place::Runs(_) => id(self.live.runs.selected.clone()),
            Place::Payload(PaneId::Payload) => {
                of(self.requests.payload.lines.current()).or_else(|| id(self.requests.payload.id.clone()))
            }
            Place::Payload(_) => {
                of(self.live.payload.lines.current()).or_else(|| id(self.live.payload.id.clone()))
            }
            Place::Timeline(PaneId::RequestRun) => id(self.requests.run.id.clone()),
            Place::Timeline(_) => id(self.runs.run.id.clone()),
            Place::Attempt(PaneId::RequestRun) => {
                of(self.requests.run.attempt.current()).or_else(|| id(self.requests.run.id.clone()))
            }
            Place::Attempt(_) => of(self.runs.run.attempt.current()).or_else(|| id(self.runs.run.id.clone())),
            Place::Empty => self.sample_url.clone().map(|url| (url, "URL")),
            Place::Needs | Place::Groups => None,
        };
        let (text, what) =
            found.ok_or_else(|| "copy is not possible: there is no value and no id here".to_owned())?;
        if text.len() > MOST {
            let long = size(text.len() as u64);
            return Err(format!("copy is not possible: {long} is more than terminals take (about 74 KB)"));
        }
        Ok((text, what))
    }

    /// Copies what is selected.
    pub fn copy_selected(&mut self) {
        if let Ok((text, what)) = self.selected_text() {
            self.copy(text, what);
        }
    }

    /// Copies what the capture's ticks make, or the selected path as a template expression.
    pub fn copy_captured(&mut self, toml: bool) {
        let Some(Overlay::Capture(table)) = &self.overlay else { return };
        let (text, what) = if toml {
            (Some(table.toml().join("\n")).filter(|text| !text.is_empty()), "lines of TOML")
        } else {
            (table.template(), "template")
        };
        if let Some(text) = text {
            return self.copy(text, what);
        }
        let why = if toml { "nothing is ticked; space ticks a path" } else { "there is no path yet" };
        self.toast(Tone::Info, format!("copy is not possible: {why}"));
    }

    fn copy(&mut self, text: String, what: &str) {
        let told = format!("Sent {} to the terminal's clipboard, as {what}.", size(text.len() as u64));
        self.asks.effect(Effect::Copy(text));
        self.toast(Tone::Info, told);
    }
}
