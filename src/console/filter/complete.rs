//! What can stand at the cursor of a filter: names, words of closed sets, flows, and the paths of the
//! newest requests with how many of them have each.

use crate::console::app::{App, ListId, Tone};
use crate::console::asks::Want;
use crate::console::facets::Facet;
use crate::console::payload::value_text;
use crate::model::ask::Ask;
use crate::model::query::{NAMES, ROOTS, quoted, words};
use crate::model::run::{CallbackState, RunState};
use crate::model::study::{FieldsView, Source, Study};
use crate::session::Link;

/// Requests whose paths are told.
pub const REQUESTS: u32 = 100;
/// Candidates that are listed.
pub const MOST: usize = 200;

const NOTHING: &str = "nothing is known that could stand here";

/// What is known to complete with.
#[derive(Debug, Default)]
pub struct Completes {
    /// Integrations and their flows.
    pub names: Option<Vec<(String, Vec<String>)>>,
    /// Paths of the newest requests, and under which filter.
    pub paths: Option<(String, FieldsView)>,
    /// They were asked for since the line was opened.
    pub asked: bool,
}

/// Something that can stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is written.
    pub text: String,
    /// In how many requests of how many it is.
    pub count: Option<(u64, u64)>,
    /// A value of it, or what it does.
    pub note: String,
}

/// The list under the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// Where what it takes the place of begins, in characters.
    pub from: usize,
    /// What can stand there.
    pub all: Vec<Choice>,
    /// The selected one.
    pub at: usize,
}

