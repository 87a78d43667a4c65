//! `w`: a payload, or a value of it, as a file on this machine; `O`: a payload in the person's pager.

use crate::console::app::{App, Overlay, PaneId, Place, Screen, Tone};
use crate::console::asks::Effect;
use crate::console::edit::Edit;
use crate::console::format::{count, size};
use crate::console::input::edit_key;
use crate::console::key::Key;
use crate::console::payload::{View, hex_dump};
use crate::model::headers::Headers;
use crate::model::id::short;
use crate::model::path::{Path, walk};
use crate::model::view::RequestDetail;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crossterm::event::KeyCode;
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::Arc;

/// Letters of a path in the name of a file.
const NAME: usize = 40;

/// Something that can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is, in words.
    pub told: String,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// The name that is proposed.
    pub name: String,
}

/// What is about to be written, and where.
#[derive(Debug)]
pub struct Writing {
    /// What can be written.
    pub parts: Vec<Part>,
    /// The chosen one.
    pub at: usize,
    /// The name of the file.
    pub edit: Edit,
    typed: bool,
    /// It is being written.
    pub busy: bool,
    /// Why it was not.
    pub trouble: Option<String>,
    /// The file that is there already, and whether that was seen: `enter` then writes over it.
    over: Option<(String, bool)>,
}

/// Why a file was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unwritten {
    /// There is a file of that name, of so many bytes.
    There(u64),
    /// Something else, in words.
    Failed(String),
}

impl Writing {
    fn new(parts: Vec<Part>) -> Self {
        let edit = parts.first().map(|part| Edit::with(&part.name)).unwrap_or_default();
        Self { parts, at: 0, edit, typed: false, busy: false, trouble: None, over: None }
    }

    /// The chosen part.
    #[must_use]
    pub fn part(&self) -> Option<&Part> {
        self.parts.get(self.at)
    }

    /// Where the name is typed: what was said of another one is gone.
    pub fn typing(&mut self) -> &mut Edit {
        self.typed = true;
        self.trouble = None;
        self.over = None;
        &mut self.edit
    }

    /// A frame that says what is there was shown.
    pub fn flushed(&mut self) {
        if let Some((_, seen)) = &mut self.over {
            *seen = true;
        }
    }

    /// Whether `enter` writes over a file now.
    #[must_use]
    pub fn writes_over(&self) -> bool {
        self.over.as_ref().is_some_and(|(name, seen)| *seen && *name == self.edit.text())
    }

    fn choose(&mut self, by: usize) {
        self.at = (self.at + by) % self.parts.len().max(1);
        self.trouble = None;
        self.over = None;
        if let Some(part) = self.parts.get(self.at).filter(|_| !self.typed) {
            self.edit = Edit::with(&part.name);
        }
    }
}

