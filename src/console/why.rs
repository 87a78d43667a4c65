//! Why a request was judged so: a duplicate beside its first, the autopsy of a refusal.

use super::format::{clock, count, exact};
use super::lines::Line;
use super::payload::value_text;
use super::screen::{filled, wrapped};
use super::theme::Role;
use super::whole::folded;
use crate::model::request::Verdict;
use crate::model::time::{DAY, Ms, parse_rfc3339};
use crate::model::view::{ExplainView, FieldView, RequestDetail};
use crate::rules::autopsy::Kept;
use crate::text::{clean, pad};
use jiff::tz::TimeZone;

/// Cells of a label.
const LABEL: usize = 10;
/// What parts one check from the next.
const GAP: &str = "   ";
/// Cells of the first of two values beside each other.
const BESIDE: usize = 34;

/// `first 64 KiB of 6.3 MiB kept`, where the body was cut.
#[must_use]
pub fn kept(detail: &RequestDetail) -> Option<String> {
    let request = &detail.request;
    if !request.is_cut() {
        return None;
    }
    let declared = detail.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let declared = declared.and_then(|(_, value)| value.trim().parse::<u64>().ok());
    Some(Kept { len: request.size, declared }.short())
}

/// What stands behind a verdict that is told in two lines.
const MORE: &str = "enter why";

/// In two lines of so many cells, over the flat view: what happened, once, and in what is left what else
/// is known of it. What does not fit whole is left to the key that tells all.
pub fn brief(detail: &RequestDetail, explain: Option<&ExplainView>, cells: u16, lines: &mut Vec<Line>) {
    let request = &detail.request;
    let (glyph, role) = super::glyphs::verdict(request.verdict);
    let text = match (request.verdict, &request.duplicate_of) {
        (Verdict::Duplicate, Some(first)) => {
            let same: Vec<&str> = explain.iter().flat_map(|e| &e.fields).map(|f| f.path.as_str()).collect();
            let same = if same.is_empty() { String::new() } else { format!("; same {}", same.join(" and ")) };
            format!("duplicate of {}{same}", crate::model::id::short(first))
        }
        (verdict, _) => {
            format!("{}: {}", verdict.word(), request.cause.as_deref().unwrap_or("no cause is stored"))
        }
    };
    let text = clean(&text);
    // A margin on each side, and the glyph before the first line.
    let room = cells.saturating_sub(3).max(8);
    // Two letters stand for the glyph.
    let mut told = wrapped(&format!("__{text}"), room);
    let first = told.remove(0).split_off(2);
    let first = crate::text::cut_end(&first, usize::from(room.saturating_sub(2))).into_owned();
    lines.push(Line { glyph: Some((glyph, role)), ..Line::text(first, Role::Text) });
    let rest = told.join(" ");
    let fits = |text: &str| crate::text::width(text) <= usize::from(room);
    let second = if rest.is_empty() {
        let likely = explain.and_then(|explain| explain.told.iter().find(|(label, _)| label == "likely"));
        let next = likely.map(|(_, text)| text).or_else(|| explain.and_then(|explain| explain.why.first()));
        // The cause is said already.
        let cause = request.cause.as_deref().unwrap_or_default();
        let next = next.filter(|next| likely.is_some() || cause.is_empty() || !next.contains(cause));
        let next = next.map(|next| clean(next).into_owned()).unwrap_or_default();
        let both = format!("{next} · {MORE}");
        match (next.is_empty(), explain.is_some()) {
            (false, _) if fits(&both) => both,
            (false, _) if fits(&next) => next,
            (_, true) => MORE.to_owned(),
            (_, false) => return,
        }
    } else {
        let both = format!("{rest} · {MORE}");
        if fits(&both) { both } else { crate::text::cut_end(&rest, usize::from(room)).into_owned() }
    };
    lines.push(Line::text(second, if rest.is_empty() { Role::Muted } else { Role::Text }));
}