/// The word at the cursor: where it begins, and what of it is typed.
fn word_at(text: &str, cursor: usize) -> (usize, String) {
    let letters: Vec<char> = text.chars().take(cursor).collect();
    let (mut from, mut quote, mut bracket) = (0, false, false);
    let mut at = 0;
    while at < letters.len() {
        match letters[at] {
            '\\' if quote => at += 1,
            '"' => quote = !quote,
            '[' if !quote => bracket = true,
            ']' if !quote => bracket = false,
            letter if !quote && !bracket && (letter.is_whitespace() || matches!(letter, '(' | ')')) => {
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    // A minus before it is not a part of it.
    if letters.get(from) == Some(&'-') {
        from += 1;
    }
    (from, letters.get(from..).unwrap_or_default().iter().collect())
}

/// A word up to its operator, and what comes after it.
fn split(word: &str) -> Option<(&str, &str)> {
    let (mut quote, mut bracket) = (false, false);
    for (at, letter) in word.char_indices() {
        match letter {
            '"' => quote = !quote,
            '[' if !quote => bracket = true,
            ']' if !quote => bracket = false,
            ':' | '=' | '!' | '~' | '<' | '>' if !quote && !bracket => {
                let end =
                    word[at..].find(|c: char| !":=!~<>".contains(c)).map_or(word.len(), |more| at + more);
                return Some((&word[..at], &word[end..]));
            }
            _ => {}
        }
    }
    None
}

/// What can stand at the cursor; nothing where nothing can.
#[must_use]
pub fn complete(text: &str, cursor: usize, list: ListId, known: &Completes) -> Option<Choices> {
    let (from, word) = word_at(text, cursor);
    let (from, typed, all) = match split(&word) {
        Some((field, typed)) => {
            let before = word.chars().count() - typed.chars().count();
            let typed = typed.strip_prefix('"').unwrap_or(typed);
            (from + before, typed, values(field, list, known))
        }
        None => (from, word.as_str(), fields(list, known)),
    };
    let mut all = matching(typed, all);
    all.truncate(MOST);
    let written = all.len() == 1 && all[0].text.trim_end() == typed;
    (!all.is_empty() && !written).then_some(Choices { from, all, at: 0 })
}

/// Those that begin so, then those that have it inside.
fn matching(typed: &str, all: Vec<Choice>) -> Vec<Choice> {
    let small = typed.to_lowercase();
    let place = |one: &Choice| {
        let text = one.text.to_lowercase();
        let text = text.strip_prefix('"').unwrap_or(&text);
        text.find(&small)
    };
    let (first, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| place(one) == Some(0));
    let inside = rest.into_iter().filter(|one| small.chars().count() > 1 && place(one).is_some());
    first.into_iter().chain(inside).collect()
}

fn fields(list: ListId, known: &Completes) -> Vec<Choice> {
    let mut all: Vec<Choice> = NAMES
        .iter()
        .filter(|name| name.is_of(list.subject()))
        .map(|name| {
            let closed = matches!(name.name, "verdict" | "state" | "step.state" | "flow" | "integration");
            let text = if closed { format!("{}:", name.name) } else { name.name.to_owned() };
            Choice { text, count: None, note: name.help.to_owned() }
        })
        .collect();
    if list == ListId::Callbacks {
        return all;
    }
    let (fields, requests) = match &known.paths {
        Some((_, found)) => (found.fields.as_slice(), found.requests),
        None => (&[][..], 0),
    };
    let mut paths: Vec<_> = fields.iter().filter(|field| root(&field.path)).collect();
    // Stable: what is as often stays in the order of the bodies.
    paths.sort_by_key(|field| std::cmp::Reverse(field.present));
    all.extend(paths.into_iter().map(|field| Choice {
        text: field.path.clone(),
        count: Some((field.present, requests)),
        note: value_text(&field.sample).1,
    }));
    if fields.is_empty() {
        all.extend(ROOTS.iter().map(|root| Choice {
            text: (*root).to_owned(),
            count: None,
            note: "paths".to_owned(),
        }));
    }
    all
}

fn root(path: &str) -> bool {
    ROOTS.iter().any(|root| path.strip_prefix(root).is_some_and(|rest| rest.starts_with(['.', '['])))
}

fn values(field: &str, list: ListId, known: &Completes) -> Vec<Choice> {
    let plain = |text: &str, note: &str| Choice {
        text: format!("{} ", quoted(text)),
        count: None,
        note: note.to_owned(),
    };
    let names = known.names.as_deref().unwrap_or_default();
    match field {
        "state" if list == ListId::Callbacks => {
            CallbackState::ALL.iter().map(|one| plain(one.word(), "")).collect()
        }
        "state" => RunState::ALL.iter().map(|one| plain(one.word(), "")).collect(),
        "verdict" | "step.state" => words(field).into_iter().map(|word| plain(word, "")).collect(),
        "integration" => names.iter().map(|(name, _)| plain(name, "")).collect(),
        "flow" => names.iter().flat_map(|(name, flows)| flows.iter().map(|flow| plain(flow, name))).collect(),
        "test" | "overdue" => ["true", "false"].map(|word| plain(word, "")).into(),
        "since" | "until" => ["15m", "1h", "24h", "7d"].map(|word| plain(word, "back from now")).into(),
        _ => Vec::new(),
    }
}

impl App {
    /// `tab` in the filter line: opens the list, or goes on in it; one that is alone is taken.
    pub(super) fn complete_filter(&mut self, by: usize) {
        let live = self.link.0 == Link::Live;
        let Some(filter) = &self.filter else { return };
        if filter.choices.is_some() {
            return self.choose_completion(by);
        }
        let list = filter.list;
        // Under the filter that was in force, where it still stands there: what is typed is seldom whole.
        let requests = matches!(list, ListId::LiveRequests | ListId::Requests);
        let stands = requests && filter.edit.text().starts_with(&filter.before);
        let force = if stands { filter.before.clone() } else { String::new() };
        let mut awaited = false;
        if live && self.completes.names.is_none() {
            awaited = true;
            if !self.asks.awaits(|want| *want == Want::Facet(Facet::Names)) {
                self.asks.ask(Want::Facet(Facet::Names), Ask::Integrations);
            }
        }
        let same = self.completes.paths.as_ref().is_some_and(|(filter, _)| *filter == force);
        let known = same && self.completes.asked;
        self.completes.asked = true;
        if live && !known && list != ListId::Callbacks {
            // Those under another filter are better than none.
            awaited |= self.completes.paths.is_none();
            self.asks.drop_wants(|want| matches!(want, Want::Facet(Facet::Paths(_))));
            let source = Source::Recent { filter: force.clone(), most: REQUESTS };
            self.asks.ask(Want::Facet(Facet::Paths(force)), Ask::Study(Study::Fields(source)));
        }
        let Some(filter) = &mut self.filter else { return };
        filter.choices = complete(&filter.edit.text(), filter.edit.cursor(), list, &self.completes);
        filter.awaits = awaited;
        match &filter.choices {
            Some(choices) if choices.all.len() == 1 && !awaited => self.take_choice(),
            None if !awaited => {
                self.toast(Tone::Info, NOTHING);
            }
            _ => {}
        }
    }

    /// More is known: the open list has it, and the selected one stays selected.
    pub(in crate::console) fn complete_again(&mut self) {
        let awaits = self.asks.awaits(|want| matches!(want, Want::Facet(Facet::Names | Facet::Paths(_))));
        let Some(filter) = &mut self.filter else { return };
        if filter.choices.is_none() && !filter.awaits {
            return;
        }
        filter.awaits = awaits;
        let selected = filter.choices.as_ref().and_then(|choices| {
            (choices.at > 0).then(|| choices.all.get(choices.at).map(|one| one.text.clone())).flatten()
        });
        filter.choices = complete(&filter.edit.text(), filter.edit.cursor(), filter.list, &self.completes);
        if filter.choices.is_none() && !awaits {
            self.toast(Tone::Info, NOTHING);
        } else if let Some(choices) = &mut filter.choices {
            let at = selected.and_then(|text| choices.all.iter().position(|one| one.text == text));
            choices.at = at.unwrap_or(0);
        }
    }

    /// What was typed changed: an open list follows it.
    pub(super) fn complete_typed(&mut self) {
        let Some(filter) = &mut self.filter else { return };
        if filter.choices.is_some() {
            filter.choices =
                complete(&filter.edit.text(), filter.edit.cursor(), filter.list, &self.completes);
        }
        filter.awaits &= filter.choices.is_some();
    }

    pub(super) fn choose_completion(&mut self, by: usize) {
        let Some(choices) = self.filter.as_mut().and_then(|filter| filter.choices.as_mut()) else { return };
        choices.at = (choices.at + by) % choices.all.len().max(1);
    }

    /// Writes the selected one.
    pub(super) fn take_choice(&mut self) {
        let now = self.now;
        let Some(filter) = &mut self.filter else { return };
        let Some(choices) = filter.choices.take() else { return };
        filter.awaits = false;
        let Some(choice) = choices.all.get(choices.at) else { return };
        filter.edit.replace(choices.from, &choice.text);
        filter.changed(now);
        // After a name with a closed set its words are offered at once.
        if choice.text.ends_with(':') {
            self.complete_filter(1);
        }
    }
}

#[cfg(test)]
mod tests;
