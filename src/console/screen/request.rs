//! What stands over the payload of an opened request: when it came and from whom, what was answered,
//! and where it leads.

use crate::console::action::Action;
use crate::console::app::{App, Screen};
use crate::console::format::{exact, size};
use crate::console::glyphs;
use crate::console::layout::Pane;
use crate::console::paint::{Paint, clean, width};
use crate::console::theme::Role;
use crate::model::id::short;
use crate::model::time::parse_rfc3339;
use crate::model::view::RequestDetail;
use ratatui::layout::Rect;

/// Cells of a label, with the gap after it.
const LABEL: u16 = 11;
/// Cells between two parts of a line.
const GAP: u16 = 3;

/// In fewer rows the payload has all of them.
const LEAST: u16 = 12;

/// A part of a line that is not broken: a key of ours where it is chosen by one, and what it says.
struct Part {
    key: String,
    text: String,
    role: Role,
}

impl Part {
    fn new(text: impl Into<String>, role: Role) -> Self {
        Self { key: String::new(), text: text.into(), role }
    }

    fn cells(&self) -> u16 {
        width(&self.key) + u16::from(!self.key.is_empty()) + width(&self.text)
    }
}

/// A line: its label, and its parts.
type Line = (&'static str, Vec<Part>);

/// Rows that the facts of the opened request take in an area, their rule among them; none where no
/// request is opened or known, in a low area, and never over a third of it.
#[must_use]
pub fn height(app: &App, area: Rect) -> u16 {
    if app.screen != Screen::Requests || app.requests.opened.is_none() {
        return 0;
    }
    if area.height < LEAST {
        return 0;
    }
    let Some(detail) = app.requests.payload.detail.as_deref() else { return 0 };
    let rows = u16::try_from(lines(app, detail, area.width).len()).unwrap_or(u16::MAX);
    rows.saturating_add(1).min(area.height / 3)
}

/// Draws them.
pub fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let Some(detail) = app.requests.payload.detail.as_deref().filter(|_| area.height > 0) else { return };
    let request = &detail.request;
    let pane = Pane::of(area);
    let (glyph, _) = glyphs::verdict(request.verdict);
    let version = detail.version.map_or_else(String::new, |version| format!(" · v{version}"));
    let title = format!(
        "{} {glyph} {} · {} / {}{version}",
        short(&request.id),
        request.verdict.word(),
        request.integration,
        request.flow
    );
    paint.rule(pane.rule, &title, "", false);
    for (y, (label, parts)) in (pane.body.y..pane.body.bottom()).zip(lines(app, detail, area.width)) {
        paint.put(area.x + 1, y, LABEL - 1, label, Role::Muted);
        let mut x = area.x + 1 + LABEL;
        let right = area.right().saturating_sub(1);
        for part in parts {
            if !part.key.is_empty() {
                x = paint.put(x, y, right.saturating_sub(x), &part.key, Role::Key) + 1;
            }
            x = paint.foreign(x, y, right.saturating_sub(x), &part.text, part.role) + GAP;
        }
    }
}

/// The lines in so many cells.
fn lines(app: &App, detail: &RequestDetail, cells: u16) -> Vec<Line> {
    let request = &detail.request;
    let zone = &app.options.zone;
    let at = parse_rfc3339(&request.time).map_or_else(|| request.time.clone(), |at| exact(at, zone));
    let mut came = vec![Part::new(at, Role::Text)];
    let made = request.made_by();
    if let Some(by) = &made {
        came.push(Part::new(clean(by), Role::Info));
    } else {
        let from = request.from.as_deref().map(|from| format!("from {from}"));
        let actor = request.actor.as_deref().map(|actor| format!("as {actor}"));
        let said: Vec<String> = from.into_iter().chain(actor).collect();
        if !said.is_empty() {
            came.push(Part::new(clean(&said.join(" ")), Role::Text));
        }
    }
    let answered = match (request.status, &made) {
        (Some(status), _) => status.to_string(),
        (None, Some(_)) => "nobody: no sender sent it".to_owned(),
        (None, None) => "nothing yet, or its sender went away".to_owned(),
    };
    let mut answer = vec![Part::new(answered, Role::Text)];
    if let Some(target) = &detail.target {
        answer.push(Part::new(clean(&format!("{} {target}", request.method)), Role::Text));
    }
    answer.push(Part::new(size(request.size), Role::Text));
    if !request.marks.is_empty() {
        answer.push(Part::new(request.marks.join(" "), Role::Muted));
    }
    let keymap = &app.options.keymap;
    let links = app.request_links(request);
    let one = links.len() == 1;
    let numbered = ('1'..='9').zip(links).map(|(digit, (word, text, _))| Part {
        key: if one { keymap.named(Action::Links) } else { digit.to_string() },
        text: clean(&format!("{word} {text}")).trim_end().to_owned(),
        role: Role::Text,
    });
    let mut told = Vec::new();
    wrap(if made.is_some() { "made" } else { "arrived" }, came, cells, &mut told);
    wrap("answered", answer, cells, &mut told);
    let leads = if one || keymap.key(Action::Links) != "o" { "go to" } else { "o go to" };
    wrap(leads, numbered.collect(), cells, &mut told);
    told
}

/// Parts in as many lines as they take.
fn wrap(label: &'static str, parts: Vec<Part>, cells: u16, lines: &mut Vec<Line>) {
    let room = cells.saturating_sub(LABEL + 2);
    let (mut line, mut taken) = ((label, Vec::new()), 0);
    for part in parts {
        let wide = part.cells();
        if taken > 0 && taken + GAP + wide > room {
            lines.push(std::mem::take(&mut line));
            taken = 0;
        }
        taken += wide + if taken > 0 { GAP } else { 0 };
        line.1.push(part);
    }
    lines.push(line);
}