/// Lines with a label of ours, wrapped at so many cells of the pane.
struct Labelled<'l> {
    cells: u16,
    lines: &'l mut Vec<Line>,
}

impl Labelled<'_> {
    /// Cells of a text beside its label.
    fn room(&self) -> u16 {
        self.cells.saturating_sub(u16::try_from(LABEL + 1).unwrap_or(0)).max(8)
    }

    /// A label and a text, in as many lines as it takes.
    fn say(&mut self, label: &str, text: impl AsRef<str>, role: Role) {
        let text = clean(text.as_ref());
        self.pieces(label, &wrapped(&text, self.room()), role);
    }

    /// As [`Labelled::say`], of parts that are not broken.
    fn parts(&mut self, label: &str, text: &str, role: Role) {
        let text = clean(text);
        let pieces = filled(text.split(GAP), GAP, self.room());
        self.pieces(label, &pieces, role);
    }

    fn pieces(&mut self, label: &str, pieces: &[String], role: Role) {
        let room = self.room();
        // What has no place to break at is folded where it ends.
        let folded = pieces.iter().flat_map(|piece| folded(piece, room));
        for (at, piece) in folded.enumerate() {
            self.one(if at == 0 { label } else { "" }, &piece, role);
        }
    }

    /// A line; the text keeps its place whatever else the pane shows.
    fn one(&mut self, label: &str, text: &str, role: Role) {
        // No key: values of keys share a column with the paths below, and labels are short.
        self.lines.push(Line { value: format!("{} {text}", pad(label, LABEL)), role, ..Line::default() });
    }

    /// A line of a body and the caret under it, both from where the caret is in view.
    fn marked(&mut self, label: &str, text: &str, caret: &str) {
        let room = usize::from(self.room());
        let at = caret.chars().take_while(|letter| *letter == ' ').count();
        let text = clean(text);
        let (mut hidden, mut left) = (0, String::new());
        if at + 1 > room {
            // A third of the room goes on after the caret.
            let most = at + 1 - room * 2 / 3;
            for letter in text.chars() {
                if hidden >= most {
                    break;
                }
                hidden += crate::text::width(letter.encode_utf8(&mut [0; 4]));
                left.push(letter);
            }
        }
        let shown = text.strip_prefix(left.as_str()).unwrap_or(&text);
        let (lead, caret) = if hidden > 0 { ("…", at + 1 - hidden) } else { ("", at) };
        let shown = format!("{lead}{shown}");
        self.one(label, &crate::text::cut_end(&shown, room), Role::Text);
        self.one("", &format!("{}^", " ".repeat(caret)), Role::Match);
    }
}

/// Where it is said.
pub struct Page<'p> {
    /// Of its clocks.
    pub zone: &'p TimeZone,
    /// Engine time.
    pub now: Ms,
    /// What a line of the pane has.
    pub cells: u16,
    /// When it came and to which flow stands over the pane.
    pub headed: bool,
}

/// All of it, in the order of the screen: answered, rule or cause, evidence, what is beside it.
/// Nothing that is said is cut.
pub fn whole(
    detail: &RequestDetail,
    explain: Option<&ExplainView>,
    &Page { zone, now, cells, headed }: &Page<'_>,
    lines: &mut Vec<Line>,
) {
    let request = &detail.request;
    let shown = |time: &str| parse_rfc3339(time).map_or_else(|| time.to_owned(), |at| exact(at, zone));
    let mut say = Labelled { cells, lines };
    if request.verdict == Verdict::Rejected
        && let Some(explain) = explain.filter(|explain| !explain.told.is_empty())
    {
        if !headed {
            say.say("arrived", shown(&request.time), Role::Text);
            say.say("flow", format!("{} / {}", request.integration, request.flow), Role::Text);
        }
        return autopsy(explain, zone, now, &mut say);
    }
    if !headed {
        say.say("arrived", shown(&request.time), Role::Text);
    }
    answered(detail, &mut say);
    if !headed {
        say.say("flow", format!("{} / {}", request.integration, request.flow), Role::Text);
    }
    if let Some(cause) = &request.cause {
        say.say("what", cause, Role::Warn);
    }
    let Some(explain) = explain else {
        lines.push(Line::text("asking the store why…", Role::Muted));
        return;
    };
    if request.verdict == Verdict::Duplicate {
        duplicate(request.id.as_str(), explain, zone, now, &mut say);
    }
    for (at, line) in explain.why.iter().enumerate() {
        say.say(if at == 0 { "note" } else { "" }, line, Role::Text);
    }
    beside(&request.id, explain, zone, now, lines);
}