impl App {
    /// The request whose payload is meant here, where it is known whole.
    fn whole_request(&self) -> Result<&RequestDetail, &'static str> {
        let payload = match (self.place(), self.screen) {
            (Place::Payload(PaneId::LivePayload) | Place::Requests(_), Screen::Live) => &self.live.payload,
            (Place::Payload(_) | Place::Requests(_), _) => &self.requests.payload,
            _ => return Err("it takes a payload; tab goes to one"),
        };
        match &payload.detail {
            Some(detail) if payload.is_current() => Ok(detail),
            _ if payload.id.is_some() => Err("the store is still asked for the request"),
            _ => Err("there is no request here"),
        }
    }

    /// Why `w` cannot write here, if so; nothing is read for it.
    #[must_use]
    pub fn bars_write(&self) -> Option<String> {
        match self.place() {
            Place::Attempt(_) => self.attempt_part().err(),
            _ => self.whole_request().err().map(|why| format!("write is not possible: {why}")),
        }
    }

    /// What `w` can write here.
    ///
    /// # Errors
    /// The sentence that the key says where it cannot act.
    pub fn written_here(&self) -> Result<Vec<Part>, String> {
        if let Place::Attempt(_) = self.place() {
            return self.attempt_part();
        }
        let detail = self.whole_request().map_err(|why| format!("write is not possible: {why}"))?;
        let mut parts = Vec::new();
        if let Some(line) = self.payload_line()
            && let Some(path) = super::pins::path_of(line)
        {
            parts.extend(value_part(detail, &path, line.whole().map(|(_, text)| text)));
        }
        parts.push(body_part(detail).map_err(|why| format!("write is not possible: {why}"))?);
        Ok(parts)
    }

    /// A value of an attempt of a run.
    fn attempt_part(&self) -> Result<Vec<Part>, String> {
        let pane = match self.place() {
            Place::Attempt(PaneId::RequestRun) => &self.requests.run,
            _ => &self.runs.run,
        };
        let found = pane.attempt.current().and_then(crate::console::lines::Line::whole);
        let (Some((title, text)), Some(run)) = (found, &pane.id) else {
            return Err("write is not possible: this line has no value".to_owned());
        };
        let name = format!("run-{}-{}.txt", short(run), slug(&title));
        let told = format!("{title}, {}", size(text.len() as u64));
        Ok(vec![Part { told, bytes: text.as_bytes().into(), name }])
    }

    /// Opens the box that asks for a name.
    pub(super) fn open_write(&mut self) {
        match self.written_here() {
            Ok(parts) => self.overlay = Some(Overlay::Write(Box::new(Writing::new(parts)))),
            Err(why) => self.toast(Tone::Info, why),
        }
    }

    /// A key while it is open.
    pub fn write_key(&mut self, key: Key) {
        let Some(Overlay::Write(open)) = &mut self.overlay else { return };
        let parts = open.parts.len();
        match (key.code, key.ctrl) {
            // What is being written is not taken back by going away: its end is told.
            (KeyCode::Esc, _) => self.overlay = None,
            (KeyCode::Char('c' | 'z' | 'l'), true) => self.global(key),
            _ if open.busy => {}
            (KeyCode::Tab | KeyCode::Down, _) => open.choose(1),
            (KeyCode::BackTab | KeyCode::Up, _) => open.choose(parts.saturating_sub(1)),
            (KeyCode::Enter, _) => self.write_now(),
            _ => {
                if edit_key(&mut open.edit, key) {
                    open.typing();
                }
            }
        }
    }

    fn write_now(&mut self) {
        let Some(Overlay::Write(open)) = &mut self.overlay else { return };
        let name = open.edit.text();
        if name.trim().is_empty() {
            open.trouble = Some("type the name of a file".to_owned());
            return;
        }
        // What is there is told first; type-ahead does not write over it.
        if open.over.is_some() && !open.writes_over() {
            return;
        }
        let Some(part) = open.part() else { return };
        let effect = Effect::Write { path: name, bytes: Arc::clone(&part.bytes), over: open.writes_over() };
        open.busy = true;
        open.trouble = None;
        self.asks.effect(effect);
    }

    /// A file was written, or was not.
    pub fn wrote(&mut self, name: &str, done: Result<(String, u64), Unwritten>) {
        let open = match &mut self.overlay {
            Some(Overlay::Write(open)) if open.busy => Some(open),
            _ => None,
        };
        match (done, open) {
            (Ok((path, bytes)), open) => {
                if open.is_some() {
                    self.overlay = None;
                }
                self.toast(Tone::Good, format!("Wrote {} bytes to {path}.", count(bytes)));
            }
            (Err(Unwritten::There(bytes)), Some(open)) => {
                open.busy = false;
                open.over = Some((name.to_owned(), false));
                open.trouble = Some(format!(
                    "{name} is there already, {}: another name, or enter again writes over it",
                    size(bytes)
                ));
            }
            (Err(Unwritten::Failed(why)), Some(open)) => {
                open.busy = false;
                open.trouble = Some(why);
            }
            (Err(Unwritten::There(_)), None) => {
                self.toast(Tone::Bad, format!("nothing was written: {name} is there already"));
            }
            (Err(Unwritten::Failed(why)), None) => self.toast(Tone::Bad, why),
        }
        self.touch(crate::console::app::Dirt::Input);
    }

    /// Why `O` cannot show anything here, if so; nothing is read for it.
    #[must_use]
    pub fn bars_pager(&self) -> Option<String> {
        let said = |why: &str| Some(format!("outside is not possible: {why}"));
        if !self.in_payload() {
            return said(&self.say("nothing is being edited and no payload has the focus; {e} edits"));
        }
        self.whole_request().err().and_then(said)
    }

    /// What `O` shows here: the name of the file, and its text, cleaned.
    ///
    /// # Errors
    /// The sentence that the key says where it cannot act.
    pub fn paged_here(&self) -> Result<(String, String), String> {
        let said = |why: &str| format!("outside is not possible: {why}");
        if let Some(why) = self.bars_pager() {
            return Err(why);
        }
        let detail = self.whole_request().map_err(said)?;
        let payload = if self.place() == Place::Payload(PaneId::Payload) {
            &self.requests.payload
        } else {
            &self.live.payload
        };
        let bytes = STANDARD.decode(&detail.raw).map_err(|_| said("the body could not be read"))?;
        let text = match payload.view() {
            View::Hex => hex_dump(&bytes),
            View::Tree | View::Flat if !detail.body.is_null() => {
                serde_json::to_string_pretty(&detail.body).unwrap_or_default()
            }
            _ => spelt(&bytes),
        };
        let mut clean = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
            let _ = write!(clean, "{}{end}", crate::text::clean(line));
        }
        Ok((format!("{}.txt", short(&detail.request.id)), clean))
    }

    /// Shows it there.
    pub(super) fn page_outside(&mut self) {
        match self.paged_here() {
            Ok((name, text)) => self.asks.effect(Effect::Pager { name, text }),
            Err(why) => self.toast(Tone::Info, why),
        }
    }
}

