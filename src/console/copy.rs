//! Copying through the terminal: what is selected, what a capture found, and the list of what else.

use super::app::{App, ListId, Overlay, PaneId, Place, Screen, Tone};
use super::asks::{Effect, Want};
use super::curl;
use super::format::{count, size};
use super::lines::Line;
use super::menu::{Does, Entry, Menu};
use crate::model::ask::Ask;
use crate::model::id::short;
use crate::model::path::{Path, Segment, walk};
use crate::model::view::{RequestDetail, RequestView};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes that terminals take at least.
const MOST: usize = 74_000;
/// Where that is possible.
const WRITES: &str = ". {w} writes it to a file";
/// Characters of a text that are shown before it is copied.
const LOOK: usize = 60;

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
                of(self.requests.payload.current_line()).or_else(|| id(self.requests.payload.id.clone()))
            }
            Place::Payload(_) => {
                of(self.live.payload.current_line()).or_else(|| id(self.live.payload.id.clone()))
            }
            Place::Timeline(PaneId::RequestRun) => id(self.requests.run.id.clone()),
            Place::Timeline(_) => id(self.runs.run.id.clone()),
            Place::Attempt(PaneId::RequestRun) => {
                of(self.requests.run.attempt.current()).or_else(|| id(self.requests.run.id.clone()))
            }
            Place::Attempt(_) => of(self.runs.run.attempt.current()).or_else(|| id(self.runs.run.id.clone())),
            Place::Empty => self.sample_url.clone().map(|url| (url, "URL")),
            Place::Board => id(self.board.selected.clone()),
            Place::BoardPane => {
                of(self.board.pane.lines.current()).or_else(|| id(self.board.selected.clone()))
            }
            Place::Facts
                if self.tree.facts.current().is_some_and(|line| line.opens || line.whole.is_some()) =>
            {
                self.tree.facts.current().map(copied)
            }
            Place::Tree | Place::Facts => {
                let url = self.tree.flow().and_then(|flow| flow.url.clone());
                url.map(|url| (url, "URL"))
                    .or_else(|| self.tree.current().map(|node| (node.integration.clone(), "name")))
            }
            Place::Versions => self.tree.versions.of.clone().map(|name| (name, "name")),
            Place::Diff => self.tree.versions.diff.as_ref().map(|diff| (diff.diff.clone(), "difference")),
            Place::Needs | Place::Groups | Place::Overview | Place::Editor | Place::Guide => None,
        };
        let (text, what) =
            found.ok_or_else(|| "copy is not possible: there is no value and no id here".to_owned())?;
        fits(&text).map_err(|why| match self.bars_write() {
            None => self.say(&why),
            Some(_) => why.replace(WRITES, ""),
        })?;
        Ok((text, what))
    }

    /// Copies what is selected.
    pub fn copy_selected(&mut self) {
        let on_url = self.board.pane.lines.current().is_some_and(|line| line.path == super::board::pane::URL);
        if let (Place::BoardPane, true, Some(id)) = (self.place(), on_url, self.board.selected.clone()) {
            return match self.barred_reveal() {
                Some(why) => self.toast(Tone::Info, why),
                None => self.go(Does::Reveal(id)),
            };
        }
        if let Ok((text, what)) = self.selected_text() {
            self.copy(text, what);
        }
    }

    /// Why the URL of a callback cannot be had, where it cannot: it is a verb, since it is audited.
    fn barred_reveal(&self) -> Option<String> {
        let why = self.barred(super::dialog::Kind::Complete)?;
        Some(why.replacen("complete", "copying the URL", 1))
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

    pub(super) fn copy(&mut self, text: String, what: &str) {
        let long = size(text.len() as u64);
        // A terminal says nothing of what it did with it.
        let other = if self.bars_write().is_none() { " Nothing there? {w} writes a file." } else { "" };
        let other = self.say(other);
        let asks = self.options.between.asks().map_or_else(String::new, |asks| format!(" {asks}."));
        let told = format!("Sent {long} to the terminal's clipboard, as {what}.{asks}{other}");
        self.asks.effect(Effect::Copy(text));
        self.toast(Tone::Info, told);
    }

    /// What `Y` lists here.
    ///
    /// # Errors
    /// The sentence that the key says.
    pub fn copy_menu(&self) -> Result<Menu, String> {
        let (title, mut entries) = if let Some(request) = self.focused_request() {
            (short(&request.id).to_owned(), self.of_request(request))
        } else if let Some(run) = self.focused_run() {
            let id = run.id.clone();
            (format!("run {}", short(&id)), self.of_run(id))
        } else if let Some(callback) = self.focused_callback() {
            (format!("callback of {}", short(&callback.run)), self.of_callback(&callback.id, &callback.run))
        } else {
            return Err("copy as is not possible: no request and no run is selected".to_owned());
        };
        // What is too long for a terminal says which key writes it to a file.
        for entry in &mut entries {
            if let Err(why) = &mut entry.does {
                (entry.text, *why) = (self.say(&entry.text), self.say(why));
            }
        }
        Ok(Menu { title: format!("Copy · {title}"), copies: true, entries, at: 0 })
    }

    /// Opens the list of what can be copied; URLs are asked for where they are not known.
    pub fn open_copy_menu(&mut self) {
        let Ok(menu) = self.copy_menu() else { return };
        self.overlay = Some(Overlay::Menu(Box::new(menu)));
        if self.focused_request().is_some_and(|request| !self.urls.contains_key(&request.endpoint)) {
            self.asks.drop_wants(|want| *want == Want::Urls);
            self.asks.ask(Want::Urls, Ask::Endpoints);
        }
    }

    /// The URLs came: what hangs on them is offered.
    pub(super) fn known_urls(&mut self, urls: impl Iterator<Item = (String, String)>) {
        self.urls.extend(urls);
        if let (Some(Overlay::Menu(old)), Ok(mut menu)) = (&self.overlay, self.copy_menu())
            && old.copies
        {
            menu.at = old.at;
            self.overlay = Some(Overlay::Menu(Box::new(menu)));
        }
    }

    /// The selected line of a payload, where that has the focus.
    fn focused_line(&self) -> Option<&Line> {
        match self.place() {
            Place::Payload(PaneId::Payload) => self.requests.payload.current_line(),
            Place::Payload(_) => self.live.payload.current_line(),
            _ => None,
        }
    }

    /// All that is known of the request in focus, where it came already.
    fn focused_detail(&self, request: &RequestView) -> Option<&RequestDetail> {
        let payload = if self.screen == Screen::Live { &self.live.payload } else { &self.requests.payload };
        payload.detail.as_deref().filter(|detail| detail.request.id == request.id)
    }

    fn of_request(&self, request: &RequestView) -> Vec<Entry> {
        let mut entries = Vec::new();
        let detail = self.focused_detail(request);
        if let (Some(line), Some(detail)) = (self.focused_line(), detail) {
            entries.extend(of_line(line, detail));
        }
        let asking = || "copy is not possible: the store is still asked for the request".to_owned();
        let body = detail.ok_or_else(asking).and_then(body);
        // What is masked in a body stands in it as such, and makes it another length.
        let masked = body.as_ref().is_ok_and(|text| text.len() as u64 != request.size);
        let long = |text: &str| {
            if masked {
                format!("{} bytes, with its masked values", count(text.len() as u64))
            } else {
                format!("{} bytes as they came", count(request.size))
            }
        };
        let what = if masked { "body with masked values" } else { "body" };
        entries.push(entry('b', "body", body.clone(), long, what));
        let url = self.url_of(request);
        let curl = match (detail, &url, body) {
            (None, ..) => Err(asking()),
            (_, Err(why), _) => Err(why.clone()),
            (.., Err(why)) => Err(why),
            (Some(detail), Ok(url), Ok(body)) => Ok(curl::of_request(detail, url, &body)),
        };
        let masked = curl.as_ref().map_or(0, |(_, masked)| *masked);
        let secrets = match masked {
            0 => "curl".to_owned(),
            1 => "curl, 1 secret masked".to_owned(),
            many => format!("curl, {many} secrets masked"),
        };
        let told = secrets.strip_prefix("curl, ").unwrap_or("no secret in it").to_owned();
        entries.push(entry('c', "as curl", curl.map(|(text, _)| text), |_| told, &secrets));
        entries.push(entry('u', "URL", url, |url| crate::text::cut_middle(url, LOOK).into_owned(), "URL"));
        entries.push(entry('i', "id", Ok(request.id.clone()), str::to_owned, "id"));
        entries
    }

    /// The URL that a request came to, without its query.
    fn url_of(&self, request: &RequestView) -> Result<String, String> {
        let url = self.urls.get(&request.endpoint).ok_or_else(|| {
            if self.asks.awaits(|want| *want == Want::Urls) {
                "copy is not possible: the store is still asked for the URL".to_owned()
            } else {
                "copy is not possible: the endpoint is not live any more".to_owned()
            }
        })?;
        let slash = if request.path.is_empty() { "" } else { "/" };
        Ok(format!("{url}{slash}{}", request.path))
    }

    fn of_callback(&self, id: &str, run: &str) -> Vec<Entry> {
        let url = match self.barred_reveal() {
            Some(why) => Err(why),
            None => Ok(Does::Reveal(id.to_owned())),
        };
        let told = "whoever has it can finish the step; the audit trail says who asked".to_owned();
        vec![
            Entry { key: 'u', word: "URL", text: told, does: url },
            entry('i', "id", Ok(id.to_owned()), str::to_owned, "id"),
            entry('r', "run", Ok(run.to_owned()), str::to_owned, "id of the run"),
        ]
    }

    fn of_run(&self, id: String) -> Vec<Entry> {
        let pane = match self.place() {
            Place::Attempt(PaneId::RequestRun) => Some(&self.requests.run),
            Place::Attempt(_) => Some(&self.runs.run),
            _ => None,
        };
        let mut entries = Vec::new();
        if let Some((_, text)) = pane.and_then(|pane| pane.attempt.current()).and_then(Line::whole) {
            entries.push(entry('y', "value", Ok(text.to_string()), look, "value"));
        }
        let attempt = pane.and_then(|pane| pane.current_step()?.attempts.get(pane.at));
        if let Some(sent) = attempt.and_then(|attempt| attempt.request.as_ref()) {
            let text = curl::of_sent(sent);
            entries.push(entry(
                'c',
                "as curl",
                Ok(text),
                |_| "what was sent, secrets masked".to_owned(),
                "curl",
            ));
        }
        entries.push(entry('i', "id", Ok(id), str::to_owned, "id"));
        entries
    }
}