/// The autopsy of a refusal, with the clocks of this console.
fn autopsy(explain: &ExplainView, zone: &TimeZone, now: Ms, say: &mut Labelled<'_>) {
    let mut told = explain.told.iter().peekable();
    while let Some((name, text)) = told.next() {
        let role = match name.as_str() {
            "what" => Role::Warn,
            "likely" => Role::Info,
            _ => Role::Text,
        };
        if let Some((_, caret)) = told.next_if(|(name, text)| name.is_empty() && text.trim() == "^") {
            say.marked(name, text, caret);
            continue;
        }
        match (name.as_str(), &explain.like) {
            ("like it", Some(like)) => {
                let clock = |time: &str| {
                    parse_rfc3339(time).map_or_else(|| time.to_owned(), |at| clock(at, now, zone))
                };
                say.say(name, crate::rules::autopsy::like_it(like, &clock), role);
            }
            ("checks", _) => say.parts(name, text, role),
            _ => say.say(name, text, role),
        }
    }
}

fn answered(detail: &RequestDetail, say: &mut Labelled<'_>) {
    let request = &detail.request;
    let status = detail.answer.as_ref().map(|answer| answer.status).or(request.status);
    if let Some(status) = status {
        let text = match (&request.duplicate_of, detail.answer.as_ref().map(|answer| answer.body.as_str())) {
            (Some(first), _) => format!("{status}, empty; Pointsman-Duplicate-Of: {first}"),
            (None, None | Some("")) => format!("{status}, empty"),
            (None, Some(body)) => format!("{status}, {body}"),
        };
        say.say("answered", text, Role::Text);
    }
}

fn duplicate(id: &str, explain: &ExplainView, zone: &TimeZone, now: Ms, say: &mut Labelled<'_>) {
    if let Some(rule) = &explain.rule {
        say.say("rule", rule, Role::Text);
    }
    let width = explain.fields.iter().map(|field| crate::text::width(&clean(&field.path))).max().unwrap_or(0);
    for (at, field) in explain.fields.iter().enumerate() {
        let first = explain.first_fields.get(at).map_or_else(|| told(field), told);
        let path = pad(&clean(&field.path), width.min(40));
        let (first, this) = (clean(&first).into_owned(), clean(&told(field)).into_owned());
        let both = format!("{path}  {}  =  {this}", pad(&first, 18));
        let fits = crate::text::width(&both) <= usize::from(say.room()) && crate::text::width(&first) <= 18;
        if fits {
            say.say("", both, Role::Text);
        } else if first == this {
            say.say("", format!("{path}  {this}, in both"), Role::Text);
        } else {
            say.say("", format!("{path}  {first}  =  {this}"), Role::Text);
        }
    }
    if let Some(key) = &explain.key {
        say.say("key", format!("sha256 {key}"), Role::Muted);
    }
    if explain.copies > 0 {
        say.say("copies", copies(id, explain, zone, now), Role::Text);
    }
    if let Some(lapses) = &explain.lapses {
        let at = parse_rfc3339(lapses);
        let text = at.map_or_else(|| lapses.clone(), |at| exact(at, zone));
        let days = at.map_or(0, |at| (at - now) / DAY);
        let left = match days {
            ..=0 => String::new(),
            1 => ", in 1 day".to_owned(),
            days => format!(", in {days} days"),
        };
        let moves = if explain.rule.as_deref().is_some_and(|rule| rule.ends_with("from the last copy")) {
            "; each further copy moves it on"
        } else {
            "; further copies do not move it"
        };
        say.say("lapses", format!("{text}{left}{moves}"), Role::Text);
    }
}