/// Bytes as text; what is none is spelt out.
fn spelt(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "‹0x{byte:02X}›");
        }
    }
    text
}

/// The selected value: a text as it is, else its JSON.
fn value_part(detail: &RequestDetail, path: &str, shown: Option<Arc<str>>) -> Option<Part> {
    let parsed: Path = path.parse().ok().filter(|path: &Path| !path.rest().is_empty())?;
    let found = match parsed.root() {
        "body" => walk(&detail.body, parsed.rest()).cloned(),
        _ => shown.map(|text| Value::String(text.to_string())),
    }?;
    let (text, end) = match found {
        Value::String(text) => (text, "txt"),
        other => (other.to_string(), "json"),
    };
    let name = format!("request-{}-{}.{end}", short(&detail.request.id), slug(path));
    let told = format!("{path}, {} bytes", count(text.len() as u64));
    Some(Part { told, bytes: text.into_bytes().into(), name })
}

/// The body as it came.
fn body_part(detail: &RequestDetail) -> Result<Part, &'static str> {
    let bytes = STANDARD.decode(&detail.raw).map_err(|_| "the body could not be read")?;
    let headers =
        Headers::from_pairs(detail.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let kind = headers.get("content-type").unwrap_or_default().to_ascii_lowercase();
    let end = if !detail.body.is_null() || kind.contains("json") {
        "json"
    } else if kind.contains("xml") {
        "xml"
    } else if std::str::from_utf8(&bytes).is_ok() {
        "txt"
    } else {
        "bin"
    };
    let long = count(bytes.len() as u64);
    // A body that was cut is no body as it came.
    let cut = crate::console::why::kept(detail).map(|kept| format!("; {kept}")).unwrap_or_default();
    let mask = crate::rules::mask::MASK.as_bytes();
    let masked = bytes.windows(mask.len()).any(|part| part == mask);
    let came = if masked { "••• for masked values" } else { "as they came" };
    Ok(Part {
        told: format!("body, {long} bytes {came}{cut}"),
        bytes: bytes.into(),
        name: format!("request-{}.{end}", short(&detail.request.id)),
    })
}

/// A path as a part of a file's name.
fn slug(path: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '-' };
    let text: String = path.chars().map(plain).take(NAME).collect();
    text.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_file_has_nothing_that_leads_elsewhere() {
        assert_eq!(slug("body.products[0].name"), "body-products-0-name");
        assert_eq!(slug("body[\"../../etc\"]"), "body-etc");
        assert_eq!(slug(&"x".repeat(100)).len(), NAME);
    }

    #[test]
    fn bytes_that_are_no_text_are_spelt() {
        assert_eq!(spelt(b"a\xffb"), "a‹0xFF›b");
    }

    #[test]
    fn a_file_that_is_there_is_written_over_only_once_that_was_seen() {
        let part =
            |name: &str| Part { told: String::new(), bytes: Arc::from(&b"x"[..]), name: name.to_owned() };
        let mut open = Writing::new(vec![part("a.json"), part("b.json")]);
        open.over = Some(("a.json".to_owned(), false));
        assert!(!open.writes_over());
        open.flushed();
        assert!(open.writes_over());
        open.typing().insert("2");
        assert!(!open.writes_over(), "another name");
        open.choose(1);
        assert_eq!(open.edit.text(), "a.json2", "what was typed stays");
    }
}