/// An entry that copies a text; `told` says what it is.
fn entry(
    key: char,
    word: &'static str,
    text: Result<String, String>,
    told: impl FnOnce(&str) -> String,
    what: &str,
) -> Entry {
    let text = text.and_then(|text| fits(&text).map(|()| text));
    match text {
        Ok(text) => Entry { key, word, text: told(&text), does: Ok(Does::Copy(text, what.to_owned())) },
        Err(why) => {
            let short = why.split_once(": ").map_or(why.as_str(), |(_, reason)| reason).to_owned();
            Entry { key, word, text: short, does: Err(why) }
        }
    }
}

/// What a line of facts gives: its URL, else its value.
fn copied(line: &Line) -> (String, &'static str) {
    let text = line.whole.as_deref().map_or_else(|| line.value.clone(), str::to_owned);
    let is_url = matches!(line.path.as_str(), super::tree::facts::URL | "alias");
    (text, if is_url { "URL" } else { "value" })
}

/// Whether a terminal takes it.
fn fits(text: &str) -> Result<(), String> {
    if text.len() <= MOST {
        return Ok(());
    }
    let long = size(text.len() as u64);
    Err(format!("copy is not possible: {long} is more than terminals take (about 74 KB){WRITES}"))
}

/// The beginning of a text.
fn look(text: &str) -> String {
    let begin: String = text.chars().take(LOOK).collect();
    if begin.len() < text.len() { format!("{begin}…") } else { begin }
}

