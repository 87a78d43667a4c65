//! An id in the palette, pasted or typed: what of this store has it, and the way there.

use super::app::{App, Dirt, Overlay};
use super::asks::Want;
use crate::model::ask::{Answer, Ask, Refusal};
use crate::model::id::short;
use crate::model::time::{HOUR, parse_rfc3339};

/// Digits that the end of an id has at least.
const DIGITS: usize = 6;
/// Digits of a whole id.
const WHOLE: usize = 32;

/// What an id can name, in the order in which it is told.
const WORDS: [&str; 4] = ["request", "run", "callback", "job"];

/// Something that has the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub word: &'static str,
    /// Its last digits.
    pub short: String,
    /// What is told of it.
    pub told: String,
    there: There,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum There {
    Request(String),
    Run(String),
    Job(String),
}

/// What is known of an id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jump {
    /// As it was asked for; empty while nothing was.
    id: String,
    /// Answers that are awaited.
    waiting: usize,
    /// What has it.
    pub found: Vec<Found>,
    /// Why it cannot be said what has it: its end is that of several.
    pub trouble: Option<String>,
}

impl Jump {
    /// What is told where nothing that can be done is called so.
    #[must_use]
    pub fn told(&self, typed: &str) -> String {
        match (id_in(typed), &self.trouble) {
            (None, _) => "Nothing is called so.".to_owned(),
            (Some(id), _) if id != self.id => "Nothing is called so. enter looks for the id.".to_owned(),
            (Some(_), _) if self.waiting > 0 => "asking the store…".to_owned(),
            (Some(_), Some(trouble)) => trouble.clone(),
            (Some(id), None) => format!("Nothing here has the id {id}."),
        }
    }
}

/// The id that a text is, or the end of one: six hex digits or more.
#[must_use]
pub fn id_in(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
    let plain = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    (plain && (DIGITS..=WHOLE).contains(&digits)).then(|| text.to_ascii_lowercase())
}

impl App {
    /// A paste where nothing takes text: an id opens the palette with it. Whether it was one.
    pub(super) fn paste_jumps(&mut self, text: &str) -> bool {
        if self.overlay.is_some() || id_in(text).is_none() {
            return false;
        }
        self.open_palette();
        if let Some(Overlay::Palette(open)) = &mut self.overlay {
            open.edit.insert(text.trim());
        }
        self.look_up();
        true
    }

    /// Asks what has the id that was typed or pasted; whether it is one that was not asked for yet.
    pub(super) fn look_up(&mut self) -> bool {
        let Some(Overlay::Palette(open)) = &mut self.overlay else { return false };
        let Some(id) = id_in(&open.edit.text()).filter(|id| *id != open.jump.id) else { return false };
        open.jump = Jump { id: id.clone(), waiting: WORDS.len(), ..Jump::default() };
        open.at = 0;
        self.asks.drop_wants(|want| matches!(want, Want::LookUp(_)));
        for ask in [
            Ask::Request { id: id.clone() },
            Ask::Run { id: id.clone() },
            Ask::Callback { id: id.clone(), reveal: false },
            Ask::Job { id: id.clone() },
        ] {
            self.asks.ask(Want::LookUp(id.clone()), ask);
        }
        true
    }

    /// What one of these questions came to.
    pub(super) fn looked_up(&mut self, id: &str, result: Result<Answer, Refusal>) {
        let at = |time: &str| {
            let at = parse_rfc3339(time).unwrap_or_default();
            super::format::clock(at, at.saturating_add(48 * HOUR), &self.options.zone)
        };
        let found = match result {
            Ok(Answer::Request(detail)) => {
                let one = &detail.request;
                let flow = format!("{} / {}", one.integration, one.flow);
                let told = format!("{} · {flow} · {}", one.verdict.word(), at(&one.time));
                Ok(Found {
                    word: "request",
                    short: short(&one.id).to_owned(),
                    told,
                    there: There::Request(one.id.clone()),
                })
            }
            Ok(Answer::Run { run, .. }) => {
                let told = format!("{} · {} / {}", run.state.word(), run.integration, run.flow);
                Ok(Found {
                    word: "run",
                    short: short(&run.id).to_owned(),
                    told,
                    there: There::Run(run.id.clone()),
                })
            }
            Ok(Answer::Callback(one)) => {
                let told = format!("{} · {} of run {}", one.state.word(), one.step, short(&one.run));
                Ok(Found {
                    word: "callback",
                    short: short(&one.id).to_owned(),
                    told,
                    there: There::Run(one.run.clone()),
                })
            }
            Ok(Answer::Job(one)) => {
                let told = format!("{} · {} · {}", one.verb, one.who, at(&one.time));
                Ok(Found {
                    word: "job",
                    short: short(&one.id).to_owned(),
                    told,
                    there: There::Job(one.id.clone()),
                })
            }
            Ok(_) => Err(None),
            // Of another kind, or none: that is no trouble, several are.
            Err(refusal) => Err((refusal.code == "ambiguous").then_some(refusal.message)),
        };
        let Some(Overlay::Palette(open)) = &mut self.overlay else { return };
        let jump = &mut open.jump;
        if jump.id != id {
            return;
        }
        jump.waiting = jump.waiting.saturating_sub(1);
        match found {
            Ok(found) => {
                // In one order, whichever answer comes first.
                let place = |word: &str| WORDS.iter().position(|one| *one == word);
                jump.found.push(found);
                jump.found.sort_by_key(|found| place(found.word));
            }
            Err(trouble) => jump.trouble = jump.trouble.take().or(trouble),
        }
        self.touch(Dirt::Input);
    }

    /// Goes to what was found.
    pub(super) fn jump(&mut self, found: &Found) {
        self.overlay = None;
        match &found.there {
            There::Request(id) => self.open_request(id.clone()),
            There::Run(id) => self.open_run(id.clone()),
            There::Job(id) => self.open_jobs(Some(id.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_six_hex_digits_or_more_and_nothing_else() {
        for id in [
            "2f81d0",
            " 2F81D0\n",
            "0197a2b4-77c1-7d30-9f11-c2a9902f81d0",
            "0197a2b477c17d309f11c2a9902f81d0",
        ] {
            assert_eq!(id_in(id), Some(id.trim().to_ascii_lowercase()), "{id:?}");
        }
        for text in ["", "2f81d", "retry", "2f81d0 and", "2f81d0\n2f81d1", "------", &"a".repeat(33)] {
            assert_eq!(id_in(text), None, "{text:?}");
        }
    }
}