fn told(field: &FieldView) -> String {
    if field.missing { "is not there".to_owned() } else { value_text(&field.value).1 }
}

/// `3: 14:31:52 first, accepted · 14:31:53 duplicate · 14:31:55 this one`
fn copies(id: &str, explain: &ExplainView, zone: &TimeZone, now: Ms) -> String {
    let mut parts = Vec::new();
    for copy in &explain.listed {
        let time = parse_rfc3339(&copy.time).map_or_else(|| copy.time.clone(), |at| clock(at, now, zone));
        let word = match copy.verdict {
            _ if copy.request == id => "this one".to_owned(),
            Verdict::Accepted => "first, accepted".to_owned(),
            verdict => verdict.word().to_owned(),
        };
        parts.push(format!("{time} {word}"));
    }
    let left = explain.copies.saturating_sub(explain.listed.len() as u64);
    if left > 0 {
        parts.push(format!("{} more", count(left)));
    }
    let listed = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(" · ")) };
    format!("{}{listed}", count(explain.copies))
}

/// Paths whose values differ from the first request's, both values beside each other.
fn beside(id: &str, explain: &ExplainView, zone: &TimeZone, now: Ms, lines: &mut Vec<Line>) {
    let Some(first) = explain.first.as_ref().filter(|first| *first != id) else { return };
    let differ = explain.differs.len() as u64;
    let of = if explain.paths > 0 { format!(" of {}", count(explain.paths)) } else { String::new() };
    let verb = if differ == 1 && of.is_empty() { "path differs" } else { "paths differ" };
    lines.push(Line::text(format!("── beside the first · {}{of} {verb} ──", count(differ)), Role::Border));
    if differ == 0 {
        return;
    }
    let time = |wanted: &str| {
        let copy = explain.listed.iter().find(|copy| copy.request == wanted);
        let at = copy.and_then(|copy| parse_rfc3339(&copy.time));
        at.map_or_else(String::new, |at| format!(", {}", clock(at, now, zone)))
    };
    let heads = format!(
        "{} {}",
        pad(&format!("first {}{}", crate::model::id::short(first), time(first)), BESIDE),
        format_args!("this {}{}", crate::model::id::short(id), time(id)),
    );
    // As wide as the longest path with its mark, so that none is cut for the heading's sake.
    let longest = explain.differs.iter().map(|(path, _, _)| crate::text::width(path)).max().unwrap_or(0);
    lines.push(Line {
        key: pad("path", longest.min(60) + 1),
        key_role: Role::Muted,
        value: heads,
        role: Role::Muted,
        indent: 2,
        ..Line::default()
    });
    for (path, there, here) in &explain.differs {
        let (glyph, role) = match (there.is_null(), here.is_null()) {
            (true, false) => ("+", Role::Added),
            (false, true) => ("-", Role::Removed),
            _ => ("≠", Role::Warn),
        };
        let value = |value: &serde_json::Value, gone: bool| {
            if gone { "not there".to_owned() } else { value_text(value).1 }
        };
        let first = clean(&value(there, glyph == "+")).into_owned();
        let first = crate::text::cut_end(&first, BESIDE).into_owned();
        lines.push(Line {
            glyph: Some((glyph, role)),
            key: path.clone(),
            key_role: Role::JsonKey,
            value: format!("{} {}", pad(&first, BESIDE), value(here, glyph == "-")),
            path: path.clone(),
            ..Line::default()
        });
    }
}