/// What a line of a payload gives: its value or what is under it, its path, its template.
fn of_line(line: &Line, detail: &RequestDetail) -> Vec<Entry> {
    let mut entries = Vec::new();
    let Some(path) = path_of(line) else { return entries };
    if let Some((_, text)) = line.whole() {
        entries.push(entry('y', "value", Ok(text.to_string()), look, "value"));
    }
    entries.push(entry('p', "path", Ok(path.clone()), str::to_owned, "path"));
    let template = format!("{{{{ request.{path} }}}}");
    entries.push(entry('t', "template", Ok(template), str::to_owned, "template"));
    let parsed = path.parse::<Path>().ok().filter(|_| line.fold.is_some());
    if let Some(value) = parsed.and_then(|path| subtree(&path, detail)) {
        let told = format!("{path}, {}", size(value.len() as u64));
        entries.push(entry('s', "subtree", Ok(value), |_| told, "subtree"));
    }
    entries
}

/// What is under a path, as JSON: numbers keep their digits.
fn subtree(path: &Path, detail: &RequestDetail) -> Option<String> {
    match (path.root(), path.rest()) {
        ("body", rest) => walk(&detail.body, rest).map(ToString::to_string),
        ("query", [Segment::Key(name), rest @ ..]) => {
            walk(detail.query.get(name)?, rest).map(ToString::to_string)
        }
        ("query", []) => serde_json::to_string(&detail.query).ok(),
        ("headers", []) => {
            let mut folded: serde_json::Map<String, serde_json::Value> = serde_json::Map::new();
            for (name, value) in &detail.headers {
                let name = name.to_ascii_lowercase();
                let both = folded
                    .get(&name)
                    .and_then(serde_json::Value::as_str)
                    .map(|one| format!("{one}, {value}"));
                folded.insert(name, both.unwrap_or_else(|| value.clone()).into());
            }
            serde_json::to_string(&folded).ok()
        }
        _ => None,
    }
}

/// The path that a line of a payload names, as a template has it after `request.`.
pub(super) fn path_of(line: &Line) -> Option<String> {
    if line.path.is_empty() {
        return None;
    }
    // Headers of one name are lines of their own.
    if line.path.starts_with("headers\0") {
        let name = line.key.to_ascii_lowercase();
        return Some(Path(vec![Segment::Key("headers".to_owned()), Segment::Key(name)]).to_string());
    }
    // Lines of bytes have a place, and no path.
    let root = line.path.split(['.', '[']).next().unwrap_or_default();
    ["body", "headers", "query", "path", "method"].contains(&root).then(|| line.path.clone())
}

/// The body as it came, where it is text.
fn body(detail: &RequestDetail) -> Result<String, String> {
    if detail.request.is_cut() {
        let kept = size(detail.request.size);
        return Err(format!("copy is not possible: only the first {kept} of it were kept"));
    }
    let bytes = STANDARD.decode(&detail.raw).unwrap_or_default();
    String::from_utf8(bytes).map_err(|_| "copy is not possible: it is no text in UTF-8".to_owned())
}
